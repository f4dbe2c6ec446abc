# SPDX-License-Identifier: BSD-3-Clause
"""What a loader makes of an image in pieces.

Written from plat/common/loader/payload.h alone, apart from the tool that
writes the file: units go to random places, fixups are applied, tables sorted.
truth.py says whether the result is right.
"""
import bisect
import dataclasses
import hashlib
import struct

MOVE, SORT, RELATIVE = 1, 2, 1 << 31
PAGE, WINDOW, ALIGN = 4096, 1 << 30, 16
PT_LOAD, PT_PIECES = 1, 0x6b756b70
W, X = 2, 1


class Wrong(Exception):
    """What is not as it should be."""


@dataclasses.dataclass
class Unit:
    """As in the file, and where it is now."""

    start: int
    len: int
    seg: int
    flags: int
    addr: int = 0  # where it runs
    distance: int = 0


class Payload:
    """The file, read."""

    def __init__(self, data):
        magic, version, flags, length, digest = \
            struct.unpack_from("<8sIIQ32s", data)
        elf = data[64:]
        if magic != b"ukimage\0" or version != 1 or flags or \
                length != len(elf) or hashlib.sha256(elf).digest() != digest:
            raise Wrong("header")
        self.entry, phoff = struct.unpack_from("<QQ", elf, 24)
        count = struct.unpack_from("<H", elf, 56)[0]
        heads = [struct.unpack_from("<IIQQQQQQ", elf, phoff + 56 * i)
                 for i in range(count)]
        self.loads = [h for h in heads if h[0] == PT_LOAD]
        self.base = self.loads[0][3]
        self.memory = [bytearray(elf[h[2]:h[2] + h[5]].ljust(h[6], b"\0"))
                       for h in self.loads]
        if any(h[3] % PAGE or h[1] & W and h[1] & X for h in self.loads):
            raise Wrong("segments")
        table = next(h for h in heads if h[0] == PT_PIECES)
        self.read(elf[table[2]:table[2] + table[5]])

    def read(self, table):
        """The table of pieces."""
        _, libs, segs, units, fixups = struct.unpack_from("<5I", table)
        at = 32 + 32 * libs
        self.libs = [table[32 + 32 * i:64 + 32 * i].rstrip(b"\0").decode()
                     for i in range(libs)]
        self.seg_lib = list(struct.unpack_from(f"<{segs}I", table, at))
        at += 4 * segs
        self.units = [Unit(*struct.unpack_from("<IIHH", table, at + 12 * i))
                      for i in range(units)]
        self.starts = [unit.start for unit in self.units]
        if self.starts != sorted(self.starts):
            raise Wrong("units are not sorted")
        at += 12 * units
        self.fixups = [struct.unpack_from("<II", table, at + 8 * i)
                       for i in range(fixups)]
        if at + 8 * fixups != len(table) or segs != len(self.loads):
            raise Wrong("length of the table")

    def unit(self, addr):
        """The unit that an address as linked is in."""
        offset = addr - self.base
        at = bisect.bisect_right(self.starts, offset) - 1
        unit = self.units[at]
        if at >= 0 and offset < unit.start + unit.len:
            return unit
        raise Wrong(f"{addr:#x} is in no unit")


class Placed:
    """A payload whose units have places."""

    def __init__(self, payload, rng):
        self.payload = payload
        self.bases, self.memory = [], []
        self.draw(rng)
        for seg, memory in enumerate(payload.memory):
            self.memory.append(bytearray(memory))
            self.functions(seg, rng)
        for unit in payload.units:
            unit.distance = unit.addr - payload.base - unit.start
        self.fix()

    def draw(self, rng):
        """An address for each segment, within its library's window."""
        windows = [rng.randrange(1 << 46) & -PAGE for _ in self.payload.libs]
        for seg, lib in enumerate(self.payload.seg_lib):
            while True:
                base = windows[lib] + rng.randrange(WINDOW // 2) & -PAGE
                if all(abs(base - other) > 1 << 24 for other in self.bases):
                    break
            self.bases.append(base)

    def functions(self, seg, rng):
        """Functions of a segment in a random order; the rest stays."""
        payload, base = self.payload, self.bases[seg]
        start = payload.loads[seg][3] - payload.base
        units = [u for u in payload.units if u.seg == seg]
        for unit in units:
            unit.addr = base + unit.start - start
        moves = [u for u in units if u.flags & MOVE]
        if not moves:
            return
        at = moves[0].start
        for unit in moves:
            if unit.start % ALIGN or unit.start != at:
                raise Wrong("functions do not follow each other")
            at = unit.start + -(-unit.len // ALIGN) * ALIGN
        at = moves[0].start - start
        old, new = payload.memory[seg], self.memory[seg]
        for unit in rng.sample(moves, len(moves)):
            unit.addr = base + at
            where = unit.start - start
            new[at:at + unit.len] = old[where:where + unit.len]
            at += -(-unit.len // ALIGN) * ALIGN
        if len(new) != len(old) or at > len(old):
            raise Wrong("functions need more room than they had")

    def where(self, addr, count):
        """(memory of a segment, offset) of bytes at an address."""
        for base, memory in zip(self.bases, self.memory):
            if base <= addr and addr + count <= base + len(memory):
                return memory, addr - base
        raise Wrong(f"no memory at {addr:#x}")

    def get(self, addr, count):
        """A number with a sign."""
        memory, at = self.where(addr, count)
        return int.from_bytes(memory[at:at + count], "little", signed=True)

    def fix(self):
        """All fixups, then all tables."""
        payload, last = self.payload, -1
        for site, word in payload.fixups:
            if site < last:
                raise Wrong("fixups are not sorted")
            last = site
            here = payload.unit(payload.base + site)
            target = payload.units[word & ~RELATIVE]
            size = 4 if word & RELATIVE else 8
            if site + size > here.start + here.len:
                raise Wrong("fixup leads out of its unit")
            self.fix_one(here.distance + payload.base + site, size,
                         target.distance -
                         (here.distance if word & RELATIVE else 0),
                         payload.seg_lib[here.seg] ==
                         payload.seg_lib[target.seg])
        for unit in payload.units:
            if unit.flags & SORT:
                memory, at = self.where(unit.addr, unit.len)
                rows = sorted(struct.iter_unpack(
                    "<QQ", memory[at:at + unit.len]))
                memory[at:at + unit.len] = b"".join(
                    struct.pack("<QQ", *row) for row in rows)

    def fix_one(self, addr, size, delta, is_near):
        """One fixup."""
        memory, at = self.where(addr, size)
        value = self.get(addr, size) + delta
        if size == 4 and not (is_near and -1 << 31 <= value < 1 << 31):
            raise Wrong(f"relative fixup at {addr:#x} does not reach")
        memory[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(
            size, "little")
