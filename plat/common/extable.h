/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_EXTABLE_H__
#define __UKPLAT_EXTABLE_H__

/* Instructions that may fault, and where each continues
 *
 * The section .uk_extable collects entries from all objects. Its addresses
 * are of eight bytes, because libraries may lie anywhere. Who relocates the
 * image puts them into order: the loader once all of them are known
 * (PIECES_UNIT_SORT), or payload.py, if all change alike.
 *
 * Invariants
 *   X1 The table is sorted by insn, and no instruction is in it twice.
 */

#include <uk/arch/types.h>

struct extable_entry {
	/** Address of the instruction */
	__u64 insn;
	/** Where to continue */
	__u64 fixup;
};

/** The section, set by the linker script */
extern const struct extable_entry __extable_start[];
extern const struct extable_entry __extable_end[];

/**
 * Looks up where an instruction that may fault continues.
 *
 * @param start, end
 *   Table
 * @param rip
 *   Address of the instruction
 *
 * @return
 *   Where to continue, 0 if the instruction must not fault
 */
__uptr extable_find(const struct extable_entry *start,
		    const struct extable_entry *end, __uptr rip);

/** Tells whether X1 holds. */
int extable_is_sorted(const struct extable_entry *start,
		      const struct extable_entry *end);

#endif /* __UKPLAT_EXTABLE_H__ */
