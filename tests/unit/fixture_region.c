/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_port.h"
#include "fixture_region.h"

struct rnd_vspace vs;
struct rnd_region r;
struct rnd_region_dyn dyn;
__u64 used[RND_WINDOW_COUNT / 64];
__u8 seen[MAX_SLABS];

void make(unsigned int sc)
{
	memset(&r, 0, sizeof(r));
	memset(&dyn, 0, sizeof(dyn));
	memset(used, 0, sizeof(used));
	memset(seen, 0, sizeof(seen));
	rnd_vspace_init(&vs, __SZ_MAX);
	assert_int_equal(0, rnd_region_init(&r, &dyn, sc, &vs, used));
}

int fixture_setup(void **state)
{
	(void)state;
	fake_port_reset(7);
	make(SC);
	return 0;
}

int fixture_teardown(void **state)
{
	(void)state;
	fake_port_reset(7);
	return 0;
}

__sz slab_len(void)
{
	return (__sz)r.slots * r.slot_len;
}

__uptr slab_base(__u32 idx)
{
	return r.base + idx * slab_len();
}

/* End of the state words, start of the descriptors, of the slabs below idx */
__uptr states_end(__u32 idx)
{
	return ALIGN_UP((__uptr)(r.states + (__sz)idx * r.slots), RND_PAGE_LEN);
}

__uptr descs_start(__u32 idx)
{
	return ALIGN_DOWN(descs_end() - (__sz)idx * RND_SLAB_META_LEN(r.slots),
			  RND_PAGE_LEN);
}

__uptr descs_end(void)
{
	return r.slabs + RND_SLAB_META_LEN(r.slots);
}

struct rnd_slab *take(void)
{
	struct rnd_slab *s = rnd_region_take(&r, &vs, OWNER);

	assert_non_null(s);
	return s;
}

/* The documented places: every 2nd, then, if not always, every 8th, then every
 * 32nd slab
 */
__bool is_guard(__u32 idx)
{
	if (!RND_OPT_GUARD_SLABS)
		return 0;
	if (RND_OPT_GUARD_EVERY || idx < 8 * RND_REGION_GROUP)
		return idx % 2 == 1;
	if (idx < 64 * RND_REGION_GROUP)
		return idx % 8 == 7;
	return idx % 32 == 31;
}

void open_groups_r1(__u32 groups)
{
	__u32 group, idx;

	assert_int_equal(0, rnd_region_opened(&r));
	for (group = 1; group <= groups; group++) {
		take();
		while (dyn.group_cnt)
			take();
		idx = group * RND_REGION_GROUP;
		assert_int_equal(idx, dyn.next_idx);
		assert_int_equal(idx, rnd_region_opened(&r));
		assert_true(dyn.end == idx * slab_len());
		assert_true(fake_port_is_committed(
			(__uptr)r.states, states_end(idx) - (__uptr)r.states));
		assert_false(
			fake_port_is_backed(states_end(idx), RND_PAGE_LEN));
		assert_true(fake_port_is_committed(
			descs_start(idx), descs_end() - descs_start(idx)));
		assert_false(fake_port_is_backed(
			descs_end(), (__uptr)r.states - descs_end()));
		assert_false(fake_port_is_backed(
			descs_start(idx) - RND_PAGE_LEN, RND_PAGE_LEN));
		assert_true(vs.meta == (states_end(idx) - (__uptr)r.states +
					descs_end() - descs_start(idx)) /
					       RND_PAGE_LEN);
	}
}
