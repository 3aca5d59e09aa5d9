package docs_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// TestFacts checks statements in the documents about the behavior of the
// middleware. Each row has a fact, the words of a document that depend on it,
// and a function that checks the fact.
func TestFacts(t *testing.T) {
	t.Parallel()
	app := cors.Policy{AllowedOrigins: []string{"https://app.example.net"}, AllowedMethods: []string{http.MethodPut}}
	// serve returns the response to r under p, and the number of times that the
	// handler ran.
	serve := func(p cors.Policy, r *http.Request) (w *httptest.ResponseRecorder, ran int) {
		w = httptest.NewRecorder()
		testkit.MustNew(t, p).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran++ })).ServeHTTP(w, r)
		return w, ran
	}
	request := func(method string, header ...string) *http.Request {
		r := httptest.NewRequest(method, "https://api.example.net/", nil)
		for _, line := range header {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
		return r
	}
	allowed, stranger := "Origin: https://app.example.net", "Origin: https://evil.example"
	// setPolicyWorks reports whether SetPolicy keeps the old policy if the new one
	// is invalid, and otherwise replaces it for the next request.
	setPolicyWorks := func() bool {
		c := testkit.MustNew(t, app)
		kept := c.SetPolicy(cors.Policy{AllowedOrigins: []string{"evil.example"}}) != nil && c.Check(request("GET", allowed)) == nil
		return kept && c.SetPolicy(cors.Policy{}) == nil && c.Check(request("GET", allowed)) != nil
	}
	for _, row := range []struct {
		name, page, words string
		isTrue            func() bool
	}{
		{
			"a request for an image from another site runs the handler", "README.md", "so a GET handler must not change state.",
			func() bool {
				_, ran := serve(app, request("GET", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"))
				return ran == 1
			},
		},
		{
			"a preflight response has no Max-Age if MaxAge is 0, and 0 if it is negative",
			"README.md", "If it is 0, no `Access-Control-Max-Age` is sent, and browsers reuse the response for 5 seconds. If it is negative, they never reuse the response.",
			func() bool {
				sent := func(age time.Duration) string {
					p := app
					p.MaxAge = age
					w, _ := serve(p, request("OPTIONS", allowed, "Access-Control-Request-Method: PUT"))
					return w.Header().Get("Access-Control-Max-Age")
				}
				return sent(0) == "" && sent(-1*time.Second) == "0" && sent(time.Minute) == "60"
			},
		},
		{
			"a rejected preflight gets a 403 without CORS headers, or the response of DenyHandler",
			"README.md", "If the origin is not allowed, the preflight gets a 403 without CORS headers. If the origin is allowed but the method or a header is not, the preflight gets a 204 that omits that method or header. In both cases, the browser does not send the actual request, and the script gets a network error. A `DenyHandler` can replace the 403 with its own response.",
			func() bool {
				preflight := request("OPTIONS", stranger, "Access-Control-Request-Method: PUT")
				denying := app
				denying.DenyHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) })
				w, ran := serve(app, preflight)
				denied, ranAnyway := serve(denying, preflight)
				for name := range w.Header() {
					if strings.HasPrefix(name, "Access-Control-") {
						return false
					}
				}
				unlisted, _ := serve(app, request("OPTIONS", allowed, "Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: x-unlisted"))
				return w.Code == 403 && denied.Code == 404 && ran+ranAnyway == 0 && unlisted.Code == 204 &&
					!strings.Contains(unlisted.Header().Get("Access-Control-Allow-Methods"), "PATCH") &&
					!strings.Contains(strings.ToLower(unlisted.Header().Get("Access-Control-Allow-Headers")), "unlisted")
			},
		},
		{
			"with authentication inside Handler, a preflight gets a 204, and a page can read a 401",
			"README.md", "**outside the router, authentication and timeouts**, as in `c.Handler(authenticate(mux))`.",
			func() bool {
				c := testkit.MustNew(t, app)
				authenticated := c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) }))
				preflight, actual := httptest.NewRecorder(), httptest.NewRecorder()
				authenticated.ServeHTTP(preflight, request("OPTIONS", allowed, "Access-Control-Request-Method: PUT"))
				authenticated.ServeHTTP(actual, request("PUT", allowed))
				return preflight.Code == 204 && actual.Code == 401 && actual.Header().Get("Access-Control-Allow-Origin") != ""
			},
		},
		{
			"SetPolicy applies to the next request, and keeps the old policy if the new one is invalid",
			"README.md", "The new policy takes effect with the next request. If it is invalid, `SetPolicy` returns an error, and the old policy stays in effect.",
			setPolicyWorks,
		},
		{
			"the module needs Go 1.25", "README.md", "Go 1.25 or later (tested with 1.25, 1.26 and 1.27)",
			func() bool { return strings.Contains(read(t, "go.mod").text, "\ngo 1.25\n") },
		},
		{
			"an actual request with an unlisted method and header runs the handler", "README.md", "`Handler` does not compare the method or the headers of an actual request with the policy.",
			func() bool {
				_, ran := serve(app, request("DELETE", allowed, "X-Unlisted: 1"))
				return ran == 1
			},
		},
		{
			"PassRejected runs the handler, except for preflights, upgrades and CONNECT",
			"README.md", "To pass those requests to your handler, set `PassRejected`. [Preflights, requests with an `Upgrade` header, and CONNECT requests]",
			func() bool {
				observing := app
				observing.PassRejected = true
				_, post := serve(observing, request("POST", stranger))
				_, preflight := serve(observing, request("OPTIONS", stranger, "Access-Control-Request-Method: PUT"))
				_, handshake := serve(observing, request("GET", stranger, "Upgrade: websocket"))
				_, connect := serve(observing, request("CONNECT", stranger))
				return post == 1 && preflight+handshake+connect == 0
			},
		},
		{
			`a policy with "*" responds only to preflights itself, and all responses have Access-Control-Allow-Origin: *`,
			"README.md", "If the policy allows every origin (`\"*\"`), preflights get a 204, and all other requests reach your handler. Every response has `Access-Control-Allow-Origin: *`. For any other policy, every response has `Vary: Origin`,",
			func() bool {
				for _, r := range []*http.Request{
					request("GET"), request("POST", stranger), request("POST", "Sec-Fetch-Site: cross-site"), request("OPTIONS", stranger, "Access-Control-Request-Method: PUT"),
				} {
					w, ran := serve(cors.Policy{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"PUT"}}, r)
					if preflight := r.Method == "OPTIONS"; (w.Code == 204) != preflight || (ran == 1) == preflight || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Vary") != "" {
						return false
					}
				}
				return true
			},
		},
		{
			"every response has Vary: Origin, unless any origin is allowed", "docs/integration.md", "Unless the policy allows every origin (`*`), `Handler` adds `Vary: Origin` to every response, even if the request has no `Origin`.",
			func() bool {
				for _, r := range []*http.Request{
					request("GET"), request("GET", allowed), request("GET", stranger), request("OPTIONS", allowed, "Access-Control-Request-Method: PUT"),
				} {
					if w, _ := serve(app, r); w.Header().Get("Vary") != "Origin" {
						return false
					}
				}
				return true
			},
		},
		{
			"a form over plain HTTP with Origin: null, or with another Host, is rejected", "README.md", "Without it, `Handler` checks that `Origin` and `Host` name the same host and port.",
			func() bool {
				_, own := serve(app, request("POST", "Origin: http://api.example.net"))
				_, null := serve(app, request("POST", "Origin: null"))
				r := request("POST", "Origin: http://api.example.net")
				r.Host = "127.0.0.1:9000"
				_, changed := serve(app, r)
				return own == 1 && null == 0 && changed == 0
			},
		},
		{
			"without Sec-Fetch-Site, a page on the same host over HTTP is same-origin",
			"docs/integration.md", "`Host` does not contain a scheme. Without `Sec-Fetch-Site`, `Handler` therefore cannot tell an HTTP page on that host from an HTTPS page",
			func() bool {
				own := "Origin: http://api.example.net"
				_, ran := serve(app, request("POST", own))
				_, ranWithSite := serve(app, request("POST", own, "Sec-Fetch-Site: cross-site"))
				return ran == 1 && ranWithSite == 0
			},
		},
		{
			"Host can have uppercase letters and a default port, which http.CrossOriginProtection rejects", "docs/integration.md", "only `Handler` ignores letter case and a default port in `Host`",
			func() bool {
				r := request("POST", "Origin: https://api.example.net")
				r.Host = "API.example.net:443"
				_, ran := serve(app, r)
				return ran == 1 && http.NewCrossOriginProtection().Check(r) != nil
			},
		},
		{
			"a request whose Origin is not allowed, malformed or repeated is rejected, unless Sec-Fetch-Site is same-origin or none",
			"docs/integration.md", "`Handler` rejects requests of any method if `Origin` is malformed, repeated or not allowed. It exempts requests from the service's own pages and some [GET and HEAD requests]",
			func() bool {
				for _, lines := range [][]string{{stranger}, {"Origin: https://"}, {allowed, stranger}} {
					for site, want := range map[string]int{"same-origin": 1, "none": 1, "same-site": 0, "cross-site": 0} {
						if _, ran := serve(app, request("GET", append(lines, "Sec-Fetch-Site: "+site)...)); ran != want {
							return false
						}
					}
				}
				return true
			},
		},
		{
			"a pattern directly under an unknown public suffix is accepted", ".github/SECURITY.md", "`New` accepts patterns under suffixes that [it does not know]",
			func() bool {
				_, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://*.ltd.uk"}, AllowCredentials: true})
				return err == nil
			},
		},
		{
			"a pattern above a suffix that only PublicSuffixes has is accepted", ".github/SECURITY.md", "if `PublicSuffixes` knows `apps.host.example`, `New` accepts `https://*.host.example`.",
			func() bool {
				p := cors.Policy{AllowCredentials: true, PublicSuffixes: appsOfHost{}}
				above, below := p, p
				above.AllowedOrigins = []string{"https://*.host.example"}
				below.AllowedOrigins = []string{"https://*.apps.host.example"}
				_, aboveErr := cors.New(above)
				_, belowErr := cors.New(below)
				return aboveErr == nil && belowErr != nil
			},
		},
		{
			"AllowOriginFunc is called only for valid origins of at most 512 bytes", "policy.go", "It is called only for valid origins of at most 512 bytes, and for \"null\"",
			func() bool {
				called := false
				p := cors.Policy{AllowOriginFunc: func(*http.Request, string) bool { called = true; return false }}
				isCalledFor := func(origin string) bool {
					called = false
					serve(p, request("GET", "Origin: "+origin))
					return called
				}
				host := strings.Repeat("a", 50) + "."
				long := "app://" + strings.Repeat(host, 10) // 516 bytes
				return isCalledFor("https://app.example.net") && !isCalledFor("https://app.example.net/") && !isCalledFor("null") && !isCalledFor(long)
			},
		},
		{
			"a request without Origin runs the handler, except a POST from another site or origin",
			"docs/integration.md", "`Handler` passes most requests without `Origin` to your handler. It rejects such a request only if its method is not GET, HEAD or OPTIONS and `Sec-Fetch-Site` has a value",
			func() bool {
				for site, want := range map[string]int{"": 1, "same-origin": 1, "none": 1, "same-site": 0, "cross-site": 0, "other": 0} {
					post, get := request("POST"), request("GET")
					if site != "" {
						post.Header.Set("Sec-Fetch-Site", site)
						get.Header.Set("Sec-Fetch-Site", site)
					}
					if _, ran := serve(app, post); ran != want {
						return false
					}
					if _, ran := serve(app, get); ran != 1 {
						return false
					}
				}
				_, ran := serve(cors.Policy{AllowedOrigins: []string{"*"}}, request("POST", "Sec-Fetch-Site: cross-site"))
				return ran == 1
			},
		},
		{
			"an OPTIONS request without Origin runs the handler", "docs/integration.md", "**OPTIONS requests without `Origin`.**",
			func() bool {
				_, ran := serve(app, request("OPTIONS", "Sec-Fetch-Site: cross-site"))
				return ran == 1
			},
		},
		{
			"a request without Origin and Sec-Fetch-Site runs the handler",
			"docs/integration.md", "**Requests that have neither `Sec-Fetch-Site` nor `Origin`.** An example is a POST over plain HTTP, if a proxy removed its `Origin`.",
			func() bool {
				_, bare := serve(app, request("POST"))
				_, crossSite := serve(app, request("POST", "Sec-Fetch-Site: cross-site"))
				return bare == 1 && crossSite == 0
			},
		},
		{
			"a form that sends Origin: null is rejected, unless Sec-Fetch-Site is same-origin",
			"docs/integration.md", "which makes the form send [`Origin: null`](blocked.md#the-origin-null).",
			func() bool {
				_, plain := serve(app, request("POST", "Origin: null"))
				_, secure := serve(app, request("POST", "Origin: null", "Sec-Fetch-Site: same-origin"))
				return plain == 0 && secure == 1
			},
		},
		{
			"https://* allows a POST from every HTTPS page", "docs/integration.md", "A pattern that matches untrusted pages, such as `https://*`, does not protect you from those pages.",
			func() bool {
				_, ran := serve(cors.Policy{AllowedOrigins: []string{"https://*"}}, request("POST", stranger, "Sec-Fetch-Site: cross-site"))
				return ran == 1
			},
		},
		{
			"SetPolicy returns an error for an invalid policy, and the old policy stays",
			"docs/integration.md", "`SetPolicy` returns an error, and the old policy stays in force.",
			setPolicyWorks,
		},
		{
			"requests for images and frames with an Origin run the handler", "docs/integration.md", "The others pass if `Sec-Fetch-Mode` is `no-cors` or `navigate`, and there is no `Upgrade` header.",
			func() bool {
				_, image := serve(app, request("GET", stranger, "Sec-Fetch-Mode: no-cors"))
				_, frame := serve(app, request("GET", stranger, "Sec-Fetch-Mode: navigate"))
				_, script := serve(app, request("GET", stranger, "Sec-Fetch-Mode: cors"))
				_, form := serve(app, request("POST", stranger, "Sec-Fetch-Mode: navigate"))
				return image == 1 && frame == 1 && script == 0 && form == 0
			},
		},
		{
			"a preflight is rejected even if Sec-Fetch-Site is same-origin", "docs/integration.md", "`Handler` passes the request to your handler, unless it is a preflight.",
			func() bool {
				w, ran := serve(app, request("OPTIONS", stranger, "Access-Control-Request-Method: PUT", "Sec-Fetch-Site: same-origin"))
				return ran == 0 && w.Code == 403
			},
		},
		{
			"over HTTP, a same-origin form runs the handler only if Host has the port of Origin", "docs/integration.md", "compares the host and port of `Origin` with `Host`.",
			func() bool {
				form := func(host string) int {
					r := request("POST", "Origin: http://shop.example:8080")
					r.Host = host
					_, ran := serve(app, r)
					return ran
				}
				return form("shop.example:8080") == 1 && form("shop.example") == 0 && form("127.0.0.1:9000") == 0
			},
		},
		{
			"with PassRejected, rejected requests run, except preflights, upgrades and CONNECT", "docs/integration.md", "passes rejected requests to your handler, with [three exceptions](migrating.md#observe-then-enforce).",
			func() bool {
				observing := app
				observing.PassRejected = true
				_, post := serve(observing, request("POST", stranger))
				_, handshake := serve(observing, request("GET", stranger, "Connection: Upgrade", "Upgrade: websocket"))
				_, connect := serve(observing, request("CONNECT", stranger))
				_, preflight := serve(observing, request("OPTIONS", stranger, "Access-Control-Request-Method: PUT"))
				return post == 1 && handshake == 0 && connect == 0 && preflight == 0
			},
		},
		{
			"the policy in JSON is valid, and a number for MaxAge is an error", "docs/integration.md", "In JSON, `MaxAge` is a duration string, such as `\"2h\"`.",
			func() bool {
				_, text, _ := strings.Cut(read(t, "docs/integration.md").text, "```json\n")
				text, _, _ = strings.Cut(text, "```")
				var p cors.Policy
				if err := json.Unmarshal([]byte(text), &p); err != nil {
					t.Fatal(err)
				}
				c, err := cors.New(p)
				return err == nil && c.Policy().MaxAge == 2*time.Hour && json.Unmarshal([]byte(`{"MaxAge": 7200}`), &p) != nil
			},
		},
		{
			"after SetPolicy, a removed origin is rejected", "docs/integration.md", "The new policy applies to all requests that arrive after the call.",
			setPolicyWorks,
		},
		{
			"the handler does not run for rejected requests and preflights, so it cannot add to their Vary",
			"docs/integration.md", "so add the names outside `Handler`",
			func() bool {
				_, rejected := serve(app, request("GET", stranger))
				_, preflight := serve(app, request("OPTIONS", allowed, "Access-Control-Request-Method: PUT"))
				return rejected == 0 && preflight == 0
			},
		},
		{
			"a request with an unlisted method and header runs the handler", "docs/integration.md", "only browsers check methods and headers",
			func() bool {
				_, ran := serve(app, request("DELETE", allowed, "X-Unlisted: 1"))
				return ran == 1
			},
		},
		{
			`responses have no Vary if AllowedOrigins is "*", but have it if AllowedOrigins is "https://*"`, "docs/integration.md", "Responses under a policy with `*` have no `Vary`",
			func() bool {
				w, _ := serve(cors.Policy{AllowedOrigins: []string{"*"}}, request("GET", allowed))
				https, _ := serve(cors.Policy{AllowedOrigins: []string{"https://*"}}, request("GET"))
				return w.Header().Get("Access-Control-Allow-Origin") == "*" && w.Header().Get("Vary") == "" && https.Header().Get("Vary") == "Origin"
			},
		},
		{
			"if httptest.NewRequest gets only a path, Check treats https://example.com as same-origin",
			"docs/blocked.md", "`httptest.NewRequest` sets `r.Host` to `example.com`",
			func() bool {
				c := testkit.MustNew(t, app)
				named, path := request("POST", "Origin: https://example.com"), httptest.NewRequest("POST", "/", nil)
				path.Header = named.Header
				return c.Check(path) == nil && c.Check(named) != nil
			},
		},
		{
			"a same-origin form with Origin: null is rejected if Sec-Fetch-Site is absent",
			"docs/blocked.md", "`Handler` accepts it only with `Sec-Fetch-Site: same-origin`",
			func() bool {
				_, plain := serve(app, request("POST", "Origin: null"))
				_, secure := serve(app, request("POST", "Origin: null", "Sec-Fetch-Site: same-origin"))
				return plain == 0 && secure == 1
			},
		},
		{
			"OnReject is not called if Origin or Access-Control-Request-Method is removed",
			"docs/blocked.md", "A proxy in front of your program removed `Origin` or `Access-Control-Request-Method`, so `Handler` did not see a CORS request.",
			func() bool {
				calls := 0
				counting := app
				counting.OnReject = func(*http.Request, *cors.RequestError) { calls++ }
				serve(counting, request("GET"))
				serve(counting, request("OPTIONS", "Origin: https://app.example.net"))
				serve(counting, request("OPTIONS"))
				return calls == 0
			},
		},
		{
			"a JSON log from OnReject has the path as one string",
			"docs/blocked.md", `"path", r.URL.Path, "referer", r.Referer()`,
			func() bool {
				var log bytes.Buffer
				logger := slog.New(slog.NewJSONHandler(&log, nil))
				logging := app
				logging.OnReject = func(r *http.Request, err *cors.RequestError) {
					logger.Warn("CORS", "error", err, "method", r.Method, "path", r.URL.Path, "referer", r.Referer())
				}
				serve(logging, request("GET", stranger))
				line := log.String()
				return strings.Contains(line, `"path":"/"`) && strings.Contains(line, `"error":"`) && strings.Count(line, "{") == 1
			},
		},
		{
			"the error for OnReject names a similar origin",
			"docs/blocked.md", "`origin \"http://app.example.com\" is not in AllowedOrigins; \"https://app.example.com\" is`",
			func() bool {
				c, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://app.example.com"}})
				if err != nil {
					t.Fatal(err)
				}
				err = c.Check(request("GET", "Origin: http://app.example.com"))
				return strings.HasSuffix(err.Error(), `origin "http://app.example.com" is not in AllowedOrigins; "https://app.example.com" is`)
			},
		},
		{
			"OnReject is not called if a script sends credentials and the policy does not allow them",
			"docs/blocked.md", "The server cannot see this, because requests do not contain the credentials mode.",
			func() bool {
				rejected := false
				strict := app
				strict.OnReject = func(*http.Request, *cors.RequestError) { rejected = true }
				w, ran := serve(strict, request("GET", allowed, "Cookie: session=1"))
				return !rejected && ran == 1 && w.Header().Get("Access-Control-Allow-Credentials") == ""
			},
		},
		{
			"Check compares methods and headers only in preflights",
			"docs/blocked.md", "`Check` compares methods and headers only in preflights.",
			func() bool {
				c := testkit.MustNew(t, app)
				return c.Check(request("DELETE", allowed, "X-Id: 1")) == nil && c.Check(request("OPTIONS", allowed, "Access-Control-Request-Method: DELETE")) != nil
			},
		},
		{
			`a policy with "*" or "https://*" allows a WebSocket handshake from every HTTPS page, and a policy that lists origins does not`,
			"docs/integration.md", "A policy that allows every origin (`*`) rejects no handshake, and `https://*` rejects none from HTTPS pages.",
			func() bool {
				handshake := request("GET", stranger, "Connection: Upgrade", "Upgrade: websocket")
				_, anyOrigin := serve(cors.Policy{AllowedOrigins: []string{"*"}}, handshake)
				_, https := serve(cors.Policy{AllowedOrigins: []string{"https://*"}}, handshake)
				_, listed := serve(app, handshake)
				return anyOrigin == 1 && https == 1 && listed == 0
			},
		},
		{
			"DenyHandler serves rejected requests and preflights",
			"docs/migrating.md", "The old middleware then responds to rejected requests.",
			func() bool {
				old := app
				old.DenyHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin")) // as the old package did
				})
				servedAsBefore := func(method string, header ...string) bool {
					w, ran := serve(old, request(method, append(header, stranger)...))
					return ran == 0 && w.Code == 200 && w.Header().Get("Access-Control-Allow-Origin") == "https://evil.example"
				}
				return servedAsBefore("POST") && servedAsBefore("OPTIONS", "Access-Control-Request-Method: PUT")
			},
		},
		{
			`with AllowCredentials, a preflight response lists the requested method and headers instead of "*"`,
			"docs/migrating.md", "the response lists the requested method or headers instead of `*`.",
			func() bool {
				echoing := app
				echoing.AllowCredentials = true
				echoing.AllowedMethods, echoing.AllowedHeaders = []string{"*"}, []string{"*"}
				w, ran := serve(echoing, request("OPTIONS", allowed, "Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: x-id"))
				return ran == 0 && w.Header().Get("Access-Control-Allow-Methods") == "PATCH" && w.Header().Get("Access-Control-Allow-Headers") == "x-id"
			},
		},
		{
			"with AllowCredentials, a pattern for the subdomains of a single label or of a well-known suffix is refused, unless the risk is accepted",
			"docs/comparison.md", "it recognizes only top-level domains, and the well-known suffixes in its own list.",
			func() bool {
				for _, pattern := range []string{"https://*.com", "https://*.unknown", "https://*.github.io"} {
					p := cors.Policy{AllowedOrigins: []string{pattern}, AllowCredentials: true}
					_, err := cors.New(p)
					p.AcceptRisks = cors.RiskPublicSuffix
					if _, accepted := cors.New(p); err == nil || accepted != nil {
						return false
					}
				}
				return true
			},
		},
		{
			"with PassRejected, the handler runs for rejected requests, except preflights, handshakes and CONNECT",
			"docs/migrating.md", "With `PassRejected`, your handler also runs for rejected requests. As in most packages, the responses to rejected requests have no CORS headers.",
			func() bool {
				reported := 0
				observing := app
				observing.PassRejected = true
				observing.OnReject = func(*http.Request, *cors.RequestError) { reported++ }
				post, ran := serve(observing, request("POST", stranger))
				_, preflightRan := serve(observing, request("OPTIONS", stranger, "Access-Control-Request-Method: PUT"))
				_, handshakeRan := serve(observing, request("GET", stranger, "Upgrade: websocket"))
				connect := request("GET", stranger)
				connect.Method = http.MethodConnect
				_, connectRan := serve(observing, connect)
				return ran == 1 && preflightRan+handshakeRan+connectRan == 0 && reported == 4 && post.Header().Get("Access-Control-Allow-Origin") == ""
			},
		},
		{
			"with PassRejected, rejected preflights, handshakes and CONNECT requests get a 403",
			"docs/migrating.md", "`PassRejected` does not apply to preflights, to requests with an `Upgrade` header, or to the method CONNECT. If the policy rejects such a request, your handler does not run.",
			func() bool {
				observing := app
				observing.PassRejected = true
				for _, r := range []*http.Request{
					request("OPTIONS", stranger, "Access-Control-Request-Method: PUT"), request("GET", stranger, "Upgrade: websocket"), request("CONNECT", stranger),
				} {
					if w, ran := serve(observing, r); w.Code != 403 || ran != 0 {
						return false
					}
				}
				return true
			},
		},
		{
			"with StripHeaders, a header that an upstream also sets has one value", "docs/integration.md", "Remove the upstream's CORS headers with `StripHeaders`",
			func() bool {
				c := testkit.MustNew(t, app)
				w := httptest.NewRecorder()
				c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					upstream := http.Header{"Access-Control-Allow-Origin": {"*"}, "Etag": {"1"}}
					cors.StripHeaders(upstream)
					for name, values := range upstream {
						w.Header()[name] = append(w.Header()[name], values...)
					}
				})).ServeHTTP(w, request("GET", allowed))
				return slices.Equal(w.Header()["Access-Control-Allow-Origin"], []string{"https://app.example.net"}) && w.Header().Get("Etag") == "1"
			},
		},
		{
			"patterns for preview deployments that anyone can match are refused with AllowCredentials, and the remedies are accepted",
			"docs/recipes.md", "refuses `https://proj-*-team.vercel.app`, because anyone can deploy a page with a matching origin",
			func() bool {
				refused := func(pattern string, credentials bool, risk cors.Risk) bool {
					_, err := cors.New(cors.Policy{AllowedOrigins: []string{pattern}, AllowCredentials: credentials, AcceptRisks: risk})
					return err != nil
				}
				for _, pattern := range []string{"https://proj-*-team.vercel.app", "https://*--proj.netlify.app"} {
					if !refused(pattern, true, 0) || refused(pattern, false, 0) || refused(pattern, true, cors.RiskPublicSuffix) {
						return false
					}
				}
				return !refused("https://*.preview.example.com", true, 0)
			},
		},
		{
			`New refuses names that contain "*" and misspelled methods, and only "*" allows them`,
			"docs/advice.md", "`cors.New` refuses a policy that lists a method or header with `*` in its name, or a misspelled method such as `OPTION`. Only the entry `\"*\"` allows such names.",
			func() bool {
				for _, p := range []cors.Policy{
					{AllowedMethods: []string{"p*t"}}, {AllowedHeaders: []string{"X-*d"}}, {AllowedMethods: []string{"OPTION"}},
				} {
					if _, err := cors.New(p); err == nil {
						return false
					}
				}
				c, err := cors.New(cors.Policy{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}})
				if err != nil {
					return false
				}
				for _, method := range []string{"p*t", "OPTION"} {
					if c.Check(request("OPTIONS", allowed, "Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: x-*d")) != nil {
						return false
					}
				}
				return true
			},
		},
		{
			"AllowOriginFunc allows listed deployments with credentials",
			"docs/recipes.md", "`AllowOriginFunc`, as below, with `AllowCredentials`",
			func() bool {
				listing := app
				listing.AllowCredentials = true
				listing.AllowOriginFunc = func(_ *http.Request, origin string) bool { return origin == "https://proj-1-team.vercel.app" }
				w, ran := serve(listing, request("GET", "Origin: https://proj-1-team.vercel.app"))
				_, strangerRan := serve(listing, request("GET", "Origin: https://proj-evil-team.vercel.app"))
				return ran == 1 && w.Header().Get("Access-Control-Allow-Credentials") == "true" && strangerRan == 0
			},
		},
		{
			"if a provider changes Host, requests from a preview are same-origin only by Sec-Fetch-Site",
			"docs/recipes.md", "`Handler` relies on `Sec-Fetch-Site` to recognize same-origin requests",
			func() bool {
				preview := "Origin: https://proj-1-team.vercel.app"
				_, post := serve(app, request("POST", preview, "Sec-Fetch-Site: same-origin"))
				_, handshake := serve(app, request("GET", preview, "Connection: Upgrade", "Upgrade: websocket"))
				return post == 1 && handshake == 0
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !row.isTrue() {
				t.Error("this is not true")
			}
			read(t, row.page).need(t, row.words)
		})
	}
}

// appsOfHost is a public suffix list that has apps.host.example.
type appsOfHost struct{}

func (appsOfHost) String() string { return "a list with one suffix" }

func (appsOfHost) PublicSuffix(domain string) string {
	if strings.HasSuffix("."+domain, ".apps.host.example") {
		return "apps.host.example"
	}
	return domain[strings.LastIndexByte(domain, '.')+1:]
}
