#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two exact runs of one image must give the same lines, byte for byte.

    benchguest_check.py [--quick] --plugin file [--qemu10 program] image

Both boots run at the same time: the load of the machine may not count. One of
them has the plug-in that counts events, which may not change any figure, and
must have counted the guest's known events rightly. With one CPU this one is in
QEMU 10, if there is any: the version may not count either, and the interface
for plug-ins is another.
"""
import concurrent.futures
import copy
import dataclasses
import pathlib
import sys

import benchguest
import benchguest_data as data
import benchguest_events as events

SHOWN = 5


def differences(one, two):
    """What differs between two texts, line by line."""
    first, second = one.splitlines(True), two.splitlines(True)
    for number, (a, b) in enumerate(zip(first, second), 1):
        if a != b:
            yield f"line {number}: {a.rstrip()} became {b.rstrip()}"
    if len(first) != len(second):
        yield f"{len(first)} lines became {len(second)}"


def run(args, smp, plugin, emulator):
    """Lines of one run, without what only a plug-in counts."""
    args = copy.copy(args)
    args.plugin, args.qemu = plugin, emulator
    return data.lines([events.without(row) for row in
                       benchguest.boot(args, args.image, "exact", smp)
                       if row["type"] != "missing"])


def check(args, smp, emulator):
    """Boots twice, the second time in an emulator; what is wrong."""
    reason = events.why_not(emulator, args.plugin)
    if reason:
        return [f"no plug-in: {reason}"]
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            one, two = pool.map(lambda how: run(args, smp, *how),
                                (("", args.qemu), (args.plugin, emulator)))
    except benchguest.Failed as error:
        return [str(error)]
    if not one:
        return ["exact mode ended without a result"]
    return list(differences(one, two))


@dataclasses.dataclass
class Tally:
    """Results so far."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, title, found):
        """Prints one result: what is wrong, nothing if all is well."""
        print(f"{'not ok' if found else 'ok'} {title}",
              *(f"    {text}" for text in found[:SHOWN]), sep="\n",
              flush=True)
        self.passed += not found
        self.failed += bool(found)

    def end(self):
        """Prints the totals; exit status."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} "
              "skipped")
        return int(self.failed > 0)


def main():
    """Checks one CPU and several."""
    parser = benchguest.parser_of(__doc__)
    parser.add_argument("--qemu10", type=pathlib.Path)
    parser.add_argument("image", type=pathlib.Path)
    args = parser.parse_args()
    tally = Tally()
    newer = str(args.qemu10) if args.qemu10 and args.qemu10.exists() else ""
    for smp in benchguest.EXACT_UNITS:
        other = newer if smp == 1 else ""
        tally.add(f"two exact runs on {smp} CPU{'s' * (smp > 1)}, without "
                  f"and with the plug-in{', that in QEMU 10' * bool(other)}",
                  check(args, smp, other or args.qemu))
    if not newer:
        print("skip QEMU 10: `make qemu10` found none")
        tally.skipped += 1
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
