/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_LOADER_H__
#define __UKPLAT_LOADER_H__

/* The loader: from the machine's first instruction to the image's
 *
 * Why
 *   Whoever knows one fixed address in the heap's address space knows where
 *   to start. So everything gets its own random place before the image runs,
 *   and what has a fixed address, this loader, goes away.
 *
 * How
 *   1 start.S enables long mode with the first 4 GiB mapped at their physical
 *     addresses and calls loader_main().
 *   2 pvh.c or multiboot.c read what the machine told; modules are found.
 *   3 Entropy is gathered, the image is opened and tested (image.h).
 *   4 plan.c draws where image, metadata, stack and page tables lie in
 *     physical memory and in the address space.
 *   5 The image is copied and relocated; tables.c maps everything with exact
 *     rights.
 *   6 loader_leave() jumps to the image (bootinfo.h).
 *
 * Concurrency
 *   Boot CPU, interrupts disabled. No other CPU runs.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "../bootinfo.h"
#include "../rng.h"

#define LOADER_MODULES_MAX 8U
/* Longer than any command line that is meant, in bytes */
#define LOADER_CMDLINE_MAX 0x10000U

/* What start.S maps, and what CR3 of a starting CPU can hold */
#define LOADER_PADDR_END (1UL << 32)

/** A file that came with the loader */
struct loader_module {
	__paddr_t paddr;
	__sz len;
};

struct loader_modules {
	unsigned int cnt;
	struct loader_module m[LOADER_MODULES_MAX];
};

/* The ACPI root pointer, where the machine tells its contents, not its place */
#define LOADER_RSDP_LEN 36
extern char loader_rsdp[LOADER_RSDP_LEN];

/** Ends the boot with a message. */
void __noreturn __printf(1, 2) loader_fail(const char *fmt, ...);

/** The generator that all places are drawn from; as area_uniform_fn. */
__u64 loader_uniform(void *arg, __u64 bound);

/**
 * Reads what a PVH loader passed; fills boot_info. The first 4 GiB are mapped
 * at their physical addresses.
 *
 * @param start
 *   Address of struct hvm_start_info
 * @param[out] modules
 *   Receives the modules
 *
 * @return
 *   - (0): Read
 *   - (-EINVAL): That is no such structure, or it has no memory map
 *   - (-ENOSPC): The memory map is too long, or there are too many modules
 */
int pvh_parse(__paddr_t start, struct loader_modules *modules);

/** As pvh_parse(), for struct multiboot_info. */
int multiboot_parse(__paddr_t start, struct loader_modules *modules);

/** As pvh_parse(), for the list of tags of multiboot 2. */
int multiboot2_parse(__paddr_t start, struct loader_modules *modules);

/** Adds a module, and its memory to the map. 0, -EINVAL or -ENOSPC. */
int loader_module_add(struct loader_modules *modules, __paddr_t paddr,
		      __u64 len);

/** Tells whether a module begins as an image does. */
int loader_is_image(const struct loader_module *m);

/**
 * Copies a command line, and clears where it was.
 *
 * @param paddr
 *   Its first byte; 0: there is none
 * @param len
 *   Bytes that may be read there, if it is not terminated before
 */
void loader_cmdline_copy(__paddr_t paddr, __u64 len);

/** Tells whether start.S maps a range: reading elsewhere would be the end. */
int loader_can_read(__paddr_t paddr, __u64 len);

/**
 * Steps 2 to 6. Called by start.S.
 *
 * @param start
 *   Physical address of what the machine tells
 * @param magic
 *   Which kind that is
 * @param tsc
 *   Time stamp of the first instruction
 */
void __noreturn loader_main(__paddr_t start, __u32 magic, __u64 tsc);

/** Last step, in start.S. */
void __noreturn loader_leave(__paddr_t cr3, __vaddr_t stack_top, __vaddr_t info,
			     __vaddr_t entry);

/* First and last byte of the loader, payload included, page aligned */
extern char loader_start[];
extern char loader_end[];
/* The payload that was linked in, or nothing */
extern const __u8 loader_payload[];
extern const __u8 loader_payload_end[];
/* The top level table in use */
extern __u64 loader_pml4[];

#endif /* __UKPLAT_LOADER_H__ */
