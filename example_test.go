package cors_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/f407da42/cors"
)

// send sends a request to h, as a browser does for a page on origin. It prints the
// status and the CORS headers of the response.
func send(h http.Handler, method, target, origin string) {
	r := httptest.NewRequest(method, target, nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if method == http.MethodOptions {
		r.Header.Set("Access-Control-Request-Method", http.MethodPut)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(method, target, "from", origin, "->", w.Code)
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"} {
		for _, value := range w.Header()[name] {
			fmt.Printf("  %s: %s\n", name, value)
		}
	}
}

// Wrap the whole router. The middleware then gets preflights, even if all patterns
// have methods.
func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /data", func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("  (the handler runs)")
	})

	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://app.example.com", "https://*.example.com"},
		AllowedMethods: []string{http.MethodPut, http.MethodDelete},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
		MaxAge:         2 * time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := c.Handler(mux) // for http.ListenAndServe

	send(handler, "OPTIONS", "/data", "https://app.example.com")
	send(handler, "PUT", "/data", "https://app.example.com")
	send(handler, "PUT", "/data", "https://evil.example")
	// Output:
	// OPTIONS /data from https://app.example.com -> 204
	//   Access-Control-Allow-Origin: https://app.example.com
	//   Access-Control-Allow-Methods: PUT, DELETE
	//   Access-Control-Allow-Headers: Authorization, Content-Type
	//   Access-Control-Max-Age: 7200
	//   (the handler runs)
	// PUT /data from https://app.example.com -> 200
	//   Access-Control-Allow-Origin: https://app.example.com
	// PUT /data from https://evil.example -> 403
}

// Parts of a site can have different policies. Here, one policy is public, and the
// other is for an app that sends cookies.
func ExampleMiddleware_Handler_subtrees() {
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })

	public, err := cors.New(cors.Policy{AllowedOrigins: []string{"*"}})
	if err != nil {
		log.Fatal(err)
	}
	private, err := cors.New(cors.Policy{
		AllowedOrigins:   []string{"https://app.example.com"},
		AllowedMethods:   []string{http.MethodPut},
		AllowCredentials: true,
	})
	if err != nil {
		log.Fatal(err)
	}

	// Patterns without a method also match preflights.
	mux := http.NewServeMux()
	mux.Handle("/public/", public.Handler(hello))
	mux.Handle("/private/", private.Handler(hello))

	send(mux, "GET", "/public/x", "https://anywhere.example")
	send(mux, "GET", "/private/x", "https://anywhere.example")
	send(mux, "OPTIONS", "/private/x", "https://app.example.com")
	// Output:
	// GET /public/x from https://anywhere.example -> 200
	//   Access-Control-Allow-Origin: *
	// GET /private/x from https://anywhere.example -> 403
	// OPTIONS /private/x from https://app.example.com -> 204
	//   Access-Control-Allow-Origin: https://app.example.com
	//   Access-Control-Allow-Methods: PUT
}

// Incorrect: if the pattern has a method, the mux responds to OPTIONS with 405. It does
// not call the middleware inside. Wrap the mux instead.
func ExampleMiddleware_Handler_incorrect() {
	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedMethods: []string{http.MethodPut},
	})
	if err != nil {
		log.Fatal(err)
	}
	update := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})

	wrong := http.NewServeMux()
	wrong.Handle("PUT /x", c.Handler(update))
	send(wrong, "OPTIONS", "/x", "https://app.example.com")

	right := http.NewServeMux()
	right.Handle("PUT /x", update)
	send(c.Handler(right), "OPTIONS", "/x", "https://app.example.com")
	// Output:
	// OPTIONS /x from https://app.example.com -> 405
	// OPTIONS /x from https://app.example.com -> 204
	//   Access-Control-Allow-Origin: https://app.example.com
	//   Access-Control-Allow-Methods: PUT
}

// OnReject is called for each rejected request, and for each preflight that the
// browser will stop at.
func ExamplePolicy_onReject() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // no time in the output below
			}
			return a
		},
	}))
	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://app.example.com"},
		OnReject: func(r *http.Request, err *cors.RequestError) {
			logger.WarnContext(r.Context(), "CORS", "path", r.URL.Path, "preflight", err.Preflight, "field", err.Field, "value", err.Value)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := c.Handler(http.NotFoundHandler())

	send(handler, "GET", "/x", "https://evil.example")
	send(handler, "OPTIONS", "/x", "https://app.example.com")
	// Output:
	// level=WARN msg=CORS path=/x preflight=false field=Origin value=https://evil.example
	// GET /x from https://evil.example -> 403
	// level=WARN msg=CORS path=/x preflight=true field=Access-Control-Request-Method value=PUT
	// OPTIONS /x from https://app.example.com -> 204
	//   Access-Control-Allow-Origin: https://app.example.com
}

// New reports all mistakes in a policy at once. Each error has a field and an index.
// A form can use them to show the error next to its input.
func ExamplePolicyError() {
	_, err := cors.New(cors.Policy{
		AllowedOrigins:   []string{"https://app.example.com", "example.com", "*"},
		AllowedMethods:   []string{"put"},
		AllowedHeaders:   []string{"Cookie"},
		AllowCredentials: true,
		MaxAge:           600,
	})
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			var policyErr *cors.PolicyError
			if errors.As(err, &policyErr) {
				fmt.Printf("%s[%d] %s\n\t%s\n", policyErr.Field, policyErr.Index, policyErr.Value, policyErr.Reason)
			}
		}
	}
	// Output:
	// AllowedOrigins[1] example.com
	// 	has no scheme; did you mean "https://example.com"?
	// AllowedOrigins[2] *
	// 	already allows every other entry; remove those, or remove this
	// AllowedOrigins[2] *
	// 	is blocked by browsers together with credentials; if scripts send a token in Authorization, remove AllowCredentials and list Authorization in AllowedHeaders; if they need cookies, list the origins
	// AllowedMethods[0] put
	// 	is not uppercase, and methods are case-sensitive; did you mean "PUT"?
	// AllowedHeaders[0] Cookie
	// 	is a header that scripts cannot set; remove it, and set AllowCredentials to let browsers send cookies
	// MaxAge[-1] 600ns
	// 	is less than a second; did you mean 600*time.Second?
}

// SetPolicy replaces the policy while requests are served. An invalid policy
// changes nothing.
func ExampleMiddleware_SetPolicy() {
	var c cors.Middleware // allows no origin yet
	handler := c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	reload := func(origins ...string) {
		if err := c.SetPolicy(cors.Policy{AllowedOrigins: origins}); err != nil {
			fmt.Println("keeping", c.Policy().AllowedOrigins, "because of", err)
		}
	}

	send(handler, "GET", "/", "https://app.example.com")
	reload("https://app.example.com")
	send(handler, "GET", "/", "https://app.example.com")
	reload("https://app.example.com/")
	send(handler, "GET", "/", "https://app.example.com")
	// Output:
	// GET / from https://app.example.com -> 403
	// GET / from https://app.example.com -> 200
	//   Access-Control-Allow-Origin: https://app.example.com
	// keeping [https://app.example.com] because of cors: AllowedOrigins[0]: "https://app.example.com/" ends with a slash; did you mean "https://app.example.com"?
	// GET / from https://app.example.com -> 200
	//   Access-Control-Allow-Origin: https://app.example.com
}

// A reverse proxy with its own policy removes the CORS headers of its upstream
// server. Browsers block a response with two Access-Control-Allow-Origin values.
func ExampleStripHeaders() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // header set by the upstream server
	}))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		log.Fatal(err)
	}

	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(resp *http.Response) error {
			cors.StripHeaders(resp.Header)
			return nil
		},
	}
	c, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://app.example.com"}})
	if err != nil {
		log.Fatal(err)
	}

	send(c.Handler(proxy), "GET", "/x", "https://app.example.com")
	// Output:
	// GET /x from https://app.example.com -> 200
	//   Access-Control-Allow-Origin: https://app.example.com
}

// AllowOriginFunc looks up origins that change, such as those that tenants register. It
// is called only for valid origins.
func ExamplePolicy_allowOriginFunc() {
	var tenants sync.Map // origins of tenants by the host of the request
	tenants.Store("acme.api.example.com", "https://www.acme.example")

	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://admin.example.com"},
		AllowOriginFunc: func(r *http.Request, origin string) bool {
			registered, ok := tenants.Load(r.Host)
			return ok && origin == registered
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := c.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))

	send(handler, "GET", "https://acme.api.example.com/", "https://www.acme.example")
	send(handler, "GET", "https://other.api.example.com/", "https://www.acme.example")
	send(handler, "GET", "https://other.api.example.com/", "https://admin.example.com")
	// Output:
	// GET https://acme.api.example.com/ from https://www.acme.example -> 200
	//   Access-Control-Allow-Origin: https://www.acme.example
	// GET https://other.api.example.com/ from https://www.acme.example -> 403
	// GET https://other.api.example.com/ from https://admin.example.com -> 200
	//   Access-Control-Allow-Origin: https://admin.example.com
}

// pagesList replaces publicsuffix.List of golang.org/x/net in this example.
type pagesList struct{}

func (pagesList) String() string { return "one suffix, and single labels" }

func (pagesList) PublicSuffix(domain string) string {
	if domain == "pages.example" || strings.HasSuffix(domain, ".pages.example") {
		return "pages.example"
	}
	return domain[strings.LastIndexByte(domain, '.')+1:]
}

// With credentials, New refuses patterns for subdomains that anyone can register.
// With a list of public suffixes, New recognizes more of these patterns.
func ExamplePolicy_publicSuffixes() {
	policy := cors.Policy{
		AllowedOrigins:   []string{"https://*.pages.example", "https://*.ours.pages.example"},
		AllowCredentials: true,
		PublicSuffixes:   pagesList{}, // publicsuffix.List
	}
	_, err := cors.New(policy)
	fmt.Println(err)

	policy.AcceptRisks = cors.RiskPublicSuffix
	_, err = cors.New(policy)
	fmt.Println(err)
	// Output:
	// cors: AllowedOrigins[0]: "https://*.pages.example" with AllowCredentials lets anyone who can register a name under "pages.example" act as your users; list the origins that you trust, or accept RiskPublicSuffix
	// <nil>
}

// Check returns an error for a request that the policy rejects, and for a preflight
// that a browser will stop at. Use it to test your policy.
func ExampleMiddleware_Check() {
	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://*.example.com"},
		AllowedMethods: []string{http.MethodPut},
		AllowedHeaders: []string{"Authorization"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, test := range []struct{ origin, method, headers string }{
		{"https://app.example.com", "PUT", "authorization"},
		{"https://app.example.com", "PUT", "authorization,x-request-id"},
		{"https://app.example.com", "DELETE", ""},
		{"https://example.com", "PUT", ""},
	} {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header.Set("Origin", test.origin)
		r.Header.Set("Access-Control-Request-Method", test.method)
		r.Header.Set("Access-Control-Request-Headers", test.headers)
		fmt.Println(c.Check(r))
	}
	// Output:
	// <nil>
	// cors: preflight: request header "x-request-id" is not in AllowedHeaders
	// cors: preflight: method "DELETE" is not in AllowedMethods
	// cors: preflight: origin "https://example.com" is not in AllowedOrigins; "https://*.example.com" is
}

// A policy can come from the environment. New returns its errors at startup, with a
// fix for each.
func ExampleNew_environment() {
	fromEnvironment := func() (*cors.Middleware, error) {
		return cors.New(cors.Policy{
			AllowedOrigins: strings.Fields(os.Getenv("CORS_ORIGINS")),
			AllowedMethods: strings.Fields(os.Getenv("CORS_METHODS")),
			AllowedHeaders: strings.Fields(os.Getenv("CORS_HEADERS")),
		})
	}

	os.Setenv("CORS_ORIGINS", "https://app.example.com https://pr-*.preview.example.com")
	os.Setenv("CORS_METHODS", "PUT DELETE")
	defer os.Unsetenv("CORS_ORIGINS")
	defer os.Unsetenv("CORS_METHODS")
	c, err := fromEnvironment()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Policy().AllowedOrigins)

	os.Setenv("CORS_ORIGINS", "app.example.com https://pr*.preview.example.com")
	os.Setenv("CORS_METHODS", "put")
	_, err = fromEnvironment()
	fmt.Println(err)
	// Output:
	// [https://app.example.com https://pr-*.preview.example.com]
	// cors: AllowedOrigins[0]: "app.example.com" has no scheme; did you mean "https://app.example.com"?
	// cors: AllowedOrigins[1]: "https://pr*.preview.example.com" has a misplaced "*"; write it as the first label ("https://*.example.com"), between hyphens in that label ("https://pr-*.example.com"), or as the port ("http://localhost:*")
	// cors: AllowedMethods[0]: "put" is not uppercase, and methods are case-sensitive; did you mean "PUT"?
}

// A policy can come from a JSON file. Unknown fields and risks are errors.
func ExampleNew_json() {
	fromJSON := func(text string) (*cors.Middleware, error) {
		var config struct {
			Addr string
			CORS cors.Policy // a named field, not embedded
		}
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			return nil, err
		}
		return cors.New(config.CORS)
	}

	c, err := fromJSON(`{
		"Addr": ":8080",
		"CORS": {
			"AllowedOrigins": ["http://intranet.example.com"],
			"AllowCredentials": true,
			"MaxAge": "2h",
			"AcceptRisks": "insecure-origin"
		}
	}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Policy().MaxAge, c.Policy().AcceptRisks)

	for _, mistake := range []string{
		`{"CORS": {"AllowedOrigins": ["http://intranet.example.com"], "AllowCredentials": true}}`,
		`{"CORS": {"AcceptRisks": "insecure"}}`,
		`{"CORS": {"AllowOrigins": ["https://app.example.com"]}}`,
		`{"CORS": {"MaxAge": 7200}}`,
	} {
		_, err := fromJSON(mistake)
		fmt.Println(err)
	}
	// Output:
	// 2h0m0s insecure-origin
	// cors: AllowedOrigins[0]: "http://intranet.example.com" with AllowCredentials lets anyone who controls a network act as your users; write https:// instead of http://, or accept RiskInsecureOrigin
	// cors: Policy in JSON: unknown risk "insecure"; write one or more of insecure-origin, public-suffix, null-origin, joined with "|"
	// cors: Policy in JSON: json: unknown field "AllowOrigins"
	// cors: Policy in JSON: MaxAge: 7200 is not a duration; write text with a unit, such as "2h"
}

// Before your policy rejects requests, observe them. With PassRejected, they run the
// handler, and OnReject logs them. Once the log stays empty, remove PassRejected.
func ExamplePolicy_observeFirst() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
	})
	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://app.example.com"},
		PassRejected:   true,
		OnReject:       func(r *http.Request, err *cors.RequestError) { fmt.Println(r.Method, r.URL.Path, err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := c.Handler(mux)

	send(handler, "POST", "https://api.example.com/orders", "https://forgotten.example.com")
	// Output:
	// POST /orders cors: request: origin "https://forgotten.example.com" is not in AllowedOrigins
	// POST https://api.example.com/orders from https://forgotten.example.com -> 201
}
