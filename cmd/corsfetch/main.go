// Command corsfetch requests a URL as a script on a page would, and reports
// whether a browser would let the script read the response.
//
// Installation:
//
//	go install github.com/f407da42/cors/cmd/corsfetch@latest
//
// Usage:
//
//	corsfetch -page origin [flags] URL
//
// For example:
//
//	corsfetch -page https://app.example.com \
//		-X PUT -H 'Content-Type: application/json' -d '{}' \
//		https://api.example.com/items/1
//
// corsfetch prints the preflight, the request and their responses, with the
// headers that matter for CORS. If a browser would block the request or hide
// the response, it also prints the most likely cause and its fix. It escapes
// control characters in responses, or replaces them with spaces, so a server
// cannot control the terminal.
//
// # Flags
//
//	-page origin     origin of the page, such as https://app.example.com or null;
//	                 required
//	-X method        method; the default is GET, or POST if there is a body
//	-H 'Name: value' header that the script sets; repeatable. To send a header
//	                 without a value, write 'Name;'
//	-d body          body; @file for the content of a file without its line breaks,
//	                 or @- for standard input. Repeated bodies are joined with &.
//	                 The default Content-Type is text/plain, as for a string in
//	                 fetch()
//	-data-raw body   body, even if it begins with @
//	-credentials     send cookies even if the page is on another origin, as
//	                 credentials: 'include' does
//	-b, -cookie 'a=b'
//	                 cookies that the browser has for the host of the URL
//	-k               accept any TLS certificate
//	-resolve host:port:address
//	                 connect to this IP address for host and port; repeatable
//	-i               print all headers, and the first lines of error bodies
//	-scan            report which other origins have the same access as the page;
//	                 see below
//	-m seconds       time limit for all requests together, or with -scan for each
//	                 request. The default is 30. No single response may take
//	                 longer than 30 seconds, regardless of -m
//	-json            print the result as JSON
//	-h               print the flags, and exit with status 0
//
// The flags -X, -H, -d, -data-raw, -b, -k, -resolve, -i and -m work as in curl,
// except:
//
//   - -d sends text/plain.
//   - -H cannot remove a header.
//   - -b does not read a file.
//   - -resolve takes one host, one port and one address.
//   - -X=PUT sends the method PUT, not =PUT.
//
// Unlike --json in curl, -json only selects the output format.
//
// Short flags can be combined, and a value can directly follow its flag. For
// example, -XPUT means -X PUT, and -kd@file means -k -d @file. Flags can follow
// the URL. If the URL has no scheme, corsfetch uses http.
//
// As in browsers, localhost and all names under it resolve to loopback
// addresses. If the server closed an idle connection, corsfetch sends the
// request again.
//
// # Exit status
//
//   - 0: CORS lets the script read the response.
//   - 1: The Fetch standard blocks the request or the response. Browsers agree,
//     with one exception: see Differences from browsers.
//   - 2: The result is unknown, because the command line is invalid, no browser
//     sends such a request, or the server does not respond.
//
// If a response begins but its body does not end in time, the status is 0 or 1.
// To check the status in a script, use the installed command, because go run
// exits with status 1 even if corsfetch exits with 2.
//
// # Scan
//
// With -scan, corsfetch probes the URL from the page and from hostile origins,
// with and without credentials, and prints its findings. It sends only GET,
// HEAD and OPTIONS, so it changes no data, unless the server changes data on
// such requests. The flags -credentials and -i have no effect.
//
// Each finding has a severity: High, Medium, Low or Info. A finding of severity
// Info is an observation, not a fault. The exit status is:
//
//   - 0: All requests got a response, and no finding is above Info.
//   - 1: A finding is above Info.
//   - 2: No finding is above Info, but a request got no response. The status is
//     also 2 if the command line is invalid.
//
// Status 429 and statuses of 500 or above count as no response, unless the page
// itself gets the same status.
//
// # Differences from browsers
//
// Browsers also block requests for reasons other than CORS. corsfetch prints a
// note about one of them, mixed content: an https page cannot request an http
// URL, except on a loopback address. The note does not change the exit status.
//
// The tests compare corsfetch with Chromium on more than 2,000 requests to
// seven servers that were not written for this library: Express with its cors
// package, Fastify with @fastify/cors, nginx, Caddy, Python's http.server,
// gin-contrib/cors and rs/cors. corsfetch and Chromium let scripts read the
// same status, headers and body, with one exception:
//
//   - For Authorization, Chromium accepts * in Access-Control-Allow-Headers, as
//     all browsers do today. corsfetch follows the Fetch standard, which does
//     not allow that, and reports such a request as blocked.
//
// A server can also respond differently to corsfetch, because its requests
// differ from those of browsers:
//
//   - corsfetch sends the User-Agent of Go, and no Accept-Language or Referer.
//   - corsfetch sends Accept-Encoding: gzip only.
//
// Even with -i, the output omits the headers User-Agent, Accept-Encoding and
// Content-Length that corsfetch adds to requests. For the limits of the model
// of a browser, see [github.com/f407da42/cors/corstest].
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/f407da42/cors/corstest"
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

// run runs the command and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if err != nil {
		warn(stderr, err.Error())
		return unknown
	}

	if o.scan {
		transport := newTransport(ctx, o)
		transport.each = o.wait
		return scan(o, &corstest.Browser{Transport: transport, Cookie: o.cookie}, stdout, stderr)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.wait, errLate{o.wait})
	defer cancel()
	transport := newTransport(ctx, o)
	browser := corstest.Browser{Transport: transport, Cookie: o.cookie}
	result := browser.Fetch(o.page, o.request)
	err = result.Err()
	var verdict *corstest.BlockedError
	status := allowed
	switch {
	case result.Preflight == nil && result.Actual == nil:
		status, err = unknown, fmt.Errorf("no browser sends this request: %s", result.Blocked)
		warn(stderr, err.Error())
		if !o.json {
			return status
		}
	case errors.As(err, &verdict):
		status = blocked
	case err != nil:
		status = unknown
	}

	exchanges := exchanges(result)
	if note := o.mixedContent(exchanges); note != "" {
		warn(stderr, note)
	}
	if transport.cut && status == allowed {
		warn(stderr, fmt.Sprintf("the body did not end within %v", o.wait))
	}
	if o.json {
		if err := writeJSON(stdout, report(o, result, status, err)); err != nil {
			warn(stderr, err.Error())
			return unknown
		}
		return status
	}
	text := result.String()
	if o.include {
		text = complete(text, exchanges)
	}
	if isTerminal(stdout) {
		text = color(text)
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return unknown
	}
	if status == unknown {
		warn(stderr, "the result is unknown: "+err.Error())
	}
	return status
}

// mixedContent returns a note if browsers block a request as mixed content
// (Mixed Content, section 4.4).
func (o options) mixedContent(exchanges []corstest.Exchange) string {
	if !strings.HasPrefix(o.page, "https:") {
		return ""
	}
	for _, ex := range exchanges {
		u := &url.URL{Host: ex.Request.Host}
		ip, err := netip.ParseAddr(u.Hostname())
		if ex.Request.TLS == nil && !isLocalhost(u.Hostname()) && !(err == nil && ip.IsLoopback()) {
			return fmt.Sprintf("browsers block http://%s as mixed content, because the page is https:; the result is about CORS alone", ex.Request.Host)
		}
	}
	return ""
}

// exchanges returns all exchanges of a result, oldest first.
func exchanges(result *corstest.Result) []corstest.Exchange {
	all := slices.Clone(result.Via)
	for _, ex := range []*corstest.Exchange{result.Preflight, result.Actual} {
		if ex != nil {
			all = append(all, *ex)
		}
	}
	return all
}
