//go:build unix

package roundtrips_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listen returns the address of a link to addr. Bytes arrive after delay, in order,
// in both directions, regardless of their number. Connections open without delay.
// That favors WebKit, which opens a new connection for nearly every preflight, and
// another for the request after it. The other browsers keep one connection.
func listen(t testing.TB, addr string, delay time.Duration) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return // the listener is closed
			}
			far, err := net.Dial("tcp", addr)
			if err != nil {
				near.Close()
				continue
			}
			go carry(far, near, delay)
			go carry(near, far, delay)
		}
	}()
	return l.Addr().String()
}

// carry copies from one connection to the other until either ends, then closes
// both.
func carry(to, from net.Conn, delay time.Duration) {
	type parcel struct {
		due  time.Time
		data []byte
	}
	onTheWay := make(chan parcel, 1000)
	go func() {
		defer close(onTheWay)
		for {
			data := make([]byte, 64<<10)
			n, err := from.Read(data)
			onTheWay <- parcel{time.Now().Add(delay), data[:n]}
			if err != nil {
				return
			}
		}
	}()
	for p := range onTheWay {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			from.Close() // ends the loop
		}
	}
	to.Close()
	from.Close()
}

// TestLinkKeepsBytes sends more bytes in both directions than the link can hold.
func TestLinkKeepsBytes(t *testing.T) {
	t.Parallel()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		conn, err := echo.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.Copy(conn, conn)
	}()

	conn, err := net.Dial("tcp", listen(t, echo.Addr().String(), 20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := make([]byte, 1<<20)
	for i := range sent {
		sent[i] = byte(i * i >> 8)
	}
	go conn.Write(sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Error("the received bytes differ from the sent bytes")
	}
}

// TestCarryDelay checks the delay exactly, with a clock that stops while any code
// runs. Consecutive calls take one round trip each. Bytes that are sent together
// take one round trip.
func TestCarryDelay(t *testing.T) {
	t.Parallel()
	const delay = 40 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		client, near := net.Pipe()
		far, server := net.Pipe()
		var ends sync.WaitGroup
		ends.Go(func() { carry(far, near, delay) })
		ends.Go(func() { carry(near, far, delay) })
		ends.Go(func() { io.Copy(server, server) })

		echoed := make([]byte, 1)
		from := time.Now()
		for i := range 20 {
			client.Write([]byte{byte(i)})
			if _, err := io.ReadFull(client, echoed); err != nil || echoed[0] != byte(i) {
				t.Fatalf("call %d: got %v, %v", i, echoed, err)
			}
		}
		if took := time.Since(from); took != 20*2*delay {
			t.Errorf("20 calls in a row took %v, want %v", took, 20*2*delay)
		}

		from = time.Now()
		for i := range 20 {
			client.Write([]byte{byte(i)})
		}
		for i := range 20 {
			if _, err := io.ReadFull(client, echoed); err != nil || echoed[0] != byte(i) {
				t.Fatalf("parcel %d: got %v, %v", i, echoed, err)
			}
		}
		if took := time.Since(from); took != 2*delay {
			t.Errorf("20 parcels sent together took %v, want %v", took, 2*delay)
		}
		client.Close()
		ends.Wait()
	})
}
