#!/usr/bin/env python3
"""Where azukari scan and ripgrep differ on the same text: counts by kind, in both, in one alone."""
import json, re, subprocess, sys

PATTERNS = {'phone': r'0[0-9]{1,4}-[0-9]{1,4}-[0-9]{4}', 'email': r'[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}',
            'my_number': r'\b[0-9]{12}\b', 'card': r'\b[0-9]{16}\b'}
azukari, path = sys.argv[1:]
result = subprocess.run([azukari, '--json', 'scan', '--patterns', '--hits', path], stdout=subprocess.PIPE)
ours = {kind: set() for kind in PATTERNS}
for file in json.loads(result.stdout)['files']:
    for hit in file['hits']:
        ours[hit['kind']].add((hit['at'], hit['at'] + hit['size']))
for kind, pattern in PATTERNS.items():
    lines = subprocess.run(['rg', '-obaN', '--no-filename', '(?-u)' + pattern, path], stdout=subprocess.PIPE).stdout
    theirs = set()
    for line in lines.splitlines():
        at, _, text = line.partition(b':')
        theirs.add((int(at), int(at) + len(text)))
    begins = {begin for begin, _ in ours[kind]} | {end for _, end in ours[kind]}
    both = sum(begin in begins or end in begins for begin, end in theirs)
    print('differences %-9s both %d, ripgrep alone %d, scan alone %d' % (
        kind, both, len(theirs) - both, max(0, len(ours[kind]) - both)))
