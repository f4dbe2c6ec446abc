# SPDX-License-Identifier: BSD-3-Clause
"""Numbers for humans: medians, ratios, geometric means, tables."""
import math
import statistics

NAME = 16   # columns of the first word of a row
CELL = 11   # columns of a number


def median(samples):
    """Median, or None of nothing."""
    return statistics.median(samples) if samples else None


def ratio(value, base):
    """value / base, or None if one is missing or base is 0."""
    return value / base if value is not None and base else None


def geomean(values):
    """Geometric mean of those that are there, or None."""
    logs = [math.log(value) for value in values if value]
    return math.exp(sum(logs) / len(logs)) if logs else None


def number(value):
    """Three to four significant digits."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{0 if value >= 999.5 else 1 if value >= 100 else 2}f}"


def times(value):
    """A ratio."""
    return "-" if value is None else f"{value:.2f}x" if value < 100 else \
        f"{value:.0f}x"


def duration(value):
    """Seconds in a unit that leaves a short number."""
    if value is None:
        return "-"
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= unit:
            return f"{number(value / unit)} {name}"
    return f"{number(value * 1e9)} ns"


def mib(value):
    """KiB as MiB."""
    return "-" if value is None else f"{value / 1024:.1f} M"


def head(title, names):
    """First line of a table, and the line below."""
    line = f"{title:<{NAME}}" + "".join(
        f"{name[-(CELL - 1):]:>{CELL}}" for name in names)
    return f"{line}\n{'-' * len(line)}"


def row(name, cells):
    """One line of a table."""
    return f"{name:<{NAME}}" + "".join(f"{cell:>{CELL}}" for cell in cells)


def notes(allocs):
    """What is compared, and what is missing and why."""
    for alloc in allocs:
        if alloc.missing:
            yield f"  {alloc.name}: not here: {alloc.missing}"
        else:
            yield f"  {alloc.name}: {alloc.version or alloc.path}"
