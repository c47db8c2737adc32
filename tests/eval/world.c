/*
 * People are functions of their number: whatever is asked of one, on any day, comes out of a hash, so that a
 * population costs no memory. What clients and staff do is drawn once, when a world is made.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const surnames[] = {"佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本",
    "中村", "小林", "加藤", "吉田", "山田", "佐々木", "山口", "松本", "井上", "木村", "林", "斎藤",
    "清水", "山崎", "森", "池田", "橋本", "阿部", "石川", "山下", "中島", "石井", "小川", "前田",
    "岡田", "長谷川", "藤田", "後藤", "近藤", "村上", "遠藤", "青木", "坂本", "斉藤", "福田",
    "太田", "西村", "藤井", "金子", "岡本", "藤原", "三浦", "中野", "原田", "松田", "竹内", "小野",
    "中川", "安藤", "荒木", "大塚", "平野", "菅原", "久保", "野口", "千葉", "岩崎", "桜井", "木下",
    "新井", "増田", "小島", "野村", "杉山", "高木", "丸山", "武田", "上野", "市川", "宮崎", "大西",
    "島田", "工藤", "早川", "寺田", "関", "古川", "水野", "桑原", "吉川", "山内", "川口", "渋谷",
    "矢野", "松尾", "浜田", "小松", "本田", "本多", "宮本", "内田", "菊地", "菊池", "大野", "服部",
    "樋口"};
static const char *const given_names[] = {"健一", "翔太", "大輔", "誠", "浩", "健太", "拓也",
    "直樹", "剛", "隆", "茂", "勇", "正", "清", "進", "博", "修", "豊", "実", "学", "亮", "陽介",
    "和也", "達也", "雄太", "智也", "秀樹", "英樹", "康弘", "裕介", "陽子", "恵子", "幸子", "美咲",
    "愛", "葵", "陽菜", "さくら", "結衣", "花子", "由美子", "久美子", "直美", "智子", "真由美",
    "明美", "京子", "和子", "節子", "文子", "千代", "美穂", "彩", "麻衣", "裕子", "典子", "洋子",
    "順子", "典明", "信夫", "昭", "武", "勝", "弘", "三郎", "一郎", "次郎", "太郎", "光", "蓮",
    "悠真", "湊", "樹", "大翔", "凛", "紬", "莉子", "芽依", "杏", "里奈", "沙織", "香織", "恵美",
    "由紀", "友美", "絵美", "千尋", "瞳", "舞", "栞"};
static const char *const cities[] = {"東京都千代田区", "東京都世田谷区", "大阪府堺市北区",
    "福岡県北九州市門司区", "北海道札幌市中央区", "愛知県名古屋市緑区", "神奈川県横浜市港北区",
    "京都府京都市伏見区", "兵庫県尼崎市", "広島県呉市", "宮城県仙台市青葉区", "埼玉県川口市",
    "千葉県船橋市", "静岡県浜松市中央区", "長崎県佐世保市", "熊本県熊本市東区"};
static const char *const towns[] = {"本町", "栄町", "緑ケ丘", "桜台", "中央", "東町", "西町",
    "新町", "旭町", "若葉台", "泉町", "大手町", "幸町", "元町", "末広", "松原", "日の出", "南町",
    "北町", "浜町", "宮前", "港町", "富士見", "川端", "千代田", "美園", "青葉台", "高砂", "昭和町",
    "清水町"};
static const char *const houses[] = {
    "ハイツ", "コーポ", "メゾン", "グランド", "サンライズ", "パーク", "リバーサイド", "第二"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- chance ----------------------------------------------------------------------------------- */

static uint64_t
stir(uint64_t number)
{
	number = (number ^ number >> 33) * UINT64_C(0xff51afd7ed558ccd);
	number = (number ^ number >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return number ^ number >> 33;
}

uint64_t
random_next(struct random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return stir(random->state);
}

uint32_t
random_below(struct random *random, uint32_t bound)
{
	return (uint32_t)((random_next(random) >> 32) * bound >> 32);
}

double
random_unit(struct random *random)
{
	return (double)(random_next(random) >> 11) / 9007199254740992.0;
}

bool
random_chance(struct random *random, double chance)
{
	return random_unit(random) < chance;
}

/* --- people ----------------------------------------------------------------------------------- */

static uint64_t
trait(uint32_t person, unsigned int what, unsigned int epoch)
{
	return stir(
	    ((uint64_t)person << 24) ^ ((uint64_t)what << 12) ^ epoch ^ UINT64_C(0x5bd1e995) << 32);
}

/* Common names are much commoner than rare ones. */
static size_t
skewed(uint64_t number, size_t count)
{
	double unit = (double)(number >> 11) / 9007199254740992.0;

	return (size_t)(unit * unit * (double)count);
}

/* How many events of a kind have come by a day: each a day out of a hash, years apart on average. */
static uint8_t
events_by(uint32_t person, unsigned int what, int day, double years)
{
	double at = 0.0;
	uint8_t count = 0;

	while (count < 6) {
		double unit = (double)((trait(person, what, count) >> 11) + 1) / 9007199254740993.0;
		double gap = unit;

		/* Minus the logarithm, by a few terms of its series: nothing here needs it exact. */
		gap = 2.0 * (1.0 - unit) / (1.0 + unit) + (1.0 - unit) * (1.0 - unit) * 0.35;
		at += gap * years * 365.0;
		if (at > (double)day)
			break;
		count++;
	}
	return count;
}

struct epochs
world_epochs(uint32_t person, int day)
{
	struct epochs epochs = {.moves = events_by(person, 20, day, 11.0),
	    .phones = events_by(person, 21, day, 16.0),
	    .marriages = events_by(person, 22, day, 60.0)};

	if (epochs.marriages > 1)
		epochs.marriages = 1;
	return epochs;
}

static const char *const full_digits[] = {
    "０", "１", "２", "３", "４", "５", "６", "７", "８", "９"};

static char *
put_text(char *at, const char *text)
{
	size_t size = strlen(text);

	memcpy(at, text, size);
	return at + size;
}

static char *
put_number(char *at, unsigned long number, bool full)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%lu", number);
	if (!full)
		return put_text(at, digits);
	for (const char *digit = digits; *digit != '\0'; digit++)
		at = put_text(at, full_digits[*digit - '0']);
	return at;
}

/* An address in one of several ways of writing it: style of the client, quirk of the clerk. */
static char *
put_address(char *at, uint32_t person, struct epochs epochs, uint8_t style, uint16_t quirk)
{
	uint64_t where = trait(person, 3, epochs.moves);
	bool full = (style & 1) != 0;
	bool words = (style & 2) != 0 || quirk % 23 == 0;
	bool building = where % 3 == 0 && !((style & 4) != 0 && quirk % 2 == 0);

	at = put_text(at, cities[(where >> 8) % COUNT(cities)]);
	at = put_text(at, towns[(where >> 16) % COUNT(towns)]);
	at = put_number(at, (where >> 24) % 6 + 1, full);
	at = put_text(at, words ? "丁目" : full ? "−" : "-");
	at = put_number(at, (where >> 32) % 30 + 1, full);
	at = put_text(at, words ? "番" : full ? "−" : "-");
	at = put_number(at, (where >> 40) % 20 + 1, full);
	if (words && quirk % 5 != 0)
		at = put_text(at, "号");
	if (building) {
		at = put_text(at, full ? "　" : " ");
		at = put_text(at, houses[(where >> 48) % COUNT(houses)]);
		at = put_text(at, towns[(where >> 16) % COUNT(towns)]);
		at = put_number(at, (where >> 52) % 9 * 100 + (where >> 56) % 8 + 101, full);
	}
	*at++ = '\0';
	return at;
}

void
world_write(uint32_t person, struct epochs epochs, uint8_t style, uint16_t quirk, bool with_birth,
    char *text, struct row *ret_row)
{
	uint64_t name = trait(person, 1, epochs.marriages);
	uint64_t given = trait(person, 2, 0);
	uint64_t phone = trait(person, 4, epochs.phones);
	uint64_t birth = trait(person, 5, 0);
	uint64_t where = trait(person, 3, epochs.moves);
	char *at = text;
	char *begin;

	memset(ret_row, 0, sizeof(*ret_row));
	at = put_text(at, surnames[skewed(name, COUNT(surnames))]);
	at = put_text(at, (style & 8) != 0 ? "　" : quirk % 19 == 0 ? "" : " ");
	at = put_text(at, given_names[skewed(given, COUNT(given_names))]);
	*at++ = '\0';
	ret_row->values[FIELD_NAME] = bytes_of(text);
	begin = at;
	at = put_address(at, person, epochs, style, quirk);
	ret_row->values[FIELD_ADDRESS] = bytes_of(begin);
	begin = at;
	at += snprintf(at, 32, (style & 16) != 0 ? "0%lu0%04lu%04lu" : "0%lu0-%04lu-%04lu",
		  (unsigned long)(phone % 3 + 7), (unsigned long)(phone >> 8) % 10000,
		  (unsigned long)(phone >> 24) % 10000) +
	    1;
	ret_row->values[FIELD_PHONE] = bytes_of(begin);
	begin = at;
	at += snprintf(at, 32, (style & 16) != 0 ? "%03lu%04lu" : "%03lu-%04lu",
		  (unsigned long)((where >> 8) % COUNT(cities)) * 57 + 20,
		  (unsigned long)((where >> 16) % COUNT(towns)) * 31 + 1) +
	    1;
	ret_row->values[FIELD_POSTCODE] = bytes_of(begin);
	if (!with_birth)
		return;
	(void)snprintf(at, 32, (style & 32) != 0 ? "%lu/%lu/%lu" : "%lu-%02lu-%02lu",
	    (unsigned long)(1935 + birth % 70), (unsigned long)((birth >> 8) % 12 + 1),
	    (unsigned long)((birth >> 16) % 28 + 1));
	ret_row->values[FIELD_BIRTH] = bytes_of(at);
}

/* --- clients and their deliveries ------------------------------------------------------------- */

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

uint8_t
world_version_on(const struct world_record *record, int day)
{
	for (uint8_t v = record->version_count; v > 0; v--) {
		if (record->versions[v - 1].from_day <= day)
			return v;
	}
	return 0;
}

static bool
same_epochs(struct epochs a, struct epochs b)
{
	return a.moves == b.moves && a.phones == b.phones && a.marriages == b.marriages;
}

/* What the client knows of somebody on a day: late, and of some changes never. */
static struct epochs
known_epochs(const struct world_record *record, int day)
{
	int late = record->quirk % 7 == 0 ? WORLD_DAYS : record->quirk % 300;

	return world_epochs(record->person, day - late > 0 ? day - late : 0);
}

static void
deliver(struct world *world, struct world_client *client, int delivery)
{
	int day = client->deliveries[delivery].day;

	for (uint32_t i = 0; i < client->record_count; i++) {
		struct world_record *record = &world->records[client->first_record + i];
		/* A part joins later than the first delivery. */
		int joins = record->quirk % 3 == 0 ? (int)(record->quirk % WORLD_DAYS) : 0;
		struct epochs epochs = known_epochs(record, day);
		struct world_version *last =
		    record->version_count > 0 ? &record->versions[record->version_count - 1] : NULL;

		if (joins > day)
			continue;
		client->deliveries[delivery].rows++;
		if ((last != NULL && same_epochs(last->epochs, epochs)) ||
		    record->version_count == WORLD_VERSIONS)
			continue;
		if (last != NULL)
			last->to_day = day;
		record->versions[record->version_count++] = (struct world_version){
		    .epochs = epochs, .from_day = day, .to_day = WORLD_DAYS + 1};
	}
}

/* Half of each client's people come from one part of the population; each is there once. */
static uint32_t
draw_person(struct world *world, int client, uint8_t *known)
{
	uint32_t person;

	do {
		person = random_chance(&world->random, 0.5)
		    ? (uint32_t)client * 20000 + random_below(&world->random, 20000)
		    : random_below(&world->random, WORLD_POPULATION);
	} while (known[person] != 0);
	known[person] = 1;
	return person;
}

static void
make_clients(struct world *world)
{
	static const uint32_t sizes[WORLD_CLIENTS] = {
	    9000, 6000, 6000, 4000, 4000, 3000, 3000, 2000, 2000, 1500, 1000, 600};
	uint8_t *known = must(calloc(WORLD_POPULATION, 1));
	uint32_t next = 1;

	for (int c = 0; c < WORLD_CLIENTS; c++) {
		struct world_client *client = &world->clients[c];
		int day = (int)random_below(&world->random, 400);

		memset(known, 0, WORLD_POPULATION);

		client->first_record = next;
		client->record_count = sizes[c];
		client->style = (uint8_t)random_below(&world->random, 64);
		world->records =
		    must(realloc(world->records, (next + sizes[c]) * sizeof(*world->records)));
		for (uint32_t i = 0; i < sizes[c]; i++, next++)
			world->records[next] = (struct world_record){.client = (uint16_t)c,
			    .person = draw_person(world, c, known),
			    .quirk = (uint16_t)random_next(&world->random)};
		while (day < WORLD_DAYS && client->delivery_count < WORLD_DELIVERIES) {
			client->deliveries[client->delivery_count].day = day;
			deliver(world, client, client->delivery_count++);
			day += 90 + (int)random_below(&world->random, 300);
		}
	}
	free(known);
	world->record_count = next - 1;
}

/* --- staff ------------------------------------------------------------------------------------ */

#define AGENTS      80u
#define MAINTAINERS 6u
#define SHADOW      60 /* days that somebody new sits beside another, and sees what they see */

static struct world_carrier *
open_carrier(struct world *world, uint32_t staff, int client, int day)
{
	if (world->carrier_count == world->carrier_room) {
		world->carrier_room = world->carrier_room == 0 ? 4096 : world->carrier_room * 2;
		world->carriers =
		    must(realloc(world->carriers, world->carrier_room * sizeof(*world->carriers)));
	}
	world->carriers[world->carrier_count] = (struct world_carrier){.staff = staff,
	    .client = (uint16_t)client,
	    .day = day,
	    .delivery = -1,
	    .first_access = world->access_count};
	return &world->carriers[world->carrier_count++];
}

/* Shows a record on the carrier's day, if there is a version of it by then. */
static void
show(struct world *world, struct world_carrier *carrier, uint32_t record, bool with_birth)
{
	uint8_t version = world_version_on(&world->records[record], carrier->day);

	if (version == 0)
		return;
	if (world->access_count == world->access_room) {
		world->access_room = world->access_room == 0 ? 65536 : world->access_room * 2;
		world->accesses =
		    must(realloc(world->accesses, world->access_room * sizeof(*world->accesses)));
	}
	world->accesses[world->access_count++] = (struct world_access){.record = record,
	    .carrier = (uint32_t)(carrier - world->carriers),
	    .version = version,
	    .with_birth = with_birth};
	carrier->access_count++;
}

struct team {
	int client;
	bool with_birth;
	uint32_t *pool;
};

static void
draw_pool(struct world *world, struct team *team, int quarter, int at)
{
	const struct world_client *client;

	if ((quarter + at) % 5 == 0 || random_chance(&world->random, 0.1)) {
		team->client = (int)random_below(&world->random, WORLD_CLIENTS);
		team->with_birth = random_chance(&world->random, 0.5);
	}
	client = &world->clients[team->client];
	team->pool = world->pools[quarter][at].records;
	world->pools[quarter][at].client = team->client;
	for (uint32_t i = 0; i < WORLD_POOL; i++)
		team->pool[i] =
		    client->first_record + random_below(&world->random, client->record_count);
}

static void
work_a_day(struct world *world, uint32_t staff, const struct team *team, int day)
{
	struct world_carrier *carrier = open_carrier(world, staff, team->client, day);
	const struct world_client *client = &world->clients[team->client];
	uint32_t calls = 5 + random_below(&world->random, 8);

	for (uint32_t i = 0; i < calls; i++) {
		uint32_t record;

		if (random_chance(&world->random, 0.15))
			record = client->first_record +
			    random_below(&world->random, client->record_count);
		else
			record = team->pool[random_below(&world->random, WORLD_POOL)];
		show(world, carrier, record, team->with_birth);
	}
	if (carrier->access_count == 0)
		world->carrier_count--;
}

/* Who sits beside another is shown what that one is shown. */
static void
shadow_a_day(struct world *world, uint32_t staff, uint32_t mentor, int day)
{
	for (uint32_t i = world->carrier_count; i > 0 && world->carriers[i - 1].day == day; i--) {
		const struct world_carrier *seen = &world->carriers[i - 1];
		uint32_t first = seen->first_access;
		uint32_t count = seen->access_count;
		struct world_carrier *carrier;

		if (seen->staff != mentor)
			continue;
		carrier = open_carrier(world, staff, seen->client, day);
		for (uint32_t a = 0; a < count; a++)
			show(world, carrier, world->accesses[first + a].record,
			    world->accesses[first + a].with_birth);
		return;
	}
}

static void
export_something(struct world *world, uint32_t staff, int day)
{
	/* Each looks after two clients, and helps out with others now and then. */
	int at = random_chance(&world->random, 0.8)
	    ? (int)((staff - AGENTS) * 2 + random_below(&world->random, 2)) % WORLD_CLIENTS
	    : (int)random_below(&world->random, WORLD_CLIENTS);
	struct world_client *client = &world->clients[at];
	struct world_carrier *carrier;
	int last = -1;

	for (int d = 0; d < client->delivery_count && client->deliveries[d].day <= day; d++)
		last = d;
	if (last < 0)
		return;
	carrier = open_carrier(world, staff, at, day);
	carrier->is_export = true;
	if (random_chance(&world->random, 0.5)) {
		carrier->delivery = last;
		return;
	}
	/* For a dialler: a part of the client's people. */
	for (uint32_t i = 0; i < client->record_count; i++) {
		if (random_chance(&world->random, 0.25))
			show(world, carrier, client->first_record + i, true);
	}
}

/* A third of the agents begin beside somebody of their team who has been there for a while. */
static void
find_mentor(struct world *world, uint32_t s)
{
	struct world_staff *staff = &world->staff[s];

	/* The mentor comes first in the team, so that their day is drawn before. */
	if (s % 3 != 0)
		return;
	for (uint32_t other = s % WORLD_TEAMS; other < s; other += WORLD_TEAMS) {
		const struct world_staff *mentor = &world->staff[other];

		if (mentor->from_day + 2 * SHADOW < staff->from_day &&
		    mentor->to_day > staff->from_day + SHADOW)
			staff->mentor = other;
	}
}

static void
make_staff(struct world *world)
{
	struct team *teams = must(calloc(WORLD_TEAMS, sizeof(*teams)));

	world->staff_count = AGENTS + MAINTAINERS;
	world->staff = must(calloc(world->staff_count, sizeof(*world->staff)));
	for (uint32_t s = 0; s < world->staff_count; s++) {
		struct world_staff *staff = &world->staff[s];

		staff->maintainer = s >= AGENTS;
		staff->from_day = staff->maintainer ? 0 : (int)random_below(&world->random, 3300);
		staff->to_day = staff->maintainer
		    ? WORLD_DAYS
		    : staff->from_day + 200 + (int)random_below(&world->random, 2200);
		staff->mentor = WORLD_NOBODY;
	}
	for (uint32_t s = 0; s < AGENTS; s++)
		find_mentor(world, s);
	for (int day = 0; day < WORLD_DAYS; day++) {
		for (int t = 0; t < WORLD_TEAMS && day % WORLD_QUARTER == 0; t++)
			draw_pool(world, &teams[t], day / WORLD_QUARTER, t);
		for (uint32_t s = 0; s < world->staff_count; s++) {
			const struct world_staff *staff = &world->staff[s];

			if (day < staff->from_day || day >= staff->to_day)
				continue;
			if (staff->maintainer) {
				if (random_chance(&world->random, 4.0 / 365.0))
					export_something(world, s, day);
			} else if (staff->mentor != WORLD_NOBODY &&
			    day < staff->from_day + SHADOW) {
				shadow_a_day(world, s, staff->mentor, day);
			} else if (random_chance(&world->random, 0.28)) {
				work_a_day(world, s, &teams[s % WORLD_TEAMS], day);
			}
		}
	}
	free(teams);
}

struct world *
world_new(uint64_t seed)
{
	struct world *world = must(calloc(1, sizeof(*world)));

	world->random.state = seed;
	make_clients(world);
	make_staff(world);
	return world;
}

void
world_free(struct world **world)
{
	free((*world)->records);
	free((*world)->staff);
	free((*world)->carriers);
	free((*world)->accesses);
	free(*world);
	*world = NULL;
}
