/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bench/guest/live.c against an array
 *
 * links: bench/guest/live.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "../../bench/guest/live.h"

#define OBJECTS 150000UL
#define ROUNDS	600000UL

static __sz sizes[OBJECTS]; /* 0: not live */

static void *address(unsigned long i)
{
	return (void *)(0x10000 + 16 * i);
}

/* Neighbours collide and clusters are long: the table is more than half full */
static void any_order_adds_up(void **state __unused)
{
	__sz bytes = 0, objects = 0, peak = 0, n;
	__u64 rnd = 1;

	bench_live_reset();
	for (n = 0; n < ROUNDS; n++) {
		unsigned long i;

		rnd = rnd * 6364136223846793005UL + 1442695040888963407UL;
		i = (rnd >> 33) % OBJECTS;
		if (sizes[i]) {
			bench_live_remove(address(i));
			bytes -= sizes[i];
			objects--;
			sizes[i] = 0;
		} else {
			sizes[i] = 1 + n % 1000;
			bench_live_add(address(i), sizes[i]);
			bytes += sizes[i];
			objects++;
		}
		peak = MAX(peak, bytes);
		assert_int_equal(bench_live_get()->bytes, bytes);
	}
	assert_int_equal(bench_live_get()->objects, objects);
	assert_int_equal(bench_live_get()->peak_bytes, peak);
	for (n = 0; n < OBJECTS; n++)
		if (sizes[n])
			bench_live_remove(address(n));
	assert_int_equal(bench_live_get()->bytes, 0);
	assert_int_equal(bench_live_get()->objects, 0);
}

static void unknown_objects_are_ignored(void **state __unused)
{
	bench_live_reset();
	bench_live_add(address(1), 10);
	bench_live_remove(address(2));
	bench_live_remove(__NULL);
	assert_int_equal(bench_live_get()->bytes, 10);
}

static void a_reset_forgets(void **state __unused)
{
	bench_live_reset();
	bench_live_add(address(1), 10);
	bench_live_reset();
	bench_live_remove(address(1));
	assert_int_equal(bench_live_get()->bytes, 0);
	assert_int_equal(bench_live_get()->peak_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_adds_up),
		cmocka_unit_test(unknown_objects_are_ignored),
		cmocka_unit_test(a_reset_forgets),
	};

	return cmocka_run_group_tests(tests, __NULL, __NULL);
}
