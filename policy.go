package cors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/f407da42/cors/internal/header"
	"github.com/f407da42/cors/internal/origin"
)

// A Policy defines what pages on other origins may do. The zero Policy allows
// them nothing.
//
// [New] and [Middleware.SetPolicy] refuse a Policy that contains a mistake, allows
// every web origin with credentials, or takes a Risk that is not in AcceptRisks.
//
// A Policy can be read from and written as JSON. Put it into a configuration
// struct as a named field: the JSON methods of an embedded Policy would take
// over the whole struct.
type Policy struct {
	// AllowedOrigins lists the origins, and patterns of origins, whose pages may
	// send requests and read responses. If it is empty, it allows no origin.
	//
	// An origin is written as browsers send it, and compared byte for byte:
	//
	//	https://example.com             this host, over HTTPS, on the default port
	//	http://localhost:8080           this host, over HTTP, on this port
	//	chrome-extension://aghbiahbpai  another scheme
	//	app://.                         an app's own scheme, with the host "."
	//
	// In a pattern, "*" can stand for the host, one or more whole labels, the port,
	// or part of the first label, beside a hyphen:
	//
	//	https://*.example.com               subdomains at any depth, but not example.com itself
	//	https://proj-*-team.vercel.app      one or more characters in place of "*": a-z, 0-9, "-" or "_"
	//	http://localhost:*                  any port, or none; the patterns above can also end in ":*"
	//	moz-extension://*                   every origin of a scheme, on every port
	//	https://*                           every HTTPS origin on the web
	//	*                                   every origin; must be the only entry, without AllowOriginFunc
	//
	// Before you write a pattern, find out who can get a host that matches it. For
	// example, anyone can deploy to https://proj-evil-team.vercel.app. New refuses
	// such patterns with AllowCredentials, unless RiskPublicSuffix is accepted.
	//
	// Even without AllowCredentials, form posts and WebSocket handshakes from every
	// allowed origin can carry the user's cookies. With "*", "https://*" or
	// "http://*", they can come from any page on the web.
	//
	// The following entries are examples of mistakes. The error names the remedy:
	//
	//	example.com              has no scheme
	//	https://example.com/     has a path; a query or a user is also refused
	//	https://Example.com      is not lowercase; write Unicode names in Punycode
	//	https://example.com:443  has the default port of its scheme
	//	http://[0:0::1]          is not a canonical IP address
	//	https://*example.com     has a "*" without a dot or hyphen after it
	//	https://*-example.com    allows names that anyone can register, such as evil-example.com
	//
	// See Risk for "null", "file://", and the entries refused with
	// AllowCredentials.
	AllowedOrigins []string

	// AllowOriginFunc, if not nil, reports whether to allow an origin that
	// AllowedOrigins does not allow, such as one that a tenant registered. Handler
	// calls it at most once for each request, in the goroutine of the request, and
	// Check calls it when Handler would. Calls can be concurrent.
	//
	// It is called only for valid origins of at most 512 bytes, and for "null" and
	// "file://" only if RiskNullOrigin is accepted. New cannot check a function:
	// with AllowCredentials, one that always returns true lets every page on the
	// web act as your users.
	//
	// If the result depends on headers other than Origin, add them to Vary in a
	// handler around Handler. The function must not change the request.
	AllowOriginFunc func(r *http.Request, origin string) bool

	// AllowedMethods lists the methods that scripts on allowed origins may use,
	// beyond GET, HEAD and POST. CORS always allows those three (Fetch,
	// "CORS-safelisted method"). "*" allows any method. With AllowCredentials,
	// browsers take "*" literally, so Handler sends the requested method.
	//
	// Browsers enforce the list. Handler does not compare the method of an
	// actual request with it.
	//
	//	PUT, PATCH, PURGE      sent as they are
	//	put                    refused: methods are case-sensitive; write PUT
	//	OPTION                 refused: a misspelling of OPTIONS
	//	CONNECT, TRACE, TRACK  accepted and left out: browsers do not let scripts use them
	AllowedMethods []string

	// AllowedHeaders lists the request headers that scripts on allowed origins may
	// set. Names are case-insensitive. CORS always allows a few headers (Fetch,
	// "CORS-safelisted request-header"): Accept, Accept-Language, Content-Language,
	// a Content-Type that an HTML form can send, and simple values of Range. "*"
	// allows any header. Without AllowCredentials, it does not cover Authorization,
	// so list that as well. With AllowCredentials, browsers take "*" literally, so
	// Handler sends the requested names.
	//
	//	Authorization, X-Request-Id   sent as they are
	//	Content-Type                  needed for application/json, among others
	//	Cookie                        refused: set AllowCredentials
	//	Origin, Content-Length        accepted and left out: browsers set them
	//	Sec-Custom, Proxy-Custom      refused: scripts cannot set such names
	AllowedHeaders []string

	// ExposedHeaders lists the response headers that scripts on allowed origins
	// may read. Names are case-insensitive. CORS always exposes a few headers
	// (Fetch, "CORS-safelisted response-header name"): Cache-Control,
	// Content-Language, Content-Length, Content-Type, Expires, Last-Modified and
	// Pragma. "*" allows any header.
	//
	//	ETag, X-Total-Count   sent as they are
	//	Set-Cookie            refused: scripts can never read it
	//	*                     refused with AllowCredentials: browsers then take it literally
	ExposedHeaders []string

	// AllowCredentials lets scripts on allowed origins send requests with
	// cookies, TLS client certificates and HTTP authentication, and read the
	// responses. Such scripts act as the user.
	//
	// Without it, requests that need no preflight, such as form posts, can still
	// carry cookies and run your handler. Only the response is hidden. WebSocket
	// handshakes can always carry cookies, and the page can read the messages.
	//
	// Scripts that set the Authorization header need AllowedHeaders, not this. With
	// AllowCredentials, New always refuses "*", "https://*" and "http://*". It
	// refuses other risky origins unless AcceptRisks includes the risk.
	AllowCredentials bool

	// MaxAge is how long browsers may reuse a preflight response, in whole seconds.
	// If it is zero, browsers use 5 seconds. If it is negative, such as -1, Handler
	// sends 0, and they never reuse the response. Firefox limits it to 24 hours,
	// Chromium to 2 hours, and WebKit to 10 minutes.
	MaxAge time.Duration

	// PublicSuffixes, if not nil, adds to the public suffixes that this package
	// knows (see RiskPublicSuffix). You can use publicsuffix.List from
	// golang.org/x/net/publicsuffix. Only New and SetPolicy use it.
	PublicSuffixes cookiejar.PublicSuffixList

	// AcceptRisks is the bitwise OR of the risks to accept. New refuses a policy that
	// takes any other risk.
	AcceptRisks Risk

	// PassRejected passes rejected requests to the handler, without CORS headers,
	// as most CORS packages do. OnReject is called as usual. Set it to try out a
	// new policy, or if another layer protects against cross-site request forgery.
	//
	// It does not apply to preflights, or to requests with an Upgrade header or the
	// method CONNECT: the page of a WebSocket could read its messages.
	PassRejected bool

	// DenyHandler, if not nil, serves rejected requests instead of the default 403
	// in plain text. With PassRejected, it serves only the requests that
	// PassRejected does not apply to. Handler sets Vary and Cache-Control: no-store
	// before it calls DenyHandler. If DenyHandler performs the requested action,
	// the policy no longer protects against cross-site request forgery.
	DenyHandler http.Handler

	// OnReject, if not nil, is called for each rejected request before the response
	// is written. It is also called for each preflight for a method or request
	// header that the policy does not allow. The browser then does not send the
	// actual request. OnReject runs in the goroutine of the request, and must not
	// change the request. Calls can be concurrent.
	OnReject func(r *http.Request, err *RequestError)
}

// clone returns a copy of p that shares no slice with p.
func (p Policy) clone() Policy {
	p.AllowedOrigins = slices.Clone(p.AllowedOrigins)
	p.AllowedMethods = slices.Clone(p.AllowedMethods)
	p.AllowedHeaders = slices.Clone(p.AllowedHeaders)
	p.ExposedHeaders = slices.Clone(p.ExposedHeaders)
	return p
}

// policyJSON has the fields of a Policy that JSON can hold.
type policyJSON struct {
	AllowedOrigins, AllowedMethods, AllowedHeaders, ExposedHeaders jsonList     `json:",omitempty"`
	AllowCredentials                                               bool         `json:",omitempty"`
	MaxAge                                                         jsonDuration `json:",omitempty"`
	AcceptRisks                                                    Risk         `json:",omitempty"`
	PassRejected                                                   bool         `json:",omitempty"`
}

func (p *Policy) toJSON() policyJSON {
	return policyJSON{
		p.AllowedOrigins, p.AllowedMethods, p.AllowedHeaders, p.ExposedHeaders,
		p.AllowCredentials, jsonDuration(p.MaxAge), p.AcceptRisks, p.PassRejected,
	}
}

// jsonList is a list that null leaves unchanged.
type jsonList []string

func (l *jsonList) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	*l = nil // do not decode into the old slice
	return json.Unmarshal(b, (*[]string)(l))
}

// jsonDuration is a duration as text, such as "2h0m0s".
type jsonDuration time.Duration

func (d jsonDuration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

func (d *jsonDuration) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	parsed, err := time.ParseDuration(strings.Trim(string(b), `"`))
	if err != nil || b[0] != '"' {
		return fmt.Errorf(`MaxAge: %s is not a duration; write text with a unit, such as "2h"`, b)
	}
	*d = jsonDuration(parsed)
	return nil
}

// MarshalJSON returns p as JSON, without its functions and interfaces. MaxAge
// and AcceptRisks are encoded as text, such as "2h0m0s" and "insecure-origin".
// Zero fields are left out. Undefined bits in AcceptRisks cause an error.
func (p Policy) MarshalJSON() ([]byte, error) {
	return json.Marshal(p.toJSON())
}

// UnmarshalJSON sets the fields of p that b contains, in the form that
// MarshalJSON returns. Other fields keep their values, and null changes nothing.
// A list replaces the old list and shares no memory with it. UnmarshalJSON
// returns an error, and leaves p unchanged, if b has an unknown field or risk,
// or if MaxAge is a number.
func (p *Policy) UnmarshalJSON(b []byte) error {
	fields := p.toJSON()
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&fields); err != nil {
		return fmt.Errorf("cors: Policy in JSON: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("cors: Policy in JSON: invalid text after the value")
	}
	p.AllowedOrigins, p.AllowedMethods = fields.AllowedOrigins, fields.AllowedMethods
	p.AllowedHeaders, p.ExposedHeaders = fields.AllowedHeaders, fields.ExposedHeaders
	p.AllowCredentials, p.MaxAge = fields.AllowCredentials, time.Duration(fields.MaxAge)
	p.AcceptRisks, p.PassRejected = fields.AcceptRisks, fields.PassRejected
	return nil
}

// A Risk is a bit set of risks. [New] refuses a policy that takes a risk not in
// AcceptRisks. The zero value is the empty set.
type Risk uint

const (
	// RiskInsecureOrigin accepts http: origins together with AllowCredentials.
	// Anyone who controls a network between a user and an http: origin can change
	// its pages, and so act as the user. Loopback origins are exempt: localhost,
	// *.localhost, and IP addresses such as 127.0.0.1. The text form of the risk is
	// "insecure-origin".
	RiskInsecureOrigin Risk = 1 << iota

	// RiskPublicSuffix accepts patterns for names that anyone can register,
	// together with AllowCredentials. Examples are https://*.github.io,
	// https://proj-*.vercel.app and moz-extension://*. A domain counts as a
	// public suffix if this package or PublicSuffixes knows it, or if it is a
	// single label such as com. A domain above a suffix also counts, such as
	// azure.com, because cloudapp.azure.com is a suffix that this package knows.
	// The text form of the risk is "public-suffix".
	RiskPublicSuffix

	// RiskNullOrigin accepts "null" and "file://" in AllowedOrigins, and lets
	// AllowOriginFunc allow them. Any page can send "null" from a sandboxed iframe,
	// so with AllowCredentials, any page can act as your users. Any local file can
	// send "file://" in some embedded browsers. The text form is "null-origin".
	RiskNullOrigin

	undefinedRisk // first bit that is not a risk
)

// riskNames are the texts of the risks, in the order of their bits.
var riskNames = [...]string{"insecure-origin", "public-suffix", "null-origin"}

// String returns the text that MarshalText returns. It returns "0" for the zero
// value, and a number if r has undefined bits.
func (r Risk) String() string {
	text, err := r.MarshalText()
	if err != nil || r == 0 {
		return strconv.FormatUint(uint64(r), 10)
	}
	return string(text)
}

// MarshalText returns the texts of the risks in r, joined with "|". It returns
// an empty text for the zero value, and an error if r has undefined bits.
func (r Risk) MarshalText() ([]byte, error) {
	if r >= undefinedRisk {
		return nil, fmt.Errorf("risk %d has undefined bits", uint(r))
	}
	var texts []string
	for i, text := range riskNames {
		if r&(1<<i) != 0 {
			texts = append(texts, text)
		}
	}
	return []byte(strings.Join(texts, "|")), nil
}

// UnmarshalText sets r to the risks in text, which has the form that MarshalText
// returns. If a name is unknown, it returns an error and leaves r unchanged.
func (r *Risk) UnmarshalText(text []byte) error {
	var accepted Risk
	if len(text) > 0 {
		for name := range strings.SplitSeq(string(text), "|") {
			i := slices.Index(riskNames[:], name)
			if i < 0 {
				return fmt.Errorf("unknown risk %q; write one or more of %s, joined with \"|\"", name, strings.Join(riskNames[:], ", "))
			}
			accepted |= 1 << i
		}
	}
	*r = accepted
	return nil
}

// A PolicyError describes one mistake in a [Policy].
type PolicyError struct {
	// Field is the name of the field of Policy, such as "AllowedOrigins".
	Field string

	// Index is the index of the faulty element, or -1 if Field is not a list.
	Index int

	// Value is the faulty element, or the value of the field.
	Value string

	// Reason names the fault and the remedy. It continues a sentence that begins
	// with Value, as in `has no scheme; did you mean "https://example.com"?`.
	Reason string
}

// Error returns a one-line message that contains all fields of e.
func (e *PolicyError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("cors: %s: %q %s", e.Field, e.Value, e.Reason)
	}
	return fmt.Sprintf("cors: %s[%d]: %q %s", e.Field, e.Index, e.Value, e.Reason)
}

// A RequestError describes why a request was rejected, or why a browser will
// stop after a preflight.
type RequestError struct {
	// Preflight reports whether the request is a preflight.
	Preflight bool

	// Field is the name of the request header at fault: Origin,
	// Access-Control-Request-Method or Access-Control-Request-Headers. It is
	// Sec-Fetch-Site if a request from another site or origin has no Origin.
	Field string

	// Value is the origin, the method, the first request header that is not
	// allowed, or the value of Sec-Fetch-Site. If the list of request headers is
	// too long, Value is its beginning. If Origin, Access-Control-Request-Method or
	// Sec-Fetch-Site is repeated, Value is its first two values, joined with ", ".
	// Value comes from the client. It is truncated to 512 bytes, but not sanitized.
	Value string

	reason string // predicate of the message; empty for the default of Field
}

// Error returns a one-line message that names the fault and quotes Value.
//
// The message can name entries of the policy, so log it and do not send it to
// clients.
func (e *RequestError) Error() string {
	request := "request"
	if e.Preflight {
		request = "preflight"
	}
	subject, reason := "origin", "is not in AllowedOrigins"
	switch e.Field {
	case header.RequestMethod:
		subject, reason = "method", "is not in AllowedMethods"
	case header.RequestHeaders:
		subject, reason = "request header", "is not in AllowedHeaders"
	case header.SecFetchSite:
		subject, reason = header.SecFetchSite, "shows a page on another site or origin, but Origin is missing"
	}
	if e.reason != "" {
		reason = e.reason
	}
	return fmt.Sprintf("cors: %s: %s %q %s", request, subject, e.Value, reason)
}

// compiled is a valid policy in a form that is fast to match with requests. It
// is immutable.
type compiled struct {
	policy            Policy
	anyOrigin         bool
	origins           origin.Set
	actualLines       []line // headers of a response to an actual request, without origin and Vary
	vary              string // addition to Vary; empty if every origin is allowed
	methods           map[string]struct{}
	anyMethod         bool
	echoMethod        bool     // the requested method is added if it is allowed
	requestHeaders    []string // lowercase, sorted
	anyRequestHeader  bool
	echoHeaders       bool   // the requested headers are added if all are allowed
	maxRequestHeaders int    // length in bytes of the longest list that is read
	preflightLines    []line // headers of a preflight response, without origin, Vary and echo
	preflightVary     string // addition to Vary in preflight responses
}

type line struct{ name, value string }

// maxEcho is the length, in bytes, of the longest method that is compared. With
// "*", it is also the least limit for the length of a list of request headers.
const maxEcho = 8 << 10

// compile returns the compiled form of p, or an error that joins all mistakes.
func compile(p Policy) (*compiled, error) {
	c := &compiled{policy: p.clone()}
	if p.AllowCredentials {
		c.actualLines = append(c.actualLines, line{header.AllowCredentials, "true"})
		c.preflightLines = append(c.preflightLines, line{header.AllowCredentials, "true"})
	}
	var errs policyErrors
	c.compileOrigins(&errs)
	c.compileMethods(&errs)
	c.compileRequestHeaders(&errs)
	c.compileExposedHeaders(&errs)
	c.compileMaxAge(&errs)
	if p.AcceptRisks >= undefinedRisk {
		errs.add("AcceptRisks", -1, p.AcceptRisks.String(), "has undefined bits; join RiskInsecureOrigin, RiskPublicSuffix and RiskNullOrigin")
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if c.anyOrigin {
		return c, nil
	}
	c.vary, c.preflightVary = header.Origin, header.Origin
	if c.echoMethod {
		c.preflightVary += ", " + header.RequestMethod
	}
	if c.echoHeaders {
		c.preflightVary += ", " + header.RequestHeaders
	}
	return c, nil
}

type policyErrors []error

// add adds a mistake unless reason is empty.
func (errs *policyErrors) add(field string, index int, value, reason string) {
	if reason != "" {
		*errs = append(*errs, &PolicyError{Field: field, Index: index, Value: value, Reason: reason})
	}
}

func (c *compiled) compileOrigins(errs *policyErrors) {
	p := &c.policy
	c.origins.Grow(p.AllowedOrigins)
	for i, s := range p.AllowedOrigins {
		if s == "*" {
			if !c.anyOrigin { // only once for repeated entries
				c.anyOrigin = true
				p.checkAnyOrigin(errs, i)
			}
			continue
		}
		o, err := origin.Parse(s)
		if err != nil {
			errs.add("AllowedOrigins", i, s, err.Error())
			continue
		}
		if origin.IsOpaque(s) && p.AcceptRisks&RiskNullOrigin == 0 {
			source := "page, in a sandboxed iframe"
			if s != "null" {
				source = "file on the user's disk"
			}
			errs.add("AllowedOrigins", i, s, "can be the origin of any "+source+"; serve your page over HTTP and list its origin, or accept RiskNullOrigin")
		}
		if p.AllowCredentials {
			p.checkRisks(errs, i, o)
		}
		c.origins.Add(o)
	}
}

// checkAnyOrigin checks that nothing conflicts with p.AllowedOrigins[i], a "*".
func (p *Policy) checkAnyOrigin(errs *policyErrors, i int) {
	if slices.ContainsFunc(p.AllowedOrigins, func(s string) bool { return s != "*" }) {
		errs.add("AllowedOrigins", i, "*", "already allows every other entry; remove those, or remove this")
	}
	if p.AllowOriginFunc != nil {
		errs.add("AllowedOrigins", i, "*", "never lets AllowOriginFunc decide; remove the function, or remove this")
	}
	if p.AllowCredentials {
		errs.add("AllowedOrigins", i, "*", "is blocked by browsers together with credentials; "+anyOriginRemedy)
	}
}

// anyOriginRemedy is the remedy for any origin with credentials.
const anyOriginRemedy = "if scripts send a token in Authorization, remove AllowCredentials and list Authorization in AllowedHeaders; if they need cookies, list the origins"

// checkRisks checks o, which is p.AllowedOrigins[i], for risks with credentials.
func (p *Policy) checkRisks(errs *policyErrors, i int, o origin.Pattern) {
	s := p.AllowedOrigins[i]
	if o.Wildcard == origin.AnyHost && (o.Scheme == "http" || o.Scheme == "https") {
		errs.add("AllowedOrigins", i, s, "with AllowCredentials lets every page on the web act as your users; "+anyOriginRemedy)
		return
	}
	if o.Scheme == "http" && !o.IsLoopback() && p.AcceptRisks&RiskInsecureOrigin == 0 {
		errs.add("AllowedOrigins", i, s, "with AllowCredentials lets anyone who controls a network act as your users; write https:// instead of http://, or accept RiskInsecureOrigin")
	}
	suffix, public := o.PublicSuffix(p.PublicSuffixes)
	if !public || p.AcceptRisks&RiskPublicSuffix != 0 {
		return
	}
	who := fmt.Sprintf("anyone who can register a name under %q", suffix)
	if o.Wildcard == origin.AnyHost {
		who = fmt.Sprintf("every page with the scheme %q", o.Scheme)
	} else if origin.IsReserved(suffix) {
		who = fmt.Sprintf("every host under %q", suffix)
	}
	errs.add("AllowedOrigins", i, s, "with AllowCredentials lets "+who+" act as your users; list the origins that you trust, or accept RiskPublicSuffix")
}

func (c *compiled) compileMethods(errs *policyErrors) {
	list, wild := c.names(errs, "AllowedMethods", c.policy.AllowedMethods, header.FaultOfMethod)
	c.anyMethod, c.echoMethod = wild, wild && c.policy.AllowCredentials
	list = header.Unique(list)
	c.methods = make(map[string]struct{}, len(list))
	for _, method := range list {
		c.methods[method] = struct{}{}
	}
	c.preflightLines = appendList(c.preflightLines, header.AllowMethods, slices.DeleteFunc(list, header.IsForbiddenMethod))
}

// names returns the elements of a field that lists methods or request headers,
// and whether "*" is one of them. With credentials, browsers take "*" literally,
// so the list lacks it, and preflight responses echo the requested names.
func (c *compiled) names(errs *policyErrors, field string, elements []string, fault func(string) string) (list []string, wild bool) {
	for i, s := range elements {
		if s == "*" {
			wild = true
			if c.policy.AllowCredentials {
				continue
			}
		} else {
			errs.add(field, i, s, fault(s))
		}
		list = append(list, s)
	}
	return list, wild
}

func (c *compiled) compileRequestHeaders(errs *policyErrors) {
	list, wild := c.names(errs, "AllowedHeaders", c.policy.AllowedHeaders, header.FaultOfRequestHeader)
	c.anyRequestHeader, c.echoHeaders = wild, wild && c.policy.AllowCredentials
	for i, name := range list {
		list[i] = http.CanonicalHeaderKey(name)
	}
	list = header.Unique(list)
	// All names with ", ", and 512 bytes of white space, or of names not listed.
	c.maxRequestHeaders = 512
	for _, name := range list {
		c.requestHeaders = append(c.requestHeaders, strings.ToLower(name))
		c.maxRequestHeaders += len(name) + len(", ")
	}
	slices.Sort(c.requestHeaders)
	if c.anyRequestHeader {
		c.maxRequestHeaders = max(c.maxRequestHeaders, maxEcho)
	}
	sent := slices.DeleteFunc(list, header.IsForbiddenRequestHeader)
	c.preflightLines = appendList(c.preflightLines, header.AllowHeaders, sent)
}

func (c *compiled) compileExposedHeaders(errs *policyErrors) {
	var list []string
	for i, s := range c.policy.ExposedHeaders {
		errs.add("ExposedHeaders", i, s, header.FaultOfResponseHeader(s, c.policy.AllowCredentials))
		list = append(list, http.CanonicalHeaderKey(s))
	}
	c.actualLines = appendList(c.actualLines, header.ExposeHeaders, header.Unique(list))
}

func (c *compiled) compileMaxAge(errs *policyErrors) {
	age := c.policy.MaxAge
	switch {
	case age == 0:
	case age < 0:
		c.preflightLines = append(c.preflightLines, line{header.MaxAge, "0"})
	case age <= 24*60*60: // a day, if it was meant in seconds
		errs.add("MaxAge", -1, age.String(), fmt.Sprintf("is less than a second; did you mean %d*time.Second?", age))
	case age%time.Second != 0:
		errs.add("MaxAge", -1, age.String(), "must be in whole seconds; write a multiple of time.Second")
	default:
		c.preflightLines = append(c.preflightLines, line{header.MaxAge, strconv.FormatInt(int64(age/time.Second), 10)})
	}
}

// appendList appends a header that lists names, unless there are none.
func appendList(lines []line, name string, names []string) []line {
	if len(names) == 0 {
		return lines
	}
	return append(lines, line{name, strings.Join(names, ", ")})
}
