#!/bin/sh
# From where what is shown: devices, networks, roles and purposes bound to them.
. "$(dirname "$0")/lib.sh"
found
serve
for desk in desk home; do
	run device key --out $desk.key
	run device add $desk --public "$(cat out)"
	gives 0 "the device $desk is added"
done
at() { # device ("-": the host's own), who, command …
	[ "$1" = - ] || export AZUKARI_DEVICE="$work/$1.key"
	shift
	as "$@"
	unset AZUKARI_DEVICE
}
run client add c01 --name 'City of Example'
printf 'number,name,phone,birth\n1,Ann Lee,03-1234-5678,1980-03-04\n2,Bob Ray,090-1111-2222,1975-12-01\n' >list.csv

# Zones.
run zone add floor --device desk
gives 0 'a zone of one device'
run zone add far --network 192.0.2.0/24 --network 2001:db8::/32
gives 0 'a zone of networks that nobody is behind'
run zone add own --network 127.0.0.0/8 --device home
gives 0 'a zone of a device on this host'
run zone add floor --device home
gives 1 'a label twice'
run zone add loopback --device home
gives 1 'nor the one that is always there'
run zone add x
gives 2 'a zone of nothing'
run zone add x --device nobody
gives 1 'a device that there is not'
for network in 192.0.2.7/24 2001:db8::1/32; do
	run zone add x --network $network
	gives 1 "bits beyond the width: $network"
done
for network in 192.0.2.0/33 192.0.2/24 example.jp ::/129 '' 1.2.3.4/ 1.2.3.4/x; do
	run zone add x --network "$network"
	gives 2 "no network: $network"
done
run zone change x --device home
gives 1 'nor is one changed that there is not'
run zone close x
gives 1 'nor closed'
run zone close loopback
gives 1 'nor loopback'
for who in mori ito sato kato; do
	as $who zone add y --device home
	gives 3 "no zone for $who (I7)"
	as $who zone role agent --any
	gives 3 'nor a role bound'
done
for who in ito sato kato; do
	as $who zone list
	gives 3 "nor a list for $who"
done
run ask zone add annex --device home
gives 0 'an officer may ask another one'
run --json approvals 1
is "$(json .what)" 'add zone annex: devices home' 'who reads it in words (I7)'
run ask zone add mixed --network 198.51.100.0/24 --device home
run --json approvals 2
is "$(json .what)" 'add zone mixed: networks 198.51.100.0/24 at the devices home' 'all of it'
run --json zone list
is "$(json '[.zones[] | .zone + ":" + (.here | tostring)] | join(" ")')" 'loopback:true floor:false far:false own:false' 'the host is in loopback'
is "$(json '.zones[2].networks | join(" ")')" '192.0.2.0/24 2001:db8::/32' 'networks as they were said'
at desk aoki --json zone list
is "$(json '[.zones[] | select(.here) | .zone] | join(" ")')" 'loopback floor' 'a desk is in its own'
at home aoki --json zone list
is "$(json '[.zones[] | select(.here) | .zone] | join(" ")')" 'loopback own' 'by device and network both'

# Purposes bound to them.
run purpose add c01/none --fields name --roles agent --until 2030-12-31 --zones nowhere
gives 1 'a zone that is none'
run purpose add c01/none --fields name --roles agent --until 2030-12-31 --outside masked
gives 2 'an outside without zones'
run purpose add c01/none --fields name --roles agent --until 2030-12-31 --zones floor --outside all
gives 2 'an outside that is none'
run purpose add c01/tight --fields name,phone:last4,birth --roles agent --until 2030-12-31 --zones floor --unmask phone
gives 0 'a purpose in one zone'
run purpose add c01/loose --fields number,name,phone,birth --roles agent,supervisor --until 2030-12-31 --zones floor,own --outside masked
gives 0 'one in two, masked outside'
run purpose add c01/far --fields name --roles agent --until 2030-12-31 --zones far
gives 0 'one where nobody is'
run purpose add c01/any --fields name,phone --roles agent --until 2030-12-31
run --json purpose list c01
is "$(json '.purposes | map((.zones // []) | join(",")) | join(" ")')" 'floor floor,own far ' 'the list says so'
is "$(json '.purposes[1].outside')" masked 'and what is outside'
for purpose in tight loose far any; do
	as mori entrust --client c01 --purpose $purpose --as-of 2026-04-01 list.csv
done
see() { # device, purpose, …
	device=$1 purpose=$2
	shift 2
	at "$device" ito --json disclose --client c01 --purpose "$purpose" --by number=1 --reason enquiry "$@"
}
see desk tight
is "$code $(json .fields.birth)" '0 1980-03-04' 'in its zone it is shown'
see - tight
gives 3 'at another device nothing'
see home tight
gives 3 'nor at a third'
see desk tight --unmask phone --why 'asked'
gives 0 'unmasked in its zone'
see desk loose
is "$(json '[.fields[]] | join(" ")')" '1 Ann Lee 1980-03-04 03-1234-5678' 'another purpose is shown whole in its zones'
see home loose
is "$(json .fields.birth)" 1980-03-04 'in both'
see - loose
gives 0 'and outside'
is "$(json '[.fields.number, .fields.name, .fields.birth, .fields.phone] | join(" ")')" '* A*** 1980 **-****-5678' 'only masked'
is "$(json '.masked | length')" 4 'all of it'
at - ito check --client c01 --purpose loose --by number=1 --is birth=1980-03-04
gives 3 'outside nothing is checked'
at desk ito check --client c01 --purpose loose --by number=1 --is birth=1980-03-04
is "$(cat out)" yes 'inside it is'
at - ito correct --client c01 --purpose loose --record 1 --set name=X
gives 3 'outside nothing is corrected'
at - ito attempt list --client c01 --purpose loose --record 1
gives 3 'nor are notes read'
at - ito hand-over --client c01 --purpose loose --record 1 --to mori
gives 3 'nor is anybody handed over'
at - ito stop --client c01 --purpose loose --record 1 --channel sms
gives 0 'a stop is taken down anywhere'
at - ito stop --client c01 --purpose tight --record 1 --channel sms
gives 3 'but where nothing is shown'
for device in - desk home; do
	see $device far
	gives 3 "behind no network: $device"
done
see - any
gives 0 'what is bound to nothing is shown anywhere'

# Roles bound to them.
run zone role agent
gives 2 'a role to nothing'
run zone role agent --any --zones floor
gives 2 'to any and some'
run zone role agent --any --outside masked
gives 2 'to any, and outside of it'
run zone role nobody --any
gives 2 'no role'
run zone role agent --zones nowhere
gives 1 'no zone'
run zone role agent --zones floor
gives 0 'agents are on the floor'
see - any
gives 3 'elsewhere they see nothing'
see home loose
gives 3 'whatever the purpose says'
see desk any
gives 0 'there they do'
at home mori disclose --client c01 --purpose loose --by number=1 --reason enquiry
gives 0 'another role is not bound'
run zone role agent --zones floor --outside masked
see - any
is "$code $(json '[.fields[]] | join(" ")')" '0 A*** **-****-5678' 'or only masked'
see - tight
gives 3 'the stricter of the two holds'
run --json zone list
is "$(json '.zones[] | select(.role) | .role + " " + (.zones | join(",")) + " " + .outside')" 'agent floor masked' 'the list says so'

# Written down; and after a restart.
run --json ledger query --client c01 --max 500
is "$(json '[.entries[] | select(.type == "disclosed" and .purpose == "tight") | .zone] | unique | join(" ")')" floor 'entries name the zone'
is "$(json '[.entries[] | select(.type == "disclosed" and .purpose == "loose") | .zone] | unique | join(" ")')" 'floor loopback own' 'whichever it was'
run --json ledger query --max 500
is "$(json '[.entries[] | select(.type == "zone")] | length')" 5 'changes are entries'
is "$(json '[.entries[] | select(.type == "signed-in" and .staff == "ito") | .zone] | unique | join(" ")')" 'floor loopback own' 'so are sign-ins'
stop
serve
see - any
is "$(json .fields.name)" 'A***' 'a restart forgets nothing (I8)'
run zone change floor --device home
gives 0 'a zone moves'
see desk any
is "$(json .fields.name)" 'A***' 'who was in it is not'
see home any
is "$(json .fields.name)" 'Ann Lee' 'and who was not, is'
run zone close floor
gives 0 'a zone is closed'
see home any
is "$(json .fields.name)" 'A***' 'and nobody is in it (I9)'
see home tight
gives 3 'what is bound to it alone is shown nowhere (I9)'
run device retire home
see home any
gives 3 'a retired device is nowhere'
run zone role agent --any
see - any
is "$(json .fields.name)" 'Ann Lee' 'a role is let go'
run ledger verify
gives 0 'the ledger holds'
plan
