//go:build unix

package clients

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

var privatePolicy = cors.Policy{
	AllowOriginFunc: func(r *http.Request, origin string) bool {
		u, err := url.Parse(origin)
		if err != nil {
			return false
		}
		addr, err := netip.ParseAddr(u.Hostname())
		return err == nil && (addr.IsPrivate() || addr.IsLoopback())
	},
	AllowedMethods: []string{http.MethodPut},
	AllowedHeaders: []string{"Content-Type"},
	MaxAge:         2 * time.Hour,
}

var private = recipe{
	name:      "Pages on private IP addresses",
	file:      "private",
	policy:    privatePolicy,
	byAddress: true,
	handler: func(*testing.T) http.Handler {
		level := 0
		mux := http.NewServeMux()
		mux.HandleFunc("GET /lamp", func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(level) })
		mux.HandleFunc("PUT /lamp", func(w http.ResponseWriter, r *http.Request) {
			if err := json.NewDecoder(r.Body).Decode(&level); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			json.NewEncoder(w).Encode(level)
		})
		return mux
	},
	fails: map[entry]string{
		{"AllowOriginFunc", ""}:            "read",
		{"AllowedMethods", http.MethodPut}: "replace",
		{"AllowedHeaders", "Content-Type"}: "replace",
	},
	preflights: 1,
}

// TestPrivateRebinding shows a request that the policy cannot reject: the host
// of a hostile page resolves to the address of the server.
func TestPrivateRebinding(t *testing.T) {
	m, err := cors.New(privatePolicy)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	h := m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran++ }))
	checkingHost := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "192.168.1.7" {
			http.Error(w, "invalid host", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
	put := corstest.Request{Method: http.MethodPut, URL: "http://evil.example/lamp", Header: http.Header{"Content-Type": {"application/json"}}, Body: "7"}
	for _, test := range []struct {
		name, page string
		handler    http.Handler
		ran        int
	}{
		{"the rebound page reaches the handler", "http://evil.example", h, 1},
		{"a page on another host does not reach the handler", "http://other.example", h, 0},
		{"a check of Host stops the rebound page", "http://evil.example", checkingHost, 0},
	} {
		ran = 0
		b := corstest.Browser{Handler: test.handler}
		if result := b.Fetch(test.page, put); ran != test.ran {
			t.Errorf("%s: the handler ran %d times, want %d\n%s", test.name, ran, test.ran, result)
		}
	}
}

func TestPrivateAddresses(t *testing.T) {
	m, err := cors.New(privatePolicy)
	if err != nil {
		t.Fatal(err)
	}
	for origin, allowed := range map[string]bool{
		"http://192.168.1.7":              true,
		"https://192.168.1.7:8443":        true,
		"http://10.0.0.1:3000":            true,
		"http://172.31.255.255":           true,
		"http://127.0.0.1:8080":           true,
		"http://[::1]:8080":               true,
		"http://[fd00::1]":                true,
		"http://172.32.0.1":               false,
		"http://203.0.113.7":              false,
		"http://[2001:db8::1]":            false,
		"http://192.168.1.7.evil.example": false,
		"http://router.local":             false,
		"http://localhost":                false,
		"null":                            false,
	} {
		r := httptest.NewRequest("GET", "http://lamp.example/", nil)
		r.Header.Set("Origin", origin)
		if err := m.Check(r); (err == nil) != allowed {
			t.Errorf("%s: allowed is %t, want %t: %v", origin, err == nil, allowed, err)
		}
	}
}
