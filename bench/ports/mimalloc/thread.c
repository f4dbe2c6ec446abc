/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Thread-local data of CPUs
 *
 * How
 *   Code reaches it relative to %fs, as the ABI for x86-64 says (variant II):
 *   the data ends where the register points to, and the word there is its own
 *   address, which upstream takes for the number of the thread.
 *
 *             area                   %fs
 *             | copy of the template | address of this word | ...
 *
 *   The linker script says where the template is, zeros included, and how long
 *   it is: a multiple of TLS_ALIGN, which is more than any of the data ask for.
 *   Nothing else in the guest uses %fs, neither
 *   interrupts nor idling change it.
 */

#include <errno.h>
#include <string.h>

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "port.h"

#define TLS_ALIGN 64UL

/* Of the linker script */
extern char image_tls_start[], image_tls_end[];

/* By CPU: what its %fs points to */
static __u64 thread_ptr[CONFIG_UKPLAT_LCPU_MAXCOUNT];

static int thread_prepare(__u32 idx)
{
	__sz len = (__uptr)image_tls_end - (__uptr)image_tls_start;
	__vaddr_t base;
	int rc;

	rc = ukplat_area_map("thread data", __PADDR_ANY,
			     ALIGN_UP(len + sizeof(__u64), PAGE_SIZE) >>
				     PAGE_SHIFT,
			     PAGE_ATTR_PROT_RW, &base);
	if (rc)
		return rc;
	UK_ASSERT(!(len % TLS_ALIGN));
	memcpy((void *)base, image_tls_start, len);
	thread_ptr[idx] = base + len;
	*(__u64 *)thread_ptr[idx] = thread_ptr[idx];
	return 0;
}

static void thread_start(struct __regs *regs __unused, void *user __unused)
{
	ukarch_wrmsr(X86_MSR_FS_BASE, thread_ptr[ukplat_lcpu_idx()]);
}

int ukmi_threads_start(void)
{
	const struct ukplat_lcpu_func func = { .fn = thread_start };
	__u32 i;

	if (thread_ptr[ukplat_lcpu_idx()])
		return 0;
	for (i = 0; i < ARRAY_SIZE(thread_ptr); i++)
		if (ukplat_lcpu_is_online(i) && thread_prepare(i))
			return -ENOMEM;
	thread_start(__NULL, __NULL);
	if (ukplat_lcpu_run(__NULL, __NULL, &func, 0) ||
	    ukplat_lcpu_wait(__NULL, __NULL, 0))
		return -EIO;
	return 0;
}
