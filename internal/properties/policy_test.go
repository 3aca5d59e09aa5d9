package properties_test

import (
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

// isOriginPattern reports whether s has a place in AllowedOrigins: whether it is
// a pattern, and what it risks is accepted.
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

func isMethodToAllow(s string) bool {
	switch upper := strings.ToUpper(s); upper {
	case "CONNECT", "TRACE", "TRACK":
		return false
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY":
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

// FuzzPolicy compares what New accepts in each field with what the standards
// say, read with other means.
func FuzzPolicy(f *testing.F) {
	for _, origin := range append([]string{"*", "http://*.localhost.:*", "https://*-x.a.example"}, naive.Samples...) {
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
			"AcceptRisks":    {strconv.FormatUint(uint64(accepted), 10), -1, accepted < 8},
			"MaxAge":         {p.MaxAge.String(), -1, maxAge < 0 || maxAge <= int64(24*time.Hour) && maxAge%int64(time.Second) == 0},
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
		if (origin == "null" || origin == "file://" || naive.IsOrigin(origin)) && !testkit.AllowsPage(m, origin) {
			t.Errorf("origin %q is not allowed, though the policy lists it", origin)
		}
	})
}
