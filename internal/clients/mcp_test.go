//go:build unix

package clients

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

var mcpPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedMethods: []string{"DELETE"},
	AllowedHeaders: []string{
		"Content-Type", "Mcp-Session-Id", "Mcp-Protocol-Version", "Last-Event-Id",
		"Authorization", // OAuth
	},
	ExposedHeaders: []string{
		"Mcp-Session-Id",
		"Www-Authenticate", // OAuth
	},
	MaxAge: 2 * time.Hour,
}

var mcpRecipe = recipe{
	name:   "MCP",
	file:   "mcp",
	policy: mcpPolicy,
	handler: func(*testing.T) http.Handler {
		h := mcpHandler(&mcp.StreamableHTTPOptions{
			EventStore: mcp.NewMemoryEventStore(nil),
			// The protection rejects requests for hosts other than localhost, such as
			// the host of this API. It protects against pages whose host resolves to a
			// loopback address, and this test has no such page.
			DisableLocalhostProtection: true,
		})
		mux := http.NewServeMux()
		mux.Handle("/mcp", h)
		addPrivate(mux, h)
		return mux
	},
	fails: map[entry]string{
		{"AllowedMethods", "DELETE"}:               "end the session",
		{"AllowedHeaders", "Content-Type"}:         "initialize",
		{"AllowedHeaders", "Mcp-Session-Id"}:       "initialize",
		{"AllowedHeaders", "Mcp-Protocol-Version"}: "initialize",
		{"AllowedHeaders", "Last-Event-Id"}:        "resume a stream",
		{"AllowedHeaders", "Authorization"}:        "initialize with a token",
		{"ExposedHeaders", "Mcp-Session-Id"}:       "call a tool",
		{"ExposedHeaders", "Www-Authenticate"}:     "initialize with a token",
	},
	preflights: 1,
}

// TestMCPProtections shows which requests are rejected by the SDK and by the
// protection that it recommends, behind a policy that allows the page.
func TestMCPProtections(t *testing.T) {
	distrusting, trusting := http.NewCrossOriginProtection(), http.NewCrossOriginProtection()
	if err := trusting.AddTrustedOrigin("https://app.example.com"); err != nil {
		t.Fatal(err)
	}
	bare := mcpHandler(&mcp.StreamableHTTPOptions{})
	unprotected := mcpHandler(&mcp.StreamableHTTPOptions{DisableLocalhostProtection: true})
	public, loopback := net.IPv4(192, 0, 2, 1), net.IPv4(127, 0, 0, 1)
	for _, test := range []struct {
		name    string
		page    string // https://app.example.com if empty
		handler http.Handler
		url     string
		address net.IP // address of the server
		refusal string
	}{
		{name: "a public address", handler: bare, url: "https://api.example.com/mcp", address: public},
		{name: "the host localhost", handler: bare, url: "http://localhost:8080/mcp", address: loopback},
		{name: "behind a proxy on the same machine", handler: bare, url: "https://api.example.com/mcp", address: loopback, refusal: "invalid Host header"},
		{name: "behind a proxy that sets Host", handler: bare, url: "http://127.0.0.1:8080/mcp", address: loopback},
		{name: "a host under localhost", handler: bare, url: "http://api.localhost:8080/mcp", address: loopback, refusal: "invalid Host header"},
		{name: "a page whose host resolves to loopback", page: "http://rebound.example:8080", handler: bare, url: "http://rebound.example:8080/mcp", address: loopback, refusal: "invalid Host header"},
		{name: "a page whose host resolves to loopback, without the check of the SDK", page: "http://rebound.example:8080", handler: unprotected, url: "http://rebound.example:8080/mcp", address: loopback},
		{name: "a listed page, without the check of the SDK", handler: unprotected, url: "https://api.example.com/mcp", address: loopback},
		{name: "inside a protection that does not trust the page", handler: distrusting.Handler(bare), url: "https://api.example.com/mcp", address: public, refusal: "cross-origin request"},
		{name: "inside a protection that trusts the page", handler: trusting.Handler(bare), url: "https://api.example.com/mcp", address: public},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := cors.New(mcpPolicy)
			if err != nil {
				t.Fatal(err)
			}
			guarded := m.Handler(test.handler)
			b := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				address := &net.TCPAddr{IP: test.address, Port: 8080}
				guarded.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, address)))
			})}
			result := b.Fetch(cmp.Or(test.page, "https://app.example.com"), corstest.Request{
				Method: http.MethodPost,
				URL:    test.url,
				Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}},
				Body:   `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"page","version":"1"}}}`,
			})
			want := http.StatusOK
			if test.refusal != "" {
				want = http.StatusForbidden
			}
			if result.Blocked != "" || result.Status != want || !strings.Contains(string(result.Body), test.refusal) {
				t.Errorf("want %d %s, got\n%s", want, test.refusal, result)
			}
		})
	}
}

func mcpHandler(options *mcp.StreamableHTTPOptions) http.Handler {
	type input struct {
		Name string `json:"name"`
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "1"}, nil)
	// add adds a tool that calls before and then greets.
	add := func(name string, before func(*mcp.CallToolRequest) error) {
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(_ context.Context, r *mcp.CallToolRequest, in input) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "hello " + in.Name}}}, nil, before(r)
		})
	}
	add("greet", func(*mcp.CallToolRequest) error { return nil })
	add("announce", func(r *mcp.CallToolRequest) error {
		// A message that does not belong to a request is sent on a separate stream.
		return r.Session.NotifyProgress(context.Background(), &mcp.ProgressNotificationParams{ProgressToken: "by", Message: "by the way"})
	})
	add("greet late", func(r *mcp.CallToolRequest) error {
		r.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{RetryAfter: time.Millisecond})
		return nil
	})
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, options)
}

// addPrivate adds h to mux for clients that have a token, and the metadata that
// names the server of tokens.
func addPrivate(mux *http.ServeMux, h http.Handler) {
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		if token != "fresh" {
			return nil, auth.ErrInvalidToken
		}
		return &auth.TokenInfo{Expiration: time.Now().Add(time.Hour)}, nil
	}
	mux.HandleFunc("/private/mcp", func(w http.ResponseWriter, r *http.Request) {
		auth.RequireBearerToken(verify, &auth.RequireBearerTokenOptions{
			ResourceMetadataURL: "http://" + r.Host + "/private/metadata",
		})(h).ServeHTTP(w, r)
	})
	describe := func(pattern string, description func(api string) map[string]any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(description("http://" + r.Host))
		})
	}
	describe("GET /private/metadata", func(api string) map[string]any {
		return map[string]any{"resource": api + "/private/mcp", "authorization_servers": []string{api + "/auth"}}
	})
	describe("GET /.well-known/oauth-authorization-server/auth", func(api string) map[string]any {
		return map[string]any{
			"issuer":                   api + "/auth",
			"authorization_endpoint":   api + "/auth/authorize",
			"token_endpoint":           api + "/auth/token",
			"response_types_supported": []string{"code"},
		}
	})
	describe("POST /auth/token", func(string) map[string]any {
		return map[string]any{"access_token": "fresh", "token_type": "Bearer"}
	})
}
