package properties_test

import (
	"iter"
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

// The small world is the set of requests with every combination of these values.
// It has a few values for each part of a request that a response depends on.
// Random tests can miss a combination. TestSmallWorld cannot.
var (
	worldMethods = []string{"GET", "HEAD", "POST", "PUT", "CONNECT", "TRACE", "QUERY", "options", "OPTIONS"}
	worldOrigins = [][]string{
		nil, {""},
		{"https://app.example"}, {"https://a.sub.example"}, {"https://sub.example"}, {"http://localhost:3000"}, {"https://b.both.example:8443"},
		{"https://pr-1-x.preview.example"}, {"https://pr--x.preview.example"}, {"ext://any"}, {"https://tenant.example"}, {"https://evil.example"}, {"null"}, {"file://"},
		{"https://api.example"}, {"http://api.example"}, {"https://app.example", "https://app.example"}, {"", "https://app.example"},
		{"http://app.example"}, {"https://app.example:8443"}, {"https://app.example:443"},
	}
	worldAskedMethods = [][]string{nil, {"GET"}, {"PUT"}, {"FOO"}, {"TRACE"}, {"PUT", "PUT"}}
	worldAskedHeaders = [][]string{nil, {""}, {"x-a"}, {"X-A, authorization"}, {"x-nope"}, {"origin"}, {"x-a", "x-nope"}}
	worldSites        = [][]string{nil, {""}, {"same-origin"}, {"same-site"}, {"cross-site"}, {"none"}, {"junk"}, {"same-origin", "cross-site"}, {"cross-site", "same-origin"}}
	worldModes        = [][]string{nil, {"cors"}, {"no-cors"}, {"navigate"}, {"websocket"}, {"same-origin"}, {"junk"}, {"cors", "no-cors"}, {"no-cors", "cors"}}
	worldUpgrades     = [][]string{nil, {"websocket"}}
	worldHosts        = []string{"api.example", "API.EXAMPLE:443", "api.example:80", "other.example"}
	worldOuterHeaders = []http.Header{
		{},
		{"Vary": {"Accept-Encoding"}, "Content-Encoding": {"gzip"}, "Content-Length": {"1"}, "Etag": {`"1"`}, "Surrogate-Control": {"max-age=1"}, "Access-Control-Max-Age": {"1"}},
		{"Vary": {"Accept-Encoding", "Cookie"}, "Cache-Control": {"public"}, "Expires": {"0"}, "Last-Modified": {"0"}, "Cdn-Cache-Control": {"public"}, "Access-Control-Allow-Origin": {"*"}},
		{"Access-Control-Allow-Origin": {"*"}},
		{"Etag": {`"1"`}},
	}
)

// worldRequests yields every request of the small world. It leaves out values that
// do not matter. Host matters only without Sec-Fetch-Site. The headers of
// preflights matter only for OPTIONS, and Sec-Fetch-Mode only for other methods.
func worldRequests(yield func(*http.Request) bool) {
	for _, method := range worldMethods {
		modes, askedMethods, askedHeaders := worldModes, worldAskedMethods[1:2], worldAskedHeaders[2:3]
		if method == "OPTIONS" {
			modes, askedMethods, askedHeaders = worldModes[2:3], worldAskedMethods, worldAskedHeaders
		}
		for header := range product(map[string][][]string{
			"Origin": worldOrigins, "Sec-Fetch-Site": worldSites, "Sec-Fetch-Mode": modes, "Upgrade": worldUpgrades,
			"Access-Control-Request-Method": askedMethods, "Access-Control-Request-Headers": askedHeaders,
		}) {
			hosts := worldHosts
			if header.Get("Sec-Fetch-Site") != "" {
				hosts = hosts[:1]
			}
			for _, host := range hosts {
				if !yield(&http.Request{Method: method, Host: host, Header: header}) {
					return
				}
			}
		}
	}
}

// product yields a header for each combination of values. If a value is nil, the
// header is absent.
func product(values map[string][][]string) iter.Seq[http.Header] {
	names := slices.Sorted(maps.Keys(values))
	n := 1
	for _, list := range values {
		n *= len(list)
	}
	return func(yield func(http.Header) bool) {
		for i := range n {
			header := make(http.Header, len(names))
			for _, name := range names {
				list := values[name]
				if lines := list[i%len(list)]; lines != nil {
					header[name] = lines
				}
				i /= len(list)
			}
			if !yield(header) {
				return
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
		"zero":                       {},
		"one origin":                 {AllowedOrigins: app},
		"subdomains":                 {AllowedOrigins: []string{"https://*.sub.example"}},
		"any port":                   {AllowedOrigins: []string{"http://localhost:*"}},
		"subdomains on any port":     {AllowedOrigins: []string{"https://*.both.example:*", "https://app.example"}},
		"hyphens":                    {AllowedOrigins: []string{"https://pr-*-x.preview.example"}},
		"any host of a scheme":       {AllowedOrigins: []string{"ext://*"}},
		"null":                       {AllowedOrigins: []string{"null"}, AcceptRisks: cors.RiskNullOrigin},
		"files":                      {AllowedOrigins: []string{"file://"}, AcceptRisks: cors.RiskNullOrigin},
		"the server's origin":        {AllowedOrigins: []string{"https://api.example"}},
		"a function":                 {AllowOriginFunc: tenants},
		"any by function":            {AllowOriginFunc: anyOrigin},
		"null by function":           {AllowOriginFunc: anyOrigin, AcceptRisks: cors.RiskNullOrigin},
		"any origin":                 {AllowedOrigins: []string{"*"}},
		"a DenyHandler":              {AllowedOrigins: app, DenyHandler: teapot},
		"every https origin":         {AllowedOrigins: []string{"https://*"}},
		"every web origin":           {AllowedOrigins: []string{"https://*", "http://*"}, ExposedHeaders: []string{"ETag"}},
		"PassRejected":               {AllowedOrigins: app, PassRejected: true},
		"PassRejected and functions": {AllowOriginFunc: tenants, PassRejected: true, DenyHandler: teapot, AllowCredentials: true},
		"entries that are left out": {
			AllowedOrigins: app, AllowedMethods: []string{"TRACE", "PUT", "connect"}, AllowedHeaders: []string{"Content-Length", "X-A", "origin", "Sec-Fetch-Site"},
			ExposedHeaders: []string{"Origin"}, MaxAge: 48 * time.Hour,
		},
		"only entries that are left out": {AllowedOrigins: app, AllowedMethods: []string{"TRACE"}, AllowedHeaders: []string{"Origin"}},
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
// the oracle. It compares whether the handler ran, the status, every header, the
// body, and the errors from Check and OnReject.
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
	if compared.Load() < int64(rounds(900_000)) {
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
		step = 29 // has no common factor with the number of values of any header
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

// FuzzHandler compares the response to any request with the oracle, under each of
// testkit.Policies. A header has one line for each line of its argument. If its
// bit of present is not set, the header is absent. The lines of
// Access-Control-Request-Headers are repeated.
func FuzzHandler(f *testing.F) {
	const (
		origin = 1 << iota
		site
		method
		headers
		mode
		upgrade
		all = 1<<iota - 1
	)
	f.Add("OPTIONS", "api.example", "https://example.com", "", "PUT", "x-custom-header", "", "", uint8(origin|method|headers), uint8(0))
	f.Add("PUT", "api.example", "https://example.com", "cross-site", "", "", "", "", uint8(origin|site), uint8(0))
	f.Add("OPTIONS", "api.example", "https://evil.example", "cross-site", "PUT", "x-custom-header", "cors", "", uint8(all&^upgrade), uint8(0))
	f.Add("GET", "api.example", "", "", "", "", "", "", uint8(0), uint8(0))
	f.Add("GET", "api.example", "", "same-origin", "", "", "", "", uint8(all), uint8(0))
	f.Add("OPTIONS", "api.example", "", "none", "PUT", "", "", "", uint8(site|method), uint8(0))
	f.Add("POST", "api.example", "https://api.example", "", "", "", "", "", uint8(origin), uint8(0))
	f.Add("OPTIONS", "api.example", "https://api.example", "same-origin", "GET", "", "", "", uint8(origin|site|method), uint8(0))
	f.Add("POST", "localhost:80", "http://localhost:80", "", "", "", "", "", uint8(origin), uint8(0))
	f.Add("POST", "", "https://", "", "", "", "", "", uint8(origin), uint8(0))
	f.Add("GET", "api.example", "null", "cross-site", "", "", "no-cors", "", uint8(origin|site|mode), uint8(0))
	f.Add("HEAD", "api.example", "https://evil.example\n", "cross-site", "", "", "navigate\ncors", "", uint8(origin|site|mode), uint8(0))
	f.Add("GET", "api.example", "https://evil.example", "", "", "", "websocket", "websocket", uint8(origin|mode|upgrade), uint8(0))
	f.Add("CONNECT", "api.example", "https://evil.example", "", "", "", "", "", uint8(origin), uint8(0))
	f.Add("PUT", "api.example", "https://evil.example", "", "", "", "no-cors", "", uint8(origin|mode|upgrade), uint8(0))
	f.Add("GET", "api.example", "https://example.com\nhttps://example.com", "none\ncross-site", "", "", "", "", uint8(origin|site), uint8(0))
	f.Add("GET", "api.example", "\n", "", "", "", "", "", uint8(origin), uint8(0))
	f.Add("OPTIONS", "api.example", "https://a.example.com", "", "FOO\nBAR", "a\nb", "", "", uint8(all), uint8(0))
	f.Add("OPTIONS", "api.example", "http://a.localhost:3000", "", "FO O", "a,,\tb", "", "", uint8(all), uint8(40))
	f.Add("OPTIONS", "api.example", "http://a.localhost:3000", "", "*", "a,,\tb", "", "", uint8(all), uint8(40))
	f.Add("OPTIONS", "api.example", "http://localhost:3000", "", "", "a\x00b", "", "", uint8(all), uint8(0))
	f.Add("OPTIONS", "api.example", "https://example.com", "", strings.Repeat("M", 8193), strings.Repeat("a", 128), "", "", uint8(all), uint8(70))
	f.Add("OPTIONS", "api.example", "https://example.com", "", "put", strings.Repeat("a,", 2048), "", "", uint8(all), uint8(255))
	f.Add("OPTIONS", "api.example", "https://"+strings.Repeat("e.", 252)+"ee", "", "put", "", "", "", uint8(all), uint8(0))
	f.Add("\xff", "\x00", "https://\xff.example.com", "\r\n", "\x7f", "\x80\n", "\xff", "\x00", uint8(all), uint8(0))

	f.Fuzz(func(t *testing.T, method, host, origin, site, requestMethod, requestHeaders, mode, upgrade string, present, repeat uint8) {
		r := &http.Request{Method: method, Host: host, Header: make(http.Header)}
		for i, h := range []struct{ name, value string }{
			{"Origin", origin},
			{"Sec-Fetch-Site", site},
			{"Access-Control-Request-Method", requestMethod},
			{"Access-Control-Request-Headers", requestHeaders},
			{"Sec-Fetch-Mode", mode},
			{"Upgrade", upgrade},
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

			// The response of the oracle contains only two parts of the request:
			// an allowed origin, and names that the policy echoes.
			before := http.Header{"Vary": {"Accept-Encoding"}, "X-Before": {"1"}, "Content-Length": {"1"}, "Etag": {"1"}, "Cache-Control": {"public"}, "Access-Control-Max-Age": {"1"}}
			want := newOracle(p).respond(r, before)
			first := respond(before)
			compare(first, want)
			if err := m.Check(r); (err != nil) != (want.report != nil) || err != nil && !testkit.SameError(err.(*cors.RequestError), want.report) {
				t.Errorf("policy %d, %q %q %q: Check returned %v, want %+v", i, method, host, r.Header, err, want.report)
			}

			// Changes to one response must not change another response or the
			// request.
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
