package peers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// measure returns the allocations and bytes of one call of f.
func measure(f func()) (allocs, bytes float64) {
	return testing.AllocsPerRun(200, f), testkit.AllocatedBytes(200, f)
}

// TestAllocations expects at most one allocation, of at most 128 bytes, for each
// response of the grid, even if it already has a Vary.
func TestAllocations(t *testing.T) {
	for p := range policies {
		if len(p.origins) > 1000 {
			break
		}
		handler := wrapThis(p, nothing)
		for _, req := range requests {
			r := req.make(p)
			if r == nil {
				continue
			}
			for _, before := range [][]string{nil, {"Accept-Encoding"}} {
				w := testkit.NewRecorder()
				allocs, bytes := measure(func() {
					w.Reset()
					if before != nil {
						w.Header()["Vary"] = before
					}
					handler.ServeHTTP(w, r)
				})
				if allocs > 1 || bytes > 128 {
					t.Errorf("%s, %s, Vary before: %q: %v allocations, %v bytes; want at most 1, 128", p.name, req.name, before, allocs, bytes)
				}
			}
		}
	}
}

// TestEchoAllocations is TestAllocations for preflight responses that list the
// requested headers in addition to those of the policy. They may cost three
// allocations.
func TestEchoAllocations(t *testing.T) {
	p, q := hostileRequest{policy: policyThatEchoes}.policies()
	handler := newCORS(q).Handler(nothing)
	r := newPreflight(p.allowed, 20)
	r.Header["Access-Control-Request-Method"] = []string{"PATCH"}
	w := testkit.NewRecorder()
	allocs, bytes := measure(func() {
		w.Reset()
		handler.ServeHTTP(w, r)
	})
	if got := len(w.Header()["Access-Control-Allow-Headers"]); got != 2 {
		t.Fatalf("got %d lines of Access-Control-Allow-Headers, want one of the policy and one of the request", got)
	}
	if allocs > 3 || bytes > 256 {
		t.Errorf("%v allocations, %v bytes; want at most 3, 256", allocs, bytes)
	}
}

// A hostileRequest is meant to be expensive, or is an honest request for
// comparison.
type hostileRequest struct {
	name   string
	policy string // policyThatEchoes, or the name of a policy of the grid
	r      func(p policy) *http.Request
}

const policyThatEchoes = "echo"

// policies returns the policy for r.r, first for the grid, then for this package.
func (r hostileRequest) policies() (policy, cors.Policy) {
	if r.policy != policyThatEchoes {
		p := named(r.policy)
		return p, thisPolicy(p)
	}
	p := named("credentialed")
	q := thisPolicy(p)
	q.AllowedMethods = []string{"PUT", "*"}
	q.AllowedHeaders = []string{"Authorization", "*"}
	return p, q
}

const megabyte = 1 << 20

var hostileRequests = []hostileRequest{
	{"preflight", "origins-10", func(p policy) *http.Request { return newPreflight(p.allowed, 1) }},
	{"preflight-1MB-of-headers-in-one-line", "origins-10", func(p policy) *http.Request {
		return preflightFor(p, strings.Repeat("authorization,", megabyte/len("authorization,")))
	}},
	{"preflight-1MB-of-commas", "origins-10", func(p policy) *http.Request {
		return preflightFor(p, strings.Repeat(",", megabyte))
	}},
	{"preflight-1MB-of-headers-in-1000-lines", "origins-10", func(p policy) *http.Request {
		lines := make([]string, 1000)
		for i := range lines {
			lines[i] = strings.Repeat("authorization,", megabyte/1000/len("authorization,"))
		}
		return preflightFor(p, lines...)
	}},
	{"echo-8KB-of-names", policyThatEchoes, func(p policy) *http.Request {
		return preflightFor(p, strings.Repeat("x-custom-header,", 8000/len("x-custom-header,")))
	}},
	{"echo-8KB-of-one-letter-names", policyThatEchoes, func(p policy) *http.Request {
		return preflightFor(p, strings.Repeat("x,", 8000/len("x,")))
	}},
	{"rejected", "origins-10", func(p policy) *http.Request { return newRequest(http.MethodGet, p.rejected) }},
	{"rejected-1MB-of-origin", "origins-10", func(p policy) *http.Request {
		return newRequest(http.MethodGet, "https://"+strings.Repeat("a", megabyte)+".example.com")
	}},
	{"rejected-1MB-of-origins-in-1000-lines", "origins-10", func(p policy) *http.Request {
		r := newRequest(http.MethodGet, "")
		for range 1000 {
			r.Header["Origin"] = append(r.Header["Origin"], "https://"+strings.Repeat("a", megabyte/1000)+".example.com")
		}
		return r
	}},
	{"pattern", "patterns-1000", func(p policy) *http.Request { return newRequest(http.MethodGet, p.allowed) }},
	{"pattern-127-labels-allowed", "patterns-1000", func(p policy) *http.Request {
		domain := strings.TrimPrefix(p.origins[500], "https://*.")
		return newRequest(http.MethodGet, "https://"+strings.Repeat("a.", (253-len(domain))/2)+domain)
	}},
	{"pattern-127-labels-rejected", "patterns-1000", func(p policy) *http.Request {
		return newRequest(http.MethodGet, "https://"+strings.Repeat("a.", 126)+"a")
	}},
	{"pattern-1MB-of-labels", "patterns-1000", func(p policy) *http.Request {
		return newRequest(http.MethodGet, "https://"+strings.Repeat("a.", megabyte/2)+"a")
	}},
	{"hyphens", "hyphens-varied-1000", func(p policy) *http.Request { return newRequest(http.MethodGet, p.allowed) }},
	{"hyphens-60-in-a-label", "hyphens-varied-1000", func(p policy) *http.Request {
		return newRequest(http.MethodGet, "https://a"+strings.Repeat("-", 60)+"a.vercel.app")
	}},
}

func preflightFor(p policy, headers ...string) *http.Request {
	r := newPreflight(p.allowed, 1)
	r.Header["Access-Control-Request-Headers"] = headers
	return r
}

// hostileCalls are the ways to check a request.
var hostileCalls = []struct {
	name string
	make func(q cors.Policy) func(w http.ResponseWriter, r *http.Request)
}{
	{"Handler", func(q cors.Policy) func(w http.ResponseWriter, r *http.Request) {
		return newCORS(q).Handler(nothing).ServeHTTP
	}},
	{"Handler-OnReject", func(q cors.Policy) func(w http.ResponseWriter, r *http.Request) {
		q.OnReject = func(*http.Request, *cors.RequestError) {}
		return newCORS(q).Handler(nothing).ServeHTTP
	}},
	{"Check", func(q cors.Policy) func(w http.ResponseWriter, r *http.Request) {
		c := newCORS(q)
		return func(_ http.ResponseWriter, r *http.Request) { c.Check(r) }
	}},
}

func newCORS(q cors.Policy) *cors.Middleware {
	c, err := cors.New(q)
	if err != nil {
		panic(err)
	}
	return c
}

func named(name string) policy {
	for p := range policies {
		if p.name == name {
			return p
		}
	}
	panic(fmt.Sprintf("no policy is named %q", name))
}

// TestHostileAllocations expects bounded allocations for a response and a
// RequestError, even if a request is large.
func TestHostileAllocations(t *testing.T) {
	for _, call := range hostileCalls {
		for _, req := range hostileRequests {
			p, q := req.policies()
			serve, r := call.make(q), req.r(p)
			w := testkit.NewRecorder()
			allocs, bytes := measure(func() {
				w.Reset()
				serve(w, r)
			})
			if allocs > 3 || bytes > 1536 {
				t.Errorf("%s, %s: %v allocations, %v bytes; want at most 3, 1536", call.name, req.name, allocs, bytes)
			}
		}
	}
}

// TestIdleMemory shows that a Middleware keeps only its current policy. The limit
// allows for other work in the process, but not for several of a thousand earlier
// policies.
func TestIdleMemory(t *testing.T) {
	once, often := idle()
	if often > 3*once {
		t.Errorf("a Middleware holds %d bytes, and %d after its policy was set a thousand times", once, often)
	}
}
