#!/usr/bin/env python3
"""azukari-guard on a real kernel with emulated USB devices, in QEMU without hardware help (TCG).

usb_qemu.py GUARD FOLDER: FOLDER keeps Debian's kernel between runs. Prints TAP; skipped where QEMU
or the kernel cannot be had."""
import glob, json, os, re, shutil, socket, subprocess, sys, tempfile, time

MODULES = ('xhci-pci', 'usbhid', 'hid-generic', 'evdev', 'sd_mod', 'usb-storage', 'uas')
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
        command = ['qemu-system-x86_64', '-accel', 'tcg', '-M', 'pc', '-cpu', 'max', '-m', '512', '-display', 'none', '-nodefaults',
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
            answer = json.loads(self.monitor.readline())
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise RuntimeError(answer['error']['desc'])

    def until(self, mark, seconds):
        self.serial.settimeout(seconds)
        while mark not in self.buffer:
            part = self.serial.recv(4096)
            if not part:
                raise RuntimeError('the machine has ended')
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


def main(guard, folder):
    for program in ('qemu-system-x86_64', 'busybox', 'cpio', 'depmod', 'dpkg-deb'):
        if shutil.which(program) is None and not os.path.exists('/sbin/' + program):
            skip(program + ' is not installed')
    os.environ['PATH'] += ':/sbin:/usr/sbin'
    kernel = kernel_of(folder)
    with tempfile.TemporaryDirectory() as work:
        for number in range(8):
            with open('%s/stick%d' % (work, number), 'wb') as file:
                file.write(b'CONTENT-OF-THE-STICK\n' + b'\0' * (1 << 20))
        machine = Machine(work, kernel, initramfs(work, kernel, [guard]))
        machine.work = work
        try:
            scenario(machine)
        finally:
            machine.end()
            if failed and os.environ.get('QEMU_LOG'):
                shutil.copy(work + '/console', os.environ['QEMU_LOG'])
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
    os.mkdir(machine.work + '/phone')
    machine.plug('usb-mtp', id='phone', rootdir=machine.work + '/phone', port='7')
    ok(machine.wait('grep -q "refused usb .*-7:1.0 still image" /tmp/log'), 'a phone that shows pictures is refused')
    ok(machine.run('cat /sys/bus/usb/devices/*-7:1.0/authorized')[0] == '0', 'and cannot be claimed')

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


main(*sys.argv[1:])
