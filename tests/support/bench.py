#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the guest's benchmark in both modes, and the pair of Linux, and
reports them.

Exact mode counts instructions: one CPU, identical in every run. Parallel
mode measures time with one host thread a CPU. What the guest prints is shown
as it comes; its JSON lines go to a file, after a line on what was run.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import qemu
import report

# Command lines of the guest. In exact mode random numbers are fixed, too;
# the memory map that is shown is that of the other, random, boot.
# Some workloads say enough; benchguest.py runs them all.
ONLY = "only=pair,lifo,fifo,random,mixed,larson,prodcons,grow,calloc"
WORDS = {"exact": f"mode=exact debugseed {ONLY}",
         "parallel": f"mode=parallel {ONLY}"}
HOST_SIZES = (64,)  # single steps are slow


def commit():
    """The commit of the working tree, with + if it was changed."""
    run = subprocess.run(["git", "describe", "--always", "--dirty=+"],
                         text=True, check=False, capture_output=True) \
        if pathlib.Path(".git").exists() else None
    return run.stdout.strip() if run and run.returncode == 0 else "unknown"


def options(config):
    """Options of a configuration that are set."""
    return dict(re.findall(r"^CONFIG_(\w+)=(.*)$", config.read_text(), re.M))


def header(args):
    """First line of the file."""
    return {"type": "header", "commit": commit(),
            "config": options(args.config), "qemu": qemu.version(args.qemu),
            "machine": args.machine, "smp": args.smp,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def run_mode(args, mode, rows):
    """Boots once; JSON lines go to rows, others to the terminal."""
    def on_line(line):
        if line.startswith("{"):
            rows.append({"mode": mode, **json.loads(line)})
        else:
            print(f"  | {line}", flush=True)

    exact = mode == "exact"
    cpus = 1 if exact else args.smp
    print(f"{mode} mode: {args.machine}, {cpus} CPU{'s' * (cpus > 1)}",
          flush=True)
    outcome = qemu.boot(qemu.Guest(
        str(args.image), smp=str(cpus), machine=args.machine, exact=exact,
        append=WORDS[mode] + (f" alloc={args.allocs}" if args.allocs else ""),
        timeout=args.timeout, qemu=args.qemu), on_line)
    print(f"  {outcome.seconds:.1f} s", flush=True)
    if outcome.status:
        sys.exit(f"{mode} mode failed: {qemu.reason(outcome.status)}")
    if not any(row.get("mode") == mode and row["type"] == "bench"
               for row in rows):
        sys.exit(f"{mode} mode ended without a result")


def run_host(args, rows):
    """Counts the instructions of one malloc and free on Linux."""
    print("host mode: Linux", flush=True)
    preload = dict(os.environ, LD_PRELOAD=str(args.library.resolve()))
    for size in HOST_SIZES:
        for name, env in ((report.OURS, preload),
                          (report.OTHER["host"], None)):
            run = subprocess.run([args.pair, str(size), name], env=env,
                                 text=True, check=False, capture_output=True)
            if run.returncode:
                sys.exit(f"host mode failed: {run.stderr.strip()}")
            rows.append(json.loads(run.stdout))


def main():
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--pair", type=pathlib.Path, required=True)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--smp", type=int, default=4)
    parser.add_argument("--machine", default="q35")
    parser.add_argument("--timeout", type=int, default=120)
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--config", type=pathlib.Path, required=True)
    parser.add_argument("--allocs", default="")
    args = parser.parse_args()

    rows = [header(args)]
    for mode in WORDS:
        run_mode(args, mode, rows)
    run_host(args, rows)
    args.out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"\n{report.text(rows)}\n\nResults: {args.out}")


if __name__ == "__main__":
    main()
