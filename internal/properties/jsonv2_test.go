//go:build go1.27 && goexperiment.jsonv2

package properties_test

import (
	"encoding/json/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/f407da42/cors"
)

// Go 1.27: version 2 of encoding/json cannot encode a time.Duration, so it could not
// encode a Policy.
func TestFieldBugPolicyInVersion2OfJSON(t *testing.T) {
	t.Parallel()
	p := cors.Policy{AllowedOrigins: []string{"null"}, MaxAge: 2 * time.Hour, AcceptRisks: cors.RiskNullOrigin | cors.RiskPublicSuffix, PassRejected: true}
	config := struct{ CORS cors.Policy }{p}
	text, err := json.Marshal(config)
	const want = `{"CORS":{"AllowedOrigins":["null"],"MaxAge":"2h0m0s","AcceptRisks":"public-suffix|null-origin","PassRejected":true}}`
	if string(text) != want || err != nil {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
	config.CORS = cors.Policy{}
	if err := json.Unmarshal(text, &config); err != nil || !reflect.DeepEqual(config.CORS, p) {
		t.Errorf("got %+v, %v, want %+v", config.CORS, err, p)
	}
	before := config.CORS
	for text, want := range map[string]string{
		`{"CORS":{"MaxAge":7200}}`:            `MaxAge: 7200 is not a duration`,
		`{"CORS":{"AllowOrigins":[]}}`:        `unknown field "AllowOrigins"`,
		`{"CORS":{"AcceptRisks":"insecure"}}`: `unknown risk "insecure"`,
	} {
		if err := json.Unmarshal([]byte(text), &config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
		if !reflect.DeepEqual(config.CORS, before) {
			t.Errorf("%s: the policy changed to %+v", text, config.CORS)
		}
	}
	if err := json.Unmarshal([]byte(`{"CORS":{"AllowedOrigins":null,"MaxAge":null}}`), &config); err != nil || !reflect.DeepEqual(config.CORS, before) {
		t.Errorf("null: got %+v, %v", config.CORS, err)
	}
}
