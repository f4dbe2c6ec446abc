/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The end of a process whose library broke a contract of its own */

#include <uk/assert.h>

#include "port.h"
#include "report.h"

void __noreturn uk_assert_fail(const char *cond, const char *file, int line)
{
	rnd_print("ukallocrnd: assertion failed: %s, %s:%d\n", cond, file,
		  line);
	rnd_port_abort();
}
