package peers_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/handlers"
	rscors "github.com/rs/cors"
)

// TestMigrationInDocs holds the tables for those who come from another package
// to what that package has, field by field, and to the fields that there are
// here.
func TestMigrationInDocs(t *testing.T) {
	for _, other := range []struct {
		heading string
		fields  []string
	}{
		{"## From rs/cors (" + version(t, "github.com/rs/cors") + ")", fields[rscors.Options]()},
		{"## From gorilla/handlers (" + version(t, "github.com/gorilla/handlers") + ")", slices.Collect(maps.Keys(gorillaOptions))},
		{"## From gin-contrib/cors (" + version(t, "github.com/gin-contrib/cors") + ")", fields[gincors.Config]()},
		// Not required by go.mod, so these names are not compared with its own.
		{"## From jub0bs/cors (1.0.2)", []string{
			"Origins", "Credentialed", "Methods", "RequestHeaders", "MaxAgeInSeconds", "ResponseHeaders",
			"DangerouslyTolerateInsecureOrigins", "DangerouslyTolerateSubdomainsOfPublicSuffixes",
		}},
	} {
		var shown []string
		for _, row := range tableIn(t, "migrating.md", other.heading)[1:] {
			shown = append(shown, strings.Trim(row[0], "`"))
			if here := strings.Trim(row[1], "`"); here != "" && !slices.Contains(fields[cors.Policy](), here) {
				t.Errorf("%s: cors.Policy has no field %q", other.heading, here)
			}
		}
		slices.Sort(shown)
		slices.Sort(other.fields)
		if !slices.Equal(shown, other.fields) {
			t.Errorf("%s: docs/migrating.md shows %q, not %q", other.heading, shown, other.fields)
		}
	}
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

// TestMigration shows what docs/migrating.md says of other packages, beyond what
// TestDefects does.
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
		response   map[string]string // of some headers; empty where they must be absent
	}{
		{
			"rs/cors without AllowedOrigins allows any", rscors.New(rscors.Options{}).Handler,
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
			"rs/cors has AllowOriginFunc replace AllowedOrigins",
			rscors.New(rscors.Options{AllowedOrigins: []string{app}, AllowOriginFunc: isTenant}).Handler,
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{
			"rs/cors without AllowedHeaders allows some", rscors.New(rscors.Options{}).Handler,
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-requested-with"},
			204, false, map[string]string{"Access-Control-Allow-Headers": "content-type,x-requested-with"},
		},
		{
			"rs/cors echoes Authorization for *", rscors.New(rscors.Options{AllowedHeaders: []string{"*"}}).Handler,
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
			204, false, map[string]string{"Access-Control-Allow-Headers": "authorization"},
		},
		{
			"gorilla/handlers without AllowedOrigins allows any", handlers.CORS(),
			"GET", map[string]string{"Origin": evil},
			200, true, map[string]string{"Access-Control-Allow-Origin": "*"},
		},
		{
			"gorilla/handlers has AllowedOriginValidator replace AllowedOrigins",
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
			"gorilla/handlers takes put for PUT, and cuts MaxAge",
			handlers.CORS(handlers.AllowedMethods([]string{"put"}), handlers.MaxAge(3600)),
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "PUT"},
			200, false, map[string]string{"Access-Control-Allow-Methods": "PUT", "Access-Control-Max-Age": "600"},
		},
		{
			"gorilla/handlers answers OPTIONS without Origin", handlers.CORS(),
			"OPTIONS", nil,
			200, false, nil,
		},
		{
			"gin-contrib/cors asks AllowOriginFunc after AllowOrigins",
			ginMiddleware(gincors.Config{AllowOrigins: []string{app}, AllowOriginFunc: isTenant}),
			"GET", map[string]string{"Origin": app},
			200, true, map[string]string{"Access-Control-Allow-Origin": app},
		},
		{
			"gin-contrib/cors takes * for a pattern with AllowWildcard only",
			ginMiddleware(gincors.Config{AllowOrigins: []string{"https://*.example.com"}}),
			"GET", map[string]string{"Origin": app},
			403, false, nil,
		},
		{
			"gin-contrib/cors takes * for any characters",
			ginMiddleware(gincors.Config{AllowOrigins: []string{"https://app*"}, AllowWildcard: true}),
			"GET", map[string]string{"Origin": "https://apparent.example"},
			200, true, map[string]string{"Access-Control-Allow-Origin": "https://apparent.example"},
		},
		{
			"gin-contrib/cors cuts fractions of a second off",
			ginMiddleware(gincors.Config{AllowAllOrigins: true, MaxAge: 1500 * time.Millisecond}),
			"OPTIONS", map[string]string{"Origin": app, "Access-Control-Request-Method": "PUT"},
			204, false, map[string]string{"Access-Control-Max-Age": "1"},
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

func ginMiddleware(c gincors.Config) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		engine := newEngine()
		engine.Use(gincors.New(c))
		engine.Any("/*path", gin.WrapH(next))
		return engine
	}
}

// TestMigrationRefused shows that what others take, and docs/migrating.md
// says is refused here, cannot go unnoticed.
func TestMigrationRefused(t *testing.T) {
	app := []string{"https://app.example.com"}
	for _, row := range []struct {
		name   string
		policy cors.Policy
		field  string
	}{
		{"a number of seconds", cors.Policy{AllowedOrigins: app, MaxAge: 600}, "MaxAge"},
		{"a fraction of a second", cors.Policy{AllowedOrigins: app, MaxAge: 1500 * time.Millisecond}, "MaxAge"},
		{"a method in lower case", cors.Policy{AllowedOrigins: app, AllowedMethods: []string{"put"}}, "AllowedMethods"},
		{"Origin, of gin-contrib/cors's defaults", cors.Policy{AllowedOrigins: app, AllowedHeaders: gincors.DefaultConfig().AllowHeaders[:1]}, "AllowedHeaders"},
		{"Content-Length, of gin-contrib/cors's defaults", cors.Policy{AllowedOrigins: app, AllowedHeaders: gincors.DefaultConfig().AllowHeaders[1:2]}, "AllowedHeaders"},
		{"any origin beside another", cors.Policy{AllowedOrigins: []string{"*", "https://app.example.com"}}, "AllowedOrigins"},
		{"an origin in upper case", cors.Policy{AllowedOrigins: []string{"https://App.example.com"}}, "AllowedOrigins"},
		{"names that anybody can register, with credentials", cors.Policy{AllowedOrigins: []string{"https://*.github.io"}, AllowCredentials: true}, "AllowedOrigins"},
		{"http: with credentials", cors.Policy{AllowedOrigins: []string{"http://app.example.com"}, AllowCredentials: true}, "AllowedOrigins"},
		{"null", cors.Policy{AllowedOrigins: []string{"null"}}, "AllowedOrigins"},
	} {
		_, err := cors.New(row.policy)
		var mistake *cors.PolicyError
		if !errors.As(err, &mistake) || mistake.Field != row.field {
			t.Errorf("%s: New returns %v", row.name, err)
		}
	}
	if got, want := gincors.DefaultConfig().AllowHeaders, []string{"Origin", "Content-Length", "Content-Type"}; !slices.Equal(got, want) {
		t.Errorf("gin-contrib/cors allows %q by default, not %q", got, want)
	}
}
