package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/f407da42/cors/corstest"
)

// isTerminal reports whether f is a terminal that shows colors.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// warn writes a message to standard error.
func warn(stderr io.Writer, message string) {
	fmt.Fprintln(stderr, "corsfetch: "+harmless(message))
}

// harmless replaces control characters in s with spaces, so a server cannot
// control the terminal.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// color colors the requests, the responses and the verdict of a transcript.
func color(text string) string {
	colors := map[string]string{"> ": "36", "< ": "34", "allowed: ": "1;32", "blocked: ": "1;31", "failed: ": "1;31", "advice: ": "33"}
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		for prefix, code := range colors {
			if strings.HasPrefix(line, prefix) {
				lines[i] = "\x1b[" + code + "m" + strings.TrimSuffix(line, "\n") + "\x1b[0m\n"
			}
		}
	}
	return strings.Join(lines, "")
}

// complete returns a transcript with all headers of its requests and responses,
// and the first lines of the body of each error.
func complete(text string, exchanges []corstest.Exchange) string {
	var b strings.Builder
	inside := false // whether the line belongs to an exchange: it begins with > or <
	for line := range strings.Lines(text) {
		marked := strings.HasPrefix(line, "> ") || strings.HasPrefix(line, "< ")
		switch {
		case !marked:
			b.WriteString(line)
		case !inside:
			writeExchange(&b, exchanges[0])
			exchanges = exchanges[1:]
		}
		inside = marked
	}
	return b.String()
}

func writeExchange(b *strings.Builder, ex corstest.Exchange) {
	line := func(format string, args ...any) {
		fmt.Fprintln(b, strings.TrimRight(harmless(fmt.Sprintf(format, args...)), " "))
	}
	headers := func(mark string, h http.Header) {
		h = withoutSecrets(h)
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, value := range h[name] {
				line("%s %s: %s", mark, name, value)
			}
		}
	}
	proto := ex.Request.Proto
	if ex.Response != nil {
		proto = ex.Response.Proto // the request has no real version
	}
	line("> %s %s %s", ex.Request.Method, ex.Request.RequestURI, proto)
	line("> Host: %s", ex.Request.Host)
	headers(">", ex.Request.Header)
	if ex.Response == nil {
		return
	}
	line("< %s %s", ex.Response.Proto, ex.Response.Status)
	headers("<", ex.Response.Header)
	if ex.Response.StatusCode < 400 {
		return
	}
	const maxLines, maxBytes = 10, 1000
	content, _ := io.ReadAll(ex.Response.Body) // in memory
	start := string(content[:min(len(content), maxBytes)])
	n := 0
	for text := range strings.Lines(start) {
		if n++; n > maxLines {
			break
		}
		line("| %s", text)
	}
	if n > maxLines || len(start) < len(content) {
		line("| (%d bytes read)", len(content))
	}
}

// A jsonReport is the output of -json.
type jsonReport struct {
	Page      string         `json:"page"`
	Verdict   string         `json:"verdict"` // "allowed", "blocked" or "unknown"
	Blocked   string         `json:"blocked,omitempty"`
	Advice    string         `json:"advice,omitempty"`
	Error     string         `json:"error,omitempty"`
	Notes     []string       `json:"notes,omitempty"`            // such as parts of the request that the browser drops
	Preflight []string       `json:"preflightReasons,omitempty"` // reasons for a preflight
	Exchanges []jsonExchange `json:"exchanges,omitempty"`
	Status    int            `json:"status,omitempty"` // status, if the script can read it
	Header    http.Header    `json:"header,omitempty"` // headers that the script can read
	Body      string         `json:"body,omitempty"`   // body, if the script can read it
}

type jsonExchange struct {
	Method   string      `json:"method"`
	URL      string      `json:"url"`
	Request  http.Header `json:"request"`
	Status   int         `json:"status,omitempty"`
	Response http.Header `json:"response,omitempty"`
}

func report(o options, result *corstest.Result, status int, err error) jsonReport {
	r := jsonReport{
		Page:    o.page,
		Verdict: []string{"allowed", "blocked", "unknown"}[status],
		Advice:  result.Advice,
		Status:  result.Status,
		Header:  result.Header,
		Body:    result.Body,
	}
	switch status {
	case blocked:
		r.Blocked = result.Blocked
	case unknown:
		r.Error = err.Error()
	}
	r.Notes = notes(result.String())
	all := exchanges(result)
	if note := o.mixedContent(all); note != "" {
		r.Notes = append(r.Notes, note)
	}
	r.Exchanges = jsonExchanges(all)
	if len(all) > 0 && all[0].Request.Header["Access-Control-Request-Method"] != nil {
		r.Preflight = corstest.PreflightReasons(o.request)
	}
	return r
}

// notes returns the notes in a transcript or a report.
func notes(text string) (notes []string) {
	for line := range strings.Lines(text) {
		if note, ok := strings.CutPrefix(line, "note: "); ok {
			notes = append(notes, strings.TrimSpace(note))
		}
	}
	return notes
}

func jsonExchanges(exchanges []corstest.Exchange) (converted []jsonExchange) {
	for _, ex := range exchanges {
		scheme := "http://"
		if ex.Request.TLS != nil {
			scheme = "https://"
		}
		e := jsonExchange{Method: ex.Request.Method, URL: scheme + ex.Request.Host + ex.Request.RequestURI, Request: withoutSecrets(ex.Request.Header)}
		if ex.Response != nil {
			e.Status, e.Response = ex.Response.StatusCode, withoutSecrets(ex.Response.Header)
		}
		converted = append(converted, e)
	}
	return converted
}

func writeJSON(w io.Writer, v any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, controls.Replace(b.String()))
	return err
}

// controls escapes the control characters that package json does not escape, for
// terminals.
var controls = func() *strings.Replacer {
	var pairs []string
	for r := rune(0x7f); r <= 0x9f; r++ {
		pairs = append(pairs, string(r), fmt.Sprintf(`\u%04x`, r))
	}
	return strings.NewReplacer(pairs...)
}()

// withoutSecrets replaces the values in h that logs must not show.
// [corstest.Result.String] hides the same values.
func withoutSecrets(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Authorization", "Cookie", "Set-Cookie"} {
		if h[name] != nil {
			h.Set(name, "(not shown)")
		}
	}
	return h
}
