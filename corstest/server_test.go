package corstest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/f407da42/cors/corstest"
)

const mebibyte = 1 << 20

func serve(f func(w http.ResponseWriter, r *http.Request)) *corstest.Browser {
	return &corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "PUT")
		f(w, r)
	})}
}

// TestUnrulyHandlers uses handlers that must not block a test or change its
// outcome.
func TestUnrulyHandlers(t *testing.T) {
	broken := errors.New("broken")
	wait := func(r *http.Request) { <-r.Context().Done() }
	tests := []struct {
		name    string
		handler func(w http.ResponseWriter, r *http.Request)
		blocked string
		size    int
		err     error
	}{
		{
			name: "the body never ends",
			handler: func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					if v := recover(); v != nil {
						t.Errorf("a write panicked: %v", v)
					}
				}()
				for {
					if _, err := io.WriteString(w, strings.Repeat("a", 1000)); err != nil {
						break
					}
				}
				if n, err := w.Write([]byte("b")); n != 0 || err == nil {
					t.Error("a Write after the limit did not fail")
				}
				wait(r)
				if n, err := w.Write([]byte("b")); n != 0 || err == nil {
					t.Error("a later Write did not fail")
				}
				if http.NewResponseController(w).Flush() == nil {
					t.Error("a later Flush did not fail")
				}
			},
			size: mebibyte,
		},
		{
			name:    "the body has the maximal length",
			handler: func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, mebibyte)) },
			size:    mebibyte,
		},
		{
			name: "an event, and then nothing",
			handler: func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "data: 1\n\n")
				w.(http.Flusher).Flush()
				wait(r)
			},
			size: 9,
		},
		{
			name: "more than the buffer, and then nothing",
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Write(make([]byte, 4097))
				wait(r)
			},
			size: 4097,
		},
		{
			name: "as much as the buffer, and then nothing",
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Write(make([]byte, 4096))
				wait(r)
			},
			blocked: "there is no response: corstest: the response took too long",
		},
		{
			name: "nothing", handler: func(_ http.ResponseWriter, r *http.Request) { wait(r) },
			blocked: "there is no response: corstest: the response took too long",
		},
		{
			name: "a panic", handler: func(http.ResponseWriter, *http.Request) { panic(broken) },
			blocked: "there is no response: the handler panicked: broken", err: broken,
		},
		{
			name: "a panic without an error", handler: func(http.ResponseWriter, *http.Request) { panic("oh") },
			blocked: "there is no response: the handler panicked: oh",
		},
		{
			name: "a panic with a byte in the buffer",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "a")
				panic(broken)
			},
			blocked: "there is no response: the handler panicked: broken", err: broken,
		},
		{
			name: "a panic in the middle",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.(http.Flusher).Flush()
				panic(broken)
			},
			blocked: "the response was cut short: the handler panicked: broken", err: broken,
		},
		{
			name: "an aborted handler", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			blocked: "there is no response: net/http: abort Handler", err: http.ErrAbortHandler,
		},
		{
			name: "an invalid status", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) },
			blocked: "there is no response: the handler panicked: invalid WriteHeader code 99",
		},
		{
			name: "a handler that exits its goroutine", handler: func(http.ResponseWriter, *http.Request) { runtime.Goexit() },
			blocked: "there is no response: the handler exited its goroutine",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := serve(func(w http.ResponseWriter, r *http.Request) {
					if r.Method != "OPTIONS" {
						test.handler(w, r)
					}
				})
				got := b.Fetch(page, corstest.Request{Method: "PUT", URL: api})
				if got.Blocked != test.blocked || len(got.Body) != test.size {
					t.Errorf("blocked %q, body of %d bytes, want %q, %d", got.Blocked, len(got.Body), test.blocked, test.size)
				}
				err := got.Err()
				if err != nil != (test.blocked != "") || test.err != nil && !errors.Is(err, test.err) || errors.As(err, new(*corstest.BlockedError)) {
					t.Errorf("error %v", err)
				}
				if got.Preflight == nil || got.Actual == nil {
					t.Error("the requests are not in the result")
				}
				synctest.Wait() // until the handler's context ends

				// In a response to a preflight, only the status and headers matter.
				b = serve(test.handler)
				got = b.Fetch(page, corstest.Request{Method: "PUT", URL: api})
				want := ""
				if strings.HasPrefix(test.blocked, "there is no response") {
					want = strings.Replace(test.blocked, "response", "response to the preflight", 1)
				} else if test.blocked != "" {
					want = test.blocked
				}
				if got.Blocked != want || got.Preflight == nil {
					t.Errorf("preflight: blocked %q, want %q", got.Blocked, want)
				}
				synctest.Wait()
			})
		})
	}
}

// TestSwitchingProtocols uses a response with status 101, which has no body.
func TestSwitchingProtocols(t *testing.T) {
	b := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusSwitchingProtocols)
		_, err := io.WriteString(w, "a")
		expect(t, err, http.ErrBodyNotAllowed)
	})
	if got := b.Fetch(page, corstest.Request{URL: api}); got.Status != http.StatusSwitchingProtocols {
		t.Errorf("got %s", got)
	}
}

// TestFullDuplex uses a handler that enables full duplex, which HTTP/2 supports.
func TestFullDuplex(t *testing.T) {
	b := serve(func(w http.ResponseWriter, _ *http.Request) {
		expect(t, http.NewResponseController(w).EnableFullDuplex(), nil)
	})
	if got := b.Fetch(page, corstest.Request{URL: api}); got.Blocked != "" {
		t.Errorf("got %s", got)
	}
}

// TestBlockedErrorOfIncompleteResponse uses a response that ends early and that
// CORS blocks. The error must be a BlockedError.
func TestBlockedErrorOfIncompleteResponse(t *testing.T) {
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		panic("oh")
	})}
	if err := b.Fetch(page, corstest.Request{URL: api}).Err(); !errors.As(err, new(*corstest.BlockedError)) {
		t.Errorf("got %v", err)
	}
	if got := b.Fetch(page, corstest.Request{Method: "HEAD", URL: page}); got.Err() != nil {
		t.Errorf("HEAD, which has no body: %v", got.Err())
	}
}

func TestPanicShowsItsStack(t *testing.T) {
	b := serve(func(http.ResponseWriter, *http.Request) { panic("oh") })
	if err := b.Fetch(page, corstest.Request{URL: api}).Err(); !strings.Contains(err.Error(), "server_test.go") {
		t.Errorf("got %v", err)
	}
}

// TestResponsesEqualNetHTTP compares the responses of handlers with those of a
// net/http server.
func TestResponsesEqualNetHTTP(t *testing.T) {
	handlers := map[string]func(w http.ResponseWriter, r *http.Request){
		"nothing":       func(http.ResponseWriter, *http.Request) {},
		"a body":        func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"a body in two": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<ht"); io.WriteString(w, "ml>") },
		"a body, flushed": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<ht")
			w.(http.Flusher).Flush()
			io.WriteString(w, "ml>")
		},
		"flushed at once": func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); io.WriteString(w, "<html>") },
		"a type that the handler sets": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			io.WriteString(w, "<html>")
		},
		"no type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "<html>")
		},
		"an encoding": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			io.WriteString(w, "<html>")
		},
		"no content": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			_, err := io.WriteString(w, "a")
			expect(t, err, http.ErrBodyNotAllowed)
		},
		"not modified": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(304)
			_, err := io.WriteString(w, "a")
			expect(t, err, http.ErrBodyNotAllowed)
		},
		"two statuses": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); w.WriteHeader(404) },
		"early hints": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</a>")
			w.WriteHeader(103)
			w.WriteHeader(202)
			io.WriteString(w, "a")
		},
		"continue":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(100) },
		"only early hints": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(199) },
		"a high status":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) },
		"headers too late": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); w.Header().Set("Expires", "0") },
		"a line break":     func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Expires", " a\r\nb\t") },
		"a length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			io.WriteString(w, "a")
		},
		"less than its length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			io.WriteString(w, "a")
		},
		"nothing, but a length": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "2") },
		"no content, but a length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			w.WriteHeader(304)
		},
		"trailers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-A, X-B")
			io.WriteString(w, "a")
			w.Header().Set("X-A", "1")
			w.Header().Set("X-B", "2")
			w.Header().Set("X-C", "1")
			w.Header().Set(http.TrailerPrefix+"X-D", "1")
		},
		"deadlines": func(w http.ResponseWriter, _ *http.Request) {
			c := http.NewResponseController(w)
			expect(t, errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}), c.Flush()), nil)
		},
		"a changed request":  func(_ http.ResponseWriter, r *http.Request) { r.Header.Set("X-Added", "1"); r.URL.Path = "/changed" },
		"the request's body": func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) },
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			b := serve(handler)
			server := httptest.NewUnstartedServer(b.Handler)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Start()
			defer server.Close()
			r := corstest.Request{Method: "POST", URL: server.URL, Body: "text"}
			called := b.Fetch("http://page.example", r)
			served := (&corstest.Browser{}).Fetch("http://page.example", r)
			for _, got := range []*corstest.Result{called, served} {
				got.Actual.Response.Header.Del("Date")
				if name != "a length" {
					got.Actual.Response.Header.Del("Content-Length")
				}
				if body, _ := io.ReadAll(got.Actual.Response.Body); string(body) != got.Body && got.Blocked == "" {
					t.Errorf("the response's body is %q, the script's %q", body, got.Body)
				}
			}
			describe := func(r *corstest.Result) string {
				res := r.Actual.Response
				res.Header.Del("Trailer")
				return fmt.Sprintf("%q %d %s %q %q %q %q", r.Blocked, r.Status, res.Status, res.Header, r.Body, res.Trailer, r.Actual.Request.Header)
			}
			if got, want := describe(called), describe(served); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got, want := called.Actual.Response.ContentLength, served.Actual.Response.ContentLength; name == "a length" && got != want {
				t.Errorf("got length %d, want %d", got, want)
			}
		})
	}
}

// TestContentLengthBeyondBody uses handlers whose Content-Length is greater than
// the body, although the response was not cut short.
func TestContentLengthBeyondBody(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		write  func(w http.ResponseWriter)
		err    error
	}{
		"HEAD":      {"HEAD", func(http.ResponseWriter) {}, nil},
		"GET":       {"GET", func(http.ResponseWriter) {}, io.ErrUnexpectedEOF},
		"the limit": {"GET", func(w http.ResponseWriter) { w.Write(make([]byte, 2*mebibyte)) }, nil},
		"a panic":   {"GET", func(w http.ResponseWriter) { w.(http.Flusher).Flush(); panic(http.ErrAbortHandler) }, http.ErrAbortHandler},
		"preflight": {"PUT", func(w http.ResponseWriter) { w.Write(make([]byte, 2*mebibyte)) }, nil},
	} {
		b := serve(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(2*mebibyte))
			if r.Method != "OPTIONS" {
				test.write(w)
			}
		})
		if res := b.Fetch(page, corstest.Request{Method: test.method, URL: api}); !errors.Is(res.Err(), test.err) || test.err == nil && res.Err() != nil {
			t.Errorf("%s: %v\n%s", name, res.Err(), res)
		}
	}
}

func expect(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

// TestTransport uses real servers, over HTTP/1.1 and HTTP/2.
func TestTransport(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "PUT")
		switch r.URL.Path {
		case "/from":
			if r.Method == "OPTIONS" {
				return
			}
			http.Redirect(w, r, "/to?a", http.StatusTemporaryRedirect)
		case "/large":
			w.Write(make([]byte, mebibyte+1))
		case "/limit":
			w.Write(make([]byte, mebibyte))
		case "/broken":
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "a")
		default:
			fmt.Fprint(w, r.Proto, " ", r.Method, " ", r.ContentLength, " ")
			io.Copy(w, r.Body)
		}
	})
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		server := httptest.NewUnstartedServer(handler)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.EnableHTTP2 = proto == "HTTP/2.0"
		server.StartTLS()
		defer server.Close()
		b := corstest.Browser{Transport: server.Client().Transport}

		got := b.Fetch(page, corstest.Request{Method: "PUT", URL: server.URL + "/from", Body: "text"})
		if got.Blocked != "" || got.Body != proto+" PUT 4 text" || len(got.Via) != 2 || got.Preflight == nil || got.Actual.Request.RequestURI != "/to?a" {
			t.Errorf("%s: %+v", proto, got)
		}
		if got := b.Fetch(page, corstest.Request{Method: "POST", URL: server.URL, Body: "text", StreamBody: true}); got.Body != proto+" POST -1 text" {
			t.Errorf("%s: stream: %q, %q", proto, got.Blocked, got.Body)
		}
		if got := b.Fetch(page, corstest.Request{Method: "POST", URL: server.URL}); got.Body != proto+" POST 0 " {
			t.Errorf("%s: no body: %q, %q", proto, got.Blocked, got.Body)
		}
		large := b.Fetch(page, corstest.Request{URL: server.URL + "/large"})
		if large.Blocked != "" || len(large.Body) != mebibyte || !strings.Contains(large.String(), "(corstest: the body is longer than 1 MiB)") {
			t.Errorf("%s: large body: %q, %d bytes", proto, large.Blocked, len(large.Body))
		}
		limit := b.Fetch(page, corstest.Request{URL: server.URL + "/limit"})
		if len(limit.Body) != mebibyte || strings.Contains(limit.String(), "longer") {
			t.Errorf("%s: body of the maximum size: %q, %d bytes", proto, limit.Blocked, len(limit.Body))
		}
		if got := b.Fetch(page, corstest.Request{URL: server.URL + "/broken"}); !strings.HasPrefix(got.Blocked, "the response was cut short: ") || got.Err() == nil || errors.As(got.Err(), new(*corstest.BlockedError)) {
			t.Errorf("%s: broken body: %q, %v", proto, got.Blocked, got.Err())
		}
		if got := b.Fetch(page, corstest.Request{URL: strings.Replace(server.URL, "https:", "http:", 1), Method: "PUT"}); got.Err() == nil && got.Blocked == "" {
			t.Errorf("%s: the response of a TLS server to HTTP: %+v", proto, got)
		}
	}
}

// TestTransportErrors uses transports that fail. The error must be the transport's
// error, not a BlockedError.
func TestTransportErrors(t *testing.T) {
	const gone = "http://127.0.0.1:3" // no server of another test gets this port
	distrusted := httptest.NewUnstartedServer(nil)
	distrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	distrusted.StartTLS()
	defer distrusted.Close()
	for url, want := range map[string]any{gone: new(*net.OpError), distrusted.URL: new(*tls.CertificateVerificationError)} {
		for _, method := range []string{"GET", "PUT"} {
			result := new(corstest.Browser).Fetch(page, corstest.Request{Method: method, URL: url})
			err := result.Err()
			if !errors.As(err, want) || errors.As(err, new(*corstest.BlockedError)) || !strings.Contains(result.String(), "failed: there is no response") {
				t.Errorf("%s: got %v\n%s", method, err, result)
			}
		}
	}
}

// TestTimeLimits compares the times that a Browser waits, by the clock of the
// test's bubble. It waits one second for the body of a response to a preflight.
func TestTimeLimits(t *testing.T) {
	silent := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	silentBody := func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	allowsAll := func(next http.HandlerFunc) *corstest.Browser {
		return &corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Allow-Methods", "*")
			next(w, r)
		})}
	}
	for _, test := range []struct {
		name    string
		browser *corstest.Browser
		method  string
		want    time.Duration
		blocked bool
	}{
		{"for a handler", serve(silent), "GET", 10 * time.Second, true},
		{"for its body", serve(silentBody), "GET", 10 * time.Second, false},
		{"for its body, after a preflight", serve(silentBody), "PUT", 11 * time.Second, false},
		{"for the body of OPTIONS, after a preflight", allowsAll(silentBody), "OPTIONS", 11 * time.Second, false},
		{"for a server", &corstest.Browser{Transport: roundTrip(silence)}, "GET", 30 * time.Second, true},
		{"for its body", &corstest.Browser{Transport: roundTrip(someBody)}, "GET", 30 * time.Second, false},
		{"for its body, after a preflight", &corstest.Browser{Transport: roundTrip(someBody)}, "PUT", 31 * time.Second, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				result := test.browser.Fetch(page, corstest.Request{Method: test.method, URL: api})
				if got := time.Since(start); got != test.want || result.Blocked != "" != test.blocked {
					t.Errorf("waited for %v, want %v\n%s", got, test.want, result)
				}
			})
		})
	}
}

// TestAbandonedHandler uses a handler that ignores its context. The Browser
// returns, and only the handler's goroutine remains.
func TestAbandonedHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, ended := make(chan struct{}), make(chan struct{})
		b := serve(func(w http.ResponseWriter, r *http.Request) {
			defer close(ended)
			w.(http.Flusher).Flush()
			<-release
			w.Header().Set("X-Late", "1")
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, "late")
			panic("late")
		})
		got := b.Fetch(page, corstest.Request{URL: api})
		close(release)
		<-ended
		if got.Blocked != "" || got.Status != 200 || got.Body != "" || got.Actual.Response.Header["X-Late"] != nil {
			t.Errorf("got %s", got)
		}
	})
}

// TestSlowTransport uses a transport that never responds, and one whose body never
// ends.
func TestSlowTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := corstest.Browser{Transport: roundTrip(silence)}
		if got, want := b.Fetch(page, corstest.Request{URL: api}).Blocked, "there is no response: corstest: the response took too long"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		for name, body := range map[string]roundTrip{"its body ends with the context": someBody, "it does not": deafBody} {
			b.Transport = body
			if got := b.Fetch(page, corstest.Request{URL: api}); got.Blocked != "" || got.Body != "some" || !strings.Contains(got.String(), "the first 4 bytes") {
				t.Errorf("%s: got %s", name, got)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			r, _ := http.NewRequestWithContext(ctx, "GET", api, nil)
			if _, err := b.Client(page).Do(r); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got error %v", name, err)
			}
			cancel()
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func silence(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func someBody(r *http.Request) (*http.Response, error) {
	body, w := io.Pipe()
	context.AfterFunc(r.Context(), func() { w.CloseWithError(r.Context().Err()) })
	go io.WriteString(w, "some")
	return &http.Response{StatusCode: 200, Header: http.Header{"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"PUT"}}, Body: body}, nil
}

// deafBody is someBody, but its body ends only when it is closed.
func deafBody(r *http.Request) (*http.Response, error) {
	return someBody(r.WithContext(context.WithoutCancel(r.Context())))
}

// TestConcurrentUse uses one Browser in many goroutines, and in its handler.
func TestConcurrentUse(t *testing.T) {
	var b *corstest.Browser
	b = serve(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/outer" {
			io.WriteString(w, b.Fetch(page, corstest.Request{Method: "PUT", URL: api}).Body)
			return
		}
		io.WriteString(w, "inner")
	})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			r := corstest.Request{Method: "PUT", URL: api + "/outer"}
			if i%2 == 0 {
				r.Method = "DELETE" // which clears the cache
			}
			if got := b.Fetch(page, r); got.Body != "inner" && i%2 != 0 {
				t.Errorf("got %s", got)
			}
			if _, err := b.Client(page).Get(api + "/outer"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
