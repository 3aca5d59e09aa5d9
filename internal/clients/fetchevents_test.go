//go:build unix

package clients

import (
	"net/http"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

var fetchEventsPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedHeaders: []string{"Authorization", "Last-Event-ID"},
	MaxAge:         2 * time.Hour,
}

var fetchEvents = recipe{
	name:   "Server-sent events over fetch",
	file:   "fetchevents",
	policy: fetchEventsPolicy,
	handler: func(*testing.T) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer sesame" {
				http.Error(w, "not authorized", http.StatusUnauthorized)
				return
			}
			serveEvents(w, r)
		})
		return mux
	},
	fails: map[entry]string{
		{"AllowedHeaders", "Authorization"}: "eventsource: events",
		{"AllowedHeaders", "Last-Event-ID"}: "eventsource: events after a reconnection",
	},
	preflights: 1,
}
