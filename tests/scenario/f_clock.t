#!/bin/sh
# Time: a clock that is moved, and sessions that are taken over again and again.
. "$(dirname "$0")/lib.sh"
[ -n "${AZUKARI_JUMP:-}" ] || skip_rest 'nothing is preloaded into a sanitized program'
found
cp "$AZUKARI_JUMP" jump.so
move() { # seconds
	python3 -c 'import struct,sys; open("jump.so.by","r+b").write(struct.pack("<q", int(float(sys.argv[1])*1e6)))' "$1"
	sleep 2.5
}
truncate -s 8 jump.so.by
chmod 755 "$work" # a keeper of another user reads it, too
preloaded() {
	export LD_PRELOAD="$work/jump.so"
	serve
	unset LD_PRELOAD
}
jumps() {
	run --json ledger query --max 100
	json '[.entries[] | select(.type == "clock")] | reverse | map(.clock + " " + ((.milliseconds + 500) / 1000 | floor | tostring)) | join(", ")'
}
preloaded
sleep 2.5
is "$(jumps)" '' 'a clock that is left alone is no entry'
move 3600
is "$(jumps)" 'forwards 3600' 'an hour forwards is one'
move 3601
is "$(jumps)" 'forwards 3600' 'a second more is none'
move 3603
is "$(jumps)" 'forwards 3600, forwards 3' 'but small steps add up'
before=$(json '.entries[0].time')
move -600
is "$(jumps)" 'forwards 3600, forwards 3, back 4203' 'back is one'
run --json ledger query --max 1
[ "$(json '.entries[0].time')" '>' "$before" ] || [ "$(json '.entries[0].time')" = "$before" ]
ok 'and the ledger does not go back'
run ledger verify
gives 0 'it holds'
stop
gives 0 'the house stops'
move -7200
preloaded
jumps >all
grep -q 'back 4203, back ' all
ok "a clock that went back while nobody served the house, too ($(cat all))"
run ledger verify
gives 0 'it holds'

# What expires does so by the clock that there is: approvals, hand-overs, the hour of wrong answers.
move 0
run client add c01 --name C
run purpose add c01/p --fields name,phone:last4 --roles agent,supervisor --until 2030-12-31
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n' >list.csv
as mori entrust --client c01 --purpose p --as-of 2026-01-01 list.csv
as ito disclose --client c01 --purpose p --by number=1 --reason enquiry
as ito hand-over --client c01 --purpose p --record 1 --to mori --minutes 30
as mori disclose --client c01 --purpose p --record 1 --reason enquiry
gives 0 'somebody is handed over for half an hour'
check() { as ito --json check --client c01 --purpose p --by number=1 --is "$1"; }
for guess in 1 2 3; do check phone=03-1234-000$guess; done
check phone=03-1234-5678
gives 5 'three wrong values are the most for an hour'
move 1860
as mori disclose --client c01 --purpose p --record 1 --reason enquiry
gives 3 'half an hour later nobody is handed over'
check phone=03-1234-5678
gives 5 'and the hour is not over'
move 3660
check phone=03-1234-5678
is "$code $(json .answer)" '0 yes' 'then it is'
move 0
as mori ask --expires 1h client add c09 --name Nine
gives 0 'something is asked for an hour'
move 10800
run approve 1
gives 3 'which has passed on a clock that was moved (I7)'
move 0
run approve 1
gives 3 'and stays so on a clock that was set back again (I7)'
run --json approvals --all
is "$(json '.requests[] | select(.request == 1) | .state')" expired 'which shows'
stop
preloaded
run approve 1
gives 3 'also in a keeper that knows the time from its ledger alone (I7)'

# Whatever else has an end is over by it, and no clock that is set back brings it again.
tomorrow=$(date -u -d '+1 day' +%F)
run purpose add c01/q --fields name --roles agent --until "$tomorrow"
as mori entrust --client c01 --purpose q --as-of 2026-01-01 list.csv
run staff until sato "$tomorrow"
as ito disclose --client c01 --purpose q --by number=1 --reason enquiry
gives 0 'a purpose of a day'
as sato case list
gives 0 'and somebody with a last day'
for there in $((3 * 86400)) 0; do
	move $there
	as ito disclose --client c01 --purpose q --by number=1 --reason enquiry
	gives 3 "the purpose is over ($there s on)"
	as sato case list
	gives 3 "the person has left ($there s on)"
done
stop
preloaded
as ito disclose --client c01 --purpose q --by number=1 --reason enquiry
gives 3 'all of it also after a start: the purpose'
as sato case list
gives 3 'and the person'
stop
serve

# Take-overs. Each device has connections of its own, which stay while another signs in.
for desk in one two; do
	run device key --out $desk.key
	run device add $desk --public "$(cat out)"
done
alarms() {
	run --json ledger query --max 200
	json '[.entries[] | select(.type == "alarm" and .outcome == "conflict")] | length'
}
mkfifo never
exec 8<>never
swap() { # device: a session of mori's there, which lasts until the next
	for _ in 1 2 3 4 5; do
		AZUKARI_DEVICE=$work/$1.key AZUKARI_KEY=$work/mori.key "$az" entrust --client c01 --purpose p --as-of 2026-01-01 - <&8 >/dev/null 2>&1 &
		holder=$!
		sleep 1
		# The list before it may not have been given up yet: once more, from where they are now.
		kill -0 $holder 2>/dev/null && return
	done
}
swap one
is "$(alarms)" 0 'one sign-in is none'
swap two
swap one
is "$(alarms)" 0 'nor are two take-overs'
swap two
is "$(alarms)" 1 'three in ten minutes are an alarm'
run --json ledger query --staff mori --max 100
is "$(json '[.entries[] | select(.type == "taken-over")] | length')" 3 'each is an entry'
swap one
swap two
is "$(alarms)" 1 'two more are none'
swap one
is "$(alarms)" 2 'a third is another'
kill "$holder"
wait "$holder" 2>/dev/null
run ledger verify
gives 0 'the ledger holds'
plan
