//go:build unix

package clients

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

var htmxPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{http.MethodPut, http.MethodPatch, http.MethodDelete},
	AllowedHeaders: []string{"HX-Request", "HX-Request-Type", "HX-Source", "HX-Target", "HX-Current-URL"},
	ExposedHeaders: []string{
		"HX-Trigger", "HX-Location", "HX-Redirect", "HX-Refresh", "HX-Push-Url", "HX-Replace-Url",
		"HX-Retarget", "HX-Reswap", "HX-Reselect",
	},
	MaxAge: 2 * time.Hour,
}

var hypermedia = recipe{
	name:    "Hypermedia fragments with htmx 4",
	file:    "htmx",
	policy:  htmxPolicy,
	handler: fragmentService,
	fails: map[entry]string{
		{"AllowedMethods", http.MethodPut}:    "put",
		{"AllowedMethods", http.MethodPatch}:  "patch",
		{"AllowedMethods", http.MethodDelete}: "delete",
		{"AllowedHeaders", "HX-Request"}:      "get",
		{"AllowedHeaders", "HX-Request-Type"}: "get",
		{"AllowedHeaders", "HX-Source"}:       "get",
		{"AllowedHeaders", "HX-Target"}:       "get",
		{"AllowedHeaders", "HX-Current-URL"}:  "get",
		{"ExposedHeaders", "HX-Trigger"}:      "trigger an event with HX-Trigger",
		{"ExposedHeaders", "HX-Location"}:     "load another fragment",
		{"ExposedHeaders", "HX-Redirect"}:     "redirect the page",
		{"ExposedHeaders", "HX-Refresh"}:      "reload the page",
		{"ExposedHeaders", "HX-Push-Url"}:     "push a URL",
		{"ExposedHeaders", "HX-Replace-Url"}:  "replace the URL",
		{"ExposedHeaders", "HX-Retarget"}:     "choose the target",
		{"ExposedHeaders", "HX-Reswap"}:       "choose how to swap",
		{"ExposedHeaders", "HX-Reselect"}:     "choose a part",
	},
	preflights: 4,
}

// fragmentService returns a server of HTML fragments for both versions of htmx.
// It sets the response headers that are in the query.
func fragmentService(*testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("HX-Request") != "true" {
			http.Error(w, "not for htmx", http.StatusBadRequest)
			return
		}
		for name, values := range r.URL.Query() {
			if strings.HasPrefix(name, "HX-") {
				w.Header()[http.CanonicalHeaderKey(name)] = values
			}
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "%s %s <b>done</b>", r.Method, template.HTMLEscapeString(r.PostFormValue("name")))
	})
}
