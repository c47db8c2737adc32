/*
 * Whom a verb is about, where it is not a disclosure: one record of a client, by its number or by the record
 * that a disclosure told, for a purpose whose roles include who asks.
 */
#ifndef AZ_CUSTODY_PERSON_H
#define AZ_CUSTODY_PERSON_H

#include "custody/open.h"

struct person {
	const struct client *client; /* borrowed until the next put */
	const struct purpose *purpose;
	enum role role;
	struct grant grant;
	uint32_t record;
	struct row_named named; /* the current version among the purpose's live lists */
	uint64_t fields;        /* of the columns of its list */
};

/*
 * Finds the person, or ends the request and says false: refused with an entry where who asks may not see people of
 * that purpose; not found, with an entry, where nobody who may be found is it.
 */
bool person_find(
    struct request *request, const struct front_person *asked, struct person *ret_person);

/*
 * The same, but also who was withdrawn or is absent from a full list: for what holds for a person whatever is delivered,
 * since a later list may bring them back.
 */
bool person_find_anybody(
    struct request *request, const struct front_person *asked, struct person *ret_person);

/* An entry of the client's log about the person. */
struct ledger_entry person_entry(const struct request *request, const struct front_person *asked,
    const struct person *person, enum entry_type type);

/* The bit of a field by its name, as the client numbers it; FIELD_COUNT if it has none such. */
unsigned int client_field(const struct client *client, const char *name);
/* The name of a field by its bit; NULL if there is none such. */
const char *client_field_name(const struct client *client, unsigned int field);
/* Names of the fields of bits, as an array of that name. */
void answer_field_names(
    struct wire_writer *writer, const char *name, const struct client *client, uint64_t bits);

#endif
