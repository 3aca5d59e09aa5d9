//go:build unix

package proxies

import (
	"bufio"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

var update = flag.Bool("update", false, "write the table of docs/proxies.md")

// A check looks at a proxy in the configurations that it needs, and returns a
// cell of the table.
type check struct {
	name string
	run  func(t *testing.T, b *bench) string
}

var checks = []check{
	{"`Host` by default", hostByDefault},
	{"preflights", preflights},
	{"your own page, `Host` kept: POST, WebSocket", ownPage(func(p *proxy) site { return site{} }, "200", "101")},
	{"your own page, `Host` rewritten", ownPage(func(p *proxy) site { return p.rewritten }, "403", "403")},
	{"your own page, `Host` without port", ownPage(func(p *proxy) site { return p.withoutPort }, "403", "403")},
	{"server-sent events", events},
	{"103 Early Hints", hints},
	{"longest response header", longest},
	{"body too large: status that a page can read", readable413},
	{"chunked body too large: status", statusOfChunks},
	{"service down: status that a page can read", readable502},
	{"proxy requires a login: preflight, then request", login},
	{"proxy adds `Access-Control-Allow-Origin: *`", adds},
	{"proxy replaces the value with `*`", replaces},
	{"proxy removes `Access-Control-Allow-Origin`", removes},
	{"proxy removes `Origin`", removesOrigin},
	{"cache: four clients in every order", orders},
	{"cache: revalidation", revalidation},
	{"cache: origin removed from the policy", removedOrigin},
	{"cache that ignores `Vary`", func(t *testing.T, b *bench) string { return ignored(t, b, b.ignoresVary, "", true) }},
	{"remedy: allow every origin", func(t *testing.T, b *bench) string { return ignored(t, b, b.ignoresVary, "/public", false) }},
	{"remedy: `Origin` in the cache key", func(t *testing.T, b *bench) string { return ignored(t, b, b.byOrigin, "", false) }},
	{"remedy: allowed origins in the cache key", byAllowed},
}

// TestProxies runs every check with every proxy, and compares the results with
// the table in docs/proxies.md. It prints the table and the seconds, which the go
// command shows with -v, and if no package is given on its command line.
//
// If -run selects some of the proxies or checks, only their results are compared.
// The test fails if CORS_PROXIES names a proxy that -run leaves out.
func TestProxies(t *testing.T) {
	if testing.Short() {
		t.Skip("proxies do not run with -short")
	}
	columns := make([]*column, len(all))
	var group sync.WaitGroup
	for i, p := range all {
		c := &column{title: p.title, cells: make([]string, len(checks))}
		columns[i] = c
		group.Go(func() {
			t.Run(p.name, func(t *testing.T) {
				p.need(t)
				c.title += " " + p.versionOf(t)
				start := time.Now()
				b := newBench(t, p)
				for row, check := range checks {
					if !t.Run(check.name, func(t *testing.T) { c.cells[row] = check.run(t, b) }) {
						c.cells[row] = "failed"
					}
				}
				c.seconds = time.Since(start).Seconds()
			})
		})
	}
	group.Wait()
	fmt.Print(table(columns))
	for i, c := range columns {
		switch left := c.left(); {
		case left == 0:
			fmt.Printf("%s: %d checks in %.1f s\n", c.title, len(checks), c.seconds)
		case all[i].demanded():
			t.Errorf("%s: %d of %d checks did not run, but CORS_PROXIES demands the proxy; remove -run, or the name from CORS_PROXIES", c.title, left, len(checks))
		default:
			fmt.Printf("%s: %d of %d checks did not run and are not compared with the page\n", c.title, left, len(checks))
		}
	}

	before, rest, found := strings.Cut(readPage(t), begin)
	shown, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no part that begins with %q and ends with %q", pageFile, begin, end)
	}
	if *update {
		for _, c := range columns {
			if c.left() > 0 {
				t.Fatalf("%s is missing, or not all checks ran, so the page stays as it is", c.title)
			}
		}
		if err := os.WriteFile(pageFile, []byte(before+begin+table(columns)+"\n"+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	compare(t, columns, strings.TrimSpace(shown))
}

const pageFile = "../../docs/proxies.md"

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageShowsConfigurations checks that the page shows the configurations that
// the other tests use.
func TestPageShowsConfigurations(t *testing.T) {
	t.Parallel()
	text := readPage(t)
	_, logins, _ := strings.Cut(text, "## A gateway that requires a login")
	code := regexp.MustCompile("`([^`]+)`")
	for _, p := range all {
		for _, file := range []string{p.site, p.errors, p.keys} {
			if file != "" && !strings.Contains(text, "\n"+strings.Trim(p.read(t, file), "\n")+"\n```\n") {
				t.Errorf("the page does not show %s/%s", p.name, file)
			}
		}
		_, row, found := strings.Cut(logins, "| "+p.title)
		row, _, _ = strings.Cut(row, "|\n")
		_, row, _ = strings.Cut(row, "|")
		parts := code.FindAllStringSubmatch(row, -1)
		if !found || len(parts) == 0 {
			t.Errorf("the page has no login for %s", p.title)
		}
		for _, part := range parts {
			setting, _, _ := strings.Cut(strings.ReplaceAll(part[1], "/etc/nginx", "DIR"), "...")
			if !strings.Contains(fmt.Sprint(p.login), setting) {
				t.Errorf("the login for %s: the page has %q, the test has %v", p.title, part[1], p.login)
			}
		}
	}
}

// The lines around the table of docs/proxies.md.
const (
	begin = "<!-- made by: go test ./internal/proxies -run TestProxies -update -->\n\n"
	end   = "<!-- until here -->"
)

// A column of the table holds the results of one proxy.
type column struct {
	title   string
	cells   []string // results of the checks; empty if a check did not run
	seconds float64
}

// left returns the number of checks that did not run.
func (c *column) left() (n int) {
	for _, cell := range c.cells {
		if cell == "" {
			n++
		}
	}
	return n
}

func table(columns []*column) string {
	var b strings.Builder
	row := func(name string, cell func(c *column) string) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", cell(c))
		}
		b.WriteByte('\n')
	}
	row("", func(c *column) string { return c.title })
	row("---", func(c *column) string { return "---" })
	for i, check := range checks {
		row(check.name, func(c *column) string { return c.cells[i] })
	}
	return b.String()
}

// compare compares the results with the table that the page shows. Another
// version of a proxy may behave differently, so its results are only logged.
func compare(t *testing.T, columns []*column, shown string) {
	t.Helper()
	var rows [][]string
	for line := range strings.SplitSeq(shown, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != len(columns)+1 {
			t.Fatalf("the page's row %q has %d cells", line, len(cells))
		}
		rows = append(rows, cells)
	}
	if len(rows) != len(checks)+2 {
		t.Fatalf("the page's table has %d rows, want %d", len(rows), len(checks)+2)
	}
	for row, check := range checks {
		if shown := rows[row+2][0]; shown != check.name {
			t.Errorf("docs/proxies.md has the row %q, want %q", shown, check.name)
		}
	}
	for i, c := range columns {
		for row, got := range c.cells {
			want := rows[row+2][i+1]
			switch {
			case got == "" || got == "failed" || got == want:
			case c.title != rows[0][i+1]:
				t.Logf("%s: %s: got %q; with %s it was %q", c.title, checks[row].name, got, rows[0][i+1], want)
			default:
				t.Errorf("%s: %s: got %q; docs/proxies.md shows %q", c.title, checks[row].name, got, want)
			}
		}
	}
}

// TestFieldBugRejectionIsStored lets a rejected page fill a cache that ignores
// Vary and stores every status. Without Cache-Control: no-store, all pages would
// get the 403.
func TestFieldBugRejectionIsStored(t *testing.T) {
	t.Parallel()
	p := all[0]
	p.need(t)
	b := newBench(t, p)
	r := b.start(t, *nginxCache("proxy_ignore_headers Vary;\nproxy_cache_valid any 10m;"))
	tr := r.transport("http/1.1")
	for name, path := range map[string]string{
		"alone": "/cached/rejected?age=600",
		"in a layer that sets Cache-Control and Etag": "/outer/cached/rejected?age=600",
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				if resp, _ := do(t, tr, "GET", "http://"+r.http+path, "", "Origin: "+rogue); resp.StatusCode != 403 {
					t.Errorf("a rejected page got %s", resp.Status)
				}
			}
			resp, _ := do(t, tr, "GET", "http://"+r.http+path, "", "Origin: "+app)
			if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != 200 || got != app {
				t.Errorf("after it, an allowed page got %s, Access-Control-Allow-Origin: %q", resp.Status, got)
			}
		})
	}
}

// do sends a request with the header lines through tr, and returns the response
// and its body.
func do(t *testing.T, tr http.RoundTripper, method, url, body string, lines ...string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if name, value, ok := strings.Cut(line, ": "); ok && value != "" {
			r.Header.Add(name, value)
		}
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return resp, string(text)
}

// decides returns the lines of h that CORS and caches depend on.
func decides(h http.Header) string {
	var lines []string
	for name, values := range h {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" || name == "Cache-Control" {
			lines = append(lines, fmt.Sprintf("%s: %q", name, values))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func hostByDefault(t *testing.T, b *bench) string {
	r := b.start(t, b.bare)
	do(t, r.transport("http/1.1"), "GET", "http://"+r.http+"/echo", "")
	switch got := b.up.last.Load().Host; got {
	case r.http:
		return "kept"
	case b.up.addr:
		return "rewritten"
	default:
		return got
	}
}

func preflights(t *testing.T, b *bench) string {
	r := b.start(t, site{})
	plain := r.transport("http/1.1")
	for _, origin := range []string{app, rogue} {
		sent := []string{"Origin: " + origin, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization,content-type"}
		want, wantBody := do(t, plain, "OPTIONS", "http://"+b.up.addr+"/echo", "", sent...)
		for _, protocol := range b.protocols() {
			tr := r.transport(protocol)
			defer tr.CloseIdleConnections()
			for _, url := range []string{"http://" + r.http, "https://" + r.https} {
				got, body := do(t, tr, "OPTIONS", url+"/echo", "", sent...)
				if got.StatusCode != want.StatusCode || decides(got.Header) != decides(want.Header) || body != wantBody {
					t.Errorf("%s %s: got %d\n%s\n%q\nwithout the proxy %d\n%s\n%q", protocol, origin,
						got.StatusCode, decides(got.Header), body, want.StatusCode, decides(want.Header), wantBody)
				}
				for _, line := range sent {
					name, value, _ := strings.Cut(line, ": ")
					if got := b.up.last.Load().Header[name]; !slices.Equal(got, []string{value}) {
						t.Errorf("%s: %s arrived as %q", protocol, line, got)
					}
				}
			}
		}
	}
	return "unaltered"
}

// protocols returns the protocols that p speaks over TLS.
func (p *proxy) protocols() []string {
	if p.plain {
		return []string{"http/1.1"}
	}
	return []string{"http/1.1", "h2"}
}

// ownPage returns a check of the requests that Chromium sends from the service's
// pages. POSTs over TLS have Origin and Sec-Fetch-Site. WebSocket handshakes, and
// all requests over plain HTTP, have only Origin.
func ownPage(config func(p *proxy) site, plainPost, sockets string) func(*testing.T, *bench) string {
	return func(t *testing.T, b *bench) string {
		r := b.start(t, config(b.proxy))
		own := []string{"http://" + r.http, "https://" + r.https}
		send := func() (post, socket []string) {
			for _, origin := range own {
				lines := []string{"Origin: " + origin}
				if strings.HasPrefix(origin, "https:") {
					lines = append(lines, "Sec-Fetch-Site: same-origin")
				}
				resp, _ := do(t, r.transport("http/1.1"), "POST", origin+"/echo", "x", lines...)
				post = append(post, fmt.Sprint(resp.StatusCode))
				socket = append(socket, r.handshake(t, origin, origin))
				if got := r.handshake(t, origin, rogue); got != "403" {
					t.Errorf("a WebSocket of %s got %s", rogue, got)
				}
				if got := r.handshake(t, origin, app); got != "101" {
					t.Errorf("a WebSocket of %s got %s", app, got)
				}
			}
			return post, socket
		}
		post, socket := send()
		if want := []string{plainPost, "200"}; !slices.Equal(post, want) {
			t.Errorf("POST over HTTP, HTTPS: got %q, want %q", post, want)
		}
		if want := []string{sockets, sockets}; !slices.Equal(socket, want) {
			t.Errorf("WebSocket over HTTP, HTTPS: got %q, want %q", socket, want)
		}

		before := b.up.listed.Policy()
		withOwn := b.up.listed.Policy()
		withOwn.AllowedOrigins = append(withOwn.AllowedOrigins, own...)
		withOwn.AcceptRisks = cors.RiskInsecureOrigin
		if err := b.up.listed.SetPolicy(withOwn); err != nil {
			t.Fatal(err)
		}
		listedPost, listedSocket := send()
		if err := b.up.listed.SetPolicy(before); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(listedPost, listedSocket) != "[200 200] [101 101]" {
			t.Errorf("with its origins listed: got %q, %q", listedPost, listedSocket)
		}
		return fmt.Sprintf("HTTP %s, %s; HTTPS %s, %s", post[0], socket[0], post[1], socket[1])
	}
}

// handshake opens a WebSocket from a page, exchanges a message, and returns the
// status of the handshake.
func (r *running) handshake(t *testing.T, server, page string) string {
	t.Helper()
	conn, err := net.Dial("tcp", r.http)
	if host, ok := strings.CutPrefix(server, "https://"); ok {
		conn.Close()
		conn, err = tls.Dial("tcp", r.https, &tls.Config{RootCAs: r.roots, ServerName: strings.Split(host, ":")[0], NextProtos: []string{"http/1.1"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	_, host, _ := strings.Cut(server, "://")
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", host, page, key)
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Sprint(resp.StatusCode)
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != accept(key) {
		t.Errorf("Sec-WebSocket-Accept: got %q", got)
	}
	mask := []byte{1, 2, 3, 4}
	frame := append([]byte{0x81, 0x80 | 5}, mask...)
	for i, b := range []byte("hello") {
		frame = append(frame, b^mask[i%4])
	}
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	if message, err := readFrame(br); err != nil || string(message) != "hello" {
		t.Errorf("the WebSocket sent %q back: %v", message, err)
	}
	return "101"
}

func events(t *testing.T, b *bench) string {
	urls := []string{"https://" + b.start(t, site{}).https + "/events"}
	if b.cache != nil {
		urls = append(urls, "https://"+b.start(t, *b.cache).https+"/events?unbuffered")
	}
	for _, url := range urls {
		for _, protocol := range b.protocols() {
			tr := b.start(t, site{}).transport(protocol)
			defer tr.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", app)
			resp, err := tr.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			lines := bufio.NewScanner(resp.Body)
			// The service sends the second event after the test read the first one.
			if !lines.Scan() || lines.Text() != "data: 1" {
				t.Fatalf("%s %s: the first event was not passed on: %v", protocol, url, lines.Err())
			}
			b.up.next <- struct{}{}
			for lines.Scan() && lines.Text() != "data: 2" {
			}
			if lines.Text() != "data: 2" {
				t.Fatalf("%s %s: the second event was not passed on: %v", protocol, url, lines.Err())
			}
			if got := resp.Header["Access-Control-Allow-Origin"]; !slices.Equal(got, []string{app}) {
				t.Errorf("%s %s: Access-Control-Allow-Origin: %q", protocol, url, got)
			}
		}
	}
	return "at once"
}

// hints returns the result of a 103 for each protocol: passed on, left out, or the
// error that replaces the response.
func hints(t *testing.T, b *bench) string {
	r := b.start(t, site{})
	var results []string
	for _, protocol := range b.protocols() {
		tr := r.transport(protocol)
		defer tr.CloseIdleConnections()
		hinted := false
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
				hinted = hinted || code == http.StatusEarlyHints
				return nil
			},
		})
		req, err := http.NewRequestWithContext(ctx, "GET", "https://"+r.https+"/hints", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", app)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Logf("%s: %v", protocol, err)
			results = append(results, "network error")
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		switch {
		case resp.StatusCode != 200:
			results = append(results, fmt.Sprint(resp.StatusCode))
		case string(body) != "hinted" || !slices.Equal(resp.Header["Access-Control-Allow-Origin"], []string{app}):
			t.Errorf("%s: got %q\n%s", protocol, body, decides(resp.Header))
		case hinted:
			results = append(results, "passed on")
		default:
			results = append(results, "left out")
		}
	}
	if len(results) == 2 && results[0] != results[1] {
		return results[0] + "; over HTTP/2 " + results[1]
	}
	return results[0]
}

// longest returns the length of the longest response header that b passes on.
func longest(t *testing.T, b *bench) string {
	r := b.start(t, site{})
	passed := "none"
	for _, kib := range []int{1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 64, 128, 256} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		req, err := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("http://%s/large?size=%d", r.http, kib<<10), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := r.transport("http/1.1").RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		cancel()
		if err != nil || resp.StatusCode != 200 {
			return passed
		}
		passed = fmt.Sprintf("%d KiB", kib)
	}
	return "at least " + passed
}

// with returns a copy of s with the lines of a file of b.
func (b *bench) with(t *testing.T, s site, file string) site {
	t.Helper()
	text := b.read(t, file)
	outside, inside, found := strings.Cut(text, "# in the server block\n")
	switch {
	case found:
		s.outside += "\n" + outside
		s.inside += "\n" + inside
	case strings.HasSuffix(file, ".vcl"):
		s.outside += "\n" + text
	default:
		s.inside += "\n" + text
	}
	return s
}

func readable413(t *testing.T, b *bench) string {
	return readable(t, b, func(r *running, origin string) *http.Response { return postTooMuch(t, r, origin, false) })
}

// statusOfChunks returns the status for the same body without Content-Length.
func statusOfChunks(t *testing.T, b *bench) string {
	return fmt.Sprint(postTooMuch(t, b.start(t, b.with(t, site{}, b.errors)), app, true).StatusCode)
}

// postTooMuch sends a body that is too large, in one chunk or with
// Content-Length. It reads the response at the same time, because a proxy may
// close the connection before it has the whole body.
func postTooMuch(t *testing.T, r *running, origin string, chunked bool) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", r.http)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	const size = 1<<20 + 1
	request := fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.http)
	if origin != "" {
		request += "Origin: " + origin + "\r\n"
	}
	body := string(make([]byte, size))
	if chunked {
		request += "Transfer-Encoding: chunked\r\n"
		body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", size, body)
	} else {
		request += fmt.Sprintf("Content-Length: %d\r\n", size)
	}
	go io.WriteString(conn, request+"\r\n"+body)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func readable502(t *testing.T, b *bench) string {
	r := b.start(t, site{})
	resp, _ := do(t, r.transport("http/1.1"), "GET", "http://"+r.http+"/down", "", "Origin: "+app)
	if got := resp.Header["Access-Control-Allow-Origin"]; got != nil {
		t.Errorf("without these lines, got %s and Access-Control-Allow-Origin: %q", resp.Status, got)
	}
	return readable(t, b, func(r *running, origin string) *http.Response {
		resp, _ := do(t, r.transport("http/1.1"), "GET", "http://"+r.http+"/down", "", "Origin: "+origin)
		return resp
	})
}

// readable checks which pages can read the error that p sends, and returns its
// status.
func readable(t *testing.T, b *bench, get func(r *running, origin string) *http.Response) string {
	r := b.start(t, b.with(t, site{}, b.errors))
	status := 0
	for _, origin := range []string{app, admin, rogue, none} {
		resp := get(r, origin)
		var want []string
		if origin == app || origin == admin {
			want = []string{origin}
		}
		if got := resp.Header["Access-Control-Allow-Origin"]; !slices.Equal(got, want) {
			t.Errorf("%q: got %s and Access-Control-Allow-Origin %q, want %q", origin, resp.Status, got, want)
		}
		if !slices.Contains(resp.Header["Vary"], "Origin") {
			t.Errorf("%q: got Vary: %q", origin, resp.Header["Vary"])
		}
		status = resp.StatusCode
	}
	if status < 400 {
		t.Errorf("got %d", status)
	}
	resp, _ := do(t, r.transport("http/1.1"), "GET", "http://"+r.http+"/echo", "", "Origin: "+app)
	if got := resp.Header["Access-Control-Allow-Origin"]; !slices.Equal(got, []string{app}) || !slices.Equal(resp.Header["Vary"], []string{"Origin"}) {
		t.Errorf("another response has\n%s", decides(resp.Header))
	}
	return fmt.Sprint(status)
}

func login(t *testing.T, b *bench) string {
	r := b.start(t, b.login)
	tr := r.transport("http/1.1")
	url := "http://" + r.http + "/echo"
	preflight, _ := do(t, tr, "OPTIONS", url, "", "Origin: "+app, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization")
	without, _ := do(t, tr, "PUT", url, "", "Origin: "+app)
	with, _ := do(t, tr, "PUT", url, "", "Origin: "+app, "Authorization: Basic dXNlcjpzZWNyZXQ=")
	if preflight.StatusCode != 204 || without.StatusCode != 401 || with.StatusCode != 200 {
		t.Errorf("preflight %d, without password %d, with it %d", preflight.StatusCode, without.StatusCode, with.StatusCode)
	}
	return fmt.Sprintf("%d, then %d", preflight.StatusCode, with.StatusCode)
}

// fetch sends a GET request from a page on app through s. It returns the reason
// why the request was blocked.
func fetch(t *testing.T, b *bench, s site, c corstest.Credentials) string {
	t.Helper()
	r := b.start(t, s)
	browser := corstest.Browser{Transport: r.transport("http/1.1"), Cookie: "session=1"}
	return browser.Fetch(app, corstest.Request{URL: "https://" + r.https + "/echo", Credentials: c}).Blocked
}

// adds returns "blocked", because browsers accept only one value.
func adds(t *testing.T, b *bench) string {
	if b.adds == nil {
		return "not possible"
	}
	if fetch(t, b, *b.adds, corstest.SameOrigin) == "" {
		t.Error("a page can read the response")
	}
	return "blocked"
}

func replaces(t *testing.T, b *bench) string {
	if blocked := fetch(t, b, b.replaces, corstest.SameOrigin); blocked != "" {
		t.Errorf("without credentials: %s", blocked)
	}
	if fetch(t, b, b.replaces, corstest.Include) == "" {
		t.Error("a page can read the response to a request with credentials")
	}
	return "credentials blocked"
}

func removes(t *testing.T, b *bench) string {
	if fetch(t, b, b.removes, corstest.SameOrigin) == "" {
		t.Error("a page can read the response")
	}
	return "blocked"
}

// removesOrigin shows that the handler runs for forms on all pages if the proxy
// removes Origin, unless the browser sends Sec-Fetch-Site.
func removesOrigin(t *testing.T, b *bench) string {
	if fetch(t, b, b.removesOrigin, corstest.SameOrigin) == "" {
		t.Error("a page can read the response")
	}
	r := b.start(t, b.removesOrigin)
	form, _ := do(t, r.transport("http/1.1"), "POST", "http://"+r.http+"/echo", "x", "Origin: "+rogue)
	secure, _ := do(t, r.transport("http/1.1"), "POST", "https://"+r.https+"/echo", "x", "Origin: "+rogue, "Sec-Fetch-Site: cross-site")
	if form.StatusCode != 200 || secure.StatusCode != 403 {
		t.Errorf("a form got %d over HTTP, %d over HTTPS", form.StatusCode, secure.StatusCode)
	}
	return "blocked; **forged POST passes over HTTP**"
}

// A sight is the part of a response that must be right for the page that gets it.
type sight struct {
	status  int
	decides string
}

var pages = []string{app, admin, none, rogue}

// see returns the sight of resp. A cache that ignores Vary may also remove it.
func see(resp *http.Response, ignoresVary bool) sight {
	h := resp.Header.Clone()
	if ignoresVary {
		h.Del("Vary")
	}
	return sight{resp.StatusCode, decides(h)}
}

// direct returns the responses of the service itself to all pages.
func (up *service) direct(t *testing.T, path string, ignoresVary bool) map[string]sight {
	t.Helper()
	want := make(map[string]sight)
	for _, page := range pages {
		resp, _ := do(t, (&running{}).transport("http/1.1"), "GET", "http://"+up.addr+path, "", "Origin: "+page)
		want[page] = see(resp, ignoresVary)
	}
	return want
}

// permutations calls f with each order of pages.
func permutations(pages []string, f func(order []string)) {
	var extend func(order, rest []string)
	extend = func(order, rest []string) {
		if len(rest) == 0 {
			f(order)
		}
		for i, page := range rest {
			extend(append(slices.Clone(order), page), slices.Concat(rest[:i], rest[i+1:]))
		}
	}
	extend(nil, pages)
}

// A tally counts responses through a cache.
type tally struct {
	requests int
	stored   int // responses from the cache
	wrong    int // responses that differ from the service's response for the page
	hidden   int // responses without CORS headers instead of a 403; no script can read them
}

// through sends requests for a URL from all pages, twice, in each order. Each order
// has a separate URL.
func through(t *testing.T, b *bench, s site, prefix string, ignoresVary bool) (n tally) {
	t.Helper()
	r := b.start(t, s)
	tr := r.transport("http/1.1")
	tr.DisableKeepAlives = false
	defer tr.CloseIdleConnections()
	want := b.up.direct(t, prefix+"/cached/direct?age=600", ignoresVary)
	before := b.up.arrived.Load()
	permutations(pages, func(order []string) {
		path := fmt.Sprintf("%s/cached/%d?age=600", prefix, n.requests)
		for _, page := range slices.Concat(order, order) {
			resp, _ := do(t, tr, "GET", "http://"+r.http+path, "", "Origin: "+page)
			n.requests++
			switch got := see(resp, ignoresVary); {
			case got == want[page]:
			case page == rogue && got == want[none]:
				n.hidden++
			default:
				n.wrong++
			}
		}
	})
	n.stored = n.requests - int(b.up.arrived.Load()-before)
	return n
}

func orders(t *testing.T, b *bench) string {
	if b.cache == nil {
		return "no cache"
	}
	n := through(t, b, *b.cache, "", false)
	if n.wrong+n.hidden > 0 {
		t.Errorf("got wrong responses: %+v", n)
	}
	return fmt.Sprintf("correct, %d of %d from the cache", n.stored, n.requests)
}

// ignored does the same as orders, with a cache that ignores Vary.
func ignored(t *testing.T, b *bench, s *site, prefix string, mixes bool) string {
	switch {
	case b.cache == nil:
		return "no cache"
	case s == nil:
		return "not possible"
	}
	n := through(t, b, *s, prefix, true)
	if n.stored == 0 || (n.wrong > 0) != mixes {
		t.Errorf("got %+v", n)
	}
	if n.wrong > 0 {
		return fmt.Sprintf("**%d of %d mixed up**", n.wrong, n.requests)
	}
	return fmt.Sprintf("correct, %d of %d from the cache", n.stored, n.requests)
}

// removedOrigin removes an origin from the policy. Then it requests a stored
// response, and a response that the cache must revalidate with the service.
func removedOrigin(t *testing.T, b *bench) string {
	if b.cache == nil {
		return "no cache"
	}
	r := b.start(t, *b.cache)
	tr := r.transport("http/1.1")
	get := func(path string) int {
		resp, _ := do(t, tr, "GET", "http://"+r.http+path, "", "Origin: "+app)
		return resp.StatusCode
	}
	const stored, checked = "/cached/removed?age=600", "/cached/removed-checked?age=0"
	for range 2 {
		if a, b := get(stored), get(checked); a != 200 || b != 200 {
			t.Errorf("got %d and %d", a, b)
		}
	}
	before := b.up.listed.Policy()
	if err := b.up.listed.SetPolicy(cors.Policy{AllowedOrigins: []string{admin}}); err != nil {
		t.Fatal(err)
	}
	defer b.up.listed.SetPolicy(before)
	if got := get(checked); got != 403 {
		t.Errorf("a response that the cache must check: got %d", got)
	}
	if get(stored) == 200 {
		return "200; with `no-cache` 403"
	}
	return "403"
}

func byAllowed(t *testing.T, b *bench) string {
	if b.keys == "" {
		return ignored(t, b, nil, "", false)
	}
	s := b.with(t, *b.ignoresVary, b.keys)
	return ignored(t, b, &s, "", false)
}

// revalidation requests a URL from several pages until the cache has revalidated
// each response with the service.
func revalidation(t *testing.T, b *bench) string {
	if b.cache == nil {
		return "no cache"
	}
	r := b.start(t, *b.cache)
	tr := r.transport("http/1.1")
	tr.DisableKeepAlives = false
	defer tr.CloseIdleConnections()
	const path = "/cached/again?age=1"
	want := b.up.direct(t, path, false)
	look := func(page string) (arrived int64) {
		before := b.up.arrived.Load()
		resp, _ := do(t, tr, "GET", "http://"+r.http+path, "", "Origin: "+page)
		if got := see(resp, false); got != want[page] {
			t.Errorf("%q: got %v, want %v", page, got, want[page])
		}
		return b.up.arrived.Load() - before
	}
	kept := pages[:3]
	stored := false
	for _, page := range kept {
		look(page)
		stored = look(page) == 0 || stored
	}
	if !stored {
		return "nothing stored"
	}
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, page := range kept {
		for before := b.up.validated.Load(); b.up.validated.Load() == before; {
			look(page)
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%q: the cache did not ask the service again", page)
			}
		}
		look(page)
		// The cache of a browser also revalidates. It keeps its stored headers if the
		// 304 has none.
		resp, _ := do(t, tr, "GET", "http://"+r.http+path, "", "Origin: "+page, `If-None-Match: "1"`)
		allows := resp.Header.Get("Access-Control-Allow-Origin")
		if resp.StatusCode != http.StatusNotModified || allows != "" && allows != page {
			t.Errorf("%q: got %s for %q", page, resp.Status, allows)
		}
	}
	return "correct"
}
