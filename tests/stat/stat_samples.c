/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Statistical test of which requests become samples
 *
 * Fast paths that draw from a generator, and slow ones when its buffer is
 * empty, as slow.c has them, with nothing behind them.
 *
 * links: tests/stat/chance.c
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "chance.h"
#include "port.h"
#include "sample.h"

#define RATE	 1000U
#define REQUESTS 10000000U
#define BINS	 20U

static struct rnd_rng rng;
static struct rnd_countdown countdown;

static int setup(void **state)
{
	__u8 seed[RND_CHACHA_KEY_LEN];

	(void)state;
	rnd_port_entropy(seed, sizeof(seed));
	rnd_rng_init(&rng, seed);
	memset(&countdown, 0, sizeof(countdown));
	/* The first request of a CPU finds no pool */
	rng.left = 0;
	return 0;
}

/* A request; now and then the pool is empty. True if it is a sample */
static __bool request(__bool pool_is_empty)
{
	__bool due;

	if (rnd_rng_has16(&rng) && !pool_is_empty) {
		(void)rnd_rng_take16(&rng);
		return 0;
	}

	due = rnd_countdown_request(&countdown, &rng, RATE);
	if (!due)
		(void)rnd_rng_u16(&rng);
	rnd_countdown_cut(&countdown, &rng);

	return due;
}

/* A free draws where the quarantine has a random stage */
static void release(void)
{
	if (!RND_QUARANTINE_RAND_LEN)
		return;
	if (rnd_rng_has16(&rng)) {
		(void)rnd_rng_take16(&rng);
		return;
	}
	rnd_countdown_free(&countdown, &rng);
	(void)rnd_rng_u16(&rng);
	rnd_countdown_cut(&countdown, &rng);
}

/* So many as the option says, whatever the request is in a period of 120, that
 * of an uncut buffer being 240; and at any distance below twice the rate
 */
static void one_in_so_many(void **state)
{
	unsigned int bins[BINS] = { 0 }, phases[120] = { 0 };
	size_t n, samples = 0, last = 0, distance;
	double expected = (double)REQUESTS / RATE, deviation;

	(void)state;
	for (n = 1; n <= REQUESTS; n++) {
		if (request(n % 777 == 0)) {
			distance = n - last;
			last = n;
			samples++;
			phases[n % 120]++;
			assert_in_range(distance, 1, 2 * RATE);
			bins[(distance - 1) * BINS / (2UL * RATE)]++;
		}
		release();
	}

	/* Distances are uniform: of each the variance is rate^2 / 3 */
	deviation = ((double)samples - expected) / sqrt(expected / 3);
	print_message("%zu samples, %.0f expected\n", samples, expected);
	assert_true(fabs(deviation) < chance_z(3));
	assert_equal_chances("distance", bins, BINS);
	assert_equal_chances("phase", phases, 120);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_in_so_many, setup),
	};

	chance_init(argc, argv);
	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
