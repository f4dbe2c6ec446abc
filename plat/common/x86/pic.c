/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Source
 *   Intel 8259A data sheet: initialization command words (ICW)
 */

#include <uk/essentials.h>
#include <uk/plat/irq.h>

#include "pic.h"
#include "pio.h"

#define PIC1_CMD  0x20
#define PIC1_DATA 0x21
#define PIC2_CMD  0xa0
#define PIC2_DATA 0xa1

#define ICW1_INIT_ICW4	 0x11
#define ICW3_PIC2_AT_IR2 0x04
#define ICW3_PIC2_ID	 0x02
#define ICW4_8086	 0x01
#define MASK_ALL	 0xff

/* A request that vanishes before the CPU takes it shows up as input 7. It
 * is not in service, so there is nothing to acknowledge.
 */
#define SPURIOUS_INPUT 7

static void spurious_handler(void *arg)
{
	(void)arg;
}

int pic_disable(void)
{
	int rc;

	pio_write8(PIC1_CMD, ICW1_INIT_ICW4);
	pio_write8(PIC2_CMD, ICW1_INIT_ICW4);
	pio_write8(PIC1_DATA, PIC_VECTOR_BASE);
	pio_write8(PIC2_DATA, PIC_VECTOR_BASE + 8);
	pio_write8(PIC1_DATA, ICW3_PIC2_AT_IR2);
	pio_write8(PIC2_DATA, ICW3_PIC2_ID);
	pio_write8(PIC1_DATA, ICW4_8086);
	pio_write8(PIC2_DATA, ICW4_8086);
	pio_write8(PIC1_DATA, MASK_ALL);
	pio_write8(PIC2_DATA, MASK_ALL);

	rc = ukplat_irq_register(PIC_VECTOR_BASE + SPURIOUS_INPUT,
				 spurious_handler, __NULL);
	if (rc)
		return rc;
	return ukplat_irq_register(PIC_VECTOR_BASE + 8 + SPURIOUS_INPUT,
				   spurious_handler, __NULL);
}
