package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// A transport connects to servers as a browser does.
type transport struct {
	http *http.Transport
	ctx  context.Context // ends at the time limit for all requests
	each time.Duration   // time limit for each request, or 0
	cut  bool            // whether the time limit ended the body of a response
}

// errLate is the cause of a context that ends at the time limit.
type errLate struct{ limit time.Duration }

func (e errLate) Error() string { return fmt.Sprintf("no response within %v", e.limit) }

func newTransport(ctx context.Context, o options) *transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{InsecureSkipVerify: o.insecure}
	t.DialContext = func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		for _, host := range o.addresses(host, port) {
			var d net.Dialer
			if conn, err = d.DialContext(ctx, network, net.JoinHostPort(host, port)); err == nil {
				break
			}
		}
		return conn, err
	}
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if host := r.URL.Hostname(); o.addresses(host, port(r.URL))[0] != host {
			return nil, nil // the proxy looks up the name
		}
		return http.ProxyFromEnvironment(r)
	}
	return &transport{http: t, ctx: ctx}
}

// addresses returns the hosts to connect to for host and port: host itself,
// unless -resolve names an address or the name is a loopback name.
func (o options) addresses(host, port string) []string {
	if address, ok := o.resolve[strings.ToLower(host+":"+port)]; ok {
		return []string{address}
	}
	if isLocalhost(host) {
		return []string{"::1", "127.0.0.1"}
	}
	return []string{host}
}

// port returns the port of the server of u.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// isLocalhost reports whether browsers use loopback addresses for host, without
// a lookup.
func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// RoundTrip sends r. If the server closed the connection while it was idle,
// RoundTrip sends r again over a new connection, as browsers do for any method.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	// Package corstest cancels the context of r at its own time limit.
	ctx, end := context.WithCancel(r.Context())
	limit := t.ctx
	if t.each > 0 {
		var cancel context.CancelFunc
		limit, cancel = context.WithTimeoutCause(t.ctx, t.each, errLate{t.each})
		context.AfterFunc(ctx, cancel)
	}
	context.AfterFunc(limit, end)
	reused := false
	r = r.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
	}))
	if r.Header["Range"] == nil {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	if r.Body != http.NoBody {
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
		r.Body, _ = r.GetBody()
	}
	res, err := t.http.RoundTrip(r)
	if err != nil && reused && isClosed(err) && ctx.Err() == nil {
		t.http.CloseIdleConnections()
		if r.GetBody != nil {
			r.Body, _ = r.GetBody()
		}
		res, err = t.http.RoundTrip(r)
	}
	if err != nil {
		if limit.Err() != nil {
			err = context.Cause(limit)
		}
		return nil, err
	}
	if res.TransferEncoding != nil { // package http deletes the header
		res.Header["Transfer-Encoding"] = res.TransferEncoding
	}
	if strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		res.Body = &gunzip{ReadCloser: res.Body}
	}
	res.Body = body{res.Body, t, limit}
	return res, nil
}

// A gunzip is a reader that decompresses a body. If package http decompressed it,
// it would delete headers that scripts can read.
type gunzip struct {
	io.ReadCloser
	content *gzip.Reader // nil before the first Read
	err     error
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.content == nil && g.err == nil {
		g.content, g.err = gzip.NewReader(g.ReadCloser) // io.EOF if the body is empty
	}
	if g.err != nil {
		return 0, g.err
	}
	return g.content.Read(p)
}

// isClosed reports whether err means that the server closed a connection before
// it sent a response.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		err.Error() == "http: server closed idle connection" // from package http, which does not export it
}

// A body is the body of a response. At the time limit, it returns io.EOF instead
// of an error.
type body struct {
	io.ReadCloser
	t     *transport
	limit context.Context
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && errors.As(context.Cause(b.limit), new(errLate)) {
		b.t.cut, err = true, io.EOF
	}
	return n, err
}
