package peers_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

const appPage = "https://app.example.com"

// TestWiringMistakesAreFound makes the mistakes that the prose of
// docs/integration.md describes, and expects corstest to find each and advise the
// fix. TestOrder does that for the tables of components,
// TestMisplacedMiddlewareIsFound for the table of routers, and TestWebSockets for
// WebSockets.
func TestWiringMistakesAreFound(t *testing.T) {
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
	without := func(name string, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Header.Del(name)
			next.ServeHTTP(w, r)
		})
	}
	withoutOrigin := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				next.ServeHTTP(w, r)
				return
			}
			without("Origin", next).ServeHTTP(w, r)
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
	addsHeader := func(res *http.Response) error { res.Header.Add("Access-Control-Allow-Origin", "*"); return nil }
	toLogin := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("session"); err != nil {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		c.Handler(items()).ServeHTTP(w, r)
	})
	rewritesHost := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Host = "backend:8080"
			next.ServeHTTP(w, r)
		})
	}
	cached := func(first string, service http.Handler) http.Handler {
		cache := &testkit.SharedCache{Service: service}
		(&corstest.Browser{Handler: cache}).Fetch(first, corstest.Request{URL: itemURL})
		return cache
	}
	policy := stackPolicy(t)
	members := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{appPage}, AllowCredentials: true})
	public := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{"*"}})
	twoPolicies := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		policy := public
		if _, err := r.Cookie("session"); err == nil {
			policy = members
		}
		policy.Handler(http.HandlerFunc(readsBody)).ServeHTTP(w, r)
	})
	withCookies := corstest.Request{URL: itemURL, Credentials: corstest.Include}
	header := http.Header{"Content-Type": {"application/json"}}

	for _, test := range []struct {
		name    string
		service http.Handler
		page    string
		request corstest.Request
		advice  string // part of it; "" if the wiring is right
		status  int    // if the page can read the response; 0 if it is blocked
	}{
		{"the middleware around everything", c.Handler(items()), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1", Header: header}, "", 200},
		{"authentication inside", c.Handler(authentication(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "The script cannot read Www-Authenticate", 401},
		{"authentication outside", authentication(c.Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Authentication or another guard rejected the preflight", 0},
		{"authentication outside, without a preflight", authentication(c.Handler(items())), appPage, corstest.Request{URL: "https://api.example/items/1"}, "Code outside the CORS middleware wrote the 401", 0},
		{"another page", c.Handler(items()), "https://evil.example", corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "add https://evil.example to AllowedOrigins", 0},
		{"a missing slash in the preflight", redirected, appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items"}, "The preflight was redirected", 0},
		{"an upstream that also sets CORS headers", c.Handler(proxyTo(t, ownHeader, nil)), appPage, corstest.Request{URL: "https://api.example/items/1"}, "call cors.StripHeaders in ModifyResponse", 0},
		{"an upstream whose CORS headers are stripped", c.Handler(proxyTo(t, ownHeader, func(res *http.Response) error { cors.StripHeaders(res.Header); return nil })), appPage, corstest.Request{URL: "https://api.example/items/1"}, "", 200},
		{"an upstream that is not wrapped", proxyTo(t, items(), nil), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Wrap the whole router", 0},
		{"a rate limit outside", limited, appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Code outside the CORS middleware wrote the 429", 0},
		{"a time limit outside", http.TimeoutHandler(slow, 100*time.Millisecond, "late"), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Status 503 usually comes from a proxy or platform in front", 0},
		{"a server that fails on OPTIONS", always(500), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "The server failed to handle the OPTIONS request", 0},
		{"something else that responds to OPTIONS", always(204), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Something other than the CORS middleware responded to OPTIONS", 0},
		{"a handler that is not wrapped", always(200), appPage, corstest.Request{URL: "https://api.example/items/1"}, "The response has no CORS headers", 0},
		{"a proxy that removes Origin", withoutOrigin(c.Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "package cors did not get it", 0},
		{"http.CrossOriginProtection outside, without trusted origins", http.NewCrossOriginProtection().Handler(c.Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "http.CrossOriginProtection rejected the request", 0},
		{"http.CrossOriginProtection inside, without trusted origins", c.Handler(http.NewCrossOriginProtection().Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "http.CrossOriginProtection rejected the request", 403},
		{"a login outside that redirects", toLogin, appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "The preflight was redirected to \"/login\"", 0},
		{"a proxy in front that also sets CORS headers", proxyTo(t, c.Handler(items()), addsHeader), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "Two layers set CORS headers", 0},
		{"a proxy in front that also removes Origin from preflights", without("Origin", c.Handler(items())), appPage, corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "something removes Origin from the request", 0},
		{"a proxy in front that rewrites Host", rewritesHost(c.Handler(items())), "https://api.example", corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "", 200},
		{"a proxy in front that rewrites Host and removes Sec-Fetch-Site", rewritesHost(without("Sec-Fetch-Site", c.Handler(items()))), "https://api.example", corstest.Request{Method: "PUT", URL: "https://api.example/items/1"}, "a proxy changes Host", 403},
		{"a time limit inside, and a cache in front", cached(appPage, policy.Handler(timeLimit(time.Minute)(http.HandlerFunc(addsToVary)))), partnerPage, corstest.Request{URL: itemURL}, "a cache returned a response for another page", 0},
		{"a time limit and keepHeaders inside, and a cache in front", cached(appPage, policy.Handler(keepHeaders(timeLimit(time.Minute)(http.HandlerFunc(addsToVary))))), partnerPage, corstest.Request{URL: itemURL}, "", 200},
		{"a URL under two policies, and a cache in front", cached(evilPage, twoPolicies), appPage, withCookies, "For a request with credentials, browsers do not accept *", 0},
		{"a URL under two policies, without a cache", twoPolicies, appPage, withCookies, "", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: test.service, Cookie: "session=1"}
			res := b.Fetch(test.page, test.request)
			if res.Status != test.status || !strings.Contains(res.Advice, test.advice) || test.advice == "" && res.Advice != "" {
				t.Errorf("want status %d and advice %q\n%v", test.status, test.advice, res)
			}
		})
	}
}

// TestIntegrationOpening checks that the first lines of docs/integration.md lead
// from the response to a broken request to the section on its cause.
func TestIntegrationOpening(t *testing.T) {
	page, err := os.ReadFile("../../docs/integration.md")
	if err != nil {
		t.Fatal(err)
	}
	opening, sections, _ := strings.Cut(string(page), "\n## ")
	c := newMiddleware(t)
	saved := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	mux := http.NewServeMux()
	mux.Handle("PUT /items/{id}", c.Handler(saved))
	toLogin := http.RedirectHandler("/login", http.StatusFound)
	doubled := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	for _, test := range []struct {
		response, section string
		service           http.Handler
		url               string
	}{
		{"404", "Routers", mux, "https://api.example/nothing"},
		{"405", "Routers", mux, itemURL},
		{"401", "Authentication", authentication(c.Handler(saved)), itemURL},
		{"a redirect", "Authentication", toLogin, itemURL},
		{"two values", "Reverse proxies", c.Handler(proxyTo(t, http.HandlerFunc(doubled), nil)), itemURL},
	} {
		t.Run(test.response, func(t *testing.T) {
			b := corstest.Browser{Handler: test.service}
			res := b.Fetch(appPage, corstest.Request{Method: "PUT", URL: test.url})
			last := res.Actual
			if last == nil {
				last = res.Preflight
			}
			got := fmt.Sprint(last.Response.StatusCode)
			switch values := len(last.Response.Header["Access-Control-Allow-Origin"]); {
			case values == 2:
				got = "two values"
			case last.Response.StatusCode/100 == 3:
				got = "a redirect"
			}
			if res.Blocked == "" || got != test.response {
				t.Errorf("got %s\n%v", got, res)
			}
			link := "(#" + strings.ToLower(strings.ReplaceAll(test.section, " ", "-")) + ")"
			if !slices.ContainsFunc(strings.Split(opening, "\n"), func(line string) bool {
				return strings.Contains(line, test.response) && strings.Contains(line, link)
			}) || !strings.Contains("\n## "+sections, "\n## "+test.section+"\n") {
				t.Errorf("no line leads from %q to the section %q", test.response, test.section)
			}
		})
	}
}

// TestMisplacedMiddlewareIsFound expects corstest to find the mistake with each
// router of the table in docs/integration.md, on a real server.
func TestMisplacedMiddlewareIsFound(t *testing.T) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			addr := router.misplace(t, newMiddleware(t))
			b := new(corstest.Browser)
			res := b.Fetch(appPage, corstest.Request{Method: "PUT", URL: "http://" + addr + "/items/1"})
			advice := "router responded to OPTIONS itself"
			if router.status < 300 {
				advice = "Something other than the CORS middleware responded to OPTIONS"
			}
			if res.Blocked == "" || !strings.Contains(res.Advice, advice) {
				t.Errorf("want advice %q\n%v", advice, res)
			}

			a := new(api)
			addr = router.serve(t, a, newMiddleware(t))
			res = b.Fetch(appPage, corstest.Request{Method: "PUT", URL: "http://" + addr + "/items/1"})
			if err := res.Err(); err != nil {
				t.Errorf("in the right place: %v\n%v", err, res)
			}
		})
	}
}
