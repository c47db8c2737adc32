#!/bin/sh
# A guard and the house: enrolment, what it may, what it reports, its silence. Without a USB port: its queue is filled by
# a tool; the ports are another test's.
. "$(dirname "$0")/lib.sh"
guard=${AZUKARI_GUARD:?the guard}
feed=${AZUKARI_FEED:?the tool that fills the queue}
found
serve
socket=$work/house/run/keeper.sock
give() { # folder, command…: of the guard
	state=$1
	shift
	code=0
	timeout -k 2 60 "$guard" "$@" --state "$state" >out 2>err </dev/null || code=$?
}
deliver() { give "$1" deliver --connect "$socket"; }

# Its key.
give g key
gives 2 'a key is for a house'
give g key --house nowhere
gives 1 'which must be there'
give g deliver --connect "$socket"
gives 1 'without a key nothing is delivered'
give g key --house house
gives 0 'the guard makes its key'
public=$(cat out)
is "${#public}" 64 'and prints its public half'
is "$(stat -c %a g/guard.key)" 600 'nobody else reads the key'
give g key --house house
gives 1 'a second one is not made'
deliver g
gives 3 'a guard that nobody approved is refused'

# Enrolment needs an approval.
for who in ito sato kato; do
	as $who device guard host --public "$public"
	gives 3 "$who does not enrol a guard"
done
run device guard nowhere --public "$public"
gives 1 'a guard is of a device that there is'
run device guard host --public "$(printf '0%.0s' $(seq 63))"
gives 2 'with a whole key'
as mori --json device guard host --public "$public"
gives 0 'a supervisor asks'
json .what | grep -q "let a guard report for device host, key $public"
ok 'in words'
deliver g
gives 3 'which changes nothing (I7)'
run --json device list
is "$(json '.devices[0].guard')" none 'the device has no guard'
run approve 1
gives 0 'an officer approves'
run device add other --public "$public"
gives 1 'the key is nobody else''s from now on'
run --json device list
is "$(json '.devices[0].guard')" silent 'what is not heard is silent'

# Silent: masked fields only. Live: as the purpose says.
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone:last4 --unmask phone --roles agent --until 2030-12-31
run purpose add c01/names --fields name --roles agent --until 2030-12-31
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n2,Bob Ray,090-1111-2222\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
as mori entrust --client c01 --purpose names --as-of 2026-04-01 list.csv
look() { as ito --json disclose --client c01 --purpose "$1" --by number=1 --reason enquiry --call 1; }
look checkup
gives 0 'at a device whose guard is silent somebody is found'
is "$(json '(.fields | keys | join(",")) + " " + .guard')" 'phone silent' 'only what is masked is shown'
is "$(json '.fields.phone')" '**-****-5678' 'and only in part'
as ito --json disclose --client c01 --purpose checkup --by number=1 --reason enquiry --unmask phone --why 'says it is not theirs'
gives 3 'which is not unmasked there'
! grep -q 5678 out
ok 'nor told'
as ito check --client c01 --purpose checkup --by number=1 --reason enquiry --is phone=03-1234-5678
gives 3 'and no value is checked'
look names
gives 3 'where nothing is masked nothing is shown'
run --json ledger query --client c01 --max 1
is "$(json '.entries[0].shown | join(",")')" phone 'the entry names what was shown'
deliver g
gives 0 'the guard is heard'
is "$(ls g/delivered 2>/dev/null)" '' 'and had nothing to tell'
run --json device list
is "$(json '.devices[0].guard')" live 'its device is live'
look checkup
is "$(json '.fields.name + (.guard // "-")')" 'Ann Lee-' 'all that the purpose shows is shown'

# What only a guard may.
for who in ito mori aoki sato kato; do
	for what in report put bytes end written; do
		code=0
		AZUKARI_KEY=$work/$who.key "${AZUKARI_REPLAY:?}" guard $what >out 2>err || code=$?
		gives 3 "$who does not pass for a guard: $what"
	done
done
run --json ledger query --max 100
is "$(json '[.entries[] | select(.type == "refused")] | map(.staff) | .[:25] | group_by(.) | map("\(.[0])\(length)") | join(" ")')" \
	'aoki5 ito5 kato5 mori5 sato5' 'each time is an entry (I2)'

# What it reports.
"$feed" g 5 1000 >/dev/null
ok 'five events are in the queue'
grep -q 'event 3' g/queue
[ $? -ne 0 ]
ok 'unreadable'
deliver g
gives 0 'they are delivered'
run --json ledger query --plugged
is "$(json '[.plugged[].label] | join(",")')" 'event 5,event 4,event 3,event 2,event 1' 'all, in order'
is "$(json '.plugged[0] | .what + .usb + .class + .device')" 'refused46f4:000108/00/00host' 'with what was plugged in where'
deliver g
gives 0 'nothing is delivered twice'
run --json ledger query --plugged --max 100
is "$(json '.plugged | length')" 5 'there are five'
run --json ledger query --plugged --max 2
before=$(json .before)
run --json ledger query --plugged --max 100 --before "$before"
is "$(json '[.plugged[].label] | join(",")')" 'event 3,event 2,event 1' 'older ones are asked for'
run --json ledger query --plugged --device host --max 1
is "$(json '.plugged[0].disclosures | map(.log + .staff + (.record | tostring)) | join(" ")')" 'c01ito1 c01ito1' \
	'with what was disclosed there in the hour before'
run --json ledger query --plugged --max 100
is "$(json '[.plugged[] | select(.label == "event 1")][0].disclosures | length')" 0 'and nothing with what was long before'
run ledger query --plugged --device nowhere
gives 1 'a device that there is not'
run ledger query --plugged --staff ito
gives 2 'or another question'
for who in ito mori sato kato; do
	as $who ledger query --plugged
	gives 3 "$who does not ask"
done
run --json ledger query --max 100
is "$(json '[.entries[] | select(.type == "plugged") | .outcome] | unique | join(",")')" denied 'they are entries'
run ledger verify
gives 0 'of a whole ledger'

# Grants, which need an approval.
grant() { run --json grant add "$@"; }
until=$(date -u -d '+10 days' +%Y-%m-%d)
good="--vendor 0781 --product 5581 --serial 4C530001 --until $until"
for who in ito sato kato; do
	as $who grant add host $good
	gives 3 "$who grants nothing"
	as $who grant list
	gives 3 "and $who sees none"
done
as mori --json grant add host $good
json .what | grep -q 'let the USB memory 0781:5581, serial 4C530001, be read at device host until'
ok 'a supervisor asks, in words'
run --json grant list
is "$(json '.grants | length')" 0 'which grants nothing (I7)'
grant nowhere $good
gives 1 'at a device that there is'
run device add unguarded --public "$(printf '4%.0s' $(seq 64))"
grant unguarded $good
gives 1 'that has a guard'
grant host --vendor 781 --product 5581 --serial X --until "$until"
gives 2 'with a vendor'
grant host --vendor 0781 --product 558g --serial X --until "$until"
gives 2 'a product'
grant host --vendor 0781 --product 5581 --serial '' --until "$until"
gives 2 'a serial'
grant host --vendor 0781 --product 5581 --serial "$(printf 'a\033b')" --until "$until"
[ "$code" -ne 0 ]
ok 'that is text'
grant host --vendor 0781 --product 5581 --serial X --until 2020-01-01
gives 1 'a last day that is to come'
grant host --vendor 0781 --product 5581 --serial X --until "$(date -u -d '+368 days' +%Y-%m-%d)"
gives 1 'and is not too far'
grant host $good
gives 0 'an officer grants'
run --json grant list
is "$(json '.grants[0] | .device + .usb + .serial + .access + (.holds | tostring)')" 'host0781:55814C530001readtrue' 'what there is'
run grant close 2
gives 1 'another one cannot be closed'
as mori grant close 1
run --json grant list
is "$(json '.grants[0].holds')" true 'nor by who must ask'
run grant close 1
gives 0 'an officer closes it'
run grant close 1
gives 1 'once'
run --json grant list
is "$(json '.grants[0].holds')" false 'it holds no longer'
run --json ledger query --max 60
is "$(json '[.entries[] | select(.type == "grant")] | length')" 2 'both are entries'

# A queue that was put back: nothing that is new is taken for what was told before.
cp -a g older
"$feed" g 8 1000 >/dev/null
deliver g
gives 0 'three more'
rm -r g
cp -a older g
"$feed" g 6 1000 >/dev/null
deliver g
gives 0 'the older queue, with one that is new'
run --json ledger query --plugged --max 2
is "$(json '[.plugged[] | .what + .label] | join(",")')" 'restored,refusedevent 6' 'the new one is told, and that the queue was put back'

# What was told and is gone at the house's end is an alarm.
stop
cp -a house house.older
serve
"$feed" g 9 1000 >/dev/null
deliver g
stop
rm -r house
mv house.older house
rm -rf "$XDG_STATE_HOME" g/heads
serve
"$feed" g 10 1000 >/dev/null
deliver g
gives 0 'a house that was put back'
run --json status
is "$(json '.alarms[0].alarm + .alarms[0].device')" 'events of the guard never camehost' 'alarms, since events were lost'
is "$(json '.guards[0].state')" live 'while the guard is live'

# Another key: the older one is worth nothing.
give g2 key --house house
other=$(cat out)
run device guard host --public "$public"
gives 1 'the same key cannot be given again'
run device guard host --public "$other"
gives 0 'another key for the guard'
deliver g
gives 3 'the older one is refused'
"$feed" g2 1 1000 >/dev/null
deliver g2
gives 0 'the newer one reports'
cp g2/guard.key g/guard.key
deliver g
gives 4 'a queue of another key is not taken over'
run --json device list
is "$(json '.devices[0].guard')" live 'it is live'

# Silence.
sleep 21
look checkup
is "$(json '(.fields | keys | join(","))')" phone 'after a while it is silent, and only what is masked is shown'
run --json status
is "$(json '.alarms[0].alarm + .guards[0].state')" 'the guard is silentsilent' 'which is an alarm'
run --json ledger query --max 30
[ "$(json '[.entries[] | select(.alarm == "the guard is silent")] | length')" -eq 1 ]
ok 'once'
deliver g2
run --json status
is "$(json '.guards[0].state')" live 'until it is heard again'

# A retired device has no guard.
key=$(printf '3%.0s' $(seq 64))
run device add desk7 --public "$key"
give g3 key --house house
run device guard desk7 --public "$(cat out)"
deliver g3
gives 0 'another device has its own'
run device retire desk7
deliver g3
gives 3 'until it is retired'
plan
