#!/bin/sh
# How the processes are shut in, seen from outside.
. "$(dirname "$0")/lib.sh"
found
serve
line() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
for name in azukari-keeper azukari-vault; do
	pid=$(child_of_server "$name")
	is "$(line "$pid" Seccomp)" 2 "$name: only listed system calls"
	is "$(line "$pid" NoNewPrivs)" 1 "$name: no new privileges"
	if [ "$(id -u)" -eq 0 ]; then
		[ "$(line "$pid" Uid | cut -f1)" -ne 0 ]
		ok "$name: a user of its own ($(line "$pid" Uid | cut -f1))"
		is "$(line "$pid" CapEff)" 0000000000000000 "$name: no capability"
	fi
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "$name " ]
	ok "$name: nothing in its arguments"
	[ -z "$(ls -l "/proc/$pid/fd" | grep -E '/secret/|aoki.key')" ]
	ok "$name: no descriptor of a secret's file"
done
if [ "$(id -u)" -eq 0 ]; then
	[ "$(line "$(child_of_server azukari-keeper)" Uid)" != "$(line "$(child_of_server azukari-vault)" Uid)" ]
	ok 'keeper and vault are two users'
fi
vault=$(child_of_server azukari-vault)
[ -z "$(ls -l "/proc/$vault/fd" | grep "$AZUKARI_HOUSE/keeper")" ]
ok 'the vault has nothing of the keeper open'
[ "$(ls -l "/proc/$vault/fd" | grep -c socket:)" -eq 1 ]
ok 'and one socket only'
plan
