/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/essentials.h>

#include "acpi.h"
#include "fadt.h"

/* The table has more; this part is there since ACPI 1.0 */
struct table {
	struct acpi_sdt head;
	__u32 facs, dsdt;
	__u8 model, profile;
	__u16 sci;
	__u32 smi_cmd;
	__u8 acpi_enable, acpi_disable, s4bios, pstate;
	__u32 pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr;
	__u32 gpe0, gpe1;
	__u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	__u8 gpe0_len;
} __packed;

UK_CTASSERT(__builtin_offsetof(struct table, sci) == 46);
UK_CTASSERT(__builtin_offsetof(struct table, pm1a_evt) == 56);
UK_CTASSERT(__builtin_offsetof(struct table, gpe0) == 80);
UK_CTASSERT(__builtin_offsetof(struct table, gpe0_len) == 92);

#define PORTS 0x10000UL

static int is_port(__u32 port, __u32 len)
{
	return (__u64)port + len <= PORTS;
}

int fadt_parse(const void *table, __sz len, struct fadt *fadt)
{
	struct table t;

	if (len < sizeof(t))
		return -EINVAL;
	memcpy(&t, table, sizeof(t));
	if (memcmp(t.head.sig, "FACP", sizeof(t.head.sig)) != 0 ||
	    t.head.len < sizeof(t))
		return -EINVAL;
	if (!t.pm1a_cnt || !t.gpe0 || t.gpe0_len < 2)
		return -ENOTSUP;
	if (!is_port(t.smi_cmd, 1) || !is_port(t.pm1a_cnt, sizeof(__u16)) ||
	    !is_port(t.pm1a_evt, t.pm1_evt_len) || !is_port(t.gpe0, t.gpe0_len))
		return -EINVAL;
	*fadt = (struct fadt){
		.sci = t.sci,
		.smi_cmd = (__u16)t.smi_cmd,
		.acpi_enable = t.acpi_enable,
		.pm1_evt = (__u16)t.pm1a_evt,
		.pm1_evt_len = t.pm1_evt_len,
		.pm1_cnt = (__u16)t.pm1a_cnt,
		.gpe0 = (__u16)t.gpe0,
		.gpe0_len = t.gpe0_len,
	};
	return 0;
}
