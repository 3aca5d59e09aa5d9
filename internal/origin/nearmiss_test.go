package origin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
)

func TestNearMiss(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61) + "."
	for _, test := range []struct {
		name, pattern, origin string
		near                  bool
	}{
		{"http instead of https", "https://app.example.com", "http://app.example.com", true},
		{"https instead of http", "http://localhost:3000", "https://localhost:3000", true},
		{"a misspelled scheme", "https://app.example.com", "htps://app.example.com", true},
		{"the scheme of an app", "https://app.example.com", "app://app.example.com", false},
		{"the scheme of another app", "app://localhost", "capacitor://localhost", false},
		{"a web scheme instead of an app's", "app://localhost", "http://localhost", false},
		{"http instead of https, under a pattern", "https://*.example.com", "http://a.b.example.com", true},
		{"http instead of https, under a hyphen pattern", "https://pr-*-x.example.com", "http://pr-1-x.example.com", true},
		{"an empty match of the wildcard of a hyphen pattern", "https://pr-*-x.example.com", "http://pr--x.example.com", false},
		{"two labels for the wildcard of a hyphen pattern", "https://a-*.example.com", "https://a-b.c.example.com:1", false},
		{"two labels for a wildcard before a hyphen", "https://*-a.example.com", "https://c.b-a.example.com:1", false},
		{"a label over 63 bytes", "https://*-a.example.com", "http://" + strings.Repeat("a", 63) + "-a.example.com", false},
		{"a path for the wildcard", "https://*.example.com", "https://evil/.example.com:8", false},
		{"a port for the wildcard", "https://*.example.com", "http://a:1.example.com", false},
		{"a slash, under https://*", "https://*", "http://evil/", false},
		{"an uppercase host, under https://*", "https://*", "http://EVIL", false},
		{"two ports, under https://*", "https://*", "http://evil:1:2", false},
		{"http and an IPv6 address, under https://*", "https://*", "http://[::1]:8080", true},
		{"no host, under https://*", "https://*", "http://", false},
		{"the default port", "https://example.com", "https://example.com:443", true},
		{"another port of an app in uppercase", "app://A", "app://A:1", true},
		{"another name under a hyphen pattern", "https://pr-*-x.example.com", "http://pr-x.example.com", false},
		{"http instead of https, under https://*", "https://*", "http://example.com:8080", true},
		{"http instead of https, on any port", "https://example.com:*", "http://example.com:8080", true},

		{"another port", "http://localhost:3000", "http://localhost:5173", true},
		{"an extra port", "https://example.com", "https://example.com:8443", true},
		{"a missing port", "https://example.com:8443", "https://example.com", true},
		{"another port of an IPv6 address", "http://[::1]:3000", "http://[::1]:5173", true},
		{"another port under a pattern", "https://*.example.com", "https://a.example.com:8443", true},
		{"another port of an app", "app://localhost:1", "app://localhost:2", true},

		{"www. missing", "https://www.example.com", "https://example.com", true},
		{"www. added", "https://example.com", "https://www.example.com", true},
		{"www. added on a port", "https://example.com:8443", "https://www.example.com:8443", true},
		{"the bare domain", "https://*.example.com", "https://example.com", true},
		{"the bare domain on any port", "https://*.example.com:*", "https://example.com:8443", true},
		{"another subdomain", "https://app.example.com", "https://api.example.com", false},
		{"www. of another domain", "https://www.example.com", "https://example.org", false},
		{"the bare domain of another pattern", "https://*.example.com", "https://example.org", false},
		{"another label instead of www.", "https://web.example.com", "https://example.com", false},

		{"another scheme and port", "https://example.com", "http://example.com:8080", false},
		{"another scheme and www.", "https://example.com", "http://www.example.com", false},
		{"another port and www.", "https://example.com", "https://www.example.com:8443", false},
		{"another host", "https://example.com", "https://example.org", false},
		{"a longer host", "https://example.com", "https://example.com.evil.example", false},
		{"no scheme", "https://example.com", "example.com", false},
		{"null", "null", "file://", false},
		{"an empty origin", "https://example.com", "", false},
		{"the longest origin", "http://" + longest + ":65535", "https://" + longest + ":65535", true},
		{"an origin that is too long", "http://a" + longest, "https://a" + longest, false},
		{"a host that is too long", "https://*.example.com", "http://" + strings.Repeat("a", 300) + ".example.com", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			patterns := []string{"https://other.example", test.pattern, test.pattern + "."}
			want := ""
			if test.near {
				want = test.pattern
			}
			if got := origin.NearMiss(patterns, test.origin); got != want {
				t.Errorf("%q under %q: got %q", test.origin, test.pattern, got)
			}
		})
	}
}

// TestNearMissIsBounded counts allocations, so it is not parallel.
func TestNearMissIsBounded(t *testing.T) {
	patterns := append(numbered("https://app#.example.com", 255), "https://a.example", "https://b.example")
	for o, want := range map[string]string{"http://app000000.example.com": patterns[0], "http://a.example": "https://a.example", "http://b.example": ""} {
		if got := origin.NearMiss(patterns, o); got != want {
			t.Errorf("%s: got %q, want %q", o, got, want)
		}
	}
	if got := origin.NearMiss(slices.Clip(patterns[:1]), "http://a.example"); got != "" {
		t.Errorf("one pattern: got %q", got)
	}
	if n := testing.AllocsPerRun(5, func() { origin.NearMiss(patterns, "http://c.example") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
