/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of check.c: a sound heap, and one damage at a time
 *
 * links: lib/ukallocrnd/heap.c lib/ukallocrnd/sample.c
 *	lib/ukallocrnd/slow.c lib/ukallocrnd/slow_free.c
 *	lib/ukallocrnd/reclaim.c
 *	lib/ukallocrnd/diag.c
 *	lib/ukallocrnd/check.c lib/ukallocrnd/large.c lib/ukallocrnd/span.c
 *	lib/ukallocrnd/large_park.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c
 *	lib/ukallocrnd/park.c
 *	lib/ukallocrnd/pcpu.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/nearest.c lib/ukallocrnd/pagemap.c
 *	lib/ukallocrnd/region.c
 *	lib/ukallocrnd/quarantine.c lib/ukallocrnd/report.c
 *	lib/ukallocrnd/format.c lib/ukallocrnd/slab.c
 *	lib/ukallocrnd/sizeclass.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c
 *	lib/ukallocrnd/fill.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "fake_home.h"
#include "fake_port.h"
#include "fast.h"
#include "fixture_heap.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, setup_history, teardown)

#define SIZE 66

/* Where the objects below are */
static struct rnd_pclass *live_class;
static struct rnd_slab *live_slab;
/* A live object, one in quarantine, one in the pool, a slot of a bitmap; a
 * live object of many slots' length
 */
static char *live, *waiting, *drawn, *idle, *large;

static __u16 *state_of(const void *ptr)
{
	return home_place(h, ptr).state;
}

static __u32 number_of(const void *ptr)
{
	return home_place(h, ptr).n;
}

static __sz check(void)
{
	return uk_allocrnd_check(&h->dyn->a);
}

/* The heap is sound, but for the damage just planted */
static void assert_found(const char *what)
{
	fake_port.text_len = 0;
	fake_port.text[0] = 0;
	assert_true(check() > 0);
	if (!strstr(fake_port.text, what))
		fail_msg("\"%s\" is not in \"%s\"", what, fake_port.text);
}

/* The first slot of a slab that is in its bitmap */
static char *slot_in_bitmap(struct rnd_slab *s)
{
	__u64 bits;
	__u32 i;

	for (i = 0; i < RND_SLAB_WORDS(s->slots); i++) {
		bits = rnd_slab_free_bits(s)[i];
		if (bits)
			return (char *)s->base +
			       (i * 64UL + (__u32)__builtin_ctzl(bits)) *
				       rnd_sizeclass[s->sc].slot_len;
	}

	return NULL;
}

static int setup_history(void **state)
{
	unsigned int i;
	void *p[60];

	if (setup(state))
		return -1;
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = home_malloc(h, SIZE, RND_KIND_MALLOC);
	for (i = 20; i < ARRAY_SIZE(p); i++)
		home_free(h, p[i], RND_KIND_MALLOC);
	/* One whose slab did not go into the pool as a whole */
	for (i = 0; i < 20; i++)
		if (home_place(h, p[i]).slab->free_cnt)
			live = p[i];
	live_slab = home_place(h, live).slab;
	live_class = &h->dyn->cpus.table[1]->cls[live_slab->sc];
	waiting = RND_OPT_QUARANTINE ? p[59] : NULL;
	drawn = rnd_pclass_slot(live_class, live_class->pool[0]);
	idle = slot_in_bitmap(live_slab);
	large = home_malloc(h, 199990, RND_KIND_MALLOC);
	return idle ? 0 : -1;
}

static void check_is_silent_about_a_sound_heap(void **state)
{
	(void)state;
	assert_int_equal(0, check());
	assert_int_equal(0, fake_port.text_len);
}

static void check_finds_flipped_bits_s1(void **state)
{
	__u32 i;

	(void)state;
	for (i = 0; i < live_slab->slots; i++) {
		rnd_slab_free_bits(live_slab)[i / 64] ^= 1UL << (i % 64);
		assert_found("bitmap (S1, S2) of slab");
		rnd_slab_free_bits(live_slab)[i / 64] ^= 1UL << (i % 64);
	}
	assert_int_equal(0, check());
	live_slab->free_cnt++;
	assert_found("bitmap (S1, S2) of slab");
	live_slab->free_cnt--;
}

/* Every state that a slot may not be in, for one of each. Of the states in
 * which it can be handed out, either will do
 */
static void check_finds_wrong_states_s3(void **state)
{
	static const __u32 states[] = { RND_SLOT_FREE, RND_SLOT_REMOTE,
					RND_SLOT_FREED, RND_SLOT_LIVE };
	char *const slots[] = { live, waiting, drawn, idle };
	unsigned int i, j;
	__u16 *word, old;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		if (!slots[i])
			continue;
		word = state_of(slots[i]);
		old = *word;
		for (j = 0; j < ARRAY_SIZE(states); j++) {
			if ((states[j] & RND_SLOT_TAKEN) ==
			    (old & RND_SLOT_TAKEN))
				continue;
			*word = (__u16)((old & ~RND_STATE_MASK) | states[j]);
			assert_true(check() > 0);
			*word = old;
		}
	}
	assert_int_equal(0, check());
}

static void check_finds_damage_in_a_pool_p1(void **state)
{
	__u32 *entry = &live_class->pool[0], old = *entry;
	struct rnd_slab *slab;

	(void)state;
	*entry = live_class->pool[1];
	assert_found("twice in a pool (P1)");
	*entry = old + (1U << 27);
	assert_found("broken reference to");
	*entry = number_of(live);
	assert_found("state (S3) of slot");
	*entry = number_of(idle);
	assert_found("state (S3) of slot");
	if (waiting) {
		*entry = number_of(waiting);
		assert_found("in pool and quarantine (S3)");
	}
	*entry = old;
	live_class->pool_cnt--;
	assert_found("lost slots (S3) of region");
	live_class->pool_cnt++;
	slab = home_place(h, drawn).slab;
	slab->owner++;
	assert_found("slot held by a stranger");
	slab->owner--;
	assert_int_equal(0, check());
}

static void check_finds_impossible_pool_sizes(void **state)
{
	__u32 old = live_class->pool_high;

	(void)state;
	live_class->pool_high = live_class->pool_cnt - 1;
	assert_found("size of pool");
	live_class->pool_high++;
	assert_int_equal(0, check());
	live_class->pool_high = old;

	old = live_class->pool_min;
	live_class->pool_min = live_class->choice + 1;
	assert_found("size of pool");
	live_class->pool_min = 0;
	assert_int_equal(0, check());
	live_class->pool_min = old;
}

/* The entry of the quarantine that holds a slot */
static __u32 *entry_of(__u32 n)
{
	struct rnd_quarantine *q = &live_class->q;
	__u32 i;

	for (i = 0; i < q->rand_len; i++)
		if (q->rand[i] == n)
			return &q->rand[i];
	for (i = 0; i < q->ring_len; i++)
		if (q->fifo[i] == n)
			return &q->fifo[i];

	fail_msg("slot %u is not in quarantine", n);
	return NULL;
}

static void check_finds_damage_in_a_quarantine_p2(void **state)
{
	__u32 *entry, old;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	old = number_of(waiting);
	entry = entry_of(old);
	*entry = RND_QUARANTINE_NONE;
	assert_found("lost slots (S3) of region");
	*entry = number_of(live);
	assert_found("state (S3) of slot");
	*entry = number_of(idle);
	assert_found("state (S3) of slot");
	*entry = number_of(drawn);
	assert_found("in pool and quarantine (S3)");
	*entry = old ^ 1U << 27;
	assert_found("broken reference to");
	*entry = old;
	live_class->q.left--;
	assert_found("quarantine (Q1, Q4)");
	live_class->q.left++;
	assert_int_equal(0, check());
}

static void check_finds_damage_in_a_common_quarantine(void **state)
{
	struct rnd_bulk *bulk = &h->dyn->cpus.table[1]->bulk;
	struct rnd_bulk_entry *entry = &bulk->entry[bulk->head], old;
	void *p[3];
	unsigned int i;

	(void)state;
	if (!RND_OPT_QUARANTINE)
		skip();
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = home_malloc(h, 3000, RND_KIND_MALLOC);
	home_free(h, p[0], RND_KIND_MALLOC);
	home_free(h, p[1], RND_KIND_MALLOC);
	assert_int_equal(2, bulk->cnt);
	assert_int_equal(0, check());
	old = *entry;
	assert_int_equal(number_of(p[0]), old.n);

	entry->n = number_of(p[1]);
	assert_found("in pool and quarantine (S3)");
	entry->n = number_of(p[2]);
	assert_found("state (S3) of slot");
	entry->n = old.n ^ 1U << 26;
	assert_found("broken reference to");
	entry->n = old.n;
	entry->sc++;
	assert_found("lost slots (S3) of region");
	entry->sc = RND_CLASS_COUNT;
	assert_found("lost slots (S3) of region");
	*entry = old;
	bulk->bytes++;
	assert_found("bytes (B1) of common quarantine");
	bulk->bytes -= 3072;
	assert_found("bytes (B1) of common quarantine");
	bulk->bytes += 3071;
	bulk->cnt--;
	assert_found("lost slots (S3) of region");
	bulk->cnt++;
	assert_int_equal(0, check());
}

static void check_finds_broken_lists_s5_p4(void **state)
{
	(void)state;
	live_slab->active ^= 1;
	assert_found("list membership (S5) of slab");
	live_slab->active ^= 1;
	live_slab->listed ^= 1;
	assert_found("two lists (S5) with slab");
	live_slab->listed ^= 1;
	live_class->empty_cnt++;
	assert_found("count of empty slabs (P4)");
	live_class->empty_cnt--;
	live_class->region->dyn->slab_cnt++;
	assert_found("count of slabs of region");
	live_class->region->dyn->slab_cnt--;
	assert_int_equal(0, check());
}

static void check_finds_every_damaged_canary_byte_g4(void **state)
{
	__sz i;

	(void)state;
	if (!RND_OPT_CANARY)
		skip();
	for (i = SIZE; i < live_class->slot_len; i++) {
		live[i] ^= 0x10;
		assert_found("overflow of slot");
		live[i] ^= 0x10;
	}
	for (i = 199990; i < 199998; i++) {
		large[i] ^= 1;
		assert_found("overflow of large object");
		large[i] ^= 1;
	}
	*state_of(live) &= RND_STATE_MASK;
	assert_found("impossible slack of slot");
	*state_of(live) = rnd_state_live(live_class->slot_len, 1,
					 RND_KIND_MALLOC,
					 live_class->slot_len - SIZE);
	assert_int_equal(0, check());
}

/* A slot whose word names another CPU is never freed by its owner */
static void check_finds_foreign_owner_in_a_state_word(void **state)
{
	char *longer = home_malloc(h, 500, RND_KIND_MALLOC);
	__u32 owner;

	(void)state;
	for (owner = 0; owner < RND_CPU_COUNT; owner++) {
		*state_of(live) = rnd_state_live(live_class->slot_len, owner,
						 RND_KIND_MALLOC,
						 live_class->slot_len - SIZE);
		if (owner == 1)
			assert_int_equal(0, check());
		else
			assert_found("owner in the state word of slot");
	}
	*state_of(live) = rnd_state_live(live_class->slot_len, 1,
					 RND_KIND_MALLOC,
					 live_class->slot_len - SIZE);
	/* Longer slots have no owner there, but slack */
	assert_non_null(longer);
	assert_int_equal(0, check());
}

/* What the fast paths look at in a class that nobody has used */
static void check_finds_a_used_unused_part_p5(void **state)
{
	struct rnd_pclass *pl =
		&h->dyn->cpus.table[1]->cls[rnd_sizeclass_of(5000)];

	(void)state;
	assert_null(pl->region);
	pl->pool_cnt = 1;
	assert_found("unused part (P5)");
	pl->pool_min = 1;
	assert_found("unused part (P5)");
	pl->pool_cnt = 0;
	assert_found("unused part (P5)");
	pl->pool_min = 0;
	pl->end = 1;
	assert_found("unused part (P5)");
	pl->end = 0;
	pl->partial = live_slab;
	assert_found("unused part (P5)");
	pl->partial = NULL;
	assert_int_equal(0, check());
}

static void check_finds_bytes_in_dead_slots_s4(void **state)
{
	char *const slots[] = { waiting, drawn, idle };
	unsigned int i;
	volatile char *byte;
	__sz at;

	(void)state;
	if (!RND_OPT_ZERO)
		skip();
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		for (at = 0; slots[i] && at < live_class->slot_len; at++) {
			byte = slots[i] + at;
			*byte = 1;
			assert_found("write after free of slot");
			*byte = 0;
		}
	assert_int_equal(0, check());
}

static void check_finds_lost_remote_slots_s3(void **state)
{
	struct rnd_pcpu *pc;

	(void)state;
	fake_port_set_cpu(2);
	home_free(h, live, RND_KIND_MALLOC);
	pc = h->dyn->cpus.table[2];
	assert_int_equal(1, pc->out_cnt);
	assert_int_equal(0, check());
	pc->out_cnt = 0;
	assert_found("lost slots between CPUs");
	pc->out_cnt = 1;
	*state_of(live) ^= RND_SLOT_REMOTE ^ RND_SLOT_FREED;
	assert_found("batch (S3) with slab");
	*state_of(live) ^= RND_SLOT_REMOTE ^ RND_SLOT_FREED;
	rnd_pcpu_flush_out(&h->dyn->cpus, pc);
	assert_int_equal(0, check());
	rnd_slab_remote_bits(live_slab)[0] ^= 1UL << 63;
	assert_found("lost slots between CPUs");
	rnd_slab_remote_bits(live_slab)[0] ^= 1UL << 63;
}

static void check_finds_damage_among_large_objects_g2(void **state)
{
	(void)state;
	h->dyn->large.t.span[0].map += RND_PAGE_LEN << 20;
	assert_found("table (G1, G2) of large objects");
	h->dyn->large.t.span[0].map -= RND_PAGE_LEN << 20;
	h->dyn->large.t.live_cnt++;
	assert_found("table (G1, G2) of large objects");
	h->dyn->large.t.live_cnt--;
	assert_int_equal(0, check());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(check_is_silent_about_a_sound_heap),
		UNIT_TEST(check_finds_flipped_bits_s1),
		UNIT_TEST(check_finds_wrong_states_s3),
		UNIT_TEST(check_finds_damage_in_a_pool_p1),
		UNIT_TEST(check_finds_impossible_pool_sizes),
		UNIT_TEST(check_finds_damage_in_a_quarantine_p2),
		UNIT_TEST(check_finds_damage_in_a_common_quarantine),
		UNIT_TEST(check_finds_broken_lists_s5_p4),
		UNIT_TEST(check_finds_every_damaged_canary_byte_g4),
		UNIT_TEST(check_finds_foreign_owner_in_a_state_word),
		UNIT_TEST(check_finds_a_used_unused_part_p5),
		UNIT_TEST(check_finds_bytes_in_dead_slots_s4),
		UNIT_TEST(check_finds_lost_remote_slots_s3),
		UNIT_TEST(check_finds_damage_among_large_objects_g2),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
