/*
 * What keeper and vault say to each other (docs/format/vault.md): frames of base/frame.h over the pair of
 * sockets that their parent gave them. The vault sees ciphertext, tokens and numbers only.
 *
 * Requests are answered by the id of their frame. The vault makes the writes of one link in the order they were
 * sent, and answers each when it is made, so that the keeper knows how much it may send; VAULT_SYNC answers when all
 * before it are durable. Either side ends itself when the other sends something malformed.
 */
#ifndef AZ_PROTO_VAULT_H
#define AZ_PROTO_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/file.h"
#include "proto/proto.h"

enum vault_message {
	/* keeper to vault */
	VAULT_HELLO = 1,      /* raw house id 16, u64 most rows served in an hour (0: no ceiling) */
	VAULT_PUT_ROWS = 2,   /* u64 consignment, u32 count, each: u32 record, bytes sealed row */
	VAULT_PUT_TOKENS = 3, /* u32 count, each: bytes token block, as below */
	VAULT_SYNC = 4,       /* empty */
	VAULT_DROP = 5,       /* u64 consignment: its rows and tokens, durably */
	VAULT_LIST = 6,       /* empty */
	VAULT_LOOKUP = 7, /* u64 request, u8 kind, u32 count, each: u64 consignment, raw token 16 */
	VAULT_FETCH = 8,  /* u64 request, u32 count, each: u64 consignment, u32 record */
	VAULT_COUNT = 9,  /* empty */
	VAULT_BLOCKS =
	    10, /* u64 consignment, u8 kind, raw token 16: from the block that covers it on */
	/* vault to keeper */
	VAULT_READY = 65, /* answers HELLO: empty */
	VAULT_DONE = 66,  /* answers PUT_ROWS and PUT_TOKENS, SYNC and DROP: empty */
	VAULT_FAILED =
	    67, /* answers anything: u8 enum az_status, text (at most AZ_ERR_TEXT_SIZE) */
	VAULT_FOUND =
	    68, /* answers LOOKUP: u64 request, u32 count (as asked, in order), each: bytes
	                       token block, empty if the vault has none; then as ROWS from its count */
	VAULT_ROWS =
	    69, /* answers FETCH: u64 request, u32 count, each: u64 consignment, u32 record,
	                       bytes sealed row; those that are missing are left out */
	VAULT_LISTED = 70, /* u32 count, each: u64 consignment, ascending */
	VAULT_BLOCKS_ARE =
	    72, /* answers BLOCKS: u32 count, each: bytes token block, as many as go in */
	VAULT_COUNTED = 71, /* u64 rows served since HELLO, u64 requests that asked for them */
};

#define VAULT_BODY_MAX    (1000u * 1024u) /* of any frame between the two */
#define VAULT_ROWS_MAX    16u  /* rows in an answer; of more, the first in order of asking */
#define VAULT_LOOKUPS_MAX 256u /* consignments in a LOOKUP */
#define VAULT_SEALED_MAX  (ROW_SIZE_MAX + 64u)

/*
 * Tokens lie in blocks, each a piece of the order of all tokens of a consignment and kind: it holds every
 * entry with lower <= token < upper, and the keeper's MAC over all of it. So a vault cannot hide a
 * token: it must show the block where it would be. The blocks of a consignment and kind cover
 * everything, from a lower of zeros to one with `last` set; with no tokens, it is one empty block.
 *
 *   offset  size
 *        0     8  consignment
 *        8     1  kind (enum match_kind)
 *        9     1  1 in the last block, else 0
 *       10     2  n, how many entries
 *       12    16  lower
 *       28    16  upper; zeros in the last block
 *       44   20n  entries: token 16, record u32, ascending; the same token may repeat, in one block
 *  44 + 20n    16  MAC
 *
 * A token shared by more than TOKEN_SHARED_MAX records of a consignment is no identity: the block has
 * TOKEN_SHARED_MAX + 1 entries of it, and the rest are left out.
 */
#define TOKEN_SIZE       16u
#define TOKEN_MAC_SIZE   16u
#define TOKEN_SHARED_MAX 16u
#define TOKEN_BLOCK_USUAL                                                                          \
	45u /* entries, so that the store has four blocks on a page; more if equal */
#define TOKEN_BLOCK_MAX      (TOKEN_BLOCK_USUAL + TOKEN_SHARED_MAX + 1)
#define TOKEN_BLOCK_SIZE_MAX (44u + 20u * TOKEN_BLOCK_MAX + TOKEN_MAC_SIZE)

struct token_entry {
	uint8_t token[TOKEN_SIZE];
	uint32_t record;
};

struct token_block {
	uint64_t consignment;
	enum match_kind kind;
	bool last;
	uint8_t lower[TOKEN_SIZE];
	uint8_t upper[TOKEN_SIZE];
	uint16_t count;
	struct token_entry entries[TOKEN_BLOCK_MAX];
};

/*
 * Appends the block without its MAC, which the caller appends. AZ_INVALID unless entries ascend and lie
 * within the bounds. Else as buffer_append.
 */
AZ_CHECKED enum az_status token_block_encode(
    const struct token_block *block, struct buffer *buffer);

/* Decodes a block with its MAC, which is not checked: ret_mac borrows it. AZ_INVALID. */
AZ_CHECKED enum az_status token_block_decode(
    struct bytes bytes, struct token_block *ret_block, struct bytes *ret_mac);

#endif
