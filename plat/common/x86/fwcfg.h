/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FWCFG_H__
#define __UKPLAT_FWCFG_H__

/* fw_cfg: named files from whoever started the virtual machine
 *
 * How
 *   A selector chooses an item, whose bytes are then read one after the other
 *   from a port; behind the last one there are zeros for ever. One item is the
 *   directory of the named ones. It is read entry by entry, at most
 *   FWCFG_FILES_MAX of them, so that no length of the device is trusted.
 *   fwcfg.c reaches the device through the last three functions only, so that
 *   a host test can stand in for it.
 *
 * Context
 *   One CPU; the device has one position. No lock, no memory.
 *
 * Source
 *   QEMU, docs/specs/fw_cfg
 */

#include <uk/arch/types.h>

/* QEMU has room for 32 files by default */
#define FWCFG_FILES_MAX 256U
/* Bytes of a name, with the zero at its end */
#define FWCFG_NAME_LEN	56U

/**
 * Reads a file.
 *
 * @param name
 *   Its name, shorter than FWCFG_NAME_LEN
 * @param[out] buf
 *   Receives its first bytes
 * @param len
 *   Bytes that may be read
 *
 * @return
 *   Number of bytes read; 0 if there is no device, no such file, or nothing
 *   in it
 */
__sz fwcfg_file_read(const char *name, void *buf, __sz len);

/** Tells whether the device may be looked for: only in a virtual machine. */
int fwcfg_io_allowed(void);

/** Chooses an item and goes to its first byte. */
void fwcfg_io_select(__u16 item);

/** Reads the next bytes of the chosen item. */
void fwcfg_io_read(void *buf, __sz len);

#endif /* __UKPLAT_FWCFG_H__ */
