# What every scenario begins with: a folder of its own, and a few words. Sourced; prints TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
az=${AZUKARI:?the program under test}
work=$(mktemp -d)
export XDG_STATE_HOME="$work/state" TZ=UTC ASAN_OPTIONS=detect_leaks=0
unset AZUKARI_HOUSE AZUKARI_KEY
mkdir -p "$XDG_STATE_HOME"
cd "$work" || exit 1
server=
count=0
failed=0

finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

ok() { # what, with the result of the command before as $?
	result=$?
	count=$((count + 1))
	if [ "$result" -eq 0 ]; then
		echo "ok $count - $1"
	else
		failed=1
		echo "not ok $count - $1"
		sed 's/^/# out: /' out 2>/dev/null
		sed 's/^/# err: /' err 2>/dev/null
	fi
}
is() { # got, expected, what
	[ "$1" = "$2" ]
	ok "$3 (${1:-nothing})"
}
# Runs the program; its output in out and err, its exit code in $code.
run() {
	code=0
	timeout -k 2 60 "$az" "$@" >out 2>err </dev/null || code=$?
}
as() { # who, command…
	who=$1
	shift
	AZUKARI_KEY=$work/$who.key
	run "$@"
	AZUKARI_KEY=$work/aoki.key
}
gives() { # expected exit code, what
	[ "$code" -eq "$1" ]
	ok "$2 (exit $code)"
}
json() { jq -r "$1" out; }
skip_rest() {
	echo "1..0 # skipped: $1"
	exit 0
}
plan() {
	echo "1..$count"
	exit "$failed"
}

# A house with an officer, an agent, a supervisor, an investigator and a maintainer.
found() {
	export AZUKARI_HOUSE="$work/house" AZUKARI_KEY="$work/aoki.key"
	run init --house "$AZUKARI_HOUSE" --officer aoki --key-out "$AZUKARI_KEY" --unsealed
	gives 0 'a house is founded'
	for pair in ito:agent mori:supervisor sato:investigator kato:maintainer; do
		run staff add "${pair%:*}" --role "${pair#*:}" --key-out "${pair%:*}.key"
		gives 0 "${pair%:*} is added"
	done
}
serve() {
	"$az" serve 2>serve.log &
	server=$!
	# A transient one may still be there, and answer: it goes first.
	for _ in $(seq 200); do
		[ -n "$(pgrep -P "$server" -x azukari-keeper)" ] && run status && [ "$code" -eq 0 ] && return
		sleep 0.05
	done
}
stop() {
	kill "$server"
	wait "$server"
	code=$?
	server=
}
# Processes of the served house, by name.
child_of_server() { pgrep -P "$server" -x "$(printf %.15s "$1")"; }
# One byte of a file changed.
flip() { # file, offset
	byte=$(od -An -tu1 -j "$2" -N1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\$(printf '%03o' $(((byte + 1) % 256)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
