#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Builds the guest in each profile of randomization and runs all its tests.

    profiles.py [--all] [--build] [--balanced bench.elf]

Without --all: some cases of NONE and POORMAN on 2 CPUs (microvm), all of STRONG
on 4 (q35). With it: every profile, the default one too, on 1, 2, 4 and 8 CPUs
of the installed QEMU and of QEMU 10, and all benchmarks in both modes, with few
operations. --build: builds all profiles, runs nothing.

With an image of the default profile the boots of all profiles are compared:
how many instructions more than in NONE they take until main().
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import sys

import boottime
import configs
import guest

PROFILES = ("NONE", "POORMAN", "STRONG", "BALANCED")
DEFAULT = "BALANCED"
PREFIX = "UKPLAT_PROFILE_"
# Million instructions until main(), above NONE
BOUNDS = {"BALANCED": 10, "STRONG": 60}


@dataclasses.dataclass
class Emulators:
    """Where guest.execute() finds them."""

    image: str
    qemu: str
    qemu10: str


def case(name, smp, machine, options=(), words="", **more):
    """One boot."""
    return guest.Case(name, smp, machine,
                      dict.fromkeys(options, "") | {"mem": "256"} | more,
                      words, 0, "-")


def quick(name):
    """Boots of the test program that are always made."""
    return [case(name, "4", "q35")] if name == "STRONG" else \
        [case(name, "2", "microvm", words="tests=*s_are_*")]


def every(name):
    """All of them."""
    return [case(name, smp, machine, options)
            for smp, machine in (("1", "microvm"), ("2", "pc"), ("4", "q35"),
                                 ("8", "q35"))
            for options in ((), ("qemu10",))]


def benchmarks(profile):
    """All benchmarks, in exact mode alone and with what several CPUs add."""
    return [case(f"{profile} benchmark", smp, "q35", (*options, *exact),
                 f"mode={mode} quick", mem="512", timeout="900")
            for options in ((), ("qemu10",))
            for mode, exact, smp in (("exact", ("exact",), "1"),
                                     ("exact", ("exact",), "8"),
                                     ("parallel", (), "8"))]


def build(out, profile, jobs):
    """Builds the guest; output of a failure or None."""
    config = configs.Config(profile, {PREFIX + profile: True})
    return configs.build(out, config, "gcc", [f"-j{jobs}", "guest"])


def run(cases, emulators, jobs=1):
    """Runs so many boots at a time; [passed, failed, skipped]."""
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for counts, lines in pool.map(
                lambda one: guest.execute(one, emulators), cases):
            print("\n".join(lines), flush=True)
            total = [a + b for a, b in zip(total, counts)]
    return total


def compare(images):
    """Compares boots; [passed, failed, skipped]."""
    args, images, bounds = boottime.arguments(
        ["--exact", *(f"--bound={name}={most}"
                      for name, most in BOUNDS.items()),
         *(f"{name}={path}" for name, path in images.items())])
    for image in images:
        boottime.boot(image, args)
    late = list(boottime.judge(images, bounds))
    print("\n".join([*boottime.table(images),
                     *(f"not ok {text}" for text in late)]))
    return [len(images) - len(late), len(late), 0]


def arguments():
    """What is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default="build")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--qemu10", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--balanced", type=pathlib.Path)
    return parser.parse_args()


def test(profile, out, args):
    """Runs the tests of a profile; [passed, failed, skipped]."""
    def emulators(program):
        return Emulators(str(out / f"guest/{program}.elf"), args.qemu,
                         args.qemu10)
    counts = run(every(profile) if args.all else quick(profile),
                 emulators("test"))
    if args.all:
        more = run(benchmarks(profile), emulators("bench"), args.jobs)
        counts = [a + b for a, b in zip(counts, more)]
    return counts


def main():
    """Builds and runs profile after profile."""
    args = arguments()
    total = [0, 0, 0]
    images = {}
    for profile in PROFILES:
        if profile == DEFAULT and not (args.all or args.build):
            images[profile] = args.balanced
            continue
        out = args.out / "profiles" / profile
        images[profile] = out / "guest/bench.elf"
        error = build(out, profile, args.jobs)
        counts = [0, 0, 0]
        if error:
            print(f"not ok {profile}: {error}")
            counts = [0, 1, 0]
        elif not args.build:
            counts = test(profile, out, args)
        total = [a + b for a, b in zip(total, counts)]
    if args.balanced and not total[1]:
        total = [a + b for a, b in zip(total, compare(images))]
    print("{} passed, {} failed, {} skipped".format(*total))
    return int(total[1] > 0)


if __name__ == "__main__":
    sys.exit(main())
