#!/bin/sh
# Entrusting a list beside `sqlite3 .import` of the same file into a table without indexes, both until what they wrote is
# flushed, input warm. Prints "result NAME VALUE" lines. Both give way to other work (nice), so that a busy machine treats
# them alike.
#
#	BENCH_LIST   rows of the list (1000000)
#	BENCH_DIR    where house and table are made; a real disk     BENCH_BUILD  the build folder
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${BENCH_BUILD:-build-bench}" && pwd)
rows=${BENCH_LIST:-1000000}
azukari=$build/src/cli/azukari

folder=$(mktemp -d "${BENCH_DIR:-/var/tmp}/azukari-entrust-XXXXXX")
serve=
stop() {
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
for client in c01 c02; do
	quiet client add "$client" --name Bench --category bench
	quiet purpose add "$client/checkup" --fields name,phone:last4 --roles agent --until 2099-12-31
done

now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.2f", $1 - $2 }'; }

# $1 name, the rest: arguments of entrust.
entrust() {
	name=$1
	shift
	cat "$folder/list.csv" >/dev/null
	began=$(now)
	nice -n 15 "$azukari" --key "$folder/mori.key" --json entrust --purpose checkup "$@" "$folder/list.csv" \
		>"$folder/answer" 2>"$folder/stderr" || {
		cat "$folder/stderr" >&2
		exit 1
	}
	took=$(since "$began")
	echo "entrust, $name: $took s" >&2
	echo "result entrust-$name-s $took"
}

if command -v sqlite3 >/dev/null; then
	cat "$folder/list.csv" >/dev/null
	began=$(now)
	printf '.mode csv\n.import %s people\n' "$folder/list.csv" | nice -n 15 sqlite3 "$folder/people.db"
	sync "$folder/people.db"
	took=$(since "$began")
	rm -f "$folder/people.db"
	echo "sqlite3 .import: $took s" >&2
	echo "result entrust-sqlite-s $took"
fi
entrust first --client c01 --as-of 2026-04-01
entrust second --client c02 --as-of 2026-04-01
entrust unchanged --client c01 --as-of 2026-04-02
grep -q "\"unchanged\": $rows" "$folder/answer" || {
	echo 'entrust: the same list again was not all unchanged' >&2
	exit 1
}

# Memory at its highest, of keeper and vault together; pages of their mapped files are among it, so it is an upper bound.
peak=0
for pid in $(cat "/proc/$serve/task/$serve/children"); do
	name=$(cat "/proc/$pid/comm")
	highest=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
	echo "$name: highest $((highest / 1024)) MiB" >&2
	peak=$((peak + highest))
done
echo "result entrust-peak-mib $((peak / 1024))"
echo "result entrust-rows $rows"
