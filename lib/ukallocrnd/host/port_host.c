/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The Linux port: console, end of the process, fences, limits
 *
 * The C library is used for constants only. Everything here works before
 * constructors run and inside a crashing process.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atomic.h"
#include "port.h"
#include "sys.h"

/* Below 4 GiB live non-PIE programs, their heaps (brk) and MAP_32BIT users;
 * the stack starts at a random place in the top 16 GiB and grows down from
 * there, so the top 64 GiB are left alone. ThreadSanitizer knows the
 * shadow of a few ranges only; the highest one is used.
 */
#ifdef __SANITIZE_THREAD__
#define HOST_VA_START 0x7e8000000000UL
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HOST_VA_START 0x7e8000000000UL
#endif
#endif
#ifndef HOST_VA_START
#define HOST_VA_START 0x000100000000UL
#endif
#define HOST_VA_END 0x7ff000000000UL

/* Yields to a reader of a pipe that is full */
#define HOST_PRINT_TRIES 200U

/* Size of the kernel's signal set */
#define HOST_SIGSET_LEN 8

/* The kernel's struct sigaction, which is not libc's */
struct host_sigaction {
	void (*handler)(int sig);
	unsigned long flags;
	void (*restorer)(void);
	__u64 mask;
};

/* The kernel's struct sysinfo; <sys/sysinfo.h> brings types of the same names
 * as ours
 */
struct host_sysinfo {
	long uptime;
	__u64 loads[3];
	__u64 total_ram, free_ram, shared_ram, buffer_ram;
	__u64 total_swap, free_swap;
	__u16 procs, pad[3];
	__u64 total_high, free_high;
	__u32 unit;
	__u32 tail;
};

UK_CTASSERT(sizeof(struct host_sysinfo) == 112);

/* Commands of membarrier() */
#define HOST_MEMBARRIER_PRIVATE		 (1U << 3)
#define HOST_MEMBARRIER_REGISTER_PRIVATE (1U << 4)

/* Calls of rnd_port_yield() in one wait before it sleeps, and how long it does,
 * longer each time: from 50 microseconds to a millisecond
 */
#define HOST_YIELD_TURNS 32U
#define HOST_SLEEP_NSEC	 50000L

struct host_timespec {
	long sec, nsec;
};

/* A page whose protection is changed when there is no membarrier() */
static __u8 host_fence_page[RND_PAGE_LEN] __align(RND_PAGE_LEN);
static __u32 host_fence_lock;

void rnd_port_va_range(__uptr *start, __uptr *end)
{
	*start = HOST_VA_START;
	*end = HOST_VA_END;
}

void rnd_port_print(const char *text, __sz len)
{
	unsigned int tries = HOST_PRINT_TRIES;
	long rc;

	while (len) {
		rc = rnd_sys3(SYS_write, STDERR_FILENO, (__uptr)text, len);
		if (rc == -EINTR)
			continue;
		/* Standard error is a full, non-blocking pipe: somebody may
		 * read it, but not for ever
		 */
		if (rc == -EAGAIN && tries--) {
			rnd_port_yield(HOST_PRINT_TRIES - tries);
			continue;
		}
		if (rc <= 0)
			return;
		text += rc;
		len -= (__sz)rc;
	}
}

void __noreturn rnd_port_abort(void)
{
	const struct host_sigaction dfl = { .handler = SIG_DFL };
	const __u64 mask = 1UL << (SIGABRT - 1);
	__uptr pid = (__uptr)rnd_sys0(SYS_getpid);

	/* A handler of the program would run on a heap known to be broken */
	for (;;) {
		rnd_sys4(SYS_rt_sigaction, SIGABRT, (__uptr) & dfl, 0,
			 HOST_SIGSET_LEN);
		rnd_sys4(SYS_rt_sigprocmask, SIG_UNBLOCK, (__uptr) & mask, 0,
			 HOST_SIGSET_LEN);
		rnd_sys3(SYS_tgkill, pid, (__uptr)rnd_sys0(SYS_gettid),
			 SIGABRT);
		/* Only a process 1 of a container gets here: it ignores
		 * signals with default action
		 */
		rnd_sys1(SYS_exit_group, 128 + SIGABRT);
	}
}

/* A thread with a real-time priority never lets others run by yielding */
void rnd_port_yield(unsigned int turn)
{
	struct host_timespec time = { .sec = 0 };

	if (turn < HOST_YIELD_TURNS) {
		rnd_sys0(SYS_sched_yield);
		return;
	}
	time.nsec = HOST_SLEEP_NSEC * MIN(turn - HOST_YIELD_TURNS + 1U, 20U);
	rnd_sys3(SYS_nanosleep, (__uptr) & time, 0, 0);
}

/* Withdrawing the write permission of a page in use makes the kernel send an
 * interrupt to every CPU that runs a thread of this process, which is a full
 * fence there. Not on kernels with TLB broadcast (AMD, since Linux 6.15),
 * all of which have membarrier(): this serves old kernels only.
 */
static void host_fence_by_protection(void)
{
	unsigned int turn = 0;

	while (rnd_xchg_acquire(&host_fence_lock, 1))
		rnd_port_yield(turn++);

	rnd_sys3(SYS_mprotect, (__uptr)host_fence_page, RND_PAGE_LEN,
		 PROT_READ | PROT_WRITE);
	rnd_add_relaxed(&host_fence_page[0], 1);
	rnd_sys3(SYS_mprotect, (__uptr)host_fence_page, RND_PAGE_LEN,
		 PROT_READ);

	/* Release: the page is ours. Pairs with the acquire above */
	rnd_store_release(&host_fence_lock, 0);
}

void rnd_port_fence_all(void)
{
	long rc;

	rc = rnd_sys3(SYS_membarrier, HOST_MEMBARRIER_PRIVATE, 0, 0);
	if (unlikely(rc == -EPERM)) {
		/* First call in this process */
		rnd_sys3(SYS_membarrier, HOST_MEMBARRIER_REGISTER_PRIVATE, 0,
			 0);
		rc = rnd_sys3(SYS_membarrier, HOST_MEMBARRIER_PRIVATE, 0, 0);
	}
	if (unlikely(rc))
		host_fence_by_protection();
}

/* Value in bytes of a line "<key>  <number> kB", 0 if it is not there */
static __sz host_kib_field(const char *text, __sz len, const char *key)
{
	__sz i, k = 0, kib = 0;

	for (i = 0; i < len; i++) {
		for (k = 0; key[k] && i + k < len; k++)
			if (text[i + k] != key[k])
				break;
		if (!key[k])
			break;
	}
	for (i += k; i < len && text[i] == ' '; i++)
		;
	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		kib = kib * 10 + (__sz)(text[i] - '0');
	return kib * 1024;
}

__sz rnd_port_total(void)
{
	struct host_sysinfo info = { 0 };

	/* Without an answer, whatever is asked for is tried */
	if (rnd_sys1(SYS_sysinfo, (__uptr) & info))
		return __SZ_MAX;
	return (info.total_ram + info.total_swap) * info.unit;
}

__sz rnd_port_available(void)
{
	struct host_sysinfo info = { 0 };
	char text[1024] = { 0 };
	long fd, len = 0;
	__sz avail = 0;

	/* The kernel's estimate counts the page cache, sysinfo() does not */
	fd = rnd_sys3(SYS_open, (__uptr) "/proc/meminfo", O_RDONLY | O_CLOEXEC,
		      0);
	if (fd >= 0) {
		len = rnd_sys3(SYS_read, (__uptr)fd, (__uptr)text,
			       sizeof(text));
		rnd_sys1(SYS_close, (__uptr)fd);
	}
	if (len > 0)
		avail = host_kib_field(text, (__sz)len, "MemAvailable:");

	if (rnd_sys1(SYS_sysinfo, (__uptr) & info))
		return avail;
	if (!avail)
		avail = (info.free_ram + info.buffer_ram) * info.unit;
	return avail + info.free_swap * info.unit;
}
