/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* TLB shootdown: what the other CPUs have passed, and how to make them */

#include <string.h>
#include <uk/arch/lcpu.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/tlb.h>

#include "lcpu.h"
#include "x86/invlpgb.h"

/* Rounds of waiting after which the interrupt is sent once more. Only a
 * safety net: the flag in the target may say that one is on its way, when
 * the target was reset meanwhile.
 */
#define SYNC_RESEND_SPINS (1U << 16)

/* Rounds of waiting after which a CPU counts as stuck with interrupts
 * disabled: some 10 ms on hardware. A virtual CPU that the host does not run
 * gets an NMI too many, which does no harm.
 */
#define SYNC_NMI_SPINS (1U << 18)

/* (a) All CPUs have passed this generation; never decreases. Saves looking at
 * each of them again.
 */
static __u64 passed_gen __align(128);

static void passed_raise(__u64 gen)
{
	__u64 old = __atomic_load_n(&passed_gen, __ATOMIC_RELAXED);

	/* Release: what the CPUs did before they acknowledged comes before
	 * what somebody does who finds this. Pairs with gen_is_passed()
	 */
	while (old < gen &&
	       !__atomic_compare_exchange_n(&passed_gen, &old, gen, 0,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static int gen_is_passed(__u64 gen)
{
	/* Acquire: pairs with the release in passed_raise() */
	return __atomic_load_n(&passed_gen, __ATOMIC_ACQUIRE) >= gen;
}

/* `both`: sleeping CPUs count, too */
static int target_has_passed(const struct lcpu *target, __u64 gen, int both)
{
	if (!lcpu_is_online(target))
		return 1;
	/* Acquire: pairs with the release in lcpu_tlb_raise() */
	if (__atomic_load_n(&target->tlb_seen, __ATOMIC_ACQUIRE) >= gen)
		return 1;
	/* Seq_cst: behind the increment in gen_start(). Pairs with
	 * idle_enter() and ukplat_lcpu_idle_exit()
	 */
	return !both && __atomic_load_n(&target->idle, __ATOMIC_SEQ_CST) ==
				LCPU_IDLE_DEEP;
}

int ukplat_tlb_passed(__u64 gen)
{
	__u32 i;

	ukplat_tlb_poll();
	if (gen_is_passed(gen))
		return 1;
	for (i = 0; i < lcpu_cnt; i++)
		if (!target_has_passed(lcpus[i], gen, 0))
			return 0;
	passed_raise(gen);
	return 1;
}

int ukplat_tlb_is_alone(void)
{
	const struct lcpu *self = lcpu_current();
	__u32 i;

	/* Behind the caller's page table stores, as the increment in
	 * gen_start() is. Pairs with idle_enter() and ukplat_lcpu_idle_exit()
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* Who is not asleep has not passed the last of all generations */
	for (i = 0; i < lcpu_cnt; i++)
		if (lcpus[i] != self &&
		    !target_has_passed(lcpus[i], __U64_MAX, 0))
			return 0;
	return 1;
}

static void target_kick(struct lcpu *self, struct lcpu *target)
{
	unsigned long irqf = ukplat_lcpu_save_irqf();

	/* One interrupt serves all requests that come before its handler. A
	 * handler on this CPU must not find the flag before it is sent.
	 * Seq_cst: pairs with lcpu_tlb_ipi_handler()
	 */
	if (!__atomic_exchange_n(&target->tlb_ipi, 1, __ATOMIC_SEQ_CST)) {
		self->tlb_stats.ipis_sent++;
		lcpu_ipi_tlb(target);
	}
	ukplat_lcpu_restore_irqf(irqf);
}

static void targets_kick(struct lcpu *self, __u64 gen, int both)
{
	struct lcpu *target;
	__u32 i;

	for (i = 0; i < lcpu_cnt; i++) {
		target = lcpus[i];
		if (target == self)
			continue;
		if (!target_has_passed(target, gen, both))
			target_kick(self, target);
		else if (__atomic_load_n(&target->idle, __ATOMIC_RELAXED))
			self->tlb_stats.idle_skips++;
	}
}

static void target_wait(struct lcpu *self, struct lcpu *target, __u64 gen,
			int both)
{
	unsigned int spins = 0;

	while (!target_has_passed(target, gen, both)) {
		/* The target may be waiting for this CPU */
		ukplat_tlb_poll();
		ukarch_spinwait();
		spins++;
		if (spins % SYNC_RESEND_SPINS == 0) {
			self->tlb_stats.ipis_sent++;
			lcpu_ipi_tlb(target);
		}
		if (spins % SYNC_NMI_SPINS == 0) {
			self->tlb_stats.nmis_sent++;
			lcpu_ipi_nmi(target);
		}
	}
}

static void targets_sync(struct lcpu *self, __u64 gen, int both)
{
	__u32 i;

	targets_kick(self, gen, both);
	for (i = 0; i < lcpu_cnt; i++)
		target_wait(self, lcpus[i], gen, both);
}

void lcpu_tlb_sync(__u64 gen, int both)
{
	struct lcpu *self = lcpu_current();

	self->tlb_stats.syncs++;
	if (invlpgb_is_there()) {
		/* The broadcast is for all translations of all CPUs, sleeping
		 * or not; it was started behind the changes
		 */
		invlpgb_flush_all();
		self->tlb_stats.full_flushes++;
		passed_raise(gen);
		return;
	}
	targets_sync(self, gen, both);
}

void ukplat_lcpu_fence_all(void)
{
	/* To acknowledge is to flush, which is serializing (SDM 3A 8.3). What
	 * sleeps fences when it wakes up.
	 */
	targets_sync(lcpu_current(), ukplat_tlb_close(1), 0);
}

void ukplat_tlb_sync(__u64 gen)
{
	if (ukplat_tlb_passed(gen))
		return;
	lcpu_tlb_sync(gen, 0);
	passed_raise(gen);
}

static void stats_add(struct ukplat_tlb_stats *sum,
		      const struct ukplat_tlb_stats *s)
{
	const __u64 *from = (const __u64 *)s;
	__u64 *to = (__u64 *)sum;
	__sz i;

	UK_CTASSERT(sizeof(*s) % sizeof(*from) == 0);
	for (i = 0; i < sizeof(*s) / sizeof(*from); i++)
		to[i] += from[i];
}

void ukplat_tlb_stats_get(__u32 lcpuidx, struct ukplat_tlb_stats *stats)
{
	__u32 i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < lcpu_cnt; i++)
		if (i == lcpuidx || lcpuidx >= CONFIG_UKPLAT_LCPU_MAXCOUNT)
			stats_add(stats, &lcpus[i]->tlb_stats);
}
