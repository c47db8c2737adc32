/*
 * Everything is done as a person would do it: by the commands, but for the agents' keys, which need no files.
 */
#include "house.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "measure.h"

#define SERVE_WAIT_NS (30 * INT64_C(1000000000))
#define PHONE_COLUMN  7

/* A path below the bench's folder. */
struct path {
	char text[320];
};

static struct path
below(const struct bench_house *house, const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", house->folder, name);
	return path;
}

/* --- the list --------------------------------------------------------------------------------- */

/* "03-0123-4567" as 01234567, in the eighth column; false if there is none. */
static bool
read_phone(const char *line, uint32_t *ret_phone)
{
	unsigned int high = 0;
	unsigned int low = 0;

	for (int column = 0; column < PHONE_COLUMN && line != NULL; column++) {
		line = strchr(line, ',');
		line = line == NULL ? NULL : line + 1;
	}
	if (line == NULL || sscanf(line, "03-%4u-%4u", &high, &low) != 2)
		return false;
	*ret_phone = high * 10000 + low;
	return true;
}

static void
read_phones(struct bench_house *house, uint64_t people)
{
	struct path list = below(house, "list.csv");
	char line[1024];
	FILE *file = fopen(list.text, "re");

	house->phones = calloc(people, sizeof(*house->phones));
	if (file == NULL || house->phones == NULL)
		bench_die("the generated list", NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		if (house->phone_count < people &&
		    read_phone(line, &house->phones[house->phone_count]))
			house->phone_count++;
	(void)fclose(file);
}

/* --- founding --------------------------------------------------------------------------------- */

static void
command(const struct bench_house *house, const char *key, const char *const *words, size_t count)
{
	struct path home = below(house, "h");
	struct path key_path = below(house, key);
	struct path state = below(house, "state");
	const char *argv[24] = {"azukari", "--house", home.text, "--key", key_path.text};

	for (size_t i = 0; i < count; i++)
		argv[5 + i] = words[i];
	bench_run(house->azukari, state.text, NULL, argv);
}

#define COMMAND(house, key, ...)                                                                   \
	command(house, key, (const char *const[]){__VA_ARGS__},                                    \
	    AZ_ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))

static struct sign_key *
new_key(void)
{
	uint8_t seed[SIGN_SEED_SIZE];
	struct sign_key *key = NULL;
	struct az_err err = {0};

	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		bench_die("no randomness", NULL);
	bench_check("key", sign_key_new(bytes_make(seed, sizeof(seed)), &key, &err), &err);
	return key;
}

static struct sign_key *
read_key(const struct bench_house *house, const char *name)
{
	struct path path = below(house, name);
	struct key_file file = {0};
	struct sign_key *key = NULL;
	struct az_err err = {0};

	bench_check(name, key_file_read(path.text, &file, &err), &err);
	bench_check(name, sign_key_new(secret_peek(file.seed), &key, &err), &err);
	key_file_fini(&file);
	return key;
}

static void
add_agents(struct bench_house *house)
{
	struct sign_key *officer = read_key(house, "officer.key");
	struct load_channel channel;

	channel_open(&channel, &house->house, officer, house->device);
	for (unsigned int i = 0; i < AGENTS; i++) {
		union front_request request = {0};
		struct front_staff_add *staff = &request.staff_add;

		house->agents[i] = new_key();
		(void)snprintf(staff->label, sizeof(staff->label), "agent%u", i + 1);
		(void)snprintf(staff->name, sizeof(staff->name), "Agent %u", i + 1);
		staff->role = ROLE_AGENT;
		staff->from = staff->until = AZ_DATE_NONE;
		sign_key_public(house->agents[i], staff->key);
		channel_send(&channel, FRONT_STAFF_ADD, &request);
		channel_wait(&channel);
	}
	channel_close(&channel);
	sign_key_free(&officer);
}

/* The load asks as fast as it can, which no house allows by itself. */
static void
lift_budgets(struct bench_house *house)
{
	COMMAND(house, "officer.key", "policy", "add", "agent", "--calls",
	    "4000000000/4000000000/4000000000", "--searches", "4000000000/4000000000/4000000000",
	    "--minute", "4000000000", "--hour", "4000000000", "--slow", "4000000000");
}

static void
entrust(struct bench_house *house)
{
	struct path list = below(house, "list.csv");
	struct path mori = below(house, "mori.key");
	int64_t since;

	COMMAND(house, "officer.key", "client", "add", BENCH_LABEL, "--name", "Bench");
	COMMAND(house, "officer.key", "purpose", "add", BENCH_LABEL "/" PURPOSE, "--fields",
	    "name,kana,phone:last4,address", "--roles", "agent", "--until", "2099-12-31");
	COMMAND(house, "officer.key", "staff", "add", "mori", "--role", "supervisor", "--key-out",
	    mori.text);
	since = bench_now_ns();
	COMMAND(house, "mori.key", "entrust", "--client", BENCH_LABEL, "--purpose", PURPOSE,
	    "--as-of", "2026-04-01", list.text);
	house->entrust_s = (double)(bench_now_ns() - since) / 1e9;
}

void
bench_house_make(struct bench_house *house, uint64_t people)
{
	char own[256];
	char program[300];
	char count[24];
	struct path path;
	struct path key;
	struct az_err err = {0};

	*house = (struct bench_house){.dirfd = -1, .house = {.dirfd = -1}};
	bench_check("own folder", proc_own_folder(own, sizeof(own), &err), &err);
	(void)snprintf(house->azukari, sizeof(house->azukari), "%s/../src/cli/azukari", own);
	house->dirfd = bench_folder(house->folder, sizeof(house->folder));
	if (mkdirat(house->dirfd, "state", 0700) != 0 || chmod(house->folder, 0755) != 0)
		bench_die(house->folder, NULL);
	(void)snprintf(count, sizeof(count), "%llu", (unsigned long long)people);
	path = below(house, "list.csv");
	(void)snprintf(program, sizeof(program), "%s/bench-list", own);
	bench_run(
	    program, "/nonexistent", path.text, (const char *const[]){"bench-list", count, NULL});
	read_phones(house, people);
	path = below(house, "h");
	key = below(house, "officer.key");
	COMMAND(house, "none", "init", "--house", path.text, "--officer", "aoki", "--key-out",
	    key.text, "--unsealed");
	bench_check("house", house_folder_open(path.text, &house->house, &err), &err);
	house->device = read_key(house, "h/secret/device.key");
	bench_house_serve(house);
	lift_budgets(house);
	entrust(house);
	add_agents(house);
	bench_house_stop(house);
}

/* --- serving ---------------------------------------------------------------------------------- */

void
bench_house_serve(struct bench_house *house)
{
	struct path home = below(house, "h");
	const char *argv[] = {"azukari", "--house", home.text, "serve", NULL};
	struct proc_spec spec = {.path = house->azukari, .argv = argv, .inherit_stderr = true};
	int64_t until = bench_now_ns() + SERVE_WAIT_NS;
	struct az_err err = {0};
	int fd = -1;

	bench_check("serve", proc_spawn(&spec, &house->serve, &err), &err);
	do {
		if (bench_now_ns() > until)
			bench_die("the house is not served", &err);
		(void)usleep(10000);
		house->keeper = process_child(house->serve, "azukari-keeper");
		house->vault = process_child(house->serve, "azukari-vault");
	} while (house->keeper == 0 || house->vault == 0 ||
	    house_connect(&house->house, &fd, &err) != AZ_OK);
	(void)close(fd);
}

void
bench_house_stop(struct bench_house *house)
{
	int how = 0;

	if (house->serve == 0)
		return;
	if (kill(house->serve, SIGTERM) != 0 || waitpid(house->serve, &how, 0) != house->serve ||
	    !WIFEXITED(how) || WEXITSTATUS(how) != 0)
		bench_die("serve did not stop in order", NULL);
	house->serve = 0;
}

pid_t
bench_house_entrust_more(struct bench_house *house)
{
	struct path list = below(house, "list.csv");
	pid_t child;

	COMMAND(house, "officer.key", "client", "add", "c02", "--name", "Other");
	COMMAND(house, "officer.key", "purpose", "add", "c02/" PURPOSE, "--fields", "name",
	    "--roles", "agent", "--until", "2099-12-31");
	child = fork();
	if (child < 0)
		bench_die("fork", NULL);
	if (child > 0)
		return child;
	COMMAND(house, "mori.key", "entrust", "--client", "c02", "--purpose", PURPOSE, "--as-of",
	    "2026-04-01", list.text);
	_exit(0);
}

static void
evict(const struct bench_house *house, const char *name)
{
	struct path path = below(house, name);
	int fd = open(path.text, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		bench_die(path.text, NULL);
	(void)close(fd);
}

void
bench_house_evict(struct bench_house *house)
{
	evict(house, "h/vault/data.mdb");
	evict(house, "h/keeper/catalogue/data.mdb");
}

void
bench_house_remove(struct bench_house *house)
{
	bench_house_stop(house);
	for (unsigned int i = 0; i < AGENTS; i++)
		sign_key_free(&house->agents[i]);
	sign_key_free(&house->device);
	house_folder_close(&house->house);
	free(house->phones);
	(void)close(house->dirfd);
	bench_folder_remove(house->folder);
}
