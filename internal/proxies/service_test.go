//go:build unix

package proxies

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

const (
	app    = "https://app.example.com"
	admin  = "https://admin.example.com"
	none   = ""
	rogue  = "https://evil.example"
	reason = "cross-origin request rejected"
)

// A service is the upstream of all proxies.
type service struct {
	addr        string
	certificate tls.Certificate // certificate of 127.0.0.1, for the proxies
	pem         []byte
	roots       *x509.CertPool
	arrived     atomic.Int64                 // number of requests
	validated   atomic.Int64                 // number of requests with If-None-Match
	last        atomic.Pointer[http.Request] // last request
	next        chan struct{}                // lets /events send its second event
	listed      *cors.Middleware             // middleware that allows app and admin
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{next: make(chan struct{})}
	listed, err := cors.New(cors.Policy{
		AllowedOrigins:   []string{app, admin},
		AllowedMethods:   []string{"PUT"},
		AllowedHeaders:   []string{"Authorization", "Content-Type"},
		ExposedHeaders:   []string{"Etag"},
		AllowCredentials: true,
		MaxAge:           time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.listed = listed
	anyOrigin, err := cors.New(cors.Policy{AllowedOrigins: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprintln(w, r.Method, n)
	})
	routes.HandleFunc("/cached/", func(w http.ResponseWriter, r *http.Request) {
		if age := r.FormValue("age"); age == "0" {
			w.Header().Set("Cache-Control", "no-cache")
		} else {
			w.Header().Set("Cache-Control", "public, max-age="+age)
		}
		w.Header().Set("Etag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			s.validated.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, "stored")
	})
	routes.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		if r.URL.RawQuery == "unbuffered" {
			w.Header().Set("X-Accel-Buffering", "no") // for nginx
		}
		io.WriteString(w, "data: 1\n\n")
		http.NewResponseController(w).Flush()
		select {
		case <-s.next:
			io.WriteString(w, "data: 2\n\n")
		case <-r.Context().Done():
		}
	})
	routes.HandleFunc("/hints", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "hinted")
	})
	routes.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("size"))
		w.Header().Set("X-Large", strings.Repeat("x", n)) // one line, like Access-Control-Allow-Headers
	})
	routes.HandleFunc("/down", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	routes.HandleFunc("/socket", socket)
	mux := http.NewServeMux()
	mux.Handle("/", listed.Handler(routes))
	// The outer layer lets caches store all responses, even rejections.
	mux.HandleFunc("/outer/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("Etag", `"outer"`)
		listed.Handler(http.StripPrefix("/outer", routes)).ServeHTTP(w, r)
	})
	mux.Handle("/advice/", adviceServices(t))
	mux.Handle("/public/", anyOrigin.Handler(http.StripPrefix("/public", routes)))

	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.arrived.Add(1)
		s.last.Store(r.Clone(r.Context()))
		mux.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	s.addr = server.Listener.Addr().String()

	https := httptest.NewTLSServer(nil)
	defer https.Close()
	s.certificate = https.TLS.Certificates[0]
	s.pem = pemOf(t, s.certificate)
	s.roots = x509.NewCertPool()
	s.roots.AddCert(https.Certificate())
	return s
}

// socket accepts a WebSocket, and sends the first message back.
func socket(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		http.Error(w, "not a handshake", http.StatusUpgradeRequired)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept(r.Header.Get("Sec-WebSocket-Key")))
	rw.Flush()
	message, err := readFrame(rw.Reader)
	if err != nil {
		return
	}
	rw.Write(append([]byte{0x81, byte(len(message))}, message...))
	rw.Flush()
}

// accept returns the response to the key of a handshake (RFC 6455, section 4.2.2).
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// readFrame reads a short frame, masked or not.
func readFrame(r *bufio.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	var mask [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(r, mask[:]); err != nil {
			return nil, err
		}
	}
	message := make([]byte, head[1]&0x7f)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, err
	}
	for i := range message {
		message[i] ^= mask[i%4]
	}
	return message, nil
}
