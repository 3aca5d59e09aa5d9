//go:build unix

package clients

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/corstest"
)

// TestScanOfServers scans servers that are not written in Go: with mistakes that
// are common there, and without them.
func TestScanOfServers(t *testing.T) {
	const page = "https://app.example.com"
	topics := []string{"any origin", "mistakes other hosts", "other hosts in the domain", "on the network path", "do not all have Vary", "Browsers do not accept both"}
	for _, test := range []struct{ server, path, want string }{
		{"express", "/list", ""},
		{"express", "/reflect", "High: any origin"}, // origin: true
		{"express", "/open", "Info: any origin"},
		{"fastify", "/list", ""},
		{"fastify", "/reflect", "High: any origin"},
		{"nginx", "/list", ""},
		{"nginx", "/reflect", "High: any origin; Medium: do not all have Vary"}, // $http_origin
		{"nginx", "/regexp", "High: mistakes other hosts; Low: other hosts in the domain"},
		{"nginx", "/star-credentials", "Low: Browsers do not accept both; Info: any origin"},
		{"nginx", "/open", "Info: any origin"},
		{"Caddy", "/list", ""},
		{"Caddy", "/open", "Info: any origin"},
	} {
		t.Run(test.server+test.path, func(t *testing.T) {
			i := slices.IndexFunc(foreignServers, func(s foreignServer) bool { return s.name == test.server })
			if s := foreignServers[i]; s.present(t) {
				// A later server can get the port of an earlier one, so no connection is kept.
				b := corstest.Browser{Transport: &http.Transport{DisableKeepAlives: true}}
				report := b.Scan(page, corstest.Request{URL: "http://127.0.0.1:" + s.run(t, page) + test.path})
				var got []string
				for _, f := range report.Findings {
					for _, topic := range topics {
						if strings.Contains(f.What, topic) {
							got = append(got, f.Severity.String()+": "+topic)
						}
					}
				}
				if got := strings.Join(got, "; "); got != test.want {
					t.Errorf("got  %s\nwant %s\n%s", got, test.want, report)
				}
			}
		})
	}
}
