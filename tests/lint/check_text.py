#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What every file looks like: licence, 80 columns, line ends, comments."""
import re
import sys

import tree

LICENCE = """\
/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */
"""
SPDX = "SPDX-License-Identifier: BSD-3-Clause"
C_LIKE = (".c", ".h", ".S")
SUFFIXES = (*C_LIKE, ".cc", ".cpp", ".py", ".sh", ".mk", ".uk")
ROOT_FILES = ("Makefile", "Makefile.uk", "Config.uk", ".ci/run")
OPEN_END = re.compile(r"\b(TODO|FIXME|XXX)\b")
LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|' r"'(?:\\.|[^'\\])*'")
COLUMNS = 80


def has_line_comment(line):
    """A // comment outside of strings and block comments."""
    rest = re.sub(r"/\*.*?(\*/|$)", "", LITERAL.sub('""', line))
    return "//" in rest and not re.match(r"\s*\*", line)


def check_line(line, is_c):
    """What is wrong with one line."""
    if len(line.expandtabs(8)) > COLUMNS:
        yield f"is longer than {COLUMNS} columns"
    if line != line.rstrip():
        yield "ends in blanks"
    if OPEN_END.search(line) and "OPEN_END" not in line:
        yield "is unfinished"
    if is_c and has_line_comment(line):
        yield "has a // comment"


def check_file(root, path):
    """Findings of one file."""
    text = (root / path).read_text()
    is_c = path.suffix in C_LIKE
    if is_c and not text.startswith(LICENCE):
        yield f"{path}:1: the licence header is not that of essentials.h"
    if not is_c and SPDX not in "\n".join(text.splitlines()[:3]) and \
            path.name not in ("Config.uk", "exportsyms.uk"):
        yield f"{path}:1: has no SPDX line"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield f"{path}: must end in exactly one line end"
    for number, line in enumerate(text.splitlines(), 1):
        for error in check_line(line, is_c):
            yield f"{path}:{number}: {error}"


def main():
    """Checks the tree."""
    root = tree.root_of(sys.argv)
    paths = list(tree.files(root, *SUFFIXES))
    paths += [path.relative_to(root) for name in ROOT_FILES
              if (path := root / name).exists()]
    bad = [error for path in paths for error in check_file(root, path)]
    tree.end("text", bad, f"{len(paths)} files")


if __name__ == "__main__":
    main()
