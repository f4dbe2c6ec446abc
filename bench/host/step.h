/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __HOSTBENCH_STEP_H__
#define __HOSTBENCH_STEP_H__

/* Counting the instructions of another process by single steps
 *
 * Why
 *   A single step is exactly one instruction, on any processor and in any
 *   virtual machine. It is slow, so it is used for few operations and to check
 *   faster counters.
 *
 * How
 *   The counted thread asks to be traced and hits a breakpoint, the marker, at
 *   both ends of what is counted. A repeated string instruction traps after
 *   each repetition, at an address that does not change: it counts once, as in
 *   a processor's own counter. A system call counts once.
 */

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>

#define step_marker() __asm__ __volatile__("int3" : : : "memory")

enum step_stop {
	STEP_ENDED = -1, /* the thread is gone, or something else happened */
	STEP_DONE,	 /* one instruction */
	STEP_MARKER,
};

/* Waits for the next stop of a thread, -1: of any. *ip is the instruction at
 * which it stopped.
 */
static inline enum step_stop step_wait(pid_t *tid, const void **ip)
{
	siginfo_t info;
	int status;

	*tid = waitpid(*tid, &status, __WALL);
	if (*tid < 0 || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETSIGINFO, *tid, NULL, &info))
		return STEP_ENDED;
	*ip = info.si_addr;
	return info.si_code == SI_KERNEL ? STEP_MARKER : STEP_DONE;
}

/**
 * Lets a thread run freely to its next marker.
 *
 * @param[in,out] tid
 *   The thread; -1 waits for the first marker of any thread, without
 *   starting one, and says which it was
 */
static inline enum step_stop step_skip(pid_t *tid)
{
	const void *ip;

	/* The request is an enum in one libc, an int in another */
	if (*tid > 0)
		(void)ptrace(PTRACE_CONT, *tid, NULL, NULL);
	return step_wait(tid, &ip);
}

/** Instructions of a thread up to its next marker, or -1. */
static inline long step_count(pid_t tid)
{
	const void *ip = NULL, *before;
	enum step_stop stop;
	long n = 0;

	for (;;) {
		before = ip;
		(void)ptrace(PTRACE_SINGLESTEP, tid, NULL, NULL);
		stop = step_wait(&tid, &ip);
		if (stop == STEP_MARKER)
			return n;
		if (stop == STEP_ENDED)
			return -1;
		if (ip != before)
			n++;
	}
}

#endif /* __HOSTBENCH_STEP_H__ */
