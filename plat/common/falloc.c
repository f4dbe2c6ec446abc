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
#include "frame_cache.h"
#include "random.h"
#include "rng.h"

struct falloc_core falloc_core;

/* The frame lock: the innermost but for the console and the generator */
static struct uk_spinlock falloc_lock = UK_SPINLOCK_INITIALIZER();
static struct plat_rng falloc_rng;
static struct uk_falloc falloc_machine;
/* (a) Frames that are promised, for who has no lock */
static __u32 falloc_promised;

#ifdef CONFIG_UKPLAT_FALLOC_INJECT
/* Allocations until one fails; ~0 for never */
unsigned long falloc_inject_after = UKPLAT_FALLOC_INJECT_OFF;

void ukplat_falloc_inject(unsigned long after)
{
	__atomic_store_n(&falloc_inject_after, after, __ATOMIC_RELAXED);
}

int falloc_inject_step(void)
{
	unsigned long after;

	after = __atomic_load_n(&falloc_inject_after, __ATOMIC_RELAXED);
	do {
		if (after == UKPLAT_FALLOC_INJECT_OFF)
			return 0;
		/* Relaxed: a counter; every value is met by one allocation */
	} while (!__atomic_compare_exchange_n(&falloc_inject_after, &after,
					      after - 1, 1, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	/* 0 has become UKPLAT_FALLOC_INJECT_OFF: exactly one fails */
	return after == 0;
}
#endif

static __u32 falloc_rand(void *arg, __u32 bound)
{
	plat_rng_follow(arg);
	return plat_rng_uniform32(arg, bound);
}

/* The counters are read without the lock */
static void counters_update(void)
{
	__atomic_store_n(&falloc_machine.free_memory,
			 (__sz)(falloc_core.nfree - falloc_core.promised)
				 << PAGE_SHIFT,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&falloc_promised, falloc_core.promised,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&falloc_machine.total_memory,
			 (__sz)falloc_core.total << PAGE_SHIFT,
			 __ATOMIC_RELAXED);
}

void __noreturn falloc_report(int rc, __paddr_t paddr)
{
	ukplat_console_panic();
	ukplat_printk("falloc: BUG: %s: paddr=0x%lx\n",
		      rc == -EEXIST ? "double free of a frame" :
				      "free of a frame that does not exist",
		      paddr);
	ukplat_crash();
}

static __u64 ref_make(__u64 pfn, int zero)
{
	return pfn << PAGE_SHIFT | falloc_core_range(&falloc_core, pfn) |
	       (zero ? FALLOC_REF_ZERO : 0);
}

unsigned int falloc_refs_take(__u64 *refs, unsigned int cnt)
{
	unsigned long irqf;
	unsigned int i;
	__u64 pfn;
	int zero;

	irqf = uk_spin_lock_irqsave(&falloc_lock);
	for (i = 0; i < cnt; i++) {
		if (falloc_core_take(&falloc_core, &pfn, &zero))
			break;
		refs[i] = ref_make(pfn, zero);
	}
	counters_update();
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	return i;
}

int falloc_promise(unsigned long frames)
{
	unsigned long irqf = uk_spin_lock_irqsave(&falloc_lock);
	int rc = falloc_core_promise(&falloc_core, frames);

	counters_update();
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	return rc;
}

void falloc_promise_end(unsigned long frames)
{
	unsigned long irqf = uk_spin_lock_irqsave(&falloc_lock);

	falloc_core_promise_end(&falloc_core, frames);
	counters_update();
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
}

__u64 falloc_ref_take_promised(void)
{
	unsigned long irqf = uk_spin_lock_irqsave(&falloc_lock);
	__u64 pfn, ref;
	int zero;

	falloc_core_take_promised(&falloc_core, &pfn, &zero);
	ref = ref_make(pfn, zero);
	counters_update();
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	return ref;
}

__sz ukplat_falloc_promised(void)
{
	return (__sz)__atomic_load_n(&falloc_promised, __ATOMIC_RELAXED)
	       << PAGE_SHIFT;
}

void falloc_refs_put(const __u64 *refs, unsigned int cnt)
{
	unsigned long irqf;
	unsigned int done;

	irqf = uk_spin_lock_irqsave(&falloc_lock);
	done = falloc_core_put_refs(&falloc_core, refs, cnt);
	counters_update();
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	/* Nobody owned it: only damaged metadata leads here */
	if (unlikely(done < cnt))
		falloc_report(-EEXIST, falloc_ref_paddr(refs[done]));
}

/* One attempt; the caller owns the frames then */
static int frames_take(__u64 *pfn, unsigned long frames, __u64 align, __u64 min,
		       __u64 max)
{
	unsigned long irqf;
	unsigned long i;
	int zero, rc;
	__u64 p;

	irqf = uk_spin_lock_irqsave(&falloc_lock);
	if (*pfn != __U64_MAX)
		rc = falloc_core_take_at(&falloc_core, *pfn, frames, &zero);
	else if (frames == 1 && max == __U64_MAX && !min)
		rc = falloc_core_take(&falloc_core, pfn, &zero);
	else
		rc = falloc_core_take_run(&falloc_core, frames, align, min, max,
					  pfn, &zero);
	for (i = 0; !rc && i < frames; i++) {
		p = *pfn + i;
		falloc_core_own(&falloc_core,
				falloc_core_index(
					&falloc_core,
					falloc_core_range(&falloc_core, p), p));
	}
	counters_update();
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	return rc;
}

static int falloc_run(__paddr_t *paddr, unsigned long frames,
		      unsigned long flags, __u64 min, __u64 max)
{
	__u64 align = flags & FALLOC_FLAG_ALIGNED ? frames : 1;
	__u64 pfn = *paddr == __PADDR_ANY ? __U64_MAX : *paddr >> PAGE_SHIFT;
	int rc;

	if (!frames || flags & ~(unsigned long)FALLOC_FLAG_ALIGNED ||
	    !POWER_OF_2(align))
		return -EINVAL;
	if (falloc_inject_hits())
		return -ENOMEM;

	rc = frames_take(&pfn, frames, align, min, max);
	if (unlikely(rc == -ENOMEM) && frame_cache_held()) {
		/* What is missing may be in a cache */
		frame_cache_reclaim();
		rc = frames_take(&pfn, frames, align, min, max);
	}
	if (!rc)
		*paddr = pfn << PAGE_SHIFT;
	return rc;
}

static int machine_falloc(struct uk_falloc *fa, __paddr_t *paddr,
			  unsigned long frames, unsigned long flags)
{
	(void)fa;
	if (*paddr != __PADDR_ANY && *paddr & ~PAGE_MASK)
		return -EINVAL;
	return falloc_run(paddr, frames, flags, 0, __U64_MAX);
}

static int machine_falloc_from_range(struct uk_falloc *fa, __paddr_t *paddr,
				     unsigned long frames, unsigned long flags,
				     __paddr_t min, __paddr_t max)
{
	(void)fa;
	*paddr = __PADDR_ANY;
	return falloc_run(paddr, frames, flags, DIV_ROUND_UP(min, PAGE_SIZE),
			  max >> PAGE_SHIFT);
}

static int machine_ffree(struct uk_falloc *fa, __paddr_t paddr,
			 unsigned long frames)
{
	unsigned long irqf, i;
	__u64 bad = 0;
	int rc;

	(void)fa;
	for (i = 0; i < frames; i++)
		(void)falloc_ref_disown(paddr + (i << PAGE_SHIFT));

	irqf = uk_spin_lock_irqsave(&falloc_lock);
	/* Whoever used them need not have cleared them */
	rc = falloc_core_put(&falloc_core, paddr >> PAGE_SHIFT, frames, 0,
			     &bad);
	counters_update();
	uk_spin_unlock_irqrestore(&falloc_lock, irqf);
	if (unlikely(rc))
		falloc_report(rc, bad << PAGE_SHIFT);
	return 0;
}

static int machine_addmem(struct uk_falloc *fa, __paddr_t paddr,
			  unsigned long frames)
{
	unsigned long irqf;
	int rc;

	(void)fa;
	if (paddr & ~PAGE_MASK)
		return -EINVAL;
	irqf = uk_spin_lock_irqsave(&falloc_lock);
	rc = falloc_core_add(&falloc_core, paddr >> PAGE_SHIFT, frames);
	counters_update();
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

__sz ukplat_falloc_available(void)
{
	return __atomic_load_n(&falloc_machine.free_memory, __ATOMIC_RELAXED) +
	       (frame_cache_held() << PAGE_SHIFT);
}

__sz falloc_meta_len(__u64 frames)
{
	return ALIGN_UP(falloc_core_meta_len(frames), PAGE_SIZE);
}

void falloc_init(void *meta, __u64 frames)
{
	UK_ASSERT(frames <= FALLOC_CORE_MAX);
	plat_rng_fork(&falloc_rng);
	falloc_core_init(&falloc_core, meta, (__u32)frames, falloc_rand,
			 &falloc_rng);
}
