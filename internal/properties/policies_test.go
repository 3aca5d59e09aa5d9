package properties_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// A written policy is the CORS configuration of a public Go program. The hosts
// are replaced.
type written struct {
	Kind        string   // CORS package of the program; "hand" for hand-written headers
	Neutral     bool     // found with a search for the name of the configuration type only
	Origins     []string // "env" and "envsplit" are read from the environment
	Methods     []string
	Headers     []string
	Exposed     []string
	Credentials bool
	MaxAge      any      // seconds, or text for a time.Duration
	Func        string   // what a function of the policy does
	Extras      []string // other options
}

// policy translates w as docs/migrating.md says, and changes nothing else.
func (w written) policy(t *testing.T) cors.Policy {
	p := cors.Policy{
		AllowedMethods:   w.Methods,
		AllowedHeaders:   w.Headers,
		ExposedHeaders:   w.Exposed,
		AllowCredentials: w.Credentials,
	}
	for _, origin := range w.Origins {
		switch origin {
		case "env":
			p.AllowedOrigins = append(p.AllowedOrigins, "https://app.example.com")
		case "envsplit":
			p.AllowedOrigins = append(p.AllowedOrigins, "https://app.example.com", "https://www.example.com")
		default:
			p.AllowedOrigins = append(p.AllowedOrigins, origin)
		}
	}
	if w.Func != "" {
		p.AllowOriginFunc = func(r *http.Request, origin string) bool { return true }
		if w.Kind != "gin" && w.Kind != "fiber" {
			p.AllowedOrigins = nil // in these packages, the function replaces the list
		}
	} else if len(w.Origins) == 0 && w.Kind != "jub0bs" {
		p.AllowedOrigins = []string{"*"}
	}
	switch maxAge := w.MaxAge.(type) {
	case float64:
		p.MaxAge = time.Duration(maxAge) * time.Second
	case string:
		var err error
		if p.MaxAge, err = time.ParseDuration(maxAge); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Contains(w.Extras, "TolerateInsecure") {
		p.AcceptRisks = cors.RiskInsecureOrigin
	}
	return p
}

// refusal returns the reason why New should refuse an entry of p, or "" if no
// reason is known.
func refusal(p cors.Policy, e *cors.PolicyError) string {
	isToken := func(s string) bool { return s != "" && !strings.ContainsAny(s, " ,;:/\t") }
	switch {
	case e.Field == "AllowedOrigins" && p.AllowCredentials && slices.Contains([]string{"*", "https://*", "http://*"}, e.Value):
		return "danger: every site with credentials"
	case e.Field == "AllowedOrigins" && p.AllowCredentials && strings.HasPrefix(e.Value, "http://") && strings.Count(e.Value, "/") == 2:
		return "danger: http: with credentials"
	case e.Field == "AllowedOrigins" && e.Value == "*":
		return `would not do what it says: other origins next to "*"`
	case e.Field == "AllowedOrigins" && strings.Count(e.Value, "/") > 2:
		return "would not do what it says: a path in an origin"
	case e.Field == "ExposedHeaders" && e.Value == "*" && p.AllowCredentials:
		return `would not do what it says: "*" in ExposedHeaders with credentials`
	case strings.HasSuffix(e.Field, "Headers") && !isToken(e.Value):
		return "would not do what it says: not the name of a header"
	case e.Field == "AllowedHeaders" && e.Value == "Cookie", e.Field == "ExposedHeaders" && e.Value == "Set-Cookie":
		return "would not do what it says: a cookie as a header"
	}
	return ""
}

// TestFieldBugWrittenPolicies calls New with policies of public Go programs. New
// accepts most of them without changes. It refuses the others because of a danger,
// or because an entry would not do what it says.
func TestFieldBugWrittenPolicies(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/policies.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []written
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	neutral, compiled := 0, 0
	reasons := make(map[string]int)
	for i, w := range all {
		p := w.policy(t)
		_, err := cors.New(p)
		var why []string
		if err != nil {
			for _, e := range testkit.PolicyErrors(t, err) {
				reason := refusal(p, e)
				if reason == "" {
					t.Errorf("policy %d is refused without a known reason: %v", i, e)
				}
				why = append(why, reason)
			}
		}
		if !w.Neutral {
			continue
		}
		neutral++
		if err == nil {
			compiled++
		}
		slices.Sort(why)
		for _, reason := range slices.Compact(why) {
			reasons[reason]++
		}
	}
	var table strings.Builder
	for _, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int { return reasons[b] - reasons[a] }) {
		fmt.Fprintf(&table, "%4d  %s\n", reasons[reason], reason)
	}
	rate := 100 * float64(compiled) / float64(neutral)
	t.Logf("New accepts %d of %d policies without changes, %.0f %%; it refuses the others for:\n%s", compiled, neutral, rate, &table)
	if neutral < 50 || rate < 80 {
		t.Errorf("New accepts %.0f %% of %d policies, want 80 %%", rate, neutral)
	}
}
