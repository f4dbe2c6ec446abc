#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turns a linked image into the file that the loader reads.

    payload.py [--verbose] IMAGE PAYLOAD

An ELF file with program headers and contents only, behind the header of
plat/common/loader/payload.h. An image without a dynamic section is in pieces
(pieces.py); of one in one piece, the table of instructions that may fault is
sorted here, because all its addresses change alike.
"""
import argparse
import hashlib
import pathlib
import struct
import sys

import elf64
import pieces

MAGIC = b"ukimage\0"
VERSION = 1
HEADER = struct.Struct("<8sIIQ32s8x")
PT_PIECES = 0x6b756b70
ENTRY = struct.Struct("<QQ")
WORD = struct.Struct("<Q")
ALIGN = 16


def up(value, align):
    """The next multiple."""
    return -(-value // align) * align


class Words:
    """Words of an image in one piece before it is relocated: with RELA they
    are in the table of relocations, too."""

    def __init__(self, elf):
        self.elf = elf
        self.data = bytearray(elf.data)
        self.addend_at = {}
        table = next((s for s in elf.sections if s.name == ".rela.dyn"), None)
        entries = elf64.RELA.iter_unpack(elf.bytes(table)) if table else ()
        for number, (site, info, _) in enumerate(entries):
            if info != elf64.R_RELATIVE:
                raise elf64.Error(f"{elf.path}: dynamic relocation of "
                                  f"unknown type {info & 0xffffffff}")
            self.addend_at[site] = table.offset + (number + 1) * \
                elf64.RELA.size - WORD.size

    def places(self, section, at):
        """Where the word at an offset of a section is in the file."""
        addend = self.addend_at.get(section.addr + at)
        return [section.offset + at] + ([addend] if addend else [])

    def get(self, section, at):
        """A word: as the relocation has it."""
        return WORD.unpack_from(self.data, self.places(section, at)[-1])[0]

    def set(self, section, at, value):
        """Changes it in all places."""
        for place in self.places(section, at):
            WORD.pack_into(self.data, place, value)


def sort_table(words):
    """Sorts .uk_extable by the addresses of instructions."""
    section = next((s for s in words.elf.sections
                    if s.name == ".uk_extable"), None)
    if not section:
        return
    if section.size % ENTRY.size:
        raise elf64.Error(f"{words.elf.path}: .uk_extable ends within an "
                          "entry")
    starts = range(0, section.size, ENTRY.size)
    entries = sorted((words.get(section, at),
                      words.get(section, at + WORD.size)) for at in starts)
    for at, (insn, fixup) in zip(starts, entries):
        words.set(section, at, insn)
        words.set(section, at + WORD.size, fixup)


def elf_file(entry, headers):
    """An ELF file of (segment, contents); contents of None lie in those of
    another segment."""
    at = elf64.EHDR.size + len(headers) * elf64.PHDR.size
    table, body, starts = [], [], {}
    for segment, contents in headers:
        if contents is None:
            outer = next(s for s in starts if segment.vaddr in s)
            offset = starts[outer] + segment.vaddr - outer.vaddr
        else:
            body.append(bytes(up(at, ALIGN) - at) + bytes(contents))
            offset = starts[segment] = up(at, ALIGN)
            at = offset + len(contents)
        table.append(elf64.PHDR.pack(
            segment.type, segment.flags, offset, segment.vaddr, segment.vaddr,
            segment.filesz, segment.memsz, segment.align))
    head = elf64.EHDR.pack(
        elf64.IDENT, elf64.ET_DYN, elf64.EM_X86_64, 1, entry,
        elf64.EHDR.size, 0, 0, elf64.EHDR.size, elf64.PHDR.size, len(headers),
        64, 0, 0)
    return head + b"".join(table + body)


def one_piece(elf):
    """PT_LOAD and PT_DYNAMIC as they are, with the table sorted."""
    words = Words(elf)
    sort_table(words)
    headers = [(s, words.data[s.offset:s.offset + s.filesz])
               for s in elf.loads()]
    headers += [(s, None) for s in elf.segments
                if s.type == elf64.PT_DYNAMIC]
    return elf_file(elf.entry, headers)


def in_pieces(elf):
    """PT_LOAD with offset tables of their own, and PT_PIECES."""
    parts = pieces.Pieces(elf)
    table = parts.table()
    headers = list(zip(parts.loads, parts.code))
    headers.append((elf64.Segment(PT_PIECES, elf64.PF_R, 0, 0, 0, len(table),
                                  0, ALIGN), table))
    return elf_file(elf.entry, headers), parts


def payload(elf):
    """(the file, what it consists of)."""
    if any(s.type == elf64.PT_DYNAMIC for s in elf.segments):
        data, words = one_piece(elf), "one piece"
    else:
        data, parts = in_pieces(elf)
        words = (f"{len(parts.libs)} libraries, {len(parts.units)} units, "
                 f"{len(parts.fixups)} fixups, {len(parts.slots)} slots")
    header = HEADER.pack(MAGIC, VERSION, 0, len(data),
                         hashlib.sha256(data).digest())
    return header + data, words


def main():
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verbose", action="store_true",
                        help="say what it consists of")
    parser.add_argument("image")
    parser.add_argument("payload", type=pathlib.Path)
    args = parser.parse_args()
    try:
        data, words = payload(elf64.Elf(args.image))
    except elf64.Error as error:
        sys.exit(f"payload.py: {error}")
    args.payload.write_bytes(data)
    if args.verbose:
        print(f"{args.payload}: {len(data)} bytes, {words}")


if __name__ == "__main__":
    main()
