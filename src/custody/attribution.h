/*
 * When a list was copied, and who most likely copied it: gathers who was shown or handed what, from the ledger and from
 * imported histories, and asks the process that attributes, which has no key (docs/trace.md, docs/format/attribute.md).
 *
 *	new ─► add each row ─► look up ─► run ─► done ─► answer ─► free
 *
 * Not       it names nobody whom the model does not name, and it has no rights to check: whoever traces has done so.
 * Threads   the loop's; a thread of its own sorts. Disclosures go on meanwhile.
 */
#ifndef AZ_CUSTODY_ATTRIBUTION_H
#define AZ_CUSTODY_ATTRIBUTION_H

#include "custody/custody_internal.h"
#include "trace/link.h"
#include "trace/model.h"

struct attribution;

/* One at a time in a house: AZ_BUSY. seed: which rows are looked at closely if there are very many. */
AZ_CHECKED enum az_status attribution_new(struct custody *custody, uint64_t seed,
    struct attribution **ret_attribution, struct az_err *reterr);
/* At any time; what still runs for it ends by itself, and done is not called. */
void attribution_free(struct attribution **attribution);

/*
 * The next row of the list: the fields that the list has, bits, and what the row was recognised as; all links of a
 * verdict that is not TRACE_NOT_FOUND.
 */
AZ_CHECKED enum az_status attribution_add(struct attribution *attribution, uint64_t fields,
    const struct trace_row_verdict *verdict, struct az_err *reterr);
/*
 * After the last row, again and again until *ret_done: reads from the catalogue when the versions of the rows' links were current, as
 * many as one round of the loop has time for. In the order of records: rows have none, and each would be a way through the whole table.
 */
AZ_CHECKED enum az_status attribution_look_up(
    struct attribution *attribution, bool *ret_done, struct az_err *reterr);

/* When all are looked up. done is called from the loop, later; status is AZ_OK or what err says. */
void attribution_run(struct attribution *attribution,
    void (*done)(void *arg, enum az_status status, const struct az_err *err), void *arg);

/* Once it was done: the result, borrowed. */
const struct model_result *attribution_result(const struct attribution *attribution);
/*
 * Members of the open object of an answer: verdict, dating{from to clusters[]}, suspects[], elsewhere, leaks,
 * looked_at, unexplained, histories[]. docs/format/attribute.md. Probabilities are texts with four decimals.
 */
void attribution_answer(const struct attribution *attribution, struct wire_writer *writer);
/* The same in the form that is hashed into the ledger (proto/finding.h). */
void attribution_finding(const struct attribution *attribution, struct wire_writer *writer);

/* --- for custody.c ---------------------------------------------------------------------------- */

void attribution_round(struct custody *custody);
bool attribution_has_child(const struct custody *custody, uint32_t child);
void attribution_child(struct custody *custody, int socket);
void attribution_child_failed(struct custody *custody, const struct az_err *err);
/* At the end of the custody: waits for the thread and frees. */
void attribution_close(struct custody *custody);

#endif
