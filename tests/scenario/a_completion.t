#!/bin/sh
# Completion names every command and every option of each -h.
. "$(dirname "$0")/lib.sh"
completion=$here/../../completion/azukari.bash
complete_words() { # the line so far, the last word being completed
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _azukari; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$completion" "$@"
}
run -h
for command in $(sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' out); do
	complete_words azukari '' | grep -qx "$command"
	ok "$command is offered"
	"$az" "$command" -h | sed '/^example:/d' | grep -oE -- '--[a-z-]+' | sort -u >wanted
	[ "$command" = serve ] && continue
	{
		complete_words azukari "$command" ''
		for sub in add allow make slots give backup role open list close end enrol rekey extend key retire review verify query checkpoint proof export cosign; do complete_words azukari "$command" "$sub" ''; done
	} | grep -e '^--' | sort -u >offered
	[ -z "$(comm -23 wanted offered)" ]
	ok "and its options ($(wc -l <wanted))"
done
complete_words azukari disclose --reason enq | grep -qx enquiry
ok 'codes of reasons'
verify=${AZUKARI_VERIFY:?the program under test}
verify_words() {
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _azukari_verify; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$here/../../completion/azukari-verify.bash" "$@"
}
"$verify" -h | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' >commands
while read -r command; do
	verify_words azukari-verify '' | grep -qx "$command"
	ok "azukari-verify $command is offered"
	"$verify" -h | sed -n "/^  $command /{p;n;/^      \[/p}" | grep -oE -- '--[a-z-]+' | sort -u >wanted
	verify_words azukari-verify "$command" '' | grep -e '^--' | sort -u >offered
	[ -s wanted ] && cmp -s wanted offered
	ok "and its options ($(wc -l <wanted))"
done <commands
plan
