/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PIC_H__
#define __UKPLAT_PIC_H__

/* The pair of 8259s of a PC: out of the way and silent for good */

/* First of the 16 vectors that the 8259s may still raise by mistake */
#define PIC_VECTOR_BASE 0x20

/**
 * Moves the vectors of the 8259s away from those of the processor, masks all
 * inputs and registers handlers for spurious interrupts.
 *
 * @return
 *   0, or the negative errno of ukplat_irq_register()
 */
int pic_disable(void);

#endif /* __UKPLAT_PIC_H__ */
