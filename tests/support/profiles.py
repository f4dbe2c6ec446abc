#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds the guest in each profile of randomization and runs all its tests.

    profiles.py [--all]

Without --all: NONE and POORMAN on 2 CPUs (microvm), STRONG on 1 (microvm) and
on 4 (q35). With it: every profile, the default one too, on 1, 2, 4 and 8 CPUs
of the installed QEMU and of QEMU 10, and the benchmarks on 4.
"""
import argparse
import dataclasses
import os
import pathlib
import sys

import configs
import guest

PROFILES = ("NONE", "POORMAN", "STRONG", "BALANCED")
DEFAULT = "BALANCED"
PREFIX = "UKPLAT_PROFILE_"


@dataclasses.dataclass
class Emulators:
    """Where guest.execute() finds them."""

    image: str
    qemu: str
    qemu10: str


def case(name, smp, machine, options=(), words=""):
    """One boot."""
    return guest.Case(name, smp, machine,
                      dict.fromkeys(options, "") | {"mem": "256"},
                      words, 0, "-")


def quick(name):
    """Boots of the test program that are always made."""
    return [case(name, "1", "microvm"), case(name, "4", "q35")] \
        if name == "STRONG" else [case(name, "2", "microvm")]


def every(name):
    """All of them."""
    return [case(name, smp, machine, options)
            for smp, machine in (("1", "microvm"), ("2", "pc"), ("4", "q35"),
                                 ("8", "q35"))
            for options in ((), ("qemu10",))]


def build(out, profile, jobs):
    """Builds the guest; output of a failure or None."""
    config = configs.Config(profile, {PREFIX + profile: True})
    return configs.build(out, config, "gcc", [f"-j{jobs}", "guest"])


def run(cases, emulators):
    """Runs boots one after the other; [passed, failed, skipped]."""
    total = [0, 0, 0]
    for one in cases:
        counts, lines = guest.execute(one, emulators)
        print("\n".join(lines), flush=True)
        total = [a + b for a, b in zip(total, counts)]
    return total


def main():
    """Builds and runs profile after profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default="build")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--qemu10", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    total = [0, 0, 0]
    for profile in PROFILES:
        if profile == DEFAULT and not args.all:
            continue
        out = args.out / "profiles" / profile
        error = build(out, profile, args.jobs)
        if error:
            print(f"not ok {profile}: {error}")
            total[1] += 1
            continue
        cases = every(profile) if args.all else quick(profile)
        counts = run(cases, Emulators(str(out / "guest/test.elf"), args.qemu,
                                      args.qemu10))
        total = [a + b for a, b in zip(total, counts)]
        if args.all:
            counts = run([case(f"{profile} benchmark", "4", "q35")],
                         Emulators(str(out / "guest/bench.elf"), args.qemu,
                                   args.qemu10))
            total = [a + b for a, b in zip(total, counts)]
    print("{} passed, {} failed, {} skipped".format(*total))
    return int(total[1] > 0)


if __name__ == "__main__":
    sys.exit(main())
