package peers_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/coder/websocket"
	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	gorilla "github.com/gorilla/websocket"
	"github.com/julienschmidt/httprouter"
	"github.com/labstack/echo/v5"
	echomiddleware "github.com/labstack/echo/v5/middleware"
	rscors "github.com/rs/cors"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunAdvice(m, true) }

// If the origin, the method or a header is not allowed, some middlewares send the
// same response, so the advice must not blame only the origin or authentication.
func TestFieldBugAdviceOnPeers(t *testing.T) {
	const (
		three  = "it does not allow the origin, the method or one of the headers."
		guard  = "Either a guard (such as authentication) rejected the preflight, or the CORS middleware did"
		null   = "Any local file or sandboxed page can have the origin null."
		router = "Either the router responded to OPTIONS itself, or the CORS middleware rejected the method"
	)
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	with := func(name string) http.Handler {
		i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
		h, err := peers[i].wrap(&ordinary, ok)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	policy := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{"https://app.example.com"}, AllowedMethods: []string{"PUT"}})
	nested := rscors.Default().Handler(policy.Handler(ok))
	patch := corstest.Request{Method: "PATCH", URL: itemURL}
	header := corstest.Request{URL: itemURL, Header: http.Header{"X-Nope": {"1"}}}
	const listed = "add exactly https://evil.example, without a trailing slash, to the list of allowed origins."
	ginSlash := newEngine()
	ginSlash.Use(gincors.New(gincors.Config{AllowOrigins: []string{appPage + "/"}}), gin.WrapH(ok))
	const exactly = "exactly https://app.example.com, without a trailing slash,"
	putOnly := rscors.New(rscors.Options{AllowedOrigins: []string{appPage}, AllowedMethods: []string{"PUT"}}).Handler(ok)
	for _, test := range []struct {
		name    string
		service http.Handler
		page    string
		request corstest.Request
		advice  string
	}{
		{"rs/cors, method", with("rs/cors"), "https://app.example.com", patch, three},
		{"rs/cors, header", with("rs/cors"), "https://app.example.com", header, three},
		{"rs/cors, the method of a request without a preflight", putOnly, "https://app.example.com", corstest.Request{Method: "POST", URL: itemURL}, "Some CORS packages, such as rs/cors, also need POST in AllowedMethods."},
		{"go-chi/cors, method", with("go-chi/cors"), "https://app.example.com", patch, three},
		{"go-chi/cors, header", with("go-chi/cors"), "https://app.example.com", header, three},
		{"the default of rs/cors outside this package", nested, "https://app.example.com", corstest.Request{Method: "PUT", URL: itemURL}, "another CORS middleware in front of package cors may have responded"},
		{"rs/cors, a trailing slash in its list", rscors.New(rscors.Options{AllowedOrigins: []string{appPage + "/"}}).Handler(ok), appPage, corstest.Request{URL: itemURL}, exactly},
		{"rs/cors, a trailing slash in its list, preflight", rscors.New(rscors.Options{AllowedOrigins: []string{appPage + "/"}}).Handler(ok), appPage, patch, "the origin https://app.example.com (exactly, without a trailing slash)"},
		{"gin-contrib/cors, a trailing slash in its list", ginSlash, appPage, corstest.Request{URL: itemURL}, exactly},
		{"gin-contrib/cors, a trailing slash in its list, preflight", ginSlash, appPage, patch, "the origin https://app.example.com (exactly, without a trailing slash)"},
		{"gorilla/handlers, method", with("gorilla/handlers"), "https://app.example.com", patch, router},
		{"gorilla/handlers, origin, preflight", with("gorilla/handlers"), "https://evil.example", patch, listed},
		{"gorilla/handlers, origin", with("gorilla/handlers"), "https://evil.example", corstest.Request{URL: itemURL}, listed},
		{"gorilla/handlers, header", with("gorilla/handlers"), "https://app.example.com", header, guard},
		{"gin-contrib/cors, origin, preflight", with("gin-contrib/cors"), "https://evil.example", patch, guard},
		{"gin-contrib/cors, origin", with("gin-contrib/cors"), "https://evil.example", corstest.Request{URL: itemURL}, "or the CORS middleware rejected the page's origin, as gin-contrib/cors does"},
		{"gin-contrib/cors, null", with("gin-contrib/cors"), "null", corstest.Request{URL: itemURL}, null},
		{"gin-contrib/cors, WebSocket", with("gin-contrib/cors"), "https://evil.example", corstest.Request{URL: itemURL, Mode: corstest.WebSocket}, "or a CORS middleware such as gin-contrib/cors, that rejected the handshake."},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: test.service}
			if res := b.Fetch(test.page, test.request); !strings.Contains(res.Advice, test.advice) {
				t.Errorf("want advice %q\n%v", test.advice, res)
			}
		})
	}
}

// TestAdviceOnPackages produces examples of docs/advice.md with the packages of
// real services.
func TestAdviceOnPackages(t *testing.T) {
	wrap := func(p cors.Policy, next http.Handler) http.Handler { return testkit.MustNew(t, p).Handler(next) }
	origins := []string{appPage}
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	listed := wrap(cors.Policy{AllowedOrigins: origins, AllowedMethods: []string{"PATCH"}}, ok)
	unlisted := wrap(cors.Policy{AllowedOrigins: []string{partnerPage}}, ok)
	public := wrap(cors.Policy{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"PATCH"}}, ok)
	denied := wrap(cors.Policy{DenyHandler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })}, ok)
	undecided := wrap(cors.Policy{AllowOriginFunc: func(*http.Request, string) bool { return false }}, ok)
	varies := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "Accept") })

	rsAll := rscors.New(rscors.Options{AllowedHeaders: []string{"X-Id"}})
	rsPartner := rscors.New(rscors.Options{AllowedOrigins: []string{partnerPage}})
	rsPage := rscors.New(rscors.Options{AllowedOrigins: origins})
	rsPassThrough := rscors.New(rscors.Options{AllowedMethods: []string{"DELETE"}, OptionsPassthrough: true})
	ginCORS := newEngine()
	ginCORS.Use(gincors.New(gincors.Config{AllowOrigins: []string{partnerPage}}))
	ginCORS.NoRoute(gin.WrapH(ok))
	ginGet := newEngine()
	ginGet.Use(gincors.New(gincors.Config{AllowAllOrigins: true, AllowMethods: []string{"GET"}}), gin.WrapH(ok))
	ginRoutes := newEngine()
	ginRoutes.PUT("/items", gin.WrapH(ok))
	ginAccounts := newEngine()
	ginAccounts.Use(gin.BasicAuth(gin.Accounts{"me": "secret"}), gin.WrapH(listed))
	echoKeys := echo.New()
	echoKeys.Use(echomiddleware.CORS(partnerPage), echomiddleware.KeyAuth(func(*echo.Context, string, echomiddleware.ExtractorSource) (bool, error) { return false, nil }))
	echoKeys.GET("/items", echo.WrapHandler(ok))
	gorillaCORS := handlers.CORS(handlers.AllowedOrigins(origins))(ok)

	chiRoutes := chi.NewRouter()
	chiRoutes.Get("/socket", ok)
	julienRoutes := httprouter.New()
	julienRoutes.Handler("PUT", "/items", ok)
	mux := http.NewServeMux()
	mux.Handle("GET /items", listed)
	folders := http.NewServeMux()
	folders.Handle("/items/", listed)
	files := http.FileServerFS(fstest.MapFS{"items": {Data: []byte("items")}})
	toLogin, toProvider := http.RedirectHandler("/login", http.StatusFound), http.RedirectHandler("https://login.example.com/?next=/", http.StatusFound)
	chiAuth := chimiddleware.BasicAuth("api", map[string]string{"me": "secret"})
	// withoutUpgrade is a proxy that does not forward Upgrade.
	withoutUpgrade := func(service http.Handler) http.Handler {
		proxy := proxyTo(t, service, nil).(*httputil.ReverseProxy)
		rewrite := proxy.Rewrite
		proxy.Rewrite = func(r *httputil.ProxyRequest) {
			rewrite(r)
			r.Out.Header.Del("Upgrade")
		}
		return proxy
	}
	// redirects sends a page from another host to next.
	redirects := func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("other.example.com/", rsAll.Handler(http.RedirectHandler("https://api.example.com/items", http.StatusFound)))
		mux.Handle("/", next)
		return mux
	}
	small := httptest.NewUnstartedServer(listed)
	small.Config.MaxHeaderBytes = 1
	small.Start()
	defer small.Close()
	secure := httptest.NewTLSServer(listed)
	defer secure.Close()
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	preflights := http.NewServeMux()
	preflights.Handle("OPTIONS /items", rsAll.Handler(ok))
	preflights.Handle("GET /items", ok)

	for _, test := range []struct {
		software, response string
		handler            http.Handler // handler for all URLs; if nil, url is of a real server
		url                string       // URL of the request; the default is in the row
	}{
		{"this package, AllowedOrigins", "The preflight gets 403 with the body `cross-origin request rejected: …`.", unlisted, ""},
		{"this package, AllowedOrigins, without a preflight", "The request gets 403 with the body `cross-origin request rejected: …`.", unlisted, ""},
		{"this package, AllowOriginFunc", "The preflight gets 403 with the body `cross-origin request rejected: …`.", undecided, ""},
		{"this package, null", "The request from a page whose origin is `null` gets 403 with the body `cross-origin request rejected: …`.", unlisted, ""},
		{"this package, null, form", "The form post from a page whose origin is `null` gets 403 with the body `cross-origin request rejected: …`.", unlisted, ""},
		{"this package, after rs/cors on another host", "After a redirect from another server, the request gets 403 with the body `cross-origin request rejected: …`.", redirects(unlisted), ""},
		{"this package, form to http", "The form post to `http://api.example.com/` gets 403 with the body `cross-origin request rejected: …`.", unlisted, ""},
		{"this package inside rs/cors", "After a successful preflight, the request gets 403 with the body `cross-origin request rejected: …`.", rsAll.Handler(unlisted), ""},
		{"this package inside http.CrossOriginProtection", "The `POST` request gets 403 with the body `cross-origin request detected …`.", http.NewCrossOriginProtection().Handler(listed), ""},

		{"rs/cors", "The preflight gets 204 with `Vary: Origin`.", rsPartner.Handler(ok), ""},
		{"this package, DenyHandler", "The preflight gets 403 with `Vary: Origin`.", denied, ""},
		{"rs/cors, which passes preflights to a handler that panics", "The preflight gets 500 with `Vary: Origin`.", recovery(rscors.New(rscors.Options{AllowedOrigins: []string{partnerPage}, OptionsPassthrough: true}).Handler(http.HandlerFunc(panics))), ""},
		{"rs/cors, which passes preflights to a router without the path", "The preflight gets 404 with `Vary: Origin`.", rscors.New(rscors.Options{AllowedOrigins: []string{partnerPage}, OptionsPassthrough: true}).Handler(http.NotFoundHandler()), ""},
		{"chi's BasicAuth outside", "The preflight gets 401.", chiAuth(listed), ""},
		{"gin's BasicAuth outside", "The preflight gets 401.", ginAccounts, ""},
		{"gin-contrib/cors", "The preflight gets 403.", ginCORS, ""},
		{"gin's router", "The preflight gets 404.", ginRoutes, ""},
		{"gorilla/handlers", "The preflight gets 405.", gorillaCORS, ""},
		{"http.ServeMux with a method", "The preflight gets 405 with `Allow: GET`.", mux, ""},
		{"httprouter", "The preflight gets 200.", julienRoutes, ""},
		{"rs/cors, which passes preflights to http.ServeMux", "The preflight gets 405 with `Access-Control-Allow-Origin: *`.", rsPassThrough.Handler(mux), ""},
		{"http.ServeMux with a slash", "The preflight gets 307 with `Location: /items/`.", folders, ""},
		{"http.RedirectHandler", "The preflight gets 302 with `Location: https://login.example.com/`.", toProvider, ""},
		{"gorilla/handlers, which recovers from a panic", "The preflight gets 500.", recovery(http.HandlerFunc(panics)), ""},
		{"httputil.ReverseProxy without its upstream", "The preflight gets 502.", deadProxy(nil, nil), ""},
		{"x/time/rate outside", "The preflight gets 429.", requestLimit(0)(listed), ""},

		{"http.FileServer", "The request gets 200.", files, ""},
		{"rs/cors, only for OPTIONS", "After a successful preflight, the request gets 200.", preflights, ""},
		{"http.Server with TLS", "The request to `http://api.example.com:443/` gets 400 with the body `Client sent an HTTP request to an HTTPS server.`.", nil, "http://" + secure.Listener.Addr().String()},
		{"rs/cors, origin", "The request gets 200 with `Vary: Origin`.", rsPartner.Handler(ok), ""},
		{"rs/cors, origin and path", "The request gets 404 with `Vary: Origin`.", rsPartner.Handler(http.NotFoundHandler()), ""},
		{"rs/cors, method", "The request gets 404 with `Vary: Origin`.", rscors.New(rscors.Options{AllowedOrigins: origins, AllowedMethods: []string{"PUT"}}).Handler(http.NotFoundHandler()), ""},
		{"gin-contrib/cors", "The request gets 403.", ginCORS, ""},
		{"echo's KeyAuth inside its CORS", "The request gets 401 with `Vary: Origin`.", echoKeys, ""},
		{"chi's BasicAuth outside", "The request gets 401.", chiAuth(listed), ""},
		{"x/time/rate outside", "The request gets 429.", requestLimit(0)(listed), ""},
		{"gorilla/handlers, which recovers from a panic", "The request gets 500.", recovery(http.HandlerFunc(panics)), ""},
		{"http.MaxBytesHandler outside", "The `POST` request gets 413.", http.MaxBytesHandler(http.HandlerFunc(readsBody), 1), ""},
		{"http.Server with MaxHeaderBytes", "The request gets 431.", nil, small.URL + "/?" + strings.Repeat("x", 8<<10)},
		{"httputil.ReverseProxy without its upstream", "The request gets 502.", deadProxy(nil, nil), ""},
		{"http.RedirectHandler", "The request gets 302 with `Location: /login`.", toLogin, ""},
		{"http.RedirectHandler to another host", "The request gets 302 with `Location: https://login.example.com/`.", toProvider, ""},
		{"http.FileServer after rs/cors on another host", "After a redirect from another server, the request gets 200.", redirects(files), ""},

		{"httputil.ReverseProxy to rs/cors, inside this package", "The request gets 200 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Origin: https://app.example.com`.", wrap(cors.Policy{AllowedOrigins: origins}, proxyTo(t, rsAll.Handler(ok), nil)), ""},
		{"rs/cors by default", "The request with credentials gets 200 with `Access-Control-Allow-Origin: *`.", rscors.Default().Handler(ok), ""},
		{"rs/cors", "The request with credentials gets 200 with `Access-Control-Allow-Origin: https://app.example.com`.", rsPage.Handler(ok), ""},
		{"rs/cors, any origin, preflight", "The preflight of a request with credentials gets 204 with `Access-Control-Allow-Origin: *`.", rscors.AllowAll().Handler(ok), ""},
		{"rs/cors, one origin, preflight", "The preflight of a request with credentials gets 204 with `Access-Control-Allow-Origin: https://app.example.com`.", rscors.New(rscors.Options{AllowedOrigins: origins, AllowedMethods: []string{"DELETE"}}).Handler(ok), ""},
		{"rs/cors, any origin with credentials", "The request with credentials gets 200 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Credentials: true`.", rscors.New(rscors.Options{AllowCredentials: true}).Handler(ok), ""},
		{"rs/cors after a redirect from the page's own host", "After a redirect from another server, the request with credentials from a page on `https://other.example.com` gets 200 with `Access-Control-Allow-Origin: https://other.example.com`.", redirects(rscors.New(rscors.Options{AllowedOrigins: []string{"https://other.example.com"}}).Handler(ok)), ""},
		{"rs/cors, any exposed header", "The request with credentials gets 200 with `Access-Control-Allow-Origin: https://app.example.com`, `Access-Control-Allow-Credentials: true`, `Access-Control-Expose-Headers: *`, `Vary: Origin` and `ETag: \"1\"`.", rscors.New(rscors.Options{AllowedOrigins: origins, ExposedHeaders: []string{"*"}, AllowCredentials: true}).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("ETag", `"1"`) })), ""},
		{"rs/cors, POST", "The `POST` request with credentials gets 200 with `Access-Control-Allow-Origin: https://app.example.com`.", rsPage.Handler(ok), ""},

		{"this package", "The preflight for the method `PUT` gets 204 with `Access-Control-Allow-Origin: *`.", public, ""},
		{"gin-contrib/cors, method", "The preflight for the method `PUT` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Methods: GET`.", ginGet, ""},
		{"this package", "The preflight for the method `patch` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Methods: PATCH`.", public, ""},
		{"this package", "The preflight for the method `patch` gets 204 with `Access-Control-Allow-Origin: *`.", wrap(cors.Policy{AllowedOrigins: origins}, ok), ""},
		{"this package", "The preflight for the method `p*t` gets 204 with `Access-Control-Allow-Origin: *`.", public, ""},
		{"this package", "The preflight for the header `X-Id` gets 204 with `Access-Control-Allow-Origin: *`.", public, ""},
		{"this package, any header", "The preflight for the header `Authorization` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Headers: *`.", wrap(cors.Policy{AllowedOrigins: origins, AllowedHeaders: []string{"*"}}, ok), ""},
		{"this package", "The preflight for the header `Access-Control-Allow-Origin` gets 204 with `Access-Control-Allow-Origin: *`.", public, ""},
		{"this package", "The preflight for the header `X-*d` gets 204 with `Access-Control-Allow-Origin: *`.", public, ""},

		{"gorilla/websocket", "The WebSocket handshake gets 403.", gorillaServer(gorilla.Upgrader{}), ""},
		{"coder/websocket", "The WebSocket handshake gets 403.", coderServer(nil), ""},
		{"gorilla/websocket behind a proxy that changes Host", "The WebSocket handshake from a page on `https://api.example.com` gets 403.", proxyTo(t, gorillaServer(gorilla.Upgrader{}), nil), ""},
		{"this package, DenyHandler", "The WebSocket handshake gets 403 from the `DenyHandler` of package cors, with `Vary: Origin`.", denied, ""},
		{"gorilla/websocket in http.TimeoutHandler", "The WebSocket handshake gets 500.", timeLimit(time.Minute)(gorillaServer(gorilla.Upgrader{CheckOrigin: func(*http.Request) bool { return true }})), ""},
		{"coder/websocket in http.TimeoutHandler", "The WebSocket handshake gets 501.", timeLimit(time.Minute)(coderServer(&websocket.AcceptOptions{InsecureSkipVerify: true})), ""},
		{"chi's BasicAuth", "The WebSocket handshake gets 401.", chiAuth(coderServer(nil)), ""},
		{"chi's router", "The WebSocket handshake gets 404.", chiRoutes, ""},
		{"gorilla/websocket behind a proxy without Upgrade", "The WebSocket handshake gets 400.", withoutUpgrade(gorillaServer(gorilla.Upgrader{})), ""},
		{"coder/websocket behind a proxy without Upgrade", "The WebSocket handshake gets 426.", withoutUpgrade(coderServer(nil)), ""},
		{"http.FileServer", "The WebSocket handshake gets 200.", files, ""},
		{"http.RedirectHandler", "The WebSocket handshake gets 302 with `Location: /login`.", toLogin, ""},

		{"http.TimeoutHandler, which replaces Vary", "The request gets 200 with `Access-Control-Allow-Origin: https://app.example.com` and `Vary: Accept`.", wrap(cors.Policy{AllowedOrigins: origins}, timeLimit(time.Minute)(varies)), ""},
	} {
		t.Run(test.software+" "+test.response, func(t *testing.T) {
			testkit.CheckAdvice(t, &corstest.Browser{Handler: test.handler}, test.response, "", test.url)
		})
	}
}

// TestFieldBugAdviceOnHijack uses a middleware that wraps the ResponseWriter in a
// type without Hijack.
func TestFieldBugAdviceOnHijack(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"gorilla/websocket": func(w http.ResponseWriter, r *http.Request) {
			upgrader := gorilla.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
			upgrader.Upgrade(struct{ http.ResponseWriter }{w}, r, nil)
		},
		"coder/websocket": func(w http.ResponseWriter, r *http.Request) {
			websocket.Accept(struct{ http.ResponseWriter }{w}, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		},
	} {
		server := httptest.NewServer(handler)
		defer server.Close()
		b := corstest.Browser{Transport: server.Client().Transport}
		res := b.Fetch("https://app.example.com", corstest.Request{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Mode: corstest.WebSocket})
		if !strings.Contains(res.Advice, "has no Hijack method") {
			t.Errorf("%s: got\n%v", name, res)
		}
	}
}
