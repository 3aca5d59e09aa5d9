package corstest_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/corstest"
)

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
	header["X-Method-Override"] = []string{`"a\",TRACE", TRACK ,`, `"TRACE", "TRACK`, `"a, TRACE, b"`, "PUT"}
	header["Security"] = []string{"  kept\t"}

	b := corstest.Browser{Handler: respondWith(http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Headers": {"*"}})}
	got := b.Fetch(page, corstest.Request{URL: "http://api.example", Header: header})
	want := http.Header{
		"Accept":            {"*/*"},
		"Origin":            {page},
		"Security":          {"kept"},
		"X-Method-Override": {`"TRACE", "TRACK`, `"a, TRACE, b"`, "PUT"},
	}
	if got.Blocked != "" || !maps.EqualFunc(got.Actual.Request.Header, want, slices.Equal) {
		t.Errorf("blocked %q, sent %q, want %q", got.Blocked, got.Actual.Request.Header, want)
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
		want        []string // headers that are exposed, except the safelisted ones
	}{
		{name: "none"},
		{name: "one, in any case", expose: []string{"X-a"}, want: []string{"X-A"}},
		{name: "several", expose: []string{"etag,X-A", ", x-nosuch"}, want: []string{"Etag", "X-A"}},
		{name: "any", expose: []string{"x-nosuch, *"}, want: []string{"*", "Access-Control-Allow-Credentials", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Etag", "X-A"}},
		{name: "any, with credentials", expose: []string{"*"}, credentials: corstest.Include, want: []string{"*"}},
		{name: "one, with credentials", expose: []string{"X-A"}, credentials: corstest.Include, want: []string{"X-A"}},
		{name: "cookies", expose: []string{"Set-Cookie, Set-Cookie2"}},
		{name: "a malformed list", expose: []string{"X-A, @"}},
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
			b := corstest.Browser{Handler: respondWith(h)}
			if got := b.Fetch(page, corstest.Request{URL: api, Credentials: test.credentials}); !maps.EqualFunc(got.Header, want, slices.Equal) {
				t.Errorf("got  %q\nwant %q", got.Header, want)
			}
		})
	}
}
