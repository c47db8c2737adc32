#!/bin/sh
# Stops and restrictions: who may set them, what they do, and that no delivery takes them away.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run client add c02 --name 'Another City'
run purpose add c01/checkup --fields number,name,birth,phone,address,x:ward --roles agent,supervisor --until 2030-12-31
run purpose add c01/inspect --fields name --roles supervisor --until 2030-12-31
run purpose add c02/other --fields name --roles agent --until 2030-12-31
cat >list.csv <<'END'
number,name,birth,phone,address,x:ward
1,Ann Lee,1980-03-04,03-1234-5678,1-2-3 Chiyoda,north
2,Bob Ray,1979-12-31,03-1234-5678,4 Nishi,south
3,Cho Kim,1990-02-03,090-1111-2222,5 Higashi,east
END
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
hold() { who=$1 verb=$2; shift 2; as "$who" --json "$verb" --client c01 --purpose checkup "$@"; }
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }

# Who may.
for who in aoki sato kato; do
	hold $who stop --record 1
	gives 3 "$who: stop"
done
for who in ito sato kato; do
	hold $who restrict --record 1 --fields phone
	gives 3 "$who: restrict"
done
hold mori restrict --record 1 --fields phone
is "$(json .approved)" false 'a supervisor asks for a restriction (I7)'
run refuse "$(json .request)"
gives 0 'which an officer refuses'
as ito stop --client c01 --purpose inspect --record 1
gives 3 'an agent for a purpose that is not theirs'
as ito stop --client c02 --purpose checkup --record 1
gives 3 'a purpose that is not there (I9)'
as ito stop --client c02 --purpose other --record 1
gives 1 "another client's record"
hold ito stop --by number=99
gives 1 'nobody'
run --json ledger query --client c01 --max 1
is "$(json '.entries[0].type')" not-found 'which is an entry'
hold ito stop --record 4000000000
gives 1 'a record that is not there'
hold ito stop
gives 2 'nobody named'
hold ito stop --record 1 --by number=1
gives 2 'named twice'
hold ito stop --record 1 --channel smoke
gives 2 'a channel that is none'
hold aoki restrict --record 1 --fields x:none
gives 1 'a field that is not there'
hold aoki restrict --record 1
gives 2 'no field'
hold aoki restrict --record 1 --fields phone --lift --two-people
gives 2 'two ways at once'
see --by number=1
is "$(json '[(.stops | length),(.restricted | length)] | join(" ")')" '0 0' 'nothing of it has done anything'

# Stops.
hold ito stop --by number=1 --channel phone,sms
gives 0 'an agent sets a stop'
see --by number=1
is "$(json '.stops | join(" ")')" 'phone sms' 'which is shown with the person'
see --by number=3
is "$(json '.stops | join(" ")')" '' 'and not with another'
hold ito stop --record 1 --lift
gives 3 'an agent does not lift one'
as mori entrust --client c01 --purpose checkup --as-of 2026-05-01 list.csv
see --by number=1
is "$(json '.stops | join(" ")')" 'phone sms' 'it survives a delivery'
hold mori stop --record 1 --lift --channel sms
gives 0 'a supervisor lifts one'
see --by number=1
is "$(json '.stops | join(" ")')" phone 'the other stays'

# Restrictions.
hold aoki restrict --record 1 --fields address,x:ward
gives 0 'an officer restricts fields'
see --by number=1
is "$(json '[.fields.address,.fields["x:ward"],.fields.name] | map(. // "-") | join(" ")')" '- - Ann Lee' \
	'which are not shown'
! grep -q 'Chiyoda\|north' out
ok 'nor anywhere in the answer'
is "$(json '.restricted | join(" ")')" 'address x:ward' 'and it is said that they are withheld'
run --json ledger query --client c01 --record 1 --max 1
is "$(json '.entries[0].shown | join(" ")')" 'number name birth phone' 'the entry does not name them as shown'
see --by 'name=Ann Lee' --by 'address=1-2-3 Chiyoda'
gives 1 'nobody is found by a restricted field'
see --by 'name=Ann Lee' --by birth=1980-03-04
gives 0 'but by others'
see --by phone=0312345678
gives 5 'two people of one telephone'
hold aoki restrict --by number=1 --fields phone
see --by phone=0312345678
is "$(json .record)" 2 'a restricted telephone finds its other owner only'
see --by number=2
is "$(json .fields.address)" '4 Nishi' 'others keep their fields'
sed 's/Chiyoda/Umeda/' list.csv >moved.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 moved.csv
see --by number=1
is "$(json '[.version,(.fields.address // "-")] | join(" ")')" '2 -' 'it survives a delivery of another address'
hold aoki restrict --record 1 --fields address --lift
see --by number=1
is "$(json '.fields.address')" '1-2-3 Umeda' 'until it is lifted'

# Two people.
hold aoki restrict --record 3 --fields phone --open-for ito --minutes 5
gives 1 'what is not for two people is not opened'
hold aoki restrict --record 3 --fields phone --two-people
gives 0 'a field that two people open'
see --by number=3
is "$(json '.fields.phone // "-"')" - 'is not shown'
hold aoki restrict --record 3 --fields phone --open-for nobody --minutes 5
gives 1 'to somebody who is not there'
hold mori restrict --record 3 --fields phone --open-for ito --minutes 5
gives 0 'one alone asks for it'
request=$(json .request)
see --by number=3
is "$(json '.fields.phone // "-"')" - 'and opens nothing'
run approve "$request"
gives 0 'opened to one human by two'
see --by number=3
is "$(json .fields.phone)" '090-1111-2222' 'who sees it'
as mori --json disclose --client c01 --purpose checkup --by number=3 --reason enquiry
is "$(json '.fields.phone // "-"')" - 'and nobody else'
see --by phone=09011112222
gives 1 'it is still no way to find'

stop
see --by number=1
is "$(json '[(.stops | join(",")),(.restricted | join(","))] | join(" ")')" 'phone phone,x:ward' 'all of it after a restart'
server=
"$az" serve 2>serve.log &
server=$!
for _ in $(seq 100); do see --by number=3 && [ "$code" -eq 0 ] && break; sleep 0.1; done
hold ito stop --by number=3
gives 0 'one more stop'
kill -9 "$server" $(pgrep -P "$server") 2>/dev/null
wait "$server" 2>/dev/null
server=
see --by number=3
is "$(json '.stops | join(" ")')" 'phone sms email post' 'what was acknowledged is there after kill -9 (I8)'
run --json ledger query --client c01 --max 100
[ "$(json '[.entries[] | select(.type == "stop" or .type == "restricted")] | length')" -ge 8 ]
ok 'all are entries in the client'"'"'s log'
run ledger verify
gives 0 'and the ledger holds'
plan
