/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_UART_H__
#define __UKPLAT_UART_H__

/* The serial port COM1, polled
 *
 * Source
 *   TL16C550C data sheet, 8.5
 */

#include <uk/arch/types.h>

/** Sets the port up: 115200 baud, 8 bits, no parity. Any context. */
void uart_init(void);

/**
 * Sends characters, a carriage return before each end of a line. Does not wait
 * for ever if there is no port.
 */
void uart_write(const char *buf, __sz len);

#endif /* __UKPLAT_UART_H__ */
