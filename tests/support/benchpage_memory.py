# SPDX-License-Identifier: BSD-3-Clause
"""Memory: what was mapped at most, and why a bound is missed.

Each workload of each size began with an allocator that had nothing from
before. A heap of ours has a fixed part from its start on, and another one for
each CPU with its first object; where little is live that is most of it.
"""
import benchguest_data as data

OURS = data.OURS["BALANCED"]
SMALL = 1024        # bytes; objects below are small
MUCH = 1 << 20      # bytes that are live in a workload that has much
MANY = 256          # objects that are live in one that has many
KIB = 1024
BUDDY_PAGE = 4096   # what the buddy has for one object


def counted(rows):
    """Exact results on one CPU that tell about memory."""
    return [row for row in data.results(rows, "exact")
            if row["unit"] == data.COUNTED and "mapped_peak" in row]


def is_small(row):
    """Small objects of one size."""
    return 0 < row["size"] < SMALL


def has_much(row):
    """At least so many bytes are live at a time."""
    return row["live_peak"] >= MUCH


def has_many(row):
    """Small objects, and so many are live at a time."""
    return is_small(row) and row.get("live_objects", 0) >= MANY


def mapped(rows, keep=lambda row: True):
    """{place: {alloc: most bytes that were mapped}} of places where a row of
    ours is to be kept: allocators differ in what is live when."""
    rows = counted(rows)
    places = {data.key(row, data.PLACE) for row in rows
              if row["alloc"] == OURS and keep(row)}
    return data.by_place(rows, "mapped_peak", lambda row:
                         data.key(row, data.PLACE) in places)


def least(rows, field, alloc=OURS):
    """Least figure of an allocator, None without."""
    return min((row[field] for row in counted(rows)
                if row["alloc"] == alloc and row.get(field)), default=None)


def fixed(rows):
    """What a heap has before and with its first object."""
    start, first = least(rows, "mapped_start"), least(rows, "mapped_peak")
    return (f"a heap has {start / KIB:,.0f} KiB before its first object and "
            f"{first / KIB:,.0f} KiB with it") if start and first else ""


def why_mimalloc(rows):
    """Why the bound beside mimalloc is missed, in one sentence."""
    few = mapped(rows, lambda row: not has_much(row))
    mean, count = data.mean_ratio(few, OURS, "mimalloc")
    words, other = fixed(rows), least(rows, "mapped_peak", "mimalloc")
    if not mean or not words or not other:
        return ""
    return (f"Because {words}, mimalloc {other / KIB:,.0f} KiB: in {count} "
            "workloads with less than 1 MiB live the mean is "
            f"{mean:.2f}.")


def why_buddy(rows):
    """The same beside the buddy."""
    places = mapped(rows, is_small)
    single = [place for place, values in places.items()
              if values.get("buddy") == BUDDY_PAGE]
    words = fixed(rows)
    if not words or not single:
        return ""
    return (f"Because {words}: in {len(single)} of {len(places)} workloads "
            "one object is live, for which the buddy has one page of 4 KiB, "
            "and a tenth of that is less than a page.")


def besides(rows):
    """(text, value, what it was computed from) of figures that are no
    bounds: the same means where more is live."""
    for text, keep, other in (
            ("BALANCED: peak memory relative to mimalloc's, at least 1 MiB "
             "live", has_much, "mimalloc"),
            ("BALANCED: below 1 KiB peak memory relative to the buddy's, at "
             f"least {MANY} objects live", has_many, "buddy")):
        mean, count = data.mean_ratio(mapped(rows, keep), OURS, other)
        yield text, mean, f"mean of {count} workloads"
