/* What every test of this folder includes. */
#ifndef AZ_TEST_TRACE_CM_H
#define AZ_TEST_TRACE_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
