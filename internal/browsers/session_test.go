//go:build unix

package browsers

import (
	"net/http"
	"strings"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// sessions returns cases in which a page sends 20 requests to 3 URLs of a REST
// API. One server uses this library. The other echoes the method and the headers
// of each preflight, as many servers do.
func sessions(o origins) []testCase {
	policy := cors.Policy{
		AllowedOrigins: []string{o.page},
		AllowedMethods: []string{"PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", "X-Request-Id"},
		MaxAge:         2 * time.Hour,
	}
	credentialed := policy
	credentialed.AllowCredentials = true
	credentialed.AllowedOrigins = []string{o.nearby} // an origin that shares its cookie with the API
	// Chromium and WebKit cache only the last response for a URL.
	forgetful := map[Engine]int{Chromium: 12, WebKit: 12}
	return []testCase{
		{name: "a session with this library", policy: policy, steps: session(corstest.SameOrigin), script: sessionScript, preflights: 3},
		{name: "a session with an echoing server", middleware: echo, steps: session(corstest.SameOrigin), script: sessionScript, preflights: 10, engines: forgetful},
		{name: "a session with credentials and this library", from: o.nearby, policy: credentialed, steps: session(corstest.Include), script: sessionScript, preflights: 3},
		{name: "a session with credentials and an echoing server", from: o.nearby, middleware: echo, steps: session(corstest.Include), script: sessionScript, preflights: 10, engines: forgetful},
	}
}

func session(credentials corstest.Credentials) []step {
	var steps []step
	for _, request := range strings.Split("GET /a, POST /a, GET /a, GET /a/1, PUT /a/1, GET /a/1, PATCH /a/1, GET /a/1, POST /a, GET /a, "+
		"GET /a/2, PATCH /a/2, PUT /a/2, DELETE /a/2, GET /a, PUT /a/1, PATCH /a/1, DELETE /a/1, POST /a, GET /a", ", ") {
		method, path, _ := strings.Cut(request, " ")
		s := step{Method: method, Path: path, Credentials: credentials, Headers: map[string]string{"Authorization": "Bearer a", "X-Request-Id": "1"}}
		if method == "POST" || method == "PUT" || method == "PATCH" {
			s.Body = "{}"
			s.Headers["Content-Type"] = "application/json"
		}
		steps = append(steps, s)
	}
	return steps
}

var sessionScript = strings.TrimSuffix(strings.Repeat("200, ", 20), ", ")

// echo allows every origin, and the method and the headers that a preflight names.
// A real server must not do this.
func echo(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
			h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
			h.Set("Access-Control-Max-Age", "7200")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
