/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Valid operations, and what they make of the reference */

#include <string.h>

#include "world.h"

#define LIVE_LEN_MAX (16UL << 20)
#define SIZE_MAX_ANY (1UL << 19)

/* An address stays away until so many bytes were freed: the ring of what was
 * freed is too short for the other limit, a number of frees. Slots and pages
 * are longer than what was requested by less than SLACK_ANY.
 */
#define QUARANTINE_LEN (1UL << 20)
#define SLACK_ANY      8192U

/*
 * Allocating
 */

static void live_add(const struct object *o)
{
	struct random random = { .state = world.tags++ };
	struct object *new = &world.live[world.live_cnt++];

	EXPECT(o->ptr && world.live_cnt <= WORLD_LIVE);
	EXPECT((uintptr_t)o->ptr % o->align == 0);
	*new = *o;
	object_fill(new, &random);
	world.live_len += o->size;
}

static struct object live_remove(unsigned int i)
{
	struct object o = world.live[i];

	object_check(&o, "removed");
	world.live[i] = world.live[--world.live_cnt];
	world.live_len -= o.size;
	return o;
}

static void dead_add(const struct object *o)
{
	unsigned int i = world.dead_cnt++ % WORLD_DEAD;

	world.dead[i] = *o;
	world.dead_at[i] = world.freed_len;
	world.freed_len += o->size + SLACK_ANY;
}

int world_is_quarantined(unsigned int dead)
{
	return world.freed_len - world.dead_at[dead] <= QUARANTINE_LEN;
}

static void op_alloc(struct input *in, enum call_what what)
{
	struct call call = { .what = what };
	struct object o = { .align = 16 };

	call.size = input_size(in);
	o.size = call.size;
	if (what == CALL_CALLOC) {
		call.align = input_u8(in) % 9;
		o.size *= call.align;
	} else if (what == CALL_MEMALIGN || what == CALL_POSIX_MEMALIGN) {
		call.align = 8UL << input_u8(in) % 14;
		o.align = call.align;
	} else if (what == CALL_PALLOC) {
		call.size = 1 + call.size % 16;
		o.size = call.size * PAGE_LEN;
		o.align = PAGE_LEN;
		o.is_pages = 1;
	}
	if (world.live_cnt == WORLD_LIVE || o.size > SIZE_MAX_ANY ||
	    world.live_len + o.size > LIVE_LEN_MAX)
		return;

	world_call_valid(in, &call);
	o.ptr = call.ptr;
	EXPECT(o.ptr);
	if (what == CALL_CALLOC)
		object_check_zero(&o);
	live_add(&o);
}

/*
 * Freeing
 */

void world_free(struct input *in, unsigned int i)
{
	struct object o = live_remove(i);
	struct call call = { .what = CALL_FREE, .ptr = o.ptr };

	if (o.is_pages) {
		call.what = CALL_PFREE;
		call.size = o.size / PAGE_LEN;
	}
	world_call_valid(in, &call);
	dead_add(&o);
}

/* What is left before and behind stays live, as objects of their own */
void world_pfree(struct input *in, unsigned int i, size_t first, size_t cnt)
{
	struct object whole = live_remove(i), part = whole;
	char *base = (char *)whole.ptr;
	struct call call = { .what = CALL_PFREE,
			     .ptr = base + first * PAGE_LEN,
			     .size = cnt };
	size_t behind = whole.size / PAGE_LEN - first - cnt;

	EXPECT(first + cnt <= whole.size / PAGE_LEN);
	world_call_valid(in, &call);
	part.ptr = (uint64_t *)(void *)(base + first * PAGE_LEN);
	part.size = cnt * PAGE_LEN;
	dead_add(&part);

	if (first) {
		part.ptr = whole.ptr;
		part.size = first * PAGE_LEN;
		live_add(&part);
	}
	if (behind && world.live_cnt < WORLD_LIVE) {
		part.ptr =
			(uint64_t *)(void *)(base + (first + cnt) * PAGE_LEN);
		part.size = behind * PAGE_LEN;
		live_add(&part);
	} else if (behind) {
		call.ptr = base + (first + cnt) * PAGE_LEN;
		call.size = behind;
		world_call_valid(in, &call);
	}
}

void world_realloc(struct input *in, unsigned int i, size_t size)
{
	struct object o = world.live[i];
	struct call call = { .what = CALL_REALLOC, .ptr = o.ptr, .size = size };

	if (size > SIZE_MAX_ANY)
		return;
	live_remove(i);
	world_call_valid(in, &call);
	if (!size) {
		EXPECT(!call.ptr);
		dead_add(&o);
		return;
	}
	EXPECT(call.ptr);
	object_check_prefix(&o, call.ptr, size < o.size ? size : o.size,
			    "realloc");
	if (call.ptr != o.ptr)
		dead_add(&o);
	o.ptr = call.ptr;
	o.size = size;
	o.align = 16;
	live_add(&o);
}

/* What is usable belongs to the object from then on */
void world_usable(struct input *in, unsigned int i)
{
	struct call call = { .what = CALL_USABLE, .ptr = world.live[i].ptr };
	struct object o;

	world_call_valid(in, &call);
	o = live_remove(i);
	EXPECT(call.size >= o.size);
	o.size = call.size;
	live_add(&o);
}

/* Afterwards nobody knows what became of freed addresses */
static void op_give_back(struct input *in, enum call_what what)
{
	struct call call = { .what = what };

	world_call_valid(in, &call);
	world.dead_cnt = 0;
	memset(world.dead, 0, sizeof(world.dead));
}

static void op_object(struct input *in, unsigned int what)
{
	unsigned int i = (unsigned int)input_index(in, world.live_cnt);
	struct object *o = &world.live[i];
	size_t pages = o->size / PAGE_LEN, first;

	if (o->is_pages && what % 2) {
		first = input_index(in, pages);
		world_pfree(in, i, first, 1 + input_index(in, pages - first));
	} else if (o->is_pages || what < 4) {
		world_free(in, i);
	} else if (what < 6) {
		world_usable(in, i);
	} else {
		world_realloc(in, i,
			      what < 8 ? input_size(in) :
					 o->size + input_u8(in) % 32);
	}
}

void world_op(struct input *in)
{
	static const enum call_what allocs[] = {
		CALL_MALLOC,   CALL_MALLOC,	    CALL_CALLOC,
		CALL_MEMALIGN, CALL_POSIX_MEMALIGN, CALL_PALLOC,
	};
	unsigned int what = input_u8(in) % 32;

	if (what < 18)
		op_alloc(in, allocs[what / 3]);
	else if (what == 30)
		op_give_back(in, CALL_FLUSH);
	else if (what == 31)
		op_give_back(in, CALL_PURGE);
	else if (world.live_cnt)
		op_object(in, what - 18);
}
