# SPDX-License-Identifier: BSD-3-Clause
"""Statistics of addresses: ranges, and tests with their p-values.

A p-value is the probability that a test finds at least what it found if the
addresses are uniform and independent. Counts are compared by the likelihood
ratio G = 2 sum(seen ln(seen / expected)), which has the distribution of
chi-square (Wilks 1938; corrected after Williams 1976), and whose far tail is
right for small samples, where Pearson's sum is too often too large.
"""
import collections
import dataclasses
import math

DUPLICATES_MOST = 20  # expected pairs, beyond which counts tell more


@dataclasses.dataclass(frozen=True)
class Range:
    """Where a place may be: low, low + step, ..., slots in all."""

    low: int
    step: int  # 0: it never moves
    slots: int

    @property
    def bits(self):
        """Entropy of a uniform choice."""
        return math.log2(self.slots)

    def index(self, value):
        """Number of a slot; what is beyond the estimate counts as its
        end."""
        if not self.step:
            return 0
        return min(max((value - self.low) // self.step, 0), self.slots - 1)


def estimate(values):
    """The range that uniform values are from. The distance of the extremes
    is short of the range by 2 / (n + 1) of it, on average."""
    low, high, many = min(values), max(values), len(values)
    step = math.gcd(*(value - low for value in values))
    if not step or many < 2:
        return Range(low, 0, 1)
    wide = (high - low) // step
    slots = 1 + (wide * (many + 1) + (many - 1) // 2) // (many - 1)
    return Range(low - (slots - 1 - wide) // 2 * step, step, slots)


def fixed_bits(values):
    """Bits between the lowest and the highest one that varies that are the
    same in all values, highest first."""
    first, varies = values[0], 0
    for value in values:
        varies |= value ^ first
    low = (varies & -varies).bit_length()
    return [bit for bit in reversed(range(low, varies.bit_length()))
            if not varies >> bit & 1]


def without(values, bits):
    """Values with bits, highest first, cut out."""
    for bit in bits:
        rest = (1 << bit) - 1
        values = [value >> (bit + 1) << bit | value & rest
                  for value in values]
    return values


def margin(many, limit):
    """Bits by which an estimate is short of the truth with probability
    limit. The extremes of n uniform values are less than w of the range
    apart with probability n w^(n - 1) - (n - 1) w^n."""
    low, high = 0.0, 1.0
    for _ in range(60):
        part = (low + high) / 2
        p = part ** (many - 1) * (many - (many - 1) * part)
        low, high = (part, high) if p < limit else (low, part)
    return -math.log2(low)


def bins_for(many):
    """Number of bins, so that each is filled."""
    return 16 if many >= 320 else 8 if many >= 160 else 4


def chi_square_p(value, free):
    """Probability that chi-square with so many degrees of freedom is at
    least so large."""
    half = max(value, 0) / 2
    if free % 2:
        total = math.erfc(math.sqrt(half))
        term = 2 * math.sqrt(half / math.pi) * math.exp(-half)
        start = 1.5
    else:
        total, term, start = 0.0, math.exp(-half), 1
    for step in range(free // 2):
        total += term
        term *= half / (start + step)
    return min(total, 1.0)


def counts_p(seen, expected):
    """P-value of counts."""
    many, cells = sum(seen), len(seen)
    if cells < 2:
        return 1.0
    found = 2 * sum(count * math.log(count / mean)
                    for count, mean in zip(seen, expected) if count)
    return chi_square_p(found / (1 + (cells + 1) / (6 * many)), cells - 1)


def normal_p(z):
    """Two-sided."""
    return math.erfc(abs(z) / math.sqrt(2))


def positions_p(indices, slots):
    """Are numbers below slots spread over all of them?"""
    many = len(indices)
    bins = slots if slots * 8 <= many else min(bins_for(many), slots)
    seen = [0] * bins
    for index in indices:
        seen[index * bins // slots] += 1
    edges = [-(-cell * slots // bins) for cell in range(bins + 1)]
    return counts_p(seen, [many * (end - start) / slots
                           for start, end in zip(edges, edges[1:])])


def low_p(indices):
    """Are the lowest bits of numbers uniform?"""
    many = len(indices)
    bins = bins_for(many)
    seen = collections.Counter(index % bins for index in indices)
    return counts_p([seen[cell] for cell in range(bins)],
                    [many / bins] * bins)


def ones_below(limit, bit):
    """How many of the numbers below limit have a bit set."""
    rest = limit & ((1 << (bit + 1)) - 1)
    return (limit >> (bit + 1) << bit) + max(0, rest - (1 << bit))


def bit_p(values, place, bit):
    """Is a bit of the addresses set as often as in a uniform choice? None if
    the range makes it nearly always the same."""
    size = place.step * place.slots
    share = (ones_below(place.low + size, bit) -
             ones_below(place.low, bit)) / size
    if not 0.25 <= share <= 0.75:
        return None
    many = len(values)
    ones = sum(value >> bit & 1 for value in values)
    return normal_p((ones - many * share) /
                    math.sqrt(many * share * (1 - share)))


def duplicates_p(values, slots):
    """Are there more equal pairs than by chance? Their number is nearly
    Poisson distributed."""
    many = len(values)
    mean = many * (many - 1) / 2 / slots
    if mean > DUPLICATES_MOST:
        return None
    if len(set(values)) == many:
        return 1.0
    pairs = sum(count * (count - 1) // 2
                for count in collections.Counter(values).values())
    term, total = math.exp(-mean), 0.0
    for found in range(pairs + 100):
        if found >= pairs:
            total += term
        term *= mean / (found + 1)
    return min(total, 1.0)


def centred_ranks(values):
    """Ranks, equal ones shared, around 0 and scaled to a length of 1. None
    if all are equal."""
    many = len(values)
    order = sorted(range(many), key=values.__getitem__)
    ranks = [0.0] * many
    start = 0
    while start < many:
        end = start
        while end < many and values[order[end]] == values[order[start]]:
            end += 1
        for at in range(start, end):
            ranks[order[at]] = (start + end - 1) / 2 - (many - 1) / 2
        start = end
    length = math.sqrt(sum(rank * rank for rank in ranks))
    return [rank / length for rank in ranks] if length else None


def correlation(first, second):
    """Spearman's rank correlation, of centred ranks."""
    return sum(map(float.__mul__, first, second))


def correlation_p(value, many):
    """P-value of a rank correlation."""
    return normal_p(value * math.sqrt(many - 1))
