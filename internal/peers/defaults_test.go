package peers_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestDefaults compares the table of defaults in docs/migrating.md with the behavior
// of each package if only the origins are set. It logs the table that the page
// should have.
func TestDefaults(t *testing.T) {
	table := [][]string{{"Package", "No origins", "Methods", "Request headers"}}
	for _, p := range peers {
		table = append(table, []string{p.name, p.withoutOrigins(t),
			p.allowedByDefault(t, []string{"PUT", "PATCH", "DELETE", "PURGE"}, nil),
			p.allowedByDefault(t, nil, []string{"Content-Type", "X-Requested-With", "Authorization", "X-Request-Id"})})
	}
	var markdown strings.Builder
	for _, row := range table {
		fmt.Fprintf(&markdown, "| %s |\n", strings.Join(row, " | "))
	}
	t.Logf("the table is:\n%s", &markdown)
	if shown := tableIn(t, "migrating.md", "## Defaults"); !slices.EqualFunc(shown, table, slices.Equal) {
		t.Errorf("docs/migrating.md has\n%q", shown)
	}
}

func (p peer) withoutOrigins(t *testing.T) string {
	s := setup{defaults: true}
	if _, err := p.wrap(&s, nothing); err != nil {
		return "refused at start"
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Origin", "https://evil.example")
	res, _ := p.send(t, s, r)
	if res.Header.Get("Access-Control-Allow-Origin") == "" {
		return "no origin"
	}
	return "every origin"
}

// allowedByDefault returns the methods or headers that responses to preflights
// allow.
func (p peer) allowedByDefault(t *testing.T, methods, headers []string) string {
	s := setup{origins: ordinary.origins, defaults: true}
	var allowed []string
	for _, method := range methods {
		res, _ := p.send(t, s, preflight(method))
		if listed(res.Header, "Access-Control-Allow-Methods", method) {
			allowed = append(allowed, "`"+method+"`")
		}
	}
	for _, name := range headers {
		r := preflight("POST")
		r.Header.Set("Access-Control-Request-Headers", strings.ToLower(name))
		res, _ := p.send(t, s, r)
		if listed(res.Header, "Access-Control-Allow-Headers", name) {
			allowed = append(allowed, "`"+name+"`")
		}
	}
	switch len(allowed) {
	case 0:
		return "none"
	case len(methods) + len(headers):
		return "all"
	}
	return strings.Join(allowed, ", ")
}
