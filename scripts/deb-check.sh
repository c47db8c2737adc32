#!/bin/sh
# Installs, upgrades, removes and purges the packages that `make deb` has built in the folder of a Debian 12 system, which is changed, and
# says what is left. deb-check.sh ROOT
set -u
root=${1:?the folder of a Debian system (debootstrap bookworm ROOT)}
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo 'deb-check.sh: root is needed' >&2; exit 1; }
count=0
failed=0
ok() {
	result=$?
	count=$((count + 1))
	[ "$result" -eq 0 ] || failed=1
	[ "$result" -eq 0 ] && echo "ok $count - $1" || echo "not ok $count - $1"
}
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"; }
mounted=
work=$(mktemp -d)
finish() {
	rm -rf "$work" "$root/usr/sbin/policy-rc.d"
	for place in $mounted; do umount "$place" || true; done
	rm -rf "$root/tmp/azukari-debs" "$root/tmp/azukari-try"
}
trap finish EXIT
trap 'exit 1' INT TERM
for place in proc sys dev; do
	if ! mountpoint -q "$root/$place"; then
		mount --bind "/$place" "$root/$place"
		mounted="$root/$place $mounted"
	fi
done
# No service of ours may run in the folder.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
packages='azukari azukari-guard azukari-verify'
in_root dpkg --purge $packages >/dev/null 2>&1 || true
# What they may have put there: what is called so, and anything in /etc.
files() { (cd "$root" && find etc usr var/lib lib/systemd -path 'var/lib/dpkg/*' -prune -o \( -path 'etc/*' -o -name '*azukari*' \) -print 2>/dev/null | sort); }
files >"$work"/before

mkdir -p "$root/tmp/azukari-debs"
cp build-deb/*.deb "$root/tmp/azukari-debs/"
in_root sh -c 'dpkg -i /tmp/azukari-debs/*.deb || apt-get install -y -q -f' >"$work"/install.log 2>&1
ok 'they are installed'
in_root dpkg -s $packages 2>/dev/null | grep -c '^Status: install ok installed' | grep -qx 3
ok 'all three'
for name in keeper vault intake scanner; do
	in_root getent passwd "azukari-$name" | grep -q ':/nonexistent:/usr/sbin/nologin$'
	ok "azukari-$name is a user who cannot sign in"
done
[ ! -e "$root/etc/systemd/system/sysinit.target.wants/azukari-guard.service" ] &&
	[ ! -e "$root/etc/systemd/system/multi-user.target.wants/azukari.service" ] &&
	[ ! -e "$root/etc/systemd/system/multi-user.target.wants/azukari-forward.service" ]
ok 'no service is enabled'
in_root sh -c 'for unit in azukari azukari-guard azukari-forward; do systemd-analyze verify /lib/systemd/system/$unit.service; done' \
	>"$work"/verify.log 2>&1
# A small system has no manuals, and says so of each that a unit names.
! grep -v "Command 'man " "$work"/verify.log
ok 'the units are well-formed'
in_root sh -c '
	set -e
	mkdir -p /tmp/azukari-try && cd /tmp/azukari-try && export HOME=/tmp/azukari-try AZUKARI_HOUSE=h AZUKARI_KEY=k
	azukari init --house h --officer aoki --key-out k --unsealed
	azukari client add c01 --name X
	azukari client list | grep -q c01
	azukari status
	azukari-guard --version
	azukari-verify --version
	man -w azukari azukari-guard azukari-verify || test ! -x /usr/bin/man' >"$work"/try.log 2>&1
ok 'a house is founded with what was installed'
echo 'AZUKARI_GUARD_OPTIONS="--connect /run/x"' >"$root/etc/default/azukari-guard"
# The next release: the same, called so.
for deb in "$root"/tmp/azukari-debs/*.deb; do
	rm -rf "$root/tmp/azukari-debs/next"
	dpkg-deb -R "$deb" "$root/tmp/azukari-debs/next"
	sed -i 's/^\(Version: .*\)-1$/\1-2/' "$root/tmp/azukari-debs/next/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$root/tmp/azukari-debs/next" "$deb" >/dev/null
done
rm -rf "$root/tmp/azukari-debs/next"
in_root sh -c 'dpkg -i /tmp/azukari-debs/*.deb' >"$work"/upgrade.log 2>&1 </dev/null
ok 'an upgrade'
in_root dpkg-query -W -f='${Version}\n' $packages | grep -c -- '-2$' | grep -qx 3
ok 'to the next release'
grep -q /run/x "$root/etc/default/azukari-guard"
ok 'keeps what was configured'
in_root sh -c 'cd /tmp/azukari-try && HOME=/tmp/azukari-try azukari --house h --key k ledger verify' >"$work"/try2.log 2>&1
ok 'and the house is whole'
mkdir -p "$root/var/lib/azukari/house"
: >"$root/var/lib/azukari/house/house"
in_root dpkg --remove $packages >"$work"/remove.log 2>&1
ok 'they are removed'
[ ! -e "$root/usr/bin/azukari" ] && [ ! -e "$root/usr/sbin/azukari-guard" ] && [ -e "$root/etc/default/azukari-guard" ]
ok 'but for what was configured'
in_root dpkg --purge $packages >"$work"/purge.log 2>&1
ok 'and purged'
[ -e "$root/var/lib/azukari/house/house" ]
ok 'which removes no house'
rm -r "$root/var/lib/azukari"
files | diff "$work"/before - | grep '^[<>]' | grep -vE 'etc/(passwd|group|g?shadow|subuid|subgid)-?$|cache|__pycache__' >"$work"/left || true
[ ! -s "$work"/left ]
ok 'and leaves nothing else'
cat "$work"/left
echo "1..$count"
exit "$failed"
