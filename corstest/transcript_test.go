package corstest_test

import (
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestStringOfInsecurePage(t *testing.T) {
	b := corstest.Browser{Handler: respond(200)}
	for _, method := range []string{"GET", "OPTIONS"} {
		got := b.Fetch("http://a.example", corstest.Request{Method: method, URL: "http://a.example"}).String()
		if !strings.Contains(got, "no preflight: the request is same-origin") {
			t.Errorf("got %s", got)
		}
	}
}

func TestString(t *testing.T) {
	policy := cors.Policy{
		AllowedOrigins: []string{page}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"X-Total"}, AllowCredentials: true,
	}
	all := wrap(t, policy, respond(200, "X-Total: 1", "Date: today", "Location: /1"))
	mux := http.NewServeMux()
	mux.Handle("PUT /items/{id}", all)
	put := corstest.Request{
		Method: "PUT", URL: api + "/items/1?a=b", Body: "{}", Credentials: corstest.Include,
		Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer secret"}},
	}
	tests := []struct {
		file    string
		browser *corstest.Browser
		request corstest.Request
		times   int // number of requests; the test compares the last transcript
	}{
		{"allowed", &corstest.Browser{Handler: all, Cookie: "session=secret"}, put, 1},
		{"cached", &corstest.Browser{Handler: all}, put, 2},
		{"router", &corstest.Browser{Handler: mux}, put, 1},
		{"simple", &corstest.Browser{Handler: respond(200)}, corstest.Request{URL: api}, 1},
		{"proxies", &corstest.Browser{Handler: respond(200, allowAny, "Age: 0", "Cache-Status: a", "Cf-Cache-Status: MISS", "Cf-Ray: 1-FRA", "Server: cloudflare", "Via: 1.1 varnish", "X-Cache: MISS", "X-Cache-Status: MISS", "X-Litespeed-Cache: miss", "X-Proxy-Cache: MISS", "X-Vercel-Cache: MISS")}, corstest.Request{URL: api}, 1},
		{"bare", serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }), corstest.Request{URL: "http://api.example"}, 1},
		{"same-origin", &corstest.Browser{Handler: all}, corstest.Request{Method: "PUT", URL: page}, 1},
		{"redirect", serve(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "PUT" && r.URL.Path == "/" {
				http.Redirect(w, r, "/b", http.StatusTemporaryRedirect)
			}
		}), corstest.Request{Method: "put", URL: api, Body: "a"}, 1},
		{"login", &corstest.Browser{Handler: respond(200, allowAny, "Set-Cookie: session=secret"), Cookie: "session=secret"}, corstest.Request{
			Method: "POST", URL: api, Header: http.Header{"Cookie": {"session=secret"}, "Sec-Fetch-Site": {"none"}},
		}, 1},
		{"credentials", &corstest.Browser{Handler: respond(200, allowPage, allowCredentials, allowMethods+"PUT", "Set-Cookie: session=secret")}, withCredentials(corstest.Request{
			Method: "PUT", URL: api,
		}), 1},
		{"moved", &corstest.Browser{Handler: respondAt(map[string]http.Handler{
			"api.example":   split(respond(204, allowAny, allowHeaders+"authorization"), respond(303, allowAny, "Location: https://other.example/")),
			"other.example": respond(200, allowAny),
		}), Cookie: "session=secret"}, corstest.Request{
			Method: "POST", URL: api, Body: "a", Header: http.Header{"Authorization": {"Bearer secret"}},
		}, 1},
		{"websocket", &corstest.Browser{Handler: respond(403)}, corstest.Request{URL: "wss://api.example/", Mode: corstest.WebSocket}, 1},
		{"opened", &corstest.Browser{Handler: respond(101)}, corstest.Request{URL: "wss://api.example/", Mode: corstest.WebSocket}, 1},
		{"form", &corstest.Browser{Handler: respond(200, "Set-Cookie: session=secret")}, corstest.Request{Method: "POST", URL: api, Body: "a=1", Mode: corstest.Navigate}, 1},
		{"refused", &corstest.Browser{}, corstest.Request{Method: "TRACE", URL: api}, 1},
		{"panic", serve(func(http.ResponseWriter, *http.Request) { panic("oh") }), corstest.Request{URL: api}, 1},
		{"broken", serve(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			panic("oh")
		}), corstest.Request{URL: api}, 1},
		{"hostile", serve(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", "\x1b[2J\u202e é") }), corstest.Request{URL: api}, 1},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			var got string
			for range test.times {
				got = test.browser.Fetch(page, test.request).String()
			}
			file := filepath.Join("testdata", test.file+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestStringOfIgnoredCookies(t *testing.T) {
	for _, test := range []struct {
		page        string
		credentials corstest.Credentials
		mode        corstest.Mode
		want        bool // whether the browser ignores Set-Cookie
	}{
		{page: api, credentials: corstest.SameOrigin, want: false},
		{page: api, credentials: corstest.Omit, want: true},
		{page: api, credentials: corstest.Include, want: false},
		{page: page, credentials: corstest.SameOrigin, want: true},
		{page: page, credentials: corstest.Omit, want: true},
		{page: page, credentials: corstest.Include, want: false},
		{page: page, mode: corstest.NoCORS, want: true},
		{page: page, mode: corstest.Navigate, want: false},
		{page: page, mode: corstest.WebSocket, want: false},
	} {
		b := corstest.Browser{Handler: respond(200, "Set-Cookie: session=secret")}
		got := b.Fetch(test.page, corstest.Request{URL: api, Credentials: test.credentials, Mode: test.mode}).String()
		if strings.Contains(got, "note: the browser ignores Set-Cookie") != test.want || strings.Contains(got, "secret") {
			t.Errorf("%s, credentials %d, mode %v: got\n%s", test.page, test.credentials, test.mode, got)
		}
	}
}

// A script's Cookie header was dropped silently. Without Include, Browser.Cookie was
// also dropped silently.
func TestFieldBugDroppedCookie(t *testing.T) {
	b := corstest.Browser{Handler: respond(200, allowAny), Cookie: "session=secret"}
	r := corstest.Request{URL: api}
	const withoutCredentials = "note: cookies are left out: the request is made without credentials\n"
	if got := b.Fetch(page, r).String(); !strings.Contains(got, withoutCredentials) {
		t.Errorf("the browser's cookie: got\n%s", got)
	}
	if got := b.Fetch(page, withCredentials(r)).String(); strings.Contains(got, "note:") {
		t.Errorf("the browser's cookie, with credentials: got\n%s", got)
	}
	r.Header = http.Header{"Cookie": {"session=secret"}}
	if got := b.Fetch(page, withCredentials(r)).String(); !strings.Contains(got, "note: header Cookie is left out: scripts cannot set it\n") {
		t.Errorf("a script's cookie: got\n%s", got)
	}
}
