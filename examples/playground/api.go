package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// maxBody is the size, in bytes, of the largest request body that the servers
// accept.
const maxBody = 64 << 10

// data is the handler of the API. The policy decides which requests reach it.
func data(w http.ResponseWriter, r *http.Request) {
	if ex := exchangeOf(r); ex != nil {
		ex.HandlerRan = true
	}
	user := "unknown (no cookie)"
	if c, err := r.Cookie("user"); err == nil {
		user = c.Value
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err = json.MarshalIndent(map[string]any{"hello": user, "method": r.Method, "received": len(body)}, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("ETag", `"v1"`)
	h.Set("X-Request-Id", "42")
	h.Set("X-Total-Count", "3")
	// net/http would add the next two headers only after record copies them.
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	w.Write(body)
}

// An exchange is a request to the API and its response.
type exchange struct {
	Preflight    bool
	Method, Path string
	Request      []headerLine
	Status       int
	StatusText   string
	Response     []headerLine
	HandlerRan   bool
	Rejected     string // the error that OnReject was called with
	Curl         string // shell command that sends the request again
}

type headerLine struct{ Name, Value string }

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange {
	ex, _ := r.Context().Value(exchangeKey{}).(*exchange)
	return ex
}

// onReject is the OnReject function of every policy.
func onReject(r *http.Request, err *cors.RequestError) {
	if ex := exchangeOf(r); ex != nil {
		ex.Rejected = err.Error()
	}
}

// record returns a handler that calls next, and then calls done with the exchange.
// When the client gets the end of the response, done has returned.
func record(next http.Handler, done func(r *http.Request, ex *exchange)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		ex := &exchange{
			Preflight: r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "",
			Method:    r.Method,
			Path:      r.URL.EscapedPath(),
			Request:   headerLines(r.Header),
			Status:    http.StatusOK,
			Curl:      curl(r, body),
		}
		next.ServeHTTP(&statusRecorder{w, ex}, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, ex)))
		ex.StatusText = http.StatusText(ex.Status)
		ex.Response = headerLines(w.Header())
		done(r, ex)
	})
}

type statusRecorder struct {
	http.ResponseWriter
	exchange *exchange
}

func (w *statusRecorder) WriteHeader(status int) {
	w.exchange.Status = status
	w.ResponseWriter.WriteHeader(status)
}

func headerLines(h http.Header) []headerLine {
	lines := []headerLine{}
	for name, values := range h {
		for _, value := range values {
			lines = append(lines, headerLine{name, value})
		}
	}
	slices.SortStableFunc(lines, func(a, b headerLine) int { return strings.Compare(a.Name, b.Name) })
	return lines
}

// The playground keeps only the last runs, and the first exchanges of each run.
// With a preflight, a request of a browser has two exchanges.
const (
	maxRuns      = 32
	maxExchanges = 4
)

// runs keeps the exchanges of each use of the page's Send button.
type runs struct {
	mu     sync.Mutex
	last   uint64
	recent []*run
	now    func() time.Time // the clock of the browsers that predict; nil means time.Now
}

// A run is one use of the Send button. Each run has a new URL, so the browser has
// no cached preflight for it at first.
type run struct {
	id        string
	exchanges []*exchange       // exchanges of the last request
	browser   *corstest.Browser // predicts the requests of the page's browser
	lasting   *corstest.Browser // like browser, but its preflights never expire
}

// forget empties the cache of the browser whose preflights never expire.
func (r *run) forget() {
	began := time.Now()
	r.lasting = &corstest.Browser{Now: func() time.Time { return began }}
}

// begin returns the run with the given id, without its exchanges. If there is no
// such run, it returns a new one.
func (rs *runs) begin(id string) *run {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.recent {
		if r.id == id {
			r.exchanges = nil
			return r
		}
	}
	if len(rs.recent) == maxRuns {
		rs.recent = slices.Delete(rs.recent, 0, 1)
	}
	rs.last++
	r := &run{id: strconv.FormatUint(rs.last, 10), browser: &corstest.Browser{Now: rs.now}}
	r.forget()
	rs.recent = append(rs.recent, r)
	return r
}

// add adds ex to the run with the given id, if there is such a run.
func (rs *runs) add(id string, ex *exchange) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.recent {
		if r.id == id && len(r.exchanges) < maxExchanges {
			r.exchanges = append(r.exchanges, ex)
		}
	}
}

// get returns the exchanges of the run with the given id.
func (rs *runs) get(id string) ([]*exchange, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.recent {
		if r.id == id {
			return slices.Clone(r.exchanges), true
		}
	}
	return nil, false
}

// curl returns a shell command that sends r again, without the headers that the
// API ignores.
func curl(r *http.Request, body []byte) string {
	args := []string{"curl -i"}
	switch r.Method {
	case http.MethodGet:
	case http.MethodHead:
		args = []string{"curl --head"}
	default:
		args = append(args, "-X "+quote(r.Method))
	}
	args = append(args, quote("http://"+r.Host+r.URL.EscapedPath()))
	for _, line := range headerLines(r.Header) {
		switch {
		case strings.HasPrefix(line.Name, "Sec-"), slices.Contains(browserHeaders, line.Name):
		case line.Value == "":
			args = append(args, "-H "+quote(line.Name+";"))
		default:
			args = append(args, "-H "+quote(line.Name+": "+line.Value))
		}
	}
	if len(body) > 0 {
		args = append(args, "--data-raw "+quote(string(body)))
	}
	return strings.Join(args, " \\\n  ")
}

// browserHeaders are sent with every request, and do not affect the API.
var browserHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Content-Length", "Dnt", "Pragma", "Priority", "Referer", "User-Agent",
}

// quote quotes s for a POSIX shell if necessary.
func quote(s string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_./:", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
