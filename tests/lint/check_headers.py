#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every header compiles alone, twice in a row, for guest and host.

    check_headers.py FLAGS_FILE...

A flags file has the compiler's command in its first line; its name's folder
("guest", "host") says which headers it is for.
"""
import concurrent.futures
import pathlib
import shlex
import subprocess
import sys

import tree

GUEST_ONLY = ("plat/", "lib/ukvmem/", "include/uk/plat/", "include/uk/spin",
              "lib/ukalloc/cpu.h", "lib/ukallocrnd/uk/", "bench/guest/",
              "tests/guest/")
HOST_ONLY = ("lib/ukallocrnd/host/",)
# Compiled with headers of their own by check_unikraft.py
ELSEWHERE = ("lib/ukallocrnd/unikraft/", "tests/unikraft/")
# Headers that others include only if an option is on: given a value here
VALUES = {"alloc_stats.h": ["-DCONFIG_LIBUKALLOC_IFSTATS_STRIPES=1"]}


def belongs(path, world):
    """Does a header belong to the guest, to the host, or to both?"""
    other = {"guest": HOST_ONLY, "host": GUEST_ONLY}[world]
    return not str(path).startswith(other + ELSEWHERE)


def private_dirs(root, path):
    """-I options for the folder of a private header and its room."""
    dirs = [path.parent, *path.parent.parents][:-1]
    return [f"-I{d}" for d in dirs if "include" not in d.parts and
            any((root / d).glob("*.h"))]


def include_name(path):
    """How users write the header's name."""
    parts = path.parts
    if "include" in parts:
        return "<" + "/".join(parts[parts.index("include") + 1:]) + ">"
    return f'"{path.name}"'


def variants(root, path, world):
    """-I option for the half of a port that depends on the system."""
    room = root / "lib/ukallocrnd" / {"guest": "uk", "host": "host"}[world]
    return [f"-I{room}"] if path.match("lib/ukallocrnd/*.h") else []


def check(root, path, command):
    """Compiles a file that has the header only."""
    line = f"#include {include_name(path)}\n"
    run = subprocess.run(
        [*command, *private_dirs(root, path), "-fsyntax-only", "-Werror",
         "-Wall", "-xc", "-"], input=2 * line, text=True, cwd=root,
        check=False, capture_output=True)
    return f"{path}: does not compile alone:\n{run.stderr}" \
        if run.returncode else None


def main():
    """Checks every header of include/, lib/ and plat/."""
    root = tree.root_of(sys.argv[:1])
    jobs = []
    for name in sys.argv[1:]:
        world = pathlib.Path(name).parent.name
        command = shlex.split(pathlib.Path(name).read_text())
        jobs += [(path, [*command, *variants(root, path, world),
                         *VALUES.get(path.name, [])]) for path in
                 tree.files(root, ".h", folders=("include", "lib", "plat"))
                 if belongs(path, world)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [error for error in pool.map(lambda job: check(root, *job),
                                           jobs) if error]
    tree.end("headers", bad, f"{len(jobs)} times")


if __name__ == "__main__":
    main()
