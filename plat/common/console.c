/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/essentials.h>
#include <uk/plat/console.h>
#include <uk/spinlock.h>

#include "nolibc/fmt.h"
#include "x86/uart.h"

/* How often a crashing CPU looks at a lock that stays taken */
#define PANIC_TRIES 1000000

static struct uk_spinlock console_lock = UK_SPINLOCK_INITIALIZER();
static int console_panic;

void ukplat_console_panic(void)
{
	__atomic_store_n(&console_panic, 1, __ATOMIC_RELAXED);
}

/* Interrupts are disabled. After a crash the owner of the lock may never
 * return; then two may hold it, and characters mix.
 */
static void console_lock_take(void)
{
	unsigned long tries = 0;

	while (!uk_spin_trylock(&console_lock)) {
		if (__atomic_load_n(&console_panic, __ATOMIC_RELAXED)) {
			if (++tries == PANIC_TRIES)
				return;
		} else {
			uk_spin_poll();
		}
		ukarch_spinwait();
	}
}

int ukplat_coutk(const char *buf, unsigned int len)
{
	unsigned long irqf;

	irqf = uk_spin_irq_save();
	console_lock_take();
	uart_write(buf, len);
	uk_spin_unlock(&console_lock);
	uk_spin_irq_restore(irqf);
	return (int)len;
}

static void console_sink(struct fmt_sink *sink, const char *buf, __sz len)
{
	(void)sink;
	uart_write(buf, len);
}

/* Formats straight to the device: there is no buffer that could be too short,
 * and the lock is held from the first to the last character.
 */
int ukplat_vprintk(const char *fmt, va_list ap)
{
	struct fmt_sink sink = { .write = console_sink };
	unsigned long irqf;
	__sz len;

	irqf = uk_spin_irq_save();
	console_lock_take();
	len = fmt_vprint(&sink, fmt, ap);
	uk_spin_unlock(&console_lock);
	uk_spin_irq_restore(irqf);
	return (int)len;
}
