//go:build unix

package clients

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	connectcors "connectrpc.com/cors"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/f407da42/cors"
)

var connectPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedHeaders: []string{
		"Content-Type",                                   // both protocols
		"Connect-Protocol-Version", "Connect-Timeout-Ms", // Connect
		"X-Grpc-Web", "X-User-Agent", "Grpc-Timeout", // gRPC-Web
	},
	ExposedHeaders: []string{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"}, // gRPC-Web
	MaxAge:         2 * time.Hour,
}

var connectRPC = recipe{
	name:    "Connect and gRPC-Web",
	file:    "connect",
	policy:  connectPolicy,
	handler: greetService,
	fails: map[entry]string{
		{"AllowedHeaders", "Content-Type"}:             "Connect: unary",
		{"AllowedHeaders", "Connect-Protocol-Version"}: "Connect: unary",
		{"AllowedHeaders", "Connect-Timeout-Ms"}:       "Connect: deadline",
		{"AllowedHeaders", "X-Grpc-Web"}:               "gRPC-Web: unary",
		{"AllowedHeaders", "X-User-Agent"}:             "gRPC-Web: unary",
		{"AllowedHeaders", "Grpc-Timeout"}:             "gRPC-Web: deadline",
		{"ExposedHeaders", "Grpc-Status"}:              "gRPC-Web: error without details",
		{"ExposedHeaders", "Grpc-Message"}:             "gRPC-Web: error without details",
		{"ExposedHeaders", "Grpc-Status-Details-Bin"}:  "gRPC-Web: error",
	},
	preflights: 5,
}

// TestConnectRecipeMatchesItsPackage compares the recipe with the lists of
// connectrpc.com/cors, which also contain GET and POST.
func TestConnectRecipeMatchesItsPackage(t *testing.T) {
	for _, list := range []struct {
		field     string
		got, want []string
	}{
		{"AllowedMethods", []string{http.MethodGet, http.MethodPost}, connectcors.AllowedMethods()},
		{"AllowedHeaders", connectPolicy.AllowedHeaders, connectcors.AllowedHeaders()},
		{"ExposedHeaders", connectPolicy.ExposedHeaders, connectcors.ExposedHeaders()},
	} {
		got, want := slices.Sorted(slices.Values(list.got)), slices.Sorted(slices.Values(list.want))
		if !slices.Equal(got, want) {
			t.Errorf("%s: the recipe has %q, and connectrpc.com/cors has %q", list.field, got, want)
		}
	}
}

// greetService returns a service. All messages have a well-known type, so it
// needs no generated code.
func greetService(*testing.T) http.Handler {
	type text = wrapperspb.StringValue
	type request = connect.Request[text]
	type response = connect.Response[text]
	reply := func(s string) *response { return connect.NewResponse(wrapperspb.String(s)) }
	failure := func() error {
		err := connect.NewError(connect.CodeResourceExhausted, errors.New("enough"))
		detail, detailErr := connect.NewErrorDetail(wrapperspb.String("come back tomorrow"))
		if detailErr != nil {
			return detailErr
		}
		err.AddDetail(detail)
		return err
	}

	const service = "/greet.v1.GreetService/"
	mux := http.NewServeMux()
	unary := func(name string, implement func(context.Context, *request) (*response, error), options ...connect.HandlerOption) {
		mux.Handle(service+name, connect.NewUnaryHandler(service+name, implement, options...))
	}
	stream := func(name string, implement func(context.Context, *request, *connect.ServerStream[text]) error) {
		mux.Handle(service+name, connect.NewServerStreamHandler(service+name, implement))
	}
	unary("Greet", func(_ context.Context, r *request) (*response, error) {
		return reply("hello " + r.Msg.Value), nil
	})
	unary("Read", func(_ context.Context, r *request) (*response, error) {
		return reply("read " + r.Msg.Value), nil
	}, connect.WithIdempotency(connect.IdempotencyNoSideEffects))
	unary("Fail", func(context.Context, *request) (*response, error) {
		return nil, failure()
	})
	unary("Refuse", func(context.Context, *request) (*response, error) {
		return nil, connect.NewError(connect.CodePermissionDenied, errors.New("not you"))
	})
	unary("Deadline", func(ctx context.Context, _ *request) (*response, error) {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left <= 0 || left > time.Minute {
			return reply("never"), nil
		}
		return reply("in a minute"), nil
	})
	unary("Wait", func(ctx context.Context, _ *request) (*response, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	stream("Count", func(_ context.Context, _ *request, s *connect.ServerStream[text]) error {
		for _, number := range []string{"one", "two", "three"} {
			if err := s.Send(wrapperspb.String(number)); err != nil {
				return err
			}
		}
		return nil
	})
	stream("FailLate", func(_ context.Context, _ *request, s *connect.ServerStream[text]) error {
		return errors.Join(s.Send(wrapperspb.String("one")), failure())
	})
	return mux
}
