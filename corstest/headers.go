package corstest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// isSafelistedMethod reports whether method is a CORS-safelisted method.
func isSafelistedMethod(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodPost
}

// scriptHeader returns the headers of r as the browser sends them ("fill" and
// "append" a Headers object). It drops forbidden headers, and headers that r.Mode
// does not allow. The notes name the dropped headers. Names are in canonical form,
// and white space around values is removed. If a name or value is malformed,
// blocked is the reason.
func (r *Request) scriptHeader() (_ http.Header, notes []string, blocked string) {
	filled := make(http.Header)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			value = strings.Trim(value, "\t\n\r ")
			if !isToken(name) {
				return nil, nil, fmt.Sprintf("%q is not a header name", name)
			}
			if strings.ContainsAny(value, "\x00\n\r") {
				return nil, nil, fmt.Sprintf("the value of header %s contains a line break or NUL", http.CanonicalHeaderKey(name))
			}
			if why := r.drops(filled, http.CanonicalHeaderKey(name), value); why != "" {
				notes = append(notes, fmt.Sprintf("header %s is left out: %s", http.CanonicalHeaderKey(name), why))
			} else {
				filled.Add(name, value)
			}
		}
	}
	return filled, slices.Compact(notes), ""
}

// isForbidden reports whether a header is a forbidden request-header.
func isForbidden(name, value string) bool {
	name = strings.ToLower(name)
	switch name {
	case "accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method",
		"connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin",
		"referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via":
		return true
	case "x-http-method", "x-http-method-override", "x-method-override":
		return slices.ContainsFunc(split(value), func(method string) bool {
			switch strings.ToUpper(method) {
			case "CONNECT", "TRACE", "TRACK":
				return true
			}
			return false
		})
	}
	return strings.HasPrefix(name, "proxy-") || strings.HasPrefix(name, "sec-")
}

// split implements "get, decode, and split" for one header value. It splits the
// value at commas outside quoted strings.
func split(value string) []string {
	var values []string
	start, quoted := 0, false
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] == '"':
			quoted = !quoted
		case value[i] == '\\' && quoted:
			i++
		case value[i] == ',' && !quoted:
			values = append(values, strings.Trim(value[start:i], "\t "))
			start = i + 1
		}
	}
	return append(values, strings.Trim(value[start:], "\t "))
}

// isSafelisted reports whether a header is a CORS-safelisted request-header.
func isSafelisted(name, value string) bool {
	if len(value) > 128 {
		return false
	}
	switch strings.ToLower(name) {
	case "accept":
		return !hasUnsafeByte(value)
	case "accept-language", "content-language":
		return languages.MatchString(value)
	case "content-type":
		if hasUnsafeByte(value) {
			return false
		}
		switch essence(value) {
		case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
			return true
		}
		return false
	case "range":
		// "Parse a single range header value", without white space and with a
		// start. The numbers can be too long for an int.
		m := singleRange.FindStringSubmatch(value)
		if m == nil {
			return false
		}
		first, last := strings.TrimLeft(m[1], "0"), strings.TrimLeft(m[2], "0")
		return m[2] == "" || len(first) < len(last) || len(first) == len(last) && first <= last
	}
	return false
}

// essence returns the type and subtype of a Content-Type ("parse a MIME type").
func essence(contentType string) string {
	essence, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.Trim(essence, "\t\n\r "))
}

var (
	languages   = regexp.MustCompile(`^[0-9A-Za-z *,\-.;=]*$`)
	singleRange = regexp.MustCompile(`^bytes=([0-9]+)-([0-9]*)$`)
)

// hasUnsafeByte reports whether value contains a CORS-unsafe request-header
// byte.
func hasUnsafeByte(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || strings.IndexByte("\"():<>?@[\\]{}\x7f", c) >= 0 {
			return true
		}
	}
	return false
}

// unsafeHeaderNames returns the CORS-unsafe request-header names of h, in
// lowercase and sorted.
func unsafeHeaderNames(h http.Header) []string {
	var unsafe, potentiallyUnsafe []string
	safelistValueSize := 0
	for name, values := range h {
		name = strings.ToLower(name)
		for _, value := range values {
			if !isSafelisted(name, value) {
				unsafe = append(unsafe, name)
			} else {
				potentiallyUnsafe = append(potentiallyUnsafe, name)
				safelistValueSize += len(value)
			}
		}
	}
	if safelistValueSize > 1024 {
		unsafe = append(unsafe, potentiallyUnsafe...)
	}
	slices.Sort(unsafe)
	return slices.Compact(unsafe)
}

// unsafeHeaderReasons explains why [unsafeHeaderNames] returns names. The names in
// h must be canonical.
func unsafeHeaderReasons(h http.Header) []string {
	var reasons []string
	size := 0
	for _, name := range slices.Sorted(maps.Keys(h)) {
		i := slices.IndexFunc(h[name], func(value string) bool { return !isSafelisted(name, value) })
		if i < 0 {
			size += len(strings.Join(h[name], ""))
			continue
		}
		switch name {
		case "Accept", "Accept-Language", "Content-Language", "Content-Type", "Range":
			if len(h[name][i]) > 128 {
				reasons = append(reasons, fmt.Sprintf("the value of header %s is longer than 128 bytes", name))
			} else {
				reasons = append(reasons, fmt.Sprintf("%s %s is not CORS-safelisted", name, h[name][i]))
			}
		default:
			reasons = append(reasons, fmt.Sprintf("header %s is not CORS-safelisted", name))
		}
	}
	if size > 1024 {
		reasons = append(reasons, "the values of the CORS-safelisted headers are together longer than 1024 bytes")
	}
	return reasons
}

// extractList implements "extract header list values" for a header whose value
// is a list of tokens (RFC 9110, section 5.6.1). If the header is absent, list is
// nil and ok is true.
func extractList(h http.Header, name string) (list []string, ok bool) {
	lines := h[name]
	if len(lines) == 0 {
		return nil, true
	}
	list = []string{}
	for item := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		item = strings.Trim(item, "\t ")
		if item == "" {
			continue // recipients ignore empty elements
		}
		if !isToken(item) {
			return nil, false
		}
		list = append(list, item)
	}
	return list, true
}

// basicFilter returns the headers of a basic filtered response.
func basicFilter(h http.Header) http.Header {
	h = h.Clone()
	h.Del("Set-Cookie") // the forbidden response-header names
	h.Del("Set-Cookie2")
	return h
}

// corsFilter returns the headers of a CORS filtered response. The list of exposed
// headers follows "main fetch", step 14.1.
func corsFilter(h http.Header, credentials Credentials) http.Header {
	exposed, _ := extractList(h, "Access-Control-Expose-Headers")
	all := credentials != Include && slices.Contains(exposed, "*")
	filtered := basicFilter(h)
	for name := range filtered {
		switch name {
		case "Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma":
			continue // the CORS-safelisted response-header names
		}
		if !all && !containsFold(exposed, name) {
			delete(filtered, name)
		}
	}
	return filtered
}

func containsFold(list []string, name string) bool {
	return slices.ContainsFunc(list, func(item string) bool { return strings.EqualFold(item, name) })
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return token.MatchString(s)
}

var token = regexp.MustCompile("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$")
