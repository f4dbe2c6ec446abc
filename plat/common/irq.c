/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/essentials.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/spinlock.h>

#include "trap.h"

/** Handler of a vector; fn is stored last and never changes again */
struct irq_handler {
	void (*fn)(void *arg);
	void *arg;
};

static struct irq_handler
	irq_handlers[UKPLAT_IRQ_VECTOR_COUNT - UKPLAT_IRQ_VECTOR_MIN];
static struct uk_spinlock irq_lock = UK_SPINLOCK_INITIALIZER();

int ukplat_irq_register(unsigned int vector, void (*fn)(void *arg), void *arg)
{
	struct irq_handler *h;
	unsigned long irqf;
	int rc = -EEXIST;

	if (vector < UKPLAT_IRQ_VECTOR_MIN ||
	    vector >= UKPLAT_IRQ_VECTOR_COUNT || !fn)
		return -EINVAL;

	h = &irq_handlers[vector - UKPLAT_IRQ_VECTOR_MIN];
	irqf = uk_spin_lock_irqsave(&irq_lock);
	if (!h->fn) {
		h->arg = arg;
		/* Release: publishes arg. Pairs with the acquire in
		 * irq_handle()
		 */
		__atomic_store_n(&h->fn, fn, __ATOMIC_RELEASE);
		rc = 0;
	}
	uk_spin_unlock_irqrestore(&irq_lock, irqf);
	return rc;
}

void irq_handle(const struct __regs *regs)
{
	const struct irq_handler *h;
	void (*fn)(void *arg);

	ukplat_lcpu_irq_enter();
	h = &irq_handlers[regs->vector - UKPLAT_IRQ_VECTOR_MIN];
	/* Acquire: pairs with the release in ukplat_irq_register() */
	fn = __atomic_load_n(&h->fn, __ATOMIC_ACQUIRE);
	if (unlikely(!fn))
		trap_report(regs);
	fn(h->arg);
	ukplat_lcpu_irq_exit();
}
