//go:build unix

package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/browsers"
)

// recipes are those of docs/recipes.md, in its order.
var recipes = []recipe{
	bearer,
	jsonAPI,
	graphQL,
	connectRPC,
	mcpRecipe,
	s3Client,
	s3Presigned,
	tus,
	hypermedia,
	hypermedia2,
	eventSource,
	fetchEvents,
	tracing,
	beacons,
	private,
	device,
}

// A recipe is a client, and the policy for a server of what it speaks.
type recipe struct {
	name   string // the heading in docs/recipes.md
	file   string // file_test.go has the policy; pages/file.js exports steps and call, see run.js
	policy cors.Policy

	// byAddress is set if the page's host is an IP address.
	byAddress bool
	// wrap returns the handler around the policy; nil if there is none.
	wrap func(http.Handler) http.Handler
	// handler returns the server, with a state of its own, that the policy guards.
	handler func(t *testing.T) http.Handler

	// fails has, for each entry of policy, the first step that fails without it.
	fails map[entry]string
	// preflights is how many twenty calls cost.
	preflights int
}

// An entry is one thing that a policy allows.
type entry struct{ field, value string }

func (e entry) String() string { return strings.TrimSpace(e.field + " " + e.value) }

// entries returns what p allows to its origins, and its function.
func entries(p cors.Policy) []entry {
	var all []entry
	if p.AllowOriginFunc != nil {
		all = append(all, entry{field: "AllowOriginFunc"})
	}
	for _, value := range p.AllowedMethods {
		all = append(all, entry{"AllowedMethods", value})
	}
	for _, value := range p.AllowedHeaders {
		all = append(all, entry{"AllowedHeaders", value})
	}
	for _, value := range p.ExposedHeaders {
		all = append(all, entry{"ExposedHeaders", value})
	}
	if p.AllowCredentials {
		all = append(all, entry{field: "AllowCredentials"})
	}
	return all
}

// without returns p without e.
func without(p cors.Policy, e entry) cors.Policy {
	isValue := func(value string) bool { return value == e.value }
	switch e.field {
	case "AllowOriginFunc":
		p.AllowOriginFunc = nil
	case "AllowedMethods":
		p.AllowedMethods = slices.DeleteFunc(slices.Clone(p.AllowedMethods), isValue)
	case "AllowedHeaders":
		p.AllowedHeaders = slices.DeleteFunc(slices.Clone(p.AllowedHeaders), isValue)
	case "ExposedHeaders":
		p.ExposedHeaders = slices.DeleteFunc(slices.Clone(p.ExposedHeaders), isValue)
	case "AllowCredentials":
		p.AllowCredentials = false
	}
	return p
}

const (
	// patience is how long a browser may take for a session, the first of which
	// has it start. It is only ever used up by one that hangs.
	patience = 2 * time.Minute

	// calls is how many calls the session makes whose preflights are counted.
	calls = 20
)

// TestMain demands all browsers and servers, unless the environment lists the
// ones to demand, because a skipped test is easy to miss.
func TestMain(m *testing.M) {
	for name, all := range map[string]string{
		"CORS_BROWSERS": "chromium,firefox,webkit",
		"CORS_SERVERS":  "express,fastify,nginx,Caddy,Python",
	} {
		if os.Getenv(name) == "" {
			// Shown with -v, and if a test fails.
			fmt.Fprintf(os.Stderr, "The tests need all of %s=%s. If you lack one, set the variable to those that you have.\n", name, all)
			os.Setenv(name, all)
		}
	}
	m.Run()
}

// install has npm install what package-lock.json says, unless it has already.
var install = sync.OnceValue(func() error {
	const done = "node_modules/installed-lock.json" // a copy of what was installed by
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	if installed, err := os.ReadFile(done); err == nil && bytes.Equal(installed, lock) {
		return nil
	}
	out, err := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput()
	if err != nil {
		return fmt.Errorf("install Node.js and npm, from which the clients come: npm ci: %w\n%s", err, out)
	}
	return os.WriteFile(done, lock, 0o644)
})

// TestRecipes has the page of each recipe run in each engine: under the recipe,
// under the recipe without each of its entries, and for the twenty calls whose
// preflights are counted. The model then sees what the browser has sent.
func TestRecipes(t *testing.T) {
	for _, r := range recipes {
		t.Run(r.name, func(t *testing.T) {
			bundle := r.bundle(t)
			for _, e := range browsers.Engines {
				t.Run(string(e), func(t *testing.T) { r.test(t, e, bundle) })
			}
		})
	}
}

// bundle returns the page's script with all that it imports.
func (r recipe) bundle(t *testing.T) []byte {
	if err := install(); err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Abs("pages")
	if err != nil {
		t.Fatal(err)
	}
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{
			Contents:   fmt.Sprintf(`import {run} from "./run.js"; import * as recipe from "./%s.js"; run(recipe);`, r.file),
			ResolveDir: pages,
		},
		Bundle:   true,
		Platform: api.PlatformBrowser,
		Format:   api.FormatIIFE,
		Target:   api.ES2022,
		Define:   map[string]string{"process.env.NODE_ENV": `"production"`},
		LogLevel: api.LogLevelSilent,
	})
	for _, message := range result.Errors {
		t.Errorf("%s (%+v)", message.Text, message.Location)
	}
	if t.Failed() {
		t.FailNow()
	}
	return result.OutputFiles[0].Contents
}

func (r recipe) test(t *testing.T, e browsers.Engine, bundle []byte) {
	s := newSite(t, r, bundle)
	began := time.Now()
	s.run(t, e)
	t.Logf("%s: %d sessions took %.1f s", e, len(s.sessions), time.Since(began).Seconds())

	all := entries(r.policy)
	whole, lacking, twenty := s.sessions[0], s.sessions[1:1+len(all)], s.sessions[1+len(all)]
	for _, result := range whole.results {
		if result.Error != "" {
			t.Errorf("under the recipe, %q fails: %s", result.Name, result.Error)
		}
	}

	if len(r.fails) != len(all) {
		t.Errorf("the recipe says of %d entries what fails without them, and has %d", len(r.fails), len(all))
	}
	for i, entry := range all {
		var failed []string
		for _, result := range lacking[i].results {
			if result.Error != "" {
				failed = append(failed, result.Name)
			}
		}
		t.Logf("without %s: %d of %d steps fail: %s", entry, len(failed), len(whole.results), strings.Join(failed, "; "))
		if len(failed) == 0 || failed[0] != r.fails[entry] {
			t.Errorf("without %s, want %q to fail first, got %q", entry, r.fails[entry], failed)
		}
		if !whole.missing(t, entry) {
			t.Errorf("without %s, the model finds nothing amiss", entry)
		}
	}

	for _, result := range twenty.results {
		if result.Error != "" {
			t.Errorf("of %d calls, %q fails: %s", calls, result.Name, result.Error)
		}
	}
	asked, needy := preflights(twenty.exchanges), twenty.needy()
	t.Logf("%d calls made %d requests and cost %d preflights, where %d is the least", calls, len(twenty.exchanges)-total(asked), total(asked), len(needy))
	if total(asked) != len(needy) || total(asked) != r.preflights {
		t.Errorf("got %d preflights, where %d is the least and the recipe says %d: %v", total(asked), len(needy), r.preflights, asked)
	}

	preflightStatus := http.StatusNoContent
	if r.wrap != nil {
		preflightStatus = http.StatusOK
	}
	maxAge := ""
	if r.policy.MaxAge != 0 {
		maxAge = fmt.Sprint(r.policy.MaxAge.Seconds())
	}
	for _, session := range []*session{whole, twenty} {
		needy := session.needy()
		for _, x := range session.exchanges {
			if !x.preflight {
				continue
			}
			if !slices.Contains(needy, x.url) {
				t.Errorf("nothing needs the preflight for %s of %s", x.header.Get("Access-Control-Request-Method"), x.url)
			}
			if x.status != preflightStatus {
				t.Errorf("the preflight for %s got status %d, want %d", x.url, x.status, preflightStatus)
			}
			if got := x.answer.Get("Access-Control-Max-Age"); got != maxAge {
				t.Errorf("the preflight for %s is answered with Access-Control-Max-Age %q, want %q", x.url, got, maxAge)
			}
		}
		results, exchanges := session.replay(t, r.policy)
		for _, result := range results {
			if result.Blocked != "" {
				t.Errorf("the model blocks what the browser did:\n%s", result)
			}
		}
		got, want := preflights(exchanges), preflights(session.exchanges)
		if session == whole {
			// A client that makes requests at the same time, or gives one up, may
			// have a browser ask more than once. Only the URLs are compared.
			for _, url := range needy {
				if got[url] == 0 || want[url] == 0 {
					t.Errorf("for %s the model sends %d preflights, and the browser %d", url, got[url], want[url])
				}
			}
		} else if !maps.Equal(got, want) {
			t.Errorf("the model sends the preflights %v, and the browser %v", got, want)
		}
	}
}

// A site is a server of the page and one of the API. Each session has both by
// names of its own, which share neither cookies nor preflights with others. As
// app.example.com and api.example.com are, they are of one site.
type site struct {
	recipe
	bundle   []byte
	pages    *httptest.Server
	api      *httptest.Server
	sessions []*session
	reported chan report
	reports  atomic.Int32 // number of reports, which is the index of the current session
}

// A session is what a page does from its start to its report.
type session struct {
	recipe
	name, page, api string
	start           string // URL of the page
	policy          cors.Policy
	calls           int // 0: it goes through all steps
	handler         http.Handler
	results         []result // nil until reported

	mu        sync.Mutex
	exchanges []*exchange // with the API, in the order of the requests
}

type report struct {
	*session
	results []result
}

// A result is what came of a step; Error is empty if it passed.
type result struct{ Name, Error string }

// An exchange is a request that reached the API, and what that answered.
type exchange struct {
	preflight   bool
	method, url string
	header      http.Header
	body        []byte
	status      int         // of the server; 0 if the policy did not let it get there
	answer      http.Header // of the server, or of the policy to a preflight
}

// newSite returns a site with one session under the recipe, one under the recipe
// without each of its entries, and one of twenty calls.
func newSite(t *testing.T, r recipe, bundle []byte) *site {
	s := &site{recipe: r, bundle: bundle, reported: make(chan report)}
	s.pages = httptest.NewUnstartedServer(http.HandlerFunc(s.servePage))
	s.api = httptest.NewUnstartedServer(http.HandlerFunc(s.serveAPI))
	for _, server := range []*httptest.Server{s.pages, s.api} {
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
	}
	s.add(t, r.policy, 0)
	for _, e := range entries(r.policy) {
		s.add(t, without(r.policy, e), 0)
	}
	s.add(t, r.policy, calls)
	s.pages.Start()
	s.api.Start()
	return s
}

func (s *site) add(t *testing.T, p cors.Policy, calls int) {
	name := fmt.Sprintf("s%d.localhost", len(s.sessions))
	port := func(server *httptest.Server) string {
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		return ":" + port
	}
	n := &session{
		recipe: s.recipe,
		name:   name,
		page:   "http://app." + name + port(s.pages),
		api:    "http://api." + name + port(s.api),
		policy: p,
		calls:  calls,
	}
	n.start = n.page
	if s.byAddress {
		n.page = "http://127.0.0.1" + port(s.pages)
		n.start = n.page + "/?" + name
	}
	n.handler = n.guard(t, p, s.handler(t), &n.exchanges)
	s.sessions = append(s.sessions, n)
}

// run has e go through all sessions, and returns when it has.
func (s *site) run(t *testing.T, e browsers.Engine) {
	b := browsers.Start(t, e, s.sessions[0].start)
	for range s.sessions {
		select {
		case r := <-s.reported:
			r.session.results = r.results
		case <-b.Done():
			t.Fatalf("the browser has ended:\n%s", b.Log())
		case <-time.After(patience):
			t.Fatalf("the browser has not gone through a session in time:\n%s", b.Log())
		}
	}
	// From here on nothing is added to the sessions.
	s.api.CloseClientConnections()
	s.api.Close()
}

// session returns the session of a request to either server.
func (s *site) session(r *http.Request) *session {
	for _, n := range s.sessions {
		if host, _, _ := strings.Cut(r.Host, ":"); strings.HasSuffix(host, "."+n.name) {
			return n
		}
	}
	if s.byAddress && int(s.reports.Load()) < len(s.sessions) {
		return s.sessions[s.reports.Load()]
	}
	return nil
}

func (s *site) servePage(w http.ResponseWriter, r *http.Request) {
	n := s.session(r)
	if n == nil {
		http.NotFound(w, r)
		return
	}
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><title>A client</title><link rel="icon" href="data:,"><body><script src="/bundle.js"></script>`)
	case "/bundle.js":
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Write(s.bundle)
	case "/plan":
		json.NewEncoder(w).Encode(map[string]any{"api": n.api, "calls": n.calls})
	case "/report":
		rep := report{session: n}
		if err := json.NewDecoder(r.Body).Decode(&rep.results); err != nil || len(rep.results) == 0 {
			http.Error(w, "no report", http.StatusBadRequest)
			return
		}
		select {
		case s.reported <- rep:
		case <-r.Context().Done(): // the test has given up
		}
		s.reports.Add(1)
		next := ""
		if i := slices.Index(s.sessions, n) + 1; i < len(s.sessions) {
			next = s.sessions[i].start
		}
		json.NewEncoder(w).Encode(map[string]string{"next": next})
	default:
		http.NotFound(w, r)
	}
}

func (s *site) serveAPI(w http.ResponseWriter, r *http.Request) {
	if n := s.session(r); n != nil {
		n.handler.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

// guard returns next behind p, which allows the page's origin instead of those
// of the recipe. What comes and goes is appended to exchanges.
func (n *session) guard(t *testing.T, p cors.Policy, next http.Handler, exchanges *[]*exchange) http.Handler {
	if n.recipe.policy.AllowOriginFunc == nil {
		p.AllowedOrigins = []string{n.page}
	}
	m, err := cors.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{
			preflight: r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "",
			method:    r.Method,
			url:       n.api + r.URL.RequestURI(),
			header:    r.Header.Clone(),
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the browser has given up
		}
		x.body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
		n.mu.Lock()
		*exchanges = append(*exchanges, x)
		n.mu.Unlock()
		handler := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := &recorder{w, x}
			next.ServeHTTP(rec, r)
			rec.begin(http.StatusOK)
		}))
		if n.wrap != nil {
			handler = n.wrap(handler)
		}
		if x.preflight {
			handler.ServeHTTP(&recorder{w, x}, r)
			x.answer = w.Header().Clone() // StripHeaders would lose the lists
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// A recorder keeps the head of a response.
type recorder struct {
	http.ResponseWriter
	exchange *exchange
}

func (r *recorder) begin(status int) {
	if r.exchange.status == 0 {
		r.exchange.status, r.exchange.answer = status, r.Header().Clone()
		cors.StripHeaders(r.exchange.answer)
	}
}

func (r *recorder) WriteHeader(status int) {
	if status >= 200 {
		r.begin(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.begin(http.StatusOK)
	return r.ResponseWriter.Write(p)
}

// Flush is for those that do not ask http.ResponseController.
func (r *recorder) Flush() {
	r.begin(http.StatusOK)
	r.ResponseWriter.(http.Flusher).Flush()
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// preflights returns how many preflights there are for each URL.
func preflights(exchanges []*exchange) map[string]int {
	count := make(map[string]int)
	for _, x := range exchanges {
		if x.preflight {
			count[x.url]++
		}
	}
	return count
}

func total(count map[string]int) (n int) {
	for _, c := range count {
		n += c
	}
	return n
}

// needy returns the URLs that cannot do without a preflight, as far as requests
// have reached the API. Each needs one, if answers are kept and list all.
func (n *session) needy() []string {
	var urls []string
	for _, x := range n.exchanges {
		if !x.preflight && !slices.Contains(urls, x.url) && corstest.PreflightReasons(n.request(x)) != nil {
			urls = append(urls, x.url)
		}
	}
	return urls
}

// browserHeaders are those that browsers add to requests by themselves, besides
// the forbidden ones.
var browserHeaders = []string{"Accept", "Accept-Language", "Cache-Control", "Pragma", "User-Agent", "Priority", "If-None-Match", "If-Modified-Since"}

// request returns what a script must have asked for to have x sent. Where the
// policy allows credentials, it is taken to have asked for those.
func (n *session) request(x *exchange) corstest.Request {
	r := corstest.Request{Method: x.method, URL: x.url, Header: x.header.Clone(), Body: string(x.body)}
	if n.policy.AllowCredentials {
		r.Credentials = corstest.Include
	}
	var names []string // that preflights asked for
	for _, p := range n.exchanges {
		if p.preflight && p.url == x.url {
			names = append(names, strings.Split(p.header.Get("Access-Control-Request-Headers"), ",")...)
		}
	}
	for _, name := range browserHeaders {
		if !slices.Contains(names, strings.ToLower(name)) {
			r.Header.Del(name)
		}
	}
	// EventSource adds it without asking. For clients that add it themselves, the
	// recipe has it.
	isLastEventID := func(name string) bool { return strings.EqualFold(name, "Last-Event-ID") }
	if !slices.ContainsFunc(n.policy.AllowedHeaders, isLastEventID) {
		r.Header.Del("Last-Event-ID")
	}
	return r
}

// replay has the model send the requests of n that are no preflights, to what
// answers as the API did, behind p. It returns what comes of each, and what
// reached the API.
func (n *session) replay(t *testing.T, p cors.Policy) (results []*corstest.Result, exchanges []*exchange) {
	var now *exchange // the one whose request is sent
	b := corstest.Browser{
		Handler: n.guard(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			maps.Copy(w.Header(), now.answer)
			w.Header().Del("Content-Length") // of the body, which is not sent again
			w.WriteHeader(now.status)
		}), &exchanges),
	}
	for _, x := range n.exchanges {
		if !x.preflight && x.status != 0 {
			now = x
			results = append(results, b.Fetch(n.page, n.request(x)))
		}
	}
	return results, exchanges
}

// missing reports whether the model gets less in n without e than with it.
func (n *session) missing(t *testing.T, e entry) bool {
	whole, _ := n.replay(t, n.policy)
	lacking, _ := n.replay(t, without(n.policy, e))
	name := http.CanonicalHeaderKey(e.value)
	for i, result := range lacking {
		if whole[i].Blocked == "" && (result.Blocked != "" || whole[i].Header[name] != nil && result.Header[name] == nil) {
			return true
		}
	}
	return false
}
