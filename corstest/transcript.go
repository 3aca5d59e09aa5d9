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

// String returns a transcript of the requests and responses, for test logs.
//
// It begins with the request, the headers that the browser drops, and the reasons
// for a preflight. Requests (>) and responses (<) follow, with the headers that
// matter for CORS. It ends with the outcome, the advice and a line break. It does
// not show the values of Cookie and Authorization.
func (r *Result) String() string {
	var t transcript
	mode := ""
	if r.request.Mode != CORS {
		mode = fmt.Sprintf(" in mode %v", r.request.Mode)
	}
	t.line("%s requests %s %s%s", r.page, r.request.Method, r.request.URL, mode)
	for _, note := range r.notes {
		t.line("note: %s", note)
	}
	exchanges := slices.Clone(r.Via)
	for _, ex := range []*Exchange{r.Preflight, r.Actual} {
		if ex != nil {
			exchanges = append(exchanges, *ex)
		}
	}
	var sent *http.Request // the last actual request
	for i, ex := range exchanges {
		switch {
		case i == 0:
			t.line("%s", r.whyPreflight(ex))
		case ex.reasons != nil:
			t.line("")
			t.line("%s", r.whyPreflight(ex))
		}
		if !isPreflight(ex.Request) {
			t.redirected(sent, ex.Request)
			sent = ex.Request
		}
		t.exchange(ex)
		if !isPreflight(ex.Request) && ex.Response != nil && ex.Response.Header["Set-Cookie"] != nil && !r.keepsCookies(ex.Request) {
			t.line("note: the browser ignores Set-Cookie: the request is made without credentials")
		}
	}
	t.line("")
	switch {
	case r.Blocked == "" && r.request.Mode == WebSocket:
		t.line("allowed: the WebSocket is open")
	case r.Blocked == "" && r.Status == 0:
		t.line("sent: the page cannot read the response")
	case r.Blocked == "":
		t.line("allowed: the script reads status %d, %s, and %s", r.Status, size(r), readable(r.Header))
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

// whyPreflight explains why the request of ex is a preflight, or why it needs
// none.
func (r *Result) whyPreflight(ex Exchange) string {
	switch {
	case ex.reasons != nil:
		return "the browser sends a preflight first: " + strings.Join(ex.reasons, "; ")
	case urlOrigin(ex.Request) == r.page:
		return "no preflight: the request is same-origin"
	case r.request.Mode != CORS:
		return fmt.Sprintf("no preflight: requests in mode %v never need one", r.request.Mode)
	case len(r.request.preflightReasons()) > 0:
		return "no preflight: an earlier preflight is cached"
	}
	return fmt.Sprintf("no preflight: method %s and all headers are CORS-safelisted", r.request.Method)
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header["Access-Control-Request-Method"] != nil
}

// keepsCookies reports whether the browser stores cookies from the response to
// sent, which is one of the actual requests of r.
func (r *Result) keepsCookies(sent *http.Request) bool {
	sameOrigin := urlOrigin(sent) == r.page && r.request.Credentials == SameOrigin
	return sameOrigin || r.request.Credentials == Include || r.request.Mode == Navigate || r.request.Mode == WebSocket
}

// urlOrigin returns the origin of the URL of r, which is a request as a server
// gets it.
func urlOrigin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func readable(h http.Header) string {
	switch names := slices.Sorted(maps.Keys(h)); len(names) {
	case 0:
		return "no headers"
	case 1:
		return "the header " + names[0]
	default:
		return "the headers " + enumerate(names)
	}
}

func size(r *Result) string {
	s := fmt.Sprintf("%d bytes", len(r.Body))
	if r.Actual.cut != nil {
		return "the first " + s
	}
	return s
}

type transcript struct{ strings.Builder }

// line writes one line. Line breaks in the arguments are escaped.
func (t *transcript) line(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	t.WriteString(strings.TrimRight(printable(line), " ") + "\n")
}

// printable escapes the control characters in s, so a server cannot control the
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

// redirected writes notes about the changes that a redirect made to a request. If
// there was no redirect, before is nil.
func (t *transcript) redirected(before, after *http.Request) {
	if before == nil {
		return
	}
	if before.Method != after.Method {
		t.line("")
		t.line("note: after this redirect, browsers send %s without a body instead of %s", after.Method, before.Method)
	}
	if before.Header["Authorization"] != nil && after.Header["Authorization"] == nil {
		t.line("")
		t.line("note: header Authorization is left out: the redirect leads to another origin")
	}
}

// proto returns the HTTP version of the response, or the version of the request
// if there is no response.
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

// matters reports whether a response header matters for CORS, or shows which
// server or cache made the response.
func matters(name string) bool {
	switch name {
	case "Age", "Allow", "Cache-Status", "Cf-Cache-Status", "Cf-Ray", "Content-Type", "Location", "Server", "Vary", "Via", "Www-Authenticate", "X-Cache", "X-Cache-Status", "X-Litespeed-Cache", "X-Proxy-Cache", "X-Vercel-Cache":
		return true
	}
	return strings.HasPrefix(name, "Access-Control-")
}
