package naive

import "strings"

// Samples are seeds for fuzzing: origins that browsers and apps send, patterns,
// and strings that people wrote instead.
var Samples = []string{
	"https://example.com", "https://app.example.com:8443", "http://localhost:3000", "http://127.0.0.1:5173", "http://255.255.255.255",
	"http://[::1]:8080", "https://[2001:db8::1]", "https://[abcd:ef09::af]", "https://[::g]", "https://[::12345]", "https://[::ffff:7f00:1]", "https://[1:0:0:2:0:0:0:3]",
	"https://xn--bcher-kva.example", "https://a_b.example", "https://0a.example", "https://example.c0m",
	"chrome-extension://aghbiahbpaijignceidepookljebhfak", "moz-extension://0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
	"capacitor://localhost", "ionic://localhost", "app://obsidian.md", "tauri://localhost", "vscode-webview://1a2b",
	"https://*.example.com", "https://*.example.com:8443", "https://*.example.com:*", "http://localhost:*", "http://[::1]:*",
	"http://*.localhost:*", "https://*.github.io", "https://*.com", "null",
	"https://proj-*.vercel.app", "https://*--proj.netlify.app", "https://proj-*-team.vercel.app:*", "https://*-app.localhost:8443", "https://a-*-b.c.",
	"moz-extension://*", "safari-web-extension://*", "safari-web-extension://0A1B-c2", "app://.", "app://", "app://*", "app://a~b", "https://example.com.", "http://localhost.:3000",
	"https://-*.example.com", "https://*-.example.com", "https://pr*.example.com", "https://a.b-*.example.com", "https://a-*-*.example.com", "https://a-*", "https://*-a.:8443", "https://a-*.1", "app://a-*.1", "app://A-*.b", "app://*..a:*", "https://*",
	"moz-extension://*:*", "moz-extension://*/", "moz-extension://a*", "htttps://example.com", "htp://example.com", "example.com:80", "http://1.2.3.4.", "https://.", "https://a..", "app://a/b", "app://u@a", "app://:1", "app://[::1]",
	"", "example.com", "https://", "https://example.com/", "https://example.com:443", "http://example.com:80", "http://example.com:0",
	"http://example.com:65536", "http://example.com:080", "https://Example.com", "HTTPS://example.com", "https://example.com.", "https://a..b",
	"https://user@example.com", "https://example.com?q", "https://example.com#f", "https://bücher.example", "https://example.com:",
	"https://1.2.3", "https://01.2.3.4", "https://1.2.3.256", "https://1.2.3.0x4", "https://a.0x", "https://a.0xaf", "https://a.0xg", "https://[::1", "https://::1", "https://[fe80::1%25eth0]",
	"https://[0:0::1]", "https://[::FFFF:1]", "https://[::ffff:127.0.0.1]", "https://[1:2:3:4:5:6:7::]", "https://[1::2::3]", "https://[1.2.3.4]",
	"h*", "https://*", "https://*example.com", "https://ex*mple.com", "https://www.*.com", "https://*.*.com", "https://*.127.0.0.1", "https://*.[::1]",
	"https://example.com:*0", "https://*.example.com:8*", "file:///index.html", "file://", "file://example.com", "ws://example.com", "wss://example.com", "a+b-c.0://d", "+a://b", "https://example.com\n", "https://example.com\x00", "https://\xff.example",
	"https://" + strings.Repeat("a", 63) + ".example", "https://" + strings.Repeat("a", 64) + ".example",
	"https://" + strings.Repeat("a.", 126) + "a", "https://" + strings.Repeat("a.", 126) + "ab",
	"https://*." + strings.Repeat("a.", 125) + "a", "https://*." + strings.Repeat("a.", 125) + "ab",
}
