/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bench/guest/tracefile.c
 *
 * bench/trace/tiny.trace is what encode.py made of the events that
 * bench/trace/test_encode.py lists.
 *
 * links: bench/guest/tracefile.c bench/guest/lz4.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "fixture_draw.h"
#include "tracefile.h"

#ifdef RND_TEST_SLOW
#define ROUNDS 300U
#else
#define ROUNDS 20000U
#endif

#define OBJECTS 45U
#define EVENTS	90U

static struct trace trace;
static __u8 alive[OBJECTS];
static __u8 tiny[64];
static size_t tiny_len;

static int setup(void **state)
{
	FILE *file = fopen("bench/trace/tiny.trace", "rb");

	(void)state;
	if (!file)
		return -1;
	tiny_len = fread(tiny, 1, sizeof(tiny), file);
	return fclose(file) || tiny_len == sizeof(tiny);
}

/* Invariants T1 to T3, by a count of births and a table of the test's own */
static void check_event(const struct trace_event *ev, __u32 *born, __u8 *lives)
{
	enum trace_op op = trace_op(ev);

	if (op == TRACE_MALLOC || op == TRACE_CALLOC) {
		assert_int_equal(ev->obj, *born);
		lives[(*born)++] = 1;
	}
	assert_true(ev->obj < *born);
	assert_true(lives[ev->obj]);
	if (op == TRACE_FREE) {
		assert_int_equal(trace_size(ev), 0);
		lives[ev->obj] = 0;
	} else {
		assert_in_range(trace_size(ev), 1, TRACE_SIZE_MAX);
	}
}

/* Reads a copy that ends where its memory ends. Returns the number of events,
 * or the error
 */
static long read_all(const void *file, size_t len)
{
	__u8 *copy = malloc(len ? len : 1), lives[OBJECTS] = { 0 };
	struct trace_event ev;
	__u32 born = 0;
	long n = 0;
	int rc;

	assert_non_null(copy);
	memcpy(copy, file, len);
	rc = trace_open(&trace, copy, len, alive, OBJECTS);
	while (!rc && (rc = trace_next(&trace, &ev)) > 0) {
		check_event(&ev, &born, lives);
		n++;
		rc = 0;
	}
	free(copy);
	if (!rc)
		assert_true(born == trace.objects && n == trace.events);
	return rc ? rc : n;
}

static void expect(enum trace_op op, __u32 obj, __sz size)
{
	struct trace_event ev;

	assert_int_equal(trace_next(&trace, &ev), 1);
	assert_int_equal(trace_op(&ev), op);
	assert_int_equal(ev.obj, obj);
	assert_int_equal(trace_size(&ev), size);
}

static void tracefile_is_what_the_encoder_got(void **state)
{
	struct trace_event ev;
	__u32 i;

	(void)state;
	assert_int_equal(trace_open(&trace, tiny, tiny_len, alive, OBJECTS), 0);
	assert_int_equal(trace.events, EVENTS);
	assert_int_equal(trace.objects, OBJECTS);
	expect(TRACE_MALLOC, 0, 1);
	expect(TRACE_CALLOC, 1, 31);
	expect(TRACE_MALLOC, 2, 32);
	expect(TRACE_REALLOC, 0, 5000);
	expect(TRACE_FREE, 1, 0);
	expect(TRACE_MALLOC, 3, 1);
	expect(TRACE_REALLOC, 0, 700000);
	expect(TRACE_MALLOC, 4, 9);
	for (i = 5; i < OBJECTS; i++) {
		expect(TRACE_MALLOC, i, 24);
		expect(TRACE_FREE, i, 0);
	}
	expect(TRACE_FREE, 0, 0);
	expect(TRACE_FREE, 2, 0);
	assert_int_equal(trace_next(&trace, &ev), 0);
	assert_int_equal(trace_next(&trace, &ev), 0);
}

static void tracefile_cut_off_anywhere_is_refused(void **state)
{
	size_t len;

	(void)state;
	for (len = 0; len < tiny_len; len++)
		assert_int_equal(read_all(tiny, len), -EINVAL);
	assert_int_equal(read_all(tiny, tiny_len), EVENTS);
}

/* A file of one sequence: these numbers as they are */
static long read_numbers(__u8 events, __u8 objects, const char *numbers,
			 size_t len)
{
	__u8 file[32] = { 'U', 'K', 'T', '1', events, 0, 0, 0, objects };

	assert_true(len < 15);
	file[12] = (__u8)(len << 4);
	memcpy(file + 13, numbers, len);
	return read_all(file, 13 + len);
}

static void tracefile_refuses_impossible_events(void **state)
{
	(void)state;
	assert_int_equal(read_numbers(2, 1, "\x04\x01", 2), 2);
	/* Free and realloc of nothing, of the dead, of the unborn */
	assert_int_equal(read_numbers(1, 0, "\x01", 1), -EINVAL);
	assert_int_equal(read_numbers(3, 1, "\x04\x01\x01", 3), -EINVAL);
	assert_int_equal(read_numbers(3, 1, "\x04\x01\x02\x04", 4), -EINVAL);
	assert_int_equal(read_numbers(2, 1, "\x04\x05", 2), -EINVAL);
	/* Sizes of 0, and too large ones */
	assert_int_equal(read_numbers(1, 1, "\0", 1), -EINVAL);
	assert_int_equal(read_numbers(1, 1, "\x03", 1), -EINVAL);
	assert_int_equal(read_numbers(2, 1, "\x04\x02\0", 3), -EINVAL);
	assert_int_equal(read_numbers(2, 1, "\x04\x02\xff\xff\xff\xff\x03", 7),
			 2);
	assert_int_equal(read_numbers(2, 1, "\x04\x02\x80\x80\x80\x80\x04", 7),
			 -EINVAL);
	assert_int_equal(read_numbers(1, 1, "\xfc\xff\xff\xff\x0f", 5), 1);
	assert_int_equal(read_numbers(1, 1, "\xfc\xff\xff\xff\x1f", 5),
			 -EINVAL);
	assert_int_equal(read_numbers(1, 1, "\x84\x80\x80\x80\x80\x00", 6),
			 -EINVAL);
}

static void tracefile_counts_must_be_right(void **state)
{
	(void)state;
	assert_int_equal(read_numbers(1, 1, "\x04\x01", 2), -EINVAL);
	assert_int_equal(read_numbers(3, 1, "\x04\x01", 2), -EINVAL);
	assert_int_equal(read_numbers(2, 2, "\x04\x01", 2), -EINVAL);
	assert_int_equal(read_numbers(2, 1, "\x04\x04", 2), -EINVAL);
	assert_int_equal(read_numbers(0, 0, "", 0), 0);
	assert_int_equal(read_numbers(2, OBJECTS + 1, "\x04\x01", 2), -E2BIG);
}

static void tracefile_needs_its_word(void **state)
{
	__u8 file[sizeof(tiny)];
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		memcpy(file, tiny, tiny_len);
		file[i] ^= 1;
		assert_int_equal(read_all(file, tiny_len), -EINVAL);
	}
}

static void tracefile_survives_any_damage(void **state)
{
	__u8 file[sizeof(tiny)];
	__u64 seed = 20261129, j;
	unsigned int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		long rc;

		memcpy(file, tiny, tiny_len);
		for (j = 1 + fixture_uniform(&seed, 4); j; j--)
			file[4 + fixture_uniform(&seed, tiny_len - 4)] =
				(__u8)fixture_uniform(&seed, 256);
		rc = read_all(file, tiny_len);
		assert_true(rc >= 0 || rc == -EINVAL || rc == -E2BIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tracefile_is_what_the_encoder_got),
		cmocka_unit_test(tracefile_cut_off_anywhere_is_refused),
		cmocka_unit_test(tracefile_refuses_impossible_events),
		cmocka_unit_test(tracefile_counts_must_be_right),
		cmocka_unit_test(tracefile_needs_its_word),
		cmocka_unit_test(tracefile_survives_any_damage),
	};

	return cmocka_run_group_tests_name("tracefile", tests, setup, NULL);
}
