/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* All of upstream as one object, as its own src/static.c makes it. Nobody runs
 * constructors here: the one that upstream has becomes a function that has to
 * be called.
 */

#define constructor used
#include "src/static.c"

void ukmi_process_start(void)
{
	_mi_process_init();
}
