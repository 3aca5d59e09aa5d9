// Package corstest models a browser, for tests of how your service handles
// requests from web pages.
//
// # Quick start
//
// Pass your whole service to a [Browser], including its router and all
// middleware. Many CORS faults come from the order of these layers.
// [Browser.Fetch] makes one request from a page:
//
//	b := corstest.Browser{Handler: service}
//	result := b.Fetch("https://app.example.com", corstest.Request{Method: "PUT", URL: "https://api.example.com/items/1"})
//	if err := result.Err(); err != nil {
//		t.Error(result) // all requests and responses, and advice
//	}
//
// Without a Handler, a Browser sends its requests to real servers.
// [Browser.Client] returns an [http.Client] that behaves like a script in a page.
// [Browser.Scan] reports which other origins have the same access as the page.
//
// A Browser has no cookie jar and ignores the SameSite attribute of cookies: it
// sends [Browser].Cookie to the host of the URL with every request that includes
// credentials. See "Limits of the model" below.
//
// # Preflights
//
// A script can send some requests without a preflight: GET, HEAD or POST, with a
// body of one of the three types that HTML forms have, and with no headers except
// CORS-safelisted ones. The CORS-safelisted headers are Accept, Accept-Language,
// Content-Language, Content-Type and Range, with ordinary values.
//
// Before any other request (PUT, Authorization, Content-Type: application/json),
// the browser sends a preflight. It is an OPTIONS request to the same URL, without
// cookies and without the headers of the script. Access-Control-Request-Method is
// the method. Access-Control-Request-Headers lists the names of the headers that
// are not safelisted. [PreflightReasons] returns the reasons for a preflight.
//
// The browser sends the actual request only if the response to the preflight
// meets these conditions:
//
//   - Its status is from 200 to 299, so it is not a redirect.
//   - It has one Access-Control-Allow-Origin, which equals the page's origin,
//     byte for byte. If the request is made without credentials, * is enough.
//   - If the request is made with credentials, Access-Control-Allow-Credentials
//     is "true".
//   - Access-Control-Allow-Methods lists the method, in the same case. GET, HEAD
//     and POST need not be listed.
//   - Access-Control-Allow-Headers lists each header that is not safelisted.
//   - Without credentials, * is enough in both lists, except for Authorization.
//
// The browser reuses the preflight response for Access-Control-Max-Age seconds, or
// for 5 seconds if that header is absent.
//
// The response to the actual request needs the same Access-Control-Allow-Origin
// and Access-Control-Allow-Credentials. Otherwise, the script cannot read the
// response, although the server processed the request. The script can read a few
// safelisted headers, such as Content-Type, and the headers that
// Access-Control-Expose-Headers lists.
//
// # Requests without CORS
//
// Forms, links, images and WebSockets need no permission, so pages on all
// origins can send such requests to your service. [Request].Mode selects the
// kind of request. See [Mode].
//
// # Limits of the model
//
// The package follows the Fetch standard (https://fetch.spec.whatwg.org/) and,
// for links and forms, the HTML standard. Comments name the algorithm and the
// step. These parts of a browser are not modeled:
//
//   - the HTTP cache, service workers, Content Security Policy, mixed content,
//     bad ports and HTTP authentication;
//   - a cookie jar, the SameSite attribute of cookies, and storage access;
//   - Accept-Language, Referer, User-Agent and Sec-Fetch-User;
//   - referrer policies other than the default;
//   - public suffixes; the package treats two origins as one site only if they
//     have the same scheme and host;
//   - Punycode and dot segments in URLs; the package normalizes only the host,
//     the default port, an empty path, the query and empty user information;
//   - the Date and Content-Length headers that a server adds to a Handler's
//     response.
//
// For a GET request with a body, XMLHttpRequest drops the body, and fetch()
// reports an error. This package always blocks such a request.
//
// # Differences between browsers
//
// The tests compare this package with web-platform-tests, and with Chromium,
// Firefox and WebKit. It differs from at least one browser in these cases:
//
//   - For Authorization, this package requires an explicit entry in
//     Access-Control-Allow-Headers. All three browsers accept *, but Chromium and
//     Firefox then send a preflight before every such request.
//   - For a negative Access-Control-Max-Age, this package uses 5 seconds: in the
//     standard, the value is invalid. All three browsers use 0.
//   - If a script listens to upload progress and the response has no
//     Access-Control-Allow-Methods, this package accepts every method. All three
//     browsers require PUT in the list. None requires POST.
//   - This package uses * in its preflight cache, and caches preflights for IP
//     addresses. Firefox does neither.
//   - This package sends Sec-Fetch-Site after a redirect to another server.
//     WebKit does not.
//   - This package sends a ReadableStream over every version of HTTP. Of the
//     browsers, only Chromium sends one, and only over HTTP/2. Firefox sends a
//     string instead.
//   - This package and Chromium send WebSocket handshakes without Sec-Fetch-*.
//     Firefox and WebKit send these headers, as the standard requires.
//   - If a form's POST is redirected from the page's server to another with 307
//     or 308, this package and Firefox send the page's origin, as the standard
//     requires. Chromium and WebKit send Origin: null.
//   - This package does not follow redirects of WebSocket handshakes. WebKit
//     does.
//   - In mode no-cors without Include, this package sends no cookies after a
//     redirect back to the page's server. WebKit does.
package corstest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Credentials is the credentials mode of a request. It decides whether the
// request has cookies, and what the response must allow. The zero value is
// SameOrigin, which is the default of fetch().
type Credentials int

// The credentials modes. A request to another origin is made "with credentials"
// if its mode is Include.
const (
	SameOrigin Credentials = iota // sends cookies only to the page's origin
	Omit                          // sends no cookies
	Include                       // sends cookies to all origins
)

// String returns the name that the Fetch standard uses, such as "include".
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

// Mode is the way in which a page makes a request. The zero value is CORS.
//
// In the other modes, a page can send requests to all servers, without a
// preflight. Only the server can reject such requests. The page cannot read the
// responses, but if a WebSocket opens, the page can use it.
type Mode int

const (
	// CORS is the mode of fetch() by default, and of XMLHttpRequest.
	CORS Mode = iota

	// NoCORS is the mode of fetch() with mode: "no-cors", of images, scripts and
	// style sheets without a crossorigin attribute, and of beacons whose
	// Content-Type an HTML form can send. A JSON beacon has the mode CORS.
	// Elements and beacons always include credentials, so set Include for them.
	// The method must be GET, HEAD or POST. Headers that are not
	// no-CORS-safelisted are dropped, such as Authorization, and Content-Type:
	// application/json. POST requests have Origin.
	NoCORS

	// Navigate is the mode of links and forms. The method must be GET or POST.
	// A POST has Content-Type application/x-www-form-urlencoded unless Header
	// sets multipart/form-data or text/plain. It has Origin, which is null if an
	// https page posts to an http URL. Other headers are dropped. Cookies are
	// always sent, and Credentials is ignored.
	Navigate

	// WebSocket is the mode of the handshake that opens a WebSocket. The URL can
	// have the scheme ws, wss, http or https. Origin and cookies are always sent,
	// and Credentials is ignored. Header can set Sec-WebSocket-Protocol; other
	// headers are dropped. A response with status 101 opens the WebSocket; its
	// headers are not checked.
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

// A Request is a request that a page makes.
type Request struct {
	Method         string      // GET if empty
	URL            string      // absolute
	Header         http.Header // headers set by the script, in any case; forbidden ones are dropped
	Body           string      // sent as text/plain if Header has no Content-Type
	Mode           Mode        // CORS if zero
	Credentials    Credentials // SameOrigin if zero
	UploadListener bool        // an XMLHttpRequest whose upload object has a listener
	StreamBody     bool        // the body is a ReadableStream, which has no type
}

// A Result is the result of a [Request].
type Result struct {
	// Via lists the exchanges that ended in a redirect, and their preflights, the
	// oldest first.
	Via []Exchange

	// Preflight is nil if none was sent: either none was needed, or the response
	// to an earlier one was cached.
	Preflight *Exchange

	// Actual is nil if the request was not sent. Blocked is the reason.
	Actual *Exchange

	// Blocked is the reason why the script gets an error. It is empty if the
	// script can read the response, and also in the modes NoCORS and Navigate if
	// there was a response. A script cannot see the reason, and it cannot
	// distinguish a blocked response from a missing one. Result.Err distinguishes
	// them.
	Blocked string

	// Advice names the most likely cause of Blocked on the server's side, and
	// its fix. If the script is not blocked, Advice explains a rejection, or names
	// hidden headers that scripts often need. It can be empty.
	Advice string

	// Status, Header and Body are the parts of the response that the page can
	// read. They are zero if the script is blocked. In the modes NoCORS and
	// Navigate, they are also zero, unless a NoCORS request stays within the
	// page's origin.
	// If a WebSocket opened, Status is 101 and the others are zero. Body ends
	// where Browser stopped reading.
	Status int
	Header http.Header
	Body   string

	page    string
	request Request // normalized, unless it is invalid
	url     string  // of the last request
	err     error   // why the response is missing or incomplete; nil if CORS is the reason for Blocked
	failure failure
	denied  failure  // failure of the preflight, in a scan, which continues
	notes   []string // parts of the request that the browser left out, for String
}

// An Exchange is a request, as the server gets it, and its response.
type Exchange struct {
	Request *http.Request

	// Response is nil if there was none. Its Body is in memory, even if the
	// script cannot read it.
	Response *http.Response

	body    string
	cut     error    // why reading the body ended early
	err     error    // why the response is missing or incomplete
	reasons []string // for a preflight
}

// A Browser makes requests as a browser does, and has a preflight cache.
//
// Its zero value sends requests to real servers. Its methods can be called
// concurrently, even by the Handler itself. Do not change its fields while a
// method runs.
//
// A Browser reads at most 1 MiB of a body. It waits 10 seconds for a Handler, and
// 30 seconds for a real server. If a response began before the time limit, the
// Browser uses the part that arrived. It waits one second for the body of a
// preflight response, which browsers do not read. At the limit, the context of
// the Handler's request is canceled, and further writes return an error. A
// Handler that ignores both keeps running.
//
// If a Handler panics, its response ends early, as with the server of net/http.
type Browser struct {
	// Handler serves the requests to all URLs. It is called in a separate
	// goroutine. It can flush. It can hijack the connection of a WebSocket
	// handshake; the browser closes the connection after the response.
	Handler http.Handler

	// Transport sends the requests if Handler is nil. If both are nil,
	// http.DefaultTransport sends them. The Browser follows redirects itself.
	Transport http.RoundTripper

	// Cookie is the value of the Cookie header. It is sent to the host of the
	// URL with every request that includes credentials, but not to other hosts
	// after a redirect. If it is empty, requests have no cookies.
	Cookie string

	// Now is the clock of the preflight cache. If it is nil, time.Now is used.
	Now func() time.Time

	// MaxAge is the browser's limit for Access-Control-Max-Age. If it is zero,
	// the limit is Firefox's 24 hours. Chromium's limit is 2 hours, and WebKit's
	// is 10 minutes.
	MaxAge time.Duration

	scanning bool // for Scan: sends GET or HEAD as the actual request, even if the preflight fails

	mu    sync.Mutex // for cache; never held while a server runs
	cache []cacheEntry
}

// Fetch makes the request r from a page on the given origin.
//
// The origin is a scheme, a host and a port, as browsers write them, such as
// "https://a.example" or "http://localhost:3000", or it is "null". If no browser
// would send the origin, such as "https://a.example/", the Result is blocked.
func (b *Browser) Fetch(page string, r Request) *Result {
	return b.fetch(context.Background(), page, r, false)
}

// Err returns nil if the script is not blocked.
//
// If there was no response, or it was cut short, Err returns the error of the
// transport, or the Handler's panic. Otherwise, it returns a [*BlockedError].
func (r *Result) Err() error {
	switch {
	case r.Blocked == "":
		return nil
	case r.err != nil:
		return r.err
	}
	return &BlockedError{r}
}

// A BlockedError is the error for a request that the browser does not send, or
// for a response that the script cannot read.
type BlockedError struct {
	Result *Result
}

// Error returns the reason, followed by the advice.
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
