# Every cell of docs/roles.md: each role tries each command, and what must be asked is done only once it is approved. Sourced by
# f_roles.t and f_roles_sealed.t, which found the house and define second: an officer who approves, at a device of their own.
page=$here/../../docs/roles.md
setup() {
	ask client add c01 --name 'City of Example'
	ask purpose add c01/p --fields number,name,phone --roles agent,supervisor --until 2030-12-31
	printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n2,Bob Ray,090-1111-2222\n' >list.csv
	as mori entrust --client c01 --purpose p --as-of 2026-04-01 list.csv
	gives 0 'a list is there'
	ask device add guarded --public "$(key)"
	ask device guard guarded --public "$(key)"
	echo 'time,staff,device,client,number,fields,kind,carrier
2024-05-01T09:30:00+09:00,ito,pc-7,c01,1,name,view,s-100' >past.csv
	until=$(date -u -d '+30 days' +%F)
	run client recipient
	recipient=$(grep -o 'age1[0-9a-z]*' out)
	printf '1\n' >seven
	printf '0312345678\n' >eight
	printf 'some long passphrase\n' >nine
	new=0
}
key() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
# As somebody, with values on descriptors 7 and 8, a passphrase on 9.
try() { # who, command …
	code=0
	who=$1
	shift
	AZUKARI_KEY=$work/$who.key timeout -k 2 60 "$az" --json "$@" >out 2>err </dev/null 7<seven 8<eight 9<nine || code=$?
}
# A command of the page, with its words in capitals filled in.
fill() { # who, command
	colleague=mori
	[ "$1" = mori ] && colleague=ito
	case $2 in
	*REQUEST*)
		# A request that waits, of somebody else.
		AZUKARI_KEY=$work/mori.key "$az" --json client add "r$new" --name Waits >asked 2>/dev/null
		request=$(jq .request asked)
		;;
	*) request=0 ;;
	esac
	echo "$2" | sed "s/NEW/n$new/; s/KEY/$(key)/; s/COLLEAGUE/$colleague/; s/RECIPIENT/$recipient/; s/UNTIL/$until/; s/REQUEST/$request/"
}
newest() { # how many: their types, the newest first, but for who came and went, and for the guard that is not heard
	AZUKARI_KEY=$work/aoki.key "$az" --json ledger query --max 12 2>/dev/null |
		jq -r '[.entries[] | select(.type | IN("signed-in", "signed-out", "queried", "alarm") | not) | .type][:'"$1"'] | join(" ")'
}
cell() { # verb, role, who, cell, command
	verb=$1 role=$2 name=$3 cell=$4
	new=$((new + 1))
	line=$(fill "$name" "$5")
	# shellcheck disable=SC2086
	[ "$verb" = approve ] && [ "$role" = officer ] && name=$approver
	# shellcheck disable=SC2086
	if [ "$name" = "${at_desk_is:-}" ]; then at_desk_try "$name" $line; else try "$name" $line; fi
	case $cell in
	–)
		gives 3 "$verb: refused for $role"
		[ "$(newest 1)" = refused ]
		ok "$verb: $role: and the refusal is an entry (I2)"
		;;
	yes)
		[ "$code" -ne 3 ] && [ "$code" -ne 2 ] && [ "$(json '.approved // true')" = true ]
		ok "$verb: $role may (exit $code)"
		;;
	ask) asked ;;
	*) false && ok "a cell that is none: $cell" ;;
	esac
}
# What was tried must have been asked, unless the house is unsealed and an officer asked.
asked() {
	if [ "$unsealed" = true ] && [ "$role" = officer ]; then
		is "$code$(json .approved)" 0true "$verb: an officer of an unsealed house approves by asking"
		newest 2 | grep -qw approved
		ok "$verb: with both entries"
		return
	fi
	is "$code$(json .approved)" 0false "$verb: $role asks"
	request=$(json .request)
	is "$(newest 1)" asked "$verb: $role: nothing is done by that (I7)"
	try "$name" approve "$request"
	gives 3 "$verb: $role: who asked does not approve it (I7)"
	second approve "$request"
	gives 0 "$verb: $role: somebody else does, and it is done"
	newest 2 | grep -qw approval
	ok "$verb: $role: with both entries"
	second approve "$request"
	gives 3 "$verb: $role: once (I7)"
}
# What can be done in no such house; the page says where it is tried.
elsewhere() { # verb, role
	case $1:$2 in
	'key slots:officer') [ "$unsealed" = true ] ;;
	'declare loss:officer') true ;;
	*) false ;;
	esac
}
table() {
	rows=0
	untried=
	while IFS='|' read -r _ verb agent supervisor officer investigator maintainer command _; do
		verb=$(echo $verb)
		command=$(echo "$command" | sed 's/^ *`//; s/` *$//; s/^ *$//')
		case $verb in Verb | ---* | '') continue ;; esac
		rows=$((rows + 1))
		[ -n "$command" ] || untried="$untried $verb"
		[ -n "$command" ] || continue
		for pair in "agent ito $agent" "supervisor mori $supervisor" "officer aoki $officer" \
			"investigator sato $investigator" "maintainer kato $maintainer"; do
			# shellcheck disable=SC2086
			set -- $pair
			elsewhere "$verb" "$1" && continue
			cell "$verb" "$1" "$2" "$3" "$command"
		done
	done <<-END
		$(sed -n '/^| Verb /,/^$/p' "$page")
	END
	is "$rows" "$(sed '/^## /,$d' "$page" | grep -c '^| [a-z]')" 'all rows of the table'
	is "$untried" ' guard' 'each by a command, but for what no command does'
}
# Every command is in the table, or by the operating system's right.
apart() {
	{
		sed -n '/^| Verb /,/^$/s/.*| `\([a-z-]*\)[^|]*` |$/\1/p' "$page"
		sed -n '/^| Command /,/^$/s/^| \([^|]*\) |.*/\1/p' "$page" | tr ',' '\n' | sed 's/^ *//; s/ .*//'
		echo ask
	} | sort -u >known
	"$az" -h | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort -u >commands
	is "$(comm -23 commands known | tr '\n' ' ')" '' 'no command is left out'
}
