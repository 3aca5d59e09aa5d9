package testkit

import (
	"math"
	"net/http"
	"runtime"
	"time"
)

// A Recorder is an [http.ResponseWriter] for many responses, one after another.
// It records the status, header and body of the last response. Once it has room
// for the longest response, it allocates nothing, so measurements show only the
// cost of the handler.
type Recorder struct {
	Status int
	Body   []byte
	header http.Header
}

// NewRecorder returns a Recorder that is ready for the first response.
func NewRecorder() *Recorder {
	return &Recorder{Status: http.StatusOK, header: make(http.Header, 16)}
}

// Reset makes w ready for the next response.
func (w *Recorder) Reset() {
	w.Status, w.Body = http.StatusOK, w.Body[:0]
	clear(w.header)
}

func (w *Recorder) Header() http.Header    { return w.header }
func (w *Recorder) WriteHeader(status int) { w.Status = status }

func (w *Recorder) Write(p []byte) (int, error) {
	w.Body = append(w.Body, p...)
	return len(p), nil
}

// WriteString lets [io.WriteString] avoid a copy of s.
func (w *Recorder) WriteString(s string) (int, error) {
	w.Body = append(w.Body, s...)
	return len(s), nil
}

// AllocatedBytes returns the average number of bytes that a call of f allocates.
// Other goroutines can only increase the average, so AllocatedBytes returns the
// lowest of five averages.
func AllocatedBytes(calls int, f func()) float64 {
	least := math.Inf(1)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			f()
		}
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.TotalAlloc-before.TotalAlloc)/float64(calls))
	}
	return least
}

// LiveBytes returns how many bytes of the heap are in use. It collects garbage
// twice, because the first collection keeps the contents of a [sync.Pool].
func LiveBytes() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// PerCall returns the average time of n calls of f, in the fastest of five runs.
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
