// Command load measures what the middleware costs a service end to end: a
// net/http server in a process of its own, under load over loopback, with the
// bare handler and with the wrapped one by turns.
//
//	go run ./load -rounds 10 -time 1s
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/f407da42/cors"
)

var (
	serving     = flag.Bool("serve", false, "be the server: write two addresses to standard output, and serve until standard input ends")
	rounds      = flag.Int("rounds", 10, "how often each kind of request is measured, bare and wrapped")
	duration    = flag.Duration("time", time.Second, "how long each measurement takes")
	connections = flag.Int("connections", 16, "how many connections send requests at once")
)

const origin = "https://app.example.com"

// The requests are written out, so that making them costs the client nothing.
const (
	browser   = "Host: api.example.net\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\nReferer: " + origin + "/\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: cross-site\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nOrigin: " + origin + "\r\n"
	actual    = "GET /items HTTP/1.1\r\n" + browser + "\r\n"
	preflight = "OPTIONS /items HTTP/1.1\r\n" + browser + "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization,content-type\r\n\r\n"
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	if *serving {
		serve()
		return
	}
	server := exec.Command(os.Args[0], "-serve")
	server.Stderr = os.Stderr
	in, err := server.StdinPipe()
	check(err)
	out, err := server.StdoutPipe()
	check(err)
	check(server.Start())
	var bare, wrapped string
	_, err = fmt.Fscan(out, &bare, &wrapped)
	check(err)

	fmt.Printf("%s, %s/%s, %d cores, %d connections, %d rounds of %v\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *connections, *rounds, *duration)
	for _, kind := range []struct{ name, request string }{{"actual", actual}, {"preflight", preflight}} {
		measure(bare, kind.request) // to warm up
		measure(wrapped, kind.request)
		var b, w []result
		for i := range *rounds {
			// Each comes first by turns, in case the machine gets slower.
			if i%2 == 0 {
				b = append(b, measure(bare, kind.request))
				w = append(w, measure(wrapped, kind.request))
			} else {
				w = append(w, measure(wrapped, kind.request))
				b = append(b, measure(bare, kind.request))
			}
		}
		var rates, tails []float64
		for i := range b {
			rates = append(rates, w[i].perSecond/b[i].perSecond)
			tails = append(tails, float64(w[i].p99)/float64(b[i].p99))
		}
		fmt.Printf("%-10s bare    %.0f requests/s, p99 %v\n", kind.name, median(b, func(r result) float64 { return r.perSecond }), p99(b))
		fmt.Printf("%-10s wrapped %.0f requests/s, p99 %v\n", kind.name, median(w, func(r result) float64 { return r.perSecond }), p99(w))
		fmt.Printf("%-10s wrapped / bare, median of the rounds: requests/s %.3f (%.3f to %.3f), p99 %.3f (%.3f to %.3f)\n", kind.name,
			middle(rates), slices.Min(rates), slices.Max(rates), middle(tails), slices.Min(tails), slices.Max(tails))
	}
	check(in.Close())
	check(server.Wait())
}

// serve serves the bare handler at one address, and at another the same one
// with the middleware around it.
func serve() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"items":[1,2,3]}`)
	})
	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{origin, "https://*.example.com"},
		AllowedMethods: []string{http.MethodPut, http.MethodDelete},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
		MaxAge:         2 * time.Hour,
	})
	check(err)
	for _, h := range []http.Handler{handler, c.Handler(handler)} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(err)
		fmt.Println(l.Addr())
		go http.Serve(l, h)
	}
	io.Copy(io.Discard, os.Stdin)
}

type result struct {
	perSecond float64
	p99       time.Duration
}

// measure sends request to addr, again and again over several connections, each
// as soon as the answer to the one before has come.
func measure(addr, request string) result {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		all  []time.Duration
		from = time.Now()
	)
	for range *connections {
		wg.Go(func() {
			conn, err := net.Dial("tcp", addr)
			check(err)
			defer conn.Close()
			answer := bufio.NewReader(conn)
			var times []time.Duration
			for before := time.Now(); before.Sub(from) < *duration; {
				_, err := io.WriteString(conn, request)
				check(err)
				readAnswer(answer)
				now := time.Now()
				times = append(times, now.Sub(before))
				before = now
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
		})
	}
	wg.Wait()
	took := time.Since(from)
	slices.Sort(all)
	return result{float64(len(all)) / took.Seconds(), all[len(all)*99/100]}
}

// readAnswer reads a response that has a Content-Length or no body.
func readAnswer(r *bufio.Reader) {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		check(err)
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 20")) {
			log.Fatalf("the server answers %s", line)
		}
		if len(line) == len("\r\n") {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
			check(err)
		}
	}
	_, err := r.Discard(length)
	check(err)
}

func middle[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

func median(results []result, of func(result) float64) float64 {
	var values []float64
	for _, r := range results {
		values = append(values, of(r))
	}
	return middle(values)
}

func p99(results []result) time.Duration {
	return time.Duration(median(results, func(r result) float64 { return float64(r.p99) })).Round(time.Microsecond)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
