/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_TRACE_H__
#define __UKALLOCRND_TRACE_H__

/* Trace: who did something, and by which way it came there */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "port.h"

/** Return addresses that are kept */
#define RND_TRACE_LEN 16U

/* Frames of the library itself, which are not kept */
#define RND_TRACE_OWN 12U

struct rnd_trace {
	__u32 cpu; /* index of the state; 0: none in particular */
	__u32 cnt; /* frames; 0: nothing is known */
	__uptr frame[RND_TRACE_LEN];
};

/**
 * Takes the trace of the calling context, as far as the port can: at least
 * the caller is in it.
 *
 * @param caller
 *   Return address of the public function: where the trace begins
 */
static inline void rnd_trace_take(struct rnd_trace *t, __u32 cpu, __uptr caller)
{
	__uptr buf[RND_TRACE_LEN + RND_TRACE_OWN];
	__u32 cnt = rnd_port_backtrace(buf, ARRAY_SIZE(buf)), i = 0;

	while (i < cnt && buf[i] != caller)
		i++;

	t->cpu = cpu;
	t->cnt = 0;
	if (i == cnt)
		t->frame[t->cnt++] = caller;
	while (i < cnt && t->cnt < RND_TRACE_LEN)
		t->frame[t->cnt++] = buf[i++];
}

#endif /* __UKALLOCRND_TRACE_H__ */
