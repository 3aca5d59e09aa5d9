package peers_test

import (
	"errors"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chicors "github.com/go-chi/cors"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	fibercors "github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v5"
	echomiddleware "github.com/labstack/echo/v5/middleware"
	rscors "github.com/rs/cors"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

// TestMigrationInDocs compares the tables of docs/migrating.md with the fields
// that each package has, and with the fields of Policy.
func TestMigrationInDocs(t *testing.T) {
	for _, other := range []struct {
		heading string
		fields  []string
	}{
		{"## From rs/cors (" + version(t, "github.com/rs/cors") + ")", fields[rscors.Options]()},
		{"## From go-chi/cors (" + version(t, "github.com/go-chi/cors") + ")", fields[chicors.Options]()},
		{"## From echo (" + version(t, "github.com/labstack/echo/v5") + ")", fields[echomiddleware.CORSConfig]()},
		{"## From fiber (" + version(t, "github.com/gofiber/fiber/v3") + ")", fields[fibercors.Config]()},
		{"## From gorilla/handlers (" + version(t, "github.com/gorilla/handlers") + ")", slices.Collect(maps.Keys(gorillaOptions))},
		{"## From gin-contrib/cors (" + version(t, "github.com/gin-contrib/cors") + ")", fields[gincors.Config]()},
		// go.mod does not require the next packages, so their names are not compared
		// with code.
		{"## From jub0bs/cors (1.0.2)", []string{
			"Origins", "Credentialed", "Methods", "RequestHeaders", "MaxAgeInSeconds", "ResponseHeaders",
			"DangerouslyTolerateInsecureOrigins", "DangerouslyTolerateSubdomainsOfPublicSuffixes",
		}},
		{"## From Kubernetes (Gateway API)", []string{"allowOrigins", "allowCredentials", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge"}},
		{"## From hand-written headers", []string{
			"Access-Control-Allow-Origin: *", "Access-Control-Allow-Origin", "Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
			"Access-Control-Expose-Headers", "Access-Control-Allow-Credentials", "Access-Control-Max-Age",
		}},
	} {
		rows := tableIn(t, "migrating.md", other.heading)
		if head := rows[0]; !strings.HasPrefix(head[0], "In ") || !slices.Equal(head[1:], []string{"In this package", "Changes"}) {
			t.Errorf("%s: the columns are %q", other.heading, head)
		}
		var shown []string
		for _, row := range rows[1:] {
			theirs, ours := quoted(row[0]), quoted(row[1])
			shown = append(shown, theirs...)
			if row[1] == "the same names" {
				ours = theirs
			}
			absent := row[1] == "not needed" || row[1] == "no equivalent"
			if absent != (len(ours) == 0) || len(ours) > 1 && len(ours) != len(theirs) {
				t.Errorf("%s: the fields %q become %q", other.heading, theirs, row[1])
			}
			for _, field := range ours {
				if !slices.Contains(fields[cors.Policy](), field) {
					t.Errorf("%s: cors.Policy has no field %q", other.heading, field)
				}
			}
			if row[2] == "" {
				t.Errorf("%s: the row of %q has no changes", other.heading, theirs)
			}
		}
		slices.Sort(shown)
		slices.Sort(other.fields)
		if !slices.Equal(shown, other.fields) {
			t.Errorf("%s: docs/migrating.md shows %q, not %q", other.heading, shown, other.fields)
		}
	}
}

// quoted returns the parts of a cell that are in backquotes.
func quoted(cell string) (parts []string) {
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			parts = append(parts, part)
		}
	}
	return parts
}

// gorillaOptions are all functions of its package that return a CORSOption.
var gorillaOptions = map[string]any{
	"AllowedOrigins":         handlers.AllowedOrigins,
	"AllowedOriginValidator": handlers.AllowedOriginValidator,
	"AllowedMethods":         handlers.AllowedMethods,
	"AllowedHeaders":         handlers.AllowedHeaders,
	"ExposedHeaders":         handlers.ExposedHeaders,
	"MaxAge":                 handlers.MaxAge,
	"AllowCredentials":       handlers.AllowCredentials,
	"OptionStatusCode":       handlers.OptionStatusCode,
	"IgnoreOptions":          handlers.IgnoreOptions,
}

func fields[T any]() (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		names = append(names, f.Name)
	}
	return names
}

// TestMigration checks the statements of docs/migrating.md about other packages
// that TestDefects and TestDefaults do not check.
func TestMigration(t *testing.T) {
	const app, tenant, evil = "https://app.example.com", "https://tenant.example", "https://evil.example"
	isTenant := func(origin string) bool { return origin == tenant }

	for _, fact := range []struct {
		name       string
		middleware func(http.Handler) http.Handler
		method     string
		request    map[string]string
		status     int
		runs       bool
		response   map[string]string // values of some headers; empty if a header must be absent
	}{
		{
			"rs/cors without AllowedOrigins allows any origin", rscors.New(rscors.Options{}).Handler,
			"GET", map[string]string{"Origin": evil},
			200, true, map[string]string{"Access-Control-Allow-Origin": "*"},
		},
		{
			"rs/cors without GET in AllowedMethods runs the handler, without CORS headers",
			rscors.New(rscors.Options{AllowedOrigins: []string{app}, AllowedMethods: []string{"PUT"}}).Handler,
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"rs/cors without HEAD in AllowedMethods runs the handler, without CORS headers",
			rscors.New(rscors.Options{AllowedOrigins: []string{app}, AllowedMethods: []string{"PUT"}}).Handler,
			"HEAD", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"rs/cors without POST in AllowedMethods runs the handler, without CORS headers",
			rscors.New(rscors.Options{AllowedOrigins: []string{app}, AllowedMethods: []string{"PUT"}}).Handler,
			"POST", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"rs/cors replaces AllowedOrigins with AllowOriginFunc",
			rscors.New(rscors.Options{AllowedOrigins: []string{app}, AllowOriginFunc: isTenant}).Handler,
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"rs/cors without AllowedHeaders allows some headers", rscors.New(rscors.Options{}).Handler,
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-requested-with"},
			204, false, map[string]string{"Access-Control-Allow-Headers": "content-type,x-requested-with"},
		},
		{
			"rs/cors echoes Authorization for *", rscors.New(rscors.Options{AllowedHeaders: []string{"*"}}).Handler,
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
			204, false, map[string]string{"Access-Control-Allow-Headers": "authorization"},
		},
		{
			"gorilla/handlers without AllowedOrigins allows any origin", handlers.CORS(),
			"GET", map[string]string{"Origin": evil},
			200, true, map[string]string{"Access-Control-Allow-Origin": "*"},
		},
		{
			"gorilla/handlers replaces AllowedOrigins with AllowedOriginValidator",
			handlers.CORS(handlers.AllowedOrigins([]string{app}), handlers.AllowedOriginValidator(isTenant)),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"gorilla/handlers with AllowedOriginValidator alone sets no Vary",
			handlers.CORS(handlers.AllowedOriginValidator(isTenant)),
			"GET", map[string]string{"Origin": tenant},
			200, true, map[string]string{"Access-Control-Allow-Origin": tenant, "Vary": ""},
		},
		{
			"gorilla/handlers allows PUT for put and caps MaxAge",
			handlers.CORS(handlers.AllowedMethods([]string{"put"}), handlers.MaxAge(3600)),
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "PUT"},
			200, false, map[string]string{"Access-Control-Allow-Methods": "PUT", "Access-Control-Max-Age": "600"},
		},
		{
			"gorilla/handlers responds to OPTIONS without Origin", handlers.CORS(),
			"OPTIONS", nil,
			200, false, nil,
		},
		{
			"gin-contrib/cors calls AllowOriginFunc after AllowOrigins",
			gincorsMiddleware(gincors.Config{AllowOrigins: []string{app}, AllowOriginFunc: isTenant}),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": app},
		},
		{
			"gin-contrib/cors has patterns only with AllowWildcard",
			gincorsMiddleware(gincors.Config{AllowOrigins: []string{"https://*.example.com"}}),
			"GET", map[string]string{"Origin": app},
			403, false, nil,
		},
		{
			"gin-contrib/cors matches any characters with *",
			gincorsMiddleware(gincors.Config{AllowOrigins: []string{"https://app*"}, AllowWildcard: true}),
			"GET", map[string]string{"Origin": "https://apparent.example"},
			200, true, map[string]string{"Access-Control-Allow-Origin": "https://apparent.example"},
		},
		{
			"gin-contrib/cors cuts off fractions of a second",
			gincorsMiddleware(gincors.Config{AllowAllOrigins: true, MaxAge: 1500 * time.Millisecond}),
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "PUT"},
			204, false, map[string]string{"Access-Control-Max-Age": "1"},
		},
		{
			"go-chi/cors replaces AllowedOrigins with AllowOriginFunc",
			chicors.Handler(chicors.Options{AllowedOrigins: []string{app}, AllowOriginFunc: func(_ *http.Request, origin string) bool { return isTenant(origin) }}),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"go-chi/cors allows any origin with https://* and http://*",
			chicors.Handler(chicors.Options{AllowedOrigins: []string{"https://*", "http://*"}}),
			"GET", map[string]string{"Origin": evil},
			200, true, map[string]string{"Access-Control-Allow-Origin": evil},
		},
		{
			"go-chi/cors allows PUT for put", chicors.Handler(chicors.Options{AllowedMethods: []string{"put"}}),
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "PUT"},
			200, false, map[string]string{"Access-Control-Allow-Methods": "PUT"},
		},
		{
			"echo ignores the case of origins",
			echoMiddleware(echomiddleware.CORSConfig{AllowOrigins: []string{"https://App.example.com"}}),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": "https://App.example.com"},
		},
		{
			"echo replaces AllowOrigins with UnsafeAllowOriginFunc",
			echoMiddleware(echomiddleware.CORSConfig{AllowOrigins: []string{app}, UnsafeAllowOriginFunc: func(_ *echo.Context, origin string) (string, bool, error) {
				return origin, isTenant(origin), nil
			}}),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"echo responds to a rejected preflight with 204", echoMiddleware(echomiddleware.CORSConfig{AllowOrigins: []string{app}}),
			"OPTIONS", map[string]string{"Origin": evil, "Access-Control-Request-Method": "PUT"},
			204, false, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"fiber ignores capital letters and a trailing slash",
			fiberMiddleware(fibercors.Config{AllowOrigins: []string{"https://App.example.com/"}}),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": app},
		},
		{
			"fiber calls AllowOriginsFunc after AllowOrigins",
			fiberMiddleware(fibercors.Config{AllowOrigins: []string{app}, AllowOriginsFunc: isTenant}),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": app},
		},
	} {
		t.Run(fact.name, func(t *testing.T) {
			ran := false
			h := fact.middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
			r := httptest.NewRequest(fact.method, "/", nil)
			for name, value := range fact.request {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != fact.status || ran != fact.runs {
				t.Errorf("status is %d, whether the handler ran: %t", w.Code, ran)
			}
			for name, value := range fact.response {
				if got := w.Header().Get(name); got != value {
					t.Errorf("%s is %q, not %q", name, got, value)
				}
			}
		})
	}
}

func gincorsMiddleware(c gincors.Config) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		engine := newEngine()
		engine.Use(gincors.New(c))
		engine.Any("/*path", gin.WrapH(next))
		return engine
	}
}

func echoMiddleware(c echomiddleware.CORSConfig) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		e := echo.New()
		e.Use(echomiddleware.CORSWithConfig(c))
		e.Any("/*", echo.WrapHandler(next))
		return e
	}
}

func fiberMiddleware(c fibercors.Config) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		app := fiber.New()
		app.Use(fibercors.New(c))
		app.All("/*", adaptor.HTTPHandler(next))
		return adaptor.FiberApp(app)
	}
}

// TestMigrationRefused gives New the entries that docs/migrating.md lists as
// accepted by other packages and refused by New.
func TestMigrationRefused(t *testing.T) {
	app := []string{"https://app.example.com"}
	for _, row := range []struct {
		name   string
		policy cors.Policy
		field  string
	}{
		{"a number of seconds", cors.Policy{AllowedOrigins: app, MaxAge: 600}, "MaxAge"},
		{"a fraction of a second", cors.Policy{AllowedOrigins: app, MaxAge: 1500 * time.Millisecond}, "MaxAge"},
		{"a lowercase method", cors.Policy{AllowedOrigins: app, AllowedMethods: []string{"put"}}, "AllowedMethods"},
		{"any origin next to another", cors.Policy{AllowedOrigins: []string{"*", "https://app.example.com"}}, "AllowedOrigins"},
		{"any origin with credentials", cors.Policy{AllowedOrigins: []string{"*"}, AllowCredentials: true}, "AllowedOrigins"},
		{"every https origin with credentials", cors.Policy{AllowedOrigins: []string{"https://*"}, AllowCredentials: true}, "AllowedOrigins"},
		{"every http origin with credentials", cors.Policy{AllowedOrigins: []string{"http://*"}, AllowCredentials: true}, "AllowedOrigins"},
		{"every origin of another scheme, with credentials", cors.Policy{AllowedOrigins: []string{"moz-extension://*"}, AllowCredentials: true}, "AllowedOrigins"},
		{"a * at the end of a host", cors.Policy{AllowedOrigins: []string{"https://app.example.com*"}}, "AllowedOrigins"},
		{"a part of a registrable label", cors.Policy{AllowedOrigins: []string{"https://*-example.com"}}, "AllowedOrigins"},
		{"every http origin with a port", cors.Policy{AllowedOrigins: []string{"http://*:3000"}}, "AllowedOrigins"},
		{"a * in another place", cors.Policy{AllowedOrigins: []string{"https://app.*.example.com"}}, "AllowedOrigins"},
		{"an origin with a capital letter", cors.Policy{AllowedOrigins: []string{"https://App.example.com"}}, "AllowedOrigins"},
		{"an origin with a trailing slash", cors.Policy{AllowedOrigins: []string{"https://app.example.com/"}}, "AllowedOrigins"},
		{"names that anyone can register, with credentials", cors.Policy{AllowedOrigins: []string{"https://*.github.io"}, AllowCredentials: true}, "AllowedOrigins"},
		{"http: with credentials", cors.Policy{AllowedOrigins: []string{"http://app.example.com"}, AllowCredentials: true}, "AllowedOrigins"},
		{"the origin of files", cors.Policy{AllowedOrigins: []string{"file://"}}, "AllowedOrigins"},
		{"null", cors.Policy{AllowedOrigins: []string{"null"}}, "AllowedOrigins"},
		{"* in ExposedHeaders with credentials", cors.Policy{AllowedOrigins: app, ExposedHeaders: []string{"*"}, AllowCredentials: true}, "ExposedHeaders"},
	} {
		_, err := cors.New(row.policy)
		var policyErr *cors.PolicyError
		if !errors.As(err, &policyErr) || policyErr.Field != row.field {
			t.Errorf("%s: New returns %v", row.name, err)
		}
	}
}

// TestMigrationAccepted gives New the entries that docs/migrating.md lists as
// accepted, and checks the response to a preflight.
func TestMigrationAccepted(t *testing.T) {
	if got, want := gincors.DefaultConfig().AllowHeaders, []string{"Origin", "Content-Length", "Content-Type"}; !slices.Equal(got, want) {
		t.Errorf("gin-contrib/cors allows %q by default, not %q", got, want)
	}
	if got, want := gincors.DefaultConfig().AllowMethods, []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}; !slices.Equal(got, want) {
		t.Errorf("gin-contrib/cors allows %q by default, not %q", got, want)
	}
	if got := gincors.DefaultConfig().MaxAge; got != 12*time.Hour {
		t.Errorf("gin-contrib/cors has a MaxAge of %v by default", got)
	}
	app := []string{appPage}
	for _, row := range []struct {
		name   string
		policy cors.Policy
		header string
		want   string
	}{
		{"the default headers of gin-contrib/cors", cors.Policy{AllowedOrigins: app, AllowedHeaders: gincors.DefaultConfig().AllowHeaders}, "Access-Control-Allow-Headers", "Content-Type"},
		{"every https origin", cors.Policy{AllowedOrigins: []string{"https://*", "http://*"}}, "Access-Control-Allow-Origin", appPage},
		{"a pattern for a part of a label", cors.Policy{AllowedOrigins: []string{"https://pr-*.example.com", appPage}}, "Access-Control-Allow-Origin", appPage},
		{"a pattern for labels and the port", cors.Policy{AllowedOrigins: []string{"https://*.example.com:*"}}, "Access-Control-Allow-Origin", appPage},
		{"a MaxAge over a day", cors.Policy{AllowedOrigins: app, MaxAge: 48 * time.Hour}, "Access-Control-Max-Age", "172800"},
		{"a function that is always true, with credentials", cors.Policy{AllowOriginFunc: func(*http.Request, string) bool { return true }, AllowCredentials: true}, "Access-Control-Allow-Credentials", "true"},
	} {
		w, ran := testkit.Serve(testkit.MustNew(t, row.policy), preflightFrom(appPage))
		if got := w.Header().Get(row.header); got != row.want || w.Code != 204 || ran {
			t.Errorf("%s: got %d with %s: %q, want %q", row.name, w.Code, row.header, got, row.want)
		}
	}
}

func preflightFrom(origin string) *http.Request {
	return testkit.NewRequest("OPTIONS", "Origin: "+origin, "Access-Control-Request-Method: PUT")
}

// The blocks of docs/migrating.md, with those of before_rs_test.go and
// before_gin_test.go.

func afterRS(mux http.Handler) http.Handler {
	c, err := cors.New(cors.Policy{
		AllowedOrigins:   []string{"https://app.example.com", "http://localhost:*"},
		AllowedMethods:   []string{"PUT", "DELETE"},
		AllowedHeaders:   []string{"Authorization", "Content-Type"},
		AllowCredentials: true,
		MaxAge:           600 * time.Second,
		OnReject: func(r *http.Request, err *cors.RequestError) {
			slog.Warn("CORS", "error", err, "method", r.Method, "path", r.URL.Path)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := c.Handler(mux)
	return handler
}

func afterGin(updateItem gin.HandlerFunc) http.Handler {
	router := gin.New()
	router.PUT("/items/:id", updateItem)
	c, err := cors.New(cors.Policy{
		AllowedOrigins:   []string{"https://app.example.com", "https://*.example.com"},
		AllowedMethods:   []string{"PUT"},
		AllowedHeaders:   []string{"Content-Type"},
		AllowCredentials: true,
		MaxAge:           12 * time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := c.Handler(router)
	return handler
}

func afterFunc(mux http.Handler, isTenant func(origin string) bool) http.Handler {
	c, err := cors.New(cors.Policy{
		AllowOriginFunc:  func(r *http.Request, origin string) bool { return isTenant(origin) },
		AllowCredentials: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := c.Handler(mux)
	return handler
}

func afterVaryFunc(mux http.Handler, tenants map[string]string) http.Handler {
	c, err := cors.New(cors.Policy{
		AllowOriginFunc: func(r *http.Request, origin string) bool {
			return origin == tenants[r.Header.Get("X-Forwarded-Host")]
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	inner := c.Handler(mux)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "X-Forwarded-Host")
		inner.ServeHTTP(w, r)
	})
	return handler
}

func observing() (*cors.Middleware, error) {
	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://app.example.com"},
		PassRejected:   true, // remove this line when the log shows no more rejections to fix
		OnReject: func(r *http.Request, err *cors.RequestError) {
			slog.Warn("CORS", "error", err, "method", r.Method, "path", r.URL.Path)
		},
	})
	return c, err
}

func mountedOutside(c *cors.Middleware, mux, samlHandler http.Handler) http.Handler {
	site := http.NewServeMux()
	site.Handle("POST /saml/acs", samlHandler)
	site.Handle("/", c.Handler(mux))
	return site
}

func except(path string, middleware func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		others := middleware(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.URL.Path == path {
				next.ServeHTTP(w, r)
			} else {
				others.ServeHTTP(w, r)
			}
		})
	}
}

func withoutTrust(c *cors.Middleware, mux http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection() // trusts no other origin
	handler := c.Handler(protection.Handler(mux))
	return handler
}

func ginMiddleware(c *cors.Middleware) gin.HandlerFunc {
	return func(ctx *gin.Context) {
		passed := false
		c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passed = true
			ctx.Next()
		})).ServeHTTP(ctx.Writer, ctx.Request)
		if !passed {
			ctx.Abort()
		}
	}
}

// TestMigrationExamples sends the same requests to the examples before and after
// the move.
func TestMigrationExamples(t *testing.T) {
	ran := false
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true })
	rsPages, ginPages := []string{appPage, "http://localhost:3000"}, []string{appPage, "https://www.example.com"}
	for _, row := range []struct {
		name    string
		handler http.Handler
		pages   []string
		runs    bool // whether an actual request from another origin runs the handler
	}{
		{"before, with rs/cors", beforeRS(next), rsPages, true},
		{"after rs/cors", afterRS(next), rsPages, false},
		{"before, with gin-contrib/cors", beforeGin(gin.WrapH(next)), ginPages, false},
		{"after gin-contrib/cors", afterGin(gin.WrapH(next)), ginPages, false},
	} {
		b := corstest.Browser{Handler: row.handler}
		put := corstest.Request{
			Method: "PUT", URL: "https://api.example.com/items/1", Body: "{}",
			Header: http.Header{"Content-Type": {"application/json"}}, Credentials: corstest.Include,
		}
		for _, page := range row.pages {
			if res := b.Fetch(page, put); res.Err() != nil || res.Preflight == nil {
				t.Errorf("%s: %v", row.name, res)
			}
		}
		if res := b.Fetch(evilPage, put); res.Blocked == "" {
			t.Errorf("%s: %v", row.name, res)
		}
		ran = false
		r := httptest.NewRequest("PUT", "https://api.example.com/items/1", nil)
		r.Header.Set("Origin", evilPage)
		w := httptest.NewRecorder()
		row.handler.ServeHTTP(w, r)
		if ran != row.runs || (w.Code == 403) == row.runs || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: for a request from another origin, the handler ran: %t; it got %d %v", row.name, ran, w.Code, w.Header())
		}
	}
}

// TestMigrationFunctions compares functions for origins before and after the move.
func TestMigrationFunctions(t *testing.T) {
	isTenant := func(origin string) bool { return origin == appPage }
	tenants := map[string]string{"app.tenants.example": appPage, "partner.tenants.example": partnerPage}
	after, afterVary := afterFunc(nothing, isTenant), afterVaryFunc(nothing, tenants)
	for _, row := range []struct {
		name          string
		before, after http.Handler
		vary          []string
	}{
		{"rs/cors, AllowOriginFunc", beforeRSFunc(nothing, isTenant), after, []string{"Origin"}},
		{
			"gin-contrib/cors, AllowOriginFunc",
			gincorsMiddleware(gincors.Config{AllowOriginFunc: isTenant, AllowCredentials: true})(nothing), after, []string{"Origin"},
		},
		{"gorilla/handlers, AllowedOriginValidator", handlers.CORS(handlers.AllowedOriginValidator(isTenant), handlers.AllowCredentials())(nothing), after, nil},
		{"fiber, AllowOriginsFunc", fiberMiddleware(fibercors.Config{AllowOriginsFunc: isTenant, AllowCredentials: true})(nothing), after, []string{"Origin"}},
		{
			"rs/cors, AllowOriginVaryRequestFunc",
			rscors.New(rscors.Options{AllowOriginVaryRequestFunc: func(r *http.Request, origin string) (bool, []string) {
				return origin == tenants[r.Header.Get("X-Forwarded-Host")], []string{"X-Forwarded-Host"}
			}}).Handler(nothing), afterVary, []string{"Origin", "X-Forwarded-Host"},
		},
	} {
		for _, page := range []string{appPage, partnerPage, evilPage, "null"} {
			for _, method := range []string{"POST", "OPTIONS"} {
				r := testkit.NewRequest(method, "Origin: "+page, "X-Forwarded-Host: app.tenants.example")
				if method == "OPTIONS" {
					r.Header.Set("Access-Control-Request-Method", "POST")
				}
				before, after := httptest.NewRecorder(), httptest.NewRecorder()
				row.before.ServeHTTP(before, r)
				row.after.ServeHTTP(after, r)
				for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
					if got, want := after.Header().Get(name), before.Header().Get(name); got != want {
						t.Errorf("%s: %s from %s: %s is %q, and %q before the move", row.name, method, page, name, got, want)
					}
				}
				if allowed := after.Header().Get("Access-Control-Allow-Origin") != ""; allowed != (page == appPage) {
					t.Errorf("%s: %s from %s: allowed: %t", row.name, method, page, allowed)
				}
				for _, name := range row.vary {
					// gin-contrib/cors sets no Vary if it rejects a request.
					if !listed(after.Header(), "Vary", name) || page == appPage && !listed(before.Header(), "Vary", name) {
						t.Errorf("%s: %s from %s: Vary is %q, and %q before the move", row.name, method, page, after.Header()["Vary"], before.Header()["Vary"])
					}
				}
			}
		}
	}
}

// TestMigrationBlocks finds each block of Go in docs/migrating.md in this file,
// or in the files with the examples before the move.
func TestMigrationBlocks(t *testing.T) {
	checkBlocks(t, "migrating.md", 12, "migration_test.go", "before_rs_test.go", "before_gin_test.go")
}

// TestPassRejectedObserves shows that with PassRejected a rejected request runs
// and is reported, and a preflight and a WebSocket handshake are rejected.
func TestPassRejectedObserves(t *testing.T) {
	c, err := observing()
	if err != nil {
		t.Fatal(err)
	}
	p := c.Policy()
	reported := 0
	p.OnReject = func(*http.Request, *cors.RequestError) { reported++ }
	c = testkit.MustNew(t, p)
	for _, row := range []struct {
		name string
		r    *http.Request
		runs bool
	}{
		{"a form post", testkit.NewRequest("POST", testkit.Stranger, "Sec-Fetch-Site: cross-site"), true},
		{"a preflight", preflightFrom(evilPage), false},
		{"a WebSocket handshake", testkit.NewRequest("GET", testkit.Stranger, "Connection: Upgrade", "Upgrade: websocket"), false},
	} {
		reported = 0
		w, ran := testkit.Serve(c, row.r)
		if ran != row.runs || reported != 1 || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: the handler ran: %t, reported %d times, header %v", row.name, ran, reported, w.Header())
		}
	}
}

// TestFieldBugPostsFromOtherSites shows that a form post from another site
// reaches a route outside Handler, and only that route.
func TestFieldBugPostsFromOtherSites(t *testing.T) {
	c := newMiddleware(t)
	serve := func(routes func(path string, h http.HandlerFunc)) {
		for _, path := range []string{"/saml/acs", "/items"} {
			routes(path, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "served") })
		}
	}
	mux := http.NewServeMux()
	serve(func(path string, h http.HandlerFunc) { mux.Handle(path, h) })
	chiRouter := chi.NewRouter()
	chiRouter.Use(except("/saml/acs", c.Handler))
	serve(func(path string, h http.HandlerFunc) { chiRouter.Post(path, h) })
	echoRouter := echo.New()
	echoRouter.Pre(echo.WrapMiddleware(except("/saml/acs", c.Handler)))
	serve(func(path string, h http.HandlerFunc) { echoRouter.POST(path, echo.WrapHandler(h)) })

	for name, handler := range map[string]http.Handler{"net/http": mountedOutside(c, mux, mux), "chi": chiRouter, "echo": echoRouter} {
		for path, status := range map[string]int{"/saml/acs": 200, "/items": 403, "/saml/acs/": 403, "//saml/acs": 403, "/saml/../saml/acs": 403} {
			for _, origin := range []string{testkit.Stranger, "Origin: null"} {
				r := testkit.NewRequest("POST", origin, "Sec-Fetch-Site: cross-site")
				r.URL.Path = path
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != status && !(status == 403 && w.Code == 307) { // net/http redirects to the clean path
					t.Errorf("%s: a POST to %s with %s got %d, want %d", name, path, origin, w.Code, status)
				}
			}
		}
	}
}

// TestFormsFromListedOrigins shows that a form post from a listed origin runs
// without AllowCredentials, unless http.CrossOriginProtection is inside and does not
// trust the origin.
func TestFormsFromListedOrigins(t *testing.T) {
	c := newMiddleware(t)
	form := testkit.NewRequest("POST", "Origin: "+appPage, "Sec-Fetch-Site: cross-site", "Content-Type: application/x-www-form-urlencoded", "Cookie: session=1")
	if _, ran := testkit.Serve(c, form); !ran {
		t.Error("a form post from a listed origin does not run")
	}
	w := httptest.NewRecorder()
	withoutTrust(c, nothing).ServeHTTP(w, form)
	if w.Code != 403 || w.Header().Get("Access-Control-Allow-Origin") != appPage {
		t.Errorf("with http.CrossOriginProtection inside, it gets %d with %v", w.Code, w.Header())
	}
	trusting := http.NewCrossOriginProtection()
	if err := trusting.AddTrustedOrigin(appPage); err != nil {
		t.Fatal(err)
	}
	w = httptest.NewRecorder()
	c.Handler(trusting.Handler(nothing)).ServeHTTP(w, form)
	if w.Code != 200 {
		t.Errorf("with an http.CrossOriginProtection that trusts the origin, it gets %d", w.Code)
	}
}

// TestRSConstructors compares Default and AllowAll of rs/cors with the policies that
// docs/migrating.md gives for them.
func TestRSConstructors(t *testing.T) {
	page, err := os.ReadFile("../../docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	for _, row := range []struct {
		name   string
		there  *rscors.Cors
		policy cors.Policy
		words  string
	}{
		{
			"Default", rscors.Default(),
			cors.Policy{AllowedOrigins: []string{"*"}, AllowedHeaders: []string{"Content-Type", "X-Requested-With"}},
			"`cors.Default()` becomes `AllowedOrigins: []string{\"*\"}` and `AllowedHeaders: []string{\"Content-Type\", \"X-Requested-With\"}`.",
		},
		{
			"AllowAll", rscors.AllowAll(),
			cors.Policy{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"PUT", "PATCH", "DELETE"}, AllowedHeaders: []string{"*", "Authorization"}},
			"`cors.AllowAll()` becomes `AllowedOrigins: []string{\"*\"}`, `AllowedMethods: []string{\"PUT\", \"PATCH\", \"DELETE\"}` and `AllowedHeaders: []string{\"*\", \"Authorization\"}`.",
		},
	} {
		if !strings.Contains(text, row.words) {
			t.Errorf("docs/migrating.md does not have the words %q", row.words)
		}
		w := httptest.NewRecorder()
		row.there.Handler(nothing).ServeHTTP(w, preflight("OPTIONS"))
		if w.Header().Get("Access-Control-Allow-Methods") != "OPTIONS" || testkit.MustNew(t, row.policy).Check(preflight("OPTIONS")) == nil {
			t.Errorf("%s: rs/cors does not let scripts send OPTIONS, or this package does", row.name)
		}
		there, here := corstest.Browser{Handler: row.there.Handler(nothing)}, corstest.Browser{Handler: testkit.MustNew(t, row.policy).Handler(nothing)}
		for _, page := range []string{appPage, evilPage, "null"} {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PURGE"} {
				for _, header := range []string{"Accept", "Authorization", "Content-Type", "X-Requested-With", "X-Request-Id"} {
					for _, mode := range []corstest.Credentials{corstest.SameOrigin, corstest.Include} {
						r := corstest.Request{Method: method, URL: "https://api.example.com/", Header: http.Header{header: {"application/json"}}, Credentials: mode}
						if got, want := here.Fetch(page, r).Err() == nil, there.Fetch(page, r).Err() == nil; got != want {
							t.Errorf("%s: %s with %s from %s, credentials mode %v: allowed: %t; by rs/cors: %t", row.name, method, header, page, mode, got, want)
						}
					}
				}
			}
		}
	}
}

// TestGinMiddleware sends the requests of TestRouters to a gin engine that calls
// Handler in its chain.
func TestGinMiddleware(t *testing.T) {
	a := new(api)
	engine := newEngine()
	engine.Use(ginMiddleware(newMiddleware(t)))
	engine.PUT("/items/:id", func(ctx *gin.Context) { ctx.String(http.StatusOK, a.item(ctx.Param("id"))) })
	addr := listen(t, engine)
	for _, e := range exchanges {
		a.runs.Store(0)
		res, body := roundTrip(t, addr, e)
		if res.StatusCode != e.status || e.status == 200 && body != e.body || (a.runs.Load() == 1) != (e.status == 200) {
			t.Errorf("%s: got %d %q, the handler ran %d times", e.name, res.StatusCode, body, a.runs.Load())
		}
		for _, name := range corsHeaders {
			if got, want := res.Header.Values(name), e.corsHeader[name]; strings.Join(got, ", ") != want {
				t.Errorf("%s: %s is %q, not %q", e.name, name, got, want)
			}
		}
	}
	grouped := newEngine()
	grouped.Group("/", ginMiddleware(newMiddleware(t))).PUT("/items/:id", gin.WrapH(nothing))
	if res, _ := roundTrip(t, listen(t, grouped), exchanges[0]); res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the middleware of a group sees preflights")
	}
}

// TestChiGroups shows that preflights reach middleware of a router and of Route,
// and do not reach middleware of Group and With.
func TestChiGroups(t *testing.T) {
	c := newMiddleware(t)
	put := func(r chi.Router) { r.Put("/items/{id}", nothing) }
	for _, row := range []struct {
		name   string
		routes func(r chi.Router)
		sees   bool
	}{
		{"Use", func(r chi.Router) { r.Use(c.Handler); put(r) }, true},
		{"Route", func(r chi.Router) { r.Route("/", func(r chi.Router) { r.Use(c.Handler); put(r) }) }, true},
		{"Group", func(r chi.Router) { r.Group(func(r chi.Router) { r.Use(c.Handler); put(r) }) }, false},
		{"With", func(r chi.Router) { put(r.With(c.Handler)) }, false},
	} {
		r := chi.NewRouter()
		row.routes(r)
		w := httptest.NewRecorder()
		preflight := preflightFrom(appPage)
		preflight.URL.Path = "/items/1"
		r.ServeHTTP(w, preflight)
		if got := w.Code == 204; got != row.sees {
			t.Errorf("%s: a preflight got %d", row.name, w.Code)
		}
	}
}

// TestNestedMiddlewares shows that the outer middleware responds to preflights,
// and that a request must pass both.
func TestNestedMiddlewares(t *testing.T) {
	outer := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{appPage, partnerPage}, AllowedMethods: []string{"PUT"}})
	inner := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{appPage, evilPage}, AllowedMethods: []string{"DELETE"}})
	handler := outer.Handler(inner.Handler(nothing))
	for _, row := range []struct {
		name string
		r    *http.Request
		want int
	}{
		{"preflight", preflightFrom(partnerPage), 204},
		{"both allow", testkit.NewRequest("PUT", "Origin: "+appPage), 200},
		{"only the outer one allows", testkit.NewRequest("PUT", "Origin: "+partnerPage), 403},
		{"only the inner one allows", testkit.NewRequest("PUT", "Origin: "+evilPage), 403},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, row.r)
		if w.Code != row.want || row.want == 204 && w.Header().Get("Access-Control-Allow-Methods") != "PUT" {
			t.Errorf("%s: got %d %v", row.name, w.Code, w.Header())
		}
	}
}

// TestEmptyPolicyTurnsCORSOff shows that an empty policy with PassRejected turns
// CORS off and that the previous policy turns it on.
func TestEmptyPolicyTurnsCORSOff(t *testing.T) {
	c := newMiddleware(t)
	on := c.Policy()
	for _, p := range []cors.Policy{{PassRejected: true}, on} {
		if err := c.SetPolicy(p); err != nil {
			t.Fatal(err)
		}
		w, ran := testkit.Serve(c, testkit.NewRequest("PUT", "Origin: "+appPage))
		if got := w.Header().Get("Access-Control-Allow-Origin") != ""; !ran || got == p.PassRejected {
			t.Errorf("PassRejected: %t: the handler ran: %t, header %v", p.PassRejected, ran, w.Header())
		}
	}
}

// TestOriginAllowedDiffersFromCheck compares OriginAllowed of rs/cors with Check.
func TestOriginAllowedDiffersFromCheck(t *testing.T) {
	there := rscors.New(rscors.Options{AllowedOrigins: []string{appPage}})
	here := newMiddleware(t)
	for _, row := range []struct {
		name        string
		header      []string
		there, here bool
	}{
		{"an allowed origin", []string{"Origin: " + appPage}, true, true},
		{"another origin", []string{"Origin: " + evilPage}, false, false},
		{"no Origin", nil, false, true},
		{"the server's own origin", []string{"Origin: https://api.example", "Sec-Fetch-Site: same-origin"}, false, true},
	} {
		r := testkit.NewRequest("POST", row.header...)
		if there.OriginAllowed(r) != row.there || (here.Check(r) == nil) != row.here {
			t.Errorf("%s: OriginAllowed: %t, Check: %v", row.name, there.OriginAllowed(r), here.Check(r))
		}
	}
	unlisted := testkit.NewRequest("OPTIONS", "Origin: "+appPage, "Access-Control-Request-Method: DELETE")
	if !there.OriginAllowed(unlisted) || here.Check(unlisted) == nil {
		t.Error("OriginAllowed or Check accepts an unlisted method differently")
	}
}
