#!/bin/sh
# I5: with an anchor on another machine, a house that was put back as a whole is refused.
. "$(dirname "$0")/lib.sh"
verify=${AZUKARI_VERIFY:?the program under test}
found
anchor=$work/anchor
start() { # arguments of serve
	"$az" serve "$@" 2>serve.log &
	server=$!
	for _ in $(seq 200); do
		[ -n "$(pgrep -P "$server" -x azukari-keeper)" ] && run status && [ "$code" -eq 0 ] && return 0
		kill -0 "$server" 2>/dev/null || return 1
		sleep 0.05
	done
}
ends() { # the exit code of a serve that does not serve
	code=0
	timeout 30 "$az" serve "$@" 2>serve.log || code=$?
}
wait_idle() {
	for _ in $(seq 100); do
		pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || return
		sleep 0.1
	done
}
wait_idle
ends --anchor "$anchor"
gives 1 'a folder that is not there'
mkdir -m 777 "$anchor"
start --anchor "$anchor"
ok 'a house with an anchor'
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name --roles agent --until 2030-12-31
printf 'number,name\n1,planted name\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
run ledger checkpoint --client c01 --out cp
client=$(ls "$anchor" | grep -- '-g1-1\.checkpoint$')
cmp -s cp "$anchor/$client"
ok 'its checkpoint is in the anchor'
[ "$(ls "$anchor" | grep -c -- '-g1-house\.checkpoint$')" -eq 1 ]
ok 'and that of the house'
stop
gives 0 'stopped in order'
cp -a "$AZUKARI_HOUSE" old
cp -a "$XDG_STATE_HOME" old-state
start --anchor "$anchor"
ok 'it is continued'
as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry
gives 0 'somebody is seen'
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do run status && [ "$code" -eq 0 ] && break; sleep 0.1; done
gives 0 'a keeper that was killed starts again with its anchor (I8)'
run ledger export --log c01 tree
stop
is "$(sed -n 2p "$anchor/$client")" 2 'the anchor has the disclosure'
"$verify" log tree --newest "$anchor/$client" >out 2>err
ok 'a client can hold its log against it'

# Everything put back, the heads of all fronts too.
mv "$AZUKARI_HOUSE" new
cp -a old "$AZUKARI_HOUSE"
rm -rf "$XDG_STATE_HOME"
cp -a old-state "$XDG_STATE_HOME"
ends --anchor "$anchor"
gives 4 'the older house is refused'
grep -q 'its anchor' serve.log
ok 'and it says against what'
rm -rf "$AZUKARI_HOUSE"
mv new "$AZUKARI_HOUSE"
start --anchor "$anchor"
ok 'the newer one is served'
stop

# A loss that officers declare begins another life, and its anchor beside the old one.
rm -rf lost && mv "$AZUKARI_HOUSE" lost
cp -a old "$AZUKARI_HOUSE"
ends --anchor "$anchor"
gives 4 'the older house again'
run restore --declare-loss
gives 0 'its loss is declared'
wait_idle
cp "$anchor/$client" before
start --anchor "$anchor"
ok 'then it is served with the same anchor'
run ledger checkpoint --client c01 --out cp2
stop
cmp -s before "$anchor/$client"
ok 'which keeps what was lost as evidence'
cmp -s cp2 "$anchor/$(printf %s "$client" | sed 's/-g1-/-g2-/')"
ok 'and has what is new'
cp -a "$AZUKARI_HOUSE" old2
cp -a "$XDG_STATE_HOME" old2-state
start --anchor "$anchor"
as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry
stop
rm -rf "$AZUKARI_HOUSE" "$XDG_STATE_HOME"
cp -a old2 "$AZUKARI_HOUSE"
cp -a old2-state "$XDG_STATE_HOME"
ends --anchor "$anchor"
gives 4 'a house put back within its new life is refused'
client=$(printf %s "$client" | sed 's/-g1-/-g2-/')
flip "$anchor/$client" 5
ends --anchor "$anchor"
gives 4 'a changed anchor is refused'
! grep -q planted serve.log
ok 'no value of anybody is told (I4)'
plan
