package cors

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/f407da42/cors/internal/header"
	"github.com/f407da42/cors/internal/origin"
)

// A Policy says which pages of other origins may do what. The zero Policy
// allows them nothing.
//
// [New] and [Middleware.SetPolicy] refuse a Policy with a mistake in it. A
// Policy can be written as JSON and read back, without its functions and
// interfaces; MaxAge is in nanoseconds there, as of any [time.Duration].
type Policy struct {
	// AllowedOrigins lists the origins, and patterns of origins, whose pages
	// may send requests and read responses. Empty, it allows none.
	//
	// An origin is written as browsers write it, and compared byte for byte:
	//
	//	https://example.com             this host, over HTTPS, on its default port
	//	http://localhost:8080           this host, over HTTP, on this port
	//	http://[::1]:8080               an IPv6 address
	//	chrome-extension://aghbiahbpai  any other scheme
	//	app://.                         whatever the pages of an app have
	//
	// A pattern has a "*" as its first label, within that between hyphens, as
	// its port, or as a host of a scheme other than http and https; or it is
	// nothing but "*":
	//
	//	https://*.example.com               any subdomain, however deep, but not example.com itself
	//	https://proj-*-team.vercel.app      one or more of a-z, 0-9, "-" and "_"
	//	http://localhost:*                  any port, or none; also after the two above
	//	moz-extension://*                   any host of that scheme
	//	*                                   any origin; stands alone, without AllowOriginFunc
	//
	// Refused, with what to write instead in the error, are for example:
	//
	//	example.com              no scheme, or a misspelled one
	//	https://example.com/     a path, even an empty one; also a query or a user
	//	https://Example.com      upper case; also Unicode: write Punycode
	//	https://example.com:443  the scheme's default port; also port 0 or over 65535
	//	https://1.2.3            a number last, but no IPv4 address in canonical form
	//	http://[0:0::1]          an IPv6 address not in canonical form
	//	https://*example.com     a "*" elsewhere; also before an IP address
	//	file:///index.html       pages from files have the origin "null"
	//
	// See AcceptRisks for "null" and "file://", and for more that is refused
	// together with AllowCredentials.
	AllowedOrigins []string

	// AllowOriginFunc, if not nil, is asked about origins that AllowedOrigins
	// does not allow, and says whether to allow them, for example because a
	// tenant has registered them. It is called in the request's goroutine, by
	// several at once, by Handler at most once for each request.
	//
	// It only sees well-formed origins: those that AllowedOrigins could list, of
	// at most 512 bytes, and "null" and "file://" only if RiskNullOrigin is
	// accepted. Whether an origin it allows deserves AllowCredentials is its
	// responsibility. If it looks at request headers other than Origin, these
	// belong in Vary, also where the wrapped handler does not run: a handler
	// around Handler has to add them. It must not change the request:
	// Sec-Fetch-Site and Host are looked at after it has said no.
	AllowOriginFunc func(r *http.Request, origin string) bool `json:"-"`

	// AllowedMethods lists the methods of requests that allowed origins may
	// send, beyond GET, HEAD and POST, which CORS always allows
	// ("CORS-safelisted methods"). "*" stands for any method.
	//
	//	PUT, PATCH, PURGE      methods, in the case in which they are sent
	//	put, Patch             refused: methods are case-sensitive
	//	CONNECT, TRACE, TRACK  refused: browsers do not let scripts send them
	AllowedMethods []string

	// AllowedHeaders lists the request headers that scripts of allowed origins
	// may set, in any case, beyond those that CORS always allows
	// ("CORS-safelisted request-headers": Accept, Accept-Language,
	// Content-Language, the Content-Type of a form or of plain text, and simple
	// cases of Range). "*" stands for any, except
	// Authorization where AllowCredentials is not set: list both to allow both.
	//
	//	Authorization, X-Request-Id   names
	//	Content-Type                  needed for application/json, among others
	//	Cookie                        refused: set AllowCredentials
	//	Origin, Host, Sec-…, Proxy-…  refused: scripts cannot set them
	//	Access-Control-Allow-Origin   refused: CORS response headers are not sent by clients
	AllowedHeaders []string

	// ExposedHeaders lists the response headers that scripts of allowed origins
	// may read, in any case, beyond those that CORS always exposes
	// ("CORS-safelisted response-header names"). "*" stands for any, and is
	// refused together with AllowCredentials, where browsers take it for a name.
	//
	//	ETag, X-Total-Count                names
	//	Set-Cookie                         refused: scripts can never read it
	//	Origin, Access-Control-Max-Age, …  refused: not for scripts to read
	ExposedHeaders []string

	// AllowCredentials lets scripts of allowed origins read the responses to
	// requests that carry cookies, TLS client certificates or HTTP
	// authentication, and send such requests where these need a preflight: they
	// act with the rights of the user. Without it, requests that need no
	// preflight, such as form posts, still carry cookies and run the handler;
	// only the response is hidden. WebSocket handshakes carry cookies either
	// way, and nothing is hidden. Setting the Authorization header in a script
	// needs AllowedHeaders, not this.
	//
	// Refused together with any origin ("*"), and see AcceptRisks.
	AllowCredentials bool

	// MaxAge is how long browsers may reuse the answer to a preflight. It is
	// sent in seconds, and fractions of one are refused. Zero leaves it to
	// browsers, which take 5 seconds; negative has every preflight asked
	// anew. More than 24 hours is refused, as no browser honours it; Chromium
	// honours at most 2 hours.
	MaxAge time.Duration

	// PublicSuffixes, if not nil, tells which domains anybody can register
	// names under, for RiskPublicSuffix. The List of
	// golang.org/x/net/publicsuffix is one. The package's own suffixes always
	// count as well. It is used only while
	// a policy is compiled.
	PublicSuffixes cookiejar.PublicSuffixList `json:"-"`

	// AcceptRisks names the risks to accept, of those that a policy is
	// otherwise refused for, joined with "|".
	AcceptRisks Risk

	// DenyHandler, if not nil, answers rejected requests, in place of a 403 in
	// plain text. The response says Vary: Origin already, and has no CORS
	// header. DenyHandler must not do what the request asks for, except while it
	// is only to be seen what would be rejected: see the example ObserveFirst.
	DenyHandler http.Handler `json:"-"`

	// OnReject, if not nil, is told of each rejected request, before that is
	// answered, and of each preflight that asks for a method or request header
	// that is not allowed, which the browser will stop at. It runs in the
	// request's goroutine, several at once: to log, or to count. Strings in err
	// come from the client.
	OnReject func(r *http.Request, err *RequestError) `json:"-"`
}

// clone returns a copy of p that shares no memory with it that can change.
func (p Policy) clone() Policy {
	p.AllowedOrigins = slices.Clone(p.AllowedOrigins)
	p.AllowedMethods = slices.Clone(p.AllowedMethods)
	p.AllowedHeaders = slices.Clone(p.AllowedHeaders)
	p.ExposedHeaders = slices.Clone(p.ExposedHeaders)
	return p
}

// A Risk is something that a [Policy] is refused for, unless its AcceptRisks
// says that it is meant. The zero value accepts no risk.
type Risk uint

const (
	// RiskInsecureOrigin accepts http: origins together with AllowCredentials,
	// other than loopback ones: localhost, *.localhost and IP addresses such
	// as 127.0.0.1. Whoever controls a network between a user and such an
	// origin can alter its pages, and so act with the rights of the user. Its
	// text is "insecure-origin".
	RiskInsecureOrigin Risk = 1 << iota

	// RiskPublicSuffix accepts a pattern for names that anybody can register,
	// such as https://*.github.io or https://proj-*.vercel.app, or for any host
	// of a scheme, together with AllowCredentials. A public
	// suffix is a single label, such as com, except localhost; a domain in
	// PublicSuffixes; or one of more than a hundred that the package knows. If the
	// package knows a suffix further down, such as cloudapp.azure.com, the
	// pattern https://*.azure.com is also refused. Its text is "public-suffix".
	RiskPublicSuffix

	// RiskNullOrigin accepts the origins "null" and "file://" in AllowedOrigins,
	// and lets AllowOriginFunc be asked about them. Any page can have the former,
	// by way of a sandboxed iframe, and any file the latter. Its text is
	// "null-origin".
	RiskNullOrigin

	noRisk // the first bit that is none
)

// riskNames are the texts of risks, in the order of their bits.
const riskNames = "insecure-origin|public-suffix|null-origin"

// MarshalText returns the texts of the risks in r, joined with "|", or nothing
// for the zero value. It returns an error if r has a bit that is no risk.
func (r Risk) MarshalText() ([]byte, error) {
	if r >= noRisk {
		return nil, fmt.Errorf("cors: %d is no risk; join RiskInsecureOrigin, RiskPublicSuffix and RiskNullOrigin", uint(r))
	}
	var texts []string
	for i, text := range strings.Split(riskNames, "|") {
		if r&(1<<i) != 0 {
			texts = append(texts, text)
		}
	}
	return []byte(strings.Join(texts, "|")), nil
}

// UnmarshalText sets r to what MarshalText returned as text. It returns an
// error, and leaves r alone, if a risk in text has another name.
func (r *Risk) UnmarshalText(text []byte) error {
	var accepted Risk
	if len(text) > 0 {
		for name := range strings.SplitSeq(string(text), "|") {
			i := slices.Index(strings.Split(riskNames, "|"), name)
			if i < 0 {
				return fmt.Errorf("cors: %q is no risk; write one or more of %s, joined with \"|\"", name, strings.ReplaceAll(riskNames, "|", ", "))
			}
			accepted |= 1 << i
		}
	}
	*r = accepted
	return nil
}

// A PolicyError is one mistake in a [Policy].
type PolicyError struct {
	// Field is the name of the field of Policy, such as "AllowedOrigins".
	Field string

	// Index is the index of the element of Field at fault, or -1 where Field
	// is no list.
	Index int

	// Value is the element, or the field's value, at fault.
	Value string

	// Reason says what is wrong with it and what to write instead.
	Reason string
}

// Error returns a message that holds all the fields of e.
func (e *PolicyError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("cors: %s %q: %s", e.Field, e.Value, e.Reason)
	}
	return fmt.Sprintf("cors: %s[%d] %q: %s", e.Field, e.Index, e.Value, e.Reason)
}

// A RequestError tells why a request was rejected, or why a browser will not
// send the request that a preflight asked about. Its message says what would
// have to change.
type RequestError struct {
	// Preflight says whether the request is a preflight.
	Preflight bool

	// Field is the request header at fault: Origin,
	// Access-Control-Request-Method or Access-Control-Request-Headers; or
	// Sec-Fetch-Site, where that tells of a page of another site and there is no
	// Origin.
	Field string

	// Value is what in that header is not allowed: the origin, the method, the
	// name of the first such request header, or the relation between sites.
	// Where a list of request headers is too long to be read, it is the
	// beginning of the list. Of several lines that should be one, it
	// holds the first two, joined with ", ". It comes from the client as it is,
	// but is a copy, and cut after 512 bytes.
	Value string

	reason string // what is wrong with the value; if empty, that it is not listed
}

// Error returns the reason on one line, with the client's part quoted.
func (e *RequestError) Error() string {
	request := "request"
	if e.Preflight {
		request = "preflight"
	}
	what, reason := "origin", "is not in AllowedOrigins"
	switch e.Field {
	case header.RequestMethod:
		what, reason = "method", "is not in AllowedMethods"
	case header.RequestHeaders:
		what, reason = "request header", "is not in AllowedHeaders"
	case header.SecFetchSite:
		what, reason = header.SecFetchSite, "tells of a page of another site or origin, but there is no Origin that could be allowed"
	}
	if e.reason != "" {
		reason = e.reason
	}
	return fmt.Sprintf("cors: %s: %s %q %s", request, what, e.Value, reason)
}

// compiled is a valid policy in the form in which requests are matched. It does
// not change once it is made.
type compiled struct {
	policy      Policy
	anyOrigin   bool
	origins     origin.Set
	actualLines []line // headers of a response to an actual request, without origin and Vary
	vary        string // addition to Vary; empty if any origin is allowed

	methods           map[string]struct{}
	anyMethod         bool
	echoMethod        bool     // the requested method is added to the response
	requestHeaders    []string // lowercase, sorted
	anyRequestHeader  bool
	echoHeaders       bool   // the requested headers are added to the response
	maxRequestHeaders int    // length in bytes of the longest list that is read
	preflightLines    []line // headers of a preflight response, without origin, Vary and echo
	preflightVary     string // addition to Vary in preflight responses
}

// A line is a header with one value.
type line struct{ name, value string }

// maxEcho is the length, in bytes, of the longest method and the longest list of
// request headers that a policy with "*" allows.
const maxEcho = 8 << 10

// compile returns p in compiled form, or all that is wrong with it.
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
	if p.AcceptRisks >= noRisk {
		errs.add("AcceptRisks", -1, strconv.FormatUint(uint64(p.AcceptRisks), 10), "has bits that are no risk; join RiskInsecureOrigin, RiskPublicSuffix and RiskNullOrigin")
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

// policyErrors collects the mistakes in a policy.
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
			if !c.anyOrigin { // else the first has been judged
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
			page := "page can have the origin null, by way of a sandboxed iframe"
			if s != "null" {
				page = "file has this origin, from wherever it was downloaded"
			}
			errs.add("AllowedOrigins", i, s, "any "+page+"; serve the page over HTTP and write its origin, or accept RiskNullOrigin")
		}
		if p.AllowCredentials {
			p.checkRisks(errs, i, o)
		}
		c.origins.Add(o)
	}
}

// checkAnyOrigin checks what goes with p.AllowedOrigins[i], which is "*".
func (p *Policy) checkAnyOrigin(errs *policyErrors, i int) {
	const field = "AllowedOrigins"
	if slices.ContainsFunc(p.AllowedOrigins, func(s string) bool { return s != "*" }) {
		errs.add(field, i, "*", "allows any origin, which makes the other origins pointless; remove them, or remove this")
	}
	if p.AllowOriginFunc != nil {
		errs.add(field, i, "*", "allows any origin, which makes AllowOriginFunc pointless; remove that, or remove this")
	}
	if p.AllowCredentials {
		errs.add(field, i, "*", "with AllowCredentials, lets every page on the web act as your users; list the origins that you trust, or do not set AllowCredentials")
	}
}

// checkRisks checks what o, which is p.AllowedOrigins[i], risks with credentials.
func (p *Policy) checkRisks(errs *policyErrors, i int, o origin.Pattern) {
	s := p.AllowedOrigins[i]
	if o.Wildcard == origin.AnyHost && (o.Scheme == "http" || o.Scheme == "https") {
		errs.add("AllowedOrigins", i, s, "with AllowCredentials, lets every page on the web act as your users; list the origins that you trust, or decide in AllowOriginFunc")
		return
	}
	if o.Scheme == "http" && !o.IsLoopback() && p.AcceptRisks&RiskInsecureOrigin == 0 {
		errs.add("AllowedOrigins", i, s, "with AllowCredentials, lets whoever controls a network in between act as your users; write https:// instead of http://, or accept RiskInsecureOrigin")
	}
	suffix, public := o.PublicSuffix(p.PublicSuffixes)
	if !public || p.AcceptRisks&RiskPublicSuffix != 0 {
		return
	}
	who := fmt.Sprintf("anyone who can register a name under %q", suffix)
	switch {
	case o.Wildcard == origin.AnyHost:
		who = fmt.Sprintf("every page with the scheme %q", o.Scheme)
	case origin.IsReserved(suffix):
		who = fmt.Sprintf("every host under %q", suffix)
	}
	errs.add("AllowedOrigins", i, s, "with AllowCredentials, lets "+who+" act as your users; list the origins that you trust, or accept RiskPublicSuffix")
}

func (c *compiled) compileMethods(errs *policyErrors) {
	list, wild := c.names(errs, "AllowedMethods", c.policy.AllowedMethods, header.FaultOfMethod)
	c.anyMethod, c.echoMethod = wild, wild && c.policy.AllowCredentials
	list = header.Unique(list)
	c.methods = make(map[string]struct{}, len(list))
	for _, method := range list {
		c.methods[method] = struct{}{}
	}
	c.preflightLines = appendList(c.preflightLines, header.AllowMethods, list)
}

// names returns the elements of a field that lists methods or request headers,
// and whether "*" is among them. With credentials, browsers take "*" for a name:
// it is left out then, and what is asked for echoed instead.
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
	c.preflightLines = appendList(c.preflightLines, header.AllowHeaders, list)

	// Room for every name once with ", ", and some more white space.
	c.maxRequestHeaders = 128
	for _, name := range list {
		c.requestHeaders = append(c.requestHeaders, strings.ToLower(name))
		c.maxRequestHeaders += len(name) + len(", ")
	}
	slices.Sort(c.requestHeaders)
	if c.anyRequestHeader {
		c.maxRequestHeaders = max(c.maxRequestHeaders, maxEcho)
	}
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
	case age > 24*time.Hour:
		errs.add("MaxAge", -1, age.String(), "no browser honours more than a day; write 24*time.Hour or less")
	case age%time.Second != 0:
		errs.add("MaxAge", -1, age.String(), "is sent in whole seconds; write a multiple of time.Second")
	default:
		c.preflightLines = append(c.preflightLines, line{header.MaxAge, strconv.Itoa(int(age / time.Second))})
	}
}

// appendList appends a header that lists names, unless there are none.
func appendList(lines []line, name string, names []string) []line {
	if len(names) == 0 {
		return lines
	}
	return append(lines, line{name, strings.Join(names, ", ")})
}
