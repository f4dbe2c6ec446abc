/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* In a file of its own: a header of Unikraft's, which the caller does not
 * include, has an inline function of the same name
 */

#include <errno.h>

#include <uk/arch/types.h>

/* A CPU starts with 16 bit addresses */
#define SIPI_LIMIT 0x10000UL

extern __uptr x86_start16_addr;

int ukplat_memregion_alloc_sipi_vect(void);

/* smp.c has reserved it */
int ukplat_memregion_alloc_sipi_vect(void)
{
	return x86_start16_addr && x86_start16_addr < SIPI_LIMIT ? 0 : -ENOMEM;
}
