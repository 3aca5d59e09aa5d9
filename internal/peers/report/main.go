// Command report turns the output of the benchmarks in internal/peers into what
// docs/performance.md shows: a table of the grid's main rows, and a chart of
// cost against the number of origins, in light and in dark. After that table it
// writes the ratios that the library is held to, the medians of all that is not
// in the grid, and the whole grid.
//
//	go test -run '^$' -bench . -benchtime 20ms -count 10 >new.txt
//	go run ./report new.txt
//
// The marks of rows with another outcome come from testdata/outcomes.txt, which
// the tests write; the charts go to charts/.
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: report benchmark-output...")
	}
	r := report{times: make(map[row][]float64), inUse: make(map[string]float64), marks: make(map[string]string)}
	for _, file := range os.Args[1:] {
		r.readBenchmarks(file)
	}
	r.readOutcomes("testdata/outcomes.txt")
	isMain := func(policy, request string) bool { return slices.Contains(mainRows[policy], request) }
	isAny := func(string, string) bool { return true }
	fmt.Printf("## Main rows\n\nMedians. † marks another outcome than this package's, ‡ the same from another answer; testdata/outcomes.txt says which.\n\n%s\n", r.table("reused", isMain))
	fmt.Printf("## Ratios\n\nOver the rows with the same outcome, with those over the limit.\n\n```\n%s```\n\n", r.ratios())
	fmt.Printf("## Beside the grid\n\n```\n%s```\n\n", r.others())
	fmt.Printf("## All rows, with a reused writer\n\n%s\n", r.table("reused", isAny))
	fmt.Printf("## All rows, with a fresh httptest.ResponseRecorder\n\n%s\n", r.table("recorder", isAny))
	for _, theme := range []theme{light, dark} {
		name := "charts/origins-" + theme.name + ".svg"
		if err := os.MkdirAll("charts", 0o777); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(r.chart(theme)), 0o666); err != nil {
			log.Fatal(err)
		}
	}
}

// A row is what one benchmark measured. What a benchmark has no key for is empty.
type row struct{ benchmark, policy, request, writer, impl string }

type report struct {
	times map[row][]float64  // in nanoseconds
	inUse map[string]float64 // by implementation: the bytes of a policy of a million origins
	marks map[string]string  // by "policy=…/request=…/impl=…": that the outcome differs
}

// readBenchmarks reads lines such as
//
//	BenchmarkMiddleware/policy=any/request=actual/writer=reused/impl=rs-2   1000   61.3 ns/op
func (r *report) readBenchmarks(file string) {
	eachLine(file, func(line string) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") || fields[3] != "ns/op" {
			return
		}
		name := fields[0]
		if dash := strings.LastIndexByte(name, '-'); dash > strings.LastIndexByte(name, '=') {
			name = name[:dash] // without GOMAXPROCS
		}
		var b row
		for i, part := range strings.Split(name, "/") {
			key, value, _ := strings.Cut(part, "=")
			switch {
			case i == 0:
				b.benchmark = strings.TrimPrefix(part, "Benchmark")
			case key == "policy":
				b.policy = value
			case key == "request":
				b.request = value
			case key == "writer":
				b.writer = value
			case key == "impl", key == "call":
				b.impl = value
			}
		}
		ns, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			log.Fatal(err)
		}
		r.times[b] = append(r.times[b], ns)
		if b.benchmark == "New" {
			bytes, err := strconv.ParseFloat(fields[4], 64)
			if err != nil || fields[5] != "B-in-use" {
				log.Fatalf("no B-in-use in %q", line)
			}
			r.inUse[b.impl] = bytes
		}
	})
}

func (r *report) readOutcomes(file string) {
	eachLine(file, func(line string) {
		fields := strings.Split(line, "\t")
		r.marks[fields[0]] = fields[1]
	})
}

func eachLine(file string, do func(line string)) {
	f, err := os.Open(file)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		do(lines.Text())
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

// median returns NaN for what was not measured.
func (r *report) median(b row) float64 {
	times := slices.Sorted(slices.Values(r.times[b]))
	n := len(times)
	if n == 0 {
		return math.NaN()
	}
	return (times[(n-1)/2] + times[n/2]) / 2
}

func (r *report) grid(policy, request, impl string) float64 {
	return r.median(row{"Middleware", policy, request, "reused", impl})
}

// mark returns a dagger if what impl makes of the request differs in the end
// from what this library does, a double dagger if only its answer differs, or
// the empty string.
func (r *report) mark(policy, request, impl string) string {
	switch policy {
	case "origins-100000", "origins-1000000":
		policy = "origins-1000"
	}
	return r.marks["policy="+policy+"/request="+request+"/impl="+impl]
}

var (
	policies = []string{
		"origins-1", "origins-10", "origins-1000", "origins-100000", "origins-1000000", "patterns-10", "patterns-1000", "any", "credentialed", "func",
	}
	requests = []string{"no-origin", "actual", "actual-rejected", "preflight", "preflight-20-headers", "preflight-rejected"}
	mainRows = map[string][]string{
		"origins-1":       {"no-origin", "actual", "actual-rejected", "preflight", "preflight-20-headers", "preflight-rejected"},
		"origins-1000":    {"actual", "preflight"},
		"origins-1000000": {"actual"},
		"patterns-10":     {"actual"},
		"patterns-1000":   {"actual"},
		"any":             {"actual", "preflight"},
		"credentialed":    {"actual", "preflight"},
		"func":            {"actual"},
	}
	peers  = []string{"rs", "chi", "gorilla", "gin", "echo", "fiber"}
	labels = map[string]string{
		"floor-safe": "by hand", "floor-shared": "by hand, shared", "this": "this package",
		"rs": "rs/cors", "chi": "go-chi/cors", "gorilla": "gorilla/handlers", "gin": "gin", "echo": "echo", "fiber": "fiber",
	}
)

// table returns the medians as a table in Markdown, with a dagger at what has
// another outcome.
func (r *report) table(writer string, shown func(policy, request string) bool) string {
	impls := append([]string{"this", "floor-safe", "floor-shared"}, peers...)
	var s strings.Builder
	s.WriteString("| policy, request |")
	for _, impl := range impls {
		s.WriteString(" " + labels[impl] + " |")
	}
	s.WriteString("\n|---|" + strings.Repeat("--:|", len(impls)) + "\n")
	for _, policy := range policies {
		for _, request := range requests {
			if !shown(policy, request) || math.IsNaN(r.median(row{"Middleware", policy, request, writer, "this"})) {
				continue
			}
			fmt.Fprintf(&s, "| %s, %s |", policy, request)
			for _, impl := range impls {
				s.WriteString(" ")
				if ns := r.median(row{"Middleware", policy, request, writer, impl}); !math.IsNaN(ns) {
					s.WriteString(nanoseconds(ns) + r.mark(policy, request, impl))
				}
				s.WriteString(" |")
			}
			s.WriteString("\n")
		}
	}
	return s.String()
}

// nanoseconds writes ns with three digits or, from a thousand on, none after
// the decimal point.
func nanoseconds(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	default:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	}
}

// A ratio is of this library's cost to another's on one row.
type ratio struct {
	row   string
	value float64
}

// ratios lists the ratios to each of the others, over all rows of the grid that
// both have and on which they have the same outcome, and others that have a
// limit.
func (r *report) ratios() string {
	var s strings.Builder
	compare := func(what string, limit float64, ratios []ratio) {
		if len(ratios) == 0 {
			return
		}
		slices.SortFunc(ratios, func(a, b ratio) int { return cmp.Compare(b.value, a.value) })
		logs, over := 0.0, 0
		for _, x := range ratios {
			logs += math.Log(x.value)
			if x.value > limit {
				over++
			}
		}
		fmt.Fprintf(&s, "%-40s geomean %.2f, worst %.2f (%s); %d of %d rows over %.2f\n",
			what, math.Exp(logs/float64(len(ratios))), ratios[0].value, ratios[0].row, over, len(ratios), limit)
		for _, x := range ratios[:over] {
			fmt.Fprintf(&s, "    %.2f %s\n", x.value, x.row)
		}
	}
	for _, other := range []struct {
		impl  string
		limit float64
	}{
		{"floor-safe", 1.25}, {"floor-shared", 1.5}, {"rs", 0.6}, {"chi", 1}, {"gorilla", 1}, {"gin", 1}, {"echo", 1}, {"fiber", 1}, {"jub0bs", 1},
	} {
		var same, inTheEnd []ratio
		for _, policy := range policies {
			for _, request := range requests {
				value := r.grid(policy, request, "this") / r.grid(policy, request, other.impl)
				mark := r.mark(policy, request, other.impl)
				if math.IsNaN(value) || mark == "†" {
					continue
				}
				x := ratio{policy + ", " + request, value}
				inTheEnd = append(inTheEnd, x)
				if mark == "" {
					same = append(same, x)
				}
			}
		}
		compare("this / "+other.impl, other.limit, same)
		if len(inTheEnd) > len(same) {
			compare("this / "+other.impl+", also ‡", other.limit, inTheEnd)
		}
	}
	flat := func(what string, limit float64, of, to string, requests ...string) {
		var ratios []ratio
		for _, request := range requests {
			if value := r.grid(of, request, "this") / r.grid(to, request, "this"); !math.IsNaN(value) {
				ratios = append(ratios, ratio{request, value})
			}
		}
		compare(what, limit, ratios)
	}
	flat("1,000,000 origins / 1", 2, "origins-1000000", "origins-1", requests...)
	flat("1,000 patterns / 10", 2, "patterns-1000", "patterns-10", requests...)
	for _, x := range []struct {
		limit  float64
		of, to string
	}{
		{1.1, "preflight-1MB-of-headers-in-one-line", "preflight"},
		{1.1, "preflight-1MB-of-headers-in-1000-lines", "preflight"},
		{1.1, "preflight-1MB-of-commas", "preflight"},
		{1, "rejected-1MB-of-origin", "rejected"},
		{1, "rejected-1MB-of-origins-in-1000-lines", "rejected"},
		{3, "pattern-127-labels-allowed", "pattern"},
		{3, "pattern-127-labels-rejected", "pattern"},
		{3, "pattern-1MB-of-labels", "pattern"},
	} {
		hostile := func(request string) float64 {
			return r.median(row{benchmark: "Hostile", request: request, impl: "Handler"})
		}
		if value := hostile(x.of) / hostile(x.to); !math.IsNaN(value) {
			compare(x.of, x.limit, []ratio{{"/ " + x.to, value}})
		}
	}
	if value := r.median(row{benchmark: "New", impl: "this"}) / r.median(row{benchmark: "New", impl: "map"}); !math.IsNaN(value) {
		compare("New, time", 3, []ratio{{"a million origins / a map of them", value}})
		compare("New, memory", 1.5, []ratio{{"a million origins / a map of them", r.inUse["this"] / r.inUse["map"]}})
	}
	return s.String()
}

// others lists the medians of what is not in the grid.
func (r *report) others() string {
	var lines []string
	for b := range r.times {
		if b.benchmark != "Middleware" {
			name := strings.Join(strings.Fields(b.benchmark+" "+b.policy+" "+b.request+" "+b.impl), ", ")
			lines = append(lines, fmt.Sprintf("%s: %s\n", name, nanoseconds(r.median(b))))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
