#!/usr/bin/env python3
"""The policies for Windows desks, as a parser of its own reads them: policy.py POL.PY FILE.reg FILE.pol AUDIT.csv. Prints TAP.

What is meant stands here once more, as a table; the registration file and the policy file must say that and nothing else."""
import csv
import os
import struct
import subprocess
import sys
import tempfile

BASE = 'SOFTWARE\\Policies\\Microsoft\\Windows\\'
STORAGE = BASE + 'RemovableStorageDevices'
INSTALL = BASE + 'DeviceInstall\\Restrictions'
MEANT = {(STORAGE, 'Deny_All'): 1}
for guid in ('53f56308', '53f5630d', '53f56311', '53f5630b'):
    for right in ('Read', 'Write', 'Execute'):
        MEANT[STORAGE + '\\{' + guid + '-b6bf-11d0-94f2-00a0c91efb8b}', 'Deny_' + right] = 1
for guid in ('{6AC27878-A6FA-4155-BA85-F98F491D4F33}', '{F33FDC04-D1AC-4E8E-9A30-19BBD4B108AE}'):
    for right in ('Read', 'Write'):
        MEANT[STORAGE + '\\' + guid, 'Deny_' + right] = 1
for name in ('DenyDeviceIDs', 'DenyDeviceIDsRetroactive', 'DenyDeviceClasses', 'DenyDeviceClassesRetroactive'):
    MEANT[INSTALL, name] = 1
for number, text in enumerate(('USB\\Class_08', 'USB\\Class_06', 'USB\\MS_COMP_MTP'), 1):
    MEANT[INSTALL + '\\DenyDeviceIDs', str(number)] = text
MEANT[INSTALL + '\\DenyDeviceClasses', '1'] = '{eec5ad98-8080-425f-922a-dabf3de3f69a}'

# Subcategories of auditing, of which success is to be told: ntsecapi.h, AuditLogon, AuditLogoff, PlugAndPlayEvents.
AUDITED = {'{0cce9215-69ae-11d9-bed3-505054503030}': 'Logon', '{0cce9216-69ae-11d9-bed3-505054503030}': 'Logoff',
           '{0cce9248-69ae-11d9-bed3-505054503030}': 'PNP Activity'}
AUDIT_HEAD = ['Machine Name', 'Policy Target', 'Subcategory', 'Subcategory GUID', 'Inclusion Setting', 'Exclusion Setting', 'Setting Value']

count = 0
failed = False


def ok(result, what):
    global count, failed
    count += 1
    failed = failed or not result
    print('%sok %d - %s' % ('' if result else 'not ', count, what))


def read_pol(data):
    """What a policy file says, byte by byte; ValueError for anything but the format."""
    found = {}
    at = 8

    def expect(character):
        nonlocal at
        if data[at:at + 2] != character.encode('utf-16-le'):
            raise ValueError('no %s at %d' % (character, at))
        at += 2

    def text():
        nonlocal at
        end = at
        while data[end:end + 2] != b'\0\0':
            if end >= len(data):
                raise ValueError('no end of a text')
            end += 2
        result, at = data[at:end].decode('utf-16-le'), end + 2
        return result

    def number():
        nonlocal at
        value, = struct.unpack('<I', data[at:at + 4])
        at += 4
        return value

    if data[:8] != b'PReg\x01\0\0\0':
        raise ValueError('no header')
    while at < len(data):
        expect('[')
        key = text()
        expect(';')
        name = text()
        expect(';')
        kind = number()
        expect(';')
        size = number()
        expect(';')
        value, at = data[at:at + size], at + size
        expect(']')
        if (key, name) in found:
            raise ValueError('twice: %s %s' % (key, name))
        if kind == 4 and size == 4:
            found[key, name] = struct.unpack('<I', value)[0]
        elif kind == 1 and value[-2:] == b'\0\0':
            found[key, name] = value[:-2].decode('utf-16-le')
        else:
            raise ValueError('a value of another kind')
    return found


def refused(pol_py, text):
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + '/in.reg', 'wb') as file:
            file.write(text)
        code = subprocess.run([sys.executable, pol_py, folder + '/in.reg', folder + '/out.pol'], stderr=subprocess.DEVNULL).returncode
        return code != 0 and not os.path.exists(folder + '/out.pol')


def audit(path):
    with open(path, 'rb') as file:
        source = file.read()
    ok(source.isascii() and source.endswith(b'\r\n') and source.replace(b'\r\n', b'').count(b'\n') == 0,
       'the audit policy is ASCII, with the line ends of Windows')
    rows = list(csv.reader(source.decode('ascii').splitlines()))
    ok(rows[0] == AUDIT_HEAD and all(len(row) == 7 for row in rows), 'in seven columns')
    ok({row[3]: row[2] for row in rows[1:]} == {guid: 'Audit ' + name for guid, name in AUDITED.items()} and len(rows) == 4,
       'it says what is meant, and nothing else')
    ok(all(row[:2] == ['', 'System'] and row[4:] == ['Success', '', '1'] for row in rows[1:]), 'success is told, on every machine')


def main(pol_py, reg, pol, csv_path):
    audit(csv_path)
    with open(reg, 'rb') as file:
        source = file.read()
    with open(pol, 'rb') as file:
        data = file.read()
    ok(source.isascii() and source.replace(b'\r\n', b'').count(b'\n') == 0, 'the registration file is ASCII, with the line ends of Windows')
    ok(read_pol(data) == MEANT, 'the policy file says what is meant, and nothing else')
    lines = source.decode('ascii').split('\r\n')
    ok(not any(line.startswith('[-') or line.endswith('=-') for line in lines), 'nothing is deleted')
    ok(sum('=' in line and not line.startswith(';') for line in lines) == len(MEANT), 'and the registration file has as many values')
    for cut in range(len(data)):
        try:
            if read_pol(data[:cut]) == MEANT:
                ok(False, 'cut at %d' % cut)
        except (ValueError, struct.error):
            pass
    head = b'Windows Registry Editor Version 5.00\r\n'
    key = head + b'[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\r\n'
    ok(not refused(pol_py, key + b'"A"=dword:00000001\r\n'), 'what is well-formed is taken')
    for text, what in ((b'REGEDIT4\r\n', 'another version'), (head + b'"A"=dword:00000001\r\n', 'a value without a key'),
                       (head + b'[HKEY_CURRENT_USER\\X]\r\n', 'a key of one user'), (head + b'[-HKEY_LOCAL_MACHINE\\X]\r\n', 'a deleted key'),
                       (key + b'"A"=-\r\n', 'a deleted value'), (key + b'"A"=hex:01\r\n', 'another type'),
                       (key + b'"A"=dword:1\r\n', 'a short number'), (key + b'"A"="x\\"\r\n', 'a text without end'),
                       (key + b'@="x"\r\n', 'a default value'), (key + '"A"="é"\r\n'.encode(), 'what is not ASCII'),
                       (head.replace(b'\r\n', b'\n') + b'[HKEY_LOCAL_MACHINE\\X]\n', 'other line ends')):
        ok(refused(pol_py, text), 'refused: ' + what)
    print('1..%d' % count)
    sys.exit(1 if failed else 0)


main(*sys.argv[1:])
