/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_TRACEFILE_H__
#define __GUESTBENCH_TRACEFILE_H__

/* Reads a trace: what a program asked of its allocator
 *
 * How
 *   Objects are numbered in the order of their birth. The file has the word
 *   "UKT1", the number of events and that of objects (32 bits each, the
 *   lowest byte first), and a block of LZ4. Its contents are numbers of seven
 *   bits a byte, the lowest first; all bytes of a number but the last have
 *   bit 7. One number begins an event; its two lowest bits are the operation,
 *   above them is
 *     - the size, if the operation makes an object, or
 *     - how many objects were born after this one; with realloc, the new
 *       size follows as another number.
 *
 * Invariants, of every trace that is read without an error
 *   T1. malloc and calloc bring the objects 0, 1, 2, ... in this order.
 *   T2. free and realloc are of an object that is alive.
 *   T3. Sizes are 1 to TRACE_SIZE_MAX.
 *   T4. There are as many events and objects as the file says.
 */

#include <uk/arch/types.h>

#include "lz4.h"

#define TRACE_SIZE_MAX ((1U << 30) - 1)

/** Values of the file format */
enum trace_op {
	TRACE_MALLOC,
	TRACE_FREE,
	TRACE_REALLOC,
	TRACE_CALLOC
};

struct trace_event {
	__u32 obj;
	__u32 arg; /* operation, and the size (free: 0) times four */
};

static inline enum trace_op trace_op(const struct trace_event *ev)
{
	return (enum trace_op)(ev->arg % 4);
}

/** Bytes of the object from now on */
static inline __sz trace_size(const struct trace_event *ev)
{
	return ev->arg / 4;
}

struct trace {
	__u32 events, objects; /* that the file says there are */
	__u32 read, born;      /* that were seen up to now */
	__u8 *alive;	       /* by object; of those below born */
	struct lz4 lz4;
};

/**
 * Begins to read a trace.
 *
 * @param file
 *   The bytes; they must stay until the last call of trace_next()
 * @param alive
 *   One byte for each of objects_max objects, for the reader's use
 * @return
 *   - 0: trace_next() may be called
 *   - -EINVAL: this is no trace
 *   - -E2BIG: more than objects_max objects
 */
int trace_open(struct trace *t, const void *file, __sz len, __u8 *alive,
	       __sz objects_max);

/**
 * Reads the next event.
 *
 * @return
 *   - 1: there is one
 *   - 0: the trace ended before
 *   - -EINVAL: the file is cut off or damaged; further calls are not allowed
 */
int trace_next(struct trace *t, struct trace_event *ev);

#endif /* __GUESTBENCH_TRACEFILE_H__ */
