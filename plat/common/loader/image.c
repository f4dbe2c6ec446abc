/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/arch/paging.h>
#include <uk/essentials.h>

#include "elf.h"
#include "image.h"
#include "pieces.h"
#include "sha256.h"

#define PHDRS_MAX (IMAGE_SEGS_MAX + 8)
/* Entries of the dynamic section that are looked at */
#define DYNS_MAX  64U

int image_bad(struct image_error *err, const char *what, __u64 value)
{
	err->what = what;
	err->value = value;
	return -EINVAL;
}

int image_seg_has(const struct image_seg *seg, __u64 offset, __u64 len)
{
	return offset >= seg->offset && len <= seg->len &&
	       offset - seg->offset <= seg->len - len;
}

unsigned int image_seg_find(const struct image *img, __u64 offset)
{
	unsigned int i;

	for (i = 0; i < img->seg_cnt; i++)
		if (image_seg_has(&img->seg[i], offset, 1))
			break;
	return i;
}

/* Contents at an address as linked, which all come from the file, or __NULL */
static const __u8 *contents_at(const struct image *img, __u64 addr, __u64 len)
{
	unsigned int i = image_seg_find(img, addr - img->base);
	const struct image_seg *seg = &img->seg[i];
	__u64 off;

	if (i == img->seg_cnt)
		return __NULL;
	off = addr - img->base - seg->offset;
	if (off > seg->data_len || seg->data_len - off < len)
		return __NULL;
	return seg->data + off;
}

/* A PT_LOAD, which comes after those before it (I1, I2) */
static int load_add(struct image *img, const struct elf_phdr *ph,
		    struct image_error *err)
{
	struct image_seg *seg = &img->seg[img->seg_cnt];

	if (img->seg_cnt == IMAGE_SEGS_MAX)
		return image_bad(err, "too many segments", img->seg_cnt);
	if (ph->flags & ~(ELF_PF_R | ELF_PF_W | ELF_PF_X) ||
	    !(ph->flags & ELF_PF_R))
		return image_bad(err, "segment with unknown rights", ph->flags);
	if (ph->flags & ELF_PF_W && ph->flags & ELF_PF_X)
		return image_bad(err, "segment that is writable and executable",
				 ph->vaddr);
	if (ph->vaddr & ~PAGE_MASK)
		return image_bad(err, "segment within a page", ph->vaddr);
	if (!ph->memsz || ph->filesz > ph->memsz || ph->memsz > IMAGE_SPAN_MAX)
		return image_bad(err, "segment with a wrong length", ph->memsz);
	if (ph->offset > img->file_len ||
	    img->file_len - ph->offset < ph->filesz)
		return image_bad(err, "segment beyond the end of the file",
				 ph->offset);
	if (!img->seg_cnt)
		img->base = ph->vaddr;
	if (ph->vaddr - img->base < img->span || ph->vaddr < img->base)
		return image_bad(err, "segments that overlap", ph->vaddr);
	if (ph->vaddr - img->base > IMAGE_SPAN_MAX - ph->memsz)
		return image_bad(err, "segment too far from the others",
				 ph->vaddr);

	seg->offset = ph->vaddr - img->base;
	seg->len = ALIGN_UP(ph->memsz, PAGE_SIZE);
	seg->data = img->file + ph->offset;
	seg->data_len = ph->filesz;
	seg->flags = ph->flags;
	img->span = seg->offset + seg->len;
	img->seg_cnt++;
	return 0;
}

/* Values of the tags that matter, in the order of the enumeration */
enum dyn {
	DYN_RELA,
	DYN_RELASZ,
	DYN_RELAENT,
	DYN_RELR,
	DYN_RELRSZ,
	DYN_RELRENT,
	DYN_CNT
};

static const __u64 dyn_tags[DYN_CNT] = {
	ELF_DT_RELA, ELF_DT_RELASZ, ELF_DT_RELAENT,
	ELF_DT_RELR, ELF_DT_RELRSZ, ELF_DT_RELRENT,
};

static int dyn_read(const __u8 *data, __u64 len, __u64 *vals,
		    struct image_error *err)
{
	__u64 i, cnt = MIN(len / sizeof(struct elf_dyn), (__u64)DYNS_MAX);
	unsigned int k;
	struct elf_dyn dyn;

	for (i = 0; i < cnt; i++) {
		memcpy(&dyn, data + i * sizeof(dyn), sizeof(dyn));
		if (dyn.tag == ELF_DT_NULL)
			return 0;
		if (dyn.tag == ELF_DT_REL || dyn.tag == ELF_DT_PLTRELSZ)
			return image_bad(err, "relocations of another kind",
					 dyn.tag);
		for (k = 0; k < DYN_CNT; k++)
			if (dyn.tag == dyn_tags[k])
				vals[k] = dyn.val;
	}
	return image_bad(err, "dynamic section without an end", cnt);
}

/* One table (I4) */
static int table_find(const struct image *img, const __u64 *vals, __u64 entry,
		      const __u8 **table, __u64 *cnt, struct image_error *err)
{
	*cnt = vals[1] / entry;
	if (!vals[1])
		return 0;
	if (vals[2] != entry || vals[1] % entry)
		return image_bad(err, "relocations of a wrong length", vals[1]);
	*table = contents_at(img, vals[0], vals[1]);
	if (!*table)
		return image_bad(err, "relocations outside the image", vals[0]);
	return 0;
}

static int dynamic_open(struct image *img, const struct elf_phdr *ph,
			struct image_error *err)
{
	const __u8 *data = contents_at(img, ph->vaddr, ph->filesz);
	__u64 vals[DYN_CNT] = { 0 };
	int rc;

	if (!data)
		return image_bad(err, "dynamic section outside the image",
				 ph->vaddr);
	rc = dyn_read(data, ph->filesz, vals, err);
	if (!rc)
		rc = table_find(img, &vals[DYN_RELA], sizeof(struct elf_rela),
				&img->rela, &img->rela_cnt, err);
	if (!rc)
		rc = table_find(img, &vals[DYN_RELR], sizeof(__u64), &img->relr,
				&img->relr_cnt, err);
	return rc;
}

static int header_test(const struct elf_header *h, __u64 len,
		       struct image_error *err)
{
	if ((h->ident & ELF_IDENT_MASK) != ELF_IDENT)
		return image_bad(err, "no ELF file of 64 bits", h->ident);
	if (h->type != ELF_ET_DYN || h->machine != ELF_EM_X86_64)
		return image_bad(err, "no position independent x86-64 image",
				 h->type);
	if (h->phentsize != sizeof(struct elf_phdr) || !h->phnum ||
	    h->phnum > PHDRS_MAX)
		return image_bad(err, "wrong number of program headers",
				 h->phnum);
	if (h->phoff > len ||
	    len - h->phoff < (__u64)h->phnum * sizeof(struct elf_phdr))
		return image_bad(err, "program headers beyond the file",
				 h->phoff);
	return 0;
}

/* Calls one of two functions for each program header of a type */
static int phdrs_each(struct image *img, const struct elf_header *h, __u32 type,
		      int (*fn)(struct image *img, const struct elf_phdr *ph,
				struct image_error *err),
		      struct image_error *err)
{
	struct elf_phdr ph;
	unsigned int i;
	int rc;

	for (i = 0; i < h->phnum; i++) {
		memcpy(&ph, img->file + h->phoff + i * sizeof(ph), sizeof(ph));
		if (ph.type != type)
			continue;
		rc = fn(img, &ph, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int entry_test(struct image *img, __u64 entry, struct image_error *err)
{
	unsigned int i = image_seg_find(img, entry - img->base);

	img->entry = entry - img->base;
	if (i == img->seg_cnt || !(img->seg[i].flags & ELF_PF_X) ||
	    !contents_at(img, entry, 1))
		return image_bad(err, "first instruction outside the code",
				 entry);
	return 0;
}

int image_open_elf(const __u8 *file, __u64 len, struct image *img,
		   struct image_error *err)
{
	struct elf_header h;
	int rc;

	memset(img, 0, sizeof(*img));
	img->file = file;
	img->file_len = len;
	if (len < sizeof(h))
		return image_bad(err, "file too short", len);
	memcpy(&h, file, sizeof(h));
	rc = header_test(&h, len, err);
	if (!rc)
		rc = phdrs_each(img, &h, ELF_PT_LOAD, load_add, err);
	if (!rc && !img->seg_cnt)
		rc = image_bad(err, "no segments", 0);
	if (!rc)
		rc = phdrs_each(img, &h, ELF_PT_DYNAMIC, dynamic_open, err);
	if (!rc)
		rc = phdrs_each(img, &h, PT_PIECES, pieces_open, err);
	if (!rc && img->in_pieces && (img->rela_cnt || img->relr_cnt))
		rc = image_bad(err, "relocations of two kinds",
			       img->rela_cnt + img->relr_cnt);
	if (!rc)
		rc = entry_test(img, h.entry, err);
	return rc;
}

int image_open(const __u8 *data, __sz len, struct image *img,
	       struct image_error *err)
{
	struct payload_header h;
	__u8 digest[SHA256_LEN];

	if (len < sizeof(h))
		return image_bad(err, "file too short", len);
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.magic, PAYLOAD_MAGIC, sizeof(h.magic)) != 0)
		return image_bad(err, "no image of this kind", h.magic[0]);
	if (h.version != PAYLOAD_VERSION || h.flags)
		return image_bad(err, "unknown version", h.version);
	if (h.len > len - sizeof(h))
		return image_bad(err, "file cut off", len);
	sha256(data + sizeof(h), h.len, digest);
	if (memcmp(digest, h.sha256, SHA256_LEN) != 0)
		return image_bad(err, "wrong SHA-256", digest[0]);
	return image_open_elf(data + sizeof(h), h.len, img, err);
}
