/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Page faults: what they were, if they were in the window; one CPU at a time
 * for what Unikraft does about the others
 */

#include <errno.h>

#include <uk/arch/traps.h>
#include <uk/essentials.h>

#include "../fault.h"
#include "serial.h"
#include "table.h"

#define FAULT_WRITE    (1 << 1)
#define FAULT_RESERVED (1 << 3)
#define FAULT_EXEC     (1 << 4)

static int on_fault(void *data);

/* Unikraft says where its list of handlers starts and ends. This one is the
 * first: the others are called from here.
 */
static int others(void *data)
{
	const uk_event_handler_t *h;
	int rc, is_handled = 0;

	_UK_EVT_IMPORT_EVENT(UKARCH_TRAP_PAGE_FAULT);
	uk_event_handler_foreach(h, UK_EVENT_PTR(UKARCH_TRAP_PAGE_FAULT))
	{
		if (*h == on_fault)
			continue;
		rc = (*h)(data);
		if (rc < 0 || rc == UK_EVENT_HANDLED)
			return rc;
		is_handled |= rc == UK_EVENT_HANDLED_CONT;
	}
	return is_handled ? UK_EVENT_HANDLED : UK_EVENT_NOT_HANDLED;
}

static void report(const struct ukarch_trap_ctx *ctx)
{
	struct rnd_fault fault = {
		.addr = ctx->fault_address,
		.caller = ctx->regs->rip,
		.access = ctx->error_code & FAULT_WRITE ? "write" : "read",
	};

	(void)rnd_fault_report(&fault);
}

/* The CPU may have remembered a table that was taken out since (table.h). What
 * it finds now is told by the tables.
 */
static __bool is_old_state(const struct ukarch_trap_ctx *ctx)
{
	unsigned long flags;
	__bool is;

	if (ctx->error_code & (FAULT_RESERVED | FAULT_EXEC))
		return 0;
	flags = rnd_glue_irq_save();
	rnd_glue_forget(ctx->fault_address);
	is = rnd_table_allows(ctx->fault_address,
			      ctx->error_code & FAULT_WRITE);
	rnd_glue_irq_restore(flags);

	return is;
}

/* Nobody handles a fault of ours, so that Unikraft stops; it must not ask the
 * others again
 */
static int on_fault(void *data)
{
	const struct ukarch_trap_ctx *ctx = data;
	int rc;

	if (ctx->fault_address >= RND_WINDOW_START &&
	    ctx->fault_address < RND_WINDOW_END) {
		if (is_old_state(ctx))
			return UK_EVENT_HANDLED;
		report(ctx);
		return -EFAULT;
	}
	if (!RND_GLUE_SMP || !RND_GLUE_PAGING)
		return UK_EVENT_NOT_HANDLED;

	rnd_serial_enter();
	rc = rnd_glue_is_mapped(ctx->fault_address,
				ctx->error_code & FAULT_WRITE,
				ctx->error_code & FAULT_EXEC) ?
		     UK_EVENT_HANDLED :
		     others(data);
	rnd_serial_leave();

	return rc ? rc : -EFAULT;
}

UK_EVENT_HANDLER_PRIO(UKARCH_TRAP_PAGE_FAULT, on_fault, UK_PRIO_EARLIEST);
