//go:build unix

package clients

import (
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/f407da42/cors/corstest"
	"github.com/f407da42/cors/internal/testkit"
)

// TestAdviceOnServers produces rows of docs/blocked.md with servers that are not
// written in Go.
func TestAdviceOnServers(t *testing.T) {
	const page = "https://app.example.com"
	type row struct{ path, response string }
	for _, test := range []struct {
		foreignServer
		rows []row
	}{
		{foreignServer{name: "express", program: "node", command: node("servers/advice.cjs")}, []row{
			{"/page", "request with credentials: 200 `Access-Control-Allow-Origin: https://app.example.com`"},
			{"/any", "request with credentials: 200 `Access-Control-Allow-Origin: *`"},
			{"/localhost", "request: 200 `Access-Control-Allow-Origin: http://localhost:3000`"},
			{"/replaced", "request after a preflight: 200 `Access-Control-Allow-Origin: http://localhost:3000`"},
			{"/slash", "request: 200 `Access-Control-Allow-Origin: https://app.example.com/`"},
			{"/pattern", "request: 200 `Access-Control-Allow-Origin: https://*.example.com`"},
			{"/tutorial", "preflight for `PUT`: 200 `Access-Control-Allow-Origin: *`"},
			{"/tutorial", "preflight for `X-Id`: 200 `Access-Control-Allow-Origin: *`"},
			{"/stars", "preflight for `PUT` with credentials: 204 `Access-Control-Allow-Origin: https://app.example.com` `Access-Control-Allow-Credentials: true` `Access-Control-Allow-Methods: *`"},
			{"/stars", "preflight for `X-Id` with credentials: 204 `Access-Control-Allow-Origin: https://app.example.com` `Access-Control-Allow-Credentials: true` `Access-Control-Allow-Headers: *`"},
			{"/spaces", "preflight for `PUT`: 204 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Methods: GET PUT`"},
			{"/lowercase", "preflight for `PUT`: 204 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Methods: put`"},
			{"/patch", "preflight for `patch`: 204 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Methods: PATCH`"},
			{"/headers", "preflight for `Authorization`: 204 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Headers: *`"},
			{"/any", "request: 200 `Access-Control-Allow-Origin: *` `ETag: \"1\"`"},
		}},
		{foreignServer{name: "Python", program: "python3", command: func(t *testing.T, port, _ string) *exec.Cmd {
			return exec.Command("python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", t.TempDir(), port)
		}}, []row{
			{"/", "preflight: 501, or 405 `Allow: GET`"},
			{"/", "request: 200"},
		}},
		{foreignServer{name: "Starlette", program: "uvicorn", command: func(t *testing.T, port, _ string) *exec.Cmd {
			c := exec.Command("uvicorn", "--app-dir", "servers", "--port", port, "advice:app")
			c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
			return c
		}}, []row{
			{"/", "preflight for `PUT`: 400 `Access-Control-Allow-Origin: *` `Access-Control-Allow-Methods: GET` `Disallowed CORS method`"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !test.present(t) {
				return
			}
			// A later server can get the port of an earlier one, so no connection is kept.
			b := corstest.Browser{Transport: &http.Transport{DisableKeepAlives: true}}
			url := "http://127.0.0.1:" + test.run(t, page)
			for _, row := range test.rows {
				t.Run(row.path+" "+row.response, func(t *testing.T) {
					testkit.CheckAdvice(t, &b, row.response, page, url+row.path)
				})
			}
		})
	}
}
