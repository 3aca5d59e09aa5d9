package properties_test

import (
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/origin/naive"
	"github.com/f407da42/cors/internal/testkit"
)

// compareWithProtection asks m, whose policy lists the origins that patterns read,
// and http.CrossOriginProtection, which is told to trust the same, about r. It
// returns a complaint, or "": what the latter rejects may not run the handler,
// and where the former is stricter, there is a reason.
func compareWithProtection(m *cors.Middleware, patterns []*regexp.Regexp, r *http.Request) (complaint string, rejected bool) {
	origin := r.Header.Get("Origin")
	if len(r.Header["Origin"]) > 1 && !slices.ContainsFunc(r.Header["Origin"], func(s string) bool { return s != "" }) {
		origin = ""
	}
	wellFormed := naive.IsOrigin(origin)
	allowed := (wellFormed || origin == "null") && slices.ContainsFunc(patterns, func(e *regexp.Regexp) bool { return e.MatchString(origin) })
	protection := http.NewCrossOriginProtection()
	if allowed && protection.AddTrustedOrigin(origin) != nil {
		return "", false // "null" and "app://" cannot be trusted there
	}

	// The one difference: Host is compared without regard to case and to the
	// scheme's default port.
	spelt := *r
	scheme, host, _ := strings.Cut(origin, "://")
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	if port != "" && strings.EqualFold(strings.TrimSuffix(host, port), strings.TrimSuffix(r.Host, port)) {
		spelt.Host = host
	}

	theirs, ours := protection.Check(&spelt), m.Check(r)
	switch {
	case theirs != nil && ours == nil:
		return "lets through what http.CrossOriginProtection rejects", true
	case theirs == nil && ours != nil:
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
		if !safe && len(r.Header["Origin"]) < 2 && wellFormed && port != "" {
			return "is stricter than http.CrossOriginProtection", false
		}
	}
	return "", theirs != nil
}

// TestProtectionAgainstForgery shows that a policy that lists origins is enough
// against cross-site request forgery: it is at least as strict as
// http.CrossOriginProtection that trusts the same origins. It is stricter about
// GET, HEAD and OPTIONS; where there are several Origin lines; and with an Origin
// that is none of http or https.
func TestProtectionAgainstForgery(t *testing.T) {
	t.Parallel()
	const seed = 1
	g := generator{rand.New(rand.NewPCG(seed, seed))}
	asked, rejected := 0, 0
	for range 2000 {
		p := g.policy()
		if slices.Contains(p.AllowedOrigins, "*") {
			p.AllowedOrigins = []string{"https://a.example"}
		}
		p.AllowOriginFunc = nil // it has no list to compare with
		m, patterns := testkit.MustNew(t, p), readPolicy(p).origins
		for range 25 {
			page := g.page(p)
			origins := [][]string{nil, {""}, {page}, {page}, {page}, {page, g.page(p)}, {"", page}}
			_, host, _ := strings.Cut(page, "://")
			hosts := []string{"api.example", host, strings.ToUpper(host), host + ":443", host + ":80", host + ":8080", ""}
			for range 21 {
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
				complaint, theirs := compareWithProtection(m, patterns, r)
				if complaint != "" {
					t.Errorf("%s: %q of Host %q, header %q, under %q", complaint, r.Method, r.Host, r.Header, p.AllowedOrigins)
				}
				asked++
				if theirs {
					rejected++
				}
			}
		}
	}
	t.Logf("%d requests, of which http.CrossOriginProtection rejects %d", asked, rejected)
	if asked < 1_000_000 || rejected < asked/10 {
		t.Errorf("%d requests, of which %d are rejected, are too few", asked, rejected)
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
		m, err := cors.New(p)
		if err != nil || pattern == "*" || pattern == "file://" {
			return
		}
		r := &http.Request{Method: method, Host: host, Header: make(http.Header)}
		if origin != "" {
			r.Header["Origin"] = strings.Split(origin, "\n")
		}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		if complaint, _ := compareWithProtection(m, readPolicy(p).origins, r); complaint != "" {
			t.Errorf("%s: %q of Host %q, header %q, under %q", complaint, method, host, r.Header, pattern)
		}
	})
}
