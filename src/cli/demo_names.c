/*
 * Names, towns and spellings: docs/format/demo-names.md. The file is ours and installed beside the program; it is read as
 * strictly as any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/demo.h"
#include "cli/program.h"

#define NAMES_FILE  "demo.names"
#define NAMES_MAX   (64u * 1024u * 1024u)
#define NAMES_FIRST "azukari demo 1"

/* The commonest names, and towns of every region, for where the file is not installed. */
static const char built_in[] = NAMES_FIRST
    "\n"
    "s\t佐藤\tサトウ\tsato\ns\t鈴木\tスズキ\tsuzuki\ns\t高橋\tタカハシ\ttakahashi\n"
    "s\t田中\tタナカ\ttanaka\ns\t伊藤\tイトウ\tito\ns\t渡辺\tワタナベ\twatanabe\n"
    "s\t山本\tヤマモト\tyamamoto\ns\t中村\tナカムラ\tnakamura\ns\t小林\tコバヤシ\tkobayashi\n"
    "s\t加藤\tカトウ\tkato\ns\t吉田\tヨシダ\tyoshida\ns\t山田\tヤマダ\tyamada\n"
    "s\t佐々木\tササキ\tsasaki\ns\t山口\tヤマグチ\tyamaguchi\ns\t松本\tマツモト\tmatsumoto\n"
    "s\t井上\tイノウエ\tinoue\ns\t木村\tキムラ\tkimura\ns\t林\tハヤシ\thayashi\n"
    "s\t斎藤\tサイトウ\tsaito\ns\t清水\tシミズ\tshimizu\ns\t山崎\tヤマザキ\tyamazaki\n"
    "s\t森\tモリ\tmori\ns\t池田\tイケダ\tikeda\ns\t橋本\tハシモト\thashimoto\n"
    "s\t阿部\tアベ\tabe\ns\t石川\tイシカワ\tishikawa\ns\t前田\tマエダ\tmaeda\n"
    "s\t藤田\tフジタ\tfujita\ns\t小川\tオガワ\togawa\ns\t岡田\tオカダ\tokada\n"
    "s\t後藤\tゴトウ\tgoto\ns\t長谷川\tハセガワ\thasegawa\n"
    "m\t翔太\tショウタ\tshota\nm\t蓮\tレン\tren\nm\t大翔\tヒロト\thiroto\n"
    "m\t健一\tケンイチ\tkenichi\nm\t誠\tマコト\tmakoto\nm\t浩\tヒロシ\thiroshi\n"
    "m\t隆\tタカシ\ttakashi\nm\t直樹\tナオキ\tnaoki\n"
    "f\t陽菜\tハルナ\tharuna\nf\t美咲\tミサキ\tmisaki\nf\t結衣\tユイ\tyui\n"
    "f\t恵子\tケイコ\tkeiko\nf\t由美子\tユミコ\tyumiko\nf\t真由美\tマユミ\tmayumi\n"
    "f\t明美\tアケミ\takemi\nf\t和子\tカズコ\tkazuko\n"
    "t\t100-0001\t東京都千代田区千代田\nt\t160-0022\t東京都新宿区新宿\n"
    "t\t220-0012\t神奈川県横浜市西区みなとみらい\nt\t330-0854\t埼玉県さいたま市大宮区桜木町\n"
    "t\t460-0008\t愛知県名古屋市中区栄\nt\t530-0001\t大阪府大阪市北区梅田\n"
    "t\t600-8216\t京都府京都市下京区東塩小路町\nt\t650-0021\t兵庫県神戸市中央区三宮町\n"
    "t\t730-0011\t広島県広島市中区基町\nt\t810-0001\t福岡県福岡市中央区天神\n"
    "t\t860-0806\t熊本県熊本市中央区花畑町\nt\t980-0811\t宮城県仙台市青葉区一番町\n"
    "t\t060-0001\t北海道札幌市中央区北一条西\nt\t900-0015\t沖縄県那覇市久茂地\n"
    "v\t沢澤\nv\t斎齋\nv\t辺邊\nv\t広廣\nv\t国國\nv\t浜濱\nv\t高髙\nv\t桜櫻\n";

void
demo_names_free(struct demo_names *names)
{
	free(names->surnames);
	free(names->men);
	free(names->women);
	free(names->towns);
	free(names->spellings);
	buffer_fini(&names->text);
	*names = (struct demo_names){0};
}

/* Room for one more element, by doubling at powers of two. NULL without memory. */
static void *
grow(void *table, size_t count, size_t element)
{
	if (count > 0 && (count & (count - 1)) != 0)
		return table;
	return reallocarray(table, count == 0 ? 1 : 2 * count, element);
}

/* Cuts at a tab; NULL where there is none. */
static char *
cut(char *text)
{
	char *tab = text != NULL ? strchr(text, '\t') : NULL;

	if (tab == NULL)
		return NULL;
	*tab = '\0';
	return tab + 1;
}

static bool
add_name(struct demo_name **table, size_t *count, char *first)
{
	char *kana = cut(first);
	char *latin = cut(kana);
	struct demo_name *grown;

	if (latin == NULL || strlen(first) > 40 || strlen(kana) > 60 || strlen(latin) > 30)
		return false;
	grown = grow(*table, *count, sizeof(*grown));
	if (grown == NULL)
		return false;
	*table = grown;
	grown[(*count)++] = (struct demo_name){.kanji = first, .kana = kana, .latin = latin};
	return true;
}

static bool
add_line(struct demo_names *names, char *line)
{
	char *first = cut(line);
	char *second;

	if (first == NULL || line[1] != '\0')
		return false;
	switch (line[0]) {
	case 's': return add_name(&names->surnames, &names->surname_count, first);
	case 'm': return add_name(&names->men, &names->man_count, first);
	case 'f': return add_name(&names->women, &names->woman_count, first);
	case 't': {
		struct demo_town *grown = grow(names->towns, names->town_count, sizeof(*grown));

		second = cut(first);
		if (grown != NULL)
			names->towns = grown;
		if (grown == NULL || second == NULL || strlen(first) != 8 || strlen(second) > 120)
			return false;
		grown[names->town_count++] = (struct demo_town){.postcode = first, .place = second};
		return true;
	}
	case 'v': {
		const char **grown = grow(names->spellings, names->spelling_count, sizeof(*grown));

		if (grown == NULL)
			return false;
		names->spellings = grown;
		grown[names->spelling_count++] = first;
		return true;
	}
	default: return false;
	}
}

enum az_status
demo_names_read(struct buffer *text, struct demo_names *ret_names, struct az_err *reterr)
{
	struct demo_names names = {.text = *text};
	bool good = bytes_are_utf8(buffer_peek(text)) &&
	    buffer_append(&names.text, bytes_make("", 1)) == AZ_OK;
	char *line = (char *)names.text.data;
	size_t number = 0;

	while (good && *line != '\0') {
		char *end = strchr(line, '\n');

		good = end != NULL;
		if (!good)
			break;
		*end = '\0';
		good = number++ == 0 ? strcmp(line, NAMES_FIRST) == 0 : add_line(&names, line);
		line = end + 1;
	}
	/* A byte that is zero would hide what follows. */
	good = good && (size_t)((uint8_t *)line - names.text.data) + 1 == names.text.size &&
	    names.surname_count > 0 && names.man_count > 0 && names.woman_count > 0 &&
	    names.town_count > 0;
	if (!good) {
		demo_names_free(&names);
		return az_fail(reterr, AZ_CORRUPT,
		    NAMES_FILE " of the demo: line %zu is not in its format", number);
	}
	*ret_names = names;
	return AZ_OK;
}

/* The file's contents; AZ_NOT_FOUND. */
static enum az_status
read_file(struct buffer *text, struct az_err *reterr)
{
	int fd = -1;
	ssize_t got = 1;
	enum az_status status = program_open_data(NAMES_FILE, &fd, reterr);

	while (status == AZ_OK && got > 0) {
		status = buffer_reserve(text, 1u << 16);
		got = status == AZ_OK ? read(fd, text->data + text->size, 1u << 16) : 0;
		if (got > 0)
			text->size += (size_t)got;
	}
	if (status == AZ_OK && got < 0)
		status = az_fail_errno(reterr, AZ_IO, errno, NAMES_FILE);
	fd_close(&fd);
	return status;
}

enum az_status
demo_names_open(struct demo_names *ret_names, struct az_err *reterr)
{
	struct buffer text;
	bool own = false;
	enum az_status status;

	buffer_init(&text, NAMES_MAX, false);
	status = read_file(&text, reterr);
	if (status == AZ_NOT_FOUND) {
		own = true;
		buffer_clear(&text);
		status = buffer_append(&text, bytes_make(built_in, sizeof(built_in) - 1));
	}
	if (status != AZ_OK) {
		buffer_fini(&text);
		return status;
	}
	status = demo_names_read(&text, ret_names, reterr);
	if (status == AZ_OK)
		ret_names->built_in = own;
	return status;
}
