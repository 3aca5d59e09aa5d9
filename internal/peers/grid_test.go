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

// What every policy of the grid allows, besides its origins.
const maxAge = 600 // seconds; gorilla/handlers cuts more

var (
	allowedMethods = []string{"PUT", "DELETE"}
	allowedHeaders = []string{
		"Authorization", "Content-Type", "X-Api-Key", "X-App-Build", "X-App-Platform", "X-App-Version", "X-Client-Id",
		"X-Correlation-Id", "X-Csrf-Token", "X-Debug", "X-Device-Id", "X-Feature-Flags", "X-Idempotency-Key", "X-Locale",
		"X-Request-Id", "X-Requested-With", "X-Session-Id", "X-Tenant", "X-Time-Zone", "X-Trace-Id",
	}
	exposedHeaders = []string{"Etag", "X-Total-Count"} // by the credentialed policy only
)

// A policy is a row of the grid. The origin that its requests have stands in
// the middle of its list: a linear search takes half of its worst case.
type policy struct {
	name        string
	origins     []string                 // nil where fn decides
	patterns    bool                     // whether origins are patterns
	matches     func(origin string) bool // by hand, for patterns of more than subdomains
	fn          func(origin string) bool
	credentials bool

	allowed  string // an origin
	rejected string // one as long that is not allowed; empty if there is none
}

func (p policy) any() bool { return slices.Equal(p.origins, []string{"*"}) }

// policies yields the rows of the grid, made one by one, so that the garbage
// collector has no million origins to look at while a smaller policy is measured.
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
	// matching has patterns, with what stands in place of the "*" in its requests,
	// and a change that has its origin rejected.
	matching := func(name, pattern string, n int, star, old, new string) policy {
		p := policy{name: name, patterns: true}
		for i := range n {
			p.origins = append(p.origins, fmt.Sprintf(pattern, i))
		}
		p.allowed = strings.Replace(p.origins[n/2], "*", star, 1)
		p.rejected = strings.Replace(p.allowed, old, new, 1)
		return p
	}
	subdomains := func(name string, n int) policy {
		return matching(name, "https://*.customer-%d.example", n, "www.eu", "customer", "stranger")
	}
	hyphens := func(name string, n int) policy { // under one domain
		p := matching(name, "https://project-%d-*-team.vercel.app", n, "git-main", "team", "teem")
		p.matches = isPreview(p)
		return p
	}
	hyphensVaried := func(name string, n int) policy { // with names of all lengths, under one domain
		const letters = "abcdefghijklmnopqrstuvwxyz"
		p := policy{name: name, patterns: true}
		for i := range n {
			p.origins = append(p.origins, fmt.Sprintf("https://%s-%d-*-%s.vercel.app", letters[:1+i%26], i, letters[:1+i%20]))
		}
		p.matches = isPreviewOfAny(p)
		p.allowed = strings.Replace(p.origins[n/2], "*", "git-main", 1)
		p.rejected = strings.Replace(p.allowed, "git-main-", "git-main_", 1)
		return p
	}
	hyphensOfMany := func(name string, n int) policy { // each under a domain of its own
		p := matching(name, "https://pr-*.customer-%d.example", n, "1", "customer", "stranger")
		p.matches = isReview(p)
		return p
	}
	schemes := func(name string, n int) policy {
		p := matching(name, "app-%d://*", n, "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "app", "ape")
		p.matches = isExtension(p)
		return p
	}
	anyOrigin := policy{name: "any", origins: []string{"*"}, allowed: "https://site-0.example.com"}
	credentialed := exact("credentialed", 1)
	credentialed.credentials = true
	byFunc := policy{name: "func", fn: isTenant, allowed: "https://tenant-500.example.com", rejected: "https://tenant-500.example.org"}

	_ = yield(exact("origins-1", 1)) &&
		yield(exact("origins-10", 10)) &&
		yield(exact("origins-1000", 1000)) &&
		yield(subdomains("patterns-10", 10)) &&
		yield(subdomains("patterns-1000", 1000)) &&
		yield(hyphens("hyphens-10", 10)) &&
		yield(hyphens("hyphens-1000", 1000)) &&
		yield(hyphensVaried("hyphens-varied-10", 10)) &&
		yield(hyphensVaried("hyphens-varied-1000", 1000)) &&
		yield(hyphensOfMany("hyphens-of-10-domains", 10)) &&
		yield(hyphensOfMany("hyphens-of-1000-domains", 1000)) &&
		yield(schemes("schemes-10", 10)) &&
		yield(schemes("schemes-1000", 1000)) &&
		yield(anyOrigin) &&
		yield(credentialed) &&
		yield(byFunc) &&
		yield(exact("origins-100000", 100_000)) &&
		yield(exact("origins-1000000", 1_000_000))
}

// isTenant stands for what a service asks its database, or a cache of it. Somebody
// has written there what no browser sends.
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
	make func(p policy) *http.Request // nil if p has no such request
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

// newRequest returns a request as a browser sends it. Beyond eight headers, Go
// looks them up in another way.
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
// written as browsers do: sorted, in lower case, without white space.
func newPreflight(origin string, n int) *http.Request {
	r := newRequest(http.MethodOptions, origin)
	r.Header["Access-Control-Request-Method"] = []string{"PUT"}
	r.Header["Access-Control-Request-Headers"] = []string{strings.ToLower(strings.Join(allowedHeaders[:n], ","))}
	return r
}

// An implementation wraps next with p, or returns nil if it cannot express p.
//
// Those of gin, echo and fiber are made for routers of their own, and are
// measured with these; bare names the router alone.
type implementation struct {
	name string
	wrap func(p policy, next http.Handler) http.Handler
	bare func(next http.Handler) http.Handler
}

var implementations = []implementation{
	{name: "none", wrap: func(_ policy, next http.Handler) http.Handler { return next }},
	{name: "floor-shared", wrap: sharedFloor},
	{name: "floor-safe", wrap: safeFloor},
	{name: "floor-trusting", wrap: trustingFloor},
	{name: "this", wrap: wrapThis},
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
	if p.patterns {
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
		AllowWildcard:    p.patterns,
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
	if p.patterns {
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
	if p.matches != nil {
		return nil // it knows patterns of subdomains only
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

// fiberApp returns an app that runs next with neither request nor response:
// to convert these would cost more than all else.
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
