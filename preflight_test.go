package cors_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

func TestExchangeOnTheWire(t *testing.T) {
	t.Parallel()
	ran := 0
	server := httptest.NewServer(testkit.MustNew(t, testkit.ExamplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		"Cache-Control: no-store\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\n" +
		"Vary: Origin\r\n" +
		"X-Content-Type-Options: nosniff\r\n" +
		"Date: *\r\n" +
		"Content-Length: 73\r\n" +
		"\r\n" +
		testkit.Rejection
	tests := []struct {
		name, send, want string
		ran              int // number of calls of the handler so far
	}{
		{
			"responds to the preflight with the policy", preflightFrom(testkit.Friend),
			"HTTP/1.1 204 No Content\r\n" +
				"Access-Control-Allow-Headers: X-Custom-Header\r\n" +
				"Access-Control-Allow-Methods: PUT\r\n" +
				"Access-Control-Allow-Origin: https://example-client.com\r\n" +
				"Vary: Origin\r\n" +
				"Date: *\r\n" +
				"\r\n", 0,
		},
		{
			"runs the actual request", putFrom(testkit.Friend),
			"HTTP/1.1 200 OK\r\n" +
				"Access-Control-Allow-Origin: https://example-client.com\r\n" +
				"Content-Type: application/json\r\n" +
				"Vary: Origin\r\n" +
				"Date: *\r\n" +
				"Content-Length: 16\r\n" +
				"\r\n" +
				`{"updated":true}`, 1,
		},
		{"rejects the preflight from another origin", preflightFrom(testkit.Stranger), forbidden, 1},
		{"rejects the actual request from another origin", putFrom(testkit.Stranger), forbidden, 1},
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
			t.Errorf("%s: the handler ran %d times, want %d", test.name, ran, test.ran)
		}
	}
	conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(conn); len(rest) > 0 || err != nil {
		t.Errorf("after the last response, got %q, %v", rest, err)
	}
}

func TestExchangeOverHTTP2(t *testing.T) {
	t.Parallel()
	ran := 0
	server := httptest.NewUnstartedServer(testkit.MustNew(t, testkit.ExamplePolicy).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran++
		io.Copy(w, r.Body)
	})))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for _, test := range []struct {
		name, method, origin string
		status, ran          int
		want                 string // body
	}{
		{"responds to the preflight", "OPTIONS", testkit.Friend, 204, 0, ""},
		{"serves the actual request", "PUT", testkit.Friend, 200, 1, "body"},
		{"rejects the preflight from another origin", "OPTIONS", testkit.Stranger, 403, 1, testkit.Rejection},
		{"rejects the actual request from another origin", "PUT", testkit.Stranger, 403, 1, testkit.Rejection},
	} {
		r, err := http.NewRequest(test.method, server.URL, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = testkit.NewRequest(test.method, test.origin, "Access-Control-Request-Method: PUT").Header
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.ProtoMajor != 2 || resp.StatusCode != test.status || string(got) != test.want || ran != test.ran || err != nil {
			t.Errorf("%s: got HTTP/%d, %d, %q, %v, and the handler ran %d times", test.name, resp.ProtoMajor, resp.StatusCode, got, err, ran)
		}
	}
}

func TestCheckPreflights(t *testing.T) {
	t.Parallel()
	explicit := cors.Policy{AllowedMethods: []string{"PUT", "PATCH"}, AllowedHeaders: []string{"Authorization", "X-Custom-Header", "Content-Type"}}
	wild := cors.Policy{AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}}
	wildAuthorization := cors.Policy{AllowedHeaders: []string{"*", "Authorization"}}
	wildCredentials := cors.Policy{AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, AllowCredentials: true}
	const (
		method  = "Access-Control-Request-Method"
		headers = "Access-Control-Request-Headers"
		put     = method + ": PUT"
	)
	type fault struct{ field, value string }
	// The three names have 40 bytes. A ", " after each name adds 6 bytes, and
	// the limit is 512 bytes more.
	longest := "authorization,x-custom-header,content-type"
	longest += strings.Repeat(" ", 40+6+512-len(longest))
	megabyte := strings.Repeat("x-custom-header,", 1<<16)

	for _, test := range []struct {
		name   string
		policy cors.Policy
		header []string
		want   fault // zero if allowed
	}{
		{"a listed method", explicit, []string{put}, fault{}},
		{"GET", explicit, []string{method + ": GET"}, fault{}},
		{"HEAD", explicit, []string{method + ": HEAD"}, fault{}},
		{"POST", explicit, []string{method + ": POST"}, fault{}},
		{"another method", explicit, []string{method + ": DELETE"}, fault{method, "DELETE"}},
		{"a listed method in another case", explicit, []string{method + ": patch"}, fault{method, "patch"}},
		{"a safelisted method in another case", explicit, []string{method + ": get"}, fault{method, "get"}},
		{"an empty method", explicit, []string{method + ": "}, fault{method, ""}},
		{"two methods", explicit, []string{put, method + ": PATCH"}, fault{method, "PUT, PATCH"}},
		{"any method", wild, []string{method + ": FOO"}, fault{}},
		{"any method, but not a malformed one", wild, []string{method + ": F O"}, fault{method, "F O"}},
		{"any method, but not an empty one", wild, []string{method + ": "}, fault{method, ""}},
		{"any method of 8 KiB", wild, []string{method + ": " + strings.Repeat("x", 8<<10)}, fault{}},
		{"any method, but not one over 8 KiB", wild, []string{method + ": " + strings.Repeat("x", 8<<10+1)}, fault{method, strings.Repeat("x", 512)}},
		{"any method with credentials", wildCredentials, []string{method + ": FOO"}, fault{}},

		{"listed headers", explicit, []string{put, headers + ": authorization,content-type,x-custom-header"}, fault{}},
		{"no header", explicit, []string{put, headers + ": "}, fault{}},
		{"headers in another order and case", explicit, []string{put, headers + ": X-Custom-Header,AUTHORIZATION"}, fault{}},
		{"headers with white space and empty elements", explicit, []string{put, headers + ": ,\t x-custom-header \t,, authorization ,"}, fault{}},
		{"headers on several lines", explicit, []string{put, headers + ": authorization", headers + ": x-custom-header, content-type"}, fault{}},
		{"a repeated header", explicit, []string{put, headers + ": authorization,authorization"}, fault{}},
		{"another header", explicit, []string{put, headers + ": authorization,x-nope,x-no"}, fault{headers, "x-nope"}},
		{"another header on a later line", explicit, []string{put, headers + ": authorization", headers + ": x-nope"}, fault{headers, "x-nope"}},
		{"a prefix of a listed header", explicit, []string{put, headers + ": x-custom-heade"}, fault{headers, "x-custom-heade"}},
		{"a listed header with a letter added", explicit, []string{put, headers + ": x-custom-headers"}, fault{headers, "x-custom-headers"}},
		{"white space within a name", explicit, []string{put, headers + ": x-custom -header"}, fault{headers, "x-custom -header"}},
		{"other white space", explicit, []string{put, headers + ": authorization,\vx-custom-header"}, fault{headers, "\vx-custom-header"}},
		{"the longest list", explicit, []string{put, headers + ": " + longest}, fault{}},
		{"a list that is one byte too long", explicit, []string{put, headers + ": " + longest + " "}, fault{headers, longest[:512]}},
		{"the longest list on two lines", explicit, []string{put, headers + ": " + longest[:len(longest)-1], headers + ": "}, fault{}},
		{"a list that is too long on two lines", explicit, []string{put, headers + ": " + longest, headers + ": "}, fault{headers, longest[:512]}},
		{"an empty element before another header", explicit, []string{put, headers + ": ,x-nope"}, fault{headers, "x-nope"}},
		{"many empty lines", explicit, append([]string{put}, slices.Repeat([]string{headers + ": "}, 66)...), fault{}},
		{"a list that is too long with another header", explicit, []string{put, headers + ": authorization,x-nope," + megabyte}, fault{headers, "x-nope"}},
		{"a list of a megabyte", explicit, []string{put, headers + ": " + megabyte}, fault{headers, megabyte[:512]}},

		{"any header", wild, []string{put, headers + ": x-a,x-b"}, fault{}},
		{"any header, but not Authorization", wild, []string{put, headers + ": x-a,authorization"}, fault{headers, "authorization"}},
		{"any header, but not Authorization in another case", wild, []string{put, headers + ": AUTHORIZATION"}, fault{headers, "AUTHORIZATION"}},
		{"any header, and Authorization", wildAuthorization, []string{method + ": POST", headers + ": x-a,authorization"}, fault{}},
		{"any header, but not a malformed one", wild, []string{put, headers + ": x-a,x b"}, fault{headers, "x b"}},
		{"any header, but not a long malformed one", wild, []string{put, headers + ": x " + strings.Repeat("x", 600)}, fault{headers, "x " + strings.Repeat("x", 510)}},
		{"any header, but not a megabyte", wild, []string{put, headers + ": " + megabyte}, fault{headers, megabyte[:512]}},
		{"any header with credentials", wildCredentials, []string{put, headers + ": x-a,authorization"}, fault{}},
		{"any header with credentials, but not a malformed one", wildCredentials, []string{put, headers + ": x-a,x b"}, fault{headers, "x b"}},
		{"any header with credentials, but not on too many lines", wildCredentials, append([]string{put}, strings.Split(strings.Repeat(headers+": x\n", 64)+headers+": y", "\n")...), fault{headers, "x, x"}},
		{"the method is checked before the headers", explicit, []string{method + ": FOO", headers + ": x-nope"}, fault{method, "FOO"}},
	} {
		test.policy.AllowedOrigins = testkit.ExamplePolicy.AllowedOrigins
		err := testkit.MustNew(t, test.policy).Check(testkit.NewRequest("OPTIONS", append(test.header, testkit.Friend)...))
		var got *cors.RequestError
		if !errors.As(err, &got) {
			if test.want != (fault{}) {
				t.Errorf("%s: allowed, want %+v", test.name, test.want)
			}
			continue
		}
		if got := (fault{got.Field, got.Value}); got != test.want {
			t.Errorf("%s: got %.600v, want %.600v", test.name, got, test.want)
		}
		if !got.Preflight {
			t.Errorf("%s: the field Preflight of the error is false", test.name)
		}
	}
}

// rs/cors 170: a long Access-Control-Request-Headers made the server allocate
// without bound.
func TestFieldBugLongRequestHeaders(t *testing.T) {
	for _, p := range []cors.Policy{
		{AllowedHeaders: []string{"X-A", "X-B"}},
		{AllowedHeaders: []string{"*"}},
		{AllowedHeaders: []string{"*"}, AllowCredentials: true},
	} {
		p.AllowedOrigins = testkit.ExamplePolicy.AllowedOrigins
		reports := 0
		p.OnReject = func(*http.Request, *cors.RequestError) { reports++ }
		m := testkit.MustNew(t, p)
		for _, lines := range [][]string{
			{strings.Repeat("x-a,", 1<<18)},
			{strings.Repeat("X", 1<<20)},
			{strings.Repeat(",", 1<<20)},
			slices.Repeat([]string{"x-a"}, 1<<16),
		} {
			r := testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: GET")
			r.Header["Access-Control-Request-Headers"] = lines
			h := m.Handler(http.NotFoundHandler())
			w := testkit.NewRecorder()
			if n := testkit.AllocatedBytes(1, func() { w.Reset(); h.ServeHTTP(w, r) }); n > 4<<10 {
				t.Errorf("%q, %d lines beginning with %.10q: %v bytes allocated", p.AllowedHeaders, len(lines), lines[0], n)
			}
			if len(w.Header()["Access-Control-Allow-Headers"]) > 1 || reports == 0 {
				t.Errorf("%q, %d lines beginning with %.10q: got %d lines, reported %d times",
					p.AllowedHeaders, len(lines), lines[0], len(w.Header()["Access-Control-Allow-Headers"]), reports)
			}
			reports = 0
		}
	}
}

// Found in this package: if the policy also listed "*", a preflight for 700
// listed names was too long.
func TestFieldBugManyHeadersWithWildcard(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 700 {
		names = append(names, fmt.Sprintf("x-header-%d", i))
	}
	for _, wildcard := range []string{"X-Other", "*"} {
		for _, credentials := range []bool{false, true} {
			p := cors.Policy{AllowedOrigins: testkit.ExamplePolicy.AllowedOrigins, AllowedHeaders: append(slices.Clip(names), wildcard), AllowCredentials: credentials}
			r := testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: "+strings.Join(names, ","))
			if err := testkit.MustNew(t, p).Check(r); err != nil {
				t.Errorf("with %q and AllowCredentials %t: %.100v", wildcard, credentials, err)
			}
		}
	}
}

// rs/cors 174: request headers were rejected if they were not sorted and
// lowercase.
func TestFieldBugRequestHeadersUnsorted(t *testing.T) {
	t.Parallel()
	p := cors.Policy{AllowedOrigins: []string{"https://example-client.com", "https://example.com"}, AllowedHeaders: []string{"Content-Type", "authorization", "X-Request-Id"}}
	m := testkit.MustNew(t, p)
	for _, names := range []string{
		"Authorization", "AUTHORIZATION", "authorization,content-type,x-request-id", "x-request-id,content-type,authorization",
		"X-Request-ID, Authorization", "content-type , authorization", "authorization,authorization",
	} {
		if err := testkit.CheckRequestHeaders(m, []string{names}); err != nil {
			t.Errorf("Check rejects %q: %v", names, err)
		}
		w, _ := testkit.Serve(m, testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: "+names))
		if got, want := w.Header().Get("Access-Control-Allow-Headers"), "Content-Type, Authorization, X-Request-Id"; w.Code != 204 || got != want {
			t.Errorf("%q: got %d, Access-Control-Allow-Headers: %q; want 204, %q", names, w.Code, got, want)
		}
	}
}

// readest 5444: "*" does not cover Authorization, so 43 % of all requests were
// preflights.
func TestFieldBugAuthorizationUnderWildcard(t *testing.T) {
	t.Parallel()
	ask := []string{testkit.Friend, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"}
	for _, test := range []struct {
		policy cors.Policy
		want   string
	}{
		{cors.Policy{AllowedHeaders: []string{"X-A", "Authorization"}}, "X-A, Authorization"},
		{cors.Policy{AllowedHeaders: []string{"*", "Authorization"}}, "*, Authorization"},
		{cors.Policy{AllowedHeaders: []string{"*"}, AllowCredentials: true}, "authorization"},
	} {
		test.policy.AllowedOrigins = testkit.ExamplePolicy.AllowedOrigins
		m := testkit.MustNew(t, test.policy)
		w, _ := testkit.Serve(m, testkit.NewRequest("OPTIONS", ask...))
		if got := w.Header().Get("Access-Control-Allow-Headers"); got != test.want {
			t.Errorf("%q: Access-Control-Allow-Headers is %q, want %q", test.policy.AllowedHeaders, got, test.want)
		}
		if err := m.Check(testkit.NewRequest("OPTIONS", ask...)); err != nil {
			t.Errorf("%q: Check rejects a header that the response allows: %v", test.policy.AllowedHeaders, err)
		}
	}
	m := testkit.MustNew(t, cors.Policy{AllowedOrigins: testkit.ExamplePolicy.AllowedOrigins, AllowedHeaders: []string{"*"}})
	if m.Check(testkit.NewRequest("OPTIONS", ask...)) == nil {
		t.Error(`under "*", Check allows Authorization, but browsers do not`)
	}
}

// gorilla/handlers 111: the next handler ran for a rejected preflight.
func TestFieldBugRejectedPreflightPassedOn(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, testkit.ExamplePolicy)
	for _, header := range [][]string{
		{testkit.Stranger, "Access-Control-Request-Method: PUT"},
		{testkit.Stranger, "Access-Control-Request-Method: "},
		{testkit.Stranger, "Access-Control-Request-Method: PUT", "Sec-Fetch-Site: same-origin"},
		{"Origin: https://api.example", "Access-Control-Request-Method: PUT"},
		{testkit.Friend, testkit.Friend, "Access-Control-Request-Method: PUT"},
		{testkit.Friend, "Access-Control-Request-Method: FOO"},
		{testkit.Friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-nope"},
	} {
		if w, ran := testkit.Serve(m, testkit.NewRequest("OPTIONS", header...)); ran {
			t.Errorf("%q: the handler ran; got %d", header, w.Code)
		}
	}
}

// rs/cors 185, golang/go 61410: a pattern with a method responds to OPTIONS
// with 405 before the request reaches a middleware inside it.
func TestFieldBugMethodPatternHidesPreflight(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, testkit.ExamplePolicy)
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
		r := testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: POST")
		r.URL.Path = test.path
		w := httptest.NewRecorder()
		test.mux.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s: got %d, want %d", test.name, w.Code, test.want)
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
		want   []string // without the origin and credentials
	}{
		{"echoes the requested names", both, []string{methodLine + "FOO", headerLine + "x-a,x-b"}, []string{allHeaders + "x-a,x-b", allMethods + "FOO", varyAll}},
		{"echoes after the listed names", listed, []string{methodLine + "FOO", headerLine + "x-a"}, []string{allHeaders + "Authorization", allHeaders + "x-a", allMethods + "FOO", allMethods + "PUT", varyAll}},
		{"does not echo listed names", listed, []string{methodLine + "PUT"}, []string{allHeaders + "Authorization", allMethods + "PUT", varyAll}},
		{"keeps the lines of the request", both, []string{methodLine + "FOO", headerLine + "x-a", headerLine + "x-b, x-c"}, []string{allHeaders + "x-a", allHeaders + "x-b, x-c", allMethods + "FOO", varyAll}},
		{"echoes nothing for empty headers", both, []string{methodLine, headerLine, headerLine}, []string{varyAll}},
		{"does not echo a malformed method", both, []string{methodLine + "a b"}, []string{varyAll}},
		{"does not echo a malformed method if only the method is echoed", cors.Policy{AllowedMethods: []string{"*"}}, []string{methodLine + "a b"}, []string{"Vary: Origin, Access-Control-Request-Method"}},
		{"does not echo two methods", both, []string{methodLine + "A", methodLine + "B"}, []string{varyAll}},
		{"does not echo malformed headers", both, []string{methodLine + "PUT", headerLine + "x-a,b c"}, []string{allMethods + "PUT", varyAll}},
		{"does not echo malformed headers if only headers are echoed", cors.Policy{AllowedHeaders: []string{"*"}}, []string{methodLine + "GET", headerLine + "b c"}, []string{"Vary: Origin, Access-Control-Request-Headers"}},
		{"echoes a line after an empty one", both, []string{methodLine + "PUT", headerLine, headerLine + "x-a"}, []string{allHeaders, allHeaders + "x-a", allMethods + "PUT", varyAll}},
		{"echoes 8 KiB", both, []string{methodLine + "PUT", headerLine + long}, []string{allHeaders + long, allMethods + "PUT", varyAll}},
		{"does not echo more than 8 KiB", both, []string{methodLine + "PUT", headerLine + long + "x"}, []string{allMethods + "PUT", varyAll}},
		{"does not echo more than 8 KiB on several lines", both, []string{methodLine + "PUT", headerLine + long, headerLine}, []string{allMethods + "PUT", varyAll}},
		{"does not echo a method over 8 KiB", both, []string{methodLine + long + "x"}, []string{varyAll}},
		{
			"echoes 64 lines", both, append([]string{methodLine + "PUT"}, slices.Repeat([]string{headerLine + "a"}, 64)...),
			append(slices.Repeat([]string{allHeaders + "a"}, 64), allMethods+"PUT", varyAll),
		},
		{"does not echo 65 lines", both, append([]string{methodLine + "PUT"}, slices.Repeat([]string{headerLine + "a"}, 65)...), []string{allMethods + "PUT", varyAll}},
		{"does not echo 65 lines of which the last is empty", both, append(append([]string{methodLine + "PUT"}, slices.Repeat([]string{headerLine + "a"}, 64)...), headerLine), []string{allMethods + "PUT", varyAll}},
		{
			"does not vary with the requested headers if only the method is echoed", cors.Policy{AllowedMethods: []string{"*"}},
			[]string{methodLine + "PUT", headerLine + "x-a"}, []string{allMethods + "PUT", "Vary: Origin, Access-Control-Request-Method"},
		},
		{
			"does not vary with the requested method if only the headers are echoed", cors.Policy{AllowedHeaders: []string{"*"}},
			[]string{methodLine + "PUT", headerLine + "x-a"}, []string{allHeaders + "x-a", "Vary: Origin, Access-Control-Request-Headers"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.policy.AllowedOrigins = testkit.ExamplePolicy.AllowedOrigins
			test.policy.AllowCredentials = true
			w, _ := testkit.Serve(testkit.MustNew(t, test.policy), testkit.NewRequest("OPTIONS", append(test.header, testkit.Friend)...))
			want := append([]string{"Access-Control-Allow-Credentials: true", "Access-Control-Allow-Origin: https://example-client.com"}, test.want...)
			slices.Sort(want)
			if got := testkit.Lines(w.Header()); !slices.Equal(got, want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
			for name, values := range w.Header() {
				if len(values) == 0 {
					t.Errorf("%s is set without a value", name)
				}
			}
			if order := w.Header()["Access-Control-Allow-Methods"]; len(order) == 2 && order[0] != "PUT" {
				t.Errorf("the requested method is not last in %q", order)
			}
		})
	}
}

func TestWildcardsWithoutCredentials(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, cors.Policy{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{"*"},
		AllowedHeaders: []string{"*", "authorization"},
		ExposedHeaders: []string{"*"},
	})
	w, _ := testkit.Serve(m, testkit.NewRequest("OPTIONS", testkit.Stranger, "Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x-a"))
	want := []string{"Access-Control-Allow-Headers: *, Authorization", "Access-Control-Allow-Methods: *", "Access-Control-Allow-Origin: *"}
	if got := testkit.Lines(w.Header()); !slices.Equal(got, want) {
		t.Errorf("a preflight got %q, want %q", got, want)
	}
	w, _ = testkit.Serve(m, testkit.NewRequest("GET", testkit.Stranger))
	if got := w.Header().Get("Access-Control-Expose-Headers"); got != "*" {
		t.Errorf("an actual request got Access-Control-Expose-Headers: %s, want *", got)
	}
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{0: "", -1: "0", -time.Hour: "0", time.Second: "1", 24 * time.Hour: "86400"} {
		w, _ := testkit.Serve(testkit.MustNew(t, cors.Policy{AllowedOrigins: testkit.ExamplePolicy.AllowedOrigins, MaxAge: age}), testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: PUT"))
		if got := w.Header().Get("Access-Control-Max-Age"); got != want {
			t.Errorf("MaxAge %v is sent as %q, want %q", age, got, want)
		}
	}
}

// Found in this package: the Value of a RequestError kept the whole origin of
// 900 KB in memory.
func TestFieldBugKeptValueHoldsTheRequest(t *testing.T) {
	m := testkit.MustNew(t, testkit.ExamplePolicy)
	var kept []error
	before := testkit.LiveBytes()
	for range 60 {
		kept = append(kept,
			m.Check(testkit.NewRequest("GET", "Origin: https://"+strings.Repeat("a", 900<<10))),
			m.Check(testkit.NewRequest("POST", "Sec-Fetch-Site: "+strings.Repeat("a", 900<<10))),
			m.Check(testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: "+strings.Repeat("A", 900<<10))),
			m.Check(testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: "+strings.Repeat("a", 900<<10))),
			m.Check(testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-bad,"+strings.Repeat("a", 900<<10))),
			m.Check(testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: A", "Access-Control-Request-Method: "+strings.Repeat("A", 900<<10))))
	}
	if used := testkit.LiveBytes() - before; used > 1<<20 {
		t.Errorf("%d errors keep %d bytes in memory", len(kept), used)
	}
	for _, err := range kept {
		if e, ok := err.(*cors.RequestError); !ok || len(e.Value) != 512 && e.Value != "x-bad" {
			t.Fatalf("got %.100v", err)
		}
	}
}

func TestOnRejectReportsTheMethodFirst(t *testing.T) {
	t.Parallel()
	for _, p := range []cors.Policy{
		{AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"X-A"}},
		{AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"*"}, AllowCredentials: true},
	} {
		p.AllowedOrigins = testkit.ExamplePolicy.AllowedOrigins
		w := testkit.NewRecorder()
		var reports []*cors.RequestError
		p.OnReject = func(_ *http.Request, err *cors.RequestError) {
			reports = append(reports, err)
			if len(w.Header()) > 0 {
				t.Errorf("OnReject is called after the response header is set to %v", w.Header())
			}
		}
		r := testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: FOO", "Access-Control-Request-Headers: x y")
		testkit.MustNew(t, p).Handler(http.NotFoundHandler()).ServeHTTP(w, r)
		if len(reports) != 1 || reports[0].Field != "Access-Control-Request-Method" || reports[0].Value != "FOO" {
			t.Errorf("%+v: OnReject is called with %v", p, reports)
		}
	}
}

func TestEchoIsReadBeforeOnReject(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, cors.Policy{
		AllowedOrigins:   testkit.ExamplePolicy.AllowedOrigins,
		AllowedMethods:   []string{"*"},
		AllowCredentials: true,
		OnReject:         func(r *http.Request, _ *cors.RequestError) { clear(r.Header) },
	})
	w, _ := testkit.Serve(m, testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-bad"))
	if got := w.Header().Get("Access-Control-Allow-Methods"); got != "PUT" {
		t.Errorf("the response to a preflight for PUT allows %q", got)
	}
}

func TestFunctionCannotAllowRequestsWithoutOrigin(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, cors.Policy{AllowOriginFunc: anyFunc})
	if err := m.Check(testkit.NewRequest("POST", "Sec-Fetch-Site: cross-site")); err == nil {
		t.Error("a cross-site POST without Origin is allowed")
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
		{"an allowed origin", "DELETE", []string{testkit.Friend}, nil},
		{"the server's own origin", "POST", []string{"Origin: https://api.example"}, nil},
		{"another origin", "GET", []string{testkit.Stranger}, &cors.RequestError{Field: "Origin", Value: "https://evil.example"}},
		{"another origin's preflight", "OPTIONS", []string{testkit.Stranger, "Access-Control-Request-Method: PUT"}, &cors.RequestError{Preflight: true, Field: "Origin", Value: "https://evil.example"}},
		{"two origins", "GET", []string{testkit.Friend, testkit.Stranger}, &cors.RequestError{Field: "Origin", Value: "https://example-client.com, https://evil.example"}},
		{
			"a preflight with two origins", "OPTIONS", []string{testkit.Friend, testkit.Stranger, "Access-Control-Request-Method: PUT"},
			&cors.RequestError{Preflight: true, Field: "Origin", Value: "https://example-client.com, https://evil.example"},
		},
		{"OPTIONS from another origin", "OPTIONS", []string{testkit.Stranger}, &cors.RequestError{Field: "Origin", Value: "https://evil.example"}},
		{"repeated Sec-Fetch-Site without Origin", "POST", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: none"}, &cors.RequestError{Field: "Sec-Fetch-Site", Value: "cross-site, none"}},
		{"a long origin", "GET", []string{"Origin: " + long}, &cors.RequestError{Field: "Origin", Value: long[:512]}},
		{"two long origins", "GET", []string{"Origin: " + long, "Origin: " + long}, &cors.RequestError{Field: "Origin", Value: long[:512]}},
		{"an empty and another origin", "GET", []string{"Origin: ", testkit.Stranger}, &cors.RequestError{Field: "Origin", Value: ", https://evil.example"}},
	} {
		err := testkit.MustNew(t, testkit.ExamplePolicy).Check(testkit.NewRequest(test.method, test.header...))
		var got *cors.RequestError
		if errors.As(err, &got) != (test.want != nil) || !testkit.SameError(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
}

// A defect that no test caught: any accepted risk had the effect of
// RiskNullOrigin.
func TestFieldBugNullUnderOtherRisks(t *testing.T) {
	t.Parallel()
	const others = cors.RiskInsecureOrigin | cors.RiskPublicSuffix
	for _, origin := range []string{"null", "file://"} {
		if _, err := cors.New(cors.Policy{AllowedOrigins: []string{origin}, AcceptRisks: others}); err == nil {
			t.Errorf("New accepts %s with other risks", origin)
		}
		for _, p := range []cors.Policy{{}, {AllowOriginFunc: anyFunc}} {
			r := testkit.NewRequest("GET", "Origin: "+origin)
			want := testkit.MustNew(t, p).Check(r)
			p.AcceptRisks = others
			if got := testkit.MustNew(t, p).Check(r); got == nil || got.Error() != want.Error() {
				t.Errorf("with other risks, the error is %v; without them, it is %v", got, want)
			}
		}
	}
}

func TestRequestErrorReasons(t *testing.T) {
	t.Parallel()
	no := func(*http.Request, string) bool { return false }
	list := []string{"https://listed.example"}
	ask := []string{"OPTIONS", "Origin: https://listed.example", "Access-Control-Request-Method: GET"}
	const null = "it comes from a sandboxed page, a file or a redirect from another origin"
	for _, test := range []struct {
		name    string
		policy  cors.Policy
		request []string // the method, and lines of its header
		want    string
	}{
		{"a list", cors.Policy{AllowedOrigins: list}, []string{"GET", testkit.Stranger}, `request: origin "https://evil.example" is not in AllowedOrigins`},
		{"an empty policy", cors.Policy{}, []string{"GET", testkit.Stranger}, `request: origin "https://evil.example" is not allowed, because AllowedOrigins is empty`},
		{"a function", cors.Policy{AllowOriginFunc: no}, []string{"GET", testkit.Stranger}, `request: origin "https://evil.example" is not allowed by AllowOriginFunc`},
		{"a list and a function", cors.Policy{AllowedOrigins: list, AllowOriginFunc: no}, []string{"GET", testkit.Stranger}, `request: origin "https://evil.example" is neither in AllowedOrigins nor allowed by AllowOriginFunc`},
		{
			"an invalid origin under a function", cors.Policy{AllowOriginFunc: no}, []string{"GET", "Origin: https://Evil.example"},
			`request: origin "https://Evil.example" is not in AllowedOrigins, and AllowOriginFunc is not called for it`,
		},
		{
			"an invalid origin under a list and a function", cors.Policy{AllowedOrigins: list, AllowOriginFunc: no}, []string{"GET", "Origin: https://Evil.example"},
			`request: origin "https://Evil.example" is not in AllowedOrigins, and AllowOriginFunc is not called for it`,
		},
		{"null under a list", cors.Policy{AllowedOrigins: list}, []string{"GET", "Origin: null"}, `request: origin "null" is not in AllowedOrigins; ` + null},
		{"null under a function", cors.Policy{AllowOriginFunc: no}, []string{"GET", "Origin: null"}, `request: origin "null" is not in AllowedOrigins, and AllowOriginFunc is not called for it; ` + null},
		{"a file under a function", cors.Policy{AllowOriginFunc: no}, []string{"GET", "Origin: file://"}, `request: origin "file://" is not in AllowedOrigins, and AllowOriginFunc is not called for it`},
		{"null under a list, with the risk accepted", cors.Policy{AllowedOrigins: list, AcceptRisks: cors.RiskNullOrigin}, []string{"HEAD", "Origin: null"}, `request: origin "null" is not in AllowedOrigins; ` + null},
		{"null under a function, with the risk accepted", cors.Policy{AllowOriginFunc: no, AcceptRisks: cors.RiskNullOrigin}, []string{"GET", "Origin: null"}, `request: origin "null" is not allowed by AllowOriginFunc; ` + null},
		{"a post from null", cors.Policy{AllowedOrigins: list}, []string{"POST", "Origin: null"}, `request: origin "null" is not in AllowedOrigins; ` + null + `, or from a page with Referrer-Policy: no-referrer`},
		{"a preflight from null", cors.Policy{AllowedOrigins: list}, []string{"OPTIONS", "Origin: null", "Access-Control-Request-Method: PUT"}, `preflight: origin "null" is not in AllowedOrigins; ` + null},
		{"two origins", cors.Policy{AllowedOrigins: list}, []string{"GET", "Origin: https://listed.example", "Origin: https://listed.example"}, `request: origin "https://listed.example, https://listed.example" is from several Origin headers, and browsers send one`},
		{"a preflight", cors.Policy{AllowOriginFunc: no}, []string{"OPTIONS", testkit.Stranger, "Access-Control-Request-Method: PUT"}, `preflight: origin "https://evil.example" is not allowed by AllowOriginFunc`},
		{"another site without an origin", cors.Policy{AllowedOrigins: list}, []string{"POST", "Sec-Fetch-Site: cross-site"}, `request: Sec-Fetch-Site "cross-site" shows a page on another site or origin, but Origin is missing`},
		{"a method", cors.Policy{AllowedOrigins: list}, []string{"OPTIONS", "Origin: https://listed.example", "Access-Control-Request-Method: PUT"}, `preflight: method "PUT" is not in AllowedMethods`},
		{"a request header", cors.Policy{AllowedOrigins: list}, append(ask, "Access-Control-Request-Headers: x-a"), `preflight: request header "x-a" is not in AllowedHeaders`},
		{
			"a long request header", cors.Policy{AllowedOrigins: list}, append(ask, "Access-Control-Request-Headers: "+strings.Repeat("x", 500)),
			`preflight: request header "` + strings.Repeat("x", 500) + `" is not in AllowedHeaders`,
		},
		{
			"too many request headers", cors.Policy{AllowedOrigins: list, AllowedHeaders: []string{"X-A"}}, append(ask, "Access-Control-Request-Headers: "+strings.Repeat("x-a,", 200)),
			`preflight: request header "` + strings.Repeat("x-a,", 512/4) + `" is the beginning of a list that is too long to be read`,
		},
	} {
		err := testkit.MustNew(t, test.policy).Check(testkit.NewRequest(test.request[0], test.request[1:]...))
		if err == nil || err.Error() != "cors: "+test.want {
			t.Errorf("%s: got  %v\nwant cors: %s", test.name, err, test.want)
		}
	}
}

// qbittorrent 21106, better-auth 10944, rails 28299: Origin: null came from
// Referrer-Policy: no-referrer, but the message suggested accepting a risk.
func TestFieldBugNullFromReferrerPolicy(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, testkit.ExamplePolicy)
	for method, named := range map[string]bool{"POST": true, "PUT": true, "GET": false, "HEAD": false} {
		message := m.Check(testkit.NewRequest(method, "Origin: null")).Error()
		if strings.Contains(message, "Referrer-Policy") != named || strings.Contains(message, "Risk") {
			t.Errorf("%s: got %s", method, message)
		}
	}
}

// go-chi/cors, open-telemetry's confighttp and ory/hydra document https://* and
// http://* for any origin. New refused these patterns with an unhelpful message.
func TestFieldBugEveryOriginOfAScheme(t *testing.T) {
	t.Parallel()
	p := cors.Policy{AllowedOrigins: []string{"https://*", "http://*"}}
	m := testkit.MustNew(t, p)
	for origin, want := range map[string]bool{
		"https://a.example": true, "http://a.example:8080": true, "https://": false, "app://a": false, "https://A.example": false,
	} {
		if got := testkit.AllowsPage(m, origin); got != want {
			t.Errorf("the policy allows %s: %t, want %t", origin, got, want)
		}
	}
	p.AllowCredentials = true
	p.AcceptRisks = cors.RiskInsecureOrigin | cors.RiskPublicSuffix | cors.RiskNullOrigin
	if _, err := cors.New(p); err == nil || strings.Count(err.Error(), "every page on the web") != 2 {
		t.Errorf("with credentials: got %v", err)
	}
}
