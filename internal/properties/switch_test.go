package properties_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// TestPoliciesSwitchedUnderLoad replaces the policy while requests are served.
// Handlers around and inside the middleware overwrite all header values in place.
// Each response must come entirely from one policy. With the race detector, this
// test finds more defects.
func TestPoliciesSwitchedUnderLoad(t *testing.T) {
	t.Parallel()
	type responseKey struct{}
	policies := [2]cors.Policy{
		{
			AllowedOrigins: []string{"https://example-client.com", "https://*.a.example"},
			AllowedMethods: []string{"PUT", "DELETE"},
			AllowedHeaders: []string{"X-A"},
			ExposedHeaders: []string{"X-C"},
			MaxAge:         time.Minute,
			OnReject: func(r *http.Request, err *cors.RequestError) {
				r.Context().Value(responseKey{}).(*response).report = err
			},
		},
		{
			AllowedOrigins:   []string{"https://example-client.com", "https://*.b.example"},
			AllowedMethods:   []string{"*"},
			AllowedHeaders:   []string{"*", "X-B"},
			ExposedHeaders:   []string{"X-D", "X-E"},
			AllowCredentials: true,
			DenyHandler:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		},
	}
	before := http.Header{"Vary": {"Accept-Encoding", "Cookie"}}
	preflight := []string{"Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x-f"}
	requests := []*http.Request{
		testkit.NewRequest("GET"),
		testkit.NewRequest("GET", testkit.Friend),
		testkit.NewRequest("PUT", "Origin: https://x.a.example"),
		testkit.NewRequest("PUT", "Origin: https://x.b.example"),
		testkit.NewRequest("POST", "Origin: https://api.example"),
		testkit.NewRequest("OPTIONS", append(preflight, testkit.Friend)...),
		testkit.NewRequest("OPTIONS", append(preflight, testkit.Stranger)...),
	}
	wants := make([][2]response, len(requests))
	for i, r := range requests {
		for j, p := range policies {
			wants[i][j] = newOracle(p).respond(r, before)
			if p.OnReject == nil {
				wants[i][j].report = nil
			}
		}
	}

	m := testkit.MustNew(t, policies[0])
	// observe records a response once the middleware is finished with it.
	observe := func(w http.ResponseWriter, r *http.Request) {
		a := r.Context().Value(responseKey{}).(*response)
		a.header = w.Header().Clone()
		testkit.Scribble(w.Header())
	}
	inner := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Value(responseKey{}).(*response).ran = true
		observe(w, r)
	}))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		vary := append(make([]string, 0, 8), before["Vary"]...)
		w.Header()["Vary"] = vary
		inner.ServeHTTP(w, r)
		if !r.Context().Value(responseKey{}).(*response).ran {
			observe(w, r)
		}
		testkit.Scribble(w.Header())
		if after := vary[:3]; after[2] != "" {
			t.Errorf("%q was written into the array of an outer layer's slice", after[2])
		}
	})

	done := make(chan struct{})
	switched := make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				switched <- n
				return
			default:
				if err := m.SetPolicy(policies[n%2]); err != nil {
					t.Error(err)
				}
				// Each policy has three methods and headers in total.
				if p := m.Policy(); len(p.AllowedMethods)+len(p.AllowedHeaders) != 3 {
					t.Errorf("Policy returned parts of both policies: %+v", p)
				}
			}
		}
	}()
	var clients sync.WaitGroup
	var from [2]atomic.Int64 // responses that only this policy gives
	for range 8 {
		clients.Go(func() {
			// Both policies must have responded, which usually takes less than
			// the first 300 turns.
			for n := 0; n < 300 || n < 3_000 && (from[0].Load() == 0 || from[1].Load() == 0); n++ {
				for i, r := range requests {
					var got response
					w := httptest.NewRecorder()
					r = r.WithContext(context.WithValue(r.Context(), responseKey{}, &got))
					outer.ServeHTTP(w, r)
					got.status, got.body = w.Code, w.Body.String()
					first, second := sameResponse(got, wants[i][0]), sameResponse(got, wants[i][1])
					switch {
					case first && !second:
						from[0].Add(1)
					case second && !first:
						from[1].Add(1)
					case !first:
						t.Errorf("%s %q: got %+v; want %+v, or %+v", r.Method, r.Header, got, wants[i][0], wants[i][1])
					}
				}
			}
		})
	}
	clients.Wait()
	close(done)
	t.Logf("%d responses came from the first policy, %d from the second; the policy changed %d times", from[0].Load(), from[1].Load(), <-switched)
	if from[0].Load() == 0 || from[1].Load() == 0 {
		t.Error("all responses came from one policy")
	}
}

// TestRequestKeepsItsPolicy replaces the policy in the middle of a request. The
// response must come from the old policy.
func TestRequestKeepsItsPolicy(t *testing.T) {
	t.Parallel()
	other := cors.Policy{
		AllowedOrigins:   []string{"https://example-client.com"},
		AllowedMethods:   []string{"DELETE"},
		AllowedHeaders:   []string{"X-B"},
		ExposedHeaders:   []string{"X-D"},
		AllowCredentials: true,
		MaxAge:           time.Hour,
		DenyHandler:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	}
	p := cors.Policy{
		AllowOriginFunc: func(_ *http.Request, origin string) bool { return origin == "https://example-client.com" },
		AllowedMethods:  []string{"PUT"},
		ExposedHeaders:  []string{"X-C"},
	}
	steady := testkit.MustNew(t, p)
	var m cors.Middleware
	replacing := p
	replacing.AllowOriginFunc = func(r *http.Request, origin string) bool {
		m.SetPolicy(other)
		return p.AllowOriginFunc(r, origin)
	}
	for _, header := range [][]string{{testkit.Friend}, {testkit.Stranger}} {
		for _, method := range []string{"GET", "OPTIONS"} {
			r := testkit.NewRequest(method, append(header, "Access-Control-Request-Method: PUT")...)
			if err := m.SetPolicy(replacing); err != nil {
				t.Fatal(err)
			}
			got, gotRan := testkit.Serve(&m, r)
			want, wantRan := testkit.Serve(steady, r)
			if gotRan != wantRan || got.Code != want.Code || !slices.Equal(testkit.Lines(got.Header()), testkit.Lines(want.Header())) {
				t.Errorf("%s %q: got %d, %q; want %d, %q", method, header, got.Code, testkit.Lines(got.Header()), want.Code, testkit.Lines(want.Header()))
			}
			if len(m.Policy().AllowedOrigins) == 0 {
				t.Errorf("%s %q: the policy was not replaced", method, header)
			}
		}
	}
}
