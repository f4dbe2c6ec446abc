/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_PRELOAD_API_H__
#define __TESTS_PRELOAD_API_H__

/* Tests of what the C library promises about its allocator */

#include <stdio.h>

struct api_test {
	const char *name;
	void (*run)(void);
};

/* Each file has one list, which ends with a NULL name */
extern const struct api_test api_malloc_tests[];
extern const struct api_test api_process_tests[];

/** Notes a failure of the running test and its place */
void api_fail(const char *file, int line, const char *text);

#define API_CHECK(x)                                                           \
	do {                                                                   \
		if (!(x))                                                      \
			api_fail(__FILE__, __LINE__, #x);                      \
	} while (0)

#endif /* __TESTS_PRELOAD_API_H__ */
