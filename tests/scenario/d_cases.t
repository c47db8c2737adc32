#!/bin/sh
# A case is what an investigator may trace, within limits that somebody else approved (I7).
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
hash=$(printf '%064d' 7)

# Only an investigator asks for one, and nobody opens one alone.
for who in aoki mori ito kato; do
	as $who case open --reason suspicion
	gives 3 "$who opens no case"
done
as sato --json case open --reason suspicion --rows 500 --days 3 --clients c01 --hash "$hash"
gives 0 'an investigator asks for a case'
is "$(json .kind)$(json .id)" case1 'which is case 1'
request=$(json .request)
is "$(json .what)" "open a case: suspicion, 500 rows, 3 days, clients c01, only the file $hash" \
	'and every limit is in what is signed'
as sato --json case list
is "$(json '.cases[0].state')" asked 'it is asked'
as sato approve "$request"
gives 3 'who asked does not approve it (I7)'
for who in mori ito kato; do
	as $who approve "$request"
	gives 3 "nor does $who"
done
run --json approve "$request"
gives 0 'an officer does'
is "$(json .kind)$(json .id)" case1 'and it is open'
run approve "$request"
gives 3 'once'
as sato --json case list
is "$(json '.cases[0] | .state + (.rows|tostring) + .clients[0] + .hash')" "open500c01$hash" 'with its limits'
as mori case list
gives 3 'a supervisor sees no cases'

# What is not asked well.
as sato case open
gives 2 'a case needs a reason'
as sato case open --reason gossip
gives 2 'that is one'
as sato case open --reason suspicion --rows 0
gives 2 'no rows'
as sato case open --reason suspicion --rows 100000001
gives 2 'too many rows'
as sato case open --reason suspicion --days 367
gives 2 'too many days'
as sato case open --reason suspicion --hash abc
gives 2 'a short hash'
as sato case open --reason suspicion --clients c99
gives 1 'a client that is none'
as sato case open --reason suspicion --clients 'c01,,'
gives 2 'clients that are no labels'

# A list that looks made up needs a second approval.
as sato --json case allow 1 "$hash"
gives 0 'it is asked for'
request=$(json .request)
json .what | grep -q "in case 1, trace the file $hash"
ok 'in words'
as sato approve "$request"
gives 3 'and not by who asks'
run approve "$request"
gives 0 'an officer approves it'
as sato case allow 9 "$hash"
gives 1 'of a case that is none'
run case allow 1 "$hash"
gives 3 'an officer asks for none'

# An open case survives a restart; a closed one stays so.
stop
serve
as sato --json case list
is "$(json '.cases[0].state')" open 'a restart leaves it open'
run staff add abe --role investigator --key-out abe.key
as abe --json case list
is "$(json '.cases | length')" 0 'another investigator does not see it'
as abe case close 1
gives 3 'nor closes it'
as sato case close 1
gives 0 'its own does'
as sato case close 1
gives 1 'once'
as sato case allow 1 "$hash"
gives 3 'a closed one allows nothing'
as sato case close 7
gives 1 'one that is none is not closed'
as sato case open --reason audit
run --json case list
is "$(json '[.cases[] | .state] | join(" ")')" 'closed asked' 'officers see all'
run case close 2
gives 0 'and close what was only asked'
request=$(as sato --json approvals && json '.requests[0].request')
run approve "$request"
gives 3 'which then opens no more'
run --json ledger query --max 400
is "$(json '[.entries[] | select(.type == "case")] | length')" 4 'openings and closings are entries'
run ledger verify
gives 0 'the ledger holds'
plan
