#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Commits every crime of a table and compares how the process ends.

The table is guarded.tsv where every small object is a sample, otherwise
table.tsv. There a run whose object happens to be a sample is repeated.

Each crime runs in a process of its own with the library preloaded. It has to
end by the signal of the table, and the first line on standard error has to be
the report of the table with the pointer that the crime announced, the size
class computed here and, unless the table says otherwise, a caller inside the
program. What follows must be exactly the details of the table.

A run that needs an option which is off is turned round: the end that the
table tells of must not come. So each protection is proved to be what detects
the crime. The examples of docs/reports.md are tested, too.

Columns of the table, separated by tabs:
    crime    name of the function in crimes_*.c
    runs     size:offset, offset a range or 0; separated by blanks
    needs    options that detect it, or -; !OPTION: only without it, and with
             the others, which replaces the run that needs it
    signal   ABRT; SEGV: the access itself must fault, and the report is there
             if the option FAULT_REPORT is on. Without a report ABRT
             means that the crime gives up: it did not get what it came for
    report   kind, several with | between, or -
    class    size: that of the object; none; large; any
    caller   program, or any: found when the freeing function is gone
    details  lines after the first one, with ; between, or ... for any, or -:
             no report. A|B: one of them; ?A: perhaps. {size}, {offset} of the
             run; {end}: their sum; {slot}: the slot length; {below}: offset
             bytes before its end; {before}: one more than the offset;
             {low}: the place of {below} or the size, what is more;
             {gap}: from there to the end; {obj}: announced object;
             {nearest}: the distance to it; {freer}: thread that freed; {n}
             any number, {at} any address, {side} before or after, {s} s or
             nothing
    traces   those that the report must have, and which the crime must be in:
             allocated, freed, separated by a blank; - or no column: none
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
import typing

import examples

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "reports.md"
# Of a crime that may meet a sample, and what tells that it may have
TRIES = 4
SAMPLED = re.compile("class=(sampled|none)")
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
    details: str
    traces: list
    functions: typing.ClassVar[dict] = {}

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
        crime, places, needs, sig, report, slot, caller, details, *traces = (
            line.split("\t"))
        traces = " ".join(traces).replace("-", "").split()
        for place in places.split():
            size, _, offset = place.partition(":")
            runs += [Run(crime, int(size), n, needs.replace("-", "").split(),
                         sig, report, slot, caller, details, traces)
                     for n in offsets(offset or "0")]
    return runs


def read_options(path):
    """Options that are on, and numbers as NAME=n; None without a file."""
    if not path.is_file():
        return None
    text = path.read_text()
    return {*re.findall(r"CONFIG_LIBUKALLOCRND_(\w+)=y", text),
            *re.findall(r"CONFIG_LIBUKALLOCRND_(\w+=\d+)", text)}


def symbols(program):
    """(start, end) of each function of the program, by name."""
    text = subprocess.run(["nm", "-S", program], text=True, check=True,
                          capture_output=True).stdout
    found = re.findall(r"^(\w+) (\w+) [tT] (\w+)$", text, re.M)
    return {name: (int(at, 16), int(at, 16) + int(length, 16))
            for at, length, name in found}


def missing(run, options):
    """Options that a run needs and that are off."""
    return [n for n in run.needs if n[0] != "!" and options is not None and
            n not in options]


def chosen(runs, options):
    """The runs, without those that another one replaces."""
    def is_about(run):
        return any(n[0] == "!" for n in run.needs)

    def key(run):
        return run.crime, run.size, run.offset

    def is_met(need):
        return (need.lstrip("!") in options) == (need[0] != "!")

    fit = [r for r in runs if not is_about(r) or options is not None and
           all(is_met(n) for n in r.needs)]
    replaced = {key(r) for r in fit if is_about(r)}
    return [r for r in fit if is_about(r) or key(r) not in replaced]


def expected(run, ptr, canary):
    """The first line as a regular expression."""
    classes = {"size": str(slot_len(run.size, canary)), "any": r"\w+"}
    kinds = "|".join(re.escape(k) for k in run.report.split("|"))
    if ptr == "0" or run.report == "wild access":
        ptr = "0x[0-9a-f]+"
    return (rf"ukallocrnd: BUG: ({kinds}): ptr={ptr} "
            rf"class={classes.get(run.slot, run.slot)} "
            r"caller=(0x[0-9a-f]+)")


def nearest(ptr, obj, size):
    """Where an address is, seen from an object."""
    if ptr < obj:
        side, count = "before", obj - ptr
    elif ptr < obj + size:
        side, count = "inside", ptr - obj
    else:
        side, count = "after", ptr - obj - size
    return (f"{count} byte{'s' * (count != 1)} {side} the object at {obj:#x}, "
            f"size {size}")


def values_of(run, said, canary):
    """What the placeholders of details stand for, as regular expressions."""
    slot = slot_len(run.size, canary)
    values = {"n": r"\d+", "at": "0x[0-9a-f]+", "side": "(before|after)",
              "s": "s?", "size": run.size, "offset": run.offset,
              "end": run.size + run.offset, "before": run.offset + 1,
              "freer": said.get("freer", said["thread"])}
    if slot != "large":
        low = max(run.size, slot - run.offset)
        values |= {"slot": slot, "below": slot - run.offset, "low": low,
                   "gap": slot - low}
    if "obj" in said:
        values["obj"] = said["obj"]
        values["nearest"] = nearest(int(said["ptr"], 16),
                                    int(said["obj"], 16), run.size)
    return values


def check_details(run, said, lines, canary):
    """What is wrong with the details, or None."""
    if run.details == "...":
        return None if all(line.startswith("  ") for line in lines) else (
            "details are not indented")
    values = values_of(run, said, canary)
    want = ""
    for item in run.details.split("; "):
        lined = "|".join(
            re.sub(r"\\{(\w+)\\}", lambda m: str(values[m[1]]),
                   re.escape(choice)) for choice in
            item.removeprefix("?").split("|"))
        want += rf"(  ({lined})\n){'?' * item.startswith('?')}"
    if re.fullmatch(want, "".join(f"{line}\n" for line in lines)):
        return None
    return f"details are not: {run.details}"


def check_report(run, said, err, canary):
    """What is wrong with a report, or None."""
    lines = err.splitlines()
    if not lines:
        return "no report"
    want = expected(run, said["ptr"], canary)
    found = re.fullmatch(want, lines[0])
    if not found:
        return f"first line is not {want}"
    start, end = (int(n, 16) for n in said["text"].split("-"))
    if run.caller == "program" and not start <= int(found[2], 16) < end:
        return f"caller is not in the program, {said['text']}"
    plain = [line for line in lines[1:] if not re.match(
        r"  (allocated|freed) by .*:$|    at ", line)]
    return check_details(run, said, plain, canary) or \
        check_traces(run, start, err)


def check_traces(run, start, err):
    """Which trace is missing, or lacks the function of the crime; or None."""
    low, high = Run.functions.get(run.crime, (0, 0))
    for what in run.traces:
        section = re.search(rf"^  {what} by .*:\n((?:    at .*\n)*)", err,
                            re.M)
        if not section:
            return f"no trace of who {what} it"
        frames = [int(n, 16) - start for n in
                  re.findall(r"at (0x[0-9a-f]+)", section[1])]
        if not any(low < n <= high for n in frames):
            return f"{run.crime}() has not {what} it"
    return None


def check(run, done, canary, told):
    """What is wrong with the end of a process, or None."""
    said = dict(re.findall(r"^(\w+)=(\S+)$", done.stdout, re.M))
    if "ptr" not in said:
        return "nothing announced"
    if done.returncode >= 0:
        return f"not detected, status {done.returncode}"
    name = signal.Signals(-done.returncode).name.removeprefix("SIG")
    if name != run.signal:
        return f"ended by {name}, not {run.signal}"
    if run.report == "-" or (run.signal == "SEGV" and not told):
        return "there is a report" if "BUG" in done.stderr else None
    return check_report(run, said, done.stderr, canary)


def check_absent(run, done, canary, _told):
    """Tells what is there although nothing can have detected the crime."""
    said = dict(re.findall(r"^(\w+)=(\S+)$", done.stdout, re.M))
    if "ptr" not in said:
        return "nothing announced"
    silent = run.report == "-" or run.signal == "SEGV"
    if not silent and re.search(expected(run, said["ptr"], canary),
                                       done.stderr):
        return f"detected without {' '.join(run.needs)}"
    if silent and done.returncode == -getattr(signal, "SIG" + run.signal):
        return f"fails without {' '.join(run.needs)}"
    return None


def commit(run, program, library):
    """Runs one crime; the finished process."""
    env = dict(os.environ, LD_PRELOAD=str(library))
    return subprocess.run([program, run.crime, str(run.size),
                           str(run.offset)], env=env, text=True,
                          timeout=TIMEOUT_S, check=False,
                          capture_output=True, stdin=subprocess.DEVNULL)


def execute(run, program, library, canary, told, off):
    """Runs one crime; (state, explanation)."""
    try:
        done = commit(run, program, library)
    except subprocess.TimeoutExpired:
        return "not ok", f"no end after {TIMEOUT_S} s"
    if done.returncode == SKIPPED:
        return "skip", done.stdout.strip().splitlines()[-1]
    test = check_absent if off else check
    problem = test(run, done, canary, told)
    if problem:
        return "not ok", f"{problem}\n{done.stdout}{done.stderr}".rstrip()
    return "ok", f"not detected without {' '.join(off)}" if off else ""


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
    parser.add_argument("--write-examples", action="store_true",
                        help="renew the examples of docs/reports.md")
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
    guarded = "SAMPLE_RATE=1" in (options or ())
    samples = "SAMPLE" in (options or ()) and not guarded
    program = build(args)
    Run.functions.update(symbols(program))
    table = HERE / ("guarded.tsv" if guarded else "table.tsv")
    runs = [r for r in chosen(read_table(table), options)
            if args.filter in r.crime]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if args.write_examples:
        examples.write(DOCUMENT, options,
                       lambda run: commit(run, program, args.library))
        return 0
    runs += [e for e in examples.read(DOCUMENT.read_text())
             if args.filter in e.crime and not guarded]
    canary = options is None or "CANARY" in options
    told = options is None or "FAULT_REPORT" in options
    counts = {"ok": 0, "not ok": 0, "skip": 0}

    def one(run):
        if isinstance(run, examples.Example):
            off = examples.missing(run, options)
            return ("skip", f"needs {' '.join(off)}") if off else (
                examples.check(run, lambda: commit(run, program,
                                                   args.library)))
        off = missing(run, options)
        # The object may have been a sample: then what it was does not show,
        # or nothing of the heap is where a slab would be
        for _ in range(TRIES if samples else 1):
            done = execute(run, program, args.library, canary, told, off)
            if done[0] != "not ok" or not SAMPLED.search(done[1]):
                break
        return done

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
