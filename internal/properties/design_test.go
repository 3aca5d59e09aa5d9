package properties_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/origin/naive"
	"github.com/f407da42/cors/internal/testkit"
)

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
	opaque := origin == "null" || origin == "file://"
	wellFormed := opaque && p.AcceptRisks&cors.RiskNullOrigin != 0 || naive.IsOrigin(origin)
	allowed := anyOrigin || len(lines) == 1 && wellFormed &&
		(slices.ContainsFunc(p.AllowedOrigins, func(s string) bool { return naive.Expression(s).MatchString(origin) }) ||
			p.AllowOriginFunc != nil && len(origin) <= 512 && p.AllowOriginFunc(r, origin))
	site := r.Header.Get("Sec-Fetch-Site")
	spelt := func(origin string) string {
		return regexp.MustCompile(`(?i)^(http:.*):80$|^(https:.*):443$`).ReplaceAllString(origin, "$1$2")
	}
	isOwn := func(scheme string) bool {
		return strings.HasPrefix(origin, scheme) && strings.EqualFold(spelt(origin), spelt(scheme+r.Host))
	}
	sameOrigin := site == "same-origin" || site == "none" ||
		site == "" && naive.IsOrigin(origin) && (isOwn("http://") || isOwn("https://"))
	forged := !cross && !anyOrigin && !slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, r.Method) && !slices.Contains([]string{"", "same-origin", "none"}, site)

	a := answer{ran: true, status: http.StatusOK, header: before.Clone()}
	maps.DeleteFunc(a.header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Access-Control-") })
	switch {
	case preflight && allowed:
		a.ran, a.status, a.report = false, http.StatusNoContent, designedReport(p, r)
	case allowed, !cross && !forged, sameOrigin && !preflight:
	default:
		a.ran = false
		a.report = &cors.RequestError{Preflight: preflight, Field: "Origin", Value: firstTwo(lines)}
		if forged {
			a.report = &cors.RequestError{Field: "Sec-Fetch-Site", Value: firstTwo(r.Header["Sec-Fetch-Site"])}
		}
		a.header.Del("Content-Length")
		if p.DenyHandler != nil {
			w := httptest.NewRecorder()
			p.DenyHandler.ServeHTTP(w, r)
			a.status = w.Code
			break
		}
		a.status, a.body = http.StatusForbidden, testkit.Rejection
		if forged {
			a.body = testkit.SiteRejection
		}
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
		a.header.Set("X-Content-Type-Options", "nosniff")
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
		maps.EqualFunc(a.header, b.header, sameValues) && testkit.SameError(a.report, b.report)
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

		var handlers []http.Handler
		for i, p := range testkit.Policies {
			var got answer
			p.OnReject = func(_ *http.Request, err *cors.RequestError) { got.report = err }
			m := testkit.MustNew(t, p)
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
			if err := m.Check(r); (err != nil) != (want.report != nil) || err != nil && !testkit.SameError(err.(*cors.RequestError), want.report) {
				t.Errorf("policy %d, %q %q %q: Check returned %v, want %+v", i, method, host, r.Header, err, want.report)
			}

			// What is done to one response changes no other, nor the request.
			second := answerTo(before)
			testkit.Scribble(first.header)
			compare(second, want)
			compare(answerTo(before), want)
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
