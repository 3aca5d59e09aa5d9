package corstest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client returns an [http.Client] that behaves like a script in a page.
//
// Use it to test whether an API client written in Go would work in a browser.
// The argument page is an origin, as for [Browser.Fetch]. All clients of one
// Browser share its preflight cache, and they can be used concurrently.
//
// The client sends preflights, follows redirects, and drops User-Agent and the
// headers that scripts cannot set. It sends a body as fetch() sends an
// ArrayBuffer, so it adds no Content-Type. Its credentials mode is [Include] if
// b.Cookie is not empty, and [SameOrigin] otherwise.
//
// If a browser would give the script an error, the client's error wraps the
// error that [Result.Err] returns. Otherwise, the response has only the headers
// that a script can read. Its body is already in memory. If the body exceeds
// the limits of [Browser], reading it ends with an error.
func (b *Browser) Client(page string) *http.Client {
	return &http.Client{Transport: script{b, page}}
}

// A script is the [http.RoundTripper] of a client that [Browser.Client]
// returns.
type script struct {
	browser *Browser
	page    string
}

func (s script) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("corstest: the request's body: %w", err)
		}
	}
	request := Request{Method: r.Method, URL: r.URL.String(), Header: r.Header.Clone(), Body: string(body)}
	request.Header.Del("User-Agent")
	if s.browser.Cookie != "" {
		request.Credentials = Include
	}
	res := s.browser.fetch(r.Context(), s.page, request, true)
	if err := res.Err(); err != nil {
		return nil, err
	}
	return res.response(r), nil
}

// response returns the part of the response to sent that the script can read.
func (r *Result) response(sent *http.Request) *http.Response {
	response := *r.Actual.Response
	response.Header = r.Header
	response.Trailer = nil
	response.Request = sent.WithContext(sent.Context())
	response.Request.Method = r.Actual.Request.Method
	response.Request.URL, _ = url.Parse(r.url)
	response.ContentLength = int64(len(r.Body))
	var body io.Reader = strings.NewReader(r.Body)
	if cut := r.Actual.cut; cut != nil {
		body = io.MultiReader(body, failing{cut})
		response.ContentLength = -1
	}
	response.Body = io.NopCloser(body)
	return &response
}

// failing is a reader that only returns an error. It ends an incomplete body.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
