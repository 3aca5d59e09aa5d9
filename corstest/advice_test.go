package corstest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// wrap returns the middleware of p around next.
func wrap(t *testing.T, p cors.Policy, next http.Handler) http.Handler {
	t.Helper()
	c, err := cors.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c.Handler(next)
}

// respond returns a handler that answers OPTIONS and everything else with
// status, if it is not zero, and headers: lines of a name and a value.
func respond(status int, lines ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, "text")
	})
}

func TestAdvice(t *testing.T) {
	policy := cors.Policy{AllowedOrigins: []string{page}, AllowedMethods: []string{"PUT", "PATCH"}}
	ok := respond(200)
	inner := wrap(t, policy, ok)
	put := corstest.Request{Method: "PUT"}
	with := func(r corstest.Request) corstest.Request {
		r.Credentials = corstest.Include
		return r
	}
	header := func(name string) corstest.Request {
		return corstest.Request{Header: http.Header{name: {"1"}}}
	}
	const (
		allow       = "Access-Control-Allow-Origin: " + page
		any         = "Access-Control-Allow-Origin: *"
		credentials = "Access-Control-Allow-Credentials: true"
		methods     = "Access-Control-Allow-Methods: "
		headers     = "Access-Control-Allow-Headers: "

		guard    = "Authentication or another guard stands in front of the CORS middleware, and preflights carry no credentials. Let the CORS middleware wrap it, so that it answers preflights first."
		router   = "The router answers OPTIONS itself, because no route matches that method, and the CORS middleware is not reached. Wrap the whole router with the CORS middleware, or mount it on a pattern without a method."
		another  = "Something other than the CORS middleware answers OPTIONS: a router's own handler, a proxy, a static file server. Let the CORS middleware wrap it, or have it pass preflights on."
		failing  = "The server fails on OPTIONS, or a proxy cannot reach it. Look into its log; the CORS middleware belongs outside whatever fails."
		doubled  = "Two layers set CORS headers, and browsers accept neither of two values. Leave them to one: behind a proxy of Go, call cors.StripHeaders in ModifyResponse; remove other middleware or code that sets Access-Control-Allow-Origin."
		wildcard = "With credentials, browsers do not accept *. List the page's origin in AllowedOrigins and set AllowCredentials; or make the request without credentials."
		rejected = "The policy of package cors does not allow the page's origin. Add https://page.example to AllowedOrigins."
		denied   = "The request is made with credentials. Set AllowCredentials (Access-Control-Allow-Credentials: true, in lower case), or make the request without."
		tainted  = "After a redirect from one foreign origin to another, browsers send Origin: null. Have the page ask for the last URL directly."
		lost     = "The response did not come through a CORS middleware that allows the page's origin, or lost its headers on the way. Wrap the handler of this URL too; look for a proxy or cache that removes headers, and for an informational (1xx) response from behind a ReverseProxy, which clears them: keepHeaders in docs/integration.md keeps them."
		forgery  = "http.CrossOriginProtection does not trust the page's origin. Leave it out, as a policy that lists origins rejects what it rejects; or give both the same origins."
		varies   = "A CORS middleware seems to have answered, and does not allow the page's origin. Add https://page.example to AllowedOrigins. If it is there, look for what loses headers on the way."
		one      = "Access-Control-Allow-Origin names one origin; browsers know no lists or patterns there. Answer with the page's origin alone, if it is allowed, and Vary: Origin. A CORS middleware does that."
		own      = "The page is of the server's own origin, but package cors cannot tell: a proxy rewrites Host, and Sec-Fetch-Site, which browsers send over HTTPS, is missing. Have the proxy pass on both, or add https://page.example to AllowedOrigins."
		goesOn   = "CORS headers are there, but OPTIONS goes on to what answers %d, and a preflight must get a status from 200 to 299. Let the CORS middleware answer preflights itself."
		list     = "Methods and header names are tokens with commas between them. Look for a space, a quotation mark or a semicolon in the list."
	)
	mux := http.NewServeMux()
	mux.Handle("PUT /{$}", inner)
	redirecting := http.NewServeMux()
	redirecting.Handle("/dir/", inner)
	elsewhere := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "other.example" {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Access-Control-Allow-Origin", "*")
			http.Redirect(w, r, "https://other.example/", http.StatusFound)
		})
	}
	guarded := func(status int, lines ...string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Cookie") == "" {
				respond(status, lines...).ServeHTTP(w, r)
				return
			}
			inner.ServeHTTP(w, r)
		})
	}
	withoutOrigin := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Origin")
		inner.ServeHTTP(w, r)
	})
	hiding := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "internal"
		r.Header.Del("Sec-Fetch-Site")
		wrap(t, cors.Policy{}, ok).ServeHTTP(w, r)
	})
	hidingForgery := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "internal"
		r.Header.Del("Sec-Fetch-Site")
		http.NewCrossOriginProtection().Handler(ok).ServeHTTP(w, r)
	})
	denied403 := wrap(t, cors.Policy{DenyHandler: respond(403)}, ok)
	// rejecting is the policy's rejection, to which somebody adds CORS headers.
	rejecting := func(w http.ResponseWriter) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "cross-origin request rejected: the CORS policy does not allow its origin\n")
	}
	upstream := respond(200, any)
	proxied := wrap(t, policy, &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "upstream.example"}) },
		Transport: direct{upstream},
	})

	tests := []struct {
		name    string
		handler http.Handler
		request corstest.Request
		path    string
		want    string
	}{
		{name: "all is well", handler: inner, request: put},
		{name: "the policy lacks the origin, preflight", handler: wrap(t, cors.Policy{}, ok), request: put, want: rejected},
		{name: "the policy lacks the origin", handler: wrap(t, cors.Policy{}, ok), want: rejected},
		{name: "the policy lacks the origin, and has a handler of its own, preflight", handler: denied403, request: put, want: varies},
		{name: "the policy lacks the origin, and has a handler of its own", handler: denied403, want: varies},
		{name: "the policy lacks null, after a redirect", handler: elsewhere(inner), want: tainted},
		{name: "a proxy removes Origin", handler: withoutOrigin, request: corstest.Request{Method: "POST"}, want: "The request had an Origin header, but it did not reach package cors. Look for a proxy or middleware in front that removes it."},
		{
			name: "a router redirects the preflight", handler: redirecting, request: put, path: "/dir",
			want: `Something redirects the preflight to "/dir/", and browsers follow no redirect of a preflight. Ask for the final URL (scheme, host, trailing slash), or let a CORS middleware that answers preflights itself wrap what redirects.`,
		},
		{
			name: "a redirect of the preflight to several places", handler: respond(300, "Location: /a"), request: put,
			want: `Something redirects the preflight to "/a", and browsers follow no redirect of a preflight. Ask for the final URL (scheme, host, trailing slash), or let a CORS middleware that answers preflights itself wrap what redirects.`,
		},
		{name: "authentication", handler: guarded(401, "WWW-Authenticate: Basic"), request: with(put), want: guard},
		{name: "authentication without a challenge", handler: guarded(401), request: put, want: guard},
		{name: "authentication with CORS headers", handler: guarded(401, allow), request: put, want: fmt.Sprintf(goesOn, 401)},
		{name: "a proxy's authentication", handler: guarded(407), request: put, want: guard},
		{name: "a guard that says 403", handler: guarded(403), request: put, want: guard},
		{name: "a challenge with 403 and CORS headers", handler: guarded(403, allow, "WWW-Authenticate: Basic"), request: put, want: fmt.Sprintf(goesOn, 403)},
		{name: "403 from behind the CORS headers", handler: guarded(403, allow), request: put, want: fmt.Sprintf(goesOn, 403)},
		{name: "a guard whose answer varies with cookies", handler: guarded(403, "Vary: Cookie"), request: put, want: guard},
		{name: "too many requests", handler: guarded(429), request: put, want: "Something around the CORS middleware answers the preflight with 429. Let the CORS middleware wrap it: a preflight must get a status from 200 to 299."},
		{name: "a router without OPTIONS", handler: mux, request: put, want: router},
		{name: "a router without the path", handler: mux, request: put, path: "/nowhere", want: router},
		{name: "a router's 405 with CORS headers", handler: respond(405, allow), request: put, want: fmt.Sprintf(goesOn, 405)},
		{name: "a server that fails", handler: respond(500), request: put, want: failing},
		{name: "a proxy without an upstream", handler: respond(502, allow), request: put, want: fmt.Sprintf(goesOn, 502)},
		{name: "a proxy without an upstream, outside", handler: respond(502), request: put, want: failing},
		{name: "a middleware that redirects the preflight itself", handler: respond(302, allow, "Location: /a"), request: put, want: `Something redirects the preflight to "/a", and browsers follow no redirect of a preflight. Ask for the final URL (scheme, host, trailing slash), or let a CORS middleware that answers preflights itself wrap what redirects.`},
		{name: "another CORS middleware, which does not list the page", handler: respond(204, "Vary: Accept, origin"), request: put, want: varies},
		{name: "the same, and its router, without the path", handler: respond(404, "Vary: Origin"), request: put, want: varies},
		{name: "the same, without a preflight", handler: respond(404, "Vary: Origin"), want: varies},
		{name: "the same, and authentication inside", handler: respond(401, "Vary: Origin", "WWW-Authenticate: Basic"), want: varies},
		{name: "authentication whose answer varies with the origin", handler: guarded(401, "WWW-Authenticate: Basic", "Vary: Origin"), request: put, want: guard},
		{name: "a challenge with 403 whose answer varies with the origin", handler: guarded(403, "WWW-Authenticate: Basic", "Vary: Origin"), request: put, want: guard},
		{name: "no CORS at all, after a redirect", handler: elsewhere(ok), want: lost},
		{name: "another CORS middleware, after a redirect", handler: elsewhere(respond(200, "Vary: Origin")), want: tainted},
		{name: "a guard that allows any origin, with credentials", handler: respond(401, "Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true", "Vary: Origin"), request: with(put), want: wildcard},
		{name: "a router that allows any origin, with credentials", handler: respond(405, any), request: with(put), want: wildcard},
		{name: "a failure with any origin, with credentials", handler: respond(500, any), request: with(put), want: wildcard},
		{name: "something else answers", handler: ok, request: put, want: another},
		{name: "something else answers with 204", handler: respond(204), request: put, want: another},
		{name: "a proxy's upstream sets headers too", handler: proxied, want: doubled},
		{name: "one line of two values", handler: respond(200, "Access-Control-Allow-Origin: *, *"), want: doubled},
		{name: "one line of two values, one of which is any", handler: respond(200, "Access-Control-Allow-Origin: https://page.example, *"), want: doubled},
		{name: "two lines of two origins", handler: respond(200, allow, "Access-Control-Allow-Origin: https://other.example"), want: doubled},
		{name: "two origins in one line", handler: respond(200, "Access-Control-Allow-Origin: https://page.example, https://other.example"), want: one},
		{name: "two origins with nothing but a comma between them", handler: respond(200, "Access-Control-Allow-Origin: https://page.example,https://other.example"), want: one},
		{name: "two origins with a space between them", handler: respond(200, "Access-Control-Allow-Origin: https://page.example https://other.example"), want: one},
		{name: "a pattern of origins", handler: respond(200, "Access-Control-Allow-Origin: https://*.example"), want: one},
		{name: "credentials twice", handler: respond(200, allow, credentials, credentials), request: with(corstest.Request{}), want: doubled},
		{name: "any origin, with credentials", handler: respond(200, any, credentials), request: with(put), want: wildcard},
		{name: "no credentials", handler: inner, request: with(put), want: denied},
		{name: "credentials in upper case", handler: respond(200, allow, "Access-Control-Allow-Credentials: TRUE"), request: with(corstest.Request{}), want: denied},
		{name: "no credentials, without a preflight", handler: inner, request: with(corstest.Request{}), want: denied},
		{name: "another origin after a redirect", handler: elsewhere(respond(200, allow)), want: tainted},
		{
			name: "another origin", handler: respond(200, "Access-Control-Allow-Origin: https://other.example"),
			want: "The server must answer with the page's origin as the browser sends it, byte for byte. Add https://page.example to AllowedOrigins. If it is there, a cache may keep the response made for another origin: send Vary: Origin.",
		},
		{name: "patch in lower case", handler: inner, request: corstest.Request{Method: "patch"}, want: "Methods are case-sensitive, and browsers leave patch as the script wrote it. Have the script write PATCH."},
		{name: "purge in lower case, which is not listed in any", handler: inner, request: corstest.Request{Method: "purge"}, want: "Add purge to AllowedMethods."},
		{
			name: "patch in lower case, where it is not listed", handler: respond(200, allow), request: corstest.Request{Method: "patch"},
			want: "Add PATCH to AllowedMethods, and have the script write PATCH: methods are case-sensitive, and browsers leave patch as it is.",
		},
		{
			name: "patch in lower case under any method, with credentials", handler: respond(200, allow, credentials, methods+"*"), request: with(corstest.Request{Method: "patch"}),
			want: "Add PATCH to AllowedMethods, and have the script write PATCH: methods are case-sensitive, and browsers leave patch as it is.",
		},
		{name: "a method that is none of a policy's", handler: respond(200, allow), request: corstest.Request{Method: "p*t"}, want: "No policy allows a method p*t. Have the script use another."},
		{
			name: "a response header that the script sets", handler: respond(200, allow, credentials, headers+"*"), request: with(header("Access-Control-Allow-Origin")),
			want: "No policy allows a request header Access-Control-Allow-Origin. Have the script leave it out: CORS headers, for example, are the server's to send.",
		},
		{name: "a method that is not listed", handler: inner, request: corstest.Request{Method: "DELETE"}, want: "Add DELETE to AllowedMethods."},
		{name: "any method, with credentials", handler: respond(200, allow, credentials, methods+"*"), request: with(put), want: "With credentials, browsers take * for a method of that name. Add PUT to AllowedMethods."},
		{name: "a header that is not listed", handler: inner, request: header("x-id"), want: "Add X-Id to AllowedHeaders."},
		{name: "a content type", handler: inner, request: corstest.Request{Method: "POST", Body: "{}", Header: http.Header{"Content-Type": {"application/json"}}}, want: "Add Content-Type to AllowedHeaders."},
		{name: "Authorization that is not listed", handler: inner, request: header("Authorization"), want: "Add Authorization to AllowedHeaders."},
		{name: "any header, with credentials", handler: respond(200, allow, credentials, headers+"*"), request: with(header("X-Id")), want: "With credentials, browsers take * for a header of that name. Add X-Id to AllowedHeaders."},
		{
			name: "Authorization under *", handler: wrap(t, cors.Policy{AllowedOrigins: []string{page}, AllowedHeaders: []string{"*"}}, ok), request: header("Authorization"),
			want: "By the standard, * does not cover Authorization, though browsers still let it through, and most ask before every request. Add Authorization to AllowedHeaders beside *.",
		},
		{name: "a list of methods with spaces", handler: respond(200, allow, methods+"GET PUT"), request: put, want: list},
		{name: "a list of headers with quotation marks", handler: respond(200, allow, methods+"PUT", headers+`"X-Id"`), request: put, want: list},
		{
			name: "an error from outside", handler: respond(401),
			want: "The answer with status 401 was made outside the CORS middleware, so the script cannot even read what went wrong. Let the CORS middleware wrap what makes it: authentication, rate limits, time limits, recovery, the router.",
		},
		{
			name: "a redirect from outside", handler: redirecting, path: "/dir",
			want: "The redirect needs CORS headers as well. Let the CORS middleware wrap what redirects, or ask for the final URL.",
		},
		{name: "no CORS at all", handler: ok, want: lost},
		{name: "a header is hidden", handler: wrap(t, policy, respond(200, "X-Total: 1", "Link: </2>", "Server: a", "X-Powered-By: b")), want: "The script cannot read Link, X-Total. If it needs to, list that in ExposedHeaders."},
		{
			name: "all headers that scripts often want",
			handler: respond(200, any, "Content-Disposition: a", "Content-Range: a", "ETag: a", "Location: a", "Retry-After: a", "WWW-Authenticate: a", "X-Content-Type-Options: a",
				"X-DNS-Prefetch-Control: a", "X-Frame-Options: a", "X-XSS-Protection: a", "Date: a", "Set-Cookie: a"),
			want: "The script cannot read Content-Disposition, Content-Range, Etag, Location, Retry-After, Www-Authenticate. If it needs to, list that in ExposedHeaders.",
		},
		{name: "a header is exposed", handler: respond(200, allow, "X-Total: 1", "Access-Control-Expose-Headers: x-total")},
		{
			name: "a failure outside", handler: respond(500),
			want: "The answer with status 500 was made outside the CORS middleware, so the script cannot even read what went wrong. Let the CORS middleware wrap what makes it: authentication, rate limits, time limits, recovery, the router.",
		},
		{
			name: "a router outside", handler: respond(404),
			want: "The answer with status 404 was made outside the CORS middleware, so the script cannot even read what went wrong. Let the CORS middleware wrap what makes it: authentication, rate limits, time limits, recovery, the router.",
		},
		{
			name: "a bad request outside", handler: respond(400),
			want: "The answer with status 400 was made outside the CORS middleware, so the script cannot even read what went wrong. Let the CORS middleware wrap what makes it: authentication, rate limits, time limits, recovery, the router.",
		},
		{name: "a rejection that the script reads", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { rejecting(w) }), want: rejected},
		{name: "a rejection that breaks off", handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			rejecting(w)
			w.(http.Flusher).Flush()
			panic("")
		})},
		{name: "protection against forgery inside, which trusts nobody", handler: wrap(t, policy, http.NewCrossOriginProtection().Handler(ok)), request: put, want: forgery},
		{name: "protection against forgery outside", handler: http.NewCrossOriginProtection().Handler(inner), request: put, want: forgery},
		{name: "a page of the server's own, behind a proxy that hides it", handler: hiding, request: corstest.Request{Method: "POST", URL: page}, want: own},
		{name: "the same, with protection against forgery", handler: hidingForgery, request: corstest.Request{Method: "POST", URL: page}, want: forgery},
		{name: "a 403 that the script reads", handler: respond(403, any)},
		{name: "the browser refuses", handler: ok, request: corstest.Request{Method: "TRACE"}},
		{name: "the browser refuses to follow", handler: respond(302, any, "Location: ftp://other.example/")},
		{name: "there is no answer", handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("") })},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := corstest.Browser{Handler: test.handler}
			if test.request.URL == "" {
				test.request.URL = api + test.path
			}
			got := b.Fetch(page, test.request)
			if got.Advice != test.want {
				t.Errorf("got  %q\nwant %q\n%s", got.Advice, test.want, got)
			}
			policyTakes(t, got.Advice)
		})
	}

	const originless = "Any page can have the origin %s: a file, or one in a sandbox. Give this page one of its own, over HTTP and without a sandbox, and list that in AllowedOrigins."
	for _, test := range []struct {
		page    string
		handler http.Handler
		want    string
	}{
		{"null", inner, fmt.Sprintf(originless, "null")}, // no redirect has made it that
		{"null", respond(204, "Vary: Origin"), fmt.Sprintf(originless, "null")},
		{"null", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { rejecting(w) }), fmt.Sprintf(originless, "null")},
		{"null", respond(429), ""},
		{"null", respond(204, allow), fmt.Sprintf(originless, "null")},
		{"file://", inner, fmt.Sprintf(originless, "file://")},
		{"https://a.example:8443", inner, "The policy of package cors does not allow the page's origin. Add https://a.example:8443 to AllowedOrigins."},
		{"app://.", inner, "The policy of package cors does not allow the page's origin. Add app://. to AllowedOrigins."},
	} {
		for _, r := range []corstest.Request{{URL: api}, {URL: api, Method: "PUT"}} {
			b := corstest.Browser{Handler: test.handler}
			got := b.Fetch(test.page, r).Advice
			if got != test.want && (test.want != "" || strings.Contains(got, "null")) {
				t.Errorf("%s, %s: got %q, want %q", test.page, r.Method, got, test.want)
			}
			policyTakes(t, got)
		}
	}
}

// policyTakes has a policy take what an advice says to add to it.
func policyTakes(t *testing.T, advice string) {
	t.Helper()
	m := regexp.MustCompile(`[Aa]dd (\S+) to (Allowed\w+)`).FindStringSubmatch(advice)
	if m == nil {
		return
	}
	list := []string{m[1]}
	if _, err := cors.New(map[string]cors.Policy{
		"AllowedOrigins": {AllowedOrigins: list},
		"AllowedMethods": {AllowedMethods: list},
		"AllowedHeaders": {AllowedHeaders: list},
	}[m[2]]); err != nil {
		t.Errorf("the advice is %q, but %v", advice, err)
	}
}

// direct is a transport that calls a handler.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	b := corstest.Browser{Handler: d.handler}
	return b.Fetch("http://upstream.example", corstest.Request{URL: r.URL.String()}).Actual.Response, nil
}
