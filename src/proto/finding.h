/*
 * What a trace found about who copied a list, in the one form that is hashed into the ledger: so a result that names somebody else, or
 * with other odds, is not the house's. The keeper writes it of its result, and azukari-verify of the JSON that somebody hands over
 * (docs/format/attribute.md).
 *
 *	u16 version 1, text verdict, text from, text to, u8 count, each suspect: u64 leak, text who, text label, text posterior, text
 *	posterior with everybody alike, u64 rows explained
 *
 * Texts are as in an answer: times in UTC with microseconds, probabilities with four decimals; what is not there is empty.
 */
#ifndef AZ_PROTO_FINDING_H
#define AZ_PROTO_FINDING_H

#include "base/wire.h"

#define FINDING_VERSION 1u
#define FINDING_MAX     65536u /* bytes of the whole */

struct finding {
	const char *verdict, *from, *to;
	uint8_t suspects; /* how many follow */
};
struct finding_suspect {
	uint64_t leak, rows_explained;
	const char *who;   /* staff, client, pool or store */
	const char *label; /* of them, or empty */
	const char *posterior, *posterior_flat;
};

void finding_put(struct wire_writer *writer, const struct finding *finding);
/* Behind it, each. */
void finding_put_suspect(struct wire_writer *writer, const struct finding_suspect *suspect);

#endif
