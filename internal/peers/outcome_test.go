package peers_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/outcomes.txt and the tested parts of docs/integration.md")

// An outcome is the effect of a request on the service, the browser and caches,
// followed by the response that caused it.
type outcome struct {
	ran     bool   // whether the handler ran
	goesOn  bool   // whether the browser sends the actual request, or shows the script the response
	exposed string // response headers that the script can read
	maxAge  string // how long the browser reuses the response to a preflight
	keyed   bool   // whether caches serve the response only to origins that it is right for

	status           int
	methods, headers string // listed in the response to a preflight
	silent           bool   // whether a rejection gives no reason
}

func outcomeOf(p policy, r *http.Request, impl implementation) outcome {
	var o outcome
	handler := impl.wrap(p, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { o.ran = true }))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	res := w.Result()
	o.status = res.StatusCode
	o.silent = o.status >= 400 && w.Body.Len() == 0
	o.methods = strings.Join(list(res, "Access-Control-Allow-Methods"), " ")
	o.headers = strings.Join(list(res, "Access-Control-Allow-Headers"), " ")

	origin := r.Header.Get("Origin")
	allowed := res.Header.Values("Access-Control-Allow-Origin")
	anyOrigin := slices.Equal(allowed, []string{"*"})
	// Caches do not store responses to OPTIONS (RFC 9110, section 9.3.7).
	o.keyed = r.Method == http.MethodOptions || anyOrigin || slices.Contains(list(res, "Vary"), "origin")
	o.goesOn = origin == "" || slices.Equal(allowed, []string{origin}) || anyOrigin && !p.credentials
	if origin != "" && p.credentials {
		o.goesOn = o.goesOn && res.Header.Get("Access-Control-Allow-Credentials") == "true"
	}
	if isPreflight(r) {
		method := strings.ToLower(r.Header.Get("Access-Control-Request-Method"))
		o.goesOn = o.goesOn && res.StatusCode/100 == 2 && slices.Contains(list(res, "Access-Control-Allow-Methods"), method)
		allowed := list(res, "Access-Control-Allow-Headers")
		for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
			o.goesOn = o.goesOn && slices.Contains(allowed, name)
		}
	}
	if o.goesOn && origin != "" {
		if isPreflight(r) {
			o.maxAge = res.Header.Get("Access-Control-Max-Age")
		} else {
			o.exposed = strings.Join(list(res, "Access-Control-Expose-Headers"), " ")
		}
	}
	return o
}

// list returns the elements of a response header, lowercase and sorted.
func list(res *http.Response, name string) []string {
	elements := strings.FieldsFunc(strings.ToLower(strings.Join(res.Header.Values(name), ",")), func(c rune) bool {
		return c == ',' || c == ' '
	})
	slices.Sort(elements)
	return elements
}

// differences describes how o differs from this package's outcome: with a dagger
// if the effect differs, with a double dagger if only the response does.
func differences(o, this outcome) string {
	var all []string
	add := func(differs bool, s string) {
		if differs {
			all = append(all, s)
		}
	}
	add(o.ran && !this.ran, "the handler runs")
	add(!o.ran && this.ran, "the handler does not run")
	add(o.goesOn && !this.goesOn, "the browser goes on")
	add(!o.goesOn && this.goesOn, "the browser stops")
	add(o.goesOn == this.goesOn && o.exposed != this.exposed, "other headers are exposed")
	add(o.goesOn == this.goesOn && o.maxAge != this.maxAge, "preflights are reused for another time")
	add(!o.keyed && this.keyed, "Vary does not list Origin")
	if len(all) > 0 {
		return "†\t" + strings.Join(all, "; ")
	}
	add(o.status != this.status, fmt.Sprintf("status %d, not %d", o.status, this.status))
	add(o.methods != this.methods, "other methods are listed")
	add(o.headers != this.headers, "other headers are listed")
	add(o.silent && !this.silent, "no reason is given")
	if len(all) > 0 {
		return "‡\t" + strings.Join(all, "; ")
	}
	return ""
}

// TestOutcomes compares the effects of the grid's requests, because only equal
// effects have comparable costs. The differences are in testdata/outcomes.txt,
// and measure.sh marks figures by them.
//
// Policies with more than a thousand origins behave like those with a thousand.
func TestOutcomes(t *testing.T) {
	const file = "testdata/outcomes.txt"
	var got strings.Builder
	for p := range policies {
		if len(p.origins) > 1000 {
			break
		}
		for _, req := range requests {
			r := req.make(p)
			if r == nil {
				continue
			}
			this := outcomeOf(p, r, implementation{wrap: wrapThis})
			for _, impl := range implementations {
				if impl.wrap(p, nothing) == nil {
					continue
				}
				if d := differences(outcomeOf(p, r, impl), this); d != "" {
					fmt.Fprintf(&got, "policy=%s/request=%s/impl=%s\t%s\n", p.name, req.name, impl.name, d)
				}
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("outcomes are not those in %s; check the changes, then run\n\tgo test -run Outcomes -update\ngot:\n%s", file, &got)
	}
}

// TestIsWebOrigin checks the validation in the hand-written code.
func TestIsWebOrigin(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("a", 63)
	host253 := strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
	for origin, want := range map[string]bool{
		"https://tenant-500.example.com":     true,
		"http://localhost:8080":              true,
		"https://a_b.example":                true,
		"https://1and1.example":              true,
		"https://" + label63:                 true,
		"https://" + host253 + ":65535":      true,
		"":                                   false,
		"null":                               false,
		"https://":                           false,
		"https://a.":                         false,
		"https://.a":                         false,
		"https://a..b":                       false,
		"https://A.example":                  false,
		"https://*.a.example":                false,
		"https://a.example/":                 false,
		"https://a.example:":                 false,
		"https://a.example:080":              false,
		"https://a.example:8o80":             false,
		"https://a.example:808080":           false,
		"https://127.0.0.1":                  false,
		"https://127.0.0.1:8080":             false,
		"https://:8080":                      false,
		"ftp://a.example":                    false,
		"https://" + label63 + "a":           false,
		"https://" + host253 + "a":           false,
		"https://" + host253 + "a" + ":8080": false,
	} {
		if got := isWebOrigin(origin); got != want {
			t.Errorf("isWebOrigin(%q) = %t", origin, got)
		}
	}
}

// TestHandWritten compares the hand-written handlers with this package.
func TestHandWritten(t *testing.T) {
	sameOrigin := func(p policy) *http.Request {
		if p.rejected == "" {
			return nil
		}
		r := newRequest(http.MethodPost, p.rejected)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return r
	}
	malformed := func(p policy) *http.Request {
		if p.rejected == "" {
			return nil
		}
		return newRequest(http.MethodGet, strings.Replace(p.allowed, "://", "://*.", 1))
	}
	another := func(old, new string) func(p policy) *http.Request {
		return func(p policy) *http.Request {
			if !strings.Contains(p.allowed, old) || p.kind == anyOrigin {
				return nil
			}
			return newRequest(http.MethodGet, strings.Replace(p.allowed, old, new, 1))
		}
	}
	cases := append(slices.Clone(requests), request{"same-origin", sameOrigin}, request{"malformed origin", malformed},
		request{"one more label", another("://", "://a.")}, request{"a dot for a hyphen", another("git-main", "git.main")},
		request{"an empty match for *", another("git-main", "")}, request{"an invalid host", another("0a1b", "0a/b")})
	for p := range policies {
		if len(p.origins) > 1000 {
			break
		}
		if wrapByHand(p, nothing) == nil {
			continue
		}
		for _, req := range cases {
			r := req.make(p)
			if r == nil {
				continue
			}
			for _, before := range []http.Header{nil, {"Vary": {"Accept-Encoding"}, "Content-Length": {"2"}, "Etag": {`"1"`}, "Expires": {"0"}, "Last-Modified": {"0"}, "Cache-Control": {"public"}}} {
				send := func(wrap func(policy, http.Handler) http.Handler) string {
					ran := false
					w := httptest.NewRecorder()
					maps.Copy(w.Header(), before)
					wrap(p, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true })).ServeHTTP(w, r)
					var s strings.Builder
					fmt.Fprintf(&s, "handler ran: %t\n%d\n", ran, w.Code)
					for _, name := range slices.Sorted(maps.Keys(w.Header())) {
						fmt.Fprintf(&s, "%s: %q\n", name, w.Header()[name])
					}
					return s.String() + w.Body.String()
				}
				want := send(wrapThis)
				if got := send(wrapByHand); got != want {
					t.Errorf("%s, %s, after %v: hand-written code sends\n%s\nwant\n%s", p.name, req.name, before, got, want)
				}
			}
		}
	}
}
