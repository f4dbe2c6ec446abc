/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Repair of Unikraft 0.17: memory management on several CPUs (upstream #588,
 * #801, #935)
 *
 * The linker sends calls between libraries here (--wrap). Beside taking turns,
 * what is unmapped or protected is made known to the other CPUs, of which
 * Unikraft knows nothing: frames that it frees while unmapping are kept back
 * until all CPUs have forgotten them.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/paging.h>
#if CONFIG_LIBUKVMEM
#include <uk/vmem.h>
#endif

#include "../port.h"
#include "generation.h"
#include "serial.h"

/*
 * Turns
 */

/* CPU that is inside + 1, and how often it has entered */
static __u32 owner;
static __u32 depth;

void rnd_serial_enter(void)
{
	__u32 own = rnd_glue_cpu() + 1, none;

	/* Relaxed: only this CPU writes its own number */
	if (__atomic_load_n(&owner, __ATOMIC_RELAXED) == own) {
		depth++;
		return;
	}
	for (;;) {
		none = 0;
		/* Acquire: pairs with the release in rnd_serial_leave() */
		if (__atomic_compare_exchange_n(&owner, &none, own, 0,
						__ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			break;
		rnd_port_pause();
	}
	depth = 1;
}

void rnd_serial_leave(void)
{
	UK_ASSERT(owner == rnd_glue_cpu() + 1);

	if (--depth)
		return;
	/* Release: pairs with the acquire in rnd_serial_enter() */
	__atomic_store_n(&owner, 0, __ATOMIC_RELEASE);
}

/*
 * Frames: the functions of the frame allocator are replaced in its table
 */

/* Frames that wait until the other CPUs have forgotten them */
#define KEPT_MAX 256U

struct kept {
	__paddr_t start;
	unsigned long frames;
};

static struct kept kept[KEPT_MAX];
static unsigned int kept_cnt;
/* 1 while something is being unmapped */
static __bool is_keeping;

static __u32 frame_taken;
static struct uk_falloc original;

/* Not rnd_lock: page faults come here that interrupt the library while it has
 * locks of any rank
 */
static unsigned long frames_enter(void)
{
	unsigned long flags = rnd_port_irq_save();

	while (__atomic_exchange_n(&frame_taken, 1, __ATOMIC_ACQUIRE))
		rnd_port_pause();

	return flags;
}

static void frames_leave(unsigned long flags)
{
	__atomic_store_n(&frame_taken, 0, __ATOMIC_RELEASE);
	rnd_glue_irq_restore(flags);
}

static int locked_falloc(struct uk_falloc *fa, __paddr_t *paddr,
			 unsigned long frames, unsigned long flags)
{
	unsigned long irqf = frames_enter();
	int rc = original.falloc(fa, paddr, frames, flags);

	frames_leave(irqf);
	return rc;
}

static int locked_falloc_from_range(struct uk_falloc *fa, __paddr_t *paddr,
				    unsigned long frames, unsigned long flags,
				    __paddr_t min, __paddr_t max)
{
	unsigned long irqf = frames_enter();
	int rc = original.falloc_from_range(fa, paddr, frames, flags, min, max);

	frames_leave(irqf);
	return rc;
}

static int free_now(struct uk_falloc *fa, __paddr_t paddr, unsigned long frames)
{
	unsigned long irqf = frames_enter();
	int rc = original.ffree(fa, paddr, frames);

	frames_leave(irqf);
	return rc;
}

static void kept_free(struct uk_falloc *fa)
{
	int rc;

	if (!kept_cnt)
		return;
	rnd_generation_wait(rnd_generation_start());
	while (kept_cnt) {
		kept_cnt--;
		rc = free_now(fa, kept[kept_cnt].start, kept[kept_cnt].frames);
		UK_ASSERT(!rc);
		(void)rc;
	}
}

int rnd_serial_frame_put(struct uk_falloc *fa, __paddr_t frame)
{
	return free_now(fa, frame, 1);
}

/* Heaps do not come here, and interrupts unmap nothing: what is kept belongs to
 * the CPU that is inside
 */
static int locked_ffree(struct uk_falloc *fa, __paddr_t paddr,
			unsigned long frames)
{
	if (!is_keeping || owner != rnd_glue_cpu() + 1)
		return free_now(fa, paddr, frames);

	if (kept_cnt == KEPT_MAX)
		kept_free(fa);
	kept[kept_cnt].start = paddr;
	kept[kept_cnt].frames = frames;
	kept_cnt++;

	return 0;
}

void rnd_serial_frames(struct uk_falloc *fa)
{
	if (fa->falloc == locked_falloc)
		return;
	original = *fa;
	fa->falloc = locked_falloc;
	fa->falloc_from_range = locked_falloc_from_range;
	fa->ffree = locked_ffree;
}

#if CONFIG_LIBUKALLOCRND_SMP

/*
 * Page tables
 */

int __real_ukplat_page_mapx(struct uk_pagetable *pt, __vaddr_t vaddr,
			    __paddr_t paddr, unsigned long pages,
			    unsigned long attr, unsigned long flags,
			    struct ukplat_page_mapx *mapx);
int __real_ukplat_page_unmap(struct uk_pagetable *pt, __vaddr_t vaddr,
			     unsigned long pages, unsigned long flags);
int __real_ukplat_page_set_attr(struct uk_pagetable *pt, __vaddr_t vaddr,
				unsigned long pages, unsigned long attr,
				unsigned long flags);

int __wrap_ukplat_page_mapx(struct uk_pagetable *pt, __vaddr_t vaddr,
			    __paddr_t paddr, unsigned long pages,
			    unsigned long attr, unsigned long flags,
			    struct ukplat_page_mapx *mapx)
{
	int rc;

	rnd_serial_enter();
	rc = __real_ukplat_page_mapx(pt, vaddr, paddr, pages, attr, flags,
				     mapx);
	rnd_serial_leave();

	return rc;
}

int __wrap_ukplat_page_unmap(struct uk_pagetable *pt, __vaddr_t vaddr,
			     unsigned long pages, unsigned long flags)
{
	__bool was_keeping;
	int rc;

	rnd_serial_enter();
	was_keeping = is_keeping;
	is_keeping = 1;
	rc = __real_ukplat_page_unmap(pt, vaddr, pages, flags);
	is_keeping = was_keeping;
	/* Who keeps the frames itself wants to know that they are forgotten */
	if (flags & PAGE_FLAG_KEEP_FRAMES)
		rnd_generation_wait(rnd_generation_start());
	if (!was_keeping)
		kept_free(pt->fa);
	rnd_serial_leave();

	return rc;
}

int __wrap_ukplat_page_set_attr(struct uk_pagetable *pt, __vaddr_t vaddr,
				unsigned long pages, unsigned long attr,
				unsigned long flags)
{
	int rc;

	rnd_serial_enter();
	rc = __real_ukplat_page_set_attr(pt, vaddr, pages, attr, flags);
	rnd_generation_wait(rnd_generation_start());
	rnd_serial_leave();

	return rc;
}

/*
 * Address spaces; uk_vma_map() is in vma.c
 */

#if CONFIG_LIBUKVMEM

int __real_uk_vma_unmap(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
			unsigned long flags);
int __real_uk_vma_set_attr(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
			   unsigned long attr, unsigned long flags);
int __real_uk_vma_advise(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
			 unsigned long advice, unsigned long flags);

int __wrap_uk_vma_unmap(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
			unsigned long flags)
{
	int rc;

	rnd_serial_enter();
	rc = __real_uk_vma_unmap(vas, vaddr, len, flags);
	rnd_serial_leave();

	return rc;
}

int __wrap_uk_vma_set_attr(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
			   unsigned long attr, unsigned long flags)
{
	int rc;

	rnd_serial_enter();
	rc = __real_uk_vma_set_attr(vas, vaddr, len, attr, flags);
	rnd_serial_leave();

	return rc;
}

int __wrap_uk_vma_advise(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
			 unsigned long advice, unsigned long flags)
{
	int rc;

	rnd_serial_enter();
	rc = __real_uk_vma_advise(vas, vaddr, len, advice, flags);
	rnd_serial_leave();

	return rc;
}

#endif

#endif
