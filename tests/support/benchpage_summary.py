# SPDX-License-Identifier: BSD-3-Clause
"""What was promised, what was measured, and whether it fits.

Every promise is a geometric mean over exact results unless it says otherwise;
what was not measured is said to be so, and does not count as kept.
"""
import dataclasses

import benchguest_data as data
import hostbench_table

FAST, BALANCED, STRONG = data.OURS.values()
SMALL = 1024  # objects below are small
MOST_CPUS = 8
# Workloads in which no object leaves its CPU
PRIVATE = ("pair", "lifo", "fifo", "random", "mixed", "calloc", "grow",
           "uniform", "lognormal", "threadtest", "scalability",
           "linux-scalability", "phong", "cache-scratch")


@dataclasses.dataclass
class Promise:
    """A bound and what was measured."""

    text: str
    value: float  # None: not measured
    limit: float
    about: str    # what the value was computed from
    strict: bool = False  # must be below, not at, the limit
    form: str = "ratio"

    @property
    def kept(self):
        """True, False, or None if nothing was measured."""
        if self.value is None:
            return None
        return self.value < self.limit if self.strict else \
            self.value <= self.limit

    def words(self, number):
        """A value or a limit for readers."""
        if number is None:
            return "-"
        return f"{number:,.0f}" if self.form == "count" else f"{number:.2f} x"


def counted(rows, cpus=1):
    """Exact results in instructions."""
    return [row for row in data.results(rows, "exact")
            if data.is_counted(row, cpus)]


def costs(rows):
    """{place: {alloc: instructions}} on one CPU."""
    return data.by_place(counted(rows), "value")


def worst_of(rows, alloc):
    """Most instructions that a single operation of an allocator took."""
    return max((value for row in counted(rows) if row["alloc"] == alloc
                for name, value in data.figures(row).items()
                if name in ("malloc.max", "free.max")), default=None)


def mapped(rows, small=False):
    """{place: {alloc: most bytes that were mapped}}."""
    return data.by_place(counted(rows), "mapped_peak", lambda row:
                         not small or 0 < row["size"] < SMALL)


def growth(rows, alloc, cpus):
    """{workload: instructions on so many CPUs, relative to one}."""
    first = {(row["name"], row["size"], row.get("live")): row["value"]
             for row in counted(rows) if row["alloc"] == alloc}
    return {(row["name"], row["size"], row.get("live")):
            row["value"] / first[row["name"], row["size"], row.get("live")]
            for row in counted(rows, cpus) if row["alloc"] == alloc and
            row["name"] in PRIVATE and
            first.get((row["name"], row["size"], row.get("live")))}


def ratio_promise(text, places, one, other, limit):
    """A promise about a geometric mean."""
    value, count = data.mean_ratio(places, one, other)
    return Promise(text, value, limit, f"mean of {count} workloads")


def growth_promise(rows):
    """The promise about CPUs: the worst workload counts."""
    found = growth(rows, BALANCED, MOST_CPUS)
    worst = max(found, key=found.get, default=None)
    about = f"worst of {len(found)} workloads: {worst[0]} " \
        f"{worst[1] or ''}".rstrip() if worst else ""
    return Promise(f"one to {MOST_CPUS} CPUs: instructions of CPU-private "
                   "work grow by at most 10 %", found.get(worst), 1.1, about)


def promises(rows):
    """All of them."""
    insn, memory = costs(rows), mapped(rows)
    yield ratio_promise("BALANCED: at most half the instructions of the "
                        "buddy", insn, BALANCED, "buddy", 0.5)
    yield ratio_promise("BALANCED: at most 2.5 times those of mimalloc",
                        insn, BALANCED, "mimalloc", 2.5)
    yield ratio_promise("FAST: at most a quarter of the buddy's", insn, FAST,
                        "buddy", 0.25)
    yield ratio_promise("FAST: at most 1.5 times those of mimalloc", insn,
                        FAST, "mimalloc", 1.5)
    limit = worst_of(rows, "mimalloc")
    yield Promise("BALANCED: longest single operation shorter than "
                  "mimalloc's", worst_of(rows, BALANCED)
                  if limit else None, limit, "instructions, worst of all",
                  True, "count")
    yield ratio_promise("BALANCED: peak memory at most 1.2 times "
                        "mimalloc's", memory, BALANCED, "mimalloc", 1.2)
    yield ratio_promise("BALANCED: below 1 KiB at most a tenth of the "
                        "buddy's peak memory", mapped(rows, True), BALANCED,
                        "buddy", 0.1)
    yield growth_promise(rows)


@dataclasses.dataclass
class Line:
    """An allocator in the table; None: not measured."""

    alloc: str
    pair: float       # instructions of malloc and free of 64 bytes
    against_buddy: float
    against_mimalloc: float
    worst: float
    memory: float     # peak, relative to mimalloc


def pair_of(rows, alloc):
    """Instructions of the pair of 64 bytes."""
    return next((row["value"] for row in counted(rows)
                 if (row["name"], row["size"], row["alloc"]) ==
                 ("pair", 64, alloc)), None)


def table(rows):
    """A line for each allocator."""
    insn, memory = costs(rows), mapped(rows)
    for alloc in data.allocs_of(counted(rows)):
        yield Line(alloc, pair_of(rows, alloc),
                   data.mean_ratio(insn, alloc, "buddy")[0],
                   data.mean_ratio(insn, alloc, "mimalloc")[0],
                   worst_of(rows, alloc),
                   data.mean_ratio(memory, alloc, "mimalloc")[0])


def quantiles(rows, alloc):
    """[p50, p99, p99.9, maximum] of an allocator: geometric means of malloc
    and free over the workloads, and the maximum of all; None without."""
    found = []
    for name in ("p50", "p99", "p999"):
        values = [value for row in counted(rows) if row["alloc"] == alloc
                  for figure, value in data.figures(row).items()
                  if figure in (f"malloc.{name}", f"free.{name}")]
        found.append(hostbench_table.geomean(values))
    found.append(worst_of(rows, alloc))
    return found if all(found) else None
