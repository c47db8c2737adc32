#!/bin/sh
# The person of a call, handed to a colleague.
. "$(dirname "$0")/lib.sh"
found
run staff add ueda --role agent --key-out ueda.key
serve
run client add c01 --name 'City of Example'
run client add c02 --name 'Another City'
run purpose add c01/checkup --fields name,phone:last4 --roles agent,supervisor --until 2030-12-31
run purpose add c01/desk --fields name --roles agent --until 2030-12-31
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n2,Bob Ray,090-1111-2222\n3,Eve Kay,03-5555-0000\n' >list.csv
for purpose in checkup desk; do
	as mori entrust --client c01 --purpose $purpose --as-of 2026-04-01 list.csv
	gives 0 "a list for $purpose is there"
done
see() { # who, what by …
	who=$1
	shift
	as "$who" --json disclose --client c01 --purpose checkup --reason enquiry "$@"
}
give() { # who, record, to, …
	who=$1 whom=$2 to=$3
	shift 3
	as "$who" --json hand-over --client c01 --purpose checkup --record "$whom" --to "$to" "$@"
}

# Without one.
see mori --record 1
gives 3 'nobody sees anybody by a record that was not handed over'
see mori --record 77
gives 3 'and is not told whether there is one'
see mori --by number=1 --basis hand-over
gives 3 'nor says hand-over of what was none'
give ito 1 mori
gives 3 'nobody hands over whom they have not seen'

# One.
see ito --by number=1 --call 8841
record=$(json .record)
gives 0 'an agent has somebody on the telephone'
give ito 2 mori
gives 3 'and hands over nobody else'
give ito 99 mori
gives 1 'nor somebody who is not there'
give ito "$record" ito
gives 3 'nor to themselves'
give ito "$record" nobody
gives 3 'nor to somebody who is not here'
give ito "$record" sato
gives 3 'nor to an investigator'
give ito "$record" aoki
gives 3 'nor to an officer'
give ito "$record" mori --minutes 61
gives 2 'nor for longer than an hour'
give ito "$record" mori --minutes 0
gives 2 'nor for no time'
give ueda "$record" mori
gives 3 'nor does a colleague who has not seen them'
for who in aoki sato kato; do
	give $who "$record" mori
	gives 3 "nor does $who"
done
as ito hand-over --client c01 --purpose desk --record "$record" --to ueda
gives 3 'nor for another purpose'
as ito hand-over --client c02 --purpose checkup --record "$record" --to ueda
gives 3 'nor for another client'
see mori --record "$record"
gives 3 'none of that was a hand-over'
give ito "$record" mori --reason complaint
gives 0 'to a supervisor'
is "$(json '.kind + " " + (.id | tostring) + " " + .label')" "hand-over $record mori" 'it says whom and to whom'
see mori --record "$record"
gives 0 'who sees that person'
is "$(json .fields.name)" 'Ann Lee' 'exactly'
see mori --by number=1 --basis hand-over
gives 0 'also by what is known of them'
see mori --by number=2 --basis hand-over
gives 3 'nobody else'
see mori --record 2
gives 3 'nor by record'
see mori --record "$record" --basis manual-search
gives 2 'a record is of no other basis'
see mori --record "$record" --by number=1
gives 2 'nor of two questions'
see mori --record 0
gives 2 'zero is no record'
see ueda --record "$record"
gives 3 'nor does another colleague see them'
see ito --record "$record"
gives 3 'nor who handed over, by that'
as ueda disclose --client c01 --purpose desk --reason enquiry --record "$record"
gives 3 'nor for another purpose'
as mori check --client c01 --purpose checkup --record "$record" --is name='Ann Lee'
gives 2 'a check is by what one knows'

# From hand to hand.
give mori "$record" ueda
gives 0 'the supervisor hands on'
see ueda --record "$record"
gives 0 'and a colleague sees them'
see mori --record "$record"
gives 3 'instead of the supervisor'

# Both sides are written down.
run --json ledger query --client c01 --record "$record"
is "$(json '[.entries[] | select(.type == "handed-over")] | map(.staff + ">" + .to + " " + .reason + " " + (.minutes | tostring)) | join("; ")')" 'mori>ueda enquiry 15; ito>mori complaint 15' 'who to whom, and why (I2)'
is "$(json '[.entries[] | select(.type == "disclosed" and .basis == "hand-over")] | map(.staff) | join(" ")')" 'ueda mori mori' 'and who saw them by that (I2)'

# It ends, and survives.
stop
serve
see ueda --record "$record"
gives 0 'a restart takes no hand-over away (I8)'
give mori "$record" ito
gives 3 'but who was seen last is forgotten: see them again first'
run policy add agent --calls 0/0/0 --searches 0/0/0 --minute 300 --hour 3000 --slow 20
see ueda --record "$record"
gives 0 'going back to somebody costs nothing'
see ito --by number=2
gives 5 'a budget holds'
run purpose close c01/checkup
see ueda --record "$record"
gives 3 'a purpose that has ended shows nobody'
run ledger verify
gives 0 'the ledger holds'
plan
