#!/bin/sh
# What days bring: the logs commit to each other, and cosignatures grow old.
. "$(dirname "$0")/lib.sh"
[ -n "${AZUKARI_JUMP:-}" ] || skip_rest 'nothing is preloaded into a sanitized program'
verify=${AZUKARI_VERIFY:?the program under test}
found
cp "$AZUKARI_JUMP" jump.so
truncate -s 8 jump.so.by
chmod 755 "$work" # a keeper of another user reads it, too
move() { # seconds
	python3 -c 'import struct,sys; open("jump.so.by","r+b").write(struct.pack("<q", int(float(sys.argv[1])*1e6)))' "$1"
	sleep 2.5
}
preloaded() {
	export LD_PRELOAD="$work/jump.so"
	serve
	unset LD_PRELOAD
}
day=86400
for client in c01 c02; do
	run client add $client --name "$client"
	run purpose add $client/p --fields name --roles agent --until 2040-12-31
	printf 'number,name\n1,planted name\n' >list.csv
	as mori entrust --client $client --purpose p --as-of 2026-04-01 list.csv
done
run client add c03 --name 'Not yet here'
see() { as ito disclose --client "${1:-c01}" --purpose p --by number=1 --reason enquiry; }
see
see c02
check() {
	code=0
	timeout -k 2 60 "$verify" "$@" >out 2>err </dev/null || code=$?
}
# Exports of both: the house's log is the newer one.
exports() { # folders
	run ledger export --log c01 "$1"
	[ $# -lt 2 ] || run ledger export "$2"
}
commitments() { # folder
	check --json log "$1"
	json '.log.types.committed // 0'
}
preloaded
exports c01 house-log
is "$(commitments c01) $(commitments house-log)" '0 0' 'on its first day a house commits to nothing'
check log c01 --other house-log
gives 0 'which is no fault'
grep -q 'does not say yet' out
ok 'and is said'

# --- a day later
move $day
exports c01 house-log
is "$(commitments c01) $(commitments house-log)" '1 3' 'a day later each log that has entries does'
check --json log c01 --vkey c01/vkey --other house-log --other-vkey house-log/vkey
is "$code $(json '.log.other | "\(.about_it.commitments) \(.about_this.commitments) \(.about_this.size) \(.key_known)"')" '0 1 1 2 true' "and each is as the other says"
check log house-log --other c01
gives 0 'the other way round, too'
check log c01 --other house-log --story
grep -q 'the house.s own log has [0-9]* entries, root [0-9a-f]' out
ok 'the story tells it'
run ledger verify
gives 0 'the house finds it so, too'
stop
preloaded
exports c01 house-log
is "$(commitments c01) $(commitments house-log)" '1 3' 'once a day, whoever starts it again'
move 10
move $day
exports c01 house-log
is "$(commitments c01)" 1 'a clock that goes back makes no second day'
move $((5 * day))
exports c01 house-log
is "$(commitments c01) $(commitments house-log)" '2 6' 'and days that nobody saw are one'

# --- what does not fit
check log c01 --other c01
gives 1 'a log is not the other of itself'
check log c01 --other-vkey house-log/vkey
gives 2 'a key of nothing'
check log c01 --other house-log --other-vkey c01/vkey
gives 4 'the wrong key'
run ledger export --log c02 c02
check log c01 --other c02
gives 1 "two clients' logs say nothing of each other"
check log c01 --other /nonexistent
gives 1 'no folder'
cp -a house-log early
cp -a c01 early-c01
see
move $((6 * day))
exports c01
check log c01 --other early
gives 4 "a house's log that ends before what the client's knows of it"
grep -q 'export it again, or entries are missing' err
ok 'is said to be too short'
exports c01 house-log
check log house-log --other early-c01
gives 4 "nor does the client's of before"

# --- the same key, another history
stop
cp -a house fork
cp -a state fork-state
other_life() {
	export AZUKARI_HOUSE="$work/fork" XDG_STATE_HOME="$work/fork-state"
}
preloaded
see
see
move $((7 * day))
exports c01 house-log
check log c01 --other house-log
gives 0 'the one life fits'
stop
(
	other_life
	see
	as ito disclose --client c01 --purpose p --by number=1 --reason complaint
	for _ in 1 2 3 4 5 6; do see; done
	sleep 1.2
	run ledger export --log c01 forked
)
check log forked --vkey c01/vkey
gives 0 'a log that was written anew by whoever has its key is good by itself'
check log forked --vkey c01/vkey --other house-log
gives 4 'and contradicts what the house said of it'
grep -q 'are not those of' err
ok 'by its root'
check log forked --newest c01/checkpoint
gives 4 'as it does a checkpoint'

# --- another house
(
	export AZUKARI_HOUSE="$work/second" AZUKARI_KEY="$work/second.key"
	run init --house "$AZUKARI_HOUSE" --officer aoki --key-out "$AZUKARI_KEY" --unsealed
	run ledger export second-log
)
check log c01 --other second-log
gives 1 'logs of two houses are not compared'

# --- how old cosignatures may be
"$verify" witness w --init witness.example/w >/dev/null
cp c01/vkey w/logs/c01.vkey
cp house-log/vkey w/logs/house.vkey
cp c02/vkey w/logs/c02.vkey
LD_PRELOAD="$work/jump.so" "$verify" witness w --listen 127.0.0.1:0 >w.log 2>&1 &
witness=$!
trap 'kill $witness 2>/dev/null; finish' EXIT
for _ in $(seq 100); do
	port=$(sed -n 's/^listening on port \([0-9]*\) .*/\1/p' w.log)
	[ -n "$port" ] && break
	sleep 0.05
done
preloaded
vouch() { # client, none for the house's own log
	rm -rf vouched
	if [ -n "$1" ]; then run ledger export --log "$1" vouched; else run ledger export vouched; fi
	run ledger cosign --witness "http://127.0.0.1:$port" --witness-vkey w/vkey vouched
	run witness tell vouched
}
state() {
	run --json status
	json '.witness | .state + " " + (.stale_logs | sort | join(","))'
}
alarms() {
	run --json ledger query --max 500
	json '[.entries[] | select(.type == "alarm")] | length'
}
run witness limit 30
run witness add w --vkey w/vkey
vouch ''
gives 0 "the house's log is cosigned"
vouch c01
gives 0 "and a client's"
is "$(state)" 'fresh ' 'what nobody cosigned has as long'
as sato case open --reason suspicion
gives 0 'a case is asked for'
run approve "$(grep -o '[0-9]*' out | tail -1)"
as sato case close 1
before=$(alarms)
move $((7 * day + 31 * 3600))
is "$(state)" 'stale: exports and cases are stopped c01,c02,house' 'after 30 hours all are stale'
is "$(alarms)" "$((before + 1))" 'which is one alarm'
as sato case open --reason suspicion
gives 3 'no case is opened'
grep -q '30 hours is the limit' err
ok 'and it is said why'
stop
preloaded
sleep 2.5
is "$(alarms)" "$((before + 1))" 'nor is the alarm raised again by the next keeper'
vouch c01
gives 0 'a log can be published and cosigned all the same'
vouch c02
gives 0 'another one'
as sato case open --reason suspicion --clients c01
gives 3 "not while the house's own is stale"
vouch ''
is "$(state)" 'fresh ' 'until all are fresh'
as sato case open --reason suspicion
gives 0 'then it is'

# An old checkpoint that is cosigned today makes nothing fresh.
run ledger export --log c01 old
see
move $((7 * day + 31 * 3600 + 20 * 3600))
see
move $((7 * day + 31 * 3600 + 32 * 3600))
rm -f old/cosigned
run ledger cosign --witness "http://127.0.0.1:$port" --witness-vkey w/vkey old
gives 0 'a witness vouches for what it is shown'
run witness tell old
gives 0 'and that is brought'
state >now
grep -q c01 now
ok 'but the entries behind it are as old as they are'
run witness limit none
is "$(state)" 'no limit is set ' 'without a limit nothing is stale'
run ledger verify
gives 0 'the ledger holds'
plan
