#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Weak memory orders come in pairs, and both comments say so.

A comment "Pairs with ... in f()" that stands in g() needs a comment in f()
that pairs with ... in g(). Functions are found by their opening brace in the
first column.
"""
import re
import sys

import tree

PAIR = re.compile(r"\b[Pp]airs with\b([^.]*)")
NAME = re.compile(r"\b(\w+)\(\)")
HEAD = re.compile(r"^[A-Za-z_][^;={}]*?\b(\w+)\s*\([^;{}]*\)[^;{}()]*\{",
                  re.M)
LINE_START = re.compile(r"\n[ \t]*\*(?!/)[ \t]*")


def functions(text):
    """(position, name) of the functions defined in a text."""
    return [(found.start(), found[1]) for found in HEAD.finditer(text)]


def pairs_of(text):
    """(function it stands in, function it names, comment) per mention."""
    heads = functions(text)
    for comment in re.finditer(r"/\*.*?\*/", text, re.S):
        here = [name for position, name in heads if position <
                comment.start()]
        for found in PAIR.finditer(LINE_START.sub(" ", comment[0])):
            for name in NAME.findall(found[1]):
                yield (here[-1] if here else None), name


def main():
    """Checks the tree."""
    root = tree.root_of(sys.argv)
    told, where, known = set(), {}, set()
    for path in tree.files(root, ".c", ".h", folders=("lib", "plat")):
        text = (root / path).read_text()
        known.update(name for _, name in functions(text))
        for pair in pairs_of(text):
            told.add(pair)
            where.setdefault(pair, path)
    bad = []
    for here, there in sorted(told, key=str):
        place = f"{where[here, there]}: {here}()"
        if there not in known:
            bad.append(f"{place} pairs with {there}(), which does not exist")
        elif (there, here) not in told:
            bad.append(f"{place} pairs with {there}(), which does not say so")
    tree.end("pairs", bad, f"{len(told)} comments")


if __name__ == "__main__":
    main()
