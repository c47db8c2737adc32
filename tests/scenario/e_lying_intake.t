#!/bin/sh
# An intake that was captured by the list that it reads: killed, hanging, lying. Nothing half-done, nothing acknowledged.
. "$(dirname "$0")/lib.sh"
false_intake=${AZUKARI_FALSE_INTAKE:?}
# Programs of ours are looked for in an installed place first.
mkdir -p bin libexec/azukari
cp "$az" bin/azukari
for name in keeper vault; do cp "$(dirname "$az")/../$name/azukari-$name" libexec/azukari/; done
cp "$(dirname "$az")/../intake/azukari-intake" real-intake
cp real-intake libexec/azukari/azukari-intake
chmod -R a+rX bin libexec "$work"
az=$work/bin/azukari
found
serve
for c in c01 c02; do
	run client add $c --name 'City of Example'
	run purpose add $c/checkup --fields name,phone --roles agent --until 2030-12-31
done
people() { # lie, count
	[ "$1" = real ] || echo "$1"
	echo number,name,phone
	for i in $(seq "$2"); do printf '%d,planted %03d,03-1234-%04d\n' "$i" "$i" "$i"; done
}
give() { # client, file
	as mori --json entrust --client "$1" --purpose checkup --as-of 2026-04-01 "$2"
}
see() { as ito --json disclose --client "$1" --purpose checkup --reason enquiry --by "$2"; }
people real 20 >real.csv
give c01 real.csv
gives 0 'an honest list'
give c02 real.csv
gives 0 'and one of another client'
cp "$false_intake" libexec/azukari/intake.new
chmod a+rx libexec/azukari/intake.new
mv libexec/azukari/intake.new libexec/azukari/azukari-intake
sed -i 's/planted/other/' real.csv
people honest 20 | sed 's/planted/newer/' >list.csv
give c01 list.csv
is "$code $(json '[.accepted,.new_versions,.new_records] | join(" ")')" '0 20 20 0' \
	'the false intake, telling the truth, is believed'
see c02 number=3
is "$(json .fields.name)" 'planted 003' 'and what it gives has no part in another client'"'"'s'
there() { ls "$AZUKARI_HOUSE/keeper/catalogue" "$AZUKARI_HOUSE/keeper/trace"; run --json status; json '[.consignments,.records] | join(" ")'; }
there >before
holds() { # what
	there >after
	cmp -s before after
	ok "$1: nothing is left of it"
}
for lie in die killed half columns-count columns-field columns-x columns-more columns-twice no-number rows-first done-first \
	error-zero error-unknown error-bytes error-late type inspecting version oversized huge number-key phone-key keys-less \
	field row-malformed row-long flags no-keys key-kind two-numbers row-zero row-order row-twice row-beyond frame-count \
	frame-tail frame-many reason no-reason more fewer refused wrapped done-short; do
	people $lie 20 >list.csv
	give c01 list.csv
	case $code in 1 | 4) true ;; *) false ;; esac
	ok "$lie: the list is rejected (exit $code: $(json .error.text))"
	is "$(json '.consignment // "none"')" none "$lie: nothing is acknowledged"
	! grep -q planted out err
	ok "$lie: nobody is quoted"
	holds "$lie"
done
see c01 number=3
is "$(json .fields.name)" 'newer 003' 'everybody is as before'
see c01 phone=03-1234-0003
is "$(json .fields.name)" 'newer 003' 'by telephone, too'
run --json ledger query --client c01 --max 200
is "$(json '[.entries[].type | select(. == "rejected-list")] | length')" 44 'each is an entry'

# --- hanging
for lie in mute hang deaf; do
	people $lie 20000 >list.csv
	AZUKARI_KEY=$work/mori.key "$az" --json entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv >hung 2>&1 &
	front=$!
	for _ in $(seq 100); do [ -n "$(child_of_server azukari-intake)$(pgrep -P "$server" -f intake)" ] && break; sleep 0.1; done
	see c01 number=5
	is "$(json .fields.name)" 'newer 005' "$lie: meanwhile people are seen"
	give c02 list.csv
	gives 5 "$lie: another list has to wait"
	kill $front
	wait $front
	for _ in $(seq 100); do
		people honest 3 | sed 's/planted/newer/' >list.csv
		give c02 list.csv
		[ "$code" -ne 5 ] && break
		sleep 0.1
	done
	gives 0 "$lie: given up with its front, it is in nobody's way"
	there >before
done
people deaf-type 20000 >list.csv
give c01 list.csv
gives 4 'one that lies and leaves the rest of the list where it is'
see c01 number=5
is "$(json .fields.name)" 'newer 005' 'holds nobody'
people hang 20 >list.csv
give c01 list.csv
gives 1 'an intake that has the whole list and says nothing is not waited for'
grep -q 'says nothing' out
ok 'and the error says so'
holds 'hang'
people honest 20 >list.csv
give c01 list.csv
gives 0 'the next list is taken'

# --- a history, and a list that is traced
swap() { # which intake
	cp "$1" libexec/azukari/intake.new
	chmod a+rx libexec/azukari/intake.new
	mv libexec/azukari/intake.new libexec/azukari/azukari-intake
}
swap real-intake
for lie in mute endless deaf deaf-type; do
	{
		echo $lie,time,staff,device,client,number,fields,kind,carrier
		for i in $(seq 4000); do echo x,2024-05-01T09:30:00Z,ito,pc,c01,1,name,view,s$i; done
	} >$lie.csv
	as sato --json history import $lie.csv
	eval "history_$(echo $lie | tr -d -)=$(json .id)"
	run approve "$(json .request)"
	gives 0 "$lie: a history is approved"
done
swap "$false_intake"
import() { # lie; its exit code in $code
	eval "number=\$history_$(echo "$1" | tr -d -)"
	code=0
	AZUKARI_KEY=$work/sato.key timeout 60 "${AZUKARI_REPLAY:?}" import "$number" "$1.csv" >out 2>err || code=$?
}
import endless
gives 1 'endless: more rows than were approved are not taken'
grep -q 'other rows' err
ok 'and the error says so'
import deaf-type
gives 1 'deaf-type: nor what a liar makes of the first page of it'
see c01 number=5
is "$code $(json .fields.name)" '0 planted 005' 'who is holding nobody'
AZUKARI_KEY=$work/sato.key "$AZUKARI_REPLAY" import "$history_deaf" deaf.csv >hung 2>&1 &
front=$!
sleep 1
see c01 number=5
is "$(json .fields.name)" 'planted 005' 'deaf: meanwhile people are seen'
import mute
gives 5 'deaf: another history has to wait'
kill $front
wait $front
for _ in $(seq 100); do
	import endless
	[ "$code" -ne 5 ] && break
	sleep 0.1
done
gives 1 'deaf: given up with its front, it is in nobody'"'"'s way'
import mute
gives 1 'mute: an intake that has the whole history and says nothing is not waited for'
grep -q 'says nothing' err
ok 'and the error says so'
is "$(ls "$AZUKARI_HOUSE"/keeper/trace | grep -c '^history')" 0 'nothing of any is kept'
as sato --json case open --reason suspicion --rows 100000 --days 30
number=$(json .id)
run approve "$(json .request)"
gives 0 'a case is open'
for lie in deaf-type die; do
	people $lie 20000 >list.csv
	as sato trace --case "$number" list.csv
	[ "$code" -eq 1 ] || [ "$code" -eq 4 ]
	ok "$lie: nothing is traced (exit $code)"
	see c01 number=5
	is "$(json .fields.name)" 'planted 005' "$lie: and nobody is held"
done
stop
cp real-intake libexec/azukari/azukari-intake
serve
see c01 number=3
is "$(json .fields.name)" 'planted 003' 'after a restart all is there'
run ledger verify
gives 0 'and the ledger holds'
plan
