package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A reason says why other packages take less time than this one on some rows. It
// is about rows with one outcome: what explains that something else comes of a
// request does not explain why the same takes less time.
type reason struct {
	mark                      string   // of the outcome: †, ‡, or "" for the same
	policies, requests, peers []string // nil is all
	text                      string
}

// reasons has for each row the first reason that is about it.
var reasons = []reason{
	{"†", nil, []string{"no-origin"}, []string{"gorilla", "gin"},
		"gorilla/handlers and gin send nothing with a response to a request without `Origin`, so that caches hand it to pages of all origins."},
	{"", nil, []string{"no-origin"}, []string{"rs"},
		"rs/cors takes the header of a response to a request without `Origin` from a slice that all responses share, so that whoever changes one changes them all."},
	{"†", nil, []string{"actual-rejected"}, nil,
		"Others run the handler for an origin that is not allowed, or do not tell caches that a refusal depends on `Origin`."},
	{"‡", nil, []string{"preflight-rejected"}, nil,
		"Others refuse a preflight without a word, where this package says why."},
	{"", []string{"patterns-10", "hyphens-10", "hyphens-varied-10", "hyphens-of-10-domains", "schemes-10"}, []string{"actual"}, []string{"rs"},
		"rs/cors compares the two ends of an origin with a few patterns, one after the other, and takes anything between them."},
	{"", []string{"func"}, []string{"actual"}, nil,
		"Others ask an `AllowOriginFunc` about any string, where this package asks only about what is an origin."},
	{"†", nil, []string{"actual"}, []string{"gorilla"},
		"gorilla/handlers does not tell caches that a response depends on `Origin`."},
}

func reasonFor(mark, policy, request, peer string) (reason, bool) {
	is := func(s string, of []string) bool { return of == nil || slices.Contains(of, s) }
	for _, x := range reasons {
		if x.mark == mark && is(policy, x.policies) && is(request, x.requests) && is(peer, x.peers) {
			return x, true
		}
	}
	return reason{}, false
}

// A slower row is one on which peer takes less time than this package.
type slower struct {
	policy, request, peer string
	ratio, low, high      float64 // with its confidence interval
	reason                string
}

const unexplained = "No reason is known."

// slower returns those rows, the worst first: those of which one can be sure, as
// the interval of what the passes say is above 1.
func (r *report) slower() []slower {
	var rows []slower
	for _, policy := range policies {
		for _, request := range requests {
			for _, peer := range peers {
				value, low, high := median(r.ratios(onGrid(policy, request, "this"), onGrid(policy, request, peer), leastUnit))
				if !(low > 1) { // which NaN is not either
					continue
				}
				x, ok := reasonFor(r.outcome(policy, request, peer).mark, policy, request, peer)
				if !ok {
					x.text = unexplained
				}
				rows = append(rows, slower{policy, request, peer, value, low, high, x.text})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b slower) int { return cmp.Compare(b.ratio, a.ratio) })
	return rows
}

// whySlower lists the reasons, each with how many rows it is about.
func (r *report) whySlower() string {
	var s strings.Builder
	texts := make(map[string][]slower)
	for _, x := range r.slower() {
		texts[x.reason] = append(texts[x.reason], x)
	}
	for _, x := range append(reasons, reason{text: unexplained}) {
		if rows := texts[x.text]; len(rows) > 0 {
			worst := rows[0]
			fmt.Fprintf(&s, "- %s %s, at most %.2f times (%s, `%s, %s`).\n", x.text, count(len(rows), "row"), worst.ratio, labels[worst.peer], worst.policy, worst.request)
		}
	}
	if s.Len() == 0 {
		return "Nowhere.\n"
	}
	return s.String()
}

// slowerRows lists all rows.
func (r *report) slowerRows() string {
	var s strings.Builder
	s.WriteString("| policy, request | package | this package / it | outcome | reason |\n|---|---|--:|---|---|\n")
	for _, x := range r.slower() {
		o := r.outcome(x.policy, x.request, x.peer)
		same := o.mark + " " + o.difference
		if o.mark == "" {
			same = "the same"
		}
		fmt.Fprintf(&s, "| %s, %s | %s | %.2f (%.2f to %.2f) | %s | %s |\n", x.policy, x.request, labels[x.peer], x.ratio, x.low, x.high, same, x.reason)
	}
	return s.String()
}
