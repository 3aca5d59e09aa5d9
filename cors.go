// Package cors provides net/http middleware for Cross-Origin Resource Sharing
// (CORS).
//
// Write a [Policy], compile it with [New], and wrap your handler:
//
//	c, err := cors.New(cors.Policy{
//		AllowedOrigins: []string{"https://app.example.com"},
//		AllowedMethods: []string{http.MethodPut, http.MethodPatch, http.MethodDelete},
//		AllowedHeaders: []string{"Authorization", "Content-Type"},
//		MaxAge:         2 * time.Hour,
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(http.ListenAndServe(":8080", c.Handler(mux)))
//
// Scripts on https://app.example.com can now call your API. Handler rejects
// requests from other origins, including form posts and WebSocket handshakes.
// The exceptions are under "What happens to a request". Browsers, not Handler,
// enforce the lists of methods and headers.
//
// # How CORS works
//
// The origin of a page is the scheme, host and port of its URL, for example
// https://app.example.com. If a script sends a request to another origin, the
// browser adds an Origin header. The browser hides the response from the script
// unless Access-Control-Allow-Origin in the response allows that origin.
//
// Scripts can also send requests that an HTML form cannot send: with the method
// PUT, the header Authorization, or the content type application/json. Before
// such a request, the browser sends a preflight: an OPTIONS request with the
// header Access-Control-Request-Method. The actual request follows only if the
// response to the preflight allows it. The [Fetch standard] has the details.
//
// # What happens to a request
//
// If the policy allows the Origin of a request, the response has CORS headers.
// Handler itself responds to a preflight, with a 204 that lists all methods and
// request headers in the policy. For any other request, your handler runs.
//
// If the policy does not allow the Origin, Handler rejects the request: it
// responds with a 403, or calls DenyHandler. There are three exceptions, none
// of which applies to preflights. In these cases, your handler runs, and the
// response has no CORS headers:
//
//   - PassRejected is set, and applies to the request.
//   - The request is from a page on the server's own origin. Browsers send
//     Origin even with same-origin POSTs.
//   - The request is a GET or HEAD for an image, a script or a frame: its
//     Sec-Fetch-Mode is "no-cors" or "navigate", and it has no Upgrade header.
//     Browsers add Origin to these after the user grants storage access.
//
// If a request has no Origin, your handler runs, with one exception. Unless
// PassRejected applies, Handler rejects methods other than GET, HEAD and
// OPTIONS if Sec-Fetch-Site is present and is neither "same-origin" nor "none".
//
// If the policy allows every origin ("*"), no request is rejected, and the CORS
// headers do not depend on the origin.
//
// # The server's own pages
//
// You do not need to list the server's own origin. Handler recognizes its pages
// if Sec-Fetch-Site is "same-origin". It also accepts "none", which browsers
// send for direct navigation, such as from a bookmark. Browsers do not send
// Sec-Fetch-Site over plain HTTP, except to loopback, and Chromium does not
// send it in WebSocket handshakes. If it is missing, Handler compares the host
// and port of Origin with Host, ignoring letter case and a default port in
// Host. Host has no scheme, so without HTTP Strict Transport Security, Handler
// cannot tell an attacker's HTTP page on the same host from the HTTPS site.
//
// # Order of middleware
//
// Put Handler outside the router, authentication and timeouts. Preflights carry
// no credentials and often match no route, so an outer router or authentication
// layer would reject them. Error responses from layers inside Handler have CORS
// headers, so scripts can read them. You still need authentication, because
// clients other than browsers can send any Origin, or none.
//
// If you register the wrapped handler with an [http.ServeMux] pattern, leave
// out the method. With "POST /x", the mux responds to preflights with 405. If a
// handler inside [http.TimeoutHandler] sets Vary, wrap the TimeoutHandler as
// docs/integration.md shows, or Handler's Vary is lost.
//
// # Cross-site request forgery
//
// If the policy lists only origins that you trust, and PassRejected is not set,
// you do not need [http.CrossOriginProtection]. Given the same trusted origins,
// Handler rejects every request that CrossOriginProtection rejects, except that
// it ignores letter case and a default port when it compares Origin with Host.
//
// Form posts from an allowed origin can carry the user's cookies, even without
// AllowCredentials. Services that use cookies need CrossOriginProtection inside
// Handler if the policy sets PassRejected or allows origins that you do not
// trust. Neither Handler nor CrossOriginProtection stops a GET that changes
// data, because links on other sites send no Origin. Put routes that other
// sites must post to, such as a payment callback, outside Handler.
//
// # WebSockets
//
// WebSocket handshakes from an allowed origin can also carry cookies, and the
// page can read everything that the server sends. If a WebSocket relies on
// cookies, allow only origins that you trust.
//
// # Proxies
//
// A proxy in front of the service must pass on Origin, Sec-Fetch-Site, and Host
// with its port. Handler needs Host if Sec-Fetch-Site is missing. If the proxy
// cannot keep Host, list the service's own origin in AllowedOrigins.
//
// If an upstream server also sets CORS headers, browsers see two values and
// block the response. Remove the upstream's headers with [StripHeaders].
//
// # Caches
//
// Unless the policy allows every origin, Handler adds Origin to the Vary header
// of every response, even if the request has no Origin. Caches then do not
// serve a response stored for one origin to another origin. After you replace
// "*" with a narrower policy, purge the caches, because any page can still read
// the responses that they stored under "*".
//
// [Fetch standard]: https://fetch.spec.whatwg.org/#http-cors-protocol
package cors

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/f407da42/cors/internal/header"
	"github.com/f407da42/cors/internal/origin"
)

// A Middleware applies a [Policy] to the handlers that it wraps.
//
// The zero value applies the zero Policy, which allows no origin except the
// server's own. Do not copy a Middleware after its first use. It is safe for
// concurrent use by multiple goroutines.
type Middleware struct {
	compiled atomic.Pointer[compiled]
}

// New returns a [Middleware] that applies p.
//
// If p is invalid, New returns a nil Middleware and an error that joins one
// [*PolicyError] for each mistake in p, as [errors.Join] does. The fields of
// [Policy] describe the values that are refused. Later changes to p or to its
// slices have no effect on the Middleware.
func New(p Policy) (*Middleware, error) {
	m := new(Middleware)
	if err := m.SetPolicy(p); err != nil {
		return nil, err
	}
	return m, nil
}

// SetPolicy replaces m's policy for every handler that m wraps.
//
// Requests in progress keep the old policy. If p is invalid, SetPolicy returns
// the same error as [New], and m keeps its policy.
//
// Handler rejects new requests from origins that p does not allow, but open
// WebSockets stay open, and caches keep stored responses. Browsers also reuse
// preflight responses until the old policy's MaxAge has passed. Until then,
// scripts can still use methods and headers that p no longer lists.
func (m *Middleware) SetPolicy(p Policy) error {
	c, err := compile(p)
	if err != nil {
		return err
	}
	m.compiled.Store(c)
	return nil
}

// Policy returns a copy of m's current policy, as passed to [New] or
// [Middleware.SetPolicy]. The caller may modify it.
func (m *Middleware) Policy() Policy {
	return m.load().policy.clone()
}

var zeroPolicy, _ = compile(Policy{})

func (m *Middleware) load() *compiled {
	if c := m.compiled.Load(); c != nil {
		return c
	}
	return zeroPolicy
}

// Handler returns a handler that applies m's policy to each request before it
// reaches next, as the package documentation describes. It passes its
// [http.ResponseWriter] to next unwrapped.
//
// Handler removes CORS response headers that are already set. Unless the policy
// allows every origin, it also adds Origin to Vary. Before it sends a 403 or
// calls DenyHandler, it removes headers that describe caching or another
// response, such as Etag and Content-Length. It does not change headers that
// next sets, so next should add to Vary instead of replacing it.
//
// One Middleware can wrap any number of handlers. For different policies, wrap
// each part of a site with its own Middleware. Do not nest them, because the
// outer one would respond to all preflights.
//
// Handler panics if next is nil, or if m is nil, as after an error from [New].
func (m *Middleware) Handler(next http.Handler) http.Handler {
	if m == nil {
		panic("cors: Handler called on nil *Middleware")
	}
	if next == nil {
		panic("cors: Handler called with nil handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := m.load()
		h := w.Header()
		if len(h) > 0 {
			StripHeaders(h) // headers set by an outer layer
		}
		info := readInfo(r)
		allowOrigin, ok := c.judge(r, info)
		if !ok {
			// Evaluated first, in case OnReject changes r.
			runsAnyway := c.policy.PassRejected && !info.preflight && !opensConnection(r)
			if c.policy.OnReject != nil {
				c.policy.OnReject(r, c.explain(r, info))
			}
			if !runsAnyway {
				c.reject(w, r, info.hasOrigin)
				return
			}
		}
		switch {
		case info.preflight: // from an allowed origin
			c.respondToPreflight(w, r, allowOrigin)
			return
		case allowOrigin == "":
			setHeaders(h, "", nil, c.vary)
		default:
			setHeaders(h, allowOrigin, c.actualLines, c.vary)
		}
		next.ServeHTTP(w, r)
	})
}

// Check applies m's policy to r without writing a response, for diagnosis and
// tests. It returns a [*RequestError] if [Middleware.Handler] would reject r,
// or if r is a preflight for a method or request header that the policy does
// not allow. The browser would then not send the actual request. Otherwise, it
// returns nil. Check does not compare the method of an actual request with
// AllowedMethods, because browsers enforce that list.
//
// Check calls AllowOriginFunc when Handler would, and never calls DenyHandler
// or OnReject. Like Handler, it compares the origin with r.Host. If the target
// is only a path, [net/http/httptest.NewRequest] sets Host to example.com, so
// https://example.com is then the server's own origin.
func (m *Middleware) Check(r *http.Request) error {
	c := m.load()
	info := readInfo(r)
	if _, ok := c.judge(r, info); !ok {
		return c.explain(r, info)
	}
	if info.preflight {
		methodErr, headersErr := c.checkPreflight(r)
		if err := cmp.Or(methodErr, headersErr); err != nil {
			return err
		}
	}
	return nil
}

// requestInfo identifies the page and the kind of a request. The fields are
// read once, before any function of the policy can change the request.
type requestInfo struct {
	origin    string // empty if Origin is absent, empty or repeated
	hasOrigin bool   // Origin is not empty, or is repeated
	preflight bool   // a CORS-preflight request (Fetch, "HTTP requests")
}

func readInfo(r *http.Request) (info requestInfo) {
	lines := r.Header[header.Origin]
	if len(lines) == 1 {
		info.origin = lines[0]
	}
	info.hasOrigin = info.origin != "" || len(lines) > 1
	info.preflight = info.hasOrigin && r.Method == http.MethodOptions && len(r.Header[header.RequestMethod]) > 0
	return info
}

// judge reports whether r is accepted, and returns the value of
// Access-Control-Allow-Origin, or "" if the response gets no CORS headers.
func (c *compiled) judge(r *http.Request, info requestInfo) (allowOrigin string, ok bool) {
	switch {
	case c.anyOrigin: // even without Origin, so caches can share the response
		return "*", true
	case !info.hasOrigin:
		return "", !isCrossSiteWrite(r)
	case c.allowsOrigin(r, info.origin):
		return info.origin, true
	case info.preflight:
		return "", false
	}
	return "", isSameOrigin(r, info.origin) || isEmbed(r)
}

// allowsOrigin reports whether AllowedOrigins or AllowOriginFunc allows o.
func (c *compiled) allowsOrigin(r *http.Request, o string) bool {
	return c.origins.Contains(o) ||
		c.policy.AllowOriginFunc != nil && c.callsFuncFor(o) && c.policy.AllowOriginFunc(r, o)
}

// callsFuncFor reports whether AllowOriginFunc is called for o if
// AllowedOrigins does not allow it.
func (c *compiled) callsFuncFor(o string) bool {
	return len(o) <= 512 &&
		(origin.Valid(o) || origin.IsOpaque(o) && c.policy.AcceptRisks&RiskNullOrigin != 0)
}

// isCrossSiteWrite reports, as http.CrossOriginProtection does, whether r,
// which has no Origin, can change something and comes from another site or
// origin. Browsers send Origin with such requests, but some leave it out after
// redirects and to protect privacy, and send only Sec-Fetch-Site.
func isCrossSiteWrite(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	site := firstValue(r.Header[header.SecFetchSite])
	return site != "" && site != "same-origin" && site != "none"
}

// isSameOrigin reports whether r, which has the origin o, comes from a page of
// the server's own origin, or from the user without a page. Browsers also send
// Origin with same-origin POSTs and WebSocket handshakes.
func isSameOrigin(r *http.Request, o string) bool {
	switch firstValue(r.Header[header.SecFetchSite]) {
	case "same-origin", "none":
		return true
	case "":
		// As in http.CrossOriginProtection, the scheme is not compared, because
		// Host does not contain it.
		authority, ok := strings.CutPrefix(o, "https://")
		defaultPort := ":443"
		if !ok {
			authority, ok = strings.CutPrefix(o, "http://")
			defaultPort = ":80"
		}
		// Proxies add the default port to Host, and clients use any case.
		host := strings.TrimSuffix(r.Host, defaultPort)
		return ok && len(o) <= origin.MaxWeb && strings.EqualFold(authority, host) && origin.Valid(o)
	}
	return false
}

// isEmbed reports whether r is a GET or HEAD request that is not a CORS
// request, such as for an image, a script or a frame. Once the user grants
// storage access, browsers also send Origin with these. Without the grant, the
// same request has no Origin, and is accepted. A handshake is never an embed.
func isEmbed(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	mode := firstValue(r.Header[header.SecFetchMode])
	return reads && (mode == "no-cors" || mode == "navigate") && !opensConnection(r)
}

// opensConnection reports whether r may open a connection that its page can
// read from, such as a WebSocket. Over HTTP/2 and HTTP/3, it is a CONNECT.
func opensConnection(r *http.Request) bool {
	return r.Method == http.MethodConnect || len(r.Header["Upgrade"]) > 0
}

// firstValue returns the first of the values of a header, or "".
func firstValue(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// explain returns the reason why r is rejected.
func (c *compiled) explain(r *http.Request, info requestInfo) *RequestError {
	if !info.hasOrigin {
		return &RequestError{Field: header.SecFetchSite, Value: clip(r.Header[header.SecFetchSite]...)}
	}
	e := &RequestError{Preflight: info.preflight, Field: header.Origin, Value: clip(info.origin)}
	p := &c.policy
	nearIs := "is in AllowedOrigins" // ends a hint such as `; "https://example.com" is in AllowedOrigins`
	switch {
	case info.origin == "": // several Origin headers
		e.Value = clip(r.Header[header.Origin]...)
		e.reason = "is from several Origin headers, and browsers send one"
	case p.AllowOriginFunc == nil && len(p.AllowedOrigins) == 0:
		e.reason = "is not allowed, because AllowedOrigins is empty"
	case p.AllowOriginFunc == nil:
		e.reason = "is not in AllowedOrigins"
		nearIs = "is" // AllowedOrigins is already named
	case !c.callsFuncFor(info.origin):
		e.reason = "is not in AllowedOrigins, and AllowOriginFunc is not called for it"
	case len(p.AllowedOrigins) == 0:
		e.reason = "is not allowed by AllowOriginFunc"
	default:
		e.reason = "is neither in AllowedOrigins nor allowed by AllowOriginFunc"
	}
	if near := origin.NearMiss(p.AllowedOrigins, info.origin); near != "" {
		e.reason += fmt.Sprintf("; %q %s", near, nearIs)
	}
	if info.origin == "null" {
		e.reason += "; it comes from a sandboxed page, a file or a redirect from another origin"
		if !info.preflight && r.Method != http.MethodGet && r.Method != http.MethodHead {
			e.reason += ", or from a page with Referrer-Policy: no-referrer"
		}
	}
	return e
}

// setHeaders sets lines. It also sets Access-Control-Allow-Origin to
// allowOrigin and adds vary to Vary, if these are not empty.
//
// All values are in one slice, so setHeaders allocates once. The slice of each
// header is capped, so appending to it does not overwrite the next one.
func setHeaders(h http.Header, allowOrigin string, lines []line, vary string) {
	size := len(lines)
	if allowOrigin != "" {
		size++
	}
	var before []string // values of Vary from an outer layer
	if vary != "" {
		before = h[header.Vary]
		size += len(before) + 1
	}
	if size == 1 && vary != "" { // only vary; a slice of constant size is allocated faster
		h[header.Vary] = []string{vary}
		return
	}
	values := make([]string, size)
	if allowOrigin != "" {
		values[0] = allowOrigin
		h[header.AllowOrigin], values = values[:1:1], values[1:]
	}
	for _, l := range lines {
		values[0] = l.value
		h[l.name], values = values[:1:1], values[1:]
	}
	if vary != "" {
		copy(values, before)
		values[len(before)] = vary
		h[header.Vary] = values
	}
}

// rejection has the headers of a 403. DenyHandler gets only the first. Without
// no-store, a cache that ignores Vary could serve the 403 to allowed pages.
var rejection = []line{
	{"Cache-Control", "no-store"},
	{"Content-Type", "text/plain; charset=utf-8"},
	{"X-Content-Type-Options", "nosniff"},
}

// reject responds to a rejected request.
func (c *compiled) reject(w http.ResponseWriter, r *http.Request, hasOrigin bool) {
	h := w.Header()
	if len(h) > 0 {
		// These describe another response, or let caches store this one (RFC
		// 9213). Content-Encoding stays: the layer that set it encodes this too.
		for _, name := range []string{"Content-Length", "Etag", "Last-Modified", "Expires", "Cdn-Cache-Control", "Surrogate-Control"} {
			delete(h, name)
		}
	}
	if c.policy.DenyHandler != nil {
		setHeaders(h, "", rejection[:1], c.vary)
		c.policy.DenyHandler.ServeHTTP(w, r)
		return
	}
	setHeaders(h, "", rejection, c.vary)
	w.WriteHeader(http.StatusForbidden)
	body := "cross-origin request rejected: the CORS policy does not allow its origin\n"
	if !hasOrigin {
		body = "cross-site request rejected: it has no Origin header\n"
	}
	io.WriteString(w, body)
}

// StripHeaders deletes the CORS response headers from h, but keeps Vary.
//
// Call it in ModifyResponse of a [net/http/httputil.ReverseProxy] if the
// upstream server also sets CORS headers. Browsers block a response that has
// two values of Access-Control-Allow-Origin.
func StripHeaders(h http.Header) {
	for _, name := range header.Responses {
		delete(h, name)
	}
}
