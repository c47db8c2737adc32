/*
 * What the parent (azukari serve) says with the keeper, and the keeper with a child that verifies: frames of
 * base/frame.h over the sockets that the parent made. All are processes of ours: whoever receives
 * something malformed ends itself. docs/format/parent.md.
 *
 *	keeper  fd 3 parent, 4 HOUSE/keeper, 5 listening socket, 6 vault, 7 match tables, 8 anchor
 *	vault   fd 3 keeper, 4 HOUSE/vault
 *	intake  fd 3 keeper, 4 the list (the reading end of a pipe), 5 match tables
 *	verify  fd 3 keeper, 4 HOUSE/keeper/ledger      (azukari-keeper with argv[1] "verify")
 *	attribute  fd 3 keeper
 *	scanner    fd 3 keeper
 */
#ifndef AZ_PROTO_PARENT_H
#define AZ_PROTO_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"
#include "proto/proto.h"

#define KEEPER_FD_PARENT 3
#define KEEPER_FD_FOLDER 4
#define KEEPER_FD_LISTEN 5
#define KEEPER_FD_VAULT  6
#define KEEPER_FD_TABLES 7 /* or /dev/null: there are none */
#define KEEPER_FD_ANCHOR 8 /* a folder, or /dev/null: there is none */
#define CHILD_FD_KEEPER  3
#define CHILD_FD_FOLDER  4 /* vault, verify */
#define CHILD_FD_LIST    4 /* intake */
#define CHILD_FD_TABLES  5 /* intake: the same as the keeper's */

enum parent_message {
	/* parent to keeper */
	PARENT_START = 1, /* struct parent_start */
	PARENT_CHILD =
	    2, /* answers KEEPER_SPAWN by its id; u8 which: 0 the child's socket, 1 (intake
	                      only, after it) the writing end of the list's pipe; rides along */
	PARENT_FAILED = 3, /* answers KEEPER_SPAWN: u8 status, text */
	PARENT_SLOTS = 5,  /* answers KEEPER_SLOTS: u8 status, text */
	PARENT_RING = 6,   /* answers KEEPER_RING: u8 status, text */
	PARENT_STOP = 4,   /* empty: finish what runs, stop the ledger, exit 0 */
	/* keeper to parent */
	KEEPER_READY = 65,  /* empty: fronts may connect */
	KEEPER_FAILED = 66, /* u8 status, text: it cannot start, and exits; do not start it again */
	KEEPER_SPAWN = 67,  /* u8 enum parent_child */
	KEEPER_FRONTS = 68, /* u32 how many fronts are connected; at each change from or to none */
	KEEPER_SLOTS = 69,  /* struct parent_slots: whose passphrases open the house from now on */
	KEEPER_RING =
	    70, /* raw 32: the host secret that the key ring is sealed under from now on */
};

enum parent_child {
	CHILD_NONE = 0,
	CHILD_INTAKE = 1,
	CHILD_VERIFY = 2,
	CHILD_ATTRIBUTE = 3,
	CHILD_SCANNER = 4
};

#define PARENT_BODY_MAX  4096u
#define PARENT_RING_SIZE 32u

/* Founding: the officers and the host's own device. */
struct parent_founding {
	char officer[LABEL_SIZE];
	char name[NAME_SIZE];
	uint8_t officer_key[32];
	char second[LABEL_SIZE]; /* of a sealed house: the officer who is invited; else "" */
	uint8_t invitation[32];  /* SHA-256 of their code */
	char device[LABEL_SIZE];
	uint8_t device_key[32];
};

struct parent_start {
	uint8_t house[HOUSE_ID_SIZE];
	uint8_t root[32]; /* secret; wiped by whoever holds this */
	uint8_t host[32]; /* secret */
	bool found;
	struct parent_founding founding; /* if found */
};
AZ_CHECKED enum az_status parent_start_encode(
    const struct parent_start *start, struct buffer *buffer);
AZ_CHECKED enum az_status parent_start_decode(struct bytes bytes, struct parent_start *ret_start);

#define PARENT_SLOTS_MAX      16u
#define PARENT_PASSPHRASE_MAX 200u
struct parent_slots {
	uint8_t ring[PARENT_RING_SIZE]; /* secret; as in KEEPER_RING; wiped by whoever holds this */
	uint8_t needed, count;          /* 1 <= needed <= count <= PARENT_SLOTS_MAX */
	char labels[PARENT_SLOTS_MAX][LABEL_SIZE];
	struct bytes
	    passphrases[PARENT_SLOTS_MAX]; /* secret; 1 to PARENT_PASSPHRASE_MAX bytes; borrowed */
};
AZ_CHECKED enum az_status parent_slots_encode(
    const struct parent_slots *slots, struct buffer *buffer);
AZ_CHECKED enum az_status parent_slots_decode(struct bytes bytes, struct parent_slots *ret_slots);

/* --- the child that reads the ledger: to verify, or to publish ------------------------------- */

enum verify_message {
	VERIFY_START =
	    1, /* raw house 16, u32 log, raw public key 32, u8 1 if a head follows, head, i64 until when all logs are settled */
	VERIFY_PUBLISH =
	    2, /* raw house 16, u32 log, raw public key 32, head, u64 have, u64 where its
	                       bundle begins; what to write the files to rides along (proto/parts.h) */
	VERIFY_PROGRESS = 65, /* u64 entries so far */
	VERIFY_DONE = 66, /* u8 status of the reading, text; u64 size, raw root 32, u8 ok, u64 first
	                         bad index, text problem */
	VERIFY_PUBLISHED = 67, /* u8 status, text; u64 entries that are published now */
};

struct wire_reader;
struct wire_writer;
/* u32 log, u32 generation, u64 size, raw root 32. */
void head_put(struct wire_writer *writer, const struct head *head);
void head_get(struct wire_reader *reader, struct head *ret_head);

/* --- HOUSE/house: what anybody may know of a house ------------------------------------------- */

#define HOUSE_FILE_MAGIC "AZHOUSE" /* with its NUL, 8 bytes */
#define HOUSE_FILE_SIZE  (FILE_HEADER_SIZE + 32u)

/* header, then the keeper's X25519 public key. AZ_CORRUPT. */
struct house_file {
	uint8_t house[HOUSE_ID_SIZE];
	uint8_t keeper[32];
};
void house_file_encode(const struct house_file *file, uint8_t data[HOUSE_FILE_SIZE]);
AZ_CHECKED enum az_status house_file_decode(
    struct bytes bytes, struct house_file *ret_file, struct az_err *reterr);

#endif
