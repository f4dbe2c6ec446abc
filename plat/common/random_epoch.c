/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Who learns that an epoch has begun
 *
 * How
 *   Generators look at the number of the epoch before they are used. What
 *   was drawn ahead from one of them, to be used without a look at anything,
 *   is dropped by interrupt: whoever finds the epoch changed wakes all other
 *   CPUs, and each calls the hook, once for an epoch. A CPU that has
 *   interrupts disabled does so when it enables them.
 */

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/random.h>

#include "lcpu.h"
#include "random.h"

/* (a) */
static ukplat_random_hook epoch_hook;
/* (p) Epoch that each CPU has heard of */
static __u32 heard[CONFIG_UKPLAT_LCPU_MAXCOUNT];

ukplat_random_hook ukplat_random_hook_set(ukplat_random_hook fn)
{
	/* Acq_rel: pairs with the acquire in random_epoch_irq() */
	return __atomic_exchange_n(&epoch_hook, fn, __ATOMIC_ACQ_REL);
}

void random_epoch_init(void)
{
	heard[ukplat_lcpu_idx()] =
		__atomic_load_n(&random_epoch, __ATOMIC_ACQUIRE);
}

void random_epoch_irq(void)
{
	__u32 epoch = __atomic_load_n(&random_epoch, __ATOMIC_ACQUIRE);
	__u32 *own = &heard[ukplat_lcpu_idx()];
	ukplat_random_hook fn;

	if (likely(*own == epoch))
		return;
	*own = epoch;
	/* Acquire: pairs with the exchange in ukplat_random_hook_set() */
	fn = __atomic_load_n(&epoch_hook, __ATOMIC_ACQUIRE);
	if (fn)
		fn();
}

void random_announce(void)
{
	unsigned long irqf = ukplat_lcpu_save_irqf();
	__u32 i;

	random_epoch_irq();
	for (i = 0; i < lcpu_cnt; i++)
		if (i != ukplat_lcpu_idx() && lcpu_is_online(lcpus[i]))
			lcpu_ipi_wake(lcpus[i]);
	ukplat_lcpu_restore_irqf(irqf);
}
