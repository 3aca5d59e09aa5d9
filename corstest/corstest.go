// Package corstest models the browser's side of CORS: what a script's request
// makes a browser send, and what of the response it lets the script read.
//
// It follows the Fetch standard (https://fetch.spec.whatwg.org/) for requests
// that a script makes with fetch() in mode "cors", or with XMLHttpRequest.
// Comments name the algorithm and the step. The server is an [http.Handler],
// called directly. Where real browsers do something else than the standard says,
// package browsers has it on record.
//
// Left out is what has no bearing on CORS: the HTTP cache, service workers,
// Content Security Policy, mixed content, bad ports, HTTP authentication, a
// cookie jar, the Accept-Language that a browser adds. For want of a list of
// public suffixes, a site is a scheme and a host. Of a URL, only the host, the
// default port and the empty path are normalized: domains are not converted to
// Punycode, and dot segments stay. Responses lack the Date and Content-Length
// that a server would add to them, and the first status is final, even 103.
// XMLHttpRequest would drop the body of a GET request, which fetch() refuses;
// this package refuses it for both.
package corstest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Credentials is a request's credentials mode. Its zero value is the default
// of fetch().
type Credentials int

// The credentials modes. Of these, only Include sends cookies to other origins.
const (
	SameOrigin Credentials = iota
	Omit
	Include
)

// A Request is what a script asks its browser for.
type Request struct {
	Method         string      // as the script writes it; empty is GET
	URL            string      // absolute
	Header         http.Header // what the script sets, in any case
	Body           string      // a string, which the browser labels text/plain if Header has no Content-Type
	Credentials    Credentials
	UploadListener bool // an XMLHttpRequest with a listener on its upload object
	StreamBody     bool // the body is a ReadableStream, without a Content-Type of its own
}

// A Result is what comes of a [Request].
type Result struct {
	Via       []Exchange  // those that ended in a redirect, and their preflights, oldest first
	Preflight *Exchange   // nil if none was sent, because none was needed or it was cached
	Actual    *Exchange   // nil if it was not sent, because of Blocked
	Blocked   string      // why the script gets an error; empty if it may read the response
	Status    int         // as the script sees it; 0 if blocked
	Header    http.Header // the response headers that the script may read; nil if blocked
	Body      string      // empty if blocked
}

// An Exchange is a request as a server gets it, and its whole response.
type Exchange struct {
	Request  *http.Request
	Response *http.Response
}

// A Browser runs requests, and keeps a CORS-preflight cache between them. The
// zero value with a Handler is ready for use. It must not be used concurrently.
type Browser struct {
	// Handler serves the requests to all URLs.
	Handler http.Handler

	// Cookie is the value of the Cookie header of requests with credentials.
	// If it is empty, none is sent.
	Cookie string

	// Now is the clock of the preflight cache. Nil stands for time.Now.
	Now func() time.Time

	// MaxAge is the limit that the browser imposes on Access-Control-Max-Age.
	// Zero stands for Firefox's 24 hours. Chromium's is 2 hours, WebKit's 10
	// minutes.
	MaxAge time.Duration

	cache []cacheEntry
}

// request is a request as the standard's algorithms see it.
type request struct {
	Request  // normalized
	url      *url.URL
	origin   string // of the page
	cors     bool   // whether the response tainting is "cors"; "basic" otherwise
	checked  bool   // whether a URL so far needed a preflight or its cached answer
	tainted  bool   // whether the redirect-taint is other than "same-origin"
	site     string // the value of Sec-Fetch-Site
	followed int    // the redirect count
}

// Fetch runs r for a page of the given origin, such as "https://a.example" or
// "null".
func (b *Browser) Fetch(origin string, r Request) *Result {
	res := b.fetch(origin, r)
	return &res
}

func (b *Browser) fetch(origin string, r Request) Result {
	r, blocked := r.normalize()
	if blocked != "" {
		return Result{Blocked: blocked}
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Result{Blocked: fmt.Sprintf("%q is not an absolute HTTP(S) URL", r.URL)}
	}
	if u.User != nil {
		// Request constructor, step 5.3.
		return Result{Blocked: "the URL has a user name or password in it"}
	}

	normalizeURL(u)
	q := &request{Request: r, url: u, origin: origin, site: "same-origin"}
	var via []Exchange
	for {
		res := b.mainFetch(q)
		res.Via = via
		if res.Blocked == "" {
			if !isRedirect(res.Actual.Response) {
				return res
			}
			if blocked := q.redirect(res.Actual.Response); blocked != "" {
				res = Result{Via: via, Preflight: res.Preflight, Actual: res.Actual, Blocked: blocked}
			}
		}
		if res.Blocked != "" {
			if q.checked {
				b.clearCache(q) // main fetch, step 12, also where that was before a redirect
			}
			return res
		}
		if res.Preflight != nil {
			via = append(via, *res.Preflight)
		}
		via = append(via, *res.Actual)
	}
}

// normalize does to r what the Request constructor and fetch() do, or says why
// they throw a TypeError.
func (r Request) normalize() (_ Request, blocked string) {
	// Request constructor, step 25.
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	upper := strings.ToUpper(r.Method)
	switch upper {
	case "CONNECT", "TRACE", "TRACK":
		return r, fmt.Sprintf("method %s is forbidden to scripts", r.Method)
	case "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT":
		r.Method = upper
	}
	if !isToken(r.Method) {
		return r, fmt.Sprintf("%q is not a method", r.Method)
	}

	// Request constructor, steps 33 to 37.
	header, blocked := scriptHeader(r.Header)
	if blocked != "" {
		return r, blocked
	}
	r.Header = header
	if r.Body != "" || r.StreamBody {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return r, fmt.Sprintf("a %s request cannot have a body", r.Method)
		}
		if !r.StreamBody && header["Content-Type"] == nil {
			header.Set("Content-Type", "text/plain;charset=UTF-8")
		}
	}

	// "fetch", step 12. This header counts in UnsafeHeaderNames like any other.
	if header["Accept"] == nil {
		header.Set("Accept", "*/*")
	}
	return r, ""
}

// PreflightReasons says why a browser sends a preflight before r, if it goes to
// another origin: one sentence for each reason. It is empty if the browser
// sends none, and for a request that no browser sends at all.
//
// They are the conditions of main fetch, step 12.
func PreflightReasons(r Request) []string {
	r, blocked := r.normalize()
	if blocked != "" {
		return nil
	}
	var reasons []string
	if !isSafelistedMethod(r.Method) {
		reasons = append(reasons, fmt.Sprintf("method %s is not CORS-safelisted", r.Method))
	}
	reasons = append(reasons, unsafeHeaderReasons(r.Header)...)
	if r.UploadListener {
		reasons = append(reasons, "the script listens to the progress of the upload")
	}
	if r.StreamBody {
		reasons = append(reasons, "the body is a ReadableStream")
	}
	return reasons
}

// useCORSPreflight is the use-CORS-preflight flag.
func (q *request) useCORSPreflight() bool {
	return q.UploadListener || q.StreamBody
}

// serializedOrigin is "serializing a request origin".
func (q *request) serializedOrigin() string {
	if q.tainted {
		return "null"
	}
	return q.origin
}

// mainFetch is "main fetch", steps 12 to 14.
func (b *Browser) mainFetch(q *request) Result {
	if serializeOrigin(q.url) == q.origin && !q.cors {
		actual := b.send(q)
		return Result{
			Actual: actual,
			Status: actual.Response.StatusCode,
			Header: basicFilter(actual.Response.Header),
			Body:   q.readBody(actual.Response),
		}
	}
	q.cors = true
	makePreflight := q.useCORSPreflight() || !isSafelistedMethod(q.Method) || len(UnsafeHeaderNames(q.Header)) > 0
	if makePreflight {
		q.checked = true
	}
	res := b.httpFetch(q, makePreflight)
	if res.Blocked != "" {
		return res
	}
	res.Status = res.Actual.Response.StatusCode
	res.Header = corsFilter(res.Actual.Response.Header, q.Credentials)
	res.Body = q.readBody(res.Actual.Response)
	return res
}

// httpFetch is "HTTP fetch", steps 4.1 to 4.4.
func (b *Browser) httpFetch(q *request, makePreflight bool) (res Result) {
	if makePreflight && !b.cached(q) {
		res.Preflight, res.Blocked = b.preflight(q)
		if res.Blocked != "" {
			return res
		}
	}
	res.Actual = b.send(q)
	if failure := corsCheck(q, res.Actual.Response.Header); failure != "" {
		res.Blocked = "the response " + failure
	}
	return res
}

// cached reports whether the preflight cache makes a preflight unnecessary
// ("HTTP fetch", step 4.1).
func (b *Browser) cached(q *request) bool {
	if (!isSafelistedMethod(q.Method) || q.useCORSPreflight()) && len(b.methodMatches(q, q.Method)) == 0 {
		return false
	}
	return !slices.ContainsFunc(UnsafeHeaderNames(q.Header), func(name string) bool {
		return len(b.headerMatches(q, name)) == 0
	})
}

// preflight is "CORS-preflight fetch". It returns why the request must not be
// sent, or the empty string.
func (b *Browser) preflight(q *request) (_ *Exchange, blocked string) {
	unsafeNames := UnsafeHeaderNames(q.Header)
	header := http.Header{ // steps 2 to 5
		"Accept":                        {"*/*"},
		"Access-Control-Request-Method": {q.Method},
	}
	if len(unsafeNames) > 0 {
		header.Set("Access-Control-Request-Headers", strings.Join(unsafeNames, ","))
	}
	preflight := *q
	preflight.Request = Request{Method: http.MethodOptions, Header: header}
	exchange := b.send(&preflight) // step 6

	res := exchange.Response
	if failure := corsCheck(q, res.Header); failure != "" { // step 7
		return exchange, "the response to the preflight " + failure
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return exchange, fmt.Sprintf("the response to the preflight has status %d, which is not in the range 200 to 299", res.StatusCode)
	}
	methods, ok := extractList(res.Header, "Access-Control-Allow-Methods") // step 7.1
	if !ok {
		return exchange, "Access-Control-Allow-Methods is not a list of methods"
	}
	headerNames, ok := extractList(res.Header, "Access-Control-Allow-Headers") // step 7.2
	if !ok {
		return exchange, "Access-Control-Allow-Headers is not a list of header names"
	}
	if methods == nil && q.useCORSPreflight() { // step 7.4
		methods = []string{q.Method}
	}
	if !slices.Contains(methods, q.Method) && !isSafelistedMethod(q.Method) &&
		(q.Credentials == Include || !slices.Contains(methods, "*")) { // step 7.5
		return exchange, fmt.Sprintf("method %s is not in Access-Control-Allow-Methods", q.Method)
	}
	if q.Header["Authorization"] != nil && !containsFold(headerNames, "Authorization") { // step 7.6
		return exchange, "header Authorization is not in Access-Control-Allow-Headers"
	}
	for _, name := range unsafeNames { // step 7.7
		if !containsFold(headerNames, name) && (q.Credentials == Include || !slices.Contains(headerNames, "*")) {
			return exchange, fmt.Sprintf("header %s is not in Access-Control-Allow-Headers", http.CanonicalHeaderKey(name))
		}
	}
	b.store(q, b.maxAge(res.Header), methods, headerNames) // steps 7.8 to 7.15
	return exchange, ""
}

// corsCheck is "CORS check". It returns what the headers of a response lack, in
// words that follow "the response", or the empty string.
func corsCheck(q *request, h http.Header) (failure string) {
	lines := h["Access-Control-Allow-Origin"]
	allowed := strings.Join(lines, ", ")
	switch {
	case len(lines) == 0: // step 2
		return "has no Access-Control-Allow-Origin"
	case q.Credentials != Include && allowed == "*": // step 3
		return ""
	case allowed == "*":
		return "allows any origin, which is not enough for a request with credentials"
	case allowed != q.serializedOrigin(): // step 4
		return fmt.Sprintf("allows the origin %q, not %q", allowed, q.serializedOrigin())
	case q.Credentials != Include: // step 5
		return ""
	case strings.Join(h["Access-Control-Allow-Credentials"], ", ") == "true": // steps 6 and 7
		return ""
	}
	return "does not allow credentials"
}

// send calls the handler with q as a server of net/http would, after
// "HTTP-network-or-cache fetch", step 8, has added the browser's own headers.
func (b *Browser) send(q *request) *Exchange {
	h := q.Header.Clone()
	if q.cors || q.Method != http.MethodGet && q.Method != http.MethodHead {
		h.Set("Origin", q.serializedOrigin()) // "append a request `Origin` header"
	}
	q.updateSite()
	if isTrustworthy(q.url) { // Fetch Metadata, "append the Fetch metadata headers for a request"
		h.Set("Sec-Fetch-Dest", "empty")
		h.Set("Sec-Fetch-Mode", "cors")
		h.Set("Sec-Fetch-Site", q.site)
	}
	if b.Cookie != "" && (q.Credentials == Include || q.Credentials == SameOrigin && !q.cors) {
		h.Set("Cookie", b.Cookie)
	}

	r := &http.Request{
		Method:        q.Method,
		URL:           &url.URL{Path: q.url.Path, RawPath: q.url.RawPath, RawQuery: q.url.RawQuery, ForceQuery: q.url.ForceQuery},
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        h,
		Body:          io.NopCloser(strings.NewReader(q.Body)),
		ContentLength: int64(len(q.Body)),
		Host:          q.url.Host,
		RequestURI:    q.url.RequestURI(),
		RemoteAddr:    "192.0.2.1:1234",
	}
	if q.StreamBody {
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	}
	if q.url.Scheme == "https" {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true, ServerName: q.url.Hostname()}
	}
	w := httptest.NewRecorder()
	b.Handler.ServeHTTP(w, r)
	res := w.Result()
	for _, values := range res.Header {
		for i, value := range values {
			values[i] = strings.Trim(value, "\t\n\r ") // as the server of net/http does
		}
	}
	return &Exchange{Request: r, Response: res}
}

// readBody returns the body of res, and leaves a copy of it there. A response
// to HEAD, or with a null body status, has none ("main fetch", step 22).
func (q *request) readBody(res *http.Response) string {
	var body strings.Builder
	io.Copy(&body, res.Body) // reads from memory
	res.Body = io.NopCloser(strings.NewReader(body.String()))
	switch res.StatusCode {
	case 101, 103, 204, 205, 304:
		return ""
	}
	if q.Method == http.MethodHead {
		return ""
	}
	return body.String()
}

func isRedirect(res *http.Response) bool {
	switch res.StatusCode {
	case 301, 302, 303, 307, 308:
		return len(res.Header["Location"]) > 0
	}
	return false
}

// redirect makes q the request that follows from res, or returns why it must
// not be sent ("HTTP-redirect fetch").
func (q *request) redirect(res *http.Response) (blocked string) {
	locations := res.Header["Location"]
	if len(locations) > 1 { // "location URL", step 2
		return "the redirect leads to several places"
	}
	next, err := q.url.Parse(locations[0])
	if err != nil || next.Scheme != "http" && next.Scheme != "https" || next.Host == "" { // steps 5 and 6
		return "the redirect does not lead to an HTTP(S) URL"
	}
	normalizeURL(next)
	if q.followed++; q.followed > 20 { // steps 7 and 8
		return "there are more than 20 redirects"
	}
	if next.User != nil && (q.cors || serializeOrigin(next) != q.origin) { // steps 9 and 10
		return "the redirect leads to a URL with a user name or password in it"
	}
	if res.StatusCode != 303 && q.StreamBody { // step 11
		return "a body that is a ReadableStream cannot be sent again after a redirect"
	}
	q.Header = q.Header.Clone()
	if res.StatusCode < 303 && q.Method == http.MethodPost ||
		res.StatusCode == 303 && q.Method != http.MethodGet && q.Method != http.MethodHead { // step 12
		q.Method, q.Body, q.StreamBody = http.MethodGet, "", false
		for _, name := range []string{"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"} {
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
	return ""
}

// updateSite takes q's URL into account for Sec-Fetch-Site, which tells of all
// the URLs that q has had (Fetch Metadata, "set the Sec-Fetch-Site header").
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

// normalizeURL does to an HTTP(S) URL what the URL parser of browsers does and
// [url.Parse] does not: many spellings are one URL to the preflight cache.
func normalizeURL(u *url.URL) {
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
