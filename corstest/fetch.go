package corstest

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/f407da42/cors/internal/origin"
)

// A fetchState is the state of one call of [Browser.Fetch]: the request that is
// sent next, and the variables of the algorithms. A redirect changes it.
//
// In this package, a comment with a quoted name and a step refers to an
// algorithm of the Fetch standard, unless it names another standard.
type fetchState struct {
	Request  // normalized
	ctx      context.Context
	url      *url.URL
	host     string // host of the first URL, without its port; the cookie belongs to it
	origin   string // origin of the page
	tainting string // the response tainting: "basic", "cors" or "opaque"
	checked  bool   // whether any URL so far needed a preflight, cached or not
	tainted  bool   // whether the redirect-taint is not "same-origin"
	site     string // value of Sec-Fetch-Site
	followed int    // the redirect count
}

// A failure is the reason why the script gets an error. [advise] depends on its
// kind. The zero value means that the script gets no error.
type failure struct {
	kind  failureKind
	text  string
	value string // the method or header name that is not listed, or the origin that is allowed instead
}

type failureKind int

const (
	refused           failureKind = iota // the browser does not send the request
	responseMissing                      // there is no response, or it was cut short
	originMissing                        // no Access-Control-Allow-Origin
	originWildcard                       // *, with credentials
	originOther                          // an origin other than the page's
	credentialsDenied                    // Access-Control-Allow-Credentials is not "true"
	statusNotOK                          // the preflight has a status outside 200 to 299
	listMalformed                        // Access-Control-Allow-Methods or -Headers is malformed
	methodNotListed                      // the method is not in Access-Control-Allow-Methods
	headerNotListed                      // a header is not in Access-Control-Allow-Headers
	handshakeRefused                     // the status of a WebSocket handshake is not 101
)

// fetch makes a request from a page. If bytes is set, the body is a byte array
// instead of a string, so the browser adds no Content-Type.
func (b *Browser) fetch(ctx context.Context, page string, r Request, bytes bool) *Result {
	res := &Result{page: page, request: r}
	r, notes, blocked := r.normalize(bytes)
	res.request.Method = r.Method
	if blocked != "" {
		res.Blocked = blocked
		return res
	}
	if !origin.Valid(page) && !origin.IsOpaque(page) {
		res.Blocked = fmt.Sprintf("%q is not an origin that browsers send; write a scheme, a host and a port, such as https://app.example.com, or null", page)
		return res
	}
	u, err := url.Parse(r.URL)
	if err == nil && r.Mode == WebSocket {
		switch u.Scheme { // WebSockets, "obtain a WebSocket connection"
		case "ws":
			u.Scheme = "http"
		case "wss":
			u.Scheme = "https"
		}
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		res.Blocked = fmt.Sprintf("%q is not an absolute HTTP(S) URL", r.URL)
		return res
	}
	normalizeURL(u)
	if u.User != nil {
		// Request constructor, step 5.3.
		res.Blocked = "the URL contains a user name or password"
		return res
	}

	res.request, res.notes = r, notes
	state := &fetchState{Request: r, ctx: ctx, url: u, host: u.Hostname(), origin: page, tainting: "basic", site: "same-origin"}
	for {
		res.Preflight, res.Actual = nil, nil
		res.failure = b.mainFetch(state, res)
		res.url = state.url.String()
		if res.failure == (failure{}) && isRedirect(res.Actual.Response) {
			res.failure = state.redirect(res.Actual.Response)
			if res.failure == (failure{}) {
				if res.Preflight != nil {
					res.Via = append(res.Via, *res.Preflight)
				}
				res.Via = append(res.Via, *res.Actual)
				continue
			}
		}
		break
	}
	if res.failure == (failure{}) {
		res.read(state)
	}
	if res.failure != (failure{}) {
		res.Blocked = res.failure.text
		if state.checked {
			b.clearCache(state) // "main fetch", step 12; even if only a URL before a redirect needed a preflight
		}
	}
	if note := b.withoutCookie(state); note != "" {
		res.notes = append(res.notes, note)
	}
	res.Advice = advise(res)
	return res
}

// read fills in the parts of the response that the script can read.
func (r *Result) read(state *fetchState) {
	switch status := r.Actual.Response.StatusCode; {
	case state.Mode == WebSocket && status == http.StatusSwitchingProtocols:
		r.Status = status
		return
	case state.Mode == WebSocket:
		text := fmt.Sprintf("the response to the WebSocket handshake has status %d, not 101", status)
		r.failure = failure{kind: handshakeRefused, text: text}
		return
	case state.Mode == Navigate || state.tainting == "opaque":
		return
	}
	if r.Actual.err != nil && hasBody(state.Method, r.Actual.Response.StatusCode) {
		r.err = r.Actual.err
		r.failure = failure{kind: responseMissing, text: "the response was cut short: " + firstLine(r.err)}
		return
	}
	r.Status = r.Actual.Response.StatusCode
	if state.tainting == "cors" {
		r.Header = corsFilter(r.Actual.Response.Header, state.Credentials)
	} else {
		r.Header = basicFilter(r.Actual.Response.Header)
	}
	if hasBody(state.Method, r.Status) {
		r.Body = r.Actual.body
	}
}

// hasBody reports whether the response to a request with this method has a
// body. A response to HEAD or with a null body status does not ("main fetch",
// step 22).
func hasBody(method string, status int) bool {
	switch status {
	case 101, 103, 204, 205, 304:
		return false
	}
	return method != http.MethodHead
}

// normalize returns r after the changes that the Request constructor and
// fetch() make, or the changes of links, forms and WebSockets. The notes name
// the parts that the browser leaves out. If the page gets a TypeError instead,
// blocked is the reason.
func (r Request) normalize(bytes bool) (_ Request, notes []string, blocked string) {
	// Request constructor, step 25.
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	upper := strings.ToUpper(r.Method)
	switch upper {
	case "CONNECT", "TRACE", "TRACK":
		return r, nil, fmt.Sprintf("method %s is forbidden to scripts", r.Method)
	case "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT":
		r.Method = upper
	}
	if !isToken(r.Method) {
		return r, nil, fmt.Sprintf("%q is not a method", r.Method)
	}

	if blocked := r.forbiddenByMode(); blocked != "" {
		return r, nil, blocked
	}

	// Request constructor, steps 33 to 37.
	header, notes, blocked := r.scriptHeader()
	if blocked != "" {
		return r, nil, blocked
	}
	r.Header = header
	if r.Body != "" || r.StreamBody {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return r, nil, fmt.Sprintf("a %s request cannot have a body", r.Method)
		}
		if !bytes && !r.StreamBody && header["Content-Type"] == nil && r.Mode != Navigate {
			header.Set("Content-Type", "text/plain;charset=UTF-8")
		}
	}
	switch r.Mode {
	case Navigate:
		if blocked := labelForm(r.Method, header); blocked != "" {
			return r, nil, blocked
		}
	case WebSocket:
		return r, notes, ""
	}

	// "fetch", step 12. unsafeHeaderNames also counts this header.
	if header["Accept"] == nil {
		header.Set("Accept", "*/*")
	}
	return r, notes, ""
}

// PreflightReasons returns the reasons why a browser sends a preflight before
// r.
//
// Each reason is one clause, such as "method PUT is not CORS-safelisted". If r
// needs no preflight, the result is nil. It is also nil if r is invalid,
// because no browser sends r then.
//
// PreflightReasons assumes that r is cross-origin. Requests to the page's own
// origin never need a preflight.
//
// The rules are in step 12 of "main fetch" in the Fetch standard.
func PreflightReasons(r Request) []string {
	r, _, blocked := r.normalize(false)
	if blocked != "" || r.Mode != CORS {
		return nil
	}
	return r.preflightReasons()
}

// preflightReasons implements [PreflightReasons] for a normalized request
// ("main fetch", step 12).
func (r Request) preflightReasons() []string {
	var reasons []string
	if !isSafelistedMethod(r.Method) {
		reasons = append(reasons, fmt.Sprintf("method %s is not CORS-safelisted", r.Method))
	}
	reasons = append(reasons, unsafeHeaderReasons(r.Header)...)
	if r.UploadListener {
		reasons = append(reasons, "the script listens to upload progress")
	}
	if r.StreamBody {
		reasons = append(reasons, "the body is a ReadableStream")
	}
	return reasons
}

// useCORSPreflight reports whether the use-CORS-preflight flag is set.
func (state *fetchState) useCORSPreflight() bool {
	return state.UploadListener || state.StreamBody
}

// serializedOrigin implements "serializing a request origin".
func (state *fetchState) serializedOrigin() string {
	if state.tainted {
		return "null"
	}
	return state.origin
}

// mainFetch implements "main fetch", steps 12 to 14, and stores the exchanges
// in res.
func (b *Browser) mainFetch(state *fetchState, res *Result) failure {
	switch {
	case serializeOrigin(state.url) == state.origin && state.tainting == "basic", state.Mode == Navigate, state.Mode == WebSocket:
		return b.sendActual(state, res)
	case state.Mode == NoCORS:
		state.tainting = "opaque"
		return b.sendActual(state, res)
	}
	state.tainting = "cors"
	makePreflight := state.useCORSPreflight() || !isSafelistedMethod(state.Method) || len(unsafeHeaderNames(state.Header)) > 0
	if makePreflight {
		state.checked = true
	}
	return b.httpFetch(state, makePreflight, res)
}

// httpFetch implements "HTTP fetch", steps 4.1 to 4.4.
func (b *Browser) httpFetch(state *fetchState, makePreflight bool, res *Result) failure {
	if makePreflight && !b.cached(state) {
		f := b.preflight(state, res)
		if f != (failure{}) && !b.scanning {
			return f
		}
		res.denied, res.err = f, nil
	}
	if f := b.sendActual(state, res); f != (failure{}) {
		return f
	}
	return corsCheck(state, res.Actual.Response.Header, "the response")
}

// sendActual sends the actual request, which a scan changes first.
func (b *Browser) sendActual(state *fetchState, res *Result) failure {
	if b.scanning {
		state.reduce(res.denied != (failure{}))
	}
	res.Actual = b.send(state)
	return res.checkResponse(res.Actual, "there is no response: ")
}

// checkResponse returns a failure if ex has no response. A script gets a
// network error.
func (r *Result) checkResponse(ex *Exchange, text string) failure {
	if ex.Response != nil {
		return failure{}
	}
	r.err = ex.err
	return failure{kind: responseMissing, text: text + firstLine(ex.err)}
}

// firstLine returns the message of err, without the stack of a panic.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// cached reports whether the preflight cache makes a preflight unnecessary
// ("HTTP fetch", step 4.1).
func (b *Browser) cached(state *fetchState) bool {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if (!isSafelistedMethod(state.Method) || state.useCORSPreflight()) && len(b.methodMatches(state, now, state.Method)) == 0 {
		return false
	}
	return !slices.ContainsFunc(unsafeHeaderNames(state.Header), func(name string) bool {
		return len(b.headerMatches(state, now, name)) == 0
	})
}

// preflight implements "CORS-preflight fetch". It returns a failure if the
// browser does not send the actual request.
func (b *Browser) preflight(state *fetchState, r *Result) failure {
	unsafeNames := unsafeHeaderNames(state.Header)
	header := http.Header{ // steps 2 to 5
		"Accept":                        {"*/*"},
		"Access-Control-Request-Method": {state.Method},
	}
	if len(unsafeNames) > 0 {
		header.Set("Access-Control-Request-Headers", strings.Join(unsafeNames, ","))
	}
	preflight := *state
	preflight.Request = Request{Method: http.MethodOptions, Header: header}
	r.Preflight = b.send(&preflight) // step 6
	r.Preflight.reasons = state.preflightReasons()
	if f := r.checkResponse(r.Preflight, "there is no response to the preflight: "); f != (failure{}) {
		return f
	}

	res := r.Preflight.Response
	if f := corsCheck(state, res.Header, "the response to the preflight"); f != (failure{}) { // step 7
		return f
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		text := fmt.Sprintf("the response to the preflight has status %d, which is not in the range 200 to 299", res.StatusCode)
		return failure{kind: statusNotOK, text: text}
	}
	methods, ok := extractList(res.Header, "Access-Control-Allow-Methods") // step 7.1
	if !ok {
		return failure{kind: listMalformed, text: "Access-Control-Allow-Methods is not a list of methods"}
	}
	headerNames, ok := extractList(res.Header, "Access-Control-Allow-Headers") // step 7.2
	if !ok {
		return failure{kind: listMalformed, text: "Access-Control-Allow-Headers is not a list of header names"}
	}
	if methods == nil && state.useCORSPreflight() { // step 7.4
		methods = []string{state.Method}
	}
	if !slices.Contains(methods, state.Method) && !isSafelistedMethod(state.Method) &&
		(state.Credentials == Include || !slices.Contains(methods, "*")) { // step 7.5
		text := fmt.Sprintf("method %s is not in Access-Control-Allow-Methods", state.Method)
		return failure{kind: methodNotListed, text: text, value: state.Method}
	}
	if state.Header["Authorization"] != nil && !containsFold(headerNames, "Authorization") { // step 7.6
		text := "header Authorization is not in Access-Control-Allow-Headers"
		return failure{kind: headerNotListed, text: text, value: "Authorization"}
	}
	for _, name := range unsafeNames { // step 7.7
		if !containsFold(headerNames, name) && (state.Credentials == Include || !slices.Contains(headerNames, "*")) {
			name = http.CanonicalHeaderKey(name)
			text := fmt.Sprintf("header %s is not in Access-Control-Allow-Headers", name)
			return failure{kind: headerNotListed, text: text, value: name}
		}
	}
	b.store(state, b.maxAge(res.Header), methods, headerNames) // steps 7.8 to 7.15
	return failure{}
}

// corsCheck implements "CORS check" for a response with the header h.
func corsCheck(state *fetchState, h http.Header, response string) failure {
	lines := h["Access-Control-Allow-Origin"]
	allowed := strings.Join(lines, ", ")
	switch {
	case len(lines) == 0: // step 2
		return failure{kind: originMissing, text: response + " has no Access-Control-Allow-Origin"}
	case state.Credentials != Include && allowed == "*": // step 3
		return failure{}
	case allowed == "*":
		return failure{kind: originWildcard, text: response + " allows every origin, which is not enough for a request with credentials"}
	case allowed != state.serializedOrigin(): // step 4
		text := fmt.Sprintf("%s allows the origin %q, not %q", response, allowed, state.serializedOrigin())
		return failure{kind: originOther, text: text, value: allowed}
	case state.Credentials != Include: // step 5
		return failure{}
	case strings.Join(h["Access-Control-Allow-Credentials"], ", ") == "true": // steps 6 and 7
		return failure{}
	}
	return failure{kind: credentialsDenied, text: response + " does not allow credentials"}
}

func isRedirect(res *http.Response) bool {
	switch res.StatusCode {
	case 301, 302, 303, 307, 308:
		return len(res.Header["Location"]) > 0
	}
	return false
}

// redirect changes state for the request that follows the redirect res. It
// returns a failure if the browser does not follow it ("HTTP-redirect fetch").
func (state *fetchState) redirect(res *http.Response) failure {
	if state.Mode == WebSocket { // its redirect mode is "error"
		return failure{kind: handshakeRefused, text: "a WebSocket handshake does not follow redirects"}
	}
	locations := res.Header["Location"]
	if len(locations) > 1 { // "location URL", step 2
		return failure{text: "the redirect has several Location headers"}
	}
	next, err := state.url.Parse(locations[0])
	if err != nil || next.Scheme != "http" && next.Scheme != "https" || next.Host == "" { // steps 5 and 6
		return failure{text: "the redirect does not lead to an HTTP(S) URL"}
	}
	normalizeURL(next)
	if state.followed++; state.followed > 20 { // steps 7 and 8
		return failure{text: "there are more than 20 redirects"}
	}
	if next.User != nil && state.Mode == CORS && (state.tainting == "cors" || serializeOrigin(next) != state.origin) { // steps 9 and 10
		return failure{text: "the redirect leads to a URL with a user name or password"}
	}
	if res.StatusCode != 303 && state.StreamBody { // step 11
		return failure{text: "a body that is a ReadableStream cannot be sent again after a redirect"}
	}
	state.Header = state.Header.Clone()
	if res.StatusCode < 303 && state.Method == http.MethodPost ||
		res.StatusCode == 303 && state.Method != http.MethodGet && state.Method != http.MethodHead { // step 12
		state.Method, state.Body, state.StreamBody = http.MethodGet, "", false
		for _, name := range bodyHeaders {
			state.Header.Del(name)
		}
	}
	if current := serializeOrigin(state.url); serializeOrigin(next) != current {
		state.Header.Del("Authorization") // step 13
		if state.origin != current {
			state.tainted = true // "redirect-taint"
		}
	}
	state.url = next
	return failure{}
}

// bodyHeaders are the "request-body-header names".
var bodyHeaders = []string{"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"}

// updateSite updates the value of Sec-Fetch-Site, which depends on all URLs of
// a redirect chain (Fetch Metadata, "set the Sec-Fetch-Site header").
func (state *fetchState) updateSite() {
	if serializeOrigin(state.url) == state.origin {
		return
	}
	page, err := url.Parse(state.origin)
	if err != nil || page.Scheme != state.url.Scheme || page.Hostname() != state.url.Hostname() {
		state.site = "cross-site"
	} else if state.site == "same-origin" {
		state.site = "same-site"
	}
}

// normalizeURL makes the changes to an HTTP(S) URL that the URL parser of
// browsers makes, but [url.Parse] does not. The preflight cache compares such
// URLs.
func normalizeURL(u *url.URL) {
	if password, _ := u.User.Password(); u.User.Username() == "" && password == "" {
		u.User = nil // as in https://@a.example (URL, "authority state")
	}
	u.Host = strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		u.Host = strings.TrimSuffix(u.Host, ":80")
	case "https":
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	u.Host = strings.TrimSuffix(u.Host, ":")
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawQuery = encodeQuery(u.RawQuery)
}

// encodeQuery percent-encodes the bytes that a query cannot contain (URL,
// "query state").
func encodeQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c > '~' || strings.IndexByte(`"'<>`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// serializeOrigin returns the origin of a normalized URL.
func serializeOrigin(u *url.URL) string {
	return u.Scheme + "://" + u.Host
}

// isTrustworthy reports whether u is a potentially trustworthy URL (Secure
// Contexts, section 3.2).
func isTrustworthy(u *url.URL) bool {
	host := strings.TrimSuffix(u.Hostname(), ".")
	if u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
