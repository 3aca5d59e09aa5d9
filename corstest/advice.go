package corstest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/f407da42/cors/internal/header"
)

// evidence is what the server's mistake shows in: the response that made the
// request fail, or the one that the script may read.
type evidence struct {
	failure
	preflight bool // whether it is the response to a preflight
	status    int
	header    http.Header
	body      string
	include   bool // whether the request is made with credentials
	tainted   bool // whether redirects have made the origin null
	page      string
	own       bool     // whether the URL is of the page's origin
	hidden    []string // headers that the script cannot read, though it is not blocked
}

// rejected reports whether e is the rejection of an origin by package cors.
func (e evidence) rejected() bool {
	return e.status == 403 && strings.HasPrefix(e.body, originRejected)
}

// varies reports whether e seems to come from a CORS middleware that does not
// allow the origin. Authentication in front may say Vary: Origin as well.
func (e evidence) varies() bool {
	names, _ := extractList(e.header, "Vary")
	return e.kind == originMissing && containsFold(names, "Origin") && !(e.preflight && e.header["Www-Authenticate"] != nil)
}

// disallowed reports whether e is the answer to another origin than it must be.
func (e evidence) disallowed() bool {
	return e.rejected() || e.varies() || e.kind == originOther
}

// doubled reports whether e has values that one layer would not set.
func (e evidence) doubled() bool {
	lines, origins := e.header["Access-Control-Allow-Origin"], split(e.value)
	return len(origins) > 1 && (len(lines) > 1 || origins[0] == origins[1] || slices.Contains(origins, "*")) ||
		e.kind == credentialsDenied && len(e.header["Access-Control-Allow-Credentials"]) > 1
}

// How the bodies begin of the 403 of package cors, and of that of
// [http.CrossOriginProtection].
const (
	originRejected  = "cross-origin request rejected: "
	siteRejected    = "cross-site request rejected: "
	forgeryDetected = "cross-origin request detected"
)

// advices holds what most likely is wrong, and what to change. The first that
// applies is given.
var advices = []struct {
	applies func(e evidence) bool
	text    func(e evidence) string
}{
	{
		func(e evidence) bool { return e.status == 403 && strings.HasPrefix(e.body, siteRejected) },
		constant("The request had an Origin header, but it did not reach package cors. Look for a proxy or middleware in front that removes it."),
	},
	{
		func(e evidence) bool { return e.doubled() },
		constant("Two layers set CORS headers, and browsers accept neither of two values. Leave them to one: behind a proxy of Go, call cors.StripHeaders in ModifyResponse; remove other middleware or code that sets Access-Control-Allow-Origin."),
	},
	{
		func(e evidence) bool { return e.kind == originOther && strings.ContainsAny(e.value, ",* ") },
		constant("Access-Control-Allow-Origin names one origin; browsers know no lists or patterns there. Answer with the page's origin alone, if it is allowed, and Vary: Origin. A CORS middleware does that."),
	},
	{
		func(e evidence) bool { return e.disallowed() && e.tainted },
		constant("After a redirect from one foreign origin to another, browsers send Origin: null. Have the page ask for the last URL directly."),
	},
	{
		func(e evidence) bool { return e.disallowed() && (e.page == "null" || e.page == "file://") },
		func(e evidence) string {
			return fmt.Sprintf("Any page can have the origin %s: a file, or one in a sandbox. Give this page one of its own, over HTTP and without a sandbox, and list that in AllowedOrigins.", e.page)
		},
	},
	{
		func(e evidence) bool { return e.rejected() && e.own },
		func(e evidence) string {
			return fmt.Sprintf("The page is of the server's own origin, but package cors cannot tell: a proxy rewrites Host, and Sec-Fetch-Site, which browsers send over HTTPS, is missing. Have the proxy pass on both, or add %s to AllowedOrigins.", e.page)
		},
	},
	{
		func(e evidence) bool { return e.rejected() },
		func(e evidence) string {
			return fmt.Sprintf("The policy of package cors does not allow the page's origin. Add %s to AllowedOrigins.", e.page)
		},
	},
	{
		func(e evidence) bool { return e.status == 403 && strings.HasPrefix(e.body, forgeryDetected) },
		constant("http.CrossOriginProtection does not trust the page's origin. Leave it out, as a policy that lists origins rejects what it rejects; or give both the same origins."),
	},
	{
		func(e evidence) bool { return e.varies() },
		func(e evidence) string {
			return fmt.Sprintf("A CORS middleware seems to have answered, and does not allow the page's origin. Add %s to AllowedOrigins. If it is there, look for what loses headers on the way.", e.page)
		},
	},
	{
		func(e evidence) bool { return e.preflight && e.status/100 == 3 },
		func(e evidence) string {
			return fmt.Sprintf("Something redirects the preflight to %q, and browsers follow no redirect of a preflight. Ask for the final URL (scheme, host, trailing slash), or let a CORS middleware that answers preflights itself wrap what redirects.", e.header.Get("Location"))
		},
	},
	{
		func(e evidence) bool { return e.kind == statusNotOK },
		func(e evidence) string {
			return fmt.Sprintf("CORS headers are there, but OPTIONS goes on to what answers %d, and a preflight must get a status from 200 to 299. Let the CORS middleware answer preflights itself.", e.status)
		},
	},
	{
		func(e evidence) bool {
			return e.preflight && e.kind == originMissing && (e.status == 401 || e.status == 403 || e.status == 407)
		},
		constant("Authentication or another guard stands in front of the CORS middleware, and preflights carry no credentials. Let the CORS middleware wrap it, so that it answers preflights first."),
	},
	{
		func(e evidence) bool {
			return e.preflight && e.kind == originMissing && (e.status == 404 || e.status == 405)
		},
		constant("The router answers OPTIONS itself, because no route matches that method, and the CORS middleware is not reached. Wrap the whole router with the CORS middleware, or mount it on a pattern without a method."),
	},
	{
		func(e evidence) bool { return e.preflight && e.kind == originMissing && e.status/100 == 5 },
		constant("The server fails on OPTIONS, or a proxy cannot reach it. Look into its log; the CORS middleware belongs outside whatever fails."),
	},
	{
		func(e evidence) bool { return e.preflight && e.kind == originMissing && e.status/100 == 2 },
		constant("Something other than the CORS middleware answers OPTIONS: a router's own handler, a proxy, a static file server. Let the CORS middleware wrap it, or have it pass preflights on."),
	},
	{
		func(e evidence) bool { return e.preflight && e.kind == originMissing },
		func(e evidence) string {
			return fmt.Sprintf("Something around the CORS middleware answers the preflight with %d. Let the CORS middleware wrap it: a preflight must get a status from 200 to 299.", e.status)
		},
	},
	{
		func(e evidence) bool { return e.kind == originWildcard },
		constant("With credentials, browsers do not accept *. List the page's origin in AllowedOrigins and set AllowCredentials; or make the request without credentials."),
	},
	{
		func(e evidence) bool { return e.kind == credentialsDenied },
		constant("The request is made with credentials. Set AllowCredentials (Access-Control-Allow-Credentials: true, in lower case), or make the request without."),
	},
	{
		func(e evidence) bool { return e.kind == originOther },
		func(e evidence) string {
			return fmt.Sprintf("The server must answer with the page's origin as the browser sends it, byte for byte. Add %s to AllowedOrigins. If it is there, a cache may keep the response made for another origin: send Vary: Origin.", e.page)
		},
	},
	{
		func(e evidence) bool {
			return e.kind == methodNotListed && lists(e.header, "Access-Control-Allow-Methods", strings.ToUpper(e.value))
		},
		func(e evidence) string {
			return fmt.Sprintf("Methods are case-sensitive, and browsers leave %s as the script wrote it. Have the script write %s.", e.value, strings.ToUpper(e.value))
		},
	},
	{
		func(e evidence) bool {
			return e.kind == methodNotListed && header.FaultOfMethod(strings.ToUpper(e.value)) != ""
		},
		func(e evidence) string {
			return fmt.Sprintf("No policy allows a method %s. Have the script use another.", e.value)
		},
	},
	{
		func(e evidence) bool { return e.kind == methodNotListed && header.FaultOfMethod(e.value) != "" },
		func(e evidence) string {
			upper := strings.ToUpper(e.value)
			return fmt.Sprintf("Add %s to AllowedMethods, and have the script write %s: methods are case-sensitive, and browsers leave %s as it is.", upper, upper, e.value)
		},
	},
	{
		func(e evidence) bool {
			return e.kind == methodNotListed && lists(e.header, "Access-Control-Allow-Methods", "*")
		},
		func(e evidence) string {
			return fmt.Sprintf("With credentials, browsers take * for a method of that name. Add %s to AllowedMethods.", e.value)
		},
	},
	{
		func(e evidence) bool { return e.kind == methodNotListed },
		func(e evidence) string {
			return fmt.Sprintf("Add %s to AllowedMethods.", e.value)
		},
	},
	{
		func(e evidence) bool { return e.kind == headerNotListed && header.FaultOfRequestHeader(e.value) != "" },
		func(e evidence) string {
			return fmt.Sprintf("No policy allows a request header %s. Have the script leave it out: CORS headers, for example, are the server's to send.", e.value)
		},
	},
	{
		func(e evidence) bool {
			return e.kind == headerNotListed && e.include && lists(e.header, "Access-Control-Allow-Headers", "*")
		},
		func(e evidence) string {
			return fmt.Sprintf("With credentials, browsers take * for a header of that name. Add %s to AllowedHeaders.", e.value)
		},
	},
	{
		func(e evidence) bool {
			return e.kind == headerNotListed && lists(e.header, "Access-Control-Allow-Headers", "*")
		},
		constant("By the standard, * does not cover Authorization, though browsers still let it through, and most ask before every request. Add Authorization to AllowedHeaders beside *."),
	},
	{
		func(e evidence) bool { return e.kind == headerNotListed },
		func(e evidence) string {
			return fmt.Sprintf("Add %s to AllowedHeaders.", e.value)
		},
	},
	{
		func(e evidence) bool { return e.kind == listMalformed },
		constant("Methods and header names are tokens with commas between them. Look for a space, a quotation mark or a semicolon in the list."),
	},
	{
		func(e evidence) bool { return e.kind == originMissing && e.status >= 400 },
		func(e evidence) string {
			return fmt.Sprintf("The answer with status %d was made outside the CORS middleware, so the script cannot even read what went wrong. Let the CORS middleware wrap what makes it: authentication, rate limits, time limits, recovery, the router.", e.status)
		},
	},
	{
		func(e evidence) bool { return e.kind == originMissing && e.status/100 == 3 },
		constant("The redirect needs CORS headers as well. Let the CORS middleware wrap what redirects, or ask for the final URL."),
	},
	{
		func(e evidence) bool { return e.kind == originMissing },
		constant("The response did not come through a CORS middleware that allows the page's origin, or lost its headers on the way. Wrap the handler of this URL too; look for a proxy or cache that removes headers, and for an informational (1xx) response from behind a ReverseProxy, which clears them: keepHeaders in docs/integration.md keeps them."),
	},
	{
		func(e evidence) bool { return len(e.hidden) > 0 },
		func(e evidence) string {
			return fmt.Sprintf("The script cannot read %s. If it needs to, list that in ExposedHeaders.", strings.Join(e.hidden, ", "))
		},
	},
}

func constant(text string) func(evidence) string {
	return func(evidence) string { return text }
}

// lists reports whether item is in the list that is the value of a header.
func lists(h http.Header, name, item string) bool {
	items, _ := extractList(h, name)
	return slices.Contains(items, item)
}

// advise returns the advice on r, or the empty string.
func advise(r *Result) string {
	e := evidence{failure: r.failure, page: r.page, include: r.request.Credentials == Include}
	ex := r.Actual
	if ex == nil {
		ex, e.preflight = r.Preflight, true
	}
	if ex.Response == nil {
		return ""
	}
	e.status, e.header, e.body = ex.Response.StatusCode, ex.Response.Header, ex.body
	e.own = urlOrigin(ex.Request) == r.page
	e.tainted = r.page != "null" && ex.Request.Header.Get("Origin") == "null"
	if r.Blocked == "" {
		if r.Status != 0 && r.request.Mode != WebSocket {
			e.hidden = hidden(e.header, r.Header)
		}
	} else if e.kind <= unanswered {
		return "" // not by the headers of a response
	}
	for _, advice := range advices {
		if advice.applies(e) {
			return advice.text(e)
		}
	}
	return ""
}

// hidden returns the names of the headers in all that scripts often want, and
// that are not among the readable ones.
func hidden(all, readable http.Header) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch name {
		case "Content-Disposition", "Content-Range", "Etag", "Link", "Location", "Retry-After", "Www-Authenticate":
		case "X-Content-Type-Options", "X-Dns-Prefetch-Control", "X-Frame-Options", "X-Powered-By", "X-Xss-Protection":
			continue // not for scripts
		default:
			if !strings.HasPrefix(name, "X-") {
				continue
			}
		}
		if readable[name] == nil {
			names = append(names, name)
		}
	}
	return names
}
