# SPDX-License-Identifier: BSD-3-Clause
"""Whether an image in pieces is right, wherever its units are.

Every relocation that the linker kept is computed again from the places of
symbols, and compared with what is in memory; all other bytes must be as they
were linked. Reads the linked file with pyelftools, and shares nothing with
the tool that made the fixups.
"""
import bisect
import struct

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from simulate import PT_PIECES, SORT, W, X, Wrong

ABS64, PC32, PLT32, GOT, TPOFF32, GOTX, REX_GOTX = 1, 2, 4, 9, 23, 41, 42
SHF_TLS = 0x400
# An instruction with a slot, and what it may have become: opcode, and where
# that and the distance are, counted from the distance that was
DIRECT = {b"\xff\x15": (b"\x67\xe8", -2, 0), b"\xff\x25": (b"\xe9", -2, -1)}


def is_in_pieces(path):
    """Whether an image's payload has a table of pieces."""
    data = path.with_suffix(".app").read_bytes()
    count, = struct.unpack_from("<H", data, 64 + 56)
    return any(struct.unpack_from("<I", data, 128 + 56 * i)[0] ==
               PT_PIECES for i in range(count))


class Truth:
    """The linked file, and what its relocations ask for."""

    def __init__(self, path):
        with open(path, "rb") as stream:
            elf = ELFFile(stream)
            self.sections = [(s["sh_addr"], s.name,
                              s.data() if s["sh_type"] != "SHT_NOBITS"
                              else bytes(s["sh_size"]))
                             if s["sh_flags"] & 2 else None
                             for s in elf.iter_sections()]
            # A thread's data end where %fs points to
            self.thread = sum(s["sh_size"] for s in elf.iter_sections()
                              if s["sh_flags"] & SHF_TLS)
            symbols = [(s.name, s["st_shndx"], s["st_value"]) for s in
                       elf.get_section_by_name(".symtab").iter_symbols()]
            self.sites = [
                (part["sh_info"], r["r_offset"], r["r_info_type"],
                 symbols[r["r_info_sym"]], r["r_addend"])
                for part in elf.iter_sections()
                if isinstance(part, RelocationSection)
                and self.sections[part["sh_info"]]
                for r in part.iter_relocations()]

    def verify(self, placed):
        """Raises Wrong at the first byte that is not what it should be."""
        self.seen = {}
        for site in self.sites:
            self.site(placed, *site)
        self.order = sorted(self.seen)
        for addr, name, data in filter(None, self.sections):
            if name != ".got" and not name.startswith(".slots.") and data:
                self.rest(placed, addr, name, data)

    def moved(self, placed, shndx, value):
        """Where something in a section is now."""
        if not isinstance(shndx, int):
            return value, None
        unit = placed.payload.unit(self.sections[shndx][0])
        return value + unit.distance, unit

    def site(self, placed, shndx, offset, kind, symbol, addend):
        """One relocation."""
        where, here = self.moved(placed, shndx, offset)
        target, _ = self.moved(placed, symbol[1], symbol[2])
        if here.flags & SORT:
            self.table(placed, shndx, here)
            return
        size = 8 if kind == ABS64 else 4
        self.seen[where] = size
        if kind == ABS64:
            good = placed.get(where, 8) % (1 << 64) == \
                (target + addend) % (1 << 64)
        elif kind in (PC32, PLT32):
            good = placed.get(where, 4) == target + addend - where
        elif kind == TPOFF32:
            good = placed.get(where, 4) == symbol[2] + addend - self.thread
        elif kind in (GOT, GOTX, REX_GOTX):
            good = self.reference(placed, shndx, offset, where, target,
                                  addend)
        else:
            good = False
        if not good:
            raise Wrong(f"relocation at {offset:#x} of {symbol[0]}")

    def reference(self, placed, shndx, offset, where, target, addend):
        """A reference to the offset table."""
        addr, _, data = self.sections[shndx]
        opcode = data[offset - addr - 2:offset - addr]
        memory, at = placed.where(where - 2, 6)
        now = bytes(memory[at:at + 6])
        if now[:2] == opcode:
            return self.slot(placed, where, target, addend)
        code, first, move = DIRECT.get(opcode, (None, 0, 0))
        if opcode[:1] == b"\x8b":
            code, first, move = b"\x8d" + opcode[1:], -2, 0
        if code is None or now[:len(code)] != code or move and \
                now[5] != 0x90:
            return False
        self.seen[where + first] = 6
        site = where + move
        return placed.get(site, 4) == target - site - 4

    def slot(self, placed, where, target, addend):
        """It must be among the constants of the same library."""
        slot = where - addend + placed.get(where, 4)
        payload, segs = placed.payload, []
        for addr in (where, slot):
            segs += [i for i, base in enumerate(placed.bases) if base <= addr
                     < base + len(placed.memory[i])]
        if len(segs) != 2:
            return False
        here, seg = segs
        return payload.seg_lib[here] == payload.seg_lib[seg] and \
            not payload.loads[seg][1] & (W | X) and slot % 8 == 0 and \
            placed.get(slot, 8) % (1 << 64) == target % (1 << 64)

    def table(self, placed, shndx, unit):
        """A table that is sorted: the same entries, in order."""
        words = {}
        for info, offset, kind, symbol, addend in self.sites:
            if info == shndx and kind == ABS64:
                words[offset] = self.moved(placed, symbol[1],
                                           symbol[2])[0] + addend
        values = [words[key] for key in sorted(words)]
        rows = sorted(zip(values[::2], values[1::2]))
        self.seen[unit.addr] = unit.len
        memory, at = placed.where(unit.addr, unit.len)
        if list(struct.iter_unpack("<QQ", memory[at:at + unit.len])) != rows:
            raise Wrong("table is not sorted")

    def rest(self, placed, addr, name, data):
        """All other bytes are as linked."""
        unit = placed.payload.unit(addr)
        memory, at = placed.where(addr + unit.distance, len(data))
        now, data = bytearray(memory[at:at + len(data)]), bytearray(data)
        base = addr + unit.distance
        first = bisect.bisect_left(self.order, base)
        last = bisect.bisect_left(self.order, base + len(data))
        for where in self.order[first:last]:
            size = self.seen[where]
            now[where - base:where - base + size] = bytes(size)
            data[where - base:where - base + size] = bytes(size)
        if now != data:
            raise Wrong(f"contents of {name}")
