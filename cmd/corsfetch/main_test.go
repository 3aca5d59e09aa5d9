package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
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

// TestMain runs the command instead of the tests if CORSFETCH is set.
func TestMain(m *testing.M) {
	if os.Getenv("CORSFETCH") != "" {
		main()
	}
	os.Exit(m.Run())
}

// command is the path of the test binary, which is also the command.
var command = os.Args[0]

// process returns a process for a program that can run the command.
func process(t *testing.T, env []string, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(append(os.Environ(), "CORSFETCH=1"), env...)
	return c
}

// corsfetch runs the command as a process, with text on its standard input.
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

// api returns a service behind a policy.
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
	address := strings.TrimPrefix(server.URL, "http://")
	secure := httptest.NewUnstartedServer(api(t))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	bare := http.NewServeMux()
	bare.HandleFunc("PUT /items/{id}", func(http.ResponseWriter, *http.Request) {})
	router := httptest.NewServer(bare)
	t.Cleanup(router.Close)
	const gone = "http://127.0.0.1:3" // no server of another test gets this port
	file := filepath.Join(t.TempDir(), "body.json")
	if err := os.WriteFile(file, []byte("{\"from\":\r\n\"file\"\x00}\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	const page = "https://app.example.com"
	item := "/items/1"
	asJSON := []string{"-H", "Content-Type: application/json"}
	for _, test := range []struct {
		name   string
		args   []string
		status int
		want   []string // parts of the output
	}{
		{"allows a request that the policy allows", append(asJSON, "-page", page, "-X", "PUT", "-d", "{}", server.URL+item), 0, []string{"> OPTIONS /items/1", "< HTTP/1.1 204 No Content", "> PUT /items/1", "allowed: the script reads status 200"}},
		{"accepts flags after the URL", []string{server.URL + "/new", "-page", page}, 0, []string{"no preflight", "allowed"}},
		{"accepts a method attached to its flag", []string{"-page", page, "-XPUT", server.URL + item}, 0, []string{"> PUT /items/1"}},
		{"accepts a method after an equals sign", []string{"-page", page, "-X=PUT", server.URL + item}, 0, []string{"> PUT /items/1"}},
		{"accepts several short flags in one argument", []string{"-page", page, "-jk", "-kXPUT", server.URL + item}, 2, []string{"flag provided but not defined: -jk"}},
		{"accepts a value after several short flags", []string{"-page", page, "-ikXPUT", server.URL + item}, 0, []string{"> PUT /items/1", "> Accept: */*"}},
		{"accepts a body attached to its flag", []string{"-page", page, "-json", "-da=1", server.URL + "/items"}, 0, []string{`UTF-8 a=1"`}},
		{"does not split the value of a flag", []string{"-page", page, "-json", "-d", "-XPUT", server.URL + "/items"}, 0, []string{`UTF-8 -XPUT"`}},
		{"accepts a URL without a scheme, but with another in its query", []string{"-page", page, address + "/new?to=http://x.example"}, 0, []string{"requests GET " + server.URL + "/new?to=http://x.example"}},
		{"accepts a URL without a scheme", []string{"-page", page, address + "/new"}, 0, []string{"requests GET " + server.URL + "/new"}},
		{"sends a query as browsers do", []string{"-page", page, server.URL + "/new?a=b c&d='"}, 0, []string{"> GET /new?a=b%20c&d=%27 "}},
		{"sends a header without a value", []string{"-page", page, "-H", "Accept-Language;", server.URL + "/new"}, 0, []string{"> Accept-Language:\n"}},
		{"sends a body as a POST with plain text", []string{"-page", page, "-json", "-d", "a", server.URL + "/items"}, 0, []string{`"body": "text/plain;charset=UTF-8 a"`}},
		{"sends a body from a file", append(asJSON, "-page", page, "-json", "-X", "PUT", "-d", "@"+file, server.URL+item), 0, []string{`{\\\"from\\\":\\\"file\\\"}`}},
		{"joins bodies as curl does", []string{"-page", page, "-json", "-d", "a=1", "-d", "b=2", "-d", "@" + file, server.URL + "/items"}, 0, []string{`a=1&b=2&{\"from\":\"file\"}`}},
		{"sends a body from standard input", []string{"-page", page, "-json", "-d", "@-", server.URL + "/items"}, 0, []string{`UTF-8 from=stdin"`}},
		{"sends a raw body that begins with @", []string{"-page", page, "-json", "--data-raw", "@-", server.URL + "/items"}, 0, []string{`UTF-8 @-"`}},
		{"sends an empty body as a POST", []string{"-page", page, "-d", "", server.URL + "/items"}, 0, []string{"> POST /items"}},
		{"sends cookies with credentials", []string{"-page", page, "-json", "-X", "PUT", "-credentials", "-cookie", "id=1", server.URL + item}, 0, []string{`\"cookie\":\"id=1\"`, `"(not shown)"`}},
		{"sends no cookies without credentials", []string{"-page", page, "-json", "-X", "PUT", "-cookie", "id=1", server.URL + item}, 0, []string{`\"cookie\":\"\"`}},
		{"accepts cookies with the flag of curl", []string{"-page", page, "-json", "-X", "PUT", "-credentials", "-b", "id=1", server.URL + item}, 0, []string{`\"cookie\":\"id=1\"`}},
		{"names cookies that are not sent", []string{"-page", page, "-cookie", "id=1", server.URL + "/new"}, 0, []string{"note: cookies are left out"}},
		{"names headers that are not sent", []string{"-page", page, "-H", "cookie: a=b", "-H", "Origin: https://evil.example", "-H", "Sec-Fetch-Site: none", server.URL + "/new"}, 0, []string{
			"note: header Cookie is left out", "note: header Origin is left out", "note: header Sec-Fetch-Site is left out", "> Origin: https://app.example.com",
		}},
		{"prints notes as JSON", []string{"-page", page, "-json", "-H", "Cookie: a=b", server.URL + "/new"}, 0, []string{`"notes": [
    "header Cookie is left out`}},
		{"follows a redirect", []string{"-page", page, server.URL + "/old"}, 0, []string{"> GET /old", "< HTTP/1.1 302 Found", "> GET /new", "allowed"}},
		{"accepts any certificate with -k, over HTTP/2", []string{"-page", page, "-k", "-json", secure.URL + "/new"}, 0, []string{`"body": "HTTP/2.0"`}},

		{"blocks another page", []string{"-page", "https://evil.example", server.URL + "/new"}, 1, []string{"blocked: ", "advice: ", "https://evil.example", "AllowedOrigins"}},
		{"blocks a sandboxed page", []string{"-page", "null", server.URL + "/new"}, 1, []string{"> Origin: null", "blocked: "}},
		{"blocks a method that is not listed", []string{"-page", page, "-X", "DELETE", server.URL + item}, 1, []string{"advice: ", "DELETE", "AllowedMethods"}},
		{"blocks a header that is not listed", []string{"-page", page, "-H", "X-Id:1", "-H", "X-Other: 2", server.URL + "/new"}, 1, []string{"advice: ", "X-Id", "AllowedHeaders"}},
		{"blocks if a router responds to OPTIONS", []string{"-page", page, "-X", "PUT", router.URL + item}, 1, []string{"< HTTP/1.1 405 Method Not Allowed", "advice: "}},
		{"prints a blocked result as JSON", []string{"-page", page, "-X", "PUT", "-json", router.URL + item}, 1, []string{`"verdict": "blocked"`, `"blocked": "the response to the preflight has no Access-Control-Allow-Origin"`, `"method PUT is not CORS-safelisted"`, `"status": 405`}},

		{"does not know without a response", []string{"-page", page, gone}, 2, []string{"failed: ", "corsfetch: the result is unknown: ", "refused"}},
		{"prints an unknown result as JSON", []string{"-page", page, "-json", gone}, 2, []string{`"verdict": "unknown"`, `"error": "dial tcp`, "refused"}},
		{"does not trust an unsigned certificate", []string{"-page", page, secure.URL + "/new"}, 2, []string{"the result is unknown: ", "certificate"}},
		{"refuses a method that no browser sends, as JSON", []string{"-page", page, "-json", "-X", "TRACE", server.URL}, 2, []string{`"verdict": "unknown"`, `"error": "no browser sends this request: method TRACE`}},
		{"needs a page", []string{server.URL}, 2, []string{"-page is missing; write the origin of a page"}},
		{"refuses a page without a scheme", []string{"-page", "app.example.com", server.URL}, 2, []string{`-page: "app.example.com" has no scheme; did you mean "https://app.example.com"?`}},
		{"refuses a page with a path", []string{"-page", "https://app.example.com/index.html", server.URL}, 2, []string{`did you mean "https://app.example.com"?`}},
		{"refuses a pattern as the page", []string{"-page", "https://*.example.com", server.URL}, 2, []string{"is a pattern; write the origin of one page, as in -page https://app.example.com"}},
		{"needs a URL", []string{"-page", page}, 2, []string{"0 URLs given; write one"}},
		{"refuses two URLs", []string{"-page", page, server.URL, server.URL}, 2, []string{"2 URLs given; write one"}},
		{"refuses a path as the URL", []string{"-page", page, "/items"}, 2, []string{`"/items" is not an http or https URL; write it in full`}},
		{"refuses a URL with one slash", []string{"-page", page, "https:/api.example.com/items"}, 2, []string{`"https:/api.example.com/items" is not an http or https URL`}},
		{"refuses a URL with another scheme", []string{"-page", page, "ftp://api.example.com/items"}, 2, []string{`"ftp://api.example.com/items" is not an http or https URL`}},
		{"refuses a header without a colon", []string{"-page", page, "-H", "X-Id", server.URL}, 2, []string{"it has no colon; write a name and a value"}},
		{"refuses a header with a colon, but without a value", []string{"-page", page, "-H", "X-Id:", server.URL}, 2, []string{"it has no value; to send the header without one, write -H 'X-Id;'"}},
		{"refuses an invalid header name", []string{"-page", page, "-H", "Bad Name: x", server.URL}, 2, []string{`no browser sends this request: "Bad Name" is not a header name`}},
		{"refuses a GET with a body", []string{"-page", page, "-X", "GET", "-d", "x", server.URL}, 2, []string{"no browser sends this request: a GET request cannot have a body"}},
		{"refuses a missing file", []string{"-page", page, "-d", "@" + file + ".gone", server.URL}, 2, []string{"-d: open"}},
		{"refuses a time limit of zero", []string{"-page", page, "-m", "0", server.URL}, 2, []string{"-m: 0 is not a valid time limit; write a number of seconds, such as 10"}},
		{"refuses a time limit that is not a number", []string{"-page", page, "-m", "soon", server.URL}, 2, []string{`invalid value "soon" for flag -m`}},
		{"refuses to resolve to a name", []string{"-page", page, "-resolve", "api.example.com:80:localhost", server.URL}, 2, []string{"-resolve: it must have a host, a port and an IP address"}},
		{"refuses to resolve without a port", []string{"-page", page, "-resolve", "api.example.com:127.0.0.1", server.URL}, 2, []string{"-resolve: it must have a host, a port and an IP address"}},
		{"refuses to resolve every host", []string{"-page", page, "-resolve", "*:80:127.0.0.1", server.URL}, 2, []string{"-resolve: it must have a host, a port and an IP address"}},
		{"refuses to remove a host", []string{"-page", page, "-resolve", "-api.example.com:80:127.0.0.1", server.URL}, 2, []string{"-resolve: it must have a host, a port and an IP address"}},
		{"refuses to resolve for a while", []string{"-page", page, "-resolve", "+api.example.com:80:127.0.0.1", server.URL}, 2, []string{"-resolve: it must have a host, a port and an IP address"}},
		{"refuses to resolve for all ports", []string{"-page", page, "-resolve", "api.example.com:*:127.0.0.1", server.URL}, 2, []string{"-resolve: it must have a host, a port and an IP address"}},
		{"refuses an unknown flag", []string{"-page", page, "-L", server.URL}, 2, []string{"flag provided but not defined: -L"}},
		{"refuses a flag without its value", []string{"-page", page, server.URL, "-X"}, 2, []string{"flag needs an argument: -X"}},
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
				t.Errorf("the output has colors, but does not go to a terminal: %q", stdout)
			}
			if status == 2 && stderr == "" && !strings.Contains(stdout, `"error"`) {
				t.Error("the output has no reason")
			}
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-h", "-help", "--help"} {
		status, stdout, stderr := corsfetch(t, flag)
		if status != 0 || stderr != "" {
			t.Errorf("%s: exit status %d, want 0; standard error has %q", flag, status, stderr)
		}
		for _, want := range []string{
			"corsfetch requests a URL as a script on a page would",
			"usage:   corsfetch -page origin",
			"2 unknown: invalid flags, a request that no browser sends, or no response",
		} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: %q is not in\n%s", flag, want, stdout)
			}
		}
	}
}

// echoHost allows any origin. It responds with the Host of the request, or with
// the redirect that the query asks for.
var echoHost = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if to := r.URL.Query().Get("redirect"); to != "" {
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	io.WriteString(w, "host "+r.Host)
})

func TestFieldBugLocalhostNamesAreLoopback(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(echoHost)
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, host := range []string{"localhost", "api.localhost", "a.b.localhost", "API.LocalHost", "api.localhost."} {
		// Browsers also bypass a proxy for these names.
		c := process(t, []string{"HTTP_PROXY=http://127.0.0.1:1", "http_proxy=http://127.0.0.1:1"}, command, "-page", "https://app.example.com", "-json", "http://"+host+port)
		out, err := c.Output()
		if want := `"body": "host ` + strings.ToLower(host) + port + `"`; err != nil || !bytes.Contains(out, []byte(want)) {
			t.Errorf("%s: %v, %q is not in %s", host, err, want, out)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(echoHost)
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, flags := range [][]string{
		{"-resolve", "api.example" + port + ":127.0.0.1"},
		{"--resolve", "API.example" + port + ":127.0.0.1"},
		{"--resolve", "other.example" + port + ":192.0.2.1", "--resolve", "api.example" + port + ":127.0.0.1"},
		{"--resolve", "api.example" + port + ":[::ffff:127.0.0.1]"},
	} {
		args := append(flags, "-page", "http://app.example", "-json", "api.example"+port)
		status, stdout, stderr := corsfetch(t, args...)
		if status != 0 || stderr != "" || !strings.Contains(stdout, `"body": "host api.example`+port+`"`) {
			t.Errorf("%q: exit status %d\n%s%s", args, status, stdout, stderr)
		}
	}
}

// TestFieldBugIdleConnections uses a server that closes kept-alive connections
// when it receives a second request, as if they had been idle for too long.
func TestFieldBugIdleConnections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		args    []string
		perConn int // requests that the server responds to on one connection
		status  int
		got     string // requests that reached the server
		last    string // written before the connection is closed
	}{
		{"sends a PUT again", []string{"-X", "PUT", "-d", "a=1"}, 1, 0, "OPTIONS, PUT, new connection, PUT a=1", ""},
		{"sends a PUT without a body again", []string{"-X", "PUT"}, 1, 0, "OPTIONS, PUT, new connection, PUT ", ""},
		{"sends a GET again", []string{"-H", "X-Id: 1"}, 1, 0, "OPTIONS, GET, new connection, GET ", ""},
		{"sends a request once if the first connection fails", []string{"-d", "a=1"}, 0, 2, "POST", ""},
		{"sends a PUT once if the response is malformed", []string{"-X", "PUT", "-d", "a=1"}, 1, 2, "OPTIONS, PUT", "malformed\r\n"},
		{"sends a PUT once if the response is cut short", []string{"-X", "PUT", "-d", "a=1"}, 1, 2, "OPTIONS, PUT", "HTTP/1.1 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			done := make(chan struct{})
			go func() {
				defer close(done)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					if got != nil {
						got = append(got, "new connection")
					}
					buffer := bufio.NewReader(conn)
					for served := 0; ; served++ {
						r, err := http.ReadRequest(buffer)
						if err != nil {
							break
						}
						body, _ := io.ReadAll(r.Body)
						if served == test.perConn || r.Method == http.MethodOptions {
							got = append(got, r.Method)
						} else {
							got = append(got, r.Method+" "+string(body))
						}
						if served == test.perConn {
							io.WriteString(conn, test.last)
							break
						}
						io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: PUT\r\nAccess-Control-Allow-Headers: X-Id\r\n\r\n")
					}
					conn.Close()
				}
			}()
			status, stdout, stderr := corsfetch(t, append(test.args, "-page", "https://app.example.com", "http://"+listener.Addr().String())...)
			listener.Close()
			<-done
			if got := strings.Join(got, ", "); status != test.status || got != test.got {
				t.Errorf("exit status %d, the server got %q, want %q\n%s%s", status, got, test.got, stdout, stderr)
			}
		})
	}
}

func TestFieldBugMixedContent(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(echoHost)
	t.Cleanup(server.Close)
	secure := httptest.NewTLSServer(echoHost)
	t.Cleanup(secure.Close)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	insecure := "insecure.example" + port
	for _, test := range []struct {
		name, page, url string
		note            bool
	}{
		{"an https page and an http URL", "https://app.example.com", "http://" + insecure, true},
		{"an https page and a URL without a scheme", "https://app.example.com", insecure, true},
		{"an https page and a redirect to an http URL", "https://app.example.com", secure.URL + "/?redirect=http://" + insecure, true},
		{"an https page and a loopback address", "https://app.example.com", server.URL, false},
		{"an https page and a loopback name", "https://app.example.com", "http://api.localhost" + port, false},
		{"an https page and an https URL", "https://app.example.com", secure.URL, false},
		{"an http page and an http URL", "http://app.example.com", "http://" + insecure, false},
		{"an opaque page and an http URL", "null", "http://" + insecure, false},
	} {
		status, stdout, stderr := corsfetch(t, "-page", test.page, "-k", "-resolve", insecure+":127.0.0.1", test.url)
		const note = "corsfetch: browsers block http://"
		if got := strings.HasPrefix(stderr, note); got != test.note || status != 0 {
			t.Errorf("%s: exit status %d, note: %t\n%s%s", test.name, status, got, stdout, stderr)
		}
		_, stdout, _ = corsfetch(t, "-page", test.page, "-k", "-json", "-resolve", insecure+":127.0.0.1", test.url)
		if got := strings.Contains(stdout, "as mixed content"); got != test.note {
			t.Errorf("%s: note in JSON: %t\n%s", test.name, got, stdout)
		}
	}
}

func TestAllHeaders(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com")
		w.Header().Set("Access-Control-Allow-Methods", "PUT")
		w.Header().Set("X-Powered-By", "PHP")
		w.Header().Set("Set-Cookie", "id=secret")
		switch {
		case r.URL.Path == "/long":
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, strings.Repeat("line\n", 11))
		case r.URL.Path == "/wide":
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, strings.Repeat("x", 1001))
		case r.Method == http.MethodPut:
			w.WriteHeader(http.StatusBadGateway)
			io.WriteString(w, "<h1>Bad \x1bGateway</h1>\n<p>nginx</p>\n")
		default:
			io.WriteString(w, "not an error")
		}
	}))
	t.Cleanup(server.Close)
	for _, test := range []struct {
		name      string
		args      []string
		want, not []string
	}{
		{"prints all headers and the body of an error", []string{"-i", "-X", "PUT", server.URL},
			[]string{"sends a preflight", "\n> OPTIONS / HTTP/1.1\n> Host: ", "> Accept: */*", "> Sec-Fetch-Mode: cors", "< HTTP/1.1 200 OK\n", "\n> PUT / HTTP/1.1\n", "< HTTP/1.1 502 Bad Gateway\n", "< X-Powered-By: PHP", "< Set-Cookie: (not shown)\n", "| <h1>Bad  Gateway</h1>\n| <p>nginx</p>\n"},
			[]string{"secret", "not an error", "bytes read"}},
		{"prints ten lines of an error", []string{"-i", server.URL + "/long"}, []string{strings.Repeat("| line\n", 10) + "| (55 bytes read)\n"}, []string{strings.Repeat("| line\n", 11)}},
		{"prints a thousand bytes of an error", []string{"-i", server.URL + "/wide"}, []string{"| " + strings.Repeat("x", 1000) + "\n| (1001 bytes read)\n"}, nil},
		{"prints neither without -i", []string{"-X", "PUT", server.URL}, nil, []string{"> Accept", "X-Powered-By", "nginx"}},
	} {
		_, stdout, stderr := corsfetch(t, append(test.args, "-page", "https://app.example.com")...)
		for _, want := range test.want {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s: %q is not in\n%s%s", test.name, want, stdout, stderr)
			}
		}
		for _, not := range test.not {
			if strings.Contains(stdout, not) {
				t.Errorf("%s: %q is in\n%s", test.name, not, stdout)
			}
		}
	}
}

// TestUsedFlagsCauseNoNotes checks that the command prints no note if each flag
// has an effect.
func TestUsedFlagsCauseNoNotes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(api(t))
	t.Cleanup(server.Close)
	for _, args := range [][]string{
		{"-page", "https://app.example.com", "-credentials", "-cookie", "a=b", "-H", "Accept-Language: en", server.URL + "/new"},
		{"-page", "https://app.example.com", "-credentials", "-cookie", "a=b", "-X", "DELETE", "-H", "X-Id: 1", server.URL + "/new"}, // blocked
		{"-page", server.URL, "-cookie", "a=b", server.URL + "/new"},
		{"-page", "https://app.example.com", server.URL + "/new"},
	} {
		if _, stdout, stderr := corsfetch(t, args...); stderr != "" || strings.Contains(stdout, "note: ") || !strings.Contains(stdout, "> Host:") {
			t.Errorf("%q: %s%s", args, stderr, stdout)
		}
	}
}

// TestEndlessBodies uses a server that begins responses and does not end them.
func TestEndlessBodies(t *testing.T) {
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
	const late = "corsfetch: the body did not end within "
	for _, test := range []struct {
		name   string
		args   []string
		status int
		late   bool
	}{
		{"of a preflight", []string{"-X", "PUT", "-m", "60", server.URL}, 0, false},
		{"of the response", []string{"-m", "2", server.URL}, 0, true},
		{"of a blocked response", []string{"-m", "2", server.URL + "/closed"}, 1, false},
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
	if strings.Contains(stdout, "secret") || strings.Count(stdout, "(not shown)") != 4 { // two Set-Cookie, Cookie and Authorization
		t.Errorf("got %s", stdout)
	}
}

// TestCookieIsForOneHost uses a server that redirects to another host.
func TestCookieIsForOneHost(t *testing.T) {
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

// TestNoResponse uses a server that never responds, or never ends its response.
func TestNoResponse(t *testing.T) {
	t.Parallel()
	received := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.(http.Flusher).Flush()
		}
		if r.URL.Path != "/late" {
			received <- struct{}{}
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	status, _, stderr := corsfetch(t, "-page", "https://app.example.com", "-m", "0.05", server.URL+"/late")
	if status != 2 || !strings.Contains(stderr, "no response within 50ms") {
		t.Errorf("exit status %d, %s", status, stderr)
	}

	for _, path := range []string{"/", "/begun"} {
		c := process(t, nil, command, "-page", "https://app.example.com", server.URL+path)
		var errs bytes.Buffer
		c.Stderr = &errs
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan error, 1)
		go func() { exited <- c.Wait() }()
		select {
		case <-received:
		case err := <-exited:
			t.Fatalf("%s: the command ended before an interrupt: %v, %s", path, err, errs.String())
		}
		c.Process.Signal(syscall.SIGINT) // as Ctrl-C does
		<-exited
		if c.ProcessState.ExitCode() != 2 || !strings.Contains(errs.String(), "the result is unknown") {
			t.Errorf("%s, after an interrupt: exit status %d, %s", path, c.ProcessState.ExitCode(), errs.String())
		}
	}
}

// TestColors runs the command in a terminal, which script(1) provides.
func TestColors(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("script"); err != nil {
		t.Fatalf("script(1) is missing, which provides a terminal: %v", err)
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
