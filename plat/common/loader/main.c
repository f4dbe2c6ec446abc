/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>

#include "../x86/uart.h"
#include "image.h"
#include "install.h"
#include "loader.h"
#include "payload.h"
#include "plan.h"
#include "seed.h"
#include "tables.h"

/* What %eax has at the entries; PVH promises nothing, start.S makes it 0 */
#define MAGIC_PVH	 0U
#define MAGIC_MULTIBOOT	 0x2badb002U
#define MAGIC_MULTIBOOT2 0x36d76289U

static struct loader_modules found;
static struct image image;
static struct plat_rng rng;

__u64 loader_uniform(void *arg __unused, __u64 bound)
{
	return plat_rng_uniform64(&rng, bound);
}

static void machine_read(__paddr_t start, __u32 magic)
{
	int rc = -EINVAL;

	if (magic == MAGIC_PVH)
		rc = pvh_parse(start, &found);
	else if (magic == MAGIC_MULTIBOOT)
		rc = multiboot_parse(start, &found);
	else if (magic == MAGIC_MULTIBOOT2)
		rc = multiboot2_parse(start, &found);
	if (rc == -ENOSPC)
		loader_fail("memory map too long, or too many modules");
	if (rc)
		loader_fail("no usable start information (0x%x)", magic);
	plan_memory_add((__paddr_t)loader_start,
			(__sz)(loader_end - loader_start), MEMREGION_LOADER);
}

static void flags_set(void)
{
	const char *val;

	boot_info.magic = BOOT_INFO_MAGIC;
	boot_info.version = BOOT_INFO_VERSION;
	boot_info.len = sizeof(boot_info);
#ifndef CONFIG_UKPLAT_RANDOM_AREAS
	boot_info.flags |= BOOT_FIXED;
#endif
#ifndef CONFIG_UKPLAT_RANDOM_IMAGE
	boot_info.flags |= BOOT_IMAGE_FIXED;
#endif
	if (ukplat_cmdline_find("nokaslr", &val))
		boot_info.flags |= BOOT_FIXED | BOOT_IMAGE_FIXED;
}

int loader_is_image(const struct loader_module *m)
{
	return m->len >= sizeof(struct payload_header) &&
	       !memcmp((const void *)m->paddr, PAYLOAD_MAGIC,
		       sizeof(PAYLOAD_MAGIC));
}

/* A module that is an image, or else what was linked in */
static int payload_find(const __u8 **data, __sz *len)
{
	unsigned int i;

	for (i = 0; i < found.cnt; i++) {
		*data = (const __u8 *)found.m[i].paddr;
		*len = found.m[i].len;
		if (loader_is_image(&found.m[i]))
			return 0;
	}
	*data = loader_payload;
	*len = (__sz)(loader_payload_end - loader_payload);
	return *len ? 0 : -ENOENT;
}

/* The root pointer may lie where nobody keeps it */
static void rsdp_keep(void)
{
	if (!loader_rsdp[0])
		return;
	boot_info.rsdp = plan_memory("ACPI", PAGE_SIZE, MEMREGION_USED);
	memcpy((void *)boot_info.rsdp, loader_rsdp, LOADER_RSDP_LEN);
}

void __noreturn loader_main(__paddr_t start, __u32 magic, __u64 tsc)
{
	struct image_error err;
	const __u8 *payload;
	__paddr_t root;
	__vaddr_t entry;
	__sz len;

	uart_init();
	boot_info.tsc = tsc;
	machine_read(start, magic);
	flags_set();
	seed_gather(&rng, &found);
	if (payload_find(&payload, &len))
		loader_fail("no image: give one as a module");
	if (image_open(payload, len, &image, &err))
		install_bad(&err);

	plan_platform();
	rsdp_keep();
	entry = install_image(&image);
	plan_direct_map();
	tables_finish(entry);

	/* What the image draws tells nothing about what was drawn here */
	plat_rng_bytes(&rng, boot_info.seed, sizeof(boot_info.seed));
	memset(&rng, 0, sizeof(rng));
	barrier();
	root = boot_info.pt_root;
	loader_leave(root, plan_stack_top,
		     boot_info.direct_map + (__paddr_t)&boot_info, entry);
}
