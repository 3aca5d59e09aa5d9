package peers_test

import (
	"io"
	"net/http"
	"strings"
)

// The floors are what a careful engineer would write by hand for one service
// with exactly one of the grid's policies, and no other. They send the headers
// that this library sends under that policy, add to a Vary that is there, let
// same-origin requests pass, and match no origin that the policy does not
// allow. All else is cut: lists are constants; there is nothing to configure,
// observe or replace; several Origin lines, which no browser sends, are taken
// for their first.
//
// There are two. safeFloor makes one allocation for each response, from which
// it takes the header values. sharedFloor takes them from slices that all
// responses share, or from the request. It is the least that Go can do, and no
// example to follow: whoever appends to such a value, or changes it in place,
// changes the responses to others.

const (
	allowMethods  = "PUT, DELETE"
	allowHeaders  = "Authorization, Content-Type, X-Api-Key, X-App-Build, X-App-Platform, X-App-Version, X-Client-Id, X-Correlation-Id, X-Csrf-Token, X-Debug, X-Device-Id, X-Feature-Flags, X-Idempotency-Key, X-Locale, X-Request-Id, X-Requested-With, X-Session-Id, X-Tenant, X-Time-Zone, X-Trace-Id"
	exposeHeaders = "Etag, X-Total-Count"
	maxAgeSeconds = "600"
	oneOrigin     = "https://site-0.example.com"
	denied        = "cross-origin request rejected: the CORS policy does not allow its origin\n"
)

// safeFloor returns the hand-written safe handler for p.
func safeFloor(p policy, next http.Handler) http.Handler {
	switch {
	case p.any():
		return safeAny(next)
	case p.fn != nil:
		return safeFunc(next)
	case p.credentials:
		return safeCredentialed(next)
	case p.matches != nil:
		return safeMatching(p.matches, next)
	case p.patterns:
		return safeSubdomains(domains(p), next)
	case len(p.origins) == 1:
		return safeOne(next)
	default:
		return safeSet(set(p), next)
	}
}

func set(p policy) map[string]struct{} {
	origins := make(map[string]struct{}, len(p.origins))
	for _, s := range p.origins {
		origins[s] = struct{}{}
	}
	return origins
}

// domains returns the ".customer-1.example" of each "https://*.customer-1.example".
func domains(p policy) map[string]struct{} {
	domains := make(map[string]struct{}, len(p.origins))
	for _, s := range p.origins {
		domains[strings.TrimPrefix(s, "https://*")] = struct{}{}
	}
	return domains
}

func safeOne(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch origin := first(r.Header["Origin"]); {
		case origin == "":
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		case origin == oneOrigin:
			if asks(r) {
				safeAnswer(w, origin)
				return
			}
			safeAllow(w.Header(), origin)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			safeReject(w)
		}
	})
}

func safeSet(origins map[string]struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := first(r.Header["Origin"])
		if origin == "" {
			safeVary(w.Header())
			next.ServeHTTP(w, r)
			return
		}
		_, allowed := origins[origin]
		switch {
		case allowed:
			if asks(r) {
				safeAnswer(w, origin)
				return
			}
			safeAllow(w.Header(), origin)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			safeReject(w)
		}
	})
}

func safeSubdomains(domains map[string]struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch origin := first(r.Header["Origin"]); {
		case origin == "":
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		case isSubdomain(origin, domains):
			if asks(r) {
				safeAnswer(w, origin)
				return
			}
			safeAllow(w.Header(), origin)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			safeReject(w)
		}
	})
}

// safeMatching calls a func to match an origin, which costs next to nothing beside
// what that does.
func safeMatching(matches func(origin string) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch origin := first(r.Header["Origin"]); {
		case origin == "":
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		case matches(origin):
			if asks(r) {
				safeAnswer(w, origin)
				return
			}
			safeAllow(w.Header(), origin)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			safeReject(w)
		}
	})
}

// trustingFloor is safeFloor where a func decides, but asks it about any string,
// as rs/cors does: what is no origin is allowed if the func says so.
func trustingFloor(p policy, next http.Handler) http.Handler {
	if p.fn == nil {
		return nil
	}
	return safeMatching(isTenant, next)
}

func safeFunc(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch origin := first(r.Header["Origin"]); {
		case origin == "":
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		case isWebOrigin(origin) && isTenant(origin):
			if asks(r) {
				safeAnswer(w, origin)
				return
			}
			safeAllow(w.Header(), origin)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			safeVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			safeReject(w)
		}
	})
}

// safeAny needs no Vary: everybody gets the same.
func safeAny(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if first(r.Header["Origin"]) != "" && asks(r) {
			v := &[4]string{"*", allowMethods, allowHeaders, maxAgeSeconds}
			h["Access-Control-Allow-Origin"] = v[0:1:1]
			h["Access-Control-Allow-Methods"] = v[1:2:2]
			h["Access-Control-Allow-Headers"] = v[2:3:3]
			h["Access-Control-Max-Age"] = v[3:4:4]
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h["Access-Control-Allow-Origin"] = []string{"*"}
		next.ServeHTTP(w, r)
	})
}

func safeCredentialed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		switch origin := first(r.Header["Origin"]); {
		case origin == "":
			safeVary(h)
			next.ServeHTTP(w, r)
		case origin == oneOrigin:
			vary := h["Vary"]
			if asks(r) {
				v := &[6]string{origin, "true", allowMethods, allowHeaders, maxAgeSeconds, "Origin"}
				h["Access-Control-Allow-Origin"] = v[0:1:1]
				h["Access-Control-Allow-Credentials"] = v[1:2:2]
				h["Access-Control-Allow-Methods"] = v[2:3:3]
				h["Access-Control-Allow-Headers"] = v[3:4:4]
				h["Access-Control-Max-Age"] = v[4:5:5]
				h["Vary"] = addTo(vary, v[5:6:6])
				w.WriteHeader(http.StatusNoContent)
				return
			}
			v := &[4]string{origin, "true", exposeHeaders, "Origin"}
			h["Access-Control-Allow-Origin"] = v[0:1:1]
			h["Access-Control-Allow-Credentials"] = v[1:2:2]
			h["Access-Control-Expose-Headers"] = v[2:3:3]
			h["Vary"] = addTo(vary, v[3:4:4])
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			safeVary(h)
			next.ServeHTTP(w, r)
		default:
			safeReject(w)
		}
	})
}

func safeVary(h http.Header) {
	h["Vary"] = addTo(h["Vary"], []string{"Origin"})
}

func safeAllow(h http.Header, origin string) {
	v := &[2]string{origin, "Origin"}
	h["Access-Control-Allow-Origin"] = v[0:1:1]
	h["Vary"] = addTo(h["Vary"], v[1:2:2])
}

func safeAnswer(w http.ResponseWriter, origin string) {
	h := w.Header()
	v := &[5]string{origin, allowMethods, allowHeaders, maxAgeSeconds, "Origin"}
	h["Access-Control-Allow-Origin"] = v[0:1:1]
	h["Access-Control-Allow-Methods"] = v[1:2:2]
	h["Access-Control-Allow-Headers"] = v[2:3:3]
	h["Access-Control-Max-Age"] = v[3:4:4]
	h["Vary"] = addTo(h["Vary"], v[4:5:5])
	w.WriteHeader(http.StatusNoContent)
}

func safeReject(w http.ResponseWriter) {
	h := w.Header()
	v := &[3]string{"Origin", "text/plain; charset=utf-8", "nosniff"}
	h["Vary"] = addTo(h["Vary"], v[0:1:1])
	h["Content-Type"] = v[1:2:2]
	h["X-Content-Type-Options"] = v[2:3:3]
	delete(h, "Content-Length") // of the response that somebody expected
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, denied)
}

// addTo returns lines, or lines after those that were there before. Only then
// does it allocate.
func addTo(before, lines []string) []string {
	if len(before) == 0 {
		return lines
	}
	return append(before[:len(before):len(before)], lines...)
}

func first(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// asks reports whether r, which has an origin, is a preflight.
func asks(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header["Access-Control-Request-Method"]) > 0
}

// sameOrigin reports whether r comes from one of the service's own pages.
func sameOrigin(r *http.Request, origin string) bool {
	switch first(r.Header["Sec-Fetch-Site"]) {
	case "same-origin", "none":
		return true
	case "":
		return strings.TrimPrefix(origin, "https://") == r.Host
	}
	return false
}

// isSubdomain reports whether origin is that of a subdomain of one of domains,
// each of which has two labels, over HTTPS on its default port. What stands
// before the domain has to be labels, at least one.
func isSubdomain(origin string, domains map[string]struct{}) bool {
	host, ok := strings.CutPrefix(origin, "https://")
	if !ok || len(host) > 253 {
		return false
	}
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 {
		return false
	}
	dot = strings.LastIndexByte(host[:dot], '.')
	if dot < 0 {
		return false
	}
	_, ok = domains[host[dot:]]
	return ok && isLabels(host[:dot])
}

// isPreview returns a func that reports whether an origin is that of a preview
// of one of p's projects, https://project-1-*-team.vercel.app.
func isPreview(p policy) func(origin string) bool {
	const end = "-team.vercel.app"
	projects := make(map[string]struct{})
	for _, s := range p.origins {
		projects[strings.TrimSuffix(s, "*"+end)] = struct{}{}
	}
	return func(origin string) bool {
		head, ok := strings.CutSuffix(origin, end)
		number, ok2 := strings.CutPrefix(head, "https://project-")
		if !ok || !ok2 {
			return false
		}
		star := len(head) - len(number) + strings.IndexByte(number, '-') + len("-")
		label := origin[len("https://") : len(head)+len("-team")]
		_, ok = projects[head[:star]]
		return ok && star < len(head) && !strings.Contains(label, ".") && isLabels(label)
	}
}

// isPreviewOfAny returns a func that reports whether an origin is that of a preview
// of one of p's projects, https://abc-1-*-team.vercel.app: its name and number go
// up to the second hyphen, and the team comes after the last.
func isPreviewOfAny(p policy) func(origin string) bool {
	const scheme, domain = "https://", ".vercel.app"
	type project struct{ head, team string }
	projects := make(map[project]struct{})
	for _, s := range p.origins {
		head, team, _ := strings.Cut(strings.TrimSuffix(s, domain), "*")
		projects[project{head, team}] = struct{}{}
	}
	return func(origin string) bool {
		label, ok := strings.CutSuffix(origin, domain)
		if !ok || !strings.HasPrefix(label, scheme) {
			return false
		}
		name := strings.IndexByte(label, '-') + 1
		star := name + strings.IndexByte(label[name:], '-') + 1
		end := strings.LastIndexByte(label, '-')
		if end <= star {
			return false
		}
		_, ok = projects[project{label[:star], label[end:]}]
		label = label[len(scheme):]
		return ok && !strings.Contains(label, ".") && isLabels(label)
	}
}

// isReview returns a func that reports whether an origin is that of a review at
// one of p's customers, https://pr-*.customer-1.example.
func isReview(p policy) func(origin string) bool {
	customers := make(map[string]struct{})
	for _, s := range p.origins {
		customers[strings.TrimPrefix(s, "https://pr-*")] = struct{}{}
	}
	return func(origin string) bool {
		rest, ok := strings.CutPrefix(origin, "https://pr-")
		dot := strings.IndexByte(rest, '.')
		if !ok || dot <= 0 {
			return false
		}
		_, ok = customers[rest[dot:]]
		return ok && isLabels(origin[len("https://"):len(origin)-len(rest)+dot])
	}
}

// isExtension returns a func that reports whether an origin has one of p's
// schemes, and a host as extensions have.
func isExtension(p policy) func(origin string) bool {
	schemes := make(map[string]struct{})
	for _, s := range p.origins {
		schemes[strings.TrimSuffix(s, "://*")] = struct{}{}
	}
	return func(origin string) bool {
		scheme, host, ok := strings.Cut(origin, "://")
		if !ok || host == "" || len(host) > 253 {
			return false
		}
		for i := range len(host) {
			switch c := host[i]; {
			case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~':
			default:
				return false
			}
		}
		_, ok = schemes[scheme]
		return ok
	}
}

// isLabels reports whether s is labels of DNS, in lower case, with dots between.
func isLabels(s string) bool {
	n := 0 // the length of the label so far
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_':
			n++
			if n > 63 {
				return false
			}
		case c == '.' && n > 0:
			n = 0
		default:
			return false
		}
	}
	return n > 0
}

// isWebOrigin reports whether origin is well-formed, with a domain for its
// host: tenants have no pages at IP addresses, nor in browser extensions.
func isWebOrigin(origin string) bool {
	host, ok := strings.CutPrefix(origin, "https://")
	if !ok {
		host, ok = strings.CutPrefix(origin, "http://")
	}
	if !ok {
		return false
	}
	n, begin := 0, byte(0) // the length of the label so far, and its first byte
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_':
			if n == 0 {
				begin = c
			}
			n++
			if n > 63 {
				return false
			}
		case c == '.' && n > 0:
			n = 0
		case c == ':' && n > 0:
			port := host[i+1:]
			return i <= 253 && !isDigit(begin) && port != "" && len(port) <= 5 && port[0] != '0' && strings.Trim(port, "0123456789") == ""
		default:
			return false
		}
	}
	return n > 0 && len(host) <= 253 && !isDigit(begin)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// The values that all responses of sharedFloor share.
var (
	sharedOrigin      = []string{oneOrigin}
	sharedAny         = []string{"*"}
	sharedTrue        = []string{"true"}
	sharedMethods     = []string{allowMethods}
	sharedHeaders     = []string{allowHeaders}
	sharedMaxAge      = []string{maxAgeSeconds}
	sharedExpose      = []string{exposeHeaders}
	sharedVary        = []string{"Origin"}
	sharedContentType = []string{"text/plain; charset=utf-8"}
	sharedNosniff     = []string{"nosniff"}
)

// sharedFloor returns the hand-written handler for p that shares memory between
// responses.
func sharedFloor(p policy, next http.Handler) http.Handler {
	switch {
	case p.any():
		return sharedAnyOrigin(next)
	case p.fn != nil:
		return sharedFunc(next)
	case p.credentials:
		return sharedCredentialed(next)
	case p.matches != nil:
		return sharedMatching(p.matches, next)
	case p.patterns:
		return sharedSubdomains(domains(p), next)
	case len(p.origins) == 1:
		return sharedOne(next)
	default:
		return sharedSet(set(p), next)
	}
}

func sharedOne(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := r.Header["Origin"]
		switch origin := first(lines); {
		case origin == "":
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		case origin == oneOrigin:
			if asks(r) {
				shareAnswer(w, sharedOrigin)
				return
			}
			shareAllow(w.Header(), sharedOrigin)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			shareReject(w)
		}
	})
}

func sharedSet(origins map[string]struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := r.Header["Origin"]
		origin := first(lines)
		if origin == "" {
			shareVary(w.Header())
			next.ServeHTTP(w, r)
			return
		}
		_, allowed := origins[origin]
		switch {
		case allowed:
			if asks(r) {
				shareAnswer(w, lines)
				return
			}
			shareAllow(w.Header(), lines)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			shareReject(w)
		}
	})
}

func sharedSubdomains(domains map[string]struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := r.Header["Origin"]
		switch origin := first(lines); {
		case origin == "":
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		case isSubdomain(origin, domains):
			if asks(r) {
				shareAnswer(w, lines)
				return
			}
			shareAllow(w.Header(), lines)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			shareReject(w)
		}
	})
}

func sharedMatching(matches func(origin string) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := r.Header["Origin"]
		switch origin := first(lines); {
		case origin == "":
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		case matches(origin):
			if asks(r) {
				shareAnswer(w, lines)
				return
			}
			shareAllow(w.Header(), lines)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			shareReject(w)
		}
	})
}

func sharedFunc(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := r.Header["Origin"]
		switch origin := first(lines); {
		case origin == "":
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		case isWebOrigin(origin) && isTenant(origin):
			if asks(r) {
				shareAnswer(w, lines)
				return
			}
			shareAllow(w.Header(), lines)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			shareVary(w.Header())
			next.ServeHTTP(w, r)
		default:
			shareReject(w)
		}
	})
}

func sharedAnyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Access-Control-Allow-Origin"] = sharedAny
		if first(r.Header["Origin"]) != "" && asks(r) {
			h["Access-Control-Allow-Methods"] = sharedMethods
			h["Access-Control-Allow-Headers"] = sharedHeaders
			h["Access-Control-Max-Age"] = sharedMaxAge
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func sharedCredentialed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		switch origin := first(r.Header["Origin"]); {
		case origin == "":
			shareVary(h)
			next.ServeHTTP(w, r)
		case origin == oneOrigin:
			h["Access-Control-Allow-Credentials"] = sharedTrue
			if asks(r) {
				shareAnswer(w, sharedOrigin)
				return
			}
			h["Access-Control-Expose-Headers"] = sharedExpose
			shareAllow(h, sharedOrigin)
			next.ServeHTTP(w, r)
		case !asks(r) && sameOrigin(r, origin):
			shareVary(h)
			next.ServeHTTP(w, r)
		default:
			shareReject(w)
		}
	})
}

func shareVary(h http.Header) {
	h["Vary"] = addTo(h["Vary"], sharedVary)
}

func shareAllow(h http.Header, origin []string) {
	h["Access-Control-Allow-Origin"] = origin
	h["Vary"] = addTo(h["Vary"], sharedVary)
}

func shareAnswer(w http.ResponseWriter, origin []string) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = origin
	h["Access-Control-Allow-Methods"] = sharedMethods
	h["Access-Control-Allow-Headers"] = sharedHeaders
	h["Access-Control-Max-Age"] = sharedMaxAge
	h["Vary"] = addTo(h["Vary"], sharedVary)
	w.WriteHeader(http.StatusNoContent)
}

func shareReject(w http.ResponseWriter) {
	h := w.Header()
	h["Vary"] = addTo(h["Vary"], sharedVary)
	h["Content-Type"] = sharedContentType
	h["X-Content-Type-Options"] = sharedNosniff
	delete(h, "Content-Length")
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, denied)
}
