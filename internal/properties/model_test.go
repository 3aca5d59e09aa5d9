package properties_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/origin/naive"
)

// TestBrowsersObeyThePolicy has pages make random requests of servers with
// random policies, by way of the browser of package fetch. What that lets happen
// must be what the policy's fields say, read naively and one by one.
//
// The seed of a run is printed. To run it again:
//
//	CORS_SEED=<seed> go test -run TestBrowsersObeyThePolicy .
func TestBrowsersObeyThePolicy(t *testing.T) {
	policies, requestsEach := rounds(3000), 10
	seed := rand.Uint64()
	if s := os.Getenv("CORS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("CORS_SEED: %v", err)
		}
	}
	t.Logf("seed %d", seed) // printed even if a request panics
	g := generator{rand.New(rand.NewPCG(seed, 0))}

	seen := make(map[string]int)
	for range policies {
		p := g.policy()
		m, err := cors.New(p)
		if err != nil {
			t.Fatal(err)
		}
		reader := readPolicy(p)
		for range requestsEach {
			page, r := g.page(p), g.request(p)
			if !isPage(page) { // though other clients can send it
				direct := httptest.NewRequest("GET", "http://server.example/", nil)
				direct.Header.Set("Origin", page)
				if got, want := m.Check(direct) == nil, reader.allowsOrigin(page); got != want {
					t.Fatalf("policy %+v\norigin %q passes: %t, want %t", p, page, got, want)
				}
				seen["from no page"]++
				continue
			}
			got, want := observe(m, page, r), reader.outcome(page, r)
			if got != want {
				t.Fatalf("policy  %+v\npage    %q\nrequest %+v\ngot  %+v\nwant %+v", p, page, r, got, want)
			}
			seen[got.summary()]++
		}
	}
	t.Logf("%d requests under %d policies", policies*requestsEach, policies)
	for _, s := range []string{"stopped", "stopped by a preflight", "handled, unreadable", "handled, readable", "handled after a preflight, readable", "from no page"} {
		t.Logf("%6d %s", seen[s], s)
		if seen[s] == 0 {
			t.Errorf("no request was %s", s)
		}
	}
}

// An outcome is what comes of a page's request.
type outcome struct {
	preflight bool   // whether one is sent
	passes    bool   // whether Check has nothing against the first request
	reuses    int    // at how many of the times in laterOn the preflight still serves
	handled   bool   // whether the wrapped handler runs,
	cookie    bool   // and gets the cookie
	readable  bool   // whether the script can read the response,
	headers   string // and which of the headers in responseHeader
}

func (o outcome) summary() string {
	switch {
	case o.handled && o.preflight:
		return "handled after a preflight, readable"
	case o.handled && o.readable:
		return "handled, readable"
	case o.handled:
		return "handled, unreadable"
	case o.preflight:
		return "stopped by a preflight"
	}
	return "stopped"
}

var (
	// What the handler sets.
	responseHeader = http.Header{
		"Cache-Control": {"no-cache"}, "Content-Type": {"text/plain"}, "Etag": {`"1"`},
		"Set-Cookie": {"a=b"}, "X-Total": {"1"}, "X-Total-Count": {"2"},
	}
	laterOn = []time.Duration{0, 5*time.Second - 1, 5 * time.Second, 10*time.Minute - 1, 24*time.Hour - 1}
)

// isPage reports whether corstest takes page for the origin of one.
func isPage(page string) bool {
	b := corstest.Browser{Handler: http.NotFoundHandler()}
	return b.Fetch(page, corstest.Request{URL: "http://api.example/"}).Actual != nil
}

// observe has page send r to a handler behind m.
func observe(m *cors.Middleware, page string, r corstest.Request) (o outcome) {
	now := time.Unix(0, 0)
	b := corstest.Browser{
		Cookie: "session=1",
		Now:    func() time.Time { return now },
		Handler: m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o.handled, o.cookie = true, r.Header["Cookie"] != nil
			maps.Copy(w.Header(), responseHeader)
		})),
	}
	result := b.Fetch(page, r)
	o.preflight, o.readable = result.Preflight != nil, result.Blocked == ""
	first := result.Preflight
	if first == nil {
		first = result.Actual
	}
	o.passes = m.Check(first.Request) == nil
	for _, name := range slices.Sorted(maps.Keys(responseHeader)) {
		if result.Header[name] != nil {
			o.headers += name + " "
		}
	}
	if !o.preflight || !o.readable {
		return o
	}
	for _, after := range laterOn {
		now = time.Unix(0, 0).Add(after)
		if b.Fetch(page, r).Preflight != nil {
			break
		}
		o.reuses++
	}
	return o
}

// A reading takes a policy's fields one by one.
type reading struct {
	cors.Policy
	origins []*regexp.Regexp // for each of AllowedOrigins
}

func readPolicy(p cors.Policy) reading {
	n := reading{Policy: p}
	for _, pattern := range p.AllowedOrigins {
		n.origins = append(n.origins, naive.Expression(pattern))
	}
	return n
}

// outcome says what is to come of r, sent by page.
func (p reading) outcome(page string, r corstest.Request) (o outcome) {
	if strings.HasPrefix(r.URL, page+"/") { // same-origin: the policy has no say
		return outcome{passes: true, handled: true, cookie: r.Credentials != corstest.Omit, readable: true, headers: p.readableHeaders(true, r)}
	}
	o.preflight = len(corstest.PreflightReasons(r)) > 0
	origin := p.allowsOrigin(page)
	o.readable = origin && (p.AllowCredentials || r.Credentials != corstest.Include)
	if o.preflight {
		method, headers := p.allowsMethod(r.Method), p.allowsHeaders(r.Header)
		o.passes = origin && method && headers
		// By the letter of the standard, a browser that would report an upload's
		// progress takes the absence of Access-Control-Allow-Methods for the
		// method it wants (Fetch, "CORS-preflight fetch", step 7.4). In this,
		// Chromium, Firefox and WebKit are stricter.
		method = method || (r.UploadListener || r.StreamBody) && len(p.AllowedMethods) == 0
		o.readable = o.readable && method && headers
		o.handled = o.readable
	} else {
		// Without Sec-Fetch-Site, an origin passes for the server's own if only
		// its scheme is another.
		o.passes = origin || r.URL == "http://api.example/" && page == "https://api.example"
		o.handled = o.passes
	}
	o.cookie = o.handled && r.Credentials == corstest.Include
	if o.readable {
		o.headers = p.readableHeaders(false, r)
	}
	if o.readable && o.preflight {
		o.reuses = p.reuses(r)
	}
	return o
}

func (p reading) allowsOrigin(origin string) bool {
	for i, pattern := range p.AllowedOrigins {
		if pattern == "*" || p.origins[i].MatchString(origin) && (origin == "null" || naive.IsOrigin(origin)) {
			return true
		}
	}
	if p.AllowOriginFunc == nil {
		return false
	}
	if origin == "null" {
		return p.AcceptRisks&cors.RiskNullOrigin != 0 && p.AllowOriginFunc(nil, origin)
	}
	return naive.IsOrigin(origin) && p.AllowOriginFunc(nil, origin)
}

// normal returns a method as browsers send it.
func normal(method string) string {
	for _, m := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"} {
		if strings.EqualFold(method, m) {
			return m
		}
	}
	return method
}

func (p reading) allowsMethod(method string) bool {
	return slices.Contains(append([]string{"GET", "HEAD", "POST"}, p.AllowedMethods...), normal(method)) ||
		slices.Contains(p.AllowedMethods, "*")
}

func (p reading) allowsHeaders(h http.Header) bool {
	for _, name := range unsafeNames(h) {
		any := slices.Contains(p.AllowedHeaders, "*") && (name != "authorization" || p.AllowCredentials)
		if !any && !slices.ContainsFunc(p.AllowedHeaders, func(s string) bool { return strings.EqualFold(s, name) }) {
			return false
		}
	}
	return true
}

// unsafeNames returns the names that a browser asks for before it sends h.
func unsafeNames(h http.Header) []string {
	b := corstest.Browser{Handler: http.NotFoundHandler()}
	res := b.Fetch("https://page.example", corstest.Request{URL: "https://api.example/", Header: h})
	if res.Preflight == nil {
		return nil
	}
	return strings.Split(res.Preflight.Request.Header.Get("Access-Control-Request-Headers"), ",")
}

func (p reading) readableHeaders(sameOrigin bool, r corstest.Request) (names string) {
	for _, name := range slices.Sorted(maps.Keys(responseHeader)) {
		exposed := slices.ContainsFunc(p.ExposedHeaders, func(s string) bool { return s == "*" || strings.EqualFold(s, name) })
		if sameOrigin || exposed || name == "Cache-Control" || name == "Content-Type" {
			names += name + " "
		}
	}
	return strings.Replace(names, "Set-Cookie ", "", 1)
}

func (p reading) reuses(r corstest.Request) (n int) {
	// A browser that asks only because it would report an upload's progress
	// remembers a method if the answer lists it, or lists none.
	method := normal(r.Method)
	listed := len(p.AllowedMethods) == 0 || slices.Contains(p.AllowedMethods, method) || slices.Contains(p.AllowedMethods, "*")
	if (r.UploadListener || r.StreamBody) && !listed {
		return 0
	}
	for _, after := range laterOn {
		if after < p.MaxAge || p.MaxAge == 0 && after < 5*time.Second {
			n++
		}
	}
	return n
}

// generator makes policies that New accepts, and requests that come near what
// they allow.
type generator struct{ *rand.Rand }

// one reports true one time in n.
func (g generator) one(n int) bool { return g.IntN(n) == 0 }

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) policy() cors.Policy {
	p := cors.Policy{
		AllowCredentials: g.one(2),
		MaxAge:           []time.Duration{0, -1, time.Second, 10 * time.Minute, 24 * time.Hour}[g.IntN(5)],
		AcceptRisks:      cors.RiskInsecureOrigin | cors.RiskPublicSuffix,
	}
	if !p.AllowCredentials && g.one(4) {
		p.AllowedOrigins = []string{"*"}
	} else {
		for range 1 + g.IntN(5) - g.IntN(2) {
			p.AllowedOrigins = append(p.AllowedOrigins, g.pattern())
		}
		if g.one(2) {
			p.AcceptRisks |= cors.RiskNullOrigin
			if g.one(2) {
				p.AllowedOrigins = append(p.AllowedOrigins, "null")
			}
		}
		if g.one(5) {
			p.AllowOriginFunc = func(_ *http.Request, origin string) bool { return len(origin)%3 > 0 }
		}
	}
	for range g.IntN(5) {
		p.AllowedMethods = append(p.AllowedMethods, g.pick("PUT", "DELETE", "PATCH", "OPTIONS", "GET", "POST", "PURGE", "purge", "PURG", "*"))
	}
	for range g.dozens() {
		p.AllowedHeaders = append(p.AllowedHeaders, g.requestHeader())
	}
	if g.one(4) {
		p.AllowedHeaders = append(p.AllowedHeaders, "*")
	}
	for range g.IntN(3) {
		p.ExposedHeaders = append(p.ExposedHeaders, g.pick("ETag", "x-total", "X-Total-Count", "Content-Type", "X-Nosuch"))
	}
	if !p.AllowCredentials && g.one(4) {
		p.ExposedHeaders = append(p.ExposedHeaders, "*")
	}
	return p
}

// dozens returns how many headers to have: mostly few.
func (g generator) dozens() int {
	if g.one(5) {
		return g.IntN(80)
	}
	return g.IntN(4)
}

func (g generator) requestHeader() string {
	if g.one(2) {
		return g.casing("X-" + strconv.Itoa(g.IntN(60)))
	}
	return g.casing(g.pick("Authorization", "Content-Type", "Accept", "Range", "X", "X-A", "X-AA", "X-A-A"))
}

func (g generator) casing(name string) string {
	return g.pick(name, strings.ToLower(name), strings.ToUpper(name))
}

// origin returns one of those few that many policies and pages share parts of.
func (g generator) origin() string {
	host := g.pick("a", "b", "ab", "a-b", "com", "localhost")
	for range g.IntN(3) {
		host = g.pick("a", "b", "ab", "com", "example") + "." + host
	}
	if g.one(8) {
		host = g.pick("127.0.0.1", "[::1]", "[2001:db8::1]")
	}
	scheme, port := g.pick("https", "https", "http", "app"), g.pick("", "", "", ":8080", ":808", ":8", ":80", ":443", ":65535")
	if scheme+port == "http:80" || scheme+port == "https:443" {
		port = ""
	}
	return scheme + "://" + host + port
}

func (g generator) pattern() string {
	s := g.origin()
	scheme, host, _ := strings.Cut(s, "://")
	if scheme == "app" && g.one(4) {
		return "app://*"
	}
	if _, rest, found := strings.Cut(host, "."); found && g.one(3) && !strings.HasPrefix(host, "127.") {
		if !strings.Contains(rest, ".") {
			rest = "example." + rest // names directly under a single label can be registered
		}
		host = g.pick("*.", "*.", "a-*.", "*-b.", "a-*-b.") + rest
	}
	if g.one(4) {
		if i := strings.LastIndex(host, ":"); i >= 0 && !strings.HasSuffix(host, "]") {
			host = host[:i]
		}
		host += ":*"
	}
	return scheme + "://" + host
}

// page returns the origin of a page, or what comes near one that p allows.
func (g generator) page(p cors.Policy) string {
	if len(p.AllowedOrigins) == 0 || g.one(4) {
		return g.pick("null", g.origin(), g.origin(), "http://localhost:8080", "http://localhost:808",
			"http://api.example", "https://api.example", "https://api.example:8443", "https://api.exampl", "app://api.example")
	}
	s := g.pick(p.AllowedOrigins...)
	if s == "*" {
		s = g.origin()
	}
	s = strings.Replace(s, "*.", g.pick("", "a.", "b.", "a.b.", "example.a.com.b."), 1)
	s = strings.Replace(s, "*-", g.pick("", "a-", "1-2-", "a.b-"), 1)
	s = strings.Replace(s, "://*", g.pick("://", "://a", "://."), 1)
	s = strings.Replace(s, ":*", g.pick("", ":1", ":80", ":443", ":8080", ":65535", ":65536", ":08"), 1)
	if !g.one(3) {
		return s
	}
	i := g.IntN(len(s))
	switch extra := g.pick("a", "A", ".", "-", "1", "8", ":", "/", "*", "@", "?", "_", "com", "a.", ".a", ":80", "\xff"); g.IntN(4) {
	case 0:
		return s[:i] + extra + s[i:]
	case 1:
		return s[:i] + extra + s[i+1:]
	case 2:
		return s[:i] + s[i+1:]
	default:
		return s + extra
	}
}

func (g generator) request(p cors.Policy) corstest.Request {
	r := corstest.Request{
		Method: g.pick("GET", "HEAD", "POST", "PUT", "put", "DELETE", "PATCH", "patch", "OPTIONS", "PURGE", "purge", "Purge", "PURG", "*"),
		URL:    g.pick("https://api.example/", "http://api.example/", "http://localhost:8080/"),
		Header: make(http.Header),

		Credentials:    corstest.Credentials(g.IntN(3)),
		UploadListener: g.one(16),
	}
	if g.one(2) {
		r.Method = g.pick(append(p.AllowedMethods, "GET", "POST")...)
	}
	if method := normal(r.Method); method != "GET" && method != "HEAD" {
		r.Body = g.pick("", "{}")
		r.StreamBody = g.one(16)
	}
	for range g.dozens() {
		name := g.requestHeader()
		if len(p.AllowedHeaders) > 0 && !g.one(32) {
			name = g.casing(g.pick(p.AllowedHeaders...))
		}
		r.Header[name] = []string{g.pick("text/plain", "application/json", "bytes=0-", "(1)")}
	}
	return r
}
