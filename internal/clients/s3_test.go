//go:build unix

package clients

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/f407da42/cors"
)

var s3Policy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{"PUT", "DELETE"},
	AllowedHeaders: []string{
		"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", // the signature
		"X-Amz-User-Agent", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", // the client
		"Content-Type", "X-Amz-Sdk-Checksum-Algorithm", "X-Amz-Checksum-Crc32", "X-Amz-Checksum-Mode", // the object
	},
	ExposedHeaders: []string{"Etag", "X-Amz-Checksum-Crc32"},
	MaxAge:         2 * time.Hour,
}

var s3Client = recipe{
	name:    "S3",
	file:    "s3",
	policy:  s3Policy,
	handler: bucket,
	fails: map[entry]string{
		{"AllowedMethods", "PUT"}:                          "put",
		{"AllowedMethods", "DELETE"}:                       "abort a multipart upload",
		{"AllowedHeaders", "Authorization"}:                "put",
		{"AllowedHeaders", "X-Amz-Date"}:                   "put",
		{"AllowedHeaders", "X-Amz-Content-Sha256"}:         "put",
		{"AllowedHeaders", "X-Amz-Security-Token"}:         "put",
		{"AllowedHeaders", "X-Amz-User-Agent"}:             "put",
		{"AllowedHeaders", "Amz-Sdk-Invocation-Id"}:        "put",
		{"AllowedHeaders", "Amz-Sdk-Request"}:              "put",
		{"AllowedHeaders", "Content-Type"}:                 "put",
		{"AllowedHeaders", "X-Amz-Sdk-Checksum-Algorithm"}: "put",
		{"AllowedHeaders", "X-Amz-Checksum-Crc32"}:         "put",
		{"AllowedHeaders", "X-Amz-Checksum-Mode"}:          "get",
		{"ExposedHeaders", "Etag"}:                         "multipart",
		{"ExposedHeaders", "X-Amz-Checksum-Crc32"}:         "detect a corrupted object",
	},
	preflights: 4,
}

// signedHeaders matches the names of signed headers in a header or a query.
var signedHeaders = regexp.MustCompile(`SignedHeaders=([^,&]*)`)

// bucket returns a proxy in front of an S3 server with one bucket. The server
// sets CORS headers. The proxy keeps Host, because it is signed, and changes the
// content of the object "damaged", but not its checksum.
func bucket(t *testing.T) http.Handler {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	store := gofakes3.New(backend).Server() // does not check signatures
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := signedHeaders.FindStringSubmatch(r.Header.Get("Authorization") + r.URL.RawQuery)
		if signed == nil || !strings.Contains(signed[1], "host") || r.Host != r.Header.Get("Test-Host") {
			http.Error(w, "the signature is for another host, or for none", http.StatusForbidden)
			return
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.Out.Header.Set("Test-Host", r.In.Host) // for the server above
		},
		ModifyResponse: func(r *http.Response) error {
			cors.StripHeaders(r.Header)
			if r.Request.URL.Path != "/bucket/damaged" {
				return nil
			}
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(bytes.ToUpper(body)))
			return err
		},
	}
}
