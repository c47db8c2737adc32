#!/bin/sh
# The main job as a story, one step a screen, each with the sentence of a real case that it answers. Every command that is shown
# is run, and what it says is shown; exit 0 only if every step came out as told. Without a terminal it does not wait.
set -eu
cd "$(dirname "$0")/.."
bin=${AZUKARI:-$PWD/build/src/cli/azukari}
verify=${AZUKARI_VERIFY:-$PWD/build/src/verify/azukari-verify}
people=${DEMO_PEOPLE:-90000}
clients=${DEMO_CLIENTS:-24}

work=$(mktemp -d)
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	[ -z "$server" ] || wait "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
export XDG_STATE_HOME="$work/state" AZUKARI_HOUSE="$work/demo/house" AZUKARI_KEY="$work/demo/aoki.key"
mkdir -p "$XDG_STATE_HOME"
cd "$work"

bold= dim= plain= screens=
if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m'); fi
if [ -t 0 ] && [ -t 1 ] && [ -z "${DEMO_NO_PAUSE:-}" ]; then screens=yes; fi
began=$(date +%s)
steps=0
# A new screen: what went wrong once, and what is done instead.
screen() {
	if [ -n "$screens" ] && [ "$steps" -gt 0 ]; then
		printf '\n%s-- Enter for the next step --%s' "$dim" "$plain"
		read -r _ || true
		printf '\033[H\033[2J'
	fi
	steps=$((steps + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$steps" "$1" "$plain"
	[ -z "${2:-}" ] || printf '   %s%s%s\n' "$dim" "$2" "$plain"
	printf '\n'
}
say() { printf '   %s\n' "$*"; }
show() { cut -c1-116 | sed 's/  *$//; s/^/     /'; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Runs a command as somebody, shows it and what it says, and holds it to the exit code that the story tells. "-" as the
# number of lines shows all.
run() { # exit code, who, lines, arguments…
	expected=$1 who=$2 lines=$3
	shift 3
	shown=
	for word in "$@"; do
		case $word in *' '*) shown="$shown '$word'" ;; *) shown="$shown $word" ;; esac
	done
	printf '   %s$ azukari --key %s.key%s%s\n' "$bold" "$who" "$shown" "$plain"
	quiet "$expected" "$who" "$@"
	if [ "$lines" = - ]; then show <out; else head -n "$lines" out | show; fi
	[ "$expected" -eq 0 ] || say "${dim}exit $expected$plain"
	printf '\n'
}
quiet() { # exit code, who, arguments…
	expected=$1 who=$2
	shift 2
	code=0
	AZUKARI_KEY="$work/demo/$who.key" "$bin" "$@" >out 2>err </dev/null || code=$?
	grep -v 'UNSEALED, for demonstrations' err >>out || true
	[ "$code" -eq "$expected" ] || { show <out; fail "exit $code instead of $expected: $*"; }
}

screen 'A call centre keeps the lists of others' \
	'For ten years a temporary worker, who maintained the system, copied the lists of 69 clients and sold them.'
say "Here are $clients clients and $people people who do not exist. Their lists come as such lists come: CSV in four encodings,"
say 'tabs, fixed widths, workbooks, archives with a password. Nothing of them is unpacked onto a disk.'
printf '\n   %s$ azukari demo --people %s --clients %s demo%s\n' "$bold" "$people" "$clients" "$plain"
"$bin" demo --people "$people" --clients "$clients" --seed 1 demo >out 2>err || { cat err >&2; fail 'the sample house'; }
head -1 out | show
ls demo/lists | tr '\n' ' ' | fold -s -w 100 | head -3 | show
printf '\n'
"$bin" serve 2>serve.log &
server=$!
for _ in $(seq 200); do [ -n "$(pgrep -P "$server" -x azukari-keeper)" ] && break; sleep 0.05; done
say 'Its people: aoki, officer; mori, supervisor; ito, agent; sato, investigator; kato, who maintains the system.'

# Somebody with a mobile of their own, and a telephone that two people share.
list=demo/lists/c02.csv
person=$(awk -F, 'NR > 1 && $9 ~ /^090/ { print $9; exit }' "$list")
shared=$(awk -F, 'NR > 1 && seen[$8]++ { print $8; exit }' "$list")
planted=$(awk -F, -v m="$person" '$9 == m { print $2; exit }' "$list")

screen 'One call, one person, what the call needs' 'The main job: somebody calls the hotline of their city.'
run 0 ito - disclose --client c02 --purpose checkup --by "mobile=$person" --reason enquiry --call 8841
grep -q "$planted" out || fail 'the person shown is another one'
grep -q "${person#???-}" out && fail 'the mobile is shown, and should not be'
say 'Found by a number that is not shown. The entry that names agent, person and call was on the disk before the name was.'

screen 'Two places at once cannot be' '"System accounts were shared."'
say 'A key is one human at one enrolled machine. A copy of it on a memory stick, at home, is nobody:'
printf '\n'
quiet 0 aoki device key --out "$work/home.key"
home=$(tail -1 out)
export AZUKARI_DEVICE="$work/home.key"
run 3 ito 2 disclose --client c02 --purpose checkup --by "mobile=$person" --reason enquiry
unset AZUKARI_DEVICE
quiet 0 aoki device add desk --public "$home"
say 'And at two machines that are both enrolled? Mori entrusts a list at one; somebody signs in as mori at the other.'
mkfifo pipe
AZUKARI_KEY="$work/demo/mori.key" "$bin" entrust --client c01 --purpose car-tax --as-of "$(date +%F)" - <pipe >busy 2>&1 &
busy=$!
exec 5>pipe
printf 'number,name,phone\n' >&5
sleep 0.7
printf '\n'
export AZUKARI_DEVICE="$work/home.key"
run 0 mori 2 client list
unset AZUKARI_DEVICE
# Whoever read it may have gone already.
(trap '' PIPE; printf '000001,Someone,03-0000-0000\n' >&5) 2>/dev/null || true
exec 5>&-
code=0
wait "$busy" || code=$?
say "The list that was under way at the first desk: exit $code"
grep -v UNSEALED busy | head -2 | show
[ "$code" -ne 0 ] || fail 'two places at once'
quiet 0 aoki ledger query --max 40
grep -q taken-over out || fail 'nobody was taken over'
printf '\n'
grep taken-over out | head -1 | show
say 'The older session ended, and both are on record.'

screen 'Whoever maintains the system sees nobody' '"A temporary worker maintained the system and could read everything."'
run 3 kato - disclose --client c02 --purpose checkup --by "mobile=$person" --reason enquiry
say 'Kato does what maintainers do: a backup of the running house.'
printf '\n'
run 0 kato 1 backup copy
cut -d, -f2,3,7,8,9,10 "$list" | tail -n +2 | tr ',' '\n' | awk 'length($0) >= 12' | sort -u >values
say "Looked for in every byte of it ($(du -sh copy | cut -f1)): $(wc -l <values) names, addresses, numbers of list c02."
LC_ALL=C grep -arqF -f values copy && fail 'plaintext is in the backup'
say 'None found. Of the vault, this is what there is of a person:'
printf '\n'
# Somewhere in the middle of the rows, where no page begins or ends.
at=$(($(wc -c <copy/vault/data.mdb) / 2 / 4096 * 4096 + 3000))
while od -An -tx1 -j "$at" -N 64 copy/vault/data.mdb | grep -q '00 00'; do at=$((at + 4096)); done
od -An -tx1 -j "$at" -N 64 copy/vault/data.mdb | show

screen 'There is no answer with two people in it' '"Lists were downloaded, more than a hundred times."'
say "A telephone that a family shares. Not a list of them, not even one: how many, and what would tell them apart."
printf '\n'
run 5 ito - disclose --client c02 --purpose checkup --by "phone=$shared" --reason enquiry
run 2 ito 1 disclose --client c02 --purpose checkup --reason enquiry
run 3 ito 1 ledger query --client c02
say 'There is no command for the rest of the list.'

screen 'Ten years, a few a day' '"Nobody noticed, for ten years."'
say 'Ito may see fifteen people a day without a call, and starts at the top of the list.'
printf '\n'
run 0 aoki 0 policy add agent --calls 500/5000/50000 --searches 15/100/1000 --minute 300 --hour 3000 --slow 20
seen=0
code=0
for number in $(awk -F, 'NR > 40 && NR <= 90 { print $1 }' "$list"); do
	code=0
	AZUKARI_KEY="$work/demo/ito.key" "$bin" disclose --client c02 --purpose checkup --by "number=$number" --reason enquiry >out 2>err </dev/null || code=$?
	[ "$code" -eq 0 ] || break
	seen=$((seen + 1))
done
[ "$code" -eq 5 ] || fail "the thief was not stopped ($code)"
say "Person $((seen + 1)):"
grep -v UNSEALED err | show
say "exit $code after $seen people; exactly as many are in the ledger, and counted from it after every restart."
quiet 0 aoki --json ledger query --client c02 --staff ito --max 400
[ "$(grep -c '"type": "disclosed"' out)" -eq $((seen + 1)) ] || fail 'the ledger has another number'
[ "$seen" -ge 14 ] && [ "$seen" -le 15 ] || fail "$seen people were seen, not 15"

screen 'A client checks by itself' '"When a client complained, the investigation found nothing, and said so."'
say 'c02 gets its own log as plain files, in a public format, and checks it with a program that needs no house and trusts none.'
printf '\n'
run 0 aoki 3 ledger export --log c02 c02-log
printf '   %s$ azukari-verify log c02-log --vkey c02-log/vkey --story%s\n' "$bold" "$plain"
"$verify" log c02-log --vkey c02-log/vkey --story >out 2>&1 || { cat out; fail 'the exported log'; }
(sed -n '1,4p' out; echo '…'; tail -3 out) | show
printf '\n'
say 'So every client knows each human who saw its people, and how many.'

screen 'A list turns up' '"A million of the records had no owner; telling every client took eleven weeks."'
say 'In another encoding, with other columns, out of the lists of two clients, and with people whom nobody here knows.'
{
	echo '氏名,電話,住所'
	awk -F, 'NR > 100 && NR <= 340 { print $2 "," $8 "," $7 }' "$list"
	awk -F'\t' 'NR > 50 && NR <= 170 { print $2 "," $9 "," $7 }' demo/lists/c05.tsv
	awk 'BEGIN { for (i = 0; i < 40; i++) printf "山田 花子%d,03-9999-%04d,東京都港区芝公園4-%d-8\n", i, i, i + 1 }'
} | iconv -f UTF-8 -t CP932 >leak.csv
printf '\n'
run 0 sato 0 case open --reason suspicion --days 7
run 0 aoki 1 approve "$(sed -n 's/^request *//p' out)"
run 0 sato 12 trace --case 1 --rows rows.csv leak.csv
[ "$(grep -c ',ours,c02,' rows.csv)" -ge 200 ] || fail 'the rows of c02 were not found'
[ "$(grep -c ',not-found,' rows.csv)" -ge 40 ] || fail 'people whom nobody knows were found'
say 'Each row has its client, record and version, or nobody; rows.csv has them one by one. Seconds, not weeks.'

screen 'The log is altered' '"Logs and answers had been altered."'
say 'One byte, in a copy that the client has:'
file=$(find c02-log -path '*tile/entries/*' -type f | head -1)
flip() { # file, offset
	byte=$(od -An -tu1 -j "$2" -N1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\$(printf '%03o' $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
flip "$file" 400
printf '\n   %s$ azukari-verify log c02-log --vkey c02-log/vkey%s\n' "$bold" "$plain"
code=0
"$verify" log c02-log --vkey c02-log/vkey >out 2>&1 || code=$?
[ "$code" -eq 4 ] || fail "the altered export: exit $code"
head -2 out | show
say "${dim}exit 4$plain"
kill "$server"
wait "$server" || fail 'the house did not stop in order'
server=
printf '\n'
say 'And one byte in the house itself, by somebody who may write its disk:'
printf '\n'
ledger=$AZUKARI_HOUSE/keeper/ledger/log-00000002/entries
flip "$ledger" $(($(wc -c <"$ledger") - 40))
quiet 4 aoki ledger verify
printf '   %s$ azukari --key aoki.key ledger verify%s\n' "$bold" "$plain"
(head -1 out; grep ' no ' out; grep '^azukari' out) | show
say "${dim}exit 4$plain"
for _ in $(seq 100); do pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || break; sleep 0.1; done

screen 'The whole house is put back to yesterday' 'What is left, once a log cannot be changed, is to put another house in its place.'
say "Kato restores the backup from before, keys and all, so that today never was. Nothing of it is damaged."
printf '\n'
quiet 0 aoki key backup house.keys
AZUKARI_HOUSE=$work/yesterday
run 0 kato 0 restore copy --keys house.keys
run 4 aoki 2 status
say 'Whoever has seen more of it refuses it, until two people declare in public what was lost.'

printf '\n%sEvery step came out as told, in %d s.%s\n' "$bold" "$(($(date +%s) - began))" "$plain"
