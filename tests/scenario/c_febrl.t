#!/bin/sh
# Other people's lists: the five of FEBRL, each for a client of its own.
. "$(dirname "$0")/lib.sh"
data=${AZUKARI_TEST_DATA:?}/febrl
[ -d "$data" ] || skip_rest 'the FEBRL lists are not here'
found
serve
columns='number=rec_id,given=given_name,surname=surname,postcode=postcode,birth=date_of_birth'
columns="$columns,address=street_number+address_1+address_2+suburb+state,x:soc=soc_sec_id"
total=0
for list in 1 2 3 4a 4b; do
	run client add "f$list" --name "Febrl $list"
	run purpose add "f$list/test" --fields surname,given,birth,address,postcode,x:soc:last4 \
		--roles agent --until 2030-12-31
	as mori --json entrust --client "f$list" --purpose test --as-of 2026-04-01 --columns "$columns" \
		"$data/dataset$list.csv"
	gives 0 "dataset$list goes in"
	is "$(json .accepted)" "$(awk 'END { print NR - 1 }' "$data/dataset$list.csv")" 'every row of it'
	total=$((total + $(json .accepted)))
done
is "$total" 21000 'rows in all'
as ito --json disclose --client f1 --purpose test --by number=rec-122-org --reason enquiry
is "$(json '.fields | [.given,.surname,.address] | join(" ")')" \
	'lachlan berry 69 giblin street killarney bittern qld' 'one of them'
run ledger verify
gives 0 'the ledger holds'
plan
