//go:build unix

package browsers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors/corstest"
)

// A modeCase is a request that a page makes without CORS.
type modeCase struct {
	name    string
	from    string           // origin of the page; the default is modeOrigins.page
	sandbox bool             // whether the page is in a frame with the origin null
	script  string           // the page's action, in JavaScript; {url} is the URL of the request
	request corstest.Request // the same action; its URL is filled in
	to      string           // origin of the server; the default is modeOrigins.cross
	reply   http.HandlerFunc // handler; the default sends an HTML page

	// got has a line for each request that the server should get; see modeLine.
	// The lines do not have Sec-Fetch-Dest, which is in dest.
	got []string
	// dest is the value of Sec-Fetch-Dest in browsers. If it is empty, the value
	// is "document" for mode Navigate, and "empty" for other modes.
	dest string
	// saw is the result that the page sees. It is empty if the request replaces
	// the page.
	saw string
	// differs has the results of engines that differ from corstest.
	differs map[Engine]difference
}

// A difference is the result of a case in an engine that differs from corstest.
type difference struct {
	version string   // version of the engine with this result
	got     []string // see modeCase
	dest    string   // see modeCase
	saw     string   // see modeCase
	why     string
}

// modeOrigins are the origins of the servers. All engines resolve their names to
// a loopback address.
type modeOrigins struct {
	page  string // origin of pages; cross-site with all others
	near  string // origin of pages that are same-site with own, and have its cookie
	own   string // origin of the server, and of pages on it
	cross string // origin of the server, under a name without a cookie
	other string // origin of the server, under another such name
}

func modeCases(o modeOrigins) []modeCase {
	request := func(mode corstest.Mode, method, body string, header ...string) corstest.Request {
		r := corstest.Request{Mode: mode, Method: method, Body: body, Header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return r
	}
	get := func(mode corstest.Mode, url string) corstest.Request { return corstest.Request{Mode: mode, URL: url} }
	at := func(url string, r corstest.Request) corstest.Request {
		r.URL = url
		return r
	}
	included := func(r corstest.Request) corstest.Request {
		r.Credentials = corstest.Include
		return r
	}
	const (
		navigate  = corstest.Navigate
		noCORS    = corstest.NoCORS
		webSocket = corstest.WebSocket
		boundary  = "multipart/form-data; boundary=b"
		multipart = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--b--\r\n"
	)
	// metadata is the difference of engines that send Sec-Fetch-* with WebSockets,
	// as the standard says.
	metadata := func(line string) map[Engine]difference {
		site := "cross-site"
		switch {
		case strings.Contains(line, "NEAR"):
			site = "same-site"
		case strings.Contains(line, "OWN"):
			site = "same-origin"
		}
		line, cookie := strings.CutSuffix(line, "; cookie")
		line += "; " + site + " websocket"
		if cookie {
			line += "; cookie"
		}
		const why = "sends Sec-Fetch-*, as the standard says"
		return map[Engine]difference{
			Firefox: {version: "153", got: []string{line}, why: why},
			WebKit:  {version: "2.50", got: []string{line}, dest: "websocket", why: why},
		}
	}

	nullOrigin := func(version string) difference {
		return difference{
			version: version, why: "sends Origin: null after every redirect to another origin",
			got: []string{"POST /from application/x-www-form-urlencoded a=b; Origin OWN; same-origin navigate; cookie", "POST /to application/x-www-form-urlencoded a=b; Origin null; cross-site navigate"},
		}
	}
	return []modeCase{
		// Forms.
		{
			name: "a form with method POST", script: `form("{url}")`,
			request: request(navigate, "POST", "a=b"),
			got:     []string{"POST application/x-www-form-urlencoded a=b; Origin PAGE; cross-site navigate"},
		},
		{
			name: "a form with method POST to its own site", from: o.near, to: o.own, script: `form("{url}")`,
			request: request(navigate, "POST", "a=b"),
			got:     []string{"POST application/x-www-form-urlencoded a=b; Origin NEAR; same-site navigate; cookie"},
		},
		{
			name: "a form with method POST to its own origin", from: o.own, to: o.own, script: `form("{url}")`,
			request: request(navigate, "POST", "a=b"),
			got:     []string{"POST application/x-www-form-urlencoded a=b; Origin OWN; same-origin navigate; cookie"},
		},
		{
			name: "a form with method GET", script: `form("{url}", {method: "GET"})`,
			request: get(navigate, "?a=b"),
			got:     []string{"GET ?a=b; cross-site navigate"},
		},
		{
			name: "a form with method GET to its own site", from: o.near, to: o.own, script: `form("{url}", {method: "GET"})`,
			request: get(navigate, "?a=b"),
			got:     []string{"GET ?a=b; same-site navigate; cookie"},
		},
		{
			name: "a form with enctype text/plain", script: `form("{url}", {enctype: "text/plain"})`,
			request: request(navigate, "POST", "a=b", "Content-Type", "text/plain"),
			got:     []string{"POST text/plain a=b; Origin PAGE; cross-site navigate"},
		},
		{
			name: "a form whose text is JSON", script: `form("{url}", {enctype: "text/plain", name: '{"x":"', value: '"}'})`,
			request: request(navigate, "POST", `{"x":"="}`, "Content-Type", "text/plain"),
			got:     []string{"POST text/plain {\"x\":\"=\"}; Origin PAGE; cross-site navigate"},
		},
		{
			name: "a form with enctype multipart/form-data", script: `form("{url}", {enctype: "multipart/form-data"})`,
			request: request(navigate, "POST", multipart, "Content-Type", boundary),
			got:     []string{"POST multipart/form-data a=b; Origin PAGE; cross-site navigate"},
		},
		{
			name: "a form that targets a frame", script: `form("{url}", {frame: true})`, saw: "navigated", dest: "iframe",
			request: request(navigate, "POST", "a=b"),
			got:     []string{"POST application/x-www-form-urlencoded a=b; Origin PAGE; cross-site navigate"},
		},
		{
			name: "a form in a sandboxed frame", sandbox: true, script: `form("{url}", {frame: true})`, saw: "navigated", dest: "iframe",
			request: request(navigate, "POST", "a=b"),
			got:     []string{"POST application/x-www-form-urlencoded a=b; Origin null; cross-site navigate"},
		},
		{
			name: "a form that is redirected with 302", script: `form("{url}/from")`, reply: redirected(302, ""),
			request: at("/from", request(navigate, "POST", "a=b")),
			got:     []string{"POST /from application/x-www-form-urlencoded a=b; Origin PAGE; cross-site navigate", "GET /to; cross-site navigate"},
		},
		{
			name: "a form that is redirected with 307", script: `form("{url}/from")`, reply: redirected(307, ""),
			request: at("/from", request(navigate, "POST", "a=b")),
			got:     []string{"POST /from application/x-www-form-urlencoded a=b; Origin PAGE; cross-site navigate", "POST /to application/x-www-form-urlencoded a=b; Origin PAGE; cross-site navigate"},
		},
		{
			name: "a form that is redirected to another server with 303", script: `form("{url}/from")`, reply: redirected(303, o.other),
			request: at("/from", request(navigate, "POST", "a=b")),
			got:     []string{"POST /from application/x-www-form-urlencoded a=b; Origin PAGE; cross-site navigate", "GET /to; cross-site navigate"},
		},
		{
			name: "a form that is redirected to another server with 307", script: `form("{url}/from")`, reply: redirected(307, o.other),
			request: at("/from", request(navigate, "POST", "a=b")),
			got:     []string{"POST /from application/x-www-form-urlencoded a=b; Origin PAGE; cross-site navigate", "POST /to application/x-www-form-urlencoded a=b; Origin null; cross-site navigate"},
		},
		{
			name: "a form that its own server redirects to another with 307", from: o.own, to: o.own, script: `form("{url}/from")`, reply: redirected(307, o.cross),
			request: at("/from", request(navigate, "POST", "a=b")),
			got:     []string{"POST /from application/x-www-form-urlencoded a=b; Origin OWN; same-origin navigate; cookie", "POST /to application/x-www-form-urlencoded a=b; Origin OWN; cross-site navigate"},
			differs: map[Engine]difference{Chromium: nullOrigin("156"), WebKit: nullOrigin("2.50")},
		},

		// Links and frames.
		{name: "a link", script: `link("{url}")`, request: get(navigate, ""), got: []string{"GET; cross-site navigate"}},
		{name: "a link to the same site", from: o.near, to: o.own, script: `link("{url}")`, request: get(navigate, ""), got: []string{"GET; same-site navigate; cookie"}},
		{name: "a link to the same origin", from: o.own, to: o.own, script: `link("{url}")`, request: get(navigate, ""), got: []string{"GET; same-origin navigate; cookie"}},
		{name: "a link with noreferrer", script: `link("{url}", {rel: "noreferrer"})`, request: get(navigate, ""), got: []string{"GET; cross-site navigate"}},
		{name: "a link that targets a frame", script: `link("{url}", {frame: true})`, saw: "navigated", dest: "iframe", request: get(navigate, ""), got: []string{"GET; cross-site navigate"}},
		{name: "a link that is redirected to another server", script: `link("{url}/from")`, reply: redirected(302, o.other), request: get(navigate, "/from"), got: []string{"GET /from; cross-site navigate", "GET /to; cross-site navigate"}},
		{name: "a page that sets its location", script: `(location.href = "{url}", never)`, request: get(navigate, ""), got: []string{"GET; cross-site navigate"}},
		{name: "a page that refreshes", script: `refresh("{url}")`, request: get(navigate, ""), got: []string{"GET; cross-site navigate"}},
		{name: "a frame", script: `iframe("{url}")`, saw: "loaded", dest: "iframe", request: get(navigate, ""), got: []string{"GET; cross-site navigate"}},

		// Elements without crossorigin.
		{name: "an image", script: `element("img", {src: "{url}"})`, saw: "loaded", dest: "image", reply: file("image/svg+xml", svg), request: included(get(noCORS, "")), got: []string{"GET; cross-site no-cors"}},
		{
			name: "an image of the same site", from: o.near, to: o.own, script: `element("img", {src: "{url}"})`, saw: "loaded", dest: "image",
			reply: file("image/svg+xml", svg), request: included(get(noCORS, "")),
			got: []string{"GET; same-site no-cors; cookie"},
		},
		{name: "a script", script: `element("script", {src: "{url}"})`, saw: "loaded", dest: "script", reply: file("text/javascript", "1"), request: included(get(noCORS, "")), got: []string{"GET; cross-site no-cors"}},
		{
			name: "a script of the same site", from: o.near, to: o.own, script: `element("script", {src: "{url}"})`, saw: "loaded", dest: "script",
			reply: file("text/javascript", "1"), request: included(get(noCORS, "")),
			got: []string{"GET; same-site no-cors; cookie"},
		},
		{
			name: "a style sheet", script: `element("link", {rel: "stylesheet", href: "{url}"})`, saw: "loaded", dest: "style",
			reply: file("text/css", "p {}"), request: included(get(noCORS, "")),
			got: []string{"GET; cross-site no-cors"},
		},

		// fetch() with mode no-cors.
		{name: "GET in mode no-cors", script: `request("{url}")`, saw: "opaque 0", request: get(noCORS, ""), got: []string{"GET; cross-site no-cors"}},
		{name: "GET in mode no-cors to the same origin", from: o.own, to: o.own, script: `request("{url}")`, saw: "basic 200 ok", reply: ok, request: get(noCORS, ""), got: []string{"GET; same-origin no-cors; cookie"}},
		{name: "GET in mode no-cors to the same site", from: o.near, to: o.own, script: `request("{url}")`, saw: "opaque 0", request: get(noCORS, ""), got: []string{"GET; same-site no-cors"}},
		{
			name: "GET in mode no-cors with credentials", from: o.near, to: o.own, script: `request("{url}", {credentials: "include"})`, saw: "opaque 0",
			request: included(get(noCORS, "")),
			got:     []string{"GET; same-site no-cors; cookie"},
		},
		{name: "HEAD in mode no-cors", script: `request("{url}", {method: "HEAD"})`, saw: "opaque 0", request: request(noCORS, "HEAD", ""), got: []string{"HEAD; cross-site no-cors"}},
		{name: "POST in mode no-cors", script: `request("{url}", {method: "POST", body: "a=b"})`, saw: "opaque 0", request: request(noCORS, "POST", "a=b"), got: []string{"POST text/plain;charset=UTF-8 a=b; Origin PAGE; cross-site no-cors"}},
		{
			name: "POST in mode no-cors with credentials", from: o.near, to: o.own, script: `request("{url}", {method: "POST", body: "a=b", credentials: "include"})`, saw: "opaque 0",
			request: included(request(noCORS, "POST", "a=b")),
			got:     []string{"POST text/plain;charset=UTF-8 a=b; Origin NEAR; same-site no-cors; cookie"},
		},
		{
			name: "POST in mode no-cors to the same origin", from: o.own, to: o.own, script: `request("{url}", {method: "POST", body: "a=b"})`, saw: "basic 200 ok", reply: ok,
			request: request(noCORS, "POST", "a=b"),
			got:     []string{"POST text/plain;charset=UTF-8 a=b; Origin OWN; same-origin no-cors; cookie"},
		},
		{
			name: "POST in mode no-cors with JSON", script: `request("{url}", {method: "POST", body: "{}", headers: {"Content-Type": "application/json"}})`, saw: "opaque 0",
			request: request(noCORS, "POST", "{}", "Content-Type", "application/json"),
			got:     []string{"POST text/plain;charset=UTF-8 {}; Origin PAGE; cross-site no-cors"},
		},
		{
			name: "POST in mode no-cors with a form's type", script: `request("{url}", {method: "POST", body: new URLSearchParams({a: "b"})})`, saw: "opaque 0",
			request: request(noCORS, "POST", "a=b", "Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"),
			got:     []string{"POST application/x-www-form-urlencoded;charset=UTF-8 a=b; Origin PAGE; cross-site no-cors"},
		},
		{
			name:   "headers that mode no-cors does not allow",
			script: `request("{url}", {headers: {"Authorization": "Bearer a", "X-Id": "1", "Range": "bytes=0-1"}})`, saw: "opaque 0",
			request: request(noCORS, "GET", "", "Authorization", "Bearer a", "X-Id", "1", "Range", "bytes=0-1"),
			got:     []string{"GET; cross-site no-cors"},
		},
		{name: "PUT in mode no-cors", script: `request("{url}", {method: "PUT"})`, saw: "blocked", request: request(noCORS, "PUT", "")},
		{
			name: "a stream in mode no-cors", script: `request("{url}", {method: "POST", body: new Blob(["a"]).stream(), duplex: "half"})`, saw: "blocked",
			request: corstest.Request{Mode: noCORS, Method: "POST", Body: "a", StreamBody: true},
			differs: map[Engine]difference{Firefox: {
				version: "153", why: "has no streams as bodies, and sends a string", saw: "opaque 0",
				got: []string{"POST text/plain;charset=UTF-8 [object ReadableStream]; Origin PAGE; cross-site no-cors"},
			}},
		},
		{
			name: "POST in mode no-cors in a sandboxed frame", sandbox: true, script: `request("{url}", {method: "POST", body: "a=b"})`, saw: "opaque 0",
			request: request(noCORS, "POST", "a=b"),
			got:     []string{"POST text/plain;charset=UTF-8 a=b; Origin null; cross-site no-cors"},
		},
		{
			name: "POST in mode no-cors that is redirected to another server with 307", script: `request("{url}/from", {method: "POST", body: "a=b"})`, saw: "opaque 0",
			reply: redirected(307, o.other), request: at("/from", request(noCORS, "POST", "a=b")),
			got: []string{"POST /from text/plain;charset=UTF-8 a=b; Origin PAGE; cross-site no-cors", "POST /to text/plain;charset=UTF-8 a=b; Origin null; cross-site no-cors"},
		},
		{
			name: "GET in mode no-cors that is redirected away and back", from: o.own, to: o.own, script: `request("{url}/from")`, saw: "opaque 0",
			reply: awayAndBack(o), request: get(noCORS, "/from"),
			got: []string{"GET /from; same-origin no-cors; cookie", "GET /away; cross-site no-cors", "GET /back; cross-site no-cors"},
			differs: map[Engine]difference{WebKit: {
				version: "2.50", why: "sends the cookies again after the redirect back",
				got: []string{"GET /from; same-origin no-cors; cookie", "GET /away; cross-site no-cors", "GET /back; cross-site no-cors; cookie"},
			}},
		},

		// Beacons.
		{
			name: "a beacon with a string", from: o.near, to: o.own, script: `beacon("{url}", "a=b", "{arrived}")`, saw: "sent",
			request: included(request(noCORS, "POST", "a=b")),
			got:     []string{"POST text/plain;charset=UTF-8 a=b; Origin NEAR; same-site no-cors; cookie"},
		},
		{
			name: "a beacon with form data", script: `beacon("{url}", new URLSearchParams({a: "b"}), "{arrived}")`, saw: "sent",
			request: included(request(noCORS, "POST", "a=b", "Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")),
			got:     []string{"POST application/x-www-form-urlencoded;charset=UTF-8 a=b; Origin PAGE; cross-site no-cors"},
		},

		{
			name: "a beacon with JSON, which needs a preflight", from: o.near, to: o.own, saw: "sent",
			script:  `beacon("{url}", new Blob(["{}"], {type: "application/json"}), "{arrived}")`,
			request: included(request(corstest.CORS, "POST", "{}", "Content-Type", "application/json")),
			got:     []string{"OPTIONS; Origin NEAR; same-site cors"},
		},

		// WebSockets.
		{name: "a WebSocket", script: `socket("{url}")`, saw: "open", reply: acceptWebSocket, request: get(webSocket, ""), got: []string{"GET; Origin PAGE"}, differs: metadata("GET; Origin PAGE")},
		{name: "a WebSocket to the same site", from: o.near, to: o.own, script: `socket("{url}")`, saw: "open", reply: acceptWebSocket, request: get(webSocket, ""), got: []string{"GET; Origin NEAR; cookie"}, differs: metadata("GET; Origin NEAR; cookie")},
		{name: "a WebSocket to the same origin", from: o.own, to: o.own, script: `socket("{url}")`, saw: "open", reply: acceptWebSocket, request: get(webSocket, ""), got: []string{"GET; Origin OWN; cookie"}, differs: metadata("GET; Origin OWN; cookie")},
		{name: "a WebSocket in a sandboxed frame", sandbox: true, script: `socket("{url}")`, saw: "open", reply: acceptWebSocket, request: get(webSocket, ""), got: []string{"GET; Origin null"}, differs: metadata("GET; Origin null")},
		{
			name: "a WebSocket with a protocol", script: `socket("{url}", ["chat"])`, saw: "open", reply: acceptWebSocket,
			request: request(webSocket, "GET", "", "Sec-WebSocket-Protocol", "chat"),
			got:     []string{"GET; Sec-Websocket-Protocol chat; Origin PAGE"}, differs: metadata("GET; Sec-Websocket-Protocol chat; Origin PAGE"),
		},
		{name: "a WebSocket that is rejected", script: `socket("{url}")`, saw: "blocked", reply: status(403), request: get(webSocket, ""), got: []string{"GET; Origin PAGE"}, differs: metadata("GET; Origin PAGE")},
		{
			name: "a WebSocket that is redirected", script: `socket("{url}/from")`, saw: "blocked", reply: redirected(302, ""), request: get(webSocket, "/from"),
			got: []string{"GET /from; Origin PAGE"},
			differs: map[Engine]difference{
				Firefox: metadata("GET /from; Origin PAGE")[Firefox],
				WebKit: {
					version: "2.50", why: "follows the redirect", dest: "websocket",
					got: []string{"GET /from; Origin PAGE; cross-site websocket", "GET /to; Origin PAGE; cross-site websocket"},
				},
			},
		},
	}
}

// redirected returns a handler that redirects .../from to .../to on the server at
// origin. It writes nothing for other paths.
func redirected(code int, origin string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if path, found := strings.CutSuffix(r.URL.Path, "/from"); found {
			http.Redirect(w, r, origin+path+"/to", code)
		}
	}
}

// awayAndBack returns a handler that redirects .../from to the server by another
// name, and then back.
func awayAndBack(o modeOrigins) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if path, found := strings.CutSuffix(r.URL.Path, "/from"); found {
			http.Redirect(w, r, o.cross+path+"/away", http.StatusFound)
		} else if path, found := strings.CutSuffix(r.URL.Path, "/away"); found {
			http.Redirect(w, r, o.own+path+"/back", http.StatusFound)
		}
	}
}

// modeLine returns a line that describes a request, in the format of got.
func (o modeOrigins) modeLine(r *http.Request) string {
	line := r.Method
	if path := r.URL.RequestURI(); strings.Count(path, "/") > 1 || r.URL.RawQuery != "" {
		line += " " + path[strings.IndexAny(path[1:], "/?")+1:]
	}
	if label := r.Header.Get("Content-Type"); strings.HasPrefix(label, "multipart/form-data") {
		line += " multipart/form-data a=" + r.FormValue("a")
	} else {
		body, _ := io.ReadAll(r.Body)
		line = strings.TrimSpace(line + " " + label + " " + strings.ReplaceAll(string(body), "\r\n", ""))
	}
	for _, name := range []string{"Authorization", "X-Id", "Range", "Sec-Websocket-Protocol", "Origin"} {
		for _, value := range r.Header[name] {
			line += "; " + name + " " + value
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		line += "; " + site + " " + r.Header.Get("Sec-Fetch-Mode")
	}
	if _, err := r.Cookie("user"); err == nil {
		line += "; cookie"
	}
	return strings.NewReplacer(o.page, "PAGE", o.near, "NEAR", o.own, "OWN", o.cross, "CROSS").Replace(line)
}

// A modeSite serves the pages of all cases, one after the other. It is also the
// server that gets their requests.
type modeSite struct {
	modeOrigins
	servers [2]*httptest.Server // servers of the pages, and of the API
	cases   []modeCase
	done    chan struct{} // closed when the last case ended
	end     sync.Once

	mu      sync.Mutex
	got     [][]string // lines for each case
	dests   [][]string // values of Sec-Fetch-Dest
	saw     []string
	arrived []chan struct{} // closed when the first request of a case arrived
}

func newModeSite(t *testing.T) *modeSite {
	s := &modeSite{done: make(chan struct{})}
	var ports [2]string
	for i := range s.servers {
		s.servers[i] = httptest.NewServer(s)
		t.Cleanup(func() {
			s.servers[i].CloseClientConnections()
			s.servers[i].Close()
		})
		_, ports[i], _ = strings.Cut(strings.TrimPrefix(s.servers[i].URL, "http://"), ":")
	}
	s.modeOrigins = modeOriginsAt(ports[0], ports[1])
	s.add(modeCases(s.modeOrigins))
	return s
}

func modeOriginsAt(pagePort, apiPort string) modeOrigins {
	return modeOrigins{
		page:  "http://127.0.0.1:" + pagePort,
		near:  "http://localhost:" + pagePort,
		own:   "http://localhost:" + apiPort,
		cross: "http://cross.localhost:" + apiPort,
		other: "http://other.localhost:" + apiPort,
	}
}

func (s *modeSite) add(cases []modeCase) {
	s.cases = cases
	s.got, s.dests = make([][]string, len(cases)), make([][]string, len(cases))
	s.saw, s.arrived = make([]string, len(cases)), make([]chan struct{}, len(cases))
	for i := range s.arrived {
		s.arrived[i] = make(chan struct{})
	}
}

// pageURL returns the URL of the page of a case. After the last case, it returns
// the URL that ends the test.
func (s *modeSite) pageURL(number int) string {
	if number == len(s.cases) {
		return s.page + "/done"
	}
	from := s.cases[number].from
	if from == "" {
		from = s.page
	}
	return fmt.Sprintf("%s/page/%d", from, number)
}

// url returns the URL of the request of a case.
func (s *modeSite) url(number int) string {
	to := s.cases[number].to
	if to == "" {
		to = s.cross
	}
	return fmt.Sprintf("%s/%d", to, number)
}

func (s *modeSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	number, err := strconv.Atoi(parts[len(parts)-1])
	if len(parts) > 2 && err != nil {
		number, err = strconv.Atoi(parts[1])
	}
	switch {
	case r.URL.Path == "/modes.js":
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.ServeFileFS(w, r, testdata, "testdata/modes.js")
	case r.URL.Path == "/done":
		s.end.Do(func() { close(s.done) })
	case err != nil || number >= len(s.cases):
		http.NotFound(w, r)
	case parts[1] == "page":
		s.servePage(w, number)
	case parts[1] == "saw":
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.saw[number] = string(body)
		s.mu.Unlock()
	case parts[1] == "arrived":
		select {
		case <-s.arrived[number]:
		case <-r.Context().Done():
		}
	default:
		s.serveCase(w, r, number)
	}
}

func (s *modeSite) servePage(w http.ResponseWriter, number int) {
	c := s.cases[number]
	script := strings.NewReplacer("{url}", s.url(number), "{arrived}", fmt.Sprintf("/arrived/%d", number)).Replace(c.script)
	if c.sandbox {
		quoted, _ := json.Marshal(script)
		script = "sandboxed(" + string(quoted) + ")"
	}
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Cache-Control", "no-store")
	if c.from == s.near || c.from == s.own {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: "alice", Path: "/"})
	}
	fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><script src="/modes.js"></script><body><script>
		run(() => %s, "/saw/%d", %q);
	</script>`, script, number, s.pageURL(number+1))
}

func (s *modeSite) serveCase(w http.ResponseWriter, r *http.Request, number int) {
	line, dest := s.modeLine(r), r.Header.Get("Sec-Fetch-Dest")
	s.mu.Lock()
	s.got[number] = append(s.got[number], line)
	s.dests[number] = append(s.dests[number], dest)
	if len(s.got[number]) == 1 {
		close(s.arrived[number])
	}
	s.mu.Unlock()
	if reply := s.cases[number].reply; reply != nil {
		reply(w, r)
		if s.cases[number].saw != "" || strings.HasSuffix(r.URL.Path, "/from") {
			return
		}
	}
	w.Header().Set("Content-Type", "text/html")
	if s.cases[number].saw == "" { // this response replaced the page, so it opens the next page
		fmt.Fprintf(w, `<!doctype html><script>location.replace(%q)</script>`, s.pageURL(number+1))
	}
}

// TestModesInModel compares corstest with the table.
func TestModesInModel(t *testing.T) {
	s := &modeSite{modeOrigins: modeOriginsAt("1111", "2222")}
	s.add(modeCases(s.modeOrigins))
	for number, c := range s.cases {
		t.Run(c.name, func(t *testing.T) {
			res := s.predict(number)
			if !slices.Equal(s.got[number], c.got) {
				t.Errorf("the server got  %q\nwant %q", s.got[number], c.got)
			}
			for e, differs := range c.differs {
				if slices.Equal(differs.got, c.got) {
					t.Errorf("%s %s does not differ", e, differs.version)
				}
			}
			switch {
			case c.saw == "sent": // a page never learns whether a beacon succeeds
			case (c.saw == "blocked" || c.saw == "error") != (res.Blocked != ""):
				t.Errorf("blocked: %q, but the page sees %q", res.Blocked, c.saw)
			case c.saw == "open" && res.Status != 101:
				t.Errorf("got status %d, want 101", res.Status)
			case strings.HasPrefix(c.saw, "basic") && c.saw != strings.TrimSpace(fmt.Sprintf("basic %d %s", res.Status, res.Body)):
				t.Errorf("got status %d and body %q, but the page sees %q", res.Status, res.Body, c.saw)
			case strings.HasPrefix(c.saw, "opaque") && (res.Status != 0 || res.Body != ""):
				t.Errorf("got status %d and body %q, but the page sees %q", res.Status, res.Body, c.saw)
			}
		})
	}
}

// predict runs a case in corstest.
func (s *modeSite) predict(number int) *corstest.Result {
	c := s.cases[number]
	b := corstest.Browser{Handler: s}
	from := c.from
	if from == "" {
		from = s.page
	} else {
		b.Cookie = "user=alice"
	}
	if c.sandbox {
		from = "null"
	}
	c.request.URL = s.url(number) + c.request.URL
	return b.Fetch(from, c.request)
}

// TestModesInBrowsers compares each engine with the table.
func TestModesInBrowsers(t *testing.T) {
	for _, e := range Engines {
		t.Run(string(e), func(t *testing.T) {
			s := newModeSite(t)
			b := Start(t, e, s.pageURL(0))
			select {
			case <-s.done:
			case <-b.Done():
				t.Fatalf("the browser ended:\n%s", b.Log())
			case <-time.After(4 * patience):
				t.Fatalf("the browser did not run all cases in time; the server got %q\n%s", s.got, b.Log())
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			differ := 0
			for number, c := range s.cases {
				t.Run(c.name, func(t *testing.T) {
					got, saw, dest := c.got, c.saw, c.wantDest()
					if d, ok := c.differs[e]; ok {
						t.Logf("%s %s %s", e, d.version, d.why)
						got, saw, dest = d.got, cmp.Or(d.saw, saw), cmp.Or(d.dest, dest)
						differ++
					}
					if !slices.Equal(s.got[number], got) {
						t.Errorf("the server got  %q\nwant %q", s.got[number], got)
					}
					if s.saw[number] != saw {
						t.Errorf("the page saw %q, want %q", s.saw[number], saw)
					}
					for _, value := range s.dests[number] {
						if value != "" && value != dest {
							t.Errorf("got Sec-Fetch-Dest %q, want %q", value, dest)
						}
					}
				})
			}
			t.Logf("%s: %d cases; %d of them differ from corstest", e, len(s.cases), differ)
		})
	}
}

func (c modeCase) wantDest() string {
	switch {
	case c.dest != "":
		return c.dest
	case c.request.Mode == corstest.Navigate:
		return "document"
	}
	return "empty"
}
