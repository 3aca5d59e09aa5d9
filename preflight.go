package cors

import (
	"net/http"
	"slices"
	"strings"

	"github.com/f407da42/cors/internal/header"
)

// respondToPreflight responds to r, a preflight from an allowed origin, with
// the policy's full lists, regardless of the method and headers that r asks
// for. The browser compares them (Fetch, "CORS-preflight fetch", step 7),
// caches all that are listed, and names the one that is not listed in its
// console. So the server does not need to read the names that a client sends.
//
// The exception is a policy with credentials that allows any method or any
// request header. Browsers then take "*" literally, so the requested names are
// also listed.
func (c *compiled) respondToPreflight(w http.ResponseWriter, r *http.Request, allowOrigin string) {
	if c.policy.OnReject != nil {
		if err := c.checkPreflight(r); err != nil {
			c.policy.OnReject(r, err)
		}
	}
	h := w.Header()
	setHeaders(h, allowOrigin, c.preflightLines, c.preflightVary)
	if c.echoMethod {
		echo(h, header.AllowMethods, c.methodToEcho(r.Header[header.RequestMethod]))
	}
	if c.echoHeaders {
		echo(h, header.AllowHeaders, c.headersToEcho(r.Header[header.RequestHeaders]))
	}
	w.WriteHeader(http.StatusNoContent)
}

// echo appends lines, which a preflight contained, to the header called name.
func echo(h http.Header, name string, lines []string) {
	if len(lines) > 0 {
		h[name] = append(slices.Clip(h[name]), lines...)
	}
}

// methodToEcho returns lines, the requested method, if the policy allows it
// without listing it.
func (c *compiled) methodToEcho(lines []string) []string {
	if len(lines) != 1 || !c.allowsMethod(lines[0]) {
		return nil
	}
	if _, listed := c.methods[lines[0]]; listed {
		return nil
	}
	return lines
}

// maxEchoedLines is the number of Access-Control-Request-Headers lines that are
// echoed. Browsers send one.
const maxEchoedLines = 64

// headersToEcho returns lines, the requested headers, if the policy allows all
// of them.
func (c *compiled) headersToEcho(lines []string) []string {
	notEmpty := func(line string) bool { return line != "" }
	if name, tooLong := c.firstNotAllowed(lines); name != "" || tooLong || !slices.ContainsFunc(lines, notEmpty) {
		return nil
	}
	return lines
}

// checkPreflight checks r, a preflight from an allowed origin, as a browser
// checks the response to it (Fetch, "CORS-preflight fetch", steps 7.5 to 7.7).
// It returns the method or header that the browser stops at, or nil. A list
// that is too long for a browser to send is not allowed.
func (c *compiled) checkPreflight(r *http.Request) *RequestError {
	if lines := r.Header[header.RequestMethod]; len(lines) != 1 || !c.allowsMethod(lines[0]) {
		return &RequestError{Preflight: true, Field: header.RequestMethod, Value: clip(lines...)}
	}
	lines := r.Header[header.RequestHeaders]
	switch name, tooLong := c.firstNotAllowed(lines); {
	case name != "":
		return &RequestError{Preflight: true, Field: header.RequestHeaders, Value: clip(name)}
	case tooLong:
		return &RequestError{Preflight: true, Field: header.RequestHeaders, Value: clip(lines...), reason: "is the beginning of a list that is too long to be read"}
	}
	return nil
}

// firstNotAllowed returns the first name in lines, which list requested
// headers, that the policy does not allow, or "". It reads at most
// c.maxRequestHeaders bytes, and tooLong reports whether lines have more.
func (c *compiled) firstNotAllowed(lines []string) (name string, tooLong bool) {
	left := c.maxRequestHeaders + len(",")
	for i, line := range lines {
		if c.echoHeaders && i == maxEchoedLines {
			return "", true
		}
		for name := range strings.SplitSeq(line[:min(len(line), left)], ",") {
			if left -= len(name) + len(","); left < 0 {
				return "", true // name may be cut off
			}
			// Browsers send neither white space nor empty elements, but RFC
			// 9110, section 5.6.1, lets intermediaries add them.
			name = strings.Trim(name, " \t")
			if name != "" && !c.allowsRequestHeader(name) {
				return name, false
			}
		}
	}
	return "", false
}

func (c *compiled) allowsMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true // CORS-safelisted methods
	}
	if len(method) > maxEcho {
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
	// request-header name"). With credentials, the name itself is sent instead
	// of "*".
	return c.echoHeaders || !strings.EqualFold(name, "Authorization")
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

// clip returns a copy of lines, the values of a header that should have one.
// The copy is bounded, so a hostile value cannot fill a log or keep memory in
// use. It is empty if AllowOriginFunc removed the header.
func clip(lines ...string) string {
	const most = 512
	if len(lines) == 0 {
		return ""
	}
	value := lines[0][:min(len(lines[0]), most)]
	if len(lines) == 1 {
		return strings.Clone(value)
	}
	both := value + ", " + lines[1][:min(len(lines[1]), most)]
	return both[:min(len(both), most)]
}
