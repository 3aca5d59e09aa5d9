package cors

import (
	"net/http"
	"slices"
	"strings"

	"github.com/f407da42/cors/internal/header"
)

// answerPreflight answers r, a preflight from an allowed origin, with the
// policy's own lists, in full and whatever it asks for: the browser compares
// (Fetch, "CORS-preflight fetch", step 7), caches all that is listed, and names
// the culprit in its console. So what the client asks for need not even be read.
//
// The exception is a policy that allows any method or any request header
// together with credentials. Browsers then take "*" for a name like any other,
// so what is asked for is listed as well.
func (c *compiled) answerPreflight(w http.ResponseWriter, r *http.Request, allowOrigin string) {
	var methods, headers, vary []string
	n := 1 + len(c.preflightLines)
	if c.echoMethod {
		methods = c.methodToEcho(r.Header[header.RequestMethod])
		n += len(c.methodsBeforeEcho) + len(methods)
	}
	if c.echoHeaders {
		headers = c.headersToEcho(r.Header[header.RequestHeaders])
		n += len(c.headersBeforeEcho) + len(headers)
	}
	h := w.Header()
	if !c.anyOrigin {
		vary = h[header.Vary]
		n += 1 + len(vary)
	}

	v := newValues(n)
	h[header.AllowOrigin], v = v.take(allowOrigin)
	for _, l := range c.preflightLines {
		h[l.name], v = v.take(l.value)
	}
	if len(c.methodsBeforeEcho)+len(methods) > 0 {
		h[header.AllowMethods], v = v.takeLines(c.methodsBeforeEcho, methods)
	}
	if len(c.headersBeforeEcho)+len(headers) > 0 {
		h[header.AllowHeaders], v = v.takeLines(c.headersBeforeEcho, headers)
	}
	if !c.anyOrigin {
		h[header.Vary], _ = v.takeVary(vary, c.preflightVary)
	}
	w.WriteHeader(http.StatusNoContent)
}

// values is the one allocation of a response with several. The values of headers are
// taken from it one after the other, each capped where it ends, so that no two responses
// share memory and appending to one header's values never reaches another's. Where
// more are taken than there is room for, append allocates.
type values []string

// newValues returns values with room for n. To allocate what the compiler knows the
// size of takes less time than to make a slice.
func newValues(n int) values {
	switch n {
	case 1:
		return new([1]string)[:0]
	case 2:
		return new([2]string)[:0]
	case 3:
		return new([3]string)[:0]
	case 4:
		return new([4]string)[:0]
	case 5:
		return new([5]string)[:0]
	case 6:
		return new([6]string)[:0]
	}
	return make(values, 0, n)
}

func (v values) take(s string) (taken []string, after values) {
	n := len(v)
	v = append(v, s)
	return v[n : n+1 : n+1], v
}

// takeLines takes copies of lines and of more.
func (v values) takeLines(lines, more []string) (taken []string, after values) {
	n := len(v)
	v = append(append(v, lines...), more...)
	return v[n:len(v):len(v)], v
}

// takeVary takes the lines of Vary that were there before, and names.
func (v values) takeVary(before []string, names string) (taken []string, after values) {
	if len(before) == 0 {
		return v.take(names)
	}
	return v.takeLines(before, []string{names})
}

// maxLines is how many lines of request headers are echoed. Browsers send one.
const maxLines = 64

// methodToEcho returns lines, which ask for a method, if that is one and the
// policy does not list it anyway.
func (c *compiled) methodToEcho(lines []string) []string {
	if len(lines) != 1 || !c.allowsMethod(lines[0]) {
		return nil
	}
	if _, listed := c.methods[lines[0]]; listed {
		return nil
	}
	return lines
}

// headersToEcho returns lines, which ask for request headers, if they are within
// bounds and hold header names and nothing else.
func (c *compiled) headersToEcho(lines []string) []string {
	if _, _, ok := c.withinBounds(lines); !ok || !slices.ContainsFunc(lines, func(line string) bool { return line != "" }) {
		return nil
	}
	for _, line := range lines {
		if c.notAllowed(line) != "" {
			return nil
		}
	}
	return lines
}

// checkPreflight does what a browser does with the answer to r, a preflight
// from an allowed origin, and returns what it stops at, or nil (Fetch,
// "CORS-preflight fetch", steps 7.5 to 7.7). What is too long for any browser to
// send counts as not allowed.
func (c *compiled) checkPreflight(r *http.Request) *RequestError {
	if lines := r.Header[header.RequestMethod]; len(lines) != 1 || !c.allowsMethod(lines[0]) {
		return &RequestError{Preflight: true, Field: header.RequestMethod, Value: clip(lines)}
	}
	lines := r.Header[header.RequestHeaders]
	whole, part, ok := c.withinBounds(lines)
	for _, line := range whole {
		if name := c.notAllowed(line); name != "" {
			return &RequestError{Preflight: true, Field: header.RequestHeaders, Value: clip([]string{name})}
		}
	}
	if name := c.notAllowed(part); name != "" {
		return &RequestError{Preflight: true, Field: header.RequestHeaders, Value: clip([]string{name})}
	}
	if !ok {
		return &RequestError{Preflight: true, Field: header.RequestHeaders, Value: clip(lines), reason: "is the beginning of a list that is too long to be read"}
	}
	return nil
}

// withinBounds reports whether lines, which ask for request headers, are no
// longer than any list that the policy allows. If they are, it returns what of
// them is to be read: whole lines, and the names at the beginning of the next.
func (c *compiled) withinBounds(lines []string) (whole []string, part string, ok bool) {
	if c.echoHeaders && len(lines) > maxLines {
		return nil, "", false
	}
	room := c.maxRequestHeaders // less than none, if only what joins two lines is too much
	for i, line := range lines {
		if len(line) > room {
			end := strings.LastIndexByte(line[:max(room, 0)], ',')
			return lines[:i], line[:end+1], false
		}
		room -= len(line) + len(", ")
	}
	return lines, "", true
}

// notAllowed returns the first name in line that is not that of an allowed
// request header, or "".
func (c *compiled) notAllowed(line string) string {
	for name := range strings.SplitSeq(line, ",") {
		// Browsers send no white space and no empty elements, but RFC 9110,
		// section 5.6.1, lets intermediaries add them.
		name = strings.Trim(name, " \t")
		if name != "" && !c.allowsRequestHeader(name) {
			return name
		}
	}
	return ""
}

func (c *compiled) allowsMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true // CORS-safelisted methods
	}
	if len(method) > maxRead {
		return false
	}
	_, listed := c.methods[method]
	return listed || c.anyMethod && header.IsToken(method)
}

func (c *compiled) allowsRequestHeader(name string) bool {
	if _, listed := slices.BinarySearchFunc(c.requestHeaders, name, compareFold); listed {
		return true
	}
	if !c.anyRequestHeader || !header.IsToken(name) {
		return false
	}
	// "*" does not cover Authorization (Fetch, "CORS non-wildcard
	// request-header name"), but with credentials no "*" is sent: the name is.
	return c.echoHeaders || !strings.EqualFold(name, "Authorization")
}

// compareFold orders a, which is in lower case, and b as if b were, too.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if d := int(a[i]) - int(header.Lower(b[i])); d != 0 {
			return d
		}
	}
	return len(a) - len(b)
}

// clip returns a copy of the value of a header that should have one line. It is
// bounded, so that a hostile value cannot fill a log or keep memory in use.
func clip(lines []string) string {
	const most = 512
	if len(lines) == 0 {
		return "" // AllowOriginFunc has removed the header
	}
	first := lines[0][:min(len(lines[0]), most)]
	if len(lines) == 1 {
		return strings.Clone(first)
	}
	both := first + ", " + lines[1][:min(len(lines[1]), most)]
	return both[:min(len(both), most)]
}
