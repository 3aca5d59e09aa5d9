#!/bin/sh
# Measures everything that the README shows, in about a quarter of an hour on a
# machine that does nothing else, and writes new.txt (the benchmarks), stats.txt
# (benchstat's tables of them), report.md (the table for the README, and the
# ratios to hold), load.txt (end to end), and the charts.
set -eu
cd "$(dirname "$0")"
go test -run '^$' -bench . -benchtime 20ms -count 10 -timeout 30m . >new.txt
go run golang.org/x/perf/cmd/benchstat@latest -col /impl new.txt >stats.txt
go run ./report new.txt >report.md
go run ./load >load.txt
