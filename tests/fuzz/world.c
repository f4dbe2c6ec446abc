/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include "../misuse/actor.h"
#include "world.h"

/* Heaps get old: what an input finds must not depend on too many others */
#define INPUTS_MAX 64U

struct world world;

static void call_run(void *arg)
{
	struct call *c = arg;
	struct uk_alloc *a = world.a;

	switch (c->what) {
	case CALL_MALLOC:
		c->ptr = uk_malloc(a, c->size);
		break;
	case CALL_CALLOC:
		c->ptr = uk_calloc(a, c->align, c->size);
		break;
	case CALL_REALLOC:
		c->ptr = uk_realloc(a, c->ptr, c->size);
		break;
	case CALL_MEMALIGN:
		c->ptr = uk_memalign(a, c->align, c->size);
		break;
	case CALL_POSIX_MEMALIGN:
		errno = uk_posix_memalign(a, &c->ptr, c->align, c->size);
		break;
	case CALL_PALLOC:
		c->ptr = uk_palloc(a, c->size);
		break;
	case CALL_FREE:
		uk_free(a, c->ptr);
		break;
	case CALL_PFREE:
		uk_pfree(a, c->ptr, c->size);
		break;
	case CALL_USABLE:
		c->size = uk_alloc_usable_size(a, c->ptr);
		break;
	case CALL_FLUSH:
		uk_allocrnd_flush(a);
		break;
	case CALL_PURGE:
		uk_allocrnd_purge(a);
		break;
	}
}

static void call_guarded(void *arg)
{
	struct call *c = arg;

	errno = 0;
	c->caught = caught_run(call_run, c);
	c->err = errno;
}

void world_call(struct input *in, struct call *call)
{
	unsigned int who = input_u8(in) % 8;

	actor_run(who < 5  ? ACTOR_MAIN :
		  who == 5 ? ACTOR_B :
			     ACTOR_A,
		  call_guarded, call);
}

void world_call_valid(struct input *in, struct call *call)
{
	const void *ptr = call->ptr;
	size_t size = call->size;

	world_call(in, call);
	if (call->caught.is_report)
		test_die("call %d of %p, size %zu, align %zu: false report %d "
			 "of %p",
			 call->what, ptr, size, call->align, call->caught.bug,
			 call->caught.ptr);
}

/*
 * Before and after an input
 */

void world_begin(void)
{
	/* The first one stays: the default cannot be destroyed */
	static struct uk_alloc *first;

	if (!first)
		first = uk_allocrnd_init(NULL, 0);
	if (world.a && ++world.inputs > INPUTS_MAX)
		world_drop();
	if (!world.a)
		world.a = uk_allocrnd_init(NULL, 0);
	EXPECT(first && world.a && !world.live_cnt);
	world.tags = 0;
}

/* No two objects overlap, which their contents also would tell */
static void expect_disjoint(void)
{
	static struct object *all[WORLD_LIVE];
	unsigned int i;

	for (i = 0; i < world.live_cnt; i++)
		all[i] = &world.live[i];
	objects_check_disjoint(all, world.live_cnt);
}

static void flush(void *arg)
{
	(void)arg;
	uk_allocrnd_flush(world.a);
}

static void expect_empty(void)
{
	struct uk_allocrnd_stats stats;

	EXPECT(uk_allocrnd_check(world.a) == 0);
	uk_allocrnd_stats_get(world.a, &stats);
	EXPECT(stats.live_slots == 0);
	EXPECT(stats.live_bytes == 0);
	EXPECT(stats.large_live == 0);
}

void world_end(void)
{
	struct input zeros = { .len = 0 };

	expect_disjoint();
	while (world.live_cnt)
		world_free(&zeros, world.live_cnt / 2);
	actor_run(ACTOR_A, flush, NULL);
	actor_run(ACTOR_B, flush, NULL);
	flush(NULL);
	expect_empty();
	world.dead_cnt = 0;
	memset(world.dead, 0, sizeof(world.dead));
}

void world_drop(void)
{
	EXPECT(!uk_allocrnd_destroy(world.a));
	memset(&world, 0, sizeof(world));
}
