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
)

// TestByHand holds the code by hand to the headers that this library sends.
func TestByHand(t *testing.T) {
	other := [][2]string{{"Origin", "https://other.example.com"}}
	for _, k := range append(slices.Clone(kinds), kind{"no origin", "GET", nil}, kind{"rejected", "GET", other}) {
		r := httptest.NewRequest(k.method, "https://"+host+path, nil)
		for _, f := range k.fields {
			r.Header.Set(f[0], f[1])
		}
		answers := make(map[string]*httptest.ResponseRecorder)
		for _, w := range ways {
			answers[w.name] = httptest.NewRecorder()
			w.wrap(service).ServeHTTP(answers[w.name], r)
		}
		got, want := answers["floor-safe"], answers["this"]
		if got.Code != want.Code || !reflect.DeepEqual(got.Header(), want.Header()) {
			t.Errorf("%s: by hand %d %v, this library %d %v", k.name, got.Code, got.Header(), want.Code, want.Header())
		}
	}
}

// TestProtocols has every kind of exchange made three times on one connection,
// and looks at what arrives at the server.
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

// TestRefusal shows that no exchange takes an error for an answer.
func TestRefusal(t *testing.T) {
	a := listen(http.NotFoundHandler(), makeCertificate())
	for _, p := range protocols {
		conn := p.dial(a)
		if err := p.exchange(conn, kinds[0])(); err == nil {
			t.Errorf("%s: status 404 is no error", p.name)
		}
		conn.Close()
	}
}
