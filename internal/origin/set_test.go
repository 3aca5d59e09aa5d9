package origin_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors/internal/origin"
	"github.com/f407da42/cors/internal/origin/naive"
	"github.com/f407da42/cors/internal/testkit"
)

// parse parses patterns, which are all valid.
func parse(tb testing.TB, patterns ...string) []origin.Pattern {
	tb.Helper()
	parsed := make([]origin.Pattern, len(patterns))
	for i, pattern := range patterns {
		var err error
		if parsed[i], err = origin.Parse(pattern); err != nil {
			tb.Fatalf("%q: %v", pattern, err)
		}
	}
	return parsed
}

func newSet(tb testing.TB, patterns ...string) *origin.Set {
	tb.Helper()
	s := new(origin.Set)
	s.Grow(patterns[:len(patterns)/2]) // fewer patterns than are added
	for _, p := range parse(tb, patterns...) {
		s.Add(p)
	}
	return s
}

// TestContains also counts allocations, so it is not parallel.
func TestContains(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	host253 := strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
	for _, test := range []struct {
		name     string
		patterns []string
		allowed  []string
		rejected []string
	}{
		{
			"an empty set allows nothing", nil, nil,
			[]string{"", "null", "https://example.com", "*"},
		},
		{
			"origins are compared byte for byte", []string{"https://example.com"}, []string{"https://example.com"},
			[]string{"http://example.com", "https://example.com:8443", "https://example.com.", "https://Example.com", "https://a.example.com", "https://example.co", "https://example.comm", ""},
		},
		{
			"a host with a dot at its end is another host", []string{"https://example.com.", "https://*.example.org.", "http://localhost.:*"},
			[]string{"https://example.com.", "https://a.example.org.", "http://localhost.", "http://localhost.:3000"},
			[]string{"https://example.com", "https://a.example.org", "https://example.org.", "http://localhost:3000", "https://example.com.."},
		},
		{
			`"*" as the first label matches one or more whole labels`, []string{"https://*.example.com"},
			[]string{"https://a.example.com", "https://a.b.example.com", "https://a-.example.com", "https://" + label63 + ".example.com", "https://" + label63 + ".a.example.com"},
			[]string{"https://" + label63 + "a.a.example.com", "https://example.com", "https://.example.com", "https://a..example.com", "https://aexample.com", "https://A.example.com", "https://a.example.com:8443", "https://a.example.com.evil.example", "https://a:1.example.com", "https://a/.example.com", "https://" + label63 + "a.example.com", "a.example.com", ".example.com", "://a.example.com"},
		},
		{
			"matches the part of a label before a hyphen", []string{"https://*--proj.netlify.app"},
			[]string{"https://a--proj.netlify.app", "https://deploy-preview-1--proj.netlify.app", "https://---proj.netlify.app", "https://a--proj--proj.netlify.app"},
			[]string{"https://--proj.netlify.app", "https://proj.netlify.app", "https://a-proj.netlify.app", "https://a--proj2.netlify.app", "https://a--projx.netlify.app", "https://b.a--proj.netlify.app", "https://a--proj.evil.app", "https://a--proj.netlify.app:8443", "http://a--proj.netlify.app", "https://A--proj.netlify.app", "https://.--proj.netlify.app", "https://a--proj.netlify.app.evil.example"},
		},
		{
			"a label with a wildcard matches at most 63 bytes", []string{"https://*-team.vercel.app"},
			[]string{"https://" + label63[len("-team"):] + "-team.vercel.app"}, []string{"https://" + label63 + "-team.vercel.app", "https://" + label63[len("-team")-1:] + "-team.vercel.app"},
		},
		{
			"matches the part of a label after a hyphen", []string{"https://proj-*.vercel.app"},
			[]string{"https://proj-1.vercel.app", "https://proj-git-main.vercel.app", "https://proj--.vercel.app", "https://proj-_.vercel.app", "https://proj-" + label63[5:] + ".vercel.app"},
			[]string{"https://proj-.vercel.app", "https://proj.vercel.app", "https://proj1.vercel.app", "https://xproj-1.vercel.app", "https://proj-1.x.vercel.app", "https://proj-a.b.vercel.app", "https://x.proj-1.vercel.app", "https://proj-1vercel.app", "https://proj-" + label63[4:] + ".vercel.app", "https://proj-ü.vercel.app", "https://proj-*.vercel.app", "https://proj-1.vercel.app.evil.example", "https://proj-1:1.vercel.app", "https://proj-1@.vercel.app"},
		},
		{
			"matches the part of a label between hyphens", []string{"https://proj-*-team.vercel.app:*"},
			[]string{"https://proj-1-team.vercel.app", "https://proj-a-b-c-team.vercel.app:8443", "https://proj--team-team.vercel.app", "https://proj---team.vercel.app"},
			[]string{"https://proj-team.vercel.app", "https://proj--team.vercel.app", "https://proj-1-team2.vercel.app", "https://proj-1-teams.vercel.app", "https://proj-1.vercel.app", "https://1-team.vercel.app", "https://proj-1-team.vercel.app:443", "https://proj-1-team.vercel.app:0"},
		},
		{
			"heads and tails of different patterns do not combine", []string{"https://a-*-x.example.com", "https://b-*-y.example.com", "https://c-*.example.com", "https://*-z.example.com", "http://d-*.example.com"},
			[]string{"https://a-1-x.example.com", "https://b-1-y.example.com", "https://c-1.example.com", "https://1-z.example.com", "https://a-1-z.example.com", "http://d-1.example.com", "https://c-1-y.example.com"},
			[]string{"https://a-1-y.example.com", "https://b-1-x.example.com", "https://a-1.example.com", "https://1-x.example.com", "https://d-1.example.com", "http://1-z.example.com", "http://c-1.example.com"},
		},
		{
			"matches several schemes for one domain", []string{"https://*.example.com", "http://*.example.com", "app://a-*.example.com"},
			[]string{"https://b.example.com", "http://b.c.example.com", "app://a-1.example.com"}, []string{":.example.com", ":/.example.com", "app://b.example.com", "app://a-.example.com", "://b.example.com", "ws://b.example.com"},
		},
		{
			"matches one head with several tails", []string{"https://a-*-x.example.com", "https://a-*-y.example.com", "https://a-*-long-end.example.com"},
			[]string{"https://a-1-x.example.com", "https://a-1-y.example.com", "https://a-x-y.example.com", "https://a-1-long-end.example.com"},
			[]string{"https://a-1-z.example.com", "https://a-x.example.com", "https://a-1-end.example.com", "https://a-long-end.example.com"},
		},
		{
			"matches one head with overlapping tails", []string{"https://a-*-x.example.com", "https://a-*.example.com"},
			[]string{"https://a-1-x.example.com", "https://a-1.example.com"}, []string{"https://a-.example.com", "https://a.example.com"},
		},
		{
			"matches any port, or none", []string{"http://localhost:*"}, []string{"http://localhost", "http://localhost:1", "http://localhost:65535"},
			[]string{"http://localhost:80", "http://localhost:0", "http://localhost:65536", "http://localhost:080", "http://localhost:", "http://localhost:a", "https://localhost:1", "http://localhost:1:1"},
		},
		{
			"matches any port if the scheme has no default", []string{"app://a:*", "https://b:*"}, []string{"app://a", "app://a:80", "app://a:443", "https://b:80"}, []string{"https://b:443", "app://b"},
		},
		{
			"matches any port of an IPv6 address", []string{"http://[::1]:*"}, []string{"http://[::1]", "http://[::1]:8080"}, []string{"http://[::1", "http://[:", "http://[::1]80"},
		},
		{
			"matches any host and port of a scheme", []string{"moz-extension://*", "app://."},
			[]string{"moz-extension://0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "moz-extension://A", "moz-extension://.", "moz-extension://a:1", "moz-extension://[::1]", "app://."},
			[]string{"moz-extension://", "moz-extension://:1", "moz-extension://a:0", "moz-extension://a/b", "moz-extension://u@a", "moz-extension://*", "moz-extension:a", "moz-extension://" + host253 + "a", "app://a", "https://a"},
		},
		{
			"matches any host and port of http and https", []string{"https://*", "http://*"},
			[]string{"https://example.com", "https://localhost:8443", "https://[::1]:1", "https://" + host253 + ".:65535", "http://127.0.0.1", "http://a_b."},
			[]string{"https://", "http://", "https://:1", "https://a:443", "http://a:80", "https://A.example", "https://a/", "https://u@a", "https://*", "https://1.2.3", "https://" + host253 + "a", "https:a", "https", "htps://a", "wss://a", "null", "file://"},
		},
		{
			"matches opaque origins", []string{"null", "file://"}, []string{"null", "file://"}, []string{"Null", "nul", "file:///", "file://a", "file:"},
		},
		{
			"matches hosts that are as long as DNS allows", []string{"https://*." + host253[2:], "https://a-*." + host253[4:], "https://" + host253 + ".:*", "app://*." + host253[2:] + ".:*"},
			[]string{"https://b." + host253[2:], "https://a-a." + host253[4:], "https://" + host253 + ".:65535", "app://b." + host253[2:] + ".:65535"},
			[]string{"https://bb." + host253[2:], "https://a-aa." + host253[4:], "https://" + host253, "app://bb." + host253[2:] + ".:65535"},
		},
		{
			"does not match labels that are too short for the text around a wildcard", []string{"https://a-*.example.com", "https://*-preview.example.com", "https://proj-*-x.example.com", "https://p-*-x.example.com", "app://p-*-y.example.com"},
			[]string{"https://p-1-x.example.com", "https://1-preview.example.com", "https://proj-x-x.example.com", "https://a-x.example.com", "app://p---y.example.com"},
			[]string{"https://x.example.com", "https://-x.example.com", "https://p-x.example.com", "https://p--x.example.com", "https://proj--x.example.com", "https://-preview.example.com", "https://a-.example.com", "a-x.example.com", "app:p-1-y.example.com", "p-1-x.example.com", ":.example.com", ":/.example.com", "https:/p-1-x.example.com"},
		},
		{
			"matches domains with different numbers of labels", []string{"https://*.a.b.c.example", "https://*.test", "https://x-*.y.z.example:8443"},
			[]string{"https://1.a.b.c.example", "https://1.2.test", "https://x-1.y.z.example:8443"},
			[]string{"https://a.b.c.example", "https://1.b.c.example", "https://1.example", "https://test", "https://x-1.z.example:8443"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSet(t, test.patterns...)
			for _, o := range test.allowed {
				if !s.Contains(o) {
					t.Errorf("%q is not allowed", o)
				}
			}
			for _, o := range test.rejected {
				if s.Contains(o) {
					t.Errorf("%q is allowed", o)
				}
			}
			for _, o := range slices.Concat(test.allowed, test.rejected) {
				if n := testing.AllocsPerRun(5, func() { s.Contains(o) }); n > 0 {
					t.Errorf("%q: %v allocations", o, n)
				}
			}
		})
	}
}

// membersOf returns origins that a pattern allows, if they are not too long.
func membersOf(pattern string) []string {
	portless, anyPort := strings.CutSuffix(pattern, ":*")
	var members []string
	for _, name := range []string{"a", "x-1", "b2.c_"} {
		s := strings.Replace(portless, "*", name, 1)
		if anyPort {
			members = append(members, s, s+":65535", s+":1")
		} else {
			members = append(members, s)
		}
	}
	return members
}

// nearMisses returns strings that are almost s. Some have the byte b at index
// at, inserted or as a replacement. Others have a byte or a label less or more,
// or another port.
func nearMisses(s string, at uint, b byte) []string {
	i := int(at % uint(len(s)))
	scheme, authority, _ := strings.Cut(s, "://")
	_, parent, _ := strings.Cut(authority, ".")
	portless := s[:max(strings.LastIndexByte(s, ':'), 0)]
	c := string([]byte{b}) // not the rune b
	dot := i + strings.IndexByte(s[i:], '.')
	return []string{
		s[:i] + c + s[i:],
		s[:i] + c + s[i+1:],
		s[:i] + s[i+1:],
		s + c,
		s[:max(dot, 0)] + s[dot+1:],
		scheme + "://" + parent,
		scheme + "://" + c + authority,
		scheme + "://" + c + "." + authority,
		scheme + "s://" + authority,
		portless,
		portless + ":80",
		s + ":443",
		s + ":8080",
		s + "0",
	}
}

// FuzzOrigin compares a set of patterns, and a set of each pattern alone, with
// package naive.
func FuzzOrigin(f *testing.F) {
	for _, sample := range naive.Samples {
		f.Add("https://example.com\nhttps://*.example.com\nhttp://localhost:*\nhttps://proj-*-team.example.com\nmoz-extension://*\n"+sample, sample, uint(9), byte('.'))
	}
	f.Add("https://foo.com\nhttps://bar.com", "https://barfoo.com", uint(8), byte('r'))
	f.Add("https://*.foo.com\nhttps://*.oo.com", "https://a.foo.com", uint(10), byte('b'))
	f.Add("https://*.example.com\nhttps://*.example.com:8443", "https://a.example.com:8444", uint(9), byte(':'))
	f.Add("https://a-*.example.com\nhttps://*-b.example.com\nhttps://a-*-b.example.com", "https://a-b.example.com", uint(10), byte('-'))
	f.Add("https://a-*-b.example.com\nhttps://a-*-c.example.com\nhttps://d-*-b.example.com", "https://d-1-c.example.com", uint(10), byte('-'))
	f.Add("https://example.com", "https://example.com.evil.example", uint(19), byte('/'))

	f.Fuzz(func(t *testing.T, patterns, o string, at uint, b byte) {
		if got, want := origin.Valid(o), naive.IsOrigin(o); got != want {
			t.Errorf("%q: Valid is %t, want %t", o, got, want)
		}
		var union []string
		var alone []*origin.Set
		var exprs []*regexp.Regexp
		candidates := []string{o}
		all := new(origin.Set)
		for pattern := range strings.SplitSeq(patterns, "\n") {
			p, err := origin.Parse(pattern)
			if (err == nil) != naive.IsPattern(pattern) {
				t.Errorf("%q: got %v, want a pattern: %t", pattern, err, naive.IsPattern(pattern))
			}
			if err != nil || len(union) == 8 {
				continue
			}
			union = append(union, pattern)
			one := new(origin.Set)
			one.Add(p)
			all.Add(p)
			alone = append(alone, one)
			exprs = append(exprs, naive.Expression(pattern))
			for _, member := range membersOf(pattern) {
				candidates = append(candidates, member)
				candidates = append(candidates, nearMisses(member, at, b)...)
			}
		}
		for _, o := range candidates {
			any, wellFormed := false, o == "null" || o == "file://" || naive.IsOrigin(o)
			for i, pattern := range union {
				want := wellFormed && exprs[i].MatchString(o)
				if got := alone[i].Contains(o); got != want {
					t.Errorf("pattern %q alone allows %q: %t, want %t", pattern, o, got, want)
				}
				any = any || want
			}
			if got := all.Contains(o); got != any {
				t.Errorf("patterns %q together allow %q: %t, want %t", union, o, got, any)
			}
		}
	})
}

// TestGrow counts allocations, so it is not parallel.
func TestGrow(t *testing.T) {
	manyPatterns := append(numbered("https://*.customer-#.example", 100), numbered("http://localhost-#:*", 100)...)
	for _, test := range []struct {
		name     string
		patterns []string
		allocate bool
	}{
		{"an empty list", nil, false},
		{"one origin, which needs no map", []string{"https://example.com"}, false},
		{"two origins", []string{"https://example.com", "null"}, true},
		{"patterns", manyPatterns, false},
		{"one origin and patterns", append(slices.Clip(manyPatterns), "https://example.com"), false},
	} {
		var s origin.Set
		if allocs := testing.AllocsPerRun(5, func() { s.Grow(test.patterns) }); allocs > 0 != test.allocate {
			t.Errorf("%s: %v allocations", test.name, allocs)
		}
	}
}

// TestOneOriginNeedsNoMap counts allocations, so it is not parallel.
func TestOneOriginNeedsNoMap(t *testing.T) {
	p := parse(t, "https://example.com")[0]
	var s origin.Set
	allocs := testing.AllocsPerRun(5, func() {
		s = origin.Set{}
		s.Add(p)
	})
	if allocs > 0 || !s.Contains("https://example.com") {
		t.Errorf("%v allocations", allocs)
	}
}

// TestSetsAllowTheUnion is like FuzzOrigin, with sets of up to 3,000 patterns of
// every kind. The names in the patterns have common beginnings and ends.
func TestSetsAllowTheUnion(t *testing.T) {
	t.Parallel()
	const seed = 1
	rnd := rand.New(rand.NewPCG(seed, seed))
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	randomPattern := func() string {
		if rnd.IntN(20) == 0 {
			return pick("app", "tauri", "moz-extension") + "://" + pick("*", ".", "", "a", "foo.com")
		}
		if rnd.IntN(20) == 0 {
			return pick("null", "file://", "http://127.0.0.1", "http://127.0.0.1:*", "http://[::1]:*", "https://[2001:db8::1]:8080")
		}
		s := pick("https", "http", "app") + "://" + pick("", "", "*.", "a-*.", "*-a.", "a-*-b.", "ab-*.", "*--b.", "a-b-*-a.")
		for range rnd.IntN(4) {
			s += pick("a", "b", "ab", "foo", "bar", "barfoo", "a-b") + pick("", "", "x", "1") + "."
		}
		return s + pick("test", "local", "foo.com", "bar.com") + pick("", "", "", ".") + pick("", "", ":*", ":8080", ":8081", ":808")
	}
	for _, size := range []int{1, 2, 3, 10, 100, 3000} {
		var union []string
		for range size {
			union = append(union, randomPattern())
		}
		s := newSet(t, union...)
		var exprs []*regexp.Regexp
		for _, pattern := range union {
			exprs = append(exprs, naive.Expression(pattern))
		}
		var candidates []string
		for range 60 {
			for _, member := range membersOf(pick(union...)) {
				candidates = append(candidates, member)
				candidates = append(candidates, nearMisses(member, rnd.Uint(), pick("a", ".", ":", "1", "-", "x")[0])...)
			}
		}
		allowed := 0
		for _, o := range candidates {
			want := (o == "null" || o == "file://" || naive.IsOrigin(o)) && slices.ContainsFunc(exprs, func(e *regexp.Regexp) bool { return e.MatchString(o) })
			if got := s.Contains(o); got != want {
				t.Errorf("seed %d: %d patterns allow %q: %t, want %t", seed, size, o, got, want)
			}
			if want {
				allowed++
			}
		}
		if allowed == 0 || allowed == len(candidates) {
			t.Errorf("%d patterns: %d of %d candidates are allowed, so the test compares nothing", size, allowed, len(candidates))
		}
	}
}

// TestHugeOriginsAreNotRead checks that a set rejects an origin of 1 MB by its
// length. If the set searched or hashed the origin, the cost would be a thousand
// times the cost of an origin of 1 KB.
func TestHugeOriginsAreNotRead(t *testing.T) {
	for name, s := range map[string]*origin.Set{
		"nothing":      newSet(t),
		"origins":      newSet(t, numbered("https://app#.example.com", 100)...),
		"subdomains":   newSet(t, "https://*.example.com"),
		"hyphens":      newSet(t, "https://pr-*.example.com"),
		"any port":     newSet(t, "http://localhost:*"),
		"any app host": newSet(t, "moz-extension://*"),
	} {
		for _, scheme := range []string{"https", "http", "moz-extension"} {
			cost := func(n int) time.Duration {
				o := scheme + "://" + strings.Repeat("a", n)
				return testkit.PerCall(20, func(int) {
					if s.Contains(o) {
						t.Errorf("%s: %d bytes are allowed", name, len(o))
					}
				})
			}
			if short, long := cost(1<<10), cost(1<<20); long > 50*max(short, 1) {
				t.Errorf("%s: an origin of %s takes %v with 1 KB and %v with 1 MB", name, scheme, short, long)
			}
		}
	}
}

// Found in this package: with patterns for one host with 20,000 schemes, New
// was quadratic and a lookup was linear. The same applies to heads and tails.
func TestFieldBugManySchemesForOneHost(t *testing.T) {
	for name, pattern := range map[string]string{
		"schemes":    "s%d://*.example.com",
		"beginnings": "https://p%d-*.example.com",
		"ends":       "https://*-p%d.example.com",
	} {
		const few, many = 100, 20_000
		cost := make(map[int]time.Duration)
		costOfAdd := make(map[int]time.Duration)
		for _, n := range []int{few, many} {
			var patterns []string
			for i := range n {
				patterns = append(patterns, fmt.Sprintf(pattern, i))
			}
			parsed := parse(t, patterns...)
			// All measurements add the same number of patterns, so a busy
			// machine affects all of them equally.
			costOfAdd[n] = testkit.PerCall(many/n, func(int) {
				s := new(origin.Set)
				for _, p := range parsed {
					s.Add(p)
				}
			}) / time.Duration(n)
			s := newSet(t, patterns...)
			cost[n] = testkit.PerCall(1000, func(i int) {
				if !s.Contains(strings.Replace(patterns[n-1-i%10], "*", "a", 1)) {
					t.Fatal("a listed origin is rejected")
				}
			})
		}
		// The number of patterns grows 200 times.
		if cost[many] > 40*cost[few] || costOfAdd[many] > 40*costOfAdd[few] {
			t.Errorf("%s: a lookup takes %v among %d and %v among %d; adding takes %v and %v each", name, cost[few], few, cost[many], many, costOfAdd[few], costOfAdd[many])
		}
	}
}

// kinds are kinds of patterns, for benchmarks of sets with many patterns of one
// kind. In each string, "#" is replaced by a number.
var kinds = []struct {
	name, pattern, allowed, rejected string
}{
	{"origins", "https://app#.example.com", "https://app#.example.com", "https://app#.example.org"},
	{"domains", "https://*.d#.example", "https://a.d#.example", "https://a.e#.example"},
	{"beginnings-one-domain", "https://p#-*-team.example.com", "https://p#-git-main-team.example.com", "https://q#-git-main-team.example.com"},
	{"ends-one-domain", "https://proj-*-t#.example.com", "https://proj-git-main-t#.example.com", "https://proj-git-main-u#.example.com"},
	{"hyphens-many-domains", "https://proj-*-team.d#.example", "https://proj-git-main-team.d#.example", "https://proj-git-main-crew.d#.example"},
	{"schemes-one-domain", "s#://*.example.com", "s#://a.example.com", "t#://a.example.com"},
	{"schemes-one-host", "s#://example.com", "s#://example.com", "t#://example.com"},
	{"schemes-any-host", "s#://*", "s#://0a1b2c3d-4e5f", "t#://0a1b2c3d-4e5f"},
	{"any-port", "http://h#.localhost:*", "http://h#.localhost:3000", "http://i#.localhost:3000"},
}

// numbered returns n copies of s, with a number instead of "#". The numbers have
// equal length, so all origins take equal time to read.
func numbered(s string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, strings.ReplaceAll(s, "#", fmt.Sprintf("%06d", i)))
	}
	return all
}

// BenchmarkContains looks up an origin that the middle pattern allows, and an
// attacker's origin that is almost the same.
func BenchmarkContains(b *testing.B) {
	for _, kind := range kinds {
		for _, n := range []int{1, 10, 1000, 100_000} {
			s := newSet(b, numbered(kind.pattern, n)...)
			for _, lookup := range []struct {
				name, origin string
				want         bool
			}{
				{"hit", numbered(kind.allowed, n)[n/2], true},
				{"miss", numbered(kind.rejected, n)[n/2], false},
			} {
				b.Run(fmt.Sprintf("%s/%s/n=%d", kind.name, lookup.name, n), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if s.Contains(lookup.origin) != lookup.want {
							b.Fatalf("the set allows %q: %t", lookup.origin, !lookup.want)
						}
					}
				})
			}
		}
	}
}

// BenchmarkAdd adds patterns to sets. The cost is linear if ns/pattern grows
// only because the maps become larger than the caches of the processor.
func BenchmarkAdd(b *testing.B) {
	for _, kind := range kinds {
		for _, n := range []int{10, 1000, 100_000} {
			patterns := parse(b, numbered(kind.pattern, n)...)
			b.Run(fmt.Sprintf("%s/n=%d", kind.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s := new(origin.Set)
					for _, p := range patterns {
						s.Add(p)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/pattern")
			})
		}
	}
}

func BenchmarkValid(b *testing.B) {
	for _, o := range []string{"https://tenant-1.example.com", "http://[2001:db8::1]:8080", "app://obsidian.md"} {
		b.Run(o, func(b *testing.B) {
			for b.Loop() {
				if !origin.Valid(o) {
					b.Fatal("invalid")
				}
			}
		})
	}
}
