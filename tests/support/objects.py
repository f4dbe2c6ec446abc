# SPDX-License-Identifier: BSD-3-Clause
"""The objects of a program: what is in them, who refers to whom.

A library is a name and its objects. An input section that is loaded is of
one kind: text, ro (constants), tls (what a thread's data start with), relro
(constants with addresses), data or bss.
"""
import dataclasses

import elf64
import gotref

KINDS = ("text", "ro", "tls", "relro", "data", "bss")
TLS_ALIGN = 64
EXTABLE = ".uk_extable"
RELRO = ".data.rel.ro"


@dataclasses.dataclass
class Item:
    """Input sections of one name in one object."""

    object: str
    name: str
    kind: str
    align: int
    size: int


@dataclasses.dataclass
class Library:
    """A library of the program."""

    name: str
    elves: list
    items: dict = dataclasses.field(default_factory=dict)  # by kind
    slots: int = 0  # of its own offset table


def kind_of(section):
    """The kind of an input section; None: it is not loaded."""
    if not section.has(elf64.SHF_ALLOC) or section.type == elf64.SHT_NOTE:
        return None
    if section.has(elf64.SHF_EXEC):
        return "text"
    if not section.has(elf64.SHF_WRITE):
        return "ro"
    if section.has(elf64.SHF_TLS):
        return "tls"
    if section.name.startswith(RELRO):
        return "relro"
    return "bss" if section.type == elf64.SHT_NOBITS else "data"


def collect(library):
    """Fills the library's items. The table of instructions that may fault
    has a place of its own in the image."""
    items = {kind: [] for kind in KINDS}
    for elf in library.elves:
        found = {}
        for section in elf.sections:
            kind = kind_of(section)
            if not kind or not section.size or section.name == EXTABLE:
                continue
            item = found.setdefault(section.name, Item(
                elf.path, section.name, kind, 1, 0))
            if item.kind != kind:
                raise elf64.Error(f"{elf.path}: two kinds of sections are "
                                  f"named {section.name}")
            item.align = max(item.align, section.align)
            item.size += section.size
        for item in found.values():
            items[item.kind].append(item)
    library.items = items


def read(groups):
    """Libraries from (name, paths of objects), in that order."""
    libraries = []
    for name, paths in groups:
        library = Library(name, [elf64.Elf(path) for path in paths])
        for elf in library.elves:
            if elf.type != elf64.ET_REL:
                raise elf64.Error(f"{elf.path}: not an object")
        collect(library)
        libraries.append(library)
    return libraries


def check_tls(libraries, pieces):
    """Whoever makes threads can align what the linker script makes of their
    data. In pieces these cannot lie side by side in two libraries."""
    have = [library for library in libraries if library.items["tls"]]
    for library in have:
        for item in library.items["tls"]:
            if item.align > TLS_ALIGN:
                raise elf64.Error(f"{item.object}: {item.name} is aligned to "
                                  f"more than {TLS_ALIGN} bytes")
    if pieces and len(have) > 1:
        names = " and ".join(library.name for library in have)
        raise elf64.Error(f"{names} have thread-local data; of an image in "
                          "pieces, one library may")


def owners(libraries):
    """Which library has a global symbol: as in the linker, the first strong
    definition, or the first weak one."""
    strong, weak = {}, {}
    for library in libraries:
        for elf in library.elves:
            for symbol in elf.symbols:
                if symbol.shndx == elf64.SHN_UNDEF:
                    continue
                if symbol.bind == elf64.STB_GLOBAL:
                    strong.setdefault(symbol.name, library)
                elif symbol.bind == elf64.STB_WEAK:
                    weak.setdefault(symbol.name, library)
    return {**weak, **strong}


def references(library):
    """(object, section, relocation) of everything that is loaded."""
    for elf in library.elves:
        for section in elf.sections:
            if kind_of(section):
                for reloc in elf.relocs(section):
                    yield elf, section, reloc


def target_of(reloc, library, owner):
    """The library of a relocation's symbol; None: no library has it."""
    if reloc.symbol.bind == elf64.STB_LOCAL:
        return library
    return owner.get(reloc.symbol.name)


def name_of(elf, symbol):
    """What tells symbols apart: two objects may each have a local one."""
    return (symbol.name, elf.path if symbol.bind == elf64.STB_LOCAL else None)


def needs_slot(elf, section, reloc, is_near):
    """Whether a reference to the offset table must keep its slot."""
    start = section.offset
    code = elf.data[start:start + section.size]
    return not is_near or not gotref.form(code, reloc.offset, reloc.type)


def check_apart(libraries):
    """Libraries know each other by addresses of eight bytes only. Counts the
    slots that each library needs for those of the others."""
    owner = owners(libraries)
    for library in libraries:
        slots = set()
        for elf, section, reloc in references(library):
            target = target_of(reloc, library, owner)
            if reloc.type in elf64.R_GOT:
                if needs_slot(elf, section, reloc, target is library):
                    slots.add(name_of(elf, reloc.symbol))
            elif reloc.type not in (elf64.R_64, elf64.R_NONE) and \
                    target not in (library, None):
                raise elf64.Error(
                    f"{elf.path}: {section.name} refers to "
                    f"{reloc.symbol.name} of {target.name} by its distance; "
                    "another library can be reached by an address of 8 bytes "
                    "only, as in call *NAME@GOTPCREL(%rip)")
        library.slots = len(slots)
