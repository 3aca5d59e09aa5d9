package origin

import "strings"

// A Set holds patterns and tells which origins they allow together. The zero
// value is empty. It must not be changed while it is asked.
//
// However many patterns it holds, an origin is looked up in a few maps. With
//
//	https://example.com  http://localhost:*  https://*.example.com  https://proj-*-team.vercel.app
//
// in it, https://proj-1-team.vercel.app
//
//   - is not among the whole origins, of which there is https://example.com;
//   - is cut before each of its dots, from the right, but only as often as there
//     are dots in a tail: behind .example.com and .vercel.app there are names;
//   - has the tail .vercel.app, before which no scheme allows subdomains, but
//     https://proj- can begin a label, if -team ends it;
//   - has no port, so that it is looked up once more among what allows any.
//
// What a pattern and an origin share is well-formed, as the pattern is. Only
// what stands in place of a "*" has to be looked at.
type Set struct {
	longest int // the length of the longest origin that is allowed
	asIs    table
	anyPort table // of origins without their ports
	anyHost map[string]struct{}
}

// Add adds a pattern that [Parse] has returned.
func (s *Set) Add(p Pattern) {
	length := len(p.exact)
	switch p.Wildcard {
	case Subdomains, Within:
		// The dot that begins the tail makes up for one that may end the host.
		length = len(p.Scheme) + len("://") + maxHost + len(p.tail) - len(p.Host)
	case AnyHost:
		length = len(p.Scheme) + len("://") + maxHost
		if s.anyHost == nil {
			s.anyHost = make(map[string]struct{})
		}
		s.anyHost[p.Scheme] = struct{}{}
	}
	if p.anyPort {
		length += len(":65535")
		s.anyPort.add(p)
	} else if p.Wildcard != AnyHost {
		s.asIs.add(p)
	}
	s.longest = max(s.longest, length)
}

// Contains reports whether a pattern in s allows origin, which may be any string.
// It allocates nothing, and reads nothing of what is too long.
func (s *Set) Contains(origin string) bool {
	if len(origin) > s.longest {
		return false
	}
	if s.asIs.contains(origin) {
		return true
	}
	if !s.anyPort.isEmpty() && s.anyPort.contains(withoutPort(origin)) {
		return true
	}
	if len(s.anyHost) == 0 {
		return false
	}
	scheme, host, _ := strings.Cut(origin, "://")
	_, ok := s.anyHost[scheme]
	return ok && host != "" && strings.IndexByte(host, ':') < 0 && isAppAuthority(host)
}

// withoutPort returns origin without a port that browsers would send.
func withoutPort(origin string) string {
	host, port := cutPort(origin)
	if !isPort(port) || port == "443" && strings.HasPrefix(origin, "https://") || port == "80" && strings.HasPrefix(origin, "http://") {
		return origin
	}
	return host
}

// A table holds patterns that are looked up in the same string.
type table struct {
	whole   map[string]struct{} // origins
	domains map[string]*domain  // by what follows the label of the "*"
	minDots int                 // the least and ...
	maxDots int                 // ... the most dots in a key of domains
}

func (t *table) isEmpty() bool { return len(t.whole) == 0 && len(t.domains) == 0 }

func (t *table) add(p Pattern) {
	if p.Wildcard == None {
		if t.whole == nil {
			t.whole = make(map[string]struct{})
		}
		t.whole[p.exact] = struct{}{}
		return
	}
	d := t.domains[p.tail]
	if d == nil {
		if t.domains == nil {
			t.domains = make(map[string]*domain)
		}
		d = &domain{room: maxHost - len(".") - len(strings.TrimSuffix(p.Host, "."))}
		t.domains[p.tail] = d
		dots := strings.Count(p.tail, ".")
		if t.minDots == 0 || dots < t.minDots {
			t.minDots = dots
		}
		t.maxDots = max(t.maxDots, dots)
	}
	if p.Wildcard == Subdomains {
		d.subdomains.add(p.head)
		return
	}
	if d.within == nil {
		d.within = make(map[string]*few)
	}
	ends := d.within[p.head]
	if ends == nil {
		ends = new(few)
		d.within[p.head] = ends
	}
	ends.add(p.end)
}

func (t *table) contains(origin string) bool {
	if _, ok := t.whole[origin]; ok {
		return true
	}
	dot := len(origin)
	for dots := 1; dots <= t.maxDots; dots++ {
		dot = strings.LastIndexByte(origin[:dot], '.')
		if dot < 0 {
			return false
		}
		if dots < t.minDots {
			continue
		}
		if d := t.domains[origin[dot:]]; d != nil && d.contains(origin[:dot]) {
			return true
		}
	}
	return false
}

// A domain holds what may stand before one.
type domain struct {
	room       int             // how many bytes of a host are left for that
	subdomains few             // the schemes, with "://", of which any labels may
	within     map[string]*few // the ends of a label, by its beginning and the scheme
}

// contains reports whether s, an origin up to the dot before d, is allowed.
func (d *domain) contains(s string) bool {
	i := strings.Index(s, "://")
	if i < 0 {
		return false
	}
	start := i + len("://")
	name := s[start:]
	if len(name) > d.room || !isLabels(name) {
		return false
	}
	if d.subdomains.contains(s[:start]) {
		return true
	}
	if len(d.within) == 0 || len(name) > maxLabel || strings.IndexByte(name, '.') >= 0 {
		return false
	}
	// A label can be cut at each of its hyphens, and there are no more than 63.
	for star := start; star < len(s); star++ {
		if star > start && s[star-1] != '-' {
			continue
		}
		if ends := d.within[s[:star]]; ends != nil && ends.containsEnd(s[star+1:]) {
			return true
		}
	}
	return false
}

// A few is a set of strings, made for the case that it holds only one.
type few struct {
	holds bool
	one   string
	more  map[string]struct{}
}

func (f *few) add(s string) {
	switch {
	case !f.holds:
		f.holds, f.one = true, s
	case f.one != s:
		if f.more == nil {
			f.more = make(map[string]struct{})
		}
		f.more[s] = struct{}{}
	}
}

func (f *few) contains(s string) bool {
	if f.holds && f.one == s {
		return true
	}
	_, ok := f.more[s]
	return ok
}

// containsEnd reports whether f holds an end of s, all of s, or nothing: what is
// left of a label after its beginning and one byte for the "*".
func (f *few) containsEnd(s string) bool {
	if f.holds && strings.HasSuffix(s, f.one) {
		return true
	}
	if len(f.more) == 0 {
		return false
	}
	if f.contains("") {
		return true
	}
	for i := range len(s) {
		if s[i] == '-' && f.contains(s[i:]) {
			return true
		}
	}
	return false
}
