package main

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestControlCharacters uses servers that send control characters, which change the
// state of a terminal, in each part of a response.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	const evil = "\x1b[31m \u009b31m \x07 \u202e"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "*")
		h.Set("Server", "\u009b31m") // the server of package http accepts it
		switch r.URL.Path {
		case "/redirect":
			h.Set("Location", "http://\u009b31m.localhost:1/")
			w.WriteHeader(http.StatusFound)
		case "/denied":
			h.Set("Access-Control-Allow-Origin", "\u009b31m")
		case "/status":
			conn, rw, _ := http.NewResponseController(w).Hijack()
			fmt.Fprintf(rw, "HTTP/1.1 500 %s\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n%s", evil, evil)
			rw.Flush()
			conn.Close()
		case "/malformed":
			conn, rw, _ := http.NewResponseController(w).Hijack()
			io.WriteString(rw, evil+"\r\n\r\n")
			rw.Flush()
			conn.Close()
		default:
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, evil)
		}
	}))
	t.Cleanup(server.Close)

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"\x1b[31m.example"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // the client ends the handshake
	secure.StartTLS()
	t.Cleanup(secure.Close)
	named := "https://localhost" + secure.URL[strings.LastIndex(secure.URL, ":"):]

	for _, test := range []struct {
		url    string
		status int
	}{
		{server.URL, 0},
		{server.URL + "/redirect", 2},
		{server.URL + "/denied", 1},
		{server.URL + "/status", 0},
		{server.URL + "/malformed", 2},
		{named, 2},
	} {
		for _, flag := range []string{"-i", "-i=false", "-json", "-scan"} {
			t.Run(strings.TrimPrefix(test.url, server.URL)+" "+flag, func(t *testing.T) {
				t.Parallel()
				status, stdout, stderr := corsfetch(t, "-page", "https://app.example.com", flag, test.url)
				if status != test.status && flag != "-scan" {
					t.Errorf("exit status %d, want %d", status, test.status)
				}
				for _, r := range "\x1b\u009b\x07\u202e" {
					if strings.ContainsRune(stdout+stderr, r) && !(flag == "-json" && r == '\u202e') {
						t.Errorf("%q is in %q", r, stdout+stderr)
					}
				}
				if flag == "-json" && !json.Valid([]byte(stdout)) {
					t.Errorf("not JSON: %s", stdout)
				}
			})
		}
	}
}

// TestBodyHeaders checks that the script can read the headers of a body that
// package http would delete.
func TestBodyHeaders(t *testing.T) {
	t.Parallel()
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	io.WriteString(w, "hello")
	w.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "*")
		if r.URL.Path != "/plain" {
			h.Set("Content-Encoding", r.Header.Get("Accept-Encoding"))
		}
		switch r.URL.Path {
		case "/long":
			h.Set("Content-Length", strconv.Itoa(compressed.Len()))
			w.Write(compressed.Bytes())
		case "/chunked":
			w.Write(compressed.Bytes())
			w.(http.Flusher).Flush()
		case "/plain":
			io.WriteString(w, "accepts "+r.Header.Get("Accept-Encoding"))
		case "/malformed":
			io.WriteString(w, "hello, world")
		}
	}))
	t.Cleanup(server.Close)
	length := strconv.Itoa(compressed.Len())
	for _, test := range []struct {
		name, url string
		args      []string
		status    int
		body      string
		encoding  string // Content-Encoding
		length    string // Content-Length
		transfer  string // Transfer-Encoding
	}{
		{"decompresses a body", "/long", nil, 0, "hello", "gzip", length, ""},
		{"decompresses a chunked body", "/chunked", nil, 0, "hello", "gzip", "", "chunked"},
		{"accepts an empty body", "/empty", nil, 0, "", "gzip", "0", ""},
		{"accepts a response to HEAD", "/long", []string{"-X", "HEAD"}, 0, "", "gzip", length, ""},
		{"asks for a range without compression", "/plain", []string{"-H", "Range: bytes=0-"}, 0, "accepts ", "", "8", ""},
		{"does not know if the body is malformed", "/malformed", nil, 2, "", "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := corsfetch(t, append(test.args, "-page", "https://app.example.com", "-json", server.URL+test.url)...)
			var got struct {
				Body   string
				Header http.Header
			}
			if err := json.Unmarshal([]byte(stdout), &got); err != nil {
				t.Fatal(err)
			}
			if status != test.status || got.Body != test.body || got.Header.Get("Content-Encoding") != test.encoding ||
				got.Header.Get("Content-Length") != test.length || got.Header.Get("Transfer-Encoding") != test.transfer {
				t.Errorf("exit status %d\n%s%s", status, stdout, stderr)
			}
		})
	}
}
