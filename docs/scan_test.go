package docs_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

// TestScan scans servers with known faults, and compares the results with the
// tables in docs/scan.md.
func TestScan(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	text := read(t, "docs/scan.md")

	server := func(credentials bool, pattern string) http.Handler {
		allowed := regexp.MustCompile(pattern)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Origin")
			if origin := r.Header.Get("Origin"); origin != "" && allowed.MatchString(origin) {
				w.Header().Set("Access-Control-Allow-Origin", origin)
				if credentials {
					w.Header().Set("Access-Control-Allow-Credentials", "true")
				}
			}
		})
	}
	fixed := func(status int, lines ...string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if origin := r.Header.Get("Origin"); status < 400 || origin != page {
				for _, line := range lines {
					name, value, _ := strings.Cut(line, ": ")
					w.Header().Set(name, value)
				}
				w.WriteHeader(status)
			}
		})
	}
	var findings []corstest.Finding
	var tried []string
	for _, s := range []struct {
		page   string
		server http.Handler
	}{
		{page, server(true, `.`)},
		{page, server(false, `.`)},
		{page, server(true, `^null$`)},
		{page, server(false, `^null$`)},
		{page, server(true, `^https://app\.example\.com`)},
		{page, server(false, `^https://app\.example\.com`)},
		{page, server(true, `^https?://app\.example\.com$`)},
		{page, server(false, `^https?://app\.example\.com$`)},
		{page, server(false, `^https://(app|stranger)\.example(\.com)?$`)},
		{"http://localhost:3000", server(true, `^http://localhost(:\d+)?$`)},
		{"https://me.github.io", server(true, `\.github\.io$`)},
		{page, fixed(403, "Cache-Control: max-age=60")},
		{page, fixed(200, "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true")},
		{page, fixed(200, "Access-Control-Allow-Origin: "+page, "Vary: Origin", "Age: 1")},
	} {
		b := corstest.Browser{Handler: s.server}
		report := b.Scan(s.page, corstest.Request{URL: "https://api.example.com/me"})
		findings = append(findings, report.Findings...)
		if s.page == page && tried == nil {
			for _, p := range report.Tried[2:] { // without the requests from the page itself
				if origin := p.Origin; origin != "" && !slices.Contains(tried, origin) {
					tried = append(tried, origin)
				}
			}
		}
	}

	type row struct{ begin, severity string }
	var rows []row
	for _, cells := range text.table(t, "Finding | Severity | Fix") {
		begin, fix := strings.TrimSuffix(cells[0], "…"), cells[2]
		for _, severity := range strings.Split(cells[1], " or ") {
			rows = append(rows, row{begin, severity})
			if !slices.ContainsFunc(findings, func(f corstest.Finding) bool {
				fixed := f.Fix == fix || f.Fix == "" && (fix == "(none)" || cells[1] != "Info")
				return strings.HasPrefix(f.What, begin) && f.Severity.String() == severity && fixed
			}) {
				t.Errorf("no scan has the finding %q with severity %s and the fix %q", begin, severity, fix)
			}
		}
	}
	for _, f := range findings {
		if !slices.ContainsFunc(rows, func(r row) bool { return strings.HasPrefix(f.What, r.begin) && r.severity == f.Severity.String() }) {
			t.Errorf("docs/scan.md does not have the finding %v", f)
		}
	}

	var named []string
	for _, row := range text.table(t, "Origin | If the server allows the origin, it probably") {
		named = append(named, code(row[0])...)
	}
	slices.Sort(named)
	slices.Sort(tried)
	if !slices.Equal(named, tried) {
		t.Errorf("docs/scan.md has the origins %q\nthe scan tries          %q", named, tried)
	}
}

// TestSiblings checks the examples of siblings in docs/scan.md.
func TestSiblings(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/scan.md")
	for _, test := range []struct {
		words, page string
		siblings    []string
	}{
		{
			"- `example.com` has two labels, so the scan adds a label: `https://sibling.example.com`.",
			"https://example.com", []string{"https://sibling.example.com"},
		},
		{
			"- `app.example.com` has three labels, so the scan replaces the first: `https://sibling.example.com`.",
			"https://app.example.com", []string{"https://sibling.example.com"},
		},
		{
			"- `example.co.uk` also has three labels, but its parent domain is a public suffix. The scan tries both `https://sibling.co.uk` and `https://sibling.example.co.uk`.",
			"https://example.co.uk", []string{"https://sibling.co.uk", "https://sibling.example.co.uk"},
		},
	} {
		b := corstest.Browser{Handler: http.NotFoundHandler()}
		var got []string
		for _, p := range b.Scan(test.page, corstest.Request{URL: "https://api.example.net/me"}).Tried {
			if strings.HasPrefix(p.Origin, "https://sibling.") && !slices.Contains(got, p.Origin) {
				got = append(got, p.Origin)
			}
		}
		if slices.Sort(got); !slices.Equal(got, test.siblings) {
			t.Errorf("%s: got %q, want %q", test.page, got, test.siblings)
		}
		text.need(t, test.words)
	}
}

// TestSeverities checks the table of severities in docs/scan.md.
func TestSeverities(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	is := func(origins ...string) func(string) bool {
		return func(o string) bool { return slices.Contains(origins, o) }
	}
	begins := func(prefix string) func(string) bool {
		return func(o string) bool { return strings.HasPrefix(o, prefix) }
	}
	type server struct {
		page   string
		allows func(origin string) bool // origins other than page
	}
	servers := map[string][]server{
		"every origin, or every `https` origin":                                       {{page, begins("")}, {page, begins("https:")}},
		"unrelated origins, such as `https://stranger.example`, but not every origin": {{page, is("https://stranger.example")}},
		"`null`, but not every origin":                                                {{page, is("null")}},
		"origins that only resemble the page's, such as `https://evilexample.com`":    {{page, is("https://evilexample.com")}, {page, begins(page)}},
		"other hosts in the page's domain, such as `https://sibling.example.com`":     {{page, is("https://sibling.example.com")}},
		"hosts directly under a public suffix, such as `https://sibling.co.uk` for the page `https://example.co.uk`": {
			{"https://example.co.uk", is("https://sibling.co.uk")},
		},
		"the page's host on another port": {{page, is(page + ":8443")}},
		"the page's host over HTTP, including the page itself (only for a server that uses HTTPS, and not for loopback hosts)": {
			{page, is("http://app.example.com")}, {"http://app.example.com", is()},
		},
		"other loopback hosts or ports, if the page is on a loopback host, such as `localhost`": {
			{"http://localhost:3000", begins("http://localhost:")}, {"http://app.localhost:3000", is("http://evilapp.localhost:3000")},
		},
	}
	text := read(t, "docs/scan.md")
	for _, row := range text.table(t, "Origins that the server allows | Access as your user") {
		if servers[row[0]] == nil {
			t.Errorf("docs/scan.md has the unknown row %q", row[0])
		}
		for _, s := range servers[row[0]] {
			for i, credentials := range []bool{true, false} {
				report := scanPolicy(t, s.page, "", corstest.CORS, cors.Policy{
					AllowOriginFunc:  func(_ *http.Request, o string) bool { return o == s.page || s.allows(o) },
					AllowCredentials: credentials,
					AcceptRisks:      cors.RiskNullOrigin,
				})
				if want := row[i+1]; worst(report) != want {
					t.Errorf("%s, from %s, with credentials %t: the severity is not %s\n%v", row[0], s.page, credentials, want, report)
				}
			}
		}
		delete(servers, row[0])
	}
	const cause = "- Your server uses HTTPS and the policy sets `AllowCredentials`, but your own page is loaded over HTTP from a non-loopback host. Anyone on the network path can change such a page and send requests as your user. This finding is Low."
	text.need(t, cause)
	for row := range servers {
		t.Errorf("docs/scan.md does not have the row %q", row)
	}
}

// TestWebSocketSeverities checks the sentences of docs/scan.md about WebSockets.
func TestWebSocketSeverities(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/scan.md")
	for _, test := range []struct{ words, cookie, want string }{
		{"- For a WebSocket, a scan reports Medium instead of High if `Browser.Cookie` is not set, because the WebSocket may be public. This also applies to every High in the next table.", "", "Medium"},
		{"- You scan a WebSocket, and the policy allows `*` or `https://*`. A handshake always includes credentials, even if the policy does not set `AllowCredentials`. The finding is High, or Medium if you set no cookie.", "session=1", "High"},
	} {
		for _, pattern := range []string{"*", "https://*"} {
			report := scanPolicy(t, "https://app.example.com", test.cookie, corstest.WebSocket, cors.Policy{AllowedOrigins: []string{pattern}})
			if worst(report) != test.want {
				t.Errorf("%s, cookie %q: the severity is not %s\n%v", pattern, test.cookie, test.want, report)
			}
		}
		text.need(t, test.words)
	}
}

// TestTokens scans services for a page that sends a bearer token.
func TestTokens(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	read(t, "docs/scan.md").need(t, "Hostile pages do not have the token, so for a scan, it is not a credential.")
	for origins, want := range map[string]string{page: "", page + " https://stranger.example": "Medium", "*": "Info"} {
		b := corstest.Browser{Handler: testkit.MustNew(t, cors.Policy{AllowedOrigins: strings.Fields(origins), AllowedHeaders: []string{"Authorization"}}).
			Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))}
		me := corstest.Request{URL: "https://api.example.com/me", Header: http.Header{"Authorization": {"Bearer x"}}}
		if own := b.Fetch(page, me); own.Status != 200 {
			t.Error(own)
		}
		if report := b.Scan(page, me); report.Incomplete != "" || worst(report) != want {
			t.Errorf("%s: the severity is not %q\n%v", origins, want, report)
		}
	}
}

// scanPolicy scans a service with policy p, as the front end on page.
func scanPolicy(t *testing.T, page, cookie string, mode corstest.Mode, p cors.Policy) *corstest.Report {
	b := corstest.Browser{Cookie: cookie, Handler: testkit.MustNew(t, p).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if mode == corstest.WebSocket {
			w.WriteHeader(http.StatusSwitchingProtocols)
		}
	}))}
	return b.Scan(page, corstest.Request{Mode: mode, URL: "https://api.example.com/me"})
}

// worst returns the severity of the worst finding, if the scan is complete.
func worst(r *corstest.Report) string {
	if r.Incomplete != "" || len(r.Findings) == 0 {
		return ""
	}
	return r.Findings[0].Severity.String()
}

// hostilePages is the body of an example test in README.md, which is called
// TestHostilePages there.
func hostilePages(t interface{ Error(...any) }, api http.Handler) {
	b := corstest.Browser{Handler: api, Cookie: "session=of-a-user"}
	me := corstest.Request{URL: "https://api.example.com/me", Credentials: corstest.Include}
	if own := b.Fetch("https://app.example.com", me); own.Status != 200 {
		t.Error(own)
	}
	if s := b.Scan("https://app.example.com", me); s.Incomplete != "" || len(s.Findings) > 0 && s.Findings[0].Severity > corstest.Info {
		t.Error(s)
	}
	form := corstest.Request{Mode: corstest.Navigate, Method: "POST", URL: "https://api.example.com/transfer", Body: "to=mallory"}
	if r := b.Fetch("https://evil.example", form); r.Err() != nil || r.Actual.Response.StatusCode != 403 {
		t.Error(r)
	}
}

// TestHostilePages compares the example test in the README with hostilePages,
// and runs it for services with and without faults.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("scan_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(source), "func hostilePages(t interface{ Error(...any) }, api http.Handler) {\n")
	body, _, _ = strings.Cut(body, "\n}\n")
	if !strings.Contains(read(t, "README.md").text, "```go\nfunc TestHostilePages(t *testing.T) {\n"+body+"\n}\n```\n") {
		t.Errorf("README.md does not have a TestHostilePages with this body:\n%s", body)
	}

	mux := http.NewServeMux()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux.Handle("GET /me", ok)
	mux.Handle("POST /transfer", ok)
	serve := func(p cors.Policy, h http.Handler) http.Handler {
		c, err := cors.New(p)
		if err != nil {
			t.Fatal(err)
		}
		return c.Handler(h)
	}
	policy := cors.Policy{AllowedOrigins: []string{"https://app.example.com"}, AllowCredentials: true}
	passing := policy
	passing.PassRejected = true
	lax := policy
	lax.AllowOriginFunc = func(*http.Request, string) bool { return true }
	for _, test := range []struct {
		name   string
		api    http.Handler
		errors int
	}{
		{"a service without faults", serve(policy, mux), 0},
		{"other pages can read /me", serve(lax, mux), 2},
		{"forms on other sites reach /transfer", serve(passing, mux), 1},
		{"the service has neither path", serve(policy, http.NewServeMux()), 1},
		{"your page is not allowed", serve(cors.Policy{}, mux), 1},
		{"the handler responds to everything with a 403", serve(policy, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })), 1},
		{"the service sends no response", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), 3},
		{"the service fails for other pages, so the scan is incomplete", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Origin") != "https://app.example.com" {
				w.WriteHeader(500)
				return
			}
			serve(policy, mux).ServeHTTP(w, r)
		}), 2},
	} {
		var got counter
		if hostilePages(&got, test.api); int(got) != test.errors {
			t.Errorf("%s: got %d errors, want %d", test.name, got, test.errors)
		}
	}
}

// A counter counts the calls of Error in a test.
type counter int

func (c *counter) Error(...any) { *c++ }
