# A sealed house with two officers, at two devices. Sourced after lib.sh. aoki sits at the host, kondo at the desk.
sealed_found() {
	export AZUKARI_HOUSE="$work/house" AZUKARI_KEY="$work/aoki.key"
	printf 'correct horse battery staple\n' >aoki.pass
	"$az" --json init --house "$AZUKARI_HOUSE" --officer aoki --officer kondo --key-out aoki.key --passphrase @7 >out 2>err 7<aoki.pass
	ok 'two officers found a sealed house'
	invitation=$(json .invitation)
	lock_up
	"$az" unlock --officer aoki --passphrase @7 >out 2>err 7<aoki.pass
	for _ in $(seq 200); do
		run status
		[ "$code" -ne 5 ] && break
		sleep 0.05
	done
	run device key --out desk.key
	run device add desk --public "$(cat out)"
	enrol kondo
	gives 0 'the second one enrols'
}
# Serves it, and waits until it waits for passphrases: its word comes once it listens.
lock_up() {
	: >serve.log
	"$az" serve 2>serve.log &
	server=$!
	for _ in $(seq 400); do
		grep -q 'the house is locked' serve.log && return
		sleep 0.05
	done
}
# Makes the key of who was invited with $invitation.
enrol() { # who
	code=0
	printf '%s\n' "$invitation" >code
	AZUKARI_DEVICE=$work/desk.key timeout -k 2 60 "$az" staff enrol --out "$1.key" --code @7 >out 2>err </dev/null 7<code || code=$?
}
at_desk() { # who, command …
	export AZUKARI_DEVICE="$work/desk.key"
	as "$@"
	unset AZUKARI_DEVICE
}
# aoki invites, kondo approves.
sealed_staff() { # who, role
	run --json invite "$1" --role "$2"
	number=$(json .request)
	invitation=$(json .code)
	at_desk kondo approve "$number"
	enrol "$1"
	gives 0 "$1 enrols"
}
