#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of draw.py and layout.py: images of a seed.

    test_layout.py --link COMMAND --options WORDS DIRECTORY OTHER NAME

DIRECTORY and OTHER are build directories in which the same guest was
compiled; NAME is the program that is linked, with these options of layout.py.
The same seed gives the same image from both, bit by bit; of many seeds, none
says anything about another.
"""
import argparse
import collections
import hashlib
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import draw
import elf64
import layout
import synthetic

SEEDS = [f"seed-{number}" for number in range(16)]
SMALL = 24      # functions of a library whose order is compared
SIGMA = 6       # one false alarm in 500 million
ARGS = argparse.Namespace()


class Numbers(unittest.TestCase):
    """draw.py."""

    def test_known(self):
        """the first number is that of SHA-256"""
        key = hashlib.sha256(b"4:what:text").digest()
        block = hashlib.sha256(key + bytes(8)).digest()
        numbers = draw.Draw("text", "what")
        self.assertEqual([numbers.word() for _ in range(4)],
                         [int.from_bytes(block[i:i + 8], "little")
                          for i in range(0, 32, 8)])
        block = hashlib.sha256(key + b"\1" + bytes(7)).digest()
        self.assertEqual(numbers.word(), int.from_bytes(block[:8], "little"))

    def test_labels(self):
        """another label, other numbers; no two are written alike"""
        words = {draw.Draw(text, label).word() for text, label in
                 (("1", "a"), ("2", "a"), ("1", "b"), (":1", "a"),
                  ("1", "a:"), ("a:1", ""))}
        self.assertEqual(len(words), 6)

    def test_unbiased(self):
        """a bound that divides no power of two; words are thrown away"""
        numbers = draw.Draw("text", "bias")
        end = 3 << 62
        counts = [0, 0, 0]
        for _ in range(3000):
            value = numbers.below(end)
            self.assertLess(value, end)
            counts[value >> 62] += 1
        self.assertLess(sum((c - 1000) ** 2 / 1000 for c in counts), 30)

    def test_orders(self):
        """all orders of four are as likely"""
        numbers = draw.Draw("text", "orders")
        counts = collections.Counter(
            tuple(numbers.shuffled("abcd")) for _ in range(4800))
        self.assertEqual(len(counts), 24)
        # chi-square, 23 degrees of freedom, one in 10^6
        self.assertLess(sum((c - 200) ** 2 / 200 for c in counts.values()),
                        73)


class Linked:
    """The guest as linked from a seed."""

    def __init__(self, folder, build, seed):
        self.objects = build / "guest" / f"{ARGS.name}.objects"
        status, said = synthetic.tool(
            "layout.py", *ARGS.options.split(), "--seed", seed, self.objects,
            folder / "script.lds")
        assert not status, said
        self.script = (folder / "script.lds").read_text()
        self.orders = self.read_script()
        self.folder = folder

    def read_script(self):
        """Sections in the order of the script; gaps behind each."""
        found = re.findall(r"^\t\t(\S+)\((\S+)\)\n(?:\t\t\. \+= (\d+);)?",
                           self.script, re.M)
        return [((path.partition("/guest/")[2], name), int(gap or 0))
                for path, name, gap in found if not path.startswith("*")]

    def base(self):
        """The link address."""
        return int(re.search(r"\. = (0x[0-9a-f]+);", self.script)[1], 16)

    def link(self):
        """The payload."""
        words = [word for word in self.objects.read_text().split()
                 if word.endswith(".o")]
        subprocess.run([*ARGS.link.split(), f"-Wl,-T,{self.folder}/script.lds",
                        "-o", self.folder / "image.debug", *words],
                       check=True)
        status, said = synthetic.tool(
            "payload.py", self.folder / "image.debug",
            self.folder / "image.app")
        assert not status, said
        return (self.folder / "image.app").read_bytes()


def linked(build, seed):
    """A script that was written in a folder that is gone."""
    with tempfile.TemporaryDirectory() as name:
        return Linked(pathlib.Path(name), build, seed)


def positions(order, chosen):
    """Rank of each of the chosen sections."""
    rank = {key: at for at, (key, _) in enumerate(order) if key in chosen}
    sort = {key: at for at, key in enumerate(sorted(rank, key=rank.get))}
    return [sort[key] for key in sorted(chosen)]


def correlation(one, two):
    """Of two orders, by Spearman: 0 if they have nothing in common."""
    count = len(one)
    square = sum((a - b) ** 2 for a, b in zip(one, two))
    return 1 - 6 * square / (count * (count * count - 1))


class Seeds(unittest.TestCase):
    """layout.py, on the objects of the guest."""

    @classmethod
    def setUpClass(cls):
        cls.all = [linked(ARGS.build, seed) for seed in SEEDS]
        groups = collections.defaultdict(set)
        for (path, name), _ in cls.all[0].orders:
            if name.startswith(".text."):
                groups[path.rpartition("/")[0]].add((path, name))
        cls.groups = {folder: keys for folder, keys in groups.items()
                      if len(keys) >= SMALL}

    def test_complete(self):
        """every section once, whatever the seed"""
        first = sorted(key for key, _ in self.all[0].orders)
        self.assertGreater(len(first), 500)
        self.assertEqual(len(first), len(set(first)))
        for other in self.all[1:]:
            self.assertEqual(first, sorted(key for key, _ in other.orders))

    def test_orders_are_unrelated(self):
        """functions of each library, for each pair of seeds"""
        self.assertGreater(len(self.groups), 3)
        for folder, keys in self.groups.items():
            ranks = [positions(each.orders, keys) for each in self.all]
            pairs = [(a, b) for i, a in enumerate(ranks) for b in ranks[:i]]
            values = [correlation(*pair) * math.sqrt(len(keys) - 1)
                      for pair in pairs]
            # Of variance 1 each, and pairwise independent
            count = len(values)
            self.assertLess(max(map(abs, values)), SIGMA, folder)
            self.assertLess(abs(sum(values)), SIGMA * math.sqrt(count))
            self.assertLess(abs(sum(v * v for v in values) - count),
                            SIGMA * math.sqrt(2 * count))

    def test_places_are_uniform(self):
        """a function is in each quarter of its library as often"""
        counts = [0] * 4
        for keys in self.groups.values():
            for each in self.all:
                for key, at in enumerate(positions(each.orders, keys)):
                    if key < 8:
                        counts[at * 4 // len(keys)] += 1
        mean = sum(counts) / 4
        self.assertLess(sum((c - mean) ** 2 / mean for c in counts), 40)

    def test_libraries(self):
        """come in many orders"""
        seen = set()
        for each in self.all:
            folders = [key[0].rpartition("/")[0] for key, _ in each.orders
                       if key[0].rpartition("/")[0] in self.groups]
            seen.add(tuple(dict.fromkeys(folders)))
        self.assertGreater(len(seen), 8)

    def test_gaps(self):
        """both, as often"""
        gaps = collections.Counter(
            gap for each in self.all for (_, name), gap in each.orders
            if name.startswith(".text.") and gap <= 16)
        self.assertEqual(sorted(gaps), [0, 16])
        mean = sum(gaps.values()) / 2
        self.assertLess(sum((c - mean) ** 2 / mean for c in gaps.values()),
                        20)

    def test_bases(self):
        """pages of the upper half, all different, not the last 2 GiB"""
        bases = {each.base() for each in self.all}
        self.assertEqual(len(bases), len(SEEDS))
        for base in bases:
            self.assertEqual(base % layout.PAGE, 0)
            self.assertGreaterEqual(base, layout.BASE_MIN)
            self.assertLess(base, (1 << 64) - layout.BASE_LEFT)


class Images(unittest.TestCase):
    """Whole images."""

    def image(self, build, seed):
        """The payload from the objects of a directory."""
        with tempfile.TemporaryDirectory() as name:
            return Linked(pathlib.Path(name), build, seed).link()

    def test_same_seed(self):
        """the same image, bit by bit, from another directory"""
        first = self.image(ARGS.build, "some-text")
        self.assertEqual(hashlib.sha256(first).hexdigest(), hashlib.sha256(
            self.image(ARGS.other, "some-text")).hexdigest())
        self.assertTrue(b"some-text\0" in first)
        self.assertFalse(f"{ARGS.build}/guest".encode() in first)

    def test_other_seed(self):
        """no function is where it was"""
        places = []
        for seed in SEEDS[:2]:
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                Linked(folder, ARGS.build, seed).link()
                elf = elf64.Elf(folder / "image.debug")
                places.append({s.name: s.value - elf.loads()[0].vaddr
                               for s in elf.symbols
                               if s.type == elf64.STT_FUNC})
        same = [name for name, value in places[0].items()
                if places[1].get(name) == value]
        self.assertGreater(len(places[0]), 400)
        self.assertLess(len(same), 4, same)


def main():
    """Reads the command line, runs the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--link", required=True)
    parser.add_argument("--options", default="")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("other", type=pathlib.Path)
    parser.add_argument("name")
    parser.parse_args(namespace=ARGS)
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
