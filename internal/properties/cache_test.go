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

// sight is what a client makes of the answer to a GET through h: a page's script
// by the browser's model, or, where page is empty, an image or another client that
// sends no Origin.
func sight(h http.Handler, page, url, language string, credentials corstest.Credentials) string {
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

// TestSharedCache has pages, images and other clients ask in random order through
// a cache that they share: each sees what it would without the cache, so nobody
// gets an answer that was made for somebody else. Without Vary, they do.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	for name, ignoreVary := range map[string]bool{"with Vary": false, "without Vary": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const seed = 1
			g := generator{rand.New(rand.NewPCG(seed, seed))}
			asked, hits, opened, shut, others := 0, 0, 0, 0, 0
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
					got, want := sight(cache, page, url, language, credentials), sight(service, page, url, language, credentials)
					asked++
					switch {
					case got == want:
						continue
					case want == "blocked":
						opened++
					case got == "blocked":
						shut++
					default:
						others++
					}
					if !ignoreVary {
						t.Fatalf("%q asks for %s in %s, credentials %d, and sees %q, not %q, under %+v", page, url, language, credentials, got, want, p)
					}
				}
				hits += cache.Hits
			}
			t.Logf("%d requests, %d answered by the cache; %d were opened, %d shut, and %d saw what was made for others", asked, hits, opened, shut, others)
			if hits < asked/4 {
				t.Error("the cache answers too few")
			}
			if ignoreVary && (shut == 0 || others == 0) {
				t.Error("this test cannot see that Vary is missing")
			}
		})
	}
}
