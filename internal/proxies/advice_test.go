//go:build unix

package proxies

import (
	"context"
	"io"
	"net"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

// own is the page that the service itself serves.
const own = "own"

// An adviceRow is an example of docs/advice.md, and a request that produces it. The
// configuration for the path is in the file advice.conf of the proxy.
type adviceRow struct {
	path, response string
	page           string // origin of the page; the default is in the row
	before         string // page that requests the URL first, if not empty
	cookie         int    // length of the browser's cookie
}

// adviceRows has the rows that each proxy produces.
var adviceRows = map[string][]adviceRow{
	"nginx": {
		{path: "/advice/host/unlisted", response: "The `POST` request from a page on `https://api.example.com` gets 403 with the body `cross-origin request rejected: …`.", page: own},
		{path: "/advice/host/protected", response: "The `POST` request from a page on `https://api.example.com` gets 403 with the body `cross-origin request detected …`.", page: own},
		{path: "/advice/options/unlisted", response: "After a successful preflight, the request gets 403 with the body `cross-origin request rejected: …`."},
		{path: "/advice/cache/listed", response: "The request gets 403 with `X-Cache: HIT`, `Vary: Origin` and `Cache-Control: no-store`, and the body `cross-origin request rejected: …`.", before: rogue},
		{path: "/advice/cache-control/listed", response: "The request gets 403 with `X-Cache: HIT` and `Vary: Origin`, and the body `cross-origin request rejected: …`.", before: rogue},
		{path: "/advice/no-origin/listed", response: "The `POST` request gets 403 with the body `cross-site request rejected: …`."},

		{path: "/advice/no-allow/listed", response: "The preflight gets 204 with `Vary: Origin`."},
		{path: "/advice/down-admin/", response: "The preflight gets 502 with `Vary: Origin`."},
		{path: "/advice/password/listed", response: "The preflight gets 401."},
		{path: "/advice/closed/", response: "The preflight gets 403."},
		{path: "/advice/get-only/listed", response: "The preflight gets 403."},
		{path: "/advice/files/", response: "The preflight gets 405."},
		{path: "/advice/routed", response: "The preflight gets 405 with `Allow: GET` and `Server: nginx`."},
		{path: "/advice/options-bare/listed", response: "The preflight gets 204."},
		{path: "/advice/star-always/routed", response: "The preflight gets 405 with `Access-Control-Allow-Origin: *`."},
		{path: "/advice/no-method/listed-routed", response: "The preflight gets 405 with `Access-Control-Allow-Origin: *`."},
		{path: "http://api.example.com/advice/tls/", response: "The preflight gets 301 with `Location: /items/`."},
		{path: "/advice/slash", response: "The preflight gets 301 with `Location: /items/`."},
		{path: "/advice/login/", response: "The preflight gets 302 with `Location: https://login.example.com/`."},
		{path: "/advice/down/", response: "The preflight gets 502."},
		{path: "/advice/limit/listed", response: "The preflight gets 429.", before: app},

		{path: "/advice/map/bare", response: "The request gets 200 with `Server: nginx`."},
		{path: "/advice/outer/inner/bare", response: "The request gets 200 with `Server: nginx`."},
		{path: "/advice/options/passed", response: "After a successful preflight, the request gets 200 with `Vary: Origin`."},
		{path: "/advice/no-origin/absent", response: "The request gets 404 with `Vary: Origin`."},
		{path: "/advice/closed/", response: "The request gets 403."},
		{path: "/advice/star/bare-absent", response: "The request gets 404 with `Server: nginx`."},
		{path: "/advice/size/listed", response: "The `POST` request gets 413."},
		{path: "/advice/bare", response: "The request with credentials gets 400 with the body `… Request Header Or Cookie Too Large`.", cookie: 10_000},
		{path: "/advice/down/", response: "The request gets 502."},
		{path: "/advice/down-admin/", response: "The request gets 502 with `Vary: Origin`."},
		{path: "/advice/slow/slow", response: "The request gets 504."},
		{path: "/advice/login/", response: "The request gets 302 with `Location: https://login.example.com/`."},
		{path: "/advice/login-varies/", response: "The request gets 302 with `Location: https://login.example.com/` and `Vary: Origin`."},
		{path: "/advice/password-varies/listed", response: "The request gets 401 with `Vary: Origin` and `WWW-Authenticate: Basic`."},
		{path: "/advice/elsewhere/", response: "After a redirect from another server, the request gets 200."},
		{path: "/advice/page/", response: "The request gets 200 with `Content-Type: text/html`."},

		{path: "/advice/star/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Origin: https://app.example.com`."},
		{path: "/advice/fixed/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: http://localhost:3000`."},
		{path: "/advice/cache/unlisted", response: "The request gets 200 with `X-Cache: HIT`, `Vary: Origin` and `Access-Control-Allow-Origin: https://admin.example.com`.", before: admin},
		{path: "/advice/pattern/bare", response: "The request gets 200 with `Access-Control-Allow-Origin: https://*.example.com`."},
		{path: "/advice/list/bare", response: "The request gets 200 with `Access-Control-Allow-Origin: https://*.example.com`."},
		{path: "/advice/one-slash/bare", response: "The request gets 200 with `Access-Control-Allow-Origin: https://app.example.com/`."},
		{path: "/advice/star-always/bare", response: "The request with credentials gets 200 with `Access-Control-Allow-Origin: *`."},
		{path: "/advice/one/bare", response: "The request with credentials gets 200 with `Access-Control-Allow-Origin: https://app.example.com`."},
		{path: "/advice/one/bare", response: "The `POST` request with credentials gets 200 with `Access-Control-Allow-Origin: https://app.example.com`."},

		{path: "/advice/options-star/listed", response: "The preflight for the method `PUT` gets 204 with `Access-Control-Allow-Origin: *`."},
		{path: "/advice/options-star/listed", response: "The preflight for the header `X-Id` gets 204 with `Access-Control-Allow-Origin: *`."},
		{path: "/advice/options-spaces/listed", response: "The preflight for the method `PUT` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Methods: GET PUT`."},
		{path: "/advice/no-method/listed", response: "The preflight for the method `PUT` gets 200 with `Access-Control-Allow-Origin: *`."},
		{path: "/advice/no-method/listed", response: "The preflight for the header `X-Id` gets 200 with `Access-Control-Allow-Origin: *`."},

		{path: "/advice/closed/", response: "The WebSocket handshake gets 403."},
		{path: "/advice/password/listed", response: "The WebSocket handshake gets 401."},
		{path: "/advice/no-upgrade/socket", response: "The WebSocket handshake gets 426."},
		{path: "/advice/page/", response: "The WebSocket handshake gets 200."},
		{path: "/advice/down/", response: "The WebSocket handshake gets 502."},
		{path: "/advice/login/", response: "The WebSocket handshake gets 302 with `Location: /login`."},
		{path: "http://api.example.com/advice/tls/", response: "The WebSocket handshake gets 301 with `Location: https://api.example.com/items`."},

		{path: "/advice/no-vary/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: https://app.example.com` and `Vary: Accept`."},
	},
	"apache": {
		{path: "/advice/bare", response: "The request with credentials gets 400 with the body `… Request Header Or Cookie Too Large`.", cookie: 10_000},
		{path: "/advice/no-origin/listed", response: "The `POST` request gets 403 with the body `cross-site request rejected: …`."},
		{path: "/advice/password/listed", response: "The preflight gets 401."},
		{path: "/advice/closed/", response: "The preflight gets 403."},
		{path: "/advice/down/", response: "The preflight gets 503."},
		{path: "/advice/size/listed", response: "The `POST` request gets 413."},
		{path: "/advice/slow/slow", response: "The request gets 502."},
		{path: "/advice/login/", response: "The preflight gets 302 with `Location: https://login.example.com/`."},
		{path: "/advice/login/", response: "The request gets 302 with `Location: https://login.example.com/`."},
		{path: "/advice/cache/bare", response: "The request gets 200 with `Age: 60`.", before: admin},
		{path: "/advice/star/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Origin: https://app.example.com`."},
		{path: "/advice/star/routed", response: "The preflight gets 405 with `Access-Control-Allow-Origin: *`."},
		{path: "/advice/variable/bare", response: "The request gets 200 with `Access-Control-Allow-Origin: `."},
		{path: "/advice/no-vary/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: https://app.example.com` and `Vary: Accept`."},
	},
	"haproxy": {
		{path: "/advice/no-origin/listed", response: "The `POST` request gets 403 with the body `cross-site request rejected: …`."},
		{path: "/advice/password/listed", response: "The preflight gets 401."},
		{path: "/advice/challenge/", response: "The preflight gets 403 with `WWW-Authenticate: Basic`."},
		{path: "/advice/closed/", response: "The preflight gets 403."},
		{path: "/advice/options/listed", response: "The preflight gets 200."},
		{path: "/advice/nobody/", response: "The preflight gets 503."},
		{path: "/advice/aborted", response: "The preflight gets 502."},
		{path: "/advice/limit/", response: "The preflight gets 429."},
		{path: "/advice/provider/", response: "The preflight gets 302 with `Location: https://login.example.com/`."},
		{path: "/advice/closed/", response: "The request gets 403."},
		{path: "/advice/nobody/", response: "The request gets 503."},
		{path: "/advice/limit/", response: "The request gets 429."},
		{path: "/advice/size/listed", response: "The `POST` request gets 413."},
		{path: "/advice/aborted", response: "The request gets 502."},
		{path: "/advice/slow/slow", response: "The request gets 504."},
		{path: "/advice/login/", response: "The request gets 302 with `Location: /login`."},
		{path: "/advice/provider/", response: "The request gets 302 with `Location: https://login.example.com/`."},
		{path: "/advice/star/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Origin: https://app.example.com`."},
		{path: "/advice/fixed/listed", response: "After a successful preflight, the request gets 200 with `Access-Control-Allow-Origin: http://localhost:3000`."},
		{path: "/advice/fixed/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: http://localhost:3000`."},
		{path: "/advice/variable/bare", response: "The request gets 200 with `Access-Control-Allow-Origin: `."},
		{path: "/advice/password/listed", response: "The WebSocket handshake gets 401."},
		{path: "/advice/challenge/", response: "The WebSocket handshake gets 403 with `WWW-Authenticate: Basic`."},
		{path: "/advice/page/", response: "The WebSocket handshake gets 200."},
		{path: "/advice/login/", response: "The WebSocket handshake gets 302 with `Location: /login`."},
	},
	"varnish": {
		{path: "/advice/no-origin/listed", response: "The `POST` request gets 403 with the body `cross-site request rejected: …`."},
		{path: "/advice/closed/", response: "The preflight gets 403."},
		{path: "/advice/options/listed", response: "The preflight gets 204."},
		{path: "/advice/down/", response: "The preflight gets 503."},
		{path: "/advice/bare-absent", response: "The request gets 404 with `Via: 1.1 varnish`."},
		{path: "/advice/size/listed", response: "The `POST` request gets 413."},
		{path: "/advice/bare", response: "The request gets 200 with `Age: 60`.", before: admin},
		{path: "/advice/no-vary/unlisted", response: "The request gets 200 with `Age: 60`.", before: admin},
		{path: "/advice/star/listed", response: "The request with credentials gets 200 with `Access-Control-Allow-Origin: *`."},
		{path: "/advice/star/bare", response: "The request with credentials gets 200 with `Access-Control-Allow-Origin: *` and `Age: 60`.", before: admin},
		{path: "/advice/variable/bare", response: "The request gets 200 with `Access-Control-Allow-Origin: `."},
	},
	"caddy": {
		{path: "/advice/no-origin/listed", response: "The `POST` request gets 403 with the body `cross-site request rejected: …`."},
		{path: "/advice/password/listed", response: "The preflight gets 401."},
		{path: "/advice/closed/", response: "The preflight gets 403."},
		{path: "/advice/options/listed", response: "The preflight gets 204."},
		{path: "/advice/down/", response: "The preflight gets 502."},
		{path: "/advice/down/", response: "The request gets 502."},
		{path: "/advice/slow/slow", response: "The request gets 504."},
		{path: "/advice/login/", response: "The request gets 302 with `Location: /login`."},
		{path: "/advice/provider/", response: "The request gets 302 with `Location: https://login.example.com/`."},
		{path: "/advice/star/listed", response: "The request gets 200 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Origin: https://app.example.com`."},
		{path: "/advice/variable/bare", response: "The request gets 200 with `Access-Control-Allow-Origin: `."},
		{path: "/advice/login/", response: "The WebSocket handshake gets 302 with `Location: /login`."},
	},
}

// adviceServices returns the services behind the paths of adviceRows. The last
// part of a path is the name of the service.
func adviceServices(t *testing.T) http.Handler {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "ok")
	})
	routed := http.NewServeMux()
	routed.Handle("GET /", ok)
	listed := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{app}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"X-Id"}})
	services := map[string]http.Handler{
		"bare":          ok,
		"bare-absent":   http.NotFoundHandler(),
		"routed":        routed,
		"listed":        listed.Handler(ok),
		"listed-routed": listed.Handler(routed),
		"absent":        listed.Handler(http.NotFoundHandler()),
		"socket":        listed.Handler(http.HandlerFunc(socket)),
		"unlisted":      testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{admin}}).Handler(ok),
		"protected":     http.NewCrossOriginProtection().Handler(ok),
		"passed":        testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{admin}, PassRejected: true}).Handler(ok),
		"aborted":       http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"slow":          http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := services[path.Base(r.URL.Path)]
		if service == nil {
			t.Errorf("no service has the path %s", r.URL.Path)
			return
		}
		service.ServeHTTP(w, r)
	})
}

// TestAdviceOnProxies produces examples of docs/advice.md with each proxy.
func TestAdviceOnProxies(t *testing.T) {
	if len(adviceRows) != len(all) {
		t.Errorf("adviceRows has %d proxies, want %d", len(adviceRows), len(all))
	}
	for _, p := range all {
		if len(adviceRows[p.name]) == 0 {
			t.Errorf("adviceRows lacks %s", p.name)
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.need(t)
			b := newBench(t, p)
			r := b.start(t, b.with(t, site{}, p.advice))
			transport := r.transport("http/1.1")
			transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if addr == "api.example.com:80" {
					addr = r.http
				}
				return new(net.Dialer).DialContext(ctx, network, addr)
			}
			for _, row := range adviceRows[p.name] {
				t.Run(row.path+" "+row.response, func(t *testing.T) {
					url, page := row.path, row.page
					if url[0] == '/' {
						url = "http://" + r.http + url
					}
					if page == own {
						page = "http://" + r.http
					}
					if row.before != "" {
						(&corstest.Browser{Transport: transport}).Fetch(row.before, corstest.Request{URL: url})
					}
					b := corstest.Browser{Transport: transport, Cookie: strings.Repeat("x", row.cookie)}
					testkit.CheckAdvice(t, &b, row.response, page, url)
				})
			}
		})
	}
}
