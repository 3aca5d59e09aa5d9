//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A kind of request has the header fields that a browser sends.
type kind struct {
	name, method string
	fields       [][2]string
}

var kinds = []kind{
	{"actual", "GET", browser},
	{"preflight", "OPTIONS", append(browser[:len(browser):len(browser)],
		[2]string{"Access-Control-Request-Method", "PUT"}, [2]string{"Access-Control-Request-Headers", "authorization,content-type"})},
}

const host, path = "api.example.net", "/items"

var browser = [][2]string{
	{"Accept", "*/*"},
	{"Accept-Encoding", "gzip, deflate, br"},
	{"Accept-Language", "en-GB,en;q=0.9"},
	{"Referer", origin + "/"},
	{"Sec-Fetch-Dest", "empty"},
	{"Sec-Fetch-Mode", "cors"},
	{"Sec-Fetch-Site", "cross-site"},
	{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"},
	{"Origin", origin},
}

// An exchange sends a request and waits for the response.
//
// The client shares the machine with the server, so it does as little as
// possible: requests are encoded in advance, and only the status and the length
// of a response are parsed.
type exchange func() error

// A protocol is a way to talk to the server.
type protocol struct {
	name     string
	dial     func(a address) net.Conn
	exchange func(conn net.Conn, k kind) exchange
}

var protocols = []protocol{
	{"HTTP/1.1", dialClear, newHTTP1},
	{"HTTP/1.1-TLS", dialTLS("http/1.1"), newHTTP1},
	{"HTTP/2", dialClear, newHTTP2},
	{"HTTP/2-TLS", dialTLS("h2"), newHTTP2},
}

func dialClear(a address) net.Conn {
	conn, err := net.Dial("tcp", a.clear)
	check(err)
	return conn
}

func dialTLS(protocol string) func(a address) net.Conn {
	return func(a address) net.Conn {
		conn, err := tls.Dial("tcp", a.secure, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}})
		check(err)
		return conn
	}
}

func newHTTP1(conn net.Conn, k kind) exchange {
	var request bytes.Buffer
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\n", k.method, path, host)
	for _, f := range k.fields {
		fmt.Fprintf(&request, "%s: %s\r\n", f[0], f[1])
	}
	request.WriteString("\r\n")
	response := bufio.NewReader(conn)
	return func() error {
		if _, err := conn.Write(request.Bytes()); err != nil {
			return err
		}
		return readHTTP1(response)
	}
}

// readHTTP1 reads a response that has a Content-Length or no body.
func readHTTP1(r *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 20")) {
			return fmt.Errorf("got the response %s", line)
		}
		if len(line) == len("\r\n") {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err := r.Discard(length)
	return err
}

// newHTTP2 compresses the fields as browsers do: from the second request on, they
// are indexes into a table that the first request filled.
func newHTTP2(conn net.Conn, k kind) exchange {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encode := func() []byte {
		block.Reset()
		for _, f := range append([][2]string{{":method", k.method}, {":scheme", "https"}, {":authority", host}, {":path", path}}, k.fields...) {
			encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(f[0]), Value: f[1]})
		}
		return append(make([]byte, frameHeader), block.Bytes()...)
	}
	first, next := encode(), encode()
	for _, frame := range [][]byte{first, next} {
		putFrameHeader(frame, http2.FrameHeaders, http2.FlagHeadersEndStream|http2.FlagHeadersEndHeaders)
	}

	// The window is large enough for everything that the server will send.
	hello := bytes.NewBufferString(http2.ClientPreface)
	f := http2.NewFramer(hello, nil)
	f.WriteSettings()
	f.WriteWindowUpdate(0, 1<<30)
	f.WriteSettingsAck() // for the settings that the server sends first
	_, err := conn.Write(hello.Bytes())
	check(err)

	response := bufio.NewReader(conn)
	stream, request := uint32(1), first
	return func() error {
		binary.BigEndian.PutUint32(request[5:], stream)
		if _, err := conn.Write(request); err != nil {
			return err
		}
		stream, request = stream+2, next
		return readHTTP2(response)
	}
}

const frameHeader = 9 // bytes (RFC 9113, section 4.1)

// putFrameHeader writes the header of frame, except the stream.
func putFrameHeader(frame []byte, t http2.FrameType, flags http2.Flags) {
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-frameHeader)<<8|uint32(t))
	frame[4] = byte(flags)
}

// readHTTP2 reads frames up to the end of a response.
func readHTTP2(r *bufio.Reader) error {
	for {
		header, err := r.Peek(frameHeader)
		if err != nil {
			return err
		}
		word := binary.BigEndian.Uint32(header)
		length, kind, flags := int(word>>8), http2.FrameType(word), http2.Flags(header[4])
		frame, err := r.Peek(frameHeader + length)
		if err != nil {
			return err
		}
		switch kind {
		case http2.FrameHeaders:
			// The status comes first, and 200 and 204 have the indexes 8 and 9 in
			// the static table (RFC 7541, appendix A).
			if status := frame[frameHeader]; status != 0x88 && status != 0x89 {
				return fmt.Errorf("the first field of the response is %#x, not the status 200 or 204", status)
			}
		case http2.FrameData, http2.FrameSettings, http2.FrameWindowUpdate:
		default:
			return fmt.Errorf("the server sends %v", kind)
		}
		if _, err := r.Discard(len(frame)); err != nil {
			return err
		}
		if (kind == http2.FrameHeaders || kind == http2.FrameData) && flags.Has(http2.FlagDataEndStream) {
			return nil
		}
	}
}
