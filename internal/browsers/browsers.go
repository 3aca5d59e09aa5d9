//go:build unix

// Package browsers opens web pages in real browsers, for tests. The browsers run
// headless and without a driver.
//
// A test serves a page, and [Start] opens it. The page runs its cases and reports
// the results to its server. The tests of this package run a table of CORS
// requests in three engines. Each engine also has its own package under this one,
// which shows whether the engine is missing. See [Main].
package browsers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// An Engine is a browser engine. Its value is its name in CORS_BROWSERS.
type Engine string

const (
	Chromium Engine = "chromium"
	Firefox  Engine = "firefox"
	WebKit   Engine = "webkit"
)

// Engines lists all engines.
var Engines = []Engine{Chromium, Firefox, WebKit}

// patience is the time that a browser or display may take to start or to end.
// Only broken programs need all of it. Even if every engine hangs, the tests end
// before the go command kills them after 10 minutes.
const patience = 30 * time.Second

// find returns the path of the program that runs e.
func (e Engine) find() (string, error) {
	var names []string
	switch e {
	case Chromium:
		names = []string{"chromium", "chromium-browser", "google-chrome"}
	case Firefox:
		names = []string{"firefox-esr", "firefox"}
	case WebKit:
		if _, err := exec.LookPath("Xvfb"); err != nil {
			return "", errors.New("no Xvfb found; MiniBrowser needs it")
		}
		names = []string{"MiniBrowser"}
		// Debian's package webkit2gtk-driver installs it outside PATH.
		libs, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
		names = append(names, libs...)
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s found", strings.Join(names, " or "))
}

// A Browser is a running browser.
type Browser struct {
	dir   string          // folder with the home, temporary and profile directories
	alive io.Closer       // closing it ends the browser
	tools *devTools       // DevTools of Chromium, for storage access and screenshots; otherwise nil
	done  <-chan struct{} // closed when the browser has ended
	log   log
	x     *display // nil if the browser does not need one
}

// Start opens url in e, and closes the browser when t ends.
//
// With -short, the test is skipped. If e is not on this machine, the test is
// also skipped. If the environment variable CORS_BROWSERS, a list such as
// "chromium,firefox,webkit", names a browser that is missing, the test fails.
func Start(t testing.TB, e Engine, url string) *Browser {
	t.Helper()
	return open(t, e, url, "")
}

// StartWithStorageAccess is like [Start], but first grants storage access, as a
// user can. The origin embedded can then use its cookies on pages of url's
// origin. WebKit has no way to grant storage access from outside.
func StartWithStorageAccess(t testing.TB, e Engine, url, embedded string) *Browser {
	t.Helper()
	return open(t, e, url, embedded)
}

// open implements Start, and StartWithStorageAccess if embedded is not empty.
func open(t testing.TB, e Engine, url, embedded string) *Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("browsers do not run with -short")
	}
	demanded, err := e.demanded()
	if err != nil {
		t.Fatal(err)
	}
	path, err := e.find()
	if err != nil {
		if demanded {
			t.Fatalf("%s: %v, but CORS_BROWSERS names it", e, err)
		}
		t.Skipf("%s: %v", e, err)
	}
	b, err := start(e, path, url, embedded)
	if err != nil {
		t.Fatalf("%s: %v", e, err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Errorf("%s: %v", e, err)
		}
	})
	return b
}

// demanded reports whether CORS_BROWSERS names e. An unknown name is an error.
func (e Engine) demanded() (bool, error) {
	list := os.Getenv("CORS_BROWSERS")
	if list == "" {
		return false, nil
	}
	found := false
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(Engines, Engine(name)) {
			return false, fmt.Errorf("CORS_BROWSERS names %q; it may list %q", name, Engines)
		}
		found = found || Engine(name) == e
	}
	return found, nil
}

// Main runs the tests of a package in which every test needs e. Call it from
// TestMain. If e is missing and CORS_BROWSERS does not name it, Main runs no test.
// The go command then prints "[no tests to run]" for the package. If the tests
// were skipped instead, the go command would not show it.
func Main(m *testing.M, e Engine) {
	demanded, err := e.demanded()
	if _, missing := e.find(); missing != nil && !demanded && err == nil {
		fmt.Fprintf(os.Stderr, "not tested in %s: %v\n", e, missing) // visible with -v
		uncached()
		flag.Set("test.run", "^$")
	}
	m.Run()
}

// uncached keeps the go command from caching the result of the tests, which
// changes if someone installs a browser. The go command caches only results with
// a log of the files and variables that they depend on, so uncached disables it.
func uncached() {
	flag.Parse()
	flag.Set("test.testlogfile", "")
}

// TestStart tests that e opens a page and runs its script.
func TestStart(t *testing.T, e Engine) {
	ran := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><script>fetch("/ran")</script>`)
		case "/ran":
			select {
			case ran <- struct{}{}:
			default:
			}
		}
	}))
	defer server.Close()
	b := Start(t, e, server.URL)
	select {
	case <-ran:
	case <-b.Done():
		t.Fatalf("the browser ended:\n%s", b.Log())
	case <-time.After(2 * patience):
		t.Fatalf("the browser did not run the page's script in time:\n%s", b.Log())
	}
}

func start(e Engine, path, url, embedded string) (*Browser, error) {
	dir, err := os.MkdirTemp("", "cors-"+string(e)+"-")
	if err != nil {
		return nil, err
	}
	b := &Browser{dir: dir}
	var args, env []string
	switch e {
	case Chromium:
		args = []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad",
			"--disable-dev-shm-usage", "--ignore-certificate-errors", "--enable-logging=stderr", "--v=0",
			"--user-data-dir=" + dir}
		if embedded != "" || os.Getenv("CORS_SCREENSHOTS") != "" {
			b.tools, err = newDevTools()
			args = append(args, "--remote-debugging-pipe")
		}
	case Firefox:
		args = []string{"--headless", "--no-remote", "--profile", dir}
		prefs := firefoxPrefs
		if embedded != "" {
			prefs += firefoxGrantPref(dir)
			err = os.WriteFile(filepath.Join(dir, "permissions"), []byte(firefoxGrant(url, embedded)), 0o600)
		}
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, "user.js"), []byte(prefs), 0o600))
	case WebKit:
		args = []string{"--ignore-tls-errors", "--enable-write-console-messages-to-stdout=true"}
		env = []string{"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1", "WEBKIT_DISABLE_COMPOSITING_MODE=1"}
		if b.x, err = startDisplay(); err == nil {
			env = append(env, "DISPLAY=:"+b.x.number)
		}
	}
	first := url
	if b.tools != nil {
		first = "about:blank" // until tools opens url
	}
	if err == nil {
		err = b.run(path, append(args, first), env)
	}
	if err != nil {
		return nil, errors.Join(err, b.x.close(), b.tools.close(), os.RemoveAll(dir))
	}
	if b.tools != nil {
		if err := b.tools.open(url, embedded); err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	return b, nil
}

// The shell scripts below run longer than the test's process, and clean up even if
// it is killed. Each runs in a separate process group, so an interrupt from the
// terminal does not reach it.

// supervise is a shell script that runs a command in the background. When the
// command ends, or when standard input is closed, the script kills its process
// group, which includes the command. Standard input is closed at the latest when
// the test's process ends.
const supervise = `("$@"; kill -KILL 0) & read never; kill -KILL 0`

// tidy is a shell script that deletes a directory when no process can write to
// its standard input any more. All processes of the browser can write to it.
const tidy = `read never; rm -rf "$1"`

// run runs the program at path with args, in a minimal environment.
func (b *Browser) run(path string, args, env []string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	tidier := exec.Command("sh", "-c", tidy, "sh", b.dir)
	tidier.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	tidier.Stdin = r
	err = tidier.Start()
	r.Close()
	defer w.Close()
	if err != nil {
		return err
	}

	cmd := exec.Command("sh", append([]string{"-c", supervise, "sh", path}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "LANG=C.UTF-8", "HOME="+b.dir, "TMPDIR="+b.dir,
		// A message bus would keep running after the browser.
		"DBUS_SESSION_BUS_ADDRESS=disabled:", "NO_AT_BRIDGE=1", "GTK_A11Y=none", "GSETTINGS_BACKEND=memory")
	// All processes of the browser inherit the pipe to the log. Wait returns
	// only when all of these processes have ended.
	cmd.Stdout, cmd.Stderr = &b.log, &b.log
	cmd.ExtraFiles = append(b.tools.theirs(), w)
	cmd.WaitDelay = patience
	alive, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for _, f := range b.tools.theirs() {
		f.Close()
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		overdue := time.AfterFunc(patience, func() { tidier.Process.Kill() })
		tidier.Wait()
		overdue.Stop()
		close(done)
	}()
	b.alive, b.done = alive, done
	return nil
}

// firefoxPrefs are preferences with which Firefox sends no requests of its own,
// and does not ask the user anything.
const firefoxPrefs = `
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.search.update", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.systemAddon.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("geo.provider.network.url", "");
user_pref("media.gmp-manager.url", "");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.dns.disablePrefetch", true);
user_pref("network.prefetch-next", false);
user_pref("network.trr.mode", 5);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "");
`

// Done returns a channel that is closed when the browser has ended. Before the
// end of the test, a browser ends only if it crashes.
func (b *Browser) Done() <-chan struct{} { return b.done }

// Log returns the standard output and standard error of the browser so far.
// Chromium and WebKit write the page's console messages there.
func (b *Browser) Log() string {
	text, _ := b.log.read()
	return text
}

// WaitLog waits until the log contains text, and reports whether it does before
// ctx is done.
func (b *Browser) WaitLog(ctx context.Context, text string) bool {
	for {
		written, changed := b.log.read()
		if strings.Contains(written, text) {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// close ends all processes of the browser and deletes its directory.
func (b *Browser) close() error {
	b.alive.Close()
	<-b.done
	return errors.Join(b.x.close(), b.tools.close(), b.leftovers(), os.RemoveAll(b.dir))
}

// leftovers returns an error if a process with b's directory in its environment is
// still running.
func (b *Browser) leftovers() error {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ") // empty without /proc
	for _, name := range environs {
		environ, err := os.ReadFile(name)
		if err == nil && bytes.Contains(environ, []byte(b.dir)) {
			return fmt.Errorf("process %s is still running after its browser", filepath.Base(filepath.Dir(name)))
		}
	}
	return nil
}

// A log contains the output of a browser. The browser can write while a test reads.
type log struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{} // closed at the next Write, if not nil
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return l.buf.Write(p)
}

// read returns the text so far, and a channel that is closed when there is more.
func (l *log) read() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.buf.String(), l.changed
}

// A display is an X server without a screen. WebKit needs one.
type display struct {
	cmd    *exec.Cmd
	alive  io.Closer // closing it ends the X server
	number string
}

// show is a shell script that runs an X server until standard input is closed. It
// then ends the server with SIGTERM, so the server deletes its socket.
const show = `Xvfb "$@" & exec 3>&-; read never; kill $!; wait $!`

// startDisplay starts an X server with a free number.
func startDisplay() (*display, error) {
	cmd := exec.Command("sh", "-c", show, "sh", "-displayfd", "3", "-nolisten", "tcp", "-screen", "0", "1280x1024x24")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	x := &display{cmd: cmd, alive: alive}
	r.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(r).ReadString('\n')
	x.number = strings.TrimSpace(line)
	if _, bad := strconv.Atoi(x.number); err != nil || bad != nil {
		return nil, errors.Join(fmt.Errorf("no display: Xvfb printed the number %q", line), err, x.close())
	}
	return x, nil
}

// close ends the X server. x can be nil.
func (x *display) close() error {
	if x == nil {
		return nil
	}
	overdue := time.AfterFunc(patience, func() { syscall.Kill(-x.cmd.Process.Pid, syscall.SIGKILL) })
	defer overdue.Stop()
	x.alive.Close()
	if err := x.cmd.Wait(); err != nil {
		return fmt.Errorf("display: Xvfb: %w", err)
	}
	return nil
}
