// Package testkit has helpers that the tests of several packages share: policies,
// requests, recorders and measurements.
package testkit

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

// MustNew returns a Middleware with the valid policy p.
func MustNew(t testing.TB, p cors.Policy) *cors.Middleware {
	t.Helper()
	m, err := cors.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// NewRequest returns a request for https://api.example/. Each string of header is
// a line "Name: value".
func NewRequest(method string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "https://api.example/", nil)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// Serve sends r through m and reports whether the wrapped handler ran.
func Serve(m *cors.Middleware, r *http.Request) (w *httptest.ResponseRecorder, ran bool) {
	w = httptest.NewRecorder()
	m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ran = true
		io.WriteString(w, "served")
	})).ServeHTTP(w, r)
	return w, ran
}

// Lines returns h as sorted "Name: value" lines.
func Lines(h http.Header) []string {
	var lines []string
	for name, values := range h {
		for _, value := range values {
			lines = append(lines, name+": "+value)
		}
	}
	slices.Sort(lines)
	return lines
}

const (
	// Header lines with an origin that ExamplePolicy allows, and with another.
	Friend   = "Origin: https://example-client.com"
	Stranger = "Origin: https://evil.example"

	// Bodies of the 403 response: for an Origin that is not allowed, and for a
	// cross-site request without Origin.
	Rejection     = "cross-origin request rejected: the CORS policy does not allow its origin\n"
	SiteRejection = "cross-site request rejected: it has no Origin header\n"
)

// ExamplePolicy allows one origin.
var ExamplePolicy = cors.Policy{
	AllowedOrigins: []string{"https://example-client.com"},
	AllowedMethods: []string{http.MethodPut},
	AllowedHeaders: []string{"X-Custom-Header"},
}

// PolicyErrors returns the errors that err, an error from New, joins.
func PolicyErrors(tb testing.TB, err error) []*cors.PolicyError {
	tb.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		tb.Fatalf("error %v does not join other errors", err)
	}
	var list []*cors.PolicyError
	for _, err := range joined.Unwrap() {
		var p *cors.PolicyError
		if !errors.As(err, &p) {
			tb.Fatalf("error %v is not a *PolicyError", err)
		}
		list = append(list, p)
	}
	return list
}

// AllowsPage reports whether m allows pages on origin, which is not the server's
// own origin.
func AllowsPage(m *cors.Middleware, origin string) bool {
	r := &http.Request{Method: http.MethodGet, Host: "api.example", Header: http.Header{
		"Origin":         {origin},
		"Sec-Fetch-Site": {"cross-site"},
	}}
	return m.Check(r) == nil
}

// CheckRequestHeaders returns the error from Check for a preflight from an allowed
// origin with lines as Access-Control-Request-Headers.
func CheckRequestHeaders(m *cors.Middleware, lines []string) *cors.RequestError {
	r := &http.Request{Method: http.MethodOptions, Host: "api.example", Header: http.Header{
		"Origin":                         {"https://example.com"},
		"Access-Control-Request-Method":  {"GET"},
		"Access-Control-Request-Headers": lines,
	}}
	if err := m.Check(r); err != nil {
		return err.(*cors.RequestError)
	}
	return nil
}

// Scribble overwrites all values of h in place and then appends to them.
// Careless code around a middleware can do this.
func Scribble(h http.Header) {
	for name, values := range h {
		for i := range values {
			values[i] = "scribble"
		}
		h[name] = append(values, "scribble")
	}
}

// Policies are valid policies that together cause every kind of response.
var Policies = []cors.Policy{
	{},
	{
		AllowedOrigins: []string{"https://example.com", "https://example.com:8443"},
		AllowedMethods: []string{"PUT", "DELETE", "PUT"},
		AllowedHeaders: []string{"authorization", "X-Custom-Header", "Authorization"},
		ExposedHeaders: []string{"etag", "X-Total-Count"},
		MaxAge:         2 * time.Hour,
	},
	{
		AllowedOrigins:   []string{"https://*.example.com", "http://localhost:*", "null"},
		AllowedMethods:   []string{"POST"},
		AllowCredentials: true,
		MaxAge:           -1,
		AcceptRisks:      cors.RiskNullOrigin,
		DenyHandler:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	},
	{
		AllowedOrigins: []string{"*"},
	},
	{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{"*", "PUT"},
		AllowedHeaders: []string{"*", "Authorization"},
		ExposedHeaders: []string{"*"},
		MaxAge:         time.Second,
	},
	{
		AllowedOrigins:   []string{"https://example.com"},
		AllowedMethods:   []string{"*"},
		AllowedHeaders:   []string{"*"},
		AllowCredentials: true,
	},
	{
		AllowedOrigins:   []string{"https://example.com", "http://*.localhost:*"},
		AllowedMethods:   []string{"*", "PUT"},
		AllowedHeaders:   []string{"X-Custom-Header", "*"},
		ExposedHeaders:   []string{"ETag"},
		AllowCredentials: true,
	},
	{
		AllowedOrigins: []string{"https://pr-*-x.example.com", "app-x://*", "file://"},
		ExposedHeaders: []string{"ETag"},
		AcceptRisks:    cors.RiskNullOrigin,
	},
	{
		AllowedHeaders:  []string{"*"},
		AllowOriginFunc: func(r *http.Request, origin string) bool { return strings.Contains(origin, "e") },
	},
	{
		AllowedOrigins: []string{"https://*"},
		AllowedMethods: []string{"TRACE", "PATCH"},
		AllowedHeaders: []string{"Origin", "Content-Length"},
		PassRejected:   true,
	},
}

// SameError reports whether a and b are both nil, or differ only in their messages.
func SameError(a, b *cors.RequestError) bool {
	return a == b || a != nil && b != nil && a.Preflight == b.Preflight && a.Field == b.Field && a.Value == b.Value
}
