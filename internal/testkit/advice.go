package testkit

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/f407da42/cors/corstest"
)

// An AdviceRow is an example in docs/advice.md.
type AdviceRow struct {
	Response  string           // a sentence in bold
	Advice    string           // the quote below it, which has … for parts that vary
	Section   string           // the heading above
	Later     bool             // whether the quote never begins the advice
	Request   corstest.Request // request to https://api.example.com/items, unless the sentence names a URL
	Page      string           // the origin of the page
	Preflight bool             // whether the response is to a preflight
	Status    int              // status of the response
	Lines     []string         // headers of the response, and the beginning of its body
}

var (
	adviceItem   = regexp.MustCompile(`\n((?:\*\*.+\*\*\\?\n)+)\n((?:> .+\n)+)`)
	adviceKind   = regexp.MustCompile("^(After a redirect from another server, |After a successful preflight, )?[Tt]he (preflight|form post|WebSocket handshake|(?:`([A-Z]+)` )?request)(?: of a request)?( with credentials)?(?: for the (method|header) `([^`]+)`)?(?: from a page (?:whose origin is|on) `([^`]+)`)?(?: to `([^`]+)`)? gets ")
	adviceSpan   = regexp.MustCompile("`[^`]*`")
	adviceStatus = regexp.MustCompile(`\b[2-5][0-9]{2}\b`)
)

// AdviceRows returns the examples in file, which is docs/advice.md. An example
// that has two pieces of advice is in two rows.
func AdviceRows(t testing.TB, file string) []AdviceRow {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if examples, quotes := strings.Count(string(text), "\n**"), strings.Count(string(text), "\n\n> "); quotes == 0 || examples < quotes {
		t.Fatalf("%s has %d examples and %d pieces of advice", file, examples, quotes)
	}
	var rows []AdviceRow
	first, additional, found := strings.Cut(string(text), "\n## Additional advice\n")
	if !found {
		t.Fatalf("%s has no additional advice", file)
	}
	for i, part := range []string{first, additional} {
		for section := range strings.SplitSeq(part, "\n## ") {
			heading, _, _ := strings.Cut(section, "\n")
			for _, m := range adviceItem.FindAllStringSubmatch(section, -1) {
				advice := strings.ReplaceAll(strings.TrimSpace(m[2])[len("> "):], "\n> ", " ")
				for sentence := range strings.Lines(m[1]) {
					row := newAdviceRow(t, strings.Trim(sentence, "*\\\n"), advice)
					row.Section, row.Later = heading, i == 1
					rows = append(rows, row)
				}
			}
		}
	}
	if examples := strings.Count(string(text), "\n**"); len(rows) != examples {
		t.Fatalf("%s has %d sentences in bold, but %d of them are above a quote", file, examples, len(rows))
	}
	return rows
}

func newAdviceRow(t testing.TB, response, advice string) AdviceRow {
	t.Helper()
	m := adviceKind.FindStringSubmatch(response)
	if m == nil {
		t.Fatalf("%q does not begin with the kind of request", response)
	}
	row := AdviceRow{
		Response:  response,
		Advice:    advice,
		Request:   corstest.Request{URL: cmp.Or(m[8], "https://api.example.com/items"), Header: make(http.Header)},
		Page:      cmp.Or(m[7], "https://app.example.com"),
		Preflight: m[2] == "preflight",
	}
	r := &row.Request
	switch {
	case m[3] != "":
		r.Method, r.Body = m[3], "text"
	case m[5] == "header":
		r.Header.Set(m[6], "1")
	case row.Preflight:
		r.Method = cmp.Or(m[6], "DELETE")
	case m[2] == "form post":
		r.Method, r.Mode = "POST", corstest.Navigate
	case m[2] == "WebSocket handshake":
		r.Mode = corstest.WebSocket
	}
	switch {
	case strings.Contains(m[1], "redirect"):
		r.URL = "https://other.example.com/"
	case m[1] != "":
		r.Header.Set("X-Id", "1")
	}
	if m[4] != "" {
		r.Credentials = corstest.Include
	}
	rest := response[len(m[0]):]
	for _, span := range adviceSpan.FindAllString(rest, -1) {
		row.Lines = append(row.Lines, strings.Trim(span, "`"))
	}
	statuses := adviceStatus.FindAllString(adviceSpan.ReplaceAllString(rest, ""), -1)
	if len(statuses) != 1 {
		t.Fatalf("%q has %d statuses, want one", response, len(statuses))
	}
	row.Status, _ = strconv.Atoi(statuses[0])
	return row
}

// SplitAdvice splits advice into the pieces that docs/advice.md quotes. It
// returns the quotes, and the rest of the advice that the page does not quote.
func SplitAdvice(rows []AdviceRow, advice string) (quotes []string, rest string) {
next:
	for {
		for _, row := range rows {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(row.Advice), "…", ".*?")
			if found := regexp.MustCompile("^" + pattern + "( |$)").FindString(advice); found != "" {
				quotes, advice = append(quotes, row.Advice), advice[len(found):]
				continue next
			}
		}
		return quotes, advice
	}
}

// headerValue matches the values of headers in an advice.
var headerValue = regexp.MustCompile(`"[^"]*"|\([A-Z][\w-]*: [^)]*\)`)

// CheckAdvice sends the request of an example in docs/advice.md from b. It
// compares the status and the names of headers of the response with the example,
// and checks that the advice includes the quote below the example. Response is
// the sentence of the example.
// If page or url is empty, the example has it.
// [RunAdvice] counts the calls.
func CheckAdvice(t *testing.T, b *corstest.Browser, response, page, url string) {
	t.Helper()
	checks.Lock()
	checks.of[response]++
	checks.Unlock()
	rows := AdviceRows(t, "../../docs/advice.md")
	i := slices.IndexFunc(rows, func(row AdviceRow) bool { return row.Response == response })
	if i < 0 {
		t.Fatalf("docs/advice.md has no example %q", response)
	}
	row := rows[i]
	page = cmp.Or(page, row.Page)
	row.Request.URL = cmp.Or(url, row.Request.URL)
	res := b.Fetch(page, row.Request)
	for i := range rows {
		rows[i].Advice = headerValue.ReplaceAllString(strings.ReplaceAll(rows[i].Advice, row.Page, page), "…")
	}
	quotes, rest := SplitAdvice(rows, headerValue.ReplaceAllString(res.Advice, "…"))
	for _, r := range rows {
		if r.Response == response && !slices.Contains(quotes, r.Advice) {
			t.Errorf("got the advice\n%s\nwant it to include\n%s\nno quote: %s\n%s", res.Advice, r.Advice, rest, res)
		}
	}
	last := res.Actual
	if last == nil {
		last = res.Preflight
	}
	if last == nil || last.Response == nil || last.Response.StatusCode != row.Status {
		t.Fatalf("want a response with status %d\n%s", row.Status, res)
	}
	for _, line := range row.Lines {
		name, _, isHeader := strings.Cut(line, ": ")
		if isHeader && !strings.Contains(name, " ") && last.Response.Header.Values(name) == nil {
			t.Errorf("the response lacks the header %s\n%s", name, res)
		}
	}
	if preflight := res.Actual == nil; preflight != row.Preflight {
		t.Errorf("the last request was a preflight: %t, want %t\n%s", preflight, row.Preflight, res)
	}
}

// checks counts the calls of CheckAdvice for each example.
var checks = struct {
	sync.Mutex
	of map[string]int
}{of: make(map[string]int)}

// RunAdvice runs the tests of a package from TestMain. The program fails if
// CheckAdvice was not called for each row in advice_test.go. RunAdvice does not
// check that if tests failed, if a flag left out tests, or if all is false.
func RunAdvice(m *testing.M, all bool) {
	if m.Run() != 0 || !all || flag.Lookup("test.run").Value.String()+flag.Lookup("test.skip").Value.String()+flag.Lookup("test.list").Value.String() != "" {
		return
	}
	literals, err := Literals("advice_test.go")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	missed := false
	for text, rows := range literals {
		if calls := checks.of[text]; adviceKind.MatchString(text) && calls < rows {
			fmt.Fprintf(os.Stderr, "advice_test.go has %d rows for this response, but checks %d: %s\n", rows, calls, text)
			missed = true
		}
	}
	if missed {
		os.Exit(1)
	}
}

// Literals counts the strings in a Go file. It ignores comments.
func Literals(file string) (map[string]int, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	literals := make(map[string]int)
	ast.Inspect(parsed, func(n ast.Node) bool {
		if n, ok := n.(*ast.BasicLit); ok && n.Kind == token.STRING {
			text, _ := strconv.Unquote(n.Value) // valid, because the file was parsed
			literals[text]++
		}
		return true
	})
	return literals, nil
}
