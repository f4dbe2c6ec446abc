/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* QEMU plug-in that counts locked operations and changes of the interrupt
 * flag between marks of the guest
 *
 * usage: qemu-system-x86_64 -plugin libqemu_events.so,out=FILE ...
 *
 * Why
 *   A locked operation waits for the cache line, and the CPU for all stores
 *   before it; an instruction count does not show that. Both kinds tell how
 *   much of an allocator's fast path is synchronisation.
 *
 * How
 *   When a block is translated each instruction of a kind gets code that adds
 *   one to the kind's counter when it is executed, before it is. A mark
 *   (bench/guest/mark.h) calls a function: start remembers the counters, stop
 *   writes a line "LOCKED IRQFLAG" with the differences. That is exact under
 *   -icount, where one thread of the host runs all CPUs. An instruction that
 *   faults counts again when it is repeated.
 *
 *   The guest sees nothing of it: neither time nor registers nor memory.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../guest/mark.h"
#include "qemu_counter.h"
#include "qemu_plugin.h"
#include "x86_insn.h"

/* Counters */
enum kind {
	LOCKED,
	IRQFLAG,
	KINDS
};

static uint64_t started[KINDS];
static FILE *out;

static void start(unsigned int cpu, void *arg)
{
	unsigned int i;

	(void)cpu;
	(void)arg;
	for (i = 0; i < KINDS; i++)
		started[i] = qemu_counter_get(i);
}

/* A line is complete even if QEMU is ended by a signal */
static void stop(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
	(void)fprintf(out, "%lu %lu\n",
		      qemu_counter_get(LOCKED) - started[LOCKED],
		      qemu_counter_get(IRQFLAG) - started[IRQFLAG]);
	(void)fflush(out);
}

static void look_at(struct qemu_plugin_insn *insn)
{
	uint8_t bytes[X86_INSN_MAX];
	size_t len = qemu_insn_bytes(insn, bytes, sizeof(bytes));
	unsigned int events = x86_events(bytes, len);
	uint32_t mark = x86_nop_displacement(bytes, len);

	if (events & X86_LOCKED)
		qemu_counter_count(LOCKED, insn);
	if (events & X86_IRQFLAG)
		qemu_counter_count(IRQFLAG, insn);
	if (mark == BENCH_MARK_START || mark == BENCH_MARK_STOP)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, mark == BENCH_MARK_START ? start : stop,
			QEMU_PLUGIN_NO_REGS, NULL);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, cnt = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (i = 0; i < cnt; i++)
		look_at(qemu_plugin_tb_get_insn(tb, i));
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) {
		(void)fprintf(stderr, "libqemu_events: usage: out=FILE\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	qemu_counter_init(KINDS);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
