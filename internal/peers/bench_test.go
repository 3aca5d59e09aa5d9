package peers_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors/internal/testkit"
)

var nothing = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func BenchmarkMiddleware(b *testing.B) {
	for p := range policies {
		b.Run("policy="+p.name, func(b *testing.B) {
			for _, impl := range implementations {
				benchmarkRequests(b, p, impl)
			}
		})
	}
}

func benchmarkRequests(b *testing.B, p policy, impl implementation) {
	handler := impl.wrap(p, nothing)
	if handler == nil {
		return
	}
	runtime.GC() // of what was needed to make the handler
	for _, req := range requests {
		r := req.make(p)
		if r == nil {
			continue
		}
		b.Run("request="+req.name+"/writer=reused/impl="+impl.name, func(b *testing.B) {
			benchmarkLeast(b, handler, r)
		})
		b.Run("request="+req.name+"/writer=recorder/impl="+impl.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

// benchmarkLeast reports, besides means, how long a request takes in the fastest
// of many short runs, or in the mean if it is too slow for one. What else goes on in
// the machine, or in another that has the same processor, only adds time, and may
// double it for minutes; the fastest run leaves that out, and garbage collection.
func benchmarkLeast(b *testing.B, handler http.Handler, r *http.Request) {
	b.ReportAllocs()
	const run = 64 // requests
	w := testkit.NewRecorder()
	least := time.Duration(math.MaxInt64)
	served, start := 0, time.Time{}
	for b.Loop() {
		if served == 0 {
			start = time.Now()
		}
		w.Reset()
		handler.ServeHTTP(w, r)
		if served++; served == run {
			least = min(least, time.Since(start))
			served = 0
		}
	}
	ns := float64(least) / run
	if b.N < run {
		ns = float64(b.Elapsed()) / float64(b.N)
	}
	b.ReportMetric(ns, "least-ns/op")
}

// BenchmarkRouters measures the routers that some implementations come with,
// without a middleware.
func BenchmarkRouters(b *testing.B) {
	r := newRequest(http.MethodGet, "https://site-0.example.com")
	for _, impl := range implementations {
		if impl.bare == nil {
			continue
		}
		handler := impl.bare(nothing)
		b.Run("impl="+impl.name, func(b *testing.B) {
			b.ReportAllocs()
			w := testkit.NewRecorder()
			for b.Loop() {
				w.Reset()
				handler.ServeHTTP(w, r)
			}
		})
	}
}

// BenchmarkManyOrigins has another origin in each request, so that at some
// number the set of origins no longer fits into the caches of the processor.
func BenchmarkManyOrigins(b *testing.B) {
	for p := range policies {
		if !strings.HasPrefix(p.name, "origins-") {
			continue
		}
		// Far more requests than one would want to make beforehand.
		next := 0
		r := newRequest(http.MethodGet, p.allowed)
		for _, impl := range implementations {
			if impl.name != "floor-safe" && impl.name != "this" {
				continue
			}
			handler := impl.wrap(p, nothing)
			runtime.GC()
			b.Run("policy="+p.name+"/impl="+impl.name, func(b *testing.B) {
				w := testkit.NewRecorder()
				for b.Loop() {
					w.Reset()
					next = (next + 7919) % len(p.origins)
					r.Header["Origin"][0] = p.origins[next]
					handler.ServeHTTP(w, r)
				}
			})
		}
	}
}

// BenchmarkParallel serves on all cores at once, while the policy stays as it
// is, and while it is set a thousand times a second.
func BenchmarkParallel(b *testing.B) {
	p := named("origins-1000")
	r := newRequest(http.MethodGet, p.allowed)
	for _, impl := range implementations {
		handler := impl.wrap(p, nothing)
		if impl.bare != nil || handler == nil {
			continue
		}
		b.Run("policy=same/impl="+impl.name, func(b *testing.B) {
			benchmarkParallel(b, handler, r)
		})
	}
	ten := named("origins-10")
	c := newCORS(thisPolicy(ten))
	b.Run("policy=set-1000-times-a-second/impl=this", func(b *testing.B) {
		var setting sync.WaitGroup
		done := make(chan struct{})
		setting.Go(func() {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-done:
					return
				case <-tick.C:
					if err := c.SetPolicy(thisPolicy(ten)); err != nil {
						b.Error(err)
					}
				}
			}
		})
		benchmarkParallel(b, c.Handler(nothing), newRequest(http.MethodGet, ten.allowed))
		close(done)
		setting.Wait()
	})
}

func benchmarkParallel(b *testing.B, handler http.Handler, r *http.Request) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := testkit.NewRecorder()
		for pb.Next() {
			w.Reset()
			handler.ServeHTTP(w, r)
		}
	})
}

// BenchmarkHostile shows what the most expensive requests cost that we know of,
// beside ordinary ones.
func BenchmarkHostile(b *testing.B) {
	for _, req := range hostileRequests {
		p := named(req.policy)
		r := req.r(p)
		for _, call := range hostileCalls {
			serve := call.make(thisPolicy(p))
			b.Run("request="+req.name+"/call="+call.name, func(b *testing.B) {
				benchmarkLeast(b, http.HandlerFunc(serve), r)
			})
		}
	}
}

// BenchmarkNew compiles policies of more and more origins, beside making a map of
// them, and of more and more patterns. Besides time and all that is allocated on
// the way, it reports what memory is in use afterwards.
func BenchmarkNew(b *testing.B) {
	for _, name := range []string{
		"origins-1", "origins-1000", "origins-1000000",
		"patterns-10", "patterns-1000", "hyphens-10", "hyphens-1000", "hyphens-varied-10", "hyphens-varied-1000", "hyphens-of-10-domains", "hyphens-of-1000-domains", "schemes-10", "schemes-1000",
	} {
		p := named(name)
		if !p.patterns {
			b.Run("policy="+name+"/impl=map", func(b *testing.B) {
				benchmarkNew(b, func() any { return set(p) })
			})
		}
		b.Run("policy="+name+"/impl=this", func(b *testing.B) {
			benchmarkNew(b, func() any { return newCORS(thisPolicy(p)) })
		})
	}
}

func benchmarkNew(b *testing.B, make func() any) {
	b.ReportAllocs()
	before := testkit.LiveBytes()
	var made any
	for b.Loop() {
		made = nil
		made = make()
	}
	b.ReportMetric(float64(testkit.LiveBytes()-before), "B-in-use")
	runtime.KeepAlive(made)
}

// BenchmarkIdle reports what memory a Middleware holds that nobody asks, before
// and after its policy has been set a thousand times.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		once, often := idle()
		b.ReportMetric(float64(once), "B-once")
		b.ReportMetric(float64(often), "B-often")
	}
}

// idle returns what memory is held by a Middleware with a policy of a thousand
// origins, and what is held after that policy has been set another thousand times.
func idle() (once, often int64) {
	q := thisPolicy(named("origins-1000"))
	before := testkit.LiveBytes()
	c := newCORS(q)
	once = testkit.LiveBytes() - before
	for range 1000 {
		if err := c.SetPolicy(q); err != nil {
			panic(err)
		}
	}
	often = testkit.LiveBytes() - before
	runtime.KeepAlive(c)
	runtime.KeepAlive(q) // or else its strings are freed, which were there before
	return once, often
}
