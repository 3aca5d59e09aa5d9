//go:build unix

package clients

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

var beaconPolicy = cors.Policy{
	AllowedOrigins:   []string{"https://app.example.com"},
	AllowedHeaders:   []string{"Content-Type"},
	AllowCredentials: true,
	MaxAge:           2 * time.Hour,
}

var beacons = recipe{
	name:    "Beacons and analytics",
	file:    "beacon",
	policy:  beaconPolicy,
	handler: collector,
	fails: map[entry]string{
		{"AllowedHeaders", "Content-Type"}: "beacon with JSON",
		{"AllowCredentials", ""}:           "beacon with JSON",
	},
	preflights: 1,
}

// collector returns a server of events. A page cannot see whether its beacon
// arrived, so the server has another URL that waits for an event.
func collector(*testing.T) http.Handler {
	var mu sync.Mutex
	arrived := make(map[string]chan struct{}) // by the body of the event
	event := func(body string) chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		if arrived[body] == nil {
			arrived[body] = make(chan struct{}, 1)
		}
		return arrived[body]
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		event(string(body)) <- struct{}{}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /arrived", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-event(r.URL.Query().Get("event")):
			io.WriteString(w, "yes")
		case <-time.After(5 * time.Second):
			io.WriteString(w, "no")
		case <-r.Context().Done():
		}
	})
	return mux
}
