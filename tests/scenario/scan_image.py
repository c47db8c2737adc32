#!/usr/bin/env python3
"""Lists of three clients, and an image of a disk in which 1,000 of their rows lie hidden in formats and encodings of twelve
kinds, most of them written by other programs.

scan_image.py DIR: makes DIR/cNN.csv, DIR/image, DIR/formats (a line each: name, client, rows) and DIR/truth (client, rows)."""
import io, os, random, shutil, subprocess, sys, unicodedata

os.chdir(sys.argv[1])
random.seed(7)
CLIENTS = ('c01', 'c02', 'c03')
SURNAMES = '髙橋 山﨑 渡邉 斎藤 佐藤 鈴木 田中 伊藤 加藤 吉田 濵田 德永'.split()
GIVEN = '太郎 花子 一郎 美咲 翔 葵 健一 陽子 直樹 恵 学 ゆうじ'.split()


def person(client, number):
    # Each telephone and each mail once.
    return (str(number), SURNAMES[number % len(SURNAMES)] + ' ' + GIVEN[number // 7 % len(GIVEN)],
            '0%d0-%04d-%04d' % (7 + number % 3, 1000 + random.randrange(9000), number * 7 % 10000),
            'p%d.%s@mail.example' % (number, client))


people = {client: [person(client, 1000 * (1 + at) + n) for n in range(600)] for at, client in enumerate(CLIENTS)}
for client in CLIENTS:
    with open(client + '.csv', 'w', encoding='utf-8') as file:
        file.write('number,name,phone,email\n')
        file.writelines(','.join(row) + '\n' for row in people[client])
left = {client: list(rows) for client, rows in people.items()}
os.mkdir('files')
formats, missing = [], []


def run(*command, data=None):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def text(rows, wide=False):
    lines = '氏名,電話,メール\n' + ''.join('%s,%s,%s\n' % row[1:] for row in rows)
    if wide:
        lines = lines.translate({ord(c): 0xfee0 + ord(c) for c in '0123456789'})
    return lines


def csv(name, rows):
    with open(name, 'w', encoding='utf-8') as file:
        file.write(text(rows))
    return name


def hide(name, make):
    """Has make write files/name from rows of one client after the other."""
    client = CLIENTS[len(formats) % 3]
    count = 84 if len(formats) < 11 else 1000 - 11 * 84
    rows, left[client] = left[client][:count], left[client][count:]
    try:
        make('files/' + name, rows)
        assert os.path.getsize('files/' + name) > 0
    except (OSError, subprocess.CalledProcessError, AssertionError) as error:
        # Rather fewer rows than a format that nobody else writes.
        missing.append('%s: %s' % (name, error))
        return
    formats.append((name, client, len(rows)))


def write(name, data):
    with open(name, 'wb') as file:
        file.write(data)


def by_iconv(encoding, source='utf-8'):
    return lambda name, rows: write(name, run('iconv', '-f', source, '-t', encoding, data=text(rows).encode()))


def by_sheet(name, rows):
    run('ssconvert', csv('sheet.csv', rows), name)


def by_sqlite(name, rows):
    quoted = ','.join("('%s','%s','%s')" % row[1:] for row in rows)
    run('sqlite3', name, 'create table people (name, phone, mail); insert into people values ' + quoted)


def by_zip(name, rows):
    run('zip', '-q', name, csv('list.csv', rows))


def by_7z(name, rows):
    run('7z', 'a', name, csv('list7.csv', rows))


def by_tar(name, rows):
    run('tar', '-cJf', name, csv('listtar.csv', rows))


def by_document(name, rows):
    paragraphs = ''.join('<w:p><w:r><w:t>%s</w:t></w:r></w:p>' % ' '.join(row[1:]) for row in rows)
    for folder, file, data in (('', '[Content_Types].xml', '<?xml version="1.0"?><Types/>'),
                               ('word/', 'document.xml', '<?xml version="1.0"?><w:document xmlns:w="w"><w:body>%s</w:body>'
                                '</w:document>' % paragraphs)):
        os.makedirs('docx/' + folder, exist_ok=True)
        write('docx/' + folder + file, data.encode())
    target = os.path.abspath(name)
    subprocess.run(['zip', '-q', '-r', target, '.'], cwd='docx', check=True)


def by_pdf(name, rows):
    # Names stand in no font of this program's; telephones and mails do.
    page = run('groff', '-Tps', '-K', 'utf8', data=''.join('.br\n%s %s\n' % row[2:] for row in rows).encode())
    write('page.ps', page)
    run('ps2pdf', 'page.ps', name)


def by_pdf_of_ours(name, rows):
    lines = b''.join(b'(%s %s) Tj T* ' % (row[2].encode(), row[3].encode()) for row in rows)
    stream = b'BT /F1 8 Tf 20 800 Td 9 TL ' + lines + b'ET'
    parts = [b'<</Type/Catalog/Pages 2 0 R>>', b'<</Type/Pages/Kids[3 0 R]/Count 1>>',
             b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 820]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
             b'<</Length %d>>stream\n' % len(stream) + stream + b'\nendstream',
             b'<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>']
    pdf, places = b'%PDF-1.4\n', []
    for number, part in enumerate(parts, 1):
        places.append(len(pdf))
        pdf += b'%d 0 obj' % number + part + b'endobj\n'
    table = len(pdf)
    pdf += b'xref\n0 6\n0000000000 65535 f \n' + b''.join(b'%010d 00000 n \n' % place for place in places)
    write(name, pdf + b'trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n' % table)


hide('utf8-nfc.csv', lambda name, rows: write(name, unicodedata.normalize('NFC', text(rows)).encode()))
hide('utf8-nfd-wide.csv', lambda name, rows: write(name, unicodedata.normalize('NFD', text(rows, True)).encode()))
hide('cp932.csv', by_iconv('CP932'))
hide('eucjp.csv', by_iconv('EUC-JP-MS'))
hide('utf16.csv', by_iconv('UTF-16LE'))
hide('list.gz', lambda name, rows: write(name, run('gzip', '-c', data=text(rows).encode('cp932'))))
hide('list.zip', by_zip)
hide('list.tar.xz', by_tar)
hide('list.xlsx', by_sheet)
hide('list.db', by_sqlite)
hide('list.docx', by_document)
hide('list.pdf', by_pdf if shutil.which('groff') and shutil.which('ps2pdf') else by_pdf_of_ours)
# Between them what disks are full of.
for number in range(8):
    write('files/noise%d' % number, random.randbytes(300000) + b'call 03-9%d87-1234 or x%d@elsewhere.example\n' % (number, number))

image = 'image'
try:
    subprocess.run(['truncate', '-s', '64M', image], check=True)
    run('mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096', '-d', 'files', image)
except (OSError, subprocess.CalledProcessError):
    # Files behind one another at sectors, as any file system lays them.
    with open(image, 'wb') as out:
        out.write(b'\0' * 510 + b'\x55\xaa')
        for name in sorted(os.listdir('files')):
            with open('files/' + name, 'rb') as file:
                data = file.read()
            out.write(data + b'\0' * (-len(data) % 4096))
with open('formats', 'w') as file:
    file.writelines('%s %s %d\n' % entry for entry in formats)
with open('truth', 'w') as file:
    for client in CLIENTS:
        file.write('%s %d\n' % (client, sum(count for _, of, count in formats if of == client)))
for line in missing:
    print('# not made: ' + line)
