/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_PLAT_BOOTSTRAP_H__
#define __STANDIN_UK_PLAT_BOOTSTRAP_H__

/* Stands for include/uk/plat/bootstrap.h of Unikraft. */

#include <uk/essentials.h>

enum ukplat_gstate {
	UKPLAT_HALT,
	UKPLAT_RESTART,
	UKPLAT_SUSPEND,
	UKPLAT_CRASH,
};

void __noreturn ukplat_terminate(enum ukplat_gstate request);

#endif /* __STANDIN_UK_PLAT_BOOTSTRAP_H__ */
