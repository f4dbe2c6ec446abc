/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Shows and exercises the default allocator of a Unikraft image
 *
 *   app                   its name, some addresses, a round of every function
 *   app crime=<which>     one misuse, which must end in a report
 *   app pairs=<n>[:size]  instructions of n pairs, with -icount shift=0
 *   app objects=<n>       memory that n objects of 48 bytes take
 *   app maps=<n>          cost of a mapping among n others
 *   app largest=<n>       an object of n MiB, or the largest one (0)
 *   app stress=<n>        n operations on all CPUs together
 *   app irq=<n>           n interrupts that allocate
 *   app shootdown=<n>     no CPU sees an old page after it was replaced
 *   app faults=<n>        page faults of all CPUs at once
 *   app burn=<n>          as stress without checks: what breaks others
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/alloc.h>

#include "app.h"

static const char *arg_of(int argc, char **argv, const char *name)
{
	__sz len = strlen(name);
	int i;

	for (i = 1; i < argc; i++)
		if (!strncmp(argv[i], name, len) && argv[i][len] == '=')
			return argv[i] + len + 1;
	return NULL;
}

static void show_allocators(unsigned long start)
{
	struct uk_alloc *a;
	int n = 0;

	printf("main() starts at tick %lu\n", start);
	uk_alloc_foreach(a) {
		printf("allocator %d: %p, %ld bytes available, largest %ld%s\n",
		       n++, (void *)a, (long)uk_alloc_availmem(a),
		       (long)uk_alloc_maxalloc(a),
		       a == uk_alloc_get_default() ? " (default)" : "");
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(const char *arg);
	} modes[] = {
		{ "crime", app_crime },		{ "pairs", app_pairs },
		{ "objects", app_objects },	{ "largest", app_largest },
		{ "stress", app_stress },	{ "burn", app_burn },
		{ "shootdown", app_shootdown }, { "faults", app_faults },
		{ "maps", app_maps },		{ "irq", app_irq },
	};
	unsigned long start = __builtin_ia32_rdtsc();
	const char *arg;
	unsigned int i;
	int rc = -1;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		arg = arg_of(argc, argv, modes[i].name);
		if (arg)
			rc = modes[i].fn(arg);
	}
	if (rc < 0) {
		show_allocators(start);
		rc = app_tour();
	}
	printf("app: %s\n", rc ? "FAILED" : "passed");

	return rc;
}
