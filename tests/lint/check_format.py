#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every C file is as clang-format leaves it.

    check_format.py [root]
"""
import concurrent.futures
import difflib
import subprocess
import sys

import tree

SHOWN = 6  # lines of the difference


def check(root, path):
    """The start of the difference, or None."""
    text = (root / path).read_text()
    done = subprocess.run(["clang-format", "--style=file", path], cwd=root,
                          text=True, check=True, capture_output=True).stdout
    if done == text:
        return None
    diff = list(difflib.unified_diff(text.splitlines(), done.splitlines(),
                                     "", "", lineterm="", n=0))[2:]
    return "\n".join([f"{path}: type `make format`", *diff[:SHOWN]])


def main():
    """Checks the tree."""
    root = tree.root_of(sys.argv)
    paths = list(tree.files(root, ".c", ".h"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [error for error in pool.map(lambda p: check(root, p), paths)
               if error]
    tree.end("format", bad, f"{len(paths)} files")


if __name__ == "__main__":
    main()
