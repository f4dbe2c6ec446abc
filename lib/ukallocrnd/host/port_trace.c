/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* How a thread came to where it is
 *
 * The frame pointer of a program cannot be trusted, so this is done by the
 * unwinder of the compiler's own library, which is linked in: backtrace() of
 * the C library would load it, and allocate, when it is first used. The
 * unwinder finds its tables through _dl_find_object(), which takes no lock
 * (glibc 2.35); it is called with locks of the heap held.
 */

#include <dlfcn.h>
#include <link.h>
#include <unwind.h>

#include "port.h"

struct trace_walk {
	__uptr *buf;
	__u32 cnt;
	__u32 max;
};

static _Unwind_Reason_Code trace_frame(struct _Unwind_Context *ctx, void *arg)
{
	struct trace_walk *walk = arg;
	__uptr ip = _Unwind_GetIP(ctx);

	if (!ip || walk->cnt == walk->max)
		return _URC_END_OF_STACK;
	walk->buf[walk->cnt++] = ip;

	return _URC_NO_REASON;
}

/* Frames are written through the walk */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
__u32 rnd_port_backtrace(__uptr *buf, __u32 max)
{
	struct trace_walk walk = { .buf = buf, .max = max };

	_Unwind_Backtrace(trace_frame, &walk);

	return walk.cnt;
}

const char *rnd_port_module(__uptr addr, __uptr *base)
{
#if __GLIBC_PREREQ(2, 35)
	struct dl_find_object found;
	const char *name, *p;

	if (_dl_find_object((void *)addr, &found))
		return __NULL;

	*base = found.dlfo_link_map->l_addr;
	name = found.dlfo_link_map->l_name;
	for (p = name; *p; p++)
		if (*p == '/')
			name = p + 1;

	return *name ? name : "program";
#else
	(void)addr;
	(void)base;
	return __NULL;
#endif
}
