/*
 * Who saw how many: counted over the entries of a log, by pseudonyms.
 */
#ifndef AZ_VERIFY_WHO_H
#define AZ_VERIFY_WHO_H

#include <stdint.h>

#include "ledger/ledger.h"

struct who;

struct who_staff {
	uint8_t staff[PSEUDONYM_SIZE];
	uint64_t entries;     /* of any kind */
	uint64_t disclosures; /* of them, fields of somebody were shown */
	uint64_t people;      /* how many different ones */
	int64_t first_us, last_us;
};

/* NULL: out of memory. */
struct who *who_new(void);
void who_free(struct who **who);
/* Entries without a human count for nobody. AZ_NO_MEMORY. */
AZ_CHECKED enum az_status who_add(struct who *who, const struct ledger_read *read);
/* In the order in which they came; borrowed until the next who_add. */
const struct who_staff *who_staff(const struct who *who, size_t *ret_count);

#endif
