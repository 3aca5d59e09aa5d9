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

// TestAdviceOnServers produces examples of docs/advice.md with servers that are not
// written in Go.
func TestAdviceOnServers(t *testing.T) {
	const page = "https://app.example.com"
	type row struct{ path, response string }
	for _, test := range []struct {
		foreignServer
		rows []row
	}{
		{foreignServer{name: "express", program: "node", command: node("servers/advice.cjs")}, []row{
			{"/page", "The request with credentials gets 200 with `Access-Control-Allow-Origin: https://app.example.com`."},
			{"/any", "The request with credentials gets 200 with `Access-Control-Allow-Origin: *`."},
			{"/localhost", "The request gets 200 with `Access-Control-Allow-Origin: http://localhost:3000`."},
			{"/replaced", "After a successful preflight, the request gets 200 with `Access-Control-Allow-Origin: http://localhost:3000`."},
			{"/slash", "The request gets 200 with `Access-Control-Allow-Origin: https://app.example.com/`."},
			{"/pattern", "The request gets 200 with `Access-Control-Allow-Origin: https://*.example.com`."},
			{"/tutorial", "The preflight for the method `PUT` gets 200 with `Access-Control-Allow-Origin: *`."},
			{"/tutorial", "The preflight for the header `X-Id` gets 200 with `Access-Control-Allow-Origin: *`."},
			{"/stars", "The preflight of a request with credentials for the method `PUT` gets 204 with `Access-Control-Allow-Origin: https://app.example.com`, `Access-Control-Allow-Credentials: true` and `Access-Control-Allow-Methods: *`."},
			{"/stars", "The preflight of a request with credentials for the header `X-Id` gets 204 with `Access-Control-Allow-Origin: https://app.example.com`, `Access-Control-Allow-Credentials: true` and `Access-Control-Allow-Headers: *`."},
			{"/spaces", "The preflight for the method `PUT` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Methods: GET PUT`."},
			{"/lowercase", "The preflight for the method `PUT` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Methods: put`."},
			{"/patch", "The preflight for the method `patch` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Methods: PATCH`."},
			{"/headers", "The preflight for the header `Authorization` gets 204 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Headers: *`."},
			{"/any", "The request gets 200 with `Access-Control-Allow-Origin: *` and `ETag: \"1\"`."},
		}},
		{foreignServer{name: "Python", program: "python3", command: func(t *testing.T, port, _ string) *exec.Cmd {
			return exec.Command("python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", t.TempDir(), port)
		}}, []row{
			{"/", "The preflight gets 501."},
			{"/", "The request gets 200."},
		}},
		{foreignServer{name: "Starlette", program: "uvicorn", command: func(t *testing.T, port, _ string) *exec.Cmd {
			c := exec.Command("uvicorn", "--app-dir", "servers", "--port", port, "advice:app")
			c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
			return c
		}}, []row{
			{"/", "The preflight for the method `PUT` gets 400 with `Access-Control-Allow-Origin: *` and `Access-Control-Allow-Methods: GET`, and the body `Disallowed CORS method`."},
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
