// Package cors answers Cross-Origin Resource Sharing (CORS) requests for
// net/http servers: browsers ask, a [Policy] decides, and requests from
// origins that it does not allow never reach your code.
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
//   - A request without an Origin header, and one from a page of the server's
//     own origin, runs the wrapped handler. Its response carries no CORS header
//     (or, where any origin is allowed, the same as everybody's).
//   - Anything else is rejected, with 403 or by DenyHandler, and the wrapped
//     handler does not run.
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
// Cross-site request forgery: a rejected request has no effect, but a form
// post that bears no Origin header, or that comes from an allowed origin, runs
// the handler. [http.CrossOriginProtection] complements this package. Routes
// that other sites must be able to post to, such as a payment callback, belong
// outside Handler.
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
// for one origin to another.
//
// [Fetch standard]: https://fetch.spec.whatwg.org/#http-cors-protocol
package cors

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// The names are in canonical form, so that indexing an [http.Header] with them
// finds what Header.Get and Header.Set would.
const (
	headerOrigin         = "Origin"
	headerSecFetchSite   = "Sec-Fetch-Site"
	headerVary           = "Vary"
	headerRequestMethod  = "Access-Control-Request-Method"
	headerRequestHeaders = "Access-Control-Request-Headers"

	headerAllowOrigin      = "Access-Control-Allow-Origin"
	headerAllowCredentials = "Access-Control-Allow-Credentials"
	headerAllowMethods     = "Access-Control-Allow-Methods"
	headerAllowHeaders     = "Access-Control-Allow-Headers"
	headerMaxAge           = "Access-Control-Max-Age"
	headerExposeHeaders    = "Access-Control-Expose-Headers"
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
// response agrees wholly with one policy. If p is invalid, SetPolicy returns
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
// own. Handler panics if next is nil.
func (m *Middleware) Handler(next http.Handler) http.Handler {
	if next == nil {
		panic("cors: nil handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := m.load()
		h := w.Header()
		if len(h) > 0 {
			StripHeaders(h) // of another layer, which would mix with this one's
		}
		switch verdict, origin := c.classify(r); verdict {
		case plain:
			addVary(h)
			next.ServeHTTP(w, r)
		case actual:
			c.decorate(h, origin)
			next.ServeHTTP(w, r)
		case preflight:
			if c.policy.OnReject != nil {
				if err := c.checkPreflight(r); err != nil {
					c.policy.OnReject(r, err)
				}
			}
			c.answerPreflight(w, r, origin)
		case rejected:
			if c.policy.OnReject != nil {
				c.policy.OnReject(r, originError(r))
			}
			c.reject(w, r)
		}
	})
}

// Check reports how m's policy judges r, without answering it. It returns a
// [*RequestError] if [Middleware.Handler] would reject r, or if r is a preflight
// that asks for a method or request header that the policy does not allow, so
// that the browser would stop; and nil otherwise. The method of a request that
// is no preflight is not compared: that is what preflights are for.
//
// Check is meant for diagnosis and for tests of one's own policy. It calls
// AllowOriginFunc where Handler would, and never DenyHandler or OnReject.
func (m *Middleware) Check(r *http.Request) error {
	c := m.load()
	switch verdict, _ := c.classify(r); verdict {
	case preflight:
		if err := c.checkPreflight(r); err != nil {
			return err
		}
	case rejected:
		return originError(r)
	}
	return nil
}

// A verdict says what is to be done with a request.
type verdict int

const (
	rejected  verdict = iota // from an origin that is not allowed
	plain                    // not cross-origin: no CORS headers are needed
	actual                   // allowed, and not a preflight
	preflight                // allowed to ask
)

// classify returns the verdict on r and, where that is actual or preflight,
// the value of Access-Control-Allow-Origin.
func (c *compiled) classify(r *http.Request) (verdict, string) {
	// Browsers send at most one Origin line (Fetch, HTTP-network-or-cache
	// fetch: "append a request `Origin` header"). More are no origin at all.
	var origin string
	lines := r.Header[headerOrigin]
	if len(lines) == 1 {
		origin = lines[0]
	}
	cors := len(lines) > 1 || origin != ""

	switch {
	case c.anyOrigin:
		// The same answer with and without Origin lets caches share it.
		if cors && isPreflight(r) {
			return preflight, "*"
		}
		return actual, "*"
	case !cors:
		return plain, ""
	case c.allowsOrigin(r, origin):
		if isPreflight(r) {
			return preflight, origin
		}
		return actual, origin
	case !isPreflight(r) && isSameOrigin(r, origin):
		return plain, ""
	default:
		return rejected, ""
	}
}

// isPreflight reports whether r, which has an origin, is a CORS-preflight
// request (Fetch, "HTTP requests").
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header[headerRequestMethod]) > 0
}

// isSameOrigin reports whether r comes from a page of the server's own origin.
// Browsers send Origin on same-origin requests too, for POST and for WebSocket
// handshakes, and such requests are not CORS's business.
func isSameOrigin(r *http.Request, origin string) bool {
	var site string
	if lines := r.Header[headerSecFetchSite]; len(lines) > 0 {
		site = lines[0]
	}
	switch site {
	case "same-origin", "none":
		return true
	case "":
		// Browsers send no Sec-Fetch-Site over plain HTTP, except to loopback,
		// and not all sent it before 2023. Without the scheme, which Host does
		// not tell, a page served over HTTP passes for the same host's over
		// HTTPS. As http.CrossOriginProtection does, this errs on the side of
		// letting it through: HTTP Strict Transport Security closes that gap.
		host, ok := strings.CutPrefix(origin, "https://")
		if !ok {
			host, ok = strings.CutPrefix(origin, "http://")
		}
		return ok && host != "" && host == r.Host
	default:
		return false
	}
}

// decorate adds the headers of a response to an actual request.
func (c *compiled) decorate(h http.Header, origin string) {
	var vary []string
	if !c.anyOrigin {
		vary = h[headerVary]
	}
	v := make(values, c.actualValues+len(vary))
	h[headerAllowOrigin] = v.take(origin)
	if c.policy.AllowCredentials {
		h[headerAllowCredentials] = v.take("true")
	}
	if c.exposeHeaders != "" {
		h[headerExposeHeaders] = v.take(c.exposeHeaders)
	}
	if !c.anyOrigin {
		h[headerVary] = v.takeLines(vary, headerOrigin, nil)
	}
}

// addVary adds the one header of a response that would have been another, had
// the request come from elsewhere (Fetch, "CORS protocol and HTTP caches").
func addVary(h http.Header) {
	vary := h[headerVary]
	v := make(values, 1+len(vary))
	h[headerVary] = v.takeLines(vary, headerOrigin, nil)
}

// reject answers a request whose origin is not allowed.
func (c *compiled) reject(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if c.policy.DenyHandler != nil {
		addVary(h)
		c.policy.DenyHandler.ServeHTTP(w, r)
		return
	}
	vary := h[headerVary]
	v := make(values, 3+len(vary))
	h[headerVary] = v.takeLines(vary, headerOrigin, nil)
	h["Content-Type"] = v.take("text/plain; charset=utf-8")
	h["X-Content-Type-Options"] = v.take("nosniff")
	delete(h, "Content-Length") // of the response that somebody expected
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, "cross-origin request rejected: the CORS policy does not allow its origin\n")
}

// values is the one allocation of a response. Header values are taken from its
// front, each capped, so that no two responses share memory and appending to
// one header's values never reaches another's.
type values []string

func (v *values) take(s string) []string {
	taken := (*v)[:1:1]
	*v = (*v)[1:]
	taken[0] = s
	return taken
}

// takeLines takes a copy of the lines before and after s, with s in between.
func (v *values) takeLines(before []string, s string, after []string) []string {
	n := len(before) + 1 + len(after)
	if n == 1 {
		return v.take(s)
	}
	taken := append((*v)[:0:n], before...)
	*v = (*v)[n:]
	return append(append(taken, s), after...)
}

// StripHeaders deletes the CORS response headers from h.
//
// A reverse proxy that applies a policy of its own calls it on the responses of
// an upstream that sets CORS headers as well, in ModifyResponse of
// [net/http/httputil.ReverseProxy]: of two Access-Control-Allow-Origin values
// browsers accept neither. Vary is kept.
func StripHeaders(h http.Header) {
	for _, name := range responseHeaders {
		delete(h, name)
	}
}

// A RequestError tells why a request was rejected, or why a browser will not
// send the request that a preflight asked about. Its message names the field
// of [Policy] that would have to allow it.
type RequestError struct {
	// Preflight says whether the request is a preflight.
	Preflight bool

	// Field is the request header at fault: Origin,
	// Access-Control-Request-Method or Access-Control-Request-Headers.
	Field string

	// Value is what in that header is not allowed: the origin, the method, or
	// the name of the first such request header. Where a list of request
	// headers is longer than any that the policy allows, it is the beginning
	// of the list. Of several lines that should be one, it holds the first
	// two, joined with ", ". It comes from the client as it is, but cut after
	// 512 bytes.
	Value string
}

// Error returns the reason on one line, with the client's part quoted.
func (e *RequestError) Error() string {
	request := "request"
	if e.Preflight {
		request = "preflight"
	}
	what, field := "origin", "AllowedOrigins"
	switch e.Field {
	case headerRequestMethod:
		what, field = "method", "AllowedMethods"
	case headerRequestHeaders:
		what, field = "request header", "AllowedHeaders"
	}
	return fmt.Sprintf("cors: %s: %s %q is not in %s", request, what, e.Value, field)
}

func originError(r *http.Request) *RequestError {
	return &RequestError{
		Preflight: isPreflight(r),
		Field:     headerOrigin,
		Value:     clip(r.Header[headerOrigin]),
	}
}

// clip returns the value of a header that should have one line, bounded, so
// that a hostile one cannot fill a log.
func clip(lines []string) string {
	if len(lines) == 0 {
		return "" // AllowOriginFunc may have removed the header
	}
	const most = 512
	s := lines[0][:min(len(lines[0]), most)]
	if len(lines) > 1 {
		s += ", " + lines[1][:min(len(lines[1]), most)]
	}
	return s[:min(len(s), most)]
}
