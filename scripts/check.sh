#!/bin/sh
# Everything that must hold before a change lands: the tree's own rules, then the tests built by gcc, and by
# clang with the address and undefined-behaviour sanitizers.
set -eu
cd "$(dirname "$0")/.."
jobs=$(nproc)

step() { printf '\n== %s\n' "$*"; }

step 'rules of the tree'
scripts/format.sh
scripts/layering.sh
scripts/banned.sh
scripts/headers.sh

build() { # name, compiler, tests that are left out, meson options…
	name=$1
	compiler=$2
	which=$3
	shift 3
	step "build and test: $name"
	# Lines are what a failing test is told by; the rest of what a debugger wants is a sixth of the compiler's time.
	[ -f "build-$name/build.ninja" ] ||
		CC=$compiler meson setup "build-$name" -Dtestable=true -Dc_args=-g1 "$@" >/dev/null
	ninja -C "build-$name" -j "$jobs" --quiet
	# Many tests wait for two thirds of their time. $which is words.
	# shellcheck disable=SC2086
	meson test -C "build-$name" --no-rebuild --print-errorlogs --num-processes "$((jobs * 2 + 1))" $which
}

build gcc gcc ''
step 'the measurements still build'
ninja -C build-gcc -j "$jobs" --quiet bench/bench-ledger bench/bench-disclose bench/bench-list bench/bench-published bench/bench-sift
step 'manuals'
scripts/manuals.sh build-gcc/src/cli/azukari
# Faults, the kernel, great numbers, what runs no program of ours and the second of two tables are tried once.
build san clang '--no-suite once' -Db_sanitize=address,undefined -Db_lundef=false --optimization=1

step 'the build leaves the tree clean'
left=$(git status --porcelain --untracked-files=all 2>/dev/null | grep '^??' || true)
if [ -n "$left" ] && [ "${CI:-}" = true ]; then
	echo "untracked files after the build:" >&2
	echo "$left" >&2
	exit 1
fi

passed=$(cat build-gcc/meson-logs/testlog.json build-san/meson-logs/testlog.json | grep -c '"result": "OK"')
skipped=$(cat build-gcc/meson-logs/testlog.json build-san/meson-logs/testlog.json | grep -c '"result": "SKIP"' || true)
printf '\n%s passed, 0 failed, %s skipped\n' "$passed" "$skipped"
