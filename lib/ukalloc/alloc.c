/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Registry of allocators
 *
 * A singly linked list whose head is the default allocator. Writers hold the
 * lock; readers follow the links without it, so a link is published only when
 * what it leads to is complete.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>
#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

struct uk_alloc *_uk_alloc_head;

static struct uk_spinlock registry_lock = UK_SPINLOCK_INITIALIZER();

/* Finds the link that leads to `a`, or the last one; under the lock */
static struct uk_alloc **registry_find(const struct uk_alloc *a)
{
	struct uk_alloc **link = &_uk_alloc_head;

	while (*link && *link != a)
		link = &(*link)->next;

	return link;
}

/* Sets a link for readers without the lock; under the lock */
static void registry_publish(struct uk_alloc **link, struct uk_alloc *a)
{
	/* Release: pairs with the acquire in uk_alloc_next() */
	__atomic_store_n(link, a, __ATOMIC_RELEASE);
}

static __bool alloc_is_complete(const struct uk_alloc *a)
{
	return a->malloc && a->calloc && a->realloc && a->posix_memalign &&
	       a->memalign && a->free && (!a->palloc || a->pfree);
}

int uk_alloc_register(struct uk_alloc *a)
{
	struct uk_alloc **link;
	unsigned long flags;
	int rc = -EEXIST;

	UK_ASSERT(a);

	if (unlikely(!alloc_is_complete(a)))
		return -EINVAL;

	flags = uk_spin_lock_irqsave(&registry_lock);
	link = registry_find(a);
	if (!*link) {
		a->next = __NULL;
		registry_publish(link, a);
		rc = 0;
	}
	uk_spin_unlock_irqrestore(&registry_lock, flags);
	return rc;
}

int uk_alloc_unregister(struct uk_alloc *a)
{
	struct uk_alloc **link;
	unsigned long flags;
	int rc = -ENOENT;

	UK_ASSERT(a);

	flags = uk_spin_lock_irqsave(&registry_lock);
	link = registry_find(a);
	if (*link) {
		registry_publish(link, a->next);
		rc = 0;
	}
	uk_spin_unlock_irqrestore(&registry_lock, flags);
	return rc;
}

int uk_alloc_set_default(struct uk_alloc *a)
{
	struct uk_alloc **link;
	unsigned long flags;
	int rc = -ENOENT;

	UK_ASSERT(a);

	flags = uk_spin_lock_irqsave(&registry_lock);
	link = registry_find(a);
	if (*link) {
		/* A reader that is at `a` now sees some allocators twice, but
		 * comes to the end: from the head on the list is acyclic in
		 * each of these steps.
		 */
		if (link != &_uk_alloc_head) {
			registry_publish(link, a->next);
			registry_publish(&a->next, _uk_alloc_head);
			registry_publish(&_uk_alloc_head, a);
		}
		rc = 0;
	}
	uk_spin_unlock_irqrestore(&registry_lock, flags);
	return rc;
}

__sz uk_alloc_availmem_total(void)
{
	struct uk_alloc *a;
	__sz total = 0;

	uk_alloc_foreach(a)
		total += (__sz)MAX(uk_alloc_availmem(a), 0L);

	return total;
}

unsigned long uk_alloc_pavailmem_total(void)
{
	struct uk_alloc *a;
	unsigned long total = 0;

	uk_alloc_foreach(a)
		total += (unsigned long)MAX(uk_alloc_pavailmem(a), 0L);

	return total;
}
