/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of report.c: every word of every report
 *
 * A report ends the process, so each one is made by a child whose port writes
 * to a pipe.
 *
 * links: lib/ukallocrnd/format.c
 */

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "port.h"
#include "report.h"

#define EXIT_ABORTED 33
#define THREADS	     4

__thread __u32 rnd_host_cpu;

static int pipe_fds[2];
static char output[4096];

/* What else the console of the child does with each line */
static enum {
	PRINT_ONLY,
	PRINT_YIELD,
	PRINT_REPORT
} print_mode;
static const struct rnd_bug_info *print_info;

void rnd_port_print(const char *text, __sz len)
{
	if (write(pipe_fds[1], text, len) != (ssize_t)len)
		_exit(1);
	if (print_mode == PRINT_YIELD)
		sched_yield();
	else if (print_mode == PRINT_REPORT)
		rnd_report(print_info);
}

const char *rnd_port_module(__uptr addr, __uptr *base)
{
	*base = 0x1000;
	return addr < *base ? NULL : "fake";
}

/* Index 2 has a thread, index 3 had several, the others are unknown */
__u32 rnd_port_cpu_thread(__u32 idx, __bool *more)
{
	*more = idx == 3;
	return idx == 2 || idx == 3 ? 4700 + idx : 0;
}

void __noreturn rnd_port_abort(void)
{
	_exit(EXIT_ABORTED);
}

/* Runs fn(info) in a child that has to abort; output has what it printed */
static void run_child(void (*fn)(const struct rnd_bug_info *info),
		      const struct rnd_bug_info *info)
{
	size_t len = 0;
	ssize_t n;
	pid_t pid;
	int status;

	assert_int_equal(0, pipe(pipe_fds));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		alarm(30);
		fn(info);
		_exit(1);
	}

	close(pipe_fds[1]);
	while ((n = read(pipe_fds[0], output + len, sizeof(output) - 1 - len)) >
	       0)
		len += (size_t)n;
	output[len] = 0;
	close(pipe_fds[0]);

	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFEXITED(status));
	assert_int_equal(EXIT_ABORTED, WEXITSTATUS(status));
}

static void child_report(const struct rnd_bug_info *info)
{
	rnd_report(info);
}

static void assert_report(const char *expected, const struct rnd_bug_info *info)
{
	run_child(child_report, info);
	assert_string_equal(expected, output);
}

static void report_names_every_bug(void **state)
{
	static const char *const names[] = {
		"invalid free",
		"misaligned free",
		"interior free",
		"double free",
		"free of unallocated memory",
		"size mismatch",
		"kind mismatch",
		"overflow",
		"underflow",
		"use after free",
		"wild access",
		"write after free",
		"metadata corrupted",
	};
	struct rnd_bug_info info = { .ptr = (void *)0x7f1234 };
	char line[100];
	unsigned int i;

	(void)state;
	assert_int_equal(RND_BUG_COUNT, ARRAY_SIZE(names));
	for (i = 0; i < RND_BUG_COUNT; i++) {
		info.bug = (enum rnd_bug)i;
		run_child(child_report, &info);
		(void)snprintf(line, sizeof(line),
			       "ukallocrnd: BUG: %s: ptr=0x7f1234 class=none "
			       "caller=0x0\n",
			       names[i]);
		assert_memory_equal(line, output, strlen(line));
	}
}

static void report_tells_accesses_and_traces(void **state)
{
	const struct rnd_trace allocated = { .cpu = 2,
					     .cnt = 2,
					     .frame = { 0x1234, 0x10 } };
	const struct rnd_trace freed = { .cnt = 1, .frame = { 0x2000 } };
	struct rnd_bug_info info = {
		.bug = RND_BUG_USE_AFTER_FREE,
		.ptr = (void *)0x7f1234,
		.caller = 0x401000,
		.is_large = 1,
		.is_sampled = 1,
		.has_req = 1,
		.req = 20,
		.at = (void *)0x7f1238,
		.access = "read",
		.allocated = &allocated,
		.freed = &freed,
		.has_cpu = 1,
		.cpu = 5,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: use after free: ptr=0x7f1234 "
		      "class=sampled caller=0x401000\n"
		      "  requested size 20\n"
		      "  read of 0x7f1238\n"
		      "  that is 4 bytes inside the object at 0x7f1234, size "
		      "20\n"
		      "  allocated by CPU 1 (thread 4702):\n"
		      "    at 0x1234 (fake+0x234)\n"
		      "    at 0x10\n"
		      "  freed by a CPU without a state of its own:\n"
		      "    at 0x2000 (fake+0x1000)\n",
		      &info);
}

static void report_tells_what_was_accessed(void **state)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_OVERFLOW,
		.ptr = (void *)0x7f1234,
		.caller = 0x401000,
		.is_large = 1,
		.has_req = 1,
		.req = 20,
		.at = (void *)0x7f1248,
		.access = "write",
	};

	(void)state;
	assert_report("ukallocrnd: BUG: overflow: ptr=0x7f1234 class=large "
		      "caller=0x401000\n"
		      "  requested size 20\n"
		      "  write of 0x7f1248\n"
		      "  that is 0 bytes after the object at 0x7f1234, size "
		      "20\n",
		      &info);
	info.at = (void *)0x7f1230;
	info.bug = RND_BUG_UNDERFLOW;
	assert_report("ukallocrnd: BUG: underflow: ptr=0x7f1234 class=large "
		      "caller=0x401000\n"
		      "  requested size 20\n"
		      "  write of 0x7f1230\n"
		      "  that is 4 bytes before the object at 0x7f1234, size "
		      "20\n",
		      &info);
	info.has_req = 0;
	info.is_large = 0;
	info.slot_len = 16;
	info.at = (void *)0x7f1235;
	info.bug = RND_BUG_USE_AFTER_FREE;
	assert_report("ukallocrnd: BUG: use after free: ptr=0x7f1234 class=16 "
		      "caller=0x401000\n"
		      "  write of 0x7f1235\n"
		      "  that is 1 byte inside the slot at 0x7f1234, size 16\n",
		      &info);
	info.bug = RND_BUG_WILD_ACCESS;
	assert_report("ukallocrnd: BUG: wild access: ptr=0x7f1234 class=16 "
		      "caller=0x401000\n"
		      "  write of 0x7f1235\n",
		      &info);
}

static void report_names_the_class(void **state)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_DOUBLE_FREE,
		.ptr = (void *)0x7f1234,
		.caller = 0x401000,
		.slot_len = 80,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: double free: ptr=0x7f1234 class=80 "
		      "caller=0x401000\n",
		      &info);
	info.is_large = 1;
	assert_report("ukallocrnd: BUG: double free: ptr=0x7f1234 class=large "
		      "caller=0x401000\n",
		      &info);
}

static void report_tells_who_freed_first(void **state)
{
	const struct rnd_bug_info info = {
		.bug = RND_BUG_DOUBLE_FREE,
		.op = "free",
		.ptr = (void *)0x1000,
		.slot_len = 16,
		.has_cpu = 1,
		.cpu = 1,
		.where = "in quarantine",
	};

	(void)state;
	assert_report("ukallocrnd: BUG: double free: ptr=0x1000 class=16 "
		      "caller=0x0\n"
		      "  found by free()\n"
		      "  freed by CPU 0\n"
		      "  it is in quarantine\n",
		      &info);
}

static void report_tells_which_thread_freed(void **state)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_DOUBLE_FREE,
		.ptr = (void *)0x1000,
		.slot_len = 16,
		.has_cpu = 1,
		.cpu = 2,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: double free: ptr=0x1000 class=16 "
		      "caller=0x0\n"
		      "  freed by CPU 1 (thread 4702)\n",
		      &info);
	info.cpu = 3;
	assert_report("ukallocrnd: BUG: double free: ptr=0x1000 class=16 "
		      "caller=0x0\n"
		      "  freed by CPU 2 (thread 4703 or an earlier one)\n",
		      &info);
}

static void report_tells_when_no_cpu_of_its_own_freed(void **state)
{
	const struct rnd_bug_info info = {
		.bug = RND_BUG_DOUBLE_FREE,
		.op = "free",
		.ptr = (void *)0x1000,
		.slot_len = 16,
		.has_cpu = 1,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: double free: ptr=0x1000 class=16 "
		      "caller=0x0\n"
		      "  found by free()\n"
		      "  freed by a CPU without a state of its own\n",
		      &info);
}

static void report_tells_sizes_that_differ(void **state)
{
	const struct rnd_bug_info info = {
		.bug = RND_BUG_SIZE_MISMATCH,
		.ptr = (void *)0x1000,
		.has_req = 1,
		.req = 40,
		.given = 48,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: size mismatch: ptr=0x1000 class=none "
		      "caller=0x0\n"
		      "  size passed 48, requested 40\n",
		      &info);
}

static void report_tells_kinds_that_differ(void **state)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_KIND_MISMATCH,
		.ptr = (void *)0x1000,
		.has_req = 1,
		.given = 2,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: kind mismatch: ptr=0x1000 class=none "
		      "caller=0x0\n"
		      "  freed as if from new[]\n"
		      "  requested size 0\n",
		      &info);
	info.given = 4;
	assert_report("ukallocrnd: BUG: kind mismatch: ptr=0x1000 class=none "
		      "caller=0x0\n"
		      "  requested size 0\n",
		      &info);
}

/* An object of 40 bytes at 0x1000, seen from different pointers */
static void assert_nearest(const char *expected, __uptr ptr)
{
	const struct rnd_bug_info info = {
		.bug = RND_BUG_INTERIOR_FREE,
		.ptr = (void *)ptr,
		.slot_len = 48,
		.has_req = 1,
		.req = 40,
		.obj = (void *)0x1000,
	};
	const char *detail;

	run_child(child_report, &info);
	detail = strstr(output, "  requested size 40\n");
	assert_non_null(detail);
	assert_string_equal(expected, detail + strlen("  requested size 40\n"));
}

static void report_tells_the_distance_of_the_nearest_object(void **state)
{
	(void)state;
	assert_nearest("  12 bytes inside the object at 0x1000, size 40\n",
		       0x100c);
	assert_nearest("  39 bytes inside the object at 0x1000, size 40\n",
		       0x1027);
	assert_nearest("  0 bytes after the object at 0x1000, size 40\n",
		       0x1028);
	assert_nearest("  8 bytes after the object at 0x1000, size 40\n",
		       0x1030);
	assert_nearest("  1 byte before the object at 0x1000, size 40\n",
		       0xfff);
	assert_nearest("", 0x1000);
}

static void report_tells_the_first_changed_byte(void **state)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_OVERFLOW,
		.ptr = (void *)0x1000,
		.slot_len = 48,
		.bad = (void *)0x1029,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: overflow: ptr=0x1000 class=48 "
		      "caller=0x0\n"
		      "  first changed byte: offset 41\n",
		      &info);
	info.obj = (void *)0x1020;
	run_child(child_report, &info);
	assert_non_null(strstr(output, "  first changed byte: offset 9\n"));
}

static void report_tells_what_else_is_near(void **state)
{
	struct rnd_bug_info info = {
		.bug = RND_BUG_UNALLOCATED_FREE,
		.ptr = (void *)0x1030,
		.slot_len = 48,
		.near = (void *)0x1000,
		.near_req = 40,
	};

	(void)state;
	assert_report("ukallocrnd: BUG: free of unallocated memory: "
		      "ptr=0x1030 class=48 caller=0x0\n"
		      "  8 bytes after the object at 0x1000, size 40\n",
		      &info);
	info.obj = (void *)0x1020;
	assert_report("ukallocrnd: BUG: free of unallocated memory: "
		      "ptr=0x1030 class=48 caller=0x0\n"
		      "  16 bytes inside the slot at 0x1020, size 48\n"
		      "  8 bytes after the object at 0x1000, size 40\n",
		      &info);
	info.obj = NULL;
	info.bad = (void *)0x105f;
	info.near = (void *)0x1060;
	assert_report("ukallocrnd: BUG: free of unallocated memory: "
		      "ptr=0x1030 class=48 caller=0x0\n"
		      "  first changed byte: offset 47\n"
		      "  that is 1 byte before the object at 0x1060, size 40\n",
		      &info);
}

static void *thread_report(void *info)
{
	static __u32 cpus;

	rnd_host_cpu = __atomic_fetch_add(&cpus, 1, __ATOMIC_RELAXED);
	rnd_report(info);
	return NULL;
}

static void child_report_threads(const struct rnd_bug_info *info)
{
	struct rnd_bug_info copy = *info;
	pthread_t threads[THREADS];
	unsigned int i;

	print_mode = PRINT_YIELD;
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread_report, &copy))
			_exit(1);
	for (;;)
		pause();
}

static void report_is_printed_once_if_many_cpus_report(void **state)
{
	const struct rnd_bug_info info = {
		.bug = RND_BUG_OVERFLOW,
		.op = "free",
		.ptr = (void *)0x1000,
		.where = "quarantine",
	};

	(void)state;
	run_child(child_report_threads, &info);
	assert_string_equal("ukallocrnd: BUG: overflow: ptr=0x1000 class=none "
			    "caller=0x0\n"
			    "  found by free()\n"
			    "  it is quarantine\n",
			    output);
}

static void child_report_nested(const struct rnd_bug_info *info)
{
	rnd_host_cpu = 3;
	print_mode = PRINT_REPORT;
	print_info = info;
	rnd_report(info);
}

static void report_within_a_report_stops_at_once(void **state)
{
	const struct rnd_bug_info info = { .bug = RND_BUG_METADATA };

	(void)state;
	run_child(child_report_nested, &info);
	assert_string_equal("ukallocrnd: BUG: metadata corrupted: ptr=0x0 "
			    "class=none caller=0x0\n",
			    output);
}

static void child_print_long(const struct rnd_bug_info *info)
{
	static char line[400];

	(void)info;
	memset(line, 'x', sizeof(line) - 1);
	rnd_print("%s", line);
	rnd_port_abort();
}

static void print_cuts_long_lines(void **state)
{
	(void)state;
	run_child(child_print_long, NULL);
	assert_int_equal(255, strlen(output));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_names_every_bug),
		cmocka_unit_test(report_tells_accesses_and_traces),
		cmocka_unit_test(report_tells_what_was_accessed),
		cmocka_unit_test(report_names_the_class),
		cmocka_unit_test(report_tells_who_freed_first),
		cmocka_unit_test(report_tells_which_thread_freed),
		cmocka_unit_test(report_tells_when_no_cpu_of_its_own_freed),
		cmocka_unit_test(report_tells_sizes_that_differ),
		cmocka_unit_test(report_tells_kinds_that_differ),
		cmocka_unit_test(
			report_tells_the_distance_of_the_nearest_object),
		cmocka_unit_test(report_tells_the_first_changed_byte),
		cmocka_unit_test(report_tells_what_else_is_near),
		cmocka_unit_test(report_is_printed_once_if_many_cpus_report),
		cmocka_unit_test(report_within_a_report_stops_at_once),
		cmocka_unit_test(print_cuts_long_lines),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
