/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Events whose number is known
 *
 * How
 *   Each round has one instruction of every kind that the plug-in counts,
 *   and neighbours that must not count: the same without a lock, an exchange
 *   of registers, a prefix that is part of a constant. Their places in pages
 *   and in blocks of translated code differ from those of real workloads, so
 *   this proves the plug-in and not the workloads.
 */

#include <stdio.h>

#include <uk/arch/types.h>

#include "mark.h"

#define ROUNDS		  1000UL
/* What counted() has */
#define LOCKED_PER_ROUND  4UL
#define IRQFLAG_PER_ROUND 3UL

static __u64 word;

static inline void counted(void)
{
	__u64 scratch = 1;

	__asm__ __volatile__("lock; addq $1, %0\n\t"
			     "lock; cmpxchgw %w1, %0\n\t"
			     "xchgb %b1, %0\n\t"
			     "xchgq %1, %0\n\t"
			     "pushfq\n\t"
			     "cli\n\t"
			     "sti\n\t"
			     "popfq"
			     : "+m"(word), "+r"(scratch)
			     :
			     : "rax", "cc", "memory");
}

static inline void not_counted(void)
{
	__u64 scratch = 1, other = 2;

	__asm__ __volatile__("addq $1, %0\n\t"
			     "xchgq %1, %2\n\t"
			     "xchgl %%eax, %k1\n\t"
			     "movl $0xfbfaf0f0, %k1\n\t"
			     "btsl $0xf0, %k2\n\t"
			     "movb $0x9d, %b1"
			     : "+m"(word), "+r"(scratch), "+r"(other)
			     :
			     : "rax", "cc");
}

void bench_known_events(void)
{
	unsigned long i;

	bench_mark_start();
	for (i = 0; i < ROUNDS; i++) {
		counted();
		not_counted();
	}
	bench_mark_stop();
	printf("{\"type\":\"known\",\"ops\":%lu,\"locked\":%lu,"
	       "\"irqflag\":%lu}\n",
	       ROUNDS, ROUNDS * LOCKED_PER_ROUND, ROUNDS * IRQFLAG_PER_ROUND);
}
