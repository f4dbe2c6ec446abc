/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>

#include "falloc.h"
#include "frame_cache.h"
#include "frame_promise.h"
#include "vector.h"

int frame_promise(unsigned long cnt)
{
	int rc;

	if (unlikely(falloc_inject_hits()))
		return -ENOMEM;
	rc = falloc_promise(cnt);
	if (likely(!rc) || !frame_cache_held())
		return rc;
	/* What is missing may be in a cache */
	frame_cache_reclaim();
	return falloc_promise(cnt);
}

void frame_promise_end(unsigned long cnt)
{
	if (cnt)
		falloc_promise_end(cnt);
}

__paddr_t frame_take_promised(void)
{
	__u64 ref = falloc_ref_take_promised();
	__paddr_t paddr = falloc_ref_paddr(ref);

	falloc_ref_own(ref);
	if (!(ref & FALLOC_REF_ZERO))
		vector_page_clear(ukplat_paddr_to_ptr(paddr));
	return paddr;
}
