/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* QEMU plug-in that counts the instructions of a program, by thread
 *
 * usage: qemu-x86_64 -plugin libqemu_count.so,out=FILE program
 *
 * Why
 *   Some allocators reserve more address space than valgrind has to give.
 *   QEMU's user emulation gives all of it, but is slow where a reservation is
 *   large; tests/support/hostbench_insn.py takes whichever works.
 *
 * How
 *   Each block of translated code adds the number of its instructions to the
 *   counter of the thread that executes it. A repeated string instruction
 *   counts once per repetition: the C library's long ones are avoided by a
 *   processor without ERMS (-cpu max,-erms).
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "qemu_plugin.h"

#define THREADS	  64U
#define PATH_SIZE 4096U

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API;

static uint64_t counts[THREADS];
static char path[PATH_SIZE];

static void executed(unsigned int thread, void *insns)
{
	counts[thread % THREADS] += (uintptr_t)insns;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uintptr_t insns = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_NO_REGS,
					     (void *)insns);
}

/* One line a thread, in the order in which they began */
static void ended(uint64_t id, void *arg)
{
	FILE *out = fopen(path, "w");
	unsigned int i;

	(void)id;
	(void)arg;
	if (!out)
		return;
	for (i = 0; i < THREADS && counts[i]; i++)
		(void)fprintf(out, "%lu\n", counts[i]);
	(void)fclose(out);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) ||
	    strlen(argv[0] + 4) >= PATH_SIZE)
		return -1;
	strcpy(path, argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
