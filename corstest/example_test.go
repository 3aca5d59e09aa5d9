package corstest_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// Pass the whole service to a Browser. Here the middleware is inside a route that
// has a method, so preflights do not reach it.
func Example() {
	c, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://app.example.com"}, AllowedMethods: []string{"PUT"}})
	if err != nil {
		log.Fatal(err)
	}
	save := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux := http.NewServeMux()
	mux.Handle("PUT /items/{id}", c.Handler(save))

	b := corstest.Browser{Handler: mux}
	fmt.Print(b.Fetch("https://app.example.com", corstest.Request{Method: "PUT", URL: "https://api.example.com/items/1"}))

	// Output:
	// https://app.example.com requests PUT https://api.example.com/items/1
	// the browser sends a preflight first: method PUT is not CORS-safelisted
	//
	// > OPTIONS /items/1 HTTP/1.1
	// > Host: api.example.com
	// > Access-Control-Request-Method: PUT
	// > Origin: https://app.example.com
	// < HTTP/1.1 405 Method Not Allowed
	// < Allow: PUT
	// < Content-Type: text/plain; charset=utf-8
	//
	// blocked: the response to the preflight has no Access-Control-Allow-Origin
	// advice: The router responded to OPTIONS itself, because no route for this path accepts OPTIONS. The CORS middleware therefore did not run. Wrap the whole router with the CORS middleware, or mount the wrapped handler on a pattern without a method. If the service's log does not show this request, a proxy in front responded. Have it forward OPTIONS requests. If other origins get CORS headers, and you trust the page, add exactly https://app.example.com, without a trailing slash, to the list of allowed origins.
}

// With this http.Client, an API client written in Go makes the same requests as a
// script in a page.
func ExampleBrowser_Client() {
	c, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://app.example.com"}})
	if err != nil {
		log.Fatal(err)
	}
	service := c.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "pong") }))

	b := corstest.Browser{Handler: service}
	client := b.Client("https://app.example.com")
	r, err := http.NewRequest("POST", "https://api.example.com/ping", nil)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Connect-Protocol-Version", "1")
	_, err = client.Do(r)
	var blocked *corstest.BlockedError
	if errors.As(err, &blocked) {
		fmt.Println(blocked.Result.Blocked)
		fmt.Println(blocked.Result.Advice)
	}

	// Output:
	// header Connect-Protocol-Version is not in Access-Control-Allow-Headers
	// Add Connect-Protocol-Version to AllowedHeaders. If it is already there, another CORS middleware or a proxy in front responded to the preflight, or removed the Access-Control-Request-* headers from it.
}

// Without a Handler, a Browser sends requests to a running server.
func ExampleBrowser_Fetch_server() {
	c, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://app.example.com"}})
	if err != nil {
		log.Fatal(err)
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	server := httptest.NewTLSServer(c.Handler(hello))
	defer server.Close()

	b := corstest.Browser{Transport: server.Client().Transport}
	result := b.Fetch("https://app.example.com", corstest.Request{URL: server.URL})
	if err := result.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Status, result.Body)

	// Output:
	// 200 hello
}

// Scan finds the mistake in this function: it also allows evilexample.com.
func ExampleBrowser_Scan() {
	c, err := cors.New(cors.Policy{
		AllowOriginFunc:  func(_ *http.Request, origin string) bool { return strings.HasSuffix(origin, "example.com") },
		AllowCredentials: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	me := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })

	b := corstest.Browser{Handler: c.Handler(me), Cookie: "session=1"}
	report := b.Scan("https://app.example.com", corstest.Request{URL: "https://api.example.com/me"})
	for _, f := range report.Findings {
		fmt.Println(f.Severity, f.Origins)
	}

	// Output:
	// High [https://evilexample.com https://appxexample.com]
	// Low [http://app.example.com]
	// Low [https://sibling.example.com https://evilapp.example.com]
}

// A form on another site needs no permission from CORS. Here the middleware
// rejects it.
func ExampleBrowser_Fetch_form() {
	c, err := cors.New(cors.Policy{AllowedOrigins: []string{"https://app.example.com"}})
	if err != nil {
		log.Fatal(err)
	}
	transfer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "transferred") })

	b := corstest.Browser{Handler: c.Handler(transfer), Cookie: "session=1"}
	result := b.Fetch("https://evil.example", corstest.Request{
		Mode: corstest.Navigate, Method: "POST", URL: "https://api.example.com/transfer", Body: "to=mallory",
	})
	fmt.Println(result.Actual.Response.Status)

	// Output:
	// 403 Forbidden
}
