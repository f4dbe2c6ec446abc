/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Batches that one CPU allocates and another one frees
 *
 * Pattern
 *   C. Lever and D. Boreham, 2000 (xmalloc-test of mimalloc-bench): one side
 *   only allocates, the other only frees. Here CPUs work in pairs, and what
 *   they hand over are batches of 1, 32 or 256 objects.
 *
 * Question
 *   What does a remote free cost if it comes alone, and if many come together?
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"

#define BATCH_MAX 256UL

/* How often an end looks before it returns; each look gives the turn away */
#define PATIENCE 16U

static const __sz sizes[] = { 64, 0 };

/* Between the CPUs of a pair */
static struct mailbox {
	unsigned long cnt; /* 0: empty, the producer may write */
	void *obj[BATCH_MAX];
} boxes[BENCH_CPUS / 2] __align(128);

static int is_ready(const struct mailbox *box, int full)
{
	unsigned int patience = PATIENCE;

	/* Acquire: the objects, or that they were read. Pairs with the release
	 * in hand_over().
	 */
	while ((__atomic_load_n(&box->cnt, __ATOMIC_ACQUIRE) != 0) != full) {
		if (!--patience)
			return 0;
		__builtin_ia32_pause();
	}
	return 1;
}

static void hand_over(struct mailbox *box, unsigned long cnt)
{
	/* Release: all of the box. Pairs with the acquire in is_ready(). */
	__atomic_store_n(&box->cnt, cnt, __ATOMIC_RELEASE);
}

/* The consumer counts the operations */
static void produce(struct bench_run *run, struct mailbox *box)
{
	unsigned long i;

	if (!is_ready(box, 0))
		return;
	for (i = 0; i < run->live; i++) {
		box->obj[i] = uk_malloc(run->a, run->size);
		if (unlikely(!box->obj[i]))
			break;
		bench_touch(box->obj[i]);
	}
	hand_over(box, i);
}

static unsigned long consume(struct bench_run *run, struct mailbox *box)
{
	unsigned long cnt, i;

	if (!is_ready(box, 1))
		return 0;
	cnt = box->cnt;
	for (i = 0; i < cnt; i++)
		uk_free(run->a, box->obj[i]);
	hand_over(box, 0);
	return cnt;
}

static unsigned long xmalloc(struct bench_run *run)
{
	struct mailbox *box = &boxes[run->cpu / 2];

	if (run->cpu % 2)
		return consume(run, box);
	produce(run, box);
	return 0;
}

static void teardown(const struct bench_run *run)
{
	struct bench_run own = *run;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(boxes); i++)
		(void)consume(&own, &boxes[i]);
}

/* clang-format off */
#define XMALLOC(number)                                                        \
	const struct bench_workload bench_xmalloc_##number = {                 \
		.name = "xmalloc-" #number,                                    \
		.sizes = sizes,                                                \
		.cpus_min = 2,                                                 \
		.cpus_max = BENCH_CPUS,                                        \
		.scale = 1,                                                    \
		.live = (number),                                              \
		.batch = xmalloc,                                              \
		.teardown = teardown,                                          \
	}
/* clang-format on */

XMALLOC(1);
XMALLOC(32);
XMALLOC(256);
