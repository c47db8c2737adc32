#!/bin/sh
# Events of desks that have no guard of ours, forwarded by a host that is enrolled: once, in order, whatever is killed when; and
# what cannot be read is told.
. "$(dirname "$0")/lib.sh"
guard=${AZUKARI_GUARD:?the guard}
feed=${AZUKARI_FEED:?the tool that fills the queue}
events=$here/../data/events
found
serve
socket=$work/house/run/keeper.sock
give() { # folder, command…: of the guard
	state=$1
	shift
	code=0
	timeout -k 2 60 "$guard" "$@" --state "$state" >out 2>err </dev/null || code=$?
}
# Into the queue only.
keep() { give "$1" forward "$2"; }
forward() { give "$1" forward --connect "$socket" "$2"; }

# Its own key, which an approval enrols.
keep f "$events/osquery.ndjson"
gives 1 'without a key nothing is forwarded'
give f key --house house
public=$(cat out)
forward f "$events/osquery.ndjson"
gives 0 'what the house does not take yet is kept'
is "$(sed 's/.*kept/kept/' out)" 'kept=3 known=0 other=2 refused=0 waiting=3' 'in the queue'
run device add collector --public "$(printf '5%.0s' $(seq 64))"
run device guard collector --public "$public"
gives 0 'the forwarding host is enrolled'
run device add desk7 --public "$(printf '6%.0s' $(seq 64))"
run device add DESK10 --public "$(printf '7%.0s' $(seq 64))"
give f deliver --connect "$socket"
gives 0 'what was kept is delivered'
run --json ledger query --plugged
is "$(json '[.plugged[] | .what + " " + .desk] | join(",")')" 'desk-disk mac1,desk-disk DESK11,desk-seen desk10' 'in order'
is "$(json '.plugged[2] | .device + " " + .by + " " + .usb + " " + .class + " " + .serial + " " + .users + " " + .record')" \
	'DESK10 collector 0781:5581 08/00/00 4C53000111 kato 12' 'with desk, who forwarded it, the device, and who was signed in'
is "$(json '.plugged[1].device')" '' 'a desk that is not enrolled has its name only'

# Windows, and once.
for file in windows-winlogbeat windows-events; do
	forward f "$events/$file.ndjson"
	gives 0 "$file is forwarded"
	is "$(sed 's/.*kept=\([0-9]*\).*waiting/\1 waiting/' out)" "$([ $file = windows-events ] && echo 4 || echo 5) waiting=0" 'and the house has it'
done
forward f "$events/windows-winlogbeat.ndjson"
is "$(cat out)" 'lines=8 kept=0 known=5 other=3 refused=0 waiting=0' 'what was forwarded is not forwarded again'
cat "$events/windows-winlogbeat.ndjson" | timeout 60 "$guard" forward --state f --connect "$socket" - >out 2>err
is "$(cat out)" 'lines=8 kept=0 known=5 other=3 refused=0 waiting=0' 'nor from another place'
run --json ledger query --plugged --max 100
is "$(json '.plugged | length')" 12 'each is one entry'
is "$(json '[.plugged[] | select(.serial == "4C530001230717105493") | .what + .device] | join(",")')" \
	'desk-refuseddesk7,desk-seendesk7' 'at the device that is named as the desk'
run --json ledger query --max 100
is "$(json '[.entries[] | select(.type == "forwarded") | .outcome] | unique | join(",")')" 'denied,ok' 'what a policy refused is denied'

# The same alarms.
run --json status
is "$(json '[.alarms[] | select(.alarm == "a disk works at a desk")] | length')" 4 'a disk that works at a desk is an alarm'
run --json ledger query --plugged --device desk7
is "$(json '.plugged | length')" 3 'a desk is asked for'
run --json ledger query --plugged --device collector --max 100
is "$(json '.plugged | length')" 12 'and so is who forwards'

# With the disclosures at that desk in the hour before: this host, by its name.
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name --roles agent --until 2030-12-31
printf 'number,name\n1,Ann Lee\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry --call 1
gives 0 'somebody is shown at a desk'
sed -n 1p "$events/windows-winlogbeat.ndjson" | jq -c --arg now "$(date -u -d '+2 seconds' +%FT%TZ)" \
	'."@timestamp" = $now | .winlog.computer_name = "HOST.example.local"' >now.ndjson
forward f now.ndjson
run --json ledger query --plugged --max 1
is "$(json '.plugged[0] | .device + " " + (.disclosures | map(.log + .staff) | join(","))')" 'host c01ito' \
	'and what was plugged in there is shown with it'

# What cannot be read is told by its line, and to the house by count; never what it says.
{
	sed -n 1p "$events/osquery.ndjson" | sed 's/"counter": 12/"counter": 99/'
	echo '{"winlog":{"secret":"0312345678"'
	echo '{"name":"usb_devices","hostIdentifier":"0312345678 x","unixTime":1}'
	head -c 300000 /dev/zero | tr '\0' 'a'
	echo
	printf '{"other":"0312345678"}'
} >bad.ndjson
forward f bad.ndjson
gives 0 'bad lines do not hold up good ones'
is "$(cat out)" 'lines=5 kept=1 known=0 other=0 refused=4 waiting=0' 'four are refused'
is "$(grep -o 'line [0-9]*' err | tr '\n' ' ')" 'line 2 line 3 line 4 line 5 ' 'by number'
! grep -q 0312345678 out err
ok 'without contents'
run --json ledger query --plugged --max 1
is "$(json '.plugged[0] | .what + " " + .lines + " " + .by')" 'desk-unread 4 collector' 'the house knows how many'
run --json status
is "$(json '.alarms[0].alarm')" 'events of desks could not be read' 'which is an alarm'
printf 'PK\003\004' >zip
forward f zip
gives 1 'what has not one line that can be read is no such log'
give f forward
gives 2 'a log is needed'
give f forward nowhere
gives 1 'which must be there'

# The house is away; whoever forwards is killed at any time: each is one entry, in order.
stop
i=0
while [ $i -lt 300 ]; do
	i=$((i + 1))
	echo "{\"name\":\"usb_devices\",\"hostIdentifier\":\"desk20\",\"unixTime\":1795240000,\"counter\":$i,\"columns\":{\"vendor\":\"n$i\",\"vendor_id\":\"0781\"},\"action\":\"added\"}"
done >many.ndjson
kills=0
for wait in 0.01 0.02 0.03 0.05 0.08 0.1 0.12 0.15; do
	timeout -s KILL "$wait" "$guard" forward --state f many.ndjson >/dev/null 2>&1
	[ $? -eq 137 ] && kills=$((kills + 1))
done
keep f many.ndjson
is "$(sed 's/.*waiting/waiting/' out)" 'waiting=300' "all wait, after $kills kills"
[ "$kills" -gt 0 ]
ok 'and it was killed'
serve
"$guard" deliver --state f --connect "$socket" >/dev/null 2>&1 &
sleep 0.05
kill -KILL "$(pgrep -P "$server" -x azukari-keeper)"
wait $!
for _ in 1 2 3 4 5 6 7 8 9 10; do
	give f deliver --connect "$socket"
	[ "$code" -eq 0 ] && break
	sleep 1
done
gives 0 'they are delivered to a house that is killed meanwhile'
before=
for _ in 1 2 3; do
	run --json ledger query --plugged --max 100 ${before:+--before "$before"}
	cat out >>all
	before=$(json .before)
done
is "$(jq -s '[.[].plugged[] | select(.desk == "desk20") | .record | tonumber] | . == ([range(1; 301)] | reverse)' all)" true \
	'each is one entry, in order'
run ledger verify
gives 0 'of a whole ledger'

# A full queue loses nothing: it says so, and goes on when there is room.
give small key --house house
"$feed" small 16380 100000 >/dev/null
ok 'a queue is nearly full'
keep small many.ndjson
gives 5 'and says so when it is'
is "$(sed 's/.*kept=\([0-9]*\) known=\([0-9]*\).*waiting/\1 \2 waiting/' out)" '4 0 waiting=16384' 'with what it has'
keep small many.ndjson
is "$(sed 's/.*kept=\([0-9]*\) known=\([0-9]*\).*waiting/\1 \2 waiting/' out)" '0 0 waiting=16384' 'what has no room is not lost, but not taken'
plan
