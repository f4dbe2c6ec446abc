/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of lib/ukalloc/alloc.c and of the wrappers in <uk/alloc.h>
 *
 * links: lib/ukalloc/alloc.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define FAKES 8

static struct uk_alloc fakes[FAKES];
static char object[64];

static void *fake_malloc(struct uk_alloc *a, __sz size)
{
	(void)a;
	return size <= sizeof(object) ? object : NULL;
}

static void *fake_calloc(struct uk_alloc *a, __sz nmemb, __sz size)
{
	return fake_malloc(a, nmemb * size);
}

static void *fake_realloc(struct uk_alloc *a, void *ptr, __sz size)
{
	assert_ptr_equal(ptr, object);
	return fake_malloc(a, size);
}

static int fake_posix_memalign(struct uk_alloc *a, void **memptr, __sz align,
			       __sz size)
{
	(void)align;
	*memptr = fake_malloc(a, size);
	return 0;
}

static void *fake_memalign(struct uk_alloc *a, __sz align, __sz size)
{
	(void)align;
	return fake_malloc(a, size);
}

static void fake_free(struct uk_alloc *a, void *ptr)
{
	(void)a;
	check_expected_ptr(ptr);
}

static __ssz fake_availmem(struct uk_alloc *a)
{
	(void)a;
	return 1000;
}

static long fake_pavailmem(struct uk_alloc *a)
{
	(void)a;
	return -EIO;
}

static int setup(void **state)
{
	int i;

	(void)state;
	memset(fakes, 0, sizeof(fakes));
	for (i = 0; i < FAKES; i++) {
		fakes[i].malloc = fake_malloc;
		fakes[i].calloc = fake_calloc;
		fakes[i].realloc = fake_realloc;
		fakes[i].posix_memalign = fake_posix_memalign;
		fakes[i].memalign = fake_memalign;
		fakes[i].free = fake_free;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (uk_alloc_get_default())
		uk_alloc_unregister(uk_alloc_get_default());
	return 0;
}

static int count(const struct uk_alloc *wanted)
{
	struct uk_alloc *a;
	int n = 0;

	uk_alloc_foreach(a)
		n += !wanted || a == wanted;

	return n;
}

static void first_registered_is_default(void **state)
{
	(void)state;
	assert_null(uk_alloc_get_default());

	assert_int_equal(uk_alloc_register(&fakes[0]), 0);
	assert_int_equal(uk_alloc_register(&fakes[1]), 0);

	assert_ptr_equal(uk_alloc_get_default(), &fakes[0]);
	assert_ptr_equal(uk_alloc_next(&fakes[0]), &fakes[1]);
	assert_null(uk_alloc_next(&fakes[1]));
}

static void register_rejects_duplicates(void **state)
{
	(void)state;
	assert_int_equal(uk_alloc_register(&fakes[0]), 0);
	assert_int_equal(uk_alloc_register(&fakes[1]), 0);

	assert_int_equal(uk_alloc_register(&fakes[0]), -EEXIST);
	assert_int_equal(uk_alloc_register(&fakes[1]), -EEXIST);

	assert_int_equal(count(NULL), 2);
}

static void register_rejects_incomplete_tables(void **state)
{
	(void)state;
	fakes[0].realloc = NULL;
	assert_int_equal(uk_alloc_register(&fakes[0]), -EINVAL);

	fakes[1].palloc = (uk_alloc_palloc_func_t)(void *)object;
	assert_int_equal(uk_alloc_register(&fakes[1]), -EINVAL);

	assert_int_equal(count(NULL), 0);
}

static void unregister_removes_from_any_place(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(uk_alloc_register(&fakes[i]), 0);

	assert_int_equal(uk_alloc_unregister(&fakes[2]), 0);
	assert_int_equal(uk_alloc_unregister(&fakes[2]), -ENOENT);
	assert_int_equal(uk_alloc_unregister(&fakes[0]), 0);
	assert_int_equal(uk_alloc_unregister(&fakes[3]), 0);

	assert_ptr_equal(uk_alloc_get_default(), &fakes[1]);
	assert_int_equal(count(NULL), 1);
}

static void set_default_moves_to_the_front(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(uk_alloc_register(&fakes[i]), 0);

	assert_int_equal(uk_alloc_set_default(&fakes[2]), 0);
	assert_ptr_equal(uk_alloc_get_default(), &fakes[2]);
	assert_int_equal(uk_alloc_set_default(&fakes[2]), 0);
	assert_int_equal(uk_alloc_set_default(&fakes[3]), -ENOENT);

	assert_ptr_equal(uk_alloc_get_default(), &fakes[2]);
	for (i = 0; i < 3; i++)
		assert_int_equal(count(&fakes[i]), 1);
	assert_int_equal(count(NULL), 3);
}

static void *register_own_and_first(void *arg)
{
	assert_int_equal(uk_alloc_register(arg), 0);
	return uk_alloc_register(&fakes[0]) ? NULL : &fakes[0];
}

static void register_on_many_cpus_loses_nobody(void **state)
{
	pthread_t threads[FAKES];
	int i, firsts = 0;
	void *ret;

	(void)state;
	for (i = 1; i < FAKES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						register_own_and_first,
						&fakes[i]),
				 0);
	for (i = 1; i < FAKES; i++) {
		assert_int_equal(pthread_join(threads[i], &ret), 0);
		firsts += !!ret;
	}

	assert_int_equal(firsts, 1);
	assert_int_equal(count(NULL), FAKES);
	for (i = 0; i < FAKES; i++)
		assert_int_equal(count(&fakes[i]), 1);
}

static void totals_skip_those_that_cannot_tell(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(uk_alloc_register(&fakes[i]), 0);
	fakes[0].availmem = fake_availmem;
	fakes[2].availmem = fake_availmem;
	fakes[2].pavailmem = fake_pavailmem;

	assert_int_equal(uk_alloc_availmem_total(), 2000);
	assert_int_equal(uk_alloc_pavailmem_total(), 0);
}

static void wrappers_without_allocator_fail_with_enomem(void **state)
{
	void *ptr = object;

	(void)state;
	errno = 0;
	assert_null(uk_malloc(NULL, 1));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(uk_calloc(NULL, 1, 1));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(uk_realloc(NULL, object, 1));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(uk_memalign(NULL, 16, 1));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(uk_palloc(NULL, 1));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(uk_posix_memalign(NULL, &ptr, 16, 1), ENOMEM);
	assert_ptr_equal(ptr, object);
}

static void optional_operations_may_be_missing(void **state)
{
	struct uk_alloc *a = &fakes[0];

	(void)state;
	assert_null(uk_palloc(a, 1));
	assert_int_equal(uk_alloc_addmem(a, object, 1), -ENOTSUP);
	assert_int_equal(uk_alloc_maxalloc(a), -ENOTSUP);
	assert_int_equal(uk_alloc_pmaxalloc(a), -ENOTSUP);
	assert_int_equal(uk_alloc_availmem(a), -ENOTSUP);
	assert_int_equal(uk_alloc_pavailmem(a), -ENOTSUP);
	assert_int_equal(uk_alloc_usable_size(a, object), 0);
}

static void wrappers_reach_the_operations(void **state)
{
	struct uk_alloc *a = &fakes[0];
	void *ptr = NULL;

	(void)state;
	assert_ptr_equal(uk_malloc(a, 1), object);
	assert_ptr_equal(uk_zalloc(a, 1), object);
	assert_ptr_equal(uk_realloc(a, object, 2), object);
	assert_ptr_equal(uk_memalign(a, 16, 2), object);
	assert_int_equal(uk_posix_memalign(a, &ptr, 16, 2), 0);
	assert_ptr_equal(ptr, object);
	expect_value(fake_free, ptr, object);
	uk_free(a, object);
	expect_value(fake_free, ptr, NULL);
	uk_free(a, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(first_registered_is_default),
		UNIT_TEST(register_rejects_duplicates),
		UNIT_TEST(register_rejects_incomplete_tables),
		UNIT_TEST(unregister_removes_from_any_place),
		UNIT_TEST(set_default_moves_to_the_front),
		UNIT_TEST(register_on_many_cpus_loses_nobody),
		UNIT_TEST(totals_skip_those_that_cannot_tell),
		UNIT_TEST(wrappers_without_allocator_fail_with_enomem),
		UNIT_TEST(optional_operations_may_be_missing),
		UNIT_TEST(wrappers_reach_the_operations),
	};

	return cmocka_run_group_tests_name("ukalloc", tests, NULL, NULL);
}
