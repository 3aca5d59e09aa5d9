//go:build unix

package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	rscors "github.com/rs/cors"

	"github.com/f407da42/cors/internal/browsers"
)

// The minimum number of requests that the test compares, in total and for each
// server. Scripts must be able to read at least a fifth of the responses, and
// unable to read at least another fifth.
const (
	fewest       = 2000 // as the documentation of corsfetch says
	fewestToEach = 50
)

// TestCorsfetch makes pages in Chromium and the command corsfetch send the same
// requests to servers that were not written for this library. Both must let the
// script read the same responses, except for the documented differences.
func TestCorsfetch(t *testing.T) {
	command := filepath.Join(t.TempDir(), "corsfetch")
	if out, err := exec.Command("go", "build", "-o", command, "github.com/f407da42/cors/cmd/corsfetch").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	w := newWeb(t)
	var missing []string
	for _, s := range foreignServers {
		if s.present(t) {
			w.start(t, s)
		} else {
			missing = append(missing, s.name)
		}
	}
	began := time.Now()
	seen := w.browse(t, browsers.Chromium)
	t.Logf("Chromium took %.1f s", time.Since(began).Seconds())

	began = time.Now()
	results := make([]commandReport, len(w.requests))
	var group sync.WaitGroup
	free := make(chan struct{}, runtime.NumCPU())
	for i, r := range w.requests {
		free <- struct{}{}
		group.Go(func() {
			results[i] = r.run(t, command)
			<-free
		})
	}
	group.Wait()
	t.Logf("corsfetch took %.1f s", time.Since(began).Seconds())

	differences := make([]int, len(documentedDifferences))
	total, totalReadable := 0, 0
	for _, s := range foreignServers {
		all, readable, differ := 0, 0, 0
		for i, r := range w.requests {
			if r.server != s.name {
				continue
			}
			all++
			if !seen[i].Failed {
				readable++
			}
			if got := results[i].sight(); !got.equal(seen[i]) {
				differ++
				d := slices.IndexFunc(documentedDifferences, func(d documentedDifference) bool { return d.is(results[i], seen[i]) })
				if d < 0 {
					t.Errorf("%s\nChromium:  %+v\ncorsfetch: %+v %s", r, seen[i], got, results[i].Blocked)
				} else {
					differences[d]++
				}
			}
			if results[i].Verdict == "unknown" && !strings.Contains(r.URL, "/reset") {
				t.Errorf("%s\ncorsfetch does not know: %s", r, results[i].Error)
			}
		}
		t.Logf("%-8s %4d requests; the script in Chromium reads %3d responses, and %d differ", s.name, all, readable, differ)
		if all < fewestToEach && !slices.Contains(missing, s.name) {
			t.Errorf("%s got %d requests, want at least %d", s.name, all, fewestToEach)
		}
		total += all
		totalReadable += readable
	}
	t.Logf("%d requests in total; the script in Chromium reads %d responses", total, totalReadable)
	switch {
	case len(missing) > 0:
		t.Logf("the number is not checked, because CORS_SERVERS leaves out %s", strings.Join(missing, ", "))
	case total < fewest || totalReadable < total/5 || total-totalReadable < total/5:
		t.Errorf("want at least %d requests; scripts must be able to read at least a fifth of the responses, and unable to read another fifth", fewest)
	}
	for i, d := range documentedDifferences {
		if differences[i] == 0 {
			t.Errorf("no request shows the difference: %s", d.words)
		}
	}
}

// TestDocumentedDifferences checks that the documentation of corsfetch names the
// servers, the number of requests, and all differences that TestCorsfetch
// accepts, and no others.
func TestDocumentedDifferences(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../cmd/corsfetch/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(source), "// # Differences from browsers\n")
	section, _, ended := strings.Cut(section, "// A server can also respond differently")
	if !found || !ended {
		t.Fatal("the documentation has no section about the differences")
	}
	items := strings.Split(section, "//   - ")
	for i := range items {
		items[i] = strings.Join(strings.Fields(strings.ReplaceAll(items[i], "//", " ")), " ")
	}
	introduction, items := items[0], items[1:]
	want := []string{
		fmt.Sprintf("more than %d,%03d requests", fewest/1000, fewest%1000),
		map[int]string{0: "without exception", 1: "with one exception", 2: "with two exceptions"}[len(documentedDifferences)],
		map[int]string{6: "six", 7: "seven", 8: "eight"}[len(foreignServers)] + " servers",
	}
	for _, s := range foreignServers {
		want = append(want, s.title)
	}
	for _, words := range want {
		if !strings.Contains(introduction, words) {
			t.Errorf("%q is not in %q", words, introduction)
		}
	}
	if len(items) != len(documentedDifferences) {
		t.Fatalf("the documentation names %d differences, want %d: %q", len(items), len(documentedDifferences), items)
	}
	for i, d := range documentedDifferences {
		if !strings.Contains(items[i], d.words) {
			t.Errorf("%q is not in %q", d.words, items[i])
		}
	}
}

// A documentedDifference is a difference between corsfetch and Chromium that the
// documentation of corsfetch names.
type documentedDifference struct {
	words string // part of its item in the documentation
	is    func(got commandReport, seen sight) bool
}

var documentedDifferences = []documentedDifference{
	{
		"For Authorization, Chromium accepts * in Access-Control-Allow-Headers",
		func(got commandReport, seen sight) bool {
			preflight := got.Exchanges[len(got.Exchanges)-1]
			return !seen.Failed && strings.Contains(got.Blocked, "Authorization") &&
				preflight.Method == http.MethodOptions && preflight.Response.Get("Access-Control-Allow-Headers") == "*"
		},
	},
}

// A foreignServer is a server that was not written for this library.
type foreignServer struct {
	name    string
	title   string // name in the documentation of corsfetch
	program string // name of the program; empty if the server runs in the test
	// command returns the process that listens on port and allows page. A server
	// without a program has a handler instead.
	command func(t *testing.T, port, page string) *exec.Cmd
	handler func(page string) http.Handler

	paths     []string // paths that get all shapes of requests
	redirects []string // paths that redirect to the URL in the query, with the status in the path
	errors    []string // paths that respond with an error, or not at all
}

var foreignServers = []foreignServer{
	{
		name: "express", title: "Express with its cors package", program: "node", command: node("servers/express.cjs"),
		paths:     []string{"/open", "/list", "/reflect", "/any", "/passed-on", "/status-200", "/none"},
		redirects: []string{"/open/redirect/", "/list/redirect/", "/none/redirect/"},
		errors:    []string{"/open/error", "/open/absent/page", "/list/error", "/none/error", "/open/reset"},
	},
	{
		name: "fastify", title: "Fastify with @fastify/cors", program: "node", command: node("servers/fastify.cjs"),
		paths:     []string{"/open", "/list", "/reflect", "/any", "/none"},
		redirects: []string{"/open/redirect/", "/list/redirect/"},
		errors:    []string{"/open/error", "/open/absent", "/list/error", "/none/error"},
	},
	{
		name: "nginx", title: "nginx", program: "nginx",
		command: func(t *testing.T, port, page string) *exec.Cmd {
			dir := files(t)
			return exec.Command("nginx", "-p", dir, "-c", configuration(t, "servers/nginx.conf", dir, port, page))
		},
		paths:     []string{"/open", "/list", "/any", "/twice", "/star-credentials", "/semicolons", "/login", "/compressed", "/none", "/file.txt"},
		redirects: []string{"/open/redirect/"},
		errors:    []string{"/open/error", "/list/error", "/absent", "/folder"},
	},
	{
		name: "Caddy", title: "Caddy", program: "caddy",
		command: func(t *testing.T, port, page string) *exec.Cmd {
			dir := files(t)
			c := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", configuration(t, "servers/Caddyfile", dir, port, page))
			c.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
			return c
		},
		paths:     []string{"/open", "/list", "/only-preflight", "/slash", "/none"},
		redirects: []string{"/open/redirect/"},
		errors:    []string{"/open/error", "/gateway", "/absent"},
	},
	{
		name: "Python", title: "Python's http.server", program: "python3",
		command: func(t *testing.T, port, _ string) *exec.Cmd {
			return exec.Command("python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", filepath.Join(files(t), "files"), port)
		},
		paths:  []string{"/file.txt", "/"},
		errors: []string{"/absent", "/folder"},
	},
	{
		name: "gin", title: "gin-contrib/cors", handler: func(page string) http.Handler {
			gin.SetMode(gin.ReleaseMode)
			mux := http.NewServeMux()
			for path, config := range map[string]gincors.Config{
				"/open": {AllowAllOrigins: true},
				"/list": {AllowOrigins: []string{page}, AllowMethods: []string{"GET", "PUT"}, AllowHeaders: []string{"Content-Type", "X-Id"}, ExposeHeaders: []string{"X-Total"}, AllowCredentials: true, MaxAge: time.Minute},
				"/any":  {AllowAllOrigins: true, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"*"}},
			} {
				engine := gin.New()
				engine.Use(gincors.New(config))
				engine.NoRoute(gin.WrapF(echo))
				mux.Handle(path, engine)
				mux.Handle(path+"/", engine)
			}
			mux.HandleFunc("/none", echo)
			group := gin.New()
			group.PUT("/group", gincors.Default(), gin.WrapF(echo))
			mux.Handle("/group", group)
			return mux
		},
		paths:     []string{"/open", "/list", "/any", "/none", "/group"},
		redirects: []string{"/open/redirect/", "/list/redirect/"},
		errors:    []string{"/open/error", "/list/error"},
	},
	{
		name: "rs/cors", title: "rs/cors", handler: func(page string) http.Handler {
			mux := http.NewServeMux()
			for path, options := range map[string]rscors.Options{
				"/open": {},
				"/list": {AllowedOrigins: []string{page}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"Content-Type", "X-Id"}, ExposedHeaders: []string{"X-Total"}, AllowCredentials: true, MaxAge: 60},
				"/all":  {AllowedMethods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"}, AllowedHeaders: []string{"*"}, ExposedHeaders: []string{"*"}},
			} {
				h := rscors.New(options).Handler(http.HandlerFunc(echo))
				mux.Handle(path, h)
				mux.Handle(path+"/", h)
			}
			mux.HandleFunc("/none", echo)
			return mux
		},
		paths:     []string{"/open", "/list", "/all", "/none"},
		redirects: []string{"/open/redirect/", "/list/redirect/"},
		errors:    []string{"/open/error", "/list/error"},
	},
}

// echo responds with the parts of the request that a script can set.
func echo(w http.ResponseWriter, r *http.Request) {
	var status int
	if _, err := fmt.Sscanf(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], "%d", &status); err == nil {
		http.Redirect(w, r, r.URL.Query().Get("to"), status)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/error") {
		http.Error(w, "on purpose", http.StatusInternalServerError)
		return
	}
	w.Header().Set("X-Total", "3")
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %q %q %q %q %s", r.Method, r.Header["Origin"], r.Header["Content-Type"], r.Header["X-Id"], r.Header["Authorization"], body)
}

func node(script string) func(t *testing.T, port, page string) *exec.Cmd {
	return func(t *testing.T, port, page string) *exec.Cmd {
		if err := install(); err != nil {
			t.Fatal(err)
		}
		return exec.Command("node", script, port, page)
	}
}

// files returns a directory whose folder "files" can be served.
func files(t *testing.T) string {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "files", "folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "files", "file.txt"), []byte("0123456789"), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// configuration writes a copy of a configuration file into dir, with its
// placeholders replaced, and returns its path.
func configuration(t *testing.T, file, dir, port, page string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(file))
	text := strings.NewReplacer("{{dir}}", dir, "{{port}}", port, "{{page}}", page).Replace(string(content))
	if err := os.WriteFile(to, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return to
}

// present reports whether the program of s is on this machine. If not, and
// CORS_SERVERS lists s, the test fails.
func (s foreignServer) present(t *testing.T) bool {
	if s.program == "" {
		return true
	}
	_, err := exec.LookPath(s.program)
	if err != nil && slices.Contains(strings.Split(os.Getenv("CORS_SERVERS"), ","), s.name) {
		t.Errorf("%v, and CORS_SERVERS lists %s", err, s.name)
	} else if err != nil {
		t.Logf("not compared: %v", err)
	}
	return err == nil
}

// A web is all pages and servers of the test.
type web struct {
	pages    *httptest.Server
	origins  []string // origins of the pages: allowed by the servers, not allowed, opaque
	requests []webRequest
	reports  chan []sight
}

// A webRequest is a request of a page.
type webRequest struct {
	server string
	page   int // index in web.origins
	origin string
	shape
	URL string `json:"url"`
}

func (r webRequest) String() string {
	return fmt.Sprintf("%s: page %s, %s %s, header %v, body %t, credentials %s", r.server, r.origin, r.Method, r.URL, r.Header, r.Body != nil, r.Credentials)
}

// A shape is a request without its URL.
type shape struct {
	Method      string            `json:"method"`
	Header      map[string]string `json:"headers"`
	Body        *string           `json:"body,omitempty"`
	Credentials string            `json:"credentials"`
}

// A sight is the part of a response that a script can read.
type sight struct {
	Failed bool              `json:"failed"`
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
}

// equal reports whether s and other are equal, except for the header Date.
func (s sight) equal(other sight) bool {
	delete(s.Header, "date")
	delete(other.Header, "date")
	return s.Failed == other.Failed && s.Status == other.Status && s.Body == other.Body && maps.Equal(s.Header, other.Header)
}

// fromEveryPage is the number of shapes that every page sends to each path. The
// page that the servers allow sends all shapes.
const fromEveryPage = 3

func shapes() []shape {
	request := func(method, credentials, body string, headers ...string) shape {
		s := shape{Method: method, Credentials: credentials, Header: make(map[string]string)}
		if body != "" {
			s.Body = &body
		}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			s.Header[name] = value
		}
		return s
	}
	const without, with = "same-origin", "include"
	return []shape{
		request("GET", without, ""),
		request("GET", with, ""),
		request("PUT", without, "{}", "Content-Type: application/json"),
		request("POST", without, "text"),
		request("PUT", with, "{}", "Content-Type: application/json"),
		request("POST", with, "a=1", "Content-Type: application/x-www-form-urlencoded"),
		request("HEAD", without, ""),
		request("put", without, "{}", "content-type: text/plain"),
		request("DELETE", without, ""),
		request("patch", without, "text"),
		request("PROPFIND", with, ""),
		request("OPTIONS", without, ""),
		request("GET", without, "", "X-Id: 1"),
		request("GET", with, "", "X-Id: 1", "X-Other: 2"),
		request("GET", without, "", "Authorization: Bearer sesame"),
		request("GET", with, "", "Authorization: Bearer sesame"),
		request("GET", without, "", "Range: bytes=0-3"),
		request("GET", without, "", "Range: bytes=-3"),
		request("GET", without, "", "Accept-Language: "+strings.Repeat("a", 129)),
		request("POST", without, "x", "Content-Type: text/plain; charset=(x)"),
	}
}

func newWeb(t *testing.T) *web {
	script, err := os.ReadFile("servers/page.js")
	if err != nil {
		t.Fatal(err)
	}
	w := &web{reports: make(chan []sight)}
	page := template.Must(template.New("").Parse(`<!doctype html><title>Requests</title><link rel="icon" href="data:,">
<script id="plan" type="application/json">{{.plan}}</script><script>{{.script}}</script>`))
	w.pages = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var number int
		switch _, err := fmt.Sscanf(r.URL.Path, "/page/%d", &number); {
		case r.URL.Path == "/report":
			var sights []sight
			if err := json.NewDecoder(r.Body).Decode(&sights); err != nil {
				t.Error(err)
			}
			select {
			case w.reports <- sights:
			case <-t.Context().Done():
			}
		case err == nil && number < len(w.origins):
			if w.origins[number] == "null" {
				rw.Header().Set("Content-Security-Policy", "sandbox allow-scripts")
			}
			next := ""
			if number+1 < len(w.origins) {
				next = w.url(number + 1)
			}
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			page.Execute(rw, map[string]any{
				"plan":   map[string]any{"requests": w.of(number), "next": next},
				"script": template.JS(script),
			})
		default:
			http.NotFound(rw, r)
		}
	}))
	t.Cleanup(w.pages.Close)
	port := w.pages.URL[strings.LastIndex(w.pages.URL, ":"):]
	w.origins = []string{"http://app.localhost" + port, "http://evil.localhost" + port, "null"}
	return w
}

// url returns the URL of a page.
func (w *web) url(number int) string {
	origin := w.origins[number]
	if origin == "null" {
		origin = w.pages.URL
	}
	return fmt.Sprintf("%s/page/%d", origin, number)
}

// of returns the requests of a page.
func (w *web) of(number int) (requests []webRequest) {
	for _, r := range w.requests {
		if r.page == number {
			requests = append(requests, r)
		}
	}
	return requests
}

// start starts s and adds the requests to it.
func (w *web) start(t *testing.T, s foreignServer) {
	var port string
	if s.handler != nil {
		server := httptest.NewServer(s.handler(w.origins[0]))
		t.Cleanup(server.Close)
		port = server.URL[strings.LastIndex(server.URL, ":")+1:]
	} else {
		port = s.run(t, w.origins[0])
	}
	at := "http://" + strings.ToLower(strings.ReplaceAll(s.name, "/", "-")) + ".localhost:" + port
	add := func(path string, requests []shape) {
		for i, r := range requests {
			for page, origin := range w.origins {
				if page > 0 && i >= fromEveryPage {
					break
				}
				// The browser keeps preflights for each URL, but corsfetch starts without any.
				url := fmt.Sprintf("%s%s?n=%d", at, path, len(w.requests))
				if path, to, redirects := strings.Cut(path, "?to="); redirects {
					url = fmt.Sprintf("%s%s?to=%s%%3Fn=%d", at, path, to, len(w.requests))
				}
				w.requests = append(w.requests, webRequest{server: s.name, page: page, origin: origin, shape: r, URL: url})
			}
		}
	}
	all := shapes()
	for _, path := range s.paths {
		add(path, all)
	}
	for _, path := range s.redirects {
		for _, status := range []string{"301", "302", "303", "307", "308"} {
			add(path+status+"?to="+at+s.paths[1], all[1:4])
			add(path+status+"?to=http://other.localhost:"+port+s.paths[0], all[2:4])
		}
	}
	for _, path := range s.errors {
		add(path, all[:fromEveryPage])
	}
}

// run starts the process of s and returns its port.
func (s foreignServer) run(t *testing.T, page string) (port string) {
	var log bytes.Buffer
	for range 3 { // another process can take a port before s does
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		listener.Close()
		_, port, _ = net.SplitHostPort(address)
		c := s.command(t, port, page)
		c.Stdout, c.Stderr = &log, &log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			c.Wait()
			close(ended)
		}()
		t.Cleanup(func() {
			c.Process.Kill()
			<-ended
		})
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for waiting := true; waiting; {
			select {
			case <-ended:
				waiting = false
			case <-tick.C:
				if conn, err := net.Dial("tcp", address); err == nil {
					conn.Close()
					return port
				}
			}
		}
	}
	t.Fatalf("%s ended:\n%s", s.name, &log)
	return ""
}

// browse opens the pages. It returns the responses that their scripts could read,
// in the order of w.requests.
func (w *web) browse(t *testing.T, e browsers.Engine) []sight {
	b := browsers.Start(t, e, w.url(0))
	sights := make([]sight, len(w.requests))
	for number := range w.origins {
		select {
		case sent := <-w.reports:
			for i, r := range w.requests {
				if r.page == number {
					sights[i], sent = sent[0], sent[1:]
				}
			}
		case <-b.Done():
			t.Fatalf("the browser ended:\n%s", b.Log())
		case <-time.After(patience):
			t.Fatalf("the browser did not finish page %d in time:\n%s", number, b.Log())
		}
	}
	return sights
}

// A commandReport is the output of corsfetch.
type commandReport struct {
	Verdict, Blocked, Error, Body string

	Status    int
	Header    http.Header
	Exchanges []struct {
		Method   string
		Response http.Header
	}
}

// run runs corsfetch for r.
func (r webRequest) run(t *testing.T, command string) (got commandReport) {
	args := []string{"-json", "-page", r.origin, "-X", r.Method}
	for name, value := range r.Header {
		args = append(args, "-H", name+": "+value)
	}
	if r.Body != nil {
		args = append(args, "-data-raw", *r.Body)
	}
	if r.Credentials == "include" {
		args = append(args, "-credentials")
	}
	out, err := exec.Command(command, append(args, r.URL)...).Output()
	if err := json.Unmarshal(out, &got); err != nil {
		t.Errorf("corsfetch %q: %v\n%s", args, err, out)
	}
	if allowed := got.Verdict == "allowed"; allowed != (err == nil) {
		t.Errorf("%s\nthe verdict is %q, but the exit status: %v", r, got.Verdict, err)
	}
	return got
}

// sight returns the part of the response that a script could read.
func (r commandReport) sight() sight {
	if r.Verdict != "allowed" {
		return sight{Failed: true}
	}
	s := sight{Status: r.Status, Header: make(map[string]string), Body: r.Body}
	for name, values := range r.Header {
		s.Header[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return s
}
