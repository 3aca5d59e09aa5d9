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
	"github.com/f407da42/cors/internal/testkit"
)

// recipes are the recipes of docs/recipes.md, in the same order.
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

// A recipe is a client and the policy for its server.
type recipe struct {
	name   string // heading in docs/recipes.md
	file   string // base name of file_test.go, which has the policy, and of pages/file.js
	policy cors.Policy

	// byAddress reports whether the page's host is an IP address.
	byAddress bool
	// wrap returns the handler around the policy; nil if there is none.
	wrap func(http.Handler) http.Handler
	// handler returns the server behind the policy. Each one has separate state.
	handler func(t *testing.T) http.Handler

	// fails names, for each entry of policy, the first step that fails without it.
	fails map[entry]string
	// preflights is the number of preflights for twenty calls.
	preflights int
}

// An entry is one value in a policy.
type entry struct{ field, value string }

func (e entry) String() string { return strings.TrimSpace(e.field + " " + e.value) }

// entries returns all entries of p, except its origins.
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
	// patience is the time limit for one session. It is generous, because the
	// first session includes the start of the browser.
	patience = 2 * time.Minute

	// calls is the number of calls in the session that counts preflights.
	calls = 20
)

// TestMain requires all browsers and servers, unless the environment lists the
// required ones, because a skipped test is easy to miss.
func TestMain(m *testing.M) {
	const servers = "express,fastify,nginx,Caddy,Python,Starlette"
	for name, all := range map[string]string{
		"CORS_BROWSERS": "chromium,firefox,webkit",
		"CORS_SERVERS":  servers,
	} {
		if os.Getenv(name) == "" {
			// The go command shows this with -v, and if a test fails.
			fmt.Fprintf(os.Stderr, "The tests need all of %s=%s. If you lack one, set the variable to those that you have.\n", name, all)
			os.Setenv(name, all)
		}
	}
	testkit.RunAdvice(m, os.Getenv("CORS_SERVERS") == servers)
}

// install installs the packages of package-lock.json, unless it did so before.
var install = sync.OnceValue(func() error {
	const done = "node_modules/installed-lock.json" // copy of the lock file of the last installation
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	if installed, err := os.ReadFile(done); err == nil && bytes.Equal(installed, lock) {
		return nil
	}
	out, err := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput()
	if err != nil {
		return fmt.Errorf("npm ci: %w (the clients need Node.js and npm)\n%s", err, out)
	}
	return os.WriteFile(done, lock, 0o644)
})

// TestRecipes runs the page of each recipe in each engine: with the whole
// policy, without each of its entries, and with the twenty calls that count
// preflights. Then package corstest must agree with the browser. All pages run in
// one browser of each engine, because starting a browser takes most of the time.
func TestRecipes(t *testing.T) {
	var bundles [][]byte
	for _, r := range recipes {
		bundles = append(bundles, r.bundle(t))
	}
	for _, e := range browsers.Engines {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			var sites []*site
			for i, r := range recipes {
				sites = append(sites, newSite(t, r, bundles[i]))
				if i > 0 {
					sites[i-1].next = sites[i].sessions[0].start
				}
			}
			b := browsers.Start(t, e, sites[0].sessions[0].start)
			for _, s := range sites {
				began := time.Now()
				s.run(t, b)
				t.Logf("%s: %d sessions took %.1f s", s.name, len(s.sessions), time.Since(began).Seconds())
			}
			for _, s := range sites {
				t.Run(s.name, s.check)
			}
		})
	}
}

// bundle returns the page's script with all of its imports.
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

// check compares the results of all sessions with the recipe and with package
// corstest.
func (s *site) check(t *testing.T) {
	r := s.recipe
	all := entries(r.policy)
	whole, lacking, twenty := s.sessions[0], s.sessions[1:1+len(all)], s.sessions[1+len(all)]
	for _, result := range whole.results {
		if result.Error != "" {
			t.Errorf("with the whole policy, %q fails: %s", result.Name, result.Error)
		}
	}

	if len(r.fails) != len(all) {
		t.Errorf("the recipe names the first failure for %d entries, want %d", len(r.fails), len(all))
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
			t.Errorf("without %s, the model finds no failure", entry)
		}
	}

	for _, result := range twenty.results {
		if result.Error != "" {
			t.Errorf("of %d calls, %q fails: %s", calls, result.Name, result.Error)
		}
	}
	asked, needy := preflights(twenty.exchanges), twenty.needy()
	t.Logf("%d calls made %d requests and cost %d preflights, and the minimum is %d", calls, len(twenty.exchanges)-total(asked), total(asked), len(needy))
	if total(asked) != len(needy) || total(asked) != r.preflights {
		t.Errorf("got %d preflights; the minimum is %d, and the recipe says %d: %v", total(asked), len(needy), r.preflights, asked)
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
				t.Errorf("the preflight for %s of %s is not needed", x.header.Get("Access-Control-Request-Method"), x.url)
			}
			if x.status != preflightStatus {
				t.Errorf("the preflight for %s got status %d, want %d", x.url, x.status, preflightStatus)
			}
			if got := x.response.Get("Access-Control-Max-Age"); got != maxAge {
				t.Errorf("the preflight response for %s has Access-Control-Max-Age %q, want %q", x.url, got, maxAge)
			}
		}
		results, exchanges := session.replay(t, r.policy)
		for _, result := range results {
			if result.Blocked != "" {
				t.Errorf("the model blocks a request that the browser allowed:\n%s", result)
			}
		}
		got, want := preflights(exchanges), preflights(session.exchanges)
		if session == whole {
			// If a client sends requests at the same time, or cancels one, the
			// browser can send more preflights. Only the URLs are compared.
			for _, url := range needy {
				if got[url] == 0 || want[url] == 0 {
					t.Errorf("for %s, the model sends %d preflights, and the browser sends %d", url, got[url], want[url])
				}
			}
		} else if !maps.Equal(got, want) {
			t.Errorf("the model sends the preflights %v, and the browser sends %v", got, want)
		}
	}
}

// A site has a server for the pages and a server for the API. Each session has
// other host names, so sessions do not share cookies or preflights. Like
// app.example.com and api.example.com, the two hosts of a session are same-site.
type site struct {
	recipe
	bundle   []byte
	pages    *httptest.Server
	api      *httptest.Server
	sessions []*session
	next     string // URL of the page after the last session; empty if there is none
	reported chan report
	reports  atomic.Int32 // number of reports, which is the index of the current session
}

// A session is one run of a page, from its start to its report.
type session struct {
	recipe
	name, page, api string
	start           string // URL of the page
	policy          cors.Policy
	calls           int // number of calls; 0 runs all steps
	handler         http.Handler
	results         []result // results of the steps; nil until reported

	mu        sync.Mutex
	exchanges []*exchange // exchanges with the API, oldest first
}

type report struct {
	*session
	results []result
}

// A result is the outcome of a step. Error is empty if the step passed.
type result struct{ Name, Error string }

// An exchange is a request that reached the API, and its response.
type exchange struct {
	preflight   bool
	method, url string
	header      http.Header
	body        []byte
	status      int         // 0 if the policy rejected an actual request
	response    http.Header // without CORS headers, except for a preflight
}

// newSite returns a site with one session for the whole policy, one without
// each of its entries, and one for the twenty calls.
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
	name := fmt.Sprintf("%s%d.clients.localhost", s.file, len(s.sessions))
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
	n.handler = n.protect(t, p, s.handler(t), &n.exchanges)
	s.sessions = append(s.sessions, n)
}

// run waits until all sessions in b have reported.
func (s *site) run(t *testing.T, b *browsers.Browser) {
	for range s.sessions {
		select {
		case r := <-s.reported:
			r.session.results = r.results
		case <-b.Done():
			t.Fatalf("the browser ended:\n%s", b.Log())
		case <-time.After(patience):
			t.Fatalf("%s: the browser did not finish a session in time:\n%s", s.name, b.Log())
		}
	}
	// After this, no exchange is added to a session.
	s.api.CloseClientConnections()
	s.api.Close()
}

// session returns the session of a request to one of the servers.
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
		case <-r.Context().Done(): // the test is over
		}
		s.reports.Add(1)
		next := s.next
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

// protect returns next behind p, which allows the origin of the page instead of
// the origins in the recipe. It appends every exchange to exchanges.
func (n *session) protect(t *testing.T, p cors.Policy, next http.Handler, exchanges *[]*exchange) http.Handler {
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
			return // the browser canceled the request
		}
		x.body = body
		r.Body = io.NopCloser(bytes.NewReader(body))
		n.mu.Lock()
		*exchanges = append(*exchanges, x)
		n.mu.Unlock()
		handler := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ew := &exchangeWriter{w, x}
			next.ServeHTTP(ew, r)
			ew.begin(http.StatusOK)
		}))
		if n.wrap != nil {
			handler = n.wrap(handler)
		}
		if x.preflight {
			handler.ServeHTTP(&exchangeWriter{w, x}, r)
			x.response = w.Header().Clone() // StripHeaders would lose the lists
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// An exchangeWriter passes a response on. It stores the status and the headers in
// an exchange.
type exchangeWriter struct {
	http.ResponseWriter
	exchange *exchange
}

func (w *exchangeWriter) begin(status int) {
	if w.exchange.status == 0 {
		w.exchange.status, w.exchange.response = status, w.Header().Clone()
		cors.StripHeaders(w.exchange.response)
	}
}

func (w *exchangeWriter) WriteHeader(status int) {
	if status >= 200 {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *exchangeWriter) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Flush is for handlers that do not use http.ResponseController.
func (w *exchangeWriter) Flush() {
	w.begin(http.StatusOK)
	w.ResponseWriter.(http.Flusher).Flush()
}

func (w *exchangeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// preflights returns the number of preflights for each URL.
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

// needy returns the URLs that need a preflight, judged by the requests that
// reached the API. One preflight for each is enough, if browsers cache it.
func (n *session) needy() []string {
	var urls []string
	for _, x := range n.exchanges {
		if !x.preflight && !slices.Contains(urls, x.url) && corstest.PreflightReasons(n.request(x)) != nil {
			urls = append(urls, x.url)
		}
	}
	return urls
}

// browserHeaders are headers that browsers add to requests, in addition to the
// forbidden request-headers.
var browserHeaders = []string{"Accept", "Accept-Language", "Cache-Control", "Pragma", "User-Agent", "Priority", "If-None-Match", "If-Modified-Since"}

// request returns the request of the script that led to x. If the policy allows
// credentials, request assumes that the script included them.
func (n *session) request(x *exchange) corstest.Request {
	r := corstest.Request{Method: x.method, URL: x.url, Header: x.header.Clone(), Body: string(x.body)}
	if n.policy.AllowCredentials {
		r.Credentials = corstest.Include
	}
	var names []string // names in Access-Control-Request-Headers
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
	// EventSource adds this header without a preflight. If a script adds it, the
	// recipe lists it.
	isLastEventID := func(name string) bool { return strings.EqualFold(name, "Last-Event-ID") }
	if !slices.ContainsFunc(n.policy.AllowedHeaders, isLastEventID) {
		r.Header.Del("Last-Event-ID")
	}
	return r
}

// replay sends the actual requests of n with package corstest, the model, to a
// handler behind p that responds as the API did. It returns the results, and the
// exchanges with the handler.
func (n *session) replay(t *testing.T, p cors.Policy) (results []*corstest.Result, exchanges []*exchange) {
	var now *exchange // being replayed
	b := corstest.Browser{
		Handler: n.protect(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			maps.Copy(w.Header(), now.response)
			w.Header().Del("Content-Length") // the replayed response has no body
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

// missing reports whether the model fails in n, or reads less, without e.
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
