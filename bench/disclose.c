/*
 * Disclosures through keeper and vault, under load or one at a time.
 *
 *	bench-disclose HOUSE KEYS PHONES CLIENT PURPOSE load SESSIONS SECONDS
 *	bench-disclose HOUSE KEYS PHONES CLIENT PURPOSE lone COUNT
 *
 * KEYS is a folder of staff key files 1.key, 2.key …; PHONES has a telephone a line, each of one person only.
 * Every session is another human on the house's own device, with one request outstanding. "lone" interleaves
 * each disclosure with an extending append of 4 KiB and its fdatasync in the house's folder, the least that
 * anything durable costs on this disk.
 *
 * Prints one line of numbers; scripts/bench.sh makes tables of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/wire.h"
#include "cli/house.h"
#include "crypto/hash.h"
#include "crypto/noise.h"
#include "proto/front.h"

#define SESSIONS_MAX 256
#define SAMPLES_MAX  4000000u
#define BLOCK        4096u

struct phones {
	char (*numbers)[24];
	size_t count;
};

struct session {
	struct link link;
	struct noise *noise;
	uint32_t next_id;
	int64_t asked_us;
};

struct load {
	struct phones phones;
	const char *client, *purpose;
	uint64_t state; /* of the generator that picks people */
	uint32_t *samples;
	size_t sample_count;
	uint64_t done, failed;
};

static _Noreturn void
die(const char *what, const struct az_err *err)
{
	(void)fprintf(stderr, "bench-disclose: %s: %s\n", what, err->text);
	exit(1);
}

static void
must(enum az_status status, const char *what, const struct az_err *err)
{
	if (status != AZ_OK)
		die(what, err);
}

static struct phones
read_phones(const char *path)
{
	struct phones phones = {0};
	FILE *file = fopen(path, "r");
	char line[64];
	size_t room = 0;

	if (file == NULL)
		die(path, &(struct az_err){.text = "cannot be read"});
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (phones.count == room) {
			room = room == 0 ? 4096 : 2 * room;
			phones.numbers =
			    reallocarray(phones.numbers, room, sizeof(*phones.numbers));
			if (phones.numbers == NULL)
				exit(1);
		}
		(void)snprintf(
		    phones.numbers[phones.count++], sizeof(*phones.numbers), "%.20s", line);
	}
	(void)fclose(file);
	if (phones.count == 0)
		die(path, &(struct az_err){.text = "has no telephone"});
	return phones;
}

/* --- one channel ------------------------------------------------------------------------------ */

static void
send_request(struct session *session, enum front_message type, const union front_request *request)
{
	uint8_t sealed[4096];
	struct buffer message;
	struct az_err err = {0};

	buffer_init(&message, sizeof(sealed) - NOISE_TAG_SIZE, false);
	must(front_encode(type, session->next_id++, request, &message), "encode", &err);
	must(noise_seal(session->noise, buffer_peek(&message), sealed, &err), "seal", &err);
	must(link_queue(
		 &session->link, FRONT_DATA, 0, bytes_make(sealed, message.size + NOISE_TAG_SIZE)),
	    "send", &err);
	must(link_flush(&session->link, &err), "send", &err);
	buffer_fini(&message);
}

/* Opens a frame; its message type, and the status of a FAILED. */
static uint16_t
open_reply(struct session *session, const struct frame *frame)
{
	static uint8_t plain[FRONT_FRAME_MAX];
	struct front_header header = {0};
	struct bytes body;
	struct az_err err = {0};

	must(noise_open(session->noise, frame->body, plain, &err), "open", &err);
	must(front_open(bytes_make(plain, frame->body.size - NOISE_TAG_SIZE), &header, &body),
	    "open", &err);
	return header.type;
}

static uint16_t
wait_reply(struct session *session)
{
	struct frame frame;
	struct az_err err = {0};

	must(link_receive(&session->link, &frame, &err), "receive", &err);
	return open_reply(session, &frame);
}

static void
sign_with(const struct key_file *file, const char *context, const uint8_t *hash,
    uint8_t *ret_public, uint8_t *ret_signature)
{
	uint8_t data[FRONT_SIGNED_MAX];
	struct sign_key *key = NULL;
	struct az_err err = {0};
	size_t size = front_signed(context, hash, data);

	must(sign_key_new(secret_peek(file->seed), &key, &err), "sign", &err);
	sign_key_public(key, ret_public);
	must(sign(key, bytes_make(data, size), ret_signature, &err), "sign", &err);
	sign_key_free(&key);
}

static void
sign_in(struct session *session, const struct key_file *staff, const struct key_file *device)
{
	union front_request *request = calloc(1, sizeof(*request));
	uint8_t hash[NOISE_HASH_SIZE];

	if (request == NULL)
		exit(1);
	noise_hash(session->noise, hash);
	sign_with(staff, FRONT_SIGN_IN_STAFF, hash, request->sign_in.staff_key,
	    request->sign_in.staff_signature);
	sign_with(device, FRONT_SIGN_IN_DEVICE, hash, request->sign_in.device_key,
	    request->sign_in.device_signature);
	send_request(session, FRONT_SIGN_IN, request);
	free(request);
	if (wait_reply(session) != FRONT_DONE)
		die("sign-in", &(struct az_err){.text = "refused"});
}

static void
session_open(struct session *session, const struct house_folder *folder, const char *keys,
    unsigned int number, const struct key_file *device)
{
	uint8_t prologue[FRONT_PROLOGUE_SIZE];
	struct key_file staff = {0};
	struct buffer message;
	struct frame frame;
	struct az_err err = {0};
	char path[4096];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/%u.key", keys, number);
	must(key_file_read(path, &staff, &err), "key", &err);
	must(house_connect(folder, &fd, &err), "connect", &err);
	link_init(&session->link, fd, LINK_BLOCKING, FRONT_FRAME_MAX, 65536, false);
	front_prologue(folder->file.house, prologue);
	must(noise_initiator(folder->file.keeper, bytes_make(prologue, sizeof(prologue)),
		 &session->noise, &err),
	    "channel", &err);
	buffer_init(&message, NOISE_MESSAGE_MAX, false);
	must(noise_write_handshake(session->noise, bytes_make(NULL, 0), &message, &err), "channel",
	    &err);
	must(link_queue(&session->link, FRONT_HELLO, 0, buffer_peek(&message)), "hello", &err);
	must(link_flush(&session->link, &err), "hello", &err);
	must(link_receive(&session->link, &frame, &err), "answer", &err);
	buffer_clear(&message);
	must(noise_read_handshake(session->noise, frame.body, &message, &err), "answer", &err);
	buffer_fini(&message);
	sign_in(session, &staff, device);
	key_file_fini(&staff);
}

/* --- disclosing ------------------------------------------------------------------------------- */

static void
ask_somebody(struct load *load, struct session *session)
{
	static union front_request request;
	struct front_disclose *disclose = &request.disclose;
	uint64_t mixed = load->state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	mixed ^= mixed >> 31;
	(void)snprintf(disclose->client, sizeof(disclose->client), "%s", load->client);
	(void)snprintf(disclose->purpose, sizeof(disclose->purpose), "%s", load->purpose);
	(void)snprintf(disclose->call, sizeof(disclose->call), "%08llx",
	    (unsigned long long)(mixed & 0xffffffff));
	disclose->reason = REASON_ENQUIRY;
	disclose->basis = BASIS_INBOUND_MATCH;
	disclose->by_count = 1;
	disclose->by[0].field = FIELD_PHONE;
	disclose->by[0].value = bytes_of(load->phones.numbers[mixed % load->phones.count]);
	session->asked_us = clock_monotonic_us();
	send_request(session, FRONT_DISCLOSE, &request);
}

static void
count_reply(struct load *load, const struct session *session, uint16_t type)
{
	if (load->sample_count < SAMPLES_MAX)
		load->samples[load->sample_count++] =
		    (uint32_t)(clock_monotonic_us() - session->asked_us);
	if (type == FRONT_DONE)
		load->done++;
	else
		load->failed++;
}

/* Takes what has arrived on a session, and asks again after each reply. */
static void
take_replies(struct load *load, struct session *session, bool ask_again)
{
	struct az_err err = {0};

	must(link_fill(&session->link, &err), "receive", &err);
	for (;;) {
		struct frame frame;
		enum az_status status = link_next(&session->link, &frame, &err);

		if (status == AZ_BUSY)
			return;
		must(status, "receive", &err);
		count_reply(load, session, open_reply(session, &frame));
		if (ask_again)
			ask_somebody(load, session);
	}
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *left = a;
	const uint32_t *right = b;

	return *left < *right ? -1 : *left > *right;
}

static uint32_t
percentile(uint32_t *samples, size_t count, unsigned int percent)
{
	if (count == 0)
		return 0;
	qsort(samples, count, sizeof(*samples), compare);
	return samples[(count - 1) * percent / 100];
}

static void
run_load(struct load *load, struct session *sessions, size_t count, unsigned int seconds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int64_t started = clock_monotonic_us();
	int64_t until = started + seconds * AZ_US_PER_S;
	double took;

	for (size_t i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &sessions[i]};

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, sessions[i].link.fd, &event) != 0)
			exit(1);
		ask_somebody(load, &sessions[i]);
	}
	while (clock_monotonic_us() < until) {
		struct epoll_event events[SESSIONS_MAX];
		int ready = epoll_wait(epoll, events, SESSIONS_MAX, 100);

		for (int i = 0; i < ready; i++)
			take_replies(load, events[i].data.ptr, true);
	}
	took = (double)(clock_monotonic_us() - started) / (double)AZ_US_PER_S;
	(void)printf("per_second %.0f p50_us %u p99_us %u done %llu failed %llu\n",
	    (double)load->done / took, percentile(load->samples, load->sample_count, 50),
	    percentile(load->samples, load->sample_count, 99), (unsigned long long)load->done,
	    (unsigned long long)load->failed);
	(void)close(epoll);
}

static void
run_lone(struct load *load, struct session *session, const char *house, size_t count)
{
	uint32_t *appends = calloc(count, sizeof(*appends));
	uint8_t block[BLOCK];
	char path[4096];
	uint32_t disclose, append;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/bench-append", house);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || appends == NULL)
		die(path, &(struct az_err){.text = "cannot be written"});
	memset(block, 0xa5, sizeof(block));
	for (size_t i = 0; i < count; i++) {
		int64_t before = clock_monotonic_us();

		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block) || fdatasync(fd) != 0)
			die(path, &(struct az_err){.text = "cannot be written"});
		appends[i] = (uint32_t)(clock_monotonic_us() - before);
		ask_somebody(load, session);
		count_reply(load, session, wait_reply(session));
	}
	(void)close(fd);
	(void)unlink(path);
	disclose = percentile(load->samples, load->sample_count, 50);
	append = percentile(appends, count, 50);
	(void)printf("disclose_p50_us %u append_p50_us %u ratio %.2f failed %llu\n", disclose,
	    append, append > 0 ? (double)disclose / (double)append : 0.0,
	    (unsigned long long)load->failed);
	free(appends);
}

int
main(int argc, char **argv)
{
	static struct session sessions[SESSIONS_MAX];
	struct load load = {.samples = calloc(SAMPLES_MAX, sizeof(uint32_t))};
	struct house_folder folder = {.dirfd = -1};
	struct key_file device = {0};
	struct az_err err = {0};
	char path[4096];
	size_t count;

	if (argc < 8 || load.samples == NULL) {
		(void)fprintf(stderr,
		    "usage: bench-disclose HOUSE KEYS PHONES CLIENT PURPOSE "
		    "(load SESSIONS SECONDS | lone COUNT)\n");
		return 2;
	}
	must(house_folder_open(argv[1], &folder, &err), "house", &err);
	(void)snprintf(path, sizeof(path), "%s/secret/device.key", argv[1]);
	must(key_file_read(path, &device, &err), "device", &err);
	load.phones = read_phones(argv[3]);
	load.client = argv[4];
	load.purpose = argv[5];
	random_bytes(&load.state, sizeof(load.state));
	count = (size_t)strtoul(argv[7], NULL, 10);
	if (strcmp(argv[6], "load") == 0 && argc == 9 && count <= SESSIONS_MAX) {
		for (size_t i = 0; i < count; i++)
			session_open(&sessions[i], &folder, argv[2], (unsigned int)i + 1, &device);
		run_load(&load, sessions, count, (unsigned int)strtoul(argv[8], NULL, 10));
	} else if (strcmp(argv[6], "lone") == 0) {
		session_open(&sessions[0], &folder, argv[2], 1, &device);
		run_lone(&load, &sessions[0], argv[1], count);
	}
	return 0;
}
