/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

/* Frees until a slot that was written to comes by again */
static void churn(void)
{
	static void *p[4096];
	int round, i;

	for (round = 0; round < 64; round++) {
		for (i = 0; i < 4096; i++)
			p[i] = malloc(40);
		for (i = 0; i < 4096; i++)
			free(p[i]);
	}
}

/* The misuse of a pointer is the point */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wuse-after-free"
#pragma GCC diagnostic ignored "-Wfree-nonheap-object"

int app_crime(const char *which)
{
	volatile char *volatile p = malloc(40);
	char on_stack[64];

	if (!strcmp(which, "double_free")) {
		free((void *)p);
		free((void *)p);
	} else if (!strcmp(which, "invalid_free")) {
		free(on_stack + 16);
	} else if (!strcmp(which, "interior")) {
		free((void *)(p + 16));
	} else if (!strcmp(which, "overflow")) {
		p[40] = 1;
		free((void *)p);
	} else if (!strcmp(which, "write_after_free")) {
		free((void *)p);
		p[8] = 1;
		churn();
	} else if (!strcmp(which, "guard")) {
		p = malloc(200000);
		p[200704 + 100] = 1;
	}
	printf("crime %s: nobody noticed\n", which);

	return 1;
}

#pragma GCC diagnostic pop
