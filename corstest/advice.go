package corstest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/f407da42/cors/internal/header"
	"github.com/f407da42/cors/internal/origin"
)

// evidence is the response that the advice is based on: the response that
// blocked the request, or a response that the script can read.
type evidence struct {
	failure
	preflight  bool // the response is for a preflight
	passed     bool // the preflight just before this request was successful
	mode       Mode
	method     string
	sent       http.Header // of the request that the response is for
	host       string      // of the URL
	status     int
	header     http.Header
	body       string
	include    bool // the request has credentials
	page       string
	own        bool // the URL is on the page's origin
	nulled     bool // the browser changed Origin to null
	redirected bool
	left       bool // redirects led to another host
}

// advise returns the most likely cause of r.Blocked and its fix, or hints about
// a response that the script can read. It returns "" if there is nothing to say.
func advise(r *Result) string {
	ex := r.Actual
	if ex == nil {
		ex = r.Preflight
	}
	if ex == nil || ex.Response == nil {
		return ""
	}
	e := evidence{
		failure:    r.failure,
		preflight:  r.Actual == nil,
		passed:     r.Actual != nil && r.Preflight != nil,
		mode:       r.request.Mode,
		method:     r.request.Method,
		sent:       ex.Request.Header,
		host:       ex.Request.Host,
		status:     ex.Response.StatusCode,
		header:     ex.Response.Header,
		body:       ex.body,
		include:    r.request.Credentials == Include,
		page:       r.page,
		own:        urlOrigin(ex.Request) == r.page,
		nulled:     r.page != "null" && ex.Request.Header.Get("Origin") == "null",
		redirected: len(r.Via) > 0,
		left:       len(r.Via) > 0 && r.Via[0].Request.Host != ex.Request.Host,
	}
	switch {
	case r.Blocked != "" && e.kind <= responseMissing:
		return "" // the reason is not in the headers of a response
	case e.rejectedBy(originRejected), e.rejectedBy(siteRejected), e.rejectedBy(forgeryDetected):
		return e.adviseOnRejection()
	case e.kind == handshakeRefused:
		return e.adviseOnHandshake()
	case r.Blocked == "" && (r.Status == 0 || r.request.Mode == WebSocket):
		return "" // the page reads no headers
	case r.Blocked == "":
		return e.adviseOnReadable(hidden(e.header, r.Header))
	case e.kind == originMissing && e.preflight:
		return e.adviseOnPreflight()
	case e.kind == originMissing:
		return e.adviseOnMissingOrigin()
	case e.kind == originOther:
		return e.adviseOnValues() + e.adviseOnLogin()
	case e.kind == originWildcard, e.kind == credentialsDenied:
		return e.adviseOnValues() + e.adviseOnCopy() + e.adviseOnLogin()
	}
	return e.adviseOnLists() + e.adviseOnCopy() + e.adviseOnLogin()
}

// The bodies of 403 responses begin with these texts if package cors or
// [http.CrossOriginProtection] rejected the request.
const (
	originRejected  = "cross-origin request rejected: "
	siteRejected    = "cross-site request rejected: "
	forgeryDetected = "cross-origin request detected"
)

func (e evidence) rejectedBy(text string) bool {
	return e.status == http.StatusForbidden && strings.HasPrefix(e.body, text)
}

// adviseOnRejection returns advice for a 403 response of package cors or
// http.CrossOriginProtection.
func (e evidence) adviseOnRejection() string {
	switch {
	case e.rejectedBy(siteRejected):
		return "The browser sent an Origin header, but package cors did not get it. Look for a proxy or middleware in front that removes Origin."
	case e.withoutOrigin() != "":
		return e.withoutOrigin()
	case e.cache() != "":
		return e.adviseOnCache()
	case e.own:
		return fmt.Sprintf("The page is on the server's own origin, but the server cannot tell, because Sec-Fetch-Site is missing and a proxy changes Host. Have the proxy forward both unchanged. If it cannot, add %s to AllowedOrigins, or pass it to http.CrossOriginProtection.AddTrustedOrigin.", e.page)
	case e.rejectedBy(forgeryDetected):
		return fmt.Sprintf("http.CrossOriginProtection rejected the request, because it does not trust the page's origin. If you trust it, call AddTrustedOrigin with %s. If package cors wraps the handler with a policy that lists only trusted origins and does not set PassRejected, you can instead remove http.CrossOriginProtection. See Cross-site request forgery in docs/integration.md of package cors.", e.page)
	case e.passed:
		return fmt.Sprintf("The preflight was allowed, but package cors rejected the request. If another CORS middleware or a proxy in front responds to preflights with a different policy, keep only one of the two policies. If you need both, and trust the origin, allow %s in both. If no other layer responds to preflights, AllowOriginFunc probably depends on headers that preflights lack.", e.page)
	}
	return fmt.Sprintf("The policy of package cors does not allow the page's origin. If you trust it, add %s to AllowedOrigins, or let AllowOriginFunc return true for it. If the policy already allows it, an outer CORS middleware, a cache or an older version of the service responded.", e.page)
}

// adviseOnHandshake returns advice for a WebSocket handshake that failed.
func (e evidence) adviseOnHandshake() string {
	if location := e.header.Get("Location"); e.status/100 == 3 && location != "" {
		return fmt.Sprintf("The handshake was redirected to %q, and browsers other than Safari do not follow redirects of handshakes. If the target is a login page, let the user log in before the page connects. Otherwise, have the page connect to that URL, with wss: instead of https:.", location)
	}
	switch {
	case e.plainHTTP():
		return useHTTPS
	case e.gateway() != "":
		return e.gateway()
	case e.unauthorized():
		return "Authentication rejected the handshake. Scripts cannot add headers to a handshake, so use a cookie, or send the token in the first message."
	case e.status == 403:
		text := "Many WebSocket packages compare Origin with Host, and respond with 403 if they differ. If you trust the page, have the package call cors.Middleware.Check instead (see WebSockets in docs/integration.md of package cors). Alternatively, turn off the package's check, but only if cors.Middleware.Handler wraps the endpoint with a policy that lists only origins that you trust. If your package does not compare Origin with Host, look for a guard, or a CORS middleware such as gin-contrib/cors, that rejected the handshake." + e.adviseOnLog() + "Have it forward the handshake."
		if e.varies() && e.header["Access-Control-Allow-Origin"] == nil {
			text = e.adviseOnVary() // a DenyHandler, for example
		}
		if e.own {
			text = "The page is on the server's own origin, so a proxy in front probably changes Host. Have it forward Host unchanged. " + text
		}
		return text
	case e.status == 500, e.status == 501:
		return "The server failed to handle the handshake. Often, a middleware wraps the ResponseWriter in a type that has no Hijack method, which WebSockets need. Add the method to that type, or put the WebSocket handler outside the middleware. The server's log has the error."
	case e.status == 400, e.status == 404, e.status == 426:
		return "The server did not accept the request as a handshake. Check the URL, and look for a proxy in front that does not forward Upgrade and Connection. Some servers also respond this way if they do not allow the page's origin: if you trust the page, allow it there."
	}
	return fmt.Sprintf("The handshake needs status 101, not %d. Check the URL, and look for something in front that responds first, such as a login handler, a rate limiter or a proxy.", e.status)
}

// adviseOnReadable returns hints about a response that the script can read,
// except for the hidden headers.
func (e evidence) adviseOnReadable(hidden []string) string {
	var hints []string
	allowed := e.header.Get("Access-Control-Allow-Origin")
	cacheable := (e.method == http.MethodGet || e.method == http.MethodHead) && e.status < 400 && !strings.Contains(e.header.Get("Cache-Control"), "no-store")
	if !e.own && allowed != "" && allowed != "*" && cacheable && !e.varies() && !e.lists("Vary", "*") {
		hints = append(hints, "Access-Control-Allow-Origin names one origin, but Vary does not include Origin, so a cache can return this response to other pages. Unless Access-Control-Allow-Origin is the same in all responses for this URL, add Origin to Vary. Also look for code that replaces Vary.")
	}
	switch names := enumerate(hidden); {
	case names != "" && e.lists("Access-Control-Expose-Headers", "*"):
		hints = append(hints, fmt.Sprintf("The script cannot read %s, because with credentials, browsers read * as a literal header name. If it needs to, list %s in ExposedHeaders instead of *.", names, names))
	case names != "":
		hints = append(hints, fmt.Sprintf("The script cannot read %s. If it needs to, add %s to ExposedHeaders.", names, names))
	}
	return strings.Join(hints, " ")
}

// adviseOnPreflight returns advice for a response to a preflight without
// Access-Control-Allow-Origin.
func (e evidence) adviseOnPreflight() string {
	switch {
	case e.plainHTTP():
		return useHTTPS
	case e.left && e.gateway() == "":
		return e.adviseOnOtherHost()
	case e.cache() != "":
		return e.adviseOnCache()
	case e.gateway() != "":
		return e.adviseOnGateway()
	case e.status/100 == 3 && e.header["Location"] != nil:
		return e.adviseOnRedirectedPreflight() + e.adviseOnUnlisted()
	case e.unauthorized():
		return guardRejected
	case strings.Contains(e.body, "CORSResponse: "):
		return fmt.Sprintf("S3 rejected the preflight, because the CORS configuration of the bucket does not allow the origin, the method or one of the headers. If you trust the page, allow %s there.", e.requested())
	case e.status == 403 && e.withoutOrigin() != "":
		return e.withoutOrigin()
	case e.unknownToGateway():
		return noMethod
	case e.status == 403:
		return fmt.Sprintf("Either a guard (such as authentication) rejected the preflight, or the CORS middleware did, as gin-contrib/cors and gorilla/handlers do. If it was a guard, put the CORS middleware outside it, because preflights never have credentials. If the guard is a gateway or platform in front, exempt OPTIONS requests there. If the CORS middleware rejected the preflight, and you trust the page, allow %s.", e.requested())
	case e.status/100 == 5 && e.status != 501:
		return serverFailed + e.adviseOnUnlisted()
	case e.varies():
		return e.adviseOnVary()
	case e.status/100 == 2:
		return "Something other than the CORS middleware responded to OPTIONS, such as a router, a proxy, a login handler or a static file server. Put the CORS middleware outside that layer, or have the layer forward OPTIONS requests." + e.adviseOnUnlisted()
	}
	var text string
	switch {
	case e.status == 405 && e.header["Allow"] == nil:
		text = fmt.Sprintf("Either the router responded to OPTIONS itself, or the CORS middleware rejected the method, as gorilla/handlers does. If it was the router, wrap the whole router with the CORS middleware, or mount the wrapped handler on a pattern without a method. If it was the CORS middleware, have it allow the method %s.", e.sent.Get("Access-Control-Request-Method"))
	case e.status == 404:
		text = "The router responded to OPTIONS itself, because no route matches OPTIONS with this path. The CORS middleware therefore did not run. Check the path. If it is right, wrap the whole router with the CORS middleware, or mount the wrapped handler on a pattern without a method."
	case e.status == 405, e.status == 501:
		text = "The router responded to OPTIONS itself, because no route for this path accepts OPTIONS. The CORS middleware therefore did not run. Wrap the whole router with the CORS middleware, or mount the wrapped handler on a pattern without a method."
	default:
		text = fmt.Sprintf("The preflight got status %d from a layer outside the CORS middleware. Put the CORS middleware outside that layer: a preflight needs a status from 200 to 299.", e.status)
	}
	return text + e.adviseOnLog() + "Have it forward OPTIONS requests." + e.adviseOnUnlisted()
}

const (
	guardRejected = "Authentication or another guard rejected the preflight, because preflights never have credentials. Put the CORS middleware outside that guard, and let it respond to preflights itself. If a proxy, gateway or platform in front requires a login, exempt OPTIONS requests there."
	serverFailed  = "The server failed to handle the OPTIONS request, or a proxy in front cannot reach it. Check the logs of both, and put the CORS middleware outside the code that fails."
)

// unauthorized reports whether authentication made the response. CORS packages
// send neither these statuses nor a challenge.
func (e evidence) unauthorized() bool {
	return e.status == 401 || e.status == 407 || e.header["Www-Authenticate"] != nil
}

// adviseOnLog returns a sentence for an error that perhaps a proxy in front made.
func (e evidence) adviseOnLog() string {
	text := " If the service's log does not show this request, a proxy in front responded"
	if front := e.front(); front != "" {
		text += fmt.Sprintf(" (perhaps the one that sent %q)", front)
	}
	return text + ". "
}

func (e evidence) adviseOnRedirectedPreflight() string {
	location := e.header.Get("Location")
	if e.elsewhere(location) {
		return fmt.Sprintf("The preflight was redirected to another host (%q), and browsers do not follow redirects of preflights. If that host is the login page of a gateway or platform in front, exempt OPTIONS requests from the login. Otherwise, have the page request that URL.", location)
	}
	return fmt.Sprintf("The preflight was redirected to %q, and browsers do not follow redirects of preflights. Have the page request the exact target of the redirect, including the scheme, the host and any trailing slash. Alternatively, put the CORS middleware outside the code that redirects. If the target is a login page, exempt OPTIONS requests from the login.", location)
}

// adviseOnMissingOrigin returns advice for a response to an actual request
// without Access-Control-Allow-Origin.
func (e evidence) adviseOnMissingOrigin() string {
	location := e.header.Get("Location")
	switch {
	case e.plainHTTP():
		return useHTTPS
	case e.unknownToGateway():
		return noMethod
	case e.gateway() != "":
		return e.adviseOnGateway()
	case e.left:
		return e.adviseOnOtherHost()
	case e.cache() != "" && e.status/100 != 3:
		return e.adviseOnCache()
	case e.status/100 == 3 && e.elsewhere(location):
		return fmt.Sprintf("The request was redirected to another host (%q), without CORS headers. If the target is a login page, have the service or gateway respond to scripts with 401 instead. Otherwise, have the page request that URL.", location) + e.adviseOnUnlisted()
	case e.status/100 == 3 && location != "":
		return "The redirect also needs CORS headers. Put the CORS middleware outside the code that redirects, or have the page request the final URL. If the target is a login page, have the service or gateway respond to scripts with 401 instead." + e.adviseOnUnlisted()
	case e.varies():
		text := e.adviseOnVary()
		if e.passed {
			text = "The preflight was allowed, but the response to the request has Vary: Origin and no CORS headers. Perhaps a proxy or another middleware responded to the preflight, and the CORS middleware behind it does not allow the origin. Otherwise, something removes Origin from the request, or the CORS headers from the response."
		}
		if e.unauthorized() {
			text += " The response asks for a login. If your service requires it, put the CORS middleware outside its authentication. If a gateway in front requires it, have the gateway send CORS headers."
		}
		return text
	case e.status >= 400:
		text := fmt.Sprintf("Code outside the CORS middleware wrote the %d, so the script cannot read the error. Put the CORS middleware outside that code, which can be authentication, a rate limiter, a timeout handler, the router or an error handler.", e.status)
		if e.status == 403 {
			text = "A guard or other code outside the CORS middleware wrote the 403, or the CORS middleware rejected the page's origin, as gin-contrib/cors does. If a guard or other code wrote it, put the CORS middleware outside that code, so the script can read the error."
		}
		text += e.adviseOnLog() + "Have it forward the request, or add CORS headers to its error pages." + e.adviseOnUnlisted()
		if server := e.header.Get("Server"); strings.HasPrefix(server, "nginx") || strings.HasPrefix(server, "Apache") {
			text += " If nginx or Apache adds the CORS headers, use the keyword \"always\" in the directive (add_header NAME VALUE always, Header always set). Without it, error responses have no CORS headers."
		}
		return text
	}
	text := "The response has no CORS headers. Wrap the handler of this URL with the CORS middleware. If it is wrapped, look for code or a proxy that removes Origin from the request, or the CORS headers from the response. httputil.ReverseProxy removes the headers if the upstream sends a 1xx status: see keepHeaders in docs/integration.md of package cors."
	if strings.HasPrefix(e.header.Get("Content-Type"), "text/html") {
		text += " If the body is not from your service (for example, if it is a login page), something in front responded, or the URL is wrong."
	}
	text += e.adviseOnUnlisted()
	if strings.HasPrefix(e.header.Get("Server"), "nginx") {
		text += " If nginx adds the CORS headers, repeat their add_header lines in each location that has other add_header lines. Such a location does not inherit any add_header lines."
	}
	return text
}

// adviseOnOtherHost returns advice for a response without
// Access-Control-Allow-Origin from another host, to which redirects led.
func (e evidence) adviseOnOtherHost() string {
	if e.varies() && e.nulled {
		return e.withoutOrigin()
	}
	text := "Redirects led to another host, whose response has no CORS headers. If the target is a login page, have the service or gateway respond to scripts with 401 instead. Otherwise, have the page request the final URL directly, and wrap the handler on that host with the CORS middleware."
	if e.varies() {
		text += e.adviseOnUnlisted()
	}
	return text
}

// adviseOnLogin returns a sentence for a response from another host, to which
// redirects led, if it has the wrong CORS headers.
func (e evidence) adviseOnLogin() string {
	if !e.left || e.nulled { // withoutOrigin names the login
		return ""
	}
	return " If the redirects led to a login page, have the service or gateway respond to scripts with 401 instead."
}

// useHTTPS is advice for an error that [evidence.plainHTTP] recognizes.
const useHTTPS = "The server expects HTTPS on this port. Use https: or wss: in the URL. If the URL already has one of these, a proxy in front sends plain HTTP. Have the proxy use HTTPS."

// plainHTTP reports whether e is the error of net/http or nginx for a plain HTTP
// request to a port that expects HTTPS.
func (e evidence) plainHTTP() bool {
	return e.status == 400 && (strings.Contains(e.body, "HTTP request to an HTTPS server") || strings.Contains(e.body, "HTTP request was sent to HTTPS port"))
}

// noMethod is advice for an error that [evidence.unknownToGateway] recognizes.
const noMethod = "Amazon API Gateway has no route for this path, or none for this method. Check both. For preflights, turn on CORS for the path in the gateway, or have the gateway forward OPTIONS requests."

// unknownToGateway reports whether Amazon API Gateway has no method for e.
func (e evidence) unknownToGateway() bool {
	return e.status == 403 && e.header.Get("X-Amzn-Errortype") == "MissingAuthenticationTokenException"
}

// adviseOnUnlisted returns a sentence for a response without
// Access-Control-Allow-Origin. Perhaps that header is only sent to preflights or
// to other pages.
func (e evidence) adviseOnUnlisted() string {
	if e.passed && !e.varies() {
		return " The preflight was allowed. If only preflights get CORS headers, for example from a proxy or a route for OPTIONS, send them with all responses."
	}
	if e.withoutOrigin() != "" {
		return " " + e.withoutOrigin()
	}
	return fmt.Sprintf(" If other origins get CORS headers, and you trust the page, add exactly %s, without a trailing slash, to the list of allowed origins.", e.page)
}

// adviseOnValues returns advice for wrong values of
// Access-Control-Allow-Origin and Access-Control-Allow-Credentials.
func (e evidence) adviseOnValues() string {
	lines, origins := e.header["Access-Control-Allow-Origin"], split(e.value)
	beacon := ""
	if e.method == http.MethodPost {
		beacon = " If the request is a beacon (navigator.sendBeacon), it always has credentials. Use fetch with keepalive and credentials: 'omit' instead."
	}
	switch {
	case len(origins) > 1 && (len(lines) > 1 || origins[0] == origins[1]),
		e.kind == credentialsDenied && len(split(strings.Join(e.header["Access-Control-Allow-Credentials"], ","))) > 1:
		return "Two layers set CORS headers, and browsers do not accept two values. Let only one layer set them: remove the other middleware, or the code or proxy setting that adds Access-Control-Allow-Origin. If the service itself is a Go proxy, call cors.StripHeaders in ModifyResponse."
	case e.kind == originOther && (e.value == "" || e.value == "(null)"):
		return fmt.Sprintf("Access-Control-Allow-Origin is empty or (null). Apache sends (null) for an unset variable. The usual cause is that the proxy's list of allowed origins lacks the page's origin. If you trust the page, have the proxy send %s and Vary: Origin. Otherwise, have it leave the header out.", e.page)
	case (e.kind == originOther || e.kind == originWildcard) && e.withoutOrigin() != "":
		return e.withoutOrigin()
	case e.kind == originOther && (strings.EqualFold(e.value, e.page) || strings.EqualFold(e.value, e.page+"/")):
		return fmt.Sprintf("Browsers compare Access-Control-Allow-Origin with the page's origin byte for byte. Send exactly %s, in lowercase and without a trailing slash.", e.page)
	case e.kind == originOther && !origin.Valid(e.value) && e.value != "null":
		return fmt.Sprintf("In Access-Control-Allow-Origin, browsers accept * or one origin (scheme, host and port, without a path or the default port), but not a list or a pattern. If two layers set the header, let only one of them set it. Otherwise, if you trust the page, send %s and Vary: Origin, as CORS middleware does.", e.page)
	case e.kind == originOther && e.cache() != "":
		return e.adviseOnCache()
	case e.passed:
		return "The preflight was allowed. If the service itself responded to it, your handler or a proxy replaced the CORS headers of the response. Remove the code or setting that does this. If a proxy in front responded to the preflight with a different policy, have the proxy forward OPTIONS requests."
	case e.kind == originOther:
		return fmt.Sprintf("The response allows an origin other than the page's. If you trust the page, add %s to AllowedOrigins, or let AllowOriginFunc return true for it. If the policy already allows it, your handler or a proxy sets a fixed value, or a cache returned a response for another page.", e.page)
	case e.kind == originWildcard:
		return fmt.Sprintf("For a request with credentials, browsers do not accept *, even together with Access-Control-Allow-Credentials: true. If the request needs no cookies, make it without credentials. If you trust the page, add %s to AllowedOrigins instead of *, and set AllowCredentials. If the policy already does both, your handler or a proxy replaces the header.", e.page) + beacon
	}
	return "The request has credentials, but the response does not have Access-Control-Allow-Credentials: true (in lowercase). If the request needs no cookies, make it without credentials. Otherwise, set AllowCredentials. If it is set, your handler, a proxy or another CORS middleware removes or replaces the header." + beacon
}

const (
	allowMethods = "Access-Control-Allow-Methods"
	allowHeaders = "Access-Control-Allow-Headers"
	addToList    = "Add %s to %s. If it is already there, another CORS middleware or a proxy in front responded to the preflight, or removed the Access-Control-Request-* headers from it."
)

// adviseOnLists returns advice for a response to a preflight that has the right
// origin, but the wrong status, methods or headers.
func (e evidence) adviseOnLists() string {
	upper := strings.ToUpper(e.value)
	switch {
	case e.kind == statusNotOK && e.header["Location"] != nil:
		return e.adviseOnRedirectedPreflight()
	case e.kind == statusNotOK && e.gateway() != "":
		return e.gateway()
	case e.kind == statusNotOK && e.status/100 == 5:
		return serverFailed
	case e.kind == statusNotOK && e.unlisted() != "":
		return fmt.Sprintf("The response to the preflight has status %d, and does not list %s. Some frameworks, such as Starlette and FastAPI, reject such a preflight. Have the middleware allow all methods and headers that the script needs.", e.status, e.unlisted())
	case e.kind == statusNotOK && (e.status == 403 || e.unauthorized()):
		return guardRejected
	case e.kind == statusNotOK:
		return fmt.Sprintf("The response to the preflight has CORS headers, but its status is %d. A preflight needs a status from 200 to 299. Let the CORS middleware respond to preflights itself. If it is already set up to do so, something in front removes Access-Control-Request-Method, or a proxy adds the CORS headers.", e.status)
	case e.kind == listMalformed:
		return "Methods and header names must be separated by commas. In the list, look for a quotation mark, a semicolon or a missing comma."

	case e.kind == methodNotListed && e.lists(allowMethods, upper):
		return fmt.Sprintf("Methods are case-sensitive, and browsers do not convert %s to uppercase. Have the script use %s.", e.value, upper)
	case e.kind == methodNotListed && e.listsFold(allowMethods, e.value):
		return fmt.Sprintf("Methods are case-sensitive, and Access-Control-Allow-Methods has %s in lowercase or mixed case. Have the server and the script use %s.", upper, upper)
	case e.kind == methodNotListed && header.FaultOfMethod(upper) != "":
		return fmt.Sprintf("No policy can list the method %s by name. Have the script use another name.", e.value)
	case e.kind == methodNotListed && header.FaultOfMethod(e.value) != "":
		return fmt.Sprintf("Add %s to AllowedMethods, and have the script use %s. Methods are case-sensitive, and browsers do not convert %s to uppercase.", upper, upper, e.value)
	case e.kind == methodNotListed && e.lists(allowMethods, "*"):
		return fmt.Sprintf("With credentials, browsers read * as a literal method name. Add %s to AllowedMethods.", e.value)
	case e.kind == methodNotListed:
		return fmt.Sprintf(addToList, e.value, "AllowedMethods")

	case strings.HasPrefix(e.value, "Access-Control-"):
		return fmt.Sprintf("Have the script leave out %s, because it is a response header, which only servers send. If you cannot change the script, add %s to AllowedHeaders.", e.value, e.value)
	case header.FaultOfRequestHeader(e.value) != "":
		return fmt.Sprintf("No policy can list the request header %s by name. Have the script use another name.", e.value)
	case e.include && e.lists(allowHeaders, "*"):
		return fmt.Sprintf("With credentials, browsers read * as a literal header name. Add %s to AllowedHeaders.", e.value)
	case e.lists(allowHeaders, "*"):
		return "The Fetch standard does not let * cover Authorization, so this tool reports the request as blocked. Current browsers still allow it, but most of them send a preflight before every such request. Add Authorization to AllowedHeaders, in addition to *."
	}
	return fmt.Sprintf(addToList, e.value, "AllowedHeaders")
}

// adviseOnCache returns advice for a response that a cache returned to the wrong
// page.
func (e evidence) adviseOnCache() string {
	switch {
	case e.varies() && e.withoutOrigin() != "":
		return e.withoutOrigin()
	case e.varies():
		ignored := "Vary: Origin"
		if isCacheControl(e.header, "no-store") {
			ignored += " and Cache-Control: no-store"
		}
		return fmt.Sprintf("The response came from a cache (%s). If the policy allows the page's origin, the cache ignored %s, and returned a response for another page. In that case, add the header Origin to the cache key, and purge the cache. Otherwise, if you trust the origin, add %s to AllowedOrigins.", e.cache(), ignored, e.page)
	}
	return fmt.Sprintf("The response came from a cache (%s), and has no Vary: Origin, so the cache returns it to every page. Have the service behind the cache send CORS headers and Vary: Origin with every response for this URL, and purge the cache. If the service already does, the copy is old, or something removes Vary.", e.cache()) + e.adviseOnUnlisted()
}

// adviseOnCopy returns a sentence for a response from a cache that has the wrong
// CORS headers. The cache may have stored it before the policy was changed.
func (e evidence) adviseOnCopy() string {
	if cache := e.cache(); cache != "" {
		return fmt.Sprintf(" The response came from a cache (%s). If the service already sends the right headers, purge the cache.", cache)
	}
	return ""
}

// adviseOnVary returns advice for a response that has Vary: Origin, probably from
// a CORS middleware, but does not allow the page's origin. Some middlewares also
// send such responses because of the method or, to preflights, because of a header.
func (e evidence) adviseOnVary() string {
	switch {
	case e.withoutOrigin() != "":
		return e.withoutOrigin()
	case e.preflight:
		return fmt.Sprintf("A CORS middleware or a proxy probably responded, but it does not allow the origin, the method or one of the headers. If you trust the page, allow %s. If the policy already allows them, another CORS middleware in front of package cors may have responded. It is also possible that something removes Origin from the request, or the CORS headers from the response.", e.requested())
	}
	text := fmt.Sprintf("A CORS middleware or a proxy probably responded, but it does not allow the page's origin. If you trust it, add exactly %s, without a trailing slash, to AllowedOrigins, or let AllowOriginFunc return true for it. Some CORS packages, such as rs/cors, also need %s in AllowedMethods. If the policy already allows both, something removes Origin from the request", e.page, e.method)
	if e.mode == WebSocket {
		return text + "."
	}
	return text + ", or the CORS headers from the response. A cache may also have returned a response for another page."
}

// requested lists what a preflight requests.
func (e evidence) requested() string {
	list := []string{
		fmt.Sprintf("the origin %s (exactly, without a trailing slash)", e.page),
		"the method " + e.sent.Get("Access-Control-Request-Method"),
	}
	switch names := split(e.sent.Get("Access-Control-Request-Headers")); {
	case len(names) > 1:
		list = append(list, "the headers "+strings.Join(names, ", "))
	case names[0] != "":
		list = append(list, "the header "+names[0])
	}
	return enumerate(list)
}

// enumerate returns a list such as "a, b and c". It returns "" if words is empty.
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// unlisted returns a requested method or header that is not in the list which
// the response to the preflight has. It returns "" if there is none.
func (e evidence) unlisted() string {
	method := e.sent.Get("Access-Control-Request-Method")
	if e.header[allowMethods] != nil && !e.lists(allowMethods, method) && !e.lists(allowMethods, "*") {
		return "the method " + method
	}
	for _, name := range split(e.sent.Get("Access-Control-Request-Headers")) {
		if name != "" && e.header[allowHeaders] != nil && !e.listsFold(allowHeaders, name) && !e.lists(allowHeaders, "*") {
			return "the header " + name
		}
	}
	return ""
}

// adviseOnGateway returns advice for a response without
// Access-Control-Allow-Origin that probably comes from a proxy.
func (e evidence) adviseOnGateway() string {
	switch {
	case e.varies():
		return e.gateway() + e.adviseOnUnlisted()
	case e.preflight:
		return e.gateway() + " If your Go code sent the error, put the CORS middleware outside that code."
	}
	return e.gateway() + " To let scripts read the error, add CORS headers to the proxy's error pages (see docs/proxies.md of package cors). If your Go code sent the error, wrap that code with the CORS middleware."
}

// withoutOrigin explains why the browser sends null or file:// as the origin of the
// page. It returns "" if the browser sends another origin.
func (e evidence) withoutOrigin() string {
	switch {
	case e.nulled && e.redirected:
		return "The request was redirected from one server to another, so the browser sent Origin: null. Have the page request the final URL directly. If that is a login page, have the service or gateway respond to scripts with 401 instead."
	case e.nulled:
		return "The page posts from https to http, so the browser sent Origin: null. Have the page use the https URL."
	case e.page == "null" || e.page == "file://":
		text := fmt.Sprintf("Any local file or sandboxed page can have the origin %s. Serve the page over HTTP, without a sandbox, and allow its new origin.", e.page)
		if e.mode == Navigate || e.mode == NoCORS {
			text += " If the page's Referrer-Policy is no-referrer or same-origin, its form posts to other origins have Origin: null. Use strict-origin-when-cross-origin instead."
		}
		return text
	}
	return ""
}

// gateway returns advice for the statuses that proxies and platforms send, but
// Go services rarely do. It returns "" for other statuses.
func (e evidence) gateway() string {
	var cause string
	status := fmt.Sprintf("Status %d", e.status)
	switch {
	case e.status == 413:
		cause = "the body is too large. Raise the limit there, or send less."
	case e.status == 400 && headersTooLarge.MatchString(e.body):
		status += " with this body"
		fallthrough
	case e.status == 431, e.status == 494:
		cause = "the request headers are too large. Raise the limit there and in http.Server.MaxHeaderBytes, or send fewer cookies."
	case e.status == 502:
		cause = "it got no valid response from the service. The service is down, unreachable or too slow, or sends more headers than the proxy accepts."
	case e.status == 504:
		cause = "the service took too long. Raise the time limit there, or make the service faster."
	case e.status == 503 && !e.preflight:
		cause = "no server is available. Go code such as http.TimeoutHandler also sends it."
	case e.status >= 520 && e.status <= 530:
		return status + " usually comes from Cloudflare, and means that it got no valid response from the service. Check the logs of Cloudflare and of the service."
	default:
		return ""
	}
	return status + " usually comes from a proxy or platform in front, and means that " + cause
}

// headersTooLarge matches the bodies of nginx and Apache.
var headersTooLarge = regexp.MustCompile(`Request Header Or Cookie Too Large|header field exceeds server limit`)

// front returns a header that proxies and platforms add to responses, or "".
func (e evidence) front() string {
	for _, name := range []string{"Via", "Server", "Cf-Ray"} {
		if value := e.header.Get(name); value != "" {
			return name + ": " + value
		}
	}
	return ""
}

// cache returns the header which shows that the response came from a cache, or
// "".
func (e evidence) cache() string {
	for _, name := range []string{"Age", "Cache-Status", "Cf-Cache-Status", "X-Cache", "X-Cache-Status", "X-Litespeed-Cache", "X-Proxy-Cache", "X-Vercel-Cache"} {
		value, hit := e.header.Get(name), cacheHit
		switch name {
		case "Age":
			hit = positive
		case "Cache-Status":
			hit = statusHit
		}
		if hit.MatchString(value) {
			return name + ": " + value
		}
	}
	return ""
}

var (
	positive = regexp.MustCompile(`^[0-9]*[1-9]`)
	// A parameter of RFC 9211, which is not in a quoted string.
	statusHit = regexp.MustCompile(`^([^"]|"([^"\\]|\\.)*")*; *hit *([;,]|$)`)
	// Values are, for example, HIT, TCP_HIT and "RefreshHit from cloudfront", but
	// not hit-for-pass.
	cacheHit = regexp.MustCompile(`(?i)(^|[^a-z-]|refresh)(hit|stale|revalidated|updating)([^a-z-]|$)`)
)

// elsewhere reports whether location is a URL on another host.
func (e evidence) elsewhere(location string) bool {
	u, err := url.Parse(location)
	return err == nil && u.Host != "" && u.Host != e.host
}

// varies reports whether Vary includes Origin.
func (e evidence) varies() bool {
	names, _ := extractList(e.header, "Vary")
	return containsFold(names, "Origin")
}

// lists reports whether item is in the list that is the value of a header.
func (e evidence) lists(name, item string) bool {
	items, _ := extractList(e.header, name)
	return slices.Contains(items, item)
}

// listsFold is like lists, but ignores case.
func (e evidence) listsFold(name, item string) bool {
	items, _ := extractList(e.header, name)
	return containsFold(items, item)
}

// hidden returns the headers in all that scripts often want, but that are not
// readable.
func hidden(all, readable http.Header) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if wanted.MatchString(name) && !noise.MatchString(name) && readable[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

var (
	wanted = regexp.MustCompile(`^(Accept-Ranges|Authorization|Content-(Disposition|Range)|Deprecation|Docker-.*|(Content|Repr)-Digest|Dpop-Nonce|Etag|Grpc-.*|Hx-.*|Link|Location|Mcp-.*|Ratelimit.*|Retry-After|Sunset|Tus-.*|Upload-.*|Www-Authenticate|X-.*)$`)
	noise  = regexp.MustCompile(`^X-(Accel|Amz-(Cf|Id)|Amzn|Aspnet|Azure-Ref|Backend|Cache|Cdn|Content-Type-Options|Dns-Prefetch-Control|Download-Options|Drupal|Envoy|Fastly|Frame-Options|Generator|Litespeed|Nextjs|Nf|Permitted-Cross-Domain-Policies|Powered-By|Proxy-Cache|Robots-Tag|Runtime|Served-By|Timer|Ua-Compatible|Varnish|Vercel|Xss-Protection)`)
)
