package corstest_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

const app = "https://app.example.com"

// allowing returns a server that handles every request, and allows the origins
// for which allow returns true.
func allowing(credentials bool, allow func(origin string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" && allow(origin) {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
			if credentials {
				w.Header().Set("Access-Control-Allow-Credentials", "true")
			}
		}
	})
}

// with returns a server that sets more headers than handler, listed with their
// values.
func with(handler http.Handler, headers ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
	})
}

func TestScan(t *testing.T) {
	everyone := func(string) bool { return true }
	only := func(allowed ...string) func(string) bool {
		return func(origin string) bool { return slices.Contains(allowed, origin) }
	}
	prefix := func(prefix string) func(string) bool {
		return func(origin string) bool { return strings.HasPrefix(origin, prefix) }
	}
	suffix := func(suffix string) func(string) bool {
		return func(origin string) bool { return strings.HasSuffix(origin, suffix) }
	}
	matching := func(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }
	// rejecting is a server that rejects other origins than app, with that
	// response.
	rejecting := func(status int, headers ...string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Origin")
			if origin := r.Header.Get("Origin"); origin == app {
				w.Header().Set("Access-Control-Allow-Origin", app)
			} else if origin != "" {
				for i := 0; i < len(headers); i += 2 {
					w.Header().Set(headers[i], headers[i+1])
				}
				w.WriteHeader(status)
			}
		})
	}
	const all = "https://stranger.example https://sibling.example.com https://evilapp.example.com https://evilexample.com " +
		"https://appxexample.com https://app.example.com.evil.example https://app.example.com:8443 http://app.example.com " +
		"https://localhost.evil.example http://localhost.evil.example null"
	tests := []struct {
		name   string
		server http.Handler
		page   string // app if empty
		method string
		want   []string // severities and origins
	}{
		{name: "no CORS", server: allowing(true, only())},
		{name: "one origin, with credentials", server: allowing(true, only(app))},
		{name: "one origin, without credentials", server: allowing(false, only(app))},

		{name: "any origin, with credentials", server: allowing(true, everyone), want: []string{"High: " + all}},
		{name: "any origin, without credentials", server: allowing(false, everyone), want: []string{"Info: https://stranger.example"}},
		{name: "*", server: respond(200, "Access-Control-Allow-Origin: *"), want: []string{"Info: https://stranger.example"}},
		{
			name: "* and credentials", server: respond(200, "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true"),
			want: []string{"Low: " + app, "Info: https://stranger.example"},
		},

		{name: "null, with credentials", server: allowing(true, only(app, "null")), want: []string{"High: null"}},
		{name: "null, without credentials", server: allowing(false, only(app, "null")), want: []string{"Medium: null"}},

		{
			name: "a prefix, with credentials", server: allowing(true, prefix(app)),
			want: []string{"High: https://app.example.com.evil.example", "Low: https://app.example.com:8443"},
		},
		{
			name: "a prefix, without credentials", server: allowing(false, prefix(app)),
			want: []string{"Medium: https://app.example.com.evil.example", "Info: https://app.example.com:8443"},
		},
		{
			name: "a prefix for development", server: allowing(true, prefix("http://localhost")), page: "http://localhost:3000",
			want: []string{"High: http://localhost.evil.example:3000 http://localhost.evil.example", "Info: http://localhost:3001"},
		},
		{
			name: "a suffix without a dot", server: allowing(true, suffix("example.com")),
			want: []string{"High: https://evilexample.com https://appxexample.com", "Low: http://app.example.com", "Low: https://sibling.example.com"},
		},
		{
			name: "a suffix without a dot, of the whole host", server: allowing(true, suffix("app.example.com")),
			want: []string{"High: https://evilapp.example.com", "Low: http://app.example.com"},
		},
		{
			name: "a suffix with a dot", server: allowing(true, suffix(".example.com")),
			want: []string{"Low: http://app.example.com", "Low: https://sibling.example.com"},
		},
		{
			name: "a regular expression with dots that are not escaped", server: allowing(true, matching(`^https://app.example.com$`)),
			want: []string{"High: https://appxexample.com"},
		},
		{name: "a regular expression with escaped dots", server: allowing(true, matching(`^https://app\.example\.com$`))},
		{
			name: "a regular expression without an end", server: allowing(false, matching(`^https://app\.example\.com`)),
			want: []string{"Medium: https://app.example.com.evil.example", "Info: https://app.example.com:8443"},
		},

		{name: "any host by https, without credentials", server: allowing(false, prefix("https://")), want: []string{"Info: https://stranger.example"}},
		{name: "any host by http, without credentials", server: allowing(false, prefix("http://")), page: "http://app.example.com", want: []string{"Info: http://stranger.example"}},
		{name: "any host by https, with credentials", server: allowing(true, prefix("https://")), want: []string{
			"High: " + strings.NewReplacer("http://app.example.com ", "", "http://localhost.evil.example null", "").Replace(all),
		}},
		{name: "an unrelated host, without credentials", server: allowing(false, only(app, "https://stranger.example")), want: []string{"Medium: https://stranger.example"}},

		{name: "siblings, with credentials", server: allowing(true, matching(`^https://[a-z.]*\.example\.com$`)), want: []string{"Low: https://sibling.example.com"}},
		{name: "siblings, without credentials", server: allowing(false, matching(`^https://[a-z.]*\.example\.com$`)), want: []string{"Info: https://sibling.example.com"}},
		{
			name: "subdomains at any depth", server: allowing(true, matching(`^https://[a-z.]*\.example\.com$`)), page: "https://a.b.example.com",
			want: []string{"Low: https://sibling.b.example.com"},
		},
		{name: "subdomains of the page's host", server: allowing(true, suffix(".example.com")), page: "https://example.com", want: []string{"Low: https://sibling.example.com"}},
		{name: "hosts that others register, with credentials", server: allowing(true, suffix(".github.io")), page: "https://me.github.io", want: []string{
			"High: https://sibling.github.io", "Low: http://me.github.io",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.page == "" {
				test.page = app
			}
			b := corstest.Browser{Handler: test.server, Cookie: "session=1"}
			report := b.Scan(test.page, corstest.Request{Method: test.method, URL: "https://api.example.com/me"})
			var got []string
			for _, f := range report.Findings {
				got = append(got, f.Severity.String()+": "+strings.Join(f.Origins, " "))
			}
			for i := range test.want {
				test.want[i] = strings.TrimSpace(test.want[i])
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q\n%s", got, test.want, report)
			}
		})
	}
	_ = rejecting
	_ = cors.Policy{}
}
