#!/bin/sh
# A sealed house is backed up and restored by a maintainer, who has no passphrase; what was lost two people declare (I7).
if [ "$(id -u)" -eq 0 ]; then
	setpriv --reuid=64399 --regid=64399 --clear-groups test -r "$0" -a -x "$AZUKARI" || {
		echo '1..0 # skipped: another user than root cannot read this folder'
		exit 0
	}
	exec setpriv --reuid=64399 --regid=64399 --clear-groups env HOME=/nonexistent sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
printf 'correct horse battery staple\n' >aoki.pass
export AZUKARI_HOUSE="$work/house" AZUKARI_KEY="$work/aoki.key"
pass() { # whose, command…
	file=$1.pass
	shift
	code=0
	timeout -k 2 60 "$az" "$@" >out 2>err </dev/null 7<"$file" || code=$?
}
opened() {
	rm -f "$AZUKARI_HOUSE/run/unlock.sock"
	"$az" serve 2>serve.log &
	server=$!
	for _ in $(seq 200); do
		[ -S "$AZUKARI_HOUSE/run/unlock.sock" ] && break
		sleep 0.05
	done
	pass aoki unlock --officer aoki --passphrase @7
	gives 0 'it is unlocked'
	for _ in $(seq 200); do
		run --despite-loss status
		[ "$code" -ne 5 ] && return
		sleep 0.05
	done
}
enrol() { # code, key file
	code=0
	printf '%s\n' "$1" >code
	AZUKARI_DEVICE=$work/desk.key timeout -k 2 60 "$az" staff enrol --out "$2" --code @7 >out 2>err </dev/null 7<code || code=$?
}
desk() { # who, command…
	export AZUKARI_DEVICE="$work/desk.key"
	as "$@"
	unset AZUKARI_DEVICE
}
pass aoki --json init --house "$AZUKARI_HOUSE" --officer aoki --officer kondo --key-out aoki.key --passphrase @7
invitation=$(json .invitation)
opened
run device key --out desk.key
run device add desk --public "$(cat out)"
enrol "$invitation" kondo.key
gives 0 'two officers run a sealed house'
run --json invite kato --role maintainer
number=$(json .request) invitation=$(json .code)
desk kondo approve "$number"
enrol "$invitation" kato.key
gives 0 'with a maintainer'
as kato --json backup first
gives 0 'who backs it up'
run key backup house.keys
gives 0 'keys apart'
grep -q 'passphrases alone' out
ok "that open with the officers' passphrases"
# Base64 and raw: the root key stands nowhere in plain, so no file of the two is longer than what is sealed in it.
[ ! -e first/secret ] && ! grep -q 'correct horse' house.keys
ok 'not with what is in them'
run client add c01 --name 'City of Example'
desk kondo approve 2
gives 0 'then more happens'
stop

# Another folder, without a passphrase.
AZUKARI_HOUSE=$work/second
run restore first --keys house.keys
gives 0 'a maintainer restores it, and types nothing'
run status
gives 5 'it is locked'
printf 'wrong passphrase here\n' >wrong.pass
"$az" serve 2>serve.log &
server=$!
for _ in $(seq 200); do
	[ -S "$AZUKARI_HOUSE/run/unlock.sock" ] && break
	sleep 0.05
done
pass wrong unlock --officer aoki --passphrase @7
gives 3 'and opens with no other passphrase'
kill "$server"
wait "$server" 2>/dev/null
opened
run status
gives 4 'what was seen is more: refused (I5)'
run restore --declare-loss
gives 0 'one officer asks for the loss to be declared'
number=$(sed -n 's/^request *//p' out)
run --despite-loss --json status
is "$(json .generation)" 1 'alone they do not declare it (I7)'
run status
gives 4 'and the house stays refused'
run --despite-loss approve "$number"
gives 3 'nor by approving it themselves (I7)'
as kato --despite-loss approve "$number"
gives 3 'nor with the maintainer'
desk kondo approve "$number"
gives 4 'the other officer has seen more, too'
desk kondo --despite-loss approve "$number"
gives 0 'and approves it nevertheless'
grep -q 'declare a loss' out
ok 'seeing what it is'
for _ in $(seq 100); do
	run --json status
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
is "$(json .generation)" 2 'the house begins its second generation, unlocked'
grep -q 'starts anew' serve.log
ok 'in a keeper of its own'
desk kondo --despite-loss approve "$number"
gives 3 'once (I7)'
run client list
! grep -q c01 out
ok 'what was lost is lost'
run ledger verify
gives 0 'and the ledger holds'
stop
gives 0 'it stops'
plan
