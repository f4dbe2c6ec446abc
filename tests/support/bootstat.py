#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Boots the benchmark image many times: how random is its memory map?

    bootstat.py [--boots 1000] [--jobs 2] image
    bootstat.py --read boots.jsonl

For every row of the map: the range and the steps of its address, and so its
bits; whether it is uniform over that range, bit by bit too, and independent
of the boot before. For every two rows: how many bits one has left when the
other is known. What fails, and what has fewer bits than aslr_table.py wants,
is told, and ends in exit status 1.
"""
import argparse
import pathlib
import sys

import aslr_boot
import aslr_judge
import aslr_report
import document


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", nargs="?")
    parser.add_argument("--boots", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--read", help="judge the boots of this file instead")
    parser.add_argument("--save", help="keep the boots in this file")
    parser.add_argument("--json", help="write the figures as JSON lines")
    parser.add_argument("--doc", type=pathlib.Path,
                        help="write the tables into this document")
    args = parser.parse_args()
    if bool(args.image) == bool(args.read):
        parser.error("either an image or --read, please")
    return args


def main():
    """Boots, judges, tells."""
    args = arguments()
    try:
        boots = aslr_boot.load(args.read) if args.read else \
            aslr_boot.boots(args.image, args.boots, args.jobs)
        if args.save:
            aslr_boot.save(args.save, boots)
        verdict = aslr_judge.judge(boots)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"bootstat: {error}", file=sys.stderr)
        return 1
    if args.json:
        aslr_report.save(args.json, verdict)
    if args.doc:
        document.put_into(args.doc, aslr_report.markdown(verdict))
    print(aslr_report.terminal(verdict))
    passed, failed = verdict.counts()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
