//go:build unix

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/f407da42/cors"
	chicors "github.com/go-chi/cors"
	rscors "github.com/rs/cors"
)

const origin = "https://app.example.com"

// A way serves a service to pages on another origin.
type way struct {
	name string
	wrap func(next http.Handler) http.Handler
}

const byHand, thisPackage = 1, 3 // indexes of ways

var ways = []way{
	{"no CORS", func(next http.Handler) http.Handler { return next }},
	{"hand-written", handWritten},
	{"hand-written, again", handWritten}, // shows the error of the measurement
	{"this package", func(next http.Handler) http.Handler {
		c, err := cors.New(cors.Policy{
			AllowedOrigins: []string{origin},
			AllowedMethods: []string{"PUT", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type"},
			MaxAge:         2 * time.Hour,
		})
		check(err)
		return c.Handler(next)
	}},
	{"rs/cors", rscors.New(rscors.Options{
		AllowedOrigins: []string{origin},
		AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
		MaxAge:         7200,
	}).Handler},
	{"go-chi/cors", chicors.Handler(chicors.Options{
		AllowedOrigins: []string{origin},
		AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
		MaxAge:         7200,
	})},
}

// handWritten implements the policy of the service by hand. A test compares its
// responses with those of the package, and expects one allocation for each.
func handWritten(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		switch from := r.Header.Get("Origin"); {
		case from == origin && preflight:
			v := &[5]string{origin, "PUT, DELETE", "Authorization, Content-Type", "7200", "Origin"}
			h["Access-Control-Allow-Origin"] = v[0:1:1]
			h["Access-Control-Allow-Methods"] = v[1:2:2]
			h["Access-Control-Allow-Headers"] = v[2:3:3]
			h["Access-Control-Max-Age"] = v[3:4:4]
			vary(h, v[4:5:5])
			w.WriteHeader(http.StatusNoContent)
		case from == origin:
			v := &[2]string{origin, "Origin"}
			h["Access-Control-Allow-Origin"] = v[0:1:1]
			vary(h, v[1:2:2])
			next.ServeHTTP(w, r)
		case from == "", !preflight && sameOrigin(r, from):
			vary(h, []string{"Origin"})
			next.ServeHTTP(w, r)
		default:
			v := &[4]string{"Origin", "text/plain; charset=utf-8", "nosniff", "no-store"}
			vary(h, v[0:1:1])
			h["Content-Type"] = v[1:2:2]
			h["X-Content-Type-Options"] = v[2:3:3]
			h["Cache-Control"] = v[3:4:4]
			delete(h, "Content-Length")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "cross-origin request rejected: the CORS policy does not allow its origin\n")
		}
	})
}

func vary(h http.Header, lines []string) {
	if before := h["Vary"]; len(before) > 0 {
		lines = append(slices.Clip(before), lines...)
	}
	h["Vary"] = lines
}

func sameOrigin(r *http.Request, origin string) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "no CORS":
		return true
	case "":
		return strings.TrimPrefix(origin, "https://") == r.Host
	}
	return false
}

// service is a small service. Without CORS, it responds to preflights itself.
var service = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"items":[1,2,3]}`)
})

// An address is of a service: without TLS, and with TLS.
type address struct{ clear, secure string }

// serve serves the service in all ways until standard input ends.
func serve() {
	certificate := makeCertificate()
	for _, w := range ways {
		a := listen(w.wrap(service), certificate)
		fmt.Println(a.clear, a.secure)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var used syscall.Rusage
		check(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
		fmt.Println(used.Utime.Nano() + used.Stime.Nano())
	}
}

// listen serves h and returns its address.
func listen(h http.Handler, certificate tls.Certificate) address {
	s := &http.Server{Handler: h, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	clear, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go s.Serve(clear)
	go s.ServeTLS(secure, "", "")
	return address{clear.Addr().String(), secure.Addr().String()}
}

func makeCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
