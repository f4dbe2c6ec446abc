/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __HOSTBENCH_INSN_H__
#define __HOSTBENCH_INSN_H__

/* Workloads whose instructions are counted
 *
 * Each workload exists twice, with its calls and without them, the rest being
 * the same: loops, drawing of numbers, tests. The difference of the two counts
 * is what the calls cost. Objects are not written: that would count the
 * program's own instructions. One operation is one malloc and one free.
 */

#include <stdbool.h>

#include "host.h"

/** Objects that live at a time, at most */
#define INSN_LIVE  10000U
/** Operations of an indivisible batch */
#define INSN_BATCH 1000U

struct insn_workload {
	const char *name;
	void (*real)(unsigned long ops);
	void (*loop)(unsigned long ops);
};

extern const struct insn_workload insn_pair, insn_calloc, insn_lifo,
	insn_random, insn_churn, insn_mixed, insn_xthread;

/** Bytes of an object; 0: mixed */
extern size_t insn_size;
extern void *insn_objects[INSN_LIVE];

/** The threads of a workload: all but one have the first one only */
enum insn_side {
	INSN_PRODUCER,
	INSN_CONSUMER
};

/**
 * Marks both ends of what a side does, for a counter that steps through it.
 * The first mark of a side asks for its thread to be traced.
 */
void insn_mark(enum insn_side side);

static inline __attribute__((always_inline)) void *insn_get(bool real,
							    size_t size)
{
	void *ptr = real ? malloc(size) : insn_objects;

	__asm__ __volatile__("" : "+r"(ptr) : "r"(size) : "memory");
	if (!ptr)
		host_fail("out of memory");
	return ptr;
}

static inline __attribute__((always_inline)) void insn_put(bool real, void *ptr)
{
	__asm__ __volatile__("" : "+r"(ptr) : : "memory");
	if (real)
		free(ptr);
}

/** Makes both forms of a workload from one inlined function. */
#define INSN_WORKLOAD(stem, body)                                              \
	static void stem##_real(unsigned long ops)                             \
	{                                                                      \
		body(true, ops);                                               \
	}                                                                      \
	static void stem##_loop(unsigned long ops)                             \
	{                                                                      \
		body(false, ops);                                              \
	}                                                                      \
	const struct insn_workload insn_##stem = { #stem, stem##_real,         \
						   stem##_loop }

#endif /* __HOSTBENCH_INSN_H__ */
