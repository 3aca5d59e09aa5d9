//go:build unix

// Command load measures the cost of CORS in a whole service.
//
// It starts a net/http server in another process and puts it under load over
// loopback: without CORS, with hand-written code, with this package, and with
// other packages, in turn. It prints tables for measurements.txt:
//
//	go run ./load -servers 8 -rounds 50 -time 15ms
//
// Each connection has one request at a time, even with HTTP/2. A server
// collects garbage when it needs to, so a measurement can include the collection
// of garbage from the previous measurement.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

var (
	serving     = flag.Bool("serve", false, "be the server: print its addresses, then the CPU time used so far for each line of standard input")
	servers     = flag.Int("servers", 8, "how many servers to start, one after the other: some have more luck")
	rounds      = flag.Int("rounds", 50, "how many rounds to measure on each server")
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
	rows := make([][][]sample, len(protocols)*len(kinds)) // samples of each way
	for range *servers {
		s := startServer()
		for i := range rows {
			s.measureAll(protocols[i/len(kinds)], kinds[i%len(kinds)], &rows[i])
		}
		s.stop()
	}
	report(rows)
}

// A server runs in another process.
type server struct {
	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Reader
	addresses []address // one for each of ways
}

func startServer() *server {
	s := &server{cmd: exec.Command(os.Args[0], "-serve")}
	s.cmd.Stderr = os.Stderr
	var err error
	s.in, err = s.cmd.StdinPipe()
	check(err)
	out, err := s.cmd.StdoutPipe()
	check(err)
	s.out = bufio.NewReader(out)
	check(s.cmd.Start())
	for range ways {
		var a address
		_, err := fmt.Fscanln(s.out, &a.clear, &a.secure)
		check(err)
		s.addresses = append(s.addresses, a)
	}
	return s
}

// cpu returns the CPU time that the server has used so far.
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

// measureAll measures one kind of request in all ways and appends the samples
// to row, one list for each way. The ways take turns, in a new order in each
// round, so a machine that gets slower does so for all of them.
func (s *server) measureAll(p protocol, k kind, row *[][]sample) {
	if *row == nil {
		*row = make([][]sample, len(ways))
	}
	exchanges := make([][]exchange, len(ways))
	for i := range ways {
		for range *connections {
			conn := p.dial(s.addresses[i])
			defer conn.Close()
			exchanges[i] = append(exchanges[i], p.exchange(conn, k))
		}
		s.measure(exchanges[i]) // to warm up
	}
	for range *rounds {
		for _, i := range rand.Perm(len(ways)) {
			(*row)[i] = append((*row)[i], s.measure(exchanges[i]))
		}
	}
}

// A sample is one measurement, in the order of units.
type sample [4]float64

var units = []string{"requests per second", "CPU time per request", "median latency", "99th-percentile latency"}

// measure sends requests over all connections, each as soon as the response to
// the previous request arrived.
func (s *server) measure(exchanges []exchange) sample {
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
	return sample{float64(n) / took.Seconds(), float64(cpu) / float64(n), float64(all[n/2]), float64(all[n*99/100])}
}

// report prints two tables: each way compared with hand-written code, over all
// rows, and the CPU time for each row.
func report(rows [][][]sample) {
	fmt.Printf("| hand-written code is 1 | %s |\n|---|--:|--:|--:|--:|\n", strings.Join(units, " | "))
	for w, way := range ways {
		fmt.Printf("| %s |", way.name)
		for unit := range units {
			fmt.Printf(" %s |", interval(ratios(rows, w, unit)))
		}
		fmt.Println()
	}
	fmt.Println("\nCPU time per request, and this package's requests per second compared with hand-written code:\n\n| protocol, request | no CORS | hand-written | hand-written, again | this package | rs/cors | go-chi/cors | requests per second |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|")
	for i, row := range rows {
		fmt.Printf("| %s, %s |", protocols[i/len(kinds)].name, kinds[i%len(kinds)].name)
		for _, samples := range row {
			var cpu []float64
			for _, s := range samples {
				cpu = append(cpu, s[1])
			}
			m, _, _ := median(cpu)
			fmt.Printf(" %.1f µs |", m/1000)
		}
		fmt.Printf(" %s |\n", interval(ratios(rows[i:i+1], thisPackage, 0)))
	}
}

// ratios compares a way with hand-written code, round by round: it returns the
// geometric means over rows.
func ratios(rows [][][]sample, w, unit int) []float64 {
	values := make([]float64, len(rows[0][w]))
	for round := range values {
		logs := 0.0
		for _, row := range rows {
			logs += math.Log(row[w][round][unit] / row[byHand][round][unit])
		}
		values[round] = math.Exp(logs / float64(len(rows)))
	}
	return values
}

func interval(values []float64) string {
	m, low, high := median(values)
	return fmt.Sprintf("%.3f (%.3f to %.3f)", m, low, high)
}

// median returns the median of values and its 95 % confidence interval. The
// interval uses only the ranks of the values, so it is valid for any distribution.
// With fewer than six values, it is from the least to the greatest, and less
// certain.
func median(values []float64) (m, low, high float64) {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	// Each value is above or below the median with probability 1/2. At each end,
	// leave out as many values as possible. The probability that the median lies
	// beyond the interval at that end must be at most 2.5 %.
	out, probability := 0, math.Pow(0.5, float64(n))
	for sum := probability; sum <= 0.025; sum += probability {
		out++
		probability *= float64(n-out+1) / float64(out)
	}
	rank := max(0, out-1)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[rank], sorted[n-1-rank]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
