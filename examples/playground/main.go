// Playground shows CORS in your browser. It serves an API behind package cors, and
// pages on three other origins that send requests to it:
//
//	go run ./examples/playground
//
// Open the address that it prints. On that page, you can change the API's policy
// and send a request. The page predicts the steps of the browser, and shows the
// requests and responses. The servers listen only on loopback.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/f407da42/cors"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.ParseFS(files, "page/*.html"))

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the program at once.
	context.AfterFunc(ctx, stop)

	if err := play(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "playground:", err)
		os.Exit(1)
	}
}

// play serves the playground until ctx is done.
func play(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("playground", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	appPort := flags.Int("app", 0, "`port` of the app, the page to open")
	apiPort := flags.Int("api", 0, "`port` of the API")
	strangerPort := flags.Int("stranger", 0, "`port` of the stranger, a site that is not related to the API")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, "Usage: playground [flags]\n\nPorts are on loopback; 0 means any free port.")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return nil
	case err != nil:
		return fmt.Errorf("%w; -h lists the flags", err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; -h lists the flags", flags.Arg(0))
	}

	for _, both := range []struct {
		names string
		a, b  int
	}{
		{"-app and -api", *appPort, *apiPort},
		{"-app and -stranger", *appPort, *strangerPort},
		{"-api and -stranger", *apiPort, *strangerPort},
	} {
		if both.a == both.b && both.a != 0 {
			return fmt.Errorf("%s are both %d; each needs a different port", both.names, both.a)
		}
	}

	app, err := listen("app", *appPort)
	if err != nil {
		return err
	}
	defer closeAll(app)
	api, err := listen("api", *apiPort)
	if err != nil {
		return err
	}
	defer closeAll(api)
	stranger, err := listen("stranger", *strangerPort)
	if err != nil {
		return err
	}
	defer closeAll(stranger)

	// The app and the API are on one site, like app.example.com and
	// api.example.com, so cookies reach the API. The stranger is another site.
	p := newPlayground(origins{
		App:       origin("localhost", port(app)),
		Subdomain: origin("pr-7.localhost", port(app)),
		API:       origin("localhost", port(api)),
		Stranger:  origin("127.0.0.1", port(stranger)),
	}, log.New(stdout, "", log.Ltime))

	fmt.Fprintf(stdout, `CORS playground. Open the app in a browser:

  app       %s
  API       %s/data
  stranger  %s

or send the preflight that a browser sends before a PUT:

  curl -i -X OPTIONS %s/data -H 'Origin: %s' -H 'Access-Control-Request-Method: PUT'

Ctrl-C stops it.

`, p.origins.App, p.origins.API, p.origins.Stranger, p.origins.API, p.origins.App)

	return serve(ctx, site{app, p.appServer()}, site{api, p.apiServer()}, site{stranger, p.strangerServer()})
}

// listen listens on a port of both addresses of "localhost". Otherwise, another
// program could listen on one of them.
func listen(name string, port int) ([]net.Listener, error) {
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("-%s %d: a port must be from 0, for any free port, to 65535", name, port)
	}
	l4, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, listenError(name, port, err)
	}
	listeners := []net.Listener{l4}
	taken := l4.Addr().(*net.TCPAddr).Port
	l6, err := net.Listen("tcp6", fmt.Sprintf("[::1]:%d", taken))
	switch {
	case err == nil:
		listeners = append(listeners, l6)
	case hasIPv6():
		l4.Close()
		return nil, listenError(name, taken, err)
	}
	return listeners, nil
}

func listenError(name string, port int, err error) error {
	return fmt.Errorf("cannot listen on port %d (is another program using it? -%s chooses another port): %w", port, name, err)
}

func hasIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func port(listeners []net.Listener) string {
	_, port, _ := net.SplitHostPort(listeners[0].Addr().String())
	return port
}

// origin leaves out the default port, as browsers do.
func origin(host, port string) string {
	return strings.TrimSuffix("http://"+host+":"+port, ":80")
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

type site struct {
	listeners []net.Listener
	handler   http.Handler
}

// serve serves sites until ctx is done.
func serve(ctx context.Context, sites ...site) error {
	failed := make(chan error, 2*len(sites))
	var servers []*http.Server
	for _, s := range sites {
		server := &http.Server{
			Handler:           s.handler,
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       30 * time.Second,
			MaxHeaderBytes:    32 << 10,
		}
		servers = append(servers, server)
		for _, l := range s.listeners {
			go func() { failed <- server.Serve(l) }()
		}
	}

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	// Browsers keep connections open, even if they sent no request on them.
	grace, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	}
	return err
}

// origins are the origins of the playground's servers.
type origins struct {
	App, Subdomain, Stranger string // origins of pages with scripts
	API                      string // origin of the server that gets their requests
}

// A playground is the state that all servers share.
type playground struct {
	origins origins
	cors    *cors.Middleware
	api     http.Handler // wrapped in cors
	runs    runs
	log     *log.Logger

	predicting sync.Mutex // held while the fields of a corstest.Browser change
}

func newPlayground(o origins, log *log.Logger) *playground {
	p := &playground{origins: o, cors: new(cors.Middleware), log: log}
	p.api = p.cors.Handler(http.HandlerFunc(data))
	if err := p.setPolicy(p.presets()[0].Policy); err != nil {
		panic(err) // the first preset is valid
	}
	return p
}

// newMux returns a mux. Its patterns must have a host name, so a hostile page whose
// DNS name points to loopback gets only 404 responses.
func (p *playground) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "Not found. The CORS playground is at "+p.origins.App, http.StatusNotFound)
	})
	return mux
}

func (p *playground) appServer() http.Handler {
	control := http.NewServeMux()
	control.HandleFunc("GET /control/policy", p.getPolicy)
	control.HandleFunc("POST /control/policy", p.postPolicy)
	control.HandleFunc("POST /control/predictions", p.postPrediction)
	control.HandleFunc("POST /control/runs", p.postRun)
	control.HandleFunc("GET /control/runs/{id}", p.getRun)

	mux := p.newMux()
	mux.HandleFunc("GET localhost/{$}", p.appPage)
	mux.HandleFunc("GET localhost/{file}", asset)
	mux.Handle("localhost/control/", http.NewCrossOriginProtection().Handler(control))
	mux.HandleFunc("GET pr-7.localhost/sender", p.senderPage)
	mux.HandleFunc("GET pr-7.localhost/{file}", asset)
	return secured(mux)
}

func (p *playground) strangerServer() http.Handler {
	mux := p.newMux()
	mux.HandleFunc("GET 127.0.0.1/{$}", p.strangerPage)
	mux.HandleFunc("GET 127.0.0.1/sender", p.senderPage)
	mux.HandleFunc("GET 127.0.0.1/{file}", asset)
	return secured(mux)
}

func (p *playground) apiServer() http.Handler {
	mux := p.newMux()
	mux.Handle("localhost/", record(p.api, func(r *http.Request, ex *exchange) {
		if ex.Rejected != "" {
			p.log.Printf("%s %s: %s", ex.Method, ex.Path, ex.Rejected)
		}
		p.runs.add(r.URL.Query().Get("run"), ex)
	}))
	return mux
}

// secured adds the headers that every page of the playground has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// appPage serves the page of the app. In requests with credentials, its cookie
// identifies the user to the API, because cookies ignore ports.
func (p *playground) appPage(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "user", Value: "alice", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	w.Header().Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"connect-src 'self' " + p.origins.API,
		"frame-src " + p.origins.Subdomain + " " + p.origins.Stranger,
	}, "; "))
	p.render(w, "index.html", map[string]any{"Origins": p.origins, "Presets": p.presets()})
}

// senderPage serves the page that sends requests from another origin. The app
// embeds it.
func (p *playground) senderPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'"+
		"; connect-src "+p.origins.API+"; frame-ancestors "+p.origins.App)
	p.render(w, "sender.html", p.origins)
}

func (p *playground) render(w http.ResponseWriter, name string, value any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := pages.ExecuteTemplate(w, name, value); err != nil {
		p.log.Print(err)
	}
}

// asset serves a script or a stylesheet.
func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if !strings.HasSuffix(name, ".js") && !strings.HasSuffix(name, ".css") {
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, files, "page/"+name)
}
