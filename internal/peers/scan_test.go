package peers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/f407da42/cors/corstest"
	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	chicors "github.com/go-chi/cors"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v5"
	echomiddleware "github.com/labstack/echo/v5/middleware"
	rscors "github.com/rs/cors"
)

// TestScanFindsUsualMistakes scans servers with mistakes that are common with
// other packages, and the same servers without the mistake.
func TestScanFindsUsualMistakes(t *testing.T) {
	const page = "https://app.example.com"
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	always := func(string) bool { return true }
	rs := func(o rscors.Options) http.Handler { return rscors.New(o).Handler(ok) }
	chi := func(o chicors.Options) http.Handler { return chicors.Handler(o)(ok) }
	withGin := func(c gincors.Config) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		c.AllowMethods = []string{"PUT"}
		engine := gin.New()
		engine.Use(gincors.New(c))
		engine.Any("/", gin.WrapH(ok))
		return engine
	}
	withEcho := func(c echomiddleware.CORSConfig) http.Handler {
		e := echo.New()
		e.Use(echomiddleware.CORSWithConfig(c))
		e.Any("/", echo.WrapHandler(ok))
		return e
	}
	topics := []string{"any origin", "null", "mistakes other hosts", "other hosts in the domain", "on the network path", "do not all have Vary", "Browsers do not accept both"}
	for _, test := range []struct {
		name   string
		server http.Handler
		want   string // severity and topic of each finding
	}{
		{"rs/cors, a list", rs(rscors.Options{AllowedOrigins: []string{page}, AllowCredentials: true}), ""},
		{"rs/cors, a function that always returns true", rs(rscors.Options{AllowOriginFunc: always, AllowCredentials: true}), "High: any origin"},
		{"rs/cors, a function that compares a prefix", rs(rscors.Options{AllowOriginFunc: func(origin string) bool { return strings.HasPrefix(origin, page) }, AllowCredentials: true}), "High: mistakes other hosts; Low: other hosts in the domain"},
		{"rs/cors, a function that compares a suffix", rs(rscors.Options{AllowOriginFunc: func(origin string) bool { return strings.HasSuffix(origin, "example.com") }, AllowCredentials: true}), "High: mistakes other hosts; Low: on the network path; Low: other hosts in the domain"},
		{"rs/cors, the default", rscors.Default().Handler(ok), "Info: any origin"},
		{"rs/cors, * with credentials", rs(rscors.Options{AllowedOrigins: []string{"*"}, AllowCredentials: true}), "Low: Browsers do not accept both; Info: any origin"},
		{"rs/cors, a wildcard", rs(rscors.Options{AllowedOrigins: []string{"https://*.example.com"}, AllowCredentials: true}), "Low: other hosts in the domain"},
		{"rs/cors, a wildcard without a dot", rs(rscors.Options{AllowedOrigins: []string{"https://*example.com"}, AllowCredentials: true}), "High: mistakes other hosts; Low: other hosts in the domain"},
		{"rs/cors, null", rs(rscors.Options{AllowedOrigins: []string{page, "null"}, AllowCredentials: true}), "High: null"},

		{"gin-contrib/cors, a list", withGin(gincors.Config{AllowOrigins: []string{page}, AllowCredentials: true}), "Medium: do not all have Vary"},
		{"gin-contrib/cors, all origins with credentials", withGin(gincors.Config{AllowAllOrigins: true, AllowCredentials: true}), "Low: Browsers do not accept both; Info: any origin"},
		{"gin-contrib/cors, a function that always returns true", withGin(gincors.Config{AllowOriginFunc: always, AllowCredentials: true}), "High: any origin; Medium: do not all have Vary"},
		{"gin-contrib/cors, a wildcard at the end", withGin(gincors.Config{AllowOrigins: []string{page, "http://localhost*"}, AllowWildcard: true, AllowCredentials: true}), "High: mistakes other hosts; Medium: do not all have Vary"},
		{"gin-contrib/cors, a wildcard without a dot", withGin(gincors.Config{AllowOrigins: []string{"https://*example.com"}, AllowWildcard: true, AllowCredentials: true}), "High: mistakes other hosts; Medium: do not all have Vary; Low: other hosts in the domain"},

		{"go-chi/cors, a list", chi(chicors.Options{AllowedOrigins: []string{page}, AllowCredentials: true}), ""},
		{"go-chi/cors, as its README shows", chi(chicors.Options{AllowedOrigins: []string{"https://*", "http://*"}}), "Info: any origin"},
		{"go-chi/cors, as its README shows, with credentials", chi(chicors.Options{AllowedOrigins: []string{"https://*", "http://*"}, AllowCredentials: true}), "High: any origin"},
		{"go-chi/cors, a function that always returns true", chi(chicors.Options{AllowOriginFunc: func(*http.Request, string) bool { return true }, AllowCredentials: true}), "High: any origin"},

		{"gorilla/handlers, a list", handlers.CORS(handlers.AllowedOrigins([]string{page}), handlers.AllowCredentials())(ok), "Medium: do not all have Vary"},
		{"gorilla/handlers, a validator that always returns true", handlers.CORS(handlers.AllowedOriginValidator(always), handlers.AllowCredentials())(ok), "High: any origin; Medium: do not all have Vary"},

		{"echo, a list", withEcho(echomiddleware.CORSConfig{AllowOrigins: []string{page}, AllowCredentials: true}), ""},
		{"echo, any origin", withEcho(echomiddleware.CORSConfig{AllowOrigins: []string{"*"}}), "Info: any origin"},
		{"echo, a function that always returns true", withEcho(echomiddleware.CORSConfig{UnsafeAllowOriginFunc: func(_ *echo.Context, origin string) (string, bool, error) { return origin, true, nil }, AllowCredentials: true}), "High: any origin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: test.server, Cookie: "session=1"}
			report := b.Scan(page, corstest.Request{Method: "PUT", URL: "https://api.example.com/"})
			var got []string
			for _, f := range report.Findings {
				for _, topic := range topics {
					if strings.Contains(f.What, topic) {
						got = append(got, f.Severity.String()+": "+topic)
					}
				}
			}
			if got := strings.Join(got, "; "); got != test.want {
				t.Errorf("got  %s\nwant %s\n%s", got, test.want, report)
			}
		})
	}
}
