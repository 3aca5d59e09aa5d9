#!/bin/sh
# Measures everything that docs/performance.md shows, in about 20 minutes, on a
# machine that should do nothing else, and writes it to RESULTS.md, to the charts,
# to that page and to the README. Go, a browser of each engine and Xvfb have to
# be there. The measurements stay in new.txt, for benchstat:
#
#	benchstat -filter /writer:reused -col '/impl@(floor-safe this rs chi gorilla)' new.txt
#
# QUICK=1 tries all that in a few minutes. What it writes means nothing.
set -eu
cd "$(dirname "$0")"
passes=8 benchtime=20ms rounds=50 slice=200ms sessions=7
if [ -n "${QUICK-}" ]; then
	passes=1 benchtime=1ms rounds=3 slice=20ms sessions=1
fi
export CORS_BROWSERS=chromium,firefox,webkit
binary=$(mktemp)
trap 'rm "$binary"' EXIT
go test -c -o "$binary" .
{
	echo "cores: $(nproc)"
	echo "go: $(go env GOVERSION)"
	go list -m -f 'module: {{.Path}} {{.Version}}' github.com/rs/cors github.com/go-chi/cors github.com/gorilla/handlers \
		github.com/gin-contrib/cors github.com/gin-gonic/gin github.com/labstack/echo/v5 github.com/gofiber/fiber/v3
	# Each pass measures everything once, so that none suffers alone from a bad minute.
	for pass in $(seq "$passes"); do
		"$binary" -test.run '^$' -test.bench . -test.benchtime "$benchtime"
	done
	go run ./load -rounds "$rounds" -time "$slice"
	go test -run '^$' -bench . -benchtime 1x -count "$sessions" ./roundtrips
} >new.txt
go run ./report new.txt
