#!/bin/sh
# A vault that was captured while it serves: what it answers is not what was asked (I6), and what comes between an entry and
# the opening of a row (I1).
. "$(dirname "$0")/lib.sh"
[ -n "${AZUKARI_FALSE_VAULT:-}" ] || skip_rest 'nothing is preloaded into a sanitized program'
found
cp "$AZUKARI_FALSE_VAULT" false.so
printf 0 >false.so.how
chmod 755 "$work" # a vault of another user reads it, too
chmod 644 false.so.how
lies() { printf '%s' "$1" | dd of=false.so.how bs=1 conv=notrunc 2>/dev/null; }
export LD_PRELOAD="$work/false.so"
serve
unset LD_PRELOAD
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone --roles agent,supervisor --until 2030-12-31
printf 'number,name,phone\n1,planted one,03-1234-0001\n2,planted two,03-1234-0002\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list'
keeper=$(child_of_server azukari-keeper)
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }
correct() { as ito --json correct --client c01 --purpose checkup --record 1 "$@"; }
newest() { # the types of the newest entries of the client
	run --json ledger query --client c01 --max "$1"
	json '[.entries[].type] | join(" ")'
}
see --by number=1
is "$(json .fields.name)" 'planted one' 'an honest answer'
see --by phone=0312340002
is "$(json .fields.name)" 'planted two' 'and by telephone'

# --- answers that cannot be
withheld() { # what
	gives 4 "$1"
	! grep -q 'planted' out
	ok '  shows nothing'
	is "$(newest 1)" withheld '  and is an entry'
}
for lie in '1 of another request' '2 of another kind' '3 with nothing in it' '4 of more rows than it has' \
	'5 with something behind it' '6 that is cut short' '7 that failed for no reason' '8 that says that there is nobody' \
	'9 that says that it was denied'; do
	lies "${lie%% *}"
	see --by number=1
	withheld "an answer ${lie#* }"
	see --by phone=0312340001
	withheld "by telephone, an answer ${lie#* }"
	as ito --json check --client c01 --purpose checkup --by number=1 --reason enquiry --is 'name=planted one'
	withheld "to check, an answer ${lie#* }"
	correct --set 'name=other'
	withheld "to correct, an answer ${lie#* }"
done
lies 0
see --by number=1
is "$(json .fields.name)" 'planted one' 'honest again, it is believed again'
is "$(child_of_server azukari-keeper)" "$keeper" 'by the same keeper'

# --- corrected between the entry and the opening: the row for the correction comes before the one that is to be shown
vault=$(child_of_server azukari-vault)
lies s
kill -STOP "$vault"
AZUKARI_KEY=$work/mori.key "$az" correct --client c01 --purpose checkup --record 1 --set 'name=planted right' >corrected 2>&1 &
correcting=$!
sleep 1
AZUKARI_KEY=$work/ito.key "$az" --json disclose --client c01 --purpose checkup --reason enquiry --by number=1 >out 2>err &
seeing=$!
sleep 1
kill -CONT "$vault"
wait $correcting
ok 'somebody is corrected'
code=0
wait $seeing || code=$?
gives 5 'while their row is on its way to somebody else, who may ask again'
is "$(json .error.text)" 'record 1: it was corrected this moment; ask again' 'and is told why'
! grep -q planted out
ok 'the entry names another version than would be shown, so nothing is (I1)'
lies 0
is "$(newest 3)" 'disclosed corrected correcting' 'which is what the entries say'
see --by number=1
is "$(json '[.fields.name, .version] | join(" ")')" 'planted right 2' 'asked again, it is shown'

stop
serve
run ledger verify
gives 0 'the ledger holds'
plan
