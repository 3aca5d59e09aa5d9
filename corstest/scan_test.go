package corstest_test

import (
	"errors"
	"io"
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
	// rejecting returns a server that allows app. It rejects all other origins with
	// the given response.
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
	// login responds with 401 to requests without a cookie, inside allow. If a
	// request has a cookie and comes from an origin other than app, login responds
	// with 403, inside reject.
	login := func(allow, reject http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch origin := r.Header.Get("Origin"); {
			case r.Header.Get("Cookie") == "":
				allow.ServeHTTP(w, r)
				w.WriteHeader(401)
			case origin == app || origin == "":
				allow.ServeHTTP(w, r)
			default:
				reject.ServeHTTP(w, r)
				w.WriteHeader(403)
			}
		})
	}
	// rejectingAll responds with status to app and to requests without Origin. It
	// passes requests from other origins to reject.
	rejectingAll := func(status int, reject http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reject.ServeHTTP(w, r)
			w.WriteHeader(status)
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
			want: []string{"High: https://evilexample.com https://appxexample.com", "Low: http://app.example.com", "Low: https://sibling.example.com https://evilapp.example.com"},
		},
		{
			name: "a suffix without a dot, of the whole host", server: allowing(true, suffix("app.example.com")),
			want: []string{"Low: http://app.example.com", "Low: https://evilapp.example.com"},
		},
		{
			name: "a suffix with a dot", server: allowing(true, suffix(".example.com")),
			want: []string{"Low: http://app.example.com", "Low: https://sibling.example.com https://evilapp.example.com"},
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

		{name: "any host over HTTPS, without credentials", server: allowing(false, prefix("https://")), want: []string{"Info: https://stranger.example"}},
		{name: "any host over HTTP, without credentials", server: allowing(false, prefix("http://")), page: "http://app.example.com", want: []string{"Info: http://stranger.example"}},
		{name: "any host over HTTPS, with credentials", server: allowing(true, prefix("https://")), want: []string{
			"High: " + strings.NewReplacer("http://app.example.com ", "", "http://localhost.evil.example null", "").Replace(all),
		}},
		{name: "an unrelated host, without credentials", server: allowing(false, only(app, "https://stranger.example")), want: []string{"Medium: https://stranger.example"}},

		{
			name: "every origin except look-alikes, without credentials", server: allowing(false, func(origin string) bool {
				return !strings.Contains(origin, "evil") && !strings.Contains(origin, "appx")
			}),
			want: []string{"Medium: https://stranger.example", "Medium: null", "Info: http://app.example.com", "Info: https://sibling.example.com https://app.example.com:8443"},
		},

		{name: "siblings, with credentials", server: allowing(true, matching(`^https://[a-z.]*\.example\.com$`)), want: []string{"Low: https://sibling.example.com https://evilapp.example.com"}},
		{name: "siblings, without credentials", server: allowing(false, matching(`^https://[a-z.]*\.example\.com$`)), want: []string{"Info: https://sibling.example.com https://evilapp.example.com"}},
		{
			name: "subdomains at any depth", server: allowing(true, matching(`^https://[a-z.]*\.example\.com$`)), page: "https://a.b.example.com",
			want: []string{"Low: https://sibling.b.example.com https://evila.b.example.com https://evilb.example.com https://axb.example.com"},
		},
		{name: "subdomains of the page's host", server: allowing(true, suffix(".example.com")), page: "https://example.com", want: []string{"Low: https://sibling.example.com"}},
		{name: "hosts that others register, with credentials", server: allowing(true, suffix(".github.io")), page: "https://me.github.io", want: []string{
			"High: https://sibling.github.io https://evilme.github.io", "Low: http://me.github.io", "Low: https://sibling.me.github.io",
		}},
		{name: "the end of a label, with credentials", server: allowing(true, suffix("-app.example.com")), page: "https://pr1-app.example.com", want: []string{
			"Low: http://pr1-app.example.com", "Low: https://evilpr1-app.example.com",
		}},
		{name: "the end of a label that others register, with credentials", server: allowing(true, suffix("--a.netlify.app")), page: "https://pr1--a.netlify.app", want: []string{
			"High: https://evilpr1--a.netlify.app", "Low: http://pr1--a.netlify.app", "Low: https://sibling.pr1--a.netlify.app",
		}},
		{name: "subdomains of a host under a suffix with two labels", server: allowing(true, matching(`^https://([a-z]+\.)?example\.co\.uk$`)), page: "https://example.co.uk", want: []string{
			"Low: https://sibling.example.co.uk",
		}},
		{name: "hosts under a host that others register", server: allowing(true, suffix(".github.io")), page: "https://a.b.github.io", want: []string{
			"High: https://evilb.github.io https://axb.github.io", "Low: http://a.b.github.io", "Low: https://sibling.b.github.io https://evila.b.github.io",
		}},

		{name: "another port, with credentials", server: allowing(true, prefix(app+":")), want: []string{"Low: https://app.example.com:8443"}},
		{name: "another port, without credentials", server: allowing(false, prefix(app+":")), want: []string{"Info: https://app.example.com:8443"}},
		{
			name: "the next port", server: allowing(true, prefix("https://app.example.com:")), page: "https://app.example.com:9000",
			want: []string{"Low: https://app.example.com:9001"},
		},
		{name: "the last port", server: allowing(true, only("https://app.example.com:4443")), page: "https://app.example.com:65535", want: []string{"Low: https://app.example.com:4443"}},
		{name: "another port of this machine", server: allowing(true, prefix("http://localhost:")), page: "http://localhost:3000", want: []string{"Info: http://localhost:3001"}},
		{name: "another port of this machine, without credentials", server: allowing(false, prefix("http://localhost:")), page: "http://localhost:3000", want: []string{"Info: http://localhost:3001"}},
		{name: "the port before the last", server: allowing(true, only("https://app.example.com:65535")), page: "https://app.example.com:65534", want: []string{"Low: https://app.example.com:65535"}},
		{name: "another port of an IPv6 address", server: allowing(true, prefix("http://[2001:db8::1]:")), page: "http://[2001:db8::1]:3000", want: []string{"Low: http://[2001:db8::1]:3000", "Low: http://[2001:db8::1]:3001"}},
		{name: "a prefix of an IPv4 address", server: allowing(true, prefix("https://192.0.2.1")), page: "https://192.0.2.1", want: []string{"High: https://192.0.2.1.evil.example", "Low: https://192.0.2.1:8443"}},

		{name: "http, with credentials", server: allowing(true, only(app, "http://app.example.com")), want: []string{"Low: http://app.example.com"}},
		{name: "http, without credentials", server: allowing(false, only(app, "http://app.example.com")), want: []string{"Info: http://app.example.com"}},
		{name: "a page over HTTP, with credentials", server: allowing(true, only("http://app.example.com")), page: "http://app.example.com", want: []string{"Low: http://app.example.com"}},
		{name: "a page on this machine", server: allowing(true, only("http://localhost:3000")), page: "http://localhost:3000"},
		{
			name: "http with credentials, and every origin without", server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				allowing(r.Header.Get("Origin") == "http://app.example.com", everyone).ServeHTTP(w, r)
			}),
			want: []string{"Low: http://app.example.com", "Info: https://stranger.example"},
		},
		{
			name: "null with credentials, and every origin without", server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				allowing(r.Header.Get("Origin") == "null", everyone).ServeHTTP(w, r)
			}),
			want: []string{"High: null", "Info: https://stranger.example"},
		},

		{name: "a page without an origin", server: allowing(true, only("null")), page: "null", want: nil},
		{name: "an app", server: allowing(true, only("capacitor://localhost")), page: "capacitor://localhost", want: nil},
		{name: "any app", server: allowing(true, suffix("://localhost")), page: "capacitor://localhost", want: nil},

		{name: "responses that vary without Vary", server: with(allowing(true, only(app)), "Vary", "Accept"), want: []string{"Medium: " + app + " " + all + " (without Origin)"}},
		{name: "responses that vary, with other names in Vary", server: with(allowing(true, only(app)), "Vary", "Accept, ORIGIN")},
		{name: "responses that vary, with Vary: *", server: with(allowing(true, only(app)), "Vary", "*")},
		{name: "responses that vary and are not stored", server: with(allowing(true, only(app)), "Vary", "", "Cache-Control", "private, No-Store")},
		{name: "responses that do not vary", server: with(respond(200), "Vary", "")},
		{name: "one origin in all responses", server: respond(200, "Access-Control-Allow-Origin: "+app)},
		{
			name: "Vary only in responses to allowed origins",
			server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Origin") == app {
					allowing(true, everyone).ServeHTTP(w, r)
				}
			}),
			want: []string{"Medium: " + all + " (without Origin)"},
		},
		{name: "rejections without Vary", server: rejecting(404, "Vary", "Accept", "Cache-Control", "no-cache"), want: []string{"Medium: " + all}},
		{name: "rejections without Vary, with a status that caches do not store", server: rejecting(403, "Vary", "Accept")},
		{
			name: "rejections without Vary, and no CORS", page: "https://api.example.com",
			server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Origin") != "" {
					w.WriteHeader(403)
				}
			}),
			want: []string{"Medium: https://api.example.com (without Origin)"},
		},
		{name: "rejections", server: rejecting(403)},
		{name: "rejections that are public", server: rejecting(403, "Cache-Control", "public"), want: []string{"Medium: " + all}},
		{name: "rejections with a lifetime", server: rejecting(403, "Cache-Control", "Max-Age=60"), want: []string{"Medium: " + all}},
		{name: "rejections with a lifetime in shared caches", server: rejecting(403, "Cache-Control", "s-maxage=60"), want: []string{"Medium: " + all}},
		{name: "rejections that expire", server: rejecting(403, "Expires", "Thu, 01 Jan 2099 00:00:00 GMT"), want: []string{"Medium: " + all}},
		{name: "rejections that are public, but not fresh", server: rejecting(403, "Cache-Control", "public, max-age=0")},
		{name: "rejections that shared caches revalidate", server: rejecting(403, "Cache-Control", "max-age=60, s-maxage=0")},
		{name: "rejections that all caches revalidate", server: rejecting(404, "Cache-Control", "max-age=60, no-cache")},
		{name: "rejections that expired", server: rejecting(403, "Expires", "Thu, 01 Jan 2015 00:00:00 GMT")},
		{name: "rejections with a malformed date", server: rejecting(403, "Expires", "0")},
		{name: "rejections with the lowest status", server: rejecting(400, "Cache-Control", "public"), want: []string{"Medium: " + all}},
		{name: "responses with a status below 400", server: rejecting(399, "Cache-Control", "public")},
		{name: "errors for all origins", server: respond(400, "Vary: Origin", "Cache-Control: public")},
		{name: "rejections that are private", server: rejecting(403, "Cache-Control", "private, max-age=60")},
		{name: "rejections that are not stored", server: rejecting(404, "Cache-Control", "no-store")},
		{name: "rejections with a status that caches store", server: rejecting(404), want: []string{"Medium: " + all}},
		{name: "a resource that is missing for all origins", server: with(rejecting(404), "Vary", "Origin"), page: "https://other.example.net", want: nil},
		{name: "a rejection that pages can read", server: respond(403, "Access-Control-Allow-Origin: null"), want: []string{"Medium: null"}},
		{
			name: "rejections that pages can read",
			server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				allowing(true, everyone).ServeHTTP(w, r)
				if r.Header.Get("Origin") != app {
					w.WriteHeader(403)
				}
			}),
			want: nil,
		},

		{
			name:   "a login, and rejections that can be cached",
			server: login(allowing(true, only(app)), rejecting(403, "Cache-Control", "max-age=60")),
			want:   []string{"Medium: " + all},
		},
		{name: "a login, and rejections that pages can read", server: login(allowing(true, only(app)), allowing(true, everyone))},
		{name: "a login without Vary", server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Cookie") == "" {
				w.WriteHeader(401)
			}
		})},
		{name: "a login without Vary, outside CORS", server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Cookie") == "" {
				w.WriteHeader(401)
			} else {
				allowing(true, only(app)).ServeHTTP(w, r)
			}
		})},
		{name: "a missing resource, and rejections that can be cached", server: rejectingAll(404, rejecting(403, "Cache-Control", "public")), want: []string{"Medium: " + all}},

		{
			name: "a cache that ignores Vary", server: respond(200, "Access-Control-Allow-Origin: "+app, "Vary: Origin", "Age: 1"),
			want: []string{"Medium: " + all},
		},
		{
			name: "a cache that ignores Vary, in front of a server without Vary", method: "PUT",
			server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "OPTIONS" {
					allowing(false, only(app)).ServeHTTP(w, r)
				} else {
					respond(200, "Access-Control-Allow-Origin: "+app, "Age: 1").ServeHTTP(w, r)
				}
			}),
			want: []string{"Medium: " + all},
		},
		{name: "a cache with a response for one origin", method: "PUT", server: respond(200, "Access-Control-Allow-Origin: "+app, "Age: 1")},
		{name: "a cache that has no response yet", server: respond(200, "Access-Control-Allow-Origin: "+app, "Vary: Origin", "Age: 0")},
		{name: "a cache that honors Vary", server: with(allowing(true, only(app)), "Age", "1")},

		{
			name: "a preflight that allows every origin", method: "PUT",
			server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "OPTIONS" {
					allowing(true, everyone).ServeHTTP(w, r)
				} else {
					allowing(true, only(app)).ServeHTTP(w, r)
				}
			}),
			want: []string{"High: " + all},
		},
		{name: "a preflight that allows one origin", method: "PUT", server: allowing(true, only(app))},
		{name: "a method that no page is allowed to use", method: "PATCH", server: allowing(true, only(app))},
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
}

// TestScanOfPolicies scans services behind this library: with policies that
// accept no risk, and with policies that accept a risk.
func TestScanOfPolicies(t *testing.T) {
	always := func(*http.Request, string) bool { return true }
	for _, test := range []struct {
		name   string
		policy cors.Policy
		page   string // app if empty
		want   string // severity and first origin of the worst finding
	}{
		{name: "no origin", policy: cors.Policy{}},
		{name: "one origin", policy: cors.Policy{AllowedOrigins: []string{app}}},
		{name: "one origin, with credentials", policy: cors.Policy{AllowedOrigins: []string{app}, AllowCredentials: true}},
		{name: "a list, with credentials", policy: cors.Policy{AllowedOrigins: []string{app, "https://www.example.com", "capacitor://localhost"}, AllowCredentials: true}},
		{name: "part of a label, with credentials", policy: cors.Policy{AllowedOrigins: []string{"https://pr-*-app.example.com"}, AllowCredentials: true}, page: "https://pr-1-app.example.com"},
		{name: "the end of a label, with credentials", policy: cors.Policy{AllowedOrigins: []string{"https://*-app.example.com"}, AllowCredentials: true}, page: "https://pr1-app.example.com", want: "Low https://evilpr1-app.example.com"},
		{name: "the end of a label under a public suffix", policy: cors.Policy{AllowedOrigins: []string{"https://*--proj.netlify.app"}}, page: "https://pr1--proj.netlify.app", want: "Info https://evilpr1--proj.netlify.app"},
		{name: "ports of this machine, with credentials", policy: cors.Policy{AllowedOrigins: []string{"http://localhost:*"}, AllowCredentials: true}, page: "http://localhost:3000", want: "Info http://localhost:3001"},
		{name: "hosts of this machine, with credentials", policy: cors.Policy{AllowedOrigins: []string{"http://*.localhost:*"}, AllowCredentials: true}, page: "http://app.localhost:3000", want: "Info http://sibling.app.localhost:3000"},
		{name: "any origin", policy: cors.Policy{AllowedOrigins: []string{"*"}}, want: "Info https://stranger.example"},
		{name: "any origin over HTTPS", policy: cors.Policy{AllowedOrigins: []string{"https://*"}}, want: "Info https://stranger.example"},
		{name: "any origin over HTTP", policy: cors.Policy{AllowedOrigins: []string{"http://*"}}, page: "http://app.example.com", want: "Info http://stranger.example"},
		{name: "siblings", policy: cors.Policy{AllowedOrigins: []string{"https://*.example.com"}}, want: "Info https://sibling.example.com"},
		{name: "siblings under a public suffix", policy: cors.Policy{AllowedOrigins: []string{"https://*.github.io"}}, page: "https://me.github.io", want: "Info https://sibling.github.io"},
		{name: "http", policy: cors.Policy{AllowedOrigins: []string{app, "http://app.example.com"}}, want: "Info http://app.example.com"},
		{name: "a function, without credentials", policy: cors.Policy{AllowOriginFunc: always}, want: "Info https://stranger.example"},

		{name: "siblings, with credentials", policy: cors.Policy{AllowedOrigins: []string{"https://*.example.com"}, AllowCredentials: true}, want: "Low https://sibling.example.com"},
		{name: "ports, with credentials", policy: cors.Policy{AllowedOrigins: []string{app + ":*"}, AllowCredentials: true}, want: "Low https://app.example.com:8443"},
		{
			name:   "RiskInsecureOrigin",
			policy: cors.Policy{AllowedOrigins: []string{app, "http://app.example.com"}, AllowCredentials: true, AcceptRisks: cors.RiskInsecureOrigin},
			want:   "Low http://app.example.com",
		},
		{
			name:   "RiskPublicSuffix",
			policy: cors.Policy{AllowedOrigins: []string{"https://*.github.io"}, AllowCredentials: true, AcceptRisks: cors.RiskPublicSuffix},
			page:   "https://me.github.io", want: "High https://sibling.github.io",
		},
		{
			name:   "RiskNullOrigin",
			policy: cors.Policy{AllowedOrigins: []string{app, "null"}, AllowCredentials: true, AcceptRisks: cors.RiskNullOrigin},
			want:   "High null",
		},
		{
			name:   "RiskNullOrigin, without credentials",
			policy: cors.Policy{AllowedOrigins: []string{app, "null"}, AcceptRisks: cors.RiskNullOrigin},
			want:   "Medium null",
		},
		{name: "a function that always returns true", policy: cors.Policy{AllowOriginFunc: always, AllowCredentials: true}, want: "High https://stranger.example"},
		{
			name: "a function that compares a suffix",
			policy: cors.Policy{AllowOriginFunc: func(_ *http.Request, origin string) bool {
				return strings.HasSuffix(origin, "example.com")
			}, AllowCredentials: true},
			want: "High https://evilexample.com",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.policy.AllowedMethods = []string{"PUT"}
			test.policy.AllowedHeaders = []string{"X-Id"}
			if test.page == "" {
				test.page = app
			}
			ran := 0
			b := corstest.Browser{Cookie: "session=1", Handler: wrap(t, test.policy, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.Method != "GET" {
					t.Errorf("the handler got a %s request", r.Method)
				}
				ran++
			}))}
			report := b.Scan(test.page, corstest.Request{Method: "PUT", URL: "https://api.example.com/me", Body: "{}", Header: http.Header{"X-Id": {"1"}}})
			got := ""
			if len(report.Findings) > 0 {
				f := report.Findings[0]
				got = f.Severity.String() + " " + f.Origins[0]
			}
			if got != test.want {
				t.Errorf("got %q, want %q:\n%s", got, test.want, report)
			}
			if ran == 0 {
				t.Error("the handler did not run")
			}
		})
	}
}

// TestScanRequests compares the requests of a scan with the documentation of Scan.
func TestScanRequests(t *testing.T) {
	type got struct{ line, header, cookie, body string }
	for _, test := range []struct {
		name    string
		allow   bool
		request corstest.Request
		want    []got // requests from the first origin
	}{
		{
			name: "an allowed PUT", allow: true,
			request: corstest.Request{Method: "PUT", Body: "{}", StreamBody: true, Header: http.Header{
				"X-Id": {"1"}, "Content-Type": {"application/json"}, "X-HTTP-Method-Override": {"DELETE"}, "X-Http-Method": {"DELETE"}, "x-method-override": {"DELETE"},
			}},
			want: []got{
				{"OPTIONS PUT", "", "", ""}, {"GET ", "1", "", ""},
				{"OPTIONS PUT", "", "", ""}, {"GET ", "1", "session=1", ""},
			},
		},
		{
			name: "a PUT that is not allowed", request: corstest.Request{Method: "PUT", Body: "{}", Header: http.Header{"X-Id": {"1"}}},
			want: []got{
				{"OPTIONS PUT", "", "", ""}, {"GET ", "", "", ""},
				{"OPTIONS PUT", "", "", ""}, {"GET ", "", "session=1", ""},
			},
		},
		{name: "a HEAD request", request: corstest.Request{Method: "HEAD"}, want: []got{{"HEAD ", "", "", ""}, {"HEAD ", "", "session=1", ""}}},
		{name: "a POST request", request: corstest.Request{Method: "POST", Body: "a=b"}, want: []got{{"GET ", "", "", ""}, {"GET ", "", "session=1", ""}}},
		{
			name: "the credentials mode has no effect", request: corstest.Request{Credentials: corstest.Include, Mode: corstest.Navigate},
			want: []got{{"GET ", "", "", ""}, {"GET ", "", "session=1", ""}},
		},
		{name: "a WebSocket", request: corstest.Request{Mode: corstest.WebSocket}, want: []got{{"GET ", "", "session=1", ""}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []got
			var origins []string
			b := corstest.Browser{Cookie: "session=1", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				all = append(all, got{r.Method + " " + r.Header.Get("Access-Control-Request-Method"), r.Header.Get("X-Id"), r.Header.Get("Cookie"), string(body)})
				if origin := r.Header.Get("Origin"); !slices.Contains(origins, origin) {
					origins = append(origins, origin)
				}
				for _, name := range []string{"Content-Type", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override"} {
					if value := r.Header.Get(name); value != "" {
						t.Errorf("got %s: %s", name, value)
					}
				}
				w.Header().Set("Access-Control-Max-Age", "60")
				if test.allow {
					w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
					w.Header().Set("Access-Control-Allow-Credentials", "true")
					w.Header().Set("Access-Control-Allow-Methods", "PUT")
					w.Header().Set("Access-Control-Allow-Headers", "X-Id, Content-Type, X-Http-Method, X-Http-Method-Override, X-Method-Override")
				}
			})}
			test.request.URL = "https://api.example.com/me"
			report := b.Scan(app, test.request)
			if len(all) < len(test.want) || !slices.Equal(all[:len(test.want)], test.want) {
				t.Errorf("got  %q\nwant %q", all, test.want)
			}
			want := []string{
				app, "https://stranger.example", "https://sibling.example.com", "https://evilapp.example.com", "https://evilexample.com", "https://appxexample.com",
				"https://app.example.com.evil.example", "https://app.example.com:8443", "http://app.example.com", "https://localhost.evil.example", "http://localhost.evil.example", "null",
			}
			var tried []string
			for _, p := range report.Tried {
				if !slices.Contains(tried, p.Origin) {
					tried = append(tried, p.Origin)
				}
			}
			if test.request.Mode != corstest.WebSocket { // whose handshakes always have Origin
				want = append(want, "")
			}
			if !slices.Equal(tried, want) {
				t.Errorf("tried %q\nwant  %q", tried, want)
			}
			if !slices.Equal(origins, want) {
				t.Errorf("the server got %q\nwant %q", origins, want)
			}
		})
	}
}

func TestScanTriesHostsOfThePage(t *testing.T) {
	for page, want := range map[string]string{
		"https://example.com":   "https://sibling.example.com https://evilexample.com https://examplexcom https://example.com.evil.example https://example.com:8443 http://example.com",
		"https://me.github.io":  "https://sibling.github.io https://sibling.me.github.io https://evilme.github.io https://mexgithub.io https://me.github.io.evil.example https://me.github.io:8443 http://me.github.io",
		"https://api.example:8": "https://sibling.api.example:8 https://evilapi.example:8 https://apixexample:8 https://api.example.evil.example:8 https://api.example:9 http://api.example:8",
		"https://192.0.2.1:444": "https://192.0.2.1.evil.example:444 https://192.0.2.1:445 http://192.0.2.1:444",
		"http://localhost:3000": "http://stranger.example http://localhost.evil.example:3000 http://localhost:3001",
		"http://[::1]":          "http://stranger.example http://[::1]:8443",
		"app://localhost":       "",
		"null":                  "",
	} {
		b := corstest.Browser{Handler: respond(200)}
		var tried []string
		for _, p := range b.Scan(page, corstest.Request{URL: api}).Tried[2:] {
			if o := p.Origin; o != "https://stranger.example" && !strings.HasSuffix(o, "://localhost.evil.example") && o != "null" && o != "" && p.Credentials {
				tried = append(tried, o)
			}
		}
		if got := strings.Join(tried, " "); got != want {
			t.Errorf("%s: tried %s\nwant %s", page, got, want)
		}
	}
}

func TestScanDoesNotTryTheServersOrigin(t *testing.T) {
	for url, absent := range map[string]string{
		"http://app.example.com:80/": "http://app.example.com", "https://app.example.com:8443": "https://app.example.com:8443",
		"HTTPS://sibling.example.com:443/x": "https://sibling.example.com",
	} {
		b := corstest.Browser{Handler: respond(200)}
		report := b.Scan(app, corstest.Request{URL: url})
		for _, p := range report.Tried {
			if p.Origin == absent {
				t.Errorf("%s: tried %s", url, absent)
			}
		}
	}
	other := corstest.Browser{Handler: respond(200)}
	next := other.Scan(app+":9000", corstest.Request{URL: app + ":9001"})
	if !slices.ContainsFunc(next.Tried, func(p corstest.Probe) bool { return p.Origin == app+":4443" }) {
		t.Errorf("the next port is the server's, so the scan must try another: %s", next)
	}

	b := corstest.Browser{Handler: respond(200)}
	report := b.Scan(app, corstest.Request{URL: app + "/me"})
	if len(report.Tried) < 20 || report.Tried[0].Origin != app || len(report.Findings) != 0 {
		t.Errorf("got %s", report)
	}
}

// TestScanOfPlainHTTP checks that a page over HTTP is a fault only of a server
// that uses HTTPS, and only if the page does not come from the same machine.
func TestScanOfPlainHTTP(t *testing.T) {
	for _, test := range []struct {
		name, server, page, http, want string
	}{
		{"the server uses HTTPS", "https://api.example.com", app, "http://app.example.com", "Low"},
		{"the page itself uses HTTP", "https://api.example.com", "http://app.example.com", "http://app.example.com", "Low"},
		{"the server uses HTTP", "http://api.example.com", app, "http://app.example.com", ""},
		{"the page is on a loopback host", "https://api.example.com", "https://localhost:3000", "http://localhost:3000", ""},
	} {
		b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Origin")
			if origin := r.Header.Get("Origin"); origin == test.page || origin == test.http {
				w.Header().Set("Access-Control-Allow-Origin", origin)
				w.Header().Set("Access-Control-Allow-Credentials", "true")
			}
		})}
		got := ""
		for _, f := range b.Scan(test.page, corstest.Request{URL: test.server}).Findings {
			got += f.Severity.String()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestScanOfWebSockets scans servers that accept a WebSocket of some origins.
func TestScanOfWebSockets(t *testing.T) {
	for _, test := range []struct {
		accept func(origin string) bool
		cookie string
		want   []string
	}{
		{func(string) bool { return true }, "a=b", []string{"High: Pages on any origin can open the WebSocket as your user."}},
		{func(string) bool { return true }, "", []string{"Medium: Pages on any origin can open the WebSocket as your user, if it uses cookies."}},
		{func(origin string) bool { return origin == app || origin == "null" }, "", []string{"Medium: Any page can use a sandboxed frame to get the origin null, and then open the WebSocket as your user, if it uses cookies."}},
		{func(origin string) bool { return origin == app }, "a=b", nil},
		{func(origin string) bool { return strings.HasSuffix(origin, "//app.example.com") }, "a=b", []string{"Low: Anyone on the network path can change a page that is loaded over HTTP, and then open the WebSocket as your user."}},
	} {
		b := corstest.Browser{Cookie: test.cookie, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if test.accept(r.Header.Get("Origin")) {
				w.WriteHeader(101)
			} else {
				w.WriteHeader(403)
			}
		})}
		report := b.Scan(app, corstest.Request{URL: "wss://api.example.com/ws", Mode: corstest.WebSocket})
		var got []string
		for _, f := range report.Findings {
			got = append(got, f.Severity.String()+": "+strings.SplitAfter(f.What, ".")[0])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
		if text := report.String(); !strings.Contains(text, "https://app.example.com               with credentials     opens the WebSocket\n") {
			t.Errorf("got %s", text)
		}
	}
}

// TestScanWithoutResponse scans servers that respond to some requests, or to none.
func TestScanWithoutResponse(t *testing.T) {
	panics := func(when func(r *http.Request) bool) *corstest.Browser {
		return &corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if when(r) {
				panic("oh")
			}
			allowing(true, func(origin string) bool { return origin == app }).ServeHTTP(w, r)
		})}
	}
	request := corstest.Request{Method: "PUT", URL: "https://api.example.com"}

	down := panics(func(*http.Request) bool { return true }).Scan(app, request)
	if len(down.Tried) != 1 || down.Tried[0].Result.Err() == nil || !strings.HasSuffix(down.String(), "\nno findings\nnote: not every request got a response; https://app.example.com: no response: there is no response: the handler panicked: oh\n") {
		t.Errorf("got %s", down)
	}
	for url, want := range map[string]string{"https://api.example.com/%zz": "is not an absolute HTTP(S) URL", "https://a@api.example.com": "the URL contains a user name or password"} {
		invalid := new(corstest.Browser).Scan(app, corstest.Request{URL: url})
		if len(invalid.Tried) != 1 || !strings.Contains(invalid.Tried[0].Result.Blocked, want) || len(invalid.Findings) != 0 {
			t.Errorf("got %s", invalid)
		}
	}

	partly := panics(func(r *http.Request) bool { return r.Header.Get("Origin") == "null" }).Scan(app, request)
	if len(partly.Tried) != 26 || !strings.Contains(partly.String(), "null                                  with credentials     no response: there is no response: the handler panicked: oh\n") ||
		!strings.HasSuffix(partly.String(), "\nno findings\nnote: not every request got a response; null: no response: there is no response: the handler panicked: oh\n") {
		t.Errorf("got %s", partly)
	}

	// Preflights get no response, but simple requests do.
	simple := panics(func(r *http.Request) bool { return r.Method == "OPTIONS" }).Scan(app, request)
	if len(simple.Findings) != 0 || !strings.Contains(simple.String(), "reads the response: status 200; the preflight does not allow PUT: there is no response to the preflight: the handler panicked: oh\n") {
		t.Errorf("got %s", simple)
	}
	blocked := panics(func(r *http.Request) bool { return r.Method == "OPTIONS" }).Scan("https://other.example", request)
	if err := blocked.Tried[0].Result.Err(); !errors.As(err, new(*corstest.BlockedError)) {
		t.Errorf("got %v, want a BlockedError, because the last request got a response", err)
	}
}

// TestScanOfFailures scans servers that are overloaded, or that fail.
func TestScanOfFailures(t *testing.T) {
	hostile := func(r *http.Request) bool { return r.Header.Get("Origin") == "null" }
	preflight := func(r *http.Request) bool { return hostile(r) && r.Method == "OPTIONS" }
	login := func(r *http.Request) bool { return r.Method != "OPTIONS" && r.Header.Get("Cookie") == "" }
	everyone := func(*http.Request) bool { return true }
	for _, test := range []struct {
		name   string
		status int
		fails  func(r *http.Request) bool
		want   string // part of the report
	}{
		{"a rate limit", 429, hostile, "note: not every request got a response; null: failed: status 429\n"},
		{"an error", 500, hostile, "note: not every request got a response; null: failed: status 500\n"},
		{"a preflight that fails", 503, preflight, "note: not every request got a response; null: failed: the preflight got status 503\n"},
		{"a rejection", 403, hostile, "no findings\n"},
		{"a status below 500", 499, hostile, "no findings\n"},
		{"an error without a cookie", 500, login, "no findings\n"},
		{"an error for everyone", 500, everyone, "note: the page itself has no access, so the scan shows little; check the origin of the page, the URL and the cookie\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Cookie: "session=1", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if test.fails(r) {
					w.Header().Set("Vary", "Origin")
					w.WriteHeader(test.status)
				} else {
					allowing(true, func(origin string) bool { return origin == app }).ServeHTTP(w, r)
				}
			})}
			report := b.Scan(app, corstest.Request{Method: "PUT", URL: api})
			if !strings.HasSuffix(report.String(), test.want) || (report.Incomplete != "") != strings.Contains(test.want, "not every request") || len(report.Findings) > 0 {
				t.Errorf("want %q in\n%s", test.want, report)
			}
		})
	}
}

func TestScanWithoutAccess(t *testing.T) {
	const note = "note: the page itself has no access, so the scan shows little"
	for _, test := range []struct {
		name    string
		allowed string // origin
		status  int
		want    bool // the note
	}{
		{"the page reads the response", app, 399, false},
		{"the page reads an error", app, 400, true},
		{"only another page reads the response", "null", 200, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Vary", "Origin")
				if r.Header.Get("Origin") == test.allowed {
					w.Header().Set("Access-Control-Allow-Origin", test.allowed)
				}
				w.WriteHeader(test.status)
			})}
			if report := b.Scan(app, corstest.Request{URL: api}).String(); strings.Contains(report, note) != test.want {
				t.Errorf("got %s", report)
			}
		})
	}
}

// TestScanOfRejectionsBehindALogin scans a service that responds with 401
// without a cookie, and in which this library rejects other pages.
func TestScanOfRejectionsBehindALogin(t *testing.T) {
	b := corstest.Browser{Cookie: "session=1", Handler: wrap(t, cors.Policy{AllowedOrigins: []string{app}, AllowCredentials: true}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") == "" {
			w.WriteHeader(401)
		}
	}))}
	got := b.Scan(app, corstest.Request{Method: "GET", URL: "https://api.example.com/me"}).String()
	for _, want := range []string{
		"https://app.example.com               without credentials  reads the response: status 401\n",
		"https://stranger.example              without credentials  rejected: status 403\n",
		"https://stranger.example              with credentials     rejected: status 403\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestReportString(t *testing.T) {
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin")
		switch r.Header.Get("Origin") {
		case "null", app:
			allowing(true, func(string) bool { return true }).ServeHTTP(w, r)
		case "https://stranger.example":
			w.WriteHeader(403)
		case "http://app.example.com":
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.WriteHeader(204)
		}
	})}
	got := b.Scan(app, corstest.Request{Method: "PUT", URL: "https://api.example.com/me"}).String()
	for _, want := range []string{
		"https://app.example.com               without credentials  reads the response: status 200; the preflight allows PUT\n",
		"https://app.example.com               with credentials     reads the response: status 200; the preflight allows PUT\n",
		"https://stranger.example              with credentials     rejected: status 403; the preflight does not allow PUT: the response to the preflight has no Access-Control-Allow-Origin\n",
		"https://evilexample.com               with credentials     cannot read the response, but the request was not rejected: status 200; the preflight does not",
		"http://app.example.com                without credentials  reads the response: status 204; the preflight does not allow PUT: method PUT is not in",
		"(without Origin)                      without credentials  status 200\n",
		"\nHigh: Any page can use a sandboxed frame to get the origin null, and then read the responses and send PUT requests as your user. This requires cookies with SameSite=None, or HTTP authentication.\n  origins: null\n  fix: Do not allow null.\n",
		"\nInfo: Pages loaded over HTTP can read the responses without credentials.\n  origins: http://app.example.com\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "no findings") {
		t.Errorf("got %s", got)
	}

	missing := corstest.Browser{Handler: respond(400)}
	if got := missing.Scan(app, corstest.Request{URL: api}).String(); !strings.Contains(got, "cannot read the response: status 400\n") || !strings.HasSuffix(got, "\n\nno findings\nnote: the page itself has no access, so the scan shows little; check the origin of the page, the URL and the cookie\n") {
		t.Errorf("got %s", got)
	}
	hostile := corstest.Browser{Handler: respond(200, "Access-Control-Allow-Origin: \x1b[2J")}
	if got := hostile.Scan(app, corstest.Request{Method: "PUT", URL: api}).String(); strings.Contains(got, "\x1b") {
		t.Errorf("a control character reaches the terminal: %q", got)
	}
}

// TestFindingsNameActions makes requests that need a preflight, and servers that
// allow the preflight, the GET request, or both.
func TestFindingsNameActions(t *testing.T) {
	for _, test := range []struct {
		method      string
		reads, send bool
		want        string
	}{
		{"GET", true, true, "Pages on any origin can read the responses as your user."},
		{"HEAD", true, false, "Pages on any origin can read the responses as your user."},
		{"PUT", true, true, "Pages on any origin can read the responses and send PUT requests as your user."},
		{"PUT", true, false, "Pages on any origin can read the responses as your user."},
		{"PUT", false, true, "Pages on any origin can send PUT requests as your user."},
	} {
		b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if allow := r.Method == "OPTIONS" && test.send || r.Method != "OPTIONS" && test.reads; allow {
				w.Header().Set("Access-Control-Allow-Headers", "X-Id")
				allowing(true, func(string) bool { return true }).ServeHTTP(w, r)
			}
		})}
		report := b.Scan(app, corstest.Request{Method: test.method, URL: api, Header: http.Header{"X-Id": {"1"}}})
		if len(report.Findings) == 0 || !strings.HasPrefix(report.Findings[0].What, test.want) {
			t.Errorf("%s: want %q in\n%s", test.method, test.want, report)
		}
	}
}

func TestSeverityString(t *testing.T) {
	for severity, want := range map[corstest.Severity]string{
		corstest.Info: "Info", corstest.Low: "Low", corstest.Medium: "Medium", corstest.High: "High", -1: "Severity(-1)", 4: "Severity(4)",
	} {
		if got := severity.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if !(corstest.High > corstest.Medium && corstest.Medium > corstest.Low && corstest.Low > corstest.Info) {
		t.Error("the severities are out of order")
	}
}
