package corstest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A cacheEntry is an entry of the "CORS-preflight cache". It allows either a
// method or a header name. The other field is empty.
type cacheEntry struct {
	key         string // the page's origin, in place of the "network partition key"
	origin      string // value of Origin; "null" after some redirects
	url         string
	credentials bool
	method      string
	headerName  string
	stored      time.Time
	maxAge      time.Duration
}

func (b *Browser) now() time.Time {
	if b.Now == nil {
		return time.Now()
	}
	return b.Now()
}

// maxAge returns how long a preflight can be cached ("CORS-preflight fetch",
// steps 7.8 to 7.10).
func (b *Browser) maxAge(h http.Header) time.Duration {
	limit := b.MaxAge
	if limit == 0 {
		limit = 24 * time.Hour
	}
	// The grammar of delta-seconds has no negative numbers, so the standard
	// ignores them. Browsers treat them as 0.
	lines := h["Access-Control-Max-Age"]
	if len(lines) != 1 || lines[0] == "" || strings.Trim(lines[0], "0123456789") != "" {
		return 5 * time.Second
	}
	seconds, err := strconv.ParseInt(lines[0], 10, 64)
	if err != nil || seconds > int64(limit/time.Second) {
		return limit
	}
	return time.Duration(seconds) * time.Second
}

// store adds the methods and headers that a preflight allowed. For a method or
// header that is already cached, it updates the max-age ("CORS-preflight fetch",
// steps 7.12 to 7.15).
func (b *Browser) store(state *fetchState, maxAge time.Duration, methods, headerNames []string) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	put := func(matching []*cacheEntry, method, headerName string) {
		for _, e := range matching {
			e.maxAge = maxAge
		}
		if len(matching) == 0 {
			b.cache = append(b.cache, cacheEntry{
				key:         state.origin,
				origin:      state.serializedOrigin(),
				url:         state.url.String(),
				credentials: state.Credentials == Include,
				method:      method,
				headerName:  headerName,
				stored:      now,
				maxAge:      maxAge,
			})
		}
	}
	for _, method := range methods {
		put(b.methodMatches(state, now, method), method, "")
	}
	for _, name := range headerNames {
		put(b.headerMatches(state, now, name), "", name)
	}
}

// clearCache removes the entries for the request ("clear cache entries").
func (b *Browser) clearCache(state *fetchState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cache = slices.DeleteFunc(b.cache, func(e cacheEntry) bool { return e.isFor(state) })
}

func (e *cacheEntry) isFor(state *fetchState) bool {
	return e.key == state.origin && e.origin == state.serializedOrigin() && e.url == state.url.String()
}

// methodMatches returns each "method cache entry match" for method.
func (b *Browser) methodMatches(state *fetchState, now time.Time, method string) []*cacheEntry {
	return b.matches(state, now, func(e *cacheEntry) bool {
		return e.method == method || e.method == "*"
	})
}

// headerMatches returns each "header-name cache entry match" for name.
func (b *Browser) headerMatches(state *fetchState, now time.Time, name string) []*cacheEntry {
	return b.matches(state, now, func(e *cacheEntry) bool {
		return strings.EqualFold(e.headerName, name) || e.headerName == "*" && !strings.EqualFold(name, "Authorization")
	})
}

// matches returns each "cache entry match" for the request for which match returns
// true. It removes expired entries.
func (b *Browser) matches(state *fetchState, now time.Time, match func(*cacheEntry) bool) (matching []*cacheEntry) {
	b.cache = slices.DeleteFunc(b.cache, func(e cacheEntry) bool { return now.Sub(e.stored) >= e.maxAge })
	for i := range b.cache {
		e := &b.cache[i]
		if e.isFor(state) && (e.credentials || state.Credentials != Include) && match(e) {
			matching = append(matching, e)
		}
	}
	return matching
}
