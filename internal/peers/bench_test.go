package peers_test

import (
	"math"
	"net/http"
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
	runtime.GC() // collect the garbage of wrap
	for _, req := range requests {
		r := req.make(p)
		if r == nil {
			continue
		}
		b.Run("request="+req.name+"/impl="+impl.name, func(b *testing.B) {
			benchmarkLeast(b, handler, r)
		})
	}
}

// benchmarkLeast also reports the time of a request in the fastest of many short
// runs. Other work on the processor, even in another virtual machine, can double
// the mean for minutes. The fastest run excludes such work, and garbage collection.
// If a request is too slow for short runs, benchmarkLeast reports the mean.
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

// BenchmarkRouters measures the routers of some implementations, without any
// middleware.
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

// BenchmarkManyOrigins uses another origin in each request. Large sets of origins
// do not fit into the caches of the processor.
func BenchmarkManyOrigins(b *testing.B) {
	for p := range policies {
		if !strings.HasPrefix(p.name, "origins-") {
			continue
		}
		next := 0
		r := newRequest(http.MethodGet, p.allowed)
		for _, impl := range implementations {
			if impl.name != "by-hand" && impl.name != "this" {
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

// BenchmarkParallel serves on all cores at once: with a constant policy, and with a
// policy that is set a thousand times a second.
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

// BenchmarkHostile measures the most expensive requests that are known, and honest
// requests for comparison.
func BenchmarkHostile(b *testing.B) {
	for _, req := range hostileRequests {
		p, q := req.policies()
		r := req.r(p)
		for _, call := range hostileCalls {
			serve := call.make(q)
			b.Run("request="+req.name+"/call="+call.name, func(b *testing.B) {
				benchmarkLeast(b, http.HandlerFunc(serve), r)
			})
		}
	}
}

// BenchmarkNew compiles policies with more and more origins and patterns. For
// comparison, it puts the same origins into a map. It also reports the memory that
// is in use afterward.
func BenchmarkNew(b *testing.B) {
	for _, name := range []string{
		"origins-1", "origins-1000", "origins-1000000",
		"patterns-10", "patterns-1000", "hyphens-10", "hyphens-1000", "hyphens-varied-10", "hyphens-varied-1000", "hyphens-of-10-domains", "hyphens-of-1000-domains", "schemes-10", "schemes-1000",
	} {
		p := named(name)
		if !p.patterns() {
			b.Run("policy="+name+"/impl=map", func(b *testing.B) {
				benchmarkNew(b, func() any { return set(p.origins) })
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

// BenchmarkIdle reports the memory that a Middleware uses without traffic,
// before and after its policy is set a thousand times.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		once, often := idle()
		b.ReportMetric(float64(once), "B-once")
		b.ReportMetric(float64(often), "B-often")
	}
}

// idle returns the memory that a Middleware with a thousand origins uses, and
// the memory that it uses after the same policy is set a thousand times.
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
	runtime.KeepAlive(q) // the strings were in use before
	return once, often
}
