#!/usr/bin/env python3
"""azukari-guard on a real kernel with emulated USB devices, in QEMU without hardware help (TCG).

usb_qemu.py FOLDER PROGRAM…: the guard and what a house needs; FOLDER keeps Debian's kernel between runs. Prints TAP; skipped where QEMU
or the kernel cannot be had."""
import glob, json, os, re, shutil, socket, subprocess, sys, tempfile, time

MODULES = ('xhci-pci', 'usbhid', 'hid-generic', 'evdev', 'sd_mod', 'usb-storage', 'uas', 'vfat', 'nls_cp437', 'nls_ascii')
INIT = '''#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mkdir -p /run /var/lib; for module in $(cat /modules); do insmod /lib/modules/$module || echo "module $module"; done
stty -echo raw </dev/ttyS0
exec </dev/ttyS0 >/dev/ttyS0 2>&1
echo READY
while read -r line; do eval "$line"; echo "END-$?"; done
'''


def skip(reason):
    print('1..0 # skipped: ' + reason)
    sys.exit(0)


def kernel_of(folder):
    """The folder of an unpacked kernel package, fetched by apt if it is not there."""
    if not glob.glob(folder + '/boot/vmlinuz-*'):
        os.makedirs(folder, exist_ok=True)
        depends = subprocess.run(['apt-cache', 'depends', 'linux-image-amd64'], stdout=subprocess.PIPE, text=True).stdout
        names = re.findall(r'Depends: (linux-image-\S+)', depends)
        if not names or subprocess.run(['apt-get', 'download', '-q', names[0]], cwd=folder, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL).returncode != 0:
            skip('the kernel package cannot be fetched')
        for package in glob.glob(folder + '/*.deb'):
            subprocess.run(['dpkg-deb', '-x', package, folder], check=True)
            os.remove(package)
    return folder


def modules_of(kernel):
    """The files of MODULES and what they need, in an order in which they load."""
    version = os.path.basename(glob.glob(kernel + '/lib/modules/*')[0])
    table = kernel + '/lib/modules/' + version + '/modules.dep'
    if not os.path.exists(table):
        subprocess.run(['depmod', '-b', kernel, version], check=True, stderr=subprocess.DEVNULL)
    needs = {}
    with open(table) as lines:
        for line in lines:
            name, _, rest = line.partition(':')
            needs[name.strip()] = rest.split()
    files = {os.path.basename(name).split('.ko')[0].replace('_', '-'): name for name in needs}
    order = []

    def add(name):
        for need in reversed(needs[name]):
            if need not in order:
                add(need)
        if name not in order:
            order.append(name)

    # What the kernel asks for by alias: checksums of blocks.
    for module in ('crct10dif_generic', 'crc64-rocksoft_generic') + MODULES:
        name = files.get(module.replace('_', '-'))
        if name is not None:
            add(name)
    return [kernel + '/lib/modules/' + version + '/' + name for name in order]


def libraries_of(program):
    listing = subprocess.run(['ldd', program], stdout=subprocess.PIPE, text=True).stdout
    return re.findall(r'(/\S+) \(0x', listing)


def initramfs(work, kernel, programs):
    root = work + '/root'
    for folder in ('bin', 'lib/modules', 'proc', 'sys', 'dev', 'tmp', 'etc'):
        os.makedirs(root + '/' + folder)
    shutil.copy(shutil.which('busybox'), root + '/bin/busybox')
    modules = modules_of(kernel)
    for module in modules:
        shutil.copy(module, root + '/lib/modules/')
    with open(root + '/modules', 'w') as file:
        file.write('\n'.join(os.path.basename(module) for module in modules))
    for program in programs:
        shutil.copy(program, root + '/bin/')
        for library in libraries_of(program):
            os.makedirs(root + os.path.dirname(library), exist_ok=True)
            shutil.copy(library, root + library)
    # What intake needs to read lists: converters of the C library, which no listing of libraries names.
    for converter in glob.glob('/usr/lib/*/gconv/*'):
        if re.search('gconv-modules|JIS|JP|932|UTF-16', converter) and os.path.isfile(converter):
            os.makedirs(root + os.path.dirname(converter), exist_ok=True)
            shutil.copy(converter, root + converter)
    with open(root + '/init', 'w') as file:
        file.write(INIT)
    os.chmod(root + '/init', 0o755)
    image = work + '/initramfs'
    with open(image, 'wb') as file:
        find = subprocess.Popen(['find', '.'], cwd=root, stdout=subprocess.PIPE)
        subprocess.run(['cpio', '-o', '-H', 'newc', '--quiet'], cwd=root, stdin=find.stdout, stdout=file, check=True)
    return image


class Machine:
    def __init__(self, work, kernel, image, devices=()):
        self.serial = self.listen(work + '/serial')
        self.monitor = self.listen(work + '/monitor')
        command = ['qemu-system-x86_64', '-accel', 'tcg', '-M', 'pc', '-cpu', 'max', '-m', '1024', '-display', 'none', '-nodefaults',
                   '-no-reboot', '-kernel', glob.glob(kernel + '/boot/vmlinuz-*')[0], '-initrd', image,
                   '-append', 'quiet console=ttyS1 panic=-1 lsm=landlock', '-device', 'qemu-xhci,id=xhci,p2=8,p3=8',
                   '-chardev', 'socket,id=s,path=' + work + '/serial', '-serial', 'chardev:s',
                   '-serial', 'file:' + work + '/console', '-qmp', 'unix:' + work + '/monitor']
        for device in devices:
            command += device
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.serial = self.accept(self.serial)
        self.monitor = self.accept(self.monitor).makefile('rw')
        self.monitor.readline()
        self.qmp('qmp_capabilities')
        self.buffer = b''
        self.until(b'READY', 120)

    @staticmethod
    def listen(path):
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(1)
        server.settimeout(30)
        return server

    @staticmethod
    def accept(server):
        return server.accept()[0]

    def qmp(self, command, **arguments):
        self.monitor.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.monitor.flush()
        while True:
            line = self.monitor.readline()
            if not line:
                raise Ended('the machine has ended')
            answer = json.loads(line)
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise RuntimeError(answer['error']['desc'])

    def until(self, mark, seconds):
        self.serial.settimeout(seconds)
        while mark not in self.buffer:
            try:
                part = self.serial.recv(4096)
            except ConnectionResetError:
                part = b''
            if not part:
                raise Ended('the machine has ended')
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(mark)
        return text.decode(errors='replace')

    def run(self, command, seconds=60):
        """What a command in the machine prints, and its exit code."""
        self.serial.sendall(command.encode() + b'\n')
        text = self.until(b'END-', seconds)
        return text.strip(), int(self.until(b'\n', seconds))

    def plug(self, driver, **arguments):
        self.qmp('device_add', driver=driver, bus=arguments.pop('bus', 'xhci.0'), **arguments)

    def unplug(self, name):
        self.qmp('device_del', id=name)

    def drive(self, name, path):
        self.qmp('blockdev-add', **{'node-name': name, 'driver': 'raw', 'file': {'driver': 'file', 'filename': path}})

    def wait(self, command, seconds=15):
        """Whether the command comes to succeed."""
        end = time.time() + seconds
        while time.time() < end:
            if self.run(command)[1] == 0:
                return True
            time.sleep(0.2)
        return False

    def end(self):
        self.process.kill()
        self.process.wait()


def try_all(folder, work, kernel, image):
    os.mkdir(folder)
    machine = Machine(folder, kernel, image)
    machine.work = work
    try:
        scenario(machine)
        granted(machine)
        written(machine)
    finally:
        machine.end()
        if failed and os.environ.get('QEMU_LOG'):
            shutil.copy(folder + '/console', os.environ['QEMU_LOG'])


class Ended(Exception):
    """The machine itself is no more: its emulation, or its kernel."""


count = 0
failed = False


def ok(result, what):
    global count, failed
    count += 1
    failed = failed or not result
    print('%sok %d - %s' % ('' if result else 'not ', count, what), flush=True)


DISK = 'ls -d /sys/block/sd* >/dev/null 2>&1'
CLASS = 'cat /sys/bus/usb/devices/*:*/bInterfaceClass 2>/dev/null | grep -q %s'


def stick(machine, name, number, **arguments):
    machine.drive('d' + name, '%s/stick%d' % (machine.work, number))
    machine.plug('usb-storage', id=name, drive='d' + name, **arguments)


def appears_without_disk(machine, logged):
    """The interface is there, the guard has said so, and for two seconds there is no disk."""
    seen = machine.wait('grep -q "%s" /tmp/log' % logged)
    time.sleep(2)
    return seen and machine.run(DISK)[1] != 0


def inputs(machine):
    """A key and a movement come through."""
    # Down and up again: a key that is held down already says nothing more to who comes late.
    key = {'type': 'qcode', 'data': 'a'}
    for driver, event, send in (('usb-kbd', 'Keyboard', [{'type': 'key', 'data': {'down': True, 'key': key}},
            {'type': 'key', 'data': {'down': False, 'key': key}}]), ('usb-mouse', 'Mouse', [{'type': 'rel', 'data': {'axis': 'x', 'value': 5}}])):
        machine.plug(driver, id=event)
        found = machine.wait('grep -q "%s" /proc/bus/input/devices' % event)
        ok(found, 'a %s is bound' % event.lower())
        node, _ = machine.run('for d in /sys/class/input/event*; do grep -q "USB %s" $d/device/name && echo ${d##*/}; done' % event)
        if not found or not node:
            ok(False, 'and works')
            continue
        machine.run('timeout 30 dd if=/dev/input/%s of=/tmp/%s bs=24 count=1 2>/dev/null &' % (node.split()[0], event))
        got = False
        for _ in range(60):
            machine.qmp('input-send-event', events=send)
            if machine.run('[ -s /tmp/%s ]' % event)[1] == 0:
                got = True
                break
            time.sleep(0.3)
        ok(got, 'and works')


def cross_check(machine):
    """USBGuard, which knows nothing of us, on the same devices: each interface that it sees has been judged, and rightly."""
    if shutil.which('usbguard') is None:
        return
    policy, code = machine.run('usbguard generate-policy -X')
    seen = {}
    for line in policy.splitlines():
        device = re.search(r'allow id (\S+):(\S+) (?:serial "([^"]*)")?.* with-interface (\{[^}]*\}|\S+)', line)
        if device is not None and device.group(1) != '1d6b':
            for interface in re.findall(r'([0-9a-f]{2}):[0-9a-f]{2}:[0-9a-f]{2}', device.group(4)):
                seen.setdefault((device.group(1), device.group(2)), set()).add(int(interface, 16))
    ours = {}
    names = {'input': 3, 'hub': 9, 'mass storage': 8, 'still image': 6}
    for verdict, name, vendor, product in re.findall(r'(refused|allowed) usb \S+ ([a-z ]+) vendor=(\S+) product=(\S+)', machine.run('cat /tmp/log')[0]):
        ours.setdefault((vendor, product), {})[names.get(name)] = verdict
    ok(code == 0 and len(seen) >= 4, 'USBGuard sees the devices, too (%d kinds)' % len(seen))
    ok(all(classes <= set(ours.get(device, {})) for device, classes in seen.items()), 'and no interface that was not judged')
    ok(all(ours[device][kind] == ('allowed' if kind in (3, 9) else 'refused') for device, classes in seen.items() for kind in classes
           if device in ours and kind in ours[device]), 'of which the harmless alone are allowed')
    if failed:
        print('# ' + policy.replace('\n', '\n# '))
        print('# ' + repr(seen) + repr(ours))


def main(folder, *programs):
    for program in ('qemu-system-x86_64', 'busybox', 'cpio', 'depmod', 'dpkg-deb'):
        if shutil.which(program) is None and not os.path.exists('/sbin/' + program):
            skip(program + ' is not installed')
    os.environ['PATH'] += ':/sbin:/usr/sbin'
    kernel = kernel_of(folder)
    with tempfile.TemporaryDirectory() as work:
        for number in range(8):
            with open('%s/stick%d' % (work, number), 'wb') as file:
                file.write(b'CONTENT-OF-THE-STICK\n' + b'\0' * (1 << 20))
        with open(work + '/stick8', 'wb') as file:
            file.truncate(64 << 20)
        subprocess.run(['busybox', 'mkdosfs', work + '/stick8'], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        usbguard = shutil.which('usbguard')
        image = initramfs(work, kernel, programs + ((usbguard,) if usbguard else ()))
        try:
            try_all(work + '/first', work, kernel, image)
        except Ended:
            # Says nothing of the guard, and is seen now and then under emulation: once more, from the start.
            with open(work + '/first/console', errors='replace') as console:
                print('# the machine ended:\n# ' + '\n# '.join(console.read().splitlines()[-30:]))
            global count
            count = 0
            try_all(work + '/second', work, kernel, image)
    print('1..%d' % count)
    sys.exit(1 if failed else 0)


def scenario(machine):
    stick(machine, 'before', 0)
    ok(machine.wait(DISK), 'without a guard a stick is a disk')
    ok('CONTENT' in machine.run('head -c 20 /dev/sda')[0], 'and can be read')

    machine.run('azukari-guard >/tmp/log 2>&1 & echo $! >/tmp/pid')
    ok(machine.wait('grep -q "refused usb .* mass storage" /tmp/log'), 'what was plugged in before the start is judged')
    ok(machine.wait('! ' + DISK), 'and its disk is gone')
    ok(machine.run('grep -q "serial=" /tmp/log')[1] == 0, 'with vendor, product and serial')
    machine.unplug('before')

    inputs(machine)

    stick(machine, 'after', 1, port='4')
    ok(appears_without_disk(machine, 'refused usb 2-4:1.0 mass storage'), 'a stick is no disk')
    machine.plug('usb-hub', id='hub', port='5')
    ok(machine.wait('ls -d /sys/bus/usb/devices/*-5:1.0/driver >/dev/null 2>&1'), 'a hub works')
    stick(machine, 'hubbed', 2, port='5.1')
    ok(appears_without_disk(machine, 'refused usb [0-9]*-5.1:1.0 mass storage'), 'a stick behind it is no disk')
    machine.plug('usb-uas', id='uas', port='6')
    machine.drive('duas', machine.work + '/stick3')
    machine.qmp('device_add', driver='scsi-hd', bus='uas.0', id='uasdisk', drive='duas')
    machine.qmp('qom-set', path='/machine/peripheral/uas', property='attached', value=True)
    ok(appears_without_disk(machine, 'refused usb [0-9]*-6:1.0 mass storage'), 'nor is one that speaks UAS')
    os.makedirs(machine.work + '/phone', exist_ok=True)
    machine.plug('usb-mtp', id='phone', rootdir=machine.work + '/phone', port='7')
    ok(machine.wait('grep -q "refused usb .*-7:1.0 still image" /tmp/log'), 'a phone that shows pictures is refused')
    ok(machine.run('cat /sys/bus/usb/devices/*-7:1.0/authorized')[0] == '0', 'and cannot be claimed')

    cross_check(machine)
    for name in ('after', 'hubbed', 'uas'):
        machine.unplug(name)
    if failed:
        print('# ' + machine.run('cat /tmp/log')[0].replace('\n', '\n# '))
    machine.run('kill -9 $(cat /tmp/pid)')
    ok(machine.wait('! kill -0 $(cat /tmp/pid) 2>/dev/null'), 'the guard is killed')
    stick(machine, 'killed', 4, port='8')
    ok(machine.wait(CLASS % '08'), 'a stick comes')
    time.sleep(2)
    ok(machine.run(DISK)[1] != 0, 'and is no disk')
    machine.run('azukari-guard >/tmp/log 2>&1 & echo $! >/tmp/pid')
    ok(machine.wait('grep -q "refused usb .*-8:1.0 mass storage" /tmp/log'), 'the next guard tells of it')
    machine.run('kill $(cat /tmp/pid)')
    ok(machine.wait('! kill -0 $(cat /tmp/pid) 2>/dev/null'), 'it ends when it is told to')
    ok(machine.run('grep -vqE "^0$" /sys/bus/usb/devices/usb*/interface_authorized_default')[1] != 0, 'and leaves the ports closed')


AZUKARI = 'HOME=/tmp XDG_STATE_HOME=/tmp AZUKARI_HOUSE=/tmp/house AZUKARI_KEY=/tmp/key azukari --json '


def ask(machine, command):
    """What the house in the machine answers."""
    text, code = machine.run(AZUKARI + command + ' 2>/tmp/asked', 180)
    return json.loads(text) if code == 0 else {}


def logged(machine, what, seconds=40):
    """Whether an event with these members comes to be an entry; its disk is not waited for."""
    end = time.time() + seconds
    while time.time() < end:
        for event in ask(machine, 'ledger query --plugged --max 50').get('plugged', []):
            if all(event.get(name) == value for name, value in what.items()):
                return True
    return False


def granted(machine):
    """A house in the machine, to which the guard reports, and which lets one stick in."""
    machine.run('ip link set lo up 2>/dev/null; mkdir -p /tmp')
    founded = ask(machine, 'init --house /tmp/house --officer aoki --key-out /tmp/key --unsealed')
    ok(founded != {}, 'a house is founded')
    machine.run(AZUKARI + 'serve >/tmp/serve 2>&1 & echo $! >/tmp/serving')
    ok(machine.wait(AZUKARI + 'status >/dev/null 2>&1', 60), 'and served')
    key, code = machine.run('azukari-guard key --state /tmp/guard --house /tmp/house')
    ok(code == 0 and ask(machine, 'device guard host --public ' + key) != {}, 'its guard is enrolled')
    machine.run('azukari-guard --state /tmp/guard --connect /tmp/house/run/keeper.sock >/tmp/log 2>&1 & echo $! >/tmp/pid')
    ok(logged(machine, {'what': 'started'}), 'what the guard reports are entries')
    ok(logged(machine, {'what': 'refused', 'place': '2-8:1.0', 'usb': '46f4:0001'}), 'also what was plugged in before it')
    machine.unplug('killed')

    add = 'grant add host --vendor 46f4 --product 0001 --serial GOOD --until %s'
    today = machine.run('date -u +%Y-%m-%d')[0]
    ok(ask(machine, add % '2020-01-01') == {}, 'a grant whose last day is over is none')
    grant = ask(machine, add % today)
    ok(grant.get('kind') == 'grant', 'a stick is granted')
    stick(machine, 'other', 5, port='4', serial='BAD')
    ok(appears_without_disk(machine, 'refused usb 2-4:1.0 mass storage'), 'another one is no disk')
    stick(machine, 'good', 6, port='6', serial='GOOD')
    ok(machine.wait('grep -q "granted usb 2-6:1.0 mass storage" /tmp/log', 30) and machine.wait(DISK), 'the granted one is a disk')
    ok(machine.wait('[ "$(cat /sys/block/sd*/ro)" = 1 ]'), 'that is read-only')
    disk = '/dev/' + machine.run('ls /sys/block | grep sd')[0].split()[0]
    ok('CONTENT' in machine.run('head -c 20 ' + disk)[0], 'can be read')
    machine.run('echo x | dd of=%s bs=1 conv=notrunc,fsync 2>/tmp/dd' % disk)
    machine.run('blockdev --flushbufs %s 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches' % disk)
    ok('CONTENT' in machine.run('head -c 20 ' + disk)[0], 'and not written')
    ok(logged(machine, {'what': 'granted', 'serial': 'GOOD', 'count': grant.get('id')}), 'which is an entry')
    ok(logged(machine, {'what': 'refused', 'serial': 'BAD'}), 'and so is the other')
    ok(ask(machine, 'grant close %d' % grant.get('id', 0)) != {}, 'the grant is closed')
    ok(machine.wait('! ' + DISK, 30), 'and its disk goes')
    ok(logged(machine, {'what': 'refused', 'serial': 'GOOD'}), 'which is an entry, too')
    with open(machine.work + '/stick6', 'rb') as file:
        ok(file.read(8) == b'CONTENT-', 'nothing was written to the stick')
    if failed:
        for name in ('log', 'serve', 'asked'):
            print('# ' + machine.run('cat /tmp/' + name)[0].replace('\n', '\n# '))


def holds_harmless_only(path):
    with open(path, 'rb') as file:
        content = file.read()
    return b'Minutes of Tuesday' in content and b'Lee' not in content


def written(machine):
    """A stick that may be written: by the guard, what the house has read and knows nothing of."""
    put = 'azukari-guard put --state /tmp/guard --connect /tmp/house/run/keeper.sock '
    machine.unplug('good')
    machine.unplug('other')
    for command in ('client add c01 --name City', 'purpose add c01/checkup --fields name,phone --roles agent --until 2030-12-31',
                    'staff add mori --role supervisor --key-out /tmp/mori.key'):
        ask(machine, command)
    machine.run("printf 'number,name,phone\\n1,Ann Lee,03-1234-5678\\n2,Bob Ray,090-1111-2222\\n' >/tmp/list.csv")
    machine.run("printf 'Minutes of Tuesday\\n' >/tmp/minutes.txt; printf 'tar\\n' >/tmp/more.txt; tar cf /tmp/list.tar -C /tmp list.csv")
    rows = ask(machine, '--key /tmp/mori.key entrust --client c01 --purpose checkup --as-of 2026-04-01 /tmp/list.csv')
    ok(rows.get('accepted') == 2, 'the house has a list')
    ok(machine.run(put + '/tmp/minutes.txt')[1] == 1, 'without a memory nothing is written')
    today = machine.run('date -u +%Y-%m-%d')[0]
    grant = ask(machine, 'grant add host --vendor 46f4 --product 0001 --serial WRITE --write --until %s' % today)
    ok(grant.get('kind') == 'grant', 'one stick may be written')
    stick(machine, 'writable', 8, port='8', serial='WRITE')
    ok(machine.wait('grep -q "granted usb 2-8:1.0 mass storage" /tmp/log', 30) and machine.wait(DISK), 'it is a disk')
    ok(machine.wait('[ "$(cat /sys/block/sd*/ro)" = 1 ]'), 'that is read-only')
    disk = '/dev/' + machine.run('ls /sys/block | grep sd')[0].split()[0]
    machine.run('mkdir -p /tmp/mine')
    ok(machine.run('mount -t vfat -o ro %s /tmp/mine 2>/dev/null' % disk)[1] != 0, 'and that nobody else mounts')
    machine.run('while [ ! -e /tmp/done ]; do cat /proc/mounts; done >/tmp/mounts 2>/dev/null &')
    text, code = machine.run(put + '/tmp/minutes.txt 2>&1', 120)
    machine.run('touch /tmp/done')
    ok(code == 0 and 'size=19' in text, 'a harmless file is written' if code == 0 else 'a harmless file is written: ' + text)
    ok(machine.run('grep -q sd /tmp/mounts')[1] != 0 and machine.run('grep -q rootfs /tmp/mounts')[1] == 0, 'where nobody else sees it')
    ok(logged(machine, {'what': 'allowed', 'name': 'minutes.txt', 'size': 19, 'grant': grant.get('id')}), 'which is an entry, before')
    ok(logged(machine, {'what': 'written', 'name': 'minutes.txt'}), 'and after')
    for name in ('list.csv', 'list.tar'):
        text, code = machine.run(put + '/tmp/%s 2>&1' % name, 120)
        ok(code == 3 and 'holds data of the house' in text, name + ' is refused' if code == 3 else name + ' is refused: ' + text)
        ok(logged(machine, {'what': 'refused', 'name': name, 'grant': grant.get('id'), 'values': 2}), 'which is an entry')
    ok(machine.run(put + '/tmp/minutes.txt')[1] == 1, 'what is there is not written over')
    ok(machine.run('mount -t vfat -o ro %s /tmp/mine 2>/dev/null' % disk)[1] != 0, 'the guard holds it again')
    ok(machine.run('echo x | dd of=%s bs=1 conv=notrunc 2>/dev/null' % disk)[1] != 0, 'and nobody writes to it')
    ok(holds_harmless_only(machine.work + '/stick8'), 'what is on the stick is the harmless file')
    if failed:
        for name in ('log', 'serve', 'asked'):
            print('# ' + machine.run('cat /tmp/' + name)[0].replace('\n', '\n# '))


main(*sys.argv[1:])
