#!/bin/sh
# Full lists and withdrawals: who may be found is what the client's lists say one after the other, whenever they come.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone --roles agent --until 2030-12-31
run purpose add c01/survey --fields name --roles agent --until 2030-12-31
give() { # purpose, as-of, mode, file, what
	as mori --json entrust --client c01 --purpose "$1" --as-of "$2" --mode "$3" "$4"
	gives 0 "$5"
}
see() { as ito --json disclose --client c01 --purpose "${purpose:-checkup}" --reason enquiry "$@"; }
gone() { # number, what
	see --by number="$1"
	gives 1 "$2: is not found by number"
	see --by phone="03-1234-000$1"
	gives 1 "$2: nor by telephone"
}
there() { # number, name, what
	see --by number="$1"
	is "$(json .fields.name)" "$2" "$3"
}
people() { # name of a list, numbers…
	file=$1
	shift
	echo number,name,phone >"$file"
	for n in "$@"; do echo "$n,Person $n,03-1234-000$n" >>"$file"; done
}

# --- full
people all.csv 1 2 3 4 5 6
give checkup 2026-04-01 add all.csv 'six people'
is "$(json '[.mode,.withdrawn,.absent] | join(" ")')" 'add 0 0' 'of whom nobody is taken away'
give survey 2026-04-01 add all.csv 'the same for another purpose'
people full.csv 1 2 3 7
sed -i 's/Person 2/Person two/' full.csv
give checkup 2026-05-01 full full.csv 'a full list of four'
is "$(json '[.mode,.accepted,.new_records,.new_versions,.unchanged,.absent,.withdrawn] | join(" ")')" 'full 4 1 1 2 3 0' \
	'three are absent'
full=$(json .consignment)
for n in 4 5 6; do gone $n "person $n, who is absent"; done
there 1 'Person 1' 'who is there is found'
there 2 'Person two' 'in the newest version'
there 7 'Person 7' 'and who is new'
purpose=survey
there 4 'Person 4' 'another purpose still has them'
purpose=checkup
see --by number=4
is "$(json '.error // .status // "none"' | head -c 400 | grep -c 'Person')" 0 'nothing is told of who is absent'
as ito attempt --client c01 --purpose checkup --by number=4 --outcome no-answer --reason outbound
gives 1 'an attempt for who is absent'
as ito correct --client c01 --purpose checkup --by number=4 --set name=X --reason enquiry
gives 1 'a correction of who is absent'
as ito stop --client c01 --purpose checkup --by number=4 --channel phone --reason outbound
gives 0 'a stop for who is absent, in case they come back'

# --- back, by a later list
people back.csv 4
give checkup 2026-05-02 add back.csv 'a later list has one of them again'
is "$(json '[.unchanged,.new_records,.absent] | join(" ")')" '1 0 0' 'unchanged'
there 4 'Person 4' 'who is found again'
is "$(json '.stops[0]')" phone 'with the stop that was set meanwhile'
gone 5 'while another absent person'

# --- late arrivals
people late.csv 5 6 8
give checkup 2026-04-20 add late.csv 'a list that arrives late, of before the full one'
is "$(json '[.new_records,.absent] | join(" ")')" '1 0' 'with somebody new'
for n in 5 6 8; do gone $n "person $n of the late list, whom the full one does not have"; done
people old.csv 1 5
give checkup 2026-03-01 full old.csv 'a full list that arrives late'
is "$(json .absent)" 0 'makes nobody absent'
there 2 'Person two' 'who is not in it is found as before'
there 4 'Person 4' 'whoever came later, too'
gone 5 'and it brings nobody back'

# --- withdraw
printf 'number\n1\n7\n9\n' >out.csv
give checkup 2026-05-03 withdraw out.csv 'a withdrawal of nothing but numbers'
is "$(json '[.mode,.accepted,.withdrawn,.unknown,.kept,.new_records,.new_versions,.absent] | join(" ")')" \
	'withdraw 3 2 1 0 1 0 0' 'two are withdrawn, one nobody knows'
gone 1 'who is withdrawn'
gone 7 'and the other'
there 2 'Person two' 'who is not in it stays'
purpose=survey
there 1 'Person 1' 'and is not withdrawn for another purpose'
purpose=checkup
give checkup 2026-05-03 withdraw out.csv 'the same again'
is "$(json '[.withdrawn,.unknown] | join(" ")')" '0 1' 'withdraws nobody twice'
people nine.csv 9
give checkup 2026-05-01 add nine.csv 'a late list with whom nobody knew when they were withdrawn'
gone 9 'stays withdrawn'
people later.csv 1
give checkup 2026-05-03 add later.csv 'a list of the same day that arrives afterwards'
there 1 'Person 1' 'brings one back'
give checkup 2026-05-02 withdraw out.csv 'a withdrawal that describes an earlier day'
is "$(json '[.withdrawn,.kept] | join(" ")')" '0 1' 'says whom a later list keeps'
there 1 'Person 1' 'and keeps them'
people same.csv 2
give checkup 2026-05-10 add same.csv 'a newer row'
give checkup 2026-05-10 withdraw same.csv 'and a withdrawal of the same day, of rows with names'
is "$(json .withdrawn)" 1 'withdraws, being the later to arrive'
see --by phone=03-1234-0002
gives 1 'by telephone, too'
as ito attempt --client c01 --purpose checkup --by number=2 --outcome no-answer --reason outbound
gives 1 'an attempt for who is withdrawn'

# --- campaigns, corrections, restrictions
run campaign add c01/spring --purpose checkup --until 2030-01-01
people camp.csv 3
as ito correct --client c01 --purpose checkup --by number=3 --set 'name=Person Three' --reason enquiry
gives 0 'a correction'
give checkup 2026-05-11 withdraw camp.csv 'and its person is withdrawn'
see --by number=3
gives 1 'not found'
as ito --json disclose --client c01 --purpose checkup --campaign spring --reason outbound --by number=3
gives 1 'nor in a campaign'
give checkup 2026-05-12 add camp.csv 'and delivered again'
there 3 'Person Three' 'the correction outlives it'

# --- refusals
as mori entrust --client c01 --purpose checkup --as-of 2026-05-13 --mode remove out.csv
gives 2 'a mode that is none'
as mori entrust --client c01 --purpose checkup --as-of 2026-05-13 --mode full out.csv
gives 1 'a full list of nothing but numbers'
there 4 'Person 4' 'makes nobody absent'
printf 'number,name\n' >none.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-05-13 --mode full none.csv
gives 1 'a full list of nobody'
there 4 'Person 4' 'makes nobody absent either'
printf 'number\n4\n\n4\n' >twice.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-05-13 --mode withdraw --strict twice.csv
gives 1 'a withdrawal with a row twice, strictly'
there 4 'Person 4' 'withdraws nobody'
printf 'name,phone\nAnn,03-1234-0004\n' >names.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-05-13 --mode withdraw names.csv
gives 1 'a withdrawal without numbers'
for who in ito sato kato; do
	as $who entrust --client c01 --purpose checkup --as-of 2026-05-13 --mode withdraw out.csv
	gives 3 "$who: withdraw"
	as $who entrust --client c01 --purpose checkup --as-of 2026-05-13 --mode full all.csv
	gives 3 "$who: a full list"
done
run campaign add c01/none --purpose checkup --until 2030-01-01 --lists 7
gives 1 'a campaign over a withdrawal'

# --- evidence, and a restart
verify=$(dirname "$az")/../verify/azukari-verify
as mori --json receipt "$full"
cp out full.receipt
"$verify" receipt full.receipt >out 2>err </dev/null
ok 'azukari-verify finds the receipt of a full list good'
sed 's/"absent": 3/"absent": 0/' full.receipt >false.receipt
! "$verify" receipt false.receipt >out 2>err </dev/null
ok 'and one that was changed not'
as mori --json receipt "$full"
is "$(jq -r '[.mode,.absent,.withdrawn] | join(" ")' out)" 'full 3 0' 'the receipt says so'
run --json ledger query --client c01 --max 300
is "$(json '[.entries[].type | select(. == "withdrawn")] | length')" 5 'each withdrawal is an entry'
is "$(json '[.entries[].type | select(. == "entrusted-full")] | length')" 2 'and each full list'
state() {
	for n in 1 2 3 4 5 6 7 8 9; do
		see --by number="$n"
		echo "$n $code $(jq -r '.fields.name // "-"' out)"
	done
}
state >before
stop
serve
state >after
cmp -s before after
ok 'a restart finds the same people'
kill -9 $(child_of_server azukari-keeper)
sleep 0.3
for _ in $(seq 50); do run status && [ "$code" -eq 0 ] && break; sleep 0.1; done
state >after
cmp -s before after
ok 'and so does a keeper that was killed (I8)'
printf 'number\n4\n' >four.csv
give checkup 2026-06-01 withdraw four.csv 'a withdrawal right before a kill'
kill -9 "$server" $(pgrep -P "$server") 2>/dev/null
wait "$server" 2>/dev/null
serve
gone 4 'is in force after it'
run ledger verify
gives 0 'and the ledger holds'
plan
