#!/bin/sh
# A sealed house: two officers found it, passphrases open it, two people decide (I7). Started by root it needs users of
# its own, which a test does not make: it then runs as another user.
if [ "$(id -u)" -eq 0 ]; then
	setpriv --reuid=64399 --regid=64399 --clear-groups test -r "$0" -a -x "$AZUKARI" || {
		echo '1..0 # skipped: another user than root cannot read this folder'
		exit 0
	}
	exec setpriv --reuid=64399 --regid=64399 --clear-groups env HOME=/nonexistent sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
printf 'correct horse battery staple\n' >aoki.pass
printf 'another long passphrase\n' >wrong.pass
export AZUKARI_HOUSE="$work/house" AZUKARI_KEY="$work/aoki.key"
# Runs it with a passphrase on descriptor 7.
pass() { # whose, command…
	file=$1.pass
	shift
	code=0
	timeout -k 2 60 "$az" "$@" >out 2>err </dev/null 7<"$file" || code=$?
}
lock_up() {
	: >serve.log
	"$az" serve 2>serve.log &
	server=$!
	for _ in $(seq 200); do
		grep -q "officers" serve.log && return
		sleep 0.05
	done
}
wait_served() {
	for _ in $(seq 200); do
		run status
		[ "$code" -ne 5 ] && return
		sleep 0.05
	done
}

# Founding.
run init --house "$AZUKARI_HOUSE" --officer aoki --key-out aoki.key
gives 2 'one officer alone founds no sealed house (I7)'
run init --house "$AZUKARI_HOUSE" --officer aoki --officer aoki --key-out aoki.key
gives 2 'nor one twice'
run init --house "$AZUKARI_HOUSE" --officer aoki --officer kondo --key-out aoki.key --passphrase secret
gives 2 'a passphrase is no argument (I4)'
printf 'short\n' >short.pass
pass short init --house "$AZUKARI_HOUSE" --officer aoki --officer kondo --key-out aoki.key --passphrase @7
gives 1 'nor a short one'
[ ! -e "$AZUKARI_HOUSE" ] && [ ! -e aoki.key ]
ok 'nothing is left of these'
pass aoki --json init --house "$AZUKARI_HOUSE" --officer aoki --officer kondo --key-out aoki.key --passphrase @7
gives 0 'two officers found a sealed house'
is "$(json .unsealed)" false 'which says so'
invitation=$(json .invitation)
json .house | grep -q '^house-'
ok 'in its name'
[ ! -e "$AZUKARI_HOUSE/secret/root" ] && [ -f "$AZUKARI_HOUSE/secret/slots" ]
ok 'there is no plain root key'
! grep -rqF 'correct horse' "$AZUKARI_HOUSE" "$XDG_STATE_HOME"
ok 'nor a passphrase anywhere (I4)'

# Locked, and unlocked.
run status
gives 5 'nobody serves it: no command starts a sealed house'
pass aoki unlock --officer aoki --passphrase @7
gives 5 'and nobody waits for a passphrase'
lock_up
grep -q '1 of 1 officers' serve.log
ok 'served, it waits'
run status
gives 5 'and answers nothing'
grep -q 'azukari unlock' err
ok 'but what to do'
perl -e 'use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => "$ENV{AZUKARI_HOUSE}/run/unlock.sock") or die;
	syswrite $s, "\x10"; sleep 90' &
silent=$!
sleep 0.3
pass wrong unlock --officer aoki --passphrase @7
gives 3 'a wrong passphrase opens nothing, and somebody who says nothing keeps nobody out'
kill "$silent"
pass aoki unlock --officer kondo --passphrase @7
gives 3 'nor somebody who has no slot'
run unlock --officer aoki --passphrase 'correct horse battery staple'
gives 2 'nor one in an argument (I4)'
printf 'GARBAGE' | timeout 5 "$az" --version >/dev/null
pass aoki --json unlock --officer aoki --passphrase @7
gives 0 'the right one unlocks it'
is "$(json .unlocked)" true 'the house'
wait_served
gives 0 'it is served'
[ ! -e "$AZUKARI_HOUSE/run/unlock.sock" ]
ok 'and waits for no passphrase any more'
run --json status
is "$(json '[.unsealed, .set_up, (.waivers | length), .unlocked_memory] | map(tostring) | join(" ")')" 'false false 0 0' 'sealed, being set up, without waivers, in locked memory'

# Until the second officer has enrolled only set-up verbs work.
run client add c01 --name 'City of Example'
gives 3 'no client (I7)'
run staff add ito --role agent --public "$(printf '1%.0s' $(seq 64))"
gives 3 'no staff'
run policy close 1
gives 3 'no policy'
run staff end kondo
gives 3 'nor an end of the other'
run invite ito --role agent
gives 3 'no invitation but of the second officer'
run invite other --role officer
gives 1 'who is who was named'
run approve 1
gives 1 'nor is there anything to approve'
run ledger verify
gives 0 'the ledger can be verified'
run staff enrol --out kondo.key --code "$invitation"
gives 3 'a code is no argument (I4)'
enrol() { # code, key file
	code=0
	printf '%s\n' "$1" >code
	timeout -k 2 60 "$az" staff enrol --out "$2" --code @7 >out 2>err </dev/null 7<code || code=$?
}
enrol "$invitation" kondo.key
gives 1 'the second officer does not enrol at the founding device'
[ ! -e kondo.key ]
ok 'whose key is not left behind'
run device key --out desk.key
desk=$(cat out)
AZUKARI_DEVICE=$work/desk.key enrol "$invitation" kondo.key
gives 3 'nor at one that is not enrolled'
run device add desk --public "$desk"
gives 0 'a second device is added'
at() { # device, who, command…
	device=$1
	shift
	export AZUKARI_DEVICE="$work/$device.key"
	as "$@"
	unset AZUKARI_DEVICE
}
AZUKARI_DEVICE=$work/desk.key enrol "$(printf '0%.0s' $(seq 32))" kondo.key
gives 3 'not with another code (I9)'
AZUKARI_DEVICE=$work/desk.key enrol "$invitation" kondo.key
gives 0 'the second officer enrols'
AZUKARI_DEVICE=$work/desk.key enrol "$invitation" again.key
gives 3 'once'
run --json status
is "$(json .set_up)" true 'the house is set up'

# Two people decide.
run --json client add c01 --name 'City of Example'
gives 0 'an officer asks for a client'
is "$(json .approved)" false 'and does not have it (I7)'
run approve 1
gives 3 'who asked does not approve it (I7)'
cp kondo.key kondo2.key
as kondo approve 1
gives 3 'nor anybody at the device that it was asked at (I7)'
at desk kondo approve 1
gives 0 'the other officer does, at another device'
at desk kondo approve 1
gives 3 'once (I7)'
run client list
grep -q c01 out
ok 'it is there'
as kondo client add c02 --name 'Town of Example'
at desk aoki approve 2
gives 0 'and the other way about'
for pair in mori:supervisor ito:agent sato:investigator kato:maintainer; do
	name=${pair%:*}
	run --json invite "$name" --role "${pair#*:}" --employer 'Azukari Ltd' --tier 1
	number=$(json .request)
	invitation=$(json .code)
	AZUKARI_DEVICE=$work/desk.key enrol "$invitation" "$name.key"
	gives 3 "$name: an invitation that is not approved is of no use"
	at desk kondo approve "$number"
	AZUKARI_DEVICE=$work/desk.key enrol "$invitation" "$name.key"
	gives 0 "$name enrols"
done
run --json staff list
is "$(json '.staff[] | select(.staff == "ito") | [.employer, (.tier | tostring), .keyed_by] | join(" ")')" 'Azukari Ltd 1 aoki' 'who had them enrolled is known'
as mori staff add x --role agent --key-out x.key
gives 3 'nobody makes a key for another'
as mori purpose add c01/checkup --fields name,phone:last4 --roles agent,supervisor --until 2030-12-31
at desk kondo approve 7
gives 0 'a supervisor asks for a purpose and an officer approves it'
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
as ito disclose --client c01 --purpose checkup --by number=1 --reason enquiry
gives 3 'a personal value is no argument (I4)'
printf '1\n' >value
AZUKARI_KEY=$work/ito.key timeout 20 "$az" disclose --client c01 --purpose checkup --by number=@7 --reason enquiry >out 2>err 7<value
code=$?
gives 0 'from a descriptor it is asked'
grep -q 'Ann Lee' out
ok 'and seen'
! grep -q UNSEALED err
ok 'no screen says unsealed'

# A second identity (I7): an officer whose key comes from who asks.
run --json invite second --role officer
number=$(json .request) invitation=$(json .code)
at desk kondo approve "$number"
AZUKARI_DEVICE=$work/desk.key enrol "$invitation" second.key
gives 0 'an officer has a second identity'
run client add c03 --name Three
at desk second approve 9
gives 3 'which does not approve for them (I7)'
run staff key --out new.key
key=$(cat out)
run --json staff rekey kondo --public "$key"
number=$(json .request)
at desk kondo approve "$number"
gives 0 'a key is exchanged'
at desk kondo approve 9
gives 3 'the old key is nobody any more'
at desk new approve 9
gives 3 'and the new one comes from who asks (I7)'

# Officers enough must stay; days.
as mori staff until sato 2020-01-01
at desk new approve 11
gives 0 'somebody gets a last day'
as sato approvals
gives 3 'after which they are nobody'
as mori staff end second
at desk new approve 12
gives 0 'an officer ends, while two stay'
run staff end kondo
gives 1 'the last two do not'
run staff until kondo 2030-01-01
gives 1 'nor get a last day'

# A keeper that dies starts again by itself; a start needs the officers.
kill -9 "$(child_of_server azukari-keeper)"
sleep 0.5
wait_served
gives 0 'a keeper that died is there again, without anybody'
stop
gives 0 'it stops'
[ ! -e "$AZUKARI_HOUSE/secret/root" ]
ok 'there is still no plain root key'
lock_up
run status
gives 5 'after a start it is locked again'
pass aoki unlock --officer aoki --passphrase @7
wait_served
gives 0 'and unlocked again'
run ledger verify
gives 0 'the ledger holds'

# A backup of everything but the host secret opens with no passphrase.
stop
mv "$AZUKARI_HOUSE/secret/host" host.kept
head -c 32 host.kept >"$AZUKARI_HOUSE/secret/host"
head -c 64 /dev/urandom >>"$AZUKARI_HOUSE/secret/host"
lock_up
pass aoki unlock --officer aoki --passphrase @7
gives 3 'without the host secret no passphrase opens it'
kill "$server"
wait "$server" 2>/dev/null
server=
plan
