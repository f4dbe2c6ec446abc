#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two exact runs of one image must give the same lines, byte for byte.

    benchguest_check.py [--quick] image

Both boots run at the same time: the load of the machine may not count.
"""
import concurrent.futures
import pathlib
import sys

import benchguest
import benchguest_data as data

SHOWN = 5


def differences(one, two):
    """What differs between two texts, line by line."""
    first, second = one.splitlines(True), two.splitlines(True)
    for number, (a, b) in enumerate(zip(first, second), 1):
        if a != b:
            yield f"line {number}: {a.rstrip()} became {b.rstrip()}"
    if len(first) != len(second):
        yield f"{len(first)} lines became {len(second)}"


def run(args, smp):
    """Lines of one run."""
    rows = [row for row in benchguest.boot(args, args.image, "exact", smp)
            if row["type"] == "bench"]
    return data.lines(rows)


def main():
    """Boots twice and compares."""
    parser = benchguest.parser_of(__doc__)
    parser.add_argument("image", type=pathlib.Path)
    args = parser.parse_args()
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            one, two = pool.map(lambda _: run(args, 1), range(2))
    except benchguest.Failed as error:
        print(f"not ok exact runs: {error}\n0 passed, 1 failed, 0 skipped")
        return 1
    found = list(differences(one, two))
    if not one:
        found = ["exact mode ended without a result"]
    for text in found[:SHOWN]:
        print(f"not ok exact runs: {text}")
    if not found:
        print(f"ok {one.count(chr(10))} exact results are the same in two "
              "runs")
    print(f"{int(not found)} passed, {int(bool(found))} failed, 0 skipped")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
