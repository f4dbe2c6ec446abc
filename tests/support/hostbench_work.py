# SPDX-License-Identifier: BSD-3-Clause
"""Micro and allocation benchmarks: what is run and how much of it.

The numbers of operations are for 0.05 s to 0.5 s with a fast allocator; the
scale of a run multiplies them.
"""
import dataclasses
import typing


@dataclasses.dataclass
class Work:
    """Something to measure."""

    name: str
    group: str             # micro, bench or real
    command: list          # {} stands for the number of operations
    ops: int = 0
    threads: int = 1
    env: dict = dataclasses.field(default_factory=dict)
    prepare: typing.Callable | None = None
    run: typing.Callable | None = None  # instead of starting the command

    def words(self, scale, threads=None):
        """The command line for a scale and a number of threads."""
        ops = max(1000, round(self.ops * scale / 1000) * 1000) \
            if self.ops >= 1000 else max(1, round(self.ops * scale))
        return [str(word).format(ops=ops, threads=threads or self.threads)
                for word in self.command]


def size_name(size):
    """A size in words."""
    for unit, name in ((1 << 20, "M"), (1 << 10, "K")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size) if size else "mix"


def micro(name, size, ops):
    """One of micro.c."""
    return Work(f"{name} {size_name(size)}", "micro",
                ["micro", name, size, "{ops}"], ops)


def bench(name, ops, threads=2, size=None):
    """A program that takes threads, a size perhaps, and operations."""
    words = [name, "{threads}"] + ([size] if size is not None else [])
    label = name.replace("_", "-") if size is None else \
        f"{name} {size_name(size)}"
    return Work(label, "bench" if size is None else "micro",
                [*words, "{ops}"], ops, threads)


MICRO = [
    *(micro("pair", size, ops) for size, ops in (
        (16, 20000000), (64, 20000000), (256, 15000000), (1024, 10000000),
        (4096, 4000000), (1 << 15, 1000000), (1 << 18, 60000),
        (1 << 20, 10000))),
    micro("lifo", 64, 10000000), micro("fifo", 64, 10000000),
    micro("random", 64, 8000000), micro("random", 0, 5000000),
    micro("churn", 64, 6000000), micro("churn", 0, 4000000),
    micro("mixed", 0, 6000000),
    micro("calloc", 64, 10000000), micro("calloc", 4096, 2000000),
    micro("calloc", 1 << 16, 100000), micro("realloc", 1 << 16, 500000),
    bench("xthread", 4000000, size=64), bench("xthread", 2000000, size=0),
]

BENCH = [
    bench("larson", 4000000), bench("mstress", 40), bench("rptest", 600),
    bench("xmalloc", 20000), bench("cache_scratch", 4000000),
    bench("cache_thrash", 4000000), bench("alloc_test", 6000000, threads=1),
]

# How much more is done in all when the number of threads doubles
SCALING = {"xthread 64": 2, "xthread mix": 2, "larson": 2, "mstress": 2,
           "rptest": 2, "xmalloc": 1, "cache-scratch": 2, "cache-thrash": 2}


GROUPS = ("micro", "bench", "real", "insn")


def choose(works, pattern):
    """Those of a group, or with a part of the name; commas separate them. All
    without a pattern."""
    words = [word.strip() for word in pattern.split(",") if word.strip()]
    return [work for work in works if not words or any(
        word == work.group if word in GROUPS else word in work.name
        for word in words)]
