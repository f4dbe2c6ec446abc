/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#include "../entropy.h"
#include "loader.h"
#include "seed.h"

/* More than this is a file for something else */
#define SEED_FILE_MAX 4096UL

/* Whoever reads the command line later learns nothing */
static void seed_hide(void)
{
	const char *val;
	char *at;

	if (!ukplat_cmdline_find("seed", &val))
		return;
	for (at = boot_info.cmdline + (val - boot_info.cmdline);
	     *at && *at != ' '; at++)
		*at = 'x';
}

static unsigned int modules_collect(struct plat_rng *rng,
				    const struct loader_modules *modules,
				    unsigned int *flags)
{
	const struct loader_module *m;
	unsigned int i, n, bits = 0;

	for (i = 0; i < modules->cnt; i++) {
		m = &modules->m[i];
		if (!m->len || m->len > SEED_FILE_MAX || loader_is_image(m))
			continue;
		n = entropy_file_mix(rng, (const __u8 *)m->paddr, m->len,
				     "a boot module");
		bits += n;
		*flags |= n ? ENTROPY_MODULE : 0;
	}
	return bits;
}

void seed_gather(struct plat_rng *rng, const struct loader_modules *modules)
{
	unsigned int flags, bits = entropy_collect(rng, &flags);

	if (!(flags & ENTROPY_FIXED))
		bits += modules_collect(rng, modules, &flags);
	boot_info.seed_bits = MIN(bits, ENTROPY_MAX);
	boot_info.seed_flags = flags;
	/* Maps and time stamps may differ from boot to boot */
	if (!(flags & ENTROPY_FIXED))
		plat_rng_mix(rng, &boot_info, sizeof(boot_info));
	seed_hide();
}
