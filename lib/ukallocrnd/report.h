/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_REPORT_H__
#define __UKALLOCRND_REPORT_H__

/* Reports: every kind of misuse and corruption that the library detects
 *
 * report.c holds the words of each kind and of each detail. Tests match them,
 * README.md and docs/reports.md list them: all of these change together.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "trace.h"

enum rnd_bug {
	RND_BUG_INVALID_FREE,	  /* not a pointer of this heap */
	RND_BUG_MISALIGNED_FREE,  /* no object can start at this address */
	RND_BUG_INTERIOR_FREE,	  /* points into an object */
	RND_BUG_DOUBLE_FREE,	  /* was freed before */
	RND_BUG_UNALLOCATED_FREE, /* slot or page was never handed out */
	RND_BUG_SIZE_MISMATCH,	  /* sized free disagrees with the request */
	RND_BUG_KIND_MISMATCH,	  /* malloc, new and new[] mixed up */
	RND_BUG_OVERFLOW,	  /* bytes behind the object were changed */
	RND_BUG_UNDERFLOW,	  /* bytes in front of it were changed */
	RND_BUG_USE_AFTER_FREE,	  /* an access to a freed object faulted */
	RND_BUG_WILD_ACCESS,	  /* one where there is no object */
	RND_BUG_WRITE_AFTER_FREE, /* a free slot is not zero any more */
	RND_BUG_METADATA,	  /* an invariant of the library is broken */
	RND_BUG_COUNT
};

/** Everything a report can say; unknown fields are 0 */
struct rnd_bug_info {
	enum rnd_bug bug;
	const char *op;	   /* public function: "free", "realloc", ... */
	const void *ptr;   /* what the user passed, or the object's start */
	__uptr caller;	   /* return address of the public function */
	__sz slot_len;	   /* size class; 0: none */
	__bool is_large;   /* a large object or its span */
	__bool has_req;	   /* req is known */
	__sz req;	   /* requested size of the object */
	__sz given;	   /* size or kind that the user passed, if mismatch */
	const void *obj;   /* what ptr points into or near; __NULL: unknown */
	__bool has_cpu;	   /* cpu is known */
	__u32 cpu;	   /* index of the state that freed it first */
	const char *where; /* "quarantine", "remote list", ... */
	const void *bad;   /* first changed byte (overflow, write after free) */
	const void *near;  /* live object nearest to bad or ptr, not obj */
	__sz near_req;	   /* its requested size */
	__bool is_sampled; /* a sample, whatever its size */
	const void *at;	   /* address whose access faulted; __NULL: none */
	const char *access;		   /* "read", "write" */
	const struct rnd_trace *allocated; /* of a sample; __NULL: not known */
	const struct rnd_trace *freed;
};

/**
 * Prints a report and stops the system. The first line is
 *   ukallocrnd: BUG: <kind>: ptr=0x... class=<len|large|sampled|none>
 *   caller=0x...
 * and each detail that is known follows on a line of its own, indented by
 * two blanks:
 *   found by <op>()
 *   size passed <given>, requested <req>
 *   freed as if from <malloc|new|new[]|palloc>
 *   requested size <req>
 *   <n> bytes before|inside|after the object|slot at 0x..., size <n>
 *   <read|write|access> of 0x...
 *   freed by CPU <cpu> (thread <id>)
 *   it is <where>
 *   first changed byte: offset <n>
 *   that is <n> bytes before|inside|after the object|slot at 0x..., size <n>
 *   <allocated|freed> by CPU <cpu> (thread <id>):
 *     at 0x... (<file>+0x...)
 * docs/reports.md explains each line and has an example of each kind.
 *
 * Does not allocate and prints no memory contents. If two CPUs report at once,
 * one of them waits for the stop.
 *
 * Context: any CPU, any locks held, interrupts on or off; takes no lock.
 *
 * @param info
 *   What is known about the bug
 */
void __noreturn rnd_report(const struct rnd_bug_info *info);

/** Prints a report in the same way; the caller stops the system */
void rnd_report_lines(const struct rnd_bug_info *info);

/** Prints a trace; what is what was done: "allocated", "freed" */
void rnd_report_trace(const char *what, const struct rnd_trace *t);

/**
 * Prints formatted text (at most 255 characters, no newline is added) through
 * rnd_port_print(). The conversions are those of format.h, because a report
 * must not enter a libc.
 *
 * @param fmt
 *   The format
 */
void rnd_print(const char *fmt, ...) __printf(1, 2);

#endif /* __UKALLOCRND_REPORT_H__ */
