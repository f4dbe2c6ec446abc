# SPDX-License-Identifier: BSD-3-Clause
"""What was promised, what was measured, and whether it fits.

Every promise is a geometric mean over exact results unless it says otherwise;
what was not measured is said to be so, and does not count as kept.
"""
import dataclasses
import statistics

import benchguest_data as data
import benchguest_events as events
import benchpage_cost as cost
import benchpage_memory as memory
import hostbench_table

FAST, BALANCED, STRONG = data.OURS.values()
MILLION = 10 ** 6
MOST_CPUS = 8
# How the names of workloads begin in which no object leaves its CPU
PRIVATE = ("pair", "lifo", "fifo", "random", "mixed", "calloc", "grow",
           "uniform", "lognorm", "threadtest", "linux-scal", "cache-thrash",
           "phong")
# References without protection, and how readers are told of them
UNPROTECTED = (("floor", "free lists without any protection (floor)"),
               ("mimalloc", "mimalloc"))


def count(number):
    """A number of instructions, short enough for a phone."""
    if number is None:
        return "-"
    return f"{number:,.0f}" if number < MILLION else \
        f"{number / MILLION:,.3g} million"


@dataclasses.dataclass
class Promise:
    """A bound and what was measured."""

    text: str
    value: float  # None: not measured
    limit: float
    about: str    # what the value was computed from
    strict: bool = False  # must be below, not at, the limit
    form: str = "ratio"
    why: str = ""  # a sentence for readers, if it is missed

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
        return count(number) if self.form == "count" else f"{number:.2f}"


def counted(rows, unit=data.COUNTED):
    """Exact results in instructions: of one CPU, or of all together."""
    return [row for row in data.results(rows, "exact")
            if row["unit"] == unit]


def costs(rows):
    """{place: {alloc: instructions}} on one CPU."""
    return data.by_place(counted(rows), "value")


def calls(rows, alloc, figure):
    """[(instructions, workload)] of malloc and free, one figure of them."""
    return [(value, data.title(row)) for row in rows
            if row["alloc"] == alloc
            for name, value in data.figures(row).items()
            if name in (f"malloc.{figure}", f"free.{figure}")]


def comparable(rows, inside=True):
    """Exact results on one CPU of workloads that mimalloc can run, or of the
    others. Without mimalloc all can be compared."""
    found = counted(rows)
    known = {data.key(row, data.PLACE) for row in found
             if row["alloc"] == "mimalloc"}
    return [row for row in found if inside == (
        not known or data.key(row, data.PLACE) in known)]


def worst_of(rows, alloc, inside=True):
    """(most instructions that a single call of an allocator took, workload),
    of those that can be compared, or of the others; None twice without."""
    return max(calls(comparable(rows, inside), alloc, "max"),
               default=(None, None))


def growth(rows, alloc, cpus):
    """{workload: instructions on so many CPUs, relative to one}."""
    found = {}
    for row in counted(rows, data.COUNTED_ALL):
        if row["alloc"] == alloc and row["name"].startswith(PRIVATE):
            place = row["name"], row["size"], row.get("live")
            found.setdefault(place, {})[row["cpus"]] = row["value"]
    return {place: line[cpus] / line[1] for place, line in found.items()
            if line.get(1) and cpus in line}


def of_references(places, other):
    """The same mean of those that protect nothing, in words: how much of a
    bound is left for protection."""
    found = [(words, data.mean_ratio(places, alloc, other)[0])
             for alloc, words in UNPROTECTED if alloc != other]
    found = [f"{mean:.2f} of {words}" for words, mean in found if mean]
    return " The same mean is " + " and ".join(found) + "." if found else ""


def ratio_promise(text, places, one, other, limit, why=""):
    """A promise about a geometric mean."""
    value, count = data.mean_ratio(places, one, other)
    return Promise(text, value, limit, f"mean of {count} workloads",
                   why=(why + of_references(places, other)).strip())


def growth_promise(rows):
    """The promise about CPUs: the worst workload counts."""
    found = growth(rows, BALANCED, MOST_CPUS)
    worst = max(found, key=found.get, default=None)
    about = f"worst of {len(found)} workloads: {worst[0]} " \
        f"{worst[1] or ''}".rstrip() if worst else ""
    return Promise(f"one to {MOST_CPUS} CPUs: instructions of CPU-private "
                   "work grow by at most 10 %", found.get(worst), 1.1, about)


def worst_promise(rows):
    """The promise about single calls; what mimalloc cannot run is told."""
    limit = worst_of(rows, "mimalloc")[0]
    value, where = worst_of(rows, BALANCED)
    more, other = worst_of(rows, BALANCED, False)
    about = f"instructions, in {where}" if where else ""
    if more:
        about += f"; {more:,.0f} in {other}, which mimalloc cannot run"
    return Promise("BALANCED: longest single operation shorter than "
                   "mimalloc's", value if limit else None, limit, about,
                   True, "count",
                   cost.why_worst(comparable(rows), BALANCED, value))


def promises(rows):
    """All of them."""
    insn = costs(rows)
    yield ratio_promise("BALANCED: at most half the instructions of the "
                        "buddy", insn, BALANCED, "buddy", 0.5,
                        cost.why_balanced(insn, "buddy"))
    yield ratio_promise("BALANCED: at most 2.5 times those of mimalloc",
                        insn, BALANCED, "mimalloc", 2.5,
                        cost.why_balanced(insn, "mimalloc"))
    yield ratio_promise("FAST: at most a quarter of the buddy's", insn, FAST,
                        "buddy", 0.25, cost.why_fast(insn, "buddy"))
    yield ratio_promise("FAST: at most 1.5 times those of mimalloc", insn,
                        FAST, "mimalloc", 1.5, cost.why_fast(insn, "mimalloc"))
    yield worst_promise(rows)
    yield ratio_promise("BALANCED: peak memory at most 1.2 times "
                        "mimalloc's", memory.mapped(rows), BALANCED,
                        "mimalloc", 1.2, memory.why_mimalloc(rows))
    yield ratio_promise("BALANCED: below 1 KiB at most a tenth of the "
                        "buddy's peak memory",
                        memory.mapped(rows, memory.is_small), BALANCED,
                        "buddy", 0.1, memory.why_buddy(rows))
    yield growth_promise(rows)


def synchronised(rows):
    """{alloc: {figure: (of the pair of 64 bytes, median of the workloads,
    most of them)}} of the events that QEMU's plug-in counts, on one CPU, as
    far as mimalloc can run them; empty without the plug-in."""
    found = {}
    for row in comparable(rows):
        for figure in events.FIELDS:
            if figure in row:
                found.setdefault(row["alloc"], {}).setdefault(
                    figure, {})[data.key(row, data.PLACE)] = row[figure]
    return {alloc: {figure: (pair_event(values),
                             statistics.median(values.values()),
                             max(values.values()))
                    for figure, values in figures.items()}
            for alloc, figures in found.items()}


def pair_event(values):
    """The value of the pair of 64 bytes, or None."""
    return next((value for place, value in values.items()
                 if place[:2] == ("pair", 64)), None)


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
    insn, peaks = costs(rows), memory.mapped(rows)
    for alloc in data.allocs_of(counted(rows)):
        cells = (pair_of(rows, alloc),
                 data.mean_ratio(insn, alloc, "buddy")[0],
                 data.mean_ratio(insn, alloc, "mimalloc")[0],
                 worst_of(rows, alloc)[0],
                 data.mean_ratio(peaks, alloc, "mimalloc")[0])
        if any(cells):  # not what stands for no allocator at all
            yield Line(alloc, *cells)


def quantiles(rows, alloc):
    """[p50, p99, p99.9, maximum] of an allocator: geometric means of malloc
    and free over the workloads, and the maximum of all; None without."""
    found = []
    for name in ("p50", "p99", "p999"):
        found.append(hostbench_table.geomean(
            value for value, _ in calls(comparable(rows), alloc, name)))
    found.append(worst_of(rows, alloc)[0])
    return found if all(found) else None
