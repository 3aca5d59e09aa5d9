//go:build unix

// Package roundtrips_test measures how long a distant page waits for twenty calls
// in a row, with their preflights.
//
//	CORS_BROWSERS=chromium,firefox,webkit go test -run '^$' -bench . -benchtime 1x -count 7 ./roundtrips
package roundtrips_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/browsers"
	rscors "github.com/rs/cors"
)

//go:embed page.html
var page []byte

// calls are the 20 calls to 3 URLs of docs/integration.md.
var calls = strings.Split("GET /a, POST /a, GET /a, GET /a/1, PUT /a/1, GET /a/1, PATCH /a/1, GET /a/1, POST /a, GET /a, "+
	"GET /a/2, PATCH /a/2, PUT /a/2, DELETE /a/2, GET /a, PUT /a/1, PATCH /a/1, DELETE /a/1, POST /a, GET /a", ", ")

// guards are this package, which lists everything that the policy allows, and
// rs/cors, which lists the requested method and headers, with the same policy.
var guards = []struct {
	name string
	wrap func(pageOrigin string, next http.Handler) http.Handler
}{
	{"this", func(pageOrigin string, next http.Handler) http.Handler {
		c, err := cors.New(cors.Policy{
			AllowedOrigins: []string{pageOrigin},
			AllowedMethods: []string{"PUT", "PATCH", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type", "X-Request-Id"},
			MaxAge:         2 * time.Hour,
		})
		if err != nil {
			panic(err)
		}
		return c.Handler(next)
	}},
	{"rs", func(pageOrigin string, next http.Handler) http.Handler {
		return rscors.New(rscors.Options{
			AllowedOrigins: []string{pageOrigin},
			AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type", "X-Request-Id"},
			MaxAge:         7200,
		}).Handler(next)
	}},
}

// A site is a page that runs sessions, and an API at the end of a link.
type site struct {
	page, api string // origins
	browser   *browsers.Browser
	sessions  chan session
	reports   chan report
	served    int // sessions so far

	preflights, others atomic.Int64 // requests of the current session
}

// A session is the task of the page.
type session struct {
	API   string      `json:"api"`
	Calls [][2]string `json:"calls"`
}

// A report is the result of a session.
type report struct {
	Took   float64 // duration in milliseconds
	Failed string
}

// open opens a site in e, with a link that takes delay in each direction.
func open(t testing.TB, e browsers.Engine, delay time.Duration) *site {
	s := &site{sessions: make(chan session), reports: make(chan report)}
	pages := httptest.NewServer(s)
	t.Cleanup(pages.Close)
	t.Cleanup(pages.CloseClientConnections)
	s.page = pages.URL

	mux := http.NewServeMux()
	for _, g := range guards {
		mux.Handle("/"+g.name+"/", g.wrap(s.page, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			io.WriteString(w, "ok")
		})))
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			s.preflights.Add(1)
		} else {
			s.others.Add(1)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	t.Cleanup(api.CloseClientConnections)
	// Firefox does not cache preflights for IP addresses.
	_, port, _ := net.SplitHostPort(listen(t, api.Listener.Addr().String(), delay))
	s.api = "http://localhost:" + port

	s.browser = browsers.Start(t, e, s.page)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	case "/session":
		select {
		case next := <-s.sessions:
			json.NewEncoder(w).Encode(next)
		case <-r.Context().Done():
		}
	case "/report":
		var saw report
		if err := json.NewDecoder(r.Body).Decode(&saw); err != nil {
			saw.Failed = err.Error()
		}
		select {
		case s.reports <- saw:
		case <-r.Context().Done():
		}
	}
}

// run makes the page run a session with that guard. It returns the milliseconds
// and the number of preflights. The URLs are new to the browser.
func (s *site) run(t testing.TB, guard string) (took float64, preflights int64) {
	s.preflights.Store(0)
	s.others.Store(0)
	s.served++
	next := session{API: fmt.Sprintf("%s/%s/%d", s.api, guard, s.served)}
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		next.Calls = append(next.Calls, [2]string{method, path})
	}
	overdue := time.After(2 * time.Minute) // far more than a session takes
	sessions := s.sessions
	for {
		select {
		case sessions <- next:
			sessions = nil
		case saw := <-s.reports:
			if n := s.others.Load(); saw.Failed != "" || n != int64(len(calls)) {
				t.Fatalf("%s: %d of %d calls arrived; the page reports %q", guard, n, len(calls), saw.Failed)
			}
			return saw.Took, s.preflights.Load()
		case <-s.browser.Done():
			t.Fatalf("the browser exited:\n%s", s.browser.Log())
		case <-overdue:
			t.Fatalf("%s: the page did not run the session in time:\n%s", guard, s.browser.Log())
		}
	}
}

// BenchmarkRoundTrips runs sessions over a link of 80 ms there and back. The guards
// take turns. It does not measure the first session with each, because a session
// takes twice as long while Firefox starts.
func BenchmarkRoundTrips(b *testing.B) {
	for _, e := range browsers.Engines {
		b.Run("engine="+string(e), func(b *testing.B) {
			s := open(b, e, 40*time.Millisecond)
			for _, g := range guards {
				s.run(b, g.name)
			}
			first := 0
			b.Run("link=80ms", func(b *testing.B) {
				first++
				for b.Loop() {
					for i := range guards {
						name := guards[(first+i)%len(guards)].name
						took, preflights := s.run(b, name)
						b.ReportMetric(took, name+"-ms")
						b.ReportMetric(float64(preflights), name+"-preflights")
					}
				}
			})
		})
	}
}

// TestPreflights counts the preflights of a session. They do not depend on the link.
func TestPreflights(t *testing.T) {
	// Chromium and WebKit keep only the last response for a URL.
	want := map[browsers.Engine]map[string]int64{
		browsers.Chromium: {"this": 3, "rs": 12},
		browsers.Firefox:  {"this": 3, "rs": 10},
		browsers.WebKit:   {"this": 3, "rs": 12},
	}
	for _, e := range browsers.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := open(t, e, 0)
			for _, g := range guards {
				if _, preflights := s.run(t, g.name); preflights != want[e][g.name] {
					t.Errorf("%s: a session costs %d preflights, want %d", g.name, preflights, want[e][g.name])
				}
			}
		})
	}
}
