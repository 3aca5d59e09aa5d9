//go:build unix

package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/testkit"
)

// TestHandWritten compares the responses of the hand-written code with those of
// this package, and expects one allocation for each.
func TestHandWritten(t *testing.T) {
	this := ways[thisPackage].wrap
	other := [2]string{"Origin", "https://other.example.com"}
	cases := append(slices.Clone(kinds),
		kind{"no Origin", "GET", nil},
		kind{"OPTIONS from an allowed origin", "OPTIONS", browser},
		kind{"rejected", "GET", [][2]string{other}},
		kind{"rejected preflight", "OPTIONS", [][2]string{other, {"Access-Control-Request-Method", "PUT"}, {"Sec-Fetch-Site", "same-origin"}}},
		kind{"same-origin", "POST", [][2]string{other, {"Sec-Fetch-Site", "same-origin"}}},
		kind{"same-origin, from an old browser", "POST", [][2]string{{"Origin", "https://" + host}}},
	)
	for _, k := range cases {
		r := httptest.NewRequest(k.method, "https://"+host+path, nil)
		for _, f := range k.fields {
			r.Header.Set(f[0], f[1])
		}
		for _, before := range []http.Header{nil, {"Vary": {"Accept-Encoding"}, "Content-Length": {"2"}}} {
			got, want := httptest.NewRecorder(), httptest.NewRecorder()
			maps.Copy(got.Header(), before)
			maps.Copy(want.Header(), before)
			handWritten(service).ServeHTTP(got, r)
			this(service).ServeHTTP(want, r)
			if got.Code != want.Code || !reflect.DeepEqual(got.Header(), want.Header()) || got.Body.String() != want.Body.String() {
				t.Errorf("%s, after %v: hand-written %d %v %q, this package %d %v %q", k.name, before,
					got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
			}
		}
		handler := handWritten(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		w := testkit.NewRecorder()
		if n := testing.AllocsPerRun(100, func() {
			w.Reset()
			handler.ServeHTTP(w, r)
		}); n != 1 {
			t.Errorf("%s: %v allocations, want 1", k.name, n)
		}
	}
}

// TestProtocols makes each kind of exchange three times on one connection and
// checks the requests that arrive at the server.
func TestProtocols(t *testing.T) {
	certificate := makeCertificate()
	for _, p := range protocols {
		for _, k := range kinds {
			var got []*http.Request
			conn := p.dial(listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = append(got, r)
				service(w, r)
			}), certificate))
			exchange := p.exchange(conn, k)
			for i := range 3 {
				if err := exchange(); err != nil {
					t.Fatalf("%s, %s, exchange %d: %v", p.name, k.name, i+1, err)
				}
			}
			conn.Close()
			if len(got) != 3 {
				t.Fatalf("%s, %s: the server got %d requests, want 3", p.name, k.name, len(got))
			}
			want := make(http.Header)
			for _, f := range k.fields {
				want.Set(f[0], f[1])
			}
			for _, r := range got {
				name := strings.TrimSuffix(r.Proto, ".0")
				if r.TLS != nil {
					name += "-TLS"
				}
				if name != p.name {
					t.Errorf("%s, %s: the server got a request by %s", p.name, k.name, name)
				}
				if r.Method != k.method || r.URL.Path != path || r.Host != host || !maps.EqualFunc(r.Header, want, slices.Equal) {
					t.Errorf("%s, %s: the server got %s %s for %s with %v", p.name, k.name, r.Method, r.URL.Path, r.Host, r.Header)
				}
			}
		}
	}
}

// TestErrorStatus shows that an exchange reports an error status.
func TestErrorStatus(t *testing.T) {
	a := listen(http.NotFoundHandler(), makeCertificate())
	for _, p := range protocols {
		conn := p.dial(a)
		if err := p.exchange(conn, kinds[0])(); err == nil {
			t.Errorf("%s: status 404 is not an error", p.name)
		}
		conn.Close()
	}
}
