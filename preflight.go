package cors

import (
	"net/http"
	"slices"
	"strings"
)

// answerPreflight answers a preflight from an allowed origin with the policy's
// own lists, in full and whatever it asks for: the browser compares (Fetch,
// "CORS-preflight fetch", step 7), caches all that is listed, and names the
// culprit in its console. So what the client asks for need not even be read.
//
// The exception is a policy that allows any method or any request header
// together with credentials. Browsers then take "*" for a name like any other,
// so what is asked for is listed as well.
func (c *compiled) answerPreflight(w http.ResponseWriter, r *http.Request, origin string) {
	var method, headers []string
	if c.echoMethod {
		method = c.methodToEcho(r)
	}
	if c.echoHeaders {
		headers = c.headersToEcho(r)
	}
	h := w.Header()
	var vary []string
	if !c.anyOrigin {
		vary = h[headerVary]
	}

	v := make(values, c.preflightValues+len(method)+len(headers)+len(vary))
	h[headerAllowOrigin] = v.take(origin)
	if c.policy.AllowCredentials {
		h[headerAllowCredentials] = v.take("true")
	}
	if c.allowMethods != "" {
		h[headerAllowMethods] = v.takeLines(nil, c.allowMethods, method)
	} else if len(method) > 0 {
		h[headerAllowMethods] = v.take(method[0])
	}
	if c.allowHeaders != "" {
		h[headerAllowHeaders] = v.takeLines(nil, c.allowHeaders, headers)
	} else if len(headers) > 0 {
		h[headerAllowHeaders] = v.takeLines(nil, headers[0], headers[1:])
	}
	if c.maxAge != "" {
		h[headerMaxAge] = v.take(c.maxAge)
	}
	if !c.anyOrigin {
		h[headerVary] = v.takeLines(vary, c.preflightVary, nil)
	}
	w.WriteHeader(http.StatusNoContent)
}

// What is read of a preflight where the policy does not itself say how much
// that can be: bytes, and header lines to echo. Browsers send one line.
const (
	maxRead  = 8 << 10
	maxLines = 64
)

// methodToEcho returns the method that r asks for, if it is one and the policy
// does not list it anyway.
func (c *compiled) methodToEcho(r *http.Request) []string {
	lines := r.Header[headerRequestMethod]
	if len(lines) != 1 || !c.allowsMethod(lines[0]) {
		return nil
	}
	if _, listed := c.methods[lines[0]]; listed {
		return nil
	}
	return lines
}

// headersToEcho returns the lines in which r asks for request headers, if they
// are within bounds and hold header names and nothing else.
func (c *compiled) headersToEcho(r *http.Request) []string {
	lines := r.Header[headerRequestHeaders]
	_, ok := c.checkRequestHeaders(lines)
	if !ok || !slices.ContainsFunc(lines, func(line string) bool { return line != "" }) {
		return nil
	}
	return lines
}

// checkPreflight does what a browser does with the answer to r, a preflight
// from an allowed origin, and returns what it stops at, or nil (Fetch,
// "CORS-preflight fetch", steps 7.5 to 7.7).
func (c *compiled) checkPreflight(r *http.Request) *RequestError {
	lines := r.Header[headerRequestMethod]
	if len(lines) > 1 || !c.allowsMethod(lines[0]) {
		return &RequestError{Preflight: true, Field: headerRequestMethod, Value: clip(lines)}
	}
	if culprit, ok := c.checkRequestHeaders(r.Header[headerRequestHeaders]); !ok {
		return &RequestError{Preflight: true, Field: headerRequestHeaders, Value: culprit}
	}
	return nil
}

// checkRequestHeaders reports whether the policy allows all the request headers
// that lines list. If not, it returns the first that it does not allow or, if
// lines are longer than any that it allows, their beginning. What is longer is
// not read.
func (c *compiled) checkRequestHeaders(lines []string) (culprit string, ok bool) {
	if c.echoHeaders && len(lines) > maxLines {
		return clip(lines), false
	}
	room := c.maxRequestHeaders + len(", ")
	for _, line := range lines {
		room -= len(", ") + len(line)
		if room < 0 {
			line = line[:max(0, len(line)+room)]
			line = line[:strings.LastIndexByte(line, ',')+1]
		}
		for name := range strings.SplitSeq(line, ",") {
			// Browsers send no white space and no empty elements, but RFC 9110,
			// section 5.6.1, lets intermediaries add them.
			name = strings.Trim(name, " \t")
			if name != "" && !c.allowsRequestHeader(name) {
				return clip([]string{name}), false
			}
		}
		if room < 0 {
			return clip(lines), false
		}
	}
	return "", true
}

func (c *compiled) allowsMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true // CORS-safelisted methods
	}
	if _, listed := c.methods[method]; listed {
		return true
	}
	return c.anyMethod && len(method) <= maxRead && isToken(method)
}

func (c *compiled) allowsRequestHeader(name string) bool {
	if _, listed := slices.BinarySearchFunc(c.requestHeaders, name, compareFold); listed {
		return true
	}
	if !c.anyRequestHeader || !isToken(name) {
		return false
	}
	// "*" does not cover Authorization (Fetch, "CORS non-wildcard
	// request-header name"), but with credentials no "*" is sent: the name is.
	return c.echoHeaders || !strings.EqualFold(name, "Authorization")
}

// compareFold orders a, which is in lower case, and b as if b were, too.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if d := int(a[i]) - int(lower(b[i])); d != 0 {
			return d
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2), as the names
// of methods and headers are.
func isToken(s string) bool {
	return s != "" && all(s, isTokenByte)
}

func isTokenByte(c byte) bool {
	return isAlphanumeric(lower(c)) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || isDigit(c)
}
