#!/bin/sh
# Who may not do what. Refusals are entries.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run client add c02 --name 'Another City'
run purpose add c01/checkup --fields name,phone:last4 --roles agent --until 2030-12-31
run purpose add c01/inspect --fields name --roles supervisor --until 2030-12-31
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n2,Bob Ray,090-1111-2222\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'

# The table of the design, row by row; what it does not allow is refused.
may() { # who, expected, command…
	who=$1 expected=$2
	shift 2
	as "$who" "$@"
	gives "$expected" "$who: $*"
}
for who in ito sato; do may $who 3 status; done
may mori 3 status
may kato 0 status
for who in ito sato kato; do
	may $who 3 client add x --name X
	may $who 3 client close c02
	may $who 3 purpose add c01/x --fields name --roles agent --until 2030-01-01
	may $who 3 staff add x --role agent --public "$(printf '0%.0s' $(seq 64))"
	may $who 3 staff end ito
	may $who 3 device add x --public "$(printf '0%.0s' $(seq 64))"
	may $who 3 ledger query
done
# A supervisor may ask for these, and nothing is done by that.
may mori 0 client add x --name X
may mori 0 client close c02
may mori 0 purpose add c01/x --fields name --roles agent --until 2030-01-01
may mori 0 staff add x --role agent --public "$(printf '0%.0s' $(seq 64))"
may mori 0 staff end ito
may mori 0 device add x --public "$(printf '0%.0s' $(seq 64))"
may mori 3 ledger query
run --json status
is "$(json '[.clients, .purposes, .staff, .devices] | map(tostring) | join(" ")')" '2 2 5 1' 'asked is not done (I7)'
for who in aoki ito sato kato; do
	may $who 3 entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
done
for who in aoki sato kato; do
	may $who 3 disclose --client c01 --purpose checkup --by number=1 --reason enquiry
done
may mori 3 disclose --client c01 --purpose checkup --by number=1 --reason enquiry
may ito 3 disclose --client c01 --purpose inspect --by number=1 --reason enquiry
may ito 3 ledger verify
may mori 3 ledger verify
for who in aoki sato kato; do may $who 0 ledger verify; done
for who in ito mori; do may $who 0 purpose list; done
for who in sato kato; do may $who 3 purpose list; done
may ito 3 staff list
may kato 3 staff list

run --json ledger query --staff kato --max 100
[ "$(json '[.entries[] | select(.type == "refused")] | length')" -ge 10 ]
ok 'refusals are entries, under the name of who was refused (I2)'

# What is not there, has ended, or is somebody else's.
see() { as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry "$@"; }
see
gives 0 'an agent sees'
as ito disclose --client c02 --purpose checkup --by number=1 --reason enquiry
gives 3 'not for a client without that purpose (I9)'
as ito disclose --client c01 --purpose other --by number=1 --reason enquiry
gives 3 'not for a purpose that is not there'
as ito disclose --client c01 --purpose checkup --by number=1
gives 2 'not without a reason'
as ito disclose --client c01 --purpose checkup --by number=1 --reason because
gives 2 'not for a reason that is none'
as ito disclose --client c01 --purpose checkup --reason enquiry
gives 2 'not everybody (I3)'
run purpose add c01/past --fields name --roles agent --until 2020-01-01
gives 1 'a purpose that would have ended'
run purpose add c01/bad --fields name:year --roles agent --until 2030-01-01
gives 1 'a mask that does not fit'
run purpose add c01/bad --fields nothing --roles agent --until 2030-01-01
gives 2 'a field that is none'
run purpose add c01/bad --fields name --roles maintainer --until 2030-01-01
gives 1 'a purpose for maintainers'
run client add c01 --name Again
gives 1 'a label twice'
run staff add ito --role agent --key-out ito2.key
gives 1 'a human twice'
[ ! -e ito2.key ]
ok 'whose key is not left behind'
run staff end aoki
gives 1 'the last officer cannot end'
run device retire host
gives 1 'nor the device that is used'

# Keys.
printf '' >empty.key
AZUKARI_KEY=empty.key run status
gives 1 'an empty key file'
sed 's/^seed .*/seed 0000000000000000000000000000000000000000000000000000000000000000/' aoki.key >zero.key
AZUKARI_KEY=zero.key run status
[ "$code" -ne 0 ]
ok "a key file with another seed (exit $code)"
run init --house other --officer aoki --key-out other.key --unsealed
AZUKARI_KEY=other.key run status
gives 1 'the key of another house'
run --house other --key other.key staff add x --role agent --key-out x.key
gives 0 'the other house works'
run staff key --out own.key --name own
gives 0 'somebody makes a key of their own'
key=$(cat out)
AZUKARI_KEY=own.key run status
gives 3 'which opens nothing until it is added (I9)'
run staff add ueda --role agent --public "$key"
gives 0 'it is added by its public half'
AZUKARI_KEY=own.key run purpose list
gives 0 'and then it does'
run staff add ueda2 --role agent --public "$key"
gives 1 'but not for two people'

run staff end ito
gives 0 'somebody leaves'
see
gives 3 'and sees nobody any more'
run purpose close c01/inspect
gives 0 'a purpose is closed'
as mori disclose --client c01 --purpose inspect --by number=1 --reason enquiry
gives 3 'and shows nothing any more'
run client close c01
gives 0 'a client is closed'
AZUKARI_KEY=own.key run disclose --client c01 --purpose checkup --by number=1 --reason enquiry
gives 3 'and shows nobody any more'
as mori entrust --client c01 --purpose checkup --as-of 2026-04-02 list.csv
gives 1 'nor takes lists'
run ledger verify
gives 0 'the ledger holds'
plan
