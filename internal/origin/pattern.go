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

	exact   string // where Wildcard is None: the origin, without a port if anyPort is set
	head    string // what precedes the "*", as "https://" or "https://proj-"
	end     string // the rest of the label that the "*" is in, as "-team"
	tail    string // what follows that label, as ".example.com:8443", without a port if anyPort is set
	anyPort bool
}

// A Wildcard is a meaning of the "*" in a pattern.
type Wildcard int

const (
	None       Wildcard = iota // there is none, but perhaps for the port
	Subdomains                 // one or more labels: https://*.example.com
	Within                     // a part of the first label, between hyphens: https://proj-*.example.com
	AnyHost                    // all that may follow a scheme: moz-extension://*
)

// Parse returns s as a pattern. If it is none, the error says what is wrong, and
// what to write instead. "*" alone is not a pattern of this package.
func Parse(s string) (Pattern, error) {
	p, ok := parse(s)
	if !ok {
		return Pattern{}, errors.New(explain(s))
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
	p.Scheme = scheme
	before, after, found := strings.Cut(authority, "*")
	if !found {
		p.Host, _ = cutPort(authority)
		return p, Valid(member)
	}
	if authority == "*" {
		p.Wildcard = AnyHost
		return p, isAppScheme(scheme) && !p.anyPort
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
	p.head, p.end, p.tail = scheme+"://"+before, label, after[len(label):]
	p.Host, _ = cutPort(strings.TrimPrefix(p.tail, "."))
	// What names are under is a domain, whatever the scheme.
	return p, p.Host != "" && Valid("http://"+before+"a"+label+"."+p.Host) && Valid(strings.Replace(member, "*", "a", 1))
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
