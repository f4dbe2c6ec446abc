/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Allocated by one family of functions or with one size, freed with another */

#include "crime.h"

static struct form *pick_free_form(enum family family, unsigned int flags)
{
	struct form *form;

	do {
		form = &free_forms[pick(free_forms_cnt)];
	} while (form->family != family ||
		 (form->flags & (FORM_SIZED | FORM_ALIGNED)) != flags);
	return form;
}

/* A size that is not that of the object. What is told of an empty object with
 * an alignment is not what the operator compares, so it is not made less.
 */
static size_t other_size(const struct thing *t)
{
	size_t size = t->o.size;

	if (t->slot != SLOT_LARGE && one_in(4) &&
	    slot_of(size + 1) == slot_of(size))
		return size + 1;
	switch (pick(5)) {
	case 0:
		return size + 1;
	case 1:
		return size + 1 + pick_size();
	case 2:
		return size > 1 ? size - 1 : size + 1;
	case 3:
		return size > 1 && !t->over ? pick(size) : size + 2;
	default:
		return size ^ (1UL << (1 + pick(62)));
	}
}

static void size_mismatch(void)
{
	struct thing t = victim(WANT_ANY | WANT_CXX);
	unsigned int flags = FORM_SIZED | (t.over ? FORM_ALIGNED : 0);
	struct call call;

	call = history_free_call(&t, pick_free_form(t.family, flags));
	call.size = other_size(&t);
	announce("size_mismatch", t.o.ptr, t.slot);
	history_call(pick_actor(), &call);
}

/* The form takes the right size if it takes one */
static void kind_mismatch(void)
{
	struct thing t = victim(WANT_ANY);
	unsigned int add = 1 + (unsigned int)pick(FAMILY_COUNT - 1);
	enum family family = (enum family)((t.family + add) % FAMILY_COUNT);
	unsigned int flags = 0;
	struct call call;

	if (family != FAMILY_MALLOC)
		flags = (one_in(2) ? FORM_SIZED : 0) |
			(t.over ? FORM_ALIGNED : 0);
	call = history_free_call(&t, pick_free_form(family, flags));
	if (family == FAMILY_MALLOC && one_in(3)) {
		call.form = &form_realloc;
		call.size = 1 + pick_size();
	}
	announce("kind_mismatch", t.o.ptr, t.slot);
	history_call(pick_actor(), &call);
}

const struct crime crimes_kind[] = {
	{ "size_mismatch", 3, size_mismatch },
	{ "kind_mismatch", 3, kind_mismatch },
	{ NULL, 0, NULL },
};
