package origin

import (
	"errors"
	"net/netip"
	"strings"
)

// A Pattern is an entry of a policy: one origin, or a pattern with "*".
type Pattern struct {
	// Scheme and Host are parts of the origin. If Wildcard is Subdomains or
	// Within, Host is the domain after the label with the "*". Host is empty
	// for AnyHost, and both are empty for an opaque origin.
	Scheme, Host string

	// Wildcard is the meaning of the "*" in the host.
	Wildcard Wildcard

	exact      string // origin if Wildcard is None
	head, tail string // text before and after the "*" in the host
	anyPort    bool   // pattern ends with ":*", which is not in exact and tail
}

// A Wildcard is a meaning of the "*" in a pattern.
type Wildcard int

const (
	None       Wildcard = iota // one host
	Subdomains                 // one or more labels: https://*.example.com
	Within                     // part of the first label, next to hyphens: https://proj-*.example.com
	AnyHost                    // any host and port of a scheme: https://*
)

// Parse parses s as a pattern. The text of an error is a clause about s, and a
// suggested fix, such as `has no scheme; did you mean "https://example.com"?`.
// "*" alone is not a pattern of this package.
func Parse(s string) (Pattern, error) {
	p, ok := parse(s)
	if !ok {
		return Pattern{}, errors.New(explain(s))
	}
	if p.isUnderRegistry() {
		return Pattern{}, errors.New(p.explainRegistry())
	}
	return p, nil
}

// parse is like [Parse], without an explanation. To check s, it replaces a "*"
// in the host by "a" and a "*" for the port by "1", and calls [Valid].
func parse(s string) (p Pattern, ok bool) {
	if IsOpaque(s) {
		return Pattern{exact: s}, true
	}
	member := s
	p.exact, p.anyPort = strings.CutSuffix(s, ":*")
	if p.anyPort {
		member = p.exact + ":1"
	}

	scheme, authority, _ := strings.Cut(p.exact, "://")
	if isMisspelled(scheme) {
		return p, false
	}
	p.Scheme = scheme
	before, tail, found := strings.Cut(authority, "*")
	if !found {
		p.Host, _ = cutPort(authority)
		return p, Valid(member)
	}
	if authority == "*" {
		p.Wildcard = AnyHost
		return p, !p.anyPort && Valid(scheme+"://a")
	}
	label, _, _ := strings.Cut(tail, ".")
	switch {
	case before == "" && label == "":
		p.Wildcard = Subdomains
	case !strings.Contains(before, ".") && isAffix(before, strings.HasSuffix) && isAffix(label, strings.HasPrefix):
		p.Wildcard = Within
	default:
		return p, false
	}
	p.head, p.tail = scheme+"://"+before, tail
	p.Host, _ = cutPort(strings.TrimPrefix(tail[len(label):], "."))
	// The name after the label is a domain, even if the scheme is not http or
	// https.
	return p, p.Host != "" && Valid("http://"+before+"a"+label+"."+p.Host) && Valid(strings.Replace(member, "*", "a", 1))
}

// isMisspelled reports whether scheme was probably meant to be http or https.
// It differs from one of them in a single letter or digit. Or it has only the
// letters h, t, p and s, at least three in total, with a "p" and an "h" or "t".
func isMisspelled(scheme string) bool {
	if isWebScheme(scheme) || !all(scheme, isLowerAlphanumeric) {
		return false
	}
	return differInOnePlace(scheme, "http") || differInOnePlace(scheme, "https") ||
		len(scheme) > 2 && strings.Trim(scheme, "htps") == "" && strings.Contains(scheme, "p") && strings.ContainsAny(scheme, "ht")
}

// differInOnePlace reports whether a and b are equal except for at most one
// byte that is added, missing or replaced.
func differInOnePlace(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1
}

// isAffix reports whether s can be the text before or after a "*" in a label.
// It must be empty, or have a hyphen next to the "*" and another character.
// hasAt is strings.HasSuffix for the text before, or strings.HasPrefix.
func isAffix(s string, hasAt func(s, affix string) bool) bool {
	return s == "" || hasAt(s, "-") && strings.Trim(s, "-") != ""
}

// cutPort cuts authority, which can be malformed, into a host and its port.
func cutPort(authority string) (host, port string) {
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.HasSuffix(authority, "]") {
		return authority, ""
	}
	return authority[:colon], authority[colon+1:]
}

// IsLoopback reports whether p allows only hosts that are not reached over a
// network (Secure Contexts, "is origin potentially trustworthy?").
func (p Pattern) IsLoopback() bool {
	host := strings.TrimSuffix(p.Host, ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}
