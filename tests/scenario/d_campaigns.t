#!/bin/sh
# Campaigns hold whoever names one to their people, days, hours and staff; attempts are noted and listed.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run client add c02 --name 'Another City'
run purpose add c01/checkup --fields number,name,phone --roles agent,supervisor --until 2030-12-31
run purpose add c01/inspect --fields number,name --roles supervisor --until 2030-12-31
run staff add ueda --role agent --key-out ueda.key
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n2,Bob Ray,090-1111-2222\n' >one.csv
printf 'number,name,phone\n2,Bob Ray,090-1111-2222\n3,Cho Kim,06-7777-8888\n' >two.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 one.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-05-01 two.csv
gives 0 'two lists'

# Who may.
as mori --json campaign add c01/x --purpose checkup --until 2030-01-01
is "$(json .approved)" false 'a supervisor asks for a campaign (I7)'
for who in ito sato kato; do
	as $who campaign add c01/x --purpose checkup --until 2030-01-01
	gives 3 "$who: campaign add"
done
for who in sato kato; do
	as $who campaign list
	gives 3 "$who: campaign list"
done
run campaign add c01/spring --purpose checkup --until 2030-01-01
gives 0 'a campaign'
run campaign add c01/spring --purpose checkup --until 2030-01-01
gives 1 'a label twice'
run campaign add c01/x --purpose nothing --until 2030-01-01
gives 1 'a purpose that is not there'
run campaign add c01/x --purpose checkup --until 2031-01-01
gives 1 'longer than its purpose'
run campaign add c01/x --purpose checkup --from 2029-01-01 --until 2028-01-01
gives 1 'that ends before it begins'
run campaign add c01/x --purpose checkup --until 2030-01-01 --staff nobody
gives 1 'for nobody'
run campaign add c01/x --purpose checkup --until 2030-01-01 --lists 9
gives 1 'of a list that is not there'
run campaign add c01/x --purpose checkup --until 2030-01-01 --hours 25:00-26:00
gives 2 'at hours that are none'
run campaign add c01/second --purpose checkup --until 2030-01-01 --lists 2 --staff ito
gives 0 'one for a list and a human'
run campaign add c01/later --purpose checkup --from 2029-12-30 --until 2030-01-01
gives 0 'one that has not begun'
now=$(date +%H:%M)
past=$(date -d '2 hours ago' +%H:%M)
soon=$(date -d '1 hour ago' +%H:%M)
run campaign add c01/closed --purpose checkup --until 2030-01-01 --hours "$past-$soon"
gives 0 "one that is not open at $now"
run campaign add c01/open --purpose checkup --until 2030-01-01 --hours "$soon-$(date -d '1 hour' +%H:%M)"
gives 0 'one that is'
as ito --json campaign list c01
is "$(json '.campaigns | length')" 5 'agents see what there is'

see() { who=$1; shift; as "$who" --json disclose --client c01 --purpose checkup --reason outbound --basis dialled "$@"; }
see ito --campaign spring --by number=1
gives 0 'an agent sees somebody of a campaign'
run --json ledger query --client c01 --record 1 --max 1
is "$(json '.entries[0].type')" disclosed 'which is an entry'
see ito --campaign second --by number=3
gives 0 'somebody of its list'
see ito --campaign second --by number=2
is "$(json .as_of)" 2026-05-01 'also who is in others'
see ito --campaign second --by number=1
gives 1 'nobody else'
see ito --campaign second --by phone=0312345678
gives 1 'nor by telephone'
see ueda --campaign second --by number=3
gives 3 'not for who is not of its staff'
see ito --campaign later --by number=1
gives 3 'not before its days'
see ito --campaign closed --by number=1
gives 3 'not outside its hours'
see ito --campaign open --by number=1
gives 0 'inside them'
see ito --campaign nothing --by number=1
gives 3 'a campaign that is not there (I9)'
as mori disclose --client c01 --purpose inspect --campaign spring --by number=1 --reason outbound
gives 3 'of another purpose'

# Attempts.
try() { who=$1; shift; as "$who" --json attempt --client c01 --purpose checkup "$@"; }
for who in aoki sato kato; do
	try $who --record 1 --outcome reached
	gives 3 "$who: attempt"
done
as ito attempt --client c01 --purpose inspect --record 1 --outcome reached
gives 3 'an agent for a purpose that is not theirs'
try ito --record 1
gives 2 'without an outcome'
try ito --record 1 --outcome callback
gives 1 'to call back without a time'
try ito --record 1 --outcome callback --callback 2020-01-01T10:00
gives 1 'at a time that is past'
try ito --record 1 --outcome reached --note 'pays by 4111 1111 1111 1111'
gives 1 'a card number is no note'
! grep -q 4111 out err
ok 'and is not told'
try ito --record 1 --outcome reached --campaign later
gives 3 'in a campaign that is not open'
try ito --record 99 --outcome reached
gives 1 'of nobody'
try ito --by number=1 --outcome no-answer --campaign spring --call 77
gives 0 'one attempt'
try ito --record 1 --outcome callback --callback "$(date -d '1 day' +%Y-%m-%dT10:30)" --note 'planted: asks for the evening'
gives 0 'another, with a note'
is "$(json .outcome)" callback 'and what it was'
list() { who=$1; shift; as "$who" --json attempt list --client c01 --purpose checkup "$@"; }
list ito --record 1
is "$(json '[.attempts[].outcome] | join(" ")')" 'callback no-answer' 'they are listed, the newest first'
is "$(json '.attempts[0].note')" 'planted: asks for the evening' 'with the note'
is "$(json '.attempts[1].campaign')" spring 'and the campaign'
[ "$(json '.attempts[0].callback')" != null ]
ok 'and when to call back'
list ito --by number=1 --max 1
is "$(json '.attempts | length')" 1 'as many as are asked for'
list ito --record 2
is "$(json '.attempts | length')" 0 'not with another person'
for who in aoki sato kato; do
	list $who --record 1
	gives 3 "$who: attempt list"
done
as mori --json attempt list --client c01 --purpose inspect --record 1
gives 1 'nor for a purpose that does not have the person'
run --json ledger query --client c01 --record 1 --max 3
is "$(json '.entries[0].type')" attempts-listed 'that notes were shown is an entry'
is "$(json '[.entries[] | select(.version != null) | .version] | unique | join(" ")')" 1 'and no attempt is a version'
! grep -q planted out
ok 'the ledger has no note'
see ito --by number=1
is "$(json .version)" 1 'nor has the person changed'
run campaign close c01/spring
gives 0 'a campaign is closed'
see ito --campaign spring --by number=1
gives 3 'and shows nobody any more'
stop
! LC_ALL=C grep -rlaE 'planted' "$AZUKARI_HOUSE" >left
ok 'no note lies in clear in any file (I4)'
list ito --record 1
is "$(json '[.attempts[].outcome] | join(" ")')" 'callback no-answer' 'all after a restart'
is "$(json '.attempts[0].note')" 'planted: asks for the evening' 'with the note'
run --json campaign list c01
is "$(json '[.campaigns[] | select(.closed != null)] | length')" 1 'also what is closed'
run ledger verify
gives 0 'and the ledger holds'
plan
