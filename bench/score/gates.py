# SPDX-License-Identifier: BSD-3-Clause
"""What the default profile has to reach, and how often chance says no.

A bound is compared with the observed figure, without allowance, so that an
allocator that is exactly at a bound fails every other time. What is safe is
stated instead: for each bound a true value at which it is missed by chance
with the probability that alarm() returns, of which alarms() is the sum.
"""
import dataclasses
import math
import statistics

import stats

SIZE, PROCESSES, DRAWS, RUNS = 64, 1000, 100000, 5
BITS, SHANNON, TOP, MIN_BITS, NEIGHBOUR = 34, 9.5, 0.01, 9.0, 0.003
# True values that are safe: collision entropy of the distance, probability
# of the commonest distance, min-entropy of a draw and of the strategies,
# probability of a neighbour
SAFE_COLLISION, SAFE_TOP, SAFE_MIN, SAFE_GUESS, SAFE_HOLE, SAFE_NEIGHBOUR = (
    11.6, 0.001, 9.75, 10.0, 9.1, 0.0022)
STRATEGIES = 6  # those of picks.py that are learned, or bet on one value
HOLE_ERROR = 0.01  # relative, of the mean chance to guess a hole, at most


@dataclasses.dataclass
class Gate:
    """A bound of a figure: low <= value, or value <= high (or < below)."""

    figure: str
    text: str
    low: float = None
    high: float = None
    below: float = None
    alarm: float = 0.0  # probability of a miss at the safe value

    def passes(self, value):
        """Is the bound kept?"""
        return ((self.low is None or value >= self.low) and
                (self.high is None or value <= self.high) and
                (self.below is None or value < self.below))

    def bound(self):
        """In words."""
        if self.low is not None:
            return f"at least {self.low:g}"
        return f"below {self.below:g}" if self.high is None else (
            f"at most {self.high:g}")


def bits_alarm():
    """One of the bits that are needed is out of the fair range."""
    out = math.floor((1 - stats.FAIR) * PROCESSES) + 1
    return BITS * 2 * stats.tail(out, PROCESSES, 0.5)


def shannon_alarm():
    """Too many equal pairs. Each value that was seen c times costs
    c log2(c) / n bits, which is at most two bits a pair and n; their number
    is nearly that of Poisson, here of as many trials as there are pairs."""
    pairs = PROCESSES * (PROCESSES - 1) // 2
    limit = (math.log2(PROCESSES) - SHANNON) * PROCESSES / 2
    return stats.tail(math.ceil(limit), pairs, 2 ** -SAFE_COLLISION)


def top_alarm(high, n, safe):
    """Any value is seen too often. No more than 1 / safe values are as
    likely as that, and rarer ones add less."""
    return stats.tail(math.floor(high * n) + 1, n, safe) / safe


def pick_alarm():
    """Any strategy succeeds too often by chance."""
    n = DRAWS // 2
    learned = stats.tail(math.floor(n * 2 ** -MIN_BITS) + 1, n,
                         2 ** -SAFE_GUESS)
    hole = 2 ** (SAFE_HOLE - MIN_BITS) - 1
    return STRATEGIES * learned + statistics.NormalDist().cdf(
        -hole / HOLE_ERROR)


def neighbour_alarm():
    """Too many neighbours in one of the runs."""
    return RUNS * stats.tail(math.ceil(NEIGHBOUR * (DRAWS - 1)), DRAWS - 1,
                             SAFE_NEIGHBOUR)


def make_gates():
    """All bounds, in the order of the table."""
    for name, text in (("base", "heap base"), ("class", "class to class"),
                       ("large", "large to large"),
                       ("libc", "heap to libc")):
        yield Gate(f"{name}.page_bits", f"{text}: varying bits", low=BITS,
                   alarm=bits_alarm())
    for lag in (1, 8, 64):
        yield Gate(f"lag{lag}.shannon", f"lag {lag}: Shannon bits",
                   low=SHANNON, alarm=shannon_alarm())
        yield Gate(f"lag{lag}.top", f"lag {lag}: commonest distance",
                   high=TOP, alarm=top_alarm(TOP, PROCESSES, SAFE_TOP))
    for mode in ("growth", "churn"):
        yield Gate(f"{mode}.min", f"{mode}: min-entropy of the distance",
                   low=MIN_BITS, alarm=RUNS * top_alarm(
                       2 ** -MIN_BITS, DRAWS - 1, 2 ** -SAFE_MIN))
        yield Gate(f"{mode}.pick", f"{mode}: bits against the best strategy",
                   low=MIN_BITS, alarm=RUNS * pick_alarm())
    for mode in ("growth", "aged", "churn"):
        yield Gate(f"{mode}.adjacent", f"{mode}: share of neighbours",
                   below=NEIGHBOUR, alarm=neighbour_alarm())
    for mode in ("churn", "spray", "pair", "resize", "remote"):
        yield Gate(f"{mode}.within256", f"{mode}: returns within 256 draws",
                   high=0)
    for look, text in (("now", "at once"), ("later", "later"),
                       ("remote.now", "at once, freed remotely"),
                       ("remote.later", "later, freed remotely"),
                       ("large", "large object")):
        yield Gate(f"after.{look}", f"residue {text}: neither zero nor fault",
                   high=0)
    yield Gate("processes.repeat", "processes that repeat a layout", high=0)
    yield Gate("fork.same", "children that repeat a layout", high=0)
    yield Gate("fork.large", "children that repeat a large object's place",
               high=0)


GATES = list(make_gates())


def alarms():
    """Probability that any bound is missed by chance, at most, where all
    true values are safe."""
    return sum(gate.alarm for gate in GATES)
