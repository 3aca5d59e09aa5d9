package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

var (
	policies = []string{
		"origins-1", "origins-10", "origins-1000", "origins-100000", "origins-1000000", "patterns-10", "patterns-1000",
		"hyphens-10", "hyphens-1000", "hyphens-varied-10", "hyphens-varied-1000", "hyphens-of-10-domains", "hyphens-of-1000-domains", "schemes-10", "schemes-1000",
		"any", "credentialed", "func",
	}
	requests = []string{"no-origin", "actual", "actual-rejected", "preflight", "preflight-20-headers", "preflight-rejected"}
	mainRows = map[string][]string{
		"origins-1":           requests,
		"origins-1000":        {"actual", "preflight"},
		"origins-1000000":     {"actual"},
		"patterns-10":         {"actual"},
		"patterns-1000":       {"actual"},
		"hyphens-1000":        {"actual"},
		"hyphens-varied-1000": {"actual"},
		"schemes-1000":        {"actual"},
		"any":                 {"actual", "preflight"},
		"credentialed":        {"actual", "preflight"},
		"func":                {"actual"},
	}
	peers   = []string{"rs", "chi", "gorilla", "gin", "echo", "fiber"}
	columns = append([]string{"this", "floor-safe", "floor-shared"}, peers...)
	labels  = map[string]string{
		"none": "no CORS", "floor-safe": "by hand", "floor-shared": "by hand, shared", "floor-trusting": "by hand, not validating", "floor-again": "by hand, again", "this": "this package",
		"rs": "rs/cors", "chi": "go-chi/cors", "gorilla": "gorilla/handlers", "gin": "gin", "echo": "echo", "fiber": "fiber",
	}
	protocols = []string{"HTTP/1.1", "HTTP/1.1-TLS", "HTTP/2", "HTTP/2-TLS"}
	kinds     = []string{"actual", "preflight"}
	engines   = []string{"chromium", "firefox", "webkit"}
	browsers  = map[string]string{"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKitGTK"}
)

// machine says what everything was measured with.
func (r *report) machine() string {
	fact := func(name string) string {
		if len(r.facts[name]) == 0 {
			return "unknown"
		}
		return strings.Join(r.facts[name], ", ")
	}
	var modules []string
	for _, module := range r.facts["module"] {
		path, version, _ := strings.Cut(module, " ")
		modules = append(modules, strings.TrimPrefix(path, "github.com/")+" "+strings.TrimPrefix(version, "v"))
	}
	return fmt.Sprintf("Measured at %s on %s, in %s passes over everything, %s short ones over the grid up to 1,000 origins, and %s rounds under load, on %s cores of an %s with %s, and %s. The load average was %s before and %s afterwards.\n",
		fact("commit"), fact("date"), fact("passes"), fact("short-passes"), fact("rounds"), fact("cores"), fact("cpu"), strings.Replace(fact("go"), "go", "Go ", 1), strings.Join(modules, ", "),
		fact("load-before"), fact("load-after"))
}

// head begins a table whose first column is wide.
func head(titles ...string) string {
	return "| " + strings.Join(titles, " | ") + " |\n|---|" + strings.Repeat("--:|", len(titles)-1) + "\n"
}

// cell returns the cell of a table for a request of the grid, with the mark of
// another outcome.
func (r *report) cell(policy, request, writer, impl string) string {
	b := row{benchmark: "Middleware", policy: policy, request: request, writer: writer, impl: impl}
	ns := r.least(b)
	if writer == "recorder" {
		ns = r.median(b, "ns/op")
	}
	if math.IsNaN(ns) {
		return "  |"
	}
	return " " + nanoseconds(ns) + r.outcome(policy, request, impl).mark + " |"
}

// table returns what requests of the grid cost. The rows are those that shown has
// by policy, or all if it is nil.
func (r *report) table(writer string, impls []string, shown map[string][]string) string {
	titles := []string{"policy, request"}
	for _, impl := range impls {
		titles = append(titles, labels[impl])
	}
	var s strings.Builder
	s.WriteString(head(titles...))
	for _, policy := range policies {
		for _, request := range requests {
			this := row{benchmark: "Middleware", policy: policy, request: request, writer: writer, impl: "this"}
			if shown != nil && !slices.Contains(shown[policy], request) || r.values[this] == nil {
				continue
			}
			fmt.Fprintf(&s, "| %s, %s |", policy, request)
			for _, impl := range impls {
				s.WriteString(r.cell(policy, request, writer, impl))
			}
			s.WriteString("\n")
		}
	}
	return s.String()
}

// nanoseconds writes ns with three digits or, below a thousand, none after the
// decimal point.
func nanoseconds(ns float64) string {
	switch {
	case ns < 999.5:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 999.5e3:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	case ns < 999.5e6:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	default:
		return fmt.Sprintf("%.3g s", ns/1e9)
	}
}

// endToEnd compares with code by hand under load: each handler over all protocols,
// and this library in each.
func (r *report) endToEnd() string {
	units := []string{"ns/op", "cpu-ns", "p50-ns", "p99-ns"}
	titles := []string{"requests per second", "CPU time per request", "median time", "99th percentile"}
	// cell writes a median; requests per second are the more, the less time there
	// is between them.
	cell := func(ratios []float64, unit string) string {
		m, low, high := median(ratios)
		if unit == "ns/op" {
			m, low, high = 1/m, 1/high, 1/low
		}
		return fmt.Sprintf(" %.3f (%.3f to %.3f) |", m, low, high)
	}
	var s strings.Builder
	s.WriteString(head(append([]string{"handler; code by hand is 1"}, titles...)...))
	for _, impl := range []string{"none", "floor-again", "this", "rs", "chi"} {
		fmt.Fprintf(&s, "| %s |", labels[impl])
		for _, unit := range units {
			s.WriteString(cell(r.underAllLoad(impl, "floor-safe", unit), unit))
		}
		s.WriteString("\n")
	}
	s.WriteString("\nThese are medians of the rounds, with their 95 % confidence intervals, one in twenty of which misses: above, of the geometric means over\nall protocols, and below, of this package alone, for each.\n\n")
	s.WriteString(head(append([]string{"protocol, request"}, titles...)...))
	for _, protocol := range protocols {
		for _, kind := range kinds {
			if len(r.underLoad(protocol, kind, "this", "floor-safe", "ns/op")) == 0 {
				continue
			}
			fmt.Fprintf(&s, "| %s, %s |", protocol, kind)
			for _, unit := range units {
				s.WriteString(cell(r.underLoad(protocol, kind, "this", "floor-safe", unit), unit))
			}
			s.WriteString("\n")
		}
	}
	return s.String()
}

// endToEndInFull lists what was measured under load.
func (r *report) endToEndInFull() string {
	var s strings.Builder
	s.WriteString("Medians, and this package's requests per second divided by the other's:\n\n")
	s.WriteString(head("protocol, request, handler", "requests per second", "CPU time per request", "median time", "99th percentile", "this package / it"))
	for _, protocol := range protocols {
		for _, kind := range kinds {
			for _, impl := range []string{"none", "floor-safe", "floor-again", "this", "rs", "chi"} {
				b := row{benchmark: "Load", protocol: protocol, request: kind, impl: impl}
				if r.values[b] == nil {
					continue
				}
				ratio, _, _ := median(r.underLoad(protocol, kind, "this", impl, "ns/op"))
				fmt.Fprintf(&s, "| %s, %s, %s | %.0f | %s | %s | %s | %.3f |\n", protocol, kind, labels[impl], 1e9/r.median(b, "ns/op"),
					nanoseconds(r.median(b, "cpu-ns")), nanoseconds(r.median(b, "p50-ns")), nanoseconds(r.median(b, "p99-ns")), 1/ratio)
			}
		}
	}
	return s.String()
}

// session returns how many milliseconds a session takes, and how many preflights.
func (r *report) session(engine, impl string) (ms, preflights float64) {
	b := row{benchmark: "RoundTrips", engine: engine}
	return r.median(b, impl+"-ms"), r.median(b, impl+"-preflights")
}

// roundTrips lists what sessions cost the user of a page, each beside the least
// that it can take over the link.
func (r *report) roundTrips() string {
	const calls, roundTrip = 20, 0.08 // seconds
	cell := func(ms, preflights float64) string {
		return fmt.Sprintf("%.2f s; %d + %.0f round trips: %.2f s", ms/1000, calls, preflights, (calls+preflights)*roundTrip)
	}
	var s strings.Builder
	s.WriteString(head("20 calls, 80 ms there and back", "this package", "rs/cors", "saved"))
	for _, engine := range engines {
		this, preflights := r.session(engine, "this")
		rs, more := r.session(engine, "rs")
		if !math.IsNaN(this) {
			fmt.Fprintf(&s, "| %s | %s | %s | %.2f s; %.0f round trips: %.2f s |\n", browsers[engine], cell(this, preflights), cell(rs, more),
				(rs-this)/1000, more-preflights, (more-preflights)*roundTrip)
		}
	}
	return s.String()
}

// start lists what policies cost before and between requests.
func (r *report) start() string {
	var s strings.Builder
	s.WriteString(head("policy", "`New`", "memory", "a map of the origins", "its memory"))
	for _, n := range []int{1, 1000, 1_000_000} {
		of := func(impl string) row {
			return row{benchmark: "New", policy: fmt.Sprint("origins-", n), impl: impl}
		}
		this, bare := of("this"), of("map")
		if r.values[this] == nil {
			continue
		}
		memory := func(b row) string {
			inUse := r.median(b, "B-in-use")
			if n == 1 {
				return fmt.Sprintf("%.2g KiB", inUse/1024)
			}
			return fmt.Sprintf("%.0f bytes per origin", inUse/float64(n))
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %s |\n", count(n, "origin"), nanoseconds(r.median(this, "ns/op")), memory(this), nanoseconds(r.median(bare, "ns/op")), memory(bare))
	}
	idle := row{benchmark: "Idle"}
	fmt.Fprintf(&s, "\nA `Middleware` with a policy of 1,000 origins holds %.0f KiB, and after its policy has been set 1,000 times %.0f KiB.\n",
		r.median(idle, "B-once")/1024, r.median(idle, "B-often")/1024)
	return s.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// others lists what is in no table: medians, and the least of hostile requests.
func (r *report) others() string {
	var lines []string
	for b := range r.values {
		switch b.benchmark {
		case "Middleware", "Load", "RoundTrips", "Idle":
			continue
		}
		name := strings.Join(strings.Fields(b.benchmark+" "+b.policy+" "+b.request+" "+b.impl), ", ")
		ns := r.median(b, "ns/op")
		if b.benchmark == "Hostile" {
			ns = r.least(b)
		}
		lines = append(lines, fmt.Sprintf("%s: %s\n", name, nanoseconds(ns)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
