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
    return data.lines([row for row in
                       benchguest.boot(args, args.image, "exact", smp)
                       if row["type"] != "missing"])


def check(args, smp):
    """Boots twice; what is wrong."""
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            one, two = pool.map(lambda _: run(args, smp), range(2))
    except benchguest.Failed as error:
        return [str(error)]
    if not one:
        return ["exact mode ended without a result"]
    return list(differences(one, two))


def main():
    """Checks one CPU and several."""
    parser = benchguest.parser_of(__doc__)
    parser.add_argument("image", type=pathlib.Path)
    args = parser.parse_args()
    failed = 0
    for smp in benchguest.EXACT_UNITS:
        found = check(args, smp)
        title = f"two exact runs on {smp} CPU{'s' * (smp > 1)}"
        print(f"{'not ok' if found else 'ok'} {title}",
              *(f"    {text}" for text in found[:SHOWN]), sep="\n",
              flush=True)
        failed += bool(found)
    print(f"{len(benchguest.EXACT_UNITS) - failed} passed, {failed} failed, "
          "0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
