/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_IRQ_H__
#define __UK_PLAT_IRQ_H__

/* Interrupts: the flag of this CPU, and handlers by vector
 *
 * A handler runs with interrupts disabled on the stack it interrupted, with
 * all general registers saved and no vector registers (such code is built
 * without them). It acknowledges its interrupt at the controller itself.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Vectors below belong to the processor */
#define UKPLAT_IRQ_VECTOR_MIN	32
#define UKPLAT_IRQ_VECTOR_COUNT 256

#define __UKPLAT_RFLAGS_IF 0x200UL

/** Enables interrupts on this CPU. */
static inline void ukplat_lcpu_enable_irq(void)
{
	__asm__ __volatile__("sti" : : : "memory");
}

/** Disables interrupts on this CPU. */
static inline void ukplat_lcpu_disable_irq(void)
{
	__asm__ __volatile__("cli" : : : "memory");
}

/**
 * Disables interrupts on this CPU.
 *
 * @return
 *   The state for ukplat_lcpu_restore_irqf()
 */
static inline unsigned long ukplat_lcpu_save_irqf(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

/** Enables interrupts if they were when the state was saved. */
static inline void ukplat_lcpu_restore_irqf(unsigned long flags)
{
	if (flags & __UKPLAT_RFLAGS_IF)
		ukplat_lcpu_enable_irq();
}

/** Tells whether interrupts are disabled on this CPU. */
static inline int ukplat_lcpu_irqs_disabled(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushfq; popq %0" : "=r"(flags) : : "memory");
	return !(flags & __UKPLAT_RFLAGS_IF);
}

/**
 * Registers the handler of a vector, for all CPUs. Handlers are never
 * removed. An interrupt without a handler is a crash with a report.
 *
 * @param vector
 *   UKPLAT_IRQ_VECTOR_MIN to UKPLAT_IRQ_VECTOR_COUNT - 1
 * @param fn
 *   The handler
 * @param arg
 *   Passed to the handler
 *
 * @return
 *   - (0): Registered
 *   - (-EINVAL): No such vector, or no function
 *   - (-EEXIST): The vector has a handler
 */
int ukplat_irq_register(unsigned int vector, void (*fn)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_IRQ_H__ */
