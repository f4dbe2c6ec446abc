/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_LIVE_H__
#define __GUESTBENCH_LIVE_H__

/* What is live: each object with the number of bytes that were asked for
 *
 * A hash table by address. Addresses differ from boot to boot; what comes out
 * does not.
 *
 * Context: one CPU, not from interrupt handlers.
 */

#include <uk/arch/types.h>

struct bench_live {
	__sz bytes, objects;
	/** Most bytes so far, and how many objects there were then */
	__sz peak_bytes, peak_objects;
};

/** Forgets everything. */
void bench_live_reset(void);

/** Notes that an object came. Stops the guest if there are too many. */
void bench_live_add(const void *ptr, __sz size);

/** Notes that an object goes. Unknown ones, __NULL too, are ignored. */
void bench_live_remove(const void *ptr);

/** The figures. */
const struct bench_live *bench_live_get(void);

#endif /* __GUESTBENCH_LIVE_H__ */
