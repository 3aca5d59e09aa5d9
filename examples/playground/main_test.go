package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// patience is the time that a step may take. Only broken code needs all of it.
const patience = time.Minute

func testPlayground() *playground {
	return newPlayground(origins{
		App:       "http://localhost:1001",
		Subdomain: "http://pr-7.localhost:1001",
		API:       "http://localhost:1002",
		Stranger:  "http://127.0.0.1:1003",
	}, log.New(io.Discard, "", 0))
}

// post posts body to one of p's control endpoints, like the app's page.
func post(p *playground, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", p.origins.App+path, strings.NewReader(body))
	r.Header.Set("Origin", p.origins.App)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	p.appServer().ServeHTTP(w, r)
	return w
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPlayServesUntilStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stdout, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := play(ctx, nil, w)
		w.Close()
		done <- err
	}()

	addresses := make(map[string]string)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && lines.Text() != "Ctrl-C stops it." {
		if f := strings.Fields(lines.Text()); len(f) == 2 {
			addresses[f[0]] = f[1]
		}
	}
	go io.Copy(io.Discard, stdout)
	if len(addresses) != 3 {
		t.Fatalf("play printed the addresses %q", addresses)
	}

	client := &http.Client{Timeout: patience}
	for name, want := range map[string]string{"app": "What happened", "API": "unknown (no cookie)", "stranger": "What other sites can do"} {
		res, err := client.Get(addresses[name])
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: status %d, error %v, and no %q in its body %q", name, res.StatusCode, err, want, body)
		}
	}

	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Error("after the stop, play returned", err)
		}
	case <-time.After(patience):
		t.Fatal("play did not return after the stop")
	}
	for name, address := range addresses {
		if res, err := client.Get(address); err == nil {
			res.Body.Close()
			t.Errorf("the %s is still served", name)
		}
	}
}

func TestPlayRefusesInvalidFlags(t *testing.T) {
	busy4, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy4.Close()
	port4 := strconv.Itoa(busy4.Addr().(*net.TCPAddr).Port)

	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, test := range []struct {
		args []string
		want string // part of the error
	}{
		{[]string{"-app", port4}, "cannot listen on port " + port4},
		{[]string{"-api", port4}, "-api chooses another port"},
		{[]string{"-stranger", port4}, "is another program using it?"},
		{[]string{"-app", "4100", "-api", "4100"}, "-app and -api are both 4100"},
		{[]string{"-app", "4100", "-stranger", "4100"}, "-app and -stranger are both 4100"},
		{[]string{"-api", "4100", "-stranger", "4100"}, "-api and -stranger are both 4100"},
		{[]string{"-app", "65536"}, "-app 65536: a port must be"},
		{[]string{"-api", "-1"}, "-api -1: a port must be"},
		{[]string{"-app", "http"}, `invalid value "http"`},
		{[]string{"-nope"}, "-h lists the flags"},
		{[]string{"8080"}, `unexpected argument "8080"`},
	} {
		err := play(stopped, test.args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("play %q returned %v, not an error with %q", test.args, err, test.want)
		}
	}

	var help bytes.Buffer
	if err := play(stopped, []string{"-h"}, &help); err != nil || !strings.Contains(help.String(), "-stranger port") {
		t.Errorf("play -h returned %v and printed %q", err, help.String())
	}
}

func TestListenFailsIfThePortIsTakenOnIPv6(t *testing.T) {
	busy6, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Log("there is no IPv6 here:", err)
		listeners, err := listen("app", 0)
		if err != nil || len(listeners) != 1 {
			t.Errorf("listen returned %v, %v; want a listener on IPv4", listeners, err)
		}
		closeAll(listeners)
		return
	}
	defer busy6.Close()
	listeners, err := listen("app", busy6.Addr().(*net.TCPAddr).Port)
	if err == nil {
		closeAll(listeners)
		t.Error("listen returned a port that another program uses on IPv6")
	}
}

func TestOriginsOmitTheDefaultPort(t *testing.T) {
	for port, want := range map[string]string{
		"80":   "http://localhost",
		"8080": "http://localhost:8080",
		"4180": "http://localhost:4180",
		"1":    "http://localhost:1",
	} {
		if got := origin("localhost", port); got != want {
			t.Errorf("port %s: origin %s, want %s", port, got, want)
		}
	}

	p := newPlayground(origins{
		App:       origin("localhost", "80"),
		Subdomain: origin("pr-7.localhost", "80"),
		API:       origin("localhost", "1002"),
		Stranger:  origin("127.0.0.1", "80"),
	}, log.New(io.Discard, "", 0))
	for _, preset := range p.presets() {
		if err := p.setPolicy(preset.Policy); err != nil && preset.ID != "mistakes" {
			t.Errorf("with the default port, the policy of preset %s is refused: %v", preset.ID, err)
		}
	}
}

func TestLogHasOneLineForEachRejection(t *testing.T) {
	p := testPlayground()
	var lines bytes.Buffer
	p.log = log.New(&lines, "", 0)
	r := httptest.NewRequest("GET", p.origins.API+"/%1b[31m%0aforged%7f%c2%9b", nil)
	r.Header.Set("Origin", "https://evil.example\t\x1b[31m")
	p.apiServer().ServeHTTP(httptest.NewRecorder(), r)
	line, rest, _ := strings.Cut(lines.String(), "\n")
	control := func(c rune) bool { return !strconv.IsPrint(c) }
	if !strings.HasPrefix(line, "GET /%1b[31m%0aforged%7f%c2%9b: ") || strings.ContainsFunc(line, control) || rest != "" {
		t.Errorf("logged %q", lines.String())
	}
}

func TestServersRespondOnlyToTheirNames(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		server http.Handler
		url    string
		want   int
	}{
		{p.appServer(), "http://localhost:1001/", http.StatusOK},
		{p.appServer(), "http://localhost:1001/app.js", http.StatusOK},
		{p.appServer(), "http://localhost:1001/style.css", http.StatusOK},
		{p.appServer(), "http://localhost:1001/control/policy", http.StatusOK},
		{p.appServer(), "http://localhost:1001/index.html", http.StatusNotFound},
		{p.appServer(), "http://localhost:1001/nothing.js", http.StatusNotFound},
		{p.appServer(), "http://localhost:1001/..%2fmain.go", http.StatusNotFound},
		{p.appServer(), "http://pr-7.localhost:1001/sender", http.StatusOK},
		{p.appServer(), "http://pr-7.localhost:1001/sender.js", http.StatusOK},
		{p.appServer(), "http://pr-7.localhost:1001/control/policy", http.StatusNotFound},
		{p.appServer(), "http://rebound.example:1001/", http.StatusNotFound},
		{p.appServer(), "http://rebound.example:1001/control/policy", http.StatusNotFound},
		{p.appServer(), "http://127.0.0.1:1001/control/policy", http.StatusNotFound},
		{p.apiServer(), "http://localhost:1002/data", http.StatusOK},
		{p.apiServer(), "http://rebound.example:1002/data", http.StatusNotFound},
		{p.strangerServer(), "http://127.0.0.1:1003/", http.StatusOK},
		{p.strangerServer(), "http://127.0.0.1:1003/sender", http.StatusOK},
		{p.strangerServer(), "http://127.0.0.1:1003/style.css", http.StatusOK},
		{p.strangerServer(), "http://rebound.example:1003/", http.StatusNotFound},
		{p.strangerServer(), "http://127.0.0.1:1003/control/policy", http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		test.server.ServeHTTP(w, httptest.NewRequest("GET", test.url, nil))
		if w.Code != test.want {
			t.Errorf("GET %s: status %d, want %d", test.url, w.Code, test.want)
		}
	}
}

func TestControlRejectsOtherOrigins(t *testing.T) {
	p := testPlayground()
	before := p.cors.Policy()
	for path, body := range map[string]string{
		"/control/policy":      `{"AllowedOrigins": ["*"]}`,
		"/control/predictions": `{"From": "app", "Method": "GET"}`,
		"/control/runs":        `{"From": "app", "Method": "GET"}`,
	} {
		for _, header := range []map[string]string{
			{"Origin": p.origins.Stranger, "Sec-Fetch-Site": "cross-site"},
			{"Origin": p.origins.API, "Sec-Fetch-Site": "same-site"},
			{"Origin": p.origins.Subdomain},
			{"Origin": "null"},
			{"Sec-Fetch-Site": "cross-site"},
		} {
			r := httptest.NewRequest("POST", p.origins.App+path, strings.NewReader(body))
			for name, value := range header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			p.appServer().ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("POST %s with %v: status %d", path, header, w.Code)
			}
		}
	}
	if !reflect.DeepEqual(formOf(before), formOf(p.cors.Policy())) {
		t.Error("the policy changed")
	}
	if n := len(p.runs.recent); n > 0 {
		t.Errorf("%d runs began", n)
	}
}

func TestPresets(t *testing.T) {
	p := testPlayground()
	allowed := outcome{Actual: true, HandlerRan: true, Status: http.StatusOK}
	asked := allowed
	asked.Preflight = true
	outcomes := map[string]outcome{
		"put":         asked,
		"public":      allowed,
		"credentials": asked,
		"subdomains":  asked,
		"previews":    allowed,
		"any":         asked,
		"rejected":    {Actual: true},
		"mistakes":    allowed, // under the policy of the previous preset
	}
	for _, preset := range p.presets() {
		w := post(p, "/control/policy", toJSON(t, preset.Policy))
		want := http.StatusOK
		if preset.ID == "mistakes" {
			want = http.StatusUnprocessableEntity
		}
		if w.Code != want {
			t.Errorf("policy of preset %s: status %d, body %s", preset.ID, w.Code, w.Body)
		}
		w = post(p, "/control/runs", toJSON(t, preset.Request))
		var run struct{ Prediction prediction }
		if err := json.Unmarshal(w.Body.Bytes(), &run); err != nil || w.Code != http.StatusOK {
			t.Errorf("request of preset %s: status %d, error %v, body %s", preset.ID, w.Code, err, w.Body)
		}
		got := run.Prediction.Outcome
		got.Readable = nil
		if !reflect.DeepEqual(got, outcomes[preset.ID]) {
			t.Errorf("preset %s: %+v, want %+v", preset.ID, got, outcomes[preset.ID])
		}
	}
}

// TestPredictionsEqualCorstest checks that the page shows sentences from the
// transcript of corstest.
func TestPredictionsEqualCorstest(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		form    requestForm
		request corstest.Request
		want    string // part of the page
	}{
		{requestForm{From: "app", Method: "GET"}, corstest.Request{}, "method GET and all headers are CORS-safelisted"},
		{requestForm{From: "stranger", Method: "PUT"}, corstest.Request{Method: "PUT"}, "add " + p.origins.Stranger + " to AllowedOrigins"},
		{requestForm{From: "app", Method: "patch"}, corstest.Request{Method: "patch"}, "method patch is not in Access-Control-Allow-Methods"},
		{requestForm{From: "app", Method: "GET", Credentials: true}, corstest.Request{Credentials: corstest.Include}, "set AllowCredentials"},
	} {
		test.request.URL = p.origins.API + "/data"
		origin := map[string]string{"app": p.origins.App, "stranger": p.origins.Stranger}[test.form.From]
		b := corstest.Browser{Handler: p.api}
		result := b.Fetch(origin, test.request)
		var got prediction
		w := post(p, "/control/predictions", toJSON(t, test.form))
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		shown := append(got.PreflightReasons, got.NoPreflight, got.Blocked, got.Advice)
		if got.Blocked != result.Blocked || got.Advice != result.Advice || !strings.Contains(strings.Join(shown, "\n"), test.want) {
			t.Errorf("%+v: the page shows %q\n%s", test.form, shown, result)
		}
		for _, words := range shown {
			if !strings.Contains(result.String(), words) {
				t.Errorf("%+v: the page shows %q, which is not in\n%s", test.form, words, result)
			}
		}
	}
}

func TestPredictionsNameDroppedHeaders(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		form requestForm
		want []string // beginnings of the sentences
	}{
		{requestForm{From: "app", Method: "GET", Headers: "X-Id: 1\nAccept: text/csv"}, nil},
		{requestForm{From: "app", Method: "PUT", ContentType: "application/json", Headers: "X-Id: 1\nX-Id: 2"}, nil},
		{requestForm{From: "app", Method: "GET", Headers: "cookie: user=mallory"}, []string{"Cookie: scripts cannot set this header"}},
		{requestForm{From: "app", Method: "GET", Headers: "Cookie: user=mallory", Credentials: true}, []string{"Cookie: "}},
		{requestForm{From: "stranger", Method: "DELETE", Headers: "Origin: null\nX-Id: 1\nHost: a\nSec-A: b"}, []string{"Host: ", "Origin: ", "Sec-A: "}},
		{requestForm{From: "app", Method: "TRACE", Headers: "Cookie: a=b"}, nil},
	} {
		var got prediction
		w := post(p, "/control/predictions", toJSON(t, test.form))
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !slices.EqualFunc(got.Dropped, test.want, strings.HasPrefix) {
			t.Errorf("%+v: dropped %q, want %q", test.form, got.Dropped, test.want)
		}
	}
}

func TestPredictionsNameExpiredPreflights(t *testing.T) {
	p := testPlayground()
	now := time.Now()
	p.runs.now = func() time.Time { return now }
	policy := policyForm{AllowedOrigins: []string{p.origins.App}, AllowedMethods: []string{"PUT", "PATCH"}, MaxAge: "1h"}
	if err := p.setPolicy(policy); err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, step := range []struct {
		name               string
		method, headers    string
		later              time.Duration
		preflight, expired bool
	}{
		{"the first request", "PUT", "", 0, true, false},
		{"again, before MaxAge", "PUT", "", time.Minute, false, false},
		{"after MaxAge", "PUT", "", time.Hour, true, true},
		{"again, before the next MaxAge", "PUT", "", time.Minute, false, false},
		{"another listed method", "PATCH", "", 0, false, false},
		{"after MaxAge, a second time", "PATCH", "", time.Hour, true, true},
		{"a method that is not allowed, which clears the cache", "DELETE", "", 0, true, false},
		{"another request", "PUT", "", 0, true, false},
		{"after MaxAge, a third time", "PUT", "", time.Hour, true, true},
	} {
		now = now.Add(step.later)
		form := requestForm{From: "app", Method: step.method, Headers: step.headers, Again: id}
		var run struct {
			ID         string
			Prediction prediction
		}
		w := post(p, "/control/runs", toJSON(t, form))
		if err := json.Unmarshal(w.Body.Bytes(), &run); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		id = run.ID
		got := run.Prediction
		if got.Outcome.Preflight != step.preflight || got.Expired != step.expired {
			t.Errorf("%s: preflight %v, expired %v; want %v, %v", step.name, got.Outcome.Preflight, got.Expired, step.preflight, step.expired)
		}
	}
}

func TestPolicyMistakesNameTheirFields(t *testing.T) {
	p := testPlayground()
	w := post(p, "/control/policy", `{
		"AllowedOrigins": ["https://example.com", "example.com", "http://example.com"],
		"AllowedMethods": ["PUT", "patch"],
		"AllowedHeaders": ["X-A", "X-B", "Cookie"],
		"ExposedHeaders": ["Set-Cookie"],
		"AllowCredentials": true,
		"MaxAge": "an hour",
		"AcceptRisks": ["RiskNullOrigin", "RiskEverything"]
	}`)
	var got struct{ Errors []fieldError }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusUnprocessableEntity {
		t.Fatalf("status %d, error %v, body %s", w.Code, err, w.Body)
	}
	places := make(map[string]int)
	for _, e := range got.Errors {
		places[e.Field+" "+e.Value] = e.Index
		if e.Reason == "" {
			t.Errorf("%+v has no reason", e)
		}
	}
	want := map[string]int{
		"AllowedOrigins example.com":        1,
		"AllowedOrigins http://example.com": 2,
		"AllowedMethods patch":              1,
		"AllowedHeaders Cookie":             2,
		"ExposedHeaders Set-Cookie":         0,
		"MaxAge an hour":                    -1,
		"AcceptRisks RiskEverything":        1,
	}
	if !reflect.DeepEqual(places, want) {
		t.Errorf("mistakes at %v, want %v", places, want)
	}
	if got := p.cors.Policy().AllowedOrigins; !slices.Equal(got, []string{p.origins.App}) {
		t.Errorf("the policy in force allows %q, though the new one was refused", got)
	}
}

func TestRequestMistakesNameTheirFields(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		request requestForm
		field   string
		index   int
	}{
		{requestForm{From: "elsewhere", Method: "GET"}, "From", -1},
		{requestForm{From: "app"}, "Method", -1},
		{requestForm{From: "app", Method: "GET /"}, "Method", -1},
		{requestForm{From: "app", Method: "GET", ContentType: "text/plain\r\nX: y"}, "ContentType", -1},
		{requestForm{From: "app", Method: "GET", ContentType: "text/plain; name=ü"}, "ContentType", -1},
		{requestForm{From: "app", Method: "GET", Headers: "X-A: 1\n\nX-B 2"}, "Headers", 2},
		{requestForm{From: "app", Method: "GET", Headers: ": 1"}, "Headers", 0},
		{requestForm{From: "app", Method: "GET", Headers: "X A: 1"}, "Headers", 0},
		{requestForm{From: "app", Method: "GET", Headers: "X-A: \x00"}, "Headers", 0},
		{requestForm{From: "app", Method: "GET", Headers: "X-A: " + strings.Repeat("a", 9000)}, "Headers", -1},
	} {
		w := post(p, "/control/runs", toJSON(t, test.request))
		var got struct{ Errors []fieldError }
		err := json.Unmarshal(w.Body.Bytes(), &got)
		if err != nil || w.Code != http.StatusUnprocessableEntity || len(got.Errors) != 1 || got.Errors[0].Field != test.field || got.Errors[0].Index != test.index {
			t.Errorf("%+v: status %d, error %v, body %.200s", test.request, w.Code, err, w.Body)
		}
	}
}

func TestMessagesFitThePage(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct{ body, want string }{
		{`{"MaxAge": "7200"}`, `has no unit; did you mean \"7200s\"?`},
		{`{"MaxAge": "-1"}`, `has no unit; did you mean \"-1s\"?`},
		{`{"MaxAge": "1.5"}`, `has no unit; did you mean \"1.5s\"?`},
		{`{"MaxAge": "2 days"}`, `is not a duration; write for example \"2h\"`},
		{``, "the body is empty"},
		{" \n", "the body is empty"},
	} {
		if w := post(p, "/control/policy", test.body); !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("POST %q: no %q in the response %s", test.body, test.want, w.Body)
		}
	}
}

// oddInput has bodies that the page never posts.
var oddInput = []string{
	"", " ", "null", "true", "1", `"form"`, "[]", "[{}]", "{", "}", "{}{}", `{"From": "app"`, `{"Unknown": 1}`, "\x00\xff", "\ufeff{}",
	`{"AllowedOrigins": "*"}`, `{"AllowedOrigins": [1]}`, `{"AllowedOrigins": {"0": "*"}}`, `{"AllowedOrigins": [null, ""]}`,
	`{"MaxAge": 5}`, `{"MaxAge": "9999999999999999999h"}`, `{"AllowCredentials": "yes"}`, `{"AcceptRisks": ["", "\u0000"]}`,
	`{"Method": ["GET"]}`, `{"From": "app", "Method": "\ud800"}`, `{"From": "app", "Method": "GET", "Headers": {"X": "y"}}`,
	`{"From": "app", "Method": "GET", "Headers": ":\n:\n:"}`, `{"From": "APP", "Method": "GET"}`,
	`{"From": "app", "Method": "` + strings.Repeat("M", 10000) + `"}`,
	`{"AllowedOrigins": [` + strings.Repeat(`"",`, 20000) + `""]}`,
	strings.Repeat("[", 60000), strings.Repeat(" ", maxBody+1), `{"Body": "` + strings.Repeat("a", maxBody) + `"}`,
}

func TestOddInputIsExplained(t *testing.T) {
	p := testPlayground()
	for _, path := range []string{"/control/policy", "/control/predictions", "/control/runs"} {
		for _, body := range oddInput {
			checkResponse(t, path, body, post(p, path, body))
		}
	}
}

func TestFormsAreObjectsWithKnownFields(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		body string
		want int
	}{
		{`{}`, http.StatusOK},
		{" {\n} ", http.StatusOK},
		{`{}` + strings.Repeat(" ", maxBody-2), http.StatusOK},
		{`{}` + strings.Repeat(" ", maxBody-1), http.StatusRequestEntityTooLarge},
		{`{} {}`, http.StatusBadRequest},
		{`{}]`, http.StatusBadRequest},
		{`null`, http.StatusBadRequest},
		{`[]`, http.StatusBadRequest},
		{``, http.StatusBadRequest},
		{`{"DenyHandler": null}`, http.StatusBadRequest},
		{`{"AllowedOrigins": "*"}`, http.StatusBadRequest},
	} {
		if w := post(p, "/control/policy", test.body); w.Code != test.want {
			t.Errorf("%.40s: status %d, want %d", test.body, w.Code, test.want)
		}
	}
}

// FuzzControl is like TestOddInputIsExplained, for any body.
func FuzzControl(f *testing.F) {
	for _, body := range oddInput {
		f.Add(body)
	}
	for _, preset := range testPlayground().presets() {
		policy, _ := json.Marshal(preset.Policy)
		request, _ := json.Marshal(preset.Request)
		f.Add(string(policy))
		f.Add(string(request))
	}
	p := testPlayground()
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/control/policy", "/control/predictions", "/control/runs"} {
			checkResponse(t, path, body, post(p, path, body))
		}
	})
}

// checkResponse checks that w has a result, or an explanation of a mistake in body.
func checkResponse(t *testing.T, path, body string, w *httptest.ResponseRecorder) {
	t.Helper()
	var result struct {
		Error  string
		Errors []fieldError
	}
	err := json.Unmarshal(w.Body.Bytes(), &result)
	explained := result.Error != "" || len(result.Errors) > 0
	switch {
	case err != nil:
		t.Errorf("POST %s %.80q: the response %.200q is not JSON: %v", path, body, w.Body, err)
	case w.Code == http.StatusOK && !explained:
	case w.Code >= 400 && w.Code < 500 && explained:
	default:
		t.Errorf("POST %s %.80q: status %d, response %.200s", path, body, w.Code, w.Body)
	}
}

func TestControlRefusesOtherPaths(t *testing.T) {
	p := testPlayground()
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/control/", http.StatusNotFound},
		{"GET", "/control/runs/0", http.StatusNotFound},
		{"GET", "/control/runs/" + strings.Repeat("9", 5000), http.StatusNotFound},
		{"GET", "/control/runs", http.StatusMethodNotAllowed},
		{"DELETE", "/control/policy", http.StatusMethodNotAllowed},
		{"OPTIONS", "/control/policy", http.StatusMethodNotAllowed},
	} {
		w := httptest.NewRecorder()
		p.appServer().ServeHTTP(w, httptest.NewRequest(test.method, p.origins.App+test.path, nil))
		if w.Code != test.want {
			t.Errorf("%s %.40s: status %d, want %d", test.method, test.path, w.Code, test.want)
		}
	}
}

func TestRunsRecordTheExchangesOfTheAPI(t *testing.T) {
	p := testPlayground()
	send := func(method, id string, header ...string) {
		r := httptest.NewRequest(method, p.origins.API+"/data?run="+id, strings.NewReader("body"))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		p.apiServer().ServeHTTP(httptest.NewRecorder(), r)
	}
	type summary struct {
		Preflight, HandlerRan, Rejected bool
		Status                          int
	}
	summaries := func(id string) (list []summary) {
		exchanges, _ := p.runs.get(id)
		for _, ex := range exchanges {
			list = append(list, summary{ex.Preflight, ex.HandlerRan, ex.Rejected != "", ex.Status})
		}
		return list
	}

	first, second := p.runs.begin("").id, p.runs.begin("").id
	send("OPTIONS", first, "Origin", p.origins.App, "Access-Control-Request-Method", "PUT")
	send("PUT", second, "Origin", p.origins.Stranger)
	send("PUT", first, "Origin", p.origins.App)
	send("GET", "none", "Origin", p.origins.App)

	if got, want := summaries(first), []summary{{true, false, false, 204}, {false, true, false, 200}}; !slices.Equal(got, want) {
		t.Errorf("first run: %+v, want %+v", got, want)
	}
	if got, want := summaries(second), []summary{{false, false, true, 403}}; !slices.Equal(got, want) {
		t.Errorf("second run: %+v, want %+v", got, want)
	}

	if again := p.runs.begin(first); again.id != first || len(again.exchanges) > 0 {
		t.Errorf("after begin(%s), the run is %s with %d exchanges", first, again.id, len(again.exchanges))
	}
	for range 10 * maxExchanges {
		send("GET", first)
	}
	if n := len(summaries(first)); n != maxExchanges {
		t.Errorf("%d exchanges are kept of one run", n)
	}
	for range 10 * maxRuns {
		p.runs.begin("")
	}
	if n := len(p.runs.recent); n != maxRuns {
		t.Errorf("%d runs are kept", n)
	}
	if _, ok := p.runs.get(first); ok {
		t.Error("the first run is still kept")
	}
}

func TestAPIRefusesLargeBodies(t *testing.T) {
	p := testPlayground()
	r := httptest.NewRequest("POST", p.origins.API+"/data", strings.NewReader(strings.Repeat("a", maxBody+1)))
	w := httptest.NewRecorder()
	p.apiServer().ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", w.Code)
	}
}

func TestGoCode(t *testing.T) {
	for _, test := range []struct {
		policy policyForm
		want   string // code of the cors.Policy
	}{
		{policyForm{}, "cors.Policy{}"},
		{policyForm{AllowedOrigins: []string{"https://example.com"}, AllowedMethods: []string{"PUT", "PURGE"}, MaxAge: "2h"}, `cors.Policy{
	AllowedOrigins: []string{"https://example.com"},
	AllowedMethods: []string{http.MethodPut, "PURGE"},
	MaxAge:         2 * time.Hour,
}`},
		{policyForm{AllowedOrigins: []string{"https://a.example.com", "https://b.example.com", "http://c.example.com"},
			ExposedHeaders: []string{"ETag"}, AllowCredentials: true, MaxAge: "90s", AcceptRisks: []string{"RiskNullOrigin", "RiskInsecureOrigin"}}, `cors.Policy{
	AllowedOrigins: []string{
		"https://a.example.com",
		"https://b.example.com",
		"http://c.example.com",
	},
	ExposedHeaders:   []string{"ETag"},
	AllowCredentials: true,
	MaxAge:           90 * time.Second,
	AcceptRisks:      cors.RiskInsecureOrigin | cors.RiskNullOrigin,
}`},
		{policyForm{AllowedHeaders: []string{"*"}, MaxAge: "-1h"}, "cors.Policy{\n\tAllowedHeaders: []string{\"*\"},\n\tMaxAge:         -1,\n}"},
		{policyForm{MaxAge: "30m", PassRejected: true}, "cors.Policy{\n\tMaxAge:       30 * time.Minute,\n\tPassRejected: true,\n}"},
	} {
		p := testPlayground()
		if err := p.setPolicy(test.policy); err != nil {
			t.Fatal(err)
		}
		code := goCode(p.cors.Policy())
		if !strings.HasPrefix(code, "c, err := cors.New("+test.want+")\n") {
			t.Errorf("goCode returned\n%s\nwant it to begin with a policy\n%s", code, test.want)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", "package p; func f() {\n"+code+"}", 0); err != nil {
			t.Errorf("goCode returned\n%s\nwhich is not Go: %v", code, err)
		}
	}
}

func TestCurl(t *testing.T) {
	for _, test := range []struct {
		method, body string
		header       http.Header
		want         []string
	}{
		{"GET", "", http.Header{"User-Agent": {"x"}, "Sec-Fetch-Site": {"cross-site"}}, []string{"curl -i", "http://localhost:1002/data"}},
		{"HEAD", "", nil, []string{"curl --head", "http://localhost:1002/data"}},
		{"OPTIONS", "", http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"PUT"}}, []string{
			"curl -i", "-X OPTIONS", "http://localhost:1002/data", "-H 'Access-Control-Request-Method: PUT'", "-H 'Origin: https://a.example'"}},
		{"PUT", `it's {"a": 1}`, http.Header{"X-Empty": {""}}, []string{
			"curl -i", "-X PUT", "http://localhost:1002/data", "-H 'X-Empty;'", `--data-raw 'it'\''s {"a": 1}'`}},
		{"$(DO)", "", nil, []string{"curl -i", "-X '$(DO)'", "http://localhost:1002/data"}},
	} {
		r := httptest.NewRequest("GET", "http://localhost:1002/data?run=1", nil)
		r.Method, r.Header = test.method, test.header
		if got, want := curl(r, []byte(test.body)), strings.Join(test.want, " \\\n  "); got != want {
			t.Errorf("curl returned\n%s\nwant\n%s", got, want)
		}
	}

	r := httptest.NewRequest("GET", "http://localhost:1002/%1b%0adata?run=1", nil)
	if got, want := curl(r, nil), "curl -i \\\n  'http://localhost:1002/%1b%0adata'"; got != want {
		t.Errorf("curl returned\n%s\nwant\n%s", got, want)
	}
}

// TestContrast checks the contrasts that WCAG 2.2 requires. They are 3:1 for the
// borders of controls (1.4.11), and 4.5:1 for text and placeholders (1.4.3).
func TestContrast(t *testing.T) {
	css, err := files.ReadFile("page/style.css")
	if err != nil {
		t.Fatal(err)
	}
	colors := make(map[string][]string) // each color in light and dark
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`).FindAllStringSubmatch(string(css), -1) {
		colors[m[1]] = m[2:]
	}
	luminance := func(color string) float64 {
		var sum float64
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(color[1+2*i:3+2*i], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(n) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	for _, test := range []struct {
		color, on string
		least     float64
	}{
		{"field", "panel", 3},
		{"field", "page", 3},
		{"accent", "panel", 4.5},
		{"accent", "tint", 4.5},
		{"on-accent", "accent", 4.5},
		{"text", "panel", 4.5},
		{"quiet", "panel", 4.5},
		{"quiet", "well", 4.5},
		{"good", "panel", 4.5},
		{"good", "good-tint", 4.5},
		{"bad", "panel", 4.5},
		{"bad", "bad-tint", 4.5},
	} {
		if len(colors[test.color]) != 2 || len(colors[test.on]) != 2 {
			t.Errorf("the color %s or %s is missing", test.color, test.on)
			continue
		}
		for i, scheme := range []string{"light", "dark"} {
			a, b := luminance(colors[test.color][i])+0.05, luminance(colors[test.on][i])+0.05
			if got := max(a, b) / min(a, b); got < test.least {
				t.Errorf("%s on %s, %s: contrast %.2f, want %v", test.color, test.on, scheme, got, test.least)
			}
		}
	}
	if !strings.Contains(string(css), "::placeholder { color: var(--quiet); opacity: 1; }") {
		t.Error("placeholders are more transparent than other quiet text")
	}
}

func TestPolicyFormHasEveryDataField(t *testing.T) {
	form := reflect.TypeFor[policyForm]()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[cors.Policy]()) {
		switch field.Type.Kind() {
		case reflect.Func, reflect.Interface:
			continue
		}
		if _, ok := form.FieldByName(field.Name); !ok {
			t.Errorf("the form lacks %s", field.Name)
		}
	}
}
