/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Accesses that fault
 *
 * A handler of SIGSEGV, installed with the heap, reports those that hit a
 * guard or freed memory. The process then ends as it would have without, by
 * the signal. Whatever else faults goes to whoever handled the signal before;
 * a program that installs a handler of its own later replaces this one.
 */

#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "fault.h"
#include "host.h"
#include "port.h"

/* Bit of the page fault's error code: SDM 3A 4.7 */
#define FAULT_WRITE 2

/* (c) Whoever handled the signal before */
static struct sigaction fault_before;

/* Lets the instruction fault again, or the sender's signal come again, with
 * the default action
 */
static void fault_default(int sig, const siginfo_t *info)
{
	struct sigaction dfl;

	memset(&dfl, 0, sizeof(dfl));
	dfl.sa_handler = SIG_DFL;
	sigaction(sig, &dfl, NULL);
	if (info->si_code <= 0)
		(void)raise(sig);
}

static void fault_pass_on(int sig, siginfo_t *info, void *context)
{
	if (fault_before.sa_flags & SA_SIGINFO)
		fault_before.sa_sigaction(sig, info, context);
	else if (fault_before.sa_handler != SIG_DFL &&
		 fault_before.sa_handler != SIG_IGN)
		fault_before.sa_handler(sig);
	else if (fault_before.sa_handler == SIG_DFL || info->si_code > 0)
		/* A fault cannot be ignored */
		fault_default(sig, info);
}

static void fault_handler(int sig, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct rnd_fault f = {
		.addr = (__uptr)info->si_addr,
		.caller = (__uptr)regs[REG_RIP],
		.access = regs[REG_ERR] & FAULT_WRITE ? "write" : "read",
	};

	/* Sent by a process, not by the processor; or no canonical address */
	if (info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR)
		if (rnd_fault_report(&f)) {
			fault_default(sig, info);
			return;
		}

	fault_pass_on(sig, info, context);
}

void rnd_host_fault_init(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = fault_handler;
	/* Not SA_NODEFER: a fault in here ends the process */
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &fault_before);
}
