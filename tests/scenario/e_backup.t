#!/bin/sh
# Backup and restore on ciphertext, and what a restored house is held to (I4, I5, I8).
. "$(dirname "$0")/lib.sh"
found
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone --roles agent --until 2030-12-31
printf 'number,name,phone\n1,planted name,03-1234-5678\n2,other person,03-1234-5679\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
see() { as ito disclose --client c01 --purpose checkup --by number="$1" --reason enquiry; }
# A transient one may linger: wait until nobody serves the house.
alone() {
	for _ in $(seq 200); do
		pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || return
		sleep 0.1
	done
}
at_house() { # a house, command…
	AZUKARI_HOUSE=$work/$1
	shift
	"$@"
	AZUKARI_HOUSE=$work/house
}
see 1
gives 0 'and somebody was seen'

# Who may, and what is refused.
for who in ito mori sato; do
	as $who backup no-$who
	gives 3 "$who may not back up"
	[ ! -e no-$who ]
	ok 'and nothing is left of it'
done
run backup
gives 2 'a folder is needed'
mkdir there
as kato backup there
gives 1 'one that is not there yet'
run --house nowhere backup b0
gives 1 'and a house'

# Of a live house, while people work.
serve
for _ in $(seq 25); do
	"$az" --key ito.key disclose --client c01 --purpose checkup --by number=2 --reason enquiry >/dev/null 2>&1 </dev/null
done &
working=$!
as kato --json backup live
gives 0 'a maintainer backs a live house up'
wait "$working"
cp out told
mkfifo pipe
"$az" --key mori.key entrust --client c01 --purpose checkup --as-of 2026-04-01 - <pipe >/dev/null 2>&1 &
entrusting=$!
exec 5>pipe
printf 'number,name,phone\n' >&5
sleep 0.5
as kato backup no-busy
gives 5 'not while a list is being entrusted'
[ ! -e no-busy ]
ok 'and nothing is left of it'
printf '1,planted name,03-1234-5678\n' >&5
exec 5>&-
wait "$entrusting"
ok 'which is not disturbed'
cp told out
is "$(json .live)" true 'as it is served'
run ledger query --max 300
grep -q backed-up out
ok 'the ledger says so'
as mori entrust --client c01 --purpose checkup --as-of 2026-04-02 list.csv
gives 0 'lists are taken again'
# One that is stopped in the middle: "$copying", with files half there.
halfway() { # folder
	AZUKARI_KEY=$work/kato.key "$az" backup "$1" >half.out 2>&1 </dev/null &
	copying=$!
	for _ in $(seq 2000); do
		[ -n "$(ls -d "$1".new-*/keeper 2>/dev/null)" ] && break
		sleep 0.002
	done
	kill -STOP "$copying"
}
halfway half
see 1
gives 0 'while files are copied people are seen'
as mori entrust --client c01 --purpose checkup --as-of 2026-04-02 list.csv
gives 5 'lists wait'
as ito correct --client c01 --purpose checkup --by number=1 --set name='Ann Other'
gives 5 'and corrections'
as kato backup second
gives 5 'and another backup'
kill -9 "$copying"
wait "$copying" 2>/dev/null
as mori entrust --client c01 --purpose checkup --as-of 2026-04-02 list.csv
gives 0 'one that was killed holds nobody up'
[ ! -e half ]
ok 'and is no backup'
run --house r0 restore "$(ls -d half.new-*)" --keys house.keys
gives 1 'nor is what is left of it'
rm -rf half.new-*
halfway half
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do
	run status
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
gives 0 'a keeper that dies meanwhile starts again'
kill -CONT "$copying"
code=0
wait "$copying" || code=$?
[ "$code" -ne 0 ]
ok "and what was copied is of no use (exit $code)"
[ -z "$(ls -d half* 2>/dev/null | grep -v out)" ]
ok 'and not kept'
stop
gives 0 'it stops'
! LC_ALL=C grep -raq -e planted -e 1234-5678 live
ok 'no value of a record is in it (I4)'
[ ! -e live/keeper/ring ] && [ ! -e live/secret ]
ok 'nor the key ring, nor a secret'

# Keys apart.
run key backup house.keys
gives 0 'keys are backed up apart'
grep -q 'IN PLAIN' out
ok 'of an unsealed house in plain, and it says so'
run key backup house.keys
gives 1 'not over another file'
run key backup x.keys --until 2020-01-01
gives 2 'nor until a day that is over'
run key backup now.keys --until "$(date -u +%F)"
gives 0 'until today'

run ledger export --log c01 old-log
gives 0 'a client has its log of this time'

# Restoring: the refusals.
run --house r0 restore live
gives 2 'no house without the key ring'
run --house r0 restore live --keys missing.keys
gives 1 'nor with keys that are not there'
run --house house restore live --keys house.keys
gives 1 'nor over a house'
run --house r0 restore there --keys house.keys
gives 1 'nor out of what is no backup'
damaged() { # what is done to a copy, the exit code, what
	rm -rf broken
	cp -a live broken
	eval "$1"
	run --house r0 restore broken --keys house.keys
	gives "$2" "$3"
	[ ! -e r0 ] && [ -z "$(find . -maxdepth 1 -name 'r0.new*')" ]
	ok 'nothing is left of it'
}
damaged 'truncate -s -1 broken/manifest' 1 'a torn backup'
damaged 'rm broken/manifest' 1 'one that was never finished'
damaged 'flip broken/manifest 60' 1 'one with a changed list'
damaged 'rm broken/vault/data.mdb' 4 'one that lacks a file'
damaged 'truncate -s -4096 broken/vault/data.mdb' 4 'one with a file that is cut short'
damaged 'flip broken/keeper/house.db 5000' 4 'one with a changed byte'
damaged 'cp broken/keeper/ledger/log-00000001/entries broken/keeper/ledger/log-00000000/entries' 4 'one with a swapped file'
damaged 'rm broken/keeper/house.db; ln -s ../../live/keeper/house.db broken/keeper/house.db' 1 'one with a link'
cp house.keys torn.keys
truncate -s -1 torn.keys
run --house r0 restore live --keys torn.keys
gives 1 'keys that are cut short'
AZUKARI_HOUSE=$work/other
run init --house other --officer aoki --key-out other.key --unsealed
run key backup other.keys
AZUKARI_HOUSE=$work/house
run --house r0 restore live --keys other.keys
gives 1 'keys of another house'
if command -v faketime >/dev/null; then
	faketime '+3 days' "$az" --house r0 restore live --keys now.keys >out 2>err
	code=$?
	gives 3 'keys that were to be destroyed by now'
fi

# What the files say is for the keeper to believe: a list made anew over swapped files helps nobody.
cp -a house before
see 1
alone
run backup stopped
gives 0 'a house that nobody serves is backed up, too'
grep -q 'keys are not in it' out
ok 'which says what is not there'

# Without loss: nothing was done since.
run --house again restore stopped --keys house.keys
gives 0 'a house is restored to another folder'
at_house again run ledger verify
gives 0 'its ledger holds, also before who has seen it (I8)'
at_house again see 1
gives 0 'people are seen as before'
grep -q 'planted name' out
ok 'with their data'
at_house again run policy list ito
gives 0 'and were counted'
AZUKARI_HOUSE=$work/again alone

# With loss: the newest head was seen in the other folder.
run --house behind restore live --keys house.keys
gives 0 'an older backup is restored'
at_house behind run status
gives 4 'under a newer head it is refused (I5)'
grep -q 'it has' err
ok 'with how much is missing'
at_house behind see 1
gives 4 'to everybody who has seen more'
# It outgrows what was seen: that is no excuse, and what was seen is not forgotten over it.
XDG_STATE_HOME=$work/empty
mkdir empty
for _ in $(seq 70); do at_house behind run policy list; done
XDG_STATE_HOME=$work/state
for which in once twice; do
	at_house behind run status
	grep -q 'another history' err
	ok 'it has outgrown'
	gives 4 "a longer history in place of the one that was seen is refused $which (I5)"
done
XDG_STATE_HOME=$work/empty
at_house behind run --json status
gives 0 'who has seen nothing is let in: that is why heads are kept'
is "$(json .generation)" 1 'to the old generation'
at_house behind run restore --declare-loss
gives 1 'and has nothing to declare'
XDG_STATE_HOME=$work/state
at_house again run restore --declare-loss
gives 1 'of a house that lost nothing there is no loss to declare'
grep -q 'nothing is lost' out err
ok 'it says'
for who in ito mori sato kato; do
	at_house behind as $who restore --declare-loss
	gives 3 "$who does not declare a loss"
done
at_house behind run --despite-loss client list
gives 2 'nothing else is done despite a loss'
at_house behind run --json restore --declare-loss
gives 0 'an officer does, in an unsealed house alone'
is "$(json .id)" 2 'and begins the second generation'
at_house behind run --json status
gives 0 'from then on the house is open'
is "$(json .generation)" 2 'in its new life'
grep -q 'has declared a loss' err
ok 'and says to who saw more what happened'
at_house behind run --json status
! grep -q 'declared a loss' err
ok 'once'
at_house behind run ledger checkpoint --client c01
sed -n 1p out | grep -q '/g2/1$'
ok 'logs have another origin'
at_house behind run --json ledger query --client c01
is "$(json '[.entries[] | select(.type == "declared-loss")] | length')" 1 "the client's log names what it lost"
at_house behind run --json ledger query
json '.entries[].type' | grep -q declared-loss
ok 'and the house its own'
at_house behind run ledger verify
gives 0 'the ledger holds'
at_house behind run ledger export --log c01 c01-log
"${AZUKARI_VERIFY:?the program under test}" log c01-log --vkey c01-log/vkey --story >out 2>err
ok 'a client verifies its log in the new life'
grep -q 'declared a loss: .* generation 2; it had been seen with [0-9]* entries, root [0-9a-f]' out
ok 'and reads what it lost'
"$AZUKARI_VERIFY" log c01-log --vkey old-log/vkey >out 2>err
code=$?
[ "$code" -ne 0 ]
ok "with the key of the life before it is another log (I5, exit $code)"
at_house behind see 1
gives 5 'allowances start at zero: nobody is seen'
at_house behind run policy add agent --calls 10/10/10 --searches 10/10/10 --minute 10 --hour 10 --slow 10
gives 0 'until a budget is given anew'
at_house behind see 1
gives 0 'then somebody is'
run --house house status
gives 4 'the house that had more is another one now: whoever saw the new life refuses it (I5)'
AZUKARI_HOUSE=$work/behind alone
# A rollback of the new life is found like any other.
cp -a behind older
at_house behind see 2
at_house behind see 1
AZUKARI_HOUSE=$work/behind alone
mv behind newer
mv older behind
at_house behind see 1
gives 4 'a house put back within its new life is found (I5)'

# An older ring under a newer ledger.
run --house ring0 restore stopped --keys house.keys
AZUKARI_HOUSE=$work/ring0
rm -rf state
mkdir state
cp ring0/keeper/ring old-ring
as mori entrust --client c01 --purpose checkup --as-of 2026-04-03 list.csv
gives 0 'a newer list has a newer ring'
alone
cp old-ring ring0/keeper/ring
run status
gives 4 'an older ring is refused (I6)'
AZUKARI_HOUSE=$work/house
plan
