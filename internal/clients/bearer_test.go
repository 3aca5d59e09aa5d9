//go:build unix

package clients

import (
	"net/http"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

var bearerPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{http.MethodPut, http.MethodPatch, http.MethodDelete},
	AllowedHeaders: []string{"Authorization", "Content-Type"},
	MaxAge:         2 * time.Hour,
}

var bearer = recipe{
	name:   "JSON API with a bearer token",
	file:   "bearer",
	policy: bearerPolicy,
	handler: func(*testing.T) http.Handler {
		tasks := newTasks()
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer sesame" {
				reply(w, http.StatusUnauthorized, map[string]string{"error": "no token"})
				return
			}
			tasks.ServeHTTP(w, r)
		})
	},
	fails: map[entry]string{
		{"AllowedMethods", http.MethodPut}:    "replace",
		{"AllowedMethods", http.MethodPatch}:  "change",
		{"AllowedMethods", http.MethodDelete}: "remove",
		{"AllowedHeaders", "Authorization"}:   "list",
		{"AllowedHeaders", "Content-Type"}:    "add",
	},
	preflights: 2,
}
