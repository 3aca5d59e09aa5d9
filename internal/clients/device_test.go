//go:build unix

package clients

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

var devicePolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{http.MethodPut},
	MaxAge:         2 * time.Hour,
}

// okPreflights changes the status of preflight responses from 204 to 200.
func okPreflights(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			w = okWriter{w}
		}
		next.ServeHTTP(w, r)
	})
}

type okWriter struct{ http.ResponseWriter }

func (w okWriter) WriteHeader(status int) {
	if status == http.StatusNoContent {
		status = http.StatusOK
	}
	w.ResponseWriter.WriteHeader(status)
}

var device = recipe{
	name:   "Devices that need status 200 for preflights",
	file:   "device",
	policy: devicePolicy,
	wrap:   okPreflights,
	handler: func(*testing.T) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if len(body) == 0 {
				w.WriteHeader(http.StatusNoContent)
			}
			w.Write(body)
		})
	},
	fails: map[entry]string{
		{"AllowedMethods", http.MethodPut}: "put",
	},
	preflights: 1,
}

func TestOKPreflights(t *testing.T) {
	p := devicePolicy
	m, err := cors.New(p)
	if err != nil {
		t.Fatal(err)
	}
	h := okPreflights(m.Handler(device.handler(t)))
	for _, test := range []struct {
		name, method, origin, asked string
		status                      int
	}{
		{"an allowed preflight", "OPTIONS", "https://app.example.com", "PUT", 200},
		{"a rejected preflight", "OPTIONS", "https://evil.example", "PUT", 403},
		{"an OPTIONS request that is not a preflight", "OPTIONS", "https://app.example.com", "", 204},
		{"an actual request", "PUT", "https://app.example.com", "", 204},
	} {
		r := httptest.NewRequest(test.method, "https://api.example.com/", nil)
		r.Header.Set("Origin", test.origin)
		if test.asked != "" {
			r.Header.Set("Access-Control-Request-Method", test.asked)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: status %d, want %d", test.name, w.Code, test.status)
		}
	}
}
