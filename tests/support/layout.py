#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the linker script of a program: where every function goes.

    layout.py [options] OBJECTS SCRIPT

OBJECTS is a file of words: a library, its objects, `--`, the next library.
With a seed (make RANDOMIZE_SEED=text), the order of libraries, of functions
and of data, the gaps between them and the link address are drawn from it, see
draw.py: the same seed gives the same script for the same objects. Without
one, everything is in the order of the command line.
"""
import argparse
import pathlib
import sys

import draw
import elf64
import ldscript
import objects

# Gaps behind functions: none or a step. The loader hashes each byte of them at
# each boot.
STEP = 16
STEPS = 2
# Behind a library: as many bytes as so many pages at most, in the same steps.
# Thread-local data have no gaps: every thread has a copy
PAGE = ldscript.PAGE
FAR = {"text": PAGE, "ro": PAGE, "relro": PAGE, "data": PAGE,
       "bss": 16 * PAGE}
SEED_MAX = 64
# Upper half, but for the last 2 GiB
# Where debuggers expect code of kernels
BASE = 0xffff_ffff_8000_0000
BASE_MIN = 0xffff_8000_0000_0000
BASE_LEFT = 1 << 31


def seed_of(text):
    """The seed, if it can be printed as one word."""
    if not 0 < len(text) <= SEED_MAX or not all(
            "!" <= c <= "~" for c in text):
        raise elf64.Error(f"RANDOMIZE_SEED must have 1 to {SEED_MAX} "
                          "characters of ASCII, and no blanks")
    return text


def plain(libraries):
    """Everything as given."""
    return {library.name: {kind: [(item, 0) for item in items]
                           for kind, items in library.items.items()}
            for library in libraries}


def with_gaps(numbers, items, kind, pieces):
    """Gaps behind functions, and behind the last item. In pieces there is
    none behind a library: they do not lie side by side."""
    order = [(item, STEP * numbers.below(STEPS) if kind == "text" else 0)
             for item in items]
    if order and kind in FAR and not pieces:
        order[-1] = (items[-1], STEP * numbers.below(FAR[kind] // STEP))
    return order


def shuffled(libraries, seed, pieces):
    """Items of each library in a random order, with gaps. Each list has its
    own numbers: a function more does not change the order of the data."""
    orders = {}
    for library in libraries:
        orders[library.name] = {}
        for kind, items in library.items.items():
            numbers = draw.Draw(seed, f"{library.name} {kind}")
            orders[library.name][kind] = with_gaps(
                numbers, numbers.shuffled(items), kind, pieces)
    return orders


def link_base(seed):
    """A random page of the upper half."""
    pages = ((1 << 64) - BASE_LEFT - BASE_MIN) // PAGE
    return BASE_MIN + PAGE * draw.Draw(seed, "base").below(pages)


def plan_of(libraries, args):
    """What the options ask for."""
    seed = seed_of(args.seed) if args.seed is not None else ""
    if seed:
        libraries = draw.Draw(seed, "libraries").shuffled(libraries)
        return ldscript.Plan(link_base(seed), args.entry, seed,
                             shuffled(libraries, seed, args.pieces),
                             libraries, args.functions)
    return ldscript.Plan(BASE, args.entry, seed, plain(libraries),
                         libraries, args.functions)


def groups_of(words):
    """(library, objects) from words with -- between the libraries."""
    groups, rest = [], [*words, "--"]
    while rest:
        end = rest.index("--")
        if end:
            groups.append((rest[0], rest[1:end]))
        rest = rest[end + 1:]
    return groups


def main():
    """Writes the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("objects", type=pathlib.Path)
    parser.add_argument("script", type=pathlib.Path)
    parser.add_argument("--seed", help="text that everything is drawn from")
    parser.add_argument("--seed-file", type=pathlib.Path,
                        help="a file with this text")
    parser.add_argument("--entry", default="boot_entry")
    parser.add_argument("--pieces", action="store_true",
                        help="segments for each library")
    parser.add_argument("--functions", action="store_true",
                        help="functions may change places")
    args = parser.parse_args()
    if args.seed_file:
        args.seed = args.seed_file.read_text().rstrip("\n")
    try:
        libraries = objects.read(groups_of(args.objects.read_text().split()))
        objects.check_tls(libraries, args.pieces)
        if args.pieces:
            objects.check_apart(libraries)
        args.script.write_text(ldscript.script(plan_of(libraries, args),
                                               args.pieces))
    except elf64.Error as error:
        sys.exit(f"layout.py: {error}")


if __name__ == "__main__":
    main()
