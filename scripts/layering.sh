#!/bin/sh
# The folders are the architecture: checks which folder may include which, and which folders each
# binary links. The table is the one in ARCHITECTURE.md.
set -eu
cd "$(dirname "$0")/.."

allowed() {
	case $1 in
	base) echo base ;;
	crypto) echo crypto base ;;
	text) echo text base proto ;;
	proto) echo proto base ;;
	match) echo match base proto ;;
	kv) echo kv base ;;
	store) echo store base kv proto ;;
	ledger | catalogue | people | policy | state | trace) echo "$1" base crypto kv match proto ;;
	scan) echo scan base proto ;;
	custody) echo custody base crypto match proto catalogue ledger people policy state trace ;;
	keeper) echo keeper base crypto proto ledger custody ;;
	vault) echo vault base kv proto store ;;
	intake) echo intake base text match proto ;;
	attribute) echo attribute base proto trace ;;
	channel) echo channel base crypto proto ;;
	guard) echo guard base crypto proto channel ;;
	# Of the ledger only what ledger_pure holds: the linker sees to it.
	verify) echo verify base crypto proto ledger ;;
	cli) echo cli channel base crypto text match proto scan ledger ;;
	*) echo "layering.sh: unknown folder src/$1" >&2; return 1 ;;
	esac
}

failed=0
for folder in $(find src -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort); do
	may=" $(allowed "$folder") "
	for file in $(find "src/$folder" -name '*.[ch]'); do
		for used in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$file" | sort -u); do
			case $may in
			*" $used "*) ;;
			*)
				echo "layering.sh: $file includes from src/$used; src/$folder may use:$may" >&2
				failed=1
				;;
			esac
		done
		# An _internal header is for its own folder only.
		for used in $(sed -n 's|^#include "\([a-z]*/[a-z_]*_internal.h\)"|\1|p' "$file"); do
			case $used in
			"$folder"/*) ;;
			*)
				echo "layering.sh: $file includes $used" >&2
				failed=1
				;;
			esac
		done
	done
done
exit $failed
