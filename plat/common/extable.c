/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include "extable.h"

__uptr extable_find(const struct extable_entry *start,
		    const struct extable_entry *end, __uptr rip)
{
	const struct extable_entry *mid;

	while (start < end) {
		mid = start + (end - start) / 2;
		if (mid->insn == rip)
			return mid->fixup;
		if (mid->insn < rip)
			start = mid + 1;
		else
			end = mid;
	}
	return 0;
}

int extable_is_sorted(const struct extable_entry *start,
		      const struct extable_entry *end)
{
	const struct extable_entry *e;

	for (e = start; e + 1 < end; e++)
		if (e[0].insn >= e[1].insn)
			return 0;
	return 1;
}
