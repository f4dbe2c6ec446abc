# SPDX-License-Identifier: BSD-3-Clause
"""The allocators that are compared, and where each one is.

Ours are named libraries; the others come from Debian's packages, mimalloc's
secure build from hostbench_secure.py. One that is missing stays in the list
with the reason, so that a table says what it lacks.
"""
import dataclasses
import pathlib
import subprocess

import hostbench_run

LIB = pathlib.Path("/usr/lib/x86_64-linux-gnu")
SCUDO = "llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-x86_64.so"
BASE = "mimalloc"  # what the others are compared with
# Name, file (or pattern below /usr/lib), package
PEERS = (
    ("glibc", LIB / "libc.so.6", "libc6"),
    ("mimalloc", LIB / "libmimalloc.so.2.0", "libmimalloc2.0"),
    ("mimalloc3", LIB / "libmimalloc.so.3", "libmimalloc3"),
    ("mi-secure", None, "hostbench_secure.py"),
    ("jemalloc", LIB / "libjemalloc.so.2", "libjemalloc2"),
    ("tcmalloc", LIB / "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
    ("scudo", SCUDO, "libclang-rt-14-dev"),
)
OPTIONAL = ("mimalloc3",)  # not in every Debian: no word if it is missing


@dataclasses.dataclass
class Alloc:
    """An allocator under test."""

    name: str
    path: pathlib.Path | None
    ours: bool = False
    version: str = ""
    missing: str = ""  # why it cannot be used


def parse_libs(text):
    """Our libraries from words of the form name=path, or path alone."""
    for word in text.split():
        name, _, path = word.rpartition("=")
        path = pathlib.Path(path).resolve()
        name = name or path.stem.removeprefix("lib")
        yield Alloc(name, path, ours=True,
                    missing="" if path.exists() else f"no file {path}")


def package_version(package):
    """Version of an installed package, or nothing."""
    run = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package],
                         text=True, check=False, capture_output=True)
    return run.stdout.strip() if run.returncode == 0 else ""


def peer(name, where, package, secure):
    """One allocator that is not ours."""
    if name == "mi-secure":
        return Alloc(name, secure.library, version=secure.version,
                     missing=secure.problem)
    if isinstance(where, str):
        found = sorted(pathlib.Path("/usr/lib").glob(where))
        where = found[-1] if found else None
    if not where or not where.exists():
        return Alloc(name, None, missing=f"package {package} is missing")
    return Alloc(name, where, version=package_version(package))


def find(libs, wanted, secure):
    """All allocators that are asked for, those of wanted or all."""
    found = [*parse_libs(libs),
             *(peer(*row, secure) for row in PEERS)]
    names = wanted.replace(",", " ").split()
    unknown = set(names) - {a.name for a in found}
    if unknown:
        raise SystemExit(f"unknown allocators: {' '.join(sorted(unknown))}; "
                         f"there are {' '.join(a.name for a in found)}")
    return [a for a in found if (a.name in names if names else
                                 not a.missing or a.name not in OPTIONAL)]


def verify(allocs, runner):
    """Makes sure that each library really takes malloc over."""
    for alloc in allocs:
        if alloc.missing:
            continue
        result = runner.run(alloc, ["empty", "1"])
        if result["status"]:
            alloc.missing = f"a program of one malloc ends with " \
                f"{result['status']}"
            continue
        used = pathlib.Path(hostbench_run.result_of(result)["malloc"])
        if used.resolve() != alloc.path.resolve():
            alloc.missing = f"malloc comes from {used}"
    return [a for a in allocs if not a.missing]
