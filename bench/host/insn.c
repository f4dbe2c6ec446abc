/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Runs a workload whose instructions are counted
 *
 * usage: insn [-l] workload size warm-up operations
 *        insn [-l] -s 0|1 workload size warm-up operations
 *
 * The first form is for a counter outside (tests/support/hostbench_insn.py),
 * which runs it twice, with different numbers of operations: what the runs
 * have in common, start and warm-up, is no part of the difference. -l leaves
 * the calls out.
 *
 * With -s the program steps through the operations itself, those of side 0
 * (which allocates, or does both) or 1, and prints how many instructions they
 * have. The warm-up runs freely.
 */

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "insn.h"
#include "step.h"

static const struct insn_workload *const workloads[] = {
	&insn_pair,  &insn_calloc, &insn_lifo,	  &insn_random,
	&insn_churn, &insn_mixed,  &insn_xthread,
};

/* The side that is stepped through; -1 outside of the counted operations */
static volatile int stepped = -1;

void insn_mark(enum insn_side side)
{
	static bool is_traced;

	if (stepped != (int)side)
		return;
	if (!is_traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		host_fail("cannot be traced");
	is_traced = true;
	step_marker();
}

static void run(void (*work)(unsigned long ops), int side, unsigned long warm,
		unsigned long ops)
{
	work(warm);
	stepped = side;
	/* xthread marks the turns of its sides itself */
	if (work != insn_xthread.real && work != insn_xthread.loop)
		insn_mark(INSN_PRODUCER);
	work(ops);
	if (work != insn_xthread.real && work != insn_xthread.loop)
		insn_mark(INSN_PRODUCER);
}

/* Sums what the child does between its odd and its even markers */
static long count(void)
{
	long sum = 0, n;
	pid_t tid = -1;

	while (step_skip(&tid) == STEP_MARKER) {
		n = step_count(tid);
		if (n < 0)
			host_fail("the child died");
		sum += n;
	}
	return sum;
}

/* One CPU for both: a step is then two switches, not two wake-ups afar */
static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)sched_getcpu(), &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static const struct insn_workload *find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (!strcmp(workloads[i]->name, name))
			return workloads[i];
	}
	host_fail("there is no such workload");
}

int main(int argc, char *argv[])
{
	const struct insn_workload *chosen;
	unsigned long warm, ops;
	void (*work)(unsigned long);
	bool is_loop = false;
	int option, side = -1;
	pid_t pid;

	while ((option = getopt(argc, argv, "ls:")) != -1) {
		if (option == 'l')
			is_loop = true;
		else if (option == 's')
			side = *optarg - '0';
		else
			return EXIT_FAILURE;
	}
	if (argc - optind != 4)
		host_fail("wanted: workload size warm-up operations");
	chosen = find(argv[optind]);
	insn_size = host_arg(argc, argv, optind + 1, 0);
	warm = host_arg(argc, argv, optind + 2, 0);
	ops = host_arg(argc, argv, optind + 3, 0);
	work = is_loop ? chosen->loop : chosen->real;

	if (side < 0) {
		run(work, side, warm, ops);
		return EXIT_SUCCESS;
	}
	pin();
	pid = fork();
	if (pid == 0) {
		run(work, side, warm, ops);
		_exit(EXIT_SUCCESS);
	}
	printf("{\"instructions\":%ld}\n", count());
	return EXIT_SUCCESS;
}
