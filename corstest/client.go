package corstest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client returns an [http.Client] whose requests are made as by a script in a
// page of the given origin: for clients of an API that are written in Go, to
// see whether the same calls would work in a browser.
//
// Forbidden headers are dropped, preflights are sent, redirects are followed
// inside, and the response has only the headers that a script may read. Where a
// browser keeps it from the script, the client's error wraps a [*BlockedError].
// A request's body is sent as bytes: no Content-Type is added. User-Agent is
// dropped too, which clients set in Go and leave to the browser in a page. The
// credentials mode is Include if b has a Cookie, and SameOrigin otherwise.
//
// A response is whole in memory before the client returns it. Reading its body
// ends with an error if that was cut off at the limits of [Browser]. Any number
// of clients may be used concurrently.
func (b *Browser) Client(page string) *http.Client {
	return &http.Client{Transport: script{b, page}}
}

// A script makes the requests of a [Browser.Client].
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

// response returns what the script can read, in answer to sent.
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

// failing is the end of a body that is cut off.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
