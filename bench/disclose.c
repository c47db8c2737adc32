/*
 * Disclosures a second, as fronts see them: 64 staff members, each with one request outstanding.
 *
 *	warm   the sealed rows are in the system's memory
 *	cold   stopped, rows and catalogue evicted from the system's memory, started again before each run
 *	lone   one channel; its latency beside a flush of the disk, alternating
 *	meanwhile  one channel, a disclosure every 5 ms while the list is entrusted for another client
 *
 * People are chosen at random from the whole list, none twice in one run. The client shares the processors with
 * keeper and vault, so its own cost is in every figure.
 */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "house.h"
#include "measure.h"

#define RUNS       5u
#define LONE_COUNT 3000u
#define RAW_MS     500
#define PAUSE_US   5000

struct load {
	struct bench_house *house;
	struct load_channel channels[AGENTS];
	unsigned int open;
	int epoll;
	uint64_t state; /* of the generator that chooses people */
	size_t asked;   /* how many of the phones were taken, from the front */
	struct samples samples;
};

/* --- whom ------------------------------------------------------------------------------------- */

/* SplitMix64, so that runs on two builds ask for the same people. */
static uint64_t
next(struct load *load)
{
	uint64_t mixed = load->state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ mixed >> 31;
}

/* A person not yet asked for in this run: one step of a shuffle. */
static uint32_t
next_phone(struct load *load)
{
	struct bench_house *house = load->house;
	size_t left = house->phone_count - load->asked;
	size_t at;
	uint32_t phone;

	if (left == 0)
		bench_die("the list is too short for a run", NULL);
	at = load->asked + (size_t)(next(load) % left);
	phone = house->phones[at];
	house->phones[at] = house->phones[load->asked];
	house->phones[load->asked++] = phone;
	return phone;
}

static void
ask(struct load *load, struct load_channel *channel)
{
	union front_request request = {0};
	struct front_look *disclose = &request.disclose.look;
	uint32_t phone = next_phone(load);
	char text[16];

	(void)snprintf(disclose->client, sizeof(disclose->client), BENCH_LABEL);
	(void)snprintf(disclose->purpose, sizeof(disclose->purpose), PURPOSE);
	(void)snprintf(disclose->call, sizeof(disclose->call), "%zu", load->asked);
	(void)snprintf(text, sizeof(text), "03-%04u-%04u", phone / 10000, phone % 10000);
	disclose->reason = REASON_ENQUIRY;
	disclose->basis = BASIS_INBOUND_MATCH;
	disclose->by_count = 1;
	disclose->by[0].field = FIELD_PHONE;
	disclose->by[0].value = bytes_of(text);
	channel_send(channel, FRONT_DISCLOSE, &request);
}

/* --- load ------------------------------------------------------------------------------------- */

static void
connect_all(struct load *load, unsigned int count)
{
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->open = count;
	for (unsigned int i = 0; i < count; i++) {
		struct load_channel *channel = &load->channels[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = channel};

		channel_open(
		    channel, &load->house->house, load->house->agents[i], load->house->device);
		if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, channel->link.fd, &event) != 0)
			bench_die("epoll", NULL);
	}
}

static void
disconnect_all(struct load *load)
{
	for (unsigned int i = 0; i < load->open; i++)
		channel_close(&load->channels[i]);
	(void)close(load->epoll);
}

/* Answers that are there; asks again while the run lasts. Returns how many came. */
static unsigned int
take_round(struct load *load, int64_t until)
{
	struct epoll_event events[AGENTS];
	int ready = epoll_wait(load->epoll, events, AGENTS, 30000);
	unsigned int came = 0;

	if (ready <= 0)
		bench_die("the keeper does not answer", NULL);
	for (int i = 0; i < ready; i++) {
		struct load_channel *channel = events[i].data.ptr;
		int64_t now;

		if (channel_take(channel) == AZ_BUSY)
			continue;
		now = bench_now_ns();
		samples_add(&load->samples, now - channel->asked_ns);
		came++;
		if (now < until)
			ask(load, channel);
	}
	return came;
}

/* One run on all channels; disclosures a second. */
static double
run_load(struct load *load, int64_t ns)
{
	int64_t since = bench_now_ns();
	uint64_t came = 0;

	load->asked = 0;
	load->samples.count = 0;
	for (unsigned int i = 0; i < load->open; i++)
		ask(load, &load->channels[i]);
	while (came < load->asked)
		came += take_round(load, since + ns);
	return (double)came * 1e9 / (double)(bench_now_ns() - since);
}

struct figures {
	double rates[RUNS], p50[RUNS], p99[RUNS], keeper[RUNS], vault[RUNS], raw[RUNS];
	double faults[RUNS]; /* of the vault */
};

static void
measure_run(struct load *load, struct raw_disk *raw, const char *name, unsigned int run, int64_t ns,
    struct figures *figures)
{
	double keeper;
	double vault;
	double seconds;
	uint64_t faults;
	int64_t since;

	figures->raw[run] = raw_disk_rate(raw, RAW_MS);
	keeper = process_cpu(load->house->keeper);
	vault = process_cpu(load->house->vault);
	faults = process_major_faults(load->house->vault);
	since = bench_now_ns();
	figures->rates[run] = run_load(load, ns);
	seconds = (double)(bench_now_ns() - since) / 1e9;
	figures->keeper[run] = 100 * (process_cpu(load->house->keeper) - keeper) / seconds;
	figures->vault[run] = 100 * (process_cpu(load->house->vault) - vault) / seconds;
	figures->faults[run] = (double)(process_major_faults(load->house->vault) - faults);
	figures->p50[run] = samples_us(&load->samples, 0.5);
	figures->p99[run] = samples_us(&load->samples, 0.99);
	bench_say(
	    "%s, %u staff, run %u: %.0f/s, p50 %.0f us, p99 %.0f us; of a processor keeper "
	    "%.0f %%, vault %.0f %%; the vault read the disk %.0f times; the disk alone: %.0f "
	    "flushes/s",
	    name, AGENTS, run + 1, figures->rates[run], figures->p50[run], figures->p99[run],
	    figures->keeper[run], figures->vault[run], figures->faults[run], figures->raw[run]);
}

static void
report(const struct bench_house *house, const char *name, struct figures *figures)
{
	char text[64];
	struct {
		const char *suffix;
		double value;
	} results[] = {{"", bench_median(figures->rates, RUNS)},
	    {"-p50-us", bench_median(figures->p50, RUNS)},
	    {"-p99-us", bench_median(figures->p99, RUNS)},
	    {"-keeper-cpu", bench_median(figures->keeper, RUNS)},
	    {"-vault-cpu", bench_median(figures->vault, RUNS)},
	    {"-vault-faults", bench_median(figures->faults, RUNS)},
	    {"-raw", bench_median(figures->raw, RUNS)},
	    {"-keeper-mib", process_peak_mib(house->keeper)},
	    {"-vault-mib", process_peak_mib(house->vault)}};

	for (size_t i = 0; i < AZ_ARRAY_SIZE(results); i++) {
		(void)snprintf(text, sizeof(text), "%s%s", name, results[i].suffix);
		bench_result(text, results[i].value);
	}
}

static void
measure_warm(struct load *load, struct raw_disk *raw, int64_t ns)
{
	struct figures figures;

	bench_house_serve(load->house);
	connect_all(load, AGENTS);
	(void)run_load(load, ns);
	for (unsigned int run = 0; run < RUNS; run++)
		measure_run(load, raw, "warm", run, ns, &figures);
	report(load->house, "warm", &figures);
	disconnect_all(load);
	bench_house_stop(load->house);
}

static void
measure_cold(struct load *load, struct raw_disk *raw, int64_t ns)
{
	struct figures figures;

	bench_say("cold: before each run serve is stopped, vault and catalogue are flushed and "
		  "dropped from memory (posix_fadvise), and serve is started again; no warm-up");
	for (unsigned int run = 0; run < RUNS; run++) {
		bench_house_evict(load->house);
		bench_house_serve(load->house);
		connect_all(load, AGENTS);
		measure_run(load, raw, "cold", run, ns, &figures);
		disconnect_all(load);
		if (run + 1 == RUNS)
			report(load->house, "cold", &figures);
		bench_house_stop(load->house);
	}
}

static void
measure_lone(struct load *load, struct raw_disk *raw)
{
	struct samples flushes = {0};
	double disclosure;
	double flush;

	bench_house_serve(load->house);
	connect_all(load, 1);
	load->asked = 0;
	for (unsigned int i = 0; i < LONE_COUNT + LONE_COUNT / 10; i++) {
		int64_t now;

		if (i == LONE_COUNT / 10) {
			load->samples.count = 0;
			flushes.count = 0;
		}
		ask(load, &load->channels[0]);
		channel_wait(&load->channels[0]);
		now = bench_now_ns();
		samples_add(&load->samples, now - load->channels[0].asked_ns);
		samples_add(&flushes, raw_disk_append_ns(raw));
	}
	disclosure = samples_us(&load->samples, 0.5);
	flush = samples_us(&flushes, 0.5);
	bench_say("lone, %u disclosures: p50 %.0f us, p99 %.0f us; append of 4 KiB and fdatasync: "
		  "p50 %.0f us, p99 %.0f us; ratio %.2f",
	    LONE_COUNT, disclosure, samples_us(&load->samples, 0.99), flush,
	    samples_us(&flushes, 0.99), disclosure / flush);
	bench_result("lone", disclosure / flush);
	bench_result("lone-p50-us", disclosure);
	bench_result("lone-raw-us", flush);
	samples_fini(&flushes);
	disconnect_all(load);
	bench_house_stop(load->house);
}

static void
measure_meanwhile(struct load *load)
{
	pid_t entrusting;
	pid_t ended = 0;
	int how = 0;

	bench_house_serve(load->house);
	connect_all(load, 1);
	load->asked = 0;
	load->samples.count = 0;
	entrusting = bench_house_entrust_more(load->house);
	while (ended == 0) {
		if (load->asked == load->house->phone_count)
			load->asked = 0;
		ask(load, &load->channels[0]);
		channel_wait(&load->channels[0]);
		samples_add(&load->samples, bench_now_ns() - load->channels[0].asked_ns);
		(void)usleep(PAUSE_US);
		ended = waitpid(entrusting, &how, WNOHANG);
	}
	if (ended != entrusting || !WIFEXITED(how) || WEXITSTATUS(how) != 0)
		bench_die("the list that is entrusted meanwhile", NULL);
	bench_say(
	    "meanwhile, %zu lone disclosures while a list is entrusted: p50 %.0f us, p99 %.0f us",
	    load->samples.count, samples_us(&load->samples, 0.5), samples_us(&load->samples, 0.99));
	bench_result("meanwhile-p50-us", samples_us(&load->samples, 0.5));
	bench_result("meanwhile-p99-us", samples_us(&load->samples, 0.99));
	disconnect_all(load);
	bench_house_stop(load->house);
}

/* Without arguments everything is measured, else what they name. */
static bool
is_wanted(int argc, char **argv, const char *what)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], what) == 0)
			return true;
	return argc == 1;
}

int
main(int argc, char **argv)
{
	static struct bench_house house;
	static struct load load;
	uint64_t people = bench_setting("BENCH_PEOPLE", 1000000);
	int64_t ns = (int64_t)bench_setting("BENCH_SECONDS", 5) * 1000000000;
	struct raw_disk raw;

	bench_house_make(&house, people);
	bench_say("%llu people entrusted in %.1f s, in %s", (unsigned long long)people,
	    house.entrust_s, house.folder);
	bench_result("people", (double)people);
	bench_result("entrust-rate", (double)people / house.entrust_s);
	load.house = &house;
	load.state = 7;
	raw_disk_init(&raw, house.dirfd);
	if (is_wanted(argc, argv, "warm"))
		measure_warm(&load, &raw, ns);
	if (is_wanted(argc, argv, "cold"))
		measure_cold(&load, &raw, ns);
	if (is_wanted(argc, argv, "lone"))
		measure_lone(&load, &raw);
	if (is_wanted(argc, argv, "meanwhile"))
		measure_meanwhile(&load);
	samples_fini(&load.samples);
	raw_disk_fini(&raw);
	bench_house_remove(&house);
	return 0;
}
