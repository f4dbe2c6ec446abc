/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>

#include "entropy.h"
#include "health.h"
#include "x86/fwcfg.h"

#define WORDS	       16U
/* Words of each hardware source: two windows of the tests, byte by byte */
#define HARDWARE_WORDS (2 * HEALTH_WINDOW / 8)
/* Claims in bits: for a word of 64, for one of its bytes */
#define WORD_BITS      32U
#define BYTE_BITS      (WORD_BITS / 8)
#define DIGIT_BITS     4U

/* Eighths of a bit that a time stamp must have to pass */
#define JITTER_H	     4U
/* Two windows where jitter may be all there is, else what costs little */
#define JITTER_BURSTS	     DIV_ROUND_UP(2 * HEALTH_WINDOW, WORDS - 2)
#define JITTER_BURSTS_STRONG 8U

/* Most of the fw_cfg file that is read */
#define FILE_MAX 256U

/* Words of a reseed */
#define FRESH_WORDS 8U

/* Hardware sources that did not fail; ~0 before anybody has looked. Relaxed:
 * each CPU may find out by itself
 */
static unsigned int usable = ~0U;

static void words_wipe(__u64 *words, unsigned int cnt)
{
	memset(words, 0, cnt * sizeof(*words));
	barrier(); /* the wipe is not dead code */
}

/* Feeds a word to both tests; the one of bytes finds a source that is not
 * dead but biased
 */
static int word_passes(struct health *words, struct health *bytes, __u64 word)
{
	int ok = health_feed(words, word);
	unsigned int i;

	for (i = 0; i < sizeof(word); i++)
		ok &= health_feed(bytes, (__u8)(word >> (8 * i)));
	return ok;
}

/* State of the tests of a hardware source */
struct hardware {
	struct health words, bytes;
	unsigned int source, got, ok;
};

/* Draws as many words as a generator mixes in one go, and tests them */
static void hardware_burst(struct plat_rng *rng, struct hardware *hw)
{
	__u64 words[WORDS];
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		words[i] = 0;
		/* It may be exhausted for a while */
		if (!entropy_cpu_word(hw->source, &words[i]))
			continue;
		hw->got++;
		hw->ok &= (unsigned int)word_passes(&hw->words, &hw->bytes,
						    words[i]);
	}
	plat_rng_mix(rng, words, sizeof(words));
	words_wipe(words, WORDS);
}

/* Mixes words of a source in; its credit, or 0 if it fails */
static unsigned int hardware_mix(struct plat_rng *rng, unsigned int source,
				 const char *name)
{
	struct hardware hw = { .source = source, .ok = 1 };
	unsigned int i;

	health_init(&hw.words, WORD_BITS * HEALTH_H_UNIT);
	health_init(&hw.bytes, BYTE_BITS * HEALTH_H_UNIT);
	for (i = 0; i < HARDWARE_WORDS / WORDS; i++)
		hardware_burst(rng, &hw);
	if (hw.ok && hw.got)
		return hw.got * WORD_BITS;
	uk_pr_warn("random: %s %s: it counts nothing\n", name,
		   hw.ok ? "gives nothing" : "fails its health test");
	return 0;
}

/* Mixes hardware sources in; notes the good ones */
static unsigned int hardware_collect(struct plat_rng *rng, unsigned int *flags)
{
	unsigned int have = entropy_cpu_sources(), good = 0;
	unsigned int n, bits = 0;

	if (have & ENTROPY_RDSEED) {
		n = hardware_mix(rng, ENTROPY_RDSEED, "RDSEED");
		good |= n ? ENTROPY_RDSEED : 0;
		bits += n;
	}
	if (have & ENTROPY_RDRAND) {
		n = hardware_mix(rng, ENTROPY_RDRAND, "RDRAND");
		good |= n ? ENTROPY_RDRAND : 0;
		bits += n;
	}
	__atomic_store_n(&usable, good, __ATOMIC_RELAXED);
	*flags |= good;
	return bits;
}

static int is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* Credit of text: its hexadecimal digits, unless one comes again and again */
static unsigned int digits_bits(const char *text, __sz len)
{
	struct health health;
	unsigned int cnt = 0;
	__sz i;

	health_init(&health, DIGIT_BITS * HEALTH_H_UNIT);
	for (i = 0; i < len; i++) {
		if (!is_hex(text[i]))
			continue;
		cnt++;
		(void)health_feed(&health, (__u8)text[i]);
	}
	return health.failed ? 0 : cnt * DIGIT_BITS;
}

static unsigned int cmdline_collect(struct plat_rng *rng, unsigned int *flags)
{
	unsigned int bits;
	const char *val;
	__sz len = 0;

	if (!ukplat_cmdline_find("seed", &val))
		return 0;
	while (val[len] && val[len] != ' ')
		len++;
	plat_rng_mix(rng, val, len);
	bits = digits_bits(val, len);
	if (!bits)
		uk_pr_warn("random: seed= is not random: it counts nothing\n");
	else
		*flags |= ENTROPY_CMDLINE;
	return bits;
}

/* 1 if somebody wrote digits to the file, where bytes could have been */
static int is_text(const __u8 *file, __sz len)
{
	__sz i;

	for (i = 0; i < len; i++)
		if (!is_hex((char)file[i]) && file[i] != '\n' &&
		    file[i] != '\r' && file[i] != ' ')
			return 0;
	return 1;
}

static unsigned int bytes_bits(const __u8 *bytes, __sz len)
{
	struct health health;
	__sz i;

	health_init(&health, 8 * HEALTH_H_UNIT);
	for (i = 0; i < len; i++)
		(void)health_feed(&health, bytes[i]);
	return health.failed ? 0 : 8 * (unsigned int)len;
}

unsigned int entropy_file_mix(struct plat_rng *rng, const __u8 *bytes, __sz len,
			      const char *name)
{
	unsigned int bits;

	plat_rng_mix(rng, bytes, len);
	bits = is_text(bytes, len) ? digits_bits((const char *)bytes, len) :
				     bytes_bits(bytes, len);
	if (!bits)
		uk_pr_warn("random: %s is not random: it counts nothing\n",
			   name);
	return bits;
}

static unsigned int fwcfg_collect(struct plat_rng *rng, unsigned int *flags)
{
	__u64 file[FILE_MAX / sizeof(__u64)];
	__u8 *bytes = (__u8 *)file;
	unsigned int bits;
	__sz len;

	len = fwcfg_file_read(ENTROPY_FWCFG_NAME, bytes, FILE_MAX);
	if (!len)
		return 0;
	bits = entropy_file_mix(rng, bytes, len, ENTROPY_FWCFG_NAME);
	words_wipe(file, ARRAY_SIZE(file));
	if (bits)
		*flags |= ENTROPY_FWCFG;
	return bits;
}

/* Takes time stamps in a row, with nothing in between that takes its own time,
 * tests how they differ, and mixes them in
 */
static void jitter_burst(struct plat_rng *rng, struct health *health)
{
	__u64 words[WORDS];
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		words[i] = entropy_cpu_stamp();
	/* The way into the loop differs from the way round it */
	for (i = 2; i < WORDS; i++)
		(void)health_feed(health, words[i] - words[i - 1]);
	plat_rng_mix(rng, words, sizeof(words));
	words_wipe(words, WORDS);
}

static void jitter_collect(struct plat_rng *rng, unsigned int bursts,
			   unsigned int *flags)
{
	struct health health;

	health_init(&health, JITTER_H);
	while (bursts--)
		jitter_burst(rng, &health);
	if (!health.failed)
		*flags |= ENTROPY_JITTER;
}

unsigned int entropy_collect(struct plat_rng *rng, unsigned int *flags)
{
	unsigned int bits;
	const char *val;

	*flags = 0;
	bits = cmdline_collect(rng, flags);
	if (ukplat_cmdline_find("debugseed", &val)) {
		plat_rng_mix(rng, "debugseed", sizeof("debugseed"));
		*flags = ENTROPY_FIXED;
		return 0;
	}
	bits += hardware_collect(rng, flags);
	bits += fwcfg_collect(rng, flags);
	jitter_collect(rng,
		       bits < ENTROPY_STRONG ? JITTER_BURSTS :
					       JITTER_BURSTS_STRONG,
		       flags);
	return MIN(bits, ENTROPY_MAX);
}

#define REMEDY                                                                 \
	"a CPU with RDRAND, seed=<64 hexadecimal digits> or the fw_cfg file "  \
	"opt/ukallocrnd/seed"

int entropy_judge(unsigned int bits, unsigned int flags)
{
	const int is_fixed = !!(flags & ENTROPY_FIXED);

	if (!is_fixed && bits >= ENTROPY_STRONG)
		return 0;
#ifdef CONFIG_UKPLAT_ENTROPY_REQUIRE
	if (is_fixed)
		uk_pr_crit("random: debugseed fixes all addresses, which "
			   "UKPLAT_ENTROPY_REQUIRE forbids: boot without it\n");
	else
		uk_pr_crit("random: %u of %u bits of entropy, no boot without "
			   "them: use " REMEDY "\n",
			   bits, ENTROPY_STRONG);
	return -EPERM;
#else
	if (is_fixed)
		uk_pr_warn("random: debugseed: all addresses are fixed\n");
	else if (bits)
		uk_pr_warn("random: only %u of %u bits of entropy: use " REMEDY
			   "\n",
			   bits, ENTROPY_STRONG);
	else if (flags & ENTROPY_JITTER)
		uk_pr_warn("random: random addresses rest on timing jitter "
			   "alone: use " REMEDY "\n");
	else
		uk_pr_warn("random: there is no entropy at all, addresses can "
			   "be computed: use " REMEDY "\n");
	return 0;
#endif
}

void entropy_fresh(struct plat_rng *rng)
{
	unsigned int have = __atomic_load_n(&usable, __ATOMIC_RELAXED);
	__u64 words[FRESH_WORDS];
	unsigned int i;

	if (have == ~0U) {
		have = entropy_cpu_sources();
		__atomic_store_n(&usable, have, __ATOMIC_RELAXED);
	}
	for (i = 0; i < FRESH_WORDS; i++) {
		if ((have & ENTROPY_RDSEED) &&
		    entropy_cpu_word(ENTROPY_RDSEED, &words[i]))
			continue;
		if ((have & ENTROPY_RDRAND) &&
		    entropy_cpu_word(ENTROPY_RDRAND, &words[i]))
			continue;
		words[i] = entropy_cpu_stamp();
	}
	plat_rng_mix(rng, words, sizeof(words));
	words_wipe(words, FRESH_WORDS);
}
