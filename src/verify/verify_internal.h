/*
 * What the files of this folder share: reading the parts of a published log.
 */
#ifndef AZ_VERIFY_INTERNAL_H
#define AZ_VERIFY_INTERNAL_H

#include "verify/verify.h"

bool hash_is_equal(const uint8_t a[TREE_HASH_SIZE], const uint8_t b[TREE_HASH_SIZE]);
/* A file that the signed size says is there: AZ_FORGED where it is not. path is its name. */
AZ_CHECKED enum az_status log_read_part(const struct log_source *source, unsigned int level,
    uint64_t number, unsigned int width, struct buffer *buffer, char path[TILE_PATH_MAX],
    struct az_err *reterr);
/* The same of hashes, exactly as many as width says. */
AZ_CHECKED enum az_status log_read_tile(const struct log_source *source, unsigned int level,
    uint64_t number, unsigned int width, struct buffer *buffer, char path[TILE_PATH_MAX],
    struct az_err *reterr);

#endif
