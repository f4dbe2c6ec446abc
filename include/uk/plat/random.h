/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_RANDOM_H__
#define __UK_PLAT_RANDOM_H__

/* Random numbers of the platform
 *
 * ChaCha with fast key erasure, a generator for each CPU. Seeded at boot from
 * RDSEED, RDRAND, `seed=` on the command line, a fw_cfg file and the jitter of
 * the time stamp counter; reseeded now and then, when a CPU starts, and when
 * the machine is resumed from a snapshot. Usable from the first C statement
 * on, on every CPU.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

/** See ukplat_random_hook_set() */
typedef void (*ukplat_random_hook)(void);

/**
 * Draws random bytes. Any context but NMI. Cannot fail.
 *
 * @param[out] buf
 *   Receives the bytes
 * @param len
 *   Number of bytes
 */
void ukplat_random_bytes(void *buf, __sz len);

/** Draws an unbiased number from [0, bound); bound is at least 1. */
__u64 ukplat_random_uniform(__u64 bound);

/**
 * Tells how good the seed is.
 *
 * @return
 *   1 if healthy hardware sources, `seed=` or the fw_cfg file are worth 128
 *   bits together; 0 if not, or if it is fixed by `debugseed`
 */
int ukplat_random_is_strong(void);

/**
 * Tells that this machine may have become two, as by a snapshot that is
 * resumed more than once: begins a new epoch. For monitors without a VM
 * generation id; one that has it needs no call. Nothing that is drawn after
 * this function has returned follows from what was in memory before, as far
 * as the seed or the processor's own words differ. Any context but NMI.
 *
 * @param seed
 *   Bytes that no other copy of the machine gets
 * @param len
 *   Number of bytes
 */
void ukplat_random_resumed(const void *seed, __sz len);

/**
 * Number of the epoch, never 0. Whoever keeps random numbers, or a generator
 * of his own, drops them when it has changed. Looks at the VM generation id;
 * some 20 instructions. Any context but NMI.
 */
__u32 ukplat_random_epoch(void);

/**
 * Sets a function that drops what its user has drawn ahead on the calling CPU.
 * It is called on each CPU when an epoch has begun, with interrupts disabled,
 * in the middle of whatever the CPU does: it may draw from the platform, but
 * takes no locks. There is one.
 *
 * @return
 *   The one before, or __NULL
 */
ukplat_random_hook ukplat_random_hook_set(ukplat_random_hook fn);

/** Number of times that the generator of the calling CPU was reseeded. */
__u64 ukplat_random_reseeds(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_RANDOM_H__ */
