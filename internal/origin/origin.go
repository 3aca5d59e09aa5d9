// Package origin parses patterns of origins, and compares origins with them.
//
// The origin of a page is its scheme, host and port (HTML, "origin"). Browsers
// send it in the Origin header (Fetch, "`Origin` header"), always in the same
// spelling. This package therefore compares strings and normalizes nothing. If
// an allowed origin arrives in another spelling, no browser sent it.
package origin

import "strings"

// The lengths, in bytes, of the longest label and the longest host that DNS
// allows.
const (
	maxLabel = 63
	maxHost  = 253
)

// Valid reports whether s is a tuple origin as browsers and apps serialize it.
// It returns false for "null" and "file://": see [IsOpaque].
//
// For http and https, the host follows the grammar of the Fetch standard. It
// can also have "_" in a label and a dot after the last label, because browsers
// send such hosts. For other schemes, the app decides on its hosts.
func Valid(s string) bool {
	if authority, ok := strings.CutPrefix(s, "https://"); ok {
		return isWebAuthority(authority) && !strings.HasSuffix(authority, ":443")
	}
	if authority, ok := strings.CutPrefix(s, "http://"); ok {
		return isWebAuthority(authority) && !strings.HasSuffix(authority, ":80")
	}
	scheme, authority, ok := strings.Cut(s, "://")
	return ok && isAppScheme(scheme) && isAppAuthority(authority)
}

// IsOpaque reports whether s is the serialization of an opaque origin: "null"
// (HTML, "opaque origin"). Some embedded browsers send "file://" instead for
// files.
func IsOpaque(s string) bool {
	return s == "null" || s == "file://"
}

// isWebAuthority reports whether s is a lowercase domain or an IP address, with
// or without a port, as browsers serialize it (URL, "host serializer").
func isWebAuthority(s string) bool {
	if strings.HasPrefix(s, "[") {
		address, rest, ok := strings.Cut(s[1:], "]")
		return ok && isIPv6(address) && hasOnlyPort(rest)
	}
	// Find the end of the domain in one pass. A dot after the last label is not
	// part of it here.
	start, end := 0, 0 // bounds of the label
	for ; end < len(s); end++ {
		if isLabelByte(s[end]) {
			continue
		}
		if s[end] != '.' || !isLabelLength(end-start) || end+1 == len(s) || s[end+1] == ':' {
			break
		}
		start = end + 1
	}
	host, last := s[:end], s[start:end]
	rest, dotted := strings.CutPrefix(s[end:], ".")
	return isLabelLength(len(last)) && len(host) <= maxHost &&
		(!isNumber(last) || isIPv4(host) && !dotted) && hasOnlyPort(rest)
}

func isLabelLength(n int) bool { return 0 < n && n <= maxLabel }

// hasOnlyPort reports whether s, the text after a host, is empty or a colon and
// a port.
func hasOnlyPort(s string) bool {
	return s == "" || s[0] == ':' && isPort(s[1:])
}

func isWebScheme(s string) bool { return s == "http" || s == "https" }

// isAppScheme reports whether s is a lowercase scheme (RFC 3986, section 3.1)
// that pages of apps and extensions can have. Pages of the other excluded
// schemes have the origin of another page, or an opaque origin.
func isAppScheme(s string) bool {
	switch s {
	case "", "http", "https", "file", "ws", "wss", "javascript", "data", "blob", "about":
		return false
	}
	return isLowerAlphanumeric(s[0]) && !isDigit(s[0]) && all(s, func(c byte) bool {
		return isLowerAlphanumeric(c) || c == '+' || c == '-' || c == '.'
	})
}

// isAppAuthority reports whether s can follow a scheme other than http and
// https. It can be "." (app://. in Electron) or empty (app://). It can also
// have uppercase letters (extensions in Safari).
func isAppAuthority(s string) bool {
	if strings.HasPrefix(s, "[") {
		return isWebAuthority(s)
	}
	host, port, hasPort := strings.Cut(s, ":")
	return isAppHost(host) && (!hasPort || host != "" && isPort(port))
}

// isAppHost reports whether s, which can be empty, can be the host after a
// scheme other than http and https.
func isAppHost(s string) bool {
	return isHostLength(s) && all(s, isUnreserved)
}

// isHostLength reports whether host, which can end with a dot, is short enough.
func isHostLength(host string) bool {
	return len(strings.TrimSuffix(host, ".")) <= maxHost
}

// isUnreserved reports whether c is an unreserved character (RFC 3986, section
// 2.3). An opaque host without escapes has no others.
func isUnreserved(c byte) bool {
	return isLabelByte(c) || 'A' <= c && c <= 'Z' || c == '.' || c == '~'
}

// isPort reports whether s is a number from 1 to 65535 in canonical form.
func isPort(s string) bool {
	return s != "" && s[0] != '0' && all(s, isDigit) && (len(s) < 5 || len(s) == 5 && s <= "65535")
}

// all reports whether is returns true for every byte of s.
func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool             { return '0' <= c && c <= '9' }
func isHexDigit(c byte) bool          { return isDigit(c) || 'a' <= c && c <= 'f' }
func isLowerAlphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || isDigit(c) }
func isLabelByte(c byte) bool         { return isLowerAlphanumeric(c) || c == '-' || c == '_' }

// isLabels reports whether s consists of lowercase labels and dots between
// them.
func isLabels(s string) bool {
	start := 0 // start of the label
	for i := range len(s) {
		if isLabelByte(s[i]) {
			continue
		}
		if s[i] != '.' || !isLabelLength(i-start) {
			return false
		}
		start = i + 1
	}
	return isLabelLength(len(s) - start)
}

// isNumber reports whether label, which is not empty, is a number. Browsers
// parse a host as an IPv4 address if its last label is a number (URL, "ends in
// a number checker").
func isNumber(label string) bool {
	hex, isHex := strings.CutPrefix(label, "0x")
	return isHex && all(hex, isHexDigit) || all(label, isDigit)
}

// isIPv4 reports whether s is an IPv4 address in canonical form.
func isIPv4(s string) bool {
	for number := range strings.SplitSeq(s, ".") {
		if number != "0" && !isPort(number) || len(number) > 3 || len(number) == 3 && number > "255" {
			return false
		}
	}
	return strings.Count(s, ".") == 3
}

// isIPv6 reports whether s is an IPv6 address in canonical form (URL, "IPv6
// serializer"). That form has "::" for the first of the longest runs of zeros,
// unless the run is a single zero. Package net/netip is not used, because it
// allocates for an invalid address, and writes IPv4-mapped addresses in another
// form.
func isIPv6(s string) bool {
	head, tail, compressed := strings.Cut(s, "::")
	n, run, ok := ipv6Pieces(head)
	if !compressed {
		return ok && n == 8 && run < 2
	}
	m, tailRun, tailOK := ipv6Pieces(tail)
	zeros := 8 - n - m
	return ok && tailOK && zeros >= 2 && run < zeros && tailRun <= zeros &&
		head != "0" && !strings.HasSuffix(head, ":0") && tail != "0" && !strings.HasPrefix(tail, "0:")
}

// ipv6Pieces counts the pieces of an IPv6 address in s, which may be empty. It
// also returns the length of the longest run of zeros.
func ipv6Pieces(s string) (n, longestRun int, ok bool) {
	run := 0
	for more := s != ""; more; n++ {
		var piece string
		piece, s, more = strings.Cut(s, ":")
		if piece == "" || len(piece) > 4 || piece[0] == '0' && piece != "0" || !all(piece, isHexDigit) {
			return 0, 0, false
		}
		if piece != "0" {
			run = 0
			continue
		}
		run++
		longestRun = max(longestRun, run)
	}
	return n, longestRun, true
}
