#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs test programs and commands, collects what they say, adds it up.

    run.py programs SUITE PROGRAM...    cmocka programs, each test counts
    run.py command SUITE -- COMMAND...  one test, or what its last line says
    run.py summary SUITE...             table, then the line of totals

A suite's results are kept in OUT/results/SUITE, one line a program:
passed, failed, skipped, seconds, name. Output of a program that fails is
shown in full.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

# A make below a test is not part of the one above it
MAKE_VARIABLES = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
SKIPPED = 77  # exit status of a program that could not test anything
TOTALS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
TAP = re.compile(r"^(ok|not ok) \d+(?: - \S+)?( # SKIP)?", re.M)
OUTCOME = re.compile(r"1\.\.\d|(# )?(not )?ok ")  # the rest of TAP
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--fair-sched=yes"]


@dataclasses.dataclass
class Result:
    """What one program or command came to."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    output: str = ""

    def line(self):
        """Tab-separated form for the results file."""
        return (f"{self.passed}\t{self.failed}\t{self.skipped}\t"
                f"{self.seconds:.1f}\t{self.name}\n")

    def words(self):
        """Counts for humans, zero counts left out."""
        counts = ((self.passed, "passed"), (self.failed, "FAILED"),
                  (self.skipped, "skipped"))
        return ", ".join(f"{n} {w}" for n, w in counts if n) or "nothing ran"


def count(status, text):
    """(passed, failed, skipped) from exit status and output."""
    if status == SKIPPED:
        return 0, 0, 1
    totals = TOTALS.findall(text)
    tap = TAP.findall(text)
    if totals:
        passed, failed, skipped = (int(n) for n in totals[-1])
    elif tap:
        passed = sum(1 for ok, skip in tap if ok == "ok" and not skip)
        skipped = sum(1 for _, skip in tap if skip)
        failed = len(tap) - passed - skipped
    else:
        return int(status == 0), int(status != 0), 0
    # A program that dies on the way, or counts nothing, did not pass
    if (status != 0 and failed == 0) or passed + failed + skipped == 0:
        failed += 1
    return passed, failed, skipped


def execute(name, command, timeout, on_line=None):
    """Runs a command to its end, with its output kept; on_line sees each
    line as it comes."""
    kept = {key: text for key, text in os.environ.items()
            if key not in MAKE_VARIABLES}
    env = dict(kept, CMOCKA_MESSAGE_OUTPUT="TAP",
               TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1",
               UBSAN_OPTIONS="print_stacktrace=1")
    start = time.monotonic()
    late = threading.Event()
    lines = []
    try:
        with subprocess.Popen(command, env=env, start_new_session=True,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:

            def stop():
                late.set()
                os.killpg(process.pid, signal.SIGKILL)

            clock = threading.Timer(timeout, stop)
            clock.start()
            for raw in process.stdout:
                lines.append(raw.decode(errors="replace").rstrip("\n"))
                if on_line:
                    on_line(lines[-1])
            status = process.wait()
            clock.cancel()
    except OSError as error:
        status = 1
        lines.append(f"cannot be run: {error}")
    if late.is_set():
        lines.append(f"no end after {timeout} s")
    elif status < 0:
        lines.append(f"ended by signal {-status}")
    text = "\n".join(lines)
    return Result(name, *count(status, text), time.monotonic() - start, text)


def show(suite, result, quiet=False):
    """One line; for a failure, everything the program said."""
    reason = ""
    if result.skipped and not result.passed and not result.failed:
        said = [line for line in result.output.splitlines()
                if line and not OUTCOME.match(line)]
        reason = ": " + (said or ["it does not say why"])[-1]
    print(f"  {suite:<13} {result.name:<28} {result.words()}{reason}"
          f"  ({result.seconds:.1f} s)", flush=True)
    if result.failed and not quiet:
        print(result.output.rstrip(), flush=True)


def keep(out, suite, results):
    """Writes the results of a suite; the exit status says if all passed."""
    folder = out / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / suite).write_text("".join(r.line() for r in results))
    return int(any(r.failed for r in results) or not results)


def name_of(program):
    """Its file name, with the kind of build if that is a special one."""
    path = pathlib.Path(program)
    kind = path.parents[2].name if len(path.parents) > 2 else "host"
    return path.name if kind != "tsan" else f"{path.name} (TSan)"


def run_programs(args):
    """Programs of a suite, args.jobs at a time."""
    wrap = VALGRIND if args.valgrind else []
    args.items = [str(pathlib.Path(p).resolve()) for p in args.items]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        waiting = [pool.submit(execute, name_of(p), [*wrap, p], args.timeout)
                   for p in args.items]
        results = []
        for future in concurrent.futures.as_completed(waiting):
            results.append(future.result())
            show(args.suite, results[-1])
    if not results:
        print(f"  {args.suite:<13} no program matches", flush=True)
    return keep(args.out, args.suite, results)


def run_command(args):
    """One command as a suite of its own."""
    def on_line(line):
        print(f"  {args.suite:<13} {line}", flush=True)

    result = execute(args.name or args.suite, args.items, args.timeout,
                     on_line if args.stream else None)
    show(args.suite, result, quiet=args.stream)
    return keep(args.out, args.suite, [result])


def sums(path):
    """Adds up a results file; one that is missing or empty is a failure."""
    if not path.exists():
        return 0, 1, 0, 0.0
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    if not rows:
        return 0, 1, 0, 0.0
    return tuple(sum(float(row[i]) for row in rows) for i in range(4))


def run_summary(args):
    """The table of all suites and the totals as last line."""
    total = [0, 0, 0]
    print(f"\n  {'suite':<15}{'passed':>8}{'failed':>8}{'skipped':>9}"
          f"{'seconds':>9}")
    for suite in [args.suite, *args.items]:
        path = args.out / "results" / suite
        *counts, seconds = sums(path)
        total = [a + int(b) for a, b in zip(total, counts)]
        print(f"  {suite:<15}{counts[0]:>8.0f}{counts[1]:>8.0f}"
              f"{counts[2]:>9.0f}{seconds:>9.1f}"
              f"{'' if path.exists() else '   did not get as far as running'}")
    print(f"\n{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return int(total[1] > 0)


def main():
    """Runs what the command line asks for."""
    actions = {"programs": run_programs, "command": run_command,
               "summary": run_summary}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default="build")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("--name", help="what to call the command")
    parser.add_argument("--stream", action="store_true",
                        help="show the command's output as it comes")
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("action", choices=actions)
    parser.add_argument("suite")
    parser.add_argument("items", nargs="*")
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args = parser.parse_args(sys.argv[1:cut])
    args.items += sys.argv[cut + 1:]
    return actions[args.action](args)


if __name__ == "__main__":
    sys.exit(main())
