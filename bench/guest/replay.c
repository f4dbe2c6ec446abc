/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What real programs ask of their allocator
 *
 * Pattern
 *   The allocations of redis under a mixed load and of the sqlite3 shell with
 *   a script, recorded on Linux: bench/trace. Trace-driven comparison of
 *   allocators goes back to Zorn and Grunwald (1994).
 *
 * Question
 *   What does an operation cost with the sizes and lifetimes of programs,
 *   which no random generator imitates?
 *
 * How
 *   The trace is decoded before the first operation; what is counted is one
 *   event each: malloc, calloc, realloc or free. The first and last byte of
 *   an object are written when it is new or has another size. A batch is the
 *   whole trace; objects left at its end are freed, an operation each, and
 *   the next batch finds nothing alive. All tables lie in .bss: none of this
 *   memory comes from the allocator.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "bench.h"
#include "tracefile.h"

/* Enough for the traces that are here; setup fails with larger ones */
#define EVENTS_MAX  131072U
#define OBJECTS_MAX 81920U

extern const __u8 traces_redis[], traces_redis_end[];
extern const __u8 traces_sqlite[], traces_sqlite_end[];

static struct trace trace;
static struct trace_event events[EVENTS_MAX];
static __u32 event_cnt;
static void *objects[OBJECTS_MAX];
static __u8 alive[OBJECTS_MAX];

static int setup(const __u8 *file, const __u8 *end)
{
	int rc = trace_open(&trace, file, (__sz)(end - file), alive,
			    OBJECTS_MAX);

	event_cnt = 0;
	if (rc)
		return rc;
	if (trace.events > EVENTS_MAX)
		return -E2BIG;
	while ((rc = trace_next(&trace, &events[event_cnt])) > 0)
		event_cnt++;
	return rc;
}

static int setup_redis(const struct bench_run *run __unused)
{
	return setup(traces_redis, traces_redis_end);
}

static int setup_sqlite(const struct bench_run *run __unused)
{
	return setup(traces_sqlite, traces_sqlite_end);
}

static unsigned long free_all(struct uk_alloc *a)
{
	unsigned long n = 0;
	__u32 i;

	for (i = 0; i < trace.born; i++) {
		if (!objects[i])
			continue;
		uk_free(a, objects[i]);
		objects[i] = __NULL;
		n++;
	}
	return n;
}

static void touch(void *ptr, __sz size)
{
	volatile char *bytes = ptr;

	bytes[0] = 1;
	bytes[size - 1] = 1;
}

static void *replay_one(struct uk_alloc *a, const struct trace_event *ev)
{
	__sz size = trace_size(ev);

	switch (trace_op(ev)) {
	case TRACE_MALLOC:
		return uk_malloc(a, size);
	case TRACE_CALLOC:
		return uk_calloc(a, 1, size);
	default:
		return uk_realloc(a, objects[ev->obj], size);
	}
}

/* A failure returns no operations, and leaves what is alive to the teardown */
static unsigned long replay(struct bench_run *run)
{
	const struct trace_event *ev, *end = events + event_cnt;

	for (ev = events; ev < end; ev++) {
		void *ptr;

		if (trace_op(ev) == TRACE_FREE) {
			uk_free(run->a, objects[ev->obj]);
			objects[ev->obj] = __NULL;
			continue;
		}
		ptr = replay_one(run->a, ev);
		if (unlikely(!ptr))
			return 0;
		touch(ptr, trace_size(ev));
		objects[ev->obj] = ptr;
	}
	return event_cnt + free_all(run->a);
}

static void teardown(const struct bench_run *run)
{
	free_all(run->a);
}

const struct bench_workload bench_replay_redis = {
	.name = "replay-redis",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.setup = setup_redis,
	.batch = replay,
	.teardown = teardown,
};

const struct bench_workload bench_replay_sqlite = {
	.name = "replay-sqlite",
	.cpus_min = 1,
	.cpus_max = BENCH_CPUS,
	.exact = 1,
	.setup = setup_sqlite,
	.batch = replay,
	.teardown = teardown,
};
