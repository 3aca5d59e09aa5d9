package peers_test

import (
	"io"
	"net/http"
	"strings"
)

const (
	allowMethods  = "PUT, DELETE"
	allowHeaders  = "Authorization, Content-Type, X-Api-Key, X-App-Build, X-App-Platform, X-App-Version, X-Client-Id, X-Correlation-Id, X-Csrf-Token, X-Debug, X-Device-Id, X-Feature-Flags, X-Idempotency-Key, X-Locale, X-Request-Id, X-Requested-With, X-Session-Id, X-Tenant, X-Time-Zone, X-Trace-Id"
	exposeHeaders = "Etag, X-Total-Count"
	maxAgeSeconds = "600"
)

// wrapByHand returns the middleware that a careful engineer would write for one
// service with exactly the policy p, or nil if p needs too much code. It
// adds to an existing Vary, lets same-origin requests pass, matches only origins
// that p allows, and makes one allocation for each response. A test compares its
// responses with those of this package.
//
// It has no other features. Lists are constants. Nothing can be configured,
// observed or replaced. If a request has several Origin headers, which browsers
// never send, it reads the first.
func wrapByHand(p policy, next http.Handler) http.Handler {
	if p.kind == anyOrigin {
		return anyByHand(next)
	}
	allows := matcher(p)
	if allows == nil {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		origin := first(r.Header["Origin"])
		allowed, preflight := origin != "" && allows(origin), isPreflight(r)
		switch {
		case allowed && preflight:
			v := &[6]string{origin, allowMethods, allowHeaders, maxAgeSeconds, "Origin", "true"}
			h["Access-Control-Allow-Origin"] = v[0:1:1]
			h["Access-Control-Allow-Methods"] = v[1:2:2]
			h["Access-Control-Allow-Headers"] = v[2:3:3]
			h["Access-Control-Max-Age"] = v[3:4:4]
			addVary(h, v[4:5:5])
			if p.credentials {
				h["Access-Control-Allow-Credentials"] = v[5:6:6]
			}
			w.WriteHeader(http.StatusNoContent)
		case allowed && p.credentials:
			v := &[4]string{origin, "true", exposeHeaders, "Origin"}
			h["Access-Control-Allow-Origin"] = v[0:1:1]
			h["Access-Control-Allow-Credentials"] = v[1:2:2]
			h["Access-Control-Expose-Headers"] = v[2:3:3]
			addVary(h, v[3:4:4])
			next.ServeHTTP(w, r)
		case allowed:
			v := &[2]string{origin, "Origin"}
			h["Access-Control-Allow-Origin"] = v[0:1:1]
			addVary(h, v[1:2:2])
			next.ServeHTTP(w, r)
		case origin == "", !preflight && sameOrigin(r, origin):
			addVary(h, []string{"Origin"})
			next.ServeHTTP(w, r)
		default:
			v := &[4]string{"Origin", "text/plain; charset=utf-8", "nosniff", "no-store"}
			addVary(h, v[0:1:1])
			h["Content-Type"] = v[1:2:2]
			h["X-Content-Type-Options"] = v[2:3:3]
			h["Cache-Control"] = v[3:4:4]
			delete(h, "Content-Length") // set by an outer layer
			delete(h, "Etag")
			delete(h, "Last-Modified")
			delete(h, "Expires")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "cross-origin request rejected: the CORS policy does not allow its origin\n")
		}
	})
}

// anyByHand needs no Vary, because every origin gets the same response.
func anyByHand(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if first(r.Header["Origin"]) != "" && isPreflight(r) {
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

// addVary allocates only if h already has a Vary.
func addVary(h http.Header, lines []string) {
	if before := h["Vary"]; len(before) > 0 {
		lines = append(before[:len(before):len(before)], lines...)
	}
	h["Vary"] = lines
}

func first(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// isPreflight reports whether r is a preflight, if it has an origin.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && len(r.Header["Access-Control-Request-Method"]) > 0
}

// sameOrigin reports whether r comes from one of the service's pages.
func sameOrigin(r *http.Request, origin string) bool {
	switch first(r.Header["Sec-Fetch-Site"]) {
	case "same-origin", "none":
		return true
	case "":
		return strings.TrimPrefix(origin, "https://") == r.Host
	}
	return false
}

// matcher returns a function that reports whether p allows an origin, or nil.
func matcher(p policy) func(origin string) bool {
	switch p.kind {
	case exactOrigins:
		if len(p.origins) == 1 {
			one := p.origins[0]
			return func(origin string) bool { return origin == one }
		}
		set := set(p.origins)
		return func(origin string) bool {
			_, ok := set[origin]
			return ok
		}
	case function:
		return func(origin string) bool { return isWebOrigin(origin) && p.fn(origin) }
	case subdomains:
		return isSubdomain(p.origins)
	case previews:
		return isPreview(p.origins)
	}
	return nil
}

func set(origins []string) map[string]struct{} {
	set := make(map[string]struct{}, len(origins))
	for _, s := range origins {
		set[s] = struct{}{}
	}
	return set
}

// isSubdomain matches patterns such as https://*.customer-1.example, whose
// domains all have two labels.
func isSubdomain(patterns []string) func(origin string) bool {
	domains := make(map[string]struct{}, len(patterns))
	for _, s := range patterns {
		domains[strings.TrimPrefix(s, "https://*")] = struct{}{}
	}
	return func(origin string) bool {
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
}

// isPreview matches patterns such as https://abc-1-*-team.vercel.app. The name
// and the number end at the second hyphen, and the team begins at the last one.
func isPreview(patterns []string) func(origin string) bool {
	const scheme, domain = "https://", ".vercel.app"
	type project struct{ head, team string }
	projects := make(map[project]struct{}, len(patterns))
	for _, s := range patterns {
		head, team, _ := strings.Cut(strings.TrimSuffix(s, domain), "*")
		projects[project{head, team}] = struct{}{}
	}
	return func(origin string) bool {
		label, ok := strings.CutSuffix(origin, domain)
		if !ok || !strings.HasPrefix(label, scheme) {
			return false
		}
		number := strings.IndexByte(label, '-') + 1
		star := number + strings.IndexByte(label[number:], '-') + 1
		end := strings.LastIndexByte(label, '-')
		if end <= star {
			return false
		}
		_, ok = projects[project{label[:star], label[end:]}]
		label = label[len(scheme):]
		return ok && !strings.Contains(label, ".") && isLabels(label)
	}
}

// isLabels reports whether s is a list of lowercase DNS labels, separated by
// dots.
func isLabels(s string) bool {
	n := 0 // length of the label so far
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

// isWebOrigin reports whether origin is valid and its host is a domain: the
// tenants have no pages at IP addresses or in browser extensions.
func isWebOrigin(origin string) bool {
	host, ok := strings.CutPrefix(origin, "https://")
	if !ok {
		host, ok = strings.CutPrefix(origin, "http://")
	}
	if !ok {
		return false
	}
	host, port, found := strings.Cut(host, ":")
	if found && (port == "" || len(port) > 5 || port[0] == '0' || strings.Trim(port, "0123456789") != "") {
		return false
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return len(host) <= 253 && isLabels(host) && (last[0] < '0' || '9' < last[0])
}
