/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of fast.h and fast_resize.h: what the fast paths do, and that they
 * leave everything else alone, for each of their variants. test_fast32.c and
 * test_fast64.c are the same with longer registers.
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
#include "fast_resize.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define CPU 1

static struct rnd_heap *h;
static struct rnd_pcpu *pc;

static int setup(void **state)
{
	(void)state;
	fake_port_reset(17);
	fake_port_set_cpu(CPU);
	h = rnd_heap_create(0);
	if (!h)
		return -1;
	/* The state of this CPU exists */
	rnd_ctx_leave(&h->dyn->cpus, rnd_ctx_enter(&h->dyn->cpus));
	pc = rnd_cpus_own(h->dyn->cpus.table);
	return pc == RND_PCPU_NONE ? -1 : 0;
}

static int teardown(void **state)
{
	int rc;

	(void)state;
	rnd_heap_destroy(h);
	rc = fake_port.reserved || fake_port.committed ? -1 : 0;
	fake_port_reset(17);
	return rc;
}

/*
 * Variants
 */

struct variant {
	enum rnd_reach reach;
	/* Requests that it serves */
	__sz size_min, size_max;
};

static const struct variant variants[] = {
	{ RND_REACH_SHORT, 1, RND_SHORT_MAX },
	{ RND_REACH_LONG, RND_SHORT_MAX + 1,
	  RND_BULK_SLOT_MIN - RND_CANARY_LEN },
	{ RND_REACH_BULK, RND_BULK_SLOT_MIN - RND_CANARY_LEN + 1,
	  RND_SMALL_MAX },
	{ RND_REACH_ALL, 1, RND_SMALL_MAX },
};

static __bool fast_malloc(const struct variant *v, __sz size,
			  enum rnd_kind kind, void **obj)
{
	switch (v->reach) {
	case RND_REACH_SHORT:
		return rnd_malloc_short(pc, size, kind, obj);
	case RND_REACH_LONG:
	case RND_REACH_BULK:
		return rnd_malloc_long(pc, size, kind, 1, RND_REACH_LONG, obj);
	default:
		return rnd_malloc_long(pc, size, kind, 1, RND_REACH_ALL, obj);
	}
}

static __bool fast_free(const struct variant *v, void *ptr, __sz size,
			enum rnd_kind kind)
{
	__u32 sc;

	switch (v->reach) {
	case RND_REACH_SHORT:
		sc = rnd_ptr_short(h, ptr);
		return sc && rnd_free_short(pc, sc, ptr, size, kind);
	case RND_REACH_LONG:
		sc = rnd_window_class(h->pm.window, ptr);
		return sc > RND_SHORT_LEN / RND_SLOT_ALIGN &&
		       sc < RND_CLASS_BULK &&
		       rnd_free_own(pc, sc, ptr, size, kind, RND_REACH_LONG);
	case RND_REACH_BULK:
		sc = rnd_window_class(h->pm.window, ptr);
		return sc >= RND_CLASS_BULK &&
		       rnd_free_own(pc, sc, ptr, size, kind, RND_REACH_BULK);
	default:
		return rnd_free_long(h, pc, ptr, size, kind, RND_REACH_ALL);
	}
}

/* Sizes that test all classes of a variant, and some within */
static __sz next_size(const struct variant *v, __sz size)
{
	__sz step = size < 300 ? 1 : size / 9;

	return size < v->size_max && size + step > v->size_max ? v->size_max :
								 size + step;
}

static struct rnd_pclass *part_of(__sz size)
{
	return &pc->cls[rnd_sizeclass_of(size)];
}

/* Makes the part of a size ready for the fast paths */
static void warm(__sz size)
{
	struct rnd_pclass *pl =
		rnd_pcpu_class(&h->dyn->cpus, pc, rnd_sizeclass_of(size));

	if (!rnd_pclass_can_draw(pl))
		assert_true(rnd_pclass_refill(pl));
	if (!rnd_rng_has16(&pc->rng))
		rnd_rng_refill(&pc->rng);
}

/* The quarantine takes a slot without further ado. Only two paths know the
 * common one
 */
static __bool has_room(const struct variant *v, const struct rnd_pclass *pl)
{
	return (v->reach >= RND_REACH_BULK && pl->bulk) ||
	       rnd_pclass_can_step(pl, &pc->rng);
}

static char *alloc(const struct variant *v, __sz size)
{
	void *ptr = NULL;

	warm(size);
	assert_true(fast_malloc(v, size, RND_KIND_MALLOC, &ptr));
	return ptr;
}

static const struct variant *next_variant(const struct variant *v)
{
	v = v ? v + 1 : variants;

	return v < variants + ARRAY_SIZE(variants) ? v : NULL;
}

/*
 * What they do
 */

static void fast_size_is_short(void **state)
{
	__sz size;

	(void)state;
	assert_false(rnd_size_is_short(0));
	for (size = 1; size <= RND_SHORT_MAX; size++) {
		assert_true(rnd_size_is_short(size));
		assert_int_equal(rnd_sizeclass_of(size),
				 rnd_sizeclass_short_len(size) /
					 RND_SLOT_ALIGN);
	}
	assert_false(rnd_size_is_short(RND_SHORT_MAX + 1));
	assert_false(rnd_size_is_short(~0UL));
	assert_false(rnd_size_is_short(1UL << 63));
}

/* The slot, its state word with slack, kind and owner, and its canary */
static void assert_object(const char *p, __sz size, enum rnd_kind kind)
{
	struct rnd_place place = home_place(h, p);
	__sz len = place.region->slot_len, i;
	__u64 word = rnd_canary_word(&h->pm.key, (__uptr)p);

	assert_int_equal(rnd_sizeclass_of(size), place.region->sc);
	assert_int_equal(rnd_state_live(len, CPU, kind, (__u32)(len - size)),
			 *place.state);
	assert_true(rnd_state_slack(len, *place.state) == len - size);
	if (RND_OPT_ZERO)
		for (i = 0; i < size; i++)
			assert_int_equal(0, p[i]);
	if (RND_OPT_CANARY)
		assert_null(rnd_canary_find_bad(word, p, size, len));
}

/* Used, freed, and then zero again */
static void round_trip(const struct variant *v, __sz size, enum rnd_kind kind)
{
	struct rnd_pclass *pl;
	__u32 pool, waiting;
	void *ptr = NULL;
	char *p;
	__sz i;

	warm(size);
	pl = part_of(size);
	pool = pl->pool_cnt;
	waiting = rnd_quarantine_count(&pl->q);
	assert_true(fast_malloc(v, size, kind, &ptr));
	p = ptr;
	/* The analyzer does not know that assertions do not return */
	if (!p)
		return;
	assert_int_equal(pool - 1, pl->pool_cnt);
	assert_int_equal(0, pc->busy);
	assert_object(p, size, kind);

	memset(p, 0xa5, size);
	if (!has_room(v, pl)) {
		home_free(h, p, kind);
		return;
	}
	assert_true(fast_free(v, p, size % 2 ? size : RND_SIZE_UNKNOWN, kind));
	assert_int_equal(0, pc->busy);
	assert_int_equal(rnd_state_freed(RND_SLOT_FREED, CPU),
			 *home_place(h, p).state);
	if (RND_OPT_ZERO)
		for (i = 0; i < pl->slot_len; i++)
			assert_int_equal(0, p[i]);
	/* The common quarantine may release others */
	if (!pl->bulk)
		assert_int_equal(pool + waiting,
				 pl->pool_cnt + rnd_quarantine_count(&pl->q));
}

static void fast_round_trip_of_every_size(void **state)
{
	const struct variant *v;
	__sz size;

	(void)state;
	for (v = next_variant(NULL); v; v = next_variant(v))
		for (size = v->size_min; size <= v->size_max;
		     size = next_size(v, size))
			round_trip(v, size, size / 3 % RND_KIND_COUNT);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

/*
 * What they leave alone
 */

/* Everything that a free may change about a slot */
struct sight {
	__u16 state;
	__u32 pool, waiting, busy;
	char bytes[RND_SLOT_LEN_MAX];
};

static void look(struct sight *s, const char *p)
{
	struct rnd_place place = home_place(h, p);
	const struct rnd_pclass *pl = &pc->cls[place.region->sc];

	memset(s, 0, sizeof(*s));
	s->state = *place.state;
	s->pool = pl->pool_cnt;
	s->waiting = rnd_quarantine_count(&pl->q) + pc->bulk.cnt;
	s->busy = pc->busy;
	memcpy(s->bytes, p, pl->slot_len);
}

/* What cmocka compares byte by byte takes most of the time here */
static void assert_same(const void *a, const void *b, __sz len)
{
	assert_int_equal(memcmp(a, b, len), 0);
}

/* at is in or near the slot that starts at p */
static void assert_refused(const struct variant *v, char *p, char *at,
			   __sz size, enum rnd_kind kind)
{
	static struct sight before, after;

	look(&before, p);
	assert_false(fast_free(v, at, size, kind));
	look(&after, p);
	assert_same(&before, &after, sizeof(before));
}

static void refuse_pointers(const struct variant *v, char *p, __sz len)
{
	__sz i, step = len < 500 ? 1 : 7;

	for (i = 1; i < len; i += step)
		assert_refused(v, p, p + i, RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
	assert_refused(v, p, p + len - 1, RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
	for (i = 8; i < 64; i++) {
		assert_refused(v, p, (char *)((__uptr)p ^ 1UL << i),
			       RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
		assert_refused(v, p, (char *)(1UL << i), RND_SIZE_UNKNOWN,
			       RND_KIND_MALLOC);
	}
	assert_refused(v, p, NULL, RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
	assert_refused(v, p, (char *)~0UL, RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
}

/* Objects are bytes */
static void flip(char *p, __sz bit)
{
	*(__u8 *)p = (__u8)(*(__u8 *)p ^ 1U << bit);
}

static void refuse_damage(const struct variant *v, char *p, __sz size, __sz len)
{
	__sz i, bit = 0;

	for (i = size; i < len; i++, bit++) {
		flip(p + i, bit % 8);
		assert_refused(v, p, p, RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
		flip(p + i, bit % 8);
	}
}

static void refuse_sizes_and_kinds(const struct variant *v, char *p, __sz size)
{
	static const __sz wrong[] = { 0, 1UL << 63, ~0UL - 1 };
	unsigned int i;

	assert_refused(v, p, p, size - 1, RND_KIND_MALLOC);
	assert_refused(v, p, p, size + 1, RND_KIND_MALLOC);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_refused(v, p, p, wrong[i], RND_KIND_MALLOC);
	if (!RND_OPT_KIND)
		return;
	assert_refused(v, p, p, RND_SIZE_UNKNOWN, RND_KIND_NEW);
	assert_refused(v, p, p, size, RND_KIND_NEW_ARRAY);
}

/* State words of objects that may be freed, if the slack is right. The path
 * for all slots asks the slab who owns them
 */
static __bool is_plain(const struct variant *v, __u32 word)
{
	__u32 code = word & RND_STATE_MASK;

	if (v->reach == RND_REACH_SHORT && word >> RND_STATE_OWNER_SHIFT != CPU)
		return 0;
	if (RND_OPT_KIND)
		return code == RND_SLOT_LIVE;

	return code >= RND_SLOT_LIVE && code < RND_SLOT_LIVE + RND_KIND_COUNT;
}

/* Every other value that a state word can have */
static void refuse_states(const struct variant *v, char *p)
{
	struct rnd_place place = home_place(h, p);
	__u16 sound = *place.state;
	__u32 word;

	for (word = 0; word <= 0xffff; word++) {
		if (is_plain(v, word))
			continue;
		*place.state = (__u16)word;
		assert_false(
			fast_free(v, p, RND_SIZE_UNKNOWN, RND_KIND_MALLOC));
		assert_int_equal(word, *place.state);
	}
	*place.state = sound;
}

static void check_refusals(const struct variant *v, __sz size)
{
	char *p = alloc(v, size);
	struct rnd_pclass *pl = part_of(size);

	refuse_pointers(v, p, pl->slot_len);
	refuse_sizes_and_kinds(v, p, size);
	refuse_states(v, p);
	if (RND_OPT_CANARY)
		refuse_damage(v, p, size, pl->slot_len);

	/* It was plain all the time; but only once */
	if (has_room(v, pl))
		assert_true(fast_free(v, p, size, RND_KIND_MALLOC));
	else
		home_free(h, p, RND_KIND_MALLOC);
	assert_refused(v, p, p, RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
}

static void fast_free_refuses_what_is_not_plain(void **state)
{
	static const __sz sizes[] = { 1, 40, 120, 121, 500, 2000, 20000 };
	const struct variant *v;
	unsigned int i;

	(void)state;
	for (v = next_variant(NULL); v; v = next_variant(v))
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			if (sizes[i] >= v->size_min && sizes[i] <= v->size_max)
				check_refusals(v, sizes[i]);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

/* What belongs to another CPU is not freed here, and not the other way round */
static void fast_free_refuses_other_cpus_objects(void **state)
{
	static const __sz sizes[] = { 40, 500 };
	const struct variant *v;
	unsigned int i;
	char *p;

	(void)state;
	for (v = next_variant(NULL); v; v = next_variant(v))
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			if (sizes[i] < v->size_min || sizes[i] > v->size_max)
				continue;
			warm(sizes[i]);
			fake_port_set_cpu(2);
			p = home_malloc(h, sizes[i], RND_KIND_MALLOC);
			/* Within the bytes that this CPU knows */
			part_of(sizes[i])->end =
				home_place(h, p).region->dyn->end;
			assert_refused(v, p, p, RND_SIZE_UNKNOWN,
				       RND_KIND_MALLOC);
			home_free(h, p, RND_KIND_MALLOC);
			fake_port_set_cpu(CPU);
		}
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

/* Without a state, inside already, without slots or random bits */
static void fast_paths_give_up_without_a_trace(void **state)
{
	const struct variant *v;
	struct rnd_pclass *pl;
	__u32 min, left;
	__sz size;
	void *ptr;
	char *p;

	(void)state;
	for (v = next_variant(NULL); v; v = next_variant(v)) {
		size = v->size_min + 30;
		p = alloc(v, size);
		pl = part_of(size);
		ptr = NULL;

		pc->busy = 1;
		assert_false(fast_malloc(v, size, RND_KIND_MALLOC, &ptr));
		assert_refused(v, p, p, RND_SIZE_UNKNOWN, RND_KIND_MALLOC);
		assert_int_equal(1, pc->busy);
		pc->busy = 0;

		if (RND_PORT_CAN_STOP) {
			rnd_world_stopped = 1;
			assert_false(
				fast_malloc(v, size, RND_KIND_MALLOC, &ptr));
			assert_refused(v, p, p, RND_SIZE_UNKNOWN,
				       RND_KIND_MALLOC);
			rnd_world_stopped = 0;
		}

		min = pl->pool_min;
		pl->pool_min = pl->pool_cnt;
		assert_false(fast_malloc(v, size, RND_KIND_MALLOC, &ptr));
		assert_int_equal(pl->pool_min, pl->pool_cnt);
		pl->pool_min = min;

		left = pc->rng.left;
		pc->rng.left = 1;
		assert_false(fast_malloc(v, size, RND_KIND_MALLOC, &ptr));
		assert_int_equal(1, pc->rng.left);
		pc->rng.left = left;

		assert_int_equal(0, pc->busy);
		assert_null(ptr);

		fake_port_set_cpu(5);
		pc = rnd_cpus_own(h->dyn->cpus.table);
		assert_ptr_equal(RND_PCPU_NONE, pc);
		assert_false(fast_malloc(v, size, RND_KIND_MALLOC, &ptr));
		assert_false(fast_free(v, p, size, RND_KIND_MALLOC));
		fake_port_set_cpu(CPU);
		pc = rnd_cpus_own(h->dyn->cpus.table);
	}
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

/* Zero, what no slot serves, and numbers that are no sizes */
static void fast_malloc_refuses_other_sizes(void **state)
{
	static const __sz sizes[] = { 0,	 RND_SMALL_MAX + 1, 1UL << 20,
				      1UL << 63, ~0UL - 8,	    ~0UL };
	const struct variant *v;
	unsigned int i;
	void *ptr;

	(void)state;
	for (v = next_variant(NULL); v; v = next_variant(v)) {
		if (v->reach == RND_REACH_SHORT)
			continue;
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			assert_false(fast_malloc(v, sizes[i], RND_KIND_MALLOC,
						 &ptr));
	}
	assert_int_equal(0, pc->busy);
}

/* Freed by the owner as fast as possible, and by another CPU: in the end every
 * slot is somewhere
 */
static void fast_histories_lose_nothing(void **state)
{
	static char *live[2000];
	__u32 i, n, x = 1;
	__sz size;

	(void)state;
	for (i = 0; i < 30000; i++) {
		x = x * 1103515245 + 12345;
		n = x / 65536 % ARRAY_SIZE(live);
		size = (x >> 8) % 700;
		fake_port_set_cpu(1 + i / 500 % 2);
		if (live[n])
			home_free(h, live[n], RND_KIND_MALLOC);
		live[n] = home_malloc(h, size, RND_KIND_MALLOC);
		assert_non_null(live[n]);
		if (size)
			memset(live[n], (int)i, size);
	}
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
	for (i = 0; i < ARRAY_SIZE(live); i++) {
		home_free(h, live[i], RND_KIND_MALLOC);
		live[i] = NULL;
	}
	for (i = 1; i <= 3; i++) {
		fake_port_set_cpu(1 + i % 2);
		home_flush(h);
		rnd_pcpu_purge(rnd_cpus_own(h->dyn->cpus.table));
	}
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
	assert_int_equal(0, h->dyn->vs.user);
}

/*
 * Resizing
 */

static __bool resize(char *p, __sz size, void **obj)
{
	if (size && size <= RND_SMALL_MAX)
		warm(size);
	if (pc->rng.left < RND_RESIZE_RANDOM_LEN)
		rnd_rng_refill(&pc->rng);

	return rnd_realloc_own(h, pc, p, size, 1, obj);
}

/* Contents move along, the object has its new size, and the old slot is freed,
 * unless it still is the right one
 */
static void resize_to(__sz from, __sz size)
{
	char *p = home_malloc(h, from, RND_KIND_MALLOC), *q;
	__u16 *state = home_place(h, p).state;
	__sz i, keep = MIN(from, size);
	void *obj = NULL;

	for (i = 0; i < from; i++)
		p[i] = (char)(i * 7 + 1);
	/* The ring may be at the end of a segment */
	while (!resize(p, size, &obj))
		home_free(h, home_malloc(h, from, RND_KIND_MALLOC),
			  RND_KIND_MALLOC);
	q = obj;
	if (!q)
		return;
	assert_int_equal(0, pc->busy);
	assert_int_equal(rnd_sizeclass_of(from) == rnd_sizeclass_of(size),
			 p == q);
	for (i = 0; i < keep; i++)
		assert_int_equal((char)(i * 7 + 1), q[i]);
	memset(q, 0, keep);
	assert_object(q, size, RND_KIND_MALLOC);
	if (p != q) {
		assert_int_equal(rnd_state_freed(RND_SLOT_FREED, CPU), *state);
		for (i = 0; RND_OPT_ZERO && i < from; i++)
			assert_int_equal(0, p[i]);
	}
	home_free(h, q, RND_KIND_MALLOC);
}

static void fast_realloc_keeps_contents(void **state)
{
	static const __sz sizes[] = {
		1, 8, 9, 24, 25, 120, 121, 200, 1000, 1100, 20000, RND_SMALL_MAX
	};
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			resize_to(sizes[i], sizes[j]);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

static void assert_stays(char *p, char *at, __sz size)
{
	static struct sight before, after;
	void *obj = NULL;

	/* Any pointer: the analyzer would follow a constant one */
	rnd_hide(at);
	look(&before, p);
	assert_false(resize(at, size, &obj));
	look(&after, p);
	/* Random bits may have been made */
	assert_same(&before, &after, sizeof(before));
	assert_null(obj);
}

static void fast_realloc_refuses_what_is_not_plain(void **state)
{
	char *p = home_malloc(h, 40, RND_KIND_MALLOC);
	char *q = home_malloc(h, 40, RND_KIND_NEW);

	(void)state;
	if (!p || !q)
		return;
	warm(60);
	assert_stays(p, p, 0);
	assert_stays(p, p, RND_SMALL_MAX + 1);
	assert_stays(p, p, ~0UL);
	assert_stays(p, p + 1, 60);
	assert_stays(p, p + 16, 60);
	assert_stays(p, NULL, 60);
	assert_stays(p, (char *)~0UL, 60);
	if (RND_OPT_KIND)
		assert_stays(q, q, 60);
	if (RND_OPT_CANARY) {
		p[40] ^= 1;
		assert_stays(p, p, 60);
		assert_stays(p, p, 41);
		p[40] ^= 1;
	}
	home_free(h, p, RND_KIND_MALLOC);
	assert_stays(p, p, 60);
	home_free(h, q, RND_KIND_NEW);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
}

/* Without slots of the new class, without random bits, when busy */
static void fast_realloc_gives_up_without_a_trace(void **state)
{
	char *p = home_malloc(h, 40, RND_KIND_MALLOC);
	struct rnd_pclass *to = part_of(5000);
	struct rnd_pcpu *none = RND_PCPU_NONE;
	void *obj = NULL;
	__u32 left;

	(void)state;
	/* The analyzer does not know that assertions do not return */
	if (!p)
		return;
	assert_false(rnd_realloc_own(h, pc, p, 5000, 1, &obj));
	assert_null(to->region);
	warm(60);
	left = pc->rng.left;
	pc->rng.left = RND_RESIZE_RANDOM_LEN - 1;
	assert_false(rnd_realloc_own(h, pc, p, 60, 1, &obj));
	pc->rng.left = left;
	pc->busy = 1;
	assert_false(rnd_realloc_own(h, pc, p, 60, 1, &obj));
	assert_int_equal(1, pc->busy);
	pc->busy = 0;
	/* The compiler would warn of what is behind it */
	rnd_hide(none);
	assert_false(rnd_realloc_own(h, none, p, 60, 1, &obj));
	assert_null(obj);
	assert_int_equal(0, uk_allocrnd_check(&h->dyn->a));
	home_free(h, p, RND_KIND_MALLOC);
}

/* What was behind an object is inside the next one in its slot, which may be
 * longer: the canary, which depends on the place only, is not there
 */
static void fast_objects_hold_no_canary(void **state)
{
	static const __sz lens[][2] = { { 9, 24 }, { 905, 1000 } };
	unsigned int i, which;
	__u64 word, seen;
	void *ptr;

	(void)state;
	for (i = 0; i < 6000; i++) {
		which = i % ARRAY_SIZE(lens);
		ptr = rnd_malloc_out(h, lens[which][0], RND_KIND_MALLOC, 1);
		assert_non_null(ptr);
		rnd_free_out(h, ptr, RND_KIND_MALLOC, 1);
		ptr = rnd_malloc_out(h, lens[which][1], RND_KIND_MALLOC, 1);
		assert_non_null(ptr);
		word = rnd_canary_word(&h->pm.key, (__uptr)ptr);
		memcpy(&seen, (char *)ptr + lens[which][1] - 8, sizeof(seen));
		assert_true(!RND_OPT_CANARY || seen != word);
		rnd_free_out(h, ptr, RND_KIND_MALLOC, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(fast_size_is_short),
		UNIT_TEST(fast_objects_hold_no_canary),
		UNIT_TEST(fast_round_trip_of_every_size),
		UNIT_TEST(fast_free_refuses_what_is_not_plain),
		UNIT_TEST(fast_free_refuses_other_cpus_objects),
		UNIT_TEST(fast_paths_give_up_without_a_trace),
		UNIT_TEST(fast_malloc_refuses_other_sizes),
		UNIT_TEST(fast_histories_lose_nothing),
		UNIT_TEST(fast_realloc_keeps_contents),
		UNIT_TEST(fast_realloc_refuses_what_is_not_plain),
		UNIT_TEST(fast_realloc_gives_up_without_a_trace),
	};

#if RND_FAST_REGISTER > 16
	if (rnd_wide_level() < RND_FAST_WIDE) {
		puts("this processor has no such registers");
		return 77;
	}
#endif
	return cmocka_run_group_tests_name("fast", tests, NULL, NULL);
}
