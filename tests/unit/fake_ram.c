/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <uk/plat/falloc.h>

#include "fake_ram.h"
#include "fake_tlb.h"
#include "../../plat/common/frame_cache.h"
#include "../../plat/common/frame_promise.h"

#define JUNK 0x5a

/* Single frames come from here first, so that large ones are left */
#define SINGLES (RAM_FRAMES / 4)

struct ram ram;
/* Frames that nobody has */
static unsigned long free_frames;
static __u64 seed = 0x9e3779b97f4a7c15UL;

static unsigned long roll(unsigned long bound)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % bound;
}

/* `pages` behind the start of a large page */
static __vaddr_t view_make(int fd, unsigned long pages)
{
	__vaddr_t start;
	char *area;

	area = mmap(NULL, RAM_LEN + 2 * PAGE_LARGE_SIZE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(area, MAP_FAILED);
	start = ALIGN_UP((__vaddr_t)area, PAGE_LARGE_SIZE) + pages * PAGE_SIZE;
	assert_ptr_equal(mmap((void *)start, RAM_LEN, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED, fd, 0),
			 (void *)start);
	return start;
}

void ram_init(void)
{
	unsigned long i;
	int fd;

	fd = memfd_create("ram", 0);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)RAM_LEN), 0);
	ram.view = view_make(fd, 0);
	ram.direct = view_make(fd, 5);
	ram.window = view_make(fd, 300);
	(void)close(fd);
	memset((void *)ram.view, JUNK, RAM_LEN);
	for (i = 0; i < RAM_FRAMES; i++)
		ram.frame[i] = (struct ram_frame){ .dirty = 1 };
	for (i = 0; i < RAM_START / PAGE_SIZE; i++)
		ram.frame[i].used = 1;
	free_frames = RAM_FRAMES - i;
	ram.frames_left = RAM_NEVER;
	ram.runs_left = RAM_NEVER;
	ram_falloc.total_memory = RAM_END - RAM_START;
	ram_falloc.free_memory = RAM_END - RAM_START;
}

void ram_protect(__vaddr_t addr, int allow)
{
	assert_int_equal(mprotect((void *)addr, PAGE_LARGE_SIZE,
				  allow ? PROT_READ | PROT_WRITE : PROT_NONE),
			 0);
}

struct ram_frame *ram_frame(__paddr_t paddr)
{
	assert_int_equal(paddr & (PAGE_SIZE - 1), 0);
	assert_in_range(paddr, RAM_START, RAM_END - 1);
	return &ram.frame[paddr >> PAGE_SHIFT];
}

__u64 *ram_words(__paddr_t paddr)
{
	return (__u64 *)(ram.view + paddr);
}

int ram_is_zero(__paddr_t paddr)
{
	const __u64 *words = ram_words(paddr);

	return !words[0] && !memcmp(words, words + 1, PAGE_SIZE - 8);
}

unsigned long ram_free(void)
{
	return free_frames;
}

/* Counts a request; 1 if it must fail */
static int is_doomed(unsigned long *left)
{
	if (*left == RAM_NEVER)
		return 0;
	if (!*left)
		return 1;
	--*left;
	return 0;
}

static void frame_use(unsigned long pfn)
{
	struct ram_frame *f = &ram.frame[pfn];

	assert_false(f->used);
	free_frames--;
	if (!f->cached)
		ram_falloc.free_memory -= PAGE_SIZE;
	f->used = 1;
	f->cached = 0;
	f->need = 0;
}

static void frame_leave(__paddr_t paddr)
{
	struct ram_frame *f = ram_frame(paddr);

	assert_true(f->used);
	/* No CPU may still use what it remembers */
	assert_true(f->need <= fake_tlb.passed);
	free_frames++;
	f->used = 0;
	f->need = 0;
}

/* A free frame of [0, end), RAM_FRAMES if there is none */
static unsigned long frame_find(unsigned long end)
{
	unsigned long i, first = roll(end);

	for (i = 0; i < end; i++)
		if (!ram.frame[(first + i) % end].used)
			return (first + i) % end;
	return RAM_FRAMES;
}

static __paddr_t frame_get(void)
{
	unsigned long pfn;

	pfn = frame_find(SINGLES);
	if (pfn == RAM_FRAMES)
		pfn = frame_find(RAM_FRAMES);
	if (pfn == RAM_FRAMES)
		return __PADDR_INV;
	frame_use(pfn);
	if (ram.frame[pfn].dirty)
		memset(ram_words(pfn << PAGE_SHIFT), 0, PAGE_SIZE);
	ram.frame[pfn].dirty = 0;
	return pfn << PAGE_SHIFT;
}

__paddr_t frame_take(void)
{
	if (is_doomed(&ram.frames_left) || ram.only_promises ||
	    ram_free() <= ram.promised)
		return __PADDR_INV;
	return frame_get();
}

unsigned int frame_take_many(__paddr_t *out, unsigned int cnt)
{
	unsigned int n;

	if (ram.on_take)
		ram.on_take();
	for (n = 0; n < cnt; n++) {
		out[n] = frame_take();
		if (out[n] == __PADDR_INV)
			break;
	}
	return n;
}

int frame_promise(unsigned long cnt)
{
	if (is_doomed(&ram.frames_left) || ram_free() - ram.promised < cnt)
		return -ENOMEM;
	ram.promised += cnt;
	return 0;
}

void frame_promise_end(unsigned long cnt)
{
	assert_true(cnt <= ram.promised);
	ram.promised -= cnt;
}

__paddr_t frame_take_promised(void)
{
	frame_promise_end(1);
	return frame_get();
}

void frame_put(__paddr_t paddr)
{
	frame_leave(paddr);
	assert_true(ram_is_zero(paddr));
	ram_frame(paddr)->cached = 1;
	ram_frame(paddr)->dirty = 0;
}

/* Whatever is in them: junk for the next one */
void frame_put_dirty(const __paddr_t *in, unsigned int cnt)
{
	for (; cnt--; in++) {
		frame_leave(*in);
		ram_frame(*in)->cached = 1;
		ram_frame(*in)->dirty = 1;
		memset(ram_words(*in), JUNK, PAGE_SIZE);
	}
}

void frame_put_many(const __paddr_t *in, unsigned int cnt)
{
	while (cnt--)
		frame_put(*in++);
}

void frame_cache_drain(void)
{
	unsigned long i;

	ram.drains++;
	for (i = 0; i < RAM_FRAMES; i++) {
		if (ram.frame[i].cached)
			ram_falloc.free_memory += PAGE_SIZE;
		ram.frame[i].cached = 0;
	}
}

/* Which of the two is called depends on a flag of the processor that is not
 * the same everywhere
 */
void frame_cache_reclaim(void)
{
	frame_cache_drain();
}

static int run_is_free(unsigned long pfn, unsigned long frames)
{
	unsigned long i;

	for (i = 0; i < frames; i++)
		if (ram.frame[pfn + i].used || ram.frame[pfn + i].cached)
			return 0;
	return 1;
}

static void run_use(unsigned long pfn)
{
	unsigned long i;

	for (i = 0; i < UKARCH_PT_ENTRIES; i++) {
		frame_use(pfn + i);
		ram.frame[pfn + i].dirty = 1;
	}
}

static int run_take(__paddr_t *paddr)
{
	unsigned long i, pfn, first = roll(RAM_BLOCKS);

	if (is_doomed(&ram.runs_left))
		return -ENOMEM;
	for (i = 0; i < RAM_BLOCKS; i++) {
		pfn = (first + i) % RAM_BLOCKS * UKARCH_PT_ENTRIES;
		if (!run_is_free(pfn, UKARCH_PT_ENTRIES))
			continue;
		run_use(pfn);
		*paddr = pfn << PAGE_SHIFT;
		return 0;
	}
	return -ENOMEM;
}

/* Page tables want runs of 512, aligned, and nothing else */
static int ram_alloc(struct uk_falloc *fa, __paddr_t *paddr,
		     unsigned long frames, unsigned long flags)
{
	assert_ptr_equal(fa, &ram_falloc);
	assert_int_equal(*paddr, __PADDR_ANY);
	assert_int_equal(frames, UKARCH_PT_ENTRIES);
	assert_int_equal(flags, FALLOC_FLAG_ALIGNED);
	return run_take(paddr);
}

/* One block and no other: those of the loader */
static int ram_alloc_block(struct uk_falloc *fa, __paddr_t *paddr,
			   unsigned long frames, unsigned long flags,
			   __paddr_t min, __paddr_t max)
{
	assert_ptr_equal(fa, &ram_falloc);
	assert_int_equal(frames, UKARCH_PT_ENTRIES);
	assert_int_equal(flags, FALLOC_FLAG_ALIGNED);
	assert_int_equal(max - min, PAGE_LARGE_SIZE);
	if (!run_is_free(min >> PAGE_SHIFT, UKARCH_PT_ENTRIES))
		return -ENOMEM;
	run_use(min >> PAGE_SHIFT);
	*paddr = min;
	return 0;
}

/* Whatever is in them: junk for the next one */
static int ram_ffree(struct uk_falloc *fa, __paddr_t paddr,
		     unsigned long frames)
{
	assert_ptr_equal(fa, &ram_falloc);
	for (; frames--; paddr += PAGE_SIZE) {
		frame_leave(paddr);
		ram_frame(paddr)->dirty = 1;
		memset(ram_words(paddr), JUNK, PAGE_SIZE);
		fa->free_memory += PAGE_SIZE;
	}
	return 0;
}

struct uk_falloc ram_falloc = {
	.falloc = ram_alloc,
	.falloc_from_range = ram_alloc_block,
	.ffree = ram_ffree,
};

struct uk_falloc *ukplat_falloc_get(void)
{
	return &ram_falloc;
}

__sz ukplat_falloc_available(void)
{
	return ram_free() << PAGE_SHIFT;
}
