// Package naive is a second implementation of origins and patterns, for tests.
// It uses net/url, net/netip and regular expressions. It is slow, and shares
// only the list of public suffixes with package origin.
package naive

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/f407da42/cors/internal/origin"
)

// IsOrigin reports whether a browser or an app could send s as the origin of a
// page. It parses s, serializes it as the HTML and URL standards say, and
// compares the result with s.
func IsOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || slices.Contains([]string{"", "file", "ws", "wss", "javascript", "data", "blob", "about"}, u.Scheme) {
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
	appHost    = regexp.MustCompile(`^[A-Za-z0-9._~-]{0,253}\.?$`)
)

// isMisspelled reports whether scheme is neither http nor https, but was
// probably meant to be. It differs from one of them in one place. Or it has only
// their letters, at least three in total, with a "p" and an "h" or "t".
func isMisspelled(scheme string) bool {
	return scheme != "http" && scheme != "https" &&
		(almostWeb.MatchString(scheme) || webLetters.MatchString(scheme) && strings.Contains(scheme, "p") && strings.ContainsAny(scheme, "ht"))
}

var (
	webLetters = regexp.MustCompile(`^[htps]{3,}$`)
	almostWeb  = almost("http", "https")
)

// almost returns an expression for words, and for every string that differs
// from a word in one letter or digit.
func almost(words ...string) *regexp.Regexp {
	var all []string
	for _, word := range words {
		for i := range len(word) + 1 {
			all = append(all, word[:i]+"[a-z0-9]"+word[i:], word[:i]+"[a-z0-9]?"+word[min(i+1, len(word)):])
		}
	}
	return regexp.MustCompile(`^(` + strings.Join(all, "|") + `)$`)
}

// browserIPv6 serializes ip. It writes all pieces, and then replaces the first
// of the longest runs of zeros by "::".
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

// IsPattern reports whether s is a pattern. Each "*" must be in a valid place,
// and s must be an origin once each "*" is replaced.
func IsPattern(s string) bool {
	if s == "null" || s == "file://" {
		return true
	}
	if scheme, _, _ := strings.Cut(s, "://"); isMisspelled(scheme) {
		return false
	}
	if scheme, ok := strings.CutSuffix(s, "://*"); ok {
		return IsOrigin(scheme + "://a")
	}
	sample := wildcard.ReplaceAllString(s, "${1}${2}a${3}.${4}")
	if m := wildcard.FindStringSubmatch(s); m != nil {
		// The name after the label is a domain, even if the scheme is not web.
		domain, _, _ := strings.Cut(m[4], ":")
		if domain == "" || !IsOrigin("https://a."+domain) || m[2]+m[3] != "" && isRegistry(strings.TrimSuffix(domain, ".")) {
			return false
		}
	}
	if portless, ok := strings.CutSuffix(sample, ":*"); ok {
		sample = portless + ":1"
	}
	return IsOrigin(sample)
}

// isRegistry reports whether a registry has names directly under domain.
func isRegistry(domain string) bool {
	if !strings.Contains(domain, ".") {
		return !slices.Contains([]string{"localhost", "internal", "local", "test"}, domain)
	}
	return slices.Contains(strings.Fields(origin.RegistrySuffixes), domain)
}

// HasPublicSuffix reports whether a pattern for names under domain allows names
// that anyone can register. If subdomains is false, the pattern is for part of
// a label directly under domain. It uses the rules of package origin.
func HasPublicSuffix(domain string, subdomains bool) bool {
	labels := strings.Split(domain, ".")
	for _, rule := range append(strings.Fields(origin.RegistrySuffixes+origin.PlatformSuffixes), "*") {
		ruleLabels := strings.Split(rule, ".")
		n := len(ruleLabels) - len(labels)
		if n < 0 || !subdomains && strings.Trim(strings.Join(ruleLabels[:n], ""), "*") != "" {
			continue
		}
		if ok, _ := path.Match(strings.Join(ruleLabels[n:], "/"), strings.Join(labels, "/")); ok {
			return true
		}
	}
	return false
}

// wildcard matches a pattern with a "*" that is the first label, or part of it.
var wildcard = regexp.MustCompile(`^([a-z0-9+.-]+://)((?:[a-z0-9_-]*[a-z0-9_]-+|))\*((?:-+[a-z0-9_][a-z0-9_-]*|))\.(.+)$`)

// Expression returns a regular expression for the origins that pattern allows.
// It also matches some strings that are not valid origins.
func Expression(pattern string) *regexp.Regexp {
	expr, anyPort := strings.CutSuffix(regexp.QuoteMeta(pattern), `:\*`)
	switch {
	case strings.HasSuffix(expr, `://\*`):
		expr = strings.Replace(expr, `\*`, `.+`, 1)
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
