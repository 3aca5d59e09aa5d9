//go:build unix

package browsers

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors/corstest"
)

func TestMain(m *testing.M) {
	for _, e := range Engines {
		if _, err := e.find(); err != nil {
			uncached()
		}
	}
	m.Run()
}

// TestCasesInModel runs all cases that the model can express.
func TestCasesInModel(t *testing.T) {
	o := originsAt("1111", "2222", "3333")
	for number, c := range append(cases(o), sessions(o)...) {
		for e, differs := range c.differs {
			if (differs == outcome{c.server, c.script}) {
				t.Errorf("%s: %s does not differ", c.name, e)
			}
		}
		if !c.inModel() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			p := c.predict(t, o, number)
			if got := p.record.String(); c.preflights > 0 {
				if n := strings.Count(got, "preflight"); n != c.preflights {
					t.Errorf("got %d preflights, want %d", n, c.preflights)
				}
			} else if got != c.server {
				t.Errorf("the server got  %s\nwant %s", got, c.server)
			}
			if got := c.saw(p.sights); got != c.script {
				t.Errorf("the script saw  %s\nwant %s", got, c.script)
			}
			for e, senders := range c.senders {
				if slices.Equal(senders, p.record.senders) {
					t.Errorf("%s does not differ in the senders", e)
				}
			}
		})
	}
}

// TestCasesInBrowsers runs all cases in every browser. It compares the requests
// that the server got and the results that the script saw with the table. If the
// browser follows the standard, it also compares them with the model.
func TestCasesInBrowsers(t *testing.T) {
	for _, e := range Engines {
		var b *Browser
		t.Run(string(e), func(t *testing.T) {
			s := newSite(t)
			s.add(t, append(cases(s.origins), consoleCases(s.origins)...)...)
			all := len(s.cases)
			s.add(t, sessions(s.origins)...)
			b = s.run(t, e)
			// The browser may not have written all messages to its log.
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()

			passed, likeModel, differ := 0, 0, 0
			for number, c := range s.cases[:all] {
				ok := t.Run(c.name, func(t *testing.T) {
					want := outcome{c.server, c.script}
					differs, differently := c.differs[e]
					if differently {
						want = differs
					}
					got := c.record.String()
					if got == c.slow && c.record.lasted() > 4*time.Second {
						want.server = c.slow
					}
					if got != want.server {
						t.Errorf("the server got  %s\nwant %s", got, want.server)
					}
					if got := c.saw(c.sights); got != want.script {
						t.Errorf("the script saw  %s\nwant %s", got, want.script)
					}
					if c.inModel() && !t.Failed() {
						c.compare(t, c.predict(t, s.origins, number), c.senders[e])
					}
					if differently || c.senders[e] != nil {
						differ++
					} else if c.inModel() && got == c.server && !t.Failed() {
						likeModel++
					}
					if text, ok := c.console[e]; ok {
						text = strings.NewReplacer("{url}", s.url(number, c.steps[0]), "{page}", s.pageOf(c.testCase)).Replace(text)
						if !b.WaitLog(ctx, fmt.Sprintf("case %d ends", number)) {
							t.Fatal("the console does not show the end of the case")
						}
						_, written, _ := strings.Cut(b.Log(), fmt.Sprintf("case %d begins", number))
						written, _, _ = strings.Cut(written, fmt.Sprintf("case %d ends", number))
						if !strings.Contains(written, text) {
							t.Errorf("the console does not show %q, but %s", text, written)
						}
					}
				})
				if ok {
					passed++
				}
			}
			t.Logf("%s: %d of %d cases passed, of which %d agree with the model and %d differ from the standard", e, passed, all, likeModel, differ)

			for _, c := range s.cases[all:] {
				t.Run(c.name, func(t *testing.T) {
					if got := c.saw(c.sights); got != c.script {
						t.Errorf("the script saw  %s\nwant %s", got, c.script)
					}
					want, ok := c.engines[e]
					if !ok {
						want = c.preflights
					}
					got := strings.Count(c.record.String(), "preflight")
					t.Logf("%s: %s: %d requests cost %d preflights", e, c.name, len(c.steps), got)
					if got != want {
						t.Errorf("got %d preflights, want %d: %s", got, want, &c.record)
					}
				})
			}
		})
		if b == nil {
			continue // the browser did not run
		}
		select {
		case <-b.Done():
		default:
			t.Errorf("%s is still running after its test", e)
		}
		if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
			t.Errorf("%s left its directory: %v", e, err)
		}
	}
}

// A prediction is the result of a case in the model.
type prediction struct {
	record record
	sights []sight
}

func (c testCase) inModel() bool {
	for _, s := range c.steps {
		if s.Via != "" && s.Via != "xhr" || s.Mode != "" {
			return false
		}
	}
	return !c.noModel
}

// predict runs c in the model, as case number.
func (c testCase) predict(t *testing.T, o origins, number int) *prediction {
	p := new(prediction)
	b := corstest.Browser{Handler: c.handler(t, &p.record)}
	origin := c.from
	switch {
	case origin == "":
		origin = o.page
	case strings.HasPrefix(origin, "http://localhost:"):
		b.Cookie = "user=alice" // set by the page
	}
	for _, s := range c.steps {
		h := make(http.Header)
		for name, value := range s.Headers {
			h.Set(name, value)
		}
		res := b.Fetch(origin, corstest.Request{
			Method:         s.Method,
			URL:            o.url(number, s),
			Header:         h,
			Body:           s.Body,
			Credentials:    s.Credentials,
			UploadListener: s.Upload,
			StreamBody:     s.Stream,
		})
		saw := sight{Seen: "blocked"}
		if res.Blocked == "" {
			saw = sight{Seen: strconv.Itoa(res.Status), Body: res.Body}
			for name, values := range res.Header {
				saw.Headers = append(saw.Headers, strings.ToLower(name)+": "+strings.Join(values, ", "))
			}
		}
		p.sights = append(p.sights, saw)
	}
	return p
}

// compare compares details that are not in the table. These are the headers by
// which a server identifies the sender, and everything that the script can read.
// It stops at the first difference between the browser and the model. If senders
// is not nil, it replaces the senders of the model.
func (c *runningCase) compare(t *testing.T, p *prediction, senders []string) {
	if senders == nil {
		senders = p.record.senders
	}
	for i := range min(len(c.record.entries), len(p.record.entries), len(senders)) {
		if c.record.entries[i] != p.record.entries[i] {
			break
		}
		if got, want := c.record.senders[i], senders[i]; got != want {
			t.Errorf("the server got %s in request %d\nwant %s", got, i, want)
		}
	}
	for i, want := range p.sights {
		got := c.sights[i]
		if got.Seen != want.Seen {
			continue
		}
		slices.Sort(got.Headers)
		slices.Sort(want.Headers)
		if !slices.Equal(got.Headers, want.Headers) {
			t.Errorf("step %d: the script can read the headers %q\nin the model %q", i, got.Headers, want.Headers)
		}
		if got.Body != want.Body {
			t.Errorf("step %d: the script can read %q, in the model %q", i, got.Body, want.Body)
		}
	}
}

// saw returns the results that the steps of c saw, in the format of c.script.
func (c testCase) saw(sights []sight) string {
	var saw []string
	for _, s := range sights {
		one := s.Seen
		for _, name := range c.reads {
			name = strings.ToLower(name)
			if slices.ContainsFunc(s.Headers, func(line string) bool { return strings.HasPrefix(line, name+": ") }) {
				one += " " + name
			}
		}
		saw = append(saw, one)
	}
	return strings.Join(saw, ", ")
}

func (c *record) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.entries, ", ")
}

// lasted returns the time between the first and the last entry.
func (c *record) lasted() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last.Sub(c.first)
}

// TestBrowsersEndWithTheirProcess checks that a browser and a display end with the
// process that started them, even if that process does not close them. In this
// test, the browser is the program sleep.
func TestBrowsersEndWithTheirProcess(t *testing.T) {
	const variable = "CORS_ABANDON"
	if dir := os.Getenv(variable); dir != "" {
		if err := (&Browser{dir: dir}).run("sleep", []string{"600"}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := exec.LookPath("Xvfb"); err == nil {
			if _, err := startDisplay(); err != nil {
				t.Fatal(err)
			}
		}
		os.Exit(0)
	}

	dir := filepath.Join(t.TempDir(), "browser")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	// Child processes inherit this variable, so leftovers finds them.
	cmd.Env = append(os.Environ(), variable+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := Browser{dir: dir}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(dir)
		left := b.leftovers()
		if os.IsNotExist(err) && left == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the browser's directory: %v; its processes: %v", err, left)
		}
	}
}
