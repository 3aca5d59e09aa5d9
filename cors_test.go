package cors_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
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

func TestWebSocketHandshake(t *testing.T) {
	t.Parallel()
	ran := 0
	server := httptest.NewServer(testkit.MustNew(t, testkit.ExamplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		conn, buf, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		buf.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
		buf.Flush()
	})))
	defer server.Close()
	host := server.Listener.Addr().String()

	tests := []struct {
		name, origin string
		status, ran  int
	}{
		{"rejects a page on another origin", testkit.Stranger, 403, 0},
		{"lets the handler hijack the connection of a page on an allowed origin", testkit.Friend, 101, 1},
		{"lets the handler hijack the connection of a page on the server's origin", "Origin: http://" + host, 101, 2},
	}
	for _, test := range tests {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\n%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", host, test.origin)
		read := bufio.NewReader(conn)
		resp, err := http.ReadResponse(read, nil)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if resp.StatusCode != test.status || ran != test.ran {
			t.Errorf("%s: got %d, and the handler ran %d times; want %d and %d", test.name, resp.StatusCode, ran, test.status, test.ran)
		}
		if test.status == 101 {
			if hello, err := io.ReadAll(read); string(hello) != "hello" {
				t.Errorf("%s: after the handshake, got %q, %v", test.name, hello, err)
			}
		}
	}
}

func TestResponsesToRequests(t *testing.T) {
	t.Parallel()
	const (
		put     = "Access-Control-Request-Method: PUT"
		denied  = "Content-Type: text/plain; charset=utf-8"
		noStore = "Cache-Control: no-store"
	)
	explicit := cors.Policy{
		AllowedOrigins: []string{"https://example-client.com"},
		AllowedMethods: []string{"PUT", "DELETE", "PUT"},
		AllowedHeaders: []string{"x-custom-header", "Authorization", "X-CUSTOM-HEADER"},
		ExposedHeaders: []string{"etag", "X-Total-Count", "ETag"},
		MaxAge:         10 * time.Minute,
	}
	credentialed := explicit
	credentialed.AllowCredentials = true
	public := explicit
	public.AllowedOrigins = []string{"*"}
	wild := cors.Policy{AllowedOrigins: explicit.AllowedOrigins, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}}
	echoing := wild
	echoing.AllowCredentials = true
	rejectedLines := []string{noStore, denied, "Vary: Origin", "X-Content-Type-Options: nosniff"}

	tests := []struct {
		name   string
		policy cors.Policy
		method string
		header []string
		status int // 200 if the handler must run
		want   []string
	}{
		{"adds only Vary without Origin", explicit, "GET", nil, 200, []string{"Vary: Origin"}},
		{"adds only Vary with an empty Origin", explicit, "GET", []string{"Origin: "}, 200, []string{"Vary: Origin"}},
		{"treats OPTIONS without Origin as an ordinary request", explicit, "OPTIONS", []string{put}, 200, []string{"Vary: Origin"}},
		{
			"allows any origin in a response without Origin if any origin is allowed", public, "GET", nil, 200,
			[]string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"},
		},
		{
			"treats OPTIONS without Origin as an ordinary request if any origin is allowed", public, "OPTIONS", []string{put}, 200,
			[]string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"},
		},

		{
			"sends the policy's lists without duplicates to a preflight", explicit, "OPTIONS", []string{testkit.Friend, put}, 204,
			[]string{
				"Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Max-Age: 600", "Vary: Origin",
			},
		},
		{
			"sends the lists to a preflight for other methods and headers", explicit, "OPTIONS",
			[]string{testkit.Friend, "Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x-nope"}, 204,
			[]string{
				"Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Max-Age: 600", "Vary: Origin",
			},
		},
		{
			"sends Access-Control-Allow-Credentials to a preflight", credentialed, "OPTIONS", []string{testkit.Friend, put}, 204,
			[]string{
				"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Max-Age: 600", "Vary: Origin",
			},
		},
		{
			"adds no Vary to a preflight response if any origin is allowed", public, "OPTIONS", []string{testkit.Stranger, put}, 204,
			[]string{
				"Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: *", "Access-Control-Max-Age: 600",
			},
		},
		{
			"sends only Access-Control-Allow-Origin to a preflight if the lists are empty", cors.Policy{AllowedOrigins: explicit.AllowedOrigins}, "OPTIONS",
			[]string{testkit.Friend, "Access-Control-Request-Method: POST"}, 204,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"},
		},
		{"rejects a preflight from another origin", explicit, "OPTIONS", []string{testkit.Stranger, put}, 403, rejectedLines},
		{
			"rejects a preflight from another origin, even with Sec-Fetch-Site: same-origin", explicit, "OPTIONS",
			[]string{testkit.Stranger, put, "Sec-Fetch-Site: same-origin"}, 403, rejectedLines,
		},

		{
			"runs an actual request", explicit, "PUT", []string{testkit.Friend}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"runs a request with a cookie without AllowCredentials, but hides the response", explicit, "POST", []string{testkit.Friend, "Cookie: id=1"}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"sends Access-Control-Allow-Credentials with an actual response", credentialed, "GET", []string{testkit.Friend}, 200,
			[]string{
				"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Origin: https://example-client.com",
				"Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin",
			},
		},
		{
			"treats OPTIONS without Access-Control-Request-Method as an actual request", explicit, "OPTIONS", []string{testkit.Friend}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"treats other methods with Access-Control-Request-Method as actual requests", explicit, "GET", []string{testkit.Friend, put}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"adds no Vary to an actual response if any origin is allowed", public, "POST", []string{testkit.Stranger}, 200,
			[]string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"},
		},
		{"rejects an actual request from another origin", explicit, "GET", []string{testkit.Stranger}, 403, rejectedLines},
		{"rejects a form post from another origin", explicit, "POST", []string{testkit.Stranger, "Content-Type: text/plain"}, 403, rejectedLines},
		{"rejects repeated Origin headers", explicit, "GET", []string{testkit.Friend, testkit.Friend}, 403, rejectedLines},
		{"accepts repeated Origin headers if any origin is allowed", public, "GET", []string{testkit.Friend, testkit.Stranger}, 200, []string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"}},
		{"rejects other origins under the zero policy", cors.Policy{}, "GET", []string{testkit.Friend}, 403, rejectedLines},
		{"rejects preflights under the zero policy", cors.Policy{}, "OPTIONS", []string{testkit.Friend, put}, 403, rejectedLines},
		{"runs requests without Origin under the zero policy", cors.Policy{}, "DELETE", nil, 200, []string{"Vary: Origin"}},
		{"rejects a POST from another site without Origin", explicit, "POST", []string{"Sec-Fetch-Site: cross-site"}, 403, rejectedLines},
		{"rejects a DELETE from another origin of the site without Origin", explicit, "DELETE", []string{"Sec-Fetch-Site: same-site"}, 403, rejectedLines},
		{"rejects unknown values of Sec-Fetch-Site without Origin", credentialed, "PUT", []string{"Sec-Fetch-Site: new"}, 403, rejectedLines},
		{"rejects TRACE from another site without Origin", explicit, "TRACE", []string{"Sec-Fetch-Site: cross-site"}, 403, rejectedLines},
		{"rejects a PATCH from another site under the zero policy", cors.Policy{}, "PATCH", []string{"Sec-Fetch-Site: cross-site"}, 403, rejectedLines},
		{"rejects a POST from another site with an empty Origin", explicit, "POST", []string{"Origin: ", "Sec-Fetch-Site: cross-site"}, 403, rejectedLines},
		{"reads only the first Sec-Fetch-Site without Origin", explicit, "POST", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"}, 403, rejectedLines},
		{"reads only the first Sec-Fetch-Site", explicit, "POST", []string{testkit.Stranger, "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: none"}, 403, rejectedLines},
		{
			"calls AllowOriginFunc before the same-origin test", cors.Policy{AllowOriginFunc: anyFunc}, "POST", []string{"Origin: https://api.example", "Sec-Fetch-Site: same-origin"}, 200,
			[]string{"Access-Control-Allow-Origin: https://api.example", "Vary: Origin"},
		},
		{"runs a same-origin POST without Origin", explicit, "POST", []string{"Sec-Fetch-Site: same-origin"}, 200, []string{"Vary: Origin"}},
		{"runs a POST from the user, without a page", explicit, "POST", []string{"Sec-Fetch-Site: none"}, 200, []string{"Vary: Origin"}},
		{"runs a POST without browser headers", explicit, "POST", nil, 200, []string{"Vary: Origin"}},
		{"runs a GET from another site without Origin", explicit, "GET", []string{"Sec-Fetch-Site: cross-site"}, 200, []string{"Vary: Origin"}},
		{"runs a HEAD from another site without Origin", explicit, "HEAD", []string{"Sec-Fetch-Site: cross-site"}, 200, []string{"Vary: Origin"}},
		{"runs OPTIONS from another site without Origin", explicit, "OPTIONS", []string{"Sec-Fetch-Site: cross-site", put}, 200, []string{"Vary: Origin"}},
		{"runs a POST from another site if any origin is allowed", public, "POST", []string{"Sec-Fetch-Site: cross-site"}, 200, []string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"}},
		{"runs a request from the server's own origin without CORS headers", explicit, "POST", []string{"Origin: https://api.example"}, 200, []string{"Vary: Origin"}},

		{
			`varies a preflight response only with Origin if it contains "*"`, wild, "OPTIONS", []string{testkit.Friend, put}, 204,
			[]string{"Access-Control-Allow-Headers: *", "Access-Control-Allow-Methods: *", "Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"},
		},
		{
			"varies an actual response only with Origin if preflight responses echo", echoing, "PUT", []string{testkit.Friend}, 200,
			[]string{"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"},
		},
		{"varies a response without Origin only with Origin if preflight responses echo", echoing, "GET", nil, 200, []string{"Vary: Origin"}},
		{"varies a rejection only with Origin if preflight responses echo", echoing, "GET", []string{testkit.Stranger}, 403, rejectedLines},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := testkit.MustNew(t, test.policy)
			r := testkit.NewRequest(test.method, test.header...)
			w, ran := testkit.Serve(m, r)
			if w.Code != test.status || ran != (test.status == 200) {
				t.Errorf("got %d, and the handler ran: %t; want %d", w.Code, ran, test.status)
			}
			got := w.Result().Header
			if test.status == 200 {
				got.Del("Content-Type") // set by the handler
			}
			if !slices.Equal(testkit.Lines(got), test.want) {
				t.Errorf("got %q\nwant %q", testkit.Lines(got), test.want)
			}
			body := map[int]string{200: "served", 204: "", 403: testkit.Rejection}[test.status]
			if r.Header.Get("Origin") == "" && test.status == 403 {
				body = testkit.SiteRejection
			}
			if w.Body.String() != body {
				t.Errorf("got body %q, want %q", w.Body, body)
			}
		})
	}
}

// TestSameOrigin uses the zero policy, so a request with Origin runs only if it
// is same-origin.
func TestSameOrigin(t *testing.T) {
	t.Parallel()
	sites := []string{"absent", "same-origin", "same-site", "cross-site", "none", "junk"}
	longest := strings.Repeat("a.", 126) + "a.:65535"
	// same lists the values of Origin that are same-origin with each Host if
	// Sec-Fetch-Site is absent.
	same := map[string][]string{
		"api.example":       {"https://api.example", "http://api.example"},
		"api.example:8080":  {"https://api.example:8080", "http://api.example:8080"},
		"API.EXAMPLE":       {"https://api.example", "http://api.example"},
		"api.example:443":   {"https://api.example", "http://api.example:443"}, // as in nginx's $host:$server_port
		"Api.example:80":    {"http://api.example", "https://api.example:80"},
		"[::1]:80":          {"http://[::1]"},
		":443":              nil,
		"[::1]":             {"http://[::1]"},
		"[::1]:8080":        {"http://[::1]:8080"},
		longest:             {"https://" + longest, "http://" + longest},
		"app://api.example": nil,
		"":                  nil, // as in HTTP/1.0
	}
	origins := []string{
		"https://" + longest, "http://" + longest,
		"https://api.example", "http://api.example", "https://api.example:8080", "http://api.example:8080", "https://api.example:8081",
		"http://[::1]", "http://[::1]:8080", "http://[::1]:8081", "https://other.example", "app://api.example",
		"null", "api.example", "https://", "http://", "junk", "https://api.example/", "https://user@api.example", "HTTPS://api.example",
		"https://api.example:80", "http://api.example:443", "https://api.example.", "https://xapi.example",
	}
	m := new(cors.Middleware)
	for host, sameOrigins := range same {
		for _, site := range sites {
			for _, origin := range append(origins, "twice") {
				r := testkit.NewRequest("POST", "Origin: "+origin)
				if origin == "twice" {
					r.Header["Origin"] = []string{"https://" + host, "https://" + host}
				}
				r.Host = host
				if site != "absent" {
					r.Header.Set("Sec-Fetch-Site", site)
				}
				want := site == "same-origin" || site == "none" || site == "absent" && slices.Contains(sameOrigins, origin)
				if _, ran := testkit.Serve(m, r); ran != want {
					t.Errorf("Host %q, Origin %q, Sec-Fetch-Site %s: the handler ran: %t, want %t", host, origin, site, ran, want)
				}
				if err := m.Check(r); (err == nil) != want {
					t.Errorf("Host %q, Origin %q, Sec-Fetch-Site %s: Check returns %v", host, origin, site, err)
				}
			}
		}
	}
}

func TestHeadersOfOuterLayersAreReplaced(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		method string
		header []string
		want   []string
	}{
		{"without Origin", "GET", nil, []string{"Content-Length: 5", "Vary: Origin", "X-Other: kept"}},
		{"on an actual request", "GET", []string{testkit.Friend}, []string{"Access-Control-Allow-Origin: https://example-client.com", "Content-Length: 5", "Vary: Origin", "X-Other: kept"}},
		{
			"on a preflight", "OPTIONS", []string{testkit.Friend, "Access-Control-Request-Method: PUT"},
			[]string{"Access-Control-Allow-Headers: X-Custom-Header", "Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Origin: https://example-client.com", "Content-Length: 5", "Vary: Origin", "X-Other: kept"},
		},
		{"on a rejected request", "GET", []string{testkit.Stranger}, []string{"Cache-Control: no-store", "Content-Type: text/plain; charset=utf-8", "Vary: Origin", "X-Content-Type-Options: nosniff", "X-Other: kept"}},
		{"on a rejected preflight", "OPTIONS", []string{testkit.Stranger, "Access-Control-Request-Method: PUT"}, []string{"Cache-Control: no-store", "Content-Type: text/plain; charset=utf-8", "Vary: Origin", "X-Content-Type-Options: nosniff", "X-Other: kept"}},
	} {
		for _, outer := range [][]string{{"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Expose-Headers", "Max-Age"}, {"Max-Age"}} {
			w := httptest.NewRecorder()
			for _, name := range outer {
				w.Header().Set("Access-Control-"+name, "*")
			}
			w.Header().Set("Content-Length", "5")
			w.Header().Set("X-Other", "kept")
			testkit.MustNew(t, testkit.ExamplePolicy).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, testkit.NewRequest(test.method, test.header...))
			if got := testkit.Lines(w.Header()); !slices.Equal(got, test.want) {
				t.Errorf("%s, after %q: got %q, want %q", test.name, outer, got, test.want)
			}
		}
	}
}

// A defect that no test caught: Handler kept the only header of an outer layer.
func TestFieldBugSingleHeaderOfAnotherLayer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Max-Age", "Content-Length", "Cdn-Cache-Control"} {
		w := httptest.NewRecorder()
		w.Header().Set(name, "5")
		testkit.MustNew(t, testkit.ExamplePolicy).Handler(http.NotFoundHandler()).ServeHTTP(w, testkit.NewRequest("GET", testkit.Stranger))
		if got := w.Header().Get(name); got != "" {
			t.Errorf("the response to a rejected request has %s: %s", name, got)
		}
	}
}

func TestHandlerRefusesNil(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("Handler accepts a nil handler")
		}
	}()
	new(cors.Middleware).Handler(nil)
}

// A defect that no test caught: QUERY without Origin ran the handler, like GET.
func TestFieldBugQueryWithoutOrigin(t *testing.T) {
	t.Parallel()
	w, ran := testkit.Serve(testkit.MustNew(t, testkit.ExamplePolicy), testkit.NewRequest("QUERY", "Sec-Fetch-Site: cross-site"))
	if ran || w.Code != 403 {
		t.Errorf("got %d, and the handler ran: %t", w.Code, ran)
	}
}

// A defect that no test caught: Handler read the request again after functions of
// the policy, which can remove headers. If they do so by mistake, the error must
// not change, and Handler must not panic.
func TestFieldBugRequestReadAfterCallbacks(t *testing.T) {
	t.Parallel()
	var reported *cors.RequestError
	p := cors.Policy{
		AllowOriginFunc: func(r *http.Request, origin string) bool {
			r.Header.Del("Origin")
			r.Header.Del("Access-Control-Request-Method")
			return origin == "https://example-client.com"
		},
		AllowedMethods:   []string{"*"},
		AllowedHeaders:   []string{"*"},
		AllowCredentials: true,
		OnReject: func(r *http.Request, err *cors.RequestError) {
			reported = err
			clear(r.Header)
		},
	}
	m := testkit.MustNew(t, p)
	if w, ran := testkit.Serve(m, testkit.NewRequest("GET", testkit.Stranger)); ran || w.Code != 403 {
		t.Errorf("a rejected request got %d, and the handler ran: %t", w.Code, ran)
	}
	for _, want := range []cors.RequestError{{Field: "Origin", Value: "https://evil.example"}, {Preflight: true, Field: "Origin", Value: "https://evil.example"}} {
		method := map[bool]string{false: "GET", true: "OPTIONS"}[want.Preflight]
		lines := []string{testkit.Stranger, "Access-Control-Request-Method: PUT"}
		checked, _ := m.Check(testkit.NewRequest(method, lines...)).(*cors.RequestError)
		testkit.Serve(m, testkit.NewRequest(method, lines...))
		if !testkit.SameError(checked, &want) || !testkit.SameError(reported, &want) {
			t.Errorf("%s: Check returns %+v, and OnReject is called with %+v; want %+v", method, checked, reported, want)
		}
	}
	if w, _ := testkit.Serve(m, testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: A B")); w.Code != 204 || reported.Value != "" {
		t.Errorf("a preflight got %d, and OnReject is called with %+v", w.Code, reported)
	}
	p.PassRejected = true
	if _, ran := testkit.Serve(testkit.MustNew(t, p), testkit.NewRequest("GET", testkit.Stranger, "Upgrade: websocket")); ran {
		t.Error("a rejected handshake runs the handler")
	}
}

func TestVaryIsExtended(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		method string
		header []string
		added  string
	}{
		{"without Origin", "GET", nil, "Origin"},
		{"on an actual request", "GET", []string{testkit.Friend}, "Origin"},
		{"on a preflight", "OPTIONS", []string{testkit.Friend, "Access-Control-Request-Method: PUT"}, "Origin, Access-Control-Request-Method"},
		{"on a rejected request", "GET", []string{testkit.Stranger}, "Origin"},
	} {
		for _, change := range []cors.Policy{{}, {DenyHandler: http.NotFoundHandler()}, {PassRejected: true}} {
			w := httptest.NewRecorder()
			before := make([]string, 2, 10)
			before[0], before[1] = "Accept-Encoding", "Accept-Language, Cookie"
			w.Header()["Vary"] = before
			p := testkit.ExamplePolicy
			p.AllowedMethods, p.AllowCredentials = []string{"*"}, true // adds a name to Vary in preflight responses
			p.DenyHandler, p.PassRejected = change.DenyHandler, change.PassRejected
			testkit.MustNew(t, p).Handler(http.NotFoundHandler()).ServeHTTP(w, testkit.NewRequest(test.method, test.header...))
			if got, want := w.Header()["Vary"], []string{"Accept-Encoding", "Accept-Language, Cookie", test.added}; !slices.Equal(got, want) {
				t.Errorf("%s, %+v: got %q, want %q", test.name, change, got, want)
			}
			if after := before[:3]; after[2] != "" {
				t.Errorf("%s, %+v: %q was written after the end of an outer slice", test.name, change, after[2])
			}
		}
	}
}

// A plainWriter is a ResponseWriter without optional methods.
type plainWriter struct{ http.ResponseWriter }

func TestResponseWriterIsPassedOn(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"", "https://example-client.com", "https://api.example"} {
		w := &plainWriter{httptest.NewRecorder()}
		var got http.ResponseWriter
		testkit.MustNew(t, testkit.ExamplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = w
		})).ServeHTTP(w, testkit.NewRequest("POST", "Origin: "+origin))
		if got != w {
			t.Errorf("with Origin %q, the handler got %T", origin, got)
		}
	}
}

func TestDenyHandlerRunsAfterOnReject(t *testing.T) {
	t.Parallel()
	var events []string
	policy := testkit.ExamplePolicy
	policy.OnReject = func(r *http.Request, err *cors.RequestError) {
		events = append(events, r.Method+" "+err.Error())
	}
	policy.DenyHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events = append(events, "denied")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, `<p>no`)
	})
	m := testkit.MustNew(t, policy)

	for _, test := range []struct {
		name   string
		method string
		header []string
		status int
		events []string
	}{
		{"a rejected request", "GET", []string{testkit.Stranger}, 418, []string{`GET cors: request: origin "https://evil.example" is not in AllowedOrigins`, "denied"}},
		{
			"a rejected preflight", "OPTIONS", []string{testkit.Stranger, "Access-Control-Request-Method: PUT"}, 418,
			[]string{`OPTIONS cors: preflight: origin "https://evil.example" is not in AllowedOrigins`, "denied"},
		},
		{
			"a preflight for another method", "OPTIONS", []string{testkit.Friend, "Access-Control-Request-Method: FOO"}, 204,
			[]string{`OPTIONS cors: preflight: method "FOO" is not in AllowedMethods`},
		},
		{"a preflight", "OPTIONS", []string{testkit.Friend, "Access-Control-Request-Method: PUT"}, 204, nil},
		{"an actual request", "PUT", []string{testkit.Friend}, 200, nil},
		{"an actual request with another method", "FOO", []string{testkit.Friend}, 200, nil},
		{"a request without Origin", "GET", nil, 200, nil},
		{"a same-origin request", "POST", []string{"Origin: https://api.example"}, 200, nil},
	} {
		events = nil
		w, _ := testkit.Serve(m, testkit.NewRequest(test.method, test.header...))
		if w.Code != test.status || !slices.Equal(events, test.events) {
			t.Errorf("%s: got %d, %q; want %d, %q", test.name, w.Code, events, test.status, test.events)
		}
		if test.status == http.StatusTeapot {
			if got := testkit.Lines(w.Result().Header); !slices.Equal(got, []string{"Cache-Control: no-store", "Vary: Origin"}) {
				t.Errorf("%s: got %q, want only Cache-Control and Vary", test.name, got)
			}
		}
	}
}

func TestPassRejected(t *testing.T) {
	t.Parallel()
	const put = "Access-Control-Request-Method: PUT"
	for _, test := range []struct {
		name    string
		method  string
		header  []string
		passes  bool
		reports int
	}{
		{"passes a request from another origin", "GET", []string{testkit.Stranger}, true, 1},
		{"passes a form post", "POST", []string{testkit.Stranger, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}, true, 1},
		{"passes a request from another site without Origin", "POST", []string{"Sec-Fetch-Site: cross-site"}, true, 1},
		{"passes OPTIONS that is not a preflight", "OPTIONS", []string{testkit.Stranger}, true, 1},
		{"passes repeated Origin headers", "GET", []string{testkit.Friend, testkit.Stranger}, true, 1},
		{"does not report an allowed origin", "GET", []string{testkit.Friend}, true, 0},
		{"does not report a request without Origin", "GET", nil, true, 0},
		{"rejects a preflight", "OPTIONS", []string{testkit.Stranger, put}, false, 1},
		{"rejects a WebSocket handshake", "GET", []string{testkit.Stranger, "Connection: Upgrade", "Upgrade: websocket"}, false, 1},
		{"rejects an empty Upgrade header", "GET", []string{testkit.Stranger, "Upgrade: "}, false, 1},
		{"rejects CONNECT", "CONNECT", []string{testkit.Stranger}, false, 1},
		{"rejects CONNECT from another site without Origin", "CONNECT", []string{"Sec-Fetch-Site: cross-site"}, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := testkit.ExamplePolicy
			p.PassRejected = true
			reports := 0
			p.OnReject = func(r *http.Request, _ *cors.RequestError) {
				reports++
				r.Header.Del("Upgrade") // has no effect
			}
			p.DenyHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
			m := testkit.MustNew(t, p)
			r := testkit.NewRequest(test.method, test.header...)
			if err := m.Check(r); (err != nil) != (test.reports > 0) {
				t.Errorf("Check returns %v", err)
			}
			w, ran := testkit.Serve(m, r)
			if ran != test.passes || reports != test.reports {
				t.Errorf("the handler ran: %t, want %t; reports: %d, want %d", ran, test.passes, reports, test.reports)
			}
			want := []string{"Content-Type: text/plain; charset=utf-8", "Vary: Origin"} // Content-Type is set by the handler
			if !test.passes {
				want = []string{"Cache-Control: no-store", "Vary: Origin"}
			}
			if got := testkit.Lines(w.Header()); test.reports > 0 && !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// Chromium 156: once the user granted storage access, images, scripts, frames
// and fetches with mode "no-cors" include Origin. They got a 403. Without the
// grant, they got a 200.
func TestFieldBugStorageAccess(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		method string
		header []string
		runs   bool
	}{
		{"runs images", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, true},
		{"runs HEAD", "HEAD", []string{testkit.Stranger, "Sec-Fetch-Mode: no-cors"}, true},
		{"runs frames", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: cross-site"}, true},
		{"runs a malformed origin", "GET", []string{"Origin: junk", "Sec-Fetch-Mode: no-cors"}, true},
		{"runs repeated Origin headers", "GET", []string{testkit.Stranger, testkit.Stranger, "Sec-Fetch-Mode: no-cors"}, true},
		{"rejects CORS requests", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: cors"}, false},
		{"rejects requests without a mode", "GET", []string{testkit.Stranger}, false},
		{"rejects WebSockets", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: websocket"}, false},
		{"rejects WebSockets with the mode of an image", "GET", []string{testkit.Stranger, "Upgrade: websocket", "Sec-Fetch-Mode: no-cors"}, false},
		{"rejects WebSockets with the mode of a frame", "GET", []string{testkit.Stranger, "Upgrade: websocket", "Sec-Fetch-Mode: navigate"}, false},
		{"rejects WebTransport", "CONNECT", []string{testkit.Stranger, "Sec-Fetch-Mode: webtransport"}, false},
		{"rejects same-origin fetches", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: same-origin"}, false},
		{"rejects unknown modes", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: junk"}, false},
		{"rejects modes in another case", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: No-Cors"}, false},
		{"runs a request whose first mode is no-cors", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Mode: cors"}, true},
		{"rejects a request whose first mode is cors", "GET", []string{testkit.Stranger, "Sec-Fetch-Mode: cors", "Sec-Fetch-Mode: no-cors"}, false},
		{"rejects form posts", "POST", []string{testkit.Stranger, "Sec-Fetch-Mode: navigate"}, false},
		{"rejects beacons", "POST", []string{testkit.Stranger, "Sec-Fetch-Mode: no-cors"}, false},
		{"rejects OPTIONS", "OPTIONS", []string{testkit.Stranger, "Sec-Fetch-Mode: no-cors"}, false},
		{"rejects preflights", "OPTIONS", []string{testkit.Stranger, "Sec-Fetch-Mode: no-cors", "Access-Control-Request-Method: GET"}, false},
	} {
		m := testkit.MustNew(t, testkit.ExamplePolicy)
		w, ran := testkit.Serve(m, testkit.NewRequest(test.method, test.header...))
		if ran != test.runs {
			t.Errorf("%s: the handler ran: %t, want %t", test.name, ran, test.runs)
		}
		if got := testkit.Lines(w.Header()); test.runs && !slices.Equal(got, []string{"Content-Type: text/plain; charset=utf-8", "Vary: Origin"}) {
			t.Errorf("%s: got %q, want only the Content-Type of the handler and Vary", test.name, got)
		}
	}
}

func TestAllowOriginFuncPrecedesStorageAccess(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, cors.Policy{AllowOriginFunc: anyFunc})
	w, ran := testkit.Serve(m, testkit.NewRequest("GET", testkit.Stranger, "Sec-Fetch-Mode: no-cors"))
	if got := w.Header().Get("Access-Control-Allow-Origin"); !ran || got != "https://evil.example" {
		t.Errorf("the handler ran: %t; Access-Control-Allow-Origin is %q", ran, got)
	}
}

// Found in this package: the 403 kept the Etag, Cache-Control and
// Cdn-Cache-Control of an outer layer. Caches then stored it for everyone.
func TestFieldBugCachedRejection(t *testing.T) {
	t.Parallel()
	for _, deny := range []http.Handler{nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })} {
		p := testkit.ExamplePolicy
		p.DenyHandler = deny
		w := httptest.NewRecorder()
		for name, value := range map[string]string{
			"Cache-Control": "public, max-age=3600", "Etag": `"1"`, "Last-Modified": "Sat, 01 Jan 2000 00:00:00 GMT", "Expires": "Sat, 01 Jan 2050 00:00:00 GMT",
			"Cdn-Cache-Control": "max-age=3600", "Surrogate-Control": "max-age=3600", "Content-Length": "1000", "Content-Encoding": "gzip", "X-Other": "kept",
		} {
			w.Header().Set(name, value)
		}
		testkit.MustNew(t, p).Handler(http.NotFoundHandler()).ServeHTTP(w, testkit.NewRequest("GET", testkit.Stranger))
		want := []string{"Cache-Control: no-store", "Content-Encoding: gzip", "Vary: Origin", "X-Other: kept"}
		if deny == nil {
			want = []string{"Cache-Control: no-store", "Content-Encoding: gzip", "Content-Type: text/plain; charset=utf-8", "Vary: Origin", "X-Content-Type-Options: nosniff", "X-Other: kept"}
		}
		if got := testkit.Lines(w.Header()); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// gzipWriter compresses the body, as an outer compressing layer does.
type gzipWriter struct {
	http.ResponseWriter
	gzip *gzip.Writer
}

func (w *gzipWriter) Write(b []byte) (int, error) { return w.gzip.Write(b) }

func TestRejectionInsideCompression(t *testing.T) {
	t.Parallel()
	inner := testkit.MustNew(t, testkit.ExamplePolicy).Handler(http.NotFoundHandler())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		compressor := gzip.NewWriter(w)
		defer compressor.Close()
		inner.ServeHTTP(&gzipWriter{w, compressor}, r)
	}))
	defer server.Close()
	r, _ := http.NewRequest("GET", server.URL, nil)
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("got Content-Encoding %q, want gzip", got)
	}
	reader, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(reader); resp.StatusCode != http.StatusForbidden || string(body) != testkit.Rejection || err != nil {
		t.Errorf("got %s, %q, %v", resp.Status, body, err)
	}
}

// Found in this package: for http instead of https, a wrong port or the bare
// domain, the message was always "is not in AllowedOrigins".
func TestFieldBugNearMisses(t *testing.T) {
	t.Parallel()
	listed := []string{"https://app.example.com", "http://localhost:3000", "https://*.example.org", "https://www.example.net"}
	no := func(*http.Request, string) bool { return false }
	for _, test := range []struct{ origin, near string }{
		{"http://app.example.com", "https://app.example.com"},
		{"http://localhost:5173", "http://localhost:3000"},
		{"http://localhost", "http://localhost:3000"},
		{"https://example.org", "https://*.example.org"},
		{"https://example.net", "https://www.example.net"},
		{"https://www.app.example.com", "https://app.example.com"},
		{"https://evil.example", ""},
		{"http://app.example.com.evil.example", ""},
	} {
		want := fmt.Sprintf("cors: request: origin %q is not in AllowedOrigins", test.origin)
		wantWithFunc := fmt.Sprintf("cors: request: origin %q is neither in AllowedOrigins nor allowed by AllowOriginFunc", test.origin)
		if test.near != "" {
			want += fmt.Sprintf("; %q is", test.near)
			wantWithFunc += fmt.Sprintf("; %q is in AllowedOrigins", test.near)
		}
		r := testkit.NewRequest("GET", "Origin: "+test.origin)
		if err := testkit.MustNew(t, cors.Policy{AllowedOrigins: listed}).Check(r); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if err := testkit.MustNew(t, cors.Policy{AllowedOrigins: listed, AllowOriginFunc: no}).Check(r); err == nil || err.Error() != wantWithFunc {
			t.Errorf("got  %v\nwant %s", err, wantWithFunc)
		}
	}
}

func TestSetPolicy(t *testing.T) {
	t.Parallel()
	var m cors.Middleware
	allows := func(origin string) bool { return m.Check(testkit.NewRequest("GET", "Origin: "+origin)) == nil }
	if allows("https://example-client.com") {
		t.Error("the zero Middleware allows an origin")
	}
	if err := m.SetPolicy(testkit.ExamplePolicy); err != nil {
		t.Fatal(err)
	}
	if !allows("https://example-client.com") {
		t.Error("the new policy does not allow its origin")
	}
	if err := m.SetPolicy(cors.Policy{AllowedOrigins: []string{"https://a.example", "b.example"}}); err == nil {
		t.Error("SetPolicy accepts an invalid policy")
	}
	if !allows("https://example-client.com") || allows("https://a.example") {
		t.Error("SetPolicy with an invalid policy changes the policy")
	}
	if err := m.SetPolicy(cors.Policy{}); err != nil {
		t.Fatal(err)
	}
	if allows("https://example-client.com") {
		t.Error("the old policy still allows its origin")
	}
}

func TestPolicyIsACopy(t *testing.T) {
	t.Parallel()
	lists := func(p *cors.Policy) []*[]string {
		return []*[]string{&p.AllowedOrigins, &p.AllowedMethods, &p.AllowedHeaders, &p.ExposedHeaders}
	}
	newPolicy := func() cors.Policy {
		return cors.Policy{
			AllowedOrigins: []string{"https://a.example"},
			AllowedMethods: []string{"PUT"},
			AllowedHeaders: []string{"x-a"},
			ExposedHeaders: []string{"x-b"},
			MaxAge:         time.Minute,
		}
	}
	given, want := newPolicy(), newPolicy()
	m := testkit.MustNew(t, given)
	for _, list := range lists(&given) {
		(*list)[0] = "changed"
	}
	for range 2 {
		got := m.Policy()
		for i, list := range lists(&got) {
			if wanted := *lists(&want)[i]; !slices.Equal(*list, wanted) {
				t.Errorf("got %q, want %q", *list, wanted)
			}
			(*list)[0] = "changed"
		}
		if got.MaxAge != want.MaxAge {
			t.Errorf("got MaxAge %v, want %v", got.MaxAge, want.MaxAge)
		}
	}
	if zero := new(cors.Middleware).Policy(); zero.AllowedOrigins != nil || zero.AllowCredentials {
		t.Errorf("the zero Middleware has the policy %v", zero)
	}
}

func TestNewReturnsNoMiddlewareWithAnError(t *testing.T) {
	t.Parallel()
	if m, err := cors.New(cors.Policy{AllowedOrigins: []string{""}}); m != nil || err == nil {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestStripHeaders(t *testing.T) {
	t.Parallel()
	h := http.Header{
		"Access-Control-Allow-Credentials": {"true"},
		"Access-Control-Allow-Headers":     {"a", "b"},
		"Access-Control-Allow-Methods":     {"PUT"},
		"Access-Control-Allow-Origin":      {"*"},
		"Access-Control-Expose-Headers":    {"ETag"},
		"Access-Control-Max-Age":           {"5"},
		"Content-Type":                     {"text/plain"},
		"Vary":                             {"Origin"},
	}
	cors.StripHeaders(h)
	if want := []string{"Content-Type: text/plain", "Vary: Origin"}; !slices.Equal(testkit.Lines(h), want) {
		t.Errorf("got %q, want %q", testkit.Lines(h), want)
	}
	cors.StripHeaders(nil)
}

func TestAllocations(t *testing.T) {
	policies := map[string]cors.Policy{
		"zero":    {},
		"example": testkit.ExamplePolicy,
		"public":  {AllowedOrigins: []string{"*"}, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, ExposedHeaders: []string{"*"}, MaxAge: time.Hour},
		"full": {
			AllowedOrigins:   []string{"https://example-client.com", "https://*.example.com", "https://*.example.com:*", "http://localhost:*", "http://[::1]:*"},
			AllowedMethods:   []string{"PUT", "DELETE"},
			AllowedHeaders:   []string{"Authorization", "X-Custom-Header"},
			ExposedHeaders:   []string{"ETag"},
			AllowCredentials: true,
			MaxAge:           time.Hour,
		},
		"credentialed wildcards": {
			AllowedOrigins: testkit.ExamplePolicy.AllowedOrigins, AllowedMethods: []string{"PUT", "*"}, AllowedHeaders: []string{"X-A", "*"}, AllowCredentials: true,
		},
		"function": {AllowOriginFunc: func(_ *http.Request, origin string) bool { return strings.HasSuffix(origin, ".com") }},
	}
	origins := []string{
		"", "null", "https://example-client.com", "https://a.example.com", "https://a.b.example.com:8443", "https://" + strings.Repeat("a.", 120) + "example.com",
		"http://localhost:3000", "http://[::1]:3000", "http://[::1%eth0]", "https://[1:2", "https://256.1.1.1", "https://evil.example", "https://" + strings.Repeat("a", 1<<20), "junk", "://",
	}
	requests := map[string][]string{
		"GET":     nil,
		"OPTIONS": {"Access-Control-Request-Method: DELETE", "Access-Control-Request-Headers: authorization,x-custom-header", "Access-Control-Request-Headers: x-b"},
	}
	vary := []string{"Accept-Encoding"}
	for name, policy := range policies {
		m := testkit.MustNew(t, policy)
		h := m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, origin := range origins {
			for method, header := range requests {
				for _, outer := range [][]string{nil, vary} {
					r := testkit.NewRequest(method, append(header, "Origin: "+origin)...)
					w := testkit.NewRecorder()
					allocs := testing.AllocsPerRun(10, func() {
						w.Reset()
						if outer != nil {
							w.Header()["Vary"] = outer
						}
						h.ServeHTTP(w, r)
					})
					want := 1.0
					if name == "credentialed wildcards" && method == "OPTIONS" {
						want = 3 // for the two echoed lists
					}
					if allocs > want {
						t.Errorf("policy %q, %s from %.30q, Vary %q: %v allocations, want at most %v", name, method, origin, outer, allocs, want)
					}
					// Check allocates a RequestError and a copy of its Value. For
					// null and near misses, it also allocates a message.
					if allocs := testing.AllocsPerRun(10, func() { m.Check(r) }); allocs > 5 {
						t.Errorf("policy %q, %s from %.30q: Check takes %v allocations, want at most 5", name, method, origin, allocs)
					}
				}
			}
		}
	}
}

// Found in this package: after c, _ := cors.New(bad), Handler did not panic, but
// every request did.
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

// Found in this package: the response of a DenyHandler had the Content-Length
// of an outer layer. The client then got an unexpected EOF.
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

// pegaprox 626, pi-web 541: a proxy adds the default port to Host. Same-origin
// POSTs then got a 403.
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

// If the zero Middleware stored the zero policy on first use, it could
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

			// Appending to one header must not change another.
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
// ran for a rejected origin. Only its response was hidden.
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

// gin-contrib 184, 186; bichon 41: same-origin requests with Origin got a 403,
// even behind a proxy.
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
// browsers block a response with two values.
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

// quarkus 36782, micronaut 11950, fusionauth 1126: no trace showed why a
// request was rejected.
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

// Many packages: the response to a request without Origin had no Vary. Caches then
// reused it for CORS requests, but it had no Access-Control-Allow-Origin.
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

				// RFC 9111, section 4.1: a cache can reuse the response.
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
