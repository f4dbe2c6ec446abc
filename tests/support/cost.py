#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What each protection costs: instructions of a pair, and peak memory.

    cost.py --out FOLDER [--doc docs/cost.md] [--read RESULTS]

Builds the library once for each configuration that is needed, below
FOLDER/cost, and measures it with the programs of make bench-insn and make
bench-memory. Ends with an error if a configuration does not build, if figures
cannot be repeated, or if they contradict each other (cost_plan.py).
With --read nothing is measured: the tables are made of earlier results.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys

import configs
import cost_plan
import cost_table
import document
import hostbench
import hostbench_alloc
import hostbench_insn
import hostbench_run
import hostbench_time
from hostbench_count import CannotCount

# Each figure is measured so often
COUNTS, PEAKS = 2, 3
# A new process, and 300,000 steps of a heap in use
PROGRAMS = {"start": ["empty", "1000"], "use": ["alloc_test", "1", "300000"]}


class CannotMeasure(Exception):
    """A configuration does not build, or its library does not work."""


def arguments():
    """Command line; with what hostbench.header() wants to know."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--doc", type=pathlib.Path,
                        help="write the tables into this document")
    parser.add_argument("--read", type=pathlib.Path,
                        help="results of an earlier run")
    parser.add_argument("--engine", default="auto",
                        choices=("auto", "valgrind", "qemu", "step"))
    parser.set_defaults(suite="cost", reps=COUNTS, quick=False, check=False)
    options = parser.parse_args()
    options.folder = (options.out / "bench").resolve()
    return options


def library(options, config):
    """Builds a configuration; its library."""
    out = options.out / "cost" / config.name.lower()
    error = configs.build(out, config, options.cc,
                          [f"-j{os.cpu_count()}", "preload"])
    if error:
        raise CannotMeasure(f"{config.name}: {error}")
    return out


def peaks(runner, alloc):
    """Median peak RSS of each program, KiB."""
    for name, words in PROGRAMS.items():
        runs = [runner.run(alloc, words) for _ in range(PEAKS)]
        if any(run["status"] for run in runs):
            raise CannotMeasure(f"{alloc.name}: {words[0]} fails")
        yield name, statistics.median(run["rss_kib"] for run in runs)


def measure(options, runner, counter, config):
    """All figures of a configuration."""
    out = library(options, config)
    alloc = next(hostbench_alloc.parse_libs(
        f"{config.name}={out / 'host/libukallocrnd.so'}"))
    if not hostbench_alloc.verify([alloc], runner):
        raise CannotMeasure(f"{config.name}: {alloc.missing}")
    counts = {}
    for size in cost_plan.SIZES:
        item = hostbench_insn.Named("pair", size)
        counts[size] = [counter.workload(alloc, item)[0][0]
                        for _ in range(COUNTS)]
    return cost_plan.Figures(
        config, configs.values(configs.kconf_of(out / ".config")), counts,
        dict(peaks(runner, alloc)))


def measure_all(options, plan, write):
    """Figures by name of the configuration; a line for each."""
    runner = hostbench_run.Runner(options.out / "host/bench/host",
                                  options.folder / "scratch")
    counter = hostbench_insn.Counter(options, runner)
    found = {}
    wanted = plan.configurations()
    for number, config in enumerate(wanted, 1):
        figures = measure(options, runner, counter, config)
        found[config.name] = figures
        write({"type": "config", "name": config.name,
               "chosen": config.chosen, "instructions": figures.counts,
               "peak_kib": figures.peaks, "options": figures.values})
        print(f"{number:3}/{len(wanted)} {config.name:<38}" + "".join(
            f"{figures.mean(size):9.1f}" for size in cost_plan.SIZES) +
            "".join(f"{peak / 1024:8.1f} M" for peak in
                    figures.peaks.values()), flush=True)
    return found


def read(path):
    """(header, figures) of an earlier run."""
    header, *lines = map(json.loads, path.read_text().splitlines())
    return header, {row["name"]: cost_plan.Figures(
        configs.Config(row["name"], row["chosen"]), row["options"],
        {int(size): counts for size, counts in row["instructions"].items()},
        row["peak_kib"]) for row in lines if row["type"] == "config"}


def run(options, plan):
    """Measures everything; (header, figures, writer)."""
    header = hostbench.header(options, [])
    path = hostbench.results_file(options)
    print(f"Results: {path}\nInstructions of malloc + free of " + " and ".join(
        f"{size}" for size in cost_plan.SIZES) +
        " bytes, peak memory at start and in use", flush=True)
    write = hostbench_time.line_writer(path)
    write(header)
    return header, measure_all(options, plan, write), write


def main():
    """Measures, judges and prints."""
    options = arguments()
    plan = cost_plan.Plan(configs.kconf_of())
    try:
        header, found, write = (*read(options.read), None) if options.read \
            else run(options, plan)
        costs = plan.costs(found)
    except (CannotMeasure, CannotCount) as error:
        print(f"cost: {error}", file=sys.stderr)
        return 1
    except KeyError as error:
        print(f"cost: {options.read} has no {error}", file=sys.stderr)
        return 1
    for cost in costs if write else ():
        write(cost.record())
    print("\n" + cost_table.terminal(plan, found, costs))
    errors = cost_plan.judge(plan, found, costs)
    for error in errors:
        print(f"WRONG: {error}")
    if options.doc and not errors:
        document.put_into(options.doc,
                          cost_table.markdown(plan, found, costs, header))
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main())
