#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares allocators on Linux: time, memory, instructions.

    hostbench.py time|insn|memory|scaling|plot [options]

bench/README.md describes the suites. Results are tables on the terminal and
JSON lines in OUT/bench; the first line says what was run on what.
"""
import argparse
import os
import pathlib
import re
import sys
import time

import bench
import hostbench_alloc
import hostbench_insn
import hostbench_memory
import hostbench_plot
import hostbench_run
import hostbench_secure
import hostbench_table
import hostbench_time

SUITES = {"time": hostbench_time.run, "insn": hostbench_insn.run,
          "memory": hostbench_memory.run,
          "scaling": hostbench_time.run_scaling}
REPS = {"time": 5, "insn": 1, "memory": 3, "scaling": 5}
BUSY = 0.5  # load for each CPU above which times mean little
# With --quick: share of the operations of our programs and of real ones
QUICK_SCALE, QUICK_REAL, QUICK_MIB = 0.2, 0.4, 128


def arguments():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=[*SUITES, "plot"])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--libs", default="", help="name=library ...")
    parser.add_argument("--allocs", default="", help="default: all")
    parser.add_argument("--only", default="", help="parts of names")
    parser.add_argument("--reps", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--plot", action="store_true")
    parser.add_argument("--engine", default="auto",
                        choices=("auto", "valgrind", "qemu", "step"))
    parser.add_argument("--check", action="store_true",
                        help="insn: compare the counters with each other")
    options = parser.parse_args()
    options.folder = (options.out / "bench").resolve()
    options.data = options.folder / "data"
    options.reps = options.reps or (1 if options.quick else
                                    REPS.get(options.suite, 1))
    # Threads must run for longer than they take to start
    options.scale = QUICK_SCALE if options.quick and \
        options.suite != "scaling" else 1.0
    options.real_scale = QUICK_REAL if options.quick else 1.0
    options.mib = QUICK_MIB if options.quick else 1024
    return options


def header(options, allocs):
    """First line of a result."""
    config = options.out / ".config"
    text = config.read_text() if config.exists() else ""
    model, cpus = hostbench_run.processor()
    return {"type": "header", "suite": options.suite,
            "commit": bench.commit(), "cpu": model, "cpus": cpus,
            "kernel": pathlib.Path("/proc/sys/kernel/osrelease")
            .read_text().strip(),
            "config": dict(re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.M)),
            "allocs": {a.name: {"path": str(a.path), "version": a.version}
                       if not a.missing else {"missing": a.missing}
                       for a in allocs},
            "ours": [a.name for a in allocs if a.ours],
            "reps": options.reps, "quick": options.quick,
            "load": os.getloadavg()[0],
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def results_file(options):
    """A new file; the name without a date leads to the newest one."""
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / time.strftime(
        f"{options.suite}-%Y%m%d-%H%M%S.jsonl", time.gmtime())
    link = options.folder / f"{options.suite}.jsonl"
    link.unlink(missing_ok=True)
    link.symlink_to(path.name)
    return path


def report(options, allocs, failures, path):
    """Last lines; returns the exit status."""
    for workload, alloc, why in failures:
        print(f"FAILED: {workload} with {alloc}: {why}")
    print(f"\nResults: {path}")
    ours = {a.name for a in allocs if a.ours}
    lost = [a.name for a in allocs if a.ours and a.missing]
    return int(bool(lost) or any(alloc in ours for _, alloc, _ in failures)
               or (options.check and bool(failures)))


def main():
    """Runs a suite."""
    options = arguments()
    if options.suite == "plot":
        hostbench_plot.plot(options.folder)
        return 0
    runner = hostbench_run.Runner(options.out / "host/bench/host",
                                  options.folder / "scratch")
    allocs = hostbench_alloc.find(
        options.libs, options.allocs,
        hostbench_secure.build(options.folder / "secure"))
    usable = hostbench_alloc.verify(allocs, runner)
    first = header(options, allocs)
    print(f"{options.suite}: commit {first['commit']}, {first['cpus']} x "
          f"{first['cpu']}, median of {options.reps}")
    print("\n".join(hostbench_table.notes(allocs)))
    if first["load"] > BUSY * first["cpus"]:
        print(f"  load average {first['load']:.1f}: others use this machine, "
              "times are disturbed; CPU times less")
    sys.stdout.flush()
    if not usable:
        return 1
    path = results_file(options)
    out = hostbench_time.line_writer(path)
    out(first)
    failures = SUITES[options.suite](options, runner, usable, out)
    if options.plot:
        hostbench_plot.plot(options.folder)
    return report(options, allocs, failures, path)


if __name__ == "__main__":
    sys.exit(main())
