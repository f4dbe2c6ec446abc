#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints make variables for the test programs: what each is linked with.

For a program p = tests/unit/test_x the output sets
    TESTS_unit += p, LINKS_p (sources; @library stands for the whole library)
    and CPPFLAGS_p. tests/README.md describes the comments that are read.
"""
import argparse
import pathlib
import re
import sys

SUITES = ("unit", "model", "stat", "race")
PREFIX = {"unit": "test_", "model": "model_", "stat": "stat_",
          "race": "race_"}
LIBRARY = "@library"


def comment(text, key):
    """Words after `key:` in the comments of a file."""
    words = []
    for block in re.findall(r"/\*(.*?)\*/", text, re.S):
        for found in re.finditer(rf"^[\s*]*{key}:(.*?)(?:\n[\s*]*\n|\Z|"
                                 r"^[\s*]*\w+:)", block, re.S | re.M):
            words += re.sub(r"\n\s*\*", "\n", found[1]).split()
    return words


def links_of(path, suite, text):
    """Sources that a program is linked with, besides its own."""
    words = comment(text, "links")
    if suite != "unit":
        if words[:1] == ["only"]:
            return words[1:]
        return [LIBRARY, *words]
    if words == ["none"]:
        return []
    unit = path.stem[len(PREFIX["unit"]):] + ".c"
    own = pathlib.Path("lib/ukallocrnd") / unit
    if own.exists() and unit not in [pathlib.Path(w).name for w in words]:
        words.insert(0, str(own))
    return list(dict.fromkeys(words))


def describe(path, suite):
    """The make variables of one program."""
    text = path.read_text()
    links = links_of(path, suite, text)
    missing = [l for l in links if l != LIBRARY and not
               pathlib.Path(l).is_file()]
    if missing:
        sys.exit(f"{path}: links: there is no file {missing[0]}")
    folders = dict.fromkeys(str(pathlib.Path(l).parent) for l in links
                            if l != LIBRARY)
    folders[str(path.parent)] = None
    flags = [f"-I{f}" for f in folders] + comment(text, "cflags")
    name = path.with_suffix("")
    return (f"TESTS_{suite} += {name}\n"
            f"LINKS_{name} := {' '.join(links)}\n"
            f"CPPFLAGS_{name} := {' '.join(flags)}")


def main():
    """Describes every program of every suite."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for suite in SUITES:
        for path in sorted(pathlib.Path("tests", suite).glob("*.c")):
            if path.name.startswith(PREFIX[suite]):
                print(describe(path, suite))


if __name__ == "__main__":
    main()
