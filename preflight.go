package cors

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/f407da42/cors/internal/header"
)

// respondToPreflight responds to r, a preflight from an allowed origin, with
// the policy's full lists, regardless of the method and headers that r asks
// for. The browser compares them (Fetch, "CORS-preflight fetch", step 7), caches
// all that are listed, and names in its console the one that is not.
//
// There is one exception. With credentials, browsers take "*" literally. The
// requested method or headers are then sent in place of a "*" in AllowedMethods
// or AllowedHeaders. Each is left out if checkPreflight finds a fault in it.
func (c *compiled) respondToPreflight(w http.ResponseWriter, r *http.Request, allowOrigin string) {
	var method string    // to echo; read first, in case OnReject changes r
	var headers []string // also to echo
	if c.policy.OnReject != nil || c.echoMethod || c.echoHeaders {
		methodErr, headersErr := c.checkPreflight(r)
		requested := firstValue(r.Header[header.RequestMethod])
		if _, listed := c.methods[requested]; c.echoMethod && methodErr == nil && !listed {
			method = requested // a listed method is already in preflightLines
		}
		if c.echoHeaders && headersErr == nil {
			headers = r.Header[header.RequestHeaders]
		}
		if err := cmp.Or(methodErr, headersErr); err != nil && c.policy.OnReject != nil {
			c.policy.OnReject(r, err)
		}
	}
	h := w.Header()
	setHeaders(h, allowOrigin, c.preflightLines, c.preflightVary)
	// setHeaders capped each slice, so append does not overwrite the next one.
	if method != "" {
		h[header.AllowMethods] = append(h[header.AllowMethods], method)
	}
	if hasNames := slices.ContainsFunc(headers, func(line string) bool { return line != "" }); hasNames {
		h[header.AllowHeaders] = append(h[header.AllowHeaders], headers...)
	}
	w.WriteHeader(http.StatusNoContent)
}

// checkPreflight checks r, a preflight from an allowed origin, as a browser
// checks the response to it (Fetch, "CORS-preflight fetch", steps 7.5 to 7.7).
// It returns an error for a method that is not allowed, and one for the first
// fault in the list of headers. The browser stops at the method first.
func (c *compiled) checkPreflight(r *http.Request) (methodErr, headersErr *RequestError) {
	if lines := r.Header[header.RequestMethod]; len(lines) != 1 || !c.allowsMethod(lines[0]) {
		methodErr = &RequestError{Preflight: true, Field: header.RequestMethod, Value: clip(lines...)}
	}
	return methodErr, c.checkRequestHeaders(r.Header[header.RequestHeaders])
}

// checkRequestHeaders checks lines, the values of
// Access-Control-Request-Headers. It returns an error for the first name that
// is not allowed, or for a list that is longer than maxRequestHeaders bytes. A
// list that is echoed can have at most 64 lines, because every line repeats the
// header's name in the response. Gateways can split a browser's one line.
func (c *compiled) checkRequestHeaders(lines []string) *RequestError {
	left := c.maxRequestHeaders + len(",") // the loop counts a comma after each name, even the last
	for i, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			left -= len(name) + len(",")
			if left < 0 || c.echoHeaders && i == 64 {
				return &RequestError{Preflight: true, Field: header.RequestHeaders, Value: clip(lines...), reason: "is the beginning of a list that is too long to be read"}
			}
			// Browsers send neither white space nor empty elements, but RFC
			// 9110, section 5.6.1, requires recipients to accept them.
			name = strings.Trim(name, " \t")
			if name != "" && !c.allowsRequestHeader(name) {
				return &RequestError{Preflight: true, Field: header.RequestHeaders, Value: clip(name)}
			}
		}
	}
	return nil
}

func (c *compiled) allowsMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true // CORS-safelisted methods
	}
	if len(method) > maxEcho { // too long to be looked up or echoed
		return false
	}
	_, listed := c.methods[method]
	return listed || c.anyMethod && header.IsToken(method)
}

func (c *compiled) allowsRequestHeader(name string) bool {
	// "*" does not cover Authorization (Fetch, "CORS non-wildcard
	// request-header name"). With credentials, the name itself is sent instead
	// of "*".
	if c.anyRequestHeader && header.IsToken(name) && (c.echoHeaders || !strings.EqualFold(name, "Authorization")) {
		return true
	}
	_, listed := slices.BinarySearchFunc(c.requestHeaders, name, compareFold)
	return listed
}

// compareFold compares a, which is lowercase, with b as if b were lowercase.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if d := int(a[i]) - int(header.Lower(b[i])); d != 0 {
			return d
		}
	}
	return len(a) - len(b)
}

// clip returns the first two of lines, joined with ", ". The lines are values of
// a header that browsers send once. The result is a copy of at most 512 bytes,
// so a hostile value cannot fill a log or keep memory in use. lines may be empty.
func clip(lines ...string) string {
	var b [512]byte
	n := 0
	for i, line := range lines[:min(len(lines), 2)] {
		if i > 0 {
			n += copy(b[n:], ", ")
		}
		n += copy(b[n:], line)
	}
	return string(b[:n])
}
