/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PLAT_CONSOLE_H__
#define __UK_PLAT_CONSOLE_H__

/* The serial console
 *
 * Output only, without buffer or allocation. What one call prints is not
 * mixed with what other CPUs print. After ukplat_console_panic() output waits
 * for nobody for long.
 */

#include <stdarg.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Prints characters.
 *
 * **Context:** any; polls the device with interrupts disabled
 *
 * @param buf
 *   What to print
 * @param len
 *   Number of characters
 *
 * @return
 *   len
 */
int ukplat_coutk(const char *buf, unsigned int len);

/** Prints formatted text; formats as in nolibc's printf(). */
int ukplat_printk(const char *fmt, ...) __printf(1, 2);

/** As ukplat_printk(). */
int ukplat_vprintk(const char *fmt, va_list ap) __printf(1, 0);

/** From now on a lock of the console that stays taken is ignored. */
void ukplat_console_panic(void);

#ifdef __cplusplus
}
#endif

#endif /* __UK_PLAT_CONSOLE_H__ */
