/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <setjmp.h>
#include <stdlib.h>

#include "caught.h"
#include "port.h"

static __thread jmp_buf *caught_place;
static __thread struct caught caught_report;

/* The names that the linker makes of --wrap */
void __real_rnd_report(const struct rnd_bug_info *info) __noreturn;
void __wrap_rnd_report(const struct rnd_bug_info *info) __noreturn;
void __wrap_rnd_port_abort(void) __noreturn;

void __wrap_rnd_report(const struct rnd_bug_info *info)
{
	if (!caught_place)
		__real_rnd_report(info);
	caught_report.is_report = 1;
	caught_report.bug = info->bug;
	caught_report.ptr = info->ptr;
	longjmp(*caught_place, 1);
}

/* The real one leaves no chance to the handler that saves the input */
void __wrap_rnd_port_abort(void)
{
	abort();
}

struct caught caught_run(void (*fn)(void *arg), void *arg)
{
	jmp_buf place;

	caught_report.is_report = 0;
	caught_place = &place;
	if (!setjmp(place))
		fn(arg);
	caught_place = NULL;
	return caught_report;
}
