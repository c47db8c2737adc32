#!/bin/sh
# The house is away for a week, and the guard is killed at its writes: every event arrives, once, in order. The guard's other
# half is killed too, at each kind of write of its own, and so is the keeper.
. "$(dirname "$0")/lib.sh"
guard=${AZUKARI_GUARD:?the guard}
feed=${AZUKARI_FEED:?the tool that fills the queue}
shim=${AZUKARI_SHIM:?the library that kills}
events=${GUARD_EVENTS:-10000}
found
"$guard" key --state g --house house >public
run device guard host --public "$(cat public)"
gives 0 'a guard is enrolled'

kills=$("$feed" g "$events" "${GUARD_EVERY:-97}")
ok "$events events, the guard killed $kills times while the house is away"
[ "$kills" -ge 600 ]
ok 'at every write of the first hundreds'

serve
deliver() { # the number of the write at which it is killed; 0: at none
	dd if=/dev/zero of=faults bs=1048576 count=1 2>/dev/null
	AZ_FAULTS="$work/faults:azukari-guard:io:$1:kill" LD_PRELOAD=$shim \
		"$guard" deliver --state g --connect house/run/keeper.sock >out 2>err
}
at=1
killed=0
while ! deliver "$at"; do
	killed=$((killed + 1))
	at=$((at + 1))
	# And the house's end, now and then: whoever runs it starts another keeper.
	if [ $((killed % 15)) -eq 0 ]; then
		kill -9 "$(child_of_server azukari-keeper)"
		for _ in $(seq 200); do
			sleep 0.05
			[ -n "$(child_of_server azukari-keeper)" ] && run status && [ "$code" -eq 0 ] && break
		done
	fi
	[ "$killed" -lt 2000 ] || break
done
[ "$killed" -ge 20 ]
ok "delivery was killed at its first write, its second, … its ${killed}th"

before=
: >labels
while :; do
	run --json ledger query --plugged --max 100 ${before:+--before "$before"}
	json '.plugged[] | .label' >>labels
	before=$(json .before)
	[ "$code" -eq 0 ] && [ "${before:-0}" -gt 0 ] || break
done
is "$(wc -l <labels)" "$events" 'all arrived, none twice'
seq "$events" -1 1 | sed 's/^/event /' | cmp -s - labels
ok 'in order'
run --json status
is "$(json '[.alarms[] | select(.alarm != "the guard is silent")] | length')" 0 'without an alarm'
run ledger verify
gives 0 'in a whole ledger'
plan
