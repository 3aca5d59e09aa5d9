package properties_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/origin/naive"
	"github.com/f407da42/cors/internal/testkit"
)

// A forgeryTest is a policy that lists the origins that patterns read, and the
// handler that it protects.
type forgeryTest struct {
	handler  http.Handler
	patterns []*regexp.Regexp
	ran      bool
}

func newForgeryTest(t *testing.T, p cors.Policy) *forgeryTest {
	test := &forgeryTest{patterns: newOracle(p).patterns}
	test.handler = testkit.MustNew(t, p).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { test.ran = true }))
	return test
}

// compare sends r, and asks http.CrossOriginProtection that trusts the same
// origins about it. It returns a complaint, or "": what that rejects may not run
// the handler, and the policy is stricter where it says that it is, and nowhere
// else.
func (test *forgeryTest) compare(r *http.Request) (complaint string, compared, rejected bool) {
	lines := r.Header["Origin"]
	origin := r.Header.Get("Origin")
	cross := len(lines) > 1 || origin != ""
	wellFormed := naive.IsOrigin(origin)
	allowed := (wellFormed || origin == "null") && slices.ContainsFunc(test.patterns, func(e *regexp.Regexp) bool { return e.MatchString(origin) })
	protection := http.NewCrossOriginProtection()
	if allowed && protection.AddTrustedOrigin(origin) != nil {
		return "", false, false // "null" and "app://" cannot be trusted there
	}

	// The one difference: Host is compared without regard to case and to the
	// default port of the origin's scheme.
	spelt := *r
	scheme, host, _ := strings.Cut(origin, "://")
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	ownHost := wellFormed && port != "" && strings.EqualFold(host, strings.TrimSuffix(r.Host, port))
	if ownHost {
		spelt.Host = host
	}
	rejected = protection.Check(&spelt) != nil

	test.ran = false
	test.handler.ServeHTTP(testkit.NewRecorder(), r)
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	asks := r.Method == http.MethodOptions && cross && r.Header["Access-Control-Request-Method"] != nil
	site := r.Header.Get("Sec-Fetch-Site")
	own := site == "same-origin" || site == "none" || site == "" && len(lines) == 1 && ownHost
	switch stricter := cross && (safe || len(lines) > 1 || !wellFormed || port == ""); {
	case test.ran && (asks || cross && !own && (len(lines) > 1 || !allowed)):
		return "runs the handler for a preflight, or for another page", true, rejected
	case rejected && test.ran:
		return "runs the handler, though http.CrossOriginProtection rejects it", true, true
	case !rejected && !test.ran && !asks && !stricter:
		return "is stricter than http.CrossOriginProtection", true, false
	}
	return "", true, rejected
}

// TestProtectionAgainstForgery shows that a policy that lists origins is enough
// against cross-site request forgery: but for the spelling of Host (its case, and
// the default port), what http.CrossOriginProtection that trusts the same origins
// rejects never runs the handler. Unless Sec-Fetch-Site is same-origin or none, it
// is stricter about GET, HEAD and OPTIONS with an Origin; where there are several
// Origin lines; and with an Origin that is none of http or https, or that no
// browser sends.
func TestProtectionAgainstForgery(t *testing.T) {
	t.Parallel()
	const seed = 1
	g := generator{rand.New(rand.NewPCG(seed, seed))}
	compared, rejected := 0, 0
	for range rounds(2000) {
		p := g.policy()
		if slices.Contains(p.AllowedOrigins, "*") {
			p.AllowedOrigins = []string{"https://a.example"}
		}
		p.AllowOriginFunc = nil // it has no list to compare with
		test := newForgeryTest(t, p)
		for range 25 {
			page := g.page(p)
			origins := [][]string{nil, {""}, {page}, {page}, {page}, {page, g.page(p)}, {"", page}}
			_, host, _ := strings.Cut(page, "://")
			hosts := []string{"api.example", host, strings.ToUpper(host), host + ":443", host + ":80", host + ":8080", ""}
			for range 22 {
				r := &http.Request{
					Method: g.pick("GET", "HEAD", "OPTIONS", "POST", "POST", "PUT", "DELETE", "get", ""),
					Host:   g.pick(hosts...),
					Header: make(http.Header),
				}
				if lines := origins[g.IntN(len(origins))]; lines != nil {
					r.Header["Origin"] = lines
				}
				if site := g.pick("absent", "absent", "", "same-origin", "same-site", "cross-site", "none", "junk", "Same-Origin"); site != "absent" {
					r.Header.Set("Sec-Fetch-Site", site)
				}
				if g.one(8) {
					r.Header.Add("Sec-Fetch-Site", g.pick("same-origin", "cross-site"))
				}
				if g.one(8) {
					r.Header.Set("Access-Control-Request-Method", "PUT")
				}
				complaint, ok, theirs := test.compare(r)
				if complaint != "" {
					t.Fatalf("%s: %q of Host %q, header %q, under %q", complaint, r.Method, r.Host, r.Header, p.AllowedOrigins)
				}
				if ok {
					compared++
				}
				if theirs {
					rejected++
				}
			}
		}
	}
	t.Logf("%d requests compared, of which http.CrossOriginProtection rejects %d", compared, rejected)
	if compared < rounds(1_000_000) || rejected < compared/10 {
		t.Errorf("%d requests, of which %d are rejected, are too few", compared, rejected)
	}
}

// Servers of the Model Context Protocol among others (github-mcp-server 2359,
// go-sdk 842): a preflight got 204 from the CORS middleware, and the request after
// it 403 from http.CrossOriginProtection, which was not told the same origins, and
// cannot be told patterns. One policy does both.
func TestFieldBugPreflightPassesAndRequestDoesNot(t *testing.T) {
	t.Parallel()
	c := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{"https://*.example.com"}, AllowedMethods: []string{"PUT"}})
	for _, test := range []struct {
		origin, site  string
		preflight     int
		served        bool
		alsoProtected bool // what becomes of it with both
	}{
		{"https://app.example.com", "cross-site", 204, true, false},
		{"https://app.example.com", "", 204, true, false},
		{"https://evil.example", "cross-site", 403, false, false},
		{"https://evil.example", "", 403, false, false},
		{"", "cross-site", 0, false, false},
		{"https://api.example", "same-origin", 403, true, true},
	} {
		r := testkit.NewRequest("PUT", "Origin: "+test.origin, "Sec-Fetch-Site: "+test.site)
		if _, ran := testkit.Serve(c, r); ran != test.served {
			t.Errorf("%+v: whether the handler ran: %t", test, ran)
		}
		protected := false
		c.Handler(http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			protected = true
		}))).ServeHTTP(httptest.NewRecorder(), r)
		if protected != test.alsoProtected {
			t.Errorf("%+v: whether the handler ran behind both: %t", test, protected)
		}
		if test.preflight == 0 {
			continue
		}
		w, _ := testkit.Serve(c, testkit.NewRequest("OPTIONS", "Origin: "+test.origin, "Access-Control-Request-Method: PUT"))
		if w.Code != test.preflight {
			t.Errorf("%+v: the preflight gets %d", test, w.Code)
		}
	}
	protection := http.NewCrossOriginProtection()
	protection.AddTrustedOrigin("https://*.example.com")
	if protection.Check(testkit.NewRequest("PUT", "Origin: https://app.example.com", "Sec-Fetch-Site: cross-site")) == nil {
		t.Error("http.CrossOriginProtection can be told patterns: say so")
	}
}

func FuzzCrossOriginProtection(f *testing.F) {
	f.Add("https://app.example", "POST", "api.example", "https://app.example", "cross-site")
	f.Add("https://*.example:*", "POST", "api.example", "https://evil.example", "")
	f.Add("https://pr-*.example.com", "PUT", "PR-1.EXAMPLE.COM:443", "https://pr-1.example.com", "")
	f.Add("https://app.example", "POST", "app.example", "", "cross-site")
	f.Add("https://app.example", "POST", "app.example", "https://app.example\nhttps://evil.example", "same-site")
	f.Add("null", "DELETE", "", "null", "")
	f.Add("app://*", "PATCH", "a", "app://a", "")
	f.Fuzz(func(t *testing.T, pattern, method, host, origin, site string) {
		p := cors.Policy{AllowedOrigins: []string{pattern}, AcceptRisks: cors.RiskNullOrigin}
		if _, err := cors.New(p); err != nil || pattern == "*" || pattern == "file://" {
			return
		}
		r := &http.Request{Method: method, Host: host, Header: make(http.Header)}
		if origin != "" {
			r.Header["Origin"] = strings.Split(origin, "\n")
		}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		if complaint, _, _ := newForgeryTest(t, p).compare(r); complaint != "" {
			t.Errorf("%s: %q of Host %q, header %q, under %q", complaint, method, host, r.Header, pattern)
		}
	})
}
