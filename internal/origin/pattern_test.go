package origin_test

import (
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, scheme, host string
		wildcard              origin.Wildcard
		loopback              bool
		suffix                string // domain under which anyone can register matching names
	}{
		{"https://example.com", "https", "example.com", origin.None, false, ""},
		{"https://example.com.:8443", "https", "example.com.", origin.None, false, ""},
		{"http://localhost:*", "http", "localhost", origin.None, true, ""},
		{"http://localhost.:3000", "http", "localhost.", origin.None, true, ""},
		{"http://app.localhost", "http", "app.localhost", origin.None, true, ""},
		{"http://localhosts", "http", "localhosts", origin.None, false, ""},
		{"http://xlocalhost", "http", "xlocalhost", origin.None, false, ""},
		{"http://127.1.2.3", "http", "127.1.2.3", origin.None, true, ""},
		{"http://128.0.0.1", "http", "128.0.0.1", origin.None, false, ""},
		{"http://[::1]:8080", "http", "[::1]", origin.None, true, ""},
		{"http://[::2]", "http", "[::2]", origin.None, false, ""},
		{"app://.", "app", ".", origin.None, false, ""},
		{"app://", "app", "", origin.None, false, ""},
		{"null", "", "", origin.None, false, ""},
		{"file://", "", "", origin.None, false, ""},
		{"https://*.example.com", "https", "example.com", origin.Subdomains, false, ""},
		{"https://*.example.com:8443", "https", "example.com", origin.Subdomains, false, ""},
		{"https://*.com", "https", "com", origin.Subdomains, false, "com"},
		{"https://*.com.:*", "https", "com.", origin.Subdomains, false, "com"},
		{"http://*.localhost:*", "http", "localhost", origin.Subdomains, true, ""},
		{"http://*.localhost.:*", "http", "localhost.", origin.Subdomains, true, ""},
		{"https://*.github.io", "https", "github.io", origin.Subdomains, false, "github.io"},
		{"https://*.co.uk", "https", "co.uk", origin.Subdomains, false, "co.uk"},
		{"https://*.me.github.io", "https", "me.github.io", origin.Subdomains, false, ""},
		{"https://*.hub.io", "https", "hub.io", origin.Subdomains, false, ""},
		{"https://*.o.uk", "https", "o.uk", origin.Subdomains, false, ""},
		{"https://*.example.github.io", "https", "example.github.io", origin.Subdomains, false, ""},
		{"https://proj-*.vercel.app", "https", "vercel.app", origin.Within, false, "vercel.app"},
		{"https://*--proj.netlify.app:*", "https", "netlify.app", origin.Within, false, "netlify.app"},
		{"https://proj-*-team.example.com", "https", "example.com", origin.Within, false, ""},
		{"http://*-app.localhost:3000", "http", "localhost", origin.Within, true, ""},
		{"app://pr-*.example.com", "app", "example.com", origin.Within, false, ""},
		{"app://*.example.com", "app", "example.com", origin.Subdomains, false, ""},
		{"moz-extension://*", "moz-extension", "", origin.AnyHost, false, "moz-extension://"},
		{"https://*", "https", "", origin.AnyHost, false, "https://"},
		{"http://*", "http", "", origin.AnyHost, false, "http://"},
	} {
		p, err := origin.Parse(test.pattern)
		if err != nil {
			t.Errorf("%q: %v", test.pattern, err)
			continue
		}
		suffix, public := p.PublicSuffix(nil)
		if p.Scheme != test.scheme || p.Host != test.host || p.Wildcard != test.wildcard || p.IsLoopback() != test.loopback || suffix != test.suffix && public || public != (test.suffix != "") {
			t.Errorf("%q: got %+v, loopback %t, public suffix %q %t", test.pattern, p, p.IsLoopback(), suffix, public)
		}
	}
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{
		"http", "https", "app", "capacitor", "tauri", "ionic", "file+x", "hs", "h", "hp", "ts", "htmx", "http+unix", "https+x", "ssh", "ftp", "sftp", "sttx", "ipfs", "https12", "xhttps1", "tts",
		"moz-extension", "chrome-extension", "vscode-webview", "ph", "tp", "ps",
	} {
		for _, rest := range []string{"://a.example", "://*", "://*.example.com", "://a:*"} {
			if _, err := origin.Parse(scheme + rest); err != nil {
				t.Errorf("%s: %v", scheme+rest, err)
			}
		}
	}
	for _, scheme := range []string{"htts", "htto", "hps", "https1", "http1", "htp", "ttp", "ttps", "httpss", "htttps", "hptts", "pth", "xhttp", "httq", "shttp", "httpx", "hhttps", "tps"} {
		for _, rest := range []string{"://a.example", "://*", "://*.example.com", "://a:*"} {
			if _, err := origin.Parse(scheme + rest); err == nil || !strings.Contains(err.Error(), "scheme") {
				t.Errorf("%s: got %v", scheme+rest, err)
			}
		}
	}
}
