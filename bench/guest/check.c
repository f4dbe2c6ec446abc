/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Do the allocators that are compared work?
 *
 * All CPUs exchange objects through one table: whatever one allocates, another
 * one frees. An object knows its size and has a pattern at both ends; two
 * objects that overlap destroy each other's.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

#include "bench.h"

#define SLOTS  512U
#define OPS    20000U
#define ALIGNS 9U /* 16 bytes to a page */

/** In front of each object; the pattern is at its end, too */
struct object {
	__u64 pattern;
	__sz size;
};

/* Objects of up to so many bytes: most are small, few get pages of their own */
#define SIZE_MIN (sizeof(struct object) + sizeof(__u64))
#define SIZE_BIG 300000UL

static struct object *slots[SLOTS];
static struct uk_alloc *alloc;
static unsigned int errors;

static void note_error(const char *what)
{
	if (!__atomic_fetch_add(&errors, 1, __ATOMIC_RELAXED))
		printf("# CPU %u: %s\n", ukplat_lcpu_idx(), what);
}

/* A word at any address */
static void word_set(char *at, __u64 word)
{
	memcpy(at, &word, sizeof(word));
}

static __u64 word_get(const char *at)
{
	__u64 word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static void object_fill(struct object *obj, __sz size)
{
	obj->pattern = (__u64)(__uptr)obj ^ size << 40;
	obj->size = size;
	word_set((char *)obj + size - sizeof(__u64), obj->pattern);
}

static void object_check(const struct object *obj)
{
	if (obj->pattern != ((__u64)(__uptr)obj ^ obj->size << 40))
		note_error("start of an object overwritten");
	else if (word_get((const char *)obj + obj->size - sizeof(__u64)) !=
		 obj->pattern)
		note_error("end of an object overwritten");
}

static __sz size_draw(struct bench_run *run)
{
	__u64 r = bench_draw(run);

	if (!(r & 255))
		return SIZE_MIN + (r >> 8) % SIZE_BIG;
	return SIZE_MIN + bench_draw_size(run);
}

static struct object *take_aligned(struct bench_run *run, __sz size)
{
	__sz align = 16UL << bench_draw(run) % ALIGNS;
	void *ptr = uk_memalign(alloc, align, size);

	if (ptr && (__uptr)ptr % align)
		note_error("badly aligned");
	return (struct object *)ptr;
}

static struct object *take_zeroed(__sz size)
{
	char *ptr = (char *)uk_calloc(alloc, 1, size);
	__sz i;

	for (i = 0; ptr && i < size; i++)
		if (ptr[i]) {
			note_error("calloc without zeros");
			break;
		}
	return (struct object *)(void *)ptr;
}

static struct object *object_take(struct bench_run *run)
{
	__sz size = size_draw(run);
	struct object *obj;

	switch (bench_draw(run) % 16) {
	case 0:
		obj = take_aligned(run, size);
		break;
	case 1:
		obj = take_zeroed(size);
		break;
	default:
		obj = (struct object *)uk_malloc(alloc, size);
	}
	if (!obj)
		return obj;
	if ((__uptr)obj % 16)
		note_error("not at a multiple of 16");
	object_fill(obj, size);
	return obj;
}

/* Frees, or changes the size and then frees */
static void object_drop(struct bench_run *run, struct object *obj)
{
	struct object *moved;
	__sz size, old;

	object_check(obj);
	if (!(bench_draw(run) % 8)) {
		size = size_draw(run);
		old = obj->size;
		moved = (struct object *)uk_realloc(alloc, obj, size);
		if (moved) {
			if (moved->size != old)
				note_error("realloc lost the contents");
			obj = moved;
			object_fill(obj, size);
			object_check(obj);
		}
	}
	uk_free(alloc, obj);
}

static void stress(struct __regs *regs __unused, void *user __unused)
{
	struct bench_run run = { .seed = 1 + ukplat_lcpu_idx() };
	struct object *obj;
	unsigned int i;

	for (i = 0; i < OPS; i++) {
		obj = object_take(&run);
		if (!obj)
			note_error("out of memory");
		/* Acq_rel: the object's contents change hands with it, pairs
		 * with the same exchange on another CPU
		 */
		obj = __atomic_exchange_n(&slots[bench_draw(&run) % SLOTS], obj,
					  __ATOMIC_ACQ_REL);
		if (obj)
			object_drop(&run, obj);
	}
}

static int stress_all(const struct bench_alloc *ba)
{
	const struct ukplat_lcpu_func func = { .fn = stress };
	struct bench_run run = { .seed = 1 };
	unsigned int i;

	alloc = ba->a;
	errors = 0;
	if (ukplat_lcpu_run(__NULL, __NULL, &func, 0))
		return -EIO;
	stress(__NULL, __NULL);
	if (ukplat_lcpu_wait(__NULL, __NULL, 0))
		return -EIO;
	for (i = 0; i < SLOTS; i++)
		if (slots[i]) {
			object_drop(&run, slots[i]);
			slots[i] = __NULL;
		}
	return errors ? -EFAULT : 0;
}

/* What became of the tests */
struct totals {
	int passed, failed, skipped;
};

static void report(struct totals *t, const struct bench_alloc *ba,
		   const char *what, int failed)
{
	printf("%s %s: %s\n", failed ? "not ok" : "ok", ba->name, what);
	if (failed)
		t->failed++;
	else
		t->passed++;
}

static int finish(const struct totals *t)
{
	printf("%d passed, %d failed, %d skipped\n", t->passed, t->failed,
	       t->skipped);
	return t->failed ? 1 : 0;
}

int bench_check(void)
{
	struct bench_alloc allocs[BENCH_ALLOCS_MAX];
	unsigned int cnt = bench_allocs_get(allocs), i;
	struct totals t = { .skipped = (int)bench_references_missing() };

	for (i = 0; i < cnt; i++)
		report(&t, &allocs[i], "all CPUs exchange objects",
		       stress_all(&allocs[i]));
	return finish(&t);
}

int bench_check_own(void)
{
	struct bench_alloc allocs[BENCH_ALLOCS_MAX];
	unsigned int cnt = bench_allocs_get(allocs), i;
	struct totals t = { .skipped = (int)bench_references_missing() };

	for (i = 0; i < cnt; i++)
		if (allocs[i].check)
			report(&t, &allocs[i], "its own test",
			       allocs[i].check());
	return finish(&t);
}
