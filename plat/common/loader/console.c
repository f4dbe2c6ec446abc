/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Messages of the loader, and its end. The same names as in the guest, whose
 * console has locks.
 */

#include <stdarg.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>

#include "../nolibc/fmt.h"
#include "../x86/uart.h"
#include "loader.h"

static void sink_write(struct fmt_sink *sink __unused, const char *buf,
		       __sz len)
{
	uart_write(buf, len);
}

int ukplat_vprintk(const char *fmt, va_list ap)
{
	struct fmt_sink sink = { .write = sink_write };

	return (int)fmt_vprint(&sink, fmt, ap);
}

void __noreturn uk_assert_fail(const char *cond, const char *file, int line)
{
	ukplat_printk("ASSERT: %s (%s:%d) in the loader\n", cond, file, line);
	ukplat_terminate(UKPLAT_EXIT_CRASH);
}

void __noreturn loader_fail(const char *fmt, ...)
{
	va_list ap;

	ukplat_printk("CRIT: loader: ");
	va_start(ap, fmt);
	ukplat_vprintk(fmt, ap);
	va_end(ap);
	ukplat_printk("\n");
	ukplat_terminate(UKPLAT_EXIT_CRASH);
}
