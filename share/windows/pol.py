#!/usr/bin/env python3
"""Turns a registration file into the file that local and group policies are kept in (registry.pol, "PReg").

pol.py IN.reg OUT.pol

Only what our own file needs: keys below HKEY_LOCAL_MACHINE, values that are dword or text. Anything else is an error."""
import re
import struct
import sys

MACHINE = 'HKEY_LOCAL_MACHINE\\'
REG_SZ, REG_DWORD = 1, 4


def values_of(text):
    """(key, name, type, value) of each value; ValueError with the line that cannot be read."""
    lines = text.split('\r\n')
    if lines[0] != 'Windows Registry Editor Version 5.00':
        raise ValueError('line 1: not a registration file of version 5')
    key = None
    for number, line in enumerate(lines[1:], 2):
        if line == '' or line.startswith(';'):
            continue
        heading = re.fullmatch(r'\[([^\[\]-][^\[\]]*)\]', line)
        dword = re.fullmatch(r'"([^"\\]+)"=dword:([0-9a-fA-F]{8})', line)
        string = re.fullmatch(r'"([^"\\]+)"="((?:[^"\\]|\\\\|\\")*)"', line)
        if heading and heading.group(1).startswith(MACHINE):
            key = heading.group(1)[len(MACHINE):]
        elif key is not None and dword:
            yield key, dword.group(1), REG_DWORD, int(dword.group(2), 16)
        elif key is not None and string:
            yield key, string.group(1), REG_SZ, re.sub(r'\\(.)', r'\1', string.group(2))
        else:
            raise ValueError('line %d: it cannot be read' % number)


def wide(text):
    return (text + '\0').encode('utf-16-le')


def encode(values):
    """MS-GPREG 2.2: a header, then [key;name;type;size;data] in 16-bit characters."""
    parts = [b'PReg', struct.pack('<I', 1)]
    for key, name, kind, value in values:
        data = struct.pack('<I', value) if kind == REG_DWORD else wide(value)
        parts += ['['.encode('utf-16-le'), wide(key), ';'.encode('utf-16-le'), wide(name), ';'.encode('utf-16-le'),
                  struct.pack('<I', kind), ';'.encode('utf-16-le'), struct.pack('<I', len(data)), ';'.encode('utf-16-le'), data,
                  ']'.encode('utf-16-le')]
    return b''.join(parts)


def main(source, target):
    with open(source, encoding='ascii', newline='') as file:
        values = list(values_of(file.read()))
    with open(target, 'wb') as file:
        file.write(encode(values))


if __name__ == '__main__':
    try:
        main(*sys.argv[1:])
    except (ValueError, UnicodeDecodeError) as error:
        sys.exit('pol.py: %s' % error)
