/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Instructions of one malloc and free on Linux, counted exactly
 *
 * usage: [LD_PRELOAD=...] pair [size [name]]
 *
 * Why
 *   The headline beside the guest's figures, by the method that needs nothing
 *   but a kernel; insn.c has the other workloads.
 *
 * How
 *   The child warms the allocator up, then runs a loop of pairs and the same
 *   loop without the calls. The difference is what the calls cost, call and
 *   return instructions and the jump through the dynamic linker's table
 *   included. The allocator is the one of this program: the C library's, or
 *   that of LD_PRELOAD.
 */

#include <unistd.h>

#include "host.h"
#include "step.h"

#define WARM_PAIRS 32000UL
/* A whole number of magazines, so that refills are counted in full */
#define PAIRS	   320UL

static void pairs(size_t size, unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		char *ptr = malloc(size);

		__asm__ __volatile__("" : "+r"(ptr) : : "memory");
		free(ptr);
	}
}

static void nothing(unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		char *ptr = NULL;

		__asm__ __volatile__("" : "+r"(ptr) : : "memory");
	}
}

static int child(size_t size)
{
	pairs(size, WARM_PAIRS);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return 1;
	step_marker();
	pairs(size, PAIRS);
	step_marker();
	nothing(PAIRS);
	step_marker();
	return 0;
}

int main(int argc, char *argv[])
{
	size_t size = host_arg(argc, argv, 1, 64);
	const char *name = argc > 2 ? argv[2] : "malloc";
	long with = -1, without = -1;
	pid_t pid = fork(), tid = -1;

	if (pid == 0)
		_exit(child(size));
	if (pid < 0 || step_skip(&tid) != STEP_MARKER)
		host_fail("the child cannot be traced");

	with = step_count(pid);
	if (with >= 0)
		without = step_count(pid);
	if (without < 0)
		host_fail("the child died");
	(void)step_skip(&pid);

	printf("{\"type\":\"bench\",\"mode\":\"host\",\"name\":\"pair\","
	       "\"size\":%zu,\"cpus\":1,\"alloc\":\"%s\","
	       "\"unit\":\"instructions/op\",\"value\":%.1f,\"ops\":%lu}\n",
	       size, name, (double)(with - without) / (double)PAIRS, PAIRS);
	return EXIT_SUCCESS;
}
