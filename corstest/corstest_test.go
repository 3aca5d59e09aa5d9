package corstest_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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
			name:    "a string with a Content-Type that scripts need permission for",
			request: corstest.Request{Method: "POST", Body: "{}", Header: header("content-type: application/json")},
			want:    []string{"Content-Type application/json is not CORS-safelisted"},
		},
		{name: "lower case of a method that is normalized", request: corstest.Request{Method: "post"}},
		{name: "PUT", request: corstest.Request{Method: "PUT"}, want: []string{"method PUT is not CORS-safelisted"}},
		{name: "put is PUT", request: corstest.Request{Method: "put"}, want: []string{"method PUT is not CORS-safelisted"}},
		{name: "patch is not PATCH", request: corstest.Request{Method: "patch"}, want: []string{"method patch is not CORS-safelisted"}},
		{name: "a method of one's own", request: corstest.Request{Method: "CHICKEN"}, want: []string{"method CHICKEN is not CORS-safelisted"}},
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
			name:    "a safelisted header with a value that is not",
			request: corstest.Request{Header: header("Accept: (comment)", "Range: bytes=-5")},
			want:    []string{"Accept (comment) is not CORS-safelisted", "Range bytes=-5 is not CORS-safelisted"},
		},
		{
			name:    "a safelisted header with a long value",
			request: corstest.Request{Header: header("Accept: a" + long)},
			want:    []string{"the value of header Accept is longer than 128 bytes"},
		},
		{
			name:    "safelisted headers of 1024 bytes",
			request: corstest.Request{Header: http.Header{"Accept": slices.Repeat([]string{long}, 8)}},
		},
		{
			name:    "safelisted headers of more than 1024 bytes, of which 3 are the browser's Accept",
			request: corstest.Request{Header: http.Header{"Accept-Language": append(slices.Repeat([]string{long}, 7), long[:126])}},
			want:    []string{"the values of the CORS-safelisted headers are longer than 1024 bytes together"},
		},
		{
			name:    "a listener for the progress of an upload",
			request: corstest.Request{Method: "POST", Body: "x", UploadListener: true},
			want:    []string{"the script listens to the progress of the upload"},
		},
		{
			name:    "a stream",
			request: corstest.Request{Method: "POST", StreamBody: true},
			want:    []string{"the body is a ReadableStream"},
		},
		{
			name:    "all at once",
			request: corstest.Request{Method: "PATCH", Body: "x", Header: header("X-A: 1"), UploadListener: true},
			want: []string{
				"method PATCH is not CORS-safelisted",
				"header X-A is not CORS-safelisted",
				"the script listens to the progress of the upload",
			},
		},
		{name: "a request that is not sent at all", request: corstest.Request{Method: "TRACE"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := corstest.PreflightReasons(test.request); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			// A browser must agree with the reasons that it gives.
			test.request.URL = api
			b := corstest.Browser{Handler: answer(http.Header{})}
			if got, want := b.Fetch(page, test.request).Preflight != nil, len(test.want) > 0; got != want {
				t.Errorf("preflight sent: %t, want %t", got, want)
			}
		})
	}
}

// The values are mostly those of web-platform-tests, in
// cors/cors-safelisted-request-header.any.js and
// fetch/api/cors/resources/not-cors-safelisted.json.
func TestSafelistedValues(t *testing.T) {
	tests := []struct {
		name   string
		safe   []string
		unsafe []string
	}{
		{
			name:   "Accept",
			safe:   []string{"", "*/*", "text/html;q=0.5,*/*", "a\tb", strings.Repeat("a", 128), "caf\xe9"},
			unsafe: []string{`"`, "a(b", "a)b", "a:b", "a<b", "a>b", "a?b", "a@b", "a[b", `a\b`, "a]b", "a{b", "a}b", "a\x7fb", "a\x01b", strings.Repeat("a", 129)},
		},
		{
			name:   "Accept-Language",
			safe:   []string{"", "en-GB,en;q=0.5, *", "AZaz09"},
			unsafe: []string{"\x01", "@", "en_GB", "en/de", "caf\xe9", "a\tb", strings.Repeat("a", 129)},
		},
		{
			name:   "Content-Language",
			safe:   []string{"", "de-CH"},
			unsafe: []string{"\x01", "@", "en\n"},
		},
		{
			name: "Content-Type",
			safe: []string{
				"text/plain", "TEXT/Plain", "text/plain;", "text/plain;garbage", "text/plain ;charset=utf-8", "text/plain; charset=utf-8",
				"multipart/form-data", "multipart/form-data;boundary=x", "application/x-www-form-urlencoded",
			},
			unsafe: []string{
				"", "text", "text/html", "application/json", "application/csp-report", "text /plain", "text\t/\tplain", "text/plain;garbage\x01\x02",
				"text/plain,", ",text/plain", "text/plain,text/plain", "text/plain,x/x", "text/plain\x0b", "text/plain\x0c",
				"application/www-form-urlencoded", "application/x-www-form-urlencoded;\x7f", `multipart/form-data;"`, `text/plain;charset="utf-8"`,
				"text/plain; long=" + strings.Repeat("0", 112),
			},
		},
		{
			name: "Range",
			safe: []string{"bytes=100-200", "bytes=200-", "bytes=0-0", "bytes=0200-1000", "bytes=" + strings.Repeat("1", 59) + "-" + strings.Repeat("2", 59)},
			unsafe: []string{
				"", "100-200", "MB=100-200", "Bytes=1-2", "bytes =100-200", "bytes\t=100-200", "bytes=  100-200", "bytes=\t\t100-200", "bytes= \t100-200",
				"bytes=100 -200", "bytes=100\t-200", "bytes=100- 200", "bytes=100-\t200", "bytes=100-200hello", "bytes=abc-def",
				"bytes=100-200,300-400", "bytes=-200", "bytes=-", "bytes=200-100", "bytes 100-200", "bytes 0-", "bytes = 100-200",
				",bytes=100-200", "bytes=,100-200", "bytes=100-200\n",
				"bytes=1" + strings.Repeat("0", 60) + "-2" + strings.Repeat("0", 60),
			},
		},
		{name: "Authorization", unsafe: []string{"", "basics"}},
		{name: "Test", unsafe: []string{"hi"}},
	}
	for _, test := range tests {
		lower := strings.ToLower(test.name)
		for _, value := range test.safe {
			if got := corstest.UnsafeHeaderNames(http.Header{test.name: {value}}); len(got) > 0 {
				t.Errorf("%s: %q is unsafe", test.name, value)
			}
		}
		for _, value := range test.unsafe {
			if got := corstest.UnsafeHeaderNames(http.Header{test.name: {value}}); !slices.Equal(got, []string{lower}) {
				t.Errorf("%s: %q is safe: got %q", test.name, value, got)
			}
		}
	}
}

func TestUnsafeHeaderNames(t *testing.T) {
	long := strings.Repeat("a", 128)
	tests := []struct {
		name   string
		header http.Header
		want   []string
	}{
		{"none", nil, nil},
		{"sorted, in lower case", http.Header{"X-B": {"1"}, "Authorization": {"1"}, "X-A": {"1"}}, []string{"authorization", "x-a", "x-b"}},
		{"once, in whatever case and however often", http.Header{"X-A": {"1", "2"}, "x-a": {"3"}}, []string{"x-a"}},
		{"safelisted and not, under one name", http.Header{"Content-Type": {"text/plain", "application/json"}}, []string{"content-type"}},
		{"1024 bytes of safelisted values", http.Header{"Accept": {long, long, long, long, long, long, long}, "Accept-Language": {long}}, nil},
		{
			"1025 bytes of safelisted values",
			http.Header{"Accept": {long, long, long, long, long, long, long}, "Accept-Language": {long}, "Content-Language": {"a"}},
			[]string{"accept", "accept-language", "content-language"},
		},
		{
			"1025 bytes, of which not all are safelisted",
			http.Header{"Accept": {long, long, long, long, long, long, long, long}, "X-A": {"a"}},
			[]string{"x-a"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := corstest.UnsafeHeaderNames(test.header); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Requests that scripts cannot make.
func TestForbidden(t *testing.T) {
	tests := []struct {
		name    string
		request corstest.Request
		want    string
	}{
		{"a forbidden method", corstest.Request{URL: api, Method: "CONNECT"}, "method CONNECT is forbidden to scripts"},
		{"a forbidden method in another case", corstest.Request{URL: api, Method: "tRack"}, "method tRack is forbidden to scripts"},
		{"a method that is no token", corstest.Request{URL: api, Method: "A B"}, `"A B" is not a method`},
		{"a header name that is no token", corstest.Request{URL: api, Header: http.Header{"A B": {"1"}}}, `"A B" is not a header name`},
		{"an empty header name", corstest.Request{URL: api, Header: http.Header{"": {"1"}}}, `"" is not a header name`},
		{"a header value with a line break", corstest.Request{URL: api, Header: http.Header{"a": {"1\n2"}}}, "header A has a line break or NUL in its value"},
		{"a GET with a body", corstest.Request{URL: api, Body: "x"}, "a GET request cannot have a body"},
		{"a HEAD with a stream", corstest.Request{URL: api, Method: "head", StreamBody: true}, "a HEAD request cannot have a body"},
		{"a relative URL", corstest.Request{URL: "/data"}, `"/data" is not an absolute HTTP(S) URL`},
		{"a URL without a host", corstest.Request{URL: "https:data"}, `"https:data" is not an absolute HTTP(S) URL`},
		{"another scheme", corstest.Request{URL: "ftp://api.example"}, `"ftp://api.example" is not an absolute HTTP(S) URL`},
		{"no URL", corstest.Request{URL: "https://api.example:port"}, `"https://api.example:port" is not an absolute HTTP(S) URL`},
		{"a URL with a password", corstest.Request{URL: "https://me:secret@api.example"}, "the URL has a user name or password in it"},
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

func TestForbiddenHeadersAreDropped(t *testing.T) {
	header := http.Header{}
	for _, name := range []string{
		"Accept-Charset", "Accept-Encoding", "Access-Control-Request-Headers", "Access-Control-Request-Method", "Connection",
		"Content-Length", "Cookie", "Cookie2", "Date", "DNT", "Expect", "Host", "Keep-Alive", "Origin", "Referer", "Set-Cookie",
		"TE", "Trailer", "Transfer-Encoding", "Upgrade", "Via", "Proxy-Authorization", "sec-fetch-site", "Sec-", "Proxy-",
	} {
		header[name] = []string{"forged"}
	}
	header["X-HTTP-Method"] = []string{"PUT, trace"}
	header["X-HTTP-Method-Override"] = []string{"CONNECT"}
	header["X-Method-Override"] = []string{`"a\",TRACE", TRACK ,`, `"TRACE", "TRACK`, "PUT"}
	header["Security"] = []string{"  kept\t"}

	b := corstest.Browser{Handler: answer(http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Headers": {"*"}})}
	got := b.Fetch(page, corstest.Request{URL: "http://api.example", Header: header})
	want := http.Header{
		"Accept":            {"*/*"},
		"Origin":            {page},
		"Security":          {"kept"},
		"X-Method-Override": {`"TRACE", "TRACK`, "PUT"},
	}
	if got.Blocked != "" || !maps.EqualFunc(got.Actual.Request.Header, want, slices.Equal) {
		t.Errorf("blocked %q, sent %q, want %q", got.Blocked, got.Actual.Request.Header, want)
	}
}

// What the handler gets is what a server of net/http would give it.
func TestExchange(t *testing.T) {
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
		page, url, site string // site is empty where the URL is not trustworthy
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
				b := corstest.Browser{Cookie: "a=b", Handler: answer(http.Header{
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

// The credentials table of the standard's section "CORS protocol and
// credentials", and values from web-platform-tests' cors/origin.htm and
// cors/credentials-flag.htm.
func TestCORSCheck(t *testing.T) {
	tests := []struct {
		name        string
		credentials corstest.Credentials
		origin      []string // Access-Control-Allow-Origin
		allow       []string // Access-Control-Allow-Credentials
		want        string
	}{
		{"any origin", corstest.Omit, []string{"*"}, nil, ""},
		{"any origin, and credentials that are not asked for", corstest.SameOrigin, []string{"*"}, []string{"true"}, ""},
		{"the origin", corstest.Omit, []string{page}, nil, ""},
		{"the origin with a slash", corstest.Omit, []string{page + "/"}, nil, `the response allows the origin "https://page.example/", not "https://page.example"`},
		{"the origin with its default port", corstest.Omit, []string{page + ":443"}, nil, `the response allows the origin "https://page.example:443", not "https://page.example"`},
		{"the origin in upper case", corstest.Omit, []string{strings.ToUpper(page)}, nil, `the response allows the origin "HTTPS://PAGE.EXAMPLE", not "https://page.example"`},
		{"null", corstest.Omit, []string{"null"}, nil, `the response allows the origin "null", not "https://page.example"`},
		{"an empty header", corstest.Omit, []string{""}, nil, `the response allows the origin "", not "https://page.example"`},
		{"the origin in white space", corstest.Include, []string{"\t" + page + " "}, []string{" true\t"}, ""},
		{"the origin twice", corstest.Omit, []string{page, page}, nil, `the response allows the origin "https://page.example, https://page.example", not "https://page.example"`},
		{"any origin twice", corstest.Omit, []string{"*", "*"}, nil, `the response allows the origin "*, *", not "https://page.example"`},
		{"no header", corstest.Omit, nil, []string{"true"}, "the response has no Access-Control-Allow-Origin"},
		{"no header, with credentials", corstest.Include, nil, []string{"true"}, "the response has no Access-Control-Allow-Origin"},
		{"any origin, with credentials", corstest.Include, []string{"*"}, []string{"true"}, "the response allows any origin, which is not enough for a request with credentials"},
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
			b := corstest.Browser{Handler: answer(h)}
			got := b.Fetch(page, corstest.Request{URL: api, Credentials: test.credentials})
			if got.Blocked != test.want || got.Preflight != nil || got.Actual == nil {
				t.Errorf("GET: blocked: %q, want %q", got.Blocked, test.want)
			}
			if readable := got.Status != 0 || got.Header != nil || got.Body != ""; readable != (test.want == "") {
				t.Errorf("GET: the script can read %+v", got)
			}

			// The preflight is checked for the actual request's credentials.
			got = b.Fetch(page, corstest.Request{Method: "PUT", URL: api, Credentials: test.credentials})
			want := strings.Replace(test.want, "the response", "the response to the preflight", 1)
			if got.Blocked != want || got.Preflight == nil || got.Actual != nil != (test.want == "") {
				t.Errorf("PUT: blocked: %q, want %q", got.Blocked, want)
			}
		})
	}
}

// Some rows are those of web-platform-tests'
// fetch/api/cors/cors-preflight-star.any.js.
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
		b := corstest.Browser{Handler: answer(http.Header{
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
		if asked := got.Preflight.Request.Header["Access-Control-Request-Headers"]; len(asked) != len(r.Header) {
			t.Errorf("%s %v: the preflight asks for the headers %q", r.Method, r.Header, asked)
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

// The actual response is checked as well as the preflight's.
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
		// Its failure clears the cache.
		if preflights != n+1 {
			t.Errorf("%d preflights for %d requests", preflights, n+1)
		}
	}
}

func TestPreflightCache(t *testing.T) {
	type step struct {
		after     time.Duration    // since the first step
		page      string           // if not the usual one
		request   corstest.Request // URL is api if empty
		header    http.Header      // of the server's answer to a preflight, from here on
		preflight bool
		blocked   bool
	}
	put, del := corstest.Request{Method: "PUT"}, corstest.Request{Method: "DELETE"}
	custom := corstest.Request{Header: http.Header{"X-Custom": {"1"}}}
	authorized := corstest.Request{Header: http.Header{"Authorization": {"1"}}}
	with := func(r corstest.Request, change func(*corstest.Request)) corstest.Request {
		change(&r)
		return r
	}
	include := func(r *corstest.Request) { r.Credentials = corstest.Include }
	answers := func(methods, headers, maxAge string) http.Header {
		h := http.Header{"Access-Control-Allow-Origin": {page}, "Access-Control-Allow-Credentials": {"true"}}
		for name, value := range map[string]string{"Methods": methods, "Headers": headers} {
			if value != "" {
				h.Set("Access-Control-Allow-"+name, value)
			}
		}
		if maxAge != "" {
			h.Set("Access-Control-Max-Age", maxAge)
		}
		return h
	}
	tests := []struct {
		name   string
		maxAge time.Duration
		steps  []step
	}{
		{name: "without Max-Age, for 5 seconds", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{after: 5*time.Second - 1, request: put},
			{after: 5 * time.Second, request: put, preflight: true},
		}},
		{name: "for as long as Max-Age says", steps: []step{
			{request: put, header: answers("PUT", "", "600"), preflight: true},
			{after: 10*time.Minute - 1, request: put},
			{after: 10 * time.Minute, request: put, preflight: true},
		}},
		{name: "never, with Max-Age 0", steps: []step{
			{request: put, header: answers("PUT", "", "0"), preflight: true},
			{request: put, preflight: true},
		}},
		{name: "for 5 seconds, with a Max-Age that is no number", steps: []step{
			{request: put, header: answers("PUT", "", "-1"), preflight: true},
			{after: 4 * time.Second, request: put},
			{after: 5 * time.Second, request: put, header: answers("PUT", "", "1h"), preflight: true},
			{after: 9 * time.Second, request: put},
			{after: 10 * time.Second, request: put, preflight: true},
		}},
		{name: "for no longer than a day", steps: []step{
			{request: put, header: answers("PUT", "", "99999999999999999999999"), preflight: true},
			{after: 24*time.Hour - 1, request: put},
			{after: 24 * time.Hour, request: put, preflight: true},
		}},
		{name: "for no longer than a limit that is set", maxAge: 10 * time.Minute, steps: []step{
			{request: put, header: answers("PUT", "", "601"), preflight: true},
			{after: 10*time.Minute - 1, request: put},
			{after: 10 * time.Minute, request: put, preflight: true},
		}},
		{name: "to the second, though the limit is none", maxAge: 1500 * time.Millisecond, steps: []step{
			{request: put, header: answers("PUT", "", "1"), preflight: true},
			{after: time.Second - 1, request: put},
			{after: time.Second, request: put, header: answers("PUT", "", "2"), preflight: true},
			{after: 2500*time.Millisecond - 1, request: put},
			{after: 2500 * time.Millisecond, request: put, preflight: true},
		}},
		{name: "all methods and headers that are listed", steps: []step{
			{request: put, header: answers("PUT, DELETE", "x-custom, Authorization", ""), preflight: true},
			{request: del},
			{request: custom},
			{request: authorized},
			{request: with(put, func(r *corstest.Request) { r.Header = custom.Header })},
			{request: corstest.Request{Method: "PATCH"}, preflight: true, blocked: true},
		}},
		{name: "methods and headers from several answers", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: custom, header: answers("", "X-Custom", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.Header = custom.Header })},
			{request: del, header: answers("DELETE", "", ""), preflight: true},
			{request: put},
		}},
		{name: "a new max-age counts from when an entry was stored", steps: []step{
			{request: put, header: answers("PUT", "", "60"), preflight: true},
			{after: 50 * time.Second, request: del, header: answers("PUT, DELETE", "", "100"), preflight: true},
			{after: 100*time.Second - 1, request: put},
			{after: 100 * time.Second, request: del},
			{after: 100 * time.Second, request: put, preflight: true},
		}},
		{name: "any method and header, except Authorization", steps: []step{
			{request: put, header: answers("*", "*", ""), preflight: true},
			{request: del},
			{request: custom},
			{request: authorized, preflight: true, blocked: true},
		}},
		{name: "the answer for one with credentials serves all", steps: []step{
			{request: with(put, include), header: answers("PUT", "", ""), preflight: true},
			{request: with(put, include)},
			{request: put},
		}},
		{name: "the answer for one without credentials does not serve one with", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, include), preflight: true},
			{request: with(put, include)},
		}},
		{name: "for each URL", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = api + "/?a" }), preflight: true},
			{request: put},
		}},
		{name: "for each page", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{page: "null", request: put, header: http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"PUT"}}, preflight: true},
			{request: put},
		}},
		{name: "safelisted methods only where they are listed", steps: []step{
			{request: corstest.Request{UploadListener: true}, header: answers("", "", ""), preflight: true},
			{request: corstest.Request{UploadListener: true}}, // the method stands in for a list
			{request: corstest.Request{Method: "POST", StreamBody: true}, header: answers("PUT", "", ""), preflight: true},
			{request: corstest.Request{Method: "POST", StreamBody: true}, header: answers("POST", "", ""), preflight: true},
			{request: corstest.Request{Method: "POST", StreamBody: true}},
			{request: corstest.Request{Method: "POST"}},
		}},
		{name: "even if a request that needs no preflight fails", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: corstest.Request{}, header: http.Header{}, blocked: true},
			{request: put, header: answers("PUT", "", "")},
		}},
		{name: "until a preflight for the URL fails", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = api + "/?a" }), preflight: true},
			{request: del, preflight: true, blocked: true},
			{request: put, preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = api + "/?a" })},
		}},
		{name: "however the URL is spelt", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://api.example/" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://API.example" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://api.example:443" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://api.example:/" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "http://api.example:80" }), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = "http://api.example" })},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			now := start
			var header http.Header
			b := corstest.Browser{
				MaxAge:  test.maxAge,
				Now:     func() time.Time { return now },
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { maps.Copy(w.Header(), header) }),
			}
			for i, step := range test.steps {
				now = start.Add(step.after)
				if step.header != nil {
					header = step.header
				}
				if step.request.URL == "" {
					step.request.URL = api
				}
				if step.page == "" {
					step.page = page
				}
				got := b.Fetch(step.page, step.request)
				if got.Preflight != nil != step.preflight {
					t.Errorf("step %d: preflight sent: %t, want %t", i, got.Preflight != nil, step.preflight)
				}
				if got.Blocked != "" != step.blocked {
					t.Errorf("step %d: blocked: %q", i, got.Blocked)
				}
			}
		})
	}
}

// Where a request that needed a preflight fails, the browser forgets the
// answers for that URL, even if the URL comes after a redirect and needed none.
func TestPreflightCacheAfterRedirect(t *testing.T) {
	preflights := 0
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "OPTIONS" {
			preflights++
		}
		if r.Method != "GET" {
			w.Header().Set("Access-Control-Allow-Origin", page)
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
		}
		switch r.Method + " " + r.URL.Path {
		case "PUT /to-b":
			http.Redirect(w, r, "/b", http.StatusSeeOther)
		case "PUT /to-ftp":
			http.Redirect(w, r, "ftp://api.example/", http.StatusFound)
		}
	})}
	for i, step := range []struct {
		path       string
		preflights int
		blocked    bool
	}{
		{path: "/b", preflights: 1},
		{path: "/b"},
		{path: "/to-b", preflights: 1, blocked: true}, // GET /b is
		{path: "/b", preflights: 1},
		{path: "/to-b", blocked: true},
		{path: "/b", preflights: 1},
		{path: "/to-ftp", preflights: 1, blocked: true},
		{path: "/to-ftp", preflights: 1, blocked: true},
	} {
		preflights = 0
		got := b.Fetch(page, corstest.Request{Method: "PUT", URL: api + step.path})
		if preflights != step.preflights || got.Blocked != "" != step.blocked {
			t.Errorf("step %d: PUT %s cost %d preflights, want %d; blocked: %q", i, step.path, preflights, step.preflights, got.Blocked)
		}
	}
}

// After redirects, all pages have the origin null, but not one cache.
func TestPreflightCacheOfNull(t *testing.T) {
	b := corstest.Browser{Handler: http.HandlerFunc(answerAsAsked)}
	const url = api + "/redirect.py?redirect_status=307&allow_methods=PUT&location=https://other.example/preflight.py?allow_methods=PUT"
	for _, page := range []string{page, "https://another.example"} {
		if got := summary(b.Fetch(page, corstest.Request{Method: "PUT", URL: url})); got != "OPTIONS PUT OPTIONS PUT 200" {
			t.Errorf("%s: got %s", page, got)
		}
	}
}

// The zero Browser takes its time from the system.
func TestClock(t *testing.T) {
	b := corstest.Browser{Handler: answer(http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"PUT"}, "Access-Control-Max-Age": {"86400"}})}
	first, second := b.Fetch(page, corstest.Request{Method: "PUT", URL: api}), b.Fetch(page, corstest.Request{Method: "PUT", URL: api})
	if first.Preflight == nil || second.Preflight != nil {
		t.Errorf("preflights sent: %t, %t, want true, false", first.Preflight != nil, second.Preflight != nil)
	}
}

func TestExposedHeaders(t *testing.T) {
	safelisted := http.Header{
		"Cache-Control":    {"no-store"},
		"Content-Language": {"en"},
		"Content-Length":   {"0"},
		"Content-Type":     {"text/plain"},
		"Expires":          {"0"},
		"Last-Modified":    {"0"},
		"Pragma":           {"no-cache"},
	}
	tests := []struct {
		name        string
		expose      []string
		credentials corstest.Credentials
		want        []string // besides those that are safelisted
	}{
		{name: "none"},
		{name: "one, in any case", expose: []string{"X-a"}, want: []string{"X-A"}},
		{name: "several", expose: []string{"etag,X-A", ", x-nosuch"}, want: []string{"Etag", "X-A"}},
		{name: "any", expose: []string{"x-nosuch, *"}, want: []string{"*", "Access-Control-Allow-Credentials", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Etag", "X-A"}},
		{name: "any, with credentials", expose: []string{"*"}, credentials: corstest.Include, want: []string{"*"}},
		{name: "one, with credentials", expose: []string{"X-A"}, credentials: corstest.Include, want: []string{"X-A"}},
		{name: "cookies", expose: []string{"Set-Cookie, Set-Cookie2"}},
		{name: "a list that is malformed", expose: []string{"X-A, @"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := safelisted.Clone()
			maps.Copy(h, http.Header{
				"Access-Control-Allow-Origin":      {page},
				"Access-Control-Allow-Credentials": {"true"},
				"Etag":                             {`"1"`},
				"Set-Cookie":                       {"a=b", "c=d"},
				"Set-Cookie2":                      {"a=b"},
				"X-A":                              {"1", "2"},
				"*":                                {"whoa"},
			})
			if test.expose != nil {
				h["Access-Control-Expose-Headers"] = test.expose
			}
			want := safelisted.Clone()
			for _, name := range test.want {
				want[name] = h[name]
			}
			b := corstest.Browser{Handler: answer(h)}
			if got := b.Fetch(page, corstest.Request{URL: api, Credentials: test.credentials}); !maps.EqualFunc(got.Header, want, slices.Equal) {
				t.Errorf("got  %q\nwant %q", got.Header, want)
			}
		})
	}
}

func TestBody(t *testing.T) {
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
		to      string   // several places are separated by spaces
		want    []string // method, URL, and Origin of what is sent
		blocked string
	}{
		{
			name: "to the same origin", status: 302, to: "/b",
			want: []string{"GET https://api.example/ https://page.example", "GET https://api.example/b https://page.example"},
		},
		{
			name: "to the same origin, spelt otherwise", status: 302, to: "https://API.example:443/b",
			want: []string{"GET https://api.example/ https://page.example", "GET https://api.example/b https://page.example"},
		},
		{
			name: "to a third origin", status: 302, to: other + "/b",
			want: []string{"GET https://api.example/ https://page.example", "GET https://other.example/b null"},
		},
		{
			name: "to another scheme of the web", status: 302, to: "http://api.example/b",
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
			name: "without end", status: 302, to: "/",
			want:    slices.Repeat([]string{"GET https://api.example/ https://page.example"}, 21),
			blocked: "there are more than 20 redirects",
		},
		{
			name: "nowhere", status: 302,
			want: []string{"GET https://api.example/ https://page.example"},
		},
		{
			name: "to two places", status: 302, to: "/b /b",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect leads to several places",
		},
		{
			name: "to another scheme", status: 302, to: "ftp://api.example/b",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect does not lead to an HTTP(S) URL",
		},
		{
			name: "to no URL", status: 302, to: "https://a:b/",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect does not lead to an HTTP(S) URL",
		},
		{
			name: "with a password", status: 302, to: "https://me:secret@api.example/b",
			want:    []string{"GET https://api.example/ https://page.example"},
			blocked: "the redirect leads to a URL with a user name or password in it",
		},
		{
			name: "with a password, within the page's origin", request: corstest.Request{URL: page}, status: 302, to: "https://me:secret@page.example/b",
			want: []string{"GET https://page.example/ ", "GET https://page.example/b "},
		},
		{
			name: "with a password, from the page's origin", request: corstest.Request{URL: page}, status: 302, to: "https://me:secret@api.example/b",
			want:    []string{"GET https://page.example/ "},
			blocked: "the redirect leads to a URL with a user name or password in it",
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

// Sec-Fetch-Site tells of all the origins on the way.
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

// answer returns a handler that answers everything with the header h.
func answer(h http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), h.Clone())
		io.WriteString(w, "body")
	})
}
