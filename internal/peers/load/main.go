//go:build unix

// Command load measures what CORS costs a service end to end: a net/http server
// in a process of its own, under load over loopback, by turns with no CORS at
// all, with code by hand, with this library, and with others.
//
//	go run ./load -rounds 50 -time 15ms
//
// It writes a line for each measurement, as benchmarks do. All figures are per
// request: the time between two answers of the server (ns/op, the inverse of
// requests per second), the median and the 99th percentile of the time until an
// answer is there, and the CPU time of the server's process. On each connection
// there is one request at a time, also with HTTP/2. The server collects its garbage
// when it has to, so that it may be that of the measurement before.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	serving     = flag.Bool("serve", false, "be the server: write an address for each way and kind of connection, and then the CPU time used so far for each line of standard input")
	rounds      = flag.Int("rounds", 50, "how often each kind of request is measured, in each way")
	duration    = flag.Duration("time", 15*time.Millisecond, "how long each measurement takes")
	connections = flag.Int("connections", 16, "how many connections send requests at once")
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	if *serving {
		serve()
		return
	}
	s := startServer()
	fmt.Printf("load: %d connections, %d rounds of %v\n", *connections, *rounds, *duration)
	for _, p := range protocols {
		for _, kind := range kinds {
			measureAll(s, p, kind)
		}
	}
	s.stop()
}

// A server is one in another process.
type server struct {
	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Reader
	addresses map[string]address // by the name of the way
}

func startServer() *server {
	s := &server{cmd: exec.Command(os.Args[0], "-serve"), addresses: make(map[string]address)}
	s.cmd.Stderr = os.Stderr
	var err error
	s.in, err = s.cmd.StdinPipe()
	check(err)
	out, err := s.cmd.StdoutPipe()
	check(err)
	s.out = bufio.NewReader(out)
	check(s.cmd.Start())
	for _, w := range ways {
		var a address
		_, err := fmt.Fscanln(s.out, &a.clear, &a.secure)
		check(err)
		s.addresses[w.name] = a
	}
	return s
}

// cpu asks the server for the CPU time that it has used so far.
func (s *server) cpu() time.Duration {
	_, err := fmt.Fprintln(s.in)
	check(err)
	var used time.Duration
	_, err = fmt.Fscanln(s.out, &used)
	check(err)
	return used
}

func (s *server) stop() {
	check(s.in.Close())
	check(s.cmd.Wait())
}

// measureAll measures one kind of request in all ways, by turns, so that a
// machine that gets slower does so for all. The order is another one in each
// round: none always comes after the same.
func measureAll(s *server, p protocol, k kind) {
	exchanges := make([][]exchange, len(ways))
	for i, w := range ways {
		for range *connections {
			conn := p.dial(s.addresses[w.name])
			defer conn.Close()
			exchanges[i] = append(exchanges[i], p.exchange(conn, k))
		}
		measure(s, exchanges[i]) // to warm up
	}
	for range *rounds {
		for _, i := range rand.Perm(len(ways)) {
			fmt.Printf("BenchmarkLoad/protocol=%s/request=%s/impl=%s-%d %s\n", p.name, k.name, ways[i].name, runtime.GOMAXPROCS(0), measure(s, exchanges[i]))
		}
	}
}

// measure sends requests over all connections, each as soon as the answer to the
// one before has come.
func measure(s *server, exchanges []exchange) string {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		all  []time.Duration
		cpu  = s.cpu()
		from = time.Now()
	)
	for _, exchange := range exchanges {
		wg.Go(func() {
			var times []time.Duration
			for before := time.Now(); before.Sub(from) < *duration; {
				check(exchange())
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
	cpu = s.cpu() - cpu
	slices.Sort(all)
	n := len(all)
	var line strings.Builder
	fmt.Fprintf(&line, "%d %d ns/op", n, took.Nanoseconds()/int64(n))
	fmt.Fprintf(&line, " %d p50-ns %d p99-ns %d cpu-ns", all[n/2].Nanoseconds(), all[n*99/100].Nanoseconds(), cpu.Nanoseconds()/int64(n))
	return line.String()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
