/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_MMIO_H__
#define __UKPLAT_MMIO_H__

/* Device registers, mapped uncached at a random address */

#include <uk/arch/types.h>

/**
 * Maps the registers of a device for good.
 *
 * @param name
 *   Shown in the memory map; must stay valid
 * @param paddr
 *   First register, any alignment
 * @param len
 *   Number of bytes, not 0
 *
 * @return
 *   The registers, or __NULL without memory
 */
volatile void *mmio_map(const char *name, __paddr_t paddr, __sz len);

static inline __u32 mmio_read32(const volatile void *base, __sz off)
{
	return *(const volatile __u32 *)((const volatile char *)base + off);
}

static inline void mmio_write32(volatile void *base, __sz off, __u32 val)
{
	*(volatile __u32 *)((volatile char *)base + off) = val;
}

#endif /* __UKPLAT_MMIO_H__ */
