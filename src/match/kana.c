/*
 * How a name sounds, loosely: for fingerprints, which join what people typed by ear.
 *
 *	サトウ　ﾊﾅｺ · さとう はなこ · Sato Hanako · Satou Hanako · SATOH HANAKO      → サトハナコ
 *
 * Hiragana is katakana; small kana are large; voicing goes (カ for ガ, ハ for バ and パ), and so do long vowels: ー, and
 * what lengthens the vowel before it (オウ, ユウ, オオ). Latin letters are read by Hepburn, Kunrei and passport spelling
 * alike, and only where every letter of the name can be read.
 */
#include <string.h>

#include "match/match_internal.h"

#define FIRST 0x30a1u
#define LAST  0x30fau
#define LONG  0x30fcu

/* Katakana from U+30A1: each without smallness and voicing; ヂ is ジ and ヅ is ズ. */
static const uint16_t plain[] = u"アアイイウウエエオオ"
				u"カカキキククケケココササシシススセセソソタタチシツツステテトト"
				u"ナニヌネノハハハヒヒヒフフフヘヘヘホホホマミムメモヤヤユユヨヨ"
				u"ラリルレロワワイエオンウカケワイエオ";

/* The vowel of each row of plain kana: a, i, u, e, o, or 0. */
static char
vowel(uint16_t kana)
{
	static const uint16_t rows[] = u"アカサタナハマヤラワイキシチニヒミリウクスツヌフムユルエケ"
				       u"セテネヘメレオコソトノホモヨロ";
	static const char vowels[] = "aaaaaaaaaaiiiiiiiiuuuuuuuuueeeeeeeeooooooooo";

	for (size_t i = 0; i < sizeof(vowels) - 1; i++) {
		if (rows[i] == kana)
			return vowels[i];
	}
	return 0;
}

/* Appends a kana, unless it only lengthens the vowel before it. */
static void
put(struct text *kana, uint16_t symbol)
{
	if (symbol == LONG)
		return;
	if (symbol >= FIRST && symbol <= LAST)
		symbol = plain[symbol - FIRST];
	if (kana->count > 0 && (symbol == u'ウ' || symbol == u'オ')) {
		char before = vowel(kana->symbols[kana->count - 1]);

		if (before == 'o' || (before == 'u' && symbol == u'ウ'))
			return;
	}
	if (kana->count == TEXT_MAX)
		kana->too_long = true;
	else
		kana->symbols[kana->count++] = symbol;
}

/* --- Latin letters ---------------------------------------------------------------------------- */

/* What stands before the vowel, and the kana for a, i, u, e, o behind it; two kana where one is not enough. */
static const struct {
	const char *head;
	const uint16_t *kana[5];
} heads[] = {{"kky", {u"ッキヤ", NULL, u"ッキユ", NULL, u"ッキヨ"}},
    {"ssh", {u"ッシヤ", u"ッシ", u"ッシユ", u"ッシエ", u"ッシヨ"}},
    {"tch", {u"ッチヤ", u"ッチ", u"ッチユ", u"ッチエ", u"ッチヨ"}},
    {"cch", {u"ッチヤ", u"ッチ", u"ッチユ", u"ッチエ", u"ッチヨ"}},
    {"tts", {NULL, NULL, u"ッツ", NULL, NULL}}, {"ky", {u"キヤ", NULL, u"キユ", NULL, u"キヨ"}},
    {"gy", {u"キヤ", NULL, u"キユ", NULL, u"キヨ"}},
    {"sh", {u"シヤ", u"シ", u"シユ", u"シエ", u"シヨ"}},
    {"sy", {u"シヤ", NULL, u"シユ", NULL, u"シヨ"}},
    {"ch", {u"チヤ", u"チ", u"チユ", u"チエ", u"チヨ"}},
    {"ty", {u"チヤ", NULL, u"チユ", NULL, u"チヨ"}},
    {"cy", {u"チヤ", NULL, u"チユ", NULL, u"チヨ"}}, {"ts", {NULL, NULL, u"ツ", NULL, NULL}},
    {"ny", {u"ニヤ", NULL, u"ニユ", NULL, u"ニヨ"}},
    {"hy", {u"ヒヤ", NULL, u"ヒユ", NULL, u"ヒヨ"}},
    {"by", {u"ヒヤ", NULL, u"ヒユ", NULL, u"ヒヨ"}},
    {"py", {u"ヒヤ", NULL, u"ヒユ", NULL, u"ヒヨ"}},
    {"my", {u"ミヤ", NULL, u"ミユ", NULL, u"ミヨ"}},
    {"ry", {u"リヤ", NULL, u"リユ", NULL, u"リヨ"}},
    {"zy", {u"シヤ", NULL, u"シユ", NULL, u"シヨ"}},
    {"jy", {u"シヤ", NULL, u"シユ", NULL, u"シヨ"}}, {"dz", {NULL, NULL, u"ス", NULL, NULL}},
    {"kk", {u"ッカ", u"ッキ", u"ック", u"ッケ", u"ッコ"}},
    {"ss", {u"ッサ", u"ッシ", u"ッス", u"ッセ", u"ッソ"}},
    {"tt", {u"ッタ", u"ッチ", u"ッツ", u"ッテ", u"ット"}},
    {"pp", {u"ッハ", u"ッヒ", u"ッフ", u"ッヘ", u"ッホ"}},
    {"k", {u"カ", u"キ", u"ク", u"ケ", u"コ"}}, {"g", {u"カ", u"キ", u"ク", u"ケ", u"コ"}},
    {"s", {u"サ", u"シ", u"ス", u"セ", u"ソ"}}, {"z", {u"サ", u"シ", u"ス", u"セ", u"ソ"}},
    {"j", {u"シヤ", u"シ", u"シユ", u"シエ", u"シヨ"}}, {"t", {u"タ", u"チ", u"ツ", u"テ", u"ト"}},
    {"d", {u"タ", u"チ", u"ツ", u"テ", u"ト"}}, {"n", {u"ナ", u"ニ", u"ヌ", u"ネ", u"ノ"}},
    {"h", {u"ハ", u"ヒ", u"フ", u"ヘ", u"ホ"}}, {"f", {u"フア", u"フイ", u"フ", u"フエ", u"フオ"}},
    {"b", {u"ハ", u"ヒ", u"フ", u"ヘ", u"ホ"}}, {"p", {u"ハ", u"ヒ", u"フ", u"ヘ", u"ホ"}},
    {"m", {u"マ", u"ミ", u"ム", u"メ", u"モ"}}, {"y", {u"ヤ", NULL, u"ユ", NULL, u"ヨ"}},
    {"r", {u"ラ", u"リ", u"ル", u"レ", u"ロ"}}, {"w", {u"ワ", NULL, NULL, NULL, u"オ"}},
    {"", {u"ア", u"イ", u"ウ", u"エ", u"オ"}}};

static int
vowel_index(uint16_t symbol)
{
	static const char vowels[] = "aiueo";
	const char *place = symbol < 0x80 && symbol != 0 ? strchr(vowels, (char)symbol) : NULL;

	return place == NULL ? -1 : (int)(place - vowels);
}

/* Whether head stands at the place and a vowel behind it; returns what both take, or 0. */
static size_t
head_size(const char *head, const uint16_t *symbols, size_t count)
{
	size_t size = 0;

	while (head[size] != '\0') {
		if (size == count || symbols[size] != (uint16_t)head[size])
			return 0;
		size++;
	}
	return size < count && vowel_index(symbols[size]) >= 0 ? size + 1 : 0;
}

/* The syllable at the place; 0 if it is none. */
static size_t
read_syllable(const uint16_t *symbols, size_t count, struct text *kana)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(heads); i++) {
		size_t size = head_size(heads[i].head, symbols, count);
		const uint16_t *reading;

		if (size == 0)
			continue;
		reading = heads[i].kana[vowel_index(symbols[size - 1])];
		if (reading == NULL)
			return 0;
		for (; *reading != 0; reading++)
			put(kana, *reading);
		/* "Ohno", "Satoh": an h that lengthens, before a consonant or at the end. */
		if (symbols[size - 1] == 'o' && size < count && symbols[size] == 'h' &&
		    (size + 1 == count || vowel_index(symbols[size + 1]) < 0))
			size++;
		return size;
	}
	return 0;
}

bool
romaji_read(const uint16_t *symbols, size_t count, struct text *kana)
{
	size_t at = 0;

	while (at < count) {
		size_t size = read_syllable(symbols + at, count - at, kana);

		/* n, or m before m, b and p, with no vowel behind. */
		if (size == 0 && (symbols[at] == 'n' || symbols[at] == 'm') &&
		    (symbols[at] == 'n' ||
			(at + 1 < count && strchr("mbp", (char)symbols[at + 1]) != NULL))) {
			put(kana, u'ン');
			size = 1;
		}
		if (size == 0)
			return false;
		at += size;
		if (at < count && symbols[at] == '\'')
			at++;
	}
	return count > 0;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Katakana of what was folded; false if anything else is in it. */
static bool
read_kana(const struct text *text, struct text *ret_kana)
{
	ret_kana->count = 0;
	ret_kana->too_long = text->too_long;
	for (size_t i = 0; i < text->count; i++) {
		uint16_t symbol = text->symbols[i];

		if (symbol >= 0x3041 && symbol <= 0x3096)
			symbol = (uint16_t)(symbol + 0x60);
		if (symbol == '-' && i > 0)
			symbol = LONG;
		if (symbol == ' ' || symbol == 0x30fb)
			continue;
		if (!is_katakana(symbol))
			return false;
		put(ret_kana, symbol);
	}
	return ret_kana->count > 0;
}

static bool
read_latin(const struct text *text, struct text *ret_kana)
{
	size_t from = 0;

	ret_kana->count = 0;
	ret_kana->too_long = text->too_long;
	while (from < text->count) {
		size_t end = from;

		while (end < text->count && text->symbols[end] != ' ' && text->symbols[end] != ',')
			end++;
		if (end > from && !romaji_read(text->symbols + from, end - from, ret_kana))
			return false;
		from = end + 1;
	}
	return ret_kana->count > 0;
}

static bool
read_field(struct bytes value, struct text *ret_kana)
{
	AZ_UNCLEARED struct text text;

	if (value.size == 0)
		return false;
	fold(value, FOLD_NAME, &text);
	return text.count > 0 &&
	    (text.symbols[0] < 0x80 ? read_latin(&text, ret_kana) : read_kana(&text, ret_kana));
}

bool
kana_read(const struct row *row, struct text *ret_kana)
{
	AZ_UNCLEARED struct text name;

	if (row->values[FIELD_KANA].size > 0)
		return read_field(row->values[FIELD_KANA], ret_kana);
	if (row->values[FIELD_NAME].size > 0)
		return read_field(row->values[FIELD_NAME], ret_kana);
	if (row->values[FIELD_SURNAME].size == 0 || row->values[FIELD_GIVEN].size == 0)
		return false;
	fold(row->values[FIELD_SURNAME], FOLD_NAME, &name);
	if (name.too_long || name.count == 0 || name.count == TEXT_MAX)
		return false;
	name.symbols[name.count++] = ' ';
	fold_more(row->values[FIELD_GIVEN], FOLD_NAME, &name);
	return name.symbols[0] < 0x80 ? read_latin(&name, ret_kana) : read_kana(&name, ret_kana);
}
