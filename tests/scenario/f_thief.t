#!/bin/sh
# A steady thief who stays inside every rate: stopped after exactly the number that the policy promises, counted over the ledger that
# there is, whatever happens to house, session, key and clock meanwhile.
. "$(dirname "$0")/lib.sh"
[ -n "${AZUKARI_JUMP:-}" ] || skip_rest 'nothing is preloaded into a sanitized program'
found
cp "$AZUKARI_JUMP" jump.so
truncate -s 8 jump.so.by
chmod 755 "$work" # a keeper of another user reads it, too
move() { # seconds
	python3 -c 'import struct,sys; open("jump.so.by","r+b").write(struct.pack("<q", int(float(sys.argv[1])*1e6)))' "$1"
	sleep 2.2
}
preloaded() {
	export LD_PRELOAD="$work/jump.so"
	serve
	unset LD_PRELOAD
}
day=86400
preloaded
run client add c01 --name One
run purpose add c01/p --fields name --roles agent --until 2099-01-01
for desk in one two; do
	run device key --out $desk.key
	run device add $desk --public "$(cat out)"
done
run staff key --out thief.key --name thief
run staff add thief --role agent --public "$(cat out)"
{
	echo number,name
	for i in $(seq 60); do printf '%d,Person %d\n' "$i" "$i"; done
} >list.csv
as mori entrust --client c01 --purpose p --as-of 2026-01-01 list.csv
budget() { run policy add agent --calls 100/100/100 --searches 5/8/12 --minute 1000 --hour 1000 --slow 1; }
budget
gives 0 'five new people in a day, eight in thirty, a review after twelve'
who=thief
see() { AZUKARI_KEY=$work/$who.key run disclose --client c01 --purpose p --by number="$1" --reason enquiry; }
new() { # number, what
	see "$1"
	gives 0 "$2: person $1 is seen"
}
stopped() { # number, what
	see "$1"
	gives 5 "$2: person $1 is not"
	! grep -q Person out
	ok "$2: nor anything of them"
}
# What the ledger says that the thief has seen, and what the house counts.
seen() {
	run --json ledger query --client c01 --staff thief --max 500
	json '[.entries[] | select(.type == "disclosed") | .record] | unique | length'
}
counted() { # a limit
	run --json policy list thief
	json ".policy[0].searches_used.$1 // .policy[0].searches.$1"
}

for n in 1 2 3; do new $n 'inside the rate'; done
stop
preloaded
new 4 'after a restart'
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do
	run status
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
new 5 'after kill -9'
stopped 6 'the sixth'
new 2 'going back to somebody'
is "$(seen)" 5 'the ledger has five'
is "$(counted day)" 5 'and so has the count'

# Another device, a session that takes over, another key: the same human.
AZUKARI_DEVICE=$work/one.key
export AZUKARI_DEVICE
stopped 6 'at another device'
AZUKARI_DEVICE=$work/two.key
stopped 7 'taking the session over'
AZUKARI_DEVICE=$work/one.key
stopped 8 'and over again'
unset AZUKARI_DEVICE
run staff key --out thief2.key --name thief
run staff rekey thief --public "$(cat out)"
who=thief2
stopped 6 'with another key'
see 2
gives 0 'the same human, with whom they saw'

# The clock.
move -$((2 * day))
stopped 6 'on a clock that was set back'
stop
preloaded
stopped 6 'and started anew on it'
rm -f "$AZUKARI_HOUSE/keeper/budgets"
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do
	run status
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
stopped 6 'counted again from the ledger on it'
move $((day / 2))
stopped 6 'half a day later'
move $((day + 60))
for n in 6 7 8; do new $n 'the next day'; done
stopped 9 'the ninth in thirty days, with room in the day'
is "$(counted month)" 8 'eight'
is "$(seen)" 8 'of the ledger'
move 0
stopped 9 'and back'
stop
preloaded
stopped 9 'and back, and started anew'
move $((8 * day))
stopped 9 'a week later'
move $((33 * day))
for n in 9 10 11 12; do new $n 'a month later'; done
is "$(seen)" 12 'twelve of the ledger'
run --json ledger query --max 300
is "$(json '[.entries[] | select(.type == "alarm" and .outcome == "limit reached")] | length')" 1 'a review is due, and an alarm says so'
stopped 13 'and one question an hour is left, which they have just had'
stopped 14 'nor another one'
stop

# An extension that has expired stays so on a clock that is set back.
preloaded
run policy review thief --of searches --life 40
run policy extend thief --of searches --day 9 --month 9 --until "$(date -u -d "+33 days" +%F)"
gives 0 'an officer extends it for a day'
extended=$code
move $((36 * day))
for n in 21 22 23 24; do new $n 'the extension is over, and four of the last thirty days count'; done
stopped 25 'the fifth'
move $((33 * day))
before=$(seen)
for n in 31 32 33 34 35 36 37 38 39; do see $n; done
is "$(seen)" "$before" 'the extension of a day that is over is not to be had by setting the clock back'
run ledger verify
gives 0 'the ledger holds'
stop

# A loss that was declared: allowances begin at nothing, and then with what the ledger still has.
move $((80 * day))
preloaded
run backup older
run key backup house.keys
for n in 41 42 43; do new $n 'behind the backup'; done
stop
run --house lost restore older --keys house.keys
AZUKARI_HOUSE=$work/lost
preloaded
run status
gives 4 'what was seen is more than there is (I5)'
run restore --declare-loss
gives 0 'two people, or here one, declare it'
for _ in $(seq 100); do
	run status
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
stopped 50 'after a declared loss nobody sees anybody (I9)'
stopped 2 'not even whom they saw'
run --json policy list
is "$(json '[.policy[] | select(.role != null) | .house.searches.day] | add')" 0 'since every budget is taken away'
budget
run policy review thief --of searches --life 100
for n in 51 52 53 54 55; do new $n 'decided anew'; done
stopped 56 'and no more than that'
is "$(counted day)" 5 'exactly over the ledger that is left'
run ledger verify
gives 0 'the ledger holds'
plan
