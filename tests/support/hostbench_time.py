# SPDX-License-Identifier: BSD-3-Clause
"""Time, CPU time and memory of all workloads, allocators side by side.

The allocators take turns within each repetition and the turn starts with
another one each time: what disturbs the machine disturbs all of them.
"""
import json
import sys

import hostbench_real
import hostbench_run
import hostbench_table as table
from hostbench_alloc import BASE
from hostbench_work import BENCH, MICRO, SCALING, choose

METRICS = ("time", "cpu", "rss_kib")
TITLES = {"time": "time", "cpu": "user+system time", "rss_kib": "peak RSS"}
WORKS = [*MICRO, *BENCH, *hostbench_real.PROGRAMS]


class Suite:
    """The workloads of one run and what has been measured."""

    def __init__(self, options, runner, allocs, out):
        self.options, self.runner, self.allocs = options, runner, allocs
        self.out = out      # receives each JSON object
        self.samples = {}   # (workload, alloc) -> list of results
        self.failures = []  # (workload, alloc, why)
        self.digests = {}   # workload -> output of the first run

    def measure(self, work, alloc, threads=None):
        """Runs a workload once; the result, or None if it failed."""
        if work.group != "real":
            result = self.runner.run(
                alloc, work.words(self.options.scale, threads))
            if result["status"] == 0:
                result["time"] = hostbench_run.result_of(result)["ns"] * 1e-9
            return self.checked(work, alloc, result)
        folder = hostbench_real.prepare(work, self.options.data,
                                        self.options.real_scale)
        if work.run:
            result = work.run(self.runner, alloc, folder,
                              self.options.real_scale)
        else:
            result = self.runner.run(alloc, work.command, folder, work.env)
        result["time"] = result["wall"]
        return self.checked(work, alloc, result)

    def checked(self, work, alloc, result):
        """The result unless the program failed or printed something else."""
        why = None
        if result["status"]:
            why = f"status {result['status']}: {result['errors'][-300:]}"
        elif work.group == "real":
            digest = hostbench_run.digest(result)
            if self.digests.setdefault(work.name, digest) != digest:
                why = "the output differs from that of the first run"
        if not why:
            return result
        self.failures.append((work.name, alloc.name, why))
        return None

    def run(self, work, key=None, threads=None):
        """All repetitions of a workload, with all allocators in turns."""
        key = key or work.name
        for turn in range(self.options.reps):
            start = turn % len(self.allocs)
            for alloc in self.allocs[start:] + self.allocs[:start]:
                show(f"{key}: {turn + 1}/{self.options.reps} {alloc.name}")
                result = self.measure(work, alloc, threads)
                if not result:
                    continue
                self.samples.setdefault((key, alloc.name), []).append(result)
                self.out({"type": "run", "group": work.group,
                          "workload": key, "alloc": alloc.name,
                          "rep": turn, "threads": threads or work.threads,
                          **{metric: result[metric] for metric in
                             (*METRICS, "wall", "user", "sys", "minflt")}})
        show("")

    def median(self, key, alloc, metric):
        """Median of a metric, or None."""
        return table.median([sample[metric] for sample in
                             self.samples.get((key, alloc), [])])

    def ratio(self, key, alloc, metric):
        """Ratio of the medians to those of the allocator to compare with."""
        return table.ratio(self.median(key, alloc, metric),
                           self.median(key, BASE, metric))

    def names(self):
        """Columns of the tables."""
        return [alloc.name for alloc in self.allocs]


def show(text):
    """Progress on a line of its own, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def ratio_table(suite, works, metric):
    """Lines: ratios of one metric, then geometric means by group."""
    yield table.head(f"{TITLES[metric]}, x {BASE}", suite.names())
    for work in works:
        yield table.row(work.name, [table.times(
            suite.ratio(work.name, name, metric)) for name in suite.names()])
    for group, means in summary(suite, works, metric).items():
        yield table.row(f"MEAN {group}", [table.times(means[name])
                                          for name in suite.names()])


def summary(suite, works, metric):
    """{group: {allocator: geometric mean of ratios}}"""
    groups = {"all": works}
    for group in ("micro", "bench", "real"):
        chosen = [work for work in works if work.group == group]
        if chosen and len(chosen) < len(works):
            groups[group] = chosen
    return {group: {name: table.geomean(
        [suite.ratio(work.name, name, metric) for work in chosen])
        for name in suite.names()} for group, chosen in groups.items()}


def worst(suite, works):
    """Lines: the workload on which each allocator is slowest."""
    for name in suite.names():
        found = [(suite.ratio(work.name, name, "time") or 0, work.name)
                 for work in works]
        if found and max(found)[0] and name != BASE:
            yield f"  {name}: {table.times(max(found)[0])} on {max(found)[1]}"


def works_of(options):
    """The chosen workloads whose programs are installed."""
    chosen = []
    for work in choose(WORKS, options.only):
        lacks = hostbench_real.missing(work) if work.group == "real" else None
        if lacks:
            print(f"{work.name}: left out, {lacks} is not installed")
        else:
            chosen.append(work)
    if not chosen:
        raise SystemExit(f"no workload has {options.only} in its name")
    return chosen


def run(options, runner, allocs, out):
    """make bench"""
    suite = Suite(options, runner, allocs, out)
    works = works_of(options)
    print("\nMedians: micro and bench, time of an operation; real, of the "
          "program\n" + table.head("time", suite.names()), flush=True)
    for work in works:
        suite.run(work)
        print(table.row(work.name, [table.duration(
            suite.median(work.name, name, "time"))
            for name in suite.names()]), flush=True)
    for metric in METRICS:
        print("\n" + "\n".join(ratio_table(suite, works, metric)))
        for group, means in summary(suite, works, metric).items():
            out({"type": "mean", "group": group, "metric": metric,
                 "base": BASE, "ratios": means})
    lines = list(worst(suite, works))
    if lines:
        print("\nSlowest against " + BASE + "\n" + "\n".join(lines))
    return suite.failures


def run_scaling(options, runner, allocs, out):
    """make bench-scaling"""
    suite = Suite(options, runner, allocs, out)
    works = [work for work in choose(WORKS, options.only)
             if work.name in SCALING]
    print("\nWork done in the same time by two threads, one being 1.00; "
          "2.00 is ideal\n" + table.head("speed-up", suite.names()))
    for work in works:
        cells = []
        for threads in (1, 2):
            suite.run(work, f"{work.name} x{threads}", threads)
        for name in suite.names():
            one = suite.median(f"{work.name} x1", name, "time")
            two = suite.median(f"{work.name} x2", name, "time")
            gain = table.ratio(one, two)
            gain = gain and gain * SCALING[work.name]
            cells.append("-" if gain is None else f"{gain:.2f}")
            out({"type": "scaling", "workload": work.name, "alloc": name,
                 "speedup": gain, "one": one, "two": two})
        print(table.row(work.name, cells), flush=True)
    return suite.failures


def line_writer(path):
    """Writes JSON objects, one a line, at once."""
    stream = path.open("w")

    def write(entry):
        stream.write(json.dumps(entry) + "\n")
        stream.flush()
    return write
