// Command report turns what measure.sh has measured into what people read:
// RESULTS.md with all of it, and the parts that docs/performance.md and the
// README show of that, which stand there between
//
//	<!-- measured: grid -->
//	<!-- end of grid -->
//
// and the charts. What differs in the outcome comes from testdata/outcomes.txt,
// which the tests write.
//
//	go run ./report new.txt
package main

import (
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	to := flag.String("to", "", "write all of it to this `folder`, to look at, and leave the project as it is")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: report [-to folder] measurements")
	}
	r := newReport()
	eachLine(flag.Arg(0), r.readMeasurement)
	eachLine("testdata/outcomes.txt", r.readOutcome)
	results, parts := r.results()
	if strings.Contains(results, "NaN") {
		log.Fatalf("something was not measured:\n%s", results)
	}
	place := func(file string) string {
		if *to == "" {
			return file
		}
		return filepath.Join(*to, filepath.Base(file))
	}
	for name, chart := range r.charts() {
		write(place(filepath.Join("charts", name+".svg")), chart)
	}
	write(place("RESULTS.md"), results)
	for _, page := range []string{"../../docs/performance.md", "../../README.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			log.Fatal(err)
		}
		updated, err := replace(string(text), parts)
		if err != nil {
			log.Fatalf("%s: %v", page, err)
		}
		write(place(page), updated)
	}
}

func write(file, text string) {
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		log.Fatal(err)
	}
}

// results returns the text of RESULTS.md, and by name the parts of it that other
// pages show.
func (r *report) results() (text string, parts map[string]string) {
	var s strings.Builder
	parts = make(map[string]string)
	section := func(title, before string) {
		fmt.Fprintf(&s, "## %s\n\n", title)
		if before != "" {
			s.WriteString(before + "\n\n")
		}
	}
	part := func(name, text string) {
		parts[name] = text
		fmt.Fprintf(&s, "<!-- measured: %s -->\n%s<!-- end of %s -->\n\n", name, text, name)
	}
	plain := func(text string) { fmt.Fprintf(&s, "```\n%s```\n\n", text) }

	s.WriteString("# Results\n\nWritten by measure.sh. docs/performance.md and the README show parts of it.\n\n")
	part("machine", r.machine())
	section("End to end", "")
	part("end-to-end", r.endToEnd())
	s.WriteString(r.endToEndInFull() + "\n")
	section("Round trips", "")
	part("round-trips", r.roundTrips())
	section("Main rows", "The least of all passes. † marks another outcome than this package's, ‡ the same from another answer; testdata/outcomes.txt says which. What has no mark compares like with like.")
	part("grid", r.table("reused", columns, mainRows))
	part("readme", r.table("reused", slices.DeleteFunc(slices.Clone(columns), func(impl string) bool {
		return impl == "floor-shared" || impl == "fiber"
	}), map[string][]string{"origins-1": {"actual", "preflight"}, "origins-1000": {"actual"}}))
	part("floor", r.besideByHand())
	section("Where another package takes less time", "Medians of the passes' ratios, with their 95 % confidence intervals, where these are above 1.")
	part("slower", r.whySlower())
	s.WriteString(r.slowerRows() + "\n")
	section("Start and memory", "")
	part("start", r.start())
	section("Ratios", "Over the rows with the same outcome, with those over the limit.")
	plain(r.limits())
	section("Beside the grid", "")
	plain(r.others())
	section("All rows, with a reused writer", "The least of all passes.")
	s.WriteString(r.table("reused", columns, nil) + "\n")
	section("All rows, with a fresh httptest.ResponseRecorder", "Means of one pass.")
	s.WriteString(r.table("recorder", columns, nil))
	return s.String(), parts
}

var measured = regexp.MustCompile(`(?s)<!-- measured: (\S+) -->\n(.*?)<!-- end of (\S+) -->`)

// replace returns page with the parts that it has a place for.
func replace(page string, parts map[string]string) (string, error) {
	var err error
	page = measured.ReplaceAllStringFunc(page, func(old string) string {
		m := measured.FindStringSubmatch(old)
		text, ok := parts[m[1]]
		if !ok || m[1] != m[3] {
			err = fmt.Errorf("there is a place for %q up to the end of %q; there are %q", m[1], m[3], slices.Sorted(maps.Keys(parts)))
		}
		return fmt.Sprintf("<!-- measured: %s -->\n%s<!-- end of %s -->", m[1], text, m[1])
	})
	return page, err
}
