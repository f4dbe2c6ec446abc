/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/assert.h>
#include <uk/essentials.h>

#include "../port.h"
#include "../report.h"
#include "generation.h"
#include "unmapq.h"

/* Frames are cleared when they are unmapped if another CPU could read the old
 * contents, and tested when they are free
 */
#define IS_SHARED RND_GLUE_SMP

static struct rnd_unmapq_batch batches[RND_UNMAPQ_DEPTH];
static __u32 head;
static __u32 tail;
/* Of closed batches */
static __sz closed_pages;

struct rnd_unmapq_stats rnd_unmapq_stats;

static struct rnd_unmapq_batch *batch_at(__u32 n)
{
	return &batches[n % RND_UNMAPQ_DEPTH];
}

static __u32 id_of(__u32 n)
{
	return n % RND_TABLE_IDS;
}

static void __noreturn report_write(__uptr addr)
{
	rnd_print("ukallocrnd: BUG: write after unmap: ptr=%p class=none "
		  "caller=0x0\n",
		  (void *)addr);
	rnd_port_abort();
}

static void reap_range(const struct rnd_unmapq_range *r, __u32 n,
		       struct rnd_tables_retired *tables)
{
	__uptr changed;
	__sz i;

	for (i = 0; i < r->pages; i++) {
		changed = rnd_table_reap(r->addr + i * RND_PAGE_LEN, id_of(n),
					 IS_SHARED, tables);
		if (unlikely(changed))
			report_write(changed);
	}
}

/* Tables that become empty wait with the open batch */
static void reap_oldest(void)
{
	struct rnd_unmapq_batch *batch = batch_at(head);
	__u32 i;

	for (i = 0; i < batch->cnt; i++)
		reap_range(&batch->range[i], head, &batch_at(tail)->tables);
	rnd_table_free(&batch->tables);
	closed_pages -= batch->pages;
	head++;
}

static void reap_passed(void)
{
	while (head != tail && rnd_generation_passed(batch_at(head)->gen))
		reap_oldest();
}

/* The next open batch must have a place, and must be there before anything is
 * reaped for which this one is too old
 */
static void batch_close(void)
{
	struct rnd_unmapq_batch *batch = batch_at(tail);

	if (tail + 1 - head == RND_UNMAPQ_DEPTH) {
		rnd_unmapq_stats.waits++;
		rnd_generation_wait(batch_at(head)->gen);
		reap_oldest();
	}
	batch->gen = rnd_generation_start();
	rnd_generation_poll();
	closed_pages += batch->pages;
	rnd_unmapq_stats.batches++;
	tail++;

	batch = batch_at(tail);
	batch->cnt = 0;
	batch->pages = 0;
	batch->tables = (struct rnd_tables_retired){ 0, 0 };
	reap_passed();
}

/* One CPU: nobody else remembers anything */
static void unmap_alone(__uptr addr, __sz pages)
{
	struct rnd_tables_retired tables = { 0, 0 };
	struct rnd_unmapq_range r = { addr, 1 };
	__sz i;

	for (i = 0; i < pages; i++, r.addr += RND_PAGE_LEN)
		if (rnd_table_unmap(r.addr, 0, 0))
			reap_range(&r, 0, &tables);
	if (tables.cnt) {
		/* Any flush makes it forget which tables there were */
		rnd_glue_forget(addr);
		rnd_table_free(&tables);
	}
	rnd_unmapq_stats.pages += pages;
}

static __bool batch_is_full(const struct rnd_unmapq_batch *batch)
{
	return batch->cnt == RND_UNMAPQ_RANGES ||
	       batch->pages >= RND_UNMAPQ_PAGES;
}

int rnd_unmapq_map_to(__uptr addr, __paddr_t frame)
{
	__uptr changed;
	int rc;

	rc = rnd_table_map_to(addr, frame, &changed);
	if (unlikely(!rc && changed))
		report_write(changed);

	return rc;
}

int rnd_unmapq_map(__uptr addr)
{
	return rnd_unmapq_map_to(addr, RND_FRAME_NONE);
}

void rnd_unmapq_unmap(__uptr addr, __sz pages)
{
	struct rnd_unmapq_batch *batch;
	__sz part, i;
	__u32 there;

	if (!IS_SHARED) {
		unmap_alone(addr, pages);
		return;
	}
	for (; pages; pages -= part, addr += part * RND_PAGE_LEN) {
		batch = batch_at(tail);
		part = MIN(pages, (__sz)RND_UNMAPQ_PAGES - batch->pages);
		there = 0;
		for (i = 0; i < part; i++)
			there += rnd_table_unmap(addr + i * RND_PAGE_LEN,
						 id_of(tail), 1);
		if (!there)
			continue;
		rnd_unmapq_stats.pages += there;
		batch->range[batch->cnt].addr = addr;
		batch->range[batch->cnt].pages = part;
		batch->cnt++;
		batch->pages += (__u32)part;
		if (batch_is_full(batch))
			batch_close();
	}
}

void rnd_unmapq_drain(void)
{
	unsigned int i;

	/* Twice: the first one may take out tables, which wait then */
	for (i = 0; IS_SHARED && i < 2; i++) {
		batch_close();
		while (head != tail) {
			rnd_generation_wait(batch_at(head)->gen);
			reap_oldest();
		}
	}
}

__sz rnd_unmapq_pages(void)
{
	return closed_pages + batch_at(tail)->pages;
}
