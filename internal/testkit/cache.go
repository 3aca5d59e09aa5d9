package testkit

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// A SharedCache is an HTTP cache between a service and all of its clients. It
// stores each response to GET and HEAD forever, regardless of the status. It
// sends a stored response to every later request that has equal values for the
// headers in Vary (RFC 9111, section 4.1).
type SharedCache struct {
	Service    http.Handler
	IgnoreVary bool // shows the effect of a missing Vary
	Hits       int  // number of responses from the cache

	stored map[string][]stored
}

type stored struct {
	request  http.Header
	vary     []string
	response *httptest.ResponseRecorder
}

func (c *SharedCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		c.Service.ServeHTTP(w, r)
		return
	}
	key := r.Method + " " + r.Host + " " + r.URL.RequestURI()
	for _, s := range c.stored[key] {
		if !slices.ContainsFunc(s.vary, func(name string) bool {
			return name == "*" || strings.Join(s.request.Values(name), ", ") != strings.Join(r.Header.Values(name), ", ")
		}) {
			c.Hits++
			send(w, s.response)
			return
		}
	}
	s := stored{request: r.Header.Clone(), response: httptest.NewRecorder()}
	c.Service.ServeHTTP(s.response, r)
	if !c.IgnoreVary {
		for name := range strings.SplitSeq(strings.Join(s.response.Result().Header["Vary"], ","), ",") {
			if name = strings.TrimSpace(name); name != "" {
				s.vary = append(s.vary, name)
			}
		}
	}
	if c.stored == nil {
		c.stored = make(map[string][]stored)
	}
	c.stored[key] = append(c.stored[key], s)
	send(w, s.response)
}

func send(w http.ResponseWriter, response *httptest.ResponseRecorder) {
	for name, values := range response.Result().Header {
		w.Header()[name] = slices.Clone(values)
	}
	w.WriteHeader(response.Code)
	w.Write(response.Body.Bytes())
}
