package properties_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// The small world has every combination of a few values of everything that a
// response depends on. Random tests can miss a combination. These tests cannot.
var (
	worldMethods = []string{"GET", "HEAD", "POST", "PUT", "options", "QUERY", "OPTIONS"}
	worldOrigins = [][]string{
		nil, {""},
		{"https://app.example"}, {"https://a.sub.example"}, {"https://sub.example"}, {"http://localhost:3000"}, {"https://b.both.example:8443"},
		{"https://pr-1-x.preview.example"}, {"https://pr--x.preview.example"}, {"ext://any"}, {"https://tenant.example"}, {"https://evil.example"}, {"null"}, {"file://"},
		{"https://api.example"}, {"http://api.example"}, {"https://app.example", "https://app.example"}, {"", "https://app.example"},
	}
	worldAskedMethods = [][]string{nil, {"GET"}, {"PUT"}, {"FOO"}, {"PUT", "PUT"}}
	worldAskedHeaders = [][]string{nil, {""}, {"x-a"}, {"X-A, authorization"}, {"x-nope"}, {"x-a", "x-nope"}}
	worldSites        = [][]string{nil, {""}, {"same-origin"}, {"same-site"}, {"cross-site"}, {"none"}, {"junk"}, {"same-origin", "cross-site"}, {"cross-site", "same-origin"}}
	worldHosts        = []string{"api.example", "API.EXAMPLE:443", "api.example:80", "other.example"}
	worldOuterHeaders = []http.Header{
		{},
		{"Vary": {"Accept-Encoding"}, "X-Outer": {"1"}, "Content-Length": {"1"}, "Access-Control-Max-Age": {"1"}},
		{"Vary": {"Accept-Encoding", "Cookie"}, "Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"}},
	}
)

// worldRequests yields every request of the small world. Only OPTIONS requests
// differ in what a preflight asks for.
func worldRequests(yield func(*http.Request) bool) {
	for _, method := range worldMethods {
		askedMethods, askedHeaders := worldAskedMethods, worldAskedHeaders
		if method != "OPTIONS" {
			askedMethods, askedHeaders = askedMethods[1:2], askedHeaders[2:3]
		}
		for _, origins := range worldOrigins {
			for _, askedMethod := range askedMethods {
				for _, askedHeader := range askedHeaders {
					for _, site := range worldSites {
						for _, host := range worldHosts {
							r := &http.Request{Method: method, Host: host, Header: make(http.Header, 8)}
							for name, lines := range map[string][]string{
								"Origin": origins, "Sec-Fetch-Site": site,
								"Access-Control-Request-Method": askedMethod, "Access-Control-Request-Headers": askedHeader,
							} {
								if lines != nil {
									r.Header[name] = lines
								}
							}
							if !yield(r) {
								return
							}
						}
					}
				}
			}
		}
	}
}

func worldPolicies() map[string]cors.Policy {
	tenants := func(_ *http.Request, origin string) bool { return origin == "https://tenant.example" }
	anyOrigin := func(*http.Request, string) bool { return true }
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	app := []string{"https://app.example"}
	return map[string]cors.Policy{
		"zero":                   {},
		"one origin":             {AllowedOrigins: app},
		"subdomains":             {AllowedOrigins: []string{"https://*.sub.example"}},
		"any port":               {AllowedOrigins: []string{"http://localhost:*"}},
		"subdomains on any port": {AllowedOrigins: []string{"https://*.both.example:*", "https://app.example"}},
		"hyphens":                {AllowedOrigins: []string{"https://pr-*-x.preview.example"}},
		"any host of a scheme":   {AllowedOrigins: []string{"ext://*"}},
		"null":                   {AllowedOrigins: []string{"null"}, AcceptRisks: cors.RiskNullOrigin},
		"files":                  {AllowedOrigins: []string{"file://"}, AcceptRisks: cors.RiskNullOrigin},
		"the server's origin":    {AllowedOrigins: []string{"https://api.example"}},
		"a function":             {AllowOriginFunc: tenants},
		"any by function":        {AllowOriginFunc: anyOrigin},
		"null by function":       {AllowOriginFunc: anyOrigin, AcceptRisks: cors.RiskNullOrigin},
		"any origin":             {AllowedOrigins: []string{"*"}},
		"a DenyHandler":          {AllowedOrigins: app, DenyHandler: teapot},
		"all kinds of origins": {
			AllowedOrigins:  []string{"https://app.example", "https://*.sub.example", "http://localhost:*", "https://*.both.example:*", "https://pr-*-x.preview.example", "ext://*", "null"},
			AllowOriginFunc: tenants, AcceptRisks: cors.RiskNullOrigin,
		},
		"lists": {
			AllowedOrigins: app, AllowedMethods: []string{"PUT", "DELETE", "PUT"}, AllowedHeaders: []string{"x-a", "Authorization", "X-A"},
			ExposedHeaders: []string{"etag", "X-Total"}, MaxAge: 2 * time.Hour,
		},
		"lists with credentials": {
			AllowedOrigins: []string{"https://app.example", "https://*.sub.example"}, AllowedMethods: []string{"FOO"}, AllowedHeaders: []string{"X-Nope"},
			ExposedHeaders: []string{"ETag"}, AllowCredentials: true, MaxAge: -1,
		},
		"wildcards for any origin": {
			AllowedOrigins: []string{"*"}, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*", "Authorization"}, ExposedHeaders: []string{"*"}, MaxAge: time.Second,
		},
		"wildcards without credentials": {AllowedOrigins: app, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, ExposedHeaders: []string{"*"}},
		"wildcards with credentials":    {AllowedOrigins: app, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, AllowCredentials: true},
		"wildcards and names": {
			AllowOriginFunc: tenants, AllowedMethods: []string{"PUT", "*"}, AllowedHeaders: []string{"*", "X-A"}, AllowCredentials: true,
		},
	}
}

// TestSmallWorld compares the response to each request of the small world with
// the oracle: whether the handler ran, the status, every header, the body, and
// the errors from Check and OnReject.
func TestSmallWorld(t *testing.T) {
	var compared atomic.Int64
	t.Run("policies", func(t *testing.T) {
		for name, p := range worldPolicies() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				compared.Add(int64(compareWorld(t, p)))
			})
		}
	})
	t.Logf("%d requests compared", compared.Load())
	if compared.Load() < int64(rounds(400_000)) {
		t.Errorf("only %d requests were compared", compared.Load())
	}
}

func compareWorld(t *testing.T, p cors.Policy) (compared int) {
	oracle := newOracle(p)
	var got response
	p.OnReject = func(_ *http.Request, err *cors.RequestError) { got.report = err }
	m := testkit.MustNew(t, p)
	handler := m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.ran = true }))
	w := testkit.NewRecorder()
	step := 1
	if testing.Short() {
		step = 11 // has no factor in common with the number of values of a header
	}
	n := 0
	for r := range worldRequests {
		if n++; n%step != 0 {
			continue
		}
		outer := worldOuterHeaders[n/step%len(worldOuterHeaders)]
		w.Reset()
		maps.Copy(w.Header(), outer)
		got = response{}
		handler.ServeHTTP(w, r)
		got.status, got.header, got.body = w.Status, w.Header(), string(w.Body)
		want := oracle.respond(r, outer)
		if !sameResponse(got, want) {
			t.Fatalf("%s, Host %s, %q, after %q:\ngot  %+v, OnReject with %+v\nwant %+v, OnReject with %+v", r.Method, r.Host, r.Header, outer, got, got.report, want, want.report)
		}
		if err, _ := m.Check(r).(*cors.RequestError); !testkit.SameError(err, want.report) {
			t.Fatalf("%s, Host %s, %q: Check returned %+v, want %+v", r.Method, r.Host, r.Header, err, want.report)
		}
		compared++
	}
	return compared
}

// FuzzHandler compares the response to any request with the oracle, under each
// kind of policy. A header has one line for each line of its argument. If its bit
// of present is not set, the header is absent. The lines of the last header are
// repeated.
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

		var handlers []http.Handler
		for i, p := range testkit.Policies {
			var got response
			p.OnReject = func(_ *http.Request, err *cors.RequestError) { got.report = err }
			m := testkit.MustNew(t, p)
			respond := func(before http.Header) response {
				got = response{}
				w := httptest.NewRecorder()
				maps.Copy(w.Header(), before.Clone())
				m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.ran = true })).ServeHTTP(w, r)
				got.status, got.header, got.body = w.Code, w.Header(), w.Body.String()
				return got
			}
			compare := func(got, want response) {
				t.Helper()
				if !sameResponse(got, want) {
					t.Errorf("policy %d, %q %q %q: got %+v, report %+v, want %+v, report %+v",
						i, method, host, r.Header, got, got.report, want, want.report)
				}
			}

			// The response has bytes of the request only if they are an allowed
			// origin, or if the policy echoes them.
			before := http.Header{"Vary": {"Accept-Encoding"}, "X-Before": {"1"}, "Content-Length": {"1"}, "Access-Control-Max-Age": {"1"}}
			want := newOracle(p).respond(r, before)
			first := respond(before)
			compare(first, want)
			if err := m.Check(r); (err != nil) != (want.report != nil) || err != nil && !testkit.SameError(err.(*cors.RequestError), want.report) {
				t.Errorf("policy %d, %q %q %q: Check returned %v, want %+v", i, method, host, r.Header, err, want.report)
			}

			// A change to one response changes neither another one nor the request.
			second := respond(before)
			testkit.Scribble(first.header)
			compare(second, want)
			compare(respond(before), want)
			if !reflect.DeepEqual(r.Header, request) {
				t.Errorf("policy %d: request header changed from %q to %q", i, request, r.Header)
			}
			handlers = append(handlers, m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))

		}

		w := testkit.NewRecorder()
		if n := testkit.AllocatedBytes(1, func() {
			for _, h := range handlers {
				w.Reset()
				h.ServeHTTP(w, r)
			}
		}); n > 16<<10 {
			t.Errorf("%q %q: %v bytes allocated under all policies for a request of %d header lines", method, host, n, len(r.Header["Access-Control-Request-Headers"]))
		}
	})
}
