/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_RANDOM_H__
#define __UK_PLAT_RANDOM_H__

/* Random numbers of the platform
 *
 * A ChaCha generator with fast key erasure, seeded once at boot from RDSEED,
 * RDRAND, jitter of the time stamp counter and the `seed=` word of the
 * command line. Usable from the first C statement on, on every CPU.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

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
 *   1 if a hardware source or a long enough `seed=` went into the seed,
 *   0 if it rests on jitter alone or is fixed by `debugseed`
 */
int ukplat_random_is_strong(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_RANDOM_H__ */
