/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_UNIKRAFT_GLUE_H__
#define __UKALLOCRND_UNIKRAFT_GLUE_H__

/* All that the port takes from Unikraft
 *
 * Unikraft renames its interfaces for CPUs and page tables from version to
 * version, and a part of them exists with some options only. glue.c is the one
 * file that knows; the rest of the port sees what is below.
 *
 * None of these functions allocates from a heap. Frames are 4 KiB. Unless it
 * says otherwise a function may be called on every CPU, with interrupts on or
 * off, and does not wait for others.
 */

#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>

/** 1: page tables and frames belong to Unikraft's paging */
#if CONFIG_PAGING
#define RND_GLUE_PAGING 1
#else
#define RND_GLUE_PAGING 0
#endif

/** 1: there may be more than one CPU */
#if CONFIG_HAVE_SMP
#define RND_GLUE_SMP  1
#define RND_GLUE_CPUS CONFIG_UKPLAT_LCPU_MAXCOUNT
#else
#define RND_GLUE_SMP  0
#define RND_GLUE_CPUS 1
#endif

#define RND_GLUE_FLAGS_IF (1UL << 9)

/* Where the index of a CPU is, from what %gs points to; glue.c tests it */
#define RND_GLUE_CPU_OFFSET 4

/** Index of the calling CPU, below RND_GLUE_CPUS. */
static inline __u32 rnd_glue_cpu(void)
{
#if RND_GLUE_SMP
	__u32 cpu;

	__asm__ __volatile__("movl %%gs:%c1, %0"
			     : "=r"(cpu)
			     : "i"(RND_GLUE_CPU_OFFSET));
	return cpu;
#else
	return 0;
#endif
}

/** Disables interrupts; the result is for rnd_glue_irq_restore(). */
static inline unsigned long rnd_glue_irq_save(void)
{
	unsigned long flags;

	__asm__ __volatile__("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

/** Enables interrupts if they were enabled before. */
static inline void rnd_glue_irq_restore(unsigned long flags)
{
	if (flags & RND_GLUE_FLAGS_IF)
		__asm__ __volatile__("sti" : : : "memory");
}

/**
 * Makes the calling CPU fit for the port's page tables: it must know pages
 * that are not executable. Every CPU, before it uses a heap.
 */
void rnd_glue_cpu_prepare(void);

/** Top level page table that the CPU uses, as an array of 512 entries. */
__u64 *rnd_glue_root(void);

/** Where the calling CPU reaches a frame: a mapping that is always there. */
void *rnd_glue_frame(__paddr_t frame);

/**
 * Makes the calling CPU forget a page, and the tables on the way to any page:
 * that is what INVLPG does, if EFER.TCE is off.
 */
void rnd_glue_forget(__uptr addr);

/** Makes the calling CPU forget all pages that are not global. */
void rnd_glue_forget_all(void);

/**
 * Takes a frame from Unikraft. Only with RND_GLUE_PAGING, under the lock of
 * frames.
 *
 * @return
 *   0, or -ENOMEM
 */
int rnd_glue_frame_get(__paddr_t *frame);

/** The same for frames that follow one another. */
int rnd_glue_frame_get_run(__sz cnt, __paddr_t *first);

/** Gives a frame back to Unikraft. As rnd_glue_frame_get(). */
void rnd_glue_frame_put(__paddr_t frame);

/** Bytes of all frames that Unikraft has, and of the free ones. */
__sz rnd_glue_frames_total(void);
__sz rnd_glue_frames_free(void);

/** Bytes of the memory that Unikraft calls free; without RND_GLUE_PAGING. */
__sz rnd_glue_regions_total(void);

/**
 * Takes memory that Unikraft mapped as heap out of its page tables, and gives
 * the frames back to it. With address spaces, Unikraft's own mappings stay out
 * of the window from then on. Context: one CPU, during boot.
 *
 * @return
 *   0, or -EINVAL if it is not such memory
 */
int rnd_glue_heap_unmap(__uptr addr, __sz len);

/**
 * True if the CPU can access an address as it is mapped now: what faulted was
 * an old state.
 */
__bool rnd_glue_is_mapped(__uptr addr, __bool is_write, __bool is_exec);

#if RND_GLUE_SMP
/** True if a CPU may remember anything: it was started and has not halted. */
__bool rnd_glue_cpu_is_started(__u32 cpu);

/**
 * Has rnd_shootdown_ack() called on another CPU by an interrupt, as soon as it
 * has interrupts enabled.
 */
void rnd_glue_cpu_interrupt(__u32 cpu);

/** The same by an NMI, if it has not. */
void rnd_glue_cpu_nmi(__u32 cpu);
#endif

/** Sets errno if there is one: not on every CPU, nor at boot. */
void rnd_glue_errno(int number);

/** Writes to the console. */
void rnd_glue_print(const char *text, __sz len);

/** Stops the system. */
void __noreturn rnd_glue_crash(void);

#endif /* __UKALLOCRND_UNIKRAFT_GLUE_H__ */
