#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every source file is in the Makefile.uk of its library, and the reverse.
Programs for Linux in bench/host are built one by one and need no list."""
import re
import sys

import tree

ENTRY = re.compile(r"\$\((\w+)\)/([\w./-]+\.(?:c|S))\b")


def sources(root, folder, base, name):
    """Where a source lies: next to Makefile.uk, or with another variable
    than the library's own, next to its folder."""
    if base.endswith("_BASE"):
        return [folder / name]
    beside = root / folder.parent
    found = list(beside.glob(f"*/{name}")) or beside.glob(f"*/*/{name}")
    return [path.relative_to(root) for path in found] or [folder / name]


def main():
    """Checks lib/ and plat/ of the tree."""
    root = tree.root_of(sys.argv)
    listed = set()
    for path in tree.files(root, ".uk", folders=("lib", "plat", "bench",
                                                 "tests/guest")):
        if path.name == "Makefile.uk":
            text = (root / path).read_text()
            for base, name in ENTRY.findall(text):
                listed.update(sources(root, path.parent, base, name))
    present = set(tree.files(root, ".c", ".S", folders=(
        "lib", "plat", "bench/guest", "bench/buddy", "bench/floor",
        "bench/ports", "tests/guest")))
    bad = [f"{path}: is in no Makefile.uk" for path in
           sorted(present - listed)]
    bad += [f"{path}: is in a Makefile.uk but not in the tree" for path in
            sorted(listed - present)]
    tree.end("sources", bad, f"{len(present)} files")


if __name__ == "__main__":
    main()
