/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_TSC_H__
#define __UKPLAT_TSC_H__

/* How fast time stamp counter and APIC timer run */

#include <uk/arch/types.h>

struct tsc_rates {
	/** Ticks of RDTSC a second; never 0 */
	__u64 tsc_hz;
	/** Undivided ticks of the APIC timer a second; 0 without a timer */
	__u64 lapic_hz;
	/** Where the first number comes from */
	const char *source;
};

/**
 * Measures, or asks the CPU or the hypervisor. Uses the APIC timer of the
 * calling CPU if lapic_init() was successful.
 *
 * @param[out] rates
 *   Receives the rates
 */
void tsc_calibrate(struct tsc_rates *rates);

#endif /* __UKPLAT_TSC_H__ */
