# SPDX-License-Identifier: BSD-3-Clause
"""Planted mistakes of the TLB shootdown, and the case that finds each.

Mistakes whose window is a few instructions wide, or that need what QEMU does
not have (caches of page table entries), are left to the model of the
protocol.
"""
from mutant import Mutant, Change

TLB = "plat/common/tlb.c"
SYNC = "plat/common/tlb_sync.c"
QUEUE = "plat/common/tlbq.c"
UNMAP = "plat/common/pt_unmap.c"
LAZY = "plat/common/pt_lazy.c"
LEAVE = "plat/common/pt_leave.c"
LCPU = "plat/common/lcpu.c"

MUTANTS = [
    Mutant("no interrupt is sent", "unmapped_pages_are_forgotten", [
        Change("plat/common/x86/ipi.c",
               "\tlapic_ipi_send(target->apic_id, LAPIC_VECTOR_TLB);\n",
               "\t(void)target;\n")]),
    Mutant("nobody waits", "a_stuck_cpu_is_reached_by_nmi", [
        Change(SYNC, "\twhile (!target_has_passed(target, gen, both)) {\n",
               "\twhile (target_has_passed(target, gen, both) && 0) "
               "{\n")]),
    Mutant("the interrupt handler does not flush",
           "unmapped_pages_are_forgotten", [
               Change(TLB, "\tflush_between(self, seen, gen);\n",
                      "\t(void)flush_between;\n")]),
    Mutant("the handler flushes one page less",
           "unmapped_pages_are_forgotten", [
               Change(TLB, "\tfor (; pages; pages--, vaddr += 4096)\n",
                      "\tfor (; pages > 1; pages--, vaddr += 4096)\n")]),
    Mutant("long ranges are taken for short ones",
           "many_unmapped_pages_are_forgotten", [
               Change(TLB, "\treturn *pages != REQ_PAGES_ALL;\n",
                      "\t*pages = 0;\n\treturn 1;\n")]),
    Mutant("addresses of the upper half lose their upper bits",
           "unmapped_areas_are_forgotten", [
               Change(TLB, "\t*vaddr = (__vaddr_t)((__s64)(req <<",
                      "\t*vaddr = (__vaddr_t)((__u64)(req <<")]),
    Mutant("shootdown before the entries change", "remapped_pages_are_seen", [
        Change(UNMAP, "\tu.kind = zombie_kind(vaddr, flags);\n",
               "\tu.kind = zombie_kind(vaddr, flags);\n"
               "\tukplat_tlb_shootdown(vaddr, pages);\n"),
        Change(UNMAP,
               "!(flags & PAGE_FLAG_NO_FLUSH))\n"
               "\t\tukplat_tlb_shootdown(vaddr, pages);\n",
               "!(flags & PAGE_FLAG_NO_FLUSH))\n"
               "\t\tukplat_tlb_flush_local(vaddr, pages);\n")]),
    Mutant("rights are taken away without a shootdown",
           "protected_pages_cannot_be_written", [
               Change("plat/common/pt_attr.c",
                      "\tif (change == ATTR_LESS)\n",
                      "\tif (change > ATTR_LESS)\n")]),
    Mutant("new rights are told everybody", "new_rights_disturb_nobody", [
        Change("plat/common/pt_attr.c", "\tif (change == ATTR_LESS)\n",
               "\tif (change != ATTR_SAME)\n")]),
    Mutant("all have passed, always", "frames_wait_for_a_cpu_that_remembers",
           [Change(SYNC, "\t\tif (!target_has_passed(lcpus[i], gen, 0))\n"
                   "\t\t\treturn 0;\n",
                   "\t\t(void)lcpus;\n")]),
    Mutant("batches are reaped at once",
           "frames_wait_for_a_cpu_that_remembers", [
               Change(QUEUE, "\t\tif (!ukplat_tlb_passed(batch->gen))\n",
                      "\t\tif (!batch->gen)\n")]),
    Mutant("lazy zombies do not keep their addresses",
           "addresses_wait_for_a_cpu_that_remembers", [
               Change(UNMAP, "\tif (flags & PAGE_FLAG_LAZY && va <",
                      "\tif (flags & PAGE_FLAG_LAZY)\n\t\treturn 0;\n"
                      "\tif (flags & PAGE_FLAG_LAZY && va <")]),
    Mutant("a full quarantine does not wait", "a_full_quarantine_asks", [
        Change(QUEUE, "\t\tq->stats.syncs++;\n", "\t\tbreak;\n")]),
    Mutant("who unmaps lazily remembers",
           "lazily_unmapped_pages_fault_here_at_once", [
               Change(LEAVE, "\tukplat_tlb_flush_local(u->run, "
                      "u->run_pages);\n", "")]),
    Mutant("who drains another queue takes it for flushed",
           "who_drains_forgets_too", [
               Change(LAZY, "\t\tfn(q, 0);\n", "\t\tfn(q, 1);\n")]),
    Mutant("CPUs sleep with their translations",
           "sleeping_cpus_forget_undisturbed", [
               Change(LCPU, "\t\tukarch_cr3_write(root);\n", ""),
               Change(LCPU, "\t\tlcpu_tlb_reset(self, "
                      "ukplat_pt_get_active()->pt_pbase);\n\telse\n",
                      "\t\tlcpu_tlb_raise(self, ukplat_tlb_gen);\n"
                      "\telse\n")]),
    Mutant("sleepers are woken up", "sleeping_cpus_forget_undisturbed", [
        Change(SYNC, "\treturn !both && __atomic_load_n(&target->idle,",
               "\treturn both > 1 && __atomic_load_n(&target->idle,")]),
    Mutant("an NMI does not flush", "a_stuck_cpu_is_reached_by_nmi", [
        Change("plat/common/x86/ipi.c", "\tlcpu_tlb_nmi_handler();\n",
               "")]),
    Mutant("no NMI is sent", "a_stuck_cpu_is_reached_by_nmi", [
        Change("plat/common/x86/ipi.c",
               "\tlapic_nmi_send(target->apic_id);\n",
               "\t(void)target;\n")]),
    Mutant("who waits does not answer", "deaf_cpus_wait_for_each_other", [
        Change(SYNC, "\t\t/* The target may be waiting for this CPU */\n"
               "\t\tukplat_tlb_poll();\n", "")]),
    Mutant("empty tables are forgotten", "tables_come_back", [
        Change(LAZY, "\tpt_frames_free(&tables);\n",
               "\t(void)tables;\n")]),
    Mutant("frames are not verified", "crime=stale_write", [
        Change("plat/common/pt_collect.c", "\t\tchunk_verify(&chunk, va, "
               "kind);\n", "\t\t(void)chunk_verify;\n")]),
    Mutant("frames are not cleared", "tests=frames_wait*", [
        Change(LEAVE, "\t\tvector_page_clear(pt_data(pt_load(pte++) &"
               " X86_PTE_PADDR_MASK));\n", "\t\tpte++;\n")]),
    Mutant("tables are cut off and not flushed", "tests=used_pages*", [
        Change(LEAVE, "\tukplat_tlb_flush_local(u->cut->va, "
               "u->cut->pages);\n", "")]),
    Mutant("frames stay in laden tables", "tests=used_pages*", [
        Change("plat/common/pt_laden.c", "\t\tframe_put_dirty(list, n);\n",
               "")]),
]
