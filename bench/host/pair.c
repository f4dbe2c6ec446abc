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
 *   Hardware counters are not available everywhere and count a few
 *   instructions more or less. A single step is exactly one instruction.
 *
 * How
 *   The child warms the allocator up, then runs a loop of pairs and the same
 *   loop without the calls. Breakpoints mark both ends of each loop; between
 *   them the parent steps and counts. The difference is what the calls cost,
 *   call and return instructions and the jump through the dynamic linker's
 *   table included. A string instruction counts once per repetition, a system
 *   call once. The allocator is the one of this program: the C library's, or
 *   that of LD_PRELOAD.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM_PAIRS 32000UL
/* A whole number of magazines, so that refills are counted in full */
#define PAIRS	   320UL

#define marker() __asm__ __volatile__("int3" : : : "memory")

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
	marker();
	pairs(size, PAIRS);
	marker();
	nothing(PAIRS);
	marker();
	return 0;
}

/* Lets the child go on to its next stop; returns 1 if it stopped at a marker,
 * 0 after a single step, -1 if it has ended or something else happened
 */
static int go_on(pid_t pid, int how)
{
	siginfo_t info;
	int status;

	/* The request is an enum in one libc, an int in another */
	if (how == PTRACE_SINGLESTEP)
		(void)ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	else if (how == PTRACE_CONT)
		(void)ptrace(PTRACE_CONT, pid, NULL, NULL);

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETSIGINFO, pid, NULL, &info))
		return -1;

	return info.si_code == SI_KERNEL;
}

/* Steps from one marker to the next; returns the number of instructions */
static long count_steps(pid_t pid)
{
	long n = 0;
	int stop;

	for (stop = go_on(pid, PTRACE_SINGLESTEP); !stop;
	     stop = go_on(pid, PTRACE_SINGLESTEP))
		n++;

	return stop < 0 ? -1 : n;
}

int main(int argc, char *argv[])
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	const char *name = argc > 2 ? argv[2] : "malloc";
	long with = -1, without = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child(size));
	if (pid < 0 || go_on(pid, 0) != 1) {
		perror("pair: the child cannot be traced");
		return EXIT_FAILURE;
	}

	with = count_steps(pid);
	if (with >= 0)
		without = count_steps(pid);
	(void)go_on(pid, PTRACE_CONT);
	if (without < 0) {
		(void)fprintf(stderr, "pair: the child died\n");
		return EXIT_FAILURE;
	}

	printf("{\"type\":\"bench\",\"mode\":\"host\",\"name\":\"pair\","
	       "\"size\":%zu,\"cpus\":1,\"alloc\":\"%s\","
	       "\"unit\":\"instructions/op\",\"value\":%.1f,\"ops\":%lu}\n",
	       size, name, (double)(with - without) / (double)PAIRS, PAIRS);
	return EXIT_SUCCESS;
}
