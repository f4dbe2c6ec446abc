/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "health.h"

/* A probability: man * 2^exp, where man is 0 or has its highest bit set.
 * Those of a window reach down to 2^-16384.
 */
struct num {
	__u64 man;
	int exp;
};

static struct num num_make(__u64 man, int exp)
{
	int shift;

	if (!man)
		return (struct num){ 0, 0 };
	shift = __builtin_clzl(man);
	return (struct num){ man << shift, exp - shift };
}

static struct num num_mul(struct num a, struct num b)
{
	unsigned __int128 product = (unsigned __int128)a.man * b.man;

	return num_make((__u64)(product >> 64), a.exp + b.exp + 64);
}

/* Both numbers are at most the length of a window */
static struct num num_scale(struct num a, __u32 mul, __u32 div)
{
	return num_mul(num_make(a.man / div, a.exp), num_make(mul, 0));
}

static struct num num_add(struct num a, struct num b)
{
	struct num big = a.exp > b.exp ? a : b;
	struct num small = a.exp > b.exp ? b : a;
	int gap = big.exp - small.exp;

	if (!a.man || !b.man)
		return a.man ? a : b;
	/* One bit of room for the carry */
	return num_make((big.man >> 1) +
				(gap < 63 ? small.man >> (gap + 1) : 0),
			big.exp + 1);
}

/* 2^(-eighths / 8) with 63 binary digits */
static struct num num_exp2(__u32 eighths)
{
	static const __u64 root[HEALTH_H_UNIT] = {
		0x8000000000000000UL, 0x75606373ee921c97UL,
		0x6ba27e656b4eb57aUL, 0x62b39508aa836d6fUL,
		0x5a827999fcef3242UL, 0x52ff6b54d8a89c75UL,
		0x4c1bf828c6dc54b8UL, 0x45cae0f1f545eb73UL,
	};

	return num_make(root[eighths % HEALTH_H_UNIT],
			-63 - (int)(eighths / HEALTH_H_UNIT));
}

/* 1 - num; the number is in [2^-32, 1) */
static struct num num_complement(struct num num)
{
	UK_ASSERT(num.exp <= -64 && num.exp > -127);
	return num_make((1UL << 63) - (num.man >> (-63 - num.exp)), -63);
}

__u32 health_rct_cutoff(__u32 h, __u32 alpha)
{
	UK_ASSERT(h);
	return 1 + DIV_ROUND_UP(alpha * HEALTH_H_UNIT, h);
}

/* Adds the binomial distribution up from its upper end. Each probability
 * follows from the one before:
 *
 *   P(c - 1) = P(c) * c / (n - c + 1) * (1 - p) / p
 */
__u32 health_apt_cutoff(__u32 h, __u32 alpha, __u32 window)
{
	struct num p = num_exp2(h);
	struct num odds = num_complement(p);
	struct num prob = num_exp2(h * window), tail = { 0, 0 };
	__u32 c;

	UK_ASSERT(h && h <= HEALTH_H_MAX && window);
	/* 1 / p: the root that completes p's to a whole power */
	p = num_exp2((HEALTH_H_UNIT - h % HEALTH_H_UNIT) % HEALTH_H_UNIT);
	p.exp += (int)DIV_ROUND_UP(h, HEALTH_H_UNIT);
	odds = num_mul(odds, p);

	for (c = window; c; c--) {
		tail = num_add(tail, prob);
		/* More than 2^-alpha? */
		if (tail.exp + 63 > -(int)alpha ||
		    (tail.exp + 63 == -(int)alpha && tail.man << 1))
			break;
		prob = num_mul(num_scale(prob, c, window - c + 1), odds);
	}
	return c + 1;
}

void health_init(struct health *health, __u32 h)
{
	memset(health, 0, sizeof(*health));
	health->rct_cutoff = health_rct_cutoff(h, HEALTH_ALPHA);
	health->apt_cutoff = health_apt_cutoff(h, HEALTH_ALPHA, HEALTH_WINDOW);
}

int health_feed(struct health *health, __u64 sample)
{
	if (health->rct_cnt && sample == health->rct_last)
		health->rct_cnt++;
	else
		health->rct_cnt = 1;
	health->rct_last = sample;

	if (!health->apt_pos) {
		health->apt_first = sample;
		health->apt_cnt = 0;
	}
	health->apt_cnt += sample == health->apt_first;
	health->apt_pos = (health->apt_pos + 1) % HEALTH_WINDOW;

	if (health->rct_cnt >= health->rct_cutoff ||
	    health->apt_cnt >= health->apt_cutoff)
		health->failed = 1;
	return !health->failed;
}
