#!/bin/sh
# A witness outside: it cosigns what continues, over HTTP; a house that takes entries back finds nobody to vouch for it.
. "$(dirname "$0")/lib.sh"
verify=${AZUKARI_VERIFY:?the program under test}
command -v curl >/dev/null || skip_rest 'curl asks the witness, too'
found
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name --roles agent --until 2030-12-31
printf 'number,name\n1,planted name\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
see() { as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry; }
see
run ledger export --log c01 tree
gives 0 'an export'
cp -a tree early

check() {
	code=0
	timeout -k 2 60 "$verify" "$@" >out 2>err </dev/null || code=$?
}
check witness w --listen 127.0.0.1:0
gives 1 'no witness without a folder'
check witness w --init 'witness.example/w 1'
gives 1 'nor with a name that no key may have'
check witness w --init witness.example/w1
gives 0 'a witness is made'
cmp -s out w/vkey
ok 'and prints its key'
is "$(stat -c %a w/key)" 600 'nobody else reads the private one'
check witness w --init witness.example/w1
gives 1 'not twice'
check witness w --listen 127.0.0.1:0
gives 1 'nor without a log to cosign'
cp tree/vkey w/logs/c01.vkey
check witness w --listen nonsense
gives 1 'nor on what is no address'
check witness w
gives 2 'or nowhere'

listen() {
	"$verify" witness w --listen 127.0.0.1:"${port:-0}" >witness.log 2>&1 &
	server=$!
	port=
	for _ in $(seq 100); do
		port=$(sed -n 's/^listening on port \([0-9]*\) .*/\1/p' witness.log)
		[ -n "$port" ] && break
		sleep 0.05
	done
	url=http://127.0.0.1:$port
}
listen
[ -n "$port" ]
ok 'it listens'
is "$(sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$server/status")" 2 'shut in: only listed system calls'
cosign() { run ledger cosign --witness "$url" --witness-vkey w/vkey "$@"; }

cosign tree
gives 0 'the house has its checkpoint cosigned'
grep -q 'witness.example/w1' out
ok 'and is told by whom'
check log tree --vkey w/logs/c01.vkey --witness w/vkey
gives 0 'the client demands it'
grep -q 'the witness cosigned 2 entries' out
ok 'and sees when'
if [ -n "${AZUKARI_AZLOG:-}" ]; then
	"$AZUKARI_AZLOG" checkpoint tree/vkey tree/cosigned w/vkey >out 2>err && "$AZUKARI_AZLOG" log tree/vkey tree tree/checkpoint w/vkey >out 2>err
	ok 'Go finds the cosignature good'
fi
check log early --vkey w/logs/c01.vkey --witness w/vkey
gives 4 'what nobody cosigned is not believed'
see
see
run ledger export --log c01 tree
[ -f tree/cosigned ]
ok 'a newer export keeps the older cosignature'
check log tree --witness w/vkey
grep -q 'the witness cosigned 2 entries' out
ok 'which says how far it goes'
cosign tree
gives 0 'the newer one is cosigned, with a proof'
rm tree/cosigned
cosign tree
gives 0 'also where the house forgot which was the last'
check checkpoint tree/cosigned --vkey tree/vkey --witness w/vkey
gives 0 'a cosigned checkpoint by itself'
cosign early
gives 4 'entries that are missing'
grep -q 'cosigned 4 entries of this log, and here are 2' err
ok 'are told'

# After a restart it knows what it vouched for.
stop
listen
cosign early
gives 4 'the same after a restart'
# A log of the same key, with another history: as whoever has the key could make it.
cp -a tree forked
size=$(wc -c <forked/tile/entries/000.p/4)
flip forked/tile/0/000.p/4 40
flip forked/tile/entries/000.p/4 $((size - 3))
rm -f forked/cosigned
cosign forked
[ "$code" -eq 0 ] || [ "$code" -eq 4 ]
ok 'tiles are no matter of a checkpoint that it has cosigned already'
see
cp -a tree stale
run ledger export --log c01 tree
cp tree/checkpoint forked/checkpoint
rm -rf forked/tile
cp -a tree/tile forked/tile
flip forked/tile/0/000.p/5 136
cosign forked
gives 4 'a proof that does not hold is refused'

# Strangers.
post() { curl -s -o reply -w '%{http_code} %{content_type}' --data-binary "$1" "$url/${2:-add-checkpoint}"; }
is "$(post nonsense | cut -d' ' -f1)" 400 'what is no request'
is "$(post "@tree/checkpoint" | cut -d' ' -f1)" 400 'a checkpoint alone'
is "$(curl -s -o reply -w '%{http_code}' "$url/add-checkpoint")" 405 'nobody reads it'
is "$(post x other | cut -d' ' -f1)" 404 'or another path'
{ printf 'old 0\n\n'; cat tree/checkpoint; } >request
is "$(post @request)" '409 text/x.tlog.size' 'another size'
is "$(cat reply)" 4 'is told'
run ledger export --log house house-tree
{ printf 'old 0\n\n'; cat house-tree/checkpoint; } >request
is "$(post @request | cut -d' ' -f1)" 404 'a log that it does not know'
{ printf 'old 4\n\n'; sed '$s/....$/AAA=/' tree/checkpoint; } >request
case $(post @request) in 400* | 403*) true ;; *) false ;; esac
ok 'a signature that does not hold'
head -c 300000 /dev/zero | tr '\0' 'a' >big
answer=$(post @big)
case $answer in 4* | 000*) true ;; *) false ;; esac
ok "a body that is too long ($answer)"
! grep -q 'planted\|nonsense' witness.log
ok 'its log says nothing of what was sent'
cosign house-tree
gives 3 'the house is told that its log is not known'
cosign tree
gives 0 'and all the while it cosigns'

# What the house does not believe, and what it cannot reach.
cp w/vkey other.vkey
run ledger cosign --witness "$url" --witness-vkey tree/vkey tree
gives 1 'the key of a log is not that of a witness'
run ledger cosign --witness https://127.0.0.1 --witness-vkey w/vkey tree
gives 1 'another kind of address'
run ledger cosign --witness "$url" tree
gives 2 'no key'
stop
is "$code" 0 'it ends when it is told to'
cosign tree
gives 1 'nobody is there'
check checkpoint tree/cosigned --vkey tree/vkey --witness w/vkey
gives 0 'and the last cosignature stays'
"$verify" witness w2 --init witness.example/w1 >/dev/null
run ledger cosign --witness "$url" --witness-vkey w2/vkey tree
mv w/vkey w/vkey.old
cp w2/vkey w/vkey
check witness w --listen 127.0.0.1:0
gives 1 'a witness whose keys are not a pair does not start'
mv w/vkey.old w/vkey
port=0 listen
run ledger cosign --witness "$url" --witness-vkey w2/vkey tree
gives 3 'the signature of another witness is not taken'
plan
