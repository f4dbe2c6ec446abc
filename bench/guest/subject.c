/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <stdio.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/paging.h>

#include "probe.h"
#include "subject.h"

/* Tables of pages, and frames that only wait for other CPUs, come back first:
 * else who is measured next would get them
 */
static __sz available(const struct bench_subject *s)
{
	ukplat_page_reclaim(ukplat_pt_get_active());
	return bench_probe_available(s->ba.a);
}

/* Stops at nothing; that it gets there only with everything given back is
 * checked at the end
 */
__sz bench_subject_mapped_at(const struct bench_subject *s, __sz left)
{
	return s->base - MIN(s->base, left);
}

__sz bench_subject_mapped(const struct bench_subject *s)
{
	return bench_subject_mapped_at(s, available(s));
}

int bench_subject_begin(struct bench_subject *s)
{
	s->base = available(s) + s->held;
	if (!s->ba.renew)
		return 0;
	s->ba.a = s->ba.renew();
	return s->ba.a ? 0 : -ENOMEM;
}

int bench_subject_end(struct bench_subject *s)
{
	__sz left;

	if (s->ba.drop)
		s->ba.drop(s->ba.a);
	if (s->ba.renew)
		s->ba.a = __NULL;
	left = available(s);
	s->held = bench_subject_mapped_at(s, left);
	if (left <= s->base)
		return 0;
	printf("bench: %s has given back %lu bytes more than it had\n",
	       s->ba.name, left - s->base);
	return 1;
}
