#!/bin/sh
# Measures everything that docs/performance.md shows, in about ten minutes, on a
# machine that should do nothing else. It writes RESULTS.md and the charts, and
# new.txt, the benchmarks' output, for benchstat:
#
#	benchstat -filter /writer:reused -col '/impl@(floor-safe this rs chi gorilla)' new.txt
set -eu
cd "$(dirname "$0")"
go test -run '^$' -bench . -benchtime 20ms -count 10 -timeout 30m . >new.txt
{
	printf '# Results\n\nWritten by measure.sh on this machine, with these versions:\n\n```\n'
	uname -sm
	echo "$(nproc) cores, $(sed -n 's/^cpu: //p' new.txt | head -1)"
	go version
	go list -m github.com/rs/cors github.com/go-chi/cors github.com/gorilla/handlers \
		github.com/gin-contrib/cors github.com/gin-gonic/gin github.com/labstack/echo/v5 github.com/gofiber/fiber/v3
	printf '```\n\n'
	go run ./report new.txt
	printf '## End to end\n\n```\n'
	go run ./load
	printf '```\n'
} >RESULTS.md
