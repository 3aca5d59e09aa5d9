package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// TestScanTimeLimit uses a server that is too slow for the time limit of a scan.
func TestScanTimeLimit(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/closed" && r.Header.Get("Origin") == "null" {
			<-r.Context().Done() // twice
		}
	}))
	t.Cleanup(server.Close)
	status, stdout, stderr := corsfetch(t, "-page", "https://app.example.com", "-scan", "-m", "0.5", server.URL+"/closed")
	if status != 2 || strings.Count(stdout, "  no response: ") != 2 || strings.Count(stdout, "no response within 500ms") != 3 || !strings.Contains(stdout, "(without Origin)                      with credentials     status 200\n") {
		t.Errorf("exit status %d\n%s%s", status, stdout, stderr)
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(api(t))
	t.Cleanup(closed.Close)
	open := httptest.NewServer(testkit.MustNew(t, cors.Policy{
		AllowOriginFunc:  func(*http.Request, string) bool { return true },
		AllowCredentials: true,
	}).Handler(http.NotFoundHandler()))
	t.Cleanup(open.Close)
	public := httptest.NewServer(testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{"*"}}).Handler(http.NotFoundHandler()))
	t.Cleanup(public.Close)
	const gone = "http://127.0.0.1:3" // no server of another test gets this port

	limited := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "https://app.example.com" {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(limited.Close)

	const page = "https://app.example.com"
	for _, test := range []struct {
		name    string
		args    []string
		status  int
		want    string // part of the text
		verdict string // verdict in the JSON
		last    string // the end of the last outcome, in JSON
	}{
		{"passes a policy that lists the page", []string{"-page", page, "-X", "PUT", "-d", "{}", closed.URL + "/items/1"}, 0, "no findings", "passed", "status 405"},
		{"passes a public API", []string{"-page", page, public.URL}, 0, "Info: Pages on any origin", "passed", "status 404"},
		{"fails a policy that allows every origin", []string{"-page", page, open.URL}, 1, "High: Pages on any origin", "failed", "status 404"},
		{"does not judge a server that is down", []string{"-page", page, gone}, 2, "not every request got a response", "unknown", "connection refused"},
		{"does not judge a server that limits requests", []string{"-page", page, limited.URL}, 2, "failed: status 429", "unknown", "failed: status 429"},
		{"does not judge a request that no browser sends", []string{"-page", page, "-X", "TRACE", closed.URL}, 2, "method TRACE is forbidden", "unknown", "forbidden to scripts"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := corsfetch(t, append(test.args, "-scan")...)
			if status != test.status || !strings.Contains(stdout, test.want) {
				t.Errorf("exit status %d, want %d and %q:\n%s%s", status, test.status, test.want, stdout, stderr)
			}
			status, stdout, stderr = corsfetch(t, append(test.args, "-scan", "-json")...)
			var got struct {
				Verdict string
				Notes   []string
				Tried   []struct {
					Origin    string
					Outcome   string
					Exchanges []struct{ Method string }
				}
			}
			if err := json.Unmarshal([]byte(stdout), &got); err != nil {
				t.Fatal(err)
			}
			if status != test.status || got.Verdict != test.verdict || got.Tried[0].Origin != page {
				t.Errorf("exit status %d, want %d and verdict %q:\n%s%s", status, test.status, test.verdict, stdout, stderr)
			}
			last := got.Tried[len(got.Tried)-1].Outcome
			if !strings.HasSuffix(last, test.last) || last == "" || (len(got.Notes) > 0) != (test.status == 2 || test.last == "status 404") {
				t.Errorf("the notes %q and the last outcome %q, want %q", got.Notes, last, test.last)
			}
			for _, tried := range got.Tried {
				for _, ex := range tried.Exchanges {
					if !slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, ex.Method) {
						t.Errorf("%s got a %s request", tried.Origin, ex.Method)
					}
				}
			}
		})
	}
}
