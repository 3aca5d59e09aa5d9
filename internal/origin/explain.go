package origin

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// explain says what is wrong with s, which is no pattern, and what to write
// instead.
func explain(s string) string {
	what, instead := fault(s)
	if mended := mend(s); mended != "" {
		instead = fmt.Sprintf("did you mean %q?", mended)
	}
	return what + "; " + instead
}

// fault returns the first thing that is wrong with s, and what to write instead
// in general.
func fault(s string) (what, instead string) {
	if s == "" {
		return "is empty", `write an origin such as "https://example.com", or remove it`
	}
	if strings.ContainsAny(s, ",;|") || strings.Count(s, "://") > 1 {
		return "is not one origin", "write each as an element of its own"
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c == ' ' || !unicode.IsPrint(c) }) {
		return "has white space or invisible characters in it", "remove them"
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII }) {
		return "has characters in it that are not ASCII", `write the host in Punycode, as in "https://xn--bcher-kva.example"`
	}

	scheme, authority, found := strings.Cut(s, "://")
	if !found {
		return "has no scheme", `write it out, as in "https://example.com"`
	}
	switch lower := strings.ToLower(scheme); {
	case lower == "file":
		return `is no origin, as pages from files have the origin "null"`, `serve the page over HTTP, for example from "http://localhost:8080"`
	case lower == "ws" || lower == "wss":
		return "is a WebSocket's address, but a handshake has the origin of its page", "write that"
	case isMisspelled(lower):
		return "has a scheme that nobody has", `write "https" or "http"`
	case lower != scheme:
		return "has upper case in it, where browsers write lower case", "write lower case"
	}

	isWeb := scheme == "http" || scheme == "https"
	portless, anyPort := strings.CutSuffix(authority, ":*")
	rest, subdomains := strings.CutPrefix(portless, "*.")
	host, port := cutPort(rest)
	hasPort := host != rest
	if isWeb && strings.Contains(host, "*") {
		return faultOfWildcard(host)
	}
	if strings.Contains(scheme+rest, "*") {
		return wildcardElsewhere, wildcardInstead
	}
	if strings.Contains(rest, "@") {
		return "has a user in it, which no origin has", "remove it"
	}
	if strings.ContainsAny(rest, `/?#\`) {
		return "has a path, a query or a fragment, which no origin has", "end after the host and port"
	}
	if (isWeb || subdomains) && strings.ToLower(rest) != rest {
		return "has upper case in it, where browsers write lower case", "write lower case"
	}
	if !isWeb && !isAppScheme(scheme) {
		return "has a scheme that is none", `write one such as "https"`
	}
	if hasPort && anyPort {
		return "has two ports", `write a number or "*"`
	}
	if hasPort && !isPort(port) {
		return "has a port that is none", "write a number from 1 to 65535 without leading zeros, or nothing"
	}
	if defaultPort(scheme) == port && hasPort {
		return "has its scheme's default port in it, which browsers leave out", "remove it"
	}
	if host == "" {
		return "has no host", `write one, as in "https://example.com"`
	}
	if address, ok := parse("http://" + host); ok && subdomains && (strings.HasPrefix(host, "[") || isIPv4(address.Host)) {
		return `has a "*" before an IP address, which has no subdomains`, "list the addresses"
	}
	return faultOfHost(host)
}

const (
	wildcardElsewhere = `has a "*" where it means nothing`
	wildcardInstead   = `write "*" alone, as the first label ("https://*.example.com"), between hyphens in it ("https://pr-*.example.com"), or as the port ("http://localhost:*")`
)

// faultOfWildcard returns what is wrong with the "*" in host, which is that of a
// page of http or https, without a "*." before it.
func faultOfWildcard(host string) (what, instead string) {
	if end := strings.IndexAny(host, `/?#\`); end >= 0 {
		host = host[:end]
	}
	label, domain, _ := strings.Cut(host, ".")
	before, after, found := strings.Cut(label, "*")
	switch {
	case host == "*":
		return `has a "*" for every host`, `write "*" alone, or decide in AllowOriginFunc`
	case strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]"), strings.Trim(host, "0123456789.*") == "" && strings.Trim(host, ".*") != "":
		return `has a "*" in an IP address`, "list the addresses"
	case found && domain == "":
		return `has no domain after its "*"`, `write one, as in "https://pr-*.example.com"`
	case before != "" && strings.Trim(before, "-") == "" || after != "" && strings.Trim(after, "-") == "":
		return `has hyphens alone before or after its "*"`, `write more there, as in "https://pr-*.example.com", or nothing`
	}
	return wildcardElsewhere, wildcardInstead
}

// faultOfHost returns what is wrong with host, which is all that can be wrong.
func faultOfHost(host string) (what, instead string) {
	if strings.HasPrefix(host, "[") && strings.Contains(host, ":") {
		return "has an IPv6 address that is not in canonical form", `write it as browsers do, as in "http://[2001:db8::1]", without a zone`
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if slices.Contains(labels, "") {
		return "has an empty label in its host", "remove the dot before or after it"
	}
	if isNumber(labels[len(labels)-1]) {
		return "has a number as its last label, but is no IPv4 address in canonical form", `write four decimal numbers, as in "http://192.0.2.1"`
	}
	if strings.ContainsFunc(host, func(c rune) bool { return c != '.' && !isLabelByte(byte(c)) }) {
		return "has characters in its host that browsers do not leave there", `write letters, digits, "-", "_" and ".", or an IPv6 address in brackets`
	}
	return "has a label of more than 63 bytes or a host of more than 253, which DNS has not", "write a shorter one"
}

// mend returns what s, which is no pattern, was probably meant to be, or the
// empty string.
func mend(s string) string {
	s = strings.Trim(s, "\"'<> \t\r\n\u200b\ufeff")
	if strings.EqualFold(s, "null") {
		return "null"
	}
	scheme, authority := guessScheme(s)
	if isMisspelled(scheme) {
		scheme = "http" + strings.Repeat("s", min(strings.Count(scheme, "s"), 1))
	}
	switch scheme {
	case "", "file":
		return ""
	case "http", "https":
		authority = strings.ToLower(authority)
	default:
		if strings.Contains(strings.TrimSuffix(authority, ":*"), "*") && isAppScheme(scheme) {
			return scheme + "://*"
		}
	}
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	if host, port := cutPort(authority); port == "" || port == defaultPort(scheme) {
		authority = host
	}
	if address, port, found := strings.Cut(authority, "]"); found {
		ip, _ := netip.ParseAddr(strings.TrimPrefix(address, "["))
		authority = "[" + ip.WithZone("").String() + "]" + port
	}
	mended := scheme + "://" + authority
	p, ok := parse(mended)
	if !ok || p.Host == "http" || p.Host == "https" { // a scheme twice
		return ""
	}
	return mended
}

// guessScheme cuts s after its scheme, in lower case, or after what was meant
// to be one. Without any it looks at the host. The scheme is empty if that
// tells nothing.
func guessScheme(s string) (scheme, rest string) {
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		switch scheme = strings.ToLower(scheme); scheme {
		case "ws":
			scheme = "http"
		case "wss":
			scheme = "https"
		}
		return scheme, rest
	}
	for _, scheme := range []string{"http", "https"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			after := s[len(scheme):]
			if rest := strings.TrimLeft(after, ":;/"); rest != after {
				return scheme, rest
			}
		}
	}
	rest = strings.TrimLeft(s, "/")
	host, port := cutPort(rest)
	switch {
	case port == "80" || Pattern{Host: strings.ToLower(host)}.IsLoopback():
		return "http", rest
	case !strings.ContainsAny(host, ".:"):
		return "", rest // more likely a word, such as "all", than a host
	}
	return "https", rest
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}
