/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pclass.c: frees of other CPUs
 *
 * links: tests/unit/fixture_pclass.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/region.c lib/ukallocrnd/quarantine.c
 *	lib/ukallocrnd/report.c lib/ukallocrnd/format.c
 *	lib/ukallocrnd/slab.c lib/ukallocrnd/sizeclass.c
 *	lib/ukallocrnd/vspace.c lib/ukallocrnd/rng.c
 *	lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c lib/ukallocrnd/fill.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "fake_port.h"
#include "fixture_pclass.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static void mark_remote(__u32 n)
{
	assert_true(rnd_slab_mark_remote(rnd_pclass_slab(&pl, n),
					 n & (r.slots - 1U)));
}

static void pclass_take_remote(void **state)
{
	__u32 live[400], i, cnt = 0;
	struct rnd_slab *s;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	s = rnd_pclass_slab(&pl, live[0]);
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		if (rnd_pclass_slab(&pl, live[i]) != s)
			continue;
		pl.states[live[i]] = rnd_state_freed(RND_SLOT_REMOTE, 9);
		mark_remote(live[i]);
		cnt++;
	}
	assert_int_equal(cnt, rnd_pclass_take_remote(&pl, s));
	assert_int_equal(0, rnd_pclass_take_remote(&pl, s));
	/* Who freed it is still known */
	for (i = 0; i < ARRAY_SIZE(live); i++)
		if (rnd_pclass_slab(&pl, live[i]) == s)
			assert_int_equal(rnd_state_freed(RND_SLOT_FREED, 9),
					 pl.states[live[i]]);
	for (i = 0; i < RND_SLAB_WORDS(s->slots); i++)
		assert_int_equal(0, rnd_slab_remote_bits(s)[i]);
	assert_int_equal(RND_OPT_QUARANTINE ? cnt : 0,
			 rnd_quarantine_count(&pl.q));
	assert_sound();
}

/* Those of other CPUs come in no order: a slot that was freed after all that
 * are in quarantine now still stays for as many frees as the others
 */
static void pclass_quarantine_grows_with_the_first_remote_free(void **state)
{
	__u32 fifo = pl.q.fifo_len, n, i, burst = pl.burst;

	(void)state;
	for (i = 0; i < 2 * fifo; i++)
		push(pop());
	assert_int_equal(fifo, pl.q.fifo_len);
	for (i = 0; i < 3; i++) {
		n = pop();
		pl.states[n] = rnd_state_freed(RND_SLOT_REMOTE, 9);
		mark_remote(n);
		assert_int_equal(1, rnd_pclass_take_remote(
					    &pl, rnd_pclass_slab(&pl, n)));
		assert_sound();
	}
	assert_int_equal(0, pl.burst);
	if (!RND_OPT_QUARANTINE)
		return;
	assert_in_range(pl.q.fifo_len, fifo + burst,
			fifo + burst + pl.q.seg_len - 1);
	n = pop();
	push(n);
	for (i = 1; i < fifo + burst; i++) {
		push(pop());
		assert_true(rnd_quarantine_contains(&pl.q, n));
	}
	assert_sound();
}

/* More than the pool has room for, in one go */
static void pclass_take_remote_of_many(void **state)
{
	static __u32 live[8000];
	__u32 i, cnt = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		pl.states[live[i]] = rnd_state_freed(RND_SLOT_REMOTE, 9);
		mark_remote(live[i]);
	}
	for (i = 0; i < dyn.next_idx; i++)
		if (rnd_region_slab(&r, i)->committed)
			cnt += rnd_pclass_take_remote(&pl,
						      rnd_region_slab(&r, i));
	assert_int_equal(ARRAY_SIZE(live), cnt);
	assert_sound();
}

/* Two frees at the same time brought a slot into the pool twice */
static void report_release_twice(void *arg)
{
	__u32 n = *(__u32 *)arg;

	pl.states[n] = rnd_state_freed(RND_SLOT_FREED, 4);
	pl.pool[pl.pool_cnt++] = n;
	pl.pool[pl.pool_cnt++] = n;
	rnd_pclass_flush(&pl);
}

/* One of them is in quarantine and one in the pool */
static void report_flush(void *arg)
{
	__u32 n = *(__u32 *)arg;

	push(n);
	pl.pool[pl.pool_cnt++] = n;
	rnd_pclass_flush(&pl);
}

/* The owner has it in quarantine already when it takes the bit */
static void report_take_remote(void *arg)
{
	__u32 n = *(__u32 *)arg;

	push(n);
	mark_remote(n);
	rnd_pclass_take_remote(&pl, rnd_pclass_slab(&pl, n));
}

/* It was even handed out again: nobody is known to have freed it */
static void report_take_live(void *arg)
{
	__u32 n = *(__u32 *)arg;

	mark_remote(n);
	rnd_pclass_take_remote(&pl, rnd_pclass_slab(&pl, n));
}

static void pclass_racing_double_free_is_reported(void **state)
{
	static const struct {
		void (*fn)(void *arg);
		const char *by;
	} cases[] = {
		{ report_release_twice, "freed by CPU 3\n" },
		{ report_flush, "freed by CPU 1\n" },
		{ report_take_remote, "freed by CPU 1\n" },
		{ report_take_live, NULL },
	};
	char line[120];
	const char *text;
	__u32 i, n = pop();

	(void)state;
	(void)snprintf(line, sizeof(line),
		       "ukallocrnd: BUG: double free: ptr=0x%lx class=96 ",
		       (__uptr)rnd_pclass_slot(&pl, n));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		text = fake_port_abort_text(cases[i].fn, &n);
		assert_ptr_equal(text, strstr(text, line));
		assert_non_null(
			strstr(text, "freed by two CPUs at the same time"));
		if (cases[i].by)
			assert_non_null(strstr(text, cases[i].by));
		else
			assert_null(strstr(text, "freed by CPU"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_take_remote),
		UNIT_TEST(pclass_quarantine_grows_with_the_first_remote_free),
		UNIT_TEST(pclass_take_remote_of_many),
		UNIT_TEST(pclass_racing_double_free_is_reported),
	};

	return cmocka_run_group_tests_name("pclass_remote", tests, NULL, NULL);
}
