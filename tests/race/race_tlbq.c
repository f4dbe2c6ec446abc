/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Race test of the unmap quarantine: its owner adds, two other threads empty
 * it as CPUs do that are short of memory
 *
 * Each range stands for a slot, which is written to without any lock by
 * whoever has it: the owner before it adds the range, and again when the slot
 * has come back; the one who reaps in between.
 *
 * links: only plat/common/tlbq.c
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/arch/paging.h>
#include <uk/plat/tlb.h>
#include <uk/plat/tlbq.h>

#define DRAINERS  2U
#define SLOTS	  3000U
#define ROUNDS	  50U
#define PAGES_MAX 1500UL

#ifdef __SANITIZE_THREAD__
#define STEPS 30000U
#else
#define STEPS 300000U
#endif

static __u8 memory[UKPLAT_TLBQ_DEPTH * PAGE_SIZE] __align(4096);
static struct ukplat_tlbq queue;

/* (a) Newest generation, and the newest one that all CPUs have passed */
__u64 ukplat_tlb_gen;
static __u64 passed;

/** One of the addresses */
struct slot {
	/** Number of the use; 0: nobody's, the owner may have it */
	unsigned long use;
	/** (a) 1 from before the range is added until it has been reaped */
	__u32 taken;
};

static struct slot slots[SLOTS];
/* Those reaped, under the lock of the queue */
static unsigned long reaped, reaped_pages;
/* (a) The owner has not finished; errors of all threads */
static unsigned int running, failures;
/* (a) How often each of the others has emptied the queue */
static unsigned long rounds[DRAINERS];

static void expect(int cond)
{
	if (!cond)
		__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

__u64 ukplat_tlb_close(int own __unused)
{
	return __atomic_add_fetch(&ukplat_tlb_gen, 1, __ATOMIC_SEQ_CST);
}

int ukplat_tlb_passed(__u64 gen)
{
	return __atomic_load_n(&passed, __ATOMIC_SEQ_CST) >= gen;
}

void ukplat_tlb_sync(__u64 gen)
{
	__u64 old = __atomic_load_n(&passed, __ATOMIC_SEQ_CST);

	while (old < gen &&
	       !__atomic_compare_exchange_n(&passed, &old, gen, 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static unsigned long slot_pages(const struct slot *s)
{
	return 1 + (unsigned long)(s - slots) % 5;
}

static void on_reap(struct ukplat_tlbq_batch *batch)
{
	unsigned long n;
	unsigned int i;
	struct slot *s;

	expect(ukplat_tlb_passed(batch->gen));
	for (i = 0; i < batch->cnt; i++) {
		n = batch->range[i].vaddr >> PAGE_SHIFT;
		expect(n < SLOTS);
		s = &slots[n % SLOTS];
		expect(s->use && batch->range[i].pages == slot_pages(s));
		s->use = 0;
		reaped++;
		reaped_pages += batch->range[i].pages;
		/* Release: the owner may use it again. Pairs with the acquire
		 * in slot_find()
		 */
		__atomic_store_n(&s->taken, 0, __ATOMIC_RELEASE);
	}
}

static const struct ukplat_tlbq_ops ops = { .reap = on_reap };

static struct slot *slot_find(unsigned int *hint)
{
	struct slot *s;

	do
		s = &slots[++*hint % SLOTS];
	/* Acquire: pairs with the release in on_reap() */
	while (__atomic_load_n(&s->taken, __ATOMIC_ACQUIRE));
	return s;
}

#ifdef __SANITIZE_THREAD__
/* The sanitizer does not see the acquire of inline assembly: here are the steps
 * of ukplat_tlbq_add() with a lock that it sees
 */
static int queue_add(__vaddr_t vaddr, unsigned long pages)
{
	if (!uk_spin_trylock(&queue.lock))
		return 0;
	*queue.cur++ = (struct ukplat_tlbq_range){ vaddr, pages };
	queue.credit -= (long)pages;
	if (queue.credit <= 0)
		ukplat_tlbq_turn(&queue);
	uk_spin_unlock(&queue.lock);
	return 1;
}
#else
static int queue_add(__vaddr_t vaddr, unsigned long pages)
{
	return ukplat_tlbq_add(&queue, vaddr, pages);
}
#endif

/** What the owner did */
struct owner {
	unsigned long steps, added, pages, refused;
};

/* All threads take part, however the host schedules them */
static int is_enough(const struct owner *o)
{
	unsigned int i;

	for (i = 0; i < DRAINERS; i++)
		if (__atomic_load_n(&rounds[i], __ATOMIC_RELAXED) < ROUNDS)
			return 0;
	return o->steps >= STEPS;
}

static void *owner_run(void *arg)
{
	struct owner *o = arg;
	unsigned int hint = 0;
	struct slot *s;

	while (!is_enough(o)) {
		s = slot_find(&hint);
		expect(!s->use);
		s->use = ++o->steps;
		__atomic_store_n(&s->taken, 1, __ATOMIC_RELAXED);
		if (queue_add((__vaddr_t)(s - slots) << PAGE_SHIFT,
			      slot_pages(s))) {
			o->added++;
			o->pages += slot_pages(s);
			continue;
		}
		/* As who waits for all CPUs itself */
		o->refused++;
		s->use = 0;
		__atomic_store_n(&s->taken, 0, __ATOMIC_RELAXED);
	}
	/* Relaxed: whoever reads it looks at nothing else */
	__atomic_store_n(&running, 0, __ATOMIC_RELAXED);
	return NULL;
}

/* Closes and reaps, or only one of the two */
static void *drainer_run(void *arg)
{
	unsigned long *mine = arg, n = 0;

	while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
		uk_spin_lock(&queue.lock);
		if (n % 3)
			ukplat_tlbq_close(&queue, 0);
		uk_spin_unlock(&queue.lock);
		if (n % 2)
			ukplat_tlb_sync(__atomic_load_n(&ukplat_tlb_gen,
							__ATOMIC_SEQ_CST));
		uk_spin_lock(&queue.lock);
		ukplat_tlbq_reap(&queue);
		uk_spin_unlock(&queue.lock);
		__atomic_store_n(mine, ++n, __ATOMIC_RELAXED);
		(void)sched_yield();
	}
	return NULL;
}

static void ranges_are_reaped_once_by_whomever(void **state)
{
	pthread_t threads[DRAINERS + 1];
	struct owner owner = { .steps = 0 };
	unsigned int i;

	(void)state;
	ukplat_tlbq_init(&queue, memory, PAGES_MAX, &ops);
	running = 1;
	for (i = 0; i < DRAINERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, drainer_run,
						&rounds[i]),
				 0);
	assert_int_equal(pthread_create(&threads[i], NULL, owner_run, &owner),
			 0);
	for (i = 0; i <= DRAINERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	ukplat_tlbq_close(&queue, 1);
	ukplat_tlb_sync(ukplat_tlb_gen);
	ukplat_tlbq_reap(&queue);
	print_message("%lu added, %lu refused, %lu batches, %lu syncs\n",
		      owner.added, owner.refused, queue.stats.batches,
		      queue.stats.syncs);
	assert_int_equal(failures, 0);
	assert_int_equal(owner.added + owner.refused, owner.steps);
	assert_int_equal(reaped, owner.added);
	assert_int_equal(reaped_pages, owner.pages);
	assert_int_equal(queue.stats.ranges, owner.added);
	assert_int_equal(queue.stats.pages, owner.pages);
	assert_int_equal(queue.pages, 0);
	for (i = 0; i < SLOTS; i++)
		assert_false(slots[i].taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_reaped_once_by_whomever),
	};

	return cmocka_run_group_tests_name("tlbq", tests, NULL, NULL);
}
