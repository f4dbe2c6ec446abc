/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "sizeclass.h"

#define GEO(len, shift)                                                        \
	{                                                                      \
		.inverse = ~0UL / (len) + 1, .slot_len = (len),                \
		.slots = 1U << (shift), .slot_shift = (shift),                 \
	}

/* Slabs of small slots are small, so that a CPU draws from several; others
 * have at least 8 slots
 */
const struct rnd_sizeclass rnd_sizeclass[RND_CLASS_COUNT] = {
	GEO(16, 10),   GEO(16, 10),   GEO(32, 9),    GEO(48, 9),
	GEO(64, 9),    GEO(80, 9),    GEO(96, 9),    GEO(112, 9),
	GEO(128, 9),   GEO(144, 8),   GEO(160, 8),   GEO(176, 8),
	GEO(192, 8),   GEO(208, 8),   GEO(240, 8),   GEO(272, 8),
	GEO(320, 8),   GEO(384, 8),   GEO(448, 8),   GEO(528, 8),
	GEO(640, 7),   GEO(768, 7),   GEO(896, 7),   GEO(1040, 8),
	GEO(1280, 6),  GEO(1536, 6),  GEO(1792, 6),  GEO(2080, 7),
	GEO(2560, 5),  GEO(3072, 5),  GEO(3584, 5),  GEO(4160, 6),
	GEO(5120, 5),  GEO(6144, 5),  GEO(7168, 5),  GEO(8704, 4),
	GEO(10240, 4), GEO(12288, 4), GEO(14336, 4), GEO(17408, 4),
	GEO(20480, 4), GEO(24576, 4), GEO(28672, 4), GEO(34816, 4),
	GEO(41984, 3), GEO(49152, 3), GEO(56320, 3), GEO(63488, 3),
	GEO(66560, 3),
};

#define SPAN(prev, len, sc) [(prev) / 16 + 1 ...(len) / 16] = (sc)

const __u8 rnd_sizeclass_table[RND_SLOT_LEN_MAX / RND_SLOT_ALIGN + 1] = {
	SPAN(0, 16, 1),		SPAN(16, 32, 2),	SPAN(32, 48, 3),
	SPAN(48, 64, 4),	SPAN(64, 80, 5),	SPAN(80, 96, 6),
	SPAN(96, 112, 7),	SPAN(112, 128, 8),	SPAN(128, 144, 9),
	SPAN(144, 160, 10),	SPAN(160, 176, 11),	SPAN(176, 192, 12),
	SPAN(192, 208, 13),	SPAN(208, 240, 14),	SPAN(240, 272, 15),
	SPAN(272, 320, 16),	SPAN(320, 384, 17),	SPAN(384, 448, 18),
	SPAN(448, 528, 19),	SPAN(528, 640, 20),	SPAN(640, 768, 21),
	SPAN(768, 896, 22),	SPAN(896, 1040, 23),	SPAN(1040, 1280, 24),
	SPAN(1280, 1536, 25),	SPAN(1536, 1792, 26),	SPAN(1792, 2080, 27),
	SPAN(2080, 2560, 28),	SPAN(2560, 3072, 29),	SPAN(3072, 3584, 30),
	SPAN(3584, 4160, 31),	SPAN(4160, 5120, 32),	SPAN(5120, 6144, 33),
	SPAN(6144, 7168, 34),	SPAN(7168, 8704, 35),	SPAN(8704, 10240, 36),
	SPAN(10240, 12288, 37), SPAN(12288, 14336, 38), SPAN(14336, 17408, 39),
	SPAN(17408, 20480, 40), SPAN(20480, 24576, 41), SPAN(24576, 28672, 42),
	SPAN(28672, 34816, 43), SPAN(34816, 41984, 44), SPAN(41984, 49152, 45),
	SPAN(49152, 56320, 46), SPAN(56320, 63488, 47), SPAN(63488, 66560, 48),
};

unsigned int rnd_sizeclass_aligned(__sz size, __sz align)
{
	unsigned int sc;

	for (sc = rnd_sizeclass_of(size); sc < RND_CLASS_COUNT; sc++)
		if (!(rnd_sizeclass[sc].slot_len & (align - 1)))
			return sc;

	return 0;
}
