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
#include "fixture_pclass.h"

struct rnd_vspace vs;
struct rnd_region r;
struct rnd_region_dyn dyn;
struct rnd_canary_key key;
struct rnd_rng rng;
struct rnd_pclass pl;
__u32 least;

static __u8 held[SLOTS_MAX];

void make_seeded(unsigned int sc, __u32 number)
{
	const __u8 seed[RND_CHACHA_KEY_LEN] = { (__u8)number,
						(__u8)(number >> 8) };
	__u64 used[RND_WINDOW_COUNT / 64] = { 0 };

	memset(&r, 0, sizeof(r));
	memset(&dyn, 0, sizeof(dyn));
	memset(&pl, 0, sizeof(pl));
	least = ~0U;
	rnd_vspace_init(&vs, __SZ_MAX);
	assert_int_equal(0, rnd_region_init(&r, &dyn, sc, &vs, used));
	rnd_rng_init(&rng, seed);
	rnd_canary_key_init(&key, 1, 2);
	rnd_pclass_init(&pl, &r, &key, &vs, &rng, CPU);
}

void make(unsigned int sc)
{
	make_seeded(sc, 1);
}

int fixture_setup(void **state)
{
	(void)state;
	fake_port_reset(5);
	make(SC);
	return 0;
}

int fixture_teardown(void **state)
{
	(void)state;
	fake_port_reset(5);
	return 0;
}

__u32 state_of(__u32 n)
{
	return pl.states[n] & RND_STATE_MASK;
}

__bool is_in_bitmap(__u32 n)
{
	__u32 slot = n & (r.slots - 1U);

	return rnd_slab_free_bits(rnd_pclass_slab(&pl, n))[slot / 64] >>
		       (slot % 64) &
	       1;
}

/* Draws like malloc; the slot is live then. ~0: no memory */
__u32 try_pop(void)
{
	__u32 n;

	if (!rnd_pclass_can_draw(&pl) && !rnd_pclass_refill(&pl))
		return RND_SLOT_NONE;
	if (!rnd_rng_has16(&rng))
		rnd_rng_refill(&rng);

	least = MIN(least, pl.pool_cnt);
	n = (__u32)rnd_pclass_draw(&pl, &rng);
	assert_false(pl.states[n] & RND_SLOT_TAKEN);
	pl.states[n] = rnd_state_live(pl.slot_len, CPU, RND_KIND_MALLOC, 8);

	return n;
}

__u32 pop(void)
{
	__u32 n = try_pop();

	assert_true(n != RND_SLOT_NONE);

	return n;
}

/* What free does */
void push(__u32 n)
{
	pl.states[n] = pl.freed;
	if (rnd_pclass_can_step(&pl, &rng))
		rnd_pclass_step(&pl, &rng, n);
	else
		rnd_pclass_quarantine(&pl, n);
}

static void hold(__u32 n)
{
	struct rnd_slab *s;

	assert_true(n < dyn.next_idx << r.slot_shift);
	s = rnd_pclass_slab(&pl, n);
	assert_int_equal(1, s->committed);
	assert_int_equal(CPU, s->owner);
	assert_int_equal(0, held[n]);
	held[n] = 1;
}

static void assert_slab(struct rnd_slab *s)
{
	__u32 n = s->idx << r.slot_shift, end = n + s->slots;

	assert_int_equal(CPU, s->owner);
	assert_true(rnd_slab_is_valid(s, rnd_region_states(&r, s)));
	assert_int_equal(s->free_cnt != 0, s->active || s->listed);
	assert_true((__sz)(s->idx + 1) * r.slab_len <= pl.end);
	for (; n < end; n++)
		if (is_in_bitmap(n) + held[n] +
			    ((pl.states[n] & RND_SLOT_TAKEN) != 0) !=
		    1)
			fail_msg("slot %u: bitmap %u, held %u, state %u", n,
				 is_in_bitmap(n), held[n], state_of(n));
}

/* P3 and P4 */
static void assert_lists(void)
{
	__u32 i, empty = 0, listed = 0, idx;
	struct rnd_slab *s;

	for (s = pl.partial; s; s = s->next) {
		assert_true(s->listed && !s->active && s->free_cnt);
		assert_ptr_equal(s->next ? s->next->prev : pl.partial_last, s);
		/* None behind a free one that is not free */
		assert_true(!empty || s->free_cnt == s->slots);
		empty += s->free_cnt == s->slots;
		listed++;
	}
	assert_true(pl.partial || !pl.partial_last);
	assert_int_equal(empty, pl.empty_cnt);
	assert_true(pl.empty_low <= pl.empty_cnt);
	for (i = 0; i < pl.active_cnt; i++) {
		s = pl.active[i];
		assert_true(s->active && !s->listed && s->free_cnt);
	}
	for (; i < RND_ACTIVE_MAX; i++)
		assert_null(pl.active[i]);
	for (idx = 0; idx < dyn.next_idx; idx++)
		listed -= rnd_region_slab(&r, idx)->listed;
	assert_int_equal(0, listed);
}

void assert_sound(void)
{
	__u32 i, slabs = 0, out = 0;

	assert_true(dyn.next_idx << r.slot_shift <= SLOTS_MAX);
	memset(held, 0, dyn.next_idx << r.slot_shift);
	for (i = 0; i < pl.pool_cnt; i++)
		hold(pl.pool[i]);
	for (i = 0; i < pl.q.ring_len + pl.q.rand_len; i++) {
		__u32 n = i < pl.q.ring_len ? pl.q.fifo[i] :
					      pl.q.rand[i - pl.q.ring_len];

		if (n == RND_QUARANTINE_NONE)
			continue;
		hold(n);
		assert_int_equal(RND_SLOT_FREED, state_of(n));
	}
	assert_true(rnd_quarantine_is_valid(&pl.q));
	assert_true(pl.pool_min <= pl.choice);
	assert_true(pl.pool_cnt <= pl.pool_high);

	for (i = 0; i < dyn.next_idx; i++)
		if (rnd_region_slab(&r, i)->committed) {
			assert_slab(rnd_region_slab(&r, i));
			slabs++;
			out += r.slots - rnd_region_slab(&r, i)->free_cnt;
		}
	assert_int_equal(slabs, dyn.slab_cnt);
	assert_int_equal(out, pl.out);
	assert_lists();
}
