package main

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/f407da42/cors/corstest"
)

func TestAttemptsOfOtherSites(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		name        string
		policy      policyForm
		runs, reads []string
	}{
		{"one allowed origin", policyForm{AllowedOrigins: []string{p.origins.App}, AllowedMethods: []string{"PUT"}, AllowCredentials: true},
			[]string{"a link, an image or a script"},
			nil},
		{"any origin", policyForm{AllowedOrigins: []string{"*"}},
			[]string{"a link, an image or a script", "fetch", "fetch with credentials", "fetch with mode no-cors, POST", "a form, POST", "a WebSocket"},
			[]string{"fetch", "a WebSocket"}},
		{"the stranger with credentials", policyForm{AllowedOrigins: []string{p.origins.Stranger}, AllowedMethods: []string{"PUT"}, AllowCredentials: true},
			[]string{"a link, an image or a script", "fetch", "fetch with credentials", "fetch, PUT", "fetch with credentials, PUT", "fetch with mode no-cors, POST", "a form, POST", "a WebSocket"},
			[]string{"fetch", "fetch with credentials", "fetch, PUT", "fetch with credentials, PUT", "a WebSocket"}},
	} {
		if err := p.setPolicy(test.policy); err != nil {
			t.Fatal(err)
		}
		var runs, reads []string
		for _, a := range p.attempts() {
			if a.HandlerRan {
				runs = append(runs, a.Name)
			}
			if a.Reads {
				reads = append(reads, a.Name)
			} else if a.Why == "" {
				t.Errorf("%s: %s has no reason", test.name, a.Name)
			}
		}
		if !reflect.DeepEqual(runs, test.runs) || !reflect.DeepEqual(reads, test.reads) {
			t.Errorf("%s: the handler runs for %q, want %q; readable are %q, want %q", test.name, runs, test.runs, reads, test.reads)
		}
	}
}

func TestStrangerPageShowsTheScan(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		policy policyForm
		worst  corstest.Severity
		shows  string
	}{
		{policyForm{AllowedOrigins: []string{p.origins.App}, AllowCredentials: true}, corstest.Info, "No findings."},
		{policyForm{AllowedOrigins: []string{p.origins.App, "null"}, AllowCredentials: true, AcceptRisks: []string{"RiskNullOrigin"}}, corstest.High, `<b class="High">High</b>`},
		{policyForm{AllowedOrigins: []string{"*"}}, corstest.Info, `<b class="Info">Info</b>`},
	} {
		if err := p.setPolicy(test.policy); err != nil {
			t.Fatal(err)
		}
		if findings := p.scan().Findings; len(findings) > 0 && findings[0].Severity != test.worst {
			t.Errorf("%q: the worst finding is %v", test.policy.AllowedOrigins, findings[0])
		}
		w := httptest.NewRecorder()
		p.strangerServer().ServeHTTP(w, httptest.NewRequest("GET", p.origins.Stranger+"/", nil))
		if !strings.Contains(w.Body.String(), test.shows) {
			t.Errorf("%q: the page does not show %q:\n%s", test.policy.AllowedOrigins, test.shows, w.Body)
		}
	}
	if len(p.runs.recent) > 0 {
		t.Error("the scan was recorded as a run")
	}
}
