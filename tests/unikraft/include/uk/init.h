/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_INIT_H__
#define __STANDIN_UK_INIT_H__

/* Stands for include/uk/init.h of Unikraft: class 1 of the table is that of
 * early calls.
 */

#include <uk/essentials.h>
#include <uk/prio.h>

struct uk_init_ctx;
struct uk_term_ctx;

struct uk_inittab_entry {
	int (*init)(struct uk_init_ctx *ctx);
	void (*term)(const struct uk_term_ctx *ctx);
};

/* Arguments are macros themselves */
#define STANDIN_INITTAB(fn, end_fn, prio)                                      \
	static const struct uk_inittab_entry __used __section(                 \
		".uk_inittab1" #prio) __align(8)                               \
		__uk_inittab1##prio##_##fn##_##end_fn = { .init = fn,          \
							  .term = end_fn }
#define STANDIN_INITCALL(fn, end_fn, prio) STANDIN_INITTAB(fn, end_fn, prio)

#define uk_early_initcall(fn, end_fn)                                          \
	STANDIN_INITCALL(fn, end_fn, UK_PRIO_LATEST)

#endif /* __STANDIN_UK_INIT_H__ */
