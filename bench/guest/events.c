/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/types.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/paging.h>
#include <uk/plat/tlb.h>
#include <uk/plat/tlbq.h>

#include "events.h"

#define ALL_CPUS (~0U)

void bench_events_get(struct bench_events *now)
{
	struct ukplat_lcpu_stats lcpu;
	struct ukplat_tlb_stats tlb;
	struct ukplat_tlbq_stats lazy;
	__u32 cpu;

	ukplat_tlb_stats_get(ALL_CPUS, &tlb);
	ukplat_page_lazy_stats_get(ALL_CPUS, &lazy);
	now->invalidations =
		tlb.pages + tlb.full_flushes + tlb.page_flushes + lazy.pages;
	now->ipis = tlb.ipis_sent;
	now->shootdowns = tlb.closes;
	now->faults = 0;
	for (cpu = 0; cpu < ukplat_lcpu_count(); cpu++) {
		ukplat_lcpu_stats_get(cpu, &lcpu);
		now->faults += lcpu.page_faults;
	}
}

void bench_events_since(struct bench_events *before)
{
	struct bench_events now;

	bench_events_get(&now);
	before->invalidations = now.invalidations - before->invalidations;
	before->ipis = now.ipis - before->ipis;
	before->shootdowns = now.shootdowns - before->shootdowns;
	before->faults = now.faults - before->faults;
}
