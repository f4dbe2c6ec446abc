#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Symbols for a guest that was placed at random, for GDB.

    symbols.py IMAGE.debug CONSOLE-LOG > out.debug

A boot with the word gdb on its command line prints a line for each unit:

    layout: START LEN ADDRESS    hexadecimal; START counts from the lowest
                                 address as linked

An image in one piece needs a distance only. Of one in pieces, this writes a
copy with symbols and debug information as they are for this boot, without
the contents of the image: GDB reads those from the guest. Says on standard
error what to type.
"""
import argparse
import bisect
import dataclasses
import pathlib
import re
import struct
import sys

import elf64

LINE = re.compile(r"layout: (?:0x)?([0-9a-f]+) (?:0x)?([0-9a-f]+) "
                  r"(?:0x)?([0-9a-f]+)\s*$", re.M)
WORD = struct.Struct("<Q")
ALIGN = 16


@dataclasses.dataclass(order=True)
class Unit:
    """What moved as a whole."""

    start: int  # as linked
    len: int
    addr: int


def units_of(log, base):
    """Units from a console's text."""
    units = sorted(Unit(int(start, 16) + base, int(length, 16),
                        int(addr, 16))
                   for start, length, addr in LINE.findall(log))
    if not units:
        raise elf64.Error("the log has no lines of layout: boot with the "
                          "word gdb on the command line")
    for one, two in zip(units, units[1:]):
        if one.start + one.len > two.start:
            raise elf64.Error(f"units at {one.start - base:#x} and "
                              f"{two.start - base:#x} overlap: is it the log "
                              "of one boot?")
    return units


class Moved:
    """Where a linked image is."""

    def __init__(self, elf, units):
        self.elf, self.units = elf, units
        self.starts = [unit.start for unit in units]
        self.distance = {
            section.index: self.unit_distance(section.addr)
            for section in elf.sections if section.has(elf64.SHF_ALLOC)}

    def unit_distance(self, addr):
        """How far the unit at an address as linked has moved."""
        at = bisect.bisect_right(self.starts, addr) - 1
        unit = self.units[at]
        if at < 0 or addr >= unit.start + unit.len:
            return 0
        return unit.addr - unit.start

    def symbol_distance(self, symbol):
        """How far a symbol has moved; the values of thread-local ones count
        from the start of a thread's data."""
        if symbol.type == elf64.STT_TLS:
            return 0
        return self.distance.get(symbol.shndx, 0)

    def symbols(self, section):
        """The symbol table."""
        data = bytearray(self.elf.bytes(section))
        for number, symbol in enumerate(self.elf.symbols):
            distance = self.symbol_distance(symbol)
            at = number * elf64.SYM.size + 8
            self.add(data, at, distance)
        return data

    @staticmethod
    def add(data, at, distance):
        """Adds to a word."""
        value = WORD.unpack_from(data, at)[0] + distance
        WORD.pack_into(data, at, value & (1 << 64) - 1)

    def debug(self, section):
        """A section of debug information: addresses of the image change,
        offsets into other such sections do not."""
        data = bytearray(self.elf.bytes(section))
        for reloc in self.elf.relocs(section):
            distance = self.symbol_distance(reloc.symbol)
            if not distance:
                continue
            if reloc.type != elf64.R_64:
                raise elf64.Error(f"{self.elf.path}: {section.name}: address "
                                  f"of type {reloc.type}")
            self.add(data, reloc.offset, distance)
        return data

    def contents(self, section):
        """What a section of the copy has."""
        if section.has(elf64.SHF_ALLOC) or \
                section.type in (elf64.SHT_NOBITS, elf64.SHT_RELA):
            return b""
        if section.type == elf64.SHT_SYMTAB:
            return self.symbols(section)
        if section.name.startswith(".debug_"):
            return self.debug(section)
        return self.elf.bytes(section)

    def header(self, section, name, offset, size):
        """A section header of the copy."""
        kind, addr, flags = section.type, section.addr, section.flags
        if section.has(elf64.SHF_ALLOC):
            kind, size = elf64.SHT_NOBITS, section.size
            addr += self.distance[section.index]
        elif kind == elf64.SHT_RELA:
            kind, flags, size = 0, 0, 0
        return elf64.SHDR.pack(name, kind, flags, addr & (1 << 64) - 1,
                               offset, size, section.link, section.info,
                               section.align, section.entsize)

    def file(self):
        """The copy. Section headers have the order of the original."""
        head = elf64.EHDR.unpack_from(self.elf.data)
        names = [struct.unpack_from("<I", self.elf.data, head[6] + i *
                                    elf64.SHDR.size)[0]
                 for i in range(head[12])]
        body, table = bytearray(elf64.EHDR.size), b""
        for section, name in zip(self.elf.sections, names):
            body += bytes(-len(body) % ALIGN)
            data = self.contents(section)
            table += self.header(section, name, len(body), len(data))
            body += data
        body += bytes(-len(body) % ALIGN)
        entry = head[4] + self.unit_distance(head[4])
        body[:elf64.EHDR.size] = elf64.EHDR.pack(
            head[0], elf64.ET_EXEC, head[2], 1, entry & (1 << 64) - 1, 0,
            len(body), 0, elf64.EHDR.size, 0, 0, elf64.SHDR.size, head[12],
            head[13])
        return bytes(body) + table


def main():
    """Writes the copy, if there is one to make."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("log", type=pathlib.Path)
    args = parser.parse_args()
    try:
        elf = elf64.Elf(args.image)
        base = elf.loads()[0].vaddr
        units = units_of(args.log.read_text(errors="replace"), base)
        if len(units) == 1:
            distance = units[0].addr - units[0].start & (1 << 64) - 1
            print(f"symbol-file -o {distance:#x} {args.image}",
                  file=sys.stderr)
            return
        if sys.stdout.isatty():
            raise elf64.Error("write the copy to a file: > out.debug")
        sys.stdout.buffer.write(Moved(elf, units).file())
    except elf64.Error as error:
        sys.exit(f"symbols.py: {error}")
    print("symbol-file out.debug", file=sys.stderr)


if __name__ == "__main__":
    main()
