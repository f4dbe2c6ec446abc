/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __HOSTBENCH_QEMU_PLUGIN_H__
#define __HOSTBENCH_QEMU_PLUGIN_H__

/* QEMU's interface for plug-ins: what is used here
 *
 * Debian has no header for it. A plug-in defines qemu_plugin_install(), which
 * QEMU calls once, and the version that it was written for; all else is
 * QEMU's. Version 1 is that of QEMU 7.2 to 8.2. Since QEMU 9.1, version 3,
 * some functions have others in their place: those are weak here, so that
 * one plug-in can serve both.
 */

#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))

#define QEMU_PLUGIN_WEAK __attribute__((weak))

/* Versions of this interface; a plug-in tells QEMU which one it wants */
#define QEMU_PLUGIN_API	    1
#define QEMU_PLUGIN_API_NEW 3

/** A callback does not look at registers of the guest */
#define QEMU_PLUGIN_NO_REGS 0

/** What an instruction can do to a counter by itself */
#define QEMU_PLUGIN_ADD 0

/** A block of translated code and an instruction of it, while they are made */
struct qemu_plugin_tb;
struct qemu_plugin_insn;

typedef void (*qemu_plugin_translated)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_executed)(unsigned int cpu, void *arg);
typedef void (*qemu_plugin_ended)(uint64_t id, void *arg);

/** Wants to see each block when it is translated. */
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   qemu_plugin_translated fn);

/** Calls fn before each execution of a block; of an instruction. */
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  qemu_plugin_executed fn, int flags,
					  void *arg);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_executed fn, int flags,
					    void *arg);

/**
 * Version 1: adds to a counter of 64 bits before each execution of an
 * instruction; not atomic, so exact if one thread of the host runs all CPUs.
 */
QEMU_PLUGIN_WEAK void qemu_plugin_register_vcpu_insn_exec_inline(
	struct qemu_plugin_insn *insn, int op, void *counter, uint64_t addend);

/** Version 3: some bytes for each CPU, zero at first */
struct qemu_plugin_scoreboard;

/** Version 3: a counter of 64 bits among them */
struct qemu_plugin_u64 {
	struct qemu_plugin_scoreboard *score;
	size_t offset; /* bytes */
};

/** Version 3: the same for a counter of each CPU, and their sum. */
QEMU_PLUGIN_WEAK void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
	struct qemu_plugin_insn *insn, int op, struct qemu_plugin_u64 counter,
	uint64_t addend);
QEMU_PLUGIN_WEAK struct qemu_plugin_scoreboard *
qemu_plugin_scoreboard_new(size_t len);
QEMU_PLUGIN_WEAK uint64_t qemu_plugin_u64_sum(struct qemu_plugin_u64 counter);

/** Calls fn when QEMU ends. */
void qemu_plugin_register_atexit_cb(uint64_t id, qemu_plugin_ended fn,
				    void *arg);

/** The instructions of a block, 0 to n - 1. */
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);

/** Bytes that an instruction has. */
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

/** Version 1: they; valid while the block is translated. */
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

/** Version 3: copies them; QEMU gives it the name of the one above. */
size_t qemu_plugin_insn_copy(const struct qemu_plugin_insn *insn, void *dest,
			     size_t len) __asm__("qemu_plugin_insn_data");

/* What QEMU looks for in a plug-in */
QEMU_PLUGIN_EXPORT extern int qemu_plugin_version;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const void *info,
					   int argc, char **argv);

#endif /* __HOSTBENCH_QEMU_PLUGIN_H__ */
