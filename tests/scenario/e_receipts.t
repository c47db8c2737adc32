#!/bin/sh
# Receipts: signed, to be checked without the house, and for whoever may.
. "$(dirname "$0")/lib.sh"
command -v openssl >/dev/null && command -v xxd >/dev/null || skip_rest 'openssl and xxd check the signature'
found
serve
run client add c01 --name 'City of "Example", A\B'
run purpose add c01/checkup --fields number,name --roles agent --until 2030-12-31
printf 'number,name\n1,Ann Lee\n2,Bob Ray\n' >list.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-04-01 --receipt receipt.json list.csv
gives 0 'a list is entrusted'
[ "$(json .receipt)" = "$(cat receipt.json)" ]
ok 'with its receipt, in the answer and in a file'
as mori --json receipt 1
gives 0 'a receipt'
cp out receipt.json
field() { jq -r "$1" receipt.json; }
is "$(field .sha256)" "$(sha256sum list.csv | cut -d' ' -f1)" 'the hash of the file'
is "$(field '[.consignment,.rows,.accepted,.refused,.new_records,.client,.purpose,.as_of] | join(" ")')" \
	'1 2 2 0 2 c01 checkup 2026-04-01' 'what and how many'
is "$(field .client_name)" 'City of "Example", A\B' 'a name with quotes in it'
is "$(field .unsealed)" true 'and that the house is unsealed'
! grep -q 'Ann\|Bob' receipt.json
ok 'nobody is in it'
# The signature, with another program.
check() { # receipt
	n=$(wc -l <"$1")
	head -n $((n - 2)) "$1" | sed '$ s/,$//' >signed
	jq -r .signature "$1" | sed 's/.* //' | base64 -d >line
	tail -c 64 line >sig
	key=$(jq -r .house_key "$1" | sed 's/^[^+]*+[^+]*+//' | base64 -d | xxd -p -c 100)
	echo "302a300506032b6570032100${key#01}" | xxd -r -p >key.der
	openssl pkey -pubin -inform DER -in key.der -out key.pem 2>/dev/null &&
		openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile sig >/dev/null 2>&1
}
check receipt.json
ok 'openssl finds its signature good'
sed 's/"accepted": 2/"accepted": 3/' receipt.json >changed.json
! check changed.json
ok 'and not of one that was changed'
field .proof | head -1 | grep -q '^c2sp.org/tlog-proof@v1$'
ok 'it has an offline proof'
field .proof | grep -q "^index $(field .index)$"
ok 'of its own entry'
origin=$(field .log_key | cut -d+ -f1)
field .proof | grep -qxF "$origin"
ok 'in the checkpoint of the client'"'"'s log'
# The entry in the proof has the same hash and root: LIST group, 96 bytes at the end of the entry.
field .proof | sed -n 's/^extra //p' | base64 -d | xxd -p -c 1000 >entry
case $(cat entry) in *"$(field .sha256)$(field .root)") true ;; *) false ;; esac
ok 'the entry ends with the same hash and root'
as mori receipt 1
gives 0 'for people'
grep -q UNSEALED out
ok 'with the mark of an unsealed house'
for who in ito sato kato; do
	as $who receipt 1
	gives 3 "$who: receipt"
done
run receipt 1
gives 0 'an officer may'
run receipt 2
gives 1 'a consignment that is not there'
run receipt x
gives 2 'what is no consignment'
printf 'number,name\n,x\n' >bad.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-04-02 bad.csv
gives 1 'a list that is rejected'
is "$(json '.receipt // "none"')" none 'has no receipt'
as mori --json entrust --client c01 --purpose checkup --as-of 2026-05-01 list.csv
stop
run --json receipt 1
cp out receipt.json
check receipt.json
ok 'a receipt after a restart'
# The last list is still in the write-ahead log when the keeper is killed.
"$az" serve 2>serve.log &
server=$!
for _ in $(seq 100); do run status && [ "$code" -eq 0 ] && break; sleep 0.1; done
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-01 list.csv
last=$(json .consignment)
kill -9 "$server" $(pgrep -P "$server") 2>/dev/null
wait "$server" 2>/dev/null
server=
run --json receipt "$last"
gives 0 'of a list that was entrusted right before kill -9 (I8)'
cp out receipt.json
check receipt.json
ok 'whose signature is good'
run ledger verify
gives 0 'and the ledger holds'
plan
