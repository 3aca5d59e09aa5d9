package peers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/f407da42/cors"
	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	chicors "github.com/go-chi/cors"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	fibercors "github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
	rscors "github.com/rs/cors"
)

// Every policy of the grid allows these methods and headers.
var (
	allowedMethods = []string{"PUT", "DELETE"}
	allowedHeaders = []string{
		"Authorization", "Content-Type", "X-Api-Key", "X-App-Build", "X-App-Platform", "X-App-Version", "X-Client-Id",
		"X-Correlation-Id", "X-Csrf-Token", "X-Debug", "X-Device-Id", "X-Feature-Flags", "X-Idempotency-Key", "X-Locale",
		"X-Request-Id", "X-Requested-With", "X-Session-Id", "X-Tenant", "X-Time-Zone", "X-Trace-Id",
	}
	exposedHeaders = []string{"Etag", "X-Total-Count"} // only with credentials
)

const maxAge = 600 // seconds; the maximum of gorilla/handlers

// A policy is a row of the grid. Its requests have an origin from the middle of
// its list, so a linear search takes half of its worst case.
type policy struct {
	name        string
	kind        kind
	origins     []string
	fn          func(origin string) bool // replaces origins
	credentials bool

	allowed  string // an origin
	rejected string // an origin of the same length that is not allowed; empty if there is none
}

type kind int

const (
	exactOrigins kind = iota
	anyOrigin
	function
	subdomains
	previews      // hyphen patterns under one domain
	otherPatterns // patterns that the hand-written code does not support
)

func (p policy) patterns() bool { return p.kind >= subdomains }

// policies yields the rows of the grid. It makes one at a time, so the garbage
// collector does not scan a million origins while a smaller policy is measured.
func policies(yield func(policy) bool) {
	exact := func(name string, n int) policy {
		p := policy{name: name}
		for i := range n {
			p.origins = append(p.origins, fmt.Sprintf("https://site-%d.example.com", i))
		}
		p.allowed = p.origins[n/2]
		p.rejected = strings.TrimSuffix(p.allowed, "com") + "org"
		return p
	}
	// matching returns a policy of n patterns. Its requests have star in place of
	// the "*". Replacing old with new makes an origin that is rejected.
	matching := func(name string, kind kind, pattern func(i int) string, n int, star, old, new string) policy {
		p := policy{name: name, kind: kind}
		for i := range n {
			p.origins = append(p.origins, pattern(i))
		}
		p.allowed = strings.Replace(p.origins[n/2], "*", star, 1)
		p.rejected = strings.Replace(p.allowed, old, new, 1)
		return p
	}
	numbered := func(format string) func(int) string {
		return func(i int) string { return fmt.Sprintf(format, i) }
	}
	const letters = "abcdefghijklmnopqrstuvwxyz"
	varied := func(i int) string {
		return fmt.Sprintf("https://%s-%d-*-%s.vercel.app", letters[:1+i%26], i, letters[:1+i%20])
	}
	credentialed := exact("credentialed", 1)
	credentialed.credentials = true

	for _, n := range []int{1, 10, 1000} {
		if !yield(exact(fmt.Sprint("origins-", n), n)) {
			return
		}
	}
	for _, n := range []int{10, 1000} {
		if !yield(matching(fmt.Sprint("patterns-", n), subdomains, numbered("https://*.customer-%d.example"), n, "www.eu", "customer", "stranger")) ||
			!yield(matching(fmt.Sprint("hyphens-", n), previews, numbered("https://project-%d-*-team.vercel.app"), n, "git-main", "team", "teem")) ||
			!yield(matching(fmt.Sprint("hyphens-varied-", n), previews, varied, n, "git-main", "git-main-", "git-main_")) ||
			!yield(matching(fmt.Sprintf("hyphens-of-%d-domains", n), otherPatterns, numbered("https://pr-*.customer-%d.example"), n, "1", "customer", "stranger")) ||
			!yield(matching(fmt.Sprint("schemes-", n), otherPatterns, numbered("app-%d://*"), n, "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "app", "ape")) {
			return
		}
	}
	_ = yield(policy{name: "any", kind: anyOrigin, origins: []string{"*"}, allowed: "https://site-0.example.com"}) &&
		yield(credentialed) &&
		yield(policy{name: "func", kind: function, fn: isTenant, allowed: "https://tenant-500.example.com", rejected: "https://tenant-500.example.org"}) &&
		yield(exact("origins-100000", 100_000)) &&
		yield(exact("origins-1000000", 1_000_000))
}

// isTenant is like a lookup in a service's database, or in a cache of it. One
// entry is a string that browsers never send.
func isTenant(origin string) bool {
	_, ok := tenants[origin]
	return ok
}

var tenants = func() map[string]struct{} {
	set := make(map[string]struct{})
	for i := range 1000 {
		set[fmt.Sprintf("https://tenant-%d.example.com", i)] = struct{}{}
	}
	set["https://*.tenant-500.example.com"] = struct{}{}
	return set
}()

// A request is a column of the grid.
type request struct {
	name string
	make func(p policy) *http.Request // returns nil if p has no such request
}

var requests = []request{
	{"no-origin", func(p policy) *http.Request {
		return newRequest(http.MethodGet, "")
	}},
	{"actual", func(p policy) *http.Request {
		return newRequest(http.MethodGet, p.allowed)
	}},
	{"actual-rejected", func(p policy) *http.Request {
		if p.rejected == "" {
			return nil
		}
		return newRequest(http.MethodGet, p.rejected)
	}},
	{"preflight", func(p policy) *http.Request {
		return newPreflight(p.allowed, 1)
	}},
	{"preflight-20-headers", func(p policy) *http.Request {
		return newPreflight(p.allowed, 20)
	}},
	{"preflight-rejected", func(p policy) *http.Request {
		if p.rejected == "" {
			return nil
		}
		return newPreflight(p.rejected, 1)
	}},
}

// newRequest returns a request as a browser sends it. It has more than eight
// headers, because Go stores smaller maps in a different way.
func newRequest(method, origin string) *http.Request {
	r := httptest.NewRequest(method, "https://api.example.net/", nil)
	r.Header = http.Header{
		"Accept":          {"*/*"},
		"Accept-Encoding": {"gzip, deflate, br, zstd"},
		"Accept-Language": {"en-GB,en;q=0.9"},
		"Cache-Control":   {"no-cache"},
		"Referer":         {"https://app.example.com/"},
		"Sec-Fetch-Dest":  {"empty"},
		"Sec-Fetch-Mode":  {"cors"},
		"Sec-Fetch-Site":  {"cross-site"},
		"User-Agent":      {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},
	}
	if origin != "" {
		r.Header["Origin"] = []string{origin}
	}
	return r
}

// newPreflight returns a preflight for a PUT with the first n allowed headers,
// as browsers send them: sorted, lowercase, without white space.
func newPreflight(origin string, n int) *http.Request {
	r := newRequest(http.MethodOptions, origin)
	r.Header["Access-Control-Request-Method"] = []string{"PUT"}
	r.Header["Access-Control-Request-Headers"] = []string{strings.ToLower(strings.Join(allowedHeaders[:n], ","))}
	return r
}

// An implementation wraps next with p, or returns nil if it cannot express p.
//
// The middleware for gin, echo and fiber needs their routers and is measured
// with them; bare is the router alone.
type implementation struct {
	name string
	wrap func(p policy, next http.Handler) http.Handler
	bare func(next http.Handler) http.Handler
}

var implementations = []implementation{
	{name: "this", wrap: wrapThis},
	{name: "by-hand", wrap: wrapByHand},
	{name: "rs", wrap: wrapRS},
	{name: "chi", wrap: wrapChi},
	{name: "gorilla", wrap: wrapGorilla},
	{name: "gin", wrap: wrapGin, bare: func(next http.Handler) http.Handler { return ginEngine(nil, next) }},
	{name: "echo", wrap: wrapEcho, bare: func(next http.Handler) http.Handler { return echoRouter(nil, next) }},
	{name: "fiber", wrap: wrapFiber, bare: func(next http.Handler) http.Handler { return fiberApp(nil, next) }},
}

func wrapThis(p policy, next http.Handler) http.Handler {
	c, err := cors.New(thisPolicy(p))
	if err != nil {
		panic(err)
	}
	return c.Handler(next)
}

func thisPolicy(p policy) cors.Policy {
	q := cors.Policy{
		AllowedOrigins:   p.origins,
		AllowedMethods:   allowedMethods,
		AllowedHeaders:   allowedHeaders,
		AllowCredentials: p.credentials,
		MaxAge:           maxAge * time.Second,
	}
	if p.credentials {
		q.ExposedHeaders = exposedHeaders
	}
	if p.fn != nil {
		q.AllowOriginFunc = func(_ *http.Request, origin string) bool { return p.fn(origin) }
	}
	return q
}

func wrapRS(p policy, next http.Handler) http.Handler {
	o := rscors.Options{
		AllowedOrigins:   p.origins,
		AllowOriginFunc:  p.fn,
		AllowedMethods:   slices.Concat([]string{"GET", "HEAD", "POST"}, allowedMethods),
		AllowedHeaders:   allowedHeaders,
		AllowCredentials: p.credentials,
		MaxAge:           maxAge,
	}
	if p.credentials {
		o.ExposedHeaders = exposedHeaders
	}
	return rscors.New(o).Handler(next)
}

func wrapChi(p policy, next http.Handler) http.Handler {
	o := chicors.Options{
		AllowedOrigins:   p.origins,
		AllowedMethods:   slices.Concat([]string{"GET", "HEAD", "POST"}, allowedMethods),
		AllowedHeaders:   allowedHeaders,
		AllowCredentials: p.credentials,
		MaxAge:           maxAge,
	}
	if p.credentials {
		o.ExposedHeaders = exposedHeaders
	}
	if p.fn != nil {
		o.AllowOriginFunc = func(_ *http.Request, origin string) bool { return p.fn(origin) }
	}
	return chicors.Handler(o)(next)
}

func wrapGorilla(p policy, next http.Handler) http.Handler {
	if p.patterns() {
		return nil
	}
	options := []handlers.CORSOption{
		handlers.AllowedMethods(slices.Concat([]string{"GET", "HEAD", "POST"}, allowedMethods)),
		handlers.AllowedHeaders(allowedHeaders),
		handlers.MaxAge(maxAge),
		handlers.OptionStatusCode(http.StatusNoContent),
	}
	if p.fn != nil {
		options = append(options, handlers.AllowedOriginValidator(p.fn))
	} else {
		options = append(options, handlers.AllowedOrigins(p.origins))
	}
	if p.credentials {
		options = append(options, handlers.AllowCredentials(), handlers.ExposedHeaders(exposedHeaders))
	}
	return handlers.CORS(options...)(next)
}

func wrapGin(p policy, next http.Handler) http.Handler {
	c := gincors.Config{
		AllowOrigins:     p.origins,
		AllowWildcard:    p.patterns(),
		AllowOriginFunc:  p.fn,
		AllowMethods:     allowedMethods,
		AllowHeaders:     allowedHeaders,
		AllowCredentials: p.credentials,
		MaxAge:           maxAge * time.Second,
	}
	if p.credentials {
		c.ExposeHeaders = exposedHeaders
	}
	return ginEngine(gincors.New(c), next)
}

func ginEngine(m gin.HandlerFunc, next http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	if m != nil {
		e.Use(m)
	}
	e.Any("/", gin.WrapH(next))
	return e
}

func wrapEcho(p policy, next http.Handler) http.Handler {
	if p.patterns() {
		return nil
	}
	c := middleware.CORSConfig{
		AllowOrigins:     p.origins,
		AllowMethods:     allowedMethods,
		AllowHeaders:     allowedHeaders,
		AllowCredentials: p.credentials,
		MaxAge:           maxAge,
	}
	if p.credentials {
		c.ExposeHeaders = exposedHeaders
	}
	if p.fn != nil {
		c.UnsafeAllowOriginFunc = func(_ *echo.Context, origin string) (string, bool, error) {
			return origin, p.fn(origin), nil
		}
	}
	return echoRouter(middleware.CORSWithConfig(c), next)
}

func echoRouter(m echo.MiddlewareFunc, next http.Handler) http.Handler {
	e := echo.New()
	if m != nil {
		e.Use(m)
	}
	e.Any("/", echo.WrapHandler(next))
	return e
}

func wrapFiber(p policy, next http.Handler) http.Handler {
	if p.kind > subdomains {
		return nil // it only has subdomain patterns
	}
	c := fibercors.Config{
		AllowOrigins:     p.origins,
		AllowOriginsFunc: p.fn,
		AllowMethods:     allowedMethods,
		AllowHeaders:     allowedHeaders,
		AllowCredentials: p.credentials,
		MaxAge:           maxAge,
	}
	if p.credentials {
		c.ExposeHeaders = exposedHeaders
	}
	return fiberApp(fibercors.New(c), next)
}

// fiberApp returns an app that runs next without a request or a response,
// because converting them would cost more than everything else.
func fiberApp(m fiber.Handler, next http.Handler) http.Handler {
	app := fiber.New()
	if m != nil {
		app.Use(m)
	}
	app.All("/", func(fiber.Ctx) error {
		next.ServeHTTP(nil, nil)
		return nil
	})
	return adaptor.FiberApp(app)
}
