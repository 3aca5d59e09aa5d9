package origin

import "strings"

// maxCompared is the number of patterns that [NearMiss] compares, at most.
const maxCompared = 256

// NearMiss returns the first of patterns that almost allows origin, or "". All
// patterns must be valid, and none may allow origin.
//
// A pattern almost allows an origin if only one of these differs:
//   - the scheme: it is http or https in the pattern, and in the origin it can
//     also be a misspelling of them;
//   - the port;
//   - "www." before the host, or a "*." before the host of the pattern.
//
// To bound the cost, it compares only the first 256 patterns, and skips an
// origin that is too long. It also skips an origin with an invalid host or port.
func NearMiss(patterns []string, origin string) string {
	scheme, authority, ok := strings.Cut(origin, "://")
	if !ok || len(origin) > MaxWeb {
		return ""
	}
	isWeb := isWebAuthority(authority)
	if !isWeb && !isAppAuthority(authority) {
		return ""
	}
	host, port := cutPort(authority)
	for _, pattern := range patterns[:min(len(patterns), maxCompared)] {
		wantScheme, wantAuthority, _ := strings.Cut(pattern, "://")
		wantHost, wantPort := cutPort(wantAuthority)
		sameScheme := scheme == wantScheme
		samePort := port == wantPort || wantPort == "*" || wantHost == "*"
		sameHost := host == wantHost || isWeb && matchHost(wantHost, host)
		switch {
		case sameScheme && sameHost && !samePort,
			sameScheme && samePort && isNextTo(wantHost, host),
			samePort && sameHost && !sameScheme && isWebScheme(wantScheme) && (isWebScheme(scheme) || isMisspelled(scheme)):
			return pattern
		}
	}
	return ""
}

// matchHost reports whether pattern, which has a "*", allows host, which is
// valid. Next to a hyphen, the "*" matches only a part of the first label.
func matchHost(pattern, host string) bool {
	head, tail, found := strings.Cut(pattern, "*")
	if !found || len(host) <= len(head)+len(tail) || !strings.HasPrefix(host, head) || !strings.HasSuffix(host, tail) {
		return false
	}
	inLabel := head != "" || strings.HasPrefix(tail, "-")
	return !inLabel || !strings.Contains(host[len(head):len(host)-len(tail)], ".")
}

// isNextTo reports whether pattern is host with "www." or "*." added, or with
// "www." removed.
func isNextTo(pattern, host string) bool {
	for _, prefix := range []string{"www.", "*."} {
		if rest, ok := strings.CutPrefix(pattern, prefix); ok && rest == host {
			return true
		}
	}
	rest, ok := strings.CutPrefix(host, "www.")
	return ok && rest == pattern
}
