package corstest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/f407da42/cors/corstest"
)

func TestClient(t *testing.T) {
	var sent *http.Request
	var body string
	b := &corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", "PUT")
		h.Set("Access-Control-Allow-Headers", "X-Id")
		if r.Method == "OPTIONS" {
			return
		}
		data, _ := io.ReadAll(r.Body)
		sent, body = r, string(data)
		h.Set("Content-Type", "a/b")
		h.Set("X-Hidden", "1")
		h.Set(http.TrailerPrefix+"X-Trailer", "1")
		switch r.URL.Path {
		case "/from":
			http.Redirect(w, r, "/to", http.StatusFound)
		case "/nowhere":
			w.WriteHeader(http.StatusFound)
		case "/large":
			w.Write(make([]byte, mebibyte+1))
		default:
			io.WriteString(w, "answer")
		}
	})}
	client := b.Client(page)
	request := func(method, url string, body io.Reader) *http.Request {
		r, err := http.NewRequestWithContext(context.WithValue(t.Context(), key{}, "kept"), method, url, body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}

	// The request of a script, and the parts of the response that it can read.
	r := request("PUT", api+"/data", strings.NewReader("text"))
	r.Header = http.Header{"X-Id": {"1"}, "Cookie": {"forged"}, "User-Agent": {"Go"}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(res.Body); string(data) != "answer" || err != nil || res.ContentLength != 6 || res.StatusCode != 200 || res.Status != "200 OK" {
		t.Errorf("got %s, %q, %v, length %d", res.Status, data, err, res.ContentLength)
	}
	if res.Trailer != nil || len(res.Header) != 1 || res.Header.Get("Content-Type") != "a/b" {
		t.Errorf("the script reads %q", res.Header)
	}
	if res.Request.URL.String() != api+"/data" || res.Request.Method != "PUT" || res.Request.Context().Value(key{}) != "kept" {
		t.Errorf("the response is to %s %s", res.Request.Method, res.Request.URL)
	}
	h := sent.Header
	if body != "text" || h.Get("X-Id") != "1" || h["Cookie"] != nil || h["User-Agent"] != nil || h["Content-Type"] != nil || sent.Context().Value(key{}) != "kept" {
		t.Errorf("sent %q with %q", body, h)
	}
	if r.Header.Get("User-Agent") != "Go" {
		t.Error("the request was changed")
	}

	// The transport follows redirects, and the client does not.
	res, err = client.Post(api+"/from", "text/plain", strings.NewReader("text"))
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Request.URL.String() != api+"/to" || res.Request.Method != "GET" {
		t.Errorf("after a redirect: %s of %s %s", res.Status, res.Request.Method, res.Request.URL)
	}
	if res, err := client.Get(api + "/nowhere"); err != nil || res.StatusCode != 302 {
		t.Errorf("a redirect without a target: %v, %v", res, err)
	}

	// Reading an incomplete body ends with an error.
	res, err = client.Get(api + "/large")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(res.Body); len(data) != mebibyte || err == nil || res.ContentLength != -1 {
		t.Errorf("large: %d bytes, %v, length %d", len(data), err, res.ContentLength)
	}

	// With a cookie, requests are made with credentials.
	b.Cookie = "a=b"
	if _, err := client.Get(api); err != nil || sent.Header.Get("Cookie") != "a=b" {
		t.Errorf("with a cookie: %v, sent %q", err, sent.Header)
	}

	// If the script is blocked, the error has the reason and the advice.
	_, err = client.Do(request("DELETE", api, nil))
	var blocked *corstest.BlockedError
	if !errors.As(err, &blocked) || blocked.Result.Preflight == nil {
		t.Fatalf("DELETE: %v", err)
	}
	if got, want := blocked.Error(), "DELETE https://api.example from https://page.example: method DELETE is not in Access-Control-Allow-Methods. Add DELETE to AllowedMethods. If it is already there, another CORS middleware or a proxy in front responded to the preflight, or removed the Access-Control-Request-* headers from it."; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err = client.Do(request("TRACE", api, nil))
	if !errors.As(err, &blocked) {
		t.Fatalf("TRACE: %v", err)
	}
	if got, want := blocked.Error(), "TRACE https://api.example from https://page.example: method TRACE is forbidden to scripts"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	// Errors of the body and of the context are not CORS errors.
	broken := errors.New("broken")
	if _, err := client.Do(request("PUT", api, iotest.ErrReader(broken))); !errors.Is(err, broken) || errors.As(err, &blocked) {
		t.Errorf("a broken body: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := client.Do(request("GET", api, nil).WithContext(ctx)); !errors.Is(err, context.Canceled) || errors.As(err, &blocked) {
		t.Errorf("a canceled context: %v", err)
	}
	if res := b.Fetch(page, corstest.Request{URL: "ftp://a"}); !errors.As(res.Err(), &blocked) || !strings.HasPrefix(blocked.Error(), "GET ftp://a from ") {
		t.Errorf("Fetch of an invalid URL: %v", res.Err())
	}
}

type key struct{}
