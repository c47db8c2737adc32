#!/usr/bin/env python3
"""Makes one file of each kind that azukari scan reads, with the same five tokens in each, and files that set traps."""
import bz2, gzip, io, lzma, os, sqlite3, sys, tarfile, zipfile, zlib

os.chdir(sys.argv[1])
TEXT = ('氏名,電話,携帯,メール,カード,番号\n'
        '山田太郎,03-1234-5678,０９０－１２３４－５６７８,taro@example.jp,4111 1111 1111 1111,123456789018\n')


def write(name, data):
    with open(name, 'wb') as file:
        file.write(data)


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


for name, encoding in (('utf8', 'utf-8'), ('cp932', 'cp932'), ('euc', 'euc_jp'), ('utf16le', 'utf-16-le'),
                       ('utf16be', 'utf-16-be')):
    data = TEXT if encoding != 'euc_jp' else TEXT.replace('－', 'ー')
    write(name + '.csv', data.encode(encoding))
plain = TEXT.encode()
write('a.csv.gz', gzip.compress(plain))
inner = zipped(('sub/a.csv', plain))
write('a.zip', inner)
write('nested.zip', zipped(('a.zip', inner)))
deep = inner
for _ in range(8):
    deep = zipped(('x.zip', deep))
write('deep.zip', deep)
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode='w') as archive:
    info = tarfile.TarInfo('a.csv')
    info.size = len(plain)
    archive.addfile(info, io.BytesIO(plain))
write('a.tar.xz', lzma.compress(tar.getvalue()))

cells = TEXT.split('\n')[1].split(',')
TYPES = ('[Content_Types].xml', '<?xml version="1.0"?><Types/>')
write('list.xlsx', zipped(TYPES, ('xl/sharedStrings.xml', '<?xml version="1.0" encoding="UTF-8"?><sst>' + ''.join(
    '<si><t>%s</t></si>' % cell for cell in cells) + '</sst>')))
write('list.docx', zipped(TYPES, ('word/document.xml', '<?xml version="1.0"?><w:document xmlns:w="w"><w:body>' + ''.join(
    '<w:p><w:r><w:t>%s</w:t></w:r></w:p>' % cell for cell in cells) + '</w:body></w:document>')))
write('runs.docx', zipped(TYPES, ('word/document.xml', '<?xml version="1.0"?><w:document xmlns:w="w"><w:p><w:r>'
    '<w:t>03-12</w:t></w:r><w:r><w:t>34-5678</w:t></w:r></w:p><w:p><w:r><w:t>1234</w:t></w:r></w:p></w:document>')))

lines = ['03-1234-5678', '090-1234-5678', 'taro@example.jp', '4111 1111 1111 1111', '123456789018']
stream = zlib.compress(b'BT /F1 12 Tf 20 200 Td 20 TL ' + b''.join(b'(%s) Tj T* ' % line.encode() for line in lines) + b'ET')
objects = [b'<</Type/Catalog/Pages 2 0 R>>', b'<</Type/Pages/Kids[3 0 R]/Count 1>>',
           b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
           b'<</Length %d/Filter/FlateDecode>>stream\n' % len(stream) + stream + b'\nendstream',
           b'<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>']
pdf = b'%PDF-1.4\n'
places = []
for number, text in enumerate(objects, 1):
    places.append(len(pdf))
    pdf += b'%d 0 obj' % number + text + b'endobj\n'
table = len(pdf)
pdf += b'xref\n0 6\n0000000000 65535 f \n' + b''.join(b'%010d 00000 n \n' % place for place in places)
pdf += b'trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n' % table
write('list.pdf', pdf)

database = sqlite3.connect('a.db')
database.execute('create table people (phone, mobile, mail, card, number)')
database.execute('insert into people values (?, ?, ?, ?, ?)', ('03-1234-5678', '０９０－１２３４－５６７８',
                                                            'taro@example.jp', 4111111111111111, 123456789018))
database.commit()
database.close()


def sectors(data):
    return data + b'\0' * (-len(data) % 512)


with open('a.db', 'rb') as file:
    base = file.read()
write('disk.img', b'\0' * 510 + b'\x55\xaa' + b''.join(
    sectors(part) for part in (inner, pdf, base, gzip.compress(plain), plain, bz2.compress(plain))))

write('clean.txt', 'Nothing here: 2026-04-01, 100-0001, 1,234,567.\n'.encode())
write('phones.txt', b'03-1234-5678\n')
write('cut.zip', inner[:60])
# The flag of encryption, set in both headers.
locked = bytearray(zipped(('a.csv', plain), method=zipfile.ZIP_STORED))
locked[6] |= 1
locked[locked.index(b'PK\x01\x02') + 8] |= 1
write('locked.zip', bytes(locked))
write('luks', b'LUKS\xba\xbe' + b'\0' * 1000)
write('a.rar', b'Rar!\x1a\x07\x01\0 taro@example.jp')
zeros = b'\0' * (1 << 20)
out = io.BytesIO()
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
    with archive.open('zeros', 'w') as member:
        for _ in range(200):
            member.write(zeros)
write('bomb.zip', out.getvalue())
os.mkfifo('fifo')
