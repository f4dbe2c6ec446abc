#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots the guest's test program once for each line of a table.

    guest.py [options] image cases.tsv [part of a name]

Columns of the table, separated by tabs; several values in smp or machine,
separated by blanks, make a boot for each combination:
    name     what the boot proves
    smp      value of QEMU's -smp
    machine  pc, q35 or microvm
    options  -, or words: exact (-icount), qemu10 (x2APIC), cpu=<model>,
             mem=<MiB>, timeout=<s>, genid=<VM generation id>,
             fwcfg=<contents of opt/ukallocrnd/seed>
    words    kernel command line, or -
    status   exit code of the guest
    expect   -, or a regular expression for one whole line of the console

Where the guest prints totals, its cases count; otherwise, and where the exit
code has to be another than 0, the boot does.
"""
import argparse
import concurrent.futures
import dataclasses
import itertools
import pathlib
import re
import sys

import qemu

TOTALS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
TIMEOUT_S = 120
SHOWN = 40  # last lines of a console that are shown after a failure


@dataclasses.dataclass
class Case:
    """One boot."""

    name: str
    smp: str
    machine: str
    options: dict
    words: str
    status: int
    expect: str

    def title(self):
        """Name with the place where it ran."""
        return f"{self.name} ({self.machine}, {self.smp} CPUs)"


def read_cases(path):
    """Every boot of the table."""
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != 7:
            sys.exit(f"{path}: not 7 columns: {line}")
        name, smps, machines, words, append, status, expect = columns
        options = dict(word.partition("=")[::2] for word in words.split()
                       if word != "-")
        for smp, machine in itertools.product(smps.split(), machines.split()):
            yield Case(name, smp, machine, options,
                       append if append != "-" else "", int(status), expect)


def problem(case, outcome):
    """What is wrong with a boot, or None."""
    if outcome.status != case.status:
        return (f"{qemu.reason(outcome.status)}, expected exit code "
                f"{case.status}")
    if case.expect != "-" and not any(re.fullmatch(case.expect, line)
                                      for line in outcome.lines):
        return f"no line is {case.expect}"
    return None


def totals(lines):
    """(passed, failed, skipped) that the guest printed, or None."""
    found = [TOTALS.fullmatch(line) for line in lines]
    found = [match for match in found if match]
    return [int(n) for n in found[-1].groups()] if found else None


def execute(case, args):
    """Boots once; counts and the lines to print."""
    emulator = args.qemu10 if "qemu10" in case.options else args.qemu
    if "qemu10" in case.options and not pathlib.Path(emulator).exists():
        return [0, 0, 1], [f"skip {case.title()}: `make qemu10` found none"]
    outcome = qemu.boot(qemu.Guest(
        args.image, smp=case.smp, machine=case.machine,
        exact="exact" in case.options, append=case.words, qemu=emulator,
        cpu=case.options.get("cpu", "max"),
        fwcfg=case.options.get("fwcfg", ""),
        genid=case.options.get("genid", ""),
        mem=int(case.options.get("mem", 1024)),
        timeout=int(case.options.get("timeout", TIMEOUT_S))))
    error = problem(case, outcome)
    counts = totals(outcome.lines)
    if not counts or case.status:
        counts = [int(not error), 0, 0]
    if error:
        counts[1] = max(counts[1], 1)
        return counts, [f"not ok {case.title()}: {error}",
                        *("    " + line for line in outcome.lines[-SHOWN:])]
    bad = [line for line in outcome.lines
           if line.startswith(("not ok", "skip "))]
    return counts, [f"ok {case.title()} {counts[0]} passed "
                    f"({outcome.seconds:.1f} s)", *bad]


def main():
    """Boots all cases, prints the totals last."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--qemu10", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("image")
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("filter", nargs="?", default="")
    args = parser.parse_args()

    cases = [c for c in read_cases(args.cases) if args.filter in c.title()]
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for counts, lines in pool.map(lambda c: execute(c, args), cases):
            print("\n".join(lines), flush=True)
            total = [a + b for a, b in zip(total, counts)]
    print("{} passed, {} failed, {} skipped".format(*total))
    return int(total[1] > 0 or not cases)


if __name__ == "__main__":
    sys.exit(main())
