#!/bin/sh
# Fields shown in part, and whole for a reason.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/bad --fields name,phone:last4 --roles agent --until 2030-12-31 --unmask name
gives 1 'a field that is shown whole cannot be unmasked'
run purpose add c01/bad --fields name,birth:check --roles agent --until 2030-12-31 --unmask birth
gives 1 'nor one that is not shown'
run purpose add c01/bad --fields name --roles agent --until 2030-12-31 --unmask phone
gives 2 'nor one that is not there'
run purpose add c01/checkup --fields name,phone:last4,email:domain,birth:year --roles agent --until 2030-12-31 --unmask phone,email
gives 0 'a purpose lets two of its fields be unmasked'
run --json purpose list c01
is "$(json '[.purposes[0].fields[] | select(.unmask) | .field] | join(" ")')" 'phone email' 'and says so'
as mori --json purpose add c01/other --fields name,phone:last4 --roles agent --until 2030-12-31 --unmask phone
json .what | grep -q 'phone:last4(contact) (may be unmasked)'
ok 'who approves one reads it (I7)'
printf 'number,name,phone,email,birth\n1,Ann Lee,03-1234-5678,ann@example.jp,1980-03-04\n2,Bob Ray,090-1111-2222,,1975-12-01\n3,Eve Kay,03-5555-0000,,\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }

see --by number=1
is "$(json '.fields.phone + " " + .fields.email')" '**-****-5678 ***@example.jp' 'usually they are shown in part'
is "$(json 'has("unmasked")')" false 'and nothing is said of unmasking'
see --by number=1 --unmask phone --why 'number for the ambulance'
gives 0 'for a reason'
is "$(json .fields.phone)" 03-1234-5678 'one is shown whole'
is "$(json '.fields.email + " " + .fields.birth')" '***@example.jp 1980' 'the others are not'
is "$(json '(.masked | join(",")) + " " + (.unmasked | join(","))')" 'birth,email phone' 'which the answer tells'
see --by number=1 --unmask phone,email --why 'both are asked'
is "$(json '.fields.phone + " " + .fields.email')" '03-1234-5678 ann@example.jp' 'two at once'
see --by number=2 --unmask email --why 'has none'
is "$(json '.unmasked | length')" 0 'what is empty shows nothing'

# Refused.
see --by number=1 --unmask birth --why 'curious'
gives 3 'a field that the purpose does not let'
see --by number=1 --unmask phone,birth --why 'curious'
gives 3 'nor one of two'
see --by number=1 --unmask name --why 'it is whole'
gives 3 'nor one that is whole anyway'
see --by number=1 --unmask x:none --why 'none'
gives 3 'nor one that is not there'
see --by number=1 --unmask phone
gives 2 'without a reason in words'
see --by number=1 --unmask phone --why ''
gives 2 'or an empty one'
see --by number=1 --unmask phone --why "$(printf 'x%.0s' $(seq 501))"
gives 2 'or one that is too long'
see --by number=1 --why 'nothing is unmasked'
gives 2 'a reason without a field'
see --by number=1 --unmask shoe --why 'x'
gives 2 'a field that is none'
see --by number=1 --unmask '' --why 'x'
gives 2 'no field'
see --by number=9 --unmask phone --why 'not there'
gives 1 'nobody'
run restrict --client c01 --purpose checkup --record 1 --fields phone
see --by number=1 --unmask phone --why 'restricted'
is "$(json '.fields.phone')" null 'what is restricted stays so'
run restrict --client c01 --purpose checkup --record 1 --fields phone --lift
for who in aoki mori sato kato; do
	as $who disclose --client c01 --purpose checkup --reason enquiry --by number=1 --unmask phone --why 'me'
	gives 3 "not for $who"
done
as ito check --client c01 --purpose checkup --by number=1 --is phone=03-1234-5678 --unmask phone
gives 2 'a check unmasks nothing'

# What is written down: before, and apart.
run --json ledger query --client c01 --max 500
is "$(json '[.entries[] | select(.type == "unmasked")] | length')" 3 'each time is an entry of its own (I1)'
is "$(json '[.entries[] | select(.type == "unmasked")] | last | .staff + " " + (.unmasked | join(",")) + " " + .note + " " + (.masked | join(","))')" 'ito phone number for the ambulance birth,email' 'of whom, which field, and why (I2)'
json '.entries | map(select(.type == "unmasked" or .type == "disclosed")) | [.[] | .type] | join(" ")' | grep -q 'disclosed unmasked'
ok 'the disclosure follows it'
! grep -rqF ambulance "$AZUKARI_HOUSE" "$XDG_STATE_HOME"
ok 'the words lie nowhere in plain (I4)'
! grep -rqF 5678 serve.log
ok 'nor the value in a log'

# Counted as a search besides.
run policy add agent --calls 500/5000/50000 --searches 2/1000/5000 --minute 300 --hour 3000 --slow 20
see --by number=3 --call 1
gives 0 'in a call the person is a call'
see --by number=3 --call 2 --unmask phone --why 'a third person'
gives 5 'whole they are a search, and the day has no more'
run --json ledger query --client c01 --max 500
is "$(json '[.entries[] | select(.type == "unmasked")] | length')" 3 'no entry says otherwise'
run policy add agent --calls 500/5000/50000 --searches 10/1000/5000 --minute 300 --hour 3000 --slow 20
see --by number=3 --call 3 --unmask phone --why 'a third person'
gives 0 'with room for it'
is "$(json .fields.phone)" 03-5555-0000 'it is shown'
run staff add ueda --role agent --key-out ueda.key
run policy add agent --calls 500/5000/50000 --searches 200/1000/5000 --minute 1 --hour 3000 --slow 20
as ueda disclose --client c01 --purpose checkup --reason enquiry --by number=1 --call 4 --unmask phone --why 'one question is two'
gives 5 'who may ask one question in a minute cannot have one unmasked, which is two'
as ueda disclose --client c01 --purpose checkup --reason enquiry --by number=1 --call 4
gives 0 'but may have it in part'
run ledger verify
gives 0 'the ledger holds'

# What the client reads of it, with a tool that needs no house.
as ueda disclose --client c01 --purpose checkup --reason enquiry --by number=1
as ito check --client c01 --purpose checkup --by number=3 --is phone=03-5555-0001
run policy add agent --calls 500/5000/50000 --searches 200/1000/5000 --minute 300 --hour 3000 --slow 20
run staff add ono --role agent --key-out ono.key
as ito check --client c01 --purpose checkup --by number=3 --is phone=03-5555-0001
as ito disclose --client c01 --purpose checkup --reason enquiry --by number=3
as ito hand-over --client c01 --purpose checkup --record 3 --to ono
gives 0 'a person is handed over'
run ledger export --log c01 published
code=0
"$AZUKARI_VERIFY" log --vkey published/vkey --story published >out 2>err || code=$?
gives 0 'a client verifies its log'
for said in 'had unmasked, for a reason that the house keeps: phone of record' 'had compared with a value, inside the house only: phone of record' \
	'was told no about phone of record' 'handed over to a colleague, for 15 minutes: record'; do
	grep -q "$said" out
	ok "and reads: $said"
done
plan
