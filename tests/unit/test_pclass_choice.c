/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of pclass.c: every draw is one of more than choice slots, if
 * memory lasts
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
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "fake_port.h"
#include "fixture_pclass.h"

#define UNIT_TEST(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static void pclass_choice_lasts_in_growth(void **state)
{
	unsigned int sc;
	__u32 i;

	(void)state;
	for (sc = 0; sc < RND_CLASS_COUNT; sc++) {
		fake_port_reset(5);
		make(sc);
		for (i = 0; i < 4 * pl.pool_max; i++)
			(void)pop();
		assert_true(least > pl.choice_least);
		if (pl.slot_len > RND_BULK_SLOT_MIN ||
		    (__sz)pl.slot_len * RND_CHOICE_LEN > RND_CHOICE_BYTES)
			continue;
		if (pl.slot_len <= RND_SHORT_LEN)
			assert_true(least > RND_CHOICE_LEN);
		else
			assert_true(least > RND_CHOICE_LEN * 2 / 3);
		assert_sound();
	}
}

/* All slabs have a few free slots, at random places */
static void pclass_choice_lasts_in_fragmented_slabs(void **state)
{
	static __u32 live[16000];
	__u32 i, j, cnt, slabs;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	/* More free slots than a pool takes, in all slabs */
	for (cnt = i; cnt > 12000; cnt--) {
		j = rnd_rng_uniform(&rng, cnt);
		push(live[j]);
		live[j] = live[cnt - 1];
	}
	rnd_pclass_flush(&pl);
	slabs = dyn.slab_cnt;
	assert_sound();

	least = ~0U;
	for (i = 0; i < 2000; i++)
		(void)pop();
	assert_true(least > pl.choice);
	/* New memory only when what there is does not do */
	assert_int_equal(slabs, dyn.slab_cnt);
	for (i = 0; i < 4000; i++)
		(void)pop();
	assert_true(least > pl.choice);
	assert_true(dyn.slab_cnt > slabs);
	assert_sound();
}

/* Objects come and go: the pool is neither emptied nor does it overflow */
static void pclass_choice_lasts_in_balance(void **state)
{
	static __u32 live[1000];
	__u32 i, j, slabs;
	__u64 refills;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	for (i = 0; i < 2000; i++) {
		j = rnd_rng_uniform(&rng, ARRAY_SIZE(live));
		push(live[j]);
		live[j] = pop();
	}
	slabs = dyn.slab_cnt;
	refills = pl.refills;
	for (i = 0; i < 50000; i++) {
		j = rnd_rng_uniform(&rng, ARRAY_SIZE(live));
		push(live[j]);
		live[j] = pop();
		if (i % 5000 == 0)
			assert_sound();
	}
	assert_true(least > pl.choice);
	/* What is freed is what is drawn */
	assert_int_equal(slabs, dyn.slab_cnt);
	assert_true(refills == pl.refills);
}

static void pclass_partial_slabs_before_new_memory(void **state)
{
	static __u32 live[6000];
	__u32 i, slabs;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(live); i++)
		live[i] = pop();
	slabs = dyn.slab_cnt;
	assert_sound();
	for (i = 0; i < ARRAY_SIZE(live); i += 2)
		push(live[i]);
	rnd_pclass_flush(&pl);
	assert_sound();
	for (i = 0; i < 400; i++)
		(void)pop();
	assert_true(dyn.slab_cnt <= slabs);
	assert_sound();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(pclass_choice_lasts_in_growth),
		UNIT_TEST(pclass_choice_lasts_in_fragmented_slabs),
		UNIT_TEST(pclass_choice_lasts_in_balance),
		UNIT_TEST(pclass_partial_slabs_before_new_memory),
	};

	return cmocka_run_group_tests_name("pclass_choice", tests, NULL, NULL);
}
