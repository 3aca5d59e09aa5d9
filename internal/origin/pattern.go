package origin

import (
	"errors"
	"net/netip"
	"strings"
)

// A Pattern is one origin, or a "*" and what surrounds it.
type Pattern struct {
	// Scheme and Host are those of the origin. If Wildcard is Subdomains or
	// Within, Host is what follows the label of the "*". Both are empty for an
	// opaque origin, and Host for AnyHost.
	Scheme, Host string

	// Wildcard says what stands in place of the "*", other than a port.
	Wildcard Wildcard

	exact      string // the origin if Wildcard is None, without a port if anyPort is set
	head, tail string // the text before and after the "*" in a host, without a port if anyPort is set
	anyPort    bool
}

// A Wildcard is a meaning of the "*" in a pattern.
type Wildcard int

const (
	None       Wildcard = iota // there is none, but perhaps for the port
	Subdomains                 // one or more labels: https://*.example.com
	Within                     // a part of the first label, between hyphens: https://proj-*.example.com
	AnyHost                    // any host and port of a scheme: https://*
)

// Parse returns s as a pattern. If it is none, the error says what is wrong, and
// what to write instead. "*" alone is not a pattern of this package.
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

// parse leaves it to [Valid] whether what surrounds a "*" is right: a pattern is
// well-formed if, with the least that can stand in place of its "*", it is an
// origin.
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
	before, after, found := strings.Cut(authority, "*")
	if !found {
		p.Host, _ = cutPort(authority)
		return p, Valid(member)
	}
	if authority == "*" {
		p.Wildcard = AnyHost
		return p, !p.anyPort && Valid(scheme+"://a")
	}
	label, _, _ := strings.Cut(after, ".")
	switch {
	case before == "" && label == "":
		p.Wildcard = Subdomains
	case !strings.Contains(before, ".") && isAffix(before, strings.HasSuffix) && isAffix(label, strings.HasPrefix):
		p.Wildcard = Within
	default:
		return p, false
	}
	p.head, p.tail = scheme+"://"+before, after
	p.Host, _ = cutPort(strings.TrimPrefix(after[len(label):], "."))
	// What names are under is a domain, whatever the scheme.
	return p, p.Host != "" && Valid("http://"+before+"a"+label+"."+p.Host) && Valid(strings.Replace(member, "*", "a", 1))
}

// isMisspelled reports whether scheme was probably meant to be http or https. Such a
// scheme differs from one of them in a single letter or digit. Or it consists of
// three or more of their letters in any order, with "p" and one of "h" and "t"
// among them.
func isMisspelled(scheme string) bool {
	if isWebScheme(scheme) || !all(scheme, isLowerAlphanumeric) {
		return false
	}
	return differInOnePlace(scheme, "http") || differInOnePlace(scheme, "https") ||
		len(scheme) > 2 && strings.Trim(scheme, "htps") == "" && strings.Contains(scheme, "p") && strings.ContainsAny(scheme, "ht")
}

// differInOnePlace reports whether a and b are equal except for at most one byte
// that is added, missing or replaced.
func differInOnePlace(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1
}

// isAffix reports whether s, which stands beside a "*", is nothing, or is set
// off by a hyphen and more than hyphens. hasAt tells at which end.
func isAffix(s string, hasAt func(s, affix string) bool) bool {
	return s == "" || hasAt(s, "-") && strings.Trim(s, "-") != ""
}

// cutPort cuts authority, which may be malformed, into a host and the port
// after it.
func cutPort(authority string) (host, port string) {
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.HasSuffix(authority, "]") {
		return authority, ""
	}
	return authority[:colon], authority[colon+1:]
}

// IsLoopback reports whether what is served at p's hosts cannot be reached over
// a network (Secure Contexts, "is origin potentially trustworthy?").
func (p Pattern) IsLoopback() bool {
	host := strings.TrimSuffix(p.Host, ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}
