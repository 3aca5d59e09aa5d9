package cors_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// These tests each show a defect in the handling of requests that another CORS
// package had, or this one. The defects of preflights and policies are in
// preflight_test.go and policy_test.go.

// Found in this package: after c, _ := cors.New(bad), every request panicked, and
// nothing panicked before.
func TestFieldBugNilMiddlewareWrapsAHandler(t *testing.T) {
	t.Parallel()
	c, _ := cors.New(cors.Policy{AllowedOrigins: []string{"example.com"}})
	defer func() {
		if got, want := recover(), "cors: Handler called on nil *Middleware"; got != want {
			t.Errorf("Handler panics with %v, want %q", got, want)
		}
	}()
	c.Handler(http.NotFoundHandler())
}

// found in this package: a DenyHandler inherited the Content-Length of the response that an outer
// layer expected, and the client got an unexpected end.
func TestFieldBugDenyHandlerInheritsContentLength(t *testing.T) {
	t.Parallel()
	policy := testkit.ExamplePolicy
	policy.DenyHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "no") })
	inner := testkit.MustNew(t, policy).Handler(http.NotFoundHandler())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		inner.ServeHTTP(w, r)
	}))
	defer server.Close()
	r, _ := http.NewRequest("GET", server.URL, nil)
	r.Header.Set("Origin", "https://evil.example")
	resp, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "no" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

// pegaprox 626, pi-web 541: a proxy writes the default port into Host, and posts
// of the server's own pages got 403.
func TestFieldBugDefaultPortInHost(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, testkit.ExamplePolicy)
	for host, want := range map[string]bool{"app.example:443": true, "APP.example": true, "app.example:80": false, "app.example:8443": false, "app.example.:443": false} {
		r := testkit.NewRequest("POST", "Origin: https://app.example")
		r.Host = host
		if _, ran := testkit.Serve(m, r); ran != want {
			t.Errorf("Host %q: the handler ran: %t, want %t", host, ran, want)
		}
	}
}

// If the zero Middleware stored the zero policy when it is first used, that could
// overwrite the policy of a concurrent SetPolicy.
func TestFieldBugZeroMiddlewareStoresAPolicy(t *testing.T) {
	t.Parallel()
	var m cors.Middleware
	m.Handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), testkit.NewRequest("GET", testkit.Friend))
	m.Check(testkit.NewRequest("GET", testkit.Friend))
	m.Policy()
	if !reflect.ValueOf(&m).Elem().IsZero() {
		t.Error("using the zero Middleware changes it")
	}
}

// rs/cors, measured: an Origin of a megabyte was lower-cased and compared in
// full.
func TestFieldBugHugeOrigin(t *testing.T) {
	asked := 0
	huge := "https://" + strings.Repeat("A.", 1<<19) + "example.com"
	for _, p := range []cors.Policy{
		testkit.ExamplePolicy,
		{AllowedOrigins: []string{"https://*.example.com", "http://localhost:*"}},
		{AllowOriginFunc: func(*http.Request, string) bool { asked++; return true }},
	} {
		m := testkit.MustNew(t, p)
		h := m.Handler(http.NotFoundHandler())
		w := testkit.NewRecorder()
		r := testkit.NewRequest("GET")
		r.Header["Origin"] = []string{huge}
		if n := testkit.AllocatedBytes(1, func() { w.Reset(); h.ServeHTTP(w, r) }); n > 4<<10 {
			t.Errorf("policy %+v: %v bytes allocated for an origin of a megabyte", p, n)
		}
		err, _ := m.Check(r).(*cors.RequestError)
		if err == nil || len(err.Value) != 512 || !strings.HasPrefix(huge, err.Value) {
			t.Errorf("policy %+v: Check returned %.600v", p, err)
		}

		// A scheme may be that long.
		r.Header["Origin"] = []string{strings.Repeat("a", 513-len("://b")) + "://b"}
		if m.Check(r) == nil {
			t.Errorf("policy %+v: an origin of 513 bytes is allowed", p)
		}
	}
	if asked > 0 {
		t.Errorf("AllowOriginFunc was asked %d times about an origin of more than 512 bytes", asked)
	}
}

// In this package, a rejected Origin of a megabyte was compared in full with a Host
// of the same length. Reading the origin costs a thousand times more for a
// megabyte than for a kilobyte.
func TestFieldBugHugeOriginAndHost(t *testing.T) {
	h := new(cors.Middleware).Handler(http.NotFoundHandler())
	for _, port := range []string{"", ":443"} {
		cost := func(n int) time.Duration {
			host := strings.Repeat("a", n) + ".example.com"
			r := testkit.NewRequest("POST", "Origin: https://"+host)
			r.Host = host + port
			w := testkit.NewRecorder()
			return testkit.PerCall(20, func(int) {
				w.Reset()
				h.ServeHTTP(w, r)
			})
		}
		if short, long := cost(1<<10), cost(1<<20); long > 50*short {
			t.Errorf("an Origin of the length of Host, with port %q, takes %v with 1 KB and %v with 1 MB", port, short, long)
		}
	}
}

// rs/cors 198, 199; jub0bs/cors 14: handlers could corrupt header values that
// all responses shared.
func TestFieldBugSharedHeaderValues(t *testing.T) {
	t.Parallel()
	for i, p := range testkit.Policies {
		m := testkit.MustNew(t, p)
		for _, r := range []*http.Request{
			testkit.NewRequest("GET"),
			testkit.NewRequest("GET", "Origin: https://example.com"),
			testkit.NewRequest("GET", "Origin: https://a.example.com"),
			testkit.NewRequest("POST", "Origin: https://api.example"),
			testkit.NewRequest("OPTIONS", "Origin: https://example.com", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-a"),
			testkit.NewRequest("OPTIONS", "Origin: http://a.localhost:3000", "Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x-a"),
			testkit.NewRequest("OPTIONS", "Origin: https://evil.invalid", "Access-Control-Request-Method: FOO"),
		} {
			request := r.Header.Clone()
			first, _ := testkit.Serve(m, r)
			want := first.Header().Clone()
			second, _ := testkit.Serve(m, r)

			// Appending to one header reaches no other one.
			for name, values := range first.Header() {
				_ = append(values, "scribble")
				for other, values := range first.Header() {
					if !slices.Equal(values, want[other]) {
						t.Errorf("policy %d, %s from %q: appending to %s changes %s to %q", i, r.Method, r.Header["Origin"], name, other, values)
					}
				}
			}
			testkit.Scribble(first.Header())
			third, _ := testkit.Serve(m, r)
			if !reflect.DeepEqual(second.Header(), want) || !reflect.DeepEqual(third.Header(), want) || !reflect.DeepEqual(r.Header, request) {
				t.Errorf("policy %d, %s: changing one response makes the others %q and %q, and the request %q; want %q, %q",
					i, r.Method, second.Header(), third.Header(), r.Header, want, request)
			}
		}
	}
}

// rs/cors 129, go-chi/cors 24, express/cors 109, aspnetcore 3171: the handler
// ran for an origin that was rejected, and only its response was hidden.
func TestFieldBugHandlerRunsForRejectedOrigin(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, testkit.ExamplePolicy)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO"} {
		for _, origin := range []string{"https://evil.example", "null", "https://example-client.com.evil.example", "https://EXAMPLE-CLIENT.COM", "junk", " "} {
			w, ran := testkit.Serve(m, testkit.NewRequest(method, "Origin: "+origin))
			if ran || w.Code != http.StatusForbidden {
				t.Errorf("%s from %q: got %d, and the handler ran: %t", method, origin, w.Code, ran)
			}
		}
	}
	w, ran := testkit.Serve(m, testkit.NewRequest("GET", testkit.Stranger, "Connection: Upgrade", "Upgrade: websocket"))
	if ran || w.Code != http.StatusForbidden {
		t.Errorf("WebSocket handshake: got %d, and the handler ran: %t", w.Code, ran)
	}
}

// gin-contrib 184, 186; bichon 41: same-origin requests that carry Origin got a
// 403, behind a proxy too.
func TestFieldBugSameOriginRejected(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, testkit.ExamplePolicy)
	for _, test := range []struct {
		name, host string
		header     []string
	}{
		{"a form post", "shop.example", []string{"Origin: https://shop.example"}},
		{"a form post on a port", "shop.example:8443", []string{"Origin: https://shop.example:8443"}},
		{"a form post over plain HTTP", "localhost:8080", []string{"Origin: http://localhost:8080"}},
		{"a WebSocket handshake", "shop.example", []string{"Origin: https://shop.example", "Connection: Upgrade", "Upgrade: websocket"}},
		{"behind a proxy that rewrites Host", "10.0.0.7:8080", []string{"Origin: https://shop.example", "Sec-Fetch-Site: same-origin"}},
		{"behind a proxy that ends TLS", "shop.example", []string{"Origin: https://shop.example", "X-Forwarded-Proto: https"}},
	} {
		r := testkit.NewRequest("POST", test.header...)
		r.Host = test.host
		w, ran := testkit.Serve(m, r)
		if !ran || w.Header().Get("Vary") != "Origin" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: got %d with %q, and the handler ran: %t", test.name, w.Code, w.Header(), ran)
		}
	}
}

// echo 2853, 1419; gin 4164; rs/cors 45: two layers set the header, and
// browsers refuse two values.
func TestFieldBugTwoLayersSetHeaders(t *testing.T) {
	t.Parallel()
	p := testkit.ExamplePolicy
	p.AllowCredentials = true
	p.ExposedHeaders = []string{"ETag"}
	upstream := httptest.NewServer(testkit.MustNew(t, p).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
	})))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			cors.StripHeaders(r.Header)
			return nil
		},
	}
	w := httptest.NewRecorder()
	testkit.MustNew(t, p).Handler(proxy).ServeHTTP(w, testkit.NewRequest("GET", testkit.Friend))
	var got []string
	for _, line := range testkit.Lines(w.Header()) {
		if strings.HasPrefix(line, "Access-Control-") || strings.HasPrefix(line, "Vary: Accept") {
			got = append(got, line)
		}
	}
	want := []string{
		"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Origin: https://example-client.com",
		"Access-Control-Expose-Headers: Etag", "Vary: Accept-Encoding",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// quarkus 36782, micronaut 11950, fusionauth 1126: nothing told why a request
// was rejected.
func TestFieldBugRejectionWithoutTrace(t *testing.T) {
	t.Parallel()
	var reported *cors.RequestError
	p := testkit.ExamplePolicy
	p.OnReject = func(_ *http.Request, err *cors.RequestError) { reported = err }
	m := testkit.MustNew(t, p)
	for _, r := range []*http.Request{
		testkit.NewRequest("PUT", testkit.Stranger),
		testkit.NewRequest("POST", "Sec-Fetch-Site: cross-site"),
		testkit.NewRequest("OPTIONS", testkit.Stranger, "Access-Control-Request-Method: PUT"),
		testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: PATCH"),
		testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-custom-header,x-nope"),
	} {
		reported = nil
		w, _ := testkit.Serve(m, r)
		if err := m.Check(r); err == nil || reported == nil || err.Error() != reported.Error() {
			t.Errorf("%s %q: OnReject is called with %v, and Check returns %v", r.Method, r.Header, reported, err)
		}
		if w.Code == http.StatusForbidden && !strings.Contains(w.Body.String(), "request rejected: ") {
			t.Errorf("%s %q: the body is %q", r.Method, r.Header, w.Body)
		}
	}
}

// In many: a response without Access-Control-Allow-Origin, made for a request
// without Origin, was cached and reused for a page that needed it.
func TestFieldBugCachedForAnotherOrigin(t *testing.T) {
	t.Parallel()
	public := testkit.ExamplePolicy
	public.AllowedOrigins = []string{"*"}
	several := testkit.ExamplePolicy
	several.AllowedOrigins = []string{"https://example-client.com", "https://evil.example"}
	requests := [][]string{
		nil,
		{testkit.Friend},
		{testkit.Stranger},
		{"Origin: https://api.example", "Sec-Fetch-Site: same-origin"},
	}
	for _, p := range []cors.Policy{testkit.ExamplePolicy, public, several, {}} {
		m := testkit.MustNew(t, p)
		for _, first := range requests {
			stored, _ := testkit.Serve(m, testkit.NewRequest("GET", first...))
			for _, second := range requests {
				fresh, _ := testkit.Serve(m, testkit.NewRequest("GET", second...))

				// What RFC 9111, section 4.1, says of caches.
				reusable := true
				for _, name := range strings.Split(strings.Join(stored.Header()["Vary"], ","), ",") {
					reusable = reusable && testkit.NewRequest("GET", first...).Header.Get(name) == testkit.NewRequest("GET", second...).Header.Get(name)
				}
				if reusable && !reflect.DeepEqual(stored.Header(), fresh.Header()) {
					t.Errorf("%q: a cache reuses the response to %q, %q, for %q, which would get %q", p.AllowedOrigins, first, stored.Header(), second, fresh.Header())
				}
			}
		}
	}
}
