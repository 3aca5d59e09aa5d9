package main

import (
	"errors"
	"io"
	"os"

	"github.com/f407da42/cors/corstest"
)

// scan runs the command with -scan and returns its exit status.
func scan(o options, browser *corstest.Browser, stdout, stderr *os.File) int {
	report := browser.Scan(o.page, o.request)
	status := allowed
	var err error
	if report.Incomplete != "" {
		status, err = unknown, errors.New(report.Incomplete)
	}
	if len(report.Findings) > 0 && report.Findings[0].Severity > corstest.Info {
		status = blocked
	}
	if o.json {
		err := writeJSON(stdout, scanReport(o, report, status, err))
		if err != nil {
			warn(stderr, err.Error())
			return unknown
		}
		return status
	}
	if _, err := io.WriteString(stdout, report.String()); err != nil {
		return unknown
	}
	if status == unknown {
		warn(stderr, "the result is unknown: "+err.Error())
	}
	return status
}

// A jsonScan is the output of -scan with -json.
type jsonScan struct {
	Page     string        `json:"page"`
	Verdict  string        `json:"verdict"`         // "passed", "failed" or "unknown"
	Error    string        `json:"error,omitempty"` // why a request got no response
	Notes    []string      `json:"notes,omitempty"`
	Tried    []jsonProbe   `json:"tried"`
	Findings []jsonFinding `json:"findings"`
}

type jsonProbe struct {
	Origin      string         `json:"origin"` // empty for a request without Origin
	Credentials bool           `json:"credentials"`
	Outcome     string         `json:"outcome"`
	Blocked     string         `json:"blocked,omitempty"`
	Exchanges   []jsonExchange `json:"exchanges,omitempty"`
}

type jsonFinding struct {
	Severity string   `json:"severity"`
	Origins  []string `json:"origins"`
	What     string   `json:"what"`
	Fix      string   `json:"fix,omitempty"`
}

func scanReport(o options, report *corstest.Report, status int, err error) jsonScan {
	s := jsonScan{Page: o.page, Verdict: []string{"passed", "failed", "unknown"}[status], Findings: []jsonFinding{}}
	if err != nil {
		s.Error = err.Error()
	}
	s.Notes = notes(report.String())
	for _, p := range report.Tried {
		s.Tried = append(s.Tried, jsonProbe{p.Origin, p.Credentials, p.Outcome, p.Result.Blocked, jsonExchanges(exchanges(p.Result))})
	}
	for _, f := range report.Findings {
		s.Findings = append(s.Findings, jsonFinding{f.Severity.String(), f.Origins, f.What, f.Fix})
	}
	return s
}
