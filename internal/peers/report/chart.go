package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A theme is a set of colours that can be told apart, also by the colour-blind.
type theme struct {
	name                   string
	background, text, grid string
	lines                  map[string]string
}

var (
	light = theme{"light", "#ffffff", "#1f2328", "#d1d9e0", map[string]string{
		"this": "#0550ae", "floor-safe": "#57606a", "rs": "#bc4c00", "chi": "#8250df", "gorilla": "#116329", "gin": "#bf3989", "echo": "#9a6700", "fiber": "#1b7c83",
	}}
	dark = theme{"dark", "#0d1117", "#f0f6fc", "#30363d", map[string]string{
		"this": "#58a6ff", "floor-safe": "#8b949e", "rs": "#f0883e", "chi": "#bc8cff", "gorilla": "#56d364", "gin": "#ff80c8", "echo": "#e3b341", "fiber": "#56d4dd",
	}}
)

// originCounts are the numbers of origins that the grid has a policy for.
var originCounts = []int{1, 10, 1000, 100_000, 1_000_000}

// The chart, in pixels: the area between the axes, and room for what is written
// around it.
const (
	width, height            = 800, 440
	left, right, top, bottom = 70, 660, 50, 380
)

// charts returns all charts, by their names.
func (r *report) charts() map[string]string {
	charts := make(map[string]string)
	for _, t := range []theme{light, dark} {
		charts["origins-"+t.name] = r.originsChart(t)
		charts["roundtrips-"+t.name] = r.roundTripsChart(t)
	}
	return charts
}

// begin begins a chart: its size, background and title.
func (t theme) begin(height int, title string) *strings.Builder {
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="13" fill="%s">`+"\n", width, height, width, height, t.text)
	fmt.Fprintf(&s, "<title>%s</title>\n", title)
	fmt.Fprintf(&s, `<rect width="%d" height="%d" fill="%s"/>`+"\n", width, height, t.background)
	fmt.Fprintf(&s, `<text x="%d" y="24" font-size="15" font-weight="600">%s</text>`+"\n", left, title)
	return &s
}

// originsChart draws what an actual request of an allowed origin costs against
// how many origins are allowed, both in logarithmic scale.
func (r *report) originsChart(t theme) string {
	const highest = 1e8 // nanoseconds
	x := func(n int) float64 { return left + (right-left)*math.Log10(float64(n))/6 }
	y := func(ns float64) float64 { return bottom - (bottom-top)*(math.Log10(ns)-1)/(math.Log10(highest)-1) }

	s := t.begin(height, "Time for an actual request, by number of allowed origins")
	for ns := 10.0; ns <= highest; ns *= 10 {
		fmt.Fprintf(s, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="%s"/>`+"\n", left, y(ns), right, y(ns), t.grid)
		fmt.Fprintf(s, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left-8, y(ns)+4, nanoseconds(ns))
	}
	for n := 1; n <= 1_000_000; n *= 10 {
		fmt.Fprintf(s, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>`+"\n", x(n), top, x(n), bottom, t.grid)
		fmt.Fprintf(s, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(n), bottom+20, thousands(n))
	}
	fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="middle">allowed origins; the one that asks is in the middle of the list</text>`+"\n", (left+right)/2, bottom+44)

	type label struct {
		impl string
		y    float64
	}
	var ends []label
	for _, impl := range append([]string{"floor-safe", "this"}, peers...) {
		var points []string
		var end float64
		for _, n := range originCounts {
			ns := r.grid(fmt.Sprint("origins-", n), "actual", impl)
			if math.IsNaN(ns) {
				continue
			}
			end = y(ns)
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(n), end))
		}
		if len(points) == 0 {
			continue
		}
		stroke := fmt.Sprintf(`stroke="%s" stroke-width="2"`, t.lines[impl])
		switch impl {
		case "this":
			stroke = fmt.Sprintf(`stroke="%s" stroke-width="3.5"`, t.lines[impl])
		case "floor-safe":
			stroke += ` stroke-dasharray="6 4"`
		}
		fmt.Fprintf(s, `<polyline points="%s" fill="none" %s stroke-linejoin="round"/>`+"\n", strings.Join(points, " "), stroke)
		ends = append(ends, label{impl, end})
	}

	// Labels that would overlap are moved down.
	slices.SortFunc(ends, func(a, b label) int { return cmp.Compare(a.y, b.y) })
	lowest := 0.0
	for _, l := range ends {
		lowest = max(l.y, lowest+16)
		fmt.Fprintf(s, `<text x="%d" y="%.1f" fill="%s">%s</text>`+"\n", right+8, lowest+4, t.lines[l.impl], labels[l.impl])
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// roundTripsChart draws how long sessions take, as bars: for each browser one
// with this library and one with rs/cors.
func (r *report) roundTripsChart(t theme) string {
	const bar, group = 24, 74
	end := top + len(engines)*group
	longest, step := 3.0, 0.5 // seconds
	for _, engine := range engines {
		for _, impl := range []string{"this", "rs"} {
			if ms, _ := r.session(engine, impl); ms > 0 {
				longest = max(longest, ms/1000)
			}
		}
	}
	for longest/step > 8 {
		step *= 2
	}
	x := func(seconds float64) float64 { return left + 20 + (right-left-20)*seconds/longest }

	s := t.begin(end+44, "Time for 20 calls in a row, 80 ms there and back")
	for seconds := 0.0; seconds <= longest; seconds += step {
		fmt.Fprintf(s, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s"/>`+"\n", x(seconds), top, x(seconds), end, t.grid)
		fmt.Fprintf(s, `<text x="%.1f" y="%d" text-anchor="middle">%.1f s</text>`+"\n", x(seconds), end+20, seconds)
	}
	for i, engine := range engines {
		for j, impl := range []string{"this", "rs"} {
			ms, preflights := r.session(engine, impl)
			if math.IsNaN(ms) {
				continue
			}
			y := top + i*group + 10 + j*(bar+4)
			if j == 0 {
				fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left+12, y+bar+6, browsers[engine])
			}
			fmt.Fprintf(s, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", x(0), y, x(ms/1000)-x(0), bar, t.lines[impl])
			fmt.Fprintf(s, `<text x="%.1f" y="%d" fill="%s">%s, %.0f preflights</text>`+"\n", x(0)+8, y+17, t.background, labels[impl], preflights)
			fmt.Fprintf(s, `<text x="%.1f" y="%d" fill="%s">%.2f s</text>`+"\n", x(ms/1000)+8, y+17, t.lines[impl], ms/1000)
		}
	}
	s.WriteString("</svg>\n")
	return s.String()
}

// thousands writes n with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
