#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots the benchmark image many times: is every base uniformly random?

    bootstat.py [--boots 1000] [--jobs 2] image

Each boot prints its memory map, and where one page of the heap is mapped.
For every entry the upper bits of its address are put into bins of equal
probability, and so are its lowest random bits; chi-square of both must stay
below a limit that all tests together exceed with probability ALPHA at most if
bases are uniform. No base may occur twice.
"""
import argparse
import concurrent.futures
import json
import math
import statistics
import sys

import qemu

ALPHA = 0.001
MACHINE = "microvm"
UPPER = 1 << 63
SPACE = {False: (1 << 36, (1 << 47) - 4096),  # what ukvmem manages
         True: ((1 << 64) - (1 << 47), 1 << 64)}
# Not drawn: offsets in the image, physical addresses
NOT_DRAWN = ("image rodata", "image data", "page table root (physical)")
MANY_BOOTS = 400  # enough for 16 bins
PROGRESS = 50


def boot(image):
    """{name: base} of one boot; several of one name are numbered."""
    outcome = qemu.boot(qemu.Guest(image, smp="2", machine=MACHINE, mem=128,
                                   append="mode=map"))
    if outcome.status:
        raise RuntimeError(f"{qemu.reason(outcome.status)}:\n" +
                           "\n".join(outcome.lines[-20:]))
    bases, seen = {}, {}
    for line in outcome.lines:
        row = json.loads(line) if line.startswith("{") else {}
        if row.get("type") != "map" or row["name"] in NOT_DRAWN:
            continue
        seen[row["name"]] = seen.get(row["name"], 0) + 1
        bases[f"{row['name']} {seen[row['name']]}"] = (int(row["base"], 16),
                                                       row["len"])
    return bases


def chi_square(values, bins):
    """Chi-square of values in [0, 1) put into bins."""
    counts = [0] * bins
    for value in values:
        counts[min(int(value * bins), bins - 1)] += 1
    mean = len(values) / bins
    return sum((count - mean) ** 2 for count in counts) / mean


def limit(bins, tests):
    """What a chi-square exceeds with probability ALPHA / tests (Wilson and
    Hilferty's approximation)."""
    free = bins - 1
    z = statistics.NormalDist().inv_cdf(1 - ALPHA / tests)
    return free * (1 - 2 / (9 * free) + z * math.sqrt(2 / (9 * free))) ** 3


def fractions(entries):
    """Two lists in [0, 1): position in the space, and lowest bits."""
    first, last = SPACE[entries[0][0] >= UPPER]
    high = [(base - first) / (last - length - first)
            for base, length in entries]
    unit = math.gcd(*(base for base, _ in entries))
    unit &= -unit
    low = [(base // unit % 256) / 256 for base, _ in entries]
    return high, low


def judge(name, entries, bins, tests):
    """What is wrong with the bases of an entry, or None."""
    if len({base for base, _ in entries}) < len(entries):
        return f"{name}: the same base twice"
    for what, values in zip(("position", "lowest bits"), fractions(entries)):
        found = chi_square(values, bins)
        if found > limit(bins, tests):
            return (f"{name}: chi-square of {what} {found:.1f}, limit "
                    f"{limit(bins, tests):.1f}")
    return None


def run(args):
    """The maps of all boots."""
    maps = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for found in pool.map(boot, [args.image] * args.boots):
            maps.append(found)
            if len(maps) % PROGRESS == 0:
                print(f"  {len(maps)} boots", file=sys.stderr, flush=True)
    return maps


def main():
    """Boots, judges, tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("--boots", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()

    maps = run(args)
    names = list(maps[0])
    bins = 16 if args.boots >= MANY_BOOTS else 4
    failed = 0
    for name in names:
        entries = [found[name] for found in maps if name in found]
        why = judge(name, entries, bins, 2 * len(names)) \
            if len(entries) == len(maps) else f"{name}: not in every boot"
        if why:
            print(f"not ok {why}")
        failed += bool(why)
    print(f"{args.boots} boots, {len(names)} bases each, {bins} bins, error "
          f"rate {ALPHA:g} in all")
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
