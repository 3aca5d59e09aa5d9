package peers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
	"golang.org/x/net/publicsuffix"
)

// publicSuffixRules returns the rules of the Public Suffix List, which are part
// of a test of golang.org/x/net/publicsuffix.
func publicSuffixRules(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "publicsuffix", "table_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, match := range regexp.MustCompile(`(?m)^\t"([^"]+)",$`).FindAllSubmatch(source, -1) {
		rules = append(rules, string(match[1]))
	}
	if len(rules) < 9000 {
		t.Fatalf("only %d rules were found", len(rules))
	}
	return rules
}

// isPublic reports whether the package takes domain for a public suffix.
func isPublic(t *testing.T, domain string) bool {
	t.Helper()
	p, err := origin.Parse("https://*." + domain)
	if err != nil {
		t.Fatal(err)
	}
	_, public := p.PublicSuffix(nil)
	return public
}

// The package's list lacked suffixes that people list with credentials. It now has
// every rule of the Public Suffix List under these domains. New refuses patterns
// for suffixes that are parents of the rules.
func TestFieldBugSuffixesOfTheListUnknown(t *testing.T) {
	bases := map[string]int{ // each with the minimum number of rules in the list
		"amazonaws.com": 500, "on.aws": 80, "run.app": 2, "appspot.com": 2, "azurestaticapps.net": 10, "windows.net": 4, "digitaloceanspaces.com": 1,
		"hosted.app": 1, "lovableproject.com": 1, "vusercontent.net": 1, "base44.app": 1, "discordsays.com": 1, "canva-apps.com": 1,
		"replit.dev": 20, "repl.co": 2, "ts.net": 2, "awsapprunner.com": 1, "supabase.in": 1, "usercontent.goog": 1,
	}
	rules := publicSuffixRules(t)
	for base, least := range bases {
		n := 0
		for _, rule := range rules {
			if rule != base && !strings.HasSuffix(rule, "."+base) {
				continue
			}
			n++
			for domain := strings.ReplaceAll(rule, "*", "x"); ; {
				if !isPublic(t, domain) {
					t.Errorf("rule %s: %s is not refused", rule, domain)
				}
				if domain == base {
					break
				}
				_, domain, _ = strings.Cut(domain, ".")
			}
		}
		if n < least {
			t.Errorf("%s: the list has %d rules, want at least %d", base, n, least)
		}
	}
	// These are not in the list.
	for _, domain := range []string{"app.github.dev", "gitpod.io", "devtunnels.ms", "azurecontainerapps.io", "cloudapp.azure.com", "surge.sh", "nip.io", "sslip.io", "loca.lt", "wordpress.com"} {
		if !isPublic(t, domain) {
			t.Errorf("%s is not refused", domain)
		}
	}
}

// TestKnownSuffixesAreInTheList compares the rules of the package with the
// list. Rules with a "*" may cover more names.
func TestKnownSuffixesAreInTheList(t *testing.T) {
	unlisted := []string{"*.cloudapp.azure.com", "*.azurecontainerapps.io", "*.devtunnels.ms", "app.github.dev", "gitpod.io", "*.gitpod.io", "surge.sh", "nip.io", "sslip.io", "loca.lt", "wordpress.com"}
	listed := publicSuffixRules(t)
	known := strings.Fields(origin.RegistrySuffixes + origin.PlatformSuffixes)
	for i, rule := range known {
		if slices.Contains(known[:i], rule) {
			t.Errorf("%s is in the list twice", rule)
		}
		expr := regexp.MustCompile(`^` + strings.ReplaceAll(regexp.QuoteMeta(rule), `\*`, `[^.]+`) + `$`)
		if in := slices.ContainsFunc(listed, expr.MatchString); in == slices.Contains(unlisted, rule) {
			t.Errorf("%s: in the list is %t", rule, in)
		}
	}
	for _, registry := range strings.Fields(origin.RegistrySuffixes) {
		if suffix, _ := publicsuffix.PublicSuffix("a." + registry); suffix != registry {
			t.Errorf("%s: the public suffix is %s", registry, suffix)
		}
	}
	if n := len(known); n < 100 {
		t.Errorf("%d suffixes are known; the pages say more than a hundred", n)
	}
}
