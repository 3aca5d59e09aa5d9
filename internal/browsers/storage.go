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

// call calls a method and waits for its result.
func (d *devTools) call(method string, params map[string]any) error {
	d.calls++
	message, err := json.Marshal(map[string]any{"id": d.calls, "method": method, "params": params})
	if err != nil {
		return err
	}
	d.out.SetWriteDeadline(time.Now().Add(patience))
	if _, err := d.out.Write(append(message, 0)); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	d.in.SetReadDeadline(time.Now().Add(patience))
	for {
		reply, err := d.reader.ReadBytes(0)
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		var result struct {
			ID    int
			Error *struct{ Message string }
		}
		if err := json.Unmarshal(reply[:len(reply)-1], &result); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		if result.Error != nil {
			return fmt.Errorf("%s: %s", method, result.Error.Message)
		}
		if result.ID == d.calls {
			return nil
		}
	}
}

// openGranted grants storage access to embedded on pages of url's origin, and
// opens url.
func (d *devTools) openGranted(url, embedded string) error {
	err := d.call("Browser.setPermission", map[string]any{
		"permission":     map[string]string{"name": "storage-access"},
		"setting":        "granted",
		"origin":         url,
		"embeddedOrigin": embedded,
	})
	if err != nil {
		return err
	}
	return d.call("Target.createTarget", map[string]any{"url": url})
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
