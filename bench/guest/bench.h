/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_BENCH_H__
#define __GUESTBENCH_BENCH_H__

/* The benchmark: workloads, and two ways to measure them
 *
 * A workload is a function that performs operations on one allocator. It
 * knows neither clock nor console, uses nothing but <uk/alloc.h> and compiles
 * for the guest and for Linux alike. exact.c, scale.c and parallel.c run it.
 *
 * One operation is one malloc together with one free, unless the workload
 * says otherwise.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

/** CPUs that work together at most */
#define BENCH_CPUS 8U

/** What one CPU runs a workload with */
struct bench_run {
	struct uk_alloc *a;
	__sz size;	    /* of an object, bytes; 0: the workload draws it */
	__u64 seed;	    /* state of the generator; not 0 */
	unsigned long live; /* as the workload has it */
	unsigned int cpu;   /* index among those that take part */
	unsigned int cpus;
};

/* What an allocator must be able to do */
#define BENCH_NEEDS_IRQ	    0x1U /* be used by interrupt handlers */
#define BENCH_NEEDS_ENOMEM  0x2U /* fail, and not at a later touch */
#define BENCH_NEEDS_NOTHING 0x4U /* is not used at all */

struct bench_workload {
	const char *name;
	const __sz *sizes; /* ended by 0; __NULL: the workload draws them */
	unsigned int cpus_min, cpus_max;
	__bool exact;	 /* has a result on one CPU */
	__bool parallel; /* is measured in the parallel mode */
	__bool scale;	 /* is counted on several CPUs */
	unsigned int needs;
	unsigned long live; /* objects at a time or in a batch; 0: it varies */

	/**
	 * Prepares a run, on one CPU. May be __NULL.
	 *
	 * @return
	 *   0, or a negative errno if there is not enough memory
	 */
	int (*setup)(const struct bench_run *run);

	/**
	 * Performs a batch of operations, on each CPU that takes part.
	 *
	 * @return
	 *   Number of operations
	 */
	unsigned long (*batch)(struct bench_run *run);

	/** Frees all that is left, on one CPU. May be __NULL. */
	void (*teardown)(const struct bench_run *run);
};

extern const struct bench_workload bench_pair, bench_lifo, bench_fifo,
	bench_random, bench_mixed, bench_uniform_1k, bench_uniform_10k,
	bench_uniform_100k, bench_lognormal_1k, bench_lognormal_10k,
	bench_lognormal_100k, bench_larson, bench_mstress, bench_rptest,
	bench_threadtest, bench_linux_scalability, bench_cache_thrash,
	bench_cache_scratch, bench_phong, bench_grow, bench_calloc,
	bench_prodcons, bench_xmalloc_1, bench_xmalloc_32, bench_xmalloc_256,
	bench_fragment, bench_irq, bench_mmap_churn, bench_exhaust,
	bench_replay_redis, bench_replay_sqlite;

/** All workloads, ended by __NULL */
extern const struct bench_workload *const bench_workloads[];

/** Sizes for the workloads with objects of one size: 16 bytes to 4 MiB */
extern const __sz bench_sizes[];

/** Draws 53 bits. */
static inline __u64 bench_draw(struct bench_run *run)
{
	run->seed ^= run->seed << 13;
	run->seed ^= run->seed >> 7;
	run->seed ^= run->seed << 17;
	return run->seed >> 11;
}

/** Draws a number below a bound, which has at most 32 bits. */
static inline __u64 bench_below(struct bench_run *run, __u64 bound)
{
	return (bench_draw(run) & 0xffffffff) * bound >> 32;
}

/** Draws a size as programs ask for: small ones often, up to 8 KiB. */
static inline __sz bench_draw_size(struct bench_run *run)
{
	__u64 r = bench_draw(run);
	unsigned int bits = 4 + (unsigned int)__builtin_ctzl(r | 1UL << 9);

	return (1UL << bits) + ((r >> 16) & ((1UL << bits) - 1)) / 2;
}

/** Uses an object as a program would at least: writes its first word. */
static inline void bench_touch(void *ptr)
{
	*(volatile __u64 *)ptr = (__uptr)ptr;
}

/**
 * Allocates an object, writes it, frees it, again and again.
 *
 * @param pairs
 *   How often; a constant
 * @param writes
 *   How often each object is written; a constant
 *
 * @return
 *   Number of pairs, less if memory runs out
 */
static inline unsigned long
bench_pairs(struct bench_run *run, unsigned long pairs, unsigned int writes)
{
	unsigned long n;
	unsigned int i;

	for (n = 0; n < pairs; n++) {
		void *ptr = uk_malloc(run->a, run->size);

		if (unlikely(!ptr))
			return n;
		for (i = 0; i < writes; i++)
			bench_touch(ptr);
		uk_free(run->a, ptr);
	}
	return n;
}

/* The allocators under test */

struct bench_alloc {
	const char *name;
	struct uk_alloc *a;
	int (*check)(void); /* a test of its own, or __NULL */

	/* Gives back all that it has; nothing is live, other CPUs are idle.
	 * __NULL: keeps nothing anyway
	 */
	void (*drop)(struct uk_alloc *a);

	/* Makes it anew after that, with nothing from before; __NULL with errno
	 * if it cannot. __NULL: goes on as it is
	 */
	struct uk_alloc *(*renew)(void);
};

#define BENCH_ALLOCS_MAX 8U

/**
 * Starts the allocators that are wanted (references.c) and says which ones are
 * missing.
 *
 * @param max
 *   How many of the list, at most; the others do not take part
 *
 * @return
 *   0, or a negative errno; the reason is printed
 */
int bench_references_start(unsigned int max);

/** Names the references that the image was built without; their number. */
unsigned int bench_references_missing(void);

/** Name of an allocator, missing or not; __NULL behind the last number */
const char *bench_alloc_name(unsigned int i);

/** Receives the allocators that are wanted and there; returns their number. */
unsigned int bench_allocs_get(struct bench_alloc allocs[BENCH_ALLOCS_MAX]);

/**
 * Lets all CPUs exchange objects of each allocator.
 *
 * @return
 *   Exit status of the program
 */
int bench_check(void);

/** Runs the tests that references bring. Returns as bench_check(). */
int bench_check_own(void);

/** Instructions per operation; needs QEMU's -icount. */
int bench_exact(void);

/** Operations of small objects to count; fewer with the word "quick" */
unsigned long bench_ops(void);

/** The same before they are counted, on each CPU */
unsigned long bench_warm_ops(void);

/** Tells whether the word "only" names the workload, or is not there. */
int bench_is_wanted(const struct bench_workload *w);

/** Tells whether the word "alloc" names the allocator, or is not there. */
int bench_is_alloc_wanted(const char *name);

/**
 * Checks the names in both lists.
 *
 * @return
 *   - (0): All exist
 *   - (-EINVAL): One does not; it is printed, with those that do
 */
int bench_names_check(void);

/**
 * Tells why an allocator cannot take part.
 *
 * @return
 *   A sentence, or __NULL if it can
 */
const char *bench_why_not(const struct bench_workload *w,
			  const struct bench_alloc *ba);

/** Prints that an allocator does not take part. */
void bench_left_out(const struct bench_workload *w,
		    const struct bench_alloc *ba, __sz size, const char *why);

/** Tenths of an instruction that an operation of the pair takes by itself. */
__u64 bench_pair_loop(void);

/**
 * Instructions that all CPUs together execute for an operation, on 1 to
 * BENCH_CPUS CPUs; part of the exact mode.
 */
int bench_scale(const struct bench_workload *w);

/** What policies of shootdown cost; needs QEMU's -icount. */
int bench_shootdown(void);

/** Operations per second on 1 to BENCH_CPUS CPUs. */
int bench_parallel(void);

/** Receives one address of this boot, with what it is called. */
typedef void (*bench_place_func)(void *arg, const char *name, __uptr base,
				 __sz len);

/**
 * Reports addresses that are no area of the platform: stack pointers of all
 * CPUs, the top level page table, some mappings, which stay. Boot CPU only.
 */
void bench_places(bench_place_func fn, void *arg);

#endif /* __GUESTBENCH_BENCH_H__ */
