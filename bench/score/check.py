#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Fails if an allocator misses a bound of gates.py.

    check.py --probe PROGRAM --out FOLDER --library FILE [ALLOCATOR]

First the statistics are tested themselves (test_stats.py). Then the C
library is measured, which must miss the bounds of BROKEN: a bound that it
reaches is not checked by anything. Sample sizes are fixed.
"""
import argparse
import pathlib
import sys
import unittest

import gates
import probes
import score

HERE = pathlib.Path(__file__).resolve().parent
# What glibc gives away on every machine
BROKEN = ("base.page_bits", "class.page_bits", "large.page_bits",
          "libc.page_bits", "lag1.shannon", "lag1.top", "lag8.shannon",
          "lag8.top", "lag64.shannon", "lag64.top", "growth.min",
          "growth.pick", "churn.pick", "growth.adjacent", "churn.within256",
          "spray.within256", "pair.within256", "remote.within256",
          "after.now", "after.remote.now", "after.large", "processes.repeat",
          "fork.same", "fork.large")


class Lines(unittest.TestResult):
    """Prints a line for each test, in the form of the other suites."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.count += 1
        print(f"ok statistics: {test.shortDescription()}", flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell(self.failures)

    def addError(self, test, err):
        super().addError(test, err)
        self.tell(self.errors)

    def tell(self, found):
        """The last one that went wrong."""
        test, why = found[-1]
        self.count += 1
        print(f"not ok statistics: {test.shortDescription()}\n{why}",
              flush=True)


def test_statistics():
    """(passed, failed) of test_stats.py."""
    result = Lines()
    unittest.defaultTestLoader.discover(
        str(HERE), pattern="test_stats.py").run(result)
    bad = len(result.failures) + len(result.errors)
    return result.count - bad, bad


def judge(name, figures):
    """(passed, failed) of the bounds."""
    failed = 0
    for gate in gates.GATES:
        figure = figures[gate.figure]
        good = figure.n > 0 and gate.passes(figure.value)
        failed += not good
        hint = figure.more.get("strategy")
        print(f"{'ok' if good else 'not ok'} {name}: {gate.text}: "
              f"{figure.value:.5g}, {gate.bound()}"
              f"{f' ({hint})' if hint else ''}", flush=True)
    return len(gates.GATES) - failed, failed


def judge_libc(figures):
    """(passed, failed): does the C library miss what it must?"""
    kept = [gate.figure for gate in gates.GATES if gate.figure in BROKEN and
            gate.passes(figures[gate.figure].value)]
    print(f"not ok glibc reaches {', '.join(kept)}" if kept else
          f"ok glibc misses the {len(BROKEN)} bounds that it must miss",
          flush=True)
    return int(not kept), int(bool(kept))


def main():
    """Tests, measures, judges."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    score.add_options(parser)
    parser.add_argument("allocator", nargs="?", default="ukallocrnd")
    parser.set_defaults(size=gates.SIZE, processes=gates.PROCESSES,
                        draws=gates.DRAWS, runs=gates.RUNS)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    counts = [test_statistics()]
    try:
        figures, _ = score.collect(probes.Allocator("glibc"), args)
        counts.append(judge_libc(figures))
        allocator = probes.parse_allocator(args.allocator, args.library)
        figures, _ = score.collect(allocator, args)
        score.write_records(args.out / f"{allocator.name}.jsonl", allocator,
                            figures, score.surroundings(args))
        counts.append(judge(allocator.name, figures))
    except (probes.ProbeError, ValueError, OSError) as error:
        print(f"not ok measuring: {error}")
        counts.append((0, 1))
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"false alarms: probability below {gates.alarms():.1e} for true "
          "values that docs/scorecard.md calls safe")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
