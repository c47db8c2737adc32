#!/bin/sh
# Who may do what in a sealed house: every cell of the page. Started by root it runs as another user, as f_sealed.t does.
if [ "$(id -u)" -eq 0 ]; then
	setpriv --reuid=64399 --regid=64399 --clear-groups test -r "$0" -a -x "$AZUKARI" || {
		echo '1..0 # skipped: another user than root cannot read this folder'
		exit 0
	}
	exec setpriv --reuid=64399 --regid=64399 --clear-groups env HOME=/nonexistent sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sealed.sh"
. "$(dirname "$0")/roles.sh"
sealed_found
for pair in mori:supervisor ito:agent sato:investigator kato:maintainer spare:agent; do
	sealed_staff "${pair%:*}" "${pair#*:}"
done
unsealed=false
approver=kondo
at_desk_is=kondo
at_desk_try() {
	export AZUKARI_DEVICE="$work/desk.key"
	try "$@"
	unset AZUKARI_DEVICE
}
ask() {
	run --json "$@"
	at_desk kondo approve "$(json .request)"
	gives 0 "$1 $2"
}
second() { at_desk kondo "$@"; }
setup
table
run ledger verify
gives 0 'the ledger holds'
plan
