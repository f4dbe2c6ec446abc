/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_CONFIG_H__
#define __UKALLOCRND_CONFIG_H__

/* Options as constants that always exist
 *
 * The only file of the library that reads CONFIG_*. A disabled bool option of
 * Kconfig is undefined; here it is 0, so that code uses plain `if` and every
 * combination is compiled.
 */

#include <uk/config.h>
#include <uk/essentials.h>

#define RND_ARG_1		      0,
#define RND_CAT_(a, b)		      a##b
#define RND_CAT(a, b)		      RND_CAT_(a, b)
#define RND_PICK(ignored, value, ...) value
/* The argument is what makes the comma: it cannot be in parentheses */
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define RND_IS1(one_or_junk)	      RND_PICK(one_or_junk 1, 0, 0)
#define RND_IS(value)		      RND_IS1(RND_CAT(RND_ARG_, value))
#define RND_ENABLED(option)	      RND_IS(option)

#define RND_OPT_GUARD_EVERY  RND_ENABLED(CONFIG_LIBUKALLOCRND_GUARD_EVERY_SLAB)
#define RND_OPT_VERIFY	     RND_ENABLED(CONFIG_LIBUKALLOCRND_VERIFY_REFILL)
#define RND_OPT_CANARY	     RND_ENABLED(CONFIG_LIBUKALLOCRND_CANARY)
#define RND_OPT_ZERO	     RND_ENABLED(CONFIG_LIBUKALLOCRND_ZERO_ON_FREE)
#define RND_OPT_WAF	     RND_ENABLED(CONFIG_LIBUKALLOCRND_WRITE_AFTER_FREE)
#define RND_OPT_QUARANTINE   RND_ENABLED(CONFIG_LIBUKALLOCRND_QUARANTINE)
#define RND_OPT_RANDOM_SLOTS RND_ENABLED(CONFIG_LIBUKALLOCRND_RANDOM_SLOTS)
#define RND_OPT_RANDOM_BASES RND_ENABLED(CONFIG_LIBUKALLOCRND_RANDOM_BASES)
#define RND_OPT_GUARD_SLABS  RND_ENABLED(CONFIG_LIBUKALLOCRND_GUARD_SLABS)
#define RND_OPT_LARGE_RANDOM RND_ENABLED(CONFIG_LIBUKALLOCRND_LARGE_RANDOM)
#define RND_OPT_LARGE_RIGHT  RND_ENABLED(CONFIG_LIBUKALLOCRND_LARGE_RIGHT)
#define RND_OPT_SAMPLE	     RND_ENABLED(CONFIG_LIBUKALLOCRND_SAMPLE)
#define RND_OPT_FAULT_REPORT RND_ENABLED(CONFIG_LIBUKALLOCRND_FAULT_REPORT)
#define RND_OPT_KIND	     RND_ENABLED(CONFIG_LIBUKALLOCRND_KIND_CHECK)
#define RND_OPT_RANDOM_VMAS  RND_ENABLED(CONFIG_LIBUKALLOCRND_VMA)
#define RND_OPT_DEBUG_LOCKS  RND_ENABLED(CONFIG_LIBUKALLOCRND_DEBUG_LOCKS)

#define RND_OPT_STATS RND_ENABLED(CONFIG_LIBUKALLOC_IFSTATS)

#if RND_OPT_QUARANTINE
#define RND_QUARANTINE_RAND_LEN CONFIG_LIBUKALLOCRND_QUARANTINE_RANDOM
#define RND_QUARANTINE_FIFO_LEN CONFIG_LIBUKALLOCRND_QUARANTINE_FIFO
#define RND_QUARANTINE_BYTES	(CONFIG_LIBUKALLOCRND_QUARANTINE_KIB * 1024UL)

/* Slots that the FIFO stage holds beyond its length, and their bytes:
 * what other CPUs free arrives in bursts, in no order
 */
#define RND_QUARANTINE_BURST_LEN   256U
#define RND_QUARANTINE_BURST_BYTES 32768U
#else
#define RND_QUARANTINE_RAND_LEN 0
#define RND_QUARANTINE_FIFO_LEN 1
#define RND_QUARANTINE_BYTES	0UL

#define RND_QUARANTINE_BURST_LEN   0U
#define RND_QUARANTINE_BURST_BYTES 0U
#endif

/* One in so many small requests is a sample; objects that are remembered */
#if RND_OPT_SAMPLE
#define RND_SAMPLE_RATE CONFIG_LIBUKALLOCRND_SAMPLE_RATE
#define RND_SAMPLE_MAX	(CONFIG_LIBUKALLOCRND_SAMPLE_MAX + 0U)
#else
#define RND_SAMPLE_RATE 1
#define RND_SAMPLE_MAX	1U
#endif

/* Slots that an allocation is drawn from at least, if memory lasts, and the
 * bytes that they may be spread over
 */
#define RND_CHOICE_LEN	 CONFIG_LIBUKALLOCRND_CHOICE
#define RND_CHOICE_BYTES (CONFIG_LIBUKALLOCRND_CHOICE_KIB * 1024UL)

/* Per-CPU states of a heap, the shared one (index 0) included */
#define RND_CPU_COUNT CONFIG_LIBUKALLOCRND_CPUS

/* Freed large objects whose addresses stay out of use */
#define RND_LARGE_QUARANTINE_LEN CONFIG_LIBUKALLOCRND_LARGE_QUARANTINE

/* Freed large objects whose pages are kept */
#define RND_PARK_BYTES (CONFIG_LIBUKALLOCRND_LARGE_PARK_KIB * 1024UL)

#define RND_CHACHA_ROUNDS CONFIG_LIBUKALLOCRND_CHACHA_ROUNDS

/* Bytes drawn from a generator before it takes fresh entropy */
#define RND_RNG_RESEED_LEN (CONFIG_LIBUKALLOCRND_RESEED_KIB * 1024UL)

UK_CTASSERT(RND_QUARANTINE_RAND_LEN <= 256);
UK_CTASSERT(!RND_QUARANTINE_RAND_LEN || POWER_OF_2(RND_QUARANTINE_RAND_LEN));
UK_CTASSERT(RND_QUARANTINE_FIFO_LEN >= 1 && RND_QUARANTINE_FIFO_LEN <= 4096);
UK_CTASSERT(RND_CHOICE_LEN >= 16 && RND_CHOICE_LEN <= 4096);
UK_CTASSERT(RND_CPU_COUNT >= 2 && RND_CPU_COUNT <= 256);
UK_CTASSERT(RND_CHACHA_ROUNDS == 8 || RND_CHACHA_ROUNDS == 12 ||
	    RND_CHACHA_ROUNDS == 20);
UK_CTASSERT(!RND_OPT_WAF || RND_OPT_ZERO);
UK_CTASSERT(!RND_OPT_SAMPLE || RND_OPT_RANDOM_SLOTS);
UK_CTASSERT(RND_SAMPLE_RATE >= 1 && RND_SAMPLE_RATE <= 1000000000);
UK_CTASSERT(RND_SAMPLE_MAX >= 1 && RND_SAMPLE_MAX <= 65536);

#endif /* __UKALLOCRND_CONFIG_H__ */
