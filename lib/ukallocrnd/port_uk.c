/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/allocrnd.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/plat/tlb.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "config.h"
#include "heap.h"
#include "port.h"
#include "world.h"

/* port.h for the guest
 *
 * A reservation is a reserved area of ukvmem; its pages are mapped and
 * unmapped below it. All pages are 4 KiB, so neither unmapping nor changing
 * attributes of a part takes memory. Locks: rank VAS inside of ukvmem, and
 * those of page table and frame allocator below it.
 */

UK_CTASSERT(RND_PAGE_LEN == PAGE_SIZE);

/* The address space of the guest */
static struct uk_vas heap_vas;

static __sz pages_of(__sz len)
{
	return len >> PAGE_SHIFT;
}

void rnd_port_va_range(__uptr *start, __uptr *end)
{
	*start = UK_VAS_START;
	*end = UK_VAS_END;
}

int rnd_port_reserve_at(__uptr addr, __sz len)
{
	return uk_vma_reserve_at(&heap_vas, addr, len, "heap");
}

/* Unmapping cannot fail for a range that is mapped in 4 KiB pages */
void rnd_port_decommit(__uptr addr, __sz len)
{
	int rc = ukplat_page_unmap(heap_vas.pt, addr, pages_of(len),
				   PAGE_FLAG_LAZY);

	UK_ASSERT(!rc);
}

void rnd_port_release(__uptr addr, __sz len)
{
	int rc = uk_vma_unmap(&heap_vas, addr, len, 0);

	if (likely(!rc))
		return;

	/* A part of a reservation, and no memory to split it: free the memory
	 * and see if that helps. If it does not, addresses are lost, which
	 * nothing but an area below them holds; they fault for ever.
	 */
	UK_ASSERT(rc == -ENOMEM);
	rnd_port_decommit(addr, len);
	rc = uk_vma_unmap(&heap_vas, addr, len, 0);
	UK_ASSERT(!rc || rc == -ENOMEM);
}

int rnd_port_commit(__uptr addr, __sz len, __bool touch)
{
	unsigned long flags = PAGE_FLAG_DEMAND | (touch ? PAGE_FLAG_TOUCH : 0);
	int rc = ukplat_page_map(heap_vas.pt, addr, __PADDR_ANY, pages_of(len),
				 PAGE_ATTR_PROT_RW, flags);

	UK_ASSERT(!rc || rc == -ENOMEM);
	return rc;
}

int rnd_port_move(__uptr from, __sz len, __uptr to, __sz to_len)
{
	__sz more = to_len - len;

	/* A copy is cheaper than interrupts */
	if (!ukplat_tlb_is_alone())
		return -ENOTSUP;
	if (more && unlikely(rnd_port_commit(to + len, more, 0)))
		return -ENOTSUP;
	if (likely(!ukplat_page_move(heap_vas.pt, from, to, pages_of(len),
				     PAGE_ATTR_PROT_RW)))
		return 0;
	if (more)
		rnd_port_decommit(to + len, more);
	return -ENOTSUP;
}

__u64 rnd_port_backed_bits(__uptr addr, __sz pages)
{
	return ukplat_page_backed(heap_vas.pt, addr, pages);
}

/* Nobody but the library asks for anything there */
__bool rnd_port_reset(__uptr addr __unused, __sz len __unused)
{
	return 1;
}

void rnd_port_backed(__uptr addr, __sz pages, __u8 *is_there)
{
	__u64 bits = 0;
	__sz i;

	for (i = 0; i < pages; i++, bits >>= 1) {
		if (!(i % 64))
			bits = rnd_port_backed_bits(addr + i * RND_PAGE_LEN,
						    MIN(pages - i, 64UL));
		is_there[i] = bits & 1;
	}
}

__bool rnd_port_discard(__uptr addr, __sz len)
{
	(void)addr;
	(void)len;

	return 0;
}

int rnd_port_seal(__uptr addr, __sz len)
{
	int rc = ukplat_page_set_attr(heap_vas.pt, addr, pages_of(len),
				      PAGE_ATTR_PROT_READ, 0);

	UK_ASSERT(!rc);
	return rc;
}

/* True if areas at rest cover the range without a hole */
static __bool range_is_owned(__uptr addr, __sz len)
{
	struct uk_vma_info info;
	__uptr pos = addr;

	while (pos < addr + len) {
		if (uk_vma_query(&heap_vas, pos, &info) || info.start > pos ||
		    info.busy)
			return 0;
		pos = info.end;
	}
	return 1;
}

/* The image and the direct map are not taken: their frames do not belong to
 * the frame allocator. What lies in areas does, and unmapping gives it there.
 * The areas stay, so that old pointers fault for as long as their owner keeps
 * them.
 */
int rnd_port_donate(__uptr addr, __sz len)
{
	__uptr pos;

	if (addr < UK_VAS_START || addr >= UK_VAS_END ||
	    len > UK_VAS_END - addr)
		return -ENOTSUP;
	if (!range_is_owned(addr, len))
		return -EINVAL;
	for (pos = addr; pos < addr + len; pos += PAGE_SIZE)
		if (ukplat_page_translate(heap_vas.pt, pos) == __PADDR_INV)
			return -EINVAL;

	rnd_port_decommit(addr, len);
	return 0;
}

/* All frames are the system's from the start */
int rnd_port_adopt(__uptr addr, __sz len)
{
	(void)addr;
	(void)len;

	return 0;
}

__sz rnd_port_total(void)
{
	return heap_vas.pt->fa->total_memory;
}

__sz rnd_port_available(void)
{
	return ukplat_page_available();
}

void rnd_port_entropy(void *buf, __sz len)
{
	ukplat_random_bytes(buf, len);
}

/* Every CPU has an index from the start. rnd_port_cpu() is 0 only on CPUs
 * beyond the last per-CPU state, and they have to share.
 */
__u32 rnd_port_cpu_lease(void)
{
	return rnd_port_cpu();
}

/* A CPU keeps its index for ever */
__bool rnd_port_cpu_borrow(__u32 idx)
{
	(void)idx;
	return 0;
}

void rnd_port_cpu_return(__u32 idx)
{
	(void)idx;
}

__u32 rnd_port_cpu_thread(__u32 idx, __bool *more)
{
	(void)idx;
	*more = 0;
	return 0;
}

void rnd_port_fence_all(void)
{
	ukplat_lcpu_fence_all();
}

/* CPUs run side by side: there is nobody to make room for */
void rnd_port_yield(unsigned int turn __unused)
{
	rnd_port_pause();
}

/* The guest is compiled without frame pointers and without tables. Parameters
 * are those of the contract, which another port writes through
 */
/* NOLINTBEGIN(readability-non-const-parameter) */
__u32 rnd_port_backtrace(__uptr *buf, __u32 max)
{
	(void)buf;
	(void)max;
	return 0;
}

const char *rnd_port_module(__uptr addr, __uptr *base)
{
	(void)addr;
	(void)base;
	return __NULL;
}
/* NOLINTEND(readability-non-const-parameter) */

void rnd_port_print(const char *text, __sz len)
{
	ukplat_coutk(text, (unsigned int)len);
}

void __noreturn rnd_port_abort(void)
{
	ukplat_crash();
}

/* What the platform has in the lower half stays its own */
static int lower_reserve(void)
{
	__vaddr_t base;
	__sz len;

	if (!ukplat_lower_used(&base, &len))
		return 0;
	len = MIN(len, UK_VAS_END - base);
	return uk_vma_reserve(&heap_vas, &base, len);
}

int ukplat_heap_init(void)
{
	struct uk_alloc *a;
	int rc;

	rc = uk_vas_init(&heap_vas, ukplat_pt_get_active(), __NULL);
	if (unlikely(rc))
		return rc;
	rc = lower_reserve();
	if (unlikely(rc))
		return rc;
	rc = uk_vas_set_active(&heap_vas);
	if (unlikely(rc))
		return rc;

	a = uk_allocrnd_init(__NULL, 0);
	if (unlikely(!a))
		return -ENOMEM;
	ukplat_fault_hook_set(rnd_heap_describe);
	(void)ukplat_random_hook_set(rnd_world_renew);
	return uk_alloc_set_default(a);
}
