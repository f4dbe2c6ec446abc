# SPDX-License-Identifier: BSD-3-Clause
"""Images that can be damaged by name (plat/common/loader/payload.h, elf.h)."""
import hashlib
import struct

HEADER = struct.Struct("<8sIIQ32s8x")
EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
WORD = struct.Struct("<Q")
PT_LOAD, PT_DYNAMIC, PT_PIECES = 1, 2, 0x6b756b70
RIGHT_X, RIGHT_W = 1, 2
DT_RELA, DT_RELASZ, DT_RELAENT = 7, 8, 9
DT_RELR, DT_RELRSZ, DT_RELRENT = 36, 35, 37
# payload.h: header, library, segment, unit, fixup
TABLES = [struct.Struct(form) for form in ("<5I12x", "32s", "<I", "<IIHH",
                                           "<II")]
PAGE = 0x1000


class Image:
    """A payload, with what can be damaged by name."""

    def __init__(self, data):
        self.elf = bytearray(data[HEADER.size:])
        self.head = list(EHDR.unpack_from(self.elf))
        self.phs = [list(PHDR.unpack_from(self.elf, self.head[5] + i * 56))
                    for i in range(self.head[10])]
        self.loads = [ph for ph in self.phs if ph[0] == PT_LOAD]
        self.base = self.loads[0][3]
        last = self.loads[-1]
        self.end = last[3] + (last[6] + PAGE - 1) // PAGE * PAGE
        self.text = next(ph for ph in self.loads if ph[1] & RIGHT_X)
        self.data = next(ph for ph in self.loads if ph[1] & RIGHT_W)
        self.dynamic = self.header(PT_DYNAMIC)
        self.pieces = self.header(PT_PIECES)

    def header(self, kind):
        """A program header, or None."""
        return next((ph for ph in self.phs if ph[0] == kind), None)

    def at(self, vaddr):
        """Offset in the file of an address as linked."""
        return next(ph[2] + vaddr - ph[3] for ph in self.loads
                    if ph[3] <= vaddr < ph[3] + ph[5])

    def word(self, vaddr):
        """The word at an address as linked."""
        return WORD.unpack_from(self.elf, self.at(vaddr))[0]

    def put(self, vaddr, *words):
        """Writes words."""
        for i, word in enumerate(words):
            WORD.pack_into(self.elf, self.at(vaddr) + 8 * i, word)

    def tag(self, tag):
        """Address of an entry of the dynamic section."""
        at = self.dynamic[3]
        while self.word(at) != tag:
            at += 16
        return at

    def relr(self):
        """Address of the table of bitmaps."""
        return self.word(self.tag(DT_RELR) + 8)

    def rela(self, *entry):
        """Makes a table of one entry, where that of bitmaps was."""
        table = self.relr()
        self.put(table, *entry)
        self.put(self.tag(DT_RELRSZ), DT_RELASZ, 24)
        self.put(self.tag(DT_RELRENT), DT_RELAENT, 24)
        self.put(self.tag(DT_RELR), DT_RELA, table)

    def entry(self, table, i):
        """(layout, offset in the file) of an entry of the pieces."""
        counts = [1, *TABLES[0].unpack_from(self.elf, self.pieces[2])[1:]]
        at = self.pieces[2] + sum(
            form.size * n for form, n in zip(TABLES[:table], counts))
        return TABLES[table], at + i % counts[table] * TABLES[table].size

    def get(self, table, i):
        """Fields of an entry of the pieces; -1 is the last one."""
        form, at = self.entry(table, i)
        return list(form.unpack_from(self.elf, at))

    def set(self, table, i, field, value):
        """Changes a field of an entry."""
        form, at = self.entry(table, i)
        fields = self.get(table, i)
        fields[field] = value
        form.pack_into(self.elf, at, *fields)

    def payload(self):
        """The file, with the right header."""
        EHDR.pack_into(self.elf, 0, *self.head)
        for i, header in enumerate(self.phs):
            PHDR.pack_into(self.elf, EHDR.size + i * PHDR.size, *header)
        digest = hashlib.sha256(self.elf).digest()
        return HEADER.pack(b"ukimage\0", 1, 0, len(self.elf), digest) + \
            bytes(self.elf)
