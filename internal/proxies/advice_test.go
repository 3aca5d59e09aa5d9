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

// An adviceRow is a row of docs/blocked.md, and a request that produces it. The
// configuration for the path is in the file advice.conf of the proxy.
type adviceRow struct {
	path, response string
	page           string // "" for the page in the row
	before         string // page that requests the URL first; "" for none
	cookie         int    // length of the browser's cookie
}

// adviceRows has the rows that each proxy produces.
var adviceRows = map[string][]adviceRow{
	"nginx": {
		{path: "/advice/host/unlisted", response: "request for `POST` of `https://api.example.com`: 403 `cross-origin request rejected: …`", page: own},
		{path: "/advice/options/unlisted", response: "request after a preflight: 403 `cross-origin request rejected: …`"},
		{path: "/advice/cache/listed", response: "request: 403 `X-Cache: HIT` `Vary: Origin` `Cache-Control: no-store` `cross-origin request rejected: …`", before: rogue},
		{path: "/advice/cache-control/listed", response: "request: 403 from an older version of this package, which did not send `no-store`: `X-Cache: HIT` `Vary: Origin` `cross-origin request rejected: …`", before: rogue},
		{path: "/advice/no-origin/listed", response: "request for `POST`: 403 `cross-site request rejected: …`"},

		{path: "/advice/no-allow/listed", response: "preflight: 204 or 404 `Vary: Origin`"},
		{path: "/advice/down-admin/", response: "preflight: 502 `Vary: Origin`"},
		{path: "/advice/password/listed", response: "preflight: 401 or 407, or 403 `WWW-Authenticate: Basic`"},
		{path: "/advice/closed/", response: "preflight: 403"},
		{path: "/advice/get-only/listed", response: "preflight: 403"},
		{path: "/advice/files/", response: "preflight: 405"},
		{path: "/advice/routed", response: "preflight: 405 `Allow: GET` `Server: nginx`"},
		{path: "/advice/options-bare/listed", response: "preflight: 200 or 204"},
		{path: "/advice/star-always/routed", response: "preflight: 405 `Access-Control-Allow-Origin: *`"},
		{path: "/advice/no-method/listed-routed", response: "preflight: 405 `Access-Control-Allow-Origin: *`"},
		{path: "http://api.example.com/advice/tls/", response: "preflight: 301 or 307 `Location: /items/`"},
		{path: "/advice/slash", response: "preflight: 301 or 307 `Location: /items/`"},
		{path: "/advice/login/", response: "preflight: 302 `Location: https://login.example.com/`"},
		{path: "/advice/down/", response: "preflight: 502"},
		{path: "/advice/limit/listed", response: "preflight: 429", before: app},

		{path: "/advice/map/bare", response: "request: 200 `Server: nginx`"},
		{path: "/advice/options/passed", response: "request after a preflight: 200 `Vary: Origin`"},
		{path: "/advice/no-origin/absent", response: "request: 404 `Vary: Origin`"},
		{path: "/advice/closed/", response: "request: 403"},
		{path: "/advice/star/bare-absent", response: "request: 404 `Server: nginx`"},
		{path: "/advice/size/listed", response: "request for `POST`: 413"},
		{path: "/advice/bare", response: "request with credentials: 400 `… Request Header Or Cookie Too Large`", cookie: 10_000},
		{path: "/advice/down/", response: "request: 502"},
		{path: "/advice/down-admin/", response: "request: 502 `Vary: Origin`"},
		{path: "/advice/slow/slow", response: "request: 504"},
		{path: "/advice/login/", response: "request: 302 `Location: https://login.example.com/`"},
		{path: "/advice/elsewhere/", response: "request after a redirect: 200"},
		{path: "/advice/cache/bare", response: "request: 200 `Age: 60`", before: admin},

		{path: "/advice/star/listed", response: "request: 200 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Origin: https://app.example.com`"},
		{path: "/advice/fixed/listed", response: "request: 200 `Access-Control-Allow-Origin: http://localhost:3000`"},
		{path: "/advice/cache/unlisted", response: "request: 200 `X-Cache: HIT` `Vary: Origin` `Access-Control-Allow-Origin: https://admin.example.com`", before: admin},
		{path: "/advice/pattern/bare", response: "request: 200 `Access-Control-Allow-Origin: https://*.example.com`"},
		{path: "/advice/list/bare", response: "request: 200 `Access-Control-Allow-Origin: https://*.example.com`"},
		{path: "/advice/one-slash/bare", response: "request: 200 `Access-Control-Allow-Origin: https://app.example.com/`"},
		{path: "/advice/star-always/bare", response: "request with credentials: 200 `Access-Control-Allow-Origin: *`"},
		{path: "/advice/one/bare", response: "request with credentials: 200 `Access-Control-Allow-Origin: https://app.example.com`"},
		{path: "/advice/one/bare", response: "request for `POST` with credentials: 200 `Access-Control-Allow-Origin: https://app.example.com`"},

		{path: "/advice/options-star/listed", response: "preflight for `PUT`: 204 `Access-Control-Allow-Origin: *`"},
		{path: "/advice/options-star/listed", response: "preflight for `X-Id`: 204 `Access-Control-Allow-Origin: *`"},
		{path: "/advice/options-spaces/listed", response: "preflight for `PUT`: 204 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Methods: GET PUT`"},
		{path: "/advice/no-method/listed", response: "preflight for `PUT`: 200 `Access-Control-Allow-Origin: *`"},
		{path: "/advice/no-method/listed", response: "preflight for `X-Id`: 200 `Access-Control-Allow-Origin: *`"},

		{path: "/advice/closed/", response: "handshake: 403"},
		{path: "/advice/password/listed", response: "handshake: 401"},
		{path: "/advice/no-upgrade/socket", response: "handshake: 400, 404 or 426"},
		{path: "/advice/page/", response: "handshake: 200"},
		{path: "/advice/login/", response: "handshake: 302 `Location: /login`"},

		{path: "/advice/no-vary/listed", response: "request: 200 `Access-Control-Allow-Origin: https://app.example.com` `Vary: Accept`"},
	},
	"apache": {
		{path: "/advice/bare", response: "request with credentials: 400 `… Request Header Or Cookie Too Large`", cookie: 10_000},
		{path: "/advice/no-origin/listed", response: "request for `POST`: 403 `cross-site request rejected: …`"},
		{path: "/advice/password/listed", response: "preflight: 401 or 407, or 403 `WWW-Authenticate: Basic`"},
		{path: "/advice/closed/", response: "preflight: 403"},
		{path: "/advice/down/", response: "preflight: 500 or 503"},
		{path: "/advice/size/listed", response: "request for `POST`: 413"},
		{path: "/advice/slow/slow", response: "request: 502"},
		{path: "/advice/login/", response: "preflight: 302 `Location: https://login.example.com/`"},
		{path: "/advice/login/", response: "request: 302 `Location: https://login.example.com/`"},
		{path: "/advice/cache/bare", response: "request: 200 `Age: 60`", before: admin},
		{path: "/advice/star/listed", response: "request: 200 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Origin: https://app.example.com`"},
		{path: "/advice/star/routed", response: "preflight: 405 `Access-Control-Allow-Origin: *`"},
		{path: "/advice/variable/bare", response: "request: 200 `Access-Control-Allow-Origin: `"},
		{path: "/advice/no-vary/listed", response: "request: 200 `Access-Control-Allow-Origin: https://app.example.com` `Vary: Accept`"},
	},
	"haproxy": {
		{path: "/advice/no-origin/listed", response: "request for `POST`: 403 `cross-site request rejected: …`"},
		{path: "/advice/password/listed", response: "preflight: 401 or 407, or 403 `WWW-Authenticate: Basic`"},
		{path: "/advice/closed/", response: "preflight: 403"},
		{path: "/advice/options/listed", response: "preflight: 200 or 204"},
		{path: "/advice/nobody/", response: "preflight: 500 or 503"},
		{path: "/advice/aborted", response: "preflight: 502"},
		{path: "/advice/limit/", response: "preflight: 429"},
		{path: "/advice/provider/", response: "preflight: 302 `Location: https://login.example.com/`"},
		{path: "/advice/closed/", response: "request: 403"},
		{path: "/advice/limit/", response: "request: 429"},
		{path: "/advice/size/listed", response: "request for `POST`: 413"},
		{path: "/advice/aborted", response: "request: 502"},
		{path: "/advice/slow/slow", response: "request: 504"},
		{path: "/advice/login/", response: "request: 302 `Location: /login`"},
		{path: "/advice/provider/", response: "request: 302 `Location: https://login.example.com/`"},
		{path: "/advice/star/listed", response: "request: 200 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Origin: https://app.example.com`"},
		{path: "/advice/fixed/listed", response: "request after a preflight: 200 `Access-Control-Allow-Origin: http://localhost:3000`"},
		{path: "/advice/fixed/listed", response: "request: 200 `Access-Control-Allow-Origin: http://localhost:3000`"},
		{path: "/advice/variable/bare", response: "request: 200 `Access-Control-Allow-Origin: `"},
		{path: "/advice/password/listed", response: "handshake: 401"},
		{path: "/advice/page/", response: "handshake: 200"},
		{path: "/advice/login/", response: "handshake: 302 `Location: /login`"},
	},
	"varnish": {
		{path: "/advice/no-origin/listed", response: "request for `POST`: 403 `cross-site request rejected: …`"},
		{path: "/advice/closed/", response: "preflight: 403"},
		{path: "/advice/options/listed", response: "preflight: 200 or 204"},
		{path: "/advice/down/", response: "preflight: 500 or 503"},
		{path: "/advice/bare-absent", response: "request: 404 `Via: 1.1 varnish`"},
		{path: "/advice/size/listed", response: "request for `POST`: 413"},
		{path: "/advice/bare", response: "request: 200 `Age: 60`", before: admin},
		{path: "/advice/no-vary/unlisted", response: "request: 200 `Age: 60`", before: admin},
		{path: "/advice/star/listed", response: "request with credentials: 200 `Access-Control-Allow-Origin: *`"},
		{path: "/advice/variable/bare", response: "request: 200 `Access-Control-Allow-Origin: `"},
	},
	"caddy": {
		{path: "/advice/no-origin/listed", response: "request for `POST`: 403 `cross-site request rejected: …`"},
		{path: "/advice/password/listed", response: "preflight: 401 or 407, or 403 `WWW-Authenticate: Basic`"},
		{path: "/advice/closed/", response: "preflight: 403"},
		{path: "/advice/options/listed", response: "preflight: 200 or 204"},
		{path: "/advice/down/", response: "preflight: 502"},
		{path: "/advice/down/", response: "request: 502"},
		{path: "/advice/slow/slow", response: "request: 504"},
		{path: "/advice/login/", response: "request: 302 `Location: /login`"},
		{path: "/advice/provider/", response: "request: 302 `Location: https://login.example.com/`"},
		{path: "/advice/star/listed", response: "request: 200 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Origin: https://app.example.com`"},
		{path: "/advice/variable/bare", response: "request: 200 `Access-Control-Allow-Origin: `"},
		{path: "/advice/login/", response: "handshake: 302 `Location: /login`"},
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

// TestAdviceOnProxies produces rows of docs/blocked.md with each proxy.
func TestAdviceOnProxies(t *testing.T) {
	for _, p := range all {
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
