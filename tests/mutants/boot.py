# SPDX-License-Identifier: BSD-3-Clause
"""Planted mistakes of the loader and of the start of the image, and the case
that finds each.
"""
from mutant import Mutant, Change

BOOT = "plat/common/boot.c"
INSTALL = "plat/common/loader/install.c"
PLAN = "plat/common/loader/plan.c"

IDENTITY = """\tint rc = tables_map(LOWMEM_END, LOWMEM_END, 1, {rights});

\tif (!rc)
\t\trc = tables_window();
"""


def identity(rights):
    """Maps a page of the loader where it is."""
    return Change(PLAN, "\tint rc = tables_window();\n",
                  IDENTITY.format(rights=rights))


MUTANTS = [
    Mutant("memory of the loader is not cleared", "loader_leaves_no_trace", [
        Change(BOOT, "\tloader_wipe();\n", "\t(void)loader_wipe;\n")]),
    Mutant("more of a segment is mapped than is told",
           "code_is_where_the_map_says", [
               Change(INSTALL, "\ts->len = seg->len;\n",
                      "\ts->len = seg->len - PAGE_SIZE;\n")]),
    Mutant("code may be written", "no_page_is_writable_and_executable", [
        Change(INSTALL, "\t\tattr |= PAGE_ATTR_PROT_EXEC;\n",
               "\t\tattr |= PAGE_ATTR_PROT_EXEC | PAGE_ATTR_PROT_WRITE;\n")
    ]),
    Mutant("memory in the direct map may be executed",
           "code_is_where_the_map_says", [
               Change("plat/common/pt.h", "X86_PTE_RW | X86_PTE_NX | "
                      "X86_PTE_ACCESSED | ",
                      "X86_PTE_RW | X86_PTE_ACCESSED | ")]),
    Mutant("code of the loader stays mapped",
           "memory_of_the_loader_is_only_data",
           [identity("PAGE_ATTR_PROT_EXEC")]),
    Mutant("a page stays at its physical address",
           "nothing_is_mapped_at_its_physical_address",
           [identity("PAGE_ATTR_PROT_READ")]),
]
