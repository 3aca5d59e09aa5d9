package corstest_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/corstest"
)

const page, api = "https://page.example", "https://api.example"

func TestPreflightReasons(t *testing.T) {
	header := func(lines ...string) http.Header {
		h := make(http.Header)
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			h[name] = append(h[name], value)
		}
		return h
	}
	long := strings.Repeat("a", 128)
	tests := []struct {
		name    string
		request corstest.Request
		want    []string
	}{
		{name: "GET", request: corstest.Request{}},
		{name: "HEAD", request: corstest.Request{Method: "HEAD"}},
		{name: "POST without a body", request: corstest.Request{Method: "POST"}},
		{name: "a string is text/plain", request: corstest.Request{Method: "POST", Body: "x"}},
		{
			name:    "a string with a Content-Type that is not safelisted",
			request: corstest.Request{Method: "POST", Body: "{}", Header: header("content-type: application/json")},
			want:    []string{"Content-Type application/json is not CORS-safelisted"},
		},
		{name: "a method in lowercase that is normalized", request: corstest.Request{Method: "post"}},
		{name: "PUT", request: corstest.Request{Method: "PUT"}, want: []string{"method PUT is not CORS-safelisted"}},
		{name: "put is PUT", request: corstest.Request{Method: "put"}, want: []string{"method PUT is not CORS-safelisted"}},
		{name: "patch is not PATCH", request: corstest.Request{Method: "patch"}, want: []string{"method patch is not CORS-safelisted"}},
		{name: "a method that the standards do not define", request: corstest.Request{Method: "CHICKEN"}, want: []string{"method CHICKEN is not CORS-safelisted"}},
		{name: "headers that are safelisted", request: corstest.Request{Header: header("Accept: text/*", "Accept-Language: en", "Content-Language: en", "Range: bytes=0-")}},
		{name: "forbidden headers, which are dropped", request: corstest.Request{Header: header("Cookie: a=b", "sec-x: 1", "Proxy-X: 1", "X-HTTP-Method: TRACE")}},
		{
			name:    "headers in any case, sorted",
			request: corstest.Request{Header: header("x-b: 1", "AUTHORIZATION: x", "X-A: 1")},
			want: []string{
				"header Authorization is not CORS-safelisted",
				"header X-A is not CORS-safelisted",
				"header X-B is not CORS-safelisted",
			},
		},
		{
			name:    "a safelisted header with an unsafe value",
			request: corstest.Request{Header: header("Accept: (comment)", "Range: bytes=-5")},
			want:    []string{"Accept (comment) is not CORS-safelisted", "Range bytes=-5 is not CORS-safelisted"},
		},
		{
			name:    "a safelisted header with a long value",
			request: corstest.Request{Header: header("Accept: a" + long)},
			want:    []string{"the value of header Accept is longer than 128 bytes"},
		},
		{
			name:    "a safelisted header with the longest value, which is unsafe",
			request: corstest.Request{Header: header("Accept: (" + long[1:])},
			want:    []string{"Accept (" + long[1:] + " is not CORS-safelisted"},
		},
		{
			name:    "safelisted headers of 1024 bytes",
			request: corstest.Request{Header: http.Header{"Accept": slices.Repeat([]string{long}, 8)}},
		},
		{
			name:    "safelisted headers of more than 1024 bytes, of which 3 are the browser's Accept",
			request: corstest.Request{Header: http.Header{"Accept-Language": append(slices.Repeat([]string{long}, 7), long[:126])}},
			want:    []string{"the values of the CORS-safelisted headers are together longer than 1024 bytes"},
		},
		{
			name:    "a listener for the progress of an upload",
			request: corstest.Request{Method: "POST", Body: "x", UploadListener: true},
			want:    []string{"the script listens to upload progress"},
		},
		{
			name:    "a stream",
			request: corstest.Request{Method: "POST", StreamBody: true},
			want:    []string{"the body is a ReadableStream"},
		},
		{
			name:    "all reasons together",
			request: corstest.Request{Method: "PATCH", Body: "x", Header: header("X-A: 1"), UploadListener: true},
			want: []string{
				"method PATCH is not CORS-safelisted",
				"header X-A is not CORS-safelisted",
				"the script listens to upload progress",
			},
		},
		{name: "a request that no browser sends", request: corstest.Request{Method: "TRACE"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := corstest.PreflightReasons(test.request); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			// If there are reasons, the browser sends a preflight.
			test.request.URL = api
			b := corstest.Browser{Handler: respondWith(http.Header{})}
			if got, want := b.Fetch(page, test.request).Preflight != nil, len(test.want) > 0; got != want {
				t.Errorf("preflight sent: %t, want %t", got, want)
			}
		})
	}
}

// TestForbiddenRequestsAreNotSent makes requests that scripts cannot make.
func TestForbiddenRequestsAreNotSent(t *testing.T) {
	tests := []struct {
		name    string
		request corstest.Request
		want    string
	}{
		{"a forbidden method", corstest.Request{URL: api, Method: "CONNECT"}, "method CONNECT is forbidden to scripts"},
		{"a forbidden method in another case", corstest.Request{URL: api, Method: "tRack"}, "method tRack is forbidden to scripts"},
		{"a method that is not a token", corstest.Request{URL: api, Method: "A B"}, `"A B" is not a method`},
		{"a header name that is not a token", corstest.Request{URL: api, Header: http.Header{"A B": {"1"}}}, `"A B" is not a header name`},
		{"an empty header name", corstest.Request{URL: api, Header: http.Header{"": {"1"}}}, `"" is not a header name`},
		{"a header value with a line break", corstest.Request{URL: api, Header: http.Header{"a": {"1\n2"}}}, "the value of header A contains a line break or NUL"},
		{"a GET with a body", corstest.Request{URL: api, Body: "x"}, "a GET request cannot have a body"},
		{"a HEAD with a stream", corstest.Request{URL: api, Method: "head", StreamBody: true}, "a HEAD request cannot have a body"},
		{"a relative URL", corstest.Request{URL: "/data"}, `"/data" is not an absolute HTTP(S) URL`},
		{"a URL without a host", corstest.Request{URL: "https:data"}, `"https:data" is not an absolute HTTP(S) URL`},
		{"another scheme", corstest.Request{URL: "ftp://api.example"}, `"ftp://api.example" is not an absolute HTTP(S) URL`},
		{"an invalid port", corstest.Request{URL: "https://api.example:port"}, `"https://api.example:port" is not an absolute HTTP(S) URL`},
		{"a URL with a password", corstest.Request{URL: "https://me:secret@api.example"}, "the URL contains a user name or password"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })}
			got := b.Fetch(page, test.request)
			if got.Blocked != test.want {
				t.Errorf("got %q, want %q", got.Blocked, test.want)
			}
			if got.Status != 0 || got.Header != nil || got.Body != "" {
				t.Errorf("the script can read %+v", got)
			}
		})
	}
}

// TestRequestsEqualNetHTTP compares the requests that a handler gets with those
// of a net/http server.
func TestRequestsEqualNetHTTP(t *testing.T) {
	b := corstest.Browser{
		Cookie: "session=1",
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
			w.Header().Set("Access-Control-Allow-Headers", "x-a, X-B, content-type")
			io.Copy(w, r.Body)
		}),
	}
	got := b.Fetch(page, corstest.Request{
		Method:      "put",
		URL:         "https://API.example:443/a%2Fb?c=d#e",
		Header:      http.Header{"x-b": {"2"}, "X-A": {"1"}, "content-type": {"application/json"}},
		Body:        "{}",
		Credentials: corstest.Include,
	})
	if got.Blocked != "" || got.Status != 200 || got.Body != "{}" {
		t.Fatalf("got %+v", got)
	}
	if body, _ := io.ReadAll(got.Actual.Response.Body); string(body) != "{}" {
		t.Errorf("the response's body is %q", body)
	}

	preflight, actual := got.Preflight.Request, got.Actual.Request
	wantPreflight := http.Header{
		"Accept":                         {"*/*"},
		"Access-Control-Request-Method":  {"PUT"},
		"Access-Control-Request-Headers": {"content-type,x-a,x-b"},
		"Origin":                         {page},
		"Sec-Fetch-Dest":                 {"empty"},
		"Sec-Fetch-Mode":                 {"cors"},
		"Sec-Fetch-Site":                 {"cross-site"},
	}
	if preflight.Method != "OPTIONS" || preflight.ContentLength != 0 || !maps.EqualFunc(preflight.Header, wantPreflight, slices.Equal) {
		t.Errorf("preflight: %s %q\nwant OPTIONS %q", preflight.Method, preflight.Header, wantPreflight)
	}
	wantActual := http.Header{
		"Accept":         {"*/*"},
		"Content-Type":   {"application/json"},
		"Cookie":         {"session=1"},
		"Origin":         {page},
		"Sec-Fetch-Dest": {"empty"},
		"Sec-Fetch-Mode": {"cors"},
		"Sec-Fetch-Site": {"cross-site"},
		"X-A":            {"1"},
		"X-B":            {"2"},
	}
	if actual.Method != "PUT" || actual.ContentLength != 2 || !maps.EqualFunc(actual.Header, wantActual, slices.Equal) {
		t.Errorf("actual: %s %q\nwant PUT %q", actual.Method, actual.Header, wantActual)
	}
	for _, r := range []*http.Request{preflight, actual} {
		if r.Host != "api.example" || r.RequestURI != "/a%2Fb?c=d" || r.URL.String() != "/a%2Fb?c=d" || r.TLS == nil || r.RemoteAddr == "" {
			t.Errorf("%s: host %q, URI %q, URL %q, TLS %t, from %q", r.Method, r.Host, r.RequestURI, r.URL, r.TLS != nil, r.RemoteAddr)
		}
	}

	stream := b.Fetch("http://localhost", corstest.Request{Method: "POST", URL: "http://localhost", Body: "a", StreamBody: true})
	if r := stream.Actual.Request; r.ContentLength != -1 || r.Header.Get("Content-Type") != "" || r.URL.Path != "/" || r.TLS != nil || stream.Body != "a" {
		t.Errorf("stream: length %d, headers %q, path %q, TLS %t, body %q", r.ContentLength, r.Header, r.URL.Path, r.TLS != nil, stream.Body)
	}
}

func TestSameOrigin(t *testing.T) {
	tests := []struct {
		page, url, site string // site is empty if the URL is not trustworthy
		sameOrigin      bool
	}{
		{"https://a.example", "https://a.example/x", "same-origin", true},
		{"https://a.example", "https://A.example:443/x", "same-origin", true},
		{"http://a.example", "http://a.example:80", "", true},
		{"http://a.example", "http://a.example:", "", true},
		{"http://localhost:1", "http://localhost:1", "same-origin", true},
		{"http://localhost:1", "http://localhost:2", "same-site", false},
		{"http://localhost.", "http://localhost.", "same-origin", true},
		{"https://a.example", "http://app.localhost.", "cross-site", false},
		{"http://127.0.0.1:1", "http://127.0.0.1:2", "same-site", false},
		{"http://[::1]", "http://[::1]:2", "same-site", false},
		{"http://127.0.0.1", "http://app.localhost", "cross-site", false},
		{"https://a.example", "http://a.example", "", false},
		{"http://a.example", "https://a.example", "cross-site", false},
		{"https://a.example", "https://a.example:8443", "same-site", false},
		{"https://a.example", "https://b.example", "cross-site", false},
		{"null", "https://a.example", "cross-site", false},
		{"https://a.example", "http://192.0.2.1", "", false},
	}
	for _, test := range tests {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT"} {
			for credentials, cookie := range map[corstest.Credentials]bool{
				corstest.Include: true, corstest.Omit: false, corstest.SameOrigin: test.sameOrigin,
			} {
				b := corstest.Browser{Cookie: "a=b", Handler: respondWith(http.Header{
					"Access-Control-Allow-Origin":      {test.page},
					"Access-Control-Allow-Credentials": {"true"},
					"Access-Control-Allow-Methods":     {"PUT"},
					"Set-Cookie":                       {"c=d"},
					"X-A":                              {"1"},
				})}
				got := b.Fetch(test.page, corstest.Request{Method: method, URL: test.url, Credentials: credentials})
				name := fmt.Sprintf("%s to %s, %s, credentials %d", test.page, test.url, method, credentials)
				if got.Blocked != "" {
					t.Errorf("%s: blocked: %s", name, got.Blocked)
					continue
				}
				if got.Preflight != nil != (!test.sameOrigin && method == "PUT") {
					t.Errorf("%s: preflight sent: %t", name, got.Preflight != nil)
				}
				h := got.Actual.Request.Header
				if h["Origin"] != nil != (!test.sameOrigin || method == "POST" || method == "PUT") {
					t.Errorf("%s: Origin %q", name, h["Origin"])
				}
				if h.Get("Sec-Fetch-Site") != test.site {
					t.Errorf("%s: Sec-Fetch-Site %q, want %q", name, h["Sec-Fetch-Site"], test.site)
				}
				if h["Cookie"] != nil != cookie {
					t.Errorf("%s: Cookie %q", name, h["Cookie"])
				}
				if got.Header["X-A"] != nil != test.sameOrigin || got.Header["Set-Cookie"] != nil {
					t.Errorf("%s: the script can read %q", name, got.Header)
				}
			}
		}
	}
}

// TestCORSCheck uses the table of the standard's section "CORS protocol and
// credentials", and values from cors/origin.htm and cors/credentials-flag.htm in
// web-platform-tests.
func TestCORSCheck(t *testing.T) {
	tests := []struct {
		name        string
		credentials corstest.Credentials
		origin      []string // Access-Control-Allow-Origin
		allow       []string // Access-Control-Allow-Credentials
		want        string
	}{
		{"any origin", corstest.Omit, []string{"*"}, nil, ""},
		{"any origin, and credentials that are not needed", corstest.SameOrigin, []string{"*"}, []string{"true"}, ""},
		{"the origin", corstest.Omit, []string{page}, nil, ""},
		{"the origin with a slash", corstest.Omit, []string{page + "/"}, nil, `the response allows the origin "https://page.example/", not "https://page.example"`},
		{"the origin with its default port", corstest.Omit, []string{page + ":443"}, nil, `the response allows the origin "https://page.example:443", not "https://page.example"`},
		{"the origin in uppercase", corstest.Omit, []string{strings.ToUpper(page)}, nil, `the response allows the origin "HTTPS://PAGE.EXAMPLE", not "https://page.example"`},
		{"null", corstest.Omit, []string{"null"}, nil, `the response allows the origin "null", not "https://page.example"`},
		{"an empty header", corstest.Omit, []string{""}, nil, `the response allows the origin "", not "https://page.example"`},
		{"the origin in white space", corstest.Include, []string{"\t" + page + " "}, []string{" true\t"}, ""},
		{"the origin twice", corstest.Omit, []string{page, page}, nil, `the response allows the origin "https://page.example, https://page.example", not "https://page.example"`},
		{"any origin twice", corstest.Omit, []string{"*", "*"}, nil, `the response allows the origin "*, *", not "https://page.example"`},
		{"no header", corstest.Omit, nil, []string{"true"}, "the response has no Access-Control-Allow-Origin"},
		{"no header, with credentials", corstest.Include, nil, []string{"true"}, "the response has no Access-Control-Allow-Origin"},
		{"any origin, with credentials", corstest.Include, []string{"*"}, []string{"true"}, "the response allows every origin, which is not enough for a request with credentials"},
		{"another origin, with credentials", corstest.Include, []string{api}, []string{"true"}, `the response allows the origin "https://api.example", not "https://page.example"`},
		{"the origin, with credentials", corstest.Include, []string{page}, []string{"true"}, ""},
		{"the origin, with credentials that are not allowed", corstest.Include, []string{page}, nil, "the response does not allow credentials"},
		{"credentials in another case", corstest.Include, []string{page}, []string{"True"}, "the response does not allow credentials"},
		{"credentials that are not true", corstest.Include, []string{page}, []string{"1"}, "the response does not allow credentials"},
		{"credentials twice", corstest.Include, []string{page}, []string{"true", "true"}, "the response does not allow credentials"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := http.Header{
				"Access-Control-Allow-Origin":      test.origin,
				"Access-Control-Allow-Credentials": test.allow,
				"Access-Control-Allow-Methods":     {"PUT"},
			}
			b := corstest.Browser{Handler: respondWith(h)}
			got := b.Fetch(page, corstest.Request{URL: api, Credentials: test.credentials})
			if got.Blocked != test.want || got.Preflight != nil || got.Actual == nil {
				t.Errorf("GET: blocked: %q, want %q", got.Blocked, test.want)
			}
			if readable := got.Status != 0 || got.Header != nil || got.Body != ""; readable != (test.want == "") {
				t.Errorf("GET: the script can read %+v", got)
			}

			// A preflight must allow the credentials of the actual request.
			got = b.Fetch(page, corstest.Request{Method: "PUT", URL: api, Credentials: test.credentials})
			want := strings.Replace(test.want, "the response", "the response to the preflight", 1)
			if got.Blocked != want || got.Preflight == nil || got.Actual != nil != (test.want == "") {
				t.Errorf("PUT: blocked: %q, want %q", got.Blocked, want)
			}
		})
	}
}

// TestPreflight uses the rows of fetch/api/cors/cors-preflight-star.any.js in
// web-platform-tests, and others.
func TestPreflight(t *testing.T) {
	post := func(name string) corstest.Request {
		return corstest.Request{Method: "POST", Header: http.Header{name: {"1"}}}
	}
	put := corstest.Request{Method: "PUT"}
	const include = corstest.Include
	tests := []struct {
		request     corstest.Request
		credentials corstest.Credentials
		methods     []string // Access-Control-Allow-Methods
		headers     []string // Access-Control-Allow-Headers
		want        string
	}{
		{request: put, methods: []string{"PUT"}},
		{request: put, methods: []string{"DELETE,\tPUT ,, "}},
		{request: put, methods: []string{"DELETE", "PUT"}},
		{request: put, methods: []string{",, DELETE,,PUT"}},
		{request: put, methods: []string{"*"}},
		{request: put, methods: []string{"DELETE, *"}},
		{request: put, want: "method PUT is not in Access-Control-Allow-Methods"},
		{request: put, methods: []string{""}, want: "method PUT is not in Access-Control-Allow-Methods"},
		{request: put, methods: []string{"put"}, want: "method PUT is not in Access-Control-Allow-Methods"},
		{request: put, methods: []string{"PUT PUT"}, want: "Access-Control-Allow-Methods is not a list of methods"},
		{request: put, methods: []string{"PUT", "Bad method name"}, want: "Access-Control-Allow-Methods is not a list of methods"},
		{request: put, methods: []string{"PUT"}, headers: []string{"header name with space"}, want: "Access-Control-Allow-Headers is not a list of header names"},
		{request: put, credentials: include, methods: []string{"PUT"}, headers: []string{"*"}},
		{request: put, credentials: include, methods: []string{"put"}, headers: []string{"*"}, want: "method PUT is not in Access-Control-Allow-Methods"},
		{request: put, credentials: include, methods: []string{"*"}, want: "method PUT is not in Access-Control-Allow-Methods"},
		{request: corstest.Request{Method: "*"}, credentials: include, methods: []string{"*"}},
		{request: corstest.Request{Method: "patch"}, methods: []string{"PATCH"}, want: "method patch is not in Access-Control-Allow-Methods"},
		{request: corstest.Request{Method: "GET", UploadListener: true}},
		{request: corstest.Request{Method: "POST", StreamBody: true}, methods: []string{"PUT"}},

		{request: post("X-Test"), headers: []string{"x-test"}},
		{request: post("x-test"), headers: []string{"X-A, X-TEST"}},
		{request: post("x-test"), headers: []string{"X-A", "X-TEST"}},
		{request: post("X-Test"), methods: []string{"get"}, headers: []string{"*"}},
		{request: post("X-Test"), methods: []string{"*"}, want: "header X-Test is not in Access-Control-Allow-Headers"},
		{request: post("X-Test"), headers: []string{"X-Tes, X-Test1"}, want: "header X-Test is not in Access-Control-Allow-Headers"},
		{request: post("X-Test"), credentials: include, methods: []string{"get"}, headers: []string{"*"}, want: "header X-Test is not in Access-Control-Allow-Headers"},
		{request: post("X-Test"), credentials: include, headers: []string{"*, X-Test"}},
		{request: post("*"), credentials: include, methods: []string{"*"}, headers: []string{"*"}},
		{request: post("Authorization"), headers: []string{"*"}, want: "header Authorization is not in Access-Control-Allow-Headers"},
		{request: post("Authorization"), headers: []string{"*, authorization"}},
		{request: post("Authorization"), credentials: include, headers: []string{"Authorization"}},
	}
	for _, test := range tests {
		r := test.request
		r.URL, r.Credentials = api, test.credentials
		b := corstest.Browser{Handler: respondWith(http.Header{
			"Access-Control-Allow-Origin":      {page},
			"Access-Control-Allow-Credentials": {"true"},
			"Access-Control-Allow-Methods":     test.methods,
			"Access-Control-Allow-Headers":     test.headers,
		})}
		got := b.Fetch(page, r)
		if got.Blocked != test.want || got.Preflight == nil || got.Actual != nil != (test.want == "") {
			t.Errorf("%s %v, credentials %d, methods %q, headers %q: blocked: %q, want %q",
				r.Method, r.Header, r.Credentials, test.methods, test.headers, got.Blocked, test.want)
		}
		if names := got.Preflight.Request.Header["Access-Control-Request-Headers"]; len(names) != len(r.Header) {
			t.Errorf("%s %v: the preflight requests the headers %q", r.Method, r.Header, names)
		}
	}
}

func TestPreflightStatus(t *testing.T) {
	for status, want := range map[int]string{
		199: "", // informational: 200 follows
		200: "",
		204: "",
		299: "",
		301: "the response to the preflight has status 301, which is not in the range 200 to 299",
		403: "the response to the preflight has status 403, which is not in the range 200 to 299",
	} {
		b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
			w.Header().Set("Location", "/elsewhere")
			if r.Method == "OPTIONS" {
				w.WriteHeader(status)
			}
		})}
		if got := b.Fetch(page, corstest.Request{Method: "PUT", URL: api}); got.Blocked != want {
			t.Errorf("status %d: blocked: %q, want %q", status, got.Blocked, want)
		}
	}
}

// TestActualResponseIsChecked uses a server that allows the preflight, but sends
// no CORS headers with the actual response.
func TestActualResponseIsChecked(t *testing.T) {
	preflights := 0
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "OPTIONS" {
			preflights++
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
		}
	})}
	for n := range 2 {
		got := b.Fetch(page, corstest.Request{Method: "PUT", URL: api})
		if got.Blocked != "the response has no Access-Control-Allow-Origin" || got.Actual == nil {
			t.Errorf("got %+v", got)
		}
		// This failure clears the cache.
		if preflights != n+1 {
			t.Errorf("%d preflights for %d requests", preflights, n+1)
		}
	}
}

func TestBodyDependsOnMethodAndStatus(t *testing.T) {
	for _, test := range []struct {
		method string
		status int
		want   string
	}{
		{"GET", 200, "body"}, {"GET", 404, "body"}, {"HEAD", 200, ""}, {"GET", 204, ""}, {"GET", 205, ""}, {"GET", 304, ""},
	} {
		b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.WriteHeader(test.status)
			io.WriteString(w, "body")
		})}
		for _, from := range []string{page, api} {
			if got := b.Fetch(from, corstest.Request{Method: test.method, URL: api}); got.Status != test.status || got.Body != test.want {
				t.Errorf("%s with status %d, from %s: status %d, body %q, want %q", test.method, test.status, from, got.Status, got.Body, test.want)
			}
		}
	}
}

func TestRedirect(t *testing.T) {
	const other = "https://other.example"
	authorized := http.Header{"Authorization": {"1"}, "X-A": {"1"}}
	tests := []struct {
		name    string
		request corstest.Request // URL is api if empty
		status  int
		to      string   // several values are separated by spaces
		want    []string // method, URL and Origin of each request
		blocked string
	}{
		{
			name: "to the same origin", status: 302, to: "/b",
			want: []string{"GET https://api.example/ https://page.example", "GET https://api.example/b https://page.example"},
		},
		{
			name: "to the same origin in another spelling", status: 302, to: "https://API.example:443/b",
			want: []string{"GET https://api.example/ https://page.example", "GET https://api.example/b https://page.example"},
		},
		{
			name: "to a third origin", status: 302, to: other + "/b",
			want: []string{"GET https://api.example/ https://page.example", "GET https://other.example/b null"},
		},
		{
			name: "to http", status: 302, to: "http://api.example/b",
			want: []string{"GET https://api.example/ https://page.example", "GET http://api.example/b null"},
		},
		{
			name: "back to the page's origin", status: 302, to: page + "/b",
			want: []string{"GET https://api.example/ https://page.example", "GET https://page.example/b null"},
		},
		{
			name: "from the page's origin", request: corstest.Request{URL: page}, status: 302, to: api + "/b",
			want: []string{"GET https://page.example/ ", "GET https://api.example/b https://page.example"},
		},
		{
			name: "within the page's origin", request: corstest.Request{URL: page}, status: 302, to: "/b",
			want: []string{"GET https://page.example/ ", "GET https://page.example/b "},
		},
		{
			name: "POST becomes GET", request: corstest.Request{Method: "POST", Body: "x"}, status: 301, to: "/b",
			want: []string{"POST https://api.example/ https://page.example text/plain;charset=UTF-8 x", "GET https://api.example/b https://page.example"},
		},
		{
			name: "POST stays POST", request: corstest.Request{Method: "POST", Body: "x"}, status: 307, to: "/b",
			want: []string{"POST https://api.example/ https://page.example text/plain;charset=UTF-8 x", "POST https://api.example/b https://page.example text/plain;charset=UTF-8 x"},
		},
		{
			name: "PUT stays PUT, with a preflight for each URL", request: corstest.Request{Method: "PUT"}, status: 302, to: "/b",
			want: []string{
				"OPTIONS https://api.example/ https://page.example", "PUT https://api.example/ https://page.example",
				"OPTIONS https://api.example/b https://page.example", "PUT https://api.example/b https://page.example",
			},
		},
		{
			name: "PUT becomes GET", request: corstest.Request{Method: "PUT"}, status: 303, to: "/b",
			want: []string{
				"OPTIONS https://api.example/ https://page.example", "PUT https://api.example/ https://page.example",
				"GET https://api.example/b https://page.example",
			},
		},
		{
			name: "HEAD stays HEAD", request: corstest.Request{Method: "HEAD"}, status: 303, to: "/b",
			want: []string{"HEAD https://api.example/ https://page.example", "HEAD https://api.example/b https://page.example"},
		},
		{
			name: "Authorization is kept within an origin", request: corstest.Request{Header: authorized}, status: 308, to: "/b",
			want: []string{
				"OPTIONS https://api.example/ https://page.example authorization,x-a", "GET https://api.example/ https://page.example",
				"OPTIONS https://api.example/b https://page.example authorization,x-a", "GET https://api.example/b https://page.example",
			},
		},
		{
			name: "Authorization is dropped between origins", request: corstest.Request{Header: authorized}, status: 308, to: other,
			want: []string{
				"OPTIONS https://api.example/ https://page.example authorization,x-a", "GET https://api.example/ https://page.example",
				"OPTIONS https://other.example/ null x-a", "GET https://other.example/ null",
			},
		},
		{
			name: "in a loop", status: 302, to: "/",
			want:    slices.Repeat([]string{"GET https://api.example/ https://page.example"}, 21),
			blocked: "there are more than 20 redirects",
		},
		{
			name: "without Location", status: 302,
			want: []string{"GET https://api.example/ https://page.example"},
		},
		{
			name: "with a status that is not a redirect", status: 201, to: "/b",
			want: []string{"GET https://api.example/ https://page.example"},
		},
		{
			name: "with several choices", status: 300, to: "/b",
			want: []string{"GET https://api.example/ https://page.example"},
		},
		{
			name: "with two Locations", status: 302, to: "/b /b",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect has several Location headers",
		},
		{
			name: "to another scheme", status: 302, to: "ftp://api.example/b",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect does not lead to an HTTP(S) URL",
		},
		{
			name: "to an invalid URL", status: 302, to: "https://a:b/",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect does not lead to an HTTP(S) URL",
		},
		{
			name: "with a password", status: 302, to: "https://me:secret@api.example/b",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect leads to a URL with a user name or password",
		},
		{
			name: "with a password, within the page's origin", request: corstest.Request{URL: page}, status: 302, to: "https://me:secret@page.example/b",
			want: []string{"GET https://page.example/ ", "GET https://page.example/b "},
		},
		{
			name: "with a password, from the page's origin", request: corstest.Request{URL: page}, status: 302, to: "https://me:secret@api.example/b",
			want:    []string{"GET https://page.example/ "},
			blocked: "the redirect leads to a URL with a user name or password",
		},
		{
			name: "of a stream", request: corstest.Request{URL: page, Method: "POST", Body: "x", StreamBody: true}, status: 307, to: "/b",
			want:    []string{"POST https://page.example/ https://page.example x"},
			blocked: "a body that is a ReadableStream cannot be sent again after a redirect",
		},
		{
			name: "of a stream that becomes GET", request: corstest.Request{URL: page, Method: "POST", Body: "x", StreamBody: true}, status: 303, to: "/b",
			want: []string{"POST https://page.example/ https://page.example x", "GET https://page.example/b "},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var sent []string
			var first string
			b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				h := r.Header
				scheme := "http"
				if r.TLS != nil {
					scheme = "https"
				}
				line := fmt.Sprintf("%s %s://%s%s %s", r.Method, scheme, r.Host, r.RequestURI, h.Get("Origin"))
				for _, s := range []string{h.Get("Access-Control-Request-Headers"), h.Get("Content-Type"), string(body)} {
					if s != "" {
						line += " " + s
					}
				}
				sent = append(sent, line)
				w.Header().Set("Access-Control-Allow-Origin", "*")
				w.Header().Set("Access-Control-Allow-Methods", "*")
				w.Header().Set("Access-Control-Allow-Headers", "X-A, Authorization")
				if first == "" {
					first = r.Host + r.RequestURI
				}
				if r.Method != "OPTIONS" && r.Host+r.RequestURI == first {
					for _, to := range strings.Fields(test.to) {
						w.Header().Add("Location", to)
					}
					w.WriteHeader(test.status)
				}
			})}
			r := test.request
			if r.URL == "" {
				r.URL = api
			}
			got := b.Fetch(page, r)
			if got.Blocked != test.blocked {
				t.Errorf("blocked: %q, want %q", got.Blocked, test.blocked)
			}
			if !slices.Equal(sent, test.want) {
				t.Errorf("sent %q\nwant %q", sent, test.want)
			}
			exchanges := len(got.Via)
			for _, e := range []*corstest.Exchange{got.Preflight, got.Actual} {
				if e != nil {
					exchanges++
				}
			}
			if exchanges != len(test.want) {
				t.Errorf("the result has %d exchanges, want %d", exchanges, len(test.want))
			}
		})
	}
}

// TestRedirectSite compares Sec-Fetch-Site, which depends on all origins of a
// redirect chain.
func TestRedirectSite(t *testing.T) {
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if r.Host == "api.example" {
			http.Redirect(w, r, "https://page.example:8443/", http.StatusFound)
		}
	})}
	for url, want := range map[string]string{
		"http://api.example":        "cross-site",
		"https://page.example:8443": "same-site",
	} {
		if got := b.Fetch(page, corstest.Request{URL: url}).Actual.Request.Header.Get("Sec-Fetch-Site"); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
	}
}

// TestQueryIsPercentEncoded uses URLs with queries that browsers percent-encode,
// in the request and in a redirect.
func TestQueryIsPercentEncoded(t *testing.T) {
	const sent, want = "?q=a b&c=é\"'<>~%zz", "?q=a%20b&c=%C3%A9%22%27%3C%3E~%zz"
	for _, url := range []string{api + "/" + sent, api + "/redirect"} {
		b := serve(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			if r.URL.Path == "/redirect" {
				w.Header().Set("Location", "/"+sent)
				w.WriteHeader(http.StatusFound)
				return
			}
			io.WriteString(w, r.RequestURI)
		})
		if got := b.Fetch(page, corstest.Request{URL: url}).Body; got != "/"+want {
			t.Errorf("%s: got %q, want %q", url, got, "/"+want)
		}
	}
}

// TestEmptyUserInformationIsRemoved uses URLs with empty user information, which
// the URL parser of browsers removes.
func TestEmptyUserInformationIsRemoved(t *testing.T) {
	for _, to := range []string{"https://@other.example/", "https://:@other.example/"} {
		b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			if r.Host == "api.example" {
				http.Redirect(w, r, to, http.StatusFound)
			}
		})}
		for _, from := range []string{to, api} {
			if got := b.Fetch(page, corstest.Request{URL: from}); got.Blocked != "" || got.Actual.Request.Host != "other.example" {
				t.Errorf("%s to %s: %q", from, to, got.Blocked)
			}
		}
	}
	b := corstest.Browser{}
	for _, url := range []string{"https://a@api.example", "https://:b@api.example"} {
		if got := b.Fetch(page, corstest.Request{URL: url}).Blocked; got != "the URL contains a user name or password" {
			t.Errorf("%s: %q", url, got)
		}
	}
}

// respondWith returns a handler whose responses have the header h.
func respondWith(h http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), h.Clone())
		io.WriteString(w, "body")
	})
}

// TestFetchChecksOriginOfPage makes a request from valid and invalid origins.
func TestFetchChecksOriginOfPage(t *testing.T) {
	for page, ok := range map[string]bool{
		"null": true, "https://page.example": true, "http://page.example:8080": true, "http://[::1]:1": true, "file://": true, "app://.": true, "safari-web-extension://0A1B-C2": true,
		"https://*.example.com": false, "https://é.example": false, "https://a..b": false, "http://a:65536": false, "ws://page.example": false,
		"https://page.example/": false, "https://Page.example": false, "https://page.example:443": false, "page.example": false,
		"https://page.example:port": false, "https://": false, "http://": false, "": false, "*": false,
	} {
		sent := false
		b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent = true
			w.Header().Set("Access-Control-Allow-Origin", "*")
		})}
		res := b.Fetch(page, corstest.Request{URL: api})
		blocked := fmt.Sprintf("%q is not an origin that browsers send; write a scheme, a host and a port, such as https://app.example.com, or null", page)
		if ok {
			blocked = ""
		}
		if sent != ok || res.Blocked != blocked || (res.Err() == nil) != ok {
			t.Errorf("%q: request sent: %t, blocked: %q", page, sent, res.Blocked)
		}
	}
}

// TestCookieOfHost redirects a request with credentials. The cookie is for the
// host of the first URL, on every port.
func TestCookieOfHost(t *testing.T) {
	for _, test := range []struct {
		name, page, to, back string
		credentials          corstest.Credentials
		want                 string
	}{
		{"to another host", page, "https://other.example/", "", corstest.Include, "a=b -"},
		{"to another host, and back", page, "https://other.example/", api, corstest.Include, "a=b - a=b"},
		{"to another port", page, api + ":8443/", "", corstest.Include, "a=b a=b"},
		{"to the page's host", page, page, "", corstest.Include, "a=b -"},
		{"from the page's own host", api, "https://other.example/", "", corstest.Include, "a=b -"},
		{"within the page's own host", api, "/2", "", corstest.SameOrigin, "a=b a=b"},
	} {
		var got []string
		locations := []string{test.to, test.back}
		b := corstest.Browser{Cookie: "a=b", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cookie := r.Header.Get("Cookie")
			if cookie == "" {
				cookie = "-"
			}
			got = append(got, cookie)
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			if n := len(got); n <= len(locations) && locations[n-1] != "" {
				w.Header().Set("Location", locations[n-1])
				w.WriteHeader(http.StatusFound)
			}
		})}
		res := b.Fetch(test.page, corstest.Request{URL: api, Credentials: test.credentials})
		if sent := strings.Join(got, " "); sent != test.want || res.Blocked != "" {
			t.Errorf("%s: the cookies %q, want %q\n%s", test.name, sent, test.want, res)
		}
	}
}
