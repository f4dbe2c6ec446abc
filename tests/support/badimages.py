#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots a loader with damaged images: each must end in its one line.

    badimages.py --out folder [--strong] loader.elf payload [part of a name]

An image is damaged in one way; where that is behind the header, length and
digest are made right again. Nothing but the line may be on the console, and
the exit code is 99. Images without a mistake boot and pass a test. What can
be wrong with relocations depends on the profile: in one piece, or in pieces.
With --strong, an image in pieces is built, too, and its tables are damaged.
"""
import argparse
import concurrent.futures
import dataclasses
import hashlib
import pathlib
import sys

import profiles
import qemu
from damaged import DT_RELR, DT_RELRSZ, HEADER, Image

R_RELATIVE = 8
UNIT_MOVE, FIXUP_RELATIVE = 1, 1 << 31  # payload.h
SPAN_MAX = 0x10000000  # image.h
CRASH = 99
SEED = "WARN: random: a boot module"
NO_IMAGE = "CRIT: loader: no image: give one as a module"
TIMEOUT_S = 30


@dataclasses.dataclass
class Case:
    """One boot."""

    name: str
    modules: list       # contents
    lines: list         # the whole console, or None: the test passes
    loader: str = ""    # another loader than that of the command line
    words: str = "tests=functions*"


def bad(what, value):
    """The console for a bad image."""
    return [f"CRIT: loader: bad image: {what} (0x{value:x})"]


def file_cases(data):
    """Damage to the header, and to what it covers."""
    digest = hashlib.sha256(data[HEADER.size:]).digest()[0]
    changed = data[:-1] + bytes([data[-1] ^ 1])
    other = hashlib.sha256(changed[HEADER.size:]).digest()[0]
    sealed = HEADER.pack(b"ukimage\0", 1, 0, 10,
                         hashlib.sha256(data[64:74]).digest())
    yield Case("no module", [], [NO_IMAGE])
    yield Case("empty module", [b""], [NO_IMAGE])
    yield Case("half a header", [data[:63]], [NO_IMAGE])
    yield Case("wrong magic", [b"U" + data[1:]], [NO_IMAGE])
    yield Case("truncated", [data[:-1]], bad("file cut off", len(data) - 1))
    yield Case("only a header", [data[:64]], bad("file cut off", 64))
    yield Case("wrong version", [data[:8] + b"\2" + data[9:]],
               bad("unknown version", 2))
    yield Case("changed byte", [changed], bad("wrong SHA-256", other))
    yield Case("changed digest", [data[:24] + bytes([data[24] ^ 1]) +
                                  data[25:]], bad("wrong SHA-256", digest))
    yield Case("ten bytes of ELF", [sealed + data[64:74]],
               bad("file too short", 10))


def head_cases(image):
    """(name, what is said, its number) after each change of the headers."""
    head, text, data = image.head, image.text, image.data
    yield "not ELF", lambda: head.__setitem__(0, bytes(16)), \
        "no ELF file of 64 bits", 0
    yield "not PIE", lambda: head.__setitem__(1, 2), \
        "no position independent x86-64 image", 2
    yield "another machine", lambda: head.__setitem__(2, 183), \
        "no position independent x86-64 image", 3
    yield "no program headers", lambda: head.__setitem__(10, 0), \
        "wrong number of program headers", 0
    yield "65535 program headers", lambda: head.__setitem__(10, 65535), \
        "wrong number of program headers", 65535
    yield "headers beyond the file", \
        lambda: head.__setitem__(5, len(image.elf)), \
        "program headers beyond the file", len(image.elf)
    yield "no segments", lambda: [ph.__setitem__(0, 0)
                                  for ph in image.loads], "no segments", 0
    yield "writable and executable", lambda: text.__setitem__(1, 7), \
        "segment that is writable and executable", text[3]
    yield "overlapping segments", \
        lambda: image.loads[1].__setitem__(3, image.base), \
        "segments that overlap", image.base
    yield "segment beyond the file", \
        lambda: text.__setitem__(2, len(image.elf)), \
        "segment beyond the end of the file", len(image.elf)
    yield "segment within a page", lambda: data.__setitem__(3, data[3] + 8), \
        "segment within a page", data[3] + 8
    yield "span too large", lambda: data.__setitem__(6, SPAN_MAX + 1), \
        "segment with a wrong length", SPAN_MAX + 1
    yield "segment far away", \
        lambda: data.__setitem__(3, image.base + SPAN_MAX), \
        "segment too far from the others", image.base + SPAN_MAX
    yield "entry outside the code", lambda: head.__setitem__(4, data[3]), \
        "first instruction outside the code", data[3]
    yield "entry outside the image", lambda: head.__setitem__(4, image.end), \
        "first instruction outside the code", image.end


def relocation_cases(image):
    """The same for what relocates."""
    base, end, text = image.base, image.end, image.text[3]
    relr, site = image.relr(), image.data[3]
    yield "dynamic section outside", \
        lambda: image.dynamic.__setitem__(3, end), \
        "dynamic section outside the image", end
    yield "dynamic section without an end", \
        lambda: image.dynamic.__setitem__(5, 16), \
        "dynamic section without an end", 1
    yield "table outside", lambda: image.put(image.tag(DT_RELR) + 8, end), \
        "relocations outside the image", end
    yield "table with half an entry", \
        lambda: image.put(image.tag(DT_RELRSZ) + 8, 12), \
        "relocations of a wrong length", 12
    yield "unknown relocation", lambda: image.rela(site, 1, base), \
        "relocation of an unknown type", 1
    yield "relocation outside", lambda: image.rela(end, R_RELATIVE, base), \
        "relocation outside the image", end
    yield "relocation in code", lambda: image.rela(text, R_RELATIVE, base), \
        "relocation in code", text
    yield "address outside", \
        lambda: image.rela(site, R_RELATIVE, end + 1), \
        "address outside the image", end + 1
    yield "bitmap outside", lambda: image.put(relr, end), \
        "relocation outside the image", end
    yield "bitmap in code", lambda: image.put(relr, text), \
        "relocation in code", text
    yield "bitmap that goes back", \
        lambda: image.put(relr, image.word(relr), image.word(relr)), \
        "relocations that are not sorted", image.word(relr)
    yield "bitmap of an address outside", \
        lambda: image.put(image.word(relr), end + 8), \
        "address outside the image", end + 8


def pieces_cases(image):
    """The same for tables of pieces."""
    table, end = image.pieces, len(image.elf)
    _, libs, _, units, _ = image.get(0, 0)
    first = image.get(4, 0)
    move = next(i for i in range(units) if image.get(3, i)[3] & UNIT_MOVE)
    start, length = image.get(3, move)[:2]
    yield "table beyond the file", lambda: table.__setitem__(2, end), \
        "table of pieces beyond the file", end
    yield "table cut off", lambda: table.__setitem__(5, table[5] - 1), \
        "table of pieces cut off", table[5] - 1
    yield "another version of pieces", lambda: image.set(0, 0, 0, 2), \
        "table of pieces of another kind", 2
    yield "many units", lambda: image.set(0, 0, 3, 0xffffffff), \
        "table of pieces cut off", table[5]
    yield "segment of no library", lambda: image.set(2, 0, 0, libs), \
        "segment of a wrong library", libs
    yield "name with a new line", \
        lambda: image.set(1, 0, 0, b"lib\nCRIT: all is well"), \
        "library with a wrong name", 0
    yield "empty unit", lambda: image.set(3, 0, 1, 0), \
        "unit outside its segment", image.get(3, 0)[0]
    yield "unknown unit", lambda: image.set(3, 0, 3, 0x8000), \
        "unit of another kind", image.get(3, 0)[0]
    yield "crooked function", lambda: image.set(3, move, 0, start + 1), \
        "unit that is not aligned", start + 1
    yield "fixup of no unit", lambda: image.set(4, 0, 1, units), \
        "fixup with a wrong target", units
    yield "fixup twice", lambda: image.set(4, 1, 0, first[0]), \
        "fixups that are not sorted", first[0]
    yield "fixup outside", lambda: image.set(4, -1, 0, 0xffffffff), \
        "fixup outside a unit", 0xffffffff
    yield "fixup to another library", \
        lambda: image.set(4, 0, 1, units - 1 | FIXUP_RELATIVE), \
        "relative fixup between libraries", first[0]
    yield "fixup behind the last", lambda: image.set(
        4, -1, 0, image.end - image.base - 4), "fixup outside a unit", \
        image.end - image.base - 4
    yield "entry between functions", lambda: (
        image.set(3, move, 1, length - 1),
        image.head.__setitem__(4, image.base + start + length - 1)), \
        "first instruction outside a unit", start + length - 1


def damage(data, make, loader=""):
    """Damage to the ELF file, each to a fresh image."""
    for i, (name, *_) in enumerate(make(Image(data))):
        image = Image(data)
        change, what, value = list(make(image))[i][1:]
        change()
        yield Case(name, [image.payload()], bad(what, value), loader)


def image_cases(data):
    """Damage to headers and relocations."""
    yield from damage(data, head_cases)
    if Image(data).dynamic:
        yield from damage(data, relocation_cases)
    if Image(data).pieces:
        yield from damage(data, pieces_cases)


def strong_cases(out, jobs):
    """The same for an image in pieces, which is built here."""
    error = profiles.build(out, "STRONG", jobs)
    if error:
        raise RuntimeError(f"profile STRONG: {error}")
    loader = str(out / "guest/loader.elf")
    data = (out / "guest/test.app").read_bytes()
    yield Case("good module in pieces", [data], None, loader)
    yield from damage(data, pieces_cases, loader)


def good_cases(data, loader):
    """What boots: by PVH, by multiboot, behind another module."""
    multiboot = str(pathlib.Path(loader).with_suffix(".mb1.elf"))
    yield Case("good module", [data], None)
    yield Case("more behind it", [data + bytes(1000)], None)
    yield Case("good module, multiboot", [data], None, multiboot)
    yield Case("second of two modules, multiboot", [b"none" * 1000, data],
               None, multiboot)
    yield Case("no module, multiboot", [], [NO_IMAGE], multiboot)
    yield Case("truncated, multiboot", [data[:-1]],
               bad("file cut off", len(data) - 1), multiboot)
    yield Case("nothing is left of a module", [data], None,
               words="tests=loader_leaves_no_trace")
    yield Case("nothing is left of two modules, multiboot",
               [data[:-1].replace(b"ukimage", b"another"), data], None,
               multiboot, "tests=loader_leaves_no_trace")
    # A bad module does not give way to what is linked in
    yield Case("truncated, beside a payload", [data[:-1]],
               bad("file cut off", len(data) - 1),
               str(pathlib.Path(loader).with_name("test.elf")))


def execute(case, args):
    """What is wrong with a boot, or None."""
    names = []
    for i, contents in enumerate(case.modules):
        path = args.out / f"{case.name.replace(' ', '-').replace(',', '')}.{i}"
        path.write_bytes(contents)
        names.append(str(path))
    outcome = qemu.boot(qemu.Guest(
        case.loader or args.loader, smp="2", mem=256, append=case.words,
        initrd=",".join(names), timeout=TIMEOUT_S))
    wanted = 0 if case.lines is None else CRASH
    if outcome.status != wanted:
        return f"{qemu.reason(outcome.status)}: {outcome.lines[-3:]}"
    if case.lines is None:
        passed = "1 passed, 0 failed, 0 skipped" in outcome.lines
        return None if passed else f"no test passed: {outcome.lines[-3:]}"
    # A module that is no image is taken for a seed
    said = [line for line in outcome.lines if not line.startswith(SEED)]
    if said != case.lines:
        return f"the console is {said}, not {case.lines}"
    return None


def main():
    """Boots all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--strong", action="store_true")
    parser.add_argument("loader")
    parser.add_argument("payload", type=pathlib.Path)
    parser.add_argument("filter", nargs="?", default="")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    data = args.payload.read_bytes()
    cases = [*file_cases(data), *image_cases(data),
             *good_cases(data, args.loader)]
    if args.strong:
        cases += strong_cases(args.out / "STRONG", args.jobs)
    cases = [case for case in cases if args.filter in case.name]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for case, error in zip(cases, pool.map(
                lambda case: execute(case, args), cases)):
            failed += error is not None
            print(f"not ok {case.name}: {error}" if error else
                  f"ok {case.name}", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return int(failed > 0 or not cases)


if __name__ == "__main__":
    sys.exit(main())
