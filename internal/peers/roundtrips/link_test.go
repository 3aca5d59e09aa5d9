//go:build unix

package roundtrips_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// listen returns the address of a link to addr. What is sent over it arrives
// after delay, in order, in either direction, however much it is. Connections
// are there at once: the sessions reuse those that they have.
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
				return // it is closed
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

// carry carries what comes from one connection to the other until either ends,
// and then ends both.
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
			from.Close() // which ends the loop
		}
	}
	to.Close()
	from.Close()
}

// TestLink sends more than fits on the link at once, there and back. That it
// takes at least as long as the link says needs no clock that is right: timers
// never fire early.
func TestLink(t *testing.T) {
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

	const delay = 20 * time.Millisecond
	conn, err := net.Dial("tcp", listen(t, echo.Addr().String(), delay))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sent := make([]byte, 1<<20)
	for i := range sent {
		sent[i] = byte(i * i >> 8)
	}
	from := time.Now()
	go conn.Write(sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(from); took < 2*delay {
		t.Errorf("there and back took %v, over a link of %v in each direction", took, delay)
	}
	if !bytes.Equal(got, sent) {
		t.Error("what came back is not what was sent")
	}
}
