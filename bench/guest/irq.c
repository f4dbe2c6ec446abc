/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* An interrupt handler that allocates, ten thousand times a second
 *
 * Pattern
 *   A network driver: each interrupt makes a buffer and frees the one that
 *   was made some interrupts before, whatever the interrupted code does,
 *   which is malloc and free of the same size.
 *
 * Question
 *   May handlers use the allocator at all, and what does it cost? One
 *   operation is a malloc and a free, on either side; entering and leaving the
 *   handler is part of the figure.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/time.h>

#include "bench.h"

#define PERIOD_NS 100000UL
#define PAIRS	  512UL
#define BUFFERS	  32U

static const __sz sizes[] = { 1024, 0 };

static void *buffers[BUFFERS];
static unsigned long interrupts;
static const struct bench_run *runner;

static void handler(void *arg __unused)
{
	void **slot = &buffers[interrupts++ % BUFFERS];

	uk_free(runner->a, *slot);
	*slot = uk_malloc(runner->a, runner->size);
	if (likely(*slot))
		bench_touch(*slot);
}

static int irq_setup(const struct bench_run *run)
{
	interrupts = 0;
	runner = run;
	return ukplat_timer_start(PERIOD_NS, handler, __NULL);
}

static unsigned long irq(struct bench_run *run)
{
	unsigned long before = interrupts, i;
	void *ptr;

	for (i = 0; i < PAIRS; i++) {
		ptr = uk_malloc(run->a, run->size);
		if (unlikely(!ptr))
			return i;
		bench_touch(ptr);
		uk_free(run->a, ptr);
	}
	return PAIRS + *(volatile unsigned long *)&interrupts - before;
}

static void irq_teardown(const struct bench_run *run)
{
	unsigned int i;

	ukplat_timer_stop();
	for (i = 0; i < BUFFERS; i++) {
		uk_free(run->a, buffers[i]);
		buffers[i] = __NULL;
	}
}

const struct bench_workload bench_irq = {
	.name = "irq-10khz",
	.sizes = sizes,
	.cpus_min = 1,
	.cpus_max = 1,
	.exact = 1,
	.needs = BENCH_NEEDS_IRQ,
	.setup = irq_setup,
	.batch = irq,
	.teardown = irq_teardown,
};
