#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Includes point downwards, and each room opens its own doors only.

layers.tsv says what is allowed. A source file of lib/ or plat/ that it does
not know fails, so the table grows with the tree.
"""
import fnmatch
import re
import sys

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def read_table(path):
    """The rows: folder -> {stem: layer}, and the list of door rules."""
    layers, doors = {}, []
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        kind, where, *rest = line.split("\t")
        if kind == "layer":
            stems = layers.setdefault(where, {})
            stems.update((stem, int(rest[0])) for stem in rest[1].split())
        elif kind == "door":
            doors.append((where, rest[0].split()))
        else:
            raise SystemExit(f"{path}: what is '{kind}'?")
    return layers, doors


def room_of(path, layers):
    """The folder of the table that a file belongs to."""
    parents = [str(parent) for parent in path.parents]
    return next((parent for parent in parents if parent in layers), None)


def private_error(stem, other, stems):
    """What is wrong with a file that includes "other.h" of its room."""
    if other == stem or other not in stems:
        return None
    if stems[other] > stems[stem]:
        return f"includes {other}.h of a higher layer"
    return None


def door_error(path, header, doors):
    """What is wrong with a file that includes <header>."""
    for where, allowed in doors:
        if fnmatch.fnmatch(str(path), where):
            if any(fnmatch.fnmatch(header, pattern) for pattern in allowed):
                return None
            return f"may not include <{header}>"
    return None


def check_file(root, path, layers, doors):
    """Findings of one file."""
    room = room_of(path, layers)
    if room and "include" in path.parts:
        room = None
    stems = layers.get(room, {})
    if room and path.stem not in stems:
        yield f"{path}: has no layer in layers.tsv"
        return
    lines = (root / path).read_text().splitlines()
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        other = found[2].rsplit("/", 1)[-1].removesuffix(".h")
        error = door_error(path, found[2], doors) if found[1] == "<" else \
            room and private_error(path.stem, other, stems)
        if error:
            yield f"{path}:{number}: {error}"


def main():
    """Checks the tree."""
    root = tree.root_of(sys.argv)
    layers, doors = read_table(root / "tests/lint/layers.tsv")
    paths = list(tree.files(root, ".c", ".h", ".S",
                            folders=("include", "lib", "plat")))
    bad = [error for path in paths
           for error in check_file(root, path, layers, doors)]
    tree.end("layers", bad, f"{len(paths)} files")


if __name__ == "__main__":
    main()
