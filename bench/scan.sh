#!/bin/sh
# scan --patterns beside ripgrep and Vectorscan, and what a scan within a case adds, with a sieve of so many people: one core, warm, the same patterns. Prints `result NAME VALUE` lines.
#
#	BENCH_SIFT_PEOPLE  of the house in the sieve (9000000)
#	BENCH_SCAN_MB  of mixed text (1000): half what lies in /usr/share/doc and /usr/include, half lists of azukari demo
set -eu
cd "$(dirname "$0")/.."
build=${BENCH_BUILD:-build-bench}
az=$PWD/$build/src/cli/azukari
megabytes=${BENCH_SCAN_MB:-1000}
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/azukari-scan-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

"$az" demo --out "$work/lists" --people 60000 --clients 3 --seed 1 >/dev/null
find /usr/share/doc /usr/include -type f -size -1M ! -name '*.gz' | LC_ALL=C sort | xargs cat 2>/dev/null |
	head -c 10000000 >"$work/prose"
cat "$work"/lists/c*.csv | head -c 10000000 >"$work/dense"
cat "$work/prose" "$work/dense" >"$work/part"
part=$(stat -c %s "$work/part")
for _ in $(seq $((megabytes * 1000000 / part))); do cat "$work/part"; done >"$work/mixed"
size=$(stat -c %s "$work/mixed")
pattern='(?-u)0[0-9]{1,4}-[0-9]{1,4}-[0-9]{4}|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}|\b[0-9]{12}\b|\b[0-9]{16}\b'

# Processor time of a command in gigabytes a second, if that is better than before. The two are measured by turns, since
# the machine is shared.
rate() { # best so far, command…
	best=$1
	shift
	taskset -c 0 bash -c 'TIMEFORMAT="%U %S"; time "$@" >/dev/null' bash "$@" 2>"$work/time" || true
	tail -1 "$work/time" | awk -v s="$size" -v b="$best" '{ r = s / 1e9 / ($1 + $2); if (r < b) r = b; print r }'
}
cat "$work/mixed" >/dev/null
ours=0 theirs=0
for _ in 1 2 3 4 5; do
	ours=$(rate "$ours" "$az" scan --patterns --jobs 1 "$work/mixed")
	command -v rg >/dev/null && theirs=$(rate "$theirs" rg -acoN "$pattern" "$work/mixed")
done
echo "result scan-rate $ours"
if [ "$theirs" != 0 ]; then
	echo "result scan-ripgrep $theirs"
	echo "result scan-times-ripgrep $(echo "$ours $theirs" | awk '{ print $1 / $2 }')"
	bench/scan_compare.py "$az" "$work/part" >&2
fi
for _ in 1 2 3 4 5; do
	taskset -c 0 "$build/bench/bench-sift" "$build/src/scan/azukari-scanner" "$work/mixed" "${BENCH_SIFT_PEOPLE:-9000000}"
done | sort -n | tail -1 | awk '{ print "result sift-rate " $1; print "result sift-values " $2; print "result sift-held " $3; print "result sift-found " $4 }'
if cc -O2 -o "$work/vectorscan" bench/scan_vectorscan.c -lhs 2>/dev/null; then
	for _ in 1 2 3 4 5; do taskset -c 0 "$work/vectorscan" "$work/mixed"; done | sort -rn | head -1 |
		awk '{ print "result scan-vectorscan " $1 }'
else
	echo 'scan: without libvectorscan-dev, Vectorscan is skipped' >&2
fi
