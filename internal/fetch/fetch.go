// Package fetch models the browser's side of CORS, as the Fetch standard
// (https://fetch.spec.whatwg.org/) states it, against an http.Handler.
package fetch

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Credentials is a request's credentials mode. Its zero value is the default
// of a script's fetch().
type Credentials int

// The credentials modes.
const (
	SameOrigin Credentials = iota
	Omit
	Include
)

// A Request is what a script asks its browser for.
type Request struct {
	Method         string      // as the script wrote it; empty is GET
	URL            string      // absolute
	Header         http.Header // what the script sets, in any case
	Body           string
	Credentials    Credentials
	UploadListener bool // an XMLHttpRequest with a listener on its upload object
	StreamBody     bool // the body is a ReadableStream
}

// A Browser is a user agent, with a preflight cache that is kept between
// requests. The zero value plus a Handler is ready for use.
type Browser struct {
	Handler http.Handler     // the server of every URL
	Now     func() time.Time // the preflight cache's clock; nil is time.Now
	Cookie  string           // the Cookie header of requests with credentials
}

// A Result is what came of a Request.
type Result struct {
	Preflight *Exchange   // nil if none was sent
	Actual    *Exchange   // nil if it was not sent
	Blocked   string      // why the script gets a network error; empty if it may read the response
	Status    int         // as the script sees it; 0 if blocked
	Header    http.Header // what the script may read; nil if blocked
	Body      string      // empty if blocked
}

// An Exchange is a request as the server got it, and its response.
type Exchange struct {
	Request  *http.Request
	Response *http.Response
}

// PreflightReasons says why a browser sends a preflight before a cross-origin
// r, in sentences for people. It is empty if the browser sends none.
func PreflightReasons(r Request) []string {
	return nil
}

// UnsafeHeaderNames returns the names of the headers in h that are not
// CORS-safelisted, in lower case and sorted.
func UnsafeHeaderNames(h http.Header) []string {
	return nil
}

// Fetch runs r for a page of the given origin, such as "https://a.example" or
// "null".
func (b *Browser) Fetch(origin string, r Request) Result {
	req := httptest.NewRequest(r.Method, r.URL, strings.NewReader(r.Body))
	req.Header = r.Header.Clone()
	req.Header.Set("Origin", origin)
	w := httptest.NewRecorder()
	b.Handler.ServeHTTP(w, req)
	res := w.Result()
	body, _ := io.ReadAll(res.Body)
	return Result{
		Actual: &Exchange{req, res},
		Status: res.StatusCode,
		Header: res.Header,
		Body:   string(body),
	}
}
