/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <asm/prctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <uk/arch/paging.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/falloc.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/memory.h>

#include "fake_frames.h"
#include "../../plat/common/falloc.h"
#include "../../plat/common/rng.h"

/* 8 and a half blocks from within one on, and what is left */
#define HIGH_PFN 0x100100UL
#define HIGH_CNT 4352U
#define LOW_PFN	 0x103UL
#define LOW_CNT	 (FAKE_FRAMES - HIGH_CNT)

/* Runs of words with registers of 16 bytes */
__u8 ukplat_lcpu_avx;

__thread char fake_report[128];
__thread jmp_buf fake_crash;
__thread int fake_catching;
void (*fake_seed_hook)(void);

static char *memory;
static void *meta;

/* What %gs of the threads points to */
static __thread __u32 cpu[UKPLAT_LCPU_IDX_OFFSET / sizeof(__u32) + 1];

void fake_cpu_set(__u32 idx)
{
	cpu[UKPLAT_LCPU_IDX_OFFSET / sizeof(__u32)] = idx;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, cpu))
		abort();
}

void fake_frames_init(void)
{
	struct uk_falloc *fa = ukplat_falloc_get();

	meta = malloc(falloc_meta_len(FAKE_FRAMES));
	memory = malloc(FAKE_FRAMES * PAGE_SIZE);
	assert_true(meta && memory);
	memset(memory, FAKE_JUNK, FAKE_FRAMES * PAGE_SIZE);
	falloc_init(meta, FAKE_FRAMES);
	assert_int_equal(fa->addmem(fa, HIGH_PFN << PAGE_SHIFT, HIGH_CNT), 0);
	assert_int_equal(fa->addmem(fa, LOW_PFN << PAGE_SHIFT, LOW_CNT), 0);
	fake_seed_hook = NULL;
}

void fake_frames_destroy(void)
{
	free(memory);
	free(meta);
}

unsigned int fake_number(__paddr_t paddr)
{
	__u64 pfn = paddr >> PAGE_SHIFT;

	if (pfn >= LOW_PFN && pfn < LOW_PFN + LOW_CNT)
		return (unsigned int)(pfn - LOW_PFN);
	if (pfn < HIGH_PFN || pfn >= HIGH_PFN + HIGH_CNT)
		abort();
	return LOW_CNT + (unsigned int)(pfn - HIGH_PFN);
}

void *ukplat_paddr_to_ptr(__paddr_t paddr)
{
	return memory + fake_number(paddr) * PAGE_SIZE;
}

int fake_is_zero(__paddr_t paddr)
{
	const char *bytes = ukplat_paddr_to_ptr(paddr);

	return !bytes[0] && !memcmp(bytes, bytes + 1, PAGE_SIZE - 1);
}

void fake_fill(__paddr_t paddr, int byte)
{
	memset(ukplat_paddr_to_ptr(paddr), byte, PAGE_SIZE);
}

/* No epoch ever begins here */
__u32 random_epoch = 1;

/* The same seed for all is as good as any other here, so is any order */
void plat_rng_fork(struct plat_rng *rng)
{
	static __u32 forks;
	__u32 seed = __atomic_add_fetch(&forks, 1, __ATOMIC_RELAXED);
	void (*hook)(void) = fake_seed_hook;

	plat_rng_mix(rng, &seed, sizeof(seed));
	rng->epoch = random_epoch;
	if (hook) {
		fake_seed_hook = NULL;
		hook();
	}
}

void ukplat_console_panic(void) {}

int ukplat_printk(const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(fake_report, sizeof(fake_report), fmt, ap);
	va_end(ap);
	return len;
}

void __noreturn ukplat_crash(void)
{
	if (!fake_catching) {
		(void)fputs(fake_report, stderr);
		abort();
	}
	longjmp(fake_crash, 1);
}
