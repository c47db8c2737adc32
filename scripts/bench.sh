#!/bin/sh
# Measures and prints one table (bench/README.md). Exit 0 unless something could not run: a floor that is missed is
# printed and is no failure, since a shared machine misses floors.
#
#	BENCH_DIR      where houses are made; a real disk (default /var/tmp)
#	BENCH_PEOPLE   rows of the list (1000000)     BENCH_ENTRIES  entries that are verified (10000000)
#	BENCH_SECONDS  of each of the five runs (5)   BENCH_BUILD    the build folder (build-bench)
set -eu
cd "$(dirname "$0")/.."
build=${BENCH_BUILD:-build-bench}

scripts/bench-deps.sh || echo 'bench: PostgreSQL cannot be installed' >&2
[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release -Db_ndebug=false -Db_lto=true >&2
ninja -C "$build" --quiet src/cli/azukari src/keeper/azukari-keeper src/vault/azukari-vault \
	src/intake/azukari-intake src/scan/azukari-scanner src/attribute/azukari-attribute bench/bench-ledger bench/bench-disclose bench/bench-list bench/bench-peak bench/bench-published bench/bench-sift >&2
# As installed; without their packages the programs say that they do without.
for table in match.tables demo.names; do ninja -C "$build" --quiet "share/$table" >/dev/null 2>&1 || true; done
azlog=
if ninja -C "$build" --quiet tests/others/azlog >/dev/null 2>&1; then azlog=$build/tests/others/azlog; fi

BENCH_DIR=$(mktemp -d "${BENCH_DIR:-/var/tmp}/azukari-bench-XXXXXX")
export BENCH_DIR
chmod 0711 "$BENCH_DIR"
trap 'rm -rf "$BENCH_DIR"' EXIT
trap 'exit 1' INT TERM

results=$BENCH_DIR/results
"$build/bench/bench-disclose" >"$results"
"$build/bench/bench-ledger" >>"$results"
BENCH_AZLOG=$azlog "$build/bench/bench-published" >>"$results"
BENCH_BUILD=$build bench/entrust.sh >>"$results"
BENCH_BUILD=$build bench/postgres_load.sh >>"$results"
BENCH_BUILD=$build bench/trace.sh >>"$results"
bench/postgres.sh >>"$results"
BENCH_BUILD=$build bench/scan.sh >>"$results"

awk -f bench/table.awk "$results"
