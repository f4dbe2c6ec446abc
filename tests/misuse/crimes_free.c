/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Objects freed twice */

#include "crime.h"

/* Any of the calls that take an object, with one that is gone */
static struct call second_call(const struct thing *t)
{
	struct call call = history_free_call(t, history_free_form(t));

	if (t->family == FAMILY_MALLOC && one_in(3)) {
		call.form = one_in(2) ? &form_realloc : &form_usable;
		call.size = 1 + pick_size();
	}
	return call;
}

static void double_free(void)
{
	struct thing t = victim(WANT_ANY);
	struct call call;

	kill_thing(&t);
	interlude();
	call = second_call(&t);
	announce(t.slot == SLOT_LARGE ? "double_free_large" : "double_free",
		 t.o.ptr, t.slot);
	history_call(pick_actor(), &call);
}

static void race_call(void *arg)
{
	struct call call = *(struct call *)arg;

	form_run(&call);
}

static void double_free_race(void)
{
	struct thing t = victim(WANT_ANY);
	struct call call = history_free_call(&t, history_free_form(&t));
	enum actor second = (enum actor)(1 + pick(ACTOR_COUNT - 1));
	enum actor first = (enum actor)pick(second);

	announce(t.slot == SLOT_LARGE ? "double_free_race_large" :
					"double_free_race",
		 t.o.ptr, t.slot);
	aftermath.found_at_exit = 1;
	note("%s and %s %s at once\n", actor_name[first], actor_name[second],
	     call.form->name);
	actor_race(first, second, race_call, &call);
}

/* Long after the first time, but not handed out again */
static void double_free_late(void)
{
	struct thing t = victim(WANT_ANY);
	struct call call;

	kill_thing(&t);
	history_run(300 + (unsigned int)pick(1000));
	while (history_find(t.o.ptr)) {
		t = victim(WANT_ANY);
		kill_thing(&t);
	}
	call = second_call(&t);
	announce("double_free_late", t.o.ptr, SLOT_UNKNOWN);
	history_call(pick_actor(), &call);
}

const struct crime crimes_free[] = {
	{ "double_free", 6, double_free },
	{ "double_free_race", 2, double_free_race },
	{ "double_free_late", 1, double_free_late },
	{ NULL, 0, NULL },
};
