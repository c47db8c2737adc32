#!/bin/sh
# What one person asks, another approves (I7). In an unsealed house, where there is one device.
. "$(dirname "$0")/lib.sh"
found
serve
public() { # who: a key of their own; its public half in $key
	run staff key --out "$1.key" --name "$1"
	key=$(cat out)
}

# An officer's own is approved at once here, and what others must ask waits.
run --json client add c01 --name 'City of Example'
is "$(json .approved)" true 'an officer of an unsealed house approves by asking'
as mori --json client add c02 --name 'Town of Example'
gives 0 'a supervisor asks for a client'
is "$(json .request)" 1 'which is request 1'
is "$(json .approved)" false 'and is not approved'
json .what | grep -q 'add client c02, Town of Example'
ok 'in words'
run client list
! grep -q c02 out
ok 'nothing was done yet'
as mori --json approvals
is "$(json '.requests | length')" 1 'who asked sees it'
as sato --json approvals
is "$(json '.requests | length')" 0 'others who ask do not'
as sato approvals 1
gives 3 'nor one by its number'
as ito approvals
gives 3 'an agent sees none'
for who in mori sato ito kato; do
	as $who approve 1
	gives 3 "$who approves nothing (I7)"
done
run --json approvals
is "$(json '.requests[0].state')" open 'it is open'
run --json approve 1
gives 0 'an officer approves it'
is "$(json '.kind + .label + (.request | tostring)')" clientc021 'and it is done'
run --json approve 1
gives 3 'once (I7)'
run client list
[ "$(grep -c c02 out)" -eq 1 ]
ok 'once'
run --json ledger query --max 40
json '.entries[] | .type' >types
[ "$(grep -c '^approval$' types)" -eq 1 ] && grep -q '^asked$' types
ok 'asking and approving are entries'
is "$(json '[.entries[] | select(.type == "client")][0].staff')" mori 'the change is in the name of who asked (I2)'
is "$(json '[.entries[] | select(.type == "approval")][0].staff')" aoki 'the approval in that of who approved (I2)'

# Refusing, and what waits no longer.
as mori staff add ueda --role agent --public "$(printf '1%.0s' $(seq 64))"
gives 0 'a supervisor asks for an agent'
as mori refuse 2
gives 3 'who asked cannot refuse it'
run --json refuse 2
is "$(json .state)" refused 'an officer refuses it'
run approve 2
gives 3 'what was refused cannot be approved'
run refuse 2
gives 1 'nor refused again'
run approve 99
gives 1 'what was never asked cannot be approved'
run approve 0
gives 2 'zero is no number'
run approve 1x
gives 2 'nor is this'

# What cannot be, is not asked.
as mori client add c01 --name Again
gives 1 'a label twice is not asked'
as mori staff end nobody
gives 1 'nor the end of nobody'
as mori policy close 1
gives 3 'what a role may not ask is refused'

# Asking explicitly: an officer who wants another one to see it.
run ask --note 'new desk' client add c03 --name Three
gives 0 'an officer asks though they need not'
run approve 3
gives 3 'and cannot approve it themselves (I7)'
public second
run staff add second --role officer --public "$key"
gives 0 'an officer gets a second identity'
as second approve 3
gives 3 'which cannot approve it either: its key comes from who asks (I7)'
as second client add c04 --name Four
as second ask client add c05 --name Five
gives 0 'the other asks'
run --json approve 4
gives 0 'and the first approves'
is "$(json .label)" c05 'it is done'
run ask status
gives 2 'what changes nothing is not asked'
run ask client list
gives 1 'nor is a list'
as mori ask client list
gives 1 'nor that'
as ito ask client add c09 --name Nine
gives 3 'an agent asks nothing (I9)'
run ask --expires 31d client add c09 --name Nine
gives 1 'nothing waits for ever'
run ask --expires 0s client add c09 --name Nine
gives 2 'nor for no time'
run ask ask client add c09 --name Nine
gives 2 'asking is not asked'

# What expires.
as mori ask --expires 1s client add c06 --name Six
gives 0 'something is asked for a second'
sleep 1.2
run approve 5
gives 3 'and has expired (I7)'
run --json approvals --all
is "$(json '.requests[] | select(.request == 5) | .state')" expired 'which shows'
run --json approvals
is "$(json '[.requests[] | .request] | @csv')" 3 'only the open one waits'

# Who left: as an approver, and as an asker.
as mori client add c07 --name Seven
as second client close c04
run staff end second
gives 0 'an officer is retired'
as second approve 6
gives 3 'and approves nothing any more (I7)'
run ask staff end mori
run staff end mori
gives 0 'who asked leaves'
run approve 6
gives 3 'and what they asked is not done any more'
run client list
! grep -q c07 out
ok 'indeed not'

# The signature is over one request, and every bit of it.
run staff key --out asker.key --name asker
run staff add asker --role supervisor --public "$(cat out)"
as asker client add c11 --name Eleven
as asker client add c12 --name Twelve
replay() {
	code=0
	"$AZUKARI_REPLAY" "$@" >out 2>err || code=$?
}
replay 8 9
gives 3 'a signature over one request approves no other (I7)'
replay 9 8
gives 3 'nor the other way about'
for bit in 0 7 255 256 511; do
	replay 8 8 $bit
	gives 3 "nor with bit $bit changed"
done
run client list
! grep -qE 'c11|c12' out
ok 'nothing was done by any of that'
replay 8 8
gives 0 'as it is, it does'
replay 8 8
gives 3 'once'
run refuse 9

# All of it again after a restart.
stop
gives 0 'the house stops'
serve
run --json approvals --all
is "$(json '[.requests[] | (.request|tostring) + .state] | join(" ")')" \
	'1used 2refused 3open 4used 5expired 6open 7open 8used 9refused' 'requests are kept'
run approve 1
gives 3 'what was used stays used over a restart (I7)'
run ledger verify
gives 0 'the ledger holds'
plan
