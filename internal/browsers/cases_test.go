//go:build unix

package browsers

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// cases returns the cases of CORS requests. Every browser runs all of them. The
// model runs those that it can express.
func cases(o origins) []testCase {
	page := []string{o.page}
	only := cors.Policy{AllowedOrigins: page, MaxAge: time.Hour}
	none := cors.Policy{}
	anyOrigin := cors.Policy{AllowedOrigins: []string{"*"}}
	header := func(name, value string) map[string]string { return map[string]string{name: value} }
	headers := func(names ...string) cors.Policy {
		return cors.Policy{AllowedOrigins: page, AllowedHeaders: names, MaxAge: time.Hour}
	}
	methods := func(names ...string) cors.Policy {
		return cors.Policy{AllowedOrigins: page, AllowedMethods: names, MaxAge: time.Hour}
	}
	upload := step{Via: "xhr", Method: "POST", Body: "a", Upload: true}
	credentialed := cors.Policy{AllowedOrigins: []string{o.nearby}, AllowCredentials: true}
	// WebKit sends no Sec-Fetch-Site after a redirect to another server.
	siteless := map[Engine][]string{WebKit: {
		sender(page, []string{"cross-site"}),
		sender([]string{"null"}, nil),
	}}

	return []testCase{
		// Requests.
		{
			name:   "a request without Origin runs the handler",
			policy: none,
			reply:  file("text/javascript", "1"),
			steps:  []step{{Via: "script"}},
			server: "GET", script: "loaded",
		},
		{
			name:   "a request without Origin runs the handler if any origin is allowed",
			policy: anyOrigin,
			reply:  file("text/javascript", "1"),
			steps:  []step{{Via: "script"}},
			server: "GET", script: "loaded",
		},
		{
			name:   "the request follows a preflight from an allowed origin",
			policy: methods("PUT"),
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT, PUT", script: "200",
		},
		{
			name:   "no request follows a rejected preflight",
			policy: cors.Policy{AllowedOrigins: []string{o.sub}, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT rejected", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: No 'Access-Control-Allow-Origin' header is present on the requested resource.",
				WebKit:   "Preflight response is not successful. Status code: 403",
			},
		},
		{
			name:   "an actual request from an allowed origin runs the handler",
			policy: only,
			steps:  []step{{}},
			server: "GET", script: "200",
		},
		{
			name:   "an actual request runs the handler if any origin is allowed",
			policy: anyOrigin,
			steps:  []step{{}},
			server: "GET", script: "200",
		},
		{
			name:   "a GET from another origin does not run the handler",
			policy: none,
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.",
				WebKit:   "Origin {page} is not allowed by Access-Control-Allow-Origin. Status code: 403",
			},
		},
		{
			name:   "a simple POST from another origin does not run the handler",
			policy: none,
			steps:  []step{{Method: "POST", Body: "to=mallory", Headers: header("Content-Type", "application/x-www-form-urlencoded")}},
			server: "POST rejected", script: "blocked",
		},
		{
			name:   "a no-cors POST from another origin does not run the handler",
			policy: none,
			steps:  []step{{Method: "POST", Body: "to=mallory", Mode: "no-cors"}},
			server: "POST rejected", script: "opaque",
		},
		{
			name:   "a same-origin POST runs the handler",
			from:   o.api,
			policy: none,
			steps:  []step{{Method: "POST", Body: "a"}},
			server: "POST with cookie", script: "200",
		},
		{
			name:   "a same-origin GET without Origin runs the handler",
			from:   o.api,
			policy: none,
			steps:  []step{{}},
			server: "GET with cookie", script: "200",
		},
		{
			name:   "a same-origin PUT with custom headers needs no preflight",
			from:   o.api,
			policy: none,
			steps:  []step{{Method: "PUT", Body: "{}", Headers: map[string]string{"Content-Type": "application/json", "X-Id": "1"}}},
			server: "PUT with cookie", script: "200",
		},
		{
			name:   "a response with two allowed origins is not readable",
			policy: only,
			reply: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("Access-Control-Allow-Origin", "*")
			},
			steps:  []step{{}},
			server: "GET", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: The 'Access-Control-Allow-Origin' header contains multiple values '{page}, *', but only one is allowed.",
				WebKit:   "Access-Control-Allow-Origin cannot contain more than one origin.",
			},
		},
		{
			name:   "a response of DenyHandler is not readable",
			policy: cors.Policy{DenyHandler: http.NotFoundHandler()},
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "AllowOriginFunc allows an origin",
			policy: cors.Policy{AllowOriginFunc: func(_ *http.Request, origin string) bool { return origin == o.page }, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT, PUT", script: "200",
		},

		// Methods.
		{
			name:   "HEAD needs no preflight",
			policy: only,
			steps:  []step{{Method: "HEAD"}},
			server: "HEAD", script: "200",
		},
		{
			name:   "POST without a body needs no preflight",
			policy: only,
			steps:  []step{{Method: "POST"}},
			server: "POST", script: "200",
		},
		{
			name:   "post in lowercase is POST",
			policy: only,
			steps:  []step{{Method: "post"}},
			server: "POST", script: "200",
		},
		{
			name:   "put in lowercase is PUT",
			policy: methods("PUT"),
			steps:  []step{{Method: "put"}},
			server: "preflight PUT, PUT", script: "200",
		},
		{
			name:   "PUT stops at its preflight if it is not listed",
			policy: only,
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: Method PUT is not allowed by Access-Control-Allow-Methods in preflight response.",
				WebKit:   "Method PUT is not allowed by Access-Control-Allow-Methods.",
			},
		},
		{
			name:   "DELETE needs a preflight",
			policy: methods("PUT", "DELETE"),
			steps:  []step{{Method: "DELETE"}},
			server: "preflight DELETE, DELETE", script: "200",
		},
		{
			name:   "PATCH needs a preflight",
			policy: methods("PATCH"),
			steps:  []step{{Method: "PATCH"}},
			server: "preflight PATCH, PATCH", script: "200",
		},
		{
			name:   "patch in lowercase is not PATCH",
			policy: methods("PATCH"),
			steps:  []step{{Method: "patch"}},
			server: "preflight patch", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: Method patch is not allowed by Access-Control-Allow-Methods in preflight response.",
				WebKit:   "Method patch is not allowed by Access-Control-Allow-Methods.",
			},
		},
		{
			name:   "OPTIONS from a script needs a preflight",
			policy: methods("OPTIONS"),
			steps:  []step{{Method: "OPTIONS"}},
			server: "preflight OPTIONS, OPTIONS", script: "200",
		},
		{
			name:   "a custom method needs a preflight",
			policy: methods("PURGE"),
			steps:  []step{{Method: "PURGE"}},
			server: "preflight PURGE, PURGE", script: "200",
		},
		{
			name:   "methods are compared with case",
			policy: methods("Purge"),
			steps:  []step{{Method: "PURGE"}},
			server: "preflight PURGE", script: "blocked",
		},
		{
			name:   "* allows any method",
			policy: methods("*"),
			steps:  []step{{Method: "PURGE"}, {Method: "DELETE"}},
			server: "preflight PURGE, PURGE, DELETE", script: "200, 200",
			// Firefox does not use "*" from cached preflight responses.
			differs: map[Engine]outcome{Firefox: {"preflight PURGE, PURGE, preflight DELETE, DELETE", "200, 200"}},
		},
		{
			name:   "TRACE is not sent",
			policy: methods("*"),
			steps:  []step{{Method: "TRACE"}},
			server: "", script: "blocked",
		},
		{
			name:   "a POST with an upload listener needs a preflight",
			policy: only,
			steps:  []step{upload},
			server: "preflight POST, POST", script: "200",
		},
		{
			name:   "two uploads share a preflight if no method is listed",
			policy: only,
			steps:  []step{upload, upload},
			server: "preflight POST, POST, POST", script: "200, 200",
		},
		{
			name:   "each upload has a preflight if only other methods are listed",
			policy: methods("PUT"),
			steps:  []step{upload, upload},
			server: "preflight POST, POST, preflight POST, POST", script: "200, 200",
			// All three engines treat a safelisted method as listed.
			differs: map[Engine]outcome{
				Chromium: {"preflight POST, POST, POST", "200, 200"},
				Firefox:  {"preflight POST, POST, POST", "200, 200"},
				WebKit:   {"preflight POST, POST, POST", "200, 200"},
			},
		},
		{
			name:   "two uploads share a preflight if POST is listed",
			policy: methods("PUT", "POST"),
			steps:  []step{upload, upload},
			server: "preflight POST, POST, POST", script: "200, 200",
		},
		{
			name:   "a PUT with an upload listener is allowed if no method is listed",
			policy: only,
			steps:  []step{{Via: "xhr", Method: "PUT", Body: "a", Upload: true}},
			server: "preflight PUT, PUT", script: "200",
			// All three engines require PUT to be listed.
			differs: map[Engine]outcome{
				Chromium: {"preflight PUT", "blocked"},
				Firefox:  {"preflight PUT", "blocked"},
				WebKit:   {"preflight PUT", "blocked"},
			},
		},
		{
			name:   "an XMLHttpRequest without a listener needs no preflight",
			policy: only,
			steps:  []step{{Via: "xhr", Method: "POST", Body: "a"}},
			server: "POST", script: "200",
		},
		{
			name:   "a stream as body needs a preflight",
			policy: only,
			steps:  []step{{At: o.secure, Method: "POST", Body: "abc", Stream: true}},
			server: "preflight POST, POST", script: "200",
			differs: map[Engine]outcome{
				Firefox: {"", "blocked"}, // Firefox does not trust the certificate of the test server
				WebKit:  {"", "blocked"}, // WebKit does not support streams as bodies
			},
		},
		{
			name:   "a stream as body is not sent over HTTP/1.1",
			policy: only,
			steps:  []step{{Method: "POST", Body: "abc", Stream: true}},
			server: "preflight POST", script: "blocked",
			differs: map[Engine]outcome{
				Firefox: {"POST", "200"}, // Firefox does not support streams as bodies, and sends "[object ReadableStream]"
				WebKit:  {"", "blocked"}, // WebKit does not support streams as bodies
			},
			noModel: true,
		},

		// Request headers.
		{
			name:   "Accept is safelisted",
			policy: only,
			steps:  []step{{Headers: header("Accept", "application/json, text/*;q=0.5")}},
			server: "GET", script: "200",
		},
		{
			name:   "Accept with a parenthesis is not safelisted",
			policy: headers("Accept"),
			steps:  []step{{Headers: header("Accept", "text/html(x)")}},
			server: "preflight GET accept, GET", script: "200",
		},
		{
			name:   "Accept of 128 bytes is safelisted",
			policy: only,
			steps:  []step{{Headers: header("Accept", strings.Repeat("a", 128))}},
			server: "GET", script: "200",
		},
		{
			name:   "Accept of 129 bytes is not safelisted",
			policy: only,
			steps:  []step{{Headers: header("Accept", strings.Repeat("a", 129))}},
			server: "preflight GET accept", script: "blocked",
		},
		{
			name:   "Accept-Language is safelisted",
			policy: only,
			steps:  []step{{Headers: header("Accept-Language", "de-CH, en;q=0.5")}},
			server: "GET", script: "200",
		},
		{
			name:   "Accept-Language with an underscore is not safelisted",
			policy: headers("Accept-Language"),
			steps:  []step{{Headers: header("Accept-Language", "de_CH")}},
			server: "preflight GET accept-language, GET", script: "200",
		},
		{
			name:   "Content-Language is safelisted",
			policy: only,
			steps:  []step{{Method: "POST", Body: "a", Headers: header("Content-Language", "de")}},
			server: "POST", script: "200",
		},
		{
			name:   "Content-Language with an exclamation mark is not safelisted",
			policy: only,
			steps:  []step{{Headers: header("Content-Language", "de!")}},
			server: "preflight GET content-language", script: "blocked",
		},
		{
			name:   "Range with a start and an end is safelisted",
			policy: only,
			steps:  []step{{Headers: header("Range", "bytes=0-1")}},
			server: "GET", script: "200",
		},
		{
			name:   "Range without an end is safelisted",
			policy: only,
			steps:  []step{{Headers: header("Range", "bytes=1-")}},
			server: "GET", script: "200",
		},
		{
			name:   "Range without a start is not safelisted",
			policy: only,
			steps:  []step{{Headers: header("Range", "bytes=-1")}},
			server: "preflight GET range", script: "blocked",
		},
		{
			name:   "Content-Type text/plain is safelisted",
			policy: only,
			steps:  []step{{Method: "POST", Body: "a", Headers: header("Content-Type", "text/plain;charset=utf-8")}},
			server: "POST", script: "200",
		},
		{
			name:   "Content-Type of forms is safelisted",
			policy: only,
			steps:  []step{{Method: "POST", Body: "a=b", Headers: header("Content-Type", "application/x-www-form-urlencoded")}},
			server: "POST", script: "200",
		},
		{
			name:   "Content-Type of multipart forms is safelisted",
			policy: only,
			steps:  []step{{Method: "POST", Body: "--x--", Headers: header("Content-Type", "multipart/form-data; boundary=x")}},
			server: "POST", script: "200",
		},
		{
			name:   "Content-Type in uppercase is safelisted",
			policy: only,
			steps:  []step{{Method: "POST", Body: "a", Headers: header("Content-Type", "TEXT/PLAIN")}},
			server: "POST", script: "200",
		},
		{
			name:   "Content-Type application/json is not safelisted",
			policy: headers("Content-Type"),
			steps:  []step{{Method: "POST", Body: "{}", Headers: header("Content-Type", "application/json")}},
			server: "preflight POST content-type, POST", script: "200",
		},
		{
			name:   "Content-Type application/json stops at its preflight if Content-Type is not listed",
			policy: only,
			steps:  []step{{Method: "POST", Body: "{}", Headers: header("Content-Type", "application/json")}},
			server: "preflight POST content-type", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: Request header field content-type is not allowed by Access-Control-Allow-Headers in preflight response.",
				WebKit:   "Request header field Content-Type is not allowed by Access-Control-Allow-Headers.",
			},
		},
		{
			name:   "Content-Type text/plain with a quoted parameter is not safelisted",
			policy: only,
			steps:  []step{{Method: "POST", Body: "a", Headers: header("Content-Type", `text/plain; charset="utf-8"`)}},
			server: "preflight POST content-type", script: "blocked",
		},
		{
			name:   "Content-Type of more than 128 bytes is not safelisted",
			policy: only,
			steps:  []step{{Method: "POST", Body: "a", Headers: header("Content-Type", "text/plain; a="+strings.Repeat("a", 120))}},
			server: "preflight POST content-type", script: "blocked",
		},
		{
			name:   "a custom header needs a preflight",
			policy: headers("X-Id"),
			steps:  []step{{Headers: header("X-Id", "1")}},
			server: "preflight GET x-id, GET", script: "200",
		},
		{
			name:   "a custom header stops at its preflight if it is not listed",
			policy: headers("X-Id"),
			steps:  []step{{Headers: header("X-Nope", "1")}},
			server: "preflight GET x-nope", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: Request header field x-nope is not allowed by Access-Control-Allow-Headers in preflight response.",
				WebKit:   "Request header field X-Nope is not allowed by Access-Control-Allow-Headers.",
			},
		},
		{
			name:   "names of headers are compared without case",
			policy: headers("x-ID"),
			steps:  []step{{Headers: header("X-iD", "1")}},
			server: "preflight GET x-id, GET", script: "200",
		},
		{
			name:   "a preflight names the headers in lowercase and sorted",
			policy: headers("X-B", "Authorization", "X-A", "X-C"),
			steps:  []step{{Headers: map[string]string{"X-C": "1", "x-b": "1", "X-A": "1", "Authorization": "1", "Accept": "a"}}},
			server: "preflight GET authorization x-a x-b x-c, GET", script: "200",
		},
		{
			name:   "* allows any header",
			policy: headers("*"),
			steps:  []step{{Headers: header("X-Id", "1")}, {Headers: header("X-Other", "1")}},
			server: "preflight GET x-id, GET, GET", script: "200, 200",
			differs: map[Engine]outcome{Firefox: {"preflight GET x-id, GET, preflight GET x-other, GET", "200, 200"}},
		},
		{
			name:   "* does not allow Authorization",
			policy: headers("*"),
			steps:  []step{{Headers: header("Authorization", "Bearer a")}},
			server: "preflight GET authorization", script: "blocked",
			// All three engines still allow it.
			differs: map[Engine]outcome{
				Chromium: {"preflight GET authorization, GET", "200"},
				Firefox:  {"preflight GET authorization, GET", "200"},
				WebKit:   {"preflight GET authorization, GET", "200"},
			},
		},
		{
			name:   "* does not cache Authorization",
			policy: headers("*"),
			steps:  []step{{Headers: header("Authorization", "Bearer a")}, {Headers: header("Authorization", "Bearer b")}},
			server: "preflight GET authorization, preflight GET authorization", script: "blocked, blocked",
			differs: map[Engine]outcome{
				Chromium: {"preflight GET authorization, GET, preflight GET authorization, GET", "200, 200"},
				Firefox:  {"preflight GET authorization, GET, preflight GET authorization, GET", "200, 200"},
				WebKit:   {"preflight GET authorization, GET, GET", "200, 200"},
			},
		},
		{
			name:   "* and Authorization allow both",
			policy: headers("*", "Authorization"),
			steps:  []step{{Headers: map[string]string{"Authorization": "Bearer a", "X-Id": "1"}}, {Headers: header("Authorization", "Bearer b")}},
			server: "preflight GET authorization x-id, GET, GET", script: "200, 200",
		},
		{
			name:   "Cookie set by a script is dropped",
			policy: only,
			steps:  []step{{Headers: header("Cookie", "user=mallory")}},
			server: "GET", script: "200",
		},
		{
			name:   "Sec-Fetch-Site set by a script is dropped",
			policy: only,
			steps:  []step{{Headers: header("Sec-Fetch-Site", "same-origin")}},
			server: "GET", script: "200",
		},

		// Response headers.
		{
			name:   "response headers are hidden if they are not listed",
			policy: only,
			reply:  reply("X-Id", "1", "ETag", `"1"`),
			reads:  []string{"Content-Type", "ETag", "X-Id"},
			steps:  []step{{}},
			server: "GET", script: "200 content-type",
		},
		{
			name:   "listed response headers are exposed",
			policy: cors.Policy{AllowedOrigins: page, ExposedHeaders: []string{"etag", "X-Count"}},
			reply:  reply("X-Id", "1", "ETag", `"1"`, "X-Count", "7"),
			reads:  []string{"X-Id", "ETag", "X-Count"},
			steps:  []step{{}},
			server: "GET", script: "200 etag x-count",
		},
		{
			name:   "* exposes all response headers",
			policy: cors.Policy{AllowedOrigins: page, ExposedHeaders: []string{"*"}},
			reply:  reply("X-Id", "1", "Authorization", "a"),
			reads:  []string{"Authorization", "X-Id"},
			steps:  []step{{}},
			server: "GET", script: "200 authorization x-id",
		},
		{
			name:   "XMLHttpRequest reads the exposed headers",
			policy: cors.Policy{AllowedOrigins: page, ExposedHeaders: []string{"X-Count"}},
			reply:  reply("X-Id", "1", "X-Count", "7"),
			reads:  []string{"X-Id", "X-Count"},
			steps:  []step{{Via: "xhr"}},
			server: "GET", script: "200 x-count",
		},
		{
			name:   "safelisted response headers are always exposed",
			policy: only,
			reply:  reply("Cache-Control", "no-store", "Content-Language", "de", "Expires", "0", "Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT", "Pragma", "no-cache"),
			reads:  []string{"Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma"},
			steps:  []step{{}},
			server: "GET", script: "200 cache-control content-language content-length content-type expires last-modified pragma",
		},
		{
			name:   "Set-Cookie is never exposed",
			policy: cors.Policy{AllowedOrigins: page, ExposedHeaders: []string{"*"}},
			reply:  reply("Set-Cookie", "a=b"),
			reads:  []string{"Set-Cookie"},
			steps:  []step{{}},
			server: "GET", script: "200",
		},
		{
			name:   "a same-origin script reads all headers",
			from:   o.api,
			policy: none,
			reply:  reply("X-Id", "1"),
			reads:  []string{"X-Id", "Vary", "Access-Control-Allow-Origin"},
			steps:  []step{{}},
			server: "GET with cookie", script: "200 x-id vary",
		},
		{
			name:   "the script sees an error status",
			policy: only,
			reply:  status(http.StatusTeapot),
			steps:  []step{{}},
			server: "GET", script: "418",
		},

		// Credentials. The page and the API are on one host, so they share a cookie
		// even if the browser blocks third-party cookies.
		{
			name:   "no cookie is sent without credentials",
			from:   o.nearby,
			policy: credentialed,
			steps:  []step{{}},
			server: "GET", script: "200",
		},
		{
			name:   "a response with a cookie is readable if the policy allows credentials",
			from:   o.nearby,
			policy: credentialed,
			steps:  []step{{Credentials: corstest.Include}},
			server: "GET with cookie", script: "200",
		},
		{
			name:   "a response with a cookie is hidden if the policy does not allow credentials",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}},
			steps:  []step{{Credentials: corstest.Include}},
			server: "GET with cookie", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' when the request's credentials mode is 'include'.",
				WebKit:   "Credentials flag is true, but Access-Control-Allow-Credentials is not \"true\".",
			},
		},
		{
			name:   "browsers refuse * with credentials",
			from:   o.nearby,
			policy: anyOrigin,
			steps:  []step{{Credentials: corstest.Include}},
			server: "GET with cookie", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: The value of the 'Access-Control-Allow-Origin' header in the response must not be the wildcard '*' when the request's credentials mode is 'include'.",
				WebKit:   "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.",
			},
		},
		{
			name:   "the request has a cookie and its preflight has none",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowCredentials: true, MaxAge: time.Hour, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT", Credentials: corstest.Include}},
			server: "preflight PUT, PUT with cookie", script: "200",
		},
		{
			name:   "a request with credentials stops at its preflight if the policy does not allow credentials",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT", Credentials: corstest.Include}},
			server: "preflight PUT", script: "blocked",
			console: map[Engine]string{
				Chromium: "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: Response to preflight request doesn't pass access control check: The value of the 'Access-Control-Allow-Credentials' header in the response is '' which must be 'true' when the request's credentials mode is 'include'.",
				WebKit:   "Credentials flag is true, but Access-Control-Allow-Credentials is not \"true\".",
			},
		},
		{
			name:   "* allows any method with credentials",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowCredentials: true, MaxAge: time.Hour, AllowedMethods: []string{"*"}},
			steps:  []step{{Method: "PURGE", Credentials: corstest.Include}, {Method: "DELETE", Credentials: corstest.Include}},
			server: "preflight PURGE, PURGE with cookie, preflight DELETE, DELETE with cookie", script: "200, 200",
		},
		{
			name:   "* and a listed method allow both with credentials",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowCredentials: true, MaxAge: time.Hour, AllowedMethods: []string{"PUT", "*"}},
			steps:  []step{{Method: "PURGE", Credentials: corstest.Include}, {Method: "PUT", Credentials: corstest.Include}},
			server: "preflight PURGE, PURGE with cookie, PUT with cookie", script: "200, 200",
		},
		{
			name:   "* allows any header with credentials",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowCredentials: true, MaxAge: time.Hour, AllowedHeaders: []string{"*"}},
			steps:  []step{{Headers: map[string]string{"Authorization": "a", "X-Id": "1"}, Credentials: corstest.Include}, {Headers: map[string]string{"X-Other": "1"}, Credentials: corstest.Include}},
			server: "preflight GET authorization x-id, GET with cookie, preflight GET x-other, GET with cookie", script: "200, 200",
		},
		{
			name:   "* and a listed header allow both with credentials",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowCredentials: true, MaxAge: time.Hour, AllowedHeaders: []string{"X-Other", "*"}},
			steps:  []step{{Headers: map[string]string{"X-Id": "1"}, Credentials: corstest.Include}, {Headers: map[string]string{"X-Other": "1"}, Credentials: corstest.Include}},
			server: "preflight GET x-id, GET with cookie, GET with cookie", script: "200, 200",
		},
		{
			name:   "an XMLHttpRequest with credentials sends a cookie",
			from:   o.nearby,
			policy: credentialed,
			steps:  []step{{Via: "xhr", Credentials: corstest.Include}},
			server: "GET with cookie", script: "200",
		},
		{
			name:   "a rejected request with a cookie does not run the handler",
			from:   o.nearby,
			policy: none,
			steps:  []step{{Method: "POST", Body: "a", Credentials: corstest.Include}},
			server: "POST with cookie rejected", script: "blocked",
		},
		{
			name:   "listed response headers are exposed with credentials",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowCredentials: true, ExposedHeaders: []string{"X-Id"}},
			reply:  reply("X-Id", "1", "X-Other", "1"),
			reads:  []string{"X-Id", "X-Other"},
			steps:  []step{{Credentials: corstest.Include}},
			server: "GET with cookie", script: "200 x-id",
		},
		{
			name:   "a request with credentials has its own preflight",
			policy: cors.Policy{AllowedOrigins: page, AllowCredentials: true, AllowedMethods: []string{"PUT"}, MaxAge: time.Hour},
			steps:  []step{{Method: "PUT"}, {Method: "PUT", Credentials: corstest.Include}, {Method: "PUT"}, {Method: "PUT", Credentials: corstest.Include}},
			server: "preflight PUT, PUT, preflight PUT, PUT, PUT, PUT", script: "200, 200, 200, 200",
		},

		// Preflight caching.
		{
			name:   "a preflight lasts for its Max-Age",
			policy: methods("PUT"),
			steps:  []step{{Method: "PUT"}, {Method: "PUT"}, {Method: "PUT"}},
			server: "preflight PUT, PUT, PUT, PUT", script: "200, 200, 200",
		},
		{
			name:   "a preflight without Max-Age lasts for 5 seconds",
			policy: cors.Policy{AllowedOrigins: page, AllowedMethods: []string{"PUT"}},
			slow:   "preflight PUT, PUT, preflight PUT, PUT",
			steps:  []step{{Method: "PUT"}, {Method: "PUT"}},
			server: "preflight PUT, PUT, PUT", script: "200, 200",
		},
		{
			name:   "a negative MaxAge repeats every preflight",
			policy: cors.Policy{AllowedOrigins: page, AllowedMethods: []string{"PUT"}, MaxAge: -1},
			steps:  []step{{Method: "PUT"}, {Method: "PUT"}},
			server: "preflight PUT, PUT, preflight PUT, PUT", script: "200, 200",
		},
		{
			// In the grammar of RFC 9111, section 1.2.2, -1 is not a number. Fetch,
			// "CORS-preflight fetch", step 7.9, then uses 5 seconds.
			name: "a preflight with a negative Access-Control-Max-Age lasts for 5 seconds",
			middleware: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Access-Control-Max-Age", "-1")
					w.Header().Set("Access-Control-Allow-Methods", "PUT")
					w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
					if r.Method != http.MethodOptions {
						next.ServeHTTP(w, r)
					}
				})
			},
			steps:  []step{{Method: "PUT"}, {Method: "PUT"}},
			server: "preflight PUT, PUT, PUT", script: "200, 200",
			differs: map[Engine]outcome{
				Chromium: {"preflight PUT, PUT, preflight PUT, PUT", "200, 200"},
				Firefox:  {"preflight PUT, PUT, preflight PUT, PUT", "200, 200"},
				WebKit:   {"preflight PUT, PUT, preflight PUT, PUT", "200, 200"},
			},
		},
		{
			name:   "one preflight allows all listed methods and headers",
			policy: cors.Policy{AllowedOrigins: page, AllowedMethods: []string{"PUT", "PATCH", "DELETE"}, AllowedHeaders: []string{"X-Id", "Content-Type"}, MaxAge: 24 * time.Hour},
			steps:  []step{{Method: "PUT"}, {Method: "DELETE"}, {Method: "PATCH", Body: "{}", Headers: header("Content-Type", "application/json")}, {Headers: header("X-Id", "1")}},
			server: "preflight PUT, PUT, DELETE, PATCH, GET", script: "200, 200, 200, 200",
		},
		{
			name:   "each URL has its own preflight",
			policy: methods("PUT"),
			steps:  []step{{Method: "PUT", Path: "/a"}, {Method: "PUT", Path: "/b"}, {Method: "PUT", Path: "/a"}},
			server: "preflight PUT /a, PUT /a, preflight PUT /b, PUT /b, PUT /a", script: "200, 200, 200",
		},
		{
			name:   "each fragment of a URL has its own preflight",
			policy: methods("PUT"),
			steps:  []step{{Method: "PUT", Path: "/a#1"}, {Method: "PUT", Path: "/a#2"}, {Method: "PUT", Path: "/a#1"}},
			server: "preflight PUT /a, PUT /a, preflight PUT /a, PUT /a, PUT /a", script: "200, 200, 200",
		},
		{
			name:   "a preflight lasts between two ports of a host",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}, AllowedMethods: []string{"PUT"}, MaxAge: time.Hour},
			steps:  []step{{Method: "PUT"}, {Method: "PUT"}},
			server: "preflight PUT, PUT, PUT", script: "200, 200",
		},

		// Origin patterns.
		{
			name:   "a pattern allows any port",
			policy: cors.Policy{AllowedOrigins: []string{"http://127.0.0.1:*"}},
			steps:  []step{{}},
			server: "GET", script: "200",
		},
		{
			name:   "a pattern for any port does not allow another host",
			policy: cors.Policy{AllowedOrigins: []string{"http://localhost:*"}},
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "a pattern allows any subdomain and port",
			from:   o.sub,
			policy: cors.Policy{AllowedOrigins: []string{"http://*.localhost:*"}, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT, PUT", script: "200",
		},
		{
			name:   "a pattern allows any subdomain on one port",
			from:   o.deep,
			policy: cors.Policy{AllowedOrigins: []string{strings.Replace(o.nearby, "://", "://*.", 1)}},
			steps:  []step{{}},
			server: "GET", script: "200",
		},
		{
			name:   "a pattern for subdomains does not allow the domain",
			from:   o.nearby,
			policy: cors.Policy{AllowedOrigins: []string{"http://*.localhost:*"}},
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "a subdomain does not allow another subdomain",
			from:   o.deep,
			policy: cors.Policy{AllowedOrigins: []string{o.sub}},
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "a pattern allows a part of a label between hyphens",
			from:   o.review,
			policy: cors.Policy{AllowedOrigins: []string{"http://pr-*-app.localhost:*"}, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT, PUT", script: "200",
		},
		{
			name:   "a pattern allows a part of a label before a hyphen",
			from:   o.review,
			policy: cors.Policy{AllowedOrigins: []string{"http://*-app.localhost:*"}},
			steps:  []step{{}},
			server: "GET", script: "200",
		},
		{
			name:   "a hyphen pattern does not allow another ending",
			from:   o.review,
			policy: cors.Policy{AllowedOrigins: []string{"http://*-1.localhost:*", "http://pr-*-1-app.localhost:*"}},
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "a host that ends with a dot is allowed if it is listed",
			from:   o.dotted,
			policy: cors.Policy{AllowedOrigins: []string{o.dotted}, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT, PUT", script: "200",
		},
		{
			name:   "a listed host does not allow the host with a dot at its end",
			from:   o.dotted,
			policy: cors.Policy{AllowedOrigins: []string{o.nearby}},
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "one of several listed origins is allowed",
			from:   o.sub,
			policy: cors.Policy{AllowedOrigins: []string{o.page, o.nearby, o.sub}},
			steps:  []step{{}},
			server: "GET", script: "200",
		},

		// The origin null.
		{
			name:   "a GET from a sandboxed frame is rejected",
			from:   "null",
			policy: only,
			steps:  []step{{}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "a POST from a sandboxed frame is rejected",
			from:   "null",
			policy: only,
			steps:  []step{{Method: "POST", Body: "a"}},
			server: "POST rejected", script: "blocked",
		},
		{
			name:   "a sandboxed frame is allowed if the policy accepts the risk",
			from:   "null",
			policy: cors.Policy{AllowedOrigins: []string{"null"}, AcceptRisks: cors.RiskNullOrigin, AllowedMethods: []string{"PUT"}},
			steps:  []step{{Method: "PUT"}},
			server: "preflight PUT, PUT", script: "200",
		},
		{
			name:   "a sandboxed frame is allowed if any origin is allowed",
			from:   "null",
			policy: anyOrigin,
			steps:  []step{{}},
			server: "GET", script: "200",
		},

		// Requests that fetch and XMLHttpRequest do not send.
		{
			name:   "a form from another origin does not run the handler",
			policy: none,
			steps:  []step{{Via: "form"}},
			server: "POST rejected", script: "navigated",
		},
		{
			name:   "a form from an allowed origin runs the handler",
			policy: only,
			steps:  []step{{Via: "form"}},
			server: "POST", script: "navigated",
		},
		{
			// Fetch, "append a request `Origin` header": the referrer policy hides
			// the origin, except in mode "cors".
			name: "without Sec-Fetch-Site, a same-origin form on a no-referrer page is rejected, but a script is not",
			from: o.silent,
			middleware: func(next http.Handler) http.Handler {
				var m cors.Middleware
				h := m.Handler(next)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Header.Del("Sec-Fetch-Site") // as over plain HTTP, except to loopback
					h.ServeHTTP(w, r)
				})
			},
			steps:  []step{{Via: "form", At: o.silent}, {Method: "POST", At: o.silent}},
			server: "POST with cookie rejected, POST with cookie", script: "navigated, 200",
		},
		{
			name:   "a WebSocket from another origin is rejected",
			policy: none,
			reply:  acceptWebSocket,
			steps:  []step{{Via: "websocket"}},
			server: "GET rejected", script: "blocked",
			console: map[Engine]string{
				WebKit: "failed: The server did not accept the WebSocket handshake.",
			},
		},
		{
			name:   "a WebSocket from an allowed origin is opened",
			policy: only,
			reply:  acceptWebSocket,
			steps:  []step{{Via: "websocket"}},
			server: "GET", script: "open",
		},
		{
			name:   "a same-origin WebSocket is opened",
			from:   o.api,
			policy: none,
			reply:  acceptWebSocket,
			steps:  []step{{Via: "websocket"}},
			server: "GET with cookie", script: "open",
		},
		{
			name:   "an EventSource from an allowed origin gets events",
			policy: only,
			reply:  sendEvent,
			steps:  []step{{Via: "eventsource"}},
			server: "GET", script: "message",
		},
		{
			name:   "an EventSource from another origin is rejected",
			policy: none,
			reply:  sendEvent,
			steps:  []step{{Via: "eventsource"}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "an EventSource with credentials gets events",
			from:   o.nearby,
			policy: credentialed,
			reply:  sendEvent,
			steps:  []step{{Via: "eventsource", Credentials: corstest.Include}},
			server: "GET with cookie", script: "message",
		},
		{
			name:   "a module script from an allowed origin is loaded",
			policy: only,
			reply:  file("text/javascript", "1"),
			steps:  []step{{Via: "module"}},
			server: "GET", script: "loaded",
		},
		{
			name:   "a module script from another origin is rejected",
			policy: none,
			reply:  file("text/javascript", "1"),
			steps:  []step{{Via: "module"}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "a style sheet with crossorigin from an allowed origin is loaded",
			policy: only,
			reply:  file("text/css", "p {}"),
			steps:  []step{{Via: "stylesheet"}},
			server: "GET", script: "loaded",
		},
		{
			name:   "a style sheet with crossorigin from another origin is rejected",
			policy: none,
			reply:  file("text/css", "p {}"),
			steps:  []step{{Via: "stylesheet"}},
			server: "GET rejected", script: "blocked",
		},
		{
			name:   "an image without crossorigin is loaded by any page",
			policy: none,
			reply:  file("image/svg+xml", svg),
			steps:  []step{{Via: "image"}},
			server: "GET", script: "loaded",
		},
		{
			name:   "an image with crossorigin from an allowed origin is loaded",
			policy: only,
			reply:  file("image/svg+xml", svg),
			steps:  []step{{Via: "corsimage"}},
			server: "GET", script: "loaded",
		},
		{
			name:   "an image with crossorigin from another origin is rejected",
			policy: none,
			reply:  file("image/svg+xml", svg),
			steps:  []step{{Via: "corsimage"}},
			server: "GET rejected", script: "blocked",
		},

		// Redirects.
		{
			name:   "a redirect to the same server keeps the origin",
			policy: only,
			reply:  redirect(""),
			steps:  []step{{Path: "/from"}},
			server: "GET /from, GET /to", script: "200",
		},
		{
			name:   "a redirect to another server makes the origin null",
			policy: only,
			reply:  redirect(o.other),
			steps:  []step{{Path: "/from"}},
			server: "GET /from, GET /to rejected", script: "blocked",
			senders: siteless,
			console: map[Engine]string{
				Chromium: "(redirected from '{url}') from origin '{page}' has been blocked by CORS policy: No 'Access-Control-Allow-Origin' header is present on the requested resource.",
				WebKit:   "Origin null is not allowed by Access-Control-Allow-Origin. Status code: 403",
			},
		},
		{
			name:   "a redirect to another server is readable if any origin is allowed",
			policy: anyOrigin,
			reply:  redirect(o.other),
			steps:  []step{{Path: "/from"}},
			server: "GET /from, GET /to", script: "200",
			senders: siteless,
		},
		{
			name:   "a redirect of a request with a preflight repeats the preflight",
			policy: methods("PUT"),
			reply:  redirect(""),
			steps:  []step{{Method: "PUT", Path: "/from"}},
			server: "preflight PUT /from, PUT /from, preflight PUT /to, PUT /to", script: "200",
		},
	}
}

// reply returns a handler that is like ok, and also sets headers. The arguments
// are alternate names and values.
func reply(headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		ok(w, r)
	}
}

// status returns a handler that responds with a status and without a body.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(code)
	}
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`

func file(contentType, content string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write([]byte(content))
	}
}

// redirect returns a handler that redirects from .../from to .../to on the server
// at origin.
func redirect(origin string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if path, found := strings.CutSuffix(r.URL.Path, "/from"); found {
			http.Redirect(w, r, origin+path+"/to", http.StatusTemporaryRedirect)
			return
		}
		ok(w, r)
	}
}

func sendEvent(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Write([]byte("data: hello\n\n"))
}

// acceptWebSocket accepts a handshake and its protocol (RFC 6455, section 4.2.2).
// It waits until the browser closes the connection.
func acceptWebSocket(w http.ResponseWriter, r *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	response := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if protocol := r.Header.Get("Sec-WebSocket-Protocol"); protocol != "" {
		response += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	io.WriteString(conn, response+"\r\n")
	bufio.NewReader(buffered).ReadByte() // the close frame
}
