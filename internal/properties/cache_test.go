package properties_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

// view sends a GET request, and returns the status and the body that its client
// can read. The client is a script on page, in the model of the browser. If page
// is empty, the client is an image, which sends no Origin.
func view(h http.Handler, page, url, language string, credentials corstest.Credentials) string {
	if page == "" {
		r := httptest.NewRequest("GET", url, nil)
		r.Header.Set("Accept-Language", language)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "no-cors")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return fmt.Sprintf("%d %s", w.Code, w.Body)
	}
	b := corstest.Browser{Handler: h}
	res := b.Fetch(page, corstest.Request{URL: url, Header: http.Header{"Accept-Language": {language}}, Credentials: credentials})
	if res.Blocked != "" {
		return "blocked"
	}
	return fmt.Sprintf("%d %s", res.Status, res.Body)
}

// TestSharedCache sends requests from pages and images through a shared cache, in
// random order. Each client must see the response that it sees without the cache.
// If the cache ignores Vary, some clients see a response for another client.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	for name, ignoreVary := range map[string]bool{"cache honors Vary": false, "cache ignores Vary": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seed = 1
			g := generator{rand.New(rand.NewPCG(seed, seed))}
			requests, hits, opened, blocked, others := 0, 0, 0, 0, 0
			for range rounds(500) {
				p := g.policy()
				service := testkit.MustNew(t, p).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					variesWithOrigin := slices.Contains(w.Header()["Vary"], "Origin")
					w.Header().Add("Vary", "Accept-Language")
					io.WriteString(w, "in "+r.Header.Get("Accept-Language"))
					if variesWithOrigin {
						fmt.Fprintf(w, " for %q", r.Header.Get("Origin"))
					}
				}))
				cache := &testkit.SharedCache{Service: service, IgnoreVary: ignoreVary}
				clients := []string{"", "", "https://api.example", g.page(p), g.page(p), g.page(p), g.page(p)}
				for range 40 {
					page, url, language := g.pick(clients...), g.pick("https://api.example/a", "https://api.example/b"), g.pick("en", "fr")
					credentials := corstest.Credentials(g.IntN(3))
					got, want := view(cache, page, url, language, credentials), view(service, page, url, language, credentials)
					requests++
					switch {
					case got == want:
						continue
					case want == "blocked":
						opened++
					case got == "blocked":
						blocked++
					default:
						others++
					}
					if !ignoreVary {
						t.Fatalf("page %q, %s in %s, credentials %d: got %q, want %q; policy %+v", page, url, language, credentials, got, want, p)
					}
				}
				hits += cache.Hits
			}
			t.Logf("%d requests, %d of them from the cache; %d wrongly readable, %d wrongly blocked, %d with the response for another client", requests, hits, opened, blocked, others)
			if hits < requests/4 {
				t.Error("too few responses come from the cache")
			}
			if ignoreVary && (blocked == 0 || others == 0) {
				t.Error("this test does not notice that the cache ignores Vary")
			}
		})
	}
}
