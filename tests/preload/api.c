/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>

#include "api.h"

static const struct api_test *const lists[] = {
	api_malloc_tests,
	api_process_tests,
};

static int failed_checks;

void api_fail(const char *file, int line, const char *text)
{
	failed_checks++;
	printf("# %s:%d: not true: %s\n", file, line, text);
}

int main(void)
{
	const struct api_test *test;
	int failed_tests = 0;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (test = lists[i]; test->name; test++) {
			failed_checks = 0;
			test->run();
			failed_tests += failed_checks > 0;
			(void)printf("%s %s\n", failed_checks ? "not ok" : "ok",
				     test->name);
			(void)fflush(stdout);
		}
	}
	return failed_tests > 0;
}
