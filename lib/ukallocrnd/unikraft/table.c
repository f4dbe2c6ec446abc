/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "frame.h"
#include "table.h"

#define PTE_PRESENT  (1UL << 0)
#define PTE_WRITE    (1UL << 1)
/* Set from the start, or the CPU would write to the entry, behind our back */
#define PTE_ACCESSED (1UL << 5)
#define PTE_DIRTY    (1UL << 6)
#define PTE_ZOMBIE   (1UL << 9)
#define PTE_NOEXEC   (1UL << 63)
#define PTE_FRAME    0x000ffffffffff000UL

/* Ten bits that the CPU ignores: count of an entry for a table, batch of a
 * zombie
 */
#define PTE_NUM_SHIFT 52
#define PTE_NUM_ONE   (1UL << PTE_NUM_SHIFT)
#define PTE_NUM_MASK  (0x3ffUL << PTE_NUM_SHIFT)

UK_CTASSERT(RND_TABLE_IDS - 1 == PTE_NUM_MASK >> PTE_NUM_SHIFT);

#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define PTE_PAGE                                                               \
	(PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_NOEXEC)

#define LEVELS	    4
#define TABLE_SHIFT 9
#define TABLE_LEN   (1U << TABLE_SHIFT)
#define PAGE_SHIFT_ 12

/* The entries on the way to a page, from path[LEVELS - 1] in the top down to
 * path[0] for the page
 */
struct path {
	__u64 *e[LEVELS];
};

static __u64 pte_get(const __u64 *e)
{
	return __atomic_load_n(e, __ATOMIC_RELAXED);
}

/* Release: what the entry leads to is complete. Pairs with the page walk of
 * every CPU, which is ordered by its dependency.
 */
static void pte_set(__u64 *e, __u64 pte)
{
	__atomic_store_n(e, pte, __ATOMIC_RELEASE);
}

static unsigned int index_at(__uptr addr, unsigned int level)
{
	return addr >> (PAGE_SHIFT_ + TABLE_SHIFT * level) & (TABLE_LEN - 1);
}

/* Goes down as far as there are tables
 *
 * @return
 *   Level of the last entry that was found: 0 if it is that of the page
 */
static unsigned int path_find(struct path *p, __uptr addr)
{
	unsigned int level = LEVELS - 1;
	__u64 *table = rnd_glue_root();
	__u64 pte;

	UK_ASSERT(addr >= RND_WINDOW_START && addr < RND_WINDOW_END);

	for (;;) {
		p->e[level] = &table[index_at(addr, level)];
		/* Once: rnd_table_allows() has no lock */
		pte = pte_get(p->e[level]);
		if (!level || !(pte & PTE_PRESENT))
			return level;
		table = rnd_glue_frame(pte & PTE_FRAME);
		level--;
	}
}

/* An entry of a table was 0 and is not any more, or the other way round. The
 * top level is not counted.
 */
static void path_count(struct path *p, unsigned int level, __s64 by)
{
	__u64 *parent;

	if (level == LEVELS - 1)
		return;
	parent = p->e[level + 1];
	pte_set(parent, pte_get(parent) + (__u64)by * PTE_NUM_ONE);
}

static int path_make(struct path *p, __uptr addr)
{
	unsigned int level = path_find(p, addr);
	__paddr_t frame;
	__u64 *table;

	while (level) {
		if (rnd_frame_get(&frame))
			return -ENOMEM;
		table = rnd_glue_frame(frame);
		rnd_frame_clear(table);
		pte_set(p->e[level], frame | PTE_TABLE);
		path_count(p, level, 1);
		level--;
		p->e[level] = &table[index_at(addr, level)];
	}
	return 0;
}

/* Takes out the tables on the way that are empty */
static void path_prune(struct path *p, struct rnd_tables_retired *retired)
{
	unsigned int level;
	__paddr_t frame;
	__u64 pte;

	for (level = 1; level < LEVELS; level++) {
		pte = pte_get(p->e[level]);
		if (pte & PTE_NUM_MASK)
			return;
		frame = pte & PTE_FRAME;
		pte_set(p->e[level], 0);
		path_count(p, level, -1);
		/* Whoever remembers the table finds nothing present in it: the
		 * link is aligned
		 */
		pte_set(rnd_glue_frame(frame), retired->head);
		retired->head = frame;
		retired->cnt++;
	}
}

/* Address of the first byte of a frame that is not 0 any more; 0: none */
static __uptr frame_changed(__paddr_t frame, __uptr addr)
{
	__sz at = rnd_frame_changed(rnd_glue_frame(frame));

	return unlikely(at < RND_FRAME_LEN) ? addr + at : 0;
}

/* The count of a full table is 512 and fits; a zombie that becomes present is
 * counted already
 */
int rnd_table_map_to(__uptr addr, __paddr_t frame, __uptr *changed)
{
	struct path p;
	__u64 pte;

	*changed = 0;
	if (unlikely(path_make(&p, addr)))
		goto err_frame;

	pte = pte_get(p.e[0]);
	UK_ASSERT(!(pte & PTE_PRESENT));
	if (pte) {
		*changed = frame_changed(pte & PTE_FRAME, addr);
		pte_set(p.e[0], (pte & PTE_FRAME) | PTE_PAGE);
		if (frame != RND_FRAME_NONE)
			rnd_frame_put(frame);
		return 0;
	}
	if (frame == RND_FRAME_NONE && unlikely(rnd_frame_get(&frame)))
		return -ENOMEM;
	rnd_frame_clear(rnd_glue_frame(frame));
	pte_set(p.e[0], frame | PTE_PAGE);
	path_count(&p, 0, 1);

	return 0;

err_frame:
	if (frame != RND_FRAME_NONE)
		rnd_frame_put(frame);
	return -ENOMEM;
}

int rnd_table_map(__uptr addr, __uptr *changed)
{
	return rnd_table_map_to(addr, RND_FRAME_NONE, changed);
}

__paddr_t rnd_table_frame(__uptr addr)
{
	struct path p;
	__u64 pte;

	if (path_find(&p, addr))
		return RND_FRAME_NONE;
	pte = pte_get(p.e[0]);

	return (pte & PTE_PRESENT) ? pte & PTE_FRAME : RND_FRAME_NONE;
}

__bool rnd_table_unmap(__uptr addr, __u32 id, __bool is_clean)
{
	struct path p;
	__u64 pte;

	UK_ASSERT(id < RND_TABLE_IDS);

	if (path_find(&p, addr))
		return 0;
	pte = pte_get(p.e[0]);
	if (!(pte & PTE_PRESENT))
		return 0;

	pte_set(p.e[0], (pte & PTE_FRAME) | PTE_ZOMBIE | id * PTE_NUM_ONE);
	rnd_glue_forget(addr);
	if (is_clean)
		rnd_frame_clear(rnd_glue_frame(pte & PTE_FRAME));

	return 1;
}

__uptr rnd_table_reap(__uptr addr, __u32 id, __bool is_clean,
		      struct rnd_tables_retired *retired)
{
	__uptr changed = 0;
	struct path p;
	__paddr_t frame;
	__u64 pte;

	if (path_find(&p, addr))
		return 0;
	pte = pte_get(p.e[0]);
	if (!(pte & PTE_ZOMBIE) || pte & PTE_PRESENT ||
	    (pte & PTE_NUM_MASK) != id * PTE_NUM_ONE)
		return 0;

	frame = pte & PTE_FRAME;
	if (is_clean)
		changed = frame_changed(frame, addr);
	pte_set(p.e[0], 0);
	path_count(&p, 0, -1);
	rnd_frame_put(frame);
	path_prune(&p, retired);

	return changed;
}

void rnd_table_free(struct rnd_tables_retired *retired)
{
	__paddr_t frame;

	while (retired->cnt) {
		frame = retired->head;
		retired->head = *(__u64 *)rnd_glue_frame(frame);
		retired->cnt--;
		rnd_frame_put(frame);
	}
}

void rnd_table_seal(__uptr addr)
{
	struct path p;

	if (path_find(&p, addr) || !(pte_get(p.e[0]) & PTE_PRESENT))
		return;
	pte_set(p.e[0], pte_get(p.e[0]) & ~PTE_WRITE);
	rnd_glue_forget(addr);
}

__bool rnd_table_is_mapped(__uptr addr)
{
	return rnd_table_frame(addr) != RND_FRAME_NONE;
}

__bool rnd_table_allows(__uptr addr, __bool is_write)
{
	struct path p;
	__u64 pte;

	if (path_find(&p, addr))
		return 0;
	pte = pte_get(p.e[0]);

	return pte & PTE_PRESENT && (!is_write || pte & PTE_WRITE);
}
