//go:build unix

package clients

import (
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/graphql-go/graphql"

	"github.com/f407da42/cors"
)

var graphqlPolicy = cors.Policy{
	AllowedOrigins: []string{"https://app.example.com"},
	AllowedHeaders: []string{
		"Content-Type",
		"Apollographql-Client-Name", "Apollographql-Client-Version", // with clientAwareness
	},
	MaxAge: 2 * time.Hour,
}

var graphQL = recipe{
	name:    "GraphQL",
	file:    "graphql",
	policy:  graphqlPolicy,
	handler: bookService,
	fails: map[entry]string{
		{"AllowedHeaders", "Content-Type"}:                 "query",
		{"AllowedHeaders", "Apollographql-Client-Name"}:    "query by a named client",
		{"AllowedHeaders", "Apollographql-Client-Version"}: "query by a named client",
	},
	preflights: 3,
}

// bookService returns a GraphQL server with a query and a mutation.
func bookService(t *testing.T) http.Handler {
	type book struct {
		ID    int    `json:"id"`
		Title string `json:"title"`
	}
	var mu sync.Mutex
	books := []book{{0, "Emma"}, {1, "Ulysses"}}
	bookType := graphql.NewObject(graphql.ObjectConfig{
		Name: "Book",
		Fields: graphql.Fields{
			"id":    {Type: graphql.NewNonNull(graphql.Int)},
			"title": {Type: graphql.NewNonNull(graphql.String)},
		},
	})
	schema, err := graphql.NewSchema(graphql.SchemaConfig{
		Query: graphql.NewObject(graphql.ObjectConfig{
			Name: "Query",
			Fields: graphql.Fields{
				"book": {
					Type: bookType,
					Args: graphql.FieldConfigArgument{"id": {Type: graphql.NewNonNull(graphql.Int)}},
					Resolve: func(p graphql.ResolveParams) (any, error) {
						mu.Lock()
						defer mu.Unlock()
						id := p.Args["id"].(int)
						if id < 0 || id >= len(books) {
							return nil, errors.New("no such book")
						}
						return books[id], nil
					},
				},
			},
		}),
		Mutation: graphql.NewObject(graphql.ObjectConfig{
			Name: "Mutation",
			Fields: graphql.Fields{
				"rename": {
					Type: bookType,
					Args: graphql.FieldConfigArgument{
						"id":    {Type: graphql.NewNonNull(graphql.Int)},
						"title": {Type: graphql.NewNonNull(graphql.String)},
					},
					Resolve: func(p graphql.ResolveParams) (any, error) {
						mu.Lock()
						defer mu.Unlock()
						b := &books[p.Args["id"].(int)]
						b.Title = p.Args["title"].(string)
						return *b, nil
					},
				},
			},
		}),
	})
	if err != nil {
		t.Fatal(err)
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get("Accept") != "application/graphql-response+json,application/json;q=0.9" ||
			r.Header.Get("Apollo-Require-Preflight") != "" {
			http.Error(w, "the headers are not as in docs/recipes.md", http.StatusBadRequest)
			return
		}
		var q struct {
			Query         string         `json:"query"`
			OperationName string         `json:"operationName"`
			Variables     map[string]any `json:"variables"`
		}
		var err error
		switch r.Method {
		case http.MethodGet:
			q.Query, q.OperationName = r.FormValue("query"), r.FormValue("operationName")
			err = json.Unmarshal([]byte(r.FormValue("variables")), &q.Variables)
		case http.MethodPost:
			err = json.NewDecoder(r.Body).Decode(&q)
		default:
			err = errors.New("GET or POST")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/graphql-response+json")
		json.NewEncoder(w).Encode(graphql.Do(graphql.Params{
			Schema:         schema,
			RequestString:  q.Query,
			OperationName:  q.OperationName,
			VariableValues: q.Variables,
			Context:        r.Context(),
		}))
	})
}
