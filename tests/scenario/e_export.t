#!/bin/sh
# What leaves the ledger for others: checkpoint, proof, the whole log; and what an export refuses.
. "$(dirname "$0")/lib.sh"
found
run client add c01 --name 'City of Example'
run client add c02 --name 'City of Nothing'
run purpose add c01/checkup --fields name,phone --roles agent --until 2030-12-31
printf 'number,name,phone\n1,planted name,03-1234-5678\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
see() { as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry; }
see

run ledger checkpoint --client c01
gives 0 'a checkpoint'
is "$(sed -n 2p out)" 2 'of two entries'
run ledger checkpoint --client c01 --out cp
[ "$code" -eq 0 ] && [ "$(sed -n 3p cp | wc -c)" -eq 45 ]
ok 'also into a file'
run ledger proof --client c01 1
gives 0 'a proof of an entry'
is "$(sed -n 1p out)" c2sp.org/tlog-proof@v1 'in its form'
run ledger proof --client c01 2
gives 1 'none of an entry that is not there'
run ledger proof --client c01 x
gives 2 'nor of what is no number'
run ledger checkpoint --client c02
gives 1 'no checkpoint of a log without an entry'
run ledger checkpoint --client c09
gives 1 'nor of no client'

run --json ledger export --log c01 tree
gives 0 'an export'
is "$(json .size)" 2 'of two entries'
is "$(cat tree/vkey)" "$(json .vkey)" 'with the key of the log'
is "$(wc -c <tree/tile/0/000.p/2)" 64 'a partial tile'
! LC_ALL=C grep -raq planted tree
ok 'and no value of a record (I4)'
for _ in 1 2 3; do see; done
run --json ledger export --log c01 tree
is "$(json .size) $(json .new)" '5 3' 'an older export is brought up to date'
is "$(sed -n 2p tree/checkpoint)" 5 'its checkpoint last'
run ledger export --log house tree
gives 4 'not with another log (I5)'
cp -a tree forked
sed '3{s/^x/y/;t;s/^./x/}' tree/checkpoint >forked/checkpoint
run ledger export --log c01 forked
[ "$code" -eq 4 ] || [ "$code" -eq 1 ]
ok "nor one with another history (I5, exit $code)"
cmp -s forked/tile/entries/000.p/5 tree/tile/entries/000.p/5
ok 'and nothing was written'

for who in ito mori; do
	as $who ledger export --log c01 no-$who
	gives 3 "$who may not export"
	as $who ledger checkpoint --client c01
	gives 3 "nor have a checkpoint"
	as $who ledger proof --client c01 0
	gives 3 "nor a proof"
	[ -z "$(find no-$who -type f)" ]
	ok 'and gets no file'
done
for who in sato kato; do
	as $who ledger export --log c01 tree-$who
	gives 0 "$who may"
done
run --json ledger query --max 200
is "$(json '[.entries[] | select(.type == "ledger-exported")] | length')" 4 'each export is an entry'

# Changed on the disk: an export is what was written, or nothing.
for _ in $(seq 100); do
	pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || break
	sleep 0.1
done
flip "$AZUKARI_HOUSE/keeper/ledger/log-00000001/entries" 100
run ledger export --log c01 changed
gives 4 'a changed entry is not exported (I5)'
[ ! -e changed/checkpoint ]
ok 'and no checkpoint is there'
plan
