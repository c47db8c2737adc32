#!/bin/sh
# Changing, removing, ageing and stealing what lies on the disk.
. "$(dirname "$0")/lib.sh"
found
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone,email --roles agent --until 2030-12-31
cat >list.csv <<'END'
number,name,kana,birth,sex,postcode,address,phone,mobile,email,note,x:ward
planted-number-1,planted name one,planted kana one,1980-03-04,planted sex one,planted postcode,planted address one,03-1234-567890,090-1111-222233,planted.one@example.jp,planted note one,planted ward one
planted-number-2,planted name two,planted kana two,1981-03-04,planted sex two,planted postcode,planted address two,03-1234-567891,090-1111-222244,planted.two@example.jp,planted note two,planted ward two
END
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is there'
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry --call planted-call-reference "$@"; }
see --by number=planted-number-1
is "$(json .fields.name)" 'planted name one' 'and somebody of it is seen'

# The house at rest, nobody serving it.
rest() {
	for _ in $(seq 100); do
		pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || return
		sleep 0.1
	done
}
rest
planted='planted|0312345678|03-1234-5678|0901111222|090-1111-222'
found_in() { LC_ALL=C grep -araElq "$planted" "$1"; }
! found_in "$AZUKARI_HOUSE"
ok 'no planted value is in any file of the house (I4)'

# Killed in the middle of its work, with core files allowed.
ulimit -c unlimited 2>/dev/null || true
serve
see --by number=planted-number-2
kill -SEGV "$(child_of_server azukari-keeper)"
sleep 1
see --by number=planted-number-2
gives 0 'after a crash that would leave a core file it goes on'
kill -9 "$(child_of_server azukari-keeper)" "$(child_of_server azukari-vault)"
sleep 0.5
kill "$server" 2>/dev/null
wait "$server" 2>/dev/null
server=
! found_in "$AZUKARI_HOUSE"
ok 'nor after kill -9 of keeper and vault (I4)'
[ -z "$(find . /tmp /var/crash /var/lib/systemd/coredump -maxdepth 2 -name 'core*' -type f -newer list.csv 2>/dev/null)" ]
ok 'and there is no core file'
see --by number=planted-number-1
gives 0 'what was there is there (I8)'
run --json ledger query --client c01 --max 100
is "$(json '[.entries[] | select(.type == "disclosed")] | length')" 4 'each disclosure has its entry (I1, I8)'
is "$(json '[.entries[] | select(.type == "disclosed") | [.staff, .device, .purpose, .reason, .basis] | join(" ")] | unique | join(",")')" \
	'ito host checkup enquiry inbound-match' 'which names human, device, purpose, reason and basis (I2)'
rest

# Every file of the ledger, one byte changed: found when it is verified, or the house does not start.
cp -a "$AZUKARI_HOUSE" whole
again() { rm -rf "$AZUKARI_HOUSE"; cp -a whole "$AZUKARI_HOUSE"; }
again
for file in $(cd whole/keeper/ledger && find . -type f \( -path './log-*' -o -name state -o -name 'wal-*' \) | sort); do
	size=$(wc -c <"whole/keeper/ledger/$file")
	[ "$size" -gt 40 ] || continue
	place=$((size / 2))
	case $file in
	*/wal-*) place=4200 ;; # inside the first batch: the rest of a segment is empty
	esac
	flip "$AZUKARI_HOUSE/keeper/ledger/$file" "$place"
	run ledger verify
	gives 4 "a byte of $file is changed (I5)"
	rest
	again
done
rm "$AZUKARI_HOUSE"/keeper/ledger/log-00000001/entries
run ledger verify
gives 4 'the entries of a log are removed (I5)'
rest
again
rm -r "$AZUKARI_HOUSE"/keeper/ledger/log-00000001
run ledger verify
[ "$code" -eq 4 ]
ok "a whole log is removed (I5, exit $code)"
rest
again

# Older parts in the place of newer ones. What the front has seen of other copies is forgotten first.
forget() { rm -rf "$XDG_STATE_HOME"; mkdir -p "$XDG_STATE_HOME"; }
forget
run staff add nagai --role agent --key-out nagai.key
gives 0 'somebody is added'
rest
cp -a "$AZUKARI_HOUSE" newer
again
run status
gives 4 'an older house in its place is refused by a front that saw the newer (I5)'
rest
rm -rf "$AZUKARI_HOUSE"
cp -a newer "$AZUKARI_HOUSE"
cp -p whole/keeper/house.db* "$AZUKARI_HOUSE/keeper/"
run --json status
[ "$code" -eq 4 ] || [ "$(json .staff)" = 6 ]
ok "an older house.db is refused, or replayed to the newest (exit $code)"
rest
rm -rf "$AZUKARI_HOUSE"
cp -a newer "$AZUKARI_HOUSE"
forget
as mori entrust --client c01 --purpose checkup --as-of 2026-05-01 list.csv
gives 0 'a second list'
rest
cp -p newer/keeper/ring "$AZUKARI_HOUSE/keeper/ring"
run status
gives 4 'an older key ring is refused'
rest

# A vault that lies: emptied, or put back to before the second list.
rm -rf "$AZUKARI_HOUSE"
cp -a newer "$AZUKARI_HOUSE"
forget
rm -f "$AZUKARI_HOUSE"/vault/*
see --by number=planted-number-1
gives 4 'an emptied vault: withheld (I6)'
see --by email=planted.one@example.jp
gives 4 'also where it would have to show that nobody is there (I6)'
! grep -q 'planted name' out
ok 'and no field'
run --json ledger query --client c01 --max 2
is "$(json '.entries[0].type')" withheld 'which is an entry'
rest
rm -rf "$AZUKARI_HOUSE"
cp -a newer "$AZUKARI_HOUSE"
forget
sed 's/planted name one/changed name one/' list.csv >changed.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-01 changed.csv
is "$(json .new_versions)" 1 'a newer version'
rest
cp -p newer/vault/* "$AZUKARI_HOUSE/vault/"
see --by number=planted-number-1
gives 4 'a vault put back to before it: withheld, not shown as it was (I6)'
! grep -q 'planted name' out
ok 'and no field'
rest

# Stolen.
mv "$AZUKARI_HOUSE/secret" secret
run serve
[ "$code" -ne 0 ]
ok "without secret/ it opens for nobody (exit $code)"
mkdir "$AZUKARI_HOUSE/secret"
run init --house other --officer aoki --key-out other.key --unsealed
cp other/secret/* "$AZUKARI_HOUSE/secret/"
run serve
gives 4 'nor with the secrets of another house'
plan
