/*
 * What the files of this folder share.
 */
#ifndef AZ_VERIFY_INTERNAL_H
#define AZ_VERIFY_INTERNAL_H

#include "verify/verify.h"

bool hash_is_equal(const uint8_t a[TREE_HASH_SIZE], const uint8_t b[TREE_HASH_SIZE]);

#endif
