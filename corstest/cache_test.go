package corstest_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/f407da42/cors/corstest"
)

func TestPreflightCache(t *testing.T) {
	type step struct {
		after     time.Duration    // time since the first step
		page      string           // the page of the other tests if empty
		request   corstest.Request // URL is api if empty
		header    http.Header      // response to preflights from this step on
		preflight bool
		blocked   bool
	}
	put, del := corstest.Request{Method: "PUT"}, corstest.Request{Method: "DELETE"}
	custom := corstest.Request{Header: http.Header{"X-Custom": {"1"}}}
	authorized := corstest.Request{Header: http.Header{"Authorization": {"1"}}}
	with := func(r corstest.Request, change func(*corstest.Request)) corstest.Request {
		change(&r)
		return r
	}
	include := func(r *corstest.Request) { r.Credentials = corstest.Include }
	answers := func(methods, headers, maxAge string) http.Header {
		h := http.Header{"Access-Control-Allow-Origin": {page}, "Access-Control-Allow-Credentials": {"true"}}
		for name, value := range map[string]string{"Methods": methods, "Headers": headers} {
			if value != "" {
				h.Set("Access-Control-Allow-"+name, value)
			}
		}
		if maxAge != "" {
			h.Set("Access-Control-Max-Age", maxAge)
		}
		return h
	}
	tests := []struct {
		name   string
		maxAge time.Duration
		steps  []step
	}{
		{name: "without Max-Age, for 5 seconds", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{after: 5*time.Second - 1, request: put},
			{after: 5 * time.Second, request: put, preflight: true},
		}},
		{name: "for the seconds of Max-Age", steps: []step{
			{request: put, header: answers("PUT", "", "600"), preflight: true},
			{after: 10*time.Minute - 1, request: put},
			{after: 10 * time.Minute, request: put, preflight: true},
		}},
		{name: "never, with Max-Age 0", steps: []step{
			{request: put, header: answers("PUT", "", "0"), preflight: true},
			{request: put, preflight: true},
		}},
		{name: "for 5 seconds, with an invalid Max-Age", steps: []step{
			{request: put, header: answers("PUT", "", "-1"), preflight: true},
			{after: 4 * time.Second, request: put},
			{after: 5 * time.Second, request: put, header: answers("PUT", "", "1h"), preflight: true},
			{after: 9 * time.Second, request: put},
			{after: 10 * time.Second, request: put, preflight: true},
		}},
		{name: "at most for a day", steps: []step{
			{request: put, header: answers("PUT", "", "99999999999999999999999"), preflight: true},
			{after: 24*time.Hour - 1, request: put},
			{after: 24 * time.Hour, request: put, preflight: true},
		}},
		{name: "at most for the limit that MaxAge sets", maxAge: 10 * time.Minute, steps: []step{
			{request: put, header: answers("PUT", "", "601"), preflight: true},
			{after: 10*time.Minute - 1, request: put},
			{after: 10 * time.Minute, request: put, preflight: true},
		}},
		{name: "to the second, even if the limit has a fraction", maxAge: 1500 * time.Millisecond, steps: []step{
			{request: put, header: answers("PUT", "", "1"), preflight: true},
			{after: time.Second - 1, request: put},
			{after: time.Second, request: put, header: answers("PUT", "", "2"), preflight: true},
			{after: 2500*time.Millisecond - 1, request: put},
			{after: 2500 * time.Millisecond, request: put, preflight: true},
		}},
		{name: "all methods and headers that are listed", steps: []step{
			{request: put, header: answers("PUT, DELETE", "x-custom, Authorization", ""), preflight: true},
			{request: del},
			{request: custom},
			{request: authorized},
			{request: with(put, func(r *corstest.Request) { r.Header = custom.Header })},
			{request: corstest.Request{Method: "PATCH"}, preflight: true, blocked: true},
		}},
		{name: "methods and headers from several preflights", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: custom, header: answers("", "X-Custom", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.Header = custom.Header })},
			{request: del, header: answers("DELETE", "", ""), preflight: true},
			{request: put},
		}},
		{name: "a new max-age counts from when an entry was stored", steps: []step{
			{request: put, header: answers("PUT", "", "60"), preflight: true},
			{after: 50 * time.Second, request: del, header: answers("PUT, DELETE", "", "100"), preflight: true},
			{after: 100*time.Second - 1, request: put},
			{after: 100 * time.Second, request: del},
			{after: 100 * time.Second, request: put, preflight: true},
		}},
		{name: "any method and header, except Authorization", steps: []step{
			{request: put, header: answers("*", "*", ""), preflight: true},
			{request: del},
			{request: custom},
			{request: authorized, preflight: true, blocked: true},
		}},
		{name: "a preflight with credentials counts for all requests", steps: []step{
			{request: with(put, include), header: answers("PUT", "", ""), preflight: true},
			{request: with(put, include)},
			{request: put},
		}},
		{name: "a preflight without credentials does not count with credentials", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, include), preflight: true},
			{request: with(put, include)},
		}},
		{name: "for each URL", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = api + "/?a" }), preflight: true},
			{request: put},
		}},
		{name: "for each page", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{page: "null", request: put, header: http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"PUT"}}, preflight: true},
			{request: put},
		}},
		{name: "safelisted methods only if they are listed", steps: []step{
			{request: corstest.Request{UploadListener: true}, header: answers("", "", ""), preflight: true},
			{request: corstest.Request{UploadListener: true}}, // the method counts as a list
			{request: corstest.Request{Method: "POST", StreamBody: true}, header: answers("PUT", "", ""), preflight: true},
			{request: corstest.Request{Method: "POST", StreamBody: true}, header: answers("POST", "", ""), preflight: true},
			{request: corstest.Request{Method: "POST", StreamBody: true}},
			{request: corstest.Request{Method: "POST"}},
		}},
		{name: "even if a request that needs no preflight fails", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: corstest.Request{}, header: http.Header{}, blocked: true},
			{request: put, header: answers("PUT", "", "")},
		}},
		{name: "until a preflight for the URL fails", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = api + "/?a" }), preflight: true},
			{request: del, preflight: true, blocked: true},
			{request: put, preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = api + "/?a" })},
		}},
		{name: "for all spellings of a URL", steps: []step{
			{request: put, header: answers("PUT", "", ""), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://api.example/" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://API.example" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://api.example:443" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "https://api.example:/" })},
			{request: with(put, func(r *corstest.Request) { r.URL = "http://api.example:80" }), preflight: true},
			{request: with(put, func(r *corstest.Request) { r.URL = "http://api.example" })},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			now := start
			var header http.Header
			b := corstest.Browser{
				MaxAge:  test.maxAge,
				Now:     func() time.Time { return now },
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { maps.Copy(w.Header(), header) }),
			}
			for i, step := range test.steps {
				now = start.Add(step.after)
				if step.header != nil {
					header = step.header
				}
				if step.request.URL == "" {
					step.request.URL = api
				}
				if step.page == "" {
					step.page = page
				}
				got := b.Fetch(step.page, step.request)
				if got.Preflight != nil != step.preflight {
					t.Errorf("step %d: preflight sent: %t, want %t", i, got.Preflight != nil, step.preflight)
				}
				if got.Blocked != "" != step.blocked {
					t.Errorf("step %d: blocked: %q", i, got.Blocked)
				}
			}
		})
	}
}

// TestPreflightCacheAfterRedirect sends a request that needs a preflight and fails
// after a redirect. The browser then forgets the preflights for the last URL, even
// if that URL needed no preflight.
func TestPreflightCacheAfterRedirect(t *testing.T) {
	preflights := 0
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "OPTIONS" {
			preflights++
		}
		if r.Method != "GET" {
			w.Header().Set("Access-Control-Allow-Origin", page)
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
		}
		switch r.Method + " " + r.URL.Path {
		case "PUT /to-b":
			http.Redirect(w, r, "/b", http.StatusSeeOther)
		case "PUT /to-ftp":
			http.Redirect(w, r, "ftp://api.example/", http.StatusFound)
		}
	})}
	for i, step := range []struct {
		path       string
		preflights int
		blocked    bool
	}{
		{path: "/b", preflights: 1},
		{path: "/b"},
		{path: "/to-b", preflights: 1, blocked: true}, // GET /b is
		{path: "/b", preflights: 1},
		{path: "/to-b", blocked: true},
		{path: "/b", preflights: 1},
		{path: "/to-ftp", preflights: 1, blocked: true},
		{path: "/to-ftp", preflights: 1, blocked: true},
	} {
		preflights = 0
		got := b.Fetch(page, corstest.Request{Method: "PUT", URL: api + step.path})
		if preflights != step.preflights || got.Blocked != "" != step.blocked {
			t.Errorf("step %d: PUT %s cost %d preflights, want %d; blocked: %q", i, step.path, preflights, step.preflights, got.Blocked)
		}
	}
}

// TestPreflightCacheOfNull uses two pages whose origin is null after a redirect.
// They must not share their preflights.
func TestPreflightCacheOfNull(t *testing.T) {
	b := corstest.Browser{Handler: http.HandlerFunc(respondAsRequested)}
	const url = api + "/redirect.py?redirect_status=307&allow_methods=PUT&location=https://other.example/preflight.py?allow_methods=PUT"
	for _, page := range []string{page, "https://another.example"} {
		if got := summary(b.Fetch(page, corstest.Request{Method: "PUT", URL: url})); got != "OPTIONS PUT OPTIONS PUT 200" {
			t.Errorf("%s: got %s", page, got)
		}
	}
}

// TestPreflightsExpireWithoutNow checks that preflights expire if Now is nil.
func TestPreflightsExpireWithoutNow(t *testing.T) {
	b := corstest.Browser{Handler: respondWith(http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"PUT"}, "Access-Control-Max-Age": {"86400"}})}
	first, second := b.Fetch(page, corstest.Request{Method: "PUT", URL: api}), b.Fetch(page, corstest.Request{Method: "PUT", URL: api})
	if first.Preflight == nil || second.Preflight != nil {
		t.Errorf("preflights sent: %t, %t, want true, false", first.Preflight != nil, second.Preflight != nil)
	}
}
