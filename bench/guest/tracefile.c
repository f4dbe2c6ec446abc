/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/essentials.h>

#include "tracefile.h"

#define HEADER_LEN 12U

static __u32 word_at(const __u8 *p)
{
	return p[0] | (__u32)p[1] << 8 | (__u32)p[2] << 16 | (__u32)p[3] << 24;
}

int trace_open(struct trace *t, const void *file, __sz len, __u8 *alive,
	       __sz objects_max)
{
	const __u8 *p = file;

	if (len < HEADER_LEN || p[0] != 'U' || p[1] != 'K' || p[2] != 'T' ||
	    p[3] != '1')
		return -EINVAL;
	t->events = word_at(p + 4);
	t->objects = word_at(p + 8);
	if (t->objects > objects_max)
		return -E2BIG;
	t->read = 0;
	t->born = 0;
	t->alive = alive;
	lz4_init(&t->lz4, p + HEADER_LEN, len - HEADER_LEN);
	return 0;
}

/* A number of up to 32 bits */
static int number(struct trace *t, __u32 *n)
{
	unsigned int shift;
	__u64 sum = 0;

	for (shift = 0; shift < 35; shift += 7) {
		int byte = lz4_byte(&t->lz4);

		if (byte < 0)
			return -EINVAL;
		sum |= (__u64)(byte & 127) << shift;
		if (byte < 128) {
			*n = (__u32)sum;
			return sum >> 32 ? -EINVAL : 0;
		}
	}
	return -EINVAL;
}

static int birth(struct trace *t, struct trace_event *ev, __u32 n)
{
	if (t->born == t->objects || n < 4)
		return -EINVAL;
	ev->obj = t->born++;
	ev->arg = n;
	t->alive[ev->obj] = 1;
	return 1;
}

/* Free and realloc */
static int change(struct trace *t, struct trace_event *ev, __u32 n)
{
	__u32 age = n / 4, size;

	if (age >= t->born || !t->alive[t->born - 1 - age])
		return -EINVAL;
	ev->obj = t->born - 1 - age;
	if (n % 4 == TRACE_FREE) {
		ev->arg = TRACE_FREE;
		t->alive[ev->obj] = 0;
		return 1;
	}
	if (number(t, &size) || !size || size > TRACE_SIZE_MAX)
		return -EINVAL;
	ev->arg = size * 4 | TRACE_REALLOC;
	return 1;
}

int trace_next(struct trace *t, struct trace_event *ev)
{
	__u32 n;

	if (t->read == t->events) {
		if (t->born != t->objects || lz4_byte(&t->lz4) != -ENODATA)
			return -EINVAL;
		return 0;
	}
	if (number(t, &n))
		return -EINVAL;
	t->read++;
	if (n % 4 == TRACE_MALLOC || n % 4 == TRACE_CALLOC)
		return birth(t, ev, n);
	return change(t, ev, n);
}
