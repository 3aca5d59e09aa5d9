// Package corstest is a browser as far as CORS goes, for tests of your own
// service: what a script's request makes a browser send, and what of the
// response it lets the script read.
//
// # When a browser asks first, and what it compares
//
// What an HTML form could send to another origin, a script may send as well:
// GET, HEAD or POST, with no headers but CORS-safelisted ones, and with a body
// of a form's content type. Before anything else (PUT, Authorization,
// Content-Type: application/json) the browser asks, with a preflight: OPTIONS to
// the same URL, without cookies and without the script's headers. It names the
// method in Access-Control-Request-Method and the headers that need permission
// in Access-Control-Request-Headers; [PreflightReasons] says why it asks. The
// actual request follows only if the answer
//
//   - has a status from 200 to 299, and so is no redirect;
//   - names the page's origin, byte for byte, in one Access-Control-Allow-Origin,
//     or has * there if the request is made without credentials;
//   - says Access-Control-Allow-Credentials: true if it is made with them;
//   - lists the method in Access-Control-Allow-Methods, case and all, unless it
//     is GET, HEAD or POST, and in Access-Control-Allow-Headers each header that
//     needs permission; * will do without credentials, though never for
//     Authorization.
//
// The answer serves for Access-Control-Max-Age seconds, or 5. The response to the
// actual request needs the same Access-Control-Allow-Origin and -Credentials, or
// the script cannot read it, though the server has acted. Of its headers, the
// script reads a few that are safelisted, such as Content-Type, and those that
// Access-Control-Expose-Headers lists.
//
// # How to use it
//
// A [Browser] with a Handler calls it directly: hand it the service as it is
// served, with router, authentication and all other middleware, for it is there
// that most CORS failures are made. Without one it talks to a real server.
// [Browser.Fetch] makes one request, and [Result.String] is the whole exchange
// for a test log. [Browser.Client] makes of an API client written in Go a script
// in a page.
//
// # What it leaves out
//
// The package follows the Fetch standard (https://fetch.spec.whatwg.org/) for
// requests that a script makes with fetch() in mode "cors", or with
// XMLHttpRequest. Comments name the algorithm and the step.
//
// Left out is what has no bearing on CORS: the HTTP cache, service workers,
// Content Security Policy, mixed content, bad ports, HTTP authentication, a
// cookie jar, and the Accept-Language, Referer and User-Agent that a browser
// adds. For want of a list of
// public suffixes, a site is a scheme and a host. Of a URL, only the host, the
// default port, the empty path and empty user information are normalized:
// domains are not converted to Punycode, and dot segments stay. A Handler's
// responses lack the Date and Content-Length that a server would add to them.
// XMLHttpRequest would drop the body of a GET request, which fetch() refuses;
// this package refuses it for both.
//
// # Where browsers differ
//
// The tests of this package hold it to what web-platform-tests assert under
// fetch/api/cors/, and those of internal/browsers to Chromium, Firefox and
// WebKit, in the same cases. These agree with it but for the following.
// All three let Authorization through where Access-Control-Allow-Headers is *;
// Chromium and Firefox ask before every such request. All three take a negative
// Access-Control-Max-Age for 0, where the standard's grammar makes it no number
// and so 5 seconds. Where a script listens to the progress of an upload, all
// three want PUT to be listed even if the answer has no list, and none wants POST
// to be. Firefox does not use * in its cache of preflights, and keeps none for
// hosts that are IP addresses. WebKit sends no Sec-Fetch-Site after a redirect to
// another server. Only Chromium sends a ReadableStream, and only over HTTP/2.
package corstest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Credentials is a request's credentials mode: whether cookies go with it, and
// whether the browser takes them into account in what it compares. Its zero
// value is the default of fetch().
type Credentials int

// The credentials modes. Of these, only Include sends cookies to other origins:
// it is what "with credentials" means.
const (
	SameOrigin Credentials = iota
	Omit
	Include
)

// Mode is the way in which a page makes a request. Its zero value is CORS.
//
// A page can send requests in the other modes to any server, without a
// preflight. It cannot read the responses, but the server may act on the
// requests.
type Mode int

const (
	// CORS is the mode of fetch() by default, and of XMLHttpRequest.
	CORS Mode = iota

	// NoCORS is the mode of fetch() with mode: "no-cors", of beacons, and of
	// images, scripts and style sheets without a crossorigin attribute. Elements
	// and beacons always include credentials; set Include for them. The method
	// must be GET, HEAD or POST. Headers that are not no-CORS-safelisted are
	// dropped, such as Authorization, and Content-Type: application/json.
	NoCORS

	// Navigate is the mode of links and forms. The method must be GET or POST.
	// A POST has Content-Type application/x-www-form-urlencoded unless Header
	// sets multipart/form-data or text/plain. Other headers are dropped. Cookies
	// are always sent, whatever the credentials mode.
	Navigate

	// WebSocket is the mode of the handshake that opens a WebSocket. The URL can
	// have the scheme ws, wss, http or https. Cookies are always sent. Header
	// can set Sec-WebSocket-Protocol; other headers are dropped.
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
	Method         string      // as the script writes it; empty is GET
	URL            string      // absolute
	Header         http.Header // what the script sets, in any case; forbidden headers are dropped
	Body           string      // a string, which the browser labels text/plain if Header has no Content-Type
	Mode           Mode        // how the page makes the request; zero is CORS
	Credentials    Credentials
	UploadListener bool // an XMLHttpRequest with a listener on its upload object
	StreamBody     bool // the body is a ReadableStream, without a Content-Type of its own
}

// A Result is what comes of a [Request].
type Result struct {
	// Via holds the exchanges that ended in a redirect, and their preflights,
	// oldest first.
	Via []Exchange

	// Preflight is nil if none was sent, because none was needed or its answer
	// was cached.
	Preflight *Exchange

	// Actual is nil if it was not sent, because of Blocked.
	Actual *Exchange

	// Blocked says why the script gets an error, and is empty if it may read
	// the response. A script is not told; to it, no answer at all is the same
	// error. [Result.Err] tells them apart.
	Blocked string

	// Advice says what on the server's side most likely causes Blocked, and
	// what to change. Where the script may read the response, it says why the
	// request was rejected, if that can be told, or names headers that are hidden
	// from it and that scripts often want. It is empty if there is nothing to say.
	Advice string

	// Status, Header and Body are what the script can read. They are zero if
	// it is blocked. They are also zero in the modes Navigate and NoCORS, because
	// the page reads nothing, unless a NoCORS request stays within the page's
	// origin. If a WebSocket was opened, Status is 101. Body ends where [Browser]
	// stopped reading.
	Status int
	Header http.Header
	Body   string

	page    string
	request Request // normalized, if it could be
	url     string  // of the last request
	err     error   // why there is no response, or not all of it; nil if CORS is the reason for Blocked
	failure failure
	denied  failure  // of the preflight, if a scan went on all the same
	notes   []string // what the browser left out of the request, for String
}

// An Exchange is a request as a server gets it, and its response.
type Exchange struct {
	Request *http.Request

	// Response is nil if there was none. Its Body is in memory, as far as it was
	// read, also where a script cannot read it.
	Response *http.Response

	body    string
	cut     error    // why body is not all, where that is the reader's doing
	err     error    // why there is no response, or not all of it
	reasons []string // for a preflight
}

// A Browser runs requests, and keeps a CORS-preflight cache between them. Its
// zero value talks to real servers. Its methods may be called concurrently, also
// by the Handler itself; its fields must not change meanwhile.
//
// It waits for a Handler for 10 seconds and for a real server for 30, and
// reads at most 1 MiB of a response's body. Where a response has begun by then,
// what there is of it counts. For the body of an answer to a preflight, which
// browsers do not read, it waits a second. The context of the request that a Handler gets
// ends with that, and writing any more is an error; a Handler that heeds
// neither keeps its goroutine. If a Handler panics, its response breaks off, as
// in a server of net/http.
type Browser struct {
	// Handler serves the requests to all URLs. It is called in a goroutine of
	// its own. It can flush. It can hijack the connection of a WebSocket's
	// handshake, which is closed once the response is there.
	Handler http.Handler

	// Transport sends the requests if Handler is nil. Nil stands for
	// [http.DefaultTransport]. Redirects are followed as a browser does.
	Transport http.RoundTripper

	// Cookie is the value of the Cookie header of requests with credentials.
	// If it is empty, none is sent. It belongs to the host of the URL that is
	// asked for: another, to which a redirect leads, does not get it.
	Cookie string

	// Now is the clock of the preflight cache. Nil stands for time.Now.
	Now func() time.Time

	// MaxAge is the limit that the browser imposes on Access-Control-Max-Age.
	// Zero stands for Firefox's 24 hours. Chromium's is 2 hours, WebKit's 10
	// minutes.
	MaxAge time.Duration

	scanning bool // sends only requests that change nothing, even if the preflight is denied

	mu    sync.Mutex // for cache; never held while a server runs
	cache []cacheEntry
}

// Fetch runs r as a page of the given origin does: its scheme, host
// and port as browsers write them, such as "https://a.example", or "null". What
// no browser writes, such as "https://a.example/", is refused. It may be called
// concurrently.
func (b *Browser) Fetch(page string, r Request) *Result {
	return b.fetch(context.Background(), page, r, false)
}

// Err returns nil if the script may read the response, the error of the
// transport or the handler's panic if a response did not come or broke off, and
// a [*BlockedError] otherwise.
func (r *Result) Err() error {
	switch {
	case r.Blocked == "":
		return nil
	case r.err != nil:
		return r.err
	}
	return &BlockedError{r}
}

// A BlockedError says that a browser keeps a response from a script, or does
// not send its request.
type BlockedError struct {
	Result *Result
}

// Error returns the reason, and after it the advice if there is any.
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
