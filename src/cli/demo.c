/*
 * azukari demo: lists of a sample house, generated from a seed.
 *
 *	DIR/clients.tsv   client, name, category, purpose, fields, end date
 *	DIR/c01.csv …     number, name, kana, birth, sex, postcode, address, phone, mobile, email
 *
 * Nobody in them exists: names are put together from common parts, and telephone numbers lie in
 * ranges that are not assigned (03-0000-…, 090-0000-…).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/print.h"

#define CLIENTS_MAX 999u
#define PEOPLE_MAX  100000000u

struct demo {
	const char *out;
	uint32_t people, clients;
	uint64_t seed;
	uint64_t state; /* of the generator */
};

/* SplitMix64 (Steele, Lea, Flood 2014): the same lists from the same seed, everywhere. */
static uint64_t
next(struct demo *demo)
{
	uint64_t mixed = demo->state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

static uint32_t
below(struct demo *demo, uint32_t bound)
{
	return (uint32_t)(next(demo) % bound);
}

/* A name, and how it is read. */
struct spelt {
	const char *name, *kana, *latin;
};

/* Where people live together: one surname, address and telephone. */
struct home {
	const struct spelt *surname;
	char address[128];
	char phone[16];
};

static const struct spelt surnames[] = {{"佐藤", "サトウ", "sato"}, {"鈴木", "スズキ", "suzuki"},
    {"高橋", "タカハシ", "takahashi"}, {"田中", "タナカ", "tanaka"}, {"伊藤", "イトウ", "ito"},
    {"渡辺", "ワタナベ", "watanabe"}, {"山本", "ヤマモト", "yamamoto"},
    {"中村", "ナカムラ", "nakamura"}, {"小林", "コバヤシ", "kobayashi"}, {"加藤", "カトウ", "kato"},
    {"吉田", "ヨシダ", "yoshida"}, {"山田", "ヤマダ", "yamada"}, {"佐々木", "ササキ", "sasaki"},
    {"山口", "ヤマグチ", "yamaguchi"}, {"松本", "マツモト", "matsumoto"},
    {"井上", "イノウエ", "inoue"}, {"木村", "キムラ", "kimura"}, {"林", "ハヤシ", "hayashi"},
    {"斎藤", "サイトウ", "saito"}, {"清水", "シミズ", "shimizu"}, {"山崎", "ヤマザキ", "yamazaki"},
    {"森", "モリ", "mori"}, {"池田", "イケダ", "ikeda"}, {"橋本", "ハシモト", "hashimoto"},
    {"阿部", "アベ", "abe"}, {"石川", "イシカワ", "ishikawa"}, {"前田", "マエダ", "maeda"},
    {"藤田", "フジタ", "fujita"}, {"小川", "オガワ", "ogawa"}, {"岡田", "オカダ", "okada"},
    {"後藤", "ゴトウ", "goto"}, {"長谷川", "ハセガワ", "hasegawa"}};

static const struct spelt givens[] = {{"翔太", "ショウタ", "shota"}, {"蓮", "レン", "ren"},
    {"大翔", "ヒロト", "hiroto"}, {"健一", "ケンイチ", "kenichi"}, {"誠", "マコト", "makoto"},
    {"浩", "ヒロシ", "hiroshi"}, {"隆", "タカシ", "takashi"}, {"直樹", "ナオキ", "naoki"},
    {"陽菜", "ハルナ", "haruna"}, {"美咲", "ミサキ", "misaki"}, {"結衣", "ユイ", "yui"},
    {"恵子", "ケイコ", "keiko"}, {"由美子", "ユミコ", "yumiko"}, {"真由美", "マユミ", "mayumi"},
    {"明美", "アケミ", "akemi"}, {"和子", "カズコ", "kazuko"}};
#define GIVEN_MEN 8u /* the first so many */

static const struct {
	const char *postcode, *place;
} towns[] = {{"100-0001", "東京都千代田区千代田"}, {"160-0022", "東京都新宿区新宿"},
    {"220-0012", "神奈川県横浜市西区みなとみらい"}, {"330-0854", "埼玉県さいたま市大宮区桜木町"},
    {"460-0008", "愛知県名古屋市中区栄"}, {"530-0001", "大阪府大阪市北区梅田"},
    {"600-8216", "京都府京都市下京区東塩小路町"}, {"650-0021", "兵庫県神戸市中央区三宮町"},
    {"730-0011", "広島県広島市中区基町"}, {"810-0001", "福岡県福岡市中央区天神"},
    {"860-0806", "熊本県熊本市中央区花畑町"}, {"980-0811", "宮城県仙台市青葉区一番町"},
    {"060-0001", "北海道札幌市中央区北一条西"}, {"900-0015", "沖縄県那覇市久茂地"}};

/* What clients entrust lists for, and what an agent sees of them. */
static const struct {
	const char *category, *label, *purpose, *fields;
} purposes[] = {
    {"car tax", "Prefecture", "car-tax", "name,kana,address,phone:last4"},
    {"health check-up", "City", "checkup", "name,kana,birth:year,phone:last4"},
    {"overdue tax", "City", "overdue-tax", "name,address,phone:last4,mobile:last4"},
    {"telemarketing", "Company", "offers", "name:first,phone:last4,email:domain"},
    {"customer service", "Company", "service", "number,name,address,phone,email"},
};

/* Each number is drawn by a statement of its own: the order of arguments is the compiler's. */

static void
move_in(struct demo *demo, struct home *home)
{
	uint32_t town = below(demo, AZ_ARRAY_SIZE(towns));
	uint32_t block = 1 + below(demo, 9);
	uint32_t lot = 1 + below(demo, 30);
	uint32_t house = 1 + below(demo, 40);
	uint32_t exchange = below(demo, 1000);
	uint32_t line = below(demo, 10000);

	home->surname = &surnames[below(demo, AZ_ARRAY_SIZE(surnames))];
	(void)snprintf(home->address, sizeof(home->address), "%s,%s%u-%u-%u", towns[town].postcode,
	    towns[town].place, block, lot, house);
	(void)snprintf(home->phone, sizeof(home->phone), "03-0%03u-%04u", exchange, line);
}

static void
write_person(struct demo *demo, FILE *file, uint32_t number, struct home *home)
{
	bool moves = below(demo, 3) > 0;
	uint32_t given_number = below(demo, AZ_ARRAY_SIZE(givens));
	uint32_t year = 1930 + below(demo, 75);
	uint32_t month = 1 + below(demo, 12);
	uint32_t day = 1 + below(demo, 28);
	uint32_t exchange = below(demo, 1000);
	uint32_t line = below(demo, 10000);
	bool has_mobile = below(demo, 10) < 8;
	bool has_email = below(demo, 10) < 6;
	const struct spelt *given = &givens[given_number];

	if (number == 1 || moves)
		move_in(demo, home);
	(void)fprintf(file, "%06u,%s %s,%s %s,%04u-%02u-%02u,%s,%s,%s,", number,
	    home->surname->name, given->name, home->surname->kana, given->kana, year, month, day,
	    given_number < GIVEN_MEN ? "M" : "F", home->address, home->phone);
	if (has_mobile)
		(void)fprintf(file, "090-0%03u-%04u", exchange, line);
	(void)fputc(',', file);
	if (has_email)
		(void)fprintf(
		    file, "%s.%s%u@example.jp", given->latin, home->surname->latin, number);
	(void)fputc('\n', file);
}

static FILE *
create(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (file == NULL && fd >= 0)
		(void)close(fd);
	return file;
}

/* Closes a file; false if anything of it was not written. */
static bool
finish(FILE *file)
{
	bool good = ferror(file) == 0;

	return fclose(file) == 0 && good;
}

static bool
write_list(struct demo *demo, int dirfd, uint32_t client, uint32_t people)
{
	struct home home = {0};
	char name[32];
	FILE *file;

	(void)snprintf(name, sizeof(name), "c%02u.csv", client);
	file = create(dirfd, name);
	if (file == NULL)
		return false;
	(void)fputs("number,name,kana,birth,sex,postcode,address,phone,mobile,email\n", file);
	for (uint32_t number = 1; number <= people; number++)
		write_person(demo, file, number, &home);
	return finish(file);
}

static bool
write_clients(const struct demo *demo, int dirfd)
{
	FILE *file = create(dirfd, "clients.tsv");

	if (file == NULL)
		return false;
	for (uint32_t client = 1; client <= demo->clients; client++) {
		size_t kind = (client - 1) % AZ_ARRAY_SIZE(purposes);

		(void)fprintf(file, "c%02u\t%s %u\t%s\t%s\t%s\n", client, purposes[kind].label,
		    client, purposes[kind].category, purposes[kind].purpose, purposes[kind].fields);
	}
	return finish(file);
}

static bool
read_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *rest = NULL;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &rest, 10);
	if (rest == text || *rest != '\0' || text[0] == '-' || errno != 0 || number > max)
		return false;
	*ret_number = number;
	return true;
}

static enum az_status
write_all(struct demo *demo, struct az_err *reterr)
{
	int dirfd = -1;
	bool good = true;

	if (mkdir(demo->out, 0700) != 0)
		return az_fail_errno(
		    reterr, errno == EEXIST ? AZ_CONFLICT : AZ_IO, errno, "%s", demo->out);
	dirfd = open(demo->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return az_fail_errno(reterr, AZ_IO, errno, "%s", demo->out);
	good = write_clients(demo, dirfd);
	for (uint32_t client = 1; client <= demo->clients && good; client++) {
		/* As even as it goes; the first ones have one more. */
		uint32_t people =
		    demo->people / demo->clients + (client <= demo->people % demo->clients ? 1 : 0);

		good = write_list(demo, dirfd, client, people);
	}
	(void)close(dirfd);
	if (!good)
		return az_fail_errno(reterr, AZ_IO, errno, "%s could not be written", demo->out);
	return AZ_OK;
}

int
cmd_demo(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"out", required_argument, NULL, 'o'},
	    {"people", required_argument, NULL, 'p'}, {"clients", required_argument, NULL, 'c'},
	    {"seed", required_argument, NULL, 's'}, {0}};
	struct demo demo = {0};
	uint64_t people = 90000;
	uint64_t clients = 59;
	struct az_err err = {0};
	enum az_status status;
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'o': demo.out = optarg; break;
		case 'p': good &= read_number(optarg, PEOPLE_MAX, &people); break;
		case 'c': good &= read_number(optarg, CLIENTS_MAX, &clients); break;
		case 's': good &= read_number(optarg, UINT64_MAX, &demo.seed); break;
		default: return cli_usage("demo", NULL);
		}
	}
	if (optind != argc || demo.out == NULL)
		return cli_usage("demo", "--out is needed: a folder to make");
	if (!good || clients == 0 || people < clients)
		return cli_usage("demo", "--people, --clients and --seed need numbers");
	demo.people = (uint32_t)people;
	demo.clients = (uint32_t)clients;
	demo.state = demo.seed;
	status = write_all(&demo, &err);
	if (status != AZ_OK)
		return print_error(cli, status, err.text, NULL);
	if (cli->json)
		print_json(
		    json_pack("{s:s, s:I, s:I, s:I}", "out", demo.out, "people", (json_int_t)people,
			"clients", (json_int_t)clients, "seed", (json_int_t)demo.seed));
	else
		(void)printf("%u people in the lists of %u clients, in %s\n", demo.people,
		    demo.clients, demo.out);
	return 0;
}
