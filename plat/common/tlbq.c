/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/tlbq.h>

static struct ukplat_tlbq_batch *batch_at(struct ukplat_tlbq *q, unsigned int n)
{
	return q->batch[n % UKPLAT_TLBQ_DEPTH];
}

/* Makes batch[tail] ready for ranges */
static void batch_open(struct ukplat_tlbq *q)
{
	struct ukplat_tlbq_batch *batch = batch_at(q, q->tail);

	batch->gen = 0;
	batch->cnt = 0;
	batch->pages = 0;
	batch->frames = 0;
	batch->frames_cnt = 0;
	q->cur = batch->range;
	q->credit = UKPLAT_TLBQ_RANGES;
}

void ukplat_tlbq_init(struct ukplat_tlbq *q, void *mem, unsigned long pages_max,
		      const struct ukplat_tlbq_ops *ops)
{
	struct ukplat_tlbq_batch *batch = mem;
	unsigned int i;

	*q = (struct ukplat_tlbq){ .pages_max = pages_max };
	for (i = 0; i < UKPLAT_TLBQ_DEPTH; i++)
		q->batch[i] = (void *)((__u8 *)batch + i * 4096UL);
	batch_open(q);
	/* Release: others may empty it from here on. Pairs with the acquire in
	 * queue_is_ready()
	 */
	__atomic_store_n(&q->ops, ops, __ATOMIC_RELEASE);
}

void ukplat_tlbq_reap(struct ukplat_tlbq *q)
{
	struct ukplat_tlbq_batch *batch;
	__u64 age;

	while (q->head != q->tail) {
		batch = batch_at(q, q->head);
		if (!ukplat_tlb_passed(batch->gen))
			return;
		age = __atomic_load_n(&ukplat_tlb_gen, __ATOMIC_RELAXED) -
		      batch->gen;
		q->stats.age_max = MAX(q->stats.age_max, age);
		q->ops->reap(batch);
		q->pages -= batch->pages;
		q->head++;
	}
}

/* Makes room for an open batch, and for no more pages than there may be */
static void wait_for_room(struct ukplat_tlbq *q)
{
	while (q->tail - q->head == UKPLAT_TLBQ_DEPTH ||
	       (q->pages > q->pages_max && q->head != q->tail)) {
		q->stats.syncs++;
		ukplat_tlb_sync(batch_at(q, q->head)->gen);
		ukplat_tlbq_reap(q);
	}
}

void ukplat_tlbq_close(struct ukplat_tlbq *q, int own)
{
	struct ukplat_tlbq_batch *batch = batch_at(q, q->tail);

	batch->cnt = (unsigned int)(q->cur - batch->range);
	batch->pages = (unsigned int)(UKPLAT_TLBQ_RANGES - q->credit);
	if (q->ops->close && !q->ops->close(q, batch))
		own = 0;
	if (batch->cnt || batch->frames_cnt) {
		q->stats.batches++;
		q->stats.ranges += batch->cnt;
		q->stats.pages += batch->pages;
		q->pages += batch->pages;
		q->stats.pages_peak = MAX(q->stats.pages_peak, q->pages);
		batch->gen = ukplat_tlb_close(own);
		q->tail++;
		ukplat_tlbq_reap(q);
		wait_for_room(q);
		batch_open(q);
	} else {
		ukplat_tlbq_reap(q);
	}
}

void ukplat_tlbq_turn(struct ukplat_tlbq *q)
{
	ukplat_tlbq_close(q, 1);
}
