/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* All CPUs allocate, hand objects to each other and free what they get
 *
 * Why
 *   Everything that is per CPU in an allocator is wrong somewhere until
 *   objects have crossed CPUs in every order.
 *
 * How
 *   Shared slots hold one object each. A CPU makes an object, swaps it into a
 *   slot drawn at random and frees what it got in return, which most likely
 *   another CPU made. Each object has a number that no other object ever has;
 *   its contents derive from the number and are verified before it is freed.
 *
 * Invariants
 *   X1. Number and sum of all objects made equal those of all objects freed:
 *       an object that was lost or handed out twice breaks one of them, and
 *       one that overlaps another breaks its contents.
 *   X2. After the end the allocator has as many live objects as before.
 */

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <uk/config.h>
#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#ifdef CONFIG_LIBUKALLOCRND
#include <uk/allocrnd.h>
#endif
#include <uk/plat/lcpu.h>

#include "test.h"

#define SLOTS_MAX 2048U
#define SHARE	  64UL

/* Words up to here are all written; beyond, every STRIDE-th: the object's
 * pages and cache lines are touched, the time goes to the allocator.
 */
#define DENSE_WORDS 32U
#define STRIDE	    61U

struct object {
	__u64 number;
	__u64 words; /* length of the whole object */
	__u64 body[];
};

#define HEAD_WORDS (sizeof(struct object) / sizeof(__u64))

/* What one CPU has done; on cache lines of its own */
struct tally {
	__u64 made, made_sum;
	__u64 freed, freed_sum;
	__u64 bad;
	__u64 nomem;
} __align(128);

static struct object *slots[SLOTS_MAX];
static struct tally tallies[CONFIG_UKPLAT_LCPU_MAXCOUNT];
static unsigned long ops_left;

/** What the objects of a run are like */
struct run {
	__sz (*words)(__u64 *seed);
	__u64 slots;
};

/* Mostly small, some up to 4 KiB, few up to 32 KiB. Large objects, which have
 * pages of their own, are rare: each of them makes all CPUs answer, and with
 * more CPUs than the host has that takes milliseconds.
 */
static __sz words_any(__u64 *seed)
{
	__u64 r = draw(seed);
	__u64 kind = r % 65536;

	r >>= 16;
	if (kind < 49152)
		return HEAD_WORDS + r % 32;
	if (kind < 64512)
		return HEAD_WORDS + r % 510;
	if (kind < 65532)
		return HEAD_WORDS + r % 4090;
	return HEAD_WORDS + r % 40000;
}

/* Large objects of few lengths, so that they get each other's pages: moved and
 * cleared in one part or in two, too long by some pages, or resized
 */
static __sz words_large(__u64 *seed)
{
	return (70000 + draw(seed) % 60 * 5000) / sizeof(__u64);
}

static __sz next_word(__sz i)
{
	return i < DENSE_WORDS ? i + 1 : i + STRIDE;
}

static void *words_calloc(struct tally *t, __sz words)
{
	__u64 *ptr = calloc(words, sizeof(__u64));
	__sz i;

	for (i = 0; ptr && i < words; i = next_word(i))
		if (ptr[i]) {
			t->bad++;
			break;
		}
	return ptr;
}

/* One in four through calloc or realloc */
static void *words_alloc(struct tally *t, __sz words, __u64 how)
{
	void *ptr, *larger;

	if (how & 3)
		return malloc(words * sizeof(__u64));
	if (how & 4)
		return words_calloc(t, words);

	ptr = malloc(words * sizeof(__u64) / 2);
	if (!ptr)
		return __NULL;
	larger = realloc(ptr, words * sizeof(__u64));
	if (!larger)
		free(ptr);
	return larger;
}

static struct object *object_make(struct tally *t, const struct run *run,
				  __u64 *seed)
{
	__sz words = run->words(seed), i;
	struct object *obj = words_alloc(t, words, *seed);

	if (!obj) {
		t->nomem++;
		return __NULL;
	}

	t->made++;
	obj->number = (__u64)(ukplat_lcpu_idx() + 1) << 40 | t->made;
	obj->words = words;
	for (i = 0; i < words - HEAD_WORDS; i = next_word(i))
		obj->body[i] = obj->number * 0x9e3779b97f4a7c15UL + i;
	t->made_sum += obj->number;
	return obj;
}

static void object_free(struct tally *t, struct object *obj)
{
	__sz i;

	t->freed++;
	t->freed_sum += obj->number;
	for (i = 0; i < obj->words - HEAD_WORDS; i = next_word(i))
		if (obj->body[i] != obj->number * 0x9e3779b97f4a7c15UL + i) {
			t->bad++;
			break;
		}
	free(obj);
}

/* Takes a share of the operations that are left */
static unsigned long take_ops(void)
{
	unsigned long have = __atomic_load_n(&ops_left, __ATOMIC_RELAXED);
	unsigned long share;

	do
		share = MIN(have, SHARE);
	while (!__atomic_compare_exchange_n(&ops_left, &have, have - share, 0,
					    __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED));

	return share;
}

static void stress_cpu(void *arg)
{
	const struct run *run = arg;
	__u32 cpu = ukplat_lcpu_idx();
	struct tally *t = &tallies[cpu];
	__u64 seed = 0x1234567UL * (cpu + 1);
	unsigned long n;

	for (n = take_ops(); n; n = take_ops()) {
		for (; n; n--) {
			struct object *obj = object_make(t, run, &seed);
			__u64 slot = draw(&seed) % run->slots;

			/* Acq_rel: the contents travel with the pointer. Pairs
			 * with itself on the CPU that gets the object.
			 */
			obj = __atomic_exchange_n(&slots[slot], obj,
						  __ATOMIC_ACQ_REL);
			if (obj)
				object_free(t, obj);
		}
	}
}

#ifdef CONFIG_LIBUKALLOCRND
static __sz live_slots(void)
{
	struct uk_allocrnd_stats st;

	uk_allocrnd_stats_get(uk_alloc_get_default(), &st);
	return st.live_slots;
}

static void flush(void *arg __unused)
{
	uk_allocrnd_flush(uk_alloc_get_default());
}

static __sz check(void)
{
	return uk_allocrnd_check(uk_alloc_get_default());
}
#else
static __sz live_slots(void)
{
	return 0;
}

static void flush(void *arg __unused) {}

static __sz check(void)
{
	return 0;
}
#endif /* !CONFIG_LIBUKALLOCRND */

static void sum_up(struct tally *sum)
{
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < ARRAY_SIZE(tallies); i++) {
		sum->made += tallies[i].made;
		sum->made_sum += tallies[i].made_sum;
		sum->freed += tallies[i].freed;
		sum->freed_sum += tallies[i].freed_sum;
		sum->bad += tallies[i].bad;
		sum->nomem += tallies[i].nomem;
	}
}

static enum test_result run_all(struct run *run, unsigned long ops)
{
	unsigned int cpus = ukplat_lcpu_count();
	__sz live = live_slots();
	struct tally sum;
	unsigned int i;

	memset(tallies, 0, sizeof(tallies));
	ops_left = ops;
	EXPECT(on_all_cpus(stress_cpu, run) == cpus);
	EXPECT(check() == 0);

	for (i = 0; i < run->slots; i++) {
		if (slots[i])
			object_free(&tallies[0], slots[i]);
		slots[i] = __NULL;
	}
	sum_up(&sum);
	printf("stress: %u CPUs, %lu made, %lu freed, %lu out of memory\n",
	       cpus, sum.made, sum.freed, sum.nomem);
	EXPECT(sum.bad == 0);
	EXPECT(sum.made == sum.freed);
	EXPECT(sum.made_sum == sum.freed_sum);

	/* Twice: the first round may send remote frees to other CPUs */
	EXPECT(on_all_cpus(flush, __NULL) == cpus);
	EXPECT(on_all_cpus(flush, __NULL) == cpus);
	EXPECT(check() == 0);
	EXPECT(live_slots() == live);
	return TEST_PASS;
}

static enum test_result stress(void)
{
	struct run run = { .words = words_any, .slots = SLOTS_MAX };

	return run_all(&run, arg_number("ops", 50000));
}

static enum test_result stress_with_large_objects(void)
{
	struct run run = { .words = words_large, .slots = 16 };

	return run_all(&run, arg_number("larges", 200));
}

const struct test_case stress_cases[] = {
	{ "stress", stress },
	{ "stress_with_large_objects", stress_with_large_objects },
	{ __NULL, __NULL },
};
