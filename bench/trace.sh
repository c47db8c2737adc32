#!/bin/sh
# Tracing leaked lists in a house of as many people, from the file to the verdicts, beside DuckDB reading the same rows as
# UTF-8 and joining them in plain text on the telephone. Prints "result NAME VALUE" lines, and a line for each size of a list
# on stderr.
#
#	BENCH_TRACE  people of the house, and rows of the largest list (1000000)
#	BENCH_DIR    where the house is made; a real disk     BENCH_BUILD  the build folder
#	BENCH_HOUSE  a folder that is kept and used again, if it has a house of as many people
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${BENCH_BUILD:-build-bench}" && pwd)
people=${BENCH_TRACE:-1000000}
azukari=$build/src/cli/azukari
modules=$PWD/build-npm/node_modules

folder=${BENCH_HOUSE:-$(mktemp -d "${BENCH_DIR:-/var/tmp}/azukari-trace-XXXXXX")}
mkdir -p "$folder"
serve=
stop() {
	[ -z "$serve" ] || kill "$serve" 2>/dev/null || true
	wait
	[ -n "${BENCH_HOUSE:-}" ] || rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' INT TERM
chmod 0711 "$folder"

export HOME="$folder" XDG_STATE_HOME="$folder/state" AZUKARI_HOUSE="$folder/h" AZUKARI_KEY="$folder/aoki.key"
quiet() { "$azukari" "$@" >"$folder/answer" 2>"$folder/stderr" || {
	cat "$folder/stderr" >&2
	exit 1
}; }
start() {
	"$azukari" serve 2>"$folder/serve.log" &
	serve=$!
	tries=0
	# A command that comes before the socket is there starts processes of its own.
	until [ -n "$(find "$folder/h/run" -type s 2>/dev/null)" ] && "$azukari" status >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || {
			cat "$folder/serve.log" >&2
			exit 1
		}
		sleep 0.1
	done
}

if [ "$(cat "$folder/people" 2>/dev/null || true)" != "$people" ]; then
	rm -rf "$folder/h" "$folder/state" "$folder"/*.key
	"$build/bench/bench-list" "$people" >"$folder/list.csv"
	quiet init --house "$folder/h" --officer aoki --key-out "$folder/aoki.key" --unsealed
	start
	quiet staff add mori --role supervisor --key-out "$folder/mori.key"
	quiet staff add sato --role investigator --key-out "$folder/sato.key"
	quiet client add c01 --name Bench --category bench
	quiet purpose add c01/checkup --fields name,phone:last4 --roles agent --until 2099-12-31
	quiet --key "$folder/mori.key" entrust --client c01 --purpose checkup --as-of 2026-04-01 "$folder/list.csv"
	echo "$people" >"$folder/people"
else
	start
fi
keeper=$(for pid in $(cat "/proc/$serve/task/$serve/children"); do
	[ "$(cat "/proc/$pid/comm")" != azukari-keeper ] || echo "$pid"
done)

# $1 rows, $2 how many of them are damaged by every second: in CP932, warm.
leak() {
	"$build/bench/bench-list" "$1" 1 leaked "$people" "$2" >"$folder/leak.utf8.csv"
	iconv -f UTF-8 -t CP932 "$folder/leak.utf8.csv" >"$folder/leak.csv"
}

now() { date +%s.%N; }
# The verdicts are there when their entry is. $1 when it began.
verdicts_after() {
	"$azukari" --json ledger query --max 20 | jq -r '[.entries[] | select(.type == "traced") | .time][-1], [.entries[] | select(.type == "traced") | .time][0]' |
		sort | tail -n 1 | date -f - +%s.%N | awk -v began="$1" '{ printf "%.3f", $1 - began }'
}

# $1 name, $2 rows. The time is that of the command, in which everything happens.
trace() {
	quiet --key "$folder/sato.key" --json case open --reason suspicion --rows "$2"
	case=$(jq -r '.case // .id' "$folder/answer")
	request=$(jq -r .request "$folder/answer")
	quiet approve "$request"
	cat "$folder/leak.csv" >/dev/null
	echo 5 >"/proc/$keeper/clear_refs" 2>/dev/null || true # its peak begins anew
	began=$(now)
	"$azukari" --key "$folder/sato.key" --json trace --case "$case" "$folder/leak.csv" \
		>"$folder/answer" 2>"$folder/stderr" || {
		cat "$folder/stderr" >&2
		exit 1
	}
	took=$(echo "$(now) $began" | awk '{ printf "%.3f", $1 - $2 }')
	verdicts=$(verdicts_after "$began")
	peak=$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$keeper/status")
	not_found=$(jq -r '.not_found // .rows.not_found' "$folder/answer")
	printf 'trace, %s: %s rows, %s s to the verdicts, %s s in all, keeper at most %s MiB, %s opened, %s not found\n' \
		"$1" "$2" "$verdicts" "$took" "$peak" "$(jq -r .opened "$folder/answer")" "$not_found" >&2
	echo "result trace-$1-s $verdicts"
	echo "result trace-$1-whole-s $took"
	echo "result trace-$1-mib $peak"
	echo "result trace-$1-not-found $not_found"
}

rows=100
while [ "$rows" -lt "$people" ]; do
	leak "$rows" 0
	# The first is for what is loaded at first use.
	[ "$rows" -ne 100 ] || trace first 100
	trace "$rows" "$rows"
	rows=$((rows * 10))
done
leak "$people" 0
trace all "$people"
if [ -d "$modules/@duckdb/node-api" ]; then
	[ -f "$folder/list.csv" ] || "$build/bench/bench-list" "$people" >"$folder/list.csv"
	node bench/duckdb_join.mjs "$folder/list.csv" "$folder/leak.utf8.csv" "$modules"
else
	echo 'trace: without @duckdb/node-api, DuckDB is skipped' >&2
fi
leak "$people" "$people"
trace opened "$people"
echo "result trace-people $people"
