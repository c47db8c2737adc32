/*
 * The parts of azukari scan: what is found, the scanners that find it, and the walk to the files.
 */
#ifndef AZ_CLI_SCAN_H
#define AZ_CLI_SCAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "scan/unpack.h"

/* --- what is found ---------------------------------------------------------------------------- */

#define FINDINGS_MAX 100000u /* listed; more are counted */

struct findings {
	json_t *files;          /* path, member, counts{}, people, clients[] */
	json_t *unread;         /* path, member, reason */
	bool kinds[SCAN_KINDS]; /* that are of interest */
	uint64_t totals[SCAN_KINDS];
	uint64_t file_count, bytes, unread_count, left_out;
};

/* AZ_NO_MEMORY. */
AZ_CHECKED enum az_status findings_init(struct findings *findings, struct az_err *reterr);
void findings_fini(struct findings *findings);
/* member is "" for the file itself. Counts of the same member are added up. */
void findings_add(struct findings *findings, const char *path, const char *member,
    const uint64_t counts[SCAN_KINDS]);
void findings_add_hit(struct findings *findings, const char *path, const char *member,
    enum scan_kind kind, uint64_t at, uint32_t size);
void findings_add_unread(
    struct findings *findings, const char *path, const char *member, enum scan_unread reason);
/* Anything of interest was found. */
bool findings_any(const struct findings *findings);
/* Both lists by path and member. */
void findings_sort(struct findings *findings);
/* Whose people are in it: how many, and the shares of the clients, found[] of an answer. Each place once. */
void findings_add_people(struct findings *findings, const char *path, const char *member,
    const uint64_t counts[SCAN_KINDS], json_int_t people, json_t *found);

/* --- scanners --------------------------------------------------------------------------------- */

struct pool;

/* Where what is found in a file goes instead of into findings. */
struct pool_sink {
	void *arg;
	AZ_CHECKED enum az_status (*found)(void *arg, const char *path, const char *member,
	    const uint64_t counts[SCAN_KINDS], struct az_err *reterr);
	/* Telephones and mails, as in SIFT_TOKENS (proto/scan.h), as the scanner wrote them. */
	AZ_CHECKED enum az_status (*tokens)(void *arg, const char *path, const char *member,
	    struct bytes tokens, struct az_err *reterr);
	/* Whether nobody wants it any more. */
	bool (*is_over)(void *arg);
};

struct pool_config {
	unsigned jobs;
	struct scan_limits limits;
	bool tells_hits;
	struct findings *findings;    /* also: files, bytes, and what is not read */
	const struct pool_sink *sink; /* or NULL */
};

/* AZ_NOT_FOUND: the scanner is not installed; AZ_IO, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status pool_new(
    const struct pool_config *config, struct pool **ret_pool, struct az_err *reterr);
/* Ends the scanners. */
void pool_free(struct pool **pool);
/*
 * Gives fd, taken, to a scanner, waiting until one has time. A scanner that dies over a file, or stands still, costs
 * that file: it is told as unread and another is started. AZ_IO: none can be started.
 */
AZ_CHECKED enum az_status pool_read(
    struct pool *pool, int fd, const char *path, bool is_image, struct az_err *reterr);
/* Waits for all. Both fail as the sink does, too; AZ_GONE: nobody wants it any more. */
AZ_CHECKED enum az_status pool_finish(struct pool *pool, struct az_err *reterr);

/* --- the walk --------------------------------------------------------------------------------- */

/*
 * The files that path stands for: itself, or all below a folder; a device, a pipe; "-" is standard input. Symbolic links
 * are followed for path itself, and left alone below it. named: whoever scans asked for this very file, whatever it
 * is. What cannot be reached is told as unread. Fails as visit, AZ_IO, AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status scan_walk(const char *path, struct findings *findings,
    enum az_status (*visit)(void *arg, const char *path, bool named, struct az_err *reterr),
    void *arg, struct az_err *reterr);

/* Opens a file that was found and has it read; what cannot be opened is told as unread. Fails as pool_read. */
AZ_CHECKED enum az_status scan_read(struct pool *pool, struct findings *findings, const char *path,
    bool named, struct az_err *reterr);

/* --- for what is the house's ------------------------------------------------------------------ */

struct cli;

/* Scans paths within a case, and prints what was found. Returns the exit code. */
int scan_in_case(
    const struct cli *cli, uint32_t id, struct pool_config *config, int count, char **paths);

#endif
