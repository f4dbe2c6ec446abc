/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TEST_FAKE_RAM_H__
#define __TEST_FAKE_RAM_H__

/* Physical memory for page tables on the host, and who has its frames
 *
 * How
 *   The memory can be seen at three places: where the test looks at it, and
 *   where direct map and window are. What is not mapped in one of these two
 *   cannot be accessed there.
 *
 *   For each frame is known whether a CPU may still remember a page with it.
 *   Who frees such a frame fails the test.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/falloc.h>

/* The first block and the one behind the last are there only in part */
#define RAM_START  (3 * PAGE_SIZE)
#define RAM_BLOCKS 32UL
#define RAM_END	   (RAM_BLOCKS * PAGE_LARGE_SIZE + 5 * PAGE_SIZE)
#define RAM_FRAMES (RAM_END / PAGE_SIZE)
/* Address space of a map of all blocks */
#define RAM_LEN	   ((RAM_BLOCKS + 1) * PAGE_LARGE_SIZE)

#define RAM_NEVER (~0UL)

/** State of a frame */
struct ram_frame {
	/** Somebody has it */
	__u8 used;
	/** It is free, but in the cache of a CPU */
	__u8 cached;
	/** Contains something else than zeros, maybe */
	__u8 dirty;
	/** Generation after which no CPU remembers a page with it any more; 0:
	 * none does, RAM_NEVER: one may, and there is no such generation yet
	 */
	__u64 need;
};

struct ram {
	/** Where the test, the direct map and the window see paddr 0 */
	__vaddr_t view, direct, window;
	struct ram_frame frame[RAM_FRAMES];
	/** Frames, and runs of 512, that can be had before none can */
	unsigned long frames_left, runs_left;
	/** Called when frames are taken, before that; may be __NULL */
	void (*on_take)(void);
	/** Frames that are promised */
	unsigned long promised;
	/** None can be had, but they are promised */
	int only_promises;
	/** How often the caches were emptied */
	unsigned long drains;
};

extern struct ram ram;
extern struct uk_falloc ram_falloc;

/** Makes the memory: all frames free and full of junk. */
void ram_init(void);

/** Allows or forbids access to a block in direct map or window. */
void ram_protect(__vaddr_t addr, int allow);

/** The frame at an address, which must exist. */
struct ram_frame *ram_frame(__paddr_t paddr);

/** Where the test sees a frame. */
__u64 *ram_words(__paddr_t paddr);

/** Tells whether a frame contains only zeros. */
int ram_is_zero(__paddr_t paddr);

/** Number of frames that nobody has, wherever they are. */
unsigned long ram_free(void);

#endif /* __TEST_FAKE_RAM_H__ */
