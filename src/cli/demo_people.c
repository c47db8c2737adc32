/*
 * People, one after the other, out of two streams of numbers: one for who they are, the same at every delivery, and one
 * for each person and delivery, for what has happened to them since. Some homes are drawn from a stream that all clients
 * share: whoever lives there is in the lists of several.
 */
#include <stdio.h>
#include <string.h>

#include "cli/demo.h"

uint64_t
demo_next(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

uint32_t
demo_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(demo_next(state) % bound);
}

static uint64_t
mix(uint64_t seed, uint64_t with)
{
	uint64_t state = seed ^ with * UINT64_C(0xd1342543de82ef95);

	return demo_next(&state);
}

void
demo_people_start(struct demo_people *people, const struct demo_names *names, uint64_t seed,
    uint32_t client, uint32_t count, uint32_t homes, uint32_t delivery)
{
	*people = (struct demo_people){.names = names,
	    .seed = mix(mix(seed, 1), client),
	    .shared = mix(seed, 2),
	    .shared_homes = homes,
	    .count = count,
	    .delivery = delivery};
	people->state = people->seed;
}

/* Each number is drawn by a statement of its own: the order of arguments is the compiler's. */
static void
move_in(const struct demo_names *names, uint64_t *state, struct demo_home *home)
{
	uint32_t exchange = demo_below(state, 1000);
	uint32_t line = demo_below(state, 10000);
	/* A few surnames have most of the people: the square leans to the front of the list. */
	uint64_t lean = demo_below(state, 1u << 16);

	lean = lean * lean >> 16;
	home->surname = &names->surnames[lean * names->surname_count >> 16];
	home->town = &names->towns[demo_below(state, (uint32_t)names->town_count)];
	home->block = 1 + demo_below(state, 9);
	home->lot = 1 + demo_below(state, 30);
	home->house = 1 + demo_below(state, 40);
	home->room = demo_below(state, 4) == 0 ? 100 * (1 + demo_below(state, 9)) + 1 : 0;
	(void)snprintf(home->phone, sizeof(home->phone), "03-0%03u-%04u", exchange, line);
	home->left = 1 + demo_below(state, 4);
}

/* What tells one person of a home from another. */
struct who {
	const struct demo_name *given;
	bool woman;
	uint32_t year, month, day;
	char mobile[16];
	bool has_mobile, has_email;
};

static void
draw(const struct demo_names *names, uint64_t *state, struct who *who)
{
	uint32_t exchange = demo_below(state, 1000);
	uint32_t line = demo_below(state, 10000);

	who->woman = demo_below(state, 2) == 0;
	who->given = who->woman ? &names->women[demo_below(state, (uint32_t)names->woman_count)]
				: &names->men[demo_below(state, (uint32_t)names->man_count)];
	who->year = 1930 + demo_below(state, 75);
	who->month = 1 + demo_below(state, 12);
	who->day = 1 + demo_below(state, 28);
	(void)snprintf(who->mobile, sizeof(who->mobile), "090-0%03u-%04u", exchange, line);
	who->has_mobile = demo_below(state, 10) < 8;
	who->has_email = demo_below(state, 10) < 6;
}

/* --- how it is written -------------------------------------------------------------------------- */

/* Exchanges the first kanji of text that has another spelling. */
static void
respell(const struct demo_names *names, char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		/* Kanji have three bytes, as have all members of a spelling. */
		if (((uint8_t)*at & 0xf0) != 0xe0 || strlen(at) < 3)
			continue;
		for (size_t i = 0; i < names->spelling_count; i++) {
			const char *spelling = names->spellings[i];

			if (strncmp(spelling, at, 3) == 0 && strlen(spelling) >= 6) {
				memcpy(at, spelling + 3, 3);
				return;
			}
		}
	}
}

/* Digits as wide as kanji. */
static void
widen(char *text, size_t room)
{
	char wide[DEMO_VALUE];
	size_t size = 0;

	for (const char *at = text; *at != '\0' && size + 4 < sizeof(wide); at++) {
		if (*at >= '0' && *at <= '9') {
			memcpy(wide + size, "\xef\xbc", 2);
			wide[size + 2] = (char)(0x90 + (*at - '0'));
			size += 3;
		} else {
			wide[size++] = *at;
		}
	}
	wide[size] = '\0';
	(void)snprintf(text, room, "%s", wide);
}

static void
write_address(const struct demo_home *home, bool in_words, char text[DEMO_VALUE])
{
	int size = snprintf(text, DEMO_VALUE, in_words ? "%s%u丁目%u番%u号" : "%s%u-%u-%u",
	    home->town->place, home->block, home->lot, home->house);

	if (home->room != 0 && size > 0 && (size_t)size < DEMO_VALUE)
		(void)snprintf(text + size, DEMO_VALUE - (size_t)size, " コーポ%s%u",
		    home->surname->kanji, home->room);
}

static void
write_person(const struct demo_home *home, const struct who *who, uint32_t number,
    struct demo_person *person)
{
	(void)snprintf(person->values[DEMO_NUMBER], DEMO_VALUE, "%06u", number);
	(void)snprintf(person->values[DEMO_NAME], DEMO_VALUE, "%s %s", home->surname->kanji,
	    who->given->kanji);
	(void)snprintf(
	    person->values[DEMO_KANA], DEMO_VALUE, "%s %s", home->surname->kana, who->given->kana);
	(void)snprintf(person->values[DEMO_BIRTH], DEMO_VALUE, "%04u-%02u-%02u", who->year,
	    who->month, who->day);
	(void)snprintf(person->values[DEMO_SEX], DEMO_VALUE, "%s", who->woman ? "F" : "M");
	(void)snprintf(person->values[DEMO_POSTCODE], DEMO_VALUE, "%s", home->town->postcode);
	write_address(home, false, person->values[DEMO_ADDRESS]);
	(void)snprintf(person->values[DEMO_PHONE], DEMO_VALUE, "%s", home->phone);
	(void)snprintf(
	    person->values[DEMO_MOBILE], DEMO_VALUE, "%s", who->has_mobile ? who->mobile : "");
	if (who->has_email)
		(void)snprintf(person->values[DEMO_EMAIL], DEMO_VALUE, "%s.%s%u@example.jp",
		    who->given->latin, home->surname->latin, number);
	else
		person->values[DEMO_EMAIL][0] = '\0';
}

/* --- one after the other -------------------------------------------------------------------------- */

static void
next_home(struct demo_people *people)
{
	uint32_t which = demo_below(&people->state, 8);
	uint32_t shared =
	    people->shared_homes > 0 ? demo_below(&people->state, people->shared_homes) : 0;
	uint64_t state = mix(people->shared, shared);

	if (which == 0 && people->shared_homes > 0)
		move_in(people->names, &state, &people->home);
	else
		move_in(people->names, &people->state, &people->home);
}

/* What has happened to somebody since the first delivery, by one number of a hundred. False: they are in the list no more. */
static bool
happen(
    struct demo_people *people, struct demo_home *home, struct who *who, struct demo_person *person)
{
	uint64_t state = mix(people->seed, (uint64_t)people->number << 8 | people->delivery);
	uint32_t what = demo_below(&state, 100);
	bool moves = what < 4;
	bool marries = what >= 4 && what < 6;

	if (what >= 98)
		return false;
	if (moves || marries) {
		const struct demo_name *before = home->surname;

		move_in(people->names, &state, home);
		if (moves)
			home->surname = before;
	}
	if (what >= 6 && what < 9) {
		uint32_t exchange = demo_below(&state, 1000);
		uint32_t line = demo_below(&state, 10000);

		(void)snprintf(who->mobile, sizeof(who->mobile), "090-0%03u-%04u", exchange, line);
	}
	write_person(home, who, people->number, person);
	if (what >= 9 && what < 12)
		respell(people->names, person->values[DEMO_NAME]);
	if (what >= 12 && what < 15)
		write_address(home, true, person->values[DEMO_ADDRESS]);
	if (what >= 15 && what < 18)
		widen(person->values[DEMO_ADDRESS], DEMO_VALUE);
	return true;
}

bool
demo_people_next(struct demo_people *people, struct demo_person *person)
{
	/* One in fifty more came to each later delivery. */
	uint32_t count = people->count + people->count / 50 * (people->delivery - 1);

	while (people->number < count) {
		struct demo_home home;
		struct who who;

		people->number++;
		if (people->home.left == 0)
			next_home(people);
		people->home.left--;
		draw(people->names, &people->state, &who);
		home = people->home;
		if (people->delivery > 1) {
			if (!happen(people, &home, &who, person))
				continue;
		} else {
			write_person(&home, &who, people->number, person);
		}
		return true;
	}
	return false;
}
