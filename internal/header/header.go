// Package header knows the names that CORS is about: its own headers, which
// methods and headers a policy can list, as scripts can send or read them, and how
// headers list them.
package header

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The names are in canonical form, so that indexing an [http.Header] with them
// finds what Header.Get and Header.Set would.
const (
	Origin         = "Origin"
	SecFetchSite   = "Sec-Fetch-Site"
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

// Responses are those that the CORS protocol defines for responses.
var Responses = []string{
	AllowOrigin, AllowCredentials, AllowMethods, AllowHeaders, MaxAge, ExposeHeaders,
}

// FaultOfMethod returns why s, which is not "*", has no place in
// AllowedMethods, or "".
func FaultOfMethod(s string) string {
	if !isName(s) {
		return faultOfName(s, "PUT")
	}
	switch upper := strings.ToUpper(s); upper {
	case "CONNECT", "TRACE", "TRACK":
		return "browsers do not let scripts send this method; remove it"
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY": // RFC 9110, RFC 5789, RFC 10008
		if s != upper {
			return fmt.Sprintf("methods are case-sensitive; did you mean %q?", upper)
		}
	}
	return ""
}

// FaultOfRequestHeader returns why s, which is not "*", has no place in
// AllowedHeaders, or "".
func FaultOfRequestHeader(s string) string {
	if !isName(s) {
		return faultOfName(s, "X-Request-Id")
	}
	const forbidden = "browsers do not let scripts set this header; remove it"
	name := http.CanonicalHeaderKey(s)
	switch name {
	case "Cookie", "Cookie2":
		return "scripts cannot set cookies; remove this, and set AllowCredentials to let browsers send them"
	case "Accept-Charset", "Accept-Encoding", RequestHeaders, RequestMethod, "Connection", "Content-Length",
		"Date", "Dnt", "Expect", "Host", "Keep-Alive", Origin, "Referer", "Set-Cookie", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Via": // Fetch, "forbidden request-header"
		return forbidden
	}
	if strings.HasPrefix(name, "Sec-") || strings.HasPrefix(name, "Proxy-") {
		return forbidden
	}
	if slices.Contains(Responses, name) {
		return "is a response header of CORS, which no client sends; remove it"
	}
	return ""
}

// FaultOfResponseHeader returns why s has no place in ExposedHeaders, or "".
func FaultOfResponseHeader(s string, credentials bool) string {
	if s == "*" {
		if credentials {
			return `with AllowCredentials, browsers take "*" for the name of a header; list the names`
		}
		return ""
	}
	if !isName(s) {
		return faultOfName(s, "X-Total-Count")
	}
	switch http.CanonicalHeaderKey(s) {
	case "Set-Cookie", "Set-Cookie2":
		return "browsers never let scripts read this header; remove it"
	case Origin, RequestMethod, RequestHeaders:
		return "is a request header of CORS, which no response has; remove it"
	case AllowMethods, AllowHeaders, MaxAge:
		return "is in answers to preflights only, which scripts never see; remove it"
	}
	return ""
}

// isName reports whether s, which is not "*", is the name of a method or header.
// "*" in a name would be allowed, but is never meant.
func isName(s string) bool {
	return IsToken(s) && !strings.Contains(s, "*")
}

// faultOfName returns what is wrong with s, where isName refuses it, and what to
// write instead, such as example.
func faultOfName(s, example string) string {
	if trimmed := strings.TrimSpace(s); isName(trimmed) {
		return fmt.Sprintf("has white space around it; did you mean %q?", trimmed)
	}
	if strings.Contains(s, "*") {
		return `has a "*" within a name, where it means nothing; write "*" alone, or the names`
	}
	if strings.ContainsAny(s, ",; ") {
		return "is not one name; write each as an element of its own"
	}
	return fmt.Sprintf("is not a name; write one such as %q", example)
}

// Unique returns list without its duplicates. It changes list.
func Unique(list []string) []string {
	seen := make(map[string]struct{}, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		_, again := seen[s]
		seen[s] = struct{}{}
		return again
	})
}

// IsToken reports whether s is a token (RFC 9110, section 5.6.2), as the names
// of methods and headers are.
func IsToken(s string) bool {
	for i := range len(s) {
		if c := Lower(s[i]); (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// Lower returns c, in lower case if it is a letter of ASCII.
func Lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
