#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares two result files of make bench-guest.

    benchguest_compare.py [--bound 1] before.jsonl after.jsonl

Exact figures are compared one by one. The exit status is 1 if one is worse by
more than the bound (percent); less is better for all of them. Rows that only
one file has are listed. Figures of the parallel mode depend on the machine:
they are shown with their spread and never judged. Headers are not compared.
"""
import argparse
import dataclasses
import sys

import benchguest_data as data

COLUMNS = (34, 18, 14, 14, 14, 10)
HEADS = ("workload", "allocator", "figure", "before", "after", "change")


@dataclasses.dataclass
class Change:
    """A figure that is not what it was."""

    row: dict
    figure: str
    before: float
    after: float

    def percent(self):
        """How much more it is now."""
        return (self.after / self.before - 1) * 100 if self.before else \
            float("inf")

    def is_worse(self, bound):
        """Whether it counts as a regression."""
        return self.figure not in data.NEUTRAL and self.after > self.before \
            and self.percent() > bound

    def cells(self):
        """A row of the table."""
        return (data.title(self.row), self.row["alloc"], self.figure,
                f"{self.before:,g}", f"{self.after:,g}",
                f"{self.percent():+.2f} %")


@dataclasses.dataclass
class Outcome:
    """What became of a file."""

    changes: list
    missing: list  # rows, or figures of rows, that are no more
    new: list

    def worse(self, bound):
        """Regressions."""
        return [change for change in self.changes if change.is_worse(bound)]


def keyed(rows, name):
    """{key: row} of the exact mode."""
    found = {}
    for row in data.results(rows, "exact"):
        if data.key(row) in found:
            raise data.Damaged(f"{name}: has {data.title(row)} of "
                               f"{row['alloc']} twice")
        found[data.key(row)] = row
    if not found:
        raise data.Damaged(f"{name}: has no exact result")
    return found


def named(row, figure=None):
    """A row, or one of its figures, in words."""
    return f"{data.title(row)}, {row['alloc']}" + \
        (f": {figure}" if figure else "")


def compare_rows(one, two):
    """(changes, missing, new) of one row."""
    before, after = data.figures(one), data.figures(two)
    changes = [Change(one, name, value, after[name])
               for name, value in before.items()
               if name in after and after[name] != value]
    return (changes, [named(one, name) for name in before.keys() -
                      after.keys()],
            [named(two, name) for name in after.keys() - before.keys()])


def compare(before, after):
    """Outcome for the rows of two files."""
    one, two = keyed(before, "A"), keyed(after, "B")
    outcome = Outcome([], [], [])
    for key, row in one.items():
        if key not in two:
            outcome.missing.append(named(row))
            continue
        changes, missing, new = compare_rows(row, two[key])
        outcome.changes += changes
        outcome.missing += sorted(missing)
        outcome.new += sorted(new)
    outcome.new += [named(row) for key, row in two.items() if key not in one]
    return outcome


def line(cells):
    """A line of the table."""
    return (f"{cells[0]:<{COLUMNS[0]}}{cells[1]:<{COLUMNS[1]}}"
            f"{cells[2]:<{COLUMNS[2]}}" +
            "".join(f"{cell:>{width}}" for cell, width in
                    zip(cells[3:], COLUMNS[3:]))).rstrip()


def parallel(before, after):
    """Lines: throughput of both files, each with least and most."""
    two = {data.key(row): row for row in data.results(after, "parallel")}

    def cell(row):
        return f"{row['value']:,g} ({row['min']:,g} to {row['max']:,g})" \
            if row else "-"
    for row in data.results(before, "parallel"):
        yield (f"{data.title(row):<{COLUMNS[0]}}{row['alloc']:<{COLUMNS[1]}}"
               f"{cell(row):>38}{cell(two.get(data.key(row))):>38}")


def report(outcome, bound, before, after):
    """Everything as text."""
    worse = outcome.worse(bound)
    lines = [line(HEADS)] if outcome.changes else []
    lines += [line(change.cells()) +
              ("  WORSE" if change in worse else "")
              for change in outcome.changes]
    lines += [f"missing in B: {name}" for name in outcome.missing]
    lines += [f"new in B: {name}" for name in outcome.new]
    times = list(parallel(before, after))
    if times:
        lines += ["", "Parallel, operations per second: median (least to "
                  "most) of A and B; not judged", *times]
    return "\n".join([*lines, "", f"{len(outcome.changes)} exact figures "
                      f"changed, {len(worse)} are worse by more than "
                      f"{bound:g} %, {len(outcome.missing)} missing, "
                      f"{len(outcome.new)} new"])


def main(words=None):
    """Compares and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bound", type=float, default=1.0)
    parser.add_argument("before")
    parser.add_argument("after")
    args = parser.parse_args(words)
    try:
        before, after = data.read(args.before)[1], data.read(args.after)[1]
        outcome = compare(before, after)
    except data.Damaged as error:
        print(f"bench-compare: {error}", file=sys.stderr)
        return 2
    print(report(outcome, args.bound, before, after))
    if data.fingerprint(before) == data.fingerprint(after):
        print("The exact lines are the same, byte for byte")
    return int(bool(outcome.worse(args.bound)))


if __name__ == "__main__":
    sys.exit(main())
