#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Commits every crime of table.tsv and compares how the process ends.

Each crime runs in a process of its own with the library preloaded. It has to
end by the signal of the table, and the first line on standard error has to be
the report of the table with the pointer that the crime announced, the size
class computed here and, unless the table says otherwise, a caller inside the
program. What follows must be indented.

Columns of the table, separated by tabs:
    crime    name of the function in crimes_*.c
    runs     size:offset, offset a range or 0; separated by blanks
    needs    options that detect it, or -; !OPTION: only without it. Runs whose
             needs are not met are skipped, or left out in the second case
    signal   ABRT, or SEGV: the access itself must fault, without a report
    report   kind, several with | between, or -
    class    size: that of the object; none; large; any
    caller   program, or any: found when the freeing function is gone
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
TIMEOUT_S = 60
# Slot lengths above 208, where the steps of 16 end
LENGTHS = [240, 272, 320, 384, 448, 528, 640, 768, 896, 1040, 1280, 1536, 1792,
           2080, 2560, 3072, 3584, 4160, 5120, 6144, 7168, 8704, 10240, 12288,
           14336, 17408, 20480, 24576, 28672, 34816, 41984, 49152, 56320,
           63488, 66560]
FLAGS = ("-std=gnu11 -D_GNU_SOURCE -O0 -g -fno-builtin -pthread -Wall -Wextra"
         " -Werror").split()


@dataclasses.dataclass
class Run:
    """One line of the table with one size and offset."""

    crime: str
    size: int
    offset: int
    needs: list
    signal: str
    report: str
    slot: str
    caller: str

    def name(self):
        """Crime and arguments."""
        return f"{self.crime} {self.size}:{self.offset:#x}" if (
            self.offset > 9999) else f"{self.crime} {self.size}:{self.offset}"


def slot_len(size, canary):
    """Slot length of a request, not asking the library."""
    if size == 0:
        return 16
    need = size + 8 * canary
    if need <= 208:
        return (need + 15) // 16 * 16
    return next((n for n in LENGTHS if n >= need), "large")


def offsets(text):
    """Numbers of `5` or of the range `0-7`."""
    if re.fullmatch(r"\d+-\d+", text):
        first, last = text.split("-")
        return range(int(first), int(last) + 1)
    return [int(text, 0)]


def read_table(path):
    """All runs of the table."""
    runs = []
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        crime, places, needs, sig, report, slot, caller = line.split("\t")
        for place in places.split():
            size, _, offset = place.partition(":")
            runs += [Run(crime, int(size), n, needs.replace("-", "").split(),
                         sig, report, slot, caller)
                     for n in offsets(offset or "0")]
    return runs


def read_options(path):
    """Options that are on; None if there is no configuration to read."""
    if not path.is_file():
        return None
    return set(re.findall(r"CONFIG_LIBUKALLOCRND_(\w+)=y", path.read_text()))


def fits(run, options):
    """False for a run that is about an option which is on being off."""
    return not any(n[0] == "!" and (options is None or n[1:] in options)
                   for n in run.needs)


def expected(run, ptr, canary):
    """The first line as a regular expression."""
    classes = {"size": str(slot_len(run.size, canary)), "any": r"\w+"}
    kinds = "|".join(re.escape(k) for k in run.report.split("|"))
    return (rf"ukallocrnd: BUG: ({kinds}): ptr={ptr} "
            rf"class={classes.get(run.slot, run.slot)} "
            r"caller=(0x[0-9a-f]+)")


def check_report(run, said, err, canary):
    """What is wrong with a report, or None."""
    lines = err.splitlines()
    if not lines:
        return "no report"
    want = expected(run, said["ptr"], canary)
    found = re.fullmatch(want, lines[0])
    if not found:
        return f"first line is not {want}"
    if any(not line.startswith("  ") for line in lines[1:]):
        return "details are not indented"
    start, end = (int(n, 16) for n in said["text"].split("-"))
    if run.caller == "program" and not start <= int(found[2], 16) < end:
        return f"caller is not in the program, {said['text']}"
    return None


def check(run, done, canary):
    """What is wrong with the end of a process, or None."""
    said = dict(re.findall(r"^(\w+)=(\S+)$", done.stdout, re.M))
    if "ptr" not in said:
        return "nothing announced"
    if done.returncode >= 0:
        return f"not detected, status {done.returncode}"
    name = signal.Signals(-done.returncode).name.removeprefix("SIG")
    if name != run.signal:
        return f"ended by {name}, not {run.signal}"
    if run.report == "-":
        return "there is a report" if "BUG" in done.stderr else None
    return check_report(run, said, done.stderr, canary)


def execute(run, program, library, canary):
    """Runs one crime; (state, explanation)."""
    env = dict(os.environ, LD_PRELOAD=str(library))
    try:
        done = subprocess.run([program, run.crime, str(run.size),
                               str(run.offset)], env=env, text=True,
                              timeout=TIMEOUT_S, check=False,
                              capture_output=True, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "not ok", f"no end after {TIMEOUT_S} s"
    if done.returncode == SKIPPED:
        return "skip", done.stdout.strip().splitlines()[-1]
    problem = check(run, done, canary)
    if problem:
        return "not ok", f"{problem}\n{done.stdout}{done.stderr}".rstrip()
    return "ok", ""


def build(args):
    """Compiles the crimes against the library."""
    program = args.out / "death" / "crime"
    program.parent.mkdir(parents=True, exist_ok=True)
    sources = sorted(str(p) for p in HERE.glob("*.c"))
    subprocess.run([args.cc, *FLAGS, *sources, str(args.library), "-o",
                    program], check=True)
    return program


def arguments():
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path("build"))
    parser.add_argument("--library", type=pathlib.Path,
                        help="default: OUT/host/libukallocrnd.so")
    parser.add_argument("--config", type=pathlib.Path,
                        help="default: OUT/.config; without it: all options")
    parser.add_argument("--cc", default=os.environ.get("CC", "gcc"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("filter", nargs="?", default="",
                        help="only crimes with this in their name")
    args = parser.parse_args()
    args.library = (args.library or
                    args.out / "host" / "libukallocrnd.so").resolve()
    args.config = args.config or args.out / ".config"
    return args


def main():
    """Runs the table."""
    args = arguments()
    options = read_options(args.config)
    program = build(args)
    runs = [r for r in read_table(HERE / "table.tsv")
            if args.filter in r.crime and fits(r, options)]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    canary = options is None or "CANARY" in options
    counts = {"ok": 0, "not ok": 0, "skip": 0}

    def one(run):
        off = [n for n in run.needs if n[0] != "!" and
               options is not None and n not in options]
        if off:
            return "skip", f"needs {' '.join(off)}"
        return execute(run, program, args.library, canary)

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for run, (state, text) in zip(runs, pool.map(one, runs)):
            counts[state] += 1
            if state == "not ok":
                print(f"not ok {run.name()}: {text}")
            else:
                print(f"{state} {run.name()}{text and ': ' + text}")
    print(f"{counts['ok']} passed, {counts['not ok']} failed, "
          f"{counts['skip']} skipped")
    return int(counts["not ok"] > 0 or not runs)


if __name__ == "__main__":
    sys.exit(main())
