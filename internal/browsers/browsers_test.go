//go:build unix

package browsers

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

func TestStartOpensThePageAndLeavesNothingBehind(t *testing.T) {
	for _, e := range Engines {
		t.Run(string(e), func(t *testing.T) {
			reported := make(chan struct{}, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == "POST":
					reported <- struct{}{}
				case r.URL.Path == "/":
					w.Header().Set("Content-Type", "text/html")
					w.Write([]byte(`<!doctype html><script>fetch("/", {method: "POST"})</script>`))
				}
			}))
			defer server.Close()

			var b *Browser
			t.Run("open", func(t *testing.T) {
				b = Start(t, e, server.URL)
				select {
				case <-reported:
				case <-b.Done():
					t.Errorf("the browser ended before its page reported:\n%s", b.Log())
				case <-time.After(patience):
					t.Errorf("the page has not reported in time:\n%s", b.Log())
				}
			})
			if b == nil {
				t.Skip("no browser was started")
			}
			select {
			case <-b.Done():
			default:
				t.Error("the browser has outlived its test")
			}
			if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
				t.Errorf("the browser's directory is still there: %v", err)
			}
		})
	}
}
