/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of entropy.c: what is credited, what is said, what is refused
 *
 * links: plat/common/entropy.c plat/common/health.c plat/common/rng.c
 *	plat/common/chacha.c tests/unit/entropy_required.c
 *	tests/unit/fake_assert.c
 *
 * Processor, command line, fw_cfg and console are fakes.
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
/* Has a main() of its own */
#define main guest_main
#include <uk/plat/bootstrap.h>
#undef main
#include <uk/print.h>

#include "entropy.h"
#include "x86/fwcfg.h"

#define HEX64 "60b725f10c9c85c70d97880dfe8191b3a4d0d4f1c1e5f0a7b6f3a5d2c8e91b47"

int entropy_judge_required(unsigned int bits, unsigned int flags);

enum behaviour {
	GOOD,
	STUCK,
	BIASED,
	PATTERN,
	EXHAUSTED
};

static struct {
	unsigned int sources;
	enum behaviour rdseed, rdrand;
	const char *seed;
	int debugseed;
	const char *file;
	__sz file_len;
	/* Time between two stamps; 0: it varies */
	__u64 tick;
	__u64 now, rng;
	unsigned int words, stamps;
	char said[1024];
} fake;

static __u64 draw(void)
{
	__u64 z;

	fake.rng += 0x9e3779b97f4a7c15UL;
	z = (fake.rng ^ fake.rng >> 30) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
	return z ^ z >> 31;
}

unsigned int entropy_cpu_sources(void)
{
	return fake.sources;
}

int entropy_cpu_word(unsigned int source, __u64 *word)
{
	unsigned int i;

	assert_true(source == ENTROPY_RDSEED || source == ENTROPY_RDRAND);
	assert_true(fake.sources & source);
	fake.words++;
	switch (source == ENTROPY_RDSEED ? fake.rdseed : fake.rdrand) {
	case GOOD:
		*word = draw();
		return 1;
	case STUCK:
		*word = __U64_MAX;
		return 1;
	case BIASED: /* a bit of 16 is set: half of the bytes are 0 */
		*word = draw();
		for (i = 0; i < 3; i++)
			*word &= draw();
		return 1;
	case PATTERN: /* never the same twice, but nothing new either */
		*word = 0x0101010101010101UL * (fake.words & 3);
		return 1;
	default:
		return 0;
	}
}

__u64 entropy_cpu_stamp(void)
{
	fake.stamps++;
	fake.now += fake.tick ? fake.tick : 100 + draw() % 64;
	return fake.now;
}

int ukplat_cmdline_find(const char *key, const char **val)
{
	if (!strcmp(key, "debugseed")) {
		*val = "";
		return fake.debugseed;
	}
	assert_string_equal("seed", key);
	*val = fake.seed;
	return fake.seed != NULL;
}

__sz fwcfg_file_read(const char *name, void *buf, __sz len)
{
	__sz n = MIN(len, fake.file_len);

	assert_string_equal(ENTROPY_FWCFG_NAME, name);
	if (n)
		memcpy(buf, fake.file, n);
	return n;
}

int ukplat_printk(const char *fmt, ...)
{
	__sz used = strlen(fake.said);
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(fake.said + used, sizeof(fake.said) - used, fmt, args);
	va_end(args);
	return n;
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.rng = 42;
	return 0;
}

static struct plat_rng rng;
static unsigned int flags;

static unsigned int collect(void)
{
	memset(&rng, 0, sizeof(rng));
	fake.said[0] = 0;
	return entropy_collect(&rng, &flags);
}

static void file_set(const void *file, __sz len)
{
	fake.file = file;
	fake.file_len = len;
}

static void hardware_is_strong(void **state)
{
	(void)state;
	fake.sources = ENTROPY_RDRAND;
	assert_int_equal(ENTROPY_MAX, collect());
	assert_int_equal(ENTROPY_RDRAND | ENTROPY_JITTER, flags);
	fake.sources = ENTROPY_RDSEED | ENTROPY_RDRAND;
	assert_int_equal(ENTROPY_MAX, collect());
	assert_int_equal(ENTROPY_RDSEED | ENTROPY_RDRAND | ENTROPY_JITTER,
			 flags);
	assert_string_equal("", fake.said);
	assert_int_equal(0, entropy_judge(ENTROPY_MAX, flags));
	assert_int_equal(0, entropy_judge_required(ENTROPY_MAX, flags));
	assert_string_equal("", fake.said);
}

static void bad_hardware_counts_nothing(void **state)
{
	static const enum behaviour bad[] = { STUCK, BIASED, PATTERN };
	__sz i;

	(void)state;
	fake.sources = ENTROPY_RDRAND;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fake.rdrand = bad[i];
		assert_int_equal(0, collect());
		assert_int_equal(ENTROPY_JITTER, flags);
		assert_string_equal("WARN: random: RDRAND fails its health "
				    "test: it counts nothing\n",
				    fake.said);
	}
	fake.rdrand = EXHAUSTED;
	assert_int_equal(0, collect());
	assert_string_equal("WARN: random: RDRAND gives nothing: it counts "
			    "nothing\n",
			    fake.said);
}

static void a_good_source_makes_up_for_a_bad_one(void **state)
{
	(void)state;
	fake.sources = ENTROPY_RDSEED | ENTROPY_RDRAND;
	fake.rdseed = STUCK;
	assert_int_equal(ENTROPY_MAX, collect());
	assert_int_equal(ENTROPY_RDRAND | ENTROPY_JITTER, flags);
	assert_string_equal("WARN: random: RDSEED fails its health test: it "
			    "counts nothing\n",
			    fake.said);
}

/* Only the sources that passed are asked again later */
static void fresh_words_come_from_good_sources(void **state)
{
	__u8 before[sizeof(rng.buf)];

	(void)state;
	fake.sources = ENTROPY_RDSEED | ENTROPY_RDRAND;
	fake.rdseed = STUCK;
	(void)collect();
	fake.rdrand = EXHAUSTED;
	fake.words = 0;
	fake.stamps = 0;
	memcpy(before, rng.buf, sizeof(before));
	entropy_fresh(&rng);
	assert_int_equal(8, fake.words);
	assert_int_equal(8, fake.stamps);
	assert_memory_not_equal(before, rng.buf, 32);
}

static void only_digits_of_the_seed_count(void **state)
{
	static const struct {
		const char *seed;
		unsigned int bits;
	} seeds[] = {
		{ HEX64, 256 },
		{ HEX64 " lcpus=2", 256 },
		{ "60B725F10C9C85C70D97880DFE8191B3", 128 },
		{ "60b725f10c9c85c70d97880dfe8191b", 124 },
		{ "60-b7-25-f1", 32 },
		{ "hello", 4 },
		{ "f 60b725f10c9c85c70d97880dfe8191b3", 4 },
	};
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(seeds); i++) {
		fake.seed = seeds[i].seed;
		assert_int_equal(seeds[i].bits, collect());
		assert_int_equal(ENTROPY_CMDLINE | ENTROPY_JITTER, flags);
		assert_string_equal("", fake.said);
	}
}

static void seeds_that_are_not_random_count_nothing(void **state)
{
	static const char *const seeds[] = {
		"",
		" 1234",
		"xyz",
		"0000000000000000000000000000000000000000000000000000000000000",
		"60b725f10c9c85c7777777777d97880dfe8191b3",
	};
	__sz i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(seeds); i++) {
		fake.seed = seeds[i];
		assert_int_equal(0, collect());
		assert_int_equal(ENTROPY_JITTER, flags);
		assert_string_equal("WARN: random: seed= is not random: it "
				    "counts nothing\n",
				    fake.said);
	}
}

static void a_file_counts_by_what_is_in_it(void **state)
{
	__u8 bytes[64];
	__sz i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (__u8)draw();
	file_set(bytes, 16);
	assert_int_equal(128, collect());
	assert_int_equal(ENTROPY_FWCFG | ENTROPY_JITTER, flags);
	file_set(bytes, 64);
	assert_int_equal(256, collect());
	file_set(HEX64 "\n", 65);
	assert_int_equal(256, collect());
	file_set(HEX64, 32);
	assert_int_equal(128, collect());
	assert_string_equal("", fake.said);

	memset(bytes + 20, 0x5a, 5);
	file_set(bytes, 64);
	assert_int_equal(0, collect());
	assert_int_equal(ENTROPY_JITTER, flags);
	assert_string_equal("WARN: random: opt/ukallocrnd/seed is not random: "
			    "it counts nothing\n",
			    fake.said);
}

static void sources_add_up(void **state)
{
	(void)state;
	fake.seed = "60b725f10c9c85c7";
	file_set(&HEX64[16], 16);
	assert_int_equal(128, collect());
	assert_int_equal(ENTROPY_CMDLINE | ENTROPY_FWCFG | ENTROPY_JITTER,
			 flags);
}

/* The generator depends on each source, also on those without credit */
static void everything_is_mixed_in(void **state)
{
	__u8 keys[6][32];
	__sz i, k;

	(void)state;
	fake.tick = 100;
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		fake.now = i == 1 ? 1 : 0;
		fake.seed = i == 2 ? "zzz" : NULL;
		file_set("\0\0\0\0\0\0", i == 3 ? 6 : 0);
		fake.sources = i >= 4 ? ENTROPY_RDRAND : 0;
		fake.rdrand = i == 4 ? STUCK : PATTERN;
		(void)collect();
		plat_rng_bytes(&rng, keys[i], sizeof(keys[i]));
		for (k = 0; k < i; k++)
			assert_memory_not_equal(keys[k], keys[i], 32);
	}
}

static void jitter_alone_is_weak(void **state)
{
	(void)state;
	assert_int_equal(0, collect());
	assert_int_equal(ENTROPY_JITTER, flags);
	assert_true(fake.stamps > 1024);
	assert_int_equal(0, entropy_judge(0, flags));
	assert_string_equal("WARN: random: random addresses rest on timing "
			    "jitter alone: use a CPU with RDRAND, seed=<64 "
			    "hexadecimal digits> or the fw_cfg file "
			    "opt/ukallocrnd/seed\n",
			    fake.said);
}

static void a_clock_without_jitter_is_nothing(void **state)
{
	(void)state;
	fake.tick = 3;
	assert_int_equal(0, collect());
	assert_int_equal(0, flags);
	assert_int_equal(0, entropy_judge(0, flags));
	assert_string_equal("WARN: random: there is no entropy at all, "
			    "addresses can be computed: use a CPU with RDRAND, "
			    "seed=<64 hexadecimal digits> or the fw_cfg file "
			    "opt/ukallocrnd/seed\n",
			    fake.said);
}

static void less_than_enough_is_named(void **state)
{
	(void)state;
	assert_int_equal(0, entropy_judge(127, ENTROPY_CMDLINE));
	assert_string_equal("WARN: random: only 127 of 128 bits of entropy: "
			    "use a CPU with RDRAND, seed=<64 hexadecimal "
			    "digits> or the fw_cfg file opt/ukallocrnd/seed\n",
			    fake.said);
}

static void what_is_weak_is_refused_if_a_strong_seed_is_required(void **state)
{
	(void)state;
	assert_int_equal(-EPERM, entropy_judge_required(127, ENTROPY_JITTER));
	assert_string_equal("CRIT: random: 127 of 128 bits of entropy, no boot "
			    "without them: use a CPU with RDRAND, seed=<64 "
			    "hexadecimal digits> or the fw_cfg file "
			    "opt/ukallocrnd/seed\n",
			    fake.said);
	fake.said[0] = 0;
	assert_int_equal(0, entropy_judge_required(128, ENTROPY_CMDLINE));
	assert_string_equal("", fake.said);
}

static void debugseed_fixes_everything(void **state)
{
	__u8 first[32], second[32];

	(void)state;
	fake.debugseed = 1;
	fake.sources = ENTROPY_RDRAND;
	fake.seed = HEX64;
	assert_int_equal(0, collect());
	assert_int_equal(ENTROPY_FIXED, flags);
	assert_int_equal(0, fake.words + fake.stamps);
	plat_rng_bytes(&rng, first, sizeof(first));
	fake.rng++;
	(void)collect();
	plat_rng_bytes(&rng, second, sizeof(second));
	assert_memory_equal(first, second, sizeof(first));

	assert_int_equal(0, entropy_judge(0, flags));
	assert_string_equal("WARN: random: debugseed: all addresses are "
			    "fixed\n",
			    fake.said);
	fake.said[0] = 0;
	assert_int_equal(-EPERM, entropy_judge_required(256, flags));
	assert_string_equal("CRIT: random: debugseed fixes all addresses, "
			    "which UKPLAT_ENTROPY_REQUIRE forbids: boot "
			    "without it\n",
			    fake.said);
}

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(hardware_is_strong),
		UNIT_TEST(bad_hardware_counts_nothing),
		UNIT_TEST(a_good_source_makes_up_for_a_bad_one),
		UNIT_TEST(fresh_words_come_from_good_sources),
		UNIT_TEST(only_digits_of_the_seed_count),
		UNIT_TEST(seeds_that_are_not_random_count_nothing),
		UNIT_TEST(a_file_counts_by_what_is_in_it),
		UNIT_TEST(sources_add_up),
		UNIT_TEST(everything_is_mixed_in),
		UNIT_TEST(jitter_alone_is_weak),
		UNIT_TEST(a_clock_without_jitter_is_nothing),
		UNIT_TEST(less_than_enough_is_named),
		UNIT_TEST(what_is_weak_is_refused_if_a_strong_seed_is_required),
		UNIT_TEST(debugseed_fixes_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
