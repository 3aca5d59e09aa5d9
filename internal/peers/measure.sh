#!/bin/sh
# Measures everything that docs/performance.md shows, in about 20 minutes, on a
# machine that does nothing else, and writes it to RESULTS.md, to the charts, to
# that page and to the README. Go, a browser of each engine and Xvfb have to be
# there. The measurements stay in new.txt, for benchstat:
#
#	benchstat -filter '/writer:reused .unit:least-ns/op' -col '/impl@(floor-safe this rs chi gorilla)' new.txt
#
# QUICK=1 tries all that in a few minutes, and writes it to a temporary folder.
# FORCE=1 measures on a machine that is busy.
set -eu
cd "$(dirname "$0")"
load() { uptime | sed 's/.*average[s]*: *\([0-9.]*\).*/\1/'; }
before=$(load)
if [ "${FORCE-}" != 1 ] && awk "BEGIN { exit !($before > 1.5) }"; then
	echo "the load average is $before: wait until nothing else runs, or set FORCE=1" >&2
	exit 1
fi
passes=8 turns=12 benchtime=10ms loads=12 rounds=50 slice=15ms sessions=7 measurements=new.txt folder=
if [ -n "${QUICK-}" ]; then
	passes=1 turns=1 benchtime=1ms loads=1 rounds=3 slice=5ms sessions=1
	folder=$(mktemp -d)
	measurements=$folder/new.txt
fi
export CORS_BROWSERS=chromium,firefox,webkit
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
go build -o "$work" ./load ./report
go test -c -o "$work/grid" .
go test -c -o "$work/roundtrips" ./roundtrips
{
	echo "commit: $(git describe --always --dirty --exclude '*')"
	echo "date: $(date -u +%Y-%m-%d)"
	echo "passes: $passes"
	echo "short-passes: $((passes * turns))"
	echo "rounds: $((loads * rounds))"
	echo "cores: $(nproc)"
	echo "go: $(go env GOVERSION)"
	go list -m -f 'module: {{.Path}} {{.Version}}' github.com/rs/cors github.com/go-chi/cors github.com/gorilla/handlers \
		github.com/gin-contrib/cors github.com/gin-gonic/gin github.com/labstack/echo/v5 github.com/gofiber/fiber/v3
	echo "load-before: $before"
	"$work/roundtrips" -test.run '^$' -test.bench . -test.benchtime 1x -test.count "$sessions"
	# Each time, the server and the connections are others: some have more luck.
	for server in $(seq "$loads"); do
		"$work/load" -rounds "$rounds" -time "$slice"
	done
	# Each pass measures everything, so that nothing suffers alone from a bad minute.
	# What a recorder adds is the same for all: the first pass tells.
	"$work/grid" -test.run '^$' -test.bench ./././recorder -test.benchtime "$benchtime"
	for pass in $(seq "$passes"); do
		"$work/grid" -test.run '^$' -test.bench . -test.skip ./././recorder -test.benchtime "$benchtime"
		# Of a row of the grid the least is shown. The more passes there are, the surer
		# it is; to make a million origins for each would take too long.
		for turn in $(seq "$turns"); do
			"$work/grid" -test.run '^$' -test.bench Middleware -test.skip 'Middleware/policy=origins-10{5,6}$|./././recorder' -test.benchtime 1ms
		done
	done
	echo "load-after: $(load)"
} >"$measurements"
"$work/report" -to "$folder" "$measurements"
if [ -n "$folder" ]; then
	echo "what this wrote is in $folder; it means nothing"
fi
