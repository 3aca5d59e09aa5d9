// Command corsfetch asks a running server as a script in a page would, and says
// what a browser makes of the answer.
//
//	corsfetch -page https://app.example.com -X PUT -H 'Content-Type: application/json' -d '{}' https://api.example.com/items/1
//
// It prints the preflight, the request and the responses, with the headers that
// matter to CORS, then whether the script may read the response, and if not, what
// on the server's side most likely is wrong. Flags are those of curl, where curl
// has them:
//
//	-page origin     the page that asks, such as https://app.example.com or null; required
//	-X method        the method; without it GET, or POST if there is a body
//	-H 'Name: value' a header that the script sets; may be given several times
//	-d body          the body, or @file for that of a file, @- for standard input;
//	                 several are joined with &; without a Content-Type it is
//	                 text/plain, as a string is to fetch()
//	-data-raw body   the same, but @ means nothing
//	-credentials     send cookies to other origins: credentials: 'include'
//	-cookie 'a=b'    the cookies that the browser has for the URL's host; also -b
//	-k               accept any certificate
//	-m seconds       how long to wait in all, 30 by default; no answer gets more than 30
//	-json            print the result as JSON
//
// The exit status is 0 if the script may read the response, 1 if the browser
// blocks it, and 2 if that cannot be told: the command line is wrong, no browser
// sends such a request, or the server does not answer. A body that has not ended
// in time is no reason, if the answer has begun. By way of go run, 2 becomes 1.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/origin"
)

// The exit statuses.
const (
	allowed = iota
	blocked
	unknown
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command, and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, usage)
		return unknown
	}
	if err != nil {
		fmt.Fprintf(stderr, "corsfetch: %v\n", err)
		return unknown
	}

	late := fmt.Errorf("no answer within %v", o.wait)
	ctx, cancel := context.WithTimeoutCause(ctx, o.wait, late)
	defer cancel()
	cut := false // whether there was no time for the whole body of the last answer
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: o.insecure}
	browser := corstest.Browser{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			// That of r ends when corstest has waited long enough.
			either, end := context.WithCancel(r.Context())
			context.AfterFunc(ctx, end)
			res, err := transport.RoundTrip(r.WithContext(either))
			if err != nil {
				if ctx.Err() != nil {
					err = context.Cause(ctx)
				}
				return nil, err
			}
			res.Body = body{res.Body, func(err error) error {
				if context.Cause(ctx) == late {
					cut, err = true, io.EOF
				}
				return err
			}}
			return res, nil
		}),
		Cookie: o.cookie,
	}
	result := browser.Fetch(o.page, o.request)
	err = result.Err()
	var verdict *corstest.BlockedError
	status := allowed
	switch {
	case result.Preflight == nil && result.Actual == nil:
		status, err = unknown, fmt.Errorf("no browser sends this: %s", result.Blocked)
		fmt.Fprintf(stderr, "corsfetch: %v\n", err)
		if !o.json {
			return status
		}
	case errors.As(err, &verdict):
		status = blocked
	case err != nil:
		status = unknown
	}

	if result.Actual != nil || result.Preflight != nil {
		for _, note := range o.ignored(result) {
			fmt.Fprintf(stderr, "corsfetch: %s\n", note)
		}
	}
	if cut && status == allowed {
		fmt.Fprintf(stderr, "corsfetch: the body had not ended after %v\n", o.wait)
	}
	if o.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report(o, result, status, err)); err != nil {
			fmt.Fprintf(stderr, "corsfetch: %v\n", err)
			return unknown
		}
		return status
	}
	text := result.String()
	if isTerminal(stdout) {
		text = colour(text)
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return unknown
	}
	if status == unknown {
		fmt.Fprintf(stderr, "corsfetch: cannot tell: %v\n", err)
	}
	return status
}

// A roundTripper is a function that is an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A body is that of a response, with its errors changed.
type body struct {
	io.ReadCloser
	change func(error) error
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		err = b.change(err)
	}
	return n, err
}

// options are what the command line asks for.
type options struct {
	page     string
	request  corstest.Request
	cookie   string
	insecure bool
	wait     time.Duration
	json     bool
}

const usage = `usage: corsfetch -page origin [flags] URL

  -page origin      the page that asks, such as https://app.example.com or null; required
  -X method         the method; without it GET, or POST if there is a body
  -H 'Name: value'  a header that the script sets; may be given several times
  -d body           the body, or @file for that of a file, @- for standard input
  -data-raw body    the same, but @ means nothing
  -credentials      send cookies to other origins: credentials: 'include'
  -cookie 'a=b'     the cookies that the browser has for the URL's host; also -b
  -k                accept any certificate
  -m seconds        how long to wait in all (default 30)
  -json             print the result as JSON

exit status: 0 allowed, 1 blocked, 2 cannot tell
`

// parse reads the command line. Flags may also stand behind the URL.
func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("corsfetch", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	o.request.Header = make(http.Header)
	flags.StringVar(&o.page, "page", "", "")
	flags.StringVar(&o.request.Method, "X", "", "")
	flags.Func("H", "", func(line string) error {
		name, value, found := strings.Cut(line, ":")
		if !found {
			return errors.New(`it has no colon; write a name and a value, as in -H 'Content-Type: application/json'`)
		}
		o.request.Header.Add(name, strings.TrimSpace(value))
		return nil
	})
	var data []string
	flags.Func("d", "", func(s string) error {
		if file, ok := strings.CutPrefix(s, "@"); ok {
			from := os.Stdin
			if file != "-" {
				var err error
				if from, err = os.Open(file); err != nil {
					return err
				}
				defer from.Close()
			}
			content, err := io.ReadAll(from)
			if err != nil {
				return err
			}
			s = string(content)
		}
		data = append(data, s)
		return nil
	})
	flags.Func("data-raw", "", func(s string) error { data = append(data, s); return nil })
	include := flags.Bool("credentials", false, "")
	flags.StringVar(&o.cookie, "cookie", "", "")
	flags.StringVar(&o.cookie, "b", "", "")
	flags.BoolVar(&o.insecure, "k", false, "")
	seconds := flags.Float64("m", 30, "")
	flags.BoolVar(&o.json, "json", false, "")

	var targets []string
	for rest := args; ; {
		if err := flags.Parse(rest); err != nil {
			return o, err
		}
		if flags.NArg() == 0 {
			break
		}
		targets = append(targets, flags.Arg(0))
		rest = flags.Args()[1:]
	}

	if o.page == "" {
		return o, errors.New("there is no page; write -page and its origin, as in -page https://app.example.com")
	}
	if p, err := origin.Parse(o.page); err != nil {
		return o, fmt.Errorf("-page %q %w", o.page, err)
	} else if strings.Contains(o.page, "*") {
		return o, fmt.Errorf("-page %q is a pattern; write the origin of one page, as in -page https://%s", o.page, strings.TrimPrefix("app."+p.Host, "."))
	}
	if len(targets) != 1 {
		return o, fmt.Errorf("there are %d URLs; write one, as in https://api.example.com/items/1", len(targets))
	}
	o.request.URL = targets[0]
	u, err := url.Parse(o.request.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return o, fmt.Errorf("%q is no URL to ask; write it out, as in https://api.example.com/items/1", o.request.URL)
	}
	o.request.Body = strings.Join(data, "&")
	if o.request.Method == "" && data != nil {
		o.request.Method = http.MethodPost
	}
	if *include {
		o.request.Credentials = corstest.Include
	}
	if o.wait = time.Duration(*seconds * float64(time.Second)); o.wait <= 0 {
		return o, fmt.Errorf("-m %v is no time to wait; write seconds, such as 10", *seconds)
	}
	return o, nil
}

// ignored returns what of the command line a browser leaves out of its requests.
func (o options) ignored(result *corstest.Result) (notes []string) {
	// A page asks its own server, which takes no CORS, for nothing but the headers.
	const page = "http://page.example"
	b := corstest.Browser{Handler: http.NotFoundHandler()}
	kept := b.Fetch(page, corstest.Request{URL: page, Header: o.request.Header}).Actual.Request.Header
	for _, name := range slices.Sorted(maps.Keys(o.request.Header)) {
		if kept[name] == nil {
			notes = append(notes, fmt.Sprintf("-H %s is left out: browsers do not let scripts set this header", name))
		}
	}
	if o.cookie != "" && o.request.Credentials != corstest.Include && !slices.ContainsFunc(exchanges(result), func(ex corstest.Exchange) bool { return ex.Request.Header["Cookie"] != nil }) {
		notes = append(notes, "-cookie is left out: without -credentials, browsers send no cookies to another origin")
	}
	return notes
}

// exchanges returns all that was sent, oldest first.
func exchanges(result *corstest.Result) []corstest.Exchange {
	all := slices.Clone(result.Via)
	for _, ex := range []*corstest.Exchange{result.Preflight, result.Actual} {
		if ex != nil {
			all = append(all, *ex)
		}
	}
	return all
}

// isTerminal reports whether f is one that wants colours.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// colour returns a transcript with its requests, responses and verdict set apart.
func colour(text string) string {
	colours := map[string]string{"> ": "36", "< ": "34", "allowed: ": "1;32", "blocked: ": "1;31", "failed: ": "1;31", "advice: ": "33"}
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		for prefix, code := range colours {
			if strings.HasPrefix(line, prefix) {
				lines[i] = "\x1b[" + code + "m" + strings.TrimSuffix(line, "\n") + "\x1b[0m\n"
			}
		}
	}
	return strings.Join(lines, "")
}

// What -json prints.
type jsonReport struct {
	Page      string         `json:"page"`
	Verdict   string         `json:"verdict"` // "allowed", "blocked" or "unknown"
	Blocked   string         `json:"blocked,omitempty"`
	Advice    string         `json:"advice,omitempty"`
	Error     string         `json:"error,omitempty"`
	Preflight []string       `json:"preflightReasons,omitempty"` // why the browser asks first, if it does
	Exchanges []jsonExchange `json:"exchanges,omitempty"`
	Status    int            `json:"status,omitempty"` // as the script sees it, like the rest
	Header    http.Header    `json:"header,omitempty"`
	Body      string         `json:"body,omitempty"`
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
	all := exchanges(result)
	for _, ex := range all {
		scheme := "http://"
		if ex.Request.TLS != nil {
			scheme = "https://"
		}
		e := jsonExchange{Method: ex.Request.Method, URL: scheme + ex.Request.Host + ex.Request.RequestURI, Request: withoutSecrets(ex.Request.Header)}
		if ex.Response != nil {
			e.Status, e.Response = ex.Response.StatusCode, withoutSecrets(ex.Response.Header)
		}
		r.Exchanges = append(r.Exchanges, e)
	}
	if len(all) > 0 && all[0].Request.Header["Access-Control-Request-Method"] != nil {
		r.Preflight = corstest.PreflightReasons(o.request)
	}
	return r
}

// withoutSecrets returns h as a log may show it, as [corstest.Result.String] does.
func withoutSecrets(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Authorization", "Cookie", "Set-Cookie"} {
		if h[name] != nil {
			h.Set(name, "(not shown)")
		}
	}
	return h
}
