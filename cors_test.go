package cors_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// mustNew returns the middleware of a policy that is valid.
func mustNew(t testing.TB, p cors.Policy) *cors.Middleware {
	t.Helper()
	m, err := cors.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newRequest returns a request for https://api.example/, with header given as
// "Name: value" lines.
func newRequest(method string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "https://api.example/", nil)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// serve sends r through m and reports whether the wrapped handler ran.
func serve(m *cors.Middleware, r *http.Request) (w *httptest.ResponseRecorder, ran bool) {
	w = httptest.NewRecorder()
	m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran = true
		io.WriteString(w, "served")
	})).ServeHTTP(w, r)
	return w, ran
}

// lines returns h as sorted "Name: value" lines.
func lines(h http.Header) []string {
	var lines []string
	for name, values := range h {
		for _, value := range values {
			lines = append(lines, name+": "+value)
		}
	}
	slices.Sort(lines)
	return lines
}

const (
	// The origins of a page that is allowed and of one that is not.
	friend   = "Origin: https://example-client.com"
	stranger = "Origin: https://evil.example"

	rejection = "cross-origin request rejected: the CORS policy does not allow its origin\n"
)

var examplePolicy = cors.Policy{
	AllowedOrigins: []string{"https://example-client.com"},
	AllowedMethods: []string{http.MethodPut},
	AllowedHeaders: []string{"X-Custom-Header"},
}

func TestExchangeOnTheWire(t *testing.T) {
	t.Parallel()
	ran := 0
	server := httptest.NewServer(mustNew(t, examplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"updated":true}`)
	})))
	defer server.Close()

	preflightFrom := func(origin string) string {
		return "OPTIONS /data HTTP/1.1\r\n" +
			"Host: api.example\r\n" +
			origin + "\r\n" +
			"Access-Control-Request-Method: PUT\r\n" +
			"Access-Control-Request-Headers: X-Custom-Header\r\n" +
			"\r\n"
	}
	putFrom := func(origin string) string {
		return "PUT /data HTTP/1.1\r\n" +
			"Host: api.example\r\n" +
			origin + "\r\n" +
			"X-Custom-Header: value\r\n" +
			"Content-Type: application/json\r\n" +
			"Content-Length: 12\r\n" +
			"\r\n" +
			`{"name":"x"}`
	}
	const forbidden = "HTTP/1.1 403 Forbidden\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\n" +
		"Vary: Origin\r\n" +
		"X-Content-Type-Options: nosniff\r\n" +
		"Date: *\r\n" +
		"Content-Length: 73\r\n" +
		"\r\n" +
		rejection
	tests := []struct {
		name, send, want string
		ran              int // by then
	}{
		{
			"the preflight is answered with the policy", preflightFrom(friend),
			"HTTP/1.1 204 No Content\r\n" +
				"Access-Control-Allow-Headers: X-Custom-Header\r\n" +
				"Access-Control-Allow-Methods: PUT\r\n" +
				"Access-Control-Allow-Origin: https://example-client.com\r\n" +
				"Vary: Origin\r\n" +
				"Date: *\r\n" +
				"\r\n", 0,
		},
		{
			"the actual request is served", putFrom(friend),
			"HTTP/1.1 200 OK\r\n" +
				"Access-Control-Allow-Origin: https://example-client.com\r\n" +
				"Content-Type: application/json\r\n" +
				"Vary: Origin\r\n" +
				"Date: *\r\n" +
				"Content-Length: 16\r\n" +
				"\r\n" +
				`{"updated":true}`, 1,
		},
		{"the preflight of another origin is rejected", preflightFrom(stranger), forbidden, 1},
		{"the actual request of another origin is rejected", putFrom(stranger), forbidden, 1},
	}
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	date := regexp.MustCompile(`\r\nDate: [^\r]*`)
	for _, test := range tests {
		if _, err := io.WriteString(conn, test.send); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(test.want)+len(http.TimeFormat)-len("*"))
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatalf("%s: %v after %q", test.name, err, got)
		}
		if got := date.ReplaceAllString(string(got), "\r\nDate: *"); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
		if ran != test.ran {
			t.Errorf("%s: the handler has run %d times, want %d", test.name, ran, test.ran)
		}
	}
	conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(conn); len(rest) > 0 || err != nil {
		t.Errorf("then got %q, %v", rest, err)
	}
}

func TestExchangeOverHTTP2(t *testing.T) {
	t.Parallel()
	ran := 0
	server := httptest.NewUnstartedServer(mustNew(t, examplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		io.Copy(w, r.Body)
	})))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()

	tests := []struct {
		name   string
		method string
		header []string
		status int
		want   []string
		body   string
		ran    int
	}{
		{
			"the preflight is answered with the policy", "OPTIONS",
			[]string{friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-custom-header"}, 204,
			[]string{"Access-Control-Allow-Headers: X-Custom-Header", "Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"},
			"", 0,
		},
		{
			"the actual request is served", "PUT",
			[]string{friend, "X-Custom-Header: value", "Content-Type: application/json"}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Content-Length: 7", "Content-Type: text/plain; charset=utf-8", "Vary: Origin"},
			`{"a":1}`, 1,
		},
		{
			"the preflight of another origin is rejected", "OPTIONS",
			[]string{stranger, "Access-Control-Request-Method: PUT"}, 403,
			[]string{"Content-Length: 73", "Content-Type: text/plain; charset=utf-8", "Vary: Origin", "X-Content-Type-Options: nosniff"},
			rejection, 1,
		},
		{
			"the actual request of another origin is rejected", "PUT",
			[]string{stranger}, 403,
			[]string{"Content-Length: 73", "Content-Type: text/plain; charset=utf-8", "Vary: Origin", "X-Content-Type-Options: nosniff"},
			rejection, 1,
		},
	}
	for _, test := range tests {
		body := ""
		if test.method == "PUT" {
			body = `{"a":1}`
		}
		r, err := http.NewRequest(test.method, server.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range test.header {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		resp.Header.Del("Date")
		if resp.ProtoMajor != 2 || resp.StatusCode != test.status || !slices.Equal(lines(resp.Header), test.want) || string(got) != test.body {
			t.Errorf("%s: got HTTP/%d, %d, %q, %q; want HTTP/2, %d, %q, %q",
				test.name, resp.ProtoMajor, resp.StatusCode, lines(resp.Header), got, test.status, test.want, test.body)
		}
		if ran != test.ran {
			t.Errorf("%s: the handler has run %d times, want %d", test.name, ran, test.ran)
		}
	}
}

func TestWebSocketHandshake(t *testing.T) {
	t.Parallel()
	ran := 0
	server := httptest.NewServer(mustNew(t, examplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		{"a page of another origin does not reach the handler", stranger, 403, 0},
		{"a page of an allowed origin has its connection hijacked", friend, 101, 1},
		{"a page of the server's own origin does, too", "Origin: http://" + host, 101, 2},
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
			t.Errorf("%s: got %d, and the handler has run %d times; want %d and %d", test.name, resp.StatusCode, ran, test.status, test.ran)
		}
		if test.status == 101 {
			if hello, err := io.ReadAll(read); string(hello) != "hello" {
				t.Errorf("%s: then got %q, %v", test.name, hello, err)
			}
		}
	}
}

func TestWhatHappensToARequest(t *testing.T) {
	t.Parallel()
	const (
		put    = "Access-Control-Request-Method: PUT"
		denied = "Content-Type: text/plain; charset=utf-8"
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
	rejectedLines := []string{denied, "Vary: Origin", "X-Content-Type-Options: nosniff"}

	tests := []struct {
		name   string
		policy cors.Policy
		method string
		header []string
		status int // 200: the handler ran
		want   []string
	}{
		{"without Origin, only Vary is added", explicit, "GET", nil, 200, []string{"Vary: Origin"}},
		{"with an empty Origin, too", explicit, "GET", []string{"Origin: "}, 200, []string{"Vary: Origin"}},
		{"without Origin, what looks like a preflight is none", explicit, "OPTIONS", []string{put}, 200, []string{"Vary: Origin"}},
		{
			"without Origin, where any is allowed, everybody gets the same", public, "GET", nil, 200,
			[]string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"},
		},
		{
			"without Origin, where any is allowed, what looks like a preflight is none", public, "OPTIONS", []string{put}, 200,
			[]string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"},
		},

		{
			"a preflight gets the policy's lists, without duplicates", explicit, "OPTIONS", []string{friend, put}, 204,
			[]string{
				"Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Max-Age: 600", "Vary: Origin",
			},
		},
		{
			"a preflight for what is not allowed gets them, too", explicit, "OPTIONS",
			[]string{friend, "Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x-nope"}, 204,
			[]string{
				"Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Max-Age: 600", "Vary: Origin",
			},
		},
		{
			"a preflight with credentials says so", credentialed, "OPTIONS", []string{friend, put}, 204,
			[]string{
				"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Max-Age: 600", "Vary: Origin",
			},
		},
		{
			"a preflight where any origin is allowed does not vary", public, "OPTIONS", []string{stranger, put}, 204,
			[]string{
				"Access-Control-Allow-Headers: X-Custom-Header, Authorization", "Access-Control-Allow-Methods: PUT, DELETE",
				"Access-Control-Allow-Origin: *", "Access-Control-Max-Age: 600",
			},
		},
		{
			"a preflight under a policy of origins only gets nothing more", cors.Policy{AllowedOrigins: explicit.AllowedOrigins}, "OPTIONS",
			[]string{friend, "Access-Control-Request-Method: POST"}, 204,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"},
		},
		{"a preflight from elsewhere is rejected", explicit, "OPTIONS", []string{stranger, put}, 403, rejectedLines},
		{
			"a preflight from elsewhere is rejected, even if it claims to be same-origin", explicit, "OPTIONS",
			[]string{stranger, put, "Sec-Fetch-Site: same-origin"}, 403, rejectedLines,
		},

		{
			"an actual request is served", explicit, "PUT", []string{friend}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"without AllowCredentials, a request with a cookie is served, and its response hidden", explicit, "POST", []string{friend, "Cookie: id=1"}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"an actual request with credentials is told that they may be used", credentialed, "GET", []string{friend}, 200,
			[]string{
				"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Origin: https://example-client.com",
				"Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin",
			},
		},
		{
			"OPTIONS without Access-Control-Request-Method is an actual request", explicit, "OPTIONS", []string{friend}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"Access-Control-Request-Method without OPTIONS is an actual request", explicit, "GET", []string{friend, put}, 200,
			[]string{"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Expose-Headers: Etag, X-Total-Count", "Vary: Origin"},
		},
		{
			"an actual request where any origin is allowed does not vary", public, "POST", []string{stranger}, 200,
			[]string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"},
		},
		{"an actual request from elsewhere is rejected", explicit, "GET", []string{stranger}, 403, rejectedLines},
		{"even one that a form could send", explicit, "POST", []string{stranger, "Content-Type: text/plain"}, 403, rejectedLines},
		{"two Origin lines are no origin", explicit, "GET", []string{friend, friend}, 403, rejectedLines},
		{"two Origin lines do where any origin is allowed", public, "GET", []string{friend, stranger}, 200, []string{"Access-Control-Allow-Origin: *", "Access-Control-Expose-Headers: Etag, X-Total-Count"}},
		{"the zero policy rejects", cors.Policy{}, "GET", []string{friend}, 403, rejectedLines},
		{"the zero policy rejects preflights", cors.Policy{}, "OPTIONS", []string{friend, put}, 403, rejectedLines},
		{"the zero policy lets through what has no Origin", cors.Policy{}, "DELETE", nil, 200, []string{"Vary: Origin"}},
		{"a page of the server's own origin is served, without CORS headers", explicit, "POST", []string{"Origin: https://api.example"}, 200, []string{"Vary: Origin"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := mustNew(t, test.policy)
			w, ran := serve(m, newRequest(test.method, test.header...))
			if w.Code != test.status || ran != (test.status == 200) {
				t.Errorf("got %d, and the handler ran: %t; want %d", w.Code, ran, test.status)
			}
			got := w.Result().Header
			if test.status == 200 {
				got.Del("Content-Type") // the handler's
			}
			if !slices.Equal(lines(got), test.want) {
				t.Errorf("got %q\nwant %q", lines(got), test.want)
			}
			body := map[int]string{200: "served", 204: "", 403: rejection}[test.status]
			if w.Body.String() != body {
				t.Errorf("got body %q, want %q", w.Body, body)
			}
		})
	}
}

// TestSameOrigin asks a server whose policy allows nothing, so that only the
// same-origin test can let a request with an Origin through.
func TestSameOrigin(t *testing.T) {
	t.Parallel()
	sites := []string{"absent", "same-origin", "same-site", "cross-site", "none", "junk"}
	// same lists, for each Host, the Origins that are the same by themselves.
	same := map[string][]string{
		"api.example":      {"https://api.example", "http://api.example"},
		"api.example:8080": {"https://api.example:8080", "http://api.example:8080"},
		"API.EXAMPLE":      nil, // browsers write lower case
		"[::1]":            {"http://[::1]"},
		"[::1]:8080":       {"http://[::1]:8080"},
		"":                 nil, // as in HTTP/1.0
	}
	origins := []string{
		"https://api.example", "http://api.example", "https://api.example:8080", "http://api.example:8080", "https://api.example:8081",
		"http://[::1]", "http://[::1]:8080", "http://[::1]:8081", "https://other.example", "app://api.example",
		"null", "api.example", "https://", "http://", "junk", "https://api.example/", "https://user@api.example", "HTTPS://api.example",
	}
	m := new(cors.Middleware)
	for host, sameOrigins := range same {
		for _, site := range sites {
			for _, origin := range append(origins, "twice") {
				r := newRequest("POST", "Origin: "+origin)
				if origin == "twice" {
					r.Header["Origin"] = []string{"https://" + host, "https://" + host}
				}
				r.Host = host
				if site != "absent" {
					r.Header.Set("Sec-Fetch-Site", site)
				}
				want := site == "same-origin" || site == "none" || site == "absent" && slices.Contains(sameOrigins, origin)
				if _, ran := serve(m, r); ran != want {
					t.Errorf("Host %q, Origin %q, Sec-Fetch-Site %s: the handler ran: %t, want %t", host, origin, site, ran, want)
				}
				if err := m.Check(r); (err == nil) != want {
					t.Errorf("Host %q, Origin %q, Sec-Fetch-Site %s: Check says %v", host, origin, site, err)
				}
			}
		}
	}
}

func TestCredentialedWildcards(t *testing.T) {
	t.Parallel()
	const (
		methodLine = "Access-Control-Request-Method: "
		headerLine = "Access-Control-Request-Headers: "
		allMethods = "Access-Control-Allow-Methods: "
		allHeaders = "Access-Control-Allow-Headers: "
		varyAll    = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	)
	both := cors.Policy{AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}}
	listed := cors.Policy{AllowedMethods: []string{"PUT", "*"}, AllowedHeaders: []string{"*", "authorization"}}
	long := strings.Repeat("x", 8<<10)
	tests := []struct {
		name   string
		policy cors.Policy
		header []string
		want   []string // besides origin and credentials
	}{
		{"what is asked for is listed", both, []string{methodLine + "FOO", headerLine + "x-a,x-b"}, []string{allHeaders + "x-a,x-b", allMethods + "FOO", varyAll}},
		{"after what is listed anyway", listed, []string{methodLine + "FOO", headerLine + "x-a"}, []string{allHeaders + "Authorization", allHeaders + "x-a", allMethods + "FOO", allMethods + "PUT", varyAll}},
		{"what is listed anyway is not listed twice", listed, []string{methodLine + "PUT"}, []string{allHeaders + "Authorization", allMethods + "PUT", varyAll}},
		{"what is split over lines stays so", both, []string{methodLine + "FOO", headerLine + "x-a", headerLine + "x-b, x-c"}, []string{allHeaders + "x-a", allHeaders + "x-b, x-c", allMethods + "FOO", varyAll}},
		{"no method, no header: nothing", both, []string{methodLine, headerLine, headerLine}, []string{varyAll}},
		{"what is no method is not listed", both, []string{methodLine + "a b"}, []string{varyAll}},
		{"two methods are none", both, []string{methodLine + "A", methodLine + "B"}, []string{varyAll}},
		{"what is no header name is not listed", both, []string{methodLine + "PUT", headerLine + "x-a,b c"}, []string{allMethods + "PUT", varyAll}},
		{"8 KiB are listed", both, []string{methodLine + "PUT", headerLine + long}, []string{allHeaders + long, allMethods + "PUT", varyAll}},
		{"more are not", both, []string{methodLine + "PUT", headerLine + long + "x"}, []string{allMethods + "PUT", varyAll}},
		{"more over several lines are not", both, []string{methodLine + "PUT", headerLine + long, headerLine}, []string{allMethods + "PUT", varyAll}},
		{"a method of more is not", both, []string{methodLine + long + "x"}, []string{varyAll}},
		{
			"64 lines are listed", both, append([]string{methodLine + "PUT"}, slices.Repeat([]string{headerLine + "a"}, 64)...),
			append(slices.Repeat([]string{allHeaders + "a"}, 64), allMethods+"PUT", varyAll),
		},
		{"65 are not", both, append([]string{methodLine + "PUT"}, slices.Repeat([]string{headerLine + "a"}, 65)...), []string{allMethods + "PUT", varyAll}},
		{
			"any method alone does not vary with the headers asked for", cors.Policy{AllowedMethods: []string{"*"}},
			[]string{methodLine + "PUT", headerLine + "x-a"}, []string{allMethods + "PUT", "Vary: Origin, Access-Control-Request-Method"},
		},
		{
			"any header alone does not vary with the method asked for", cors.Policy{AllowedHeaders: []string{"*"}},
			[]string{methodLine + "PUT", headerLine + "x-a"}, []string{allHeaders + "x-a", "Vary: Origin, Access-Control-Request-Headers"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.policy.AllowedOrigins = examplePolicy.AllowedOrigins
			test.policy.AllowCredentials = true
			w, _ := serve(mustNew(t, test.policy), newRequest("OPTIONS", append(test.header, friend)...))
			want := append([]string{"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Origin: https://example-client.com"}, test.want...)
			slices.Sort(want)
			if got := lines(w.Header()); !slices.Equal(got, want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
			if order := w.Header()["Access-Control-Allow-Methods"]; len(order) == 2 && order[0] != "PUT" {
				t.Errorf("the method asked for is not after the list, but in %q", order)
			}
		})
	}
}

func TestWildcardsWithoutCredentialsAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	m := mustNew(t, cors.Policy{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{"*"},
		AllowedHeaders: []string{"*", "authorization"},
		ExposedHeaders: []string{"*"},
	})
	w, _ := serve(m, newRequest("OPTIONS", stranger, "Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x-a"))
	want := []string{"Access-Control-Allow-Headers: *, Authorization", "Access-Control-Allow-Methods: *", "Access-Control-Allow-Origin: *"}
	if got := lines(w.Header()); !slices.Equal(got, want) {
		t.Errorf("a preflight got %q, want %q", got, want)
	}
	w, _ = serve(m, newRequest("GET", stranger))
	if got := w.Header().Get("Access-Control-Expose-Headers"); got != "*" {
		t.Errorf("an actual request got Access-Control-Expose-Headers: %s, want *", got)
	}
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{0: "", -1: "0", -time.Hour: "0", time.Second: "1", 24 * time.Hour: "86400"} {
		w, _ := serve(mustNew(t, cors.Policy{AllowedOrigins: examplePolicy.AllowedOrigins, MaxAge: age}), newRequest("OPTIONS", friend, "Access-Control-Request-Method: PUT"))
		if got := w.Header().Get("Access-Control-Max-Age"); got != want {
			t.Errorf("MaxAge %v is sent as %q, want %q", age, got, want)
		}
	}
}

func TestHeadersOfAnotherLayerAreReplaced(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		method string
		header []string
		want   []string
	}{
		{"without Origin", "GET", nil, []string{"Content-Length: 5", "Vary: Origin", "X-Other: kept"}},
		{"on an actual request", "GET", []string{friend}, []string{"Access-Control-Allow-Origin: https://example-client.com", "Content-Length: 5", "Vary: Origin", "X-Other: kept"}},
		{
			"on a preflight", "OPTIONS", []string{friend, "Access-Control-Request-Method: PUT"},
			[]string{"Access-Control-Allow-Headers: X-Custom-Header", "Access-Control-Allow-Methods: PUT", "Access-Control-Allow-Origin: https://example-client.com", "Content-Length: 5", "Vary: Origin", "X-Other: kept"},
		},
		{"on a rejected request", "GET", []string{stranger}, []string{"Content-Type: text/plain; charset=utf-8", "Vary: Origin", "X-Content-Type-Options: nosniff", "X-Other: kept"}},
		{"on a rejected preflight", "OPTIONS", []string{stranger, "Access-Control-Request-Method: PUT"}, []string{"Content-Type: text/plain; charset=utf-8", "Vary: Origin", "X-Content-Type-Options: nosniff", "X-Other: kept"}},
	} {
		w := httptest.NewRecorder()
		for _, name := range []string{"Origin", "Credentials", "Methods", "Headers"} {
			w.Header().Set("Access-Control-Allow-"+name, "*")
		}
		w.Header().Set("Access-Control-Expose-Headers", "*")
		w.Header().Set("Access-Control-Max-Age", "5")
		w.Header().Set("Content-Length", "5")
		w.Header().Set("X-Other", "kept")
		mustNew(t, examplePolicy).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, newRequest(test.method, test.header...))
		if got := lines(w.Header()); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestNilHandlerIsRefused(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a nil handler is wrapped")
		}
	}()
	new(cors.Middleware).Handler(nil)
}

// TestCallbacksThatChangeTheRequest has functions of the policy remove headers
// that the middleware still needs. They should not, but must not make it panic.
func TestCallbacksThatChangeTheRequest(t *testing.T) {
	t.Parallel()
	m := mustNew(t, cors.Policy{
		AllowOriginFunc: func(r *http.Request, origin string) bool {
			r.Header.Del("Origin")
			return origin == "https://example-client.com"
		},
		AllowedMethods:   []string{"*"},
		AllowedHeaders:   []string{"*"},
		AllowCredentials: true,
		OnReject:         func(r *http.Request, err *cors.RequestError) { clear(r.Header) },
	})
	if w, ran := serve(m, newRequest("GET", stranger)); ran || w.Code != 403 {
		t.Errorf("a rejected request got %d", w.Code)
	}
	if w, _ := serve(m, newRequest("OPTIONS", friend, "Access-Control-Request-Method: A B")); w.Code != 204 {
		t.Errorf("a preflight got %d", w.Code)
	}
}

func TestVaryIsAddedTo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		method string
		header []string
	}{
		{"without Origin", "GET", nil},
		{"on an actual request", "GET", []string{friend}},
		{"on a preflight", "OPTIONS", []string{friend, "Access-Control-Request-Method: PUT"}},
		{"on a rejected request", "GET", []string{stranger}},
	} {
		w := httptest.NewRecorder()
		before := make([]string, 2, 10)
		before[0], before[1] = "Accept-Encoding", "Accept-Language, Cookie"
		w.Header()["Vary"] = before
		mustNew(t, examplePolicy).Handler(http.NotFoundHandler()).ServeHTTP(w, newRequest(test.method, test.header...))
		if got, want := w.Header()["Vary"], []string{"Accept-Encoding", "Accept-Language, Cookie", "Origin"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", test.name, got, want)
		}
		if after := before[:3]; after[2] != "" {
			t.Errorf("%s: %q was written behind somebody else's slice", test.name, after[2])
		}
	}
}

// A plainWriter is a ResponseWriter whose identity can be compared.
type plainWriter struct{ http.ResponseWriter }

func TestResponseWriterIsPassedOn(t *testing.T) {
	t.Parallel()
	for _, origin := range []string{"", "https://example-client.com", "https://api.example"} {
		w := &plainWriter{httptest.NewRecorder()}
		var got http.ResponseWriter
		mustNew(t, examplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = w
		})).ServeHTTP(w, newRequest("POST", "Origin: "+origin))
		if got != w {
			t.Errorf("with Origin %q, the handler got %T", origin, got)
		}
	}
}

func TestDenyHandlerAnswersAfterOnReject(t *testing.T) {
	t.Parallel()
	var events []string
	policy := examplePolicy
	policy.OnReject = func(r *http.Request, err *cors.RequestError) {
		events = append(events, r.Method+" "+err.Error())
	}
	policy.DenyHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events = append(events, "denied")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, `<p>no`)
	})
	m := mustNew(t, policy)

	for _, test := range []struct {
		name   string
		method string
		header []string
		status int
		events []string
	}{
		{"a rejected request", "GET", []string{stranger}, 418, []string{`GET cors: request: origin "https://evil.example" is not in AllowedOrigins`, "denied"}},
		{
			"a rejected preflight", "OPTIONS", []string{stranger, "Access-Control-Request-Method: PUT"}, 418,
			[]string{`OPTIONS cors: preflight: origin "https://evil.example" is not in AllowedOrigins`, "denied"},
		},
		{
			"a preflight for another method", "OPTIONS", []string{friend, "Access-Control-Request-Method: FOO"}, 204,
			[]string{`OPTIONS cors: preflight: method "FOO" is not in AllowedMethods`},
		},
		{"a preflight", "OPTIONS", []string{friend, "Access-Control-Request-Method: PUT"}, 204, nil},
		{"an actual request", "PUT", []string{friend}, 200, nil},
		{"an actual request with another method", "FOO", []string{friend}, 200, nil},
		{"a request without Origin", "GET", nil, 200, nil},
		{"a same-origin request", "POST", []string{"Origin: https://api.example"}, 200, nil},
	} {
		events = nil
		w, _ := serve(m, newRequest(test.method, test.header...))
		if w.Code != test.status || !slices.Equal(events, test.events) {
			t.Errorf("%s: got %d, %q; want %d, %q", test.name, w.Code, events, test.status, test.events)
		}
		if test.status == http.StatusTeapot {
			if got := lines(w.Result().Header); !slices.Equal(got, []string{"Vary: Origin"}) {
				t.Errorf("%s: got %q; want only Vary", test.name, got)
			}
		}
	}
}

func TestCheckOrigins(t *testing.T) {
	t.Parallel()
	long := "https://" + strings.Repeat("a", 1<<20) + ".example"
	for _, test := range []struct {
		name   string
		method string
		header []string
		want   *cors.RequestError
	}{
		{"no Origin", "GET", nil, nil},
		{"an allowed origin", "DELETE", []string{friend}, nil},
		{"the server's own origin", "POST", []string{"Origin: https://api.example"}, nil},
		{"another origin", "GET", []string{stranger}, &cors.RequestError{Field: "Origin", Value: "https://evil.example"}},
		{"another origin's preflight", "OPTIONS", []string{stranger, "Access-Control-Request-Method: PUT"}, &cors.RequestError{Preflight: true, Field: "Origin", Value: "https://evil.example"}},
		{"two origins", "GET", []string{friend, stranger}, &cors.RequestError{Field: "Origin", Value: "https://example-client.com, https://evil.example"}},
		{"a long origin", "GET", []string{"Origin: " + long}, &cors.RequestError{Field: "Origin", Value: long[:512]}},
		{"two long origins", "GET", []string{"Origin: " + long, "Origin: " + long}, &cors.RequestError{Field: "Origin", Value: long[:512]}},
		{"an empty and another origin", "GET", []string{"Origin: ", stranger}, &cors.RequestError{Field: "Origin", Value: ", https://evil.example"}},
	} {
		err := mustNew(t, examplePolicy).Check(newRequest(test.method, test.header...))
		var got *cors.RequestError
		if errors.As(err, &got) != (test.want != nil) || got != nil && *got != *test.want {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
}

func TestSetPolicy(t *testing.T) {
	t.Parallel()
	var m cors.Middleware
	allows := func(origin string) bool { return m.Check(newRequest("GET", "Origin: "+origin)) == nil }
	if allows("https://example-client.com") {
		t.Error("the zero Middleware allows an origin")
	}
	if err := m.SetPolicy(examplePolicy); err != nil {
		t.Fatal(err)
	}
	if !allows("https://example-client.com") {
		t.Error("a policy that is set does not allow its origin")
	}
	if err := m.SetPolicy(cors.Policy{AllowedOrigins: []string{"https://a.example", "b.example"}}); err == nil {
		t.Error("an invalid policy is set")
	}
	if !allows("https://example-client.com") || allows("https://a.example") {
		t.Error("an invalid policy changes the one that is set")
	}
	if err := m.SetPolicy(cors.Policy{}); err != nil {
		t.Fatal(err)
	}
	if allows("https://example-client.com") {
		t.Error("a policy that was replaced still allows its origin")
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
	m := mustNew(t, given)
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
	if want := []string{"Content-Type: text/plain", "Vary: Origin"}; !slices.Equal(lines(h), want) {
		t.Errorf("got %q, want %q", lines(h), want)
	}
	cors.StripHeaders(nil)
}

// A reusedWriter is a ResponseWriter that costs nothing itself.
type reusedWriter struct{ header http.Header }

func (w *reusedWriter) Header() http.Header               { return w.header }
func (w *reusedWriter) WriteHeader(int)                   {}
func (w *reusedWriter) Write(p []byte) (int, error)       { return len(p), nil }
func (w *reusedWriter) WriteString(s string) (int, error) { return len(s), nil }

func TestAllocations(t *testing.T) {
	policies := map[string]cors.Policy{
		"zero":    {},
		"example": examplePolicy,
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
			AllowedOrigins: examplePolicy.AllowedOrigins, AllowedMethods: []string{"PUT", "*"}, AllowedHeaders: []string{"X-A", "*"}, AllowCredentials: true,
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
		m := mustNew(t, policy)
		h := m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, origin := range origins {
			for method, header := range requests {
				for _, outer := range [][]string{nil, vary} {
					r := newRequest(method, append(header, "Origin: "+origin)...)
					w := &reusedWriter{make(http.Header)}
					allocs := testing.AllocsPerRun(10, func() {
						clear(w.header)
						if outer != nil {
							w.header["Vary"] = outer
						}
						h.ServeHTTP(w, r)
					})
					if allocs > 1 {
						t.Errorf("policy %q, %s from %.30q, Vary %q: %v allocations, want at most 1", name, method, origin, outer, allocs)
					}
					// Check allocates a RequestError, and nothing else.
					if allocs := testing.AllocsPerRun(10, func() { m.Check(r) }); allocs > 1 {
						t.Errorf("policy %q, %s from %.30q: Check takes %v allocations, want at most 1", name, method, origin, allocs)
					}
				}
			}
		}
	}
}

// An answer is all that a handler under test makes of a request.
type answer struct {
	ran    bool // the wrapped handler
	status int
	header http.Header
	body   string
	report *cors.RequestError // to OnReject
}

// designedAnswer reads the table of requests in the README row by row: it
// is what Handler should make of r under p, where neither the wrapped handler
// nor a DenyHandler does more than send a status, and before is the response
// header that there is already.
func designedAnswer(p cors.Policy, r *http.Request, before http.Header) answer {
	lines := r.Header["Origin"]
	origin := strings.Join(lines, ", ")
	cross := len(lines) > 1 || origin != ""
	preflight := cross && r.Method == http.MethodOptions && len(r.Header["Access-Control-Request-Method"]) > 0
	anyOrigin := slices.Contains(p.AllowedOrigins, "*")
	wellFormed := origin == "null" && p.AcceptRisks&cors.RiskNullOrigin != 0 || isBrowserOrigin(origin)
	allowed := anyOrigin || len(lines) == 1 && wellFormed &&
		(slices.ContainsFunc(p.AllowedOrigins, func(s string) bool { return patternExpr(s).MatchString(origin) }) ||
			p.AllowOriginFunc != nil && len(origin) <= 512 && p.AllowOriginFunc(r, origin))
	site := r.Header.Get("Sec-Fetch-Site")
	sameOrigin := site == "same-origin" || site == "none" ||
		site == "" && r.Host != "" && (origin == "http://"+r.Host || origin == "https://"+r.Host)

	a := answer{ran: true, status: http.StatusOK, header: before.Clone()}
	maps.DeleteFunc(a.header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Access-Control-") })
	switch {
	case preflight && allowed:
		a.ran, a.status, a.report = false, http.StatusNoContent, designedReport(p, r)
	case allowed, !cross, sameOrigin && !preflight:
	default:
		a.ran = false
		a.report = &cors.RequestError{Preflight: preflight, Field: "Origin", Value: firstTwo(lines)}
		if p.DenyHandler != nil {
			w := httptest.NewRecorder()
			p.DenyHandler.ServeHTTP(w, r)
			a.status = w.Code
			break
		}
		a.status, a.body = http.StatusForbidden, rejection
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
		a.header.Set("X-Content-Type-Options", "nosniff")
		a.header.Del("Content-Length")
	}

	vary := []string{"Origin"}
	set := func(name string, values ...string) {
		if len(values) > 0 {
			a.header[name] = values
		}
	}
	if allowed {
		set("Access-Control-Allow-Origin", origin)
		if anyOrigin {
			set("Access-Control-Allow-Origin", "*")
		}
		if p.AllowCredentials {
			set("Access-Control-Allow-Credentials", "true")
		}
	}
	switch {
	case allowed && preflight:
		methods, echoed := designedMethods(p, r)
		set("Access-Control-Allow-Methods", methods...)
		if echoed {
			vary = append(vary, "Access-Control-Request-Method")
		}
		headers, echoed := designedHeaders(p, r)
		set("Access-Control-Allow-Headers", headers...)
		if echoed {
			vary = append(vary, "Access-Control-Request-Headers")
		}
		switch {
		case p.MaxAge < 0:
			set("Access-Control-Max-Age", "0")
		case p.MaxAge > 0:
			set("Access-Control-Max-Age", strconv.Itoa(int(p.MaxAge.Seconds())))
		}
	case allowed:
		set("Access-Control-Expose-Headers", canonicalOnce(p.ExposedHeaders)...)
	}
	if !anyOrigin {
		a.header["Vary"] = append(slices.Clone(before["Vary"]), vary...)
	}
	return a
}

// designedMethods returns the elements of Access-Control-Allow-Methods, and
// whether they depend on the method asked for: with credentials, "*" is no
// wildcard.
func designedMethods(p cors.Policy, r *http.Request) (list []string, echo bool) {
	for _, method := range p.AllowedMethods {
		if method == "*" && p.AllowCredentials {
			echo = true
		} else if !slices.Contains(list, method) {
			list = append(list, method)
		}
	}
	asked := r.Header["Access-Control-Request-Method"]
	if echo && len(asked) == 1 && tokenExpr.MatchString(asked[0]) && len(asked[0]) <= 8<<10 && !slices.Contains(list, asked[0]) {
		list = append(list, asked[0])
	}
	return list, echo
}

// designedHeaders does the same for Access-Control-Allow-Headers.
func designedHeaders(p cors.Policy, r *http.Request) (list []string, echo bool) {
	list = canonicalOnce(p.AllowedHeaders)
	if !p.AllowCredentials || !slices.Contains(list, "*") {
		return list, false
	}
	list = slices.DeleteFunc(list, func(s string) bool { return s == "*" })
	asked := r.Header["Access-Control-Request-Headers"]
	if naiveRequestHeaders(p, asked) == nil && strings.Join(asked, "") != "" {
		list = append(list, asked...)
	}
	return list, true
}

func canonicalOnce(names []string) []string {
	var list []string
	for _, name := range names {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// designedReport returns what OnReject is told of a preflight from an allowed
// origin.
func designedReport(p cors.Policy, r *http.Request) *cors.RequestError {
	asked := r.Header["Access-Control-Request-Method"]
	known := slices.Concat([]string{"GET", "HEAD", "POST"}, p.AllowedMethods)
	other := slices.Contains(known, "*") && tokenExpr.MatchString(asked[0]) && len(asked[0]) <= 8<<10
	if len(asked) > 1 || !slices.Contains(known, asked[0]) && !other {
		return &cors.RequestError{Preflight: true, Field: "Access-Control-Request-Method", Value: firstTwo(asked)}
	}
	return naiveRequestHeaders(p, r.Header["Access-Control-Request-Headers"])
}

// firstTwo returns the first two of lines, cut as in a RequestError.
func firstTwo(lines []string) string {
	s := strings.Join(lines[:min(len(lines), 2)], ", ")
	return s[:min(len(s), 512)]
}

// sameAnswer reports whether a and b are the same, on however many lines their
// header values are.
func sameAnswer(a, b answer) bool {
	sameValues := func(a, b []string) bool { return strings.Join(a, ", ") == strings.Join(b, ", ") }
	return a.ran == b.ran && a.status == b.status && a.body == b.body &&
		maps.EqualFunc(a.header, b.header, sameValues) && sameError(a.report, b.report)
}

// scribble overwrites all values of h in place and then appends to them, as
// careless code before or after a middleware may.
func scribble(h http.Header) {
	for name, values := range h {
		for i := range values {
			values[i] = "scribble"
		}
		h[name] = append(values, "scribble")
	}
}

// allocatedBytes returns how much f allocates. Other goroutines may add to a
// measurement, so it takes the least of several.
func allocatedBytes(f func()) uint64 {
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= 4<<10 {
			break
		}
	}
	return least
}

// handlerPolicies are the policies that FuzzHandler tries each request with.
var handlerPolicies = []cors.Policy{
	{},
	{
		AllowedOrigins: []string{"https://example.com", "https://example.com:8443"},
		AllowedMethods: []string{"PUT", "DELETE", "PUT"},
		AllowedHeaders: []string{"authorization", "X-Custom-Header", "Authorization"},
		ExposedHeaders: []string{"etag", "X-Total-Count"},
		MaxAge:         2 * time.Hour,
	},
	{
		AllowedOrigins:   []string{"https://*.example.com", "http://localhost:*", "null"},
		AllowedMethods:   []string{"POST"},
		AllowCredentials: true,
		MaxAge:           -1,
		AcceptRisks:      cors.RiskNullOrigin,
		DenyHandler:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	},
	{
		AllowedOrigins: []string{"*"},
	},
	{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{"*", "PUT"},
		AllowedHeaders: []string{"*", "Authorization"},
		ExposedHeaders: []string{"*"},
		MaxAge:         time.Second,
	},
	{
		AllowedOrigins:   []string{"https://example.com"},
		AllowedMethods:   []string{"*"},
		AllowedHeaders:   []string{"*"},
		AllowCredentials: true,
	},
	{
		AllowedOrigins:   []string{"https://example.com", "http://*.localhost:*"},
		AllowedMethods:   []string{"*", "PUT"},
		AllowedHeaders:   []string{"X-Custom-Header", "*"},
		ExposedHeaders:   []string{"ETag"},
		AllowCredentials: true,
	},
	{
		AllowedHeaders:  []string{"*"},
		AllowOriginFunc: func(r *http.Request, origin string) bool { return strings.Contains(origin, "e") },
	},
}

// FuzzHandler compares what Handler makes of a request with designedAnswer,
// under each of handlerPolicies. The headers hold one line for each line of
// the argument; without the bit of present they are absent. The last one has
// its lines repeated.
func FuzzHandler(f *testing.F) {
	const all = 0b1111
	f.Add("OPTIONS", "api.example", "https://example.com", "", "PUT", "x-custom-header", uint8(0b1101), uint8(0))
	f.Add("PUT", "api.example", "https://example.com", "cross-site", "", "", uint8(0b0011), uint8(0))
	f.Add("OPTIONS", "api.example", "https://evil.example", "cross-site", "PUT", "x-custom-header", uint8(all), uint8(0))
	f.Add("GET", "api.example", "", "", "", "", uint8(0), uint8(0))
	f.Add("GET", "api.example", "", "same-origin", "", "", uint8(all), uint8(0))
	f.Add("OPTIONS", "api.example", "", "none", "PUT", "", uint8(0b0110), uint8(0))
	f.Add("POST", "api.example", "https://api.example", "", "", "", uint8(0b0001), uint8(0))
	f.Add("OPTIONS", "api.example", "https://api.example", "same-origin", "GET", "", uint8(0b0111), uint8(0))
	f.Add("POST", "localhost:80", "http://localhost:80", "", "", "", uint8(0b0001), uint8(0))
	f.Add("POST", "", "https://", "", "", "", uint8(0b0001), uint8(0))
	f.Add("GET", "api.example", "null", "cross-site", "", "", uint8(0b0011), uint8(0))
	f.Add("GET", "api.example", "https://example.com\nhttps://example.com", "none\ncross-site", "", "", uint8(0b0011), uint8(0))
	f.Add("GET", "api.example", "\n", "", "", "", uint8(0b0001), uint8(0))
	f.Add("OPTIONS", "api.example", "https://a.example.com", "", "FOO\nBAR", "a\nb", uint8(all), uint8(0))
	f.Add("OPTIONS", "api.example", "http://a.localhost:3000", "", "FO O", "a,,\tb", uint8(all), uint8(40))
	f.Add("OPTIONS", "api.example", "http://localhost:3000", "", "", "a\x00b", uint8(all), uint8(0))
	f.Add("OPTIONS", "api.example", "https://example.com", "", strings.Repeat("M", 8193), strings.Repeat("a", 128), uint8(all), uint8(70))
	f.Add("OPTIONS", "api.example", "https://example.com", "", "put", strings.Repeat("a,", 2048), uint8(all), uint8(255))
	f.Add("OPTIONS", "api.example", "https://"+strings.Repeat("e.", 252)+"ee", "", "put", "", uint8(all), uint8(0))
	f.Add("\xff", "\x00", "https://\xff.example.com", "\r\n", "\x7f", "\x80\n", uint8(all), uint8(0))

	f.Fuzz(func(t *testing.T, method, host, origin, site, requestMethod, requestHeaders string, present, repeat uint8) {
		r := &http.Request{Method: method, Host: host, Header: make(http.Header)}
		for i, h := range []struct{ name, value string }{
			{"Origin", origin},
			{"Sec-Fetch-Site", site},
			{"Access-Control-Request-Method", requestMethod},
			{"Access-Control-Request-Headers", requestHeaders},
		} {
			if present&(1<<i) != 0 {
				r.Header[h.name] = strings.Split(h.value, "\n")
			}
		}
		if lines := r.Header["Access-Control-Request-Headers"]; lines != nil && len(requestHeaders) < 8<<10 {
			r.Header["Access-Control-Request-Headers"] = slices.Repeat(lines, 1+int(repeat))
		}
		request := r.Header.Clone()

		for i, p := range handlerPolicies {
			var got answer
			p.OnReject = func(_ *http.Request, err *cors.RequestError) { got.report = err }
			m := mustNew(t, p)
			answerTo := func(before http.Header) answer {
				got = answer{}
				w := httptest.NewRecorder()
				maps.Copy(w.Header(), before.Clone())
				m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.ran = true })).ServeHTTP(w, r)
				got.status, got.header, got.body = w.Code, w.Header(), w.Body.String()
				return got
			}
			compare := func(got, want answer) {
				t.Helper()
				if !sameAnswer(got, want) {
					t.Errorf("policy %d, %q %q %q: got %+v, report %+v, want %+v, report %+v",
						i, method, host, r.Header, got, got.report, want, want.report)
				}
			}

			// The expected answer holds bytes of the request only where they are
			// an allowed origin, or echoed where credentials demand it.
			before := http.Header{"Vary": {"Accept-Encoding"}, "X-Before": {"1"}, "Content-Length": {"1"}, "Access-Control-Max-Age": {"1"}}
			want := designedAnswer(p, r, before)
			first := answerTo(before)
			compare(first, want)
			if err := m.Check(r); (err != nil) != (want.report != nil) || err != nil && !sameError(err.(*cors.RequestError), want.report) {
				t.Errorf("policy %d, %q %q %q: Check returned %v, want %+v", i, method, host, r.Header, err, want.report)
			}

			// What is done to one response changes no other, nor the request.
			second := answerTo(before)
			scribble(first.header)
			compare(second, want)
			compare(answerTo(before), want)
			if !reflect.DeepEqual(r.Header, request) {
				t.Errorf("policy %d: request header changed from %q to %q", i, request, r.Header)
			}

			h := m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			w := &reusedWriter{make(http.Header, 16)}
			if n := allocatedBytes(func() { h.ServeHTTP(w, r) }); n > 4<<10 {
				t.Errorf("policy %d, %q %q: %d bytes allocated for a request of %d header lines", i, method, host, n, len(r.Header["Access-Control-Request-Headers"]))
			}
		}
	})
}

// rs/cors, measured: an Origin of a megabyte was lower-cased and compared in
// full.
func TestFieldBugHugeOrigin(t *testing.T) {
	asked := 0
	huge := "https://" + strings.Repeat("A.", 1<<19) + "example.com"
	for _, p := range []cors.Policy{
		examplePolicy,
		{AllowedOrigins: []string{"https://*.example.com", "http://localhost:*"}},
		{AllowOriginFunc: func(*http.Request, string) bool { asked++; return true }},
	} {
		m := mustNew(t, p)
		h := m.Handler(http.NotFoundHandler())
		w := &reusedWriter{make(http.Header)}
		r := newRequest("GET")
		r.Header["Origin"] = []string{huge}
		if n := allocatedBytes(func() { h.ServeHTTP(w, r) }); n > 4<<10 {
			t.Errorf("policy %+v: %d bytes allocated for an origin of a megabyte", p, n)
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

// rs/cors 198, 199; jub0bs/cors 14: handlers could corrupt header values that
// all responses shared.
func TestFieldBugSharedHeaderValues(t *testing.T) {
	t.Parallel()
	for i, p := range handlerPolicies {
		m := mustNew(t, p)
		for _, r := range []*http.Request{
			newRequest("GET"),
			newRequest("GET", "Origin: https://example.com"),
			newRequest("GET", "Origin: https://a.example.com"),
			newRequest("POST", "Origin: https://api.example"),
			newRequest("OPTIONS", "Origin: https://example.com", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-a"),
			newRequest("OPTIONS", "Origin: http://a.localhost:3000", "Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x-a"),
			newRequest("OPTIONS", "Origin: https://evil.invalid", "Access-Control-Request-Method: FOO"),
		} {
			request := r.Header.Clone()
			first, _ := serve(m, r)
			want := first.Header().Clone()
			second, _ := serve(m, r)

			// Appending to one header reaches no other one.
			for name, values := range first.Header() {
				_ = append(values, "scribble")
				for other, values := range first.Header() {
					if !slices.Equal(values, want[other]) {
						t.Errorf("policy %d, %s from %q: appending to %s changes %s to %q", i, r.Method, r.Header["Origin"], name, other, values)
					}
				}
			}
			scribble(first.Header())
			third, _ := serve(m, r)
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
	m := mustNew(t, examplePolicy)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO"} {
		for _, origin := range []string{"https://evil.example", "null", "https://example-client.com.evil.example", "https://EXAMPLE-CLIENT.COM", "junk", " "} {
			w, ran := serve(m, newRequest(method, "Origin: "+origin))
			if ran || w.Code != http.StatusForbidden {
				t.Errorf("%s from %q: got %d, and the handler ran: %t", method, origin, w.Code, ran)
			}
		}
	}
	w, ran := serve(m, newRequest("GET", stranger, "Connection: Upgrade", "Upgrade: websocket"))
	if ran || w.Code != http.StatusForbidden {
		t.Errorf("WebSocket handshake: got %d, and the handler ran: %t", w.Code, ran)
	}
}

// gin-contrib 184, 186; bichon 41: same-origin requests that carry Origin got a
// 403, behind a proxy too.
func TestFieldBugSameOriginRejected(t *testing.T) {
	t.Parallel()
	m := mustNew(t, examplePolicy)
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
		r := newRequest("POST", test.header...)
		r.Host = test.host
		w, ran := serve(m, r)
		if !ran || w.Header().Get("Vary") != "Origin" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: got %d with %q, and the handler ran: %t", test.name, w.Code, w.Header(), ran)
		}
	}
}

// gorilla/handlers 111: a rejected preflight was passed to the next handler.
func TestFieldBugRejectedPreflightPassedOn(t *testing.T) {
	t.Parallel()
	m := mustNew(t, examplePolicy)
	for _, header := range [][]string{
		{stranger, "Access-Control-Request-Method: PUT"},
		{stranger, "Access-Control-Request-Method: "},
		{stranger, "Access-Control-Request-Method: PUT", "Sec-Fetch-Site: same-origin"},
		{"Origin: https://api.example", "Access-Control-Request-Method: PUT"},
		{friend, friend, "Access-Control-Request-Method: PUT"},
		{friend, "Access-Control-Request-Method: FOO"},
		{friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-nope"},
	} {
		if w, ran := serve(m, newRequest("OPTIONS", header...)); ran {
			t.Errorf("%q: the handler ran; got %d", header, w.Code)
		}
	}
}

// rs/cors 185, golang/go 61410: a pattern with a method answers OPTIONS with
// 405 before a middleware inside it is reached.
func TestFieldBugMethodPatternHidesPreflight(t *testing.T) {
	t.Parallel()
	m := mustNew(t, examplePolicy)
	inner := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	around := http.NewServeMux()
	around.Handle("POST /x", inner)
	inside := http.NewServeMux()
	inside.Handle("/without-method", m.Handler(inner))
	inside.Handle("POST /with-method", m.Handler(inner))

	for _, test := range []struct {
		name string
		mux  http.Handler
		path string
		want int
	}{
		{"Handler around the mux", m.Handler(around), "/x", 204},
		{"Handler inside a pattern without a method", inside, "/without-method", 204},
		{"Handler inside a pattern with a method, as documented", inside, "/with-method", 405},
	} {
		r := newRequest("OPTIONS", friend, "Access-Control-Request-Method: POST")
		r.URL.Path = test.path
		w := httptest.NewRecorder()
		test.mux.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s: got %d, want %d", test.name, w.Code, test.want)
		}
	}
}

// echo 2853, 1419; gin 4164; rs/cors 45: two layers set the header, and
// browsers refuse two values.
func TestFieldBugTwoLayersSetHeaders(t *testing.T) {
	t.Parallel()
	p := examplePolicy
	p.AllowCredentials = true
	p.ExposedHeaders = []string{"ETag"}
	upstream := httptest.NewServer(mustNew(t, p).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	mustNew(t, p).Handler(proxy).ServeHTTP(w, newRequest("GET", friend))
	var got []string
	for _, line := range lines(w.Header()) {
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
	p := examplePolicy
	p.OnReject = func(_ *http.Request, err *cors.RequestError) { reported = err }
	m := mustNew(t, p)
	for _, test := range []struct {
		name   string
		method string
		header []string
		want   string
	}{
		{"an origin", "PUT", []string{stranger}, `"https://evil.example" is not in AllowedOrigins`},
		{"a preflight's origin", "OPTIONS", []string{stranger, "Access-Control-Request-Method: PUT"}, `"https://evil.example" is not in AllowedOrigins`},
		{"a method", "OPTIONS", []string{friend, "Access-Control-Request-Method: PATCH"}, `"PATCH" is not in AllowedMethods`},
		{
			"a request header", "OPTIONS",
			[]string{friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-custom-header,x-nope"}, `"x-nope" is not in AllowedHeaders`,
		},
	} {
		reported = nil
		w, _ := serve(m, newRequest(test.method, test.header...))
		if reported == nil || !strings.HasSuffix(reported.Error(), test.want) {
			t.Errorf("%s: OnReject was told %v, want %s", test.name, reported, test.want)
		}
		if err := m.Check(newRequest(test.method, test.header...)); err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: Check returned %v, want %s", test.name, err, test.want)
		}
		if w.Code == http.StatusForbidden && !strings.Contains(w.Body.String(), "CORS policy does not allow its origin") {
			t.Errorf("%s: the response says %q", test.name, w.Body)
		}
	}
}

// In many: a response without Access-Control-Allow-Origin, made for a request
// without Origin, was cached and reused for a page that needed it.
func TestFieldBugCachedForAnotherOrigin(t *testing.T) {
	t.Parallel()
	public := examplePolicy
	public.AllowedOrigins = []string{"*"}
	several := examplePolicy
	several.AllowedOrigins = []string{"https://example-client.com", "https://evil.example"}
	requests := [][]string{
		nil,
		{friend},
		{stranger},
		{"Origin: https://api.example", "Sec-Fetch-Site: same-origin"},
	}
	for _, p := range []cors.Policy{examplePolicy, public, several, {}} {
		m := mustNew(t, p)
		for _, first := range requests {
			stored, _ := serve(m, newRequest("GET", first...))
			for _, second := range requests {
				fresh, _ := serve(m, newRequest("GET", second...))

				// What RFC 9111, section 4.1, says of caches.
				reusable := true
				for _, name := range strings.Split(strings.Join(stored.Header()["Vary"], ","), ",") {
					reusable = reusable && newRequest("GET", first...).Header.Get(name) == newRequest("GET", second...).Header.Get(name)
				}
				if reusable && !reflect.DeepEqual(stored.Header(), fresh.Header()) {
					t.Errorf("%q: a cache reuses the response to %q, %q, for %q, which would get %q", p.AllowedOrigins, first, stored.Header(), second, fresh.Header())
				}
			}
		}
	}
}

// TestBrowsersObeyThePolicy has pages make random requests of servers with
// random policies, by way of the browser of package fetch. What that lets happen
// must be what the policy's fields say, read naively and one by one.
//
// The seed of a run is printed. To run it again:
//
//	CORS_SEED=<seed> go test -run TestBrowsersObeyThePolicy .
func TestBrowsersObeyThePolicy(t *testing.T) {
	const policies, requestsEach = 3000, 10
	seed := rand.Uint64()
	if s := os.Getenv("CORS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("CORS_SEED: %v", err)
		}
	}
	t.Logf("seed %d", seed) // printed even if a request panics
	g := generator{rand.New(rand.NewPCG(seed, 0))}

	seen := make(map[string]int)
	for range policies {
		p := g.policy()
		m, err := cors.New(p)
		if err != nil {
			t.Fatal(err)
		}
		reader := readNaively(p)
		for range requestsEach {
			page, r := g.page(p), g.request(p)
			got, want := observe(m, page, r), reader.outcome(page, r)
			if got != want {
				t.Fatalf("policy  %+v\npage    %q\nrequest %+v\ngot  %+v\nwant %+v", p, page, r, got, want)
			}
			seen[got.summary()]++
		}
	}
	t.Logf("%d requests under %d policies", policies*requestsEach, policies)
	for _, s := range []string{"stopped", "stopped by a preflight", "handled, unreadable", "handled, readable", "handled after a preflight, readable"} {
		t.Logf("%6d %s", seen[s], s)
		if seen[s] == 0 {
			t.Errorf("no request was %s", s)
		}
	}
}

// An outcome is what comes of a page's request.
type outcome struct {
	preflight bool   // whether one is sent
	passes    bool   // whether Check has nothing against the first request
	reuses    int    // at how many of the times in laterOn the preflight still serves
	handled   bool   // whether the wrapped handler runs,
	cookie    bool   // and gets the cookie
	readable  bool   // whether the script can read the response,
	headers   string // and which of the headers in responseHeader
}

func (o outcome) summary() string {
	switch {
	case o.handled && o.preflight:
		return "handled after a preflight, readable"
	case o.handled && o.readable:
		return "handled, readable"
	case o.handled:
		return "handled, unreadable"
	case o.preflight:
		return "stopped by a preflight"
	}
	return "stopped"
}

var (
	// What the handler sets.
	responseHeader = http.Header{
		"Cache-Control": {"no-cache"}, "Content-Type": {"text/plain"}, "Etag": {`"1"`},
		"Set-Cookie": {"a=b"}, "X-Total": {"1"}, "X-Total-Count": {"2"},
	}
	laterOn = []time.Duration{0, 5*time.Second - 1, 5 * time.Second, 10*time.Minute - 1, 24*time.Hour - 1}
)

// observe has page send r to a handler behind m.
func observe(m *cors.Middleware, page string, r corstest.Request) (o outcome) {
	now := time.Unix(0, 0)
	b := corstest.Browser{
		Cookie: "session=1",
		Now:    func() time.Time { return now },
		Handler: m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o.handled, o.cookie = true, r.Header["Cookie"] != nil
			maps.Copy(w.Header(), responseHeader)
		})),
	}
	result := b.Fetch(page, r)
	o.preflight, o.readable = result.Preflight != nil, result.Blocked == ""
	first := result.Preflight
	if first == nil {
		first = result.Actual
	}
	o.passes = m.Check(first.Request) == nil
	for _, name := range slices.Sorted(maps.Keys(responseHeader)) {
		if result.Header[name] != nil {
			o.headers += name + " "
		}
	}
	if !o.preflight || !o.readable {
		return o
	}
	for _, after := range laterOn {
		now = time.Unix(0, 0).Add(after)
		if b.Fetch(page, r).Preflight != nil {
			break
		}
		o.reuses++
	}
	return o
}

// A naive reader takes a policy's fields one by one.
type naive struct {
	cors.Policy
	origins []*regexp.Regexp // for each of AllowedOrigins
}

func readNaively(p cors.Policy) naive {
	n := naive{Policy: p}
	for _, pattern := range p.AllowedOrigins {
		n.origins = append(n.origins, patternExpr(pattern))
	}
	return n
}

// outcome says what is to come of r, sent by page.
func (p naive) outcome(page string, r corstest.Request) (o outcome) {
	if strings.HasPrefix(r.URL, page+"/") { // same-origin: the policy has no say
		return outcome{passes: true, handled: true, cookie: r.Credentials != corstest.Omit, readable: true, headers: p.readableHeaders(true, r)}
	}
	o.preflight = len(corstest.PreflightReasons(r)) > 0
	origin := p.allowsOrigin(page)
	o.readable = origin && (p.AllowCredentials || r.Credentials != corstest.Include)
	if o.preflight {
		method, headers := p.allowsMethod(r.Method), p.allowsHeaders(r.Header)
		o.passes = origin && method && headers
		// By the letter of the standard, a browser that would report an upload's
		// progress takes the absence of Access-Control-Allow-Methods for the
		// method it wants (Fetch, "CORS-preflight fetch", step 7.4). In this,
		// Chromium, Firefox and WebKit are stricter.
		method = method || (r.UploadListener || r.StreamBody) && len(p.AllowedMethods) == 0
		o.readable = o.readable && method && headers
		o.handled = o.readable
	} else {
		// Without Sec-Fetch-Site, an origin passes for the server's own if only
		// its scheme is another.
		o.passes = origin || r.URL == "http://api.example/" && page == "https://api.example"
		o.handled = o.passes
	}
	o.cookie = o.handled && r.Credentials == corstest.Include
	if o.readable {
		o.headers = p.readableHeaders(false, r)
	}
	if o.readable && o.preflight {
		o.reuses = p.reuses(r)
	}
	return o
}

func (p naive) allowsOrigin(origin string) bool {
	for i, pattern := range p.AllowedOrigins {
		if pattern == "*" || p.origins[i].MatchString(origin) && (origin == "null" || isBrowserOrigin(origin)) {
			return true
		}
	}
	if p.AllowOriginFunc == nil {
		return false
	}
	if origin == "null" {
		return p.AcceptRisks&cors.RiskNullOrigin != 0 && p.AllowOriginFunc(nil, origin)
	}
	return isBrowserOrigin(origin) && p.AllowOriginFunc(nil, origin)
}

// normal returns a method as browsers send it.
func normal(method string) string {
	for _, m := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"} {
		if strings.EqualFold(method, m) {
			return m
		}
	}
	return method
}

func (p naive) allowsMethod(method string) bool {
	return slices.Contains(append([]string{"GET", "HEAD", "POST"}, p.AllowedMethods...), normal(method)) ||
		slices.Contains(p.AllowedMethods, "*")
}

func (p naive) allowsHeaders(h http.Header) bool {
	for _, name := range corstest.UnsafeHeaderNames(h) {
		any := slices.Contains(p.AllowedHeaders, "*") && (name != "authorization" || p.AllowCredentials)
		if !any && !slices.ContainsFunc(p.AllowedHeaders, func(s string) bool { return strings.EqualFold(s, name) }) {
			return false
		}
	}
	return true
}

func (p naive) readableHeaders(sameOrigin bool, r corstest.Request) (names string) {
	for _, name := range slices.Sorted(maps.Keys(responseHeader)) {
		exposed := slices.ContainsFunc(p.ExposedHeaders, func(s string) bool { return s == "*" || strings.EqualFold(s, name) })
		if sameOrigin || exposed || name == "Cache-Control" || name == "Content-Type" {
			names += name + " "
		}
	}
	return strings.Replace(names, "Set-Cookie ", "", 1)
}

func (p naive) reuses(r corstest.Request) (n int) {
	// A browser that asks only because it would report an upload's progress
	// remembers a method if the answer lists it, or lists none.
	method := normal(r.Method)
	listed := len(p.AllowedMethods) == 0 || slices.Contains(p.AllowedMethods, method) || slices.Contains(p.AllowedMethods, "*")
	if (r.UploadListener || r.StreamBody) && !listed {
		return 0
	}
	for _, after := range laterOn {
		if after < p.MaxAge || p.MaxAge == 0 && after < 5*time.Second {
			n++
		}
	}
	return n
}

// generator makes policies that New accepts, and requests that come near what
// they allow.
type generator struct{ *rand.Rand }

// one reports true one time in n.
func (g generator) one(n int) bool { return g.IntN(n) == 0 }

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) policy() cors.Policy {
	p := cors.Policy{
		AllowCredentials: g.one(2),
		MaxAge:           []time.Duration{0, -1, time.Second, 10 * time.Minute, 24 * time.Hour}[g.IntN(5)],
		AcceptRisks:      cors.RiskInsecureOrigin | cors.RiskPublicSuffix,
	}
	if !p.AllowCredentials && g.one(4) {
		p.AllowedOrigins = []string{"*"}
	} else {
		for range 1 + g.IntN(5) - g.IntN(2) {
			p.AllowedOrigins = append(p.AllowedOrigins, g.pattern())
		}
		if g.one(2) {
			p.AcceptRisks |= cors.RiskNullOrigin
			if g.one(2) {
				p.AllowedOrigins = append(p.AllowedOrigins, "null")
			}
		}
		if g.one(5) {
			p.AllowOriginFunc = func(_ *http.Request, origin string) bool { return len(origin)%3 > 0 }
		}
	}
	for range g.IntN(5) {
		p.AllowedMethods = append(p.AllowedMethods, g.pick("PUT", "DELETE", "PATCH", "OPTIONS", "GET", "POST", "PURGE", "purge", "PURG", "*"))
	}
	for range g.dozens() {
		p.AllowedHeaders = append(p.AllowedHeaders, g.requestHeader())
	}
	if g.one(4) {
		p.AllowedHeaders = append(p.AllowedHeaders, "*")
	}
	for range g.IntN(3) {
		p.ExposedHeaders = append(p.ExposedHeaders, g.pick("ETag", "x-total", "X-Total-Count", "Content-Type", "X-Nosuch"))
	}
	if !p.AllowCredentials && g.one(4) {
		p.ExposedHeaders = append(p.ExposedHeaders, "*")
	}
	return p
}

// dozens returns how many headers to have: mostly few.
func (g generator) dozens() int {
	if g.one(5) {
		return g.IntN(80)
	}
	return g.IntN(4)
}

func (g generator) requestHeader() string {
	if g.one(2) {
		return g.casing("X-" + strconv.Itoa(g.IntN(60)))
	}
	return g.casing(g.pick("Authorization", "Content-Type", "Accept", "Range", "X", "X-A", "X-AA", "X-A-A"))
}

func (g generator) casing(name string) string {
	return g.pick(name, strings.ToLower(name), strings.ToUpper(name))
}

// origin returns one of those few that many policies and pages share parts of.
func (g generator) origin() string {
	host := g.pick("a", "b", "ab", "a-b", "com", "localhost")
	for range g.IntN(3) {
		host = g.pick("a", "b", "ab", "com", "example") + "." + host
	}
	if g.one(8) {
		host = g.pick("127.0.0.1", "[::1]", "[2001:db8::1]")
	}
	scheme, port := g.pick("https", "https", "http", "app"), g.pick("", "", "", ":8080", ":808", ":8", ":80", ":443", ":65535")
	if scheme+port == "http:80" || scheme+port == "https:443" {
		port = ""
	}
	return scheme + "://" + host + port
}

func (g generator) pattern() string {
	s := g.origin()
	scheme, host, _ := strings.Cut(s, "://")
	if _, rest, found := strings.Cut(host, "."); found && g.one(3) && !strings.HasPrefix(host, "127.") {
		host = "*." + rest
	}
	if g.one(4) {
		if i := strings.LastIndex(host, ":"); i >= 0 && !strings.HasSuffix(host, "]") {
			host = host[:i]
		}
		host += ":*"
	}
	return scheme + "://" + host
}

// page returns the origin of a page, or what comes near one that p allows.
func (g generator) page(p cors.Policy) string {
	if len(p.AllowedOrigins) == 0 || g.one(4) {
		return g.pick("null", g.origin(), g.origin(), "http://localhost:8080", "http://localhost:808",
			"http://api.example", "https://api.example", "https://api.example:8443", "https://api.exampl", "app://api.example")
	}
	s := g.pick(p.AllowedOrigins...)
	if s == "*" {
		s = g.origin()
	}
	s = strings.Replace(s, "*.", g.pick("", "a.", "b.", "a.b.", "example.a.com.b."), 1)
	s = strings.Replace(s, ":*", g.pick("", ":1", ":80", ":443", ":8080", ":65535", ":65536", ":08"), 1)
	if !g.one(3) {
		return s
	}
	i := g.IntN(len(s))
	switch extra := g.pick("a", "A", ".", "-", "1", "8", ":", "/", "*", "@", "?", "_", "com", "a.", ".a", ":80", "\xff"); g.IntN(4) {
	case 0:
		return s[:i] + extra + s[i:]
	case 1:
		return s[:i] + extra + s[i+1:]
	case 2:
		return s[:i] + s[i+1:]
	default:
		return s + extra
	}
}

func (g generator) request(p cors.Policy) corstest.Request {
	r := corstest.Request{
		Method: g.pick("GET", "HEAD", "POST", "PUT", "put", "DELETE", "PATCH", "patch", "OPTIONS", "PURGE", "purge", "Purge", "PURG", "*"),
		URL:    g.pick("https://api.example/", "http://api.example/", "http://localhost:8080/"),
		Header: make(http.Header),

		Credentials:    corstest.Credentials(g.IntN(3)),
		UploadListener: g.one(16),
	}
	if g.one(2) {
		r.Method = g.pick(append(p.AllowedMethods, "GET", "POST")...)
	}
	if method := normal(r.Method); method != "GET" && method != "HEAD" {
		r.Body = g.pick("", "{}")
		r.StreamBody = g.one(16)
	}
	for range g.dozens() {
		name := g.requestHeader()
		if len(p.AllowedHeaders) > 0 && !g.one(32) {
			name = g.casing(g.pick(p.AllowedHeaders...))
		}
		r.Header[name] = []string{g.pick("text/plain", "application/json", "bytes=0-", "(1)")}
	}
	return r
}

// TestPoliciesSwitchedUnderLoad replaces the policy while requests are served,
// and has careless code before and after the middleware overwrite all header
// values in place. Each response has to agree wholly with one policy. The race
// detector sees more of it.
func TestPoliciesSwitchedUnderLoad(t *testing.T) {
	t.Parallel()
	type answerKey struct{}
	policies := [2]cors.Policy{
		{
			AllowedOrigins: []string{"https://example-client.com", "https://*.a.example"},
			AllowedMethods: []string{"PUT", "DELETE"},
			AllowedHeaders: []string{"X-A"},
			ExposedHeaders: []string{"X-C"},
			MaxAge:         time.Minute,
			OnReject: func(r *http.Request, err *cors.RequestError) {
				r.Context().Value(answerKey{}).(*answer).report = err
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
		newRequest("GET"),
		newRequest("GET", friend),
		newRequest("PUT", "Origin: https://x.a.example"),
		newRequest("PUT", "Origin: https://x.b.example"),
		newRequest("POST", "Origin: https://api.example"),
		newRequest("OPTIONS", append(preflight, friend)...),
		newRequest("OPTIONS", append(preflight, stranger)...),
	}
	wants := make([][2]answer, len(requests))
	for i, r := range requests {
		for j, p := range policies {
			wants[i][j] = designedAnswer(p, r, before)
			if p.OnReject == nil {
				wants[i][j].report = nil
			}
		}
	}

	m := mustNew(t, policies[0])
	// The responses are looked at when the middleware is done with them.
	observe := func(w http.ResponseWriter, r *http.Request) {
		a := r.Context().Value(answerKey{}).(*answer)
		a.header = w.Header().Clone()
		scribble(w.Header())
	}
	inner := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Value(answerKey{}).(*answer).ran = true
		observe(w, r)
	}))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		vary := append(make([]string, 0, 8), before["Vary"]...)
		w.Header()["Vary"] = vary
		inner.ServeHTTP(w, r)
		if !r.Context().Value(answerKey{}).(*answer).ran {
			observe(w, r)
		}
		scribble(w.Header())
		if after := vary[:3]; after[2] != "" {
			t.Errorf("%q was written behind somebody else's slice", after[2])
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
				// Either policy has three of them.
				if p := m.Policy(); len(p.AllowedMethods)+len(p.AllowedHeaders) != 3 {
					t.Errorf("Policy returned parts of both: %+v", p)
				}
			}
		}
	}()
	var clients sync.WaitGroup
	var agreed [2]atomic.Int64
	for range 8 {
		clients.Go(func() {
			for range 300 {
				for i, r := range requests {
					var got answer
					w := httptest.NewRecorder()
					r = r.WithContext(context.WithValue(r.Context(), answerKey{}, &got))
					outer.ServeHTTP(w, r)
					got.status, got.body = w.Code, w.Body.String()
					switch {
					case sameAnswer(got, wants[i][0]):
						agreed[0].Add(1)
					case sameAnswer(got, wants[i][1]):
						agreed[1].Add(1)
					default:
						t.Errorf("%s %q: got %+v; want %+v, or %+v", r.Method, r.Header, got, wants[i][0], wants[i][1])
					}
				}
			}
		})
	}
	clients.Wait()
	close(done)
	t.Logf("%d responses agreed with one policy, %d with the other, which were switched %d times", agreed[0].Load(), agreed[1].Load(), <-switched)
}

// hostileMessages are what a hostile client may send on one HTTP/1.1 connection
// each, before it closes its half of it.
func hostileMessages() []string {
	const (
		start = "OPTIONS / HTTP/1.1\r\nHost: api.example\r\n"
		ask   = start + "Origin: https://example-client.com\r\nAccess-Control-Request-Method: PUT\r\n"
	)
	messages := []string{
		// Half-closed within a request, and after one.
		"", "OPTI", start, ask + "Access-Control-Request-Headers: x-cus", ask + "\r\n",
		// As many lines as fit.
		ask + strings.Repeat("Access-Control-Request-Headers: x-a\r\n", 20_000) + "\r\n",
		start + strings.Repeat("Origin: https://example-client.com\r\n", 20_000) + "\r\n",
		start + strings.Repeat("Access-Control-Request-Method: PUT\r\n", 20_000) + "\r\n",
		// Pipelined.
		strings.Repeat(ask+"\r\n", 300),
		strings.Repeat("GET / HTTP/1.1\r\nHost: api.example\r\nOrigin: https://evil.example\r\n\r\n", 300),
	}
	for _, name := range []string{"Origin", "Sec-Fetch-Site", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
		for _, value := range []string{
			// As long as net/http takes, and longer.
			strings.Repeat("a", 1<<20), strings.Repeat("a.", 1<<19), strings.Repeat("x-a,", 1<<18), strings.Repeat("a", 2<<20),
			"\x00", "\x01\x7f", "a\tb", "\x1b[31m", "\xff\xfe", "https://\xc3\x28.example", "\u202ehttps://example-client.com", " ", ",", "\v", "a\rb",
		} {
			messages = append(messages, ask+name+": "+value+"\r\n\r\n", start+name+": "+value+"\r\n\r\n")
		}
	}
	return messages
}

// sendHostile sends message to the HTTP/1.1 server at address, closes that half
// of the connection, and returns what comes back.
func sendHostile(address, message string) ([]byte, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		// The server may close the connection before it has read all.
		if _, err := io.WriteString(conn, message); err == nil {
			conn.(*net.TCPConn).CloseWrite()
		}
	}()
	received, err := io.ReadAll(conn)
	conn.Close()
	<-sent
	return received, ifTimeout(err)
}

// ifTimeout returns err if it is that a deadline has passed. How else the
// server ends a connection is its choice.
func ifTimeout(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// sendHostile2 sends a preflight with the header name: value to the HTTP/2
// server at address, in frames written by hand, since http.Transport refuses
// some values. It waits until the server answers or gives up.
func sendHostile2(address, name, value string) error {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))

	// Literal header fields without indexing (RFC 7541, section 6.2.2).
	var block []byte
	for _, field := range [][2]string{
		{":method", "OPTIONS"}, {":scheme", "https"}, {":path", "/"}, {":authority", "api.example"},
		{"origin", "https://example-client.com"}, {"access-control-request-method", "PUT"}, {strings.ToLower(name), value},
	} {
		block = append(block, 0)
		for _, s := range field {
			if len(s) < 127 {
				block = append(block, byte(len(s)))
			} else {
				block = binary.AppendUvarint(append(block, 127), uint64(len(s)-127))
			}
			block = append(block, s...)
		}
	}
	const data, headers, rstStream, settings, goAway, continuation = 0x0, 0x1, 0x3, 0x4, 0x7, 0x9
	const endStream, endHeaders = 0x1, 0x4
	message := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	frame := func(kind, flags byte, stream uint32, payload []byte) {
		message = append(message, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags)
		message = append(binary.BigEndian.AppendUint32(message, stream), payload...)
	}
	frame(settings, 0, 0, nil)
	kind, flags := byte(headers), byte(endStream)
	for rest := block; ; {
		part := rest[:min(len(rest), 16<<10)]
		if rest = rest[len(part):]; len(rest) == 0 {
			frame(kind, flags|endHeaders, 1, part)
			break
		}
		frame(kind, flags, 1, part)
		kind, flags = continuation, 0
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		conn.Write(message)
	}()
	defer func() { conn.Close(); <-sent }()
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, head); err != nil {
			return ifTimeout(err)
		}
		if _, err := io.CopyN(io.Discard, conn, int64(head[0])<<16|int64(head[1])<<8|int64(head[2])); err != nil {
			return ifTimeout(err)
		}
		switch kind, flags := head[3], head[4]; {
		case kind == rstStream, kind == goAway, (kind == headers || kind == data) && flags&endStream != 0:
			return nil
		}
	}
}

// honestRequests are what an honest client sends, with the answers it should
// get under examplePolicy.
var honestRequests = []struct {
	method string
	header []string
	status int
	want   []string
}{
	{"GET", nil, 200, []string{"Vary: Origin"}},
	{"PUT", []string{friend}, 200, []string{"Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"}},
	{
		"OPTIONS", []string{friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-custom-header"}, 204,
		[]string{
			"Access-Control-Allow-Headers: X-Custom-Header", "Access-Control-Allow-Methods: PUT",
			"Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin",
		},
	},
	{"PUT", []string{stranger}, 403, []string{"Vary: Origin"}},
}

// sendHonest sends request i of honestRequests to url, and returns the status
// and the header lines of the answer that matter to CORS.
func sendHonest(client *http.Client, url string, i int) (int, []string, error) {
	r, err := http.NewRequest(honestRequests[i].method, url, nil)
	if err != nil {
		return 0, nil, err
	}
	for _, line := range honestRequests[i].header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	got := slices.DeleteFunc(lines(resp.Header), func(line string) bool {
		return !strings.HasPrefix(line, "Access-Control-") && !strings.HasPrefix(line, "Vary: ")
	})
	return resp.StatusCode, got, err
}

// newServers starts an HTTP/1.1 server and an HTTP/2 server of h, which do not
// log.
func newServers(h http.Handler) (http1, http2 *httptest.Server) {
	http1, http2 = httptest.NewUnstartedServer(h), httptest.NewUnstartedServer(h)
	for _, server := range []*httptest.Server{http1, http2} {
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
	}
	http2.EnableHTTP2 = true
	http1.Start()
	http2.StartTLS()
	return http1, http2
}

// TestHostileLoad has hostile clients send all that hostileMessages holds, over
// both versions of HTTP, while honest ones look at their answers. When all is
// over, no memory is held that was not held before.
func TestHostileLoad(t *testing.T) {
	p := examplePolicy
	p.OnReject = func(*http.Request, *cors.RequestError) {}
	wrapped := mustNew(t, p).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("panic: %v", v)
			}
		}()
		wrapped.ServeHTTP(w, r)
	})
	messages := hostileMessages()
	status := regexp.MustCompile(`(?m)^HTTP/1.1 (\d+) `)

	round := func() {
		http1, http2 := newServers(h)
		// This waits until all connections are closed.
		defer http2.Close()
		defer http1.Close()
		var hostile, honest sync.WaitGroup
		hostile.Go(func() {
			for _, message := range messages {
				received, err := sendHostile(http1.Listener.Addr().String(), message)
				if err != nil {
					t.Error(err)
				}
				if len(received) > 300*512 {
					t.Errorf("%d bytes were sent in answer to %.100q", len(received), message)
				}
				for _, match := range status.FindAllSubmatch(received, -1) {
					if s := string(match[1]); !slices.Contains([]string{"200", "204", "400", "403", "431"}, s) {
						t.Errorf("status %s in answer to %.100q", s, message)
					}
				}
			}
		})
		hostile.Go(func() {
			for _, name := range []string{"Origin", "Sec-Fetch-Site", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
				for _, value := range []string{strings.Repeat("a,", 1<<19-1<<10), strings.Repeat("a", 2<<20), "\x00", "a\r\nb", "\xff\xfe", ""} {
					if err := sendHostile2(http2.Listener.Addr().String(), name, value); err != nil {
						t.Error(err)
					}
				}
			}
		})
		done := make(chan struct{})
		for _, server := range []*httptest.Server{http1, http2} {
			honest.Go(func() {
				for i := 0; ; i = (i + 1) % len(honestRequests) {
					code, got, err := sendHonest(server.Client(), server.URL, i)
					want := honestRequests[i]
					if err != nil || code != want.status || !slices.Equal(got, want.want) {
						t.Errorf("%s %q: got %d, %q, %v; want %d, %q", want.method, want.header, code, got, err, want.status, want.want)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		hostile.Wait()
		close(done)
		honest.Wait()
	}
	live := func() uint64 {
		// Pools are emptied by the second collection.
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}

	round()
	before := live()
	for range 2 {
		round()
	}
	after := live()
	runtime.KeepAlive(messages)
	t.Logf("%d bytes of memory were live before the load, %d after", before, after)
	if after > before+2<<20 {
		t.Error("that is too much more")
	}
}

// BenchmarkHostileLoad compares how many honest requests a second are answered
// while a hostile client sends all that hostileMessages holds: by a bare handler
// and with the middleware around it, in turns. Run it with -benchtime=50x or
// more.
func BenchmarkHostileLoad(b *testing.B) {
	bare := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	servers := make([]*httptest.Server, 2)
	for i, h := range []http.Handler{bare, mustNew(b, examplePolicy).Handler(bare)} {
		http1, http2 := newServers(h)
		defer http1.Close()
		defer http2.Close()
		servers[i] = http1
	}
	messages := hostileMessages()
	answered := func(server *httptest.Server) float64 {
		var honest sync.WaitGroup
		var requests atomic.Int64
		done := make(chan struct{})
		start := time.Now()
		for range 2 {
			honest.Go(func() {
				for i := 0; ; i = (i + 1) % len(honestRequests) {
					select {
					case <-done:
						return
					default:
					}
					if _, _, err := sendHonest(server.Client(), server.URL, i); err != nil {
						b.Error(err)
						return
					}
					requests.Add(1)
				}
			})
		}
		for _, message := range messages {
			sendHostile(server.Listener.Addr().String(), message)
		}
		close(done)
		honest.Wait()
		return float64(requests.Load()) / time.Since(start).Seconds()
	}
	var rates [2][]float64
	var ratios []float64
	for n := 0; b.Loop(); n++ {
		for i := range rates {
			i = (i + n) % 2
			rates[i] = append(rates[i], answered(servers[i]))
		}
		ratios = append(ratios, rates[1][n]/rates[0][n])
	}
	median := func(list []float64) float64 {
		slices.Sort(list)
		return list[len(list)/2]
	}
	b.ReportMetric(median(rates[0]), "bare-req/s")
	b.ReportMetric(median(rates[1]), "wrapped-req/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
}

// TestRequestKeepsItsPolicy has the policy replaced in the middle of requests.
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
	steady := mustNew(t, p)
	var m cors.Middleware
	replacing := p
	replacing.AllowOriginFunc = func(r *http.Request, origin string) bool {
		m.SetPolicy(other)
		return p.AllowOriginFunc(r, origin)
	}
	for _, header := range [][]string{{friend}, {stranger}} {
		for _, method := range []string{"GET", "OPTIONS"} {
			r := newRequest(method, append(header, "Access-Control-Request-Method: PUT")...)
			if err := m.SetPolicy(replacing); err != nil {
				t.Fatal(err)
			}
			got, gotRan := serve(&m, r)
			want, wantRan := serve(steady, r)
			if gotRan != wantRan || got.Code != want.Code || !slices.Equal(lines(got.Header()), lines(want.Header())) {
				t.Errorf("%s %q: got %d, %q; want %d, %q", method, header, got.Code, lines(got.Header()), want.Code, lines(want.Header()))
			}
			if len(m.Policy().AllowedOrigins) == 0 {
				t.Errorf("%s %q: the policy was not replaced", method, header)
			}
		}
	}
}
