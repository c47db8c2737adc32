/*
 * What anybody can check of a log without the house: signed notes, checkpoints, cosignatures, proofs, and the
 * tiles of a published log, in the forms of C2SP (signed-note, tlog-checkpoint, tlog-cosignature,
 * tlog-tiles, tlog-proof), so that tools of others check them too. docs/format/evidence.md.
 *
 * Promises  "forged" and "could not tell" are different answers; nothing is returned of a note before a
 *           signature over it was found good; all parsers take bytes from strangers.
 * Not       it knows no house and keeps nothing: which checkpoint is the newest known is the caller's to say.
 * Threads   pure: any thread, no state.
 *
 * It is a library of its own (ledger_pure), which links base and crypto only, so that what checks
 * it needs neither write-ahead log nor index.
 */
#ifndef AZ_LEDGER_EVIDENCE_H
#define AZ_LEDGER_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "crypto/sign.h"
#include "crypto/tree.h"

/* --- note.c: signed notes ---------------------------------------------------------------------- */

#define NOTE_MAX      (128u * 1024u) /* bytes: room for sixteen signatures of 5 kB and more */
#define NOTE_LINES    100u           /* signatures */
#define NOTE_NAME_MAX 255u
#define NOTE_VKEY_MAX (NOTE_NAME_MAX + 64u)

enum note_key_type {
	NOTE_KEY_NONE = 0,
	NOTE_KEY_ED25519 = 0x01,
	NOTE_KEY_COSIGNATURE = 0x04, /* Ed25519 with a time, of a witness over a checkpoint */
};

struct note_key {
	char name[NOTE_NAME_MAX + 1];
	enum note_key_type type;
	uint8_t id[4];
	uint8_t public_key[SIGN_PUBLIC_SIZE];
};

/* AZ_INVALID: a name that no key may have, or another type. */
AZ_CHECKED enum az_status note_key_make(const char *name, enum note_key_type type,
    const uint8_t public_key[SIGN_PUBLIC_SIZE], struct note_key *ret_key, struct az_err *reterr);
/* "name+8 digits+base64", as others print it; a final newline may stand behind it. AZ_INVALID. */
AZ_CHECKED enum az_status note_key_parse(
    struct bytes vkey, struct note_key *ret_key, struct az_err *reterr);
/* The same text, without a newline. */
AZ_CHECKED enum az_status note_key_text(const struct note_key *key, struct buffer *buffer);

/* The two halves of a note, borrowed. text has its final newline. */
struct note {
	struct bytes text;
	struct bytes lines;
};
/* Cuts a note. Says nothing about who signed it. AZ_CORRUPT: not a note. */
AZ_CHECKED enum az_status note_open(
    struct bytes bytes, struct note *ret_note, struct az_err *reterr);

/*
 * Whether key signed it. AZ_OK: yes; *ret_time_s is the time of a cosignature, else 0. AZ_NOT_FOUND: no line is
 * by this key. AZ_FORGED: a line by this key does not verify. AZ_NO_MEMORY, AZ_INTERNAL: could not tell.
 */
AZ_CHECKED enum az_status note_check(const struct note *note, const struct note_key *key,
    int64_t *ret_time_s, struct az_err *reterr);

/* Appends the signature line of key, whose private half is sign_key, over text; time_s for a cosignature. */
AZ_CHECKED enum az_status note_sign(struct bytes text, const struct note_key *key,
    const struct sign_key *sign_key, int64_t time_s, struct buffer *buffer, struct az_err *reterr);

/* --- checkpoint.c: checkpoints ----------------------------------------------------------------- */

struct checkpoint {
	struct note note;
	struct bytes origin; /* borrowed */
	uint64_t size;
	uint8_t root[TREE_HASH_SIZE];
};

/* Cuts a checkpoint. Says nothing about who signed it. AZ_CORRUPT. */
AZ_CHECKED enum az_status checkpoint_open(
    struct bytes bytes, struct checkpoint *ret_checkpoint, struct az_err *reterr);
/*
 * The same, of the log whose key is given: its name must be the origin, its signature there. AZ_CORRUPT;
 * AZ_FORGED: another log's, not signed by this key, or not by it over this text.
 */
AZ_CHECKED enum az_status checkpoint_open_signed(struct bytes bytes, const struct note_key *key,
    struct checkpoint *ret_checkpoint, struct az_err *reterr);
/* A signed checkpoint of the log whose name and key are given. */
AZ_CHECKED enum az_status checkpoint_make(const struct note_key *key,
    const struct sign_key *sign_key, uint64_t size, const uint8_t root[TREE_HASH_SIZE],
    struct buffer *buffer, struct az_err *reterr);
/* ASCII decimal without leading zeros, at most 2^63 - 1. */
bool evidence_number(struct bytes text, uint64_t *ret_number) AZ_CHECKED;
/* Cuts the next line, without its newline, from the front of *text; false if there is no whole one. */
bool evidence_line(struct bytes *text, struct bytes *ret_line) AZ_CHECKED;
/* One hash in base64. */
bool evidence_hash(struct bytes text, uint8_t ret_hash[TREE_HASH_SIZE]) AZ_CHECKED;

/* --- proof.c: Merkle proofs --------------------------------------------------------------------- */

#define PROOF_MAX 64u

struct proof {
	size_t count;
	uint8_t hashes[PROOF_MAX][TREE_HASH_SIZE];
};

/* Where hashes are read from: stored level l holds the hashes over 256^l leaves each. */
struct hash_source {
	enum az_status (*read)(void *arg, unsigned int level, uint64_t index, size_t count,
	    uint8_t *hashes, struct az_err *reterr);
	void *arg;
	unsigned int levels; /* how many are stored */
};

/* The root over the first size leaves. */
AZ_CHECKED enum az_status proof_root(const struct hash_source *source, uint64_t size,
    uint8_t ret_root[TREE_HASH_SIZE], struct az_err *reterr);
/* That leaf index is in the tree of that size. AZ_INVALID: it is not; else as read. */
AZ_CHECKED enum az_status proof_make_inclusion(const struct hash_source *source, uint64_t index,
    uint64_t size, struct proof *ret_proof, struct az_err *reterr);
/* That the tree of old_size is the beginning of the one of size. AZ_INVALID: it is larger. */
AZ_CHECKED enum az_status proof_make_consistency(const struct hash_source *source,
    uint64_t old_size, uint64_t size, struct proof *ret_proof, struct az_err *reterr);

bool proof_check_inclusion(const struct proof *proof, uint64_t index, uint64_t size,
    const uint8_t leaf[TREE_HASH_SIZE], const uint8_t root[TREE_HASH_SIZE]) AZ_CHECKED;
/* An empty old tree is the beginning of every tree, with an empty proof, if its root is that of nothing. */
bool proof_check_consistency(const struct proof *proof, uint64_t old_size,
    const uint8_t old_root[TREE_HASH_SIZE], uint64_t size,
    const uint8_t root[TREE_HASH_SIZE]) AZ_CHECKED;

/*
 * The offline proof of an entry, c2sp.org/tlog-proof@v1. extra is the entry's own bytes, so that the file
 * stands for itself: whoever checks it hashes them.
 */
#define PROOF_FILE_START "c2sp.org/tlog-proof@v1"
#define PROOF_FILE_MAX   (NOTE_MAX + 256u * 1024u)
struct proof_file {
	uint64_t index;
	struct proof proof;
	struct bytes extra;      /* in base64, borrowed; empty: there is none */
	struct bytes checkpoint; /* borrowed */
};
AZ_CHECKED enum az_status proof_file_write(uint64_t index, const struct proof *proof,
    struct bytes entry, struct bytes checkpoint, struct buffer *buffer);
/* AZ_CORRUPT. The checkpoint is not opened. */
AZ_CHECKED enum az_status proof_file_read(
    struct bytes bytes, struct proof_file *ret_file, struct az_err *reterr);
/* Proof lines, one hash each, as an offline proof and a witness's request have them. */
AZ_CHECKED enum az_status proof_lines_write(const struct proof *proof, struct buffer *buffer);
/* Reads lines up to and with an empty one. False: a line that is no hash, too many, or no end. */
bool proof_lines_read(struct bytes *rest, size_t max, struct proof *ret_proof) AZ_CHECKED;

/* --- tile.c: the files of a published log ------------------------------------------------------- */

#define TILE_WIDTH    256u
#define TILE_LEVELS   8u
#define TILE_ENTRIES  TILE_LEVELS /* as a level: the entry bundles */
#define TILE_PATH_MAX 64u
#define TILE_SIZE     (TILE_WIDTH * TREE_HASH_SIZE)
#define BUNDLE_MAX    (TILE_WIDTH * (2u + 65535u))

/* "tile/0/x001/067.p/12": width is 1 to 256, of which 256 is a full one and has no ".p/". */
void tile_path(unsigned int level, uint64_t number, unsigned int width, char path[TILE_PATH_MAX]);
/* The reverse, in that one spelling only. */
bool tile_path_parse(const char *path, unsigned int *ret_level, uint64_t *ret_number,
    unsigned int *ret_width) AZ_CHECKED;
/* Cuts the next entry from the front of *bundle; false, and nothing cut, if it does not stand there whole. */
bool bundle_next(struct bytes *bundle, struct bytes *ret_entry) AZ_CHECKED;
/* How many hashes of a level a tree of that size has; tile n of it is full if it ends at or below that. */
uint64_t tile_count(unsigned int level, uint64_t size);

/* --- published.c: reading a published log ------------------------------------------------------- */

/* Where the files of a published log come from, by the names of tlog-tiles. Any thread calls it. */
struct published_log {
	/* Puts the whole file in place of what buffer holds, whose max bounds it. AZ_NOT_FOUND, AZ_LIMIT, AZ_IO. */
	enum az_status (*read)(
	    void *arg, const char *path, struct buffer *buffer, struct az_err *reterr);
	void *arg;
};
/* The files below a folder; arg is the descriptor, which stays the caller's. */
struct published_log published_folder(const int *dirfd);
/* A file that the signed size says is there: AZ_FORGED where it is not. path gets its name. */
AZ_CHECKED enum az_status published_part(const struct published_log *log, unsigned int level,
    uint64_t number, unsigned int width, struct buffer *buffer, char path[TILE_PATH_MAX],
    struct az_err *reterr);
/* The same of hashes, exactly as many as width says. */
AZ_CHECKED enum az_status published_tile(const struct published_log *log, unsigned int level,
    uint64_t number, unsigned int width, struct buffer *buffer, char path[TILE_PATH_MAX],
    struct az_err *reterr);
/* The root that a log of size had at an earlier size, out of its tiles. */
AZ_CHECKED enum az_status published_root(const struct published_log *log, uint64_t size,
    uint64_t earlier, uint8_t ret_root[TREE_HASH_SIZE], struct az_err *reterr);
/* That the tree of older is the beginning of the one of newer, out of the tiles of a log of size. */
AZ_CHECKED enum az_status published_consistency(const struct published_log *log, uint64_t size,
    uint64_t older, uint64_t newer, struct proof *ret_proof, struct az_err *reterr);

#endif
