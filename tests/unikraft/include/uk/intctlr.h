/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_INTCTLR_H__
#define __STANDIN_UK_INTCTLR_H__

/* Stands for lib/ukintctlr/include/uk/intctlr.h of Unikraft. */

#include <uk/arch/types.h>

int uk_intctlr_irq_alloc(unsigned int *irqs, __sz count);
int uk_intctlr_irq_free(unsigned int *irqs, __sz count);
int uk_intctlr_irq_register(unsigned int irq, int (*handler)(void *arg),
			    void *arg);

#endif /* __STANDIN_UK_INTCTLR_H__ */
