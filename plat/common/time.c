/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Clock and timers
 *
 * How
 *   Ticks become nanoseconds, and back, by a multiplication with a binary
 *   fraction of 32 bits. The error is below 1 ns in 4 s at 1 GHz and zero
 *   when the rate is 1 GHz exactly.
 */

#include <errno.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/print.h>

#include "boot.h"
#include "lcpu.h"
#include "x86/lapic.h"
#include "x86/tsc.h"

#define NSEC_PER_SEC	 1000000000UL
#define FRAC_BITS	 32
#define TIMER_PERIOD_MIN 1000

/** Timer of one CPU; (p) throughout */
struct timer {
	/** Periodic function, or __NULL */
	void (*fn)(void *arg);
	void *arg;
	__nsec period;
};

static struct timer timers[CONFIG_UKPLAT_LCPU_MAXCOUNT];

/* (c) */
static __u64 tsc_hz, tsc_start;
/* (c) How long the boot took */
static __nsec boot_nsec;
/* (c) Nanoseconds a TSC tick, timer ticks a nanosecond; 0: not available */
static __u64 nsec_per_tsc, ticks_per_nsec;

static __u64 frac_mul(__u64 val, __u64 frac)
{
	return (__u64)((unsigned __int128)val * frac >> FRAC_BITS);
}

__u64 ukplat_tsc_hz(void)
{
	return tsc_hz;
}

__nsec ukplat_monotonic_clock(void)
{
	return frac_mul(ukarch_rdtsc() - tsc_start, nsec_per_tsc);
}

__nsec ukplat_boot_time(void)
{
	return boot_nsec;
}

void time_boot_ends(void)
{
	boot_nsec = frac_mul(ukarch_rdtsc() - boot_info.tsc, nsec_per_tsc);
}

static void timer_handler(void *arg)
{
	struct lcpu *self = lcpu_current();
	const struct timer *timer = &timers[self->idx];

	(void)arg;
	self->stats.timer_irqs++;
	/* First, so that a long function loses one period and not all */
	lapic_eoi();
	if (timer->fn)
		timer->fn(timer->arg);
}

void ukplat_time_init(void)
{
	struct tsc_rates rates;

	tsc_calibrate(&rates);
	tsc_hz = rates.tsc_hz;
	tsc_start = ukarch_rdtsc();
	nsec_per_tsc = (NSEC_PER_SEC << FRAC_BITS) / tsc_hz;
	if (rates.lapic_hz &&
	    !ukplat_irq_register(LAPIC_VECTOR_TIMER, timer_handler, __NULL))
		ticks_per_nsec = (rates.lapic_hz << FRAC_BITS) / NSEC_PER_SEC;
	uk_pr_info("time: TSC %lu kHz (%s), timer %lu kHz\n",
		   (unsigned long)(tsc_hz / 1000), rates.source,
		   (unsigned long)(rates.lapic_hz / 1000));
}

int ukplat_timer_start(__nsec period, void (*fn)(void *arg), void *arg)
{
	struct timer *timer = &timers[ukplat_lcpu_idx()];
	unsigned long flags;

	if (!fn || period < TIMER_PERIOD_MIN)
		return -EINVAL;
	if (!ticks_per_nsec)
		return -ENOTSUP;
	flags = ukplat_lcpu_save_irqf();
	timer->fn = fn;
	timer->arg = arg;
	timer->period = period;
	lapic_timer_start(MAX(frac_mul(period, ticks_per_nsec), 1UL), 1);
	ukplat_lcpu_restore_irqf(flags);
	return 0;
}

void ukplat_timer_stop(void)
{
	unsigned long flags;

	if (!ticks_per_nsec)
		return;
	flags = ukplat_lcpu_save_irqf();
	lapic_timer_stop();
	timers[ukplat_lcpu_idx()].fn = __NULL;
	ukplat_lcpu_restore_irqf(flags);
}

int lcpu_timer_wake_at(__nsec until)
{
	const struct timer *timer = &timers[ukplat_lcpu_idx()];
	__nsec now = ukplat_monotonic_clock();

	if (now >= until || !ticks_per_nsec)
		return 0;
	/* A periodic timer wakes this CPU, too, if it is fast enough */
	if (timer->fn)
		return timer->period <= until - now;
	lapic_timer_start(MAX(frac_mul(until - now, ticks_per_nsec), 1UL), 0);
	return 1;
}

void lcpu_timer_wake_cancel(void)
{
	if (ticks_per_nsec && !timers[ukplat_lcpu_idx()].fn)
		lapic_timer_stop();
}
