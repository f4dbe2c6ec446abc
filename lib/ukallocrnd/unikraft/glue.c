/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unikraft 0.17, x86_64. What newer versions call differently is changed here
 * and nowhere else.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/common/lcpu.h>
#include <uk/plat/memory.h>
#include <uk/plat/tls.h>
#if CONFIG_PAGING
#include <uk/falloc.h>
#include <uk/plat/paging.h>
#endif
#if CONFIG_LIBUKVMEM
#include <uk/vma_types.h>
#include <uk/vmem.h>
#endif
#if CONFIG_LIBUKCONSOLE
#include <uk/console.h>
#endif
#if CONFIG_HAVE_SMP
#include <uk/arch/traps.h>
#include <uk/intctlr.h>
#include <uk/intctlr/apic.h>
#include <uk/init.h>
#endif

#include "generation.h"
#include "glue.h"
#include "serial.h"
#include "table.h"

#if CONFIG_HAVE_SMP
UK_CTASSERT(LCPU_IDX_OFFSET == RND_GLUE_CPU_OFFSET);
#endif
#ifdef CONFIG_PAGING_5LEVEL
#error "ukallocrnd: page tables of five levels are not supported: disable them"
#endif

static __u64 cr3_get(void)
{
	__u64 cr3;

	__asm__ __volatile__("movq %%cr3, %0" : "=r"(cr3));
	return cr3;
}

void rnd_glue_forget(__uptr addr)
{
	__asm__ __volatile__("invlpg (%0)" : : "r"(addr) : "memory");
}

void rnd_glue_forget_all(void)
{
	__asm__ __volatile__("movq %0, %%cr3" : : "r"(cr3_get()) : "memory");
}

#define MSR_EFER     0xc0000080U
#define MSR_EFER_NXE (1U << 11)

void rnd_glue_cpu_prepare(void)
{
	__u32 low, high;

	__asm__ __volatile__("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
	__asm__ __volatile__("wrmsr"
			     :
			     : "c"(MSR_EFER), "a"(low | MSR_EFER_NXE), "d"(high)
			     : "memory");
}

#if CONFIG_PAGING

__u64 *rnd_glue_root(void)
{
	return (__u64 *)ukplat_pt_get_active()->pt_vbase;
}

/* A temporary mapping that is the direct map, and lasts */
void *rnd_glue_frame(__paddr_t frame)
{
	return (void *)ukplat_page_kmap(ukplat_pt_get_active(), frame, 1, 0);
}

static struct uk_falloc *frames(void)
{
	return ukplat_pt_get_active()->fa;
}

int rnd_glue_frame_get_run(__sz cnt, __paddr_t *first)
{
	*first = __PADDR_ANY;

	return frames()->falloc(frames(), first, cnt, 0) ? -ENOMEM : 0;
}

int rnd_glue_frame_get(__paddr_t *frame)
{
	return rnd_glue_frame_get_run(1, frame);
}

void rnd_glue_frame_put(__paddr_t frame)
{
#if CONFIG_HAVE_SMP
	int rc = rnd_serial_frame_put(frames(), frame);
#else
	int rc = frames()->ffree(frames(), frame, 1);
#endif

	UK_ASSERT(!rc);
	(void)rc;
}

__sz rnd_glue_frames_total(void)
{
	return frames()->total_memory;
}

__sz rnd_glue_frames_free(void)
{
	return frames()->free_memory;
}

__sz rnd_glue_regions_total(void)
{
	return 0;
}

__bool rnd_glue_is_mapped(__uptr addr, __bool is_write, __bool is_exec)
{
	unsigned int level = PAGE_LEVEL;
	__pte_t pte;

	if (ukplat_pt_walk(ukplat_pt_get_active(), PAGE_ALIGN_DOWN(addr),
			   &level, __NULL, &pte))
		return 0;

	return PT_Lx_PTE_PRESENT(pte, level) && PAGE_Lx_IS(pte, level) &&
	       (!is_write || pte & X86_PTE_RW) &&
	       (!is_exec || !(pte & X86_PTE_NX));
}

#if CONFIG_LIBUKVMEM

static int area_fault(struct uk_vma *vma __unused,
		      struct uk_vm_fault *fault __unused)
{
	return -EFAULT;
}

static int area_unmap(struct uk_vma *vma __unused, __vaddr_t vaddr __unused,
		      __sz len __unused)
{
	return -EPERM;
}

static int area_split(struct uk_vma *vma __unused, __vaddr_t vaddr __unused,
		      struct uk_vma **new_vma __unused)
{
	return -EPERM;
}

static int area_set_attr(struct uk_vma *vma __unused,
			 unsigned long attr __unused)
{
	return -EPERM;
}

/* Pages of objects are there already: drivers ask for that before they use a
 * buffer. They cannot be taken away
 */
static int area_advise(struct uk_vma *vma __unused, __vaddr_t vaddr __unused,
		       __sz len __unused, unsigned long advice)
{
	return advice & UK_VMA_ADV_DONTNEED ? -EPERM : 0;
}

/* An area that nobody can map over, unmap or change */
static const struct uk_vma_ops window_ops = {
	.fault = area_fault,
	.unmap = area_unmap,
	.split = area_split,
	.set_attr = area_set_attr,
	.advise = area_advise,
};

/* Memory that ukboot gives is the rest of an area, at the start of which the
 * first heap was
 */
static int heap_area_unmap(struct uk_vas *vas, __uptr addr)
{
	const struct uk_vma *vma = uk_vma_find(vas, addr);

	return vma ? uk_vma_unmap(vas, vma->start, vma->end - vma->start, 0) :
		     -EINVAL;
}

static int window_keep(struct uk_vas *vas)
{
	__vaddr_t vaddr = RND_WINDOW_START;

	return uk_vma_map(vas, &vaddr, RND_WINDOW_END - RND_WINDOW_START,
			  PAGE_ATTR_PROT_NONE, 0, "ukallocrnd", &window_ops,
			  __NULL);
}

#endif

int rnd_glue_heap_unmap(__uptr addr, __sz len)
{
#if CONFIG_HAVE_SMP
	rnd_serial_frames(frames());
#endif
#if CONFIG_LIBUKVMEM
	struct uk_vas *vas = uk_vas_get_active();

	if (vas) {
		/* Once, at boot: what comes later is not the rest of an area
		 * that ukboot has made for a heap
		 */
		if (uk_vma_find(vas, RND_WINDOW_START))
			return -EINVAL;
		return heap_area_unmap(vas, addr) ? -EINVAL : window_keep(vas);
	}
#endif
	return ukplat_page_unmap(ukplat_pt_get_active(), addr,
				 len >> PAGE_SHIFT, 0) ?
		       -EINVAL :
		       0;
}

#else /* !CONFIG_PAGING */

/* The boot page tables map the first 4 GiB where they are */
__u64 *rnd_glue_root(void)
{
	return (__u64 *)(cr3_get() & ~0xfffUL);
}

void *rnd_glue_frame(__paddr_t frame)
{
	return (void *)frame;
}

int rnd_glue_frame_get(__paddr_t *frame __unused)
{
	return -ENOMEM;
}

int rnd_glue_frame_get_run(__sz cnt __unused, __paddr_t *first __unused)
{
	return -ENOMEM;
}

void rnd_glue_frame_put(__paddr_t frame __unused) {}

__sz rnd_glue_frames_total(void)
{
	return 0;
}

__sz rnd_glue_frames_free(void)
{
	return 0;
}

__sz rnd_glue_regions_total(void)
{
	struct ukplat_memregion_desc *md;
	__sz len = 0;

	ukplat_memregion_foreach(&md, UKPLAT_MEMRT_FREE, 0, 0) len += md->len;

	return len;
}

int rnd_glue_heap_unmap(__uptr addr __unused, __sz len __unused)
{
	return -EINVAL;
}

__bool rnd_glue_is_mapped(__uptr addr __unused, __bool is_write __unused,
			  __bool is_exec __unused)
{
	return 0;
}

#endif

#if CONFIG_HAVE_SMP

static unsigned int shootdown_irq;

__bool rnd_glue_cpu_is_started(__u32 cpu)
{
	int state;

	if (cpu >= ukplat_lcpu_count())
		return 0;
	state = lcpu_get(cpu)->state;

	return state != LCPU_STATE_OFFLINE && state != LCPU_STATE_HALTED;
}

/* A write of the x2APIC's command register passes earlier stores: the changes
 * of page tables must be seen first
 */
void rnd_glue_cpu_interrupt(__u32 cpu)
{
	if (!shootdown_irq)
		return;
	__asm__ __volatile__("mfence; lfence" : : : "memory");
	apic_send_ipi((int)shootdown_irq, (int)lcpu_get(cpu)->id);
}

/* NMIs that were sent and have not arrived: any other one is not ours */
static __u8 nmi_sent[CONFIG_UKPLAT_LCPU_MAXCOUNT];

void rnd_glue_cpu_nmi(__u32 cpu)
{
	/* A CPU that is just starting cannot take one, and waits for nobody */
	if (!lcpu_state_is_online(lcpu_get(cpu)->state))
		return;
	/* One at a time: a CPU takes two that come together as one */
	if (__atomic_exchange_n(&nmi_sent[cpu], 1, __ATOMIC_SEQ_CST))
		return;
	__asm__ __volatile__("mfence; lfence" : : : "memory");
	apic_send_nmi((int)lcpu_get(cpu)->id);
}

static int on_nmi(void *arg __unused)
{
	if (!__atomic_exchange_n(&nmi_sent[rnd_glue_cpu()], 0,
				 __ATOMIC_SEQ_CST))
		return UK_EVENT_NOT_HANDLED;
	rnd_generation_ack();

	return UK_EVENT_HANDLED;
}
UK_EVENT_HANDLER(UKARCH_TRAP_NMI, on_nmi);

static int on_shootdown(void *arg __unused)
{
	rnd_generation_ack();
	return 1;
}

/* Interrupts up to 16 have another meaning for the old controller, and are
 * acknowledged there, too
 */
static int shootdown_init(struct uk_init_ctx *ctx __unused)
{
	unsigned int irq[2];
	int rc;

	rc = uk_intctlr_irq_alloc(irq, 2);
	if (unlikely(rc))
		return rc;
	(void)uk_intctlr_irq_free(&irq[0], 1);
	rc = uk_intctlr_irq_register(irq[1], on_shootdown, __NULL);
	if (unlikely(rc))
		return rc;
	shootdown_irq = irq[1];

	return 0;
}
uk_early_initcall(shootdown_init, 0);

#endif

/* It is in the thread's TLS */
void rnd_glue_errno(int number)
{
	if (ukplat_tlsp_get())
		errno = number;
}

void rnd_glue_print(const char *text __maybe_unused, __sz len __maybe_unused)
{
#if CONFIG_LIBUKCONSOLE
	(void)uk_console_out(text, len);
#endif
}

void __noreturn rnd_glue_crash(void)
{
	ukplat_terminate(UKPLAT_CRASH);
}
