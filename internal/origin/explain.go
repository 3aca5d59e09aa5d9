package origin

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// explain returns a clause about s, which is not a pattern. The clause has the
// fault of s and a suggested fix. Its subject is s.
func explain(s string) string {
	what, instead := fault(s)
	if suggested := suggest(s); IsOpaque(suggested) {
		instead = fmt.Sprintf("did you mean %q with RiskNullOrigin?", suggested)
	} else if suggested != "" {
		instead = fmt.Sprintf("did you mean %q?", suggested)
	}
	return what + "; " + instead
}

// explainRegistry is like explain, for a pattern directly under a registry.
func (p Pattern) explainRegistry() string {
	what := fmt.Sprintf("allows names directly under %q, which others may be able to register", strings.TrimSuffix(p.Host, "."))
	suggested := p.Scheme + "://*." + strings.TrimLeft(p.tail, "-")
	if p.anyPort {
		suggested += ":*"
	}
	q, ok := parse(suggested)
	if _, public := q.PublicSuffix(nil); !ok || public || p.head != p.Scheme+"://" {
		return what + `; write your whole domain after the "*", as in "https://pr-*.example.com"`
	}
	return fmt.Sprintf("%s; did you mean %q?", what, suggested)
}

// fault returns the first fault of s, and a general hint on how to fix it.
func fault(s string) (what, instead string) {
	if s == "" {
		return "is empty, as an unset environment variable is", `write an origin such as "https://example.com", or remove the entry`
	}
	for _, scheme := range []string{"javascript:", "data:", "blob:", "about:"} {
		if strings.HasPrefix(strings.ToLower(s), scheme) {
			return "begins with " + scheme + ", so it is not an origin", "write the origin of the page that uses it"
		}
	}
	if strings.ContainsAny(strings.Replace(s, ";//", "://", 1), ",;|") || strings.Count(s, "://") > 1 {
		return "is not a single origin", "write each origin as a separate entry"
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c == ' ' || !unicode.IsPrint(c) }) {
		return "contains white space or an invisible character", "remove it"
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII }) {
		return "contains a character that is not ASCII", `write the host in Punycode, as in "https://xn--bcher-kva.example"`
	}

	scheme, authority, found := strings.Cut(s, "://")
	if !found {
		if lacksSlashes(s) {
			return `has no "//" after its scheme`, `add it, as in "https://example.com"`
		}
		return "has no scheme", `add it, as in "https://example.com"`
	}
	switch lower := strings.ToLower(scheme); {
	case lower == "file":
		return `has the scheme "file", but pages from files have the origin "null" or "file://"`, `serve the page over HTTP, for example from "http://localhost:8080"`
	case lower == "ws" || lower == "wss":
		return "is the address of a WebSocket, but a handshake has the origin of its page", "write the origins of the pages that open it"
	case isMisspelled(lower):
		return "has a misspelled scheme", `write "https" or "http"`
	case lower != scheme:
		return "has uppercase letters", "write it in lowercase, as browsers do"
	case !isWebScheme(scheme) && !isAppScheme(scheme) && !strings.Contains(scheme, "*"):
		return "has an invalid scheme", `write one such as "https"`
	}

	rest, anyPort := strings.CutSuffix(authority, ":*")
	rest, subdomains := strings.CutPrefix(rest, "*.")
	host, port := cutPort(rest)
	hasPort := host != rest
	label, domain, _ := strings.Cut(host, ".")
	prefix, suffix, within := strings.Cut(label, "*") // as in parse
	if within && !subdomains && domain != "" && isAffix(prefix, strings.HasSuffix) && isAffix(suffix, strings.HasPrefix) {
		host = prefix + "a" + suffix + "." + domain
		rest = host + strings.TrimPrefix(rest, label+"."+domain)
	}
	switch {
	case strings.Contains(scheme, "*"), subdomains && strings.Contains(beforePath(rest), "*"):
		return misplacedWildcard()
	case host == "*":
		return `has a port after its "*", which already allows every port`, "decide in AllowOriginFunc"
	case beforePath(host) == "*":
		return faultOfPath(host)
	case strings.Contains(rest, "@"):
		return "contains a user name", "remove it"
	case (isWebScheme(scheme) || strings.Contains(authority, "*")) && strings.ToLower(beforePath(rest)) != beforePath(rest):
		return "has uppercase letters", "write it in lowercase, as browsers do"
	case strings.Contains(scheme+beforePath(rest), "*"):
		return faultOfWildcard(host)
	case isWebScheme(scheme) && beforePath(host) == "":
		return "has no host", `add one, as in "https://example.com"`
	case beforePath(rest) != rest:
		return faultOfPath(rest)
	case hasPort && anyPort:
		return "has two ports", `write a number or "*"`
	case hasPort && !isPort(port):
		return "has an invalid port", "write a number from 1 to 65535 without leading zeros, or remove it"
	case hasPort && defaultPort(scheme) == port:
		return "has the default port of its scheme, which browsers leave out", "remove it"
	case host == "":
		return "has no host", `add one, as in "https://example.com"`
	case subdomains && isAddress(host):
		return `has a "*" before an IP address, which has no subdomains`, "remove it"
	}
	return faultOfHost(host)
}

// lacksSlashes reports whether s, which has no "://", probably begins with a
// scheme. In "localhost:3000", it is a host.
func lacksSlashes(s string) bool {
	name, rest, found := strings.Cut(strings.ToLower(s), ":")
	if isWebScheme(name) {
		return found
	}
	return rest != "" && (rest[0] == '/' || 'a' <= rest[0] && rest[0] <= 'z') &&
		all(name, isLabelByte) && name != "" && !isDigit(name[0])
}

// beforePath returns s without a path, a query or a fragment.
func beforePath(s string) string {
	if end := strings.IndexAny(s, `/?#\`); end >= 0 {
		return s[:end]
	}
	return s
}

// faultOfPath returns the fault of s, which has a path, a query or a fragment
// after its host and port.
func faultOfPath(s string) (what, instead string) {
	i := strings.IndexAny(s, `/?#\`)
	switch {
	case s[i] == '?':
		return "contains a query", "remove it"
	case s[i] == '#':
		return "contains a fragment", "remove it"
	case s[i:] == "/":
		return "ends with a slash", "remove it"
	}
	return "contains a path", "remove it"
}

// faultOfWildcard returns the fault of the "*" in host.
func faultOfWildcard(host string) (what, instead string) {
	host = beforePath(host)
	label, domain, _ := strings.Cut(host, ".")
	prefix, suffix, found := strings.Cut(label, "*")
	switch {
	case strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]"), strings.Trim(host, "0123456789.*") == "" && strings.Trim(host, ".*") != "":
		return `has a "*" in an IP address`, "decide in AllowOriginFunc"
	case found && domain == "" && strings.HasSuffix("-"+prefix, "-") && strings.HasPrefix(suffix+"-", "-"):
		return `has no domain after its "*"`, `add one, as in "https://pr-*.example.com"`
	case prefix != "" && strings.Trim(prefix, "-") == "" || suffix != "" && strings.Trim(suffix, "-") == "":
		return `has only hyphens next to its "*"`, `write a name there, as in "https://pr-*.example.com"`
	}
	return misplacedWildcard()
}

func misplacedWildcard() (what, instead string) {
	return `has a misplaced "*"`, `write it as the first label ("https://*.example.com"), between hyphens in that label ("https://pr-*.example.com"), or as the port ("http://localhost:*")`
}

// isAddress reports whether host is an IP address in canonical form.
func isAddress(host string) bool {
	p, ok := parse("http://" + host)
	return ok && (strings.HasPrefix(host, "[") || isIPv4(p.Host))
}

// faultOfHost returns the fault of host, if all other parts are valid.
func faultOfHost(host string) (what, instead string) {
	if strings.HasPrefix(host, "[") && strings.Contains(host, ":") {
		return "has an IPv6 address that is not in canonical form", `write it as browsers do, as in "http://[2001:db8::1]"`
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if slices.Contains(labels, "") {
		return "has an empty label in its host", "remove the extra dot"
	}
	if isNumber(labels[len(labels)-1]) {
		return "has a host that ends in a number but is not a canonical IPv4 address", `write four decimal numbers, as in "http://192.0.2.1"`
	}
	if strings.ContainsFunc(host, func(c rune) bool { return c != '.' && !isLabelByte(byte(c)) }) {
		return "has an invalid character in its host", `write letters, digits, "-", "_" and ".", or an IPv6 address in brackets`
	}
	if slices.ContainsFunc(labels, func(label string) bool { return len(label) > maxLabel }) {
		return "has a label over 63 bytes", "write a shorter one"
	}
	return "has a host over 253 bytes", "write a shorter one"
}

// suggest returns the pattern that s, which is not a pattern, was probably
// meant to be, or "". The suggestion contains only a domain that s contains. It
// allows every host of a scheme only if s does and is not the address of a
// WebSocket.
func suggest(s string) string {
	s = strings.Trim(s, "\"'<> \t\r\n\u200b\ufeff")
	if strings.EqualFold(s, "null") {
		return "null"
	}
	if strings.EqualFold(s, "file://*") {
		return "file://"
	}
	s = strings.TrimPrefix(s, "blob:")
	scheme, authority := guessScheme(s)
	if isMisspelled(scheme) {
		scheme = "http" + strings.Repeat("s", min(strings.Count(scheme, "s"), 1))
	}
	if scheme == "" || scheme == "file" {
		return ""
	}
	authority = beforePath(authority)
	if isWebScheme(scheme) || strings.Contains(authority, "*") {
		authority = strings.ToLower(authority)
	}
	host, port := cutPort(authority)
	if host == "*" && port == "*" || host != "*" && (port == "" || port == defaultPort(scheme)) {
		authority = host
	}
	suggested := scheme + "://" + suggestAuthority(scheme, authority)
	p, ok := parse(suggested)
	if !ok || p.isUnderRegistry() || isWebScheme(p.Host) { // s repeats its scheme
		return ""
	}
	isWebSocket := isWebScheme(scheme) && strings.HasPrefix(strings.ToLower(s), "ws")
	if p.Wildcard == AnyHost && (isWebSocket || !strings.Contains(s, "://*")) {
		return ""
	}
	return suggested
}

// suggestAuthority returns authority with its IP address in canonical form, and
// without a repeated "*". It removes a "*" at the end of an app's host, and
// replaces a "*" at the end of a loopback host by ":*".
func suggestAuthority(scheme, authority string) string {
	if address, port, found := strings.Cut(authority, "]"); found && !strings.HasPrefix(port, "*") {
		ip, _ := netip.ParseAddr(strings.TrimPrefix(address, "["))
		return "[" + ip.WithZone("").String() + "]" + port
	}
	authority = strings.Replace(authority, "**", "*", 1)
	host, found := strings.CutSuffix(authority, "*")
	if !found || host == "" || strings.TrimRight(host, ":.-") != host {
		return authority
	}
	if !isWebScheme(scheme) {
		return host
	}
	if (Pattern{Host: host}).IsLoopback() {
		return host + ":*"
	}
	return authority
}

// guessScheme returns the scheme that s was probably meant to have, in
// lowercase, and the rest of s. If s has no scheme, guessScheme guesses from the
// host. If s does not look like a host, the scheme is empty.
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
			if rest := strings.TrimLeft(s[len(scheme):], ":;/"); len(rest) < len(s)-len(scheme) {
				return scheme, rest
			}
		}
	}
	rest = strings.TrimLeft(s, "/")
	host, port := cutPort(strings.TrimRight(beforePath(rest), "*"))
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
