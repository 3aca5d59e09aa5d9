package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// TestMain makes the command of this program where a test asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("CORSFETCH") != "" {
		main()
	}
	os.Exit(m.Run())
}

// command is the path of the command.
var command = os.Args[0]

// process returns the command as a process to be, with variables of its environment.
func process(t *testing.T, env []string, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(append(os.Environ(), "CORSFETCH=1"), env...)
	return c
}

// corsfetch runs the command as a process, with something to read.
func corsfetch(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	c := process(t, nil, command, args...)
	c.Stdin = strings.NewReader("from=stdin")
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// api is a service with a policy, as the README has it.
func api(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"got":%q,"cookie":%q}`, body, r.Header.Get("Cookie"))
	})
	mux.HandleFunc("POST /items", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Header.Get("Content-Type"), body)
	})
	mux.Handle("GET /old", http.RedirectHandler("/new", http.StatusFound))
	mux.HandleFunc("GET /new", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
	return testkit.MustNew(t, cors.Policy{
		AllowedOrigins:   []string{"https://app.example.com"},
		AllowedMethods:   []string{http.MethodPut},
		AllowedHeaders:   []string{"Content-Type"},
		AllowCredentials: true,
	}).Handler(mux)
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(api(t))
	t.Cleanup(server.Close)
	secure := httptest.NewUnstartedServer(api(t))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	bare := http.NewServeMux()
	bare.HandleFunc("PUT /items/{id}", func(http.ResponseWriter, *http.Request) {})
	router := httptest.NewServer(bare)
	t.Cleanup(router.Close)
	gone := httptest.NewServer(bare)
	gone.Close()
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte(`{"from":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}

	const page = "https://app.example.com"
	item := "/items/1"
	asJSON := []string{"-H", "Content-Type: application/json"}
	for _, test := range []struct {
		name   string
		args   []string
		status int
		want   []string // in the output
	}{
		{"a request that the policy allows", append(asJSON, "-page", page, "-X", "PUT", "-d", "{}", server.URL+item), 0, []string{"> OPTIONS /items/1", "< HTTP/1.1 204 No Content", "> PUT /items/1", "allowed: the script reads status 200"}},
		{"flags behind the URL", append([]string{server.URL + "/new", "-page", page}, asJSON[:0]...), 0, []string{"no preflight", "allowed"}},
		{"a body makes it a POST of plain text", []string{"-page", page, "-json", "-d", "a", server.URL + "/items"}, 0, []string{`"body": "text/plain;charset=UTF-8 a"`}},
		{"a body from a file", append(asJSON, "-page", page, "-json", "-X", "PUT", "-d", "@"+file, server.URL+item), 0, []string{`{\\\"from\\\":\\\"file\\\"}`}},
		{"bodies are joined, as curl does", []string{"-page", page, "-json", "-d", "a=1", "-d", "b=2", "-d", "@" + file, server.URL + "/items"}, 0, []string{`a=1&b=2&{\"from\":\"file\"}`}},
		{"a body from standard input", []string{"-page", page, "-json", "-d", "@-", server.URL + "/items"}, 0, []string{`UTF-8 from=stdin"`}},
		{"a body with an @", []string{"-page", page, "-json", "--data-raw", "@-", server.URL + "/items"}, 0, []string{`UTF-8 @-"`}},
		{"an empty body is a POST, too", []string{"-page", page, "-d", "", server.URL + "/items"}, 0, []string{"> POST /items"}},
		{"cookies with credentials", []string{"-page", page, "-json", "-X", "PUT", "-credentials", "-cookie", "id=1", server.URL + item}, 0, []string{`\"cookie\":\"id=1\"`, `"(not shown)"`}},
		{"no cookies without", []string{"-page", page, "-json", "-X", "PUT", "-cookie", "id=1", server.URL + item}, 0, []string{`\"cookie\":\"\"`}},
		{"cookies as curl has them", []string{"-page", page, "-json", "-X", "PUT", "-credentials", "-b", "id=1", server.URL + item}, 0, []string{`\"cookie\":\"id=1\"`}},
		{"cookies that are left out", []string{"-page", page, "-cookie", "id=1", server.URL + "/new"}, 0, []string{"corsfetch: -cookie is left out: without -credentials, browsers send no cookies to another origin"}},
		{"headers that are left out", []string{"-page", page, "-H", "cookie: a=b", "-H", "Origin: https://evil.example", "-H", "Sec-Fetch-Site: none", server.URL + "/new"}, 0, []string{
			"corsfetch: -H Cookie is left out: browsers do not let scripts set this header\ncorsfetch: -H Origin is left out", "corsfetch: -H Sec-Fetch-Site is left out", "> Origin: https://app.example.com",
		}},
		{"a redirect is followed", []string{"-page", page, server.URL + "/old"}, 0, []string{"> GET /old", "< HTTP/1.1 302 Found", "> GET /new", "allowed"}},
		{"HTTPS over HTTP/2 with any certificate", []string{"-page", page, "-k", "-json", secure.URL + "/new"}, 0, []string{`"body": "HTTP/2.0"`}},

		{"another page", []string{"-page", "https://evil.example", server.URL + "/new"}, 1, []string{"blocked: ", "advice: The policy of package cors does not allow the page's origin. Add https://evil.example to AllowedOrigins."}},
		{"a sandboxed page", []string{"-page", "null", server.URL + "/new"}, 1, []string{"> Origin: null", "blocked: "}},
		{"a method that is not listed", []string{"-page", page, "-X", "DELETE", server.URL + item}, 1, []string{"advice: Add DELETE to AllowedMethods."}},
		{"a header that is not listed", []string{"-page", page, "-H", "X-Id:1", "-H", "X-Other: 2", server.URL + "/new"}, 1, []string{"advice: Add X-Id to AllowedHeaders."}},
		{"a router that answers OPTIONS", []string{"-page", page, "-X", "PUT", router.URL + item}, 1, []string{"< HTTP/1.1 405 Method Not Allowed", "Wrap the whole router"}},
		{"as JSON", []string{"-page", page, "-X", "PUT", "-json", router.URL + item}, 1, []string{`"verdict": "blocked"`, `"blocked": "the response to the preflight has no Access-Control-Allow-Origin"`, `"method PUT is not CORS-safelisted"`, `"status": 405`}},

		{"no answer", []string{"-page", page, gone.URL}, 2, []string{"failed: there is no response: ", "cannot tell: ", "refused"}},
		{"no answer, as JSON", []string{"-page", page, "-json", gone.URL}, 2, []string{`"verdict": "unknown"`, `"error": "dial tcp`, "refused"}},
		{"a certificate that nobody has signed", []string{"-page", page, secure.URL + "/new"}, 2, []string{"cannot tell: ", "certificate"}},
		{"what no browser sends, as JSON", []string{"-page", page, "-json", "-X", "TRACE", server.URL}, 2, []string{`"verdict": "unknown"`, `"error": "no browser sends this: method TRACE`}},
		{"no page", []string{server.URL}, 2, []string{"there is no page; write -page and its origin"}},
		{"a page without a scheme", []string{"-page", "app.example.com", server.URL}, 2, []string{`-page "app.example.com" has no scheme; did you mean "https://app.example.com"?`}},
		{"a page with a path", []string{"-page", "https://app.example.com/index.html", server.URL}, 2, []string{`did you mean "https://app.example.com"?`}},
		{"a pattern of pages", []string{"-page", "https://*.example.com", server.URL}, 2, []string{"is a pattern; write the origin of one page, as in -page https://app.example.com"}},
		{"no URL", []string{"-page", page}, 2, []string{"there are 0 URLs; write one"}},
		{"two URLs", []string{"-page", page, server.URL, server.URL}, 2, []string{"there are 2 URLs; write one"}},
		{"no absolute URL", []string{"-page", page, "api.example.com/items"}, 2, []string{`"api.example.com/items" is no URL to ask; write it out`}},
		{"a header without a colon", []string{"-page", page, "-H", "X-Id", server.URL}, 2, []string{"it has no colon; write a name and a value"}},
		{"a header whose name is none", []string{"-page", page, "-H", "Bad Name: x", server.URL}, 2, []string{`no browser sends this: "Bad Name" is not a header name`}},
		{"a GET with a body", []string{"-page", page, "-X", "GET", "-d", "x", server.URL}, 2, []string{"no browser sends this: a GET request cannot have a body"}},
		{"a file that is not there", []string{"-page", page, "-d", "@" + file + ".gone", server.URL}, 2, []string{"-d: open"}},
		{"no time", []string{"-page", page, "-m", "0", server.URL}, 2, []string{"-m 0 is no time to wait; write seconds, such as 10"}},
		{"no number of seconds", []string{"-page", page, "-m", "soon", server.URL}, 2, []string{`invalid value "soon" for flag -m`}},
		{"an unknown flag", []string{"-page", page, "-L", server.URL}, 2, []string{"flag provided but not defined: -L"}},
		{"help", []string{"-h"}, 2, []string{"usage: corsfetch -page origin", "exit status: 0 allowed, 1 blocked, 2 cannot tell"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := corsfetch(t, test.args...)
			if status != test.status {
				t.Errorf("exit status %d, want %d\n%s%s", status, test.status, stdout, stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("%q is not in\n%s%s", want, stdout, stderr)
				}
			}
			if strings.Contains(stdout, "\x1b") {
				t.Errorf("there are colours in what goes to no terminal: %q", stdout)
			}
			if status == 2 && stderr == "" && !strings.Contains(stdout, `"error"`) {
				t.Error("nothing says why")
			}
		})
	}
}

// TestNothingIsLeftOut has the command send all that it was told to.
func TestNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(api(t))
	t.Cleanup(server.Close)
	for _, args := range [][]string{
		{"-page", "https://app.example.com", "-credentials", "-cookie", "a=b", "-H", "Accept-Language: en", server.URL + "/new"},
		{"-page", "https://app.example.com", "-credentials", "-cookie", "a=b", "-X", "DELETE", "-H", "X-Id: 1", server.URL + "/new"}, // blocked
		{"-page", server.URL, "-cookie", "a=b", server.URL + "/new"},
		{"-page", "https://app.example.com", server.URL + "/new"},
	} {
		if _, stdout, stderr := corsfetch(t, args...); stderr != "" || !strings.Contains(stdout, "> Host:") {
			t.Errorf("%q: %s%s", args, stderr, stdout)
		}
	}
}

// TestBodiesWithoutAnEnd has servers begin answers that they do not end.
func TestBodiesWithoutAnEnd(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/closed" {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
		}
		io.WriteString(w, "a")
		if r.Method != http.MethodPut {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	t.Cleanup(server.Close)
	const late = "corsfetch: the body had not ended after "
	for _, test := range []struct {
		name   string
		args   []string
		status int
		late   bool
	}{
		{"of a preflight, which no browser waits for", []string{"-X", "PUT", "-m", "60", server.URL}, 0, false},
		{"of the response", []string{"-m", "2", server.URL}, 0, true},
		{"of a response that is blocked", []string{"-m", "2", server.URL + "/closed"}, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := corsfetch(t, append(test.args, "-page", "https://app.example.com")...)
			if status != test.status || strings.HasPrefix(stderr, late) != test.late || !test.late && stderr != "" {
				t.Errorf("exit status %d\n%s%s", status, stdout, stderr)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(api(t))
	t.Cleanup(server.Close)
	_, stdout, _ := corsfetch(t, "-page", "https://app.example.com", "-json", "-X", "PUT", "-d", "<", server.URL+"/items/1")
	var got struct {
		Page, Verdict, Body string
		PreflightReasons    []string
		Exchanges           []struct {
			Method, URL       string
			Request, Response http.Header
			Status            int
		}
		Status int
		Header http.Header
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if got.Page != "https://app.example.com" || got.Verdict != "allowed" || got.Status != 200 || got.Body != `{"got":"<","cookie":""}` ||
		len(got.PreflightReasons) != 1 || got.Header.Get("Content-Type") != "application/json" || len(got.Exchanges) != 2 ||
		got.Exchanges[0].Method != "OPTIONS" || got.Exchanges[0].Status != 204 || got.Exchanges[1].URL != server.URL+"/items/1" ||
		got.Exchanges[1].Request.Get("Origin") != "https://app.example.com" || got.Exchanges[1].Response.Get("Vary") != "Origin" {
		t.Errorf("got %s", stdout)
	}
}

// TestJSONHasNoSecrets has a server set a cookie.
func TestJSONHasNoSecrets(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization")
		w.Header().Set("Set-Cookie", "id=secret")
	}))
	t.Cleanup(server.Close)
	_, stdout, _ := corsfetch(t, "-page", "https://app.example.com", "-json", "-credentials", "-cookie", "id=secret", "-H", "Authorization: secret", server.URL)
	if strings.Contains(stdout, "secret") || strings.Count(stdout, "(not shown)") != 4 { // the preflight sets a cookie, too
		t.Errorf("got %s", stdout)
	}
}

// TestCookieStays has a server redirect to another host.
func TestCookieStays(t *testing.T) {
	t.Parallel()
	got := make(chan string, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Cookie")
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		if r.URL.Path == "/" {
			http.Redirect(w, r, "http://localhost:"+r.Host[strings.LastIndex(r.Host, ":")+1:]+"/elsewhere", http.StatusFound)
		}
	}))
	t.Cleanup(server.Close)
	status, stdout, _ := corsfetch(t, "-page", "https://app.example.com", "-credentials", "-cookie", "a=b", server.URL)
	if first, second := <-got, <-got; status != 0 || first != "a=b" || second != "" {
		t.Errorf("exit status %d, the cookies %q and %q\n%s", status, first, second, stdout)
	}
}

// A server that never answers ends neither the test nor the command: the former
// waits for it, the latter is told when to stop.
func TestNoAnswerForever(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.(http.Flusher).Flush()
		}
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	status, _, stderr := corsfetch(t, "-page", "https://app.example.com", "-m", "0.05", server.URL)
	if status != 2 || !strings.Contains(stderr, "no answer within 50ms") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	<-asked

	for _, path := range []string{"/", "/begun"} {
		c := process(t, nil, command, "-page", "https://app.example.com", server.URL+path)
		var errs bytes.Buffer
		c.Stderr = &errs
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		<-asked
		c.Process.Signal(syscall.SIGINT) // as Ctrl-C does
		c.Wait()
		if c.ProcessState.ExitCode() != 2 || !strings.Contains(errs.String(), "cannot tell") {
			t.Errorf("%s, after an interrupt: exit status %d, %s", path, c.ProcessState.ExitCode(), errs.String())
		}
	}
}

// TestColours runs the command in a terminal, that of script(1).
func TestColours(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		t.Fatalf("there is no script(1) to make a terminal with: %v", err)
	}
	server := httptest.NewServer(api(t))
	t.Cleanup(server.Close)
	for _, test := range []struct {
		env, page string
		want      *regexp.Regexp
	}{
		{"NO_COLOR=", "https://app.example.com", regexp.MustCompile(`(?s)\x1b\[36m> GET /new HTTP/1.1\x1b\[0m.*\x1b\[1;32mallowed: `)},
		{"NO_COLOR=", "https://evil.example", regexp.MustCompile(`\x1b\[1;31mblocked: `)},
		{"NO_COLOR=1", "https://app.example.com", regexp.MustCompile(`^[^\x1b]*allowed: [^\x1b]*$`)},
	} {
		c := process(t, []string{test.env, "TERM=xterm"}, "script", "-qec", command+" -page "+test.page+" "+server.URL+"/new", "/dev/null")
		out, _ := c.Output()
		if !test.want.Match(out) {
			t.Errorf("%s, page %s: got %q", test.env, test.page, out)
		}
	}
}

// TestREADME prints the README's transcript.
func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const before = "$ go run github.com/f407da42/cors/cmd/corsfetch@latest "
	_, text, found := strings.Cut(string(readme), before)
	if !found {
		t.Fatal("the README does not call the command")
	}
	text, _, _ = strings.Cut(text, "```")
	args, want, _ := strings.Cut(text, "\n")

	mux := http.NewServeMux()
	mux.Handle("PUT /items/{id}", api(t))
	server := httptest.NewServer(mux)
	defer server.Close()
	const address = "localhost:8080"
	here := strings.TrimPrefix(server.URL, "http://")
	status, got, _ := corsfetch(t, strings.Fields(strings.Replace(args, address, here, 1))...)
	if got = strings.ReplaceAll(got, here, address); got != want || status != 1 {
		t.Errorf("exit status %d, got\n%s\nthe README has\n%s", status, got, want)
	}
}
