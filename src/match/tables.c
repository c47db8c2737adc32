/*
 * The tables of the packages: classes of kanji and the dictionary of towns, in one file that is mapped and used
 * where it lies (docs/format/match-tables.md).
 *
 *	64   header
 *	     municipalities   slots of 16 bytes: hash u64, place in the lists u32, 0
 *	     towns            slots of 16 bytes: hash u64, place in the strings u32 (bit 31: a number must follow), 0
 *	     ended            slots of 16 bytes: hash u64, the day of its end as YYYYMMDD u32, 0
 *	     folds            twice 65,536 u16
 *	     beyond           pairs of u32
 *	     cities           12 bytes: name u32, lengths of its towns as bits u32, flags u32
 *	     lists            u32: how many, then cities
 *	     strings          UTF-8, each with its NUL
 *
 * A name is found by the hash of its folded symbols; hashes of all lengths come from one pass, and the longest that is
 * there wins. Slots are at most half full. Hashes are 64 bits and free of collisions among the entries, as the
 * script makes sure; that a text of another's hits one by chance is 1 in 10^14.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/wire.h"
#include "match/match_internal.h"

#define MAGIC        "AZMATCH"
#define FORMAT       1u
#define HEADER_SIZE  64u
#define SLOT_SIZE    16u
#define FOLD_SIZE    (2u * 65536u)
#define CITY_SIZE    12u
#define FLAG_KYOTO   1u
#define NEEDS_NUMBER 0x80000000u
#define TOWN_MAX     31u
#define CITY_MAX     32u
#define K            UINT64_C(0x9e3779b97f4a7c15)

struct slots {
	const uint8_t *data;
	uint32_t mask;
};

static struct {
	bool there;
	uint32_t sum;
	struct slots cities, towns, ended;
	const uint8_t *city_data;
	const uint8_t *lists;
	const char *strings;
	uint32_t city_count, list_count, string_size, longest;
} tables;

/* --- loading ---------------------------------------------------------------------------------- */

static bool
is_power_of_two(uint32_t number)
{
	return number != 0 && (number & (number - 1)) == 0;
}

/* Takes size bytes of the file at *at. NULL if they are not there, and for ever after. */
static const uint8_t *
take(struct bytes file, size_t *at, size_t count, size_t size)
{
	const uint8_t *data = file.data + *at;
	size_t all;

	if (*at > file.size || !az_mul(count, size, &all) || all > file.size - *at) {
		*at = file.size + 1;
		return NULL;
	}
	*at += all;
	return data;
}

static bool
slots_are_sound(struct slots slots, uint32_t flags, uint32_t limit)
{
	size_t used = 0;

	for (size_t i = 0; i <= slots.mask; i++) {
		const uint8_t *slot = slots.data + i * SLOT_SIZE;

		if (wire_load_u64(slot) == 0)
			continue;
		used++;
		if ((wire_load_u32(slot + 8) & ~flags) >= limit)
			return false;
	}
	/* A search ends at an empty slot. */
	return used <= slots.mask;
}

/* Whether what stands there can be read as a list; how many cities it has. */
static bool
is_list(uint32_t at, uint32_t *ret_count)
{
	uint32_t count = wire_load_u32(tables.lists + 4 * (size_t)at);

	if (count >= tables.list_count - at)
		return false;
	for (uint32_t i = 1; i <= count; i++) {
		if (wire_load_u32(tables.lists + 4 * ((size_t)at + i)) >= tables.city_count)
			return false;
	}
	*ret_count = count;
	return true;
}

static bool
lists_are_sound(void)
{
	uint32_t count = 0;

	for (uint32_t at = 1; at < tables.list_count; at += count + 1) {
		if (!is_list(at, &count))
			return false;
	}
	for (size_t i = 0; i <= tables.cities.mask; i++) {
		const uint8_t *slot = tables.cities.data + i * SLOT_SIZE;

		if (wire_load_u64(slot) != 0 && !is_list(wire_load_u32(slot + 8), &count))
			return false;
	}
	return true;
}

static bool
are_sound(void)
{
	if (tables.string_size == 0 || tables.strings[tables.string_size - 1] != '\0' ||
	    tables.longest > CITY_MAX || !slots_are_sound(tables.cities, 0, tables.list_count) ||
	    !lists_are_sound() ||
	    !slots_are_sound(tables.towns, NEEDS_NUMBER, tables.string_size) ||
	    !slots_are_sound(tables.ended, NEEDS_NUMBER, NEEDS_NUMBER))
		return false;
	for (uint32_t i = 0; i < tables.city_count; i++) {
		if (wire_load_u32(tables.city_data + (size_t)i * CITY_SIZE) >= tables.string_size)
			return false;
	}
	return true;
}

void
match_tables_drop(void)
{
	memset(&tables, 0, sizeof(tables));
	fold_use_base();
}

enum az_status
match_tables_use(struct bytes file, struct az_err *reterr)
{
	struct fold_tables folds = {0};
	const uint8_t *header = file.data;
	size_t at = HEADER_SIZE;
	uint32_t counts[3];

	match_tables_drop();
	if (file.size < HEADER_SIZE ||
	    !bytes_equal(bytes_make(header, sizeof(MAGIC)), bytes_make(MAGIC, sizeof(MAGIC))) ||
	    (uintptr_t)file.data % 8 != 0)
		return az_fail(reterr, AZ_CORRUPT, "the match tables are no match tables");
	if (wire_load_u32(header + 8) != FORMAT || wire_load_u32(header + 16) != fold_base_sum())
		return az_fail(reterr, AZ_CORRUPT, "the match tables are of another release");
	tables.sum = wire_load_u32(header + 12);
	if (bytes_crc32(bytes_make(file.data + HEADER_SIZE, file.size - HEADER_SIZE)) != tables.sum)
		return az_fail(reterr, AZ_CORRUPT, "the match tables are damaged");
	for (size_t i = 0; i < 3; i++) {
		counts[i] = wire_load_u32(header + 20 + 4 * i);
		if (!is_power_of_two(counts[i]))
			return az_fail(reterr, AZ_CORRUPT, "the match tables are damaged");
	}
	folds.beyond_count = wire_load_u32(header + 32);
	tables.city_count = wire_load_u32(header + 36);
	tables.list_count = wire_load_u32(header + 40);
	tables.string_size = wire_load_u32(header + 44);
	tables.longest = wire_load_u32(header + 48);
	tables.cities = (struct slots){take(file, &at, counts[0], SLOT_SIZE), counts[0] - 1};
	tables.towns = (struct slots){take(file, &at, counts[1], SLOT_SIZE), counts[1] - 1};
	tables.ended = (struct slots){take(file, &at, counts[2], SLOT_SIZE), counts[2] - 1};
	folds.symbols[FOLD_NAME] = (const uint16_t *)(const void *)take(file, &at, 1, FOLD_SIZE);
	folds.symbols[FOLD_PLACE] = (const uint16_t *)(const void *)take(file, &at, 1, FOLD_SIZE);
	folds.beyond = (const uint32_t *)(const void *)take(file, &at, folds.beyond_count, 8);
	tables.city_data = take(file, &at, tables.city_count, CITY_SIZE);
	tables.lists = take(file, &at, tables.list_count, 4);
	tables.strings = (const char *)take(file, &at, tables.string_size, 1);
	if (at != file.size || !are_sound()) {
		match_tables_drop();
		return az_fail(reterr, AZ_CORRUPT, "the match tables are damaged");
	}
	fold_use(&folds);
	tables.there = true;
	return AZ_OK;
}

enum az_status
match_tables_map(int fd, struct az_err *reterr)
{
	struct stat stat;
	void *data;
	enum az_status status;

	if (fstat(fd, &stat) != 0)
		return az_fail_errno(reterr, AZ_IO, errno, "the match tables");
	if (S_ISCHR(stat.st_mode))
		return AZ_OK;
	if (!S_ISREG(stat.st_mode) || stat.st_size < (off_t)HEADER_SIZE)
		return az_fail(reterr, AZ_CORRUPT, "the match tables are no match tables");
	data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return az_fail_errno(reterr, AZ_IO, errno, "the match tables");
	status = match_tables_use(bytes_make(data, (size_t)stat.st_size), reterr);
	/* Mapped for as long as the process lives. */
	if (status != AZ_OK)
		(void)munmap(data, (size_t)stat.st_size);
	return status;
}

bool
tables_are_there(void)
{
	return tables.there;
}

uint32_t
match_tables_sum(void)
{
	return tables.there ? tables.sum : 0;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* The hash of the first i + 1 symbols, before it is closed, in hashes[i]. */
static size_t
hash_prefixes(
    const uint16_t *symbols, size_t count, uint64_t seed, size_t max, uint64_t hashes[CITY_MAX])
{
	uint64_t hash = seed * K + K;

	if (count > max)
		count = max;
	for (size_t i = 0; i < count; i++) {
		hash = ((hash << 5 | hash >> 59) ^ symbols[i]) * K;
		hashes[i] = hash;
	}
	return count;
}

static bool
slots_find(struct slots slots, uint64_t hash, uint32_t *ret_value)
{
	hash ^= hash >> 32;
	if (hash == 0)
		hash = 1;
	for (uint32_t at = (uint32_t)hash & slots.mask;; at = (at + 1) & slots.mask) {
		const uint8_t *slot = slots.data + (size_t)at * SLOT_SIZE;
		uint64_t found = wire_load_u64(slot);

		if (found == hash) {
			*ret_value = wire_load_u32(slot + 8);
			return true;
		}
		if (found == 0)
			return false;
	}
}

static struct city
city_at(uint32_t number)
{
	const uint8_t *data = tables.city_data + (size_t)number * CITY_SIZE;

	return (struct city){.name = tables.strings + wire_load_u32(data),
	    .number = number,
	    .is_kyoto = (wire_load_u32(data + 8) & FLAG_KYOTO) != 0};
}

/* 大字, 小字 or 字 before a town, which people write or leave out. */
static size_t
aza_size(const uint16_t *symbols, size_t count)
{
	if (count > 2 && (symbols[0] == u'大' || symbols[0] == u'小') && symbols[1] == u'字')
		return 2;
	return count > 1 && symbols[0] == u'字' ? 1 : 0;
}

static bool
a_number_follows(const uint16_t *symbols, size_t count, size_t at)
{
	return at == count || is_digit(symbols[at]) || numeral_value(symbols[at]) >= 0 ||
	    aza_size(symbols + at, count - at) > 0;
}

size_t
tables_find_town(
    const struct city *city, const uint16_t *symbols, size_t count, const char **ret_town)
{
	AZ_UNCLEARED uint64_t hashes[CITY_MAX];
	size_t aza = aza_size(symbols, count);
	uint32_t lengths = wire_load_u32(tables.city_data + (size_t)city->number * CITY_SIZE + 4);

	symbols += aza;
	count -= aza;
	for (size_t size = hash_prefixes(symbols, count, city->number + 1u, TOWN_MAX, hashes);
	     size > 0; size--) {
		uint32_t value;

		if ((lengths >> size & 1u) == 0 ||
		    !slots_find(tables.towns, hashes[size - 1], &value))
			continue;
		if ((value & NEEDS_NUMBER) != 0 && !a_number_follows(symbols, count, size))
			continue;
		*ret_town = tables.strings + (value & ~NEEDS_NUMBER);
		return aza + size;
	}
	return 0;
}

/* Which of the municipalities of one name is meant: the only one, or the one that has the town. */
static bool
choose(uint32_t list, const uint16_t *symbols, size_t count, struct city *ret_city,
    const char **ret_town, size_t *ret_size)
{
	uint32_t number = wire_load_u32(tables.lists + 4 * (size_t)list);
	bool tie = number > 1;
	size_t best = 0;

	for (uint32_t i = 1; i <= number; i++) {
		struct city city = city_at(wire_load_u32(tables.lists + 4 * ((size_t)list + i)));
		const char *town = NULL;
		size_t size = tables_find_town(&city, symbols, count, &town);

		if (number > 1 && size == best) {
			tie = true;
		} else if (size > best || number == 1) {
			best = size;
			tie = false;
			*ret_city = city;
			*ret_town = town;
			*ret_size = size;
		}
	}
	return !tie;
}

bool
tables_find(const uint16_t *symbols, size_t count, struct city *ret_city, const char **ret_town,
    size_t *ret_size)
{
	AZ_UNCLEARED uint64_t hashes[CITY_MAX];

	*ret_town = NULL;
	if (!tables.there)
		return false;
	for (size_t size = hash_prefixes(symbols, count, 0, tables.longest, hashes); size > 1;
	     size--) {
		uint32_t list;

		if (!slots_find(tables.cities, hashes[size - 1], &list))
			continue;
		if (choose(list, symbols + size, count - size, ret_city, ret_town, ret_size)) {
			*ret_size += size;
			return true;
		}
	}
	return false;
}
