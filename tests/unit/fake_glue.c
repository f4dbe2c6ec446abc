/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <asm/prctl.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_glue.h"
#include "fake_mmu.h"
#include "port.h"
#include "report.h"
#include "unikraft/draw.h"
#include "unikraft_smp.h"

/* Beyond 32 bits, so that no part of an address may get lost */
#define MEMORY_START 0x7654321000UL

/* As an entry of a table: present, writable, leads nowhere */
#define JUNK 0x5b

static __u64 memory[FAKE_GLUE_FRAMES][RND_PAGE_LEN / 8] __align(4096);
static __u64 root[RND_PAGE_LEN / 8] __align(4096);
static __bool is_used[FAKE_GLUE_FRAMES];
static unsigned int unused[FAKE_GLUE_FRAMES];
static __u64 state;

/* What %gs points to */
static __u32 gs[RND_GLUE_CPU_OFFSET / sizeof(__u32) + 1];

/* How often a CPU is still asked for until its interrupt arrives; 0: none */
static __u32 pending[FAKE_GLUE_CPUS];

struct fake_glue fake_glue;
jmp_buf fake_glue_crash;
int fake_glue_catching;

static void event(void)
{
	if (fake_glue.on_event)
		fake_glue.on_event();
}

__u32 fake_glue_roll(__u32 bound)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((state >> 32) * bound >> 32);
}

__u32 rnd_draw32(void)
{
	return fake_glue_roll(__U32_MAX);
}

/*
 * Frames
 */

void fake_glue_reset(__u64 seed)
{
	unsigned int i;

	state = seed;
	fake_glue = (struct fake_glue){ .used = 0 };
	memset(root, 0, sizeof(root));
	memset(memory, JUNK, sizeof(memory));
	for (i = 0; i < FAKE_GLUE_FRAMES; i++) {
		is_used[i] = 0;
		unused[i] = i;
	}
	for (i = 0; i < FAKE_GLUE_CPUS; i++) {
		fake_glue.is_started[i] = 1;
		pending[i] = 0;
	}
	fake_mmu_reset();
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, gs))
		abort();
	(void)fake_glue_cpu_set(0);
}

unsigned int fake_glue_number(__paddr_t frame)
{
	unsigned long n = (frame - MEMORY_START) / RND_PAGE_LEN;

	assert_int_equal(frame % RND_PAGE_LEN, 0);
	assert_true(frame >= MEMORY_START && n < FAKE_GLUE_FRAMES);
	assert_true(is_used[n]);

	return (unsigned int)n;
}

__u64 *fake_glue_words(__paddr_t frame)
{
	return memory[fake_glue_number(frame)];
}

__u64 *fake_glue_root(void)
{
	return root;
}

__u64 *rnd_glue_root(void)
{
	event();
	return root;
}

void *rnd_glue_frame(__paddr_t frame)
{
	event();
	return fake_glue_words(frame);
}

static __paddr_t take_unused(unsigned long at)
{
	unsigned long left = FAKE_GLUE_FRAMES - fake_glue.used;
	unsigned int n = unused[at];

	unused[at] = unused[left - 1];
	is_used[n] = 1;
	fake_glue.used++;

	return MEMORY_START + n * RND_PAGE_LEN;
}

int rnd_glue_frame_get(__paddr_t *frame)
{
	unsigned long left = FAKE_GLUE_FRAMES - fake_glue.used;

	event();
	if (fake_glue.fail_at && !--fake_glue.fail_at)
		return -ENOMEM;
	if (!left)
		return -ENOMEM;
	*frame = take_unused(fake_glue_roll((__u32)left));

	return 0;
}

/* The lowest run */
int rnd_glue_frame_get_run(__sz cnt, __paddr_t *first)
{
	unsigned long at, len = 0, i, n;

	for (n = 0; n < FAKE_GLUE_FRAMES && len < cnt; n++)
		len = is_used[n] ? 0 : len + 1;
	if (len < cnt)
		return -ENOMEM;
	*first = MEMORY_START + (n - cnt) * RND_PAGE_LEN;
	for (i = n - cnt; i < n; i++) {
		for (at = 0; unused[at] != i;)
			at++;
		(void)take_unused(at);
	}
	return 0;
}

void rnd_glue_frame_put(__paddr_t frame)
{
	unsigned int n = fake_glue_number(frame);

	event();
	fake_mmu_assert_forgotten(frame);
	memset(memory[n], JUNK, sizeof(memory[n]));
	is_used[n] = 0;
	fake_glue.used--;
	unused[FAKE_GLUE_FRAMES - fake_glue.used - 1] = n;
}

__sz rnd_glue_frames_total(void)
{
	return FAKE_GLUE_FRAMES * RND_PAGE_LEN;
}

__sz rnd_glue_frames_free(void)
{
	return (FAKE_GLUE_FRAMES - fake_glue.used) * RND_PAGE_LEN;
}

__sz rnd_glue_regions_total(void)
{
	return 0;
}

/*
 * CPUs
 */

__u32 fake_glue_cpu_set(__u32 cpu)
{
	__u32 *idx = &gs[RND_GLUE_CPU_OFFSET / sizeof(__u32)], old = *idx;

	assert_true(cpu < FAKE_GLUE_CPUS);
	*idx = cpu;

	return old;
}

static __u32 own_cpu(void)
{
	return gs[RND_GLUE_CPU_OFFSET / sizeof(__u32)];
}

void fake_glue_cpu_run(__u32 cpu, __bool is_started)
{
	fake_mmu_forget_all(cpu);
	fake_glue.is_started[cpu] = is_started;
	pending[cpu] = 0;
}

/* The other CPUs may fill what is forgotten again, before and afterwards */
void rnd_glue_forget(__uptr addr)
{
	event();
	fake_mmu_forget(own_cpu(), addr);
	event();
}

void rnd_glue_forget_all(void)
{
	event();
	fake_mmu_forget_all(own_cpu());
	fake_glue.flushes[own_cpu()]++;
	event();
}

static void interrupt_arrive(__u32 cpu)
{
	__u32 old = fake_glue_cpu_set(cpu);

	pending[cpu] = 0;
	if (fake_glue.on_interrupt)
		fake_glue.on_interrupt();
	(void)fake_glue_cpu_set(old);
}

/* Every turn of a wait comes by here */
__bool rnd_glue_cpu_is_started(__u32 cpu)
{
	assert_true(cpu < RND_GLUE_CPUS);
	event();
	if (cpu >= FAKE_GLUE_CPUS)
		return 0;
	if (pending[cpu] && !--pending[cpu])
		interrupt_arrive(cpu);

	return fake_glue.is_started[cpu];
}

void rnd_glue_cpu_interrupt(__u32 cpu)
{
	assert_true(cpu < FAKE_GLUE_CPUS && fake_glue.is_started[cpu]);
	assert_int_not_equal(cpu, own_cpu());
	fake_glue.interrupts[cpu]++;
	if (!fake_glue.latency[cpu])
		interrupt_arrive(cpu);
	else if (fake_glue.latency[cpu] != FAKE_GLUE_NEVER)
		pending[cpu] = fake_glue.latency[cpu];
}

void rnd_glue_cpu_nmi(__u32 cpu)
{
	assert_true(cpu < FAKE_GLUE_CPUS && fake_glue.is_started[cpu]);
	assert_int_not_equal(cpu, own_cpu());
	fake_glue.nmis[cpu]++;
	interrupt_arrive(cpu);
}

/*
 * The end
 */

void rnd_print(const char *fmt, ...)
{
	__sz len = strlen(fake_glue.text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(fake_glue.text + len, sizeof(fake_glue.text) - len, fmt,
			ap);
	va_end(ap);
}

void __noreturn rnd_port_abort(void)
{
	if (!fake_glue_catching) {
		fail_msg("report that no test asked for: %s", fake_glue.text);
		abort();
	}
	longjmp(fake_glue_crash, 1);
}
