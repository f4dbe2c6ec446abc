# SPDX-License-Identifier: BSD-3-Clause
"""Instructions: why a bound is missed, with figures.

What an allocator does for an object is the same for any size, or grows with
it. Objects of one size of up to 1 KiB show the one, longer ones the other.
"""
import benchguest_data as data

FAST, BALANCED = data.OURS["FAST"], data.OURS["BALANCED"]
LITTLE = 1024           # bytes
PAGE = 4096
LONG = (4096, 4194304)  # a slot, and a large object
ORDER = "lifo"          # the workload whose figures are shown
PAIR = ("pair", 64)
NAMES = {4096: "4 KiB", 4194304: "4 MiB"}


def value_of(places, alloc, name, size):
    """Instructions of an allocator in a workload, None if not measured."""
    return next((values[alloc] for place, values in places.items()
                 if place[:2] == (name, size) and alloc in values), None)


def little(places):
    """Workloads with objects of one size of up to 1 KiB."""
    return {place: values for place, values in places.items()
            if 0 < place[1] <= LITTLE}


def in_little(places, one, other):
    """The mean where objects are short, in words; empty without."""
    mean, count = data.mean_ratio(little(places), one, other)
    return (f" In the {count} workloads of one size up to 1 KiB the mean is "
            f"{mean:.2f}." if mean else "")


def why_balanced(places, other):
    """Why BALANCED misses a bound beside an allocator."""
    costs = [(NAMES[size], value_of(places, BALANCED, ORDER, size))
             for size in LONG]
    words = ", ".join(f"{value:,.0f} instructions of {name}"
                      for name, value in costs if value)
    rest = in_little(places, BALANCED, other)
    return ("Because a slot is cleared when it is freed and read when it is "
            "handed out, and a large object gets a new place with page tables "
            f"of its own: malloc and free take {words}.{rest}"
            if words and rest else "")


def why_fast(places, other):
    """Why FAST does."""
    own, others = (value_of(places, alloc, *PAIR) for alloc in (FAST, other))
    rest = in_little(places, FAST, other)
    return ("Because a slot is drawn at random and its state is tested and "
            f"changed: malloc and free of 64 bytes take {own:,.0f} "
            f"instructions, {others:,.0f} in {other}.{rest}"
            if own and others and rest else "")


def why_worst(rows, alloc, value):
    """Why the longest call of an allocator is longer than another's, if it is
    that of a large object."""
    size = max((row["size"] for row in rows if row["alloc"] == alloc and
                value in (row.get("free", {}).get("max"),
                          row.get("malloc", {}).get("max"))), default=0)
    pages = size // PAGE
    return (f"Because an object of {size >> 20} MiB that was used all over "
            f"gives {pages:,} pages back at once, and each frame goes to a "
            f"place of its own: {value / pages:,.0f} instructions for each."
            if size >= LONG[1] else "")
