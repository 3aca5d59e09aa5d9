package properties_test

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// A generator makes policies that New accepts, and requests that such policies
// allow or nearly allow.
type generator struct{ *rand.Rand }

// one reports true in one of n calls, on average.
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

// dozens returns a number of headers: usually less than 4, sometimes up to 79.
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

// origin returns a random origin. The origins have parts in common, so many of
// them differ only a little.
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

// page returns an origin that p allows, a string that differs only a little from
// one, or another origin.
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

		Credentials: corstest.Credentials(g.IntN(3)),
	}
	if g.one(2) {
		r.Method = g.pick(append(p.AllowedMethods, "GET", "POST")...)
	}
	if !strings.EqualFold(r.Method, "GET") && !strings.EqualFold(r.Method, "HEAD") {
		r.Body = g.pick("", "{}")
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
