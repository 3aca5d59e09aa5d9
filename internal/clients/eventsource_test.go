//go:build unix

package clients

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/f407da42/cors"
)

var eventSourcePolicy = cors.Policy{
	AllowedOrigins:   []string{"https://app.example.com"},
	AllowCredentials: true,
}

var eventSource = recipe{
	name:   "Server-sent events with EventSource",
	file:   "eventsource",
	policy: eventSourcePolicy,
	handler: func(*testing.T) http.Handler {
		session := rand.Text()
		mux := http.NewServeMux()
		mux.HandleFunc("POST /session", func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: session, Path: "/", Domain: sessionDomain(r), HttpOnly: true, SameSite: http.SameSiteLaxMode})
		})
		mux.HandleFunc("GET /public", serveEvents)
		mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
			if cookie, err := r.Cookie("session"); err != nil || cookie.Value != session {
				http.Error(w, "not logged in", http.StatusUnauthorized)
				return
			}
			serveEvents(w, r)
		})
		return mux
	},
	fails: map[entry]string{
		{"AllowCredentials", ""}: "events without a cookie",
	},
	preflights: 0,
}

// serveEvents sends the two numbers after the last one that the client received.
// After the numbers 1 and 2, it ends the response, so the client must reconnect.
func serveEvents(w http.ResponseWriter, r *http.Request) {
	last, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprint(w, "retry: 1\n\n")
	for id := last + 1; id <= last+2; id++ {
		fmt.Fprintf(w, "id: %d\ndata: %[1]d\n\n", id)
	}
	if last == 0 {
		return
	}
	http.NewResponseController(w).Flush()
	<-r.Context().Done()
}
