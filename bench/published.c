/*
 * What a client does: proofs in logs of 10^3 to 10^7 entries, and a whole published log hashed again, by azukari-verify and by a
 * tool of others (BENCH_AZLOG, if it is set).
 *
 * The log is written as an export is, file by file; its hashes also stay in memory, where the proofs are made from. Proofs
 * must grow with the logarithm of the size: the table is printed, so that one sees it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/wire.h"
#include "measure.h"
#include "published/published.h"

#define LEVELS  4u
#define ENTRIES 10000000u
#define PROOFS  2000u /* of each size */
#define RUNS    3u

struct bench {
	struct published_keys keys;
	int dirfd;
	uint64_t size;
	uint8_t (*levels[LEVELS])[TREE_HASH_SIZE];
	struct buffer note;
};

/* --- writing ---------------------------------------------------------------------------------- */

static void
put_file(const struct bench *bench, const char *path, struct bytes bytes)
{
	char folder[TILE_PATH_MAX];
	struct az_err err = {0};
	int fd;

	for (size_t i = 0; path[i] != '\0'; i++) {
		if (path[i] != '/')
			continue;
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)i, path);
		if (mkdirat(bench->dirfd, folder, 0755) != 0 && errno != EEXIST)
			bench_die(folder, NULL);
	}
	fd = openat(bench->dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		bench_die(path, NULL);
	bench_check(path, file_write(fd, bytes, &err), &err);
	(void)close(fd);
}

static void
put_bundle(struct bench *bench, uint64_t number, struct buffer *bundle, struct buffer *entry)
{
	uint64_t left = bench->size - number * TILE_WIDTH;
	unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
	char path[TILE_PATH_MAX];

	buffer_clear(bundle);
	for (unsigned int i = 0; i < width; i++) {
		uint64_t index = number * TILE_WIDTH + i;
		uint8_t size[2];

		buffer_clear(entry);
		published_entry(1, index, entry);
		tree_leaf(buffer_peek(entry), bench->levels[0][index]);
		wire_store_u16be(size, (uint16_t)entry->size);
		bench_check("memory", buffer_append(bundle, bytes_make(size, 2)), NULL);
		bench_check("memory", buffer_append(bundle, buffer_peek(entry)), NULL);
	}
	tile_path(TILE_ENTRIES, number, width, path);
	put_file(bench, path, buffer_peek(bundle));
}

static void
put_levels(struct bench *bench)
{
	for (unsigned int level = 0; level < LEVELS; level++) {
		uint64_t count = tile_count(level, bench->size);

		for (uint64_t i = 0; level > 0 && i < count; i++) {
			struct tree tree = {0};

			for (unsigned int k = 0; k < TILE_WIDTH; k++)
				tree_append(&tree, bench->levels[level - 1][i * TILE_WIDTH + k]);
			tree_root(&tree, bench->levels[level][i]);
		}
		for (uint64_t number = 0; number * TILE_WIDTH < count; number++) {
			uint64_t left = count - number * TILE_WIDTH;
			unsigned int width = left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH;
			char path[TILE_PATH_MAX];

			tile_path(level, number, width, path);
			put_file(bench, path,
			    bytes_make(bench->levels[level][number * TILE_WIDTH],
				(size_t)width * TREE_HASH_SIZE));
		}
	}
}

/* --- proofs ----------------------------------------------------------------------------------- */

static enum az_status
read_level(void *arg, unsigned int level, uint64_t index, size_t count, uint8_t *hashes,
    struct az_err *reterr)
{
	const struct bench *bench = arg;

	(void)reterr;
	memcpy(hashes, bench->levels[level][index], count * TREE_HASH_SIZE);
	return AZ_OK;
}

static void
root_of(struct bench *bench, uint64_t size, uint8_t ret_root[TREE_HASH_SIZE])
{
	struct hash_source source = {.read = read_level, .arg = bench, .levels = LEVELS};

	bench_check("root", proof_root(&source, size, ret_root, NULL), NULL);
}

static void
measure_inclusion(struct bench *bench, uint64_t size)
{
	struct hash_source source = {.read = read_level, .arg = bench, .levels = LEVELS};
	uint8_t root[TREE_HASH_SIZE];
	struct samples made = {0};
	struct samples checked = {0};
	uint64_t seed = size, lines = 0;

	root_of(bench, size, root);
	for (unsigned int i = 0; i < PROOFS; i++) {
		uint64_t index = published_random(&seed) % size;
		struct proof proof;
		int64_t since = bench_now_ns();

		bench_check(
		    "proof", proof_make_inclusion(&source, index, size, &proof, NULL), NULL);
		samples_add(&made, bench_now_ns() - since);
		since = bench_now_ns();
		if (!proof_check_inclusion(&proof, index, size, bench->levels[0][index], root))
			bench_die("a proof does not hold", NULL);
		samples_add(&checked, bench_now_ns() - since);
		lines += proof.count;
	}
	bench_say("%9llu  inclusion    %5.1f  %6.0f  %8.1f  %8.2f", (unsigned long long)size,
	    (double)lines / PROOFS, (double)lines / PROOFS * TREE_HASH_SIZE, samples_us(&made, 0.5),
	    samples_us(&checked, 0.5));
	samples_fini(&made);
	samples_fini(&checked);
}

static void
measure_consistency(struct bench *bench, uint64_t size)
{
	struct hash_source source = {.read = read_level, .arg = bench, .levels = LEVELS};
	uint8_t root[TREE_HASH_SIZE];
	struct samples made = {0};
	struct samples checked = {0};
	uint64_t seed = size, lines = 0;

	root_of(bench, size, root);
	for (unsigned int i = 0; i < PROOFS; i++) {
		uint64_t old_size = published_random(&seed) % size + 1;
		uint8_t old_root[TREE_HASH_SIZE];
		struct proof proof;
		int64_t since;

		root_of(bench, old_size, old_root);
		since = bench_now_ns();
		bench_check(
		    "proof", proof_make_consistency(&source, old_size, size, &proof, NULL), NULL);
		samples_add(&made, bench_now_ns() - since);
		since = bench_now_ns();
		if (!proof_check_consistency(&proof, old_size, old_root, size, root))
			bench_die("a proof does not hold", NULL);
		samples_add(&checked, bench_now_ns() - since);
		lines += proof.count;
	}
	bench_say("%9llu  consistency  %5.1f  %6.0f  %8.1f  %8.2f", (unsigned long long)size,
	    (double)lines / PROOFS, (double)lines / PROOFS * TREE_HASH_SIZE, samples_us(&made, 0.5),
	    samples_us(&checked, 0.5));
	bench_result("proof-bytes", (double)lines / PROOFS * TREE_HASH_SIZE);
	bench_result("proof-make-us", samples_us(&made, 0.5));
	bench_result("proof-check-us", samples_us(&checked, 0.5));
	samples_fini(&made);
	samples_fini(&checked);
}

/* --- the whole log ------------------------------------------------------------------------------ */

static double
verify_with(struct bench *bench, unsigned int threads)
{
	double cpu = process_cpu(getpid());
	struct published_log log = published_folder(&bench->dirfd);
	double rates[RUNS];

	for (unsigned int run = 0; run < RUNS; run++) {
		struct log_check check = {.key = &bench->keys.log,
		    .newest = buffer_peek(&bench->note),
		    .threads = threads};
		struct az_err err = {0};
		int64_t since = bench_now_ns();

		bench_check("verify", log_check(&log, &check, &err), &err);
		rates[run] = (double)check.size * 1e9 / (double)(bench_now_ns() - since);
		bench_say("azukari-verify, %u threads, run %u: %.0f entries/s", threads, run + 1,
		    rates[run]);
	}
	/* On a machine that others use, too, this is the figure that stays. */
	cpu = (process_cpu(getpid()) - cpu) / RUNS;
	bench_say("azukari-verify, %u threads: %.0f entries a second of processor time", threads,
	    (double)bench->size / cpu);
	if (threads == 1)
		bench_result("client-verify-cpu", (double)bench->size / cpu);
	return bench_median(rates, RUNS);
}

/* The other tool on the same folder, as a process. */
static void
measure_other(const struct bench *bench, const char *tool, const char *path)
{
	char vkey[300], newest[300];
	int64_t since = bench_now_ns();
	int how = -1;
	pid_t child;

	(void)snprintf(vkey, sizeof(vkey), "%s/vkey", path);
	(void)snprintf(newest, sizeof(newest), "%s/checkpoint", path);
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, STDOUT_FILENO);
		(void)execl(tool, tool, "log", vkey, path, newest, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &how, 0) != child || how != 0)
		bench_die(tool, NULL);
	bench_result(
	    "client-verify-go", (double)bench->size * 1e9 / (double)(bench_now_ns() - since));
}

static void
make_log(struct bench *bench)
{
	struct buffer bundle, entry, vkey;
	uint8_t root[TREE_HASH_SIZE];

	for (unsigned int level = 0; level < LEVELS; level++) {
		bench->levels[level] =
		    calloc((size_t)tile_count(level, bench->size) + 1, TREE_HASH_SIZE);
		if (bench->levels[level] == NULL)
			bench_die("memory", NULL);
	}
	buffer_init(&bundle, BUNDLE_MAX, false);
	buffer_init(&entry, LEDGER_ENTRY_MAX, false);
	buffer_init(&vkey, NOTE_VKEY_MAX, false);
	for (uint64_t number = 0; number * TILE_WIDTH < bench->size; number++)
		put_bundle(bench, number, &bundle, &entry);
	put_levels(bench);
	root_of(bench, bench->size, root);
	bench_check("checkpoint",
	    checkpoint_make(
		&bench->keys.log, bench->keys.log_sign, bench->size, root, &bench->note, NULL),
	    NULL);
	put_file(bench, "checkpoint", buffer_peek(&bench->note));
	bench_check("key", note_key_text(&bench->keys.log, &vkey), NULL);
	put_file(bench, "vkey", buffer_peek(&vkey));
	buffer_fini(&bundle);
	buffer_fini(&entry);
	buffer_fini(&vkey);
}

int
main(void)
{
	struct bench bench = {.size = bench_setting("BENCH_ENTRIES", ENTRIES)};
	const char *tool = getenv("BENCH_AZLOG");
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	char path[256];
	int64_t since = bench_now_ns();

	bench.dirfd = bench_folder(path, sizeof(path));
	published_keys_init(&bench.keys);
	buffer_init(&bench.note, NOTE_MAX, false);
	make_log(&bench);
	bench_say("published %llu entries in %.1f s", (unsigned long long)bench.size,
	    (double)(bench_now_ns() - since) / 1e9);
	bench_say("  entries  proof        lines   bytes  made, us  checked, us");
	for (uint64_t size = 1000; size <= bench.size; size *= 10)
		measure_inclusion(&bench, size);
	for (uint64_t size = 1000; size <= bench.size; size *= 10)
		measure_consistency(&bench, size);
	bench_result("client-verify-one", verify_with(&bench, 1));
	bench_result(
	    "client-verify", verify_with(&bench, processors > 0 ? (unsigned int)processors : 1));
	if (tool != NULL && tool[0] != '\0')
		measure_other(&bench, tool, path);
	for (unsigned int level = 0; level < LEVELS; level++)
		free(bench.levels[level]);
	buffer_fini(&bench.note);
	published_keys_fini(&bench.keys);
	(void)close(bench.dirfd);
	bench_folder_remove(path);
	return 0;
}
