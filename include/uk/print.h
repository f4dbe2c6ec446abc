/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_PRINT_H__
#define __UK_PRINT_H__

/* Messages of the system on the console, by urgency
 *
 * A level that CONFIG_LIBUKDEBUG_PRINTK_LEVEL leaves out costs nothing; its
 * arguments are still checked by the compiler.
 */

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/console.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UK_PRINT_CRIT  0
#define UK_PRINT_ERR   1
#define UK_PRINT_WARN  2
#define UK_PRINT_INFO  3
#define UK_PRINT_DEBUG 4

#define uk_printk(lvl, ...)                                                    \
	do {                                                                   \
		if ((lvl) <= CONFIG_LIBUKDEBUG_PRINTK_LEVEL)                   \
			ukplat_printk(__VA_ARGS__);                            \
	} while (0)

#define uk_pr_crit(...)	 uk_printk(UK_PRINT_CRIT, "CRIT: " __VA_ARGS__)
#define uk_pr_err(...)	 uk_printk(UK_PRINT_ERR, "ERR: " __VA_ARGS__)
#define uk_pr_warn(...)	 uk_printk(UK_PRINT_WARN, "WARN: " __VA_ARGS__)
#define uk_pr_info(...)	 uk_printk(UK_PRINT_INFO, __VA_ARGS__)
#define uk_pr_debug(...) uk_printk(UK_PRINT_DEBUG, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif /* __UK_PRINT_H__ */
