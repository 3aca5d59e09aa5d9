package peers_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"runtime/debug"
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
	defaults    bool // whether methods and headers are left at their defaults
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

// A defect is a row of a table: an input that some middleware handles wrongly,
// and a function that describes how p handles it.
type defect struct {
	input   string // the first cells, with " | " between them
	observe func(t *testing.T, p peer) string
}

// defects are the tables of docs/comparison.md.
var defects = []struct {
	heading string
	input   string // the head of the first columns
	rows    []defect
}{
	{"## Policies", "Entry in the list of origins | Origin of the page", []defect{
		{"`*`, with credentials | `https://evil.example`", func(t *testing.T, p peer) string {
			return p.allows(t, setup{origins: []string{"*"}, credentials: true}, "https://evil.example")
		}},
		{"`h*`, with credentials | `https://evil.example`", func(t *testing.T, p peer) string {
			return p.allows(t, setup{origins: []string{"h*"}, credentials: true}, "https://evil.example")
		}},
		{"`https://app.example.com*` | `https://app.example.com.evil.example`", func(t *testing.T, p peer) string {
			return p.allows(t, setup{origins: []string{"https://app.example.com*"}}, "https://app.example.com.evil.example")
		}},
		{"`app.example.com`, without a scheme | `https://app.example.com`", func(t *testing.T, p peer) string {
			return p.allows(t, setup{origins: []string{"app.example.com"}}, "https://app.example.com")
		}},
		{"`https://app.example.com/`, with a slash | `https://app.example.com`", func(t *testing.T, p peer) string {
			return p.allows(t, setup{origins: []string{"https://app.example.com/"}}, "https://app.example.com")
		}},
	}},
	{"## Requests and responses", "Question", []defect{
		{"What happens to a form post from an origin that is not allowed?", func(t *testing.T, p peer) string {
			r := httptest.NewRequest("POST", "/", strings.NewReader("amount=100"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "https://evil.example")
			return ranOrStatus(p.send(t, ordinary, r))
		}},
		{"What happens to a POST over HTTPS from the server's own page if a proxy changes `Host`?", func(t *testing.T, p peer) string {
			r := httptest.NewRequest("POST", "http://10.0.0.1:8080/", nil)
			r.Header.Set("Origin", "https://api.example.com")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			return ranOrStatus(p.send(t, ordinary, r))
		}},
		{"What happens to a non-preflight `OPTIONS` request from an allowed origin?", func(t *testing.T, p peer) string {
			r := httptest.NewRequest("OPTIONS", "/", nil)
			r.Header.Set("Origin", "https://app.example.com")
			return ranOrStatus(p.send(t, ordinary, r))
		}},
		{"If a request has no `Origin`, does the response include `Vary: Origin`?", func(t *testing.T, p peer) string {
			res, _ := p.send(t, ordinary, httptest.NewRequest("GET", "/", nil))
			return yesOrNo(listed(res.Header, "Vary", "Origin"))
		}},
		{"If an outer layer sets `Vary: Accept-Encoding`, does the response keep it?", func(t *testing.T, p peer) string {
			h := p.mustWrap(t, setup{origins: []string{"https://app.example.com", "https://example.com"}}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Origin", "https://app.example.com")
			w := httptest.NewRecorder()
			w.Header().Set("Vary", "Accept-Encoding")
			h.ServeHTTP(w, r)
			return yesOrNo(listed(w.Header(), "Vary", "Accept-Encoding"))
		}},
		{"Does `w.Header()[\"Vary\"][0] = \"x\"` in your handler change later responses?", func(t *testing.T, p peer) string {
			restore := func() {}
			// The change affects values that other tests share, so it is undone.
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
					return "yes"
				}
			}
			return "no"
		}},
		{"Your handler is an `httputil.ReverseProxy` whose upstream sets `Access-Control-Allow-Origin`. How many values of that header does the response have?", func(t *testing.T, p peer) string {
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
			cell := fmt.Sprint(count())
			if p.module == "" {
				proxy.ModifyResponse = func(res *http.Response) error {
					cors.StripHeaders(res.Header)
					return nil
				}
				cell += fmt.Sprintf("; %d with `StripHeaders`", count())
			}
			return cell
		}},
	}},
	{"## Preflights", "Question", []defect{
		{"Which methods does the response list if a preflight requests `PUT`, which is allowed?", func(t *testing.T, p peer) string {
			res, _ := p.send(t, ordinary, preflight("PUT"))
			for _, method := range listedMethods {
				if !listed(res.Header, "Access-Control-Allow-Methods", method) {
					return "`" + res.Header.Get("Access-Control-Allow-Methods") + "`"
				}
			}
			return "all four"
		}},
		{"Which methods does the response list if a preflight requests a method that is not allowed?", func(t *testing.T, p peer) string {
			res, _ := p.send(t, ordinary, preflight("PURGE"))
			switch {
			case listed(res.Header, "Access-Control-Allow-Methods", "PURGE"):
				return "allowed"
			case res.Header.Get("Access-Control-Allow-Origin") == "":
				return "none, and it has no CORS headers"
			default:
				return "all four"
			}
		}},
		{"Is a preflight allowed if the names in `Access-Control-Request-Headers` are unsorted and not lowercase?", func(t *testing.T, p peer) string {
			return p.allowsHeaders(t, "X-Request-Id, Authorization")
		}},
		{"Is a preflight allowed if a gateway splits its `Access-Control-Request-Headers` into two lines?", func(t *testing.T, p peer) string {
			return p.allowsHeaders(t, "authorization", "x-request-id")
		}},
	}},
	{"## Large headers", "The request has", []defect{
		{"an `Origin` of 1 MB of capital letters", func(t *testing.T, p peer) string {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Origin", "https://"+strings.Repeat("A", 1e6))
			return p.allocates(t, r)
		}},
		{"an `Access-Control-Request-Headers` of 1 MB of commas", func(t *testing.T, p peer) string {
			r := preflight("PUT")
			r.Header.Set("Access-Control-Request-Headers", strings.Repeat(",", 1e6))
			return p.allocates(t, r)
		}},
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

// allows describes whether a script on a page of origin can read the response,
// or the refusal of the configuration.
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
		return "only without credentials"
	case allowed == origin && credentials:
		return "yes, with credentials"
	case allowed == origin:
		return "yes"
	case allowed == "":
		return "no"
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
			return "no"
		}
	}
	return "yes"
}

func yesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
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
	// A collection of garbage would empty the pools that packages reuse.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
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

// TestDefects observes all packages and compares the results with the tables of
// docs/comparison.md. It logs the tables that the page should have.
func TestDefects(t *testing.T) {
	var names []string
	for _, p := range peers {
		name := p.name
		if p.module != "" {
			name += " " + version(t, p.module)
		}
		names = append(names, name)
	}
	for _, defects := range defects {
		table := [][]string{append(strings.Split(defects.input, " | "), names...)}
		for _, d := range defects.rows {
			row := strings.Split(d.input, " | ")
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
		t.Logf("%s\n\n%s", defects.heading, &markdown)

		shown := tableIn(t, "comparison.md", defects.heading)
		if len(shown) != len(table) {
			t.Fatalf("docs/comparison.md has %d rows in %q, not %d", len(shown), defects.heading, len(table))
		}
		for i, row := range table {
			if !slices.Equal(shown[i], row) {
				t.Errorf("docs/comparison.md has\n%q\nwant\n%q", shown[i], row)
			}
		}
	}
}

// TestDefectsInShort compares the first sentences of docs/comparison.md with its
// tables.
func TestDefectsInShort(t *testing.T) {
	// count returns how many cells of each package in a table are value.
	count := func(heading, value string) map[string]int {
		table := tableIn(t, "comparison.md", heading)
		counts := make(map[string]int)
		for _, row := range table[1:] {
			for i, cell := range row {
				if cell == value {
					name, _, _ := strings.Cut(table[0][i], " ")
					counts[name]++
				}
			}
		}
		return counts
	}
	for _, row := range []struct {
		words, heading, value string
		counts                map[string]int // the other packages have none
	}{
		{
			"This package and gin-contrib/cors respond with 403. rs/cors, go-chi/cors, gorilla/handlers, echo and fiber run your handler",
			"## Requests and responses", "403", map[string]int{"this": 1, "gin-contrib/cors": 2},
		},
		{
			"This package refuses all five policies in the [first table](#policies) at start. echo and fiber refuse four, and gin-contrib/cors one. rs/cors, go-chi/cors and gorilla/handlers accept all of them.",
			"## Policies", "refused at start", map[string]int{"this": 5, "echo": 4, "fiber": 4, "gin-contrib/cors": 1},
		},
		{
			"This package, gin-contrib/cors, echo and fiber list all methods of the policy in each preflight response.",
			"## Preflights", "all four", map[string]int{"this": 2, "gin-contrib/cors": 2, "echo": 2, "fiber": 2},
		},
		{
			"rs/cors, go-chi/cors and gorilla/handlers list only the requested method",
			"## Preflights", "`PUT`", map[string]int{"rs/cors": 1, "go-chi/cors": 1, "gorilla/handlers": 1},
		},
	} {
		if got := count(row.heading, row.value); !maps.Equal(got, row.counts) {
			t.Errorf("%s: the table has %v", row.words, got)
		}
		comparisonSays(t, row.words)
	}
}

func comparisonSays(t *testing.T, words string) {
	page, err := os.ReadFile("../../docs/comparison.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(strings.Fields(string(page)), " "), words) {
		t.Errorf("docs/comparison.md does not have the words %q", words)
	}
}

// TestWhenToPreferAnother checks the facts in the section of docs/comparison.md
// about advantages of other packages.
func TestWhenToPreferAnother(t *testing.T) {
	const app = "https://app.example.com"
	// serve returns the response to a preflight for PUT, and whether the handler ran.
	serve := func(middleware func(http.Handler) http.Handler) (w *httptest.ResponseRecorder, ran bool) {
		w = httptest.NewRecorder()
		middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true })).ServeHTTP(w, preflight("PUT"))
		return w, ran
	}
	status := func(middleware func(http.Handler) http.Handler) int {
		w, _ := serve(middleware)
		return w.Code
	}
	for _, row := range []struct {
		words string
		holds func() bool
	}{
		{"It is not built on `net/http`", func() bool {
			_, serves := any(fiber.New()).(http.Handler)
			return !serves
		}},
		{"gin-contrib/cors accepts them.", func() bool {
			w, _ := serve(gincorsMiddleware(gincors.Config{AllowOrigins: []string{`/^https://[a-z]+\.example\.com$/`}, AllowMethods: []string{"PUT"}}))
			return w.Header().Get("Access-Control-Allow-Origin") == app
		}},
		{"rs/cors and go-chi/cors have `OptionsPassthrough`.", func() bool {
			_, rs := serve(rscors.New(rscors.Options{OptionsPassthrough: true}).Handler)
			_, chi := serve(chicors.Handler(chicors.Options{OptionsPassthrough: true}))
			return rs && chi
		}},
		{"rs/cors, gorilla/handlers and gin-contrib/cors have an option for it.", func() bool {
			return status(rscors.New(rscors.Options{AllowedMethods: []string{"PUT"}, OptionsSuccessStatus: 299}).Handler) == 299 &&
				status(handlers.CORS(handlers.AllowedMethods([]string{"PUT"}), handlers.OptionStatusCode(299))) == 299 &&
				status(gincorsMiddleware(gincors.Config{AllowAllOrigins: true, OptionsResponseStatusCode: 299})) == 299
		}},
		{"**You want preflight responses to list only the requested method and headers.** rs/cors, go-chi/cors and gorilla/handlers do that.", func() bool {
			for _, p := range peers[:3] {
				r := preflight("PUT")
				r.Header.Set("Access-Control-Request-Headers", "x-request-id")
				res, _ := p.send(t, ordinary, r)
				if res.Header.Get("Access-Control-Allow-Methods") != "PUT" || !strings.EqualFold(res.Header.Get("Access-Control-Allow-Headers"), "X-Request-Id") {
					return false
				}
			}
			return true
		}},
		{"If you list no methods, echo takes them from the route.", func() bool {
			w, _ := serve(func(next http.Handler) http.Handler {
				e := echo.New()
				e.Use(echomiddleware.CORS(app))
				e.PUT("/", echo.WrapHandler(next))
				return e
			})
			return listed(w.Header(), "Access-Control-Allow-Methods", "PUT") && !listed(w.Header(), "Access-Control-Allow-Methods", "DELETE")
		}},
		{"rs/cors, go-chi/cors and gorilla/handlers also work with Go 1.20. This package needs Go 1.25.", func() bool {
			out, err := exec.Command("go", "list", "-m", "-f", "{{.GoVersion}}", "github.com/rs/cors", "github.com/go-chi/cors", "github.com/gorilla/handlers", "github.com/f407da42/cors").Output()
			return err == nil && string(out) == "1.13\n1.14\n1.20\n1.25\n"
		}},
	} {
		if !row.holds() {
			t.Errorf("docs/comparison.md is wrong: %s", row.words)
		}
		comparisonSays(t, row.words)
	}
}
