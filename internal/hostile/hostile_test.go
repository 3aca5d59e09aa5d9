// Package hostile_test checks that hostile clients cannot disturb other clients or
// make the server use much memory.
package hostile_test

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// hostileMessages returns messages that a hostile client can send over HTTP/1.1.
// Each is for a separate connection, which the client half-closes afterwards.
func hostileMessages() []string {
	const (
		start = "OPTIONS / HTTP/1.1\r\nHost: api.example\r\n"
		ask   = start + "Origin: https://example-client.com\r\nAccess-Control-Request-Method: PUT\r\n"
	)
	messages := []string{
		// Connections that are half-closed in the middle of a request, and after it.
		"", "OPTI", start, ask + "Access-Control-Request-Headers: x-cus", ask + "\r\n",
		// As many header lines as the server accepts.
		ask + strings.Repeat("Access-Control-Request-Headers: x-a\r\n", 20_000) + "\r\n",
		start + strings.Repeat("Origin: https://example-client.com\r\n", 20_000) + "\r\n",
		start + strings.Repeat("Access-Control-Request-Method: PUT\r\n", 20_000) + "\r\n",
		// Pipelined requests.
		strings.Repeat(ask+"\r\n", 300),
		strings.Repeat("GET / HTTP/1.1\r\nHost: api.example\r\nOrigin: https://evil.example\r\n\r\n", 300),
	}
	// An Origin with the same long host as Host, so comparing them would be slow.
	for _, host := range []string{strings.Repeat("a", 500<<10), strings.Repeat("a.", 250<<10) + "example"} {
		messages = append(messages, "POST / HTTP/1.1\r\nHost: "+host+"\r\nOrigin: https://"+host+"\r\nContent-Length: 0\r\n\r\n")
	}
	for _, name := range []string{"Origin", "Sec-Fetch-Site", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
		for _, value := range []string{
			// Values as long as net/http accepts, and a longer value.
			strings.Repeat("a", 1<<20), strings.Repeat("a.", 1<<19), strings.Repeat("x-a,", 1<<18), strings.Repeat("a", 2<<20),
			"\x00", "\x01\x7f", "a\tb", "\x1b[31m", "\xff\xfe", "https://\xc3\x28.example", "\u202ehttps://example-client.com", " ", ",", "\v", "a\rb",
		} {
			messages = append(messages, ask+name+": "+value+"\r\n\r\n", start+name+": "+value+"\r\n\r\n")
		}
	}
	return messages
}

// sendHostile sends message to the HTTP/1.1 server at address, half-closes the
// connection, and returns everything that the server sends.
func sendHostile(address, message string) ([]byte, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		// The server can close the connection before it reads everything.
		if _, err := io.WriteString(conn, message); err == nil {
			conn.(*net.TCPConn).CloseWrite()
		}
	}()
	received, err := io.ReadAll(conn)
	conn.Close()
	<-sent
	return received, ifTimeout(err)
}

// ifTimeout returns err if a deadline passed, and nil otherwise. A server may close
// a hostile client's connection at any time, so the tests ignore other errors.
func ifTimeout(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// sendHostile2 sends a preflight with the header name: value to the HTTP/2
// server at address. It writes the frames itself, because http.Transport refuses
// some values. It waits until the server responds or closes the connection.
func sendHostile2(address, name, value string) error {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))

	// Literal header fields without indexing (RFC 7541, section 6.2.2).
	var block []byte
	for _, field := range [][2]string{
		{":method", "OPTIONS"}, {":scheme", "https"}, {":path", "/"}, {":authority", "api.example"},
		{"origin", "https://example-client.com"}, {"access-control-request-method", "PUT"}, {strings.ToLower(name), value},
	} {
		block = append(block, 0)
		for _, s := range field {
			if len(s) < 127 {
				block = append(block, byte(len(s)))
			} else {
				block = binary.AppendUvarint(append(block, 127), uint64(len(s)-127))
			}
			block = append(block, s...)
		}
	}
	const data, headers, rstStream, settings, goAway, continuation = 0x0, 0x1, 0x3, 0x4, 0x7, 0x9
	const endStream, endHeaders = 0x1, 0x4
	message := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	frame := func(kind, flags byte, stream uint32, payload []byte) {
		message = append(message, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags)
		message = append(binary.BigEndian.AppendUint32(message, stream), payload...)
	}
	frame(settings, 0, 0, nil)
	kind, flags := byte(headers), byte(endStream)
	for rest := block; ; {
		part := rest[:min(len(rest), 16<<10)]
		if rest = rest[len(part):]; len(rest) == 0 {
			frame(kind, flags|endHeaders, 1, part)
			break
		}
		frame(kind, flags, 1, part)
		kind, flags = continuation, 0
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		conn.Write(message)
	}()
	defer func() { conn.Close(); <-sent }()
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, head); err != nil {
			return ifTimeout(err)
		}
		if _, err := io.CopyN(io.Discard, conn, int64(head[0])<<16|int64(head[1])<<8|int64(head[2])); err != nil {
			return ifTimeout(err)
		}
		switch kind, flags := head[3], head[4]; {
		case kind == rstStream, kind == goAway, (kind == headers || kind == data) && flags&endStream != 0:
			return nil
		}
	}
}

// honestRequests are requests of an honest client, and the expected responses
// under testkit.ExamplePolicy.
var honestRequests = []struct {
	method string
	header []string
	status int
	want   []string
}{
	{"GET", nil, 200, []string{"Vary: Origin"}},
	{"PUT", []string{testkit.Friend}, 200, []string{"Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"}},
	{
		"OPTIONS", []string{testkit.Friend, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-custom-header"}, 204,
		[]string{
			"Access-Control-Allow-Headers: X-Custom-Header", "Access-Control-Allow-Methods: PUT",
			"Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin",
		},
	},
	{"PUT", []string{testkit.Stranger}, 403, []string{"Vary: Origin"}},
}

// sendHonest sends request i of honestRequests to url. It returns the status,
// and the lines of the response header that CORS uses.
func sendHonest(client *http.Client, url string, i int) (int, []string, error) {
	r, err := http.NewRequest(honestRequests[i].method, url, nil)
	if err != nil {
		return 0, nil, err
	}
	for _, line := range honestRequests[i].header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	got := slices.DeleteFunc(testkit.Lines(resp.Header), func(line string) bool {
		return !strings.HasPrefix(line, "Access-Control-") && !strings.HasPrefix(line, "Vary: ")
	})
	return resp.StatusCode, got, err
}

// newServers starts an HTTP/1.1 server and an HTTP/2 server that run h and do not
// log.
func newServers(h http.Handler) (http1, http2 *httptest.Server) {
	http1, http2 = httptest.NewUnstartedServer(h), httptest.NewUnstartedServer(h)
	for _, server := range []*httptest.Server{http1, http2} {
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
	}
	http2.EnableHTTP2 = true
	http1.Start()
	http2.StartTLS()
	return http1, http2
}

// TestHostileLoad sends hostile messages over HTTP/1.1 and HTTP/2, while honest
// clients check their responses. Afterwards, the server must not use more memory
// than before.
func TestHostileLoad(t *testing.T) {
	p := testkit.ExamplePolicy
	p.OnReject = func(*http.Request, *cors.RequestError) {}
	wrapped := testkit.MustNew(t, p).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("panic: %v", v)
			}
		}()
		wrapped.ServeHTTP(w, r)
	})
	messages := hostileMessages()
	status := regexp.MustCompile(`(?m)^HTTP/1.1 (\d+) `)

	round := func() {
		http1, http2 := newServers(h)
		// Close waits until all connections are closed.
		defer http2.Close()
		defer http1.Close()
		var hostile, honest sync.WaitGroup
		hostile.Go(func() {
			for _, message := range messages {
				received, err := sendHostile(http1.Listener.Addr().String(), message)
				if err != nil {
					t.Error(err)
				}
				if len(received) > 300*512 {
					t.Errorf("got %d bytes in response to %.100q", len(received), message)
				}
				for _, match := range status.FindAllSubmatch(received, -1) {
					if s := string(match[1]); !slices.Contains([]string{"200", "204", "400", "403", "431"}, s) {
						t.Errorf("got status %s in response to %.100q", s, message)
					}
				}
			}
		})
		hostile.Go(func() {
			for _, name := range []string{"Origin", "Sec-Fetch-Site", "Access-Control-Request-Method", "Access-Control-Request-Headers"} {
				for _, value := range []string{strings.Repeat("a,", 1<<19-1<<10), strings.Repeat("a", 2<<20), "\x00", "a\r\nb", "\xff\xfe", ""} {
					if err := sendHostile2(http2.Listener.Addr().String(), name, value); err != nil {
						t.Error(err)
					}
				}
			}
		})
		done := make(chan struct{})
		for _, server := range []*httptest.Server{http1, http2} {
			honest.Go(func() {
				for i := 0; ; i = (i + 1) % len(honestRequests) {
					code, got, err := sendHonest(server.Client(), server.URL, i)
					want := honestRequests[i]
					if err != nil || code != want.status || !slices.Equal(got, want.want) {
						t.Errorf("%s %q: got %d, %q, %v; want %d, %q", want.method, want.header, code, got, err, want.status, want.want)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		hostile.Wait()
		close(done)
		honest.Wait()
	}

	round()
	before := testkit.LiveBytes()
	round()
	if !testing.Short() {
		round()
	}
	after := testkit.LiveBytes()
	runtime.KeepAlive(messages)
	t.Logf("%d bytes of memory were live before the load, %d after", before, after)
	if after > before+2<<20 {
		t.Error("the server uses more memory than before")
	}
}

// TestNearMissesAreBounded checks that a hostile client cannot make the server search
// a long list. The message about a rejected origin names a similar entry of the
// policy, but only the first 256 entries are compared.
func TestNearMissesAreBounded(t *testing.T) {
	bytes := make(map[int]float64)
	for _, n := range []int{256, 100_000} {
		p := cors.Policy{OnReject: func(*http.Request, *cors.RequestError) {}}
		for i := range n {
			p.AllowedOrigins = append(p.AllowedOrigins, fmt.Sprintf("https://app-%06d.example", i))
		}
		m := testkit.MustNew(t, p)
		near := func(i int) bool {
			err := m.Check(testkit.NewRequest("GET", fmt.Sprintf("Origin: http://app-%06d.example", i)))
			return strings.Contains(err.Error(), fmt.Sprintf("%q is", p.AllowedOrigins[i]))
		}
		if !near(255) {
			t.Errorf("with %d entries, the message does not name entry 256, which must be compared", n)
		}
		if n > 256 && near(256) {
			t.Errorf("with %d entries, the message names entry 257, which must not be compared", n)
		}
		h, w, r := m.Handler(http.NotFoundHandler()), testkit.NewRecorder(), testkit.NewRequest("GET", testkit.Stranger)
		bytes[n] = testkit.AllocatedBytes(20, func() {
			w.Reset()
			h.ServeHTTP(w, r)
			m.Check(r)
		})
	}
	if bytes[100_000] > bytes[256]+64 {
		t.Errorf("a rejection and its check allocate %v bytes with 256 entries, and %v with 100,000", bytes[256], bytes[100_000])
	}
	t.Logf("%v bytes", bytes)
}

// BenchmarkHostileLoad measures the rate of honest requests while a hostile client
// sends all of its messages. It compares a bare handler with a handler inside the
// middleware. Run it with -benchtime=50x or more.
func BenchmarkHostileLoad(b *testing.B) {
	bare := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	servers := make([]*httptest.Server, 2)
	for i, h := range []http.Handler{bare, testkit.MustNew(b, testkit.ExamplePolicy).Handler(bare)} {
		http1, http2 := newServers(h)
		defer http1.Close()
		defer http2.Close()
		servers[i] = http1
	}
	messages := hostileMessages()
	rate := func(server *httptest.Server) float64 {
		var honest sync.WaitGroup
		var requests atomic.Int64
		done := make(chan struct{})
		start := time.Now()
		for range 2 {
			honest.Go(func() {
				for i := 0; ; i = (i + 1) % len(honestRequests) {
					select {
					case <-done:
						return
					default:
					}
					if _, _, err := sendHonest(server.Client(), server.URL, i); err != nil {
						b.Error(err)
						return
					}
					requests.Add(1)
				}
			})
		}
		for _, message := range messages {
			sendHostile(server.Listener.Addr().String(), message)
		}
		close(done)
		honest.Wait()
		return float64(requests.Load()) / time.Since(start).Seconds()
	}
	var rates [2][]float64
	var ratios []float64
	for n := 0; b.Loop(); n++ {
		for i := range rates {
			i = (i + n) % 2
			rates[i] = append(rates[i], rate(servers[i]))
		}
		ratios = append(ratios, rates[1][n]/rates[0][n])
	}
	median := func(list []float64) float64 {
		slices.Sort(list)
		return list[len(list)/2]
	}
	b.ReportMetric(median(rates[0]), "bare-req/s")
	b.ReportMetric(median(rates[1]), "wrapped-req/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(0, "ns/op")
}
