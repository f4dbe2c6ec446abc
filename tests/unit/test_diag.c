/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of diag.c: what is said about a bad pointer, and from where
 *
 * links: lib/ukallocrnd/heap.c lib/ukallocrnd/sample.c
 *	lib/ukallocrnd/slow.c lib/ukallocrnd/slow_free.c
 *	lib/ukallocrnd/reclaim.c
 *	lib/ukallocrnd/diag.c
 *	lib/ukallocrnd/check.c lib/ukallocrnd/large.c lib/ukallocrnd/span.c
 *	lib/ukallocrnd/large_park.c lib/ukallocrnd/large_free.c
 *	lib/ukallocrnd/large_move.c
 *	lib/ukallocrnd/park.c
 *	lib/ukallocrnd/pcpu.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pclass_free.c lib/ukallocrnd/pclass_list.c
 *	lib/ukallocrnd/pclass_purge.c
 *	lib/ukallocrnd/nearest.c lib/ukallocrnd/pagemap.c
 *	lib/ukallocrnd/region.c
 *	lib/ukallocrnd/quarantine.c lib/ukallocrnd/report.c
 *	lib/ukallocrnd/format.c lib/ukallocrnd/slab.c
 *	lib/ukallocrnd/sizeclass.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
 *	lib/ukallocrnd/chacha_wide.c
 *	lib/ukallocrnd/fill.c
 *	tests/unit/fake_port.c tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "fake_home.h"
#include "fake_port.h"
#include "fast.h"
#include "fixture_heap.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* One misuse */
struct misuse {
	char *ptr;
	enum rnd_kind kind;
	/* Pages for pfree; 0: free */
	__sz pages;
	/* For a sized free; 0: not sized */
	__sz size;
};

static void do_misuse(void *arg)
{
	struct misuse *m = arg;

	if (m->pages)
		rnd_pfree(h, m->ptr, m->pages, 0);
	else if (m->size)
		home_free_sized(h, m->ptr, m->size, m->kind);
	else
		home_free(h, m->ptr, m->kind);
	fake_port.text_len = 0;
}

/* The first line up to the caller, and a part of what follows */
static void assert_report(struct misuse m, const char *bug, const char *cls,
			  const char *detail)
{
	const char *text = fake_port_abort_text(do_misuse, &m);
	char line[120];

	(void)snprintf(line, sizeof(line),
		       "ukallocrnd: BUG: %s: ptr=0x%lx class=%s caller=0x", bug,
		       (__uptr)m.ptr, cls);
	if (strncmp(text, line, strlen(line)) != 0 || !strstr(text, detail))
		fail_msg("\"%s...%s\" expected, not \"%s\"", line, detail,
			 text);
}

static struct misuse of(void *ptr)
{
	return (struct misuse){ .ptr = ptr };
}

/* As the nearest object is said to be at the start of a slot or span */
static void assert_near(struct misuse m, const char *bug, const char *cls,
			const char *distance, const char *p)
{
	char line[80];

	(void)snprintf(line, sizeof(line), "  %s the object at 0x%lx, size ",
		       distance, (__uptr)p);
	assert_report(m, bug, cls, line);
}

/* The only object of a heap is the nearest one of every pointer */
static void diag_distance_to_a_distant_object(void **state)
{
	char *p = alloc(70), *end;
	char distance[40];

	(void)state;
	(void)snprintf(distance, sizeof(distance), "%lu bytes before",
		       (__uptr)p - 16);
	assert_near(of((char *)16), "invalid free", "none", distance, p);
	(void)snprintf(distance, sizeof(distance), "%lu bytes after",
		       (1UL << 47) - (__uptr)p - 70);
	assert_near(of((char *)(1UL << 47)), "invalid free", "none", distance,
		    p);
	end = (char *)home_place(h, p).region->base +
	      home_place(h, p).region->dyn->end;
	(void)snprintf(distance, sizeof(distance), "%lu bytes after",
		       (__uptr)(end - p - 70));
	assert_near(of(end), "invalid free", "none", distance, p);
}

static void diag_distance_of_a_neighbour(void **state)
{
	char *p = alloc(70);
	struct rnd_place place = home_place(h, p);

	(void)state;
	if (rnd_place_slot(&place) + 1U < place.region->slots)
		assert_near(of(p + 80), "free of unallocated memory", "80",
			    "10 bytes after", p);
	if (rnd_place_slot(&place))
		assert_near(of(p - 80), "free of unallocated memory", "80",
			    "80 bytes before", p);
}

static void diag_foreign_pointers(void **state)
{
	static char here[64];
	__uptr end;

	(void)state;
	assert_report(of(here), "invalid free", "none",
		      "not an address of this heap");
	assert_report(of((char *)16), "invalid free", "none", "");
	assert_report(of((char *)~15UL), "invalid free", "none", "");
	assert_report(of((char *)(1UL << 47)), "invalid free", "none", "");
	end = h->pm.region[3].base + h->pm.region[3].dyn->end;
	assert_report(of((char *)end), "invalid free", "none",
		      "a part of a size class that was never used");
}

static struct rnd_pclass *part_of(__sz size)
{
	return &h->dyn->cpus.table[1]->cls[rnd_sizeclass_of(size)];
}

/* A short slot, one whose state word has no owner, one of no bytes */
static void diag_double_free_in_every_state(void **state)
{
	static const struct {
		__sz size;
		const char *cls;
	} runs[] = { { 100, "112" }, { 1000, "1040" }, { 0, "16" } };
	unsigned int i;
	char *p;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		p = alloc(runs[i].size);
		release(p);
		if (RND_OPT_QUARANTINE)
			assert_report(of(p), "double free", runs[i].cls,
				      "freed by CPU 0\n  it is in quarantine");
		home_flush(h);
		assert_report(of(p), "double free", runs[i].cls,
			      "free in its slab");

		p = alloc(runs[i].size);
		fake_port_set_cpu(2);
		release(p);
		assert_report(of(p), "double free", runs[i].cls,
			      "freed by CPU 1\n");
		assert_report(of(p), "double free", runs[i].cls,
			      "on its way to the CPU");
		fake_port_set_cpu(1);
		assert_report(of(p), "double free", runs[i].cls,
			      "freed by CPU 1\n");
	}
}

static void diag_slot_that_was_never_handed_out(void **state)
{
	struct rnd_pclass *pl;

	(void)state;
	(void)alloc(100);
	pl = part_of(100);
	assert_report(of(rnd_pclass_slot(pl, pl->pool[0])),
		      "free of unallocated memory", "112",
		      "it is free, drawn ahead\n");
	home_flush(h);
	assert_report(of(rnd_pclass_slot(pl, pl->pool[0])),
		      "free of unallocated memory", "112",
		      "it is free in its slab\n");
}

/* Frees others until an object that was just freed is in the pool */
static void pass_quarantine(const char *p, __sz size)
{
	const struct rnd_pclass *pl = part_of(size);
	__u32 n = (__u32)(((__uptr)p - pl->base) / pl->slot_len);
	__sz i;

	if (pl->bulk) {
		for (i = 0; i <= RND_QUARANTINE_BYTES / pl->slot_len; i++)
			release(alloc(size));
		return;
	}
	while (rnd_quarantine_contains(&pl->q, n))
		release(alloc(size));
}

/* What was freed once can be told from what was not, wherever it is */
static void diag_freed_slot_in_the_pool(void **state)
{
	char *p = alloc(100);
	struct rnd_pclass *pl = part_of(100);
	__u32 i;

	(void)state;
	release(p);
	if (!RND_OPT_QUARANTINE)
		skip();
	pass_quarantine(p, 100);
	for (i = 0; i < pl->pool_cnt; i++)
		if (rnd_pclass_slot(pl, pl->pool[i]) == p)
			break;
	assert_true(i < pl->pool_cnt);
	assert_report(of(p), "double free", "112", "freed by CPU 0\n");
}

static void diag_inside_a_slot(void **state)
{
	char *p = alloc(70);

	(void)state;
	assert_report(of(p + 1), "misaligned free", "80",
		      "1 byte inside the object at 0x");
	assert_report(of(p + 16), "interior free", "80",
		      "16 bytes inside the object at 0x");
	assert_report(of(p + 71), "misaligned free", "80",
		      "1 byte after the object at 0x");
	release(p);
	assert_report(of(p + 32), "interior free", "80",
		      "32 bytes inside the slot at 0x");
	fake_port.thread = 77;
	assert_report(of(p + 32), "interior free", "80",
		      "freed by CPU 0 (thread 77)\n");
}

/* The slab behind is a guard */
static void diag_behind_the_last_slot(void **state)
{
	const struct rnd_region *r;
	struct rnd_place place;

	(void)state;
	if (!RND_OPT_GUARD_SLABS)
		skip();
	place = home_place(h, alloc(70));
	r = place.region;
	assert_report(of((char *)place.slab->base + r->slab_len),
		      "invalid free", "none",
		      "a part of a size class that was never used");
}

static void diag_sizes_and_kinds(void **state)
{
	static const char *const lens[] = { "80", "large" };
	static const __sz sizes[] = { 70, 200000 };
	struct misuse m;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		m = of(alloc(sizes[i]));
		m.size = sizes[i] + 1;
		assert_report(m, "size mismatch", lens[i], "size passed ");
		m.size = 0;
		if (!RND_OPT_KIND)
			continue;
		m.kind = RND_KIND_NEW;
		assert_report(m, "kind mismatch", lens[i],
			      "freed as if from new\n");
		m = of(home_malloc(h, sizes[i], RND_KIND_NEW_ARRAY));
		assert_report(m, "kind mismatch", lens[i],
			      "freed as if from malloc\n");
	}
	m = of(alloc(0));
	m.size = 1;
	assert_report(m, "size mismatch", "16", "");
}

static void diag_large_objects(void **state)
{
	char *p = alloc(200000), *page;

	(void)state;
	assert_report(of(p + 4096), "interior free", "large",
		      "4096 bytes inside the object at 0x");
	assert_report(of(p + 8), "misaligned free", "large", "");
	page = (char *)ALIGN_DOWN((__uptr)p, RND_PAGE_LEN);
	assert_report(of(page - 16), "invalid free", "large",
		      "in the guard of a large object");
	assert_report(of(p - 16), "invalid free", "large",
		      "16 bytes before the object at 0x");
	if (page < p)
		assert_report(of(p - 16), "invalid free", "large",
			      "in front of a large object");
	assert_report(of((char *)ALIGN_UP((__uptr)p + 200000, RND_PAGE_LEN)),
		      "invalid free", "large",
		      "in the guard of a large object");
	release(p);
	if (RND_OPT_QUARANTINE) {
		assert_report(of(p), "double free", "large",
			      "requested size 200000\n"
			      "  freed by CPU 0\n"
			      "  it is in quarantine, unmapped");
		assert_report(of(p + 64), "interior free", "large",
			      "freed by CPU 0\n"
			      "  it is in quarantine, unmapped");
		assert_report(of(page - 16), "invalid free", "large",
			      "freed by CPU 0\n"
			      "  it is in the guard of a freed large object");
	}
	if (RND_OPT_LARGE_KEEP) {
		assert_report(of(p), "double free", "large",
			      "requested size 200000\n"
			      "  freed by CPU 0\n"
			      "  it is kept for another object");
		(void)rnd_large_unpark(&h->dyn->large);
	}
	rnd_large_purge(&h->dyn->large);
	assert_report(of(p), "invalid free", "none", "");
}

static void diag_pages(void **state)
{
	char *p = rnd_palloc(h, 4, 0);
	struct misuse m = of(p);

	(void)state;
	assert_report(m, "kind mismatch", "large", "allocated by palloc");
	m.pages = 5;
	assert_report(m, "size mismatch", "large", "");
	m.ptr = p + RND_PAGE_LEN;
	m.pages = 4;
	assert_report(m, "size mismatch", "large", "");
	m.ptr = alloc(200000);
	assert_report(m, "kind mismatch", "large", "allocated by malloc");
	m.ptr = p;
	rnd_pfree(h, p, 4, 0);
	if (RND_OPT_QUARANTINE)
		assert_report(m, "double free", "large", "");
	else
		assert_report(m, "invalid free", "none", "");
}

static void diag_overflow(void **state)
{
	static const __sz sizes[] = { 66, 199990 };
	static const char *const lens[] = { "80", "large" };
	unsigned int i;
	char *p;

	(void)state;
	if (!RND_OPT_CANARY)
		skip();
	for (i = 0; i < 2; i++) {
		p = alloc(sizes[i]);
		p[sizes[i] + 3] ^= 1;
		assert_report(of(p), "overflow", lens[i],
			      i ? "first changed byte: offset 199993\n" :
				  "first changed byte: offset 69\n");
		p[sizes[i]] ^= 1;
		assert_report(of(p), "overflow", lens[i],
			      i ? "requested size 199990\n  first changed "
				  "byte: offset 199990\n" :
				  "requested size 66\n  first changed byte: "
				  "offset 66\n");
		/* Also from where the slow half frees */
		fake_port_set_cpu(2);
		assert_report(of(p), "overflow", lens[i], "found by free()");
		fake_port_set_cpu(1);
		p[sizes[i]] ^= 1;
		p[sizes[i] + 3] ^= 1;
	}
}

static void alloc_many(void *size)
{
	unsigned int i;

	for (i = 0; i < 20000; i++)
		(void)alloc(*(__sz *)size);
}

/* Allocates until two slots next to each other are objects */
static char *alloc_pair(__sz size)
{
	static char *obj[20000];
	unsigned int i, n, found = 0;
	__sz len;

	for (n = 0; n < ARRAY_SIZE(obj) && !found; n++) {
		obj[n] = alloc(size);
		len = home_place(h, obj[n]).region->slot_len;
		for (i = 0; i < n && !found; i++)
			if (obj[n] + len == obj[i] || obj[i] + len == obj[n])
				found = 1;
	}
	assert_true(found);

	return obj[n - 1] < obj[i - 1] ? obj[n - 1] : obj[i - 1];
}

/* Who writes below an object damages the one in front, or a free slot */
static void diag_underflow(void **state)
{
	char *p = alloc_pair(70), *next = p + 80;
	char line[80];

	(void)state;
	(void)snprintf(line, sizeof(line),
		       "offset 79\n  that is 1 byte before the object at "
		       "0x%lx, size 70\n",
		       (__uptr)next);
	next[-1] ^= 1;
	if (RND_OPT_CANARY)
		assert_report(of(p), "overflow", "80", line);
	next[-1] ^= 1;
	if (!RND_OPT_WAF)
		return;

	release(p);
	home_flush(h);
	next[-1] ^= 1;
	/* Nothing else is there to be drawn */
	part_of(70)->pool_cnt = 1;
	part_of(70)->pool_min = 0;
	part_of(70)->pool[0] = home_place(h, p).n;
	assert_non_null(
		strstr(fake_port_abort_text(alloc_many, &(__sz){ 70 }), line));
	next[-1] ^= 1;
}

static void assert_written(char *p, __sz size, const char *cls, const char *op)
{
	const char *text = fake_port_abort_text(alloc_many, &size);
	char line[120];

	(void)snprintf(line, sizeof(line),
		       "ukallocrnd: BUG: write after free: ptr=0x%lx class=%s "
		       "caller=0x",
		       (__uptr)p, cls);
	assert_ptr_equal(text, strstr(text, line));
	assert_non_null(strstr(text, op));
	assert_non_null(strstr(text, "freed by CPU 0\n"));
	assert_non_null(strstr(text, "first changed byte: offset 37\n"));
}

/* In the pool and in its slab; found by the fast path for short slots, by that
 * for others and by the slow one
 */
static void diag_write_after_free(void **state)
{
	static const __sz sizes[] = { 70, 500, 3000 };
	static const char *const lens[] = { "80", "528", "3072" };
	unsigned int i, n;
	char *p = NULL;

	(void)state;
	if (!RND_OPT_WAF)
		skip();
	for (i = 0; i < 3; i++) {
		/* Neighbours keep its slab */
		for (n = 0; n < 300; n++)
			p = alloc(sizes[i]);
		release(p);
		if (RND_OPT_QUARANTINE) {
			pass_quarantine(p, sizes[i]);
			p[37] = 1;
			assert_written(p, sizes[i], lens[i],
				       "found by malloc()\n");
		}
		home_flush(h);
		p[37] = 1;
		assert_written(p, sizes[i], lens[i],
			       RND_OPT_VERIFY ? "found by refill()\n" :
						"found by malloc()\n");
		/* What the teardown does not look at */
		p[37] = 0;
	}
}

struct taken {
	__sz size;
	__bool slow;
};

static void alloc_one(void *arg)
{
	struct taken *t = arg;

	/* Without random bits ready the fast paths give up */
	if (t->slow)
		h->dyn->cpus.table[1]->rng.left = 0;
	(void)alloc(t->size);
}

/* A wild write into metadata, or a bug of our own: nobody gets the slot */
static void diag_taken_slot_among_the_free_ones(void **state)
{
	static const __sz sizes[] = { 70, 500 };
	static const char *const lens[] = { "80", "528" };
	struct rnd_place place;
	struct rnd_pclass *pl;
	struct taken t;
	unsigned int i, slow;
	const char *text;
	char line[120];
	__u32 n;

	(void)state;
	for (i = 0; i < 2; i++)
		for (slow = 0; slow < 2; slow++) {
			t = (struct taken){ sizes[i], slow != 0 };
			place = home_place(h, alloc(sizes[i]));
			pl = part_of(sizes[i]);
			/* The state word alone says it */
			memset(rnd_pclass_slot(pl, place.n), 0, pl->slot_len);
			for (n = 0; n < pl->pool_cnt; n++)
				pl->pool[n] = place.n;
			(void)snprintf(
				line, sizeof(line),
				"ukallocrnd: BUG: metadata corrupted: ptr=0x%lx"
				" class=%s caller=0x",
				(__uptr)rnd_pclass_slot(pl, place.n), lens[i]);
			text = fake_port_abort_text(alloc_one, &t);
			assert_ptr_equal(text, strstr(text, line));
			assert_non_null(strstr(text, "a live slot among the "
						     "free ones (S3)\n"));

			*place.state = rnd_state_freed(RND_SLOT_REMOTE, 2);
			text = fake_port_abort_text(alloc_one, &t);
			assert_ptr_equal(text, strstr(text, line));
			assert_non_null(
				strstr(text, "a slot of two lists (S3)\n"));
			pl->pool_cnt = 0;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(diag_foreign_pointers),
		UNIT_TEST(diag_distance_to_a_distant_object),
		UNIT_TEST(diag_distance_of_a_neighbour),
		UNIT_TEST(diag_double_free_in_every_state),
		UNIT_TEST(diag_slot_that_was_never_handed_out),
		UNIT_TEST(diag_freed_slot_in_the_pool),
		UNIT_TEST(diag_inside_a_slot),
		UNIT_TEST(diag_behind_the_last_slot),
		UNIT_TEST(diag_sizes_and_kinds),
		UNIT_TEST(diag_large_objects),
		UNIT_TEST(diag_pages),
		UNIT_TEST(diag_overflow),
		UNIT_TEST(diag_underflow),
		UNIT_TEST(diag_write_after_free),
		UNIT_TEST(diag_taken_slot_among_the_free_ones),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
