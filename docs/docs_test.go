// Package docs_test checks the documents against the code, and the exported API
// against golden files.
package docs_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

// A page is a Markdown document of this repository.
type page struct {
	path string // relative to the root of the repository
	text string
}

func read(t *testing.T, path string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return page{path, string(text)}
}

// pages returns README.md and the documents in docs and .github.
func pages(t *testing.T) []page {
	t.Helper()
	pages := []page{read(t, "README.md")}
	for _, dir := range []string{"docs", ".github"} {
		names, err := filepath.Glob(filepath.Join("..", dir, "*.md"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s has no pages: %v", dir, err)
		}
		for _, name := range names {
			pages = append(pages, read(t, path.Join(dir, filepath.Base(name))))
		}
	}
	return pages
}

// A block is a fenced code block of a page.
type block struct {
	language, text string
	line           int // number of the first line in the page
}

// split returns the code blocks of p, and the lines outside of them.
func (p page) split(t *testing.T) (blocks []block, prose []string) {
	t.Helper()
	inside, indent := false, "" // indent of the opening fence, as in a list item
	for i, line := range strings.Split(p.text, "\n") {
		before, language, fence := strings.Cut(line, "```")
		fence = fence && strings.TrimSpace(before) == ""
		switch {
		case fence && inside:
			inside = false
		case fence:
			inside, indent = true, before
			blocks = append(blocks, block{language: language, line: i + 2})
		case inside:
			blocks[len(blocks)-1].text += strings.TrimPrefix(line, indent) + "\n"
		default:
			prose = append(prose, line)
		}
	}
	if inside {
		t.Fatalf("%s: the last code block is not closed", p.path)
	}
	return blocks, prose
}

// need reports an error unless p has words, with any line breaks in between.
func (p page) need(t *testing.T, words string) {
	t.Helper()
	if !strings.Contains(strings.Join(strings.Fields(p.text), " "), words) {
		t.Errorf("%s does not have the words %q", p.path, words)
	}
}

// table returns the cells of a table of p, without its header row. The header
// row begins with header.
func (p page) table(t *testing.T, header string) [][]string {
	t.Helper()
	_, table, found := strings.Cut(p.text, "\n| "+header+" |")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows [][]string
	for i, line := range strings.Split(table, "\n") {
		if i > 1 {
			rows = append(rows, cells(line))
		}
	}
	if !found || len(rows) == 0 {
		t.Fatalf("%s has no table %q", p.path, header)
	}
	return rows
}

func cells(line string) (cells []string) {
	for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
		cells = append(cells, strings.TrimSpace(cell))
	}
	return cells
}

// code returns the texts in backquotes in a cell.
func code(cell string) (code []string) {
	for _, match := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(cell, -1) {
		code = append(code, match[1])
	}
	return code
}

// packages lists the packages that Go code in a page can use without an import.
// TestCode adds the imports.
var packages = []string{
	"bytes", "context", "crypto/tls", "encoding/json", "errors", "fmt", "io", "log", "log/slog", "net/http",
	"net/http/httptest", "net/http/httputil", "net/netip", "net/url", "os", "slices", "strings", "sync", "testing", "time",
	"github.com/f407da42/cors", "github.com/f407da42/cors/corstest",
}

// TestCode compiles the Go code of all pages. It also runs the program in the
// README, and sends it requests from an allowed page and from another page.
//
// A block is a file, declarations, or statements. Declarations and statements
// can use packages without an import, and the variables in shared.
func TestCode(t *testing.T) {
	t.Parallel()
	const shared = `package snippets

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/f407da42/cors"
)

var (
	t           *testing.T
	c           *cors.Middleware
	handler     http.Handler
	mux         *http.ServeMux
	api         http.Handler
	upstream    *url.URL
	samlHandler http.Handler
	isTenant    func(origin string) bool
	tenants     map[string]string
)
`
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.com/pages\n\ngo 1.25\n\nrequire github.com/f407da42/cors v0.0.0\n\nreplace github.com/f407da42/cors => "+root+"\n")

	variables := regexp.MustCompile(`(?m)^(\w+(?:, \w+)*) := `)
	programs := 0
	for _, p := range pages(t) {
		folder := strings.TrimSuffix(path.Base(p.path), ".md")
		write(folder+"/shared.go", shared)
		blocks, _ := p.split(t)
		for i, b := range blocks {
			if b.language != "go" || strings.Contains(b.text, "gin.") || strings.Contains(b.text, "cors.Options") {
				continue // internal/peers compiles code with other packages
			}
			origin := fmt.Sprintf("//line %s:%d\n", filepath.Join(root, p.path), b.line)
			if strings.HasPrefix(b.text, "package ") {
				// Port 8080 may be taken, so serve listens on a free port and
				// prints its URL. It ends the program when the test closes its
				// standard input.
				program := strings.Replace(b.text, `http.ListenAndServe(":8080", `, "serve(", 1)
				switch {
				case p.path == "README.md" && program != b.text:
					programs++
					write("program/main.go", origin+program)
				case strings.Contains(b.text, `"testing"`):
					write(fmt.Sprintf("%s/block%d/block_test.go", folder, i), origin+b.text)
				default:
					write(fmt.Sprintf("%s/block%d/block.go", folder, i), origin+b.text)
				}
				continue
			}
			var imports strings.Builder
			for _, pkg := range packages {
				if regexp.MustCompile(`\b` + path.Base(pkg) + `\.[A-Z]`).MatchString(b.text) {
					fmt.Fprintf(&imports, "import %q\n", pkg)
				}
			}
			body := origin + b.text
			if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.text, 0); err != nil {
				for _, match := range variables.FindAllStringSubmatch(b.text, -1) {
					body += strings.TrimSuffix(strings.Repeat("_, ", 1+strings.Count(match[1], ",")), ", ") + " = " + match[1] + "\n"
				}
				body = "func _() {\n" + body + "}\n"
			}
			write(fmt.Sprintf("%s/block%d.go", folder, i), "package snippets\n"+imports.String()+body)
		}
	}
	if programs != 1 {
		t.Fatalf("the README has %d programs that listen on :8080, want 1", programs)
	}
	write("program/serve.go", `package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
)

func serve(h http.Handler) error {
	fmt.Println(httptest.NewServer(h).URL)
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
	return nil
}
`)
	program := filepath.Join(dir, "program.exe")
	for _, args := range [][]string{
		{"vet", "./..."},
		{"build", "-o", program, "./program"},
		{"build", "-o", filepath.Join(dir, "bin", "corsfetch"), "github.com/f407da42/cors/cmd/corsfetch"},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
	}

	cmd := exec.Command(program)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}

	browser := corstest.Browser{Transport: http.DefaultTransport}
	put := corstest.Request{
		Method: "PUT", URL: strings.TrimSpace(url) + "/items/1", Body: `{"name":"x"}`,
		Header: http.Header{"Authorization": {"Bearer token"}, "Content-Type": {"application/json"}},
	}
	if r := browser.Fetch("https://app.example.com", put); r.Blocked != "" || r.Body != `{"updated":true}` {
		t.Errorf("the program in the README rejects a page that it should allow:\n%s", r)
	}
	if r := browser.Fetch("https://evil.example", put); r.Blocked == "" {
		t.Errorf("the program in the README allows another page:\n%s", r)
	}
	runConsole(t, filepath.Join(dir, "bin"), strings.TrimPrefix(strings.TrimSpace(url), "http://"))
}

// runConsole runs the commands of the README's console block, except go, and
// compares their output. The programs are in bin. The service in the README
// listens on address.
func runConsole(t *testing.T, bin, address string) {
	t.Helper()
	blocks, _ := read(t, "README.md").split(t)
	ran := 0
	for _, b := range blocks {
		if b.language != "console" {
			continue
		}
		for _, entry := range strings.Split("\n"+b.text, "\n$ ")[1:] {
			command, want, _ := strings.Cut(entry, "\n")
			if strings.HasPrefix(command, "go ") {
				continue
			}
			ran++
			cmd := exec.Command("sh", "-c", strings.ReplaceAll(command, "localhost:8080", address))
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			got, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(want) {
				t.Errorf("%s: %v, got\n%s\nthe README has\n%s", command, err, got, want)
			}
		}
	}
	if ran != 2 {
		t.Errorf("the README has %d commands with output, want 2", ran)
	}
}

// from returns a request from a page on origin to a server on another origin.
func from(origin string) *http.Request {
	r := httptest.NewRequest("GET", "https://api.example/", nil)
	r.Header.Set("Origin", origin)
	return r
}

// TestTables checks the README's tables of patterns and of refused policies.
func TestTables(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	for _, row := range readme.table(t, "Pattern | Allows | But not") {
		m, err := cors.New(cors.Policy{AllowedOrigins: code(row[0])})
		if err != nil {
			t.Fatal(err)
		}
		if len(code(row[1])) == 0 || len(code(row[2])) == 0 {
			t.Errorf("%s: the README gives no examples", row[0])
		}
		for _, origin := range code(row[1]) {
			if err := m.Check(from(origin)); err != nil {
				t.Errorf("%s: %v", row[0], err)
			}
		}
		for _, origin := range code(row[2]) {
			if m.Check(from(origin)) == nil {
				t.Errorf("%s allows %s", row[0], origin)
			}
		}
	}
	risks := map[string]cors.Risk{
		"RiskInsecureOrigin": cors.RiskInsecureOrigin,
		"RiskPublicSuffix":   cors.RiskPublicSuffix,
		"RiskNullOrigin":     cors.RiskNullOrigin,
	}
	for _, row := range readme.table(t, "Refused | Because | Unless you accept") {
		names := code(row[0])
		credentials := names[len(names)-1] == "AllowCredentials"
		if credentials {
			names = names[:len(names)-1]
		}
		for _, name := range names {
			policy := cors.Policy{AllowedOrigins: []string{name}}
			if _, err := cors.New(policy); (err == nil) != credentials {
				t.Errorf("%s without AllowCredentials: got %v, and the README says: %s", name, err, row[0])
			}
			policy.AllowCredentials = credentials
			if _, err := cors.New(policy); err == nil {
				t.Errorf("%s is not refused", row[0])
			}
			policy.AcceptRisks = cors.RiskInsecureOrigin | cors.RiskPublicSuffix | cors.RiskNullOrigin
			if accepted := code(row[2]); len(accepted) > 0 {
				policy.AcceptRisks = risks[accepted[0]]
			}
			if _, err := cors.New(policy); (err == nil) != (len(code(row[2])) > 0) {
				t.Errorf("%s: then got %v, and the README says: unless you accept %s", name, err, row[2])
			}
		}
	}
}

var update = flag.Bool("update", false, "rewrite the golden files of the API")

// TestAPI compares all exported names and signatures with testdata/api.txt and
// testdata/corstest.txt, so the API cannot change by accident. If you change the
// API, rewrite both files:
//
//	go test ./docs -run TestAPI -update
func TestAPI(t *testing.T) {
	t.Parallel()
	compareAPI(t, "..", "github.com/f407da42/cors", "testdata/api.txt")
	compareAPI(t, "../corstest", "github.com/f407da42/cors/corstest", "testdata/corstest.txt")
}

func compareAPI(t *testing.T, folder, importPath, golden string) {
	fset := token.NewFileSet()
	var files []*ast.File
	names, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, importPath)
	if err != nil {
		t.Fatal(err)
	}
	var decls []ast.Decl
	addValues := func(values []*doc.Value) {
		for _, v := range values {
			decls = append(decls, v.Decl)
		}
	}
	addFuncs := func(funcs []*doc.Func) {
		for _, f := range funcs {
			decls = append(decls, f.Decl)
		}
	}
	addValues(pkg.Consts)
	addValues(pkg.Vars)
	addFuncs(pkg.Funcs)
	for _, typ := range pkg.Types {
		decls = append(decls, typ.Decl)
		addValues(typ.Consts)
		addValues(typ.Vars)
		addFuncs(typ.Funcs)
		addFuncs(typ.Methods)
	}

	var api bytes.Buffer
	for _, decl := range decls {
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				n.Doc = nil
			case *ast.FuncDecl:
				n.Doc = nil
			case *ast.Field:
				n.Doc, n.Comment = nil, nil
			case *ast.TypeSpec:
				n.Doc, n.Comment = nil, nil
			case *ast.ValueSpec:
				n.Doc, n.Comment = nil, nil
			}
			return true
		})
		var b strings.Builder
		if err := format.Node(&b, fset, decl); err != nil {
			t.Fatal(err)
		}
		// Remove the blank lines that deleted comments leave.
		fmt.Fprintln(&api, regexp.MustCompile(`\n\s*\n`).ReplaceAllString(b.String(), "\n"))
	}
	got, err := format.Source(api.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the API differs from %s. It is now\n%s", golden, got)
	}
}

// anchors returns the anchors that GitHub gives to the headings of p. They are
// in lowercase, without punctuation, with hyphens for spaces, and numbered if
// repeated.
func (p page) anchors(t *testing.T) map[string]bool {
	t.Helper()
	anchors := make(map[string]bool)
	_, prose := p.split(t)
	for _, line := range prose {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(heading))
		numbered := anchor
		for n := 1; anchors[numbered]; n++ {
			numbered = fmt.Sprintf("%s-%d", anchor, n)
		}
		anchors[numbered] = true
	}
	return anchors
}

// TestLinks checks every link from a page to a file or heading in this
// repository.
func TestLinks(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile("`[^`]*`")
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	followed := 0
	for _, p := range pages(t) {
		_, prose := p.split(t)
		for _, match := range link.FindAllStringSubmatch(inline.ReplaceAllString(strings.Join(prose, "\n"), ""), -1) {
			target := match[1] + match[2]
			if strings.HasPrefix(target, "https://") {
				continue
			}
			followed++
			file, anchor, anchored := strings.Cut(target, "#")
			to := p.path
			if file != "" {
				to = path.Join(path.Dir(p.path), file)
			}
			info, err := os.Stat(filepath.Join("..", to))
			if !filepath.IsLocal(to) || err != nil {
				t.Errorf("%s: the target of the link %s does not exist", p.path, target)
				continue
			}
			if anchored && (info.IsDir() || !read(t, to).anchors(t)[anchor]) {
				t.Errorf("%s: no heading has the anchor of the link %s", p.path, target)
			}
		}
	}
	if followed == 0 {
		t.Error("no page has a link to a file or heading")
	}
}

// TestRequests checks the README's table of requests.
func TestRequests(t *testing.T) {
	t.Parallel()
	const (
		allowed  = "Origin: https://app.example.net"
		stranger = "Origin: https://evil.example"
		ask      = "Access-Control-Request-Method: PUT"
	)
	requests := map[string][]string{
		"any other request without `Origin`":                                                              {"GET"},
		"preflight (`OPTIONS` with `Origin` and `Access-Control-Request-Method`), origin allowed":         {"OPTIONS", allowed, ask},
		"preflight, origin not allowed":                                                                   {"OPTIONS", stranger, ask},
		"other request, origin allowed":                                                                   {"PUT", allowed},
		"other request, from a page on the server's own origin":                                           {"POST", "Origin: https://api.example.net"},
		"GET or HEAD without `Upgrade`, with `Sec-Fetch-Mode: no-cors` or `navigate`, origin not allowed": {"GET", stranger, "Sec-Fetch-Mode: no-cors"},
		"other request, origin not allowed":                                                               {"POST", stranger},
		"request without `Origin`, with a method other than GET, HEAD or OPTIONS, and with a `Sec-Fetch-Site` that is neither `same-origin` nor `none`": {"POST", "Sec-Fetch-Site: cross-site"},
	}
	ran := false
	c, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://app.example.net"}, AllowedMethods: []string{"PUT"}})
	if err != nil {
		t.Fatal(err)
	}
	handler := c.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
	for _, row := range read(t, "README.md").table(t, "Request | Your handler | Response") {
		request, found := requests[row[0]]
		if !found {
			t.Errorf("this test sends no request for the row %q", row[0])
			continue
		}
		delete(requests, row[0])
		r := httptest.NewRequest(request[0], "https://api.example.net/", nil)
		for _, line := range request[1:] {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		ran = false
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if says := !strings.Contains(row[1], "does not run"); says != ran {
			t.Errorf("%s: the handler ran: %t; the README says %s", row[0], ran, row[1])
		}
		status := 200
		fmt.Sscan(row[2], &status)
		if w.Code != status {
			t.Errorf("%s: got %d; the README says %s", row[0], w.Code, row[2])
		}
		if got := w.Header().Get("Vary"); got != "Origin" {
			t.Errorf("%s: got Vary: %q", row[0], got)
		}
		mayRead := strings.Contains(row[2], "with `Access-Control-Allow-Origin`") || status == 204
		if got := w.Header().Get("Access-Control-Allow-Origin"); (got != "") != mayRead {
			t.Errorf("%s: got Access-Control-Allow-Origin: %q; the README says %s", row[0], got, row[2])
		}
	}
	for name := range requests {
		t.Errorf("the README has no row for the request %q", name)
	}
}

// TestAdvice checks the examples of responses and advice in docs/advice.md.
func TestAdvice(t *testing.T) {
	t.Parallel()
	rows := testkit.AdviceRows(t, "advice.md")
	for _, row := range rows {
		b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "other.example.com" {
				w.Header().Set("Access-Control-Allow-Origin", "*")
				http.Redirect(w, r, "https://api.example.com/items", http.StatusFound)
				return
			}
			if r.Method == http.MethodOptions && !row.Preflight {
				w.Header().Set("Access-Control-Allow-Origin", row.Page)
				w.Header().Set("Access-Control-Allow-Headers", "X-Id")
				return
			}
			body := ""
			for _, line := range row.Lines {
				if name, value, ok := strings.Cut(line, ": "); ok && !strings.Contains(name, " ") {
					w.Header().Add(name, value)
				} else {
					body = line
				}
			}
			w.WriteHeader(row.Status)
			io.WriteString(w, body)
		})}
		res := b.Fetch(row.Page, row.Request)
		quotes, rest := testkit.SplitAdvice(rows, res.Advice)
		if !slices.Contains(quotes, row.Advice) || rest != "" {
			t.Errorf("%s: got\n%s\nthe page has\n%s\nit does not quote %q\n%v", row.Response, res.Advice, row.Advice, rest, res)
			continue
		}
		if begins := quotes[0] == row.Advice; begins == row.Later {
			t.Errorf("%s: the advice begins with %q: %t, want %t", row.Response, row.Advice, begins, !row.Later)
		}
		if (res.Actual == nil) != row.Preflight {
			t.Errorf("%s: an actual request was sent: %t", row.Response, res.Actual != nil)
		}
	}

	file, err := parser.ParseFile(token.NewFileSet(), "../corstest/advice.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	texts := 0
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || !strings.HasSuffix(literal.Value, `."`) {
			return true // no sentence
		}
		texts++
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		any := regexp.MustCompile(regexp.MustCompile("%[dqs]").ReplaceAllString(regexp.QuoteMeta(strings.TrimSpace(text)), ".+"))
		if !slices.ContainsFunc(rows, func(row testkit.AdviceRow) bool { return any.MatchString(row.Advice) }) {
			t.Errorf("the page does not quote the advice %q", text)
		}
		return true
	})
	if texts < 30 {
		t.Errorf("there are %d advices in corstest/advice.go", texts)
	}
}

// TestSymptoms checks that the first row of the table of symptoms in
// docs/advice.md that matches an example names the section of the example.
func TestSymptoms(t *testing.T) {
	t.Parallel()
	table := read(t, "docs/advice.md").table(t, "What you see | Section")
	for _, row := range testkit.AdviceRows(t, "advice.md") {
		if row.Later {
			continue
		}
		header := make(http.Header)
		body := ""
		for _, line := range row.Lines {
			if name, value, ok := strings.Cut(line, ": "); ok && !strings.Contains(name, " ") {
				header.Add(name, value)
			} else {
				body = line
			}
		}
		allowed := header.Values("Access-Control-Allow-Origin")
		credentials := row.Request.Credentials == corstest.Include
		nulled := row.Page == "null" || strings.Contains(row.Response, "redirect from another server") || strings.HasPrefix(row.Response, "The form post")
		cached := header.Get("Age") != "" || header.Get("X-Cache") != ""
		fromProxy := slices.Contains([]int{413, 431, 494, 502, 504}, row.Status) || row.Status >= 520 && row.Status <= 530 || row.Status == 400 && (strings.Contains(body, "Too Large") || strings.Contains(body, "HTTPS"))
		i := slices.Index([]bool{
			nulled && row.Status == http.StatusForbidden,
			cached,
			row.Status == 403 && strings.HasPrefix(body, "cross-"),
			row.Request.Mode == corstest.WebSocket,
			credentials && slices.Contains(allowed, "*"),
			allowed != nil && !slices.Equal(allowed, []string{"*"}) && !slices.Equal(allowed, []string{row.Page}),
			credentials && allowed != nil && header.Get("Access-Control-Allow-Credentials") != "true",
			row.Preflight && fromProxy,
			row.Preflight && (row.Status/100 != 2 || allowed == nil),
			row.Preflight,
			!row.Preflight && (fromProxy || row.Status == 503),
			allowed == nil,
			true,
		}, true)
		if !strings.Contains(table[i][1], "["+row.Section+"](#") {
			t.Errorf("%s: the row %q must link to %s", row.Response, table[i][0], row.Section)
		}
	}
}

// imitated has the examples in docs/advice.md that no test produces with real
// software, and the reasons.
var imitated = map[string]string{
	"The preflight gets 403 with the body `… CORSResponse: This CORS request is not allowed`.": "Amazon S3 does not run here",
	"The preflight gets 403 with `X-Amzn-Errortype: MissingAuthenticationTokenException`.":     "Amazon API Gateway does not run here",
	"The request gets 494.": "Vercel does not run here",
	"The request gets 522.": "Cloudflare does not run here",
}

// TestAdviceIsProduced checks that a test with real packages, servers or proxies
// names each example. Those tests check that the example gets its advice, and
// testkit.RunAdvice checks that they run.
func TestAdviceIsProduced(t *testing.T) {
	t.Parallel()
	inTests := make(map[string]int)
	for _, module := range []string{"peers", "clients", "proxies"} {
		literals, err := testkit.Literals("../internal/" + module + "/advice_test.go")
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(inTests, literals)
	}
	rows := testkit.AdviceRows(t, "advice.md")
	for _, row := range rows {
		produced := inTests[row.Response] > 0
		switch reason, listed := imitated[row.Response]; {
		case produced && listed:
			t.Errorf("a test produces %s, but imitated has it, because %s", row.Response, reason)
		case !produced && !listed:
			t.Errorf("no test produces %s", row.Response)
		}
	}
	for response := range imitated {
		if !slices.ContainsFunc(rows, func(row testkit.AdviceRow) bool { return row.Response == response }) {
			t.Errorf("docs/advice.md has no example %s", response)
		}
	}
}

// TestPerformance checks that each row of docs/performance.md is in
// internal/peers/measurements.txt. It also compares the figures, the machine and
// the versions in the text.
func TestPerformance(t *testing.T) {
	t.Parallel()
	measurements, shown := read(t, "internal/peers/measurements.txt").text, read(t, "docs/performance.md").text
	machine := regexp.MustCompile(`, go(1\S+)\n- (.+); load average`).FindStringSubmatch(measurements)
	if machine == nil {
		t.Fatal("internal/peers/measurements.txt does not name the machine")
	}
	if words := fmt.Sprintf("one machine (%s) with Go %s.", machine[2], machine[1]); !strings.Contains(strings.Join(strings.Fields(shown), " "), words) {
		t.Errorf("docs/performance.md must have the words %q", words)
	}
	measured := make(map[string]bool)
	forRows(measurements, func(row string) { measured[row] = true })
	rows := 0
	forRows(shown, func(row string) {
		rows++
		if !measured[row] {
			t.Errorf("docs/performance.md has a row that internal/peers/measurements.txt does not have:\n%s", row)
		}
	})
	if rows < 20 {
		t.Errorf("docs/performance.md has %d rows", rows)
	}

	text := strings.Join(strings.Fields(shown), " ")
	for _, fact := range []struct{ words, measured string }{
		{"**†** The time is not comparable, because the package in this column runs the handler for an origin that is not allowed, or omits `Vary: Origin`", "† has another effect"},
		{"**‡** The time is only roughly comparable, because the preflight response has a different status or lists different methods or headers.", "‡ the same effect by another response"},
		{"takes only 0.13 µs when all requests come from the same origin", "| origins-1000000, actual | 128 ns |"},
		{"each takes [0.77 µs](../internal/peers/measurements.txt), because", "- ManyOrigins/policy=origins-1000000/impl=this: 766 ns\n"},
		{"under `hyphens-varied-1000`, a request from it takes 0.93 µs. That is 4.3 times as long", "| 932 ns | 16.5 µs | 15.7 µs | 4.25 | 6 |\n"},
		{"the median of 350 rounds", "medians of 350 rounds"},
		{"the origin with 60 hyphens then takes 16.5 µs", "| hyphens-60-in-a-label | 932 ns | 16.5 µs |"},
		{"rs/cors 1.11.1,", "github.com/rs/cors v1.11.1,"},
		{"go-chi/cors 1.2.2,", "github.com/go-chi/cors v1.2.2,"},
		{"gorilla/handlers 1.5.2,", "github.com/gorilla/handlers v1.5.2,"},
		{"gin-contrib/cors 1.7.7 (with gin 1.12.0)", "github.com/gin-contrib/cors v1.7.7, github.com/gin-gonic/gin v1.12.0,"},
		{"echo 5.4.5 and fiber 3.1.0.", "github.com/labstack/echo/v5 v5.4.5, github.com/gofiber/fiber/v3 v3.1.0\n"},
	} {
		if !strings.Contains(text, fact.words) {
			t.Errorf("docs/performance.md must have the words %q", fact.words)
		}
		if !strings.Contains(measurements, fact.measured) {
			t.Errorf("internal/peers/measurements.txt does not have %q, so this is not measured: %s", fact.measured, fact.words)
		}
	}
	for line := range strings.Lines(read(t, "internal/peers/testdata/outcomes.txt").text) {
		part := strings.Split(strings.TrimSpace(line), "\t")
		if reason := strings.TrimPrefix(part[2], "the handler runs; "); part[1] == "†" && reason != "the handler runs" && reason != "Vary does not list Origin" {
			t.Errorf("%s has a † because %s", part[0], part[2])
		}
	}
}

// forRows calls f with each row of the tables in text. The first cell of a head
// is left out, because it says nothing about the figures.
func forRows(text string, f func(row string)) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|--") {
			_, line, _ = strings.Cut(line[1:], "|")
		}
		f(line)
	}
}
