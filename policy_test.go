package cors_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

// suffixes is a short public suffix list.
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
	withFunc := origins("*")
	withFunc.AllowOriginFunc = anyFunc
	withSuffixes := credentialed("https://*.github.io", "https://*.example.github.io", "https://*.co.uk", "https://*.example", "https://*.kobe.jp", "https://*.a.kobe.jp", "https://*.b.a.kobe.jp")
	withSuffixes.PublicSuffixes = suffixes{}
	webWithRisks := credentialed("https://*", "http://*")
	webWithRisks.AcceptRisks = cors.RiskPublicSuffix | cors.RiskInsecureOrigin

	tests := []struct {
		name   string
		policy cors.Policy
		// The beginning and the end of each message. The beginning has the
		// field, index, value and fault. The end has the fix.
		want [][2]string
	}{
		{"no scheme", origins("example.com"), [][2]string{{`AllowedOrigins[0]: "example.com" has no scheme`, `did you mean "https://example.com"?`}}},
		{"a trailing slash", origins("https://example.com/"), [][2]string{{`AllowedOrigins[0]: "https://example.com/" ends with a slash`, `did you mean "https://example.com"?`}}},
		{"an empty origin", origins(""), [][2]string{{`AllowedOrigins[0]: "" is empty, as an unset environment variable is`, ""}}},
		{"a misplaced wildcard", origins("https://example.com", "h*", "https://*example.com"), [][2]string{
			{`AllowedOrigins[1]: "h*" has no scheme`, ""},
			{`AllowedOrigins[2]: "https://*example.com" has a misplaced "*"`, ""},
		}},
		{"quotes and control characters", origins(`"https://example.com"`, "https://a\nb.example"), [][2]string{
			{`AllowedOrigins[0]: "\"https://example.com\"" has`, ""},
			{`AllowedOrigins[1]: "https://a\nb.example" contains white space`, ""},
		}},
		{"null", origins("null"), [][2]string{{`AllowedOrigins[0]: "null" can be the origin of any page, in a sandboxed iframe`, `or accept RiskNullOrigin`}}},
		{"a file", origins("file://"), [][2]string{{`AllowedOrigins[0]: "file://" can be the origin of any file on the user's disk`, `or accept RiskNullOrigin`}}},
		{"any origin, twice, and another", origins("*", "*", "https://a.example"), [][2]string{{`AllowedOrigins[0]: "*" already allows every other entry`, `remove those, or remove this`}}},
		{"any origin, and another", origins("https://a.example", "*"), [][2]string{{`AllowedOrigins[1]: "*" already allows every other entry`, `remove those, or remove this`}}},
		{"any origin, and an invalid one", origins("*", "example.com", "*"), [][2]string{
			{`AllowedOrigins[0]: "*" already allows every other entry`, `remove those, or remove this`},
			{`AllowedOrigins[1]: "example.com" has no scheme`, `did you mean "https://example.com"?`},
		}},
		{"any origin, and a function", withFunc, [][2]string{{`AllowedOrigins[0]: "*" never lets AllowOriginFunc decide`, `remove the function, or remove this`}}},

		{"any origin with credentials", credentialed("*"), [][2]string{{`AllowedOrigins[0]: "*" is blocked by browsers together with credentials; if scripts send a token in Authorization, remove AllowCredentials`, `if they need cookies, list the origins`}}},
		{"insecure origins with credentials", credentialed("http://example.com", "http://*.example.com", "http://localhost.example.com", "http://128.0.0.1", "http://[::2]"), [][2]string{
			{`AllowedOrigins[0]: "http://example.com" with AllowCredentials lets anyone who controls a network act as your users`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[1]: "http://*.example.com" with AllowCredentials lets anyone who controls a network act as your users`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[2]: "http://localhost.example.com" with AllowCredentials lets anyone who controls a network act as your users`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[3]: "http://128.0.0.1" with AllowCredentials lets anyone who controls a network act as your users`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[4]: "http://[::2]" with AllowCredentials lets anyone who controls a network act as your users`, "or accept RiskInsecureOrigin"},
		}},
		{"subdomains of a single label with credentials", credentialed("https://*.com", "https://*.com:*"), [][2]string{
			{`AllowedOrigins[0]: "https://*.com" with AllowCredentials lets anyone who can register a name under "com" act as your users`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[1]: "https://*.com:*" with AllowCredentials lets anyone who can register a name under "com" act as your users`, "or accept RiskPublicSuffix"},
		}},
		{"subdomains of public suffixes with credentials", withSuffixes, [][2]string{
			{`AllowedOrigins[0]: "https://*.github.io" with AllowCredentials lets anyone who can register a name under "github.io"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[2]: "https://*.co.uk" with AllowCredentials lets anyone who can register a name under "co.uk"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[3]: "https://*.example" with AllowCredentials lets anyone who can register a name under "example"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[4]: "https://*.kobe.jp" with AllowCredentials lets anyone who can register a name under "kobe.jp"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[5]: "https://*.a.kobe.jp" with AllowCredentials lets anyone who can register a name under "a.kobe.jp"`, "or accept RiskPublicSuffix"},
		}},
		{"names under known suffixes with credentials, without a list", credentialed("https://*.github.io", "https://*.co.uk.", "https://*.vercel.app", "https://proj-*.vercel.app:*", "https://*--proj.netlify.app"), [][2]string{
			{`AllowedOrigins[0]: "https://*.github.io" with AllowCredentials lets anyone who can register a name under "github.io" act as your users`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[1]: "https://*.co.uk." with AllowCredentials lets anyone who can register a name under "co.uk"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[2]: "https://*.vercel.app" with AllowCredentials lets anyone who can register a name under "vercel.app"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[3]: "https://proj-*.vercel.app:*" with AllowCredentials lets anyone who can register a name under "vercel.app"`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[4]: "https://*--proj.netlify.app" with AllowCredentials lets anyone who can register a name under "netlify.app"`, "or accept RiskPublicSuffix"},
		}},
		{"domains above public suffixes with credentials", credentialed("https://*.azure.com", "https://*.github.dev"), [][2]string{
			{`AllowedOrigins[0]: "https://*.azure.com" with AllowCredentials lets anyone who can register a name under "cloudapp.azure.com" act as your users`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[1]: "https://*.github.dev" with AllowCredentials lets anyone who can register a name under "app.github.dev" act as your users`, "or accept RiskPublicSuffix"},
		}},
		{"a reserved name with credentials", credentialed("https://*.internal", "https://*-app.test"), [][2]string{
			{`AllowedOrigins[0]: "https://*.internal" with AllowCredentials lets every host under "internal" act as your users`, "or accept RiskPublicSuffix"},
			{`AllowedOrigins[1]: "https://*-app.test" with AllowCredentials lets every host under "test" act as your users`, "or accept RiskPublicSuffix"},
		}},
		{"a hyphen pattern under a registry", origins("https://*-example.com"), [][2]string{{`AllowedOrigins[0]: "https://*-example.com" allows names directly under "com", which others may be able to register`, `did you mean "https://*.example.com"?`}}},
		{"any host of a scheme with credentials", credentialed("moz-extension://*"), [][2]string{
			{`AllowedOrigins[0]: "moz-extension://*" with AllowCredentials lets every page with the scheme "moz-extension" act as your users`, "or accept RiskPublicSuffix"},
		}},
		{"every origin of the web with credentials", webWithRisks, [][2]string{
			{`AllowedOrigins[0]: "https://*" with AllowCredentials lets every page on the web act as your users`, "if they need cookies, list the origins"},
			{`AllowedOrigins[1]: "http://*" with AllowCredentials lets every page on the web act as your users`, "if they need cookies, list the origins"},
		}},
		{"every origin of the web with credentials, without accepted risks", credentialed("https://*", "http://*"), [][2]string{
			{`AllowedOrigins[0]: "https://*" with AllowCredentials lets every page on the web act as your users`, "if they need cookies, list the origins"},
			{`AllowedOrigins[1]: "http://*" with AllowCredentials lets every page on the web act as your users`, "if they need cookies, list the origins"},
		}},
		{"an undefined bit", cors.Policy{AcceptRisks: cors.RiskNullOrigin << 1}, [][2]string{{`AcceptRisks: "8" has undefined bits`, "join RiskInsecureOrigin, RiskPublicSuffix and RiskNullOrigin"}}},
		{"undefined bits together with a risk", cors.Policy{AcceptRisks: cors.RiskNullOrigin<<1 | cors.RiskNullOrigin}, [][2]string{{`AcceptRisks: "12" has undefined bits`, "join RiskInsecureOrigin, RiskPublicSuffix and RiskNullOrigin"}}},
		{"two risks at once", credentialed("http://*.com"), [][2]string{
			{`AllowedOrigins[0]: "http://*.com" with AllowCredentials lets anyone who controls a network act as your users`, "or accept RiskInsecureOrigin"},
			{`AllowedOrigins[0]: "http://*.com" with AllowCredentials lets anyone who can register a name under "com"`, "or accept RiskPublicSuffix"},
		}},

		{"invalid methods", cors.Policy{AllowedMethods: []string{"", "A B", "PUT,DELETE", "Ü", "PUT ", "**", "P*, D*"}}, [][2]string{
			{`AllowedMethods[0]: "" is empty, as an unset environment variable is`, `remove it`},
			{`AllowedMethods[1]: "A B" is not a single name`, "write each name as a separate element"},
			{`AllowedMethods[2]: "PUT,DELETE" is not a single name`, "write each name as a separate element"},
			{`AllowedMethods[3]: "Ü" is not a valid name`, `write one such as "PUT"`},
			{`AllowedMethods[4]: "PUT " has white space around it`, `did you mean "PUT"?`},
			{`AllowedMethods[5]: "**" has a "*" within a name`, `write "*" alone, or the full names`},
			{`AllowedMethods[6]: "P*, D*" has a "*" within a name`, `write "*" alone, or the full names`},
		}},
		{"misspelled methods", cors.Policy{AllowedMethods: []string{"OPTION", "OPTIONSS", "PACTH", "delte", "PTU"}}, [][2]string{
			{`AllowedMethods[0]: "OPTION" is a misspelled method`, `did you mean "OPTIONS"?`},
			{`AllowedMethods[1]: "OPTIONSS" is a misspelled method`, `did you mean "OPTIONS"?`},
			{`AllowedMethods[2]: "PACTH" is a misspelled method`, `did you mean "PATCH"?`},
			{`AllowedMethods[3]: "delte" is a misspelled method`, `did you mean "DELETE"?`},
			{`AllowedMethods[4]: "PTU" is a misspelled method`, `did you mean "PUT"?`},
		}},
		{"methods in another case", cors.Policy{AllowedMethods: []string{"put", "Patch", "get", "hEAD", "post", "delete", "Options", "query"}}, [][2]string{
			{`AllowedMethods[0]: "put" is not uppercase, and methods are case-sensitive`, `did you mean "PUT"?`},
			{`AllowedMethods[1]: "Patch" is not uppercase, and methods are case-sensitive`, `did you mean "PATCH"?`},
			{`AllowedMethods[2]: "get" is not uppercase, and methods are case-sensitive`, `did you mean "GET"?`},
			{`AllowedMethods[3]: "hEAD" is not uppercase, and methods are case-sensitive`, `did you mean "HEAD"?`},
			{`AllowedMethods[4]: "post" is not uppercase, and methods are case-sensitive`, `did you mean "POST"?`},
			{`AllowedMethods[5]: "delete" is not uppercase, and methods are case-sensitive`, `did you mean "DELETE"?`},
			{`AllowedMethods[6]: "Options" is not uppercase, and methods are case-sensitive`, `did you mean "OPTIONS"?`},
			{`AllowedMethods[7]: "query" is not uppercase, and methods are case-sensitive`, `did you mean "QUERY"?`},
		}},

		{"invalid request headers", cors.Policy{AllowedHeaders: []string{"", "x a", "x-a,x-b", "x-a:", "authorization\n", "*-id"}}, [][2]string{
			{`AllowedHeaders[0]: "" is empty, as an unset environment variable is`, `remove it`},
			{`AllowedHeaders[1]: "x a" is not a single name`, "write each name as a separate element"},
			{`AllowedHeaders[2]: "x-a,x-b" is not a single name`, "write each name as a separate element"},
			{`AllowedHeaders[3]: "x-a:" contains a value`, `did you mean "x-a"?`},
			{`AllowedHeaders[4]: "authorization\n" has white space around it`, `did you mean "authorization"?`},
			{`AllowedHeaders[5]: "*-id" has a "*" within a name`, `write "*" alone, or the full names`},
		}},
		{"cookies", cors.Policy{AllowedHeaders: []string{"cookie", "Cookie2"}}, [][2]string{
			{`AllowedHeaders[0]: "cookie" is a header that scripts cannot set`, "set AllowCredentials to let browsers send cookies"},
			{`AllowedHeaders[1]: "Cookie2" is a header that scripts cannot set`, "set AllowCredentials to let browsers send cookies"},
		}},
		{"values of Content-Type", cors.Policy{AllowedHeaders: []string{"application/json", "text/*"}}, [][2]string{
			{`AllowedHeaders[0]: "application/json" is a value of Content-Type, not a name`, `did you mean "Content-Type"?`},
			{`AllowedHeaders[1]: "text/*" is a value of Content-Type, not a name`, `did you mean "Content-Type"?`},
		}},
		{"unknown names with a forbidden prefix", cors.Policy{AllowedHeaders: []string{"Sec-", "sec-custom", "Proxy-", "proxy-custom", "Sec-Purposes"}}, [][2]string{
			{`AllowedHeaders[0]: "Sec-" can never arrive`, "use another name"},
			{`AllowedHeaders[1]: "sec-custom" can never arrive`, "use another name"},
			{`AllowedHeaders[2]: "Proxy-" can never arrive`, "use another name"},
			{`AllowedHeaders[3]: "proxy-custom" can never arrive`, "use another name"},
			{`AllowedHeaders[4]: "Sec-Purposes" can never arrive`, "use another name"},
		}},

		{"invalid response headers", cors.Policy{ExposedHeaders: []string{"", "x a", " ETag", "X-*"}}, [][2]string{
			{`ExposedHeaders[0]: "" is empty, as an unset environment variable is`, `remove it`},
			{`ExposedHeaders[1]: "x a" is not a single name`, "write each name as a separate element"},
			{`ExposedHeaders[2]: " ETag" has white space around it`, `did you mean "ETag"?`},
			{`ExposedHeaders[3]: "X-*" has a "*" within a name`, `write "*" alone, or the full names`},
		}},
		{"response headers that scripts cannot read", cors.Policy{ExposedHeaders: []string{"set-cookie", "Set-Cookie2"}}, [][2]string{
			{`ExposedHeaders[0]: "set-cookie" is a header that browsers never let scripts read`, "remove it"},
			{`ExposedHeaders[1]: "Set-Cookie2" is a header that browsers never let scripts read`, "remove it"},
		}},
		{"any response header with credentials", cors.Policy{ExposedHeaders: []string{"ETag", "*"}, AllowCredentials: true}, [][2]string{
			{`ExposedHeaders[1]: "*" with AllowCredentials is literal in requests made with credentials`, "list the names, or set the header in your handler"},
		}},

		{"a fraction of a second", cors.Policy{MaxAge: 1500 * time.Millisecond}, [][2]string{{`MaxAge: "1.5s" must be in whole seconds`, "write a multiple of time.Second"}}},
		{"a number without a unit", cors.Policy{MaxAge: 600}, [][2]string{{`MaxAge: "600ns" is less than a second`, "did you mean 600*time.Second?"}}},
		{"a day without a unit", cors.Policy{MaxAge: 86400}, [][2]string{{`MaxAge: "86.4µs" is less than a second`, "did you mean 86400*time.Second?"}}},
		{"more than a day without a unit", cors.Policy{MaxAge: 86401}, [][2]string{{`MaxAge: "86.401µs" must be in whole seconds`, "write a multiple of time.Second"}}},
		{"nearly a millisecond", cors.Policy{MaxAge: time.Millisecond - 1}, [][2]string{{`MaxAge: "999.999µs" must be in whole seconds`, "write a multiple of time.Second"}}},
		{"a millisecond", cors.Policy{MaxAge: time.Millisecond}, [][2]string{{`MaxAge: "1ms" must be in whole seconds`, "write a multiple of time.Second"}}},

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
				{`AllowedOrigins[1]: "bad.example"`, `?`}, {`AllowedOrigins[2]: "null"`, `RiskNullOrigin`},
				{`AllowedMethods[1]: "put"`, `?`}, {`AllowedHeaders[1]: "Cookie"`, `cookies`}, {`ExposedHeaders[0]: "Set-Cookie"`, `it`}, {`MaxAge: "1ms"`, `time.Second`},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := cors.New(test.policy)
			got := testkit.PolicyErrors(t, err)
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

// A defect that no test caught: any accepted risk had the effect of
// RiskPublicSuffix or RiskInsecureOrigin.
func TestFieldBugRisksDoNotCoverEachOther(t *testing.T) {
	t.Parallel()
	const all = cors.RiskInsecureOrigin | cors.RiskPublicSuffix | cors.RiskNullOrigin
	for _, test := range []struct {
		origin, name string
		risk         cors.Risk
	}{
		{"http://example.com", "RiskInsecureOrigin", cors.RiskInsecureOrigin},
		{"https://*.github.io", "RiskPublicSuffix", cors.RiskPublicSuffix},
		{"null", "RiskNullOrigin", cors.RiskNullOrigin},
	} {
		for accepted := range all + 1 {
			p := credentialed(test.origin)
			p.AcceptRisks = accepted
			_, err := cors.New(p)
			if accepted&test.risk != 0 && err != nil || accepted&test.risk == 0 && (err == nil || !strings.HasSuffix(err.Error(), "or accept "+test.name)) {
				t.Errorf("%s with AcceptRisks %v: got %v", test.origin, accepted, err)
			}
		}
	}
}

func TestPolicyErrorFields(t *testing.T) {
	t.Parallel()
	_, err := cors.New(cors.Policy{AllowedMethods: []string{"PUT", "put"}, MaxAge: -48 * time.Hour, AllowedHeaders: []string{"*", "a b"}})
	want := []cors.PolicyError{
		{Field: "AllowedMethods", Index: 1, Value: "put", Reason: `is not uppercase, and methods are case-sensitive; did you mean "PUT"?`},
		{Field: "AllowedHeaders", Index: 1, Value: "a b", Reason: `is not a single name; write each name as a separate element`},
	}
	got := testkit.PolicyErrors(t, err)
	if len(got) != len(want) {
		t.Fatalf("got %v", err)
	}
	for i := range want {
		if *got[i] != want[i] {
			t.Errorf("got %#v, want %#v", got[i], want[i])
		}
	}
	_, err = cors.New(cors.Policy{MaxAge: time.Millisecond})
	var policyErr *cors.PolicyError
	if !errors.As(err, &policyErr) || policyErr.Field != "MaxAge" || policyErr.Index != -1 || policyErr.Value != "1ms" {
		t.Errorf("got %#v", policyErr)
	}
}

func TestRequestErrorMessages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  cors.RequestError
		want string
	}{
		{cors.RequestError{Field: "Origin", Value: "null"}, `cors: request: origin "null" is not in AllowedOrigins`},
		{cors.RequestError{Preflight: true, Field: "Origin", Value: "a\nb"}, `cors: preflight: origin "a\nb" is not in AllowedOrigins`},
		{cors.RequestError{Preflight: true, Field: "Access-Control-Request-Method", Value: "FOO"}, `cors: preflight: method "FOO" is not in AllowedMethods`},
		{cors.RequestError{Preflight: true, Field: "Access-Control-Request-Headers", Value: "x-a"}, `cors: preflight: request header "x-a" is not in AllowedHeaders`},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// TestAcceptedPolicies checks which origins each policy allows.
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
		name     string
		policy   cors.Policy
		allowed  []string
		rejected []string
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
			"subdomains at any depth", origins("https://*.example.com"),
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
		{
			"preview deployments", origins("https://*--proj.netlify.app", "https://proj-*-team.vercel.app"),
			[]string{"https://deploy-preview-42--proj.netlify.app", "https://proj-git-main-team.vercel.app"},
			[]string{"https://--proj.netlify.app", "https://proj.netlify.app", "https://proj--team.vercel.app", "https://proj-team.vercel.app", "https://evil--proj.netlify.app.evil.example", "https://evil.a--proj.netlify.app", "https://proj-a.evil-team.vercel.app", "http://a--proj.netlify.app"},
		},
		{
			"preview deployments with credentials", credentialed("https://pr-*.preview.example.com"),
			[]string{"https://pr-1.preview.example.com"}, []string{"https://pr-.preview.example.com", "https://pr1.preview.example.com"},
		},
		{
			"origins of apps", accepting(origins("app://.", "app://", "file://", "https://example.com."), cors.RiskNullOrigin),
			[]string{"app://.", "app://", "file://", "https://example.com."}, []string{"app:", "app://a", "file:///", "file://a", "null", "https://example.com", "https://example.com.."},
		},
		{
			"any host and port of an extension's scheme", origins("moz-extension://*", "safari-web-extension://*"),
			[]string{uuid, "safari-web-extension://0A1B-2C", "moz-extension://a:1"}, []string{"moz-extension://", "moz-extension://a/", "chrome-extension://a", "https://a"},
		},
		{"any host of a scheme with credentials and the risk accepted", accepting(credentialed("moz-extension://*"), cors.RiskPublicSuffix), []string{uuid}, []string{"https://a"}},
		{"well-known suffixes with credentials and the risk accepted", accepting(credentialed("https://*.github.io"), cors.RiskPublicSuffix), []string{"https://a.github.io"}, []string{"https://github.io"}},
		{"any origin", origins("*"), []string{"https://example.com", "null", "junk", "https://a.example, https://b.example"}, nil},
		{"any origin, twice", origins("*", "*"), []string{"https://example.com"}, nil},
		{"null, with the risk accepted", accepting(origins("null"), cors.RiskNullOrigin), []string{"null"}, []string{"Null", "null ", "https://example.com"}},
		{"null with credentials and the risk accepted", accepting(credentialed("null"), cors.RiskNullOrigin), []string{"null"}, []string{"https://example.com"}},

		{
			"loopback origins with credentials", credentialed("http://localhost", "http://localhost:3000", "http://app.localhost", "http://127.0.0.1:8080", "http://127.1.2.3", "http://[::1]:*", "http://*.app.localhost:*", "https://*.localhost"),
			[]string{"http://localhost", "http://localhost:3000", "http://app.localhost", "http://127.0.0.1:8080", "http://127.1.2.3", "http://[::1]", "http://x.app.localhost:5", "https://x.localhost"}, []string{"http://127.0.0.1"},
		},
		{"insecure origins with credentials and the risk accepted", accepting(credentialed("http://example.com"), cors.RiskInsecureOrigin), []string{"http://example.com"}, []string{"https://example.com"}},
		{"other schemes with credentials", credentialed("app://example.com", "https://example.com"), []string{"app://example.com", "https://example.com"}, nil},
		{"subdomains of two labels with credentials", credentialed("https://*.example.com", "https://*.co.example"), []string{"https://a.example.com", "https://a.co.example"}, []string{"https://co.example"}},
		{"subdomains of domains that are not public suffixes, with credentials", suffixed, []string{"https://a.example.github.io", "https://a.example.co.uk", "https://a.example.com"}, []string{"https://a.github.io"}},
		{"subdomains of a public suffix with credentials and the risk accepted", accepting(credentialed("https://*.com"), cors.RiskPublicSuffix), []string{"https://a.com"}, []string{"https://com"}},
		{"subdomains of a public suffix without credentials", origins("https://*.com"), []string{"https://a.com"}, []string{"https://com"}},
		{"all risks", accepting(credentialed("http://*.com", "null"), cors.RiskInsecureOrigin|cors.RiskPublicSuffix|cors.RiskNullOrigin), []string{"http://a.com", "null"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := testkit.MustNew(t, test.policy)
			for _, origin := range test.allowed {
				if err := m.Check(testkit.NewRequest("GET", "Origin: "+origin)); err != nil {
					t.Error(err)
				}
				if _, ran := testkit.Serve(m, testkit.NewRequest("GET", "Origin: "+origin)); !ran {
					t.Errorf("the handler does not run for %q", origin)
				}
			}
			for _, origin := range test.rejected {
				r := testkit.NewRequest("GET", "Origin: "+origin)
				if origin == "" {
					r = testkit.NewRequest("OPTIONS", "Origin: , ", "Access-Control-Request-Method: PUT")
				}
				if err := m.Check(r); err == nil {
					t.Errorf("%q is allowed", origin)
				}
			}
		})
	}
}

// A defect that no test caught: the longest host was rejected under a pattern
// that ends with a dot. The host has 253 bytes, and a dot and a port can follow
// it.
func TestFieldBugLongestHostWithDot(t *testing.T) {
	t.Parallel()
	domain := strings.Repeat("b.", 110) + "example.com"
	for _, pattern := range []string{
		"https://*.D", "https://*.D.", "https://*.D.:65535", "https://*.D.:*", "app://*.D.:*",
		"https://a-*.D.:65535", "https://*-b.D.", "http://a-*-b.D.:*",
	} {
		pattern = strings.Replace(pattern, "D", domain, 1)
		_, host, _ := strings.Cut(pattern, "://")
		host, _, _ = strings.Cut(host, ":")
		m := testkit.MustNew(t, origins(pattern))
		for n := 253; n <= 254; n++ {
			label := strings.Repeat("x", n-len(strings.TrimSuffix(host, "."))+len("*"))
			origin := strings.Replace(strings.Replace(pattern, ":*", ":65535", 1), "*", label, 1)
			if got := testkit.AllowsPage(m, origin); got != (n == 253) {
				t.Errorf("%s allows %s, whose host has %d bytes: %t", pattern, origin, n, got)
			}
		}
	}
}

func TestAllowOriginFunc(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 400)
	for _, test := range []struct {
		name   string
		origin string
		risks  cors.Risk
		called bool
	}{
		{"an origin", "https://tenant.example", 0, true},
		{"an origin with a port", "https://tenant.example:8443", 0, true},
		{"an origin of another scheme", "app://tenant", 0, true},
		{"an IPv4 address", "http://192.0.2.1", 0, true},
		{"an IPv6 address", "http://[2001:db8::1]:8080", 0, true},
		{"an origin that is listed", "https://listed.example", 0, false},
		{"an origin that a pattern allows", "https://a.listed.example", 0, false},
		{"null", "null", 0, false},
		{"null, with the risk accepted", "null", cors.RiskNullOrigin, true},
		{"the default port", "https://tenant.example:443", 0, false},
		{"an uppercase host", "https://Tenant.example", 0, false},
		{"a path", "https://tenant.example/", 0, false},
		{"a user", "https://user@tenant.example", 0, false},
		{"a wildcard", "https://*.tenant.example", 0, false},
		{"an asterisk", "*", 0, false},
		{"a file", "file://tenant.example", 0, false},
		{"a file, with the risk accepted", "file://tenant.example", cors.RiskNullOrigin, false},
		{"any file", "file://", 0, false},
		{"any file, with the risk accepted", "file://", cors.RiskNullOrigin, true},
		{"Electron's origin", "app://.", 0, true},
		{"a scheme without a host", "app://", 0, true},
		{"a dot at the end", "https://tenant.example.", 0, true},
		{"an extension in uppercase", "safari-web-extension://0A1B", 0, true},
		{"an app's path", "app://a/b", 0, false},
		{"an app's user", "app://u@a", 0, false},
		{"a control character", "https://tenant.example\x01", 0, false},
		{"a misspelled scheme", "htttps://tenant.example", 0, true},
		{"an invalid address", "http://192.0.2.256", 0, false},
		{"an invalid IPv6 address", "http://[2001:db8::1::2]", 0, false},
		{"junk", "junk", 0, false},
		{"512 bytes", long + strings.Repeat("a", 512-400-len("://tenant")) + "://tenant", 0, true},
		{"513 bytes", long + strings.Repeat("a", 513-400-len("://tenant")) + "://tenant", 0, false},
	} {
		for _, allow := range []bool{true, false} {
			var calls []string
			m := testkit.MustNew(t, cors.Policy{
				AllowedOrigins: []string{"https://listed.example", "https://*.listed.example"},
				AcceptRisks:    test.risks,
				AllowOriginFunc: func(r *http.Request, origin string) bool {
					calls = append(calls, r.Method+" "+origin)
					return allow
				},
			})
			w, ran := testkit.Serve(m, testkit.NewRequest("PURGE", "Origin: "+test.origin))
			var want []string
			if test.called {
				want = []string{"PURGE " + test.origin}
			}
			if !slices.Equal(calls, want) {
				t.Errorf("%s: the function is called for %q, want %q", test.name, calls, want)
			}
			allowed := strings.HasSuffix(test.origin, "listed.example") || test.called && allow
			if ran != allowed || (w.Header().Get("Access-Control-Allow-Origin") == test.origin) != allowed {
				t.Errorf("%s: the handler ran: %t, want %t", test.name, ran, allowed)
			}
		}
	}
}

func TestPolicyAsJSON(t *testing.T) {
	t.Parallel()
	p := cors.Policy{
		AllowedOrigins:   []string{"https://*.example.com", "null"},
		AllowOriginFunc:  anyFunc,
		AllowedMethods:   []string{"PUT"},
		AllowedHeaders:   []string{"X-A"},
		ExposedHeaders:   []string{"ETag"},
		AllowCredentials: true,
		MaxAge:           2 * time.Hour,
		PublicSuffixes:   suffixes{},
		AcceptRisks:      cors.RiskNullOrigin | cors.RiskInsecureOrigin,
		PassRejected:     true,
		DenyHandler:      http.NotFoundHandler(),
		OnReject:         func(*http.Request, *cors.RequestError) {},
	}
	for _, test := range []struct {
		name   string
		policy cors.Policy
		want   string
	}{
		{"the zero policy", cors.Policy{}, `{}`},
		{"a negative MaxAge", cors.Policy{MaxAge: -1}, `{"MaxAge":"-1ns"}`},
		{
			"all fields", p,
			`{"AllowedOrigins":["https://*.example.com","null"],"AllowedMethods":["PUT"],"AllowedHeaders":["X-A"],"ExposedHeaders":["ETag"],` +
				`"AllowCredentials":true,"MaxAge":"2h0m0s","AcceptRisks":"insecure-origin|null-origin","PassRejected":true}`,
		},
	} {
		text, err := json.Marshal(test.policy)
		if err != nil || string(text) != test.want {
			t.Errorf("%s: got  %s, %v\nwant %s", test.name, text, err, test.want)
		}
		var back cors.Policy
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		want := test.policy
		want.AllowOriginFunc, want.PublicSuffixes, want.DenyHandler, want.OnReject = nil, nil, nil, nil
		if !reflect.DeepEqual(back, want) {
			t.Errorf("%s: got %+v, want %+v", test.name, back, want)
		}
	}
	if text, err := json.Marshal(cors.Policy{AcceptRisks: 8}); err == nil {
		t.Errorf("a policy with an undefined risk is %s", text)
	}
}

func TestPolicyFromJSON(t *testing.T) {
	t.Parallel()
	before := func() cors.Policy {
		return cors.Policy{
			AllowedOrigins: []string{"https://a.example", "https://b.example"}, AllowedMethods: []string{"PUT"}, AllowCredentials: true,
			MaxAge: time.Hour, AcceptRisks: cors.RiskNullOrigin, PublicSuffixes: suffixes{}, PassRejected: true,
		}
	}
	with := func(change func(*cors.Policy)) cors.Policy {
		p := before()
		change(&p)
		return p
	}
	for _, test := range []struct {
		name string
		text string
		want cors.Policy
		err  string // part of the message; the policy is then unchanged
	}{
		{"absent fields keep their values", `{}`, before(), ""},
		{"null changes nothing", `null`, before(), ""},
		{
			"null for a field changes nothing",
			`{"AllowedOrigins":null,"AllowedMethods":null,"AllowCredentials":null,"MaxAge":null,"AcceptRisks":null,"PassRejected":null}`, before(), "",
		},
		{"sets fields", `{"AllowedOrigins":["https://c.example"],"MaxAge":"90s","PassRejected":false}`, with(func(p *cors.Policy) {
			p.AllowedOrigins, p.MaxAge, p.PassRejected = []string{"https://c.example"}, 90*time.Second, false
		}), ""},
		{"sets empty lists and no risk", `{"AllowedMethods":[],"AcceptRisks":""}`, with(func(p *cors.Policy) {
			p.AllowedMethods, p.AcceptRisks = []string{}, 0
		}), ""},
		{"refuses unknown fields", `{"AllowedMethods":["PATCH"],"AllowOrigins":[]}`, before(), `unknown field "AllowOrigins"`},
		{"refuses functions", `{"AllowOriginFunc":null}`, before(), `unknown field "AllowOriginFunc"`},
		{"refuses a number for MaxAge", `{"AllowedMethods":["PATCH"],"MaxAge":7200}`, before(), `cors: Policy in JSON: MaxAge: 7200 is not a duration; write text with a unit, such as "2h"`},
		{"refuses zero as a number", `{"MaxAge":0}`, before(), `MaxAge: 0 is not a duration`},
		{"refuses an unknown unit", `{"MaxAge":"2 hours"}`, before(), `MaxAge: "2 hours" is not a duration; write text with a unit, such as "2h"`},
		{"refuses an empty duration", `{"MaxAge":""}`, before(), `MaxAge: "" is not a duration`},
		{"refuses an unknown risk", `{"AllowedMethods":["PATCH"],"AcceptRisks":"insecure"}`, before(), `unknown risk "insecure"; write one or more of insecure-origin, public-suffix, null-origin`},
		{"refuses a number for a risk", `{"AcceptRisks":1}`, before(), "AcceptRisks"},
		{"refuses text for a list", `{"AllowedOrigins":"https://a.example"}`, before(), "cannot unmarshal string"},
		{"refuses another type", `[]`, before(), "cors: Policy in JSON"},
	} {
		got := before()
		err := json.Unmarshal([]byte(test.text), &got)
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: got error %v, want %q", test.name, err, test.err)
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestPolicyFromJSONRefusesTrailingText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{}x`, `{}}`, `{"MaxAge":"1h"}{"AllowCredentials":true}`} {
		var p cors.Policy
		if err := p.UnmarshalJSON([]byte(text)); err == nil || !reflect.DeepEqual(p, cors.Policy{}) {
			t.Errorf("%s: got %+v, %v", text, p, err)
		}
	}
}

func TestPolicyFromJSONHasNewLists(t *testing.T) {
	t.Parallel()
	var p cors.Policy
	p.AllowedOrigins = []string{"https://a.example"}
	old := p.AllowedOrigins
	if err := json.Unmarshal([]byte(`{"AllowedOrigins":["https://b.example"]}`), &p); err != nil {
		t.Fatal(err)
	}
	if old[0] != "https://a.example" || p.AllowedOrigins[0] != "https://b.example" {
		t.Errorf("got %q and %q", old, p.AllowedOrigins)
	}
}

// The documentation warns that an embedded Policy takes over the whole struct.
func TestEmbeddedPolicyTakesOverJSON(t *testing.T) {
	t.Parallel()
	var embedded struct {
		cors.Policy
		Addr string
	}
	if err := json.Unmarshal([]byte(`{"Addr":":8080"}`), &embedded); err == nil || !strings.Contains(err.Error(), `unknown field "Addr"`) {
		t.Errorf("embedded: got %v", err)
	}
	if text, err := json.Marshal(embedded); string(text) != "{}" || err != nil {
		t.Errorf("embedded: got %s, %v", text, err)
	}
	var named struct {
		CORS cors.Policy
		Addr string
	}
	if err := json.Unmarshal([]byte(`{"CORS":{"MaxAge":"1h"},"Addr":":8080"}`), &named); err != nil || named.CORS.MaxAge != time.Hour || named.Addr != ":8080" {
		t.Errorf("named: got %+v, %v", named, err)
	}
}

// New refused a third of 233 policies in public Go code, because they list names
// that do nothing.
func TestFieldBugHarmlessEntries(t *testing.T) {
	t.Parallel()
	p := cors.Policy{
		AllowedOrigins: []string{"https://example-client.com"},
		AllowedMethods: []string{"PUT", "CONNECT", "trace", "TRACK"},
		AllowedHeaders: []string{"Origin", "X-A", "content-length", "Accept-Encoding", "Host", "Sec-Fetch-Mode", "Proxy-Authorization", "Set-Cookie", "Access-Control-Allow-Origin"},
		ExposedHeaders: []string{"Content-Length", "Origin", "Access-Control-Allow-Origin", "Access-Control-Max-Age"},
		MaxAge:         48*time.Hour + time.Second,
	}
	m := testkit.MustNew(t, p)
	if got := m.Policy(); !reflect.DeepEqual(got, p) {
		t.Errorf("Policy returns %+v, want %+v", got, p)
	}
	w, _ := testkit.Serve(m, testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: PUT"))
	want := []string{
		"Access-Control-Allow-Headers: X-A, Access-Control-Allow-Origin", "Access-Control-Allow-Methods: PUT",
		"Access-Control-Allow-Origin: https://example-client.com", "Access-Control-Max-Age: 172801", "Vary: Origin",
	}
	if got := testkit.Lines(w.Header()); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	w, _ = testkit.Serve(m, testkit.NewRequest("GET", testkit.Friend))
	if got, want := w.Header().Get("Access-Control-Expose-Headers"), "Content-Length, Origin, Access-Control-Allow-Origin, Access-Control-Max-Age"; got != want {
		t.Errorf("exposed: got %q, want %q", got, want)
	}
	for _, method := range p.AllowedMethods {
		r := testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: "+method, "Access-Control-Request-Headers: "+strings.Join(p.AllowedHeaders, ","))
		if err := m.Check(r); err != nil {
			t.Error(err)
		}
	}

	m = testkit.MustNew(t, cors.Policy{AllowedOrigins: p.AllowedOrigins, AllowedMethods: []string{"CONNECT"}, AllowedHeaders: []string{"Origin"}})
	w, _ = testkit.Serve(m, testkit.NewRequest("OPTIONS", testkit.Friend, "Access-Control-Request-Method: GET"))
	if got, want := testkit.Lines(w.Header()), []string{"Access-Control-Allow-Origin: https://example-client.com", "Vary: Origin"}; !slices.Equal(got, want) {
		t.Errorf("a policy of harmless entries: got %q, want %q", got, want)
	}
}

func TestRiskAsText(t *testing.T) {
	t.Parallel()
	for risk, text := range map[cors.Risk]string{
		0:                       "",
		cors.RiskInsecureOrigin: "insecure-origin",
		cors.RiskPublicSuffix:   "public-suffix",
		cors.RiskNullOrigin:     "null-origin",
		cors.RiskInsecureOrigin | cors.RiskPublicSuffix | cors.RiskNullOrigin: "insecure-origin|public-suffix|null-origin",
	} {
		if got, err := risk.MarshalText(); string(got) != text || err != nil {
			t.Errorf("%d: got %q, %v", risk, got, err)
		}
		if got, want := risk.String(), cmp.Or(text, "0"); got != want {
			t.Errorf("%d: String returns %q, want %q", uint(risk), got, want)
		}
		got := cors.RiskNullOrigin
		if err := got.UnmarshalText([]byte(text)); got != risk || err != nil {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	if text, err := (cors.RiskNullOrigin << 1).MarshalText(); err == nil {
		t.Errorf("8 is %q", text)
	}
	if got := (cors.RiskNullOrigin<<1 | cors.RiskNullOrigin).String(); got != "12" {
		t.Errorf("12 is %q", got)
	}
	for _, text := range []string{"null", "null-origin|", "|", "null-origin,public-suffix", "Null-Origin", " null-origin", "insecure-origin|nul-origin"} {
		risk := cors.RiskPublicSuffix
		if err := risk.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "insecure-origin, public-suffix, null-origin") || risk != cors.RiskPublicSuffix {
			t.Errorf("%q: got %d, %v", text, risk, err)
		}
	}
}

func TestDuplicatesAreAccepted(t *testing.T) {
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

// TestNewAllocatesOncePerMap counts allocations, so it is not parallel.
func TestNewAllocatesOncePerMap(t *testing.T) {
	const n = 1000 // about half of the capacity of their map, because parts of a fuller map can grow
	origins := make([]string, n)
	for i := range origins {
		origins[i] = fmt.Sprintf("https://site-%d.example.com", i)
	}
	allocs := func(origins []string) float64 {
		return testing.AllocsPerRun(5, func() { testkit.MustNew(t, cors.Policy{AllowedOrigins: origins}) })
	}
	var set map[string]bool
	forMap := testing.AllocsPerRun(5, func() { set = make(map[string]bool, n) })
	forNone, forFirst, forAll := allocs(nil), allocs(origins[:1]), allocs(origins)
	if forAll > forFirst+forMap {
		t.Errorf("%v allocations for %d origins, %v for the first, %v for a map of %d, so a map or a list grew", forAll, n, forFirst, forMap, n)
	}
	if forFirst > forNone+1 {
		t.Errorf("%v allocations for the first origin, %v without origins; want at most 1 more, for a copy of the list", forFirst, forNone)
	}
	_ = set
}

// checkPages checks which origins m allows.
func checkPages(t *testing.T, m *cors.Middleware, allowed, rejected []string) {
	t.Helper()
	for _, origin := range allowed {
		if !testkit.AllowsPage(m, origin) {
			t.Errorf("%q is not allowed", origin)
		}
	}
	for _, origin := range rejected {
		if testkit.AllowsPage(m, origin) {
			t.Errorf("%q is allowed", origin)
		}
	}
}

// rs/cors CVE-2018-20744, echo 2400, fiber CVE-2024-25124, daptin 249: "*" with
// credentials reflected any origin.
func TestFieldBugAnyOriginWithCredentials(t *testing.T) {
	t.Parallel()
	if _, err := cors.New(credentialed("*")); err == nil {
		t.Error("New accepts any origin with credentials")
	}
	m := testkit.MustNew(t, credentialed("https://example.com"))
	if err := m.SetPolicy(credentialed("*")); err == nil {
		t.Error("SetPolicy accepts any origin with credentials")
	}
	w, ran := testkit.Serve(m, testkit.NewRequest("GET", testkit.Stranger))
	if ran || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("after SetPolicy, a request from another origin got %v, and the handler ran: %t", w.Header(), ran)
	}
}

// rs/cors 197: "h*" with credentials allowed nearly any origin.
func TestFieldBugPartialWildcard(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"h*", "http*", "https://ex*", "https://*com", "https://*example.com", "https://example.*", "https://www.*.com",
		"https://ex*mple.com", "*.example.com", "*://example.com", "https://example.com*", "https://example.com:8*", "**",
	} {
		m, err := cors.New(origins(pattern))
		if err == nil {
			t.Errorf("pattern %q is accepted; it allows https://evil.example: %t", pattern, testkit.AllowsPage(m, "https://evil.example"))
		}
	}
}

// gin-contrib CVE-2019-25211: a wildcard pattern matched a longer host, such as
// example.community for example.com.
func TestFieldBugWildcardMatchesLongerHost(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, origins("https://*.example.com", "https://example.com:*", "http://localhost:*"))
	checkPages(t, m, []string{"https://a.example.com", "https://a.b.example.com", "https://example.com", "https://example.com:8443", "http://localhost:1"}, []string{
		"https://example.community", "https://example.community:8443", "https://example.com.evil.example", "https://example.com.evil.example:8443",
		"https://a.example.community", "https://a.example.com.evil.example", "https://badexample.com", "https://a.badexample.com", "https://evil.example:a.example.com",
		"https://evil.example/.example.com", "https://example.com:8443.evil.example", "http://localhost.evil.example:1", "http://localhosts:1",
	})
}

// jub0bs/cors GHSA-vhxv-fg4m-p2w8: two patterns together allowed an origin that
// neither allows alone.
func TestFieldBugPatternsJoin(t *testing.T) {
	t.Parallel()
	for _, union := range [][]string{
		{"https://foo.com", "https://bar.com"},
		{"https://foo.com", "https://bar.com", "https://longer-than-these-two.com"},
		{"https://*.foo.com", "https://*.bar.com"},
		{"https://foo.com", "https://*.bar.com", "https://foo.com:*"},
	} {
		m := testkit.MustNew(t, origins(union...))
		for _, origin := range []string{"https://barfoo.com", "https://foobar.com", "https://a.barfoo.com", "https://bar.com.foo.com.example", "https://barfoo.com:8443"} {
			if testkit.AllowsPage(m, origin) {
				t.Errorf("patterns %q together allow %s", union, origin)
			}
		}
	}
}

// jub0bs/cors 12, 15: after a change of the index, listed origins and request
// headers were rejected.
func TestFieldBugListedButRejected(t *testing.T) {
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
	m := testkit.MustNew(t, p)
	for _, origin := range listed {
		if !testkit.AllowsPage(m, origin) {
			t.Errorf("%s is listed, but rejected", origin)
		}
	}

	p.AllowedOrigins = []string{"https://example.com"}
	m = testkit.MustNew(t, p)
	for _, name := range p.AllowedHeaders {
		if err := testkit.CheckRequestHeaders(m, []string{strings.ToLower(name)}); err != nil {
			t.Errorf("%s is listed, but rejected: %v", name, err)
		}
	}
	if err := testkit.CheckRequestHeaders(m, []string{strings.ToLower(strings.Join(p.AllowedHeaders, ","))}); err != nil {
		t.Errorf("all listed names together are rejected: %v", err)
	}
}

// rack-cors CVE-2017-11173: a pattern without an anchor at its end allowed
// example.com.evil.net.
func TestFieldBugPatternWithoutAnchor(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, origins("https://example.com", "https://*.example.org", "http://example.net:*"))
	checkPages(t, m, nil, []string{
		"https://example.com.evil.net", "https://example.com.", "https://example.com:8443", "https://example.com\n", "https://example.com/",
		"evilhttps://example.com", "https://evil.net?https://example.com", "https://evil.net#https://example.com", " https://example.com",
		"https://example.com https://example.com", "https://a.example.org.evil.net", "https://a.example.org\n.evil.net", "https://a.example.org:1", "https://example.org",
		"http://example.net:1.evil.net", "http://example.net:1:1", "http://example.net:", "http://example.net.evil.net",
	})
}

// hasura 8261, hanko 2870: no pattern could match preview deployments. People
// compared only a prefix of the origin.
func TestFieldBugPreviewDeployments(t *testing.T) {
	t.Parallel()
	m := testkit.MustNew(t, origins("https://*--proj.netlify.app", "https://proj-*.vercel.app", "https://app-*-team.vercel.app"))
	checkPages(t, m, []string{
		"https://deploy-preview-42--proj.netlify.app", "https://main--proj.netlify.app",
		"https://proj-git-main-team.vercel.app", "https://proj-1.vercel.app", "https://app-9x_2-team.vercel.app",
	}, []string{
		"https://proj.netlify.app", "https://--proj.netlify.app", "https://evil.netlify.app", "https://evil-proj.netlify.app", "https://a--proj2.netlify.app",
		"https://a--proj.netlify.app.evil.example", "https://a--proj.evil.example", "https://evil.example--proj.netlify.app", "http://a--proj.netlify.app",
		"https://proj.vercel.app", "https://proj-.vercel.app", "https://project.vercel.app", "https://proj-1.evil.example", "https://proj-1.vercel.app.evil.example",
		"https://proj-evil.example", "https://proj-evil.example/.vercel.app", "https://proj-evil.example.vercel.app", "https://proj-1.vercel.app:8443",
		"https://app-team.vercel.app", "https://app--team.vercel.app", "https://app-1-teams.vercel.app", "https://app-1.evil-team.vercel.app",
	})
}

// electron-nuxt 680, electron 1990, laravel-cors 229: a policy could not list the
// origins of apps, and the function was not called for them.
func TestFieldBugOriginsOfApps(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		origin string
		risks  cors.Risk
	}{
		{"app://.", 0},
		{"app://", 0},
		{"https://example.com.", 0},
		{"capacitor://localhost", 0},
		{"file://", cors.RiskNullOrigin},
	} {
		called := ""
		listed := cors.Policy{AllowedOrigins: []string{test.origin}, AcceptRisks: test.risks}
		function := cors.Policy{AcceptRisks: test.risks, AllowOriginFunc: func(_ *http.Request, origin string) bool {
			called = origin
			return true
		}}
		for name, p := range map[string]cors.Policy{"listed": listed, "allowed by the function": function} {
			m, err := cors.New(p)
			if err != nil {
				t.Errorf("%s, %s: %v", test.origin, name, err)
				continue
			}
			w, ran := testkit.Serve(m, testkit.NewRequest("PUT", "Origin: "+test.origin))
			if !ran || w.Header().Get("Access-Control-Allow-Origin") != test.origin {
				t.Errorf("%s, %s: the handler ran: %t; got %q", test.origin, name, ran, w.Header())
			}
		}
		if called != test.origin {
			t.Errorf("%s: the function was called for %q", test.origin, called)
		}
		if test.risks == 0 {
			continue
		}
		listed.AcceptRisks, function.AcceptRisks, called = 0, 0, ""
		if _, err := cors.New(listed); err == nil {
			t.Errorf("%s is accepted without its risk", test.origin)
		}
		if testkit.AllowsPage(testkit.MustNew(t, function), test.origin) || called != "" {
			t.Errorf("%s: the function is called, although the risk is not accepted", test.origin)
		}
	}
}

// rs/cors (measured): an Origin of one megabyte was lowercased and compared in
// full.
func TestFieldBugHugeOrigin(t *testing.T) {
	calls := 0
	huge := "https://" + strings.Repeat("A.", 1<<19) + "example.com"
	for _, p := range []cors.Policy{
		testkit.ExamplePolicy,
		{AllowedOrigins: []string{"https://*.example.com", "http://localhost:*"}},
		{AllowOriginFunc: func(*http.Request, string) bool { calls++; return true }},
	} {
		m := testkit.MustNew(t, p)
		h := m.Handler(http.NotFoundHandler())
		w := testkit.NewRecorder()
		r := testkit.NewRequest("GET")
		r.Header["Origin"] = []string{huge}
		if n := testkit.AllocatedBytes(1, func() { w.Reset(); h.ServeHTTP(w, r) }); n > 4<<10 {
			t.Errorf("policy %+v: %v bytes allocated for an origin of a megabyte", p, n)
		}
		err, _ := m.Check(r).(*cors.RequestError)
		if err == nil || len(err.Value) != 512 || !strings.HasPrefix(huge, err.Value) {
			t.Errorf("policy %+v: Check returned %.600v", p, err)
		}

		// The length of a scheme has no limit of its own.
		r.Header["Origin"] = []string{strings.Repeat("a", 513-len("://b")) + "://b"}
		if m.Check(r) == nil {
			t.Errorf("policy %+v: an origin of 513 bytes is allowed", p)
		}
	}
	if calls > 0 {
		t.Errorf("AllowOriginFunc was called %d times for an origin of more than 512 bytes", calls)
	}
}

// Found in this package: a rejected Origin of a megabyte was compared in full
// with a Host of equal length. That costs a thousand times more for a megabyte
// than for a kilobyte.
func TestFieldBugHugeOriginAndHost(t *testing.T) {
	h := new(cors.Middleware).Handler(http.NotFoundHandler())
	for _, port := range []string{"", ":443"} {
		cost := func(n int) time.Duration {
			host := strings.Repeat("a", n) + ".example.com"
			r := testkit.NewRequest("POST", "Origin: https://"+host)
			r.Host = host + port
			w := testkit.NewRecorder()
			return testkit.PerCall(20, func(int) {
				w.Reset()
				h.ServeHTTP(w, r)
			})
		}
		if short, long := cost(1<<10), cost(1<<20); long > 50*short {
			t.Errorf("an Origin of the length of Host, with port %q, takes %v with 1 KB and %v with 1 MB", port, short, long)
		}
	}
}
