/*
 * A sieve over fingerprints: whether one may be among very many, in one look at memory.
 *
 * Promises  what was added is held back, always; of what was not, about one in three hundred as well, if no more is
 *           added than it was made for. It lies in memory that is kept out of core files, is locked where that is
 *           allowed, and is wiped: whoever has it and the key of the fingerprints can try out all telephones.
 * Not       it tells nothing for certain but no.
 * Threads   filling: one. Then any number may ask.
 */
#ifndef AZ_TRACE_SIEVE_H
#define AZ_TRACE_SIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct trace_sieve;

/* For so many prints; more make it hold back more. AZ_LIMIT: above 2^32; AZ_NO_MEMORY. */
AZ_CHECKED enum az_status trace_sieve_new(
    size_t prints, struct trace_sieve **ret_sieve, struct az_err *reterr);
void trace_sieve_free(struct trace_sieve **sieve);

void trace_sieve_add(struct trace_sieve *sieve, uint64_t print);
/* Has the memory brought near that trace_sieve_holds will look at. */
void trace_sieve_fetch(const struct trace_sieve *sieve, uint64_t print);
bool trace_sieve_holds(const struct trace_sieve *sieve, uint64_t print) AZ_CHECKED;

/* Bytes of memory. */
size_t trace_sieve_size(const struct trace_sieve *sieve);

#endif
