/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Fuzz target: pointers
 *
 * Valid operations, and calls with pointers that the fuzzer makes: numbers,
 * places in and around objects, live and freed. The reference says if such a
 * call is valid after all, and which report it must end in otherwise.
 */

#include "world.h"

/* What a call may be reported as */
#define BIT(bug)   (1U << (bug))
#define BITS_INNER (BIT(RND_BUG_INTERIOR_FREE) | BIT(RND_BUG_MISALIGNED_FREE))
#define BITS_ANY                                                               \
	(BITS_INNER | BIT(RND_BUG_INVALID_FREE) | BIT(RND_BUG_DOUBLE_FREE) |   \
	 BIT(RND_BUG_UNALLOCATED_FREE) | BIT(RND_BUG_SIZE_MISMATCH) |          \
	 BIT(RND_BUG_KIND_MISMATCH))

static char outside[64];

static uintptr_t start_of(const struct object *o)
{
	return (uintptr_t)o->ptr;
}

/* Strictly inside: the first byte is another matter */
static int is_inside(const struct object *o, uintptr_t ptr)
{
	return ptr > start_of(o) && ptr - start_of(o) < o->size;
}

static unsigned int dead_cnt(void)
{
	return world.dead_cnt < WORLD_DEAD ? world.dead_cnt : WORLD_DEAD;
}

/*
 * Making pointers
 */

static uintptr_t offset(struct input *in, size_t size)
{
	switch (input_u8(in) % 8) {
	case 0:
	case 1:
		return 0;
	case 2:
		return (uintptr_t)(int8_t)input_u8(in);
	case 3:
		return (uintptr_t)(int8_t)input_u8(in) * 8;
	case 4:
		return (uintptr_t)(int8_t)input_u8(in) * PAGE_LEN;
	case 5:
		return size ? input_word(in, 3) % size : 0;
	case 6:
		return size + input_u8(in) % 32;
	default:
		return input_word(in, 5) - (1UL << 39);
	}
}

static uintptr_t strange(struct input *in)
{
	switch (input_u8(in) % 5) {
	case 0:
		return (uintptr_t)in; /* on the stack */
	case 1:
		return (uintptr_t)outside;
	case 2:
		return (uintptr_t)&world.a->priv;
	case 3:
		return (uintptr_t)strange;
	default:
		return 0;
	}
}

/* Sets *pages if it came from pages */
static uintptr_t make_pointer(struct input *in, int *pages)
{
	const struct object *o = NULL;
	unsigned int from = input_u8(in) % 8;

	*pages = 0;
	if (from < 4 && world.live_cnt)
		o = &world.live[input_index(in, world.live_cnt)];
	else if (from < 6 && dead_cnt())
		o = &world.dead[input_index(in, dead_cnt())];
	else if (from == 6)
		return input_word(in, 8);
	if (!o)
		return strange(in) + offset(in, 16);
	*pages = o->is_pages;
	return start_of(o) + offset(in, o->size);
}

/*
 * What they must lead to
 */

static unsigned int expect_inner(uintptr_t ptr)
{
	return BIT(ptr % 16 ? RND_BUG_MISALIGNED_FREE : RND_BUG_INTERIOR_FREE);
}

/* Reports that a call may end in; 0 and *live: it is valid */
static unsigned int expect(uintptr_t ptr, unsigned int *live)
{
	const struct object *o;
	unsigned int i;

	*live = WORLD_LIVE;
	for (i = 0; i < world.live_cnt; i++) {
		o = &world.live[i];
		if (start_of(o) == ptr && o->is_pages)
			return BIT(RND_BUG_KIND_MISMATCH);
		*live = i;
		if (start_of(o) == ptr)
			return 0;
		if (is_inside(o, ptr))
			return o->is_pages ? BITS_ANY : expect_inner(ptr);
	}
	*live = WORLD_LIVE;
	for (i = 0; i < dead_cnt(); i++) {
		o = &world.dead[i];
		if (o->is_pages || !world_is_quarantined(i))
			continue;
		if (start_of(o) == ptr)
			return BIT(RND_BUG_DOUBLE_FREE);
		if (is_inside(o, ptr))
			return expect_inner(ptr);
	}
	return ptr ? BITS_ANY : 0;
}

/* The live pages that contain so many from ptr on, or WORLD_LIVE */
static unsigned int find_pages(uintptr_t ptr, size_t cnt)
{
	const struct object *o;
	unsigned int i;

	for (i = 0; i < world.live_cnt; i++) {
		o = &world.live[i];
		if (o->is_pages && ptr >= start_of(o) && ptr % PAGE_LEN == 0 &&
		    ptr - start_of(o) < o->size &&
		    cnt <= (o->size - (ptr - start_of(o))) / PAGE_LEN)
			return i;
	}
	return WORLD_LIVE;
}

/*
 * Calls; 1: it ended in a report, which was right
 */

static int call_wrong(struct input *in, struct call *call, unsigned int allowed)
{
	uintptr_t ptr = (uintptr_t)call->ptr;

	world_call(in, call);
	if (!call->caught.is_report)
		test_die("call %d with %#zx: no report", call->what, ptr);
	if (!(BIT(call->caught.bug) & allowed))
		test_die("call %d with %#zx: report %d, not one of %#x",
			 call->what, ptr, call->caught.bug, allowed);
	EXPECT((uintptr_t)call->caught.ptr == ptr);
	return 1;
}

static int try_pages(struct input *in, uintptr_t ptr)
{
	struct call call = { .what = CALL_PFREE, .ptr = (void *)ptr };
	unsigned int i;

	call.size = 1 + input_index(in, 8);
	if (input_u8(in) % 8 == 0)
		call.size = input_any(in) | 1;
	i = find_pages(ptr, call.size);
	if (i == WORLD_LIVE && ptr)
		return call_wrong(in, &call, BITS_ANY);
	if (ptr)
		world_pfree(in, i, (ptr - start_of(&world.live[i])) / PAGE_LEN,
			    call.size);
	else
		world_call_valid(in, &call);
	return 0;
}

static int try_pointer(struct input *in)
{
	int pages;
	uintptr_t ptr = make_pointer(in, &pages);
	unsigned int how = input_u8(in) % 8, i, allowed;
	struct call call = { .what = CALL_FREE, .ptr = (void *)ptr };

	if (how == 0 || (pages && how > 4))
		return try_pages(in, ptr);
	if (how == 1)
		call.what = CALL_USABLE;
	if (how == 2 || how == 3) {
		call.what = CALL_REALLOC;
		call.size = input_size(in);
	}

	allowed = expect(ptr, &i);
	if (allowed)
		return call_wrong(in, &call, allowed);
	if (!ptr && how != 2 && how != 3)
		world_call_valid(in, &call);
	else if (ptr && how == 1)
		world_usable(in, i);
	else if (ptr && call.what == CALL_REALLOC)
		world_realloc(in, i, call.size);
	else if (ptr)
		world_free(in, i);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };

	world_begin();
	while (in.len) {
		if (input_u8(&in) % 4) {
			world_op(&in);
		} else if (try_pointer(&in)) {
			world_drop();
			return 0;
		}
	}
	world_end();
	return 0;
}
