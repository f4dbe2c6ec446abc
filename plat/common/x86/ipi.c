/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/essentials.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>

#include "../lcpu.h"
#include "../random.h"
#include "lapic.h"

/* Rounds of waiting for the others to stop; more would only keep the last
 * words back
 */
#define STOP_SPINS 100000U

#define STOP_NOBODY __U32_MAX

/* (a) CPU that stops the others */
static __u32 stopper = STOP_NOBODY;

void lcpu_ipi_wake(const struct lcpu *target)
{
	lapic_ipi_send(target->apic_id, LAPIC_VECTOR_WAKE);
}

void lcpu_ipi_tlb(const struct lcpu *target)
{
	lapic_ipi_send(target->apic_id, LAPIC_VECTOR_TLB);
}

static void tlb_handler(void *arg)
{
	(void)arg;
	lcpu_tlb_ipi_handler();
	lapic_eoi();
}

void lcpu_ipi_nmi(const struct lcpu *target)
{
	lapic_nmi_send(target->apic_id);
}

/* The idle loop does the work when the interrupt returns; or there is a new
 * epoch
 */
static void wake_handler(void *arg)
{
	(void)arg;
	lcpu_current()->stats.wake_ipis++;
	random_epoch_irq();
	lapic_eoi();
}

static void error_handler(void *arg)
{
	(void)arg;
	(void)lapic_error_read();
	lcpu_current()->stats.apic_errors++;
	lapic_eoi();
}

/* Not in service, hence no end of interrupt */
static void spurious_handler(void *arg)
{
	(void)arg;
	lcpu_current()->stats.spurious++;
}

int lcpu_ipi_init(void)
{
	static const struct {
		unsigned int vector;
		void (*fn)(void *arg);
	} handlers[] = {
		{ LAPIC_VECTOR_TLB, tlb_handler },
		{ LAPIC_VECTOR_WAKE, wake_handler },
		{ LAPIC_VECTOR_ERROR, error_handler },
		{ LAPIC_VECTOR_SPURIOUS, spurious_handler },
	};
	__sz i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++) {
		int rc = ukplat_irq_register(handlers[i].vector, handlers[i].fn,
					     __NULL);

		if (rc)
			return rc;
	}
	return 0;
}

void ukplat_lcpu_stop_others(void)
{
	__u32 nobody = STOP_NOBODY;
	__u32 self;
	unsigned int spins;

	if (ukplat_lcpu_count() <= 1)
		return;
	self = ukplat_lcpu_idx();
	if (!__atomic_compare_exchange_n(&stopper, &nobody, self, 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		/* Several crash at once: the first one speaks */
		if (nobody != self)
			ukplat_lcpu_halt();
		return;
	}
	lapic_nmi_send_others();
	for (spins = 0; spins < STOP_SPINS && ukplat_lcpu_count() > 1; spins++)
		ukarch_spinwait();
}

void ukplat_lcpu_nmi(void)
{
	__u32 by = __atomic_load_n(&stopper, __ATOMIC_SEQ_CST);

	if (by != STOP_NOBODY && by != ukplat_lcpu_idx())
		ukplat_lcpu_halt();
	lcpu_tlb_nmi_handler();
}
