# SPDX-License-Identifier: BSD-3-Clause
"""How random one region is: its range, and the tests that it is uniform."""
import dataclasses
import functools

import aslr_stat as stat
import aslr_table as table

PAGE = 4096


@dataclasses.dataclass
class Region:
    """One row of the memory map over all boots."""

    name: str
    rule: table.Rule
    group: str
    values: list  # without the fixed bits, nor what is below the page
    fixed: list   # bits within the range that are always the same
    place: stat.Range
    below: stat.Range = None  # of what is below the page, if it counts
    tests: dict = dataclasses.field(default_factory=dict)  # {what: p}

    @functools.cached_property
    def ranks(self):
        """Ranks of the values, or None if they are all the same."""
        return stat.centred_ranks(self.values)

    @property
    def below_bits(self):
        """Bits below the page that are counted beside the others."""
        return self.below.bits if self.below else 0.0

    def wrong(self, limit):
        """Tests that reject uniformity, each with probability limit if the
        region is uniform."""
        return {what: p for what, p in self.tests.items() if p < limit}

    def short(self, limit):
        """What is missing, or an empty string; with probability limit if
        nothing is."""
        margin = stat.margin(len(self.values), limit)
        if self.place.bits + margin < self.rule.need:
            return f"{self.place.bits:.2f} bits, {self.rule.need} are needed"
        if self.below and self.below_bits + margin < self.rule.below:
            return (f"{self.below_bits:.2f} bits below the page, "
                    f"{self.rule.below} are needed")
        return ""


def split(values):
    """(pages, offsets) with value = page + offset, page a multiple of the
    page size. Offsets start where they have their widest gap, seen as on a
    circle: they may go over the end of a page."""
    seen = sorted({value % PAGE for value in values})
    gaps = [(nxt - one, nxt) for one, nxt in
            zip(seen, [*seen[1:], seen[0] + PAGE])]
    start = max(gaps)[1] % PAGE
    offsets = [start + (value - start) % PAGE for value in values]
    return [value - offset for value, offset in zip(values, offsets)], offsets


def without_holes(values, window):
    """Addresses whose windows lack what is never drawn: the part above the
    largest distance of a place from the start of its window. How large that
    can be is estimated as any range is."""
    most = max(value % window for value in values)
    room = most + most // len(values)
    room += PAGE - room % PAGE
    if room >= window:
        return values
    return [value // window * room + value % window for value in values]


def uniform_tests(values, place):
    """{what: p} of one sequence."""
    if not place.step:
        return {}
    indices = [place.index(value) for value in values]
    tests = {"position": stat.positions_p(indices, place.slots)}
    if place.slots >= 64 * stat.bins_for(len(values)):
        tests["lowest bits"] = stat.low_p([value // place.step
                                           for value in values])
    p = stat.duplicates_p(values, place.slots)
    if p is not None:
        tests["duplicates"] = p
    return tests


def bit_tests(values, place, fixed):
    """{what: p}: is each bit set as often as not?"""
    low = (place.step & -place.step).bit_length() - 1
    high = (place.step * place.slots).bit_length()
    names = [bit for bit in range(high + len(fixed)) if bit not in fixed]
    found = {f"bit {names[bit]}": stat.bit_p(values, place, bit)
             for bit in range(low, high)} if place.step else {}
    return {what: p for what, p in found.items() if p is not None}


def serial_tests(values, place):
    """{what: p}: does a boot tell something about the next one?"""
    if not place.step:
        return {}
    indices = [place.index(value) for value in values]
    steps = [(after - before) % place.slots
             for before, after in zip(indices, indices[1:])]
    first, second = (stat.centred_ranks(each)
                     for each in (indices[:-1], indices[1:]))
    tests = {"difference to the next boot":
             stat.positions_p(steps, place.slots)}
    if first and second:
        tests["correlation with the next boot"] = stat.correlation_p(
            stat.correlation(first, second), len(first))
    return tests


def parts_test(pages, offsets):
    """{what: p}: does the page tell something about what is below?"""
    first, second = stat.centred_ranks(pages), stat.centred_ranks(offsets)
    if not first or not second:
        return {}
    return {"correlation of page and offset": stat.correlation_p(
        stat.correlation(first, second), len(pages))}


def below_tests(pages, offsets, place):
    """{what: p} of what is below the page."""
    tests = {**uniform_tests(offsets, place), **serial_tests(offsets, place),
             **bit_tests(offsets, place, [])}
    return {**{f"below the page: {what}": p for what, p in tests.items()},
            **parts_test(pages, offsets)}


def region(name, values):
    """Measures a row."""
    rule, group = table.rule_of(name)
    offsets = None
    if rule.below:
        values, offsets = split(values)
    if rule.window:
        values = without_holes(values, rule.window)
    fixed = stat.fixed_bits(values)
    values = stat.without(values, fixed)
    place = stat.estimate(values)
    found = Region(name, rule, group, values, fixed, place)
    if not rule.is_physical:
        found.tests = {**uniform_tests(values, place),
                       **serial_tests(values, place),
                       **bit_tests(values, place, fixed)}
    if offsets:
        found.below = stat.estimate(offsets)
        found.tests.update(below_tests(values, offsets, found.below))
    return found
