package origin_test

import (
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
	"github.com/f407da42/cors/internal/origin/naive"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, scheme, host string
		wildcard              origin.Wildcard
		loopback              bool
		suffix                string // under which anybody can register what the pattern allows
	}{
		{"https://example.com", "https", "example.com", origin.None, false, ""},
		{"https://example.com.:8443", "https", "example.com.", origin.None, false, ""},
		{"http://localhost:*", "http", "localhost", origin.None, true, ""},
		{"http://localhost.:3000", "http", "localhost.", origin.None, true, ""},
		{"http://app.localhost", "http", "app.localhost", origin.None, true, ""},
		{"http://localhosts", "http", "localhosts", origin.None, false, ""},
		{"http://xlocalhost", "http", "xlocalhost", origin.None, false, ""},
		{"http://127.1.2.3", "http", "127.1.2.3", origin.None, true, ""},
		{"http://128.0.0.1", "http", "128.0.0.1", origin.None, false, ""},
		{"http://[::1]:8080", "http", "[::1]", origin.None, true, ""},
		{"http://[::2]", "http", "[::2]", origin.None, false, ""},
		{"app://.", "app", ".", origin.None, false, ""},
		{"app://", "app", "", origin.None, false, ""},
		{"null", "", "", origin.None, false, ""},
		{"file://", "", "", origin.None, false, ""},
		{"https://*.example.com", "https", "example.com", origin.Subdomains, false, ""},
		{"https://*.example.com:8443", "https", "example.com", origin.Subdomains, false, ""},
		{"https://*.com", "https", "com", origin.Subdomains, false, "com"},
		{"https://*.com.:*", "https", "com.", origin.Subdomains, false, "com"},
		{"http://*.localhost:*", "http", "localhost", origin.Subdomains, true, ""},
		{"http://*.localhost.:*", "http", "localhost.", origin.Subdomains, true, ""},
		{"https://*.github.io", "https", "github.io", origin.Subdomains, false, "github.io"},
		{"https://*.co.uk", "https", "co.uk", origin.Subdomains, false, "co.uk"},
		{"https://*.me.github.io", "https", "me.github.io", origin.Subdomains, false, ""},
		{"https://*.hub.io", "https", "hub.io", origin.Subdomains, false, ""},
		{"https://*.o.uk", "https", "o.uk", origin.Subdomains, false, ""},
		{"https://*.example.github.io", "https", "example.github.io", origin.Subdomains, false, ""},
		{"https://proj-*.vercel.app", "https", "vercel.app", origin.Within, false, "vercel.app"},
		{"https://*--proj.netlify.app:*", "https", "netlify.app", origin.Within, false, "netlify.app"},
		{"https://proj-*-team.example.com", "https", "example.com", origin.Within, false, ""},
		{"http://*-app.localhost:3000", "http", "localhost", origin.Within, true, ""},
		{"app://pr-*.example.com", "app", "example.com", origin.Within, false, ""},
		{"app://*.example.com", "app", "example.com", origin.Subdomains, false, ""},
		{"moz-extension://*", "moz-extension", "", origin.AnyHost, false, "moz-extension://"},
		{"https://*", "https", "", origin.AnyHost, false, "https://"},
		{"http://*", "http", "", origin.AnyHost, false, "http://"},
	} {
		p, err := origin.Parse(test.pattern)
		if err != nil {
			t.Errorf("%q: %v", test.pattern, err)
			continue
		}
		suffix, public := p.PublicSuffix(nil)
		if p.Scheme != test.scheme || p.Host != test.host || p.Wildcard != test.wildcard || p.IsLoopback() != test.loopback || suffix != test.suffix && public || public != (test.suffix != "") {
			t.Errorf("%q: got %+v, loopback %t, public suffix %q %t", test.pattern, p, p.IsLoopback(), suffix, public)
		}
	}
}

// The public suffixes that patterns are most often written for are known without
// a list, and there are more than a hundred.
func TestKnownSuffixes(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{
		"co.uk", "com.au", "co.jp", "github.io", "gitlab.io", "vercel.app", "netlify.app", "pages.dev", "workers.dev", "herokuapp.com", "amazonaws.com",
		"s3.amazonaws.com", "cloudfront.net", "azurewebsites.net", "web.app", "firebaseapp.com", "run.app", "fly.dev", "onrender.com", "ngrok.io",
	} {
		for _, pattern := range []string{"https://*.", "https://proj-*.", "https://*-team."} {
			p := parse(t, pattern+suffix)[0]
			if got, public := p.PublicSuffix(nil); got != suffix || !public {
				t.Errorf("%s: got %q, %t", pattern+suffix, got, public)
			}
			p = parse(t, pattern+"example."+suffix)[0]
			if got, public := p.PublicSuffix(nil); public {
				t.Errorf("%s: %q is public", pattern+"example."+suffix, got)
			}
		}
	}
	if n := len(strings.Fields(origin.KnownSuffixes)); n <= 100 || n >= 200 {
		t.Errorf("%d suffixes are known; the pages say more than a hundred", n)
	}
}

// A list is what tests know of public suffixes: two, and all names right under a
// third.
type list struct{}

func (list) String() string { return "for tests" }

func (list) PublicSuffix(domain string) string {
	labels := strings.Split(domain, ".")
	switch {
	case strings.HasSuffix("."+domain, ".github.io"):
		return "github.io"
	case strings.HasSuffix(domain, ".kobe.jp"):
		return strings.Join(labels[max(len(labels)-3, 0):], ".")
	}
	return labels[len(labels)-1]
}

func TestPublicSuffixesOfAList(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"https://*.github.io":      "github.io",
		"https://pr-*.github.io.":  "github.io",
		"https://*.a.github.io":    "",
		"https://*.vercel.app":     "", // the list does not know it
		"https://*.app":            "app",
		"https://*.kobe.jp":        "kobe.jp",
		"https://*.a.kobe.jp":      "a.kobe.jp",
		"https://*.b.a.kobe.jp":    "",
		"http://*.localhost":       "",
		"https://github.io":        "",
		"safari-web-extension://*": "safari-web-extension://",
	} {
		p := parse(t, pattern)[0]
		if suffix, public := p.PublicSuffix(list{}); public != (want != "") || public && suffix != want {
			t.Errorf("%s: got %q, %t", pattern, suffix, public)
		}
	}
}

const (
	starInstead = `write "*" alone, as the first label ("https://*.example.com"), between hyphens in it ("https://pr-*.example.com"), or as the port ("http://localhost:*")`
	star        = `has a "*" where it means nothing; ` + starInstead
	everyHost   = `has a "*" for every host; write "*" alone, or decide in AllowOriginFunc`
	inAddress   = `has a "*" in an IP address; list the addresses`
	noDomain    = `has no domain after its "*"; write one, as in "https://pr-*.example.com"`
	hyphens     = `has hyphens alone before or after its "*"; write more there, as in "https://pr-*.example.com", or nothing`
	noStarIn    = `has a "*" before an IP address, which has no subdomains; list the addresses`
	path        = "has a path, a query or a fragment, which no origin has; "
	host        = `has characters in its host that browsers do not leave there; write letters, digits, "-", "_" and ".", or an IPv6 address in brackets`
	port        = "has a port that is none; write a number from 1 to 65535 without leading zeros, or nothing"
	number      = `has a number as its last label, but is no IPv4 address in canonical form; write four decimal numbers, as in "http://192.0.2.1"`
	ipv6        = `has an IPv6 address that is not in canonical form; `
	empty       = "has an empty label in its host; remove the dot before or after it"
	long        = "has a label of more than 63 bytes or a host of more than 253, which DNS has not; write a shorter one"
	scheme      = `has a scheme that is none; write one such as "https"`
	misspelt    = "has a scheme that nobody has; "
	upper       = "has upper case in it, where browsers write lower case; "
	several     = "is not one origin; write each as an element of its own"
	file        = `is no origin, as pages from files have the origin "null"; serve the page over HTTP, for example from "http://localhost:8080"`
)

func TestWhyAStringIsNoPattern(t *testing.T) {
	t.Parallel()
	label64 := strings.Repeat("a", 64)
	host254 := strings.Repeat(label64[1:]+".", 3) + strings.Repeat("a", 62)
	for _, test := range []struct{ name, s, want string }{
		{"nothing", "", `is empty; write an origin such as "https://example.com", or remove it`},
		{"a list", "https://a.example,https://b.example", several},
		{"a list with a space", "https://a.example https://b.example", several},
		{"a semicolon for a colon", "https;//example.com", `is not one origin; did you mean "https://example.com"?`},
		{"white space", " https://example.com\n", `has white space or invisible characters in it; did you mean "https://example.com"?`},
		{"a control character", "https://example.com\x00", "has white space or invisible characters in it; remove them"},
		{"a byte order mark", "\ufeffhttps://example.com", `has white space or invisible characters in it; did you mean "https://example.com"?`},
		{"Unicode", "https://bücher.example", `has characters in it that are not ASCII; write the host in Punycode, as in "https://xn--bcher-kva.example"`},
		{"the last character of ASCII", "https://a\x7f", "has white space or invisible characters in it; remove them"},

		{"no scheme", "example.com", `has no scheme; did you mean "https://example.com"?`},
		{"no scheme, but HTTP's port", "example.com:80", `has no scheme; did you mean "http://example.com"?`},
		{"no scheme, but HTTPS's port", "example.com:443", `has no scheme; did you mean "https://example.com"?`},
		{"no scheme, but a port", "example.com:8080", `has no scheme; did you mean "https://example.com:8080"?`},
		{"no scheme, but a loopback host", "LOCALHOST:3000", `has no scheme; did you mean "http://localhost:3000"?`},
		{"no scheme, but a loopback address", "[::1]:3000", `has no scheme; did you mean "http://[::1]:3000"?`},
		{"no scheme, but a wildcard", "*.example.com", `has no scheme; did you mean "https://*.example.com"?`},
		{"no scheme, but a hyphen and a wildcard", "pr-*.example.com", `has no scheme; did you mean "https://pr-*.example.com"?`},
		{"no scheme, but slashes", "//example.com", `has no scheme; did you mean "https://example.com"?`},
		{"a missing colon", "http//example.com", `has no scheme; did you mean "http://example.com"?`},
		{"a missing slash", "HTTPS:/example.com", `has no scheme; did you mean "https://example.com"?`},
		{"a host that begins like a scheme", "https.example.com", `has no scheme; did you mean "https://https.example.com"?`},
		{"a scheme alone", "https", `has no scheme; write it out, as in "https://example.com"`},
		{"a scheme with a colon alone", "https:", `has no scheme; write it out, as in "https://example.com"`},
		{"a word", "all", `has no scheme; write it out, as in "https://example.com"`},
		{"a word with a port", "all:81", `has no scheme; write it out, as in "https://example.com"`},
		{"null in another case", "NULL", `has no scheme; did you mean "null"?`},

		{"a misspelt scheme", "htttps://example.com", misspelt + `did you mean "https://example.com"?`},
		{"a misspelt scheme without an s", "Htp://Example.com/", misspelt + `did you mean "http://example.com"?`},
		{"a misspelt scheme with two", "httpss://example.com:443", misspelt + `did you mean "https://example.com"?`},
		{"a misspelt scheme of no host", "htttps://^", misspelt + `write "https" or "http"`},
		{"a file", "file:///index.html", file},
		{"a file's host", "FILE://example.com", file},
		{"a WebSocket", "wss://example.com/chat", `is a WebSocket's address, but a handshake has the origin of its page; did you mean "https://example.com"?`},
		{"an insecure WebSocket", "WS://example.com", `is a WebSocket's address, but a handshake has the origin of its page; did you mean "http://example.com"?`},
		{"a WebSocket at no host", "ws://^", "is a WebSocket's address, but a handshake has the origin of its page; write that"},
		{"a scheme that begins with a digit", "1a://b", scheme},
		{"an empty scheme", "://b", scheme},
		{"a scheme twice", "https://https://x", several},
		{"a scheme twice, mistyped", "http://https//a.example", path + "end after the host and port"},
		{"a scheme twice, with a port's colon", "https://http:/a.example", path + "end after the host and port"},
		{"single quotes", "'https://example.com'", `has a scheme that is none; did you mean "https://example.com"?`},
		{"angle brackets", "<https://example.com>", `has a scheme that is none; did you mean "https://example.com"?`},
		{"a tab", "\thttps://example.com", `has white space or invisible characters in it; did you mean "https://example.com"?`},
		{"a carriage return", "https://example.com\r", `has white space or invisible characters in it; did you mean "https://example.com"?`},
		{"a zero width space", "https://example.com\u200b", `has white space or invisible characters in it; did you mean "https://example.com"?`},
		{"quotes", `"https://example.com"`, `has a scheme that is none; did you mean "https://example.com"?`},
		{"an app's scheme in upper case", "App://a", upper + `did you mean "app://a"?`},

		{"a wildcard without a dot", "https://*example.com", star},
		{"a wildcard after a letter", "https://pr*.example.com", star},
		{"a wildcard before a letter", "https://*pr.example.com", star},
		{"a wildcard after a hyphen alone", "https://-*.example.com", hyphens},
		{"a wildcard before a hyphen alone", "https://*-.example.com", hyphens},
		{"a wildcard before hyphens alone", "https://*--.example.com", hyphens},
		{"a wildcard between a name and a hyphen", "https://pr-*-.example.com", hyphens},
		{"a wildcard between a hyphen and a name", "https://-*-pr.example.com", hyphens},
		{"a wildcard in a later label", "https://a.b-*.example.com", star},
		{"a wildcard as a later label", "https://a.*.example.com", star},
		{"a wildcard after a dot and a hyphen", "https://a.-*.example.com", star},
		{"two wildcards in a label", "https://a-*-*.example.com", star},
		{"two wildcard labels", "https://*.*.example.com", star},
		{"a wildcard label and a part of the next", "https://*.a-*.example.com", star},
		{"a wildcard without a domain", "https://pr-*", noDomain},
		{"a wildcard without a domain, at a port", "https://pr-*:8080", noDomain},
		{"a wildcard before a dot alone", "https://pr-*.", noDomain},
		{"a wildcard before a dot and a port", "https://*-app.:8443", noDomain},
		{"a wildcard for every host, and a path", "https://*/", `has a "*" for every host; did you mean "https://*"?`},
		{"a wildcard for every host and port", "https://*:*", everyHost},
		{"a wildcard for every host, at a port", "http://*:8080", everyHost},
		{"a wildcard for every number of an address", "http://192.168.*.*", inAddress},
		{"a wildcard for the last number of an address, at any port", "http://192.168.1.*:*", inAddress},
		{"a wildcard for a part of an address", "http://10.*:8080", inAddress},
		{"a wildcard in an IPv6 address", "http://[2001:db8::*]:8080", inAddress},
		{"a regular expression", "https://[a-z]*.example.com", star},
		{"wildcards alone", "https://*.*.*", star},
		{"a wildcard for a top level domain", "https://example.*", star},
		{"a wildcard within the port", "http://localhost:80*", star},
		{"a wildcard for the scheme", "*://example.com", star},
		{"a wildcard after a user", "https://u@a-*.example.com", star},
		{"a wildcard for a path, and no host", "https:///*", star},
		{"a wildcard for every host of an app, and the port", "moz-extension://*:*", `has a "*" where it means nothing; did you mean "moz-extension://*"?`},
		{"a wildcard for a part of an app's host", "moz-extension://a*", `has a "*" where it means nothing; did you mean "moz-extension://*"?`},
		{"a wildcard for an app's host, and a slash", "moz-extension://*/", `has a "*" where it means nothing; did you mean "moz-extension://*"?`},
		{"a wildcard for every host of an app in upper case", "Moz-Extension://*", upper + `did you mean "moz-extension://*"?`},
		{"a wildcard and a scheme in upper case", "HTTPS://*example.com", upper + "write lower case"},
		{"a wildcard for the host of no scheme", "1a://*", star},
		{"a wildcard before an IPv4 address", "http://*.127.0.0.1", noStarIn},
		{"a wildcard before an IPv6 address", "http://*.[::1]:8080", noStarIn},
		{"a wildcard before an IPv6 address with too many zeros", "http://*.[0:0::1]", ipv6 + `write it as browsers do, as in "http://[2001:db8::1]", without a zone`},
		{"a wildcard before half an IPv4 address", "http://*.2.3", number},
		{"a wildcard before an app's IPv4 address", "app://*.127.0.0.1", `has a "*" before an IP address, which has no subdomains; did you mean "app://*"?`},
		{"a wildcard before an app's upper case", "app://*.Example.com", `has upper case in it, where browsers write lower case; did you mean "app://*"?`},
		{"a wildcard after an app's upper case", "app://PR-*.example.com", `has a "*" where it means nothing; did you mean "app://*"?`},
		{"a wildcard before a host too long", "https://*." + host254[2:], long},
		{"a wildcard in a label too long", "https://" + label64[:60] + "-*-pr.example.com", star},

		{"a user", "https://u:p@example.com", "has a user in it, which no origin has; remove it"},
		{"a user that looks like a host", "https://example.com@evil.example", "has a user in it, which no origin has; remove it"},
		{"a slash", "https://example.com/", path + `did you mean "https://example.com"?`},
		{"a path after a wildcard", "https://*.example.com/a", path + `did you mean "https://*.example.com"?`},
		{"a query", "https://example.com?q", path + `did you mean "https://example.com"?`},
		{"a fragment", "https://example.com#f", path + `did you mean "https://example.com"?`},
		{"a backslash", `https://example.com\`, path + "end after the host and port"},
		{"an app's path", "app://a/b", path + `did you mean "app://a"?`},
		{"upper case", "https://Example.com", upper + `did you mean "https://example.com"?`},
		{"upper case in the scheme", "HTTPS://example.com", upper + `did you mean "https://example.com"?`},
		{"upper case and more", "https://Ex^ample.com", upper + "write lower case"},

		{"no port", "http://localhost:", `has a port that is none; did you mean "http://localhost"?`},
		{"port 0", "https://example.com:0", port},
		{"a port too high", "https://example.com:65536", port},
		{"a port that is no number", "https://example.com:https", port},
		{"an app's port 0", "app://a:0", port},
		{"HTTPS's port", "https://example.com:443", `has its scheme's default port in it, which browsers leave out; did you mean "https://example.com"?`},
		{"HTTP's port", "http://*.example.com:80", `has its scheme's default port in it, which browsers leave out; did you mean "http://*.example.com"?`},
		{"two ports", "https://example.com:8080:*", `has two ports; write a number or "*"`},
		{"no host", "https://", `has no host; write one, as in "https://example.com"`},
		{"no host, but a port", "https://:8080", `has no host; write one, as in "https://example.com"`},
		{"no host, but any port", "app://:*", `has no host; write one, as in "https://example.com"`},

		{"an IPv6 address with a zone", "http://[fe80::1%eth0]", ipv6 + `did you mean "http://[fe80::1]"?`},
		{"an IPv6 address with too many zeros", "http://[0:0::1]:8080", ipv6 + `did you mean "http://[::1]:8080"?`},
		{"half an IPv6 address", "http://[::1", ipv6 + `write it as browsers do, as in "http://[2001:db8::1]", without a zone`},
		{"an IPv6 address without brackets", "http://2001:db8::1", host},
		{"no IPv6 address", "https://[a-z]+.example.com", host},
		{"two dots", "https://a..example", empty},
		{"two dots before a port", "https://a..example:8443", empty},
		{"two dots of an app", "app://a@..", "has a user in it, which no origin has; remove it"},
		{"a dot first", "https://.example.com", empty},
		{"two dots last", "https://example.com..", empty},
		{"three numbers", "http://1.2.3", number},
		{"four numbers and a dot", "http://1.2.3.4.", number},
		{"a hexadecimal number", "http://example.0x1f", number},
		{"characters of no host", "https://a^b.example", host},
		{"characters of no app's host", "app://a^b", host},
		{"a label too long", "https://" + label64 + ".example", long},
		{"a host too long", "https://" + host254, long},
	} {
		t.Run(test.name, func(t *testing.T) {
			if p, err := origin.Parse(test.s); err == nil || err.Error() != test.want {
				t.Errorf("%q: got %v, %+v\nwant %s", test.s, err, p, test.want)
			}
		})
	}
}

// What is offered instead of a mistake is none.
func TestMendsArePatterns(t *testing.T) {
	t.Parallel()
	for _, s := range naive.Samples {
		_, err := origin.Parse(s)
		if err == nil {
			continue
		}
		if _, mended, found := strings.Cut(err.Error(), `did you mean "`); found {
			mended, _, _ = strings.Cut(mended, `"`)
			if _, err := origin.Parse(mended); err != nil {
				t.Errorf("%q: %q is offered, but %v", s, mended, err)
			}
		}
	}
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{
		"http", "https", "app", "capacitor", "tauri", "ionic", "file+x", "hs", "h", "hp", "ts", "htmx", "http+unix", "https+x", "ssh", "ftp", "sftp", "sttx", "ipfs", "https12", "xhttps1", "tts",
		"moz-extension", "chrome-extension", "vscode-webview", "ph", "tp", "ps",
	} {
		for _, rest := range []string{"://a.example", "://*", "://*.example.com", "://a:*"} {
			if _, err := origin.Parse(scheme + rest); err != nil {
				t.Errorf("%s: %v", scheme+rest, err)
			}
		}
	}
	for _, scheme := range []string{"htts", "htto", "hps", "https1", "http1", "htp", "ttp", "ttps", "httpss", "htttps", "hptts", "pth", "xhttp", "httq", "shttp", "httpx", "hhttps", "tps"} {
		for _, rest := range []string{"://a.example", "://*", "://*.example.com", "://a:*"} {
			if _, err := origin.Parse(scheme + rest); err == nil || !strings.Contains(err.Error(), "scheme") {
				t.Errorf("%s: got %v", scheme+rest, err)
			}
		}
	}
}
