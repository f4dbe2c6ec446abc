/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/essentials.h>

#include "elf.h"
#include "image.h"
#include "relocate.h"

/* Words that one bitmap of DT_RELR is about */
#define RELR_BITS 63U

void image_copy(const struct image *img, __u8 *mem)
{
	unsigned int i;

	for (i = 0; i < img->seg_cnt; i++)
		memcpy(mem + img->seg[i].offset, img->seg[i].data,
		       img->seg[i].data_len);
}

/* A relocation at an address as linked: code stays as it is */
static int site_test(const struct image *img, __u64 addr,
		     struct image_error *err)
{
	unsigned int i = image_seg_find(img, addr - img->base);

	if (i == img->seg_cnt ||
	    !image_seg_has(&img->seg[i], addr - img->base, sizeof(__u64)))
		return image_bad(err, "relocation outside the image", addr);
	if (img->seg[i].flags & ELF_PF_X)
		return image_bad(err, "relocation in code", addr);
	return 0;
}

/* Puts an address as linked, as it has to be here, to its place */
static int address_set(const struct image *img, __u8 *mem, __u64 site,
		       __u64 target, __u64 vaddr, struct image_error *err)
{
	__u64 val = target - img->base;

	/* One behind the last byte is an address, too */
	if (val > img->span)
		return image_bad(err, "address outside the image", target);
	val += vaddr;
	memcpy(mem + (site - img->base), &val, sizeof(val));
	return 0;
}

static int rela_apply(const struct image *img, __u8 *mem, __u64 vaddr,
		      struct image_error *err)
{
	struct elf_rela rela;
	__u64 i;
	int rc;

	for (i = 0; i < img->rela_cnt; i++) {
		memcpy(&rela, img->rela + i * sizeof(rela), sizeof(rela));
		if (rela.info != ELF_R_RELATIVE)
			return image_bad(err, "relocation of an unknown type",
					 rela.info);
		rc = site_test(img, rela.offset, err);
		if (!rc)
			rc = address_set(img, mem, rela.offset, rela.addend,
					 vaddr, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* A place whose address is in the contents. Places ascend, so each word of
 * the image is touched once at most. *end: the first offset that may follow.
 */
static int relr_site(const struct image *img, __u8 *mem, __u64 site,
		     __u64 vaddr, __u64 *end, struct image_error *err)
{
	__u64 val;

	if (site_test(img, site, err))
		return -EINVAL;
	if (site - img->base < *end)
		return image_bad(err, "relocations that are not sorted", site);
	*end = site - img->base + sizeof(val);
	memcpy(&val, mem + (site - img->base), sizeof(val));
	return address_set(img, mem, site, val, vaddr, err);
}

/* An even entry is an address; an odd one has a bit for each of the words
 * that follow the last one
 */
static int relr_apply(const struct image *img, __u8 *mem, __u64 vaddr,
		      struct image_error *err)
{
	__u64 i, entry, bit, next = 0, end = 0;
	int rc = 0;

	for (i = 0; i < img->relr_cnt && !rc; i++) {
		memcpy(&entry, img->relr + i * sizeof(entry), sizeof(entry));
		if (!(entry & 1)) {
			rc = relr_site(img, mem, entry, vaddr, &end, err);
			next = entry + sizeof(__u64);
			continue;
		}
		for (bit = 0; bit < RELR_BITS && !rc; bit++)
			if (entry >> (bit + 1) & 1)
				rc = relr_site(img, mem,
					       next + bit * sizeof(__u64),
					       vaddr, &end, err);
		next += RELR_BITS * sizeof(__u64);
	}
	return rc;
}

int image_relocate(const struct image *img, __u8 *mem, __u64 vaddr,
		   struct image_error *err)
{
	int rc = rela_apply(img, mem, vaddr, err);

	return rc ? rc : relr_apply(img, mem, vaddr, err);
}
