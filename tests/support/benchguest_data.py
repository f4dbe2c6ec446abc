# SPDX-License-Identifier: BSD-3-Clause
"""Result files of the guest's benchmark: reading, keys, ratios.

A file is a header, then a JSON object a line. Rows of mode "exact" are the
same in every run of one image; those of mode "parallel" are times of a
machine; those of mode "map" are random addresses of a boot.
"""
import hashlib
import json
import pathlib

import hostbench_table

OURS = {"FAST": "ukallocrnd-fast", "BALANCED": "ukallocrnd",
        "STRONG": "ukallocrnd-strong"}
ORDER = (*OURS.values(), "mimalloc", "mimalloc-secure", "buddy", "floor")
NOBODY = "none"  # in place of an allocator, where none takes part
COUNTED = "instructions/op"
COUNTED_ALL = "instructions/op of all CPUs"

# What tells rows apart; a field that a row lacks is None
KEY = ("name", "size", "live", "cpus", "alloc", "unit")
PLACE = tuple(field for field in KEY if field != "alloc")
# Bytes of memory, none of which can be more than the guest has; and what is
# part of what: (no more, than that)
MEMORY = ("mapped_start", "mapped_peak", "kept", "metadata", "live_peak",
          "overhead_per_object")
PARTS = (("mapped_start", "mapped_peak"), ("kept", "mapped_peak"),
         ("live_peak", "mapped_peak"))
# Properties of the workload: a change is told, but is neither good nor bad
NEUTRAL = ("ops", "live_peak", "live_objects")


class Damaged(Exception):
    """A file is no result of the benchmark."""


def parse(text, name):
    """(header, other rows)."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise Damaged(f"{name}:{number}: is no JSON: {error.msg}") \
                from None
        if not isinstance(rows[-1], dict) or "type" not in rows[-1]:
            raise Damaged(f"{name}:{number}: has no type")
    if not rows or rows[0]["type"] != "header":
        raise Damaged(f"{name}: the first line is no header")
    return rows[0], rows[1:]


def read(path):
    """(header, other rows) of a file."""
    path = pathlib.Path(path)
    try:
        return parse(path.read_text(), path)
    except OSError as error:
        raise Damaged(f"{path}: {error.strerror}") from None


def lines(rows):
    """Rows as the lines of a file."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def fingerprint(rows):
    """SHA-256 of the lines of mode "exact", in their order: the same wherever
    a commit is measured in one configuration."""
    same = [row for row in rows if row.get("mode") == "exact"]
    return hashlib.sha256(lines(same).encode()).hexdigest()


def results(rows, mode):
    """Results of one mode."""
    return [row for row in rows if row["type"] == "bench" and
            row.get("mode") == mode]


def key(row, fields=KEY):
    """What tells a row apart."""
    return tuple(row.get(field) for field in fields)


def figures(row):
    """{name: number} of a row; those of an inner object as outer.inner."""
    found = {}
    for name, value in row.items():
        if name in KEY or isinstance(value, bool):
            continue
        if isinstance(value, dict):
            found.update({f"{name}.{inner}": number
                          for inner, number in value.items()
                          if isinstance(number, (int, float))})
        elif isinstance(value, (int, float)):
            found[name] = value
    return found


def impossible(rows, memory):
    """Sentences about figures of memory that cannot be true in a guest with
    so many bytes."""
    for row in rows:
        where = f"{row.get('alloc')}, {row.get('name')} {row.get('size')}"
        for name in MEMORY:
            if not 0 <= row.get(name, 0) <= memory:
                yield f"{where}: {name} is {row[name]:,} of {memory:,} bytes"
        for part, whole in PARTS:
            if part in row and whole in row and row[part] > row[whole]:
                yield (f"{where}: {part}, {row[part]:,}, is more than "
                       f"{whole}, {row[whole]:,}")


def by_place(rows, figure, keep=lambda row: True):
    """{place: {alloc: number}} of one figure, in the order of appearance;
    a place is a row's key without the allocator."""
    found = {}
    for row in rows:
        value = figures(row).get(figure)
        if value is not None and keep(row):
            found.setdefault(key(row, PLACE), {})[row["alloc"]] = value
    return found


def mean_ratio(places, one, other):
    """(geometric mean of one / other, number of places that have both)."""
    ratios = [hostbench_table.ratio(values.get(one), values.get(other))
              for values in places.values()]
    ratios = [ratio for ratio in ratios if ratio]
    return hostbench_table.geomean(ratios), len(ratios)


def allocs_of(rows):
    """Names of the allocators, in the order of all tables and pictures."""
    names = {row["alloc"] for row in rows}
    return [name for name in ORDER if name in names] + \
        sorted(names - set(ORDER))


def title(row):
    """Name of a workload, with size and number of CPUs."""
    words = [row["name"]]
    if row.get("size"):
        words.append(str(row["size"]))
    if row.get("cpus", 1) > 1 or row["unit"] == COUNTED_ALL:
        words.append(f"on {row['cpus']} CPU{'s' * (row['cpus'] > 1)}")
    return " ".join(words)
