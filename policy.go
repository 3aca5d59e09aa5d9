package cors

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A Policy says which pages of other origins may do what. The zero Policy
// allows them nothing.
//
// [New] and [Middleware.SetPolicy] refuse a Policy with a mistake in it.
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
	//
	// A pattern has a "*" as its first label, as its port, or both; or it is
	// nothing but "*":
	//
	//	https://*.example.com    any subdomain, however deep, but not example.com itself
	//	http://localhost:*       any port, or none
	//	*                        any origin; stands alone, without AllowOriginFunc
	//
	// Refused, with what to write instead in the error, are for example:
	//
	//	example.com              no scheme
	//	https://example.com/     a path, even an empty one; also a query or a user
	//	https://Example.com      upper case; also Unicode: write Punycode
	//	https://example.com:443  the scheme's default port; also port 0 or over 65535
	//	https://1.2.3            a number last, but no IPv4 address in canonical form
	//	http://[0:0::1]          an IPv6 address not in canonical form
	//	https://*example.com     a "*" elsewhere; also before an IP address
	//	file:///index.html       pages from files have the origin "null"
	//
	// See AcceptRisks for "null", and for more that is refused together with
	// AllowCredentials.
	AllowedOrigins []string

	// AllowOriginFunc, if not nil, is asked about origins that AllowedOrigins
	// does not allow, and says whether to allow them, for example because a
	// tenant has registered them. It is called in the request's goroutine, by
	// several at once, at most once for each request.
	//
	// It only sees well-formed origins, of at most 512 bytes, and "null" only
	// if RiskNullOrigin is accepted. Whether an origin it allows deserves
	// AllowCredentials is its responsibility. If it looks at request headers
	// other than Origin, the handler has to add them to Vary. It must not
	// change the request.
	AllowOriginFunc func(r *http.Request, origin string) bool

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
	// golang.org/x/net/publicsuffix is one. It is used only while a policy is
	// compiled.
	PublicSuffixes cookiejar.PublicSuffixList

	// AcceptRisks names the risks to accept, of those that a policy is
	// otherwise refused for, joined with "|".
	AcceptRisks Risk

	// DenyHandler, if not nil, answers requests from origins that are not
	// allowed, in place of a 403 in plain text. The response says Vary: Origin
	// already, and has no CORS header. DenyHandler must not do what the request
	// asks for.
	DenyHandler http.Handler

	// OnReject, if not nil, is told of each request from an origin that is not
	// allowed, before that is answered, and of each preflight that asks for a
	// method or request header that is not, which the browser will stop at. It
	// runs in the request's goroutine, several at once: to log, or to count.
	// Strings in err come from the client.
	OnReject func(r *http.Request, err *RequestError)
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
	// origin can alter its pages, and so act with the rights of the user.
	RiskInsecureOrigin Risk = 1 << iota

	// RiskPublicSuffix accepts a pattern for all subdomains of a public suffix,
	// such as https://*.github.io, together with AllowCredentials. Anybody can
	// register such a subdomain. Without PublicSuffixes, every single label but
	// localhost, such as com, is taken for a public suffix, and nothing else is.
	// Public suffixes further down, such as s3.amazonaws.com under
	// https://*.amazonaws.com, are not looked for.
	RiskPublicSuffix

	// RiskNullOrigin accepts the origin "null" in AllowedOrigins, and lets
	// AllowOriginFunc be asked about it. Any page can have that origin, by way
	// of a sandboxed iframe.
	RiskNullOrigin
)

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

// compiled is a valid policy in the form in which requests are matched. It does
// not change once it is made.
type compiled struct {
	policy Policy

	anyOrigin bool
	maxOrigin int                   // the length of the longest origin that can be allowed
	exact     map[string]struct{}   // origins
	below     map[string][]wildcard // by what follows the "*": ".host" or ".host:port"
	exactAny  map[string]struct{}   // as exact, but without a port: every port is allowed
	belowAny  map[string][]wildcard // as below, but without a port
	minLabels int                   // the least and ...
	maxLabels int                   // ... the most labels of a host in below and belowAny

	exposeHeaders string // the value of the header, "" for none
	actualValues  int    // how many values decorate takes, besides those of Vary before it

	methods           map[string]struct{}
	anyMethod         bool
	echoMethod        bool
	requestHeaders    []string // in lower case, sorted
	anyRequestHeader  bool
	echoHeaders       bool
	maxRequestHeaders int    // the length of the longest list that can be allowed
	allowMethods      string // the value of the header, "" for none
	allowHeaders      string
	maxAge            string
	preflightVary     string
	preflightValues   int // how many values answerPreflight takes, besides echoed ones and those of Vary before it
}

// A wildcard is the "*" of a pattern for subdomains.
type wildcard struct {
	scheme  string // what precedes it, such as "https://"
	longest int    // how many bytes it can stand for
}

var zeroPolicy, _ = compile(Policy{})

// compile returns p in compiled form, or all that is wrong with it.
func compile(p Policy) (*compiled, error) {
	c := &compiled{policy: p.clone()}
	var errs mistakes
	c.compileOrigins(&errs)
	c.compileMethods(&errs)
	c.compileRequestHeaders(&errs)
	c.compileExposedHeaders(&errs)
	c.compileMaxAge(&errs)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}

	c.preflightVary = headerOrigin
	if c.echoMethod {
		c.preflightVary += ", " + headerRequestMethod
	}
	if c.echoHeaders {
		c.preflightVary += ", " + headerRequestHeaders
	}

	c.actualValues = 1 + count(p.AllowCredentials, c.exposeHeaders != "", !c.anyOrigin)
	c.preflightValues = 1 + count(p.AllowCredentials, c.allowMethods != "", c.allowHeaders != "", c.maxAge != "", !c.anyOrigin)
	return c, nil
}

// A fault is something that may be wrong with a value.
type fault struct {
	found  bool
	reason string // what is wrong; what to write instead
}

// count returns how many conditions are true.
func count(conditions ...bool) int {
	n := 0
	for _, condition := range conditions {
		if condition {
			n++
		}
	}
	return n
}

// mistakes collects what is wrong with a policy.
type mistakes []error

// add adds the first of faults that is found in value, if any.
func (m *mistakes) add(field string, index int, value string, faults ...fault) {
	if i := slices.IndexFunc(faults, func(f fault) bool { return f.found }); i >= 0 {
		*m = append(*m, &PolicyError{Field: field, Index: index, Value: value, Reason: faults[i].reason})
	}
}

func (c *compiled) compileOrigins(errs *mistakes) {
	p := &c.policy
	c.exact = make(map[string]struct{}, len(p.AllowedOrigins))
	c.below = make(map[string][]wildcard)
	c.exactAny = make(map[string]struct{})
	c.belowAny = make(map[string][]wildcard)
	others := slices.ContainsFunc(p.AllowedOrigins, func(s string) bool { return s != "*" })
	for i, s := range p.AllowedOrigins {
		switch s {
		case "*":
			if c.anyOrigin {
				continue // the first has been judged
			}
			c.anyOrigin = true
			errs.add("AllowedOrigins", i, s, fault{others, "allows any origin, which makes the other origins pointless; remove them, or remove this"})
			errs.add("AllowedOrigins", i, s, fault{p.AllowOriginFunc != nil, "allows any origin, which makes AllowOriginFunc pointless; remove that, or remove this"})
			errs.add("AllowedOrigins", i, s, fault{p.AllowCredentials, "with AllowCredentials, lets every page on the web act as your users; list the origins that you trust, or do not set AllowCredentials"})
		case "null":
			errs.add("AllowedOrigins", i, s, fault{p.AcceptRisks&RiskNullOrigin == 0, "any page can have the origin null, by way of a sandboxed iframe; serve the page over HTTP and write its origin, or accept RiskNullOrigin"})
			c.exact[s] = struct{}{}
			c.maxOrigin = max(c.maxOrigin, len(s))
		default:
			o, ok := parsePattern(s)
			if !ok {
				errs.add("AllowedOrigins", i, s, fault{true, explainOrigin(s)})
				continue
			}
			if p.AllowCredentials {
				c.checkRisks(errs, i, o)
			}
			c.addPattern(s, o)
		}
	}
	if p.AllowOriginFunc != nil {
		c.maxOrigin = max(c.maxOrigin, maxFuncOrigin)
	}
}

// checkRisks checks what o, which is p.AllowedOrigins[i], risks with credentials.
func (c *compiled) checkRisks(errs *mistakes, i int, o pattern) {
	p := &c.policy
	errs.add("AllowedOrigins", i, p.AllowedOrigins[i], fault{
		o.scheme == "http" && !isLoopback(o.host) && p.AcceptRisks&RiskInsecureOrigin == 0,
		"with AllowCredentials, lets whoever controls a network in between act as your users; write https:// instead of http://, or accept RiskInsecureOrigin",
	})
	// Nobody can register a name under localhost (RFC 6761, section 6.3).
	if !o.subdomains || o.host == "localhost" || p.AcceptRisks&RiskPublicSuffix != 0 {
		return
	}
	public := !strings.Contains(o.host, ".")
	if p.PublicSuffixes != nil {
		// The list may end with a label in place of the "*", as it does for
		// all names of two labels under kobe.jp.
		public = len(p.PublicSuffixes.PublicSuffix("a."+o.host)) >= len(o.host)
	}
	errs.add("AllowedOrigins", i, p.AllowedOrigins[i], fault{
		public, fmt.Sprintf("with AllowCredentials, lets whoever can register a name under %q act as your users; write the domains that you trust, or accept RiskPublicSuffix", o.host),
	})
}

// addPattern adds o, written as s, to the sets that origins are matched with.
func (c *compiled) addPattern(s string, o pattern) {
	longest := len(s)
	if o.anyPort {
		longest += len("65535") - len("*")
	}
	if o.subdomains {
		longest += maxHost - len("*.") - len(o.host)
	}
	c.maxOrigin = max(c.maxOrigin, longest)

	exact, below := c.exact, c.below
	if o.anyPort {
		exact, below = c.exactAny, c.belowAny
		s = strings.TrimSuffix(s, ":*")
	}
	if !o.subdomains {
		exact[s] = struct{}{}
		return
	}
	scheme, tail, _ := strings.Cut(s, "*")
	w := wildcard{scheme, maxHost - len(".") - len(o.host)}
	if !slices.Contains(below[tail], w) {
		below[tail] = append(below[tail], w)
	}
	labels := strings.Count(o.host, ".") + 1
	if c.minLabels == 0 || labels < c.minLabels {
		c.minLabels = labels
	}
	c.maxLabels = max(c.maxLabels, labels)
}

// allowsOrigin reports whether the policy allows origin, which is that of r.
func (c *compiled) allowsOrigin(r *http.Request, origin string) bool {
	if len(origin) > c.maxOrigin {
		return false
	}
	if _, ok := c.exact[origin]; ok || c.isSubdomain(origin, c.below) {
		return true
	}
	if len(c.exactAny)+len(c.belowAny) == 0 && c.policy.AllowOriginFunc == nil {
		return false
	}
	o, ok := parseOrigin(origin)
	if ok {
		noPort := origin[:len(o.scheme)+len("://")+len(o.host)]
		if _, ok := c.exactAny[noPort]; ok || c.isSubdomain(noPort, c.belowAny) {
			return true
		}
	}
	if c.policy.AllowOriginFunc == nil {
		return false
	}
	if origin == "null" {
		ok = c.policy.AcceptRisks&RiskNullOrigin != 0
	}
	return ok && c.policy.AllowOriginFunc(r, origin)
}

// isSubdomain reports whether a pattern in below allows origin. What the two
// share is well-formed, as the pattern is; what stands for the "*" is checked.
func (c *compiled) isSubdomain(origin string, below map[string][]wildcard) bool {
	// Labels are taken from the end, and only as many as a pattern has, however
	// many there are.
	dot := len(origin)
	for labels := 1; labels <= c.maxLabels; labels++ {
		dot = strings.LastIndexByte(origin[:dot], '.')
		if dot < 0 {
			return false
		}
		if labels < c.minLabels {
			continue
		}
		for _, w := range below[origin[dot:]] {
			s, ok := strings.CutPrefix(origin[:dot], w.scheme)
			if ok && len(s) <= w.longest && isLabels(s) {
				return true
			}
		}
	}
	return false
}

func (c *compiled) compileMethods(errs *mistakes) {
	var list []string
	for i, s := range c.policy.AllowedMethods {
		if s == "*" {
			c.anyMethod, c.echoMethod = true, c.policy.AllowCredentials
		} else {
			upper := strings.ToUpper(s)
			errs.add("AllowedMethods", i, s,
				fault{!isName(s), explainName(s, "PUT")},
				fault{slices.Contains([]string{"CONNECT", "TRACE", "TRACK"}, upper), "browsers do not let scripts send this method; remove it"},
				fault{s != upper && slices.Contains(standardMethods, upper), fmt.Sprintf("methods are case-sensitive; did you mean %q?", upper)},
			)
		}
		if s != "*" || !c.echoMethod {
			list = append(list, s)
		}
	}
	list, c.methods = unique(list)
	c.allowMethods = strings.Join(list, ", ")
}

var standardMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func (c *compiled) compileRequestHeaders(errs *mistakes) {
	var list []string
	for i, s := range c.policy.AllowedHeaders {
		name := http.CanonicalHeaderKey(s)
		if s == "*" {
			c.anyRequestHeader, c.echoHeaders = true, c.policy.AllowCredentials
		} else {
			errs.add("AllowedHeaders", i, s,
				fault{!isName(s), explainName(s, "X-Request-Id")},
				fault{name == "Cookie" || name == "Cookie2", "scripts cannot set cookies; remove this, and set AllowCredentials to let browsers send them"},
				fault{slices.Contains(forbiddenRequestHeaders, name) || strings.HasPrefix(name, "Sec-") || strings.HasPrefix(name, "Proxy-"), "browsers do not let scripts set this header; remove it"},
				fault{slices.Contains(responseHeaders, name), "is a response header of CORS, which no client sends; remove it"},
			)
		}
		if s != "*" || !c.echoHeaders {
			list = append(list, name)
		}
	}
	list, _ = unique(list)
	c.allowHeaders = strings.Join(list, ", ")

	// Room for every name once with ", ", and some more white space.
	c.maxRequestHeaders = 128
	for _, name := range list {
		c.requestHeaders = append(c.requestHeaders, strings.ToLower(name))
		c.maxRequestHeaders += len(name) + len(", ")
	}
	slices.Sort(c.requestHeaders)
	if c.anyRequestHeader {
		c.maxRequestHeaders = maxRead
	}
}

// forbiddenRequestHeaders are those that scripts cannot set, besides Cookie,
// Sec-* and Proxy-* (Fetch, "forbidden request-header").
var forbiddenRequestHeaders = []string{
	"Accept-Charset", "Accept-Encoding", headerRequestHeaders, headerRequestMethod,
	"Connection", "Content-Length", "Date", "Dnt", "Expect", "Host", "Keep-Alive",
	headerOrigin, "Referer", "Set-Cookie", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via",
}

// responseHeaders are those that the CORS protocol defines for responses.
var responseHeaders = []string{
	headerAllowOrigin, headerAllowCredentials, headerAllowMethods, headerAllowHeaders, headerMaxAge, headerExposeHeaders,
}

func (c *compiled) compileExposedHeaders(errs *mistakes) {
	var list []string
	for i, s := range c.policy.ExposedHeaders {
		name := http.CanonicalHeaderKey(s)
		errs.add("ExposedHeaders", i, s,
			fault{s == "*" && c.policy.AllowCredentials, `with AllowCredentials, browsers take "*" for the name of a header; list the names`},
			fault{s != "*" && !isName(s), explainName(s, "X-Total-Count")},
			fault{slices.Contains([]string{"Set-Cookie", "Set-Cookie2"}, name), "browsers never let scripts read this header; remove it"},
			fault{slices.Contains([]string{headerOrigin, headerRequestMethod, headerRequestHeaders}, name), "is a request header of CORS, which no response has; remove it"},
			fault{slices.Contains([]string{headerAllowMethods, headerAllowHeaders, headerMaxAge}, name), "is in answers to preflights only, which scripts never see; remove it"},
		)
		list = append(list, name)
	}
	list, _ = unique(list)
	c.exposeHeaders = strings.Join(list, ", ")
}

func (c *compiled) compileMaxAge(errs *mistakes) {
	age := c.policy.MaxAge
	switch {
	case age < 0:
		c.maxAge = "0"
	case age > 0:
		c.maxAge = strconv.Itoa(int(age / time.Second))
		errs.add("MaxAge", -1, age.String(),
			fault{age < time.Millisecond, fmt.Sprintf("is less than a second; did you mean %d*time.Second?", age)},
			fault{age > 24*time.Hour, "no browser honours more than a day; write 24*time.Hour or less"},
			fault{age%time.Second != 0, "is sent in whole seconds; write a multiple of time.Second"},
		)
	}
}

// isName reports whether s, which is not "*", is the name of a method or header.
// "*" in a name would be allowed, but is never meant.
func isName(s string) bool {
	return isToken(s) && !strings.Contains(s, "*")
}

// explainName says what is wrong with s, where isName refuses it, and what to
// write instead, such as example.
func explainName(s, example string) string {
	if trimmed := strings.TrimSpace(s); isName(trimmed) {
		return fmt.Sprintf("has white space around it; did you mean %q?", trimmed)
	}
	switch {
	case strings.Contains(s, "*"):
		return `has a "*" within a name, where it means nothing; write "*" alone, or the names`
	case strings.ContainsAny(s, ",; "):
		return "is not one name; write each as an element of its own"
	default:
		return fmt.Sprintf("is not a name; write one such as %q", example)
	}
}

// unique returns list without its duplicates, and as a set.
func unique(list []string) ([]string, map[string]struct{}) {
	set := make(map[string]struct{}, len(list))
	list = slices.DeleteFunc(list, func(s string) bool {
		_, seen := set[s]
		set[s] = struct{}{}
		return seen
	})
	return list, set
}

// The lengths, in bytes, of the longest label and the longest host that DNS
// allows, and of the longest origin that AllowOriginFunc is asked about.
const (
	maxLabel      = 63
	maxHost       = 253
	maxFuncOrigin = 512
)

// An origin is a tuple origin (HTML, "origin"). port is empty for the scheme's
// default port.
type origin struct{ scheme, host, port string }

// A pattern is an origin whose host stands for its subdomains, or whose port
// for all ports.
type pattern struct {
	origin
	subdomains, anyPort bool
}

// parsePattern parses s, which is not "*" or "null", as an element of
// AllowedOrigins.
func parsePattern(s string) (p pattern, ok bool) {
	if strings.IndexByte(s, '*') < 0 {
		p.origin, ok = parseOrigin(s)
		return p, ok
	}
	s, p.anyPort = strings.CutSuffix(s, ":*")
	if scheme, host, found := strings.Cut(s, "://*."); found {
		s, p.subdomains = scheme+"://"+host, true
	}
	p.origin, ok = parseOrigin(s)
	if p.anyPort && p.port != "" {
		return p, false
	}
	if p.subdomains && (isIP(p.host) || len(p.host) > maxHost-len("a.")) {
		return p, false
	}
	return p, ok
}

// parseOrigin parses s if it is an origin as browsers serialize it (HTML,
// "serialization of an origin").
func parseOrigin(s string) (o origin, ok bool) {
	scheme, authority, _ := strings.Cut(s, "://")
	host, port, hasPort := cutPort(authority)
	if hasPort && (!isPort(port) || isDefaultPort(scheme, port)) {
		return origin{}, false
	}
	return origin{scheme, host, port}, isScheme(scheme) && isHost(host)
}

// cutPort cuts authority, a host, into that and the port after it.
func cutPort(authority string) (host, port string, found bool) {
	if strings.IndexByte(authority, ':') < 0 || strings.HasSuffix(authority, "]") {
		return authority, "", false
	}
	colon := strings.LastIndexByte(authority, ':')
	return authority[:colon], authority[colon+1:], true
}

// isDefaultPort reports whether port is one that browsers leave out.
func isDefaultPort(scheme, port string) bool {
	return scheme == "http" && port == "80" || scheme == "https" && port == "443"
}

// isScheme reports whether s is a scheme (RFC 3986, section 3.1) in lower case,
// and one that pages with an origin have.
func isScheme(s string) bool {
	return s != "" && 'a' <= s[0] && all(s, isSchemeByte) && s != "file" && s != "ws" && s != "wss"
}

// isPort reports whether s is a number from 1 to 65535 in canonical form.
func isPort(s string) bool {
	return s != "" && s[0] != '0' && all(s, isDigit) && (len(s) < 5 || len(s) == 5 && s <= "65535")
}

// all reports whether is is true of all bytes of s.
func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool      { return '0' <= c && c <= '9' }
func isHexDigit(c byte) bool   { return isDigit(c) || 'a' <= c && c <= 'f' }
func isSchemeByte(c byte) bool { return isAlphanumeric(c) || c == '+' || c == '-' || c == '.' }

// isHost reports whether s is a host as browsers serialize it (URL, "host
// serializer"): a domain in lower case, or an IP address.
func isHost(s string) bool {
	if strings.HasPrefix(s, "[") {
		return strings.HasSuffix(s, "]") && isIPv6(s[1:len(s)-1])
	}
	return len(s) <= maxHost && isLabels(s) && (!endsInNumber(s) || isIPv4(s))
}

// isLabels reports whether s is labels of a domain in lower case.
func isLabels(s string) bool {
	n := 0 // of the label so far
	for i := range len(s) {
		switch c := s[i]; {
		case isAlphanumeric(c) || c == '-' || c == '_':
			n++
		case c == '.' && 0 < n && n <= maxLabel:
			n = 0
		default:
			return false
		}
	}
	return 0 < n && n <= maxLabel
}

func isIP(host string) bool {
	return strings.HasPrefix(host, "[") || endsInNumber(host)
}

// endsInNumber reports whether browsers would parse host, which has no empty
// label, as an IPv4 address (URL, "ends in a number checker").
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	hex, isHex := strings.CutPrefix(last, "0x")
	return all(last, isDigit) || isHex && all(hex, isHexDigit)
}

// isIPv4 reports whether s is an IPv4 address in canonical form.
func isIPv4(s string) bool {
	for number := range strings.SplitSeq(s, ".") {
		if number != "0" && !isPort(number) || len(number) > 3 || len(number) == 3 && number > "255" {
			return false
		}
	}
	return strings.Count(s, ".") == 3
}

// isIPv6 reports whether s is an IPv6 address in canonical form (URL, "IPv6
// serializer"): the first of the longest runs of zeros is "::", unless that
// would stand for a single zero. Package net/netip allocates where it finds an
// error, and writes IPv4-mapped addresses otherwise.
func isIPv6(s string) bool {
	head, tail, compressed := strings.Cut(s, "::")
	n, run, ok := ipv6Pieces(head)
	if !compressed {
		return ok && n == 8 && run < 2
	}
	m, tailRun, tailOK := ipv6Pieces(tail)
	zeros := 8 - n - m
	return ok && tailOK && zeros >= 2 && run < zeros && tailRun <= zeros &&
		head != "0" && !strings.HasSuffix(head, ":0") && tail != "0" && !strings.HasPrefix(tail, "0:")
}

// ipv6Pieces counts the pieces of an IPv6 address in s, which may be empty, and
// the longest run of zeros among them.
func ipv6Pieces(s string) (n, longestRun int, ok bool) {
	run := 0
	for more := s != ""; more; n++ {
		var piece string
		piece, s, more = strings.Cut(s, ":")
		if piece == "" || len(piece) > 4 || piece[0] == '0' && piece != "0" || !all(piece, isHexDigit) {
			return 0, 0, false
		}
		if piece != "0" {
			run = 0
			continue
		}
		run++
		longestRun = max(longestRun, run)
	}
	return n, longestRun, true
}

// isLoopback reports whether host, which is well-formed, cannot be reached over
// a network (Secure Contexts, "is origin potentially trustworthy?").
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// explainOrigin says what is wrong with s, an element of AllowedOrigins that
// parsePattern refuses, and what to write instead.
func explainOrigin(s string) string {
	faults := originFaults(s)
	reason := faults[slices.IndexFunc(faults, func(f fault) bool { return f.found })].reason
	if mended := mendOrigin(s); mended != "" {
		reason, _, _ = strings.Cut(reason, "; ")
		reason += fmt.Sprintf("; did you mean %q?", mended)
	}
	return reason
}

// originFaults returns what may be wrong with s, of which something is.
func originFaults(s string) []fault {
	scheme, authority, hasScheme := strings.Cut(s, "://")
	authority, anyPort := strings.CutSuffix(authority, ":*")
	authority, subdomains := strings.CutPrefix(authority, "*.")
	host, port, hasPort := cutPort(authority)
	return []fault{
		{s == "", `is empty; write an origin such as "https://example.com", or remove it`},
		{strings.ContainsAny(s, ",;|") || strings.Count(s, "://") > 1, "is not one origin; write each as an element of its own"},
		{strings.ContainsFunc(s, func(c rune) bool { return c == ' ' || !unicode.IsPrint(c) }), "has white space or invisible characters in it; remove them"},
		{strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII }), `has characters in it that are not ASCII; write the host in Punycode, as in "https://xn--bcher-kva.example"`},
		{!hasScheme, `has no scheme; write it out, as in "https://example.com"`},
		{strings.EqualFold(scheme, "file"), `is no origin, as pages from files have the origin "null"; serve the page over HTTP, for example from "http://localhost:8080"`},
		{strings.EqualFold(scheme, "ws") || strings.EqualFold(scheme, "wss"), "is a WebSocket's address, but a handshake has the origin of its page; write that"},
		{strings.Contains(scheme+authority, "*"), `has a "*" where it means nothing; write "*" alone, as the first label ("https://*.example.com") or as the port ("http://localhost:*")`},
		{strings.Contains(authority, "@"), "has a user in it, which no origin has; remove it"},
		{strings.ContainsAny(authority, `/?#\`), "has a path, a query or a fragment, which no origin has; end after the host and port"},
		{strings.ToLower(s) != s, "has upper case in it, where browsers write lower case; write lower case"},
		{!isScheme(scheme), `has a scheme that is none; write one such as "https"`},
		{hasPort && anyPort, `has two ports; write a number or "*"`},
		{hasPort && !isPort(port), "has a port that is none; write a number from 1 to 65535 without leading zeros, or nothing"},
		{isDefaultPort(scheme, port), "has its scheme's default port in it, which browsers leave out; remove it"},
		{host == "", `has no host; write one, as in "https://example.com"`},
		{subdomains && isHost(host) && isIP(host), `has a "*" before an IP address, which has no subdomains; list the addresses`},
		{strings.HasPrefix(host, "[") && strings.Contains(host, ":"), `has an IPv6 address that is not in canonical form; write it as browsers do, as in "http://[2001:db8::1]", without a zone`},
		{strings.Contains("."+host+".", ".."), "has an empty label in its host; remove the dot before or after it"},
		{endsInNumber(host), `has a number as its last label, but is no IPv4 address in canonical form; write four decimal numbers, as in "http://192.0.2.1"`},
		{isHost(host) || len(host) > maxHost || slices.ContainsFunc(strings.Split(host, "."), func(label string) bool { return len(label) > maxLabel }), "has a label of more than 63 bytes or a host of more than 253, which DNS has not; write a shorter one"},
		{true, `has characters in its host that browsers do not leave there; write letters, digits, "-", "_" and ".", or an IPv6 address in brackets`},
	}
}

// mendOrigin returns what s, an invalid element of AllowedOrigins, was probably
// meant to be, or the empty string.
func mendOrigin(s string) string {
	s = strings.ToLower(strings.Trim(s, "\"'<> \t\r\n\u200b\ufeff"))
	if s == "null" {
		return s
	}
	scheme, authority, hasScheme := strings.Cut(s, "://")
	if !hasScheme {
		authority = strings.TrimLeft(s, "/")
		for _, scheme = range []string{"http", "https"} {
			if rest := strings.TrimPrefix(s, scheme); rest != s && strings.TrimLeft(rest, ":;/") != rest {
				authority, hasScheme = strings.TrimLeft(rest, ":;/"), true
				break
			}
		}
	}
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	host, port, hasPort := cutPort(authority)
	if hasPort && (port == "" || isDefaultPort(scheme, port)) {
		authority = host
	}
	switch {
	case scheme == "ws" || !hasScheme && isLoopback(host):
		scheme = "http"
	case scheme == "wss":
		scheme = "https"
	case !hasScheme && !strings.ContainsAny(host, ".:"):
		return "" // more likely a word, such as "all", than a host
	}
	if address, port, found := strings.Cut(authority, "]"); found {
		ip, _ := netip.ParseAddr(strings.TrimPrefix(address, "["))
		authority = "[" + ip.WithZone("").String() + "]" + port
	}
	s = scheme + "://" + strings.TrimSuffix(authority, ".")
	if _, ok := parsePattern(s); !ok {
		return ""
	}
	return s
}
