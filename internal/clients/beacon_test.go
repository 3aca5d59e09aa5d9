//go:build unix

package clients

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
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

// TestFieldBugBeaconsIncludeCredentials shows that a JSON beacon needs
// AllowCredentials, although the page did not ask for credentials.
func TestFieldBugBeaconsIncludeCredentials(t *testing.T) {
	beacon := corstest.Request{
		Method:      http.MethodPost,
		URL:         "https://api.example.com/events",
		Header:      http.Header{"Content-Type": {"application/json"}},
		Body:        "{}",
		Credentials: corstest.Include, // as sendBeacon always does
	}
	for _, credentials := range []bool{true, false} {
		p := beaconPolicy
		p.AllowCredentials = credentials
		m, err := cors.New(p)
		if err != nil {
			t.Fatal(err)
		}
		b := corstest.Browser{Handler: m.Handler(collector(t))}
		if result := b.Fetch("https://app.example.com", beacon); (result.Blocked == "") != credentials {
			t.Errorf("AllowCredentials: %t\n%s", credentials, result)
		}
	}
}

// collector returns a server of events. A page cannot see whether its beacon
// arrived, so the server has another URL that waits for an event.
func collector(*testing.T) http.Handler {
	var mu sync.Mutex
	arrived := make(map[string]chan struct{}) // channels of the events, by their body
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
