package origin

import "strings"

// A Set is a set of patterns that reports which origins they allow. The zero
// value is empty. A Set must not be changed while it is used.
//
// A pattern with a "*" in its host, except scheme://*, has a head before the
// "*" and a tail after it. A map has the set of heads for each tail. For
// example, https://*.example.com adds the head https:// to the tail
// .example.com, and https://proj-*-team.vercel.app adds https://proj- to
// -team.vercel.app. Every tail contains a dot.
//
// To look up https://proj-1-team.vercel.app, Contains tries each place where a
// tail can begin, from the right: the dots, and the hyphens of the first label.
// At each tail that it finds, it tries each place where a head can end: "://",
// and hyphens. The cost depends on the length of the origin, not on the patterns.
type Set struct {
	longest   int                 // length of the longest origin that can be allowed
	single    string              // first exact origin; a set with only one needs no map
	asWritten patterns            // compared with whole origins
	anyPort   patterns            // compared with origins without their port
	schemes   map[string]struct{} // schemes with all hosts allowed
}

// maxAfterScheme is the length of the longest origin without its scheme. The
// host can end with a dot.
const maxAfterScheme = len("://") + maxHost + len(".:65535")

// MaxWeb is the length, in bytes, of the longest origin of https.
const MaxWeb = len("https") + maxAfterScheme

// Grow allocates the map of exact origins, with room for list. The set must be
// empty. Without Grow, the map would grow several times during calls of Add.
func (s *Set) Grow(list []string) {
	n := -1 // the first exact origin is in single, not in the map
	for _, pattern := range list {
		if !strings.Contains(pattern, "*") {
			n++
		}
	}
	if n > 0 {
		s.asWritten.exact = make(map[string]struct{}, n)
	}
}

// Add adds a pattern that [Parse] returned.
func (s *Set) Add(p Pattern) {
	longest := len(p.Scheme) + maxAfterScheme
	switch {
	case p.Wildcard == AnyHost:
		put(&s.schemes, p.Scheme)
	case p.anyPort:
		s.anyPort.add(p)
	case p.Wildcard != None:
		s.asWritten.add(p)
	default:
		longest = len(p.exact)
		if s.single == "" {
			s.single = p.exact
		} else {
			s.asWritten.add(p)
		}
	}
	s.longest = max(s.longest, longest)
}

// Contains reports whether a pattern in s allows origin, which may be any
// string. It does not allocate. It does not read an origin that is too long.
func (s *Set) Contains(origin string) bool {
	if len(origin) > s.longest || origin == "" { // single can be empty
		return false
	}
	if origin == s.single || s.asWritten.match(origin) {
		return true
	}
	if (s.anyPort.exact != nil || s.anyPort.heads != nil) && s.anyPort.match(withoutPort(origin)) {
		return true
	}
	if s.schemes == nil {
		return false
	}
	scheme, authority, _ := strings.Cut(origin, "://")
	_, ok := s.schemes[scheme]
	return ok && authority != "" && Valid(origin) // "app://" is valid, but has no host
}

// withoutPort returns origin without its port, if it has one. If that port is
// invalid, or the default port of the scheme, it stays, so no pattern matches.
func withoutPort(origin string) string {
	host, port := cutPort(origin) // without a port, port is "" or "//example.com"
	if !isPort(port) || port == "443" && strings.HasPrefix(origin, "https://") || port == "80" && strings.HasPrefix(origin, "http://") {
		return origin
	}
	return host
}

// patterns is a set of patterns that are compared with the same part of an
// origin.
type patterns struct {
	exact             map[string]struct{}            // patterns without a "*" in the host
	heads             map[string]map[string]struct{} // heads by their tail
	shortest, longest int                            // lengths of tails
}

func (ps *patterns) add(p Pattern) {
	if p.Wildcard == None {
		put(&ps.exact, p.exact)
		return
	}
	if ps.heads == nil {
		ps.heads = make(map[string]map[string]struct{})
		ps.shortest = len(p.tail)
	}
	heads := ps.heads[p.tail]
	put(&heads, p.head)
	ps.heads[p.tail] = heads
	ps.shortest = min(ps.shortest, len(p.tail))
	ps.longest = max(ps.longest, len(p.tail))
}

// match reports whether a pattern in ps allows origin.
func (ps *patterns) match(origin string) bool {
	_, ok := ps.exact[origin]
	return ok || ps.heads != nil && ps.matchWildcard(origin)
}

// matchWildcard reports whether a pattern with a "*" in its host allows origin.
func (ps *patterns) matchWildcard(origin string) bool {
	host := strings.IndexByte(origin, ':') + len("://") // without "://", no head matches
	if host > len(origin) {
		return false
	}
	dot := host + strings.IndexByte(origin[host:], '.') // end of the first label; without a dot, no tail matches
	for i := len(origin) - ps.shortest; i > host && i >= len(origin)-ps.longest; i-- {
		if tailBegins := origin[i] == '.' || origin[i] == '-' && i < dot; !tailBegins {
			continue
		}
		heads := ps.heads[origin[i:]]
		if heads != nil && hasHead(heads, origin[:i], host, i <= dot) {
			// The tail is valid. Left to check are the length of the host and the
			// labels before the tail, with all of the first label if the tail
			// begins inside it. A failure is final, because longer tails are also
			// valid, so the invalid label would still be before them.
			portless, _, _ := strings.Cut(origin[host:], ":")
			return isHostLength(portless) && isLabels(origin[host:max(i, dot)])
		}
	}
	return false
}

// hasHead reports whether s begins with one of heads and continues after it. A
// head ends at host or, if the "*" is in the first label, after a hyphen.
func hasHead(heads map[string]struct{}, s string, host int, inLabel bool) bool {
	_, ok := heads[s[:host]]
	for i := host + 1; !ok && inLabel && i < len(s); i++ {
		if s[i-1] == '-' {
			_, ok = heads[s[:i]]
		}
	}
	return ok
}

// put adds s to set, and makes set if it is nil.
func put(set *map[string]struct{}, s string) {
	if *set == nil {
		*set = make(map[string]struct{})
	}
	(*set)[s] = struct{}{}
}
