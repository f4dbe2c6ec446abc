/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/falloc.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/plat/time.h>
#include <uk/plat/tlb.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "port.h"

static unsigned long attr_of(int prot)
{
	return prot & PROT_WRITE ? PAGE_ATTR_PROT_RW :
	       prot & PROT_READ	 ? PAGE_ATTR_PROT_READ :
				   PAGE_ATTR_PROT_NONE;
}

/* Another CPU works on the same area: on a part of it, because what upstream
 * changes has one owner. Tells whether to try again.
 */
static int is_busy(int rc)
{
	if (rc != -EBUSY)
		return 0;
	ukplat_tlb_poll();
	__builtin_ia32_pause();
	return 1;
}

static int result(int rc)
{
	if (likely(!rc))
		return 0;
	errno = -rc;
	return -1;
}

void *ukmi_mmap(void *addr, size_t len, int prot, int flags, int fd,
		long offset)
{
	__vaddr_t vaddr = addr ? (__vaddr_t)addr : __VADDR_ANY;
	int rc = -ENOMEM;

	(void)flags;
	(void)fd;
	(void)offset;
	/* What can never be there is refused, as Linux does by default */
	if (prot == PROT_NONE || len <= ukplat_falloc_get()->free_memory)
		rc = uk_vma_map_anon(uk_vas_get_active(), &vaddr, len,
				     attr_of(prot), addr ? UK_VMA_MAP_HINT : 0,
				     "mimalloc");
	return result(rc) ? MAP_FAILED : (void *)vaddr;
}

int ukmi_munmap(void *addr, size_t len)
{
	int rc;

	do {
		rc = uk_vma_unmap(uk_vas_get_active(), (__vaddr_t)addr, len, 0);
	} while (is_busy(rc));
	return result(rc);
}

int ukmi_mprotect(void *addr, size_t len, int prot)
{
	int rc;

	do {
		rc = uk_vma_set_attr(uk_vas_get_active(), (__vaddr_t)addr, len,
				     attr_of(prot), 0);
	} while (is_busy(rc));
	return result(rc);
}

int ukmi_madvise(void *addr, size_t len, int advice)
{
	int rc;

	if (advice != MADV_DONTNEED)
		return result(-EINVAL);
	do {
		rc = uk_vma_advise(uk_vas_get_active(), (__vaddr_t)addr, len,
				   UK_VMA_ADV_DONTNEED, 0);
	} while (is_busy(rc));
	return result(rc);
}

long ukmi_getrandom(void *buf, size_t len)
{
	ukplat_random_bytes(buf, len);
	return (long)len;
}

int ukmi_clock(struct timespec *t)
{
	__nsec now = ukplat_monotonic_clock();

	t->tv_sec = (long)(now / 1000000000UL);
	t->tv_nsec = (long)(now % 1000000000UL);
	return 0;
}
