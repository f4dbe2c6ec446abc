/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FILL_SAVED_H__
#define __UKALLOCRND_FILL_SAVED_H__

/* Filling of long slots with a vector register that belongs to somebody else
 *
 * As chacha_saved.h: where a kernel has vector registers that interrupts do not
 * save, one of them is put back. Half of the instructions of words.
 */

#include <uk/arch/types.h>

#include "fill.h"

/* Eight units at a time, and the last eight once more */
#define FILL_SAVED_LEN (8 * RND_FILL_UNIT)

/* An instruction on each of eight units at register p, then at the last ones */
#define FILL_SAVED_LOOP(before, after)                                         \
	"1:\n"                                                                 \
	".irp i,0,16,32,48,64,80,96,112\n" before "\\i(%[p])" after "\n"       \
	".endr\n"                                                              \
	"add $128, %[p]\n"                                                     \
	"cmp %[last], %[p]\n"                                                  \
	"jb 1b\n"                                                              \
	".irp i,0,16,32,48,64,80,96,112\n" before "\\i(%[last])" after "\n"    \
	".endr\n"

/* Assembly writes through the pointers */
/* NOLINTBEGIN(readability-non-const-parameter) */

/**
 * Clears a slot. No vector register has another value afterwards.
 *
 * @param p
 *   Start, a multiple of RND_FILL_UNIT
 * @param len
 *   Number of bytes, a multiple of RND_FILL_UNIT, at least FILL_SAVED_LEN
 */
static inline void rnd_fill_zero_saved(char *p, __sz len)
{
	char *last = p + len - FILL_SAVED_LEN;
	__u8 saved[16];

	__asm__ __volatile__("movups %%xmm0, (%[saved])\n"
			     "pxor %%xmm0, %%xmm0\n" FILL_SAVED_LOOP(
				     "movaps %%xmm0, ",
				     "") "movups (%[saved]), %%xmm0\n"
			     : [p] "+r"(p)
			     : [last] "r"(last), [saved] "r"(saved)
			     : "cc", "memory");
}

/** Tells whether all bytes of a slot are 0. As rnd_fill_zero_saved(). */
static inline __bool rnd_fill_is_zero_saved(const char *p, __sz len)
{
	const char *last = p + len - FILL_SAVED_LEN;
	__u64 low, high;
	__u8 saved[16];

	__asm__ __volatile__("movups %%xmm0, (%[saved])\n"
			     "pxor %%xmm0, %%xmm0\n" FILL_SAVED_LOOP(
				     "por ",
				     ", %%xmm0") "movq %%xmm0, %[low]\n"
						 "psrldq $8, %%xmm0\n"
						 "movq %%xmm0, %[high]\n"
						 "movups (%[saved]), %%xmm0\n"
			     : [p] "+r"(p), [low] "=&r"(low), [high] "=&r"(high)
			     : [last] "r"(last), [saved] "r"(saved)
			     : "cc", "memory");
	return !(low | high);
}
/* NOLINTEND(readability-non-const-parameter) */

#endif /* __UKALLOCRND_FILL_SAVED_H__ */
