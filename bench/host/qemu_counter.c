/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include "qemu_counter.h"
#include "qemu_plugin.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API;

static uint64_t counts[QEMU_COUNTERS_MAX];	       /* version 1 */
static struct qemu_plugin_u64 each[QEMU_COUNTERS_MAX]; /* version 3 */

static int is_new(void)
{
	return qemu_plugin_version == QEMU_PLUGIN_API_NEW;
}

__attribute__((constructor)) static void choose(void)
{
	if (!qemu_plugin_register_vcpu_insn_exec_inline)
		qemu_plugin_version = QEMU_PLUGIN_API_NEW;
}

void qemu_counter_init(unsigned int cnt)
{
	unsigned int i;

	for (i = 0; i < cnt && is_new(); i++)
		each[i].score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
}

void qemu_counter_count(unsigned int idx, struct qemu_plugin_insn *insn)
{
	if (is_new())
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
			insn, QEMU_PLUGIN_ADD, each[idx], 1);
	else
		qemu_plugin_register_vcpu_insn_exec_inline(
			insn, QEMU_PLUGIN_ADD, &counts[idx], 1);
}

uint64_t qemu_counter_get(unsigned int idx)
{
	return is_new() ? qemu_plugin_u64_sum(each[idx]) : counts[idx];
}

size_t qemu_insn_bytes(const struct qemu_plugin_insn *insn, uint8_t *bytes,
		       size_t len)
{
	size_t size = qemu_plugin_insn_size(insn);

	if (size < len)
		len = size;
	if (is_new())
		return qemu_plugin_insn_copy(insn, bytes, len);
	memcpy(bytes, qemu_plugin_insn_data(insn), len);
	return len;
}
