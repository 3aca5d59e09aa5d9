package main

import (
	"net/http"

	"github.com/f407da42/cors/corstest"
)

// An attempt is a request that a page of the stranger can try, and its result.
type attempt struct {
	Name       string
	HandlerRan bool
	Reads      bool   // whether the page can read the response
	Why        string // why the page cannot read it
}

// attempts predicts the results of requests from a page of the stranger to the API
// under the policy in force. It assumes that the user's cookie has SameSite=None.
func (p *playground) attempts() []attempt {
	list := []attempt{}
	for _, try := range []struct {
		name    string
		request corstest.Request
	}{
		{"a link, an image or a script", corstest.Request{Mode: corstest.NoCORS}},
		{"fetch", corstest.Request{}},
		{"fetch with credentials", corstest.Request{Credentials: corstest.Include}},
		{"fetch, PUT", corstest.Request{Method: http.MethodPut}},
		{"fetch with credentials, PUT", corstest.Request{Method: http.MethodPut, Credentials: corstest.Include}},
		{"fetch with mode no-cors, POST", corstest.Request{Method: http.MethodPost, Mode: corstest.NoCORS, Credentials: corstest.Include}},
		{"a form, POST", corstest.Request{Method: http.MethodPost, Mode: corstest.Navigate}},
		{"a WebSocket", corstest.Request{Mode: corstest.WebSocket}},
	} {
		a := attempt{Name: try.name}
		browser := corstest.Browser{Cookie: "user=alice", Handler: record(p.api, func(_ *http.Request, ex *exchange) {
			a.HandlerRan = a.HandlerRan || ex.HandlerRan
		})}
		try.request.URL = p.origins.API + "/data"
		result := browser.Fetch(p.origins.Stranger, try.request)
		switch {
		case try.request.Mode == corstest.WebSocket && a.HandlerRan:
			// The API has no WebSockets, but other handlers may.
			a.Reads = true
		case try.request.Mode == corstest.NoCORS || try.request.Mode == corstest.Navigate:
			a.Why = "requests of this kind are never readable"
		default:
			a.Reads, a.Why = result.Blocked == "", result.Blocked
		}
		list = append(list, a)
	}
	return list
}

// scan scans the API under the policy in force for origins that have the same
// access as the app.
func (p *playground) scan() *corstest.Report {
	browser := corstest.Browser{Cookie: "user=alice", Handler: record(p.api, func(*http.Request, *exchange) {})}
	return browser.Scan(p.origins.App, corstest.Request{URL: p.origins.API + "/data", Credentials: corstest.Include})
}

// strangerPage serves the page about requests from other sites.
func (p *playground) strangerPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	p.render(w, "stranger.html", map[string]any{
		"Origins": p.origins, "Attempts": p.attempts(), "Scan": p.scan(), "Code": goCode(p.cors.Policy()),
	})
}
