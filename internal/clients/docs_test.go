//go:build unix

package clients

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestRecipesInDocs compares docs/recipes.md with the recipes: the policies, the
// first failure without each entry, and the number of preflights.
func TestRecipesInDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(page), "\n## ")[1:]
	// The last section has no client: docs/facts_test.go checks its policies.
	if len(sections) != len(recipes)+1 {
		t.Fatalf("docs/recipes.md has %d sections, want %d", len(sections), len(recipes)+1)
	}
	literal := regexp.MustCompile(`(?ms)^var \w+ = (cors\.Policy\{\n.*?^\}\n)`)
	row := regexp.MustCompile("(?m)^\\| `(\\w+)(?:: ([\\w-]+))?`((?:, `[\\w-]+`)*) \\| ([^|]*) \\| [^|]+ \\|$")
	for i, r := range recipes {
		section, found := strings.CutPrefix(sections[i], r.name+"\n")
		if !found {
			t.Fatalf("docs/recipes.md lacks %q, or has it in another place", r.name)
		}
		source, err := os.ReadFile(r.file + "_test.go")
		if err != nil {
			t.Fatal(err)
		}
		if policies := literal.FindAllStringSubmatch(string(source), -1); len(policies) != 1 {
			t.Errorf("%s_test.go has %d policies", r.file, len(policies))
		} else if block := "```go\npolicy := " + policies[0][1] + "```\n"; !strings.Contains(section, block) {
			t.Errorf("%s: docs/recipes.md lacks\n%s", r.name, block)
		}
		if r.wrap != nil {
			// The wrapper in the page is the one that the tests run.
			wrapper := regexp.MustCompile(`(?s)// okPreflights changes.*?\n}\n\ntype okWriter[^\n]*\n\nfunc .*?\n}\n`).FindString(string(source))
			if wrapper == "" || !strings.Contains(section, "```go\n"+wrapper+"```\n") {
				t.Errorf("%s: docs/recipes.md lacks\n%s", r.name, wrapper)
			}
		}
		all := entries(r.policy)
		// A row can have several entries of one field.
		fails, n := map[entry]string{}, 0
		for _, cells := range row.FindAllStringSubmatch(section, -1) {
			names := strings.Split(cells[2]+strings.ReplaceAll(cells[3], "`", ""), ", ")
			for _, name := range names {
				fails[entry{cells[1], name}] = cells[4]
			}
			n += len(names)
		}
		if n != len(all) {
			t.Errorf("%s: the rows of docs/recipes.md have %d entries, want %d", r.name, n, len(all))
		}
		for _, e := range all {
			if got, found := fails[e]; !found || got != r.fails[e] {
				t.Errorf("%s: docs/recipes.md has %q for %s, want %q", r.name, got, e, r.fails[e])
			}
		}
		count := fmt.Sprint(r.preflights)
		if r.preflights == 0 {
			count = "no"
		}
		if want := fmt.Sprintf("20 calls: %s preflight", count); !strings.Contains(section, want) {
			t.Errorf("%s: docs/recipes.md lacks %q", r.name, want)
		}
	}
}
