package peers_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/f407da42/cors"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gorilla/mux"
	"github.com/julienschmidt/httprouter"
	"github.com/justinas/alice"
	"github.com/labstack/echo/v5"
)

// An api is served by each router: PUT /items/{id}, which responds with "item "
// and the id from the router, and GET /ws, which accepts a WebSocket handshake
// and then echoes bytes. It has no code for OPTIONS or CORS.
type api struct {
	runs atomic.Int32
}

func (a *api) item(id string) string {
	a.runs.Add(1)
	return "item " + id
}

func (a *api) webSocket(w http.ResponseWriter, r *http.Request) {
	a.runs.Add(1)
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	accept := acceptKey(r.Header.Get("Sec-WebSocket-Key"))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept)
	io.Copy(conn, buf)
}

// acceptKey returns the value of Sec-WebSocket-Accept (RFC 6455, section 4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// A router is a row of the table in docs/integration.md, which shows one line of
// each function. The functions start servers on loopback and return the address.
type router struct {
	name string

	// serve serves a, with c in a place that sees every request.
	serve func(t *testing.T, a *api, c *cors.Middleware) (addr string)

	// misplace serves items with c in a place that sees only requests that match
	// a route. Preflights do not, because they are OPTIONS requests.
	misplace func(t *testing.T, c *cors.Middleware) (addr string)

	// status is the router's response to a preflight if c is misplaced.
	status int
}

var items http.HandlerFunc = func(http.ResponseWriter, *http.Request) {}

var routers = []router{
	{
		name: "net/http",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			mux := http.NewServeMux()
			mux.HandleFunc("PUT /items/{id}", func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, a.item(r.PathValue("id")))
			})
			mux.HandleFunc("GET /ws", a.webSocket)
			handler := c.Handler(mux)
			return listen(t, handler)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			mux := http.NewServeMux()
			mux.Handle("PUT /items/{id}", c.Handler(items))
			return listen(t, mux)
		},
		status: 405,
	},
	{
		name: "chi",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			r := chi.NewRouter()
			r.Use(c.Handler)
			r.Put("/items/{id}", func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, a.item(chi.URLParam(r, "id")))
			})
			r.Get("/ws", a.webSocket)
			return listen(t, r)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			r := chi.NewRouter()
			r.With(c.Handler).Put("/items/{id}", items)
			return listen(t, r)
		},
		status: 405,
	},
	{
		name: "gorilla/mux",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			r := mux.NewRouter()
			r.HandleFunc("/items/{id}", func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, a.item(mux.Vars(r)["id"]))
			}).Methods("PUT")
			r.HandleFunc("/ws", a.webSocket).Methods("GET")
			handler := c.Handler(r)
			return listen(t, handler)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			r := mux.NewRouter()
			r.Use(c.Handler)
			r.Handle("/items/{id}", items).Methods("PUT")
			return listen(t, r)
		},
		status: 405,
	},
	{
		name: "alice",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			mux := http.NewServeMux()
			mux.HandleFunc("PUT /items/{id}", func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, a.item(r.PathValue("id")))
			})
			mux.HandleFunc("GET /ws", a.webSocket)
			handler := alice.New(c.Handler).Then(mux)
			return listen(t, handler)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			mux := http.NewServeMux()
			mux.Handle("PUT /items/{id}", alice.New(c.Handler).Then(items))
			return listen(t, mux)
		},
		status: 405,
	},
	{
		name: "httprouter",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			router := httprouter.New()
			router.PUT("/items/:id", func(w http.ResponseWriter, r *http.Request, p httprouter.Params) {
				io.WriteString(w, a.item(p.ByName("id")))
			})
			router.HandlerFunc("GET", "/ws", a.webSocket)
			handler := c.Handler(router)
			return listen(t, handler)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			router := httprouter.New()
			router.Handler("PUT", "/items/:id", c.Handler(items))
			return listen(t, router)
		},
		status: 200,
	},
	{
		name: "gin",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			engine := newEngine()
			engine.PUT("/items/:id", func(ctx *gin.Context) {
				ctx.String(http.StatusOK, a.item(ctx.Param("id")))
			})
			engine.GET("/ws", gin.WrapF(a.webSocket))
			handler := c.Handler(engine)
			return listen(t, handler)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			engine := newEngine()
			engine.PUT("/items/:id", gin.WrapH(c.Handler(items)))
			return listen(t, engine)
		},
		status: 404,
	},
	{
		name: "echo",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			e := echo.New()
			e.Pre(echo.WrapMiddleware(c.Handler))
			e.PUT("/items/:id", func(ctx *echo.Context) error {
				return ctx.String(http.StatusOK, a.item(ctx.Param("id")))
			})
			e.GET("/ws", echo.WrapHandler(http.HandlerFunc(a.webSocket)))
			return listen(t, e)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			e := echo.New()
			e.PUT("/items/:id", echo.WrapHandler(items), echo.WrapMiddleware(c.Handler))
			return listen(t, e)
		},
		status: 204,
	},
	{
		name: "fiber",
		serve: func(t *testing.T, a *api, c *cors.Middleware) string {
			app := fiber.New()
			app.Use(adaptor.HTTPMiddleware(c.Handler))
			app.Put("/items/:id", func(ctx fiber.Ctx) error {
				return ctx.SendString(a.item(ctx.Params("id")))
			})
			app.Get("/ws", func(ctx fiber.Ctx) error {
				a.runs.Add(1)
				ctx.Set("Upgrade", "websocket")
				ctx.Set("Connection", "Upgrade")
				ctx.Set("Sec-WebSocket-Accept", acceptKey(ctx.Get("Sec-WebSocket-Key")))
				ctx.RequestCtx().Hijack(func(conn net.Conn) { io.Copy(conn, conn) })
				return ctx.SendStatus(http.StatusSwitchingProtocols)
			})
			return listenFiber(t, app)
		},
		misplace: func(t *testing.T, c *cors.Middleware) string {
			app := fiber.New()
			app.Put("/items/:id", adaptor.HTTPMiddleware(c.Handler), adaptor.HTTPHandler(items))
			return listenFiber(t, app)
		},
		status: 405,
	},
}

func newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	return gin.New()
}

func listen(t *testing.T, h http.Handler) (addr string) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func listenFiber(t *testing.T, app *fiber.App) (addr string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		done <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true})
	}()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func newMiddleware(t *testing.T) *cors.Middleware {
	c, err := cors.New(cors.Policy{
		AllowedOrigins: []string{"https://app.example.com"},
		AllowedMethods: []string{"PUT"},
		AllowedHeaders: []string{"Content-Type"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// corsHeaders are the response headers that an exchange compares.
var corsHeaders = []string{
	"Access-Control-Allow-Origin",
	"Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers",
	"Vary",
}

// An exchange is a request and the response that it must get. HOST in a header
// is the server's address.
type exchange struct {
	name         string
	method, path string
	header       map[string]string
	status       int
	corsHeader   map[string]string // corsHeaders that are not here must be absent
	body         string            // if the status is 200
}

var exchanges = []exchange{
	{
		name:   "a preflight from an allowed origin",
		method: "OPTIONS", path: "/items/1",
		header: map[string]string{
			"Origin":                         "https://app.example.com",
			"Access-Control-Request-Method":  "PUT",
			"Access-Control-Request-Headers": "content-type",
		},
		status: 204,
		corsHeader: map[string]string{
			"Access-Control-Allow-Origin":  "https://app.example.com",
			"Access-Control-Allow-Methods": "PUT",
			"Access-Control-Allow-Headers": "Content-Type",
			"Vary":                         "Origin",
		},
	},
	{
		name:   "a preflight from another origin",
		method: "OPTIONS", path: "/items/1",
		header: map[string]string{
			"Origin":                         "https://evil.example",
			"Access-Control-Request-Method":  "PUT",
			"Access-Control-Request-Headers": "content-type",
		},
		status:     403,
		corsHeader: map[string]string{"Vary": "Origin"},
	},
	{
		name:   "a request from an allowed origin",
		method: "PUT", path: "/items/1",
		header: map[string]string{"Origin": "https://app.example.com"},
		status: 200,
		corsHeader: map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com",
			"Vary":                        "Origin",
		},
		body: "item 1",
	},
	{
		name:   "a request from another origin",
		method: "PUT", path: "/items/1",
		header:     map[string]string{"Origin": "https://evil.example"},
		status:     403,
		corsHeader: map[string]string{"Vary": "Origin"},
	},
	{
		name:   "a request without Origin",
		method: "PUT", path: "/items/1",
		status:     200,
		corsHeader: map[string]string{"Vary": "Origin"},
		body:       "item 1",
	},
	{
		name:   "a request from the server's own page",
		method: "PUT", path: "/items/1",
		header:     map[string]string{"Origin": "http://HOST"},
		status:     200,
		corsHeader: map[string]string{"Vary": "Origin"},
		body:       "item 1",
	},
	{
		name:   "a 404 that the script of an allowed origin can read",
		method: "GET", path: "/nothing",
		header: map[string]string{"Origin": "https://app.example.com"},
		status: 404,
		corsHeader: map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com",
			"Vary":                        "Origin",
		},
	},
}

func TestRouters(t *testing.T) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			a := new(api)
			addr := router.serve(t, a, newMiddleware(t))
			for _, e := range exchanges {
				t.Run(e.name, func(t *testing.T) {
					a.runs.Store(0)
					res, body := roundTrip(t, addr, e)
					if res.StatusCode != e.status {
						t.Errorf("status is %d, not %d", res.StatusCode, e.status)
					}
					for _, name := range corsHeaders {
						if got, want := res.Header.Values(name), e.corsHeader[name]; strings.Join(got, ", ") != want {
							t.Errorf("%s is %q, not %q", name, got, want)
						}
					}
					runs := int32(0)
					if e.status == http.StatusOK {
						runs = 1
						if body != e.body {
							t.Errorf("body is %q, not %q", body, e.body)
						}
					}
					if got := a.runs.Load(); got != runs {
						t.Errorf("the handler ran %d times, not %d", got, runs)
					}
				})
			}
			t.Run("a WebSocket handshake from an allowed origin", func(t *testing.T) {
				a.runs.Store(0)
				status, echoed := handshake(t, addr, "https://app.example.com")
				if status != 101 || echoed != "ping" || a.runs.Load() != 1 {
					t.Errorf("status is %d, %q came back, the handler ran %d times", status, echoed, a.runs.Load())
				}
			})
			t.Run("a WebSocket handshake from another origin", func(t *testing.T) {
				a.runs.Store(0)
				status, _ := handshake(t, addr, "https://evil.example")
				if status != 403 || a.runs.Load() != 0 {
					t.Errorf("status is %d, the handler ran %d times", status, a.runs.Load())
				}
			})
		})
	}
}

// TestMisplacedMiddlewareMissesPreflights makes the mistakes of
// docs/integration.md: requests get their CORS headers, but preflights do not
// reach the middleware, so browsers give up.
func TestMisplacedMiddlewareMissesPreflights(t *testing.T) {
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			addr := router.misplace(t, newMiddleware(t))
			put := exchange{method: "PUT", path: "/items/1", header: map[string]string{"Origin": "https://app.example.com"}}
			if res, _ := roundTrip(t, addr, put); res.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
				t.Errorf("a request got %d without Access-Control-Allow-Origin", res.StatusCode)
			}
			res, _ := roundTrip(t, addr, exchanges[0])
			if res.StatusCode != router.status {
				t.Errorf("a preflight got %d, not %d", res.StatusCode, router.status)
			}
			if got := res.Header.Values("Access-Control-Allow-Origin"); got != nil {
				t.Errorf("a preflight got Access-Control-Allow-Origin: %q, so it reached the middleware", got)
			}
		})
	}
}

func roundTrip(t *testing.T, addr string, e exchange) (res *http.Response, body string) {
	req, err := http.NewRequest(e.method, "http://"+addr+e.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range e.header {
		req.Header.Set(name, strings.ReplaceAll(value, "HOST", addr))
	}
	res, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// handshake opens a WebSocket and returns the status. If that is 101, it sends
// "ping" and returns the echo.
func handshake(t *testing.T, addr, origin string) (status int, echoed string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", addr, origin, key)
	buf := bufio.NewReader(conn)
	res, err := http.ReadResponse(buf, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		return res.StatusCode, ""
	}
	if got := res.Header.Get("Sec-WebSocket-Accept"); got != acceptKey(key) {
		t.Errorf("Sec-WebSocket-Accept is %q, not %q", got, acceptKey(key))
	}
	io.WriteString(conn, "ping")
	b := make([]byte, len("ping"))
	if _, err := io.ReadFull(buf, b); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestRoutersInDocs compares the table of routers in docs/integration.md with this
// file: the routers, the right line, the wrong line, and the status of a preflight
// with the wrong line.
func TestRoutersInDocs(t *testing.T) {
	source, err := os.ReadFile("routers_test.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := make(map[string]bool)
	for line := range strings.Lines(string(source)) {
		lines[strings.TrimSpace(line)] = true
	}
	rows := tableIn(t, "integration.md", "## Routers")[1:]
	if len(rows) != len(routers) {
		t.Fatalf("docs/integration.md shows %d routers, and %d are tested", len(rows), len(routers))
	}
	for i, router := range routers {
		name, right, wrong, status := rows[i][0], strings.Trim(rows[i][1], "`"), strings.Trim(rows[i][2], "`"), rows[i][3]
		if name != router.name {
			t.Errorf("docs/integration.md shows %q where %q is tested", name, router.name)
		}
		for _, line := range []string{right, wrong} {
			if !lines[line] {
				t.Errorf("%s: no line of routers_test.go is %q", name, line)
			}
		}
		if want := strconv.Itoa(router.status); status != want {
			t.Errorf("%s: docs/integration.md says that a preflight gets %s, but it is %s", name, status, want)
		}
	}
}

// tableIn returns the cells, row by row, of the first table in a section of a
// page in docs. The first row is the head of the table.
func tableIn(t *testing.T, page, heading string) (rows [][]string) {
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut("\n"+string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("docs/%s has no section %q", page, heading)
	}
	section, _, _ = strings.Cut(section, "\n#")
	for line := range strings.SplitSeq(section, "\n") {
		if !strings.HasPrefix(line, "|") {
			if rows != nil {
				break
			}
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		t.Fatalf("docs/%s has no table in section %q", page, heading)
	}
	return slices.Delete(rows, 1, 2) // between head and body
}
