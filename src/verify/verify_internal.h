/*
 * What the files of this folder share.
 */
#ifndef AZ_VERIFY_INTERNAL_H
#define AZ_VERIFY_INTERNAL_H

#include "verify/verify.h"

#define KEPT_MAX 3u

bool hash_is_equal(const uint8_t a[TREE_HASH_SIZE], const uint8_t b[TREE_HASH_SIZE]);

/* --- a log whose bundles were hashed ------------------------------------------------------------ */

/* What is known of a bundle once it was hashed. */
struct span {
	int64_t first_us, last_us; /* first > last: no entry of it is known */
};

/* Leaf hashes of a bundle that a size of interest cuts. */
struct kept {
	uint64_t bundle;
	uint8_t leaves[TILE_WIDTH][TREE_HASH_SIZE];
};

struct hashed {
	const struct published_log *source;
	struct log_check *check;
	uint64_t bundles;
	uint8_t (*hashes)[TREE_HASH_SIZE]; /* of each full bundle */
	struct span *spans;
	struct kept kept[KEPT_MAX];
	size_t kept_count;
};

/* --- levels.c ----------------------------------------------------------------------------------- */

/* Before anything is hashed: a size whose root will be asked for; at most KEPT_MAX. */
void hashed_keep(struct hashed *hashed, uint64_t size);
/* The stored tiles above the bundles. Fails as log_check. */
AZ_CHECKED enum az_status hashed_check_levels(struct hashed *hashed, struct az_err *reterr);
/* Time from bundle to bundle; the log's first and last go into the check. Fails as log_check. */
AZ_CHECKED enum az_status hashed_check_times(struct hashed *hashed, struct az_err *reterr);
/* The root that a checkpoint names, at a size that was kept. Fails as log_check. */
AZ_CHECKED enum az_status hashed_check_root(const struct hashed *hashed,
    const struct checkpoint *checkpoint, const char *what, struct az_err *reterr);

/* --- checkpoints.c ------------------------------------------------------------------------------ */

/* The three that a log is held against; the notes own the bytes. */
struct checkpoints {
	struct buffer note, cosigned_note;
	struct checkpoint signed_one, newest, cosigned;
	bool has_newest, has_cosigned;
};
void checkpoints_init(struct checkpoints *checkpoints);
void checkpoints_fini(struct checkpoints *checkpoints);
/* Opens those that check asks for; sizes and the time of the cosignature go into it. Fails as log_check. */
AZ_CHECKED enum az_status checkpoints_open(const struct published_log *source,
    struct log_check *check, struct checkpoints *checkpoints, struct az_err *reterr);

#endif
