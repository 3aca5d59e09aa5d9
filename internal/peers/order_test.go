package peers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/felixge/httpsnoop"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/zerolog"
	"github.com/rs/zerolog/hlog"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/net/http2"
	//lint:ignore SA1019 It is deprecated, but in use.
	"golang.org/x/net/http2/h2c"
	"golang.org/x/time/rate"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

const (
	partnerPage = "https://shop.partner.example"
	evilPage    = "https://evil.example"
	itemURL     = "https://api.example/items/1"
)

// stackPolicy is the policy of the tests in this file and in wrappers_test.go.
func stackPolicy(t *testing.T) *cors.Middleware {
	return testkit.MustNew(t, cors.Policy{
		AllowedOrigins: []string{appPage, "https://*.partner.example"},
		AllowedMethods: []string{"PUT"},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
	})
}

// The places of a component, as in docs/integration.md.
const (
	outside = "Layer (recommended: outside)"
	inside  = "Layer (recommended: inside)"
	either  = "Layer (either side)"
)

// A component is middleware or a handler that is used together with Handler.
type component struct {
	place, name, why string // why is the last cell of the row
	wrap             func(n *component, next http.Handler) http.Handler

	handler http.HandlerFunc                // innermost handler; the default adds to Vary
	front   func(http.Handler) http.Handler // outermost layer
	page    string                          // origin of the page; the default is allowed
	request corstest.Request                // the default is PUT
	flawed  bool                            // blocked even in its place; the next row shows the fix
	defect  bool                            // blocked because of a defect in Go, which a version may fix
	passes  bool                            // serves some requests without calling next
	server  bool                            // needs a real server
	watches bool                            // calls method for each request
	advice  string                          // part of the advice if a page is blocked or rejected

	t   *testing.T
	saw []string // methods of the requests that method was called for
}

// method is called by components that watch.
func (n *component) method(r *http.Request) { n.saw = append(n.saw, r.Method) }

// plain returns a wrap that does not need its component.
func plain(wrap func(http.Handler) http.Handler) func(*component, http.Handler) http.Handler {
	return func(_ *component, next http.Handler) http.Handler { return wrap(next) }
}

func timeLimit(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler { return http.TimeoutHandler(next, d, "late") }
}

func sizeLimit(next http.Handler) http.Handler { return http.MaxBytesHandler(next, 8) }

func requestLimit(burst int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		limiter := rate.NewLimiter(0, burst)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !limiter.Allow() {
				http.Error(w, "slower", http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func recovery(next http.Handler) http.Handler {
	return handlers.RecoveryHandler(handlers.RecoveryLogger(silent{}))(next)
}

type silent struct{}

func (silent) Println(...any) {}

// authentication accepts the password "secret".
func authentication(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "secret" {
			w.Header().Set("WWW-Authenticate", "Basic")
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func basic(password string) http.Header {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth("me", password)
	return r.Header
}

// proxyTo returns a reverse proxy, with upstream on another server.
func proxyTo(t *testing.T, upstream http.Handler, modify func(*http.Response) error) http.Handler {
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }, ModifyResponse: modify}
}

// deadProxy returns a reverse proxy that cannot reach its upstream.
func deadProxy(*component, http.Handler) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "upstream.example"}) },
		Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, io.ErrUnexpectedEOF
		}},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

// Handlers inside both.
func addsToVary(w http.ResponseWriter, r *http.Request) { w.Header().Add("Vary", "Accept") }
func panics(http.ResponseWriter, *http.Request)         { panic("for the test") }
func takesLong(w http.ResponseWriter, r *http.Request)  { <-r.Context().Done() }

func readsBody(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	}
}

func writesText(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Add("Vary", "Accept")
	io.WriteString(w, strings.Repeat("compress me ", 1000))
}

func setsOwnHeaders(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	w.Header().Add("Vary", "Accept")
}

func sendsHints(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", "</style.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.Header().Add("Vary", "Accept")
}

func components() []*component {
	get := corstest.Request{URL: itemURL}
	big := corstest.Request{Method: "PUT", URL: itemURL, Body: "more than it may be"}
	withPassword := corstest.Request{Method: "PUT", URL: itemURL, Header: basic("secret")}
	semicolon := corstest.Request{Method: "PUT", URL: itemURL + "?a=1;b=2"}
	proxy := func(modify func(*http.Response) error, around func(http.Handler) http.Handler) func(*component, http.Handler) http.Handler {
		return func(n *component, next http.Handler) http.Handler { return around(proxyTo(n.t, next, modify)) }
	}
	asIs := func(h http.Handler) http.Handler { return h }
	strip := func(res *http.Response) error { cors.StripHeaders(res.Header); return nil }
	return []*component{
		{
			place: outside, name: "`gorilla/handlers.ProxyHeaders`, for the service's own page behind a proxy that rewrites `Host`", why: "it restores `Host`, which `Handler` compares with `Origin`",
			advice: "a proxy changes Host",
			page:   "http://api.example", request: corstest.Request{Method: "POST", URL: "http://api.example/items/1"}, wrap: plain(handlers.ProxyHeaders),
			front: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Header.Set("X-Forwarded-Host", r.Host)
					r.Host = "backend:8080"
					next.ServeHTTP(w, r)
				})
			},
		},
		{place: outside, name: "`otelhttp`", why: "inside, it misses preflights and 403s", watches: true, wrap: func(n *component, next http.Handler) http.Handler {
			return otelhttp.NewHandler(next, "api", otelhttp.WithFilter(func(r *http.Request) bool { n.method(r); return true }))
		}},
		{place: outside, name: "`rs/zerolog/hlog`", why: "inside, it misses preflights and 403s", watches: true, wrap: func(n *component, next http.Handler) http.Handler {
			log := hlog.AccessHandler(func(r *http.Request, _, _ int, _ time.Duration) { n.method(r) })
			return hlog.NewHandler(zerolog.Nop())(log(next))
		}},
		{place: outside, name: "logging with `log/slog`", why: "inside, it misses preflights and 403s", watches: true, wrap: func(n *component, next http.Handler) http.Handler {
			var lines bytes.Buffer
			log := slog.New(slog.NewTextHandler(&lines, nil))
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				log.Info("request", "method", r.Method)
				if strings.Contains(lines.String(), "method="+r.Method) {
					n.method(r)
				}
				next.ServeHTTP(w, r)
			})
		}},
		{place: outside, name: "`httpsnoop`", why: "inside, it misses preflights and 403s", watches: true, wrap: func(n *component, next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if httpsnoop.CaptureMetrics(next, w, r).Code > 0 {
					n.method(r)
				}
			})
		}},
		{
			place: outside, name: "`x/net/http2/h2c`", why: "**inside, its requests bypass `Handler`**, because it starts an HTTP/2 server for each connection", advice: "Put the CORS middleware outside that layer", passes: true, server: true,
			wrap: plain(func(next http.Handler) http.Handler {
				//lint:ignore SA1019 It is deprecated, but in use.
				return h2c.NewHandler(next, new(http2.Server))
			}),
		},

		{place: inside, name: "basic authentication, correct password", why: "outside, it rejects preflights, which have no password", advice: "Authentication or another guard", request: withPassword, wrap: plain(authentication)},
		{place: inside, name: "basic authentication, no password", why: "inside, scripts can read the 401", advice: "Authentication or another guard", request: corstest.Request{Method: "PUT", URL: itemURL}, wrap: plain(authentication)},
		{place: inside, name: "rate limit (`x/time/rate`), exceeded", why: "inside, scripts can read the 429, and preflights do not count", advice: "The preflight got status 429", wrap: plain(requestLimit(0))},
		{place: inside, name: "`http.CrossOriginProtection`", why: "inside, scripts can read the 403; you need it [only in some cases](#cross-site-request-forgery)", advice: "http.CrossOriginProtection rejected the request", wrap: plain(func(next http.Handler) http.Handler {
			return http.NewCrossOriginProtection().Handler(next)
		})},
		{place: inside, name: "`http.TimeoutHandler`, handler timed out", why: "inside, scripts can read the 503", advice: "Status 503 usually comes from a proxy or platform in front", handler: takesLong, wrap: plain(timeLimit(20 * time.Millisecond))},
		{place: inside, name: "`http.TimeoutHandler`, in time", why: "the inner `Vary` replaces `Origin`, so **a cache mixes up responses**: wrap it with `keepHeaders`", flawed: true, wrap: plain(timeLimit(time.Minute))},
		{place: inside, name: "`keepHeaders` around `http.TimeoutHandler`, in time", why: "fixed: `Vary` has both values", wrap: plain(func(next http.Handler) http.Handler {
			return keepHeaders(http.TimeoutHandler(next, time.Minute, "late"))
		})},
		{place: inside, name: "`http.ServeMux`, redirects to add a slash", why: "outside, it redirects preflights, and browsers do not follow the redirect", advice: "The preflight was redirected to \"/items/\"", request: corstest.Request{Method: "PUT", URL: "https://api.example/items"}, wrap: plain(func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/items/", next)
			return mux
		})},
		{place: inside, name: "`http.StripPrefix`, prefix does not match", why: "inside, scripts can read the 404", advice: "no route matches OPTIONS with this path", wrap: plain(func(next http.Handler) http.Handler { return http.StripPrefix("/api", next) })},
		{place: inside, name: "`http.FileServer`", why: "without `Handler`, nothing sets CORS headers", advice: "Wrap the handler of this URL", request: get, wrap: plain(func(http.Handler) http.Handler {
			return http.FileServerFS(fstest.MapFS{"items/1": {Data: []byte("item 1")}})
		})},
		{place: inside, name: "`httputil.ReverseProxy`, upstream down", why: "inside, scripts can read the 502", advice: "Status 502 usually comes from a proxy", wrap: deadProxy},
		{place: inside, name: "`httputil.ReverseProxy`, upstream sets CORS headers", why: "browsers block a response with two values: call `StripHeaders`", advice: "call cors.StripHeaders in ModifyResponse", request: get, handler: setsOwnHeaders, flawed: true, wrap: proxy(nil, asIs)},
		{place: inside, name: "`StripHeaders` in `httputil.ReverseProxy`, upstream sets CORS headers", why: "fixed: the response has one value; outside, it strips the headers of the upstream's `Handler`", advice: "something removes Origin from the request", request: get, handler: setsOwnHeaders, wrap: proxy(strip, asIs)},
		{place: inside, name: "`httputil.ReverseProxy`, upstream sends 103", why: "**it clears all headers** (golang/go#81207, in Go 1.25 to 1.27): wrap it with `keepHeaders`", advice: "keepHeaders in docs/integration.md", request: get, handler: sendsHints, flawed: true, defect: true, wrap: proxy(nil, asIs)},
		{place: inside, name: "`keepHeaders` around `httputil.ReverseProxy`, upstream sends 103", why: "fixed: the response has all headers", request: get, handler: sendsHints, wrap: proxy(nil, keepHeaders)},

		{place: either, name: "`http.MaxBytesHandler`, body too large", why: "your handler writes the 413, inside `Handler`", handler: readsBody, request: big, wrap: plain(sizeLimit)},
		{place: either, name: "a recovered panic (`gorilla/handlers`)", why: "`Handler` has already set the headers", handler: panics, wrap: plain(recovery)},
		{place: either, name: "`klauspost/compress/gzhttp`", why: "it adds to `Vary`, and does not replace it", handler: writesText, wrap: plain(func(next http.Handler) http.Handler { return gzhttp.GzipHandler(next) })},
		{place: either, name: "`chi/middleware.Compress`", why: "it adds to `Vary`, and does not replace it", handler: writesText, wrap: plain(chimiddleware.Compress(5))},
		{place: either, name: "`http.AllowQuerySemicolons`", why: "it writes no response itself", request: semicolon, wrap: plain(http.AllowQuerySemicolons)},
	}
}

// stack returns n inside and outside a Handler, and how often the innermost
// handler ran.
func (n *component) stack(t *testing.T) (inner, outer http.Handler, ran *atomic.Int32) {
	n.t, ran = t, new(atomic.Int32) // a handler may outlive http.TimeoutHandler
	c, handler, front := stackPolicy(t), n.handler, n.front
	if handler == nil {
		handler = addsToVary
	}
	if front == nil {
		front = func(h http.Handler) http.Handler { return h }
	}
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran.Add(1)
		handler(w, r)
	})
	return front(c.Handler(n.wrap(n, counted))), front(n.wrap(n, c.Handler(counted))), ran
}

// A view is the result of a request for a script, a cache, a developer and a log.
type view struct {
	page, vary, advice string
	status             int
}

func (v view) String() string { return v.page + " · " + v.vary }

// look sends the request of n to h, as a page does.
func (n *component) look(t *testing.T, h http.Handler, page string) view {
	r := n.request
	if r.URL == "" {
		r = corstest.Request{Method: "PUT", URL: itemURL}
	}
	b := corstest.Browser{Handler: acceptGzip(h)}
	if n.server {
		server := httptest.NewServer(h)
		defer server.Close()
		transport := &http.Transport{Protocols: new(http.Protocols), DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		}}
		transport.Protocols.SetUnencryptedHTTP2(true)
		defer transport.CloseIdleConnections()
		b.Handler, b.Transport = nil, transport
		r.URL = strings.Replace(r.URL, "https:", "http:", 1)
	}
	res := b.Fetch(page, r)
	v := view{page: fmt.Sprint(res.Status), vary: "no `Vary`", advice: res.Advice}
	if res.Blocked != "" {
		v.page = "**blocked**"
	}
	last := res.Actual
	if last == nil {
		last = res.Preflight
	}
	if last == nil || last.Response == nil {
		t.Fatalf("there is no response: %v", res)
	}
	v.status = last.Response.StatusCode
	if vary := last.Response.Header["Vary"]; vary != nil {
		v.vary = "`" + strings.Join(vary, ", ") + "`"
	}
	return v
}

// acceptGzip adds the Accept-Encoding that browsers send.
func acceptGzip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept-Encoding", "gzip")
		next.ServeHTTP(w, r)
	})
}

// TestOrder produces the tables of docs/integration.md and compares them: the
// response that a page on an allowed origin gets if a component is inside Handler,
// and if it is outside. Other pages are blocked in both cases.
func TestOrder(t *testing.T) {
	var tables strings.Builder
	place := ""
	for _, n := range components() {
		if n.place != place {
			place = n.place
			fmt.Fprintf(&tables, "\n| %s | inside | outside | reason, or fix |\n|---|---|---|---|\n", place)
		}
		t.Run(n.name, func(t *testing.T) {
			page := n.page
			if page == "" {
				page = appPage
			}
			inner, outer, ran := n.stack(t)
			in := n.look(t, inner, page)
			sawInside := n.saw
			n.saw = nil
			out := n.look(t, outer, page)
			sawOutside := n.saw
			reads := func(v view) bool { return v.page != "**blocked**" && strings.Contains(v.vary, "Origin") }
			if n.defect && reads(in) {
				t.Logf("%s fixed this: %v", runtime.Version(), in)
				in = view{page: "**blocked**", vary: "`Accept`", advice: n.advice}
			}
			fmt.Fprintf(&tables, "| %s | %s | %s | %s |\n", n.name, in, out, n.why)

			if good := reads(in); n.place != outside && good == n.flawed {
				t.Errorf("inside, in its place, a page sees %v", in)
			}
			if n.place != inside && !reads(out) {
				t.Errorf("outside, in its place, a page sees %v", out)
			}
			advised := false
			for _, v := range []view{in, out} {
				if v.page == "**blocked**" || v.page == "403" {
					advised = true
					if n.advice == "" || !strings.Contains(v.advice, n.advice) {
						t.Errorf("a page sees %v, and corstest says %q, want %q", v, v.advice, n.advice)
					}
				}
			}
			if n.advice != "" && !advised {
				t.Errorf("want advice %q, and no page is blocked", n.advice)
			}

			ran.Store(0)
			n.saw = nil
			rejected := n.look(t, outer, evilPage)
			if rejected.page != "**blocked**" || ran.Load() > 0 {
				t.Errorf("outside, a page that is not allowed sees %v, and the handler ran %d times", rejected, ran.Load())
			}
			sawRejected := n.saw
			n.saw = nil
			if v := n.look(t, inner, evilPage); v.page != "**blocked**" || ran.Load() > 0 != n.passes {
				t.Errorf("inside, a page that is not allowed sees %v, and the handler ran %d times", v, ran.Load())
			}
			if got, want := fmt.Sprint(sawInside, sawOutside, sawRejected, n.saw), "[PUT] [OPTIONS PUT] [OPTIONS] []"; n.watches && (got != want || rejected.status != http.StatusForbidden) {
				t.Errorf("inside and outside, for an allowed page, then outside and inside, for another page: it saw %s, want %s; outside, the other page got %d", got, want, rejected.status)
			}
		})
	}
	compareInDocs(t, "TestOrder", strings.TrimPrefix(tables.String(), "\n")+"\n")
}

// compareInDocs compares text that a test produced with docs/integration.md, or
// writes it there.
func compareInDocs(t *testing.T, test, made string) {
	t.Helper()
	const file = "../../docs/integration.md"
	begin, end := "<!-- made by: cd internal/peers && go test -run "+test+" -update . -->\n\n", "<!-- until here -->"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	old, after, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatalf("%s has no place for what %s makes:\n%s", file, test, made)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+made+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != made {
		t.Errorf("%s differs from the text that this test produced:\n%s", file, made)
	}
}

// TestSharedCacheInFront puts a cache that honors Vary in front of each component
// in its place. Pages, images, and clients with and without compression get the
// same responses as without the cache, in random order. If the cache ignores Vary,
// they do not.
func TestSharedCacheInFront(t *testing.T) {
	type client struct{ page, encoding string }
	clients := []client{}
	for _, page := range []string{appPage, partnerPage, evilPage, ""} {
		clients = append(clients, client{page, ""}, client{page, "gzip"})
	}
	ask := func(h http.Handler, c client) string {
		r := httptest.NewRequest("GET", itemURL, nil)
		r.Header.Set("Accept-Encoding", c.encoding)
		if c.page != "" {
			r.Header.Set("Origin", c.page)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		may := c.page == "" || w.Header().Get("Access-Control-Allow-Origin") == c.page
		// chi adds Vary: Accept-Encoding only if it compresses. That is enough,
		// because every client can read the other response.
		decodes := w.Header().Get("Content-Encoding") == "" || c.encoding == "gzip"
		return fmt.Sprintf("%d, decodes it %t, may read it %t", w.Code, decodes, may)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for _, n := range components() {
		if n.flawed {
			continue
		}
		t.Run(n.name, func(t *testing.T) {
			inner, outer, _ := n.stack(t)
			services := []http.Handler{inner, outer}
			switch n.place {
			case inside:
				services = services[:1]
			case outside:
				services = services[1:]
			}
			for _, service := range services {
				want := make(map[client]string)
				for _, c := range clients {
					want[c] = ask(service, c)
				}
				confused := 0
				for round := range 40 {
					cache := testkit.SharedCache{Service: service, IgnoreVary: round%2 == 1}
					for range 20 {
						c := clients[random.IntN(len(clients))]
						got := ask(&cache, c)
						if got != want[c] && !cache.IgnoreVary {
							t.Fatalf("%+v gets %s, and without the cache %s", c, got, want[c])
						}
						if got != want[c] {
							confused++
						}
					}
				}
				if confused == 0 {
					t.Error("this test cannot see that Vary is missing")
				}
			}
		})
	}
}

// A layer is a line of the picture in docs/integration.md. It is inside the layer
// before it.
type layer struct {
	name, why string
	wrap      func(http.Handler) http.Handler
}

func around(layers []layer, h http.Handler) http.Handler {
	for _, l := range slices.Backward(layers) {
		h = l.wrap(h)
	}
	return h
}

// A branch is the handlers of a router at one path.
type branch struct {
	path   string
	layers []layer
}

// recommended returns the order in docs/integration.md: the layers around the
// router, and the branches inside it, with a time limit.
func recommended(t *testing.T, limit time.Duration) (layers []layer, branches []branch) {
	c := stackPolicy(t)
	routes := func(http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.HandleFunc("/items/", readsBody)
		mux.HandleFunc("/items/panic", panics)
		mux.HandleFunc("/items/slow", takesLong)
		return mux
	}
	upstream := func(http.Handler) http.Handler { return proxyTo(t, http.HandlerFunc(sendsHints), nil) }
	sockets := func(http.Handler) http.Handler { return gorillaEcho(c) }
	layers = []layer{
		{"ProxyHeaders", "only behind a proxy that overwrites X-Forwarded-*; restores Host", handlers.ProxyHeaders},
		{"otelhttp, logging", "also see preflights and 403s", func(next http.Handler) http.Handler { return otelhttp.NewHandler(next, "api") }},
		{"c.Handler", "responses written inside have CORS headers and Vary", c.Handler},
		{"panic recovery", "500", recovery},
		{"rate limit", "429", requestLimit(1)},
		{"authentication", "401", authentication},
		{"compression", "", func(next http.Handler) http.Handler { return gzhttp.GzipHandler(next) }},
		{"http.MaxBytesHandler", "413", sizeLimit},
	}
	branches = []branch{
		{"/items/", []layer{{"keepHeaders", "", keepHeaders}, {"http.TimeoutHandler", "503", timeLimit(limit)}, {"your routes", "", routes}}},
		{"/upstream/", []layer{{"keepHeaders", "", keepHeaders}, {"httputil.ReverseProxy", "502; with StripHeaders", upstream}}},
		{"/ws", []layer{{"WebSockets", "CheckOrigin calls Check", sockets}}},
	}
	return layers, branches
}

func routerOf(branches []branch) http.Handler {
	mux := http.NewServeMux()
	for _, b := range branches {
		mux.Handle(b.path, around(b.layers, nil))
	}
	mux.Handle("/dead/", keepHeaders(deadProxy(nil, nil)))
	return mux
}

// TestRecommendedOrder produces the picture of docs/integration.md and compares
// it.
func TestRecommendedOrder(t *testing.T) {
	var picture strings.Builder
	line := func(before, name, why string) {
		picture.WriteString(strings.TrimRight(fmt.Sprintf("%-46s%s", before+name, why), " ") + "\n")
	}
	layers, branches := recommended(t, time.Minute)
	depth := ""
	for _, l := range append(layers, layer{name: "mux"}) {
		line(depth, l.name, l.why)
		depth = strings.Replace(depth, "└ ", "  ", 1) + "└ "
	}
	depth = strings.TrimSuffix(depth, "└ ")
	for i, b := range branches {
		before, under := depth+"├ ", depth+"│ "
		if i == len(branches)-1 {
			before, under = depth+"└ ", depth+"  "
		}
		for _, l := range b.layers {
			line(before, l.name, l.why)
			before, under = under+"└ ", under+"  "
		}
	}
	compareInDocs(t, "TestRecommendedOrder", "```text\n"+picture.String()+"```\n\n")
}

// TestErrorsThatAPageCanRead shows that in the recommended order, a page on an
// allowed origin can read each error of the layers, and that caches do not return
// the error to other pages. If the same status is written outside Handler, the
// page gets a network error.
func TestErrorsThatAPageCanRead(t *testing.T) {
	for _, test := range []struct {
		status  int
		what    string
		request corstest.Request
		times   int
	}{
		{200, "no error", corstest.Request{URL: "https://api.example/items/1", Header: basic("secret")}, 1},
		{200, "an upstream that sends 103", corstest.Request{URL: "https://api.example/upstream/1", Header: basic("secret")}, 1},
		{401, "authentication", corstest.Request{URL: "https://api.example/items/1", Header: basic("wrong")}, 1},
		{413, "MaxBytesHandler", corstest.Request{URL: "https://api.example/items/1", Header: basic("secret"), Body: "more than it may be"}, 1},
		{429, "a limit of requests", corstest.Request{URL: "https://api.example/items/1", Header: basic("secret")}, 2},
		{500, "a panic", corstest.Request{URL: "https://api.example/items/panic", Header: basic("secret")}, 1},
		{502, "ReverseProxy", corstest.Request{URL: "https://api.example/dead/1", Header: basic("secret")}, 1},
		{503, "TimeoutHandler", corstest.Request{URL: "https://api.example/items/slow", Header: basic("secret")}, 1},
	} {
		t.Run(fmt.Sprint(test.status, " of ", test.what), func(t *testing.T) {
			limit := time.Minute
			if test.status == http.StatusServiceUnavailable {
				limit = 20 * time.Millisecond
			}
			layers, branches := recommended(t, limit)
			b := corstest.Browser{Handler: acceptGzip(around(layers, routerOf(branches)))}
			test.request.Method = "PUT"
			var res *corstest.Result
			for range test.times {
				res = b.Fetch(appPage, test.request)
			}
			if res.Status != test.status {
				t.Fatalf("the page cannot read it\n%v", res)
			}
			if vary := res.Actual.Response.Header["Vary"]; !slices.Contains(vary, "Origin") {
				t.Errorf("got Vary: %q", vary)
			}
			if test.status == 200 {
				return
			}

			guard := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodOptions {
					around(layers, nil).ServeHTTP(w, r)
					return
				}
				http.Error(w, "why", test.status)
			})
			b = corstest.Browser{Handler: guard}
			if res := b.Fetch(appPage, test.request); res.Blocked == "" || !strings.Contains(res.Advice, fmt.Sprint(test.status)) {
				t.Errorf("written outside Handler: no network error with its advice\n%v", res)
			}
		})
	}
}
