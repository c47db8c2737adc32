#!/bin/sh
# Every command has a manual page that is clean and names the options of its -h, and the other way about.
set -eu
cd "$(dirname "$0")/.."
az=${1:?the program}
failed=0
mandoc -Tlint -Wwarning man/*.[18] || failed=1
for command in $("$az" -h | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
	page=man/azukari-$command.1
	[ -f "$page" ] || { echo "manuals.sh: there is no $page" >&2; failed=1; continue; }
	"$az" "$command" -h | sed '/^example:/d' | grep -oE -- '--[a-z-]+' | sort -u >/tmp/azukari-help.$$
	# In mdoc an option --x is written "Fl -x".
	grep -oE 'Fl -[a-z-]+' "$page" | sed 's/Fl -/--/' | sort -u >/tmp/azukari-page.$$
	diff /tmp/azukari-help.$$ /tmp/azukari-page.$$ >&2 || { echo "manuals.sh: $page and $command -h differ" >&2; failed=1; }
	rm -f /tmp/azukari-help.$$ /tmp/azukari-page.$$
done
verify=$(dirname "$az")/../verify/azukari-verify
"$verify" -h | sed '/^example:/d' | grep -oE -- '--[a-z-]+' | sort -u >/tmp/azukari-help.$$
grep -oE 'Fl -[a-z-]+' man/azukari-verify.1 | sed 's/Fl -/--/' | sort -u >/tmp/azukari-page.$$
diff /tmp/azukari-help.$$ /tmp/azukari-page.$$ >&2 || { echo 'manuals.sh: azukari-verify.1 and its -h differ' >&2; failed=1; }
rm -f /tmp/azukari-help.$$ /tmp/azukari-page.$$
exit $failed
