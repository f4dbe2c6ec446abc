/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>

#include "tlb.h"

#define WATCHER 1U

/* Values 0 to 63 have a bit, all others share the last one */
static unsigned long value_bit(__u8 byte)
{
	return 1UL << MIN(byte, 63U);
}

static void watch_once(struct watch *w)
{
	/* Acquire: pairs with the store in watch_turn() */
	int phase = __atomic_load_n(&w->phase, __ATOMIC_ACQUIRE);
	__u8 byte = 0;
	int rc;

	if (w->mode == WATCH_READ)
		rc = ukplat_probe_read(w->va, &byte);
	else
		rc = ukplat_probe_write(w->va, 7);
	if (!rc) {
		w->seen[phase] |= value_bit(byte);
		__atomic_store_n(&w->good[phase], w->good[phase] + 1,
				 __ATOMIC_RELEASE);
	}
	/* Release: pairs with the load in watch_wait() */
	__atomic_store_n(&w->all[phase], w->all[phase] + 1, __ATOMIC_RELEASE);
}

static void watch_loop(struct __regs *regs __unused, void *user)
{
	struct watch *w = user;

	if (w->irqs_off)
		ukplat_lcpu_disable_irq();
	while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
		watch_once(w);
		/* With one host thread for all CPUs it is the others' turn */
		if (w->all[0] % 1024 == 0)
			ukarch_spinwait();
	}
	if (w->irqs_off)
		ukplat_lcpu_enable_irq();
}

static unsigned long accesses_of(const struct watch *w)
{
	/* Acquire: pairs with the release in watch_once() */
	return __atomic_load_n(&w->all[0], __ATOMIC_ACQUIRE) +
	       __atomic_load_n(&w->all[1], __ATOMIC_ACQUIRE);
}

void watch_wait(const struct watch *w, unsigned long accesses)
{
	unsigned long until = accesses_of(w) + accesses;

	while (accesses_of(w) < until)
		ukarch_spinwait();
}

int watch_start(struct watch *w)
{
	struct ukplat_lcpu_func func = { .fn = watch_loop, .user = w };
	const __u32 cpu = WATCHER;
	unsigned int num = 1;

	if (ukplat_lcpu_run(&cpu, &num, &func, 0))
		return -1;
	watch_wait(w, 10000);
	return 0;
}

void watch_turn(struct watch *w)
{
	/* Release: pairs with the load in watch_once() */
	__atomic_store_n(&w->phase, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&w->all[1], __ATOMIC_ACQUIRE))
		ukarch_spinwait();
	watch_wait(w, 10000);
}

void watch_stop(struct watch *w)
{
	const __u32 cpu = WATCHER;
	unsigned int num = 1;

	__atomic_store_n(&w->stop, 1, __ATOMIC_RELAXED);
	(void)ukplat_lcpu_wait(&cpu, &num, 0);
}
