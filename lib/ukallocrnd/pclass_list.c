/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Slabs of a part that have free slots
 *
 * Free slabs are at the end of the partial list: the last ones to be used
 * again, and the first to be purged.
 */

#include <uk/assert.h>

#include "pclass_priv.h"

void rnd_pclass_list(struct rnd_pclass *pl, struct rnd_slab *s)
{
	__bool is_empty = rnd_slab_is_empty(s);

	UK_ASSERT(!s->listed && !s->active);

	s->prev = is_empty ? pl->partial_last : __NULL;
	s->next = is_empty ? __NULL : pl->partial;
	if (s->next)
		s->next->prev = s;
	else
		pl->partial_last = s;
	if (s->prev)
		s->prev->next = s;
	else
		pl->partial = s;
	s->listed = 1;
	pl->empty_cnt += is_empty;
}

void rnd_pclass_unlist(struct rnd_pclass *pl, struct rnd_slab *s)
{
	UK_ASSERT(s->listed);

	if (s->prev)
		s->prev->next = s->next;
	else
		pl->partial = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		pl->partial_last = s->prev;
	s->next = __NULL;
	s->prev = __NULL;
	s->listed = 0;
}

void rnd_pclass_take_listed(struct rnd_pclass *pl, struct rnd_slab *s)
{
	rnd_pclass_unlist(pl, s);
	pl->empty_cnt -= rnd_slab_is_empty(s);
	pl->empty_low = MIN(pl->empty_low, pl->empty_cnt);
}

void rnd_pclass_activate(struct rnd_pclass *pl, struct rnd_slab *s)
{
	s->active = 1;
	pl->active[pl->active_cnt++] = s;
}

void rnd_pclass_deactivate(struct rnd_pclass *pl, __u32 i)
{
	pl->active[i]->active = 0;
	pl->active[i] = pl->active[--pl->active_cnt];
	pl->active[pl->active_cnt] = __NULL;
}
