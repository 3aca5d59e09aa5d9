package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A ratio is of this library's cost to another's on one row.
type ratio struct {
	row   string
	value float64
}

// beside returns the ratios to impl over all rows of the grid that both have: of
// those with the same outcome, and of those where only the answer differs, too.
func (r *report) beside(impl string) (same, inTheEnd []ratio) {
	for _, policy := range policies {
		for _, request := range requests {
			value := r.grid(policy, request, "this") / r.grid(policy, request, impl)
			mark := r.outcome(policy, request, impl).mark
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
	return same, inTheEnd
}

// summary returns the geometric mean and the greatest of ratios.
func summary(ratios []ratio) (geometric float64, worst ratio) {
	if len(ratios) == 0 {
		return math.NaN(), ratio{"none", math.NaN()}
	}
	var m mean
	for _, x := range ratios {
		m.add(x.value)
	}
	return m.value(), slices.MaxFunc(ratios, func(a, b ratio) int { return cmp.Compare(a.value, b.value) })
}

// besideByHand says how far this library is from code by hand, and shows the code
// by hand that does not validate what it asks a func about.
func (r *report) besideByHand() string {
	same, _ := r.beside("floor-safe")
	geometric, worst := summary(same)
	var s strings.Builder
	fmt.Fprintf(&s, "Over all rows, this package takes %.2f times (geometric mean) what code by hand takes, and at most %.2f times (`%s`).\n\n", geometric, worst.value, worst.row)
	impls := []string{"this", "floor-safe", "floor-trusting", "rs"}
	s.WriteString(head("policy, request", "this package", "by hand, validating", "by hand, not validating", "rs/cors, not validating"))
	for _, request := range requests {
		if math.IsNaN(r.grid("func", request, "this")) {
			continue
		}
		fmt.Fprintf(&s, "| func, %s |", request)
		for _, impl := range impls {
			s.WriteString(r.cell("func", request, "reused", impl))
		}
		s.WriteString("\n")
	}
	return s.String()
}

// limits lists the ratios to each of the others, and others that have a limit.
func (r *report) limits() string {
	var s strings.Builder
	compare := func(what string, limit float64, ratios ...ratio) {
		ratios = slices.DeleteFunc(ratios, func(x ratio) bool { return math.IsNaN(x.value) })
		if len(ratios) == 0 {
			return
		}
		slices.SortFunc(ratios, func(a, b ratio) int { return cmp.Compare(b.value, a.value) })
		over := 0
		for _, x := range ratios {
			if x.value > limit {
				over++
			}
		}
		geometric, worst := summary(ratios)
		fmt.Fprintf(&s, "%-40s geomean %.2f, worst %.2f (%s); %d of %d rows over %.2f\n", what, geometric, worst.value, worst.row, over, len(ratios), limit)
		for _, x := range ratios[:over] {
			fmt.Fprintf(&s, "    %.2f %s\n", x.value, x.row)
		}
	}
	for _, other := range []struct {
		impl  string
		limit float64
	}{
		{"floor-safe", 1.15}, {"floor-shared", 1.5}, {"rs", 0.6}, {"chi", 1}, {"gorilla", 1}, {"gin", 1}, {"echo", 1}, {"fiber", 1},
	} {
		same, inTheEnd := r.beside(other.impl)
		compare("this / "+other.impl, other.limit, same...)
		if len(inTheEnd) > len(same) {
			compare("this / "+other.impl+", also ‡", other.limit, inTheEnd...)
		}
	}
	for _, load := range []struct {
		what, mine, other, unit string
		limit                   float64
	}{
		{"by hand / this, requests per second", "this", "floor-safe", "ns/op", 1 / 0.99},
		{"by hand / by hand, requests per second", "floor-again", "floor-safe", "ns/op", 1 / 0.99},
		{"this / by hand, CPU time under load", "this", "floor-safe", "cpu-ns", 1 / 0.99},
		{"by hand / by hand, CPU time under load", "floor-again", "floor-safe", "cpu-ns", 1 / 0.99},
		{"no CORS / this, requests per second", "this", "none", "ns/op", 1.1},
	} {
		var ratios []ratio
		for _, protocol := range protocols {
			for _, kind := range kinds {
				m, _, _ := median(r.underLoad(protocol, kind, load.mine, load.other, load.unit))
				ratios = append(ratios, ratio{protocol + ", " + kind, m})
			}
		}
		compare(load.what, load.limit, ratios...)
	}
	for _, flat := range []struct {
		limit  float64
		of, to string
	}{
		{2, "origins-1000000", "origins-1"},
		{1.25, "patterns-1000", "patterns-10"},
		{1.25, "hyphens-1000", "hyphens-10"},
		{1.25, "hyphens-varied-1000", "hyphens-varied-10"},
		{1.25, "hyphens-of-1000-domains", "hyphens-of-10-domains"},
		{1.25, "schemes-1000", "schemes-10"},
	} {
		var ratios []ratio
		for _, request := range requests {
			ratios = append(ratios, ratio{request, r.grid(flat.of, request, "this") / r.grid(flat.to, request, "this")})
		}
		compare(flat.of+" / "+flat.to, flat.limit, ratios...)
	}
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
		{3, "hyphens-60-in-a-label", "hyphens"},
	} {
		hostile := func(request string) float64 {
			return r.least(row{benchmark: "Hostile", request: request, impl: "Handler"})
		}
		compare(x.of, x.limit, ratio{"/ " + x.to, hostile(x.of) / hostile(x.to)})
	}
	made := func(policy, impl, unit string) float64 {
		return r.median(row{benchmark: "New", policy: policy, impl: impl}, unit)
	}
	const million = "origins-1000000"
	compare("New, time", 3, ratio{"a million origins / a map of them", made(million, "this", "ns/op") / made(million, "map", "ns/op")})
	compare("New, memory", 1.5, ratio{"a million origins / a map of them", made(million, "this", "B-in-use") / made(million, "map", "B-in-use")})
	var linear []ratio
	for _, x := range [][2]string{{"patterns-1000", "patterns-10"}, {"hyphens-1000", "hyphens-10"}, {"hyphens-varied-1000", "hyphens-varied-10"}, {"hyphens-of-1000-domains", "hyphens-of-10-domains"}, {"schemes-1000", "schemes-10"}} {
		linear = append(linear, ratio{x[0] + " / " + x[1], made(x[0], "this", "ns/op") / made(x[1], "this", "ns/op") / 100})
	}
	compare("New, 1,000 patterns / 100 times 10", 1.25, linear...)
	return s.String()
}
