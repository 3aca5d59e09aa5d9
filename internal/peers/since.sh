#!/bin/sh
# Compares the time of requests with the library at another commit, such as the
# last release, in about ten minutes, on a machine that does nothing else:
#
#	./since.sh v0.1.0
#
# Both sides use the benchmarks of this folder and take turns. Each of ten runs is
# the least of many turns, from the first minute to the last.
set -eu
cd "$(dirname "$0")"
commit=$(git rev-parse --verify "${1:?name a commit}^{commit}")
runs=10 turns=25
policies='(origins-10{0,3}|patterns-.*|hyphens-.*|any|credentialed|func)'
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
trap 'exit 1' INT TERM
mkdir "$work/library" "$work/grid"
git -C ../.. archive "$commit" | tar -x -C "$work/library"
rm -rf "$work/library/internal/testkit"
mkdir "$work/library/internal/testkit"
cp ../testkit/measure.go "$work/library/internal/testkit" # does not need the library
cp go.mod go.sum alloc_test.go bench_test.go floor_test.go grid_test.go outcome_test.go "$work/grid"
go test -c -o "$work/new" .
(cd "$work/grid" && go mod edit -replace "github.com/f407da42/cors=$work/library" && go test -c -o "$work/old" .)
for turn in $(seq "$turns"); do
	for run in $(seq "$runs"); do
		for side in old new; do
			"$work/$side" -test.run '^$' -test.bench "^BenchmarkMiddleware\$/policy=$policies\$/./impl=this\$" -test.benchtime 1ms >>"$work/$side.$run"
		done
	done
done
for run in $(seq "$runs"); do
	for side in old new; do
		awk '/least-ns/ {
			if (!($1 in least)) { least[$1] = $5; rest[$1] = $7 " B/op " $9 " allocs/op" }
			if ($5 < least[$1]) least[$1] = $5
		}
		END { for (name in least) print name, 1, least[name], "ns/op", rest[name] }' "$work/$side.$run" >>"$work/$side.txt"
	done
done
go run golang.org/x/perf/cmd/benchstat@latest -col .file "$work/old.txt" "$work/new.txt"
