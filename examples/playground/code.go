package main

import (
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/f407da42/cors"
)

// goCode returns Go code that serves a handler under policy.
func goCode(policy cors.Policy) string {
	var b strings.Builder
	b.WriteString("c, err := cors.New(cors.Policy{\n")
	writeList := func(field string, list []string, element func(string) string) {
		if len(list) == 0 {
			return
		}
		elements := make([]string, len(list))
		for i, s := range list {
			elements[i] = element(s)
		}
		separator, end := ", ", ""
		if len(strings.Join(elements, ", ")) > 60 {
			separator, end = ",\n", ",\n"
			elements[0] = "\n" + elements[0]
		}
		fmt.Fprintf(&b, "%s: []string{%s%s},\n", field, strings.Join(elements, separator), end)
	}
	writeList("AllowedOrigins", policy.AllowedOrigins, strconv.Quote)
	writeList("AllowedMethods", policy.AllowedMethods, methodCode)
	writeList("AllowedHeaders", policy.AllowedHeaders, strconv.Quote)
	writeList("ExposedHeaders", policy.ExposedHeaders, strconv.Quote)
	if policy.AllowCredentials {
		b.WriteString("AllowCredentials: true,\n")
	}
	if policy.MaxAge != 0 {
		fmt.Fprintf(&b, "MaxAge: %s,\n", durationCode(policy.MaxAge))
	}
	if accepted := formOf(policy).AcceptRisks; len(accepted) > 0 {
		fmt.Fprintf(&b, "AcceptRisks: cors.%s,\n", strings.Join(accepted, " | cors."))
	}
	if policy.PassRejected {
		b.WriteString("PassRejected: true,\n")
	}
	b.WriteString("})\nif err != nil {\nlog.Fatal(err)\n}\nlog.Fatal(http.ListenAndServe(\":8080\", c.Handler(mux)))\n")

	code, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String()
	}
	return string(code)
}

func methodCode(method string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		return "http.Method" + method[:1] + strings.ToLower(method[1:])
	}
	return strconv.Quote(method)
}

func durationCode(d time.Duration) string {
	switch {
	case d < 0:
		return "-1"
	case d%time.Hour == 0:
		return fmt.Sprintf("%d * time.Hour", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d * time.Minute", d/time.Minute)
	default:
		return fmt.Sprintf("%d * time.Second", d/time.Second)
	}
}
