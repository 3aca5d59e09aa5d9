//go:build unix

package browsers

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// devTools is a connection to Chromium's DevTools, over the two pipes that
// Chromium reads and writes with --remote-debugging-pipe. Each message is a JSON
// object and a zero byte.
type devTools struct {
	in, out           *os.File // this end
	theirIn, theirOut *os.File // Chromium's end, its file descriptors 3 and 4
	reader            *bufio.Reader
	calls             int
	target            string // ID of the page's target
}

func newDevTools() (*devTools, error) {
	theirIn, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	in, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirIn.Close(), out.Close())
	}
	return &devTools{in: in, out: out, theirIn: theirIn, theirOut: theirOut, reader: bufio.NewReader(in)}, nil
}

// theirs returns the files that Chromium inherits.
func (d *devTools) theirs() []*os.File {
	if d == nil {
		return nil
	}
	return []*os.File{d.theirIn, d.theirOut}
}

// call calls a method, and stores its result in result, unless it is nil. If
// session is empty, the method is about the whole browser.
func (d *devTools) call(session, method string, params map[string]any, result any) error {
	d.calls++
	call := map[string]any{"id": d.calls, "method": method, "params": params}
	if session != "" {
		call["sessionId"] = session
	}
	message, err := json.Marshal(call)
	if err != nil {
		return err
	}
	d.out.SetWriteDeadline(time.Now().Add(patience))
	if _, err := d.out.Write(append(message, 0)); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	d.in.SetReadDeadline(time.Now().Add(patience))
	for {
		line, err := d.reader.ReadBytes(0)
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		var reply struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(line[:len(line)-1], &reply); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		switch {
		case reply.Error != nil:
			return fmt.Errorf("%s: %s", method, reply.Error.Message)
		case reply.ID == d.calls && result != nil:
			return json.Unmarshal(reply.Result, result)
		case reply.ID == d.calls:
			return nil
		}
	}
}

// open opens url. If embedded is not empty, open first grants storage access to
// embedded on pages of url's origin.
func (d *devTools) open(url, embedded string) error {
	if embedded != "" {
		err := d.call("", "Browser.setPermission", map[string]any{
			"permission":     map[string]string{"name": "storage-access"},
			"setting":        "granted",
			"origin":         url,
			"embeddedOrigin": embedded,
		}, nil)
		if err != nil {
			return err
		}
	}
	var page struct{ TargetID string }
	err := d.call("", "Target.createTarget", map[string]any{"url": url}, &page)
	d.target = page.TargetID
	return err
}

// Screenshot returns a PNG image of a part of the page, whose top left corner is
// at x and y. Sizes are in CSS pixels, of which each has scale by scale pixels.
// The browser must be Chromium, and it must have started with the environment
// variable CORS_SCREENSHOTS.
func (b *Browser) Screenshot(x, y, width, height, scale int) (png []byte, err error) {
	if b.tools == nil {
		return nil, errors.New("screenshots need Chromium and CORS_SCREENSHOTS")
	}
	var page struct{ SessionID string }
	if err := b.tools.call("", "Target.attachToTarget", map[string]any{"targetId": b.tools.target, "flatten": true}, &page); err != nil {
		return nil, err
	}
	var image struct{ Data []byte }
	err = b.tools.call(page.SessionID, "Page.captureScreenshot", map[string]any{
		"captureBeyondViewport": true,
		"clip":                  map[string]int{"x": x, "y": y, "width": width, "height": height, "scale": scale},
	}, &image)
	return image.Data, err
}

// close closes the connection. d can be nil.
func (d *devTools) close() error {
	if d == nil {
		return nil
	}
	return errors.Join(d.in.Close(), d.out.Close())
}

// firefoxGrant returns the text of a file of default permissions. The file grants
// storage access to embedded on pages of page's origin.
func firefoxGrant(page, embedded string) string {
	return fmt.Sprintf("origin\t3rdPartyFrameStorage^%s\t1\t%s\n", siteOf(embedded), siteOf(page))
}

// firefoxGrantPref returns the preference that makes Firefox read the file from
// firefoxGrant in dir.
func firefoxGrantPref(dir string) string {
	return fmt.Sprintf("user_pref(\"permissions.manager.defaultsUrl\", \"file://%s\");\n", filepath.Join(dir, "permissions"))
}

// siteOf returns the site of a URL, which is its scheme and host. The host must
// not be a subdomain of the site.
func siteOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Hostname()
}
