#!/bin/sh
# Standing approvals (I7): one signature over limits, used again and again within exactly those.
. "$(dirname "$0")/lib.sh"
command -v age >/dev/null || skip_rest 'scripts/deps.sh installs age'
found
serve
public() { # who: a key of their own; its public half in $key
	run staff key --out "$1.key" --name "$1"
	key=$(cat out)
}
recipient_of() { # file
	age-keygen -o "$1" 2>/dev/null
	grep -o 'age1[0-9a-z]*' "$1"
}
client=$(recipient_of client.id)
stranger=$(recipient_of stranger.id)
# Another officer, whose key comes from neither of the two that ask.
public second
run staff add second --role officer --public "$key"
public yuki
run staff add yuki --role supervisor --public "$key"
run client add c01 --name 'City of Example'
run client add c02 --name 'Town of Example'
run purpose add c01/p --fields number,name,phone --roles agent,supervisor --until 2030-12-31
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n2,"Ray, Bob",090-1111-2222\n' >list.csv
as mori entrust --client c01 --purpose p --as-of 2026-04-01 list.csv
until=$(date -u -d '+2 days' +%F)
allow() { # who, options instead of the usual ones
	who=$1
	shift
	as "$who" --json statement allow c01 --recipient "$client" --columns time,type,staff,record,shown --rows 5 --every 2s --until "$until" "$@"
}
see() { as ito disclose --client c01 --purpose p --by number="$1" --reason enquiry; }
statement() { # who, number, options: into made.age
	who=$1
	shift
	rm -f made.age
	as "$who" --json statement make "$@" --out made.age
}
refused() { # what
	gives 3 "$1"
	[ ! -e made.age ] && [ ! -e made.age.part ]
	ok "$1: and nothing is written"
}
left() { # number: a member of what the officer sees
	run --json approvals --standing
	json ".standing[] | select(.standing == $1) | $2"
}

# --- asking
for who in ito sato kato; do
	allow $who
	gives 3 "$who asks for none"
done
allow mori --until 2020-01-01
gives 1 'not until yesterday'
allow mori --until 2099-01-01
gives 1 'nor for ever'
allow mori --rows 0
gives 2 'not of no rows'
allow mori --rows 100001
gives 2 'nor of any number'
allow mori --columns time,name
gives 2 'there is no column with what somebody is called'
allow mori --columns ''
gives 2 'nor none at all'
allow mori --every 0s
gives 2 'not without a pause'
allow mori --hours 25:00-26:00
gives 2 'not at hours that are none'
allow mori --recipient age1nobody
gives 2 'not to nobody'
as mori statement allow c09 --recipient "$client" --columns time --rows 5 --every 1h --until "$until"
gives 1 'not of a client that there is not'
as mori statement allow c01 --recipient "$client" --columns time --rows 5 --until "$until"
gives 2 'not without a schedule'
as mori statement allow c01 --recipient "$client" --columns time --rows 5 --every 1h
gives 2 'nor without an end'
run --json approvals --all
is "$(json '.requests | length')" 0 'nothing of that waits'
allow mori
is "$code $(json .approved)" '0 false' 'a supervisor asks for one'
request=$(json .request)
json .what | grep -q "hand the log of client c01 out again and again, to $client, with time type staff record shown, at most 5 rows in every 2 seconds, until $until"
ok 'in words that say every limit'
statement mori 1
gives 1 'before it is approved there is none'
as mori approve "$request"
gives 3 'who asked does not approve it'
run refuse "$request"
statement mori 1
gives 1 'nor where it was refused'
allow mori
request=$(json .request)
as second --json approve "$request"
is "$code $(json '.kind + (.id | tostring)')" '0 standing1' 'another officer approves it'
run --json ledger query --max 20
is "$(json '[.entries[].type | select(. != "signed-in" and . != "signed-out" and . != "queried")][:2] | join(" ")')" 'standing-approval approval' 'with both entries'

# --- using
statement mori 1
gives 1 'while there is nothing new there is no statement'
is "$(left 1 '[.state, .uses, .next_entry] | map(tostring) | join(" ")')" 'open 0 1' 'and that is no use'
for n in 1 2 1; do see $n; done
for who in ito sato kato; do
	statement $who 1
	refused "$who makes none"
done
statement yuki 1
refused 'another supervisor does not use it'
statement aoki 1
refused 'nor an officer'
statement second 1
refused 'nor who approved it'
statement mori 1 --recipient "$stranger"
refused 'it goes to no other recipient'
statement mori 1 --columns time,device
refused 'nor with another column'
statement mori 1 --rows 6
refused 'nor with more rows'
statement mori 2
gives 1 'there is no other'
statement mori 0
gives 2 'zero is no number'
run ask statement make 1 --out made.age
gives 2 'a use is not asked for again'
is "$(left 1 .uses)" 0 'nothing of that was a use'
run --json ledger query --max 100
is "$(json '[.entries[] | select(.type == "refused" and (.staff | IN("yuki", "second")))] | length')" 2 'and each is an entry (I2)'
statement mori 1
is "$code $(json '[.from, .rows, .remaining, .uses] | map(tostring) | join(" ")')" '0 1 3 0 1' 'who asked has the first statement'
is "$(json .sha256)" "$(sha256sum made.age | cut -d' ' -f1)" 'and is told what it hashes to'
age -d -i client.id made.age >made.csv
ok 'the recipient opens it'
! age -d -i stranger.id made.age >/dev/null 2>&1
ok 'nobody else does'
is "$(head -1 made.csv)" 'time,type,staff,record,shown' 'it has the columns that were approved'
is "$(cut -d, -f2- made.csv | tail -n +2 | tr '\n' ';')" 'disclosed,ito,1,number name phone;disclosed,ito,2,number name phone;disclosed,ito,1,number name phone;' 'and who saw whom'
! grep -qE 'Ann|Ray|1234|1111' made.csv out
ok 'but nothing of anybody (I3)'
[ "$(stat -c %a made.age)" = 600 ]
ok 'for its owner alone'
run --json ledger query --client c01 --max 1
is "$(json '.entries[0] | .type + " " + .staff')" 'statement mori' 'the use is in the log of the client'
statement mori 1 --from 0
refused 'not again before its time'
see 1
sleep 2.1
statement mori 1 --rows 1 --columns staff,record --from 2
is "$code $(json '[.from, .rows, .uses] | map(tostring) | join(" ")')" '0 2 1 2' 'then again, with less'
age -d -i client.id made.age >made.csv
is "$(tr '\n' ';' <made.csv)" 'staff,record;ito,2;' 'and that is what is in it'
is "$(left 1 .next_entry)" 4 'what was had before does not come back by it'
cp made.age there.age
as mori statement make 1 --out there.age
gives 1 'a file that is there is not written over'
for n in 1 2 1 2 1 2 1; do see $n; done
sleep 2.1
statement mori 1
is "$code $(json '[.from, .rows, (.remaining > 0)] | map(tostring) | join(" ")')" '0 4 5 true' 'never more rows than were approved; the rest is for the next'
sleep 2.1
as mori statement make 1 --out /nonexistent/x
gives 1 'a file that cannot be made is no use'
is "$(left 1 '[.uses, .next_entry] | map(tostring) | join(" ")')" '3 9' 'indeed'
touch elsewhere
ln elsewhere made.age.part
as mori statement make 1 --out made.age
gives 1 'a file that has another name, too, is not written over'
rm elsewhere made.age.part
ln -s elsewhere made.age.part
as mori statement make 1 --out made.age
gives 1 'nor where a link points'
rm made.age.part
is "$(left 1 .uses)" 3 'neither is a use'
# One that fails behind the entry is: a pipe takes what is written, and cannot be kept.
mkfifo lost.age.part
exec 8<>lost.age.part
as mori statement make 1 --out lost.age
gives 1 'a file that fails on its way'
exec 8>&-
is "$(left 1 '[.uses, .next_entry] | map(tostring) | join(" ")')" '4 14' 'is used up (I1)'
statement mori 1 --from 9
refused 'and not made again at once'
sleep 2.1
statement mori 1 --from 9
is "$code $(json '[.from, .rows] | map(tostring) | join(" ")')" '0 9 5' 'but with the next one, from where it began'

# --- what is left of it
is "$(left 1 '.approved_by + " " + .asker + " " + (.rows | tostring) + " " + .until')" "second mori 5 $until" 'it is listed with its limits'
[ "$(left 1 .left)" -gt 80000 ]
ok 'with how often it may be used'
as mori --json statement list
is "$(json '.standing | length')" 1 'who asked sees it'
as yuki --json statement list
is "$(json '.standing | length')" 0 'others who ask do not'
as ito statement list
gives 3 'an agent none'

# --- at its hours
allow mori --hours "$(date -u -d '+2 hours' +%H:%M)-$(date -u -d '+3 hours' +%H:%M)"
as second approve "$(json .request)"
statement mori 2
refused 'not outside of its hours'
allow mori --hours "$(date -u -d '-1 hour' +%H:%M)-$(date -u -d '+1 hour' +%H:%M)" --rows 100
as second approve "$(json .request)"
see 1
statement mori 3
gives 0 'at its hours it is'

# --- over a restart and kill -9
allow mori --every 1h
as second approve "$(json .request)"
see 1
statement mori 4
gives 0 'one an hour'
stop
serve
is "$(left 4 .uses)" 1 'a use is kept over a restart (I8)'
statement mori 4 --from 0
refused 'and its hour has not passed by it'
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do
	run status
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
statement mori 4 --from 0
refused 'nor by a keeper that died'

# --- two at once are one
allow mori --every 1h --rows 100
as second approve "$(json .request)"
see 2
for i in 1 2 3 4 5; do
	(
		c=0
		AZUKARI_KEY=$work/mori.key "$az" statement make 5 --out many$i.age >/dev/null 2>&1 || c=$?
		echo $c >many$i
	) &
	makers="${makers:-} $!"
done
# shellcheck disable=SC2086
wait $makers
is "$(cat many? | sort | tr '\n' ' ')" '0 3 3 3 3 ' 'of five at once one is made'
is "$(left 5 .uses)" 1 'and counted'

# --- ended
for who in mori ito; do
	as $who statement end 3
	gives 3 "$who ends none"
	as $who refuse "$request"
	gives 3 "nor by refusing"
done
run statement end 3
gives 0 'an officer ends one'
see 1
statement mori 3
refused 'which allows nothing any more'
run statement end 3
gives 1 'nor is it ended twice'
run statement end 99
gives 1 'nor one that there is not'
run refuse "$request"
gives 0 'an officer refuses a request that was carried out'
sleep 2.1
statement mori 1
refused 'and what it went on allowing is ended'
is "$(left 1 '.state + " " + (.left | tostring)')" 'ended 0' 'which shows'
run refuse "$request"
gives 1 'once'
run --json ledger query --max 500
is "$(json '[.entries[] | select(.type == "standing-approval")] | length')" 7 'five were allowed and two ended: entries'

# --- the people whom it leans on
allow yuki
as second approve "$(json .request)"
see 1
statement yuki 6
gives 0 'another one asks for one, and uses it'
public newer
run staff rekey yuki --public "$key"
sleep 2.1
see 1
statement newer 6
refused 'who has that human key since then does not (I7)'
allow mori --rows 100
as second approve "$(json .request)"
statement mori 7 --from 0
gives 0 'one more'
sleep 2.1
run staff end second
statement mori 7 --from 0
refused 'who approved it is retired: it is void (I7)'
is "$(left 7 .state)" void 'which shows'
allow mori --rows 100
run approve "$(json .request)"
statement mori 8 --from 0
gives 0 'another officer approves a new one'
public third
run staff add third --role officer --public "$key"
allow mori --rows 100
as third approve "$(json .request)"
public newest
run staff rekey third --public "$key"
statement mori 9 --from 0
refused 'who approved it has another key since: it is void (I7)'
is "$(left 9 .state)" void 'which shows'
sleep 2.1
run client close c01
statement mori 8 --from 0
refused 'a client that was closed gets none'

# --- an officer of an unsealed house approves by asking
run --json statement allow c02 --recipient "$client" --columns index --rows 1 --every 1h --until "$until"
is "$code $(json .approved)" '0 true' 'an officer of an unsealed house approves by asking'
statement aoki 10
gives 1 'of a log that has nothing in it yet'
statement mori 10
refused 'and it is theirs alone'
run ledger verify
gives 0 'the ledger holds'

# --- a declared loss
stop
run backup older
run key backup house.keys
run client add c03 --name Three
run purpose add c03/p --fields number,name --roles agent,supervisor --until 2030-12-31
run --json statement allow c03 --recipient "$client" --columns index --rows 1 --every 1s --until "$until"
as mori entrust --client c03 --purpose p --as-of 2026-04-01 list.csv
rm -rf older house.keys
run backup older
run key backup house.keys
statement aoki 11
gives 0 'an officer has one of their own, and uses it'
run --house lost restore older --keys house.keys
AZUKARI_HOUSE=$work/lost
run restore --declare-loss
gives 0 'a use was lost, and the loss is declared'
for _ in $(seq 100); do run status; [ "$code" -eq 0 ] && break; sleep 0.1; done
statement aoki 11
refused 'what was allowed before is not any more: nobody knows how often it was used'
is "$(left 11 .state)" void 'which shows'
plan
