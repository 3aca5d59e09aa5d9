package origin_test

import (
	"strings"
	"testing"

	"github.com/f407da42/cors/internal/origin"
)

func TestValid(t *testing.T) {
	t.Parallel()
	label63 := strings.Repeat("a", 63)
	host253 := strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)
	for _, test := range []struct {
		name           string
		valid, invalid []string
	}{
		{
			"domains",
			[]string{"https://example.com", "http://a", "https://xn--bcher-kva.example", "https://a_b.-c-.example", "https://0a.1.b2", "https://" + label63 + ".example", "https://" + host253},
			[]string{"https://", "https://.", "https://.a", "https://a..b", "https://A.example", "https://bücher.example", "https://a b", "https://a*b", "https://*.a", "https://%61", "https://" + label63 + "a.example", "https://" + label63 + "a", "https://" + host253 + "a"},
		},
		{
			"domains with a dot at the end",
			[]string{"https://example.com.", "http://localhost.:3000", "https://" + host253 + ".", "https://" + label63 + ".:1"},
			[]string{"https://example.com..", "https://.:1", "https://a.:443", "http://a.:80", "https://" + host253 + "a.", "https://" + label63 + "a.", "https://a.b" + label63 + ".:1"},
		},
		{
			"IPv4 addresses",
			[]string{"http://127.0.0.1", "http://255.255.255.255:8080", "https://0.0.0.0"},
			[]string{"http://1.2.3", "http://01.2.3.4", "http://1.2.3.256", "http://1.2.3.999", "http://1.2.3.4.5", "http://1.2.3.0x4", "http://a.0x", "http://a.0xaf", "http://1", "http://1.2.3.4.", "http://a.1.", "http://0x1f", "http://1.2.3.65535"},
		},
		{
			"domains that look like addresses",
			[]string{"https://1.2.3.4a", "https://a.0xg", "https://1.example", "https://0x1f.example", "https://a.0b", "https://a.-1", "https://a._1"},
			nil,
		},
		{
			"ports",
			[]string{"https://a:1", "https://a:80", "http://a:443", "https://a:65535", "https://a:8080", "app://a:80", "app://a:443", "http://[::1]:8080", "app://[::1]:1"},
			[]string{"https://a:", "https://a:0", "https://a:65536", "https://a:100000", "https://a:08080", "https://a:x", "https://a:1x", "https://a:+1", "https://a:443", "http://a:80", "http://[::1]:80", "http://[::1]:", "http://[::1]8", "http://[::1]:0", "https://a:1:2", "https://:1", "app://a:", "app://:1", "app://a:0", "app://[::1]8"},
		},
		{
			"other schemes",
			[]string{"app://.", "app://", "app://A~b_c-d.e", "app://..", "app://1.2.3", "a+b-c.1://x", "chrome-extension://aghbiahbpaijignceidepookljebhfak", "safari-web-extension://0A1BZ", "ftp://a:21", "ph://a", "tp://a", "app://" + host253, "app://" + host253 + "."},
			[]string{"app://a/b", "app:///", "app://u@a", "app://a?b", "app://a#b", "app://a b", "app://a\x00", "app://%41", "app://a,b", "app://*", "app://ü", "App://a", "1a://b", "+a://b", "://a", "a_b://c", "app:a", "app:/a", "app", "", "app://" + host253 + "a", "app://" + host253 + "a."},
		},
		{
			"schemes that cannot be in an origin",
			nil,
			[]string{"file://", "file://a", "ws://a", "wss://a", "javascript://a", "data://a", "blob://a", "about://a", "blob:https://a", "about:blank"},
		},
		{
			"misspelled schemes, which only Parse refuses",
			[]string{"htttps://a", "htp://a", "htts://a", "https1://a"},
			nil,
		},
		{
			"strings that are not an origin",
			nil,
			[]string{"https://a/", "https://a/b", "https://u@a", "https://u:p@a", "https://a?b", "https://a#b", "https://a\\b", "https://a,https://b", " https://a", "https://a ", "https://a\n", "HTTPS://a", "https:a", "https:/a", "//a", "a", "null", "*"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, s := range test.valid {
				if !origin.Valid(s) {
					t.Errorf("%q is invalid", s)
				}
			}
			for _, s := range test.invalid {
				if origin.Valid(s) {
					t.Errorf("%q is valid", s)
				}
			}
		})
	}
}

func TestIPv6AddressesMustBeCanonical(t *testing.T) {
	t.Parallel()
	for address, canonical := range map[string]bool{
		"::": true, "::1": true, "1::": true, "1:2:3:4:5:6:7:8": true, "2001:db8::1:0:0:1": true, "1:0:2:0:3:0:4:0": true, "0:1::": true, "1::2:0:0:3": true, "::ffff:102:304": true,
		"1:2:3:4:5:6:7": false, "1:2:3:4:5:6:7:8:9": false, "1:2:3:4:5:6:7::": false, "::2:3:4:5:6:7:8": false, "1:2:3::4:5:6:7:8": false, "1:0:0:2:3:4:5:6": false,
		"0::1": false, "::0": false, "1:0::2": false, "1::0:2": false, "1:0:0:2::3": true, "1:0:0:2::3:4": false, "1::2:0:0:0:3": false, "1:0:0:2:0:0:0:3": false, "01::": false, "00001::": false, "A::": false,
		"g::": false, "1::2::3": false, ":::": false, "1:": false, ":1": false, "": false, ":": false, "::ffff:1.2.3.4": false, "::1%eth0": false, "[::1]": false,
	} {
		for _, scheme := range []string{"http", "app"} {
			if s := scheme + "://[" + address + "]"; origin.Valid(s) != canonical {
				t.Errorf("%q: got %t", s, !canonical)
			}
		}
	}
}

func TestOpaqueOrigins(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"null": true, "file://": true, "Null": false, "file:///": false, "file://a": false, "": false, "https://a": false} {
		if origin.IsOpaque(s) != want {
			t.Errorf("%q: got %t", s, !want)
		}
	}
}
