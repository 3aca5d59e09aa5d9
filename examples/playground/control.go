package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/f407da42/cors"
	"github.com/f407da42/cors/corstest"
)

// A policyForm is the form that describes a cors.Policy.
type policyForm struct {
	AllowedOrigins   []string
	AllowedMethods   []string
	AllowedHeaders   []string
	ExposedHeaders   []string
	AllowCredentials bool
	MaxAge           string
	AcceptRisks      []string
	PassRejected     bool
}

// A requestForm is the form that describes a request.
type requestForm struct {
	From           string // app, subdomain or stranger
	Method         string
	ContentType    string
	Headers        string // one on each line
	Body           string
	Credentials    bool
	UploadListener bool
	Again          string // run to repeat; empty for a new run
}

// A preset is a policy, and a request that shows its effect.
type preset struct {
	ID, Name, About string
	Policy          policyForm
	Request         requestForm
}

func (p *playground) presets() []preset {
	const json = "application/json"
	return []preset{{
		ID: "put", Name: "PUT with a custom header",
		About:   "One page may send PUT and X-Custom-Header. The browser sends a preflight first.",
		Policy:  policyForm{AllowedOrigins: []string{p.origins.App}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"X-Custom-Header", "Content-Type"}},
		Request: requestForm{From: "app", Method: "PUT", ContentType: json, Headers: "X-Custom-Header: value", Body: `{"name": "value"}`},
	}, {
		ID: "public", Name: "Public, read-only",
		About:   "Any page may read the responses, without cookies. A plain GET needs no preflight.",
		Policy:  policyForm{AllowedOrigins: []string{"*"}, ExposedHeaders: []string{"ETag", "X-Total-Count"}},
		Request: requestForm{From: "stranger", Method: "GET"},
	}, {
		ID: "credentials", Name: "App with cookies",
		About: "One page may act as the signed-in user. The browser reuses its preflights for two hours.",
		Policy: policyForm{AllowedOrigins: []string{p.origins.App}, AllowedMethods: []string{"PUT", "PATCH", "DELETE"}, AllowedHeaders: []string{"Content-Type"},
			ExposedHeaders: []string{"X-Request-Id"}, AllowCredentials: true, MaxAge: "2h"},
		Request: requestForm{From: "app", Method: "DELETE", Credentials: true},
	}, {
		ID: "subdomains", Name: "All subdomains",
		About:   "A pattern allows every subdomain. The host itself is also listed.",
		Policy:  policyForm{AllowedOrigins: []string{p.origins.App, strings.Replace(p.origins.Subdomain, "pr-7.", "*.", 1)}, AllowedHeaders: []string{"Content-Type"}},
		Request: requestForm{From: "subdomain", Method: "POST", ContentType: json, Body: `{"item": 7}`},
	}, {
		ID: "previews", Name: "Previews",
		About:   "A pattern between hyphens allows every preview deployment, and no other subdomain.",
		Policy:  policyForm{AllowedOrigins: []string{strings.Replace(p.origins.Subdomain, "pr-7.", "pr-*.", 1)}},
		Request: requestForm{From: "subdomain", Method: "GET"},
	}, {
		ID: "any", Name: "Anything goes",
		About:   "Any page may send any method and header, but no cookies. Authorization must be listed by name.",
		Policy:  policyForm{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"*"}, AllowedHeaders: []string{"*", "Authorization"}, ExposedHeaders: []string{"*"}},
		Request: requestForm{From: "stranger", Method: "PATCH", ContentType: json, Headers: "Authorization: Bearer abc", Body: `{}`},
	}, {
		ID: "rejected", Name: "A stranger, rejected",
		About:   "The stranger's POST needs no preflight, so it reaches the server. The handler does not run.",
		Policy:  policyForm{AllowedOrigins: []string{p.origins.App}},
		Request: requestForm{From: "stranger", Method: "POST", ContentType: "text/plain", Body: "buy everything"},
	}, {
		ID: "mistakes", Name: "A policy with mistakes",
		About: "Each mistake is named, with a way to correct it. The earlier policy stays in force.",
		Policy: policyForm{AllowedOrigins: []string{"example.com", "https://app.example.com/", "https://pr*.example.com", "https://app.example.com", "*"}, AllowedMethods: []string{"PUT", "patch"},
			AllowedHeaders: []string{"Cookie"}, AllowCredentials: true, MaxAge: "7200"},
		Request: requestForm{From: "app", Method: "GET"},
	}}
}

// A fieldError is a mistake in a field of a form, or in an item of that field.
type fieldError struct {
	Field         string
	Index         int
	Value, Reason string
}

// setPolicy makes form the API's policy. Its error joins *cors.PolicyErrors.
func (p *playground) setPolicy(form policyForm) error {
	policy := cors.Policy{
		AllowedOrigins:   form.AllowedOrigins,
		AllowedMethods:   form.AllowedMethods,
		AllowedHeaders:   form.AllowedHeaders,
		ExposedHeaders:   form.ExposedHeaders,
		AllowCredentials: form.AllowCredentials,
		PassRejected:     form.PassRejected,
		OnReject:         onReject,
	}
	var errs []error
	if s := strings.TrimSpace(form.MaxAge); s != "" {
		var err error
		if policy.MaxAge, err = time.ParseDuration(s); err != nil {
			reason := `is not a duration; write for example "2h", "90s" or "-1s"`
			if _, err := time.ParseDuration(s + "s"); err == nil {
				reason = fmt.Sprintf("has no unit; did you mean %q?", s+"s")
			}
			errs = append(errs, &cors.PolicyError{Field: "MaxAge", Index: -1, Value: s, Reason: reason})
		}
	}
	for i, name := range form.AcceptRisks {
		risk, known := risks[name]
		if !known {
			errs = append(errs, &cors.PolicyError{Field: "AcceptRisks", Index: i, Value: name, Reason: "is not a known risk"})
		}
		policy.AcceptRisks |= risk
	}
	if len(errs) > 0 {
		_, err := cors.New(policy) // returns the other mistakes
		return errors.Join(append(errs, err)...)
	}
	return p.cors.SetPolicy(policy)
}

var risks = map[string]cors.Risk{
	"RiskInsecureOrigin": cors.RiskInsecureOrigin,
	"RiskPublicSuffix":   cors.RiskPublicSuffix,
	"RiskNullOrigin":     cors.RiskNullOrigin,
}

// policyErrors returns the *cors.PolicyErrors that err joins.
func policyErrors(err error) []fieldError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []fieldError
		for _, err := range joined.Unwrap() {
			list = append(list, policyErrors(err)...)
		}
		return list
	}
	var e *cors.PolicyError
	if !errors.As(err, &e) {
		return nil
	}
	shown := fieldError(*e)
	if e.Field == "MaxAge" {
		// The field of the form takes "24h", not Go code.
		shown.Reason = strings.Replace(e.Reason, "24*time.Hour", "24*time.Hour (here: 24h)", 1)
	}
	return []fieldError{shown}
}

// formOf returns policy as a form.
func formOf(policy cors.Policy) policyForm {
	form := policyForm{
		AllowedOrigins:   policy.AllowedOrigins,
		AllowedMethods:   policy.AllowedMethods,
		AllowedHeaders:   policy.AllowedHeaders,
		ExposedHeaders:   policy.ExposedHeaders,
		AllowCredentials: policy.AllowCredentials,
		PassRejected:     policy.PassRejected,
	}
	if policy.MaxAge != 0 {
		// Shorter than Duration.String: 2h, not 2h0m0s.
		form.MaxAge = strings.NewReplacer("m0s", "m", "h0m0s", "h").Replace(policy.MaxAge.String())
	}
	for name, risk := range risks {
		if policy.AcceptRisks&risk != 0 {
			form.AcceptRisks = append(form.AcceptRisks, name)
		}
	}
	slices.Sort(form.AcceptRisks)
	return form
}

func (p *playground) getPolicy(w http.ResponseWriter, r *http.Request) {
	policy := p.cors.Policy()
	reply(w, http.StatusOK, map[string]any{"Policy": formOf(policy), "Code": goCode(policy)})
}

func (p *playground) postPolicy(w http.ResponseWriter, r *http.Request) {
	var form policyForm
	if !decode(w, r, &form) {
		return
	}
	if err := p.setPolicy(form); err != nil {
		refuse(w, policyErrors(err))
		return
	}
	p.getPolicy(w, r)
}

// A prediction has the steps that a browser will take with a request, and the
// reasons.
type prediction struct {
	PreflightReasons []string
	NoPreflight      string   // why there is no preflight
	Blocked          string   // why the script does not get the response
	Advice           string   // possible change on the server's side, or empty
	Allowed          []string // why the script gets the response
	Dropped          []string // headers that the browser leaves out, and why
	Expired          bool     // whether an earlier preflight response has expired
	Outcome          outcome
	InForce          string // the policy in force, as Go code
}

// An outcome is the part of a result that the playground predicts and then
// compares with the browser.
type outcome struct {
	Preflight  bool
	Actual     bool // whether the actual request is sent
	HandlerRan bool
	Status     int      // seen by the script; 0 if it is blocked
	Readable   []string // response headers that the script can read, in lowercase
}

// A sending has the arguments that the page passes to fetch or XMLHttpRequest.
type sending struct {
	URL            string
	Method         string
	Headers        []headerLine
	Body           *string
	Credentials    bool
	UploadListener bool
}

func (p *playground) postPrediction(w http.ResponseWriter, r *http.Request) {
	if _, origin, request, ok := p.decodeRequest(w, r); ok {
		reply(w, http.StatusOK, p.predict(new(corstest.Browser), origin, request))
	}
}

// postRun begins a run. It responds with the request to send, and its prediction.
func (p *playground) postRun(w http.ResponseWriter, r *http.Request) {
	form, origin, request, ok := p.decodeRequest(w, r)
	if !ok {
		return
	}
	run := p.runs.begin(form.Again)
	request.URL += "?run=" + run.id
	s := sending{
		URL:            request.URL,
		Method:         request.Method,
		Headers:        headerLines(request.Header),
		Credentials:    request.Credentials == corstest.Include,
		UploadListener: request.UploadListener,
	}
	if hasBody(request.Method) {
		s.Body = &request.Body
	}
	predicted := p.predict(run.browser, origin, request)
	predicted.Expired = predicted.Outcome.Preflight && !p.predict(run.lasting, origin, request).Outcome.Preflight
	if predicted.Expired {
		run.forget()
		p.predict(run.lasting, origin, request) // caches the new preflight
	}
	reply(w, http.StatusOK, map[string]any{"ID": run.id, "Origin": origin, "Sending": s, "Prediction": predicted})
}

func (p *playground) getRun(w http.ResponseWriter, r *http.Request) {
	exchanges, ok := p.runs.get(r.PathValue("id"))
	if !ok {
		reply(w, http.StatusNotFound, map[string]any{"Error": "There is no such run, or it was too long ago."})
		return
	}
	reply(w, http.StatusOK, map[string]any{"Exchanges": exchanges})
}

// predict runs request in browser, with the API as the server.
func (p *playground) predict(browser *corstest.Browser, origin string, request corstest.Request) prediction {
	p.predicting.Lock()
	defer p.predicting.Unlock()
	var o outcome
	browser.Handler = record(p.api, func(_ *http.Request, ex *exchange) {
		o.HandlerRan = o.HandlerRan || ex.HandlerRan
	})
	browser.Cookie = ""
	if origin == p.origins.App {
		browser.Cookie = "user=alice" // SameSite=Lax, so pages on other sites do not send it
	}
	result := browser.Fetch(origin, request)
	o.Preflight = result.Preflight != nil
	o.Actual = result.Actual != nil
	o.Status = result.Status
	o.Readable = []string{}
	for name := range result.Header {
		o.Readable = append(o.Readable, strings.ToLower(name))
	}
	slices.Sort(o.Readable)

	reasons := prediction{Dropped: dropped(origin, request), Blocked: result.Blocked, Advice: result.Advice, Outcome: o, InForce: goCode(p.cors.Policy())}
	switch {
	case o.Preflight:
		reasons.PreflightReasons = corstest.PreflightReasons(request)
	case !o.Actual:
		reasons.NoPreflight = "the browser sends no request"
	default:
		_, why, _ := strings.Cut(result.String(), "no preflight: ")
		reasons.NoPreflight, _, _ = strings.Cut(why, "\n")
	}
	if result.Blocked == "" {
		reasons.Allowed = whyAllowed(result, request.Credentials)
	}
	return reasons
}

// dropped returns a sentence for each header of request that a browser leaves
// out under every policy.
func dropped(origin string, request corstest.Request) []string {
	browser := corstest.Browser{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
		h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	})}
	result := browser.Fetch(origin, request)
	if result.Actual == nil {
		return nil // the browser sends no request
	}
	value := func(h http.Header, name string) string { return strings.Join(h.Values(name), ", ") }
	var list []string
	for _, name := range slices.Sorted(maps.Keys(request.Header)) {
		if value(result.Actual.Request.Header, name) == value(request.Header, name) {
			continue
		}
		reason := name + ": scripts cannot set this header, so the browser leaves it out"
		if name == "Cookie" {
			reason += "; to send the user's cookies, choose “with credentials”"
		}
		list = append(list, reason)
	}
	return list
}

// whyAllowed returns the headers of the API's responses that allow request.
func whyAllowed(result *corstest.Result, credentials corstest.Credentials) []string {
	var why []string
	if result.Preflight != nil {
		h := result.Preflight.Response.Header
		for _, name := range []string{"Access-Control-Allow-Methods", "Access-Control-Allow-Headers"} {
			if list := h.Get(name); list != "" {
				why = append(why, fmt.Sprintf("%s is %s", name, list))
			}
		}
	}
	h := result.Actual.Response.Header
	why = append(why, "Access-Control-Allow-Origin is "+h.Get("Access-Control-Allow-Origin"))
	if credentials == corstest.Include {
		why = append(why, "Access-Control-Allow-Credentials is "+h.Get("Access-Control-Allow-Credentials"))
	}
	return why
}

func hasBody(method string) bool {
	return !strings.EqualFold(method, http.MethodGet) && !strings.EqualFold(method, http.MethodHead)
}

// decodeRequest returns the form in r's body, the request that it describes, and
// the origin of the page that sends it. If the form has mistakes, decodeRequest
// responds to r, and ok is false.
func (p *playground) decodeRequest(w http.ResponseWriter, r *http.Request) (form requestForm, origin string, request corstest.Request, ok bool) {
	if !decode(w, r, &form) {
		return form, "", request, false
	}
	origin, known := map[string]string{"app": p.origins.App, "subdomain": p.origins.Subdomain, "stranger": p.origins.Stranger}[form.From]
	var errs []fieldError
	if !known {
		errs = append(errs, fieldError{"From", -1, form.From, "is not one of the playground's origins"})
	}
	if !isToken(form.Method) {
		errs = append(errs, fieldError{"Method", -1, form.Method, `is not a valid method; write a name such as "PUT"`})
	}
	header, headerErrs := parseHeader(form)
	errs = append(errs, headerErrs...)
	if len(form.Method)+len(form.ContentType)+len(form.Headers) > 8<<10 {
		errs = append(errs, fieldError{"Headers", -1, "", "and the method are longer than 8 KiB; write fewer or shorter headers"})
	}
	if len(errs) > 0 {
		refuse(w, errs)
		return form, "", request, false
	}
	request = corstest.Request{Method: form.Method, URL: p.origins.API + "/data", Header: header}
	if form.Credentials {
		request.Credentials = corstest.Include
	}
	if hasBody(form.Method) {
		request.Body = form.Body
		request.UploadListener = form.UploadListener
	}
	return form, origin, request, true
}

func parseHeader(form requestForm) (http.Header, []fieldError) {
	header := make(http.Header)
	var errs []fieldError
	if form.ContentType != "" {
		header.Set("Content-Type", form.ContentType)
		if !isFieldValue(form.ContentType) {
			errs = append(errs, fieldError{"ContentType", -1, form.ContentType, "has characters that a header cannot contain"})
		}
	}
	for i, line := range strings.Split(form.Headers, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		switch {
		case !found:
			errs = append(errs, fieldError{"Headers", i, line, `has no colon; write a name and a value, as in "X-Custom-Header: value"`})
		case !isToken(name):
			errs = append(errs, fieldError{"Headers", i, line, "does not begin with the name of a header"})
		case !isFieldValue(value):
			errs = append(errs, fieldError{"Headers", i, line, "has characters that a header cannot contain"})
		default:
			header.Add(name, strings.TrimSpace(value))
		}
	}
	return header, errs
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isFieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c > '~' })
}

// decode decodes r's body, a JSON object, into form. If it cannot, it responds to r
// and returns false.
func decode(w http.ResponseWriter, r *http.Request, form any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		reply(w, http.StatusRequestEntityTooLarge, map[string]any{"Error": fmt.Sprintf("The form is larger than %d KiB.", maxBody>>10)})
		return false
	}
	if len(bytes.TrimSpace(body)) == 0 {
		reply(w, http.StatusBadRequest, map[string]any{"Error": "The form is invalid: the body is empty"})
		return false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err = d.Decode(form)
	if err == nil && bytes.TrimSpace(body)[0] != '{' {
		err = errors.New("it is not a JSON object")
	}
	if _, end := d.Token(); err == nil && end != io.EOF {
		err = errors.New("text follows the JSON object")
	}
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"Error": "The form is invalid: " + err.Error()})
		return false
	}
	return true
}

// refuse responds to a form with mistakes.
func refuse(w http.ResponseWriter, errs []fieldError) {
	reply(w, http.StatusUnprocessableEntity, map[string]any{"Errors": errs})
}

func reply(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
