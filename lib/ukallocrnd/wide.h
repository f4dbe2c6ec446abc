/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_WIDE_H__
#define __UKALLOCRND_WIDE_H__

/* Filling of slots with registers of 32 or 64 bytes
 *
 * Why
 *   Clearing a slot and testing it are most of the work for slots of 256
 *   bytes and more, and some of it for short ones: fewer and wider accesses
 *   pay off.
 *
 * How
 *   A short slot takes one or two registers of 32 bytes from each end. Longer
 *   ones: eight registers' worth at a time from the start, and once more so
 *   that it ends with the slot: parts are done twice, which costs less than
 *   finding out what is left. Slots shorter than that take four from each end,
 *   or two.
 *
 *   Assembly, because it is inlined into functions that are compiled for
 *   every processor: who calls has asked rnd_wide_level() before. Compiled
 *   for these registers the functions would also get a stack frame, in case
 *   that one is to be saved.
 *
 * Only where the compiler may use vector registers at all.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"

/** Long slots are longer than this, short ones are not */
#define RND_WIDE_LEN_MIN 128UL

/** What a processor can do */
enum rnd_wide {
	RND_WIDE_NONE,
	RND_WIDE_32, /* AVX2 */
	RND_WIDE_64, /* AVX-512 */
};

#ifdef __AVX__
#error "Build without -mavx: wide registers are chosen at run time"
#endif

struct wide_cpuid {
	__u32 a, b, c, d;
};

static inline struct wide_cpuid wide_cpuid(__u32 leaf)
{
	struct wide_cpuid id;

	__asm__ __volatile__("cpuid"
			     : "=a"(id.a), "=b"(id.b), "=c"(id.c), "=d"(id.d)
			     : "a"(leaf), "c"(0));
	return id;
}

/* Registers that the system saves: SSE and AVX, AVX-512 */
static inline __u32 wide_saved(void)
{
	__u32 low, high;

	__asm__ __volatile__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/**
 * Finds out what processor and system can do. Slow. AVX-512 counts only with
 * VBMI2: processors before that lower their clock when it is used.
 */
static inline enum rnd_wide rnd_wide_level(void)
{
	const __u32 xsave_avx = 1U << 27 | 1U << 28, ymm = 0x06, zmm = 0xe6;
	const __u32 avx2 = 1U << 5, avx512f = 1U << 16, vbmi2 = 1U << 6;
	struct wide_cpuid id;
	__u32 saved;

	if (wide_cpuid(0).a < 7 || (wide_cpuid(1).c & xsave_avx) != xsave_avx)
		return RND_WIDE_NONE;
	saved = wide_saved();
	id = wide_cpuid(7);
	if ((saved & ymm) != ymm || !(id.b & avx2))
		return RND_WIDE_NONE;

	return id.b & avx512f && id.c & vbmi2 && (saved & zmm) == zmm ?
		       RND_WIDE_64 :
		       RND_WIDE_32;
}

/* Operands of assembly are not expressions */
/* NOLINTBEGIN(bugprone-macro-parentheses) */

/* Clears as many registers' worth as there are numbers, at both addresses */
#define WIDE_ZERO_ENDS(mov, reg, len, first, last, ...)                        \
	__asm__ __volatile__("vpxor %%xmm0, %%xmm0, %%xmm0\n"                  \
			     ".irp i," #__VA_ARGS__ "\n" mov " %%" reg         \
			     "0, \\i*" len "(%0)\n" mov " %%" reg              \
			     "0, \\i*" len "(%1)\n"                            \
			     ".endr\n"                                         \
			     "vzeroupper"                                      \
			     :                                                 \
			     : "r"(first), "r"(last)                           \
			     : "xmm0", "memory")

/* Clears eight at a time, then eight at the last address */
#define WIDE_ZERO_LOOP(mov, reg, len, first, last)                             \
	__asm__ __volatile__("vpxor %%xmm0, %%xmm0, %%xmm0\n"                  \
			     "1:\n"                                            \
			     ".irp i,0,1,2,3,4,5,6,7\n" mov " %%" reg          \
			     "0, \\i*" len "(%0)\n"                            \
			     ".endr\n"                                         \
			     "add $8*" len ", %0\n"                            \
			     "cmp %1, %0\n"                                    \
			     "jb 1b\n"                                         \
			     ".irp i,0,1,2,3,4,5,6,7\n" mov " %%" reg          \
			     "0, \\i*" len "(%1)\n"                            \
			     ".endr\n"                                         \
			     "vzeroupper"                                      \
			     : "+r"(first)                                     \
			     : "r"(last)                                       \
			     : "xmm0", "cc", "memory")

/* The same two for the test, which jumps if a bit is set; test is what sets
 * the zero flag from register 0
 */
#define WIDE_TEST_ENDS(or, test, reg, len, first, last, dirty, ...)            \
	__asm__ __volatile__ goto(                                             \
		"vpxor %%xmm0, %%xmm0, %%xmm0\n"                               \
		".irp i," #__VA_ARGS__                                         \
		"\n" or " \\i*" len "(%0), %%" reg "0, %%" reg "0\n" or        \
			" \\i*" len "(%1), %%" reg "0, %%" reg "0\n"           \
			".endr\n" test "\n"                                    \
			"vzeroupper\n"                                         \
			"jnz %l2"                                              \
		:                                                              \
		: "r"(first), "r"(last)                                        \
		: "xmm0", "cc", "memory"                                       \
		: dirty)

#define WIDE_TEST_LOOP(or, test, reg, len, first, last, dirty)                 \
	__asm__ __volatile__ goto(                                             \
		"vpxor %%xmm0, %%xmm0, %%xmm0\n"                               \
		"1:\n"                                                         \
		".irp i,0,1,2,3,4,5,6,7\n" or                                  \
			" \\i*" len "(%0), %%" reg "0, %%" reg "0\n"           \
			".endr\n"                                              \
			"add $8*" len ", %0\n"                                 \
			"cmp %1, %0\n"                                         \
			"jb 1b\n"                                              \
			".irp i,0,1,2,3,4,5,6,7\n" or                          \
			" \\i*" len "(%1), %%" reg "0, %%" reg "0\n"           \
			".endr\n" test "\n"                                    \
			"vzeroupper\n"                                         \
			"jnz %l[" #dirty "]"                                   \
		: "+r"(first)                                                  \
		: "r"(last)                                                    \
		: "xmm0", "cc", "memory"                                       \
		: dirty)

/* NOLINTEND(bugprone-macro-parentheses) */

#define WIDE_TEST_YMM "vptest %%ymm0, %%ymm0"
#define WIDE_TEST_ZMM "vptestmq %%zmm0, %%zmm0, %%k1\nkortestw %%k1, %%k1"

static rnd_always_inline void wide_zero_32(char *p, __sz len)
{
	char *end = p + len;

	if (len >= 8 * 32UL) {
		end -= 8 * 32UL;
		WIDE_ZERO_LOOP("vmovdqu", "ymm", "32", p, end);
	} else {
		end -= 4 * 32UL;
		WIDE_ZERO_ENDS("vmovdqu", "ymm", "32", p, end, 0, 1, 2, 3);
	}
}

static rnd_always_inline void wide_zero_64(char *p, __sz len)
{
	char *end = p + len;

	if (len >= 8 * 64UL) {
		end -= 8 * 64UL;
		WIDE_ZERO_LOOP("vmovdqu64", "zmm", "64", p, end);
	} else if (len >= 4 * 64UL) {
		end -= 4 * 64UL;
		WIDE_ZERO_ENDS("vmovdqu64", "zmm", "64", p, end, 0, 1, 2, 3);
	} else {
		end -= 2 * 64UL;
		WIDE_ZERO_ENDS("vmovdqu64", "zmm", "64", p, end, 0, 1);
	}
}

static rnd_always_inline __bool wide_test_32(const char *p, __sz len)
{
	const char *end = p + len;

	if (len >= 8 * 32UL) {
		end -= 8 * 32UL;
		WIDE_TEST_LOOP("vpor", WIDE_TEST_YMM, "ymm", "32", p, end,
			       dirty);
	} else {
		end -= 4 * 32UL;
		WIDE_TEST_ENDS("vpor", WIDE_TEST_YMM, "ymm", "32", p, end,
			       dirty, 0, 1, 2, 3);
	}
	return 1;

dirty:
	return 0;
}

static rnd_always_inline __bool wide_test_64(const char *p, __sz len)
{
	const char *end = p + len;

	if (len >= 8 * 64UL) {
		end -= 8 * 64UL;
		WIDE_TEST_LOOP("vporq", WIDE_TEST_ZMM, "zmm", "64", p, end,
			       dirty);
	} else if (len >= 4 * 64UL) {
		end -= 4 * 64UL;
		WIDE_TEST_ENDS("vporq", WIDE_TEST_ZMM, "zmm", "64", p, end,
			       dirty, 0, 1, 2, 3);
	} else {
		end -= 2 * 64UL;
		WIDE_TEST_ENDS("vporq", WIDE_TEST_ZMM, "zmm", "64", p, end,
			       dirty, 0, 1);
	}
	return 1;

dirty:
	return 0;
}

/**
 * Clears a short slot.
 *
 * @param p
 *   Start
 * @param len
 *   Number of bytes, a multiple of 16, at most RND_WIDE_LEN_MIN, not 0
 */
static rnd_always_inline void rnd_wide_zero_short(void *p, __sz len)
{
	if (unlikely(len <= 16)) {
		__asm__ __volatile__("vpxor %%xmm0, %%xmm0, %%xmm0\n"
				     "vmovdqu %%xmm0, (%0)"
				     :
				     : "r"(p)
				     : "xmm0", "memory");
		return;
	}
	if (len > 64)
		__asm__ __volatile__("vpxor %%xmm0, %%xmm0, %%xmm0\n"
				     "vmovdqu %%ymm0, 32(%0)\n"
				     "vmovdqu %%ymm0, -64(%0, %1)\n"
				     "vmovdqu %%ymm0, (%0)\n"
				     "vmovdqu %%ymm0, -32(%0, %1)\n"
				     "vzeroupper"
				     :
				     : "r"(p), "r"(len)
				     : "xmm0", "memory");
	else
		__asm__ __volatile__("vpxor %%xmm0, %%xmm0, %%xmm0\n"
				     "vmovdqu %%ymm0, (%0)\n"
				     "vmovdqu %%ymm0, -32(%0, %1)\n"
				     "vzeroupper"
				     :
				     : "r"(p), "r"(len)
				     : "xmm0", "memory");
}

/** Tells whether all bytes of a short slot are 0. Parameters as above */
static rnd_always_inline __bool rnd_wide_is_zero_short(const void *p, __sz len)
{
	if (unlikely(len <= 16))
		__asm__ __volatile__ goto("vmovdqu (%0), %%xmm0\n"
					  "vptest %%xmm0, %%xmm0\n"
					  "jnz %l1"
					  :
					  : "r"(p)
					  : "xmm0", "cc", "memory"
					  : dirty);
	else if (len > 64)
		__asm__ __volatile__ goto("vmovdqu (%0), %%ymm0\n"
					  "vpor 32(%0), %%ymm0, %%ymm0\n"
					  "vpor -64(%0, %1), %%ymm0, %%ymm0\n"
					  "vpor -32(%0, %1), %%ymm0, %%ymm0\n"
					  "vptest %%ymm0, %%ymm0\n"
					  "vzeroupper\n"
					  "jnz %l2"
					  :
					  : "r"(p), "r"(len)
					  : "xmm0", "cc", "memory"
					  : dirty);
	else
		__asm__ __volatile__ goto("vmovdqu (%0), %%ymm0\n"
					  "vpor -32(%0, %1), %%ymm0, %%ymm0\n"
					  "vptest %%ymm0, %%ymm0\n"
					  "vzeroupper\n"
					  "jnz %l2"
					  :
					  : "r"(p), "r"(len)
					  : "xmm0", "cc", "memory"
					  : dirty);
	return 1;

dirty:
	return 0;
}

/**
 * Clears a long slot.
 *
 * @param p
 *   Start
 * @param len
 *   Number of bytes, more than RND_WIDE_LEN_MIN
 * @param level
 *   RND_WIDE_32 or RND_WIDE_64, a constant
 */
static rnd_always_inline void rnd_wide_zero(void *p, __sz len,
					    enum rnd_wide level)
{
	if (level == RND_WIDE_64)
		wide_zero_64(p, len);
	else
		wide_zero_32(p, len);
}

/** Tells whether all bytes of a long slot are 0. Parameters as above */
static rnd_always_inline __bool rnd_wide_is_zero(const void *p, __sz len,
						 enum rnd_wide level)
{
	return level == RND_WIDE_64 ? wide_test_64(p, len) :
				      wide_test_32(p, len);
}

#endif /* __UKALLOCRND_WIDE_H__ */
