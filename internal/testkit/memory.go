package testkit

import (
	"net/http"
	"runtime"
	"time"
)

// A ReusedWriter is a ResponseWriter that costs nothing itself.
type ReusedWriter struct{ Headers http.Header }

func (w *ReusedWriter) Header() http.Header               { return w.Headers }
func (w *ReusedWriter) WriteHeader(int)                   {}
func (w *ReusedWriter) Write(p []byte) (int, error)       { return len(p), nil }
func (w *ReusedWriter) WriteString(s string) (int, error) { return len(s), nil }

// AllocatedBytes returns how much f allocates. Other goroutines may add to a
// measurement, so it takes the least of several.
func AllocatedBytes(f func()) uint64 {
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= 4<<10 {
			break
		}
	}
	return least
}

// HeldBytes returns how much more memory is in use after f than before.
func HeldBytes(f func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// PerCall returns how long f takes for each of n calls, in the fastest of
// several runs.
func PerCall(n int, f func(i int)) time.Duration {
	best := time.Duration(1<<63 - 1)
	for range 5 {
		start := time.Now()
		for i := range n {
			f(i)
		}
		best = min(best, time.Since(start))
	}
	return best / time.Duration(n)
}
