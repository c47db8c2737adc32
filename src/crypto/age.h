/*
 * age files (age-encryption.org/v1, the C2SP specification): lists that clients seal to the house's intake
 * recipient, and what the house seals to recipients of theirs. X25519 recipients; binary files, not the armour.
 *
 * Promises  both ways stream: memory does not grow with the file; what a reader gives out was authenticated,
 *           in its place; a file that was cut, lengthened or changed is refused at the latest at its end.
 * Not       a reader gives out pieces before it has seen the end: nothing may be done for good with them
 *           before age_reader_end says AZ_OK. Passphrase files are not opened. An age file does not say who made it.
 * Threads   each object belongs to one thread at a time.
 */
#ifndef AZ_CRYPTO_AGE_H
#define AZ_CRYPTO_AGE_H

#include "base/bytes.h"
#include "base/secret.h"
#include "base/status.h"

#define AGE_KEY_SIZE       32
#define AGE_RECIPIENT_SIZE 63 /* "age1…" with its NUL */
#define AGE_MAGIC          "age-encryption.org/v1\n"
#define AGE_MAGIC_SIZE     (sizeof(AGE_MAGIC) - 1)
#define AGE_ARMOUR         "-----BEGIN AGE ENCRYPTED FILE-----"
#define AGE_ARMOUR_SIZE    (sizeof(AGE_ARMOUR) - 1)
#define AGE_RECIPIENTS_MAX 20u
#define AGE_CHUNK          65536u /* bytes of the plaintext that are sealed together */

/* The recipient of an identity (32 secret bytes). AZ_NO_MEMORY. */
AZ_CHECKED enum az_status age_recipient(
    const struct secret *identity, uint8_t ret_recipient[AGE_KEY_SIZE], struct az_err *reterr);
void age_recipient_text(const uint8_t recipient[AGE_KEY_SIZE], char text[AGE_RECIPIENT_SIZE]);
/* Of exactly one valid "age1…"; false for anything else. */
bool age_recipient_parse(const char *text, uint8_t ret_recipient[AGE_KEY_SIZE]) AZ_CHECKED;
/* "AGE-SECRET-KEY-1…". AZ_INVALID, AZ_NO_MEMORY. */
AZ_CHECKED enum az_status age_identity_parse(
    const char *text, struct secret **ret_identity, struct az_err *reterr);

/* --- reading --------------------------------------------------------------------------------- */

struct age_reader;

/* The identity is copied into memory of the reader's. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status age_reader_new(
    const struct secret *identity, struct age_reader **ret_reader, struct az_err *reterr);
void age_reader_free(struct age_reader **reader);

/*
 * Takes the next bytes of the file, all of them, and appends what they open to plain, whose max must allow
 * as much as input has and AGE_CHUNK more. After a failure the reader can only be freed.
 *
 * AZ_INVALID    it is no age file, or not one as the specification wants it
 * AZ_NOT_FOUND  it is not sealed to this identity
 * AZ_FORGED     its header or its contents are not what was sealed
 */
AZ_CHECKED enum az_status age_reader_take(
    struct age_reader *reader, struct bytes input, struct buffer *plain, struct az_err *reterr);
/* The file has ended: appends the last piece. The same statuses; AZ_FORGED also if it was cut. */
AZ_CHECKED enum az_status age_reader_end(
    struct age_reader *reader, struct buffer *plain, struct az_err *reterr);

/* --- writing --------------------------------------------------------------------------------- */

struct age_writer;

/*
 * Starts a file that each of count recipients can open, 1 to AGE_RECIPIENTS_MAX; its header is appended to
 * sealed. AZ_INVALID (a recipient of small order, no recipient), AZ_NO_MEMORY.
 */
AZ_CHECKED enum az_status age_writer_new(const uint8_t (*recipients)[AGE_KEY_SIZE], size_t count,
    struct buffer *sealed, struct age_writer **ret_writer, struct az_err *reterr);
void age_writer_free(struct age_writer **writer);
/* Takes all of plain, and appends the chunks that are full. Fails as buffer_reserve; else AZ_INTERNAL. */
AZ_CHECKED enum az_status age_writer_take(
    struct age_writer *writer, struct bytes plain, struct buffer *sealed, struct az_err *reterr);
/* Appends the last chunk. Without it the file cannot be opened to its end. */
AZ_CHECKED enum az_status age_writer_end(
    struct age_writer *writer, struct buffer *sealed, struct az_err *reterr);

#endif
