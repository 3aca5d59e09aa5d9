package origin_test

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What follows reads origins and patterns a second time, with other means: net/url,
// net/netip and regular expressions. It is slow, and shares no code with the package.

// samples are strings to begin fuzzing with: origins that browsers and apps
// send, patterns, and what has been mistaken for either.
var samples = []string{
	"https://example.com", "https://app.example.com:8443", "http://localhost:3000", "http://127.0.0.1:5173", "http://255.255.255.255",
	"http://[::1]:8080", "https://[2001:db8::1]", "https://[abcd:ef09::af]", "https://[::g]", "https://[::ffff:7f00:1]", "https://[1:0:0:2:0:0:0:3]",
	"https://xn--bcher-kva.example", "https://a_b.example", "https://0a.example", "https://example.c0m",
	"chrome-extension://aghbiahbpaijignceidepookljebhfak", "moz-extension://0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
	"capacitor://localhost", "ionic://localhost", "app://obsidian.md", "tauri://localhost", "vscode-webview://1a2b",
	"https://*.example.com", "https://*.example.com:8443", "https://*.example.com:*", "http://localhost:*", "http://[::1]:*",
	"http://*.localhost:*", "https://*.github.io", "https://*.com", "null",
	"https://proj-*.vercel.app", "https://*--proj.netlify.app", "https://proj-*-team.vercel.app:*", "https://*-app.localhost:8443", "https://a-*-b.c.",
	"moz-extension://*", "safari-web-extension://*", "safari-web-extension://0A1B-c2", "app://.", "app://", "app://*", "app://a~b", "https://example.com.", "http://localhost.:3000",
	"https://-*.example.com", "https://*-.example.com", "https://pr*.example.com", "https://a.b-*.example.com", "https://a-*-*.example.com", "https://a-*", "https://a-*.1", "https://*",
	"moz-extension://*:*", "moz-extension://*/", "moz-extension://a*", "htttps://example.com", "htp://example.com", "example.com:80", "http://1.2.3.4.", "https://.", "https://a..", "app://a/b", "app://u@a", "app://:1", "app://[::1]",
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

// isOrigin reports whether a browser or an app could send s as the origin of a
// page. It takes s apart, puts it together as the HTML and URL standards say, and
// compares.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || slices.Contains([]string{"", "file", "ws", "wss"}, u.Scheme) || isMisspelt(u.Scheme) {
		return false
	}
	host := u.Hostname()
	web := u.Scheme == "http" || u.Scheme == "https"
	ip, err := netip.ParseAddr(host)
	switch {
	case strings.HasPrefix(u.Host, "["):
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return false
		}
		host = "[" + browserIPv6(ip) + "]"
	case !web:
		if !appHost.MatchString(host) || host == "" && u.Host != "" {
			return false
		}
	case numberLast.MatchString(host):
		if err != nil {
			return false
		}
		host = ip.String()
	case !domain.MatchString(host) || len(strings.TrimSuffix(host, ".")) > 253:
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
	domain     = regexp.MustCompile(`^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$`)
	numberLast = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)\.?$`)
	appHost    = regexp.MustCompile(`^[A-Za-z0-9._~-]{0,253}$`)
)

// isMisspelt reports whether scheme is neither http nor https, but three or more
// of their letters, with those that make the sound.
func isMisspelt(scheme string) bool {
	return !slices.Contains([]string{"http", "https"}, scheme) &&
		regexp.MustCompile(`^[htps]{3,}$`).MatchString(scheme) && regexp.MustCompile(`t.*p|p.*t`).MatchString(scheme)
}

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

// isPattern reports whether s is a pattern: whether it is an origin once
// something stands in place of its wildcards, and these are where they may be.
func isPattern(s string) bool {
	if s == "null" || s == "file://" || isOrigin(s) {
		return true
	}
	if scheme, ok := strings.CutSuffix(s, "://*"); ok {
		return scheme != "http" && scheme != "https" && isOrigin(scheme+"://a")
	}
	sample := wildcard.ReplaceAllString(s, "${1}${2}a${3}.${4}")
	if sample != s && !(isOrigin("https://a."+wildcard.FindStringSubmatch(s)[4]) || strings.Contains(s, ":")) {
		return false
	}
	if portless, ok := strings.CutSuffix(sample, ":*"); ok {
		sample = portless + ":1"
	}
	return isOrigin(sample)
}

// wildcard finds a "*" that is the first label, or a part of it.
var wildcard = regexp.MustCompile(`^([a-z0-9+.-]+://)((?:[a-z0-9_-]*[a-z0-9_]-+|))\*((?:-+[a-z0-9_][a-z0-9_-]*|))\.(.+)$`)

// expression returns a regular expression that reads a pattern alone, as the
// documentation does. It says nothing of whether an origin is well-formed.
func expression(pattern string) *regexp.Regexp {
	expr, anyPort := strings.CutSuffix(regexp.QuoteMeta(pattern), `:\*`)
	switch {
	case strings.HasSuffix(expr, `://\*`):
		expr = strings.Replace(expr, `\*`, `[^:]+`, 1)
	case strings.Contains(expr, `://\*\.`):
		expr = strings.Replace(expr, `\*\.`, `([a-z0-9_-]{1,63}\.)+`, 1)
	default:
		expr = strings.Replace(expr, `\*`, `[a-z0-9_-]+`, 1)
	}
	if anyPort {
		expr += `(:[0-9]+)?`
	}
	return regexp.MustCompile(`\A` + expr + `\z`)
}

// membersOf returns origins that a pattern allows, but for those that are too
// long.
func membersOf(pattern string) []string {
	portless, anyPort := strings.CutSuffix(pattern, ":*")
	var members []string
	for _, name := range []string{"a", "x-1", "b2.c_"} {
		s := strings.Replace(portless, "*", name, 1)
		if anyPort {
			members = append(members, s, s+":65535", s+":1")
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
