package testkit

import (
	"cmp"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/f407da42/cors/corstest"
)

// An AdviceRow is a row of the tables of advice in docs/blocked.md.
type AdviceRow struct {
	Response  string           // the first cell
	Advice    string           // the second cell
	Request   corstest.Request // to https://api.example.com/items, unless the cell names a URL
	Page      string           // the origin of the page
	Preflight bool             // whether the response is to a preflight
	Statuses  []int            // of the response
	Lines     []string         // headers of the response, and the beginning of its body
}

var (
	adviceKind   = regexp.MustCompile("^(preflight|request|form|handshake)(?: for `([^`]+)`)?(?: of `([^`]+)`)?(?: to `([^`]+)`)?( after a redirect)?( after a preflight)?( with credentials)?: ")
	adviceSpan   = regexp.MustCompile("`[^`]*`")
	adviceStatus = regexp.MustCompile(`\b[2-5][0-9]{2}\b`)
)

// AdviceRows returns the rows in file, which is docs/blocked.md.
func AdviceRows(t testing.TB, file string) []AdviceRow {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []AdviceRow
	for _, table := range strings.Split(string(text), "\n| Response | Advice | See |\n|---|---|---|\n")[1:] {
		table, _, _ = strings.Cut(table, "\n\n")
		for line := range strings.SplitSeq(table, "\n") {
			cells := strings.Split(line, "|")
			rows = append(rows, newAdviceRow(t, strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])))
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no tables of advice", file)
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
		Request:   corstest.Request{URL: cmp.Or(m[4], "https://api.example.com/items"), Header: make(http.Header)},
		Page:      cmp.Or(m[3], "https://app.example.com"),
		Preflight: m[1] == "preflight",
	}
	r := &row.Request
	switch name := m[2]; {
	case name == "POST":
		r.Method, r.Body = name, "text"
	case row.Preflight && (strings.ToUpper(name) == name || strings.ToLower(name) == name):
		r.Method = cmp.Or(name, "DELETE")
	case name != "":
		r.Header.Set(name, "1")
	}
	switch m[1] {
	case "form":
		r.Method, r.Mode = "POST", corstest.Navigate
	case "handshake":
		r.Mode = corstest.WebSocket
	}
	if m[5] != "" {
		r.URL = "https://other.example.com/"
	}
	if m[6] != "" {
		r.Header.Set("X-Id", "1")
	}
	if m[7] != "" {
		r.Credentials = corstest.Include
	}
	rest := response[len(m[0]):]
	for _, span := range adviceSpan.FindAllString(rest, -1) {
		row.Lines = append(row.Lines, strings.Trim(span, "`"))
	}
	for _, status := range adviceStatus.FindAllString(adviceSpan.ReplaceAllString(rest, ""), -1) {
		code, _ := strconv.Atoi(status)
		row.Statuses = append(row.Statuses, code)
	}
	return row
}

// headerValue matches the values of headers in an advice.
var headerValue = regexp.MustCompile(`"[^"]*"|\([A-Z][\w-]*: [^)]*\)`)

// CheckAdvice sends the request of a row in docs/blocked.md from b, and compares
// the status of the response and the beginning of the advice with the row. After
// that, the advice can have a sentence about the proxy. Response is the row's
// first cell. If page or url is empty, the row has it.
func CheckAdvice(t *testing.T, b *corstest.Browser, response, page, url string) {
	t.Helper()
	rows := AdviceRows(t, "../../docs/blocked.md")
	i := slices.IndexFunc(rows, func(row AdviceRow) bool { return row.Response == response })
	if i < 0 {
		t.Fatalf("docs/blocked.md has no row %q", response)
	}
	row := rows[i]
	page = cmp.Or(page, row.Page)
	row.Request.URL = cmp.Or(url, row.Request.URL)
	res := b.Fetch(page, row.Request)
	want := headerValue.ReplaceAllString(strings.ReplaceAll(row.Advice, row.Page, page), "…")
	if got := headerValue.ReplaceAllString(res.Advice, "…"); !strings.HasPrefix(got, want) {
		t.Errorf("got the advice\n%s\nwant\n%s\n%s", got, want, res)
	}
	last := res.Actual
	if last == nil {
		last = res.Preflight
	}
	if last == nil || last.Response == nil || !slices.Contains(row.Statuses, last.Response.StatusCode) {
		t.Errorf("want a response with one of the statuses %d\n%s", row.Statuses, res)
	}
	if preflight := res.Actual == nil; preflight != row.Preflight {
		t.Errorf("the last request was a preflight: %t, want %t\n%s", preflight, row.Preflight, res)
	}
}
