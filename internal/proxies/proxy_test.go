//go:build unix

// Package proxies tests a service behind real reverse proxies and caches, with
// the configurations that docs/proxies.md shows.
package proxies

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/f407da42/cors/internal/testkit"
)

// TestMain keeps the go command from caching the results if a proxy is missing,
// because they change when the proxy is installed. If all proxies are missing and
// CORS_PROXIES names none, it runs no test, and the go command prints "[no tests
// to run]".
func TestMain(m *testing.M) {
	flag.Parse()
	missing := 0
	for _, p := range all {
		if _, err := p.path(); err != nil {
			fmt.Fprintf(os.Stderr, "not tested: %v\n", err) // shown with -v
			missing++
		}
	}
	if missing > 0 {
		flag.Set("test.testlogfile", "")
	}
	if missing == len(all) && os.Getenv("CORS_PROXIES") == "" {
		flag.Set("test.run", "^$")
	}
	testkit.RunAdvice(m, missing == 0 && !testing.Short())
}

// patience is the time limit for a proxy to start, to respond or to end. Only a
// broken proxy reaches it.
const patience = 20 * time.Second

// A proxy is a program that the tests put in front of the service.
type proxy struct {
	name    string   // name in CORS_PROXIES, and of the folder in testdata
	title   string   // title in the table of docs/proxies.md
	program string   // name of the program in PATH or sbin
	version string   // option that prints the version
	args    []string // arguments to run it in the foreground; DIR, HTTP_PORT and HTTPS_PORT are replaced
	site    string   // file that docs/proxies.md shows
	errors  string   // file with the lines that make errors readable
	advice  string   // file with the situations of adviceRows
	keys    string   // file with a cache key that contains allowed origins; empty if not possible
	listen  edits    // replacements of the example's addresses and files
	inner   string   // last line of the block that variants add lines to
	plain   bool     // whether it lacks TLS, so the tests put a TLS listener in front
	variants
}

// edits are pairs of a text and its replacement.
type edits []string

// path returns the program's file.
func (p *proxy) path() (string, error) {
	for _, name := range []string{p.program, "/usr/sbin/" + p.program} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s not found", p.program)
}

// need skips t if p is missing, or with -short. It fails t if the environment
// variable CORS_PROXIES, a list such as "nginx,apache", names a missing proxy.
func (p *proxy) need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("proxies do not run with -short")
	}
	for _, name := range demands() {
		if !slices.ContainsFunc(all, func(p *proxy) bool { return p.name == name }) {
			t.Fatalf("CORS_PROXIES names %q; known are nginx, apache, haproxy, varnish and caddy", name)
		}
	}
	if _, err := p.path(); err != nil && p.demanded() {
		t.Fatalf("%v, but CORS_PROXIES demands it", err)
	} else if err != nil {
		t.Skip(err)
	}
}

// demands returns the names in CORS_PROXIES.
func demands() (names []string) {
	for name := range strings.SplitSeq(os.Getenv("CORS_PROXIES"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (p *proxy) demanded() bool { return slices.Contains(demands(), p.name) }

// A running proxy listens on two ports of 127.0.0.1.
type running struct {
	http, https string // addresses, such as 127.0.0.1:8080
	dir         string
	roots       *x509.CertPool
}

// A site is the configuration of a proxy for a check: the file that the page
// shows, with changes.
type site struct {
	replace edits
	inside  string // lines added to the server block
	outside string // lines added to the end of the file
}

var version = regexp.MustCompile(`\d+\.\d+`)

// versionOf returns the version of the program, such as 1.22.
func (p *proxy) versionOf(t *testing.T) string {
	t.Helper()
	path, err := p.path()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, p.version).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", p.program, p.version, err, out)
	}
	return version.FindString(string(out))
}

// supervise is a shell script that runs a command until the command ends or
// standard input is closed. Standard input is closed when the test's process
// ends, if not before. The script then ends its process group, which contains the
// command.
const supervise = `trap : TERM; (trap : TERM; "$@"; kill -KILL 0) & read never; kill -TERM 0; wait; wait`

// A bench is a proxy, the service behind it, and the configurations that already
// run.
type bench struct {
	*proxy
	t       *testing.T // at its end, the proxy and the service stop
	up      *service
	running map[string]*running
}

func newBench(t *testing.T, p *proxy) *bench {
	t.Helper()
	return &bench{proxy: p, t: t, up: newService(t), running: make(map[string]*running)}
}

// start returns b's proxy with the configuration s.
func (b *bench) start(t *testing.T, s site) *running {
	t.Helper()
	key := fmt.Sprint(s)
	if b.running[key] == nil {
		b.running[key] = b.run(t, s)
	}
	r := b.running[key]
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(r.dir, "log"))
			t.Logf("%s wrote\n%s", b.title, text)
		}
	})
	return r
}

func (b *bench) run(t *testing.T, s site) *running {
	t.Helper()
	path, err := b.path()
	if err != nil {
		t.Fatal(err)
	}
	// Another process can take a free port before the proxy does.
	var log string
	for range 3 {
		r, err := b.try(t, path, s)
		if err == nil {
			return r
		}
		log = err.Error()
		if !strings.Contains(strings.ToLower(log), "in use") && !strings.Contains(log, "cannot bind") {
			break
		}
	}
	t.Fatalf("%s did not start: %s", b.title, log)
	return nil
}

func (b *bench) try(t *testing.T, path string, s site) (*running, error) {
	t.Helper()
	// Programs that drop their privileges also need access to its files.
	dir, err := os.MkdirTemp("", "cors-"+b.name+"-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.t.Error(err)
		}
	})
	if err := os.Mkdir(filepath.Join(dir, "cache"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "cache"), 0o777); err != nil { // regardless of the umask
		t.Fatal(err)
	}
	r := &running{http: freePort(t), https: freePort(t), dir: dir, roots: b.up.roots}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	_, httpPort, _ := strings.Cut(r.http, ":")
	_, httpsPort, _ := strings.Cut(r.https, ":")
	fill := strings.NewReplacer("DIR", dir, "USER", me.Username, "HTTPS_PORT", httpsPort, "HTTP_PORT", httpPort)

	b.write(t, dir, fill, b.up.addr, s)
	if err := os.WriteFile(filepath.Join(dir, "api.pem"), b.up.pem, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c", supervise, "sh", path}
	for _, arg := range b.args {
		args = append(args, fill.Replace(arg))
	}
	cmd := exec.Command("sh", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/usr/bin:/bin", "HOME=" + dir, "TMPDIR=" + dir}
	logFile, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logFile.Close()
	cmd.Stdout, cmd.Stderr = logFile, logFile
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	log := func() string {
		text, _ := os.ReadFile(logFile.Name())
		return string(text)
	}
	b.t.Cleanup(func() {
		alive.Close()
		select {
		case <-done:
		case <-time.After(patience):
			b.t.Errorf("%s did not end in time:\n%s", b.title, log())
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
	})
	if b.plain {
		r.terminate(t, b)
	}
	return r, r.wait(t, done, log)
}

// write writes the configuration files of p, filled in, to dir.
func (p *proxy) write(t *testing.T, dir string, fill *strings.Replacer, upstream string, s site) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", p.name, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text := p.read(t, filepath.Base(file))
		if filepath.Base(file) == p.site {
			text = s.apply(t, p, text)
			host, port, _ := strings.Cut(upstream, ":")
			if host != "127.0.0.1" || !strings.Contains(text, "8080") {
				t.Fatalf("%s: the upstream is not replaced", file)
			}
			text = strings.ReplaceAll(text, "8080", port)
			text = replace(t, text, p.listen)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(fill.Replace(text)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *proxy) read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", p.name, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// apply makes the changes of s to text, the site's file.
func (s site) apply(t *testing.T, p *proxy, text string) string {
	t.Helper()
	text = replace(t, text, s.replace)
	if s.inside != "" {
		at := len(text)
		if p.inner != "" {
			at = strings.LastIndex(text, p.inner)
		}
		text = text[:at] + s.inside + "\n" + text[at:]
	}
	return text + "\n" + s.outside + "\n"
}

// replace makes replacements, each of which must apply.
func replace(t *testing.T, text string, pairs edits) string {
	t.Helper()
	for pair := range slices.Chunk(pairs, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("%q is not in\n%s", pair[0], text)
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wait returns when r responds. If the proxy ends before that, it returns an error.
func (r *running) wait(t *testing.T, done <-chan struct{}, log func() string) error {
	t.Helper()
	client := http.Client{Transport: r.transport("http/1.1"), Timeout: patience}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		ready := true
		for _, url := range []string{"http://" + r.http, "https://" + r.https} {
			resp, err := client.Get(url + "/echo")
			ready = ready && err == nil && resp.StatusCode < 500
			if err == nil {
				resp.Body.Close()
			}
		}
		if ready {
			return nil
		}
		select {
		case <-tick.C:
		case <-done:
			return errors.New("it ended: " + log())
		case <-ctx.Done():
			return errors.New("it is not ready: " + log())
		}
	}
}

// terminate listens on r.https for TLS, and passes the plain bytes to r.http, as
// hitch does in front of Varnish.
func (r *running) terminate(t *testing.T, b *bench) {
	t.Helper()
	l, err := tls.Listen("tcp", r.https, &tls.Config{Certificates: []tls.Certificate{b.up.certificate}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	b.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("tcp", r.http)
				if err != nil {
					return
				}
				defer server.Close()
				go func() {
					defer client.Close()
					io.Copy(client, server)
				}()
				io.Copy(server, client)
			}()
		}
	}()
}

// transport returns a transport to r that speaks the protocol over TLS, and that
// keeps no connection.
func (r *running) transport(protocol string) *http.Transport {
	tr := &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: r.roots, NextProtos: []string{protocol}},
		DisableKeepAlives:  protocol != "h2",
		DisableCompression: true,
		ForceAttemptHTTP2:  protocol == "h2",
	}
	if protocol != "h2" {
		tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return tr
}

// pemOf returns the certificate and its key in one file, as HAProxy reads them.
func pemOf(t *testing.T, c tls.Certificate) []byte {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	return b.Bytes()
}
