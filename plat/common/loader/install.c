/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/paging.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>
#include <uk/plat/paging.h>

#include "elf.h"
#include "install.h"
#include "loader.h"
#include "pieces.h"
#include "plan.h"
#include "relocate.h"
#include "tables.h"

/* Unmapped addresses between two segments of a library, at least */
#define SEG_GUARD 0x10000UL
#define SEG_TRIES 256

UK_CTASSERT(BOOT_SEGS_MAX == IMAGE_SEGS_MAX);

void __noreturn install_bad(const struct image_error *err)
{
	loader_fail("bad image: %s (0x%lx)", err->what, err->value);
}

static unsigned long seg_attr(const struct image_seg *seg)
{
	unsigned long attr = PAGE_ATTR_PROT_READ;

	if (seg->flags & ELF_PF_W)
		attr |= PAGE_ATTR_PROT_WRITE;
	if (seg->flags & ELF_PF_X)
		attr |= PAGE_ATTR_PROT_EXEC;
	return attr;
}

static const char *seg_kind(const struct image_seg *seg)
{
	if (seg->flags & ELF_PF_X)
		return "text";
	return seg->flags & ELF_PF_W ? "data" : "rodata";
}

/* "image text", "libukalloc data"; a name that is too long is cut */
static void seg_name(char *dst, const char *owner, const char *kind)
{
	const __sz kind_len = strlen(kind);
	__sz len = strnlen(owner, AREA_NAME_LEN - sizeof(" rodata"));

	memcpy(dst, owner, len);
	dst[len++] = ' ';
	memcpy(dst + len, kind, kind_len);
	dst[len + kind_len] = '\0';
}

/* Maps a segment and tells the image about it */
static void seg_add(const struct image_seg *seg, const char *owner,
		    __paddr_t mem, __vaddr_t vaddr)
{
	struct boot_seg *s = &boot_info.seg[boot_info.seg_cnt++];

	seg_name(s->name, owner, seg_kind(seg));
	s->vaddr = vaddr;
	s->len = seg->len;
	s->offset = seg->offset;
	s->attr = seg_attr(seg);
	if (tables_map(vaddr, mem + seg->offset, seg->len >> PAGE_SHIFT,
		       s->attr))
		loader_fail("no memory for page tables");
}

/* Address of `imagebase=`; 0 if there is none */
static __u64 base_wanted(void)
{
	const char *val;
	__u64 base = 0;
	unsigned int digit;

	if (!ukplat_cmdline_find("imagebase", &val))
		return 0;
	if (val[0] == '0' && (val[1] | 0x20) == 'x')
		val += 2;
	for (; *val && *val != ' '; val++) {
		digit = (unsigned int)(*val | 0x20);
		if (digit - '0' < 10)
			digit -= '0';
		else if (digit - 'a' < 6)
			digit -= 'a' - 10;
		else
			loader_fail("imagebase= takes a hexadecimal address");
		base = base << 4 | digit;
	}
	return base;
}

/* Where an image goes that keeps its shape */
static __vaddr_t whole_place(const struct image *img)
{
	__u64 wanted = base_wanted();
	__vaddr_t base;

	if (wanted && !plan_is_free(wanted, img->span))
		loader_fail("imagebase=0x%lx: no place for an image there",
			    wanted);
	if (!wanted && (boot_info.flags & BOOT_IMAGE_FIXED) &&
	    plan_is_free(img->base, img->span))
		wanted = img->base;
	if (!wanted)
		return plan_area("image", img->span, PAGE_SIZE);
	base = wanted;
	plan_area_at("image", base, img->span);
	return base;
}

/* For debuggers: where a part of the image runs (tests/support/symbols.py) */
static void layout_print(__u64 offset, __u64 len, __vaddr_t vaddr)
{
	const char *val;

	if (ukplat_cmdline_find("gdb", &val))
		ukplat_printk("layout: 0x%lx 0x%lx 0x%lx\n", offset, len,
			      vaddr);
}

static __vaddr_t whole_install(const struct image *img, __paddr_t mem)
{
	struct image_error err;
	unsigned int i;
	__vaddr_t base = whole_place(img);

	boot_info.area[boot_info.area_cnt - 1].image = 1;
	image_copy(img, (__u8 *)mem);
	if (image_relocate(img, (__u8 *)mem, base, &err))
		install_bad(&err);
	for (i = 0; i < img->seg_cnt; i++)
		seg_add(&img->seg[i], "image", mem, base + img->seg[i].offset);
	layout_print(0, img->span, base);
	return base + img->entry;
}

/* Tells whether a segment at a place comes too close to those before it */
static int seg_collides(const struct image *img, const __u64 *vaddr,
			unsigned int first, unsigned int seg)
{
	unsigned int i;

	for (i = first; i < seg; i++)
		if (vaddr[seg] < vaddr[i] + img->seg[i].len + SEG_GUARD &&
		    vaddr[i] < vaddr[seg] + img->seg[seg].len + SEG_GUARD)
			return 1;
	return 0;
}

/* Draws places for the segments of a library within its window */
static void lib_place(const struct image *img, unsigned int first,
		      unsigned int end, __u64 *vaddr)
{
	const char *name = pieces_lib_name(img, pieces_lib_of(img, first));
	__vaddr_t window = plan_area("library", PIECES_WINDOW, PAGE_SIZE);
	unsigned int seg, tries;
	__u64 places;

	area_set(&boot_info.area[boot_info.area_cnt - 1], name, window,
		 PIECES_WINDOW);
	boot_info.area[boot_info.area_cnt - 1].image = 1;
	for (seg = first; seg < end; seg++) {
		if (img->seg[seg].len > PIECES_WINDOW / 4)
			loader_fail("library %.31s is too large", name);
		places = (PIECES_WINDOW - img->seg[seg].len) / PAGE_SIZE + 1;
		tries = SEG_TRIES;
		do {
			if (!tries--)
				loader_fail("no place for %.31s", name);
			vaddr[seg] = window +
				     loader_uniform(__NULL, places) * PAGE_SIZE;
		} while (seg_collides(img, vaddr, first, seg));
	}
}

/* Libraries at their own places, in no order */
static void libs_place(const struct image *img, __u64 *vaddr)
{
	unsigned int first = 0, end;

	while (first < img->seg_cnt) {
		for (end = first + 1;
		     end < img->seg_cnt &&
		     pieces_lib_of(img, end) == pieces_lib_of(img, first);)
			end++;
		lib_place(img, first, end, vaddr);
		first = end;
	}
}

/* The image keeps its shape, as linked or where it was asked to be */
static void libs_keep(const struct image *img, __u64 *vaddr)
{
	__vaddr_t base = whole_place(img);
	unsigned int i;

	boot_info.area[boot_info.area_cnt - 1].image = 1;
	for (i = 0; i < img->seg_cnt; i++)
		vaddr[i] = base + img->seg[i].offset;
}

static __vaddr_t pieces_install(const struct image *img, __paddr_t mem)
{
	const __u32 cnt = img->pieces.unit_cnt;
	struct pieces_unit_state *units;
	__u64 vaddr[IMAGE_SEGS_MAX];
	struct image_error err;
	unsigned int i;
	__sz len = cnt * (sizeof(*units) + sizeof(__u32));

	units = (void *)plan_memory("units", ALIGN_UP(len, PAGE_SIZE),
				    MEMREGION_LOADER);
	if (pieces_units_read(img, units, &err))
		install_bad(&err);
	if (boot_info.flags & BOOT_IMAGE_FIXED || base_wanted()) {
		libs_keep(img, vaddr);
	} else {
		libs_place(img, vaddr);
		pieces_shuffle(units, cnt, (__u32 *)(units + cnt),
			       loader_uniform, __NULL);
	}
	pieces_place(img, units, vaddr);
	pieces_copy(img, units, (__u8 *)mem);
	if (pieces_relocate(img, units, (__u8 *)mem, &err))
		install_bad(&err);
	for (i = 0; i < img->seg_cnt; i++)
		seg_add(&img->seg[i],
			pieces_lib_name(img, pieces_lib_of(img, i)), mem,
			vaddr[i]);
	for (i = 0; i < cnt; i++)
		layout_print(units[i].start, units[i].len,
			     img->base + units[i].start + units[i].distance);
	return pieces_vaddr(img, units, img->entry);
}

__vaddr_t install_image(const struct image *img)
{
	__paddr_t mem = plan_memory("the image", img->span, MEMREGION_USED);

	return img->in_pieces ? pieces_install(img, mem) :
				whole_install(img, mem);
}
