package origin_test

import (
	"math/rand/v2"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
	"github.com/f407da42/cors/internal/origin/naive"
)

func TestPublicSuffixesWithoutAList(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		// A public suffix, and domains that are not.
		"https://*.github.io":         "github.io",
		"https://*.github.io.:8443":   "github.io",
		"https://proj-*.vercel.app":   "vercel.app",
		"https://*--p.netlify.app:*":  "netlify.app",
		"https://*.co.uk":             "co.uk",
		"https://*.com":               "com",
		"https://*.internal":          "internal",
		"https://*.example.github.io": "",
		"https://*.example.co.uk":     "",
		"https://*.example.com":       "",
		"https://*.hub.io":            "",
		"https://*.o.uk":              "",

		// Domains with a public suffix under them.
		"https://*.aws":             "aws",
		"https://*.hosted.app":      "hosted.app",
		"https://proj-*.hosted.app": "hosted.app",
		"https://*.ts.net":          "ts.net",
		"https://proj-*.azure.com":  "", // the "*" is in one label, so suffixes under azure.com do not matter
		"https://proj-*.github.dev": "",

		// Rules with a "*".
		"https://*.eu-west-1.amazonaws.com":                 "eu-west-1.amazonaws.com",
		"https://*.s3.eu-west-1.amazonaws.com":              "s3.eu-west-1.amazonaws.com",
		"https://*.dualstack.eu-west-1.amazonaws.com":       "s3.dualstack.eu-west-1.amazonaws.com",
		"https://*.bucket.s3.eu-west-1.amazonaws.com":       "",
		"https://*.x1.execute-api.eu-west-1.amazonaws.com":  "",
		"https://*.x1.a.run.app":                            "",
		"https://*.a.run.app":                               "a.run.app",
		"https://*.westeurope.cloudapp.azure.com":           "westeurope.cloudapp.azure.com",
		"https://pr-*-x.lambda-url.eu-west-1.on.aws":        "lambda-url.eu-west-1.on.aws",
		"https://*.eu-west-1.on.aws":                        "lambda-url.eu-west-1.on.aws",
		"https://pr-*-x.eu-west-1.on.aws":                   "",
		"https://*.lambda-url.eu-west-1.on.aws.example.com": "",

		"http://*.localhost:*":     "",
		"http://*.xlocalhost":      "xlocalhost",
		"http://pr-*.localhost":    "",
		"https://github.io":        "",
		"http://localhost:*":       "",
		"https://*":                "https://",
		"safari-web-extension://*": "safari-web-extension://",
		"app://*.com":              "com",
	} {
		suffix, public := parse(t, pattern)[0].PublicSuffix(nil)
		if public != (want != "") || public && suffix != want {
			t.Errorf("%s: got %q, %t; want %q", pattern, suffix, public, want)
		}
	}
}

// With credentials, New refused https://*.amazonaws.com, but accepted it if
// PublicSuffixes was set. It always accepted https://*.railway.app.
func TestFieldBugSuffixesBelowAPattern(t *testing.T) {
	t.Parallel()
	for domain, want := range map[string]string{
		"amazonaws.com":    "s3.amazonaws.com",
		"azure.com":        "cloudapp.azure.com",
		"github.dev":       "app.github.dev",
		"railway.app":      "up.railway.app",
		"core.windows.net": "blob.core.windows.net",
		"windows.net":      "blob.core.windows.net",
		"on.aws":           "lambda-url.*.on.aws",
		"run.app":          "run.app",
	} {
		p := parse(t, "https://*."+domain)[0]
		for _, l := range []cookiejar.PublicSuffixList{nil, list{}} {
			if suffix, public := p.PublicSuffix(l); suffix != want || !public {
				t.Errorf("%s with the list %v: got %q, %t", domain, l, suffix, public)
			}
		}
	}
}

// The package lacked suffixes that people list with credentials.
func TestFieldBugUnknownSuffixes(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{
		"hosted.app", "lovableproject.com", "vusercontent.net", "base44.app", "discordsays.com", "canva-apps.com", "picard.replit.dev", "id.repl.co",
		"ts.net", "awsapprunner.com", "supabase.in", "usercontent.goog", "app.github.dev", "gitpod.io", "devtunnels.ms", "azurecontainerapps.io",
		"cloudapp.azure.com", "surge.sh", "nip.io", "sslip.io", "loca.lt", "wordpress.com",
		"s3.amazonaws.com", "lambda-url.eu-west-1.on.aws", "x.run.app", "appspot.com", "uc.r.appspot.com", "1.azurestaticapps.net", "blob.core.windows.net", "nyc3.digitaloceanspaces.com",
	} {
		for _, pattern := range []string{"https://*.", "https://proj-*.", "https://*-team."} {
			p := parse(t, pattern+suffix)[0]
			if got, public := p.PublicSuffix(nil); got != suffix || !public {
				t.Errorf("%s: got %q, %t", pattern+suffix, got, public)
			}
		}
	}
}

// list is a small list of public suffixes. All names directly under kobe.jp are
// public suffixes.
type list struct{}

func (list) String() string { return "for tests" }

func (list) PublicSuffix(domain string) string {
	labels := strings.Split(domain, ".")
	switch {
	case strings.HasSuffix("."+domain, ".example.net"):
		return "example.net"
	case strings.HasSuffix(domain, ".kobe.jp"):
		return strings.Join(labels[max(len(labels)-3, 0):], ".")
	}
	return labels[len(labels)-1]
}

func TestPublicSuffixesOfAList(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"https://*.example.net":     "example.net",
		"https://pr-*.example.net.": "example.net",
		"https://*.a.example.net":   "",
		"https://*.vercel.app":      "vercel.app", // not in the list
		"https://*.app":             "app",
		"https://*.kobe.jp":         "kobe.jp",
		"https://*.a.kobe.jp":       "a.kobe.jp",
		"https://*.b.a.kobe.jp":     "",
		"http://*.localhost":        "",
		"https://example.net":       "",
		"safari-web-extension://*":  "safari-web-extension://",
	} {
		p := parse(t, pattern)[0]
		if suffix, public := p.PublicSuffix(list{}); public != (want != "") || public && suffix != want {
			t.Errorf("%s: got %q, %t", pattern, suffix, public)
		}
	}
}

// A randomList is a public suffix list. The function returns the number of labels
// in the public suffix of a domain.
type randomList func(domain string) int

func (randomList) String() string { return "for tests" }

func (n randomList) PublicSuffix(domain string) string {
	labels := strings.Split(domain, ".")
	return strings.Join(labels[max(0, len(labels)-n(domain)):], ".")
}

// TestListsOnlyAddPublicSuffixes checks that a pattern with a public suffix
// keeps it, whatever PublicSuffixes is.
func TestListsOnlyAddPublicSuffixes(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 1))
	var patterns []origin.Pattern
	for _, s := range naive.Samples {
		if p, err := origin.Parse(s); err == nil {
			patterns = append(patterns, p)
		}
	}
	for _, rule := range strings.Fields(origin.RegistrySuffixes + origin.PlatformSuffixes) {
		domain := strings.ReplaceAll(rule, "*", "x")
		for _, domain := range []string{domain, domain[strings.IndexByte(domain, '.')+1:], "a." + domain} {
			patterns = append(patterns, parse(t, "https://*."+domain)...)
			if p, err := origin.Parse("https://pr-*." + domain); err == nil {
				patterns = append(patterns, p)
			}
		}
	}
	more := 0
	for _, p := range patterns {
		_, public := p.PublicSuffix(nil)
		for range 10 {
			n := rnd.IntN(5)
			_, publicWithList := p.PublicSuffix(randomList(func(string) int { return n }))
			if public && !publicWithList {
				t.Errorf("%+v: with a list whose suffixes have %d labels, it has no public suffix", p, n)
			}
			if publicWithList && !public {
				more++
			}
		}
	}
	if more == 0 {
		t.Error("no list adds a public suffix")
	}
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	for suffix, want := range map[string]bool{
		"localhost": true, "internal": true, "local": true, "test": true, "home.arpa": true,
		"com": false, "arpa": false, "example": false, "a.internal": false, "": false,
	} {
		if got := origin.IsReserved(suffix); got != want {
			t.Errorf("%q: got %t", suffix, got)
		}
	}
}

// The pattern https://*-example.com, which is usually a typo for
// https://*.example.com, allowed https://evil-example.com.
func TestFieldBugHyphenPatternUnderARegistry(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"https://*-example.com":      `allows names directly under "com", which others may be able to register; did you mean "https://*.example.com"?`,
		"https://*--example.com:*":   `allows names directly under "com", which others may be able to register; did you mean "https://*.example.com:*"?`,
		"http://*-example.co.uk:81":  `allows names directly under "co.uk", which others may be able to register; did you mean "http://*.example.co.uk:81"?`,
		"https://*-example.com.":     `allows names directly under "com", which others may be able to register; did you mean "https://*.example.com."?`,
		"app://*-example.com":        `allows names directly under "com", which others may be able to register; did you mean "app://*.example.com"?`,
		"https://a-*.co.uk":          `allows names directly under "co.uk", which others may be able to register; write your whole domain after the "*", as in "https://pr-*.example.com"`,
		"https://a-*-example.com":    `allows names directly under "com", which others may be able to register; write your whole domain after the "*", as in "https://pr-*.example.com"`,
		"https://*-co.uk":            `allows names directly under "uk", which others may be able to register; write your whole domain after the "*", as in "https://pr-*.example.com"`, // not https://*.co.uk
		"https://*-1.com":            `allows names directly under "com", which others may be able to register; did you mean "https://*.1.com"?`,
		"https://pr-*.app":           `allows names directly under "app", which others may be able to register; write your whole domain after the "*", as in "https://pr-*.example.com"`,
		"https://pr-*.lan":           `allows names directly under "lan", which others may be able to register; write your whole domain after the "*", as in "https://pr-*.example.com"`,
		"app://*-a.b":                `allows names directly under "b", which others may be able to register; did you mean "app://*.a.b"?`,
		"https://pr-*.xlocalhost":    `allows names directly under "xlocalhost", which others may be able to register; write your whole domain after the "*", as in "https://pr-*.example.com"`,
		"https://pr-*.o.uk":          "", // not co.uk
		"https://pr-*.vercel.app":    "",
		"https://pr-*.example.com":   "",
		"https://*-a.example.co.uk":  "",
		"http://*-app.localhost":     "",
		"http://*-app.localhost.:81": "",
		"https://*-app.internal":     "",
		"https://*-app.local":        "",
		"https://*-app.test:*":       "",
		"https://*-app.home.arpa":    "",
	} {
		_, err := origin.Parse(s)
		if got := err; (got == nil) != (want == "") || got != nil && got.Error() != want {
			t.Errorf("%s: got %v\nwant %s", s, got, want)
		}
	}
}
