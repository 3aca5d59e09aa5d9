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

// request is a request, with the state that the standard's algorithms need.
type request struct {
	Request  // normalized
	ctx      context.Context
	url      *url.URL
	host     string // host of the first URL, without its port; the cookie is for it
	origin   string // origin of the page
	tainting string // the response tainting: "basic", "cors" or "opaque"
	checked  bool   // whether any URL so far needed a preflight, cached or not
	tainted  bool   // whether the redirect-taint is other than "same-origin"
	site     string // the value of Sec-Fetch-Site
	followed int    // the redirect count
}

// A failure is the reason why a request fails, in a form that [advise] can
// distinguish. The zero value means that the request does not fail.
type failure struct {
	kind  failureKind
	text  string
	value string // the method or the name of the header that is not listed
}

type failureKind int

const (
	refused           failureKind = iota // the browser does not send the request
	unanswered                           // no response came
	originMissing                        // no Access-Control-Allow-Origin
	originWildcard                       // *, with credentials
	originOther                          // an origin other than the page's
	credentialsDenied                    // Access-Control-Allow-Credentials is not "true"
	statusNotOK                          // status of a preflight
	listMalformed                        // Access-Control-Allow-Methods or -Headers is malformed
	methodNotListed
	headerNotListed
	handshakeRefused // the response to a WebSocket's handshake is not 101
)

// fetch makes a request as a page does. If the body is bytes, it gets no
// Content-Type.
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
	q := &request{Request: r, ctx: ctx, url: u, host: u.Hostname(), origin: page, tainting: "basic", site: "same-origin"}
	for {
		res.Preflight, res.Actual = nil, nil
		res.failure = b.mainFetch(q, res)
		res.url = q.url.String()
		if res.failure == (failure{}) && isRedirect(res.Actual.Response) {
			res.failure = q.redirect(res.Actual.Response)
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
		res.read(q)
	}
	if res.failure != (failure{}) {
		res.Blocked = res.failure.text
		if q.checked {
			b.clearCache(q) // main fetch, step 12; also if only a URL before a redirect needed a preflight
		}
	}
	if note := b.withoutCookie(q); note != "" {
		res.notes = append(res.notes, note)
	}
	res.Advice = advise(res)
	return res
}

// read fills in the parts of the response that the script can read.
func (r *Result) read(q *request) {
	switch status := r.Actual.Response.StatusCode; {
	case q.Mode == WebSocket && status == http.StatusSwitchingProtocols:
		r.Status = status
		return
	case q.Mode == WebSocket:
		text := fmt.Sprintf("the response to the WebSocket handshake has status %d, not 101", status)
		r.failure = failure{kind: handshakeRefused, text: text}
		return
	case q.Mode == Navigate || q.tainting == "opaque":
		return
	}
	if r.Actual.err != nil && hasBody(q.Method, r.Actual.Response.StatusCode) {
		r.err = r.Actual.err
		r.failure = failure{kind: unanswered, text: "the response was cut short: " + firstLine(r.err)}
		return
	}
	r.Status = r.Actual.Response.StatusCode
	if q.tainting == "cors" {
		r.Header = corsFilter(r.Actual.Response.Header, q.Credentials)
	} else {
		r.Header = basicFilter(r.Actual.Response.Header)
	}
	if hasBody(q.Method, r.Status) {
		r.Body = r.Actual.body
	}
}

// hasBody reports whether a script can get a body from a response. Responses to
// HEAD and responses with a null body status have no body ("main fetch", step 22).
func hasBody(method string, status int) bool {
	switch status {
	case 101, 103, 204, 205, 304:
		return false
	}
	return method != http.MethodHead
}

// normalize returns r as the Request constructor and fetch() change it, or as
// links, forms and WebSockets do. The notes name the parts that are left out. If
// the page gets a TypeError instead, blocked is the reason.
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

// PreflightReasons returns the reasons why a browser sends a preflight before r.
//
// Each reason is one clause, such as "method PUT is not CORS-safelisted". The
// result is nil if r needs no preflight, and if no browser sends r at all. It
// assumes that r goes to an origin other than the page's: requests within an
// origin need no preflight.
func PreflightReasons(r Request) []string {
	r, _, blocked := r.normalize(false)
	if blocked != "" || r.Mode != CORS {
		return nil
	}
	return r.preflightReasons()
}

// preflightReasons is [PreflightReasons] for a normalized request (main fetch,
// step 12).
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
func (q *request) useCORSPreflight() bool {
	return q.UploadListener || q.StreamBody
}

// serializedOrigin implements "serializing a request origin".
func (q *request) serializedOrigin() string {
	if q.tainted {
		return "null"
	}
	return q.origin
}

// mainFetch implements "main fetch", steps 12 to 14. It stores the exchanges in
// res.
func (b *Browser) mainFetch(q *request, res *Result) failure {
	switch {
	case serializeOrigin(q.url) == q.origin && q.tainting == "basic", q.Mode == Navigate, q.Mode == WebSocket:
		return b.sendActual(q, res)
	case q.Mode == NoCORS:
		q.tainting = "opaque"
		return b.sendActual(q, res)
	}
	q.tainting = "cors"
	makePreflight := q.useCORSPreflight() || !isSafelistedMethod(q.Method) || len(unsafeHeaderNames(q.Header)) > 0
	if makePreflight {
		q.checked = true
	}
	return b.httpFetch(q, makePreflight, res)
}

// httpFetch implements "HTTP fetch", steps 4.1 to 4.4.
func (b *Browser) httpFetch(q *request, makePreflight bool, res *Result) failure {
	if makePreflight && !b.cached(q) {
		f := b.preflight(q, res)
		if f != (failure{}) && !b.scanning {
			return f
		}
		res.denied, res.err = f, nil
	}
	if f := b.sendActual(q, res); f != (failure{}) {
		return f
	}
	return corsCheck(q, res.Actual.Response.Header, "the response")
}

// sendActual sends the actual request q.
func (b *Browser) sendActual(q *request, res *Result) failure {
	if b.scanning {
		q.reduce(res.denied != (failure{}))
	}
	res.Actual = b.send(q)
	return res.unanswered(res.Actual, "there is no response: ")
}

// unanswered fails if ex has no response. A script gets a network error.
func (r *Result) unanswered(ex *Exchange, text string) failure {
	if ex.Response != nil {
		return failure{}
	}
	r.err = ex.err
	return failure{kind: unanswered, text: text + firstLine(ex.err)}
}

// firstLine returns the message of err, without the stack of a panic.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// cached reports whether the preflight cache makes a preflight unnecessary
// ("HTTP fetch", step 4.1).
func (b *Browser) cached(q *request) bool {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if (!isSafelistedMethod(q.Method) || q.useCORSPreflight()) && len(b.methodMatches(q, now, q.Method)) == 0 {
		return false
	}
	return !slices.ContainsFunc(unsafeHeaderNames(q.Header), func(name string) bool {
		return len(b.headerMatches(q, now, name)) == 0
	})
}

// preflight implements "CORS-preflight fetch". It fails if the browser does not
// send the actual request.
func (b *Browser) preflight(q *request, r *Result) failure {
	unsafeNames := unsafeHeaderNames(q.Header)
	header := http.Header{ // steps 2 to 5
		"Accept":                        {"*/*"},
		"Access-Control-Request-Method": {q.Method},
	}
	if len(unsafeNames) > 0 {
		header.Set("Access-Control-Request-Headers", strings.Join(unsafeNames, ","))
	}
	preflight := *q
	preflight.Request = Request{Method: http.MethodOptions, Header: header}
	r.Preflight = b.send(&preflight) // step 6
	r.Preflight.reasons = q.preflightReasons()
	if f := r.unanswered(r.Preflight, "there is no response to the preflight: "); f != (failure{}) {
		return f
	}

	res := r.Preflight.Response
	if f := corsCheck(q, res.Header, "the response to the preflight"); f != (failure{}) { // step 7
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
	if methods == nil && q.useCORSPreflight() { // step 7.4
		methods = []string{q.Method}
	}
	if !slices.Contains(methods, q.Method) && !isSafelistedMethod(q.Method) &&
		(q.Credentials == Include || !slices.Contains(methods, "*")) { // step 7.5
		text := fmt.Sprintf("method %s is not in Access-Control-Allow-Methods", q.Method)
		return failure{kind: methodNotListed, text: text, value: q.Method}
	}
	if q.Header["Authorization"] != nil && !containsFold(headerNames, "Authorization") { // step 7.6
		text := "header Authorization is not in Access-Control-Allow-Headers"
		return failure{kind: headerNotListed, text: text, value: "Authorization"}
	}
	for _, name := range unsafeNames { // step 7.7
		if !containsFold(headerNames, name) && (q.Credentials == Include || !slices.Contains(headerNames, "*")) {
			name = http.CanonicalHeaderKey(name)
			text := fmt.Sprintf("header %s is not in Access-Control-Allow-Headers", name)
			return failure{kind: headerNotListed, text: text, value: name}
		}
	}
	b.store(q, b.maxAge(res.Header), methods, headerNames) // steps 7.8 to 7.15
	return failure{}
}

// corsCheck implements "CORS check" for a response with the header h.
func corsCheck(q *request, h http.Header, response string) failure {
	lines := h["Access-Control-Allow-Origin"]
	allowed := strings.Join(lines, ", ")
	switch {
	case len(lines) == 0: // step 2
		return failure{kind: originMissing, text: response + " has no Access-Control-Allow-Origin"}
	case q.Credentials != Include && allowed == "*": // step 3
		return failure{}
	case allowed == "*":
		return failure{kind: originWildcard, text: response + " allows every origin, which is not enough for a request with credentials"}
	case allowed != q.serializedOrigin(): // step 4
		text := fmt.Sprintf("%s allows the origin %q, not %q", response, allowed, q.serializedOrigin())
		return failure{kind: originOther, text: text, value: allowed}
	case q.Credentials != Include: // step 5
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

// redirect changes q into the request that follows the redirect res. It fails if
// the browser does not follow it ("HTTP-redirect fetch").
func (q *request) redirect(res *http.Response) failure {
	if q.Mode == WebSocket { // its redirect mode is "error"
		return failure{kind: handshakeRefused, text: "a WebSocket handshake does not follow redirects"}
	}
	locations := res.Header["Location"]
	if len(locations) > 1 { // "location URL", step 2
		return failure{text: "the redirect has several Location headers"}
	}
	next, err := q.url.Parse(locations[0])
	if err != nil || next.Scheme != "http" && next.Scheme != "https" || next.Host == "" { // steps 5 and 6
		return failure{text: "the redirect does not lead to an HTTP(S) URL"}
	}
	normalizeURL(next)
	if q.followed++; q.followed > 20 { // steps 7 and 8
		return failure{text: "there are more than 20 redirects"}
	}
	if next.User != nil && q.Mode == CORS && (q.tainting == "cors" || serializeOrigin(next) != q.origin) { // steps 9 and 10
		return failure{text: "the redirect leads to a URL with a user name or password"}
	}
	if res.StatusCode != 303 && q.StreamBody { // step 11
		return failure{text: "a body that is a ReadableStream cannot be sent again after a redirect"}
	}
	q.Header = q.Header.Clone()
	if res.StatusCode < 303 && q.Method == http.MethodPost ||
		res.StatusCode == 303 && q.Method != http.MethodGet && q.Method != http.MethodHead { // step 12
		q.Method, q.Body, q.StreamBody = http.MethodGet, "", false
		for _, name := range bodyHeaders {
			q.Header.Del(name)
		}
	}
	if current := serializeOrigin(q.url); serializeOrigin(next) != current {
		q.Header.Del("Authorization") // step 13
		if q.origin != current {
			q.tainted = true // "redirect-taint"
		}
	}
	q.url = next
	return failure{}
}

// bodyHeaders are the "request-body-header names".
var bodyHeaders = []string{"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"}

// updateSite updates the value of Sec-Fetch-Site, which depends on all URLs of a
// redirect chain (Fetch Metadata, "set the Sec-Fetch-Site header").
func (q *request) updateSite() {
	if serializeOrigin(q.url) == q.origin {
		return
	}
	page, err := url.Parse(q.origin)
	if err != nil || page.Scheme != q.url.Scheme || page.Hostname() != q.url.Hostname() {
		q.site = "cross-site"
	} else if q.site == "same-origin" {
		q.site = "same-site"
	}
}

// normalizeURL makes the changes to an HTTP(S) URL that the URL parser of browsers
// makes, but [url.Parse] does not. The preflight cache compares such URLs.
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

// encodeQuery percent-encodes the bytes that a query cannot contain (URL, "query
// state").
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
