package cors_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
)

func TestCheckPreflights(t *testing.T) {
	t.Parallel()
	explicit := cors.Policy{AllowedMethods: []string{"PUT", "PATCH"}, AllowedHeaders: []string{"Authorization", "X-Custom-Header", "Content-Type"}}
	wild := cors.Policy{AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}}
	wildAuthorization := cors.Policy{AllowedHeaders: []string{"*", "Authorization"}}
	wildCredentials := cors.Policy{AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*"}, AllowCredentials: true}
	const (
		method  = "Access-Control-Request-Method"
		headers = "Access-Control-Request-Headers"
		put     = method + ": PUT"
	)
	type fault struct{ field, value string }
	// The names take 40 bytes, ", " after each 6, and there is room for 128 more.
	longest := "authorization,x-custom-header,content-type"
	longest += strings.Repeat(" ", 40+6+128-len(longest))
	megabyte := strings.Repeat("x-custom-header,", 1<<16)

	for _, test := range []struct {
		name   string
		policy cors.Policy
		header []string
		want   fault // none: allowed
	}{
		{"a listed method", explicit, []string{put}, fault{}},
		{"GET", explicit, []string{method + ": GET"}, fault{}},
		{"HEAD", explicit, []string{method + ": HEAD"}, fault{}},
		{"POST", explicit, []string{method + ": POST"}, fault{}},
		{"another method", explicit, []string{method + ": DELETE"}, fault{method, "DELETE"}},
		{"a listed method in another case", explicit, []string{method + ": patch"}, fault{method, "patch"}},
		{"a safelisted method in another case", explicit, []string{method + ": get"}, fault{method, "get"}},
		{"an empty method", explicit, []string{method + ": "}, fault{method, ""}},
		{"two methods", explicit, []string{put, method + ": PATCH"}, fault{method, "PUT, PATCH"}},
		{"any method", wild, []string{method + ": FOO"}, fault{}},
		{"any method, but what is none", wild, []string{method + ": F O"}, fault{method, "F O"}},
		{"any method, but an empty one", wild, []string{method + ": "}, fault{method, ""}},
		{"any method of 8 KiB", wild, []string{method + ": " + strings.Repeat("x", 8<<10)}, fault{}},
		{"any method, but a longer one", wild, []string{method + ": " + strings.Repeat("x", 8<<10+1)}, fault{method, strings.Repeat("x", 512)}},
		{"any method with credentials", wildCredentials, []string{method + ": FOO"}, fault{}},

		{"listed headers", explicit, []string{put, headers + ": authorization,content-type,x-custom-header"}, fault{}},
		{"no header", explicit, []string{put, headers + ": "}, fault{}},
		{"in another order and case", explicit, []string{put, headers + ": X-Custom-Header,AUTHORIZATION"}, fault{}},
		{"with white space and empty elements", explicit, []string{put, headers + ": ,\t x-custom-header \t,, authorization ,"}, fault{}},
		{"over several lines", explicit, []string{put, headers + ": authorization", headers + ": x-custom-header, content-type"}, fault{}},
		{"twice the same", explicit, []string{put, headers + ": authorization,authorization"}, fault{}},
		{"another header", explicit, []string{put, headers + ": authorization,x-nope,x-no"}, fault{headers, "x-nope"}},
		{"another header on a later line", explicit, []string{put, headers + ": authorization", headers + ": x-nope"}, fault{headers, "x-nope"}},
		{"a prefix of a listed one", explicit, []string{put, headers + ": x-custom-heade"}, fault{headers, "x-custom-heade"}},
		{"an extension of a listed one", explicit, []string{put, headers + ": x-custom-headers"}, fault{headers, "x-custom-headers"}},
		{"white space within a name", explicit, []string{put, headers + ": x-custom -header"}, fault{headers, "x-custom -header"}},
		{"other white space", explicit, []string{put, headers + ": authorization,\vx-custom-header"}, fault{headers, "\vx-custom-header"}},
		{"a list as long as can be", explicit, []string{put, headers + ": " + longest}, fault{}},
		{"a longer one", explicit, []string{put, headers + ": " + longest + " "}, fault{headers, longest + " "}},
		{"as long as can be over two lines", explicit, []string{put, headers + ": " + longest[:len(longest)-2], headers + ": "}, fault{}},
		{"longer over two lines", explicit, []string{put, headers + ": " + longest[:len(longest)-1], headers + ": "}, fault{headers, longest[:len(longest)-1] + ", "}},
		{"a longer one with another header", explicit, []string{put, headers + ": authorization,x-nope," + megabyte}, fault{headers, "x-nope"}},
		{"a megabyte", explicit, []string{put, headers + ": " + megabyte}, fault{headers, megabyte[:512]}},

		{"any header", wild, []string{put, headers + ": x-a,x-b"}, fault{}},
		{"any header, but Authorization", wild, []string{put, headers + ": x-a,authorization"}, fault{headers, "authorization"}},
		{"any header, but Authorization in another case", wild, []string{put, headers + ": AUTHORIZATION"}, fault{headers, "AUTHORIZATION"}},
		{"any header, and Authorization", wildAuthorization, []string{method + ": POST", headers + ": x-a,authorization"}, fault{}},
		{"any header, but what is none", wild, []string{put, headers + ": x-a,x b"}, fault{headers, "x b"}},
		{"any header, but a megabyte", wild, []string{put, headers + ": " + megabyte}, fault{headers, megabyte[:512]}},
		{"any header with credentials", wildCredentials, []string{put, headers + ": x-a,authorization"}, fault{}},
		{"any header with credentials, but what is none", wildCredentials, []string{put, headers + ": x-a,x b"}, fault{headers, "x b"}},
		{"any header with credentials, over too many lines", wildCredentials, append([]string{put}, strings.Split(strings.Repeat(headers+": x\n", 64)+headers+": y", "\n")...), fault{headers, "x, x"}},
		{"the method is looked at first", explicit, []string{method + ": FOO", headers + ": x-nope"}, fault{method, "FOO"}},
	} {
		test.policy.AllowedOrigins = examplePolicy.AllowedOrigins
		err := mustNew(t, test.policy).Check(newRequest("OPTIONS", append(test.header, friend)...))
		var got *cors.RequestError
		if !errors.As(err, &got) {
			if test.want != (fault{}) {
				t.Errorf("%s: allowed, want %+v", test.name, test.want)
			}
			continue
		}
		if got := (fault{got.Field, got.Value}); got != test.want {
			t.Errorf("%s: got %.600v, want %.600v", test.name, got, test.want)
		}
		if !got.Preflight {
			t.Errorf("%s: got an error that is not about a preflight", test.name)
		}
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

// naiveRequestHeaders reads the lines of Access-Control-Request-Headers the
// long way: taken apart and looked up in a map. It returns what Check should
// report, or nil.
func naiveRequestHeaders(p cors.Policy, lines []string) *cors.RequestError {
	refuse := func(culprits ...string) *cors.RequestError {
		return &cors.RequestError{Preflight: true, Field: "Access-Control-Request-Headers", Value: firstTwo(culprits)}
	}
	allowed := make(map[string]bool)
	bound := 128 // for white space, beyond the policy's own names
	for _, name := range p.AllowedHeaders {
		lower := strings.ToLower(name)
		if !allowed[lower] {
			bound += len(name) + len(", ")
		}
		allowed[lower] = true
	}
	any := allowed["*"]
	if any {
		bound = 8 << 10
		if p.AllowCredentials && len(lines) > 64 {
			return refuse(lines...)
		}
	}

	start := 0 // of the line, in what comes of joining all
	for _, line := range lines {
		end := start
		for name := range strings.SplitSeq(line, ",") {
			end += len(name + ",")
			if end > bound && end > start+len(line) {
				end-- // no comma follows
			}
			if end > bound {
				return refuse(lines...)
			}
			name = strings.Trim(name, " \t")
			lower := strings.ToLower(name)
			covered := any && (p.AllowCredentials || lower != "authorization")
			if name != "" && !(tokenExpr.MatchString(name) && (allowed[lower] || covered)) {
				return refuse(name)
			}
		}
		start += len(line + ", ")
	}
	return nil
}

// checkRequestHeaders returns what m says about a preflight from an allowed
// origin that asks for the request headers in lines.
func checkRequestHeaders(m *cors.Middleware, lines []string) *cors.RequestError {
	r := &http.Request{Method: http.MethodOptions, Host: "api.example", Header: http.Header{
		"Origin":                         {"https://example.com"},
		"Access-Control-Request-Method":  {"GET"},
		"Access-Control-Request-Headers": lines,
	}}
	if err := m.Check(r); err != nil {
		return err.(*cors.RequestError)
	}
	return nil
}

// sameError reports whether a and b are both nil, or equal.
func sameError(a, b *cors.RequestError) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// FuzzRequestHeaders compares what Check says about the lines in asked with a
// naive reading of them, under a policy that allows the names in allowed.
func FuzzRequestHeaders(f *testing.F) {
	for _, credentials := range []bool{false, true} {
		f.Add("X-Custom-Header", "x-custom-header", credentials)
		f.Add("X-Custom-Header Content-Type Authorization", "authorization,content-type,x-custom-header", credentials)
		f.Add("Authorization Content-Type", "Content-Type, AUTHORIZATION", credentials)
		f.Add("A B C", "c\nb\n\na", credentials)
		f.Add("A B C", " \t a\t,,\t, b ,\n,c,", credentials)
		f.Add("A B C", "a b", credentials)
		f.Add("A B C", "a,ab,b", credentials)
		f.Add("X-K X-S", "x-\u212a, x-\u017f", credentials)
		f.Add("X-[ X_A ^ ` | ~", "x-{,x_a,^,`,|,~", credentials)
		f.Add("* authorization", "x,authorization", credentials)
		f.Add("*", "authorization", credentials)
		f.Add("*", "AUTHORIZATION\nx y", credentials)
		f.Add("*", strings.Repeat("a,", 4096), credentials)
		f.Add("*", strings.Repeat("a\n", 65), credentials)
		f.Add("*", strings.Repeat("a", 8193), credentials)
		f.Add("", "a", credentials)
		f.Add("", "\x00\xff\r", credentials)
		f.Add("*", "!,#,$,%,&,',*,+,-,.,^,_,`,|,~,0,9,a,z,A,Z", credentials)
		f.Add("A", strings.Repeat("\n", 65), credentials)
		f.Add("A", strings.Repeat(" ", 130)+"a", credentials)
		f.Add("A", strings.Repeat(" ", 130)+"b", credentials)
		f.Add("A", strings.Repeat(" ", 129)+"a,b", credentials)
		f.Add("A", strings.Repeat(" ", 132), credentials)
		f.Add(strings.Repeat("a", 600), strings.Repeat("b", 600)+"\n"+strings.Repeat("b", 600), credentials)
	}

	f.Fuzz(func(t *testing.T, allowed, asked string, credentials bool) {
		p := cors.Policy{
			AllowedOrigins:   []string{"https://example.com"},
			AllowedHeaders:   strings.Split(allowed, " "),
			AllowCredentials: credentials,
		}
		p.AllowedHeaders = slices.DeleteFunc(p.AllowedHeaders, func(s string) bool { return !isRequestHeaderToAllow(s) })
		m := mustNew(t, p)
		lines := strings.Split(asked, "\n")
		want := naiveRequestHeaders(p, lines)
		if got := checkRequestHeaders(m, lines); !sameError(got, want) {
			t.Errorf("AllowedHeaders %q, lines %q: got %+v, want %+v", p.AllowedHeaders, lines, got, want)
		}

		// Neither the order of the lines nor the case of names makes a difference.
		slices.Reverse(lines)
		for i, line := range lines {
			if i%2 == 0 && tokenExpr.MatchString(strings.ReplaceAll(line, ",", "")) {
				lines[i] = strings.ToUpper(line)
			}
		}
		if got := checkRequestHeaders(m, lines); (got == nil) != (want == nil) {
			t.Errorf("AllowedHeaders %q, lines %q: got %+v, want %+v", p.AllowedHeaders, lines, got, want)
		}
	})
}

// rs/cors 170: a long Access-Control-Request-Headers made the server allocate
// without bound.
func TestFieldBugLongRequestHeaders(t *testing.T) {
	for _, p := range []cors.Policy{
		{AllowedHeaders: []string{"X-A", "X-B"}},
		{AllowedHeaders: []string{"*"}},
		{AllowedHeaders: []string{"*"}, AllowCredentials: true},
	} {
		p.AllowedOrigins = examplePolicy.AllowedOrigins
		reports := 0
		p.OnReject = func(*http.Request, *cors.RequestError) { reports++ }
		m := mustNew(t, p)
		for _, lines := range [][]string{
			{strings.Repeat("x-a,", 1<<18)},
			{strings.Repeat("X", 1<<20)},
			{strings.Repeat(",", 1<<20)},
			slices.Repeat([]string{"x-a"}, 1<<16),
		} {
			r := newRequest("OPTIONS", friend, "Access-Control-Request-Method: GET")
			r.Header["Access-Control-Request-Headers"] = lines
			h := m.Handler(http.NotFoundHandler())
			w := &reusedWriter{make(http.Header)}
			if n := allocatedBytes(func() { h.ServeHTTP(w, r) }); n > 4<<10 {
				t.Errorf("%q, %d lines beginning with %.10q: %d bytes allocated", p.AllowedHeaders, len(lines), lines[0], n)
			}
			if len(w.header["Access-Control-Allow-Headers"]) > 1 || reports == 0 {
				t.Errorf("%q, %d lines beginning with %.10q: answered with %d lines, reported %d times",
					p.AllowedHeaders, len(lines), lines[0], len(w.header["Access-Control-Allow-Headers"]), reports)
			}
			reports = 0
		}
	}
}

// rs/cors 174: request headers that a test or a client did not send sorted and
// in lower case were refused.
func TestFieldBugRequestHeadersUnsorted(t *testing.T) {
	t.Parallel()
	p := cors.Policy{AllowedOrigins: []string{"https://example-client.com", "https://example.com"}, AllowedHeaders: []string{"Content-Type", "authorization", "X-Request-Id"}}
	m := mustNew(t, p)
	for _, asked := range []string{
		"Authorization", "AUTHORIZATION", "authorization,content-type,x-request-id", "x-request-id,content-type,authorization",
		"X-Request-ID, Authorization", "content-type , authorization", "authorization,authorization",
	} {
		if err := checkRequestHeaders(m, []string{asked}); err != nil {
			t.Errorf("Check refuses %q: %v", asked, err)
		}
		w, _ := serve(m, newRequest("OPTIONS", friend, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: "+asked))
		if got, want := w.Header().Get("Access-Control-Allow-Headers"), "Content-Type, Authorization, X-Request-Id"; w.Code != 204 || got != want {
			t.Errorf("%q is answered with %d, Access-Control-Allow-Headers: %q; want 204, %q", asked, w.Code, got, want)
		}
	}
}

// readest 5444: browsers do not take "*" for Authorization, so that 43 % of all
// requests were preflights.
func TestFieldBugAuthorizationUnderWildcard(t *testing.T) {
	t.Parallel()
	ask := []string{friend, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"}
	for _, test := range []struct {
		policy cors.Policy
		want   string
	}{
		{cors.Policy{AllowedHeaders: []string{"X-A", "Authorization"}}, "X-A, Authorization"},
		{cors.Policy{AllowedHeaders: []string{"*", "Authorization"}}, "*, Authorization"},
		{cors.Policy{AllowedHeaders: []string{"*"}, AllowCredentials: true}, "authorization"},
	} {
		test.policy.AllowedOrigins = examplePolicy.AllowedOrigins
		m := mustNew(t, test.policy)
		w, _ := serve(m, newRequest("OPTIONS", ask...))
		if got := w.Header().Get("Access-Control-Allow-Headers"); got != test.want {
			t.Errorf("%q: Access-Control-Allow-Headers is %q, want %q", test.policy.AllowedHeaders, got, test.want)
		}
		if err := m.Check(newRequest("OPTIONS", ask...)); err != nil {
			t.Errorf("%q: Check refuses what the answer allows: %v", test.policy.AllowedHeaders, err)
		}
	}
	m := mustNew(t, cors.Policy{AllowedOrigins: examplePolicy.AllowedOrigins, AllowedHeaders: []string{"*"}})
	if m.Check(newRequest("OPTIONS", ask...)) == nil {
		t.Error(`Check lets "*" stand for Authorization, which browsers do not`)
	}
}
