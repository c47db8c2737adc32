/*
 * bench-list ROWS [FIRST]: a list of made-up people on stdout, as fast as it can be written: number, name, kana, birth,
 * sex, postcode, address, phone, mobile, e-mail; UTF-8 whose every character CP932 has, too.
 *
 * bench-list ROWS FIRST leaked PEOPLE [DAMAGED]: a list as it comes back: name, address and phone of ROWS of the people
 * FIRST to FIRST + PEOPLE - 1, each at most once, in no order. Every second of DAMAGED rows has another last character
 * of its name and another last digit of its telephone, so that nothing decides it but opening and comparing.
 *
 * Person n is the same in every list. Names and towns repeat as they do in life; no two people share a telephone or
 * an address for e-mail, so that each is found alone by either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct part {
	const char *kanji, *kana, *latin;
};

/* A surname and a given name are two parts each: about a million full names, as in life. */
static const struct part surname_first[] = {{"山", "ヤマ", "yama"}, {"川", "カワ", "kawa"},
    {"田", "タ", "ta"}, {"中", "ナカ", "naka"}, {"小", "コ", "ko"}, {"大", "オオ", "o"},
    {"高", "タカ", "taka"}, {"松", "マツ", "matsu"}, {"石", "イシ", "ishi"}, {"木", "キ", "ki"},
    {"森", "モリ", "mori"}, {"林", "ハヤシ", "hayashi"}, {"吉", "ヨシ", "yoshi"},
    {"西", "ニシ", "nishi"}, {"北", "キタ", "kita"}, {"東", "アズマ", "azuma"},
    {"南", "ミナミ", "minami"}, {"上", "ウエ", "ue"}, {"下", "シモ", "shimo"},
    {"水", "ミズ", "mizu"}, {"清", "キヨ", "kiyo"}, {"青", "アオ", "ao"}, {"黒", "クロ", "kuro"},
    {"白", "シラ", "shira"}, {"赤", "アカ", "aka"}, {"金", "カネ", "kane"}, {"岩", "イワ", "iwa"},
    {"池", "イケ", "ike"}, {"浜", "ハマ", "hama"}, {"今", "イマ", "ima"}, {"古", "フル", "furu"},
    {"長", "ナガ", "naga"}, {"福", "フク", "fuku"}, {"宮", "ミヤ", "miya"}, {"久", "ク", "ku"},
    {"原", "ハラ", "hara"}, {"杉", "スギ", "sugi"}, {"竹", "タケ", "take"}, {"藤", "フジ", "fuji"},
    {"渡", "ワタ", "wata"}};

static const struct part surname_second[] = {{"田", "ダ", "da"}, {"本", "モト", "moto"},
    {"村", "ムラ", "mura"}, {"川", "カワ", "kawa"}, {"山", "ヤマ", "yama"}, {"野", "ノ", "no"},
    {"井", "イ", "i"}, {"島", "シマ", "shima"}, {"原", "ハラ", "hara"}, {"口", "グチ", "guchi"},
    {"崎", "サキ", "saki"}, {"沢", "ザワ", "zawa"}, {"木", "キ", "ki"}, {"谷", "タニ", "tani"},
    {"橋", "ハシ", "hashi"}, {"岡", "オカ", "oka"}, {"上", "カミ", "kami"}, {"尾", "オ", "o"},
    {"辺", "ベ", "be"}, {"部", "ベ", "be"}, {"林", "バヤシ", "bayashi"}, {"森", "モリ", "mori"},
    {"内", "ウチ", "uchi"}, {"藤", "フジ", "fuji"}, {"松", "マツ", "matsu"}, {"倉", "クラ", "kura"},
    {"江", "エ", "e"}, {"西", "ニシ", "nishi"}, {"下", "シタ", "shita"}, {"瀬", "セ", "se"}};

static const struct part given_first[] = {{"健", "ケン", "ken"}, {"恵", "メグ", "megu"},
    {"和", "カズ", "kazu"}, {"正", "マサ", "masa"}, {"美", "ミ", "mi"}, {"明", "アキ", "aki"},
    {"弘", "ヒロ", "hiro"}, {"幸", "ユキ", "yuki"}, {"真", "マ", "ma"}, {"直", "ナオ", "nao"},
    {"由", "ユ", "yu"}, {"智", "トモ", "tomo"}, {"良", "ヨシ", "yoshi"}, {"勝", "カツ", "katsu"},
    {"千", "チ", "chi"}, {"俊", "トシ", "toshi"}, {"昌", "マサ", "masa"}, {"陽", "ハル", "haru"},
    {"英", "ヒデ", "hide"}, {"久", "ヒサ", "hisa"}, {"大", "ダイ", "dai"}, {"翔", "ショウ", "sho"},
    {"拓", "タク", "taku"}, {"光", "ミツ", "mitsu"}, {"貴", "タカ", "taka"},
    {"純", "ジュン", "jun"}, {"康", "ヤス", "yasu"}, {"悠", "ユウ", "yu"}, {"奈", "ナ", "na"},
    {"早", "サ", "sa"}};

static const struct part given_second[] = {{"子", "コ", "ko"}, {"美", "ミ", "mi"},
    {"男", "オ", "o"}, {"夫", "オ", "o"}, {"一", "イチ", "ichi"}, {"二", "ジ", "ji"},
    {"郎", "ロウ", "ro"}, {"太", "タ", "ta"}, {"樹", "キ", "ki"}, {"也", "ヤ", "ya"},
    {"介", "スケ", "suke"}, {"人", "ト", "to"}, {"代", "ヨ", "yo"}, {"江", "エ", "e"},
    {"枝", "エ", "e"}, {"恵", "エ", "e"}, {"香", "カ", "ka"}, {"奈", "ナ", "na"},
    {"希", "キ", "ki"}, {"平", "ヘイ", "hei"}, {"雄", "オ", "o"}, {"彦", "ヒコ", "hiko"},
    {"治", "ハル", "haru"}, {"信", "ノブ", "nobu"}, {"之", "ユキ", "yuki"}, {"紀", "ノリ", "nori"},
    {"央", "オ", "o"}, {"里", "リ", "ri"}, {"葉", "ハ", "ha"}, {"乃", "ノ", "no"}};

struct city {
	const char *postcode, *name;
};

static const struct city cities[] = {{"100", "東京都千代田区"}, {"150", "東京都渋谷区"},
    {"160", "東京都新宿区"}, {"171", "東京都豊島区"}, {"190", "東京都立川市"},
    {"220", "神奈川県横浜市西区"}, {"210", "神奈川県川崎市川崎区"}, {"260", "千葉県千葉市中央区"},
    {"330", "埼玉県さいたま市大宮区"}, {"060", "北海道札幌市中央区"}, {"980", "宮城県仙台市青葉区"},
    {"950", "新潟県新潟市中央区"}, {"380", "長野県長野市"}, {"420", "静岡県静岡市葵区"},
    {"450", "愛知県名古屋市中村区"}, {"600", "京都府京都市下京区"}, {"530", "大阪府大阪市北区"},
    {"542", "大阪府大阪市中央区"}, {"650", "兵庫県神戸市中央区"}, {"700", "岡山県岡山市北区"},
    {"730", "広島県広島市中区"}, {"760", "香川県高松市"}, {"790", "愛媛県松山市"},
    {"810", "福岡県福岡市中央区"}, {"860", "熊本県熊本市西区"}, {"892", "鹿児島県鹿児島市"},
    {"900", "沖縄県那覇市"}};

static const char *const towns[] = {"本町", "中央", "栄町", "緑町", "旭町", "幸町", "東町", "西町",
    "南町", "北町", "大手町", "末広町", "若葉台", "桜木町", "寿町", "港町", "元町", "新町", "泉町",
    "松原", "丸山", "青葉台", "日の出町", "富士見町", "宮前町", "八幡町", "稲荷町", "上野",
    "高砂町", "錦町", "春日町", "千代田町"};

static const char *const buildings[] = {
    "", "", "メゾン青葉", "グランドハイツ", "第二山田ビル", "コーポさくら", "パークサイド中央", ""};

/* A number that looks random and is the same for the same n and use. */
static uint64_t
mixed(uint64_t n, uint64_t use)
{
	uint64_t x = n * 0x9e3779b97f4a7c15u + use * 0xd1b54a32d192ed03u;

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 29);
}

/* One to one below 10^8: the factor has no divisor in common with it. */
static unsigned int
shuffled(uint64_t n, uint64_t factor)
{
	return (unsigned int)(n * factor % 100000000u);
}

#define PART(table, n, use) (&(table)[mixed(n, use) % AZ_ARRAY_SIZE(table)])

/* What a person's row consists of. */
struct person {
	const struct part *parts[4];
	const struct city *city;
	unsigned int town;
	const char *building;
	uint64_t birth, place;
	unsigned int phone, mobile;
	char flat[16];
};

static void
make_person(uint64_t n, struct person *person)
{
	*person = (struct person){.parts = {PART(surname_first, n, 1), PART(surname_second, n, 2),
				      PART(given_first, n, 3), PART(given_second, n, 4)},
	    .city = PART(cities, n, 5),
	    .town = (unsigned int)(mixed(n, 9) % AZ_ARRAY_SIZE(towns)),
	    .building = *PART(buildings, n, 6),
	    .birth = mixed(n, 7),
	    .place = mixed(n, 8),
	    .phone = shuffled(n, 38196601),
	    .mobile = shuffled(n, 61803399)};
	if (person->building[0] != '\0')
		(void)snprintf(person->flat, sizeof(person->flat), "%u",
		    101 + (unsigned int)(person->place >> 40) % 900);
}

static int
write_address(const struct person *person, char *text, size_t room)
{
	return snprintf(text, room, "%s%s%u-%u-%u%s%s%s", person->city->name, towns[person->town],
	    1 + (unsigned int)person->place % 9, 1 + (unsigned int)(person->place >> 8) % 30,
	    1 + (unsigned int)(person->place >> 16) % 40, person->building[0] != '\0' ? " " : "",
	    person->building, person->flat);
}

static int
write_row(char *line, size_t room, uint64_t n)
{
	struct person person;
	const struct part *const *parts = person.parts;
	char address[256];

	make_person(n, &person);
	(void)write_address(&person, address, sizeof(address));
	return snprintf(line, room,
	    "%llu,%s%s %s%s,%s%s "
	    "%s%s,%u-%02u-%02u,%c,%s-%04u,%s,03-%04u-%04u,090-%04u-%04u,%s%s.%s%llu@example.jp\n",
	    (unsigned long long)n, parts[0]->kanji, parts[1]->kanji, parts[2]->kanji,
	    parts[3]->kanji, parts[0]->kana, parts[1]->kana, parts[2]->kana, parts[3]->kana,
	    1930 + (unsigned int)(person.birth % 75), 1 + (unsigned int)(person.birth >> 8) % 12,
	    1 + (unsigned int)(person.birth >> 16) % 28, (person.birth & 1024) != 0 ? 'F' : 'M',
	    person.city->postcode, person.town * 7 + 1, address, person.phone / 10000,
	    person.phone % 10000, person.mobile / 10000, person.mobile % 10000, parts[2]->latin,
	    parts[3]->latin, parts[0]->latin, (unsigned long long)n);
}

static int
write_leaked(char *line, size_t room, uint64_t n, bool is_damaged)
{
	struct person person;
	const struct part *const *parts = person.parts;
	char address[256];

	make_person(n, &person);
	(void)write_address(&person, address, sizeof(address));
	/* A given name misread, and another number of the house: of what decides, only the telephone is left. */
	return snprintf(line, room, "%s%s %s%s,%s%s,03-%04u-%04u\n", parts[0]->kanji,
	    parts[1]->kanji, parts[2]->kanji, is_damaged ? "衛" : parts[3]->kanji, address,
	    is_damaged ? "9" : "", person.phone / 10000, person.phone % 10000);
}

/* A step with which one comes by every one of count before one is there again: it has no divisor in common with it. */
static uint64_t
step_through(uint64_t count)
{
	for (uint64_t step = 2654435761u % count;; step++) {
		uint64_t a = step;
		uint64_t b = count;

		while (b != 0) {
			uint64_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			return step;
	}
}

int
main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	bool is_leaked = argc > 4 && strcmp(argv[3], "leaked") == 0;
	uint64_t people = is_leaked ? strtoull(argv[4], NULL, 10) : 0;
	uint64_t step = people > 0 ? step_through(people) : 0;
	uint64_t damaged = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
	char line[1024];
	static char out[1 << 20];

	if (rows == 0 || (argc > 3 && people < rows)) {
		(void)fprintf(stderr, "usage: bench-list ROWS [FIRST [leaked PEOPLE [DAMAGED]]]\n");
		return 2;
	}
	(void)setvbuf(stdout, out, _IOFBF, sizeof(out));
	(void)printf("%s\n",
	    is_leaked ? "name,address,phone"
		      : "number,name,kana,birth,sex,postcode,address,phone,mobile,email");
	for (uint64_t n = 0; n < rows; n++) {
		int size = is_leaked ? write_leaked(line, sizeof(line), first + n * step % people,
					   n < damaged && n % 2 == 0)
				     : write_row(line, sizeof(line), first + n);

		if (fwrite(line, 1, (size_t)size, stdout) != (size_t)size)
			break;
	}
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
