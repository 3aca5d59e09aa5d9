#!/bin/sh
# Measures what docs/performance.md shows and prints it, in about ten minutes, on a
# machine that does nothing else:
#
#	./measure.sh >new.txt && mv new.txt measurements.txt
#
# It needs Go, Chromium, Firefox, WebKitGTK's MiniBrowser and Xvfb. QUICK=1 tries
# everything in about two minutes, with meaningless figures. FORCE=1 measures on a
# busy machine.
#
# To update docs/performance.md, replace each row of its tables with the row that
# measurements.txt has now. Also replace the machine and the version of Go, and read
# the sentences around the tables again. A test finds the rows that differ:
# go test ./docs -run TestPerformance
set -eu
cd "$(dirname "$0")"
load() { uptime | sed 's/.*average[s]*: *\([0-9.]*\).*/\1/'; }
before=$(load)
if [ "${FORCE-}${QUICK-}" = '' ] && awk "BEGIN { exit !($before > 1.5) }"; then
	echo "the load average is $before: wait until nothing else runs, or set FORCE=1" >&2
	exit 1
fi
sessions=5 servers=7 rounds=50 slice=15ms passes=4 turns=15 benchtime=10ms
if [ -n "${QUICK-}" ]; then
	sessions=1 servers=1 rounds=3 slice=5ms passes=1 turns=1 benchtime=1ms
fi
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
trap 'exit 1' INT TERM
step() { echo "$(date +%T) $1" >&2; }

go build -o "$work/load" ./load
go test -c -o "$work/grid" .
go test -c -o "$work/roundtrips" ./roundtrips
step 'round trips'
CORS_BROWSERS=chromium,firefox,webkit "$work/roundtrips" -test.run '^$' -test.bench . -test.benchtime 1x -test.count "$sessions" >"$work/sessions.txt"
step 'a whole server'
"$work/load" -servers "$servers" -rounds "$rounds" -time "$slice" >"$work/load.txt"
for pass in $(seq "$passes"); do
	# Each pass measures everything, so a bad minute does not hit one row alone.
	step "requests, pass $pass of $passes"
	"$work/grid" -test.run '^$' -test.bench . -test.benchtime "$benchtime" >>"$work/grid.txt"
	# The tables show the least of all passes. These short ones leave out the rows
	# that take long to prepare.
	for turn in $(seq "$turns"); do
		"$work/grid" -test.run '^$' -test.bench 'Middleware|Hostile' -test.skip 'Middleware/policy=origins-10{5,6}$' -test.benchtime 1ms >>"$work/grid.txt"
	done
done

cat <<END
# Measurements

Printed by measure.sh.

- $(git describe --always --dirty --exclude '*'), $(date -u +%Y-%m-%d), $(go env GOVERSION)
- $(nproc) cores, $(awk -F': ' '/^cpu:/ { print $2; exit }' "$work/grid.txt"); load average $before before, $(load) after
- $(go list -m -f '{{.Path}} {{.Version}}' github.com/rs/cors github.com/go-chi/cors github.com/gorilla/handlers github.com/gin-contrib/cors \
	github.com/gin-gonic/gin github.com/labstack/echo/v5 github.com/gofiber/fiber/v3 | paste -sd, | sed 's/,/, /g')

## Round trips: 20 calls in a row over a link of 80 ms, medians of $sessions sessions

| browser | this package | rs/cors |
|---|--:|--:|
END
awk '
	function median(list,   v, n, i, j, t) {
		n = split(list, v)
		for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
		return (v[int((n + 1) / 2)] + v[int((n + 2) / 2)]) / 2
	}
	function cell(e, impl) { return sprintf("%.2f s, %d preflights", median(all[e, impl "-ms"]) / 1000, median(all[e, impl "-preflights"])) }
	/^Benchmark/ {
		split($1, part, /[=\/]/)
		for (i = 3; i < NF; i += 2) all[part[3], $(i + 1)] = all[part[3], $(i + 1)] " " $i
	}
	END {
		split("chromium Chromium firefox Firefox webkit WebKitGTK", e, " ")
		for (i = 1; i < 6; i += 2) printf "| %s | %s | %s |\n", e[i + 1], cell(e[i], "this"), cell(e[i], "rs")
	}
' "$work/sessions.txt"
printf '\n## A whole server: medians of %d rounds, with 95 %% confidence intervals\n\n' "$((servers * rounds))"
cat "$work/load.txt"
awk '
	function ns(p, r, i) { return least["Middleware/policy=" p "/request=" r "/impl=" i, "least-ns/op"] }
	function mark(p, r, i) { sub(/^origins-10+$/, p == "origins-1" || p == "origins-10" ? p : "origins-1000", p); return marks["policy=" p "/request=" r "/impl=" i] }
	function time(x) {
		if (x == "") return ""
		if (x < 1000) return sprintf("%.0f ns", x)
		return x < 1e6 ? sprintf("%.3g µs", x / 1e3) : x < 1e9 ? sprintf("%.3g ms", x / 1e6) : sprintf("%.3g s", x / 1e9)
	}
	function size(x) { return x == "" ? "" : x < 1e6 ? sprintf("%.3g KiB", x / 1024) : sprintf("%.3g MiB", x / 1048576) }
	function made(impl, unit) { return least["New/policy=" policy[p] "/impl=" impl, unit] }
	function title(text) { printf "\n## %s\n\n", text }
	function ratio(name, x, limit) { printf "| %s | %.2f | %s |%s\n", name, x, limit, (x > limit ? " over the limit" : "") }
	function hostile(list, honest, limit,   n, i, j, name, call, x) {
		n = split(list " " honest, name, " "); split("Handler Handler-OnReject Check", call, " ")
		for (i = 1; i <= n; i++) {
			printf "| %s |", name[i]
			for (j = 1; j <= 3; j++) printf " %s |", time(least["Hostile/request=" name[i] "/call=" call[j], "least-ns/op"])
			x = least["Hostile/request=" name[i] "/call=Handler", "least-ns/op"] / least["Hostile/request=" honest "/call=Handler", "least-ns/op"]
			printf " %.2f | %s |%s\n", x, limit, (x > limit ? " over the limit" : "")
		}
	}
	# compare prints how this package compares with impl on the rows without a mark.
	function compare(name, impl, policies, limit,   p, r, x, n, sum, worst, row) {
		for (p = 1; p <= np; p++) for (r = 1; r <= nr; r++) {
			if (policy[p] !~ policies || ns(policy[p], request[r], impl) == "" || mark(policy[p], request[r], impl) != "") continue
			x = ns(policy[p], request[r], "this") / ns(policy[p], request[r], impl)
			n++; sum += log(x)
			if (x > worst) { worst = x; row = policy[p] ", " request[r] }
		}
		ratio("this package / " name sprintf(": mean %.2f, greatest (%s)", exp(sum / n), row), worst, limit)
	}
	FILENAME ~ /outcomes/ { split($0, part, "\t"); marks[part[1]] = part[2]; next }
	/^Benchmark/ {
		sub(/^Benchmark/, ""); sub(/-[0-9]+$/, "", $1)
		for (i = 3; i < NF; i += 2) if (!(($1, $(i + 1)) in least) || $i + 0 < least[$1, $(i + 1)]) least[$1, $(i + 1)] = $i + 0
		if (split($1, part, /[=\/]/) == 7 && part[1] == "Middleware") {
			if (!seen[part[3]]++) policy[++np] = part[3]
			if (!seen[part[5]]++) request[++nr] = part[5]
		}
	}
	END {
		title("Requests: the least of all passes; † has another effect, ‡ the same effect by another response (testdata/outcomes.txt)")
		ni = split("this by-hand rs chi gorilla gin echo fiber", impl, " ")
		print "| policy, request | this package | hand-written | rs/cors | go-chi/cors | gorilla/handlers | gin | echo | fiber |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
		for (p = 1; p <= np; p++) for (r = 1; r <= nr; r++) {
			if (ns(policy[p], request[r], "this") == "") continue
			printf "| %s, %s |", policy[p], request[r]
			for (i = 1; i <= ni; i++) printf " %s%s |", time(ns(policy[p], request[r], impl[i])), mark(policy[p], request[r], impl[i])
			print ""
		}
		title("Comparisons")
		print "| of times | ratio | limit |\n|---|--:|--:|"
		compare("hand-written, without patterns", "by-hand", "^(origins|any|cred|func)", 1.15)
		compare("hand-written, with patterns", "by-hand", "^(patterns|hyphens)", 1.6)
		for (i = 3; i <= ni; i++) compare(impl[i], impl[i], ".", 1)
		split("patterns hyphens hyphens-varied hyphens-of schemes", group, " ")
		for (i = 1; i <= 5; i++) {
			p = group[i]; end = p == "hyphens-of" ? "-domains" : ""
			ratio(p "-1000" end " / " p "-10" end ", actual", ns(p "-1000" end, "actual", "this") / ns(p "-10" end, "actual", "this"), 1.25)
		}
		ratio("origins-1000000 / origins-1, actual", ns("origins-1000000", "actual", "this") / ns("origins-1", "actual", "this"), 2)
		title("Hostile requests; the ratio is to the honest request in the last row of each group")
		print "| request | Handler | with OnReject | Check | ratio | limit |\n|---|--:|--:|--:|--:|--:|"
		hostile("preflight-1MB-of-headers-in-one-line preflight-1MB-of-headers-in-1000-lines preflight-1MB-of-commas", "preflight", 1.1)
		hostile("rejected-1MB-of-origin rejected-1MB-of-origins-in-1000-lines", "rejected", 1.1)
		hostile("pattern-127-labels-allowed pattern-127-labels-rejected pattern-1MB-of-labels", "pattern", 4)
		hostile("hyphens-60-in-a-label", "hyphens", 6)
		title("New, and the memory in use afterwards, compared with a map of the origins")
		print "| policy | time of `New` | memory of the policy | time to build a map | memory of the map |\n|---|--:|--:|--:|--:|"
		np = split("origins-1 origins-1000 origins-1000000 patterns-10 patterns-1000 hyphens-10 hyphens-1000 schemes-10 schemes-1000", policy, " ")
		for (p = 1; p <= np; p++) printf "| %s | %s | %s | %s | %s |\n", policy[p], time(made("this", "ns/op")), size(made("this", "B-in-use")), time(made("map", "ns/op")), size(made("map", "B-in-use"))
		print "\nWith 1,000 origins, a Middleware holds " size(least["Idle", "B-once"]) ", and after its policy is set 1,000 times " size(least["Idle", "B-often"]) "."
		title("A new origin in each request; requests on all cores at once; routers alone")
		for (key in least) {
			split(key, part, SUBSEP)
			if (part[1] ~ /^(ManyOrigins|Parallel|Routers)/ && part[2] == "ns/op") print "- " part[1] ": " time(least[key]) | "LC_ALL=C sort -V"
		}
	}
' testdata/outcomes.txt "$work/grid.txt"
