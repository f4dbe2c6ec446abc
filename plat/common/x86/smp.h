/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_SMP_H__
#define __UKPLAT_SMP_H__

/* What smp.c and start16.S share */

#include <string.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

struct lcpu;

/* The code for the low page, and its variables */
extern const char start16_begin[], start16_end[];
extern const char start16_gdt_paddr[], start16_jump64[];
extern const char start16_cr0[], start16_cr3[], start16_cr4[];
extern const char start16_efer[], start16_lcpu[], start16_entry[];

#define START16_OFF(sym) ((__sz)((__uptr)(sym) - (__uptr)start16_begin))

/* Where the low page jumps to in the image */
void smp_start64(void);

/* Called by smp_start64 */
void __noreturn smp_cpu_entry(struct lcpu *lcpu);

extern __paddr_t smp_cr3;

/** Adds to a 32 bit variable in the copy. */
static inline void start16_add32(char *page, __sz off, __u64 val)
{
	__u32 sum;

	memcpy(&sum, page + off, sizeof(sum));
	sum += (__u32)val;
	memcpy(page + off, &sum, sizeof(sum));
}

/** Sets a 64 bit variable in the copy. */
static inline void start16_set64(char *page, __sz off, __u64 val)
{
	memcpy(page + off, &val, sizeof(val));
}

#endif /* __UKPLAT_SMP_H__ */
