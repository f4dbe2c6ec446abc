#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Places made up: uniform ones pass, each with one fault is found.

Seeds are fixed. With other ones, a uniform map is rejected once in 1,000
tests at most: aslr_judge.ALPHA. A planted fault is missed far more rarely.
"""
import random
import unittest

import aslr_judge
import aslr_region
import aslr_stat as stat
import aslr_table as table

PAGE = 4096
HALF = 1 << 47
LOWER, UPPER = 1 << 36, (1 << 64) - HALF
MANY, FEW = 1000, 60
NAMES = ("image text", "heap:heap constants", "frame metadata", "IDT")


def draw(rng, base=UPPER, step=PAGE, end=HALF):
    """A uniform address."""
    return base + rng.randrange(end // step) * step


def uniform(many=MANY, seed=1):
    """Boots without a fault: {name: [bases]}."""
    rng = random.Random(seed)
    bases = {name: [draw(rng) for _ in range(many)] for name in NAMES}
    bases["direct map"] = [draw(rng) for _ in range(many)]
    bases["boot stack pointer"] = [draw(rng) + 16 * rng.randrange(256)
                                   for _ in range(many)]
    return bases


def boots_of(bases):
    """The same as aslr_boot has it."""
    return [{"profile": None, "places": {
        name: [values[at], PAGE] for name, values in bases.items()}}
            for at in range(len(next(iter(bases.values()))))]


def judge(bases):
    """A verdict."""
    return aslr_judge.judge(boots_of(bases))


def errors(bases, name):
    """What is wrong with a name, in one string."""
    return "; ".join(text for who, text in judge(bases).errors
                     if who == name)


class Statistics(unittest.TestCase):
    """The tests themselves."""

    def test_chi_square(self):
        """tails as in printed tables"""
        for value, free, p in ((3.841, 1, 0.05), (7.815, 3, 0.05),
                               (16.812, 6, 0.01), (37.697, 15, 0.001),
                               (0, 4, 1)):
            self.assertAlmostEqual(stat.chi_square_p(value, free), p, 4)

    def test_range(self):
        """the estimate has hardly a bias, also of few values, or of a small
        range (a hundredth of a bit)"""
        rng = random.Random(2)
        for slots in (64, 256, 1 << 35):
            found = [stat.estimate([draw(rng, end=slots * PAGE)
                                    for _ in range(FEW)])
                     for _ in range(400)]
            mean = sum(place.slots for place in found) / len(found)
            self.assertLess(abs(mean / slots - 1), 0.015)
            self.assertEqual({place.step for place in found}, {PAGE})

    def test_margin(self):
        """an estimate is short by the margin as often as it says"""
        rng = random.Random(3)
        margin = stat.margin(FEW, 0.01)
        short = sum(stat.estimate([rng.randrange(1 << 40)
                                   for _ in range(FEW)]).bits <
                    40 - margin for _ in range(3000))
        self.assertLess(short, 45)

    def test_ones(self):
        """how often a bit is set below a number"""
        for limit in (0, 1, 5, 64, 77, 255):
            for bit in range(9):
                self.assertEqual(stat.ones_below(limit, bit),
                                 sum(n >> bit & 1 for n in range(limit)))

    def test_error_rate(self):
        """p-values of uniform regions and pairs are small as often as they
        say, or less often; few boots, and many"""
        for many, rounds in ((FEW, 60), (400, 20)):
            found = []
            for seed in range(rounds):
                verdict = judge(uniform(many, 100 + seed))
                for each in (*verdict.regions, *verdict.pairs):
                    found += each.tests.values()
            for level in (0.1, 0.01, 0.001):
                share = sum(p < level for p in found) / len(found)
                self.assertLess(share, 1.2 * level, (many, level))
            self.assertGreater(sum(p < 0.1 for p in found),
                               0.06 * len(found))


class Uniform(unittest.TestCase):
    """Maps without a fault."""

    def test_pass(self):
        """they pass, and have the bits they were drawn with"""
        for many in (FEW, MANY):
            verdict = judge(uniform(many))
            self.assertEqual(verdict.errors, [])
            bits = {region.name: region.place.bits
                    for region in verdict.regions}
            for name in NAMES:
                self.assertAlmostEqual(bits[name], 35, delta=0.2)
            self.assertAlmostEqual(bits["direct map"], 35, delta=0.2)
            self.assertEqual(verdict.counts(), (6, 0))
            self.assertGreater(verdict.worst().bits, 34)

    def test_other_range(self):
        """any range will do that has bits enough, in either half"""
        rng = random.Random(4)
        bases = uniform()
        bases["IDT"] = [draw(rng, LOWER, end=5 << 42) for _ in range(MANY)]
        self.assertEqual(judge(bases).errors, [])

    def test_one_region(self):
        """rows of one image are one region"""
        bases = uniform()
        bases["image data"] = [base + 40 * PAGE
                               for base in bases["image text"]]
        verdict = judge(bases)
        self.assertEqual(verdict.errors, [])
        self.assertEqual({pair.bits for pair in verdict.inside}, {0})

    def test_stack_pointer(self):
        """offsets may go over the end of a page"""
        rng = random.Random(5)
        bases = uniform()
        bases["boot stack pointer"] = [
            draw(rng) - 16 * rng.randrange(256) - 0x120 for _ in range(MANY)]
        self.assertEqual(judge(bases).errors, [])


class Faults(unittest.TestCase):
    """Each is planted into both few and many boots, unless it says how
    many it takes to see it."""

    def plant(self, fault, name, *words, sizes=(FEW, MANY)):
        """fault(bases, rng) changes the bases; the errors about a name must
        have the words."""
        for many in sizes:
            bases = uniform(many, seed=6)
            fault(bases, random.Random(7))
            said = errors(bases, name)
            for word in words:
                self.assertIn(word, said, many)

    def test_shared_slide(self):
        """one offset for everything"""
        def fault(bases, rng):
            slides = [draw(rng) for _ in bases["IDT"]]
            for at, name in enumerate(NAMES):
                bases[name] = [slide + (at << 30) for slide in slides]
        self.plant(fault, "IDT", "0.00 bits when image text is known",
                   "correlation")

    def test_constant_apart(self):
        """one region is another one, plus a constant"""
        def fault(bases, _):
            bases["IDT"] = [UPPER + (base + (5 << 40)) % HALF
                            for base in bases["frame metadata"]]
        self.plant(fault, "IDT", "0.00 bits when frame metadata is known",
                   "30 are needed")

    def test_near(self):
        """one region is near another one: 10 bits"""
        def fault(bases, rng):
            bases["IDT"] = [base + rng.randrange(1024) * PAGE
                            for base in bases["frame metadata"]]
        self.plant(fault, "IDT", "when frame metadata is known",
                   "30 are needed")

    def test_sometimes_apart(self):
        """the same, but only in every third boot"""
        def fault(bases, _):
            bases["IDT"][::3] = bases["frame metadata"][::3]
        self.plant(fault, "IDT", "0.00 bits when frame metadata is known")

    def test_same_low_bits(self):
        """two regions have the same offset in 64 KiB"""
        def fault(bases, _):
            bases["IDT"] = [base & -65536 | other & 65535 for base, other
                            in zip(bases["IDT"], bases["frame metadata"])]
        self.plant(fault, "IDT", "when frame metadata is known: lowest bits")

    def test_stuck_bits(self):
        """bits that never change are not counted"""
        def fault(bases, _):
            bases["image text"] = [base & ~(3 << 20)
                                   for base in bases["image text"]]
        self.plant(fault, "image text", " bits, 34 are needed",
                   sizes=(MANY,))
        bases = uniform()
        fault(bases, None)
        region = aslr_region.region("image text", bases["image text"])
        self.assertEqual(region.fixed, [21, 20])
        self.assertAlmostEqual(region.place.bits, 33, delta=0.05)

    def test_biased_bit(self):
        """a bit that is set in three of four boots"""
        def fault(bases, rng):
            bases["IDT"] = [base | rng.randrange(2) << 30
                            for base in bases["IDT"]]
        self.plant(fault, "IDT", "bit 30", sizes=(200, MANY))

    def test_steps(self):
        """2 MiB steps instead of 4 KiB"""
        def fault(bases, _):
            bases["IDT"] = [base & -(1 << 21) for base in bases["IDT"]]
        self.plant(fault, "IDT", " bits, 30 are needed")

    def test_biased_half(self):
        """one half is chosen three times as often"""
        def fault(bases, rng):
            bases["IDT"] = [base & ~(rng.randrange(2) << 46)
                            for base in bases["IDT"]]
        self.plant(fault, "IDT", "position", sizes=(200, MANY))

    def test_fixed(self):
        """an address that does not change"""
        def fault(bases, _):
            bases["IDT"] = [UPPER] * len(bases["IDT"])
        self.plant(fault, "IDT", "0.00 bits, 30 are needed")

    def test_series(self):
        """a boot that tells where the next one is"""
        def fault(bases, _):
            at = UPPER
            for boot in range(len(bases["IDT"])):
                at = UPPER + (at + 0x13579bdf000) % HALF
                bases["IDT"][boot] = at
        self.plant(fault, "IDT", "difference to the next boot")

    def test_duplicates(self):
        """addresses that occur twice"""
        def fault(bases, _):
            bases["IDT"][1::20] = bases["IDT"][::20]
        self.plant(fault, "IDT", "duplicates")

    def test_below_the_page(self):
        """6 bits below the page"""
        def fault(bases, rng):
            bases["boot stack pointer"] = [
                draw(rng) + 16 * rng.randrange(64)
                for _ in bases["boot stack pointer"]]
        self.plant(fault, "boot stack pointer",
                   "bits below the page, 8 are needed")

    def test_missing(self):
        """a region that is not in every boot, and a number of boots that
        tells nothing"""
        boots = boots_of(uniform(FEW))
        del boots[3]["places"]["IDT"]
        self.assertIn(("IDT", "not in every boot"),
                      aslr_judge.judge(boots).errors)
        self.assertRaises(ValueError, aslr_judge.judge, boots[:3])


if __name__ == "__main__":
    unittest.main()
