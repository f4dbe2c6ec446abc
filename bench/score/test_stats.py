#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the statistics on distributions whose figures are known.

Random numbers have fixed seeds: a test passes always or never.
"""
import collections
import math
import random
import statistics
import unittest

import gates
import measure
import picks
import probes
import stats


def counts_of(values):
    """How often each value occurs."""
    return list(collections.Counter(values).values())


def binomial(k, n, p):
    """Tail by adding up, to compare with."""
    return sum(math.comb(n, i) * p ** i * (1 - p) ** (n - i)
               for i in range(k, n + 1))


class TestEntropy(unittest.TestCase):
    """Of shares."""

    def test_even_shares(self):
        """entropy of even shares is the logarithm of their number"""
        for k in (1, 2, 64, 1000):
            self.assertAlmostEqual(stats.entropy([7] * k), math.log2(k))

    def test_known_shares(self):
        """entropy of 1/2, 1/4, 1/8, 1/8 is 1.75 bits"""
        self.assertAlmostEqual(stats.entropy([4, 2, 1, 1]), 1.75)

    def test_correction(self):
        """Miller-Madow removes nine tenths of the bias at 64 even values"""
        rng = random.Random(1)
        plain, corrected = [], []
        for _ in range(100):
            counts = counts_of(rng.choices(range(64), k=1000))
            plain.append(stats.entropy(counts))
            corrected.append(stats.miller_madow(counts))
        bias = 6 - statistics.fmean(plain)
        self.assertGreater(bias, 0.04)
        self.assertLess(abs(6 - statistics.fmean(corrected)), bias / 10)

    def test_error(self):
        """standard error is that of repeated experiments"""
        rng = random.Random(2)
        weights = [1 / (i + 1) for i in range(50)]
        samples = [counts_of(rng.choices(range(50), weights, k=1000))
                   for _ in range(300)]
        seen = statistics.stdev(map(stats.entropy, samples))
        told = statistics.fmean(map(stats.entropy_error, samples))
        self.assertLess(abs(told / seen - 1), 0.15)


class TestShares(unittest.TestCase):
    """Probabilities and their intervals."""

    def test_tail(self):
        """binomial tails agree with sums"""
        for k, n, p in ((0, 5, 0.1), (3, 10, 0.25), (10, 10, 0.9),
                        (11, 10, 0.9), (20, 400, 0.03), (390, 400, 0.97)):
            self.assertAlmostEqual(stats.tail(k, n, p), binomial(k, n, p),
                                   delta=1e-12)

    def test_small_tail(self):
        """small tails have a small relative error"""
        exact = binomial(30, 300, 0.01)
        self.assertLess(exact, 1e-19)
        self.assertLess(abs(stats.tail(30, 300, 0.01) / exact - 1), 1e-9)

    def test_interval(self):
        """intervals have the values of published tables"""
        low, high = stats.share_interval(5, 10, 0.95)
        self.assertAlmostEqual(low, 0.1871, places=4)
        self.assertAlmostEqual(high, 0.8129, places=4)
        self.assertEqual(stats.share_interval(0, 10, 0.95)[0], 0)
        self.assertEqual(stats.share_interval(10, 10, 0.95)[1], 1)
        self.assertAlmostEqual(stats.share_interval(0, 10, 0.95)[1], 0.3085,
                               places=4)

    def test_no_hits(self):
        """no hit in 1000 trials means at most 3 of 1000 (rule of three)"""
        self.assertAlmostEqual(stats.share_bound(0, 1000, 0.95),
                               1 - 0.05 ** 0.001, places=9)
        self.assertEqual(stats.share_bound(9, 9), 1)

    def test_coverage(self):
        """intervals contain the truth as often as they say"""
        n = 200
        bounds = [stats.share_interval(k, n) for k in range(n + 1)]
        for p in (0.001, 0.02, 0.3, 0.5, 0.93):
            inside = sum(binomial(k, n, p) - binomial(k + 1, n, p)
                         for k, (low, high) in enumerate(bounds)
                         if low <= p <= high)
            self.assertGreaterEqual(inside, stats.CONFIDENCE - 1e-9)

    def test_commonest(self):
        """bound of the commonest value holds where all are equally common"""
        rng = random.Random(3)
        missed = sum(stats.share_bound(max(counts_of(
            rng.choices(range(256), k=1000))), 1000) < 1 / 256
            for _ in range(300))
        self.assertLessEqual(missed, 3)


class TestBits(unittest.TestCase):
    """Varying bits and the entropy of addresses."""

    def setUp(self):
        self.rng = random.Random(4)

    def test_random_bits(self):
        """random bits between fixed ones are counted"""
        values = [0x7 << 44 | self.rng.getrandbits(30) << 12
                  for _ in range(1000)]
        self.assertEqual(stats.varying_bits(values), 30)
        self.assertEqual(stats.fair_mask(values), (2 ** 30 - 1) << 12)

    def test_copied_bits(self):
        """bits that copy others, as signs do, are not counted twice"""
        values = []
        for _ in range(1000):
            low = self.rng.getrandbits(10)
            values.append((low >> 9) * (2 ** 20 - 1) << 20 | low)
        self.assertEqual(stats.varying_bits(values), 10)

    def test_rare_bits(self):
        """a bit that is one in a tenth of the samples is not counted"""
        values = [self.rng.getrandbits(8) | (self.rng.random() < 0.1) << 8
                  for _ in range(1000)]
        self.assertEqual(stats.varying_bits(values), 8)

    def test_constant(self):
        """a constant has no bits and no entropy"""
        self.assertEqual(stats.varying_bits([12345] * 100), 0)
        self.assertEqual(stats.address_entropy([12345] * 100)[0], 0)

    def test_smooth(self):
        """entropy beyond the sample's ceiling, where density is smooth"""
        even = [self.rng.getrandbits(35) for _ in range(1000)]
        self.assertAlmostEqual(stats.address_entropy(even)[0], 35, delta=0.2)
        part = [self.rng.randrange(3 << 20) << 12 for _ in range(1000)]
        self.assertAlmostEqual(stats.address_entropy(part)[0],
                               20 + math.log2(3), delta=0.2)

    def test_triangle(self):
        """difference of two even numbers: 0.72 bits more than one"""
        values = [self.rng.randrange(2 ** 30) - self.rng.randrange(2 ** 30) +
                  2 ** 30 for _ in range(2000)]
        self.assertAlmostEqual(stats.spacing_entropy(values), 30.72,
                               delta=0.15)

    def test_few_values(self):
        """few values that repeat: the corrected entropy of their shares"""
        values = [self.rng.randrange(64) << 12 for _ in range(1000)]
        guess, error = stats.address_entropy(values)
        self.assertAlmostEqual(guess, 6, delta=0.05)
        self.assertLess(error, 0.02)


def even_growth(rng, n, choice):
    """Each draw is one of so many places; a new one takes its place."""
    places, addrs = list(range(choice)), []
    for i in range(n):
        j = rng.randrange(choice)
        addrs.append(places[j] * 64)
        places[j] = choice + i
    return addrs


def cache(live, n, rng, take):
    """(freed, drawn): places that take() chooses from a list of free ones,
    the last freed at the end."""
    places = list(range(0, 64 * (live + 300), 64))
    free, held = places[:300], places[300:]
    freed, drawn = [], []
    for _ in range(n):
        j = rng.randrange(live)
        freed.append(held[j])
        free.append(held[j])
        held[j] = free.pop(take(free))
        drawn.append(held[j])
    return freed, drawn


class TestPicks(unittest.TestCase):
    """Attackers against allocators whose choice is known."""

    def bits(self, take):
        """Against a free list."""
        rng = random.Random(6)
        found = picks.churn_bits(*cache(500, 20000, rng, take))
        return picks.best_strategy(found)

    def test_next_place(self):
        """an allocator that takes the next place has 0 bits"""
        addrs = list(range(0, 64 * 20000, 64))
        found = picks.growth_bits(addrs, picks.all_chances(addrs))
        self.assertEqual(picks.best_strategy(found)[1], 0)

    def test_even_choice(self):
        """one of 1024 holes has 10 bits against the one who knows them"""
        addrs = even_growth(random.Random(5), 50000, 1024)
        found = picks.growth_bits(addrs, picks.all_chances(addrs))
        name, value, low = picks.best_strategy(found)
        self.assertIn("hole", name)
        self.assertAlmostEqual(value, 10, delta=0.1)
        self.assertLess(low, value)

    def test_stretch(self):
        """a stretch of 2000 draws from 64 holes is found: 6 bits"""
        rng = random.Random(11)
        addrs = even_growth(rng, 20000, 1024)
        narrow = [a + (1 << 40) for a in even_growth(rng, 2000, 64)]
        addrs[8000:8000] = narrow
        self.assertAlmostEqual(picks.worst_stretch(
            picks.all_chances(addrs)), 6, delta=0.3)

    def test_mean(self):
        """bound of a mean is 2.33 standard errors above it"""
        mean, bound = stats.mean_bound([0.0, 1.0] * 5000)
        self.assertAlmostEqual(mean, 0.5)
        self.assertAlmostEqual(bound, 0.5 + 2.326 * 0.005, places=4)

    def test_last_freed(self):
        """last in, first out has 0 bits"""
        name, value, _ = self.bits(lambda free: len(free) - 1)
        self.assertEqual((name, value), ("freed so long ago", 0))

    def test_first_freed(self):
        """first in, first out has 0 bits"""
        name, value, _ = self.bits(lambda free: 0)
        self.assertEqual((name, value), ("freed so long ago", 0))

    def test_lowest(self):
        """the lowest free address has 0 bits"""
        found = picks.churn_bits(*cache(
            500, 20000, random.Random(6),
            lambda free: free.index(min(free))))
        self.assertEqual(found[picks.NAMES["lowest"]][0], 0)

    def test_next_fit(self):
        """the next free address behind the last one has nearly 0 bits"""
        last = [0]

        def take(free):
            last[0] = min((p for p in free if p > last[0]),
                          default=min(free))
            return free.index(last[0])

        name, value, _ = self.bits(take)
        self.assertEqual(name, picks.NAMES["step"])
        self.assertLess(value, 0.1)

    def test_even_free_list(self):
        """one of 301 free places has 8.2 bits against each strategy"""
        rng = random.Random(7)
        _, value, _ = self.bits(lambda free: rng.randrange(len(free)))
        self.assertGreater(value, 7.5)
        self.assertLess(value, 8.5)


class TestMeasure(unittest.TestCase):
    """From words to figures."""

    def test_reuse(self):
        """reuse counts draws, and only frees with enough of them behind"""
        draws = 3 * measure.REUSE[-1]
        rounds = [((10,), (1000,))] + [((), (2000 + i,))
                                       for i in range(draws - 1)]
        rounds[299] = ((), (10,))
        rounds[-2] = ((20,), (3000,))
        rounds[-1] = ((), (20,))
        figures = {f.name: f for f in measure.reuse_figures(
            "x", rounds, draws)}
        self.assertEqual(figures["x.within256"].value, 0)
        self.assertEqual(figures["x.within1024"].value, 1)
        self.assertEqual(figures["x.within1024"].n, 1)
        self.assertEqual(figures["x.within256"].more["soonest"], 300)

    def test_adjacent(self):
        """neighbours count on both sides, and not across rounds"""
        addrs = [0, 64, 0, 640, 704, 640]
        self.assertEqual(measure.adjacent(addrs, 64), (4, 5))
        self.assertEqual(measure.adjacent(addrs, 64, 2), (2, 3))
        self.assertEqual(measure.stride(addrs), 64)

    def test_distance(self):
        """distances have a sign again when they are shown"""
        self.assertEqual(measure.signed(measure.distance(100, 180)), -80)
        self.assertEqual(measure.signed(measure.distance(180, 100)), 80)

    def test_children(self):
        """children with the same layout are counted, the parent is not"""
        rng = random.Random(8)
        rows = [[rng.getrandbits(40) for _ in range(measure.FORK_ROW)]
                for _ in range(measure.CHILDREN + 1)]
        self.assertEqual(measure.same_children(rows), 0)
        rows[3][:measure.LAYOUT] = rows[-1][:measure.LAYOUT]
        self.assertEqual(measure.same_children(rows), 1)
        rows[5][:measure.LAYOUT] = rows[-1][:measure.LAYOUT]
        self.assertEqual(measure.same_children(rows), 2)

    def test_coincidences(self):
        """pairs of processes with the same address at the same place"""
        rows = [[1, 2], [1, 3], [1, 4], [5, 4]]
        self.assertEqual(measure.coincidences(rows, [0]), (3, 6))
        self.assertEqual(measure.coincidences(rows, [0, 1]), (4, 12))

    def test_allocators(self):
        """names of allocators are understood, wrong ones refused"""
        found = probes.parse_allocator(f"x={__file__},A=1,B=c=d", None)
        self.assertEqual((found.name, found.env),
                         ("x", {"A": "1", "B": "c=d"}))
        for text in ("x", "x=", "=y", "x=/nowhere/x.so"):
            with self.assertRaises(ValueError):
                probes.parse_allocator(text, None)


class TestGates(unittest.TestCase):
    """Bounds and their error rate."""

    def test_sum(self):
        """all false alarms together are below 1e-4"""
        self.assertGreater(gates.alarms(), 0)
        self.assertLess(gates.alarms(), 1e-4)

    def test_bounds(self):
        """a gate keeps its bound, and not what is beyond"""
        low = gates.Gate("x", "x", low=9)
        high = gates.Gate("x", "x", high=0)
        below = gates.Gate("x", "x", below=0.003)
        self.assertEqual([low.passes(v) for v in (8.99, 9)], [False, True])
        self.assertEqual([high.passes(v) for v in (0, 1e-6)], [True, False])
        self.assertEqual([below.passes(v) for v in (0.0029, 0.003)],
                         [True, False])

    def test_shannon(self):
        """distances of safe collision entropy pass in 300 experiments"""
        rng = random.Random(9)
        # Difference of two of m places: equal with probability 2 / (3 m)
        m = round(2 ** (gates.SAFE_COLLISION + 1) / 3)
        for _ in range(300):
            values = [rng.randrange(m) - rng.randrange(m)
                      for _ in range(gates.PROCESSES)]
            counts = counts_of(values)
            self.assertGreater(stats.entropy(counts), gates.SHANNON)
            self.assertLessEqual(max(counts), gates.TOP * gates.PROCESSES)

    def test_weak(self):
        """distances of hardened allocators of today miss the bounds"""
        rng = random.Random(10)
        values = [rng.randrange(256) - rng.randrange(256)
                  for _ in range(gates.PROCESSES)]
        self.assertLess(stats.entropy(counts_of(values)), gates.SHANNON)


if __name__ == "__main__":
    unittest.main()
