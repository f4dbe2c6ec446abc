/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Accesses to memory that is not, or not any more, the program's */

#include <stdint.h>
#include <string.h>

#include "crime.h"

/* Changes n bytes, each certainly or, in other ways, at least one of them */
static void damage(uintptr_t at, size_t n)
{
	volatile unsigned char *byte = (volatile unsigned char *)at;
	unsigned int way = (unsigned int)pick(4), changed = 0;
	unsigned char new;
	size_t i;

	note("write %zu bytes at %#zx\n", n, (size_t)at);
	for (i = 0; i < n; i++) {
		new = way == 0 ? 0 : way == 1 ? 'A' : (unsigned char)pick(256);
		if (way == 2 || (i == n - 1 && !changed && new == byte[i]))
			new = byte[i] ^ (unsigned char)(1 + pick(255));
		changed |= new != byte[i];
		byte[i] = new;
	}
}

/* One byte often, many seldom; at most max */
static size_t pick_len(size_t max)
{
	size_t n = one_in(2) ? 1 : 1 + random_size(&history.random, 6);

	return n < max ? n : max;
}

static uintptr_t start_of(const struct thing *t)
{
	return (uintptr_t)t->o.ptr;
}

/* Makes somebody look at a live object, now or sometime */
static void look_at(struct thing *t)
{
	struct call call = { .form = &form_usable, .ptr = t->o.ptr };

	if (one_in(2)) {
		history_put(t);
		return;
	}
	if (t->family != FAMILY_MALLOC || one_in(2)) {
		history_free(t, pick_actor());
		return;
	}
	if (one_in(2)) {
		call.form = &form_realloc;
		call.size = 1 + pick_size();
	}
	history_call(pick_actor(), &call);
}

/*
 * Behind the end
 */

static void overflow_large(struct thing *t)
{
	size_t len = (t->o.size + PAGE_LEN - 1) / PAGE_LEN * PAGE_LEN;
	size_t slack = len - t->o.size, at = 0;

	if (!slack || one_in(4)) {
		if (slack && slack < history.canary_len)
			len += PAGE_LEN;
		at = one_in(2) ? 0 : pick(PAGE_LEN);
		announce("overflow_guard", t->o.ptr, SLOT_LARGE);
		damage(start_of(t) + len + at, 1);
		return;
	}
	if (one_in(2))
		at = pick(slack);
	announce("overflow", t->o.ptr, SLOT_LARGE);
	damage(start_of(t) + t->o.size + at, pick_len(slack - at));
	look_at(t);
}

/* Behind an object at an address of its own choice: a slot or pages */
static void overflow_aligned(void)
{
	struct form *form;
	struct thing t;

	do {
		form = &alloc_forms[pick(alloc_forms_cnt)];
	} while (!(form->flags & FORM_ALIGNED));
	do {
		t = *history_alloc(pick_actor(), form, 1 + pick_size());
	} while (t.o.size % PAGE_LEN > PAGE_LEN - 8 ||
		 t.o.size % PAGE_LEN == 0);
	t = history_take(history.live_cnt - 1);
	announce("overflow", t.o.ptr, SLOT_UNKNOWN);
	damage(start_of(&t) + t.o.size + pick(8), 1);
	look_at(&t);
}

static void overflow(void)
{
	struct thing t = victim(WANT_SLOT | WANT_LARGE);
	size_t slack, at = 0;

	if (one_in(8)) {
		history_put(&t);
		overflow_aligned();
		return;
	}
	if (t.slot == SLOT_LARGE) {
		overflow_large(&t);
		return;
	}
	slack = t.slot - t.o.size;
	if (one_in(3))
		at = pick(slack);
	announce("overflow", t.o.ptr, t.slot);
	damage(start_of(&t) + t.o.size + at, pick_len(slack - at));
	look_at(&t);
}

/* Live things between two addresses have contents that nobody knows now */
static void make_opaque(uintptr_t from, uintptr_t to)
{
	uintptr_t start;
	unsigned int i;

	for (i = 0; i < history.live_cnt; i++) {
		start = start_of(&history.live[i]);
		if (start < to && start + history.live[i].o.size > from)
			history.live[i].opaque = 1;
	}
}

/* All the way into the slots behind, or to the end of the slab */
static void overflow_far(void)
{
	uintptr_t from, to, page;
	struct thing t;

	do {
		t = victim(WANT_SLOT);
	} while (slot_is_shared(t.slot));
	from = start_of(&t) + t.o.size;
	to = start_of(&t) + t.slot + 1 + pick(3 * t.slot);
	page = from / PAGE_LEN * PAGE_LEN;
	while (page < to && is_mapped((const void *)page))
		page += PAGE_LEN;
	if (page < to) {
		announce("overflow_guard", t.o.ptr, SLOT_UNKNOWN);
	} else if (one_in(2)) {
		make_opaque(from, to);
		announce("overflow", t.o.ptr, t.slot);
		damage(from, to - from);
		history_free(&t, pick_actor());
		return;
	} else {
		history_put(&t);
		make_opaque(from, to);
		announce("overflow_far", NULL, SLOT_UNKNOWN);
	}
	damage(from, to - from);
}

/* What has no bytes must not be touched at all */
static void empty_access(void)
{
	struct thing t = victim(WANT_EMPTY);
	volatile char *byte = (volatile char *)t.o.ptr + pick(16);

	announce("empty_access", t.o.ptr, t.slot);
	if (one_in(2))
		*byte = 1;
	else
		(void)*byte;
}

/*
 * Before the start
 */

static int has_slack(const struct thing *t)
{
	return t->sized && t->o.size + history.canary_len <= t->slot;
}

/* A thing whose neighbour in front is live, by making more of its size */
static struct thing find_neighbours(struct thing **front)
{
	struct thing t;
	unsigned int tries;

	for (tries = 0; tries < LIVE_MAX / 2; tries++) {
		if (!tries || history.live_cnt >= LIVE_MAX - 2)
			t = victim(WANT_SLOT);
		else
			t = *history_alloc(pick_actor(), NULL, t.o.size);
		if (!tries || history.live_cnt >= LIVE_MAX - 2)
			history_put(&t);
		*front = history_find((char *)t.o.ptr - t.slot);
		if (*front && has_slack(*front))
			return t;
	}
	*front = NULL;
	return t;
}

static void underflow(void)
{
	struct thing *front = NULL, t;
	uintptr_t before;

	if (one_in(2)) {
		t = find_neighbours(&front);
	} else {
		t = victim(WANT_SLOT | WANT_LARGE);
		history_put(&t);
	}
	before = start_of(&t) - 1;
	if (!front)
		front = history_find((char *)t.o.ptr - t.slot);

	if (t.slot == SLOT_LARGE || !is_mapped((const void *)before)) {
		announce("underflow_guard", t.o.ptr, SLOT_UNKNOWN);
	} else if (slot_is_shared(t.slot)) {
		underflow();
		return;
	} else if (front) {
		announce("underflow_live", front->o.ptr, front->slot);
	} else {
		announce("underflow_free", (char *)t.o.ptr - t.slot, t.slot);
		aftermath.reuse = t.slot;
		aftermath.owner = t.owner;
	}
	damage(before, 1);
}

/*
 * After the end of its life
 */

static void write_after_free(void)
{
	struct thing t = victim(WANT_ANY);
	size_t at, len = t.slot == SLOT_LARGE ? t.o.size : t.slot;

	kill_thing(&t);
	interlude();
	at = pick(len);
	if (t.slot == SLOT_LARGE || !t.o.size) {
		announce("write_after_free_fault", t.o.ptr, t.slot);
	} else {
		announce("write_after_free", t.o.ptr, t.slot);
		aftermath.reuse = t.slot;
		aftermath.owner = t.owner;
	}
	/* A free slot is zero: a zero would change nothing */
	damage(start_of(&t) + at, pick_len(len - at));
}

static void read_after_free(void)
{
	struct thing t = victim(WANT_SLOT | WANT_LARGE);
	volatile const char *byte = (volatile const char *)t.o.ptr;
	size_t i;

	kill_thing(&t);
	interlude();
	if (t.slot == SLOT_LARGE) {
		announce("read_after_free_fault", t.o.ptr, t.slot);
		(void)byte[pick(t.o.size)];
		return;
	}
	announce("read_after_free", t.o.ptr, t.slot);
	aftermath.harmless = 1;
	for (i = 0; i < t.slot; i++)
		if (byte[i])
			test_die("stale byte %#x at offset %zu of %p",
				 (unsigned char)byte[i], i, (void *)t.o.ptr);
}

/* No crime at all: nothing may be reported */
static void none(void)
{
	announce("none", NULL, SLOT_UNKNOWN);
	aftermath.harmless = 1;
	history_run((unsigned int)pick(2000));
}

const struct crime crimes_write[] = {
	{ "overflow", 6, overflow },
	{ "overflow_far", 2, overflow_far },
	{ "empty_access", 1, empty_access },
	{ "underflow", 4, underflow },
	{ "write_after_free", 6, write_after_free },
	{ "read_after_free", 2, read_after_free },
	{ "none", 2, none },
	{ NULL, 0, NULL },
};
