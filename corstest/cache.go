package corstest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A cacheEntry is an entry of the CORS-preflight cache. It has either a method or
// a header name; the other field is empty.
type cacheEntry struct {
	key         string // the page's origin, in place of the network partition key
	origin      string
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

// store adds the methods and headers that a preflight allowed to the cache. If the
// cache already has an entry, store updates its max-age ("CORS-preflight fetch",
// steps 7.12 to 7.15).
func (b *Browser) store(q *request, maxAge time.Duration, methods, headerNames []string) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	put := func(matching []*cacheEntry, method, headerName string) {
		for _, e := range matching {
			e.maxAge = maxAge
		}
		if len(matching) == 0 {
			b.cache = append(b.cache, cacheEntry{
				key:         q.origin,
				origin:      q.serializedOrigin(),
				url:         q.url.String(),
				credentials: q.Credentials == Include,
				method:      method,
				headerName:  headerName,
				stored:      now,
				maxAge:      maxAge,
			})
		}
	}
	for _, method := range methods {
		put(b.methodMatches(q, now, method), method, "")
	}
	for _, name := range headerNames {
		put(b.headerMatches(q, now, name), "", name)
	}
}

// clearCache implements "clear cache entries".
func (b *Browser) clearCache(q *request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cache = slices.DeleteFunc(b.cache, func(e cacheEntry) bool { return e.isFor(q) })
}

func (e *cacheEntry) isFor(q *request) bool {
	return e.key == q.origin && e.origin == q.serializedOrigin() && e.url == q.url.String()
}

// methodMatches returns the method cache entry matches for method.
func (b *Browser) methodMatches(q *request, now time.Time, method string) []*cacheEntry {
	return b.matches(q, now, func(e *cacheEntry) bool {
		return e.method == method || e.method == "*"
	})
}

// headerMatches returns the header-name cache entry matches for name.
func (b *Browser) headerMatches(q *request, now time.Time, name string) []*cacheEntry {
	return b.matches(q, now, func(e *cacheEntry) bool {
		return strings.EqualFold(e.headerName, name) || e.headerName == "*" && !strings.EqualFold(name, "Authorization")
	})
}

// matches returns the entries that are a "cache entry match" for q, and for which
// match returns true. It removes expired entries.
func (b *Browser) matches(q *request, now time.Time, match func(*cacheEntry) bool) (matching []*cacheEntry) {
	b.cache = slices.DeleteFunc(b.cache, func(e cacheEntry) bool { return now.Sub(e.stored) >= e.maxAge })
	for i := range b.cache {
		e := &b.cache[i]
		if e.isFor(q) && (e.credentials || q.Credentials != Include) && match(e) {
			matching = append(matching, e)
		}
	}
	return matching
}
