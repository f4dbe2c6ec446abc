/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/plat/bootstrap.h>

#include "bootinfo.h"

struct boot_info boot_info;

const char *ukplat_cmdline(void)
{
	return boot_info.cmdline;
}

__paddr_t ukplat_acpi_rsdp(void)
{
	return boot_info.rsdp;
}

int ukplat_cmdline_find(const char *key, const char **val)
{
	const char *word = boot_info.cmdline;
	__sz len = strlen(key);

	for (;;) {
		while (*word == ' ')
			word++;
		if (!*word)
			return 0;
		if (!strncmp(word, key, len) &&
		    (word[len] == '=' || word[len] == ' ' || !word[len])) {
			*val = word + len + (word[len] == '=');
			if (**val == ' ')
				*val = "";
			return 1;
		}
		while (*word && *word != ' ')
			word++;
	}
}
