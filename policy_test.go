package cors_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

// suffixes is a cookiejar.PublicSuffixList of a few.
type suffixes struct{}

func (suffixes) String() string { return "for tests" }

func (suffixes) PublicSuffix(domain string) string {
	if name, ok := strings.CutSuffix(domain, ".kobe.jp"); ok {
		return name[strings.LastIndexByte(name, '.')+1:] + ".kobe.jp" // the rule is *.kobe.jp
	}
	for _, suffix := range []string{"github.io", "co.uk"} {
		if domain == suffix || strings.HasSuffix(domain, "."+suffix) {
			return suffix
		}
	}
	return domain[strings.LastIndexByte(domain, '.')+1:]
}

func anyFunc(*http.Request, string) bool { return true }

func origins(origins ...string) cors.Policy { return cors.Policy{AllowedOrigins: origins} }

func credentialed(origins ...string) cors.Policy {
	return cors.Policy{AllowedOrigins: origins, AllowCredentials: true}
}

func TestRefusedPolicies(t *testing.T) {
	t.Parallel()
	label63, label64 := strings.Repeat("a", 63), strings.Repeat("a", 64)
	host253 := strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
	withFunc := origins("*")
	withFunc.AllowOriginFunc = anyFunc
	withSuffixes := credentialed("https://*.github.io", "https://*.example.github.io", "https://*.co.uk", "https://*.example", "https://*.kobe.jp", "https://*.a.kobe.jp", "https://*.b.a.kobe.jp")
	withSuffixes.PublicSuffixes = suffixes{}

	tests := []struct {
		name   string
		policy cors.Policy
		// The beginning of each message: field, index, value and fault; and
		// its end: what to write instead.
		want [][2]string
	}{
		{"no scheme", origins("example.com"), [][2]string{{`AllowedOrigins[0] "example.com": has no scheme`, `did you mean "https://example.com"?`}}},
		{"no scheme, but a port", origins("localhost:3000"), [][2]string{{`AllowedOrigins[0] "localhost:3000": has no scheme`, `did you mean "http://localhost:3000"?`}}},
		{"no scheme, but a loopback address", origins("127.0.0.1"), [][2]string{{`AllowedOrigins[0] "127.0.0.1": has no scheme`, `did you mean "http://127.0.0.1"?`}}},
		{"no scheme, but slashes", origins("//example.com"), [][2]string{{`AllowedOrigins[0] "//example.com": has no scheme`, `did you mean "https://example.com"?`}}},
		{"no scheme, but a wildcard", origins("*.example.com"), [][2]string{{`AllowedOrigins[0] "*.example.com": has no scheme`, `did you mean "https://*.example.com"?`}}},
		{"a single slash", origins("https:/example.com"), [][2]string{{`AllowedOrigins[0] "https:/example.com": has no scheme`, `did you mean "https://example.com"?`}}},
		{"a missing colon", origins("http//localhost:3000"), [][2]string{{`AllowedOrigins[0] "http//localhost:3000": has no scheme`, `did you mean "http://localhost:3000"?`}}},
		{"a semicolon for a colon", origins("https;//example.com"), [][2]string{{`AllowedOrigins[0] "https;//example.com": is not one origin`, `did you mean "https://example.com"?`}}},
		{"no slashes", origins("https:example.com"), [][2]string{{`AllowedOrigins[0] "https:example.com": has no scheme`, `did you mean "https://example.com"?`}}},
		{"a host that begins like a scheme", origins("https.example.com"), [][2]string{{`AllowedOrigins[0] "https.example.com": has no scheme`, `did you mean "https://https.example.com"?`}}},
		{"a host that begins like localhost", origins("localhosts.example.com"), [][2]string{{`AllowedOrigins[0] "localhosts.example.com": has no scheme`, `did you mean "https://localhosts.example.com"?`}}},
		{"no scheme, but an IPv6 address", origins("[::1]:3000"), [][2]string{{`AllowedOrigins[0] "[::1]:3000": has no scheme`, `did you mean "http://[::1]:3000"?`}}},
		{"a word", origins("all"), [][2]string{{`AllowedOrigins[0] "all": has no scheme`, `write it out, as in "https://example.com"`}}},
		{"null in another case", origins("Null"), [][2]string{{`AllowedOrigins[0] "Null": has no scheme`, `did you mean "null"?`}}},
		{"an email address", origins("mailto:a@b.example"), [][2]string{{`AllowedOrigins[0] "mailto:a@b.example": has no scheme`, `write it out, as in "https://example.com"`}}},
		{"a WebSocket", origins("wss://example.com"), [][2]string{{`AllowedOrigins[0] "wss://example.com": is a WebSocket's address`, `did you mean "https://example.com"?`}}},
		{"an insecure WebSocket", origins("WS://example.com/chat"), [][2]string{{`AllowedOrigins[0] "WS://example.com/chat": is a WebSocket's address`, `did you mean "http://example.com"?`}}},
		{"quotes", origins(`"https://example.com"`), [][2]string{{`AllowedOrigins[0] "\"https://example.com\"": has a scheme that is none`, `did you mean "https://example.com"?`}}},
		{"an invisible character", origins("\ufeffhttps://example.com"), [][2]string{{`AllowedOrigins[0] "\ufeffhttps://example.com": has white space or invisible characters in it`, `did you mean "https://example.com"?`}}},
		{"a regular expression", origins(`^https://.*\.example\.com$`), [][2]string{{`AllowedOrigins[0] "^https://.*\.example\.com$": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"another", origins(`https://[a-z]+.example.com`), [][2]string{{`AllowedOrigins[0] "https://[a-z]+.example.com": has characters in its host that browsers do not leave there`, `or an IPv6 address in brackets`}}},
		{"a user that looks like a host", origins("https://example.com@evil.example"), [][2]string{{`AllowedOrigins[0] "https://example.com@evil.example": has a user in it`, `remove it`}}},
		{"several ports", origins("http://localhost:3000,3001"), [][2]string{{`AllowedOrigins[0] "http://localhost:3000,3001": is not one origin`, `write each as an element of its own`}}},
		{"no port after a colon", origins("http://localhost:"), [][2]string{{`AllowedOrigins[0] "http://localhost:": has a port that is none`, `did you mean "http://localhost"?`}}},
		{"any origin, twice, and another", origins("*", "*", "https://a.example"), [][2]string{{`AllowedOrigins[0] "*": allows any origin, which makes the other origins pointless`, `remove them, or remove this`}}},
		{"nothing", origins(""), [][2]string{{`AllowedOrigins[0] "": is empty`, "or remove it"}}},
		{"an empty scheme", origins("://example.com"), [][2]string{{`AllowedOrigins[0] "://example.com": has a scheme that is none`, `write one such as "https"`}}},
		{"a scheme that is none", origins("1a://example.com"), [][2]string{{`AllowedOrigins[0] "1a://example.com": has a scheme that is none`, `write one such as "https"`}}},
		{"a trailing slash", origins("https://example.com/"), [][2]string{{`AllowedOrigins[0] "https://example.com/": has a path`, `did you mean "https://example.com"?`}}},
		{"a path", origins("https://example.com/app"), [][2]string{{`AllowedOrigins[0] "https://example.com/app": has a path`, `did you mean "https://example.com"?`}}},
		{"a query", origins("https://example.com?q"), [][2]string{{`AllowedOrigins[0] "https://example.com?q": has a path, a query`, `did you mean "https://example.com"?`}}},
		{"a fragment", origins("https://example.com#f"), [][2]string{{`AllowedOrigins[0] "https://example.com#f": has a path, a query or a fragment`, `did you mean "https://example.com"?`}}},
		{"a path without a mend", origins("https://a^b/"), [][2]string{{`AllowedOrigins[0] "https://a^b/": has a path`, `end after the host and port`}}},
		{"a user", origins("https://user:pw@example.com"), [][2]string{{`AllowedOrigins[0] "https://user:pw@example.com": has a user in it`, `remove it`}}},
		{"upper case in the host", origins("https://Example.com"), [][2]string{{`AllowedOrigins[0] "https://Example.com": has upper case in it`, `did you mean "https://example.com"?`}}},
		{"upper case in the scheme", origins("HTTPS://example.com"), [][2]string{{`AllowedOrigins[0] "HTTPS://example.com": has upper case in it`, `did you mean "https://example.com"?`}}},
		{"white space around", origins(" https://example.com "), [][2]string{{`AllowedOrigins[0] " https://example.com ": has white space or invisible characters in it`, `did you mean "https://example.com"?`}}},
		{"white space within", origins("https://a.example https://b.example"), [][2]string{{`AllowedOrigins[0] "https://a.example https://b.example": is not one origin`, `write each as an element of its own`}}},
		{"a control character", origins("https://example.com\x00"), [][2]string{{`AllowedOrigins[0] "https://example.com\x00": has white space or invisible characters in it`, `remove them`}}},
		{"two in one string", origins("https://a.example,https://b.example"), [][2]string{{`AllowedOrigins[0] "https://a.example,https://b.example": is not one origin`, `write each as an element of its own`}}},
		{"https's default port", origins("https://example.com:443"), [][2]string{{`AllowedOrigins[0] "https://example.com:443": has its scheme's default port in it`, `did you mean "https://example.com"?`}}},
		{"http's default port", origins("http://*.example.com:80"), [][2]string{{`AllowedOrigins[0] "http://*.example.com:80": has its scheme's default port in it`, `did you mean "http://*.example.com"?`}}},
		{"port 0", origins("https://example.com:0"), [][2]string{{`AllowedOrigins[0] "https://example.com:0": has a port that is none`, `write a number from 1 to 65535 without leading zeros, or nothing`}}},
		{"port 65536", origins("https://example.com:65536"), [][2]string{{`AllowedOrigins[0] "https://example.com:65536": has a port that is none`, `or nothing`}}},
		{"a port of six digits", origins("https://example.com:100000"), [][2]string{{`AllowedOrigins[0] "https://example.com:100000": has a port that is none`, `or nothing`}}},
		{"a port with a leading zero", origins("https://example.com:08080"), [][2]string{{`AllowedOrigins[0] "https://example.com:08080": has a port that is none`, `or nothing`}}},
		{"an empty port", origins("app://example.com:"), [][2]string{{`AllowedOrigins[0] "app://example.com:": has a port that is none`, `did you mean "app://example.com"?`}}},
		{"a port that is no number", origins("https://example.com:http"), [][2]string{{`AllowedOrigins[0] "https://example.com:http": has a port that is none`, `or nothing`}}},
		{"two ports", origins("https://example.com:8080:*"), [][2]string{{`AllowedOrigins[0] "https://example.com:8080:*": has two ports`, `write a number or "*"`}}},
		{"no host", origins("https://"), [][2]string{{`AllowedOrigins[0] "https://": has no host`, `write one, as in "https://example.com"`}}},
		{"no host, but a port", origins("https://:8080"), [][2]string{{`AllowedOrigins[0] "https://:8080": has no host`, `write one, as in "https://example.com"`}}},
		{"Unicode", origins("https://bücher.example"), [][2]string{{`AllowedOrigins[0] "https://bücher.example": has characters in it that are not ASCII`, `as in "https://xn--bcher-kva.example"`}}},
		{"invalid UTF-8", origins("https://\xff.example"), [][2]string{{`AllowedOrigins[0] "https://\xff.example": has characters in it that are not ASCII`, `as in "https://xn--bcher-kva.example"`}}},
		{"an IPv6 address with a zone", origins("http://[fe80::1%eth0]"), [][2]string{{`AllowedOrigins[0] "http://[fe80::1%eth0]": has an IPv6 address that is not in canonical form`, `did you mean "http://[fe80::1]"?`}}},
		{"an IPv6 address with too many zeros", origins("http://[0:0:0:0:0:0:0:1]:8080"), [][2]string{{`AllowedOrigins[0] "http://[0:0:0:0:0:0:0:1]:8080": has an IPv6 address that is not in canonical form`, `did you mean "http://[::1]:8080"?`}}},
		{"an IPv4-mapped IPv6 address in decimal", origins("http://[::ffff:1.2.3.4]"), [][2]string{{`AllowedOrigins[0] "http://[::ffff:1.2.3.4]": has an IPv6 address that is not in canonical form`, `without a zone`}}},
		{"half an IPv6 address", origins("http://[::1"), [][2]string{{`AllowedOrigins[0] "http://[::1": has an IPv6 address that is not in canonical form`, `as in "http://[2001:db8::1]", without a zone`}}},
		{"an IPv6 address without brackets", origins("http://2001:db8::1"), [][2]string{{`AllowedOrigins[0] "http://2001:db8::1": has characters in its host that browsers do not leave there`, `or an IPv6 address in brackets`}}},
		{"three numbers", origins("http://1.2.3"), [][2]string{{`AllowedOrigins[0] "http://1.2.3": has a number as its last label`, `write four decimal numbers, as in "http://192.0.2.1"`}}},
		{"a leading zero in an address", origins("http://01.2.3.4"), [][2]string{{`AllowedOrigins[0] "http://01.2.3.4": has a number as its last label`, `"http://192.0.2.1"`}}},
		{"five numbers", origins("http://1.2.3.4.5"), [][2]string{{`AllowedOrigins[0] "http://1.2.3.4.5": has a number as its last label`, `"http://192.0.2.1"`}}},
		{"256", origins("http://1.2.3.256"), [][2]string{{`AllowedOrigins[0] "http://1.2.3.256": has a number as its last label`, `"http://192.0.2.1"`}}},
		{"a hexadecimal number last", origins("http://example.0x1f"), [][2]string{{`AllowedOrigins[0] "http://example.0x1f": has a number as its last label`, `"http://192.0.2.1"`}}},
		{"an empty label", origins("https://a..example"), [][2]string{{`AllowedOrigins[0] "https://a..example": has an empty label in its host`, `remove the dot before or after it`}}},
		{"a leading dot", origins("https://.example.com"), [][2]string{{`AllowedOrigins[0] "https://.example.com": has an empty label in its host`, `remove the dot before or after it`}}},
		{"a trailing dot", origins("https://example.com."), [][2]string{{`AllowedOrigins[0] "https://example.com.": has an empty label in its host`, `did you mean "https://example.com"?`}}},
		{"a label of 64 bytes", origins("https://" + label64 + ".example"), [][2]string{{`AllowedOrigins[0] "https://` + label64 + `.example": has a label of more than 63 bytes or a host of more than 253`, `write a shorter one`}}},
		{"a host of 254 bytes", origins("https://" + host253 + "a"), [][2]string{{`AllowedOrigins[0] "https://` + host253 + `a": has a label of more than 63 bytes or a host of more than 253`, `write a shorter one`}}},
		{"a pattern that only longer hosts could match", origins("https://*." + host253[2:] + "a"), [][2]string{{`AllowedOrigins[0] "https://*.` + host253[2:] + `a": has a label of more than 63 bytes or a host of more than 253`, `write a shorter one`}}},
		{"characters that no host has", origins("https://a^b.example"), [][2]string{{`AllowedOrigins[0] "https://a^b.example": has characters in its host that browsers do not leave there`, `write letters, digits, "-", "_" and ".", or an IPv6 address in brackets`}}},
		{"characters that no host has, in a label of 63 bytes", origins("https://" + label63[1:] + "^.example"), [][2]string{{`AllowedOrigins[0] "https://` + label63[1:] + `^.example": has characters in its host that browsers do not leave there`, `write letters, digits, "-", "_" and ".", or an IPv6 address in brackets`}}},
		{"a file", origins("file://"), [][2]string{{`AllowedOrigins[0] "file://": is no origin, as pages from files have the origin "null"`, `for example from "http://localhost:8080"`}}},
		{"a file's host", origins("file://example.com"), [][2]string{{`AllowedOrigins[0] "file://example.com": is no origin`, `for example from "http://localhost:8080"`}}},
		{"null", origins("null"), [][2]string{{`AllowedOrigins[0] "null": any page can have the origin null`, `or accept RiskNullOrigin`}}},

		{"a wildcard within a label", origins("https://*example.com"), [][2]string{{`AllowedOrigins[0] "https://*example.com": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"a wildcard after a letter", origins("https://www*.example.com"), [][2]string{{`AllowedOrigins[0] "https://www*.example.com": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"a wildcard as a later label", origins("https://www.*.example.com"), [][2]string{{`AllowedOrigins[0] "https://www.*.example.com": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"two wildcard labels", origins("https://*.*.example.com"), [][2]string{{`AllowedOrigins[0] "https://*.*.example.com": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"a wildcard for the host", origins("https://*"), [][2]string{{`AllowedOrigins[0] "https://*": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"a wildcard for the host and port", origins("https://*:*"), [][2]string{{`AllowedOrigins[0] "https://*:*": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"a wildcard for the scheme", origins("*://example.com"), [][2]string{{`AllowedOrigins[0] "*://example.com": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"a wildcard within the port", origins("http://localhost:80*"), [][2]string{{`AllowedOrigins[0] "http://localhost:80*": has a "*" where it means nothing`, `or as the port ("http://localhost:*")`}}},
		{"a letter and a wildcard", origins("h*"), [][2]string{{`AllowedOrigins[0] "h*": has no scheme`, `write it out, as in "https://example.com"`}}},
		{"a wildcard before an IPv4 address", origins("http://*.127.0.0.1"), [][2]string{{`AllowedOrigins[0] "http://*.127.0.0.1": has a "*" before an IP address`, `list the addresses`}}},
		{"a wildcard before an IPv6 address", origins("http://*.[::1]:8080"), [][2]string{{`AllowedOrigins[0] "http://*.[::1]:8080": has a "*" before an IP address`, `list the addresses`}}},
		{"any origin, and another", origins("https://a.example", "*"), [][2]string{{`AllowedOrigins[1] "*": allows any origin, which makes the other origins pointless`, `remove them, or remove this`}}},
		{"any origin, and a function", withFunc, [][2]string{{`AllowedOrigins[0] "*": allows any origin, which makes AllowOriginFunc pointless`, `remove that, or remove this`}}},

		{"any origin with credentials", credentialed("*"), [][2]string{{`AllowedOrigins[0] "*": with AllowCredentials, lets every page on the web act as your users`, `or do not set AllowCredentials`}}},
		{"insecure origins with credentials", credentialed("http://example.com", "http://*.example.com", "http://localhost.example.com", "http://128.0.0.1", "http://[::2]"), [][2]string{
			{`AllowedOrigins[0] "http://example.com": with AllowCredentials, lets whoever controls a network in between`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[1] "http://*.example.com": with AllowCredentials, lets whoever controls a network in between`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[2] "http://localhost.example.com": with AllowCredentials, lets whoever controls a network in between`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[3] "http://128.0.0.1": with AllowCredentials, lets whoever controls a network in between`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[4] "http://[::2]": with AllowCredentials, lets whoever controls a network in between`, "or accept RiskInsecureOrigin"},
		}},
		{"subdomains of a single label with credentials", credentialed("https://*.com", "https://*.com:*"), [][2]string{
			{`AllowedOrigins[0] "https://*.com": with AllowCredentials, lets whoever can register a name under "com" act as your users`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[1] "https://*.com:*": with AllowCredentials, lets whoever can register a name under "com" act as your users`, "or accept RiskPublicSuffix"},
		}},
		{"subdomains of public suffixes with credentials", withSuffixes, [][2]string{
			{`AllowedOrigins[0] "https://*.github.io": with AllowCredentials, lets whoever can register a name under "github.io"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[2] "https://*.co.uk": with AllowCredentials, lets whoever can register a name under "co.uk"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[3] "https://*.example": with AllowCredentials, lets whoever can register a name under "example"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[4] "https://*.kobe.jp": with AllowCredentials, lets whoever can register a name under "kobe.jp"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[5] "https://*.a.kobe.jp": with AllowCredentials, lets whoever can register a name under "a.kobe.jp"`, "or accept RiskPublicSuffix"},
		}},
		{"two risks at once", credentialed("http://*.com"), [][2]string{
			{`AllowedOrigins[0] "http://*.com": with AllowCredentials, lets whoever controls a network in between`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[0] "http://*.com": with AllowCredentials, lets whoever can register a name under "com"`, "or accept RiskPublicSuffix"},
		}},

		{"no methods", cors.Policy{AllowedMethods: []string{"", "A B", "PUT,DELETE", "Ü", "PUT ", "**", "P*, D*"}}, [][2]string{
			{`AllowedMethods[0] "": is not a name`, `write one such as "PUT"`},
			{`AllowedMethods[1] "A B": is not one name`, "write each as an element of its own"},
			{`AllowedMethods[2] "PUT,DELETE": is not one name`, "write each as an element of its own"},
			{`AllowedMethods[3] "Ü": is not a name`, `write one such as "PUT"`},
			{`AllowedMethods[4] "PUT ": has white space around it`, `did you mean "PUT"?`},
			{`AllowedMethods[5] "**": has a "*" within a name`, `write "*" alone, or the names`},
			{`AllowedMethods[6] "P*, D*": has a "*" within a name`, `write "*" alone, or the names`},
		}},
		{"forbidden methods", cors.Policy{AllowedMethods: []string{"PUT", "CONNECT", "TRACE", "track"}}, [][2]string{
			{`AllowedMethods[1] "CONNECT": browsers do not let scripts send this method`, "remove it"},
			{`AllowedMethods[2] "TRACE": browsers do not let scripts send this method`, "remove it"},
			{`AllowedMethods[3] "track": browsers do not let scripts send this method`, "remove it"},
		}},
		{"methods in another case", cors.Policy{AllowedMethods: []string{"put", "Patch", "get", "hEAD", "post", "delete", "Options"}}, [][2]string{
			{`AllowedMethods[0] "put": methods are case-sensitive`, `did you mean "PUT"?`},
			{`AllowedMethods[1] "Patch": methods are case-sensitive`, `did you mean "PATCH"?`},
			{`AllowedMethods[2] "get": methods are case-sensitive`, `did you mean "GET"?`},
			{`AllowedMethods[3] "hEAD": methods are case-sensitive`, `did you mean "HEAD"?`},
			{`AllowedMethods[4] "post": methods are case-sensitive`, `did you mean "POST"?`},
			{`AllowedMethods[5] "delete": methods are case-sensitive`, `did you mean "DELETE"?`},
			{`AllowedMethods[6] "Options": methods are case-sensitive`, `did you mean "OPTIONS"?`},
		}},

		{"no request headers", cors.Policy{AllowedHeaders: []string{"", "x a", "x-a,x-b", "x-a:", "authorization\n", "*-id"}}, [][2]string{
			{`AllowedHeaders[0] "": is not a name`, `write one such as "X-Request-Id"`},
			{`AllowedHeaders[1] "x a": is not one name`, "write each as an element of its own"},
			{`AllowedHeaders[2] "x-a,x-b": is not one name`, "write each as an element of its own"},
			{`AllowedHeaders[3] "x-a:": is not a name`, `write one such as "X-Request-Id"`},
			{`AllowedHeaders[4] "authorization\n": has white space around it`, `did you mean "authorization"?`},
			{`AllowedHeaders[5] "*-id": has a "*" within a name`, `write "*" alone, or the names`},
		}},
		{"cookies", cors.Policy{AllowedHeaders: []string{"cookie", "Cookie2"}}, [][2]string{
			{`AllowedHeaders[0] "cookie": scripts cannot set cookies`, "set AllowCredentials to let browsers send them"},
			{`AllowedHeaders[1] "Cookie2": scripts cannot set cookies`, "set AllowCredentials to let browsers send them"},
		}},
		{"CORS response headers", cors.Policy{AllowedHeaders: []string{"access-control-allow-origin", "Access-Control-Max-Age"}}, [][2]string{
			{`AllowedHeaders[0] "access-control-allow-origin": is a response header of CORS`, "remove it"},
			{`AllowedHeaders[1] "Access-Control-Max-Age": is a response header of CORS`, "remove it"},
		}},

		{"no response headers", cors.Policy{ExposedHeaders: []string{"", "x a", " ETag", "X-*"}}, [][2]string{
			{`ExposedHeaders[0] "": is not a name`, `write one such as "X-Total-Count"`},
			{`ExposedHeaders[1] "x a": is not one name`, "write each as an element of its own"},
			{`ExposedHeaders[2] " ETag": has white space around it`, `did you mean "ETag"?`},
			{`ExposedHeaders[3] "X-*": has a "*" within a name`, `write "*" alone, or the names`},
		}},
		{"response headers that scripts cannot read", cors.Policy{ExposedHeaders: []string{"set-cookie", "Set-Cookie2"}}, [][2]string{
			{`ExposedHeaders[0] "set-cookie": browsers never let scripts read this header`, "remove it"},
			{`ExposedHeaders[1] "Set-Cookie2": browsers never let scripts read this header`, "remove it"},
		}},
		{"CORS request headers exposed", cors.Policy{ExposedHeaders: []string{"origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}}, [][2]string{
			{`ExposedHeaders[0] "origin": is a request header of CORS`, "remove it"},
			{`ExposedHeaders[1] "Access-Control-Request-Method": is a request header of CORS`, "remove it"},
			{`ExposedHeaders[2] "Access-Control-Request-Headers": is a request header of CORS`, "remove it"},
		}},
		{"headers of answers to preflights exposed", cors.Policy{ExposedHeaders: []string{"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"}}, [][2]string{
			{`ExposedHeaders[0] "Access-Control-Allow-Methods": is in answers to preflights only`, "remove it"},
			{`ExposedHeaders[1] "Access-Control-Allow-Headers": is in answers to preflights only`, "remove it"},
			{`ExposedHeaders[2] "Access-Control-Max-Age": is in answers to preflights only`, "remove it"},
		}},
		{"any response header with credentials", cors.Policy{ExposedHeaders: []string{"ETag", "*"}, AllowCredentials: true}, [][2]string{
			{`ExposedHeaders[1] "*": with AllowCredentials, browsers take "*" for the name of a header`, "list the names"},
		}},

		{"a fraction of a second", cors.Policy{MaxAge: 1500 * time.Millisecond}, [][2]string{{`MaxAge "1.5s": is sent in whole seconds`, "write a multiple of time.Second"}}},
		{"a number without a unit", cors.Policy{MaxAge: 600}, [][2]string{{`MaxAge "600ns": is less than a second`, "did you mean 600*time.Second?"}}},
		{"more than a day", cors.Policy{MaxAge: 24*time.Hour + 1}, [][2]string{{`MaxAge "24h0m0.000000001s": no browser honours more than a day`, "write 24*time.Hour or less"}}},

		{
			"all mistakes at once",
			cors.Policy{
				AllowedOrigins: []string{"https://good.example", "bad.example", "null"},
				AllowedMethods: []string{"PUT", "put"},
				AllowedHeaders: []string{"X-Good", "Cookie"},
				ExposedHeaders: []string{"Set-Cookie"},
				MaxAge:         time.Millisecond,
			},
			[][2]string{
				{`AllowedOrigins[1] "bad.example"`, `?`}, {`AllowedOrigins[2] "null"`, `RiskNullOrigin`},
				{`AllowedMethods[1] "put"`, `?`}, {`AllowedHeaders[1] "Cookie"`, `them`}, {`ExposedHeaders[0] "Set-Cookie"`, `it`}, {`MaxAge "1ms"`, `time.Second`},
			},
		},
	}
	for _, name := range []string{
		"Accept-Charset", "accept-encoding", "Access-Control-Request-Headers", "Access-Control-Request-Method", "Connection", "Content-Length",
		"Date", "DNT", "Expect", "Host", "Keep-Alive", "Origin", "Referer", "Set-Cookie", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "via",
		"Proxy-", "proxy-authorization", "Sec-", "sec-fetch-site",
	} {
		tests = append(tests, struct {
			name   string
			policy cors.Policy
			want   [][2]string
		}{
			"the forbidden request header " + name, cors.Policy{AllowedHeaders: []string{name}},
			[][2]string{{`AllowedHeaders[0] "` + name + `": browsers do not let scripts set this header`, "remove it"}},
		})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := cors.New(test.policy)
			got := policyErrors(t, err)
			if len(got) != len(test.want) {
				t.Fatalf("got %d errors, want %d:\n%v", len(got), len(test.want), err)
			}
			for i, want := range test.want {
				// Messages quote values, which doubles backslashes.
				if message := strings.ReplaceAll(got[i].Error(), `\\`, `\`); !strings.HasPrefix(message, "cors: "+want[0]) || !strings.HasSuffix(message, want[1]) {
					t.Errorf("got  %s\nwant cors: %s … %s", message, want[0], want[1])
				}
				if strings.ContainsAny(got[i].Error(), "\n\r") {
					t.Errorf("%q is not one line", got[i])
				}
			}
		})
	}
}

func TestPolicyErrorFields(t *testing.T) {
	t.Parallel()
	_, err := cors.New(cors.Policy{AllowedMethods: []string{"PUT", "put"}, MaxAge: -48 * time.Hour, AllowedHeaders: []string{"*", "a b"}})
	want := []cors.PolicyError{
		{Field: "AllowedMethods", Index: 1, Value: "put", Reason: `methods are case-sensitive; did you mean "PUT"?`},
		{Field: "AllowedHeaders", Index: 1, Value: "a b", Reason: `is not one name; write each as an element of its own`},
	}
	got := policyErrors(t, err)
	if len(got) != len(want) {
		t.Fatalf("got %v", err)
	}
	for i := range want {
		if *got[i] != want[i] {
			t.Errorf("got %#v, want %#v", got[i], want[i])
		}
	}
	_, err = cors.New(cors.Policy{MaxAge: 25 * time.Hour})
	var policyErr *cors.PolicyError
	if !errors.As(err, &policyErr) || policyErr.Field != "MaxAge" || policyErr.Index != -1 || policyErr.Value != "25h0m0s" {
		t.Errorf("got %#v", policyErr)
	}
}

// TestAcceptedPolicies has each pattern allow some origins and not others.
func TestAcceptedPolicies(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("a", 63)
	host253 := strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
	uuid := "moz-extension://0a1b2c3d-4e5f-6789-abcd-ef0123456789"
	accepting := func(p cors.Policy, risks cors.Risk) cors.Policy {
		p.AcceptRisks = risks
		return p
	}
	suffixed := credentialed("https://*.example.github.io", "https://*.example.co.uk", "https://*.example.com")
	suffixed.PublicSuffixes = suffixes{}
	tests := []struct {
		name        string
		policy      cors.Policy
		allowed     []string
		alsoRefused []string
	}{
		{
			"an exact origin is compared byte for byte", origins("https://example.com"), []string{"https://example.com"},
			[]string{
				"http://example.com", "https://example.com:8443", "https://example.com:443", "https://www.example.com", "https://example.co", "https://example.comx",
				"https://Example.com", "HTTPS://example.com", "https://example.com/", "https://example.com.", "https://example.com.evil.net", "https://xexample.com", "null", "example.com",
				" https://example.com", "https://example.com ", "https://example.com, https://example.com", "*", "https://*",
			},
		},
		{
			"an exact origin with a port", origins("http://localhost:8080"), []string{"http://localhost:8080"},
			[]string{"http://localhost", "http://localhost:80801", "http://localhost:808", "http://localhost:8081", "https://localhost:8080"},
		},
		{"IP addresses", origins("http://127.0.0.1", "http://[::1]:8080", "https://[2001:db8::1:0:0:1]"), []string{"http://127.0.0.1", "http://[::1]:8080", "https://[2001:db8::1:0:0:1]"}, []string{"http://127.0.0.2", "http://[::1]", "http://[::2]:8080"}},
		{
			"the longest hosts and the highest port", origins("https://"+host253+":65535", "https://*."+host253[2:]), []string{"https://" + host253 + ":65535", "https://b." + host253[2:]},
			[]string{"https://" + host253 + ":65534", "https://bb." + host253[2:], "https://" + host253[2:]},
		},
		{
			"other schemes", origins("chrome-extension://aghbiahbpaijignceidepookljebhfak", uuid, "capacitor://localhost", "app://obsidian.md", "tauri://localhost", "a+b-c.1://x:80"),
			[]string{"chrome-extension://aghbiahbpaijignceidepookljebhfak", uuid, "capacitor://localhost", "app://obsidian.md", "tauri://localhost", "a+b-c.1://x:80"},
			[]string{"chrome-extension://other", "https://localhost", "capacitor://localhost:1", "app://x.obsidian.md"},
		},
		{
			"names that only begin with numbers", origins("https://1.example", "https://1.2.3.4a", "https://0xg", "https://0a1b", "https://x_y.-a-.example"),
			[]string{"https://1.example", "https://1.2.3.4a", "https://0xg", "https://0a1b", "https://x_y.-a-.example"}, []string{"https://1.2.3.4"},
		},
		{
			"subdomains, however deep", origins("https://*.example.com"),
			[]string{"https://a.example.com", "https://a.b.c.example.com", "https://x_1.example.com", "https://-.example.com", "https://" + label63 + ".example.com", "https://1.example.com", "https://example.com.example.com"},
			[]string{
				"https://example.com", "https://aexample.com", "https://.example.com", "https://a..example.com", "https://.a.example.com", "http://a.example.com", "https://a.example.com:8443",
				"https://a.example.com:443", "https://A.example.com", "https://a.example.com.evil.net", "https://a.example.com/", "https://user@a.example.com", "https://a/.example.com", "https://a:1.example.com",
				"https://" + label63 + "a.example.com", "https://" + host253 + ".example.com", "https://ü.example.com", "https://a b.example.com", "https://*.example.com", "https://%61.example.com", "a.example.com", "//a.example.com", "https:a.example.com", "null", "",
			},
		},
		{
			"subdomains at a port", origins("https://*.example.com:8443"), []string{"https://a.example.com:8443"},
			[]string{"https://a.example.com", "https://a.example.com:844", "https://a.example.com:84430", "https://example.com:8443", "https://a.example.com:08443"},
		},
		{
			"any port, or none", origins("http://localhost:*"), []string{"http://localhost", "http://localhost:1", "http://localhost:65535", "http://localhost:8080"},
			[]string{
				"http://localhost:0", "http://localhost:65536", "http://localhost:080", "http://localhost:80", "http://localhost:", "http://localhost:a", "http://localhost:1x", "http://localhost:*",
				"https://localhost", "http://localhostx", "http://xlocalhost", "http://a.localhost", "http://localhost:1:2", "http://localhost.evil.example:1",
			},
		},
		{"any port of an IPv6 address", origins("http://[::1]:*"), []string{"http://[::1]", "http://[::1]:8080"}, []string{"http://[::2]", "http://[::1", "http://::1", "http://[::1]8080", "http://[::1]:0"}},
		{
			"subdomains at any port", origins("https://*.example.com:*"), []string{"https://a.example.com", "https://a.b.example.com:8443", "https://a.example.com:80"},
			[]string{"https://example.com", "https://example.com:8443", "https://a.example.com:443", "https://a.example.com:", "http://a.example.com"},
		},
		{
			"patterns of different depths", origins("https://*.a.b.c.example", "https://*.x.example", "https://*.test"),
			[]string{"https://1.a.b.c.example", "https://1.x.example", "https://1.test", "https://1.2.test"},
			[]string{"https://a.b.c.example", "https://b.c.example", "https://1.b.c.example", "https://x.example", "https://1.example", "https://test"},
		},
		{
			"patterns that differ in scheme and port only", origins("https://*.example.com", "http://*.example.com:8080", "app://*.example.com:*"),
			[]string{"https://a.example.com", "http://a.example.com:8080", "app://a.example.com:5"}, []string{"http://a.example.com", "https://a.example.com:8080", "https://a.example.com:5", "tel://a.example.com"},
		},
		{"a scheme with dots before a pattern", origins("com.example.app://*.localhost"), []string{"com.example.app://a.localhost"}, []string{"com.example.app://localhost", "app://a.localhost"}},
		{"prefixes of each other", origins("https://foo.com", "https://bar.com", "https://foo.co"), []string{"https://foo.com", "https://bar.com", "https://foo.co"}, []string{"https://barfoo.com", "https://foobar.com", "https://foo.c"}},
		{"any origin", origins("*"), []string{"https://example.com", "null", "junk", "https://a.example, https://b.example"}, nil},
		{"any origin, twice", origins("*", "*"), []string{"https://example.com"}, nil},
		{"null, at a risk", accepting(origins("null"), cors.RiskNullOrigin), []string{"null"}, []string{"Null", "null ", "https://example.com"}},
		{"null with credentials, at a risk", accepting(credentialed("null"), cors.RiskNullOrigin), []string{"null"}, []string{"https://example.com"}},

		{
			"loopback origins with credentials", credentialed("http://localhost", "http://localhost:3000", "http://app.localhost", "http://127.0.0.1:8080", "http://127.1.2.3", "http://[::1]:*", "http://*.app.localhost:*", "https://*.localhost"),
			[]string{"http://localhost", "http://localhost:3000", "http://app.localhost", "http://127.0.0.1:8080", "http://127.1.2.3", "http://[::1]", "http://x.app.localhost:5", "https://x.localhost"}, []string{"http://127.0.0.1"},
		},
		{"insecure origins with credentials, at a risk", accepting(credentialed("http://example.com"), cors.RiskInsecureOrigin), []string{"http://example.com"}, []string{"https://example.com"}},
		{"other schemes with credentials", credentialed("app://example.com", "https://example.com"), []string{"app://example.com", "https://example.com"}, nil},
		{"subdomains of two labels with credentials", credentialed("https://*.example.com", "https://*.co.uk"), []string{"https://a.example.com", "https://a.co.uk"}, []string{"https://co.uk"}},
		{"subdomains of no public suffix with credentials", suffixed, []string{"https://a.example.github.io", "https://a.example.co.uk", "https://a.example.com"}, []string{"https://a.github.io"}},
		{"subdomains of a public suffix with credentials, at a risk", accepting(credentialed("https://*.com"), cors.RiskPublicSuffix), []string{"https://a.com"}, []string{"https://com"}},
		{"subdomains of a public suffix without credentials", origins("https://*.com"), []string{"https://a.com"}, []string{"https://com"}},
		{"all risks", accepting(credentialed("http://*.com", "null"), cors.RiskInsecureOrigin|cors.RiskPublicSuffix|cors.RiskNullOrigin), []string{"http://a.com", "null"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := mustNew(t, test.policy)
			for _, origin := range test.allowed {
				if err := m.Check(newRequest("GET", "Origin: "+origin)); err != nil {
					t.Error(err)
				}
				if _, ran := serve(m, newRequest("GET", "Origin: "+origin)); !ran {
					t.Errorf("the handler did not run for %q", origin)
				}
			}
			for _, origin := range test.alsoRefused {
				r := newRequest("GET", "Origin: "+origin)
				if origin == "" {
					r = newRequest("OPTIONS", "Origin: , ", "Access-Control-Request-Method: PUT")
				}
				if err := m.Check(r); err == nil {
					t.Errorf("%q is allowed", origin)
				}
			}
		})
	}
}

func TestAllowOriginFunc(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 400)
	for _, test := range []struct {
		name   string
		origin string
		risks  cors.Risk
		asked  bool
	}{
		{"an origin", "https://tenant.example", 0, true},
		{"an origin with a port", "https://tenant.example:8443", 0, true},
		{"an origin of another scheme", "app://tenant", 0, true},
		{"an IPv4 address", "http://192.0.2.1", 0, true},
		{"an IPv6 address", "http://[2001:db8::1]:8080", 0, true},
		{"an origin that is listed", "https://listed.example", 0, false},
		{"an origin that a pattern allows", "https://a.listed.example", 0, false},
		{"null", "null", 0, false},
		{"null, at a risk", "null", cors.RiskNullOrigin, true},
		{"the default port", "https://tenant.example:443", 0, false},
		{"upper case", "https://Tenant.example", 0, false},
		{"a path", "https://tenant.example/", 0, false},
		{"a user", "https://user@tenant.example", 0, false},
		{"a wildcard", "https://*.tenant.example", 0, false},
		{"any origin", "*", 0, false},
		{"a file", "file://tenant.example", 0, false},
		{"an invalid address", "http://192.0.2.256", 0, false},
		{"an invalid IPv6 address", "http://[2001:db8::1::2]", 0, false},
		{"junk", "junk", 0, false},
		{"512 bytes", long + strings.Repeat("a", 512-400-len("://tenant")) + "://tenant", 0, true},
		{"513 bytes", long + strings.Repeat("a", 513-400-len("://tenant")) + "://tenant", 0, false},
	} {
		for _, answer := range []bool{true, false} {
			var asked []string
			m := mustNew(t, cors.Policy{
				AllowedOrigins: []string{"https://listed.example", "https://*.listed.example"},
				AcceptRisks:    test.risks,
				AllowOriginFunc: func(r *http.Request, origin string) bool {
					asked = append(asked, r.Method+" "+origin)
					return answer
				},
			})
			w, ran := serve(m, newRequest("PURGE", "Origin: "+test.origin))
			var want []string
			if test.asked {
				want = []string{"PURGE " + test.origin}
			}
			if !slices.Equal(asked, want) {
				t.Errorf("%s: the function was asked %q, want %q", test.name, asked, want)
			}
			allowed := strings.HasSuffix(test.origin, "listed.example") || test.asked && answer
			if ran != allowed || (w.Header().Get("Access-Control-Allow-Origin") == test.origin) != allowed {
				t.Errorf("%s: the handler ran: %t, want %t", test.name, ran, allowed)
			}
		}
	}
}

func TestDuplicatesAreNoMistake(t *testing.T) {
	t.Parallel()
	if _, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://a.example", "https://a.example", "https://*.a.example", "https://*.a.example"},
		AllowedMethods: []string{"GET", "PUT", "PUT", "*", "*"},
		AllowedHeaders: []string{"Content-Type", "content-type", "*", "*"},
		ExposedHeaders: []string{"ETag", "etag", "*", "*", "Content-Length"},
	}); err != nil {
		t.Error(err)
	}
}

func TestIPv6AddressesAreCanonical(t *testing.T) {
	t.Parallel()
	for address, canonical := range map[string]bool{
		"::": true, "::1": true, "1::": true, "1:2:3:4:5:6:7:8": true, "2001:db8::1:0:0:1": true, "1:0:2:0:3:0:4:0": true, "0:1::": true, "1::2:0:0:3": true, "::ffff:102:304": true,
		"1:2:3:4:5:6:7": false, "1:2:3:4:5:6:7:8:9": false, "1:2:3:4:5:6:7::": false, "::2:3:4:5:6:7:8": false, "1:2:3::4:5:6:7:8": false, "1:0:0:2:3:4:5:6": false,
		"0::1": false, "::0": false, "1:0::2": false, "1::0:2": false, "1:0:0:2::3": true, "1:0:0:2::3:4": false, "1::2:0:0:0:3": false, "1:0:0:2:0:0:0:3": false, "01::": false, "00001::": false, "A::": false,
		"g::": false, "1::2::3": false, ":::": false, "1:": false, ":1": false, "": false, ":": false, "::ffff:1.2.3.4": false, "::1%eth0": false, "[::1]": false,
	} {
		if _, err := cors.New(origins("http://[" + address + "]")); (err == nil) != canonical {
			t.Errorf("%q: got %v", address, err)
		}
	}
}

// fuzzOrigins are elements of AllowedOrigins to begin fuzzing with: origins
// that browsers send, patterns, and what has been mistaken for either.
var fuzzOrigins = []string{
	"https://example.com", "https://app.example.com:8443", "http://localhost:3000", "http://127.0.0.1:5173", "http://255.255.255.255",
	"http://[::1]:8080", "https://[2001:db8::1]", "https://[abcd:ef09::af]", "https://[::g]", "https://[::ffff:7f00:1]", "https://[1:0:0:2:0:0:0:3]",
	"https://xn--bcher-kva.example", "https://a_b.example", "https://0a.example", "https://example.c0m",
	"chrome-extension://aghbiahbpaijignceidepookljebhfak", "moz-extension://0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
	"capacitor://localhost", "ionic://localhost", "app://obsidian.md", "tauri://localhost", "vscode-webview://1a2b",
	"https://*.example.com", "https://*.example.com:8443", "https://*.example.com:*", "http://localhost:*", "http://[::1]:*",
	"http://*.localhost:*", "https://*.github.io", "https://*.com", "*", "null",
	"", "example.com", "https://", "https://example.com/", "https://example.com:443", "http://example.com:80", "http://example.com:0",
	"http://example.com:65536", "http://example.com:080", "https://Example.com", "HTTPS://example.com", "https://example.com.", "https://a..b",
	"https://user@example.com", "https://example.com?q", "https://example.com#f", "https://bücher.example", "https://example.com:",
	"https://1.2.3", "https://01.2.3.4", "https://1.2.3.256", "https://1.2.3.0x4", "https://a.0x", "https://a.0xaf", "https://a.0xg", "https://[::1", "https://::1", "https://[fe80::1%25eth0]",
	"https://[0:0::1]", "https://[::FFFF:1]", "https://[::ffff:127.0.0.1]", "https://[1:2:3:4:5:6:7::]", "https://[1::2::3]", "https://[1.2.3.4]",
	"h*", "https://*", "https://*example.com", "https://ex*mple.com", "https://www.*.com", "https://*.*.com", "https://*.127.0.0.1", "https://*.[::1]",
	"https://example.com:*0", "https://*.example.com:8*", "file:///index.html", "file://", "file://example.com", "ws://example.com", "wss://example.com", "a+b-c.0://d", "+a://b", "https://example.com\n", "https://example.com\x00", "https://\xff.example",
	"https://" + strings.Repeat("a", 63) + ".example", "https://" + strings.Repeat("a", 64) + ".example",
	"https://" + strings.Repeat("a.", 126) + "a", "https://" + strings.Repeat("a.", 126) + "ab",
	"https://*." + strings.Repeat("a.", 125) + "a", "https://*." + strings.Repeat("a.", 125) + "ab",
}

// isBrowserOrigin reports whether a browser could send s as the origin of a
// page that has a host. It takes s apart with net/url and net/netip, puts it
// together as the HTML and URL standards say, and compares.
func isBrowserOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || slices.Contains([]string{"file", "ws", "wss"}, u.Scheme) {
		return false
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	switch {
	case strings.HasPrefix(u.Host, "["):
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return false
		}
		host = "[" + browserIPv6(ip) + "]"
	case numberLast.MatchString(host):
		if err != nil {
			return false
		}
		host = ip.String()
	case !domain.MatchString(host) || len(host) > 253:
		return false
	}
	if u.Port() != "" {
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || port == 0 || u.Scheme == "http" && port == 80 || u.Scheme == "https" && port == 443 {
			return false
		}
		host += ":" + strconv.FormatUint(port, 10)
	}
	return s == u.Scheme+"://"+host
}

var (
	domain     = regexp.MustCompile(`^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$`)
	numberLast = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)
	tokenExpr  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
)

// browserIPv6 serializes ip: all pieces, then the first of the longest runs of
// zeros is taken out.
func browserIPv6(ip netip.Addr) string {
	s := ":"
	for a := ip.AsSlice(); len(a) > 0; a = a[2:] {
		s += fmt.Sprintf("%x:", int(a[0])<<8+int(a[1]))
	}
	for n := 8; n >= 2; n-- {
		before, after, found := strings.Cut(s, ":"+strings.Repeat("0:", n))
		if found {
			return strings.TrimPrefix(before, ":") + "::" + strings.TrimSuffix(after, ":")
		}
	}
	return strings.Trim(s, ":")
}

// isOriginPattern reports whether s has a place in AllowedOrigins: whether it
// is an origin once something stands for its wildcards.
func isOriginPattern(s string, credentials bool, accepted cors.Risk) bool {
	switch s {
	case "*":
		return !credentials
	case "null":
		return accepted&cors.RiskNullOrigin != 0
	}
	sample := strings.Replace(s, "://*.", "://a.", 1)
	if portless, ok := strings.CutSuffix(sample, ":*"); ok {
		sample = portless + ":1"
	}
	if !isBrowserOrigin(sample) {
		return false
	}
	if !credentials {
		return true
	}
	u, _ := url.Parse(sample)
	ip, _ := netip.ParseAddr(u.Hostname())
	local := strings.HasSuffix("."+u.Hostname(), ".localhost") ||
		netip.MustParsePrefix("127.0.0.0/8").Contains(ip.Unmap()) || ip == netip.IPv6Loopback()
	topLevel := strings.Contains(s, "://*.") && strings.Count(u.Hostname(), ".") == 1 && u.Hostname() != "a.localhost"
	return (u.Scheme != "http" || local || accepted&cors.RiskInsecureOrigin != 0) &&
		(!topLevel || accepted&cors.RiskPublicSuffix != 0)
}

func isMethodToAllow(s string) bool {
	switch upper := strings.ToUpper(s); upper {
	case "CONNECT", "TRACE", "TRACK":
		return false
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return s == upper
	}
	return isNameOrWildcard(s)
}

func isNameOrWildcard(s string) bool {
	return s == "*" || tokenExpr.MatchString(s) && !strings.Contains(s, "*")
}

func isRequestHeaderToAllow(s string) bool {
	return isNameOrWildcard(s) && !regexp.MustCompile(`(?i)^(accept-charset|accept-encoding|access-control-request-headers|`+
		`access-control-request-method|connection|content-length|cookie|cookie2|date|dnt|expect|host|keep-alive|origin|referer|`+
		`set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*|`+
		`access-control-(allow-origin|allow-credentials|allow-methods|allow-headers|max-age|expose-headers))$`).MatchString(s)
}

func isResponseHeaderToExpose(s string, credentials bool) bool {
	return isNameOrWildcard(s) && !(credentials && s == "*") && !regexp.MustCompile(`(?i)^(set-cookie|set-cookie2|origin|`+
		`access-control-(request-method|request-headers|allow-methods|allow-headers|max-age))$`).MatchString(s)
}

// policyErrors returns what New found wrong with a policy.
func policyErrors(tb testing.TB, err error) []*cors.PolicyError {
	tb.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		tb.Fatalf("error %v does not join others", err)
	}
	var list []*cors.PolicyError
	for _, err := range joined.Unwrap() {
		var p *cors.PolicyError
		if !errors.As(err, &p) {
			tb.Fatalf("error %v is no *PolicyError", err)
		}
		list = append(list, p)
	}
	return list
}

// allowsPage reports whether m allows pages of origin, which is not the
// server's own.
func allowsPage(m *cors.Middleware, origin string) bool {
	r := &http.Request{Method: http.MethodGet, Host: "api.example", Header: http.Header{
		"Origin":         {origin},
		"Sec-Fetch-Site": {"cross-site"},
	}}
	return m.Check(r) == nil
}

// FuzzPolicy compares what New accepts in each field with what the standards
// say, read with other means.
func FuzzPolicy(f *testing.F) {
	for _, origin := range fuzzOrigins {
		f.Add(origin, "PUT", "X-Custom-Header", "ETag", int64(2*time.Hour), false, uint(0))
		f.Add(origin, "put", "Content-Type", "Set-Cookie", int64(-1), true, uint(0))
	}
	f.Add("http://example.com", "*", "*", "*", int64(25*time.Hour), true, uint(cors.RiskInsecureOrigin))
	f.Add("https://*.com", "TRACK", "Sec-Fetch-Site", "X Y", int64(time.Millisecond), true, uint(cors.RiskPublicSuffix))
	f.Add("https://example.com", "!#$%&'+-.^_`|~09azAZ", "!#$%&'+-.^_`|~09azAZ", "!#$%&'+-.^_`|~09azAZ", int64(0), true, uint(0))
	f.Add("null", "PURGE", "Access-Control-Allow-Origin", "Access-Control-Request-Method", int64(24*time.Hour), true, uint(cors.RiskNullOrigin))

	f.Fuzz(func(t *testing.T, origin, method, header, exposed string, maxAge int64, credentials bool, accepted uint) {
		p := cors.Policy{
			AllowedOrigins:   []string{origin},
			AllowedMethods:   []string{method},
			AllowedHeaders:   []string{header},
			ExposedHeaders:   []string{exposed},
			AllowCredentials: credentials,
			MaxAge:           time.Duration(maxAge),
			AcceptRisks:      cors.Risk(accepted),
		}
		type field struct {
			value string
			index int
			valid bool
		}
		fields := map[string]field{
			"AllowedOrigins": {origin, 0, isOriginPattern(origin, credentials, p.AcceptRisks)},
			"AllowedMethods": {method, 0, isMethodToAllow(method)},
			"AllowedHeaders": {header, 0, isRequestHeaderToAllow(header)},
			"ExposedHeaders": {exposed, 0, isResponseHeaderToExpose(exposed, credentials)},
			"MaxAge":         {p.MaxAge.String(), -1, maxAge < 0 || maxAge <= int64(24*time.Hour) && maxAge%int64(time.Second) == 0},
		}

		refused := make(map[string]bool)
		m, err := cors.New(p)
		if err != nil {
			if m != nil {
				t.Errorf("New returned a Middleware and the error %v", err)
			}
			for _, e := range policyErrors(t, err) {
				refused[e.Field] = true
				want := fields[e.Field]
				if e.Value != want.value || e.Index != want.index || e.Reason == "" {
					t.Errorf("error %#v, want Value %q, Index %d and a Reason", e, want.value, want.index)
				}
				if s := e.Error(); !strings.Contains(s, e.Field) || !strings.Contains(s, strconv.Quote(e.Value)) || !strings.Contains(s, e.Reason) {
					t.Errorf("message %q lacks a field of %#v", s, e)
				}
			}
		}
		for name, field := range fields {
			if refused[name] == field.valid {
				t.Errorf("%s %q: refused is %t; AllowCredentials %t, AcceptRisks %b; error: %v", name, field.value, refused[name], credentials, accepted, err)
			}
		}
		if err != nil {
			return
		}
		if got := m.Policy(); !reflect.DeepEqual(got, p) {
			t.Errorf("Policy returned %+v, want %+v", got, p)
		}
		if (origin == "null" || isBrowserOrigin(origin)) && !allowsPage(m, origin) {
			t.Errorf("origin %q is not allowed, though the policy lists it", origin)
		}
	})
}

// patternExpr returns a regular expression that reads a valid pattern alone, as
// its documentation does. It says nothing of whether an origin is well-formed.
func patternExpr(pattern string) *regexp.Regexp {
	expr := strings.Replace(regexp.QuoteMeta(pattern), `://\*\.`, `://([^.:]+\.)+`, 1)
	if portless, ok := strings.CutSuffix(expr, `:\*`); ok {
		expr = portless + `(:[0-9]+)?`
	}
	return regexp.MustCompile(`\A` + expr + `\z`)
}

// membersOf returns origins that a valid pattern allows.
func membersOf(pattern string) []string {
	var members []string
	for _, label := range []string{"://a.", "://x-1.b2.c_."} {
		s := strings.Replace(pattern, "://*.", label, 1)
		if portless, ok := strings.CutSuffix(s, ":*"); ok {
			members = append(members, portless, portless+":65535", portless+":1")
		} else {
			members = append(members, s)
		}
	}
	return members
}

// nearMisses returns strings that are almost s: with byte b added, put in
// place of another, or one taken away at index at; with two labels joined, a
// label more or less; with another port.
func nearMisses(s string, at uint, b byte) []string {
	i := int(at % uint(len(s)))
	scheme, authority, _ := strings.Cut(s, "://")
	_, parent, _ := strings.Cut(authority, ".")
	portless := s[:max(strings.LastIndexByte(s, ':'), 0)]
	c := string([]byte{b}) // not the rune b
	dot := i + strings.IndexByte(s[i:], '.')
	return []string{
		s[:i] + c + s[i:],
		s[:i] + c + s[i+1:],
		s[:i] + s[i+1:],
		s + c,
		s[:max(dot, 0)] + s[dot+1:],
		scheme + "://" + parent,
		scheme + "://" + c + authority,
		scheme + "://" + c + "." + authority,
		scheme + "s://" + authority,
		portless,
		portless + ":80",
		s + ":443",
		s + ":8080",
		s + "0",
	}
}

// FuzzOrigin compares what a set of patterns allows with what each of them
// allows alone, and that with a naive reading of it.
func FuzzOrigin(f *testing.F) {
	for _, origin := range fuzzOrigins {
		f.Add("https://example.com\nhttps://*.example.com\nhttp://localhost:*\n"+origin, origin, uint(9), byte('.'))
	}
	f.Add("https://foo.com\nhttps://bar.com", "https://barfoo.com", uint(8), byte('r'))
	f.Add("https://*.foo.com\nhttps://*.oo.com", "https://a.foo.com", uint(10), byte('b'))
	f.Add("https://*.example.com\nhttps://*.example.com:8443", "https://a.example.com:8444", uint(9), byte(':'))
	f.Add("https://example.com", "https://example.com.evil.example", uint(19), byte('/'))

	f.Fuzz(func(t *testing.T, patterns, origin string, at uint, b byte) {
		var union []string
		var alone []*cors.Middleware
		var exprs []*regexp.Regexp
		candidates := []string{origin}
		for pattern := range strings.SplitSeq(patterns, "\n") {
			m, err := cors.New(cors.Policy{AllowedOrigins: []string{pattern}, AcceptRisks: cors.RiskNullOrigin})
			if err != nil || pattern == "*" || len(union) == 8 {
				continue
			}
			union = append(union, pattern)
			alone = append(alone, m)
			exprs = append(exprs, patternExpr(pattern))
			for _, member := range membersOf(pattern) {
				candidates = append(candidates, member)
				candidates = append(candidates, nearMisses(member, at, b)...)
			}
		}
		m, err := cors.New(cors.Policy{AllowedOrigins: union, AcceptRisks: cors.RiskNullOrigin})
		if err != nil {
			t.Fatalf("valid one by one, but not together: %v", err)
		}
		for _, origin := range candidates {
			if origin == "" {
				continue
			}
			any, wellFormed := false, origin == "null" || isBrowserOrigin(origin)
			for i, pattern := range union {
				want := wellFormed && exprs[i].MatchString(origin)
				if got := allowsPage(alone[i], origin); got != want {
					t.Errorf("pattern %q alone: origin %q allowed is %t, want %t", pattern, origin, got, want)
				}
				any = any || want
			}
			if got := allowsPage(m, origin); got != any {
				t.Errorf("patterns %q together: origin %q allowed is %t, want %t", union, origin, got, any)
			}
		}
	})
}

// TestOriginSets does what FuzzOrigin does with sets of up to thousands of
// patterns: names with common beginnings and ends, on several ports.
func TestOriginSets(t *testing.T) {
	const seed = 1
	rnd := rand.New(rand.NewPCG(seed, seed))
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	randomPattern := func() string {
		s := pick("https", "http", "app") + "://" + pick("", "", "*.")
		for range rnd.IntN(4) {
			s += pick("a", "b", "ab", "foo", "bar", "barfoo") + pick("", "", "x", "1") + "."
		}
		return s + pick("com", "example", "foo.com", "bar.com") + pick("", "", ":*", ":8080", ":8081", ":808")
	}
	for _, size := range []int{1, 2, 3, 10, 100, 3000} {
		var union []string
		for range size {
			union = append(union, randomPattern())
		}
		m := mustNew(t, origins(union...))
		var exprs []*regexp.Regexp
		for _, pattern := range union {
			exprs = append(exprs, patternExpr(pattern))
		}
		var candidates []string
		for range 50 {
			for _, member := range membersOf(pick(union...)) {
				if !allowsPage(m, member) {
					t.Errorf("seed %d, %d patterns: origin %q is not allowed, though a pattern allows it", seed, size, member)
				}
				candidates = append(candidates, member)
				candidates = append(candidates, nearMisses(member, rnd.Uint(), pick("a", ".", ":", "1", "-", "x")[0])...)
			}
		}
		for _, origin := range candidates {
			want := isBrowserOrigin(origin) && slices.ContainsFunc(exprs, func(e *regexp.Regexp) bool { return e.MatchString(origin) })
			if got := allowsPage(m, origin); got != want {
				t.Errorf("seed %d, %d patterns: origin %q allowed is %t, want %t", seed, size, origin, got, want)
			}
		}
	}
}

// The tests whose names begin with TestFieldBug each show a defect that another
// CORS middleware had.

// rs/cors CVE-2018-20744, echo 2400, fiber CVE-2024-25124, daptin 249: any
// origin was reflected, with credentials.
func TestFieldBugAnyOriginWithCredentials(t *testing.T) {
	t.Parallel()
	if _, err := cors.New(credentialed("*")); err == nil {
		t.Error("New accepts any origin with credentials")
	}
	m := mustNew(t, credentialed("https://example.com"))
	if err := m.SetPolicy(credentialed("*")); err == nil {
		t.Error("SetPolicy accepts any origin with credentials")
	}
	w, ran := serve(m, newRequest("GET", stranger))
	if ran || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("then a stranger's request got %v", w.Header())
	}
}

// rs/cors 197: "h*" allowed nearly any origin, with credentials too.
func TestFieldBugPartialWildcard(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"h*", "http*", "https://*", "https://ex*", "https://*com", "https://*example.com", "https://example.*", "https://www.*.com",
		"https://ex*mple.com", "*.example.com", "*://example.com", "https://example.com*", "https://example.com:8*", "**",
	} {
		m, err := cors.New(origins(pattern))
		if err == nil {
			t.Errorf("pattern %q is accepted; it allows https://evil.example: %t", pattern, allowsPage(m, "https://evil.example"))
		}
	}
}

// gin-contrib CVE-2019-25211: a wildcard matched what begins or ends like the
// host it was meant for, such as example.community for example.com.
func TestFieldBugWildcardMatchesLongerHost(t *testing.T) {
	t.Parallel()
	m := mustNew(t, origins("https://*.example.com", "https://example.com:*", "http://localhost:*"))
	for _, origin := range []string{"https://a.example.com", "https://a.b.example.com", "https://example.com", "https://example.com:8443", "http://localhost:1"} {
		if !allowsPage(m, origin) {
			t.Errorf("%s is not allowed", origin)
		}
	}
	for _, origin := range []string{
		"https://example.community", "https://example.community:8443", "https://example.com.evil.example", "https://example.com.evil.example:8443",
		"https://a.example.community", "https://a.example.com.evil.example", "https://badexample.com", "https://a.badexample.com", "https://evil.example:a.example.com",
		"https://evil.example/.example.com", "https://example.com:8443.evil.example", "http://localhost.evil.example:1", "http://localhosts:1",
	} {
		if allowsPage(m, origin) {
			t.Errorf("%s is allowed", origin)
		}
	}
}

// jub0bs/cors GHSA-vhxv-fg4m-p2w8: two patterns together allowed what neither
// did alone.
func TestFieldBugPatternsJoin(t *testing.T) {
	t.Parallel()
	for _, union := range [][]string{
		{"https://foo.com", "https://bar.com"},
		{"https://*.foo.com", "https://*.bar.com"},
		{"https://foo.com", "https://*.bar.com", "https://foo.com:*"},
	} {
		m := mustNew(t, origins(union...))
		for _, origin := range []string{"https://barfoo.com", "https://foobar.com", "https://a.barfoo.com", "https://bar.com.foo.com.example", "https://barfoo.com:8443"} {
			if allowsPage(m, origin) {
				t.Errorf("patterns %q together allow %s", union, origin)
			}
		}
	}
}

// jub0bs/cors 12, 15: after a change of the index, origins and request headers
// that the policy lists were refused.
func TestFieldBugListedButRefused(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var p cors.Policy
	var listed []string
	for i := range 3000 {
		host := fmt.Sprintf("h%d.", i) + strings.Repeat("sub.", i%5) + "example"
		switch i % 3 {
		case 0:
			p.AllowedOrigins = append(p.AllowedOrigins, "https://"+host)
			listed = append(listed, "https://"+host)
		case 1:
			p.AllowedOrigins = append(p.AllowedOrigins, "https://*."+host)
			listed = append(listed, "https://a."+host, "https://a.b."+host)
		case 2:
			p.AllowedOrigins = append(p.AllowedOrigins, "http://"+host+":*")
			listed = append(listed, "http://"+host, "http://"+host+":3000")
		}
		p.AllowedHeaders = append(p.AllowedHeaders, fmt.Sprintf("X-%x-%d", rnd.Uint32(), i))
	}
	rnd.Shuffle(len(p.AllowedOrigins), func(i, j int) {
		p.AllowedOrigins[i], p.AllowedOrigins[j] = p.AllowedOrigins[j], p.AllowedOrigins[i]
	})
	m := mustNew(t, p)
	for _, origin := range listed {
		if !allowsPage(m, origin) {
			t.Errorf("%s is listed, but refused", origin)
		}
	}

	p.AllowedOrigins = []string{"https://example.com"}
	m = mustNew(t, p)
	for _, name := range p.AllowedHeaders {
		if err := checkRequestHeaders(m, []string{strings.ToLower(name)}); err != nil {
			t.Errorf("%s is listed, but refused: %v", name, err)
		}
	}
	if err := checkRequestHeaders(m, []string{strings.ToLower(strings.Join(p.AllowedHeaders, ","))}); err != nil {
		t.Errorf("all listed names together are refused: %v", err)
	}
}

// rack-cors CVE-2017-11173: a pattern that was not anchored at its end let
// example.com.evil.net through.
func TestFieldBugPatternWithoutAnchor(t *testing.T) {
	t.Parallel()
	m := mustNew(t, origins("https://example.com", "https://*.example.org", "http://example.net:*"))
	for _, origin := range []string{
		"https://example.com.evil.net", "https://example.com.", "https://example.com:8443", "https://example.com\n", "https://example.com/",
		"evilhttps://example.com", "https://evil.net?https://example.com", "https://evil.net#https://example.com", " https://example.com",
		"https://example.com https://example.com", "https://a.example.org.evil.net", "https://a.example.org\n.evil.net", "https://a.example.org:1", "https://example.org",
		"http://example.net:1.evil.net", "http://example.net:1:1", "http://example.net:", "http://example.net.evil.net",
	} {
		if allowsPage(m, origin) {
			t.Errorf("%q is allowed", origin)
		}
	}
}
