package corstest_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/f407da42/cors/corstest"
)

// TestWebPlatformTests repeats the assertions of web-platform-tests under
// fetch/api/cors/. Browser vendors use these tests. Each row has the name of a
// file and the name of a test in it. The servers respond as the servers of
// web-platform-tests do.
//
// These rows have no counterpart in this package, so they are left out:
//   - cors-keepalive.any.js: repeats cors-basic.any.js, and has pages that end.
//   - cors-cookies.any.js, the rows that begin with "Include mode:" and "cookies
//     are not sent": they are about cookies of several hosts. A Browser has one
//     Cookie, for the first host. cors-cookies-redirect.any.js has rows for two
//     hosts with a cookie each; here, the second host has no cookie and gets none.
//   - cors-preflight-referrer.any.js, and the row on User-Agent in
//     cors-preflight.any.js: headers that a Browser does not send.
//   - data-url-*.html, the rows that fetch a data: URL, which is not HTTP; and
//     the rows for workers, which are the same as those for pages.
func TestWebPlatformTests(t *testing.T) {
	const (
		local        = "http://web-platform.test:8000" // the page's origin, except in some rows
		localPort    = "http://web-platform.test:8001"
		localSecure  = "https://web-platform.test:8443"
		remote       = "http://www1.web-platform.test:8000"
		remotePort   = "http://www1.web-platform.test:8001"
		remoteSecure = "https://www1.web-platform.test:8443"
		include      = corstest.Include
	)
	elsewhere := []struct{ name, origin string }{
		{"Same domain different port", localPort},
		{"Same domain different protocol different port", localSecure},
		{"Cross domain basic usage", remote},
		{"Cross domain different port", remotePort},
		{"Cross domain different protocol", remoteSecure},
	}
	statuses := []int{301, 302, 303, 307, 308}

	// at returns a URL of a server. Its query determines the response.
	at := func(server string, query ...string) string {
		var parts []string
		for _, q := range query {
			name, value, _ := strings.Cut(q, "=")
			parts = append(parts, name+"="+url.QueryEscape(value))
		}
		return server + "?" + strings.Join(parts, "&")
	}
	get := func(url string, header ...string) corstest.Request {
		r := corstest.Request{URL: url, Header: make(http.Header)}
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		return r
	}

	// run makes requests from a page, one after the other. For each
	// request, want has the methods that are sent, and the status that the script
	// reads, or "blocked". Then want has the result of show for the last request.
	type show = func(last *corstest.Result) string
	run := func(file, name, page string, want string, shown show, requests ...corstest.Request) {
		t.Run(file+": "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := corstest.Browser{Handler: http.HandlerFunc(respondAsRequested), Cookie: "a=1"}
				start := time.Now() // by the clock of the bubble
				var got []string
				var last *corstest.Result
				for _, r := range requests {
					last = b.Fetch(page, r)
					got = append(got, summary(last))
				}
				if shown != nil {
					got = append(got, shown(last))
				}
				if got := strings.Join(got, ", "); got != want {
					t.Errorf("got  %s\nwant %s\n%s", got, want, last)
				}
				if stalled := time.Since(start); stalled > time.Second {
					t.Errorf("stalled for %v", stalled)
				}
			})
		})
	}
	sent := func(name string) show {
		return func(last *corstest.Result) string { return last.Actual.Request.Header.Get(name) }
	}
	read := func(names ...string) show {
		return func(last *corstest.Result) string {
			var values []string
			for _, name := range names {
				values = append(values, cmp.Or(last.Header.Get(name), "nothing"))
			}
			return strings.Join(values, " ")
		}
	}
	// either returns want if the request succeeds. Otherwise the first request is
	// blocked.
	either := func(succeeds bool, want string) string {
		if succeeds {
			return want
		}
		first, _, _ := strings.Cut(want, " ")
		return first + " blocked"
	}

	const basic = "cors-basic.any.js"
	for _, to := range elsewhere {
		opaque := get(at(to.origin+"/top.txt", "header=Access-Control-Allow-Origin: *"))
		opaque.Mode = corstest.NoCORS
		run(basic, to.name+" [no-cors mode]", local, "GET 0, ", func(last *corstest.Result) string { return last.Body }, opaque)
		run(basic, to.name+" [server forbid CORS]", local, "GET blocked", nil, get(at(to.origin+"/top.txt")))
		run(basic, to.name+" [cors mode]", local, "GET 200", nil, get(at(to.origin+"/top.txt", "header=Access-Control-Allow-Origin: *")))
	}

	const cookies, cookiesRedirect = "cors-cookies.any.js", "cors-cookies-redirect.any.js"
	for _, test := range []struct {
		name, server string
		credentials  corstest.Credentials
		want         string
	}{
		{"Omit mode: no cookie sent", local, corstest.Omit, ""},
		{"Include mode: 1 cookie", remote, include, "a=1"},
		{"Same-origin mode: cookies are discarded in cors request", remote, corstest.SameOrigin, ""},
	} {
		r := get(at(test.server+"/preflight.py", "origin="+local, "credentials"))
		r.Credentials = test.credentials
		run(cookies, test.name, local, "GET 200, "+test.want, sent("Cookie"), r)
	}
	for name, want := range map[string]string{"no preflight": "GET GET 200, ", "preflight": "OPTIONS GET OPTIONS GET 200, "} {
		r := get(at(remote+"/redirect.py", "redirect_status=301", "allow_headers=a", "location="+at(localPort+"/redirect.py", "allow_headers=a")))
		if name == "preflight" {
			r.Header.Set("a", "b")
		}
		r.Credentials = include
		run(cookiesRedirect, "Testing credentials after cross-origin redirection with CORS and "+name, local, want, sent("Cookie"), r)
	}

	const star = "cors-expose-star.sub.any.js"
	shared := []string{"header=Test: X", "header=Set-Cookie: X", "header=*: whoa", "header=Content-Type: text/plain"}
	exposing := func(headers ...string) corstest.Request {
		return get(at(localPort+"/top.txt", append(headers, shared...)...))
	}
	withCredentials := exposing("header=Access-Control-Allow-Origin: "+local, "header=Access-Control-Allow-Credentials: true", "header=Access-Control-Expose-Headers: *")
	withCredentials.Credentials = include
	run(star, "Basic Access-Control-Expose-Headers: * support", local, "GET 200, X nothing whoa", read("Test", "Set-Cookie", "*"),
		exposing("header=Access-Control-Allow-Origin: *", "header=Access-Control-Expose-Headers: *"))
	run(star, "* for credentialed fetches only matches literally", local, "GET 200, text/plain nothing nothing whoa", read("Content-Type", "Test", "Set-Cookie", "*"), withCredentials)
	run(star, "* can be one of several values", local, "GET 200, X nothing whoa", read("Test", "Set-Cookie", "*"),
		exposing("header=Access-Control-Allow-Origin: *", "header=Access-Control-Expose-Headers: set-cookie,*"))

	const filtering = "cors-filtering.sub.any.js"
	for header, filtered := range map[string]bool{
		"Cache-Control: no-cache": false, "Content-Language: fr": false, "Content-Type: text/html": false, "Expires: 04 May 1988 22:22:22 GMT": false,
		"Last-Modified: 04 May 1988 22:22:22 GMT": false, "Pragma: no-cache": false, "Content-Length: 3": false,
		"Age: 27": true, "Server: wptServe": true, "Warning: Mind the gap": true, "Set-Cookie: name=value; max-age=0": true, "Set-Cookie2: name=value; max-age=0": true,
	} {
		name, value, _ := strings.Cut(header, ": ")
		want := value
		if filtered {
			want = "nothing"
		}
		run(filtering, "CORS filter on "+name+" header", local, "GET 200, "+want, read(name),
			get(at(localPort+"/top.txt", "header="+header, "header=Access-Control-Allow-Origin: *")))
		if !filtered {
			continue
		}
		title, want := "CORS filter on "+name+" header, header is exposed", value
		if strings.HasPrefix(name, "Set-Cookie") {
			title, want = "CORS filter on "+name+" header, header is forbidden", "nothing"
		}
		exposed := get(at(localPort+"/top.txt", "header="+header, "header=Access-Control-Allow-Origin: "+local,
			"header=Access-Control-Allow-Credentials: true", "header=Access-Control-Expose-Headers: "+name))
		exposed.Credentials = corstest.Omit
		run(filtering, title, local, "GET 200, "+want, read(name), exposed)
		if want == "nothing" {
			exposed.Credentials = include
			run(filtering, title+"(credentials = include)", local, "GET 200, nothing", read(name), exposed)
		}
	}

	const multiple = "cors-multiple-origins.sub.any.js"
	for _, list := range [][]string{
		{`""`, "http://example.com", local}, {`""`, "http://example.com", "*"}, {`""`, local, local},
		{"*", "http://example.com", "*"}, {"*", "http://example.com", local}, {"", "http://example.com", "https://example2.com"},
	} {
		run(multiple, "Listing multiple origins is illegal: "+strings.Join(list, ","), local, "GET blocked", nil,
			get(at(localPort+"/preflight.py", "origin="+strings.Join(list, ", "))))
	}

	const noPreflight = "cors-no-preflight.any.js"
	for _, to := range elsewhere {
		run(noPreflight, to.name+" [GET]", local, "GET 200", nil, get(at(to.origin+"/preflight.py", "max_age=0")))
	}
	for _, method := range []string{"POST", "HEAD"} {
		r := get(at(remote+"/preflight.py", "max_age=0"))
		r.Method = method
		run(noPreflight, "Cross domain ["+method+"]", local, method+" 200", nil, r)
	}
	for _, header := range []string{
		"Accept: */*", "Accept-Language: fr", "Content-Language: fr", "Content-Type: application/x-www-form-urlencoded", "Content-Type: multipart/form-data",
		"Content-Type: text/plain", "Content-Type: text/plain;charset=utf-8", "Content-Type: Text/Plain;charset=utf-8",
	} {
		name, value, _ := strings.Cut(header, ": ")
		run(noPreflight, "Cross domain [GET] ["+header+"]", local, "GET 200", nil, get(at(remote+"/preflight.py", "max_age=0"), name, value))
	}

	const origins = "cors-origin.any.js"
	for _, test := range []struct{ name, server, method, want string }{
		{"Cross domain different subdomain", remote, "GET", "GET 200"},
		{"Same domain different port", localPort, "GET", "GET 200"},
		{"Cross domain different port", remotePort, "GET", "GET 200"},
		{"Cross domain different protocol", remoteSecure, "GET", "GET 200"},
		{"Same domain different protocol different port", localSecure, "GET", "GET 200"},
		{"Cross domain [POST]", remote, "POST", "POST 200"},
		{"Cross domain [HEAD]", remote, "HEAD", "HEAD 200"},
		{"CORS preflight [PUT]", remote, "PUT", "OPTIONS PUT 200"},
	} {
		for suffix, allowed := range map[string]string{"OK": local, "KO": test.server} {
			r := get(at(test.server+"/preflight.py", "max_age=0", "origin="+allowed, "allow_methods="+test.method))
			r.Method = test.method
			run(origins, test.name+" [origin "+suffix+"]", local, either(suffix == "OK", test.want), nil, r)
		}
	}
	run(origins, `Allowed origin: "" [origin KO]`, local, "GET blocked", nil, get(at(remote+"/preflight.py", "origin=")))

	const preflight = "cors-preflight.any.js"
	headers := []string{
		"x-test-header1", "x-test-header2", "X-test-header3", "x-test-header-b", "x-test-header-D", "x-test-header-C", "x-test-header-a", "Content-Type",
	}
	safe := []string{"Accept", "*", "Accept-Language", "bzh", "Content-Language", "eu"}
	for _, test := range []struct {
		name, method string
		headers      []string
		safe         []string
		asked        string // Access-Control-Request-Headers
	}{
		{"[DELETE]", "DELETE", nil, nil, ""},
		{"[PUT]", "PUT", nil, nil, ""},
		{"[PATCH]", "PATCH", nil, nil, ""},
		{"[patcH]", "patcH", nil, nil, ""},
		{"[NEW]", "NEW", nil, nil, ""},
		{"[chicken]", "chicken", nil, nil, ""},
		{"[GET] [x-test-header: allowed or refused]", "GET", headers[:1], nil, "x-test-header1"},
		{"[GET] [several headers]", "GET", headers, safe, "content-type,x-test-header-a,x-test-header-b,x-test-header-c,x-test-header-d,x-test-header1,x-test-header2,x-test-header3"},
		{"[PUT] [several headers]", "PUT", headers, safe, "content-type,x-test-header-a,x-test-header-b,x-test-header-c,x-test-header-d,x-test-header1,x-test-header2,x-test-header3"},
		{"[PUT] [only safe headers]", "PUT", nil, safe, ""},
	} {
		for _, allows := range []bool{true, false} {
			u, suffix := at(remote+"/preflight.py", "max_age=0"), "refuses"
			if allows {
				u, suffix = u+"&"+at("", "allow_methods="+test.method, "allow_headers="+strings.Join(test.headers, " ,"))[1:], "allows"
			}
			r := get(u, test.safe...)
			r.Method = test.method
			for _, name := range test.headers {
				r.Header.Set(name, "allowedOrRefused")
			}
			asked := func(last *corstest.Result) string {
				return strings.Join(last.Preflight.Request.Header["Access-Control-Request-Headers"], "; ")
			}
			run(preflight, "CORS "+test.name+", server "+suffix, local, either(allows, "OPTIONS "+test.method+" 200")+", "+test.asked, asked, r)
		}
	}
	run(preflight, `"authorization" should not be covered by the wildcard symbol`, local, "OPTIONS blocked", nil, get(at(remote+"/preflight.py", "allow_headers=*"), "authorization", "foobar"))
	run(preflight, `"authorization" should be covered by "authorization"`, local, "OPTIONS GET 200", nil, get(at(remote+"/preflight.py", "allow_headers=authorization"), "authorization", "foobar"))

	const cache, tainted = "cors-preflight-cache.any.js", "cors-preflight-cache-tainted.any.js"
	post := func(url, header string) corstest.Request {
		r := get(url, header, "test")
		r.Method = "POST"
		return r
	}
	explicit := at(remote+"/preflight.py", "max_age=12000", "allow_methods=POST", "allow_headers=x-test-header")
	wildcard := at(remote+"/preflight.py", "max_age=12000", "allow_methods=POST", "allow_headers=*")
	run(cache, "CORS preflight cache reuses explicit header entries", local, "OPTIONS POST 200, POST 200", nil,
		post(explicit, "x-test-header"), post(explicit, "x-test-header"))
	run(cache, "CORS preflight cache does not reuse wildcard header entries for Authorization", local, "OPTIONS POST 200, OPTIONS blocked", nil,
		post(wildcard, "x-test-header"), post(wildcard, "authorization"))
	target := at(localPort+"/preflight.py", "max_age=12000", "allow_methods=POST", "allow_headers=x-test-header")
	redirect := at(remote+"/redirect.py", "redirect_status=307", "allow_headers=x-test-header", "location="+target)
	run(tainted, "Tainted CORS preflight cache entry is not reused for untainted requests", local, "OPTIONS POST OPTIONS POST 200, OPTIONS POST 200", nil,
		post(redirect, "x-test-header"), post(target, "x-test-header"))
	run(tainted, "Untainted CORS preflight cache entry is not reused for tainted requests", local, "OPTIONS POST 200, OPTIONS POST OPTIONS POST 200", nil,
		post(target, "x-test-header"), post(redirect, "x-test-header"))

	const notSafelisted = "cors-preflight-not-cors-safelisted.any.js"
	long := strings.Repeat("0123456789", 12) + "012345678"
	for _, header := range []string{
		`accept/"`, "accept/" + long, "accept-language/\x01", "accept-language/@", "authorization/basics", "content-language/\x01", "content-language/@",
		"content-type/text/html", "content-type/text/plain; long=" + long[:112], "range/bytes 0-", "test/hi",
	} {
		name, value, _ := strings.Cut(header, "/")
		run(notSafelisted, "Need CORS-preflight for "+header+" header", local, "OPTIONS GET 200", nil,
			get(at(remote+"/preflight.py", "max_age=0", "allow_headers="+name), name, value))
	}

	const preflightRedirect = "cors-preflight-redirect.any.js"
	forcing := func(url string) corstest.Request { return get(url, "x-force-preflight", "") }
	for _, status := range statuses {
		query := []string{"redirect_status=" + strconv.Itoa(status), "allow_headers=x-force-preflight", "location=" + at(remote+"/preflight.py", "allow_headers=x-force-preflight")}
		run(preflightRedirect, fmt.Sprintf("Redirection %d after preflight succeeded", status), local, "OPTIONS GET OPTIONS GET 200", nil,
			forcing(at(remote+"/redirect.py", query...)))
		run(preflightRedirect, fmt.Sprintf("Redirection %d on preflight failed", status), local, "OPTIONS blocked", nil,
			forcing(at(remote+"/redirect.py", query...)+"&redirect_preflight"))
	}

	const validation = "cors-preflight-response-validation.any.js"
	for name, query := range map[string]string{"Headers": "allow_headers=x-force-preflight,Bad value", "Methods": "allow_headers=x-force-preflight&allow_methods=Bad+value"} {
		u := remote + "/preflight.py?" + strings.ReplaceAll(query, " ", "+")
		run(validation, "Preflight response with a bad Access-Control-Allow-"+name, local, "OPTIONS blocked, GET 200", nil, forcing(u), get(u))
	}

	const preflightStar = "cors-preflight-star.any.js"
	type starTest struct {
		succeeds, credentials         bool
		allowMethod, allowHeader, use string
		header                        string
	}
	starTests := []starTest{
		{true, false, "get", "x-test", "GET", "X-Test"},
		{true, false, "*", "x-test", "SUPER", "X-Test"},
		{true, false, "*", "*", "OK", "X-Test"},
		{false, true, "*", "*", "OK", "X-Test"},
		{false, true, "*", "", "PUT", ""},
		{false, true, "get", "*", "GET", "X-Test"},
		{false, true, "*", "*", "GET", "X-Test"},
		{true, true, "*", "*", "*", "*"},
		{true, true, "PATCH", "*", "PATCH", ""},
		{false, true, "PATCH", "*", "patch", ""},
		{false, true, "patch", "*", "PATCH", ""},
		{true, true, "patch", "*", "patch", ""},
		{false, false, "*", "*", "POST", "Authorization"},
		{true, false, "*", "*, Authorization", "POST", "Authorization"},
	}
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "PUT"} {
		lower, safelisted := strings.ToLower(method), method != "DELETE" && method != "PUT"
		starTests = append(starTests,
			starTest{true, true, method, "*", method, ""}, starTest{true, true, method, "*", lower, ""},
			starTest{safelisted, true, lower, "*", method, ""}, starTest{safelisted, true, lower, "*", lower, ""})
	}
	for _, test := range starTests {
		query := []string{"allow_methods=" + test.allowMethod, "allow_headers=" + test.allowHeader}
		if test.credentials {
			query = append(query, "origin="+local, "credentials")
		}
		r := get(at(remote+"/preflight.py", query...))
		r.Method = test.use
		if test.credentials {
			r.Credentials = include
		}
		want, outcome := test.use+" 200", "succeeds"
		if upper := strings.ToUpper(test.use); upper != "PATCH" {
			want = upper + " 200"
		}
		if test.header != "" {
			r.Header.Set(test.header, "1")
		}
		if len(corstest.PreflightReasons(r)) > 0 {
			want = "OPTIONS " + want
		}
		if !test.succeeds {
			outcome = "fails"
		}
		run(preflightStar, fmt.Sprintf("CORS that %s with credentials: %t; method: %s (allowed: %s); header: %s,1 (allowed: %s)",
			outcome, test.credentials, test.use, test.allowMethod, test.header, test.allowHeader), local, either(test.succeeds, want), nil, r)
	}

	const preflightStatus = "cors-preflight-status.any.js"
	for _, status := range []int{
		200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 306, 307, 308, 400, 401, 402, 403, 404, 405, 501, 502, 503, 504, 505,
	} {
		run(preflightStatus, fmt.Sprint("Preflight answered with status ", status), local, either(status < 300, "OPTIONS GET 200"), nil,
			forcing(at(remote+"/preflight.py", "allow_headers=x-force-preflight", "preflight_status="+strconv.Itoa(status))))
	}

	run("cors-preflight-unterminated-body.any.js", "CORS preflight response with a body that never terminates does not stall the fetch", local,
		"OPTIONS GET 200", nil, get(at(remote+"/preflight-unterminated-body.py", "allow_headers=x-preflight-test"), "x-preflight-test", "1"))

	const redirectCredentials = "cors-redirect-credentials.any.js"
	for _, status := range statuses {
		for _, test := range []struct{ name, from, to string }{
			{"from same origin to remote", local, localPort}, {"from remote to same origin", localPort, local},
			{"from remote to same remote", localPort, localPort}, {"from remote to another remote", localPort, remote},
		} {
			for name, user := range map[string]string{"with user and password": "user:password", "with user": "user:", "with password": ":password"} {
				location := strings.Replace(test.to, "://", "://"+user+"@", 1) + "/preflight.py"
				run(redirectCredentials, fmt.Sprintf("Redirect %d %s %s", status, test.name, name), local, "GET blocked", nil,
					get(at(test.from+"/redirect.py", "redirect_status="+strconv.Itoa(status), "location="+location)))
			}
		}
		location := strings.Replace(localPort, "://", "://@", 1) + "/preflight.py"
		run(redirectCredentials, fmt.Sprintf("Redirect %d from same origin to remote without user and password", status), local, "GET GET 200", nil,
			get(at(local+"/redirect.py", "redirect_status="+strconv.Itoa(status), "location="+location)))
	}

	const redirectPreflight = "cors-redirect-preflight.any.js"
	for _, status := range statuses {
		for _, test := range []struct{ name, from, to, want, failure string }{
			{"same origin to cors", local, remote, "GET OPTIONS GET 200", "GET OPTIONS blocked"},
			{"cors to same origin", remote, local, "OPTIONS GET OPTIONS GET 200", "OPTIONS blocked"},
			{"cors to another cors", remote, localPort, "OPTIONS GET OPTIONS GET 200", "OPTIONS blocked"},
		} {
			name, code := fmt.Sprintf("Redirect %d: %s (preflight after redirection ", status, test.name), "redirect_status="+strconv.Itoa(status)
			run(redirectPreflight, name+"success case)", local, test.want, nil, get(at(test.from+"/redirect.py", code,
				"allow_headers=x-w3c", "location="+at(test.to+"/preflight.py", "allow_headers=x-w3c")), "x-w3c", "test"))
			run(redirectPreflight, name+"failure case)", local, test.failure, nil,
				get(at(test.from+"/redirect.py", code, "location="+test.to+"/preflight.py"), "x-w3c", "test"))
		}
	}

	const redirects = "cors-redirect.any.js"
	for _, status := range statuses {
		for _, test := range []struct{ name, from, to, origin string }{
			{"cors to same cors", remote, remote, local}, {"cors to another cors", remote, localPort, "null"},
			{"same origin to cors", local, remote, local}, {"cors to same origin", remote, local, "null"},
		} {
			run(redirects, fmt.Sprintf("Redirect %d: %s", status, test.name), local, "GET GET 200, "+test.origin, sent("Origin"),
				get(at(test.from+"/redirect.py", "redirect_status="+strconv.Itoa(status), "location="+test.to+"/preflight.py")))
		}
	}

	for _, file := range []string{"data-url-iframe.html", "data-url-worker.html", "data-url-shared-worker.html", "sandboxed-iframe.html"} {
		run(file, `fetching "top.txt" without ACAO should be rejected.`, "null", "GET blocked", nil, get(at(local+"/top.txt")))
		run(file, `fetching "top.txt" with CORS allowing null origin should be allowed.`, "null", "GET 200", nil,
			get(at(local+"/top.txt", "header=Access-Control-Allow-Origin: null")))
	}
}

// summary returns the methods that were sent, and the status that the script
// reads.
func summary(r *corstest.Result) string {
	var words []string
	for _, ex := range r.Via {
		words = append(words, ex.Request.Method)
	}
	for _, ex := range []*corstest.Exchange{r.Preflight, r.Actual} {
		if ex != nil {
			words = append(words, ex.Request.Method)
		}
	}
	if r.Blocked != "" {
		return strings.Join(append(words, "blocked"), " ")
	}
	return strings.Join(append(words, strconv.Itoa(r.Status)), " ")
}

// respondAsRequested responds as the servers of web-platform-tests do. The query of
// the URL determines the response.
func respondAsRequested(w http.ResponseWriter, r *http.Request) {
	h, q := w.Header(), r.URL.Query()
	for _, line := range q["header"] {
		name, value, _ := strings.Cut(line, ": ")
		h[name] = append(h[name], value)
	}
	if r.URL.Path == "/top.txt" {
		io.WriteString(w, "top")
		return
	}

	switch {
	case r.URL.Path == "/redirect.py" && r.Header["Origin"] != nil:
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
	case q.Has("origin"):
		h["Access-Control-Allow-Origin"] = strings.Split(q.Get("origin"), ", ")
	default:
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if q.Has("credentials") {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method == http.MethodOptions {
		for param, name := range map[string]string{"max_age": "Max-Age", "allow_headers": "Allow-Headers", "allow_methods": "Allow-Methods"} {
			if q.Has(param) {
				h.Set("Access-Control-"+name, q.Get(param))
			}
		}
		if !q.Has("redirect_preflight") {
			status, err := strconv.Atoi(q.Get("preflight_status"))
			if err != nil {
				status = http.StatusOK
			}
			w.WriteHeader(status)
			if r.URL.Path == "/preflight-unterminated-body.py" {
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}
			return
		}
	}
	if status, err := strconv.Atoi(q.Get("redirect_status")); err == nil {
		h.Set("Location", q.Get("location"))
		w.WriteHeader(status)
	}
}
