/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/types.h>

#include "pio.h"
#include "uart.h"

#define COM1_BASE 0x3f8
#define UART_DATA 0
#define UART_IER  1
#define UART_FCR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5

#define UART_LCR_8N1	  0x03
#define UART_LCR_DLAB	  0x80
#define UART_FCR_FIFO	  0x07
#define UART_MCR_DTR_RTS  0x03
#define UART_LSR_TX_EMPTY 0x20
#define UART_DIVISOR	  1

/* About 100 ms on hardware, where a character takes 0.1 ms */
#define UART_TRIES 100000

void uart_init(void)
{
	pio_write8(COM1_BASE + UART_IER, 0);
	pio_write8(COM1_BASE + UART_LCR, UART_LCR_DLAB);
	pio_write8(COM1_BASE + UART_DATA, UART_DIVISOR);
	pio_write8(COM1_BASE + UART_IER, 0);
	pio_write8(COM1_BASE + UART_LCR, UART_LCR_8N1);
	pio_write8(COM1_BASE + UART_FCR, UART_FCR_FIFO);
	pio_write8(COM1_BASE + UART_MCR, UART_MCR_DTR_RTS);
}

static void uart_putc(char c)
{
	unsigned int tries = UART_TRIES;

	while (!(pio_read8(COM1_BASE + UART_LSR) & UART_LSR_TX_EMPTY) &&
	       --tries)
		ukarch_spinwait();
	pio_write8(COM1_BASE + UART_DATA, (__u8)c);
}

void uart_write(const char *buf, __sz len)
{
	__sz i;

	for (i = 0; i < len; i++) {
		if (buf[i] == '\n')
			uart_putc('\r');
		uart_putc(buf[i]);
	}
}
