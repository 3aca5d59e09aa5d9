//go:build unix

package clients

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

var tracingPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedHeaders: []string{"Traceparent", "Tracestate", "Baggage"},
	MaxAge:         2 * time.Hour,
}

var tracing = recipe{
	name:   "Tracing with OpenTelemetry",
	file:   "tracing",
	policy: tracingPolicy,
	handler: func(*testing.T) http.Handler {
		return traced(sdktrace.NewTracerProvider())(http.HandlerFunc(describeSpan))
	},
	fails: map[entry]string{
		{"AllowedHeaders", "Traceparent"}: "trace",
		{"AllowedHeaders", "Tracestate"}:  "continue a trace",
		{"AllowedHeaders", "Baggage"}:     "send baggage",
	},
	preflights: 4,
}

// TestTracedPreflights shows the spans of a request and its preflight, and of a
// rejected request, with tracing inside and outside the policy.
func TestTracedPreflights(t *testing.T) {
	const page, request = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	m, err := cors.New(tracingPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		wrap func(tracing func(http.Handler) http.Handler) http.Handler
		want []string
		// wantRejected has the spans of a request from a page that is not allowed.
		wantRejected []string
	}{
		{"inside", func(tracing func(http.Handler) http.Handler) http.Handler {
			return m.Handler(tracing(http.HandlerFunc(describeSpan)))
		}, []string{"GET in the page's trace"}, nil},
		{"outside", func(tracing func(http.Handler) http.Handler) http.Handler {
			return tracing(m.Handler(http.HandlerFunc(describeSpan)))
		}, []string{"OPTIONS in a separate trace", "GET in the page's trace"}, []string{"GET in a separate trace"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spans := tracetest.NewSpanRecorder()
			b := corstest.Browser{Handler: test.wrap(traced(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))))}
			names := func() (names []string) {
				for _, span := range spans.Ended() {
					switch {
					case span.Parent().SpanID().String() == request && span.SpanContext().TraceID().String() == page:
						names = append(names, span.Name()+" in the page's trace")
					case !span.Parent().IsValid():
						names = append(names, span.Name()+" in a separate trace")
					}
				}
				spans.Reset()
				return names
			}
			result := b.Fetch("https://app.example.com", corstest.Request{
				URL:    "https://api.example.com/",
				Header: http.Header{"Traceparent": {"00-" + page + "-" + request + "-01"}},
			})
			if got := names(); result.Blocked != "" || !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q\n%s", got, test.want, result)
			}
			result = b.Fetch("https://evil.example", corstest.Request{URL: "https://api.example.com/"})
			if got := names(); result.Blocked == "" || !slices.Equal(got, test.wantRejected) {
				t.Errorf("for a rejected request, got %q, want %q\n%s", got, test.wantRejected, result)
			}
		})
	}
}

// traced returns the middleware of otelhttp with that provider.
func traced(provider trace.TracerProvider) func(http.Handler) http.Handler {
	return otelhttp.NewMiddleware("",
		otelhttp.WithTracerProvider(provider),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})),
	)
}

// describeSpan responds with the span, the state and the baggage of the request.
func describeSpan(w http.ResponseWriter, r *http.Request) {
	span := trace.SpanFromContext(r.Context())
	json.NewEncoder(w).Encode(map[string]string{
		"traceId":  span.SpanContext().TraceID().String(),
		"parentId": span.(sdktrace.ReadOnlySpan).Parent().SpanID().String(),
		"state":    span.SpanContext().TraceState().String(),
		"baggage":  baggage.FromContext(r.Context()).String(),
	})
}
