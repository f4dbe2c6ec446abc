# SPDX-License-Identifier: BSD-3-Clause
"""What the lints share: which files to read and how to end."""
import pathlib
import sys

CODE = ("include", "lib", "plat", "tests", "bench")


def files(root, *suffixes, folders=CODE):
    """Files of the tree with one of the suffixes, as paths below root."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path.relative_to(root)


def root_of(argv):
    """The tree to check: the argument, or where this file lies."""
    if len(argv) > 1:
        return pathlib.Path(argv[1])
    return pathlib.Path(__file__).resolve().parents[2]


def end(name, bad, ok):
    """Prints the findings, or that there are none, and ends the program."""
    print("\n".join(bad) if bad else f"{name}: {ok}")
    sys.exit(bool(bad))
