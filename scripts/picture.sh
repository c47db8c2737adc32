#!/bin/sh
# Makes docs/main-job.svg: the main job on a small sample house, as a terminal shows it.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
bin=${AZUKARI:-$PWD/build/src/cli/azukari}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work/state" AZUKARI_HOUSE="$work/demo/house" AZUKARI_KEY="$work/demo/aoki.key"
mkdir -p "$XDG_STATE_HOME"
cd "$work"
"$bin" demo --people 2000 --clients 2 --seed 1 demo >/dev/null 2>&1
cd demo
mobile=$(awk -F, 'NR > 1 && $9 ~ /^090/ { print $9; exit }' lists/c02.csv)
phone=$(awk -F, 'NR > 1 && seen[$8]++ { print $8; exit }' lists/c02.csv)
run() { # who, lines, arguments…
	who=$1 lines=$2
	shift 2
	printf '$ azukari --key %s.key %s\n' "$who" "$*"
	AZUKARI_KEY=$who.key "$bin" "$@" 2>&1 | grep -v UNSEALED | sed 's/  *$//' | cut -c1-104 | head -n "$lines"
	echo
}
{
	run ito 8 disclose --client c02 --purpose checkup --by "mobile=$mobile" --reason enquiry --call 8841
	run ito 4 disclose --client c02 --purpose checkup --by "phone=$phone" --reason enquiry
	run kato 2 disclose --client c02 --purpose checkup --by "mobile=$mobile" --reason enquiry
	run aoki 3 ledger verify --client c02
} | sed '$d' | python3 "$top/scripts/picture.py" 'azukari: one call, one person, evidence first' >"$top/docs/main-job.svg"
