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
// next can see it, as the package documentation describes. To next it passes
// the [http.ResponseWriter] that it was given, never a wrapper.
//
// CORS response headers that are set before are removed, and Vary is added to;
// other headers are kept. What next sets is left alone, even where it replaces
// a header that Handler has set: next should add to Vary, not set it.
//
// One Middleware can wrap any number of handlers, but not a handler that a
// Middleware wraps already: the outer would answer all preflights. To apply
// different policies to parts of a site, wrap each part with a Middleware of its
// own. A public policy and one with credentials do not go together on one URL:
// caches would keep answers of the one for requests under the other.
//
// Handler panics if next is nil, and if m is nil, as it is where an error of
// [New] was ignored.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	if m == nil {
		panic("cors: nil Middleware: New has returned an error that nobody looked at")
	}
	if next == nil {
		panic("cors: nil handler")
	}
	return &handler{m, next}
}

// A handler is what [Middleware.Handler] returns. A closure would call what is
// inlined here, where the compiler inlines Handler into other packages.
type handler struct {
	m    *Middleware
	next http.Handler
}

func (x *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := x.m.load()
	h := w.Header()
	if len(h) > 0 {
		StripHeaders(h) // of another layer, which would mix with this one's
	}
	q := read(r)
	switch verdict, allowOrigin := c.judge(r, q); verdict {
	case plain:
		addVary(h)
		x.next.ServeHTTP(w, r)
	case actual:
		c.decorate(h, allowOrigin)
		x.next.ServeHTTP(w, r)
	case preflight:
		if c.policy.OnReject != nil {
			if err := c.checkPreflight(r); err != nil {
				c.policy.OnReject(r, err)
			}
		}
		c.answerPreflight(w, r, allowOrigin)
	case rejected:
		if c.policy.OnReject != nil {
			c.policy.OnReject(r, c.explain(r, q))
		}
		c.reject(w, r, q)
	}
}

// Check reports how m's policy judges r, without answering it. It returns a
// [*RequestError] if [Middleware.Handler] would reject r, or if r is a preflight
// that asks for a method or request header that the policy does not allow, so
// that the browser would stop, or for more of them than is read; and nil
// otherwise. The method of a request that is no preflight is not compared: that
// is what preflights are for.
//
// Check is meant for diagnosis and for tests of one's own policy. It calls
// AllowOriginFunc where Handler would, and never DenyHandler or OnReject. As
// Handler does, it compares the origin with r.Host: that is example.com in what
// [net/http/httptest.NewRequest] makes, so that a page of that host passes.
func (m *Middleware) Check(r *http.Request) error {
	c := m.load()
	q := read(r)
	switch verdict, _ := c.judge(r, q); verdict {
	case preflight:
		if err := c.checkPreflight(r); err != nil {
			return err
		}
	case rejected:
		return c.explain(r, q)
	}
	return nil
}

// A request is what has been read of an [http.Request] before any function of the
// policy's, which must not change that, but might.
type request struct {
	origin    string // "" if there is none
	several   bool   // whether there are several: no origin either
	preflight bool   // whether it is a CORS-preflight request (Fetch, "HTTP requests")
}

func read(r *http.Request) (q request) {
	// Browsers send one line at most (Fetch, "append a request `Origin` header").
	lines := r.Header[header.Origin]
	if len(lines) == 1 {
		q.origin = lines[0]
	}
	q.several = len(lines) > 1
	q.preflight = q.hasOrigin() && r.Method == http.MethodOptions && len(r.Header[header.RequestMethod]) > 0
	return q
}

// hasOrigin reports whether q has an Origin, be it one that can be allowed or not.
func (q request) hasOrigin() bool {
	return q.origin != "" || q.several
}

// A verdict says what is to be done with a request.
type verdict int

const (
	rejected  verdict = iota // from another site or origin, and not allowed
	plain                    // not cross-origin: no CORS headers are needed
	actual                   // allowed, and not a preflight
	preflight                // allowed to ask
)

// judge returns the verdict on r, which q was read from, and where that is
// actual or preflight, the value of Access-Control-Allow-Origin.
func (c *compiled) judge(r *http.Request, q request) (v verdict, allowOrigin string) {
	allowed := actual
	if q.preflight {
		allowed = preflight
	}
	if c.anyOrigin {
		// The same answer with and without Origin lets caches share it.
		return allowed, "*"
	}
	if !q.hasOrigin() {
		return judgeSite(r), ""
	}
	if !q.several && c.origins.Contains(q.origin) {
		return allowed, q.origin
	}
	return c.judgeUnlisted(r, q)
}

// judgeUnlisted returns the verdict on a request from an origin that is not in
// AllowedOrigins.
func (c *compiled) judgeUnlisted(r *http.Request, q request) (v verdict, allowOrigin string) {
	switch {
	case c.policy.AllowOriginFunc != nil && c.asksFunc(q) && c.policy.AllowOriginFunc(r, q.origin):
		if q.preflight {
			return preflight, q.origin
		}
		return actual, q.origin
	case !q.preflight && isSameOrigin(siteOf(r), r.Host, q.origin):
		return plain, ""
	}
	return rejected, ""
}

// maxFuncOrigin is the length, in bytes, of the longest origin that
// AllowOriginFunc is asked about.
const maxFuncOrigin = 512

// asksFunc reports whether an AllowOriginFunc is asked about the origin of q, which
// AllowedOrigins does not allow: if that could list it.
func (c *compiled) asksFunc(q request) bool {
	return !q.several && len(q.origin) <= maxFuncOrigin &&
		(origin.Valid(q.origin) || origin.IsOpaque(q.origin) && c.policy.AcceptRisks&RiskNullOrigin != 0)
}

// judgeSite returns the verdict on r, which has no Origin. With the methods that
// change something, browsers send Origin to other origins, but some leave it
// out after redirects and for the sake of privacy; Sec-Fetch-Site they send all
// the same. http.CrossOriginProtection rejects the same requests.
func judgeSite(r *http.Request) verdict {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return plain
	}
	switch siteOf(r) {
	case "", "same-origin", "none":
		return plain
	}
	return rejected
}

// isSameOrigin reports whether a request with these values of Sec-Fetch-Site,
// Host and Origin comes from a page of the server's own origin.
// Browsers send Origin on same-origin requests too, for POST and for WebSocket
// handshakes, and such requests are not CORS's business.
func isSameOrigin(site, host, o string) bool {
	switch site {
	case "same-origin", "none":
		return true
	case "":
		// Browsers send no Sec-Fetch-Site over plain HTTP, except to loopback,
		// and not all sent it before 2023. Without the scheme, which Host does
		// not tell, a page served over HTTP passes for the same host's over
		// HTTPS. As http.CrossOriginProtection does, this errs on the side of
		// letting it through: HTTP Strict Transport Security closes that gap.
		authority, ok := strings.CutPrefix(o, "https://")
		port := ":443"
		if !ok {
			authority, ok = strings.CutPrefix(o, "http://")
			port = ":80"
		}
		// Proxies write the default port into Host, and clients any case.
		return ok && len(o) <= origin.MaxWeb && strings.EqualFold(authority, strings.TrimSuffix(host, port)) && origin.Valid(o)
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

// explain returns why the request that q was read from is rejected.
func (c *compiled) explain(r *http.Request, q request) *RequestError {
	if !q.hasOrigin() {
		return &RequestError{Field: header.SecFetchSite, Value: clip(r.Header[header.SecFetchSite])}
	}
	e := &RequestError{Preflight: q.preflight, Field: header.Origin, Value: clip([]string{q.origin})}
	switch p := &c.policy; {
	case q.several:
		e.Value = clip(r.Header[header.Origin])
		e.reason = "is not one origin, as browsers send"
	case origin.IsOpaque(q.origin) && p.AcceptRisks&RiskNullOrigin == 0:
		e.reason = "cannot be allowed unless RiskNullOrigin is accepted"
	case p.AllowOriginFunc == nil:
		// The default: it is not in AllowedOrigins.
	case !c.asksFunc(q):
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

// decorate adds the headers of a response to an actual request.
func (c *compiled) decorate(h http.Header, allowOrigin string) {
	if c.anyOrigin && len(c.actualLines) == 0 {
		h[header.AllowOrigin] = []string{allowOrigin} // of known size, as newValues
		return
	}
	var vary []string
	n := 1 + len(c.actualLines)
	if !c.anyOrigin {
		vary = h[header.Vary]
		n += len(vary) + 1
	}
	v := newValues(n)
	h[header.AllowOrigin], v = v.take(allowOrigin)
	for _, l := range c.actualLines {
		h[l.name], v = v.take(l.value)
	}
	if !c.anyOrigin {
		h[header.Vary], _ = v.takeVary(vary, header.Origin)
	}
}

// addVary adds the one header of a response that would have been another, had
// the request come from elsewhere (Fetch, "CORS protocol and HTTP caches").
func addVary(h http.Header) {
	vary := h[header.Vary]
	if len(vary) == 0 {
		h[header.Vary] = []string{header.Origin} // of known size, as newValues
		return
	}
	v := newValues(1 + len(vary))
	h[header.Vary], _ = v.takeVary(vary, header.Origin)
}

// reject answers a request from an origin or site that is not allowed.
func (c *compiled) reject(w http.ResponseWriter, r *http.Request, q request) {
	h := w.Header()
	delete(h, "Content-Length") // of the response that somebody expected
	vary := h[header.Vary]
	if c.policy.DenyHandler != nil {
		addVary(h)
		c.policy.DenyHandler.ServeHTTP(w, r)
		return
	}
	v := newValues(3 + len(vary))
	h["Content-Type"], v = v.take("text/plain; charset=utf-8")
	h["X-Content-Type-Options"], v = v.take("nosniff")
	h[header.Vary], _ = v.takeVary(vary, header.Origin)
	w.WriteHeader(http.StatusForbidden)
	if !q.hasOrigin() {
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
