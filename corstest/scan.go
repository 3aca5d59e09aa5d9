package corstest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/f407da42/cors/internal/origin"
)

// Severity is the severity of a [Finding]. Higher values are worse. The zero
// value is Info.
type Severity int

const (
	Info   Severity = iota // an observation, not a fault
	Low                    // exploitable only with a second fault, or a header without effect
	Medium                 // attackers' pages get access without credentials, or caches serve wrong responses
	High                   // attackers' pages can act as your users
)

// String returns the name of the constant, such as "High".
func (s Severity) String() string {
	names := []string{"Info", "Low", "Medium", "High"}
	if s < Info || s > High {
		return fmt.Sprintf("Severity(%d)", int(s))
	}
	return names[s]
}

// A Report is the result of [Browser.Scan].
type Report struct {
	// Tried lists the requests in order. The first are from the page itself. If
	// the first request got no response, it is the only one.
	Tried []Probe

	// Findings lists the findings, the most severe first.
	Findings []Finding

	// If a request got no response, the scan may have missed faults, and
	// Incomplete is not empty. It names the first such request, and the reason.
	// Status 429 and statuses of 500 or above count as no response, unless the
	// page itself gets the same status.
	Incomplete string

	noAccess bool // whether the page itself has no access
}

// A Probe is one request of a scan, from one origin.
type Probe struct {
	Origin      string // origin of the page; empty for a request without Origin
	Credentials bool   // whether the request has credentials

	// Result is the result of a GET or HEAD request. Result.Preflight is the
	// preflight for the method and headers of the scanned request, if it needs
	// one. Even if the preflight fails, the GET or HEAD request is sent, but
	// without the headers that need a preflight.
	Result *Result

	// Outcome describes the result in one line.
	Outcome string
}

// A Finding is a fault of the server, or an observation if its Severity is
// Info.
type Finding struct {
	Severity Severity
	Origins  []string // the affected origins
	What     string   // description of the fault and its consequences
	Fix      string   // how to change the server; empty for an observation
}

// Scan reports which other origins have the same access to a server as the
// page.
//
// The argument page is an origin, as for [Browser.Fetch]. Scan requests the URL
// of r from the page and from hostile origins: unrelated origins, other hosts
// in the page's domain, hosts that look like the page's, and null. It also
// tries the page's host with another port, and with the scheme http. It also
// requests the URL without Origin. Each request is made twice, without and with
// credentials, so there are about 26 requests, one after the other.
//
// Scan sends GET, or HEAD if the method of r is HEAD. If r needs a preflight,
// Scan also sends one for the method and headers of r before each request. It
// drops X-HTTP-Method-Override, X-HTTP-Method and X-Method-Override, so it
// changes no data, unless your handlers change data on GET, HEAD or OPTIONS.
//
// In mode WebSocket, Scan makes each handshake once, with cookies and Origin.
// In the modes NoCORS and Navigate, no page can read responses from another
// origin, so Scan uses CORS instead. To test whether a server rejects requests
// in these modes, use [Browser.Fetch].
//
// If a server allows every origin without credentials, as a public API does,
// the only finding has severity Info.
//
// If r is invalid, Scan sends nothing. If the first request gets no response,
// Scan stops after it. In both cases, Report.Incomplete contains the reason.
func (b *Browser) Scan(page string, r Request) *Report {
	s := scan{report: new(Report), page: page, request: r, cookie: b.Cookie != ""}
	if r.Mode != WebSocket {
		s.request.Mode = CORS
	}
	for _, t := range s.targets() {
		for _, credentials := range []bool{false, true} {
			if !credentials && r.Mode == WebSocket {
				continue
			}
			p := b.probe(t, s.request, credentials)
			responded := p.Result.Actual != nil && p.Result.Actual.Response != nil
			if t.kind == itself && responded {
				s.own[index(credentials)] = p.Result
			}
			p.page = cmp.Or(s.own[index(credentials)], s.own[0], s.own[1])
			p.Outcome = p.outcome()
			s.report.Tried = append(s.report.Tried, p.Probe)
			switch {
			case responded && p.failure() == "":
				s.probes = append(s.probes, p)
			case s.report.Incomplete == "":
				s.report.Incomplete = p.name() + ": " + p.Outcome
			}
			if p.page == nil {
				return s.report
			}
		}
	}
	s.report.noAccess = !slices.ContainsFunc(s.probes, func(p probe) bool {
		return p.kind == itself && (p.reads() && p.Result.Status < 400 || p.sends())
	})
	s.find()
	return s.report
}

// index returns the index in scan.own of a request with or without credentials.
func index(credentials bool) int {
	if credentials {
		return 1
	}
	return 0
}

// A kind is the relation of an origin to the page of a scan.
type kind int

const (
	itself    kind = iota
	unrelated      // any host
	lookAlike      // a host that anyone can register, and that a careless comparison accepts
	tenant         // a host that anyone can register, because the page's domain is a public suffix
	sibling        // another host in the page's domain, or another loopback host
	otherPort      // the page's host, on another port
	insecure       // the page's host, over HTTP
	opaque         // null
	absent         // no Origin
)

// A target is an origin that a scan tries.
type target struct {
	origin string
	kind   kind
}

// A probe is a [Probe] with the data that is needed to judge it.
type probe struct {
	Probe
	kind kind
	page *Result // result of the page itself, if possible with the same credentials
}

// A scan is the state of [Browser.Scan].
type scan struct {
	page    string
	request Request
	cookie  bool       // whether the browser has a cookie
	own     [2]*Result // results of the page itself, without and with credentials
	probes  []probe
	report  *Report
}

// probe makes the request of a scan from t. It uses a new browser, so no
// preflight is cached.
func (b *Browser) probe(t target, r Request, credentials bool) probe {
	fresh := Browser{Handler: b.Handler, Transport: b.Transport, Now: b.Now, MaxAge: b.MaxAge, scanning: true}
	r.Credentials = Omit
	if credentials {
		r.Credentials, fresh.Cookie = Include, b.Cookie
	}
	page := t.origin
	if t.kind == absent {
		page = r.serverOrigin()
	}
	return probe{Probe: Probe{Origin: t.origin, Credentials: credentials, Result: fresh.Fetch(page, r)}, kind: t.kind}
}

// serverOrigin returns the origin of r's URL, or the empty string.
func (r *Request) serverOrigin() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	if scheme, ok := strings.CutPrefix(u.Scheme, "ws"); ok {
		u.Scheme = "http" + scheme
	}
	normalizeURL(u)
	return serializeOrigin(u)
}

// overrides are headers that change the method in some frameworks.
var overrides = []string{"X-Http-Method", "X-Http-Method-Override", "X-Method-Override"}

// reduce replaces the request with a GET or HEAD request that does not change
// data. If the preflight was denied, it removes the headers that need one.
func (state *fetchState) reduce(denied bool) {
	if state.Method != http.MethodHead {
		state.Method = http.MethodGet
	}
	state.Body, state.StreamBody, state.UploadListener = "", false, false
	state.Header = state.Header.Clone()
	for _, name := range append(overrides, bodyHeaders...) {
		state.Header.Del(name)
	}
	if denied {
		for _, name := range unsafeHeaderNames(state.Header) {
			state.Header.Del(name)
		}
	}
}

// targets returns the origins to try. The page comes first. Other scanners also
// try such origins: Burp Suite, ZAP (rule 40040), Corsy and CORScanner.
func (s *scan) targets() []target {
	targets := []target{{s.page, itself}}
	server := s.request.serverOrigin()
	add := func(kind kind, origins ...string) {
		for _, o := range origins {
			if (origin.Valid(o) || kind == opaque) && o != server &&
				!slices.ContainsFunc(targets, func(t target) bool { return t.origin == o }) {
				targets = append(targets, target{o, kind})
			}
		}
	}
	add(unrelated, "https://stranger.example")
	if scheme, rest, _ := strings.Cut(s.page, "://"); scheme == "https" || scheme == "http" {
		add(unrelated, scheme+"://stranger.example")
		s.addRelatives(add, &url.URL{Scheme: scheme, Host: rest})
	}
	add(lookAlike, "https://localhost.evil.example", "http://localhost.evil.example")
	add(opaque, "null")
	if s.request.Mode == WebSocket {
		return targets // a handshake always has Origin
	}
	return append(targets, target{"", absent})
}

// addRelatives adds origins derived from u, the page's origin.
func (s *scan) addRelatives(add func(kind, ...string), u *url.URL) {
	host, port := u.Hostname(), u.Port()
	prefix, suffix := u.Scheme+"://", ""
	if port != "" {
		suffix = ":" + port
	}
	if _, parent, dotted := strings.Cut(host, "."); dotted {
		other := func(name string) { add(relation(host, name), prefix+name+suffix) }
		if strings.Contains(parent, ".") {
			other("sibling." + parent)
		}
		if !strings.Contains(parent, ".") || isPublicSuffix(parent) {
			other("sibling." + host)
		}
		for domain := host; strings.Contains(domain, ".") && !isPublicSuffix(domain); _, domain, _ = strings.Cut(domain, ".") {
			other("evil" + domain)
		}
		other(strings.Replace(host, ".", "x", 1))
	}
	add(lookAlike, prefix+host+".evil.example"+suffix)

	other, _ := strconv.Atoi(cmp.Or(port, "8442"))
	if other++; prefix+u.Hostname()+":"+strconv.Itoa(other) == s.request.serverOrigin() || other > 65535 {
		other = 4443
	}
	host = strings.TrimSuffix(u.Host, suffix) // with the brackets of an IPv6 address
	add(otherPort, fmt.Sprintf("%s%s:%d", prefix, host, other))
	add(insecure, "http://"+host+suffix)
}

// isPublicSuffix reports whether anyone can register a name under domain,
// according to the list in this module.
func isPublicSuffix(domain string) bool {
	p, _ := origin.Parse("https://*." + domain)
	_, public := p.PublicSuffix(nil)
	return public
}

// relation returns the kind of host, which is derived from the page's host.
func relation(page, host string) kind {
	_, parent, _ := strings.Cut(host, ".")
	switch {
	case isRelative(page, host), isLoopback("http://"+page) && isLoopback("http://"+host):
		return sibling
	case strings.Contains(parent, ".") && isPublicSuffix(parent):
		return tenant
	}
	return lookAlike
}

// isRelative reports whether host and other are in one domain that is not a
// public suffix.
func isRelative(host, other string) bool {
	for ; strings.Contains(host, ".") && !isPublicSuffix(host); _, host, _ = strings.Cut(host, ".") {
		if host == other || strings.HasSuffix(other, "."+host) {
			return true
		}
	}
	return false
}

// reads reports whether the page reads the response to GET, or opens the
// WebSocket.
func (p probe) reads() bool { return p.Result.Blocked == "" }

// sends reports whether the preflight allowed the request.
func (p probe) sends() bool {
	return p.Result.Preflight != nil && p.Result.denied == (failure{})
}

// rejected reports whether the status shows that the server rejected the
// request. It depends on the status that the page itself gets.
func (p probe) rejected() bool {
	status, own := p.Result.Actual.Response.StatusCode, p.page.Actual.Response.StatusCode
	return status >= 400 && own < 400 || status == http.StatusForbidden && own != status
}

// failure describes a response that shows only the state of the server, such as
// a rate limit. If the page itself gets the same status, failure returns "".
func (p probe) failure() string {
	failed := func(ex, own *Exchange) bool {
		status := ex.status()
		return (status == http.StatusTooManyRequests || status >= 500) && status != own.status()
	}
	switch r := p.Result; {
	case failed(r.Actual, p.page.Actual):
		return fmt.Sprintf("failed: status %d", r.Actual.status())
	case failed(r.Preflight, p.page.Preflight):
		return fmt.Sprintf("failed: the preflight got status %d", r.Preflight.status())
	}
	return ""
}

// status returns the status of the response, or 0.
func (ex *Exchange) status() int {
	if ex == nil || ex.Response == nil {
		return 0
	}
	return ex.Response.StatusCode
}

// find fills in the findings.
func (s *scan) find() {
	s.findAccess()
	s.findCaching()
	slices.SortStableFunc(s.report.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
}

// add adds a finding about probes. If there are none, it does nothing.
func (s *scan) add(severity Severity, probes []probe, what, fix string) {
	if len(probes) == 0 {
		return
	}
	var origins []string
	for _, p := range probes {
		if !slices.Contains(origins, p.name()) {
			origins = append(origins, p.name())
		}
	}
	s.report.Findings = append(s.report.Findings, Finding{severity, origins, what, fix})
}

// name returns the origin of p, for display.
func (p Probe) name() string {
	return cmp.Or(p.Origin, "(without Origin)")
}

// hasAccess reports whether the page of p can send the request, or read a
// response that is not a rejection.
func (p probe) hasAccess() bool {
	return p.reads() && !p.rejected() || p.sends()
}

// allowed returns the probes of some kinds whose pages have access.
func (s *scan) allowed(credentials bool, kinds ...kind) (allowed []probe) {
	for _, p := range s.probes {
		if p.Credentials == credentials && slices.Contains(kinds, p.kind) && p.hasAccess() {
			allowed = append(allowed, p)
		}
	}
	return allowed
}

// can describes the actions that the pages of probes can take.
func (s *scan) can(probes []probe) string {
	reads := slices.ContainsFunc(probes, probe.reads)
	sends := slices.ContainsFunc(probes, probe.sends)
	r := s.probes[0].Result.request
	switch {
	case r.Mode == WebSocket:
		return "open the WebSocket"
	case r.Method == http.MethodGet || r.Method == http.MethodHead || reads && !sends:
		return "read the responses"
	case reads:
		return fmt.Sprintf("read the responses and send %s requests", r.Method)
	}
	return fmt.Sprintf("send %s requests", r.Method)
}

const crossSite = " This requires cookies with SameSite=None, or HTTP authentication."

// asUser returns the severity of access with credentials, and its description.
// If the browser has no cookie, a WebSocket may be public.
func (s *scan) asUser() (Severity, string) {
	if s.request.Mode == WebSocket && !s.cookie {
		return Medium, " as your user, if it uses cookies"
	}
	return High, " as your user"
}

// findAccess adds findings about origins that have the same access as the page.
func (s *scan) findAccess() {
	everyone := []kind{unrelated, lookAlike, tenant, sibling, otherPort, insecure, opaque}
	if found := s.allowed(true, unrelated); len(found) > 0 {
		severity, how := s.asUser()
		s.add(severity, s.allowed(true, everyone...),
			fmt.Sprintf("Pages on any origin can %s%s.", s.can(found), how)+crossSite,
			"Allow only the origins on a list. If a function checks the origin, have it compare the whole origin.")
		return
	}
	s.findPowerful(true)
	if s.isPublic() {
		found := s.allowed(false, unrelated)
		s.add(Info, found, fmt.Sprintf("Pages on any origin can %s without credentials. That is right for a public API, but not for a server that only the network protects.", s.can(found)), "")
	} else {
		s.findPowerful(false)
	}
	s.findMinor()
	s.findUselessCredentials()
}

// findPowerful adds findings about origins that anyone can have.
func (s *scan) findPowerful(credentials bool) {
	severity, how := s.asUser()
	condition := crossSite
	if !credentials {
		severity, how, condition = Medium, " without credentials", ""
	}
	found := s.allowed(credentials, unrelated)
	s.add(severity, found, fmt.Sprintf("Pages on unrelated origins can %s%s.", s.can(found), how)+condition,
		"Allow only the origins on a list.")
	found = s.unreported(credentials, opaque)
	s.add(severity, found,
		fmt.Sprintf("Any page can use a sandboxed frame to get the origin null, and then %s%s.", s.can(found), how)+condition,
		"Do not allow null.")
	found = s.unreported(credentials, lookAlike)
	s.add(severity, found,
		fmt.Sprintf("The server mistakes other hosts for an allowed host. Anyone can register such a host, and its pages can then %s%s.", s.can(found), how)+condition,
		"Compare the whole origin. Do not compare a prefix or a suffix of it. In a regular expression, escape the dots, and anchor the pattern with ^ and $.")
	if credentials {
		found = s.allowed(true, tenant)
		s.add(severity, found,
			fmt.Sprintf("The page's parent domain is a public suffix. Anyone can register a name under it, and pages on that name can then %s%s.", s.can(found), how)+condition,
			"Allow the host of the page, but not a pattern for its domain.")
	}
}

// unreported returns the probes of some kinds whose pages have access. Without
// credentials, it leaves out the origins that also have access with
// credentials, because another finding lists them.
func (s *scan) unreported(credentials bool, kinds ...kind) []probe {
	return slices.DeleteFunc(s.allowed(credentials, kinds...), func(p probe) bool {
		return !credentials && slices.ContainsFunc(s.allowed(true, kinds...), func(q probe) bool { return q.Origin == p.Origin })
	})
}

// findMinor adds findings about origins that the page's owner, or the network,
// controls.
func (s *scan) findMinor() {
	plain := func(credentials bool) []probe {
		probes := s.allowed(credentials, itself, insecure)
		return slices.DeleteFunc(probes, func(p probe) bool {
			return !strings.HasPrefix(s.request.serverOrigin(), "https:") || !strings.HasPrefix(p.Origin, "http:") || isLoopback(p.Origin)
		})
	}
	if found := plain(true); len(found) > 0 {
		s.add(Low, found,
			fmt.Sprintf("Anyone on the network path can change a page that is loaded over HTTP, and then %s as your user.", s.can(found)),
			"Allow only https origins, and serve the page over HTTPS.")
	} else if found := plain(false); !s.isPublic() {
		s.add(Info, found, fmt.Sprintf("Pages loaded over HTTP can %s without credentials.", s.can(found)), "")
	}

	found := s.allowed(true, sibling, otherPort)
	switch {
	case len(found) > 0 && isLoopback(s.page):
		s.add(Info, found, fmt.Sprintf("Pages on other loopback hosts or ports can %s.", s.can(found)), "")
	case len(found) > 0:
		s.add(Low, found,
			fmt.Sprintf("Pages on other hosts in the domain, or on other ports, can %s as your user. One vulnerable page or one forgotten host is enough. If they are on the server's site, SameSite does not protect the server.", s.can(found)),
			"Allow only the hosts that need access.")
	case !s.isPublic():
		found = s.unreported(false, sibling, otherPort, tenant)
		s.add(Info, found, fmt.Sprintf("Pages on other hosts in the domain, or on other ports, can %s without credentials.", s.can(found)), "")
	}
}

// findUselessCredentials adds a finding if the server allows "*" with
// credentials.
func (s *scan) findUselessCredentials() {
	for _, p := range s.probes {
		for _, ex := range []*Exchange{p.Result.Preflight, p.Result.Actual} {
			if ex.header("Access-Control-Allow-Origin") == "*" && ex.header("Access-Control-Allow-Credentials") == "true" {
				s.add(Low, []probe{p}, "The response has Access-Control-Allow-Credentials with Access-Control-Allow-Origin: *. Browsers do not accept both together, so requests with credentials fail.",
					"List the origins that need credentials, or leave out Access-Control-Allow-Credentials.")
				return
			}
		}
	}
}

// isPublic reports whether every origin, or every origin of one scheme, is
// allowed without credentials, and no unrelated origin is allowed with
// credentials.
func (s *scan) isPublic() bool {
	if len(s.allowed(true, unrelated)) > 0 {
		return false
	}
	for _, p := range s.allowed(false, unrelated) {
		scheme, _, _ := strings.Cut(p.Origin, ":")
		if !slices.ContainsFunc(s.probes, func(q probe) bool {
			return q.kind == lookAlike && !q.Credentials && strings.HasPrefix(q.Origin, scheme+":") && !q.hasAccess()
		}) {
			return true
		}
	}
	return false
}

// findCaching adds findings about responses that a cache can serve to the wrong
// pages.
func (s *scan) findCaching() {
	if s.isPublic() || s.request.Mode == WebSocket {
		return
	}
	var unmarked, stored, stale []probe
	differ := false
	for _, p := range s.probes {
		res, allowed := p.Result.Actual.Response, p.Result.Actual.header("Access-Control-Allow-Origin")
		differ = differ || p.rejected() || allowed != p.page.Actual.header("Access-Control-Allow-Origin")
		vary, _ := extractList(res.Header, "Vary")
		varies := containsFold(vary, "Origin") || slices.Contains(vary, "*")
		if !varies && isStorable(res) {
			unmarked = append(unmarked, p)
		}
		if p.rejected() && isCacheable(res) {
			stored = append(stored, p)
		}
		cached := evidence{header: res.Header}.cache() != ""
		if cached && origin.Valid(allowed) && allowed != p.Origin && p.kind != absent && (varies || s.preflightsDiffer(allowed)) {
			stale = append(stale, p)
		}
	}
	if differ {
		s.add(Medium, unmarked, "Responses depend on Origin, but do not all have Vary: Origin. A cache, even the browser's, can then serve a response for one page to another.",
			"Send Vary: Origin with every response, even if the request has no Origin or is rejected.")
	}
	s.add(Medium, stored, "A cache may store the rejection of a request. A cache that ignores Vary would then serve it to allowed pages.",
		"Send Cache-Control: no-store with rejections.")
	s.add(Medium, stale, "The response came from a cache, which had stored it for another origin. The cache ignores Vary: Origin.",
		"Have the cache honor Vary, or add Origin to its key.")
}

// preflightsDiffer reports whether a response to a preflight does not name the
// origin allowed.
func (s *scan) preflightsDiffer(allowed string) bool {
	return slices.ContainsFunc(s.probes, func(p probe) bool {
		return p.Result.Preflight != nil && p.Result.Preflight.header("Access-Control-Allow-Origin") != allowed
	})
}

// header returns the value of a response header, or the empty string.
func (ex *Exchange) header(name string) string {
	if ex == nil || ex.Response == nil {
		return ""
	}
	return ex.Response.Header.Get(name)
}

// cacheControl returns the value of a directive in Cache-Control.
func cacheControl(h http.Header, directive string) (value string, found bool) {
	for _, d := range split(strings.Join(h["Cache-Control"], ",")) {
		if name, value, _ := strings.Cut(d, "="); strings.EqualFold(name, directive) {
			return strings.Trim(value, `"`), true
		}
	}
	return "", false
}

// isCacheControl reports whether Cache-Control has any of the directives.
func isCacheControl(h http.Header, directives ...string) bool {
	return slices.ContainsFunc(directives, func(directive string) bool {
		_, found := cacheControl(h, directive)
		return found
	})
}

// isStorable reports whether a cache, such as the browser's, can store res (RFC
// 9111, section 3).
func isStorable(res *http.Response) bool {
	if isCacheControl(res.Header, "no-store") {
		return false
	}
	switch res.StatusCode {
	case 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501: // RFC 9110, section 15.1
		return true
	}
	return isCacheControl(res.Header, "public", "private", "max-age", "s-maxage") || res.Header["Expires"] != nil
}

// isCacheable reports whether a shared cache can store res, and use it without
// asking the server.
func isCacheable(res *http.Response) bool {
	if !isStorable(res) || isCacheControl(res.Header, "private", "no-cache") {
		return false
	}
	for _, directive := range []string{"s-maxage", "max-age"} {
		if seconds, found := cacheControl(res.Header, directive); found {
			return strings.Trim(seconds, "0") != ""
		}
	}
	if res.Header["Expires"] != nil {
		expires, err := http.ParseTime(res.Header.Get("Expires"))
		return err == nil && expires.After(time.Now())
	}
	return true
}

// hostOf returns the host of an origin, without its port.
func hostOf(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	return (&url.URL{Host: host}).Hostname()
}

// isLoopback reports whether pages on origin come from this machine.
func isLoopback(origin string) bool {
	return isTrustworthy(&url.URL{Scheme: "http", Host: hostOf(origin)})
}

// String returns the report as text: one line for each request, then the
// findings, the most severe first. It ends with a line break.
func (r *Report) String() string {
	var t transcript
	width := 0
	for _, p := range r.Tried {
		width = max(width, len(p.name()))
	}
	for _, p := range r.Tried {
		how := "without credentials"
		if p.Credentials {
			how = "with credentials"
		}
		t.line("%-*s  %-19s  %s", width, p.name(), how, p.Outcome)
	}
	for _, f := range r.Findings {
		t.line("")
		t.line("%v: %s", f.Severity, f.What)
		t.line("  origins: %s", strings.Join(f.Origins, ", "))
		if f.Fix != "" {
			t.line("  fix: %s", f.Fix)
		}
	}
	if len(r.Findings) == 0 {
		t.line("")
		t.line("no findings")
	}
	if r.Incomplete != "" {
		t.line("note: not every request got a response; %s", r.Incomplete)
	} else if r.noAccess {
		t.line("note: the page itself has no access, so the scan shows little; check the origin of the page, the URL and the cookie")
	}
	return t.String()
}

// outcome describes the result of p.
func (p probe) outcome() string {
	r := p.Result
	if r.Actual == nil || r.Actual.Response == nil {
		return "no response: " + r.Blocked
	}
	if text := p.failure(); text != "" {
		return text
	}
	status := r.Actual.Response.StatusCode
	var text string
	switch {
	case p.kind == absent:
		return fmt.Sprintf("status %d", status)
	case r.request.Mode == WebSocket && p.reads():
		return "opens the WebSocket"
	case p.rejected():
		text = fmt.Sprintf("rejected: status %d", status)
	case p.reads():
		text = fmt.Sprintf("reads the response: status %d", status)
	case status < 400:
		text = fmt.Sprintf("cannot read the response, but the request was not rejected: status %d", status)
	default:
		text = fmt.Sprintf("cannot read the response: status %d", status)
	}
	switch method := r.request.Method; {
	case p.sends():
		text += fmt.Sprintf("; the preflight allows %s", method)
	case r.Preflight != nil:
		text += fmt.Sprintf("; the preflight does not allow %s: %s", method, r.denied.text)
	}
	return text
}
