package peers_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

const appPage = "https://app.example.com"

// TestWiring makes each wiring mistake that docs/neighbours.md warns of, and has
// corstest find it, with the advice that mends it.
func TestWiring(t *testing.T) {
	c := newMiddleware(t)
	items := func() *http.ServeMux {
		mux := http.NewServeMux()
		mux.HandleFunc("PUT /items/{id}", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "saved") })
		mux.HandleFunc("PUT /items/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "saved") })
		return mux
	}
	always := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
	}
	ownHeader := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	})
	withoutOrigin := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodOptions {
				r = r.Clone(r.Context())
				r.Header.Del("Origin")
			}
			next.ServeHTTP(w, r)
		})
	}
	redirected := http.NewServeMux()
	redirected.Handle("/items/", c.Handler(items()))
	limited := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			c.Handler(items()).ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusTooManyRequests)
	})
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			c.Handler(items()).ServeHTTP(w, r)
			return
		}
		<-r.Context().Done()
	})
	header := http.Header{"Content-Type": {"application/json"}}

	for _, test := range []struct {
		name    string
		service http.Handler
		page    string
		request corstest.Request
		advice  string // a part of it; "" for none: the wiring is right
	}{
		{"the middleware around everything", c.Handler(items()), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1", Header: header}, ""},
		{"authentication inside", c.Handler(authentication(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, ""},
		{"authentication outside", authentication(c.Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Authentication or another guard stands in front"},
		{"authentication outside, for a request without a preflight", authentication(c.Handler(items())), appPage, corstest.Request{URL: "https://api.example/items/1"}, "The answer with status 401 was made outside the CORS middleware"},
		{"another page", c.Handler(items()), "https://evil.example", corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Add https://evil.example to AllowedOrigins"},
		{"a slash that is missing on the preflight", redirected, appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items"}, "redirects the preflight"},
		{"an upstream that sets CORS headers as well", c.Handler(proxyTo(t, ownHeader, nil)), appPage, corstest.Request{URL: "https://api.example/items/1"}, "call cors.StripHeaders in ModifyResponse"},
		{"an upstream whose CORS headers are stripped", c.Handler(proxyTo(t, ownHeader, func(res *http.Response) error { cors.StripHeaders(res.Header); return nil })), appPage, corstest.Request{URL: "https://api.example/items/1"}, ""},
		{"an upstream that is not wrapped", proxyTo(t, items(), nil), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Wrap the whole router"},
		{"a limit of requests outside", limited, appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "The answer with status 429 was made outside the CORS middleware"},
		{"a limit of time outside", http.TimeoutHandler(slow, time.Millisecond, "late"), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "The answer with status 503 was made outside the CORS middleware"},
		{"a server that fails on OPTIONS", always(500), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "The server fails on OPTIONS"},
		{"something that answers OPTIONS for everybody", always(204), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Something other than the CORS middleware answers OPTIONS"},
		{"a handler that is not wrapped", always(200), appPage, corstest.Request{URL: "https://api.example/items/1"}, "The response did not come through a CORS middleware"},
		{"a proxy that removes Origin", withoutOrigin(c.Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "did not reach package cors"},
		{"protection against forgery outside, that trusts nobody", http.NewCrossOriginProtection().Handler(c.Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "http.CrossOriginProtection does not trust the page's origin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: test.service}
			res := b.Fetch(test.page, test.request)
			if test.advice == "" && res.Blocked != "" || test.advice != "" && (res.Blocked == "" || !strings.Contains(res.Advice, test.advice)) {
				t.Errorf("want advice %q\n%v", test.advice, res)
			}
		})
	}
}

// TestForgeryProtectionIsFound has corstest find the one mistake whose answer a
// script can read: a protection inside that was not told the policy's origins.
func TestForgeryProtectionIsFound(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /items/{id}", func(w http.ResponseWriter, r *http.Request) {})
	b := corstest.Browser{Handler: newMiddleware(t).Handler(http.NewCrossOriginProtection().Handler(mux))}
	res := b.Fetch(appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"})
	if res.Status != http.StatusForbidden || !strings.Contains(res.Advice, "http.CrossOriginProtection does not trust the page's origin") {
		t.Errorf("the page reads %d\n%v", res.Status, res)
	}
}

// TestMisplacedIsFound has corstest find each router's mistake of the table in
// docs/neighbours.md on a real server.
func TestMisplacedIsFound(t *testing.T) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			addr := router.misplace(t, newMiddleware(t))
			b := new(corstest.Browser)
			res := b.Fetch(appPage, corstest.Request{Method: "PUT", URL: "http://" + addr + "/items/1"})
			advice := "The router answers OPTIONS itself"
			if router.status < 300 {
				advice = "Something other than the CORS middleware answers OPTIONS"
			}
			if res.Blocked == "" || !strings.Contains(res.Advice, advice) {
				t.Errorf("want advice %q\n%v", advice, res)
			}

			a := new(api)
			addr = router.serve(t, a, newMiddleware(t))
			res = b.Fetch(appPage, corstest.Request{Method: "PUT", URL: "http://" + addr + "/items/1"})
			if err := res.Err(); err != nil {
				t.Errorf("placed right: %v\n%v", err, res)
			}
		})
	}
}
