//go:build unix

package clients

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
		{"AllowedMethods", "DELETE"}:                       "delete",
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
		{"ExposedHeaders", "X-Amz-Checksum-Crc32"}:         "notice damage",
	},
	preflights: 4,
}

// bucket returns a proxy of a server of S3 with one bucket, which sets CORS
// headers itself. What that says of the object "damaged" is not what it sends.
func bucket(t *testing.T) http.Handler {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
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
