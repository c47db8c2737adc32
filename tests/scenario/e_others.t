#!/bin/sh
# What the house gives is checked by tools that are not ours: Go's sumdb packages, npm's @sigstore/verify. What was changed they refuse.
. "$(dirname "$0")/lib.sh"
azlog=${AZUKARI_AZLOG:-}
sigstore="${AZUKARI_NPM:-}/@sigstore/verify/dist/tlog/merkle.js"
[ -n "$azlog" ] || [ -f "$sigstore" ] || skip_rest 'neither Go with x/mod nor @sigstore/verify is there'
found
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name --roles agent --until 2030-12-31
printf 'number,name\n1,Ann Lee\n2,Bob Ray\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
see() { as ito disclose --client c01 --purpose checkup --by number="$1" --reason enquiry; }
see 1
run ledger checkpoint --client c01 --out older
for number in 2 1 9 2; do see $number; done
run ledger export --log c01 tree
gives 0 'an export'
run ledger export --log house house-tree
for i in 0 3 5; do run ledger proof --client c01 --out "proof-$i" $i; done

good() { # what, command…
	what=$1
	shift
	"$@" >out 2>err
	ok "$what"
}
bad() {
	what=$1
	shift
	! "$@" >out 2>err
	ok "$what"
}
if [ -n "$azlog" ]; then
	good 'Go: a checkpoint' "$azlog" checkpoint tree/vkey tree/checkpoint
	is "$(cut -d' ' -f1 out)" 6 'of six entries'
	good 'Go: the whole log, rebuilt' "$azlog" log tree/vkey tree older
	good 'Go: the log of the house' "$azlog" log house-tree/vkey house-tree
	good 'Go: consistency' "$azlog" consistency tree/vkey older tree/checkpoint tree
	for i in 0 3 5; do good "Go: inclusion of entry $i" "$azlog" inclusion tree/vkey proof-$i; done
	bad 'Go: another log' "$azlog" log house-tree/vkey tree
	bad 'Go: another history' "$azlog" log tree/vkey tree house-tree/checkpoint
	cp -a tree changed
	flip changed/tile/entries/000.p/6 300
	bad 'Go: a changed entry' "$azlog" log tree/vkey changed older
	sed 's/^index 3/index 2/' proof-3 >changed-proof
	bad 'Go: a changed proof' "$azlog" inclusion tree/vkey changed-proof
fi
if [ -f "$sigstore" ] && command -v node >/dev/null; then
	check() { node "$AZUKARI_SIGSTORE" "$AZUKARI_NPM" "$@"; }
	for i in 0 3 5; do
		good "sigstore: checkpoint and inclusion of entry $i" check tree/vkey proof-$i
		is "$(cat out)" "$i of 6" 'as it says'
	done
	sed 's/^index 3/index 2/' proof-3 >changed-proof
	bad 'sigstore: a changed proof' check tree/vkey changed-proof
	sed 's/^6$/7/' proof-3 >changed-proof
	bad 'sigstore: a changed checkpoint' check tree/vkey changed-proof
	bad 'sigstore: another log' check house-tree/vkey proof-3
fi
plan
