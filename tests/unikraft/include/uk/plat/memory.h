/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_PLAT_MEMORY_H__
#define __STANDIN_UK_PLAT_MEMORY_H__

/* Stands for include/uk/plat/memory.h of Unikraft. */

#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#define UKPLAT_MEMRT_FREE     0x0001
#define UKPLAT_MEMRT_RESERVED 0x0002

#define UKPLAT_MEMRF_READ  0x0001
#define UKPLAT_MEMRF_WRITE 0x0002

struct ukplat_memregion_desc {
	__sz len;
	__u16 type;
	__u16 flags;
};

void *ukplat_memregion_alloc(__sz size, int type, __u16 flags);
int ukplat_memregion_get(int i, struct ukplat_memregion_desc **mrd);

static inline int ukplat_memregion_find_next(int i, __u32 type, __u32 flags,
					     __u32 fmask,
					     struct ukplat_memregion_desc **mrd)
{
	while (ukplat_memregion_get(++i, mrd) >= 0)
		if ((!type || (*mrd)->type & type) &&
		    ((*mrd)->flags & fmask) == flags)
			return i;
	return -1;
}

#define ukplat_memregion_foreach(mrd, type, flags, fmask)                      \
	for (int mr_i =                                                        \
		     ukplat_memregion_find_next(-1, type, flags, fmask, mrd);  \
	     mr_i >= 0;                                                        \
	     mr_i = ukplat_memregion_find_next(mr_i, type, flags, fmask, mrd))

#endif /* __STANDIN_UK_PLAT_MEMORY_H__ */
