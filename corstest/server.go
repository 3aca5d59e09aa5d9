package corstest

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	bodyLimit       = 1 << 20
	bufferSize      = 4 << 10 // bytes that net/http buffers before a response begins
	handlerPatience = 10 * time.Second
	serverPatience  = 30 * time.Second
	bodyPatience    = time.Second // for the body of a preflight response, which browsers ignore
)

// send adds the browser's headers to the request ("HTTP-network-or-cache fetch",
// step 8), and sends it.
func (b *Browser) send(state *fetchState) *Exchange {
	ex := &Exchange{Request: b.outgoing(state)}
	patience := serverPatience
	if b.Handler != nil {
		patience = handlerPatience
	}
	ctx, cancel := context.WithCancelCause(state.ctx)
	defer cancel(nil)
	timer := time.AfterFunc(patience, func() { cancel(errTooLate) })
	defer timer.Stop()
	begun := func() {
		if isPreflight(ex.Request) {
			timer.Reset(bodyPatience)
		}
	}
	if b.Handler != nil {
		ex.serve(ctx, b.Handler, state.Body, begun)
	} else {
		ex.roundTrip(ctx, b.Transport, state, begun)
	}
	if ex.Response != nil {
		ex.Response.Body = io.NopCloser(strings.NewReader(ex.body))
	}
	return ex
}

// outgoing returns the request as a handler of net/http would get it.
func (b *Browser) outgoing(state *fetchState) *http.Request {
	h := state.Header.Clone()
	switch { // "append a request `Origin` header"
	case state.tainting == "cors" || state.Mode == WebSocket:
		h.Set("Origin", state.serializedOrigin())
	case state.Method == http.MethodGet || state.Method == http.MethodHead:
	case state.Mode != CORS && strings.HasPrefix(state.origin, "https:") && state.url.Scheme == "http":
		h.Set("Origin", "null") // by the default referrer policy
	default:
		h.Set("Origin", state.serializedOrigin())
	}
	state.updateSite()
	if isTrustworthy(state.url) && state.Mode != WebSocket { // Fetch Metadata, "append the Fetch metadata headers for a request"
		h.Set("Sec-Fetch-Dest", "empty")
		if state.Mode == Navigate {
			h.Set("Sec-Fetch-Dest", "document")
		}
		h.Set("Sec-Fetch-Mode", state.Mode.String())
		h.Set("Sec-Fetch-Site", state.site)
	}
	if b.sendsCookie(state) {
		h.Set("Cookie", b.Cookie)
	}
	if state.Mode == WebSocket { // WebSockets, "establish a WebSocket connection"
		h.Set("Connection", "Upgrade")
		h.Set("Upgrade", "websocket")
		h.Set("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==") // the example of RFC 6455
		h.Set("Sec-Websocket-Version", "13")
		h.Set("Sec-Websocket-Extensions", "permessage-deflate; client_max_window_bits")
	}
	r := &http.Request{
		Method:        state.Method,
		URL:           &url.URL{Path: state.url.Path, RawPath: state.url.RawPath, RawQuery: state.url.RawQuery, ForceQuery: state.url.ForceQuery},
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        h,
		Body:          io.NopCloser(strings.NewReader(state.Body)),
		ContentLength: int64(len(state.Body)),
		Host:          state.url.Host,
		RequestURI:    state.url.RequestURI(),
		RemoteAddr:    "192.0.2.1:1234",
	}
	if state.StreamBody {
		r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	}
	if state.url.Scheme == "https" {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true, ServerName: state.url.Hostname()}
	}
	return r
}

// roundTrip makes the exchange with a real server.
func (ex *Exchange) roundTrip(ctx context.Context, transport http.RoundTripper, state *fetchState, begun func()) {
	if transport == nil {
		transport = http.DefaultTransport
	}
	r := ex.Request.Clone(ctx)
	r.URL.Scheme, r.URL.Host = state.url.Scheme, state.url.Host
	r.RequestURI, r.RemoteAddr, r.TLS = "", "", nil
	r.Body = http.NoBody
	if state.Body != "" {
		r.Body = io.NopCloser(strings.NewReader(state.Body))
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		ex.err = err
		return
	}
	stream := res.Body // because send replaces res.Body
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { stream.Close() })() // a transport can ignore the context
	begun()
	if res.StatusCode == http.StatusSwitchingProtocols {
		ex.Response = res // the body is the connection
		return
	}
	body, err := io.ReadAll(io.LimitReader(stream, bodyLimit+1))
	if err == nil {
		err = ctx.Err() // a closed body can return EOF
	}
	switch {
	case len(body) > bodyLimit:
		body, ex.cut = body[:bodyLimit], errTooLong
	case err != nil && context.Cause(ctx) == errTooLate:
		ex.cut = errTooLate
	case err != nil && ctx.Err() != nil:
		ex.err = context.Cause(ctx)
	case err != nil:
		ex.err = err
	}
	ex.Response, ex.body = res, string(body)
}

// serve makes the exchange with a handler.
func (ex *Exchange) serve(ctx context.Context, handler http.Handler, body string, begun func()) {
	r := ex.Request.Clone(ctx) // because a handler can change its request
	r.Body = io.NopCloser(strings.NewReader(body))
	w := &recorder{ctx: ctx, onBegin: begun, header: make(http.Header), full: make(chan struct{})}
	var rw http.ResponseWriter = w
	if r.Header["Upgrade"] != nil { // a header that no script can set
		rw = hijackable{w, r}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.end()
		handler.ServeHTTP(rw, r)
		w.returned = true
	}()
	select {
	case <-done:
		if w.pending() {
			select {
			case <-w.full:
			case <-ctx.Done():
			}
		}
	case <-w.full:
	case <-ctx.Done():
	}
	w.result(ex)
}

// A recorder is an [http.ResponseWriter] that keeps the response in memory.
// Unlike [net/http/httptest.ResponseRecorder], it can be read while the handler
// still writes.
type recorder struct {
	ctx      context.Context // context of the handler; after it ends, writes fail
	onBegin  func()          // called when a client would see the status
	header   http.Header     // set by the handler
	returned bool            // whether the handler returned; used only by its goroutine

	mu       sync.Mutex
	sealed   http.Header // copy of header, made when the status was written
	status   int         // zero until it is written
	body     []byte
	begun    bool          // whether a client would have seen the status
	hijacked bool          // whether the handler took over the connection
	closed   bool          // whether all further writes fail
	ended    bool          // whether the handler ended the response in time
	cut      error         // why reading the body ended early
	err      error         // why the response is missing or incomplete
	full     chan struct{} // closed when there is no need to wait for the handler
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %d", status)) // as in net/http
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over() && (status > 199 || status == http.StatusSwitchingProtocols) { // other 1xx responses are not final
		w.seal(status)
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over() {
		return 0, http.ErrHandlerTimeout
	}
	w.seal(http.StatusOK)
	if w.status < 200 || w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	n := min(len(p), bodyLimit-len(w.body))
	w.body = append(w.body, p[:n]...)
	if len(w.body) > bufferSize {
		w.begin()
	}
	if n < len(p) {
		w.cut, w.closed = errTooLong, true
		close(w.full)
		return n, errTooLong
	}
	return n, nil
}

func (w *recorder) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w *recorder) Flush() { w.FlushError() }

// FlushError and the next three methods are for [http.ResponseController].
func (w *recorder) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over() {
		return http.ErrHandlerTimeout
	}
	w.seal(http.StatusOK)
	w.begin()
	return nil
}

func (w *recorder) SetReadDeadline(time.Time) error  { return nil }
func (w *recorder) SetWriteDeadline(time.Time) error { return nil }
func (w *recorder) EnableFullDuplex() error          { return nil }

// over reports whether writes of the handler are no longer recorded.
func (w *recorder) over() bool {
	return w.closed || w.ctx.Err() != nil
}

// seal stores the status and a copy of the headers, unless a status was stored.
func (w *recorder) seal(status int) {
	if w.status == 0 {
		w.status, w.sealed = status, w.header.Clone()
	}
}

// begin is called when a client of net/http would see the status: after a flush,
// after 4 KiB of the body, or at the end.
func (w *recorder) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.onBegin()
	_, typed := w.sealed["Content-Type"]
	if !typed && len(w.body) > 0 && w.sealed.Get("Content-Encoding") == "" && w.sealed.Get("Transfer-Encoding") == "" {
		w.sealed.Set("Content-Type", http.DetectContentType(w.body))
	}
}

// end is called when the handler returned, panicked or exited its goroutine.
func (w *recorder) end() {
	v := recover()
	w.mu.Lock()
	defer w.mu.Unlock()
	inTime := w.ctx.Err() == nil
	w.ended = inTime && !w.hijacked
	switch {
	case w.returned || !inTime:
	case v == nil:
		w.err = errors.New("the handler exited its goroutine") // as t.FailNow does
	case v == http.ErrAbortHandler:
		w.err = http.ErrAbortHandler
	default:
		w.err = &panicError{v, debug.Stack()}
	}
}

// result stores the response, or the part that was written, in ex.
func (w *recorder) result(ex *Exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.cut != nil:
		ex.cut = w.cut
	case w.err != nil:
		ex.err = w.err
	case w.ended:
		w.seal(http.StatusOK)
		w.begin()
	case w.hijacked && w.begun:
	case w.begun && context.Cause(w.ctx) == errTooLate:
		ex.cut = errTooLate
	default:
		ex.err = context.Cause(w.ctx)
	}
	if !w.begun {
		return
	}
	maps.DeleteFunc(w.sealed, func(_ string, values []string) bool { return len(values) == 0 })
	for _, values := range w.sealed {
		for i, value := range values { // as in the server of net/http
			values[i] = strings.Trim(newlines.Replace(value), "\t ")
		}
	}
	ex.body = string(w.body)
	ex.Response = &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, cmp.Or(http.StatusText(w.status), fmt.Sprintf("status code %d", w.status))),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sealed,
		ContentLength: -1,
	}
	if n, err := strconv.ParseInt(w.sealed.Get("Content-Length"), 10, 64); err == nil {
		ex.Response.ContentLength = n
	}
	if w.ended && ex.err == nil && ex.cut == nil && ex.Response.ContentLength > int64(len(w.body)) && hasBody(ex.Request.Method, w.status) {
		ex.err = io.ErrUnexpectedEOF // as with the server of net/http
	}
	if w.ended {
		ex.Response.Trailer = w.trailer()
	}
}

// A hijackable is a recorder that implements [http.Hijacker].
type hijackable struct {
	*recorder
	request *http.Request
}

// Hijack implements [http.Hijacker]. The client closes the connection after the
// response.
func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over() {
		return nil, nil, http.ErrHijacked
	}
	w.hijacked, w.closed = true, true
	server, client := net.Pipe()
	if w.status != 0 { // written before, which net/http allows
		w.begin()
		client.Close()
		close(w.full)
	} else {
		context.AfterFunc(w.ctx, func() { client.Close() })
		go w.receive(client)
	}
	return server, bufio.NewReadWriter(bufio.NewReader(server), bufio.NewWriter(server)), nil
}

// receive reads the response that the handler writes to the connection, except
// its body.
func (w hijackable) receive(client net.Conn) {
	defer client.Close()
	res, err := http.ReadResponse(bufio.NewReader(client), w.request)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		return
	}
	if err != nil {
		w.err = fmt.Errorf("the handler hijacked the connection and wrote no response: %w", err)
	} else {
		w.status, w.sealed = res.StatusCode, res.Header
		w.begin()
	}
	close(w.full)
}

// pending reports whether the handler hijacked the connection, and there is no
// response yet. After the handler returned, another goroutine can still write it.
func (w *recorder) pending() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hijacked && !w.begun && w.err == nil
}

// trailer returns the trailers: the announced ones, and the headers that have
// [http.TrailerPrefix].
func (w *recorder) trailer() http.Header {
	trailer := make(http.Header)
	for name, values := range w.header {
		announced := containsFold(split(strings.Join(w.sealed["Trailer"], ",")), name)
		after, prefixed := strings.CutPrefix(name, http.TrailerPrefix)
		if announced || prefixed {
			trailer[after] = values
		}
	}
	return trailer
}

var newlines = strings.NewReplacer("\n", " ", "\r", " ")

// A panicError is the error for a handler that panicked.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("the handler panicked: %v\n\n%s", e.value, e.stack)
}

func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}
