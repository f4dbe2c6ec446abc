/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include "pt_block.h"

/* Number of bits; the processor's instruction is not everywhere */
static unsigned long bits_count(__u64 bits)
{
	unsigned long n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

void pt_block_init(struct pt_block *b, __paddr_t paddr)
{
	b->paddr = paddr;
	b->free = PT_BLOCK_TABLES;
	memset(b->map, 0xff, sizeof(b->map));
}

__paddr_t pt_block_take(struct pt_block *b, unsigned long n)
{
	unsigned long i = 0, cnt;
	__u64 bits;

	for (cnt = bits_count(b->map[0]); n >= cnt;
	     cnt = bits_count(b->map[++i]))
		n -= cnt;
	for (bits = b->map[i]; n; n--)
		bits &= bits - 1;
	n = i * 64 + (unsigned long)__builtin_ctzl(bits);
	b->map[i] &= ~(bits & -bits);
	b->free--;
	return b->paddr + (n << PAGE_SHIFT);
}
