/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdint.h>
#include <string.h>

#include "history.h"

#define BRIEF_SIZE  1024U
#define BRIEF_FREES 200U /* an address stays away for 256 frees */

struct history history;

struct thing *history_find(const void *ptr)
{
	unsigned int i;

	for (i = 0; i < history.live_cnt; i++)
		if (history.live[i].o.ptr == ptr)
			return &history.live[i];
	return NULL;
}

/* Mostly small ones, seldom more than a page */
static size_t pick_align(const struct form *form)
{
	size_t least = form->family == FAMILY_MALLOC ? 3 : 0;

	return 1UL << (least + pick(one_in(8) ? 14 : 8));
}

/*
 * Operations
 */

void history_call(enum actor actor, struct call *call)
{
	const void *before = call->ptr;

	note("%s %s ptr=%#zx size=%zu align=%zu\n", actor_name[actor],
	     call->form->name, (size_t)before, call->size, call->align);
	actor_run(actor, (actor_func)form_run, call);
	if (call->ptr != before)
		note("    = %#zx\n", (size_t)call->ptr);
}

static struct form *alloc_form(void)
{
	struct form *form;

	do {
		form = &alloc_forms[pick(alloc_forms_cnt)];
	} while (form->flags & (FORM_ALIGNED | FORM_PAGED));
	return form;
}

struct thing *history_alloc(enum actor actor, struct form *form, size_t size)
{
	struct thing *t = &history.live[history.live_cnt];
	struct call call = { .form = form ? form : alloc_form(), .size = size };
	unsigned int flags = call.form->flags;

	EXPECT(history.live_cnt < LIVE_MAX);
	if (flags & FORM_ALIGNED)
		call.align = pick_align(call.form);
	history_call(actor, &call);
	EXPECT(call.ptr);

	memset(t, 0, sizeof(*t));
	if (flags & FORM_ROUNDED)
		size = (size + PAGE_LEN - 1) / PAGE_LEN * PAGE_LEN;
	t->o.ptr = call.ptr;
	t->o.size = size;
	t->align = call.align;
	t->o.align = flags & FORM_PAGED ? PAGE_LEN :
		     call.align < 16	? 16 :
					  call.align;
	t->slot = t->o.align > 16 ? SLOT_UNKNOWN : slot_of(size);
	t->family = call.form->family;
	t->owner = actor;
	t->over = flags & FORM_ALIGNED && t->family != FAMILY_MALLOC;
	t->sized = 1;
	if (flags & FORM_ZEROED)
		object_check_zero(&t->o);
	EXPECT((uintptr_t)t->o.ptr % t->o.align == 0);
	object_fill(&t->o, &history.random);
	history_know(call.ptr);
	history.live_cnt++;
	return t;
}

struct thing history_take(unsigned int i)
{
	struct thing t = history.live[i];

	EXPECT(i < history.live_cnt);
	if (!t.opaque)
		object_check(&t.o, "taken");
	history.live[i] = history.live[--history.live_cnt];
	return t;
}

void history_put(const struct thing *t)
{
	EXPECT(history.live_cnt < LIVE_MAX);
	history.live[history.live_cnt++] = *t;
}

struct form *history_free_form(const struct thing *t)
{
	struct form *form;
	int aligned;

	for (;;) {
		form = &free_forms[pick(free_forms_cnt)];
		aligned = (form->flags & FORM_ALIGNED) != 0;
		if (form->family == t->family && aligned == t->over &&
		    (t->sized || !(form->flags & FORM_SIZED)))
			return form;
	}
}

struct call history_free_call(const struct thing *t, struct form *form)
{
	return (struct call){ .form = form,
			      .ptr = t->o.ptr,
			      .size = t->o.size,
			      .align = t->align };
}

void history_free(const struct thing *t, enum actor actor)
{
	struct call call = history_free_call(t, history_free_form(t));

	history_call(actor, &call);
	history.frees++;
}

static void op_alloc(void)
{
	struct form *form = &alloc_forms[pick(alloc_forms_cnt)];
	size_t size = pick_size();

	history_alloc(pick_actor(), one_in(3) ? form : NULL, size);
}

static void op_free(struct thing *t)
{
	history_free(t, pick_actor());
}

static void op_realloc(struct thing *t)
{
	struct call call = { .form = &form_realloc, .ptr = t->o.ptr };
	enum actor actor = pick_actor();
	size_t kept;

	/* Often about the same size, to stay in the slot or nearly so */
	call.size = one_in(2) ? pick_size() : t->o.size + pick(24);
	call.size += !call.size;
	if (call.size > history.size_max)
		call.size = history.size_max;
	history_call(actor, &call);
	EXPECT(call.ptr);

	kept = call.size < t->o.size ? call.size : t->o.size;
	if (!t->opaque)
		object_check_prefix(&t->o, call.ptr, kept, "realloc");
	if (call.ptr != t->o.ptr) {
		history.frees++;
		history_know(call.ptr);
		t->slot = slot_of(call.size);
		t->owner = actor;
	} else if (t->slot != slot_of(call.size)) {
		t->slot = SLOT_UNKNOWN;
	}
	t->o.ptr = call.ptr;
	t->o.size = call.size;
	t->o.align = 16;
	t->sized = 1;
	if (!t->opaque)
		object_fill(&t->o, &history.random);
	history_put(t);
}

/* What is called usable belongs to the object from then on */
static void op_usable(struct thing *t)
{
	struct call call = { .form = &form_usable, .ptr = t->o.ptr };

	history_call(pick_actor(), &call);
	EXPECT(call.size >= t->o.size);
	if (!t->opaque)
		object_check(&t->o, "usable size");
	if (call.size > t->o.size)
		t->sized = 0;
	t->o.size = call.size;
	if (!t->opaque)
		object_fill(&t->o, &history.random);
	history_put(t);
}

static void op_any(void)
{
	struct thing t;

	/* The closer to the limit, the fewer allocations */
	if (pick(history.live_usual) >= history.live_cnt) {
		op_alloc();
		return;
	}
	t = history_take((unsigned int)pick(history.live_cnt));
	if (t.o.size > history.size_max)
		history_put(&t);
	else if (t.family != FAMILY_MALLOC || one_in(2))
		op_free(&t);
	else if (one_in(4))
		op_usable(&t);
	else
		op_realloc(&t);
}

void history_run(unsigned int ops)
{
	while (ops--)
		op_any();
}

void history_run_briefly(void)
{
	unsigned long end = history.frees + pick(BRIEF_FREES);
	size_t size_max = history.size_max;
	size_t ops = pick(2UL * BRIEF_FREES);

	history.size_max = BRIEF_SIZE;
	while (ops-- && history.frees < end)
		op_any();
	history.size_max = size_max;
}

void history_free_all(void)
{
	struct thing t;

	while (history.live_cnt) {
		t = history_take((unsigned int)pick(history.live_cnt));
		op_free(&t);
	}
}
