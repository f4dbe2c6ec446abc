/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* mimalloc as a uk_alloc
 *
 * Compiled once for each build of mimalloc; the build defines UKMI_INIT,
 * UKMI_COLLECT and UKMI_CHECK, the names of what comes out.
 *
 * malloc and free are nothing but the jump into upstream: errno is set by its
 * error handler, which runs on failures only.
 */

#include <errno.h>

#include <mimalloc.h>

#include <uk/alloc_impl.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

#include "port.h"
#include "uk_mimalloc.h"

void ukmi_process_start(void);
int ukmi_api_test(void);

static struct uk_alloc allocator;

/* As upstream's own handler, which ends the program for broken metadata */
static void on_error(int err, void *arg __unused)
{
	if (err == EFAULT)
		abort();
	if (err == ENOMEM || err == EOVERFLOW)
		errno = ENOMEM;
}

#ifdef CONFIG_LIBUKALLOC_IFSTATS
/* Objects are counted with the length that can be found out again */
static __sz counted_len(const void *ptr)
{
	return ptr ? mi_usable_size(ptr) : 0;
}

static void *count(struct uk_alloc *a, void *ptr, __sz size)
{
	uk_alloc_stats_count_alloc(a, ptr, ptr ? counted_len(ptr) : size);
	return ptr;
}

static void uncount(struct uk_alloc *a, void *ptr)
{
	uk_alloc_stats_count_free(a, ptr, counted_len(ptr));
}
#else
static inline __sz counted_len(const void *ptr __unused)
{
	return 0;
}

static inline void *count(struct uk_alloc *a __unused, void *ptr,
			  __sz size __unused)
{
	return ptr;
}

static inline void uncount(struct uk_alloc *a __unused, void *ptr __unused) {}
#endif

static void *alloc_malloc(struct uk_alloc *a, __sz size)
{
	return count(a, mi_malloc(size), size);
}

static void *alloc_calloc(struct uk_alloc *a, __sz nmemb, __sz size)
{
	__sz len;
	void *ptr = mi_calloc(nmemb, size);

	/* An overflow does not reach the error handler */
	if (unlikely(!ptr))
		errno = ENOMEM;
	if (__builtin_mul_overflow(nmemb, size, &len))
		len = ~0UL;
	return count(a, ptr, len);
}

static void alloc_free(struct uk_alloc *a, void *ptr)
{
	uncount(a, ptr);
	mi_free(ptr);
}

static void *alloc_realloc(struct uk_alloc *a, void *ptr, __sz size)
{
	__sz old = counted_len(ptr);
	void *moved;

	if (!size) {
		alloc_free(a, ptr);
		return __NULL;
	}
	moved = mi_realloc(ptr, size);
	if (moved && ptr)
		uk_alloc_stats_count_free(a, moved, old);
	return count(a, moved, size);
}

static int alloc_posix_memalign(struct uk_alloc *a, void **memptr, __sz align,
				__sz size)
{
	int saved = errno;
	int rc = mi_posix_memalign(memptr, align, size);

	errno = saved;
	count(a, rc ? __NULL : *memptr, size);
	return rc;
}

static void *alloc_memalign(struct uk_alloc *a, __sz align, __sz size)
{
	if (unlikely(!POWER_OF_2(align))) {
		errno = EINVAL;
		return __NULL;
	}
	return count(a, mi_memalign(align, size), size);
}

static __sz alloc_usable(struct uk_alloc *a __unused, const void *ptr)
{
	return mi_usable_size(ptr);
}

struct uk_alloc *UKMI_INIT(void)
{
	if (ukmi_threads_start()) {
		errno = ENOMEM;
		return __NULL;
	}
	ukmi_process_start();
	mi_register_error(on_error, __NULL);
	uk_alloc_init_malloc(&allocator, alloc_malloc, alloc_calloc,
			     alloc_realloc, alloc_free, alloc_posix_memalign,
			     alloc_memalign, __NULL, __NULL, __NULL);
	allocator.usable = alloc_usable;
	return &allocator;
}

static void collect(struct __regs *regs __unused, void *user __unused)
{
	mi_collect(true);
}

void UKMI_COLLECT(struct uk_alloc *a __unused)
{
	const struct ukplat_lcpu_func func = { .fn = collect };

	/* Others first: what they let go of may be the caller's */
	if (!ukplat_lcpu_run(__NULL, __NULL, &func, 0))
		ukplat_lcpu_wait(__NULL, __NULL, 0);
	collect(__NULL, __NULL);
}

int UKMI_CHECK(void)
{
	return ukmi_api_test();
}
