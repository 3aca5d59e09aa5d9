// Package corstest models a browser, to test how your service handles requests
// from web pages.
//
// # Quick start
//
// Pass your whole service to a [Browser], including its router and all
// middleware, because many CORS faults come from the order of these layers.
// [Browser.Fetch] makes one request from a page:
//
//	b := corstest.Browser{Handler: service}
//	result := b.Fetch("https://app.example.com", corstest.Request{
//		Method: "PUT",
//		URL:    "https://api.example.com/items/1",
//	})
//	if result.Err() != nil {
//		t.Error(result) // all requests and responses, and advice
//	}
//
// A Browser without a Handler sends its requests to real servers.
// [Browser.Client] returns an [http.Client] that behaves like a script in a
// page. [Browser.Scan] reports which other origins have the same access as the
// page.
//
// A Browser does not store cookies. It sends [Browser].Cookie with every
// request that includes credentials, and ignores the SameSite attribute.
//
// # Preflights
//
// A preflight asks the server whether it allows a request. A browser sends one
// before each request from a script to another origin, unless the request is
// simple. For example, the method PUT, the header Authorization, or the content
// type application/json requires a preflight. [PreflightReasons] returns all
// reasons why a request needs one. A request is simple if it meets these
// conditions:
//
//   - The method is GET, HEAD or POST.
//   - The script sets only CORS-safelisted headers.
//   - There is no upload listener or stream body. See [Request].
//
// The Fetch standard defines the CORS-safelisted headers:
//
//   - Content-Type, if it is application/x-www-form-urlencoded,
//     multipart/form-data or text/plain
//   - Accept, Accept-Language and Content-Language
//   - Range, if it is a single range with a start, such as bytes=0-99
//
// Even these are not safelisted if the value is longer than 128 bytes, or
// contains certain characters, such as quotation marks, parentheses or control
// characters. If all values together are longer than 1,024 bytes, none is
// safelisted.
//
// A preflight is an OPTIONS request to the same URL, without cookies and
// without the script's headers. Instead, Access-Control-Request-Method has the
// method of the actual request, and Access-Control-Request-Headers lists its
// headers that are not safelisted.
//
// The browser sends the actual request only if the response to the preflight
// meets these conditions:
//
//   - Its status is from 200 to 299. Browsers do not follow a redirect.
//   - Its Access-Control-Allow-Origin equals the page's origin, byte for byte.
//     For a request without credentials, it can also be *.
//   - For a request with credentials, Access-Control-Allow-Credentials is true.
//   - Access-Control-Allow-Methods lists the method, in the same case. GET,
//     HEAD and POST need not be listed.
//   - Access-Control-Allow-Headers lists every header that is not safelisted.
//   - For a request without credentials, both lists can also be *. Even then,
//     Authorization must be listed by name.
//
// The browser caches the response to a successful preflight for
// Access-Control-Max-Age seconds, or for 5 seconds if that header is absent.
// During that time, the page's requests to the same URL with the listed methods
// and headers need no further preflight.
//
// The response to the actual request must also meet the conditions for
// Access-Control-Allow-Origin and Access-Control-Allow-Credentials. Otherwise,
// the script gets an error, even though the server has already processed the
// request. If the response meets the conditions, the script can read the
// status, the body, and a few safelisted headers, such as Content-Type.
// Access-Control-Expose-Headers lists other headers that it can read.
//
// # Requests without CORS
//
// Forms, links, images and WebSockets need no permission: every page can send
// such requests to your service, and they can carry the user's cookies. To test
// how the service handles them, set [Request].Mode.
//
// # Limits of the model
//
// The package implements the Fetch standard (https://fetch.spec.whatwg.org/)
// and, for links and forms, the HTML standard. It does not model:
//
//   - the HTTP cache, service workers, Content Security Policy, mixed content,
//     blocked ports and HTTP authentication;
//   - stored cookies, the SameSite attribute, and storage access;
//   - the headers Accept-Language, Referer, User-Agent and Sec-Fetch-User;
//   - referrer policies other than the default;
//   - public suffixes;
//   - Punycode and dot segments in URLs;
//   - the Date and Content-Length headers that a server adds to a Handler's
//     response.
//
// Without public suffixes, the package cannot know which hosts are on the same
// site, so it sets Sec-Fetch-Site to same-site only if two origins have the
// same scheme and host, but different ports.
//
// In URLs, the package normalizes only the case of the host, the default port,
// an empty path, the query and empty user information.
//
// The package blocks a GET request with a body, as fetch() does, although
// XMLHttpRequest would send it without the body. It also blocks every request
// to a URL with a user name or a password, as fetch() does, although browsers
// follow a link to such a URL.
//
// # Differences from browsers
//
// The tests compare this package with web-platform-tests, and with Chromium,
// Firefox and WebKit. It differs from at least one browser in these cases:
//
//   - If the request has Authorization, and the response to its preflight
//     allows all headers with *, this package blocks the request. All three
//     browsers send it, but Chromium and Firefox repeat the preflight before
//     every such request.
//   - If Access-Control-Max-Age is negative, this package uses 5 seconds,
//     because the standard ignores invalid values. All three browsers use 0.
//   - If a script listens to upload progress, and the response to the preflight
//     has no Access-Control-Allow-Methods, this package allows every method,
//     because the standard does not require the list then. All three browsers
//     block PUT, but allow POST.
//   - After a preflight that allows all methods or headers with *, this package
//     sends no preflight for other methods or headers until the response
//     expires. Firefox sends one.
//   - If the server's host is an IP address, this package caches its preflight
//     responses, but Firefox does not.
//   - After a redirect to another server, this package sends Sec-Fetch-Site,
//     but WebKit does not.
//   - If the body is a ReadableStream, this package sends it over every version
//     of HTTP. Only Chromium sends such a body, and only over HTTP/2. Firefox
//     sends the text "[object ReadableStream]" instead.
//   - When a page opens a WebSocket, this package and Chromium send no
//     Sec-Fetch-* headers. Firefox and WebKit send them, as the standard
//     requires.
//   - If a status of 307 or 308 redirects a form's POST from the page's server
//     to another, this package and Firefox send the page's origin. The standard
//     requires that. Chromium and WebKit send Origin: null.
//   - If a WebSocket handshake is redirected, this package does not follow the
//     redirect, but WebKit does.
//   - If a request in mode no-cors with credentials "same-origin" is redirected
//     to another server and back to the page's, this package then sends no
//     cookies. WebKit sends them.
package corstest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Credentials is the credentials option of fetch(). It decides whether a
// request has cookies.
//
// The zero value is SameOrigin, the default of fetch(). A request to another
// origin is made with credentials only if the option is Include. The response
// must then have Access-Control-Allow-Credentials: true.
//
// In the Fetch standard, it is the "credentials mode" of a request.
type Credentials int

const (
	SameOrigin Credentials = iota // sends cookies only to the page's origin
	Omit                          // sends no cookies
	Include                       // sends cookies to all origins
)

// String returns the name that fetch() uses, such as "include".
func (c Credentials) String() string {
	switch c {
	case SameOrigin:
		return "same-origin"
	case Omit:
		return "omit"
	case Include:
		return "include"
	}
	return fmt.Sprintf("Credentials(%d)", int(c))
}

// Mode is the kind of request: from a script, an element, a link or form, or a
// WebSocket.
//
// The zero value is CORS. In the other modes, a page can send requests to every
// server, without a preflight. Only the server can reject such requests. The
// page cannot read cross-origin responses, except what an open WebSocket
// receives.
//
// In the Fetch standard, it is the "mode" of a request.
type Mode int

const (
	// CORS is the mode of XMLHttpRequest, and the default of fetch(). A request
	// has Origin if the server is on another origin, or if the method is not GET
	// or HEAD.
	CORS Mode = iota

	// NoCORS is the mode of fetch() with mode: "no-cors". It is also the mode
	// of images, scripts and style sheets without a crossorigin attribute, and
	// of beacons. If the Content-Type of a beacon is not safelisted, such as
	// application/json, the mode is CORS instead. Elements and beacons always
	// include credentials, so set Include for them.
	//
	// The method must be GET, HEAD or POST. The browser drops all headers
	// except Accept, Accept-Language, Content-Language and Content-Type with
	// safelisted values. A POST has Origin, which is null if an https page
	// sends it to an http URL. A GET or HEAD has no Origin, because storage
	// access is not modeled.
	NoCORS

	// Navigate is the mode of links, forms and frames. The method must be GET or
	// POST.
	//
	// The Content-Type of a POST is application/x-www-form-urlencoded, unless
	// Header sets multipart/form-data or text/plain. With any other Content-Type,
	// the request is blocked. Other headers are dropped. A POST has Origin, which
	// is null if an https page posts to an http URL. Cookies are always sent, and
	// Credentials is ignored.
	Navigate

	// WebSocket is the mode of the handshake that opens a WebSocket. The method
	// must be GET. The scheme of the URL can be ws, wss, http or https.
	//
	// Origin and cookies are always sent, and Credentials is ignored. Header
	// can set Sec-WebSocket-Protocol. Other headers are dropped. A response
	// with status 101 opens the WebSocket. Its headers are not checked.
	WebSocket
)

// String returns the name that the Fetch standard uses, such as "no-cors".
func (m Mode) String() string {
	switch m {
	case CORS:
		return "cors"
	case NoCORS:
		return "no-cors"
	case Navigate:
		return "navigate"
	case WebSocket:
		return "websocket"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// A Request is a request that a page makes. Fetch and Scan do not change it.
type Request struct {
	// Method is the method that the script sets. The default is GET. As in
	// fetch(), "put" becomes PUT, but "patch" does not become PATCH. The same
	// is true for DELETE, GET, HEAD, OPTIONS and POST.
	Method string

	// URL is an absolute http or https URL. A WebSocket can also use ws or wss.
	URL string

	// Header has the headers that the script sets, with names in any case. The
	// browser drops headers that scripts cannot set, such as Cookie and Origin.
	Header http.Header

	// Body is the body, or empty for none. It is sent as text/plain unless
	// Header or a form sets another Content-Type.
	Body string

	// Mode is the kind of request. The default is CORS.
	Mode Mode

	// Credentials decides whether cookies are sent. The default is SameOrigin.
	Credentials Credentials

	// UploadListener means that an XMLHttpRequest listens to upload progress.
	// If such a request is cross-origin, it always needs a preflight.
	UploadListener bool

	// StreamBody means that Body is sent as a ReadableStream, which has no
	// Content-Type. If such a request is cross-origin, it always needs a
	// preflight.
	StreamBody bool
}

// A Result is the result of a [Request]: the exchanges with the server, and the
// part of the response that the page can read.
//
// Its methods can be called concurrently.
type Result struct {
	// Via lists the exchanges up to and including the last redirect, in order,
	// with their preflights. It is empty if there was no redirect.
	Via []Exchange

	// Preflight is the preflight of the last request. It is nil if the request
	// needed no preflight, or if an earlier preflight was still cached.
	Preflight *Exchange

	// Actual is the last request. It is nil if the browser did not send it.
	// Blocked then contains the reason.
	Actual *Exchange

	// Blocked is the reason why the script gets an error. A real browser does
	// not tell the script the reason. Blocked is empty if the page can read the
	// response. It is also empty if the mode is NoCORS or Navigate and there
	// was a response.
	Blocked string

	// Advice names the most likely cause of Blocked and its fix. If nothing is
	// blocked, Advice can explain why the server rejected the request, or name
	// response headers that the script probably needs but cannot read. It is
	// empty if there is nothing to say.
	Advice string

	// Status, Header and Body are the parts of the response that the page can
	// read. They are zero if Blocked is not empty. They are also zero in mode
	// Navigate, and in mode NoCORS unless all URLs are on the page's origin. If
	// a WebSocket opened, only Status is set, to 101. Body ends at the limits
	// that Browser describes.
	Status int
	Header http.Header
	Body   string

	page    string
	request Request // normalized, unless it is invalid
	url     string  // URL of the last request
	err     error   // why the response is missing or incomplete; nil if CORS is the reason for Blocked
	failure failure
	denied  failure  // failure of the preflight; a scan continues after it
	notes   []string // parts of the request that the browser dropped, for String
}

// An Exchange is one request to the server, and its response.
type Exchange struct {
	// Request is the request as a handler gets it. Its Body has not been read.
	Request *http.Request

	// Response is the response, or nil if there was none. It includes the parts
	// that the script cannot read. Its Body is in memory.
	Response *http.Response

	body    string
	cut     error    // why reading the body ended early
	err     error    // why the response is missing or incomplete
	reasons []string // reasons for a preflight; nil for other requests
}

// A Browser makes requests as a real browser does, and caches preflights.
//
// The zero value sends requests to real servers. Do not copy a Browser after
// its first use. Its methods can be called concurrently, even by the Handler
// itself. Do not change its fields while a method runs.
//
// A Handler must respond within 10 seconds, and a real server within 30
// seconds. At the limit, the context of the Handler's request is canceled, and
// its writes return an error. If the response began in time, the Browser uses
// the part that arrived.
//
// At most 1 MiB of a body is read. Browsers ignore the body of a preflight
// response, so the Browser waits at most one second for it.
//
// If a Handler panics, its response is cut short, as with the server of
// net/http.
type Browser struct {
	// Handler serves all requests, regardless of their URL. Each call runs in
	// its own goroutine. The ResponseWriter implements http.Flusher and, for a
	// WebSocket handshake, http.Hijacker. The browser closes a hijacked
	// connection after the response.
	Handler http.Handler

	// Transport sends the requests if Handler is nil. The default is
	// http.DefaultTransport. The Browser follows redirects itself.
	Transport http.RoundTripper

	// Cookie is the value of the Cookie header, such as "session=1". It is sent
	// with every request that includes credentials, but not to another host
	// after a redirect. If it is empty, no cookie is sent.
	Cookie string

	// Now is the clock of the preflight cache. The default is time.Now.
	Now func() time.Time

	// MaxAge is the longest time for which a preflight is cached, even if
	// Access-Control-Max-Age is longer. The default is 24 hours, as in Firefox.
	// The limit of Chromium is 2 hours, and of WebKit 10 minutes.
	MaxAge time.Duration

	scanning bool // for Scan: sends GET or HEAD as the actual request, even if the preflight fails

	mu    sync.Mutex // for cache; never held while a server runs
	cache []cacheEntry
}

// Fetch makes the request r from a page, and returns the result.
//
// The argument page is the origin of the page, as in the Origin header: a
// scheme, a host and an optional port, such as "https://app.example.com" or
// "http://localhost:3000". It can also be "null". If page or r is invalid,
// nothing is sent, and the Result's Blocked contains the reason.
//
// Fetch follows up to 20 redirects. It implements the algorithm "fetch" of the
// Fetch standard, and the CORS protocol and preflight cache that it uses.
func (b *Browser) Fetch(page string, r Request) *Result {
	return b.fetch(context.Background(), page, r, false)
}

// Err returns nil if r.Blocked is empty.
//
// If no response began in time, or if the connection or the Handler failed
// before the body ended, Err returns that error. Otherwise, it returns a
// [*BlockedError]. A body that ends early only because of a limit of [Browser]
// is not an error.
func (r *Result) Err() error {
	switch {
	case r.Blocked == "":
		return nil
	case r.err != nil:
		return r.err
	}
	return &BlockedError{r}
}

// A BlockedError reports that a browser would not send a request, or would hide
// its response from the page.
//
// [Result.Err] returns it, and the errors of a [Browser.Client] wrap it.
type BlockedError struct {
	Result *Result // never nil
}

// Error returns the request, the reason and the advice.
func (e *BlockedError) Error() string {
	r := e.Result
	text := fmt.Sprintf("%s %s from %s: %s", r.request.Method, r.request.URL, r.page, r.Blocked)
	if r.Advice != "" {
		text += ". " + r.Advice
	}
	return text
}

var (
	errTooLong = errors.New("corstest: the body is longer than 1 MiB")
	errTooLate = errors.New("corstest: the response took too long")
)
