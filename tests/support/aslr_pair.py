# SPDX-License-Identifier: BSD-3-Clause
"""What is left of the randomness of a place when another one is known.

Knowing A, the place B is as random as the difference B - A, taken modulo the
range of B: that is uniform if B is, whatever A is, unless one tells about the
other. (The plain difference of two uniform numbers would be triangular.) The
bits that remain are those of the shortest arc that has all differences, less
common steps; if the difference is not uniform, those of the arc in which an
eighth of the differences are closest together, scaled up.
"""
import bisect
import collections
import dataclasses
import math

import aslr_stat as stat

PART = 8  # the densest 1/PART of differences that are not uniform


@dataclasses.dataclass(frozen=True)
class Pair:
    """B when A is known."""

    first: str   # A
    second: str  # B
    bits: float
    tests: dict  # {what: p}

    def wrong(self, limit):
        """Tests that reject independence."""
        return {what: p for what, p in self.tests.items() if p < limit}


def arc(ordered, slots, many):
    """Length of the shortest arc of a circle of slots with so many
    neighbours of the ordered numbers."""
    around = ordered + [number + slots for number in ordered[:many - 1]]
    return 1 + min(end - start
                   for start, end in zip(around, around[many - 1:]))


def spread_bits(ordered, slots):
    """Bits of uniform numbers on a circle."""
    many = len(ordered)
    wide = (arc(ordered, slots, many) - 1) * (many + 1) / (many - 1) + 1
    return math.log2(min(wide, slots))


def margin(many, limit):
    """Bits by which spread_bits() is short of the truth with probability
    limit: one of the gaps of n numbers on a circle is longer than x of it
    with probability n (1 - x)^(n - 1) at most."""
    return -math.log2(limit / many) / (many - 1)


def dense_bits(ordered, slots):
    """Bits where the numbers are closest together, at least 0."""
    share = max(len(ordered) // PART, 2)
    wide = arc(ordered, slots, share) - 1
    return math.log2(min(1 + wide * len(ordered) / share, slots))


def circle_p(ordered, slots):
    """Are ordered numbers uniform below slots?"""
    many = len(ordered)
    bins = stat.bins_for(many)
    edges = [-(-cell * slots // bins) for cell in range(bins + 1)]
    places = [bisect.bisect_left(ordered, edge) for edge in edges]
    return stat.counts_p(
        [end - start for start, end in zip(places, places[1:])],
        [many * (end - start) / slots for start, end in
         zip(edges, edges[1:])])


def low_bits(numbers):
    """Bits that the lowest bits of numbers lack, by the commonest value."""
    bins = stat.bins_for(len(numbers))
    most = max(collections.Counter(
        number % bins for number in numbers).values())
    return math.log2(bins * most / len(numbers))


def remaining(first, second, limit):
    """The second of two regions when the first is known; limit is the
    p-value that rejects a uniform difference."""
    place = second.place
    if not place.step:
        return Pair(first.name, second.name, 0.0, {})
    apart = [(after - before) // place.step
             for before, after in zip(first.values, second.values)]
    ordered = sorted(each % place.slots for each in apart)
    tests = {}
    if place.slots >= stat.bins_for(len(apart)):
        tests["difference"] = circle_p(ordered, place.slots)
    same = stat.duplicates_p(ordered, place.slots)
    if same is not None:
        tests["same difference"] = same
    bits = spread_bits(ordered, place.slots)
    if min(tests.values(), default=1) < limit:
        bits = dense_bits(ordered, place.slots)
    step = math.gcd(*(each - apart[0] for each in apart)) or place.slots
    lacking = math.log2(step)
    if place.slots >= 64 * stat.bins_for(len(apart)):
        tests["lowest bits of the difference"] = stat.low_p(apart)
        if tests["lowest bits of the difference"] < limit:
            lacking = max(lacking, low_bits(apart))
    return Pair(first.name, second.name, max(bits - lacking, 0.0), tests)


def both_ways(first, second, limit):
    """Two pairs; the first has the test of the rank correlation."""
    one = remaining(first, second, limit)
    if first.ranks and second.ranks:
        one.tests["correlation"] = stat.correlation_p(
            stat.correlation(first.ranks, second.ranks), len(first.values))
    return one, remaining(second, first, limit)
