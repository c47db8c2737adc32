#!/bin/sh
# Measures how well traces are attributed, on worlds made for it (tests/eval), and how well rows are linked. The seed is
# the hash of what is in src/trace, so that nobody can fit the model to the worlds it is measured on. Exit 1 if a bar is
# missed.
#
#	EVAL_RUNS  of each class (1000)     EVAL_BUILD  the build folder (build-bench)
set -eu
cd "$(dirname "$0")/.."
build=${EVAL_BUILD:-build-bench}
seed=$(find src/trace -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-16)

[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release -Db_ndebug=false >&2
ninja -C "$build" --quiet tests/eval/eval tests/eval/eval-febrl tests/eval/eval-lists >&2

met=0
data=$(meson introspect "$build" --buildoptions | jq -r '.[] | select(.name == "test_data").value')
"$build/tests/eval/eval-febrl" "${data:-../shared/data}/febrl" || {
	[ $? -eq 77 ] && echo 'FEBRL: its files are not here (see tests/eval/febrl.c)' || met=1
}
echo
"$build/tests/eval/eval-lists" "$seed" 20000 || met=1
echo
"$build/tests/eval/eval" "$seed" "${EVAL_RUNS:-1000}" || met=1
exit $met
