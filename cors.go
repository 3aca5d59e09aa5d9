// Package cors answers Cross-Origin Resource Sharing (CORS) requests for
// net/http servers: browsers ask, a [Policy] decides, and requests that name
// another origin than the server's own, one that it does not allow, never reach
// your code.
//
// Requests without an Origin header do reach it: images, links and "no-cors"
// GETs of other sites are such requests, and so is most of what clients other
// than browsers send. GET must not change anything.
//
// # CORS from the server's side
//
// A web page is identified by its origin: scheme, host and port, for example
// https://app.example.com. When a script of one origin talks to a server of
// another, the browser adds an Origin header to the request and hides the
// response from the script unless the server answers
// Access-Control-Allow-Origin. Requests that an HTML form could not have sent,
// because of their method (PUT), of a header (Authorization) or of a content
// type (application/json), are announced first by a preflight: an OPTIONS
// request that carries Access-Control-Request-Method. Only after an
// answer that allows it does the browser send the actual request. The protocol is defined by
// the [Fetch standard], section "CORS protocol".
//
// [New] compiles a [Policy], and [Middleware.Handler] wraps any [http.Handler]:
//
//	c, err := cors.New(cors.Policy{
//		AllowedOrigins: []string{"https://app.example.com"},
//		AllowedMethods: []string{http.MethodPut, http.MethodDelete},
//		AllowedHeaders: []string{"Authorization", "Content-Type"},
//		MaxAge:         2 * time.Hour,
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(http.ListenAndServe(":8080", c.Handler(mux)))
//
// What then happens to a request:
//
//   - A preflight from an allowed origin is answered with 204 and the policy's
//     lists of methods and headers, in full. The wrapped handler does not run.
//   - An actual request from an allowed origin runs the wrapped handler, and
//     its response carries the CORS headers.
//   - A request without an Origin header, and an actual one from a page of the
//     server's own origin, runs the wrapped handler. Its response carries no CORS
//     header (or, where any origin is allowed, the same as everybody's).
//   - Anything else is rejected, with 403 or by DenyHandler, and the wrapped
//     handler does not run. So is, unless any origin is allowed, a request
//     without an Origin header whose Sec-Fetch-Site tells of a page of another
//     site or origin, if its method is other than GET, HEAD and OPTIONS.
//
// The server's own origin is that of the URL that the browser asked for. A
// request comes from it if Sec-Fetch-Site is "same-origin" or "none"; or, where
// that header is absent, as it is over plain HTTP except to loopback, if the host
// and port of Origin are those of the request's Host, without regard to case and
// to the scheme's default port. Host does not tell the scheme: a page that
// somebody on the network has served over HTTP passes for one of the same host
// over HTTPS, as it does for [http.CrossOriginProtection]. HTTP Strict Transport
// Security closes that gap.
//
// # Neighbours
//
// Routers: wrap the whole router, or mount Handler on a pattern without a
// method. Where the pattern has one, such as "POST /x" of [http.ServeMux], the
// router answers OPTIONS with 405, and the middleware never sees it.
//
// Authentication: preflights carry no credentials, so Handler belongs outside
// any middleware that demands them. CORS is no access control for clients
// other than browsers, which can send any Origin or none.
//
// Cross-site request forgery: a policy that lists origins rejects what
// [http.CrossOriginProtection] rejects that trusts the same origins (but for the
// case of Host and the default port in it), so nobody needs both. Where any
// origin is allowed and cookies matter, that protection belongs inside Handler.
// Neither protects a GET that changes something. Routes that other sites must be
// able to post to, such as a payment callback, belong outside Handler.
//
// WebSockets: their handshakes are no CORS requests. They carry cookies whatever
// AllowCredentials says, and the page reads what the server sends. Handler
// rejects handshakes of pages whose origin is not allowed. A policy that allows
// any origin rejects none: do not put WebSockets that rely on cookies behind one.
//
// Proxies: where an upstream sets CORS headers itself, browsers refuse the
// doubled value; remove the upstream's with [StripHeaders]. A proxy in front
// that rewrites Host should pass Sec-Fetch-Site on.
//
// Caches: unless any origin is allowed, each response, also to a request
// without Origin, says Vary: Origin, so that no cache hands the response made
// for one origin to another. A URL must not be under a public policy at one time
// and under one with credentials at another: caches would mix their answers.
//
// [Fetch standard]: https://fetch.spec.whatwg.org/#http-cors-protocol
package cors

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/f407da42/cors/internal/header"
	"github.com/f407da42/cors/internal/origin"
)

// A Middleware applies a [Policy] to the handlers that it wraps.
//
// The zero value has the zero Policy: it allows no cross-origin request.
// A Middleware must not be copied after first use. All its methods can be
// called concurrently with each other and with requests being handled.
type Middleware struct {
	compiled atomic.Pointer[compiled]
}

// New returns a [Middleware] that applies p.
//
// If p is invalid, New returns a nil Middleware and an error that joins, as
// [errors.Join] does, one [*PolicyError] for every mistake in p. [Policy] says
// at each field what is refused. Later changes to p, or to the slices in it,
// have no effect on the Middleware.
func New(p Policy) (*Middleware, error) {
	m := new(Middleware)
	if err := m.SetPolicy(p); err != nil {
		return nil, err
	}
	return m, nil
}

// SetPolicy makes m apply p from now on, to every handler that m wraps.
//
// Requests that are being handled keep the policy they began with: each
// response agrees wholly with one policy. Browsers go on under the preflights
// that they have cached, for up to the MaxAge of the policy before; requests
// that p does not allow are rejected all the same, but methods and headers that
// it has lost are not. If p is invalid, SetPolicy returns
// the error that [New] would, and m keeps the policy it has.
func (m *Middleware) SetPolicy(p Policy) error {
	c, err := compile(p)
	if err != nil {
		return err
	}
	m.compiled.Store(c)
	return nil
}

// Policy returns a copy of the policy that m applies, as it was given to [New]
// or [Middleware.SetPolicy]. The caller may change its slices.
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

// Handler returns a handler that applies m's policy to each request before
// next can see it, as the package documentation describes. It passes its
// [http.ResponseWriter] to next unwrapped.
//
// Handler removes CORS response headers that are already set, adds to Vary, and
// keeps all other headers. Headers that next sets are left alone, even if they
// replace one that Handler set. So next should add to Vary, not set it.
//
// One Middleware can wrap any number of handlers. Do not wrap a handler that
// contains another Middleware: the outer one would respond to all preflights. To
// apply different policies to parts of a site, wrap each part with its own
// Middleware. Do not put one URL under a public policy at one time and under a
// policy with credentials at another: caches would mix their responses.
//
// Handler panics if next is nil, or if m is nil because an error of [New] was
// ignored.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	if m == nil {
		panic("cors: Handler called on nil *Middleware")
	}
	if next == nil {
		panic("cors: Handler called with nil handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.load().serve(w, r, next)
	})
}

// serve applies c to r: it reads the request, judges it, and responds or calls
// next.
func (c *compiled) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	h := w.Header()
	if len(h) > 0 {
		StripHeaders(h) // headers set by an outer layer
	}
	info := readInfo(r)
	switch verdict, allowOrigin := c.judge(r, info); verdict {
	case exempt:
		setHeaders(h, "", nil, c.vary)
		next.ServeHTTP(w, r)
	case allowed:
		setHeaders(h, allowOrigin, c.actualLines, c.vary)
		next.ServeHTTP(w, r)
	case allowedPreflight:
		if c.policy.OnReject != nil {
			if err := c.checkPreflight(r); err != nil {
				c.policy.OnReject(r, err)
			}
		}
		c.respondToPreflight(w, r, allowOrigin)
	case rejected:
		if c.policy.OnReject != nil {
			c.policy.OnReject(r, c.explain(r, info))
		}
		c.reject(w, r, info)
	}
}

// Check reports how m's policy judges r, without writing a response. It returns
// a [*RequestError] if [Middleware.Handler] would reject r. It also returns one
// if r is a preflight for a method or request header that the policy does not
// allow, because the browser would then stop. Otherwise it returns nil. The
// policy does not restrict the method of an actual request, so Check does not
// compare it: browsers enforce methods by preflights.
//
// Use Check for diagnosis, and in tests of your policy. It calls AllowOriginFunc
// when Handler would, and never calls DenyHandler or OnReject. Like Handler, it
// compares the origin with r.Host. Requests from [net/http/httptest.NewRequest]
// have the Host example.com, so a page on that host passes.
func (m *Middleware) Check(r *http.Request) error {
	c := m.load()
	info := readInfo(r)
	switch verdict, _ := c.judge(r, info); verdict {
	case allowedPreflight:
		if err := c.checkPreflight(r); err != nil {
			return err
		}
	case rejected:
		return c.explain(r, info)
	}
	return nil
}

// requestInfo holds the headers that identify the page and the kind of a
// request. They are read once, before any function of the policy can change the
// request.
type requestInfo struct {
	origin    string // empty if Origin is absent or repeated
	repeated  bool   // several Origin headers, which no browser sends
	preflight bool   // a CORS-preflight request (Fetch, "HTTP requests")
}

func readInfo(r *http.Request) (info requestInfo) {
	lines := r.Header[header.Origin]
	if len(lines) == 1 {
		info.origin = lines[0]
	}
	info.repeated = len(lines) > 1
	info.preflight = info.hasOrigin() && r.Method == http.MethodOptions && len(r.Header[header.RequestMethod]) > 0
	return info
}

// hasOrigin reports whether the request has an Origin header, valid or not.
func (info requestInfo) hasOrigin() bool {
	return info.origin != "" || info.repeated
}

// A verdict is the decision on a request.
type verdict int

const (
	rejected         verdict = iota // the wrapped handler does not run
	exempt                          // not restricted by CORS: the handler runs, without CORS headers
	allowed                         // the handler runs, with CORS headers
	allowedPreflight                // a preflight from an allowed origin
)

// judge returns the verdict on r. If the verdict is allowed or allowedPreflight,
// allowOrigin is the value of Access-Control-Allow-Origin.
func (c *compiled) judge(r *http.Request, info requestInfo) (v verdict, allowOrigin string) {
	pass := allowed
	if info.preflight {
		pass = allowedPreflight
	}
	switch {
	case c.anyOrigin:
		// Responses are the same with and without Origin, so caches can share them.
		return pass, "*"
	case !info.hasOrigin():
		if isCrossSiteWrite(r) {
			return rejected, ""
		}
		return exempt, ""
	case c.allowsOrigin(r, info.origin):
		return pass, info.origin
	case info.preflight:
		return rejected, ""
	case isSameOrigin(r, info.origin):
		return exempt, ""
	default:
		return rejected, ""
	}
}

// allowsOrigin reports whether AllowedOrigins or AllowOriginFunc allows o.
func (c *compiled) allowsOrigin(r *http.Request, o string) bool {
	return c.origins.Contains(o) ||
		c.policy.AllowOriginFunc != nil && c.callsFuncFor(o) && c.policy.AllowOriginFunc(r, o)
}

// maxFuncOrigin is the length, in bytes, of the longest origin that
// AllowOriginFunc is called for.
const maxFuncOrigin = 512

// callsFuncFor reports whether AllowOriginFunc is called for o if AllowedOrigins
// does not allow it. It is called only for origins that could be listed.
func (c *compiled) callsFuncFor(o string) bool {
	return len(o) <= maxFuncOrigin &&
		(origin.Valid(o) || origin.IsOpaque(o) && c.policy.AcceptRisks&RiskNullOrigin != 0)
}

// isCrossSiteWrite reports whether r, which has no Origin, can change something
// and comes from another site or origin. Browsers send Origin with such requests,
// but some leave it out after redirects and to protect privacy. They send
// Sec-Fetch-Site even then. http.CrossOriginProtection rejects the same requests.
func isCrossSiteWrite(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	switch siteOf(r) {
	case "", "same-origin", "none":
		return false
	}
	return true
}

// isSameOrigin reports whether r, which has the origin o, comes from a page of
// the server's own origin. Browsers also send Origin with same-origin POSTs and
// WebSocket handshakes, which are not CORS requests.
func isSameOrigin(r *http.Request, o string) bool {
	switch siteOf(r) {
	case "same-origin", "none":
		return true
	case "":
		// Browsers send no Sec-Fetch-Site over plain HTTP, except to loopback,
		// and not all of them sent it before 2023. Host does not contain the
		// scheme, so a page served over HTTP passes for a page of the same host
		// over HTTPS. As in http.CrossOriginProtection, such a request passes.
		// HTTP Strict Transport Security closes that gap.
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

// siteOf returns the value of Sec-Fetch-Site, or "".
func siteOf(r *http.Request) string {
	if lines := r.Header[header.SecFetchSite]; len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// explain returns the reason why r is rejected.
func (c *compiled) explain(r *http.Request, info requestInfo) *RequestError {
	if !info.hasOrigin() {
		return &RequestError{Field: header.SecFetchSite, Value: clip(r.Header[header.SecFetchSite])}
	}
	e := &RequestError{Preflight: info.preflight, Field: header.Origin, Value: clip([]string{info.origin})}
	switch p := &c.policy; {
	case info.repeated:
		e.Value = clip(r.Header[header.Origin])
		e.reason = "is not one origin, as browsers send"
	case origin.IsOpaque(info.origin) && p.AcceptRisks&RiskNullOrigin == 0:
		e.reason = "cannot be allowed unless RiskNullOrigin is accepted"
	case p.AllowOriginFunc == nil:
		// The default: it is not in AllowedOrigins.
	case !c.callsFuncFor(info.origin):
		e.reason = "is no origin that AllowOriginFunc is asked about"
		if len(p.AllowedOrigins) > 0 {
			e.reason = "is not in AllowedOrigins, and " + e.reason
		}
	case len(p.AllowedOrigins) == 0:
		e.reason = "is not allowed by AllowOriginFunc"
	default:
		e.reason = "is neither in AllowedOrigins nor allowed by AllowOriginFunc"
	}
	return e
}

// setHeaders sets the headers of a response: Access-Control-Allow-Origin unless
// allowOrigin is empty, lines, and an addition to Vary unless vary is empty.
//
// All values are in one slice, so a response costs one allocation. The part of
// each header is capped, so appending to it does not overwrite the next one.
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
		values[copy(values, before)] = vary
		h[header.Vary] = values
	}
}

// rejection is the headers of a response to a rejected request.
var rejection = []line{
	{"Content-Type", "text/plain; charset=utf-8"},
	{"X-Content-Type-Options", "nosniff"},
}

// reject responds to a rejected request.
func (c *compiled) reject(w http.ResponseWriter, r *http.Request, info requestInfo) {
	h := w.Header()
	delete(h, "Content-Length") // length of the response that an outer layer expected
	if c.policy.DenyHandler != nil {
		setHeaders(h, "", nil, c.vary)
		c.policy.DenyHandler.ServeHTTP(w, r)
		return
	}
	setHeaders(h, "", rejection, c.vary)
	w.WriteHeader(http.StatusForbidden)
	if !info.hasOrigin() {
		io.WriteString(w, "cross-site request rejected: it has no Origin header\n")
		return
	}
	io.WriteString(w, "cross-origin request rejected: the CORS policy does not allow its origin\n")
}

// StripHeaders deletes the CORS response headers from h.
//
// A reverse proxy that applies a policy of its own calls it on the responses of
// an upstream that sets CORS headers as well, in ModifyResponse of
// [net/http/httputil.ReverseProxy]: of two Access-Control-Allow-Origin values
// browsers accept neither. Vary is kept.
func StripHeaders(h http.Header) {
	for _, name := range header.Responses {
		delete(h, name)
	}
}
