#!/bin/sh
# Witnesses that the house knows: what they cosigned is brought by anybody, and believed only if all three agree: the
# log's key, the log, and a witness that was enrolled.
. "$(dirname "$0")/lib.sh"
verify=${AZUKARI_VERIFY:?the program under test}
found
for client in c01 c02; do
	run client add $client --name "$client"
	run purpose add $client/p --fields name --roles agent --until 2030-12-31
	printf 'number,name\n1,planted name\n' >list.csv
	as mori entrust --client $client --purpose p --as-of 2026-04-01 list.csv
done
see() { as ito disclose --client "${1:-c01}" --purpose p --by number=1 --reason enquiry; }
see
see c02
run ledger export --log c01 tree
gives 0 'an export'

# --- three witnesses, two of whom the house will know
listen() { # folder
	"$verify" witness "$1" --listen 127.0.0.1:0 >"$1.log" 2>&1 &
	servers="${servers:-} $!"
	for _ in $(seq 100); do
		port=$(sed -n 's/^listening on port \([0-9]*\) .*/\1/p' "$1.log")
		[ -n "$port" ] && break
		sleep 0.05
	done
	echo "http://127.0.0.1:$port" >"$1.url"
}
for name in city bank stranger; do
	"$verify" witness $name --init witness.example/$name >/dev/null
	cp tree/vkey $name/logs/c01.vkey
	listen $name
done
trap 'kill $servers 2>/dev/null; finish' EXIT
cosign() { # witness, folder
	run ledger cosign --witness "$(cat "$1.url")" --witness-vkey "$1/vkey" "$2"
}

# --- enrolling
echo nonsense >junk.vkey
: >empty.vkey
head -c 400 /dev/zero | tr '\0' k >long.vkey
for bad in junk empty; do
	run witness add city --vkey $bad.vkey
	gives 1 "what is no key ($bad)"
done
run witness add city --vkey long.vkey
gives 5 'what is too long for one'
run witness add city --vkey tree/vkey
gives 1 "a log's key is no witness's"
run witness add 'no label' --vkey city/vkey
gives 2 'nor has one such a name'
for who in ito mori sato kato; do
	as $who witness add city --vkey city/vkey
	gives 3 "$who enrols none"
done
run witness add city --vkey city/vkey
gives 0 'an officer does'
run witness add city --vkey bank/vkey
gives 1 'one of a name'
run witness add other --vkey city/vkey
gives 1 'and one of a key'
run witness add bank --vkey bank/vkey
gives 0 'a second one'
run --json status
is "$(json '.witness.state + " " + (.witness.witnesses | tostring)')" 'no limit is set 2' 'the status knows them'
run witness limit 0
gives 2 'no hours are no limit'
run witness limit 8761
gives 2 'nor are too many'
run witness limit 24
gives 0 'a limit'
run --json status
is "$(json '.witness.state + " " + (.witness.limit_hours | tostring)')" 'fresh 24' 'which begins now'

# --- what is brought
run witness tell tree/checkpoint
gives 3 'that nobody cosigned says nothing'
cosign stranger tree
run witness tell tree
gives 3 'nor does a witness whom the house does not know'
rm tree/cosigned
cosign city tree
as ito witness tell tree
gives 3 'an agent brings nothing'
as kato --json witness tell tree
gives 0 'a maintainer may'
as kato witness tell tree
gives 1 'the same again is known'
cp tree/cosigned first
known() { # log
	run --json witness list
	json ".witnesses[] | select(.log == \"$1\") | \"\\(.cosigned) \\(.by // \"-\")\""
}
is "$(known c01)" '2 city' 'and listed'
is "$(known c02)" '0 -' 'of another log nothing'
changed() { # which line from the end, a place in it
	python3 - "$1" "$2" <<-'END'
		import base64, sys
		lines = open('first').read().splitlines()
		word, name, text = lines[-int(sys.argv[1])].split(' ')
		bytes_ = bytearray(base64.b64decode(text))
		bytes_[int(sys.argv[2])] ^= 1
		lines[-int(sys.argv[1])] = f'{word} {name} {base64.b64encode(bytes_).decode()}'
		open('changed', 'w').write('\n'.join(lines) + '\n')
	END
}
for place in 20 70; do
	changed 2 $place
	run witness tell changed
	gives 3 "a byte of the log's signature changed (at $place)"
done
for place in 8 40; do
	changed 1 $place
	run witness tell changed
	gives 3 "a byte of the witness's (at $place)"
done
sed '2s/.*/1/' first >changed
run witness tell changed
gives 3 'another size'
sed '1s/.$/9/' first >changed
run witness tell changed
gives 3 'a log that is not here'
sed '1s/g1/g2/' first >changed
run witness tell changed
gives 3 'and one of another life of the ledger'
head -c 60 first >changed
run witness tell changed
gives 1 'half of one'
run witness tell list.csv
gives 1 'what is none'
: >changed
run witness tell changed
gives 1 'nothing'
run witness tell /nonexistent
gives 1 'and no file'
[ "$(known c01)" = '2 city' ]
ok 'none of them is remembered'

# --- it does not go back
see
see
run ledger export --log c01 tree
cosign city tree
run witness tell tree
gives 0 'a newer one'
run witness tell first
gives 1 'the older one is no news'
is "$(known c01)" '4 city' 'and puts nothing back'

# --- a second history under the right key
stop_later() { kill "$1" && wait "$1" 2>/dev/null; }
run status
sleep 1.5 # the transient keeper leaves
cp -a house fork
see
run ledger export --log c01 tree
(
	export AZUKARI_HOUSE="$work/fork" XDG_STATE_HOME="$work/fork-state"
	mkdir -p "$XDG_STATE_HOME"
	as ito disclose --client c01 --purpose p --by number=1 --reason complaint
	run ledger export --log c01 forked
)
"$verify" witness fooled --init witness.example/bank2 >/dev/null
# The same key as the bank's, in a witness that has forgotten: as if it had been put back.
cp bank/key bank/vkey fooled/
cp tree/vkey fooled/logs/c01.vkey
listen fooled
run ledger cosign --witness "$(cat fooled.url)" --witness-vkey bank/vkey forked
gives 0 'whoever forgot what it vouched for cosigns another history'
run --json witness tell forked
gives 4 'which the house that has the first one does not continue'
run --json ledger query --max 40
is "$(json '[.entries[] | select(.type == "alarm")] | length')" 1 'and it is an alarm'
cosign bank tree
run witness tell tree
gives 0 'the true one counts'
is "$(known c01)" '5 bank' 'by whoever cosigned it'

# --- retiring
run witness retire nobody
gives 1 'who is none is not retired'
for who in ito mori sato kato; do
	as $who witness retire city
	gives 3 "$who retires none"
done
run witness retire city
gives 0 'one is retired'
see
run ledger export --log c01 tree
rm -f tree/cosigned
cosign city tree
run witness tell tree
gives 3 'and counts no more'
grep -q 'city is retired' err
ok 'which is said'
run witness add again --vkey city/vkey
gives 1 'nor does its key come back under another name'
run witness retire bank
run --json status
is "$(json .witness.state)" 'no witness is enrolled: no limit applies' 'without any no limit holds'

# --- over restarts
serve
is "$(known c01)" '5 bank' 'what is known is kept over a restart (I8)'
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do
	run status
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
is "$(known c01)" '5 bank' 'and by a keeper that died'
run --json ledger query --max 200
is "$(json '[.entries[] | select(.type == "witness")] | length')" 5 'two enrolled, a limit, two retired: entries'
is "$(json '[.entries[] | select(.type == "cosigned")] | length')" 3 'and three cosignatures'
run ledger verify
gives 0 'the ledger holds'
plan
