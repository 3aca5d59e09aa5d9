//go:build unix

package clients

import (
	"net/http"
	"time"

	"github.com/f407da42/cors"
)

var htmx2Policy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{http.MethodPut, http.MethodPatch, http.MethodDelete},
	AllowedHeaders: []string{"HX-Request", "HX-Trigger", "HX-Trigger-Name", "HX-Target", "HX-Current-URL", "HX-Prompt"},
	ExposedHeaders: []string{
		"HX-Trigger", "HX-Trigger-After-Swap", "HX-Trigger-After-Settle",
		"HX-Location", "HX-Redirect", "HX-Refresh", "HX-Push-Url", "HX-Replace-Url",
		"HX-Retarget", "HX-Reswap", "HX-Reselect",
	},
	MaxAge: 2 * time.Hour,
}

var hypermedia2 = recipe{
	name:    "Hypermedia fragments with htmx 2",
	file:    "htmx2",
	policy:  htmx2Policy,
	handler: fragmentService,
	fails: map[entry]string{
		{"AllowedMethods", http.MethodPut}:            "put",
		{"AllowedMethods", http.MethodPatch}:          "patch",
		{"AllowedMethods", http.MethodDelete}:         "delete",
		{"AllowedHeaders", "HX-Request"}:              "get",
		{"AllowedHeaders", "HX-Trigger"}:              "get",
		{"AllowedHeaders", "HX-Trigger-Name"}:         "get",
		{"AllowedHeaders", "HX-Target"}:               "get",
		{"AllowedHeaders", "HX-Current-URL"}:          "get",
		{"AllowedHeaders", "HX-Prompt"}:               "prompt",
		{"ExposedHeaders", "HX-Trigger"}:              "trigger an event with HX-Trigger",
		{"ExposedHeaders", "HX-Trigger-After-Swap"}:   "trigger an event with HX-Trigger-After-Swap",
		{"ExposedHeaders", "HX-Trigger-After-Settle"}: "trigger an event with HX-Trigger-After-Settle",
		{"ExposedHeaders", "HX-Location"}:             "load another fragment",
		{"ExposedHeaders", "HX-Redirect"}:             "redirect the page",
		{"ExposedHeaders", "HX-Refresh"}:              "reload the page",
		{"ExposedHeaders", "HX-Push-Url"}:             "push a URL",
		{"ExposedHeaders", "HX-Replace-Url"}:          "replace the URL",
		{"ExposedHeaders", "HX-Retarget"}:             "choose the target",
		{"ExposedHeaders", "HX-Reswap"}:               "choose how to swap",
		{"ExposedHeaders", "HX-Reselect"}:             "choose a part",
	},
	preflights: 4,
}
