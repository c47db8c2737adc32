/*
 * Passphrase slots: the root key behind so many of the officers' passphrases and the host secret, which lies in no
 * backup. docs/format/keys.md.
 *
 * Promises  fewer passphrases than are needed, or all of them without the host secret, or the host secret with none,
 *           tell nothing about the root key; a wrong passphrase, and a file that was changed in any bit, are refused.
 * Not       how strong a passphrase is: scrypt makes each guess dear, and guessing needs the host secret, too.
 * Threads   one.
 */
#ifndef AZ_CRYPTO_SLOTS_H
#define AZ_CRYPTO_SLOTS_H

#include "base/file.h"
#include "base/secret.h"
#include "base/status.h"
#include "crypto/shares.h"

#define SLOTS_LABEL_SIZE     32u /* with its NUL */
#define SLOTS_PASSPHRASE_MIN 12u /* bytes */
#define SLOTS_PASSPHRASE_MAX 1024u
#define SLOTS_COST                                                                                 \
	17u /* scrypt's N is 2^this; r is 8, p is 1: 128 MiB and some tenths of a second */
#define SLOTS_COST_LEAST 10u
#define SLOTS_COST_MOST  20u
#define SLOTS_FILE_MAX   4096u

struct slot_holder {
	char label[SLOTS_LABEL_SIZE];
	struct bytes passphrase; /* borrowed */
};

/*
 * Appends the file: any needed of the holders open it. AZ_INVALID: no holder, too many, a label twice or empty, a passphrase that is
 * too short or too long, or an unsealed house, which has no passphrases. AZ_NO_MEMORY, AZ_INTERNAL.
 */
AZ_CHECKED enum az_status slots_encode(const uint8_t house[HOUSE_ID_SIZE],
    const struct secret *root, const struct secret *host, const struct slot_holder *holders,
    unsigned int count, unsigned int needed, unsigned int cost, struct buffer *buffer,
    struct az_err *reterr);

/* A file that is being opened: the passphrases given so far. */
struct slots;

/* AZ_CORRUPT: it is no such file. AZ_FORGED: it is another house's. */
AZ_CHECKED enum az_status slots_new(struct bytes file, const uint8_t house[HOUSE_ID_SIZE],
    struct slots **ret_slots, struct az_err *reterr);
void slots_free(struct slots **slots);
unsigned int slots_needed(const struct slots *slots);
unsigned int slots_count(const struct slots *slots);
unsigned int slots_given(const struct slots *slots);
/* Borrowed; at < slots_count. */
const char *slots_label(const struct slots *slots, unsigned int at);
/* Forgets what was given. */
void slots_forget(struct slots *slots);

/*
 * One holder's passphrase. AZ_DENIED: it does not open their slot, or there is no such holder: the two are not told
 * apart. AZ_CONFLICT: it was given already. AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status slots_give(struct slots *slots, const struct secret *host,
    const char *label, struct bytes passphrase, struct az_err *reterr);
/* AZ_BUSY: more passphrases are needed. AZ_FORGED: the file was changed. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status slots_root(const struct slots *slots, const struct secret *host,
    struct secret **ret_root, struct az_err *reterr);

#endif
