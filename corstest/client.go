package corstest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client returns an [http.Client] that behaves like a script in a page on the
// given origin. It shows whether an API client written in Go would work in a
// browser.
//
// The client drops forbidden headers, sends preflights and follows redirects.
// A response has only the headers that a script can read. If a browser would
// block the script, the client's error wraps a [*BlockedError]. A request's body
// is sent as bytes, so no Content-Type is added. User-Agent is dropped, because in
// a page the browser sets it. The credentials mode is Include if b has a Cookie,
// and SameOrigin otherwise.
//
// A response is read into memory before the client returns it. If it exceeds the
// limits of [Browser], reading its body ends with an error. Clients can be used
// concurrently.
func (b *Browser) Client(page string) *http.Client {
	return &http.Client{Transport: script{b, page}}
}

// A script is the transport of a client that [Browser.Client] returns.
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

// response returns the response to sent, as the script can read it.
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
