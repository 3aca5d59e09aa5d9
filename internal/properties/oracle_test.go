// Package properties_test compares the middleware with independent references,
// under random policies and requests.
package properties_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/internal/origin/naive"
	"github.com/f407da42/cors/internal/testkit"
)

// A response is the full result of a request.
type response struct {
	ran    bool // whether the wrapped handler ran
	status int
	header http.Header
	body   string
	report *cors.RequestError // the argument of OnReject
}

// sameResponse reports whether a and b are equal. It ignores the text of an
// error, and whether the values of a header are in one line or in several.
func sameResponse(a, b response) bool {
	sameValues := func(a, b []string) bool {
		return slices.Equal(a, b) || strings.Join(a, ", ") == strings.Join(b, ", ")
	}
	return a.ran == b.ran && a.status == b.status && a.body == b.body &&
		maps.EqualFunc(a.header, b.header, sameValues) && testkit.SameError(a.report, b.report)
}

// An oracle computes the response of Handler to any request under one policy. It
// follows the documented table of requests, and shares no code with package cors.
type oracle struct {
	cors.Policy
	patterns []*regexp.Regexp
	known    map[string]knownOrigin
}

// A knownOrigin has results for an origin that are slow to compute.
type knownOrigin struct{ valid, listed bool }

func newOracle(p cors.Policy) *oracle {
	o := &oracle{Policy: p, known: make(map[string]knownOrigin)}
	for _, pattern := range p.AllowedOrigins {
		o.patterns = append(o.patterns, naive.Expression(pattern))
	}
	return o
}

// respond returns the response to r, if the wrapped handler does nothing, and
// DenyHandler at most sends a status. Before the middleware runs, the response
// header is before.
func (o *oracle) respond(r *http.Request, before http.Header) response {
	var (
		lines      = r.Header["Origin"]
		origin     = strings.Join(lines, ", ")
		hasOrigin  = origin != ""
		preflight  = hasOrigin && r.Method == "OPTIONS" && len(r.Header["Access-Control-Request-Method"]) > 0
		anyOrigin  = slices.Contains(o.AllowedOrigins, "*")
		allowed    = anyOrigin || len(lines) == 1 && o.allows(r, origin)
		site       = r.Header.Get("Sec-Fetch-Site")
		ownSite    = site == "same-origin" || site == "none"
		sameOrigin = ownSite || site == "" && isHost(r.Host, origin)
		mode       = r.Header.Get("Sec-Fetch-Mode")
		embedded   = (mode == "no-cors" || mode == "navigate") && r.Header["Upgrade"] == nil
		getOrHead  = r.Method == "GET" || r.Method == "HEAD"
		otherSite  = !hasOrigin && !anyOrigin && !getOrHead && r.Method != "OPTIONS" && site != "" && !ownSite
		varies     = "Origin"
	)
	res := response{ran: true, status: 200, header: before.Clone()}
	maps.DeleteFunc(res.header, func(name string, _ []string) bool { return strings.HasPrefix(name, "Access-Control-") })

	switch {
	case !hasOrigin && !otherSite: // no Origin, or an empty one, and the last row does not apply
		if anyOrigin {
			res.set("Access-Control-Allow-Origin", "*")
			res.set("Access-Control-Expose-Headers", canonical(o.ExposedHeaders)...)
		}
	case preflight && allowed: // preflight, origin allowed
		res.ran, res.status = false, 204
		o.allow(&res, origin, anyOrigin)
		methods, varyMethod := o.listMethods(r)
		headers, varyHeaders := o.listHeaders(r)
		res.set("Access-Control-Allow-Methods", methods...)
		res.set("Access-Control-Allow-Headers", headers...)
		res.set("Access-Control-Max-Age", o.maxAge()...)
		varies += varyMethod + varyHeaders
		res.report = o.checkPreflight(r)
	case preflight: // preflight, origin not allowed
		o.reject(&res, r, &cors.RequestError{Preflight: true, Field: "Origin", Value: firstTwo(lines)})
	case hasOrigin && allowed: // other request with Origin, origin allowed
		o.allow(&res, origin, anyOrigin)
		res.set("Access-Control-Expose-Headers", canonical(o.ExposedHeaders)...)
	case hasOrigin && sameOrigin: // other, origin not allowed, but same-origin
	case hasOrigin && getOrHead && embedded: // GET or HEAD, origin not allowed, Sec-Fetch-Mode is no-cors or navigate
	case hasOrigin: // other, origin not allowed
		o.reject(&res, r, &cors.RequestError{Field: "Origin", Value: firstTwo(lines)})
	case otherSite: // no Origin, another method, and Sec-Fetch-Site shows another site or origin
		o.reject(&res, r, &cors.RequestError{Field: "Sec-Fetch-Site", Value: firstTwo(r.Header["Sec-Fetch-Site"])})
	}
	if !anyOrigin {
		res.header["Vary"] = append(slices.Clone(before["Vary"]), varies)
	}
	return res
}

// set sets a header, if it has values.
func (res *response) set(name string, values ...string) {
	if len(values) > 0 {
		res.header[name] = values
	}
}

// allow sets the headers of every response to an allowed origin.
func (o *oracle) allow(res *response, origin string, anyOrigin bool) {
	if anyOrigin {
		origin = "*"
	}
	res.set("Access-Control-Allow-Origin", origin)
	if o.AllowCredentials {
		res.set("Access-Control-Allow-Credentials", "true")
	}
}

// reject makes res the response to a request that is rejected because of err.
func (o *oracle) reject(res *response, r *http.Request, err *cors.RequestError) {
	res.report = err
	opensConnection := r.Method == "CONNECT" || r.Header["Upgrade"] != nil
	if o.PassRejected && !err.Preflight && !opensConnection {
		return // the handler runs
	}
	res.ran = false
	for _, name := range []string{"Content-Length", "Etag", "Last-Modified", "Expires", "Cdn-Cache-Control", "Surrogate-Control"} {
		res.header.Del(name)
	}
	res.set("Cache-Control", "no-store")
	if o.DenyHandler != nil {
		w := httptest.NewRecorder()
		o.DenyHandler.ServeHTTP(w, r)
		res.status = w.Code
		return
	}
	res.status = 403
	res.set("Content-Type", "text/plain; charset=utf-8")
	res.set("X-Content-Type-Options", "nosniff")
	res.body = testkit.Rejection
	if err.Field == "Sec-Fetch-Site" {
		res.body = testkit.SiteRejection
	}
}

// allows reports whether the policy allows origin.
func (o *oracle) allows(r *http.Request, origin string) bool {
	if slices.Contains(o.AllowedOrigins, "*") {
		return true
	}
	known, ok := o.known[origin]
	if !ok {
		known.valid = naive.IsOrigin(origin) || isOpaque(origin) && o.AcceptRisks&cors.RiskNullOrigin != 0
		known.listed = known.valid && slices.ContainsFunc(o.patterns, func(e *regexp.Regexp) bool { return e.MatchString(origin) })
		o.known[origin] = known
	}
	return known.listed || known.valid && o.AllowOriginFunc != nil && len(origin) <= 512 && o.AllowOriginFunc(r, origin)
}

func isOpaque(origin string) bool { return origin == "null" || origin == "file://" }

// isHost reports whether origin is the origin of the server with this Host header.
// It ignores the case of host and a default port in it.
func isHost(host, origin string) bool {
	scheme, authority, _ := strings.Cut(origin, "://")
	port := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return port != "" && strings.EqualFold(authority, strings.TrimSuffix(host, port)) && naive.IsOrigin(origin)
}

// listMethods returns the values of Access-Control-Allow-Methods, and the name to
// add to Vary. With credentials, it replaces "*" by the method in r.
func (o *oracle) listMethods(r *http.Request) (list []string, varies string) {
	for _, method := range o.AllowedMethods {
		switch {
		case method == "*" && o.AllowCredentials:
			varies = ", Access-Control-Request-Method"
		case !slices.Contains(list, method) && !forbiddenMethod.MatchString(method):
			list = append(list, method)
		}
	}
	asked := r.Header["Access-Control-Request-Method"]
	if varies != "" && len(asked) == 1 && isEchoedMethod(asked[0]) && (asked[0] == "*" || !slices.Contains(o.AllowedMethods, asked[0])) {
		list = append(list, asked[0])
	}
	return list, varies
}

func isEchoedMethod(method string) bool {
	return tokenExpr.MatchString(method) && len(method) <= 8<<10
}

// listHeaders is like listMethods, for Access-Control-Allow-Headers.
func (o *oracle) listHeaders(r *http.Request) (list []string, varies string) {
	list = slices.DeleteFunc(canonical(o.AllowedHeaders), forbiddenRequestHeader.MatchString)
	if !o.AllowCredentials || !slices.Contains(list, "*") {
		return list, ""
	}
	list = slices.DeleteFunc(list, func(s string) bool { return s == "*" })
	asked := r.Header["Access-Control-Request-Headers"]
	if checkRequestHeaders(o.Policy, asked) == nil && strings.Join(asked, "") != "" {
		list = append(list, asked...)
	}
	return list, ", Access-Control-Request-Headers"
}

// maxAge returns the value of Access-Control-Max-Age, or nil if the header is
// absent.
func (o *oracle) maxAge() []string {
	if o.MaxAge == 0 {
		return nil
	}
	return []string{strconv.Itoa(int(max(0, o.MaxAge).Seconds()))}
}

// checkPreflight returns the reason why a browser stops after a preflight from an
// allowed origin, or nil.
func (o *oracle) checkPreflight(r *http.Request) *cors.RequestError {
	asked := r.Header["Access-Control-Request-Method"]
	list := append([]string{"GET", "HEAD", "POST"}, o.AllowedMethods...)
	anyMethod := slices.Contains(list, "*") && isEchoedMethod(asked[0])
	if len(asked) > 1 || !anyMethod && !slices.Contains(list, asked[0]) {
		return &cors.RequestError{Preflight: true, Field: "Access-Control-Request-Method", Value: firstTwo(asked)}
	}
	return checkRequestHeaders(o.Policy, r.Header["Access-Control-Request-Headers"])
}

// canonical returns each of names once, in its canonical form.
func canonical(names []string) []string {
	var list []string
	for _, name := range names {
		if name = http.CanonicalHeaderKey(name); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// firstTwo returns the Value of a RequestError for a header with lines.
func firstTwo(lines []string) string {
	s := strings.Join(lines[:min(len(lines), 2)], ", ")
	return s[:min(len(s), 512)]
}
