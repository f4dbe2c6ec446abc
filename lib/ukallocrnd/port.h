/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_PORT_H__
#define __UKALLOCRND_PORT_H__

/* Everything the allocator needs from the system below it
 *
 * port_uk.c implements this on <uk/vmem.h> and the platform of the stand-alone
 * guest, unikraft/port_unikraft.c on Unikraft, host/port_host.c on Linux. No
 * other file of the library knows which of them it runs on.
 * What has to be inlined into the fast path lives in port_inline.h, of which
 * each port has its own (found through the include path).
 *
 * A port whose code is compiled without vector registers may lend them:
 * RND_PORT_LENDS_SSE is 1. It promises that xmm0 to xmm15 are switched on
 * before the first call, on every CPU and in every context from which the
 * library is called, and that whatever comes in between, interrupts, NMIs and
 * faults included, leaves them as they were: by not using them, or by putting
 * them back. The library does so, and borrows again in a handler that allocates
 * in the middle of a loan; a loan is never longer than a call, and no other
 * function of the port is called in it. Flags and rounding in MXCSR, and the
 * wider parts of the registers, are not touched. Where the registers belong to
 * the calling context by its ABI, the port says 0.
 *
 * The same holds for the wide halves of ymm0 to ymm15, and the processor has
 * AVX2 and XGETBV with 1 and none of AVX-512 switched on, if
 * rnd_port_lends_avx() is true; its value never changes.
 *
 * A page of a reservation is in one of three states:
 *
 *            reserve_at            commit              seal
 *   (none) ------------> reserved --------> committed ------> sealed
 *          <------------          <--------
 *            release               decommit
 *   moved: committed pages go to another reservation, theirs stays reserved
 *
 *   reserved   every access faults; no memory behind it
 *   committed  readable and writable, never executable; zero when committed
 *   sealed     readable only, for the rest of its life
 *
 * For all functions on memory ranges: addr and len are multiples of
 * RND_PAGE_LEN, len is not 0, and the range lies in a reservation made with
 * rnd_port_reserve_at(). All of them may be called on any CPU, with no lock
 * of rank RND_RANK_VAS or above held. None allocates from a heap.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "port_inline.h"

#define RND_PAGE_SHIFT 12
#define RND_PAGE_LEN   (1UL << RND_PAGE_SHIFT)

/**
 * Tells where reservations may be placed.
 *
 * @param[out] start
 *   Lowest usable address, page aligned, not 0
 * @param[out] end
 *   First address that is not usable any more, page aligned
 */
void rnd_port_va_range(__uptr *start, __uptr *end);

/**
 * Reserves exactly the address range [addr, addr + len). Nothing that exists
 * already is ever replaced. Every access to the range faults.
 *
 * @param addr
 *   Start, within rnd_port_va_range()
 * @param len
 *   Number of bytes
 *
 * @return
 *   - (0): Reserved
 *   - (-EEXIST): A part of the range is in use; try another address
 *   - (-ENOMEM): The system cannot make any more reservations
 */
int rnd_port_reserve_at(__uptr addr, __sz len);

/**
 * Gives a reservation, or a part of it, back: decommits what is committed
 * and frees the addresses for others. Cannot fail.
 */
void rnd_port_release(__uptr addr, __sz len);

/**
 * Backs reserved pages with zeroed memory, readable and writable. All or
 * nothing: on failure the range is reserved as before.
 *
 * @param touch
 *   The first page is going to be touched soon: a hint to ports that back pages
 *   when they are touched
 *
 * @return
 *   - (0): Committed
 *   - (-ENOMEM): No memory for the pages or for the tables that map them
 */
int rnd_port_commit(__uptr addr, __sz len, __bool touch);

/**
 * Takes the memory behind committed pages away. When the function returns no
 * CPU can reach the old contents any more, and on the calling one every access
 * faults. Another CPU may find zeros for a while, until it has come by
 * rnd_port_poll() or rnd_port_pause(); the memory is not used for anything
 * else before that, and what is written to it is found. Pages that are not
 * committed stay reserved. Cannot fail. It may wait for the other CPUs, which
 * answer also while they wait for a lock; so it may be called with interrupts
 * off and a lock of the library held.
 */
void rnd_port_decommit(__uptr addr, __sz len);

/**
 * Moves what is behind committed pages to reserved ones elsewhere, which are
 * committed then, with the contents and as rnd_port_commit() makes them. The
 * old range is reserved, every access faults. If to_len is larger than len,
 * zeroed memory follows.
 *
 * @param len
 *   Bytes to move
 * @param to_len
 *   Bytes that are committed afterwards, at least len
 *
 * @return
 *   - (0): Moved
 *   - (1): Moved, but the old range is not reserved any more: somebody else
 *     got a part of it
 *   - (-ENOTSUP): The port cannot do this, or not now; nothing changed
 */
int rnd_port_move(__uptr from, __sz len, __uptr to, __sz to_len);

/**
 * Takes back what the user may have asked the system to do with committed
 * pages, which are to serve somebody else now.
 *
 * @return
 *   1 if they are like new ones, but for their contents; 0: they are not the
 *   library's any more (a file is mapped there), and must not be written to
 */
__bool rnd_port_reset(__uptr addr, __sz len);

/* Most pages that rnd_port_backed() looks at */
#define RND_PORT_LOOK 1024UL

/**
 * Tells which pages of a committed range have memory behind them: all of them
 * if the port does not back pages when they are touched.
 *
 * @param pages
 *   Number of pages, at most RND_PORT_LOOK
 * @param[out] is_there
 *   1 or 0 for each page
 */
void rnd_port_backed(__uptr addr, __sz pages, __u8 *is_there);

/**
 * The same for few pages, in ports with RND_PORT_KNOWS_BACKED.
 *
 * @param pages
 *   Number of pages, 1 to 64
 *
 * @return
 *   A bit for each page, the lowest for the first
 */
__u64 rnd_port_backed_bits(__uptr addr, __sz pages);

/**
 * Takes the memory behind committed pages away if the system fills them again,
 * with zeros, when they are touched. They stay committed.
 *
 * @return
 *   1 if the memory is gone; 0: the system cannot do that, nothing changed
 */
__bool rnd_port_discard(__uptr addr, __sz len);

/**
 * Makes committed pages read-only for good.
 *
 * @return
 *   - (0): Sealed
 *   - (-ENOMEM): The system could not split its tables; still writable
 */
int rnd_port_seal(__uptr addr, __sz len);

/**
 * Takes memory that the user gives to a heap (addmem): the pages disappear
 * from [addr, addr + len) and the frames behind them serve later commits, so
 * that no second mapping of heap memory remains.
 *
 * @return
 *   - (0): Taken
 *   - (-ENOTSUP): The port cannot take this memory
 *   - (-EINVAL): Not mapped, or not private to the caller
 */
int rnd_port_donate(__uptr addr, __sz len);

/**
 * Takes memory that the user gives to a new heap, if it is memory that the
 * system had for all heaps. The heap then has no budget of its own. It may be
 * the first memory that there is, so this comes before anything else.
 *
 * @return
 *   - (1): Taken; it serves all commits
 *   - (0): It belongs to somebody: make the heap, then rnd_port_donate()
 *   - (<0): A negative error number: it cannot be used
 */
int rnd_port_adopt(__uptr addr, __sz len);

/**
 * Number of bytes that all commits of all users together could ever get.
 * Cheap and constant.
 */
__sz rnd_port_total(void);

/**
 * Number of bytes that commits can still get from the system, an estimate
 * that another CPU may outdate at any time.
 */
__sz rnd_port_available(void);

/**
 * Fills a buffer with seed material from the best source of the system
 * (hardware generator, operating system). Never fails: a port without a good
 * source says so loudly at boot, before it is first called.
 */
void rnd_port_entropy(void *buf, __sz len);

/**
 * Tries to give the calling context a CPU index of its own; afterwards
 * rnd_port_cpu() returns it. Called from the slow path when rnd_port_cpu()
 * is 0.
 *
 * @return
 *   An index in [1, RND_CPU_COUNT), or 0 when the context must use the
 *   shared state
 */
__u32 rnd_port_cpu_lease(void);

/**
 * Tries to get hold of a CPU index that no context has leased, so that its
 * state can be worked on by the calling context, in addition to its own.
 *
 * @return
 *   1 if nobody has the index until rnd_port_cpu_return()
 */
__bool rnd_port_cpu_borrow(__u32 idx);

/** Makes a borrowed index leasable again. */
void rnd_port_cpu_return(__u32 idx);

/**
 * Names who has a CPU index, or had it last, for reports.
 *
 * @param[out] more
 *   1 if others had it before
 *
 * @return
 *   The system's number of the thread; 0: unknown, or a port without threads
 */
__u32 rnd_port_cpu_thread(__u32 idx, __bool *more);

/**
 * Makes every other CPU that runs a context of this system execute a full
 * memory fence before the function returns (asymmetric fence: the fast paths
 * then need none of their own).
 */
void rnd_port_fence_all(void);

/**
 * Lets another context run; for waits of unknown length.
 *
 * @param turn
 *   How often the wait has called before: after some turns the context sleeps
 *   for a while, so that one with a lower priority can run, too
 */
void rnd_port_yield(unsigned int turn);

/**
 * Finds out how the calling context came here. Allocates nothing and takes no
 * lock of the library; any of them may be held.
 *
 * @param[out] buf
 *   Return addresses, the innermost one first
 * @param max
 *   How many there may be
 *
 * @return
 *   How many there are; 0 if the port cannot tell
 */
__u32 rnd_port_backtrace(__uptr *buf, __u32 max);

/**
 * Finds out which file an instruction is from, without a lock.
 *
 * @param[out] base
 *   Where the file is loaded
 *
 * @return
 *   Name of the file, or __NULL if it is not known
 */
const char *rnd_port_module(__uptr addr, __uptr *base);

/**
 * Prints text on the console or standard error, without allocating and
 * without a lock of the library.
 *
 * @param text
 *   What to print, not terminated
 * @param len
 *   Number of characters
 */
void rnd_port_print(const char *text, __sz len);

/**
 * Stops the system (guest) or the process (host: SIGABRT) for good. Called
 * once, after the report was printed.
 */
void __noreturn rnd_port_abort(void);

#endif /* __UKALLOCRND_PORT_H__ */
