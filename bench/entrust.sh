#!/bin/sh
# Entrusting a list beside `sqlite3 .import` of the same file into a table without indexes, both until what they wrote is
# flushed, input warm. Prints "result NAME VALUE" lines. Both give way to other work (nice), so that a busy machine treats
# them alike.
#
# Then the same list for another client, with every row unchanged, and in CP932; and the reading alone beside DuckDB's
# read_csv. A wall time counts on an idle machine only; processor times, of all processes, are printed beside it.
#
#	BENCH_LIST   rows of the list (1000000; 9000000, which the floors are for, take about seven minutes)
#	BENCH_DIR    where house and table are made; a real disk     BENCH_BUILD  the build folder
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${BENCH_BUILD:-build-bench}" && pwd)
rows=${BENCH_LIST:-1000000}
azukari=$build/src/cli/azukari

folder=$(mktemp -d "${BENCH_DIR:-/var/tmp}/azukari-entrust-XXXXXX")
serve=
peak=
stop() {
	[ -z "$peak" ] || kill "$peak" 2>/dev/null || true
	[ -z "$serve" ] || kill "$serve" 2>/dev/null || true
	wait
	rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' INT TERM
chmod 0711 "$folder"

export HOME="$folder" XDG_STATE_HOME="$folder/state" AZUKARI_HOUSE="$folder/h" AZUKARI_KEY="$folder/aoki.key"
quiet() { "$azukari" "$@" >/dev/null 2>"$folder/stderr" || {
	cat "$folder/stderr" >&2
	exit 1
}; }

"$build/bench/bench-list" "$rows" >"$folder/list.csv"
quiet init --house "$folder/h" --officer aoki --key-out "$folder/aoki.key" --unsealed
"$azukari" serve 2>"$folder/serve.log" &
serve=$!
tries=0
until "$azukari" status >/dev/null 2>&1; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || {
		cat "$folder/serve.log" >&2
		exit 1
	}
	sleep 0.1
done
quiet staff add mori --role supervisor --key-out "$folder/mori.key"
for client in c01 c02 c03; do
	quiet client add "$client" --name Bench --category bench
	quiet purpose add "$client/checkup" --fields name,phone:last4 --roles agent --until 2099-12-31
done

now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.2f", $1 - $2 }'; }

children() { cat "/proc/$serve/task/$serve/children"; }
# Processor time so far, in ms: of what serve runs and has run; of what this script has run and waited for.
served_ms() {
	for pid in $(children); do cat "/proc/$pid/stat"; done | awk '{ sum += $14 + $15 } END { print sum * 10 }'
	awk '{ print ($16 + $17) * 10 }' "/proc/$serve/stat"
}
served() { served_ms | awk '{ sum += $1 } END { print sum }'; }
of_intakes() { awk '{ print ($16 + $17) * 10 }' "/proc/$serve/stat"; }
own() { awk '{ print ($16 + $17) * 10 }' "/proc/$$/stat"; }
# $1 ms before, $2 ms after: microseconds a row.
a_row() { echo "$1 $2 $rows" | awk '{ printf "%.2f", ($2 - $1) * 1000 / $3 }'; }

# $1 name, $2 file, the rest: arguments of entrust.
entrust() {
	name=$1
	list=$2
	shift 2
	cat "$list" >/dev/null
	before=$(served)
	began=$(now)
	nice -n 15 "$azukari" --key "$folder/mori.key" --json entrust --purpose checkup "$@" "$list" \
		>"$folder/answer" 2>"$folder/stderr" || {
		cat "$folder/stderr" >&2
		exit 1
	}
	took=$(since "$began")
	cpu=$(a_row "$before" "$(served)")
	echo "entrust, $name: $took s; $cpu us of processor a row" >&2
	echo "result entrust-$name-s $took"
	echo "result entrust-$name-us $cpu"
}

if command -v sqlite3 >/dev/null; then
	cat "$folder/list.csv" >/dev/null
	before=$(own)
	began=$(now)
	printf '.mode csv\n.import %s people\n' "$folder/list.csv" >"$folder/import"
	nice -n 15 sqlite3 "$folder/people.db" <"$folder/import"
	sync "$folder/people.db"
	took=$(since "$began")
	cpu=$(a_row "$before" "$(own)")
	rm -f "$folder/people.db"
	echo "sqlite3 .import: $took s; $cpu us of processor a row" >&2
	echo "result entrust-sqlite-s $took"
	echo "result entrust-sqlite-us $cpu"
fi
"$build/bench/bench-peak" $$ &
peak=$!
intakes=$(of_intakes)
entrust first "$folder/list.csv" --client c01 --as-of 2026-04-01
echo "result entrust-intake-us $(a_row "$intakes" "$(of_intakes)")"
entrust second "$folder/list.csv" --client c02 --as-of 2026-04-01
entrust unchanged "$folder/list.csv" --client c01 --as-of 2026-04-02
grep -q "\"unchanged\": $rows" "$folder/answer" || {
	echo 'entrust: the same list again was not all unchanged' >&2
	exit 1
}
kill "$peak"
wait "$peak"
peak=

iconv -f UTF-8 -t CP932 "$folder/list.csv" >"$folder/list.cp932.csv"
entrust cp932 "$folder/list.cp932.csv" --client c03 --as-of 2026-04-01
rm -f "$folder/list.cp932.csv"

# Reading alone: `inspect` finds columns, makes all match keys and looks for card numbers besides.
began=$(now)
nice -n 15 "$azukari" inspect "$folder/list.csv" >/dev/null
took=$(since "$began")
echo "inspect: $took s" >&2
echo "result entrust-inspect-s $took"
if command -v node >/dev/null && [ -d build-npm/node_modules/@duckdb/node-api ]; then
	nice -n 15 node bench/duckdb.mjs "$folder/list.csv"
else
	echo 'DuckDB: npm @duckdb/node-api is not installed' >&2
fi
echo "result entrust-rows $rows"
