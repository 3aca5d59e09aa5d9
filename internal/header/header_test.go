package header_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/header"
)

// Each row is a name, and where it is at fault, how the reason begins.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		of     string
		fault  func(string) string
		reason map[string]string
	}{
		{
			"a method", header.FaultOfMethod,
			map[string]string{
				"GET": "", "PUT": "", "PATCH": "", "QUERY": "", "PURGE": "", "purge": "", "Propfind": "", "M-SEARCH": "", "CONNECTED": "", "TRACES": "", "get-all": "",
				"put": "methods are case-sensitive", "Options": "methods are case-sensitive", "query": "methods are case-sensitive",
				"TRACE": "browsers do not let", "Connect": "browsers do not let", "track": "browsers do not let",
				"": "is not a name", "PÜT": "is not a name", "PUT ": "has white space around it", "PUT,GET": "is not one name", "PUT;": "is not one name", "P*": `has a "*" within`,
			},
		},
		{
			"a request header", header.FaultOfRequestHeader,
			map[string]string{
				"Authorization": "", "x-request-id": "", "Content-Type": "", "Cookies": "", "Hosts": "", "Security": "", "Proxy": "", "Access-Control": "", "Access-Control-Request-Private-Network": "",
				"cookie": "scripts cannot set cookies", "Cookie2": "scripts cannot set cookies",
				"Host": "browsers do not let", "origin": "browsers do not let", "DNT": "browsers do not let", "te": "browsers do not let", "Sec-Ch-Ua": "browsers do not let", "proxy-authorization": "browsers do not let",
				"access-control-request-method": "browsers do not let", "Access-Control-Request-Headers": "browsers do not let",
				"Access-Control-Allow-Origin": "is a response header of CORS", "access-control-max-age": "is a response header of CORS",
				"": "is not a name", "x:": "is not a name", "\tx": "has white space around it", "a b": "is not one name", "x-*": `has a "*" within`, "**": `has a "*" within`,
			},
		},
		{
			"an exposed header", func(s string) string { return header.FaultOfResponseHeader(s, false) },
			map[string]string{
				"*": "", "ETag": "", "x-total-count": "", "Set-Cookies": "", "Access-Control-Allow-Origin": "",
				"set-cookie": "browsers never let", "Set-Cookie2": "browsers never let",
				"Origin": "is a request header of CORS", "access-control-request-method": "is a request header of CORS", "Access-Control-Request-Headers": "is a request header of CORS",
				"Access-Control-Max-Age": "is in answers to preflights only", "access-control-allow-methods": "is in answers to preflights only", "Access-Control-Allow-Headers": "is in answers to preflights only",
				"": "is not a name", "ETag\n": "has white space around it", "ETag, Age": "is not one name", "X-*": `has a "*" within`,
			},
		},
		{
			"an exposed header with credentials", func(s string) string { return header.FaultOfResponseHeader(s, true) },
			map[string]string{"ETag": "", "*": "with AllowCredentials, browsers take", "set-cookie": "browsers never let"},
		},
	} {
		for name, want := range test.reason {
			if got := test.fault(name); (got == "") != (want == "") || !strings.HasPrefix(got, want) {
				t.Errorf("%q as %s: got %q, want %q", name, test.of, got, want)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const tokens = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := range 256 {
		s := string([]byte{byte(c)})
		if got, want := header.IsToken("a"+s), strings.Contains(tokens, s); got != want {
			t.Errorf("%q is a character of tokens: %t, want %t", s, got, want)
		}
		want := byte(c)
		if 'A' <= c && c <= 'Z' {
			want = strings.ToLower(s)[0]
		}
		if got := header.Lower(byte(c)); got != want {
			t.Errorf("%q in lower case is %q, want %q", s, got, want)
		}
	}
	if header.IsToken("") {
		t.Error("nothing is a token")
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		list []string
		want []string
	}{
		{"no name", nil, nil},
		{"one name", []string{"PUT"}, []string{"PUT"}},
		{"the first of each name, in order", []string{"PUT", "DELETE", "PUT", "*", "DELETE"}, []string{"PUT", "DELETE", "*"}},
	} {
		if got := header.Unique(test.list); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
