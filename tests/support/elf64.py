# SPDX-License-Identifier: BSD-3-Clause
"""Reads ELF files for x86_64, little endian: objects and images.

Only what layout.py, payload.py and symbols.py ask for. The files come from
the assembler and the linker; a table that leads out of the file is an error
all the same.
"""
import dataclasses
import pathlib
import struct

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
SHDR = struct.Struct("<IIQQQQIIQQ")
SYM = struct.Struct("<IBBHQQ")
RELA = struct.Struct("<QQq")

IDENT = b"\x7fELF\x02\x01\x01"
EM_X86_64 = 62
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
PT_LOAD, PT_DYNAMIC = 1, 2
PF_X, PF_W, PF_R = 1, 2, 4
SHT_SYMTAB, SHT_RELA, SHT_NOTE, SHT_NOBITS = 2, 4, 7, 8
SHF_WRITE, SHF_ALLOC, SHF_EXEC, SHF_MERGE, SHF_TLS = 1, 2, 4, 0x10, 0x400
SHN_UNDEF, SHN_ABS, SHN_COMMON = 0, 0xfff1, 0xfff2
STB_LOCAL, STB_GLOBAL, STB_WEAK = 0, 1, 2
STT_FUNC, STT_SECTION, STT_TLS = 2, 3, 6

# Types of relocations
R_NONE, R_64, R_PC32, R_PLT32 = 0, 1, 2, 4
R_RELATIVE, R_GOTPCREL, R_32, R_32S = 8, 9, 10, 11
R_TPOFF32, R_PC64, R_GOTPCRELX, R_REX_GOTPCRELX = 23, 24, 41, 42
R_GOT = (R_GOTPCREL, R_GOTPCRELX, R_REX_GOTPCRELX)


class Error(Exception):
    """What is wrong, in one line."""


@dataclasses.dataclass(eq=False)
class Section:
    """A section and its contents."""

    index: int
    name: str
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entsize: int

    def has(self, flag):
        """Whether SHF_* is set."""
        return bool(self.flags & flag)

    def __contains__(self, addr):
        return self.addr <= addr < self.addr + self.size


@dataclasses.dataclass(eq=False)
class Symbol:
    """An entry of the symbol table."""

    name: str
    bind: int
    type: int
    shndx: int
    value: int
    size: int


@dataclasses.dataclass(eq=False)
class Reloc:
    """A place with an address, and which address that is."""

    offset: int
    type: int
    symbol: Symbol
    addend: int


@dataclasses.dataclass(eq=False)
class Segment:
    """A program header."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int

    def __contains__(self, addr):
        return self.vaddr <= addr < self.vaddr + self.memsz


def string_at(table, start):
    """The terminated string in a table."""
    return table[start:table.index(b"\0", start)].decode()


class Elf:
    """A file."""

    def __init__(self, path):
        self.path = str(path)
        self.data = pathlib.Path(path).read_bytes()
        try:
            self.read()
        except (struct.error, ValueError, IndexError) as error:
            raise Error(f"{path}: damaged ELF file: {error}") from error

    def read(self):
        """Headers and symbols."""
        head = EHDR.unpack_from(self.data)
        if not head[0].startswith(IDENT) or head[2] != EM_X86_64:
            raise Error(f"{self.path}: no ELF file for x86_64")
        self.type, self.entry = head[1], head[4]
        self.segments = [Segment(*PHDR.unpack_from(self.data, head[5] +
                                                   i * PHDR.size))
                         for i in range(head[10])]
        raw = [SHDR.unpack_from(self.data, head[6] + i * SHDR.size)
               for i in range(head[12])]
        self.sections = [Section(i, "", *row[1:])
                         for i, row in enumerate(raw)]
        if raw:
            names = self.bytes(self.sections[head[13]])
            for section, row in zip(self.sections, raw):
                section.name = string_at(names, row[0])
        self.symbols = []
        for section in self.sections:
            if section.type == SHT_SYMTAB:
                self.symbols = self.read_symbols(section)
        self.targets = {s.info: s for s in self.sections
                        if s.type == SHT_RELA}

    def bytes(self, section):
        """Contents of a section."""
        if section.type == SHT_NOBITS:
            return bytes(section.size)
        end = section.offset + section.size
        if end > len(self.data):
            raise Error(f"{self.path}: section {section.name} ends behind "
                        "the file")
        return self.data[section.offset:end]

    def read_symbols(self, section):
        """All symbols of a table; a section's symbol gets its name."""
        names = self.bytes(self.sections[section.link])
        symbols = []
        for name, info, _, shndx, value, size in \
                SYM.iter_unpack(self.bytes(section)):
            symbol = Symbol(string_at(names, name), info >> 4, info & 15,
                            shndx, value, size)
            if symbol.type == STT_SECTION:
                symbol.name = self.sections[shndx].name
            symbols.append(symbol)
        return symbols

    def relocs(self, section):
        """Relocations of a section, in the order of the file."""
        table = self.targets.get(section.index)
        if not table:
            return []
        return [Reloc(offset, info & 0xffffffff, self.symbols[info >> 32],
                      addend)
                for offset, info, addend in
                RELA.iter_unpack(self.bytes(table))]

    def loads(self):
        """PT_LOAD segments with something in them."""
        return [s for s in self.segments if s.type == PT_LOAD and s.memsz]
