package origin_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
	"github.com/f407da42/cors/internal/origin/naive"
)

const (
	starInstead = `write it as the first label ("https://*.example.com"), between hyphens in that label ("https://pr-*.example.com"), or as the port ("http://localhost:*")`
	misplaced   = `has a misplaced "*"; `
	star        = misplaced + starInstead
	inAddress   = `has a "*" in an IP address; decide in AllowOriginFunc`
	noDomain    = `has no domain after its "*"; add one, as in "https://pr-*.example.com"`
	hyphens     = `has only hyphens next to its "*"; write a name there, as in "https://pr-*.example.com"`
	noStarIn    = `has a "*" before an IP address, which has no subdomains; remove it`
	anyPort     = `has a port after its "*", which already allows every port; `
	path        = "contains a path; "
	host        = `has an invalid character in its host; write letters, digits, "-", "_" and ".", or an IPv6 address in brackets`
	port        = "has an invalid port; write a number from 1 to 65535 without leading zeros, or remove it"
	number      = `has a host that ends in a number but is not a canonical IPv4 address; write four decimal numbers, as in "http://192.0.2.1"`
	ipv6        = `has an IPv6 address that is not in canonical form; `
	empty       = "has an empty label in its host; remove the extra dot"
	longLabel   = "has a label over 63 bytes; write a shorter one"
	longHost    = "has a host over 253 bytes; write a shorter one"
	scheme      = `has an invalid scheme; write one such as "https"`
	misspelled  = "has a misspelled scheme; "
	upper       = "has uppercase letters; "
	several     = "is not a single origin; write each origin as a separate entry"
	file        = `has the scheme "file", but pages from files have the origin "null" or "file://"; `
	serve       = `serve the page over HTTP, for example from "http://localhost:8080"`
	handshake   = "is the address of a WebSocket, but a handshake has the origin of its page; "
	webSocket   = handshake + "write the origins of the pages that open it"
	space       = "contains white space or an invisible character; "
	noScheme    = `has no scheme; add it, as in "https://example.com"`
	noSlashes   = `has no "//" after its scheme; `
	addSlashes  = noSlashes + `add it, as in "https://example.com"`
	noHost      = `has no host; add one, as in "https://example.com"`
)

func TestFaultsOfPatterns(t *testing.T) {
	t.Parallel()
	label64 := strings.Repeat("a", 64)
	host254 := strings.Repeat(label64[1:]+".", 3) + strings.Repeat("a", 62)
	for _, test := range []struct{ name, s, want string }{
		{"an empty string", "", `is empty, as an unset environment variable is; write an origin such as "https://example.com", or remove the entry`},
		{"a list", "https://a.example,https://b.example", several},
		{"a list with a space", "https://a.example https://b.example", several},
		{"a semicolon instead of a colon", "https;//example.com", `has no scheme; did you mean "https://example.com"?`},
		{"white space", " https://example.com\n", space + `did you mean "https://example.com"?`},
		{"a control character", "https://example.com\x00", space + "remove it"},
		{"a byte order mark", "\ufeffhttps://example.com", space + `did you mean "https://example.com"?`},
		{"Unicode", "https://bücher.example", `contains a character that is not ASCII; write the host in Punycode, as in "https://xn--bcher-kva.example"`},
		{"the last character of ASCII", "https://a\x7f", space + "remove it"},

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
		{"a missing slash", "HTTPS:/example.com", noSlashes + `did you mean "https://example.com"?`},
		{"a host that begins like a scheme", "https.example.com", `has no scheme; did you mean "https://https.example.com"?`},
		{"a scheme alone", "https", noScheme},
		{"a scheme with a colon alone", "https:", addSlashes},
		{"an app's scheme and a host without slashes", "capacitor:localhost", addSlashes},
		{"a scheme with hyphens and a host without slashes", "moz-extension:a1", addSlashes},
		{"a mail address", "mailto:me@example.com", addSlashes},
		{"a file without slashes", "file:/index.html", addSlashes},
		{"a domain and a word as the port", "example.com:https", noScheme},
		{"a number and a word as the port", "1a:b", noScheme},
		{"a word and a colon", "all:", noScheme},
		{"a word, a colon and a tilde", "all:~", noScheme},
		{"a word", "all", noScheme},
		{"a word with a port", "all:81", noScheme},
		{"null in another case", "NULL", `has no scheme; did you mean "null" with RiskNullOrigin?`},

		{"a misspelled scheme", "htttps://example.com", misspelled + `did you mean "https://example.com"?`},
		{"a misspelled scheme without an s", "Htp://Example.com/", misspelled + `did you mean "http://example.com"?`},
		{"a misspelled scheme with two s", "httpss://example.com:443", misspelled + `did you mean "https://example.com"?`},
		{"a misspelled scheme and an invalid host", "htttps://^", misspelled + `write "https" or "http"`},
		{"a file", "file:///index.html", file + serve},
		{"a file's host", "FILE://example.com", file + serve},
		{"a WebSocket", "wss://example.com/chat", handshake + `did you mean "https://example.com"?`},
		{"an insecure WebSocket", "WS://example.com", handshake + `did you mean "http://example.com"?`},
		{"a WebSocket at an invalid host", "ws://^", webSocket},
		{"a scheme that begins with a digit", "1a://b", scheme},
		{"an empty scheme", "://b", scheme},
		{"a scheme twice", "https://https://x", several},
		{"a scheme twice, mistyped", "http://https//a.example", path + "remove it"},
		{"a scheme twice, with a port's colon", "https://http:/a.example", path + "remove it"},
		{"single quotes", "'https://example.com'", `has an invalid scheme; did you mean "https://example.com"?`},
		{"angle brackets", "<https://example.com>", `has an invalid scheme; did you mean "https://example.com"?`},
		{"a tab", "\thttps://example.com", space + `did you mean "https://example.com"?`},
		{"a carriage return", "https://example.com\r", space + `did you mean "https://example.com"?`},
		{"a zero width space", "https://example.com\u200b", space + `did you mean "https://example.com"?`},
		{"quotes", `"https://example.com"`, `has an invalid scheme; did you mean "https://example.com"?`},
		{"an app's scheme with an uppercase letter", "App://a", upper + `did you mean "app://a"?`},

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
		{"two wildcard labels alone", "https://*.*", star},
		{"two wildcard labels alone for HTTP", "http://*.*:8080", star},
		{"two wildcard labels alone for an app", "app://*.*", star},
		{"two wildcard labels and a path", "https://*.*/a", star},
		{"a wildcard label and a part of the last", "https://*.pr-*", star},
		{"a wildcard label and a part of the next", "https://*.a-*.example.com", star},
		{"a wildcard without a domain", "https://pr-*", noDomain},
		{"a wildcard without a domain, at a port", "https://pr-*:8080", noDomain},
		{"a wildcard before a dot alone", "https://pr-*.", noDomain},
		{"a wildcard before a dot and a port", "https://*-app.:8443", noDomain},
		{"a wildcard for every host, and a slash", "https://*/", `ends with a slash; did you mean "https://*"?`},
		{"a wildcard for every host and port", "https://*:*", anyPort + `did you mean "https://*"?`},
		{"a wildcard for every host, at a port", "http://*:8080", anyPort + "decide in AllowOriginFunc"},
		{"a wildcard for every number of an address", "http://192.168.*.*", inAddress},
		{"a wildcard for the last number of an address, at any port", "http://192.168.1.*:*", inAddress},
		{"a wildcard for a part of an address", "http://10.*:8080", inAddress},
		{"a wildcard in an IPv6 address", "http://[2001:db8::*]:8080", inAddress},
		{"a regular expression", "https://[a-z]*.example.com", star},
		{"wildcards alone", "https://*.*.*", star},
		{"a wildcard for a top level domain", "https://example.*", star},
		{"a wildcard within the port", "http://localhost:80*", star},
		{"a wildcard for the scheme", "*://example.com", star},
		{"a wildcard for the scheme, the host and the path", "*://*/*", star},
		{"a wildcard for the scheme, the host and the port", "*://*:*", star},
		{"a wildcard after a user", "https://u@a-*.example.com", "contains a user name; remove it"},
		{"a wildcard for a path, and no host", "https:///*", noHost},
		{"a wildcard for every host of an app, and the port", "moz-extension://*:*", anyPort + `did you mean "moz-extension://*"?`},
		{"a wildcard for a part of an app's host", "moz-extension://a*", misplaced + `did you mean "moz-extension://a"?`},
		{"a wildcard for an app's host, and a slash", "moz-extension://*/", `ends with a slash; did you mean "moz-extension://*"?`},
		{"a wildcard for every host of an app, and an uppercase letter", "Moz-Extension://*", upper + `did you mean "moz-extension://*"?`},
		{"a misplaced wildcard and uppercase letters", "HTTPS://*example.com", upper + "write it in lowercase, as browsers do"},
		{"a wildcard after an invalid scheme", "1a://*", scheme},
		{"a wildcard before an IPv4 address", "http://*.127.0.0.1", noStarIn},
		{"a wildcard before an IPv6 address", "http://*.[::1]:8080", noStarIn},
		{"a wildcard before an IPv6 address with too many zeros", "http://*.[0:0::1]", ipv6 + `write it as browsers do, as in "http://[2001:db8::1]"`},
		{"a wildcard before half an IPv4 address", "http://*.2.3", number},
		{"a wildcard before an app's IPv4 address", "app://*.127.0.0.1", noStarIn},
		{"a wildcard before an uppercase letter of an app", "app://*.Example.com", upper + `did you mean "app://*.example.com"?`},
		{"a wildcard after uppercase letters of an app", "app://PR-*.example.com", upper + `did you mean "app://pr-*.example.com"?`},
		{"a wildcard before a host that is too long", "https://*." + host254[2:], longHost},
		{"a wildcard in a label that is too long", "https://" + label64[:60] + "-*-pr.example.com", longLabel},

		{"a default port after a hyphen pattern", "https://pr-*.example.com:443", `has the default port of its scheme, which browsers leave out; did you mean "https://pr-*.example.com"?`},
		{"two dots after a hyphen pattern", "https://pr-*..example.com", empty},
		{"a number after a hyphen pattern", "https://pr-*.2.3", number},
		{"a path after a hyphen pattern", "https://pr-*.example.com/a", path + `did you mean "https://pr-*.example.com"?`},

		{"a user", "https://u:p@example.com", "contains a user name; remove it"},
		{"a user that looks like a host", "https://example.com@evil.example", "contains a user name; remove it"},
		{"a slash", "https://example.com/", `ends with a slash; did you mean "https://example.com"?`},
		{"a path after a wildcard", "https://*.example.com/a", path + `did you mean "https://*.example.com"?`},
		{"a query", "https://example.com?q", `contains a query; did you mean "https://example.com"?`},
		{"a fragment", "https://example.com#f", `contains a fragment; did you mean "https://example.com"?`},
		{"a backslash", `https://example.com\`, path + `did you mean "https://example.com"?`},
		{"an app's path", "app://a/b", path + `did you mean "app://a"?`},
		{"an uppercase host", "https://Example.com", upper + `did you mean "https://example.com"?`},
		{"an uppercase scheme", "HTTPS://example.com", upper + `did you mean "https://example.com"?`},
		{"an uppercase host with another fault", "https://Ex^ample.com", upper + "write it in lowercase, as browsers do"},

		{"no port", "http://localhost:", `has an invalid port; did you mean "http://localhost"?`},
		{"port 0", "https://example.com:0", port},
		{"a port too high", "https://example.com:65536", port},
		{"a port that is not a number", "https://example.com:https", port},
		{"an app's port 0", "app://a:0", port},
		{"HTTPS's port", "https://example.com:443", `has the default port of its scheme, which browsers leave out; did you mean "https://example.com"?`},
		{"HTTP's port", "http://*.example.com:80", `has the default port of its scheme, which browsers leave out; did you mean "http://*.example.com"?`},
		{"two ports", "https://example.com:8080:*", `has two ports; write a number or "*"`},
		{"no host", "https://", noHost},
		{"no host, but a slash", "https:///", noHost},
		{"no host, but a path", "https:///a.com", noHost},
		{"no host, but a query", "http://?q", noHost},
		{"no host, but a colon", "https://:", noHost},
		{"an app's path without a host", "app:///a", path + `did you mean "app://"?`},
		{"no host, but a port", "https://:8080", noHost},
		{"no host, but any port", "app://:*", noHost},

		{"an IPv6 address with a zone", "http://[fe80::1%eth0]", ipv6 + `did you mean "http://[fe80::1]"?`},
		{"an IPv6 address with too many zeros", "http://[0:0::1]:8080", ipv6 + `did you mean "http://[::1]:8080"?`},
		{"an IPv6 address without its last bracket", "http://[::1", ipv6 + `write it as browsers do, as in "http://[2001:db8::1]"`},
		{"an IPv6 address without brackets", "http://2001:db8::1", host},
		{"brackets without an IPv6 address", "https://[a-z]+.example.com", host},
		{"two dots", "https://a..example", empty},
		{"two dots before a port", "https://a..example:8443", empty},
		{"two dots of an app", "app://a@..", "contains a user name; remove it"},
		{"a dot at the start", "https://.example.com", empty},
		{"two dots at the end", "https://example.com..", empty},
		{"three numbers", "http://1.2.3", number},
		{"four numbers and a dot", "http://1.2.3.4.", number},
		{"a hexadecimal number", "http://example.0x1f", number},
		{"an invalid character", "https://a^b.example", host},
		{"an invalid character for an app", "app://a^b", host},
		{"a label that is too long", "https://" + label64 + ".example", longLabel},
		{"a host that is too long", "https://" + host254, longHost},
	} {
		t.Run(test.name, func(t *testing.T) {
			if p, err := origin.Parse(test.s); err == nil || err.Error() != test.want {
				t.Errorf("%q: got %v, %+v\nwant %s", test.s, err, p, test.want)
			}
		})
	}
}

// Suggestions allowed more than the author wrote: app://* for
// app://obsidian.md*.
func TestFieldBugSuggestionsWidenThePolicy(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"app://obsidian.md*":         `did you mean "app://obsidian.md"?`,
		"app://localhost*":           `did you mean "app://localhost"?`,
		"app://localhost:*/":         `did you mean "app://localhost:*"?`,
		"http://localhost*":          `did you mean "http://localhost:*"?`,
		"http://app.localhost*":      `did you mean "http://app.localhost:*"?`,
		"http://127.0.0.1*":          `did you mean "http://127.0.0.1:*"?`,
		"http://[::1]*":              `did you mean "http://[::1]:*"?`,
		"127.0.0.1*":                 `did you mean "http://127.0.0.1:*"?`,
		"http://**.example.com":      `did you mean "http://*.example.com"?`,
		"**.example.com":             `did you mean "https://*.example.com"?`,
		"file://*":                   `did you mean "file://" with RiskNullOrigin?`,
		"http://192.168.*":           "decide in AllowOriginFunc",
		"http://192.168.0.*:8080":    "decide in AllowOriginFunc",
		"https://*:*":                `did you mean "https://*"?`,
		"https://*/":                 `did you mean "https://*"?`,
		"HTTPS://*":                  `did you mean "https://*"?`,
		"wss://*":                    webSocket,
		"wss://*/chat":               webSocket,
		"NULL":                       `did you mean "null" with RiskNullOrigin?`,
		"wsx://*/":                   `did you mean "wsx://*"?`,
		"htps://*":                   `did you mean "https://*"?`,
		"ws://*":                     webSocket,
		"app://*:*":                  `did you mean "app://*"?`,
		"http://*:3000":              "decide in AllowOriginFunc",
		"https://*:443":              "decide in AllowOriginFunc",
		"app://pr-*":                 noDomain,
		"app://.*":                   star,
		"app://a:*b*":                star,
		"moz-extension://*a":         star,
		"app://*.a.*":                star,
		"http://localhost.*":         star,
		"http://localhost:80*":       star,
		"https://example.com*":       star,
		"https://example.*":          star,
		"https://*example.com":       star,
		"https://*.*.example.com":    star,
		"*":                          noScheme,
		"*:*":                        noScheme,
		"http:*":                     addSlashes,
		"*-example.com":              noScheme,
		"blob:https://a.example/1-2": `did you mean "https://a.example"?`,
		"javascript:alert(1)":        "write the origin of the page that uses it",
		"data:text/html,a":           "write the origin of the page that uses it",
		"about:blank":                "write the origin of the page that uses it",
		"https://example.com/*":      `did you mean "https://example.com"?`,
		"https://*.example.com/*":    `did you mean "https://*.example.com"?`,
	} {
		_, err := origin.Parse(s)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v\nwant %s", s, err, want)
		}
	}
}

// suggestion returns the pattern that the error for s suggests, or "".
func suggestion(s string) string {
	_, err := origin.Parse(s)
	if err == nil {
		return ""
	}
	_, suggested, _ := strings.Cut(err.Error(), `did you mean "`)
	suggested, _, _ = strings.Cut(suggested, `"`)
	return suggested
}

// checkSuggestion checks the suggestion for s, if there is one. It must be a
// pattern that allows only origins under a domain that s contains. It must have
// the scheme of s, unless that scheme is missing or invalid.
func checkSuggestion(t *testing.T, s string) {
	t.Helper()
	suggested := suggestion(s)
	if suggested == "" || suggested == "null" && strings.EqualFold(strings.Trim(s, "\"'<> \t\r\n\u200b\ufeff"), "null") {
		return
	}
	p, err := origin.Parse(suggested)
	if err != nil {
		t.Errorf("%q: %q is suggested, but %v", s, suggested, err)
		return
	}
	lower := strings.ToLower(s)
	scheme, _, found := strings.Cut(strings.TrimLeft(strings.TrimPrefix(lower, "blob:"), "\"'<> \t\r\n\u200b\ufeff"), "://")
	suggestedScheme, host, _ := strings.Cut(suggested, "://")
	switch {
	case !found:
		local := p.IsLoopback() || strings.Contains(s, ":80") || strings.HasPrefix(strings.TrimLeft(lower, "\"'<> \t\r\n\u200b\ufeff"), "http")
		if suggestedScheme != "https" && !(suggestedScheme == "http" && local) {
			t.Errorf("%q: %q is suggested, although nothing indicates its scheme", s, suggested)
		}
	case scheme == "ws":
		scheme = "http"
	case scheme == "wss":
		scheme = "https"
	}
	if _, err := origin.Parse(scheme + "://a.example"); found && err == nil && suggestedScheme != scheme {
		t.Errorf("%q: %q is suggested, with another scheme", s, suggested)
	} else if found && err != nil && scheme != "file" && suggestedScheme != "http" && suggestedScheme != "https" {
		t.Errorf("%q: %q is suggested for a misspelled scheme", s, suggested)
	}
	switch {
	case p.Wildcard == origin.AnyHost:
		if !strings.Contains(s, "://*") {
			t.Errorf("%q: %q is suggested, which allows every host", s, suggested)
		}
	case strings.HasPrefix(host, "["):
		if !strings.ContainsAny(s, "[]") {
			t.Errorf("%q: %q is suggested, with another address", s, suggested)
		}
	default:
		// The domain must be in s, and must not be part of a longer domain.
		domain := strings.ToLower(p.Host)
		i := strings.Index(lower, domain)
		if i < 0 {
			t.Errorf("%q: %q is suggested, with another domain", s, suggested)
			return
		}
		after := strings.TrimLeft(lower[i+len(domain):], "*")
		if after != "" && strings.ContainsAny(after[:1], "abcdefghijklmnopqrstuvwxyz0123456789-_.") && !strings.Contains(lower[i+1:], domain) {
			t.Errorf("%q: %q is suggested, but the domain continues with %q", s, suggested, after)
		}
	}
}

// TestSuggestionsAreNotWider checks the suggestions for random changes of the
// samples.
func TestSuggestionsAreNotWider(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 1))
	inserts := []string{"*", "**", ".", "-", ":", "/", "//", "://", ":*", "*.", "*-", " ", "A", "a", "s", "1", "[", "]", "@", "?", "#", ";", ",", "\"", "http", "https://", "ws", "localhost", "127.0.0.1", "com", ":80", ":443", "\\", "%"}
	suggested := 0
	for _, sample := range naive.Samples {
		checkSuggestion(t, sample)
		for range 500 {
			s := sample
			for range 1 + rnd.IntN(3) {
				i := rnd.IntN(len(s) + 1)
				j := min(len(s), i+rnd.IntN(3))
				s = s[:i] + inserts[rnd.IntN(len(inserts))] + s[j:]
			}
			checkSuggestion(t, s)
			if suggestion(s) != "" {
				suggested++
			}
		}
	}
	if suggested < 1000 {
		t.Errorf("only %d suggestions were made", suggested)
	}
}
