package corstest_test

import (
	"net/http"
	"testing"

	"github.com/f407da42/cors/corstest"
)

func TestModeString(t *testing.T) {
	for mode, want := range map[corstest.Mode]string{
		corstest.CORS: "cors", corstest.NoCORS: "no-cors", corstest.Navigate: "navigate", corstest.WebSocket: "websocket", 9: "Mode(9)",
	} {
		if got := mode.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWebSocketHijack(t *testing.T) {
	b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
		rw.Flush()
		if _, err := rw.ReadByte(); err == nil {
			t.Error("the browser sent data")
		}
	})}
	got := b.Fetch(page, corstest.Request{URL: "wss://api.example/ws", Mode: corstest.WebSocket})
	if got.Status != 101 || got.Err() != nil {
		t.Errorf("got %d, %v", got.Status, got.Err())
	}
}
