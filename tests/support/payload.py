#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the file that the loader takes (plat/common/loader/payload.h).

    payload.py linked-ELF payload

What the loader does not read is left out: section headers, symbols,
debugging information.
"""
import hashlib
import struct
import sys

MAGIC = b"ukimage\0"
VERSION = 1
EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
HEADER = struct.Struct("<8sIIQ32s8x")
ET_DYN = 3
PT_LOAD, PT_DYNAMIC = 1, 2


def program_headers(elf):
    """Fields of the file header, and of those program headers that count."""
    head = list(EHDR.unpack_from(elf))
    phoff, phnum = head[5], head[10]
    headers = [list(PHDR.unpack_from(elf, phoff + i * PHDR.size))
               for i in range(phnum)]
    return head, [h for h in headers if h[0] in (PT_LOAD, PT_DYNAMIC)]


def strip(elf):
    """An ELF file with program headers and contents of segments only."""
    head, headers = program_headers(elf)
    out = bytearray(EHDR.size + len(headers) * PHDR.size)
    moved = []  # (old offset, length, new offset)
    for header in headers:
        if header[0] != PT_LOAD:
            continue
        offset, filesz = header[2], header[5]
        out += bytes(-len(out) % 16)
        moved.append((offset, filesz, len(out)))
        header[2] = len(out)
        out += elf[offset:offset + filesz]
    for header in headers:
        if header[0] == PT_DYNAMIC:
            header[2] = next(new + header[2] - old
                             for old, length, new in moved
                             if old <= header[2] < old + length)
    # The linker says ET_EXEC if the lowest address is not 0
    head[1] = ET_DYN
    head[5], head[6], head[10] = EHDR.size, 0, len(headers)
    head[11] = head[12] = head[13] = 0
    EHDR.pack_into(out, 0, *head)
    for i, header in enumerate(headers):
        PHDR.pack_into(out, EHDR.size + i * PHDR.size, *header)
    return bytes(out)


def main():
    """Writes the payload."""
    source, target = sys.argv[1:3]
    with open(source, "rb") as file:
        elf = strip(file.read())
    digest = hashlib.sha256(elf).digest()
    with open(target, "wb") as file:
        file.write(HEADER.pack(MAGIC, VERSION, 0, len(elf), digest) + elf)


if __name__ == "__main__":
    main()
