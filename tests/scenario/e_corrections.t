#!/bin/sh
# Corrections: versions of their own, which the older value delivered again does not take back, and a new one does.
. "$(dirname "$0")/lib.sh"
lie=${AZUKARI_LIE:?}
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields number,name,birth,phone:last4,address,email,x:ward --roles agent,supervisor \
	--until 2030-12-31
run purpose add c01/inspect --fields number,name --roles supervisor --until 2030-12-31
cat >list.csv <<'END'
number,name,birth,phone,address,email,x:ward
1,Ann Lee,1980-03-04,03-1234-5678,1-2-3 Chiyoda,ann@example.jp,north
2,Bob Ray,1979-12-31,03-1234-5678,4 Nishi,bob@example.jp,south
3,Cho Kim,1990-02-03,090-1111-2222,5 Higashi,,east
END
give() { file=$1; shift; as mori --json entrust --client c01 --purpose checkup --as-of "$@" "$file"; }
give list.csv 2026-04-01
gives 0 'a list is there'
correct() { who=$1; shift; as "$who" --json correct --client c01 --purpose checkup "$@"; }
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }

# Who may, and what not.
for who in aoki sato kato; do
	correct $who --record 1 --set name=X
	gives 3 "$who: correct"
done
as ito correct --client c01 --purpose inspect --record 1 --set name=X
gives 3 'an agent for a purpose that is not theirs'
correct ito --by number=99 --set name=X
gives 1 'nobody'
correct ito --record 77 --set name=X
gives 1 'a record that is not there'
correct ito --record 1
gives 2 'nothing to set'
correct ito --record 1 --set number=9
gives 3 'the number cannot be corrected'
correct ito --record 1 --set sex=f
gives 3 'nor a field that the purpose does not show'
correct ito --record 1 --set x:none=1
gives 3 'nor one that is not there'
correct ito --record 1 --set name=A --set name=B
gives 1 'nor one twice'
correct ito --record 1 --set 'address=card 4111 1111 1111 1111'
gives 1 'a card number is no address'
correct ito --record 1 --set 'name=Ann Lee'
gives 1 'what it says already'
run restrict --client c01 --purpose checkup --record 3 --fields address
correct ito --record 3 --set address=X
gives 3 'a restricted field'
run restrict --client c01 --purpose checkup --record 3 --fields address --lift
see --by number=1
is "$(json '[.version,(.corrected | length)] | join(" ")')" '1 0' 'nothing of it has done anything'

# A correction.
correct ito --record 1 --set phone=06-7777-8888 --set 'address=9 Umeda' --call 8841
gives 0 'an agent corrects two fields'
is "$(json '[.record,.version,(.corrected | join(","))] | join(" ")')" '1 2 address,phone' 'a version of its own'
see --by number=1
is "$(json '[.version,.fields.address,.fields.phone,.fields.name,(.corrected | sort | join(","))] | join(" ")')" \
	'2 9 Umeda **-****-8888 Ann Lee address,phone' 'is shown'
run --json ledger query --client c01 --record 1 --max 4
is "$(json '[.entries[].type] | join(" ")')" 'disclosed corrected correcting disclosed' 'opened first, then corrected: entries'
is "$(json '.entries[1].call')" 8841 'with its call'
see --by phone=0677778888
is "$(json .record)" 1 'found by the new telephone'
see --by phone=0312345678
is "$(json .record)" 2 'and not by the old one, which another has'
see --by 'name=Ann Lee' --by 'address=9 Umeda'
is "$(json .record)" 1 'found by the new address'
see --by 'name=Ann Lee' --by 'address=1-2-3 Chiyoda'
gives 1 'not by the old one'
see --by 'name=Ann Lee' --by birth=1980-03-04
is "$(json .record)" 1 'and by what was not touched'
correct ito --by number=2 --set phone=06-7777-8888
see --by phone=0677778888
gives 5 'two people of a corrected telephone'
see --by phone=0312345678
gives 1 'the old one is nobody'"'"'s any more'
correct mori --by number=3 --set email=cho@example.jp
see --by email=CHO@example.jp
is "$(json .record)" 3 'a field that was empty'
correct ito --by number=3 --set phone=
see --by number=3
is "$(json '.fields.phone // "-"')" - 'a field that is emptied'
see --by phone=09011112222
gives 1 'finds nobody'

# Delivered again.
give list.csv 2026-05-01
is "$(json '[.new_versions,.unchanged] | join(" ")')" '0 3' 'the same list again'
see --by number=1
is "$(json '[.version,.as_of,.fields.address] | join(" ")')" '2 2026-05-01 9 Umeda' 'does not take the correction back'
see --by 'name=Ann Lee' --by 'address=9 Umeda'
is "$(json .record)" 1 'found by what was corrected'
see --by 'name=Ann Lee' --by 'address=1-2-3 Chiyoda'
gives 1 'not by what was delivered'
sed 's/^1,Ann Lee,1980-03-04,03-1234-5678/1,Ann Lee,1980-03-04,(03)1234-5678/; s/north/west/' list.csv >other.csv
give other.csv 2026-06-01
is "$(json '[.new_versions,.unchanged] | join(" ")')" '1 2' 'another field is new, the old telephone spelt otherwise'
see --by number=1
is "$(json '[.version,.fields.address,.fields.phone,.fields["x:ward"]] | join(" ")')" '3 9 Umeda **-****-8888 west' \
	'the new field is taken, the correction stays'
see --by 'name=Ann Lee' --by 'address=9 Umeda'
is "$(json .record)" 1 'found by what was corrected'
see --by 'name=Ann Lee' --by 'address=1-2-3 Chiyoda'
gives 1 'not by what was delivered'
sed 's/1-2-3 Chiyoda/7 Minato/' other.csv >moved.csv
give moved.csv 2026-07-01
see --by number=1
is "$(json '[.version,.fields.address,.fields.phone,(.corrected | join(","))] | join(" ")')" \
	'4 7 Minato **-****-8888 phone' 'a really new address supersedes; the telephone stays'
see --by 'name=Ann Lee' --by 'address=7 Minato'
is "$(json .record)" 1 'found by the new one'
give list.csv 2026-03-01
see --by number=1
is "$(json '[.version,.fields.address] | join(" ")')" '4 7 Minato' 'a late arrival of an older day changes nothing'
correct ito --record 1 --set 'address=8 Shiba'
is "$(json .version)" 5 'corrected once more'
give moved.csv 2026-08-01
see --by number=1
is "$(json '[.version,.fields.address,.fields.phone] | join(" ")')" '5 8 Shiba **-****-8888' 'and again it outlives'
correct ito --record 1 --set 'address=7 Minato'
see --by number=1
is "$(json '[.version,.fields.address] | join(" ")')" '6 7 Minato' 'a correction is taken back by another'

# Restarts, faults, a vault that lies.
stop
see --by number=1
is "$(json '[.version,.fields.address,.fields.phone] | join(" ")')" '6 7 Minato **-****-8888' 'all after a restart'
see --by 'name=Ann Lee' --by 'address=7 Minato'
is "$(json .record)" 1 'also to find by'
"$az" serve 2>serve.log &
server=$!
for _ in $(seq 100); do see --by number=3 && [ "$code" -eq 0 ] && break; sleep 0.1; done
correct ito --by number=3 --set 'name=Cho Park'
gives 0 'one more'
kill -9 "$server" $(pgrep -P "$server") 2>/dev/null
wait "$server" 2>/dev/null
server=
see --by number=3
is "$(json .fields.name)" 'Cho Park' 'what was acknowledged is there after kill -9 (I8)'
! LC_ALL=C grep -rlaE 'Cho Park|8 Shiba|0677778888|06-7777-8888' "$AZUKARI_HOUSE" >left
ok 'no corrected value lies in clear in any file (I4)'
rest() {
	for _ in $(seq 100); do
		pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || return
		sleep 0.1
	done
}
rest
"$lie" "$AZUKARI_HOUSE/vault" copy 4 1 6
see --by number=1
gives 4 'an older row of a corrected person is withheld (I6)'
correct ito --record 1 --set name=X
gives 4 'and not corrected either'
rest
"$lie" "$AZUKARI_HOUSE/vault" remove 6 2
correct ito --record 2 --set name=X
gives 4 'nor is a missing one'
see --by number=3
gives 0 'while others are shown'
run --json ledger query --max 100
[ "$(json '[.entries[] | select(.type == "carried")] | length')" -ge 1 ]
ok 'corrections were carried to newer lists, which is an entry'
run ledger verify
gives 0 'and the ledger holds'

# A field that the list has no column for.
run purpose add c01/short --fields name,email:domain --roles agent --until 2030-12-31
printf 'number,name\n9,Eve Noe\n' >short.csv
as mori entrust --client c01 --purpose short --as-of 2026-07-01 short.csv
as ito correct --client c01 --purpose short --by number=9 --set email=eve@example.jp
gives 0 'a field without a column is corrected'
as ito --json disclose --client c01 --purpose short --by number=9 --reason enquiry
is "$(json '[.fields.name,.fields.email] | join(" ")')" 'Eve Noe ***@example.jp' 'and shown'
run --json ledger query --client c01 --max 1
is "$(json '.entries[0] | [.type,(.shown + .masked | unique | join(","))] | join(" ")')" 'disclosed email,name' 'which the entry says (I1)'
plan
