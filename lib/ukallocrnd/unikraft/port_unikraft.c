/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "../config.h"
#include "../lock.h"
#include "../port.h"
#include "../report.h"
#include "area.h"
#include "draw.h"
#include "frame.h"
#include "table.h"
#include "unmapq.h"

/* port.h for Unikraft
 *
 * Heaps have a window of addresses for themselves (table.h). One lock, of rank
 * VAS, guards all of the port: areas, page tables, frames, unmap quarantine. It
 * is given back after CHUNK pages, so that interrupts do not have to wait.
 */

UK_CTASSERT(RND_PAGE_LEN == RND_FRAME_LEN);

#define CHUNK 32UL

/* Pages of a commit that shall have frames next to one another */
#define RUN_MAX 256UL

/* Entries of areas, and their page at which there are none: 32 MiB of addresses
 * at a place of their own
 */
#define AREAS_MAX (1UL << 20)
#define AREAS_LEN (AREAS_MAX * sizeof(struct rnd_area))

static struct rnd_lock port_lock = RND_LOCK_INIT(RND_RANK_VAS);
static struct rnd_areas areas;

static __sz pages_of(__sz len)
{
	return len >> RND_PAGE_SHIFT;
}

void rnd_port_va_range(__uptr *start, __uptr *end)
{
	*start = RND_WINDOW_START;
	*end = RND_WINDOW_END;
}

/* Makes room for one more area */
static int areas_grow(void)
{
	__uptr end;

	if (likely(!rnd_areas_is_full(&areas)))
		return 0;
	if (areas.cap == AREAS_MAX)
		return -ENOMEM;

	end = (__uptr) & areas.area[areas.cap];
	if (rnd_unmapq_map(end))
		return -ENOMEM;
	areas.cap += RND_PAGE_LEN / sizeof(struct rnd_area);

	return 0;
}

UK_CTASSERT(RND_PAGE_LEN % sizeof(struct rnd_area) == 0);

/* The entries live in the first area, which is as secret as all others */
static int areas_start(void)
{
	__sz places = pages_of(RND_WINDOW_END - RND_WINDOW_START - AREAS_LEN);
	__uptr base;

	base = (__uptr)rnd_draw32() << 32 | rnd_draw32();
	base = RND_WINDOW_START + base % places * RND_PAGE_LEN;
	rnd_areas_init(&areas, (struct rnd_area *)base);
	if (areas_grow())
		return -ENOMEM;

	return rnd_areas_insert(&areas, base, base + AREAS_LEN, rnd_draw32());
}

int rnd_port_reserve_at(__uptr addr, __sz len)
{
	unsigned long flags;
	int rc = 0;

	flags = rnd_lock_acquire(&port_lock);
	if (unlikely(!areas.cap))
		rc = areas_start();
	if (likely(!rc))
		rc = areas_grow();
	if (likely(!rc))
		rc = rnd_areas_insert(&areas, addr, addr + len, rnd_draw32());
	rnd_lock_release(&port_lock, flags);

	return rc;
}

void rnd_port_decommit(__uptr addr, __sz len)
{
	__sz pages, part;
	unsigned long flags;

	for (pages = pages_of(len); pages; pages -= part) {
		part = MIN(pages, CHUNK);
		flags = rnd_lock_acquire(&port_lock);
		rnd_unmapq_unmap(addr, part);
		rnd_lock_release(&port_lock, flags);
		addr += part * RND_PAGE_LEN;
	}
}

/* Only a part of an area that is given back when there is no memory for one
 * more entry stays reserved: addresses are lost, which fault for ever
 */
void rnd_port_release(__uptr addr, __sz len)
{
	unsigned long flags;
	int rc;

	rnd_port_decommit(addr, len);
	flags = rnd_lock_acquire(&port_lock);
	(void)areas_grow();
	rc = rnd_areas_remove(&areas, addr, addr + len, rnd_draw32());
	rnd_lock_release(&port_lock, flags);
	UK_ASSERT(rc != -ENOENT);
	(void)rc;
}

/* Frames for a commit, which follow one another if there are such */
struct run {
	__paddr_t next;
	__sz left;
};

static void run_take(struct run *run, __sz pages)
{
	unsigned long flags;

	*run = (struct run){ RND_FRAME_NONE, 0 };
	if (pages == 1 || pages > RUN_MAX)
		return;
	flags = rnd_lock_acquire(&port_lock);
	if (!rnd_frame_get_run(pages, &run->next))
		run->left = pages;
	rnd_lock_release(&port_lock, flags);
}

static __paddr_t run_next(struct run *run)
{
	__paddr_t frame = run->next;

	if (!run->left)
		return RND_FRAME_NONE;
	run->next += RND_PAGE_LEN;
	run->left--;

	return frame;
}

/* Maps up to CHUNK pages; returns how many. A frame is gone with its page. */
static __sz commit_part(__uptr addr, __sz pages, struct run *run)
{
	unsigned long flags;
	__sz i;

	flags = rnd_lock_acquire(&port_lock);
	for (i = 0; i < pages; i++)
		if (unlikely(rnd_unmapq_map_to(addr + i * RND_PAGE_LEN,
					       run_next(run))))
			break;
	if (unlikely(i < pages))
		while (run->left)
			rnd_frame_put(run_next(run));
	rnd_lock_release(&port_lock, flags);

	return i;
}

static void drain(void)
{
	unsigned long flags;

	flags = rnd_lock_acquire(&port_lock);
	rnd_unmapq_drain();
	rnd_lock_release(&port_lock, flags);
}

int rnd_port_commit(__uptr addr, __sz len, __bool touch __unused)
{
	__sz pages = pages_of(len), done = 0, part, got;
	__bool has_drained = 0;
	struct run run;

	run_take(&run, pages);
	while (done < pages) {
		part = MIN(pages - done, CHUNK);
		got = commit_part(addr + done * RND_PAGE_LEN, part, &run);
		done += got;
		if (likely(got == part))
			continue;
		if (has_drained) {
			if (done)
				rnd_port_decommit(addr, done * RND_PAGE_LEN);
			return -ENOMEM;
		}
		/* What waits for other CPUs may be enough */
		drain();
		has_drained = 1;
	}
	return 0;
}

/* Callers copy */
int rnd_port_move(__uptr from __unused, __sz len __unused, __uptr to __unused,
		  __sz to_len __unused)
{
	return -ENOTSUP;
}

/* Nobody but the library asks for anything there */
__bool rnd_port_reset(__uptr addr __unused, __sz len __unused)
{
	return 1;
}

void rnd_port_backed(__uptr addr __unused, __sz pages, __u8 *is_there)
{
	memset(is_there, 1, pages);
}

__bool rnd_port_discard(__uptr addr __unused, __sz len __unused)
{
	return 0;
}

/* At boot there is one CPU; later the others must know, too */
int rnd_port_seal(__uptr addr, __sz len)
{
	unsigned long flags;
	__sz i;

	flags = rnd_lock_acquire(&port_lock);
	for (i = 0; i < pages_of(len); i++)
		rnd_table_seal(addr + i * RND_PAGE_LEN);
	rnd_generation_wait(rnd_generation_start());
	rnd_lock_release(&port_lock, flags);

	return 0;
}

static __bool range_is_mapped(__uptr addr, __sz len)
{
	unsigned long flags;
	__bool is = 1;
	__sz i;

	flags = rnd_lock_acquire(&port_lock);
	for (i = 0; is && i < pages_of(len); i++)
		is = rnd_table_is_mapped(addr + i * RND_PAGE_LEN);
	rnd_lock_release(&port_lock, flags);

	return is;
}

static __bool is_in_window(__uptr addr, __sz len)
{
	return addr >= RND_WINDOW_START && addr < RND_WINDOW_END &&
	       len <= RND_WINDOW_END - addr;
}

/* Without paging everything is as Unikraft's boot code mapped it */
static void print_missing(void)
{
	static __bool is_printed;

	if (is_printed)
		return;
	is_printed = 1;
	rnd_print("ukallocrnd: no paging: heaps have page tables of their own, "
		  "but these are missing:\n");
	rnd_print("ukallocrnd: - secret frames: all memory is mapped a second "
		  "time, where it is\n");
	rnd_print("ukallocrnd: - read-only code and constants, W^X outside of "
		  "heaps\n");
	rnd_print("ukallocrnd: - memory above 4 GiB\n");
	rnd_print("ukallocrnd: CONFIG_PAGING=y brings the last two\n");
}

/* What Unikraft has for a heap: pages that it mapped, or frames as they are */
int rnd_port_adopt(__uptr addr, __sz len)
{
	unsigned long flags;
	int rc;

	if (is_in_window(addr, len))
		return 0;
	rnd_glue_cpu_prepare();
	if (RND_GLUE_PAGING) {
		rc = rnd_glue_heap_unmap(addr, len);
		return rc ? rc : 1;
	}
	flags = rnd_lock_acquire(&port_lock);
	rc = rnd_frame_add(addr, len);
	rnd_lock_release(&port_lock, flags);
	print_missing();

	return rc ? rc : 1;
}

/* Memory of another heap */
int rnd_port_donate(__uptr addr, __sz len)
{
	int rc = rnd_port_adopt(addr, len);

	if (rc)
		return MIN(rc, 0);
	if (!range_is_mapped(addr, len))
		return -EINVAL;
	rnd_port_decommit(addr, len);

	return 0;
}

__sz rnd_port_total(void)
{
	return rnd_frame_total();
}

__sz rnd_port_available(void)
{
	return rnd_frame_free() + rnd_unmapq_pages() * RND_PAGE_LEN;
}

/* Every CPU has an index from the start. rnd_port_cpu() is 0 only on CPUs
 * beyond those that have a state
 */
__u32 rnd_port_cpu_lease(void)
{
	return rnd_port_cpu();
}

/* CPUs never end */
__bool rnd_port_cpu_borrow(__u32 idx __unused)
{
	return 0;
}

void rnd_port_cpu_return(__u32 idx __unused) {}

__u32 rnd_port_cpu_thread(__u32 idx __unused, __bool *more)
{
	*more = 0;
	return 0;
}

void rnd_port_fence_all(void)
{
	rnd_generation_wait(rnd_generation_start());
}

void rnd_port_yield(unsigned int turn __unused)
{
	rnd_port_pause();
}

__u32 rnd_port_backtrace(__uptr *buf __unused, __u32 max __unused)
{
	return 0;
}

const char *rnd_port_module(__uptr addr __unused, __uptr *base)
{
	*base = 0;
	return __NULL;
}

void rnd_port_print(const char *text, __sz len)
{
	rnd_glue_print(text, len);
}

void __noreturn rnd_port_abort(void)
{
	rnd_glue_crash();
}
