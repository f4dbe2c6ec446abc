/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/plat/lcpu.h>

#include "vector.h"

/* Words of eight registers of 16 and 32 bytes, and of sixteen of these */
#define BATCH	   VECTOR_MIN
#define BATCH_WIDE (2 * VECTOR_MIN)
#define BATCH_LONG (4 * VECTOR_MIN)

/* clang-format off */
#define EACH(reg, offsets)                                                     \
	".irp i," offsets "\nstep \\i(%[" reg "])\n.endr\n"
/* Assembly on each place `at`: batches from p on, then the last one */
#define BATCHES(assembly, offsets, len)                                        \
	".macro step at\n" assembly "\n.endm\n"                                \
	"jmp 2f\n"                                                             \
	"1:\n"                                                                 \
	EACH("p", offsets)                                                     \
	"add $" len ", %[p]\n"                                                 \
	"2:\n"                                                                 \
	"cmp %[last], %[p]\n"                                                  \
	"jb 1b\n"                                                              \
	EACH("last", offsets)                                                  \
	".purgem step\n"
/* clang-format on */
#define BATCHES_16(assembly) BATCHES(assembly, "0,16,32,48,64,80,96,112", "128")
#define BATCHES_32(assembly)                                                   \
	BATCHES(assembly, "0,32,64,96,128,160,192,224", "256")

#define BATCHES_64(assembly)                                                   \
	BATCHES(assembly,                                                      \
		"0,32,64,96,128,160,192,224,256,288,320,352,384,416,448,480",  \
		"512")

/* Where the wide halves of all registers were not in use, which bit 2 of eax
 * says, they are not afterwards, or code for narrow registers would be slow
 * (SDM 1, 13.6)
 */
#define WIDE_BEGIN "movl $1, %%ecx\nxgetbv\nvmovups %%ymm0, (%[saved])\n"
#define WIDE_END                                                               \
	"vmovups (%[saved]), %%ymm0\n"                                         \
	"testb $4, %%al\n"                                                     \
	"jnz 3f\n"                                                             \
	"vzeroupper\n"                                                         \
	"3:\n"

/* The two words of xmm0 */
#define WORDS_GET                                                              \
	"movq %%xmm0, %[low]\n"                                                \
	"psrldq $8, %%xmm0\n"                                                  \
	"movq %%xmm0, %[high]\n"                                               \
	"movups (%[saved]), %%xmm0\n"

/* The four of ymm0, two of them combined with the others */
#define WORDS_GET_WIDE(combine)                                                \
	"vmovups %%ymm0, (%[words])\n"                                         \
	"movq (%[words]), %[low]\n"                                            \
	"movq 8(%[words]), %[high]\n" combine                                  \
	" 16(%[words]), %[low]\n" combine " 24(%[words]), %[high]\n"

/* Assembly writes through the pointers */
/* NOLINTBEGIN(readability-non-const-parameter) */
static void fill_16(__u64 *p, const __u64 *last, __u64 word)
{
	__u8 saved[16];

	__asm__ __volatile__(
		"movups %%xmm0, (%[saved])\n"
		"movq %[word], %%xmm0\n"
		"punpcklqdq %%xmm0, %%xmm0\n" BATCHES_16(
			"movups %%xmm0, \\at") "movups (%[saved]),"
					       " %%xmm0\n"
		: [p] "+r"(p)
		: [last] "r"(last), [saved] "r"(saved), [word] "r"(word)
		: "cc", "memory");
}

/* clang-format off */
#define FILL_WIDE(name, batches)                                               \
	static void name(__u64 *p, const __u64 *last, __u64 word)              \
	{                                                                      \
		__u8 saved[32];                                                \
                                                                               \
		__asm__ __volatile__(                                          \
			WIDE_BEGIN                                             \
			"vmovq %[word], %%xmm0\n"                              \
			"vpbroadcastq %%xmm0, %%ymm0\n"                        \
			batches("vmovups %%ymm0, \\at")                        \
			WIDE_END                                               \
			: [p] "+r"(p)                                          \
			: [last] "r"(last), [saved] "r"(saved),                \
			  [word] "r"(word)                                     \
			: "eax", "ecx", "edx", "cc", "memory");                \
	}
/* clang-format on */

FILL_WIDE(fill_32, BATCHES_32)
FILL_WIDE(fill_64, BATCHES_64)

/* NOLINTEND(readability-non-const-parameter) */

void vector_fill_long(__u64 *p, unsigned long n, __u64 word)
{
	if (n < BATCH_WIDE || !ukplat_lcpu_has_avx())
		fill_16(p, p + n - BATCH, word);
	else if (n < BATCH_LONG)
		fill_32(p, p + n - BATCH_WIDE, word);
	else
		fill_64(p, p + n - BATCH_LONG, word);
}

/* Memory operands of these are multiples of 16 */
#define COMBINE_16(name, first, combine, op)                                   \
	static __u64 name(const __u64 *p, const __u64 *last)                   \
	{                                                                      \
		__u64 low, high;                                               \
		__u8 saved[16];                                                \
                                                                               \
		__asm__ __volatile__(                                          \
			"movups %%xmm0, (%[saved])\n" first                    \
			" %%xmm0, %%xmm0\n" BATCHES_16(                        \
				combine " \\at, %%xmm0") WORDS_GET             \
			: [p] "+r"(p), [low] "=&r"(low), [high] "=&r"(high)    \
			: [last] "r"(last), [saved] "r"(saved)                 \
			: "cc", "memory");                                     \
		return low op high;                                            \
	}

#define COMBINE_WIDE(name, batches, first, combine, combine_words, op)         \
	static __u64 name(const __u64 *p, const __u64 *last)                   \
	{                                                                      \
		__u64 low, high, words[4];                                     \
		__u8 saved[32];                                                \
                                                                               \
		__asm__ __volatile__(                                          \
			WIDE_BEGIN first " %%ymm0, %%ymm0, %%ymm0\n" batches(  \
				combine " \\at, %%ymm0, %%ymm0")               \
				WORDS_GET_WIDE(combine_words) WIDE_END         \
			: [p] "+r"(p), [low] "=&r"(low), [high] "=&r"(high)    \
			: [last] "r"(last), [saved] "r"(saved),                \
			  [words] "r"(words)                                   \
			: "eax", "ecx", "edx", "cc", "memory");                \
		return low op high;                                            \
	}

COMBINE_16(and_16, "pcmpeqd", "pand", &)
COMBINE_WIDE(and_32, BATCHES_32, "vpcmpeqd", "vpand", "andq", &)
COMBINE_WIDE(and_64, BATCHES_64, "vpcmpeqd", "vpand", "andq", &)
COMBINE_16(or_16, "pxor", "por", |)
COMBINE_WIDE(or_32, BATCHES_32, "vpxor", "vpor", "orq", |)
COMBINE_WIDE(or_64, BATCHES_64, "vpxor", "vpor", "orq", |)

__u64 vector_and_long(const __u64 *p, unsigned long n)
{
	const __u64 *end = p + n;
	__u64 bits = *p & end[-1];

	if (n >= BATCH_WIDE && ukplat_lcpu_has_avx())
		return n < BATCH_LONG ? and_32(p, end - BATCH_WIDE) :
					and_64(p, end - BATCH_LONG);
	/* What is at odd words is in `bits` */
	p += (__uptr)p / sizeof(*p) % 2;
	end -= (__uptr)end / sizeof(*end) % 2;
	if (likely(end - p >= (long)BATCH))
		return bits & and_16(p, end - BATCH);
	for (; p < end; p++)
		bits &= *p;
	return bits;
}

__u64 vector_or_long(const __u64 *p, unsigned long n)
{
	const __u64 *end = p + n;
	__u64 bits = *p | end[-1];

	if (n >= BATCH_WIDE && ukplat_lcpu_has_avx())
		return n < BATCH_LONG ? or_32(p, end - BATCH_WIDE) :
					or_64(p, end - BATCH_LONG);
	p += (__uptr)p / sizeof(*p) % 2;
	end -= (__uptr)end / sizeof(*end) % 2;
	if (likely(end - p >= (long)BATCH))
		return bits | or_16(p, end - BATCH);
	for (; p < end; p++)
		bits |= *p;
	return bits;
}
