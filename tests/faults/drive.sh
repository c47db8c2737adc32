#!/bin/bash
# Lists and disclosures with a fault at every write, flush, message and allocation of every process, or at a
# sample of them; after each the house must be whole.
#
#	drive.sh POINTS     that many points in all, spread by a seed (FAULTS_SEED); 0 for every one: each write,
#	                    flush and message, and of the allocations the first of each call path (with
#	                    FAULTS_ALLOCATIONS=all each single one, which takes many hours)
#
# After each fault, without faults: the house starts; what was acknowledged before is there; the list that was on
# its way is wholly there (and is, if its command said so) or wholly absent, and then goes in; vault, catalogue and
# ring hold exactly the ledger's lists; every disclosure that was shown has its entry; the ledger verifies.
set -u
az=$AZUKARI shim=$AZUKARI_SHIM inspect=$AZUKARI_INSPECT
points=$1
RANDOM=${FAULTS_SEED:-20261}
rows=300
tmp=/dev/shm
[ -w "$tmp" ] && [ "$(df --output=avail -k "$tmp" | tail -1)" -gt 600000 ] || tmp=${TMPDIR:-/tmp}
work=$(mktemp -d "$tmp/azukari-faults-XXXXXX")
chmod 755 "$work"
# Where the house's own users can load it from.
cp "$shim" "$work/shim.so"
chmod 755 "$work/shim.so"
shim=$work/shim.so
trap 'pkill -9 -f "$work/" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export TZ=UTC
unset AZUKARI_HOUSE AZUKARI_KEY

list() { # first number: rows, each with a telephone of its own
	echo 'number,name,birth,phone,email'
	for i in $(seq "$1" $(($1 + rows - 1))); do
		printf 'n%d,Person %d,1980-01-01,03%08d,p%d@example.jp\n' "$i" "$i" "$i" "$i"
	done
}
phone() { printf '03%08d' "$1"; }

# --- a house with one list ------------------------------------------------------------------------
base=$work/base
mkdir -p "$base/state"
list 1 >"$work/one.csv"
list 10001 >"$work/two.csv"
(
	export XDG_STATE_HOME=$base/state AZUKARI_HOUSE=$base/house AZUKARI_KEY=$base/aoki.key
	"$az" init --house "$AZUKARI_HOUSE" --officer aoki --key-out "$AZUKARI_KEY" --unsealed &&
		"$az" client add c01 --name Client &&
		"$az" purpose add c01/p --fields name,phone --roles agent --until 2099-01-01 &&
		"$az" staff add mori --role supervisor --key-out "$base/mori.key" &&
		"$az" staff add ito --role agent --key-out "$base/ito.key" &&
		"$az" --key "$base/mori.key" entrust --client c01 --purpose p --as-of 2026-01-01 "$work/one.csv"
) >"$work/setup.log" 2>&1 || { cat "$work/setup.log"; exit 1; }
while pgrep -f "$base/house serve" >/dev/null; do sleep 0.1; done

# --- one point ------------------------------------------------------------------------------------
# scenario, role, kind, number, what
point() {
	scenario=$1 role=$2 kind=$3 number=$4 what=$5
	dir=$work/$BASHPID
	name="$scenario $role $kind $number $what"
	rm -rf "$dir"
	cp -a "$base" "$dir"
	house=$dir/house
	export XDG_STATE_HOME=$dir/state AZUKARI_HOUSE=$house AZUKARI_KEY=$dir/aoki.key
	head -c 1M /dev/zero >"$dir/shared"
	chmod 666 "$dir/shared"
	case $scenario in
	entrust) set -- --key "$dir/mori.key" entrust --client c01 --purpose p --as-of 2026-02-01 "$work/two.csv" ;;
	disclose) set -- --key "$dir/ito.key" --json disclose --client c01 --purpose p --by "phone=$(phone 7)" --reason enquiry --call 1 ;;
	esac
	code=0
	AZ_FAULTS="$dir/shared:$role:$kind:$number:$what" LD_PRELOAD=$shim \
		timeout -k 1 40 "$az" "$@" >"$dir/out" 2>"$dir/err" </dev/null || code=$?
	if [ "$number" -eq 0 ]; then
		# Counted: the processes go on for a second after the command, so they are waited for.
		while pgrep -f "$house serve" >/dev/null; do sleep 0.05; done
		if [ "$kind" = io ]; then place=8; else place=16; fi
		od -An -tu8 -j "$place" -N8 "$dir/shared" | tr -d ' '
		# The numbers of the paths stand behind the table of their hashes.
		[ "$kind" = io ] || od -An -v -tu8 -w8 -j $((32 + 32768 * 8)) -N $((32768 * 8)) "$dir/shared" |
			tr -d ' ' | grep -v '^0$' >"$work/paths"
		rm -rf "$dir"
		return 0
	fi
	pkill -9 -f "$house serve"
	check "$code"
	result=$?
	pkill -9 -f "$house serve"
	[ $result -eq 0 ] && rm -rf "$dir"
	return $result
}
wrong() {
	echo "FAULT: $name (exit $code): $*"
	sed 's/^/  /' "$dir/out" "$dir/err" "$dir/check" 2>/dev/null | head -20
	return 1
}
say() { timeout -k 1 40 "$az" "$@" >"$dir/check" 2>&1 </dev/null; }
number_of() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$dir/check" | head -1; }
sees() { say --key "$dir/ito.key" --json disclose --client c01 --purpose p --by "phone=$(phone "$1")" --reason enquiry; }

check() {
	[ "$1" -ne 124 ] && [ "$1" -ne 137 ] || { wrong 'the command hangs'; return 1; }
	say --json status || { wrong 'the house does not start'; return 1; }
	lists=$(number_of consignments)
	sees 7 || { wrong 'somebody of the first list is not there'; return 1; }
	if [ "$scenario" = entrust ]; then
		[ "$1" -ne 0 ] || [ "$lists" -eq 2 ] || { wrong 'an acknowledged list is gone'; return 1; }
		if [ "$lists" -eq 1 ]; then
			sees 10001
			[ $? -eq 1 ] || { wrong 'something of an absent list is seen'; return 1; }
			say --key "$dir/mori.key" --json entrust --client c01 --purpose p --as-of 2026-02-01 "$work/two.csv" ||
				{ wrong 'the list does not go in afterwards'; return 1; }
			[ "$(number_of accepted) $(number_of new_records)" = "$rows $rows" ] ||
				{ wrong 'the list goes in with other counts'; return 1; }
		fi
		for i in 10001 10150 10300; do
			sees $i || { wrong "person $i of the list is not there"; return 1; }
		done
		lists=2
	else
		shown=$(grep -c '"fields"' "$dir/out")
		say --json ledger query --client c01 --max 100 || { wrong 'the ledger cannot be asked'; return 1; }
		[ "$(grep -c '"type": "disclosed"' "$dir/check")" -ge $((shown + 1)) ] ||
			{ wrong 'a disclosure was shown without its entry'; return 1; }
	fi
	say ledger verify || { wrong 'the ledger does not verify'; return 1; }
	pkill -9 -f "$house serve"
	while pgrep -f "$house serve" >/dev/null; do sleep 0.02; done
	"$inspect" "$house" >"$dir/check" 2>&1
	[ "$(cat "$dir/check")" = "vault $lists catalogue $lists ring $lists" ] || { wrong 'orphans'; return 1; }
	return 0
}

# --- which points ---------------------------------------------------------------------------------
# scenario, role, kind, what, share of the points in a thousand
plan='entrust azukari-keeper io kill 330
entrust azukari-vault io kill 130
entrust azukari-intake io kill 40
entrust azukari-keeper io fail 80
entrust azukari-vault io fail 40
entrust azukari-keeper io full 50
entrust azukari-vault io full 30
entrust azukari-keeper alloc fail 100
entrust azukari-vault alloc fail 30
entrust azukari-intake alloc fail 20
disclose azukari-keeper io kill 70
disclose azukari-vault io kill 20
disclose azukari-keeper io fail 20
disclose azukari-keeper alloc fail 40'

: >"$work/points"
while read -r scenario role kind what share; do
	total=$(point "$scenario" "$role" "$kind" 0 kill)
	[ "${total:-0}" -gt 0 ] || { echo "nothing counted: $scenario $role $kind"; exit 1; }
	wanted=$((points * share / 1000))
	if [ "$points" -eq 0 ] || [ "$wanted" -ge "$total" ]; then
		numbers=$(seq "$total")
		[ "$kind" = io ] || [ "${FAULTS_ALLOCATIONS:-paths}" = all ] || numbers=$(cat "$work/paths")
	else
		numbers=$(for i in $(seq "$wanted"); do echo $((1 + (i - 1) * total / wanted + RANDOM * total / wanted / 32768)); done)
	fi
	for number in $numbers; do echo "$scenario $role $kind $number $what" >>"$work/points"; done
	echo "$scenario, $role, $kind, $what: $(echo "$numbers" | wc -w) of $total points"
done <<<"$plan"

# --- two at a time --------------------------------------------------------------------------------
run_half() {
	bad=0
	while read -r scenario role kind number what; do
		(point "$scenario" "$role" "$kind" "$number" "$what") || bad=$((bad + 1))
	done
	return $((bad > 255 ? 255 : bad))
}
awk 'NR % 2 == 1' "$work/points" | run_half &
first=$!
awk 'NR % 2 == 0' "$work/points" | run_half
bad=$?
wait "$first"
bad=$((bad + $?))
echo "$(wc -l <"$work/points") points, $bad failed"
[ "$bad" -eq 0 ]
