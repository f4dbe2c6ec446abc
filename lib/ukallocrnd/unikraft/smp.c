/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Repair of Unikraft 0.17: starting CPUs on x86_64 (upstream #1515, #1776)
 *
 *   1 X86_VIDEO_MEM_START (X86_HI_MEM_START in 0.17.0) is used in a header that
 *     does not define it
 *   2 ukplat_memregion_alloc_sipi_vect() is called where its header is not
 *     included
 *   3 the page that a CPU starts on must be below 64 KiB, but the boot stack
 *     takes that memory first
 *   4 with paging it is asked for when no memory region is free any more
 *   5 with paging a CPU stays on the boot page tables, where heaps are not,
 *     and without the no-execute feature that the others use
 *
 * 1 is repaired in Makefile.uk, 2 in sipi.c. A version that has repaired one
 * itself makes no use of what is here.
 */

#include <errno.h>

#if !__has_include(<uk/boot/earlytab.h>)
#error "LIBUKALLOCRND_SMP: 0.17.0 is too old; update, or use one CPU"
#endif
#include <uk/boot/earlytab.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/init.h>
#include <uk/plat/common/lcpu.h>
#include <uk/plat/memory.h>
#if CONFIG_PAGING
#include <uk/plat/paging.h>
#endif

#include "glue.h"

/* Root of the page tables for CPUs that start; 0: as they are */
__u64 rnd_smp_root __used;

/* 3, 4: before anything else takes memory */
static int sipi_page_reserve(struct ukplat_bootinfo *bi __unused)
{
	__sz len = ALIGN_UP((__uptr)x86_start16_end - (__uptr)x86_start16_begin,
			    __PAGE_SIZE);

	x86_start16_addr = (__uptr)ukplat_memregion_alloc(
		len, UKPLAT_MEMRT_RESERVED,
		UKPLAT_MEMRF_READ | UKPLAT_MEMRF_WRITE);

	return 0;
}
UK_BOOT_EARLYTAB_ENTRY(sipi_page_reserve, UK_PRIO_LATEST);

#if CONFIG_PAGING
static int root_publish(struct uk_init_ctx *ctx __unused)
{
	rnd_smp_root = ukplat_pt_get_active()->pt_pbase;
	return 0;
}
uk_early_initcall(root_publish, 0);
#endif

/* The rest of what Unikraft's own function does */
void __noreturn rnd_smp_go_on(struct lcpu *lcpu);
void __noreturn __used rnd_smp_go_on(struct lcpu *lcpu)
{
	int rc = lcpu_init(lcpu);

	if (unlikely(rc)) {
		lcpu->error_code = rc;
		lcpu->state = LCPU_STATE_HALTED;
		for (;;)
			__asm__ __volatile__("cli; hlt");
	}
	/* From BUSY0 to IDLE, unless functions wait already */
	(void)__atomic_sub_fetch(&lcpu->state, 1, __ATOMIC_SEQ_CST);
	__asm__ __volatile__("sti");
	for (;;)
		__asm__ __volatile__("hlt");
}

/* 5: what a CPU starts with is a weak symbol there and a strong one here. Its
 * stack may be in a heap, so nothing is written to it before the page tables
 * are the right ones.
 *
 * EFER.NXE, then PAT as after a reset, then CR3; %rdi is its struct lcpu.
 */
__asm__(".pushsection .text.rnd_smp_start, \"ax\"\n"
	".globl lcpu_entry_default\n"
	".type lcpu_entry_default, @function\n"
	"lcpu_entry_default:\n"
	"	movl	$0xc0000080, %ecx\n"
	"	rdmsr\n"
	"	orl	$0x800, %eax\n"
	"	wrmsr\n"
	"	movl	$0x277, %ecx\n"
	"	movl	$0x00070406, %eax\n"
	"	movl	$0x00070406, %edx\n"
	"	wrmsr\n"
	"	movq	rnd_smp_root(%rip), %rax\n"
	"	testq	%rax, %rax\n"
	"	jz	1f\n"
	"	movq	%rax, %cr3\n"
	"1:	jmp	rnd_smp_go_on\n"
	".size lcpu_entry_default, . - lcpu_entry_default\n"
	".popsection\n");
