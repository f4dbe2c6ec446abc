# SPDX-License-Identifier: BSD-3-Clause
"""Judges the places of many boots.

All tests of single regions together reject what is uniform and independent
with probability ALPHA / 2 at most, those of pairs with the same: each test
has its share of that (Bonferroni).
"""
import dataclasses
import itertools

import aslr_boot
import aslr_order
import aslr_pair
import aslr_region
import aslr_table as table

ALPHA = 0.001
BOOTS_LEAST = 40
ORDER = "order of libraries"
TESTS_OF_PAIR = 7  # three each way, and the correlation


@dataclasses.dataclass
class Verdict:
    """What was found."""

    boots: int
    profile: str
    regions: list
    order: aslr_order.Order
    pairs: list   # of different groups: judged
    inside: list  # of one group
    leaks: list   # of what is no pointer
    limit: float  # p-value that a region's test must not be below
    pair_limit: float
    errors: list = dataclasses.field(default_factory=list)  # (name, text)

    @property
    def tests(self):
        """Number of tests of regions and of pairs."""
        return (sum(len(region.tests) for region in self.regions) +
                len(self.order.tests),
                sum(len(pair.tests) for pair in self.pairs))

    def counts(self):
        """(names without an error, names with one)."""
        failed = {name for name, _ in self.errors}
        names = {region.name for region in self.regions} | failed
        if self.order.tests:
            names.add(ORDER)
        return len(names) - len(failed), len(failed)

    def rules(self):
        """{name: rule} of the regions."""
        return {region.name: region.rule for region in self.regions}

    def worst(self):
        """The pair that leaves the fewest bits."""
        return min(self.pairs, key=lambda pair: pair.bits, default=None)


def pairs_of(regions, limit):
    """Pairs of different groups, of one group, and after a leak of what is
    no pointer."""
    apart, inside, leaks = [], [], []
    places = [each for each in regions if not each.rule.is_physical]
    for first, second in itertools.combinations(places, 2):
        where = inside if first.group == second.group else apart
        where.extend(aslr_pair.both_ways(first, second, limit))
    for first in regions:
        if first.rule.is_physical:
            leaks += [aslr_pair.remaining(first, second, limit)
                      for second in places]
    return apart, inside, leaks


def errors_of_regions(verdict):
    """What is wrong with single regions."""
    for region in verdict.regions:
        for what, p in region.wrong(verdict.limit).items():
            yield region.name, f"{what} (p = {p:.1e})"
        short = region.short(verdict.limit)
        if short:
            yield region.name, short
    for what, p in verdict.order.tests.items():
        if p < verdict.limit:
            yield ORDER, f"{what} (p = {p:.1e})"


def errors_of_pairs(verdict):
    """What is wrong with pairs, the worst first."""
    margin = aslr_pair.margin(verdict.boots, verdict.pair_limit)
    for pair in sorted(verdict.pairs, key=lambda pair: pair.bits):
        said = [f"{what} (p = {p:.1e})"
                for what, p in pair.wrong(verdict.pair_limit).items()]
        if pair.bits + margin < table.NEED:
            said.insert(0, f"{table.NEED} are needed")
        if said:
            yield pair.second, (f"{pair.bits:.2f} bits when {pair.first} is "
                                f"known: {', '.join(said)}")


def judge(boots):
    """A verdict; boots as aslr_boot has them."""
    if len(boots) < BOOTS_LEAST:
        raise ValueError(f"{len(boots)} boots, {BOOTS_LEAST} are needed")
    bases, missing = aslr_boot.series(boots)
    regions = [aslr_region.region(name, values)
               for name, values in bases.items()]
    order = aslr_order.order(bases)
    tests = sum(len(region.tests) for region in regions) + len(order.tests)
    pair_tests = TESTS_OF_PAIR * len(regions) * (len(regions) - 1) / 2
    limit = ALPHA / 2 / max(tests, 1)
    pair_limit = ALPHA / 2 / max(pair_tests, 1)
    verdict = Verdict(len(boots), boots[0]["profile"], regions, order,
                      *pairs_of(regions, pair_limit), limit, pair_limit)
    verdict.errors = [(name, "not in every boot") for name in missing]
    verdict.errors += errors_of_regions(verdict)
    verdict.errors += errors_of_pairs(verdict)
    return verdict
