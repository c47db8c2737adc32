#!/bin/sh
# A leaked list comes back to its clients, records and versions, within a case and never outside one.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run client add c02 --name 'Example Power'
for client in c01 c02; do
	run purpose add $client/calls --fields name,phone,address,email --roles agent --until 2030-03-31
done

# People who differ in everything: name, telephone, address, mail; those of c02 are others but for ten.
people() { # from, to, first number
	awk -v from="$1" -v to="$2" -v number="$3" 'BEGIN {
		split("Abbott Becker Castro Dalton Ellery Farrow Gibson Harlow Ingram Jarvis Keller Lowell Mercer Norton Osborn Porter Quincy Ramsey Sutton Thorpe", s, " ")
		split("Anna Boris Clara David Elena Frank Grace Henry Irene Jacob Karin Louis Maria Niels Olive Peter Queen Robin Sofia Tomas", g, " ")
		print "number,name,phone,address,email"
		for (i = from; i <= to; i++)
			printf "%d,%s %s,0%d-%04d-%04d,%d Elm Road Springfield %d,p%d@%s.example\n", number + i,
				s[(i * 7) % 20 + 1], g[int(i / 20) * 3 % 20 + 1], 3 + i % 4, (i * 7919) % 10000, (i * 104729) % 10000,
				i * 3 + 1, 10000 + i * 37, i, tolower(s[(i * 7) % 20 + 1])
	}'
}
people 1 300 1000 >c01.csv
people 291 400 5000 >c02.csv
# A later delivery of c01, in which sixty people have moved and changed their telephones.
awk -F, -v OFS=, 'NR > 1 && NR <= 61 { $3 = "045-" substr($3, length($3) - 7); $4 = "9" $4 " Annex" } { print }' c01.csv >c01b.csv
as mori entrust --client c01 --purpose calls --as-of 2026-01-01 c01.csv
gives 0 'a list is entrusted'
as mori entrust --client c02 --purpose calls --as-of 2026-02-01 c02.csv
gives 0 'another client has a list, too'
as mori entrust --client c01 --purpose calls --as-of 2026-06-01 c01b.csv
gives 0 'and the first one a later one'

# --- refusals: no case, none of one's own, none that is open ----------------------------------------
sed -n '1p;11,110p' c01.csv >leak.csv
as sato trace leak.csv
gives 2 'nothing is traced without a case'
as sato trace --case 0 leak.csv
gives 2 'nor in one that cannot be'
as sato trace --case 1
gives 2 'nor without a file'
as sato trace --case 1 leak.csv
gives 1 'nor in one that there is none of'
as sato --json case open --reason suspicion --rows 1200
request=$(json .request)
as sato trace --case 1 leak.csv
gives 3 'a case that is not approved allows nothing'
grep -q 'not approved' err
ok 'and says so'
as sato approve "$request"
gives 3 'who asked does not approve it'
as sato trace --case 1 leak.csv
gives 3 'so it still allows nothing'
run approve "$request"
gives 0 'an officer approves it'
for who in aoki ito mori kato; do
	as $who trace --case 1 leak.csv
	gives 3 "$who traces nothing"
done
run staff add abe --role investigator --key-out abe.key
as abe trace --case 1 leak.csv
gives 3 'another investigator traces nothing in it'
as sato trace --case 1 nowhere.csv
gives 1 'a file that is not there'
: >empty.csv
as sato trace --case 1 empty.csv
gives 1 'an empty list'
head -n 1 leak.csv >header.csv
as sato trace --case 1 header.csv
gives 1 'a list of nobody'
printf 'weight,price\n12,400\n13,500\n' >things.csv
as sato trace --case 1 things.csv
gives 1 'a list of things'
as sato --json case list
is "$(json '.cases[0].used')" 0 'none of these has used anything of the case'
run --json ledger query --max 400
is "$(json '[.entries[] | select(.type == "trace-list")] | length')" 0 'and nothing was searched for'

# --- a leak -----------------------------------------------------------------------------------------
as sato --json trace --case 1 --rows rows.csv leak.csv
gives 0 'a leaked list is traced'
is "$(json '"\(.rows) \(.ours) \(.ambiguous) \(.not_found) \(.people)"')" '100 100 0 0 100' 'every row is somebody, and each another'
is "$(json '.clients | map("\(.client) \(.rows) \(.people)") | join(",")')" 'c01 100 100' 'of its client'
is "$(json '.clients[0].classes | join(" ")')" 'identity contact' 'with the classes of its fields'
is "$(json '.coverage | "\(.consignments) \(.searched) \(.not_active) \(.clients)"')" '3 3 0 2' 'of all lists there are'
is "$(json .used)" 100 'it is counted in the case'
is "$(head -n 1 rows.csv)" 'row,verdict,client,consignment,number,version,score,kinds' 'the rows have a header'
is "$(wc -l <rows.csv | tr -d ' ')" 101 'and a line each'
awk -F, 'NR == FNR { number[FNR - 1] = $1; next } FNR > 1 && ($2 != "ours" || $3 != "c01" || $5 != number[$1]) { bad++ } END { exit bad > 0 }' leak.csv rows.csv
ok 'with the right number of everybody'
is "$(awk -F, 'NR > 1 && $1 <= 50 { print $6 }' rows.csv | sort -u)" 1 'those who moved later have the version from before'
is "$(stat -c %a rows.csv)" 600 'for nobody else to read'
[ ! -e rows.csv.part ]
ok 'nothing else is left'

# The evidence: the file before, what was opened in the client's log, the verdicts after.
run --json ledger query --max 400
is "$(json '[.entries[] | select(.type == "trace-list" or .type == "traced") | .type] | reverse | join(" ")')" 'trace-list traced' \
	'the file is in the ledger before, and the verdicts after'
run --json ledger query --client c01 --max 400
is "$(json '[.entries[] | select(.type == "trace-opened")] | length')" 1 "the client's own log says that rows were opened"
run --json ledger query --client c02 --max 400
is "$(json '[.entries[] | select(.type == "trace-opened")] | length')" 0 'and of nobody else'
run ledger export --log c01 c01-log
"${AZUKARI_VERIFY:-$(dirname "$az")/../verify/azukari-verify}" log c01-log --vkey c01-log/vkey --story >out 2>err
grep -q 'had [0-9]* rows opened, inside the house only, to compare a leaked list with them: case 1' out
ok 'in words that its client can read'

# The same without rows opens less, and gives the same.
as sato --json trace --case 1 leak.csv
gives 0 'without rows'
is "$(json '"\(.ours) \(.opened)"')" '100 0' 'fingerprints alone decide'

# --- other hands: columns dropped, reordered, respelled; foreign rows; other encodings ------------------
awk -F, -v OFS=, '{ print $4, $2 }' leak.csv >two.csv
as sato --json trace --case 1 --rows rows.csv two.csv
gives 0 'two columns in another order'
is "$(json '"\(.ours) \(.not_found)"')" '100 0' 'are enough'
awk -F, 'NR == FNR { number[FNR - 1] = $1; next } FNR > 1 && $5 != number[$1] { bad++ } END { exit bad > 0 }' leak.csv rows.csv
ok 'and say the same'
sed -n '2,61p' c01b.csv | awk -F, -v OFS=, 'BEGIN { print "tel,namae" } { print $3, $2 }' >later.csv
as sato --json trace --case 1 --columns phone=tel,name=namae --rows rows.csv later.csv
gives 0 'a list from after the second delivery, read by a map'
is "$(json .ours)" 60 'is found'
is "$(awk -F, 'NR > 1 { print $6 }' rows.csv | sort -u)" 2 'in the later version'
people 2001 2040 0 | sed 's/Elm Road Springfield/Quay Lane Harbourton/; s/,0[3-6]-/,09-/; s/@/-x@other./' >foreign.csv
{ cat leak.csv; sed 1d foreign.csv; } >mixed.csv
as sato --json trace --case 1 --rows rows.csv mixed.csv
gives 0 'a list with forty people of elsewhere'
is "$(json '"\(.ours) \(.not_found)"')" '100 40' 'leaves them out'
is "$(awk -F, '$2 == "not-found" { print $1 }' rows.csv | sort -n | sed -n '1p;$p' | tr '\n' ' ')" '101 140 ' 'and says which they are'
sed -n '1p;285,301p' c01.csv | cut -d, -f2- >both.csv
as sato --json trace --case 1 --rows rows.csv both.csv
gives 0 'people whom two clients have'
is "$(json '.clients | map("\(.client) \(.rows)") | join(",")')" 'c01 17,c02 10' 'are given to both'
is "$(grep -c '^17,' rows.csv)" 2 'in two lines'
as sato --json trace --case 1 leak.csv foreign.csv
gives 0 'two lists at once'
is "$(json '"\(.rows) \(.ours) \(.lists | length) \(.lists[1].first_row)"')" '140 100 2 101' 'are one trace'
as sato trace --case 1 leak.csv
gives 0 'for people'
grep -q '100 rows: 100 ours, 0 ambiguous, 0 not found' out && grep -q 'c01 .*100 rows .*100 people .*identity, contact' out &&
	grep -q 'searched: 3 of 3 consignments' out
ok 'one screen says it'

# A result that can be checked without the house.
verify=${AZUKARI_VERIFY:-$(dirname "$az")/../verify/azukari-verify}
check() { # bundle, options…
	code=0
	"$verify" bundle "$@" >out 2>err || code=$?
}
as sato --json trace --case 1 --bundle bundle --rows rows.csv leak.csv foreign.csv
gives 0 'a trace makes a bundle'
is "$(json '[.entries[].entry] | join(" ")')" 'trace-list trace-list trace-opened traced attributed' 'of all entries behind it'
check bundle
gives 0 'which holds'
grep -q 'keys were taken from the bundle itself' out
ok 'with a word on its keys'
cp bundle/house.vkey known.vkey
check bundle --house-vkey known.vkey
gives 0 'with the key that is known'
check bundle --house-vkey bundle/client-c01.vkey
gives 4 'and with no other'
as sato --json trace --case 1 --bundle bundle leak.csv
gives 1 'a bundle is never written over'
for change in 's/"rows": 100/"rows": 99/' 's/"ours": 100/"ours": 101/' 's/"not_found": 40/"not_found": 41/' 's/"case": 1,/"case": 2,/' \
	's/"verdict": "[a-z]*"/"verdict": "elsewhere"/' 's/"posterior": [0-9.]*/"posterior": 0.5/' 's/"rows_explained": [0-9]*/"rows_explained": 1/' \
	's/"who": "[a-z]*"/"who": "staff", "staff": "ito"/' 's/"from": "20/"from": "19/' 's/"leak": 1/"leak": 2/' \
	's/"entry": "traced"/"entry": "trace-list"/' 's/"sha256": "./"sha256": "f/; s/"sha256": "f/"sha256": "0/' 's/"opened": [0-9]*/"opened": 7/'; do
	cp -r bundle changed
	sed "$change" bundle/result.json >changed/result.json
	check changed
	gives 4 "a result with $change is found out"
	rm -r changed
done
for proof in bundle/*.proof; do
	cp -r bundle changed
	flip "changed/${proof##*/}" $(($(wc -c <"$proof") / 2))
	check changed
	[ "$code" -eq 4 ] || [ "$code" -eq 1 ]
	ok "a bundle with $(basename "$proof") changed does not hold (exit $code)"
	rm "changed/${proof##*/}"
	check changed
	gives 1 'nor one without it'
	rm -r changed
done
mkdir changed
check changed
gives 1 'an empty folder is no bundle'
echo '{"entries":[],"lists":[]}' >changed/result.json
check changed
gives 4 'nor is one without entries'

# Japanese, as brokers send it: CP932, other spellings, some rows damaged.
{
	printf '番号,氏名,住所,電話番号\n'
	awk 'BEGIN { split("佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤", s, " "); split("太郎 花子 一郎 恵子 健太 美咲 直樹 陽子 大輔 由美", g, " ")
		for (i = 1; i <= 80; i++) printf "J%d,%s %s,東京都新宿区西新宿%d丁目%d番%d号,03-%04d-%04d\n", i, s[i % 10 + 1], g[int(i / 10) + 1], i % 8 + 1, i % 30 + 1, i % 20 + 1, (i * 7919) % 10000, (i * 3571) % 10000 }'
} >ja.csv
as mori entrust --client c02 --purpose calls --as-of 2026-03-01 ja.csv
gives 0 'a Japanese list is entrusted'
awk -F, -v OFS=, 'NR == 1 { print "電話", "お名前", "住所"; next } { sub(/丁目/, "-", $3); sub(/番/, "-", $3); sub(/号/, "", $3); gsub(/-/, "", $4); if (NR % 5 == 0) $4 = ""; print $4, $2, $3 }' ja.csv | iconv -t CP932 >ja932.csv
as sato --json trace --case 1 --rows rows.csv ja932.csv
gives 0 'it comes back in CP932, its addresses written shorter, some telephones gone'
is "$(json '"\(.ours) \(.not_found)"')" '80 0' 'everybody is found'
awk -F, 'FNR > 1 && $5 != "J" $1 { bad++ } END { exit bad > 0 }' rows.csv
ok 'as who they are'
sed 's/Road/Rd/; s/Abbott/Abott/; s/Clara/Klara/' two.csv >damaged.csv
as sato --json trace --case 1 damaged.csv
gives 0 'misspelt rows'
[ "$(json .ours)" -ge 95 ]
ok "are opened and compared ($(json '"\(.ours) of \(.rows), \(.opened) opened"'))"

# Nothing of anybody lies on the disk in plain, whatever was searched for (I4).
! LC_ALL=C grep -raqE 'Elm Road|Quay Lane|Abbott' house
ok 'no value of a row or a list is on the disk'

# --- limits -----------------------------------------------------------------------------------------
as sato --json case list
used=$(json '.cases[0].used')
awk 'NR == 1 { print; next } { for (i = 0; i < 10; i++) print }' leak.csv >long.csv
as sato trace --case 1 long.csv
gives 5 "a list that is longer than what is left of the case ($used of 1200 used)"
as sato --json case list
is "$(json '.cases[0].used')" "$used" 'uses nothing'
open_case() { # options…
	as sato --json case open --reason suspicion "$@"
	number=$(json .id)
	run approve "$(json .request)"
}
open_case --clients c02
as sato --json trace --case "$number" leak.csv
gives 0 'a case of one client'
is "$(json '"\(.ours) \(.not_found) \(.coverage.consignments)"')" '0 100 2' 'searches no other'
open_case --hash "$(sha256sum <two.csv | cut -c1-64)"
as sato trace --case "$number" leak.csv
gives 3 'a case of one file traces no other'
as sato trace --case "$number" two.csv leak.csv
gives 3 'nor beside it'
as sato trace --case "$number" two.csv
gives 0 'but that one'
as sato case close "$number"
as sato trace --case "$number" two.csv
gives 3 'and nothing once it is closed'
open_case --rows 50
as sato trace --case "$number" leak.csv
gives 5 'a case of fifty rows traces no hundred'

# A list that somebody counted up, to see who is here.
awk 'BEGIN { print "phone"; for (i = 0; i < 200; i++) printf "090-1234-%04d\n", i }' | shuf --random-source=c01.csv >counted.csv
open_case
as sato trace --case "$number" counted.csv
gives 3 'a list of counted telephones is not traced at once'
grep -q "case allow $number" err
ok 'and says what to ask for'
awk 'BEGIN { print "name,birth"; for (i = 0; i < 300; i++) printf "Anna Abbott,%d-%02d-%02d\n", 1940 + i % 60, i % 12 + 1, i % 28 + 1 }' >dates.csv
as sato trace --case "$number" dates.csv
gives 3 'nor one name with every birthday'
as sato --json case allow "$number" "$(sha256sum <counted.csv | cut -c1-64)"
request=$(json .request)
as sato approve "$request"
gives 3 'who asks does not allow it'
as sato trace --case "$number" counted.csv
gives 3 'so it is still not traced'
run approve "$request"
as sato --json trace --case "$number" counted.csv
gives 0 'once an officer has, it is'
is "$(json .ours)" 0 'nobody of them is here'
as sato trace --case "$number" dates.csv
gives 3 'the other one still is not'

# --- what is hostile ----------------------------------------------------------------------------------
{ printf 'name,phone\nAnna Abbott,'; yes 0123456789 | tr -d '\n' | head -c 600000000; } >line.csv
keeper=$(child_of_server azukari-keeper)
as sato trace --case "$number" line.csv
[ "$code" -ne 0 ]
ok "a line without an end is refused (exit $code)"
[ "$(awk '/VmHWM/ { print $2 }' "/proc/$keeper/status")" -lt 1500000 ]
ok 'in bounded memory'
rm line.csv
# One of ten gigabytes and more: it is given up long before its end.
{ printf 'name,phone\nAnna Abbott,'; yes 0123456789 | tr -d '\n'; } 2>/dev/null |
	timeout -k 2 60 "$az" --key sato.key trace --case "$number" - >out 2>err
code=$?
gives 1 'nor is one that never ends'
[ "$(awk '/VmHWM/ { print $2 }' "/proc/$keeper/status")" -lt 1500000 ]
ok 'in no more memory'
truncate -s 1G sparse.csv
as sato trace --case "$number" sparse.csv
gives 1 'a gigabyte of nothing, too'
rm sparse.csv
head -c 300000 /dev/urandom >noise
as sato trace --case "$number" noise
gives 1 'noise'
"$az" --key sato.key trace --case "$number" - </dev/zero >out 2>err &
tracer=$!
sleep 1
kill $tracer
wait $tracer
run status
gives 0 'a front that goes away leaves the house serving'
for _ in $(seq 100); do
	as sato trace --case "$number" leak.csv
	[ "$code" -eq 5 ] || break
	sleep 0.1
done
gives 0 'and the next one traces, once that one is given up'

# Fingerprints of another house, or none, are not "not found".
stop
AZUKARI_HOUSE=$work/other
run init --house "$work/other" --officer aoki --key-out other.key --unsealed
AZUKARI_KEY=$work/other.key
run staff add mori --role supervisor --key-out mori2.key
run client add c01 --name 'City of Example'
run purpose add c01/calls --fields name --roles agent --until 2030-03-31
AZUKARI_KEY=$work/mori2.key
run entrust --client c01 --purpose calls --as-of 2026-01-01 c01.csv
gives 0 'another house has the same list'
sleep 2
AZUKARI_HOUSE=$work/house
AZUKARI_KEY=$work/aoki.key
mine=$(ls house/keeper/trace | sort | head -n 1)
cp -p "house/keeper/trace/$mine" kept
cp "other/keeper/trace/$(ls other/keeper/trace | head -n 1)" "house/keeper/trace/$mine"
serve
as sato trace --case "$number" leak.csv
gives 4 'fingerprints of another house are evidence of tampering'
run --json ledger query --max 10
is "$(json '[.entries[] | select(.type == "traced")][0].outcome')" forged 'which the ledger keeps'
rm "house/keeper/trace/$mine"
as sato trace --case "$number" leak.csv
gives 4 'and so are none'
cp -p kept "house/keeper/trace/$mine"
flip "house/keeper/trace/$mine" 5000
as sato trace --case "$number" leak.csv
gives 4 'and changed ones'
cp -p kept "house/keeper/trace/$mine"
as sato trace --case "$number" leak.csv
gives 0 'the own ones do'

# A front that has been captured asks past the commands.
before=$number
open_case --rows 300
is "$number" $((before + 1)) 'another case is open'
for what in none rows other; do
	code=0
	cp leak.csv given.csv
	AZUKARI_KEY=$work/sato.key "${AZUKARI_REPLAY:?}" search $what "$number" given.csv >out 2>err || code=$?
	gives 1 "it searches for nothing that was not given: $what"
	cmp -s leak.csv given.csv
	ok "$what: and is told nothing of anybody"
done
as sato --json case list
is "$(json ".cases[] | select(.case == $number) | .used")" 0 'nothing of the case was used'
as sato trace --case "$number" leak.csv
gives 0 'the house goes on'

# A case is over after its days, whatever is left of it.
if [ -n "${AZUKARI_JUMP:-}" ]; then
	stop
	cp "$AZUKARI_JUMP" jump.so
	chmod 755 "$work" # a keeper of another user reads it, too
	truncate -s 8 jump.so.by
	export LD_PRELOAD="$work/jump.so"
	serve
	unset LD_PRELOAD
	open_case --days 2
	as sato trace --case "$number" leak.csv
	gives 0 'a case of two days'
	python3 -c 'import struct; open("jump.so.by","r+b").write(struct.pack("<q", 49 * 3600 * 1000000))'
	sleep 2.2
	as sato trace --case "$number" leak.csv
	gives 3 'allows nothing two days later'
	as sato --json case list
	is "$(json ".cases[] | select(.case == $number) | .state")" over 'which the list says'
	python3 -c 'import struct; open("jump.so.by","r+b").write(struct.pack("<q", 0))'
	sleep 2.2
	as sato trace --case "$number" leak.csv
	gives 3 'nor with the clock set back'
fi
run ledger verify
gives 0 'the ledger holds'
plan
