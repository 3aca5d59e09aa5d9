//go:build unix

package clients

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

var tusPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{http.MethodPatch, http.MethodDelete},
	AllowedHeaders: []string{"Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Offset", "Content-Type"},
	ExposedHeaders: []string{"Location", "Upload-Offset", "Upload-Length"},
	MaxAge:         2 * time.Hour,
}

var tus = recipe{
	name:    "Resumable upload",
	file:    "tus",
	policy:  tusPolicy,
	handler: uploadService,
	fails: map[entry]string{
		{"AllowedMethods", http.MethodPatch}:  "upload",
		{"AllowedMethods", http.MethodDelete}: "abort",
		{"AllowedHeaders", "Tus-Resumable"}:   "upload",
		{"AllowedHeaders", "Upload-Length"}:   "upload",
		{"AllowedHeaders", "Upload-Metadata"}: "upload",
		{"AllowedHeaders", "Upload-Offset"}:   "upload",
		{"AllowedHeaders", "Content-Type"}:    "upload",
		{"ExposedHeaders", "Location"}:        "upload",
		{"ExposedHeaders", "Upload-Offset"}:   "upload",
		{"ExposedHeaders", "Upload-Length"}:   "resume after an interruption",
	},
	preflights: 11,
}

// uploadService returns a tus 1.0 server with the extensions creation,
// creation-with-upload and termination. If the metadata of an upload has the key
// interrupt, the server closes the connection in the middle of its first PATCH.
func uploadService(*testing.T) http.Handler {
	type upload struct {
		length    int
		data      []byte
		interrupt bool
	}
	var mu sync.Mutex
	var uploads []*upload // nil if it was aborted

	// receive appends the body to u, and returns a status.
	receive := func(w http.ResponseWriter, r *http.Request, u *upload, status int) int {
		if r.Header.Get("Content-Type") != "application/offset+octet-stream" {
			return http.StatusUnsupportedMediaType
		}
		data, err := io.ReadAll(r.Body)
		if err != nil || len(u.data)+len(data) > u.length {
			return http.StatusBadRequest
		}
		if u.interrupt {
			u.interrupt = false
			u.data = append(u.data, data[:len(data)/2]...)
			panic(http.ErrAbortHandler)
		}
		u.data = append(u.data, data...)
		w.Header().Set("Upload-Offset", strconv.Itoa(len(u.data)))
		return status
	}
	create := func(w http.ResponseWriter, r *http.Request) int {
		length, err := strconv.Atoi(r.Header.Get("Upload-Length"))
		if err != nil {
			return http.StatusBadRequest
		}
		u := &upload{length: length}
		w.Header().Set("Location", fmt.Sprintf("/files/%d", len(uploads)))
		uploads = append(uploads, u)
		if r.ContentLength != 0 {
			return receive(w, r, u, http.StatusCreated)
		}
		u.interrupt = strings.HasPrefix(r.Header.Get("Upload-Metadata"), "interrupt ")
		return http.StatusCreated
	}
	use := func(w http.ResponseWriter, r *http.Request) int {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || id < 0 || id >= len(uploads) || uploads[id] == nil {
			return http.StatusNotFound
		}
		u := uploads[id]
		switch r.Method {
		case http.MethodHead:
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Upload-Offset", strconv.Itoa(len(u.data)))
			w.Header().Set("Upload-Length", strconv.Itoa(u.length))
			return http.StatusOK
		case http.MethodPatch:
			if r.Header.Get("Upload-Offset") != strconv.Itoa(len(u.data)) {
				return http.StatusConflict
			}
			return receive(w, r, u, http.StatusNoContent)
		case http.MethodDelete:
			uploads[id] = nil
			return http.StatusNoContent
		}
		return http.StatusMethodNotAllowed
	}
	protocol := func(serve func(http.ResponseWriter, *http.Request) int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Tus-Resumable", "1.0.0")
			if r.Header.Get("Tus-Resumable") != "1.0.0" {
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			w.WriteHeader(serve(w, r))
		}
	}

	mux := http.NewServeMux()
	mux.HandleFunc("POST /files", protocol(create))
	mux.HandleFunc("/files/{id}", protocol(use))
	mux.HandleFunc("GET /content/{id}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if id, err := strconv.Atoi(r.PathValue("id")); err == nil && id < len(uploads) && uploads[id] != nil {
			w.Write(uploads[id].data)
			return
		}
		http.NotFound(w, r)
	})
	return mux
}
