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
//   - is cut before each of its dots, from the right, but only as often as there
//     are dots in a tail: behind .example.com and .vercel.app there are names;
//   - has the tail .vercel.app, before which no scheme allows subdomains, but
//     https://proj- and -team surround a part of a label;
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

// maxAfterScheme is the length of the longest origin without its scheme: the host
// can end with a dot.
const maxAfterScheme = len("://") + maxHost + len(".:65535")

// MaxWeb is the length, in bytes, of the longest origin of https.
const MaxWeb = len("https") + maxAfterScheme

// Add adds a pattern that [Parse] has returned.
func (s *Set) Add(p Pattern) {
	longest := len(p.Scheme) + maxAfterScheme
	switch {
	case p.Wildcard == AnyHost:
		put(&s.anyHost, p.Scheme)
	case p.anyPort:
		s.anyPort.add(p)
	default:
		s.asIs.add(p)
		if p.Wildcard == None {
			longest = len(p.exact)
		}
	}
	s.longest = max(s.longest, longest)
}

// Contains reports whether a pattern in s allows origin, which may be any string.
// It allocates nothing, and reads nothing of what is too long.
func (s *Set) Contains(origin string) bool {
	if len(origin) > s.longest {
		return false
	}
	if _, ok := s.asIs.whole[origin]; ok {
		return true
	}
	return s.hasPatternFor(origin)
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
	return ok && host != "" && !strings.Contains(host, ":") && isAppAuthority(host)
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

func (t *table) add(p Pattern) {
	if p.Wildcard == None {
		put(&t.whole, p.exact)
		return
	}
	d := t.domains[p.tail]
	if d == nil {
		d = &domain{room: maxHost - len(".") - len(strings.TrimSuffix(p.Host, "."))}
		if t.domains == nil {
			t.domains = make(map[string]*domain)
		}
		t.domains[p.tail] = d
		dots := strings.Count(p.tail, ".")
		if t.minDots == 0 || dots < t.minDots {
			t.minDots = dots
		}
		t.maxDots = max(t.maxDots, dots)
	}
	d.add(p)
}

// hasDomainOf reports whether a pattern for names under a domain allows origin.
func (t *table) hasDomainOf(origin string) bool {
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

// A domain holds what may stand before one. Nearly always it has one pattern.
type domain struct {
	room   int                    // how many bytes of a host are left for that
	head   string                 // what may precede any labels, as "https://"; "" if nothing may
	heads  map[string]struct{}    // more of these
	part   affixes                // what may surround a part of a label; both "" if nothing may
	within map[string]*beginnings // more of these, by their ends
	ends   uint64                 // how long the keys of within are, a bit for each length
}

// Affixes are what precedes a "*" within a label, with the scheme, and what
// follows it in the label.
type affixes struct {
	head, end string
	start     int // of the label, in head
}

// Beginnings are heads of affixes that have the same end.
type beginnings struct {
	heads   map[string]struct{}
	lengths uint64 // of what they have of the label, a bit for each: a label has at most 63 bytes
}

func (d *domain) add(p Pattern) {
	start := len(p.Scheme) + len("://")
	switch {
	case p.Wildcard == Subdomains && d.head == "":
		d.head = p.head
	case p.Wildcard == Subdomains:
		put(&d.heads, p.head)
	case d.part.head == "":
		d.part = affixes{p.head, p.end, start}
	default:
		if d.within == nil {
			d.within = make(map[string]*beginnings)
		}
		b := d.within[p.end]
		if b == nil {
			b = new(beginnings)
			d.within[p.end] = b
			d.ends |= 1 << len(p.end)
		}
		put(&b.heads, p.head)
		b.lengths |= 1 << (len(p.head) - start)
	}
}

// contains reports whether s, an origin up to the dot before d, is allowed.
func (d *domain) contains(s string) bool {
	if name, ok := strings.CutPrefix(s, d.head); ok && d.head != "" && d.isName(name) {
		return true
	}
	if p := &d.part; p.head != "" && strings.HasPrefix(s, p.head) && strings.HasSuffix(s[len(p.head):], p.end) &&
		len(s) > len(p.head)+len(p.end) && d.isLabel(s[p.start:]) {
		return true
	}
	if len(d.heads)+len(d.within) == 0 {
		return false
	}
	// Without "://" there, nothing is found.
	start := strings.IndexByte(s, ':') + len("://")
	if start > len(s) {
		return false
	}
	if _, ok := d.heads[s[:start]]; ok && d.isName(s[start:]) {
		return true
	}
	return d.containsWithin(s, start)
}

// containsWithin reports whether what begins at start in s is a label that one of
// d.within surrounds a part of. It looks up what begins at a hyphen if an end is
// as long, and where that is one, what ends with a hyphen if a head is as long.
func (d *domain) containsWithin(s string, start int) bool {
	label := s[start:]
	for ends := d.ends; ends != 0; ends &= ends - 1 {
		end := len(label) - bits.TrailingZeros64(ends)
		if end <= 0 {
			return false
		}
		if end < len(label) && label[end] != '-' {
			continue
		}
		b := d.within[label[end:]]
		if b == nil {
			continue
		}
		for lengths := b.lengths; lengths != 0; lengths &= lengths - 1 {
			head := bits.TrailingZeros64(lengths)
			if head >= end {
				break
			}
			if head > 0 && label[head-1] != '-' {
				continue
			}
			if _, ok := b.heads[s[:start+head]]; ok {
				return d.isLabel(label)
			}
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
	return d.isName(name) && !strings.Contains(name, ".")
}

// put adds s to a set, which it makes first if it is nil.
func put(set *map[string]struct{}, s string) {
	if *set == nil {
		*set = make(map[string]struct{})
	}
	(*set)[s] = struct{}{}
}
