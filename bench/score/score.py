#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures how random allocators are, and prints them side by side.

    score.py --probe PROGRAM --out FOLDER [--library FILE] [ALLOCATOR...]

ALLOCATOR is ukallocrnd (--library), glibc, or
NAME=path.so[,VARIABLE=value]... for any other. FOLDER gets a file of JSON
lines and a plot for each, and the table. docs/scorecard.md says what is
measured and how.
"""
import argparse
import json
import os
import pathlib
import platform
import sys
import time

import document
import measure
import plot
import probes
import table

class Progress:
    """What is being done, on standard error; on a terminal in one line."""

    def __init__(self, name):
        self.name = name
        self.tty = sys.stderr.isatty()
        self.start = time.monotonic()

    def tell(self, what):
        """Says what is done next."""
        if self.tty:
            print(f"\r\033[K{self.name}: {what}", end="", file=sys.stderr,
                  flush=True)

    def end(self):
        """Says how long it took."""
        seconds = time.monotonic() - self.start
        print(f"{chr(13) if self.tty else ''}{self.name}: "
              f"measured in {seconds:.1f} s", file=sys.stderr, flush=True)


def first_objects(probe, processes, progress):
    """A row of addresses of each of many processes."""
    rows = []
    for i in range(processes):
        if i % 100 == 0:
            progress.tell(f"{i} of {processes} processes")
        rows.append(probe.words("start"))
    return rows


def worst(runs):
    """Of several runs the worse figure of each name: the smaller entropy,
    the larger probability; all values are kept beside it."""
    kept = {}
    for figure in (f for figures in runs for f in figures):
        kept.setdefault(figure.name, []).append(figure)
    for name, figures in kept.items():
        is_bits = name.endswith((".min", ".pick"))
        pick = (min if is_bits else max)(figures, key=lambda f: f.value)
        pick.more["runs"] = [figure.value for figure in figures]
        yield pick


def draw_runs(probe, args, progress):
    """The modes with many draws, each in processes of its own."""
    growths, others = [], []
    for run in range(args.runs):
        progress.tell(f"{args.draws} draws, {run + 1} of {args.runs}")
        growths.append(list(measure.growth(probe, args.draws)))
        step = growths[-1][0].more["stride"]
        others.append([*measure.churn(probe, args.draws, step),
                       *measure.aged(probe, args.draws, step)])
    yield from worst(growths)
    yield from worst(others)


def collect(allocator, args):
    """(figures, rows of first objects) of an allocator."""
    progress = Progress(allocator.name)
    probe = probes.Probe(args.probe, allocator, args.size, args.live)
    probe.verify()
    rows = first_objects(probe, args.processes, progress)
    figures = [*measure.process_figures(rows),
               *draw_runs(probe, args, progress)]
    progress.tell("reuse")
    figures += measure.reuse(probe, args.draws, args.trials)
    progress.tell("residue and fork")
    figures += measure.after(probe, args.trials)
    figures += measure.fork(probe, args.forks)
    progress.end()
    return {figure.name: figure for figure in figures}, rows


def surroundings(args):
    """What the figures depend on."""
    bits = pathlib.Path("/proc/sys/vm/mmap_rnd_bits")
    aslr = pathlib.Path("/proc/sys/kernel/randomize_va_space")
    return {"type": "run", "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "kernel": platform.release(), "machine": platform.machine(),
            "cpus": os.cpu_count(), "libc": " ".join(platform.libc_ver()),
            "mmap_rnd_bits": int(bits.read_text()) if os.access(
                bits, os.R_OK) else None,
            "randomize_va_space": int(aslr.read_text()),
            "size": args.size, "processes": args.processes,
            "draws": args.draws, "runs": args.runs, "live": args.live,
            "trials": args.trials, "forks": args.forks}


def write_records(path, allocator, figures, about):
    """JSON lines: how it was measured, then one line a figure."""
    rows = [about, *({"type": "score", "alloc": allocator.name,
                      "size": about["size"], **figure.record()}
                     for figure in figures.values())]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def add_options(parser):
    """Options that score.py and check.py have both."""
    parser.add_argument("--probe", type=pathlib.Path, required=True)
    parser.add_argument("--library", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.set_defaults(size=64, processes=1000, draws=100000, runs=5,
                        live=1000, trials=2000, forks=4)


def parse(argv):
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_options(parser)
    for name, text in (
            ("size", "bytes of an object"),
            ("processes", "fresh processes"),
            ("draws", "draws of one process"),
            ("runs", "processes that draw so many; the worst one counts"),
            ("live", "objects that live all the time"),
            ("trials", "sprays, and freed objects that are read"),
            ("forks", "families, 1 to 6")):
        parser.add_argument(f"--{name}", type=int, help=text)
    parser.add_argument("--doc", type=pathlib.Path,
                        help="write the table into this document")
    parser.add_argument("allocators", nargs="*",
                        default=["ukallocrnd", "glibc"])
    args = parser.parse_args(argv)
    if args.processes < 100 or args.draws < 10000 or args.live < 256:
        parser.error("fewer than 100 processes, 10000 draws or 256 live "
                     "objects say nothing")
    if args.draws <= 2 * measure.REUSE[-1] or not 1 <= args.forks <= 6:
        parser.error("--draws or --forks is out of range")
    return args


def main():
    """Measures, writes and prints."""
    args = parse(sys.argv[1:])
    args.out.mkdir(parents=True, exist_ok=True)
    scores, panels = {}, []
    try:
        for text in args.allocators:
            allocator = probes.parse_allocator(text, args.library)
            figures, rows = collect(allocator, args)
            scores[allocator.name] = figures
            probe = probes.Probe(args.probe, allocator, args.size, args.live)
            panels.append((allocator.name, rows,
                           probe.words("growth", args.draws)))
            write_records(args.out / f"{allocator.name}.jsonl", allocator,
                          figures, surroundings(args))
        plot.write(args.out / "distances.svg", panels)
        text = table.markdown(scores, surroundings(args))
        (args.out / "table.md").write_text(text)
        if args.doc:
            document.put_into(args.doc, text)
    except (probes.ProbeError, ValueError, OSError) as error:
        print(f"scorecard: {error}", file=sys.stderr)
        return 1
    print(table.terminal(scores, args.size))
    print(f"\nJSON lines, table and plot are in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
