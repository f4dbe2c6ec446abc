/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of diag.c: what is said about a bad pointer, and from where
 *
 * links: lib/ukallocrnd/heap.c lib/ukallocrnd/slow.c lib/ukallocrnd/diag.c
 *	lib/ukallocrnd/check.c lib/ukallocrnd/large.c
 *	lib/ukallocrnd/pcpu.c lib/ukallocrnd/pclass.c
 *	lib/ukallocrnd/pagemap.c lib/ukallocrnd/region.c
 *	lib/ukallocrnd/quarantine.c lib/ukallocrnd/report.c
 *	lib/ukallocrnd/format.c lib/ukallocrnd/slab.c
 *	lib/ukallocrnd/sizeclass.c lib/ukallocrnd/vspace.c
 *	lib/ukallocrnd/rng.c lib/ukallocrnd/chacha.c
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

#include "fake_port.h"
#include "fast.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static struct rnd_heap *h;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(17);
	fake_port_set_cpu(1);
	h = rnd_heap_create(0);
	return h ? 0 : -1;
}

/* All memory of the heap goes back, whatever was done to it */
static int teardown(void **state)
{
	int rc;

	(void)state;
	rnd_heap_destroy(h);
	rc = fake_port.reserved || fake_port.committed ? -1 : 0;
	fake_port_reset(17);
	return rc;
}

static void *alloc(__sz size)
{
	return rnd_malloc(h, size, RND_KIND_MALLOC);
}

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
		rnd_free_sized(h, m->ptr, m->size, m->kind);
	else
		rnd_free(h, m->ptr, m->kind);
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

static void release(void *ptr)
{
	rnd_free(h, ptr, RND_KIND_MALLOC);
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

static void diag_double_free_in_every_state(void **state)
{
	struct rnd_ctx ctx;
	char *p = alloc(100);

	(void)state;
	release(p);
	if (RND_OPT_QUARANTINE)
		assert_report(of(p), "double free", "112",
			      "freed by CPU 0\n  it is in quarantine");
	ctx = rnd_ctx_enter(&h->dyn->cpus);
	rnd_pcpu_flush(&h->dyn->cpus, ctx.pc);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
	assert_report(of(p), "double free", "112", "free in its slab");

	p = alloc(100);
	fake_port_set_cpu(2);
	release(p);
	assert_report(of(p), "double free", "112", "freed by CPU 1\n");
	assert_report(of(p), "double free", "112", "on its way to the CPU");
	fake_port_set_cpu(1);
	assert_report(of(p), "double free", "112", "freed by CPU 1\n");
}

static void diag_slot_that_was_never_handed_out(void **state)
{
	struct rnd_pclass *pl;
	char *p;

	(void)state;
	(void)alloc(100);
	pl = &h->dyn->cpus.table[1]->cls[rnd_sizeclass_of(100)];
	p = rnd_ref_slot(pl, pl->mag[0]);
	assert_report(of(p), "free of unallocated memory", "112",
		      "drawn into a magazine");
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
	assert_report(of(p + 32), "interior free", "80", "freed by CPU 0");
}

static void diag_behind_the_last_slot(void **state)
{
	const struct rnd_region *r;
	struct rnd_slab *s;
	char *p = alloc(70);

	(void)state;
	r = rnd_pagemap_region(&h->pm, rnd_sizeclass_of(70));
	s = rnd_region_slab(r, (__u32)(((__uptr)p - r->base) >> r->slab_shift));
	assert_report(of((char *)s->base + (__sz)r->slots * r->slot_len),
		      "invalid free", "80", "behind the last slot of a slab");
}

static void diag_sizes_and_kinds(void **state)
{
	static const char *const lens[] = { "80", "large" };
	static const __sz sizes[] = { 70, 50000 };
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
		m = of(rnd_malloc(h, sizes[i], RND_KIND_NEW_ARRAY));
		assert_report(m, "kind mismatch", lens[i],
			      "freed as if from malloc\n");
	}
	m = of(alloc(0));
	m.size = 1;
	assert_report(m, "size mismatch", "16", "");
}

static void diag_large_objects(void **state)
{
	char *p = alloc(50000);

	(void)state;
	assert_report(of(p + 4096), "interior free", "large",
		      "4096 bytes inside the object at 0x");
	assert_report(of(p + 8), "misaligned free", "large", "");
	assert_report(of(p - 16), "invalid free", "large",
		      "16 bytes before the object at 0x");
	assert_report(of(p + 53248), "invalid free", "large",
		      "in the guard of a large object");
	release(p);
	if (RND_OPT_QUARANTINE)
		assert_report(of(p), "double free", "large",
			      "freed by CPU 0\n"
			      "  it is in quarantine, unmapped");
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
	m.ptr = alloc(50000);
	assert_report(m, "kind mismatch", "large", "not allocated by palloc");
	m.ptr = p;
	rnd_pfree(h, p, 4, 0);
	if (RND_OPT_QUARANTINE)
		assert_report(m, "double free", "large", "");
	else
		assert_report(m, "invalid free", "none", "");
}

static void diag_overflow(void **state)
{
	static const __sz sizes[] = { 66, 50000 };
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
			      i ? "first changed byte: offset 50003\n" :
				  "first changed byte: offset 69\n");
		p[sizes[i]] ^= 1;
		assert_report(of(p), "overflow", lens[i],
			      i ? "requested size 50000\n  first changed "
				  "byte: offset 50000\n" :
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

static void alloc_all(void *size)
{
	unsigned int i;

	for (i = 0; i < 5000; i++)
		(void)alloc(*(__sz *)size);
}

static void diag_write_after_free(void **state)
{
	__sz size = 70;
	const char *text;
	struct rnd_ctx ctx;
	char line[120], *p = alloc(size);

	(void)state;
	if (!RND_OPT_WAF)
		skip();
	release(p);
	ctx = rnd_ctx_enter(&h->dyn->cpus);
	rnd_pcpu_flush(&h->dyn->cpus, ctx.pc);
	rnd_ctx_leave(&h->dyn->cpus, ctx);
	p[37] = 1;
	text = fake_port_abort_text(alloc_all, &size);
	(void)snprintf(line, sizeof(line),
		       "ukallocrnd: BUG: write after free: ptr=0x%lx class=80 "
		       "caller=0x",
		       (__uptr)p);
	assert_ptr_equal(text, strstr(text, line));
	assert_non_null(strstr(text, "found by malloc()\n"));
	assert_non_null(strstr(text, "freed by CPU 0\n"));
	assert_non_null(strstr(text, "first changed byte: offset 37\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(diag_foreign_pointers),
		UNIT_TEST(diag_double_free_in_every_state),
		UNIT_TEST(diag_slot_that_was_never_handed_out),
		UNIT_TEST(diag_inside_a_slot),
		UNIT_TEST(diag_behind_the_last_slot),
		UNIT_TEST(diag_sizes_and_kinds),
		UNIT_TEST(diag_large_objects),
		UNIT_TEST(diag_pages),
		UNIT_TEST(diag_overflow),
		UNIT_TEST(diag_write_after_free),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
