#!/bin/sh
# Whether a field is a value: yes or no, and few tries.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone:last4,birth:check,x:plan --roles agent --until 2030-12-31
gives 0 'a purpose has a field that is not shown'
run purpose add c01/desk --fields name,birth --roles supervisor --until 2030-12-31
run purpose add c01/blind --fields birth:check --roles agent --until 2030-12-31
gives 1 'a purpose that shows nothing is none'
cat >list.csv <<'END'
number,name,phone,birth,email,plan
1,Ann Lee,03-1234-5678,1980-03-04,ann@example.jp,Blue
2,Bob Ray,090-1111-2222,1975-12-01,bob@example.jp,Green
3,Ann Lee,03-9999-0000,1990-01-02,,Red
4,Dan Fox,03-1234-5678,1960-06-06,dan@example.jp,Red
5,Eve Kay,03-5555-5555,,eve@example.jp,
END
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 --columns number=number,name=name,phone=phone,birth=birth,email=email,x:plan=plan list.csv
gives 0 'a list is there'
check() { as ito --json check --client c01 --purpose checkup "$@"; }
says() { # expected answer, what
	is "$code:$(json .answer)" "0:$1" "$2"
}

# Yes and no.
check --by number=1 --is birth=1980-03-04
says yes 'a birth date that is not shown is right'
is "$(json 'keys_unsorted | join(" ")')" 'record field answer wrong_left ledger' 'and nothing else is said'
is "$(json .wrong_left)" 3 'a right one costs no try'
check --by number=1 --is 'birth=昭和55年3月4日'
says yes 'however it is written'
check --by phone=090-1111-2222 --is phone=0901111222
says no 'of a field that is shown in part'
is "$(json .wrong_left)" 2 'a wrong one costs one'
check --by phone=090-1111-2222 --is 'phone=090 1111 2222'
says yes 'and is right'
check --by number=1 --is 'name=ANN LEE'
says yes 'a name'
check --by number=2 --is 'x:plan=green'
says yes "a client's own field"
check --by number=5 --is birth=1900-01-01
says no 'nothing is never yes (I9)'
check --by number=5 --is 'x:plan= '
says no 'nor is a blank (I9)'
as ito check --client c01 --purpose checkup --by number=1 --is birth=1980-03-04
is "$(cat out)" yes 'a person reads yes'
! grep -qE 'Ann|1980|5678' out err
ok 'and nothing of the person'

# What is not answered.
as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry
gives 0 'the person is shown'
! grep -q 1980 out
ok 'without the field that may only be checked'
check --by number=1 --is email=ann@example.jp
gives 3 'a field that the purpose does not have'
check --by number=1 --is x:unheard-of=1
gives 3 'nor one that nobody has'
check --by number=1 --is address=x
gives 3 'nor another one'
check --by number=99 --is birth=1980-03-04
gives 1 'somebody who is not there'
check --by name='Ann Lee' --is birth=1980-03-04
gives 1 'a name alone finds nobody'
check --by phone=03-1234-5678 --is birth=1980-03-04
gives 5 'two people are not checked'
is "$(json '[.error.matches, (.error.kinds | index("name+birth") != null)] | map(tostring) | join(" ")')" '2 true' 'they are counted, and what tells them apart is named (I3)'
check --by number=1 --is birth=
gives 2 'an empty value'
check --by number=1
gives 2 'no value'
check --is birth=1980-03-04
gives 2 'nobody'
check --by number=1 --is birth=1980-03-04 --is name=Ann
gives 2 'two fields'
check --by number=1 --is shoe=44
gives 2 'a field that is none'
for who in aoki sato kato; do
	as $who check --client c01 --purpose checkup --by number=1 --is birth=1980-03-04
	gives 3 "not for $who"
done
as mori check --client c01 --purpose checkup --by number=1 --is birth=1980-03-04
gives 3 'not for a role that the purpose is not for'
as ito check --client c01 --purpose desk --by number=1 --is birth=1980-03-04
gives 3 'nor the other way about'
as ito check --client c01 --purpose none --by number=1 --is birth=1980-03-04
gives 3 'nor for a purpose that is not there'
run restrict --client c01 --purpose checkup --record 1 --fields birth
check --by number=1 --is birth=1980-03-04
gives 3 'a restricted field is not compared'
run restrict --client c01 --purpose checkup --record 1 --fields birth --lift

# Three wrong ones.
for guess in 1980-01-01 1980-01-02 1980-01-03; do
	check --by number=1 --is birth=$guess
	says no "$guess"
done
is "$(json .wrong_left)" 0 'then none is left'
check --by number=1 --is birth=1980-03-04
gives 5 'the right one is refused, too'
check --by number=1 --is phone=03-1234-5678
gives 5 'so is another field'
check --by number=2 --is birth=1975-12-01
says yes 'another person is not concerned'
stop
serve
check --by number=1 --is birth=1980-03-04
gives 5 'a restart forgets nothing (I8)'
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do
	check --by number=1 --is birth=1980-03-04
	[ "$code" -eq 5 ] && ! grep -q keeper err && break
	sleep 0.1
done
gives 5 'nor does a keeper that dies (I8)'
# The vault may come back later: a right answer about somebody else needs it, and costs no try.
for _ in $(seq 100); do
	check --by number=2 --is birth=1975-12-01
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
says yes 'with the vault that died with it'
for i in $(seq 12); do
	AZUKARI_KEY=$work/ito.key "$az" --json check --client c01 --purpose checkup --by number=3 --is birth=1990-01-0$((i % 7 + 3)) >"many.$i" 2>/dev/null &
	pids="${pids:-} $!"
done
for pid in $pids; do wait "$pid"; done
is "$(cat many.* | jq -s '[.[] | select(.answer == "no")] | length')" 3 'of twelve at once three are answered'

# What is written down.
run --json ledger query --client c01 --max 500
is "$(json '[.entries[] | select(.type == "checked")] | length >= 15')" true 'each opened row is an entry'
json '[.entries[].type] | index("checked") as $c | .[$c - 1]' | grep -q 'check-answered'
ok 'and each answer'
is "$(json '[.entries[] | select(.type == "check-answered" and .outcome == "conflict" and .staff == "ito")] | length')" 9 'the wrong ones are known, and whose they are (I2)'
! grep -rqF 1980-01-02 "$AZUKARI_HOUSE" "$XDG_STATE_HOME"
ok 'what was guessed lies nowhere (I4)'

# Budgets: a check is a search, also in a call.
check --by number=5 --is name='Eve Kay' --call 77
says yes 'in a call'
run policy add agent --calls 500/5000/50000 --searches 0/0/0 --minute 300 --hour 3000 --slow 20
as ito disclose --client c01 --purpose checkup --by number=4 --reason enquiry --call 78
gives 0 'calls have a budget'
check --by number=4 --is name='Dan Fox' --call 79
gives 5 'searches have none: no check, whatever the call'
run ledger verify
gives 0 'the ledger holds'
plan
