package properties_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/testkit"
)

var tokenExpr = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// checkRequestHeaders returns the error that Check should return for the lines of
// Access-Control-Request-Headers, or nil. It looks up each name in a map.
func checkRequestHeaders(p cors.Policy, lines []string) *cors.RequestError {
	reject := func(culprits ...string) *cors.RequestError {
		return &cors.RequestError{Preflight: true, Field: "Access-Control-Request-Headers", Value: firstTwo(culprits)}
	}
	allowed := make(map[string]bool)
	bound := 512 // bytes allowed for white space or another name, in addition to the policy's names
	for _, name := range p.AllowedHeaders {
		lower := strings.ToLower(name)
		if !allowed[lower] {
			bound += len(name) + len(", ")
		}
		allowed[lower] = true
	}
	any := allowed["*"]
	if any {
		bound = max(bound, 8<<10)
	}

	size := 0 // bytes of the names, and of the commas between them
	for i, line := range lines {
		if any && p.AllowCredentials && i == 64 {
			return reject(lines...)
		}
		for j, name := range strings.Split(line, ",") {
			size += len(name)
			if i+j > 0 {
				size++
			}
			if size > bound {
				return reject(lines...)
			}
			name = strings.Trim(name, " \t")
			lower := strings.ToLower(name)
			covered := any && (p.AllowCredentials || lower != "authorization")
			if name != "" && !(tokenExpr.MatchString(name) && (allowed[lower] || covered)) {
				return reject(name)
			}
		}
	}
	return nil
}

// FuzzRequestHeaders compares the error from Check with checkRequestHeaders. The
// policy allows the names in allowed. The preflight has the lines in asked.
func FuzzRequestHeaders(f *testing.F) {
	longList := "x-0" // longer than 8 KiB
	for i := range 1400 {
		longList += fmt.Sprintf(" x-%d", i+1)
	}
	for _, credentials := range []bool{false, true} {
		f.Add("X-Custom-Header", "x-custom-header", credentials)
		f.Add("X-Custom-Header Content-Type Authorization", "authorization,content-type,x-custom-header", credentials)
		f.Add("Authorization Content-Type", "Content-Type, AUTHORIZATION", credentials)
		f.Add("A B C", "c\nb\n\na", credentials)
		f.Add("A B C", " \t a\t,,\t, b ,\n,c,", credentials)
		f.Add("A B C", "a b", credentials)
		f.Add("A B C", "a,,d", credentials)
		f.Add("A B C", "a,ab,b", credentials)
		f.Add("X-K X-S", "x-\u212a, x-\u017f", credentials)
		f.Add("X-[ X_A ^ ` | ~", "x-{,x_a,^,`,|,~", credentials)
		f.Add("* authorization", "x,authorization", credentials)
		f.Add("*", "authorization", credentials)
		f.Add("*", "AUTHORIZATION\nx y", credentials)
		f.Add("*", strings.Repeat("a,", 4096), credentials)
		f.Add("*", strings.Repeat("a\n", 65), credentials)
		f.Add("*", strings.Repeat("a", 8193), credentials)
		f.Add(longList+" *", strings.ReplaceAll(longList, " ", ","), credentials)
		f.Add(longList, strings.ReplaceAll(longList, " ", ","), credentials)
		f.Add("", "a", credentials)
		f.Add("", "\x00\xff\r", credentials)
		f.Add("*", "!,#,$,%,&,',*,+,-,.,^,_,`,|,~,0,9,a,z,A,Z", credentials)
		f.Add("A", strings.Repeat("\n", 65), credentials)
		f.Add("A", strings.Repeat(" ", 514)+"a", credentials)
		f.Add("A", strings.Repeat(" ", 514)+"b", credentials)
		f.Add("A", strings.Repeat(" ", 513)+"a,b", credentials)
		f.Add("A", strings.Repeat(" ", 516), credentials)
		f.Add(strings.Repeat("a", 600), strings.Repeat("b", 600)+"\n"+strings.Repeat("b", 600), credentials)
	}

	f.Fuzz(func(t *testing.T, allowed, asked string, credentials bool) {
		p := cors.Policy{
			AllowedOrigins:   []string{"https://example.com"},
			AllowedHeaders:   strings.Split(allowed, " "),
			AllowCredentials: credentials,
		}
		p.AllowedHeaders = slices.DeleteFunc(p.AllowedHeaders, func(s string) bool { return !isRequestHeaderToAllow(s) })
		m := testkit.MustNew(t, p)
		lines := strings.Split(asked, "\n")
		want := checkRequestHeaders(p, lines)
		if got := testkit.CheckRequestHeaders(m, lines); !testkit.SameError(got, want) {
			t.Errorf("AllowedHeaders %q, lines %q: got %+v, want %+v", p.AllowedHeaders, lines, got, want)
		}

		// The order of the lines and the case of the names do not matter.
		slices.Reverse(lines)
		for i, line := range lines {
			if i%2 == 0 && tokenExpr.MatchString(strings.ReplaceAll(line, ",", "")) {
				lines[i] = strings.ToUpper(line)
			}
		}
		if got := testkit.CheckRequestHeaders(m, lines); (got == nil) != (want == nil) {
			t.Errorf("AllowedHeaders %q, lines %q: got %+v, want %+v", p.AllowedHeaders, lines, got, want)
		}
	})
}
