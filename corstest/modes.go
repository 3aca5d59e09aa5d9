package corstest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// forbiddenByMode returns the reason why no page can make r in r.Mode: its method,
// or its kind of body. If a page can make r, blocked is empty.
func (r *Request) forbiddenByMode() (blocked string) {
	switch r.Mode {
	case CORS:
		return ""
	case NoCORS: // Request constructor, steps 32 and 39.3
		if !isSafelistedMethod(r.Method) {
			return fmt.Sprintf("method %s is not possible in mode no-cors; GET, HEAD and POST are", r.Method)
		}
	case Navigate:
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			return fmt.Sprintf("links and forms cannot use the method %s, only GET and POST", r.Method)
		}
	case WebSocket:
		if r.Method != http.MethodGet || r.Body != "" {
			return "the handshake of a WebSocket is a GET request without a body"
		}
	default:
		return fmt.Sprintf("%v is not a mode", r.Mode)
	}
	if r.UploadListener || r.StreamBody {
		return fmt.Sprintf("upload listeners and ReadableStream bodies are not possible in mode %v", r.Mode)
	}
	return ""
}

// drops returns the reason why the browser drops a header of r. If it sends the
// header, why is empty. The headers that were processed before are in filled.
func (r *Request) drops(filled http.Header, name, value string) (why string) {
	switch r.Mode {
	case Navigate:
		if name != "Content-Type" || r.Method == http.MethodGet {
			return "links and forms cannot set it"
		}
	case WebSocket:
		if name != "Sec-Websocket-Protocol" {
			return "scripts cannot set it on a WebSocket"
		}
	default:
		if isForbidden(name, value) {
			return "scripts cannot set it"
		}
		if r.Mode == NoCORS && !isNoCORSSafelisted(name, strings.Join(append(slices.Clone(filled[name]), value), ", ")) {
			return fmt.Sprintf("mode no-cors does not allow %q", value)
		}
	}
	return ""
}

// isNoCORSSafelisted reports whether a header is a no-CORS-safelisted
// request-header.
func isNoCORSSafelisted(name, value string) bool {
	switch name {
	case "Accept", "Accept-Language", "Content-Language", "Content-Type":
		return isSafelisted(name, value)
	}
	return false
}

// labelForm adds Accept and Content-Type to h, the headers of a navigation (HTML,
// "submit as entity body"; Fetch, "fetch", step 12). If no form can have the
// Content-Type in h, blocked is the reason.
func labelForm(method string, h http.Header) (blocked string) {
	h.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	if method == http.MethodGet {
		return ""
	}
	if h["Content-Type"] == nil {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if label := strings.Join(h["Content-Type"], ", "); !formType.MatchString(label) {
		return fmt.Sprintf("no form has the Content-Type %q", label)
	}
	return ""
}

// formType matches the values of Content-Type that forms send.
var formType = regexp.MustCompile(`^(application/x-www-form-urlencoded|text/plain|multipart/form-data(; *boundary=[^;,]+)?)$`)

// withoutCookie returns a note if the last request has no cookie, although the
// browser has one.
func (b *Browser) withoutCookie(state *fetchState) (note string) {
	switch {
	case b.Cookie == "" || b.sendsCookie(state):
		return ""
	case state.url.Hostname() != state.host:
		return fmt.Sprintf("cookies are left out: they are for %s, not for %s", state.host, state.url.Hostname())
	}
	return "cookies are left out: the request is made without credentials"
}

// sendsCookie reports whether the request has the cookie of b
// ("HTTP-network-or-cache fetch", step 8.3).
func (b *Browser) sendsCookie(state *fetchState) bool {
	include := state.Credentials == Include || state.Credentials == SameOrigin && state.tainting == "basic" ||
		state.Mode == Navigate || state.Mode == WebSocket
	return b.Cookie != "" && include && state.url.Hostname() == state.host
}
