/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FILL_SAVED_H__
#define __UKALLOCRND_FILL_SAVED_H__

/* Filling of long slots with vector registers that belong to somebody else
 *
 * As chacha_saved.h: where a kernel has vector registers that interrupts do not
 * save, one or two of them are put back. Half of the instructions of words, and
 * a quarter where there are registers of 32 bytes (*_wide).
 */

#include <uk/arch/types.h>

#include "fill.h"
#include "saved.h"

#define FILL_SAVED_LEN (8 * RND_FILL_UNIT)
/* Eight registers of 32 bytes */
#define FILL_WIDE_LEN  (16 * RND_FILL_UNIT)
/* From here on sixteen at a time pay off */
#define FILL_LONG_LEN  (64 * RND_FILL_UNIT)

/* clang-format off */
#define FILL_EACH(offsets, reg)                                                \
	".irp i," offsets "\nstep \\i(%[" reg "])\n.endr\n"
#define FILL_BATCHES(offsets, len)                                             \
	"1:\n"                                                                 \
	FILL_EACH(offsets, "p")                                                \
	"add $" len ", %[p]\n"                                                 \
	"cmp %[last], %[p]\n"                                                  \
	"jb 1b\n"

/* Assembly on each place `at` from register p on: eight registers at a time, as
 * long as p is less than last, then the eight at last, some once more
 */
#define FILL_SAVED_16(assembly)                                                \
	".macro step at\n" assembly "\n.endm\n"                                \
	FILL_BATCHES("0,16,32,48,64,80,96,112", "128")                         \
	FILL_EACH("0,16,32,48,64,80,96,112", "last")                           \
	".purgem step\n"

/* The same with 32 bytes a register for FILL_LONG_LEN bytes or more: sixteen
 * registers at a time, then eight if there are more than the last eight
 */
#define FILL_SAVED_32_LONG(assembly)                                           \
	".macro step at\n" assembly "\n.endm\n"                                \
	"sub $256, %[last]\n"                                                  \
	"4:\n"                                                                 \
	FILL_EACH("0,32,64,96,128,160,192,224", "p")                           \
	FILL_EACH("256,288,320,352,384,416,448,480", "p")                      \
	"add $512, %[p]\n"                                                     \
	"cmp %[last], %[p]\n"                                                  \
	"jb 4b\n"                                                              \
	"add $256, %[last]\n"                                                  \
	"cmp %[last], %[p]\n"                                                  \
	"jae 3f\n"                                                             \
	FILL_EACH("0,32,64,96,128,160,192,224", "p")                           \
	"3:\n"                                                                 \
	FILL_EACH("0,32,64,96,128,160,192,224", "last")                        \
	".purgem step\n"

/* The same with 32 bytes a register. If eight are as much as there is, or more,
 * last is not behind p: four from each end
 */
#define FILL_SAVED_32(assembly)                                                \
	".macro step at\n" assembly "\n.endm\n"                                \
	"cmp %[p], %[last]\n"                                                  \
	"ja 1f\n"                                                              \
	FILL_EACH("0,32,64,96", "p")                                           \
	"jmp 3f\n"                                                             \
	FILL_BATCHES("0,32,64,96,128,160,192,224", "256")                      \
	FILL_EACH("0,32,64,96", "last")                                        \
	"3:\n"                                                                 \
	FILL_EACH("128,160,192,224", "last")                                   \
	".purgem step\n"
/* clang-format on */

/* Assembly writes through the pointers */
/* NOLINTBEGIN(readability-non-const-parameter) */

/**
 * Fills a slot with a word. No vector register has another value afterwards.
 *
 * @param p
 *   Start, a multiple of RND_FILL_UNIT
 * @param len
 *   Number of bytes, a multiple of RND_FILL_UNIT, at least FILL_SAVED_LEN
 */
static inline void rnd_fill_word_saved(char *p, __sz len, __u64 word)
{
	char *last = p + len - FILL_SAVED_LEN;
	__u8 saved[16];

	__asm__ __volatile__(
		"movups %%xmm0, (%[saved])\n"
		"movq %[word], %%xmm0\n"
		"punpcklqdq %%xmm0, %%xmm0\n"
		/* clang-format off */
		FILL_SAVED_16("movaps %%xmm0, \\at")
		/* clang-format on */
		"movups (%[saved]), %%xmm0\n"
		: [p] "+r"(p)
		: [last] "r"(last), [saved] "r"(saved), [word] "r"(word)
		: "cc", "memory");
}

/* clang-format off */
#define FILL_WIDE_WORD(loop)                                                   \
	SAVED_WIDE_BEGIN                                                       \
	"vmovups %%ymm0, (%[saved])\n"                                         \
	"vmovq %[word], %%xmm0\n"                                              \
	"vpbroadcastq %%xmm0, %%ymm0\n"                                        \
	loop("vmovups %%ymm0, \\at")                                           \
	"vmovups (%[saved]), %%ymm0\n"                                         \
	SAVED_WIDE_END
/* clang-format on */

/**
 * The same with registers of 32 bytes. Needs AVX2, and XGETBV with 1.
 *
 * @param len
 *   At least FILL_WIDE_LEN / 2
 */
static inline void rnd_fill_word_wide(char *p, __sz len, __u64 word)
{
	char *last = p + len - FILL_WIDE_LEN;
	__u8 saved[32];

	__asm__ __volatile__(FILL_WIDE_WORD(FILL_SAVED_32)
			     : [p] "+r"(p), [last] "+r"(last)
			     : [saved] "r"(saved), [word] "r"(word)
			     : SAVED_WIDE_CLOBBERS, "cc", "memory");
}

/** The same for FILL_LONG_LEN bytes or more */
static inline void rnd_fill_word_wide_long(char *p, __sz len, __u64 word)
{
	char *last = p + len - FILL_WIDE_LEN;
	__u8 saved[32];

	__asm__ __volatile__(FILL_WIDE_WORD(FILL_SAVED_32_LONG)
			     : [p] "+r"(p), [last] "+r"(last)
			     : [saved] "r"(saved), [word] "r"(word)
			     : SAVED_WIDE_CLOBBERS, "cc", "memory");
}

/** Tells whether all bytes of a slot are 0. As rnd_fill_word_saved(). */
static inline __bool rnd_fill_is_zero_saved(const char *p, __sz len)
{
	const char *last = p + len - FILL_SAVED_LEN;
	__u64 low, high;
	__u8 saved[16];

	__asm__ __volatile__("movups %%xmm0, (%[saved])\n"
			     "pxor %%xmm0, %%xmm0\n"
			     /* clang-format off */
		FILL_SAVED_16("por \\at, %%xmm0")
			     /* clang-format on */
			     "movq %%xmm0, %[low]\n"
			     "psrldq $8, %%xmm0\n"
			     "movq %%xmm0, %[high]\n"
			     "movups (%[saved]), %%xmm0\n"
			     : [p] "+r"(p), [low] "=&r"(low), [high] "=&r"(high)
			     : [last] "r"(last), [saved] "r"(saved)
			     : "cc", "memory");
	return !(low | high);
}

/* clang-format off */
#define FILL_WIDE_IS_ZERO(loop)                                                \
	SAVED_WIDE_BEGIN                                                       \
	"vmovups %%ymm0, (%[saved])\n"                                         \
	"vpxor %%xmm0, %%xmm0, %%xmm0\n"                                       \
	loop("vpor \\at, %%ymm0, %%ymm0")                                      \
	"vptest %%ymm0, %%ymm0\n"                                              \
	"setz %[answer]\n"                                                     \
	"vmovups (%[saved]), %%ymm0\n"                                         \
	SAVED_WIDE_END
/* clang-format on */

/** The same with registers of 32 bytes. As rnd_fill_word_wide(). */
static inline __bool rnd_fill_is_zero_wide(const char *p, __sz len)
{
	const char *last = p + len - FILL_WIDE_LEN;
	__u8 saved[32], answer;

	__asm__ __volatile__(
		FILL_WIDE_IS_ZERO(FILL_SAVED_32)
		: [p] "+r"(p), [last] "+r"(last), [answer] "=&r"(answer)
		: [saved] "r"(saved)
		: SAVED_WIDE_CLOBBERS, "cc", "memory");
	return answer;
}

/** The same for FILL_LONG_LEN bytes or more */
static inline __bool rnd_fill_is_zero_wide_long(const char *p, __sz len)
{
	const char *last = p + len - FILL_WIDE_LEN;
	__u8 saved[32], answer;

	__asm__ __volatile__(
		FILL_WIDE_IS_ZERO(FILL_SAVED_32_LONG)
		: [p] "+r"(p), [last] "+r"(last), [answer] "=&r"(answer)
		: [saved] "r"(saved)
		: SAVED_WIDE_CLOBBERS, "cc", "memory");
	return answer;
}

/**
 * Tells whether all words of a slot are this one. As rnd_fill_word_saved().
 * The union of all words and their intersection must both be this word.
 */
static inline __bool rnd_fill_is_word_saved(const char *p, __sz len, __u64 word)
{
	const char *last = p + len - FILL_SAVED_LEN;
	__u64 low, high;
	__u8 saved[32];

	__asm__ __volatile__(
		"movups %%xmm0, (%[saved])\n"
		"movups %%xmm1, 16(%[saved])\n"
		"movq %[word], %%xmm0\n"
		"punpcklqdq %%xmm0, %%xmm0\n"
		"movdqa %%xmm0, %%xmm1\n"
		/* clang-format off */
		FILL_SAVED_16("por \\at, %%xmm0\n"
			      "pand \\at, %%xmm1")
		/* clang-format on */
		"pxor %%xmm1, %%xmm0\n"
		"movq %%xmm0, %[low]\n"
		"psrldq $8, %%xmm0\n"
		"movq %%xmm0, %[high]\n"
		"movups (%[saved]), %%xmm0\n"
		"movups 16(%[saved]), %%xmm1\n"
		: [p] "+r"(p), [low] "=&r"(low), [high] "=&r"(high)
		: [last] "r"(last), [saved] "r"(saved), [word] "r"(word)
		: "cc", "memory");
	return !(low | high);
}

/** The same with registers of 32 bytes. As rnd_fill_word_wide(). */
static inline __bool rnd_fill_is_word_wide(const char *p, __sz len, __u64 word)
{
	const char *last = p + len - FILL_WIDE_LEN;
	__u8 saved[64], answer;

	__asm__ __volatile__(
		SAVED_WIDE_BEGIN "vmovups %%ymm0, (%[saved])\n"
				 "vmovups %%ymm1, 32(%[saved])\n"
				 "vmovq %[word], %%xmm0\n"
				 "vpbroadcastq %%xmm0, %%ymm0\n"
				 "vmovdqa %%ymm0, %%ymm1\n"
		/* clang-format off */
		FILL_SAVED_32("vpor \\at, %%ymm0, %%ymm0\n"
			      "vpand \\at, %%ymm1, %%ymm1")
		/* clang-format on */
		"vpxor %%ymm1, %%ymm0, %%ymm0\n"
		"vptest %%ymm0, %%ymm0\n"
		"setz %[answer]\n"
		"vmovups (%[saved]), %%ymm0\n"
		"vmovups 32(%[saved]), %%ymm1\n" SAVED_WIDE_END
		: [p] "+r"(p), [answer] "=&r"(answer)
		: [last] "r"(last), [saved] "r"(saved), [word] "r"(word)
		: SAVED_WIDE_CLOBBERS, "cc", "memory");
	return answer;
}
/* NOLINTEND(readability-non-const-parameter) */

/* The wider of both that the port lends; for users of port.h */
#define rnd_fill_lent(fn, ...)                                                 \
	(rnd_port_lends_avx() ? rnd_fill_##fn##_wide(__VA_ARGS__) :            \
				rnd_fill_##fn##_saved(__VA_ARGS__))

#endif /* __UKALLOCRND_FILL_SAVED_H__ */
