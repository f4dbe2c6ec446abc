/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PIO_H__
#define __UKPLAT_PIO_H__

/* I/O ports */

#include <uk/arch/types.h>

static inline void pio_write8(__u16 port, __u8 val)
{
	__asm__ __volatile__("outb %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline __u8 pio_read8(__u16 port)
{
	__u8 val;

	__asm__ __volatile__("inb %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline void pio_write16(__u16 port, __u16 val)
{
	__asm__ __volatile__("outw %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline __u16 pio_read16(__u16 port)
{
	__u16 val;

	__asm__ __volatile__("inw %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

/** Reads a port again and again: a hypervisor does all of it in one go */
static inline void pio_read8_string(__u16 port, void *buf, __sz len)
{
	__asm__ __volatile__("rep insb"
			     : "+D"(buf), "+c"(len)
			     : "d"(port)
			     : "memory");
}

#endif /* __UKPLAT_PIO_H__ */
