/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __HOSTBENCH_HOST_H__
#define __HOSTBENCH_HOST_H__

/* What the benchmark programs for Linux share
 *
 * A program uses malloc() and free() of whichever allocator is preloaded. It
 * takes plain numbers as arguments, so that the same amount of work is done
 * with every allocator, and prints one JSON object with the time of one
 * operation. Its generator starts from a constant: sizes and order are the
 * same in every run.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/** Bytes of a cache line */
#define HOST_LINE 64U

#define HOST_SEED 0x9e3779b97f4a7c15UL

/** Largest size that host_mixed_size() draws */
#define HOST_MIXED_MAX 2048U

/** Ends the program with an error. */
static inline void __attribute__((noreturn)) host_fail(const char *what)
{
	(void)fprintf(stderr, "benchmark: %s\n", what);
	exit(EXIT_FAILURE);
}

/** Number in argument i, or a default. */
static inline unsigned long host_arg(int argc, char *argv[], int i,
				     unsigned long otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 10) : otherwise;
}

/** Draws 64 bits; the state must not be 0. */
static inline uint64_t host_draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dUL;
}

/** Draws a number below the bound. */
static inline uint32_t host_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(((host_draw(state) >> 32) * bound) >> 32);
}

/**
 * Draws a size as programs ask for, 8 to HOST_MIXED_MAX bytes: the binary
 * logarithm is distributed binomially around 7, which is nearly normal.
 */
static inline size_t host_mixed_size(uint64_t *state)
{
	uint64_t bits = host_draw(state);
	unsigned int log2 = 3 + (unsigned int)__builtin_popcountl(bits & 0xff);
	size_t size = (1UL << log2) + ((bits >> 8) & ((1UL << log2) - 1));

	return size < HOST_MIXED_MAX ? size : HOST_MIXED_MAX;
}

/** Writes one word of every cache line of an object. */
static inline void host_touch(void *ptr, size_t size)
{
	size_t at;

	for (at = 0; at + sizeof(uint64_t) <= size; at += HOST_LINE)
		*(volatile uint64_t *)((char *)ptr + at) = at;
}

/** Allocates, or ends the program. */
static inline void *host_malloc(size_t size)
{
	void *ptr = malloc(size);

	if (!ptr)
		host_fail("out of memory");
	return ptr;
}

/** Allocates and writes. */
static inline void *host_use(size_t size)
{
	void *ptr = host_malloc(size);

	host_touch(ptr, size);
	return ptr;
}

/** Monotonic time. */
static inline double host_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/** Prints the result: time of an operation as each thread sees it. */
static inline void host_result(double seconds, unsigned long ops)
{
	printf("{\"ns\":%.3f,\"ops\":%lu}\n", seconds * 1e9 / (double)ops, ops);
}

#endif /* __HOSTBENCH_HOST_H__ */
