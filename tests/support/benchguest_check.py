#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two exact runs of one image must give the same lines, byte for byte.

    benchguest_check.py [--quick] --plugin file [--qemu10 program] image

Both boots run at the same time: the load of the machine may not count. One of
them has the plug-in that counts events, which may not change any figure, and
must have counted the guest's known events rightly. It must do so in QEMU 10,
too, whose interface is another; without -icount, as it needs none for that.
"""
import concurrent.futures
import copy
import dataclasses
import json
import pathlib
import sys

import benchguest
import benchguest_data as data
import benchguest_events as events
import qemu

SHOWN = 5


def differences(one, two):
    """What differs between two texts, line by line."""
    first, second = one.splitlines(True), two.splitlines(True)
    for number, (a, b) in enumerate(zip(first, second), 1):
        if a != b:
            yield f"line {number}: {a.rstrip()} became {b.rstrip()}"
    if len(first) != len(second):
        yield f"{len(first)} lines became {len(second)}"


def run(args, smp, plugin):
    """Lines of one run, without what only a plug-in counts."""
    args = copy.copy(args)
    args.plugin = plugin
    return data.lines([events.without(row) for row in
                       benchguest.boot(args, args.image, "exact", smp)
                       if row["type"] != "missing"])


def check(args, smp):
    """Boots twice; what is wrong."""
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            one, two = pool.map(lambda plugin: run(args, smp, plugin),
                                ("", args.plugin))
    except benchguest.Failed as error:
        return [str(error)]
    if not one:
        return ["exact mode ended without a result"]
    return list(differences(one, two))


def check_known(image, emulator, plugin):
    """Boots one workload in another QEMU; what is wrong."""
    reason = events.why_not(emulator, plugin)
    if reason:
        return [reason]
    with events.Counter(plugin) as counter:
        outcome = qemu.boot(qemu.Guest(
            str(image), append="mode=exact only=pair quick",
            qemu=emulator, plugin=counter.option))
        if outcome.status:
            return [qemu.reason(outcome.status), *outcome.lines]
        try:
            counter.join([json.loads(line) for line in outcome.lines
                          if line.startswith("{")])
        except events.Wrong as error:
            return [str(error)]
    return []


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
    """Checks one CPU and several, and another QEMU."""
    parser = benchguest.parser_of(__doc__)
    parser.add_argument("--qemu10", type=pathlib.Path)
    parser.add_argument("image", type=pathlib.Path)
    args = parser.parse_args()
    tally = Tally()
    reason = events.why_not(args.qemu, args.plugin)
    if reason:
        tally.add("the plug-in can be loaded", [reason])
        return tally.end()
    for smp in benchguest.EXACT_UNITS:
        tally.add(f"two exact runs on {smp} CPU{'s' * (smp > 1)}, without "
                  "and with the plug-in", check(args, smp))
    title = "known events in QEMU 10"
    if args.qemu10 and args.qemu10.exists():
        tally.add(title, check_known(args.image, str(args.qemu10),
                                     args.plugin))
    else:
        print(f"skip {title}: `make qemu10` found none")
        tally.skipped += 1
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
