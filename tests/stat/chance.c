/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include <cmocka.h>

#include "chance.h"
#include "port.h"

static uint64_t chance_state;

/* splitmix64 by S. Vigna, public domain */
static uint64_t chance_next(void)
{
	uint64_t z = chance_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Takes the place of the port's own source */
void rnd_port_entropy(void *buf, __sz len)
{
	__u8 *dst = buf;
	__sz i;

	for (i = 0; i < len; i++)
		dst[i] = (__u8)chance_next();
}

/* Starts the program again at fixed addresses, if the system lets it */
static void layout_fix(char **argv)
{
	int old = personality(0xffffffff);

	if (old < 0 || old & ADDR_NO_RANDOMIZE)
		return;
	if (personality((unsigned long)old | ADDR_NO_RANDOMIZE) >= 0)
		(void)execv("/proc/self/exe", argv);
	print_message("addresses of the process differ from run to run\n");
}

void chance_init(int argc, char **argv)
{
	layout_fix(argv);
	chance_state = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	printf("seed %lu, alpha at most %g per test\n", chance_state,
	       CHANCE_ALPHA);
}

double chance_chi2(const unsigned int *counts, size_t n)
{
	double sum = 0, chi2 = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += counts[i];
	for (i = 0; i < n; i++) {
		double d = counts[i] - sum / (double)n;

		chi2 += d * d;
	}
	return chi2 * (double)n / sum;
}

double chance_z(size_t trials)
{
	return sqrt(2 * log((double)trials / CHANCE_ALPHA));
}

double chance_chi2_limit(size_t degrees, size_t trials)
{
	double d = (double)degrees, t = 2 / (9 * d);

	return d * pow(1 - t + chance_z(trials) * sqrt(t), 3);
}

void assert_equal_chances(const char *what, const unsigned int *counts,
			  size_t n)
{
	double chi2 = chance_chi2(counts, n);
	double limit = chance_chi2_limit(n - 1, 1);

	print_message("%s: chi2 %.1f of %zu places, limit %.1f\n", what, chi2,
		      n, limit);
	assert_true(chi2 < limit);
}

void assert_not_more_likely(const char *what, size_t hits, size_t n, double p,
			    size_t trials)
{
	double mean = (double)n * p, z = chance_z(trials);
	/* Bernstein's inequality, solved for the deviation */
	double limit = mean + z * z / 6 + sqrt(z * z * mean + pow(z, 4) / 36);

	print_message("%s: %zu of %zu, at most %.1f expected, limit %.1f\n",
		      what, hits, n, mean, limit);
	assert_true((double)hits < limit);
}

void assert_even(const char *what, size_t hits, size_t n, size_t trials)
{
	double z = ((double)hits - (double)n / 2) / (sqrt((double)n) / 2);

	/* Both sides */
	if (fabs(z) >= chance_z(2 * trials))
		fail_msg("%s: %zu of %zu, z = %.2f", what, hits, n, z);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

size_t count_different(uint64_t *values, size_t n)
{
	size_t i, different = n != 0;

	qsort(values, n, sizeof(values[0]), compare_u64);
	for (i = 1; i < n; i++)
		different += values[i] != values[i - 1];
	return different;
}

size_t count_most_frequent(uint64_t *values, size_t n)
{
	size_t i, run = 0, most = 0;

	qsort(values, n, sizeof(values[0]), compare_u64);
	for (i = 0; i < n; i++) {
		run = i && values[i] == values[i - 1] ? run + 1 : 1;
		if (run > most)
			most = run;
	}
	return most;
}
