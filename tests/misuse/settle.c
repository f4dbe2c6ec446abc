/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdint.h>

#include "crime.h"

/* Rounds of reuse; the slot comes by in the first one with all likelihood */
#define ROUNDS 20

/* Slots that an actor may have at most, before it makes new ones: those of
 * eight slabs. And frees after which each has left the quarantine, with
 * probability 1 - 2^-34 for a random stage of 64.
 */
#define GROW_LEN  (4UL << 20)
#define GROW_MAX  20000U
#define GROW_MIN  300U
#define CHURN_LEN (8UL << 20)
#define CHURN_MAX 1800U
#define CHURN_MIN 300U

/* More than a CPU keeps of what it freed for others */
#define REMOTE_CNT 128U

static void *held[GROW_MAX + GROW_MAX / 4];

static unsigned int clamp(size_t n, unsigned int min, unsigned int max)
{
	return n < min ? min : n > max ? max : (unsigned int)n;
}

static void *make(size_t size)
{
	struct call call = { .form = &alloc_forms[0], .size = size };

	form_run(&call);
	EXPECT(call.ptr);
	return call.ptr;
}

static void drop(void *ptr)
{
	struct call call = { .form = &free_forms[0], .ptr = ptr };

	form_run(&call);
}

/* Takes all free slots, lets those in quarantine come out, takes these: while
 * so much is live, no slab is given back with what is to be found in it
 */
static void reuse(void *arg)
{
	size_t slot = *(const size_t *)arg, size = slot - history.canary_len;
	unsigned int grow = clamp(GROW_LEN / slot, GROW_MIN, GROW_MAX);
	unsigned int churn = clamp(CHURN_LEN / slot, CHURN_MIN, CHURN_MAX);
	unsigned int i, n;

	for (n = 0; n < grow; n++)
		held[n] = make(size);
	for (i = 0; i < churn; i++)
		drop(make(size));
	for (; n < grow + grow / 4; n++)
		held[n] = make(size);
	while (n)
		drop(held[--n]);
}

static void make_some(void *arg)
{
	unsigned int n;

	(void)arg;
	for (n = 0; n < REMOTE_CNT; n++)
		held[n] = make(1);
}

static void drop_some(void *arg)
{
	unsigned int n;

	(void)arg;
	for (n = 0; n < REMOTE_CNT; n++)
		drop(held[n]);
}

/* What an actor freed for another one waits for company: it gets some */
static void deliver_all(void)
{
	unsigned int actor;

	for (actor = 0; actor < ACTOR_NEW; actor++) {
		actor_run(actor ? ACTOR_MAIN : ACTOR_A, make_some, NULL);
		actor_run((enum actor)actor, drop_some, NULL);
	}
}

/* First in the thread that most likely has the slot, then in all. Those that
 * live are made before, so that the next new thread gets what an earlier one
 * has left.
 */
static void reuse_all(void)
{
	unsigned int round, actor;

	note("reuse slots of %zu\n", aftermath.reuse);
	actor_start();
	deliver_all();
	actor_run(aftermath.owner, reuse, &aftermath.reuse);
	for (round = 0; round < ROUNDS; round++)
		for (actor = 0; actor < ACTOR_COUNT; actor++)
			actor_run((enum actor)actor, reuse, &aftermath.reuse);
}

void settle(void)
{
	if (aftermath.reuse)
		reuse_all();
	history_run((unsigned int)pick(100));
	history_free_all();
}
