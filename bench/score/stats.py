# SPDX-License-Identifier: BSD-3-Clause
"""Statistics of addresses: entropy, shares, bits, and how sure they are.

A sample is finite, and most figures here are biased by that. Every function
says in which direction; docs/scorecard.md has the formulae.
"""
import collections
import math
import statistics

CONFIDENCE = 0.99
LN2 = math.log(2)
# Part of the samples in which a bit must be one, and must be zero, to count
FAIR = 0.4


def entropy(counts):
    """Shannon entropy of the observed shares, in bits. Too small on average,
    and never above log2 of the sample's length."""
    n = sum(counts)
    return math.log2(n) - sum(c * math.log2(c) for c in counts) / n


def miller_madow(counts):
    """The same with its bias corrected to the first order: a bit of it for
    each value beyond the first. May exceed what a sample can show."""
    return entropy(counts) + (len(counts) - 1) / (2 * sum(counts) * LN2)


def entropy_error(counts):
    """Standard error of entropy(), from leaving out each sample in turn."""
    n = sum(counts)
    if n < 3:
        return math.inf
    total = sum(c * math.log2(c) for c in counts)
    without = []
    for c, times in collections.Counter(counts).items():
        rest = total - c * math.log2(c)
        rest += (c - 1) * math.log2(c - 1) if c > 1 else 0
        without.append((math.log2(n - 1) - rest / (n - 1), c * times))
    mean = sum(h * weight for h, weight in without) / n
    return math.sqrt((n - 1) / n * sum(
        (h - mean) ** 2 * weight for h, weight in without))


def beta_fraction(a, b, x):
    """The continued fraction of the incomplete beta function, from its
    first coefficients on (modified Lentz)."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d or tiny)
    result = d
    for m in range(1, 10000):
        for numerator in (
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / (
                    (a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / ((1 + numerator * d) or tiny)
            c = (1 + numerator / c) or tiny
            result *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return result


def beta_cdf(a, b, x):
    """Regularized incomplete beta function."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) +
                     a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * beta_fraction(a, b, x) / a
    return 1 - front * beta_fraction(b, a, 1 - x) / b


def tail(k, n, p):
    """Probability of k or more successes in n trials of probability p."""
    if k <= 0:
        return 1.0
    return 0.0 if k > n else beta_cdf(k, n - k + 1, p)


def solve(rising, wanted):
    """The x in [0, 1] where a rising function has the wanted value."""
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def share_interval(k, n, confidence=CONFIDENCE):
    """Exact interval (Clopper and Pearson) of a probability of which k of n
    trials were successes."""
    alpha = (1 - confidence) / 2
    low = 0.0 if k == 0 else solve(lambda p: tail(k, n, p), alpha)
    high = 1.0 if k == n else solve(lambda p: tail(k + 1, n, p), 1 - alpha)
    return low, high


def share_bound(k, n, confidence=CONFIDENCE):
    """Upper bound of that probability; for the commonest of many values, k
    being its count, too: the truly commonest one was not seen more often."""
    if k == n:
        return 1.0
    return solve(lambda p: tail(k + 1, n, p), confidence)


def bits_of(share):
    """Share as bits: what has to be guessed."""
    return math.inf if share <= 0 else abs(math.log2(share))


def most_common(counter):
    """(value, count) of the commonest; of several the smallest value."""
    best = max(counter.values())
    return min(v for v, c in counter.items() if c == best), best


def fair_mask(values):
    """Bits that are one in neither too few nor too many of the values."""
    n, mask = len(values), 0
    for bit in range(max(values).bit_length()):
        ones = sum(value >> bit & 1 for value in values)
        if FAIR * n <= ones <= (1 - FAIR) * n:
            mask |= 1 << bit
    return mask


def rank(values):
    """Number of independent bits: dimension, over the field of two elements,
    of what the values differ by. A bit that copies another one, as the sign
    of a distance does, is not counted twice."""
    rows = {}
    for value in values:
        value ^= values[0]
        while value:
            top = value.bit_length()
            if top not in rows:
                rows[top] = value
                break
            value ^= rows[top]
    return len(rows)


def varying_bits(values):
    """Independent bits among those that are fair."""
    mask = fair_mask(values) if values else 0
    return rank([value & mask for value in values]) if mask else 0


def digamma(n):
    """Of a whole number."""
    return -0.5772156649015329 + sum(1 / i for i in range(1, n))


def spacing_entropy(values, m=3):
    """Entropy of numbers with a smooth density, in bits, from the gaps
    between those that are m apart in order (Vasicek). Unlike entropy() it is
    not limited by the sample's length; it takes for granted that what lies
    within a gap is as even as it looks, down to the lowest fair bit."""
    n = len(values)
    mask = fair_mask(values)
    grain = mask & -mask or 1
    ordered = sorted(values)
    gaps = [max(b - a, grain) for a, b in zip(ordered, ordered[m:])]
    mean = statistics.fmean(math.log2(gap / grain) for gap in gaps)
    return max(0.0, mean + (digamma(n + 1) - digamma(m)) / LN2)


def address_entropy(values, parts=10):
    """(estimate, standard error) for addresses and distances. Where values
    repeat, and their entropy is thus within reach of the sample, that of the
    corrected shares; else that of the gaps, at most one bit for each varying
    one."""
    counts = collections.Counter(values)
    n = len(values)
    if n - len(counts) > n // 100:
        shares = list(counts.values())
        return miller_madow(shares), entropy_error(shares)
    size = n // parts
    each = [spacing_entropy(values[i * size:(i + 1) * size])
            for i in range(parts)] if size > 10 else []
    error = statistics.stdev(each) / math.sqrt(parts) if each else math.inf
    return min(spacing_entropy(values), rank(values)), error


def mean_bound(values, confidence=CONFIDENCE):
    """(mean, upper bound of the true one); normal approximation."""
    mean = statistics.fmean(values)
    spread = statistics.pstdev(values, mean) / math.sqrt(len(values))
    return mean, mean + statistics.NormalDist().inv_cdf(confidence) * spread
