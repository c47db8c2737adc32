#!/bin/sh
# Who may do what in an unsealed house: every cell of the page.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/roles.sh"
found
run staff add spare --role agent --public "$(key)"
run staff key --out second.key --name second
run staff add second --role officer --public "$(cat out)"
serve
unsealed=true
approver=aoki
ask() {
	run "$@"
	gives 0 "$1 $2"
}
# What an investigator or supervisor asked, the first officer approves.
second() { run "$@"; }
setup
table
apart
run ledger verify
gives 0 'the ledger holds'
plan
