/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PORT_INLINE_H__
#define __UKALLOCRND_PORT_INLINE_H__

/* The inlined part of the Linux port: a CPU is a thread that leased a slot */

#include <errno.h>

#include <uk/arch/types.h>

/* 1: contexts look at rnd_world_stopped when they enter (fork) */
#define RND_PORT_CAN_STOP 1

/* A page fault is saved for every page that moves */
#define RND_PORT_MOVE_PAYS 1

/* The system would have to be asked, by a call */
#define RND_PORT_KNOWS_BACKED 0

/* The system fills pages when they are touched */
#define RND_PORT_DISCARDS 1

/* Long slots that wait fill the whole stage */
#define RND_PORT_BULK_PART 1

/* The compiler may use vector registers itself */
#define RND_PORT_LENDS_SSE 0

/* ukalloc counts for itself */
#define RND_PORT_COUNTS_RACE 0

/** Sets errno, where the calling context has one */
static inline void rnd_port_errno(int number)
{
	errno = number;
}

/* Large objects with guards: three areas each, of 65,530 in all */
#define RND_PORT_GUARDED_MAX 8192U

/* ThreadSanitizer leaves 1.5 TiB to its programs: regions of 512 MiB */
#if defined(__SANITIZE_THREAD__)
#define RND_PORT_WINDOW_SHIFT 30
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RND_PORT_WINDOW_SHIFT 30
#endif
#endif

/* Storage class of a variable that every context has for itself. Initial-exec:
 * the library is loaded with the program, and the access is one instruction.
 */
#define RND_PORT_PER_CONTEXT __thread __attribute__((tls_model("initial-exec")))

/* 0: this thread uses the shared state. Initial-exec: the library is loaded
 * with the program, and the access is one instruction.
 */
extern __thread __u32 rnd_host_cpu __attribute__((tls_model("initial-exec")));

/* State of that index in the heap of the process, or RND_PCPU_NONE: a copy
 * that saves the fast paths a look into the heap. Set by the preloaded
 * library, reset when the index is given back.
 */
struct rnd_pcpu;
extern __thread struct rnd_pcpu *rnd_host_pcpu
	__attribute__((tls_model("initial-exec")));

/** Index of the calling context's per-CPU state; 0 is the shared one. */
static inline __u32 rnd_port_cpu(void)
{
	return rnd_host_cpu;
}

/** A word that no other thread has, not 0. */
static inline __uptr rnd_port_context(void)
{
	return (__uptr) & rnd_host_cpu;
}

/* A snapshot of a process is fork(). A test may say otherwise */
#ifndef RND_PORT_HAS_EPOCH
#define RND_PORT_HAS_EPOCH 0
#endif

#if RND_PORT_HAS_EPOCH
__u32 rnd_port_epoch(void);
#else
static inline __u32 rnd_port_epoch(void)
{
	return 0;
}
#endif

/* The system sees to TLBs */
static inline void rnd_port_poll(void) {}

/** Tells the CPU that it waits for another one. */
static inline void rnd_port_pause(void)
{
	__builtin_ia32_pause();
}

/* No interrupts here */
static inline unsigned long rnd_port_irq_save(void)
{
	return 0;
}

static inline void rnd_port_irq_restore(unsigned long flags)
{
	(void)flags;
}

#endif /* __UKALLOCRND_PORT_INLINE_H__ */
