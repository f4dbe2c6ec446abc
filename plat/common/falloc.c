/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/falloc.h>
#include <uk/spinlock.h>

#include "falloc.h"
#include "falloc_core.h"
#include "rng.h"

/* The frame lock: the innermost but for the console and the generator */
static struct uk_spinlock falloc_lock = UK_SPINLOCK_INITIALIZER();
static struct falloc_core falloc_core;
static struct plat_rng falloc_rng;
static struct uk_falloc falloc_machine;

#ifdef CONFIG_UKPLAT_FALLOC_INJECT
/* Allocations until one fails; ~0 for never */
static unsigned long inject_after = UKPLAT_FALLOC_INJECT_OFF;

void ukplat_falloc_inject(unsigned long after)
{
	__atomic_store_n(&inject_after, after, __ATOMIC_RELAXED);
}

/* Runs under the frame lock */
static int inject_hits(void)
{
	unsigned long after;

	after = __atomic_load_n(&inject_after, __ATOMIC_RELAXED);
	if (likely(after == UKPLAT_FALLOC_INJECT_OFF))
		return 0;
	__atomic_store_n(&inject_after, after - 1, __ATOMIC_RELAXED);
	/* 0 becomes UKPLAT_FALLOC_INJECT_OFF: exactly one fails */
	return after == 0;
}
#else
static int inject_hits(void)
{
	return 0;
}
#endif

static __u32 falloc_rand(void *arg, __u32 bound)
{
	return plat_rng_uniform32(arg, bound);
}

/* The counters are read without the lock */
static void counters_update(struct uk_falloc *fa)
{
	__atomic_store_n(&fa->free_memory,
			 (__sz)falloc_core.nfree << PAGE_SHIFT,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&fa->total_memory,
			 (__sz)falloc_core.total << PAGE_SHIFT,
			 __ATOMIC_RELAXED);
}

static int falloc_run(struct uk_falloc *fa, __paddr_t *paddr,
		      unsigned long frames, unsigned long flags, __u64 min,
		      __u64 max)
{
	__u64 align = flags & FALLOC_FLAG_ALIGNED ? frames : 1;
	unsigned long irqf;
	__u64 pfn = 0;
	int rc;

	if (!frames || flags & ~(unsigned long)FALLOC_FLAG_ALIGNED ||
	    !POWER_OF_2(align))
		return -EINVAL;

	irqf = uk_spin_lock_irqsave(&falloc_lock);
	if (inject_hits())
		rc = -ENOMEM;
	else if (*paddr != __PADDR_ANY)
		rc = falloc_core_take_at(&falloc_core, *paddr >> PAGE_SHIFT,
					 frames);
	else if (frames == 1 && max == __U64_MAX)
		rc = falloc_core_take(&falloc_core, &pfn);
	else
		rc = falloc_core_take_run(&falloc_core, frames, align, min, max,
					  &pfn);
	counters_update(fa);
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);

	if (!rc && *paddr == __PADDR_ANY)
		*paddr = pfn << PAGE_SHIFT;
	return rc;
}

static int machine_falloc(struct uk_falloc *fa, __paddr_t *paddr,
			  unsigned long frames, unsigned long flags)
{
	if (*paddr != __PADDR_ANY && *paddr & ~PAGE_MASK)
		return -EINVAL;
	return falloc_run(fa, paddr, frames, flags, 0, __U64_MAX);
}

static int machine_falloc_from_range(struct uk_falloc *fa, __paddr_t *paddr,
				     unsigned long frames, unsigned long flags,
				     __paddr_t min, __paddr_t max)
{
	*paddr = __PADDR_ANY;
	return falloc_run(fa, paddr, frames, flags,
			  DIV_ROUND_UP(min, PAGE_SIZE), max >> PAGE_SHIFT);
}

static int machine_ffree(struct uk_falloc *fa, __paddr_t paddr,
			 unsigned long frames)
{
	unsigned long irqf;
	__u64 bad = paddr >> PAGE_SHIFT;
	int rc = -EINVAL;

	if (!(paddr & ~PAGE_MASK)) {
		irqf = uk_spin_lock_irqsave(&falloc_lock);
		rc = falloc_core_put(&falloc_core, paddr >> PAGE_SHIFT, frames,
				     &bad);
		counters_update(fa);
		uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	}
	if (likely(!rc))
		return 0;

	ukplat_console_panic();
	ukplat_printk("falloc: BUG: %s: paddr=0x%lx\n",
		      rc == -EEXIST ? "double free of a frame" :
				      "free of a frame that does not exist",
		      rc == -EINVAL && paddr & ~PAGE_MASK ? paddr :
							    bad << PAGE_SHIFT);
	ukplat_crash();
}

static int machine_addmem(struct uk_falloc *fa, __paddr_t paddr,
			  unsigned long frames)
{
	unsigned long irqf;
	int rc;

	if (paddr & ~PAGE_MASK)
		return -EINVAL;
	irqf = uk_spin_lock_irqsave(&falloc_lock);
	rc = falloc_core_add(&falloc_core, paddr >> PAGE_SHIFT, frames);
	counters_update(fa);
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	return rc;
}

static struct uk_falloc falloc_machine = {
	.falloc = machine_falloc,
	.falloc_from_range = machine_falloc_from_range,
	.ffree = machine_ffree,
	.addmem = machine_addmem,
};

struct uk_falloc *ukplat_falloc_get(void)
{
	return &falloc_machine;
}

__sz falloc_meta_len(__u64 frames)
{
	return ALIGN_UP(frames * 2 * sizeof(__u32), PAGE_SIZE);
}

void falloc_init(void *meta, __u64 frames)
{
	__u32 *perm = meta;

	UK_ASSERT(frames < FALLOC_CORE_NONE);
	plat_rng_fork(&falloc_rng);
	falloc_core_init(&falloc_core, perm, perm + frames, (__u32)frames,
			 falloc_rand, &falloc_rng);
}

void falloc_rebase(void *meta)
{
	falloc_core.perm = meta;
	falloc_core.pos = falloc_core.perm + falloc_core.cap;
	falloc_core.rand = falloc_rand;
	falloc_core.rand_arg = &falloc_rng;
}
