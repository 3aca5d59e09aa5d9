package peers_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
	gorilla "github.com/gorilla/websocket"
	rscors "github.com/rs/cors"
)

// Some middlewares reject the origin, the method and the headers in the same
// way, so the advice cannot blame the origin or a guard alone.
func TestFieldBugAdviceOnPeers(t *testing.T) {
	const (
		three  = "it does not allow the origin, the method or a header."
		guard  = "Either authentication or another guard rejected the preflight, or the CORS middleware did"
		router = "Either the router responded to OPTIONS itself, or the CORS middleware rejected the method"
	)
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	with := func(name string) http.Handler {
		i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
		h, err := peers[i].wrap(&ordinary, ok)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	policy := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{"https://app.example.com"}, AllowedMethods: []string{"PUT"}})
	nested := rscors.Default().Handler(policy.Handler(ok))
	patch := corstest.Request{Method: "PATCH", URL: itemURL}
	header := corstest.Request{URL: itemURL, Header: http.Header{"X-Nope": {"1"}}}
	for _, test := range []struct {
		name    string
		service http.Handler
		page    string
		request corstest.Request
		advice  string
	}{
		{"rs/cors, method", with("rs/cors"), "https://app.example.com", patch, three},
		{"rs/cors, header", with("rs/cors"), "https://app.example.com", header, three},
		{"go-chi/cors, method", with("go-chi/cors"), "https://app.example.com", patch, three},
		{"go-chi/cors, header", with("go-chi/cors"), "https://app.example.com", header, three},
		{"the default of rs/cors outside this package", nested, "https://app.example.com", corstest.Request{Method: "PUT", URL: itemURL}, "another CORS middleware outside it responded"},
		{"gorilla/handlers, method", with("gorilla/handlers"), "https://app.example.com", patch, router},
		{"gorilla/handlers, header", with("gorilla/handlers"), "https://app.example.com", header, guard},
		{"gin-contrib/cors, origin, preflight", with("gin-contrib/cors"), "https://evil.example", patch, guard},
		{"gin-contrib/cors, origin", with("gin-contrib/cors"), "https://evil.example", corstest.Request{URL: itemURL}, "Either the CORS middleware rejected the page's origin, as gin-contrib/cors does"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: test.service}
			if res := b.Fetch(test.page, test.request); !strings.Contains(res.Advice, test.advice) {
				t.Errorf("want advice %q\n%v", test.advice, res)
			}
		})
	}
}

// A middleware wraps the ResponseWriter in a type without Hijack.
func TestFieldBugAdviceOnHijack(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"gorilla/websocket": func(w http.ResponseWriter, r *http.Request) {
			upgrader := gorilla.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
			upgrader.Upgrade(struct{ http.ResponseWriter }{w}, r, nil)
		},
		"coder/websocket": func(w http.ResponseWriter, r *http.Request) {
			websocket.Accept(struct{ http.ResponseWriter }{w}, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		},
	} {
		server := httptest.NewServer(handler)
		defer server.Close()
		b := corstest.Browser{Transport: server.Client().Transport}
		res := b.Fetch("https://app.example.com", corstest.Request{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Mode: corstest.WebSocket})
		if !strings.Contains(res.Advice, "without the method Hijack") {
			t.Errorf("%s: got\n%v", name, res)
		}
	}
}
