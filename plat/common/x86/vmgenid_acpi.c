/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/irq.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/print.h>

#include "../random.h"
#include "../vmgenid.h"
#include "acpi.h"
#include "fadt.h"
#include "lapic.h"
#include "sci.h"
#include "vmgenid_acpi.h"

/* Real machines have a dozen */
#define SSDT_MAX 64U

/* Looks through the tables that could hold it */
static int genid_find(__paddr_t rsdp, struct vmgenid *id)
{
	const struct acpi_sdt *table;
	unsigned int nth;
	int rc = -ENOENT;

	for (nth = 0; nth < SSDT_MAX && rc == -ENOENT; nth++) {
		rc = acpi_table_find_nth(rsdp, "SSDT", nth, &table);
		if (rc == -ENOENT)
			return rc;
		/* That one is damaged; the id may be in the next one */
		if (rc == -EINVAL) {
			rc = -ENOENT;
			continue;
		}
		if (rc)
			return rc;
		rc = vmgenid_parse(table, table->len, id);
		acpi_unmap(table, table->len);
	}
	return rc;
}

/* The rest needs no interrupt: every draw looks */
static void sci_handler(void *arg)
{
	(void)arg;
	sci_ack();
	random_genid_poll();
	lapic_eoi();
}

/* Has the machine tell of a new id */
static void event_enable(__paddr_t rsdp, int gpe)
{
	const struct acpi_sdt *table;
	struct fadt fadt;
	int rc;

	rc = acpi_table_find(rsdp, "FACP", &table);
	if (!rc) {
		rc = fadt_parse(table, table->len, &fadt);
		acpi_unmap(table, table->len);
	}
	if (!rc)
		rc = ukplat_irq_register(LAPIC_VECTOR_SCI, sci_handler, __NULL);
	if (!rc)
		rc = sci_enable(&fadt, gpe, LAPIC_VECTOR_SCI);
	if (rc)
		uk_pr_warn("random: no event for a new VM generation id (%d)\n",
			   rc);
}

void vmgenid_init(void)
{
	__paddr_t rsdp = ukplat_acpi_rsdp();
	struct vmgenid id;
	__vaddr_t page;
	int rc;

	if (!rsdp)
		rsdp = acpi_rsdp_scan();
	if (!rsdp)
		return;
	rc = genid_find(rsdp, &id);
	if (rc == -ENOENT)
		return;
	if (!rc)
		rc = ukplat_area_map("vm generation id",
				     ALIGN_DOWN(id.paddr, PAGE_SIZE), 1,
				     PAGE_ATTR_PROT_READ, &page);
	if (rc) {
		uk_pr_warn("random: no usable VM generation id (%d)\n", rc);
		return;
	}
	random_genid_init((const void *)(page + id.paddr % PAGE_SIZE));
	if (id.gpe >= 0 && lapic_is_enabled())
		event_enable(rsdp, id.gpe);
}
