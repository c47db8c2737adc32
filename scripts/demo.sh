#!/bin/sh
# The main job on a sample house, told step by step. Exit 0 only if every step came out as told.
set -eu
cd "$(dirname "$0")/.."
bin=${AZUKARI:-$PWD/build/src/cli/azukari}
people=${DEMO_PEOPLE:-90000}
clients=${DEMO_CLIENTS:-59}

work=$(mktemp -d)
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	[ -z "$server" ] || wait "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
export XDG_STATE_HOME="$work/state" AZUKARI_HOUSE="$work/house" AZUKARI_KEY="$work/aoki.key"
mkdir -p "$XDG_STATE_HOME"
cd "$work"

bold= plain=
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { printf '  %s\n' "$*"; }
show() { sed 's/^/  | /'; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Runs a command, shows what it says, and holds it to the exit code that the story tells.
step() { # exit code, command…
	expected=$1
	shift
	code=0
	"$@" >out 2>err </dev/null || code=$?
	grep -v 'UNSEALED, for demonstrations' err >>out || true
	[ "$code" -eq "$expected" ] || { show <out; fail "exit $code instead of $expected: $*"; }
}
as() { who=$1; shift; AZUKARI_KEY="$work/$who.key" "$bin" "$@"; }

title 'A house is founded, and its people get keys of their own'
step 0 "$bin" init --house "$AZUKARI_HOUSE" --officer aoki --key-out aoki.key --unsealed
head -1 out | show
"$bin" --house "$AZUKARI_HOUSE" serve 2>serve.log &
server=$!
for who in 'ito agent' 'mori supervisor' 'kato maintainer'; do
	# shellcheck disable=SC2086
	set -- $who
	step 0 "$bin" staff add "$1" --role "$2" --key-out "$1.key"
	say "$1, $2"
done

title "$clients clients entrust lists of $people people"
step 0 "$bin" demo --out lists --people "$people" --clients "$clients" --seed 1
until=$(($(date +%Y) + 1))-12-31
today=$(date +%Y-%m-%d)
started=$(date +%s)
accepted=0
tab=$(printf '\t')
while IFS="$tab" read -r client name category purpose fields; do
	step 0 "$bin" client add "$client" --name "$name" --category "$category"
	step 0 "$bin" purpose add "$client/$purpose" --fields "$fields" --roles agent --until "$until"
	step 0 as mori --json entrust --client "$client" --purpose "$purpose" --as-of "$today" \
		"lists/$client.csv"
	accepted=$((accepted + $(sed -n 's/.*"accepted": \([0-9]*\).*/\1/p' out)))
done <lists/clients.tsv
[ "$accepted" -eq "$people" ] || fail "$accepted rows instead of $people"
say "$accepted people, each sealed under the key of the list they came with, in $(($(date +%s) - started)) s"

# Somebody with a mobile of their own, and a telephone that two people share.
person=$(awk -F, 'NR > 1 && $9 ~ /^090/ { print $9; exit }' lists/c02.csv)
shared=$(awk -F, 'NR > 1 && seen[$8]++ { print $8; exit }' lists/c02.csv)
planted=$(awk -F, -v m="$person" '$9 == m { print $2; exit }' lists/c02.csv)

title 'One call, one person, what the purpose shows'
say "azukari --key ito.key disclose --client c02 --purpose checkup --by mobile=$person …"
step 0 as ito disclose --client c02 --purpose checkup --by "mobile=$person" --reason enquiry --call 8841
show <out
grep -q "$planted" out || fail 'the person shown is another one'
grep -q "${person#???-}" out && fail 'the mobile is shown, and should not be'

title 'Two people share a telephone: neither is shown'
step 5 as ito disclose --client c02 --purpose checkup --by "phone=$shared" --reason enquiry
show <out

title 'Whoever maintains the system sees nobody'
step 3 as kato disclose --client c02 --purpose checkup --by "mobile=$person" --reason enquiry
show <out

title 'A list of people is no answer to anything'
step 2 as ito disclose --client c02 --purpose checkup --reason enquiry
head -1 out | show
step 3 as ito ledger query --client c02
show <out

title 'All of that is in the ledger'
step 0 "$bin" ledger query --client c02 --max 4
cut -c1-110 out | show
step 0 "$bin" ledger verify --client c02
tail -1 out | show

title 'The vault is stolen'
cp -r "$AZUKARI_HOUSE/vault" stolen-vault
say "$(du -sh stolen-vault | cut -f1) of it; the names and numbers of list c02 are looked for in every byte"
cut -d, -f2,3,7,8,9,10 lists/c02.csv | tail -n +2 | tr ',' '\n' | awk 'length($0) >= 12' | sort -u >planted
found=0
LC_ALL=C grep -arqF -f planted stolen-vault && found=1
[ "$found" -eq 0 ] || fail 'plaintext is in the vault'
say "$(wc -l <planted) values, none found"

title 'The whole house is stolen, but for its secrets'
kill "$server"
wait "$server" || fail 'the house did not stop in order'
server=
cp -r "$AZUKARI_HOUSE" stolen
rm -r stolen/secret
LC_ALL=C grep -arqF -f planted stolen && fail 'plaintext is in the house'
say "$(wc -l <planted) values, none found"
code=0
"$bin" --house stolen serve >out 2>&1 || code=$?
[ "$code" -ne 0 ] || fail 'a stolen house was opened'
show <out

title 'One byte of the ledger is changed'
file=$(find "$AZUKARI_HOUSE/keeper/ledger" -path '*log-00000002/entries')
size=$(wc -c <"$file")
place=$((size - 40))
byte=$(od -An -tu1 -j "$place" -N1 "$file" | tr -d ' ')
# shellcheck disable=SC2059
printf "\\$(printf '%03o' $(((byte + 1) % 256)))" | dd of="$file" bs=1 seek="$place" conv=notrunc 2>/dev/null
step 4 "$bin" ledger verify
grep -v ' yes$' out | sed 's/  *$//' | show

title 'Every step came out as told.'
