//go:build unix

package clients

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

var jsonAPIPolicy = cors.Policy{
	AllowedOrigins:   []string{"https://app.example.com"},
	AllowedMethods:   []string{http.MethodPut, http.MethodPatch, http.MethodDelete},
	AllowedHeaders:   []string{"Content-Type", "X-Xsrf-Token"},
	AllowCredentials: true,
	MaxAge:           2 * time.Hour,
}

var jsonAPI = recipe{
	name:    "JSON API with cookies and a CSRF token",
	file:    "jsonapi",
	policy:  jsonAPIPolicy,
	handler: taskService,
	fails: map[entry]string{
		{"AllowedMethods", http.MethodPut}:    "replace",
		{"AllowedMethods", http.MethodPatch}:  "change",
		{"AllowedMethods", http.MethodDelete}: "remove",
		{"AllowedHeaders", "Content-Type"}:    "log in",
		{"AllowedHeaders", "X-Xsrf-Token"}:    "add",
		{"AllowCredentials", ""}:              "log in",
	},
	preflights: 3,
}

// taskService returns an API of tasks for users with a session cookie. A request
// that changes a task must have the token, which the page reads from a cookie.
func taskService(*testing.T) http.Handler {
	session, token := rand.Text(), rand.Text()
	tasks := newTasks()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /session", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "not JSON", http.StatusUnsupportedMediaType)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: session, Path: "/", Domain: sessionDomain(r), HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: token, Path: "/", Domain: cookieDomain(r), SameSite: http.SameSiteLaxMode})
		reply(w, http.StatusOK, "welcome")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("session"); err != nil || cookie.Value != session {
			http.Error(w, "not logged in", http.StatusUnauthorized)
			return
		}
		if r.Method != http.MethodGet && r.Header.Get("X-Xsrf-Token") != token {
			http.Error(w, "forged", http.StatusForbidden)
			return
		}
		tasks.ServeHTTP(w, r)
	})
	return mux
}

// newTasks returns an API of tasks without authentication.
func newTasks() http.Handler {
	var mu sync.Mutex
	tasks := make(map[string]string)
	put := func(w http.ResponseWriter, r *http.Request) {
		var text string
		if err := json.NewDecoder(r.Body).Decode(&text); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		tasks[r.PathValue("id")] = text
		reply(w, http.StatusOK, tasks)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tasks", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, tasks) })
	mux.HandleFunc("GET /profile", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, "you") })
	mux.HandleFunc("POST /tasks/{id}", put)
	mux.HandleFunc("PUT /tasks/{id}", put)
	mux.HandleFunc("PATCH /tasks/{id}", put)
	mux.HandleFunc("DELETE /tasks/{id}", func(w http.ResponseWriter, r *http.Request) {
		delete(tasks, r.PathValue("id"))
		reply(w, http.StatusOK, tasks)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// reply responds with JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// sessionDomain returns the Domain of a cookie that only the server reads. It is
// empty, so no other host gets the cookie. WebKitGTK 2.50 does not send such a
// cookie here, although it sends Sec-Fetch-Site: same-site.
func sessionDomain(r *http.Request) string {
	for _, name := range []string{"Chrome/", "Firefox/"} {
		if strings.Contains(r.UserAgent(), name) {
			return ""
		}
	}
	return cookieDomain(r)
}

// cookieDomain returns the domain that page and server have in common. The page
// can read cookies for this domain, unless they are HttpOnly.
func cookieDomain(r *http.Request) string {
	host, _, _ := strings.Cut(r.Host, ":")
	_, domain, _ := strings.Cut(host, ".")
	return domain
}
