/*
 * A list as it was delivered: plain, or an age file sealed to the house's intake recipient, which is opened on
 * the way. Intake sees plaintext in either case and holds no key; what is hashed is the file as it came.
 *
 * Threads  one at a time.
 */
#ifndef AZ_CUSTODY_DELIVERY_H
#define AZ_CUSTODY_DELIVERY_H

#include "crypto/age.h"

#define DELIVERY_PIECE (256u * 1024u) /* most that is handed over at a time */

struct delivery {
	const struct secret *identity; /* the caller's */
	bool is_known;                 /* whether it is an age file */
	struct age_reader *reader;     /* if it is one */
	struct buffer start;           /* what came before that was known */
	struct buffer plain;
};

void delivery_init(struct delivery *delivery, const struct secret *identity);
void delivery_fini(struct delivery *delivery);

/*
 * The next bytes of the file, at most DELIVERY_PIECE; *ret_plain is what they open to, borrowed until the next
 * call or in. Statuses of age_reader_take. After a failure only delivery_fini.
 */
AZ_CHECKED enum az_status delivery_take(
    struct delivery *delivery, struct bytes in, struct bytes *ret_plain, struct az_err *reterr);
/* The file has ended. What was handed over may be believed only if this says AZ_OK. */
AZ_CHECKED enum az_status delivery_end(
    struct delivery *delivery, struct bytes *ret_plain, struct az_err *reterr);

#endif
