/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of canary.h: every request of the small slots, every byte, and
 * requests of all classes
 *
 * links: lib/ukallocrnd/sizeclass.c lib/ukallocrnd/fill.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "canary.h"
#include "sizeclass.h"
#include "slab.h"

#define LEN_ALL 320UL
#define BORDER	16UL

static __u8 memory[BORDER + RND_SLOT_LEN_MAX + BORDER] __align(16);
static __u8 *const mem = memory + BORDER;
static struct rnd_canary_key key;

static int group_setup(void **state)
{
	(void)state;
	rnd_canary_key_init(&key, 0x0123456789abcdef, 0xfedcba9876543210);
	return 0;
}

/* Calls fn for every slot length and every request that fits it */
static void for_each_request(void (*fn)(__u64 word, __sz req, __sz slot_len))
{
	__sz slot_len, req;
	__u64 word;

	for (slot_len = 16; slot_len <= LEN_ALL; slot_len += 16)
		for (req = 0; req + RND_CANARY_SLACK_MIN <= slot_len; req++) {
			word = rnd_canary_word(&key, slot_len << 32 | req << 4);
			fn(word, req, slot_len);
		}
}

static __u8 pattern_byte(__u64 word, __sz at)
{
	return ((__u8 *)&word)[at % 8];
}

/* Functions that write */
typedef void canary_writer(__u64 word, void *p, __sz req, __sz slot_len);

/* The answer of the functions that serve the slack, which must agree */
static __bool check_any(__u64 word, __sz req, __sz slot_len)
{
	__bool is_sound = rnd_canary_check(word, mem, req, slot_len);

	assert_int_equal(is_sound,
			 rnd_canary_check_few(word, mem, req, slot_len));
	if (slot_len - req <= RND_CANARY_SHORT_MAX)
		assert_int_equal(is_sound,
				 rnd_canary_check_short(word, mem, slot_len,
							slot_len - req));

	return is_sound;
}

static void write_fills_slack_by(canary_writer *write, __u64 word, __sz req,
				 __sz slot_len)
{
	__sz i;

	memset(memory, 0xee, BORDER + slot_len + BORDER);
	write(word, mem, req, slot_len);

	for (i = 0; i < BORDER + req; i++)
		assert_int_equal(0xee, memory[i]);
	for (i = req; i < slot_len; i++)
		assert_int_equal(pattern_byte(word, i), mem[i]);
	for (i = slot_len; i < slot_len + BORDER; i++)
		assert_int_equal(0xee, mem[i]);
	assert_true(check_any(word, req, slot_len));
	assert_null(rnd_canary_find_bad(word, mem, req, slot_len));
}

static void write_fills_slack(__u64 word, __sz req, __sz slot_len)
{
	write_fills_slack_by(rnd_canary_write, word, req, slot_len);
	write_fills_slack_by(rnd_canary_write_few, word, req, slot_len);
	if (slot_len - req <= RND_CANARY_SHORT_MAX)
		write_fills_slack_by(rnd_canary_write_short, word, req,
				     slot_len);
}

static void canary_write_fills_the_slack_and_nothing_else_c1(void **state)
{
	(void)state;
	for_each_request(write_fills_slack);
}

static void check_sees_bytes(__u64 word, __sz req, __sz slot_len)
{
	unsigned int bit;
	__sz i;

	rnd_canary_write(word, mem, req, slot_len);
	for (i = req; i < slot_len; i++)
		for (bit = 1; bit < 256; bit *= 2) {
			mem[i] ^= (__u8)bit;
			if (check_any(word, req, slot_len))
				fail_msg("bit %#x of byte %lu of [%lu, %lu)",
					 bit, i, req, slot_len);
			if (rnd_canary_find_bad(word, mem, req, slot_len) !=
			    &mem[i])
				fail_msg("find byte %lu of [%lu, %lu)", i, req,
					 slot_len);
			mem[i] ^= (__u8)bit;
		}
}

static void canary_check_sees_every_changed_bit(void **state)
{
	(void)state;
	for_each_request(check_sees_bytes);
}

static void check_ignores_object(__u64 word, __sz req, __sz slot_len)
{
	__sz i;

	memset(memory, 0, sizeof(memory));
	rnd_canary_write(word, mem, req, slot_len);
	for (i = 0; i < req; i++) {
		mem[i] = 0xff;
		assert_true(check_any(word, req, slot_len));
	}
	memset(memory, 0xff, BORDER);
	memset(mem + slot_len, 0xff, BORDER);
	assert_true(check_any(word, req, slot_len));
}

static void canary_check_ignores_other_bytes_c1(void **state)
{
	(void)state;
	for_each_request(check_ignores_object);
}

/* Requests of every class: the largest ones, the smallest, and some between;
 * and what an alignment makes of one byte
 */
static void for_each_class(void (*fn)(__u64 word, __sz req, __sz slot_len))
{
	__sz slot_len, least, slack;
	__u64 word;
	__u32 sc;

	for (sc = 1; sc < RND_CLASS_COUNT; sc++) {
		slot_len = rnd_sizeclass[sc].slot_len;
		least = rnd_sizeclass[sc - 1].slot_len - RND_CANARY_SLACK_MIN;
		word = rnd_canary_word(&key, slot_len << 32);
		for (slack = RND_CANARY_SLACK_MIN; slack < slot_len - least;
		     slack += slack / 4)
			fn(word, slot_len - slack, slot_len);
		fn(word, least, slot_len);
		if (slot_len <= RND_SLACK_MAX)
			fn(word, 1, slot_len);
	}
}

/* Every byte of a long slack, the object's last ones and those behind */
static void check_sees_long(__u64 word, __sz req, __sz slot_len)
{
	__sz i;

	memset(memory, 0xff, BORDER + slot_len + BORDER);
	rnd_canary_write(word, mem, req, slot_len);
	for (i = req; i < slot_len; i++) {
		mem[i] ^= 0x80;
		if (check_any(word, req, slot_len))
			fail_msg("byte %lu of [%lu, %lu)", i, req, slot_len);
		if (i < req + 64)
			assert_ptr_equal(&mem[i],
					 rnd_canary_find_bad(word, mem, req,
							     slot_len));
		mem[i] ^= 0x80;
	}
	assert_true(check_any(word, req, slot_len));
}

static void canary_serves_all_classes_c1(void **state)
{
	(void)state;
	for_each_class(write_fills_slack);
	for_each_class(check_sees_long);
}

/* What short slots have is what the functions for them can do */
static void canary_short_serves_all_short_requests(void **state)
{
	__sz size, len;

	(void)state;
	for (size = 1; size <= RND_SHORT_MAX; size++) {
		len = rnd_sizeclass[rnd_sizeclass_of(size)].slot_len;
		assert_true(len - size <= RND_CANARY_SHORT_MAX);
		if (RND_OPT_CANARY)
			assert_true(len - size >= RND_CANARY_SLACK_MIN);
	}
}

static void canary_rotates_by_bytes(void **state)
{
	const __u64 word = 0x1122334455667788UL;
	__sz at, i;

	(void)state;
	for (at = 0; at < 40; at++)
		for (i = 0; i < 8; i++) {
			assert_int_equal(
				pattern_byte(word, at + i),
				pattern_byte(rnd_canary_rotate(word, at), i));
			assert_int_equal(
				pattern_byte(word, 40 - at + i),
				pattern_byte(rnd_canary_rotate_back(word, at),
					     i));
		}
}

static void canary_find_bad_finds_the_first(void **state)
{
	const __u64 word = rnd_canary_word(&key, 0x1000);

	(void)state;
	rnd_canary_write(word, mem, 50, 112);
	mem[60] ^= 1;
	mem[111] ^= 1;
	assert_ptr_equal(&mem[60], rnd_canary_find_bad(word, mem, 50, 112));
}

static void canary_bytes_are_odd(void **state)
{
	__uptr p;

	(void)state;
	for (p = 0; p < 100000; p += 16)
		assert_true((rnd_canary_word(&key, p) & RND_CANARY_ODD) ==
			    RND_CANARY_ODD);
}

static unsigned int bits_differ(__u64 a, __u64 b)
{
	return (unsigned int)__builtin_popcountl(a ^ b);
}

/* A change of one input bit changes the output everywhere: of the 56 free bits
 * between a quarter and three quarters flip on average over 4096 slots. Half
 * would be ideal, but under one key the differences are alike.
 */
static void assert_avalanche(__u64 add_flip, __u64 mul_flip, __uptr p_flip)
{
	struct rnd_canary_key other;
	unsigned int sum = 0;
	__uptr i;

	rnd_canary_key_init(&other, key.add ^ add_flip, key.mul ^ mul_flip);
	for (i = 0; i < 4096; i++) {
		__uptr p = 0x7f0000000000 + i * 80;

		sum += bits_differ(rnd_canary_word(&key, p),
				   rnd_canary_word(&other, p ^ p_flip));
	}
	assert_in_range(sum, 14 * 4096, 42 * 4096);
}

static void canary_depends_on_every_bit_of_key_and_address(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		assert_avalanche(1UL << bit, 0, 0);
		/* Bit 0 of the factor is always one */
		if (bit)
			assert_avalanche(0, 1UL << bit, 0);
	}
	for (bit = 4; bit < 47; bit++)
		assert_avalanche(0, 0, 1UL << bit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			canary_write_fills_the_slack_and_nothing_else_c1),
		cmocka_unit_test(canary_check_sees_every_changed_bit),
		cmocka_unit_test(canary_check_ignores_other_bytes_c1),
		cmocka_unit_test(canary_serves_all_classes_c1),
		cmocka_unit_test(canary_short_serves_all_short_requests),
		cmocka_unit_test(canary_rotates_by_bytes),
		cmocka_unit_test(canary_find_bad_finds_the_first),
		cmocka_unit_test(canary_bytes_are_odd),
		cmocka_unit_test(
			canary_depends_on_every_bit_of_key_and_address),
	};

	return cmocka_run_group_tests_name("canary", tests, group_setup, NULL);
}
