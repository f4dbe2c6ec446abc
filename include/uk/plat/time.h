/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_TIME_H__
#define __UK_PLAT_TIME_H__

/* Time: a clock that never goes back, and a timer for each CPU
 *
 * The clock is the time stamp counter. Under QEMU's -icount it counts guest
 * instructions, and a nanosecond is one instruction (shift=0).
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Finds out how fast the clocks of this machine are. Called once by the
 * bootstrap processor, after its local APIC was enabled if it has one.
 */
void ukplat_time_init(void);

/**
 * Nanoseconds since ukplat_time_init(); 0 before. Any context.
 */
__nsec ukplat_monotonic_clock(void);

/**
 * Nanoseconds from the first instruction of the loader to main(); 0 before.
 */
__nsec ukplat_boot_time(void);

/** Ticks of ukarch_rdtsc() in a second; 0 before ukplat_time_init(). */
__u64 ukplat_tsc_hz(void);

/**
 * Calls a function from the timer interrupt of the calling CPU again and
 * again. Replaces the function that was there.
 *
 * @param period
 *   Nanoseconds between two calls, at least 1000
 * @param fn
 *   The function; interrupts are disabled
 * @param arg
 *   Passed to fn
 *
 * @return
 *   - (0): Started
 *   - (-EINVAL): The period is too short, or there is no function
 *   - (-ENOTSUP): There is no timer
 */
int ukplat_timer_start(__nsec period, void (*fn)(void *arg), void *arg);

/** Stops the timer of the calling CPU. fn is not called any more. */
void ukplat_timer_stop(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_TIME_H__ */
