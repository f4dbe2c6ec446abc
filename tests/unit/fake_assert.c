/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* UK_ASSERT() of the code under test, for expect_assert_failure()
 *
 * Every unit test that links code with assertions links this file, too.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <uk/assert.h>

void uk_assert_fail(const char *cond, const char *file, int line)
{
	mock_assert(0, cond, file, line);
	abort();
}
