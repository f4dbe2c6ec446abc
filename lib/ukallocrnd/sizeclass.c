/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "sizeclass.h"

#define GEO(len, shift)                                                        \
	{                                                                      \
		.slot_len = (len),                                             \
		.recip = (__u32)((0x100000000UL + (len)-1) / (len)),           \
		.slots = (__u16)((1UL << (shift)) / (len)),                    \
		.slab_shift = (shift),                                         \
	}

/* Slabs grow with their slots: at least 15 slots, at most 512 KiB */
const struct rnd_sizeclass rnd_sizeclass[RND_CLASS_COUNT] = {
	GEO(16, 15),	GEO(16, 15),	GEO(32, 15),	GEO(48, 15),
	GEO(64, 15),	GEO(80, 15),	GEO(96, 15),	GEO(112, 15),
	GEO(128, 15),	GEO(144, 15),	GEO(160, 15),	GEO(176, 15),
	GEO(192, 15),	GEO(208, 15),	GEO(240, 15),	GEO(272, 16),
	GEO(320, 16),	GEO(384, 16),	GEO(448, 16),	GEO(544, 16),
	GEO(640, 16),	GEO(768, 16),	GEO(896, 16),	GEO(1088, 17),
	GEO(1280, 17),	GEO(1536, 17),	GEO(1792, 17),	GEO(2176, 17),
	GEO(2560, 17),	GEO(3072, 17),	GEO(3584, 17),	GEO(4352, 18),
	GEO(5120, 18),	GEO(6144, 18),	GEO(7168, 18),	GEO(8704, 18),
	GEO(10240, 18), GEO(12288, 18), GEO(14336, 18), GEO(17408, 19),
	GEO(20480, 19), GEO(24576, 19), GEO(28672, 19), GEO(34816, 19),
};

#define SPAN(prev, len, sc) [(prev) / 16 + 1 ...(len) / 16] = (sc)

const __u8 rnd_sizeclass_table[RND_SLOT_LEN_MAX / RND_SLOT_ALIGN + 1] = {
	SPAN(0, 16, 1),		SPAN(16, 32, 2),	SPAN(32, 48, 3),
	SPAN(48, 64, 4),	SPAN(64, 80, 5),	SPAN(80, 96, 6),
	SPAN(96, 112, 7),	SPAN(112, 128, 8),	SPAN(128, 144, 9),
	SPAN(144, 160, 10),	SPAN(160, 176, 11),	SPAN(176, 192, 12),
	SPAN(192, 208, 13),	SPAN(208, 240, 14),	SPAN(240, 272, 15),
	SPAN(272, 320, 16),	SPAN(320, 384, 17),	SPAN(384, 448, 18),
	SPAN(448, 544, 19),	SPAN(544, 640, 20),	SPAN(640, 768, 21),
	SPAN(768, 896, 22),	SPAN(896, 1088, 23),	SPAN(1088, 1280, 24),
	SPAN(1280, 1536, 25),	SPAN(1536, 1792, 26),	SPAN(1792, 2176, 27),
	SPAN(2176, 2560, 28),	SPAN(2560, 3072, 29),	SPAN(3072, 3584, 30),
	SPAN(3584, 4352, 31),	SPAN(4352, 5120, 32),	SPAN(5120, 6144, 33),
	SPAN(6144, 7168, 34),	SPAN(7168, 8704, 35),	SPAN(8704, 10240, 36),
	SPAN(10240, 12288, 37), SPAN(12288, 14336, 38), SPAN(14336, 17408, 39),
	SPAN(17408, 20480, 40), SPAN(20480, 24576, 41), SPAN(24576, 28672, 42),
	SPAN(28672, 34816, 43),
};

unsigned int rnd_sizeclass_aligned(__sz size, __sz align)
{
	unsigned int sc;

	for (sc = rnd_sizeclass_of(size); sc < RND_CLASS_COUNT; sc++)
		if (!(rnd_sizeclass[sc].slot_len & (align - 1)))
			return sc;

	return 0;
}
