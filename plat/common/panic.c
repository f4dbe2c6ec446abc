/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>

#include "panic.h"

#define PANIC_NOBODY (~0U)

/* CPU whose last words these are */
static __u32 panic_cpu = PANIC_NOBODY;

void panic_enter(void)
{
	__u32 self, owner = PANIC_NOBODY;

	ukplat_lcpu_disable_irq();
	self = ukplat_lcpu_idx();
	ukplat_console_panic();
	if (__atomic_compare_exchange_n(&panic_cpu, &owner, self, 0,
					__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		ukplat_lcpu_stop_others();
		return;
	}
	if (owner == self) {
		ukplat_printk("FAULT: another one in the report\n");
		ukplat_terminate(UKPLAT_EXIT_CRASH);
	}
	for (;;)
		__asm__ __volatile__("cli; hlt" : : : "memory");
}

void __noreturn ukplat_crash(void)
{
	/* Unless these are the last words of this CPU already */
	if (__atomic_load_n(&panic_cpu, __ATOMIC_RELAXED) != ukplat_lcpu_idx())
		panic_enter();
	ukplat_terminate(UKPLAT_EXIT_CRASH);
}

void __noreturn uk_assert_fail(const char *cond, const char *file, int line)
{
	panic_enter();
	ukplat_printk("ASSERT: %s (%s:%d) cpu=%u caller=%p\n", cond, file, line,
		      ukplat_lcpu_idx(), __builtin_return_address(0));
	ukplat_crash();
}
