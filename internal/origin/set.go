package origin

import (
	"math/bits"
	"strings"
)

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
//   - is cut before each of its dots, from the right, where a tail could begin:
//     .example.com is 12 bytes long, and .vercel.app 11;
//   - has the tail .vercel.app, before which no scheme allows subdomains, but
//     https://proj- and -team surround a part of a label;
//   - has no port, so that it is looked up once more among what allows any.
//
// Most sets hold one pattern of a kind. So the first origin, tail and heads are
// compared before anything is looked up, which takes more time.
//
// What a pattern and an origin share is well-formed, as the pattern is. Only
// what stands in place of a "*" has to be looked at.
type Set struct {
	longest int    // the length of the longest origin that is allowed
	one     string // an origin that is allowed; "" if there is none
	asIs    table  // of whole strings: other origins, and patterns without any port
	anyPort table  // of origins without their ports
	anyHost map[string]struct{}
	starred bool // whether a pattern is more than one origin
}

// maxAfterScheme is the length of the longest origin without its scheme: the host
// can end with a dot.
const maxAfterScheme = len("://") + maxHost + len(".:65535")

// MaxWeb is the length, in bytes, of the longest origin of https.
const MaxWeb = len("https") + maxAfterScheme

// Grow makes room in s, which is empty, for those of patterns that are one origin
// each, so that hardly a map has to grow while they are added.
func (s *Set) Grow(patterns []string) {
	n := -1 // the first needs none
	for _, p := range patterns {
		if !strings.Contains(p, "*") {
			n++
		}
	}
	if n > 0 {
		s.asIs.whole = make(map[string]struct{}, n)
	}
}

// Add adds a pattern that [Parse] has returned.
func (s *Set) Add(p Pattern) {
	if p.Wildcard == None && !p.anyPort {
		s.longest = max(s.longest, len(p.exact))
		if s.one == "" || s.one == p.exact {
			s.one = p.exact
			return
		}
		s.asIs.add(p)
		return
	}
	s.starred = true
	s.longest = max(s.longest, len(p.Scheme)+maxAfterScheme)
	switch {
	case p.Wildcard == AnyHost:
		put(&s.anyHost, p.Scheme)
	case p.anyPort:
		s.anyPort.add(p)
	default:
		s.asIs.add(p)
	}
}

// Contains reports whether a pattern in s allows origin, which may be any string.
// It allocates nothing, and reads nothing of what is too long.
func (s *Set) Contains(origin string) bool {
	if len(origin) > s.longest || origin == "" {
		return false
	}
	if origin == s.one {
		return true
	}
	if _, ok := s.asIs.whole[origin]; ok {
		return true
	}
	return s.starred && s.hasPatternFor(origin)
}

// hasPatternFor reports whether a pattern that is more than one origin allows
// origin.
func (s *Set) hasPatternFor(origin string) bool {
	if s.asIs.hasDomainOf(origin) {
		return true
	}
	if len(s.anyPort.whole)+len(s.anyPort.domains) > 0 {
		portless := withoutPort(origin)
		if _, ok := s.anyPort.whole[portless]; ok || s.anyPort.hasDomainOf(portless) {
			return true
		}
	}
	if len(s.anyHost) == 0 {
		return false
	}
	scheme, host, _ := strings.Cut(origin, "://")
	_, ok := s.anyHost[scheme]
	return ok && host != "" && isAppHost(host)
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
	whole    map[string]struct{} // origins
	first    *domain             // one of domains, which nearly always is all
	domains  map[string]*domain  // by their tails
	shortest int                 // the lengths of the shortest and ...
	longest  int                 // ... the longest tail, and ...
	maxDots  int                 // ... the most dots in one
}

func (t *table) add(p Pattern) {
	if p.Wildcard == None {
		put(&t.whole, p.exact)
		return
	}
	d := t.domains[p.tail]
	if d == nil {
		d = &domain{tail: p.tail, room: maxHost - len(".") - len(strings.TrimSuffix(p.Host, "."))}
		if t.first == nil {
			t.first, t.domains, t.shortest = d, make(map[string]*domain), len(p.tail)
		}
		t.domains[p.tail] = d
		t.shortest = min(t.shortest, len(p.tail))
		t.longest = max(t.longest, len(p.tail))
		t.maxDots = max(t.maxDots, strings.Count(p.tail, "."))
	}
	d.add(p)
}

// hasDomainOf reports whether a pattern for names under a domain allows origin.
func (t *table) hasDomainOf(origin string) bool {
	farthest := max(0, len(origin)-t.longest)
	left := t.maxDots // look-ups: a tail begins at one of its dots, and has no more
	for dot := len(origin) - t.shortest; dot >= farthest && left > 0; dot-- {
		if origin[dot] != '.' {
			continue
		}
		left--
		d := t.first
		if origin[dot:] != d.tail {
			d = t.domains[origin[dot:]]
		}
		if d != nil && d.contains(origin[:dot]) {
			return true
		}
	}
	return false
}

// A domain holds what may stand before one. Nearly always it has one pattern.
type domain struct {
	tail  string                 // what follows the label of the "*": a dot, the domain and its port
	room  int                    // how many bytes of a host are left for that
	head  string                 // what may precede any labels, as "https://"; "" if nothing may
	heads map[string]struct{}    // more of these
	end   string                 // what may end a label, ...
	part  beginnings             // ... and what may begin it then
	parts map[string]*beginnings // more of these, by their ends
	ends  uint64                 // how long the keys of parts are, a bit for each length
	after uint64                 // what follows the hyphen in them, a bit for each byte modulo 64
}

// Beginnings are heads, with their schemes, of labels that have the same end.
type beginnings struct {
	head    string              // "" if there is none
	heads   map[string]struct{} // more of these
	lengths uint64              // of what heads have of the label, a bit for each: a label has at most 63 bytes
}

func (d *domain) add(p Pattern) {
	switch {
	case p.Wildcard == Subdomains && (d.head == "" || d.head == p.head):
		d.head = p.head
	case p.Wildcard == Subdomains:
		put(&d.heads, p.head)
	case d.part.head == "" || d.end == p.end:
		d.end = p.end
		d.part.add(p)
	default:
		if d.parts == nil {
			d.parts = make(map[string]*beginnings)
		}
		b := d.parts[p.end]
		if b == nil {
			b = new(beginnings)
			d.parts[p.end] = b
			d.ends |= 1 << len(p.end)
			if p.end != "" {
				d.after |= 1 << (p.end[1] % 64)
			}
		}
		b.add(p)
	}
}

func (b *beginnings) add(p Pattern) {
	if b.head == "" || b.head == p.head {
		b.head = p.head
		return
	}
	put(&b.heads, p.head)
	b.lengths |= 1 << (len(p.head) - len(p.Scheme) - len("://"))
}

// contains reports whether s, an origin up to the dot before d, is allowed.
func (d *domain) contains(s string) bool {
	if d.head != "" && strings.HasPrefix(s, d.head) && d.isName(s[len(d.head):]) {
		return true
	}
	rest, ends := strings.CutSuffix(s, d.end)
	ends = ends && d.part.head != ""
	if !ends && len(d.heads)+len(d.parts) == 0 {
		return false
	}
	// Without "://" there, nothing is found.
	start := strings.IndexByte(s, ':') + len("://")
	if start > len(s) {
		return false
	}
	if len(d.heads) > 0 {
		if _, ok := d.heads[s[:start]]; ok && d.isName(s[start:]) {
			return true
		}
	}
	if ends && d.part.precede(rest, start) {
		return d.isLabel(s[start:])
	}
	return len(d.parts) > 0 && d.hasPartOf(s, start)
}

// hasPartOf reports whether what begins at start in s is a label that one of
// d.parts surrounds a part of. It looks up what begins at a hyphen, if an end is as
// long, which is one byte more than the hyphen at least, and begins alike.
func (d *domain) hasPartOf(s string, start int) bool {
	from := max(start, len(s)-bits.Len64(d.ends)) // before it, all is longer than the longest end
	for end := len(s); end > from; end = from + strings.LastIndexByte(s[from:end], '-') {
		if d.ends&(1<<(len(s)-end)) == 0 || end < len(s) && d.after&(1<<(s[end+1]%64)) == 0 {
			continue
		}
		if b := d.parts[s[end:]]; b != nil && b.precede(s[:end], start) {
			return d.isLabel(s[start:])
		}
	}
	return false
}

// precede reports whether s, in which the label begins at start, begins with a head
// of b, and goes on behind it. It looks up what ends with a hyphen, if a head is as
// long.
func (b *beginnings) precede(s string, start int) bool {
	if len(s) > len(b.head) && strings.HasPrefix(s, b.head) {
		return true
	}
	for lengths := b.lengths; lengths != 0; lengths &= lengths - 1 {
		head := start + bits.TrailingZeros64(lengths)
		if head >= len(s) {
			return false
		}
		if head > start && s[head-1] != '-' {
			continue
		}
		if _, ok := b.heads[s[:head]]; ok {
			return true
		}
	}
	return false
}

// isName reports whether name can stand before d.
func (d *domain) isName(name string) bool {
	return len(name) <= d.room && isLabels(name)
}

// isLabel reports whether name is a single label that can stand before d.
func (d *domain) isLabel(name string) bool {
	return len(name) <= d.room && isLabelLength(len(name)) && all(name, isLabelByte)
}

// put adds s to a set, which it makes first if it is nil.
func put(set *map[string]struct{}, s string) {
	if *set == nil {
		*set = make(map[string]struct{})
	}
	(*set)[s] = struct{}{}
}
