package main

import (
	"flag"
	"math"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/results.md")

// TestResults reads a few measurements of each kind, and holds what is made of
// them to a file that somebody has looked at.
func TestResults(t *testing.T) {
	const file = "testdata/results.md"
	r := newReport()
	eachLine("testdata/measurements.txt", r.readMeasurement)
	eachLine("testdata/outcomes.txt", r.readOutcome)
	got, parts := r.results()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the results are not those in %s; look at what changed, and write it with\n\tgo test ./report -update\ngot:\n%s", file, got)
	}
	if strings.Contains(got, "NaN") {
		t.Error("the results have a value that is not a number")
	}
	for name, part := range parts {
		if part == "" || !strings.Contains(got, "<!-- measured: "+name+" -->\n"+part+"<!-- end of "+name+" -->\n") {
			t.Errorf("the results do not have the part %q", name)
		}
	}
	for name, chart := range r.charts() {
		if !strings.Contains(chart, "this package") || strings.Contains(chart, "NaN") {
			t.Errorf("the chart %s has no line of this package, or a value that is not a number:\n%s", name, chart)
		}
	}
}

func TestParseRow(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]row{
		"BenchmarkIdle-2": {benchmark: "Idle"},
		"BenchmarkMiddleware/policy=origins-10/request=preflight-20-headers/writer=reused/impl=floor-safe-16": {
			benchmark: "Middleware", policy: "origins-10", request: "preflight-20-headers", writer: "reused", impl: "floor-safe"},
		"BenchmarkHostile/request=pattern/call=Check-2":                  {benchmark: "Hostile", request: "pattern", impl: "Check"},
		"BenchmarkLoad/protocol=HTTP/1.1-TLS/request=actual/impl=this-2": {benchmark: "Load", protocol: "HTTP/1.1-TLS", request: "actual", impl: "this"},
		"BenchmarkRoundTrips/engine=firefox/link=80ms-2":                 {benchmark: "RoundTrips", engine: "firefox"},
	} {
		if got := parseRow(name); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		n            int // values 1, 2, … n
		m, low, high float64
	}{
		{1, 1, 1, 1},
		{2, 1.5, 1, 2},
		{5, 3, 1, 5},
		// What the tables of the binomial distribution say.
		{6, 3.5, 1, 6},
		{8, 4.5, 1, 8},
		{9, 5, 2, 8},
		{40, 20.5, 14, 27},
		{50, 25.5, 18, 33},
	} {
		var values []float64
		for i := range x.n {
			values = append(values, float64(x.n-i))
		}
		if m, low, high := median(values); m != x.m || low != x.low || high != x.high {
			t.Errorf("of 1 to %d: got %v (%v to %v), want %v (%v to %v)", x.n, m, low, high, x.m, x.low, x.high)
		}
	}
	if m, _, _ := median(nil); !math.IsNaN(m) {
		t.Errorf("of nothing: got %v, want NaN", m)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	parts := map[string]string{"a": "new\n"}
	const page = "before\n<!-- measured: a -->\nold\n<!-- end of a -->\nafter\n"
	if got, err := replace(page, parts); err != nil || got != strings.Replace(page, "old", "new", 1) {
		t.Errorf("got %q, %v", got, err)
	}
	for _, wrong := range []string{strings.ReplaceAll(page, " a ", " b "), strings.Replace(page, "end of a", "end of b", 1)} {
		if got, err := replace(wrong, parts); err == nil {
			t.Errorf("%q: got %q, want an error", wrong, got)
		}
	}
}

func TestNanoseconds(t *testing.T) {
	t.Parallel()
	for ns, want := range map[float64]string{
		0.4: "0 ns", 12.6: "13 ns", 999.4: "999 ns", 999.6: "1 µs", 1234: "1.23 µs", 999_700: "1 ms", 28_000_000: "28 ms", 1.5e9: "1.5 s",
	} {
		if got := nanoseconds(ns); got != want {
			t.Errorf("%v: got %s, want %s", ns, got, want)
		}
	}
}
