/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdlib.h>
#include <string.h>

#include <uk/essentials.h>

#include "fixture_image.h"
#include "../../plat/common/loader/sha256.h"

/* Where contents begin: room for more program headers than are allowed */
#define CONTENTS_AT 0x1200U

/* Within the constants */
#define RELA_AT 0x100U
#define RELR_AT (RELA_AT + FIXTURE_RELA_MAX * (__sz)sizeof(struct elf_rela))

void fixture_begin(struct fixture_image *f)
{
	memset(f, 0, sizeof(*f));
	f->head = (void *)f->bytes;
	f->elf = (void *)(f->bytes + sizeof(*f->head));
	f->ph = (void *)(f->elf + 1);
	f->len = CONTENTS_AT;
	memcpy(f->head->magic, PAYLOAD_MAGIC, sizeof(f->head->magic));
	f->head->version = PAYLOAD_VERSION;
	f->elf->ident = ELF_IDENT;
	f->elf->type = ELF_ET_DYN;
	f->elf->machine = ELF_EM_X86_64;
	f->elf->phoff = sizeof(*f->elf);
	f->elf->phentsize = sizeof(*f->ph);
}

struct elf_phdr *fixture_phdr(struct fixture_image *f, __u32 type, __u32 flags,
			      __u64 vaddr, __u64 filesz, __u64 memsz)
{
	struct elf_phdr *ph = &f->ph[f->elf->phnum++];

	*ph = (struct elf_phdr){
		.type = type,
		.flags = flags,
		.vaddr = vaddr,
		.filesz = filesz,
		.memsz = memsz,
	};
	return ph;
}

__u8 *fixture_contents(struct fixture_image *f, __u64 len)
{
	struct elf_phdr *ph = &f->ph[f->elf->phnum - 1];
	__u8 *data = f->bytes + f->len;

	if (len > FIXTURE_LEN - f->len)
		abort();
	ph->offset = f->len - sizeof(*f->head);
	f->len = ALIGN_UP(f->len + len, 16);
	return data;
}

__u8 *fixture_at(struct fixture_image *f, __u64 vaddr)
{
	unsigned int i;

	for (i = 0; i < f->elf->phnum; i++)
		if (f->ph[i].type == ELF_PT_LOAD &&
		    vaddr - f->ph[i].vaddr < f->ph[i].filesz)
			return (__u8 *)f->elf + f->ph[i].offset +
			       (vaddr - f->ph[i].vaddr);
	abort();
}

void fixture_seal(struct fixture_image *f)
{
	f->head->len = f->len - sizeof(*f->head);
	sha256((const __u8 *)f->elf, f->head->len, f->head->sha256);
}

static void dyn_set(struct fixture_image *f, enum fixture_dyn i, __u64 tag,
		    __u64 val)
{
	f->dyn[i] = (struct elf_dyn){ tag, val };
}

static void relocations_make(struct fixture_image *f)
{
	__u8 *rodata = fixture_at(f, FIXTURE_RODATA);
	__u64 linked = FIXTURE_DATA + FIXTURE_DATA_LEN;

	f->dyn = (void *)rodata;
	f->rela = (void *)(rodata + RELA_AT);
	f->relr = (void *)(rodata + RELR_AT);
	dyn_set(f, DYN_RELA, ELF_DT_RELA, FIXTURE_RODATA + RELA_AT);
	dyn_set(f, DYN_RELASZ, ELF_DT_RELASZ, sizeof(*f->rela));
	dyn_set(f, DYN_RELAENT, ELF_DT_RELAENT, sizeof(*f->rela));
	dyn_set(f, DYN_RELR, ELF_DT_RELR, FIXTURE_RODATA + RELR_AT);
	dyn_set(f, DYN_RELRSZ, ELF_DT_RELRSZ, sizeof(*f->relr));
	dyn_set(f, DYN_RELRENT, ELF_DT_RELRENT, sizeof(*f->relr));
	dyn_set(f, DYN_NULL, ELF_DT_NULL, 0);
	f->rela[0] =
		(struct elf_rela){ FIXTURE_DATA, ELF_R_RELATIVE, FIXTURE_TEXT };
	f->relr[0] = FIXTURE_DATA + sizeof(linked);
	memcpy(fixture_at(f, f->relr[0]), &linked, sizeof(linked));
}

void fixture_whole(struct fixture_image *f)
{
	fixture_begin(f);
	fixture_phdr(f, ELF_PT_LOAD, ELF_PF_R | ELF_PF_X, FIXTURE_TEXT,
		     FIXTURE_TEXT_LEN, FIXTURE_TEXT_LEN);
	memset(fixture_contents(f, FIXTURE_TEXT_LEN), 0x90, FIXTURE_TEXT_LEN);
	fixture_phdr(f, ELF_PT_LOAD, ELF_PF_R, FIXTURE_RODATA,
		     FIXTURE_RODATA_LEN, FIXTURE_RODATA_LEN);
	(void)fixture_contents(f, FIXTURE_RODATA_LEN);
	fixture_phdr(f, ELF_PT_LOAD, ELF_PF_R | ELF_PF_W, FIXTURE_DATA,
		     FIXTURE_DATA_LEN, FIXTURE_DATA_MEM);
	(void)fixture_contents(f, FIXTURE_DATA_LEN);
	fixture_phdr(f, ELF_PT_DYNAMIC, ELF_PF_R, FIXTURE_RODATA,
		     (DYN_NULL + 1) * sizeof(*f->dyn),
		     (DYN_NULL + 1) * sizeof(*f->dyn));
	f->elf->entry = FIXTURE_TEXT + 0x10;
	relocations_make(f);
	fixture_seal(f);
}
