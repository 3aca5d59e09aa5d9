// Package header has the names of the CORS headers. It also has the rules for
// methods and headers in a policy.
package header

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The names of headers are in canonical form, so they can index an
// [http.Header].
const (
	Origin         = "Origin"
	SecFetchSite   = "Sec-Fetch-Site"
	SecFetchMode   = "Sec-Fetch-Mode"
	Vary           = "Vary"
	RequestMethod  = "Access-Control-Request-Method"
	RequestHeaders = "Access-Control-Request-Headers"

	AllowOrigin      = "Access-Control-Allow-Origin"
	AllowCredentials = "Access-Control-Allow-Credentials"
	AllowMethods     = "Access-Control-Allow-Methods"
	AllowHeaders     = "Access-Control-Allow-Headers"
	MaxAge           = "Access-Control-Max-Age"
	ExposeHeaders    = "Access-Control-Expose-Headers"
)

// Responses lists the response headers of the CORS protocol.
var Responses = []string{
	AllowOrigin, AllowCredentials, AllowMethods, AllowHeaders, MaxAge, ExposeHeaders,
}

// methods are the methods of RFC 9110, RFC 5789 and RFC 10008 that scripts can
// use.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"}

// FaultOfMethod returns the reason why s, which is not "*", cannot be in
// AllowedMethods, or "".
func FaultOfMethod(s string) string {
	if !isName(s) {
		return faultOfName(s, "PUT", FaultOfMethod)
	}
	upper := strings.ToUpper(s)
	for _, method := range methods {
		if s == method {
			return ""
		}
		if upper == method {
			return fmt.Sprintf("is not uppercase, and methods are case-sensitive; did you mean %q?", method)
		}
	}
	for _, method := range methods {
		if isMisspelled(upper, method) {
			return fmt.Sprintf("is a misspelled method; did you mean %q?", method)
		}
	}
	return ""
}

// isMisspelled reports whether s is name with one letter missing or added, or
// with two letters swapped.
func isMisspelled(s, name string) bool {
	i := 0 // length of the common prefix
	for i < len(s) && i < len(name) && s[i] == name[i] {
		i++
	}
	a, b := s[i:], name[i:]
	switch len(a) - len(b) {
	case -1:
		return a == b[1:]
	case 1:
		return a[1:] == b
	case 0:
		return len(a) > 1 && a[0] == b[1] && a[1] == b[0] && a[2:] == b[2:]
	}
	return false
}

// IsForbiddenMethod reports whether s is a forbidden method (Fetch, "forbidden
// method"), which browsers do not let scripts use.
func IsForbiddenMethod(s string) bool {
	switch strings.ToUpper(s) {
	case "CONNECT", "TRACE", "TRACK":
		return true
	}
	return false
}

// FaultOfRequestHeader returns the reason why s, which is not "*", cannot be in
// AllowedHeaders, or "".
func FaultOfRequestHeader(s string) string {
	if !isName(s) {
		if mediaType, subtype, ok := strings.Cut(s, "/"); ok && IsToken(mediaType) && subtype != "" {
			return `is a value of Content-Type, not a name; did you mean "Content-Type"?`
		}
		return faultOfName(s, "X-Request-Id", FaultOfRequestHeader)
	}
	name := http.CanonicalHeaderKey(s)
	if name == "Cookie" || name == "Cookie2" {
		return "is a header that scripts cannot set; remove it, and set AllowCredentials to let browsers send cookies"
	}
	if hasForbiddenPrefix(name) && !IsForbiddenRequestHeader(name) {
		return "can never arrive, because scripts cannot set names that begin with Sec- or Proxy-; use another name"
	}
	return ""
}

// IsForbiddenRequestHeader reports whether s is a known forbidden
// request-header (Fetch, "forbidden request-header"). Browsers do not let
// scripts set it, so no preflight names it.
func IsForbiddenRequestHeader(s string) bool {
	name := http.CanonicalHeaderKey(s)
	switch name {
	case "Accept-Charset", "Accept-Encoding", RequestHeaders, RequestMethod, "Connection", "Content-Length",
		"Cookie", "Cookie2", "Date", "Dnt", "Expect", "Host", "Keep-Alive", Origin, "Referer", "Set-Cookie",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via",
		"Sec-Gpc", "Sec-Purpose", "Proxy-Authorization", "Proxy-Connection":
		return true
	}
	return strings.HasPrefix(name, "Sec-Fetch-") || strings.HasPrefix(name, "Sec-Ch-") || strings.HasPrefix(name, "Sec-Websocket-")
}

func hasForbiddenPrefix(name string) bool {
	return strings.HasPrefix(name, "Sec-") || strings.HasPrefix(name, "Proxy-")
}

// FaultOfResponseHeader returns the reason why s cannot be in ExposedHeaders,
// or "".
func FaultOfResponseHeader(s string, credentials bool) string {
	if s == "*" {
		if credentials {
			return `with AllowCredentials is literal in requests made with credentials; list the names, or set the header in your handler`
		}
		return ""
	}
	if !isName(s) {
		return faultOfName(s, "X-Total-Count", func(s string) string { return FaultOfResponseHeader(s, credentials) })
	}
	switch http.CanonicalHeaderKey(s) {
	case "Set-Cookie", "Set-Cookie2":
		return "is a header that browsers never let scripts read; remove it"
	}
	return ""
}

// isName reports whether s, which is not "*", is the name of a method or
// header. The grammar allows "*" in a name, but authors always mean a wildcard.
func isName(s string) bool {
	return IsToken(s) && !strings.Contains(s, "*")
}

// faultOfName returns the reason why s is not a name, and a fix. The fix can
// show the example, or suggest a name. If fault finds a fault in that name,
// faultOfName returns that fault instead.
func faultOfName(s, example string, fault func(string) string) string {
	if s == "" {
		return "is empty, as an unset environment variable is; remove it"
	}
	if trimmed := strings.TrimSpace(s); isName(trimmed) {
		return cmp.Or(fault(trimmed), fmt.Sprintf("has white space around it; did you mean %q?", trimmed))
	}
	if name, _, found := strings.Cut(s, ":"); found && isName(name) {
		return cmp.Or(fault(name), fmt.Sprintf("contains a value; did you mean %q?", name))
	}
	if strings.Contains(s, "*") {
		return `has a "*" within a name; write "*" alone, or the full names`
	}
	if strings.ContainsAny(s, ",; ") {
		return "is not a single name; write each name as a separate element"
	}
	return fmt.Sprintf("is not a valid name; write one such as %q", example)
}

// Unique removes duplicates from list in place, and returns it.
func Unique(list []string) []string {
	seen := make(map[string]struct{}, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		_, again := seen[s]
		seen[s] = struct{}{}
		return again
	})
}

// IsToken reports whether s is a token (RFC 9110, section 5.6.2). The names of
// methods and headers are tokens.
func IsToken(s string) bool {
	for i := range len(s) {
		if c := Lower(s[i]); (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// Lower returns c, in lowercase if it is an ASCII letter.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
