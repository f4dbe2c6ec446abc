/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_PRIO_H__
#define __STANDIN_UK_PRIO_H__

/* Stands for include/uk/prio.h of Unikraft: a digit that names of sections end
 * in.
 */

#define UK_PRIO_EARLIEST 0
#define UK_PRIO_LATEST	 9

#endif /* __STANDIN_UK_PRIO_H__ */
