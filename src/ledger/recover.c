/*
 * Opening a ledger: what the disk holds is brought to what the write-ahead log says.
 *
 * The state file says up to which seq the logs' files are synced, and how large each was then:
 *
 *   file header, magic "AZSTATE"; u64 seq; u32 generation; u32 count
 *   for each log: u32 log, u64 size, u64 bytes of entries, i64 time of the last entry, 32 root
 *   32 MAC over all before it
 *
 *   1. each log is cut back to its size in the state file; its stored hashes must give its stored root
 *   2. the write-ahead log is read; records behind the state are appended to their logs again; a declared loss among them
 *      begins the next generation
 *   3. each log must contain what its signed checkpoint says, of this generation or, before a new one is signed, the last
 *   4. the query index is brought to the logs' ends (index.c)
 *
 * A log file that is shorter than the state says, a write-ahead log that begins after it or ends before it, a
 * checkpoint ahead of the log: each means that something acknowledged was removed, and is refused.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "ledger/ledger_internal.h"

#define STATE_LOG_SIZE  (4 + 8 + 8 + 8 + TREE_HASH_SIZE)
#define STATE_MAX       (FILE_HEADER_SIZE + 16 + (size_t)LEDGER_LOGS_MAX * STATE_LOG_SIZE + WAL_MAC_SIZE)
#define SEGMENT_DEFAULT (16u * 1024u * 1024u)

static struct file_header
state_header(const struct ledger *ledger)
{
	struct file_header header = {.magic = "AZSTATE", .format = 1};

	memcpy(header.house, ledger->config.house, HOUSE_ID_SIZE);
	return header;
}

enum az_status
state_write(struct ledger *ledger, uint64_t seq, struct az_err *reterr)
{
	struct file_header header = state_header(ledger);
	uint8_t head[FILE_HEADER_SIZE];
	uint8_t digest[WAL_MAC_SIZE];
	uint8_t root[TREE_HASH_SIZE];
	struct wire_writer writer;
	struct buffer buffer;
	struct bytes all;
	uint32_t count = 0;
	enum az_status status;

	buffer_init(&buffer, STATE_MAX, false);
	file_header_encode(&header, head);
	wire_writer_init(&writer, &buffer);
	wire_put_raw(&writer, head, sizeof(head));
	wire_put_u64(&writer, seq);
	wire_put_u32(&writer, ledger->next_generation);
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX; i++)
		count += ledger->logs[i] != NULL;
	wire_put_u32(&writer, count);
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX; i++) {
		const struct log *log = ledger->logs[i];

		if (log == NULL)
			continue;
		tree_root(&log->tree, root);
		wire_put_u32(&writer, i);
		wire_put_u64(&writer, log->tree.size);
		wire_put_u64(&writer, log->entries_size);
		wire_put_i64(&writer, ledger->last_times[i]);
		wire_put_raw(&writer, root, sizeof(root));
	}
	all = buffer_peek(&buffer);
	mac_compute(ledger->wal.mac, &all, 1, digest);
	wire_put_raw(&writer, digest, sizeof(digest));
	status = writer.status;
	if (status == AZ_OK)
		status =
		    file_replace(ledger->config.dirfd, "state", buffer_peek(&buffer), 0600, reterr);
	buffer_fini(&buffer);
	return status;
}

enum az_status
ledger_pseudonyms(const struct ledger *ledger, uint32_t log, struct pseudonyms **ret_pseudonyms,
    struct az_err *reterr)
{
	struct secret *key = NULL;
	enum az_status status =
	    kdf_derive(ledger->key, ledger->config.house, "log-pseudonym", log, &key, reterr);

	if (status == AZ_OK)
		status = pseudonyms_new(secret_peek(key), ret_pseudonyms, reterr);
	secret_free(&key);
	return status;
}

enum az_status
edge_new(const struct ledger *ledger, uint32_t log, struct edge **ret_edge, struct az_err *reterr)
{
	struct edge *edge = calloc(1, sizeof(*edge));
	enum az_status status;

	if (edge == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	status = ledger_pseudonyms(ledger, log, &edge->pseudonyms, reterr);
	if (status != AZ_OK) {
		free(edge);
		return status;
	}
	edge->flushed.log = log;
	edge->flushed.generation = ledger->generation;
	*ret_edge = edge;
	return AZ_OK;
}

void
edge_free(struct edge **edge)
{
	if (*edge == NULL)
		return;
	pseudonyms_free(&(*edge)->pseudonyms);
	free(*edge);
	*edge = NULL;
}

enum az_status
ledger_log(struct ledger *ledger, uint32_t number, struct log **ret_log, struct az_err *reterr)
{
	struct log *log = ledger->logs[number];
	enum az_status status;

	if (log == NULL) {
		log = malloc(sizeof(*log));
		if (log == NULL)
			return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
		status = log_open(
		    ledger->config.dirfd, ledger->config.house, number, true, false, log, reterr);
		/* A log that the state does not know holds nothing that was synced. */
		if (status == AZ_OK) {
			status = log_cut(log, 0, FILE_HEADER_SIZE, reterr);
			if (status != AZ_OK)
				log_close(log);
		}
		if (status != AZ_OK) {
			free(log);
			return status;
		}
		ledger->logs[number] = log;
	}
	*ret_log = log;
	return AZ_OK;
}

void
payload_place(
    const struct ledger *ledger, const struct wal_record *record, uint8_t place[PAYLOAD_PLACE_SIZE])
{
	memcpy(place, ledger->config.house, HOUSE_ID_SIZE);
	wire_store_u64(place + HOUSE_ID_SIZE, record->seq);
	wire_store_u32(place + HOUSE_ID_SIZE + 8, record->log);
	wire_store_u64(place + HOUSE_ID_SIZE + 12, record->index);
	sha256(record->entry, place + HOUSE_ID_SIZE + 20);
}

enum az_status
payload_open(const struct ledger *ledger, struct seal_key *key, const struct wal_record *record,
    struct buffer *buffer, struct az_err *reterr)
{
	uint8_t place[PAYLOAD_PLACE_SIZE];
	enum az_status status;

	buffer_clear(buffer);
	if (record->payload.size == 0)
		return AZ_OK;
	if (record->payload.size < SEAL_OVERHEAD)
		return az_fail(reterr, AZ_CORRUPT, "ledger: payload %llu is cut short",
		    (unsigned long long)record->seq);
	status = buffer_reserve(buffer, record->payload.size);
	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: payload %llu is too long",
		    (unsigned long long)record->seq);
	payload_place(ledger, record, place);
	status =
	    seal_open(key, bytes_make(place, sizeof(place)), record->payload, buffer->data, reterr);
	if (status == AZ_OK)
		buffer->size = record->payload.size - SEAL_OVERHEAD;
	return status;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Step 1 for one log of the state file. */
static enum az_status
restore_log(struct ledger *ledger, struct wire_reader *reader, struct az_err *reterr)
{
	uint32_t number = wire_get_u32(reader);
	uint64_t size = wire_get_u64(reader);
	uint64_t entries_size = wire_get_u64(reader);
	int64_t last_time_us = wire_get_i64(reader);
	uint8_t stored[TREE_HASH_SIZE];
	uint8_t root[TREE_HASH_SIZE];
	struct log *log;
	enum az_status status;

	wire_get_raw(reader, stored, sizeof(stored));
	if (reader->failed || number >= LEDGER_LOGS_MAX || ledger->logs[number] != NULL)
		return az_fail(reterr, AZ_CORRUPT, "ledger: the state file is not in its format");
	log = malloc(sizeof(*log));
	if (log == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	status =
	    log_open(ledger->config.dirfd, ledger->config.house, number, false, false, log, reterr);
	if (status != AZ_OK) {
		free(log);
		return status == AZ_NOT_FOUND
		    ? az_fail(reterr, AZ_FORGED, "ledger: log %u is missing", number)
		    : status;
	}
	ledger->logs[number] = log;
	status = log_cut(log, size, entries_size, reterr);
	if (status != AZ_OK)
		return status;
	tree_root(&log->tree, root);
	if (!bytes_equal(bytes_make(root, sizeof(root)), bytes_make(stored, sizeof(stored))))
		return az_fail(reterr, AZ_FORGED,
		    "ledger: the stored hashes of log %u do not lead to its root", number);
	ledger->last_times[number] = last_time_us;
	return AZ_OK;
}

static enum az_status
state_read(struct ledger *ledger, struct az_err *reterr)
{
	struct file_header header = state_header(ledger);
	struct buffer buffer;
	struct wire_reader reader;
	struct bytes all;
	uint8_t digest[WAL_MAC_SIZE];
	uint32_t count;
	enum az_status status;

	buffer_init(&buffer, STATE_MAX, false);
	status = file_read_whole(ledger->config.dirfd, "state", &buffer, reterr);
	if (status != AZ_OK)
		goto out;
	if (buffer.size < FILE_HEADER_SIZE + 16 + WAL_MAC_SIZE) {
		status = az_fail(reterr, AZ_CORRUPT, "ledger: the state file is cut short");
		goto out;
	}
	status = file_header_check(buffer.data, &header, "ledger state", reterr);
	if (status != AZ_OK)
		goto out;
	all = bytes_make(buffer.data, buffer.size - WAL_MAC_SIZE);
	mac_compute(ledger->wal.mac, &all, 1, digest);
	if (!bytes_equal(bytes_make(digest, sizeof(digest)),
		bytes_make(buffer.data + all.size, WAL_MAC_SIZE))) {
		status = az_fail(reterr, AZ_FORGED, "ledger: the state file was changed");
		goto out;
	}
	wire_reader_init(
	    &reader, bytes_make(all.data + FILE_HEADER_SIZE, all.size - FILE_HEADER_SIZE));
	ledger->synced_seq = wire_get_u64(&reader);
	ledger->generation = wire_get_u32(&reader);
	count = wire_get_count(&reader, LEDGER_LOGS_MAX, STATE_LOG_SIZE);
	for (uint32_t i = 0; i < count && status == AZ_OK; i++)
		status = restore_log(ledger, &reader, reterr);
	if (status == AZ_OK && (!wire_end(&reader) || ledger->generation == 0))
		status = az_fail(reterr, AZ_CORRUPT, "ledger: the state file is not in its format");
out:
	buffer_fini(&buffer);
	return status;
}

/* Step 2 for one record. */
static enum az_status
recover_record(void *arg, const struct wal_record *record, struct az_err *reterr)
{
	struct ledger *ledger = arg;
	struct ledger_read read;
	struct log *log = NULL;
	enum az_status status;

	ledger->written_seq = record->seq;
	if (record->seq <= ledger->synced_seq)
		return AZ_OK;
	if (record->log >= LEDGER_LOGS_MAX ||
	    ledger_entry_decode(record->entry, record->log, &read) != AZ_OK)
		return az_fail(reterr, AZ_CORRUPT, "ledger: record %llu is not in its format",
		    (unsigned long long)record->seq);
	status = ledger_log(ledger, record->log, &log, reterr);
	if (status != AZ_OK)
		return status;
	if (record->index != log->tree.size)
		return az_fail(reterr, AZ_FORGED,
		    "ledger: record %llu is entry %llu of log %u, which has %llu",
		    (unsigned long long)record->seq, (unsigned long long)record->index, record->log,
		    (unsigned long long)log->tree.size);
	if (record->log == LEDGER_HOUSE_LOG && read.entry.type == ENTRY_DECLARED_LOSS) {
		if (read.entry.detail != ledger->generation + 1)
			return az_fail(reterr, AZ_CORRUPT,
			    "ledger: a declared loss begins generation %u after %u",
			    read.entry.detail, ledger->generation);
		ledger->generation = read.entry.detail;
	}
	ledger->last_times[record->log] = read.entry.time_us;
	ledger->unsigned_logs[record->log] = true;
	return log_append(log, record->entry, reterr);
}

/* The checkpoint that note is, of this generation; or, if it may, of the last one, so that it is signed anew. */
static enum az_status
open_checkpoint(struct ledger *ledger, uint32_t number, const uint8_t public_key[SIGN_PUBLIC_SIZE],
    struct bytes note, bool may_be_older, struct checkpoint *ret_checkpoint, struct az_err *reterr)
{
	struct note_key key;
	enum az_status status = log_note_key(
	    ledger->config.house, ledger->generation, number, public_key, &key, reterr);

	if (status == AZ_OK)
		status = checkpoint_open_signed(note, &key, ret_checkpoint, reterr);
	if (status == AZ_OK || !may_be_older || ledger->generation == 1)
		return status;
	status = log_note_key(
	    ledger->config.house, ledger->generation - 1, number, public_key, &key, reterr);
	if (status == AZ_OK)
		status = checkpoint_open_signed(note, &key, ret_checkpoint, reterr);
	if (status == AZ_OK)
		ledger->unsigned_logs[number] = true;
	return status;
}

/* Whether a log continues a checkpoint of it. It may be ahead, and is signed anew then; never behind. */
static enum az_status
check_continues(struct ledger *ledger, uint32_t number, struct bytes note, const char *what,
    bool may_be_older, struct az_err *reterr)
{
	const struct log *log = ledger->logs[number];
	uint8_t public_key[SIGN_PUBLIC_SIZE], root[TREE_HASH_SIZE];
	struct sign_key *sign_key = NULL;
	struct checkpoint checkpoint = {0};
	enum az_status status = log_sign_key(ledger, number, &sign_key, reterr);

	if (status != AZ_OK)
		return status;
	sign_key_public(sign_key, public_key);
	sign_key_free(&sign_key);
	status =
	    open_checkpoint(ledger, number, public_key, note, may_be_older, &checkpoint, reterr);
	if (status == AZ_OK && checkpoint.size > log->tree.size)
		status = az_fail(reterr, AZ_FORGED, "ledger: log %u has %llu entries, its %s %llu",
		    number, (unsigned long long)log->tree.size, what,
		    (unsigned long long)checkpoint.size);
	if (status == AZ_OK)
		status = log_root_at(log, checkpoint.size, root, reterr);
	if (status == AZ_OK &&
	    !bytes_equal(bytes_make(root, sizeof(root)),
		bytes_make(checkpoint.root, sizeof(checkpoint.root))))
		status = az_fail(reterr, AZ_FORGED,
		    "ledger: log %u is not the one its %s was signed over", number, what);
	if (status == AZ_OK && checkpoint.size < log->tree.size)
		ledger->unsigned_logs[number] = true;
	return status;
}

enum az_status
ledger_check_signed(struct ledger *ledger, uint32_t number, int dirfd, const char *name,
    const char *what, bool may_be_older, struct az_err *reterr)
{
	struct az_err err = {0};
	struct buffer note;
	enum az_status status;

	buffer_init(&note, NOTE_MAX, false);
	status = file_read_whole(dirfd, name, &note, &err);
	if (status == AZ_OK)
		status =
		    check_continues(ledger, number, buffer_peek(&note), what, may_be_older, &err);
	buffer_fini(&note);
	return status == AZ_OK ? AZ_OK : az_fail(reterr, status, "%s", err.text);
}

/* Step 3 for one log. */
static enum az_status
check_checkpoint(struct ledger *ledger, uint32_t number, struct az_err *reterr)
{
	enum az_status status = ledger_check_signed(ledger, number, ledger->logs[number]->dirfd,
	    "checkpoint", "signed checkpoint", true, reterr);

	if (status != AZ_NOT_FOUND)
		return status;
	/* Killed before the first one: then nothing was synced of it either. */
	ledger->unsigned_logs[number] = true;
	return AZ_OK;
}

/* A log is checkpointed only once the state knows it: a checkpoint of an unknown log is a rollback. */
static enum az_status
check_unknown(struct ledger *ledger, struct az_err *reterr)
{
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX; i++) {
		char path[48];

		if (ledger->logs[i] != NULL)
			continue;
		(void)snprintf(path, sizeof(path), "log-%08x/checkpoint", i);
		if (faccessat(ledger->config.dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return az_fail(reterr, AZ_FORGED,
			    "ledger: log %u has a signed checkpoint, but its entries are gone", i);
	}
	return AZ_OK;
}

static enum az_status
recover(struct ledger *ledger, struct az_err *reterr)
{
	uint32_t first = 0;
	uint32_t last = 0;
	uint64_t first_seq = 0;
	enum az_status status = state_read(ledger, reterr);

	if (status == AZ_OK)
		status = wal_find_segments(&ledger->wal, &first, &last, reterr);
	if (status == AZ_OK && last - first >= SEGMENTS_MAX)
		status = az_fail(reterr, AZ_LIMIT, "ledger: too many segments");
	if (status == AZ_OK)
		status =
		    wal_scan(&ledger->wal, first, last, recover_record, ledger, &first_seq, reterr);
	if (status != AZ_OK)
		return status == AZ_NOT_FOUND
		    ? az_fail(reterr, AZ_FORGED, "ledger: its write-ahead log or state is missing")
		    : status;
	if (first_seq > ledger->synced_seq + 1 || ledger->wal.next_seq <= ledger->synced_seq)
		return az_fail(reterr, AZ_FORGED,
		    "ledger: the write-ahead log has %llu to %llu, but up to %llu was synced",
		    (unsigned long long)first_seq, (unsigned long long)ledger->wal.next_seq - 1,
		    (unsigned long long)ledger->synced_seq);
	ledger->written_seq = ledger->wal.next_seq - 1;
	ledger->torn = ledger->wal.torn;
	ledger->first_segment = first;
	ledger->current_segment = ledger->wal.segment;
	ledger->prepared_segment = last;
	/* Which record ended which older segment is not known any more: keep all until the next sync. */
	for (uint32_t i = first; i <= last; i++)
		ledger->segment_last[i % SEGMENTS_MAX] = ledger->written_seq;
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX && status == AZ_OK; i++) {
		if (ledger->logs[i] == NULL)
			continue;
		status = log_sync(ledger->logs[i], reterr);
		if (status == AZ_OK)
			status = check_checkpoint(ledger, i, reterr);
	}
	if (status == AZ_OK)
		status = check_unknown(ledger, reterr);
	return status == AZ_OK ? anchor_check(ledger, reterr) : status;
}

/* What the committer and the loop begin with. */
static enum az_status
set_edges(struct ledger *ledger, struct az_err *reterr)
{
	for (uint32_t i = 0; i < LEDGER_LOGS_MAX; i++) {
		enum az_status status;
		struct edge *edge;

		if (ledger->logs[i] == NULL)
			continue;
		status = edge_new(ledger, i, &ledger->edges[i], reterr);
		if (status != AZ_OK)
			return status;
		edge = ledger->edges[i];
		edge->tree = ledger->logs[i]->tree;
		edge->last_time_us = ledger->last_times[i];
		edge->flushed.size = edge->tree.size;
		tree_root(&edge->tree, edge->flushed.root);
		ledger->heads[i] = edge->flushed;
		ledger->log_count = i + 1;
	}
	return AZ_OK;
}

static enum az_status
create(struct ledger *ledger, struct az_err *reterr)
{
	uint32_t first, last;
	enum az_status status = wal_find_segments(&ledger->wal, &first, &last, reterr);

	if (status == AZ_OK)
		return az_fail(reterr, AZ_CONFLICT, "ledger: there is one already");
	if (status != AZ_NOT_FOUND)
		return status;
	status = state_write(ledger, 0, reterr);
	if (status == AZ_OK)
		status = wal_make_segment(&ledger->wal, 0, reterr);
	if (status == AZ_OK)
		status = wal_enter_segment(&ledger->wal, 0, reterr);
	return status;
}

static enum az_status
derive_keys(struct ledger *ledger, const struct secret *root, struct az_err *reterr)
{
	struct secret *key = NULL;
	enum az_status status =
	    kdf_derive(root, ledger->config.house, "ledger", 0, &ledger->key, reterr);

	if (status == AZ_OK)
		status = kdf_derive(ledger->key, ledger->config.house, "wal-seal", 0, &key, reterr);
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(key), &ledger->payload_key, reterr);
	if (status == AZ_OK)
		status = seal_key_new(secret_peek(key), &ledger->payload_open_key, reterr);
	secret_free(&key);
	return status;
}

enum az_status
ledger_open(const struct ledger_config *config, struct ledger **ret_ledger, struct az_err *reterr)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	size_t segment_size = config->segment_size == 0 ? SEGMENT_DEFAULT : config->segment_size;
	enum az_status status;

	if (ledger == NULL)
		return az_fail(reterr, AZ_NO_MEMORY, "ledger: out of memory");
	ledger->config = *config;
	ledger->config.root = NULL;
	ledger->generation = 1;
	ledger->next_generation = 1;
	ledger->wal.fd = -1;
	ledger->queue_end = &ledger->queue;
	ledger->done_end = &ledger->done;
	ledger->follow_end = &ledger->follow;
	(void)pthread_mutex_init(&ledger->lock, NULL);
	(void)pthread_mutex_init(&ledger->files_lock, NULL);
	(void)pthread_cond_init(&ledger->files_grew, NULL);
	(void)pthread_cond_init(&ledger->queued, NULL);
	(void)pthread_cond_init(&ledger->behind, NULL);
	(void)pthread_cond_init(&ledger->prepared, NULL);
	if (segment_size < WAL_SEGMENT_MIN || segment_size % WAL_PAGE != 0) {
		status =
		    az_fail(reterr, AZ_INVALID, "ledger: a segment of %zu bytes", segment_size);
		goto out;
	}
	status = derive_keys(ledger, config->root, reterr);
	if (status == AZ_OK)
		status = wal_init(
		    &ledger->wal, config->dirfd, config->house, ledger->key, segment_size, reterr);
	if (status == AZ_OK)
		status = config->create ? create(ledger, reterr) : recover(ledger, reterr);
	ledger->next_generation = ledger->generation;
	ledger->flushed_segment = ledger->wal.segment;
	ledger->flushed_offset = ledger->wal.offset;
	if (status == AZ_OK)
		status = set_edges(ledger, reterr);
	if (status == AZ_OK)
		status = index_open(ledger, reterr);
	if (status != AZ_OK)
		goto out;
	*ret_ledger = ledger;
	ledger = NULL;
out:
	ledger_close(&ledger);
	return status;
}

/* --- replay ---------------------------------------------------------------------------------- */

struct replay {
	struct ledger *ledger;
	uint64_t after;
	enum az_status (*visit)(
	    void *arg, const struct ledger_record *record, struct az_err *reterr);
	void *arg;
	struct buffer payload;
};

static enum az_status
replay_record(void *arg, const struct wal_record *record, struct az_err *reterr)
{
	struct replay *replay = arg;
	struct ledger *ledger = replay->ledger;
	static const uint8_t nobody[PSEUDONYM_SIZE];
	struct ledger_record out = {.seq = record->seq, .index = record->index};
	struct ledger_read read;
	struct pseudonyms *pseudonyms;
	enum az_status status;

	if (record->seq <= replay->after)
		return AZ_OK;
	status = ledger_entry_decode(record->entry, record->log, &read);
	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: record %llu is not in its format",
		    (unsigned long long)record->seq);
	pseudonyms = ledger->edges[record->log]->pseudonyms;
	if (!bytes_equal(
		bytes_make(read.staff, sizeof(nobody)), bytes_make(nobody, sizeof(nobody))))
		status = pseudonym_open(pseudonyms, PSEUDONYM_STAFF, read.staff, &read.entry.staff);
	if (status == AZ_OK &&
	    !bytes_equal(
		bytes_make(read.record, sizeof(nobody)), bytes_make(nobody, sizeof(nobody))))
		status =
		    pseudonym_open(pseudonyms, PSEUDONYM_RECORD, read.record, &read.entry.record);
	if (status != AZ_OK)
		return az_fail(reterr, status, "ledger: a pseudonym of record %llu does not open",
		    (unsigned long long)record->seq);
	status = payload_open(ledger, ledger->payload_open_key, record, &replay->payload, reterr);
	if (status != AZ_OK)
		return status;
	out.entry = &read.entry;
	out.payload = buffer_peek(&replay->payload);
	return replay->visit(replay->arg, &out, reterr);
}

enum az_status
ledger_replay(struct ledger *ledger, uint64_t after,
    enum az_status (*visit)(void *arg, const struct ledger_record *record, struct az_err *reterr),
    void *arg, struct az_err *reterr)
{
	struct replay replay = {.ledger = ledger, .after = after, .visit = visit, .arg = arg};
	uint64_t first_seq = 0;
	struct wal again;
	enum az_status status;

	if (after >= ledger->written_seq)
		return after == ledger->written_seq
		    ? AZ_OK
		    : az_fail(reterr, AZ_FORGED, "ledger: it ends before what was applied from it");
	again = ledger->wal;
	again.fd = -1;
	again.batch = 1;
	again.next_seq = 1;
	buffer_init(&replay.payload, LEDGER_PAYLOAD_MAX + SEAL_OVERHEAD, true);
	status = wal_scan(&again, ledger->first_segment, ledger->prepared_segment, replay_record,
	    &replay, &first_seq, reterr);
	fd_close(&again.fd);
	buffer_fini(&replay.payload);
	if (status == AZ_OK && first_seq > after + 1)
		status = az_fail(reterr, AZ_CORRUPT,
		    "ledger: records before %llu are no longer in the write-ahead log",
		    (unsigned long long)first_seq);
	return status;
}
