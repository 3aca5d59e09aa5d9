package properties_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// The small world is every combination of a few values of all that the answer to a
// request depends on. Random tests miss corners; here there are no others.
var (
	worldMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "options", "FOO"}
	worldOrigins = [][]string{
		nil, {""},
		{"https://app.example"}, {"https://a.sub.example"}, {"https://sub.example"}, {"http://localhost:3000"}, {"https://b.both.example:8443"},
		{"https://pr-1-x.preview.example"}, {"https://pr--x.preview.example"}, {"ext://any"}, {"https://tenant.example"}, {"https://evil.example"}, {"null"}, {"file://"},
		{"https://api.example"}, {"http://api.example"}, {"https://app.example", "https://app.example"}, {"", "https://app.example"},
	}
	worldAskedMethods = [][]string{nil, {"GET"}, {"PUT"}, {"FOO"}, {"PUT", "PUT"}}
	worldAskedHeaders = [][]string{nil, {""}, {"x-a"}, {"X-A, authorization"}, {"x-nope"}, {"x-a", "x-nope"}}
	worldSites        = []string{"absent", "", "same-origin", "same-site", "cross-site", "none", "junk"}
	worldHosts        = []string{"api.example", "API.EXAMPLE:443", "api.example:80", "other.example"}
)

// A worldPolicy is a policy, and beside it what it comes to, written down by hand.
type worldPolicy struct {
	name   string
	policy cors.Policy

	allows  string // the origins of worldOrigins that it allows, with a space between them; "*" for any
	methods string // what it lists of methods ...
	headers string // ... and request headers, as the answer to a preflight has them
	grants  string // what of worldAskedMethods and worldAskedHeaders it grants, in lower case
	lines   string // the other lines of that answer
	exposes string // what it exposes, as responses have it
}

func worldPolicies() []worldPolicy {
	tenants := func(_ *http.Request, origin string) bool { return origin == "https://tenant.example" }
	everybody := func(*http.Request, string) bool { return true }
	const (
		all, every = "get put foo", "x-a authorization x-nope"
		valid      = "https://app.example https://a.sub.example https://sub.example http://localhost:3000 https://b.both.example:8443 " +
			"https://pr-1-x.preview.example https://pr--x.preview.example ext://any https://tenant.example https://evil.example https://api.example http://api.example"
	)
	return []worldPolicy{
		{name: "zero"},
		{name: "one origin", policy: cors.Policy{AllowedOrigins: []string{"https://app.example"}}, allows: "https://app.example"},
		{name: "subdomains", policy: cors.Policy{AllowedOrigins: []string{"https://*.sub.example"}}, allows: "https://a.sub.example"},
		{name: "any port", policy: cors.Policy{AllowedOrigins: []string{"http://localhost:*"}}, allows: "http://localhost:3000"},
		{name: "subdomains and any port", policy: cors.Policy{AllowedOrigins: []string{"https://*.both.example:*", "https://app.example"}}, allows: "https://b.both.example:8443 https://app.example"},
		{name: "hyphens", policy: cors.Policy{AllowedOrigins: []string{"https://pr-*-x.preview.example"}}, allows: "https://pr-1-x.preview.example"},
		{name: "any host of a scheme", policy: cors.Policy{AllowedOrigins: []string{"ext://*"}}, allows: "ext://any"},
		{name: "null", policy: cors.Policy{AllowedOrigins: []string{"null"}, AcceptRisks: cors.RiskNullOrigin}, allows: "null"},
		{name: "files", policy: cors.Policy{AllowedOrigins: []string{"file://"}, AcceptRisks: cors.RiskNullOrigin}, allows: "file://"},
		{name: "the server's own origin", policy: cors.Policy{AllowedOrigins: []string{"https://api.example"}}, allows: "https://api.example"},
		{name: "a function", policy: cors.Policy{AllowOriginFunc: tenants}, allows: "https://tenant.example"},
		{name: "a function for everybody", policy: cors.Policy{AllowOriginFunc: everybody}, allows: valid},
		{name: "a function for everybody, null included", policy: cors.Policy{AllowOriginFunc: everybody, AcceptRisks: cors.RiskNullOrigin}, allows: valid + " null file://"},
		{
			name: "all kinds at once", policy: cors.Policy{
				AllowedOrigins:  []string{"https://app.example", "https://*.sub.example", "http://localhost:*", "https://*.both.example:*", "https://pr-*-x.preview.example", "ext://*", "null"},
				AllowOriginFunc: tenants, AcceptRisks: cors.RiskNullOrigin,
			},
			allows: "https://app.example https://a.sub.example http://localhost:3000 https://b.both.example:8443 https://pr-1-x.preview.example ext://any null https://tenant.example",
		},
		{name: "any origin", policy: cors.Policy{AllowedOrigins: []string{"*"}}, allows: "*"},
		{
			name: "lists", policy: cors.Policy{
				AllowedOrigins: []string{"https://app.example"}, AllowedMethods: []string{"PUT", "DELETE", "PUT"}, AllowedHeaders: []string{"x-a", "Authorization", "X-A"},
				ExposedHeaders: []string{"etag", "X-Total"}, MaxAge: 2 * time.Hour,
			},
			allows: "https://app.example", methods: "PUT, DELETE", headers: "X-A, Authorization", grants: "put x-a authorization",
			lines: "Access-Control-Max-Age: 7200", exposes: "Etag, X-Total",
		},
		{
			name: "lists with credentials", policy: cors.Policy{
				AllowedOrigins: []string{"https://app.example", "https://*.sub.example"}, AllowedMethods: []string{"FOO"}, AllowedHeaders: []string{"X-Nope"},
				ExposedHeaders: []string{"ETag"}, AllowCredentials: true, MaxAge: -1,
			},
			allows: "https://app.example https://a.sub.example", methods: "FOO", headers: "X-Nope", grants: "foo x-nope",
			lines: "Access-Control-Max-Age: 0", exposes: "Etag",
		},
		{
			name:   "wildcards for any origin",
			policy: cors.Policy{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*", "Authorization"}, ExposedHeaders: []string{"*"}, MaxAge: time.Second},
			allows: "*", methods: "*", headers: "*, Authorization", grants: all + " " + every, lines: "Access-Control-Max-Age: 1", exposes: "*",
		},
		{
			name:   "wildcards without credentials",
			policy: cors.Policy{AllowedOrigins: []string{"https://app.example"}, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, ExposedHeaders: []string{"*"}},
			allows: "https://app.example", methods: "*", headers: "*", grants: all + " x-a x-nope", exposes: "*",
		},
		{
			name:   "wildcards with credentials",
			policy: cors.Policy{AllowedOrigins: []string{"https://app.example"}, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, AllowCredentials: true},
			allows: "https://app.example", grants: all + " " + every,
		},
		{
			name:   "wildcards and names with credentials, and a function",
			policy: cors.Policy{AllowOriginFunc: tenants, AllowedMethods: []string{"PUT", "*"}, AllowedHeaders: []string{"*", "X-A"}, AllowCredentials: true},
			allows: "https://tenant.example", methods: "PUT", headers: "X-A", grants: all + " " + every,
		},
		{
			name:   "a DenyHandler",
			policy: cors.Policy{AllowedOrigins: []string{"https://app.example"}, DenyHandler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })},
			allows: "https://app.example",
		},
	}
}

// A worldRequest is one combination.
type worldRequest struct {
	method, site, host     string
	origins, asked, wanted []string // the lines of Origin and of both preflight headers
}

// worldAnswer is what the table of requests says of q under p.
func (p *worldPolicy) worldAnswer(q worldRequest) (ran bool, status int, header map[string]string, body string, report *cors.RequestError) {
	any := p.allows == "*"
	has := func(list, item string) bool { return slices.Contains(strings.Fields(list), item) }
	named := len(q.origins) > 1 || len(q.origins) == 1 && q.origins[0] != ""
	preflight := named && q.method == "OPTIONS" && q.asked != nil
	allowed := any || len(q.origins) == 1 && named && has(p.allows, q.origins[0])
	site := q.site
	if site == "absent" {
		site = ""
	}
	own := site == "same-origin" || site == "none"
	if site == "" && len(q.origins) == 1 {
		own = q.origins[0] == "https://api.example" && (q.host == "api.example" || q.host == "API.EXAMPLE:443") ||
			q.origins[0] == "http://api.example" && (q.host == "api.example" || q.host == "api.example:80")
	}
	forged := !named && !any && !has("GET HEAD OPTIONS", q.method) && !own && site != ""

	header = make(map[string]string)
	if !any {
		header["Vary"] = "Origin"
	}
	deny := func(body string, report *cors.RequestError) (bool, int, map[string]string, string, *cors.RequestError) {
		if p.policy.DenyHandler != nil {
			return false, 418, header, "", report
		}
		header["Content-Type"] = "text/plain; charset=utf-8"
		header["X-Content-Type-Options"] = "nosniff"
		return false, 403, header, body, report
	}
	switch {
	case forged:
		return deny("cross-site request rejected: it has no Origin header\n", &cors.RequestError{Field: "Sec-Fetch-Site", Value: site})
	case named && !allowed && (preflight || !own):
		return deny("cross-origin request rejected: the CORS policy does not allow its origin\n", &cors.RequestError{Preflight: preflight, Field: "Origin", Value: strings.Join(q.origins, ", ")})
	case !allowed:
		return true, 200, header, "", nil
	}

	header["Access-Control-Allow-Origin"] = "*"
	if !any {
		header["Access-Control-Allow-Origin"] = q.origins[0]
	}
	if p.policy.AllowCredentials {
		header["Access-Control-Allow-Credentials"] = "true"
	}
	set := func(name string, values ...string) {
		values = slices.DeleteFunc(values, func(s string) bool { return s == "" })
		if len(values) > 0 {
			header[name] = strings.Join(values, ", ")
		}
	}
	if !preflight {
		set("Access-Control-Expose-Headers", p.exposes)
		return true, 200, header, "", nil
	}

	echoed := make([]string, 2)
	if p.policy.AllowCredentials && slices.Contains(p.policy.AllowedMethods, "*") {
		header["Vary"] += ", Access-Control-Request-Method"
		if len(q.asked) == 1 && q.asked[0] != p.methods {
			echoed[0] = q.asked[0]
		}
	}
	if p.policy.AllowCredentials && slices.Contains(p.policy.AllowedHeaders, "*") {
		header["Vary"] += ", Access-Control-Request-Headers"
		echoed[1] = strings.Join(q.wanted, ", ")
	}
	set("Access-Control-Allow-Methods", p.methods, echoed[0])
	set("Access-Control-Allow-Headers", p.headers, echoed[1])
	if name, value, ok := strings.Cut(p.lines, ": "); ok {
		header[name] = value
	}
	if len(q.asked) > 1 || q.asked[0] != "GET" && !has(p.grants, strings.ToLower(q.asked[0])) {
		return false, 204, header, "", &cors.RequestError{Preflight: true, Field: "Access-Control-Request-Method", Value: strings.Join(q.asked, ", ")}
	}
	for name := range strings.SplitSeq(strings.Join(q.wanted, ", "), ", ") {
		if name != "" && !has(p.grants, strings.ToLower(name)) {
			return false, 204, header, "", &cors.RequestError{Preflight: true, Field: "Access-Control-Request-Headers", Value: name}
		}
	}
	return false, 204, header, "", nil
}

// TestSmallWorld compares the answer to every request of the small world, under
// every policy, with what is written down: whether the handler ran, status, every
// header, the body, and what Check and OnReject say.
func TestSmallWorld(t *testing.T) {
	var compared atomic.Int64
	t.Run("policies", func(t *testing.T) {
		for _, p := range worldPolicies() {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				compared.Add(int64(p.compareWorld(t)))
			})
		}
	})
	t.Logf("%d requests compared", compared.Load())
	if compared.Load() < 2_000_000 {
		t.Errorf("only %d requests were compared", compared.Load())
	}
}

func (p *worldPolicy) compareWorld(t *testing.T) (compared int) {
	var ran bool
	var reported *cors.RequestError
	policy := p.policy
	policy.OnReject = func(_ *http.Request, err *cors.RequestError) { reported = err }
	m := testkit.MustNew(t, policy)
	handler := m.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
	w := testkit.NewRecorder()
	got := make(map[string]string)

	for _, method := range worldMethods {
		for _, origins := range worldOrigins {
			for _, asked := range worldAskedMethods {
				for _, wanted := range worldAskedHeaders {
					for _, site := range worldSites {
						for _, host := range worldHosts {
							q := worldRequest{method, site, host, origins, asked, wanted}
							r := &http.Request{Method: method, Host: host, Header: make(http.Header, 4)}
							for name, lines := range map[string][]string{"Origin": origins, "Access-Control-Request-Method": asked, "Access-Control-Request-Headers": wanted} {
								if lines != nil {
									r.Header[name] = lines
								}
							}
							if site != "absent" {
								r.Header["Sec-Fetch-Site"] = []string{site}
							}

							ran, reported = false, nil
							w.Reset()
							handler.ServeHTTP(w, r)
							clear(got)
							for name, values := range w.Header() {
								got[name] = strings.Join(values, ", ")
							}
							var checked *cors.RequestError
							if err := m.Check(r); err != nil {
								checked = err.(*cors.RequestError)
							}
							wantRan, status, header, body, report := p.worldAnswer(q)
							if ran != wantRan || w.Status != status || string(w.Body) != body || !maps.Equal(got, header) || !testkit.SameError(reported, report) || !testkit.SameError(checked, report) {
								t.Fatalf("%+v\ngot  ran %t, %d, %q, %q, reported %v, Check %v\nwant ran %t, %d, %q, %q, %+v", q, ran, w.Status, got, w.Body, reported, checked, wantRan, status, header, body, report)
							}
							compared++
						}
					}
				}
			}
		}
	}
	return compared
}
