//go:build unix

package browsers

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

//go:embed testdata
var testdata embed.FS

// origins are the origins of a site. All names under localhost resolve to
// loopback. The host of the API is not an IP address, because Firefox sometimes
// does not cache the first preflights for IP addresses.
type origins struct {
	page   string // origin of pages, if a case does not set from
	nearby string // origin of pages that are same-site with the API, and share its cookies
	sub    string // origin of pages on a subdomain
	deep   string // origin of pages on a subdomain of a subdomain
	dotted string // origin of pages on a host that ends with a dot
	review string // origin of pages on a subdomain with hyphens
	api    string // origin of the API
	other  string // origin of the API, under another name
	secure string // origin of the API over TLS and HTTP/2
	silent string // origin of the API, and of pages that send no Referer
}

func originsAt(pagePort, apiPort, securePort string) origins {
	return origins{
		page:   "http://127.0.0.1:" + pagePort,
		nearby: "http://localhost:" + pagePort,
		sub:    "http://app.localhost:" + pagePort,
		deep:   "http://a.b.localhost:" + pagePort,
		dotted: "http://localhost.:" + pagePort,
		review: "http://pr-1-app.localhost:" + pagePort,
		api:    "http://localhost:" + apiPort,
		other:  "http://api.localhost:" + apiPort,
		secure: "https://localhost:" + securePort,
		silent: "http://silent.localhost:" + apiPort,
	}
}

// A step is one request from a page.
type step struct {
	Via     string            `json:"via"`    // property of ways in steps.js; the default is "fetch"
	Method  string            `json:"method"` // the default is "GET"
	At      string            `json:"-"`      // origin of the URL; the default is origins.api
	Path    string            `json:"-"`      // path below the path of the case
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Upload  bool              `json:"upload"` // whether to listen to the upload's progress
	Stream  bool              `json:"stream"` // whether to send the body as a ReadableStream

	Credentials corstest.Credentials `json:"-"`
	Mode        string               `json:"mode"` // the default is "cors"
}

// A testCase is a page that sends requests, a server with a policy, and the
// expected result.
type testCase struct {
	name   string
	from   string // origin of the page; the default is origins.page, and "null" is a sandboxed frame in it
	policy cors.Policy
	reply  http.HandlerFunc // handler behind the policy; the default is ok
	steps  []step

	// server lists the requests that reach the server, separated by commas. A
	// request is like "preflight PUT x-id" or "PUT". If the handler does not
	// run, "rejected" follows.
	server string
	// slow is like server, if a preflight without Max-Age expired between steps.
	slow string
	// script lists the results that the steps see, separated by commas: the
	// status, or another word for success, or "blocked". The status is followed
	// by the response headers among reads that the step can read.
	script string
	reads  []string

	// differs has the outcome for engines that do not follow the standard.
	differs map[Engine]outcome
	// senders has the headers of each request, in the format of sender, for
	// engines that differ from the model.
	senders map[Engine][]string
	// console is text that the engine's console must show while the case runs.
	// {url} is the URL of the first step, and {page} is the origin of the page.
	console map[Engine]string
	// noModel marks cases that the model cannot express, although all steps are
	// fetch or xhr.
	noModel bool
	// middleware replaces policy if it is not nil.
	middleware func(http.Handler) http.Handler

	// preflights is the number of preflights of a session. engines has the
	// number for engines that need more or fewer.
	preflights int
	engines    map[Engine]int
}

// An outcome is the expected result of a testCase.
type outcome struct{ server, script string }

// A record contains the requests that reached the server in one case.
type record struct {
	mu      sync.Mutex
	entries []string
	senders []string // sender of each entry, in the format of sender
	first   time.Time
	last    time.Time
}

// add adds an entry for r, and returns its number.
func (c *record) add(r *http.Request) int {
	entry := r.Method
	if isPreflight(r) {
		entry = strings.TrimSpace("preflight " + r.Header.Get("Access-Control-Request-Method") +
			" " + strings.ReplaceAll(r.Header.Get("Access-Control-Request-Headers"), ",", " "))
	}
	if parts := strings.SplitN(r.URL.Path, "/", 3); len(parts) > 2 {
		entry += " /" + parts[2]
	}
	if _, err := r.Cookie("user"); err == nil {
		entry += " with cookie"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Now()
	if len(c.entries) == 0 {
		c.first = c.last
	}
	c.entries = append(c.entries, entry+" rejected")
	c.senders = append(c.senders, sender(r.Header["Origin"], r.Header["Sec-Fetch-Site"]))
	return len(c.entries) - 1
}

func isPreflight(r *http.Request) bool {
	return r.Method == "OPTIONS" && r.Header.Get("Access-Control-Request-Method") != ""
}

// sender returns the headers by which a server identifies the sender.
func sender(origin, site []string) string {
	return fmt.Sprintf("Origin: %q, Sec-Fetch-Site: %q", origin, site)
}

// amend replaces the end of an entry.
func (c *record) amend(number int, end string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[number] = strings.TrimSuffix(c.entries[number], " rejected") + end
}

// handler returns a handler that wraps c's reply in c's policy. It records its
// requests in seen.
func (c testCase) handler(t *testing.T, seen *record) http.Handler {
	guard := c.middleware
	if guard == nil {
		m, err := cors.New(c.policy)
		if err != nil {
			t.Fatal(err)
		}
		guard = m.Handler
	}
	reply := c.reply
	if reply == nil {
		reply = ok
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := seen.add(r)
		guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			end := ""
			if isPreflight(r) {
				end = " handled" // preflights must not run the handler
			}
			seen.amend(number, end)
			reply(w, r)
		})).ServeHTTP(w, r)
		if isPreflight(r) && w.Header().Get("Access-Control-Allow-Origin") != "" {
			seen.amend(number, "")
		}
	})
}

// ok writes a response to which net/http adds no header.
func ok(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Length", "2")
	h.Set("Date", "Sat, 21 Nov 2026 12:00:00 GMT")
	w.Write([]byte("ok"))
}

// A site serves pages and an API.
type site struct {
	origins
	servers  [3]*httptest.Server // servers of the pages, of the API, and of the API over TLS
	cases    []*runningCase
	pages    []string      // the origins of the cases' pages, in the order of the visits
	reported chan report   // reports of the page, one for each case
	done     chan struct{} // receives a value when the last page is done
}

// A runningCase is a case that a browser runs.
type runningCase struct {
	testCase
	handler http.Handler
	record  record
	sights  []sight // one for each step; nil until reported
}

// A report contains the results that a page saw in a case.
type report struct {
	Number int
	Sights []sight
}

// A sight is the result that a step saw.
type sight struct {
	Seen    string
	Headers []string // lines such as "content-type: text/plain"
	Body    string
}

// newSite returns a site that listens, but does not serve requests yet.
func newSite(t *testing.T) *site {
	s := &site{reported: make(chan report), done: make(chan struct{}, 1)}
	for i := range s.servers {
		server := httptest.NewUnstartedServer(s)
		server.EnableHTTP2 = true
		// The server would log that Firefox does not trust the certificate.
		server.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
		s.servers[i] = server
	}
	port := func(server *httptest.Server) string {
		return strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
	}
	s.origins = originsAt(port(s.servers[0]), port(s.servers[1]), port(s.servers[2]))
	return s
}

// add adds cases for the pages to run.
func (s *site) add(t *testing.T, cases ...testCase) {
	for _, c := range cases {
		r := &runningCase{testCase: c}
		r.handler = c.handler(t, &r.record)
		s.cases = append(s.cases, r)
		if page := s.pageOf(c); !slices.Contains(s.pages, page) {
			s.pages = append(s.pages, page)
		}
	}
}

// pageOf returns the origin of the page that runs c.
func (o origins) pageOf(c testCase) string {
	if c.from == "" || c.from == "null" {
		return o.page
	}
	return c.from
}

// run serves the site, lets e run all cases, and returns when they are done.
func (s *site) run(t *testing.T, e Engine) *Browser {
	return s.runIn(t, func(url string) *Browser { return Start(t, e, url) })
}

// runIn is like run, but uses the browser that start returns.
func (s *site) runIn(t *testing.T, start func(url string) *Browser) *Browser {
	s.servers[0].Start()
	s.servers[1].Start()
	s.servers[2].StartTLS()
	b := start(s.pages[0])
	overdue := time.After(4 * patience)
	for {
		select {
		case r := <-s.reported:
			s.cases[r.Number].sights = r.Sights
		case <-s.done:
			return b
		case <-b.Done():
			t.Fatalf("the browser ended:\n%s", b.Log())
		case <-overdue:
			t.Fatalf("the browser did not run all cases in time:\n%s", b.Log())
		}
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(r.URL.Path[1:], "/")
	if number, err := strconv.Atoi(first); err == nil && 0 <= number && number < len(s.cases) {
		s.cases[number].handler.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	switch r.URL.Path {
	case "/":
		// An API on the page's host also gets the cookie, because cookies ignore
		// ports.
		http.SetCookie(w, &http.Cookie{Name: "user", Value: "alice", Path: "/"})
		if "http://"+r.Host == s.silent {
			w.Header().Set("Referrer-Policy", "no-referrer")
		}
		http.ServeFileFS(w, r, testdata, "testdata/page.html")
	case "/page.js", "/steps.js":
		http.ServeFileFS(w, r, testdata, "testdata"+r.URL.Path)
	case "/plan":
		json.NewEncoder(w).Encode(s.plan("http://" + r.Host))
	case "/report":
		var saw report
		if err := json.NewDecoder(r.Body).Decode(&saw); err != nil || saw.Number < 0 || saw.Number >= len(s.cases) {
			http.Error(w, "no such report", http.StatusBadRequest)
			return
		}
		select {
		case s.reported <- saw:
		case <-r.Context().Done(): // the test ended
		}
	case "/done":
		select {
		case s.done <- struct{}{}:
		default: // s.done already has a value
		}
	default:
		http.NotFound(w, r)
	}
}

// A plan contains the cases that a page runs.
type plan struct {
	Cases []planned `json:"cases"`
	Next  string    `json:"next"` // page to visit next; empty after the last page
}

type planned struct {
	Number  int           `json:"number"`
	Sandbox bool          `json:"sandbox"`
	Steps   []plannedStep `json:"steps"`
}

// A plannedStep is a step with its URL.
type plannedStep struct {
	step
	URL         string `json:"url"`
	Credentials string `json:"credentials"`
}

// plan returns the plan for the page on the origin page.
func (s *site) plan(page string) plan {
	var p plan
	for number, c := range s.cases {
		if s.pageOf(c.testCase) != page {
			continue
		}
		order := planned{Number: number, Sandbox: c.from == "null"}
		for _, st := range c.steps {
			order.Steps = append(order.Steps, plannedStep{st, s.url(number, st), credentialsModes[st.Credentials]})
		}
		p.Cases = append(p.Cases, order)
	}
	if next := slices.Index(s.pages, page) + 1; next < len(s.pages) {
		p.Next = s.pages[next]
	}
	return p
}

var credentialsModes = map[corstest.Credentials]string{
	corstest.SameOrigin: "same-origin",
	corstest.Omit:       "omit",
	corstest.Include:    "include",
}

// url returns the URL of step st in case number.
func (o origins) url(number int, st step) string {
	at := st.At
	if at == "" {
		at = o.api
	}
	return fmt.Sprintf("%s/%d%s", at, number, st.Path)
}
