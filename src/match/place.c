/*
 * Addresses of Japan, taken apart: municipality and town by the dictionary, longest first, and only then numbers.
 *
 *	東京都千代田区永田町一丁目４番１号 レジデンス億万101号室
 *	└────── dictionary ─────┘└ numbers ┘ └───── building ─────┘
 *	→ 東京都千代田区永田町 | 1-4-1 | レジテンス億万101
 *
 * Numbers are digits with 丁目, 番地, 番, 号, の or a dash between them. What is between town and numbers belongs to the town
 * (字, 小字, 甲乙). Digits that count a storey, a room, a line or a ward are none of these numbers. A room joined by a
 * dash cannot be told from a 号: both readings are given. Without the dictionary all that stands before the numbers is
 * the town, less the prefecture.
 */
#include <string.h>

#include "match/match_internal.h"

#define LONG 0x30fcu

/* What follows digits. */
enum follow {
	FOLLOW_NUMBER, /* they are a number of the address */
	FOLLOW_PART,   /* they belong to a name with what follows: 24条, 3線 */
	FOLLOW_ROOM,   /* they are a storey, a house of several, or a room */
};

static uint16_t
symbol_at(const struct text *text, size_t at)
{
	return at < text->count ? text->symbols[at] : 0;
}

static bool
is_one_of(uint16_t symbol, const uint16_t *of)
{
	for (; *of != 0; of++) {
		if (*of == symbol)
			return true;
	}
	return false;
}

/* --- one spelling of the whole ---------------------------------------------------------------- */

/* Drops blanks, but for those behind a digit, which keep numbers apart. */
static void
drop_blanks(struct text *text)
{
	size_t count = 0;

	for (size_t i = 0; i < text->count; i++) {
		uint16_t symbol = text->symbols[i];

		if (symbol == ' ' && (count == 0 || !is_digit(text->symbols[count - 1])))
			continue;
		if (symbol != '|')
			text->symbols[count++] = symbol;
	}
	while (count > 0 && text->symbols[count - 1] == ' ')
		count--;
	text->count = count;
}

static void
put_number(struct text *text, uint32_t value)
{
	uint16_t digits[10];
	size_t count = 0;

	do {
		digits[count++] = (uint16_t)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (count > 0) {
		if (text->count == TEXT_MAX) {
			text->too_long = true;
			return;
		}
		text->symbols[text->count++] = digits[--count];
	}
}

/* Whether what follows is counted. The same as share/tables.py does with the dictionary. */
static bool
is_counted(const struct text *text, size_t at)
{
	return is_one_of(symbol_at(text, at), u"条丁番号線軒町区階棟") ||
	    (symbol_at(text, at) == u'地' && symbol_at(text, at + 1) == u'割');
}

/* Copies, with counted numerals in digits. Right behind a digit they are letters: ５十五番館. */
static void
count_numerals(const struct text *from, struct text *to)
{
	to->count = 0;
	to->too_long = from->too_long;
	for (size_t at = 0; at < from->count;) {
		size_t run = numeral_run(from->symbols + at, from->count - at);
		uint32_t value;

		if (run == 0 && to->count < TEXT_MAX) {
			to->symbols[to->count++] = from->symbols[at++];
			continue;
		}
		if (run > 0 && is_counted(from, at + run) &&
		    (at == 0 || !is_digit(from->symbols[at - 1])) &&
		    numeral_read(from->symbols + at, run, &value)) {
			put_number(to, value);
			at += run;
			continue;
		}
		run = run == 0 ? 1 : run;
		if (to->count + run > TEXT_MAX) {
			to->too_long = true;
			return;
		}
		memcpy(to->symbols + to->count, from->symbols + at, run * sizeof(uint16_t));
		to->count += run;
		at += run;
	}
}

/* --- town ------------------------------------------------------------------------------------- */

/* Behind a postcode at the beginning. */
static size_t
behind_postcode(const struct text *text)
{
	size_t at = symbol_at(text, 0) == u'〒' ? 1 : 0;
	size_t digits = 0;

	for (size_t i = at; i < text->count && i < at + 9; i++) {
		if (is_digit(text->symbols[i]))
			digits++;
		else if (text->symbols[i] != '-' || digits != 3)
			return digits == 7 ? i + (text->symbols[i] == ' ' ? 1 : 0) : at;
	}
	return at;
}

/* The prefecture at the place, which an address may leave out. */
static size_t
prefecture_size(const struct text *text, size_t at)
{
	static const uint16_t names[] = u"北海道青森県岩手県宮城県秋田県山形県福島県茨城県栃木県群"
					u"馬県埼玉県千葉県東京都神奈川県新潟県富山県"
					u"石川県福井県山梨県長野県岐阜県静岡県愛知県三重県滋賀県京"
					u"都府大阪府兵庫県奈良県和歌山県鳥取県島根県"
					u"岡山県広島県山口県徳島県香川県愛媛県高知県福岡県佐賀県長"
					u"崎県熊本県大分県宮崎県鹿児島県沖縄県";

	for (size_t from = 0; names[from] != 0;) {
		size_t size =
		    from + 3 < AZ_ARRAY_SIZE(names) && is_one_of(names[from + 2], u"道県都府") ? 3
											       : 4;
		size_t same = 0;

		while (same < size && symbol_at(text, at + same) == names[from + same])
			same++;
		if (same == size)
			return size;
		from += size;
	}
	return 0;
}

/*
 * Kyoto: streets and directions (河原町二条下ル) come before the town. Finds the town behind the last direction, and
 * returns where it ends; 0 if there is none.
 */
static size_t
behind_streets(
    const struct place *place, const struct city *city, size_t from, const char **ret_town)
{
	const struct text *text = &place->text;

	for (size_t at = text->count; at > from + 1; at--) {
		uint16_t before = text->symbols[at - 2];
		uint16_t last = text->symbols[at - 1];
		size_t size;

		if (!(last == u'ル' && is_one_of(before, u"上下入")) &&
		    !(last == u'ル' && before == u'ケ') &&
		    !(last == u'入' && is_one_of(before, u"東西")))
			continue;
		size = tables_find_town(city, text->symbols + at, text->count - at, ret_town);
		if (size > 0)
			return at + size;
	}
	return 0;
}

static size_t
aza_size(const struct text *text, size_t at)
{
	if (is_one_of(symbol_at(text, at), u"大小") && symbol_at(text, at + 1) == u'字')
		return 2;
	return symbol_at(text, at) == u'字' ? 1 : 0;
}

/* Finds municipality and town; returns where they end. */
static size_t
read_town(struct place *place)
{
	const struct text *text = &place->text;
	size_t from = behind_postcode(text);
	struct city city;
	size_t size = 0;

	place->city = NULL;
	place->town = NULL;
	if (!tables_find(text->symbols + from, text->count - from, &city, &place->town, &size))
		return from + prefecture_size(text, from);
	place->city = city.name;
	if (city.is_kyoto) {
		const char *town = NULL;
		size_t end = behind_streets(place, &city, from + size, &town);

		if (end > 0) {
			place->town = town;
			return end;
		}
	}
	return from + size;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static size_t
digits_end(const struct text *text, size_t at)
{
	while (at < text->count && is_digit(text->symbols[at]))
		at++;
	return at;
}

static bool
is_letter_after(const struct text *text, size_t at)
{
	return is_latin_letter(symbol_at(text, at));
}

static enum follow
what_follows(const struct text *text, size_t at)
{
	uint16_t symbol = symbol_at(text, at);
	uint16_t next = symbol_at(text, at + 1);

	if (is_one_of(symbol, u"階棟室館") || (symbol == 'f' && !is_letter_after(text, at + 1)) ||
	    (symbol == u'号' && is_one_of(next, u"室棟館")) ||
	    (symbol == u'番' && is_one_of(next, u"館街")) || (symbol == u'街' && next == u'区'))
		return FOLLOW_ROOM;
	if (is_one_of(symbol, u"線条軒区村") || (symbol == u'町' && next != u'目') ||
	    (symbol == u'番' && is_one_of(next, u"町丁")) ||
	    (symbol == u'号' && is_one_of(next, u"東西南北線")))
		return FOLLOW_PART;
	return FOLLOW_NUMBER;
}

/* A dash, or what is typed for one behind a digit: ー, and 一 between digits. */
static bool
is_dash(const struct text *text, size_t at)
{
	uint16_t symbol = symbol_at(text, at);
	bool behind_digit = at > 0 && is_digit(text->symbols[at - 1]);

	return symbol == '-' || (symbol == LONG && behind_digit) ||
	    (symbol == u'一' && behind_digit && is_digit(symbol_at(text, at + 1)));
}

/* Numerals in kanji at the place that stand alone; 0 if there are none. */
static size_t
lone_numerals(const struct text *text, size_t at, uint32_t *ret_value)
{
	size_t run = numeral_run(text->symbols + at, text->count - at);
	size_t end = at + run;
	uint16_t next = symbol_at(text, end);
	bool alone = end == text->count || next == '-' || next == ' ' || next == LONG ||
	    next == '(' ||
	    (next == u'ノ' &&
		(is_digit(symbol_at(text, end + 1)) ||
		    numeral_value(symbol_at(text, end + 1)) >= 0));

	return run > 0 && alone && numeral_read(text->symbols + at, run, ret_value) ? run : 0;
}

/* Where the first number is; text->count if there is none. */
static size_t
first_number(const struct text *text, size_t from)
{
	uint32_t value;

	if (lone_numerals(text, from, &value) > 0)
		return from;
	for (size_t at = from; at < text->count;) {
		size_t end = digits_end(text, at);

		if (end == at) {
			at++;
			continue;
		}
		switch (what_follows(text, end)) {
		case FOLLOW_NUMBER: return at;
		case FOLLOW_PART: at = end + 1; break;
		case FOLLOW_ROOM: return text->count;
		}
	}
	return text->count;
}

static void
add_item(struct place *place, size_t from, size_t to, bool is_value, uint32_t value)
{
	place->items[place->item_count++] =
	    (struct place_item){.from = from, .to = to, .is_value = is_value, .value = value};
}

/* What stands between two numbers. */
struct between {
	size_t end;
	bool is_block; /* 丁目 */
	bool is_go;    /* 号 */
	bool is_dash;
};

static struct between
read_between(const struct text *text, size_t at)
{
	struct between between = {.end = at};

	if ((symbol_at(text, at) == u'丁' || symbol_at(text, at) == u'町')) {
		between.is_block = true;
		between.end = at + (symbol_at(text, at + 1) == u'目' ? 2 : 1);
	} else if (symbol_at(text, at) == u'番') {
		between.end = at + (symbol_at(text, at + 1) == u'地' ? 2 : 1);
	} else if (symbol_at(text, at) == u'号') {
		between.is_go = true;
		between.end = at + 1;
	} else if (symbol_at(text, at) == u'地' && symbol_at(text, at + 1) == u'割') {
		between.end = at + 2;
	}
	if (symbol_at(text, between.end) == u'ノ' &&
	    (is_digit(symbol_at(text, between.end + 1)) ||
		numeral_value(symbol_at(text, between.end + 1)) >= 0))
		between.end++;
	while (is_dash(text, between.end) ||
	    (between.is_dash && symbol_at(text, between.end) == ' ')) {
		between.is_dash = true;
		between.end++;
	}
	return between;
}

/* A short name behind 丁目, before a number: 加島三丁目中5. Returns its size. */
static size_t
name_in_block(const struct text *text, size_t at)
{
	for (size_t size = 1; size <= 2; size++) {
		uint16_t symbol = symbol_at(text, at + size - 1);

		if (symbol < 0x3005)
			return 0;
		if (is_digit(symbol_at(text, at + size)))
			return size;
	}
	return 0;
}

/* The next number at the place, with a letter before it or alone; adds it and returns its end, 0 if there is none. */
static size_t
next_item(struct place *place, size_t at, const struct between *between)
{
	const struct text *text = &place->text;
	uint16_t symbol = symbol_at(text, at);
	size_t head = 0;
	size_t end;
	uint32_t value;
	size_t run = lone_numerals(text, at, &value);

	if (run > 0) {
		add_item(place, at, at + run, true, value);
		return at + run;
	}
	if (between->is_dash &&
	    (is_latin_letter(symbol) || is_katakana(symbol) ||
		is_one_of(symbol, u"甲乙丙丁二八口卜力")))
		head = 1;
	else if (between->is_block)
		head = name_in_block(text, at);
	end = digits_end(text, at + head);
	if (end == at || (end == at + head && !between->is_dash))
		return 0;
	/* A letter alone: only if nothing follows it that it could begin. */
	if (end == at + head && end < text->count && !is_dash(text, end) &&
	    symbol_at(text, end) != ' ')
		return 0;
	if (end > at + head && what_follows(text, end) != FOLLOW_NUMBER)
		return 0;
	add_item(place, at, end, false, 0);
	return end;
}

/* Reads numbers from the first one on; returns where they end and what stands behind them begins. */
static size_t
read_items(struct place *place, size_t at)
{
	const struct text *text = &place->text;
	struct between between = {.end = at};

	while (place->item_count < PLACE_ITEMS_MAX) {
		size_t end = next_item(place, at, &between);

		if (end == 0)
			return at;
		between = read_between(text, end);
		if (between.end == end)
			return end;
		/* Digits right behind 番2号 are a room. */
		if (between.is_go && !between.is_dash && place->item_count >= 2)
			return between.end;
		at = between.end;
	}
	return at;
}

/* Whether the last number may be a room that a dash joined. */
static bool
may_be_room(const struct place *place)
{
	const struct place_item *last;
	size_t size;

	if (place->item_count < 3)
		return false;
	last = &place->items[place->item_count - 1];
	size = last->to - last->from;
	if (last->is_value || !is_digit(place->text.symbols[last->from]))
		return false;
	/* Rooms have a storey before them; parts of a lot hardly have as many digits. */
	return size == 3 || size == 4;
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Whether there is a letter in what belongs to the town. */
static bool
says_something(const struct place *place)
{
	for (size_t i = place->extra_from; i < place->extra_to; i++) {
		uint16_t symbol = place->text.symbols[i];

		if (is_digit(symbol) || is_latin_letter(symbol) ||
		    (symbol > 0x3004 && symbol != u'・'))
			return true;
	}
	return false;
}

bool
place_read(struct bytes address, struct place *ret_place)
{
	AZ_UNCLEARED struct text folded;
	struct text *text = &ret_place->text;
	size_t at;

	ret_place->item_count = 0;
	ret_place->room_by_dash = false;
	fold(address, FOLD_PLACE, &folded);
	if (latin_read(&folded, ret_place))
		return !text->too_long && text->count > 0;
	drop_blanks(&folded);
	count_numerals(&folded, text);
	if (text->too_long || text->count == 0)
		return false;
	at = read_town(ret_place);
	at += aza_size(text, at);
	ret_place->extra_from = at;
	at = first_number(text, at);
	ret_place->extra_to = at;
	while (ret_place->extra_to > ret_place->extra_from &&
	    (is_dash(text, ret_place->extra_to - 1) ||
		symbol_at(text, ret_place->extra_to - 1) == ' '))
		ret_place->extra_to--;
	ret_place->building_from = at < text->count ? read_items(ret_place, at) : at;
	ret_place->room_by_dash = may_be_room(ret_place);
	return ret_place->town != NULL || ret_place->item_count > 0 || says_something(ret_place);
}

static void
spell_number_of(struct spelling *spelling, uint32_t value)
{
	uint8_t digits[10];
	size_t count = 0;

	do {
		digits[count++] = (uint8_t)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (count > 0)
		spelling_put(spelling, digits[--count]);
}

static void
spell_item(const struct place *place, const struct place_item *item, struct spelling *spelling)
{
	if (item->is_value)
		spell_number_of(spelling, item->value);
	else
		spelling_put_symbols(
		    spelling, place->text.symbols + item->from, item->to - item->from);
}

void
place_spell(const struct place *place, bool without_room, struct spelling *spelling)
{
	size_t count = place->item_count - (without_room ? 1 : 0);

	if (place->city != NULL)
		spelling_put_bytes(spelling, bytes_of(place->city));
	if (place->town != NULL)
		spelling_put_bytes(spelling, bytes_of(place->town));
	spelling_put_symbols(
	    spelling, place->text.symbols + place->extra_from, place->extra_to - place->extra_from);
	spelling_separate(spelling);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			spelling_put(spelling, '-');
		spell_item(place, &place->items[i], spelling);
	}
}

/* What a symbol of a building becomes; 0: nothing. Moves *at over what belongs to it. */
static uint16_t
building_symbol(const struct text *text, size_t *at, bool after_digit)
{
	uint16_t symbol = text->symbols[*at];
	bool before_digit = is_digit(symbol_at(text, *at + 1));

	if (symbol == 'f' && after_digit && !is_letter_after(text, *at + 1))
		return u'階';
	if (symbol == u'号' && after_digit) {
		if (symbol_at(text, *at + 1) == u'室')
			(*at)++;
		return is_digit(symbol_at(text, *at + 1)) ? '-' : 0;
	}
	if (symbol == u'室' && after_digit)
		return 0;
	if (symbol == '-' || symbol == ' ' || symbol == LONG)
		return symbol == LONG && !after_digit ? LONG
		    : after_digit && before_digit     ? '-'
						      : 0;
	if (symbol == u'・' || symbol == u'、' || symbol == ',')
		return before_digit ? u'・' : 0;
	return symbol > 0x7f || is_digit(symbol) || is_latin_letter(symbol) ? symbol : 0;
}

void
place_spell_building(const struct place *place, bool with_room, struct spelling *spelling)
{
	const struct text *text = &place->text;

	for (size_t at = place->building_from; at < text->count; at++) {
		bool after_digit = at > place->building_from && is_digit(text->symbols[at - 1]);
		uint16_t symbol = building_symbol(text, &at, after_digit);

		if (symbol != 0)
			spelling_put_symbols(spelling, &symbol, 1);
	}
	if (with_room)
		spell_item(place, &place->items[place->item_count - 1], spelling);
}
