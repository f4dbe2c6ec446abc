/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include "pt_block.h"

#define EACH_BYTE 0x0101010101010101UL

/* Number of bits in each byte; the processor's instruction is not everywhere.
 * Source: Knuth, TAOCP 4A, 7.1.3
 */
static __u64 bits_by_byte(__u64 bits)
{
	bits -= bits >> 1 & 0x55 * EACH_BYTE;
	bits = (bits & 0x33 * EACH_BYTE) + (bits >> 2 & 0x33 * EACH_BYTE);
	return (bits + (bits >> 4)) & 0x0f * EACH_BYTE;
}

static unsigned long bits_count(__u64 bits)
{
	return bits_by_byte(bits) * EACH_BYTE >> 56;
}

/* Place of the bit with so many below it */
static unsigned int bit_select(__u64 bits, unsigned long n)
{
	__u64 cnt = bits_by_byte(bits);
	unsigned int at = 0;

	for (; n >= (cnt & 0xff); cnt >>= 8, at += 8)
		n -= cnt & 0xff;
	for (bits >>= at; n; n--)
		bits &= bits - 1;
	return at + (unsigned int)__builtin_ctzl(bits);
}

void pt_block_init(struct pt_block *b, __paddr_t paddr)
{
	b->paddr = paddr;
	b->free = PT_BLOCK_TABLES;
	memset(b->map, 0xff, sizeof(b->map));
}

unsigned long pt_block_select(const __u64 *map, unsigned long n)
{
	unsigned long i = 0, cnt;

	for (cnt = bits_count(map[0]); n >= cnt; cnt = bits_count(map[++i]))
		n -= cnt;
	return i * 64 + bit_select(map[i], n);
}

__paddr_t pt_block_take(struct pt_block *b, unsigned long n)
{
	n = pt_block_select(b->map, n);
	b->map[n / 64] &= ~(1UL << n % 64);
	b->free--;
	return b->paddr + (n << PAGE_SHIFT);
}
