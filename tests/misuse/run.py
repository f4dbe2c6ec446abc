#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs generated misuse programs and compares how they end.

Each seed is a program: a random valid history with one error in it. The
program announces the kind of the error, the pointer that the report has to
name and its size class; kinds.tsv says the rest. The first thing on standard
error has to be that report, or nothing if the error ends in a fault or does
no harm.

Columns of the table, separated by tabs:
    kind     as the program announces it
    needs    options that detect it, or -. The first line of a kind whose
             options are all on counts; without one nothing is expected
    signal   ABRT, SEGV: the access itself must fault; ABRT|SEGV: either;
             -: exit status 0
    report   kind of the report, several with | between, or -
    caller   program: the return address lies in it; any

Where small objects may be samples (SAMPLE), which have guards around them and
no pages once they are freed, any error may also fault and be explained so.

A program that ends well although it must not is called SILENT. One that finds
contents changed that nobody may change ends by itself, with its own words.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import importlib.util
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).absolute().parent
TIMEOUT_S = 120
SIZE_MAX = 1 << 18  # more than any slot
EVERY_KIND = 1000  # programs among which every kind must occur
ANNOUNCED = re.compile(r"^crime=(\S+) ptr=(\S+) class=(\S+) "
                       r"text=0x([0-9a-f]+)-0x([0-9a-f]+)$", re.M)
FAULT = re.compile("ukallocrnd: BUG: "
                   "(overflow|underflow|use after free|wild access): ")
SAMPLED = re.compile(r"ukallocrnd: BUG: [a-z ]+: ptr=\S+ class=sampled ")


@dataclasses.dataclass
class Kind:
    """One line of the table."""

    needs: list
    signal: str
    report: str
    caller: str
    is_on: bool = True


@dataclasses.dataclass
class Outcome:
    """How one program ended."""

    seed: int
    kind: str
    problem: str | None
    text: str = ""


def read_table(path, options):
    """The line that counts by kind."""
    kinds = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, needs, *rest = line.split("\t")
            kind = Kind(needs.replace("-", "").split(), *rest)
            kind.is_on = options.issuperset(kind.needs)
            if name not in kinds or not kinds[name].is_on:
                kinds[name] = kind
    return kinds


def read_options(path):
    """Options that are on."""
    return set(re.findall(r"CONFIG_LIBUKALLOCRND_(\w+)=y", path.read_text()))


def slot_lengths(canary):
    """Lengths of all slots, from the rule that the crimes of death/ know."""
    spec = importlib.util.spec_from_file_location(
        "death_run", HERE.parent / "death" / "run.py")
    death = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = death
    sys.path.append(str(HERE.parent / "death"))
    spec.loader.exec_module(death)
    found = {death.slot_len(size, canary) for size in range(0, SIZE_MAX, 8)}
    if "large" not in found:
        raise SystemExit("SIZE_MAX is too small")
    return sorted(found - {"large"})


def end_of(status):
    """Name of the signal, or - for a good end."""
    if status >= 0:
        return "-" if status == 0 else f"status {status}"
    return signal.Signals(-status).name.removeprefix("SIG")


def check_report(kind, said, err):
    """What is wrong with the report, or None."""
    _, ptr, slot, start, end = said
    words = "|".join(re.escape(k) for k in kind.report.split("|"))
    want = (rf"ukallocrnd: BUG: ({words}): "
            rf"ptr={'0x[0-9a-f]+' if ptr == '0' else ptr} "
            rf"class={'[a-z0-9]+' if slot == 'any' else slot} "
            r"caller=0x([0-9a-f]+)")
    first, *details = err.splitlines() or [""]
    found = re.fullmatch(want, first)
    if not found or not details:
        return f"first line is not {want}, or the only one"
    if any(not line.startswith("  ") for line in details):
        return "there is more than one report"
    # Refills and purges do not know for whom they are
    if kind.caller == "program" and \
            not re.fullmatch(r"  found by (refill|purge)\(\)", details[0]) and \
            not int(start, 16) <= int(found[2], 16) < int(end, 16):
        return "caller is not in the program"
    return None


def check(args, done):
    """(kind, what is wrong with the end of a program or None)."""
    said = ANNOUNCED.findall(done.stdout)
    if not said:
        return "history", "a valid operation failed"
    name = said[-1][0]
    kind = args.kinds[name]
    end = end_of(done.returncode)
    if args.samples and SAMPLED.match(done.stderr):
        # Its report has another class, and it may have faulted
        said[-1] = (*said[-1][:2], "any", *said[-1][3:])
        kind = dataclasses.replace(kind, signal=f"{kind.signal}|SEGV")
    if end in ("-", "status 3") and kind.signal != "-":
        return name, "SILENT"
    if end not in kind.signal.split("|"):
        return name, f"ended by {end}, not {kind.signal}"
    if kind.report != "-" and end != "SEGV":
        return name, check_report(kind, said[-1], done.stderr)
    # With FAULT_REPORT an access that faults is explained
    told = end == "SEGV" and FAULT.match(done.stderr)
    return name, "said something" if done.stderr and not told else None


def execute(args, seed):
    """Runs one program."""
    env = dict(os.environ, LD_PRELOAD=str(args.library))
    command = [str(args.program), *args.flags, str(seed)]
    try:
        done = subprocess.run(command, env=env, text=True, check=False,
                              timeout=TIMEOUT_S, capture_output=True,
                              stdin=subprocess.DEVNULL, errors="replace")
    except subprocess.TimeoutExpired:
        return Outcome(seed, "history", f"no end after {TIMEOUT_S} s")
    kind, problem = check(args, done)
    return Outcome(seed, kind, problem, done.stdout + done.stderr)


def explain(args, outcome):
    """Prints a program that failed and how to run it again."""
    words = outcome.problem
    if words == "SILENT":
        words = f"SILENT {outcome.seed} {outcome.kind}"
    flags = "".join(f"{f} " for f in args.flags)
    print(f"not ok {outcome.kind}: seed {outcome.seed}: {words}\n"
          f"{outcome.text[-2000:].rstrip()}\n"
          f"  again: LD_PRELOAD={args.library} {args.program} {flags}--print "
          f"{outcome.seed}", flush=True)


def run_all(args):
    """Runs all programs; outcomes by kind."""
    found = collections.defaultdict(list)
    seeds = range(args.seed, args.seed + args.count)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for outcome in pool.map(lambda s: execute(args, s), seeds):
            found[outcome.kind].append(outcome)
            if outcome.problem and not args.off(outcome.kind):
                explain(args, outcome)
    return found


def summary(args, found):
    """One line a kind; the exit status."""
    counts = collections.Counter()
    for name in [*args.kinds, *(found.keys() - args.kinds.keys())]:
        runs = found.get(name, [])
        bad = sum(1 for o in runs if o.problem)
        if args.off(name):
            state, words = "skip", f"needs {' '.join(args.kinds[name].needs)}"
        elif bad or (not runs and args.count >= EVERY_KIND and
                     not args.crime):
            state, words = "not ok", f"{bad} of {len(runs)} programs"
        elif runs:
            state, words = "ok", f"{len(runs)} programs"
        else:
            continue
        counts[state] += 1
        print(f"{state} {name}: {words}")
    print(f"{counts['ok']} passed, {counts['not ok']} failed, "
          f"{counts['skip']} skipped")
    return int(counts["not ok"] > 0 or not counts["ok"])


def arguments():
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--config", type=pathlib.Path, required=True,
                        help="of the library")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--crime", help="only this one")
    parser.add_argument("program", type=pathlib.Path)
    args = parser.parse_args()
    args.library = args.library.resolve()
    args.program = args.program.resolve()
    options = read_options(args.config)
    args.kinds = read_table(HERE / "kinds.tsv", options)
    args.samples = "SAMPLE" in options
    args.off = lambda name: name in args.kinds and not args.kinds[name].is_on
    canary = "CANARY" in options
    lengths = ",".join(str(n) for n in slot_lengths(canary))
    args.flags = ["--slots", lengths, *([] if canary else ["--no-canary"]),
                  *(["--crime", args.crime] if args.crime else [])]
    return args


def main():
    """Runs the programs of all seeds."""
    args = arguments()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(f"{args.count} programs, seeds from {args.seed}")
    return summary(args, run_all(args))


if __name__ == "__main__":
    sys.exit(main())
