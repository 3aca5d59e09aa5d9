//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors/internal/browsers"
)

// driver runs the modules that the test serves, one after the other, in the app's
// page. It reports the result of each default export.
const driver = `
for (let n = 0; ; n++) {
  let report;
  try {
    report = { Value: await (await import("/test/" + n + ".js")).default() };
  } catch (error) {
    report = { Error: error + "\n" + error.stack };
  }
  await fetch("/test/report", { method: "POST", body: JSON.stringify(report) });
}
`

// helpers come before each script. They use the page as users do, by its labels,
// buttons and fields.
const helpers = `
const $ = (id) => document.getElementById(id);
const policy = $("policy"), request = $("request"), happened = $("happened");

// until waits until a condition is true. It checks the condition after each change of the page.
function until(condition) {
  return new Promise((resolve, reject) => {
    const check = () => {
      if (!condition()) return;
      clearTimeout(overdue);
      observer.disconnect();
      resolve();
    };
    const observer = new MutationObserver(check);
    const overdue = setTimeout(() => reject(new Error("the condition did not become true: " + condition)), 15000);
    observer.observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributes: true });
    check();
  });
}

const button = (form, text) => [...form.querySelectorAll("button")].find((button) => button.textContent === text);

async function choose(name) {
  await until(() => document.body.dataset.ready);
  button(document, name).click();
  await until(() => policy.dataset.state !== "busy");
}

async function apply() {
  button(policy, "Apply").click();
  await until(() => policy.dataset.state !== "busy");
}

function fill(fields) {
  for (const [name, value] of Object.entries(fields)) {
    const field = request.elements[name];
    if (typeof value === "boolean") field.checked = value;
    else field.value = value;
  }
}

async function press(text = "Send") {
  delete happened.dataset.observed;
  button(request, text).click();
  await until(() => !request.dataset.busy);
  if (!happened.dataset.observed) throw new Error("not sent: " + $("request-status").textContent);
  return {
    ...JSON.parse(happened.dataset.observed),
    Agrees: happened.dataset.agrees === "true",
    Verdict: $("verdict").textContent,
    Prediction: $("prediction").innerText,
    Steps: $("steps").innerText,
    Sent: $("request-status").textContent + ($("not-shown").hidden ? "" : " " + $("not-shown").textContent),
  };
}
`

// A session is a browser with the app's page open.
type session struct {
	t       *testing.T
	browser *browsers.Browser
	scripts chan string
	reports chan []byte
	gone    atomic.Bool // the playground does not respond
}

// open serves a playground and opens path of the app in a browser.
func open(t *testing.T, engine browsers.Engine, path string) (*session, *playground) {
	var servers [3]*httptest.Server
	for i := range servers {
		servers[i] = httptest.NewUnstartedServer(nil)
	}
	portOf := func(i int) string {
		_, port, _ := strings.Cut(servers[i].Listener.Addr().String(), ":")
		return port
	}
	p := newPlayground(origins{
		App:       "http://localhost:" + portOf(0),
		Subdomain: "http://pr-7.localhost:" + portOf(0),
		API:       "http://localhost:" + portOf(1),
		Stranger:  "http://127.0.0.1:" + portOf(2),
	}, log.New(io.Discard, "", 0))
	d := &session{t: t, scripts: make(chan string), reports: make(chan []byte)}
	servers[0].Config.Handler = d.drive(p)
	servers[1].Config.Handler = p.apiServer()
	servers[2].Config.Handler = p.strangerServer()
	for _, s := range servers {
		s.Start()
		t.Cleanup(s.Close)
	}
	d.browser = browsers.Start(t, engine, p.origins.App+path)
	return d, p
}

// drive adds the driver to the app's page, and to a copy of the stranger's page.
func (d *session) drive(p *playground) http.Handler {
	served := 0
	app := p.appServer()
	driven := func(page http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			page.ServeHTTP(rec, r)
			maps.Copy(w.Header(), rec.Header())
			w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data:; connect-src *; frame-src *")
			rec.Body.WriteTo(w)
			io.WriteString(w, `<script type="module" src="/test/driver.js"></script>`)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if d.gone.Load() {
			panic(http.ErrAbortHandler)
		}
		app.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET localhost/{$}", driven(app))
	mux.HandleFunc("GET localhost/test/stranger", driven(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A policy with a finding.
		if err := p.setPolicy(policyForm{AllowedOrigins: []string{p.origins.App, "null"}, AllowCredentials: true, AcceptRisks: []string{"RiskNullOrigin"}}); err != nil {
			panic(err)
		}
		p.strangerPage(w, r)
	})))
	// This page has another page in a frame, which is like a window of that width.
	mux.HandleFunc("GET localhost/test/width/{width}/{page...}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>A page in a frame</title><iframe src="/%s" width="%s" height="900" style="border: 0"></iframe>`, r.PathValue("page"), r.PathValue("width"))
	})
	mux.HandleFunc("GET localhost/test/axe.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, axe) })
	mux.HandleFunc("GET localhost/test/driver.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		io.WriteString(w, driver)
	})
	mux.HandleFunc("GET localhost/test/{script}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("script") != fmt.Sprint(served, ".js") {
			http.NotFound(w, r)
			return
		}
		select {
		case script := <-d.scripts:
			served++ // needs no lock, because the page requests one script at a time
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, helpers+"export default async () => {\n"+script+"\n}")
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST localhost/test/report", func(w http.ResponseWriter, r *http.Request) {
		report, err := io.ReadAll(r.Body)
		if err != nil {
			return // the browser ended
		}
		select {
		case d.reports <- report:
		case <-r.Context().Done():
		}
	})
	return mux
}

// do runs script in the page and stores its result in value.
func (d *session) do(script string, value any) {
	d.t.Helper()
	overdue := time.After(patience)
	select {
	case d.scripts <- script:
	case <-d.browser.Done():
		d.t.Fatalf("the browser ended:\n%s", d.browser.Log())
	case <-overdue:
		d.t.Fatalf("the page did not request a script:\n%s", d.browser.Log())
	}
	select {
	case report := <-d.reports:
		var r struct {
			Value json.RawMessage
			Error string
		}
		if err := json.Unmarshal(report, &r); err != nil || r.Error != "" {
			d.t.Fatalf("script failed: %v %s\n%s", err, r.Error, script)
		}
		if err := json.Unmarshal(r.Value, value); err != nil {
			d.t.Fatalf("script returned %s: %v\n%s", r.Value, err, script)
		}
	case <-d.browser.Done():
		d.t.Fatalf("the browser ended:\n%s", d.browser.Log())
	case <-overdue:
		d.t.Fatalf("the script did not end:\n%s\n%s", script, d.browser.Log())
	}
}

// A sight is the part of the page that shows a run.
type sight struct {
	outcome
	Agrees                           bool
	Verdict, Prediction, Steps, Sent string
}

func (d *session) choose(preset string) {
	d.t.Helper()
	d.do(fmt.Sprintf("await choose(%q); return null", preset), new(any))
}

func (d *session) send(fields string) (s sight) {
	d.t.Helper()
	d.do("fill("+fields+"); return press()", &s)
	return s
}

// check checks that s equals want and the prediction. It ignores the readable
// headers of want.
func (s sight) check(t *testing.T, want outcome) {
	t.Helper()
	if !s.Agrees || !strings.Contains(s.Verdict, "As predicted") {
		t.Errorf("the page shows: %s", s.Verdict)
	}
	want.Readable = s.Readable
	if !reflect.DeepEqual(s.outcome, want) {
		t.Errorf("seen %+v, want %+v\n%s\n%s", s.outcome, want, s.Prediction, s.Steps)
	}
}

func TestInBrowsers(t *testing.T) {
	for _, engine := range browsers.Engines {
		t.Run(string(engine), func(t *testing.T) {
			d, p := open(t, engine, "/")
			t.Run("presets", func(t *testing.T) { testPresetsInBrowser(t, d, p) })
			t.Run("preflights", func(t *testing.T) { testPreflightOrNot(t, d, engine) })
			t.Run("mistakes", func(t *testing.T) { testMistakesInBrowser(t, d, p) })
			t.Run("same URL", func(t *testing.T) { testSameURL(t, d) })
			t.Run("two tabs", func(t *testing.T) { testTwoTabs(t, d, p) })
			t.Run("lists", func(t *testing.T) { testLists(t, d, p) })
			t.Run("expired preflight", func(t *testing.T) { testExpiredPreflight(t, d) })
			t.Run("dropped header", func(t *testing.T) { testDroppedHeader(t, d) })
			t.Run("runs without a record", func(t *testing.T) { testNoRun(t, d) })
		})
	}
}

func testPresetsInBrowser(t *testing.T, d *session, p *playground) {
	d.t = t
	for _, test := range []struct {
		preset   string
		want     outcome
		readable string   // exposed headers that the script reads
		shows    []string // texts in the diagram
	}{
		{"PUT with a custom header", outcome{Preflight: true, Actual: true, HandlerRan: true, Status: 200}, "", []string{
			"Access-Control-Request-Headers: content-type,x-custom-header", "204 No Content", "Access-Control-Allow-Methods: PUT", "PUT /data", "X-Custom-Header: value", `"received": 17`}},
		{"Public, read-only", outcome{Actual: true, HandlerRan: true, Status: 200}, "etag x-total-count", []string{
			"Origin: " + p.origins.Stranger, "Access-Control-Allow-Origin: *"}},
		{"App with cookies", outcome{Preflight: true, Actual: true, HandlerRan: true, Status: 200}, "x-request-id", []string{
			"Cookie: user=alice", "Access-Control-Allow-Credentials: true", "Access-Control-Max-Age: 7200", `"hello": "alice"`}},
		{"All subdomains", outcome{Preflight: true, Actual: true, HandlerRan: true, Status: 200}, "", []string{
			"Access-Control-Allow-Origin: " + p.origins.Subdomain}},
		{"Previews", outcome{Actual: true, HandlerRan: true, Status: 200}, "", []string{
			"Access-Control-Allow-Origin: " + p.origins.Subdomain, "Vary: Origin"}},
		{"Anything goes", outcome{Preflight: true, Actual: true, HandlerRan: true, Status: 200}, "date etag x-request-id x-total-count", []string{
			"Access-Control-Allow-Headers: *, Authorization", "PATCH /data"}},
		{"A stranger, rejected", outcome{Actual: true}, "", []string{
			"403 Forbidden", "The handler does not run", "AllowedOrigins", "Hidden from the script", "TypeError"}},
		{"A policy with mistakes", outcome{Actual: true, HandlerRan: true, Status: 200}, "", []string{
			"Access-Control-Allow-Origin: " + p.origins.App}},
	} {
		d.choose(test.preset)
		s := d.send("{}")
		t.Run(test.preset, func(t *testing.T) {
			s.check(t, test.want)
			for _, name := range strings.Fields(test.readable) {
				if !slices.Contains(s.Readable, name) {
					t.Errorf("the script reads %q, without %s", s.Readable, name)
				}
			}
			for _, text := range test.shows {
				if !strings.Contains(s.Steps, text) {
					t.Errorf("the diagram does not show %q:\n%s", text, s.Steps)
				}
			}
		})
	}
}

// testPreflightOrNot sends requests with and without a preflight, under policies
// that allow them and policies that do not.
func testPreflightOrNot(t *testing.T, d *session, engine browsers.Engine) {
	d.t = t
	tests := []struct {
		name      string
		fields    string
		preflight bool
		needs     string // entries that a policy must list to allow the request
	}{
		{"GET", `{Method: "GET"}`, false, ""},
		{"HEAD", `{Method: "HEAD"}`, false, ""},
		{"POST without a body", `{Method: "POST"}`, false, ""},
		{"POST of text", `{Method: "POST", Body: "text"}`, false, ""},
		{"POST of text/plain", `{Method: "POST", Body: "text", ContentType: "text/plain"}`, false, ""},
		{"POST of text/plain with a charset", `{Method: "POST", Body: "text", ContentType: "text/plain;charset=UTF-8"}`, false, ""},
		{"POST of Text/Plain", `{Method: "POST", Body: "text", ContentType: "Text/Plain"}`, false, ""},
		{"POST of a form", `{Method: "POST", Body: "a=b", ContentType: "application/x-www-form-urlencoded"}`, false, ""},
		{"POST of a multipart form", `{Method: "POST", Body: "x", ContentType: "multipart/form-data; boundary=x"}`, false, ""},
		{"POST of JSON", `{Method: "POST", Body: "{}", ContentType: "application/json"}`, true, "Content-Type"},
		{"POST of XML", `{Method: "POST", Body: "<a/>", ContentType: "application/xml"}`, true, "Content-Type"},
		{"POST of text/html", `{Method: "POST", Body: "a", ContentType: "text/html"}`, true, "Content-Type"},
		{"POST of text with unsafe bytes in its type", `{Method: "POST", Body: "a", ContentType: "text/plain; a=\"b\""}`, true, "Content-Type"},
		{"get in lowercase", `{Method: "get"}`, false, ""},
		{"put in lowercase", `{Method: "put"}`, true, "PUT"},
		{"patch in lowercase, which is not PATCH", `{Method: "patch"}`, true, "patch"},
		{"PUT", `{Method: "PUT"}`, true, "PUT"},
		{"DELETE", `{Method: "DELETE"}`, true, "DELETE"},
		{"PATCH", `{Method: "PATCH"}`, true, "PATCH"},
		{"OPTIONS", `{Method: "OPTIONS"}`, true, "OPTIONS"},
		{"a custom method", `{Method: "PURGE"}`, true, "PURGE"},
		{"Accept", `{Method: "GET", Headers: "Accept: text/csv"}`, false, ""},
		{"Accept with unsafe bytes", `{Method: "GET", Headers: "Accept: text/csv (please)"}`, true, "Accept"},
		{"Accept of 128 bytes", `{Method: "GET", Headers: "Accept: " + "a".repeat(128)}`, false, ""},
		{"Accept of 129 bytes", `{Method: "GET", Headers: "Accept: " + "a".repeat(129)}`, true, "Accept"},
		{"Accept-Language", `{Method: "GET", Headers: "Accept-Language: de, en;q=0.5"}`, false, ""},
		{"Accept-Language with unsafe bytes", `{Method: "GET", Headers: "Accept-Language: de_DE"}`, true, "Accept-Language"},
		{"Content-Language", `{Method: "GET", Headers: "Content-Language: de"}`, false, ""},
		{"Content-Language with unsafe bytes", `{Method: "GET", Headers: "Content-Language: de_DE"}`, true, "Content-Language"},
		{"Range", `{Method: "GET", Headers: "Range: bytes=0-99"}`, false, ""},
		{"Range of the last bytes", `{Method: "GET", Headers: "Range: bytes=-99"}`, true, "Range"},
		{"a custom header", `{Method: "GET", Headers: "X-Custom-Header: value"}`, true, "X-Custom-Header"},
		{"several custom headers", `{Method: "GET", Headers: "X-B: 1\nX-A: 2\nIf-None-Match: 3"}`, true, "If-None-Match X-A X-B"},
		{"Authorization", `{Method: "GET", Headers: "Authorization: Bearer abc"}`, true, "Authorization"},
		{"headers that scripts cannot set", `{Method: "GET", Headers: "Cookie: a=b\nSec-A: 1\nHost: example.com\nOrigin: null"}`, false, ""},
		{"an upload listener", `{Method: "POST", Body: "text", UploadListener: true}`, true, ""},
	}
	const everything, nothing = "everything", "nothing"
	policies := []struct{ preset, variant, allows string }{
		{"Anything goes", `{}`, everything},
		{"Anything goes", `{From: "stranger"}`, everything},
		{"Anything goes", `{Credentials: true}`, nothing},
		{"App with cookies", `{Credentials: true}`, "PUT PATCH DELETE Content-Type"},
		{"PUT with a custom header", `{}`, "PUT X-Custom-Header Content-Type"},
		{"PUT with a custom header", `{From: "stranger"}`, nothing},
		{"Public, read-only", `{From: "stranger"}`, ""},
	}
	if engine != browsers.Chromium {
		policies = policies[:1] // internal/browsers tests all engines in detail
	}
	for _, policy := range policies {
		d.choose(policy.preset)
		var all []string
		for _, test := range tests {
			all = append(all, test.fields)
		}
		var sights []sight
		d.do(fmt.Sprintf(`
			const sights = [];
			for (const fields of [%s]) {
				fill({ From: "app", Headers: "", Body: "", ContentType: "", Credentials: false, UploadListener: false, ...fields, ...%s });
				sights.push(await press());
			}
			return sights`, strings.Join(all, ", "), policy.variant), &sights)
		for i, s := range sights {
			t.Run(policy.preset+policy.variant+tests[i].name, func(t *testing.T) {
				if !s.Agrees {
					t.Errorf("the page shows: %s", s.Verdict)
				}
				if s.Preflight != tests[i].preflight {
					t.Errorf("a preflight was seen: %v\n%s", s.Preflight, s.Steps)
				}
				want := policy.allows != nothing
				for _, name := range strings.Fields(tests[i].needs) {
					want = want && (policy.allows == everything || slices.Contains(strings.Fields(policy.allows), name))
				}
				if allowed := s.Status == http.StatusOK; allowed != want {
					t.Errorf("allowed: %v, want %v\n%s", allowed, want, s.Steps)
				}
			})
		}
		if len(sights) != len(tests) {
			t.Errorf("%d of %d requests were sent", len(sights), len(tests))
		}
	}

	// Fetch, "CORS-preflight fetch", step 7.4: without
	// Access-Control-Allow-Methods, an upload listener allows its request's
	// method. No engine does so, and the page shows the difference.
	d.choose("Public, read-only")
	s := d.send(`{Method: "PUT", Headers: "", Body: "text", ContentType: "", Credentials: false, UploadListener: true}`)
	if s.Agrees || !strings.Contains(s.Verdict, "Not as predicted") || !strings.Contains(s.Verdict, "status: predicted 200, seen none") {
		t.Errorf("PUT with an upload listener: the page shows: %s", s.Verdict)
	}

	t.Run("a method that scripts cannot use", func(t *testing.T) {
		d.send(`{Method: "TRACE", Headers: ""}`).check(t, outcome{})
	})
}

func testMistakesInBrowser(t *testing.T, d *session, p *playground) {
	d.t = t
	d.choose("PUT with a custom header")
	var got struct {
		Errors []string // field, item and reason of each message
		Status string
		Code   string
	}
	d.do(`
		await choose("A policy with mistakes");
		return {
			Errors: [...policy.querySelectorAll(".error")].map((error) => {
				const field = error.closest("[data-list], [data-field]");
				const input = error.parentElement.querySelector("input");
				if (!input.getAttribute("aria-describedby").split(" ").includes(error.id)) throw new Error("not described: " + error.textContent);
				if (input.getAttribute("aria-invalid") !== "true") throw new Error("not marked: " + input.value);
				return [field.dataset.list ?? field.dataset.field, input.value, error.textContent.split(";")[0]].join(" | ");
			}),
			Status: $("policy-status").textContent,
			Code: $("code").textContent,
		}`, &got)
	var want []string
	for _, preset := range p.presets() {
		if preset.ID != "mistakes" {
			continue
		}
		for _, e := range policyErrors(testPlayground().setPolicy(preset.Policy)) {
			reason, _, _ := strings.Cut(e.Reason, ";")
			want = append(want, strings.Join([]string{e.Field, e.Value, reason}, " | "))
		}
	}
	slices.Sort(want)
	slices.Sort(got.Errors)
	if !slices.Equal(got.Errors, want) || len(want) != 8 {
		t.Errorf("messages\n%s\nwant\n%s", strings.Join(got.Errors, "\n"), strings.Join(want, "\n"))
	}
	if want := "Refused: 8 mistakes. The earlier policy stays in force."; got.Status != want {
		t.Errorf("the page shows %q, want %q", got.Status, want)
	}
	if code := goCode(p.cors.Policy()); got.Code != code || !strings.Contains(code, "http.MethodPut") {
		t.Errorf("the page shows the policy\n%s\nbut the policy in force is\n%s", got.Code, code)
	}

	var shown int
	d.do(`await apply(); return policy.querySelectorAll(".error").length`, &shown)
	if shown != len(want) {
		t.Errorf("after Apply was pressed again, the page shows %d mistakes, want %d", shown, len(want))
	}

	const elsewhere = "Sent under the policy in force, which differs from the policy shown under 1. Under the policy in force, which differs from the policy shown:"
	if s := d.send(`{}`); s.Sent != elsewhere {
		t.Errorf("under a refused policy, the page shows %q, want %q", s.Sent, elsewhere)
	}

	var left int
	d.do(`await choose("Public, read-only"); return policy.querySelectorAll(".error, [aria-invalid]").length`, &left)
	if left > 0 {
		t.Errorf("under a valid policy, the page still shows %d mistakes", left)
	}

	var request string
	d.do(`
		policy.elements.MaxAge.dispatchEvent(new Event("input", { bubbles: true }));
		fill({ Method: "GET", Headers: "X-A: 1\nX-B" });
		button(request, "Send").click();
		await until(() => !request.dataset.busy);
		if ($("not-shown").checkVisibility()) throw new Error("there is no prediction, but the page names its policy");
		return $("request-status").textContent + " | " + $("headers").parentElement.querySelector(".error").textContent`, &request)
	if want := "Not sent: Correct the request first. | Line 2, “X-B”, has no colon"; !strings.HasPrefix(request, want) {
		t.Errorf("the page shows %q, want %q", request, want)
	}
}

// testLists edits a policy by hand.
func testLists(t *testing.T, d *session, p *playground) {
	d.t = t
	d.choose("PUT with a custom header")
	var got struct{ Status, Code string }
	d.do(`
		const list = policy.querySelector("[data-list=AllowedMethods]");
		button(list, "+ Add").click();
		document.activeElement.value = "PURGE";
		document.activeElement.dispatchEvent(new Event("input", { bubbles: true }));
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
		document.activeElement.value = "DELETE";
		list.querySelector("[aria-label='Remove AllowedMethods 1']").click();
		const edited = $("policy-status").textContent;
		policy.elements.MaxAge.value = "90s";
		await apply();
		return { Status: edited + " " + $("policy-status").textContent, Code: $("code").textContent }`, &got)
	if want := "Edited. Apply to put it in force. In force."; got.Status != want {
		t.Errorf("the page shows %q, want %q", got.Status, want)
	}
	policy := p.cors.Policy()
	if code := goCode(policy); got.Code != code {
		t.Errorf("the page shows the policy\n%s\nbut the policy in force is\n%s", got.Code, code)
	}
	if !slices.Equal(policy.AllowedMethods, []string{"PURGE", "DELETE"}) || policy.MaxAge != 90*time.Second {
		t.Errorf("the policy in force has the methods %q and the MaxAge %v", policy.AllowedMethods, policy.MaxAge)
	}
}

// testTwoTabs changes the policy like another tab of the page.
func testTwoTabs(t *testing.T, d *session, p *playground) {
	d.t = t
	d.choose("Public, read-only")
	look := func() (status string, code string) {
		var seen struct{ Status, Code string }
		d.do(`return { Status: $("policy-status").textContent, Code: $("code").textContent }`, &seen)
		return seen.Status, seen.Code
	}
	shown := formOf(p.cors.Policy())
	if err := p.setPolicy(policyForm{AllowedOrigins: []string{p.origins.App}}); err != nil {
		t.Fatal(err)
	}
	s := d.send(`{}`)
	s.check(t, outcome{Actual: true})
	if want := "Sent under the policy in force, which differs"; !strings.HasPrefix(s.Sent, want) {
		t.Errorf("the page shows %q, want %q", s.Sent, want)
	}
	status, code := look()
	if want := "No longer in force: another tab changed the policy."; status != want || code != goCode(p.cors.Policy()) {
		t.Errorf("the page shows %q, want %q, and the policy\n%s", status, want, code)
	}

	if err := p.setPolicy(shown); err != nil {
		t.Fatal(err)
	}
	s = d.send(`{}`)
	s.check(t, outcome{Actual: true, HandlerRan: true, Status: http.StatusOK})
	if status, code := look(); s.Sent != "Sent." || status != "In force." || code != goCode(p.cors.Policy()) {
		t.Errorf("the policy shown is in force again, but the page shows %q, %q and the policy\n%s", s.Sent, status, code)
	}
}

// testSameURL sends several requests to one URL, for which the browser has
// preflight responses in its cache.
func testSameURL(t *testing.T, d *session) {
	d.t = t
	again := func(fields string) (s sight) {
		d.do("fill("+fields+"); return press('Send to the same URL')", &s)
		return s
	}
	simple := outcome{Actual: true, HandlerRan: true, Status: http.StatusOK}
	asked := simple
	asked.Preflight = true

	d.choose("App with cookies")
	d.send(`{}`).check(t, asked)
	again(`{}`).check(t, simple)
	s := again(`{Method: "PUT"}`) // the preflight response listed all methods
	s.check(t, simple)
	if want := "No preflight: "; !strings.Contains(s.Steps, want) {
		t.Errorf("the diagram does not show %q:\n%s", want, s.Steps)
	}
	d.send(`{}`).check(t, asked)
	again(`{From: "stranger"}`).check(t, outcome{Preflight: true})

	d.do(`policy.elements.MaxAge.value = "-1s"; await apply(); return null`, new(any))
	d.send(`{From: "app"}`).check(t, asked)
	again(`{}`).check(t, asked)
}

// testExpiredPreflight waits until a preflight response has expired in the
// browser's cache.
func testExpiredPreflight(t *testing.T, d *session) {
	d.t = t
	d.choose("App with cookies")
	const expired = "the response to the earlier preflight has expired"
	var first, cached, later sight
	d.do(`policy.elements.MaxAge.value = "2s"; await apply(); fill({ Method: "DELETE" }); return press()`, &first)
	d.do(`
		await new Promise((resolve) => setTimeout(resolve, 2500));
		return press("Send to the same URL")`, &later)
	d.do(`return press("Send to the same URL")`, &cached)
	for _, s := range []sight{first, later} {
		if !s.Preflight || !s.Agrees {
			t.Errorf("a preflight was seen: %v; the page shows: %s", s.Preflight, s.Verdict)
		}
	}
	if strings.Contains(first.Steps+first.Prediction+cached.Steps+cached.Prediction, expired) {
		t.Errorf("the page shows %q before a preflight response expired", expired)
	}
	if want := "Sends a preflight again: " + expired; !strings.Contains(later.Steps, want) || !strings.Contains(later.Prediction, expired) {
		t.Errorf("the page does not show %q:\n%s\n%s", want, later.Prediction, later.Steps)
	}
}

func testDroppedHeader(t *testing.T, d *session) {
	d.t = t
	d.choose("Public, read-only")
	s := d.send(`{Headers: "Cookie: user=mallory\nX-Id: 1\nSec-Fetch-Site: none"}`)
	for _, want := range []string{"Dropped", "Cookie: scripts cannot set this header", "Sec-Fetch-Site: scripts cannot"} {
		if !strings.Contains(s.Prediction, want) {
			t.Errorf("the prediction does not show %q:\n%s", want, s.Prediction)
		}
	}
	if strings.Contains(s.Prediction, "X-Id: scripts cannot") || !s.Agrees {
		t.Errorf("the page shows: %s\n%s", s.Verdict, s.Prediction)
	}
}

// testNoRun makes the page fail to send a request, or to get its record. The page
// must not show the earlier run.
func testNoRun(t *testing.T, d *session) {
	d.t = t
	defer d.gone.Store(false)
	for _, test := range []struct {
		name, script string
		gone         bool
		verdict      string
	}{
		{"a request with a mistake", `fill({ Headers: "X-B" });`, false, "Not sentCorrect the request first."},
		{"the playground is gone", ``, true, "Not sentThe playground does not respond. Is it still running?"},
		{"the playground restarted and lost the run", `
			const call = window.fetch;
			window.fetch = (url, options) => call(String(url).replace("/control/runs/", "/control/runs/0"), options);
			after = () => (window.fetch = call);`, false, "Not knownThere is no such run, or it was too long ago."},
	} {
		d.gone.Store(false)
		d.choose("PUT with a custom header")
		d.send(`{}`)
		d.gone.Store(test.gone)
		var got struct {
			Verdict, State, Prediction string
			Steps                      int
		}
		d.do(`
			let after = () => {};
			`+test.script+`
			button(request, "Send").click();
			await until(() => !request.dataset.busy);
			after();
			return {
				Verdict: $("verdict").textContent,
				State: happened.dataset.state,
				Steps: $("steps").children.length,
				Prediction: $("prediction").textContent,
			}`, &got)
		if got.Verdict != test.verdict || got.State != "empty" || got.Steps != 0 {
			t.Errorf("%s: the page shows %+v, want the verdict %q and no steps", test.name, got, test.verdict)
		}
		if test.gone && !strings.Contains(got.Prediction, "does not respond") {
			t.Errorf("%s: the prediction is %q", test.name, got.Prediction)
		}
	}
}

// axe is axe-core, which checks pages against WCAG 2.2 and best practices. npm
// installs it in internal/clients.
const axe = "../../internal/clients/node_modules/axe-core/axe.min.js"

// inspect is a script with a function that returns the faults of the page. Faults
// are the findings of axe-core, content that is wider than the window or its panel,
// small targets, and words that break.
const inspect = `
const inspect = async (state) => {
	if (!window.axe) {
		await new Promise((resolve, reject) => {
			const script = document.createElement("script");
			Object.assign(script, { src: "/test/axe.js", onload: resolve, onerror: reject });
			document.head.append(script);
		});
	}
	const { violations } = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], iframes: false });
	const faults = violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ": " + node.html + " " + node.failureSummary));
	const say = (element, fault) => faults.push(element.outerHTML.slice(0, 120) + " " + fault);
	if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is " + document.documentElement.scrollWidth + " px wide");
	for (const element of document.querySelectorAll(".panel *")) {
		const { left, right, width } = element.getBoundingClientRect();
		const panel = element.closest(".panel").getBoundingClientRect();
		if (width > 1 && !element.closest("pre code") && (left < panel.left - 1 || right > panel.right + 1)) say(element, "is outside its panel");
	}
	for (const element of document.querySelectorAll("a, button, summary, .check, textarea, input:not([type=checkbox], [type=radio])")) {
		const { width, height } = element.getBoundingClientRect();
		if (height > 0 && !element.matches(".skip") && (height < 24 || width < 24)) say(element, "is a target of " + width + " by " + height + " px");
	}
	for (const element of document.querySelectorAll("button, th, td")) {
		const text = document.createRange();
		text.selectNodeContents(element);
		const style = getComputedStyle(element);
		const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
		if (text.getBoundingClientRect().width > room + 1) say(element, "is narrower than its text");
		if (style.overflowWrap !== "normal" || style.wordBreak !== "normal") say(element, "breaks words");
	}
	for (const element of document.querySelectorAll("pre, pre code")) {
		if (getComputedStyle(element).whiteSpace !== "pre") say(element, "breaks lines");
	}
	return faults.map((fault) => state + ": " + fault);
};
const open = () => document.querySelectorAll("details").forEach((details) => (details.open = true));
`

// screenshot writes an image of the frame, in its full height, to a file.
func (d *session) screenshot(file string, width, scale int) {
	d.t.Helper()
	var at struct{ X, Y, Height int }
	d.do(`
		frameElement.height = 900; // scrollHeight is at least the height of the frame
		frameElement.height = document.documentElement.scrollHeight;
		parent.scrollTo(0, 0);
		const { x, y, height } = frameElement.getBoundingClientRect();
		return { X: x, Y: y, Height: height };`, &at)
	image, err := d.browser.Screenshot(at.X, at.Y, width, at.Height, scale)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(file, image, 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// TestAccessibility inspects the page in all its states, in light and dark, on a
// phone, and at 200 %. If the environment variable CORS_SCREENSHOTS is set, it
// also writes an image of each state to that folder.
func TestAccessibility(t *testing.T) {
	if _, err := os.Stat(axe); err != nil {
		if os.Getenv("CORS_BROWSERS") == "" {
			t.Skip("axe-core is not installed; run npm ci in internal/clients")
		}
		t.Fatalf("axe-core is not installed, but CORS_BROWSERS is set; run npm ci in internal/clients: %v", err)
	}
	for _, look := range []struct {
		name   string
		width  int
		scheme string
		scale  int // scale of the images
	}{
		{"light", 1280, "light", 1},
		{"dark", 1280, "dark", 1},
		{"on a phone", 390, "light", 2},
		{"at 200 %", 1280 / 2, "light", 2},
	} {
		t.Run(look.name, func(t *testing.T) {
			d, p := open(t, browsers.Chromium, fmt.Sprintf("/test/width/%d/", look.width))
			states := 0
			check := func(state, script string) {
				t.Helper()
				var faults []string
				d.do(inspect+fmt.Sprintf(`
					document.documentElement.style.colorScheme = %q;
					%s
					open();
					return inspect(%q)`, look.scheme, script, state), &faults)
				for _, fault := range faults {
					t.Error(fault)
				}
				states++
				if dir := os.Getenv("CORS_SCREENSHOTS"); dir != "" {
					d.screenshot(filepath.Join(dir, fmt.Sprintf("%s %02d %s.png", look.name, states, state)), look.width, look.scale)
				}
			}
			check("start", `await until(() => document.body.dataset.ready);`)
			for _, preset := range p.presets() {
				check(preset.Name, fmt.Sprintf(`await choose(%q); await press();`, preset.Name))
			}
			check("a request with mistakes", `
				fill({ Method: "GET /", Headers: "X-B" });
				button(request, "Send").click();
				await until(() => !request.dataset.busy);`)
			check("a dropped header", `
				await choose("Public, read-only");
				fill({ Headers: "Cookie: user=mallory" });
				await press();`)
			check("an expired preflight", `
				await choose("App with cookies");
				policy.elements.MaxAge.value = "1s";
				await apply();
				fill({ Method: "DELETE" });
				await press();
				await new Promise((resolve) => setTimeout(resolve, 1500));
				await press("Send to the same URL");`)
			check("a number as MaxAge", `
				policy.elements.MaxAge.value = "7200";
				await apply();`)
			d.gone.Store(true)
			check("the playground is gone", `
				button(request, "Send").click();
				await until(() => !request.dataset.busy);
				await apply();`)

			d, _ = open(t, browsers.Chromium, fmt.Sprintf("/test/width/%d/test/stranger", look.width))
			check("the stranger's page", "")
		})
	}
}
