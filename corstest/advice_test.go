package corstest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// wrap returns the middleware of p around next.
func wrap(t *testing.T, p cors.Policy, next http.Handler) http.Handler {
	t.Helper()
	c, err := cors.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c.Handler(next)
}

// respond returns a handler that responds to all methods with status and headers.
// Each line is a name and a value. If status is 0, it does not write the status.
func respond(status int, lines ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, "text")
	})
}

// respondAt returns a handler for several hosts.
func respondAt(hosts map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hosts[r.Host].ServeHTTP(w, r) })
}

// used by many rows
const (
	allowPage        = "Access-Control-Allow-Origin: " + page
	allowAny         = "Access-Control-Allow-Origin: *"
	allowCredentials = "Access-Control-Allow-Credentials: true"
	allowMethods     = "Access-Control-Allow-Methods: "
	allowHeaders     = "Access-Control-Allow-Headers: "
)

var (
	ok   = respond(200)
	put  = corstest.Request{Method: "PUT"}
	post = corstest.Request{Method: "POST"}
	get  = corstest.Request{Method: "GET"}
)

// withCredentials returns r with credentials.
func withCredentials(r corstest.Request) corstest.Request {
	r.Credentials = corstest.Include
	return r
}

// sets returns a request for which a script sets one header.
func sets(name string) corstest.Request {
	return corstest.Request{Header: http.Header{name: {"1"}}}
}

// An adviceTest is a request from a page to handler, and parts of the advice that
// it must get.
type adviceTest struct {
	name    string
	handler http.Handler // handler for all URLs; if nil, the URL is of a real server
	request corstest.Request
	path    string
	page    string   // origin of the page; the default is page
	want    []string // parts of the advice; nil if there is none
}

func (test adviceTest) run(t *testing.T) {
	t.Helper()
	t.Run(test.name, func(t *testing.T) {
		t.Helper()
		if test.request.URL == "" {
			test.request.URL = api + test.path
		}
		if test.page == "" {
			test.page = page
		}
		b := corstest.Browser{Handler: test.handler}
		got := b.Fetch(test.page, test.request)
		missing := slices.ContainsFunc(test.want, func(part string) bool { return !strings.Contains(got.Advice, part) })
		if missing || test.want == nil && got.Advice != "" {
			t.Errorf("got the advice %q\nwant %q\n%s", got.Advice, test.want, got)
		}
		policyTakes(t, got.Advice)
	})
}

// policyTakes checks that New accepts a policy with the value that an advice names.
func policyTakes(t *testing.T, advice string) {
	t.Helper()
	m := regexp.MustCompile(`[Aa]dd (?:exactly )?(\S+?)(?:, without a trailing slash,)? to (Allowed\w+|the list)`).FindStringSubmatch(advice)
	if m == nil {
		return
	}
	list := []string{m[1]}
	if _, err := cors.New(map[string]cors.Policy{
		"AllowedOrigins": {AllowedOrigins: list},
		"the list":       {AllowedOrigins: list},
		"AllowedMethods": {AllowedMethods: list},
		"AllowedHeaders": {AllowedHeaders: list},
	}[m[2]]); err != nil {
		t.Errorf("the advice is %q, but %v", advice, err)
	}
}

// proxyTo returns a reverse proxy in front of service. It changes requests
// before it forwards them.
func proxyTo(t *testing.T, service http.Handler, change func(r *http.Request)) http.Handler {
	t.Helper()
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		r.Out.Host = r.In.Host
		if change != nil {
			change(r.Out)
		}
	}}
}

// without removes headers from requests.
func without(next http.Handler, names ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range names {
			r.Header.Del(name)
		}
		next.ServeHTTP(w, r)
	})
}

// split sends preflights to one handler and all other requests to another.
func split(preflights, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			preflights.ServeHTTP(w, r)
		} else {
			others.ServeHTTP(w, r)
		}
	})
}

// A cache stores its first response to a GET request of each URL. It returns that
// response to all later requests, even if Vary or Cache-Control forbids it, and
// adds the header line hit.
type cache struct {
	service http.Handler
	hit     string

	mu     sync.Mutex
	stored map[string]*httptest.ResponseRecorder
}

func (c *cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		c.service.ServeHTTP(w, r)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stored, found := c.stored[r.URL.Path]
	if found {
		name, value, _ := strings.Cut(c.hit, ": ")
		w.Header().Set(name, value)
	} else {
		stored = httptest.NewRecorder()
		c.service.ServeHTTP(stored, r)
		c.stored = map[string]*httptest.ResponseRecorder{r.URL.Path: stored}
	}
	for name, values := range stored.Result().Header {
		w.Header()[name] = slices.Clone(values)
	}
	w.WriteHeader(stored.Code)
	io.Copy(w, bytes.NewReader(stored.Body.Bytes()))
}

// fill returns the cache after it stored a response for another page.
func (c *cache) fill(page string) *cache {
	(&corstest.Browser{Handler: c}).Fetch(page, corstest.Request{URL: api})
	return c
}

const (
	ignored = ", and returned a response for another page. In that case, add the header Origin to the cache key, and purge the cache. Otherwise, if you trust the origin, add https://page.example to AllowedOrigins."
	varied  = "and has no Vary: Origin, so the cache returns it to every page."
	twice   = "Two layers set CORS headers"
	another = "Something other than the CORS middleware responded to OPTIONS, such as a router, a proxy, a login handler or a static file server."
	unlist  = "The policy of package cors does not allow the page's origin. If you trust it, add https://page.example to AllowedOrigins, or let AllowOriginFunc return true for it. If the policy already allows it, an outer CORS middleware, a cache or"
	vary    = "A CORS middleware or a proxy probably responded, but it does not allow the page's origin. If you trust it, add exactly https://page.example, without a trailing slash, to AllowedOrigins, or let AllowOriginFunc return true for it. Some CORS packages, such as rs/cors, also need "
	both    = " in AllowedMethods. If the policy already allows both, something removes Origin from the request"
	lacks   = "A CORS middleware or a proxy probably responded, but it does not allow the origin, the method or one of the headers. If you trust the page, allow the origin https://page.example (exactly, without a trailing slash)"
	either  = "Either a guard (such as authentication) rejected the preflight, or the CORS middleware did"
	routed  = "Either the router responded to OPTIONS itself, or the CORS middleware rejected the method"
	guard   = "Authentication or another guard rejected the preflight, because preflights never have credentials. Put the CORS middleware outside that guard, and let it respond to preflights itself. If a proxy, gateway or platform in front requires a login, exempt OPTIONS requests there."
	router  = "The router responded to OPTIONS itself"
	others  = " If other origins get CORS headers, and you trust the page, add exactly https://page.example, without a trailing slash, to the list of allowed origins."
	login   = " The response asks for a login. If your service requires it, put the CORS middleware outside its authentication. If a gateway in front requires it, have the gateway send CORS headers."
	failed  = "The server failed to handle the OPTIONS request"
	past    = "The response to the preflight has CORS headers, but its status is "
	outside = ", so the script cannot read the error. Put the CORS middleware outside that code, which can be "
	lost    = "The response has no CORS headers. Wrap the handler of this URL"
	star    = "For a request with credentials, browsers do not accept *, even together with Access-Control-Allow-Credentials: true."
	denied  = "does not have Access-Control-Allow-Credentials: true (in lowercase)"
	beacon  = " If the request is a beacon (navigator.sendBeacon), it always has credentials. Use fetch with keepalive and credentials: 'omit' instead."
	list    = "Methods and header names must be separated by commas."
	one     = "In Access-Control-Allow-Origin, browsers accept * or one origin (scheme, host and port, without a path or the default port), but not a list or a pattern. If two layers set the header, let only one of them set it. Otherwise, if you trust the page, send https://page.example and Vary: Origin, as CORS middleware does."
	exactly = "Send exactly https://page.example, in lowercase and without a trailing slash."
	other   = "The response allows an origin other than the page's. If you trust the page, add https://page.example to AllowedOrigins, or let AllowOriginFunc return true for it. If the policy already allows it, your handler or a proxy sets a fixed value"
	changes = "The preflight was allowed. If the service itself responded to it, your handler or a proxy replaced the CORS headers of the response. Remove the code or setting that does this. If a proxy in front responded to the preflight with a different policy, "
	moved   = "The request was redirected from one server to another, so the browser sent Origin: null."
	csrf    = "http.CrossOriginProtection rejected the request, because it does not trust the page's origin. If you trust it, call AddTrustedOrigin with https://page.example. If package cors wraps the handler with a policy that lists only trusted origins and does not set PassRejected, you can instead"
	noVary  = "Access-Control-Allow-Origin names one origin, but Vary does not include Origin, so a cache can return this response to other pages. Unless Access-Control-Allow-Origin is the same in all responses for this URL, "
	layered = "If it is already there, another CORS middleware or a proxy in front responded to the preflight, or removed the Access-Control-Request-* headers from it."
	unknown = " If the service's log does not show this request, a proxy in front responded"
	forward = ". Have it forward OPTIONS requests."
	pages   = ". Have it forward the request, or add CORS headers to its error pages."
	compare = "Many WebSocket packages compare Origin with Host, and respond with 403 if they differ. If you trust the page, have the package call cors.Middleware.Check instead (see WebSockets in docs/integration.md of package cors). Alternatively, turn off the package's check, but only if cors.Middleware.Handler wraps the endpoint with a policy that lists only origins that you trust."
	opened  = " The preflight was allowed. If only preflights get CORS headers, for example from a proxy or a route for OPTIONS, send them with all responses."
	away    = "Redirects led to another host, whose response has no CORS headers. If the target is a login page,"
	always  = " If nginx or Apache adds the CORS headers, use the keyword \"always\" in the directive (add_header NAME VALUE always, Header always set). Without it, error responses have no CORS headers."
	to401   = " If the redirects led to a login page, have the service or gateway respond to scripts with 401 instead."
	secure  = "The server expects HTTPS on this port. Use https: or wss: in the URL. If the URL already has one of these, a proxy in front sends plain HTTP. Have the proxy use HTTPS."
	signs   = "Authentication rejected the handshake."
	ours    = "The page is on the server's own origin, but the server cannot tell, because Sec-Fetch-Site is missing and a proxy changes Host. Have the proxy forward both unchanged. If it cannot, add https://page.example to AllowedOrigins, or pass it to http.CrossOriginProtection.AddTrustedOrigin."
)

// elsewhere returns a handler that redirects to other.example, which next serves.
func elsewhere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "other.example" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.Redirect(w, r, "https://other.example/", http.StatusFound)
	})
}

// rejects responds as package cors rejects a request, but with CORS headers, which
// an outer layer added.
var rejects = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, "cross-origin request rejected: the CORS policy does not allow its origin\n")
})

func TestAdvice(t *testing.T) {
	policy := cors.Policy{AllowedOrigins: []string{page}, AllowedMethods: []string{"PUT", "PATCH"}}
	inner := wrap(t, policy, ok)
	closed := wrap(t, cors.Policy{}, ok)
	deny := wrap(t, cors.Policy{DenyHandler: respond(403)}, ok)
	mux := http.NewServeMux()
	mux.Handle("PUT /{$}", inner)
	plain := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Client sent an HTTP request to an HTTPS server.", http.StatusBadRequest)
	})
	dirs := http.NewServeMux()
	dirs.Handle("/dir/", inner)
	// hides is a proxy that changes Host and removes Sec-Fetch-Site.
	hides := func(next http.Handler) http.Handler {
		return without(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Host = "internal"
			next.ServeHTTP(w, r)
		}), "Sec-Fetch-Site")
	}

	for _, test := range []adviceTest{
		{name: "no fault", handler: inner, request: put},

		// Rejections of package cors and http.CrossOriginProtection.
		{name: "the policy lacks the origin, preflight", handler: closed, request: put, want: []string{unlist}},
		{name: "the policy lacks the origin", handler: closed, want: []string{unlist}},
		{name: "the policy lacks the origin, form", handler: closed, request: corstest.Request{Method: "POST", Mode: corstest.Navigate}, want: []string{unlist}},
		{name: "the policy lacks the origin, WebSocket", handler: closed, request: corstest.Request{Mode: corstest.WebSocket}, want: []string{unlist}},
		{name: "the policy lacks null after a redirect", handler: elsewhere(inner), want: []string{moved}},
		{name: "a rejection that the script reads", handler: rejects, want: []string{unlist}},
		{name: "a rejection that is cut short", handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rejects(w, r)
			w.(http.Flusher).Flush()
			panic("")
		})},
		{name: "http.CrossOriginProtection inside", handler: wrap(t, policy, http.NewCrossOriginProtection().Handler(ok)), request: put, want: []string{csrf}},
		{name: "http.CrossOriginProtection outside", handler: http.NewCrossOriginProtection().Handler(inner), request: put, want: []string{csrf}},
		{name: "a 403 with another text", handler: respond(403, allowAny)},
		{name: "a 200 with the text of a rejection", handler: split(ok, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "cross-origin request rejected: ")
		})), want: []string{lost}},
		{
			name: "a proxy hides that the page is the server's own", handler: hides(closed), request: corstest.Request{Method: "POST", URL: page},
			want: []string{ours},
		},
		{name: "a proxy hides that the page is the server's own, WebSocket", handler: hides(closed), request: corstest.Request{Mode: corstest.WebSocket, URL: page}, want: []string{ours}},
		{name: "a proxy hides that the page is the server's own, http.CrossOriginProtection", handler: hides(http.NewCrossOriginProtection().Handler(ok)), request: corstest.Request{Method: "POST", URL: page}, want: []string{ours}},
		{name: "http.CrossOriginProtection, page without an origin", handler: http.NewCrossOriginProtection().Handler(ok), request: post, page: "null", want: []string{"can have the origin null."}},
		{name: "a page without an origin", handler: inner, page: "null", want: []string{"Any local file or sandboxed page can have the origin null."}},
		{name: "a page without an origin, form", handler: inner, page: "null", request: corstest.Request{Method: "POST", Mode: corstest.Navigate}, want: []string{"If the page's Referrer-Policy is no-referrer or same-origin, its form posts to other origins have Origin: null. Use strict-origin-when-cross-origin instead."}},
		{name: "a page without an origin, beacon or image", handler: inner, page: "null", request: corstest.Request{Method: "POST", Mode: corstest.NoCORS}, want: []string{"If the page's Referrer-Policy is no-referrer or same-origin,"}},
		{name: "a page without an origin, 403 to a preflight", handler: respond(403), page: "null", request: put, want: []string{"can have the origin null."}},
		{name: "a page without an origin, 403", handler: respond(403), page: "null", want: []string{"can have the origin null."}},
		{name: "a page without an origin, and a server that fails", handler: respond(500, "Vary: Origin"), page: "null", request: put, want: []string{failed, "can have the origin null."}},
		{name: "a page without an origin, and a proxy", handler: respond(200, "Server: nginx"), page: "null", want: []string{lost, "can have the origin null."}},
		{name: "a page without an origin, and a cache", handler: respond(200, "Vary: Origin", "Age: 5"), page: "null", want: []string{"can have the origin null."}},
		{name: "a page without an origin, preflight", handler: inner, page: "null", request: put, want: []string{"can have the origin null."}},
		{name: "a page without an origin, and another middleware", handler: respond(204, "Vary: Origin"), page: "null", want: []string{"can have the origin null."}},
		{name: "a page without an origin, and another origin", handler: respond(204, allowPage), page: "null", want: []string{"can have the origin null."}},
		{name: "a page without an origin that reads its rejection", handler: rejects, page: "null", want: []string{"can have the origin null."}},
		{name: "a page without an origin, and a limit", handler: respond(429), page: "null", want: []string{"Code outside the CORS middleware wrote the 429" + outside}},
		{name: "a file", handler: inner, page: "file://", want: []string{"can have the origin file://."}},
		{name: "an origin with a port", handler: inner, page: "https://a.example:8443", want: []string{"add https://a.example:8443 to AllowedOrigins"}},
		{name: "an app", handler: inner, page: "app://.", want: []string{"add app://. to AllowedOrigins"}},
		{
			name: "a form posts from https to http", handler: closed, request: corstest.Request{Method: "POST", Mode: corstest.Navigate, URL: "http://api.example/"},
			want: []string{"The page posts from https to http, so the browser sent Origin: null."},
		},

		// Preflights without Access-Control-Allow-Origin.
		{name: "a DenyHandler, preflight", handler: deny, request: put, want: []string{either, "allow the origin https://page.example (exactly, without a trailing slash) and the method PUT."}},
		{name: "another CORS middleware, which does not list the page", handler: respond(204, "Vary: Accept, origin"), request: put, want: []string{lacks + " and the method PUT."}},
		{name: "Vary: *", handler: respond(204, "Vary: *"), request: put, want: []string{another}},
		{name: "another CORS middleware, and its router without the path, preflight", handler: respond(404, "Vary: Origin"), request: put, want: []string{lacks + " and the method PUT."}},
		{name: "a slash is missing", handler: dirs, request: put, path: "/dir", want: []string{`The preflight was redirected to "/dir/", and browsers do not follow redirects of preflights. Have the page request the exact target of the redirect`, "If the target is a login page"}},
		{name: "a 300 with a Location", handler: respond(300, "Location: /a"), request: put, want: []string{`The preflight was redirected to "/a"`}},
		{name: "a redirect with CORS headers", handler: respond(302, allowPage, "Location: /a"), request: put, want: []string{`The preflight was redirected to "/a"`}},
		{name: "304", handler: respond(304), request: put, want: []string{"The preflight got status 304 from a layer outside the CORS middleware."}},
		{name: "304 with CORS headers", handler: respond(304, allowPage), request: put, want: []string{past + "304"}},
		{name: "authentication", handler: respond(401, "WWW-Authenticate: Basic"), request: withCredentials(put), want: []string{guard}},
		{name: "authentication without a challenge", handler: respond(401), request: put, want: []string{guard}},
		{name: "authentication without a challenge, which varies with the origin", handler: respond(401, "Vary: Origin"), request: put, want: []string{guard}},
		{name: "authentication that sends 400 and a challenge", handler: respond(400, "WWW-Authenticate: Bearer", "Vary: Origin"), request: put, want: []string{guard}},
		{name: "authentication in a proxy", handler: respond(407), request: put, want: []string{guard}},
		{name: "an access check that sends 403", handler: respond(403), request: put, want: []string{either, "method PUT."}},
		{name: "Amazon API Gateway without OPTIONS", handler: respond(403, "X-Amzn-Errortype: MissingAuthenticationTokenException"), request: put, want: []string{"Amazon API Gateway has no route for this path, or none for this method"}},
		{name: "Amazon API Gateway without the path", handler: respond(403, "X-Amzn-Errortype: MissingAuthenticationTokenException"), want: []string{"Amazon API Gateway has no route for this path, or none for this method"}},
		{name: "an access check whose response varies with cookies", handler: respond(403, "Vary: Cookie"), request: put, want: []string{either}},
		{name: "an access check whose response varies with the origin", handler: respond(403, "Vary: Origin"), request: put, want: []string{either}},
		{name: "authentication whose response varies with the origin", handler: respond(401, "WWW-Authenticate: Basic", "Vary: Origin"), request: put, want: []string{guard}},
		{name: "an access check that sends 403 and a challenge", handler: respond(403, "WWW-Authenticate: Basic"), request: put, want: []string{guard}},
		{name: "a router without OPTIONS", handler: mux, request: put, want: []string{router}},
		{name: "a router without the path", handler: mux, request: put, path: "/nowhere", want: []string{router + ", because no route matches OPTIONS with this path", "Check the path.", unknown + forward}},
		{name: "Python's http.server", handler: respond(501, "Server: SimpleHTTP/0.6 Python/3.11.2"), request: put, want: []string{router, others, unknown + ` (perhaps the one that sent "Server: SimpleHTTP/0.6 Python/3.11.2")` + forward}},
		{name: "a server that fails", handler: respond(500), request: put, want: []string{failed}},
		{name: "a server that fails, which varies with the origin", handler: respond(500, "Vary: Origin"), request: put, want: []string{failed, others}},
		{name: "a proxy whose servers are all down", handler: respond(503, "Via: 1.1 varnish"), request: put, want: []string{failed}},
		{name: "a proxy whose server does not respond, preflight", handler: respond(502), request: put, want: []string{"Status 502 usually comes from a proxy", "or sends more headers than the proxy accepts."}},
		{name: "the service has no CORS middleware", handler: ok, request: put, want: []string{another, others}},
		{name: "the service has no CORS middleware, and sends 204", handler: respond(204), request: put, want: []string{another}},
		{name: "too many requests", handler: respond(429, "CF-Ray: 1-FRA"), request: put, want: []string{"The preflight got status 429 from a layer outside", unknown + ` (perhaps the one that sent "Cf-Ray: 1-FRA")` + forward}},

		// Actual requests without Access-Control-Allow-Origin.
		{name: "a DenyHandler", handler: deny, want: []string{vary, "A cache may also have returned a response for another page."}},
		{name: "another CORS middleware, and its router without the path", handler: respond(404, "Vary: Origin"), want: []string{vary}},
		{name: "another CORS middleware, and authentication inside or outside", handler: respond(401, "Vary: Origin", "WWW-Authenticate: Basic"), want: []string{vary, login}},
		{name: "another CORS middleware, and authentication without a challenge", handler: respond(401, "Vary: Origin"), want: []string{vary, login}},
		{name: "a redirect to the login of another host, which varies with the origin", handler: respond(302, "Vary: Origin", "Location: https://login.example/"), want: []string{"The request was redirected to another host", others}},
		{name: "authentication after a preflight, which varies with the origin", handler: split(respond(204, allowPage, allowMethods+"PUT"), respond(401, "Vary: Origin", "WWW-Authenticate: Basic")), request: put, want: []string{"The preflight was allowed, but the response to the request has Vary: Origin and no CORS headers.", "Perhaps a proxy or another middleware responded to the preflight, and the CORS middleware behind it does not allow the origin.", login}},
		{name: "another CORS middleware after a redirect", handler: elsewhere(respond(200, "Vary: Origin")), want: []string{moved}},
		{name: "a redirect outside", handler: dirs, path: "/dir", want: []string{"The redirect also needs CORS headers.", "If the target is a login page"}},
		{name: "a proxy whose servers are all down, without a preflight", handler: respond(503), want: []string{"Status 503 usually comes from a proxy or platform in front, and means that no server is available. Go code such as http.TimeoutHandler also sends it.", "To let scripts read the error"}},
		{name: "a cache whose server does not respond", handler: respond(502, "Age: 5"), want: []string{"Status 502 usually comes from a proxy"}},
		{name: "a redirect from a cache", handler: respond(301, "Age: 5", "Location: https://other.example/"), want: []string{"The request was redirected to another host"}},
		{name: "a login page with 200", handler: respond(200, "Content-Type: text/html; charset=utf-8"), want: []string{lost, "If the body is not from your service (for example, if it is a login page), something in front responded, or the URL is wrong."}},
		{name: "304 to a script", handler: respond(304), want: []string{lost}},
		{name: "an error outside", handler: respond(400), want: []string{"Code outside the CORS middleware wrote the 400" + outside, unknown + pages, others}},
		{name: "an error outside, behind a proxy", handler: respond(404, "Server: nginx"), want: []string{"wrote the 404" + outside, always, unknown + ` (perhaps the one that sent "Server: nginx")` + pages}},
		{name: "a proxy that limits the size of headers", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Request Header Or Cookie Too Large", http.StatusBadRequest)
		}), want: []string{"Status 400 with this body usually comes from a proxy or platform in front, and means that the request headers are too large."}},
		{name: "no CORS headers", handler: ok, want: []string{lost}},
		{name: "no CORS headers, behind a proxy", handler: respond(200, "Server: nginx"), want: []string{lost, others, " If nginx adds the CORS headers, repeat their add_header lines in each location that has other add_header lines. Such a location does not inherit any add_header lines."}},
		{name: "a proxy whose list lacks the page", handler: respond(200, "Server: nginx", "Vary: Origin"), want: []string{vary}},
		{name: "no CORS headers from another host", handler: elsewhere(ok), want: []string{away}},
		{name: "a login after a redirect from the server's own page, from a cache", handler: elsewhere(respond(200, "Age: 300")), request: corstest.Request{URL: page}, want: []string{away}},
		{name: "a login after a redirect from the server's own page, preflight", handler: elsewhere(respond(405, "Allow: GET")), request: corstest.Request{URL: page, Header: http.Header{"X-Id": {"1"}}}, want: []string{away}},
		{name: "a login after a redirect, preflight that is redirected again", handler: elsewhere(respond(302, "Location: /login")), request: corstest.Request{URL: page, Header: http.Header{"X-Id": {"1"}}}, want: []string{away}},
		{name: "another CORS middleware after a redirect from the server's own page", handler: elsewhere(respond(200, "Vary: Origin")), request: corstest.Request{URL: page}, want: []string{away, others}},
		{name: "a proxy whose server does not respond, after a redirect", handler: elsewhere(respond(502)), request: corstest.Request{URL: page, Header: http.Header{"X-Id": {"1"}}}, want: []string{"Status 502 usually comes from a proxy"}},
		{name: "a login with any origin after a redirect from the server's own page", handler: elsewhere(respond(200, allowAny)), request: corstest.Request{URL: page, Credentials: corstest.Include}, want: []string{star, to401}},
		{name: "a login with another origin after a redirect from the server's own page", handler: elsewhere(respond(200, "Access-Control-Allow-Origin: https://other.example")), request: corstest.Request{URL: page}, want: []string{other, to401}},
		{name: "a login with any origin that rejects the preflight after a redirect", handler: elsewhere(respond(403, allowAny)), request: corstest.Request{URL: page, Header: http.Header{"X-Id": {"1"}}}, want: []string{guard, to401}},
		{name: "only preflights get CORS headers", handler: split(inner, ok), request: put, want: []string{lost, opened}},
		{name: "only preflights get CORS headers, and the server fails", handler: split(inner, respond(500, "Server: Apache")), request: put, want: []string{"wrote the 500" + outside, "an error handler.", opened, always}},
		{name: "only preflights get CORS headers, and a cache responds", handler: split(inner, respond(200, "Age: 5")), request: put, want: []string{varied, opened}},
		{name: "a middleware whose list lacks the page, and a cache", handler: respond(200, "Age: 5"), want: []string{varied, others}},
		{name: "a middleware whose list lacks the page, and a cache, preflight", handler: respond(200, "Age: 5"), request: put, want: []string{varied, others}},
		{name: "plain HTTP to a port for HTTPS", handler: plain, want: []string{secure}},
		{name: "plain HTTP to a port for HTTPS, preflight", handler: plain, request: put, want: []string{secure}},
		{name: "plain HTTP to a port for HTTPS, WebSocket", handler: plain, request: corstest.Request{Mode: corstest.WebSocket}, want: []string{secure}},
		{name: "plain HTTP to a port for HTTPS of nginx", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<title>400 The plain HTTP request was sent to HTTPS port</title>", http.StatusBadRequest)
		}), want: []string{secure}},

		// Wrong values.
		{name: "one line of two values", handler: respond(200, "Access-Control-Allow-Origin: *, *"), want: []string{twice}},
		{name: "one line of two values, both the page", handler: respond(200, allowPage+", "+page), want: []string{twice}},
		{name: "* and an origin in one line", handler: respond(200, "Access-Control-Allow-Origin: https://page.example, *"), want: []string{one}},
		{name: "two lines of two origins", handler: respond(200, allowPage, "Access-Control-Allow-Origin: https://other.example"), want: []string{twice}},
		{name: "two origins in one line", handler: respond(200, "Access-Control-Allow-Origin: https://page.example, https://other.example"), want: []string{one}},
		{name: "two origins with a space between them", handler: respond(200, "Access-Control-Allow-Origin: https://page.example https://other.example"), want: []string{one}},
		{name: "a pattern instead of an origin", handler: respond(200, "Access-Control-Allow-Origin: https://*.example"), want: []string{one}},
		{name: "an origin without a scheme", handler: respond(200, "Access-Control-Allow-Origin: page.example"), want: []string{one}},
		{name: "an origin in upper case", handler: respond(200, "Access-Control-Allow-Origin: https://Page.example"), want: []string{exactly}},
		{name: "credentials twice", handler: respond(200, allowPage, allowCredentials, allowCredentials), request: withCredentials(get), want: []string{twice}},
		{name: "credentials twice in one line", handler: respond(200, allowPage, allowCredentials+", true"), request: withCredentials(get), want: []string{twice}},
		{name: "credentials twice for another origin", handler: respond(200, "Access-Control-Allow-Origin: https://other.example", allowCredentials, allowCredentials), request: withCredentials(get), want: []string{other}},
		{name: "any origin with credentials, preflight", handler: respond(200, allowAny, allowCredentials), request: withCredentials(put), want: []string{star}},
		{name: "an access check that allows any origin, with credentials", handler: respond(401, allowAny, allowCredentials, "Vary: Origin"), request: withCredentials(put), want: []string{star}},
		{name: "a router that allows any origin, with credentials", handler: respond(405, allowAny), request: withCredentials(put), want: []string{star}},
		{name: "no credentials", handler: inner, request: withCredentials(put), want: []string{denied}},
		{name: "no credentials, without a preflight", handler: inner, request: withCredentials(get), want: []string{denied, "If it is set, your handler, a proxy or another CORS middleware removes or replaces the header."}},
		{name: "credentials in upper case", handler: respond(200, allowPage, "Access-Control-Allow-Credentials: TRUE"), request: withCredentials(get), want: []string{denied}},
		{name: "another origin after a redirect", handler: elsewhere(respond(200, allowPage)), want: []string{moved}},
		{name: "another origin", handler: respond(200, "Access-Control-Allow-Origin: https://other.example"), want: []string{other}},
		{name: "the origin null", handler: respond(200, "Access-Control-Allow-Origin: null"), want: []string{other}},

		// Wrong statuses, methods and headers of preflights.
		{name: "authentication with CORS headers", handler: respond(401, allowPage, "WWW-Authenticate: Basic"), request: put, want: []string{guard}},
		{name: "a guard with CORS headers", handler: respond(403, allowAny), request: put, want: []string{guard}},
		{name: "a proxy with CORS headers whose server is down", handler: respond(502, allowPage), request: put, want: []string{"Status 502 usually comes from a proxy"}},
		{name: "a server that fails, with CORS headers", handler: respond(503, allowPage), request: put, want: []string{failed}},
		{name: "a redirect to a login that varies with the origin, preflight", handler: respond(302, "Location: /login", "Vary: Origin"), request: put, want: []string{`The preflight was redirected to "/login"`, others}},
		{name: "a redirect that varies with the origin, page without an origin", handler: respond(302, "Location: /login", "Vary: Origin"), page: "null", want: []string{"The redirect also needs CORS headers.", "can have the origin null."}},
		{name: "a redirect within the host that varies with the origin", handler: respond(302, "Location: /login", "Vary: Origin"), want: []string{"The redirect also needs CORS headers.", others}},
		{name: "a login after a redirect, which varies with the origin", handler: elsewhere(respond(200, "Vary: Origin")), want: []string{moved, "If that is a login page, have the service or gateway respond to scripts with 401 instead."}},
		{name: "a page without an origin, any origin with credentials", handler: respond(200, allowAny), page: "null", request: withCredentials(get), want: []string{"can have the origin null."}},
		{name: "a router's 405 with CORS headers", handler: respond(405, allowPage), request: put, want: []string{past + "405", "or a proxy adds the CORS headers."}},
		{name: "a list of methods with spaces", handler: respond(200, allowPage, allowMethods+"GET PUT"), request: put, want: []string{list}},
		{name: "a list of headers with quotation marks", handler: respond(200, allowPage, allowMethods+"PUT", allowHeaders+`"X-Id"`), request: put, want: []string{list}},
		{name: "patch in lowercase", handler: inner, request: corstest.Request{Method: "patch"}, want: []string{"Methods are case-sensitive, and browsers do not convert patch to uppercase. Have the script use PATCH."}},
		{name: "purge in lowercase, which is not listed", handler: inner, request: corstest.Request{Method: "purge"}, want: []string{"Add purge to AllowedMethods. " + layered}},
		{name: "patch in lowercase, which is not listed", handler: respond(200, allowPage), request: corstest.Request{Method: "patch"}, want: []string{"Add PATCH to AllowedMethods, and have the script use PATCH. Methods are case-sensitive, and browsers do not convert patch"}},
		{name: "patch in lowercase under any method, with credentials", handler: respond(200, allowPage, allowCredentials, allowMethods+"*"), request: withCredentials(corstest.Request{Method: "patch"}), want: []string{"Add PATCH to AllowedMethods, and have"}},
		{name: "a method that no policy can allow", handler: respond(200, allowPage), request: corstest.Request{Method: "p*t"}, want: []string{"No policy can list the method p*t by name. Have the script use another name."}},
		{name: "a method that is not listed", handler: inner, request: corstest.Request{Method: "DELETE"}, want: []string{"Add DELETE to AllowedMethods. " + layered}},
		{name: "any method, with credentials", handler: respond(200, allowPage, allowCredentials, allowMethods+"*"), request: withCredentials(put), want: []string{"With credentials, browsers read * as a literal method name. Add PUT to AllowedMethods."}},
		{name: "a header that is not listed", handler: respond(200, allowPage, allowHeaders+"a, b"), request: sets("x-id"), want: []string{"Add X-Id to AllowedHeaders. " + layered}},
		{name: "a content type", handler: inner, request: corstest.Request{Method: "POST", Body: "{}", Header: http.Header{"Content-Type": {"application/json"}}}, want: []string{"Add Content-Type to AllowedHeaders."}},
		{name: "Authorization that is not listed", handler: inner, request: sets("Authorization"), want: []string{"Add Authorization to AllowedHeaders."}},
		{name: "a header that no policy can allow", handler: respond(200, allowPage), request: sets("x*y"), want: []string{"No policy can list the request header X*y by name."}},
		{name: "any header, with credentials", handler: respond(200, allowPage, allowCredentials, allowHeaders+"*"), request: withCredentials(sets("X-Id")), want: []string{"With credentials, browsers read * as a literal header name. Add X-Id to AllowedHeaders."}},
		{
			name: "Authorization under *", handler: wrap(t, cors.Policy{AllowedOrigins: []string{page}, AllowedHeaders: []string{"*"}}, ok), request: sets("Authorization"),
			want: []string{"The Fetch standard does not let * cover Authorization, so this tool reports the request as blocked. Current browsers still allow it", "Add Authorization to AllowedHeaders, in addition to *."},
		},

		// Responses that the script can read.
		{name: "a header is hidden", handler: wrap(t, policy, respond(200, "X-Total: 1", "Link: </2>", "Server: a", "X-Powered-By: b")), want: []string{"The script cannot read Link and X-Total. If it needs to, add Link and X-Total to ExposedHeaders."}},
		{name: "a header is hidden, because * is literal with credentials", handler: respond(200, allowPage, allowCredentials, "Vary: Origin", "Etag: 1", "Access-Control-Expose-Headers: *"), request: withCredentials(get), want: []string{"The script cannot read Etag, because with credentials, browsers read * as a literal header name."}},
		{name: "a header is exposed", handler: respond(200, allowPage, "Vary: Origin", "X-Total: 1", "Access-Control-Expose-Headers: x-total")},
		{name: "one origin without Vary, and a hidden header", handler: respond(200, allowPage, "X-Total: 1"), want: []string{noVary, "replaces Vary. The script cannot read X-Total."}},
		{name: "one origin without Vary, HEAD", handler: respond(200, allowPage), request: corstest.Request{Method: "HEAD"}, want: []string{noVary}},
		{name: "one origin without Vary, POST", handler: respond(200, allowPage), request: post},
		{name: "one origin without Vary, with no-store", handler: respond(200, allowPage, "Cache-Control: no-store, max-age=0")},
		{name: "one origin without Vary, an error", handler: respond(400, allowPage)},
		{name: "any origin without Vary", handler: respond(200, allowAny)},
		{name: "one origin, which no cache returns to other pages", handler: respond(200, allowPage, "Vary: *")},
		{name: "the server's own page without Vary", handler: respond(200, allowPage), request: corstest.Request{URL: page}},
		{name: "an image", handler: respond(200, allowPage, "X-Total: 1"), request: corstest.Request{Mode: corstest.NoCORS}},

		// Handshakes.
		{name: "a WebSocket package that compares Origin with Host", handler: respond(403), request: corstest.Request{Mode: corstest.WebSocket}, want: []string{compare, unknown + ". Have it forward the handshake."}},
		{name: "a WebSocket of the server's own page", handler: respond(403), request: corstest.Request{Mode: corstest.WebSocket, URL: page}, want: []string{"The page is on the server's own origin, so a proxy in front probably changes Host. Have it forward Host unchanged. " + compare}},
		{name: "a WebSocket of the server's own page, which a DenyHandler rejects", handler: hides(deny), request: corstest.Request{Mode: corstest.WebSocket, URL: page}, want: []string{"so a proxy in front probably changes Host.", vary, "something removes Origin from the request."}},
		{name: "a WebSocket that a firewall rejects", handler: respond(403, "Server: cloudflare"), request: corstest.Request{Mode: corstest.WebSocket}, want: []string{compare, unknown + ` (perhaps the one that sent "Server: cloudflare"). Have it forward the handshake.`}},
		{name: "a WebSocket with large headers", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Request Header Or Cookie Too Large", http.StatusBadRequest)
		}), request: corstest.Request{Mode: corstest.WebSocket}, want: []string{"the request headers are too large."}},
		{name: "a WebSocket behind authentication", handler: respond(401), request: corstest.Request{Mode: corstest.WebSocket}, want: []string{signs}},
		{name: "a WebSocket behind authentication that sends 403 and a challenge", handler: respond(403, "WWW-Authenticate: Bearer"), request: corstest.Request{Mode: corstest.WebSocket}, want: []string{signs}},
		{name: "a WebSocket behind authentication in a proxy", handler: respond(407), request: corstest.Request{Mode: corstest.WebSocket}, want: []string{signs}},
		{name: "a WebSocket behind a proxy that does not forward Upgrade", handler: respond(400), request: corstest.Request{Mode: corstest.WebSocket}, want: []string{"did not accept the request as a handshake. Check the URL, and look for a proxy in front that does not forward Upgrade and Connection. Some servers also respond this way if they do not allow the page's origin: if you trust the page, allow it there."}},
		{name: "a WebSocket at the URL of a page", handler: ok, request: corstest.Request{Mode: corstest.WebSocket}, want: []string{"The handshake needs status 101, not 200."}},

		// Requests that fail without a response.
		{name: "the browser does not send the request", handler: ok, request: corstest.Request{Method: "TRACE"}},
		{name: "the browser does not follow the redirect", handler: respond(302, allowAny, "Location: ftp://other.example/")},
		{name: "there is no response", handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("") })},
		{name: "there is no response to the preflight", handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("") }), request: put},
	} {
		test.run(t)
	}
}

func TestHiddenHeaders(t *testing.T) {
	for _, test := range []struct {
		name string
		want bool // whether the advice names it
	}{
		{"Accept-Ranges", true},
		{"Authorization", true},
		{"Content-Digest", true},
		{"Content-Disposition", true},
		{"Content-Range", true},
		{"Deprecation", true},
		{"Docker-Content-Digest", true},
		{"Dpop-Nonce", true},
		{"Etag", true},
		{"Grpc-Status", true},
		{"Hx-Redirect", true},
		{"Link", true},
		{"Location", true},
		{"Mcp-Session-Id", true},
		{"Ratelimit", true},
		{"Ratelimit-Remaining", true},
		{"Repr-Digest", true},
		{"Retry-After", true},
		{"Sunset", true},
		{"Tus-Resumable", true},
		{"Upload-Offset", true},
		{"Www-Authenticate", true},
		{"X-Amz-Request-Id", true},
		{"X-Request-Id", true},
		{"X-Total-Count", true},
		{"Alt-Svc", false},
		{"Content-Encoding", false},
		{"Date", false},
		{"Server", false},
		{"Set-Cookie", false},
		{"Strict-Transport-Security", false},
		{"Via", false},
		{"X-Accel-Expires", false},
		{"X-Amz-Cf-Id", false},
		{"X-Amz-Id-2", false},
		{"X-Amzn-Trace-Id", false},
		{"X-Aspnet-Version", false},
		{"X-Azure-Ref", false},
		{"X-Backend-Server", false},
		{"X-Cache", false},
		{"X-Cache-Hits", false},
		{"X-Cdn", false},
		{"X-Content-Type-Options", false},
		{"X-Dns-Prefetch-Control", false},
		{"X-Download-Options", false},
		{"X-Drupal-Cache", false},
		{"X-Envoy-Upstream-Service-Time", false},
		{"X-Fastly-Request-Id", false},
		{"X-Frame-Options", false},
		{"X-Generator", false},
		{"X-Litespeed-Cache", false},
		{"X-Nextjs-Cache", false},
		{"X-Nf-Request-Id", false},
		{"X-Permitted-Cross-Domain-Policies", false},
		{"X-Powered-By", false},
		{"X-Proxy-Cache", false},
		{"X-Robots-Tag", false},
		{"X-Runtime", false},
		{"X-Served-By", false},
		{"X-Timer", false},
		{"X-Ua-Compatible", false},
		{"X-Varnish", false},
		{"X-Vercel-Id", false},
		{"X-Xss-Protection", false},
	} {
		b := corstest.Browser{Handler: respond(200, allowAny, test.name+": 1")}
		advice := b.Fetch(page, corstest.Request{URL: api}).Advice
		if got := strings.Contains(advice, "cannot read "+test.name+"."); got != test.want {
			t.Errorf("%s: got the advice %q", test.name, advice)
		}
	}
}

// The handler inside sets Access-Control-Allow-Origin itself, as packages for
// server-sent events do.
func TestFieldBugHandlerSetsOrigin(t *testing.T) {
	policy := cors.Policy{AllowedOrigins: []string{page}, AllowedHeaders: []string{"X-Id"}, AllowCredentials: true}
	sse := wrap(t, policy, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}))
	fixed := wrap(t, policy, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "http://localhost:3000")
	}))
	drops := wrap(t, policy, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Del("Access-Control-Allow-Credentials")
	}))
	const already = "If the policy already "
	for _, test := range []adviceTest{
		{name: "*, after a preflight", handler: sse, request: withCredentials(sets("X-Id")), want: []string{changes}},
		{name: "*", handler: sse, request: withCredentials(get), want: []string{star, already + "does both, your handler or a proxy replaces the header."}},
		{name: "another origin, after a preflight", handler: fixed, request: sets("X-Id"), want: []string{changes}},
		{name: "another origin", handler: fixed, want: []string{other, already + "allows it, your handler or a proxy sets a fixed value"}},
		{name: "no credentials, after a preflight", handler: drops, request: withCredentials(sets("X-Id")), want: []string{changes}},
	} {
		test.run(t)
	}
}

func TestFieldBugCacheIgnoresVary(t *testing.T) {
	policy := cors.Policy{AllowedOrigins: []string{page, "https://other.example"}, AllowedHeaders: []string{"X-Id"}}
	service := wrap(t, policy, ok)
	fixed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // without Vary
		if origin := r.Header.Get("Origin"); origin == page || origin == "https://other.example" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
		}
	})
	for _, test := range []adviceTest{
		{name: "Age", handler: (&cache{service: service, hit: "Age: 5"}).fill("https://other.example"), want: []string{"The response came from a cache (Age: 5).", "the cache ignored Vary: Origin" + ignored}},
		{name: "X-Cache", handler: (&cache{service: service, hit: "X-Cache: Hit from cloudfront"}).fill("https://other.example"), want: []string{"(X-Cache: Hit from cloudfront).", ignored}},
		{name: "Cf-Cache-Status", handler: (&cache{service: service, hit: "Cf-Cache-Status: HIT"}).fill("https://other.example"), want: []string{"(Cf-Cache-Status: HIT).", ignored}},
		{name: "an old copy of *", handler: respond(200, "Access-Control-Allow-Origin: *", "X-Cache: HIT"), request: withCredentials(corstest.Request{}), want: []string{star, "The response came from a cache (X-Cache: HIT). If the service already sends the right headers, purge the cache."}},
		{name: "an old copy of a preflight response", handler: respond(204, "Access-Control-Allow-Origin: *", "Age: 5"), request: put, want: []string{"Add PUT to AllowedMethods.", "The response came from a cache (Age: 5). If"}},
		{name: "after a preflight", handler: (&cache{service: service, hit: "Age: 5"}).fill("https://other.example"), request: sets("X-Id"), want: []string{ignored}},
		{name: "an image came first", handler: (&cache{service: service, hit: "Age: 5"}).fill(api), want: []string{ignored}},
		{name: "without Vary", handler: (&cache{service: fixed, hit: "Age: 5"}).fill("https://other.example"), want: []string{"The response came from a cache (Age: 5), " + varied}},
		{name: "an image came first, without Vary", handler: (&cache{service: fixed, hit: "Age: 5"}).fill(api), want: []string{varied}},
		{name: "a preflight from a cache", handler: respond(200, "Age: 5", "Allow: GET"), request: put, want: []string{varied}},
		{name: "not from a cache", handler: (&cache{service: service, hit: "Age: 0"}).fill("https://other.example"), want: []string{other}},
		{name: "a miss", handler: respond(200, "X-Cache: MISS", "Age: 0"), want: []string{lost}},
	} {
		test.run(t)
	}
}

func TestFieldBugCachedRejection(t *testing.T) {
	service := wrap(t, cors.Policy{AllowedOrigins: []string{page}}, ok)
	adviceTest{name: "from a cache", handler: (&cache{service: service, hit: "X-Cache: HIT"}).fill("https://evil.example"), want: []string{"(X-Cache: HIT).", "the cache ignored Vary: Origin and Cache-Control: no-store" + ignored}}.run(t)
}

// Proxies and platforms send error responses that the service did not write.
func TestFieldBugErrorOfProxy(t *testing.T) {
	service := wrap(t, cors.Policy{AllowedOrigins: []string{page}}, ok)
	dead := httptest.NewServer(nil)
	u, err := url.Parse(dead.URL)
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	unreachable := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(u) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	limited := httptest.NewUnstartedServer(service) // net/http sends this one before any handler runs
	limited.Config.MaxHeaderBytes = 1
	limited.Start()
	defer limited.Close()
	large := corstest.Request{URL: limited.URL + "/?" + strings.Repeat("a", 8<<10)}
	for _, test := range []adviceTest{
		{name: "a body that is too large", handler: respond(413, "Server: nginx/1.22.1"), request: post, want: []string{"Status 413 usually comes from a proxy or platform in front, and means that the body is too large. Raise the limit there, or send less. To let scripts read the error, add CORS headers to the proxy's error pages (see docs/proxies.md of package cors). If your Go code sent the error, wrap that code with the CORS middleware."}},
		{name: "headers that are too large", request: large, want: []string{"Status 431 usually comes", "and in http.Server.MaxHeaderBytes"}},
		{name: "headers that are too large for nginx", handler: respond(494, "Server: nginx"), want: []string{"Status 494 usually comes", "the request headers are too large"}},
		{name: "a service that is down", handler: unreachable, want: []string{"Status 502 usually comes", "The service is down, unreachable or too slow, or sends more headers than the proxy accepts."}},
		{name: "a service that is down, preflight", handler: unreachable, request: put, want: []string{"Status 502 usually comes", "If your Go code sent the error, put the CORS middleware outside that code."}},
		{name: "a service that is slow", handler: respond(504, "Via: 1.1 google"), want: []string{"Status 504 usually comes", "the service took too long"}},
		{name: "520, the first status of Cloudflare", handler: respond(520), want: []string{"usually comes from Cloudflare, and means that it got no valid response from the service."}},
		{name: "530, the last status of Cloudflare", handler: respond(530), want: []string{"usually comes from Cloudflare, and means that it got no valid response from the service."}},
		{name: "519, the status before Cloudflare's", handler: respond(519), want: []string{"wrote the 519" + outside}},
		{name: "531, the status after Cloudflare's", handler: respond(531), want: []string{"wrote the 531" + outside}},
	} {
		test.run(t)
	}
}

// A platform in front requires a login.
func TestFieldBugLoginInFront(t *testing.T) {
	login := respond(302, "Location: https://login.example/?next=/")
	for _, test := range []adviceTest{
		{name: "preflight to another host", handler: login, request: put, want: []string{`The preflight was redirected to another host ("https://login.example/?next=/")`, "If that host is the login page of a gateway or platform in front, exempt OPTIONS requests from the login."}},
		{name: "preflight to the same host", handler: respond(302, "Location: https://api.example/login"), request: put, want: []string{`The preflight was redirected to "https://api.example/login"`, "If the target is a login page, exempt OPTIONS requests from the login."}},
		{name: "request to another host", handler: login, want: []string{`The request was redirected to another host ("https://login.example/?next=/"), without CORS headers. If the target is a login page,`}},
		{name: "request to another host, with CORS headers", handler: elsewhere(ok), want: []string{"Redirects led to another host, whose response has no CORS headers. If the target is a login page,"}},
		{name: "a redirect that cannot be read", handler: respond(302, "Location: https://%"), request: put, want: []string{`The preflight was redirected to "https://%"`}},
		{name: "401", handler: respond(401, "Server: istio-envoy"), request: put, want: []string{guard, "If a proxy, gateway or platform in front requires a login"}},
	} {
		test.run(t)
	}
}

// A proxy removes Origin, or the headers that mark a preflight.
func TestFieldBugHeadersRemovedOnTheWay(t *testing.T) {
	policy := cors.Policy{AllowedOrigins: []string{page}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"X-Id"}}
	service := wrap(t, policy, ok)
	all := wrap(t, cors.Policy{
		AllowOriginFunc: func(*http.Request, string) bool { return true }, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, AllowCredentials: true,
	}, ok)
	routes := http.NewServeMux()
	routes.Handle("PUT /", ok)
	remove := func(service http.Handler, name string) http.Handler {
		return proxyTo(t, service, func(r *http.Request) { r.Header.Del(name) })
	}
	for _, test := range []adviceTest{
		{name: "nothing", handler: proxyTo(t, service, nil), request: put},
		{name: "Origin", handler: remove(service, "Origin"), request: post, want: []string{"The browser sent an Origin header, but package cors did not get it."}},
		{name: "Origin of a GET", handler: remove(service, "Origin"), want: []string{vary + "GET" + both}},
		{name: "Origin of a preflight", handler: remove(service, "Origin"), request: put, want: []string{lacks + " and the method PUT.", "something removes Origin from the request"}},
		{name: "Origin of the actual request", handler: split(service, without(service, "Origin", "Sec-Fetch-Site")), request: put, want: []string{"The preflight was allowed, but the response to the request has Vary: Origin and no CORS headers.", "Otherwise, something removes Origin from the request"}},
		{name: "Access-Control-Request-Method", handler: remove(service, "Access-Control-Request-Method"), request: put, want: []string{"Add PUT to AllowedMethods. " + layered}},
		{name: "Access-Control-Request-Method, for a header", handler: remove(service, "Access-Control-Request-Method"), request: sets("X-Id"), want: []string{"Add X-Id to AllowedHeaders. " + layered}},
		{name: "Access-Control-Request-Method, with a router", handler: remove(wrap(t, policy, routes), "Access-Control-Request-Method"), request: put, want: []string{past + "405", "something in front removes Access-Control-Request-Method"}},
		{name: "Access-Control-Request-Method, with a handler that sends 204", handler: remove(wrap(t, policy, respond(204)), "Access-Control-Request-Method"), request: put, want: []string{"Add PUT to AllowedMethods. " + layered}},
		{name: "Access-Control-Request-Headers", handler: remove(all, "Access-Control-Request-Headers"), request: withCredentials(sets("X-Id")), want: []string{"Add X-Id to AllowedHeaders. " + layered}},
	} {
		test.run(t)
	}
}

func TestFieldBugNestedMiddlewares(t *testing.T) {
	loose := cors.Policy{AllowedOrigins: []string{page}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"X-Id"}}
	strict := cors.Policy{AllowedOrigins: []string{"https://other.example"}}
	denies, passes := strict, strict
	denies.DenyHandler = respond(403)
	passes.AllowedOrigins = []string{page}
	for _, test := range []adviceTest{
		{name: "the outer one rejects", handler: wrap(t, strict, wrap(t, loose, ok)), request: put, want: []string{unlist}},
		{name: "the inner one rejects", handler: wrap(t, loose, wrap(t, strict, ok)), want: []string{unlist}},
		{name: "the inner one rejects after a preflight", handler: wrap(t, loose, wrap(t, strict, ok)), request: put, want: []string{"The preflight was allowed, but package cors rejected the request. If another CORS middleware or a proxy in front responds to preflights with a different policy, keep only one of the two policies. If you need both, and trust the origin, allow https://page.example in both. If no other layer responds to preflights, AllowOriginFunc probably depends on headers that preflights lack."}},
		{name: "the inner one has a DenyHandler", handler: wrap(t, loose, wrap(t, denies, ok)), request: put, want: []string{"Perhaps a proxy or another middleware responded to the preflight, and the CORS middleware behind it does not allow the origin."}},
		{name: "the outer one lacks the method", handler: wrap(t, passes, wrap(t, loose, ok)), request: put, want: []string{"Add PUT to AllowedMethods. If it is already there, another CORS middleware or a proxy in front responded to the preflight"}},
		{name: "the outer one lacks the header", handler: wrap(t, passes, wrap(t, loose, ok)), request: sets("X-Id"), want: []string{"Add X-Id to AllowedHeaders. If it is already there, another CORS middleware or a proxy in front responded to the preflight"}},
		{name: "a proxy and its upstream both set CORS headers", handler: wrap(t, loose, proxyTo(t, respond(200, allowAny), nil)), want: []string{twice}},
		{name: "a proxy adds CORS headers to a rejection", handler: split(respond(204, allowPage, allowMethods+"PUT"), wrap(t, strict, ok)), request: put, want: []string{"with a different policy, keep only one"}},
	} {
		test.run(t)
	}
}

// A handler replaces Vary: Origin.
func TestFieldBugVaryReplaced(t *testing.T) {
	policy := cors.Policy{AllowedOrigins: []string{page}}
	sets := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "Accept") })
	adds := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Vary", "Accept") })
	for _, test := range []adviceTest{
		{name: "Set", handler: wrap(t, policy, sets), want: []string{noVary + "add Origin to Vary. Also look for code that replaces Vary."}},
		{name: "Add", handler: wrap(t, policy, adds)},
	} {
		test.run(t)
	}
}

func TestFieldBugTrailingSlash(t *testing.T) {
	for _, origin := range []string{"https://page.example", "app://obsidian.md", "capacitor://localhost"} {
		adviceTest{
			name: origin, handler: respond(200, "Access-Control-Allow-Origin: "+origin+"/"), page: origin,
			want: []string{"Send exactly " + origin + ", in lowercase and without a trailing slash."},
		}.run(t)
	}
}

// Beacons always have credentials, so the advice cannot be to leave them out.
func TestFieldBugBeacon(t *testing.T) {
	for _, test := range []adviceTest{
		{name: "any origin", handler: wrap(t, cors.Policy{AllowedOrigins: []string{"*"}}, ok), request: withCredentials(post), want: []string{star, beacon}},
		{name: "no credentials", handler: wrap(t, cors.Policy{AllowedOrigins: []string{page}}, ok), request: withCredentials(post), want: []string{denied, beacon}},
	} {
		test.run(t)
		for _, method := range []string{"GET", "HEAD", "PUT"} {
			r := corstest.Request{Method: method, URL: api, Credentials: corstest.Include}
			got := (&corstest.Browser{Handler: test.handler}).Fetch(page, r)
			if got.Advice == "" || strings.Contains(got.Advice, "beacon") {
				t.Errorf("%s: a %s is not a beacon\n%s", test.name, method, got)
			}
		}
	}
}

// A proxy responds to OPTIONS itself.
func TestFieldBugProxyRespondsToOptions(t *testing.T) {
	service := wrap(t, cors.Policy{AllowedOrigins: []string{page}, AllowedMethods: []string{"PUT"}}, ok)
	for _, test := range []adviceTest{
		{name: "204", handler: split(respond(204, "Server: nginx/1.22.1"), service), request: put, want: []string{another}},
		{name: "405", handler: split(respond(405, "Server: nginx/1.22.1"), service), request: put, want: []string{routed, unknown + ` (perhaps the one that sent "Server: nginx/1.22.1")` + forward}},
	} {
		test.run(t)
	}
}

// A script sends CORS response headers by mistake. A policy can list them.
func TestFieldBugScriptSendsResponseHeader(t *testing.T) {
	adviceTest{
		name: "Access-Control-Allow-Origin", handler: respond(200, allowPage, allowCredentials, allowHeaders+"*"), request: withCredentials(sets("Access-Control-Allow-Origin")),
		want: []string{"Have the script leave out Access-Control-Allow-Origin, because it is a response header, which only servers send."},
	}.run(t)
}

// If the origin, the method or a header is not allowed, other CORS middlewares
// send the same response, so the advice cannot name one of them. The tests of
// internal/peers use the real packages.
func TestFieldBugOtherMiddlewares(t *testing.T) {
	// onlyVary responds to a rejected preflight as rs/cors, go-chi/cors and Spring do.
	onlyVary := respond(204, "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	two := corstest.Request{Method: "PUT", Header: http.Header{"X-Id": {"1"}, "X-B": {"1"}}}
	starlette := func(body string, lines ...string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			respond(400, append(lines, allowPage, "Vary: Origin")...).ServeHTTP(w, r)
			io.WriteString(w, body)
		})
	}
	const body = "Disallowed CORS "
	const rejected = "The response to the preflight has status 400, and does not list "
	s3 := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "<Error><Code>AccessForbidden</Code><Message>CORSResponse: This CORS request is not allowed.</Message></Error>")
	})
	empty := func(value string) http.Handler { return respond(200, "Access-Control-Allow-Origin: "+value) }
	for _, test := range []adviceTest{
		{name: "the method or the header, Vary", handler: onlyVary, request: corstest.Request{Method: "PUT", Header: http.Header{"X-Id": {"1"}}}, want: []string{lacks + ", the method PUT and the header x-id."}},
		{name: "the method or a header, Vary", handler: onlyVary, request: two, want: []string{lacks + ", the method PUT and the headers x-b, x-id.", "another CORS middleware in front of package cors may have responded"}},
		{name: "the method, 405", handler: respond(405), request: put, want: []string{routed, "have it allow the method PUT."}},
		{name: "the method, 405 of a router", handler: respond(405, "Allow: GET"), request: put, want: []string{router}},
		{name: "a header, 403", handler: respond(403), request: two, want: []string{either, "the method PUT and the headers x-b, x-id."}},
		{name: "the origin, 403 without a preflight", handler: respond(403), want: []string{"A guard or other code outside the CORS middleware wrote the 403, or the CORS middleware rejected the page's origin, as gin-contrib/cors does.", others, unknown + pages}},
		{name: "the origin, 403 behind a proxy", handler: respond(403, "Server: nginx"), want: []string{"or the CORS middleware rejected the page's origin", unknown + ` (perhaps the one that sent "Server: nginx")` + pages}},
		{name: "S3", handler: s3, request: put, want: []string{"S3 rejected the preflight", "the origin https://page.example (exactly, without a trailing slash) and the method PUT there."}},
		{name: "Starlette, the method", handler: starlette(body+"method", allowMethods+"GET, POST", allowHeaders+"accept"), request: two, want: []string{rejected + "the method PUT."}},
		{name: "Starlette, a safelisted method", handler: starlette(body+"method", allowMethods+"GET", allowHeaders+"Accept, X-Id"), request: corstest.Request{Method: "POST", Header: http.Header{"X-Id": {"1"}}}, want: []string{rejected + "the method POST."}},
		{name: "Starlette, a header", handler: starlette(body+"headers", allowMethods+"PUT", allowHeaders+"Accept, X-Id"), request: two, want: []string{rejected + "the header x-b."}},
		{name: "Starlette, a header in another case", handler: starlette(body+"headers", allowMethods+"PUT", allowHeaders+"Accept, X-B"), request: two, want: []string{rejected + "the header x-id."}},
		{name: "a router's 404 with complete lists", handler: respond(404, allowPage, allowMethods+"*", allowHeaders+"*"), request: two, want: []string{past + "404"}},
		{name: "the 401 of an access check, without request headers", handler: respond(401, allowPage, allowMethods+"PUT", allowHeaders+"X-Id"), request: put, want: []string{guard}},
		{name: "an empty origin", handler: empty(""), want: []string{"Access-Control-Allow-Origin is empty or"}},
		{name: "an empty variable of Apache", handler: empty("(null)"), want: []string{"Access-Control-Allow-Origin is empty or (null). Apache sends (null) for an unset variable."}},
		{name: "an empty origin, page without an origin", handler: empty(""), page: "null", want: []string{"Access-Control-Allow-Origin is empty or"}},
		{name: "a method in lowercase in the list", handler: respond(200, allowPage, allowMethods+"get, put"), request: put, want: []string{"Methods are case-sensitive, and Access-Control-Allow-Methods has PUT in lowercase or mixed case. Have the server and the script use PUT."}},
	} {
		test.run(t)
	}
}

func TestFieldBugHandshakes(t *testing.T) {
	socket := corstest.Request{Mode: corstest.WebSocket}
	deny := wrap(t, cors.Policy{DenyHandler: respond(403)}, ok)
	inside := wrap(t, cors.Policy{AllowedOrigins: []string{page}}, respond(403))
	const hijack = "Often, a middleware wraps the ResponseWriter in a type that has no Hijack method"
	for _, test := range []adviceTest{
		{name: "a wrapper without Hijack, gorilla/websocket", handler: respond(500), request: socket, want: []string{hijack}},
		{name: "a wrapper without Hijack, coder/websocket", handler: respond(501), request: socket, want: []string{hijack}},
		{name: "a proxy whose server is down", handler: respond(502, "Server: nginx"), request: socket, want: []string{"Status 502 usually comes from a proxy"}},
		{name: "a login", handler: respond(302, "Location: /login"), request: socket, want: []string{`The handshake was redirected to "/login"`, "If the target is a login page, let the user log in before the page connects."}},
		{name: "a redirect to https", handler: respond(301, "Location: https://api.example/"), request: socket, want: []string{`The handshake was redirected to "https://api.example/"`, "with wss: instead of https:."}},
		{name: "a redirect without a target", handler: respond(300), request: socket, want: []string{"The handshake needs status 101, not 300."}},
		{name: "a DenyHandler", handler: deny, request: socket, want: []string{vary}},
		{name: "a package's check inside Handler", handler: inside, request: socket, want: []string{compare}},
		{name: "a package's check", handler: respond(403), request: socket, want: []string{compare}},
	} {
		test.run(t)
	}
}

// The error pages of a proxy have Vary: Origin, even for origins that it does not
// list.
func TestFieldBugErrorPageForOtherOrigins(t *testing.T) {
	down, large := respond(502, "Vary: Origin"), respond(413, "Vary: Origin")
	for _, test := range []adviceTest{
		{name: "preflight", handler: down, request: put, want: []string{"Status 502 usually comes", others}},
		{name: "after a preflight", handler: split(respond(204, allowPage, allowMethods+"PUT"), down), request: put, want: []string{"Status 502 usually comes", others}},
		{name: "without a preflight", handler: large, request: post, want: []string{"Status 413 usually comes", others}},
		{name: "page without an origin", handler: large, page: "null", request: post, want: []string{"Status 413 usually comes", "can have the origin null."}},
	} {
		test.run(t)
	}
}

func TestFieldBugCacheMisses(t *testing.T) {
	for _, line := range []string{
		"Cache-Status: x; fwd=stale", `Cache-Status: x; fwd=uri-miss; key="/whitehit"`, `Cache-Status: x; fwd=uri-miss; key="/; hit; /"`, `Cache-Status: x; fwd=uri-miss; key="\"; hit, "`, "Cache-Status: hit; fwd=miss",
		"X-Cache: hit-for-pass", "X-Cache: white", "X-Cache: no-hit", "X-Cache: MISS", "Age: 0", "Age: 00",
	} {
		adviceTest{name: line, handler: respond(200, line), want: []string{lost}}.run(t)
	}
	for _, line := range []string{
		"Cache-Status: x; hit", "Cache-Status: x;hit;ttl=5", "Cache-Status: a; fwd=miss, b; hit, c", `Cache-Status: x; key="/a\"b"; hit`,
		"X-Cache: TCP_HIT", "X-Cache: RefreshHit from cloudfront", "X-Cache: HIT, MISS", "X-Cache-Status: STALE", "X-Cache-Status: REVALIDATED", "X-Cache-Status: UPDATING", "X-Litespeed-Cache: hit", "X-Proxy-Cache: HIT", "X-Vercel-Cache: HIT", "Age: 10",
	} {
		adviceTest{name: line, handler: respond(200, line), want: []string{varied}}.run(t)
	}
}
