# SPDX-License-Identifier: BSD-3-Clause
"""Exact numbers of instructions, in user mode.

bench/host/insn.c has the workloads. Each is counted for two numbers of
operations, with calls and without; the differences are what is reported.
Whole programs are counted from their first to their last instruction.
"""
import hostbench_real
import hostbench_table as table
from hostbench_alloc import BASE
from hostbench_count import CannotCount, engines
from hostbench_work import choose, size_name

WARM = 30000
OPS = 160000     # whole batches, and whole magazines of any usual length
STEPPED = 2000   # with the slow engine
# The same in each run: these are compared exactly
DETERMINISTIC = ("glibc", "mimalloc", "jemalloc", "tcmalloc")
# Workload, size
WORKLOADS = (
    ("pair", 16), ("pair", 64), ("pair", 256), ("pair", 1024),
    ("calloc", 64), ("lifo", 64), ("random", 64), ("churn", 64),
    ("churn", 0), ("mixed", 0), ("xthread", 64))
PROGRAMS = ("python3", "sqlite3", "perl", "lua")
PROGRAM_SCALE = 0.25
SIDES = ("malloc", "free")  # of xthread, one thread each
TOLERANCE = 0.01


class Named:
    """A workload as choose() wants it."""

    def __init__(self, name, size):
        self.group, self.workload, self.size = "insn", name, size
        self.name = f"{name} {size_name(size)}" if name != "xthread" \
            else name


class Counter:
    """Counts with the first engine that works for an allocator."""

    def __init__(self, options, runner):
        self.runner = runner
        self.engines = engines(options, runner)
        self.chosen = {}  # allocator -> engine
        self.loops = {}   # (engine, workload, size) -> counts

    def engine(self, alloc, programs):
        """The engine for an allocator; for whole programs, one that can."""
        key = alloc.name, programs
        if key not in self.chosen:
            self.chosen[key] = self.find(alloc, programs)
        return self.chosen[key]

    def find(self, alloc, programs):
        """Tries the engines in turn."""
        reasons = []
        for engine in self.engines:
            if programs and not engine.programs:
                continue
            try:
                engine.count(alloc, ["insn", "pair", "64", "100", "100"])
                return engine
            except CannotCount as error:
                reasons.append(f"{engine.name}: {error}")
        raise CannotCount("; ".join(reasons) or "no engine")

    def workload(self, alloc, item):
        """(calls, loop) for each side: instructions per operation."""
        engine = self.engine(alloc, False)
        ops = OPS if engine.fast else STEPPED
        real = self.difference(engine, alloc, item, ops, [])
        key = engine.name, item.name
        if key not in self.loops:
            self.loops[key] = self.difference(engine, alloc, item, ops,
                                              ["-l"])
        return [((with_calls - without) / ops, without / ops)
                for with_calls, without in zip(real, self.loops[key])]

    @staticmethod
    def difference(engine, alloc, item, ops, flags):
        """Instructions of the operations after the warm-up."""
        sides = 2 if item.workload == "xthread" else 1
        words = ["insn", *flags, item.workload, str(item.size)]
        if not engine.fast:
            return engine.sides(alloc, [*words, str(WARM), str(ops)], sides)
        many = engine.count(alloc, [*words, str(WARM), str(ops)])
        few = engine.count(alloc, [*words, str(WARM), "0"])
        return [many[side] - few[side] for side in range(sides)]


def row_names(item):
    """Names of the rows of a workload."""
    return [f"{item.name} {side}" for side in SIDES] \
        if item.workload == "xthread" else [item.name]


def run_workloads(options, counter, allocs, out):
    """Table of single operations."""
    items = choose([Named(*row) for row in WORKLOADS], options.only)
    failures = []
    if items:
        print("\nInstructions of one malloc and one free, loops subtracted\n"
              + table.head("workload", [a.name for a in allocs]), flush=True)
    for item in items:
        cells = {}
        for alloc in allocs:
            try:
                found = counter.workload(alloc, item)
            except CannotCount as error:
                failures.append((item.name, alloc.name, str(error)))
                continue
            cells[alloc.name] = [calls for calls, _ in found]
            out({"type": "insn", "workload": item.workload,
                 "size": item.size, "alloc": alloc.name,
                 "value": sum(cells[alloc.name]),
                 "sides": cells[alloc.name],
                 "loop": sum(loop for _, loop in found),
                 "unit": "instructions/op", "ops": OPS,
                 "engine": counter.engine(alloc, False).name})
        for side, name in enumerate(row_names(item)):
            print(table.row(name, [
                f"{cells[a.name][side]:.1f}" if a.name in cells else "-"
                for a in allocs]), flush=True)
    return failures


def count_program(options, counter, alloc, work):
    """(instructions, name of the engine) of one program."""
    folder = hostbench_real.prepare(work, options.data, PROGRAM_SCALE)
    engine = counter.engine(alloc, True)
    return sum(engine.count(alloc, work.command, folder, work.env)), \
        engine.name


def run_programs(options, counter, allocs, out):
    """Tables of whole programs."""
    works = [work for work in choose(hostbench_real.PROGRAMS, options.only)
             if work.name in PROGRAMS and not hostbench_real.missing(work)]
    failures, found = [], {}
    names = [a.name for a in allocs]
    if works:
        print("\nMillions of instructions of whole programs\n"
              + table.head("program", names), flush=True)
    for work in works:
        for alloc in allocs:
            try:
                count, engine = count_program(options, counter, alloc, work)
            except CannotCount as error:
                failures.append((work.name, alloc.name, str(error)))
                continue
            found[alloc.name, work.name] = count
            out({"type": "program", "program": work.name, "value": count,
                 "alloc": alloc.name, "unit": "instructions",
                 "engine": engine})
        print(table.row(work.name, [table.number(
            (found.get((name, work.name)) or 0) / 1e6 or None)
            for name in names]), flush=True)
    if found:
        print("\n" + "\n".join(program_ratios(works, names, found, out)))
    return failures


def program_ratios(works, names, found, out):
    """Lines: instructions against the base, geometric mean."""
    ratios = {work.name: {name: table.ratio(
        found.get((name, work.name)), found.get((BASE, work.name)))
        for name in names} for work in works}
    means = {name: table.geomean([row[name] for row in ratios.values()])
             for name in names}
    out({"type": "mean", "group": "programs", "metric": "instructions",
         "base": BASE, "ratios": means})
    yield table.head(f"x {BASE}", names)
    for title, row in {**ratios, "MEAN": means}.items():
        yield table.row(title, ["-" if row[name] is None else
                                f"{row[name]:.3f}" for name in names])


def run_check(options, counter, allocs):
    """Counts the same by single steps and by the fast engines."""
    print("\nThe counters against single steps, instructions/op")
    step = next(e for e in counter.engines if not e.fast)
    failures = []
    for alloc in allocs:
        for name, size in (("pair", 64), ("random", 64)):
            item = Named(name, size)
            exact = sum(counter.difference(step, alloc, item, STEPPED, []))
            fast = counter.engine(alloc, False)
            if not fast.fast:
                continue
            other = sum(counter.difference(fast, alloc, item, STEPPED, []))
            exact, other = exact / STEPPED, other / STEPPED
            line = f"  {alloc.name:<14}{item.name:<12}steps {exact:8.1f}  " \
                f"{fast.name} {other:8.1f}"
            wrong = alloc.name in DETERMINISTIC and \
                abs(exact - other) > TOLERANCE * exact
            print(line + (" DIFFERENT" if wrong else ""), flush=True)
            if wrong:
                failures.append((item.name, alloc.name, "counters differ"))
    return failures


def run(options, runner, allocs, out):
    """make bench-insn"""
    counter = Counter(options, runner)
    if options.check:
        return run_check(options, counter, allocs)
    failures = run_workloads(options, counter, allocs, out)
    failures += run_programs(options, counter, allocs, out)
    used = {(engine.name, alloc) for (alloc, _), engine in
            counter.chosen.items() if engine.name != counter.engines[0].name}
    for name, alloc in sorted(used):
        print(f"  {alloc} was counted by {name}")
    return failures
