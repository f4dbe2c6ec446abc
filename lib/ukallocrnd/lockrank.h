/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_LOCKRANK_H__
#define __UKALLOCRND_LOCKRANK_H__

/* The lock order of the library
 *
 * A CPU may take a lock only while every lock it holds has a smaller rank.
 * Two locks of one rank are never held together. This list is the order;
 * prose elsewhere refers to it by name.
 */
enum rnd_rank {
	RND_RANK_NONE,	 /* no lock held */
	RND_RANK_HEAPS,	 /* list of heaps */
	RND_RANK_SHARED, /* struct rnd_pcpu 0: contexts without own state */
	RND_RANK_LARGE,	 /* struct rnd_large: table of large objects */
	RND_RANK_SAMPLE, /* struct rnd_sampler: records of samples */
	RND_RANK_REGION, /* struct rnd_region: which slabs exist */
	RND_RANK_VSPACE, /* struct rnd_vspace: generator of addresses */
	RND_RANK_VAS,	 /* address space of the platform */
	RND_RANK_FRAME,	 /* frame allocator of the platform */
	RND_RANK_COUNT,	 /* statistics of ukalloc */
	RND_RANK_REPORT, /* console, taken on the way to a crash */
};

#endif /* __UKALLOCRND_LOCKRANK_H__ */
