#!/bin/sh
# Who most likely copied a list: named, tied, or nobody, by what the ledger and imported histories say.
. "$(dirname "$0")/lib.sh"
found
serve
run staff add ueda --role agent --key-out ueda.key
run staff add goto --role agent --key-out goto.key
run client add c01 --name 'City of Example'
run purpose add c01/calls --fields name,phone,address --roles agent --until 2030-03-31

people() { # from, to
	awk -v from="$1" -v to="$2" 'BEGIN {
		split("Abbott Becker Castro Dalton Ellery Farrow Gibson Harlow Ingram Jarvis Keller Lowell Mercer Norton Osborn Porter Quincy Ramsey Sutton Thorpe", s, " ")
		split("Anna Boris Clara David Elena Frank Grace Henry Irene Jacob Karin Louis Maria Niels Olive Peter Queen Robin Sofia Tomas", g, " ")
		print "number,name,phone,address"
		for (i = from; i <= to; i++)
			printf "%d,%s %s,0%d-%04d-%04d,%d Elm Road Springfield %d\n", 1000 + i,
				s[(i * 7) % 20 + 1], g[int(i / 20) * 3 % 20 + 1], 3 + i % 4, (i * 7919) % 10000, (i * 104729) % 10000,
				i * 3 + 1, 10000 + i * 37
	}'
}
people 1 400 >c01.csv
as mori entrust --client c01 --purpose calls --as-of 2026-10-01 c01.csv
gives 0 'a list is entrusted'
show() { # who, numbers…
	who=$1
	shift
	for number; do
		as "$who" disclose --client c01 --purpose calls --by number=$((1000 + number)) --reason enquiry --call "$number"
		[ "$code" -eq 0 ] || echo "# $who was not shown $number"
	done
}
# The phone book of what these numbers have, as a thief would sell it.
leak() { # file, numbers…
	file=$1
	shift
	head -n 1 c01.csv | cut -d, -f2- >"$file"
	for number; do sed -n "$((number + 1))p" c01.csv | cut -d, -f2-; done >>"$file"
}
trace() { as sato --json trace --case 1 "$@"; }

# shellcheck disable=SC2046
show ito $(seq 1 14) $(seq 101 110)
# shellcheck disable=SC2046
show ueda $(seq 21 40) 3
# shellcheck disable=SC2046
show goto $(seq 41 60) 7 101 102
as sato --json case open --reason suspicion --rows 5000
run approve "$(json .request)"
gives 0 'a case is open'

# One of three had them all.
# shellcheck disable=SC2046
leak one.csv $(seq 1 14)
trace one.csv
gives 0 'a list of fourteen people that one agent was shown'
is "$(json .verdict)" attributed 'is attributed'
is "$(json '.suspects[0].who + " " + .suspects[0].staff')" 'staff ito' 'to that agent'
is "$(json '.suspects[0].rows_explained')" 14 'who explains every row'
is "$(json '.suspects[0].posterior | tonumber > 0.9')" true "with odds ($(json '.suspects[0].posterior'))"
is "$(json '.suspects[0].posterior_flat | tonumber > 0.5')" true 'also with everybody believed alike'
is "$(json '.unexplained')" 0 'nothing is unexplained'
is "$(json '.histories | length')" 0 'and no history was leant on'
is "$(json '.ours')" 14 'the verdicts are there as before'
first=$(json '[.verdict, .suspects, .dating] | tostring' | sha256sum)
trace one.csv
is "$(json '[.verdict, .suspects, .dating] | tostring' | sha256sum)" "$first" 'the same list gives the same answer, to the last digit'
as sato trace --case 1 one.csv
grep -q '^verdict: attributed' out && grep -q 'staff ito: 0\.9' out
ok 'for people it is on the screen'

# Two had the same.
# shellcheck disable=SC2046
show ueda $(seq 101 110)
# shellcheck disable=SC2046
leak two.csv $(seq 101 110)
trace two.csv
gives 0 'a list that two agents had'
is "$(json '.suspects[0].posterior | tonumber < 0.9')" true "names nobody ($(json .verdict), $(json '.suspects[0].posterior'))"
[ "$(json .verdict)" != attributed ]
ok 'it is not attributed'
json '.suspects[0].ties[].staff' | grep -qE '^(ito|ueda)$'
ok 'each is told as the tie of the other'

# From somewhere else.
awk 'BEGIN { print "name,phone,address"; for (i = 1; i <= 30; i++)
	printf "Xaver%c Zwickel%c,0%d-%04d-%04d,%d Harbour Street Elsewhere %d\n", 97 + i % 26, 97 + i * 5 % 26, 6 + i % 3,
		(i * 3571) % 10000, (i * 8009 + 13) % 10000, 2000 + i, 50000 + i * 13 }' >foreign.csv
trace foreign.csv
gives 0 'a list from elsewhere'
is "$(json .verdict) $(json .ours) $(json '.suspects | length')" 'elsewhere 0 0' 'is from elsewhere, and nobody is suspected'

# All of the client's people: no agent had them.
leak all.csv $(seq 1 400)
trace all.csv
gives 0 'the whole of a delivery'
is "$(json '[.suspects[] | select(.who == "staff" and (.posterior | tonumber) > 0.5)] | length')" 0 "accuses no agent ($(json .verdict))"
is "$(json '.suspects[0].who + .suspects[0].client')" clientc01 'the client itself had it'

# What another system says: somebody whom the house does not know took forty people in one file, and others in another.
echo 'time,staff,device,client,number,fields,kind,carrier' >history.csv
for number in $(seq 201 240); do
	echo "2026-10-20T18:00:00+09:00,tanaka,crm-server,c01,$((1000 + number)),\"name,phone,address\",export,backup-7"
done >>history.csv
for number in $(seq 241 400); do
	echo "2026-10-21T18:00:00+09:00,tanaka,crm-server,c01,$((1000 + number)),\"name,phone,address\",export,backup-8"
done >>history.csv
as sato --json history import history.csv
run approve "$(json .request)"
# shellcheck disable=SC2046
leak export.csv $(seq 201 230)
trace export.csv
gives 0 'thirty of them turn up; before the history is imported'
is "$(json '[.suspects[] | select(.staff == "tanaka")] | length')" 0 'nobody can know of that person'
as sato --json history import history.csv
gives 0 'it is imported'
hash=$(json .sha256)
trace export.csv
gives 0 'and the list traced again'
is "$(json '.verdict + " " + .suspects[0].staff + " " + .suspects[0].carrier')" 'attributed tanaka export backup-7' 'that person is named, and by which file'
json '.suspects[0].against[]' | grep -q 'imported history'
ok 'among what speaks against: it rests on an imported history'
is "$(json '.histories[0].sha256') $(json '.histories[0].grade') $(json '.histories[0].rows')" "$hash imported 30" 'which is named with the hash of its file'
trace one.csv
is "$(json '.suspects[0].staff') $(json '.histories | length')" 'ito 0' 'a list that it knows nothing of does not lean on it'

# A history whose file was changed is found, and the verdicts stand without attribution.
stop
flip "$(ls "$AZUKARI_HOUSE"/keeper/trace/history-00000001)" 200
serve
trace export.csv
gives 0 'with the file of a history changed the verdicts stand'
is "$(json .ours) $(json .verdict) $(json '.suspects')" '30 undetermined null' 'and nobody is named'
json .problem | grep -q .
ok "the reason is told ($(json .problem))"

run ledger verify
gives 0 'the ledger holds'
is "$([ -n "$(child_of_server azukari-attribute)" ] && echo runs)" '' 'no process of the attribution is left'
plan
