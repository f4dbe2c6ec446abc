/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>
#include <string.h>

#include <uk/plat/console.h>

#include "fmt.h"

int vsnprintf(char *buf, size_t len, const char *fmt, va_list ap)
{
	return (int)fmt_vsnprint(buf, len, fmt, ap);
}

int snprintf(char *buf, size_t len, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = (int)fmt_vsnprint(buf, len, fmt, ap);
	va_end(ap);
	return rc;
}

int vprintf(const char *fmt, va_list ap)
{
	return ukplat_vprintk(fmt, ap);
}

int printf(const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = ukplat_vprintk(fmt, ap);
	va_end(ap);
	return rc;
}

int puts(const char *s)
{
	return ukplat_printk("%s\n", s);
}

int putchar(int c)
{
	char ch = (char)c;

	ukplat_coutk(&ch, 1);
	return (unsigned char)c;
}
