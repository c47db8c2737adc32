#!/bin/sh
# What is too slow for every change: what clang makes without sanitizers, a fault at every point (hours), 100,000
# changes to published logs, then each fuzzer for ten minutes.
set -eu
cd "$(dirname "$0")/.."
[ -f build-gcc/build.ninja ] || CC=gcc meson setup build-gcc -Dtestable=true >/dev/null
ninja -C build-gcc --quiet
[ -f build-clang/build.ninja ] || CC=clang meson setup build-clang -Dtestable=true >/dev/null
ninja -C build-clang --quiet
meson test -C build-clang --no-rebuild --print-errorlogs --no-suite once
export AZUKARI="$PWD/build-gcc/src/cli/azukari" AZUKARI_SHIM="$PWD/build-gcc/tests/faults/libaz-faults.so" \
	AZUKARI_INSPECT="$PWD/build-gcc/tests/faults/faults-inspect"
bash tests/faults/drive.sh "${FAULT_POINTS:-0}"
build-gcc/tests/tamper/tamper "${TAMPER_CHANGES:-100000}" "${TAMPER_SEED:-1}" \
	$([ ! -x build-gcc/tests/others/azlog ] || echo build-gcc/tests/others/azlog)
AZUKARI_GUARD="$PWD/build-gcc/src/guard/azukari-guard" AZUKARI_FEED="$PWD/build-gcc/tests/scenario/scenario-feed" GUARD_EVERY=1 \
	sh tests/scenario/g_week.t
scripts/fuzz.sh
