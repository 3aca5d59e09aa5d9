package peers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
	gorilla "github.com/gorilla/websocket"
)

// TestWebSocketMode opens WebSockets with corstest. The servers use two packages:
// with the checks of the packages, without them, and inside Handler. The results
// must not depend on whether there is a real connection.
func TestWebSocketMode(t *testing.T) {
	const page, evil = "https://app.example.com", "https://evil.example"
	policy := testkit.MustNew(t, cors.Policy{AllowedOrigins: []string{page}, AllowCredentials: true})
	withGorilla := func(check func(*http.Request) bool) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			upgrader := gorilla.Upgrader{CheckOrigin: check}
			conn, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return // the response was written
			}
			defer conn.Close()
			conn.ReadMessage()
		})
	}
	withCoder := func(options *websocket.AcceptOptions) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, options)
			if err != nil {
				return // the response was written
			}
			defer conn.CloseNow()
			conn.Read(r.Context())
		})
	}
	anyone := withGorilla(func(*http.Request) bool { return true })
	unchecked := withCoder(&websocket.AcceptOptions{InsecureSkipVerify: true})

	type open struct{ own, page, evil bool }
	for _, test := range []struct {
		name    string
		handler http.Handler
		want    open
		worst   string // severity of a scan from page
	}{
		{"gorilla/websocket by default", withGorilla(nil), open{own: true}, ""},
		{"gorilla/websocket without a check", anyone, open{own: true, page: true, evil: true}, "Medium"},
		{"gorilla/websocket without a check, inside Handler", policy.Handler(anyone), open{own: true, page: true}, ""},
		{"gorilla/websocket by default, inside Handler", policy.Handler(withGorilla(nil)), open{own: true}, ""},
		{"coder/websocket by default", withCoder(nil), open{own: true}, ""},
		{"coder/websocket with a pattern", withCoder(&websocket.AcceptOptions{OriginPatterns: []string{"app.example.com"}}), open{own: true, page: true}, "Low"}, // it compares only the host
		{"coder/websocket without a check", unchecked, open{own: true, page: true, evil: true}, "Medium"},
		{"coder/websocket without a check, inside Handler", policy.Handler(unchecked), open{own: true, page: true}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			for name, b := range map[string]*corstest.Browser{
				"with a Handler":    {Handler: test.handler},
				"over a connection": {Transport: server.Client().Transport},
			} {
				opens := func(origin string) bool {
					r := b.Fetch(origin, corstest.Request{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Mode: corstest.WebSocket})
					if (r.Status == 101) != (r.Err() == nil) {
						t.Errorf("%s, %s: status %d, but error %v", name, origin, r.Status, r.Err())
					}
					return r.Status == 101
				}
				if got := (open{opens(server.URL), opens(page), opens(evil)}); got != test.want {
					t.Errorf("%s: got %+v, want %+v", name, got, test.want)
				}
			}

			b := corstest.Browser{Handler: test.handler}
			report := b.Scan(page, corstest.Request{URL: "wss://api.example.com/", Mode: corstest.WebSocket})
			worst := ""
			if len(report.Findings) > 0 {
				worst = report.Findings[0].Severity.String()
			}
			if worst != test.worst {
				t.Errorf("the worst finding is %q, want %q:\n%s", worst, test.worst, report)
			}
		})
	}
}
