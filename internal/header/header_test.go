package header_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/header"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	requestHeader, responseHeader := header.FaultOfRequestHeader, func(s string) string { return header.FaultOfResponseHeader(s, false) }
	credentialed := func(s string) string { return header.FaultOfResponseHeader(s, true) }
	for _, test := range []struct {
		name  string
		fault func(string) string
		want  string // the beginning of the reason
		names []string
	}{
		{"accepts methods", header.FaultOfMethod, "", []string{"GET", "PUT", "PATCH", "QUERY", "PURGE", "purge", "Propfind", "M-SEARCH", "CONNECTED", "TRACES", "get-all", "CONNECT", "trace", "READ", "SET", "CUT", "PUR", "APT", "UIT", "UPS"}},
		{"refuses methods in another case", header.FaultOfMethod, "is not uppercase", []string{"put", "Options", "query"}},
		{"refuses misspelled methods", header.FaultOfMethod, "is a misspelled method", []string{"OPTION", "OPTIONNS", "option", "GTE", "DELEET", "PATHC", "PSOT", "POSTX", "OST"}},
		{"refuses white space around methods", header.FaultOfMethod, "has white space around it", []string{"PUT ", "\tGET"}},
		{"refuses lists of methods", header.FaultOfMethod, "is not a single name", []string{"PUT,GET", "PUT;", "A B"}},
		{"refuses wildcards in methods", header.FaultOfMethod, `has a "*" within a name`, []string{"P*", "**"}},
		{"refuses characters that no method has", header.FaultOfMethod, "is not a valid name", []string{"PÜT", "A/B"}},
		{"refuses an empty method", header.FaultOfMethod, "is empty", []string{""}},

		{"accepts request headers", requestHeader, "", []string{
			"Authorization", "x-request-id", "Content-Type", "Cookies", "Hosts", "Security", "Proxy", "Access-Control", "Access-Control-Request-Private-Network",
			"Host", "origin", "DNT", "te", "Set-Cookie", "access-control-request-method", "Sec-Ch-Ua", "sec-fetch-site", "Sec-GPC", "Sec-Purpose", "Sec-WebSocket-Key", "proxy-authorization", "Proxy-Connection",
			"Access-Control-Allow-Origin", "access-control-max-age",
		}},
		{"refuses cookies", requestHeader, "is a header that scripts cannot set", []string{"cookie", "Cookie2"}},
		{"refuses unknown names with a forbidden prefix", requestHeader, "can never arrive", []string{"Sec-", "sec-custom", "Proxy-", "Proxy-Custom", "Sec-Fetch", "Sec-Chua", "Sec-Gpcs"}},
		{"refuses values of Content-Type", requestHeader, "is a value of Content-Type", []string{"application/json", "text/*", "application/json; charset=utf-8"}},
		{"refuses lists of request headers", requestHeader, "is not a single name", []string{"a b", "a,b", "a,b/c"}},
		{"refuses white space around request headers", requestHeader, "has white space around it", []string{"\tx"}},
		{"refuses wildcards in request headers", requestHeader, `has a "*" within a name`, []string{"x-*", "**"}},
		{"refuses characters that no request header has", requestHeader, "is not a valid name", []string{"x/", "/x", ":x"}},
		{"refuses values after request headers", requestHeader, `contains a value; did you mean "`, []string{"x:", "Content-Type: application/xml;q=1", "X-A:b"}},
		{"refuses cookies with white space or a value", requestHeader, "is a header that scripts cannot set", []string{" Cookie", "cookie: a=b"}},
		{"refuses lowercase methods with white space", header.FaultOfMethod, "is not uppercase", []string{"Put ", "put"}},

		{"accepts exposed headers", responseHeader, "", []string{"*", "ETag", "x-total-count", "Set-Cookies", "Access-Control-Allow-Origin", "Origin", "Access-Control-Max-Age", "access-control-request-method"}},
		{"refuses to expose cookies", responseHeader, "is a header that browsers never let scripts read", []string{"set-cookie", "Set-Cookie2"}},
		{"refuses malformed exposed headers", responseHeader, "is not a single name", []string{"ETag, Age"}},
		{"refuses wildcards in exposed headers", responseHeader, `has a "*" within a name`, []string{"X-*"}},
		{"accepts exposed headers with credentials", credentialed, "", []string{"ETag"}},
		{`refuses to expose "*" with credentials`, credentialed, "with AllowCredentials is literal", []string{"*"}},
		{"suggests exposed headers without white space", responseHeader, `has white space around it; did you mean "ETag"?`, []string{" ETag"}},
		{"refuses to expose cookies with white space", responseHeader, "is a header that browsers never let scripts read", []string{"Set-Cookie "}},
		{"refuses to expose cookies with credentials", credentialed, "is a header that browsers never let scripts read", []string{"set-cookie"}},
	} {
		for _, name := range test.names {
			if got := test.fault(name); (got == "") != (test.want == "") || !strings.HasPrefix(got, test.want) {
				t.Errorf("%s: %q: got %q, want %q", test.name, name, got, test.want)
			}
		}
	}
}

func TestForbiddenNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		forbidden func(string) bool
		yes, no   []string
	}{
		{"methods", header.IsForbiddenMethod, []string{"CONNECT", "trace", "Track"}, []string{"GET", "TRACES", ""}},
		{
			"request headers", header.IsForbiddenRequestHeader,
			[]string{
				"Accept-Charset", "accept-encoding", "Access-Control-Request-Headers", "Access-Control-Request-Method", "Connection", "Content-Length",
				"Cookie", "Cookie2", "Date", "DNT", "Expect", "Host", "Keep-Alive", "Origin", "Referer", "Set-Cookie", "TE", "Trailer", "Transfer-Encoding",
				"Upgrade", "via", "proxy-authorization", "Proxy-Connection", "sec-fetch-site", "Sec-CH-UA", "Sec-WebSocket-Protocol", "Sec-GPC", "Sec-Purpose",
			},
			[]string{"Accept", "Authorization", "User-Agent", "Sec-Custom", "Proxy-Custom", "Access-Control-Allow-Origin", ""},
		},
	} {
		for _, name := range test.yes {
			if !test.forbidden(name) {
				t.Errorf("%s: %q is not forbidden", test.name, name)
			}
		}
		for _, name := range test.no {
			if test.forbidden(name) {
				t.Errorf("%s: %q is forbidden", test.name, name)
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
			t.Errorf("a token can contain %q: %t, want %t", s, got, want)
		}
		want := byte(c)
		if 'A' <= c && c <= 'Z' {
			want = strings.ToLower(s)[0]
		}
		if got := header.Lower(byte(c)); got != want {
			t.Errorf("%q in lowercase is %q, want %q", s, got, want)
		}
	}
	if header.IsToken("") {
		t.Error("the empty string is a token")
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		list []string
		want []string
	}{
		{"keeps an empty list", nil, nil},
		{"keeps one name", []string{"PUT"}, []string{"PUT"}},
		{"keeps the first of each name, in order", []string{"PUT", "DELETE", "PUT", "*", "DELETE"}, []string{"PUT", "DELETE", "*"}},
	} {
		if got := header.Unique(test.list); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
