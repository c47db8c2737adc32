#!/bin/sh
# Lets every fuzzer search for FUZZ_SECONDS (600), one after the other. What it finds stays in build-fuzz/found;
# an input that broke something belongs into tests/fuzz/corpus.
set -eu
cd "$(dirname "$0")/.."
[ -f build-fuzz/build.ninja ] || CC=clang meson setup build-fuzz -Dfuzz=true \
	-Db_sanitize=address,undefined -Db_lundef=false --optimization=2 >/dev/null
ninja -C build-fuzz --quiet
# What is undefined ends a search, as it ends a test.
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}"
for name in ${FUZZERS:-wire noise scan unpack wrapped xls entry evidence receipt witness age csv attribute history guard forwarded sift}; do
	mkdir -p "build-fuzz/found/$name"
	# libgsf loses some bytes of a damaged directory; intake lives for one list.
	leaks=1
	[ "$name" != wrapped ] || leaks=0
	printf '== %s\n' "$name"
	ASAN_OPTIONS=detect_leaks=$leaks "build-fuzz/tests/fuzz/fuzz-$name" -max_total_time="${FUZZ_SECONDS:-600}" -max_len=4096 \
		-print_final_stats=1 -artifact_prefix="build-fuzz/found/$name-" \
		"build-fuzz/found/$name" "tests/fuzz/corpus/$name" 2>"build-fuzz/found/$name.log" || {
		tail -30 "build-fuzz/found/$name.log" >&2
		exit 1
	}
	grep -E 'stat::(number_of_executed_units|new_units_added)' "build-fuzz/found/$name.log"
done
