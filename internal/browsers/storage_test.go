//go:build unix

package browsers

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// storageAccessCases returns requests that include Origin only if the user
// granted storage access. It also returns requests that always include Origin and
// are rejected.
func storageAccessCases(o origins) []testCase {
	include := step{Credentials: corstest.Include}
	noCORS := func(method string) step {
		s := include
		s.Method, s.Mode = method, "no-cors"
		return s
	}
	cases := []testCase{
		{name: "an image", reply: file("image/svg+xml", svg), steps: []step{{Via: "image"}}, server: "GET", script: "loaded"},
		{name: "a script", reply: file("text/javascript", "1"), steps: []step{{Via: "script"}}, server: "GET", script: "loaded"},
		{name: "a style sheet", reply: file("text/css", "p {}"), steps: []step{{Via: "link"}}, server: "GET", script: "loaded"},
		{name: "a video", reply: file("audio/wav", silence), steps: []step{{Via: "video"}}, server: "GET", script: "loaded"},
		{name: "a frame", reply: file("text/html", "hello"), steps: []step{{Via: "frame"}}, server: "GET", script: "loaded"},
		{name: "a no-cors GET", steps: []step{noCORS("GET")}, server: "GET", script: "opaque"},
		{name: "a no-cors HEAD", steps: []step{noCORS("HEAD")}, server: "HEAD", script: "opaque"},

		{name: "a no-cors POST", steps: []step{noCORS("POST")}, server: "POST rejected", script: "opaque"},
		{name: "a form", steps: []step{{Via: "form"}}, server: "POST rejected", script: "navigated"},
		{name: "a CORS request", steps: []step{include}, server: "GET rejected", script: "blocked"},
	}
	for i := range cases {
		cases[i].policy = cors.Policy{AllowedOrigins: []string{o.sub}}
	}
	return cases
}

// silence is a WAV file with one sample.
var silence = func() string {
	b := []byte("RIFF\x26\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, 8000)  // samples per second
	b = binary.LittleEndian.AppendUint32(b, 16000) // bytes per second
	return string(b) + "\x02\x00\x10\x00data\x02\x00\x00\x00\x00\x00"
}()

// privacycg/storage-access-headers 7, 8 and 20: once the user grants storage
// access, browsers include Origin in more requests. These are requests for images,
// scripts, style sheets, videos and frames, and no-cors requests. They must get the
// response that they get without the grant. Chromium 156 and Firefox 153 include
// Origin. WebKitGTK 2.50 has no Storage Access headers.
func TestFieldBugStorageAccess(t *testing.T) {
	for _, e := range []Engine{Chromium, Firefox} {
		for _, granted := range []bool{false, true} {
			name := string(e) + ", not granted"
			if granted {
				name = string(e) + ", granted"
			}
			t.Run(name, func(t *testing.T) {
				s := newSite(t)
				s.add(t, storageAccessCases(s.origins)...)
				s.runIn(t, func(url string) *Browser {
					if granted {
						return StartWithStorageAccess(t, e, url, s.api)
					}
					return Start(t, e, url)
				})
				for _, c := range s.cases {
					t.Run(c.name, func(t *testing.T) {
						if got := c.record.String(); got != c.server {
							t.Errorf("the server got  %s\nwant %s", got, c.server)
						}
						if got := c.saw(c.sights); got != c.script {
							t.Errorf("the script saw  %s\nwant %s", got, c.script)
						}
						var origin []string
						if granted || strings.HasSuffix(c.server, "rejected") {
							origin = []string{s.page}
						}
						for _, got := range c.record.senders {
							if want := sender(origin, []string{"cross-site"}); got != want {
								t.Errorf("the server got  %s\nwant %s", got, want)
							}
						}
					})
				}
			})
		}
	}
}
