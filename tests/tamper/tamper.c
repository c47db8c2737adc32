/*
 * Tampering with published logs, thousands of times: what azukari-verify and, if it is given, a tool of others make of each
 * change, when both have the newest checkpoint that is known.
 *
 *	tamper COUNT SEED [TOOL]
 *
 * Each change is one of the kinds below, at a random place. It changes something that an entry, a tile, a text or a
 * known signature covers; a fork or a shorter log that the right key signed contradicts the checkpoint that is known. So every
 * one must be found, by both. Between them come logs that nobody changed, and ones that only grew: those must be good, or
 * finding fault would prove nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wire.h"
#include "published/published.h"

#define ENTRIES_MAX  800u
#define CASES_A_BASE 200u /* changes to one log, before another is made */
#define GOOD_EVERY   50u

enum kind {
	GOOD_UNTOUCHED,
	GOOD_GROWN, /* more entries, signed, behind the newest checkpoint */
	BUNDLE_BYTE,
	TILE_BYTE,
	CHECKPOINT_TEXT,
	CHECKPOINT_SIGNATURE,
	COSIGNED_BYTE,
	TRUNCATED,
	LENGTHENED,
	REMOVED,
	SWAPPED,        /* two files of one kind */
	DROPPED,        /* entries taken out, all tiles made anew, the old checkpoint kept */
	DROPPED_SIGNED, /* the same, signed with the right key */
	FORKED_SIGNED,  /* an entry changed, all made anew and signed */
	ROLLED_BACK,    /* cut back below what is known, and signed */
	SWAPPED_SIGNED, /* two entries change places, signed */
	SEVERAL_BYTES,
	KINDS,
};
static const char *const kind_names[KINDS] = {"untouched", "grown", "byte of a bundle",
    "byte of a tile", "byte of a checkpoint", "byte of its signature", "byte of the cosigned one",
    "truncated file", "lengthened file", "removed file", "swapped files", "dropped entries",
    "dropped entries, signed", "fork, signed", "rollback, signed", "swapped entries, signed",
    "several bytes"};

struct tamper {
	struct published_keys keys;
	uint64_t seed;
	/* the log as it was */
	uint64_t entries_seed;
	struct entries entries;
	struct published base;
	struct buffer newest;
	size_t newest_size;
	/* the one that is shown */
	struct published shown;
	bool asks_witness;
	int to_tool, from_tool;
	pid_t tool;
	FILE *tool_file;
	uint64_t done[KINDS], missed[KINDS], tool_missed[KINDS];
	uint64_t false_alarms, tool_false_alarms;
};

static size_t
below(struct tamper *tamper, size_t bound)
{
	return (size_t)(published_random(&tamper->seed) % bound);
}

static void
fail(const char *what)
{
	(void)fprintf(stderr, "tamper: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the tool of others ------------------------------------------------------------------------- */

static void
tool_start(struct tamper *tamper, const char *path)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		fail("pipe");
	tamper->tool = fork();
	if (tamper->tool < 0)
		fail("fork");
	if (tamper->tool == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)execl(path, path, "batch", (char *)NULL);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	tamper->tool_file = fdopen(in[1], "w");
	tamper->from_tool = out[0];
	if (tamper->tool_file == NULL)
		fail("fdopen");
}

static void
tool_put(struct tamper *tamper, struct bytes bytes)
{
	if (bytes.size > 0 && fwrite(bytes.data, 1, bytes.size, tamper->tool_file) != bytes.size)
		fail("write to the tool");
}

static void
tool_put_number(struct tamper *tamper, uint32_t number)
{
	uint8_t data[4];

	wire_store_u32(data, number);
	tool_put(tamper, bytes_make(data, sizeof(data)));
}

static void
tool_put_part(struct tamper *tamper, struct bytes bytes)
{
	tool_put_number(tamper, (uint32_t)bytes.size);
	tool_put(tamper, bytes);
}

static void
tool_put_key(struct tamper *tamper, const char *name, const struct note_key *key)
{
	struct buffer text;

	buffer_init(&text, NOTE_VKEY_MAX, false);
	if (note_key_text(key, &text) != AZ_OK)
		fail("key");
	tool_put_part(tamper, bytes_of(name));
	tool_put_part(tamper, buffer_peek(&text));
	buffer_fini(&text);
}

static void
tool_put_base(struct tamper *tamper)
{
	if (tamper->tool == 0)
		return;
	tool_put(tamper, bytes_of("B"));
	tool_put_number(tamper, (uint32_t)tamper->base.count + 3);
	for (size_t i = 0; i < tamper->base.count; i++) {
		tool_put_part(tamper, bytes_of(tamper->base.files[i].path));
		tool_put_part(tamper, buffer_peek(&tamper->base.files[i].bytes));
	}
	tool_put_key(tamper, "vkey", &tamper->keys.log);
	tool_put_key(tamper, "witness", &tamper->keys.witness);
	tool_put_part(tamper, bytes_of("newest"));
	tool_put_part(tamper, buffer_peek(&tamper->newest));
}

static bool
differs(const struct published *base, const struct published_file *file)
{
	const struct published_file *old = published_find(base, file->path);

	return file->removed || old == NULL ||
	    !bytes_equal(buffer_peek(&old->bytes), buffer_peek(&file->bytes));
}

/* Whether the tool finds nothing wrong with what is shown. */
static bool
tool_believes(struct tamper *tamper)
{
	uint8_t asks = tamper->asks_witness ? 1 : 0;
	uint32_t count = 0;
	char answer = 0;

	for (size_t i = 0; i < tamper->shown.count; i++)
		count += differs(&tamper->base, &tamper->shown.files[i]);
	tool_put(tamper, bytes_of("C"));
	tool_put(tamper, bytes_make(&asks, 1));
	tool_put_number(tamper, count);
	for (size_t i = 0; i < tamper->shown.count; i++) {
		const struct published_file *file = &tamper->shown.files[i];

		if (!differs(&tamper->base, file))
			continue;
		tool_put_part(tamper, bytes_of(file->path));
		if (file->removed)
			tool_put_number(tamper, UINT32_MAX);
		else
			tool_put_part(tamper, buffer_peek(&file->bytes));
	}
	if (fflush(tamper->tool_file) != 0 || read(tamper->from_tool, &answer, 1) != 1)
		fail("the tool");
	if (answer != '+' && answer != '-')
		fail("what the tool says");
	return answer == '+';
}

static bool
tool_end(struct tamper *tamper)
{
	int status = -1;

	if (tamper->tool == 0)
		return true;
	(void)fclose(tamper->tool_file);
	(void)close(tamper->from_tool);
	return waitpid(tamper->tool, &status, 0) == tamper->tool && status == 0;
}

/* --- the log as it was -------------------------------------------------------------------------- */

static void
base_drop(struct tamper *tamper)
{
	entries_fini(&tamper->entries);
	published_fini(&tamper->base);
	buffer_fini(&tamper->newest);
}

static void
base_make(struct tamper *tamper)
{
	size_t size = 1 + below(tamper, ENTRIES_MAX);
	struct buffer note;

	/* Sizes at which tiles begin and end come more often than by chance. */
	if (below(tamper, 4) == 0)
		size = TILE_WIDTH * (1 + below(tamper, 3)) - 1 + below(tamper, 3);
	tamper->entries_seed = published_random(&tamper->seed);
	tamper->newest_size = 1 + below(tamper, size);
	if (below(tamper, 2) == 0)
		tamper->newest_size = size;
	entries_make(&tamper->entries, tamper->entries_seed, size);
	published_make(&tamper->base, &tamper->entries);
	buffer_init(&note, NOTE_MAX, false);
	buffer_init(&tamper->newest, NOTE_MAX, false);
	published_checkpoint(&tamper->entries, size, &tamper->keys, false, &note);
	published_put(&tamper->base, "checkpoint", buffer_peek(&note));
	published_checkpoint(&tamper->entries, tamper->newest_size, &tamper->keys, true, &note);
	published_put(&tamper->base, "cosigned", buffer_peek(&note));
	published_checkpoint(
	    &tamper->entries, tamper->newest_size, &tamper->keys, false, &tamper->newest);
	buffer_fini(&note);
	tool_put_base(tamper);
}

/* --- changes ------------------------------------------------------------------------------------ */

static void
shown_reset(struct tamper *tamper)
{
	published_fini(&tamper->shown);
	for (size_t i = 0; i < tamper->base.count; i++)
		published_put(&tamper->shown, tamper->base.files[i].path,
		    buffer_peek(&tamper->base.files[i].bytes));
	tamper->asks_witness = false;
}

static bool
is_bundle(const struct published_file *file)
{
	return strncmp(file->path, "tile/entries/", 13) == 0;
}

static bool
is_tile(const struct published_file *file)
{
	return strncmp(file->path, "tile/", 5) == 0 && !is_bundle(file);
}

/* Any file that everybody reads. */
static bool
is_read(const struct published_file *file)
{
	return strcmp(file->path, "cosigned") != 0;
}

static struct published_file *
pick(struct tamper *tamper, bool (*wanted)(const struct published_file *file))
{
	for (;;) {
		struct published_file *file =
		    &tamper->shown.files[below(tamper, tamper->shown.count)];

		if (wanted(file) && file->bytes.size > 0)
			return file;
	}
}

static void
change_byte(struct tamper *tamper, struct published_file *file, size_t first, size_t end)
{
	uint8_t *byte = &file->bytes.data[first + below(tamper, end - first)];

	/* One bit, or any other value. */
	if (below(tamper, 2) == 0)
		*byte ^= (uint8_t)(1u << below(tamper, 8));
	else
		*byte = (uint8_t)(*byte + 1 + below(tamper, 255));
}

/* Where the text of a note ends. */
static size_t
text_end(const struct published_file *file)
{
	size_t at = 0;

	while (file->bytes.data[at] != '\n' || file->bytes.data[at + 1] != '\n')
		at++;
	return at + 1;
}

/* All files of other entries; signed anew, if it is asked for. */
static void
show_entries(struct tamper *tamper, const struct entries *entries, bool sign)
{
	struct published made;
	struct buffer note;

	published_make(&made, entries);
	for (size_t i = 0; i < tamper->shown.count; i++)
		tamper->shown.files[i].removed =
		    is_bundle(&tamper->shown.files[i]) || is_tile(&tamper->shown.files[i]);
	for (size_t i = 0; i < made.count; i++)
		published_put(
		    &tamper->shown, made.files[i].path, buffer_peek(&made.files[i].bytes));
	published_fini(&made);
	if (!sign)
		return;
	buffer_init(&note, NOTE_MAX, false);
	published_checkpoint(entries, entries->count, &tamper->keys, false, &note);
	published_put(&tamper->shown, "checkpoint", buffer_peek(&note));
	buffer_fini(&note);
}

/* What takes all entries anew. Those that are signed must contradict what is known, so they begin below it. */
static void
change_entries(struct tamper *tamper, enum kind kind)
{
	struct entries entries;
	size_t size = tamper->entries.count;
	size_t known = kind == DROPPED ? size : tamper->newest_size;
	size_t at = below(tamper, known);
	size_t other = below(tamper, size);

	entries_make(&entries, tamper->entries_seed,
	    kind == GOOD_GROWN ? size + 1 + below(tamper, 300) : size);
	if (kind == DROPPED || kind == DROPPED_SIGNED) {
		entries_drop(&entries, at, 1 + below(tamper, size - at < 5 ? size - at : 5));
	} else if (kind == ROLLED_BACK) {
		entries_drop(&entries, at, size - at);
	} else if (kind == FORKED_SIGNED) {
		entries.list[at].data[below(tamper, entries.list[at].size)] ^=
		    (uint8_t)(1 + below(tamper, 255));
	} else if (kind == SWAPPED_SIGNED) {
		struct buffer swap = entries.list[at];

		if (other == at)
			other = at > 0 ? at - 1 : size - 1;
		entries.list[at] = entries.list[other];
		entries.list[other] = swap;
	}
	show_entries(tamper, &entries, kind != DROPPED);
	entries_fini(&entries);
}

static void
swap_files(struct tamper *tamper)
{
	struct published_file *a = pick(tamper, is_read);
	struct published_file *b = pick(tamper, is_read);
	struct buffer swap = a->bytes;

	/* With itself it would be no change. */
	for (unsigned int i = 0;
	     i < 100 && bytes_equal(buffer_peek(&a->bytes), buffer_peek(&b->bytes)); i++)
		b = pick(tamper, is_read);
	a->bytes = b->bytes;
	b->bytes = swap;
}

static void
change(struct tamper *tamper, enum kind kind)
{
	struct published_file *file;

	switch (kind) {
	case GOOD_UNTOUCHED: tamper->asks_witness = true; break;
	case BUNDLE_BYTE:
		file = pick(tamper, is_bundle);
		change_byte(tamper, file, 0, file->bytes.size);
		break;
	case TILE_BYTE:
		file = pick(tamper, is_tile);
		change_byte(tamper, file, 0, file->bytes.size);
		break;
	case CHECKPOINT_TEXT:
		file = published_find(&tamper->shown, "checkpoint");
		change_byte(tamper, file, 0, text_end(file));
		break;
	case CHECKPOINT_SIGNATURE:
		file = published_find(&tamper->shown, "checkpoint");
		change_byte(tamper, file, text_end(file), file->bytes.size);
		break;
	case COSIGNED_BYTE:
		tamper->asks_witness = true;
		file = published_find(&tamper->shown, "cosigned");
		change_byte(tamper, file, 0, file->bytes.size);
		break;
	case TRUNCATED:
		file = pick(tamper, is_read);
		file->bytes.size = below(tamper, file->bytes.size);
		break;
	case LENGTHENED: {
		uint8_t more = (uint8_t)below(tamper, 256);

		if (buffer_append(&pick(tamper, is_read)->bytes, bytes_make(&more, 1)) != AZ_OK)
			fail("memory");
		break;
	}
	case REMOVED: pick(tamper, is_read)->removed = true; break;
	case SWAPPED: swap_files(tamper); break;
	case SEVERAL_BYTES:
		for (size_t i = 2 + below(tamper, 8); i > 0; i--) {
			file = pick(tamper, is_read);
			change_byte(tamper, file, 0, file->bytes.size);
		}
		break;
	case GOOD_GROWN:
	case DROPPED:
	case DROPPED_SIGNED:
	case FORKED_SIGNED:
	case ROLLED_BACK:
	case SWAPPED_SIGNED: change_entries(tamper, kind); break;
	case KINDS:
	default: abort();
	}
}

/* Changes at several places may undo each other; a kind may have nothing to change. */
static bool
is_changed(const struct tamper *tamper)
{
	for (size_t i = 0; i < tamper->shown.count; i++) {
		if (differs(&tamper->base, &tamper->shown.files[i]))
			return true;
	}
	return false;
}

/* --- what is made of it ------------------------------------------------------------------------- */

static bool
we_believe(struct tamper *tamper)
{
	struct published_log source = published_source(&tamper->shown);
	struct log_check check = {.key = &tamper->keys.log,
	    .witness = tamper->asks_witness ? &tamper->keys.witness : NULL,
	    .newest = buffer_peek(&tamper->newest),
	    .threads = 1};
	enum az_status status = log_check(&source, &check, NULL);

	/* "Could not tell" is no finding. */
	if (status == AZ_INTERNAL || status == AZ_NO_MEMORY || status == AZ_IO)
		fail("it could not tell");
	return status == AZ_OK;
}

static void
report_missed(const struct tamper *tamper, enum kind kind, uint64_t number, const char *who)
{
	(void)fprintf(stderr, "tamper: change %" PRIu64 " (%s, %zu entries, %zu known): %s\n",
	    number, kind_names[kind], tamper->entries.count, tamper->newest_size, who);
}

static void
one(struct tamper *tamper, uint64_t number)
{
	enum kind kind = (enum kind)(GOOD_GROWN + 1 + below(tamper, KINDS - GOOD_GROWN - 1));
	bool good = number % GOOD_EVERY == 0;
	bool ours, theirs;

	if (good)
		kind = number / GOOD_EVERY % 2 == 0 ? GOOD_UNTOUCHED : GOOD_GROWN;
	do {
		shown_reset(tamper);
		change(tamper, kind);
	} while (kind != GOOD_UNTOUCHED && !is_changed(tamper) && tamper->shown.count > 0 &&
	    (kind = kind == SWAPPED || kind == SWAPPED_SIGNED ? BUNDLE_BYTE : kind) != KINDS);
	ours = we_believe(tamper);
	theirs = tamper->tool != 0 ? tool_believes(tamper) : good;
	tamper->done[kind]++;
	if (ours != good) {
		report_missed(tamper, kind, number, "azukari-verify");
		tamper->missed[kind]++;
	}
	if (theirs != good) {
		report_missed(tamper, kind, number, "the other tool");
		tamper->tool_missed[kind]++;
	}
}

static bool
report(const struct tamper *tamper)
{
	uint64_t all = 0, ours = 0, theirs = 0;

	for (unsigned int kind = 0; kind < KINDS; kind++) {
		(void)printf("%-26s %8" PRIu64 "\n", kind_names[kind], tamper->done[kind]);
		ours += tamper->missed[kind];
		theirs += tamper->tool_missed[kind];
		if (kind > GOOD_GROWN)
			all += tamper->done[kind];
	}
	(void)printf("%" PRIu64 " changes: azukari-verify was wrong about %" PRIu64, all, ours);
	if (tamper->tool != 0)
		(void)printf(", the other tool about %" PRIu64, theirs);
	(void)printf("\n");
	return ours == 0 && theirs == 0 && all > 0;
}

int
main(int argc, char **argv)
{
	struct tamper tamper = {0};
	uint64_t count = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
	bool good;

	if (argc < 3 || argc > 4 || count == 0) {
		(void)fprintf(stderr, "usage: tamper COUNT SEED [TOOL]\n");
		return 2;
	}
	tamper.seed = strtoull(argv[2], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	(void)signal(SIGPIPE, SIG_IGN);
	published_keys_init(&tamper.keys);
	if (argc > 3)
		tool_start(&tamper, argv[3]);
	/* Of every fifty one is good and is not counted. */
	for (uint64_t number = 0, changes = 0; changes < count; number++) {
		if (number % CASES_A_BASE == 0) {
			if (number > 0)
				base_drop(&tamper);
			base_make(&tamper);
		}
		one(&tamper, number);
		changes += number % GOOD_EVERY != 0;
	}
	base_drop(&tamper);
	published_fini(&tamper.shown);
	published_keys_fini(&tamper.keys);
	good = report(&tamper);
	if (!tool_end(&tamper)) {
		(void)fprintf(stderr, "tamper: the tool did not end well\n");
		good = false;
	}
	return good ? 0 : 1;
}
