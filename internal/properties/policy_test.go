package properties_test

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/origin/naive"
	"github.com/f407da42/cors/internal/testkit"
)

// isOriginPattern reports whether New accepts s in AllowedOrigins. s must be a
// pattern, and its risks must be accepted.
func isOriginPattern(s string, credentials bool, accepted cors.Risk) bool {
	switch s {
	case "*":
		return !credentials
	case "null", "file://":
		return accepted&cors.RiskNullOrigin != 0
	}
	if !naive.IsPattern(s) {
		return false
	}
	if !credentials {
		return true
	}
	scheme, host, _ := strings.Cut(strings.TrimSuffix(s, ":*"), "://")
	if host == "*" && (scheme == "http" || scheme == "https") {
		return false
	}
	label, domain, _ := strings.Cut(host, ".")
	wild := strings.Contains(label, "*")
	if wild {
		host = domain
	}
	if u, err := url.Parse("http://" + host); err == nil {
		host = strings.TrimSuffix(u.Hostname(), ".")
	}
	ip, _ := netip.ParseAddr(host)
	local := strings.HasSuffix("."+host, ".localhost") ||
		netip.MustParsePrefix("127.0.0.0/8").Contains(ip.Unmap()) || ip == netip.IPv6Loopback()
	public := wild && host != "localhost" && naive.HasPublicSuffix(host, label == "*")
	return (scheme != "http" || local || accepted&cors.RiskInsecureOrigin != 0) &&
		(!public || accepted&cors.RiskPublicSuffix != 0)
}

// forbiddenMethod and forbiddenRequestHeader match names that browsers do not let
// scripts use (Fetch, "forbidden method" and "forbidden request-header"). A policy
// can list these names, but preflight responses leave them out.
var (
	forbiddenMethod        = regexp.MustCompile(`(?i)^(connect|trace|track)$`)
	forbiddenRequestHeader = regexp.MustCompile(`(?i)^(accept-charset|accept-encoding|access-control-request-headers|` +
		`access-control-request-method|connection|content-length|date|dnt|expect|host|keep-alive|origin|referer|` +
		`set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-authorization|proxy-connection|` +
		`sec-gpc|sec-purpose|sec-fetch-.*|sec-ch-.*|sec-websocket-.*)$`)
)

// isMethodToAllow reports whether New accepts s in AllowedMethods. New refuses a
// standard method in lowercase or with a typo.
func isMethodToAllow(s string) bool {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"} {
		if s == method {
			return true
		}
		if upper := strings.ToUpper(s); upper == method || isMisspelling(upper, method) {
			return false
		}
	}
	return isNameOrWildcard(s)
}

// isMisspelling reports whether s is name with one letter missing or added, or
// with two letters swapped.
func isMisspelling(s, name string) bool {
	without := func(s string, i int) string { return s[:i] + s[i+1:] }
	for i := range len(name) {
		if s == without(name, i) || i > 0 && s == name[:i-1]+name[i:i+1]+name[i-1:i]+name[i+1:] {
			return s != name
		}
	}
	for i := range len(s) {
		if without(s, i) == name {
			return true
		}
	}
	return false
}

func isNameOrWildcard(s string) bool {
	return s == "*" || tokenExpr.MatchString(s) && !strings.Contains(s, "*")
}

func isRequestHeaderToAllow(s string) bool {
	return isNameOrWildcard(s) && (forbiddenRequestHeader.MatchString(s) ||
		!regexp.MustCompile(`(?i)^(cookie2?|(sec|proxy)-.*)$`).MatchString(s))
}

func isResponseHeaderToExpose(s string, credentials bool) bool {
	return isNameOrWildcard(s) && !(credentials && s == "*") && !regexp.MustCompile(`(?i)^set-cookie2?$`).MatchString(s)
}

// FuzzPolicy compares the decision of New about each field with a second
// implementation. It also encodes each accepted policy as JSON and decodes it.
func FuzzPolicy(f *testing.F) {
	for _, origin := range append([]string{"*", "http://*.localhost.:*", "https://*-x.a.example"}, naive.Samples...) {
		f.Add(origin, "PUT", "X-Custom-Header", "ETag", int64(2*time.Hour), false, uint(0))
		f.Add(origin, "put", "Content-Type", "Set-Cookie", int64(-1), true, uint(0))
	}
	f.Add("http://example.com", "*", "*", "*", int64(25*time.Hour), true, uint(cors.RiskInsecureOrigin))
	f.Add("https://*.com", "TRACK", "Sec-Fetch-Site", "X Y", int64(time.Millisecond), true, uint(cors.RiskPublicSuffix))
	f.Add("https://example.com", "!#$%&'+-.^_`|~09azAZ", "!#$%&'+-.^_`|~09azAZ", "!#$%&'+-.^_`|~09azAZ", int64(0), true, uint(0))
	f.Add("https://*", "OPTION", "Sec-Custom", "Set-Cookie2", int64(time.Hour), true, uint(7))
	f.Add("https://*-example.com", "CONNECT", "Proxy-Authorization", "Origin", int64(100*time.Hour), false, uint(0))
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
			"AcceptRisks":    {strconv.FormatUint(uint64(accepted), 10), -1, accepted < 8},
			"MaxAge":         {p.MaxAge.String(), -1, maxAge < 0 || maxAge%int64(time.Second) == 0},
		}

		refused := make(map[string]bool)
		m, err := cors.New(p)
		if err != nil {
			if m != nil {
				t.Errorf("New returned a Middleware and the error %v", err)
			}
			for _, e := range testkit.PolicyErrors(t, err) {
				refused[e.Field] = true
				want := fields[e.Field]
				if e.Value != want.value || e.Index != want.index || e.Reason == "" {
					t.Errorf("error %#v, want Value %q, Index %d and a Reason", e, want.value, want.index)
				}
				if s := e.Error(); !strings.Contains(s, e.Field) || !strings.Contains(s, strconv.Quote(e.Value)) || !strings.Contains(s, e.Reason) {
					t.Errorf("the message %q does not have the Field, Value and Reason of %#v", s, e)
				}
			}
		}
		for name, field := range fields {
			if refused[name] == field.valid {
				t.Errorf("%s %q: refused: %t; AllowCredentials %t, AcceptRisks %b; error: %v", name, field.value, refused[name], credentials, accepted, err)
			}
		}
		if err != nil {
			return
		}
		if got := m.Policy(); !reflect.DeepEqual(got, p) {
			t.Errorf("Policy returned %+v, want %+v", got, p)
		}
		var decoded cors.Policy
		if text, err := json.Marshal(p); err != nil {
			t.Errorf("%+v cannot be encoded: %v", p, err)
		} else if err := json.Unmarshal(text, &decoded); err != nil || !reflect.DeepEqual(decoded, p) {
			t.Errorf("%s is decoded as %+v, %v; want %+v", text, decoded, err, p)
		}
		if (origin == "null" || origin == "file://" || naive.IsOrigin(origin)) && !testkit.AllowsPage(m, origin) {
			t.Errorf("origin %q is not allowed, although the policy lists it", origin)
		}
	})
}
