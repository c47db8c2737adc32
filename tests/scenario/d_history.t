#!/bin/sh
# What another system says about who saw whom: asked, approved by its hash, kept whole or not at all (I7).
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run client add c02 --name 'Town of Example'
run purpose add c01/checkup --fields name,phone,x:ward --roles agent --until 2099-03-31
printf 'number,name,phone,x:ward\n1,Ann Lee,03-1234-5678,north\n2,Bob Ray,090-1111-2222,south\n' >list.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is entrusted'
consignment=$(json .consignment)
head='time,staff,device,client,number,fields,kind,carrier'
row() { # a row of a good file, with one column replaced
	t=2024-05-01T09:30:00+09:00 s=ito d=pc-7 c=c01 n=1 f='"name,phone,x:ward"' k=view r=s-100
	eval "$1"
	printf '%s,%s,%s,%s,%s,%s,%s,%s\n' "$t" "$s" "$d" "$c" "$n" "$f" "$k" "$r"
}
file() { # name, one replacement a row…
	out=$1
	shift
	echo "$head" >"$out"
	for change; do row "$change" >>"$out"; done
}
kept() { ls "$AZUKARI_HOUSE"/keeper/trace/ | grep -c '^history-'; }
approve() { # the request in out
	request=$(json .request)
	run approve "$request"
	gives 0 'an officer approves it'
}

# What is refused before anybody is asked: row and column are named, and nothing is quoted.
refused() { # replacement, column, what
	file bad.csv : : "$1"
	as sato history import bad.csv
	gives 1 "$3"
	grep -q "row 3, column $2" err && ! grep -q 'SECRET' err
	ok "  and row and column are named ($(cat err | tail -1 | cut -c1-70))"
}
refused 't=2024-05-01T09:30:00' time 'a time without an offset'
refused 't=2024-05-01' time 'a day'
refused 't=2024-13-01T09:30:00Z' time 'a month that is none'
refused 't=2024-02-30T09:30:00Z' time 'a day that is none'
refused 't=2024-05-01T24:30:00Z' time 'an hour that is none'
refused 't=2024-05-01T09:30:00+9' time 'an offset of one digit'
refused 't=SECRET' time 'words for a time'
refused 's=' staff 'nobody'
refused 'd=' device 'no device'
refused 'c="c 01"' client 'a client that is no label'
refused 'n=' number 'no number'
refused 'n=\*' number '* in a view'
refused 'n=\* k=export' carrier '* without a consignment'
refused 'n=\* k=export r=SECRET' carrier '* with a name for a consignment'
refused 'n=\* k=export r=0' carrier '* with consignment 0'
refused 'f=' fields 'no fields'
refused 'f=SECRET' fields 'a field that is none'
refused 'f=\"name,,phone\"' fields 'an empty field'
refused 'k=SECRET' kind 'a kind that is none'
refused 'k=' kind 'no kind'
refused 'r=' carrier 'no carrier'
file bad.csv : 'f=name,phone'
as sato history import bad.csv
gives 1 'a list of fields without quotes'
grep -q 'row 2: more or fewer values' err
ok '  and its row is named'
printf '%s\n' "$head" >bad.csv
as sato history import bad.csv
gives 1 'a file without rows'
: >bad.csv
as sato history import bad.csv
gives 1 'an empty file'
printf 'time,staff,device,client,number,fields,kind\n' >bad.csv
row : >>bad.csv
as sato history import bad.csv
gives 1 'a file without the column carrier'
as sato history import none.csv
gives 1 'a file that is not there'
as sato history import .
gives 1 'a folder'
as sato history import
gives 2 'no file'
as sato history forget
gives 2 'a word that is none'
as sato --json history list
is "$(json '.histories | length')" 0 'nothing was asked'

# Who may.
file good.csv : 's=tanaka d=old-terminal t=2024-05-02T00:00:00Z' 'n=2 t=2024-05-03T10:00:00-05:00' 'n=4711'
for who in aoki mori ito kato; do
	as $who history import good.csv
	gives 3 "$who imports none"
done
as ito history list
gives 3 'an agent sees none'
as sato --json history import good.csv
gives 0 'an investigator asks'
is "$(json .kind)$(json .id)" history1 'for history 1'
hash=$(sha256sum good.csv | cut -d' ' -f1)
json .what | grep -q "import the history $hash, 4 rows"
ok 'the hash and the rows are what is signed'
request=$(json .request)
is "$(kept)" 0 'nothing of it is kept'
as sato history import good.csv
gives 1 'while it waits it is not asked again'
as sato approve "$request"
gives 3 'who asks does not approve it (I7)'
as mori approve "$request"
gives 3 'nor does a supervisor'
run refuse "$request"
gives 0 'an officer refuses it'
as sato --json history import good.csv
gives 0 'it is asked once more'
is "$(json .id)" 1 'under its number'
approve
is "$(kept)" 0 'still nothing of it is kept'

# What is approved is this file, and for who asked.
run staff add abe --role investigator --key-out abe.key
as abe history import good.csv
gives 3 'another investigator does not import it'
sed 's/s-100/s-101/' good.csv >other.csv
as sato --json history import other.csv
gives 0 'another file'
json .what | grep -q "import the history $hash"
[ $? -ne 0 ]
ok 'is asked for itself'
as sato --json history import good.csv
gives 0 'the approved one is imported'
is "$(json .rows) $(json .unknown) $(json .grade) $(json .sha256)" "4 1 imported $hash" 'whole, with its hash and grade'
is "$(json .from) $(json .to)" '2024-05-01T00:30:00.000000Z 2024-05-03T15:00:00.000000Z' 'and its times'
is "$(kept)" 1 'in a file of its own'
grep -rql tanaka "$AZUKARI_HOUSE/keeper"
[ $? -ne 0 ]
ok 'which is sealed'
as sato history import good.csv
gives 1 'twice it is not'
grep -q 'imported already' err
ok 'and that is said'

# All or nothing, also for what only the house can tell.
unfit() { # replacement, column, what
	file unfit.csv : "$1" :
	as sato --json history import unfit.csv
	gives 0 "$3: it is asked for"
	approve
	as sato history import unfit.csv
	gives 1 'and not taken'
	grep -q "row 2, column $2" err
	ok "  since row 2, column $2 ($(tail -1 err | cut -c1-70))"
	is "$(kept)" 1 '  nothing of it is kept'
}
unfit 'c=c99' client 'a client that is none'
unfit 't=2099-01-01T00:00:00Z' time 'a time to come'
unfit 'f=\"name,x:street\"' fields 'a field that the client does not have'
unfit 'n=\* k=export r=99' carrier 'a consignment that is none'
unfit "n=\\* k=export c=c02 f=name r=$consignment" carrier 'a consignment of another client'

# Five bad rows in a hundred: not one row is taken.
echo "$head" >many.csv
for i in $(seq 100); do
	if [ $((i % 20)) -eq 0 ]; then row "c=c99 r=$i"; else row "r=$i"; fi >>many.csv
done
as sato --json history import many.csv
approve
as sato history import many.csv
gives 1 'five bad rows in a hundred'
grep -q 'row 20, column client' err
ok 'the first is named'
is "$(kept)" 1 'and nothing is kept'

# A whole delivery.
file whole.csv "n=\\* k=export f='\"name,phone\"' r=$consignment s=vendor"
as sato --json history import whole.csv
approve
as sato --json history import whole.csv
gives 0 'a whole delivery is imported'

# A restart keeps them, and a changed file is found.
stop
serve
as sato --json history list
is "$(json '[.histories[] | select(.state == "kept") | .rows] | join(" ")')" '4 1' 'a restart keeps them'
run --json history list
is "$(json '.histories[0].sha256')" "$hash" 'an officer sees them too'
as sato history import good.csv
gives 1 'and still not twice'
run --json ledger query --max 400
is "$(json '[.entries[] | select(.type == "history")] | length > 8')" true 'approvals and imports are entries'
run ledger verify
gives 0 'the ledger holds'
plan
