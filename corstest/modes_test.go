package corstest_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

func TestModeString(t *testing.T) {
	for mode, want := range map[corstest.Mode]string{
		corstest.CORS: "cors", corstest.NoCORS: "no-cors", corstest.Navigate: "navigate", corstest.WebSocket: "websocket", 9: "Mode(9)",
	} {
		if got := mode.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCredentialsString(t *testing.T) {
	for credentials, want := range map[corstest.Credentials]string{
		corstest.SameOrigin: "same-origin", corstest.Omit: "omit", corstest.Include: "include", 9: "Credentials(9)",
	} {
		if got := credentials.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestModes compares the requests that the handler gets, with all headers except
// Accept.
func TestModes(t *testing.T) {
	lines := func(h http.Header) (lines []string) {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, value := range h[name] {
				if name != "Accept" {
					lines = append(lines, name+": "+value)
				}
			}
		}
		return lines
	}
	fetched := func(mode string) []string {
		return []string{"Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: " + mode, "Sec-Fetch-Site: cross-site"}
	}
	document := []string{"Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: cross-site"}
	socket := []string{"Sec-Websocket-Extensions: permessage-deflate; client_max_window_bits", "Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-Websocket-Version: 13", "Upgrade: websocket"}
	header := func(lines ...string) http.Header {
		h := make(http.Header)
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			h.Add(name, value)
		}
		return h
	}
	join := func(lists ...[]string) []string { return slices.Concat(lists...) }
	const form = "Content-Type: application/x-www-form-urlencoded"
	long := strings.Repeat("a", 100)

	tests := []struct {
		name    string
		page    string // default: page
		request corstest.Request
		method  string // GET if empty
		want    []string
		notes   []string
	}{
		{name: "a link", request: corstest.Request{Mode: corstest.Navigate}, want: join([]string{"Cookie: a=b"}, document)},
		{
			name: "a link sends cookies in every credentials mode", request: corstest.Request{Mode: corstest.Navigate, Credentials: corstest.Omit},
			want: join([]string{"Cookie: a=b"}, document),
		},
		{
			name: "a link has no headers of a script", request: corstest.Request{Mode: corstest.Navigate, Header: header("X-Id: 1", "Content-Type: text/plain", "Cookie: c=d")},
			want:  join([]string{"Cookie: a=b"}, document),
			notes: []string{"header Content-Type is left out: links and forms cannot set it", "header Cookie is left out: links and forms cannot set it", "header X-Id is left out: links and forms cannot set it"},
		},
		{
			name: "a form", request: corstest.Request{Mode: corstest.Navigate, Method: "post", Body: "a=b"}, method: "POST",
			want: join([]string{form, "Cookie: a=b", "Origin: " + page}, document),
		},
		{
			name: "a form without fields", request: corstest.Request{Mode: corstest.Navigate, Method: "POST"}, method: "POST",
			want: join([]string{form, "Cookie: a=b", "Origin: " + page}, document),
		},
		{
			name: "a form with text/plain", request: corstest.Request{Mode: corstest.Navigate, Method: "POST", Body: "a", Header: header("Content-Type: text/plain")}, method: "POST",
			want: join([]string{"Content-Type: text/plain", "Cookie: a=b", "Origin: " + page}, document),
		},
		{
			name: "a form with multipart/form-data", request: corstest.Request{Mode: corstest.Navigate, Method: "POST", Body: "a", Header: header("Content-Type: multipart/form-data; boundary=b")}, method: "POST",
			want: join([]string{"Content-Type: multipart/form-data; boundary=b", "Cookie: a=b", "Origin: " + page}, document),
		},
		{
			name: "a form from https to http hides the origin", request: corstest.Request{Mode: corstest.Navigate, Method: "POST", URL: "http://api.example"}, method: "POST",
			want: []string{form, "Cookie: a=b", "Origin: null"},
		},
		{
			name: "a form from http to http shows the origin", page: "http://page.example", request: corstest.Request{Mode: corstest.Navigate, Method: "POST", URL: "http://api.example"}, method: "POST",
			want: []string{form, "Cookie: a=b", "Origin: http://page.example"},
		},
		{
			name: "a form from http to https shows the origin", page: "http://page.example", request: corstest.Request{Mode: corstest.Navigate, Method: "POST"}, method: "POST",
			want: join([]string{form, "Cookie: a=b", "Origin: http://page.example"}, document),
		},
		{
			name: "fetch from https to http shows the origin", request: corstest.Request{Method: "POST", URL: "http://api.example"}, method: "POST",
			want: []string{"Origin: " + page}, notes: []string{"cookies are left out: the request is made without credentials"},
		},
		{
			name: "a form from a sandbox", page: "null", request: corstest.Request{Mode: corstest.Navigate, Method: "POST"}, method: "POST",
			want: join([]string{form, "Cookie: a=b", "Origin: null"}, document),
		},

		{
			name: "GET in mode no-cors", request: corstest.Request{Mode: corstest.NoCORS}, want: fetched("no-cors"),
			notes: []string{"cookies are left out: the request is made without credentials"},
		},
		{name: "HEAD in mode no-cors", request: corstest.Request{Mode: corstest.NoCORS, Method: "HEAD", Credentials: corstest.Include}, method: "HEAD", want: join([]string{"Cookie: a=b"}, fetched("no-cors"))},
		{
			name: "POST in mode no-cors", request: corstest.Request{Mode: corstest.NoCORS, Method: "POST", Body: "a", Credentials: corstest.Include}, method: "POST",
			want: join([]string{"Content-Type: text/plain;charset=UTF-8", "Cookie: a=b", "Origin: " + page}, fetched("no-cors")),
		},
		{
			name: "POST in mode no-cors from https to http hides the origin", request: corstest.Request{Mode: corstest.NoCORS, Method: "POST", URL: "http://api.example", Credentials: corstest.Include}, method: "POST",
			want: []string{"Cookie: a=b", "Origin: null"},
		},
		{
			name: "headers that mode no-cors does not allow",
			request: corstest.Request{Mode: corstest.NoCORS, Credentials: corstest.Include, Header: header(
				"Accept-Language: en", "Content-Language: de", "Accept: text/*", "Content-Type: application/json", "Range: bytes=0-1", "X-Id: 1", "X-Id: 1", "Cookie: c=d")},
			want: join([]string{"Accept-Language: en", "Content-Language: de", "Cookie: a=b"}, fetched("no-cors")),
			notes: []string{
				`header Content-Type is left out: mode no-cors does not allow "application/json"`, "header Cookie is left out: scripts cannot set it",
				`header Range is left out: mode no-cors does not allow "bytes=0-1"`, `header X-Id is left out: mode no-cors does not allow "1"`,
			},
		},
		{
			name: "values that are too long together", request: corstest.Request{Mode: corstest.NoCORS, Credentials: corstest.Include, Header: header("Accept-Language: "+long, "Accept-Language: "+long)},
			want:  join([]string{"Accept-Language: " + long, "Cookie: a=b"}, fetched("no-cors")),
			notes: []string{`header Accept-Language is left out: mode no-cors does not allow "` + long + `"`},
		},

		{
			name: "a WebSocket", request: corstest.Request{Mode: corstest.WebSocket, URL: "wss://api.example/", Credentials: corstest.Omit},
			want: join([]string{"Connection: Upgrade", "Cookie: a=b", "Origin: " + page}, socket),
		},
		{
			name: "a WebSocket without TLS", page: "http://page.example", request: corstest.Request{Mode: corstest.WebSocket, URL: "ws://api.example/"},
			want: join([]string{"Connection: Upgrade", "Cookie: a=b", "Origin: http://page.example"}, socket),
		},
		{
			name: "a WebSocket to the page's origin", request: corstest.Request{Mode: corstest.WebSocket, URL: page},
			want: join([]string{"Connection: Upgrade", "Cookie: a=b", "Origin: " + page}, socket),
		},
		{
			name: "a WebSocket with a protocol and other headers", request: corstest.Request{Mode: corstest.WebSocket, Header: header("Sec-WebSocket-Protocol: chat", "Authorization: a", "Accept: b")},
			want:  join([]string{"Connection: Upgrade", "Cookie: a=b", "Origin: " + page}, socket[:2], []string{"Sec-Websocket-Protocol: chat"}, socket[2:]),
			notes: []string{"header Accept is left out: scripts cannot set it on a WebSocket", "header Authorization is left out: scripts cannot set it on a WebSocket"},
		},

		{
			name: "a Cookie header of a script, and cookies without credentials", request: corstest.Request{Credentials: corstest.Omit, Header: header("Cookie: c=d")},
			want:  join([]string{"Origin: " + page}, fetched("cors")),
			notes: []string{"header Cookie is left out: scripts cannot set it", "cookies are left out: the request is made without credentials"},
		},
		{name: "cookies with credentials", request: corstest.Request{Credentials: corstest.Include}, want: join([]string{"Cookie: a=b", "Origin: " + page}, fetched("cors"))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.page == "" {
				test.page = page
			}
			if test.request.URL == "" {
				test.request.URL = api
			}
			var got *http.Request
			b := corstest.Browser{Cookie: "a=b", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })}
			result := b.Fetch(test.page, test.request)
			if got == nil {
				t.Fatal(result.Blocked)
			}
			if want := strings.ToUpper(test.method); got.Method != want && want != "" || want == "" && got.Method != "GET" {
				t.Errorf("got method %s, want %s", got.Method, want)
			}
			if got, want := lines(got.Header), test.want; !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			var notes []string
			for line := range strings.Lines(result.String()) {
				if note, ok := strings.CutPrefix(line, "note: "); ok {
					notes = append(notes, strings.TrimSpace(note))
				}
			}
			if !slices.Equal(notes, test.notes) {
				t.Errorf("got notes %q\nwant %q", notes, test.notes)
			}
			if reasons := corstest.PreflightReasons(test.request); test.request.Mode != corstest.CORS && reasons != nil {
				t.Errorf("PreflightReasons returned %q", reasons)
			}
			switch test.request.Mode {
			case corstest.NoCORS, corstest.Navigate:
				if result.Blocked != "" || result.Err() != nil || result.Status != 0 || result.Header != nil || result.Actual.Response.StatusCode != 200 {
					t.Errorf("got blocked %q, error %v, status %d and header %v", result.Blocked, result.Err(), result.Status, result.Header)
				}
				if accept := got.Header.Get("Accept"); strings.HasPrefix(accept, "text/html,") != (test.request.Mode == corstest.Navigate) {
					t.Errorf("got Accept: %s", accept)
				}
			}
		})
	}
}

// TestModesBlockImpossibleRequests makes requests that no page can make.
func TestModesBlockImpossibleRequests(t *testing.T) {
	jsonType := http.Header{"content-type": {"application/json"}}
	for _, test := range []struct {
		request corstest.Request
		want    string
	}{
		{corstest.Request{Mode: corstest.Navigate, Method: "PUT"}, "links and forms cannot use the method PUT, only GET and POST"},
		{corstest.Request{Mode: corstest.Navigate, Method: "HEAD"}, "links and forms cannot use the method HEAD, only GET and POST"},
		{corstest.Request{Mode: corstest.Navigate, Body: "a=b"}, "a GET request cannot have a body"},
		{corstest.Request{Mode: corstest.Navigate, Method: "POST", Body: "{}", Header: jsonType}, `no form has the Content-Type "application/json"`},
		{corstest.Request{Mode: corstest.Navigate, Method: "POST", Body: "{}", Header: http.Header{"Content-Type": {"text/plain; application/json"}}}, `no form has the Content-Type "text/plain; application/json"`},
		{corstest.Request{Mode: corstest.Navigate, Method: "POST", Body: "{}", Header: http.Header{"Content-Type": {"TEXT/plain"}}}, `no form has the Content-Type "TEXT/plain"`},
		{corstest.Request{Mode: corstest.Navigate, Method: "POST", Body: "{}", Header: http.Header{"Content-Type": {"multipart/form-data; boundary=b; application/json"}}}, `no form has the Content-Type "multipart/form-data; boundary=b; application/json"`},
		{corstest.Request{Mode: corstest.Navigate, Method: "POST", Body: "{}", Header: http.Header{"Content-Type": {"text/plain", "application/json"}}}, `no form has the Content-Type "text/plain, application/json"`},
		{corstest.Request{Mode: corstest.Navigate, Method: "POST", StreamBody: true}, "upload listeners and ReadableStream bodies are not possible in mode navigate"},
		{corstest.Request{Mode: corstest.NoCORS, Method: "PUT"}, "method PUT is not possible in mode no-cors; GET, HEAD and POST are"},
		{corstest.Request{Mode: corstest.NoCORS, Method: "HEAD", Body: "a"}, "a HEAD request cannot have a body"},
		{corstest.Request{Mode: corstest.NoCORS, Method: "POST", UploadListener: true}, "upload listeners and ReadableStream bodies are not possible in mode no-cors"},
		{corstest.Request{Mode: corstest.WebSocket, Method: "POST"}, "the handshake of a WebSocket is a GET request without a body"},
		{corstest.Request{Mode: corstest.WebSocket, Body: "a"}, "the handshake of a WebSocket is a GET request without a body"},
		{corstest.Request{Mode: corstest.WebSocket, StreamBody: true}, "upload listeners and ReadableStream bodies are not possible in mode websocket"},
		{corstest.Request{Mode: corstest.WebSocket, URL: "ftp://a.example"}, `"ftp://a.example" is not an absolute HTTP(S) URL`},
		{corstest.Request{URL: "ws://a.example"}, `"ws://a.example" is not an absolute HTTP(S) URL`},
		{corstest.Request{URL: "wss://a.example"}, `"wss://a.example" is not an absolute HTTP(S) URL`},
		{corstest.Request{Mode: 9}, "Mode(9) is not a mode"},
	} {
		if test.request.URL == "" {
			test.request.URL = api
		}
		b := corstest.Browser{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the request was sent") })}
		got := b.Fetch(page, test.request)
		if got.Blocked != test.want || got.Err() == nil {
			t.Errorf("got  %q\nwant %q", got.Blocked, test.want)
		}
	}
}

// TestModesAndRedirects compares the requests of a redirect chain.
func TestModesAndRedirects(t *testing.T) {
	post := func(mode corstest.Mode) corstest.Request {
		return corstest.Request{Mode: mode, Method: "POST", Body: "a=b", URL: api + "/from", Credentials: corstest.Include}
	}
	for _, test := range []struct {
		name     string
		request  corstest.Request
		status   int
		location string
		want     []string // method, host, Origin, Cookie and body of each request
		blocked  string
		note     string
	}{
		{
			name: "a form keeps its body with 307", request: post(corstest.Navigate), status: 307, location: "/to",
			want: []string{"POST api.example https://page.example a=1 a=b", "POST api.example https://page.example a=1 a=b"},
		},
		{
			name: "a form becomes a GET with 302", request: post(corstest.Navigate), status: 302, location: "/to",
			want: []string{"POST api.example https://page.example a=1 a=b", "GET api.example  a=1 "},
		},
		{
			name: "a form that is redirected to another host has no origin and no cookie", request: post(corstest.Navigate), status: 308, location: "https://other.example",
			want: []string{"POST api.example https://page.example a=1 a=b", "POST other.example null  a=b"},
			note: "cookies are left out: they are for api.example, not for other.example",
		},
		{
			name: "a form that is redirected from https to http has no origin", request: post(corstest.Navigate), status: 307, location: "http://api.example/to",
			want: []string{"POST api.example https://page.example a=1 a=b", "POST api.example null a=1 a=b"},
		},
		{
			name: "mode no-cors stays opaque after a redirect back", request: corstest.Request{Mode: corstest.NoCORS, URL: api + "/from"}, status: 302, location: page,
			want: []string{"GET api.example   ", "GET page.example   "},
			note: "cookies are left out: they are for api.example, not for page.example",
		},
		{
			name: "a link follows a redirect to a URL with a user name", request: corstest.Request{Mode: corstest.Navigate, URL: api + "/from"}, status: 302, location: "https://user@api.example/to",
			want: []string{"GET api.example  a=1 ", "GET api.example  a=1 "},
		},
		{
			name: "a script does not follow a redirect to a URL with a user name", request: corstest.Request{URL: api + "/from", Credentials: corstest.Include}, status: 302, location: "https://user@api.example/to",
			want:    []string{"GET api.example https://page.example a=1 "},
			blocked: "the redirect leads to a URL with a user name or password",
		},
		{
			name: "a WebSocket does not follow redirects", request: corstest.Request{Mode: corstest.WebSocket, URL: api + "/from"}, status: 302, location: "/to",
			want:    []string{"GET api.example https://page.example a=1 "},
			blocked: "a WebSocket handshake does not follow redirects",
		},
		{
			name: "a link does not lead to other schemes", request: corstest.Request{Mode: corstest.Navigate, URL: api + "/from"}, status: 302, location: "mailto:a@b.example",
			want:    []string{"GET api.example  a=1 "},
			blocked: "the redirect does not lead to an HTTP(S) URL",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			b := corstest.Browser{Cookie: "a=1", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = append(got, strings.Join([]string{r.Method, r.Host, r.Header.Get("Origin"), r.Header.Get("Cookie"), string(body)}, " "))
				w.Header().Set("Access-Control-Allow-Origin", page)
				w.Header().Set("Access-Control-Allow-Credentials", "true")
				if r.URL.Path == "/from" {
					w.Header().Set("Location", test.location)
					w.WriteHeader(test.status)
				}
			})}
			result := b.Fetch(page, test.request)
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			if result.Blocked != test.blocked || result.Status != 0 {
				t.Errorf("got blocked %q and status %d, want %q", result.Blocked, result.Status, test.blocked)
			}
			if text := result.String(); strings.Contains(text, "left out") != (test.note != "") || !strings.Contains(text, test.note) {
				t.Errorf("want the note %q in\n%s", test.note, text)
			}
		})
	}
}

func TestNoCORSReadsResponsesFromItsOwnOrigin(t *testing.T) {
	b := corstest.Browser{Handler: respond(200, "X-Id: 1")}
	got := b.Fetch(page, corstest.Request{Mode: corstest.NoCORS, URL: page})
	if got.Status != 200 || got.Body != "text" || got.Header.Get("X-Id") != "1" {
		t.Errorf("got status %d, body %q and header %v", got.Status, got.Body, got.Header)
	}
	got = b.Fetch(page, corstest.Request{Mode: corstest.Navigate, URL: page})
	if got.Status != 0 || got.Body != "" {
		t.Errorf("after a link, got status %d and body %q", got.Status, got.Body)
	}
}

func TestModesReportPanics(t *testing.T) {
	oh := errors.New("oh")
	for _, mode := range []corstest.Mode{corstest.NoCORS, corstest.Navigate, corstest.WebSocket} {
		b := corstest.Browser{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(oh) })}
		if got := b.Fetch(page, corstest.Request{Mode: mode, URL: api}); !errors.Is(got.Err(), oh) {
			t.Errorf("%v: got %v", mode, got.Err())
		}
	}
}

// TestWebSockets uses handlers that accept or reject handshakes in different ways.
func TestWebSockets(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-Id: 1\r\n\r\n"
	hijack := func(w http.ResponseWriter) io.ReadWriteCloser {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		return conn
	}
	oh := errors.New("oh")
	late := make(chan struct{})
	for _, test := range []struct {
		name    string
		handler func(w http.ResponseWriter, r *http.Request)
		header  string // X-Id in the response of the server
		blocked string
		err     error
	}{
		{
			name: "a handler that hijacks the connection", header: "1",
			handler: func(w http.ResponseWriter, r *http.Request) {
				conn := hijack(w)
				defer conn.Close()
				io.WriteString(conn, switching)
				if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("the browser sent data: %d, %v", n, err)
				}
				if _, err := io.WriteString(conn, "more"); err == nil {
					t.Error("the connection is still open")
				}
			},
		},
		{
			name: "a handler that writes 101 and then hijacks", header: "2",
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Id", "2")
				w.WriteHeader(101)
				if _, err := hijack(w).Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("got %v, want EOF", err)
				}
			},
		},
		{name: "a handler that writes 101", handler: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(101) }},
		{
			name: "another goroutine that writes the response", header: "1",
			handler: func(w http.ResponseWriter, r *http.Request) {
				conn := hijack(w)
				go func() {
					<-late
					io.WriteString(conn, switching)
				}()
				go close(late)
			},
		},
		{
			name: "a handler that rejects the handshake",
			handler: func(w http.ResponseWriter, r *http.Request) {
				http.Error(w, "no", http.StatusForbidden)
			},
			blocked: "the response to the WebSocket handshake has status 403, not 101",
		},
		{
			name: "a handler that does not know WebSockets", handler: func(http.ResponseWriter, *http.Request) {},
			blocked: "the response to the WebSocket handshake has status 200, not 101",
		},
		{
			name: "a handler that rejects the handshake on the hijacked connection", header: "3",
			handler: func(w http.ResponseWriter, r *http.Request) {
				conn := hijack(w)
				defer conn.Close()
				io.WriteString(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\nX-Id: 3\r\n\r\nsecret")
			},
			blocked: "the response to the WebSocket handshake has status 401, not 101",
		},
		{
			name: "a handler that hijacks twice, or writes after it", header: "1",
			handler: func(w http.ResponseWriter, r *http.Request) {
				conn := hijack(w)
				defer conn.Close()
				if _, _, err := http.NewResponseController(w).Hijack(); err != http.ErrHijacked {
					t.Errorf("got %v, want ErrHijacked", err)
				}
				if _, err := io.WriteString(w, "a"); err == nil {
					t.Error("a later write did not fail")
				}
				io.WriteString(conn, switching)
			},
		},
		{
			name: "a handler that closes the connection without a response",
			handler: func(w http.ResponseWriter, r *http.Request) {
				hijack(w).Close()
			},
			blocked: "there is no response: the handler hijacked the connection and wrote no response: unexpected EOF", err: io.ErrUnexpectedEOF,
		},
		{
			name: "a handler that panics after it hijacked the connection",
			handler: func(w http.ResponseWriter, r *http.Request) {
				hijack(w)
				panic(oh)
			},
			blocked: "there is no response: the handler panicked: oh", err: oh,
		},
		{
			name: "a handler that returns and writes nothing on the connection",
			handler: func(w http.ResponseWriter, r *http.Request) {
				hijack(w)
			},
			blocked: "there is no response: corstest: the response took too long",
		},
		{
			name: "a handler that waits and writes nothing on the connection",
			handler: func(w http.ResponseWriter, r *http.Request) {
				if _, err := hijack(w).Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("got %v, want EOF", err)
				}
			},
			blocked: "there is no response: corstest: the response took too long",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := corstest.Browser{Handler: http.HandlerFunc(test.handler)}
				got := b.Fetch(page, corstest.Request{Mode: corstest.WebSocket, URL: "wss://api.example/ws"})
				status := 101
				if test.blocked != "" {
					status = 0
				}
				if got.Blocked != test.blocked || got.Status != status || got.Header != nil || got.Body != "" {
					t.Errorf("got blocked %q, status %d, header %v and body %q; want %q", got.Blocked, got.Status, got.Header, got.Body, test.blocked)
				}
				if err := got.Err(); (err == nil) != (test.blocked == "") || test.err != nil && !errors.Is(err, test.err) {
					t.Errorf("got error %v, want %v", err, test.err)
				}
				if test.header != "" && got.Actual.Response.Header.Get("X-Id") != test.header {
					t.Errorf("got %v, want X-Id: %s", got.Actual.Response.Header, test.header)
				}
				synctest.Wait()
			})
		})
	}
}

func TestOnlyWebSocketsCanBeHijacked(t *testing.T) {
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := w.(http.Hijacker); ok {
			t.Errorf("a request in mode %s can be hijacked", r.Header.Get("Sec-Fetch-Mode"))
		}
	})}
	for _, mode := range []corstest.Mode{corstest.CORS, corstest.NoCORS, corstest.Navigate} {
		b.Fetch(page, corstest.Request{Mode: mode, URL: api})
	}
}

// TestWebSocketOfServer opens a WebSocket of a real server, which the test would
// wait for if it read the connection.
func TestWebSocketOfServer(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v, want EOF", err)
		}
	}))
	defer server.Close()
	b := corstest.Browser{Transport: server.Client().Transport}
	got := b.Fetch(page, corstest.Request{Mode: corstest.WebSocket, URL: "wss" + strings.TrimPrefix(server.URL, "https")})
	if got.Status != 101 || got.Err() != nil {
		t.Errorf("got status %d, %v", got.Status, got.Err())
	}
}

func TestTranscriptsOfModes(t *testing.T) {
	policy := cors.Policy{AllowedOrigins: []string{"https://other.example"}}
	b := corstest.Browser{Handler: wrap(t, policy, respond(200))}
	for _, test := range []struct {
		request corstest.Request
		want    []string
	}{
		{corstest.Request{Mode: corstest.NoCORS, URL: page}, []string{"in mode no-cors\n", "no preflight: the request is same-origin", "the script reads status 200"}},
		{corstest.Request{Mode: corstest.Navigate, URL: api}, []string{"in mode navigate\n", "mode navigate", "the page cannot read the response"}},
		{corstest.Request{Mode: corstest.Navigate, Method: "POST", URL: api}, []string{"< HTTP/1.1 403 Forbidden", "the page cannot read the response"}},
		{corstest.Request{Mode: corstest.WebSocket, URL: api}, []string{"in mode websocket\n", "blocked: the response to the WebSocket handshake has status 403, not 101", "AllowedOrigins"}},
	} {
		got := b.Fetch(page, test.request).String()
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("want %q in\n%s", want, got)
			}
		}
	}
	b.Handler = respond(101)
	if got := b.Fetch(page, corstest.Request{Mode: corstest.WebSocket, URL: api}).String(); !strings.Contains(got, "allowed: the WebSocket is open") {
		t.Errorf("got %s", got)
	}
}
