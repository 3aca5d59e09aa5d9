package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/origin"
)

const usage = `corsfetch requests a URL as a script on a page would, and reports whether a browser lets the script read the response.

usage:   corsfetch -page origin [flags] URL
example: corsfetch -page https://app.example.com -X PUT https://api.example.com/items/1

  -page origin      origin of the page, such as https://app.example.com or null; required
  -X method         method; the default is GET, or POST if there is a body
  -H 'Name: value'  header that the script sets; repeatable. To send a header
                    without a value, write 'Name;'
  -d body           body; @file for the content of a file, or @- for standard input
  -data-raw body    body, even if it begins with @
  -credentials      send cookies even if the page is on another origin, as
                    credentials: 'include' does
  -b, -cookie 'a=b'
                    cookies that the browser has for the host of the URL
  -k                accept any TLS certificate
  -resolve host:port:address
                    connect to this IP address for host and port; repeatable
  -i                print all headers, and the first lines of error bodies
  -scan             report which other origins have the same access as the page;
                    -credentials and -i then have no effect
  -m seconds        time limit for all requests together, or with -scan for each
                    request; the default is 30
  -json             print the result as JSON

exit status:
  0 the script can read the response
  1 the browser blocks the request or the response
  2 unknown: invalid flags, a request that no browser sends, or no response

exit status with -scan:
  0 no finding above Info
  1 a finding above Info
  2 invalid flags, or a request without a response
`

// options are the settings from the command line.
type options struct {
	page     string
	request  corstest.Request
	cookie   string
	insecure bool
	resolve  map[string]string // an IP address for each "host:port"
	include  bool
	scan     bool
	wait     time.Duration
	json     bool
}

// parse reads the command line.
func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("corsfetch", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	o.request.Header = make(http.Header)
	o.resolve = make(map[string]string)
	flags.StringVar(&o.page, "page", "", "")
	flags.StringVar(&o.request.Method, "X", "", "")
	flags.Func("H", "", func(line string) error {
		name, value, found := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !found {
			if name, found = strings.CutSuffix(line, ";"); !found {
				return errors.New(`it has no colon; write a name and a value, as in -H 'Content-Type: application/json'`)
			}
		} else if value == "" { // curl does not send the header
			return fmt.Errorf("it has no value; to send the header without one, write -H '%s;'", name)
		}
		o.request.Header.Add(name, value)
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
			s = strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(string(content)) // as curl does
		}
		data = append(data, s)
		return nil
	})
	flags.Func("data-raw", "", func(s string) error { data = append(data, s); return nil })
	credentials := flags.Bool("credentials", false, "")
	flags.StringVar(&o.cookie, "cookie", "", "")
	flags.StringVar(&o.cookie, "b", "", "")
	flags.BoolVar(&o.insecure, "k", false, "")
	flags.Func("resolve", "", func(s string) error {
		parts := strings.SplitN(s, ":", 3)
		if len(parts) == 3 {
			address, err := netip.ParseAddr(strings.Trim(parts[2], "[]"))
			if err == nil && parts[0] != "" && parts[0] != "*" && !strings.ContainsAny(parts[0][:1], "+-") && isPort(parts[1]) {
				o.resolve[strings.ToLower(parts[0]+":"+parts[1])] = address.String()
				return nil
			}
		}
		return errors.New("it must have a host, a port and an IP address, as in -resolve api.example.com:443:127.0.0.1")
	})
	flags.BoolVar(&o.include, "i", false, "")
	flags.BoolVar(&o.scan, "scan", false, "")
	seconds := flags.Float64("m", 30, "")
	flags.BoolVar(&o.json, "json", false, "")

	var targets []string
	for rest := splitShort(flags, args); ; {
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
		return o, errors.New("-page is missing; write the origin of a page, as in -page https://app.example.com")
	}
	if p, err := origin.Parse(o.page); err != nil {
		return o, fmt.Errorf("-page: %q %w", o.page, err)
	} else if strings.Contains(o.page, "*") {
		return o, fmt.Errorf("-page: %q is a pattern; write the origin of one page, as in -page https://%s", o.page, strings.TrimPrefix("app."+p.Host, "."))
	}
	if len(targets) != 1 {
		return o, fmt.Errorf("%d URLs given; write one, as in https://api.example.com/items/1", len(targets))
	}
	o.request.URL = targets[0]
	if scheme, _, found := strings.Cut(o.request.URL, "://"); !found || strings.ContainsAny(scheme, "/?#") {
		o.request.URL = "http://" + o.request.URL
	}
	u, err := url.Parse(o.request.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Host == "http:" || u.Host == "https:" {
		return o, fmt.Errorf("%q is not an http or https URL; write it in full, as in https://api.example.com/items/1", targets[0])
	}
	o.request.Body = strings.Join(data, "&")
	if o.request.Method == "" && data != nil {
		o.request.Method = http.MethodPost
	}
	if *credentials {
		o.request.Credentials = corstest.Include
	}
	if o.wait = time.Duration(*seconds * float64(time.Second)); o.wait <= 0 {
		return o, fmt.Errorf("-m: %v is not a valid time limit; write a number of seconds, such as 10", *seconds)
	}
	return o, nil
}

// splitShort splits short flags as curl does, because package flag does not:
// -XPUT becomes -X PUT, and -kXPUT becomes -k -X PUT.
func splitShort(flags *flag.FlagSet, args []string) (split []string) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") || arg == "-" || arg == "--" {
			split = append(split, arg)
			continue
		}
		name, _, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		f := flags.Lookup(name)
		short := flags.Lookup(arg[1:2])
		switch {
		case f != nil && !hasValue && !isBool(f) && len(args) > 0:
			split = append(split, arg, args[0])
			args = args[1:]
		case f != nil || short == nil:
			split = append(split, arg)
		case isBool(short):
			split = append(split, arg[:2])
			args = append([]string{"-" + arg[2:]}, args...)
		default:
			split = append(split, arg[:2], arg[2:])
		}
	}
	return split
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

func isBool(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}
