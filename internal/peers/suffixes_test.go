package peers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
	"golang.org/x/net/publicsuffix"
)

// TestKnownSuffixes holds each suffix that the package knows itself against the
// Public Suffix List: names right under it belong to whoever registers them.
func TestKnownSuffixes(t *testing.T) {
	known := strings.Fields(origin.KnownSuffixes)
	sorted := slices.Sorted(slices.Values(known))
	if len(slices.Compact(sorted)) != len(known) {
		t.Error("a suffix is listed twice")
	}
	for _, name := range known {
		below := name
		if name == "amazonaws.com" {
			below = "s3." + name // it is not on the list itself, but above many that are
		}
		suffix, _ := publicsuffix.PublicSuffix("a." + below)
		if len(suffix) < len(below) {
			t.Errorf("%s is no public suffix: of a.%s, that is %s", name, below, suffix)
		}
		p, err := origin.Parse("https://*." + name)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, public := p.PublicSuffix(nil); !public {
			t.Errorf("%s is listed, but not found", name)
		}
	}
}
