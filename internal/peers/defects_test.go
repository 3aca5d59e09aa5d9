package peers_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	chicors "github.com/go-chi/cors"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	fibercors "github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v5"
	echomiddleware "github.com/labstack/echo/v5/middleware"
	rscors "github.com/rs/cors"
)

// A setup is the part of a configuration that differs between rows. The methods
// and request headers below are the same for all.
type setup struct {
	origins     []string
	credentials bool
	defaults    bool // no methods and headers are set
}

func (s *setup) methods() []string {
	if s.defaults {
		return nil
	}
	return listedMethods
}

func (s *setup) headers() []string {
	if s.defaults {
		return nil
	}
	return listedHeaders
}

var (
	listedMethods = []string{"GET", "POST", "PUT", "DELETE"}
	listedHeaders = []string{"Authorization", "X-Request-Id"}

	ordinary = setup{origins: []string{"https://app.example.com"}}
)

// A peer is a CORS middleware, configured as its documentation shows.
type peer struct {
	name   string
	module string // its path in go.mod, or "" for this one

	// wrap puts the middleware in front of next. If s is nil, it adds only the
	// framework, which shows the cost of the framework alone.
	wrap func(s *setup, next http.Handler) (http.Handler, error)
}

var peers = []peer{
	{"rs/cors", "github.com/rs/cors", func(s *setup, next http.Handler) (http.Handler, error) {
		if s == nil {
			return next, nil
		}
		return rscors.New(rscors.Options{
			AllowedOrigins:   s.origins,
			AllowedMethods:   s.methods(),
			AllowedHeaders:   s.headers(),
			AllowCredentials: s.credentials,
		}).Handler(next), nil
	}},
	{"go-chi/cors", "github.com/go-chi/cors", func(s *setup, next http.Handler) (http.Handler, error) {
		if s == nil {
			return next, nil
		}
		return chicors.Handler(chicors.Options{
			AllowedOrigins:   s.origins,
			AllowedMethods:   s.methods(),
			AllowedHeaders:   s.headers(),
			AllowCredentials: s.credentials,
		})(next), nil
	}},
	{"gorilla/handlers", "github.com/gorilla/handlers", func(s *setup, next http.Handler) (http.Handler, error) {
		if s == nil {
			return next, nil
		}
		var options []handlers.CORSOption
		if s.origins != nil {
			options = append(options, handlers.AllowedOrigins(s.origins))
		}
		if !s.defaults {
			options = append(options, handlers.AllowedMethods(listedMethods), handlers.AllowedHeaders(listedHeaders))
		}
		if s.credentials {
			options = append(options, handlers.AllowCredentials())
		}
		return handlers.CORS(options...)(next), nil
	}},
	{"gin-contrib/cors", "github.com/gin-contrib/cors", func(s *setup, next http.Handler) (http.Handler, error) {
		engine := newEngine()
		if s != nil {
			config := gincors.Config{
				AllowOrigins:     s.origins,
				AllowMethods:     s.methods(),
				AllowHeaders:     s.headers(),
				AllowCredentials: s.credentials,
				AllowWildcard:    true,
			}
			if err := config.Validate(); err != nil {
				return nil, err
			}
			engine.Use(gincors.New(config))
		}
		engine.Any("/*path", gin.WrapH(next))
		return engine, nil
	}},
	{"echo", "github.com/labstack/echo/v5", func(s *setup, next http.Handler) (http.Handler, error) {
		e := echo.New()
		if s != nil {
			middleware, err := echomiddleware.CORSConfig{
				AllowOrigins:     s.origins,
				AllowMethods:     s.methods(),
				AllowHeaders:     s.headers(),
				AllowCredentials: s.credentials,
			}.ToMiddleware()
			if err != nil {
				return nil, err
			}
			e.Use(middleware)
		}
		e.Any("/*", echo.WrapHandler(next))
		return e, nil
	}},
	{"fiber", "github.com/gofiber/fiber/v3", func(s *setup, next http.Handler) (h http.Handler, err error) {
		app := fiber.New()
		if s != nil {
			// It panics if a configuration is invalid.
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("%v", v)
				}
			}()
			app.Use(fibercors.New(fibercors.Config{
				AllowOrigins:     s.origins,
				AllowMethods:     s.methods(),
				AllowHeaders:     s.headers(),
				AllowCredentials: s.credentials,
			}))
		}
		app.All("/*", adaptor.HTTPHandler(next))
		return adaptor.FiberApp(app), nil
	}},
	{"this package", "", func(s *setup, next http.Handler) (http.Handler, error) {
		if s == nil {
			return next, nil
		}
		c, err := cors.New(cors.Policy{
			AllowedOrigins:   s.origins,
			AllowedMethods:   s.methods(),
			AllowedHeaders:   s.headers(),
			AllowCredentials: s.credentials,
		})
		if err != nil {
			return nil, err
		}
		return c.Handler(next), nil
	}},
}

// A defect is a row of the table: an input that some middleware handles wrongly,
// and a function that describes how p handles it.
type defect struct {
	input   string
	observe func(t *testing.T, p peer) string
}

var defects = []defect{
	{"policy: `*` with credentials; request: from `https://evil.example`", func(t *testing.T, p peer) string {
		return p.allows(t, setup{origins: []string{"*"}, credentials: true}, "https://evil.example")
	}},
	{"policy: `h*` with credentials; request: from `https://evil.example`", func(t *testing.T, p peer) string {
		return p.allows(t, setup{origins: []string{"h*"}, credentials: true}, "https://evil.example")
	}},
	{"policy: `https://app.example.com*`; request: from `https://app.example.com.evil.example`", func(t *testing.T, p peer) string {
		return p.allows(t, setup{origins: []string{"https://app.example.com*"}}, "https://app.example.com.evil.example")
	}},
	{"policy: `app.example.com`, without a scheme; request: from `https://app.example.com`", func(t *testing.T, p peer) string {
		return p.allows(t, setup{origins: []string{"app.example.com"}}, "https://app.example.com")
	}},
	{"policy: `https://app.example.com/`, with a slash; request: from `https://app.example.com`", func(t *testing.T, p peer) string {
		return p.allows(t, setup{origins: []string{"https://app.example.com/"}}, "https://app.example.com")
	}},
	{"form post from another origin", func(t *testing.T, p peer) string {
		r := httptest.NewRequest("POST", "/", strings.NewReader("amount=100"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://evil.example")
		return ranOrStatus(p.send(t, ordinary, r))
	}},
	{"POST over HTTPS from the server's own page, behind a proxy that changes `Host`", func(t *testing.T, p peer) string {
		r := httptest.NewRequest("POST", "http://10.0.0.1:8080/", nil)
		r.Header.Set("Origin", "https://api.example.com")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return ranOrStatus(p.send(t, ordinary, r))
	}},
	{"`OPTIONS` request that is not a preflight, from an allowed origin", func(t *testing.T, p peer) string {
		r := httptest.NewRequest("OPTIONS", "/", nil)
		r.Header.Set("Origin", "https://app.example.com")
		return ranOrStatus(p.send(t, ordinary, r))
	}},
	{"request without `Origin`: `Vary` in the response", func(t *testing.T, p peer) string {
		res, _ := p.send(t, ordinary, httptest.NewRequest("GET", "/", nil))
		if listed(res.Header, "Vary", "Origin") {
			return "`Origin`"
		}
		return "none"
	}},
	{"`Vary: Accept-Encoding` set by an outer layer: what happens to it", func(t *testing.T, p peer) string {
		h := p.mustWrap(t, setup{origins: []string{"https://app.example.com", "https://example.com"}}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Origin", "https://app.example.com")
		w := httptest.NewRecorder()
		w.Header().Set("Vary", "Accept-Encoding")
		h.ServeHTTP(w, r)
		if listed(w.Header(), "Vary", "Accept-Encoding") {
			return "kept"
		}
		return "overwritten"
	}},
	{"handler that modifies a header's value slice in place: affected responses", func(t *testing.T, p peer) string {
		restore := func() {}
		// Shared values outlive this test, so it restores them.
		defer func() { restore() }()
		h := p.mustWrap(t, setup{origins: ordinary.origins, credentials: true}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/change" {
				return
			}
			before := w.Header().Clone()
			restore = func() {
				for name, values := range before {
					copy(w.Header()[name], values)
				}
			}
			for _, values := range w.Header() {
				for i := range values {
					values[i] = "changed"
				}
			}
		}))
		var last http.Header
		for _, path := range []string{"/change", "/"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Origin", "https://app.example.com")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			last = w.Header()
		}
		for _, values := range last {
			if slices.Contains(values, "changed") {
				return "this and later ones"
			}
		}
		return "only this one"
	}},
	{"preflight for `PUT`: which methods are listed", func(t *testing.T, p peer) string {
		res, _ := p.send(t, ordinary, preflight("PUT"))
		for _, method := range listedMethods {
			if !listed(res.Header, "Access-Control-Allow-Methods", method) {
				return "`" + res.Header.Get("Access-Control-Allow-Methods") + "`"
			}
		}
		return "all allowed methods"
	}},
	{"preflight for a method that is not allowed: which methods are listed", func(t *testing.T, p peer) string {
		res, _ := p.send(t, ordinary, preflight("PURGE"))
		switch {
		case listed(res.Header, "Access-Control-Allow-Methods", "PURGE"):
			return "allowed"
		case res.Header.Get("Access-Control-Allow-Origin") == "":
			return "none; no CORS headers"
		default:
			return "all allowed methods"
		}
	}},
	{"preflight for the allowed headers `X-Request-Id, Authorization`, unsorted and not lowercase", func(t *testing.T, p peer) string {
		return p.allowsHeaders(t, "X-Request-Id, Authorization")
	}},
	{"preflight for the same headers in two lines, as some gateways send it", func(t *testing.T, p peer) string {
		return p.allowsHeaders(t, "authorization", "x-request-id")
	}},
	{"`httputil.ReverseProxy` whose upstream also sets `Access-Control-Allow-Origin`", func(t *testing.T, p peer) string {
		proxy := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "upstream.example"}) },
			Transport: transport(func(r *http.Request) *http.Response {
				return &http.Response{
					StatusCode: http.StatusOK,
					Header:     http.Header{"Access-Control-Allow-Origin": {"https://app.example.com"}},
					Body:       http.NoBody,
					Request:    r,
				}
			}),
		}
		addr := listen(t, p.mustWrap(t, ordinary, proxy))
		count := func() int {
			res, _ := roundTrip(t, addr, exchange{method: "GET", path: "/", header: map[string]string{"Origin": "https://app.example.com"}})
			return len(res.Header.Values("Access-Control-Allow-Origin"))
		}
		cell := fmt.Sprintf("%d values", count())
		if p.module == "" {
			proxy.ModifyResponse = func(res *http.Response) error {
				cors.StripHeaders(res.Header)
				return nil
			}
			cell += fmt.Sprintf("; %d with `StripHeaders`", count())
		}
		return cell
	}},
	{"`Origin` of 1 MB of capital letters: memory allocated", func(t *testing.T, p peer) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Origin", "https://"+strings.Repeat("A", 1e6))
		return p.allocates(t, r)
	}},
	{"`Access-Control-Request-Headers` of 1 MB of commas: memory allocated", func(t *testing.T, p peer) string {
		r := preflight("PUT")
		r.Header.Set("Access-Control-Request-Headers", strings.Repeat(",", 1e6))
		return p.allocates(t, r)
	}},
}

func preflight(method string) *http.Request {
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Header.Set("Origin", "https://app.example.com")
	r.Header.Set("Access-Control-Request-Method", method)
	return r
}

func (p peer) mustWrap(t *testing.T, s setup, next http.Handler) http.Handler {
	h, err := p.wrap(&s, next)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// send returns the response to r, and whether the handler ran.
func (p peer) send(t *testing.T, s setup, r *http.Request) (res *http.Response, ran bool) {
	h := p.mustWrap(t, s, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), ran
}

func ranOrStatus(res *http.Response, ran bool) string {
	if ran {
		return "the handler runs"
	}
	return fmt.Sprint(res.StatusCode)
}

// allows describes the response to a request from origin, or the refusal of the
// configuration.
func (p peer) allows(t *testing.T, s setup, origin string) string {
	if _, err := p.wrap(&s, http.NotFoundHandler()); err != nil {
		return "refused at start"
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Origin", origin)
	res, _ := p.send(t, s, r)
	credentials := res.Header.Get("Access-Control-Allow-Credentials") == "true"
	switch allowed := res.Header.Get("Access-Control-Allow-Origin"); {
	case allowed == "*" && credentials:
		return "sends `*`, which browsers block"
	case allowed == origin && credentials:
		return "allowed, with credentials"
	case allowed == origin:
		return "allowed"
	case allowed == "":
		return "not allowed"
	default:
		t.Errorf("Access-Control-Allow-Origin is %q", allowed)
		return ""
	}
}

// allowsHeaders reports whether a browser would accept the response to a
// preflight for all of listedHeaders, sent as lines.
func (p peer) allowsHeaders(t *testing.T, lines ...string) string {
	r := preflight("PUT")
	r.Header["Access-Control-Request-Headers"] = lines
	res, _ := p.send(t, ordinary, r)
	for _, name := range listedHeaders {
		if !listed(res.Header, "Access-Control-Allow-Headers", name) {
			return "not allowed"
		}
	}
	return "allowed"
}

// listed reports whether the list in h[name] has element, in any case.
func listed(h http.Header, name, element string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(h.Values(name), ","), ","), func(s string) bool {
		return strings.EqualFold(strings.TrimSpace(s), element)
	})
}

// allocates returns how much memory the middleware of p allocates for r, in
// addition to its framework.
func (p peer) allocates(t *testing.T, r *http.Request) string {
	least := func(s *setup) float64 {
		h, err := p.wrap(s, http.NotFoundHandler())
		if err != nil {
			t.Fatal(err)
		}
		return testkit.AllocatedBytes(1, func() { h.ServeHTTP(httptest.NewRecorder(), r) })
	}
	with, without := least(&ordinary), least(nil)
	if with < without+100e3 {
		return "under 0.1 MB"
	}
	return fmt.Sprintf("%.0f MB", (with-without)/1e6)
}

type transport func(*http.Request) *http.Response

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// TestPeersAllow shows that every middleware is configured in a way that works.
func TestPeersAllow(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			for _, s := range []setup{
				ordinary,
				{origins: ordinary.origins, credentials: true},
				{origins: []string{"https://app.example.com", "https://example.com"}},
			} {
				r := httptest.NewRequest("PUT", "/", nil)
				r.Header.Set("Origin", "https://app.example.com")
				res, ran := p.send(t, s, r)
				if got := res.Header.Get("Access-Control-Allow-Origin"); got != "https://app.example.com" || !ran {
					t.Errorf("a request got Access-Control-Allow-Origin: %q; whether the handler ran: %t", got, ran)
				}

				r = preflight("PUT")
				r.Header.Set("Access-Control-Request-Headers", "authorization,x-request-id")
				res, ran = p.send(t, s, r)
				if res.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
					!listed(res.Header, "Access-Control-Allow-Methods", "PUT") ||
					!listed(res.Header, "Access-Control-Allow-Headers", "authorization") ||
					!listed(res.Header, "Access-Control-Allow-Headers", "x-request-id") ||
					(res.Header.Get("Access-Control-Allow-Credentials") == "true") != s.credentials || ran {
					t.Errorf("a preflight got %d %v; whether the handler ran: %t", res.StatusCode, res.Header, ran)
				}
			}
		})
	}
}

// version returns which release of a module go.mod requires, without the "v".
func version(t *testing.T, module string) string {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(mod), "\t"+module+" v")
	version, _, found := strings.Cut(rest, "\n")
	if !found {
		t.Fatalf("go.mod does not require %s", module)
	}
	return version
}

// TestDefects observes all packages and compares the results with the table in
// docs/comparison.md. It logs the table that the page should have.
func TestDefects(t *testing.T) {
	table := [][]string{{"Input"}}
	for _, p := range peers {
		name := p.name
		if p.module != "" {
			name += " " + version(t, p.module)
		}
		table[0] = append(table[0], name)
	}
	for _, d := range defects {
		row := []string{d.input}
		for _, p := range peers {
			row = append(row, d.observe(t, p))
		}
		table = append(table, row)
	}

	var markdown strings.Builder
	for i, row := range table {
		fmt.Fprintf(&markdown, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			io.WriteString(&markdown, strings.Repeat("|---", len(row))+"|\n")
		}
	}
	t.Logf("the table is:\n%s", &markdown)

	shown := tableIn(t, "comparison.md", "# How do other packages respond?")
	if len(shown) != len(table) {
		t.Fatalf("docs/comparison.md has %d rows, not %d", len(shown), len(table))
	}
	for i, row := range table {
		if !slices.Equal(shown[i], row) {
			t.Errorf("docs/comparison.md has\n%q\nwant\n%q", shown[i], row)
		}
	}
}
