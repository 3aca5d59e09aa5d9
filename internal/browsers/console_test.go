//go:build unix

package browsers

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/f407da42/cors"
)

// consoleCases returns cases in which a server makes a mistake that this package
// does not make. They show the console messages for these mistakes.
func consoleCases(o origins) []testCase {
	// responds returns a middleware that responds to all requests itself.
	responds := func(code int, headers ...string) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i < len(headers); i += 2 {
					w.Header().Set(headers[i], headers[i+1])
				}
				w.Header().Set("Content-Length", "0")
				w.WriteHeader(code)
			})
		}
	}
	only := cors.Policy{AllowedOrigins: []string{o.page}}
	const allow = "Access-Control-Allow-Origin"
	blocked := "Access to fetch at '{url}' from origin '{page}' has been blocked by CORS policy: "
	denied := blocked + "Response to preflight request doesn't pass access control check: "
	return []testCase{
		{
			name:       "a redirect of a preflight is not followed",
			middleware: responds(307, "Location", "/elsewhere", allow, o.page),
			steps:      []step{{Method: "PUT"}},
			server:     "preflight PUT", script: "blocked",
			console: map[Engine]string{
				Chromium: denied + "Redirect is not allowed for a preflight request.",
				WebKit:   "Preflight response is not successful. Status code: 307",
			},
		},
		{
			name:       "a preflight needs a status from 200 to 299",
			middleware: responds(405, allow, o.page),
			steps:      []step{{Method: "PUT"}},
			server:     "preflight PUT", script: "blocked",
			console: map[Engine]string{
				Chromium: denied + "It does not have HTTP ok status.",
				WebKit:   "Preflight response is not successful. Status code: 405",
			},
		},
		{
			name:   "a response that allows another origin is blocked",
			policy: only,
			reply:  reply(allow, o.other),
			steps:  []step{{}},
			server: "GET", script: "blocked",
			console: map[Engine]string{
				Chromium: blocked + "The 'Access-Control-Allow-Origin' header has a value '" + o.other + "' that is not equal to the supplied origin.",
				WebKit:   "Origin {page} is not allowed by Access-Control-Allow-Origin. Status code: 200",
			},
		},
		{
			name:   "a response that allows an invalid origin is blocked",
			policy: only,
			reply:  reply(allow, "app.example.com"),
			steps:  []step{{}},
			server: "GET", script: "blocked",
			console: map[Engine]string{
				Chromium: blocked + "The 'Access-Control-Allow-Origin' header contains the invalid value 'app.example.com'.",
				WebKit:   "Origin {page} is not allowed by Access-Control-Allow-Origin. Status code: 200",
			},
		},
		{
			name:       "a malformed list of methods blocks the request",
			middleware: responds(204, allow, o.page, "Access-Control-Allow-Methods", "GET PUT"),
			steps:      []step{{Method: "PUT"}},
			server:     "preflight PUT", script: "blocked",
			console: map[Engine]string{
				Chromium: blocked + "Cannot parse Access-Control-Allow-Methods response header field in preflight response.",
				WebKit:   "Header Access-Control-Allow-Methods has an invalid value: GET PUT",
			},
		},
	}
}

// quotes returns the messages of a browser that docs/blocked.md quotes.
func quotes(t *testing.T, name string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/blocked.md")
	if err != nil {
		t.Fatal(err)
	}
	var quotes []string
	for _, line := range regexp.MustCompile(`(?m)^ *- `+name+`: .*$`).FindAllString(string(page), -1) {
		for _, quote := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(line, -1) {
			quotes = append(quotes, quote[1])
		}
	}
	if len(quotes) < 10 {
		t.Errorf("docs/blocked.md quotes %s %d times; want at least 10", name, len(quotes))
	}
	return quotes
}

// otherMessages are messages in docs/blocked.md that no case causes. To see them,
// you need a local network, a file, or a resource policy.
var otherMessages = map[Engine][]string{
	Chromium: {
		"Cross origin requests are only supported for protocol schemes",
		"Mixed Content: The page at",
		"NotSameOriginAfterDefaultedToSameOriginByCoep",
		"Permission was denied for this request to access the",
		"The request client is not a secure context",
	},
	WebKit: {
		"because it violates the resource's Cross-Origin-Resource-Policy response header",
		"Cross origin requests are only supported for HTTP",
		"Failed to load resource",
		"requested insecure content from",
	},
}

// TestConsoleInDocs compares the messages that docs/blocked.md quotes with the
// console messages that the cases expect. Firefox does not write its messages to
// its output, so TestMessagesInPrograms checks them.
func TestConsoleInDocs(t *testing.T) {
	written := map[Engine]string{}
	o := newSite(t).origins
	for _, c := range append(cases(o), consoleCases(o)...) {
		for e, text := range c.console {
			written[e] += text + "\n"
		}
	}
	for e, name := range map[Engine]string{Chromium: "Chromium", WebKit: "WebKit"} {
		for _, quote := range quotes(t, name) {
			if !strings.Contains(written[e], quote) && !slices.Contains(otherMessages[e], quote) {
				t.Errorf("docs/blocked.md quotes %q for %s, but no case expects it", quote, name)
			}
		}
	}
}

// TestMessagesInPrograms searches the program files of each browser for the quoted
// messages that no case expects.
func TestMessagesInPrograms(t *testing.T) {
	files := map[Engine][]string{
		Chromium: {"/usr/lib/chromium/chromium"},
		Firefox:  {"/usr/lib/firefox-esr/omni.ja", "/usr/lib/firefox-esr/browser/omni.ja"},
		WebKit:   {"/usr/lib/*/libwebkit2gtk-4.1.so.0"},
	}
	messages := maps.Clone(otherMessages)
	messages[Firefox] = quotes(t, "Firefox")
	for _, e := range Engines {
		t.Run(string(e), func(t *testing.T) {
			demanded, err := e.demanded()
			if err != nil {
				t.Fatal(err)
			}
			var program []byte
			for _, pattern := range files[e] {
				names, err := filepath.Glob(pattern)
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range names {
					program = append(program, contents(t, name)...)
				}
			}
			if program == nil {
				if demanded {
					t.Fatalf("no file is at %q, but CORS_BROWSERS demands %s", files[e], e)
				}
				t.Skipf("no file is at %q", files[e])
			}
			for _, message := range messages[e] {
				if !bytes.Contains(program, []byte(message)) {
					t.Errorf("%q is not in %q", message, files[e])
				}
			}
		})
	}
}

// contents returns a file or, if it is an archive, the files in it.
func contents(t *testing.T, name string) []byte {
	t.Helper()
	if filepath.Ext(name) != ".ja" {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	archive, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var all []byte
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, ".properties") && !strings.HasSuffix(file.Name, "netmonitor/src/constants.js") {
			continue
		}
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}
