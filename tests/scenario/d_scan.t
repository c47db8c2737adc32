#!/bin/sh
# What is the house's is found in files, within a case and never outside one.
. "$(dirname "$0")/lib.sh"
found
serve
for client in c01 c02 c03; do
	run client add $client --name "Client $client"
	run purpose add $client/calls --fields name,phone,email --roles agent --until 2030-03-31
done
people() { # from, to, client: people who differ in everything
	awk -v from="$1" -v to="$2" -v client="$3" 'BEGIN {
		print "number,name,phone,email"
		for (i = from; i <= to; i++)
			printf "%d,Person %d,0%d-%04d-%04d,p%d@%s.example\n", i, i, i % 3 == 2 ? 6 : 3 + i % 3, 1000 + (i * 7919) % 9000, (i * 104729 + 17) % 10000, i, client
	}'
}
people 1 100 c01 >c01.csv
people 201 300 c02 >c02.csv
people 401 450 c03 >c03.csv
# A later delivery of c01, in which ten people have other telephones and mails.
sed -e '1n' -e '2,11s/,0[0-9]-/,047-/; 2,11s/,p\([0-9]*\)@/,new\1@/' c01.csv >c01b.csv
for client in c01 c02 c03; do
	as mori entrust --client $client --purpose calls --as-of 2026-01-01 $client.csv
	gives 0 "$client has a list"
done
as mori entrust --client c01 --purpose calls --as-of 2026-06-01 c01b.csv
gives 0 'and the first one a later one'
mkdir disk disk/sub
sed -n 2,31p c01.csv | awk -F, '{ print "call " $2 " at " $3 " today" }' >disk/notes.txt
sed -n 2,21p c02.csv | cut -d, -f2,4 | gzip >disk/sub/mails.gz
(sed -n 2,6p c01b.csv; sed -n 90p c01b.csv; sed -n 32,41p c02.csv) >disk/both.csv
printf 'nobody: 03-9999-1234, 090-5555-1212, me@elsewhere.example\n' >disk/others.txt

# --- refusals ---------------------------------------------------------------------------------------
as sato scan disk
gives 2 'nothing is scanned without a case'
as sato scan --case 0 disk
gives 2 'nor in one that cannot be'
as sato scan --case 1 --patterns disk
gives 2 'nor in two ways at once'
as sato scan --case 1 --hits disk
gives 2 'places of single values are not told'
as sato scan --case 1
gives 2 'nor without a path'
as sato scan --case 1 disk
gives 1 'nor in a case that there is none of'
as sato --json case open --reason suspicion --rows 500 --clients c01,c02
request=$(json .request)
as sato scan --case 1 disk
gives 3 'a case that is not approved allows nothing'
grep -q 'not approved' err
ok 'and says so'
run approve "$request"
gives 0 'an officer approves it'
for who in aoki ito mori kato; do
	as $who scan --case 1 disk
	gives 3 "$who scans nothing"
done
run staff add abe --role investigator --key-out abe.key
as abe scan --case 1 disk
gives 3 'another investigator scans nothing in it'
as sato --json case list
is "$(json '.cases[0].used')" 0 'none of these has used anything of the case'
run --json ledger query --max 400
is "$(json '[.entries[] | select(.type == "scan")] | length')" 0 'and nothing was looked for'

# --- what is found ----------------------------------------------------------------------------------
file() { jq -r --arg p "$1" "[.files[] | select(.path == \$p)] | .[0] | $2" out; }
as sato --json scan --case 1 disk
gives 0 'a folder is scanned'
is "$(json '[.files[].path] | join(" ")')" 'disk/both.csv disk/notes.txt disk/sub/mails.gz' 'files with people of the house, and no others'
is "$(file disk/notes.txt '"\(.people) \(.clients | join(" ")) \(.counts.phone)"')" '30 c01 30' 'telephones in a text'
is "$(file disk/sub/mails.gz '"\(.people) \(.clients | join(" ")) \(.counts.email)"')" '20 c02 20' 'mails in a gzip'
is "$(file disk/both.csv '"\(.people) \(.clients | join(" "))"')" '16 c01 c02' 'people of two clients in one file'
is "$(file disk/both.csv '.found[0] | "\(.client) \(.people) \(.versions) \(.from) \(.to)"')" 'c01 6 6 2026-01-01 2026-06-01' \
	'with the versions, and the dates of the lists that have them'
is "$(file disk/notes.txt '.found[0] | "\(.people) \(.versions)"')" '30 30' 'people who changed later have the version from before'
is "$(json '.clients | map("\(.client) \(.people)") | join(",")')" 'c01 31,c02 30' 'the same people in two files are counted once'
is "$(json '"\(.people) \(.places) \(.used) \(.values)"')" '61 3 82 82' 'values that were found use the case up'
is "$(json '.coverage | "\(.consignments) \(.searched) \(.clients)"')" '3 3 2' "only the case's clients are looked for"
is "$(json '.read | "\(.files) \(.unread)"')" '4 0' 'all files were read'
is "$(json '.trace | length')" 3 'and what goes on from there is said'
[ -z "$(grep -E 'Person|p[0-9]+@|-[0-9]{4}-' out)" ]
ok 'no content is printed'
jq -r '.trace[0]' out | sed 's/^azukari //' >command
# shellcheck disable=SC2046
as sato --json $(sed "s/'//g" command)
gives 0 'the list that was found is traced in the same case'
is "$(json '"\(.rows) \(.ours)"')" '16 16' 'and every row of it is somebody'

# The evidence: what is scanned before, what was found in the clients' logs, the result after.
run --json ledger query --max 400
is "$(json '[.entries[] | select(.type == "scan" or .type == "scanned") | .type] | reverse | join(" ")')" 'scan scanned' \
	'the list of files is in the ledger before, and the result after'
run --json ledger query --client c01 --max 400
is "$(json '[.entries[] | select(.type == "scan-found")] | length')" 1 "a client's own log says that people of it were found"
run --json ledger query --client c03 --max 400
is "$(json '[.entries[] | select(.type == "scan-found")] | length')" 0 'and of nobody else'
run ledger export --log c01 c01-log
"${AZUKARI_VERIFY:-$(dirname "$az")/../verify/azukari-verify}" log c01-log --vkey c01-log/vkey --story >out 2>err
grep -q 'found telephones or mail addresses of 31 people there: case 1' out
ok 'in words that its client can read'
run ledger verify
gives 0 'the ledger is whole'

# --- nothing, text, single files, pipes ---------------------------------------------------------------
as sato --json scan --case 1 disk/others.txt
gives 0 'a file with nobody of the house'
is "$(json '"\(.people) \(.files | length) \(.looked_at)"')" '0 0 3' 'has nobody, of three that were looked at'
as sato scan --case 1 disk
gives 0 'for people'
grep -q 'case 1: [0-9]* of 500 rows are used' out && grep -q "azukari trace --case 1 -- 'disk/notes.txt'" out && grep -q 'disk/notes.txt.* 30 ' out
ok 'it says what was found, what is used, and how to go on'
code=0
AZUKARI_KEY=$work/sato.key timeout 60 "$az" --json scan --case 1 - <disk/notes.txt >out 2>err || code=$?
gives 0 'standard input'
is "$(file - .people)" 30 'is read, too'
as sato --json scan --case 1 disk nowhere
gives 0 'what is missing'
is "$(json '.unread[0] | "\(.path) \(.reason)"')" 'nowhere cannot be read' 'is told'

# --- limits -----------------------------------------------------------------------------------------
as sato --json case open --reason suspicion --rows 20
run approve "$(json .request)"
as sato --json case open --reason suspicion --rows 500 --hash "$(sha256sum disk/both.csv | cut -d' ' -f1)"
run approve "$(json .request)"
as sato scan --case 2 disk
gives 5 'more than the case allows is not told'
[ ! -s out ]
ok 'not even a part of it'
run --json ledger query --max 400
is "$(json '[.entries[] | select(.type == "scanned")][0] | .outcome')" 'limit reached' 'and how it ended is in the ledger'
as sato --json scan --case 2 disk/others.txt
gives 0 'less than it allows is'
as sato scan --case 3 disk
gives 3 'a case for one file is for no others'
# Telephones that were counted up, with nothing beside them.
number=$(sed -n 2p c01.csv | cut -d, -f3)
awk -v head="${number%-*}" -v tail="${number##*-}" 'BEGIN { for (i = 0; i < 200; i++) printf "%s-%04d\n", head, tail - 100 + i }' >counted.txt
as sato scan --case 1 counted.txt
gives 3 'numbers that were counted up are not looked for'
grep -q 'case allow 1 [0-9a-f]*' err
ok 'without an approval'
hash=$(sed -n 's/.*case allow 1 \([0-9a-f]*\).*/\1/p' err)
as sato --json case allow 1 "$hash"
run approve "$(json .request)"
as sato --json scan --case 1 counted.txt
gives 0 'with one they are'
is "$(json .people)" 1 'and found'

# A front that goes away, and a house that is stopped meanwhile.
mkfifo pipe
AZUKARI_KEY=$work/sato.key "$az" scan --case 1 pipe >out 2>err </dev/null &
scan=$!
exec 3>pipe
sleep 0.5
as sato scan --case 1 disk/notes.txt
gives 5 'one scan at a time'
kill -9 $scan
wait $scan 2>/dev/null
exec 3>&-
for _ in $(seq 100); do
	as sato scan --case 1 disk/others.txt
	[ "$code" -ne 5 ] && break
	sleep 0.1
done
gives 0 'one that is given up does not stand in the way'
as sato case close 1
as sato scan --case 1 disk
gives 3 'a closed case allows nothing'
stop
is "$code" 0 'the house stops'
serve
as sato --json case list
[ "$(json '.cases[0].used')" -gt 82 ]
ok 'what was used is remembered'
[ -z "$(find "$AZUKARI_HOUSE" -name '*sieve*')" ] && ! grep -rqE 'p[0-9]+@c01' "$AZUKARI_HOUSE"
ok 'nothing of it is on the disk'
stop
plan
