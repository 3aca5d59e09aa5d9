package main

import (
	"bufio"
	"log"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A row is what one benchmark measures. What its name has no key for is empty.
type row struct{ benchmark, policy, request, writer, impl, protocol, engine string }

type report struct {
	values   map[row]map[string][]float64 // by unit, in the order of measurement
	outcomes map[string]outcome           // by "policy=…/request=…/impl=…", where they differ
	facts    map[string][]string          // about the machine and versions: lines such as "cpu: …", by what stands before the colon
}

// An outcome says how what another package makes of a request differs from what
// this one does: with a dagger, in the end; with a double dagger, in its answer.
type outcome struct{ mark, difference string }

func newReport() *report {
	return &report{make(map[row]map[string][]float64), make(map[string]outcome), make(map[string][]string)}
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

// readMeasurement reads lines such as these, and passes over others:
//
//	BenchmarkMiddleware/policy=any/request=actual/writer=reused/impl=rs-2   1000   61.3 ns/op   56 B/op
//	cpu: AMD EPYC
func (r *report) readMeasurement(line string) {
	if name, value, ok := strings.Cut(line, ": "); ok && !strings.Contains(name, " ") {
		if !slices.Contains(r.facts[name], value) {
			r.facts[name] = append(r.facts[name], value)
		}
		return
	}
	fields := strings.Fields(line)
	if len(fields) < 4 || len(fields)%2 != 0 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	b := parseRow(fields[0])
	if r.values[b] == nil {
		r.values[b] = make(map[string][]float64)
	}
	for i := 2; i < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			log.Fatalf("%q: %v", line, err)
		}
		unit := fields[i+1]
		r.values[b][unit] = append(r.values[b][unit], value)
	}
}

func parseRow(name string) row {
	if dash := strings.LastIndexByte(name, '-'); dash >= 0 && strings.Trim(name[dash+1:], "0123456789") == "" {
		name = name[:dash] // without GOMAXPROCS
	}
	benchmark, rest, _ := strings.Cut(strings.TrimPrefix(name, "Benchmark"), "/")
	b := row{benchmark: benchmark}
	// What stands before a "=" is a key. A value may have slashes in it.
	keys := map[string]*string{
		"policy": &b.policy, "request": &b.request, "writer": &b.writer, "impl": &b.impl, "call": &b.impl,
		"protocol": &b.protocol, "engine": &b.engine, "link": new(string),
	}
	var value *string
	for part := range strings.SplitSeq(rest, "/") {
		if key, v, ok := strings.Cut(part, "="); ok && keys[key] != nil {
			value = keys[key]
			*value = v
		} else if value != nil {
			*value += "/" + part
		}
	}
	return b
}

func (r *report) readOutcome(line string) {
	fields := strings.Split(line, "\t")
	r.outcomes[fields[0]] = outcome{fields[1], fields[2]}
}

// outcome returns how what impl makes of the request differs.
func (r *report) outcome(policy, request, impl string) outcome {
	switch policy {
	case "origins-100000", "origins-1000000":
		policy = "origins-1000"
	}
	return r.outcomes["policy="+policy+"/request="+request+"/impl="+impl]
}

// median returns the median of what was measured in that unit, and NaN for what
// was not measured.
func (r *report) median(b row, unit string) float64 {
	m, _, _ := median(r.values[b][unit])
	return m
}

// median returns the median, and the 95 % confidence interval of it by the ranks
// of the values, which the binomial distribution gives whatever they are
// distributed like. Of fewer than six values it is from the least to the
// greatest, and less sure.
func median(values []float64) (m, low, high float64) {
	n := len(values)
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	// As many values as possible are left out at either end, so that the median
	// lies there with a probability of at most 2.5 %: each value is below it or
	// above, as a coin falls.
	out := 0
	probability := math.Pow(0.5, float64(n)) // of none below it
	for sum := probability; sum <= 0.025; sum += probability {
		out++
		probability *= float64(n-out+1) / float64(out) // of exactly that many
	}
	rank := max(0, out-1)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[rank], sorted[n-1-rank]
}

// onGrid is the row of a request of the grid.
func onGrid(policy, request, impl string) row {
	return row{benchmark: "Middleware", policy: policy, request: request, writer: "reused", impl: impl}
}

// leastUnit is the unit of how long a request takes in the fastest run of a pass.
const leastUnit = "least-ns/op"

// least returns the least of all passes, and NaN for what was not measured.
func (r *report) least(b row) float64 {
	if passes := r.values[b][leastUnit]; len(passes) > 0 {
		return slices.Min(passes)
	}
	return math.NaN()
}

// grid returns what a request of the grid costs, in nanoseconds.
func (r *report) grid(policy, request, impl string) float64 {
	return r.least(onGrid(policy, request, impl))
}

// ratios returns, pass by pass or round by round, what was measured of mine
// divided by what was of other's.
func (r *report) ratios(mine, other row, unit string) []float64 {
	var ratios []float64
	for i := range min(len(r.values[mine][unit]), len(r.values[other][unit])) {
		ratios = append(ratios, r.values[mine][unit][i]/r.values[other][unit][i])
	}
	return ratios
}

// underLoad returns, round by round, what impl needed under load divided by what
// other did.
func (r *report) underLoad(protocol, request, impl, other, unit string) []float64 {
	of := func(impl string) row {
		return row{benchmark: "Load", protocol: protocol, request: request, impl: impl}
	}
	return r.ratios(of(impl), of(other), unit)
}

// underAllLoad returns the same over all protocols: for each round, the geometric
// mean.
func (r *report) underAllLoad(impl, other, unit string) []float64 {
	var rounds []mean
	for _, protocol := range protocols {
		for _, kind := range kinds {
			for i, x := range r.underLoad(protocol, kind, impl, other, unit) {
				if i == len(rounds) {
					rounds = append(rounds, mean{})
				}
				rounds[i].add(x)
			}
		}
	}
	var values []float64
	for _, m := range rounds {
		values = append(values, m.value())
	}
	return values
}

// A mean is geometric.
type mean struct {
	logs float64
	n    int
}

func (m *mean) add(x float64) { m.logs, m.n = m.logs+math.Log(x), m.n+1 }

func (m *mean) value() float64 { return math.Exp(m.logs / float64(m.n)) }
