#!/bin/sh
# What a client finds out by itself: azukari-verify on what the house gave, whole and tampered with.
. "$(dirname "$0")/lib.sh"
verify=${AZUKARI_VERIFY:?the program under test}
found
run client add c01 --name 'City of Example'
run client add c02 --name 'City of Elsewhere'
run purpose add c01/checkup --fields name,phone:last4 --roles agent --until 2030-12-31
run purpose add c02/checkup --fields name --roles agent --until 2030-12-31
printf 'number,name,phone\n1,planted name,03-1234-5678\n2,Bob Ray,03-1234-5679\n' >list.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-04-01 --receipt receipt.json list.csv
gives 0 'a list is there'
as mori entrust --client c02 --purpose checkup --as-of 2026-04-01 list.csv
see() { as ito disclose --client c01 --purpose checkup --by number="$1" --reason enquiry --call 8841; }
see 1
run ledger export --log c01 tree
gives 0 'an export'
cp tree/vkey c01.vkey
cp tree/checkpoint first.checkpoint
see 2
see 1
see 7
run ledger export --log c01 tree
run ledger checkpoint --client c01 --out newest.checkpoint
run ledger proof --client c01 1 --out one.proof
run ledger export --log house house-tree
run ledger export --log c02 other-tree
unset AZUKARI_HOUSE AZUKARI_KEY

check() { # azukari-verify, its output in out and err
	code=0
	timeout -k 2 60 "$verify" "$@" >out 2>err </dev/null || code=$?
}
check log tree --vkey c01.vkey --newest newest.checkpoint
gives 0 'the whole log is as it was signed'
grep -q '^5 entries$' out && grep -q 'disclosed  *3' out
ok 'and how many of what'
! grep -q NOTE out
ok 'nothing is missing to believe it'
check log tree
[ "$(grep -c NOTE out)" -eq 2 ]
ok 'without key and checkpoint it says what that means'
check log tree --vkey c01.vkey --newest first.checkpoint --story
gives 0 'the story'
grep -Eq 'staff [0-9a-f]{8} saw name and phone \(in part\) of record [0-9a-f]{8} version 1: enquiry, inbound-match, purpose 1, call reference given$' out
ok 'says who saw what of whom, and why'
grep -q 'entrusted list 1 as of 2026-04-01: 2 accepted, 0 refused, 2 new people' out
ok 'what was entrusted'
grep -q '3 disclosures of 2 people, 4 entries' out
ok 'and who saw how many'
(TZ=Asia/Tokyo "$verify" log tree --story | grep -q '+09:00  staff')
ok 'in the zone of the reader'
check --json log tree --vkey c01.vkey --story
is "$(json '[.ok, .log.size, (.entries | length), .staff[1].people, .log.key_known] | join(" ")')" 'true 5 5 2 true' 'the same as JSON'
! grep -q 'planted\|5678' out
ok 'and no value of anybody (I4)'
check log house-tree --story
gives 0 'the log of the house'
grep -q 'ledger-exported' out
ok 'tells its exports'

for newest in receipt.json one.proof; do
	check log tree --vkey c01.vkey --newest $newest
	gives 0 "the newest checkpoint is in $newest"
done
sed 's/"proof"/"proofs"/' receipt.json >changed.json
check log tree --vkey c01.vkey --newest changed.json
gives 1 'not in what is no receipt'
check log other-tree --newest receipt.json
gives 4 "nor in another log's"
check checkpoint newest.checkpoint --vkey c01.vkey
gives 0 'a checkpoint'
check consistency first.checkpoint newest.checkpoint --vkey c01.vkey --log tree
gives 0 'that continues an older one'
check consistency newest.checkpoint newest.checkpoint --vkey c01.vkey
gives 0 'or is the same'
check consistency newest.checkpoint first.checkpoint --vkey c01.vkey --log tree
gives 4 'not the other way about'
check consistency first.checkpoint newest.checkpoint --vkey c01.vkey
gives 1 'nor without a proof'
check inclusion one.proof --vkey c01.vkey
gives 0 'the proof of an entry'
grep -q 'saw name' out
ok 'and what it says'
check receipt receipt.json --vkey c01.vkey --house-vkey house-tree/vkey --list list.csv
gives 0 'a receipt'
grep -q 'City of Example' out && grep -q 'for the list that was given' out && ! grep -q NOTE out
ok 'is for the list'
check receipt receipt.json
grep -q NOTE out
ok 'without keys it says what that means'

# Another key, another log, another list.
for command in 'log tree' 'checkpoint newest.checkpoint' 'inclusion one.proof' 'receipt receipt.json' \
	'consistency first.checkpoint newest.checkpoint --log tree'; do
	# shellcheck disable=SC2086
	check $command --vkey other-tree/vkey
	gives 4 "with the key of another log: ${command%% *}"
done
check log tree --vkey c01.vkey --newest other-tree/checkpoint
gives 4 'a checkpoint of another log'
echo x >>list.csv
check receipt receipt.json --list list.csv
gives 4 'another list'

# What was changed, and where.
tampered() { # what, expected words
	check log bad --vkey c01.vkey --newest newest.checkpoint
	gives 4 "$1"
	grep -q "$2" err
	ok "and says where: $2"
	rm -rf bad
}
bad() { cp -a tree bad; }
size=$(wc -c <tree/tile/entries/000.p/5)
bad; flip bad/tile/entries/000.p/5 $((size - 1)); tampered 'an entry was changed' 'entry 4, at byte'
bad; flip bad/tile/0/000.p/5 33; tampered 'a tile was changed' 'entry 1, .* at byte 32 of tile/0/000.p/5'
bad; truncate -s $((size - 1)) bad/tile/entries/000.p/5; tampered 'a bundle was cut' 'entry 4.* is cut short'
bad; echo >>bad/tile/entries/000.p/5; tampered 'something was added' 'behind its last entry'
bad; rm bad/tile/0/000.p/5; tampered 'a tile is missing' 'tile/0/000.p/5 is missing'
bad; rm bad/tile/entries/000.p/5; tampered 'a bundle is missing' 'tile/entries/000.p/5 is missing'
bad; sed -i '2s/5/4/' bad/checkpoint; tampered 'the size was changed' 'not over this text'
bad; cp first.checkpoint bad/checkpoint; tampered 'the log was rolled back' 'entries 2 to 4 are missing'
bad; sed -i '/^—/d' bad/checkpoint
check log bad --vkey c01.vkey
gives 1 'a checkpoint without a signature'
rm -rf bad
sed 's/"accepted": 2/"accepted": 3/' receipt.json >changed.json
check receipt changed.json
gives 4 'a receipt was changed'
sed 's/^index 1/index 2/' one.proof >changed.proof
check inclusion changed.proof --vkey c01.vkey
gives 4 'a proof was changed'
sed '2s/.*/extra AAAA/' one.proof >changed.proof
check inclusion changed.proof --vkey c01.vkey
gives 4 'the entry in a proof was changed'

# What cannot be read, and what cannot be meant.
check log nowhere --vkey c01.vkey
gives 1 'a folder that is not there'
check checkpoint list.csv --vkey c01.vkey
gives 1 'a list is no checkpoint'
check checkpoint newest.checkpoint --vkey list.csv
gives 1 'nor a key'
check --json checkpoint list.csv --vkey c01.vkey
is "$(json '.ok, .error.exit' | tr '\n' ' ')" 'false 1 ' 'as JSON, too'
for wrong in '' 'nonsense' 'checkpoint' 'checkpoint newest.checkpoint' 'checkpoint a b --vkey c01.vkey' 'log tree --proof x' 'log tree --what'; do
	# shellcheck disable=SC2086
	check $wrong
	gives 2 "usage: $wrong"
done
check -h
gives 0 'help'
"$verify" checkpoint newest.checkpoint --vkey c01.vkey >/dev/full 2>/dev/null
[ $? -eq 1 ]
ok 'what could not be written is no success'
plan
