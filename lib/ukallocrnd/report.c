/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdarg.h>

#include "atomic.h"
#include "format.h"
#include "port.h"
#include "report.h"

#define REPORT_LINE_LEN 255

/* CPU index is stored plus one, so that 0 says that nobody reports yet */
static __u32 report_owner;

static const char *const bug_text[] = {
	[RND_BUG_INVALID_FREE] = "invalid free",
	[RND_BUG_MISALIGNED_FREE] = "misaligned free",
	[RND_BUG_INTERIOR_FREE] = "interior free",
	[RND_BUG_DOUBLE_FREE] = "double free",
	[RND_BUG_UNALLOCATED_FREE] = "free of unallocated memory",
	[RND_BUG_SIZE_MISMATCH] = "size mismatch",
	[RND_BUG_KIND_MISMATCH] = "kind mismatch",
	[RND_BUG_OVERFLOW] = "overflow",
	[RND_BUG_UNDERFLOW] = "underflow",
	[RND_BUG_USE_AFTER_FREE] = "use after free",
	[RND_BUG_WILD_ACCESS] = "wild access",
	[RND_BUG_WRITE_AFTER_FREE] = "write after free",
	[RND_BUG_METADATA] = "metadata corrupted",
};

UK_CTASSERT(ARRAY_SIZE(bug_text) == RND_BUG_COUNT);

/* Function families, in the order of enum rnd_kind */
static const char *const kind_text[] = { "malloc", "new", "new[]", "palloc" };

void rnd_print(const char *fmt, ...)
{
	char line[REPORT_LINE_LEN];
	va_list args;
	__sz len;

	va_start(args, fmt);
	len = rnd_format(line, sizeof(line), fmt, args);
	va_end(args);

	rnd_port_print(line, len);
}

/* Returns once per system. A second CPU waits for the end; a CPU that comes
 * back, because the way to the stop hit a bug too, ends it.
 */
static void report_claim(void)
{
	__u32 me = rnd_port_cpu() + 1;
	__u32 owner = 0;

	/* Relaxed: the flag protects the console only, no data */
	if (rnd_cas_relaxed(&report_owner, &owner, me))
		return;

	/* Index 0 is shared, hence it does not prove a return */
	if (owner == me && me != 1)
		rnd_port_abort();
	for (;;)
		rnd_port_pause();
}

static void first_line(const struct rnd_bug_info *info)
{
	const char *text = bug_text[info->bug];

	if (info->is_sampled || info->is_large)
		rnd_print("ukallocrnd: BUG: %s: ptr=%p class=%s "
			  "caller=0x%lx\n",
			  text, info->ptr,
			  info->is_sampled ? "sampled" : "large", info->caller);
	else if (info->slot_len)
		rnd_print("ukallocrnd: BUG: %s: ptr=%p class=%lu "
			  "caller=0x%lx\n",
			  text, info->ptr, info->slot_len, info->caller);
	else
		rnd_print("ukallocrnd: BUG: %s: ptr=%p class=none "
			  "caller=0x%lx\n",
			  text, info->ptr, info->caller);
}

/* What the user asked for */
static void request_lines(const struct rnd_bug_info *info)
{
	if (info->op)
		rnd_print("  found by %s()\n", info->op);

	if (info->bug == RND_BUG_SIZE_MISMATCH)
		rnd_print("  size passed %lu, requested %lu\n", info->given,
			  info->req);
	else if (info->bug == RND_BUG_KIND_MISMATCH &&
		 info->given < ARRAY_SIZE(kind_text))
		rnd_print("  freed as if from %s\n", kind_text[info->given]);

	if (info->has_req && info->bug != RND_BUG_SIZE_MISMATCH)
		rnd_print("  requested size %lu\n", info->req);
}

/* Where an address lies, seen from an object or, if what was requested is not
 * known, from a slot
 */
static void distance_line(const char *start, __uptr addr, const void *ptr,
			  const char *what, __sz len)
{
	__uptr obj = (__uptr)ptr;
	const char *side;
	__sz distance;

	if (addr < obj) {
		side = "before";
		distance = obj - addr;
	} else if (addr - obj < len) {
		side = "inside";
		distance = addr - obj;
	} else {
		side = "after";
		distance = addr - obj - len;
	}

	rnd_print("  %s%lu byte%s %s the %s at %p, size %lu\n", start, distance,
		  distance == 1 ? "" : "s", side, what, ptr, len);
}

static void nearest_lines(const struct rnd_bug_info *info)
{
	__uptr ptr = (__uptr)info->ptr;

	if (info->obj && info->obj != info->ptr && info->has_req)
		distance_line("", ptr, info->obj, "object", info->req);
	else if (info->obj && info->obj != info->ptr)
		distance_line("", ptr, info->obj, "slot", info->slot_len);
	if (info->near && !info->bad)
		distance_line("", ptr, info->near, "object", info->near_req);
}

/* What a CPU did. Users count CPUs from 0; index 0 is nobody in particular */
static void cpu_line(const char *what, __u32 cpu, const char *end)
{
	__bool more = 0;
	__u32 thread;

	if (!cpu) {
		rnd_print("  %s by a CPU without a state of its own%s\n", what,
			  end);
		return;
	}

	thread = rnd_port_cpu_thread(cpu, &more);
	if (thread)
		rnd_print("  %s by CPU %u (thread %u%s)%s\n", what, cpu - 1,
			  thread, more ? " or an earlier one" : "", end);
	else
		rnd_print("  %s by CPU %u%s\n", what, cpu - 1, end);
}

/* What became of the object, and where it was damaged */
static void state_lines(const struct rnd_bug_info *info)
{
	const void *obj = info->obj ? info->obj : info->ptr;

	/* Otherwise the trace says it */
	if (info->has_cpu && !info->freed)
		cpu_line("freed", info->cpu, "");
	if (info->where)
		rnd_print("  it is %s\n", info->where);
	if (!info->bad)
		return;

	rnd_print("  first changed byte: offset %ld\n",
		  (long)((__uptr)info->bad - (__uptr)obj));
	if (info->near)
		distance_line("that is ", (__uptr)info->bad, info->near,
			      "object", info->near_req);
}

/* The access that faulted, seen from the object if there is one */
static void access_lines(const struct rnd_bug_info *info)
{
	__uptr at = (__uptr)info->at;

	if (!info->at)
		return;

	rnd_print("  %s of %p\n", info->access, info->at);
	if (info->has_req)
		distance_line("that is ", at, info->ptr, "object", info->req);
	else if (info->bug != RND_BUG_WILD_ACCESS)
		distance_line("that is ", at, info->ptr, "slot",
			      info->slot_len);
}

void rnd_report_trace(const char *what, const struct rnd_trace *t)
{
	const char *file;
	__uptr base;
	__u32 i;

	cpu_line(what, t->cpu, ":");
	for (i = 0; i < t->cnt; i++) {
		file = rnd_port_module(t->frame[i], &base);
		if (file)
			rnd_print("    at 0x%lx (%s+0x%lx)\n", t->frame[i],
				  file, t->frame[i] - base);
		else
			rnd_print("    at 0x%lx\n", t->frame[i]);
	}
}

void rnd_report_lines(const struct rnd_bug_info *info)
{
	report_claim();

	first_line(info);
	request_lines(info);
	nearest_lines(info);
	access_lines(info);
	state_lines(info);
	if (info->allocated)
		rnd_report_trace("allocated", info->allocated);
	if (info->freed)
		rnd_report_trace("freed", info->freed);
}

void __noreturn rnd_report(const struct rnd_bug_info *info)
{
	rnd_report_lines(info);
	rnd_port_abort();
}
