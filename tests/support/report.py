#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The JSON lines of a benchmark run as text: memory map and table.

    report.py build/run.json
"""
import json
import pathlib
import sys

OURS = "ukallocrnd"
OTHER = {"exact": "buddy", "parallel": "buddy", "host": "glibc"}
LESS_IS_BETTER = ("instructions", "ticks")
TITLES = {"exact": "Exact: guest instructions, the same in every run",
          "parallel": "Parallel: host time, median of repetitions, noisy",
          "host": "Linux: instructions of malloc and free, preloaded"}


def read(path):
    """Objects of a file, one a line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def number(text):
    """A number that may be written as a hexadecimal string."""
    return int(text, 0) if isinstance(text, str) else int(text)


def length(count):
    """Bytes in the largest unit that leaves a short number."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 10240:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.0f} TiB"


def map_lines(rows):
    """The random bases of one boot, by address."""
    rows = sorted((r for r in rows if r["type"] == "map" and
                   r["mode"] == "parallel"),
                  key=lambda r: number(r["base"]))
    if rows:
        yield "Memory map of this boot"
    for row in rows:
        yield (f"  {number(row['base']):#018x}  "
               f"{length(number(row['len'])):>10}  {row['name']}")


def pairs(rows, mode):
    """(key, {alloc: row}) of one mode, in the order of appearance. All CPUs
    are no other figure than one if there is only one."""
    found = {}
    for row in rows:
        if row["type"] == "bench" and row["mode"] == mode and \
                not (row["cpus"] == 1 and row["unit"].endswith("all CPUs")):
            key = (row["name"], row["size"], row["cpus"], row["unit"])
            found.setdefault(key, {})[row["alloc"]] = row
    return found.items()


def value(row):
    """A result for the table."""
    if row is None:
        return "-"
    digits = 1 if row["value"] < 10000 else 0
    return f"{row['value']:,.{digits}f}"


def ratio(ours, other, unit):
    """How many times ours is better than the other."""
    if not ours or not other or not ours["value"] or not other["value"]:
        return "-"
    times = ours["value"] / other["value"]
    return f"{1 / times if unit.startswith(LESS_IS_BETTER) else times:.2f}"


def columns(rows, mode):
    """Allocators of one mode with their widths, ours first."""
    names = {row["alloc"]: 0 for row in rows
             if row["type"] == "bench" and row["mode"] == mode}
    return {name: max(12, len(name) + 2)
            for name in sorted(names, key=lambda name: name != OURS)}


def missing_lines(rows):
    """Allocators that could not take part, and how to get them."""
    found = {row["alloc"]: row["get"] for row in rows
             if row["type"] == "missing"}
    for name, command in found.items():
        yield f"{name} is missing: `{command}` gets it"


def table_lines(rows, mode):
    """One mode as a table; the last column compares with one allocator."""
    names = columns(rows, mode)
    yield TITLES[mode]
    last = f"against {OTHER[mode]}"
    heads = "".join(f"{name:>{width}}" for name, width in names.items())
    yield f"  {'benchmark':<14}{'size':>7}{'CPUs':>6}{heads}{last:>15}"
    for (name, size, cpus, unit), row in pairs(rows, mode):
        cells = "".join(f"{value(row.get(alloc)):>{width}}"
                        for alloc, width in names.items())
        times = ratio(row.get(OURS), row.get(OTHER[mode]), unit)
        yield (f"  {name:<14}{size or '':>7}{cpus:>6}{cells}"
               f"{times:>15}  {unit}")


def text(rows):
    """Everything about a run."""
    lines = list(map_lines(rows))
    for mode in TITLES:
        if any(True for _ in pairs(rows, mode)):
            lines += ["", *table_lines(rows, mode)]
    lines += ["", *missing_lines(rows)]
    return "\n".join(lines).rstrip()


if __name__ == "__main__":
    print(text(read(pathlib.Path(sys.argv[1]))))
