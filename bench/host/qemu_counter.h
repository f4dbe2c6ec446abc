/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __HOSTBENCH_QEMU_COUNTER_H__
#define __HOSTBENCH_QEMU_COUNTER_H__

/* Counters of executed instructions for plug-ins, and bytes of instructions,
 * in QEMU's old and new interface alike
 *
 * How
 *   When QEMU loads the plug-in, before it reads the version, a constructor
 *   looks which functions this QEMU has and sets the version accordingly.
 */

#include <stddef.h>
#include <stdint.h>

#include "qemu_plugin.h"

#define QEMU_COUNTERS_MAX 8U

/**
 * Prepares counters, all of them 0. From qemu_plugin_install(), once.
 *
 * @param cnt
 *   At most QEMU_COUNTERS_MAX
 */
void qemu_counter_init(unsigned int cnt);

/** Adds one before each execution of an instruction. While translating. */
void qemu_counter_count(unsigned int idx, struct qemu_plugin_insn *insn);

/** What was counted on all CPUs. */
uint64_t qemu_counter_get(unsigned int idx);

/**
 * Copies the bytes of an instruction. While translating.
 *
 * @return
 *   How many there are, at most len
 */
size_t qemu_insn_bytes(const struct qemu_plugin_insn *insn, uint8_t *bytes,
		       size_t len);

#endif /* __HOSTBENCH_QEMU_COUNTER_H__ */
