# SPDX-License-Identifier: BSD-3-Clause
"""Units, offset tables and fixups of an image in pieces.

The linker was told to keep relocations and to relax nothing. Of each, it is
tested that the linker did what the relocation says; then references to the
offset table get a slot of their own library, or no slot at all, and whatever
depends on where a unit is becomes a fixup (plat/common/loader/payload.h).
"""
import dataclasses
import struct

import elf64
import gotref

UNIT_MOVE, UNIT_SORT, RELATIVE = 1, 2, 1 << 31
ALIGN = 16
SLOT = struct.Struct("<Q")
NEAR = struct.Struct("<i")
HEADER = struct.Struct("<5I12x")
LIB, SEG, UNIT, FIXUP = (struct.Struct(f) for f in
                         ("<32s", "<I", "<IIHH", "<II"))
VERSION = 1
LIB_NAME_MAX = 31
FLAGS = {".move": UNIT_MOVE, ".uk_extable": UNIT_SORT}
CODE_FILL = 0xcc


@dataclasses.dataclass
class Unit:
    """What moves as a whole; start is an address as linked."""

    start: int
    len: int
    seg: int
    flags: int
    lib: str


def flags_of(section):
    """UNIT_* of an output section, by its name."""
    return next((flags for start, flags in FLAGS.items()
                 if section.name.startswith(start + ".")), 0)


def lib_of(section):
    """The library of an output section, by its name."""
    return section.name.rpartition(".")[2]


class Pieces:
    """An image: its segments, which are changed in place, and tables."""

    def __init__(self, elf):
        self.elf = elf
        self.got = next((s for s in elf.sections if s.name == ".got"), None)
        self.loads = [load for load in elf.loads()
                      if not self.got or self.got.addr not in load]
        self.base = self.loads[0].vaddr
        self.code = [self.contents(load) for load in self.loads]
        self.units, self.unit_of, self.fixups = [], {}, []
        self.slots, self.room, self.libs = {}, {}, []
        self.unit_tables()
        for section in elf.sections:
            if section.index in self.unit_of:
                for reloc in elf.relocs(section):
                    self.relocate(section, reloc)
        self.fixups.sort()

    def contents(self, load):
        """Bytes of a segment; what lies between functions is int3."""
        start = load.offset
        code = bytearray(self.elf.data[start:start + load.filesz])
        if load.flags & elf64.PF_X:
            fill = bytearray([CODE_FILL]) * len(code)
            for section in self.sections(load):
                at = section.addr - load.vaddr
                fill[at:at + section.size] = code[at:at + section.size]
            code = fill
        return code

    def sections(self, load):
        """Output sections in a segment, by address."""
        return sorted((s for s in self.elf.sections if s.size and
                       s.has(elf64.SHF_ALLOC) and s.addr in load),
                      key=lambda s: s.addr)

    def unit_tables(self):
        """Units, and which one a section is in."""
        for seg, load in enumerate(self.loads):
            for section in self.sections(load):
                self.unit_add(seg, section, flags_of(section))
            lib = self.units[-1].lib
            if lib not in self.libs:
                self.libs.append(lib)
            if len(lib) > LIB_NAME_MAX:
                raise elf64.Error(f"{lib}: a library's name may have "
                                  f"{LIB_NAME_MAX} characters")

    def unit_add(self, seg, section, flags):
        """A new unit, unless the section goes on with the last one."""
        lib = lib_of(section)
        end = section.addr + section.size
        last = self.units[-1] if self.units else None
        if last and last.seg == seg and last.lib != lib:
            raise elf64.Error(f"{section.name}: in a segment of {last.lib}")
        if last and last.seg == seg and not last.flags and not flags:
            last.len = end - last.start
        else:
            self.units.append(Unit(section.addr, section.size, seg, flags,
                                   lib))
        if section.name.startswith(".slots."):
            self.room[lib] = [section, 0]
        self.unit_of[section.index] = len(self.units) - 1

    def place(self, section, addr):
        """(contents of the segment, offset) of an address in a section."""
        seg = self.units[self.unit_of[section.index]].seg
        at = addr - self.loads[seg].vaddr
        if not 0 <= at < len(self.code[seg]):
            raise elf64.Error(f"{section.name}: a relocation in memory "
                              "without contents")
        return self.code[seg], at

    def fail(self, section, reloc, what):
        """Stops with the place."""
        raise elf64.Error(f"{self.elf.path}: {section.name}+"
                          f"{reloc.offset - section.addr:#x}: {what}")

    def relocate(self, section, reloc):
        """One relocation: tested, and turned into fixups."""
        unit = self.target(section, reloc)
        if reloc.type == elf64.R_64:
            self.expect(section, reloc, SLOT, reloc.symbol.value +
                        reloc.addend)
            if unit is not None:
                self.fixups.append((reloc.offset, unit))
        elif reloc.type == elf64.R_TPOFF32:
            self.thread_local(section, reloc)
        elif reloc.type in (elf64.R_PC32, elf64.R_PLT32):
            self.expect(section, reloc, NEAR, reloc.symbol.value +
                        reloc.addend - reloc.offset)
            self.near(section, reloc, reloc.offset, unit)
        elif reloc.type in elf64.R_GOT:
            self.via_table(section, reloc, unit)
        elif reloc.type != elf64.R_NONE:
            self.fail(section, reloc,
                      f"relocation of unknown type {reloc.type}")

    def thread_local(self, section, reloc):
        """A distance to the end of the thread's data: the same everywhere.
        Values of such symbols count from the start of the data."""
        data = self.elf.sections[reloc.symbol.shndx]
        if reloc.symbol.type != elf64.STT_TLS:
            self.fail(section, reloc,
                      f"{reloc.symbol.name} is not thread-local")
        self.expect(section, reloc, NEAR, reloc.symbol.value +
                    reloc.addend - data.size)

    def target(self, section, reloc):
        """Unit of a symbol; None: its value is the same everywhere."""
        shndx = reloc.symbol.shndx
        if shndx in (elf64.SHN_UNDEF, elf64.SHN_ABS):
            return None
        if shndx not in self.unit_of:
            # A section without contents: the border of its neighbours
            self.fail(section, reloc, f"refers to {reloc.symbol.name}, which "
                      "is in no unit")
        return self.unit_of[shndx]

    def expect(self, section, reloc, form, value):
        """The linker wrote the value, and nothing else."""
        code, at = self.place(section, reloc.offset)
        mask = (1 << 8 * form.size) - 1
        if form.unpack_from(code, at)[0] & mask != value & mask:
            self.fail(section, reloc, "the linker wrote another value than "
                      f"that of {reloc.symbol.name}")

    def near(self, section, reloc, site, unit):
        """A distance, which must stay within the library."""
        here = self.unit_of[section.index]
        if unit is None:
            self.fail(section, reloc, f"{reloc.symbol.name} has no distance")
        if self.units[unit].lib != self.units[here].lib:
            self.fail(section, reloc,
                      f"refers to {reloc.symbol.name} of "
                      f"{self.units[unit].lib} by its distance")
        if unit != here:
            self.fixups.append((site, unit | RELATIVE))

    def via_table(self, section, reloc, unit):
        """A reference to the linker's offset table: made direct, or turned
        to the library's own."""
        code, at = self.place(section, reloc.offset)
        got = reloc.offset + NEAR.unpack_from(code, at)[0] - reloc.addend
        if not self.got or got not in self.got or SLOT.unpack_from(
                self.elf.bytes(self.got), got - self.got.addr)[0] != \
                reloc.symbol.value:
            self.fail(section, reloc, "the linker's offset table does not "
                      f"have {reloc.symbol.name} there")
        here = self.units[self.unit_of[section.index]]
        if unit is not None and self.units[unit].lib == here.lib and \
                gotref.form(code, at, reloc.type):
            moved = gotref.relax(code, at, reloc.type)
            site = reloc.offset + moved - at
            value = reloc.symbol.value - site - gotref.END
            self.near(section, reloc, site, unit)
        else:
            moved = at
            addr, slots = self.slot(section, reloc, unit)
            value = addr + reloc.addend - reloc.offset
            self.fixups.append((reloc.offset, slots | RELATIVE))
        NEAR.pack_into(code, moved, value)

    def slot(self, section, reloc, unit):
        """(address, unit) of the slot that the library has for a symbol."""
        lib = lib_of(section)
        key = (lib, reloc.symbol.shndx, reloc.symbol.value)
        room = self.room.get(lib)
        if key not in self.slots:
            if not room or room[1] + SLOT.size > room[0].size:
                self.fail(section, reloc, f"{lib} has too few slots")
            addr = room[0].addr + room[1]
            room[1] += SLOT.size
            self.slots[key] = addr
            code, at = self.place(room[0], addr)
            SLOT.pack_into(code, at, reloc.symbol.value)
            if unit is not None:
                self.fixups.append((addr, unit))
        return self.slots[key], self.unit_of[room[0].index]

    def table(self):
        """Contents of PT_PIECES."""
        first = self.base
        parts = [HEADER.pack(VERSION, len(self.libs), len(self.loads),
                             len(self.units), len(self.fixups))]
        parts += [LIB.pack(name.encode()) for name in self.libs]
        seg_lib = {unit.seg: self.libs.index(unit.lib)
                   for unit in self.units}
        parts += [SEG.pack(seg_lib[seg]) for seg in range(len(self.loads))]
        parts += [UNIT.pack(u.start - first, u.len, u.seg, u.flags)
                  for u in self.units]
        parts += [FIXUP.pack(site - first, target)
                  for site, target in self.fixups]
        return b"".join(parts)
