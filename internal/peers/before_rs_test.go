package peers_test

import (
	"net/http"

	"github.com/rs/cors"
)

// beforeRS is the example of docs/migrating.md for rs/cors.
func beforeRS(mux http.Handler) http.Handler {
	handler := cors.New(cors.Options{
		AllowedOrigins:   []string{"https://app.example.com", "http://localhost:*"},
		AllowedMethods:   []string{"GET", "POST", "PUT", "DELETE"},
		AllowedHeaders:   []string{"Authorization", "Content-Type"},
		AllowCredentials: true,
		MaxAge:           600,
		Debug:            true,
	}).Handler(mux)
	return handler
}

// beforeRSFunc is the example of docs/migrating.md for AllowOriginFunc.
func beforeRSFunc(mux http.Handler, isTenant func(origin string) bool) http.Handler {
	handler := cors.New(cors.Options{
		AllowOriginFunc:  func(origin string) bool { return isTenant(origin) },
		AllowCredentials: true,
	}).Handler(mux)
	return handler
}
