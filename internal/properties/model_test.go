package properties_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

// TestBrowsersObeyThePolicy sends random requests from random pages to servers with
// random policies, in the model of the browser. Each outcome must be the one that
// the oracle computes.
//
// The test prints the seed of a run. To repeat the run:
//
//	CORS_SEED=<seed> go test -run TestBrowsersObeyThePolicy ./internal/properties
func TestBrowsersObeyThePolicy(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if s := os.Getenv("CORS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("CORS_SEED: %v", err)
		}
	}
	t.Logf("seed %d", seed)
	g := generator{rand.New(rand.NewPCG(seed, 0))}

	seen := make(map[outcome]int)
	for range rounds(3000) {
		p := g.policy()
		m, oracle := testkit.MustNew(t, p), newOracle(p)
		for range 10 {
			page, r := g.page(p), g.request(p)
			got, want := compareBrowser(m, oracle, page, r)
			if got != want {
				t.Fatalf("policy  %+v\npage    %q\nrequest %+v\ngot  %+v\nwant %+v", p, page, r, got, want)
			}
			seen[got]++
		}
	}
	for _, o := range []outcome{
		{}, {preflight: true}, {handled: true}, {handled: true, readable: true},
		{preflight: true, handled: true, readable: true, cookie: true},
	} {
		t.Logf("%6d times %+v", seen[o], o)
		if seen[o] == 0 {
			t.Errorf("no request had the outcome %+v", o)
		}
	}
}

// An outcome is the result of a request from a page.
type outcome struct {
	preflight bool // the browser sends a preflight
	handled   bool // the wrapped handler runs
	cookie    bool // the wrapped handler gets the cookie
	readable  bool // the script can read the response
}

// compareBrowser sends r from page to a handler behind m. It returns the outcome,
// and the outcome that oracle computes.
func compareBrowser(m *cors.Middleware, oracle *oracle, page string, r corstest.Request) (got, want outcome) {
	browser := corstest.Browser{Cookie: "session=1", Handler: m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got.handled, got.cookie = true, r.Header["Cookie"] != nil
	}))}
	result := browser.Fetch(page, r)
	allowed := oracle.allows(nil, page)
	switch {
	case result.Actual == nil && result.Preflight == nil: // page is not a valid origin
		direct := httptest.NewRequest("GET", "https://server.example/", nil)
		direct.Header.Set("Origin", page)
		got.handled, want.handled = m.Check(direct) == nil, allowed
		return got, want
	case strings.HasPrefix(r.URL, page+"/"): // same-origin
		want = outcome{handled: true, readable: true, cookie: r.Credentials != corstest.Omit}
	case len(corstest.PreflightReasons(r)) > 0:
		want.preflight = true
		want.readable = allowed && oracle.checkPreflight(result.Preflight.Request) == nil &&
			(oracle.AllowCredentials || r.Credentials != corstest.Include)
		want.handled = want.readable
	default:
		want.readable = allowed && (oracle.AllowCredentials || r.Credentials != corstest.Include)
		want.handled = oracle.respond(result.Actual.Request, http.Header{}).ran
	}
	if page != strings.TrimSuffix(r.URL, "/") {
		want.cookie = want.handled && r.Credentials == corstest.Include
	}
	got.preflight, got.readable = result.Preflight != nil, result.Blocked == ""
	return got, want
}
