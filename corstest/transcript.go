package corstest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// String returns the exchange as a test log should show it: who asks for what,
// why there is a preflight, the requests (>) and responses (<) with the headers
// that matter to CORS, what comes of it, and the advice. It ends in a line break.
// The values of Cookie and Authorization are left out.
func (r *Result) String() string {
	var t transcript
	mode := ""
	if r.request.Mode != CORS {
		mode = fmt.Sprintf(" in mode %v", r.request.Mode)
	}
	t.line("%s asks for %s %s%s", r.page, r.request.Method, r.request.URL, mode)
	for _, note := range r.notes {
		t.line("note: %s", note)
	}
	exchanges := slices.Clone(r.Via)
	for _, ex := range []*Exchange{r.Preflight, r.Actual} {
		if ex != nil {
			exchanges = append(exchanges, *ex)
		}
	}
	for i, ex := range exchanges {
		switch {
		case i == 0:
			t.line("%s", r.whyPreflight(ex))
		case ex.reasons != nil:
			t.line("")
			t.line("%s", r.whyPreflight(ex))
		}
		t.exchange(ex)
	}
	t.line("")
	switch {
	case r.Blocked == "" && r.request.Mode == WebSocket:
		t.line("allowed: the WebSocket is open")
	case r.Blocked == "" && r.Status == 0:
		t.line("sent: the page reads nothing of the response")
	case r.Blocked == "":
		t.line("allowed: the script reads status %d, %s, and %s", r.Status, readable(r.Header), size(r))
	case r.err != nil:
		t.line("failed: %s", r.Blocked)
	default:
		t.line("blocked: %s", r.Blocked)
	}
	if r.Advice != "" {
		t.line("advice: %s", r.Advice)
	}
	return t.String()
}

// whyPreflight says why the request of ex is a preflight, or, if it is the first,
// why not.
func (r *Result) whyPreflight(ex Exchange) string {
	switch {
	case ex.reasons != nil:
		return "a preflight asks first: " + strings.Join(ex.reasons, "; ")
	case urlOrigin(ex.Request) == r.page:
		return "no preflight: the request is same-origin"
	case r.request.Mode != CORS:
		return fmt.Sprintf("no preflight: mode %v never has one", r.request.Mode)
	case len(r.request.preflightReasons()) > 0:
		return "no preflight: the answer to an earlier one is cached"
	}
	return fmt.Sprintf("no preflight: method %s and all headers are CORS-safelisted", r.request.Method)
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header["Access-Control-Request-Method"] != nil
}

// urlOrigin returns the origin of a request as a server gets it.
func urlOrigin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func readable(h http.Header) string {
	if len(h) == 0 {
		return "no headers"
	}
	return "the headers " + strings.Join(slices.Sorted(maps.Keys(h)), ", ")
}

func size(r *Result) string {
	s := fmt.Sprintf("%d bytes", len(r.Body))
	if r.Actual.cut != nil {
		s += ", at which reading ended"
	}
	return s
}

type transcript struct{ strings.Builder }

// line writes one line, whatever a server may have put into its parts.
func (t *transcript) line(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	t.WriteString(strings.TrimRight(printable(line), " ") + "\n")
}

// printable returns s with its control characters escaped: none reaches a
// terminal.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

func (t *transcript) exchange(ex Exchange) {
	r := ex.Request
	t.line("")
	t.line("> %s %s %s", r.Method, r.RequestURI, proto(ex))
	t.line("> Host: %s", r.Host)
	t.headers(">", r.Header, func(name string) bool {
		return name != "Accept" && !strings.HasPrefix(name, "Sec-Fetch-")
	})
	if ex.Response == nil {
		t.line("(%s)", firstLine(ex.err))
		return
	}
	t.line("< %s %s", ex.Response.Proto, ex.Response.Status)
	t.headers("<", ex.Response.Header, matters)
	switch {
	case ex.err != nil:
		t.line("(%s)", firstLine(ex.err))
	case ex.cut != nil:
		t.line("(%s)", firstLine(ex.cut))
	}
}

// proto returns the version of HTTP, which only a response tells.
func proto(ex Exchange) string {
	if ex.Response != nil {
		return ex.Response.Proto
	}
	return ex.Request.Proto
}

func (t *transcript) headers(mark string, h http.Header, matters func(name string) bool) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !matters(name) {
			continue
		}
		for _, value := range h[name] {
			if name == "Authorization" || name == "Cookie" {
				value = "(not shown)"
			}
			t.line("%s %s: %s", mark, name, value)
		}
	}
}

// matters reports whether a response header bears on CORS, or tells who made
// the response.
func matters(name string) bool {
	switch name {
	case "Allow", "Content-Type", "Location", "Server", "Vary", "Via", "Www-Authenticate":
		return true
	}
	return strings.HasPrefix(name, "Access-Control-")
}
